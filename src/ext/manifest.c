// SPDX-License-Identifier: Apache-2.0
// extension.json: only name, namespace and version are required. What is there must have the right shape: a misspelt type is an error,
// never a guess.
#include "ext/inside.h"

static const struct view MANIFEST = {"extension.json", 14};

// A text member; absent or null leaves VIEW_NONE.
static bool text_member(struct ext_package *package, const struct map *map, const char *key, struct view *ret_text, struct fail *fail)
{
    struct value v = map_get_text(map, view_of(key));
    if (value_is_null(v)) {
        *ret_text = VIEW_NONE;
        return true;
    }
    if (!value_is_text(v)) {
        return package_fail(fail, MANIFEST, "\"%s\" must be text", key);
    }
    *ret_text = arena_copy(&package->arena, value_view(v));
    return ret_text->data || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool bool_member(const struct map *map, const char *key, bool *value, struct fail *fail)
{
    struct value v = map_get_text(map, view_of(key));
    if (value_is_null(v)) {
        return true;
    }
    if (v.type != VALUE_BOOL) {
        return package_fail(fail, MANIFEST, "\"%s\" must be true or false", key);
    }
    *value = v.boolean;
    return true;
}

// The list under `key`; absent gives NULL.
static bool list_member(const struct map *map, const char *key, struct list **ret_list, struct fail *fail)
{
    struct value v = map_get_text(map, view_of(key));
    if (!value_is_null(v) && v.type != VALUE_LIST) {
        return package_fail(fail, MANIFEST, "\"%s\" must be a list", key);
    }
    *ret_list = value_is_null(v) ? NULL : v.list;
    return true;
}

static bool is_name(struct view name)
{
    if (name.len == 0 || name.len > EXT_NAME_MAX - 1) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i] | 0x20;
        bool letter = (c >= 'a' && c <= 'z') || name.data[i] == '_', digit = name.data[i] >= '0' && name.data[i] <= '9';
        if (!letter && (!digit || i == 0)) {
            return false;
        }
    }
    return true;
}

// "__" divides namespace and name: it may neither stand in a namespace nor come about at its end, or "a_" with "f" and "a" with "_f" would
// be one function.
static bool is_namespace(struct view name)
{
    return is_name(name) && name.data[0] != '_' && name.data[name.len - 1] != '_' && view_find(name, VIEW("__")) < 0;
}

// "fn", "ns.fn" and "ns__fn" all mean fn of this extension.
static struct view without_namespace(struct view name, struct view namespace)
{
    if (view_starts_nocase(name, namespace)) {
        struct view rest = view_from(name, namespace.len);
        if (view_starts(rest, VIEW("."))) {
            return view_from(rest, 1);
        }
        if (view_starts(rest, VIEW("__"))) {
            return view_from(rest, 2);
        }
    }
    return name;
}

// Namespaces of functions that belong to orgs (spec/platform.md §3), and of the system's own.
static bool is_reserved(struct view namespace)
{
    static const char *const names[] = {"standalone",   "button",       "automation", "schedule", "validation_rule",
                                        "related_list", "salessignals", "crm",        "zoho",     "wget"};
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        if (view_eq_nocase(namespace, view_of(names[i]))) {
            return true;
        }
    }
    return false;
}

static bool read_head(struct ext_package *package, const struct map *map, struct fail *fail)
{
    if (!text_member(package, map, "name", &package->name, fail) || !text_member(package, map, "namespace", &package->namespace, fail) ||
        !text_member(package, map, "version", &package->version, fail) || !text_member(package, map, "portal", &package->portal, fail)) {
        return false;
    }
    if (view_trim(package->name).len == 0) {
        return package_fail(fail, MANIFEST, "\"name\" is missing");
    }
    if (!is_namespace(package->namespace)) {
        return package_fail(
            fail, MANIFEST,
            "\"namespace\" must be 1 to %d letters, digits and single underscores, beginning with a letter and not ending in "
            "an underscore",
            EXT_NAME_MAX - 1);
    }
    if (is_reserved(package->namespace)) {
        return package_fail(fail, MANIFEST, "the namespace \"%.*s\" is taken by the system", VIEW_ARGS(package->namespace));
    }
    if (!ext_version_valid(package->version)) {
        return package_fail(fail, MANIFEST, "\"version\" must look like 1.0.0");
    }
    return true;
}

