// SPDX-License-Identifier: Apache-2.0
//
// Extensions, for the commands and the console: what is installed, and installing. Owners only.
#include "web/told.h"

void api_ext_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct value list = value_null();
    answer_open(&answer, exchange);
    bool all = view_eq(exchange_param(exchange, VIEW("all")), VIEW("true"));
    bool good = host_ext_list(web->host, &exchange->identity, all, &answer.heap, &list, &answer.fail);
    answer_send(&answer, good, list);
}

void api_ext_show(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    struct value map = value_null();
    answer_open(&answer, exchange);
    bool good = host_ext_show(web->host, &exchange->identity, params[0], &answer.heap, &map, &answer.fail);
    struct value widgets;
    struct fail none; // published and not installed: nothing to show
    bool wanted = view_eq(exchange_param(exchange, VIEW("widgets")), VIEW("true"));
    if (good && wanted && host_widgets(web->host, params[0], &answer.heap, &widgets, &none)) {
        map_put_text(&answer.heap, map.map, VIEW("widgets"), widgets);
    }
    answer_send(&answer, good, map);
}

// ---- installing ---------------------------------------------------------------------------------

// The path must be absolute: the server stands in another folder than the command.
static bool read_folder(struct answer *answer, const struct map *map, const char **ret_folder)
{
    struct view folder = value_view_or(map_get_text(map, VIEW("folder")), VIEW_NONE);
    if (folder.len == 0 || folder.data[0] != '/' || memchr(folder.data, 0, folder.len)) {
        return fail_set(&answer->fail, FAIL_INVALID_DATA, "\"folder\" must be an absolute path: /…");
    }
    struct view path = arena_copy(answer->exchange->arena, folder);
    *ret_folder = path.data;
    return path.data || fail_set(&answer->fail, FAIL_MEMORY, NULL);
}

// ---- publishing ---------------------------------------------------------------------------------

static bool read_source(struct answer *answer, struct host_source *source)
{
    struct exchange *exchange = answer->exchange;
    const struct map *map;
    source->namespace = exchange_param(exchange, VIEW("namespace"));
    source->version = exchange_param(exchange, VIEW("version"));
    source->name = exchange_param(exchange, VIEW("name"));
    if (view_starts_nocase(exchange->content_type, VIEW("application/zip"))) {
        source->zip = exchange->body;
        source->file_name = exchange_param(exchange, VIEW("file"));
        return true;
    }
    return answer_body(answer, &map) && read_folder(answer, map, &source->path);
}

static void put_published(struct told *told, const struct host_published *published)
{
    answer_put(&told->answer, told->reply, "namespace", view_of(published->namespace));
    answer_put(&told->answer, told->reply, "version", view_of(published->version));
    map_put_text(&told->answer.heap, value_as_map(told->reply), VIEW("new"), value_bool(published->is_new));
}

void api_ext_publish(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct told told;
    struct host_source source = {.path = NULL};
    struct host_published published;
    bool good = told_open(&told, exchange) && read_source(&told.answer, &source) &&
                host_ext_publish(web->host, &exchange->identity, &source, &told.message, &published, &told.answer.fail);
    if (good) {
        put_published(&told, &published);
    }
    told_send(&told, good);
}

// ---- the life of a published version ------------------------------------------------------------

static struct view text_member(const struct map *map, const char *key)
{
    return map ? value_view_or(map_get_text(map, view_of(key)), VIEW("")) : VIEW("");
}

static void install(struct web *web, struct exchange *exchange, enum host_install_kind kind)
{
    struct told told;
    const struct map *map;
    struct host_install request = {.kind = kind};
    struct host_published installed;
    bool good = told_open(&told, exchange) && answer_body(&told.answer, &map);
    if (good) {
        request.namespace = text_member(map, "namespace");
        request.version = text_member(map, "version");
        request.variables = value_as_map(map_get_text(map, VIEW("variables")));
        good = (request.namespace.len > 0 || fail_set(&told.answer.fail, FAIL_INVALID_DATA, "\"namespace\" says which extension")) &&
               answer_flag(&told.answer, map, "reinstall", &request.reinstall) &&
               host_ext_install(web->host, &exchange->identity, &request, &told.message, &installed, &told.answer.fail);
    }
    if (good) {
        put_published(&told, &installed);
    }
    told_send(&told, good);
}

void api_ext_install(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    install(web, exchange, HOST_INSTALL);
}

void api_ext_upgrade(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    install(web, exchange, HOST_UPGRADE);
}

void api_ext_rollback(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    install(web, exchange, HOST_ROLLBACK);
}

void api_ext_uninstall(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct told told;
    const struct map *map;
    bool drop_data = false, force = false;
    bool good = told_open(&told, exchange) && answer_body(&told.answer, &map) && answer_flag(&told.answer, map, "drop_data", &drop_data) &&
                answer_flag(&told.answer, map, "force", &force) &&
                host_ext_uninstall(web->host, &exchange->identity, params[0], drop_data, force, &told.message, &told.answer.fail);
    if (good) {
        answer_put(&told.answer, told.reply, "namespace", params[0]);
    }
    told_send(&told, good);
}

void api_ext_variables(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    struct value list = value_null();
    answer_open(&answer, exchange);
    bool good = host_ext_variables(web->host, params[0], exchange_param(exchange, VIEW("version")), &answer.heap, &list, &answer.fail);
    answer_send(&answer, good, list);
}

// The value is in the body, because it may be a secret and paths are logged.
void api_ext_set(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    const struct map *map;
    answer_open(&answer, exchange);
    struct value reply = value_map(&answer.heap, 1);
    bool good = answer_body(&answer, &map);
    struct value value = good ? map_get_text(map, VIEW("value")) : value_null();
    good = good && (value_is_text(value) || fail_set(&answer.fail, FAIL_INVALID_DATA, "\"value\" must be text")) &&
           host_ext_set(web->host, &exchange->identity, params[0], params[1], value_view(value), &answer.fail);
    if (good) {
        answer_put(&answer, reply, "api_name", params[1]);
    }
    answer_send(&answer, good, reply);
}
