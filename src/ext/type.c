// SPDX-License-Identifier: Apache-2.0
// Types of variables (spec/crm-api.md §2.10) and what fits them. A variable is text whatever its type; the type says which text. Empty
// always fits: a variable is empty until the org gives it a value. The limits of numbers are Zoho's for fields of these types.
#include "ext/inside.h"

enum { INTEGER_DIGITS_MAX = 9, LONG_DIGITS_MAX = 18 };

static bool is_any(struct view value)
{
    (void)value;
    return true;
}

static bool is_digits(struct view value, size_t digits_max)
{
    int64_t number;
    size_t sign = value.data[0] == '-' || value.data[0] == '+' ? 1 : 0;
    return value.len - sign <= digits_max && view_to_int64(value, &number);
}

static bool is_integer(struct view value)
{
    return is_digits(value, INTEGER_DIGITS_MAX);
}

static bool is_long(struct view value)
{
    return is_digits(value, LONG_DIGITS_MAX);
}

static bool is_decimal(struct view value)
{
    double number;
    return view_to_decimal(value, &number);
}

// In any form that Deluge reads: scripts set variables to what they print.
static bool is_date(struct view value)
{
    int64_t millis;
    bool has_time;
    return calendar_read(value, NULL, &millis, &has_time) && !has_time;
}

static bool is_datetime(struct view value)
{
    int64_t millis;
    bool has_time;
    return calendar_read(value, NULL, &millis, &has_time);
}

static bool has_blank(struct view value)
{
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.data[i] <= ' ') {
            return true;
        }
    }
    return false;
}

static bool is_email(struct view value)
{
    ptrdiff_t at = view_find_char(value, '@');
    struct view host = view_from(value, (size_t)at + 1);
    return at > 0 && host.len > 0 && view_find_char(host, '@') < 0 && view_find_char(host, '.') != 0 && !has_blank(value);
}

static bool is_phone(struct view value)
{
    bool digit = false;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        digit |= c >= '0' && c <= '9';
        if (!strchr("0123456789+-()./#*,;xX ", c) || !c) {
            return false;
        }
    }
    return digit;
}

// With a scheme or without one, as people write them.
static bool is_url(struct view value)
{
    ptrdiff_t scheme = view_find(value, VIEW("://"));
    struct view rest = scheme > 0 ? view_from(value, (size_t)scheme + 3) : value;
    return !has_blank(value) && rest.len > 0 && scheme != 0 && (scheme > 0 || view_find_char(value, '.') > 0);
}

static bool is_boolean(struct view value)
{
    return view_eq_nocase(value, VIEW("true")) || view_eq_nocase(value, VIEW("false"));
}

static const struct {
    const char *name;
    bool (*fits)(struct view value);
} types[] = {
    {"text", is_any},      {"textarea", is_any},    {"integer", is_integer},  {"long", is_long},        {"decimal", is_decimal},
    {"float", is_decimal}, {"percent", is_decimal}, {"currency", is_decimal}, {"date", is_date},        {"datetime", is_datetime},
    {"email", is_email},   {"phone", is_phone},     {"url", is_url},          {"checkbox", is_boolean}, {"boolean", is_boolean},
};

bool ext_type_known(struct view type)
{
    for (size_t i = 0; i < BASE_COUNT(types); i++) {
        if (view_eq_nocase(type, view_of(types[i].name))) {
            return true;
        }
    }
    return false;
}

bool ext_type_fits(struct view type, struct view value)
{
    struct view trimmed = view_trim(value);
    for (size_t i = 0; i < BASE_COUNT(types) && trimmed.len; i++) {
        if (view_eq_nocase(type, view_of(types[i].name))) {
            return types[i].fits(trimmed);
        }
    }
    return true; // an older version's type is text
}

void ext_type_names(struct buffer *out)
{
    for (size_t i = 0; i < BASE_COUNT(types); i++) {
        buffer_printf(out, "%s%s", i ? ", " : "", types[i].name);
    }
}
