// SPDX-License-Identifier: Apache-2.0
// Repeating a run: the kept request, or an edited one, goes to the same function as the same caller. The key or token that brought the
// caller here is not needed again; his function must still take calls of that kind.
#include "host/kept.h"

#include <stdlib.h>

// ---- the request of a kept run ------------------------------------------------------------------

// The head was read strictly once (web/http_head.c): there are no lines here that could be read in two ways.
bool kept_request(const struct kept *kept, struct exchange *exchange, struct fail *fail)
{
    struct view rest = kept_text(kept, KEPT_HEAD), line = VIEW("");
    while (rest.len > 0 && line.len == 0) {
        line = view_trim(view_cut(&rest, '\n'));
    }
    exchange->method = view_cut(&line, ' ');
    exchange->query = view_cut(&line, ' ');
    exchange->path = view_cut(&exchange->query, '?');
    struct exchange_header *headers = arena_alloc(exchange->arena, HOST_HEADERS_MAX * sizeof *headers);
    int count = 0;
    while (headers && rest.len > 0 && count < HOST_HEADERS_MAX) {
        struct view value = view_trim(view_cut(&rest, '\n')), name = view_cut(&value, ':');
        if (name.len > 0) {
            headers[count++] = (struct exchange_header){name, view_trim(value)};
        }
    }
    exchange->headers = headers;
    exchange->header_count = count;
    exchange->content_type = exchange_header(exchange, VIEW("content-type"));
    exchange->body = kept_text(kept, KEPT_BODY);
    exchange->body_read = true;
    return headers || fail_set(fail, FAIL_MEMORY, NULL);
}

// Who called then, and what of the request a script gets: a HEAD runs as a GET.
void kept_caller(const struct kept *kept, const struct host_env *env, struct exchange *exchange)
{
    exchange->identity = host_env_identity(env, (enum identity_kind)kept->who.kind, view_of(kept->namespace));
    exchange->identity.user_id = kept->who.user_id;
    exchange->identity.scopes = kept->who.scopes;
    exchange->local = kept->who.local;
    exchange->sandbox = env->sandbox;
    if (view_eq(exchange->method, VIEW("HEAD"))) {
        exchange->method = VIEW("GET");
    }
}

// ---- editing ------------------------------------------------------------------------------------

static bool is_word(struct view text, size_t most)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c <= ' ' || c >= 0x7F || memchr("\"(),/:;<=>?@[\\]{}", c, 17)) {
            return false;
        }
    }
    return text.len > 0 && text.len <= most;
}

static bool has_control(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < ' ' && text.data[i] != '\t') {
            return true;
        }
    }
    return false;
}

static bool edit_method(struct exchange *exchange, const struct map *edit, struct fail *fail)
{
    struct value method = map_get_text(edit, VIEW("method"));
    if (!value_is_null(method)) {
        exchange->method = value_view_or(method, VIEW(""));
    }
    return is_word(exchange->method, 32) || fail_set(fail, FAIL_INVALID_DATA, "\"method\" must be a method of HTTP, such as POST");
}

static bool edit_query(struct exchange *exchange, const struct map *edit, struct fail *fail)
{
    struct value query = map_get_text(edit, VIEW("query")), path = map_get_text(edit, VIEW("path"));
    if (!value_is_null(path)) { // with a query of its own, as people write addresses
        struct view rest = value_view_or(path, VIEW("")), plain = view_cut(&rest, '?');
        if (!view_eq(plain, exchange->path)) {
            return fail_set(fail, FAIL_INVALID_DATA, "\"path\" must stay: a run is repeated with the same function");
        }
        exchange->query = rest;
    }
    if (!value_is_null(query)) {
        exchange->query = value_view_or(query, VIEW("\n")); // no text, and refused as that
    }
    return (exchange->query.len <= KEPT_HEAD_BYTES_MAX && !has_control(exchange->query)) ||
           fail_set(fail, FAIL_INVALID_DATA, "\"query\" must be text of at most %d bytes", KEPT_HEAD_BYTES_MAX);
}

static struct view lower(struct arena *arena, struct view text)
{
    struct view copy = arena_copy(arena, text);
    for (size_t i = 0; copy.data && i < copy.len; i++) {
        char *c = (char *)copy.data + i;
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
    }
    return copy;
}

// Those that were hidden come back as ***, and are as they were; to leave one out is to take it away.
static bool edit_header(struct exchange *exchange, struct exchange_header *header, struct value pair, struct fail *fail)
{
    const struct list *list = value_as_list(pair);
    if (!list || list->count != 2 || !value_is_text(list->items[0]) || !value_is_text(list->items[1])) {
        return fail_set(fail, FAIL_INVALID_DATA, "\"headers\" must be a list of [name, value]");
    }
    header->name = lower(exchange->arena, value_view(list->items[0]));
    header->value = view_trim(value_view(list->items[1]));
    if (!is_word(header->name, 256) || has_control(header->value) || header->value.len > KEPT_HEAD_BYTES_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "a header's name is a word, and its value one line");
    }
    if (kept_hides_header(header->name) && view_eq(header->value, VIEW("***"))) {
        header->value = exchange_header(exchange, header->name);
    }
    return true;
}

