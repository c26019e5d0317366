// SPDX-License-Identifier: Apache-2.0
// Stored functions by name. What is known of an environment at one metadata version is a table: compiled functions, the super admin's user
// object, the installed namespaces. A run pins the table it began with, so an edit in the middle of a run changes nothing for it; the next
// call sees the version has moved and starts a new table, which fills as functions are called. The mutex is held for look-ups only;
// compiling is a job.
#include "host/kept.h"

#include <stdlib.h>

// ---- compiling ----------------------------------------------------------------------------------

void function_free(struct function *function)
{
    if (function) {
        if (function->unit) {
            unit_free(function->unit);
        }
        arena_free(&function->arena);
        free(function);
    }
}

static bool declares(const struct lang_function_info *info, struct view name)
{
    for (int i = 0; i < info->parameter_count; i++) {
        if (view_eq(info->parameters[i].name, name)) {
            return true;
        }
    }
    return false;
}

// PRODUCT: "version 1.0 if it declares or, headerless, reads requestMap and does not declare crmAPIRequest, else 2.0".
static int decide_version(const struct lang_function_info *info)
{
    if (declares(info, VIEW("crmAPIRequest"))) {
        return 2;
    }
    return declares(info, VIEW("requestMap")) || (!info->has_header && info->reads_request_v1) ? 1 : 2;
}

// "functions/hello_world.dg" → "hello_world"; "ns.hello" → "hello"
static struct view file_stem(struct view file)
{
    for (ptrdiff_t slash; (slash = view_find_char(file, '/')) >= 0;) {
        file = view_from(file, (size_t)slash + 1);
    }
    for (size_t i = file.len; i > 0; i--) {
        if (file.data[i - 1] == '.') {
            return view_slice(file, 0, i - 1);
        }
    }
    return file;
}

static struct view last_part(struct view name)
{
    for (size_t i = name.len; i > 0; i--) {
        if (name.data[i - 1] == '.') {
            return view_from(name, i);
        }
    }
    ptrdiff_t at = view_find(name, VIEW("__"));
    return at > 0 ? view_from(name, (size_t)at + 2) : name;
}

