// SPDX-License-Identifier: Apache-2.0
//
// What names mean (struct path in ast.h): variable, input, native, function of this file, stored function, task of another Zoho service.
// The compiler relies on it and looks nothing up itself.
//
// Hard thing: `a.b(x)` may be a method of a variable or a stored function, and a body without header declares nothing. A variable of the
// function comes first; then functions of the file and natives; then, what is called like a built-in method means a variable, anything else
// a function that is found when the script runs.
#include "lang/check.h"

// Namespaces of an org's own functions (spec/deluge-language.md §2.2): never variables.
static const char *const categories[] = {"standalone", "automation", "button", "schedule", "related_list", "validation_rule", "thisapp"};

// ---- reporting ----------------------------------------------------------------------------------

static void report_near(struct checker *c, enum diagnostic_code code, struct place place, struct view name, struct view near)
{
    char hint[128];
    int len = near.len ? snprintf(hint, sizeof hint, "Did you mean '%.*s'?", (int)(near.len < 80 ? near.len : 80), near.data) : 0;
    reporter_add(c->reporter, code, place, (struct view[REPORT_VIEWS_MAX]){name}, (struct view){hint, len > 0 ? (size_t)len : 0});
}

static void report_function(struct checker *c, struct place place, struct view name)
{
    const struct native *near = native_set_nearest(c->options->natives, name);
    report_near(c, NAME_NOT_FUNCTION, place, name, near ? view_of(near->name) : VIEW_NONE);
}

// Once a name. The hint is a variable that differs by case alone: that is the usual mistake.
static void report_undefined(struct checker *c, struct place place, struct view name)
{
    struct variable *variable = check_variable_add(c, name);
    if (!variable || variable->reported) {
        return;
    }
    variable->reported = true;
    struct view near = VIEW_NONE, key;
    size_t cursor = 0;
    void *other;
    while (c->reporter->errors < DIAGNOSTICS_MAX && !near.len && table_next(&c->variables, &cursor, &key, &other)) {
        if (((struct variable *)other)->assigned && view_eq_nocase(key, name)) {
            near = key;
        }
    }
    report_near(c, NAME_UNDEFINED, place, name, near);
}

// ---- variables ----------------------------------------------------------------------------------

static void add_implied(struct checker *c, struct view name)
{
    struct function *function = c->function;
    if (function->implied_count == c->implied_cap) {
        uint32_t cap = c->implied_cap ? c->implied_cap * 2 : 8;
        struct view *names = arena_alloc(c->arena, cap * sizeof *names);
        if (!names) {
            check_memory(c);
            return;
        }
        if (function->implied_count) {
            memcpy(names, function->implied, function->implied_count * sizeof *names);
        }
        function->implied = names;
        c->implied_cap = cap;
    }
    function->implied[function->implied_count++] = name;
}

// The request names are bound whatever the function declares (PRODUCT.md).
static bool note_request(struct checker *c, struct view name)
{
    bool v2 = view_eq(name, VIEW("crmAPIRequest")), v1 = view_eq(name, VIEW("requestMap"));
    c->function->reads_request_v2 |= v2;
    c->function->reads_request_v1 |= v1;
    return v1 || v2;
}

// The variable that `name` means when it is read here; NULL when it is none of the function's.
static struct variable *read_variable(struct checker *c, struct view name, struct place place)
{
    bool request = note_request(c, name);
    struct variable *variable = check_variable(c, name);
    if (request && !(variable && variable->assigned)) {
        variable = check_variable_add(c, name);
        if (variable) {
            variable->assigned = variable->seen = true;
        }
    }
    if (!variable || !variable->assigned) {
        return NULL;
    }
    const struct native *native = variable->seen ? NULL : native_set_find(c->options->natives, name);
    if (native && (native->flags & NATIVE_VARIABLE)) {
        return NULL; // today = today.addDay(1); reads the system's
    }
    if (!variable->seen && !variable->reported) {
        variable->reported = true;
        reporter_add(c->reporter, view_eq(name, c->target) ? NAME_SELF : NAME_EARLY, place, (struct view[REPORT_VIEWS_MAX]){name},
                     VIEW_NONE);
    }
    return variable;
}

