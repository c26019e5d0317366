// SPDX-License-Identifier: Apache-2.0
// One thing that a workflow rule or a channel has left to do. A function runs as the super admin with the record as its arguments; a
// webhook is filled with the record's fields and sent; a notification is a POST of what happened. Requests go through the address guard
// like those of scripts, and what is for our own address never leaves. Each stands in the run log with the trigger "workflow".
//
// GUESS: how often and when Zoho tries a webhook again. Here: DELIVERY_TRIES times in all, while nobody answers or the answer is 408, 429
// or 500 and above. A function is not run again, whatever came of it.
#include "host/automation.h"

enum {
    DELIVERY_TRIES = 4,
    DELIVERY_PAUSE_MS = 5000, // before the second try; four times as long before each further one
    BODY_BYTES_MAX = 4 << 20,
    URL_BYTES_MAX = 16 << 10,
    HEADERS_MAX = 64,
    ARENA_BYTES_MAX = 96 << 20,
    NAME_BYTES_MAX = 160,
};

static struct value member(const struct map *map, const char *key)
{
    return map ? map_get_text(map, view_of(key)) : value_null();
}

static struct view text_of(const struct map *map, const char *key)
{
    return value_view_or(member(map, key), VIEW(""));
}

// ---- the record ---------------------------------------------------------------------------------

// As it is now; of a deleted one as it was. Null when it has gone since.
static bool read_record(struct delivery *delivery, struct crm_session *session, struct value *ret_record, struct fail *fail)
{
    *ret_record = member(value_as_map(delivery->item.details), "record");
    return !value_is_null(*ret_record) || crm_record_get(session, delivery->item.module, delivery->item.record_id, ret_record, fail);
}

// Equal but for case, underscores and blanks: `leadId` is Lead_Id.
static bool same_name(struct view a, struct view b)
{
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a.len && (a.data[i] == '_' || a.data[i] == ' ')) {
            i++;
        }
        while (k < b.len && (b.data[k] == '_' || b.data[k] == ' ')) {
            k++;
        }
        if (i == a.len || k == b.len) {
            return i == a.len && k == b.len;
        }
        if (!view_eq_nocase(view_slice(a, i++, 1), view_slice(b, k++, 1))) {
            return false;
        }
    }
}

// "id", "recordId", and of Leads "leadId" and "leadsId".
static bool names_id(struct view module, struct view name)
{
    char own[2][NAME_BYTES_MAX];
    size_t singular = view_ends(module, VIEW("s")) ? module.len - 1 : module.len;
    snprintf(own[0], sizeof own[0], "%.*s_id", (int)singular, module.data);
    snprintf(own[1], sizeof own[1], "%.*s_id", VIEW_ARGS(module));
    return same_name(name, VIEW("id")) || same_name(name, VIEW("record_id")) || same_name(name, view_of(own[0])) ||
           same_name(name, view_of(own[1]));
}

// What a name means of this record: its id, its module, one of its fields; of a look-up its name. Null for none.
static struct value field_of(struct delivery *delivery, const struct map *record, struct view name, bool whole)
{
    uint32_t cursor = 0;
    if (names_id(delivery->item.module, name)) {
        return value_text_printf(&delivery->heap, "%lld", (long long)delivery->item.record_id);
    }
    for (struct map_entry *entry; record && (entry = map_next(record, &cursor));) {
        if (same_name(value_view_or(entry->key, VIEW("")), name)) {
            const struct map *inner = whole ? NULL : value_as_map(entry->value);
            return inner ? member(inner, "name") : entry->value;
        }
    }
    return same_name(name, VIEW("module")) ? value_text(&delivery->heap, delivery->item.module) : value_null();
}

// ---- the run log --------------------------------------------------------------------------------

