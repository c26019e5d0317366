// SPDX-License-Identifier: Apache-2.0
//
// Notification channels over REST (zoho-crm-notifications). What a channel is and when it is told is crm's; the call-backs are host's.
#include "web/rest.h"

enum { WATCHES_A_CALL = 100 };

static const char ADDED[] = "Successfully subscribed for actions-watch of the given module",
                  CHANGED[] = "Successfully updated the details of actions-watch",
                  REMOVED[] = "Successfully un-subscribed for actions-watch";

// Where the records are: what call-backs name, too.
static void add_uris(struct rest *rest, struct value events)
{
    const struct list *list = value_as_list(events);
    for (uint32_t i = 0; list && i < list->count; i++) {
        struct map *event = value_as_map(list->items[i]);
        struct view name = event ? value_view_or(map_get_text(event, VIEW("resource_name")), VIEW("")) : VIEW("");
        struct value uri = value_text_printf(&rest->answer.heap, "%s/crm/v2/%.*s", host_public_url(rest->web->host), VIEW_ARGS(name));
        if (event) {
            map_put_text(&rest->answer.heap, event, VIEW("resource_uri"), uri);
        }
    }
}

static bool add_row(struct rest *rest, struct value results, bool done, struct value details, const char *message)
{
    struct heap *heap = &rest->answer.heap;
    struct value row;
    if (!done && !rest_row_failed(rest, &row)) {
        return false;
    }
    if (done) {
        row = value_map(heap, 4);
        answer_put(&rest->answer, row, "code", VIEW("SUCCESS"));
        if (row.type == VALUE_MAP) {
            map_put_text(heap, row.map, VIEW("details"), details);
        }
        answer_put(&rest->answer, row, "message", view_of(message));
        answer_put(&rest->answer, row, "status", VIEW("success"));
    }
    return (results.type == VALUE_LIST && list_add(heap, results.list, row)) || fail_set(&rest->answer.fail, FAIL_MEMORY, NULL);
}

static void send_watch(struct rest *rest, bool good, struct value results, int done)
{
    if (good) {
        rest_status_of_rows(rest, results, done);
    }
    rest_send(rest, good, rest_wrap(rest, "watch", results));
}

enum change { ADD, REPLACE, PATCH };

static void change_rows(struct web *web, struct exchange *exchange, enum change change)
{
    struct rest rest;
    struct map *body;
    struct value rows;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_list(&rest.answer.heap, 1);
    struct fail *fail = &rest.answer.fail;
    bool good = rest_body(&rest, &body) && rest_rows(&rest, body, "watch", WATCHES_A_CALL, &rows) &&
                host_automation_expect(web->host, &exchange->identity, fail);
    for (uint32_t i = 0; good && i < rows.list->count; i++) {
        struct value row = rows.list->items[i], events = value_null();
        bool done = change == ADD ? crm_watch_add(&rest.session, row, &events, fail)
                                  : crm_watch_change(&rest.session, row, change == REPLACE, &events, fail);
        add_uris(&rest, done ? events : value_null());
        good = add_row(&rest, results, done, rest_wrap(&rest, "events", events), change == ADD ? ADDED : CHANGED);
    }
    send_watch(&rest, good, results, change == ADD ? 201 : 200);
}

void api_watch_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    change_rows(web, exchange, ADD);
}

void api_watch_replace(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    change_rows(web, exchange, REPLACE);
}

// A PATCH may take events away: then a row says "_delete_events":true and only those go. It is not here.
void api_watch_change(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    change_rows(web, exchange, PATCH);
}

void api_watch_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value list = value_null();
    (void)params;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct view module = rest_param(&rest, "module"), channel = rest_param(&rest, "channel_id");
    bool good =
        !module.len || crm_module_exists(&rest.session, module) || rest_refuse(&rest, FAIL_INVALID_MODULE, "param_name", VIEW("module"));
    good = good && crm_watches_list(&rest.session, module, channel, &list, &rest.answer.fail);
    if (good && list.list->count == 0) {
        rest_send_empty(&rest, 204);
        return;
    }
    add_uris(&rest, list);
    struct value reply = rest_wrap(&rest, "watch", list), info = value_map(&rest.answer.heap, 4);
    if (good && reply.type == VALUE_MAP && info.type == VALUE_MAP) {
        map_put_text(&rest.answer.heap, info.map, VIEW("per_page"), value_number(list.list->count));
        map_put_text(&rest.answer.heap, info.map, VIEW("count"), value_number(list.list->count));
        map_put_text(&rest.answer.heap, info.map, VIEW("page"), value_number(1));
        map_put_text(&rest.answer.heap, info.map, VIEW("more_records"), value_bool(false));
        map_put_text(&rest.answer.heap, reply.map, VIEW("info"), info);
    }
    rest_send(&rest, good, reply);
}

// Each module of the channel is a row of the answer.
static bool remove_one(struct rest *rest, struct view channel, struct value results)
{
    static const char *const kept[] = {"resource_uri", "resource_id", "channel_id"};
    struct heap *heap = &rest->answer.heap;
    struct value events = value_null();
    bool found = false, done = crm_watch_remove(&rest->session, channel, &events, &found, &rest->answer.fail);
    if (done && !found) {
        rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("channel_ids"));
        done = fail_set(&rest->answer.fail, FAIL_INVALID_DATA, "the channel_id given seems to be invalid");
    }
    if (!done) {
        return add_row(rest, results, false, value_null(), NULL);
    }
    add_uris(rest, events);
    for (uint32_t i = 0; i < value_as_list(events)->count; i++) {
        const struct map *event = value_as_map(value_as_list(events)->items[i]);
        struct value details = value_map(heap, 3);
        for (size_t k = 0; details.type == VALUE_MAP && k < BASE_COUNT(kept); k++) {
            map_put_text(heap, details.map, view_of(kept[k]), map_get_text(event, view_of(kept[k])));
        }
        if (!add_row(rest, results, true, details, REMOVED)) {
            return false;
        }
    }
    return true;
}

void api_watch_remove(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    (void)params;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct view channels = rest_param(&rest, "channel_ids");
    struct value results = value_list(&rest.answer.heap, 2);
    bool good = channels.len || rest_refuse(&rest, FAIL_PARAM_MISSING, "param_name", VIEW("channel_ids"));
    for (int count = 0; good && channels.len; count++) {
        good = count < WATCHES_A_CALL ? remove_one(&rest, view_trim(view_cut(&channels, ',')), results)
                                      : rest_refuse(&rest, FAIL_LIMIT_EXCEEDED, "param_name", VIEW("channel_ids"));
    }
    send_watch(&rest, good, results, 200);
}
