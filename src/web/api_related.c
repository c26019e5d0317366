// SPDX-License-Identifier: Apache-2.0
//
// What hangs on a record (spec/crm-api.md §2.2): related lists, links, attachments, and the conversion of leads.
#include "web/rest.h"

// crm says only that there is no such list.
static bool relation_done(struct rest *rest, bool done)
{
    bool unknown = !done && rest->answer.fail.code == FAIL_INVALID_DATA && rest->session.details.type != VALUE_MAP;
    return unknown ? rest_refuse_index(rest, FAIL_INVALID_DATA, "the relation name given seems to be invalid", 2) : done;
}

// ---- lists --------------------------------------------------------------------------------------

void api_related_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct crm_query query = {0};
    struct value list = value_null();
    bool more = false;
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_parent(&rest, params, &id) && rest_query_page(&rest, &query);
    if (good && query.fields.len == 0 && rest_since(&rest, REST_FIELDS_REQUIRED)) {
        good = rest_refuse(&rest, FAIL_PARAM_MISSING, "param_name", VIEW("fields"));
    }
    good = good && relation_done(&rest, crm_related_list(&rest.session, params[2], params[0], id, &query, &list, &more, &rest.answer.fail));
    rest_send_page(&rest, good, &query, list, more);
}

// ---- links --------------------------------------------------------------------------------------

static bool link_row(struct rest *rest, const struct view *params, int64_t parent, struct value row, struct list *results)
{
    const struct map *map = value_as_map(row);
    struct value result;
    int64_t child;
    if (!map || !crm_id_read(map_get_text(map, VIEW("id")), &child)) {
        return rest_refuse(rest, FAIL_MANDATORY_NOT_FOUND, "api_name", VIEW("id"));
    }
    if (!relation_done(rest, crm_relation_update(&rest->session, params[2], child, params[0], parent, row, &result, &rest->answer.fail))) {
        return false;
    }
    list_add(&rest->answer.heap, results, result);
    return true;
}

// PUT with the child's id in the path, or one in each row.
void api_related_update(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct value rows = value_null();
    int64_t parent, child;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_list(&rest.answer.heap, 1);
    bool one = params[3].len > 0;
    bool good = rest_parent(&rest, params, &parent) && (!one || rest_id(&rest, params[3], 3, &child)) && rest_body(&rest, &body) &&
                rest_rows(&rest, body, "data", one ? 1 : CRM_ROWS_MAX, &rows) && results.type == VALUE_LIST;
    struct map *first = good && one ? value_as_map(rows.list->items[0]) : NULL;
    if (first) {
        map_put_text(&rest.answer.heap, first, VIEW("id"), value_text(&rest.answer.heap, params[3]));
    }
    for (uint32_t i = 0; good && i < rows.list->count; i++) {
        good = link_row(&rest, params, parent, rows.list->items[i], results.list);
    }
    rest_send_rows(&rest, good, results, 200);
}

static bool unlink_one(struct rest *rest, const struct view *params, int64_t parent, int64_t child, struct list *results)
{
    struct value result;
    if (!relation_done(rest, crm_relation_remove(&rest->session, params[2], child, params[0], parent, &result, &rest->answer.fail))) {
        return false;
    }
    list_add(&rest->answer.heap, results, result);
    return true;
}

void api_related_remove(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    int64_t parent, ids[CRM_ROWS_MAX];
    int count = 1;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_list(&rest.answer.heap, 1);
    bool good = rest_parent(&rest, params, &parent) && results.type == VALUE_LIST &&
                (params[3].len ? rest_id(&rest, params[3], 3, &ids[0]) : rest_ids(&rest, ids, &count));
    for (int i = 0; good && i < count; i++) {
        good = unlink_one(&rest, params, parent, ids[i], results.list);
    }
    rest_send_rows(&rest, good, results, 200);
}

// ---- attachments --------------------------------------------------------------------------------

// The part `file` of a form, or attachmentUrl= in the query or the form: a link, which is not fetched.
static bool add_attachment(struct rest *rest, struct view module, int64_t id, struct value *ret_result)
{
    struct rest_form form;
    struct view link = rest_param(rest, "attachmentUrl");
    if (!rest_form_read(rest, &form)) {
        return false;
    }
    link = link.len ? link : value_view_or(form.link, VIEW(""));
    if (form.files.list->count) {
        return crm_attachment_add(&rest->session, module, id, form.files.list->items[0].file, ret_result, &rest->answer.fail);
    }
    if (link.len == 0) {
        return rest_refuse(rest, FAIL_PARAM_MISSING, "param_name", VIEW("file"));
    }
    struct view title = rest_param(rest, "title");
    return crm_attachment_link(&rest->session, module, id, link, title.len ? title : value_view_or(form.title, VIEW("")), ret_result,
                               &rest->answer.fail);
}

void api_attachment_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value result;
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_list(&rest.answer.heap, 1);
    bool good = rest_parent(&rest, params, &id) && add_attachment(&rest, params[0], id, &result);
    if (good && results.type == VALUE_LIST) {
        list_add(&rest.answer.heap, results.list, result);
    }
    rest_send_rows(&rest, good, results, 200);
}

// The bytes, under the name they came with.
void api_attachment_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value file = value_null();
    int64_t parent, id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_parent(&rest, params, &parent) && rest_id(&rest, params[2], 3, &id) &&
                crm_attachment_of(&rest.session, params[0], parent, id, &file, &rest.answer.fail);
    if (!good) {
        bool absent = rest.answer.fail.code == FAIL_NOT_FOUND;
        if (absent) {
            rest_send_empty(&rest, 204);
        } else {
            rest_send(&rest, false, value_null());
        }
        return;
    }
    rest_send_file(&rest, file.file);
}

void api_attachment_remove(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value results = value_null();
    int64_t parent, id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_parent(&rest, params, &parent) && rest_id(&rest, params[2], 3, &id) &&
                crm_hangs_check(&rest.session, VIEW("Attachments"), id, params[0], parent, &rest.answer.fail);
    if (!good && rest.answer.fail.code == FAIL_NOT_FOUND) {
        good = rest_refuse_index(&rest, FAIL_INVALID_DATA, "the id given seems to be invalid", 3);
    }
    good = good && crm_records_delete(&rest.session, VIEW("Attachments"), &id, 1, &results, &rest.answer.fail);
    rest_send_rows(&rest, good, results, 200);
}

// ---- leads --------------------------------------------------------------------------------------

void api_lead_convert(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct value rows = value_null(), result = value_null();
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_list(&rest.answer.heap, 1);
    bool good = rest_id(&rest, params[0], 1, &id) && rest_body(&rest, &body) && rest_rows(&rest, body, "data", 1, &rows) &&
                crm_lead_convert(&rest.session, id, rows.list->items[0], &result, &rest.answer.fail);
    if (good && results.type == VALUE_LIST) {
        list_add(&rest.answer.heap, results.list, result);
    }
    const struct map *row = value_as_map(result);
    if (good && row && value_is_null(map_get_text(row, VIEW("status")))) { // below version 6: the bare ids
        rest_send(&rest, true, rest_wrap(&rest, "data", results));
        return;
    }
    rest_send_rows(&rest, good, results, 200);
}
