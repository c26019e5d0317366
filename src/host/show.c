// SPDX-License-Identifier: Apache-2.0
// What the owner sees: installed extensions with their variables and URLs, keys, runs (PRODUCT "Shapes that other programs read").
#include "host/inside.h"

struct show_request {
    struct view namespace;
    struct heap *heap;
    struct value list;
};

static bool show_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct show_request *request = arg;
    return ext_show_tx(tx, request->namespace, request->heap, &request->list, fail);
}

static bool load_list(struct host_env *env, struct view namespace, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    struct show_request request = {.namespace = namespace, .heap = heap};
    if (!store_read(env->env, show_tx, &request, fail)) {
        return false;
    }
    *ret_list = request.list;
    return true;
}

bool host_ext_list(struct host *host, const struct identity *who, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    struct host_env *env;
    return host_env_of(host, who, &env, fail) && load_list(env, VIEW(""), heap, ret_list, fail);
}

// What stands in URLs: a revoked key is no reason to show nothing.
static bool key_of(struct host *host, struct host_env *env, struct view namespace, char ret_key[AUTH_KEY_LEN + 1], struct fail *fail)
{
    struct identity where = host_env_identity(env, IDENTITY_ZAPIKEY, namespace);
    if (auth_key_show(host->auth, env->env, &where, ret_key, fail)) {
        return true;
    }
    snprintf(ret_key, AUTH_KEY_LEN + 1, "revoked");
    return fail->code == FAIL_NOT_FOUND;
}

static struct value function_url(const struct host_env *env, struct heap *heap, struct view api_name, bool v1, const char *key)
{
    const char *base = env->host->public_url, *sandbox = env->sandbox ? "/sandbox" : "";
    if (!v1) {
        return value_text_printf(heap, "%s%s/crm/v2/functions/%.*s/actions/execute?auth_type=apikey&zapikey=%s", base, sandbox,
                                 VIEW_ARGS(api_name), key);
    }
    ptrdiff_t at = view_find(api_name, VIEW("__")); // v1.0 spells namespace.function
    struct view namespace = view_slice(api_name, 0, at < 0 ? 0 : (size_t)at), name = view_from(api_name, at < 0 ? 0 : (size_t)at + 2);
    return value_text_printf(heap, "%s%s/crm/v2/settings/custom_functions/%.*s.%.*s/execute?zapikey=%s", base, sandbox,
                             VIEW_ARGS(namespace), VIEW_ARGS(name), key);
}

// Adds "url" to each function of an extension's map; gives the list.
static struct list *add_urls(const struct host_env *env, struct heap *heap, struct map *extension, const char *key)
{
    struct list *functions = value_as_list(map_get_text(extension, VIEW("functions")));
    for (uint32_t i = 0; functions && i < functions->count; i++) {
        struct map *function = value_as_map(functions->items[i]);
        bool v1 = view_eq(value_view_or(map_get_text(function, VIEW("version")), VIEW("")), VIEW("1.0"));
        map_put_text(heap, function, VIEW("url"),
                     function_url(env, heap, value_view_or(map_get_text(function, VIEW("api_name")), VIEW("")), v1, key));
    }
    return functions;
}

// ---- one extension, wherever it is installed ----------------------------------------------------

struct show {
    struct host *host;
    struct heap *heap;
    struct view namespace;
    struct value extension; // as the first environment has it, null = none has
    struct list *installed, *versions;
};

