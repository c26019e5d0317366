// SPDX-License-Identifier: Apache-2.0
// Calls of an extension's own connectors by zoho.crm.invokeConnector (spec/platform.md §2): "namespace.connector.api", "namespace.api", or
// "connector.api" from the extension itself. The API's url, headers, parameters and body are filled with what the script gives; the answer
// comes back as {status_code, response}. And wget.…, which sends what it is told.
#include "host/service.h"

#include "host/connection.h"

enum { TEMPLATE_BYTES_MAX = 1 << 20, BODY_BYTES_MAX = 32 << 20, FILL_DEPTH_MAX = 20 };

struct filling {
    struct native_call *call;
    struct run *run;
    const struct map *input;
};

static struct view text_of(const struct map *map, const char *key)
{
    return map ? value_view_or(map_get_text(map, view_of(key)), VIEW("")) : VIEW("");
}

// ---- templates ----------------------------------------------------------------------------------

static bool fill_name(const struct filling *filling, struct view name, bool encode, struct buffer *out)
{
    struct value value = value_resolve(map_get_text(filling->input, name));
    if (value_is_null(value)) {
        return native_fail(filling->call, "invokeConnector: the value for ${%.*s} is missing", VIEW_ARGS(name));
    }
    struct value text = value_is_text(value) ? value : value_to_text(filling->call->heap, value, filling->call->fail);
    if (!value_is_text(text)) {
        return false;
    }
    if (encode) {
        form_encode(out, value_view(text), false);
    } else {
        buffer_add(out, value_view(text));
    }
    return true;
}

// The text with its placeholders filled; percent-encoded in urls. An open "${" stands for itself.
static bool fill_text(const struct filling *filling, struct view text, bool encode, struct buffer *out)
{
    for (ptrdiff_t at; (at = view_find(text, VIEW("${"))) >= 0;) {
        struct view rest = view_from(text, (size_t)at + 2);
        ptrdiff_t end = view_find_char(rest, '}');
        if (end < 0) {
            break;
        }
        buffer_add(out, view_slice(text, 0, (size_t)at));
        if (!fill_name(filling, view_slice(rest, 0, (size_t)end), encode, out)) {
            return false;
        }
        text = view_from(rest, (size_t)end + 1);
    }
    buffer_add(out, text);
    return !out->failed || native_fail(filling->call, "invokeConnector: the request is larger than %d bytes", TEMPLATE_BYTES_MAX);
}

static bool fill_value(const struct filling *filling, struct view text, struct value *ret_value)
{
    struct buffer out;
    if (view_starts(text, VIEW("${")) && view_find_char(text, '}') == (ptrdiff_t)text.len - 1) { // alone: the value as it is
        struct value value = value_resolve(map_get_text(filling->input, view_slice(text, 2, text.len - 3)));
        *ret_value = value;
        return !value_is_null(value) || native_fail(filling->call, "invokeConnector: the value for %.*s is missing", VIEW_ARGS(text));
    }
    buffer_init(&out, TEMPLATE_BYTES_MAX);
    bool ok = fill_text(filling, text, false, &out);
    *ret_value = ok ? value_text(filling->call->heap, buffer_view(&out)) : value_null();
    buffer_free(&out);
    return ok;
}

// A body of JSON, filled in depth; recursion is bounded by FILL_DEPTH_MAX.
static bool fill_json(const struct filling *filling, struct value template, int depth, struct value *ret_value)
{
    struct heap *heap = filling->call->heap;
    if (depth > FILL_DEPTH_MAX) {
        return native_fail(filling->call, "invokeConnector: the body is nested deeper than %d", FILL_DEPTH_MAX);
    }
    if (value_is_text(template)) {
        return fill_value(filling, value_view(template), ret_value);
    }
    const struct map *map = value_as_map(template);
    const struct list *list = value_as_list(template);
    *ret_value = map ? value_map(heap, map->count) : list ? value_list(heap, list->count) : template;
    uint32_t cursor = 0;
    for (struct map_entry *entry; map && !heap->failed && (entry = map_next(map, &cursor));) {
        struct value item;
        if (!fill_json(filling, entry->value, depth + 1, &item)) {
            return false;
        }
        map_put(heap, ret_value->map, entry->key, item);
    }
    for (uint32_t i = 0; list && !heap->failed && i < list->count; i++) {
        struct value item;
        if (!fill_json(filling, list->items[i], depth + 1, &item)) {
            return false;
        }
        list_add(heap, ret_value->list, item);
    }
    return true;
}

// ---- a request ----------------------------------------------------------------------------------

struct sending {
    struct filling filling;
    struct connection_request request;
    struct buffer url, body;
};

static bool has_type(const struct sending *sending)
{
    for (int i = 0; i < sending->request.out.header_count; i++) {
        if (view_eq_nocase(sending->request.headers[i].name, VIEW("content-type"))) {
            return true;
        }
    }
    return false;
}