static bool read_arguments(struct ext_package *package, const struct map *map, struct ext_function *function, struct fail *fail)
{
    struct list *list = NULL;
    if (!list_member(map, "arguments", &list, fail)) {
        return false;
    }
    if (!list) {
        return true;
    }
    struct ext_argument *arguments = arena_alloc(&package->arena, (list->count + 1) * sizeof *arguments);
    if (!arguments) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const struct map *item = value_as_map(list->items[i]);
        if (!item || !text_member(package, item, "name", &arguments[i].name, fail) ||
            !text_member(package, item, "type", &arguments[i].type, fail) || !is_name(arguments[i].name)) {
            return package_fail(fail, MANIFEST, "argument %u of \"%.*s\" needs a \"name\" and may have a \"type\"", i + 1,
                                VIEW_ARGS(function->api_name));
        }
    }
    function->arguments = arguments;
    function->argument_count = (int)list->count;
    function->arguments_declared = true;
    return true;
}

static bool read_function(struct ext_package *package, struct value item, struct fail *fail)
{
    const struct map *map = value_as_map(item);
    struct ext_function function = {.apikey = true, .oauth = true};
    struct view version;
    if (!map) {
        return package_fail(fail, MANIFEST, "each of \"functions\" must be an object");
    }
    if (!text_member(package, map, "api_name", &function.api_name, fail) || !text_member(package, map, "file", &function.file, fail) ||
        !text_member(package, map, "version", &version, fail) || !text_member(package, map, "return_type", &function.return_type, fail)) {
        return false;
    }
    function.api_name = without_namespace(function.api_name, package->namespace);
    if (!is_name(function.api_name) || function.file.len == 0) {
        return package_fail(fail, MANIFEST, "a function needs an \"api_name\" (letters, digits, underscores) and a \"file\"");
    }
    if (function.file.data[0] == '/' || view_find(function.file, VIEW("..")) >= 0) {
        return package_fail(fail, MANIFEST, "the file of \"%.*s\" must lie inside the extension", VIEW_ARGS(function.api_name));
    }
    if (version.data && !view_eq(version, VIEW("1.0")) && !view_eq(version, VIEW("2.0"))) {
        return package_fail(fail, MANIFEST, "the version of \"%.*s\" must be \"1.0\" or \"2.0\"", VIEW_ARGS(function.api_name));
    }
    function.version = version.data ? version.data[0] - '0' : 0;
    struct value rest = map_get_text(map, VIEW("rest_api"));
    if (rest.type == VALUE_MAP &&
        (!bool_member(rest.map, "apikey", &function.apikey, fail) || !bool_member(rest.map, "oauth", &function.oauth, fail))) {
        return false;
    }
    if (!read_arguments(package, map, &function, fail)) {
        return false;
    }
    return package_add_function(package, &function, fail);
}

static bool read_functions(struct ext_package *package, const struct map *map, struct fail *fail)
{
    struct list *list = NULL;
    if (!list_member(map, "functions", &list, fail)) {
        return false;
    }
    for (uint32_t i = 0; list && i < list->count; i++) {
        if (!read_function(package, list->items[i], fail) && !package_go_on(package, fail)) {
            return false;
        }
    }
    return true;
}

