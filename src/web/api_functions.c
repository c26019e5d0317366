// SPDX-License-Identifier: Apache-2.0
//
// Function URLs, both versions: by the time a call is here its caller is known, it is counted, and its body has been read. The version of
// the URL does not matter: a function answers in its own style (PRODUCT "What a function gets"), which host knows.
#include "web/session.h"

// What a script answers may be a page, and is of the same origin as the console: a browser must not let it act as one of the console's
// (DESIGN security 8, the same policy). Data is left as it is; what names no type might be taken for a page.
static bool may_be_page(const struct exchange *exchange)
{
    static const struct view data[] = {VIEW("application/json"), VIEW("text/plain"), VIEW("text/csv"), VIEW("application/pdf")};
    struct view type = exchange->reply_type;
    for (int i = 0; i < exchange->reply_header_count; i++) {
        if (view_eq_nocase(exchange->reply_headers[i].name, VIEW("content-type")) && !type.len) {
            type = exchange->reply_headers[i].value;
        }
    }
    if (BASE_LIKELY(view_eq(type, VIEW("application/json;charset=utf-8")))) { // what nearly all answer
        return false;
    }
    bool several = view_find_char(type, ',') >= 0; // browsers take the last
    struct view rest = type, name = view_trim(view_cut(&rest, ';'));
    for (size_t i = 0; i < BASE_COUNT(data) && !several; i++) {
        if (view_eq_nocase(name, data[i])) {
            return false;
        }
    }
    return exchange->reply_body.len > 0;
}

void api_function_execute(struct web *web, struct exchange *exchange, const struct view *params)
{
    if (BASE_UNLIKELY(exchange_header(exchange, VIEW("cookie")).data)) {
        session_hide(exchange);
    }
    host_function_call(web->host, exchange, params[0]);
    if (BASE_UNLIKELY(exchange->reply_header_count > 0)) {
        session_keep_cookie(exchange);
    }
    if (BASE_UNLIKELY(may_be_page(exchange))) {
        exchange_reply_header(exchange, VIEW("Content-Security-Policy"), VIEW("sandbox allow-scripts allow-forms allow-popups"));
    }
}
