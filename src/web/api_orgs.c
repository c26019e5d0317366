// SPDX-License-Identifier: Apache-2.0
//
// Organisations, for the commands and the console. Owners only.
#include "web/room.h"

void api_orgs_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct value list = value_null();
    answer_open(&answer, exchange);
    bool good = host_orgs_show(web->host, VIEW(""), &answer.heap, &list, &answer.fail);
    answer_send(&answer, good, list);
}

static void send_org(struct web *web, struct answer *answer, bool good, struct view name)
{
    struct value list = value_null();
    good = good && host_orgs_show(web->host, name, &answer->heap, &list, &answer->fail);
    answer_send(answer, good, good ? list.list->items[0] : value_null());
}

void api_org_show(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    answer_open(&answer, exchange);
    send_org(web, &answer, true, params[0]);
}

// A text member, empty when absent; too long is refused.
static bool read_text(struct answer *answer, const struct map *map, const char *name, char *out, size_t size)
{
    struct value text = map_get_text(map, view_of(name));
    struct view view = value_view_or(text, VIEW(""));
    if ((!value_is_null(text) && !value_is_text(text)) || view.len >= size || memchr(view.data, 0, view.len)) {
        return fail_set(&answer->fail, FAIL_INVALID_DATA, "%s must be a text of less than %zu bytes", name, size);
    }
    snprintf(out, size, "%.*s", VIEW_ARGS(view));
    return true;
}

void api_org_new(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct auth_org org = {0};
    const struct map *map;
    answer_open(&answer, exchange);
    bool good = answer_body(&answer, &map) && read_text(&answer, map, "name", org.name, sizeof org.name) &&
                read_text(&answer, map, "company", org.company, sizeof org.company) &&
                read_text(&answer, map, "admin_email", org.admin_email, sizeof org.admin_email) &&
                read_text(&answer, map, "time_zone", org.time_zone, sizeof org.time_zone) && host_org_new(web->host, &org, &answer.fail);
    send_org(web, &answer, good, view_of(org.name));
}

void api_org_sandbox(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    answer_open(&answer, exchange);
    send_org(web, &answer, host_org_sandbox(web->host, params[0], &answer.fail), params[0]);
}
