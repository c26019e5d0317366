// SPDX-License-Identifier: Apache-2.0
//
// Zoho's functions-management API (spec/platform.md §4), by which tools list, pull, push and test functions. It is not documented by Zoho;
// the shapes are those that its known clients read.
#include "web/rest.h"

enum { PER_PAGE_MAX = 2000 }; // clients that do not page take what the first answer has for everything

// {"functions":[{"code":"SUCCESS","details":{"id":…},"message":…,"status":"success"}]}
static void send_done(struct rest *rest, bool good, int64_t id, const char *message)
{
    struct heap *heap = &rest->answer.heap;
    struct value list = value_list(heap, 1), row = value_map(heap, 4), details = value_map(heap, 1);
    if (!heap->failed) {
        map_put_text(heap, details.map, VIEW("id"), value_text_printf(heap, "%lld", (long long)id));
        answer_put(&rest->answer, row, "code", VIEW("SUCCESS"));
        map_put_text(heap, row.map, VIEW("details"), details);
        answer_put(&rest->answer, row, "message", view_of(message));
        answer_put(&rest->answer, row, "status", VIEW("success"));
        list_add(heap, list.list, row);
    }
    rest_send(rest, good, rest_wrap(rest, "functions", list));
}

static struct value one(struct rest *rest, struct value function)
{
    struct value list = value_list(&rest->answer.heap, 1);
    if (list.type == VALUE_LIST) {
        list_add(&rest->answer.heap, list.list, function);
    }
    return rest_wrap(rest, "functions", list);
}

// A script that does not compile: where and why stands in the details.
static bool refused(struct rest *rest, struct value errors)
{
    if (rest->answer.fail.code == FAIL_COMPILE) {
        rest->details = rest_wrap(rest, "errors", errors);
    }
    return false;
}

// The first of {"functions":[{…}]} in a text of JSON, or an object alone.
static bool read_metadata(struct rest *rest, struct view text, const struct map **ret_map)
{
    struct fail ignored;
    struct value value = value_null();
    const struct map *map = json_read(&rest->answer.heap, text, &value, &ignored) ? value_as_map(value) : NULL;
    const struct list *list = map ? value_as_list(map_get_text(map, VIEW("functions"))) : NULL;
    *ret_map = list && list->count == 1 ? value_as_map(list->items[0]) : list ? NULL : map;
    return *ret_map || rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("metadata"));
}

// ---- looking ------------------------------------------------------------------------------------

static struct value info_of(struct rest *rest, const struct host_functions_query *query, uint32_t count, bool more)
{
    struct heap *heap = &rest->answer.heap;
    struct value info = value_map(heap, 4);
    if (!heap->failed) {
        map_put_text(heap, info.map, VIEW("per_page"), value_number(query->per_page));
        map_put_text(heap, info.map, VIEW("count"), value_number(count));
        map_put_text(heap, info.map, VIEW("page"), value_number(query->page));
        map_put_text(heap, info.map, VIEW("more_records"), value_bool(more));
    }
    return info;
}

void api_settings_functions_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct value list = value_null();
    bool more = false;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct host_functions_query query = {.category = rest_param(&rest, "category"),
                                         .namespace = rest_param(&rest, "nameSpace"),
                                         .language = rest_param(&rest, "language"),
                                         .search = rest_param(&rest, "search")};
    bool good = rest_number(&rest, "page", 1, INT32_MAX, 1, &query.page) &&
                rest_number(&rest, "per_page", 1, PER_PAGE_MAX, PER_PAGE_MAX, &query.per_page) &&
                host_functions_list(web->host, &exchange->identity, &query, &rest.answer.heap, &list, &more, &rest.answer.fail);
    struct value reply = rest_wrap(&rest, "functions", list);
    if (good && reply.type == VALUE_MAP) {
        map_put_text(&rest.answer.heap, reply.map, VIEW("info"), info_of(&rest, &query, list.list->count, more));
    }
    rest_send(&rest, good, reply);
}

void api_settings_function_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value map = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = host_function_get(web->host, &exchange->identity, params[0], &rest.answer.heap, &map, &rest.answer.fail);
    rest_send(&rest, good, one(&rest, map));
}

void api_settings_function_code(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value text = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    if (!host_function_code(web->host, &exchange->identity, params[0], &rest.answer.heap, &text, &rest.answer.fail)) {
        rest_send(&rest, false, value_null());
        return;
    }
    exchange->reply_body = arena_copy(exchange->arena, value_view(text));
    exchange->reply_type = VIEW("text/plain;charset=utf-8");
    exchange_reply_header(exchange, VIEW("X-Content-Type-Options"), VIEW("nosniff"));
    rest_send_empty(&rest, 200);
}

