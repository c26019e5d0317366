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

// ---- names and numbers of custom modules and fields ---------------------------------------------

enum { START_DIGITS_MAX = 16, AFFIX_UNITS_MAX = 50 };

// Zoho's samples write the number as a text and as a number.
static bool read_start(const struct crm_given *number, int64_t *ret_first)
{
    struct value start = shape_get(number->map, "start_number");
    struct view text = value_view_or(start, VIEW(""));
    if (value_is_null(start)) {
        return crm_given_refuse(number, FAIL_MANDATORY_NOT_FOUND, "start_number", NULL);
    }
    int64_t first = start.type == VALUE_NUMBER ? start.number : -1;
    bool read = start.type == VALUE_NUMBER || (text.len > 0 && text.len <= START_DIGITS_MAX && view_to_int64(text, &first));
    if (!read || first < 0 || first > INT64_C(9999999999999999)) {
        return crm_given_refuse(number, FAIL_INVALID_DATA, "start_number", NULL);
    }
    *ret_first = first;
    return true;
}

bool crm_given_number(const struct crm_given *given, const char *key, struct value *ret_definition, int64_t *ret_first)
{
    struct value value = shape_get(given->map, key);
    struct heap *heap = given->session->heap;
    struct crm_given number = {.session = given->session, .map = value_as_map(value), .fail = given->fail};
    struct view prefix, suffix;
    if (value_is_null(value)) {
        *ret_definition = value_null();
        return true;
    }
    if (!number.map) {
        return refuse_type(given, key, "jsonobject");
    }
    if (!read_start(&number, ret_first) || !crm_given_text(&number, "prefix", AFFIX_UNITS_MAX, &prefix) ||
        !crm_given_text(&number, "suffix", AFFIX_UNITS_MAX, &suffix)) {
        return false;
    }
    struct value definition = value_map(heap, 3);
    shape_put(heap, definition, "prefix", value_text(heap, prefix));
    shape_put(heap, definition, "start_number", value_text_printf(heap, "%lld", (long long)*ret_first));
    shape_put(heap, definition, "suffix", value_text(heap, suffix));
    *ret_definition = definition;
    return true;
}

static bool is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

struct view crm_name_of_label(struct heap *heap, struct view label, size_t bytes_max)
{
    char name[CRM_NAME_MAX];
    size_t len = 0, most = bytes_max < sizeof name ? bytes_max : sizeof name;
    bool gap = false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.data[i];
        if (!is_word((unsigned char)c)) {
            gap = len > 0;
            continue;
        }
        size_t more = 1 + (size_t)gap + (size_t)(len == 0 && c <= '9');
        if (len + more > most) {
            break;
        }
        if (gap || (len == 0 && c <= '9')) {
            name[len++] = gap ? '_' : 'f';
        }
        name[len++] = c;
        gap = false;
    }
    struct value text = value_text(heap, len ? (struct view){name, len} : VIEW("f"));
    return value_view_or(text, VIEW_NONE);
}

bool crm_given_label_valid(struct view label)
{
    for (size_t i = 0; i < label.len; i++) {
        unsigned char c = (unsigned char)label.data[i];
        if (!is_word(c) && c != ' ' && c < 0x80) {
            return false;
        }
    }
    return label.len > 0;
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