// Requests without what may be secret in their URL.
static void log_request(const struct delivery *delivery, const char *kind, struct view name, const struct out_request *request, int status,
                        const char *outcome, const char *error)
{
    struct exchange exchange;
    char function[NAME_BYTES_MAX];
    struct view rest = request->url, shown = view_cut(&rest, '?');
    struct buffer why, lines;
    exchange_make_id(&exchange);
    buffer_init(&why, 8 * FAIL_TEXT_MAX);
    buffer_init(&lines, 8 * URL_BYTES_MAX);
    snprintf(function, sizeof function, "%s.%.*s", kind, VIEW_ARGS(view_slice(name, 0, utf8_clamp(name, 100))));
    if (error) {
        buffer_add(&why, VIEW("{\"message\":"));
        json_write_text(&why, view_of(error));
        buffer_add(&why, VIEW(",\"line\":0,\"file\":\"\",\"function\":\"\"}"));
    }
    buffer_add(&lines, VIEW("{\"line\":0,\"text\":"));
    json_write_text(&lines, shown);
    buffer_add_char(&lines, '}');
    struct runlog_entry entry = {.id = view_of(exchange.id),
                                 .org = view_of(delivery->env->org),
                                 .environment = view_of(delivery->env->environment),
                                 .function = view_of(function),
                                 .trigger = VIEW("workflow"),
                                 .method = request->method,
                                 .outcome = view_of(outcome),
                                 .error = error ? buffer_view(&why) : VIEW(""),
                                 .time_ms = clock_wall_ms(),
                                 .status = status,
                                 .lines = lines.failed ? VIEW("") : buffer_view(&lines)};
    runlog_add(delivery->host->runlog, &entry);
    buffer_free(&why);
    buffer_free(&lines);
}

// ---- functions ----------------------------------------------------------------------------------

// Its declared parameters by name; one called `record` gets all of it.
static struct value make_arguments(struct delivery *delivery, const struct function *function, struct value record)
{
    const struct lang_function_info *info = &function->info;
    struct value arguments = value_map(&delivery->heap, (size_t)info->parameter_count + 1);
    for (int i = 0; arguments.type == VALUE_MAP && i < info->parameter_count; i++) {
        struct view name = info->parameters[i].name;
        map_put_text(&delivery->heap, arguments.map, name,
                     same_name(name, VIEW("record")) ? record : field_of(delivery, value_as_map(record), name, true));
    }
    return arguments;
}

static bool fill_exchange(struct delivery *delivery, struct exchange *exchange, struct exchange_header *header, struct value arguments,
                          struct value record, const struct zone *zone, struct fail *fail)
{
    struct buffer json, query;
    buffer_init(&json, BODY_BYTES_MAX);
    buffer_init(&query, 4 * BODY_BYTES_MAX);
    bool good = json_write(&json, arguments, zone, fail);
    buffer_add(&query, VIEW("arguments="));
    form_encode(&query, buffer_view(&json), false);
    buffer_reset(&json);
    good = good && json_write(&json, value_is_null(record) ? value_map(&delivery->heap, 0) : record, zone, fail);
    exchange->query = arena_copy(exchange->arena, buffer_view(&query));
    exchange->body = arena_copy(exchange->arena, buffer_view(&json));
    exchange->content_type = VIEW("application/json");
    *header = (struct exchange_header){VIEW("x-sluice-record"), exchange->body};
    exchange->headers = header;
    exchange->header_count = 1;
    bool fits = !json.failed && !query.failed && exchange->query.data && exchange->body.data;
    buffer_free(&json);
    buffer_free(&query);
    return good && (fits || fail_set(fail, FAIL_LIMIT, "the record does not fit the function's arguments"));
}

static bool run_function(struct delivery *delivery, struct exchange *exchange, struct run_options *options, struct fail *why)
{
    struct run *run = run_open(delivery->host, options, why);
    if (!run) {
        functions_unpin(delivery->env, options->pin);
        return false;
    }
    bool ok = call_run(run, "workflow", why);
    run_close(run);
    (void)exchange;
    return ok;
}