// ---- changing -----------------------------------------------------------------------------------

void api_settings_function_create(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    const struct map *metadata;
    int64_t id = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct view text = rest_param(&rest, "metadata");
    bool good = read_metadata(&rest, text.len ? text : exchange->body, &metadata) &&
                host_function_create(web->host, &exchange->identity, metadata, &id, &rest.answer.fail);
    rest.answer.status = 201;
    send_done(&rest, good, id, "function created successfully");
}

// The part `code` of a form, or a body of text.
static bool read_code(struct rest *rest, struct view *ret_code)
{
    struct exchange *exchange = rest->answer.exchange;
    struct form_reader reader;
    struct form_part part;
    *ret_code = VIEW_NONE;
    if (!view_starts_nocase(exchange->content_type, VIEW("multipart/form-data"))) {
        *ret_code = view_starts_nocase(exchange->content_type, VIEW("text/plain")) ? exchange->body : VIEW_NONE;
        return true;
    }
    if (!form_open(&reader, exchange->content_type, exchange->body, &rest->answer.fail)) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("code"));
    }
    fail_clear(&rest->answer.fail);
    while (form_next(&reader, &part, &rest->answer.fail)) {
        if (view_eq(part.name, VIEW("code"))) {
            *ret_code = part.bytes;
        }
    }
    return rest->answer.fail.code == FAIL_NONE || rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("code"));
}

static bool update(struct rest *rest, struct view function, int64_t *ret_id)
{
    struct exchange *exchange = rest->answer.exchange;
    struct host *host = rest->web->host;
    struct view text = rest_param(rest, "metadata"), code;
    const struct map *metadata;
    struct value errors = value_null();
    if (!read_code(rest, &code)) {
        return false;
    }
    if (!text.len && !code.data) {
        return rest_refuse(rest, FAIL_EXPECTED_PARAM_MISSING, "param_names", VIEW("metadata,code"));
    }
    if (text.len && (!read_metadata(rest, text, &metadata) ||
                     !host_function_update(host, &exchange->identity, function, metadata, ret_id, &rest->answer.fail))) {
        return false;
    }
    return !code.data ||
           host_function_save(host, &exchange->identity, function, code, &rest->answer.heap, ret_id, &errors, &rest->answer.fail) ||
           refused(rest, errors);
}

void api_settings_function_update(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    int64_t id = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = update(&rest, params[0], &id);
    send_done(&rest, good, id, "function updated successfully");
}

void api_settings_function_delete(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    int64_t id = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = host_function_delete(web->host, &exchange->identity, params[0], &id, &rest.answer.fail);
    send_done(&rest, good, id, "function deleted successfully");
}

// ---- testing ------------------------------------------------------------------------------------

// arguments: an object, or the text of one.
static bool read_arguments(struct rest *rest, const struct map *request, struct value *ret_arguments)
{
    struct value arguments = map_get_text(request, VIEW("arguments"));
    struct fail ignored;
    if (value_is_text(arguments) && !json_read(&rest->answer.heap, value_view(arguments), &arguments, &ignored)) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "api_name", VIEW("arguments"));
    }
    *ret_arguments = arguments;
    return value_is_null(arguments) || arguments.type == VALUE_MAP || rest_refuse(rest, FAIL_INVALID_DATA, "api_name", VIEW("arguments"));
}

static bool test(struct rest *rest, struct view function, struct value *ret_result)
{
    struct map *body;
    struct value rows, arguments, errors = value_null();
    if (!rest_body(rest, &body) || !rest_rows(rest, body, "functions", 1, &rows)) {
        return false;
    }
    const struct map *request = value_as_map(rows.list->items[0]);
    if (!request) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "api_name", VIEW("functions"));
    }
    struct view script = value_view_or(map_get_text(request, VIEW("script")), VIEW(""));
    return read_arguments(rest, request, &arguments) &&
           (host_function_test(rest->web->host, &rest->answer.exchange->identity, function, script, arguments, &rest->answer.heap,
                               ret_result, &errors, &rest->answer.fail) ||
            refused(rest, errors));
}

void api_settings_function_test(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value result = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = test(&rest, params[0], &result);
    rest_send(&rest, good, one(&rest, result));
}
