// SPDX-License-Identifier: Apache-2.0
//
// zapikeys, for the commands and the console. Owners only.
#include "web/room.h"

void api_key_show(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    char key[AUTH_KEY_LEN + 1];
    answer_open(&answer, exchange);
    struct value reply = value_map(&answer.heap, 1);
    bool good = host_key_show(web->host, &exchange->identity, params[0], key, &answer.fail);
    if (good) {
        answer_put(&answer, reply, "zapikey", view_of(key));
    }
    answer_send(&answer, good, reply);
}