// A secret's default lies in git and in every zip: it is not used, and said so.
static bool check_default(struct ext_package *package, struct value item, struct ext_variable *variable, struct fail *fail)
{
    struct buffer names;
    if (!ext_type_known(variable->type)) {
        buffer_init(&names, FAIL_TEXT_MAX);
        ext_type_names(&names);
        package_fail(fail, MANIFEST, "the variable \"%.*s\" has the unknown type \"%.*s\"; there are %s", VIEW_ARGS(variable->api_name),
                     VIEW_ARGS(view_slice(variable->type, 0, utf8_clamp(variable->type, EXT_NAME_MAX))), buffer_text(&names));
        buffer_free(&names);
        return false;
    }
    if (variable->secret && variable->value.len) {
        log_line(LOG_WARN, "ext", "%.*s/extension.json: the value of the secret variable \"%.*s\" is not used; set it with crm.set",
                 VIEW_ARGS(package->folder), VIEW_ARGS(variable->api_name));
        map_put_text(&package->heap, item.map, VIEW("value"), value_text(&package->heap, VIEW(""))); // the manifest is stored: not this
        variable->value = VIEW("");
        variable->has_default = true;
    }
    return ext_type_fits(variable->type, variable->value) ||
           package_fail(fail, MANIFEST, "the value of the variable \"%.*s\" does not fit its type %.*s", VIEW_ARGS(variable->api_name),
                        VIEW_ARGS(variable->type));
}

static bool read_variable(struct ext_package *package, struct value item, struct ext_variable *variable, struct fail *fail)
{
    const struct map *map = value_as_map(item);
    if (!map) {
        return package_fail(fail, MANIFEST, "each of \"variables\" must be an object");
    }
    if (!text_member(package, map, "api_name", &variable->api_name, fail) ||
        !text_member(package, map, "field_name", &variable->field_name, fail) ||
        !text_member(package, map, "type", &variable->type, fail) || !bool_member(map, "secret", &variable->secret, fail)) {
        return false;
    }
    variable->api_name = without_namespace(variable->api_name, package->namespace);
    if (!is_name(variable->api_name)) {
        return package_fail(fail, MANIFEST, "a variable needs an \"api_name\" of letters, digits and underscores");
    }
    variable->field_name = variable->field_name.len ? variable->field_name : variable->api_name;
    variable->type = variable->type.len ? variable->type : VIEW("text");
    struct value value = map_get_text(map, VIEW("value"));
    if (!value_is_null(value) && (value.type == VALUE_LIST || value.type == VALUE_MAP)) {
        return package_fail(fail, MANIFEST, "the value of the variable \"%.*s\" must be text, a number, true or false",
                            VIEW_ARGS(variable->api_name));
    }
    struct value text = value_is_null(value) ? value_text(&package->heap, VIEW("")) : value_to_text(&package->heap, value, fail);
    variable->value = value_view_or(text, VIEW(""));
    return fail->code == FAIL_NONE && check_default(package, item, variable, fail);
}

static bool is_first(const struct ext_package *package, const struct ext_variable *variable, struct fail *fail)
{
    for (int i = 0; i < package->variable_count; i++) {
        if (view_eq_nocase(package->variables[i].api_name, variable->api_name)) {
            return package_fail(fail, MANIFEST, "the variable \"%.*s\" is there twice", VIEW_ARGS(variable->api_name));
        }
    }
    return true;
}

static bool read_variables(struct ext_package *package, const struct map *map, struct fail *fail)
{
    struct list *list = NULL;
    if (!list_member(map, "variables", &list, fail)) {
        return false;
    }
    uint32_t count = list ? list->count : 0;
    if (count > EXT_FILES_MAX) {
        return package_fail(fail, MANIFEST, "the extension has more than %d variables", EXT_FILES_MAX);
    }
    package->variables = arena_alloc(&package->arena, (count + 1) * sizeof *package->variables);
    if (!package->variables) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct ext_variable *variable = &package->variables[package->variable_count];
        *variable = (struct ext_variable){0};
        if (read_variable(package, list->items[i], variable, fail) && is_first(package, variable, fail)) {
            package->variable_count++;
        } else if (!package_go_on(package, fail)) {
            return false;
        }
    }
    return true;
}

