// SPDX-License-Identifier: Apache-2.0
// What a caller gets back: the envelope of v2.0, crmAPIResponse, the envelope of v1.0, and failures (PRODUCT "What a caller of a function
// sees"; spec/platform.md §1.5, §1.6). Everything is written into the exchange's arena here, before the run's heap goes.
#include "host/inside.h"

static const struct view ENVELOPE_TYPE = {"application/json;charset=utf-8", 30};

static bool write_json(struct run *run, struct buffer *out, struct value value, struct fail *fail)
{
    enum json_key_order order = run->host->options.json_java_order ? JSON_JAVA_HASHMAP : JSON_INSERTION;
    return json_write_order(out, value, run->heap.zone, order, fail);
}

static bool too_large(struct run *run, struct fail *fail)
{
    return fail_set(fail, FAIL_LIMIT, "The response is larger than its limit of %lld bytes",
                    (long long)run->host->limits[LIMIT_REPLY_BYTES]);
}

// Hands the bytes of run->out over to the exchange.
static bool finish_body(struct run *run, struct view *ret_body, struct fail *fail)
{
    if (run->out.failed) {
        return too_large(run, fail);
    }
    *ret_body = arena_copy(run->exchange->arena, buffer_view(&run->out));
    return ret_body->data || fail_set(fail, FAIL_MEMORY, NULL);
}

static struct value parse_text(struct run *run, struct value value)
{
    struct value parsed;
    struct fail fail;
    return value_is_text(value) && json_looks_like(value_view(value)) && json_read_lenient(&run->heap, value_view(value), &parsed, &fail)
               ? parsed
               : value_null();
}

// ---- crmAPIResponse -----------------------------------------------------------------------------

bool reply_is_response(struct run *run, struct value value, struct map **ret_response)
{
    value = value_resolve(value);
    if (value_is_text(value)) {
        if (view_find(value_view(value), VIEW("crmAPIResponse")) < 0) {
            return false;
        }
        value = parse_text(run, value);
    }
    struct map *map = value.type == VALUE_MAP ? value.map : NULL;
    struct value response = map ? value_resolve(map_get_text(map, VIEW("crmAPIResponse"))) : value_null();
    response = value_is_text(response) ? parse_text(run, response) : response;
    if (response.type == VALUE_FRESH) { // {"crmAPIResponse":{}}: all defaults
        response = value_map(&run->heap, 0);
    }
    if (response.type != VALUE_MAP) {
        return false;
    }
    *ret_response = response.map;
    return true;
}

static bool is_token(struct view name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', digit = c >= '0' && c <= '9';
        if (c >= 0x80 || c <= 0x20 || (!letter && !digit && !memchr("!#$%&'*+-.^_`|~", c, 15))) {
            return false;
        }
    }
    return name.len > 0 && name.len <= 256;
}

static bool is_header_value(struct view value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F) {
            return false;
        }
    }
    return value.len <= 8192;
}

static bool is_ours(struct view name)
{
    static const char *const ours[] = {"content-length", "transfer-encoding", "connection", "host",        "date",
                                       "keep-alive",     "upgrade",           "trailer",    "x-request-id"};
    for (size_t i = 0; i < BASE_COUNT(ours); i++) {
        if (view_eq_nocase(name, view_of(ours[i]))) {
            return true;
        }
    }
    return false;
}

// Refused headers are left out and the log says so: a header must never be able to split the reply (DESIGN security 4).
static void add_header(struct run *run, struct view name, struct view value)
{
    char note[200];
    if (is_ours(name) || !is_token(name) || !is_header_value(value)) {
        snprintf(note, sizeof note, "The header %.*s was left out: %s", (int)(name.len < 80 ? name.len : 80), name.data,
                 is_ours(name) ? "the server sets it itself" : "names are tokens, and values hold no line breaks");
        run_log(run, 0, view_of(note));
        return;
    }
    if (view_eq_nocase(name, VIEW("content-type"))) {
        run->exchange->reply_type = arena_copy(run->exchange->arena, value);
        return;
    }
    if (!exchange_reply_header(run->exchange, name, value)) {
        run_log(run, 0, VIEW("The reply has more headers than the server sends"));
    }
}

