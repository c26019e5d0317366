// SPDX-License-Identifier: Apache-2.0
// invokeurl, getUrl and postUrl (spec/deluge-language.md §6, spec/deluge-builtins.md §11.1): a bracket block's attributes become one
// request, the answer becomes a value. Statuses of 400 and above do not throw. What goes to our own URLs or a Zoho host is answered inside
// (nested.c).
#include "host/connection.h"

enum { URL_BYTES_MAX = 65536, REQUEST_BYTES_MAX = 32 << 20, REQUEST_HEADERS_MAX = 64 };

struct url_request {
    struct native_call *call;
    struct run *run;
    const struct map *attributes;
    struct buffer url, body;
    struct connection_request request;
    struct view default_type; // Content-Type unless the script gave one
    bool has_type;
};

static struct value attribute(const struct url_request *r, const char *name)
{
    return value_resolve(map_get_text(r->attributes, view_of(name)));
}

static bool is_true(struct value v)
{
    return (v.type == VALUE_BOOL && v.boolean) || (value_is_text(v) && view_eq_nocase(view_trim(value_view(v)), VIEW("true")));
}

static struct view printed(struct url_request *r, struct value v)
{
    return value_view_or(value_is_text(v) ? v : value_to_text(r->call->heap, v, r->call->fail), VIEW(""));
}

// ---- parts of a request -------------------------------------------------------------------------

static bool add_header(struct url_request *r, struct view name, struct view value)
{
    if (r->request.out.header_count == REQUEST_HEADERS_MAX) {
        return native_fail(r->call, "invokeurl sends at most %d headers", REQUEST_HEADERS_MAX);
    }
    r->has_type |= view_eq_nocase(name, VIEW("content-type"));
    r->request.headers[r->request.out.header_count++] = (struct out_header){name, value};
    return true;
}

static bool read_headers(struct url_request *r)
{
    const struct map *map = value_as_map(attribute(r, "headers"));
    uint32_t cursor = 0;
    for (struct map_entry *entry; map && (entry = map_next(map, &cursor));) {
        if (!add_header(r, printed(r, entry->key), printed(r, entry->value))) {
            return false;
        }
    }
    struct value type = attribute(r, "content-type");
    return r->has_type || !value_is_text(type) || add_header(r, VIEW("Content-Type"), value_view(type));
}

static void add_pairs(struct url_request *r, struct buffer *out, const struct map *map, bool first)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(map, &cursor)); first = false) {
        if (!first) {
            buffer_add_char(out, '&');
        }
        form_encode(out, printed(r, entry->key), true);
        buffer_add_char(out, '=');
        form_encode(out, value_is_null(entry->value) ? VIEW("") : printed(r, entry->value), true);
    }
}

// Blanks and control bytes in a script's URL are encoded; everything else is as the script wrote it.
static void add_url(struct url_request *r, struct view url)
{
    for (size_t i = 0; i < url.len; i++) {
        unsigned char c = (unsigned char)url.data[i];
        if (c <= 0x20 || c >= 0x7F || c == '"' || c == '<' || c == '>') {
            buffer_printf(&r->url, "%%%02X", c);
        } else {
            buffer_add_char(&r->url, (char)c);
        }
    }
}

static void begin_query(struct url_request *r)
{
    struct view url = buffer_view(&r->url);
    ptrdiff_t mark = view_find_char(url, '?');
    if (mark < 0) {
        buffer_add_char(&r->url, '?');
    } else if (url.len && url.data[url.len - 1] != '?' && url.data[url.len - 1] != '&') {
        buffer_add_char(&r->url, '&');
    }
}

static bool without_body(struct view method)
{
    return view_eq(method, VIEW("GET")) || view_eq(method, VIEW("DELETE")) || view_eq(method, VIEW("HEAD")) ||
           view_eq(method, VIEW("OPTIONS"));
}

// ---- multipart ----------------------------------------------------------------------------------

static void quote_into(struct buffer *out, struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '"' || c == '\r' || c == '\n') { // as browsers write them
            buffer_printf(out, "%%%02X", (unsigned char)c);
        } else {
            buffer_add_char(out, c);
        }
    }
}