static bool call_function(struct delivery *delivery, struct view canonical, struct exchange *exchange, struct fail *why)
{
    struct run_options options = {.env = delivery->env, .exchange = exchange, .workflow_depth = delivery->item.depth};
    struct exchange_header header;
    struct crm_session session;
    struct value record;
    if (!functions_find(delivery->env, canonical, &options.pin, &options.function, why)) {
        return false;
    }
    bool good = options.function || fail_set(why, FAIL_NO_FUNCTION, "the function %.*s does not exist", VIEW_ARGS(canonical));
    if (good && (good = crm_session_open(delivery->env->crm, &delivery->heap, &session, why))) {
        good =
            read_record(delivery, &session, &record, why) &&
            fill_exchange(delivery, exchange, &header, make_arguments(delivery, options.function, record), record, crm_zone(&session), why);
        crm_session_close(&session);
    }
    if (!good) {
        functions_unpin(delivery->env, options.pin);
        return false;
    }
    return run_function(delivery, exchange, &options, why);
}

static enum delivered deliver_function(struct delivery *delivery)
{
    struct arena arena;
    struct value name = value_null();
    struct crm_session session;
    struct fail why;
    fail_clear(&why);
    arena_init(&arena, ARENA_BYTES_MAX);
    struct exchange exchange = exchange_inner(&arena, delivery->env);
    bool good = crm_session_open(delivery->env->crm, &delivery->heap, &session, &why);
    if (good) {
        good = host_workflow_function(NULL, &session, delivery->item.target, &name, &why);
        crm_session_close(&session);
    }
    char text[NAME_BYTES_MAX], id[24];
    snprintf(id, sizeof id, "%lld", (long long)delivery->item.target);
    struct view canonical = view_of(id);
    if (good && (value_is_null(name) || !ext_name_canonical(value_view_or(name, VIEW("")), text, sizeof text, &canonical))) {
        good = fail_set(&why, FAIL_NO_FUNCTION, "the function %s of the workflow rule does not exist any more", id);
    }
    good = good && call_function(delivery, canonical, &exchange, &why);
    bool again = !good && why.code == FAIL_CANCELLED;
    if (!exchange.outcome && !again) {
        call_refuse(delivery->host, delivery->env, &exchange, canonical, "workflow", &why);
    }
    arena_free(&arena);
    return again ? DELIVER_AGAIN : DELIVERED;
}

// ---- requests -----------------------------------------------------------------------------------

static bool send(struct delivery *delivery, struct out_request *request, struct out_response *ret_response, struct fail *fail)
{
    const struct host *host = delivery->host;
    bool ours;
    request->timeout_ms = host->limits[LIMIT_OUTGOING_MS];
    request->reply_bytes_max = (size_t)host->limits[LIMIT_OUTGOING_BYTES];
    request->policy = (struct out_policy){.allow_loopback = host->options.outbound_loopback, .allow = host->options.outbound_allow};
    if (!nested_post(delivery->host, delivery->env, request, delivery->item.depth, &delivery->heap, &ours, ret_response, fail) || ours) {
        return fail->code == FAIL_NONE;
    }
    return out_fetch(request, &delivery->heap, ret_response, fail);
}

// Sends, notes what came of it, and tells what is to become of the row.
static enum delivered send_request(struct delivery *delivery, const char *kind, struct view name, struct out_request *request)
{
    struct out_response response = {0};
    struct fail fail;
    char error[FAIL_TEXT_MAX + sizeof "; it is tried again"];
    fail_clear(&fail);
    delivery->fiber = loop_fiber();
    bool sent = send(delivery, request, &response, &fail);
    delivery->fiber = NULL;
    if (!sent && fail.code == FAIL_CANCELLED) {
        return DELIVER_AGAIN;
    }
    int status = sent ? response.status : 0;
    bool fine = status >= 200 && status < 300;
    bool worth = !sent || status == 408 || status == 429 || status >= 500;
    bool later = !fine && worth && delivery->item.tries < DELIVERY_TRIES;
    snprintf(error, sizeof error, "%s%s", sent ? "the answer was no success" : fail.text, later ? "; it is tried again" : "");
    log_request(delivery, kind, name, request, status, fine ? "ok" : "failed", fine ? NULL : error);
    if (!later) {
        return DELIVERED;
    }
    delivery->due_ms = clock_wall_ms() + ((int64_t)DELIVERY_PAUSE_MS << (2 * (delivery->item.tries - 1)));
    return DELIVER_LATER;
}

