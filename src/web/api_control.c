// SPDX-License-Identifier: Apache-2.0
//
// What the commands ask a running server over control.sock: only the owner of the data folder can open it, and only the owner's exchanges
// get here. Each handler opens one heap, asks host, and prints the value it made; failures go out in the envelope like everywhere else.
#include "web/room.h"

enum { CONTROL_HEAP_BYTES_MAX = 256 << 20, CONTROL_LOGS_MAX = 10000, CONTROL_LOGS_STANDARD = 100, CONTROL_LINES_BYTES_MAX = 16 << 20 };

// ---- replies ------------------------------------------------------------------------------------

// Printed into a buffer first, because only its end tells whether it fits.
static void reply_value(struct exchange *exchange, struct value value)
{
    struct fail fail = {0};
    struct buffer out;
    buffer_init(&out, CONTROL_HEAP_BYTES_MAX);
    bool good = json_write(&out, value, NULL, &fail) && !out.failed;
    struct view text = good ? arena_copy(exchange->arena, buffer_view(&out)) : VIEW_NONE;
    buffer_free(&out);
    if (text.len > 0) {
        exchange_reply_json(exchange, 200, text);
        return;
    }
    if (good || fail.code == FAIL_NONE) {
        fail_set(&fail, FAIL_MEMORY, "the answer is too long");
    }
    exchange_reply_fail(exchange, &fail);
}

static void put_text(struct heap *heap, struct value map, const char *name, struct view text)
{
    map_put_text(heap, value_as_map(map), view_of(name), value_text(heap, text));
}

// Ends a handler: the value, or why there is none.
static void finish(struct exchange *exchange, struct heap *heap, bool good, struct value value, struct fail *fail)
{
    if (good && heap->failed) {
        good = fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (good) {
        reply_value(exchange, value);
    } else {
        exchange_reply_fail(exchange, fail);
    }
    heap_free(heap);
}

// ---- extensions ---------------------------------------------------------------------------------

void api_control_ext_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct heap heap;
    struct fail fail = {0};
    struct value list = value_null();
    heap_init(&heap, CONTROL_HEAP_BYTES_MAX, NULL);
    bool good = host_ext_list(web->host, &heap, &list, &fail);
    finish(exchange, &heap, good, list, &fail);
}

void api_control_ext_show(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct heap heap;
    struct fail fail = {0};
    struct value map = value_null();
    heap_init(&heap, CONTROL_HEAP_BYTES_MAX, NULL);
    bool good = host_ext_show(web->host, params[0], &heap, &map, &fail);
    finish(exchange, &heap, good, map, &fail);
}

struct messages {
    struct heap *heap;
    struct list *lines;
};