static bool add_headers(struct run *run, const struct map *response, struct fail *fail)
{
    struct value headers = value_resolve(map_get_text(response, VIEW("headers")));
    headers = value_is_text(headers) ? parse_text(run, headers) : headers;
    bool disposition = false;
    uint32_t cursor = 0;
    for (struct map_entry *entry; headers.type == VALUE_MAP && (entry = map_next(headers.map, &cursor));) {
        struct value name = value_to_text(&run->heap, entry->key, fail), value = value_to_text(&run->heap, entry->value, fail);
        if (!value_is_text(name) || !value_is_text(value)) {
            return fail_set(fail, FAIL_SCRIPT, "a header of crmAPIResponse cannot be printed: %s", fail->text);
        }
        disposition |= view_eq_nocase(value_view(name), VIEW("content-disposition"));
        add_header(run, value_view(name), value_view(value));
    }
    if (!disposition) {
        add_header(run, VIEW("Content-Disposition"), VIEW("attachment;filename=response.json"));
    }
    return true;
}

static bool read_status(const struct map *response, int *ret_status, struct fail *fail)
{
    struct value value = map_get_text(response, VIEW("status_code"));
    int64_t status = 200;
    bool ok = true;
    if (value.type == VALUE_NUMBER) {
        status = value.number;
    } else if (value.type == VALUE_DECIMAL && value.decimal >= 0 && value.decimal < 1000) {
        status = (int64_t)value.decimal;
        ok = (double)status == value.decimal;
    } else if (value_is_text(value)) {
        ok = view_to_int64(view_trim(value_view(value)), &status);
    } else {
        ok = value_is_null(value);
    }
    if (!ok || status < 200 || status > 599) {
        return fail_set(fail, FAIL_SCRIPT, "status_code of crmAPIResponse must be a number from 200 to 599");
    }
    *ret_status = (int)status;
    return true;
}

static bool write_body(struct run *run, struct value body, struct fail *fail)
{
    body = value_resolve(body);
    switch (body.type) {
    case VALUE_NULL:
        return true;
    case VALUE_FILE:
        buffer_add(&run->out, body.file->bytes);
        return true;
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_COLLECTION:
    case VALUE_FRESH:
        return write_json(run, &run->out, body, fail);
    default:
        return value_print(&run->out, body, run->heap.zone, fail);
    }
}

static bool reply_response(struct run *run, const struct map *response, struct fail *fail)
{
    struct exchange *exchange = run->exchange;
    int status = 200;
    struct view body;
    buffer_reset(&run->out);
    if (!read_status(response, &status, fail) || !write_body(run, map_get_text(response, VIEW("body")), fail)) {
        return run->out.failed ? too_large(run, fail) : false;
    }
    struct value type = map_get_text(response, VIEW("Content-Type"));
    exchange->reply_header_count = 0;
    exchange->reply_type = ENVELOPE_TYPE;
    if (!add_headers(run, response, fail) || !finish_body(run, &body, fail)) {
        return false;
    }
    if (value_is_text(type)) {
        add_header(run, VIEW("Content-Type"), value_view(type));
    }
    exchange->status = status;
    exchange->reply_body = status == 204 || status == 304 ? VIEW("") : body;
    return true;
}

// ---- envelopes ----------------------------------------------------------------------------------

// PRODUCT: a list is its JSON text, except that a function whose header says string returns a list as lists print.
bool reply_output_text(struct run *run, struct value value, struct buffer *out, struct fail *fail)
{
    const struct lang_function_info *info = &run->function->info;
    value = value_resolve(value);
    bool joined = value.type == VALUE_LIST && info->has_header && view_eq_nocase(info->return_type, VIEW("string"));
    bool json =
        !joined && (value.type == VALUE_LIST || value.type == VALUE_MAP || value.type == VALUE_COLLECTION || value.type == VALUE_FRESH);
    if (joined) {
        struct list plain = *value.list;
        plain.json = 0; // brackets are for lists as they came from JSON
        value.list = &plain;
        return value_print(out, value, run->heap.zone, fail);
    }
    return json ? write_json(run, out, value, fail) : value_print(out, value, run->heap.zone, fail);
}

static bool write_output(struct run *run, struct value value, struct fail *fail)
{
    if (value_is_text(value)) {
        json_write_text(&run->out, value_view(value));
        return true;
    }
    struct buffer text;
    buffer_init(&text, run->out.max);
    bool ok = reply_output_text(run, value, &text, fail);
    if (ok || text.failed) {
        run->out.failed |= text.failed;
        json_write_text(&run->out, buffer_view(&text));
    }
    buffer_free(&text);
    return ok;
}

