// SPDX-License-Identifier: Apache-2.0
//
// Schedules of an org environment, for the commands and the console. Owners only.
#include "web/room.h"

void api_schedules_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct value list = value_null();
    answer_open(&answer, exchange);
    bool good = host_schedules_list(web->host, &exchange->identity, &answer.heap, &list, &answer.fail);
    answer_send(&answer, good, list);
}

void api_schedule_set(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    struct value shown = value_null();
    const struct map *map;
    answer_open(&answer, exchange);
    bool good = answer_body(&answer, &map);
    if (good) {
        struct host_schedule request = {.function = params[0],
                                        .cron = value_view_or(map_get_text(map, VIEW("cron")), VIEW("")),
                                        .missed = value_view_or(map_get_text(map, VIEW("missed")), VIEW("")),
                                        .zone = value_view_or(map_get_text(map, VIEW("zone")), VIEW(""))};
        good = host_schedule_set(web->host, &exchange->identity, &request, &answer.heap, &shown, &answer.fail);
    }
    answer_send(&answer, good, shown);
}

void api_schedule_remove(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    answer_open(&answer, exchange);
    struct value reply = value_map(&answer.heap, 1);
    bool good = host_schedule_remove(web->host, &exchange->identity, params[0], &answer.fail);
    answer_put(&answer, reply, "function", params[0]);
    answer_send(&answer, good, reply);
}

void api_schedule_run(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    struct value run = value_null();
    answer_open(&answer, exchange);
    bool good = host_schedule_run(web->host, &exchange->identity, params[0], &answer.heap, &run, &answer.fail);
    answer_send(&answer, good, run);
}
