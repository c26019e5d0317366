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

struct install {
    const char *folder;
    bool dev, reinstall;
};

// The path must be absolute: the server stands in another folder than the command.
static bool read_install(struct answer *answer, struct install *ret_install)
{
    const struct map *map;
    if (!answer_body(answer, &map)) {
        return false;
    }
    struct view folder = value_view_or(map_get_text(map, VIEW("folder")), VIEW_NONE);
    if (folder.len == 0 || folder.data[0] != '/' || memchr(folder.data, 0, folder.len)) {
        return fail_set(&answer->fail, FAIL_INVALID_DATA, "the body must be {\"folder\":\"/absolute/path\",\"dev\":…,\"reinstall\":…}");
    }
    struct view path = arena_copy(answer->exchange->arena, folder);
    if (!path.data) {
        return fail_set(&answer->fail, FAIL_MEMORY, NULL);
    }
    ret_install->folder = path.data;
    return answer_flag(answer, map, "dev", &ret_install->dev) && answer_flag(answer, map, "reinstall", &ret_install->reinstall);
}

void api_ext_install(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct install install = {0};
    char namespace[EXT_NAME_MAX] = "";
    answer_open(&answer, exchange);
    struct value reply = value_map(&answer.heap, 2), lines = value_list(&answer.heap, 8);
    bool good = !answer.heap.failed || fail_set(&answer.fail, FAIL_MEMORY, NULL);
    struct messages messages = {&answer, value_as_list(lines)};
    struct host_message message = {&messages, add_message};
    good = good && read_install(&answer, &install) &&
           host_folder_install(web->host, install.folder, install.dev, install.reinstall, &message, namespace, &answer.fail);
    bool told = !good && answer.fail.code != FAIL_NONE && !answer.heap.failed && value_as_list(lines)->count > 0;
    if (good || told) {
        answer_put(&answer, reply, good ? "namespace" : "message", good ? view_of(namespace) : view_of(answer.fail.text));
        map_put_text(&answer.heap, value_as_map(reply), VIEW("messages"), lines);
    }
    if (told) { // why it failed, with every line that was said before
        answer.status = fail_status(answer.fail.code) == 200 ? 400 : fail_status(answer.fail.code);
    }
    answer_send(&answer, good || told, reply);
}
