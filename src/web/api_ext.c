// SPDX-License-Identifier: Apache-2.0
//
// Extensions, for the commands and the console: what is installed, and installing. Owners only.
#include "web/room.h"

void api_ext_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct value list = value_null();
    answer_open(&answer, exchange);
    bool good = host_ext_list(web->host, &exchange->identity, &answer.heap, &list, &answer.fail);
    answer_send(&answer, good, list);
}

void api_ext_show(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    struct value map = value_null();
    answer_open(&answer, exchange);
    bool good = host_ext_show(web->host, params[0], &answer.heap, &map, &answer.fail);
    answer_send(&answer, good, map);
}

// ---- installing ---------------------------------------------------------------------------------

struct messages {
    struct answer *answer;
    struct list *lines;
};

// host speaks while it installs; the lines are collected and go out with the result.
static void add_message(void *user, enum log_level level, const char *text)
{
    static const char *const names[] = {[LOG_ERROR] = "error", [LOG_WARN] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
    struct messages *messages = user;
    struct heap *heap = &messages->answer->heap;
    struct value line = value_map(heap, 2);
    if (!heap->failed) {
        answer_put(messages->answer, line, "level", view_of(names[level]));
        answer_put(messages->answer, line, "text", view_of(text));
        list_add(heap, messages->lines, line);
    }
}

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

// What was said goes out with the reply, or with the reason of a failure.
struct told {
    struct answer answer;
    struct value reply, lines;
    struct messages messages;
    struct host_message message;
};

static bool open_told(struct told *told, struct exchange *exchange)
{
    answer_open(&told->answer, exchange);
    told->reply = value_map(&told->answer.heap, 4);
    told->lines = value_list(&told->answer.heap, 8);
    told->messages = (struct messages){&told->answer, value_as_list(told->lines)};
    told->message = (struct host_message){&told->messages, add_message};
    return !told->answer.heap.failed || fail_set(&told->answer.fail, FAIL_MEMORY, NULL);
}

static void send_told(struct told *told, bool good)
{
    struct answer *answer = &told->answer;
    bool said = !good && answer->fail.code != FAIL_NONE && !answer->heap.failed && value_as_list(told->lines)->count > 0;
    if (good || said) {
        map_put_text(&answer->heap, value_as_map(told->reply), VIEW("messages"), told->lines);
    }
    if (said) { // why it failed, with every line that was said before
        answer_put(answer, told->reply, "message", view_of(answer->fail.text));
        answer->status = fail_status(answer->fail.code) == 200 ? 400 : fail_status(answer->fail.code);
    }
    answer_send(answer, good || said, told->reply);
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
    bool good = open_told(&told, exchange) && read_source(&told.answer, &source) &&
                host_ext_publish(web->host, &exchange->identity, &source, &told.message, &published, &told.answer.fail);
    if (good) {
        put_published(&told, &published);
    }
    send_told(&told, good);
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
    bool good = open_told(&told, exchange) && answer_body(&told.answer, &map);
    if (good) {
        request.namespace = text_member(map, "namespace");
        request.version = text_member(map, "version");
        good = (request.namespace.len > 0 || fail_set(&told.answer.fail, FAIL_INVALID_DATA, "\"namespace\" says which extension")) &&
               answer_flag(&told.answer, map, "reinstall", &request.reinstall) &&
               host_ext_install(web->host, &exchange->identity, &request, &told.message, &installed, &told.answer.fail);
    }
    if (good) {
        put_published(&told, &installed);
    }
    send_told(&told, good);
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
    bool good = open_told(&told, exchange) && answer_body(&told.answer, &map) && answer_flag(&told.answer, map, "drop_data", &drop_data) &&
                answer_flag(&told.answer, map, "force", &force) &&
                host_ext_uninstall(web->host, &exchange->identity, params[0], drop_data, force, &told.message, &told.answer.fail);
    if (good) {
        answer_put(&told.answer, told.reply, "namespace", params[0]);
    }
    send_told(&told, good);
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
