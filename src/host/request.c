// SPDX-License-Identifier: Apache-2.0
// The request as a function sees it: crmAPIRequest (v2.0) and requestMap (v1.0) from one exchange, and the values of declared parameters
// (PRODUCT "What a function gets"; spec/platform.md §1.3, §1.4). Both objects are always bound, so that a script that reads both runs on
// either URL.
#include "host/inside.h"

static const struct view secret_params[] = {{"zapikey", 7}, {"auth_type", 9}};

// The members of crmAPIRequest in the order in which Zoho prints them (spec/platform.md §1.4), and of requestMap.
enum { V2_FILE, V2_HEADERS, V2_AUTH_TYPE, V2_METHOD, V2_USER, V2_RECORD, V2_PARAMS, V2_BODY, V2_MEMBERS };
static const char *const v2_names[V2_MEMBERS] = {"file_content", "headers", "auth_type", "method", "user_info", "record", "params", "body"};
enum { V1_PARAMETERS, V1_RESPONSE, V1_FILE, V1_MEMBERS };
static const char *const v1_names[V1_MEMBERS] = {"parameters", "tp_event_response", "fileContent"};

static bool make_template(struct heap *heap, const char *const *names, int count, struct value *ret_map, struct fail *fail)
{
    struct value map = value_map(heap, (size_t)count);
    for (int i = 0; map.type == VALUE_MAP && i < count; i++) {
        map_put_text(heap, map.map, view_of(names[i]), value_null());
    }
    if (heap->failed || !value_fix(map, fail)) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    *ret_map = map;
    return true;
}

bool request_templates(struct function_table *table, struct fail *fail)
{
    return make_template(&table->heap, v2_names, V2_MEMBERS, &table->request_v2, fail) &&
           make_template(&table->heap, v1_names, V1_MEMBERS, &table->request_v1, fail) && value_fix(table->admin, fail);
}

bool request_is_needed(const struct lang_function_info *info)
{
    for (int i = 0; i < info->parameter_count; i++) {
        struct view name = info->parameters[i].name;
        if (!view_eq(name, VIEW("crmAPIRequest")) && !view_eq(name, VIEW("requestMap"))) {
            return true; // a parameter to fill from the request
        }
    }
    return info->reads_request_v1 || info->reads_request_v2;
}

// Text when the bytes are UTF-8, else a file with exactly these bytes.
static struct value text_or_file(struct heap *heap, struct view bytes, struct view name, struct view type)
{
    return utf8_valid(bytes) ? value_text(heap, bytes) : value_file(heap, bytes, name, type);
}

// ---- parts --------------------------------------------------------------------------------------

static bool build_headers(struct run *run, struct value *ret_headers)
{
    const struct exchange *exchange = run->exchange;
    const struct identity *who = &exchange->identity;
    bool by_token = who->kind == IDENTITY_OAUTH || (who->kind == IDENTITY_OWNER && !exchange->local);
    struct value map = value_map(&run->heap, (size_t)exchange->header_count);
    if (map.type != VALUE_MAP) {
        return false;
    }
    map_set_nocase(map.map);
    for (int i = 0; i < exchange->header_count; i++) {
        struct view name = exchange->headers[i].name, value = exchange->headers[i].value;
        if (view_starts(name, VIEW("x-sluice-")) || (by_token && view_eq(name, VIEW("authorization")))) {
            continue; // our own token
        }
        struct value old = map_get_text(map.map, name);
        struct value joined = value_is_text(old) ? value_text_printf(&run->heap, "%.*s, %.*s", VIEW_ARGS(value_view(old)), VIEW_ARGS(value))
                                                 : value_text(&run->heap, value);
        if (!map_put_text(&run->heap, map.map, name, joined)) {
            return false;
        }
    }
    *ret_headers = map;
    return true;
}

