// SPDX-License-Identifier: Apache-2.0
//
// Workflow rules and webhooks over REST (zoho-crm-workflow-rules, zoho-crm-webhooks). What they are
// and which of them are refused is crm's.
#include "web/rest.h"

enum { RULES_A_CALL = 1, WEBHOOKS_A_CALL = 1, IDS_A_CALL = 10, ID_SEGMENT = 3 };

// ---- what rules and webhooks share --------------------------------------------------------------

struct kind {
    const char *key;
    uint32_t most; // rows of a POST
    const char *added, *changed, *removed;
    bool (*list)(struct crm_session *session, const struct crm_list_query *query, struct value *ret_list, bool *ret_more,
                 struct fail *fail);
    bool (*get)(struct crm_session *session, int64_t id, struct value *ret_one, struct fail *fail);
    bool (*add)(struct crm_session *session, struct value row, int64_t *ret_id, struct fail *fail);
    bool (*change)(struct crm_session *session, int64_t id, struct value row, struct fail *fail);
    bool (*remove)(struct crm_session *session, int64_t id, bool *ret_found, struct fail *fail);
};

static bool add_rule(struct crm_session *session, struct value row, int64_t *ret_id, struct fail *fail)
{
    return crm_rule_add(session, row, host_workflow_function, NULL, ret_id, fail);
}

static bool change_rule(struct crm_session *session, int64_t id, struct value row, struct fail *fail)
{
    return crm_rule_change(session, id, row, host_workflow_function, NULL, fail);
}

static const struct kind RULES = {
    "workflow_rules", RULES_A_CALL, "workflow created", "workflow updated", "WorkFlow Rule deleted successfully",
    crm_rules_list,   crm_rule_get, add_rule,           change_rule,        crm_rule_remove};
static const struct kind WEBHOOKS = {"webhooks",
                                     WEBHOOKS_A_CALL,
                                     "Webhook created successfully",
                                     "Webhook updated successfully",
                                     "Webhook deleted successfully",
                                     crm_webhooks_list,
                                     crm_webhook_get,
                                     crm_webhook_add,
                                     crm_webhook_change,
                                     crm_webhook_remove};

static void send_results(struct rest *rest, const char *key, bool good, struct value results, int done)
{
    if (good) {
        rest_status_of_rows(rest, results, done);
    }
    rest_send(rest, good, rest_wrap(rest, key, results));
}

// One more row of the answer: what was done, or why it was not.
static bool add_result(struct rest *rest, struct value results, bool done, int64_t id, const char *message)
{
    struct value row;
    if (!done && !rest_row_failed(rest, &row)) {
        return false;
    }
    row = done ? rest_result_id(rest, id, message) : row;
    return (results.type == VALUE_LIST && list_add(&rest->answer.heap, results.list, row)) ||
           fail_set(&rest->answer.fail, FAIL_MEMORY, NULL);
}

// There is none of this id, each in its own words: a rule of the path is told by the path.
static bool bad_id(struct rest *rest, const struct kind *kind, bool in_path, struct view id)
{
    const char *text = kind == &WEBHOOKS ? "The ID given is invalid" : "the id given seems to be invalid";
    if (kind == &RULES && in_path) {
        return rest_refuse_index(rest, FAIL_INVALID_DATA, text, ID_SEGMENT);
    }
    rest_refuse(rest, FAIL_INVALID_DATA, kind == &RULES ? "id" : "api_name", kind == &RULES ? id : VIEW("id"));
    return fail_set(&rest->answer.fail, FAIL_INVALID_DATA, "%s", text);
}

// Is it a failure of the whole call, because the path names what cannot be done?
static bool of_path(const struct rest *rest, const struct kind *kind, bool in_path)
{
    return in_path &&
           (rest->answer.fail.code == FAIL_NOT_ALLOWED || (kind == &RULES && rest->details.type == VALUE_MAP &&
                                                           !value_is_null(map_get_text(rest->details.map, VIEW("resource_path_index")))));
}

