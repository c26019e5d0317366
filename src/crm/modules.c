// SPDX-License-Identifier: Apache-2.0
// Modules and fields of extensions: checking the module files of a package, and bringing an environment up to them. Names get the
// extension's namespace; a file named like a standard module adds fields to that one. Installing is additive: a field that a newer version
// no longer has keeps its column, because records may hold values in it; a field never changes its kind of column.
//
// Order matters in one place: look-ups may point at modules of the same package, so all modules are made before any field is.
#include "crm/record.h"
#include "crm/seed.h"

enum {
    MODULES_PER_PACKAGE_MAX = 200,
    PICK_LIST_VALUES_MAX = 1000,
    PICK_LIST_UNITS_MAX = 120,
    LABEL_UNITS_MAX = 100,
    TEXT_LENGTH_MAX = 50000,
    SYSTEM_FIELDS_MAX = 20,
    PACKAGE_ARENA_BYTES_MAX = 32 << 20
};

// Every custom module has these beside its name field (spec/crm-api.md §2.6). Written like the rows of standard_modules.json.
static const char SYSTEM_FIELDS[] =
    "[{\"api_name\":\"id\",\"field_label\":\"Record "
    "Id\",\"data_type\":\"bigint\",\"length\":18,\"read_only\":true,\"api_write\":false,\"unique\":true},"
    "{\"api_name\":\"Owner\",\"field_label\":\"Owner\",\"data_type\":\"ownerlookup\",\"read_only\":true},"
    "{\"api_name\":\"Email\",\"field_label\":\"Email\",\"data_type\":\"email\"},"
    "{\"api_name\":\"Secondary_Email\",\"field_label\":\"Secondary Email\",\"data_type\":\"email\"},"
    "{\"api_name\":\"Email_Opt_Out\",\"field_label\":\"Email Opt Out\",\"data_type\":\"boolean\"},"
    "{\"api_name\":\"Created_By\",\"field_label\":\"Created By\",\"data_type\":\"ownerlookup\",\"api_write\":false},"
    "{\"api_name\":\"Modified_By\",\"field_label\":\"Modified By\",\"data_type\":\"ownerlookup\",\"api_write\":false},"
    "{\"api_name\":\"Created_Time\",\"field_label\":\"Created Time\",\"data_type\":\"datetime\",\"api_write\":false},"
    "{\"api_name\":\"Modified_Time\",\"field_label\":\"Modified Time\",\"data_type\":\"datetime\",\"api_write\":false},"
    "{\"api_name\":\"Last_Activity_Time\",\"field_label\":\"Last Activity "
    "Time\",\"data_type\":\"datetime\",\"read_only\":true,\"api_write\":false},"
    "{\"api_name\":\"Currency\",\"field_label\":\"Currency\",\"data_type\":\"picklist\"},"
    "{\"api_name\":\"Exchange_Rate\",\"field_label\":\"Exchange Rate\",\"data_type\":\"double\",\"decimal_place\":9},"
    "{\"api_name\":\"Tag\",\"field_label\":\"Tag\",\"data_type\":\"text\",\"json_type\":\"jsonarray\",\"length\":2000},"
    "{\"api_name\":\"Record_Image\",\"field_label\":\"Record Image\",\"data_type\":\"profileimage\"},"
    "{\"api_name\":\"Locked__s\",\"field_label\":\"Locked\",\"data_type\":\"boolean\",\"read_only\":true,\"api_write\":false},"
    "{\"api_name\":\"Record_Status__s\",\"field_label\":\"Record "
    "Status\",\"data_type\":\"picklist\",\"read_only\":true,\"api_write\":false,"
    "\"pick_list_values\":[\"Available\",\"Draft\",\"Trash\"]}]";

// ---- checking -----------------------------------------------------------------------------------

struct check {
    struct view namespace, module; // module: the file that is being checked
    const struct list *modules;
    const struct map *standard; // the embedded table
    struct fail *fail;
};

