// SPDX-License-Identifier: Apache-2.0
//
// For the console's script editor: checking, formatting, and the tables of the language. Owners only; nothing runs and nothing is kept.
#include "web/room.h"

static bool read_source(struct answer *answer, const struct map **ret_map, struct view *ret_source)
{
    if (!answer_body(answer, ret_map)) {
        return false;
    }
    *ret_source = value_view_or(map_get_text(*ret_map, VIEW("source")), VIEW_NONE);
    return ret_source->data || fail_set(&answer->fail, FAIL_INVALID_DATA, "\"source\" must be the script's text");
}

void api_editor_check(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)web, (void)params;
    struct answer answer;
    const struct map *map;
    struct view source;
    struct value reply = value_null();
    answer_open(&answer, exchange);
    bool good = read_source(&answer, &map, &source);
    if (good) {
        struct view name = value_view_or(map_get_text(map, VIEW("name")), VIEW("standalone.script"));
        good = host_editor_check(source, name, &answer.heap, &reply, &answer.fail);
    }
    answer_send(&answer, good, reply);
}

void api_editor_execute(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    const struct map *map;
    struct host_editor_script script = {.arguments = value_null()};
    struct value reply = value_null();
    answer_open(&answer, exchange);
    bool good = read_source(&answer, &map, &script.source);
    if (good) {
        script.namespace = value_view_or(map_get_text(map, VIEW("namespace")), VIEW(""));
        script.name = value_view_or(map_get_text(map, VIEW("name")), VIEW(""));
        script.arguments = map_get_text(map, VIEW("arguments"));
        good = host_editor_execute(web->host, &exchange->identity, &script, &answer.heap, &reply, &answer.fail);
    }
    answer_send(&answer, good, reply);
}

void api_editor_format(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)web, (void)params;
    struct answer answer;
    const struct map *map;
    struct view source;
    struct value reply = value_null();
    answer_open(&answer, exchange);
    bool good = read_source(&answer, &map, &source) && host_editor_format(source, &answer.heap, &reply, &answer.fail);
    answer_send(&answer, good, reply);
}

void api_editor_language(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)web, (void)params;
    struct answer answer;
    struct value reply;
    answer_open(&answer, exchange);
    host_editor_language(&answer.heap, &reply);
    answer_send(&answer, true, reply);
}