static void add_part(struct url_request *r, const char *boundary, struct view name, const struct file *file, struct view text)
{
    buffer_printf(&r->body, "--%s\r\nContent-Disposition: form-data; name=\"", boundary);
    quote_into(&r->body, name);
    buffer_add_char(&r->body, '"');
    if (file) {
        buffer_add(&r->body, VIEW("; filename=\""));
        quote_into(&r->body, value_view_or(file->name, VIEW("file")));
        buffer_add(&r->body, VIEW("\"\r\nContent-Type: "));
        quote_into(&r->body, value_view_or(file->type, VIEW("application/octet-stream")));
    }
    buffer_add(&r->body, VIEW("\r\n\r\n"));
    buffer_add(&r->body, file ? file->bytes : text);
    buffer_add(&r->body, VIEW("\r\n"));
}

static void add_value_part(struct url_request *r, const char *boundary, struct view name, struct value v)
{
    v = value_resolve(v);
    const struct map *part = value_as_map(v);
    if (v.type == VALUE_FILE) {
        add_part(r, boundary,
                 value_is_text(v.file->param_name) ? value_view(v.file->param_name)
                 : name.len                        ? name
                                                   : VIEW("file"),
                 v.file, VIEW(""));
    } else if (part && !name.len) { // {"stringPart":"true","paramName":…,"content":…} or {"param-name":…,"param-value":…}
        struct value own = map_get_text(part, VIEW("paramName")), content = map_get_text(part, VIEW("content"));
        own = value_is_null(own) ? map_get_text(part, VIEW("param-name")) : own;
        content = value_resolve(value_is_null(content) ? map_get_text(part, VIEW("param-value")) : content);
        add_part(r, boundary, printed(r, own), content.type == VALUE_FILE ? content.file : NULL,
                 content.type == VALUE_FILE ? VIEW("") : printed(r, content));
    } else {
        add_part(r, boundary, name, NULL, printed(r, v));
    }
}

static bool write_multipart(struct url_request *r, const struct map *fields, struct value files)
{
    char boundary[40] = "sluice-";
    random_hex(boundary + 7, 24);
    boundary[31] = 0;
    uint32_t cursor = 0;
    for (struct map_entry *entry; fields && (entry = map_next(fields, &cursor));) {
        add_value_part(r, boundary, printed(r, entry->key), entry->value);
    }
    const struct list *list = value_as_list(files);
    for (uint32_t i = 0; list && i < list->count; i++) {
        add_value_part(r, boundary, VIEW(""), list->items[i]);
    }
    if (!list && !value_is_null(files)) {
        add_value_part(r, boundary, VIEW(""), files);
    }
    buffer_printf(&r->body, "--%s--\r\n", boundary);
    struct value type = value_text_printf(r->call->heap, "multipart/form-data; boundary=%s", boundary);
    for (int i = 0; i < r->request.out.header_count; i++) { // a Content-Type of the script lacks the boundary
        if (view_eq_nocase(r->request.headers[i].name, VIEW("content-type"))) {
            r->request.headers[i] = r->request.headers[--r->request.out.header_count];
            break;
        }
    }
    r->has_type = false;
    r->default_type = value_view_or(type, VIEW("multipart/form-data"));
    r->request.out.has_body = true;
    return true;
}

// ---- body and parameters ------------------------------------------------------------------------

static bool write_body(struct url_request *r, struct value body)
{
    const struct map *map = value_as_map(body);
    r->request.out.has_body = true;
    if (body.type == VALUE_LIST && body.list->count && value_as_map(body.list->items[0]) &&
        !value_is_null(map_get_text(value_as_map(body.list->items[0]), VIEW("param-name")))) {
        return write_multipart(r, NULL, body);
    }
    if (map) {
        return write_multipart(r, map, value_null());
    }
    if (body.type == VALUE_FILE) {
        buffer_add(&r->body, body.file->bytes);
        r->default_type = VIEW("application/octet-stream");
        return true;
    }
    buffer_add(&r->body, printed(r, body));
    r->default_type = VIEW("text/plain");
    return true;
}