// ---- webhooks -----------------------------------------------------------------------------------

enum escape { ESCAPE_NONE, ESCAPE_JSON, ESCAPE_XML, ESCAPE_FORM };

static void add_escaped(struct buffer *out, struct view text, enum escape escape)
{
    if (escape == ESCAPE_FORM) {
        form_encode(out, text, true);
        return;
    }
    if (escape == ESCAPE_JSON) { // what stands between the quotes
        struct buffer json;
        buffer_init(&json, BODY_BYTES_MAX);
        json_write_text(&json, text);
        buffer_add(out, json.failed ? VIEW("") : view_slice(buffer_view(&json), 1, json.len - 2));
        buffer_free(&json);
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (escape == ESCAPE_XML && memchr("<>&\"", c, 4)) {
            buffer_printf(out, "&#%d;", c);
        } else {
            buffer_add_char(out, c);
        }
    }
}

struct merge {
    struct delivery *delivery;
    const struct map *record;
    const struct zone *zone;
};

// ${Leads.Last_Name}, ${!Leads.Last_Name}: the field's value. Any other text stays.
static void merge(const struct merge *merge, struct view text, enum escape escape, enum escape around, struct buffer *out)
{
    while (text.len) {
        ptrdiff_t at = view_find(text, VIEW("${"));
        struct view field = at < 0 ? VIEW_NONE : view_from(text, (size_t)at + 2);
        ptrdiff_t end = at < 0 ? -1 : view_find_char(field, '}');
        if (end < 0) {
            add_escaped(out, text, around);
            return;
        }
        add_escaped(out, view_slice(text, 0, (size_t)at), around);
        text = view_from(field, (size_t)end + 1);
        field = view_slice(field, view_starts(field, VIEW("!")), (size_t)end - view_starts(field, VIEW("!")));
        ptrdiff_t dot = view_find_char(field, '.');
        struct value value = field_of(merge->delivery, merge->record, view_from(field, (size_t)(dot + 1)), false);
        struct buffer printed;
        struct fail ignored;
        buffer_init(&printed, BODY_BYTES_MAX);
        if (!value_is_null(value) && value_print(&printed, value, merge->zone, &ignored) && !printed.failed) {
            add_escaped(out, buffer_view(&printed), escape);
        }
        buffer_free(&printed);
    }
}

// name=value&…; `list` is [{"name","value"}].
static void add_parameters(const struct merge *own, const struct map *map, const char *key, struct buffer *out)
{
    const struct list *list = value_as_list(member(map, key));
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct map *parameter = value_as_map(list->items[i]);
        buffer_add(out, out->len ? VIEW("&") : VIEW(""));
        form_encode(out, text_of(parameter, "name"), true);
        buffer_add_char(out, '=');
        merge(own, text_of(parameter, "value"), ESCAPE_FORM, ESCAPE_FORM, out);
    }
}

static void add_both(const struct merge *own, const struct map *map, struct buffer *out)
{
    add_parameters(own, map, "module_parameters", out);
    add_parameters(own, map, "custom_parameters", out);
}

