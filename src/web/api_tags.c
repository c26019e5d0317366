// SPDX-License-Identifier: Apache-2.0
//
// Tags over REST (spec/crm-api.md §2.2): those of a module under /settings/tags, and putting them on records. Version 2 names records and
// tags in the query, later ones in a body (LIKELY from which on): every version takes both.
#include "web/rest.h"

// ---- tags of a module ---------------------------------------------------------------------------

void api_tags_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value tags = value_null();
    struct view module;
    (void)params;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool own = view_eq_nocase(rest_param(&rest, "my_tags"), VIEW("true"));
    bool good = rest_module_param(&rest, &module) && crm_tags_list(&rest.session, module, own, &tags, &rest.answer.fail);
    struct value reply = rest_wrap(&rest, "tags", tags), info = value_map(&rest.answer.heap, 2);
    if (good && reply.type == VALUE_MAP && info.type == VALUE_MAP) {
        map_put_text(&rest.answer.heap, info.map, VIEW("count"), value_number(tags.list->count));
        map_put_text(&rest.answer.heap, info.map, VIEW("allowed_count"), value_number(CRM_TAGS_MAX));
        map_put_text(&rest.answer.heap, reply.map, VIEW("info"), info);
    }
    rest_send(&rest, good, reply);
}

static void send_tags(struct rest *rest, bool good, struct value results, int done)
{
    if (good) {
        rest_status_of_rows(rest, results, done);
    }
    rest_send(rest, good, rest_wrap(rest, "tags", results));
}

void api_tags_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct value rows, results = value_null();
    struct view module;
    (void)params;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_module_param(&rest, &module) && rest_body(&rest, &body) && rest_rows(&rest, body, "tags", CRM_ROWS_MAX, &rows) &&
                crm_tags_add(&rest.session, module, rows, &results, &rest.answer.fail);
    send_tags(&rest, good, results, 201);
}

// The id stands in the path, or in each row.
void api_tags_change(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct value rows, results = value_null();
    struct view module;
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool one = params[0].len > 0;
    bool good = (!one || rest_id(&rest, params[0], 2, &id)) && rest_module_param(&rest, &module) && rest_body(&rest, &body) &&
                rest_rows(&rest, body, "tags", one ? 1 : CRM_ROWS_MAX, &rows);
    struct map *first = good && one ? value_as_map(rows.list->items[0]) : NULL;
    if (first) {
        map_put_text(&rest.answer.heap, first, VIEW("id"), value_text(&rest.answer.heap, params[0]));
    }
    good = good && crm_tags_change(&rest.session, module, rows, &results, &rest.answer.fail);
    send_tags(&rest, good, results, 200);
}

static struct value list_of(struct rest *rest, struct value item)
{
    struct value list = value_list(&rest->answer.heap, 1);
    if (list.type == VALUE_LIST) {
        list_add(&rest->answer.heap, list.list, item);
    }
    return list;
}

void api_tag_remove(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value result = value_null();
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_id(&rest, params[0], 2, &id) && crm_tag_remove(&rest.session, id, &result, &rest.answer.fail);
    send_tags(&rest, good, list_of(&rest, result), 200);
}

void api_tag_merge(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct value rows, result = value_null();
    int64_t id, other;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_id(&rest, params[0], 2, &id) && rest_body(&rest, &body) && rest_rows(&rest, body, "tags", 1, &rows);
    const struct map *row = good ? value_as_map(rows.list->items[0]) : NULL;
    struct value conflict = row ? map_get_text(row, VIEW("conflict_id")) : value_null();
    if (good && value_is_null(conflict)) {
        good = rest_refuse(&rest, FAIL_MANDATORY_NOT_FOUND, "api_name", VIEW("conflict_id"));
    } else if (good && !crm_id_read(conflict, &other)) {
        good = rest_refuse(&rest, FAIL_INVALID_DATA, "api_name", VIEW("conflict_id"));
    }
    good = good && crm_tag_merge(&rest.session, id, other, &result, &rest.answer.fail);
    send_tags(&rest, good, list_of(&rest, result), 200);
}

void api_tag_count(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct view module;
    int64_t id, count = 0;
    char digits[21];
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_id(&rest, params[0], 2, &id) && rest_module_param(&rest, &module) &&
                crm_tag_count(&rest.session, module, id, &count, &rest.answer.fail);
    struct view text = {digits, int64_print(digits, count)};
    rest_send(&rest, good, rest_wrap(&rest, "count", value_text(&rest.answer.heap, text)));
}

// ---- tags of records ----------------------------------------------------------------------------

