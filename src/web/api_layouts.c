// SPDX-License-Identifier: Apache-2.0
//
// How records are laid out, over REST (spec/crm-api.md §2.10): related lists, layouts, views. module= says of which module; the shapes are
// crm's.
#include "web/rest.h"

typedef bool list_fn(struct crm_session *session, struct view module, struct value *ret_list, struct fail *fail);

static bool read_list(struct rest *rest, list_fn *read, struct value *ret_list)
{
    struct view module;
    return rest_module_param(rest, &module) && read(&rest->session, module, ret_list, &rest->answer.fail);
}

static void send_list(struct web *web, struct exchange *exchange, const char *key, list_fn *read)
{
    struct rest rest;
    struct value list = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = read_list(&rest, read, &list);
    rest_send_list(&rest, good, key, list);
}

// The one of the id in the path; 204 when there is none.
static void send_one(struct web *web, struct exchange *exchange, const char *key, list_fn *read, struct view id)
{
    struct rest rest;
    struct value list = value_null();
    int64_t number;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_id(&rest, id, 2, &number) && read_list(&rest, read, &list);
    list = good ? rest_pick(&rest, list, "id", id) : list;
    rest_send_list(&rest, good, key, list);
}

void api_related_lists(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    send_list(web, exchange, "related_lists", crm_related_lists);
}

void api_related_list_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_one(web, exchange, "related_lists", crm_related_lists, params[0]);
}

void api_layouts_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    send_list(web, exchange, "layouts", crm_layouts_list);
}

void api_layout_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_one(web, exchange, "layouts", crm_layouts_list, params[0]);
}

// ---- views --------------------------------------------------------------------------------------

static void put_translation(struct rest *rest, struct value info)
{
    static const char *const names[][2] = {{"public_views", "Public Views"},
                                           {"other_users_views", "Other Users Views"},
                                           {"shared_with_me", "Shared With Me"},
                                           {"created_by_me", "Created By Me"}};
    struct value map = value_map(&rest->answer.heap, BASE_COUNT(names));
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        answer_put(&rest->answer, map, names[i][0], view_of(names[i][1]));
    }
    if (info.type == VALUE_MAP) {
        map_put_text(&rest->answer.heap, info.map, VIEW("translation"), map);
    }
}

static void send_views(struct rest *rest, bool good, struct value views)
{
    struct heap *heap = &rest->answer.heap;
    const struct list *list = value_as_list(views);
    if (good && list && list->count == 0) {
        rest_send_empty(rest, 204);
        return;
    }
    struct value reply = rest_wrap(rest, "custom_views", views), info = value_map(heap, 8);
    if (good && list && reply.type == VALUE_MAP && info.type == VALUE_MAP) {
        map_put_text(heap, info.map, VIEW("per_page"), value_number(CRM_PAGE_MAX));
        map_put_text(heap, info.map, VIEW("count"), value_number(list->count));
        map_put_text(heap, info.map, VIEW("page"), value_number(1));
        map_put_text(heap, info.map, VIEW("more_records"), value_bool(false));
        map_put_text(heap, info.map, VIEW("default"), map_get_text(value_as_map(list->items[0]), VIEW("id")));
        put_translation(rest, info);
        map_put_text(heap, reply.map, VIEW("info"), info);
    }
    rest_send(rest, good, reply);
}

void api_views_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct value views = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = read_list(&rest, crm_views_list, &views);
    send_views(&rest, good, views);
}

void api_view_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value views = value_null();
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_id(&rest, params[0], 2, &id) && read_list(&rest, crm_views_list, &views);
    send_views(&rest, good, good ? rest_pick(&rest, views, "id", params[0]) : views);
}

// {"custom_views":[{"id":…,"sort_by":{…},"sort_order":…}]}; the id may stand in the path.
static bool sort_view(struct rest *rest, struct view module, const struct map *row, struct view id, struct value *ret_result)
{
    int64_t number;
    if (!row) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "expected_data_type", VIEW("jsonobject"));
    }
    struct value own = map_get_text(row, VIEW("id"));
    if (!(id.len ? view_to_int64(id, &number) : crm_id_read(own, &number))) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "api_name", VIEW("id"));
    }
    if (!crm_view_sort(&rest->session, module, number, (struct value){.type = VALUE_MAP, .map = (struct map *)row}, &rest->answer.fail)) {
        return false;
    }
    *ret_result = rest_result_id(rest, number, "sort order updated");
    return true;
}

void api_view_sort(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct value rows = value_null(), result;
    struct view module;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct view id = params[0];
    struct value results = value_list(&rest.answer.heap, 1);
    bool good = rest_module_param(&rest, &module) && rest_body(&rest, &body) &&
                rest_rows(&rest, body, "custom_views", id.len ? 1 : CRM_ROWS_MAX, &rows);
    for (uint32_t i = 0; good && i < rows.list->count; i++) {
        good = sort_view(&rest, module, value_as_map(rows.list->items[i]), id, &result);
        if (good && results.type == VALUE_LIST) {
            list_add(&rest.answer.heap, results.list, result);
        }
    }
    rest_send(&rest, good, rest_wrap(&rest, "custom_views", results));
}