// {org, environment, version, variables, functions}; in the form of the first environment's map, which is given up for it.
static bool add_place(struct show *show, const struct host_env *env, struct map *extension, const char *key, struct fail *fail)
{
    struct heap *heap = show->heap;
    struct value place = value_map(heap, 5), version = map_get_text(extension, VIEW("version"));
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    bool dev = map_get_text(extension, VIEW("dev")).boolean;
    add_urls(env, heap, extension, key);
    map_put_text(heap, place.map, VIEW("org"), value_text(heap, view_of(env->org)));
    map_put_text(heap, place.map, VIEW("environment"), value_text(heap, view_of(env->environment)));
    map_put_text(heap, place.map, VIEW("version"), dev ? value_text(heap, VIEW("dev")) : version);
    map_put_text(heap, place.map, VIEW("variables"), map_get_text(extension, VIEW("variables")));
    map_put_text(heap, place.map, VIEW("functions"), map_get_text(extension, VIEW("functions")));
    return list_add(heap, show->installed, place) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool show_in(void *arg, struct host_env *env, struct fail *fail)
{
    struct show *show = arg;
    struct value list;
    char key[AUTH_KEY_LEN + 1];
    if (!load_list(env, show->namespace, show->heap, &list, fail)) {
        return false;
    }
    if (list.list->count == 0) {
        return true;
    }
    struct map *extension = list.list->items[0].map;
    if (value_is_null(show->extension)) {
        show->extension = list.list->items[0];
        list_add(show->heap, show->versions, map_get_text(extension, VIEW("version")));
    }
    return key_of(env->host, env, value_view_or(map_get_text(extension, VIEW("namespace")), show->namespace), key, fail) &&
           add_place(show, env, extension, key, fail);
}

bool host_ext_show(struct host *host, struct view namespace, struct heap *heap, struct value *ret_map, struct fail *fail)
{
    struct value shown = value_map(heap, 4), installed = value_list(heap, 2), versions = value_list(heap, 2);
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    struct show show = {.host = host, .heap = heap, .namespace = namespace, .installed = installed.list, .versions = versions.list};
    if (namespace.len && !host_envs_each(host, show_in, &show, fail)) {
        return false;
    }
    const struct map *extension = value_as_map(show.extension);
    if (!extension) {
        return fail_set(fail, FAIL_NOT_FOUND, "no extension with the namespace \"%.*s\" is installed here", VIEW_ARGS(namespace));
    }
    map_put_text(heap, shown.map, VIEW("namespace"), map_get_text(extension, VIEW("namespace")));
    map_put_text(heap, shown.map, VIEW("name"), map_get_text(extension, VIEW("name")));
    map_put_text(heap, shown.map, VIEW("versions"), versions);
    map_put_text(heap, shown.map, VIEW("installed"), installed);
    *ret_map = shown;
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

bool host_function_urls(struct host *host, const struct identity *who, struct view namespace, bool with_key, struct buffer *out,
                        struct fail *fail)
{
    struct host_env *env;
    struct value list;
    struct heap heap;
    if (!host_env_of(host, who, &env, fail)) {
        return false;
    }
    heap_init(&heap, 64 << 20, NULL);
    bool ok = load_list(env, namespace, &heap, &list, fail);
    for (uint32_t i = 0; ok && i < list.list->count; i++) {
        struct map *extension = list.list->items[i].map;
        char key[AUTH_KEY_LEN + 1] = "1003.…";
        ok = !with_key || key_of(host, env, value_view_or(map_get_text(extension, VIEW("namespace")), VIEW("")), key, fail);
        struct list *functions = ok ? add_urls(env, &heap, extension, key) : NULL;
        for (uint32_t k = 0; functions && k < functions->count; k++) {
            const struct map *function = value_as_map(functions->items[k]);
            static const char *const parts[] = {"version", "api_name", "url"};
            buffer_add(out, VIEW("function"));
            for (size_t p = 0; p < BASE_COUNT(parts); p++) {
                buffer_add_char(out, ' ');
                buffer_add(out, value_view_or(map_get_text(function, view_of(parts[p])), VIEW("")));
            }
            buffer_add_char(out, '\n');
        }
    }
    heap_free(&heap);
    return ok && (!out->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

// ---- runs ---------------------------------------------------------------------------------------

struct logs_request {
    struct heap *heap;
    struct list *list;
    int64_t last;
};

static struct value parsed_or(struct heap *heap, struct view json, struct value otherwise)
{
    struct value value;
    struct fail fail;
    return json.len && json_read(heap, json, &value, &fail) ? value : otherwise;
}

static void add_run(void *arg, int64_t sequence, const struct runlog_entry *entry)
{
    struct logs_request *request = arg;
    struct heap *heap = request->heap;
    struct value map = value_map(heap, 14), lines;
    struct buffer time;
    if (map.type != VALUE_MAP) {
        return;
    }
    buffer_init(&time, 64);
    calendar_print_iso(&time, entry->time_ms, zone_local());
    struct {
        const char *key;
        struct view text;
    } texts[] = {{"id", entry->id},
                 {"time", buffer_view(&time)},
                 {"org", entry->org},
                 {"environment", entry->environment},
                 {"function", entry->function},
                 {"version", entry->version},
                 {"trigger", entry->trigger},
                 {"method", entry->method}};
    for (size_t i = 0; i < BASE_COUNT(texts); i++) {
        map_put_text(heap, map.map, view_of(texts[i].key), value_text(heap, texts[i].text.data ? texts[i].text : VIEW("")));
    }
    buffer_free(&time);
    map_put_text(heap, map.map, VIEW("status"), value_number(entry->status));
    map_put_text(heap, map.map, VIEW("outcome"), value_text(heap, entry->outcome));
    map_put_text(heap, map.map, VIEW("duration_ms"), value_decimal(entry->duration_ms));
    map_put_text(heap, map.map, VIEW("statements"), value_number(entry->statements));
    struct value list_text = value_text_printf(heap, "[%.*s]", VIEW_ARGS(entry->lines));
    lines = parsed_or(heap, value_view_or(list_text, VIEW("")), value_list(heap, 0));
    map_put_text(heap, map.map, VIEW("log"), lines);
    map_put_text(heap, map.map, VIEW("error"), parsed_or(heap, entry->error, value_null()));
    list_add(heap, request->list, map);
    request->last = sequence;
}

bool host_logs(struct host *host, const struct runlog_query *query, struct heap *heap, struct value *ret_list, int64_t *ret_last,
               struct fail *fail)
{
    struct value list = value_list(heap, 64);
    if (list.type != VALUE_LIST) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    struct logs_request request = {.heap = heap, .list = list.list, .last = query->after};
    if (!runlog_read(host->runlog, query, add_run, &request, fail)) {
        return false;
    }
    *ret_list = list;
    *ret_last = request.last;
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}
