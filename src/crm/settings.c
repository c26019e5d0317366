// SPDX-License-Identifier: Apache-2.0
// Modules and fields as the settings resources of the REST API show them (spec/crm-api.md §2.10, §4.3). They are read from the data base,
// not from the cache: labels and pick lists are wanted here alone, and the cache stays small without them.
//
// Zoho shows some fifty keys an entry, most of which say that a feature is off. Those are tables at the head of each part; what depends on
// the module or field is code below them. The union of what v2 to v8 show is given to every version: clients skip what they do not know.
#include "crm/shape.h"

struct settings_job {
    struct crm_session *session;
    const struct crm_module *module;
    struct value list;
};

static struct value definition_of(struct heap *heap, struct view json)
{
    struct value definition = value_null();
    struct fail ignored = {0};
    json_read(heap, json, &definition, &ignored);
    return definition;
}

// ---- modules ------------------------------------------------------------------------------------

static const char *const MODULE_ON[] = {"api_supported", "viewable", "recycle_bin_on_delete"};
static const char *const MODULE_OPEN[] = {"creatable", "editable", "deletable", "quick_create", "show_as_tab", "sub_menu_available"};
static const char *const MODULE_OFF[] = {"global_search_supported",
                                         "presence_sub_menu",
                                         "triggers_supported",
                                         "filter_supported",
                                         "feeds_required",
                                         "scoring_supported",
                                         "webform_supported",
                                         "isBlueprintSupported",
                                         "emailTemplate_support",
                                         "email_parser_supported",
                                         "inventory_template_supported",
                                         "convertable",
                                         "public_fields_configured",
                                         "has_more_profiles"};
static const char *const MODULE_NULL[] = {"web_link", "description", "modified_by"};

// {"api_name":…,"id":…} of a sub-form's parent, {} for modules that stand alone.
static struct value make_parent(const struct crm_session *session, const struct map *definition)
{
    struct value parent = value_map(session->heap, 2), name = shape_get(definition, "parent_module");
    const struct crm_module *module = name.type == VALUE_TEXT ? crm_module_resolve(session, value_view(name)) : NULL;
    if (module) {
        shape_text(session->heap, parent, "api_name", module->api_name);
        shape_put(session->heap, parent, "id", crm_id_text(session->heap, module->id));
    }
    return parent;
}

// Custom modules of the org name the profiles that they were made for; others are everybody's, and show none.
static void put_profiles(const struct crm_session *session, struct value module, const struct map *definition)
{
    struct heap *heap = session->heap;
    const struct list *ids = value_as_list(shape_get(definition, "profiles"));
    struct value profiles = value_list(heap, ids ? ids->count : 0);
    for (uint32_t i = 0; ids && i < ids->count; i++) {
        struct value profile = value_map(heap, 1);
        shape_put(heap, profile, "id", ids->items[i]);
        shape_add(heap, profiles, profile);
    }
    shape_put(heap, module, "profile_count", value_number(ids ? ids->count : 0));
    shape_put(heap, module, "profiles", profiles);
}

// Flags are those of a module that this edition fully serves; sub-forms can be read and described, not opened.
static struct value make_module(const struct crm_session *session, struct rows *rows)
{
    struct heap *heap = session->heap;
    struct value module = value_map(heap, 48), definition = definition_of(heap, rows_text(rows, 2));
    const struct map *map = value_as_map(definition);
    bool subform = view_eq(rows_text(rows, 3), VIEW("subform"));
    shape_text(heap, module, "api_name", rows_text(rows, 1));
    shape_put(heap, module, "module_name", shape_get(map, "module_name"));
    shape_put(heap, module, "singular_label", shape_get(map, "singular_label"));
    shape_put(heap, module, "plural_label", shape_get(map, "plural_label"));
    shape_put(heap, module, "actual_singular_label", shape_get(map, "singular_label"));
    shape_put(heap, module, "actual_plural_label", shape_get(map, "plural_label"));
    shape_put(heap, module, "id", crm_id_text(heap, rows_int(rows, 0)));
    shape_text(heap, module, "generated_type", rows_text(rows, 3));
    SHAPE_ALL(heap, module, MODULE_ON, value_bool(true));
    SHAPE_ALL(heap, module, MODULE_OPEN, value_bool(!subform));
    SHAPE_ALL(heap, module, MODULE_OFF, value_bool(false));
    SHAPE_ALL(heap, module, MODULE_NULL, value_null());
    shape_text(heap, module, "status", subform ? VIEW("system_hidden") : VIEW("visible"));
    shape_text(heap, module, "access_type", VIEW("org_based"));
    shape_put(heap, module, "sequence_number", value_number(rows_int(rows, 5)));
    shape_put(heap, module, "visibility", value_number(1));
    put_profiles(session, module, map);
    shape_put(heap, module, "arguments", value_list(heap, 0));
    shape_put(heap, module, "business_card_field_limit", value_number(5));
    shape_put(heap, module, "modified_time", crm_time_text(session, rows_int(rows, 4)));
    shape_put(heap, module, "parent_module", make_parent(session, map));
    return module;
}

