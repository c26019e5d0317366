// SPDX-License-Identifier: Apache-2.0
//
// Extensions as they are being written, for the console's developer pages. Owners only.
#include "web/told.h"

static struct view text_member(const struct map *map, const char *key)
{
    return value_view_or(map_get_text(map, view_of(key)), VIEW(""));
}

void api_drafts_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct value list = value_null();
    answer_open(&answer, exchange);
    bool good = host_drafts_list(web->host, &exchange->identity, &answer.heap, &list, &answer.fail);
    answer_send(&answer, good, list);
}

void api_draft_new(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    const struct map *map;
    struct value reply = value_null();
    answer_open(&answer, exchange);
    bool good = answer_body(&answer, &map) && host_draft_new(web->host, &exchange->identity, text_member(map, "name"),
                                                             text_member(map, "namespace"), &answer.heap, &reply, &answer.fail);
    answer_send(&answer, good, reply);
}

void api_draft_show(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    struct value map = value_null();
    answer_open(&answer, exchange);
    bool good = host_draft_show(web->host, &exchange->identity, params[0], &answer.heap, &map, &answer.fail);
    answer_send(&answer, good, map);
}

// ---- functions ----------------------------------------------------------------------------------

void api_draft_function(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    struct value map = value_null();
    answer_open(&answer, exchange);
    bool good = host_draft_function(web->host, &exchange->identity, params[0], params[1], &answer.heap, &map, &answer.fail);
    answer_send(&answer, good, map);
}

static bool read_access(struct answer *answer, const struct map *map, const char *name, enum ext_access *ret_access)
{
    struct value value = map_get_text(map, view_of(name));
    *ret_access = value.type != VALUE_BOOL ? EXT_ACCESS_KEEP : value.boolean ? EXT_ACCESS_ON : EXT_ACCESS_OFF;
    return value.type == VALUE_BOOL || value_is_null(value) ||
           fail_set(&answer->fail, FAIL_INVALID_DATA, "\"%s\" must be true or false", name);
}

static bool read_script(struct answer *answer, const struct map *map, struct view *ret_source)
{
    struct value source = map_get_text(map, VIEW("source"));
    *ret_source = value_is_text(source) ? value_view(source) : VIEW_NONE;
    return value_is_text(source) || value_is_null(source) ||
           fail_set(&answer->fail, FAIL_INVALID_DATA, "\"source\" must be the script's text");
}

void api_draft_put(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct told told;
    const struct map *map;
    struct host_draft_put request = {.namespace = params[0], .function = params[1]};
    bool good = told_open(&told, exchange) && answer_body(&told.answer, &map) && read_script(&told.answer, map, &request.source) &&
                read_access(&told.answer, map, "apikey", &request.apikey) && read_access(&told.answer, map, "oauth", &request.oauth) &&
                host_draft_put(web->host, &exchange->identity, &request, &told.message, &told.answer.heap, &told.reply, &told.answer.fail);
    told_send(&told, good);
}

void api_draft_drop(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct told told;
    bool good = told_open(&told, exchange) &&
                host_draft_drop(web->host, &exchange->identity, params[0], params[1], &told.message, &told.answer.fail);
    if (good) {
        answer_put(&told.answer, told.reply, "api_name", params[1]);
    }
    told_send(&told, good);
}

// ---- actions, variables -------------------------------------------------------------------------

void api_draft_action(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    struct value map = value_null();
    answer_open(&answer, exchange);
    bool good = host_draft_action(web->host, &exchange->identity, params[0], params[1], &answer.heap, &map, &answer.fail);
    answer_send(&answer, good, map);
}

void api_draft_put_action(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct told told;
    const struct map *map;
    struct host_draft_put request = {.namespace = params[0], .function = params[1]};
    bool good =
        told_open(&told, exchange) && answer_body(&told.answer, &map) && read_script(&told.answer, map, &request.source) &&
        host_draft_put_action(web->host, &exchange->identity, &request, &told.message, &told.answer.heap, &told.reply, &told.answer.fail);
    told_send(&told, good);
}

static bool read_text(struct answer *answer, const struct map *map, const char *name, struct view *ret_text)
{
    struct value value = map_get_text(map, view_of(name));
    *ret_text = value_is_text(value) ? value_view(value) : VIEW_NONE;
    return value_is_text(value) || value_is_null(value) || fail_set(&answer->fail, FAIL_INVALID_DATA, "\"%s\" must be text", name);
}

static bool read_variable(struct answer *answer, struct host_draft_variable *request)
{
    const struct map *map;
    enum ext_access secret;
    if (!answer_body(answer, &map) || !read_text(answer, map, "field_name", &request->field_name) ||
        !read_text(answer, map, "type", &request->type) || !read_text(answer, map, "value", &request->value) ||
        !read_access(answer, map, "secret", &secret)) {
        return false;
    }
    request->secret = secret == EXT_ACCESS_KEEP ? -1 : secret == EXT_ACCESS_ON;
    return true;
}

