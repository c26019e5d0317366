// SPDX-License-Identifier: Apache-2.0
//
// Roles, profiles and users over REST (spec/crm-api.md §2.10; Zoho's descriptions of /settings/roles, /settings/profiles and /users). What
// they are and what is wrong is crm's; only administrators change them.
#include "web/rest.h"

#define MANAGE_USERS "Crm_Implied_Manage_Users"

enum { ROLES_MAX = 100, SEGMENT_SETTING = 2, SEGMENT_USER = 1 };

typedef bool list_fn(struct crm_session *session, int64_t id, struct value *ret_list, struct fail *fail);
typedef bool change_fn(struct crm_session *session, int64_t id, const struct map *row, struct fail *fail);

static void send_one(struct web *web, struct exchange *exchange, const char *key, list_fn *read, struct view path_id)
{
    struct rest rest;
    struct value list = value_null();
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_id(&rest, path_id, SEGMENT_SETTING, &id) && read(&rest.session, id, &list, &rest.answer.fail);
    rest_send_list(&rest, good, key, list);
}

static bool write_change(struct rest *rest, void *arg, const struct map *row, int64_t *id)
{
    change_fn *const *change = arg;
    return (*change)(&rest->session, *id, row, &rest->answer.fail);
}

// transfer_to_id= says who takes the users.
static bool read_delete(struct rest *rest, struct view path_id, int64_t *ret_id, int64_t *ret_transfer)
{
    struct view transfer = rest_param(rest, "transfer_to_id");
    if (!crm_settings_may(&rest->session, MANAGE_USERS, &rest->answer.fail) || !rest_id(rest, path_id, SEGMENT_SETTING, ret_id)) {
        return false;
    }
    if (!transfer.len) {
        return rest_refuse(rest, FAIL_PARAM_MISSING, "param_name", VIEW("transfer_to_id"));
    }
    if (!view_to_int64(transfer, ret_transfer) || *ret_transfer <= 0) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("transfer_to_id"));
    }
    return true;
}

// ---- roles --------------------------------------------------------------------------------------

void api_roles_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct value list = value_null();
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = crm_roles_list(&rest.session, 0, &list, &rest.answer.fail);
    rest_send_list(&rest, good, "roles", list);
}

void api_role_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_one(web, exchange, "roles", crm_roles_list, params[0]);
}

static bool write_role(struct rest *rest, void *arg, const struct map *row, int64_t *id)
{
    (void)arg;
    return crm_role_add(&rest->session, row, id, &rest->answer.fail);
}

void api_role_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    const struct rest_write write = {.key = "roles",
                                     .message = "Role added",
                                     .most = ROLES_MAX,
                                     .status = 201,
                                     .adds = true,
                                     .permission = MANAGE_USERS,
                                     .write = write_role};
    if (rest_open(&rest, web, exchange)) {
        rest_write_rows(&rest, true, &write);
    }
}

// PUT with the id in the path, or one in each row.
void api_role_update(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    change_fn *change = crm_role_change;
    const struct rest_write write = {.key = "roles",
                                     .message = "Role updated",
                                     .most = ROLES_MAX,
                                     .status = 200,
                                     .id = params[0].len ? params[0] : VIEW_NONE,
                                     .segment = SEGMENT_SETTING,
                                     .permission = MANAGE_USERS,
                                     .write = write_change,
                                     .arg = &change};
    if (rest_open(&rest, web, exchange)) {
        rest_write_rows(&rest, true, &write);
    }
}

void api_role_delete(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    int64_t id = 0, transfer;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = read_delete(&rest, params[0], &id, &transfer) && crm_role_delete(&rest.session, id, transfer, &rest.answer.fail);
    rest_send_done(&rest, rest_path_done(&rest, good, SEGMENT_SETTING), "roles", id, "Role Deleted");
}

// ---- profiles -----------------------------------------------------------------------------------

// All profiles here are normal ones.
static bool read_type(struct rest *rest, bool *ret_none)
{
    struct view type = rest_param(rest, "type");
    *ret_none = view_eq(type, VIEW("private_profile"));
    if (rest_param(rest, "filters").len) {
        return rest_refuse(rest, FAIL_NOT_SUPPORTED, "param_name", VIEW("filters"));
    }
    return !type.len || *ret_none || view_eq(type, VIEW("normal_profile")) ||
           rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("type"));
}

void api_profiles_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct value list = value_null();
    bool none;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = read_type(&rest, &none) && crm_profiles_list(&rest.session, 0, &list, &rest.answer.fail);
    rest_send_list(&rest, good, "profiles", good && none ? value_list(&rest.answer.heap, 0) : list);
}

void api_profile_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_one(web, exchange, "profiles", crm_profiles_list, params[0]);
}