static bool read_modules(struct tx *tx, void *arg, struct fail *fail)
{
    struct settings_job *job = arg;
    struct rows *rows;
    fail_clear(fail);
    job->list = value_list(job->session->heap, 32);
    if (job->list.type != VALUE_LIST) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!tx_query(
            tx,
            "SELECT id, api_name, definition, generated_type, modified_time, ROW_NUMBER() OVER (ORDER BY id) FROM crm_module ORDER BY id",
            NULL, 0, &rows, fail)) {
        return false;
    }
    while (rows_next(rows, fail)) {
        list_add(job->session->heap, job->list.list, make_module(job->session, rows));
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool crm_modules_list(struct crm_session *session, struct value *ret_list, struct fail *fail)
{
    struct settings_job job = {.session = session};
    if (!store_read(crm_env(session->crm), read_modules, &job, fail)) {
        return false;
    }
    *ret_list = job.list;
    return true;
}

// ---- fields -------------------------------------------------------------------------------------

static const char *const FIELD_ON[] = {"visible", "webhook", "businesscard_supported"};
static const char *const FIELD_OFF[] = {
    "colour_code_enabled_by_system",    "separator", "history_tracking_enabled", "enable_colour_code", "virtual_field", "public",
    "pick_list_values_sorted_lexically"};
static const char *const FIELD_NULL[] = {"association_details", "multi_module_lookup", "external", "range", "rollup_summary", "tooltip",
                                         "history_tracking",    "additional_column"};
static const char *const FIELD_EMPTY[] = {"currency", "formula", "auto_number", "multiselectlookup", "convert_mapping"};
static const char *const OPERATIONS[] = {"web_update", "api_create", "web_create", "api_update"};
static const char *const EDITS[] = {"edit", "create"};

// Zoho shows pairs; the table keeps actual values, and display values only where they differ.
static struct value make_pick_list(struct heap *heap, const struct map *definition, int64_t field_id)
{
    struct list *values = value_as_list(shape_get(definition, "pick_list_values"));
    struct map *display = value_as_map(shape_get(definition, "pick_list_display"));
    struct value list = value_list(heap, values ? values->count : 0);
    for (uint32_t i = 0; list.type == VALUE_LIST && values && i < values->count; i++) {
        struct value entry = value_map(heap, 6), shown = display ? map_get(display, values->items[i], NULL) : value_null();
        shape_put(heap, entry, "display_value", value_is_null(shown) ? values->items[i] : shown);
        shape_put(heap, entry, "sequence_number", value_number((int64_t)i + 1));
        shape_put(heap, entry, "reference_value", values->items[i]);
        shape_put(heap, entry, "actual_value", values->items[i]);
        shape_put(heap, entry, "id", crm_id_text(heap, shape_id(field_id, (int64_t)i + 1)));
        shape_text(heap, entry, "type", VIEW("used"));
        list_add(heap, list.list, entry);
    }
    return list;
}

// {} for everything that is no look-up: clients test for the key.
static struct value make_lookup(const struct crm_session *session, const struct crm_field *field, struct value label)
{
    struct heap *heap = session->heap;
    struct value lookup = value_map(heap, 3);
    if (field->kind == CRM_KIND_LOOKUP && field->lookup.len) {
        const struct crm_module *target = crm_module_resolve(session, field->lookup);
        struct value module = value_map(heap, 3);
        shape_text(heap, module, "api_name", field->lookup);
        shape_put(heap, module, "crypt", value_bool(false));
        shape_put(heap, module, "id", crm_id_text(heap, target ? target->id : 0));
        shape_put(heap, lookup, "display_label", label);
        shape_text(heap, lookup, "api_name", field->api_name);
        shape_put(heap, lookup, "module", module);
    }
    return lookup;
}

// What may be done with the field, and where it is shown.
static void put_rights(struct heap *heap, struct value shown, const struct crm_field *field)
{
    struct value operations = value_map(heap, 4), views = value_map(heap, 4), parser = value_map(heap, 2), unique = value_map(heap, 1);
    bool searchable = field->kind != CRM_KIND_JSON;
    SHAPE_ALL(heap, operations, OPERATIONS, value_bool(field->writable));
    shape_put(heap, views, "view", value_bool(true));
    SHAPE_ALL(heap, views, EDITS, value_bool(field->writable));
    shape_put(heap, views, "quick_create", value_bool(field->mandatory));
    shape_put(heap, parser, "fields_update_supported", value_bool(false));
    shape_put(heap, parser, "record_operations_supported", value_bool(false));
    if (field->unique) {
        shape_put(heap, unique, "case_sensitive", value_bool(false));
    }
    shape_put(heap, shown, "operation_type", operations);
    shape_put(heap, shown, "view_type", views);
    shape_put(heap, shown, "email_parser", parser);
    shape_put(heap, shown, "unique", unique);
    shape_put(heap, shown, "searchable", value_bool(searchable));
    shape_put(heap, shown, "sortable", value_bool(searchable));
    shape_put(heap, shown, "filterable", value_bool(searchable));
    shape_put(heap, shown, "mass_update", value_bool(field->writable && !field->unique));
}

// What fields of the org's own tell beside what all do.
static void put_own(struct heap *heap, struct value shown, const struct map *definition)
{
    static const char *const keys[] = {"tooltip", "textarea", "currency", "auto_number", "default_value"};
    for (size_t i = 0; i < BASE_COUNT(keys); i++) {
        struct value said = shape_get(definition, keys[i]);
        if (!value_is_null(said)) {
            shape_put(heap, shown, keys[i], said);
        }
    }
}

// Null when the field came after this session was pinned: the next picture will show it.
static struct value make_field(struct settings_job *job, struct rows *rows)
{
    struct heap *heap = job->session->heap;
    const struct crm_field *field = crm_field_find(job->session, job->module, rows_text(rows, 1));
    struct value definition = definition_of(heap, rows_text(rows, 2)), shown = value_map(heap, 64);
    const struct map *map = value_as_map(definition);
    if (!field || !map) {
        return value_null();
    }
    bool read_only = crm_map_bool(map, "read_only", false);
    struct view json_type = crm_map_view(map, "json_type");
    struct value label = shape_get(map, "field_label");
    shape_put(heap, shown, "id", crm_id_text(heap, rows_int(rows, 0)));
    shape_text(heap, shown, "api_name", field->api_name);
    shape_put(heap, shown, "field_label", label);
    shape_put(heap, shown, "display_label", label);
    shape_text(heap, shown, "data_type", view_of(field->type->name));
    shape_text(heap, shown, "json_type", json_type.len ? json_type : view_of(field->type->json_type));
    shape_put(heap, shown, "length", value_number(field->length));
    shape_put(heap, shown, "decimal_place", shape_get(map, "decimal_place"));
    shape_put(heap, shown, "system_mandatory", value_bool(field->mandatory));
    shape_put(heap, shown, "read_only", value_bool(read_only));
    shape_put(heap, shown, "field_read_only", value_bool(read_only));
    shape_put(heap, shown, "custom_field", value_bool(rows_text(rows, 3).len > 0 || crm_map_bool(map, "custom", false)));
    shape_put(heap, shown, "display_field", value_bool(field == crm_fields_of(job->module)->name));
    shape_text(heap, shown, "type", VIEW("used"));
    shape_text(heap, shown, "created_source", VIEW("default"));
    shape_put(heap, shown, "display_type", value_number(-1));
    shape_put(heap, shown, "ui_type", value_number(1));
    shape_put(heap, shown, "profiles", value_list(heap, 0));
    shape_put(heap, shown, "lookup", make_lookup(job->session, field, label));
    shape_put(heap, shown, "pick_list_values", make_pick_list(heap, map, rows_int(rows, 0)));
    put_rights(heap, shown, field);
    SHAPE_ALL(heap, shown, FIELD_ON, value_bool(true));
    SHAPE_ALL(heap, shown, FIELD_OFF, value_bool(false));
    SHAPE_ALL(heap, shown, FIELD_NULL, value_null());
    for (size_t i = 0; i < BASE_COUNT(FIELD_EMPTY); i++) {
        shape_put(heap, shown, FIELD_EMPTY[i], value_map(heap, 0)); // one each: maps are references
    }
    put_own(heap, shown, map);
    return shown;
}

static bool read_fields(struct tx *tx, void *arg, struct fail *fail)
{
    struct settings_job *job = arg;
    struct store_param id = store_int(job->module->id);
    struct rows *rows;
    fail_clear(fail);
    job->list = value_list(job->session->heap, 64);
    if (job->list.type != VALUE_LIST) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!tx_query(tx, "SELECT id, api_name, definition, namespace FROM crm_field WHERE module_id = ? ORDER BY position", &id, 1, &rows,
                  fail)) {
        return false;
    }
    while (rows_next(rows, fail)) {
        struct value field = make_field(job, rows);
        if (!value_is_null(field)) {
            list_add(job->session->heap, job->list.list, field);
        }
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static bool fields_once(struct crm_session *session, struct view module_name, struct value *ret_list, struct fail *fail)
{
    struct settings_job job = {.session = session};
    struct crm_module *module = crm_module_resolve(session, module_name);
    if (!module) {
        return fail_set(fail, FAIL_INVALID_MODULE, NULL);
    }
    job.module = module;
    if (!crm_fields_load(session, module, fail) || !store_read(crm_env(session->crm), read_fields, &job, fail)) {
        return false;
    }
    *ret_list = job.list;
    return true;
}

bool crm_fields_list(struct crm_session *session, struct view module, struct value *ret_list, struct fail *fail)
{
    session->details = value_null();
    return fields_once(session, module, ret_list, fail) ||
           (crm_session_retry(session, fail) && fields_once(session, module, ret_list, fail));
}
