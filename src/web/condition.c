// SPDX-License-Identifier: Apache-2.0
//
// Conditional requests on records (spec/crm-api.md §2.1, §2.2): If-Modified-Since on reads, If-Unmodified-Since on writes. Zoho writes
// times as ISO 8601 there, not as HTTP does. X-EXTERNAL, by which clients with keys of their own name records, is refused: there are none
// here.
#include "web/rest.h"

// A time in a header; 0 when it is absent.
static bool read_time(struct rest *rest, const char *name, int64_t *ret_millis)
{
    struct view text = view_trim(exchange_header(rest->answer.exchange, view_of(name)));
    bool has_time = false;
    *ret_millis = 0;
    if (text.len == 0) {
        return true;
    }
    if (!calendar_read(text, crm_zone(&rest->session), ret_millis, &has_time) || !has_time || *ret_millis <= 0) {
        rest_refuse(rest, FAIL_INVALID_DATA, "header", view_of(name));
        return fail_set(&rest->answer.fail, FAIL_INVALID_DATA, "the header %s is no ISO 8601 time", name);
    }
    return true;
}

static bool refuse_external(struct rest *rest)
{
    if (exchange_header(rest->answer.exchange, VIEW("x-external")).len) {
        rest_refuse(rest, FAIL_NOT_SUPPORTED, "header", VIEW("X-EXTERNAL"));
        return fail_set(&rest->answer.fail, FAIL_NOT_SUPPORTED, "external ids are not supported");
    }
    return true;
}

bool rest_modified_since(struct rest *rest, int64_t *ret_millis)
{
    return refuse_external(rest) && read_time(rest, "if-modified-since", ret_millis);
}

bool rest_write_conditions(struct rest *rest)
{
    return refuse_external(rest) && read_time(rest, "if-unmodified-since", &rest->session.unmodified_since_ms);
}

void rest_send_none(struct rest *rest, int64_t modified_since_ms)
{
    rest_send_empty(rest, modified_since_ms ? 304 : 204);
}
