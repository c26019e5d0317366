// SPDX-License-Identifier: Apache-2.0
//
// Indexes over fields of an org environment, for the command. Owners only.
#include "web/rest.h"

void api_indexes_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct value list = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    rest_send(&rest, crm_indexes_list(&rest.session, &list, &rest.answer.fail), list);
}

void api_index_new(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    bool made = false;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value reply = value_map(&rest.answer.heap, 3);
    bool good = crm_index_new(&rest.session, params[0], params[1], &made, &rest.answer.fail);
    answer_put(&rest.answer, reply, "module", params[0]);
    answer_put(&rest.answer, reply, "field", params[1]);
    if (reply.type == VALUE_MAP) {
        map_put_text(&rest.answer.heap, reply.map, VIEW("new"), value_bool(made));
    }
    rest_send(&rest, good, reply);
}
