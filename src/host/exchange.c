// SPDX-License-Identifier: Apache-2.0
// One request and its reply: looking up headers and parameters, answering in Zoho's envelope.
#include "host/inside.h"

struct view exchange_header(const struct exchange *exchange, struct view name)
{
    for (int i = 0; i < exchange->header_count; i++) {
        if (view_eq(exchange->headers[i].name, name)) {
            return exchange->headers[i].value;
        }
    }
    return VIEW_NONE;
}

bool exchange_reply_header(struct exchange *exchange, struct view name, struct view value)
{
    if (exchange->reply_header_count == HOST_HEADERS_MAX) {
        return false;
    }
    struct exchange_header header = {arena_copy(exchange->arena, name), arena_copy(exchange->arena, value)};
    if (!header.name.data || !header.value.data) {
        return false;
    }
    exchange->reply_headers[exchange->reply_header_count++] = header;
    return true;
}

bool exchange_collect(struct exchange *exchange, struct fail *fail)
{
    struct view piece;
    if (!exchange->reply_next) {
        return true;
    }
    char *body = arena_alloc(exchange->arena, (size_t)exchange->reply_length + 1);
    int64_t len = 0;
    while (body && len < exchange->reply_length && exchange->reply_next(exchange->reply_arg, &piece) &&
           (int64_t)piece.len <= exchange->reply_length - len) {
        memcpy(body + len, piece.data, piece.len);
        len += (int64_t)piece.len;
    }
    exchange->reply_end(exchange->reply_arg);
    exchange->reply_next = NULL;
    if (!body || len < exchange->reply_length) {
        return fail_set(fail, body ? FAIL_CLOSED : FAIL_TOO_LARGE, body ? "the reply ended too early" : "the reply is too large");
    }
    exchange->reply_body = (struct view){body, (size_t)len};
    exchange->reply_length = 0;
    return true;
}

void exchange_reply_json(struct exchange *exchange, int status, struct view body)
{
    exchange->status = status;
    exchange->reply_type = VIEW("application/json;charset=utf-8");
    exchange->reply_body = body;
}

// Faults of the machine name files and libraries: they go to the process log, and only the owner's commands see them.
static const char *shown_text(const struct exchange *exchange, const struct fail *fail)
{
    if (fail_status(fail->code) != 500 || exchange->local) {
        return fail->text;
    }
    log_line(LOG_ERROR, "call", "id=%s %s: %s", exchange->id, fail_symbol(fail->code), fail->text);
    return fail_default_text(FAIL_INTERNAL);
}

void exchange_reply_fail(struct exchange *exchange, const struct fail *fail)
{
    struct buffer body;
    buffer_init(&body, 4 * FAIL_TEXT_MAX + 256);
    buffer_printf(&body, "{\"code\":\"%s\",\"details\":{},\"message\":", fail_name(fail->code));
    json_write_text(&body, view_of(shown_text(exchange, fail)));
    buffer_add(&body, VIEW(",\"status\":\"error\"}"));
    exchange_reply_json(exchange, fail_status(fail->code), arena_copy(exchange->arena, buffer_view(&body)));
    buffer_free(&body);
}

static int hex_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

// Percent-decodes into the arena; broken escapes stay as they are.
static struct view decode(struct arena *arena, struct view text)
{
    if (view_find_char(text, '%') < 0 && view_find_char(text, '+') < 0) {
        return text;
    }
    struct view copy = arena_copy(arena, text);
    char *out = (char *)copy.data;
    size_t len = 0;
    for (size_t i = 0; out && i < text.len; i++) {
        char c = text.data[i];
        if (c == '%' && i + 2 < text.len && hex_of(text.data[i + 1]) >= 0 && hex_of(text.data[i + 2]) >= 0) {
            c = (char)(hex_of(text.data[i + 1]) << 4 | hex_of(text.data[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        out[len++] = c;
    }
    return (struct view){out, len};
}

struct view exchange_param(struct exchange *exchange, struct view name)
{
    struct view rest = exchange->query, found = VIEW_NONE;
    while (rest.len) {
        struct view value = view_cut(&rest, '&');
        struct view key = view_cut(&value, '=');
        if (view_eq(key, name)) {
            found = value.data ? value : VIEW("");
        }
    }
    return found.data ? decode(exchange->arena, found) : VIEW_NONE;
}

struct exchange exchange_inner(struct arena *arena, const struct host_env *env)
{
    struct exchange exchange = {.arena = arena,
                                .method = VIEW("POST"),
                                .path = VIEW("/"),
                                .body_read = true,
                                .identity = host_env_identity(env, IDENTITY_OWNER, VIEW(""))};
    exchange_make_id(&exchange);
    return exchange;
}

void exchange_make_id(struct exchange *exchange)
{
    uint64_t random[2] = {random_fast(), random_fast()};
    hex_print(exchange->id, random, HOST_ID_LEN / 2);
    exchange->id[HOST_ID_LEN] = 0;
}
