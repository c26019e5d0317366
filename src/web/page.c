// SPDX-License-Identifier: Apache-2.0
//
// Pages of lists over REST (spec/crm-api.md §2.1, §2.2): the parameters, the `info` of an answer, and page tokens. A token is the cursor of
// the page's end (none for the page before), the page's number, its expiry and a fingerprint of the request, sealed for the caller: it
// opens for no other user, and goes on in no other list than its own.
#include "web/rest.h"

enum { FIELDS_NAMED_MAX = 50, NUMBERED_ROWS_MAX = 2000, ROWS_MAX = 100000, TOKEN_BYTES_MAX = 8192, TOKEN_MS = 24 * 3600 * 1000 };

struct view rest_param(const struct rest *rest, const char *name)
{
    return exchange_param(rest->answer.exchange, view_of(name));
}

// ---- parameters ---------------------------------------------------------------------------------

bool rest_query_fields(struct rest *rest, struct crm_query *query)
{
    query->fields = rest_param(rest, "fields");
    int count = 0;
    for (struct view names = query->fields; names.len; count++) {
        view_cut(&names, ',');
    }
    if (count > FIELDS_NAMED_MAX) {
        rest_refuse(rest, FAIL_LIMIT_EXCEEDED, "param_name", VIEW("fields"));
        return fail_set(&rest->answer.fail, FAIL_LIMIT_EXCEEDED, "fields names at most %d fields", FIELDS_NAMED_MAX);
    }
    return true;
}

bool rest_choice(struct rest *rest, const char *name, const char *const *choices, size_t count)
{
    struct view given = rest_param(rest, name);
    for (size_t i = 0; i < count; i++) {
        if (view_eq_nocase(given, view_of(choices[i]))) {
            return true;
        }
    }
    return rest_refuse(rest, FAIL_INVALID_DATA, "param_name", view_of(name));
}

static bool read_order(struct rest *rest, struct crm_query *query)
{
    query->sort_by = rest_param(rest, "sort_by");
    query->sort_order = rest_param(rest, "sort_order");
    query->converted = rest_param(rest, "converted");
    static const char *const orders[] = {"asc", "desc"}, *const shown[] = {"false", "true", "both"};
    return (query->sort_order.len == 0 || rest_choice(rest, "sort_order", orders, BASE_COUNT(orders))) &&
           (query->converted.len == 0 || rest_choice(rest, "converted", shown, BASE_COUNT(shown)));
}

static bool read_page(struct rest *rest, struct crm_query *query)
{
    int64_t page, per_page;
    if (!rest_number(rest, "page", 1, INT32_MAX, 1, &page) || !rest_number(rest, "per_page", 1, CRM_PAGE_MAX, CRM_PAGE_MAX, &per_page)) {
        return false;
    }
    query->page = (int)page;
    query->per_page = (int)per_page;
    return true;
}

bool rest_query_page(struct rest *rest, struct crm_query *query)
{
    return rest_query_fields(rest, query) && read_order(rest, query) && read_page(rest, query);
}

// ---- tokens -------------------------------------------------------------------------------------

// Everything that decides which records a list has, and in which order.
static uint64_t fingerprint(const struct rest *rest, struct view module, const struct crm_query *query)
{
    struct view parts[] = {module,
                           query->fields,
                           query->sort_by,
                           query->sort_order,
                           query->converted,
                           rest_param(rest, "ids"),
                           rest_param(rest, "cvid"),
                           rest_param(rest, "approved"),
                           exchange_header(rest->answer.exchange, VIEW("if-modified-since"))};
    uint64_t mark = (uint64_t)query->per_page;
    for (size_t i = 0; i < BASE_COUNT(parts); i++) {
        for (size_t k = 0; k < parts[i].len; k++) {
            mark = (mark ^ (unsigned char)parts[i].data[k]) * 0x100000001b3u; // not keyed: another process must find the same
        }
        mark = (mark ^ 0xff) * 0x100000001b3u;
    }
    return mark;
}

// "expiry page fingerprint cursor"
static bool open_token(struct rest *rest, struct view module, struct view token, struct crm_query *query)
{
    struct answer *answer = &rest->answer;
    struct view plain;
    if (!host_seal_read(rest->web->host, &answer->exchange->identity, VIEW("page"), token, answer->exchange->arena, &plain)) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("page_token"));
    }
    int64_t expiry_ms, page, mark;
    struct view rest_text = plain, first = view_cut(&rest_text, ' '), second = view_cut(&rest_text, ' '), third = view_cut(&rest_text, ' ');
    if (!view_to_int64(first, &expiry_ms) || !view_to_int64(second, &page) || !view_to_int64(third, &mark)) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("page_token"));
    }
    if (expiry_ms < clock_wall_ms()) {
        return rest_refuse(rest, FAIL_TOKEN_EXPIRED, "param_name", VIEW("page_token"));
    }
    if ((uint64_t)mark != fingerprint(rest, module, query)) {
        return rest_refuse(rest, FAIL_TOKEN_BOUND, "param_name", VIEW("page_token"));
    }
    if ((page - 1) * query->per_page >= ROWS_MAX) {
        return rest_refuse(rest, FAIL_PAGINATION_LIMIT, "param_name", VIEW("page_token"));
    }
    query->page = (int)page;
    query->cursor = rest_text;
    return true;
}