// tag_names=a,b as a list of names.
static bool read_names(struct rest *rest, struct value *ret_tags)
{
    struct view names = rest_param(rest, "tag_names");
    struct value tags = value_list(&rest->answer.heap, 2);
    if (names.len == 0) {
        return rest_refuse(rest, FAIL_PARAM_MISSING, "param_name", VIEW("tag_names"));
    }
    while (names.len && tags.type == VALUE_LIST) {
        struct view name = view_trim(view_cut(&names, ','));
        if (name.len) {
            list_add(&rest->answer.heap, tags.list, value_text(&rest->answer.heap, name));
        }
    }
    *ret_tags = tags;
    return true;
}

// What the body says, where there is one; else the query. Records are those of the path, if it names one.
static bool read_tagging(struct rest *rest, struct view id, int64_t ids[CRM_TAG_RECORDS_MAX], struct crm_tagging *tagging)
{
    struct map *body = NULL;
    struct value overwrite = value_null();
    if (rest->answer.exchange->body.len && !rest_body(rest, &body)) {
        return false;
    }
    if (body ? !rest_rows(rest, body, "tags", CRM_ROWS_MAX, &tagging->tags) : !read_names(rest, &tagging->tags)) {
        return false;
    }
    overwrite = body ? map_get_text(body, VIEW("over_write")) : value_null();
    if (!value_is_null(overwrite) && overwrite.type != VALUE_BOOL) {
        rest_refuse(rest, FAIL_INVALID_DATA, "expected_data_type", VIEW("boolean"));
        answer_put(&rest->answer, rest->details, "api_name", VIEW("over_write"));
        return false;
    }
    bool asked = view_eq_nocase(rest_param(rest, "over_write"), VIEW("true"));
    tagging->overwrite = !tagging->remove && (value_is_null(overwrite) ? asked : overwrite.boolean);
    tagging->ids = ids;
    tagging->count = 1;
    if (id.data) {
        return rest_id(rest, id, 1, &ids[0]);
    }
    return body && !value_is_null(map_get_text(body, VIEW("ids"))) ? rest_body_ids(rest, body, ids, CRM_TAG_RECORDS_MAX, &tagging->count)
                                                                   : rest_ids(rest, ids, &tagging->count);
}

static bool is_fine(struct value row)
{
    const struct map *map = value_as_map(row);
    return map && view_eq(value_view_or(map_get_text(map, VIEW("status")), VIEW("")), VIEW("success"));
}

// {"data":[…],"success_count":"2","locked_count":"0"}: nothing is ever locked here.
static void send_tagged(struct rest *rest, bool good, struct value results, bool remove)
{
    struct heap *heap = &rest->answer.heap;
    struct value reply = rest_wrap(rest, "data", results);
    const struct list *list = good ? value_as_list(results) : NULL;
    uint32_t fine = 0;
    for (uint32_t i = 0; list && i < list->count; i++) {
        fine += is_fine(list->items[i]);
    }
    if (list && reply.type == VALUE_MAP) {
        rest_status_of_rows(rest, results, 200);
        if (!remove) {
            map_put_text(heap, reply.map, VIEW("success_count"), value_text_printf(heap, "%u", fine));
        }
        map_put_text(heap, reply.map, VIEW("locked_count"), VALUE_TEXT_LITERAL(heap, "0"));
    }
    rest_send(rest, good, reply);
}

static void tag_records(struct web *web, struct exchange *exchange, struct view module, struct view id, bool remove)
{
    struct rest rest;
    struct crm_tagging tagging = {.remove = remove, .tags = value_null()};
    int64_t ids[CRM_TAG_RECORDS_MAX];
    struct value results = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = (crm_module_exists(&rest.session, module) || rest_refuse_index(&rest, FAIL_INVALID_MODULE, NULL, 0)) &&
                read_tagging(&rest, id, ids, &tagging) && crm_records_tag(&rest.session, module, &tagging, &results, &rest.answer.fail);
    const struct list *list = good && id.data ? value_as_list(results) : NULL;
    if (list && list->count == 1 && !is_fine(list->items[0]) &&
        view_eq(value_view_or(map_get_text(value_as_map(list->items[0]), VIEW("code")), VIEW("")), VIEW("INVALID_DATA"))) {
        good = rest_refuse_index(&rest, FAIL_INVALID_DATA, "the id given seems to be invalid", 1); // of the path
    }
    send_tagged(&rest, good, results, remove);
}

void api_records_tag(struct web *web, struct exchange *exchange, const struct view *params)
{
    tag_records(web, exchange, params[0], VIEW_NONE, false);
}

void api_records_untag(struct web *web, struct exchange *exchange, const struct view *params)
{
    tag_records(web, exchange, params[0], VIEW_NONE, true);
}

void api_record_tag(struct web *web, struct exchange *exchange, const struct view *params)
{
    tag_records(web, exchange, params[0], params[1], false);
}

void api_record_untag(struct web *web, struct exchange *exchange, const struct view *params)
{
    tag_records(web, exchange, params[0], params[1], true);
}
