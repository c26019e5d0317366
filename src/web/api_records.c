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

// What may be asked of lists and searches beside the page: ids=, approved=, If-Modified-Since. There are no territories here.
struct filters {
    int64_t ids[CRM_ROWS_MAX];
    bool none; // nothing waits for approval: approved=false finds nothing
};

static bool read_filters(struct rest *rest, struct filters *filters, struct crm_query *query)
{
    static const char *const approved[] = {"true", "false", "both"};
    if (rest_param(rest, "territory_id").len) {
        rest_refuse(rest, FAIL_NOT_SUPPORTED, "param_name", VIEW("territory_id"));
        return fail_set(&rest->answer.fail, FAIL_NOT_SUPPORTED, "territories are not supported");
    }
    if (rest_param(rest, "include_child").len && !rest_choice(rest, "include_child", approved, 2)) {
        return false;
    }
    if (rest_param(rest, "approved").len && !rest_choice(rest, "approved", approved, BASE_COUNT(approved))) {
        return false;
    }
    filters->none = view_eq_nocase(rest_param(rest, "approved"), VIEW("false"));
    if (rest_param(rest, "ids").len) {
        if (!rest_ids(rest, filters->ids, &query->id_count)) {
            return false;
        }
        query->ids = filters->ids;
    }
    return rest_modified_since(rest, &query->modified_after_ms);
}

// Newer versions sort by few fields, and by none that a view does not.
static bool check_order(struct rest *rest, const struct crm_query *query)
{
    static const char *const fields[] = {"id", "Created_Time", "Modified_Time"};
    if (query->sort_by.len && rest_param(rest, "cvid").len) {
        rest_refuse(rest, FAIL_AMBIGUITY, "param_name", VIEW("sort_by"));
        return fail_set(&rest->answer.fail, FAIL_AMBIGUITY, "cvid and sort_by cannot be given together");
    }
    return query->sort_by.len == 0 || !rest_since(rest, REST_SORT_FIELDS) || rest_choice(rest, "sort_by", fields, BASE_COUNT(fields));
}