bool rest_query_token(struct rest *rest, struct view module, struct crm_query *query)
{
    rest->module = module;
    rest->tokens = rest_since(rest, REST_PAGE_TOKENS);
    if (!rest->tokens) {
        return true;
    }
    struct view token = rest_param(rest, "page_token");
    if (token.len && rest_param(rest, "page").len) {
        return rest_refuse(rest, FAIL_AMBIGUITY, "param_name", VIEW("page_token"));
    }
    if (token.len) {
        return open_token(rest, module, token, query);
    }
    bool deep = ((int64_t)query->page - 1) * query->per_page >= NUMBERED_ROWS_MAX;
    return !deep || rest_refuse(rest, FAIL_DISCRETE_LIMIT, "param_name", VIEW("page"));
}

static struct value make_token(struct rest *rest, const struct crm_query *query, int page, struct view cursor, int64_t expiry_ms)
{
    struct buffer plain;
    struct view token = VIEW_NONE;
    buffer_init(&plain, TOKEN_BYTES_MAX);
    buffer_printf(&plain, "%lld %d %lld %.*s", (long long)expiry_ms, page, (long long)fingerprint(rest, rest->module, query),
                  VIEW_ARGS(cursor));
    if (!plain.failed) { // a value too long to go on from: the pages end there
        token = host_seal_write(rest->web->host, &rest->answer.exchange->identity, VIEW("page"), buffer_view(&plain),
                                rest->answer.exchange->arena);
    }
    buffer_free(&plain);
    return token.len ? value_text(&rest->answer.heap, token) : value_null();
}

// ---- answers ------------------------------------------------------------------------------------

static void put(struct rest *rest, struct value map, const char *name, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(&rest->answer.heap, map.map, view_of(name), value);
    }
}

static void put_tokens(struct rest *rest, struct value info, const struct crm_query *query, bool more)
{
    int64_t expiry_ms = clock_wall_ms() / 1000 * 1000 + TOKEN_MS;
    struct value next = more && value_is_text(rest->session.cursor)
                            ? make_token(rest, query, query->page + 1, value_view(rest->session.cursor), expiry_ms)
                            : value_null();
    // The page before is found by its number: it walks over what stands before it.
    struct value previous = query->page > 1 ? make_token(rest, query, query->page - 1, VIEW(""), expiry_ms) : value_null();
    bool any = !value_is_null(next) || !value_is_null(previous);
    struct buffer time;
    buffer_init(&time, 64);
    calendar_print_iso(&time, expiry_ms, crm_zone(&rest->session));
    put(rest, info, "next_page_token", next);
    put(rest, info, "previous_page_token", previous);
    put(rest, info, "page_token_expiry", any ? value_text(&rest->answer.heap, buffer_view(&time)) : value_null());
    put(rest, info, "sort_by", value_text(&rest->answer.heap, query->sort_by.len ? query->sort_by : VIEW("id")));
    put(rest, info, "sort_order",
        value_text(&rest->answer.heap, view_eq_nocase(query->sort_order, VIEW("asc")) ? VIEW("asc") : VIEW("desc")));
    buffer_free(&time);
}

static struct value make_info(struct rest *rest, const struct crm_query *query, int count, bool more)
{
    struct value info = value_map(&rest->answer.heap, 10);
    put(rest, info, "per_page", value_number(query->per_page));
    if (rest->tokens) {
        put_tokens(rest, info, query, more);
    }
    put(rest, info, "count", value_number(count));
    put(rest, info, "page", value_number(query->page));
    put(rest, info, "more_records", value_bool(more));
    if (rest->tokens && !view_eq_nocase(rest->module, VIEW("Notes"))) { // notes have their own page at Zoho
        put(rest, info, "call", value_bool(false));
        put(rest, info, "email", value_bool(false));
    }
    return info;
}

void rest_page_written(struct rest *rest, struct crm_query *query)
{
    buffer_init(&rest->written.text, ANSWER_HEAP_BYTES_MAX);
    buffer_add(&rest->written.text, VIEW("{\"data\":["));
    query->written = &rest->written;
}

// Behind the records comes what is said of the page.
static void send_written(struct rest *rest, struct value info)
{
    struct buffer *text = &rest->written.text;
    struct answer *answer = &rest->answer;
    buffer_add(text, VIEW("],\"info\":"));
    bool good = !answer->heap.failed && json_write(text, info, NULL, &answer->fail);
    buffer_add_char(text, '}');
    struct view reply = good && !text->failed ? arena_copy(answer->exchange->arena, buffer_view(text)) : VIEW_NONE;
    if (!reply.data) {
        rest_send(rest, fail_set(&answer->fail, FAIL_MEMORY, "the answer is too long"), value_null());
        return;
    }
    crm_session_close(&rest->session);
    exchange_reply_json(answer->exchange, answer->status, reply);
    heap_free(&answer->heap);
}

void rest_send_page(struct rest *rest, bool good, const struct crm_query *query, struct value list, bool more)
{
    int count = query->written ? query->written->count : good ? (int)list.list->count : 0;
    if (good && count == 0) {
        rest_send_none(rest, query->modified_after_ms);
    } else if (good && query->written) {
        send_written(rest, make_info(rest, query, count, more));
    } else {
        struct value reply = good ? rest_wrap(rest, "data", list) : value_null();
        put(rest, reply, "info", good ? make_info(rest, query, count, more) : value_null());
        rest_send(rest, good, reply);
    }
    buffer_free(&rest->written.text);
}
