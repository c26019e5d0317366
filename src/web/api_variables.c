// SPDX-License-Identifier: Apache-2.0
//
// Variables and their groups over REST (spec/crm-api.md §2.10). A variable is named by its id or its API name; shapes and checks are
// host's (host/variable.c).
#include "web/rest.h"

enum { SEGMENT = 2 };

// ---- variables ----------------------------------------------------------------------------------

void api_variables_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct value list = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = host_org_variables(&rest.session, VIEW_NONE, rest_param(&rest, "group"), &list, &rest.answer.fail);
    rest_send_list(&rest, good, "variables", list);
}

static bool refuse_path(struct rest *rest)
{
    return rest_refuse_index(rest, FAIL_INVALID_DATA, "the id given seems to be invalid", SEGMENT);
}

static bool find_variable(struct rest *rest, struct view id_or_name, struct view group, struct value *ret_list)
{
    if (!host_org_variables(&rest->session, id_or_name, group, ret_list, &rest->answer.fail)) {
        return false;
    }
    const struct list *list = value_as_list(*ret_list);
    return (list && list->count > 0) || refuse_path(rest);
}

// group= must be there below version 8 (spec/crm-api.md §2.10).
void api_variable_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value list = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct view group = rest_param(&rest, "group");
    bool good = group.len || rest_since(&rest, REST_GROUP_OPTIONAL) || rest_refuse(&rest, FAIL_PARAM_MISSING, "param_name", VIEW("group"));
    good = good && find_variable(&rest, params[0], group, &list);
    rest_send(&rest, good, rest_wrap(&rest, "variables", list));
}

static bool write_new(struct rest *rest, void *arg, const struct map *row, int64_t *id)
{
    (void)arg;
    return host_org_variable_add(&rest->session, row, id, &rest->answer.fail);
}

void api_variable_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    const struct rest_write write = {
        .key = "variables", .message = "variable created", .most = CRM_ROWS_MAX, .status = 201, .adds = true, .write = write_new};
    if (rest_open(&rest, web, exchange)) {
        rest_write_rows(&rest, true, &write);
    }
}

// The id that the path means, as text.
static bool resolve(struct rest *rest, struct view id_or_name, struct view *ret_id)
{
    struct value list;
    if (!find_variable(rest, id_or_name, VIEW(""), &list)) {
        return false;
    }
    const struct map *variable = value_as_map(value_as_list(list)->items[0]);
    *ret_id = value_view_or(variable ? map_get_text(variable, VIEW("id")) : value_null(), VIEW(""));
    return true;
}

static bool write_change(struct rest *rest, void *arg, const struct map *row, int64_t *id)
{
    (void)arg;
    return host_org_variable_change(&rest->session, *id, row, &rest->answer.fail);
}

void api_variable_update(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct rest_write write = {
        .key = "variables", .message = "variable updated", .most = CRM_ROWS_MAX, .status = 200, .segment = SEGMENT, .write = write_change};
    if (rest_open(&rest, web, exchange)) {
        bool good = !params[0].len || resolve(&rest, params[0], &write.id);
        rest_write_rows(&rest, good, &write);
    }
}

// A row's result, or its error with the id.
static struct value delete_one(struct rest *rest, int64_t id)
{
    struct value details = value_map(&rest->answer.heap, 1);
    char digits[21];
    if (host_org_variable_remove(&rest->session, id, &rest->answer.fail)) {
        return rest_result_id(rest, id, "variable deleted");
    }
    if (rest->answer.fail.code == FAIL_NOT_FOUND) {
        fail_set(&rest->answer.fail, FAIL_INVALID_DATA, "variable not deleted");
    }
    answer_put(&rest->answer, details, "id", (struct view){digits, int64_print(digits, id)});
    rest->details = details;
    return rest_envelope(rest);
}

static void delete_all(struct rest *rest, bool good, const int64_t *ids, int count)
{
    struct value results = value_list(&rest->answer.heap, 1);
    for (int i = 0; good && i < count && results.type == VALUE_LIST; i++) {
        fail_clear(&rest->answer.fail);
        list_add(&rest->answer.heap, results.list, delete_one(rest, ids[i]));
        good = fail_status(rest->answer.fail.code) != 500 || rest->answer.fail.code == FAIL_NONE;
    }
    rest_send_results(rest, good, "variables", results, 200);
}

void api_variables_delete(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    int64_t ids[CRM_ROWS_MAX];
    int count = 0;
    if (rest_open(&rest, web, exchange)) {
        bool good = rest_ids(&rest, ids, &count);
        delete_all(&rest, good, ids, count);
    }
}

void api_variable_delete(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct view text;
    int64_t id = 0;
    if (rest_open(&rest, web, exchange)) {
        bool good = resolve(&rest, params[0], &text) && rest_id(&rest, text, SEGMENT, &id);
        delete_all(&rest, good, &id, 1);
    }
}

// ---- groups -------------------------------------------------------------------------------------

void api_variable_groups_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct value list = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = host_variable_groups(&rest.session, 0, &list, &rest.answer.fail);
    rest_send_list(&rest, good, "variable_groups", list);
}

void api_variable_group_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value list = value_null();
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_id(&rest, params[0], SEGMENT, &id) && host_variable_groups(&rest.session, id, &list, &rest.answer.fail);
    rest_send_list(&rest, good, "variable_groups", list);
}

static bool write_group(struct rest *rest, void *arg, const struct map *row, int64_t *id)
{
    (void)arg;
    return host_variable_group_change(&rest->session, *id, row, &rest->answer.fail);
}

void api_variable_group_update(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    const struct rest_write write = {.key = "variable_groups",
                                     .message = "variable group updated",
                                     .most = CRM_ROWS_MAX,
                                     .status = 200,
                                     .id = params[0].len ? params[0] : VIEW_NONE,
                                     .segment = SEGMENT,
                                     .write = write_group};
    if (rest_open(&rest, web, exchange)) {
        rest_write_rows(&rest, true, &write);
    }
}
