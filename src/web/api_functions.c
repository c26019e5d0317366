// SPDX-License-Identifier: Apache-2.0
//
// Function URLs, both versions: by the time a call is here its caller is known, it is counted, and its body has been read. The version of
// the URL does not matter: a function answers in its own style (PRODUCT "What a function gets"), which host knows.
#include "web/room.h"

void api_function_execute(struct web *web, struct exchange *exchange, const struct view *params)
{
    host_function_call(web->host, exchange, params[0]);
}
