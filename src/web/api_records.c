// SPDX-License-Identifier: Apache-2.0
//
// Records over REST (spec/crm-api.md §2.1–§2.3): list, get, insert, update, upsert, delete, search, count. The rows' results are crm's;
// what stands here is Zoho's parameters, envelopes and statuses.
#include "web/rest.h"

enum { WORD_UNITS_MIN = 2 };

// ---- reading ------------------------------------------------------------------------------------

// An unknown module in the path.
static bool module_known(struct rest *rest, struct view module)
{
    return crm_module_exists(&rest->session, module) || rest_refuse_index(rest, FAIL_INVALID_MODULE, NULL, 0);
}

// cvid=: the list as that view has it.
static bool apply_view(struct rest *rest, struct view module, struct crm_query *query)
{
    struct view cvid = rest_param(rest, "cvid");
    int64_t id;
    if (!cvid.len) {
        return true;
    }
    if (!view_to_int64(cvid, &id)) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("cvid"));
    }
    return crm_view_apply(&rest->session, module, id, query, &rest->answer.fail);
}

void api_records_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct crm_query query = {0};
    struct value list = value_null();
    bool more = false;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = module_known(&rest, params[0]) && rest_query_page(&rest, &query);
    if (good && query.fields.len == 0 && rest_since(&rest, REST_FIELDS_REQUIRED)) {
        good = rest_refuse(&rest, FAIL_PARAM_MISSING, "param_name", VIEW("fields"));
    }
    good = good && apply_view(&rest, params[0], &query) && rest_query_token(&rest, params[0], &query) &&
           crm_records_list(&rest.session, params[0], &query, &list, &more, &rest.answer.fail);
    rest_send_page(&rest, good, &query, list, more);
}

// One of criteria, email, phone, word, in that order of precedence (spec/crm-api.md §2.3).
static bool read_search(struct rest *rest, struct crm_query *query)
{
    query->criteria = rest_param(rest, "criteria");
    query->email = query->criteria.len ? VIEW("") : rest_param(rest, "email");
    query->phone = query->criteria.len || query->email.len ? VIEW("") : rest_param(rest, "phone");
    query->word = query->criteria.len || query->email.len || query->phone.len ? VIEW("") : rest_param(rest, "word");
    if (query->word.len && utf8_units(query->word) < WORD_UNITS_MIN) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("word"));
    }
    return true;
}

static bool search_asked(struct rest *rest, const struct crm_query *query)
{
    if (query->criteria.len || query->email.len || query->phone.len || query->word.len) {
        return true;
    }
    struct heap *heap = &rest->answer.heap;
    struct value names = value_list(heap, 4);
    static const char *const all[] = {"criteria", "email", "phone", "word"};
    for (size_t i = 0; i < BASE_COUNT(all) && names.type == VALUE_LIST; i++) {
        list_add(heap, names.list, value_text(heap, view_of(all[i])));
    }
    rest->details = rest_wrap(rest, "param_names", names);
    return fail_set(&rest->answer.fail, FAIL_EXPECTED_PARAM_MISSING, NULL);
}

void api_records_search(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct crm_query query = {0};
    struct value list = value_null();
    bool more = false;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = module_known(&rest, params[0]) && rest_query_page(&rest, &query) && read_search(&rest, &query) &&
                search_asked(&rest, &query) && crm_records_list(&rest.session, params[0], &query, &list, &more, &rest.answer.fail);
    rest_send_page(&rest, good, &query, list, more);
}

void api_records_count(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct crm_query query = {0};
    int64_t count = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = module_known(&rest, params[0]) && read_search(&rest, &query);
    if (good && rest_param(&rest, "cvid").len && (query.criteria.len || query.email.len || query.phone.len || query.word.len)) {
        good = fail_set(&rest.answer.fail, FAIL_AMBIGUITY, "cvid cannot be given with criteria, email, phone or word");
    }
    good = good && apply_view(&rest, params[0], &query) && crm_records_count(&rest.session, params[0], &query, &count, &rest.answer.fail);
    rest_send(&rest, good, rest_wrap(&rest, "count", value_number(count)));
}

void api_record_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value record = value_null(), list;
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = module_known(&rest, params[0]) && rest_id(&rest, params[1], 1, &id) &&
                crm_record_get(&rest.session, params[0], id, &record, &rest.answer.fail);
    if (good && value_is_null(record)) {
        rest_send_empty(&rest, 204);
        return;
    }
    list = value_list(&rest.answer.heap, 1);
    if (good && list.type == VALUE_LIST) {
        list_add(&rest.answer.heap, list.list, record);
    }
    rest_send(&rest, good, rest_wrap(&rest, "data", list));
}