static bool edit_headers(struct exchange *exchange, const struct map *edit, struct fail *fail)
{
    struct value given = map_get_text(edit, VIEW("headers"));
    const struct list *list = value_as_list(given);
    if (value_is_null(given)) {
        return true;
    }
    if (!list || list->count > HOST_HEADERS_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "\"headers\" must be a list of [name, value], at most %d", HOST_HEADERS_MAX);
    }
    struct exchange_header *headers = arena_alloc(exchange->arena, (list->count + 1) * sizeof *headers);
    for (uint32_t i = 0; headers && i < list->count; i++) {
        if (!edit_header(exchange, &headers[i], list->items[i], fail)) {
            return false;
        }
    }
    if (!headers) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    exchange->headers = headers;
    exchange->header_count = (int)list->count;
    exchange->content_type = exchange_header(exchange, VIEW("content-type"));
    return true;
}

static bool edit_body(struct host *host, struct exchange *exchange, const struct map *edit, struct fail *fail)
{
    struct value body = map_get_text(edit, VIEW("body"));
    if (value_is_null(body)) {
        return true;
    }
    exchange->body = value_view_or(body, VIEW_NONE);
    if (!value_is_text(body) || exchange->body.len > (size_t)host->limits[LIMIT_BODY_BYTES]) {
        return fail_set(fail, FAIL_INVALID_DATA, "\"body\" must be text, not longer than the limit body_bytes");
    }
    struct view length = arena_printf(exchange->arena, "%zu", exchange->body.len);
    struct exchange_header *headers = arena_alloc(exchange->arena, (size_t)(exchange->header_count + 1) * sizeof *headers);
    for (int i = 0; headers && i < exchange->header_count; i++) {
        headers[i] = exchange->headers[i];
        headers[i].value = view_eq(headers[i].name, VIEW("content-length")) ? length : headers[i].value;
    }
    exchange->headers = headers;
    return headers || fail_set(fail, FAIL_MEMORY, NULL);
}

// ---- running ------------------------------------------------------------------------------------

bool runs_is_call(struct view trigger)
{
    static const char *const calls[] = {"rest", "function", "replay"};
    for (size_t i = 0; i < BASE_COUNT(calls); i++) {
        if (view_eq(trigger, view_of(calls[i]))) {
            return true;
        }
    }
    return false;
}

static bool may_repeat(const struct map *run, const struct kept *kept, bool edited_body, struct fail *fail)
{
    struct view trigger = value_view_or(map_get_text(run, VIEW("trigger")), VIEW(""));
    if (!runs_is_call(trigger)) {
        return fail_set(fail, FAIL_INVALID_DATA, "a run that was started by \"%.*s\" is no call, and cannot be repeated",
                        VIEW_ARGS(trigger));
    }
    if (!kept) {
        return fail_set(fail, FAIL_INVALID_DATA,
                        "the request of this run is not kept any more: it is too long ago, or the server has been started since");
    }
    if (kept->body_bytes > kept->lens[KEPT_BODY] && !edited_body) {
        return fail_set(fail, FAIL_INVALID_DATA, "the body of this run's request was longer than what is kept of one (%d bytes)",
                        KEPT_BODY_BYTES_MAX);
    }
    return true;
}

static bool repeat(struct host *host, const struct host_env *env, struct view function, const struct kept *kept, const struct map *edit,
                   char ret_id[HOST_ID_LEN + 1], struct fail *fail)
{
    struct arena arena;
    arena_init(&arena, HOST_EXCHANGE_BYTES_MAX);
    struct exchange exchange = {.arena = &arena};
    bool good = kept_request(kept, &exchange, fail);
    if (good && edit) {
        good = edit_method(&exchange, edit, fail) && edit_query(&exchange, edit, fail) && edit_headers(&exchange, edit, fail) &&
               edit_body(host, &exchange, edit, fail);
    }
    if (good) {
        kept_caller(kept, env, &exchange); // what counts calls does not count this one
        exchange.trigger = "replay";
        exchange_make_id(&exchange);
        memcpy(ret_id, exchange.id, HOST_ID_LEN + 1);
        host_function_call(host, &exchange, function);
    }
    arena_free(&arena);
    return good;
}

bool host_run_replay(struct host *host, const struct identity *who, struct view id, const struct map *edit, char ret_id[HOST_ID_LEN + 1],
                     struct fail *fail)
{
    struct host_env *env;
    struct heap heap;
    struct value run;
    heap_init(&heap, HOST_EXCHANGE_BYTES_MAX, NULL);
    bool good = host_env_of(host, who, &env, fail) && runs_find(host, env, id, &heap, &run, fail);
    struct kept *kept = good ? kept_find(host, env, id) : NULL;
    good = good && may_repeat(run.map, kept, edit && value_is_text(map_get_text(edit, VIEW("body"))), fail) &&
           repeat(host, env, value_view_or(map_get_text(run.map, VIEW("function")), VIEW("")), kept, edit, ret_id, fail);
    free(kept);
    heap_free(&heap);
    return good;
}
