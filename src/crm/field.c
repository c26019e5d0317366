// SPDX-License-Identifier: Apache-2.0
// Field definitions: Zoho's data types, what each becomes in a table, and how a definition (a JSON map, from the standard table or from an
// extension) turns into a struct crm_field. The type table is the one place that knows that a `percent` is a REAL column and that a bad one
// is reported as "double".
#include "crm/meta.h"

// Lengths and the list of types that extensions may make: spec/crm-api.md §2.8. The words of expected_data_type: text, email, integer,
// double, boolean, date, datetime, jsonarray, jsonobject and bigint are LIKELY (§2.5, §2.8); that picklist is called text, phone phone and
// website website is a GUESS.
enum { RICH_TEXT_UNITS = 50000 }; // what tells a rich text from a large one (spec/crm-api.md §2.8)

static const struct crm_type TYPES[] = {
    {"text", CRM_KIND_TEXT, 255, "string", "text", true},
    {"textarea", CRM_KIND_TEXT, 2000, "string", "text", true},
    {"email", CRM_KIND_TEXT, 100, "string", "email", true},
    {"phone", CRM_KIND_TEXT, 30, "string", "phone", true},
    {"website", CRM_KIND_TEXT, 450, "string", "website", true},
    {"picklist", CRM_KIND_TEXT, 120, "string", "text", true},
    {"autonumber", CRM_KIND_TEXT, 120, "string", "text", true},
    {"fileupload", CRM_KIND_JSON, 1000, "jsonarray", "jsonarray", true},
    {"imageupload", CRM_KIND_JSON, 1000, "jsonarray", "jsonarray", true},
    {"multiselectpicklist", CRM_KIND_LIST, 1000, "jsonarray", "jsonarray", true},
    {"date", CRM_KIND_DATE, 20, "string", "date", true},
    {"datetime", CRM_KIND_DATETIME, 120, "string", "datetime", true},
    {"integer", CRM_KIND_INTEGER, 9, "integer", "integer", true},
    {"bigint", CRM_KIND_BIGINT, 18, "string", "bigint", true},
    {"double", CRM_KIND_REAL, 16, "double", "double", true},
    {"currency", CRM_KIND_REAL, 16, "double", "double", true},
    {"percent", CRM_KIND_REAL, 5, "double", "double", true},
    {"boolean", CRM_KIND_BOOLEAN, 5, "boolean", "boolean", true},
    {"lookup", CRM_KIND_LOOKUP, 120, "jsonobject", "jsonobject", true},
    {"userlookup", CRM_KIND_USER, 120, "jsonobject", "jsonobject", true},
    {"multiselectlookup", CRM_KIND_JSON, 120, "jsonarray", "jsonarray", true},
    {"multiuserlookup", CRM_KIND_JSON, 120, "jsonarray", "jsonarray", true},
    {"formula", CRM_KIND_REAL, 16, "double", "double", true},
    {"rollup_summary", CRM_KIND_REAL, 16, "double", "double", true},
    {"address", CRM_KIND_JSON, 2000, "jsonobject", "jsonobject", true},
    {"ownerlookup", CRM_KIND_USER, 120, "jsonobject", "jsonobject", false},
    {"profileimage", CRM_KIND_TEXT, 255, "string", "text", false},
    {"subform", CRM_KIND_JSON, 120, "jsonarray", "jsonarray", false},
    {"consent_lookup", CRM_KIND_JSON, 120, "jsonobject", "jsonobject", false},
    {"territories", CRM_KIND_JSON, 120, "jsonarray", "jsonarray", false},
    {"layout", CRM_KIND_JSON, 50, "jsonobject", "jsonobject", false},
    {"multireminder", CRM_KIND_JSON, 120, "jsonarray", "jsonarray", false},
    {"event_reminder", CRM_KIND_JSON, 120, "jsonobject", "jsonobject", false},
    {"ALARM", CRM_KIND_JSON, 120, "jsonobject", "jsonobject", false},
    {"RRULE", CRM_KIND_JSON, 120, "jsonobject", "jsonobject", false},
    {"module", CRM_KIND_TEXT, 120, "string", "text", false},
    {"linetax", CRM_KIND_JSON, 120, "jsonarray", "jsonarray", false},
    {"time_range", CRM_KIND_JSON, 120, "jsonarray", "jsonarray", false},
    {"multi_module_lookup", CRM_KIND_JSON, 120, "jsonobject", "jsonobject", false},
};

const struct crm_type *crm_type_find(struct view name)
{
    for (size_t i = 0; i < BASE_COUNT(TYPES); i++) {
        if (view_eq(name, view_of(TYPES[i].name))) {
            return &TYPES[i];
        }
    }
    return NULL;
}

const struct crm_type *crm_type_at(size_t index)
{
    return index < BASE_COUNT(TYPES) ? &TYPES[index] : NULL;
}

const char *crm_kind_column(enum crm_kind kind)
{
    switch (kind) {
    case CRM_KIND_INTEGER:
    case CRM_KIND_BIGINT:
    case CRM_KIND_BOOLEAN:
    case CRM_KIND_DATETIME:
    case CRM_KIND_LOOKUP:
    case CRM_KIND_USER:
        return "INTEGER";
    case CRM_KIND_REAL:
        return "REAL";
    default:
        return "TEXT";
    }
}

