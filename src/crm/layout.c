// SPDX-License-Identifier: Apache-2.0
// What the settings resources show about how records are laid out: related lists, the one layout of each module, and its views
// (spec/crm-api.md §2.10). All of it follows from the metadata; what is stored is how a view is sorted, when somebody changed that.
//
// This edition has one layout a module, with all its fields, and the views that Zoho makes for everybody: all records, one's own, and for
// leads the converted ones. A view is a filter on a list: crm_view_apply.
#include "crm/object.h"
#include "crm/shape.h"

struct value shape_user(const struct crm_session *session, int64_t user_id)
{
    const struct crm_user *user = user_id ? crm_user_find(session->meta, user_id) : NULL;
    struct value shown = user ? value_map(session->heap, 2) : value_null();
    shape_text(session->heap, shown, "name", user ? user->full_name : VIEW(""));
    shape_put(session->heap, shown, "id", crm_id_text(session->heap, user_id));
    return shown;
}

struct value shape_module(const struct crm_session *session, const struct crm_module *module)
{
    struct value shown = value_map(session->heap, 2);
    shape_text(session->heap, shown, "api_name", module->api_name);
    shape_put(session->heap, shown, "id", crm_id_text(session->heap, module->id));
    return shown;
}

struct value shape_time(const struct crm_session *session, int64_t millis)
{
    return millis ? crm_time_text(session, millis) : value_null();
}

// ---- a module's definition ----------------------------------------------------------------------

struct layout_job {
    struct crm_session *session;
    struct crm_module *module;
    struct value definition;
    int64_t modified_ms;
};