static bool add_header(struct sending *sending, struct view name, struct view value)
{
    if (sending->request.out.header_count >= CONNECTION_HEADERS_MAX - 2) {
        return native_fail(sending->filling.call, "invokeConnector sends at most %d headers", CONNECTION_HEADERS_MAX - 2);
    }
    sending->request.headers[sending->request.out.header_count++] = (struct out_header){.name = name, .value = value};
    return true;
}

// {name: template}
static bool add_headers(struct sending *sending, const struct map *map)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; map && (entry = map_next(map, &cursor));) {
        struct value value;
        if (!fill_value(&sending->filling, value_view_or(entry->value, VIEW("")), &value)) {
            return false;
        }
        value = value_is_text(value) ? value : value_to_text(sending->filling.call->heap, value, sending->filling.call->fail);
        if (!add_header(sending, value_view_or(entry->key, VIEW("")), value_view_or(value, VIEW("")))) {
            return false;
        }
    }
    return true;
}

static bool add_params(struct sending *sending, const struct map *map)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; map && (entry = map_next(map, &cursor));) {
        struct value value;
        if (!fill_value(&sending->filling, value_view_or(entry->value, VIEW("")), &value)) {
            return false;
        }
        value = value_is_text(value) ? value : value_to_text(sending->filling.call->heap, value, sending->filling.call->fail);
        buffer_add_char(&sending->url, view_find_char(buffer_view(&sending->url), '?') < 0 ? '?' : '&');
        form_encode(&sending->url, value_view_or(entry->key, VIEW("")), true);
        buffer_add_char(&sending->url, '=');
        form_encode(&sending->url, value_view_or(value, VIEW("")), true);
    }
    return true;
}

static bool add_body(struct sending *sending, struct value template)
{
    struct value body;
    if (value_is_null(template)) {
        return true;
    }
    if (!fill_json(&sending->filling, template, 0, &body)) {
        return false;
    }
    sending->request.out.has_body = true;
    if (body.type == VALUE_FILE) {
        buffer_add(&sending->body, body.file->bytes);
        return true;
    }
    bool json = body.type == VALUE_MAP || body.type == VALUE_LIST;
    struct value text = value_is_text(body) ? body : value_to_text(sending->filling.call->heap, body, sending->filling.call->fail);
    buffer_add(&sending->body, value_view_or(text, VIEW("")));
    return has_type(sending) || add_header(sending, VIEW("Content-Type"), json ? VIEW("application/json") : VIEW("text/plain"));
}

static void open_sending(struct sending *sending, struct native_call *call, struct run *run, const struct map *input)
{
    *sending = (struct sending){.filling = {.call = call, .run = run, .input = input}};
    buffer_init(&sending->url, TEMPLATE_BYTES_MAX);
    buffer_init(&sending->body, BODY_BYTES_MAX);
}

static void close_sending(struct sending *sending)
{
    buffer_free(&sending->url);
    buffer_free(&sending->body);
}

static bool send(struct sending *sending, struct view connection, struct out_response *ret_response)
{
    struct native_call *call = sending->filling.call;
    if (sending->url.failed || sending->body.failed) {
        return native_fail(call, "invokeConnector: the request is too large");
    }
    sending->request.out.url = buffer_view(&sending->url);
    sending->request.out.body = sending->body.data ? buffer_view(&sending->body) : VIEW("");
    return outgoing_fetch(sending->filling.run, &sending->request, connection, call->heap, ret_response, call->fail);
}

// "$RESPONSE_TYPE$":"stream" asks for a file; JSON comes as a map or a list, other text as text.
static struct value response_value(const struct sending *sending, const struct out_response *response)
{
    struct heap *heap = sending->filling.call->heap;
    struct value parsed;
    struct fail ignored;
    if (view_eq_nocase(text_of(sending->filling.input, "$RESPONSE_TYPE$"), VIEW("stream")) || !utf8_valid(response->body)) {
        return value_file(heap, response->body, VIEW("response"), response->content_type);
    }
    if (json_looks_like(response->body) && json_read(heap, response->body, &parsed, &ignored)) {
        return parsed;
    }
    return value_text(heap, response->body);
}

// ---- connectors ---------------------------------------------------------------------------------

struct find {
    struct ext_connector_name name;
    struct heap *heap;
    struct value definition;
    bool found;
};

static bool find_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct find *find = arg;
    return ext_connector_find_tx(tx, &find->name, find->heap, &find->definition, &find->found, fail);
}

static bool try_name(struct run *run, struct view namespace, struct view connector, struct view api, struct find *find, struct fail *fail)
{
    if (find->found || !namespace.len || !api.len) {
        return true;
    }
    find->name = (struct ext_connector_name){namespace, connector, api};
    return store_read(run->env->env, find_tx, find, fail);
}