// Every refusal names the file's module and the field. Names are cut: they are what is wrong, as often as not.
static bool wrong(const struct check *check, struct view field, const char *what)
{
    if (field.len == 0) {
        return fail_set(check->fail, FAIL_INVALID_DATA, "module %.*s: %s", (int)utf8_clamp(check->module, CRM_NAME_MAX), check->module.data,
                        what);
    }
    return fail_set(check->fail, FAIL_INVALID_DATA, "module %.*s, field %.*s: %s", (int)utf8_clamp(check->module, CRM_NAME_MAX),
                    check->module.data, (int)utf8_clamp(field, CRM_NAME_MAX), field.data, what);
}

static bool has_module(const struct list *modules, struct view name)
{
    for (uint32_t i = 0; modules && i < modules->count; i++) {
        const struct map *module = value_as_map(modules->items[i]);
        if (module && view_eq_nocase(crm_map_view(module, "api_name"), name)) {
            return true;
        }
    }
    return false;
}

// "ns__Name" and "ns.Name" → "Name", when the prefix is this namespace.
static struct view without_prefix(struct view name, struct view namespace)
{
    struct view rest = view_from(name, namespace.len);
    if (namespace.len == 0 || !view_starts_nocase(name, namespace)) {
        return name;
    }
    return view_starts(rest, VIEW("__")) ? view_from(rest, 2) : view_starts(rest, VIEW(".")) ? view_from(rest, 1) : name;
}

// A name that gets the prefix: no "__" of its own, and short enough with it.
static bool name_fits(struct view name, struct view namespace)
{
    return crm_name_valid(name) && view_find(name, VIEW("__")) < 0 && name.len + namespace.len + 2 <= CRM_NAME_MAX;
}

static bool is_standard(const struct check *check, struct view name)
{
    return has_module(value_as_list(map_get_text(check->standard, VIEW("modules"))), name);
}

static bool check_pick_list(const struct check *check, struct view field, struct value values)
{
    const struct list *list = value_as_list(values);
    if (!list || list->count == 0 || list->count > PICK_LIST_VALUES_MAX) {
        return wrong(check, field, "pick_list_values is a list of 1 to 1000 texts");
    }
    for (uint32_t i = 0; i < list->count; i++) {
        struct map *pair = value_as_map(list->items[i]);
        struct value text = pair ? map_get_text(pair, VIEW("actual_value")) : list->items[i];
        if (text.type != VALUE_TEXT || text.len == 0 || value_text_units(text) > PICK_LIST_UNITS_MAX) {
            return wrong(check, field, "a value of pick_list_values is a text of 1 to 120 characters");
        }
    }
    return true;
}

static bool check_lookup(const struct check *check, struct view field, struct value lookup)
{
    const struct map *map = value_as_map(lookup);
    struct view target = map ? crm_map_view(map, "module") : VIEW_NONE;
    if (!crm_name_valid(target)) {
        return wrong(check, field, "a look-up names its module: \"lookup\":{\"module\":\"Leads\"}");
    }
    bool foreign = view_find(target, VIEW("__")) > 0 && !view_starts_nocase(target, check->namespace);
    if (!foreign && !has_module(check->modules, without_prefix(target, check->namespace)) && !is_standard(check, target)) {
        return wrong(check, field, "the module of the look-up does not exist");
    }
    return true; // another extension's module is asked for when installing
}

static bool check_length(const struct check *check, struct view field, const struct crm_type *type, struct value length)
{
    if (value_is_null(length)) {
        return true;
    }
    int64_t most = view_eq(view_of(type->name), VIEW("textarea")) ? TEXT_LENGTH_MAX : type->length;
    if (length.type != VALUE_NUMBER || length.number < 1 || length.number > most) {
        char text[80];
        snprintf(text, sizeof text, "length is a number from 1 to %lld", (long long)most);
        return wrong(check, field, text);
    }
    return true;
}

static bool check_label(const struct check *check, struct view field, const struct map *map, const char *key)
{
    struct value label = map_get_text(map, view_of(key));
    if (!value_is_null(label) && (label.type != VALUE_TEXT || label.len == 0 || value_text_units(label) > LABEL_UNITS_MAX)) {
        return wrong(check, field, "a label is a text of 1 to 100 characters");
    }
    return true;
}

