// SPDX-License-Identifier: Apache-2.0
// What a request says of a custom field, as the definition that crm_field keeps (custom_field.h; shapes and limits: Zoho's description of
// /settings/fields and its page on custom fields).
//
// What this program cannot keep is refused: formulas and roll-ups, whose values nobody would compute, multi-select look-ups, which need
// a linking module, encryption, external fields, global pick lists, and profiles that may not read or write the field.
#include "crm/custom_field.h"
#include "crm/seed.h"

enum { PICK_LIST_VALUES_MAX = 1000, PICK_LIST_UNITS_MAX = 120, DEFAULT_UNITS_MAX = 2000, TOOLTIP_UNITS_MAX = 255, DECIMAL_PLACES_MAX = 9 };

static const char *const NOT_BUILT_TYPES[] = {"formula", "rollup_summary", "multiselectlookup"};
static const char *const NOT_BUILT[] = {"external", "global_picklist", "history_tracking",  "private",
                                        "formula",  "rollup_summary",  "multiselectlookup", "convert_mapping"};

static bool is_type(const struct crm_field_job *job, const char *name)
{
    return strcmp(job->type->name, name) == 0;
}

static bool refuse_type(const struct crm_field_job *job, const char *key, const char *expected)
{
    crm_details_set(job->given.session, "expected_data_type", view_of(expected));
    return crm_given_refuse(&job->given, FAIL_INVALID_DATA, key, NULL);
}

// ---- members ------------------------------------------------------------------------------------

static bool refuse_unbuilt(const struct crm_field_job *job)
{
    const struct map *map = job->given.map;
    for (size_t i = 0; i < BASE_COUNT(NOT_BUILT); i++) {
        if (!value_is_null(shape_get(map, NOT_BUILT[i]))) {
            return crm_given_refuse(&job->given, FAIL_NOT_SUPPORTED, NOT_BUILT[i], NULL);
        }
    }
    struct value crypt = shape_get(map, "crypt");
    bool open = value_is_null(crypt) || (crypt.type == VALUE_BOOL && !crypt.boolean) ||
                view_eq(crm_map_view(value_as_map(crypt), "mode"), VIEW("decryption"));
    if (!open || crm_map_bool(map, "hipaa_compliance_enabled", false) || crm_map_bool(map, "_update_existing_records", false)) {
        return crm_given_refuse(&job->given, FAIL_NOT_SUPPORTED,
                                !open                                                  ? "crypt"
                                : crm_map_bool(map, "hipaa_compliance_enabled", false) ? "hipaa_compliance_enabled"
                                                                                       : "_update_existing_records",
                                NULL);
    }
    const struct list *profiles = value_as_list(shape_get(map, "profiles"));
    for (uint32_t i = 0; profiles && i < profiles->count; i++) {
        struct view permission = crm_map_view(value_as_map(profiles->items[i]), "permission_type");
        if (permission.len && !view_eq(permission, VIEW("read_write"))) {
            return crm_given_refuse(&job->given, FAIL_NOT_SUPPORTED, "profiles", "fields are open to all profiles");
        }
    }
    return true;
}

static bool read_type(struct crm_field_job *job)
{
    struct view name;
    if (!crm_given_name(&job->given, "data_type", CRM_FIELD_LABEL_UNITS_MAX, &name)) {
        return false;
    }
    job->type = crm_type_find(name);
    for (size_t i = 0; i < BASE_COUNT(NOT_BUILT_TYPES); i++) {
        if (view_eq(name, view_of(NOT_BUILT_TYPES[i]))) {
            return crm_given_refuse(&job->given, FAIL_NOT_SUPPORTED, "data_type", "fields of this type are not supported");
        }
    }
    return (job->type && job->type->custom) || crm_given_refuse(&job->given, FAIL_INVALID_DATA, "data_type", NULL);
}

