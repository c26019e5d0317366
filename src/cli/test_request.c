// SPDX-License-Identifier: Apache-2.0
// The request of a test: from its JSON to the exchange that the dispatcher gets, as if it had come through the port.
#include "cli/test.h"

#include <stdlib.h>

enum { REQUEST_BYTES_MAX = 64 << 20 };

struct request {
    struct test_run *run;
    struct exchange *exchange;
    const struct map *map; // NULL: none was given
    const struct test_path *path;
    struct buffer query, body;
    struct exchange_header headers[HOST_HEADERS_MAX];
    int header_count;
    bool has_body;
};

static struct value member(const struct request *r, const char *name)
{
    return r->map ? map_get_text(r->map, view_of(name)) : value_null();
}

// Text as it is, anything else as JSON.
static struct view printed(struct test_run *run, struct value v)
{
    struct fail fail;
    struct value text = value_is_text(v) ? v : value_to_text(&run->heap, v, &fail);
    return value_view_or(text, VIEW(""));
}

bool test_run_file(struct test_run *run, const struct test_path *path, struct view name, struct view *ret_bytes)
{
    struct fail fail;
    struct buffer full;
    char *data;
    size_t len;
    buffer_init(&full, 4096);
    if (!view_starts(name, VIEW("/"))) {
        buffer_add(&full, view_of(run->test->file->folder));
    }
    buffer_add(&full, name);
    bool ok = !full.failed && cli_read_file(buffer_text(&full), REQUEST_BYTES_MAX, &data, &len, &fail);
    if (!ok) {
        test_run_broken(run, path, "%s", full.failed ? "the file's name is too long" : fail.text);
    }
    buffer_free(&full);
    char *copy = ok ? heap_alloc(&run->heap, len + 1) : NULL;
    if (copy) {
        memcpy(copy, data, len);
        *ret_bytes = (struct view){copy, len};
    }
    if (ok) {
        free(data);
    }
    return copy != NULL;
}

bool test_run_bytes(struct test_run *run, const struct test_path *path, struct value v, struct view *ret_bytes)
{
    struct view text = printed(run, v);
    if (value_is_text(v) && view_starts(text, VIEW("@@"))) { // a text that begins with one
        text = view_from(text, 1);
    } else if (value_is_text(v) && view_starts(text, VIEW("@"))) {
        return test_run_file(run, path, view_from(text, 1), ret_bytes);
    }
    *ret_bytes = text;
    return true;
}

// ---- query and headers --------------------------------------------------------------------------

static void add_pair(struct buffer *out, struct view name, struct view value)
{
    if (out->len) {
        buffer_add_char(out, '&');
    }
    form_encode(out, name, true);
    buffer_add_char(out, '=');
    form_encode(out, value, true);
}

static void add_pairs(struct request *r, struct buffer *out, const struct map *map)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; map && (entry = map_next(map, &cursor));) {
        add_pair(out, value_view_or(entry->key, VIEW("")), printed(r->run, entry->value));
    }
}

static bool add_header(struct request *r, struct view name, struct view value)
{
    struct view lower = arena_copy(r->exchange->arena, name);
    if (r->header_count == HOST_HEADERS_MAX || !lower.data) {
        test_run_broken(r->run, r->path, "a request has at most %d headers", HOST_HEADERS_MAX);
        return false;
    }
    for (size_t i = 0; i < lower.len; i++) {
        char *c = (char *)lower.data + i;
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
    }
    r->headers[r->header_count++] = (struct exchange_header){lower, value};
    return true;
}

static bool has_header(const struct request *r, struct view name)
{
    for (int i = 0; i < r->header_count; i++) {
        if (view_eq(r->headers[i].name, name)) {
            return true;
        }
    }
    return false;
}

