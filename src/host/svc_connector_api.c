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
    bool plain; // wget: nothing is a template
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
    if (!encode) {
        buffer_add(out, value_view(text));
        return true;
    }
    if (view_eq(value_view(text), VIEW(".")) || view_eq(value_view(text), VIEW(".."))) { // not to be encoded away: a step to another path
        return native_fail(filling->call, "invokeConnector: the value for ${%.*s} of an url cannot be dots alone", VIEW_ARGS(name));
    }
    form_encode(out, value_view(text), false);
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

// A member of params, headers or body: a text is a template, anything else stands for itself.
static bool fill_value(const struct filling *filling, struct value template, struct value *ret_value)
{
    struct buffer out;
    struct view text = value_view_or(template, VIEW(""));
    if (filling->plain || !value_is_text(template)) {
        *ret_value = template;
        return true;
    }
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
        return fill_value(filling, template, ret_value);
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

static bool print_value(struct sending *sending, struct value v, struct view *ret_text)
{
    struct native_call *call = sending->filling.call;
    struct value text = value_is_null(v) || value_is_text(v) ? v : value_to_text(call->heap, v, call->fail);
    *ret_text = value_view_or(text, VIEW(""));
    return value_is_text(text) || value_is_null(v);
}

// {name: template}; NULL is empty.
static bool add_headers(struct sending *sending, const struct map *map)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; map && (entry = map_next(map, &cursor));) {
        struct value value;
        struct view text;
        if (!fill_value(&sending->filling, entry->value, &value) || !print_value(sending, value, &text) ||
            !add_header(sending, value_view_or(entry->key, VIEW("")), text)) {
            return false;
        }
    }
    return true;
}

// "a=1&b=2" of {name: template}.
static bool add_pairs(struct sending *sending, const struct map *map, struct buffer *out, char first)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; map && (entry = map_next(map, &cursor)); first = '&') {
        struct value value;
        struct view text;
        if (!fill_value(&sending->filling, entry->value, &value) || !print_value(sending, value, &text)) {
            return false;
        }
        if (first) {
            buffer_add_char(out, first);
        }
        form_encode(out, value_view_or(entry->key, VIEW("")), true);
        buffer_add_char(out, '=');
        form_encode(out, text, true);
    }
    return true;
}

static bool add_params(struct sending *sending, const struct map *map)
{
    return add_pairs(sending, map, &sending->url, view_find_char(buffer_view(&sending->url), '?') < 0 ? '?' : '&');
}

static bool add_type(struct sending *sending, const char *type)
{
    return has_type(sending) || add_header(sending, VIEW("Content-Type"), view_of(type));
}

// A file goes as it is, a map or a list as JSON, everything else as text.
static bool add_value(struct sending *sending, struct value body)
{
    struct view text;
    sending->request.out.has_body = true;
    if (body.type == VALUE_FILE) {
        buffer_add(&sending->body, body.file->bytes);
        return add_type(sending, "application/octet-stream");
    }
    if (!print_value(sending, body, &text)) {
        return false;
    }
    buffer_add(&sending->body, text);
    return add_type(sending, body.type == VALUE_MAP || body.type == VALUE_LIST ? "application/json" : "text/plain");
}

