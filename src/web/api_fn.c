// SPDX-License-Identifier: Apache-2.0
//
// Functions of an org, for the commands and the console. Owners only.
#include "web/told.h"

static int read_switch(const struct map *map, const char *name)
{
    struct value value = map_get_text(map, view_of(name));
    return value.type == VALUE_BOOL ? value.boolean : -1;
}

static bool read_sources(struct answer *answer, const struct map *map, struct host_fn_put *request)
{
    const struct list *list = value_as_list(map_get_text(map, VIEW("functions")));
    uint32_t count = list ? list->count : 0;
    struct host_fn_source *sources = arena_alloc(answer->exchange->arena, (count + 1) * sizeof *sources);
    if (!sources) {
        return fail_set(&answer->fail, FAIL_MEMORY, NULL);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct map *item = value_as_map(list->items[i]);
        sources[i].file = item ? value_view_or(map_get_text(item, VIEW("file")), VIEW("")) : VIEW("");
        sources[i].source = item ? value_view_or(map_get_text(item, VIEW("source")), VIEW_NONE) : VIEW_NONE;
        if (!sources[i].source.data || !sources[i].file.len) {
            return fail_set(&answer->fail, FAIL_INVALID_DATA, "each of \"functions\" needs a \"file\" and a \"source\"");
        }
    }
    request->sources = sources;
    request->count = (int)count;
    return true;
}

static bool read_put(struct answer *answer, struct host_fn_put *request)
{
    const struct map *map;
    if (!answer_body(answer, &map) || !read_sources(answer, map, request)) {
        return false;
    }
    struct view kind = value_view_or(map_get_text(map, VIEW("kind")), VIEW(""));
    request->kind = kind.len ? ext_kind_find(kind) : NULL;
    request->name = value_view_or(map_get_text(map, VIEW("name")), VIEW(""));
    request->apikey = read_switch(map, "apikey");
    request->oauth = read_switch(map, "oauth");
    request->keep = read_switch(map, "keep") == 1;
    return !kind.len || request->kind ||
           fail_set(&answer->fail, FAIL_INVALID_DATA,
                    "there is no kind \"%.*s\": standalone, button, automation, schedule, validation_rule, related_list, salessignals",
                    VIEW_ARGS(kind));
}

void api_fn_put(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct told told;
    struct host_fn_put request = {.count = 0};
    struct value list;
    bool good = told_open(&told, exchange) && read_put(&told.answer, &request) &&
                host_fn_put(web->host, &exchange->identity, &request, &told.message, &told.answer.heap, &list, &told.answer.fail);
    if (good) {
        map_put_text(&told.answer.heap, value_as_map(told.reply), VIEW("functions"), list);
    }
    told_send(&told, good);
}

void api_fn_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct value list = value_null();
    answer_open(&answer, exchange);
    bool good = host_fn_list(web->host, &exchange->identity, &answer.heap, &list, &answer.fail);
    answer_send(&answer, good, list);
}

void api_fn_show(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    struct value map = value_null();
    answer_open(&answer, exchange);
    bool good = host_fn_show(web->host, &exchange->identity, params[0], true, &answer.heap, &map, &answer.fail);
    answer_send(&answer, good, map);
}

void api_fn_remove(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    answer_open(&answer, exchange);
    struct value reply = value_map(&answer.heap, 1);
    bool good = host_fn_remove(web->host, &exchange->identity, params[0], &answer.fail);
    answer_put(&answer, reply, "name", params[0]);
    answer_send(&answer, good, reply);
}

void api_fn_history(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    struct value list = value_null();
    answer_open(&answer, exchange);
    bool good = host_fn_history(web->host, &exchange->identity, params[0], &answer.heap, &list, &answer.fail);
    answer_send(&answer, good, list);
}

void api_fn_restore(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    struct value map = value_null();
    int64_t number;
    answer_open(&answer, exchange);
    bool good = (view_to_int64(params[1], &number) || fail_set(&answer.fail, FAIL_INVALID_DATA, "a version is a number")) &&
                host_fn_restore(web->host, &exchange->identity, params[0], number, &answer.heap, &map, &answer.fail);
    answer_send(&answer, good, map);
}