static void add_headers(const struct merge *own, const struct map *map, const char *key, struct out_header *headers, int *count)
{
    const struct list *list = value_as_list(member(map, key));
    for (uint32_t i = 0; list && i < list->count && *count < HEADERS_MAX; i++) {
        const struct map *parameter = value_as_map(list->items[i]);
        struct buffer value;
        buffer_init(&value, URL_BYTES_MAX);
        merge(own, text_of(parameter, "value"), ESCAPE_NONE, ESCAPE_NONE, &value);
        struct value text = value_text(&own->delivery->heap, value.failed ? VIEW("") : buffer_view(&value));
        headers[(*count)++] =
            (struct out_header){.name = text_of(parameter, "name"), .value = value_view_or(text, VIEW("")), .secret = true};
        buffer_free(&value);
    }
}

struct webhook {
    struct out_request request;
    struct out_header headers[HEADERS_MAX + 1];
    struct buffer url, body;
};

static struct view type_of(struct view format, enum escape *ret_escape)
{
    static const struct {
        const char *format, *type;
        enum escape escape;
    } rows[] = {{"JSON", "application/json", ESCAPE_JSON}, {"XML", "application/xml", ESCAPE_XML}, {"HTML", "text/html", ESCAPE_XML}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        if (view_eq_nocase(format, view_of(rows[i].format))) {
            *ret_escape = rows[i].escape;
            return view_of(rows[i].type);
        }
    }
    *ret_escape = ESCAPE_NONE;
    return VIEW("text/plain");
}

// The body, or for GET more parameters of the URL.
static void fill_body(struct webhook *webhook, const struct merge *own, const struct map *body, struct buffer *query)
{
    enum escape escape;
    if (view_eq(text_of(body, "type"), VIEW("raw"))) {
        struct view type = type_of(text_of(body, "format"), &escape);
        merge(own, text_of(body, "raw_data_content"), escape, ESCAPE_NONE, &webhook->body);
        webhook->headers[webhook->request.header_count++] = (struct out_header){.name = VIEW("Content-Type"), .value = type};
        webhook->request.has_body = true;
        return;
    }
    bool get = view_eq(webhook->request.method, VIEW("GET"));
    add_both(own, value_as_map(member(body, "form_data_content")), get ? query : &webhook->body);
    if (!get && body) {
        webhook->headers[webhook->request.header_count++] =
            (struct out_header){.name = VIEW("Content-Type"), .value = VIEW("application/x-www-form-urlencoded")};
        webhook->request.has_body = true;
    }
}

static bool fill_webhook(struct webhook *webhook, const struct merge *own, const struct map *definition, struct fail *fail)
{
    const struct map *headers = value_as_map(member(definition, "headers"));
    struct buffer query;
    buffer_init(&query, URL_BYTES_MAX);
    webhook->request.method = text_of(definition, "http_method");
    fill_body(webhook, own, value_as_map(member(definition, "body")), &query);
    add_both(own, value_as_map(member(definition, "url_parameters")), &query);
    add_headers(own, headers, "module_parameters", webhook->headers, &webhook->request.header_count);
    add_headers(own, headers, "custom_parameters", webhook->headers, &webhook->request.header_count);
    merge(own, text_of(definition, "url"), ESCAPE_FORM, ESCAPE_NONE, &webhook->url);
    if (query.len) {
        buffer_add_char(&webhook->url, view_find_char(buffer_view(&webhook->url), '?') < 0 ? '?' : '&');
        buffer_add(&webhook->url, buffer_view(&query));
    }
    bool fits = !query.failed && !webhook->url.failed && !webhook->body.failed;
    buffer_free(&query);
    webhook->request.headers = webhook->headers;
    webhook->request.url = buffer_view(&webhook->url);
    webhook->request.body = buffer_view(&webhook->body);
    return fits || fail_set(fail, FAIL_LIMIT, "the webhook is too long");
}