// Signals are kept as they stand; their names must be names.
static bool check_signal(const struct ext_package *package, const struct map *item, struct fail *fail)
{
    struct view name = item ? value_view_or(map_get_text(item, VIEW("namespace")), VIEW_NONE) : VIEW_NONE;
    return is_name(without_namespace(name, package->namespace)) ||
           package_fail(fail, MANIFEST, "each of \"signals\" needs a \"namespace\" of letters, digits and underscores");
}

// Objects of these lists must have some texts; what else they say is kept as it stands.
static bool check_object(const char *key, const struct map *item, struct fail *fail)
{
    static const struct {
        const char *key, *texts[2];
    } rows[] = {{"widgets", {"name", "url"}}, {"schedules", {"function", "cron"}}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        for (size_t k = 0; strcmp(rows[i].key, key) == 0 && k < BASE_COUNT(rows[i].texts); k++) {
            const char *text = rows[i].texts[k];
            if (value_view_or(item ? map_get_text(item, view_of(text)) : value_null(), VIEW("")).len == 0) {
                return package_fail(fail, MANIFEST, "each of \"%s\" needs a \"%s\"", key, text);
            }
        }
    }
    return true;
}

static bool read_objects(struct ext_package *package, const struct map *map, const char *key, struct value *ret_list, struct fail *fail)
{
    struct list *list = NULL;
    *ret_list = value_list(&package->heap, 4);
    if (!list_member(map, key, &list, fail)) {
        return false;
    }
    for (uint32_t i = 0; list && i < list->count && !package->heap.failed; i++) {
        const struct map *item = value_as_map(list->items[i]);
        if (strcmp(key, "signals") == 0 ? check_signal(package, item, fail) : check_object(key, item, fail)) {
            list_add(&package->heap, ret_list->list, list->items[i]);
        } else if (!package_go_on(package, fail)) {
            return false;
        }
    }
    return !package->heap.failed || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_manifest_file(struct ext_package *package, struct view text, struct fail *fail)
{
    if (!json_read(&package->heap, text, &package->manifest, fail)) {
        snprintf(fail->file, sizeof fail->file, "%.*s", VIEW_ARGS(MANIFEST));
        fail->code = FAIL_INVALID_DATA;
        return false;
    }
    fail_clear(fail);
    return package->manifest.type == VALUE_MAP || package_fail(fail, MANIFEST, "must hold a JSON object");
}

// What whoever publishes says counts more than the file.
static bool override(struct ext_package *package, const struct ext_defaults *defaults, struct fail *fail)
{
    struct heap *heap = &package->heap;
    const struct {
        const char *key;
        struct view value;
    } rows[] = {{"namespace", defaults->namespace}, {"version", defaults->version}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        if (rows[i].value.len) {
            map_put_text(heap, package->manifest.map, view_of(rows[i].key), value_text(heap, rows[i].value));
        }
    }
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

bool manifest_read(struct ext_package *package, const struct ext_defaults *defaults, struct fail *fail)
{
    struct view text;
    fail_clear(fail);
    if (!package_file(package, MANIFEST, &text, fail)) {
        return false;
    }
    if (!text.data && !(defaults->namespace.len && package_is_toolkit(package))) {
        return package_fail(fail, MANIFEST, "is not there: %.*s is no extension folder", VIEW_ARGS(package->folder));
    }
    if (!(text.data ? read_manifest_file(package, text, fail) && override(package, defaults, fail)
                    : package_toolkit_manifest(package, defaults, fail))) {
        return false;
    }
    const struct map *map = package->manifest.map;
    return read_head(package, map, fail) && (read_functions(package, map, fail) || package_go_on(package, fail)) &&
           (read_variables(package, map, fail) || package_go_on(package, fail)) &&
           (read_objects(package, map, "signals", &package->signals, fail) || package_go_on(package, fail)) &&
           (read_objects(package, map, "widgets", &package->widgets, fail) || package_go_on(package, fail)) &&
           (read_objects(package, map, "schedules", &package->schedules, fail) || package_go_on(package, fail));
}