// {"type":"small"|"large"|"rich_text"}
static bool read_textarea(const struct crm_field_job *job, int64_t *ret_length)
{
    static const struct {
        const char *type;
        int length;
    } sizes[] = {{"small", 2000}, {"large", 32000}, {"rich_text", 50000}};
    struct value value = shape_get(job->given.map, "textarea");
    if (value_is_null(value) || !is_type(job, "textarea")) {
        return true;
    }
    struct view type = crm_map_view(value_as_map(value), "type");
    for (size_t i = 0; i < BASE_COUNT(sizes); i++) {
        if (view_eq(type, view_of(sizes[i].type))) {
            *ret_length = sizes[i].length;
            shape_put(crm_field_heap(job), job->definition, "textarea", value);
            return true;
        }
    }
    return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "textarea", NULL);
}

// Within the type's own limit.
static bool read_length(const struct crm_field_job *job)
{
    struct value length = shape_get(job->given.map, "length");
    int64_t standard = job->type->length;
    if (!read_textarea(job, &standard)) {
        return false;
    }
    if (value_is_null(length)) {
        shape_put(crm_field_heap(job), job->definition, "length", value_number(standard));
        return true;
    }
    if (length.type != VALUE_NUMBER) {
        return refuse_type(job, "length", "integer");
    }
    if (length.number < 1 || length.number > standard) {
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "length", NULL);
    }
    shape_put(crm_field_heap(job), job->definition, "length", length);
    return true;
}

static bool read_decimals(const struct crm_field_job *job)
{
    struct value places = shape_get(job->given.map, "decimal_place");
    if (value_is_null(places) || job->type->kind != CRM_KIND_REAL) {
        return true;
    }
    if (places.type != VALUE_NUMBER) {
        return refuse_type(job, "decimal_place", "integer");
    }
    if (places.number < 0 || places.number > DECIMAL_PLACES_MAX) {
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "decimal_place", NULL);
    }
    shape_put(crm_field_heap(job), job->definition, "decimal_place", places);
    return true;
}

static bool may_be_unique(const struct crm_type *type)
{
    static const char *const types[] = {"text", "email", "phone", "website", "integer", "bigint", "double", "currency"};
    for (size_t i = 0; i < BASE_COUNT(types); i++) {
        if (strcmp(type->name, types[i]) == 0) {
            return true;
        }
    }
    return false;
}

// true, or {"case_sensitive":false}; "_disable" in it takes the mark away. Values differ by more than case.
static bool read_unique(struct crm_field_job *job)
{
    struct value value = shape_get(job->given.map, "unique");
    struct crm_given inner = {job->given.session, value_as_map(value), job->given.fail};
    if (value_is_null(value)) {
        return true;
    }
    if (!inner.map && value.type != VALUE_BOOL) {
        return refuse_type(job, "unique", "jsonobject");
    }
    job->unique = inner.map ? inner.map->count > 0 && !crm_given_has(&inner, "_disable") : value.boolean;
    if (job->unique && (!may_be_unique(job->type) || crm_map_bool(inner.map, "case_sensitive", false))) {
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "unique", NULL);
    }
    shape_put(crm_field_heap(job), job->definition, "unique", value_bool(job->unique));
    return true;
}

static bool read_tooltip(const struct crm_field_job *job)
{
    struct value value = shape_get(job->given.map, "tooltip");
    struct crm_given inner = {job->given.session, value_as_map(value), job->given.fail};
    struct view name, text;
    if (value_is_null(value)) {
        return true;
    }
    if (!inner.map) {
        return refuse_type(job, "tooltip", "jsonobject");
    }
    if (!crm_given_name(&inner, "name", TOOLTIP_UNITS_MAX, &name) || !crm_given_name(&inner, "value", TOOLTIP_UNITS_MAX, &text)) {
        return false;
    }
    if (!view_eq(name, VIEW("static_text")) && !view_eq(name, VIEW("info_icon"))) {
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "tooltip", NULL);
    }
    struct value shown = value_map(crm_field_heap(job), 2);
    shape_text(crm_field_heap(job), shown, "name", name);
    shape_text(crm_field_heap(job), shown, "value", text);
    shape_put(crm_field_heap(job), job->definition, "tooltip", shown);
    return true;
}