static struct variable *imply_variable(struct checker *c, struct view name)
{
    struct variable *variable = check_variable_add(c, name);
    if (variable && !variable->assigned) {
        variable->assigned = variable->seen = true;
        if (c->function->implied_count < PARAMETERS_MAX) {
            add_implied(c, name);
        } else {
            REPORT(c->reporter, FUNCTION_PARAMETERS, c->function->place);
        }
    }
    return variable;
}

static void set_meaning(struct path *path, enum meaning meaning, uint32_t known)
{
    path->meaning = (uint8_t)meaning;
    path->known = known;
}

// `input` and `input.name`, unless the function has a variable of that name.
static bool resolve_input(struct checker *c, struct path *path, bool call)
{
    if (!view_eq(path->parts[0], VIEW("input"))) {
        return false;
    }
    bool named = path->count > (call ? 2u : 1u);
    set_meaning(path, MEANING_INPUT, named ? 2 : 1);
    if (named) {
        note_request(c, path->parts[1]);
    }
    return true;
}

// ---- natives ------------------------------------------------------------------------------------

// "zoho.crm" of "zoho.crm.getRecordById"
static struct view prefix_of(const struct path *path, uint32_t parts)
{
    size_t len = 0, found = 0;
    while (len < path->name.len && (found += path->name.data[len] == '.') < parts) {
        len++;
    }
    return view_slice(path->name, 0, len);
}

// The longest beginning of the path that is a system variable: zoho.currentdate, today.
static bool resolve_system_variable(struct checker *c, struct path *path, uint32_t parts_max)
{
    enum { SYSTEM_PARTS_MAX = 4 };
    for (uint32_t parts = parts_max < SYSTEM_PARTS_MAX ? parts_max : SYSTEM_PARTS_MAX; parts > 0; parts--) {
        const struct native *native = native_set_find(c->options->natives, prefix_of(path, parts));
        if (native && (native->flags & NATIVE_VARIABLE)) {
            path->native = native;
            set_meaning(path, MEANING_NATIVE, parts);
            return true;
        }
    }
    return false;
}

static bool is_version(struct view part)
{
    return part.len > 1 && part.len < 8 && (part.data[0] == 'v' || part.data[0] == 'V') && part.data[1] >= '0' && part.data[1] <= '9';
}

// Rows of the whole name; zoho.crm.v8.x means zoho.crm.x (spec/deluge-language.md §5, integration task).
static const struct native_group *find_group(struct checker *c, const struct path *path)
{
    const struct native_group *group = native_set_group(c->options->natives, path->name);
    if (group || path->count != 4 || !is_version(path->parts[2])) {
        return group;
    }
    struct view name =
        arena_printf(c->arena, "%.*s.%.*s.%.*s", VIEW_ARGS(path->parts[0]), VIEW_ARGS(path->parts[1]), VIEW_ARGS(path->parts[3]));
    return native_set_group(c->options->natives, name);
}

static bool row_takes(const struct native *row, uint32_t args)
{
    return row && args >= row->args_min && args <= row->args_max;
}

static bool group_takes(const struct native_group *group, uint32_t args, bool method)
{
    if (!method && row_takes(group->function, args)) {
        return true;
    }
    for (int type = 0; type < VALUE_TYPES; type++) {
        if (row_takes(group->by_type[type], args)) {
            return true;
        }
    }
    return false;
}

static bool has_methods(const struct native_group *group)
{
    for (int type = 0; type < VALUE_TYPES; type++) {
        if (group->by_type[type]) {
            return true;
        }
    }
    return false;
}

// The type of the result when all rows agree about it.
static int group_result(const struct native_group *group, int receiver)
{
    if (receiver < VALUE_TYPES && group->by_type[receiver]) {
        return type_of_native(group->by_type[receiver]);
    }
    int result = group->function ? type_of_native(group->function) : VALUE_NULL;
    for (int type = 0; type < VALUE_TYPES && result != TYPE_UNKNOWN; type++) {
        if (group->by_type[type]) {
            result = type_join(type_of_native(group->by_type[type]), result);
        }
    }
    return result == VALUE_NULL ? TYPE_UNKNOWN : result;
}

int check_method(struct checker *c, int receiver, struct view name, uint32_t args, struct place place)
{
    const struct native_group *group = native_set_group(c->options->natives, name);
    if (!group || !has_methods(group)) {
        report_function(c, place, name);
        return TYPE_UNKNOWN;
    }
    if (!group_takes(group, args + 1, true)) {
        REPORT(c->reporter, CALL_ARGUMENTS, place, name);
    }
    return group_result(group, receiver);
}