// Says which types there are.
static bool check_type(const struct check *check, struct view field, struct view name, const struct crm_type *type)
{
    struct buffer text;
    if (type && type->custom) {
        return true;
    }
    buffer_init(&text, FAIL_TEXT_MAX);
    buffer_printf(&text, "data_type is %s; there are ", name.len ? "none that an extension can make" : "missing");
    const char *between = "";
    for (size_t i = 0; (type = crm_type_at(i)) != NULL; i++) {
        if (type->custom) {
            buffer_printf(&text, "%s%s", between, type->name);
            between = ", ";
        }
    }
    wrong(check, field, buffer_text(&text));
    buffer_free(&text);
    return false;
}

// A field of a module file, alone and against the names before it.
static bool check_field(const struct check *check, struct value value, struct table *names)
{
    const struct map *field = value_as_map(value);
    if (!field) {
        return wrong(check, VIEW_NONE, "a field is a map");
    }
    struct view name = crm_map_view(field, "api_name");
    if (!name_fits(name, check->namespace)) {
        return wrong(check, name.len ? name : VIEW("?"), "api_name holds letters, digits and single _, begins with a letter, and is short");
    }
    if (table_get(names, name)) {
        return wrong(check, name, "two fields have this name");
    }
    table_put(names, name, (void *)field);
    struct view type_name = crm_map_view(field, "data_type");
    const struct crm_type *type = crm_type_find(type_name);
    if (!check_type(check, name, type_name, type)) {
        return false;
    }
    bool pick_list = view_eq(type_name, VIEW("picklist")) || view_eq(type_name, VIEW("multiselectpicklist"));
    return (!pick_list || check_pick_list(check, name, map_get_text(field, VIEW("pick_list_values")))) &&
           (!view_eq(type_name, VIEW("lookup")) || check_lookup(check, name, map_get_text(field, VIEW("lookup")))) &&
           check_length(check, name, type, map_get_text(field, VIEW("length"))) && check_label(check, name, field, "field_label");
}

// A module without name_field has one called Name.
static struct view name_field_of(const struct map *module)
{
    const struct map *field = value_as_map(map_get_text(module, VIEW("name_field")));
    struct view name = field ? crm_map_view(field, "api_name") : VIEW_NONE;
    return name.len ? name : VIEW("Name");
}

static bool check_fields(const struct check *check, const struct map *module, bool standard)
{
    struct value value = map_get_text(module, VIEW("fields"));
    const struct list *fields = value_as_list(value);
    struct table names;
    if (!value_is_null(value) && !fields) {
        return wrong(check, VIEW_NONE, "fields is a list");
    }
    if (fields && fields->count > CRM_FIELDS_MAX - SYSTEM_FIELDS_MAX) {
        return wrong(check, VIEW_NONE, "there are more fields than a module can have");
    }
    table_init(&names, CRM_FIELDS_MAX, true);
    struct view name_field = name_field_of(module);
    bool done = standard || name_fits(name_field, check->namespace) || wrong(check, name_field, "the name field's api_name is not valid");
    if (!standard) {
        table_put(&names, name_field, (void *)module);
    }
    for (uint32_t i = 0; done && fields && i < fields->count; i++) {
        done = check_field(check, fields->items[i], &names);
    }
    table_free(&names);
    return done;
}

static bool check_module(struct check *check, uint32_t index)
{
    const struct map *module = value_as_map(check->modules->items[index]);
    if (!module) {
        return fail_set(check->fail, FAIL_INVALID_DATA, "a module file is a map");
    }
    check->module = crm_map_view(module, "api_name");
    bool standard = is_standard(check, check->module);
    if (check->module.len == 0) {
        return fail_set(check->fail, FAIL_INVALID_DATA, "a module file has no api_name");
    }
    if (!standard && !name_fits(check->module, check->namespace)) {
        return wrong(check, VIEW_NONE, "api_name holds letters, digits and single _, begins with a letter, and is short");
    }
    for (uint32_t i = 0; i < index; i++) {
        if (view_eq_nocase(crm_map_view(value_as_map(check->modules->items[i]), "api_name"), check->module)) {
            return wrong(check, VIEW_NONE, "two files have this api_name");
        }
    }
    return check_label(check, VIEW_NONE, module, "singular_label") && check_label(check, VIEW_NONE, module, "plural_label") &&
           check_fields(check, module, standard);
}