static bool read_query(struct rest *rest, struct crm_list_query *query)
{
    struct view active = rest_param(rest, "status_active"), module = rest_param(rest, "module");
    int64_t page, per_page;
    *query = (struct crm_list_query){.active = -1, .module = module, .type = rest_param(rest, "execute_on")};
    if (module.len && !crm_module_exists(&rest->session, module)) {
        return rest_refuse(rest, FAIL_INVALID_MODULE, "param_name", VIEW("module"));
    }
    if (active.len) {
        query->active = view_eq_nocase(active, VIEW("true"));
        if (!query->active && !view_eq_nocase(active, VIEW("false"))) {
            return rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("status_active"));
        }
    }
    if (!rest_number(rest, "page", 1, INT32_MAX / CRM_PAGE_MAX, 1, &page) ||
        !rest_number(rest, "per_page", 1, CRM_PAGE_MAX, CRM_PAGE_MAX, &per_page)) {
        return false;
    }
    query->page = (int)page;
    query->per_page = (int)per_page;
    return true;
}

static struct value make_info(struct rest *rest, const struct crm_list_query *query, uint32_t count, bool more)
{
    struct heap *heap = &rest->answer.heap;
    struct value info = value_map(heap, 4);
    if (info.type == VALUE_MAP) {
        map_put_text(heap, info.map, VIEW("per_page"), value_number(query->per_page));
        map_put_text(heap, info.map, VIEW("count"), value_number(count));
        map_put_text(heap, info.map, VIEW("page"), value_number(query->page));
        map_put_text(heap, info.map, VIEW("more_records"), value_bool(more));
    }
    return info;
}

static void send_list(struct web *web, struct exchange *exchange, const struct kind *kind)
{
    struct rest rest;
    struct crm_list_query query;
    struct value list = value_null(), reply;
    bool more = false;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = read_query(&rest, &query) && kind->list(&rest.session, &query, &list, &more, &rest.answer.fail);
    bool inner = kind != &RULES || view_eq_nocase(rest_param(&rest, "include_inner_details"), VIEW("true"));
    for (uint32_t i = 0; good && !inner && i < list.list->count; i++) {
        map_remove(value_as_map(list.list->items[i]), value_text(&rest.answer.heap, VIEW("conditions")));
    }
    reply = rest_wrap(&rest, kind->key, list);
    if (good && reply.type == VALUE_MAP) {
        map_put_text(&rest.answer.heap, reply.map, VIEW("info"), make_info(&rest, &query, list.list->count, more));
    }
    rest_send(&rest, good, reply);
}

static void send_one(struct web *web, struct exchange *exchange, const struct kind *kind, struct view id_text)
{
    struct rest rest;
    struct value one = value_null();
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_id(&rest, id_text, 3, &id) && kind->get(&rest.session, id, &one, &rest.answer.fail);
    if (good && value_is_null(one)) {
        rest_send_empty(&rest, 204);
        return;
    }
    struct value list = value_list(&rest.answer.heap, 1);
    if (good && list.type == VALUE_LIST) {
        list_add(&rest.answer.heap, list.list, one);
    }
    rest_send(&rest, good, rest_wrap(&rest, kind->key, list));
}

static void send_added(struct web *web, struct exchange *exchange, const struct kind *kind)
{
    struct rest rest;
    struct map *body;
    struct value rows;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_list(&rest.answer.heap, 1);
    bool good = rest_body(&rest, &body) && rest_rows(&rest, body, kind->key, kind->most, &rows) &&
                host_automation_expect(web->host, &exchange->identity, &rest.answer.fail);
    for (uint32_t i = 0; good && i < rows.list->count; i++) {
        int64_t id = 0;
        bool done = kind->add(&rest.session, rows.list->items[i], &id, &rest.answer.fail);
        good = add_result(&rest, results, done, id, kind->added);
    }
    send_results(&rest, kind->key, good, results, 201);
}