// ---- functions ----------------------------------------------------------------------------------

static int find_local(const struct checker *c, struct view name)
{
    for (uint32_t i = 0; i < c->ast->function_count; i++) {
        if (c->ast->functions[i].has_header && function_name_equal(c->ast->functions[i].name, name)) {
            return (int)i;
        }
    }
    return -1;
}

static bool resolve_local(struct checker *c, struct path *path, struct view name)
{
    int index = find_local(c, name);
    if (index < 0) {
        return false;
    }
    path->function = index;
    path->function_name = name;
    set_meaning(path, MEANING_LOCAL, path->count);
    return true;
}

static void resolve_stored(struct path *path, struct view name)
{
    path->function_name = name;
    set_meaning(path, MEANING_STORED, path->count);
}

// A namespace of functions, not a variable: a category, or the namespace of the function itself.
static bool is_namespace(const struct checker *c, struct view part)
{
    for (size_t i = 0; i < BASE_COUNT(categories); i++) {
        if (view_eq_nocase(part, view_of(categories[i]))) {
            return true;
        }
    }
    struct view own = c->function->has_header ? c->function->name : c->options->name;
    struct view space = view_cut(&own, '.');
    return own.len > 0 && view_eq_nocase(space, part);
}

// zoho.x.y without a native: a mistake where Sluice knows that family of tasks, else another service's.
static void resolve_service(struct checker *c, struct path *path, struct place place)
{
    const struct native_set *natives = c->options->natives;
    struct view family = prefix_of(path, 2);
    for (size_t i = 0; natives && path->count > 2 && i < native_set_count(natives); i++) {
        struct view name = view_of(native_set_at(natives, i)->name);
        if (view_starts_nocase(name, family) && name.len > family.len && name.data[family.len] == '.') {
            report_function(c, place, path->name);
            return;
        }
    }
    REPORT(c->reporter, NAME_SERVICE, place, path->name);
    set_meaning(path, MEANING_SERVICE, path->count);
}

// A call of one word that no native and no function of the file answers.
static void resolve_unknown_word(struct checker *c, struct path *path, struct place place)
{
    if (view_find(path->name, VIEW("__")) > 0) { // the full name of an extension's function
        resolve_stored(path, path->name);
    } else if (view_eq_nocase(path->name, VIEW("alert"))) {
        REPORT(c->reporter, CREATOR_ONLY, place, path->name);
    } else {
        report_function(c, place, path->name);
    }
}

// A call `a.b(…)` where a is no variable of the function so far.
static void resolve_unknown_path(struct checker *c, struct path *path, struct place place)
{
    struct view space = path->parts[0];
    if (view_eq_nocase(space, VIEW("zoho"))) {
        resolve_service(c, path, place);
        return;
    }
    const struct native_group *method = native_set_group(c->options->natives, path->parts[path->count - 1]);
    if (!method || !has_methods(method) || is_namespace(c, space)) {
        resolve_stored(path, view_eq_nocase(space, VIEW("thisapp")) ? view_from(path->name, space.len + 1) : path->name);
    } else if (c->infers) {
        imply_variable(c, space);
        set_meaning(path, MEANING_VARIABLE, 1);
    } else {
        report_undefined(c, place, space);
    }
}

static void resolve_call(struct checker *c, struct path *path, struct place place)
{
    struct view name =
        view_eq_nocase(path->parts[0], VIEW("thisapp")) && path->count > 1 ? view_from(path->name, path->parts[0].len + 1) : path->name;
    if (path->count > 1 && read_variable(c, path->parts[0], place)) {
        set_meaning(path, MEANING_VARIABLE, 1);
        return;
    }
    if ((path->count > 1 && resolve_input(c, path, true)) || resolve_local(c, path, name)) {
        return;
    }
    const struct native_group *group = find_group(c, path);
    if (group) {
        path->native = group->first;
        set_meaning(path, MEANING_NATIVE, path->count);
        if (view_eq_nocase(path->name, VIEW("openUrl"))) {
            REPORT(c->reporter, TASK_BROWSER, place, path->name);
        }
    } else if (path->count > 1 && resolve_system_variable(c, path, path->count - 1)) {
        return;
    } else if (path->count == 1) {
        resolve_unknown_word(c, path, place);
    } else {
        resolve_unknown_path(c, path, place);
    }
}