static bool read_currency(const struct crm_field_job *job)
{
    static const char *const roundings[] = {"normal", "round_off", "round_up", "round_down"};
    struct value value = shape_get(job->given.map, "currency");
    const struct map *map = value_as_map(value);
    struct view rounding = crm_map_view(map, "rounding_option");
    bool known = !rounding.len;
    for (size_t i = 0; i < BASE_COUNT(roundings); i++) {
        known = known || view_eq(rounding, view_of(roundings[i]));
    }
    if (value_is_null(value) || !is_type(job, "currency")) {
        return true;
    }
    if (!map || !known) {
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "currency", NULL);
    }
    struct value shown = value_map(crm_field_heap(job), 2);
    shape_put(crm_field_heap(job), shown, "rounding_option",
              value_text(crm_field_heap(job), known && rounding.len ? rounding : VIEW("normal")));
    shape_put(crm_field_heap(job), shown, "precision", shape_get(map, "precision"));
    shape_put(crm_field_heap(job), job->definition, "currency", shown);
    return true;
}

// Shown, not filled in: a request that leaves the field out leaves it empty.
static bool read_default(const struct crm_field_job *job)
{
    struct view text;
    if (!crm_given_text(&job->given, "default_value", DEFAULT_UNITS_MAX, &text)) {
        return false;
    }
    if (text.len) {
        shape_text(crm_field_heap(job), job->definition, "default_value", text);
    }
    return true;
}

// ---- pick lists ---------------------------------------------------------------------------------

static bool refuse_entry(const struct crm_field_job *job, uint32_t index, const char *key, enum fail_code code)
{
    crm_details_set(job->given.session, "api_name", view_of(key));
    shape_put(crm_field_heap(job), job->given.session->details, "json_path",
              value_text_printf(crm_field_heap(job), ".pick_list_values[%u].%s", index, key));
    return fail_set(job->given.fail, code, NULL);
}

static bool is_pick_list(const struct crm_field_job *job)
{
    return is_type(job, "picklist") || is_type(job, "multiselectpicklist");
}

static bool fits_pick_list(struct value text)
{
    return text.type == VALUE_TEXT && text.len > 0 && value_text_units(text) <= PICK_LIST_UNITS_MAX;
}

// Where a value stands among {"display_value","actual_value"} entries, by `key`; -1.
static int64_t find_entry(const struct list *entries, const char *key, struct value text)
{
    for (uint32_t i = 0; i < entries->count; i++) {
        if (value_equal(shape_get(value_as_map(entries->items[i]), key), text)) {
            return i;
        }
    }
    return -1;
}

static struct value make_entry(struct heap *heap, struct value display, struct value actual)
{
    struct value entry = value_map(heap, 2);
    shape_put(heap, entry, "display_value", display);
    shape_put(heap, entry, "actual_value", actual);
    return entry;
}

// The entry that a patch means: by its id, or by its actual value; -1 is a new one.
static bool aim_entry(const struct crm_field_job *job, const struct list *entries, const struct map *given, uint32_t index, int64_t *ret_at)
{
    struct value id = shape_get(given, "id"), actual = shape_get(given, "actual_value");
    int64_t number;
    if (value_is_null(id)) {
        *ret_at = find_entry(entries, "actual_value", actual);
        return true;
    }
    if (!crm_id_read(id, &number) || (number - job->id) % SHAPE_ID_STEP != 0 || number <= job->id ||
        (number - job->id) / SHAPE_ID_STEP > (int64_t)entries->count) {
        return refuse_entry(job, index, "id", FAIL_INVALID_DATA);
    }
    *ret_at = (number - job->id) / SHAPE_ID_STEP - 1;
    return true;
}

