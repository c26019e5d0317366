// SPDX-License-Identifier: Apache-2.0
//
// See told.h.
#include "web/told.h"

// host speaks while it installs; the lines are collected and go out with the result.
static void add_message(void *user, enum log_level level, const char *text)
{
    static const char *const names[] = {[LOG_ERROR] = "error", [LOG_WARN] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
    struct messages *messages = user;
    struct heap *heap = &messages->answer->heap;
    struct value line = value_map(heap, 2);
    if (!heap->failed) {
        answer_put(messages->answer, line, "level", view_of(names[level]));
        answer_put(messages->answer, line, "text", view_of(text));
        list_add(heap, messages->lines, line);
    }
}

bool told_open(struct told *told, struct exchange *exchange)
{
    answer_open(&told->answer, exchange);
    told->reply = value_map(&told->answer.heap, 4);
    told->lines = value_list(&told->answer.heap, 8);
    told->messages = (struct messages){&told->answer, value_as_list(told->lines)};
    told->message = (struct host_message){&told->messages, add_message};
    return !told->answer.heap.failed || fail_set(&told->answer.fail, FAIL_MEMORY, NULL);
}

void told_send(struct told *told, bool good)
{
    struct answer *answer = &told->answer;
    bool said = !good && answer->fail.code != FAIL_NONE && !answer->heap.failed && value_as_list(told->lines)->count > 0;
    if (good || said) {
        map_put_text(&answer->heap, value_as_map(told->reply), VIEW("messages"), told->lines);
    }
    if (said) { // why it failed, with every line that was said before
        answer_put(answer, told->reply, "message", view_of(answer->fail.text));
        answer->status = fail_status(answer->fail.code) == 200 ? 400 : fail_status(answer->fail.code);
    }
    answer_send(answer, good || said, told->reply);
}
