// SPDX-License-Identifier: Apache-2.0
//
// What machines ask: alive, ready, and the numbers.
#include "web/room.h"

static void reply_text(struct exchange *exchange, int status, struct view text)
{
    exchange->status = status;
    exchange->reply_type = VIEW("text/plain;charset=utf-8");
    exchange->reply_body = text;
}

void api_health_live(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)web;
    (void)params;
    reply_text(exchange, 200, VIEW("ok\n"));
}

void api_health_ready(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)web;
    (void)params;
    bool stopping = loop_stopping();
    reply_text(exchange, stopping ? 503 : 200, stopping ? VIEW("stopping\n") : VIEW("ready\n"));
}

void api_health_metrics(struct web *web, struct exchange *exchange, const struct view *params)
{
    enum { METRICS_BYTES_MAX = 64 * 1024 };
    (void)params;
    struct buffer out;
    buffer_init(&out, METRICS_BYTES_MAX);
    metrics_print(web, &out);
    struct view text = out.failed ? VIEW_NONE : arena_copy(exchange->arena, buffer_view(&out));
    buffer_free(&out);
    if (text.len > 0) { // else the dispatcher answers for a handler that could not
        reply_text(exchange, 200, text);
        exchange->reply_type = VIEW("text/plain; version=0.0.4; charset=utf-8");
    }
}