static bool read_webhook(struct delivery *delivery, struct webhook *webhook, struct value *ret_name, struct fail *fail)
{
    struct crm_session session;
    struct value definition, record;
    if (!crm_session_open(delivery->env->crm, &delivery->heap, &session, fail)) {
        return false;
    }
    bool good = crm_webhook_get(&session, delivery->item.target, &definition, fail) &&
                (!value_is_null(definition) || fail_set(fail, FAIL_NOT_FOUND, "the webhook does not exist any more")) &&
                read_record(delivery, &session, &record, fail);
    if (good) {
        struct merge own = {delivery, value_as_map(record), crm_zone(&session)};
        *ret_name = member(value_as_map(definition), "name");
        good = fill_webhook(webhook, &own, value_as_map(definition), fail);
    }
    crm_session_close(&session);
    return good;
}

static enum delivered deliver_webhook(struct delivery *delivery)
{
    struct webhook *webhook = heap_alloc(&delivery->heap, sizeof *webhook);
    struct value name = value_null();
    struct fail fail;
    if (!webhook) {
        return DELIVERED;
    }
    fail_clear(&fail);
    *webhook = (struct webhook){0};
    buffer_init(&webhook->url, URL_BYTES_MAX);
    buffer_init(&webhook->body, BODY_BYTES_MAX);
    enum delivered delivered = DELIVERED;
    if (read_webhook(delivery, webhook, &name, &fail)) {
        delivered = send_request(delivery, "webhooks", value_view_or(name, VIEW("")), &webhook->request);
    } else if (fail.code == FAIL_CANCELLED) {
        delivered = DELIVER_AGAIN;
    } else {
        log_request(delivery, "webhooks", value_view_or(name, VIEW("")), &webhook->request, 0, "failed", fail.text);
    }
    buffer_free(&webhook->url);
    buffer_free(&webhook->body);
    return delivered;
}

// ---- notifications ------------------------------------------------------------------------------

static void put(struct delivery *delivery, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(&delivery->heap, map.map, view_of(key), value);
    }
}