// The id stands in the path, or in each row.
static void send_changed(struct web *web, struct exchange *exchange, const struct kind *kind, struct view id_text)
{
    struct rest rest;
    struct map *body;
    struct value rows;
    int64_t own = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_list(&rest.answer.heap, 1);
    bool good = (!id_text.len || rest_id(&rest, id_text, 3, &own)) && rest_body(&rest, &body) &&
                rest_rows(&rest, body, kind->key, id_text.len ? 1 : IDS_A_CALL, &rows);
    for (uint32_t i = 0; good && i < rows.list->count; i++) {
        const struct map *row = value_as_map(rows.list->items[i]);
        int64_t id = own;
        bool done = id || (row && crm_id_read(map_get_text(row, VIEW("id")), &id)) || bad_id(&rest, kind, false, VIEW(""));
        done = done && kind->change(&rest.session, id, rows.list->items[i], &rest.answer.fail);
        if (!done && rest.answer.fail.code == FAIL_NOT_FOUND) {
            bad_id(&rest, kind, own != 0, own ? id_text : value_view_or(map_get_text(row, VIEW("id")), VIEW("")));
        }
        good = (done || !of_path(&rest, kind, own != 0)) && add_result(&rest, results, done, id, kind->changed);
    }
    send_results(&rest, kind->key, good, results, 200);
}

static void send_removed(struct web *web, struct exchange *exchange, const struct kind *kind, struct view id_text)
{
    struct rest rest;
    int64_t ids[CRM_ROWS_MAX];
    int count = 1;
    bool in_path = id_text.len > 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_list(&rest.answer.heap, 1);
    bool good = in_path ? rest_id(&rest, id_text, 3, &ids[0]) : rest_ids(&rest, ids, &count);
    if (good && count > IDS_A_CALL) {
        good = rest_refuse(&rest, FAIL_LIMIT_EXCEEDED, "param_name", VIEW("ids"));
    }
    for (int i = 0; good && i < count; i++) {
        bool found = false, done = kind->remove(&rest.session, ids[i], &found, &rest.answer.fail);
        char digits[21];
        struct view id = {digits, int64_print(digits, ids[i])};
        done = done && (found || bad_id(&rest, kind, in_path, id));
        if (!done && rest.answer.fail.code == FAIL_NOT_ALLOWED) {
            char text[FAIL_TEXT_MAX];
            snprintf(text, sizeof text, "%s", rest.answer.fail.text);
            rest_refuse_index(&rest, FAIL_NOT_ALLOWED, text, ID_SEGMENT);
        }
        good = (done || !of_path(&rest, kind, in_path)) && add_result(&rest, results, done, ids[i], kind->removed);
    }
    send_results(&rest, kind->key, good, results, 200);
}

// ---- routes -------------------------------------------------------------------------------------

void api_rules_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    send_list(web, exchange, &RULES);
}

void api_rule_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_one(web, exchange, &RULES, params[0]);
}

void api_rules_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    send_added(web, exchange, &RULES);
}

void api_rules_change(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_changed(web, exchange, &RULES, params[0]);
}

void api_rules_remove(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_removed(web, exchange, &RULES, params[0]);
}

void api_webhooks_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    send_list(web, exchange, &WEBHOOKS);
}

void api_webhook_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_one(web, exchange, &WEBHOOKS, params[0]);
}

void api_webhooks_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    send_added(web, exchange, &WEBHOOKS);
}

void api_webhooks_change(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_changed(web, exchange, &WEBHOOKS, params[0]);
}

void api_webhooks_remove(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_removed(web, exchange, &WEBHOOKS, params[0]);
}

// Other resources below settings/automation that Zoho has.
void api_automation_refuse(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    (void)params;
    if (rest_open(&rest, web, exchange)) {
        rest_send(&rest, fail_set(&rest.answer.fail, FAIL_NOT_SUPPORTED, "of automation only workflow_rules and webhooks are here"),
                  value_null());
    }
}
