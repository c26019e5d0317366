// SPDX-License-Identifier: Apache-2.0
// zoho.crm.attachFile, getFields and users: tasks that are neither lists nor writes of records (spec/crm-api.md §1.1, §1.3).
#include "host/service.h"

bool svc_attach_file(struct native_call *call)
{
    struct crm_session *session;
    struct view module;
    struct value result, file;
    struct fail fail;
    int64_t id;
    if (!service_session(call, &session) || !arg_text(call, 0, &module)) {
        return false;
    }
    file = value_resolve(call->args[2]);
    if (file.type != VALUE_FILE) {
        return native_fail(call, "attachFile needs a FILE, and its third argument is %s", value_type_name(file));
    }
    if (!service_id(call, 1, &id)) {
        return true;
    }
    if (!crm_attachment_add(session, module, id, file.file, &result, &fail)) {
        return service_error(call, &fail);
    }
    *call->ret = result;
    return true;
}

static struct value wrap(struct native_call *call, struct view key, struct value list)
{
    struct value map = value_map(call->heap, 2);
    if (list.type == VALUE_LIST) {
        list.list->json = 1;
    }
    if (map.type == VALUE_MAP) {
        map_put_text(call->heap, map.map, key, list);
    }
    return map;
}

bool svc_get_fields(struct native_call *call)
{
    struct crm_session *session;
    struct view module;
    struct value list;
    struct fail fail;
    if (!service_session(call, &session) || !arg_text(call, 0, &module)) {
        return false;
    }
    if (!crm_fields_list(session, module, &list, &fail)) {
        return service_error(call, &fail);
    }
    *call->ret = wrap(call, VIEW("fields"), list);
    return true;
}

// ---- users --------------------------------------------------------------------------------------

static void give_users(struct native_call *call, struct value list)
{
    struct heap *heap = call->heap;
    struct value users = wrap(call, VIEW("users"), list), info = value_map(heap, 4);
    if (info.type == VALUE_MAP && users.type == VALUE_MAP) {
        map_put_text(heap, info.map, VIEW("per_page"), value_number(CRM_PAGE_MAX));
        map_put_text(heap, info.map, VIEW("count"), value_number(list.list->count));
        map_put_text(heap, info.map, VIEW("page"), value_number(1));
        map_put_text(heap, info.map, VIEW("more_records"), value_bool(false));
        map_put_text(heap, users.map, VIEW("info"), info);
    }
    *call->ret = users;
}

bool svc_get_users(struct native_call *call)
{
    struct crm_session *session;
    struct value list;
    struct fail fail;
    if (!service_session(call, &session)) {
        return false;
    }
    if (!crm_users_list(session, &list, &fail)) {
        return service_error(call, &fail);
    }
    give_users(call, list);
    return true;
}

// Users are no module, so their search knows one condition, `(key:equals:text)` or `(key:starts_with:text)`.
static bool matches(struct value user, struct view key, struct view operator, struct view text)
{
    const struct map *map = value_as_map(user);
    struct view have = map ? value_view_or(map_get_text(map, key), VIEW("")) : VIEW("");
    return view_eq(operator, VIEW("equals")) ? view_eq_nocase(have, text) : view_starts_nocase(have, text);
}

bool service_find_users(struct native_call *call, struct view criteria, struct view email)
{
    struct crm_session *session;
    struct value all, found = value_list(call->heap, 4);
    struct fail fail;
    struct view text = view_trim(criteria), key = VIEW("email"), operator= VIEW("equals");
    if (view_starts(text, VIEW("(")) && view_ends(text, VIEW(")"))) {
        text = view_slice(text, 1, text.len - 2);
    }
    if (text.len) {
        key = view_trim(view_cut(&text, ':'));
        operator= view_trim(view_cut(&text, ':'));
    } else {
        text = email;
    }
    if (!text.len || (!view_eq(operator, VIEW("equals")) && !view_eq(operator, VIEW("starts_with")))) {
        fail_set(&fail, FAIL_INVALID_QUERY, "invalid query formed");
        return service_error(call, &fail);
    }
    if (!service_session(call, &session)) {
        return false;
    }
    if (!crm_users_list(session, &all, &fail)) {
        return service_error(call, &fail);
    }
    const struct list *list = value_as_list(all);
    for (uint32_t i = 0; list && found.type == VALUE_LIST && i < list->count; i++) {
        if (matches(list->items[i], key, operator, text)) {
            list_add(call->heap, found.list, list->items[i]);
        }
    }
    if (found.type != VALUE_LIST) {
        return fail_set(call->fail, FAIL_LIMIT, "The users do not fit the function's memory");
    }
    give_users(call, found);
    return true;
}