static bool read_form(struct run *run, struct map *params, struct value *ret_file, struct fail *fail)
{
    struct form_reader reader;
    struct form_part part;
    if (!form_open(&reader, run->exchange->content_type, run->exchange->body, fail)) {
        return fail->code == FAIL_NONE;
    }
    fail_clear(fail);
    while (form_next(&reader, &part, fail)) {
        if (view_eq(part.name, VIEW("inputFile"))) {
            *ret_file = text_or_file(&run->heap, part.bytes, part.file_name.data ? part.file_name : VIEW("inputFile"),
                                     part.content_type.data ? part.content_type : VIEW("application/octet-stream"));
        } else if (!part.file_name.data && utf8_valid(part.bytes)) {
            map_put_text(&run->heap, params, part.name, value_text(&run->heap, part.bytes));
        }
    }
    return fail->code == FAIL_NONE;
}

static bool body_is_json(struct run *run)
{
    struct value ignored;
    struct fail fail;
    struct heap scratch;
    if (!json_looks_like(run->exchange->body)) {
        return false;
    }
    heap_init(&scratch, run->heap.bytes_max, NULL);
    bool is = json_read(&scratch, run->exchange->body, &ignored, &fail);
    heap_free(&scratch);
    return is;
}

// Query, then urlencoded fields, then text parts of a form; later wins. Plain `curl -d '{…}'` says "urlencoded" but means JSON: that adds
// nothing.
static bool build_params(struct run *run, struct value *ret_params, struct value *ret_file, struct fail *fail)
{
    struct exchange *exchange = run->exchange;
    struct value params = value_map(&run->heap, 8);
    struct view type = exchange->content_type;
    bool ok = params.type == VALUE_MAP && form_read_urlencoded(&run->heap, exchange->query, params.map, fail);
    if (ok && view_starts_nocase(type, VIEW("application/x-www-form-urlencoded")) && !body_is_json(run)) {
        ok = form_read_urlencoded(&run->heap, exchange->body, params.map, fail);
    } else if (ok && view_starts_nocase(type, VIEW("multipart/form-data"))) {
        ok = read_form(run, params.map, ret_file, fail);
    }
    if (!ok) {
        return params.type == VALUE_MAP && fail_set(fail, FAIL_BAD_REQUEST, "the form in the request is malformed: %s", fail->text);
    }
    for (size_t i = 0; i < BASE_COUNT(secret_params); i++) {
        map_remove(params.map, value_text(&run->heap, secret_params[i]));
    }
    *ret_params = params;
    return true;
}

static bool read_arguments(struct run *run, const struct map *params, struct value *ret_arguments)
{
    struct value text = map_get_text(params, VIEW("arguments"));
    struct value arguments = value_null();
    struct fail fail;
    // malformed JSON here is no object: the function runs without arguments (an SDK is known to send "[object Object]", spec/crm-api.md
    // §4.4)
    if (value_is_text(text) && json_looks_like(value_view(text)) && !json_read_lenient(&run->heap, value_view(text), &arguments, &fail)) {
        arguments = value_null();
    }
    *ret_arguments = arguments.type == VALUE_MAP ? arguments : value_null();
    return !run->heap.failed;
}

// ---- the two objects ----------------------------------------------------------------------------

static bool out_of_memory(const struct run *run, struct fail *fail)
{
    return fail_set(fail, FAIL_LIMIT, "The request does not fit the function's memory of %zu bytes", run->heap.bytes_max);
}

// The record that a validation rule is about: only whoever owns the org says one (`sluice call --record`); REST calls have none.
static bool read_record(const struct run *run, struct heap *heap, struct value *ret_record, struct fail *fail)
{
    const struct exchange *exchange = run->exchange;
    struct view json = exchange->identity.kind == IDENTITY_OWNER ? exchange_header(exchange, VIEW("x-sluice-record")) : VIEW_NONE;
    if (!json.len) {
        *ret_record = value_map(heap, 0);
        return true;
    }
    return (json_read(heap, json, ret_record, fail) && ret_record->type == VALUE_MAP) ||
           fail_set(fail, FAIL_INVALID_DATA, "the record must be a JSON object");
}