static bool list_records(struct rest *rest, struct view module, const struct filters *filters, struct crm_query *query,
                         struct value *ret_list, bool *ret_more)
{
    rest_page_written(rest, query);
    if (!crm_records_list(&rest->session, module, query, ret_list, ret_more, &rest->answer.fail)) {
        return false;
    }
    if (filters->none) {
        rest->written.count = 0;
    }
    return true;
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
    struct filters filters;
    bool good = module_known(&rest, params[0]) && rest_query_page(&rest, &query) && read_filters(&rest, &filters, &query);
    if (good && query.fields.len == 0 && rest_since(&rest, REST_FIELDS_REQUIRED)) {
        good = rest_refuse(&rest, FAIL_PARAM_MISSING, "param_name", VIEW("fields"));
    }
    good = good && check_order(&rest, &query) && apply_view(&rest, params[0], &query) && rest_query_token(&rest, params[0], &query) &&
           list_records(&rest, params[0], &filters, &query, &list, &more);
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

// Modules whose records are found through others only (GUESS).
static bool module_searched(struct rest *rest, struct view module)
{
    static const char *const unsearched[] = {"Attachments", "Consents", "Data_Subject_Requests"};
    for (size_t i = 0; i < BASE_COUNT(unsearched); i++) {
        if (view_eq_nocase(module, view_of(unsearched[i]))) {
            return fail_set(&rest->answer.fail, FAIL_NOT_SUPPORTED, "module not supported for search");
        }
    }
    return true;
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
    struct filters filters;
    bool good = module_known(&rest, params[0]) && module_searched(&rest, params[0]) && rest_query_page(&rest, &query) &&
                read_filters(&rest, &filters, &query) && read_search(&rest, &query) && search_asked(&rest, &query) &&
                list_records(&rest, params[0], &filters, &query, &list, &more);
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

// Is there the record, and was it changed later? One that is not there counts as changed: it is told by 204.
static bool changed_since(struct rest *rest, struct view module, int64_t id, const struct crm_query *query, bool *ret_changed)
{
    struct crm_query one = {.ids = &id, .id_count = 1, .converted = VIEW("both")};
    int64_t there = 0, changed = 0;
    bool good = crm_records_count(&rest->session, module, &one, &there, &rest->answer.fail);
    one.modified_after_ms = query->modified_after_ms;
    good = good && crm_records_count(&rest->session, module, &one, &changed, &rest->answer.fail);
    *ret_changed = there == 0 || changed > 0;
    return good;
}

void api_record_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value record = value_null(), list;
    bool changed = true;
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct crm_query query = {0};
    bool good = module_known(&rest, params[0]) && rest_modified_since(&rest, &query.modified_after_ms) &&
                rest_id(&rest, params[1], 1, &id) && rest_query_fields(&rest, &query) &&
                (query.modified_after_ms == 0 || changed_since(&rest, params[0], id, &query, &changed)) &&
                (!changed || crm_record_pick(&rest.session, params[0], id, query.fields, &record, &rest.answer.fail));
    if (good && value_is_null(record)) {
        rest_send_none(&rest, changed ? 0 : query.modified_after_ms);
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

// Lists beside the rows. There are no assignment rules, so that every lar_id is nothing's.
static bool check_options(struct rest *rest, const struct map *body)
{
    static const char *const lists[] = {"process", "duplicate_check_fields", "apply_feature_execution", "skip_feature_execution"};
    for (size_t i = 0; i < BASE_COUNT(lists); i++) {
        struct value value = map_get_text(body, view_of(lists[i]));
        if (!value_is_null(value) && value.type != VALUE_LIST) {
            rest_refuse(rest, FAIL_INVALID_DATA, "expected_data_type", VIEW("jsonarray"));
            answer_put(&rest->answer, rest->details, "api_name", view_of(lists[i]));
            return false;
        }
    }
    return value_is_null(map_get_text(body, VIEW("lar_id"))) || rest_refuse(rest, FAIL_INVALID_DATA, "api_name", VIEW("lar_id"));
}

static void write_rows(struct web *web, struct exchange *exchange, struct view module, write_fn *write, int done)
{
    struct rest rest;
    struct map *body;
    struct value rows, results = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = module_known(&rest, module) && rest_write_conditions(&rest) && rest_body(&rest, &body) && check_options(&rest, body) &&
                rest_rows(&rest, body, "data", CRM_ROWS_MAX, &rows) && rest_trigger(&rest, body) &&
                write(&rest.session, module, rows, &results, &rest.answer.fail);
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

static const char NOTHINGS_ID[] = "the id given seems to be invalid", NOT_DELETED[] = "record not deleted";

// The conditions of a delete; wf_trigger=false: no workflow rule hears of it.
static bool delete_options(struct rest *rest)
{
    static const char *const flags[] = {"true", "false"};
    struct view trigger = rest_param(rest, "wf_trigger");
    rest->session.workflow = !view_eq_nocase(trigger, VIEW("false"));
    return (trigger.len == 0 || rest_choice(rest, "wf_trigger", flags, BASE_COUNT(flags))) && rest_write_conditions(rest);
}

// Has the only row this message, about its own id?
static bool says(struct value results, const char *message)
{
    const struct list *rows = value_as_list(results);
    const struct map *row = rows && rows->count == 1 ? value_as_map(rows->items[0]) : NULL;
    const struct map *details = row ? value_as_map(map_get_text(row, VIEW("details"))) : NULL;
    struct view path = details ? value_view_or(map_get_text(details, VIEW("json_path")), VIEW("$.data[0].id")) : VIEW("");
    return details && view_eq(path, VIEW("$.data[0].id")) &&
           view_eq(value_view_or(map_get_text(row, VIEW("message")), VIEW("")), view_of(message));
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
    bool good = module_known(&rest, params[0]) && rest_write_conditions(&rest) && rest_id(&rest, params[1], 1, &id) &&
                rest_body(&rest, &body) && check_options(&rest, body) && rest_rows(&rest, body, "data", 1, &rows) &&
                rest_trigger(&rest, body);
    struct map *row = good ? value_as_map(rows.list->items[0]) : NULL;
    if (row) {
        map_put_text(&rest.answer.heap, row, VIEW("id"), value_text(&rest.answer.heap, params[1]));
    }
    good = good && crm_records_update(&rest.session, params[0], rows, &results, &rest.answer.fail);
    if (good && says(results, NOTHINGS_ID)) {
        good = rest_refuse_index(&rest, FAIL_INVALID_DATA, NOTHINGS_ID, 1);
    }
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
        module_known(&rest, params[0]) && rest_write_conditions(&rest) && rest_body(&rest, &body) && check_options(&rest, body) &&
        rest_rows(&rest, body, "data", CRM_ROWS_MAX, &rows) && rest_trigger(&rest, body) &&
        crm_records_upsert(&rest.session, params[0], rows, map_get_text(body, VIEW("duplicate_check_fields")), &results, &rest.answer.fail);
    if (good) {
        rest_status_of_rows(&rest, results, 200);
        if (rest.answer.status == 207) { // captured answers to upserts say 200 (spec/crm-api.md §3.3)
            rest.answer.status = 200;
        }
    }
    rest_send(&rest, good, good ? rest_wrap(&rest, "data", results) : value_null());
}

void api_record_delete(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    int64_t id = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_null();
    bool good = module_known(&rest, params[0]) && rest_id(&rest, params[1], 1, &id) && delete_options(&rest) &&
                crm_records_delete(&rest.session, params[0], &id, 1, &results, &rest.answer.fail);
    if (good && rest_since(&rest, REST_DELETE_INDEX) && says(results, NOT_DELETED)) {
        good = rest_refuse_index(&rest, FAIL_INVALID_DATA, NOT_DELETED, 1);
    }
    rest_send_rows(&rest, good, results, 200);
}

void api_records_delete(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    int64_t ids[CRM_ROWS_MAX];
    int count = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_null();
    bool good = module_known(&rest, params[0]) && rest_ids(&rest, ids, &count) && delete_options(&rest) &&
                crm_records_delete(&rest.session, params[0], ids, count, &results, &rest.answer.fail);
    rest_send_rows(&rest, good, results, 200);
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
    bool good = module_known(&rest, params[0]) && rest_query_page(&rest, &query) && rest_modified_since(&rest, &query.modified_after_ms);
    struct view type = rest_param(&rest, "type");
    bool permanent = view_eq(type, VIEW("permanent")); // nothing is: what is deleted stays listed
    if (good && type.len && !permanent && !view_eq(type, VIEW("all")) && !view_eq(type, VIEW("recycle"))) {
        good = rest_refuse(&rest, FAIL_INVALID_DATA, "param_name", VIEW("type"));
    }
    good = good && crm_deleted_list(&rest.session, params[0], &query, &list, &more, &rest.answer.fail);
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
    if (!rest_since(&rest, REST_CLONE)) {
        rest_send(&rest, fail_set(&rest.answer.fail, FAIL_URL_PATTERN, NULL), value_null());
        return;
    }
    bool good = module_known(&rest, params[0]) && rest_id(&rest, params[1], 1, &id) &&
                crm_record_clone(&rest.session, params[0], id, &result, &rest.answer.fail);
    if (good && value_is_null(result)) {
        good = rest_refuse_index(&rest, FAIL_INVALID_DATA, "the id given seems to be invalid", 1);
    } else if (good && results.type == VALUE_LIST) {
        list_add(&rest.answer.heap, results.list, result);
    }
    rest_send_rows(&rest, good, results, 201);
}