static bool copy_declared(struct function *function, const struct function_source *source, struct fail *fail)
{
    function->declared = arena_alloc(&function->arena, (size_t)(source->argument_count + 1) * sizeof *function->declared);
    for (int i = 0; function->declared && i < source->argument_count; i++) {
        function->declared[i].name = arena_copy(&function->arena, source->arguments[i].name);
        function->declared[i].type = arena_copy(&function->arena, source->arguments[i].type);
    }
    return function->declared || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool name_function(struct function *function, const struct function_source *source, struct fail *fail)
{
    struct view name = source->api_name.len        ? source->api_name
                       : function->info.has_header ? last_part(function->info.name)
                                                   : file_stem(source->file);
    int len = snprintf(function->display, sizeof function->display, "%.*s__%.*s", VIEW_ARGS(source->namespace), VIEW_ARGS(name));
    struct view canonical;
    if (len < 0 || (size_t)len >= sizeof function->display ||
        !ext_name_canonical(view_of(function->display), function->canonical, sizeof function->canonical - 1, &canonical)) {
        return fail_set(fail, FAIL_INVALID_DATA, "the function's name is too long");
    }
    snprintf(function->namespace, sizeof function->namespace, "%.*s", VIEW_ARGS(source->namespace));
    return true;
}

bool function_compile(const struct function_source *source, struct function **ret_function, struct diagnostics *diagnostics,
                      struct fail *fail)
{
    struct function *function = calloc(1, sizeof *function);
    if (!function) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    // Names alone take a few hundred bytes: a maximum below an arena's chunk keeps ten thousand functions small.
    arena_init(&function->arena, source->arguments_declared ? 1 << 20 : 4096);
    char file[FAIL_FILE_MAX];
    snprintf(file, sizeof file, "%.*s", VIEW_ARGS(source->file));
    struct view file_name = arena_copy(&function->arena, view_of(file));
    struct view stem = source->api_name.len ? source->api_name : file_stem(source->file);
    struct lang_options options = {
        .natives = host_natives(),
        .strict = source->strict,
        .file = file_name.data,
        .name = arena_printf(&function->arena, "%.*s.%.*s", VIEW_ARGS(source->namespace), VIEW_ARGS(stem)),
        .return_type = source->return_type,
    };
    bool ok = file_name.data && options.name.data ? copy_declared(function, source, fail) : fail_set(fail, FAIL_MEMORY, NULL);
    if (ok && source->arguments_declared) {
        options.parameters = function->declared;
        options.parameter_count = source->argument_count;
    }
    ok = ok && lang_compile(source->source, &options, &function->unit, diagnostics, fail);
    if (ok) {
        function->code = unit_function(function->unit, 0);
        function->info = lang_function_info(function->code);
        function->api_version = source->api_version ? source->api_version : decide_version(&function->info);
        ok = name_function(function, source, fail);
    }
    if (!ok) {
        function_free(function);
        return false;
    }
    *ret_function = function;
    return true;
}

// ---- loading a stored function ------------------------------------------------------------------

struct load_request {
    struct view canonical;
    struct arena arena;
    struct heap heap;
    struct function_source source;
    struct function *function;
    int64_t id;
    bool apikey, oauth, found, ok;
    struct fail *fail;
};

static bool read_arguments(struct load_request *load, struct view json, struct fail *fail)
{
    struct value list;
    if (!json.len) {
        return true;
    }
    if (!json_read(&load->heap, json, &list, fail) || list.type != VALUE_LIST) {
        return fail_set(fail, FAIL_INTERNAL, "the stored arguments of a function are damaged");
    }
    struct ext_argument *arguments = arena_alloc(&load->arena, (list.list->count + 1) * sizeof *arguments);
    for (uint32_t i = 0; arguments && i < list.list->count; i++) {
        const struct map *item = value_as_map(list.list->items[i]);
        arguments[i].name = item ? value_view_or(map_get_text(item, VIEW("name")), VIEW("")) : VIEW("");
        arguments[i].type = item ? value_view_or(map_get_text(item, VIEW("type")), VIEW("")) : VIEW("");
    }
    load->source.arguments = arguments;
    load->source.argument_count = (int)list.list->count;
    load->source.arguments_declared = true;
    return arguments || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool keep_row(void *arg, const struct ext_installed_function *row, struct fail *fail)
{
    struct load_request *load = arg;
    load->source = (struct function_source){
        .namespace = arena_copy(&load->arena, row->namespace),
        .api_name = arena_copy(&load->arena, row->api_name),
        .file = arena_copy(&load->arena, row->file),
        .source = arena_copy(&load->arena, row->source),
        .return_type = arena_copy(&load->arena, row->return_type),
        .api_version = row->version,
    };
    load->id = row->id;
    load->apikey = row->apikey;
    load->oauth = row->oauth;
    return load->source.source.data ? read_arguments(load, row->arguments_json, fail) : fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_row(struct tx *tx, void *arg, struct fail *fail)
{
    struct load_request *load = arg;
    return ext_function_find_tx(tx, load->canonical, keep_row, load, &load->found, fail);
}

static void compile_job(void *arg)
{
    struct load_request *load = arg;
    load->ok = function_compile(&load->source, &load->function, NULL, load->fail);
}

static bool read_version(struct tx *tx, void *arg, struct fail *fail)
{
    struct function *function = arg;
    bool dev, found;
    return ext_installed_tx(tx, view_of(function->namespace), function->version, &dev, &found, fail);
}

static bool load_function(struct host_env *env, struct view canonical, struct function **ret_function, struct fail *fail)
{
    struct load_request load = {.canonical = canonical, .fail = fail};
    arena_init(&load.arena, 4 * EXT_FILE_BYTES_MAX);
    heap_init(&load.heap, 4 * EXT_FILE_BYTES_MAX, NULL);
    bool ok = store_read(env->env, read_row, &load, fail);
    if (ok && load.found) {
        if (loop_fiber()) {
            ok = loop_job(compile_job, &load, fail) && load.ok;
        } else {
            compile_job(&load);
            ok = load.ok;
        }
    }
    if (ok && load.found) {
        load.function->id = load.id;
        load.function->figures = figures_of(env, load.function);
        load.function->source_hash = view_hash(load.source.source);
        load.function->apikey = load.apikey;
        load.function->oauth = load.oauth;
        ok = store_read(env->env, read_version, load.function, fail);
        if (!ok) {
            function_free(load.function);
        }
    }
    heap_free(&load.heap);
    arena_free(&load.arena);
    if (ok) {
        *ret_function = load.found ? load.function : NULL;
    }
    return ok;
}

// ---- tables -------------------------------------------------------------------------------------

static void table_drop(struct function_table *table)
{
    size_t cursor = 0;
    struct view key;
    void *value;
    while (table_next(&table->functions, &cursor, &key, &value)) {
        function_free(value);
    }
    table_free(&table->functions);
    heap_free(&table->heap);
    free(table);
}

static bool keep_namespace(void *arg, struct view namespace, struct fail *fail)
{
    struct function_table *table = arg;
    return list_add(&table->heap, table->namespaces, value_text(&table->heap, namespace)) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_namespaces(struct tx *tx, void *arg, struct fail *fail)
{
    struct function_table *table = arg;
    table->namespaces->count = 0; // a closure may run twice
    return ext_namespaces_tx(tx, keep_namespace, table, fail);
}

static bool table_make(struct host_env *env, struct function_table **ret_table, struct fail *fail)
{
    enum { TABLE_BYTES_MAX = 16 << 20 };
    struct function_table *table = calloc(1, sizeof *table);
    if (!table) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    table->env_version = store_env_version(env->env);
    table_init(&table->functions, HOST_FUNCTIONS_MAX, false);
    heap_init(&table->heap, TABLE_BYTES_MAX, NULL);
    struct value list = value_list(&table->heap, 4);
    struct crm_session session;
    bool ok = !table->heap.failed || fail_set(fail, FAIL_MEMORY, NULL);
    table->namespaces = ok ? list.list : NULL;
    ok = ok && store_read(env->env, read_namespaces, table, fail) && crm_session_open(env->crm, &table->heap, &session, fail);
    if (ok) {
        ok = crm_user_get(&session, crm_admin_id(&session), &table->admin, fail) && request_templates(table, fail);
        table->heap.zone = crm_zone(&session);
        crm_session_close(&session);
    }
    if (!ok) {
        table_drop(table);
        return false;
    }
    *ret_table = table;
    return true;
}

// The current table, pinned; NULL when the version has moved on. Under the mutex.
static struct function_table *pin_current(struct host_env *env)
{
    struct function_table *table = env->functions;
    if (!table || table->env_version != store_env_version(env->env)) {
        return NULL;
    }
    table->pins++;
    return table;
}

static bool pin_table(struct host_env *env, struct function_table **ret_pin, struct fail *fail)
{
    struct function_table *fresh = NULL, *old = NULL;
    if (!table_make(env, &fresh, fail)) {
        return false;
    }
    pthread_mutex_lock(&env->mutex);
    struct function_table *pin = pin_current(env); // somebody else may have been quicker
    if (!pin) {
        old = env->functions && env->functions->pins == 0 ? env->functions : NULL;
        env->functions = fresh;
        fresh->pins = 1;
        pin = fresh;
        fresh = NULL;
    }
    pthread_mutex_unlock(&env->mutex);
    if (fresh) {
        table_drop(fresh);
    }
    if (old) {
        table_drop(old);
    }
    *ret_pin = pin;
    return true;
}

bool functions_find_in(struct host_env *env, struct function_table *pin, struct view canonical, const struct function **ret_function,
                       struct fail *fail)
{
    pthread_mutex_lock(&env->mutex);
    struct function *found = table_get(&pin->functions, canonical);
    pthread_mutex_unlock(&env->mutex);
    if (found) {
        *ret_function = found;
        return true;
    }
    struct function *loaded;
    if (!load_function(env, canonical, &loaded, fail)) {
        return false;
    }
    if (loaded) {
        pthread_mutex_lock(&env->mutex);
        found = table_get(&pin->functions, canonical);
        bool kept = !found && table_put(&pin->functions, canonical, loaded);
        pthread_mutex_unlock(&env->mutex);
        if (!kept) {
            function_free(loaded);
        }
        if (!kept && !found) {
            return fail_set(fail, FAIL_FULL, "more than %d functions are in use", HOST_FUNCTIONS_MAX);
        }
        found = kept ? loaded : found;
    }
    *ret_function = found;
    return true;
}

bool functions_pin(struct host_env *env, struct function_table **ret_pin, struct fail *fail)
{
    pthread_mutex_lock(&env->mutex);
    struct function_table *pin = pin_current(env);
    pthread_mutex_unlock(&env->mutex);
    if (!pin && !pin_table(env, &pin, fail)) {
        return false;
    }
    *ret_pin = pin;
    return true;
}

bool functions_find(struct host_env *env, struct view canonical, struct function_table **ret_pin, const struct function **ret_function,
                    struct fail *fail)
{
    pthread_mutex_lock(&env->mutex);
    struct function_table *pin = pin_current(env);
    const struct function *found = pin ? table_get(&pin->functions, canonical) : NULL;
    pthread_mutex_unlock(&env->mutex);
    if (!pin && !pin_table(env, &pin, fail)) {
        return false;
    }
    if (!found && !functions_find_in(env, pin, canonical, &found, fail)) {
        functions_unpin(env, pin);
        return false;
    }
    *ret_pin = pin;
    *ret_function = found;
    return true;
}

void functions_unpin(struct host_env *env, struct function_table *pin)
{
    pthread_mutex_lock(&env->mutex);
    bool last = --pin->pins == 0 && pin != env->functions;
    pthread_mutex_unlock(&env->mutex);
    if (last) {
        table_drop(pin);
    }
}

void functions_drop(struct host_env *env)
{
    if (env->functions) {
        assert(env->functions->pins == 0);
        table_drop(env->functions);
        env->functions = NULL;
    }
}