static bool read_definition(struct tx *tx, void *arg, struct fail *fail)
{
    struct layout_job *job = arg;
    struct store_param id = store_int(job->module->id);
    struct rows *rows;
    fail_clear(fail);
    job->definition = value_null();
    if (!tx_query(tx, "SELECT definition, modified_time FROM crm_module WHERE id = ?", &id, 1, &rows, fail)) {
        return false;
    }
    if (rows_next(rows, fail)) {
        json_read(job->session->heap, rows_text(rows, 0), &job->definition, fail);
        job->modified_ms = rows_int(rows, 1);
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static bool open_module(struct layout_job *job, struct view name, struct fail *fail)
{
    job->session->details = value_null();
    return crm_module_find(job->session, name, &job->module, fail) && store_read(crm_env(job->session->crm), read_definition, job, fail);
}

static struct view label_of(const struct layout_job *job, const char *key)
{
    struct view label = value_view_or(shape_get(value_as_map(job->definition), key), VIEW(""));
    return label.len ? label : job->module->api_name;
}

// ---- related lists ------------------------------------------------------------------------------

static struct value make_operations(struct heap *heap, bool linked)
{
    static const char *const off[] = {"edit", "create", "bulk_edit", "delete"}, *const on[] = {"disassociate", "assign"};
    struct value operations = value_map(heap, 6);
    SHAPE_ALL(heap, operations, off, value_bool(!linked));
    SHAPE_ALL(heap, operations, on, value_bool(linked));
    return operations;
}

struct related_list {
    struct view api_name, label, module, kind;
};

static struct value make_related(const struct layout_job *job, const struct related_list *shown, int64_t number)
{
    static const char *const off[] = {"customize_sort", "customize_fields", "customize_display_label"};
    struct crm_session *session = job->session;
    struct heap *heap = session->heap;
    const struct crm_module *child = crm_module_resolve(session, shown->module);
    struct value entry = value_map(heap, 18), module = child ? shape_module(session, child) : value_null();
    bool linked = view_eq(shown->kind, VIEW("junction"));
    shape_put(heap, entry, "id", crm_id_text(heap, shape_id(job->module->id, SHAPE_RELATION + number)));
    shape_put(heap, entry, "sequence_number", value_text_printf(heap, "%lld", (long long)number));
    shape_text(heap, entry, "display_label", shown->label);
    shape_text(heap, entry, "api_name", shown->api_name);
    shape_put(heap, entry, "module", module);
    shape_text(heap, entry, "name", shown->label);
    shape_put(heap, entry, "action", value_null());
    shape_put(heap, entry, "href",
              value_text_printf(heap, "%.*s/{ENTITYID}/%.*s", VIEW_ARGS(job->module->api_name), VIEW_ARGS(shown->api_name)));
    shape_text(heap, entry, "type", child && child->custom ? VIEW("custom_lookup") : VIEW("default"));
    SHAPE_ALL(heap, entry, off, value_bool(false));
    shape_text(heap, entry, "status", VIEW("visible"));
    shape_put(heap, entry, "record_operations", make_operations(heap, linked));
    shape_put(heap, entry, "connectedmodule", value_null());
    shape_put(heap, entry, "linkingmodule", value_null());
    return entry;
}

// Custom modules, and those that are no list of the definition, relate by their look-up alone.
static bool is_listed(const struct list *lists, struct view module)
{
    for (uint32_t i = 0; lists && i < lists->count; i++) {
        if (view_eq_nocase(crm_map_view(value_as_map(lists->items[i]), "module"), module)) {
            return true;
        }
    }
    return false;
}

static bool looks_up(const struct crm_fields *fields, struct view module)
{
    for (int i = 0; i < fields->count; i++) {
        if (fields->items[i].kind == CRM_KIND_LOOKUP && view_eq_nocase(fields->items[i].lookup, module)) {
            return true;
        }
    }
    return false;
}

static bool add_lookups(const struct layout_job *job, const struct list *lists, struct value list, struct fail *fail)
{
    struct crm_session *session = job->session;
    for (int i = 0; i < session->meta->module_count; i++) {
        struct crm_module *child = &session->meta->modules[i];
        if (child->subform || !child->custom || is_listed(lists, child->api_name)) {
            continue;
        }
        if (!crm_fields_load(session, child, fail)) {
            return false;
        }
        if (looks_up(crm_fields_of(child), job->module->api_name)) {
            struct related_list shown = {child->api_name, child->api_name, child->api_name, VIEW("lookup")};
            shape_add(session->heap, list, make_related(job, &shown, list.type == VALUE_LIST ? list.list->count + 1 : 0));
        }
    }
    return true;
}

bool crm_related_lists(struct crm_session *session, struct view module, struct value *ret_list, struct fail *fail)
{
    struct layout_job job = {.session = session};
    if (!open_module(&job, module, fail)) {
        return false;
    }
    struct value list = value_list(session->heap, 16);
    const struct list *lists = value_as_list(shape_get(value_as_map(job.definition), "related_lists"));
    for (uint32_t i = 0; lists && i < lists->count; i++) {
        const struct map *map = value_as_map(lists->items[i]);
        if (map) {
            struct view api_name = crm_map_view(map, "api_name"), label = crm_map_view(map, "label");
            struct related_list shown = {api_name, label.len ? label : api_name, crm_map_view(map, "module"), crm_map_view(map, "kind")};
            shape_add(session->heap, list, make_related(&job, &shown, (int64_t)i + 1));
        }
    }
    *ret_list = list;
    return add_lookups(&job, lists, list, fail);
}

// ---- layouts ------------------------------------------------------------------------------------

static int64_t layout_id(const struct crm_module *module)
{
    return shape_id(module->id, SHAPE_LAYOUT);
}

static struct value make_section(const struct layout_job *job, struct value fields)
{
    static const char *const off[] = {"add_field", "rename",       "change_tab_traversal", "reorder",
                                      "delete",    "remove_field", "change_column_count"};
    struct heap *heap = job->session->heap;
    struct value section = value_map(heap, 16), actions = value_map(heap, 7);
    struct value label = value_text_printf(heap, "%.*s Information", VIEW_ARGS(label_of(job, "singular_label")));
    SHAPE_ALL(heap, actions, off, value_bool(false));
    shape_put(heap, section, "isSubformSection", value_bool(false));
    shape_text(heap, section, "type", VIEW("used"));
    shape_put(heap, section, "display_label", label);
    shape_text(heap, section, "mode", VIEW("all"));
    shape_put(heap, section, "sequence_number", value_number(1));
    shape_put(heap, section, "actions_allowed", actions);
    shape_text(heap, section, "tab_traversal", VIEW("left_to_right"));
    shape_put(heap, section, "api_name", label);
    shape_put(heap, section, "column_count", value_number(2));
    shape_put(heap, section, "name", label);
    shape_text(heap, section, "generated_type", VIEW("default"));
    shape_put(heap, section, "id", crm_id_text(heap, shape_id(job->module->id, SHAPE_SECTION)));
    shape_put(heap, section, "fields", fields);
    return section;
}

// What a field is in a layout, on top of what it is in its module.
static void lay_out(const struct layout_job *job, struct value fields)
{
    struct heap *heap = job->session->heap;
    const struct list *list = value_as_list(fields);
    for (uint32_t i = 0; list && i < list->count; i++) {
        struct value field = list->items[i], pick = shape_get(value_as_map(field), "pick_list_values");
        const struct list *entries = value_as_list(pick);
        shape_put(heap, field, "required", shape_get(value_as_map(field), "system_mandatory"));
        shape_put(heap, field, "sequence_number", value_number((int64_t)i + 1));
        shape_put(heap, field, "section_id", value_number(1));
        for (uint32_t k = 0; entries && k < entries->count; k++) {
            shape_put(heap, entries->items[k], "maps", value_list(heap, 0));
        }
    }
}

static struct value make_layout(const struct layout_job *job, struct value fields)
{
    static const char *const off[] = {"rename", "delete", "clone", "deactivate", "set_layout_permissions"};
    struct crm_session *session = job->session;
    struct heap *heap = session->heap;
    struct value layout = value_map(heap, 24), sections = value_list(heap, 1), actions = value_map(heap, 6);
    shape_put(heap, actions, "edit", value_bool(false));
    SHAPE_ALL(heap, actions, off, value_bool(false));
    shape_add(heap, sections, make_section(job, fields));
    shape_put(heap, layout, "has_more_profiles", value_bool(false));
    shape_put(heap, layout, "created_time", value_null());
    shape_put(heap, layout, "modified_time", shape_time(session, job->modified_ms));
    shape_put(heap, layout, "visible", value_bool(true));
    shape_put(heap, layout, "created_for", value_null());
    shape_put(heap, layout, "profiles", value_list(heap, 0));
    shape_text(heap, layout, "source", VIEW("crm"));
    shape_put(heap, layout, "created_by", value_null());
    shape_put(heap, layout, "modified_by", value_null());
    shape_put(heap, layout, "sections", sections);
    shape_put(heap, layout, "convert_mapping", value_null());
    shape_text(heap, layout, "name", VIEW("Standard"));
    shape_text(heap, layout, "api_name", VIEW("Standard"));
    shape_text(heap, layout, "display_label", VIEW("Standard"));
    shape_text(heap, layout, "status", VIEW("active"));
    shape_text(heap, layout, "mode", VIEW("view"));
    shape_text(heap, layout, "display_type", VIEW("table"));
    shape_text(heap, layout, "generated_type", VIEW("system"));
    shape_put(heap, layout, "show_business_card", value_bool(true));
    shape_put(heap, layout, "actions_allowed", actions);
    shape_put(heap, layout, "id", crm_id_text(heap, layout_id(job->module)));
    return layout;
}

bool crm_layouts_list(struct crm_session *session, struct view module, struct value *ret_list, struct fail *fail)
{
    struct layout_job job = {.session = session};
    struct value fields;
    if (!open_module(&job, module, fail) || !crm_fields_list(session, module, &fields, fail)) {
        return false;
    }
    lay_out(&job, fields);
    *ret_list = value_list(session->heap, 1);
    shape_add(session->heap, *ret_list, make_layout(&job, fields));
    return true;
}

// ---- views --------------------------------------------------------------------------------------

static const struct crm_view {
    const char *name, *system_name; // of the name, %.*s is the module's plural
    bool own, converted;
} VIEWS[] = {
    {"All %.*s", "ALLVIEWS", false, false},
    {"My %.*s", "MYVIEWS", true, false},
    {"Converted %.*s", "CONVERTEDVIEWS", false, true},
};

// NULL: the module has no such view.
static const struct crm_view *view_of_id(const struct crm_module *module, int64_t id)
{
    int64_t number = (id - module->id) / SHAPE_ID_STEP - SHAPE_VIEW;
    if (number < 0 || number >= (int64_t)BASE_COUNT(VIEWS) || id != shape_id(module->id, SHAPE_VIEW + number)) {
        return NULL;
    }
    return VIEWS[number].converted && !crm_fields_of(module)->converted ? NULL : &VIEWS[number];
}

struct view_sort {
    struct crm_session *session;
    struct view name;
    struct value definition; // {"sort_by":…,"sort_order":…}, null when nobody changed it
    struct crm_object object;
    int64_t id;
};

static bool keep_sort(void *arg, const struct crm_object *object, struct fail *fail)
{
    (void)fail;
    struct view_sort *sort = arg;
    sort->definition = object->definition;
    sort->id = object->id;
    return true;
}

static bool read_sort(struct tx *tx, void *arg, struct fail *fail)
{
    struct view_sort *sort = arg;
    sort->definition = value_null();
    sort->id = 0;
    struct crm_object_query query = {.kind = VIEW("view_sort"), .name = sort->name};
    return crm_objects_tx(tx, &query, sort->session->heap, keep_sort, sort, fail);
}

static bool find_sort(struct crm_session *session, int64_t view_id, struct value *ret_definition, struct fail *fail)
{
    char digits[21];
    struct view_sort sort = {.session = session, .name = {digits, int64_print(digits, view_id)}};
    if (!store_read(crm_env(session->crm), read_sort, &sort, fail)) {
        return false;
    }
    *ret_definition = sort.definition;
    return true;
}

static struct value make_criteria(struct crm_session *session, const struct crm_module *module, const struct crm_view *view)
{
    struct heap *heap = session->heap;
    struct value criteria = value_map(heap, 4), field = value_map(heap, 2);
    const struct crm_field *about = view->own ? crm_fields_of(module)->owner : crm_fields_of(module)->converted;
    if ((!view->own && !view->converted) || !about) {
        return value_null();
    }
    shape_text(heap, field, "api_name", about->api_name);
    shape_text(heap, criteria, "comparator", VIEW("equal"));
    shape_put(heap, criteria, "field", field);
    shape_put(heap, criteria, "type", value_text(heap, view->own ? VIEW("merge_field") : VIEW("value")));
    shape_put(heap, criteria, "value", view->own ? value_text(heap, VIEW("${CURRENTUSER}")) : value_bool(true));
    return criteria;
}

static struct value make_view(const struct layout_job *job, const struct crm_view *view, struct value sort)
{
    struct crm_session *session = job->session;
    struct heap *heap = session->heap;
    struct value shown = value_map(heap, 24), criteria = make_criteria(session, job->module, view);
    struct value name = value_text_printf(heap, view->name, VIEW_ARGS(label_of(job, "plural_label")));
    const struct map *sorted = value_as_map(sort);
    shape_put(heap, shown, "display_value", name);
    shape_put(heap, shown, "name", name);
    shape_text(heap, shown, "system_name", view_of(view->system_name));
    shape_text(heap, shown, "access_type", VIEW("public"));
    shape_text(heap, shown, "category", VIEW("public_views"));
    shape_put(heap, shown, "default", value_bool(view == VIEWS));
    shape_put(heap, shown, "system_defined", value_bool(true));
    shape_put(heap, shown, "locked", value_bool(false));
    shape_put(heap, shown, "favorite", value_null());
    shape_put(heap, shown, "offline", value_bool(true));
    if (!value_is_null(criteria)) {
        shape_put(heap, shown, "criteria", criteria);
    }
    shape_put(heap, shown, "module", shape_module(session, job->module));
    shape_put(heap, shown, "created_by", shape_user(session, crm_admin_id(session)));
    shape_put(heap, shown, "modified_by", shape_user(session, crm_admin_id(session)));
    shape_put(heap, shown, "fields", value_list(heap, 0));
    shape_put(heap, shown, "sort_by", shape_get(sorted, "sort_by"));
    shape_put(heap, shown, "sort_order", shape_get(sorted, "sort_order"));
    shape_put(heap, shown, "id", crm_id_text(heap, shape_id(job->module->id, SHAPE_VIEW + (view - VIEWS))));
    return shown;
}

bool crm_views_list(struct crm_session *session, struct view module, struct value *ret_list, struct fail *fail)
{
    struct layout_job job = {.session = session};
    if (!open_module(&job, module, fail) || !crm_fields_load(session, job.module, fail)) {
        return false;
    }
    *ret_list = value_list(session->heap, BASE_COUNT(VIEWS));
    for (size_t i = 0; i < BASE_COUNT(VIEWS); i++) {
        int64_t id = shape_id(job.module->id, SHAPE_VIEW + (int64_t)i);
        struct value sort;
        if (view_of_id(job.module, id)) {
            if (!find_sort(session, id, &sort, fail)) {
                return false;
            }
            shape_add(session->heap, *ret_list, make_view(&job, &VIEWS[i], sort));
        }
    }
    return true;
}

// ---- a view as a filter -------------------------------------------------------------------------

static bool sort_query(struct crm_session *session, int64_t view_id, struct crm_query *query, struct fail *fail)
{
    struct value sort;
    if (query->sort_by.len) {
        return fail_set(fail, FAIL_AMBIGUITY, "cvid and sort_by cannot be given together");
    }
    if (!find_sort(session, view_id, &sort, fail)) {
        return false;
    }
    const struct map *by = value_as_map(shape_get(value_as_map(sort), "sort_by"));
    if (by) {
        query->sort_by = crm_map_view(by, "api_name");
        query->sort_order = crm_map_view(value_as_map(sort), "sort_order");
    }
    return true;
}

bool crm_view_apply(struct crm_session *session, struct view module_name, int64_t view_id, struct crm_query *query, struct fail *fail)
{
    struct crm_module *module;
    session->details = value_null();
    if (!crm_module_find(session, module_name, &module, fail) || !crm_fields_load(session, module, fail)) {
        return false;
    }
    const struct crm_view *view = view_of_id(module, view_id);
    if (!view) {
        crm_details_set(session, "param_name", VIEW("cvid"));
        return fail_set(fail, FAIL_INVALID_DATA, "the view id given seems to be invalid");
    }
    if (view->own && crm_fields_of(module)->owner) {
        query->equals = value_map(session->heap, 1);
        if (query->equals.type == VALUE_MAP) {
            map_put_text(session->heap, query->equals.map, crm_fields_of(module)->owner->api_name, value_number(session->user_id));
        }
    }
    query->converted = view->converted ? VIEW("true") : query->converted;
    return sort_query(session, view_id, query, fail);
}

// ---- how a view is sorted -----------------------------------------------------------------------

static bool write_sort(struct tx *tx, void *arg, struct fail *fail)
{
    struct view_sort *sort = arg;
    struct value definition = sort->object.definition;
    bool found;
    int64_t id;
    if (!read_sort(tx, sort, fail)) {
        return false;
    }
    sort->object.id = sort->id;
    sort->object.definition = definition;
    return sort->id ? crm_object_change_tx(tx, &sort->object, &found, fail) : crm_object_add_tx(tx, &sort->object, &id, fail);
}

bool crm_view_sort(struct crm_session *session, struct view module_name, int64_t view_id, struct value order, struct fail *fail)
{
    struct crm_module *module;
    char digits[21];
    struct view_sort sort = {.session = session, .name = {digits, int64_print(digits, view_id)}};
    const struct map *map = value_as_map(order), *by = value_as_map(shape_get(map, "sort_by"));
    session->details = value_null();
    if (!crm_module_find(session, module_name, &module, fail) || !crm_fields_load(session, module, fail)) {
        return false;
    }
    struct view direction = map ? crm_map_view(map, "sort_order") : VIEW("");
    const struct crm_field *field = by ? crm_field_find(session, module, crm_map_view(by, "api_name")) : NULL;
    if (!view_of_id(module, view_id)) {
        crm_details_set(session, "api_name", VIEW("id"));
        return fail_set(fail, FAIL_INVALID_DATA, "the id given seems to be invalid");
    }
    if (!field || (!view_eq(direction, VIEW("asc")) && !view_eq(direction, VIEW("desc")))) {
        crm_details_set(session, "api_name", field ? VIEW("sort_order") : VIEW("sort_by"));
        return fail_set(fail, FAIL_INVALID_DATA, NULL);
    }
    struct value shown = value_map(session->heap, 1), definition = value_map(session->heap, 2);
    shape_text(session->heap, shown, "api_name", field->api_name);
    shape_put(session->heap, definition, "sort_by", shown);
    shape_text(session->heap, definition, "sort_order", direction);
    sort.object = (struct crm_object){.kind = VIEW("view_sort"),
                                      .module = VIEW(""),
                                      .name = sort.name,
                                      .definition = definition,
                                      .created_by = session->user_id,
                                      .modified_by = session->user_id};
    return store_write(crm_env(session->crm), write_sort, &sort, fail);
}