static bool add_headers(struct request *r)
{
    const struct map *headers = value_as_map(member(r, "headers"));
    uint32_t cursor = 0;
    for (struct map_entry *entry; headers && (entry = map_next(headers, &cursor));) {
        if (!add_header(r, value_view_or(entry->key, VIEW("")), printed(r->run, entry->value))) {
            return false;
        }
    }
    return true;
}

// ---- body ---------------------------------------------------------------------------------------

static void add_part(struct request *r, const char *boundary, struct view name, const struct map *file, struct view bytes)
{
    struct view file_name = cli_text(file, "name"), type = cli_text(file, "type");
    buffer_printf(&r->body, "--%s\r\nContent-Disposition: form-data; name=\"%.*s\"", boundary, VIEW_ARGS(name));
    if (file) {
        buffer_printf(&r->body, "; filename=\"%.*s\"\r\nContent-Type: %.*s", VIEW_ARGS(file_name), VIEW_ARGS(type));
    }
    buffer_add(&r->body, VIEW("\r\n\r\n"));
    buffer_add(&r->body, bytes);
    buffer_add(&r->body, VIEW("\r\n"));
}

// The upload that a function finds in file_content, with the form's fields beside it. "file" is its content, or {name, type, content}.
static bool add_upload(struct request *r, struct value file)
{
    static const char boundary[] = "sluice-test-boundary-7f3a";
    struct map *part = test_map(r->run);
    const struct map *given = value_as_map(file), *form = value_as_map(member(r, "form"));
    struct value content = given ? map_get_text(given, VIEW("content")) : file;
    struct view bytes;
    if (!part || !test_run_bytes(r->run, TEST_MEMBER(r->path, VIEW("file")), content, &bytes)) {
        return false;
    }
    struct view name = given                                                             ? cli_text(given, "name")
                       : value_is_text(file) && view_starts(value_view(file), VIEW("@")) ? view_from(value_view(file), 1)
                                                                                         : VIEW("file.txt");
    struct view type = given && cli_text(given, "type").len ? cli_text(given, "type") : VIEW("application/octet-stream");
    test_put(r->run, part, "name", value_text(&r->run->heap, name.len ? name : VIEW("file.txt")));
    test_put(r->run, part, "type", value_text(&r->run->heap, type));
    uint32_t cursor = 0;
    for (struct map_entry *entry; form && (entry = map_next(form, &cursor));) {
        add_part(r, boundary, value_view_or(entry->key, VIEW("")), NULL, printed(r->run, entry->value));
    }
    add_part(r, boundary, VIEW("inputFile"), part, bytes);
    buffer_printf(&r->body, "--%s--\r\n", boundary);
    r->has_body = true;
    return add_header(r, VIEW("content-type"), VIEW("multipart/form-data; boundary=sluice-test-boundary-7f3a"));
}

static bool add_content(struct request *r)
{
    struct value body = member(r, "body"), form = member(r, "form"), file = member(r, "file");
    struct view type = VIEW("text/plain;charset=utf-8");
    if (!value_is_null(file)) {
        return add_upload(r, file);
    }
    if (!value_is_null(body)) {
        struct view bytes;
        if (!test_run_bytes(r->run, TEST_MEMBER(r->path, VIEW("body")), body, &bytes)) {
            return false;
        }
        buffer_add(&r->body, bytes);
        type = value_is_text(body) ? type : VIEW("application/json");
    } else if (!value_is_null(form)) {
        add_pairs(r, &r->body, value_as_map(form));
        type = VIEW("application/x-www-form-urlencoded");
    } else {
        return true;
    }
    r->has_body = true;
    return has_header(r, VIEW("content-type")) || add_header(r, VIEW("content-type"), type);
}

// ---- who and where ------------------------------------------------------------------------------

// The called function's name with its namespace; a bare one is the extension's, or the org's where there is no extension.
static struct view full_name(struct test_run *run)
{
    const struct test_path *path;
    struct view name = value_view_or(test_run_member(run, "function", &path), VIEW(""));
    if (!run->namespace[0] || view_find(name, VIEW("__")) >= 0 || view_find_char(name, '.') >= 0) {
        return name;
    }
    return value_view_or(value_text_printf(&run->heap, "%s__%.*s", run->namespace, VIEW_ARGS(name)), name);
}

