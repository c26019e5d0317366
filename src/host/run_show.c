// SPDX-License-Identifier: Apache-2.0
// One run in full: its row of the run log, and what kept.c has of it, made readable. Nothing that signs a caller in comes out: headers and
// parameters that do have the value ***, and so has whatever looks like a key or token of ours, wherever it stands.
#include "host/kept.h"

#include <stdlib.h>

static const struct view HIDDEN = {"***", 3};

struct showing {
    struct host *host;
    struct host_env *env;
    const struct kept *kept;
    struct heap *heap;
    struct view canonical, version; // of the function
    bool called; // by a request: else the kept one is made up
};

static void put(struct heap *heap, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, view_of(key), value);
    }
}

// ---- hiding -------------------------------------------------------------------------------------

bool kept_hides_header(struct view name)
{
    static const char *const names[] = {"authorization", "proxy-authorization", "cookie", "x-csrf-token", "x-sluice-key"};
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        if (view_eq_nocase(name, view_of(names[i]))) {
            return true;
        }
    }
    return false;
}

// "1003." + 32 hex + "." + 32 hex: keys, and tokens with 1000.
static bool is_key(struct view text)
{
    enum { PREFIX = 5, HALF = 32 };
    if (text.len < AUTH_KEY_LEN || (memcmp(text.data, "1003.", PREFIX) != 0 && memcmp(text.data, "1000.", PREFIX) != 0) ||
        text.data[PREFIX + HALF] != '.') {
        return false;
    }
    for (size_t i = PREFIX; i < AUTH_KEY_LEN; i++) {
        char c = text.data[i];
        if (i != PREFIX + HALF && !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

static struct value shown_text(struct heap *heap, struct view text)
{
    struct buffer out;
    if (view_find(text, VIEW("100")) < 0) {
        return value_text(heap, text);
    }
    buffer_init(&out, text.len + 1);
    for (size_t from = 0; from < text.len;) {
        ptrdiff_t next = view_find(view_from(text, from), VIEW("100"));
        size_t at = next < 0 ? text.len : from + (size_t)next;
        bool key = next >= 0 && is_key(view_from(text, at));
        size_t until = key ? at + 5 : at + (next < 0 ? 0 : 3);
        buffer_add(&out, view_slice(text, from, until - from));
        buffer_add(&out, key ? HIDDEN : VIEW(""));
        from = key ? at + AUTH_KEY_LEN : until;
    }
    struct value shown = value_text(heap, buffer_view(&out));
    buffer_free(&out);
    return shown;
}

static struct value shown_query(struct heap *heap, struct view query)
{
    struct buffer out;
    buffer_init(&out, KEPT_HEAD_BYTES_MAX + 64);
    while (query.len > 0) {
        struct view pair = view_cut(&query, '&'), value = pair, name = view_cut(&value, '=');
        buffer_add(&out, out.len ? VIEW("&") : VIEW(""));
        buffer_add(&out, view_eq_nocase(name, VIEW("zapikey")) ? name : pair);
        if (view_eq_nocase(name, VIEW("zapikey"))) {
            buffer_add_char(&out, '=');
            buffer_add(&out, HIDDEN);
        }
    }
    struct value shown = shown_text(heap, buffer_view(&out));
    buffer_free(&out);
    return shown;
}

static void add_header(struct heap *heap, struct value list, struct view name, struct view value)
{
    struct value pair = value_list(heap, 2);
    if (pair.type == VALUE_LIST && list.type == VALUE_LIST) {
        list_add(heap, pair.list, value_text(heap, name));
        list_add(heap, pair.list, kept_hides_header(name) ? value_text(heap, HIDDEN) : shown_text(heap, value));
        list_add(heap, list.list, pair);
    }
}

// "body" as text, or "body_base64"; and how long it was, if more than that.
static void put_body(struct heap *heap, struct value map, struct view body, uint64_t bytes)
{
    bool cut = bytes > body.len;
    body.len = cut && utf8_valid(view_slice(body, 0, utf8_clamp(body, body.len))) ? utf8_clamp(body, body.len) : body.len;
    bool text = utf8_valid(body);
    put(heap, map, "body", text ? shown_text(heap, body) : value_text(heap, VIEW("")));
    if (!text) {
        char *digits = malloc(base64_size(body.len) + 1);
        put(heap, map, "body_base64", digits ? value_text(heap, (struct view){digits, base64_print(digits, body)}) : value_null());
        free(digits);
    }
    put(heap, map, "body_bytes", value_number((int64_t)bytes));
    put(heap, map, "cut", value_bool(cut));
}

// ---- the parts ----------------------------------------------------------------------------------

static struct value show_request(struct showing *showing, const struct exchange *exchange)
{
    struct heap *heap = showing->heap;
    struct value map = value_map(heap, 8), headers = value_list(heap, (size_t)exchange->header_count);
    put(heap, map, "method", value_text(heap, exchange->method));
    put(heap, map, "path", shown_text(heap, exchange->path));
    put(heap, map, "query", shown_query(heap, exchange->query));
    for (int i = 0; i < exchange->header_count; i++) {
        add_header(heap, headers, exchange->headers[i].name, exchange->headers[i].value);
    }
    put(heap, map, "headers", headers);
    put_body(heap, map, exchange->body, showing->kept->body_bytes);
    return map;
}

static struct value show_reply(struct showing *showing)
{
    struct heap *heap = showing->heap;
    struct value map = value_map(heap, 6), headers = value_list(heap, 4);
    put(heap, map, "status", value_number(showing->kept->status));
    if (showing->kept->lens[KEPT_TYPE]) {
        add_header(heap, headers, VIEW("Content-Type"), kept_text(showing->kept, KEPT_TYPE));
    }
    for (struct view rest = kept_text(showing->kept, KEPT_REPLY_HEAD); rest.len > 0;) {
        struct view value = view_trim(view_cut(&rest, '\n')), name = view_cut(&value, ':');
        add_header(heap, headers, name, view_trim(value));
    }
    put(heap, map, "headers", headers);
    put_body(heap, map, kept_text(showing->kept, KEPT_REPLY), showing->kept->reply_bytes);
    return map;
}

static struct value show_call(struct heap *heap, const struct kept_call *call, struct view name, struct view method, struct view detail)
{
    struct value map = value_map(heap, 7);
    const char *outcome = call->request ? (call->status == 0    ? "failed"
                                           : call->status < 400 ? "ok"
                                                                : "refused")
                                        : (call->status > 0    ? "ok"
                                           : call->status == 0 ? "refused"
                                                               : "failed");
    put(heap, map, "name", value_text(heap, name));
    put(heap, map, "method", value_text(heap, method));
    put(heap, map, "detail", shown_text(heap, detail));
    put(heap, map, "start_ms", value_decimal((double)call->start_us / 1000));
    put(heap, map, "duration_ms", value_decimal((double)call->took_us / 1000));
    put(heap, map, "status", call->request && call->status ? value_number(call->status) : value_null());
    put(heap, map, "outcome", value_text(heap, view_of(outcome)));
    return map;
}

static struct value show_calls(struct showing *showing)
{
    struct value list = value_list(showing->heap, 8);
    struct view rest = kept_text(showing->kept, KEPT_CALLS);
    struct kept_call call;
    while (rest.len >= sizeof call && list.type == VALUE_LIST) {
        memcpy(&call, rest.data, sizeof call);
        rest = view_from(rest, sizeof call);
        struct view name = view_slice(rest, 0, call.name_len), method = view_slice(rest, call.name_len, call.method_len);
        struct view detail = view_slice(rest, (size_t)call.name_len + call.method_len, call.detail_len);
        rest = view_from(rest, (size_t)call.name_len + call.method_len + call.detail_len);
        list_add(showing->heap, list.list, show_call(showing->heap, &call, name, method, detail));
    }
    return list;
}

// ---- what the script saw ------------------------------------------------------------------------

// Headers that sign somebody in are the script's business, not the reader's.
static void hide_members(struct heap *heap, struct value request)
{
    struct map *headers = value_as_map(map_get_text(request.map, VIEW("headers")));
    uint32_t cursor = 0;
    for (struct map_entry *entry; headers && (entry = map_next(headers, &cursor)) != NULL;) {
        if (kept_hides_header(value_view_or(entry->key, VIEW("")))) {
            entry->value = value_text(heap, HIDDEN);
        }
    }
}

// Made anew, as for the run: by the same function from the same bytes. The text is for people, so keys in it are hidden like elsewhere.
static struct value read_back(struct showing *showing, struct run *run)
{
    struct value seen = run->function->api_version == 1 ? run->request_v1 : run->request_v2, shown = value_null();
    struct buffer json;
    struct fail ignored;
    hide_members(&run->heap, run->request_v2);
    buffer_init(&json, 4 * (KEPT_BODY_BYTES_MAX + KEPT_HEAD_BYTES_MAX) * 2);
    if (json_write(&json, seen, run->heap.zone, &ignored) && !json.failed) {
        struct value text = shown_text(showing->heap, buffer_view(&json));
        if (!json_read(showing->heap, value_view_or(text, VIEW("")), &shown, &ignored)) {
            shown = value_null();
        }
    }
    buffer_free(&json);
    return shown;
}

static struct value show_seen(struct showing *showing, const struct exchange *exchange, const char **ret_name)
{
    struct exchange asked = *exchange;
    struct run_options options = {.env = showing->env, .exchange = &asked};
    struct value seen = value_null();
    struct fail ignored;
    *ret_name = "crmAPIRequest";
    kept_caller(showing->kept, showing->env, &asked);
    if (showing->kept->body_bytes > exchange->body.len ||
        !functions_find(showing->env, showing->canonical, &options.pin, &options.function, &ignored)) {
        return seen;
    }
    struct run *run = options.function ? run_open(showing->host, &options, &ignored) : NULL;
    if (!run) {
        functions_unpin(showing->env, options.pin);
        return seen;
    }
    *ret_name = options.function->api_version == 1 ? "requestMap" : *ret_name;
    if (run_bind(run, &ignored)) {
        seen = read_back(showing, run);
    }
    run_close(run);
    return seen;
}

// ---- the script that ran ------------------------------------------------------------------------

struct source_query {
    const struct kept *kept;
    struct view canonical, version;
    struct heap *heap;
    struct value source;
    bool found;
};

static bool take_source(void *arg, const struct ext_installed_function *row, struct fail *fail)
{
    struct source_query *query = arg;
    (void)fail;
    if (view_hash(row->source) == query->kept->source_hash) {
        query->source = value_text(query->heap, row->source);
    }
    return true;
}

static bool source_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct source_query *query = arg;
    return ext_function_find_tx(tx, query->canonical, take_source, query, &query->found, fail);
}

static bool version_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct source_query *query = arg;
    struct view rest = query->canonical, namespace = view_slice(rest, 0, (size_t)view_find(rest, VIEW("__")));
    struct ext_published version;
    struct ext_files *files;
    if (!ext_published_files_tx(tx, namespace, query->version, &version, &files, fail)) {
        return false;
    }
    for (int i = 0; i < files->count; i++) {
        if (view_hash(files->items[i].bytes) == query->kept->source_hash) {
            query->source = value_text(query->heap, files->items[i].bytes);
        }
    }
    ext_files_free(files);
    return true;
}

// Of an extension that has been upgraded since: the version that ran never changes.
static struct value find_published(struct showing *showing, struct source_query *query)
{
    struct store_env *control;
    struct fail ignored;
    bool there;
    if (view_find(query->canonical, VIEW("__")) > 0 && query->version.len &&
        host_control_known(showing->host, &control, &there, &ignored) && there) {
        store_read(control, version_tx, query, &ignored);
    }
    return query->source;
}

// Among the saves of a function: of the org's own, or of an extension as it is written here.
static struct value find_saved(struct showing *showing)
{
    struct identity who = host_env_identity(showing->env, IDENTITY_OWNER, VIEW(""));
    struct view name = showing->canonical, namespace = view_slice(name, 0, (size_t)(view_find(name, VIEW("__"))));
    struct value saves = value_null();
    struct fail ignored;
    bool own = ext_kind_find(namespace) != NULL;
    bool found = own ? host_fn_history(showing->host, &who, name, showing->heap, &saves, &ignored)
                     : host_draft_history(showing->host, &who, namespace, name, false, showing->heap, &saves, &ignored);
    const struct list *list = found ? value_as_list(saves) : NULL;
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct map *saved = value_as_map(list->items[i]);
        struct value source = saved ? map_get_text(saved, VIEW("source")) : value_null();
        if (value_is_text(source) && view_hash(value_view(source)) == showing->kept->source_hash) {
            return source;
        }
    }
    return value_null();
}

