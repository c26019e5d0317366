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

// In the URLs that a viewer gets: a key is more than reading.
#define SHOWN_KEY "1003.…"

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

// ---- what is installed, and what could be -------------------------------------------------------

struct versions {
    struct heap *heap;
    struct view namespace; // empty = of all
    struct list *rows; // {namespace, name, version, release}, newest first within a namespace
};

static bool add_version(void *arg, const struct ext_published *version, struct fail *fail)
{
    struct versions *versions = arg;
    struct heap *heap = versions->heap;
    struct value row = value_map(heap, 4);
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    map_put_text(heap, row.map, VIEW("namespace"), value_text(heap, version->namespace));
    map_put_text(heap, row.map, VIEW("name"), value_text(heap, version->name));
    map_put_text(heap, row.map, VIEW("version"), value_text(heap, version->version));
    map_put_text(heap, row.map, VIEW("release"), value_bool(ext_version_is_release(version->version)));
    return list_add(heap, versions->rows, row) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool versions_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct versions *versions = arg;
    versions->rows = value_as_list(value_list(versions->heap, 8));
    return versions->rows ? ext_published_tx(tx, versions->namespace, add_version, versions, fail) : fail_set(fail, FAIL_MEMORY, NULL);
}

static bool load_versions(struct host *host, struct view namespace, struct heap *heap, struct list **ret_rows, struct fail *fail)
{
    struct versions versions = {.heap = heap, .namespace = namespace};
    struct store_env *control;
    if (!host_control(host, &control, fail) || !store_read(control, versions_tx, &versions, fail)) {
        return false;
    }
    *ret_rows = versions.rows;
    return true;
}

static struct view text_of(const struct map *map, const char *key)
{
    return value_view_or(map_get_text(map, view_of(key)), VIEW(""));
}

static struct map *find_extension(const struct list *extensions, struct view namespace)
{
    for (uint32_t i = 0; i < extensions->count; i++) {
        struct map *map = value_as_map(extensions->items[i]);
        if (view_eq_nocase(text_of(map, "namespace"), namespace)) {
            return map;
        }
    }
    return NULL;
}

// Each namespace's newest release, or newest of all, as `ext install` would choose; those that are not installed become rows of their own.
static void merge_versions(struct heap *heap, struct list *extensions, const struct list *versions)
{
    uint32_t installed = extensions->count;
    for (uint32_t i = 0; i < installed; i++) {
        map_put_text(heap, extensions->items[i].map, VIEW("installed"), value_bool(true));
        map_put_text(heap, extensions->items[i].map, VIEW("published"), value_null());
    }
    for (uint32_t i = 0; i < versions->count && !heap->failed; i++) {
        const struct map *version = value_as_map(versions->items[i]);
        struct map *map = find_extension(extensions, text_of(version, "namespace"));
        if (!map) {
            struct value row = value_map(heap, 5);
            map = row.map;
            if (heap->failed || !list_add(heap, extensions, row)) {
                return;
            }
            static const char *const keys[] = {"namespace", "name", "version"};
            for (size_t k = 0; k < BASE_COUNT(keys); k++) {
                map_put_text(heap, map, view_of(keys[k]), map_get_text(version, view_of(keys[k])));
            }
            map_put_text(heap, map, VIEW("installed"), value_bool(false));
            map_put_text(heap, map, VIEW("published"), value_null());
        }
        struct value published = map_get_text(map, VIEW("published"));
        bool release = map_get_text(version, VIEW("release")).boolean;
        if (value_is_null(published) || (release && !ext_version_is_release(value_view(published)))) {
            map_put_text(heap, map, VIEW("published"), map_get_text(version, VIEW("version")));
        }
    }
}

bool host_ext_list(struct host *host, const struct identity *who, bool all, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    struct host_env *env;
    struct value list;
    struct list *versions;
    if (!host_env_of(host, who, &env, fail) || !load_list(env, VIEW(""), heap, &list, fail) ||
        (all && !load_versions(host, VIEW(""), heap, &versions, fail))) {
        return false;
    }
    if (all) {
        merge_versions(heap, list.list, versions);
    }
    *ret_list = list;
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

// ---- one extension, wherever it is installed ----------------------------------------------------

struct show {
    struct host *host;
    struct heap *heap;
    bool with_key;
    struct view namespace;
    struct value extension; // as the first environment has it, null = none has
    struct list *installed;
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
    char key[AUTH_KEY_LEN + 1] = SHOWN_KEY;
    if (!load_list(env, show->namespace, show->heap, &list, fail)) {
        return false;
    }
    if (list.list->count == 0) {
        return true;
    }
    struct map *extension = list.list->items[0].map;
    if (value_is_null(show->extension)) {
        show->extension = list.list->items[0];
    }
    struct view namespace = value_view_or(map_get_text(extension, VIEW("namespace")), show->namespace);
    return (!show->with_key || key_of(env->host, env, namespace, key, fail)) && add_place(show, env, extension, key, fail);
}

// Every published version; a served folder's own where none is.
static bool put_versions(struct show *show, const struct list *published, struct map *shown, struct fail *fail)
{
    struct heap *heap = show->heap;
    const struct map *first = value_as_map(show->extension);
    struct value versions = value_list(heap, published->count + 1);
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    for (uint32_t i = 0; i < published->count; i++) {
        list_add(heap, versions.list, map_get_text(value_as_map(published->items[i]), VIEW("version")));
    }
    if (published->count == 0) {
        list_add(heap, versions.list, map_get_text(first, VIEW("version")));
    }
    first = first ? first : value_as_map(published->items[0]);
    map_put_text(heap, shown, VIEW("namespace"), map_get_text(first, VIEW("namespace")));
    map_put_text(heap, shown, VIEW("name"), map_get_text(first, VIEW("name")));
    map_put_text(heap, shown, VIEW("versions"), versions);
    return true;
}

bool host_ext_show(struct host *host, const struct identity *who, struct view namespace, struct heap *heap, struct value *ret_map,
                   struct fail *fail)
{
    struct value shown = value_map(heap, 4), installed = value_list(heap, 2);
    struct list *published = NULL;
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    struct show show = {
        .host = host, .heap = heap, .with_key = who->role != AUTH_ROLE_VIEWER, .namespace = namespace, .installed = installed.list};
    if (namespace.len && (!host_envs_each(host, show_in, &show, fail) || !load_versions(host, namespace, heap, &published, fail))) {
        return false;
    }
    if (value_is_null(show.extension) && (!published || published->count == 0)) {
        return fail_set(fail, FAIL_NOT_FOUND, "no extension with the namespace \"%.*s\" is published or installed here",
                        VIEW_ARGS(namespace));
    }
    if (!put_versions(&show, published, shown.map, fail)) {
        return false;
    }
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
        char key[AUTH_KEY_LEN + 1] = SHOWN_KEY;
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