// Whose key opens it: the extension's or the org's own; empty for functions that no key opens (button.NAME …).
static struct view key_namespace(struct test_run *run, struct view name)
{
    struct view own = view_of(run->namespace), rest = view_from(name, own.len);
    if (own.len && view_starts_nocase(name, own) && (view_starts(rest, VIEW("__")) || view_starts(rest, VIEW(".")))) {
        return own;
    }
    bool bare = view_find(name, VIEW("__")) < 0 && view_find_char(name, '.') < 0;
    return bare || view_starts_nocase(name, VIEW("standalone.")) || view_starts_nocase(name, VIEW("standalone__")) ? VIEW("standalone")
                                                                                                                   : VIEW("");
}

static bool add_key(struct request *r, struct view namespace)
{
    char key[AUTH_KEY_LEN + 1];
    struct fail fail;
    if (!host_key_show(r->run->host, &r->run->owner, namespace, key, &fail)) {
        test_run_broken(r->run, r->path, "%s", fail.text);
        return false;
    }
    add_pair(&r->query, VIEW("auth_type"), VIEW("apikey"));
    add_pair(&r->query, VIEW("zapikey"), view_of(key));
    return true;
}

// A token of a client of its own.
static bool add_token(struct request *r)
{
    struct host_oauth_client wish = {.name = VIEW("test")};
    struct value client;
    struct fail fail;
    if (!host_oauth_new(r->run->host, &r->run->owner, &wish, &r->run->heap, &client, &fail)) {
        test_run_broken(r->run, r->path, "%s", fail.text);
        return false;
    }
    struct value header =
        value_text_printf(&r->run->heap, "Zoho-oauthtoken %.*s", VIEW_ARGS(cli_text(value_as_map(client), "access_token")));
    add_pair(&r->query, VIEW("auth_type"), VIEW("oauth"));
    return add_header(r, VIEW("authorization"), value_view_or(header, VIEW("")));
}

// As `sluice call` does, which alone may say a record.
static bool be_owner(struct request *r)
{
    struct value record = member(r, "record");
    r->exchange->local = true;
    return value_is_null(record) || add_header(r, VIEW("x-sluice-record"), printed(r->run, record));
}

static bool add_caller(struct request *r)
{
    struct view auth = cli_text(r->map, "auth"), namespace = key_namespace(r->run, full_name(r->run));
    bool record = !value_is_null(member(r, "record"));
    if (!auth.len) {
        auth = namespace.len && !record ? VIEW("apikey") : VIEW("owner");
    }
    if (view_eq(auth, VIEW("owner"))) {
        return be_owner(r);
    }
    if (record) {
        test_run_broken(r->run, TEST_MEMBER(r->path, VIEW("record")), "only the owner says a record: \"auth\": \"owner\"");
        return false;
    }
    if (view_eq(auth, VIEW("apikey"))) {
        return add_key(r, namespace.len ? namespace : view_of(r->run->namespace));
    }
    if (view_eq(auth, VIEW("oauth"))) {
        return add_token(r);
    }
    if (!view_eq(auth, VIEW("wrong")) && !view_eq(auth, VIEW("none"))) {
        test_run_broken(r->run, TEST_MEMBER(r->path, VIEW("auth")), "\"auth\" is apikey, oauth, owner, wrong or none, and this is \"%.*s\"",
                        VIEW_ARGS(auth));
        return false;
    }
    add_pair(&r->query, VIEW("auth_type"), VIEW("apikey"));
    if (view_eq(auth, VIEW("wrong"))) {
        add_pair(&r->query, VIEW("zapikey"), VIEW("1003.00000000000000000000000000000000.00000000000000000000000000000000"));
    }
    return true;
}