// Those from `from` to before `to`, each among all.
static bool check_some(const struct list *modules, uint32_t from, uint32_t to, struct view namespace, struct fail *fail)
{
    struct check check = {.namespace = namespace, .modules = modules, .fail = fail};
    if (!check.modules || check.modules->count > MODULES_PER_PACKAGE_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "the modules of an extension are a list of at most %d", MODULES_PER_PACKAGE_MAX);
    }
    if (check.modules->count == 0) {
        return true;
    }
    // SQLite keeps tables that begin with sqlite_ to itself.
    if (!crm_name_valid(namespace) || view_starts_nocase(namespace, VIEW("sqlite"))) {
        return fail_set(fail, FAIL_INVALID_DATA, "the namespace cannot be part of module names");
    }
    struct heap scratch;
    struct value table = value_null();
    heap_init(&scratch, PACKAGE_ARENA_BYTES_MAX, NULL); // the standard table is no burden for the caller's heap
    bool done = json_read(&scratch, (struct view){crm_standard_modules, crm_standard_modules_bytes}, &table, fail);
    check.standard = done ? value_as_map(table) : NULL;
    for (uint32_t i = from; done && i < to; i++) {
        done = check_module(&check, i);
    }
    heap_free(&scratch);
    return done;
}

bool crm_modules_check(struct value modules, struct view namespace, struct heap *heap, struct fail *fail)
{
    const struct list *list = value_as_list(modules);
    (void)heap;
    return value_is_null(modules) || check_some(list, 0, list ? list->count : 0, namespace, fail);
}

bool crm_module_check(const struct list *modules, uint32_t index, struct view namespace, struct fail *fail)
{
    return check_some(modules, index, index + 1, namespace, fail);
}

// ---- installing ---------------------------------------------------------------------------------

struct install {
    struct tx *tx;
    int64_t journal; // 0 = none

    struct view namespace;
    const struct list *modules;
    struct heap *heap;
    struct arena arena;
    struct fail *fail;
};

struct target {
    int64_t id;
    struct view api_name; // installed: twilioext__SMS_Texts, or a standard name
    int64_t positions; // highest position in use + 1
    bool custom; // an extension's, or the org's own
};

static struct view prefixed(struct install *install, struct view name)
{
    struct view full = install->namespace.len ? arena_printf(&install->arena, "%.*s__%.*s", VIEW_ARGS(install->namespace),
                                                             VIEW_ARGS(without_prefix(name, install->namespace)))
                                              : arena_copy(&install->arena, name); // the org's own
    if (!full.data) {
        fail_set(install->fail, FAIL_MEMORY, NULL);
    }
    return full;
}

// With the number of positions in use, where a new field goes.
static bool find_module(struct install *install, struct view name, struct target *ret_target, bool *ret_found)
{
    struct rows *rows;
    struct store_param param = store_text(name);
    if (!tx_query(install->tx,
                  "SELECT m.id, m.api_name, (SELECT COALESCE(MAX(f.position) + 1, 0) FROM crm_field f WHERE f.module_id = m.id), "
                  "m.generated_type "
                  "FROM crm_module m WHERE lower(m.api_name) = lower(?)",
                  &param, 1, &rows, install->fail)) {
        return false;
    }
    *ret_found = rows_next(rows, install->fail);
    if (*ret_found) {
        ret_target->id = rows_int(rows, 0);
        ret_target->api_name = arena_copy(&install->arena, rows_text(rows, 1));
        ret_target->positions = rows_int(rows, 2);
        ret_target->custom = view_eq(rows_text(rows, 3), VIEW("custom"));
    }
    rows_close(rows);
    return install->fail->code == FAIL_NONE;
}