bool request_build(struct run *run, struct value *ret_v2, struct value *ret_v1, struct value *ret_params, struct value *ret_arguments,
                   struct fail *fail)
{
    struct heap *heap = &run->heap;
    const struct exchange *exchange = run->exchange;
    struct value headers, params, file = value_null();
    fail_clear(fail);
    if (!build_headers(run, &headers) || !build_params(run, &params, &file, fail) || !read_arguments(run, params.map, ret_arguments)) {
        return fail->code != FAIL_NONE ? false : out_of_memory(run, fail);
    }
    struct view body_type = exchange->content_type.len ? exchange->content_type : VIEW("application/octet-stream");
    struct value body = text_or_file(heap, exchange->body.data ? exchange->body : VIEW(""), VIEW("body"), body_type);
    struct value v2 = value_share(heap, run->pin->request_v2, fail), v1 = value_share(heap, run->pin->request_v1, fail);
    struct value user, record;
    if (!run_user(run, &user, fail) || !read_record(run, heap, &record, fail)) {
        return false;
    }
    if (heap->failed || v2.type != VALUE_MAP || v1.type != VALUE_MAP) {
        return out_of_memory(run, fail);
    }
    bool oauth = exchange->identity.kind == IDENTITY_OAUTH;
    struct value members[V2_MEMBERS] = {
        [V2_FILE] = file,     [V2_HEADERS] = headers,
        [V2_USER] = user,     [V2_AUTH_TYPE] = value_text(heap, oauth ? VIEW("oauth") : VIEW("apikey")),
        [V2_RECORD] = record, [V2_METHOD] = value_text(heap, exchange->method),
        [V2_PARAMS] = params, [V2_BODY] = body,
    };
    for (int i = 0; i < V2_MEMBERS; i++) {
        v2.map->entries[i].value = members[i];
    }
    v1.map->entries[V1_PARAMETERS].value = params;
    v1.map->entries[V1_RESPONSE].value = body;
    v1.map->entries[V1_FILE].value = file;
    if (heap->failed) {
        return out_of_memory(run, fail);
    }
    *ret_v2 = v2;
    *ret_v1 = v1;
    *ret_params = params;
    return true;
}

// ---- declared parameters ------------------------------------------------------------------------

static struct value find_argument(struct value params, struct value arguments, struct view name)
{
    bool found = false;
    struct value value = value_null();
    const struct map *maps[] = {value_as_map(params), value_as_map(arguments)};
    for (size_t i = 0; i < BASE_COUNT(maps); i++) { // `arguments` names them on purpose, so it wins
        struct value own = maps[i] ? map_get_text(maps[i], name) : value_null();
        if (!value_is_null(own)) {
            value = own;
            found = true;
        }
    }
    return found ? value : value_null();
}

bool request_parameters(struct run *run, struct value params, struct value arguments, struct value *values, struct fail *fail)
{
    const struct lang_function_info *info = &run->function->info;
    for (int i = 0; i < info->parameter_count; i++) {
        const struct lang_parameter *parameter = &info->parameters[i];
        values[i] = find_argument(params, arguments, parameter->name);
        if (value_is_null(values[i]) || !parameter->type.len || view_eq(parameter->name, VIEW("crmAPIRequest")) ||
            view_eq(parameter->name, VIEW("requestMap"))) {
            continue;
        }
        struct fail why;
        if (!lang_convert(&run->heap, values[i], parameter->type, &values[i], &why)) {
            return fail_set(fail, FAIL_INVALID_DATA, "the argument \"%.*s\" cannot be read as %.*s: %s", VIEW_ARGS(parameter->name),
                            VIEW_ARGS(parameter->type), why.text);
        }
    }
    return true;
}