// Of the called function: does it answer in the style of version 1.0?
static bool is_v1(struct test_run *run, struct view full)
{
    struct value shown;
    struct fail fail;
    if (!host_ext_list(run->host, &run->owner, false, &run->heap, &shown, &fail)) {
        return false;
    }
    const struct list *extensions = value_as_list(shown);
    for (uint32_t i = 0; extensions && i < extensions->count; i++) {
        const struct list *functions = value_as_list(map_get_text(value_as_map(extensions->items[i]), VIEW("functions")));
        for (uint32_t k = 0; functions && k < functions->count; k++) {
            const struct map *function = value_as_map(functions->items[k]);
            if (view_eq_nocase(cli_text(function, "api_name"), full)) {
                return view_eq(cli_text(function, "version"), VIEW("1.0"));
            }
        }
    }
    return false;
}

static bool choose_url(struct request *r)
{
    struct test_run *run = r->run;
    struct view name = full_name(run), url = cli_text(r->map, "url");
    if (url.len && !view_eq(url, VIEW("v1")) && !view_eq(url, VIEW("v2"))) {
        test_run_broken(run, TEST_MEMBER(r->path, VIEW("url")), "\"url\" is v1 or v2, and this is \"%.*s\"", VIEW_ARGS(url));
        return false;
    }
    bool v1 = url.len ? view_eq(url, VIEW("v1")) : is_v1(run, name);
    struct buffer target;
    buffer_init(&target, REQUEST_BYTES_MAX);
    buffer_add(&target, v1 ? VIEW("/crm/v2/settings/custom_functions/") : VIEW("/crm/v2/functions/"));
    form_encode(&target, name, false);
    buffer_add(&target, v1 ? VIEW("/execute") : VIEW("/actions/execute"));
    r->exchange->path = arena_copy(r->exchange->arena, buffer_view(&target));
    buffer_free(&target);
    return true;
}

static bool give(struct request *r)
{
    struct exchange *exchange = r->exchange;
    struct view method = cli_text(r->map, "method");
    exchange->method = method.len ? method : r->has_body ? VIEW("POST") : VIEW("GET");
    exchange->query = arena_copy(exchange->arena, buffer_view(&r->query));
    exchange->body = arena_copy(exchange->arena, r->body.data ? buffer_view(&r->body) : VIEW(""));
    struct exchange_header *headers = arena_alloc(exchange->arena, sizeof r->headers);
    if (r->query.failed || r->body.failed || !headers || !exchange->query.data || !exchange->body.data) {
        test_run_broken(r->run, r->path, "the request is larger than %d MB", REQUEST_BYTES_MAX >> 20);
        return false;
    }
    memcpy(headers, r->headers, sizeof r->headers);
    exchange->headers = headers;
    exchange->header_count = r->header_count;
    exchange->body_read = true;
    exchange->content_type = exchange_header(exchange, VIEW("content-type"));
    exchange_make_id(exchange);
    return true;
}

bool test_request_fill(struct test_run *run, struct exchange *exchange)
{
    struct request *r = heap_alloc(&run->heap, sizeof *r);
    if (!r) {
        return false;
    }
    *r = (struct request){.run = run, .exchange = exchange};
    r->map = value_as_map(test_run_member(run, "request", &r->path));
    buffer_init(&r->query, REQUEST_BYTES_MAX);
    buffer_init(&r->body, REQUEST_BYTES_MAX);
    bool ok = add_caller(r) && choose_url(r) && add_headers(r) && add_content(r);
    if (ok) {
        add_pairs(r, &r->query, value_as_map(member(r, "params")));
        struct value arguments = member(r, "arguments");
        if (!value_is_null(arguments)) {
            add_pair(&r->query, VIEW("arguments"), printed(run, arguments));
        }
        ok = give(r);
    }
    buffer_free(&r->query);
    buffer_free(&r->body);
    return ok;
}