// The installed module that a file means: a standard one of that name, else the extension's own.
static bool find_target(struct install *install, struct view name, struct target *ret_target, bool *ret_found)
{
    if (!find_module(install, name, ret_target, ret_found) || (*ret_found && !ret_target->custom)) {
        return install->fail->code == FAIL_NONE;
    }
    struct view full = prefixed(install, name);
    return full.data && find_module(install, full, ret_target, ret_found);
}

static void put(struct install *install, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP && !value_is_null(value)) {
        map_put_text(install->heap, map.map, view_of(key), value);
    }
}

static struct value text_value(struct install *install, struct view text)
{
    return value_text(install->heap, text);
}

// Pick list entries may be texts or {"display_value","actual_value"}: stored as the standard table writes them.
void crm_pick_list_define(struct heap *heap, struct value definition, struct value values)
{
    const struct list *list = value_as_list(values);
    struct value actual = value_list(heap, list ? list->count : 0), display = value_map(heap, 4);
    for (uint32_t i = 0; list && i < list->count && actual.type == VALUE_LIST && display.type == VALUE_MAP; i++) {
        struct map *pair = value_as_map(list->items[i]);
        struct value value = pair ? map_get_text(pair, VIEW("actual_value")) : list->items[i];
        struct value shown = pair ? map_get_text(pair, VIEW("display_value")) : value_null();
        list_add(heap, actual.list, value);
        if (shown.type == VALUE_TEXT && !value_equal(shown, value)) {
            map_put(heap, display.map, value, shown);
        }
    }
    if (definition.type == VALUE_MAP && actual.type == VALUE_LIST && display.type == VALUE_MAP) {
        map_put_text(heap, definition.map, VIEW("pick_list_values"), actual);
        map_remove(definition.map, VALUE_TEXT_LITERAL(heap, "pick_list_display"));
        if (display.map->count) {
            map_put_text(heap, definition.map, VIEW("pick_list_display"), display);
        }
    }
}

static bool define_lookup(struct install *install, struct value definition, const struct map *lookup, struct view field)
{
    struct target target;
    bool found = false;
    struct view name = crm_map_view(lookup, "module"), own = without_prefix(name, install->namespace);
    struct view full = has_module(install->modules, own) ? prefixed(install, own) : VIEW_NONE;
    // Its own module first, unless the file of that name only adds fields to a standard one.
    if ((full.data && !find_module(install, full, &target, &found)) || (!found && !find_module(install, name, &target, &found))) {
        return false;
    }
    if (!found) {
        return fail_set(install->fail, FAIL_INVALID_DATA, "field %.*s: the module %.*s of the look-up does not exist", VIEW_ARGS(field),
                        VIEW_ARGS(name));
    }
    struct value map = value_map(install->heap, 1);
    put(install, map, "module", text_value(install, target.api_name));
    put(install, definition, "lookup", map);
    return true;
}

// From a field of a module file to what crm_field keeps.
static bool define_field(struct install *install, const struct map *field, struct value *ret_definition)
{
    struct heap *heap = install->heap;
    struct value definition = value_map(heap, 12), label = map_get_text(field, VIEW("field_label"));
    struct view name = crm_map_view(field, "api_name"), type_name = crm_map_view(field, "data_type");
    const struct crm_type *type = crm_type_find(type_name);
    if (definition.type != VALUE_MAP || !type) {
        return fail_set(install->fail, type ? FAIL_MEMORY : FAIL_INVALID_DATA, NULL);
    }
    put(install, definition, "field_label", value_is_null(label) ? text_value(install, name) : label);
    put(install, definition, "data_type", text_value(install, type_name));
    put(install, definition, "json_type", text_value(install, view_of(type->json_type)));
    put(install, definition, "length", value_number(crm_map_int(field, "length", type->length)));
    put(install, definition, "decimal_place", map_get_text(field, VIEW("decimal_place")));
    put(install, definition, "system_mandatory",
        value_bool(crm_map_bool(field, "system_mandatory", crm_map_bool(field, "mandatory", false))));
    put(install, definition, "read_only", value_bool(crm_map_bool(field, "read_only", false)));
    if (!value_is_null(map_get_text(field, VIEW("pick_list_values")))) {
        crm_pick_list_define(heap, definition, map_get_text(field, VIEW("pick_list_values")));
    }
    struct value unique = map_get_text(field, VIEW("unique")); // true, or {"casesensitive":…} as the fields metadata writes it
    if ((unique.type == VALUE_BOOL && unique.boolean) || (value_as_map(unique) && value_as_map(unique)->count)) {
        put(install, definition, "unique", value_bool(true));
    }
    const struct map *lookup = value_as_map(map_get_text(field, VIEW("lookup")));
    if (lookup && type->kind == CRM_KIND_LOOKUP && !define_lookup(install, definition, lookup, name)) {
        return false;
    }
    *ret_definition = definition;
    return true;
}