static bool take_entry(const struct crm_field_job *job, const struct list *before, struct list *entries, struct value value, uint32_t index)
{
    const struct map *given = value_as_map(value);
    struct crm_given inner = {job->given.session, given, job->given.fail};
    struct value display = shape_get(given, "display_value"), actual = shape_get(given, "actual_value");
    int64_t at = -1;
    if (!given) {
        return refuse_type(job, "pick_list_values", "jsonobject");
    }
    if (!aim_entry(job, before, given, index, &at)) {
        return false;
    }
    struct map *entry = at >= 0 ? value_as_map(entries->items[at]) : NULL;
    if (entry && crm_given_has(&inner, "_delete")) {
        map_clear(entry); // left out at the end
        return true;
    }
    display = value_is_null(display) && entry ? shape_get(entry, "display_value") : display;
    actual = !value_is_null(actual) ? actual : entry ? shape_get(entry, "actual_value") : display;
    if (!fits_pick_list(display) || !fits_pick_list(actual)) {
        const char *key = fits_pick_list(display) ? "actual_value" : "display_value";
        bool missing = value_is_null(shape_get(given, key)) && !entry;
        return refuse_entry(job, index, key, missing ? FAIL_MANDATORY_NOT_FOUND : FAIL_INVALID_DATA);
    }
    int64_t same = find_entry(entries, "display_value", display), other = find_entry(entries, "actual_value", actual);
    if ((same >= 0 && same != at) || (other >= 0 && other != at)) {
        return refuse_entry(job, index, same >= 0 && same != at ? "display_value" : "actual_value", FAIL_DUPLICATE_DATA);
    }
    struct value made = make_entry(crm_field_heap(job), display, actual);
    if (entry) {
        entries->items[at] = made;
        return true;
    }
    return list_add(crm_field_heap(job), entries, made) || fail_set(job->given.fail, FAIL_MEMORY, NULL);
}

// The entries of a definition, as requests write them.
static struct value entries_of(const struct crm_field_job *job, const struct map *definition)
{
    const struct list *values = value_as_list(shape_get(definition, "pick_list_values"));
    const struct map *display = value_as_map(shape_get(definition, "pick_list_display"));
    struct value entries = value_list(crm_field_heap(job), values ? values->count : 4);
    for (uint32_t i = 0; values && i < values->count; i++) {
        struct value shown = display ? map_get(display, values->items[i], NULL) : value_null();
        shape_add(crm_field_heap(job), entries,
                  make_entry(crm_field_heap(job), value_is_null(shown) ? values->items[i] : shown, values->items[i]));
    }
    return entries;
}