static bool write_parameters(struct url_request *r, struct value parameters)
{
    const struct map *map = value_as_map(parameters);
    if (without_body(r->request.out.method)) {
        if (map ? map->count > 0 : printed(r, parameters).len > 0) {
            begin_query(r);
            if (map) {
                add_pairs(r, &r->url, map, true);
            } else {
                add_url(r, printed(r, parameters));
            }
        }
        return true;
    }
    r->request.out.has_body = true;
    if (map) {
        add_pairs(r, &r->body, map, true);
        r->default_type = VIEW("application/x-www-form-urlencoded");
    } else if (parameters.type == VALUE_FILE) {
        buffer_add(&r->body, parameters.file->bytes);
        r->default_type = VIEW("application/octet-stream");
    } else {
        struct view text = printed(r, parameters);
        buffer_add(&r->body, text);
        r->default_type = json_looks_like(text) ? VIEW("application/json") : VIEW("text/plain");
    }
    return true;
}

static bool read_content(struct url_request *r)
{
    struct value body = attribute(r, "body"), parameters = attribute(r, "parameters"), files = attribute(r, "files");
    if (!value_is_null(body) && !value_is_null(parameters)) {
        return native_fail(r->call, "invokeurl takes either body or parameters, not both");
    }
    if (!value_is_null(files)) {
        return write_multipart(r, value_as_map(value_is_null(body) ? parameters : body), files);
    }
    if (!value_is_null(body)) {
        return write_body(r, body);
    }
    return value_is_null(parameters) || write_parameters(r, parameters);
}

static bool read_method(struct url_request *r)
{
    struct value type = attribute(r, "type");
    struct view given = value_is_null(type) ? VIEW("GET") : view_trim(printed(r, type));
    struct value upper = value_text(r->call->heap, given);
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"};
    for (size_t i = 0; i < BASE_COUNT(methods) && value_is_text(upper); i++) {
        if (view_eq_nocase(given, view_of(methods[i]))) {
            r->request.out.method = view_of(methods[i]);
            return true;
        }
    }
    return native_fail(r->call, "invokeurl does not know the type %.*s", VIEW_ARGS(given));
}

// ---- the answer ---------------------------------------------------------------------------------

static struct view file_name_of(struct url_request *r, const struct out_response *response)
{
    struct view disposition = value_view_or(map_get_text(response->headers.map, VIEW("content-disposition")), VIEW(""));
    ptrdiff_t at = view_find(disposition, VIEW("filename="));
    if (at >= 0) {
        struct view name = view_from(disposition, (size_t)at + 9);
        name = view_trim(view_cut(&name, ';'));
        return name.len >= 2 && name.data[0] == '"' ? view_slice(name, 1, name.len - 2) : name;
    }
    struct view path = buffer_view(&r->url);
    path = view_cut(&path, '?');
    for (ptrdiff_t slash; (slash = view_find_char(path, '/')) >= 0;) {
        path = view_from(path, (size_t)slash + 1);
    }
    return path.len ? path : VIEW("file");
}

static bool is_binary(const struct out_response *response)
{
    static const char *const types[] = {"image/",          "audio/",         "video/", "font/", "application/octet-stream",
                                        "application/pdf", "application/zip"};
    for (size_t i = 0; i < BASE_COUNT(types); i++) {
        if (view_starts_nocase(response->content_type, view_of(types[i]))) {
            return true;
        }
    }
    return !utf8_valid(response->body);
}

static struct value answer_value(struct url_request *r, const struct out_response *response)
{
    struct heap *heap = r->call->heap;
    struct value format = attribute(r, "response-format"), parsed;
    struct view wanted = value_view_or(format, VIEW(""));
    struct fail fail;
    if (view_eq_nocase(wanted, VIEW("file")) || (!view_eq_nocase(wanted, VIEW("string")) && is_binary(response))) {
        return value_file(heap, response->body, file_name_of(r, response), response->content_type);
    }
    if (!view_eq_nocase(wanted, VIEW("string")) && json_looks_like(response->body) && json_read(heap, response->body, &parsed, &fail)) {
        return parsed;
    }
    return value_text(heap, response->body);
}