// Brings a field that is there up to date: labels, pick lists and lengths may change, the kind of its column may not.
static bool update_field(struct install *install, const struct crm_field *field, int64_t field_id, struct view old_definition,
                         struct value definition)
{
    struct value old = value_null();
    struct crm_field before;
    if (!json_read(install->heap, old_definition, &old, install->fail) || !value_as_map(old) ||
        !crm_field_read(&install->arena, field->api_name, value_as_map(old), &before, install->fail)) {
        return install->fail->code != FAIL_NONE ? false : fail_set(install->fail, FAIL_INTERNAL, "a field's definition is no map");
    }
    if (strcmp(crm_kind_column(before.kind), crm_kind_column(field->kind)) != 0) {
        return fail_set(install->fail, FAIL_INVALID_DATA, "field %.*s is a %s in the installed version and cannot become a %s",
                        VIEW_ARGS(field->api_name), before.type->name, field->type->name);
    }
    struct buffer json;
    buffer_init(&json, 1 << 20);
    bool done = json_write(&json, definition, NULL, install->fail);
    struct store_param params[] = {store_text(buffer_view(&json)), store_int(field_id)};
    const struct crm_row_at at = {VIEW("crm_field"), VIEW("crm_field"), field_id};
    done = done &&
           crm_row_change(install->tx, install->journal, &at, "UPDATE crm_field SET definition = ? WHERE id = ?", params, 2, install->fail);
    buffer_free(&json);
    return done;
}

static bool add_field(struct install *install, struct target *target, const struct crm_field *field, struct value definition)
{
    if (target->positions >= CRM_FIELDS_MAX) {
        return fail_set(install->fail, FAIL_LIMIT_EXCEEDED, "module %.*s: more than %d fields", VIEW_ARGS(target->api_name),
                        CRM_FIELDS_MAX);
    }
    return crm_field_insert_tx(install->tx, target->id, (int)target->positions++, field, install->namespace, definition.map,
                               install->fail) &&
           crm_column_add_tx(install->tx, target->api_name, field, install->fail) &&
           (!crm_index_by_nature(field) || crm_index_create_tx(install->tx, target->api_name, field, false, install->fail));
}

// Adds the field, or brings the one of that name up to date.
static bool install_field(struct install *install, struct target *target, struct value value)
{
    const struct map *map = value_as_map(value);
    struct view name = map ? prefixed(install, crm_map_view(map, "api_name")) : VIEW_NONE;
    struct crm_field field;
    struct value definition;
    struct rows *rows;
    if (!name.data || !define_field(install, map, &definition) ||
        !crm_field_read(&install->arena, name, definition.map, &field, install->fail)) {
        return install->fail->code != FAIL_NONE ? false : fail_set(install->fail, FAIL_INVALID_DATA, "a field is a map");
    }
    struct store_param params[] = {store_int(target->id), store_text(name)};
    if (!tx_query(install->tx, "SELECT id, definition FROM crm_field WHERE module_id = ? AND lower(api_name) = lower(?)", params, 2, &rows,
                  install->fail)) {
        return false;
    }
    int64_t id = 0;
    struct view old = VIEW_NONE;
    if (rows_next(rows, install->fail)) {
        id = rows_int(rows, 0);
        old = arena_copy(&install->arena, rows_text(rows, 1));
    }
    rows_close(rows);
    if (install->fail->code != FAIL_NONE) {
        return false;
    }
    return id ? update_field(install, &field, id, old, definition) : add_field(install, target, &field, definition);
}