// Those that are given come to those that are there.
static bool read_pick_list(const struct crm_field_job *job, const struct map *definition)
{
    struct value given = shape_get(job->given.map, "pick_list_values"), entries = entries_of(job, definition);
    struct value before = entries_of(job, definition), kept = value_list(crm_field_heap(job), 4);
    const struct list *list = value_as_list(given);
    if (entries.type != VALUE_LIST || before.type != VALUE_LIST || kept.type != VALUE_LIST) {
        return fail_set(job->given.fail, FAIL_MEMORY, NULL);
    }
    if (!value_is_null(given) && !list) {
        return refuse_type(job, "pick_list_values", "jsonarray");
    }
    if (list && list->count + entries.list->count > PICK_LIST_VALUES_MAX) {
        return crm_given_refuse(&job->given, FAIL_LIMIT_EXCEEDED, "pick_list_values", "a pick list has at most 1000 values");
    }
    for (uint32_t i = 0; list && i < list->count; i++) {
        if (!take_entry(job, before.list, entries.list, list->items[i], i)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < entries.list->count; i++) {
        if (value_as_map(entries.list->items[i])->count > 0) {
            shape_add(crm_field_heap(job), kept, entries.list->items[i]);
        }
    }
    if (kept.list->count == 0) {
        return crm_given_refuse(&job->given, FAIL_MANDATORY_NOT_FOUND, "pick_list_values", NULL);
    }
    crm_pick_list_define(crm_field_heap(job), job->definition, kept);
    return true;
}

// ---- look-ups and numbers -----------------------------------------------------------------------

// {"module":{"api_name":"Leads"}}, as fields are shown, or {"module":"Leads"}.
static bool read_lookup(struct crm_field_job *job)
{
    const struct map *lookup = value_as_map(shape_get(job->given.map, "lookup"));
    struct value module = shape_get(lookup, "module");
    struct view name = value_as_map(module) ? crm_map_view(value_as_map(module), "api_name") : value_view_or(module, VIEW(""));
    if (!lookup || !name.len) {
        return crm_given_refuse(&job->given, FAIL_MANDATORY_NOT_FOUND, lookup ? "module" : "lookup", NULL);
    }
    if (!value_is_null(shape_get(lookup, "query_details")) || !value_is_null(shape_get(lookup, "sharing_properties"))) {
        return crm_given_refuse(&job->given, FAIL_NOT_SUPPORTED, "lookup", "filters and sharing of look-ups are not supported");
    }
    const struct crm_module *target = crm_module_resolve(job->given.session, name);
    if (!target || target->subform) {
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "module", "the module name given seems to be invalid");
    }
    struct value map = value_map(crm_field_heap(job), 1);
    shape_text(crm_field_heap(job), map, "module", target->api_name);
    shape_put(crm_field_heap(job), job->definition, "lookup", map);
    return true;
}

static bool read_number(struct crm_field_job *job)
{
    if (!crm_given_number(&job->given, "auto_number", &job->number, &job->first)) {
        return false;
    }
    if (value_is_null(job->number)) {
        return crm_given_refuse(&job->given, FAIL_MANDATORY_NOT_FOUND, "auto_number", NULL);
    }
    shape_put(crm_field_heap(job), job->definition, "auto_number", job->number);
    shape_put(crm_field_heap(job), job->definition, "read_only", value_bool(true));
    return true;
}

static bool read_names(struct crm_field_job *job)
{
    if (!crm_given_name(&job->given, "field_label", CRM_FIELD_LABEL_UNITS_MAX, &job->label) ||
        !crm_given_text(&job->given, "api_name", CRM_FIELD_NAME_BYTES_MAX, &job->api_name)) {
        return false;
    }
    bool valid = !job->api_name.len || (crm_name_valid(job->api_name) && view_find(job->api_name, VIEW("__")) < 0 &&
                                        !view_ends(job->api_name, VIEW("_")) && !view_eq_nocase(job->api_name, VIEW("rowid")));
    return valid || crm_given_refuse(&job->given, FAIL_INVALID_DATA, "api_name", NULL);
}

bool crm_field_define(struct crm_field_job *job)
{
    struct heap *heap = crm_field_heap(job);
    job->definition = value_map(heap, 16);
    job->number = value_null();
    if (!read_names(job) || !read_type(job) || !refuse_unbuilt(job)) {
        return false;
    }
    shape_text(heap, job->definition, "field_label", job->label);
    shape_text(heap, job->definition, "data_type", view_of(job->type->name));
    shape_text(heap, job->definition, "json_type", view_of(job->type->json_type));
    shape_put(heap, job->definition, "system_mandatory", value_bool(false));
    shape_put(heap, job->definition, "read_only", value_bool(false));
    shape_put(heap, job->definition, "custom", value_bool(true));
    return read_length(job) && read_decimals(job) && read_unique(job) && read_tooltip(job) && read_currency(job) && read_default(job) &&
           (!is_pick_list(job) || read_pick_list(job, NULL)) && (!is_type(job, "lookup") || read_lookup(job)) &&
           (!is_type(job, "autonumber") || read_number(job));
}

// ---- changes ------------------------------------------------------------------------------------