static bool reply_v2(struct run *run, struct value value, struct fail *fail)
{
    bool is_void = view_eq_nocase(run->function->info.return_type, VIEW("void"));
    struct view body;
    buffer_reset(&run->out);
    buffer_add(&run->out, VIEW("{\"code\":\"success\",\"details\":{\"output\":"));
    if (is_void || value_is_null(value)) {
        buffer_add(&run->out, VIEW("null"));
    } else if (!write_output(run, value, fail)) {
        return run->out.failed ? too_large(run, fail) : false;
    }
    buffer_add(&run->out, is_void ? VIEW(",\"output_type\":\"void\",\"id\":\"") : VIEW(",\"output_type\":\"string\",\"id\":\""));
    buffer_add_int(&run->out, run->function->id);
    buffer_add(&run->out, VIEW("\"},\"message\":\"function executed successfully\"}"));
    if (!finish_body(run, &body, fail)) {
        return false;
    }
    exchange_reply_json(run->exchange, 200, body);
    return true;
}

// {"status_code":200,"response":"{\"result\":…,\"info\":[…]}"}: the inner object is text.
static bool reply_v1(struct run *run, const struct fail *failure, struct fail *fail)
{
    struct buffer inner;
    struct view body;
    buffer_init(&inner, run->out.max);
    if (failure) {
        buffer_add(&inner, VIEW("{\"result\":\"failure\",\"message\":"));
        json_write_text(&inner, view_of(failure->text));
        buffer_add(&inner, VIEW(",\"info\":["));
    } else {
        buffer_add(&inner, VIEW("{\"result\":\"success\",\"info\":["));
    }
    for (uint32_t i = 0; run->log_values && i < run->log_values->count; i++) {
        if (i) {
            buffer_add_char(&inner, ',');
        }
        json_write_text(&inner, value_view_or(run->log_values->items[i], VIEW("")));
    }
    buffer_add(&inner, VIEW("]}"));
    buffer_reset(&run->out);
    buffer_add(&run->out, VIEW("{\"status_code\":200,\"response\":"));
    json_write_text(&run->out, buffer_view(&inner));
    buffer_add_char(&run->out, '}');
    run->out.failed |= inner.failed;
    buffer_free(&inner);
    if (!finish_body(run, &body, fail)) {
        return false;
    }
    exchange_reply_json(run->exchange, 200, body);
    return true;
}

bool reply_value(struct run *run, struct value value, struct fail *fail)
{
    struct map *response;
    if (run->function->api_version == 1) {
        return reply_v1(run, NULL, fail);
    }
    if (reply_is_response(run, value, &response)) {
        return reply_response(run, response, fail);
    }
    return reply_v2(run, value, fail);
}

// ---- failures -----------------------------------------------------------------------------------

static bool is_limit(const struct fail *fail)
{
    return fail->code == FAIL_LIMIT || fail->code == FAIL_MEMORY;
}

void reply_failure(struct run *run, const struct fail *fail)
{
    struct exchange *exchange = run->exchange;
    struct fail ignored;
    exchange->reply_header_count = 0;
    if (!is_limit(fail) && fail->code != FAIL_SCRIPT && fail->code != FAIL_OUTBOUND) {
        exchange_reply_fail(exchange, fail); // the request was wrong, or the machine
        return;
    }
    exchange_reply_header(exchange, VIEW("X-Sluice-Error"), is_limit(fail) ? VIEW("limit") : VIEW("script"));
    if (run->function->api_version != 1 || !reply_v1(run, fail, &ignored)) {
        struct buffer body;
        buffer_init(&body, 4 * FAIL_TEXT_MAX + 256);
        buffer_add(&body, VIEW("{\"code\":\"INVALID_DATA\",\"details\":{},\"message\":"));
        json_write_text(&body, view_of(fail->text));
        buffer_add_char(&body, '}');
        exchange_reply_json(exchange, 200, arena_copy(exchange->arena, buffer_view(&body)));
        buffer_free(&body);
    }
    if (run->host->options.errors_http) {
        exchange->status = 500;
    }
}