// ---- what the walk over expressions asks --------------------------------------------------------

int check_name(struct checker *c, struct expr *expr)
{
    struct path *path = expr->name;
    struct variable *variable = read_variable(c, path->parts[0], expr->place);
    if (variable) {
        set_meaning(path, MEANING_VARIABLE, 1);
        return path->count == 1 && variable->typed ? variable->type : TYPE_UNKNOWN;
    }
    if (resolve_input(c, path, false)) {
        return TYPE_UNKNOWN;
    }
    if (resolve_system_variable(c, path, path->count)) {
        return path->known == path->count ? type_of_native(path->native) : TYPE_UNKNOWN;
    }
    if (view_eq_nocase(path->parts[0], VIEW("zoho")) || view_eq_nocase(path->parts[0], VIEW("thisapp"))) {
        const struct native *near = native_set_nearest(c->options->natives, path->name);
        report_near(c, NAME_UNDEFINED, expr->place, path->name, near ? view_of(near->name) : VIEW_NONE);
    } else if (c->infers) {
        imply_variable(c, path->parts[0]);
        set_meaning(path, MEANING_VARIABLE, 1);
    } else {
        report_undefined(c, expr->place, path->parts[0]);
    }
    return TYPE_UNKNOWN;
}

// Where the last part of a path stands: parts are pieces of the source, blanks and line breaks may lie between them.
static struct place place_of_method(const struct checker *c, const struct path *path, struct place place)
{
    size_t offset = (size_t)(path->parts[path->count - 1].data - c->ast->source.data);
    for (size_t i = place.start; i < offset; i++) {
        uint8_t byte = (uint8_t)c->ast->source.data[i];
        if (byte == '\n') {
            place.line++;
            place.column = 0;
        }
        place.column += ((byte & 0xC0) != 0x80) + (byte >= 0xF0); // UTF-16 units
    }
    place.start = (uint32_t)offset;
    return place;
}

static int check_local_call(struct checker *c, const struct expr *expr, bool result_used)
{
    const struct path *path = expr->call.path;
    const struct function *function = &c->ast->functions[path->function];
    int type = type_of_word(function->return_type);
    if (function->parameter_count != expr->call.count) {
        REPORT(c->reporter, CALL_ARGUMENTS, expr->place, path->name);
    }
    if (type == TYPE_VOID && result_used) {
        REPORT(c->reporter, CALL_VOID_USED, expr->place, path->name);
    } else if (type != TYPE_VOID && !result_used && function->return_type.len) {
        REPORT(c->reporter, CALL_RESULT_UNUSED, expr->place, path->name);
    }
    return type == TYPE_VOID ? TYPE_UNKNOWN : type;
}

int check_call(struct checker *c, struct expr *expr, bool result_used)
{
    struct path *path = expr->call.path;
    int first = TYPE_UNKNOWN;
    resolve_call(c, path, expr->place); // before the arguments: implied parameters come in the order of the text
    for (uint32_t i = 0; i < expr->call.count; i++) {
        int type = check_value(c, expr->call.args[i]);
        first = i == 0 ? type : first;
    }
    if (path->meaning == MEANING_LOCAL) {
        return check_local_call(c, expr, result_used);
    }
    if (path->meaning != MEANING_NONE && path->known < path->count) { // a method of what the first parts mean
        struct view method = path->parts[path->count - 1];
        return check_method(c, TYPE_UNKNOWN, method, expr->call.count, place_of_method(c, path, expr->place));
    }
    if (path->meaning == MEANING_NATIVE) {
        const struct native_group *group = find_group(c, path);
        if (!group_takes(group, expr->call.count, false)) {
            REPORT(c->reporter, CALL_ARGUMENTS, expr->place, path->name);
        }
        return group_result(group, first);
    }
    return TYPE_UNKNOWN;
}

void check_target_path(struct checker *c, struct path *path, struct place place)
{
    const struct variable *variable = check_variable(c, path->parts[0]);
    if (path->count == 1) {
        set_meaning(path, MEANING_VARIABLE, 1);
    } else if ((variable && variable->assigned) || !resolve_input(c, path, false)) {
        REPORT(c->reporter, SYNTAX_TARGET, place, path->name);
    }
}