// ---- a new module -------------------------------------------------------------------------------

// The name is mandatory, as in Zoho's custom modules (spec/crm-api.md §2.7).
static struct value define_name_field(struct install *install, const struct map *module)
{
    struct value definition = value_map(install->heap, 6);
    const struct map *field = value_as_map(map_get_text(module, VIEW("name_field")));
    struct value label = field ? map_get_text(field, VIEW("field_label")) : value_null();
    put(install, definition, "field_label", value_is_null(label) ? text_value(install, name_field_of(module)) : label);
    bool own = install->namespace.len == 0; // the org's: a package's module has a text
    struct value number = field && own ? map_get_text(field, VIEW("auto_number")) : value_null();
    bool counted = value_as_map(number) != NULL; // numbers are given here, not by requests
    put(install, definition, "data_type", text_value(install, counted ? VIEW("autonumber") : VIEW("text")));
    put(install, definition, "json_type", VALUE_TEXT_LITERAL(install->heap, "string"));
    put(install, definition, "length", value_number(120));
    put(install, definition, "system_mandatory", value_bool(!counted));
    put(install, definition, "read_only", value_bool(counted));
    put(install, definition, "auto_number", number);
    return definition;
}

static bool read_system_fields(struct install *install, struct crm_field *fields, const struct map **definitions, int *ret_count)
{
    struct value table = value_null();
    if (!json_read(install->heap, view_of(SYSTEM_FIELDS), &table, install->fail)) {
        return false;
    }
    const struct list *list = value_as_list(table);
    for (uint32_t i = 0; i < list->count; i++) {
        definitions[i] = value_as_map(list->items[i]);
        if (!crm_field_read(&install->arena, crm_map_view(definitions[i], "api_name"), definitions[i], &fields[i], install->fail)) {
            return false;
        }
    }
    *ret_count = (int)list->count;
    return true;
}

static struct value define_module(struct install *install, const struct map *module)
{
    struct value definition = value_map(install->heap, 6);
    struct view name = crm_map_view(module, "api_name");
    struct view singular = crm_map_view(module, "singular_label"), plural = crm_map_view(module, "plural_label");
    put(install, definition, "module_name", text_value(install, prefixed(install, name)));
    put(install, definition, "singular_label", text_value(install, singular.len ? singular : name));
    put(install, definition, "plural_label", text_value(install, plural.len ? plural : singular.len ? singular : name));
    if (!install->namespace.len) {
        put(install, definition, "profiles", map_get_text(module, VIEW("profiles")));
    }
    struct value related = value_null();
    // Every custom module has notes and attachments, which name it in $se_module.
    if (json_read(install->heap,
                  VIEW("[{\"api_name\":\"Notes\",\"module\":\"Notes\",\"via\":\"Parent_Id\"},"
                       "{\"api_name\":\"Attachments\",\"module\":\"Attachments\",\"via\":\"Parent_Id\"}]"),
                  &related, install->fail)) {
        put(install, definition, "related_lists", related);
    }
    return definition;
}

