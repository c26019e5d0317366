// SPDX-License-Identifier: Apache-2.0
//
// The recycle bin over REST: what was deleted in all modules. It is a list only: nothing is restored from it, or deleted for good.
#include "web/rest.h"

static void send_bin(struct rest *rest, bool good, const struct crm_query *query, struct value list, bool more)
{
    struct heap *heap = &rest->answer.heap;
    if (good && list.list->count == 0) {
        rest_send_empty(rest, 204);
        return;
    }
    struct value reply = rest_wrap(rest, "recycle_bin", list), info = value_map(heap, 4);
    if (good && reply.type == VALUE_MAP && info.type == VALUE_MAP) {
        map_put_text(heap, info.map, VIEW("per_page"), value_number(query->per_page));
        map_put_text(heap, info.map, VIEW("count"), value_number(list.list->count));
        map_put_text(heap, info.map, VIEW("page"), value_number(query->page));
        map_put_text(heap, info.map, VIEW("more_records"), value_bool(more));
        map_put_text(heap, reply.map, VIEW("info"), info);
    }
    rest_send(rest, good, reply);
}

static void list_bin(struct web *web, struct exchange *exchange, struct view id)
{
    struct rest rest;
    struct crm_query query = {0};
    struct value list = value_null();
    bool more = false;
    int64_t number = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = (!id.data || rest_id(&rest, id, 2, &number)) && rest_query_page(&rest, &query) &&
                crm_bin_list(&rest.session, number, query.page, query.per_page, &list, &more, &rest.answer.fail);
    if (good && id.data && list.list->count == 0) {
        good = rest_refuse_index(&rest, FAIL_INVALID_DATA, "the id given seems to be invalid", 2);
    }
    send_bin(&rest, good, &query, list, more);
}

void api_bin_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    list_bin(web, exchange, VIEW_NONE);
}

void api_bin_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    list_bin(web, exchange, params[0]);
}

void api_bin_count(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    int64_t count = 0;
    (void)params;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = crm_bin_count(&rest.session, &count, &rest.answer.fail);
    rest_send(&rest, good, rest_wrap(&rest, "count", value_number(count)));
}