static void give_answer(struct url_request *r, const struct out_response *response, bool detailed)
{
    struct heap *heap = r->call->heap;
    struct value answer = answer_value(r, response);
    if (!detailed) {
        *r->call->ret = answer;
        return;
    }
    struct value map = value_map(heap, 3);
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, VIEW("responseText"), answer);
        map_put_text(heap, map.map, VIEW("responseHeader"), response->headers);
        map_put_text(heap, map.map, VIEW("responseCode"), value_number(response->status));
    }
    *r->call->ret = map;
}

// ---- sending ------------------------------------------------------------------------------------

static bool fetch(struct url_request *r, struct out_response *ret_response)
{
    struct value connection = attribute(r, "connection");
    if (!value_is_text(connection) && !value_is_null(connection)) {
        return native_fail(r->call, "invokeurl: the connection is %s, and must be its name", value_type_name(connection));
    }
    return outgoing_fetch(r->run, &r->request, view_trim(value_view_or(connection, VIEW(""))), r->call->heap, ret_response, r->call->fail);
}

static bool send_request(struct native_call *call, const struct map *attributes, bool detailed)
{
    struct url_request r = {.call = call, .run = service_run(call), .attributes = attributes};
    if (!r.run) {
        return false;
    }
    buffer_init(&r.url, URL_BYTES_MAX);
    buffer_init(&r.body, REQUEST_BYTES_MAX);
    struct value url = attribute(&r, "url");
    bool ok = (value_is_text(url) && view_trim(value_view(url)).len) || native_fail(call, "invokeurl needs a url");
    if (ok) {
        add_url(&r, view_trim(value_view(url)));
    }
    ok = ok && read_method(&r) && read_headers(&r) && read_content(&r);
    if (ok && r.request.out.has_body && !r.has_type && r.default_type.len) {
        ok = add_header(&r, VIEW("Content-Type"), r.default_type);
    }
    if (ok && (r.url.failed || r.body.failed)) {
        ok = native_fail(call, "the request is larger than %d bytes", r.url.failed ? URL_BYTES_MAX : REQUEST_BYTES_MAX);
    }
    struct out_response response;
    r.request.out.url = buffer_view(&r.url);
    r.request.out.body = r.body.data ? buffer_view(&r.body) : VIEW("");
    ok = ok && fetch(&r, &response);
    if (ok) {
        give_answer(&r, &response, detailed);
    }
    buffer_free(&r.url);
    buffer_free(&r.body);
    return ok;
}

bool svc_invokeurl(struct native_call *call)
{
    struct map *attributes;
    return arg_map(call, 0, &attributes) &&
           send_request(call, attributes, is_true(value_resolve(map_get_text(attributes, VIEW("detailed")))));
}

// getUrl(url[, headers][, simple]) and postUrl(url, body[, headers][, simple]): simple false gives the detailed map.
static bool old_form(struct native_call *call, const char *type, int next)
{
    struct value attributes = value_map(call->heap, 5);
    bool simple = true;
    if (attributes.type != VALUE_MAP) {
        return fail_set(call->fail, FAIL_LIMIT, "not enough memory");
    }
    map_put_text(call->heap, attributes.map, VIEW("url"), call->args[0]);
    map_put_text(call->heap, attributes.map, VIEW("type"), value_text(call->heap, view_of(type)));
    if (next == 2) {
        map_put_text(call->heap, attributes.map, VIEW("parameters"), call->args[1]);
    }
    for (; next < call->count; next++) {
        struct value v = call->args[next];
        if (v.type == VALUE_BOOL) {
            simple = v.boolean;
        } else if (value_as_map(v)) {
            map_put_text(call->heap, attributes.map, VIEW("headers"), v);
        }
    }
    if (simple) {
        map_put_text(call->heap, attributes.map, VIEW("response-format"), value_text(call->heap, VIEW("STRING")));
    }
    return send_request(call, attributes.map, !simple);
}

bool svc_geturl(struct native_call *call)
{
    return old_form(call, "GET", 1);
}

bool svc_posturl(struct native_call *call)
{
    return old_form(call, "POST", 2);
}
