// SPDX-License-Identifier: Apache-2.0
//
// Signals that were raised, newest first (PRODUCT "Shapes that other programs read"; spec/platform.md §7 names the path).
#include "web/room.h"

enum { SIGNALS_HEAP_BYTES_MAX = 64 << 20, SIGNALS_SHOWN = 200 };

void api_signals_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct heap heap;
    struct fail fail = {0};
    struct value list;
    struct buffer out;
    heap_init(&heap, SIGNALS_HEAP_BYTES_MAX, NULL);
    buffer_init(&out, SIGNALS_HEAP_BYTES_MAX);
    struct value reply = value_map(&heap, 1);
    bool good = host_signals_list(web->host, &exchange->identity, SIGNALS_SHOWN, &heap, &list, &fail);
    if (good && reply.type == VALUE_MAP) {
        map_put_text(&heap, reply.map, VIEW("notifications"), list);
    }
    good = good && (!heap.failed || fail_set(&fail, FAIL_MEMORY, NULL)) && json_write(&out, reply, NULL, &fail);
    struct view body = good ? arena_copy(exchange->arena, buffer_view(&out)) : VIEW_NONE;
    if (good && !body.data) {
        good = fail_set(&fail, FAIL_MEMORY, NULL);
    }
    if (good) {
        exchange_reply_json(exchange, 200, body);
    } else {
        exchange_reply_fail(exchange, &fail);
    }
    buffer_free(&out);
    heap_free(&heap);
}
