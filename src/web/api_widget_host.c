// SPDX-License-Identifier: Apache-2.0
//
// What the page asks that shows a widget (console/src/widget-host.js): a token to act with for one extension, where the widget's page lies,
// and what only a script of the extension could do.
#include "web/room.h"

enum { CHANGES_WAIT_MS = 20000, CHANGES_LOOK_MS = 200 };

static struct view text_of(const struct map *map, const char *name)
{
    return value_view_or(map_get_text(map, view_of(name)), VIEW(""));
}

// The page of a widget that the manifest names, in any case; of one that it does not name the page that is called like it.
static bool find_page(struct web *web, struct answer *answer, struct view namespace, struct view widget, struct view *ret_url)
{
    struct value list;
    struct host_widget file;
    struct arena *arena = answer->exchange->arena;
    if (!host_widgets(web->host, namespace, &answer->heap, &list, &answer->fail)) {
        return false;
    }
    for (uint32_t i = 0; i < value_as_list(list)->count; i++) {
        const struct map *row = value_as_map(value_as_list(list)->items[i]);
        if (row && view_eq_nocase(text_of(row, "name"), widget)) {
            *ret_url = text_of(row, "url");
            return true;
        }
    }
    *ret_url = arena_printf(arena, "app/%.*s.html", VIEW_ARGS(widget));
    return host_widget_file(web->host, namespace, *ret_url, arena, &file, &answer->fail) ||
           fail_set(&answer->fail, FAIL_NOT_FOUND, "the extension \"%.*s\" has no widget \"%.*s\"", (int)utf8_clamp(namespace, 60),
                    namespace.data, (int)utf8_clamp(widget, 60), widget.data);
}

// A file's address: each segment by itself.
static struct view page_address(struct exchange *exchange, struct view namespace, struct view url)
{
    struct buffer out;
    buffer_init(&out, 16384);
    buffer_add(&out, VIEW("/widgets/"));
    form_encode(&out, namespace, false);
    for (struct view rest = url; rest.len > 0;) {
        struct view segment = view_cut(&rest, '/');
        if (segment.len > 0) {
            buffer_add_char(&out, '/');
            form_encode(&out, segment, false);
        }
    }
    struct view address = out.failed ? VIEW_NONE : arena_copy(exchange->arena, buffer_view(&out));
    buffer_free(&out);
    return address;
}

void api_widget_token(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    const struct map *map;
    struct view token = VIEW(""), url = VIEW("");
    answer_open(&answer, exchange);
    struct value reply = value_map(&answer.heap, 3);
    bool good = answer_body(&answer, &map);
    struct view namespace = good ? text_of(map, "namespace") : VIEW(""), widget = good ? text_of(map, "widget") : VIEW("");
    good = good && (namespace.len > 0 || fail_set(&answer.fail, FAIL_PARAM_MISSING, "\"namespace\" says for which extension")) &&
           host_widget_token(web->host, &exchange->identity, namespace, exchange->identity.role == AUTH_ROLE_VIEWER, exchange->arena, &token, &answer.fail) &&
           (!widget.len || find_page(web, &answer, namespace, widget, &url));
    if (good) {
        answer_put(&answer, reply, "token", token);
        map_put_text(&answer.heap, value_as_map(reply), VIEW("expires_in_s"), value_number(HOST_WIDGET_TOKEN_S));
        answer_put(&answer, reply, "url", url.len ? page_address(exchange, namespace, url) : VIEW(""));
    }
    answer_send(&answer, good, reply);
}

// A widget's token names its extension; an owner of the org says it.
static bool find_namespace(struct answer *answer, const struct map *map, struct view *ret_namespace)
{
    const struct identity *who = &answer->exchange->identity;
    bool owner = who->kind == IDENTITY_OWNER;
    *ret_namespace = owner ? text_of(map, "namespace") : view_of(who->namespace);
    return (ret_namespace->len > 0 && (owner || who->kind == IDENTITY_OAUTH)) ||
           fail_set(&answer->fail, FAIL_NO_PERMISSION, "only a widget's page asks here");
}

// Whether this org has let the connector in: "connector" of the own extension, or "namespace.connector" with it in front.
static bool is_authorised(struct web *web, struct answer *answer, const struct host_widget_call *request, struct value *ret_value)
{
    struct value connection;
    struct view rest = request->name, first = view_cut(&rest, '.');
    struct view connector = rest.len > 0 && view_eq_nocase(first, request->namespace) ? rest : request->name;
    struct view name = arena_printf(answer->exchange->arena, "%.*s.%.*s", VIEW_ARGS(request->namespace), VIEW_ARGS(connector));
    bool there = name.data && host_connection_show(web->host, &answer->exchange->identity, name, &answer->heap, &connection, &answer->fail);
    *ret_value = value_bool(there);
    return there || answer->fail.code == FAIL_NOT_FOUND;
}

// Waits for a saved file of a served folder: {"after": the number that was told before}.
static bool wait_change(struct web *web, struct answer *answer, const struct host_widget_call *request, struct value *ret_value)
{
    struct value after = request->input ? map_get_text(request->input, VIEW("after")) : value_null();
    int64_t known = after.type == VALUE_NUMBER ? after.number : 0, now = host_folder_changes(web->host, request->namespace);
    bool good = true;
    for (int waited = 0; good && now && now == known && waited < CHANGES_WAIT_MS && !loop_stopping(); waited += CHANGES_LOOK_MS) {
        good = loop_sleep(CHANGES_LOOK_MS, &answer->fail);
        now = host_folder_changes(web->host, request->namespace);
    }
    *ret_value = value_number(now);
    return good;
}

static bool do_task(struct web *web, struct answer *answer, const struct host_widget_call *request, struct value *ret_value)
{
    if (view_eq(request->task, VIEW("authorized"))) {
        return is_authorised(web, answer, request, ret_value);
    }
    if (view_eq(request->task, VIEW("changes"))) {
        return wait_change(web, answer, request, ret_value);
    }
    return host_widget_call(web->host, answer->exchange, request, &answer->heap, ret_value, &answer->fail);
}

void api_widget_call(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    const struct map *map;
    struct host_widget_call request = {.input = NULL};
    answer_open(&answer, exchange);
    struct value value = value_null(), reply = value_map(&answer.heap, 1);
    bool good = answer_body(&answer, &map) && find_namespace(&answer, map, &request.namespace);
    if (good) {
        request.task = text_of(map, "task");
        request.name = text_of(map, "name");
        request.input = value_as_map(map_get_text(map, VIEW("input")));
        good = do_task(web, &answer, &request, &value);
    }
    if (good) {
        map_put_text(&answer.heap, value_as_map(reply), VIEW("result"), value);
    }
    answer_send(&answer, good, reply);
}
