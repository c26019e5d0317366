// SPDX-License-Identifier: Apache-2.0
// Members of requests that change settings, and who may make such requests.
#include "crm/given.h"

bool crm_given_refuse(const struct crm_given *given, enum fail_code code, const char *key, const char *message)
{
    crm_details_set(given->session, "api_name", view_of(key));
    return fail_set(given->fail, code, message ? "%s" : NULL, message);
}

bool crm_given_has(const struct crm_given *given, const char *key)
{
    struct value name = value_text(given->session->heap, view_of(key));
    bool found = false;
    map_get(given->map, name, &found);
    return found;
}

static bool refuse_type(const struct crm_given *given, const char *key, const char *expected)
{
    crm_details_set(given->session, "expected_data_type", view_of(expected));
    return crm_given_refuse(given, FAIL_INVALID_DATA, key, NULL);
}

bool crm_given_text(const struct crm_given *given, const char *key, size_t units_max, struct view *ret_text)
{
    struct value value = shape_get(given->map, key);
    if (value_is_null(value)) {
        *ret_text = VIEW_NONE;
        return true;
    }
    if (value.type != VALUE_TEXT) {
        return refuse_type(given, key, "text");
    }
    struct view text = view_trim(value_view(value));
    if (utf8_units(text) > units_max) {
        crm_details_set(given->session, "api_name", view_of(key));
        shape_put(given->session->heap, given->session->details, "maximum_length", value_number((int64_t)units_max));
        return fail_set(given->fail, FAIL_INVALID_DATA, NULL);
    }
    *ret_text = text.len ? text : VIEW_NONE;
    return true;
}

bool crm_given_name(const struct crm_given *given, const char *key, size_t units_max, struct view *ret_text)
{
    struct view text;
    if (!crm_given_text(given, key, units_max, &text)) {
        return false;
    }
    *ret_text = text;
    return text.len > 0 || crm_given_refuse(given, FAIL_MANDATORY_NOT_FOUND, key, NULL);
}

bool crm_given_bool(const struct crm_given *given, const char *key, bool otherwise, bool *ret_flag)
{
    struct value value = shape_get(given->map, key);
    if (!value_is_null(value) && value.type != VALUE_BOOL) {
        return refuse_type(given, key, "boolean");
    }
    *ret_flag = value.type == VALUE_BOOL ? value.boolean : otherwise;
    return true;
}

bool crm_given_id(const struct crm_given *given, const char *key, int64_t *ret_id)
{
    struct value value = shape_get(given->map, key);
    const struct map *inner = value_as_map(value);
    struct value id = inner ? map_get_text(inner, VIEW("id")) : value;
    if (value_is_null(id)) {
        *ret_id = 0;
        return true;
    }
    return crm_id_read(id, ret_id) || crm_given_refuse(given, FAIL_INVALID_DATA, key, "the id given seems to be invalid");
}

// ---- who may change settings --------------------------------------------------------------------

bool crm_settings_may(struct crm_session *session, const char *permission, struct fail *fail)
{
    bool admin;
    session->details = value_null();
    if (session->journal) {
        return fail_set(fail, FAIL_NOT_SUPPORTED, "settings cannot be changed by an install script");
    }
    if (!crm_user_admin(session, session->user_id, &admin, fail)) {
        return false;
    }
    if (!admin) {
        struct value list = value_list(session->heap, 1);
        session->details = value_map(session->heap, 1);
        shape_add(session->heap, list, value_text(session->heap, view_of(permission)));
        shape_put(session->heap, session->details, "permissions", list);
        return fail_set(fail, FAIL_NO_PERMISSION, NULL);
    }
    return true;
}
