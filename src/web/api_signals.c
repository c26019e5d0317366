// SPDX-License-Identifier: Apache-2.0
//
// Signals: raising over REST, which is the twin of a script's raisesignal, and listing what was raised, newest first (PRODUCT "Shapes that
// other programs read"; spec/platform.md §7). A client wraps its signals in a list, {"signals":[{…}]}; Zoho's pages show the map alone, so
// that goes too. The reply's shape is a GUESS: results like those of records, in a list of the same name.
#include "web/rest.h"

enum { SIGNALS_PAGE_MAX = 200, SIGNALS_PAGES_MAX = 10000, SIGNALS_RAISED_MAX = 100, STATUS_CREATED = 201, STATUS_PART = 207 };

// ---- listing ------------------------------------------------------------------------------------

static bool read_query(struct rest *rest, struct crm_signal_query *ret_query)
{
    int64_t page, per_page;
    struct view id = rest_param(rest, "record_id");
    struct crm_signal_query query = {.module = rest_param(rest, "module")};
    if (!rest_number(rest, "page", 1, SIGNALS_PAGES_MAX, 1, &page) ||
        !rest_number(rest, "per_page", 1, SIGNALS_PAGE_MAX, SIGNALS_PAGE_MAX, &per_page)) {
        return false;
    }
    if (id.len && (!view_to_int64(id, &query.record_id) || query.record_id <= 0)) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("record_id"));
    }
    query.page = (int)page;
    query.per_page = (int)per_page;
    *ret_query = query;
    return true;
}

static struct value make_info(struct heap *heap, const struct crm_signal_query *query, uint32_t count, bool more)
{
    struct value info = value_map(heap, 4);
    if (info.type == VALUE_MAP) {
        map_put_text(heap, info.map, VIEW("per_page"), value_number(query->per_page));
        map_put_text(heap, info.map, VIEW("count"), value_number(count));
        map_put_text(heap, info.map, VIEW("page"), value_number(query->page));
        map_put_text(heap, info.map, VIEW("more_records"), value_bool(more));
    }
    return info;
}

void api_signals_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct crm_signal_query query;
    struct value list = value_null(), reply = value_null();
    bool more = false;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct answer *answer = &rest.answer;
    bool good =
        read_query(&rest, &query) && host_signals_page(web->host, &exchange->identity, &query, &answer->heap, &list, &more, &answer->fail);
    if (good) {
        reply = rest_wrap(&rest, "notifications", list);
        struct map *map = value_as_map(reply);
        if (map) {
            map_put_text(&answer->heap, map, VIEW("info"), make_info(&answer->heap, &query, value_as_list(list)->count, more));
        }
    }
    rest_send(&rest, good, reply);
}

// ---- raising ------------------------------------------------------------------------------------

static struct value rows_of(struct rest *rest, struct map *body)
{
    struct value rows = map_get_text(body, VIEW("signals"));
    if (!value_is_null(rows) || value_is_null(map_get_text(body, VIEW("signal_namespace")))) {
        return rows;
    }
    rows = value_list(&rest->answer.heap, 1);
    if (rows.type == VALUE_LIST) {
        list_add(&rest->answer.heap, rows.list, (struct value){.type = VALUE_MAP, .map = body});
    }
    return rows;
}

static bool read_signals(struct rest *rest, struct list **ret_rows)
{
    struct map *body;
    if (!rest_body(rest, &body)) {
        return false;
    }
    struct value rows = rows_of(rest, body);
    if (value_is_null(rows)) {
        return rest_refuse(rest, FAIL_MANDATORY_NOT_FOUND, "api_name", VIEW("signals"));
    }
    *ret_rows = value_as_list(rows);
    if (!*ret_rows || (*ret_rows)->count == 0) {
        rest->details = value_map(&rest->answer.heap, 2);
        answer_put(&rest->answer, rest->details, "api_name", VIEW("signals"));
        answer_put(&rest->answer, rest->details, "expected_data_type", VIEW("jsonarray"));
        return fail_set(&rest->answer.fail, FAIL_INVALID_DATA, NULL);
    }
    return (*ret_rows)->count <= SIGNALS_RAISED_MAX ||
           fail_set(&rest->answer.fail, FAIL_LIMIT_EXCEEDED, "at most %d signals are raised at once", SIGNALS_RAISED_MAX);
}

static bool raise_all(struct rest *rest, const struct list *rows, struct list *results, uint32_t *ret_raised)
{
    struct answer *answer = &rest->answer;
    *ret_raised = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        struct value result;
        if (!host_signal_raise(rest->web->host, &answer->exchange->identity, &rest->session, rows->items[i], &result, &answer->fail)) {
            return false;
        }
        const struct map *map = value_as_map(result);
        *ret_raised += map && view_eq(value_view_or(map_get_text(map, VIEW("status")), VIEW("")), VIEW("success"));
        list_add(&answer->heap, results, result);
    }
    return true;
}

void api_signals_raise(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct list *rows = NULL;
    uint32_t raised = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_list(&rest.answer.heap, 4);
    bool good = read_signals(&rest, &rows) && (results.type == VALUE_LIST || fail_set(&rest.answer.fail, FAIL_MEMORY, NULL)) &&
                raise_all(&rest, rows, results.list, &raised);
    if (good) {
        rest.answer.status = raised == rows->count ? STATUS_CREATED : raised ? STATUS_PART : fail_status(FAIL_INVALID_DATA);
    }
    rest_send(&rest, good, good ? rest_wrap(&rest, "signals", results) : value_null());
}
