// SPDX-License-Identifier: Apache-2.0
//
// Metadata over REST (spec/crm-api.md §2.10): modules, fields, the organisation, its users. Shapes are crm's.
#include "web/rest.h"

// ---- modules and fields -------------------------------------------------------------------------

// The one that the path names, by its API name or its id.
static struct value pick_named(struct rest *rest, struct value all, struct view name)
{
    bool number = name.len && name.data[0] >= '0' && name.data[0] <= '9'; // no API name begins with a digit
    return rest_pick(rest, all, number ? "id" : "api_name", name);
}

void api_modules_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct value list = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = crm_modules_list(&rest.session, &list, &rest.answer.fail);
    rest_send(&rest, good, rest_wrap(&rest, "modules", list));
}

void api_module_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value list = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = crm_modules_list(&rest.session, &list, &rest.answer.fail);
    list = good ? pick_named(&rest, list, params[0]) : list;
    if (good && list.type == VALUE_LIST && list.list->count == 0) {
        good = rest_refuse_index(&rest, FAIL_INVALID_MODULE, NULL, 2);
    }
    rest_send(&rest, good, rest_wrap(&rest, "modules", list));
}

static bool read_fields(struct rest *rest, struct value *ret_list)
{
    struct view module;
    return rest_module_param(rest, &module) && crm_fields_list(&rest->session, module, ret_list, &rest->answer.fail);
}

void api_fields_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct value list = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = read_fields(&rest, &list);
    rest_send(&rest, good, rest_wrap(&rest, "fields", list));
}

void api_field_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value list = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = read_fields(&rest, &list);
    list = good ? pick_named(&rest, list, params[0]) : list;
    if (good && list.type == VALUE_LIST && list.list->count == 0) {
        good = rest_refuse_index(&rest, FAIL_INVALID_DATA, "the id given seems to be invalid", 2);
    }
    rest_send(&rest, good, rest_wrap(&rest, "fields", list));
}

// ---- organisation and users ---------------------------------------------------------------------

void api_org_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct value org = value_null(), list;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = crm_org_get(&rest.session, &org, &rest.answer.fail);
    list = value_list(&rest.answer.heap, 1);
    if (list.type == VALUE_LIST) {
        list_add(&rest.answer.heap, list.list, org);
    }
    rest_send(&rest, good, rest_wrap(&rest, "org", list));
}

// Which users a type names. Who is an administrator is told by the profile; nobody is ever deleted or unconfirmed by himself here.
static struct value users_of_type(struct rest *rest, struct value all, struct view type)
{
    char digits[21];
    int64_t self = rest->session.user_id;
    if (view_starts_nocase(type, VIEW("CurrentUser"))) {
        return rest_pick(rest, all, "id", (struct view){digits, int64_print(digits, self)});
    }
    if (view_eq_nocase(type, VIEW("ActiveUsers")) || view_eq_nocase(type, VIEW("ActiveConfirmedUsers"))) {
        return rest_pick(rest, all, "status", VIEW("active"));
    }
    if (view_eq_nocase(type, VIEW("DeactiveUsers"))) {
        return rest_pick(rest, all, "status", VIEW("disabled"));
    }
    return all;
}

static void send_users(struct rest *rest, bool good, struct value users)
{
    if (good && users.type == VALUE_LIST && users.list->count == 0) {
        rest_send_empty(rest, 204);
        return;
    }
    struct value reply = rest_wrap(rest, "users", users), info = value_map(&rest->answer.heap, 4);
    if (good && reply.type == VALUE_MAP && info.type == VALUE_MAP) {
        map_put_text(&rest->answer.heap, info.map, VIEW("per_page"), value_number(CRM_PAGE_MAX));
        map_put_text(&rest->answer.heap, info.map, VIEW("count"), value_number(users.list->count));
        map_put_text(&rest->answer.heap, info.map, VIEW("page"), value_number(1));
        map_put_text(&rest->answer.heap, info.map, VIEW("more_records"), value_bool(false));
        map_put_text(&rest->answer.heap, reply.map, VIEW("info"), info);
    }
    rest_send(rest, good, reply);
}

void api_users_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct value users = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = crm_users_list(&rest.session, &users, &rest.answer.fail);
    send_users(&rest, good, good ? users_of_type(&rest, users, exchange_param(exchange, VIEW("type"))) : users);
}

void api_user_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value users = value_null();
    int64_t number;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_id(&rest, params[0], 1, &number) && crm_users_list(&rest.session, &users, &rest.answer.fail);
    send_users(&rest, good, good ? rest_pick(&rest, users, "id", params[0]) : users);
}
