// SPDX-License-Identifier: Apache-2.0
//
// How handlers answer in JSON: one heap an answer, printed into the exchange's arena at the end; failures go out in the envelope like
// everywhere else.
#include "web/room.h"

void answer_open(struct answer *answer, struct exchange *exchange)
{
    *answer = (struct answer){.exchange = exchange, .status = 200};
    heap_init(&answer->heap, ANSWER_HEAP_BYTES_MAX, NULL);
}

void answer_put(struct answer *answer, struct value map, const char *name, struct view text)
{
    if (map.type == VALUE_MAP) {
        map_put_text(&answer->heap, map.map, view_of(name), value_text(&answer->heap, text));
    }
}

// Printed into a buffer first, because only its end tells whether it fits.
static bool print(struct answer *answer, struct value value, struct view *ret_text)
{
    struct buffer out;
    buffer_init(&out, ANSWER_HEAP_BYTES_MAX);
    bool good = json_write(&out, value, NULL, &answer->fail);
    *ret_text = good && !out.failed ? arena_copy(answer->exchange->arena, buffer_view(&out)) : VIEW_NONE;
    buffer_free(&out);
    return ret_text->len > 0 || (good && fail_set(&answer->fail, FAIL_MEMORY, "the answer is too long"));
}

void answer_send(struct answer *answer, bool good, struct value value)
{
    struct view text;
    if (good && answer->heap.failed) {
        good = fail_set(&answer->fail, FAIL_MEMORY, NULL);
    }
    if (good && print(answer, value, &text)) {
        exchange_reply_json(answer->exchange, answer->status, text);
    } else {
        exchange_reply_fail(answer->exchange, &answer->fail);
    }
    heap_free(&answer->heap);
}

bool answer_body(struct answer *answer, const struct map **ret_map)
{
    struct value body;
    if (!json_read(&answer->heap, answer->exchange->body, &body, &answer->fail)) {
        return false;
    }
    *ret_map = value_as_map(body);
    return *ret_map || fail_set(&answer->fail, FAIL_INVALID_DATA, "the body must be a JSON object");
}

// A text "true" is a mistake worth telling.
bool answer_flag(struct answer *answer, const struct map *map, const char *name, bool *ret_flag)
{
    struct value flag = map_get_text(map, view_of(name));
    if (flag.type != VALUE_NULL && flag.type != VALUE_BOOL) {
        return fail_set(&answer->fail, FAIL_INVALID_DATA, "%s must be true or false", name);
    }
    *ret_flag = flag.type == VALUE_BOOL && flag.boolean;
    return true;
}