// [{"id":["Last_Name"]}], and with values [{"record_id":…,"values":{…}}] as they are now.
static bool put_affected(struct delivery *delivery, struct crm_session *session, const struct map *watch, struct value body,
                         struct fail *fail)
{
    struct heap *heap = &delivery->heap;
    const struct map *details = value_as_map(delivery->item.details);
    const struct list *ids = value_as_list(member(details, "ids")), *fields = value_as_list(member(details, "fields"));
    bool with_values =
        member(watch, "return_affected_field_values").type == VALUE_BOOL && member(watch, "return_affected_field_values").boolean;
    bool deleted = view_eq(text_of(details, "operation"), VIEW("delete"));
    struct value affected = value_list(heap, 4), values = value_list(heap, 4);
    for (uint32_t i = 0; !deleted && ids && fields && i < ids->count && i < fields->count && !heap->failed; i++) {
        const struct list *names = value_as_list(fields->items[i]);
        struct value one = value_map(heap, 1), own = value_map(heap, 8), pair = value_map(heap, 2), record = value_null();
        int64_t id;
        if (one.type == VALUE_MAP) {
            map_put(heap, one.map, ids->items[i], fields->items[i]);
            list_add(heap, affected.list, one);
        }
        if (with_values && crm_id_read(ids->items[i], &id) && !crm_record_get(session, delivery->item.module, id, &record, fail)) {
            return false;
        }
        for (uint32_t k = 0; with_values && names && k < names->count && own.type == VALUE_MAP; k++) {
            struct view name = value_view_or(names->items[k], VIEW(""));
            map_put_text(heap, own.map, name, value_as_map(record) ? map_get_text(record.map, name) : value_null());
        }
        put(delivery, pair, "record_id", ids->items[i]);
        put(delivery, pair, "values", own);
        list_add(heap, values.list, pair);
    }
    put(delivery, body, "affected_fields", affected);
    if (with_values) {
        put(delivery, body, "affected_values", values);
    }
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool fill_notification(struct delivery *delivery, struct crm_session *session, const struct map *watch, struct buffer *out,
                              struct fail *fail)
{
    const struct map *details = value_as_map(delivery->item.details);
    struct value body = value_map(&delivery->heap, 12);
    put(delivery, body, "server_time", value_number(clock_wall_ms()));
    if (!put_affected(delivery, session, watch, body, fail)) {
        return false;
    }
    put(delivery, body, "query_params", value_map(&delivery->heap, 0));
    put(delivery, body, "module", value_text(&delivery->heap, delivery->item.module));
    put(delivery, body, "resource_uri",
        value_text_printf(&delivery->heap, "%s%s/crm/v2/%.*s", delivery->host->public_url, delivery->env->sandbox ? "/sandbox" : "",
                          VIEW_ARGS(delivery->item.module)));
    put(delivery, body, "ids", member(details, "ids"));
    put(delivery, body, "operation", member(details, "operation"));
    put(delivery, body, "channel_id", member(watch, "channel_id"));
    put(delivery, body, "token", member(watch, "token"));
    return json_write(out, body, NULL, fail) && (!out->failed || fail_set(fail, FAIL_LIMIT, "the notification is too long"));
}

static enum delivered deliver_notification(struct delivery *delivery)
{
    const struct out_header header = {.name = VIEW("Content-Type"), .value = VIEW("application/json")};
    struct out_request request = {.method = VIEW("POST"), .headers = &header, .header_count = 1, .has_body = true};
    struct value watch = value_null();
    struct crm_session session;
    struct buffer body;
    struct fail fail;
    fail_clear(&fail);
    buffer_init(&body, BODY_BYTES_MAX);
    bool good = crm_session_open(delivery->env->crm, &delivery->heap, &session, &fail);
    if (good) {
        delivery->heap.zone = crm_zone(&session);
        good = crm_watch_get(&session, delivery->item.target, &watch, &fail) &&
               (value_is_null(watch) || fill_notification(delivery, &session, value_as_map(watch), &body, &fail));
        crm_session_close(&session);
    }
    enum delivered delivered = DELIVERED;
    struct view channel = text_of(value_as_map(watch), "channel_id");
    request.url = text_of(value_as_map(watch), "notify_url");
    request.body = buffer_view(&body);
    if (good && !value_is_null(watch)) { // a channel that is gone hears nothing more
        delivered = send_request(delivery, "notifications", channel, &request);
    } else if (!good && fail.code == FAIL_CANCELLED) {
        delivered = DELIVER_AGAIN;
    } else if (!good) {
        log_request(delivery, "notifications", channel, &request, 0, "failed", fail.text);
    }
    buffer_free(&body);
    return delivered;
}

// What a bulk job tells at its end: the body stands in the row.
static enum delivered deliver_post(struct delivery *delivery)
{
    const struct out_header header = {.name = VIEW("Content-Type"), .value = VIEW("application/json")};
    const struct map *details = value_as_map(delivery->item.details);
    struct out_request request = {
        .method = VIEW("POST"), .url = text_of(details, "url"), .headers = &header, .header_count = 1, .has_body = true};
    char name[24];
    struct buffer body;
    struct fail fail;
    snprintf(name, sizeof name, "%lld", (long long)delivery->item.target);
    buffer_init(&body, BODY_BYTES_MAX);
    enum delivered delivered = DELIVERED;
    if (json_write(&body, member(details, "body"), NULL, &fail) && !body.failed) {
        request.body = buffer_view(&body);
        delivered = send_request(delivery, "bulk", view_of(name), &request);
    }
    buffer_free(&body);
    return delivered;
}

enum delivered delivery_run(struct delivery *delivery)
{
    switch (delivery->item.kind) {
    case CRM_PENDING_FUNCTION:
        return deliver_function(delivery);
    case CRM_PENDING_WEBHOOK:
        return deliver_webhook(delivery);
    case CRM_PENDING_POST:
        return deliver_post(delivery);
    default:
        return deliver_notification(delivery);
    }
}