static bool add_body(struct sending *sending, const struct map *api)
{
    struct value body, template = map_get_text(api, VIEW("body"));
    struct view type = text_of(api, "body_type");
    if (value_is_null(template)) {
        return true;
    }
    if (view_eq_nocase(type, VIEW("form")) && value_as_map(template)) {
        sending->request.out.has_body = true;
        return add_pairs(sending, value_as_map(template), &sending->body, 0) && add_type(sending, "application/x-www-form-urlencoded");
    }
    return fill_json(&sending->filling, template, 0, &body) &&
           (!view_eq_nocase(type, VIEW("json")) || add_type(sending, "application/json")) && add_value(sending, body);
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

// "$RESPONSE_TYPE$":"stream" of the script, or the API's own response_type, asks for a file or text; else JSON comes as a map or a list,
// other text as text, and what is no text as a file.
static struct value response_value(const struct sending *sending, struct view type, const struct out_response *response)
{
    struct heap *heap = sending->filling.call->heap;
    struct value parsed;
    struct fail ignored;
    bool stream = view_eq_nocase(text_of(sending->filling.input, "$RESPONSE_TYPE$"), VIEW("stream"));
    if (stream || view_eq_nocase(type, VIEW("file")) || !utf8_valid(response->body)) {
        return value_file(heap, response->body, VIEW("response"), response->content_type);
    }
    if (!view_eq_nocase(type, VIEW("text")) && json_looks_like(response->body) && json_read(heap, response->body, &parsed, &ignored)) {
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

// "a.b.c" is namespace, connector, api; "a.b" is connector and api of the extension that asks, or namespace and api.
static bool find_api(struct run *run, struct view name, struct heap *heap, struct find *find, struct fail *fail)
{
    struct view rest = name, first = view_cut(&rest, '.'), second = view_cut(&rest, '.');
    *find = (struct find){.heap = heap, .definition = value_null()};
    if (rest.len) {
        return try_name(run, first, second, rest, find, fail);
    }
    return try_name(run, view_of(run->function->namespace), first, second, find, fail) &&
           try_name(run, first, VIEW(""), second, find, fail);
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

// As HTTP has it, whatever the file's case.
static struct view method_of(const struct map *api)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < BASE_COUNT(methods); i++) {
        if (view_eq_nocase(text_of(api, "method"), view_of(methods[i]))) {
            return view_of(methods[i]);
        }
    }
    return VIEW("GET");
}

static bool call_api(struct native_call *call, struct run *run, const struct find *find, const struct map *input, int *ret_status,
                     struct value *ret_response)
{
    const struct map *api = value_as_map(map_get_text(find->definition.map, VIEW("api")));
    char name[2 * EXT_NAME_MAX + 2];
    struct sending sending;
    struct out_response response;
    open_sending(&sending, call, run, input);
    sending.request.out.method = method_of(api);
    bool ok = fill_text(&sending.filling, text_of(api, "url"), true, &sending.url) &&
              add_params(&sending, value_as_map(map_get_text(api, VIEW("params")))) &&
              add_headers(&sending, value_as_map(map_get_text(api, VIEW("headers")))) && add_body(&sending, api);
    ok = ok && send(&sending, connection_of(find, name), &response);
    if (ok) {
        *ret_status = response.status;
        *ret_response = response_value(&sending, text_of(api, "response_type"), &response);
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

// A member in either case, as widgets' HTTP.* (spec/platform.md §5) and scripts write it.
static struct value member(const struct map *input, const char *upper, const char *lower)
{
    struct value v = value_resolve(map_get_text(input, view_of(upper)));
    return value_is_null(v) ? value_resolve(map_get_text(input, view_of(lower))) : v;
}

// {url, params, Header, Body, CONTENT_TYPE}; what stands there is sent as it is.
static bool fill_wget(struct sending *sending, const struct map *input)
{
    struct view url = view_trim(text_of(input, "url")), type = text_of(input, "CONTENT_TYPE");
    struct value headers = member(input, "Header", "headers"), body = member(input, "Body", "body");
    if (!url.len) {
        return native_fail(sending->filling.call, "wget needs a \"url\"");
    }
    buffer_add(&sending->url, url);
    sending->filling.plain = true;
    if (!add_params(sending, value_as_map(map_get_text(input, VIEW("params")))) || !add_headers(sending, value_as_map(headers))) {
        return false;
    }
    if (value_is_null(body)) {
        return true;
    }
    return (body.type == VALUE_FILE ||
            (type.len ? has_type(sending) || add_header(sending, VIEW("Content-Type"), type) : add_type(sending, "application/json"))) &&
           add_value(sending, body);
}

bool connector_wget(struct native_call *call, struct run *run, const char *method, const struct map *input, int *ret_status,
                    struct value *ret_response)
{
    struct sending sending;
    struct out_response response;
    open_sending(&sending, call, run, input);
    sending.request.out.method = view_of(method);
    bool ok = fill_wget(&sending, input) && send(&sending, VIEW(""), &response);
    if (ok) {
        *ret_status = response.status;
        *ret_response = response_value(&sending, VIEW("text"), &response);
    }
    close_sending(&sending);
    return ok;
}
