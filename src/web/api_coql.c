// SPDX-License-Identifier: Apache-2.0
//
// POST /crm/v{N}/coql {"select_query":"…"} (spec/crm-api.md §2.4). From version 7 on "include_meta":["fields"] asks for the columns'
// metadata.
#include "web/rest.h"

enum { META_VERSION = 7 };

// {"expected_data_type"?,"api_name","json_path"} of a member of the body.
static bool refuse_member(struct rest *rest, const char *name, const char *expected, const char *path)
{
    rest_refuse(rest, FAIL_INVALID_DATA, "api_name", view_of(name));
    answer_put(&rest->answer, rest->details, "json_path", view_of(path));
    if (expected) {
        answer_put(&rest->answer, rest->details, "expected_data_type", view_of(expected));
    }
    return false;
}

static bool read_query(struct rest *rest, const struct map *body, struct view *ret_query)
{
    struct value query = map_get_text(body, VIEW("select_query"));
    if (value_is_null(query)) {
        return rest_refuse(rest, FAIL_MANDATORY_NOT_FOUND, "api_name", VIEW("select_query"));
    }
    if (!value_is_text(query)) {
        return refuse_member(rest, "select_query", "text", "$.select_query");
    }
    *ret_query = value_view(query);
    return true;
}

static bool read_meta(struct rest *rest, const struct map *body, bool *ret_meta)
{
    struct value meta = map_get_text(body, VIEW("include_meta"));
    const struct list *list = value_as_list(meta);
    *ret_meta = false;
    if (value_is_null(meta) || rest->session.api_version < META_VERSION) {
        return true;
    }
    if (!list) {
        return refuse_member(rest, "include_meta", "jsonarray", "$.include_meta");
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (!view_eq(value_view_or(list->items[i], VIEW("")), VIEW("fields"))) {
            return refuse_member(rest, "include_meta", NULL, "$.include_meta");
        }
        *ret_meta = true;
    }
    return true;
}

void api_coql(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct map *body;
    struct view query;
    struct value list = value_null(), fields = value_null(), info;
    bool more = false, meta = false;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_body(&rest, &body) && read_query(&rest, body, &query) && read_meta(&rest, body, &meta) &&
                crm_coql(&rest.session, query, &list, &more, &rest.answer.fail);
    if (good && list.list->count == 0) {
        rest_send_empty(&rest, 204);
        return;
    }
    good = good && (!meta || crm_coql_fields(&rest.session, query, &fields, &rest.answer.fail));
    struct value reply = rest_wrap(&rest, "data", list);
    info = value_map(&rest.answer.heap, 2);
    if (good && reply.type == VALUE_MAP && info.type == VALUE_MAP) {
        map_put_text(&rest.answer.heap, info.map, VIEW("count"), value_number(list.list->count));
        map_put_text(&rest.answer.heap, info.map, VIEW("more_records"), value_bool(more));
        map_put_text(&rest.answer.heap, reply.map, VIEW("info"), info);
        if (meta) {
            map_put_text(&rest.answer.heap, reply.map, VIEW("fields"), fields);
        }
    }
    rest_send(&rest, good, reply);
}