// ---- writing ------------------------------------------------------------------------------------

typedef bool write_fn(struct crm_session *session, struct view module, struct value rows, struct value *ret_results, struct fail *fail);

static void write_rows(struct web *web, struct exchange *exchange, struct view module, write_fn *write, int done)
{
    struct rest rest;
    struct map *body;
    struct value rows, results = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = module_known(&rest, module) && rest_body(&rest, &body) && rest_rows(&rest, body, "data", CRM_ROWS_MAX, &rows) &&
                rest_trigger(&rest, body) && write(&rest.session, module, rows, &results, &rest.answer.fail);
    rest_send_rows(&rest, good, results, done);
}

void api_records_insert(struct web *web, struct exchange *exchange, const struct view *params)
{
    write_rows(web, exchange, params[0], crm_records_insert, 201);
}

void api_records_update(struct web *web, struct exchange *exchange, const struct view *params)
{
    write_rows(web, exchange, params[0], crm_records_update, 200);
}

// The id of the path goes into the row.
void api_record_update(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct value rows, results = value_null();
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = module_known(&rest, params[0]) && rest_id(&rest, params[1], 1, &id) && rest_body(&rest, &body) &&
                rest_rows(&rest, body, "data", 1, &rows) && rest_trigger(&rest, body);
    struct map *row = good ? value_as_map(rows.list->items[0]) : NULL;
    if (row) {
        map_put_text(&rest.answer.heap, row, VIEW("id"), value_text(&rest.answer.heap, params[1]));
    }
    good = good && crm_records_update(&rest.session, params[0], rows, &results, &rest.answer.fail);
    rest_send_rows(&rest, good, results, 200);
}

void api_records_upsert(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct value rows, results = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good =
        module_known(&rest, params[0]) && rest_body(&rest, &body) && rest_rows(&rest, body, "data", CRM_ROWS_MAX, &rows) &&
        rest_trigger(&rest, body) &&
        crm_records_upsert(&rest.session, params[0], rows, map_get_text(body, VIEW("duplicate_check_fields")), &results, &rest.answer.fail);
    rest_send_rows(&rest, good, results, 200);
}

// wf_trigger=false: no workflow rule hears of it.
static void delete_ids(struct rest *rest, struct view module, const int64_t *ids, int count, bool good)
{
    struct value results = value_null();
    struct view trigger = rest_param(rest, "wf_trigger");
    rest->session.workflow = !view_eq_nocase(trigger, VIEW("false"));
    if (good && trigger.len && rest->session.workflow && !view_eq_nocase(trigger, VIEW("true"))) {
        good = rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("wf_trigger"));
    }
    good = good && crm_records_delete(&rest->session, module, ids, count, &results, &rest->answer.fail);
    rest_send_rows(rest, good, results, 200);
}

void api_record_delete(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    int64_t id = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = module_known(&rest, params[0]) && rest_id(&rest, params[1], 1, &id);
    delete_ids(&rest, params[0], &id, 1, good);
}

void api_records_delete(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    int64_t ids[CRM_ROWS_MAX];
    int count = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = module_known(&rest, params[0]) && rest_ids(&rest, ids, &count);
    delete_ids(&rest, params[0], ids, count, good);
}

// ---- what was deleted, and copies ---------------------------------------------------------------

void api_records_deleted(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct crm_query query = {0};
    struct value list = value_null();
    bool more = false;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = module_known(&rest, params[0]) && rest_query_page(&rest, &query);
    struct view type = rest_param(&rest, "type");
    bool permanent = view_eq(type, VIEW("permanent")); // nothing is: what is deleted stays listed
    if (good && type.len && !permanent && !view_eq(type, VIEW("all")) && !view_eq(type, VIEW("recycle"))) {
        good = rest_refuse(&rest, FAIL_INVALID_DATA, "param_name", VIEW("type"));
    }
    good = good && crm_deleted_list(&rest.session, params[0], query.page, query.per_page, &list, &more, &rest.answer.fail);
    if (good && permanent) {
        list.list->count = 0;
    }
    rest_send_page(&rest, good, &query, list, more);
}

void api_record_clone(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value result = value_null();
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_list(&rest.answer.heap, 1);
    bool good = module_known(&rest, params[0]) && rest_id(&rest, params[1], 1, &id) &&
                crm_record_clone(&rest.session, params[0], id, &result, &rest.answer.fail);
    if (good && value_is_null(result)) {
        good = rest_refuse_index(&rest, FAIL_INVALID_DATA, "the id given seems to be invalid", 1);
    } else if (good && results.type == VALUE_LIST) {
        list_add(&rest.answer.heap, results.list, result);
    }
    rest_send_rows(&rest, good, results, 201);
}