static bool differs(const struct crm_field_job *job, const char *key, struct view have)
{
    struct value said = shape_get(job->given.map, key);
    return !value_is_null(said) && !view_eq(value_view_or(said, VIEW("")), have);
}

// What stays as it is; standard fields keep more than one's own.
static bool check_change(const struct crm_field_job *job)
{
    static const char *const kept[] = {"field_label", "length", "unique", "decimal_place", "currency"};
    const struct map *before = value_as_map(job->before);
    if (value_view_or(job->before_namespace, VIEW("")).len) {
        return crm_given_refuse(&job->given, FAIL_NOT_ALLOWED, "id", "a field of an extension cannot be changed here");
    }
    if (differs(job, "data_type", view_of(job->type->name)) || differs(job, "api_name", value_view_or(job->before_name, VIEW("")))) {
        bool type = differs(job, "data_type", view_of(job->type->name));
        return crm_given_refuse(&job->given, FAIL_NOT_ALLOWED, type ? "data_type" : "api_name", NULL);
    }
    for (size_t i = 0; !crm_field_own(job) && i < BASE_COUNT(kept); i++) {
        struct value said = shape_get(job->given.map, kept[i]);
        if (!value_is_null(said) && !value_equal(said, shape_get(before, kept[i]))) {
            return crm_given_refuse(&job->given, FAIL_NOT_ALLOWED, kept[i], "this cannot be changed of a system-defined field");
        }
    }
    static const char *const fixed[] = {"lookup", "auto_number", "textarea"};
    for (size_t i = 0; i < BASE_COUNT(fixed); i++) {
        struct value said = shape_get(job->given.map, fixed[i]);
        if (!value_is_null(said) && !value_equal(said, shape_get(before, fixed[i]))) {
            return crm_given_refuse(&job->given, FAIL_NOT_SUPPORTED, fixed[i], "this cannot be changed");
        }
    }
    return true;
}

static bool take_label(struct crm_field_job *job)
{
    job->label = VIEW_NONE;
    if (!crm_given_has(&job->given, "field_label") || !crm_field_own(job)) {
        return true;
    }
    if (!crm_given_name(&job->given, "field_label", CRM_FIELD_LABEL_UNITS_MAX, &job->label)) {
        return false;
    }
    shape_text(crm_field_heap(job), job->definition, "field_label", job->label);
    return true;
}

// The length that is given; a text area's stays.
static bool take_length(struct crm_field_job *job)
{
    struct value length = shape_get(job->given.map, "length");
    if (value_is_null(length) || !crm_field_own(job)) {
        return true;
    }
    if (is_type(job, "textarea")) {
        return value_equal(length, shape_get(value_as_map(job->before), "length")) ||
               crm_given_refuse(&job->given, FAIL_NOT_ALLOWED, "length", NULL);
    }
    return read_length(job);
}

bool crm_field_redefine(struct crm_field_job *job)
{
    struct heap *heap = crm_field_heap(job);
    const struct map *before = value_as_map(job->before);
    uint32_t cursor = 0;
    job->definition = value_map(heap, 16);
    job->number = value_null();
    job->unique = false;
    for (struct map_entry *entry; job->definition.type == VALUE_MAP && (entry = map_next(before, &cursor));) {
        map_put(heap, job->definition.map, entry->key, entry->value);
    }
    if (!refuse_unbuilt(job) || !check_change(job) || !take_label(job) || !take_length(job) || !read_tooltip(job) || !read_default(job)) {
        return false;
    }
    if (crm_field_own(job) && (!read_decimals(job) || !read_unique(job) || !read_currency(job))) {
        return false;
    }
    if (value_is_null(shape_get(job->given.map, "pick_list_values"))) {
        return true;
    }
    return is_pick_list(job) ? read_pick_list(job, before)
                             : crm_given_refuse(&job->given, FAIL_INVALID_DATA, "pick_list_values", "the field is no pick list");
}