// API names are SQL names and keys of JSON: letters, digits and _ leave nothing to escape.
bool crm_name_valid(struct view name)
{
    if (name.len == 0 || name.len > CRM_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (i == 0 || ((c < '0' || c > '9') && c != '_'))) {
            return false;
        }
    }
    return true;
}

struct view crm_name_quote(struct arena *arena, struct view name, struct fail *fail)
{
    struct buffer quoted;
    buffer_init(&quoted, 512);
    struct view copy = VIEW_NONE;
    if (store_quote(&quoted, name, fail)) {
        copy = arena_copy(arena, buffer_view(&quoted));
        if (!copy.data) {
            fail_set(fail, FAIL_MEMORY, NULL);
        }
    }
    buffer_free(&quoted);
    return copy;
}

struct view crm_map_view(const struct map *map, const char *key)
{
    return value_view_or(map ? map_get_text(map, view_of(key)) : value_null(), VIEW_NONE);
}

int64_t crm_map_int(const struct map *map, const char *key, int64_t otherwise)
{
    struct value v = map ? map_get_text(map, view_of(key)) : value_null();
    return v.type == VALUE_NUMBER ? v.number : otherwise;
}

bool crm_map_bool(const struct map *map, const char *key, bool otherwise)
{
    struct value v = map ? map_get_text(map, view_of(key)) : value_null();
    return v.type == VALUE_BOOL ? v.boolean : otherwise;
}

// The table's `api_write` says whether a sent value is stored. `read_only` is what the metadata shows: Zoho shows Owner as read-only and
// still takes it, every other read-only field is ignored.
static bool is_writable(const struct crm_field *field, const struct map *definition)
{
    if (view_eq(field->api_name, VIEW("id")) || !crm_map_bool(definition, "api_write", true)) {
        return false;
    }
    struct view type = view_of(field->type->name);
    if (view_eq(type, VIEW("formula")) || view_eq(type, VIEW("rollup_summary")) || view_eq(type, VIEW("autonumber"))) {
        return false;
    }
    return !crm_map_bool(definition, "read_only", false) || view_eq(field->api_name, VIEW("Owner"));
}

// The one reader of definitions: of the embedded table, of crm_field's rows, and of what an installation is about to store.
bool crm_field_read(struct arena *arena, struct view api_name, const struct map *definition, struct crm_field *ret_field, struct fail *fail)
{
    struct view type_name = crm_map_view(definition, "data_type");
    const struct crm_type *type = crm_type_find(type_name);
    if (!type) {
        return fail_set(fail, FAIL_INVALID_DATA, "field %.*s: data type '%.*s' is not known", VIEW_ARGS(api_name), VIEW_ARGS(type_name));
    }
    struct crm_field field = {.api_name = arena_copy(arena, api_name), .type = type, .kind = type->kind};
    field.quoted = crm_name_quote(arena, api_name, fail);
    if (!field.quoted.data) {
        return false;
    }
    struct view json_type = crm_map_view(definition, "json_type");
    bool json = view_eq(json_type, VIEW("jsonarray")) || view_eq(json_type, VIEW("jsonobject"));
    if (json && (field.kind == CRM_KIND_TEXT || field.kind == CRM_KIND_BIGINT)) {
        field.kind = CRM_KIND_JSON; // Tag is a text by type and a list by content
    }
    field.array = view_eq(json_type.len ? json_type : view_of(type->json_type), VIEW("jsonarray"));
    int64_t length = crm_map_int(definition, "length", type->length);
    field.length = length > 0 && length <= 1000000 ? (int)length : type->length;
    field.mandatory = crm_map_bool(definition, "system_mandatory", false);
    field.unique = crm_map_bool(definition, "unique", false) && !view_eq(api_name, VIEW("id"));
    field.writable = is_writable(&field, definition);
    field.single = view_eq(type_name, VIEW("subform")) || view_starts(type_name, VIEW("multiselectlookup")) ||
                   view_starts(type_name, VIEW("multiuserlookup"));
    field.files = view_eq(type_name, VIEW("profileimage"))                                            ? CRM_FILES_ONE
                  : view_eq(type_name, VIEW("fileupload")) || view_eq(type_name, VIEW("imageupload")) ? CRM_FILES_LIST
                                                                                                      : CRM_FILES_NONE;
    const struct map *counted = view_eq(type_name, VIEW("autonumber")) ? value_as_map(map_get_text(definition, VIEW("auto_number"))) : NULL;
    if (counted) {
        field.counted = true;
        field.prefix = arena_copy(arena, crm_map_view(counted, "prefix"));
        field.suffix = arena_copy(arena, crm_map_view(counted, "suffix"));
    }
    field.tags = field.array && view_eq(api_name, VIEW("Tag"));
    field.available = view_eq(api_name, VIEW("Record_Status__s"));
    field.rich = view_eq(type_name, VIEW("textarea")) && field.length == RICH_TEXT_UNITS;
    if (view_eq(type_name, VIEW("subform"))) {
        field.subform = arena_copy(arena, crm_map_view(definition, "subform"));
    }
    struct map *lookup = value_as_map(map_get_text(definition, VIEW("lookup")));
    if (lookup) {
        field.lookup = arena_copy(arena, crm_map_view(lookup, "module"));
        field.se_module = field.kind == CRM_KIND_LOOKUP && view_eq(field.lookup, VIEW("se_module"));
    }
    if (!field.api_name.data) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    *ret_field = field;
    return true;
}