// Of what is saved now, or was before and is still known; null when it is another.
static struct value show_source(struct showing *showing)
{
    struct source_query query = {
        .kept = showing->kept, .canonical = showing->canonical, .version = showing->version, .heap = showing->heap, .source = value_null()};
    struct fail ignored;
    bool known = showing->kept->source_hash != 0 && view_find(showing->canonical, VIEW("__")) > 0;
    if (!known || !store_read(showing->env->env, source_tx, &query, &ignored) || !value_is_null(query.source) ||
        !value_is_null(find_published(showing, &query))) {
        return query.source;
    }
    return find_saved(showing);
}

// ---- all of it ----------------------------------------------------------------------------------

static void put_kept(struct showing *showing, struct value run)
{
    struct heap *heap = showing->heap;
    struct arena arena;
    struct fail ignored;
    arena_init(&arena, HOST_EXCHANGE_BYTES_MAX);
    struct exchange exchange = {.arena = &arena};
    bool there = showing->kept && kept_request(showing->kept, &exchange, &ignored);
    const char *name = "crmAPIRequest";
    struct value seen = there && showing->called ? show_seen(showing, &exchange, &name) : value_null();
    put(heap, run, "request", there && showing->called ? show_request(showing, &exchange) : value_null());
    put(heap, run, name, seen);
    put(heap, run, "reply", there ? show_reply(showing) : value_null());
    put(heap, run, "calls", there ? show_calls(showing) : value_null());
    put(heap, run, "calls_made", there ? value_number(showing->kept->calls) : value_null());
    put(heap, run, "statements_max", there && showing->kept->statements_max ? value_number(showing->kept->statements_max) : value_null());
    put(heap, run, "source", there ? show_source(showing) : value_null());
    arena_free(&arena);
}

bool host_run_show(struct host *host, const struct identity *who, struct view id, struct heap *heap, struct value *ret_map,
                   struct fail *fail)
{
    struct showing showing = {.host = host, .heap = heap};
    struct value run;
    char text[4 * EXT_NAME_MAX];
    if (!host_env_of(host, who, &showing.env, fail) || !runs_find(host, showing.env, id, heap, &run, fail)) {
        return false;
    }
    if (!host_fn_canonical(value_view_or(map_get_text(run.map, VIEW("function")), VIEW("")), text, &showing.canonical)) {
        showing.canonical = VIEW("");
    }
    showing.version = value_view_or(map_get_text(run.map, VIEW("version")), VIEW(""));
    showing.called = runs_is_call(value_view_or(map_get_text(run.map, VIEW("trigger")), VIEW("")));
    struct kept *kept = kept_find(host, showing.env, id);
    showing.kept = kept;
    put_kept(&showing, run);
    free(kept);
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    *ret_map = run;
    return true;
}
