// SPDX-License-Identifier: Apache-2.0
//
// The console's people, for `sluice user` and the console's admins; and links to sign in with. Passwords come in, never out.
#include "web/session.h"

void api_people_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct value list = value_null();
    answer_open(&answer, exchange);
    answer_send(&answer, host_people_list(web->host, &answer.heap, &list, &answer.fail), list);
}

// A text member; without data when it is absent.
static bool read_text(struct answer *answer, const struct map *map, const char *name, struct view *ret_text)
{
    struct value text = map_get_text(map, view_of(name));
    *ret_text = value_view_or(text, VIEW_NONE);
    return value_is_null(text) || value_is_text(text) || fail_set(&answer->fail, FAIL_INVALID_DATA, "%s must be a text", name);
}

static bool read_person(struct answer *answer, struct host_person *person)
{
    const struct map *map;
    return answer_body(answer, &map) && read_text(answer, map, "email", &person->email) && read_text(answer, map, "name", &person->name) &&
           read_text(answer, map, "role", &person->role) && read_text(answer, map, "password", &person->password);
}

static void send_email(struct answer *answer, bool good, struct view email)
{
    struct value reply = value_map(&answer->heap, 1);
    answer_put(answer, reply, "email", email.data ? email : VIEW(""));
    answer_send(answer, good, reply);
}

void api_person_new(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct host_person person = {.email = VIEW_NONE};
    answer_open(&answer, exchange);
    bool good = read_person(&answer, &person) && host_person_new(web->host, &exchange->identity, &person, &answer.fail);
    send_email(&answer, good, person.email);
}

void api_person_change(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    struct host_person person = {.email = VIEW_NONE};
    answer_open(&answer, exchange);
    bool good = read_person(&answer, &person);
    person.email = params[0];
    send_email(&answer, good && host_person_change(web->host, &exchange->identity, &person, &answer.fail), params[0]);
}

void api_person_remove(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    answer_open(&answer, exchange);
    send_email(&answer, host_person_remove(web->host, &exchange->identity, params[0], &answer.fail), params[0]);
}

void api_link_new(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct host_person person = {.email = VIEW_NONE};
    char link[AUTH_SESSION_LEN + 1];
    answer_open(&answer, exchange);
    exchange_reply_header(exchange, VIEW("Cache-Control"), VIEW("no-store"));
    struct value reply = value_map(&answer.heap, 1);
    bool good = (console_is_there() || fail_set(&answer.fail, FAIL_URL_PATTERN, "this sluice was built without the console")) &&
                read_person(&answer, &person) && host_link_new(web->host, &exchange->identity, person.email, link, &answer.fail);
    if (good) {
        answer_put(&answer, reply, "url", arena_printf(exchange->arena, "%s/console/sign-in?link=%s", host_public_url(web->host), link));
    }
    answer_send(&answer, good, reply);
}
