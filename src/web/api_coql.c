// SPDX-License-Identifier: Apache-2.0
//
// POST /crm/v{N}/coql {"select_query":"…"} (spec/crm-api.md §2.4).
#include "web/rest.h"

void api_coql(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct map *body;
    struct value list = value_null(), info;
    bool more = false;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_body(&rest, &body);
    struct value query = good ? map_get_text(body, VIEW("select_query")) : value_null();
    if (good && !value_is_text(query)) {
        good = value_is_null(query) ? rest_refuse(&rest, FAIL_MANDATORY_NOT_FOUND, "api_name", VIEW("select_query"))
                                    : rest_refuse(&rest, FAIL_INVALID_DATA, "expected_data_type", VIEW("text"));
    }
    good = good && crm_coql(&rest.session, value_view(query), &list, &more, &rest.answer.fail);
    if (good && list.list->count == 0) {
        rest_send_empty(&rest, 204);
        return;
    }
    struct value reply = rest_wrap(&rest, "data", list);
    info = value_map(&rest.answer.heap, 2);
    if (good && reply.type == VALUE_MAP && info.type == VALUE_MAP) {
        map_put_text(&rest.answer.heap, info.map, VIEW("count"), value_number(list.list->count));
        map_put_text(&rest.answer.heap, info.map, VIEW("more_records"), value_bool(more));
        map_put_text(&rest.answer.heap, reply.map, VIEW("info"), info);
    }
    rest_send(&rest, good, reply);
}
