// SPDX-License-Identifier: Apache-2.0
//
// Connections, for the commands and the console. Owners only; secrets come in with the body and never go out.
#include "web/room.h"

void api_connections_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct value list = value_null();
    answer_open(&answer, exchange);
    bool good = host_connections_list(web->host, &exchange->identity, &answer.heap, &list, &answer.fail);
    answer_send(&answer, good, list);
}

static void send_one(struct web *web, struct answer *answer, bool good, struct view name)
{
    struct value map = value_null();
    good = good && host_connection_show(web->host, &answer->exchange->identity, name, &answer->heap, &map, &answer->fail);
    answer_send(answer, good, map);
}

void api_connection_show(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    answer_open(&answer, exchange);
    send_one(web, &answer, true, params[0]);
}

void api_connection_new(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    const struct map *map;
    answer_open(&answer, exchange);
    bool good = answer_body(&answer, &map);
    struct ext_connection connection = {.name = good ? value_view_or(map_get_text(map, VIEW("name")), VIEW("")) : VIEW(""),
                                        .definition = good ? map_get_text(map, VIEW("definition")) : value_null(),
                                        .secrets = good ? map_get_text(map, VIEW("secrets")) : value_null()};
    if (good && value_is_null(connection.secrets)) {
        connection.secrets = value_map(&answer.heap, 0);
    }
    good = good && host_connection_new(web->host, &exchange->identity, &connection, &answer.heap, &answer.fail);
    send_one(web, &answer, good, connection.name);
}

void api_connection_test(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    const struct map *map = NULL;
    struct value told = value_null();
    answer_open(&answer, exchange);
    bool good = answer_body(&answer, &map);
    struct view url = good ? view_trim(value_view_or(map_get_text(map, VIEW("url")), VIEW(""))) : VIEW("");
    good = good && host_connection_test(web->host, &exchange->identity, params[0], url, &answer.heap, &told, &answer.fail);
    answer_send(&answer, good, told);
}

void api_connection_remove(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    answer_open(&answer, exchange);
    struct value reply = value_map(&answer.heap, 1);
    bool good = host_connection_remove(web->host, &exchange->identity, params[0], &answer.fail);
    answer_put(&answer, reply, "name", params[0]);
    answer_send(&answer, good, reply);
}