// "a.b.c" is namespace, connector, api; "a.b" is namespace and api, or connector and api of the extension that asks.
static bool find_api(struct run *run, struct view name, struct heap *heap, struct find *find, struct fail *fail)
{
    struct view rest = name, first = view_cut(&rest, '.'), second = view_cut(&rest, '.');
    *find = (struct find){.heap = heap, .definition = value_null()};
    if (rest.len) {
        return try_name(run, first, second, rest, find, fail);
    }
    return try_name(run, first, VIEW(""), second, find, fail) &&
           try_name(run, view_of(run->function->namespace), first, second, find, fail);
}

static bool is_own(const struct run *run, const struct find *find)
{
    struct view own = view_of(run->function->namespace);
    return view_eq_nocase(find->name.namespace, own) || ext_kind_find(own);
}

// The connection that authorises the connector in this org, "namespace.connector"; empty where the service wants none.
static struct view connection_of(const struct find *find, char out[2 * EXT_NAME_MAX + 2])
{
    const struct map *definition = find->definition.map, *authorisation = value_as_map(map_get_text(definition, VIEW("authorisation")));
    struct view type = text_of(authorisation, "type"), name = text_of(definition, "name");
    if (!type.len || view_eq_nocase(type, VIEW("none"))) {
        return VIEW("");
    }
    int len = snprintf(out, 2 * EXT_NAME_MAX + 2, "%.*s.%.*s", VIEW_ARGS(find->name.namespace), VIEW_ARGS(name));
    return (struct view){out, (size_t)len};
}

static bool call_api(struct native_call *call, struct run *run, const struct find *find, const struct map *input, int *ret_status,
                     struct value *ret_response)
{
    const struct map *api = value_as_map(map_get_text(find->definition.map, VIEW("api")));
    struct view method = text_of(api, "method");
    char name[2 * EXT_NAME_MAX + 2];
    struct sending sending;
    struct out_response response;
    open_sending(&sending, call, run, input);
    sending.request.out.method = method.len ? method : VIEW("GET");
    bool ok = fill_text(&sending.filling, text_of(api, "url"), true, &sending.url) &&
              add_params(&sending, value_as_map(map_get_text(api, VIEW("params")))) &&
              add_headers(&sending, value_as_map(map_get_text(api, VIEW("headers")))) &&
              add_body(&sending, map_get_text(api, VIEW("body"))) && send(&sending, connection_of(find, name), &response);
    if (ok) {
        *ret_status = response.status;
        *ret_response = response_value(&sending, &response);
    }
    close_sending(&sending);
    return ok;
}

bool connector_call(struct native_call *call, struct run *run, struct view name, const struct map *input, int *ret_status,
                    struct value *ret_response)
{
    struct find find;
    if (!find_api(run, name, call->heap, &find, call->fail)) {
        return false;
    }
    if (!find.found || find.definition.type != VALUE_MAP || !is_own(run, &find)) {
        return native_fail(call, "there is no connector API \"%.*s\"", VIEW_ARGS(name));
    }
    return call_api(call, run, &find, input, ret_status, ret_response);
}

// ---- wget ---------------------------------------------------------------------------------------

// {url, Header|headers, Body|body, params}: what widgets' HTTP.* and scripts give (spec/platform.md §5).
bool connector_wget(struct native_call *call, struct run *run, const char *method, const struct map *input, int *ret_status,
                    struct value *ret_response)
{
    struct sending sending;
    struct out_response response;
    struct value headers = map_get_text(input, VIEW("Header")), body = map_get_text(input, VIEW("Body"));
    headers = value_is_null(headers) ? map_get_text(input, VIEW("headers")) : headers;
    body = value_is_null(body) ? map_get_text(input, VIEW("body")) : body;
    open_sending(&sending, call, run, input);
    sending.request.out.method = view_of(method);
    buffer_add(&sending.url, view_trim(text_of(input, "url")));
    uint32_t cursor = 0;
    const struct map *map = value_as_map(headers);
    bool ok = sending.url.len > 0 || native_fail(call, "wget needs a \"url\"");
    for (struct map_entry *entry; ok && map && (entry = map_next(map, &cursor));) {
        struct value text = value_is_text(entry->value) ? entry->value : value_to_text(call->heap, entry->value, call->fail);
        ok = add_header(&sending, value_view_or(entry->key, VIEW("")), value_view_or(text, VIEW("")));
    }
    if (ok && !value_is_null(body)) {
        struct value text = value_is_text(body) ? body : value_to_text(call->heap, body, call->fail);
        sending.request.out.has_body = true;
        buffer_add(&sending.body, value_view_or(text, VIEW("")));
        struct view type = text_of(input, "CONTENT_TYPE");
        ok = has_type(&sending) || add_header(&sending, VIEW("Content-Type"), type.len ? type : VIEW("application/json"));
    }
    ok = ok && send(&sending, VIEW(""), &response);
    if (ok) {
        *ret_status = response.status;
        *ret_response = value_text(call->heap, response.body); // raw, whatever it is
    }
    close_sending(&sending);
    return ok;
}