// host speaks while it installs; the lines are collected and go out with the result.
static void add_message(void *user, enum log_level level, const char *text)
{
    static const char *const names[] = {[LOG_ERROR] = "error", [LOG_WARN] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
    struct messages *messages = user;
    struct value line = value_map(messages->heap, 2);
    if (messages->heap->failed) {
        return;
    }
    put_text(messages->heap, line, "level", view_of(names[level]));
    put_text(messages->heap, line, "text", view_of(text));
    list_add(messages->heap, messages->lines, line);
}

struct install {
    const char *folder;
    bool dev, reinstall;
};

// Absent is false; a text "true" is a mistake worth telling.
static bool read_flag(const struct map *map, const char *name, bool *ret_flag, struct fail *fail)
{
    struct value flag = map_get_text(map, view_of(name));
    if (flag.type != VALUE_NULL && flag.type != VALUE_BOOL) {
        return fail_set(fail, FAIL_INVALID_DATA, "%s must be true or false", name);
    }
    *ret_flag = flag.type == VALUE_BOOL && flag.boolean;
    return true;
}

// The path must be absolute: the server stands in another folder than the command.
static bool read_install(struct exchange *exchange, struct heap *heap, struct install *ret_install, struct fail *fail)
{
    struct value body;
    if (!json_read(heap, exchange->body, &body, fail)) {
        return false;
    }
    const struct map *map = body.type == VALUE_MAP ? body.map : NULL;
    struct view folder = map ? value_view_or(map_get_text(map, VIEW("folder")), VIEW_NONE) : VIEW_NONE;
    if (folder.len == 0 || folder.data[0] != '/' || memchr(folder.data, 0, folder.len)) {
        return fail_set(fail, FAIL_INVALID_DATA, "the body must be {\"folder\":\"/absolute/path\",\"dev\":…,\"reinstall\":…}");
    }
    struct view path = arena_copy(exchange->arena, folder);
    if (!path.data) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    ret_install->folder = path.data;
    return read_flag(map, "dev", &ret_install->dev, fail) && read_flag(map, "reinstall", &ret_install->reinstall, fail);
}

void api_control_ext_install(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct heap heap;
    struct fail fail = {0};
    struct install install = {0};
    char namespace[EXT_NAME_MAX] = "";
    heap_init(&heap, CONTROL_HEAP_BYTES_MAX, NULL);
    struct value reply = value_map(&heap, 2), lines = value_list(&heap, 8);
    bool good = !heap.failed || fail_set(&fail, FAIL_MEMORY, NULL);
    struct messages messages = {&heap, value_as_list(lines)};
    struct host_message message = {&messages, add_message};
    good = good && read_install(exchange, &heap, &install, &fail) &&
           host_folder_install(web->host, install.folder, install.dev, install.reinstall, &message, namespace, &fail);
    bool told = !good && fail.code != FAIL_NONE && !heap.failed && value_as_list(lines)->count > 0;
    if (good || told) {
        put_text(&heap, reply, good ? "namespace" : "message", good ? view_of(namespace) : view_of(fail.text));
        map_put_text(&heap, value_as_map(reply), VIEW("messages"), lines);
    }
    finish(exchange, &heap, good || told, reply, &fail);
    if (told) { // why it failed, with every line that was said before
        exchange->status = fail_status(fail.code) == 200 ? 400 : fail_status(fail.code);
    }
}

// ---- keys and functions -------------------------------------------------------------------------

void api_control_key_show(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct heap heap;
    struct fail fail = {0};
    char key[AUTH_KEY_LEN + 1];
    heap_init(&heap, CONTROL_HEAP_BYTES_MAX, NULL);
    struct value reply = value_map(&heap, 1);
    bool good = (!heap.failed || fail_set(&fail, FAIL_MEMORY, NULL)) && host_key_show(web->host, params[0], key, &fail);
    if (good) {
        put_text(&heap, reply, "zapikey", view_of(key));
    }
    finish(exchange, &heap, good, reply, &fail);
}

// "function VERSION NAME URL" → {"version","name","url"}
static void add_function(struct heap *heap, struct list *list, struct view line)
{
    struct value item = value_map(heap, 3);
    if (heap->failed) {
        return;
    }
    view_cut(&line, ' ');
    put_text(heap, item, "version", view_cut(&line, ' '));
    put_text(heap, item, "name", view_cut(&line, ' '));
    put_text(heap, item, "url", line);
    list_add(heap, list, item);
}

void api_control_functions(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct heap heap;
    struct fail fail = {0};
    struct buffer lines;
    heap_init(&heap, CONTROL_HEAP_BYTES_MAX, NULL);
    buffer_init(&lines, CONTROL_LINES_BYTES_MAX);
    struct value list = value_list(&heap, 16);
    bool keys = view_eq(exchange_param(exchange, VIEW("keys")), VIEW("true"));
    bool good = (!heap.failed || fail_set(&fail, FAIL_MEMORY, NULL)) &&
                host_function_urls(web->host, exchange_param(exchange, VIEW("namespace")), keys, &lines, &fail);
    for (struct view rest = good ? buffer_view(&lines) : VIEW_NONE; rest.len > 0;) {
        struct view line = view_cut(&rest, '\n');
        if (line.len > 0) {
            add_function(&heap, value_as_list(list), line);
        }
    }
    buffer_free(&lines);
    finish(exchange, &heap, good, list, &fail);
}

// ---- logs ---------------------------------------------------------------------------------------

static bool read_number(struct exchange *exchange, const char *name, int64_t standard, int64_t *ret_number, struct fail *fail)
{
    struct view text = exchange_param(exchange, view_of(name));
    *ret_number = standard;
    return text.len == 0 || view_to_int64(text, ret_number) || fail_set(fail, FAIL_INVALID_DATA, "%s must be a number", name);
}

// Empty means any. The limit is cut, not refused: `logs` asks again from where it was.
static bool read_query(struct exchange *exchange, struct runlog_query *query, struct fail *fail)
{
    int64_t limit;
    if (!read_number(exchange, "after", 0, &query->after, fail) || !read_number(exchange, "limit", CONTROL_LOGS_STANDARD, &limit, fail)) {
        return false;
    }
    query->limit = (int)(limit < 1 ? 1 : limit > CONTROL_LOGS_MAX ? CONTROL_LOGS_MAX : limit);
    query->org = exchange_param(exchange, VIEW("org"));
    query->environment = exchange_param(exchange, VIEW("environment"));
    query->function = exchange_param(exchange, VIEW("function"));
    query->failures = view_eq(exchange_param(exchange, VIEW("failures")), VIEW("true"));
    return true;
}

void api_control_logs(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct heap heap;
    struct fail fail = {0};
    struct runlog_query query = {0};
    heap_init(&heap, CONTROL_HEAP_BYTES_MAX, NULL);
    struct value reply = value_map(&heap, 2), runs = value_null();
    int64_t last = 0;
    bool good = (!heap.failed || fail_set(&fail, FAIL_MEMORY, NULL)) && read_query(exchange, &query, &fail);
    last = query.after;
    good = good && host_logs(web->host, &query, &heap, &runs, &last, &fail);
    if (good) {
        map_put_text(&heap, value_as_map(reply), VIEW("runs"), runs);
        map_put_text(&heap, value_as_map(reply), VIEW("last"), value_number(last));
    }
    finish(exchange, &heap, good, reply, &fail);
}
