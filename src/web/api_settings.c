// SPDX-License-Identifier: Apache-2.0
//
// Metadata over REST (spec/crm-api.md §2.10): modules, fields, the organisation. Shapes are crm's.
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

// ---- organisation -------------------------------------------------------------------------------

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