void api_draft_put_variable(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct told told;
    struct host_draft_variable request = {.namespace = params[0], .api_name = params[1]};
    bool good =
        told_open(&told, exchange) && read_variable(&told.answer, &request) &&
        host_draft_put_variable(web->host, &exchange->identity, &request, &told.message, &told.answer.heap, &told.reply, &told.answer.fail);
    told_send(&told, good);
}

void api_draft_drop_variable(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct told told;
    bool good = told_open(&told, exchange) &&
                host_draft_drop_variable(web->host, &exchange->identity, params[0], params[1], &told.message, &told.answer.fail);
    if (good) {
        answer_put(&told.answer, told.reply, "api_name", params[1]);
    }
    told_send(&told, good);
}

// ---- modules, connectors ------------------------------------------------------------------------

static void send_object(struct web *web, struct exchange *exchange, const struct view *params, enum host_draft_kind kind)
{
    struct answer answer;
    struct value map = value_null();
    const struct host_draft_object asked = {.kind = kind, .namespace = params[0], .name = params[1]};
    answer_open(&answer, exchange);
    bool good = host_draft_object(web->host, &exchange->identity, &asked, &answer.heap, &map, &answer.fail);
    answer_send(&answer, good, map);
}

static void put_object(struct web *web, struct exchange *exchange, const struct view *params, enum host_draft_kind kind)
{
    struct told told;
    const struct map *map;
    struct host_draft_object asked = {.kind = kind, .namespace = params[0], .name = params[1], .heap = &told.answer.heap};
    bool good = told_open(&told, exchange) && answer_body(&told.answer, &map);
    if (good) {
        asked.object = (struct value){.type = VALUE_MAP, .map = (struct map *)map};
        good = host_draft_put_object(web->host, &exchange->identity, &asked, &told.message, &told.reply, &told.answer.fail);
    }
    told_send(&told, good);
}

static void drop_object(struct web *web, struct exchange *exchange, const struct view *params, enum host_draft_kind kind)
{
    struct told told;
    const struct host_draft_object asked = {.kind = kind, .namespace = params[0], .name = params[1]};
    bool good =
        told_open(&told, exchange) && host_draft_drop_object(web->host, &exchange->identity, &asked, &told.message, &told.answer.fail);
    if (good) {
        answer_put(&told.answer, told.reply, "api_name", params[1]);
    }
    told_send(&told, good);
}

void api_draft_module(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_object(web, exchange, params, HOST_DRAFT_MODULE);
}

void api_draft_put_module(struct web *web, struct exchange *exchange, const struct view *params)
{
    put_object(web, exchange, params, HOST_DRAFT_MODULE);
}

void api_draft_drop_module(struct web *web, struct exchange *exchange, const struct view *params)
{
    drop_object(web, exchange, params, HOST_DRAFT_MODULE);
}

void api_draft_connector(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_object(web, exchange, params, HOST_DRAFT_CONNECTOR);
}

void api_draft_put_connector(struct web *web, struct exchange *exchange, const struct view *params)
{
    put_object(web, exchange, params, HOST_DRAFT_CONNECTOR);
}

void api_draft_drop_connector(struct web *web, struct exchange *exchange, const struct view *params)
{
    drop_object(web, exchange, params, HOST_DRAFT_CONNECTOR);
}

// ---- the whole ----------------------------------------------------------------------------------

void api_draft_publish(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct told told;
    const struct map *map;
    struct view version;
    bool good = told_open(&told, exchange) && answer_body(&told.answer, &map) && read_text(&told.answer, map, "version", &version) &&
                host_draft_publish(web->host, &exchange->identity, params[0], view_trim(version.data ? version : VIEW("")), &told.message,
                                   &told.answer.heap, value_as_map(told.reply), &told.answer.fail);
    told_send(&told, good);
}

void api_draft_discard(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    answer_open(&answer, exchange);
    struct value reply = value_map(&answer.heap, 1);
    bool good = host_draft_discard(web->host, &exchange->identity, params[0], &answer.fail);
    answer_put(&answer, reply, "namespace", params[0]);
    answer_send(&answer, good, reply);
}

// ---- history ------------------------------------------------------------------------------------

static void send_history(struct web *web, struct exchange *exchange, const struct view *params, bool action)
{
    struct answer answer;
    struct value list = value_null();
    answer_open(&answer, exchange);
    bool good = host_draft_history(web->host, &exchange->identity, params[0], params[1], action, &answer.heap, &list, &answer.fail);
    answer_send(&answer, good, list);
}

void api_draft_function_history(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_history(web, exchange, params, false);
}

void api_draft_action_history(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_history(web, exchange, params, true);
}
