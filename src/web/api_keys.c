// SPDX-License-Identifier: Apache-2.0
//
// zapikeys, for the commands and the console. Owners only; a whole key goes to nobody else.
#include "web/room.h"

static void send_key(struct answer *answer, bool good, const char *key)
{
    struct value reply = value_map(&answer->heap, 1);
    if (good) {
        answer_put(answer, reply, "zapikey", view_of(key));
    }
    answer_send(answer, good, reply);
}

void api_key_show(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    char key[AUTH_KEY_LEN + 1];
    answer_open(&answer, exchange);
    send_key(&answer, host_key_show(web->host, &exchange->identity, params[0], key, &answer.fail), key);
}

// The rows of one namespace, or of all.
static void send_list(struct web *web, struct answer *answer, bool good, struct view namespace)
{
    struct value list = value_null();
    good = good && host_keys_list(web->host, &answer->exchange->identity, namespace, &answer->heap, &list, &answer->fail);
    answer_send(answer, good, list);
}

void api_keys_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    answer_open(&answer, exchange);
    send_list(web, &answer, true, VIEW(""));
}

// No body is no time of grace.
static bool read_grace(struct answer *answer, int64_t *ret_grace_ms)
{
    const struct map *map;
    *ret_grace_ms = 0;
    if (!answer->exchange->body.len) {
        return true;
    }
    if (!answer_body(answer, &map)) {
        return false;
    }
    struct value grace = map_get_text(map, VIEW("grace_ms"));
    if (!value_is_null(grace) && (grace.type != VALUE_NUMBER || grace.number < 0)) {
        return fail_set(&answer->fail, FAIL_INVALID_DATA, "grace_ms must be a number of milliseconds");
    }
    *ret_grace_ms = grace.type == VALUE_NUMBER ? grace.number : 0;
    return true;
}

void api_key_rotate(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    char key[AUTH_KEY_LEN + 1];
    int64_t grace_ms;
    answer_open(&answer, exchange);
    bool good = read_grace(&answer, &grace_ms) && host_key_rotate(web->host, &exchange->identity, params[0], grace_ms, key, &answer.fail);
    send_key(&answer, good, key);
}

void api_key_revoke(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    answer_open(&answer, exchange);
    send_list(web, &answer, host_key_revoke(web->host, &exchange->identity, params[0], &answer.fail), params[0]);
}

// A text member; absent leaves VIEW_NONE, which leaves the rule alone.
static bool read_rule(struct answer *answer, const struct map *map, const char *name, struct view *ret_rule)
{
    struct value rule = map_get_text(map, view_of(name));
    if (!value_is_null(rule) && !value_is_text(rule)) {
        return fail_set(&answer->fail, FAIL_INVALID_DATA, "%s must be text", name);
    }
    *ret_rule = value_is_null(rule) ? VIEW_NONE : arena_copy(answer->exchange->arena, value_view_or(rule, VIEW("")));
    return value_is_null(rule) || ret_rule->data || fail_set(&answer->fail, FAIL_MEMORY, NULL);
}

void api_key_rules(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    const struct map *map;
    struct view rate, allow;
    answer_open(&answer, exchange);
    bool good = answer_body(&answer, &map) && read_rule(&answer, map, "rate", &rate) && read_rule(&answer, map, "allow", &allow);
    if (good && !rate.data && !allow.data) {
        good = fail_set(&answer.fail, FAIL_INVALID_DATA, "rate or allow is missing");
    }
    send_list(web, &answer, good && host_key_rules(web->host, &exchange->identity, params[0], rate, allow, &answer.fail), params[0]);
}