void api_profile_update(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    change_fn *change = crm_profile_change;
    const struct rest_write write = {.key = "profiles",
                                     .message = "profile updated successfully",
                                     .status = 200,
                                     .id = params[0],
                                     .segment = SEGMENT_SETTING,
                                     .permission = MANAGE_USERS,
                                     .write = write_change,
                                     .arg = &change};
    if (rest_open(&rest, web, exchange)) {
        rest_write_rows(&rest, true, &write);
    }
}

// The path names what is copied; the answer names the copy.
static bool write_clone(struct rest *rest, void *arg, const struct map *row, int64_t *id)
{
    (void)arg;
    return crm_profile_clone(&rest->session, *id, row, id, &rest->answer.fail);
}

void api_profile_clone(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    const struct rest_write write = {.key = "profiles",
                                     .message = "profile created successfully",
                                     .status = 201,
                                     .id = params[0],
                                     .segment = SEGMENT_SETTING,
                                     .permission = MANAGE_USERS,
                                     .write = write_clone};
    if (rest_open(&rest, web, exchange)) {
        rest_write_rows(&rest, true, &write);
    }
}

// The result stands alone, unlike those of other resources.
void api_profile_delete(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    int64_t id = 0, transfer;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = read_delete(&rest, params[0], &id, &transfer) && crm_profile_delete(&rest.session, id, transfer, &rest.answer.fail);
    rest_send(&rest, rest_path_done(&rest, good, SEGMENT_SETTING), rest_result_id(&rest, id, "Profile deleted"));
}

// ---- users --------------------------------------------------------------------------------------

static void put_info(struct heap *heap, struct value reply, uint32_t count, int64_t page, int64_t per_page, bool more)
{
    struct value info = value_map(heap, 4);
    if (reply.type == VALUE_MAP && info.type == VALUE_MAP) {
        map_put_text(heap, info.map, VIEW("per_page"), value_number(per_page));
        map_put_text(heap, info.map, VIEW("count"), value_number(count));
        map_put_text(heap, info.map, VIEW("page"), value_number(page));
        map_put_text(heap, info.map, VIEW("more_records"), value_bool(more));
        map_put_text(heap, reply.map, VIEW("info"), info);
    }
}

void api_users_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct value users = value_null();
    int64_t page = 1, per_page = CRM_PAGE_MAX;
    bool more = false;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good =
        rest_number(&rest, "page", 1, INT32_MAX, 1, &page) && rest_number(&rest, "per_page", 1, CRM_PAGE_MAX, CRM_PAGE_MAX, &per_page) &&
        crm_users_page(&rest.session, exchange_param(exchange, VIEW("type")), (int)page, (int)per_page, &users, &more, &rest.answer.fail);
    const struct list *list = good ? value_as_list(users) : NULL;
    if (!list || list->count == 0) {
        rest_send_list(&rest, good, "users", users);
        return;
    }
    struct value reply = rest_wrap(&rest, "users", users);
    put_info(&rest.answer.heap, reply, list->count, page, per_page, more);
    rest_send(&rest, true, reply);
}

void api_user_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value user = value_null(), users;
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    users = value_list(&rest.answer.heap, 1);
    bool good = rest_id(&rest, params[0], SEGMENT_USER, &id) && crm_user_get(&rest.session, id, &user, &rest.answer.fail);
    if (good && users.type == VALUE_LIST) {
        list_add(&rest.answer.heap, users.list, user);
    }
    rest_send_list(&rest, good || rest.answer.fail.code == FAIL_NOT_FOUND, "users", users);
}

static bool write_user(struct rest *rest, void *arg, const struct map *row, int64_t *id)
{
    (void)arg;
    return crm_user_add(&rest->session, row, id, &rest->answer.fail);
}

void api_user_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    const struct rest_write write = {
        .key = "users", .message = "User added", .most = 1, .status = 201, .adds = true, .permission = MANAGE_USERS, .write = write_user};
    if (rest_open(&rest, web, exchange)) {
        rest_write_rows(&rest, true, &write);
    }
}

void api_user_update(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    change_fn *change = crm_user_change;
    const struct rest_write write = {.key = "users",
                                     .message = "User updated",
                                     .most = CRM_ROWS_MAX,
                                     .status = 200,
                                     .id = params[0].len ? params[0] : VIEW_NONE,
                                     .segment = SEGMENT_USER,
                                     .permission = MANAGE_USERS,
                                     .write = write_change,
                                     .arg = &change};
    if (rest_open(&rest, web, exchange)) {
        rest_write_rows(&rest, true, &write);
    }
}

void api_user_delete(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    int64_t id = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = crm_settings_may(&rest.session, MANAGE_USERS, &rest.answer.fail) && rest_id(&rest, params[0], SEGMENT_USER, &id) &&
                crm_user_delete(&rest.session, id, &rest.answer.fail);
    rest_send_done(&rest, rest_path_done(&rest, good, SEGMENT_USER), "users", id, "User deleted");
}