// Makes the module with system and name field; the fields of the file come when all modules are there.
static bool create_module(struct install *install, const struct map *module, int64_t *ret_id)
{
    struct crm_field fields[SYSTEM_FIELDS_MAX + 1];
    const struct map *definitions[SYSTEM_FIELDS_MAX + 1];
    int count = 0;
    int64_t id;
    struct view name = prefixed(install, crm_map_view(module, "api_name")), name_field = prefixed(install, name_field_of(module));
    struct value definition = define_module(install, module), name_definition = define_name_field(install, module);
    if (!name.data || !name_field.data || definition.type != VALUE_MAP || name_definition.type != VALUE_MAP ||
        !read_system_fields(install, fields, definitions, &count)) {
        return install->fail->code != FAIL_NONE ? false : fail_set(install->fail, FAIL_MEMORY, NULL);
    }
    if (!crm_field_read(&install->arena, name_field, name_definition.map, &fields[count], install->fail)) {
        return false;
    }
    definitions[count++] = name_definition.map;
    struct crm_module_row row = {.api_name = name,
                                 .namespace = install->namespace,
                                 .name_field = name_field,
                                 .generated_type = VIEW("custom"),
                                 .definition = definition.map};
    if (!crm_module_insert_tx(install->tx, &row, &id, install->fail) ||
        !crm_table_create_tx(install->tx, name, fields, count, install->fail)) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        struct view owner = i == count - 1 ? install->namespace : VIEW("");
        if (!crm_field_insert_tx(install->tx, id, i, &fields[i], owner, definitions[i], install->fail)) {
            return false;
        }
    }
    *ret_id = id;
    return true;
}

bool crm_module_create_tx(struct tx *tx, const struct map *module, struct heap *heap, int64_t *ret_id, struct fail *fail)
{
    struct install install = {.tx = tx, .namespace = VIEW(""), .heap = heap, .fail = fail};
    fail_clear(fail);
    arena_init(&install.arena, PACKAGE_ARENA_BYTES_MAX);
    bool done = create_module(&install, module, ret_id);
    arena_free(&install.arena);
    return done;
}

static bool update_module(struct install *install, const struct target *target, const struct map *module)
{
    struct value definition = define_module(install, module);
    struct buffer json;
    buffer_init(&json, 1 << 16);
    bool done = json_write(&json, definition, NULL, install->fail);
    struct store_param params[] = {store_text(buffer_view(&json)), store_int(clock_wall_ms() / 1000 * 1000), store_int(target->id)};
    const struct crm_row_at at = {VIEW("crm_module"), VIEW("crm_module"), target->id};
    // Standard modules keep their labels and related lists.
    done = done && crm_row_change(install->tx, install->journal, &at,
                                  "UPDATE crm_module SET definition = ?, modified_time = ? WHERE id = ? AND namespace <> ''", params, 3,
                                  install->fail);
    buffer_free(&json);
    return done;
}

static bool install_module(struct install *install, const struct map *module)
{
    struct target target;
    bool found;
    if (!find_target(install, crm_map_view(module, "api_name"), &target, &found)) {
        return false;
    }
    int64_t id;
    return found ? update_module(install, &target, module) : create_module(install, module, &id);
}

static bool install_fields(struct install *install, const struct map *module)
{
    struct target target;
    bool found = false;
    const struct list *fields = value_as_list(map_get_text(module, VIEW("fields")));
    if (!find_target(install, crm_map_view(module, "api_name"), &target, &found)) {
        return false;
    }
    for (uint32_t i = 0; found && fields && i < fields->count; i++) {
        if (!install_field(install, &target, fields->items[i])) {
            return false;
        }
    }
    return true;
}

bool crm_modules_install_tx(struct tx *tx, struct view namespace, struct value modules, int64_t journal, struct heap *heap,
                            struct fail *fail)
{
    struct install install = {
        .tx = tx, .journal = journal, .namespace = namespace, .modules = value_as_list(modules), .heap = heap, .fail = fail};
    fail_clear(fail);
    if (!crm_modules_check(modules, namespace, heap, fail)) {
        return false;
    }
    if (!install.modules || install.modules->count == 0) {
        return true;
    }
    bool done = true;
    arena_init(&install.arena, PACKAGE_ARENA_BYTES_MAX);
    for (uint32_t i = 0; done && i < install.modules->count; i++) {
        done = install_module(&install, value_as_map(install.modules->items[i]));
    }
    for (uint32_t i = 0; done && i < install.modules->count; i++) {
        done = install_fields(&install, value_as_map(install.modules->items[i]));
    }
    arena_free(&install.arena);
    return done && store_bump(tx, fail);
}
