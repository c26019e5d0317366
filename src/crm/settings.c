// SPDX-License-Identifier: Apache-2.0
// Modules and fields as the settings resources of the REST API show them (spec/crm-api.md §2.10, §4.3). They are read from the data base,
// not from the cache: labels and pick lists are wanted here alone, and the cache stays small without them.
#include "crm/record.h"

struct settings_job {
    struct crm_session *session;
    const struct crm_module *module;
    struct value list;
};

static void put(struct heap *heap, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, view_of(key), value);
    }
}

static struct value definition_of(struct heap *heap, struct view json)
{
    struct value definition = value_null();
    struct fail ignored = {0};
    json_read(heap, json, &definition, &ignored);
    return definition;
}

static struct value copy_of(const struct map *definition, const char *key)
{
    return definition ? map_get_text(definition, view_of(key)) : value_null();
}

static void put_copies(struct heap *heap, struct value map, const struct map *definition, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put(heap, map, keys[i], copy_of(definition, keys[i]));
    }
}

// ---- modules --------------------------------------------------------------------------------------------------------------------------

// Flags are those of a module that this edition fully serves; sub-forms can be read and described, not opened.
static struct value make_module(struct crm_session *session, struct rows *rows)
{
    static const char *const LABELS[] = {"module_name", "singular_label", "plural_label"};
    static const char *const ON[] = {"api_supported", "creatable",   "editable", "deletable",
                                     "viewable",      "convertable", "visible",  "show_as_tab"};
    static const char *const OFF[] = {"global_search_supported", "presence_sub_menu",    "triggers_supported",
                                      "filter_supported",        "feeds_required",       "scoring_supported",
                                      "webform_supported",       "isBlueprintSupported", "email_template_support"};
    struct heap *heap = session->heap;
    struct value module = value_map(heap, 40), definition = definition_of(heap, rows_text(rows, 2));
    bool subform = view_eq(rows_text(rows, 3), VIEW("subform"));
    put(heap, module, "api_name", value_text(heap, rows_text(rows, 1)));
    put_copies(heap, module, value_as_map(definition), LABELS, BASE_COUNT(LABELS));
    put(heap, module, "id", crm_id_text(heap, rows_int(rows, 0)));
    put(heap, module, "generated_type", value_text(heap, rows_text(rows, 3)));
    for (size_t i = 0; i < BASE_COUNT(ON); i++) {
        put(heap, module, ON[i], value_bool(!subform || i == 0 || i == 4));
    }
    for (size_t i = 0; i < BASE_COUNT(OFF); i++) {
        put(heap, module, OFF[i], value_bool(false));
    }
    put(heap, module, "quick_create", value_bool(!subform));
    put(heap, module, "sequence_number", value_number(rows_int(rows, 5)));
    put(heap, module, "visibility", value_number(1));
    put(heap, module, "profiles", value_list(heap, 0));
    put(heap, module, "arguments", value_list(heap, 0));
    put(heap, module, "business_card_field_limit", value_number(5));
    put(heap, module, "web_link", value_null());
    put(heap, module, "description", value_null());
    put(heap, module, "modified_time", crm_time_text(session, rows_int(rows, 4)));
    put(heap, module, "modified_by", value_null());
    put(heap, module, "parent_module", subform ? copy_of(value_as_map(definition), "parent_module") : value_map(heap, 0));
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

// ---- fields ---------------------------------------------------------------------------------------------------------------------------

// Zoho shows pairs; the table keeps actual values, and display values only where they differ.
static struct value make_pick_list(struct heap *heap, const struct map *definition)
{
    struct list *values = value_as_list(copy_of(definition, "pick_list_values"));
    struct map *display = value_as_map(copy_of(definition, "pick_list_display"));
    struct value list = value_list(heap, values ? values->count : 0);
    for (uint32_t i = 0; list.type == VALUE_LIST && values && i < values->count; i++) {
        struct value pair = value_map(heap, 3), shown = display ? map_get(display, values->items[i], NULL) : value_null();
        put(heap, pair, "display_value", value_is_null(shown) ? values->items[i] : shown);
        put(heap, pair, "actual_value", values->items[i]);
        put(heap, pair, "sequence_number", value_number((int64_t)i + 1));
        list_add(heap, list.list, pair);
    }
    return list;
}

// {} for everything that is no look-up: clients test for the key.
static struct value make_lookup(struct heap *heap, const struct crm_field *field)
{
    struct value lookup = value_map(heap, 2);
    if (field->kind == CRM_KIND_LOOKUP && field->lookup.len) {
        struct value module = value_map(heap, 1);
        put(heap, module, "api_name", value_text(heap, field->lookup));
        put(heap, lookup, "module", module);
        put(heap, lookup, "api_name", value_text(heap, field->api_name));
    }
    return lookup;
}

// Null when the field came after this session was pinned: the next picture will show it.
static struct value make_field(struct settings_job *job, struct rows *rows)
{
    static const char *const COPIES[] = {"field_label", "decimal_place"};
    static const char *const NULLS[] = {"subform", "quick_sequence_number", "default_value", "created_source", "display_type"};
    struct heap *heap = job->session->heap;
    const struct crm_field *field = crm_field_find(job->session, job->module, rows_text(rows, 1));
    struct value definition = definition_of(heap, rows_text(rows, 2)), shown = value_map(heap, 32);
    struct map *map = value_as_map(definition);
    if (!field || !map) {
        return value_null();
    }
    bool custom = rows_text(rows, 3).len > 0, read_only = crm_map_bool(map, "read_only", false);
    struct view json_type = crm_map_view(map, "json_type");
    put(heap, shown, "id", crm_id_text(heap, rows_int(rows, 0)));
    put(heap, shown, "api_name", value_text(heap, field->api_name));
    put_copies(heap, shown, map, COPIES, BASE_COUNT(COPIES));
    put(heap, shown, "data_type", value_text(heap, view_of(field->type->name)));
    put(heap, shown, "json_type", value_text(heap, json_type.len ? json_type : view_of(field->type->json_type)));
    put(heap, shown, "length", value_number(field->length));
    put(heap, shown, "system_mandatory", value_bool(field->mandatory));
    put(heap, shown, "read_only", value_bool(read_only));
    put(heap, shown, "field_read_only", value_bool(read_only));
    put(heap, shown, "custom_field", value_bool(custom));
    put(heap, shown, "visible", value_bool(true));
    put(heap, shown, "searchable", value_bool(field->kind != CRM_KIND_JSON));
    put(heap, shown, "sortable", value_bool(field->kind != CRM_KIND_JSON));
    put(heap, shown, "filterable", value_bool(field->kind != CRM_KIND_JSON));
    put(heap, shown, "webhook", value_bool(true));
    put(heap, shown, "mass_update", value_bool(field->writable));
    put(heap, shown, "businesscard_supported", value_bool(true));
    put(heap, shown, "lookup", make_lookup(heap, field));
    put(heap, shown, "pick_list_values", make_pick_list(heap, map));
    struct value unique = value_map(heap, 1);
    if (field->unique) {
        put(heap, unique, "casesensitive", value_bool(false));
    }
    put(heap, shown, "unique", unique);
    put(heap, shown, "formula", value_map(heap, 0));
    put(heap, shown, "currency", value_map(heap, 0));
    put(heap, shown, "auto_number", value_map(heap, 0));
    put(heap, shown, "multiselectlookup", value_map(heap, 0));
    for (size_t i = 0; i < BASE_COUNT(NULLS); i++) {
        put(heap, shown, NULLS[i], value_null());
    }
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
        if (!value_is_null(field)) { // one that came after this session was pinned
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
