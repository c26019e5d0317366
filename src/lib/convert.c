// SPDX-License-Identifier: Apache-2.0
//
// From any type to text and to numbers: toString and toText (with their date patterns, zones and list separators), toLong and its alias
// toNumber, toDecimal. Ids of 19 digits pass through toLong exactly; a decimal is cut toward zero.
#include "lib/inside.h"

#include <math.h>

// ---- to text ------------------------------------------------------------------------------------

// The same text as `info` prints.
static bool print_plain(struct native_call *call)
{
    struct value v = call->args[0];
    if (v.type == VALUE_TEXT) {
        return lib_return(call, v);
    }
    struct value text = value_to_text(call->heap, v, call->fail);
    if (text.type != VALUE_TEXT) {
        return call->heap->failed ? lib_memory_fail(call) : false;
    }
    lib_cost_bytes(call, text.len);
    return lib_return(call, text);
}

// Elements between separators; inner lists stand as JSON, as they do when a list is printed.
static bool join_list(struct native_call *call, const struct list *list)
{
    struct view separator;
    if (!arg_text(call, 1, &separator)) {
        return false;
    }
    struct buffer out;
    lib_buffer(call, &out);
    bool ok = true;
    for (uint32_t i = 0; ok && i < list->count; i++) {
        if (i > 0) {
            buffer_add(&out, separator);
        }
        struct value item = list->items[i];
        bool inner = value_as_list(item) != NULL;
        ok = !lib_interrupted(call) &&
             (inner ? json_write(&out, item, call->heap->zone, call->fail) : value_print(&out, item, call->heap->zone, call->fail));
        if (out.failed) {
            break;
        }
    }
    lib_cost_elements(call, list->count);
    if (!ok && !out.failed) {
        buffer_free(&out);
        return false;
    }
    return lib_buffer_return(call, &out);
}

// The instant that toString(pattern) prints: a date, milliseconds, or text that holds a date.
static bool formatted_instant(struct native_call *call, int64_t *ret_millis)
{
    struct value v = call->args[0];
    if (v.type == VALUE_NUMBER) {
        *ret_millis = v.number;
        return true;
    }
    if (v.type == VALUE_DECIMAL) {
        return arg_number(call, 0, ret_millis);
    }
    struct lib_date date;
    if (!lib_date(call, 0, &date)) {
        return false;
    }
    *ret_millis = date.millis;
    return true;
}

static bool print_date(struct native_call *call)
{
    int64_t millis;
    struct view pattern, name;
    if (!formatted_instant(call, &millis) || !arg_text(call, 1, &pattern)) {
        return false;
    }
    const struct zone *zone = call->heap->zone;
    if (call->count > 2) {
        if (!arg_text(call, 2, &name)) {
            return false;
        }
        zone = zone_find(name);
    }
    struct buffer out;
    lib_buffer(call, &out);
    calendar_format(&out, millis, zone, pattern);
    return lib_buffer_return(call, &out);
}

// What the second argument means depends on the receiver: separator for lists, pattern for dates and milliseconds.
static bool convert_to_string(struct native_call *call)
{
    struct value v = call->args[0];
    if (call->count == 1 || v.type == VALUE_BOOL || v.type == VALUE_FILE) {
        return print_plain(call);
    }
    struct list *list;
    if (value_as_list(v) != NULL || v.type == VALUE_FRESH) {
        return lib_list(call, 0, &list) && join_list(call, list);
    }
    if (v.type == VALUE_MAP || v.type == VALUE_COLLECTION) {
        return lib_return(call, value_null()); // map.toString(separator), spec/deluge-builtins.md §1
    }
    return print_date(call);
}

// Do all letters outside quotes mean something to Java's SimpleDateFormat?
static bool pattern_known(struct view pattern)
{
    bool quoted = false;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (c == '\'') {
            quoted = !quoted;
        } else if (!quoted && letter && strchr("GyYMLwWDdFEuaHkKhmsSzZX", c) == NULL) {
            return false;
        }
    }
    return true;
}

// As toString, but text that is no date stays as it is, and an unknown pattern letter gives null.
static bool convert_to_text(struct native_call *call)
{
    struct value v = call->args[0];
    struct view pattern;
    if (call->count > 1 && (v.type == VALUE_TEXT || v.type == VALUE_DATE || v.type == VALUE_DATETIME)) {
        int64_t millis;
        bool has_time;
        if (v.type == VALUE_TEXT && !calendar_read(value_view(v), call->heap->zone, &millis, &has_time)) {
            return lib_return(call, v);
        }
        if (!arg_text(call, 1, &pattern)) {
            return false;
        }
        if (!pattern_known(pattern)) {
            return lib_return(call, value_null());
        }
    }
    return convert_to_string(call);
}

// ---- to numbers ---------------------------------------------------------------------------------

bool lib_number_text(struct view text, struct value *ret_number)
{
    int64_t number;
    double decimal;
    text = view_trim(text);
    if (view_to_int64(text, &number)) {
        *ret_number = value_number(number);
        return true;
    }
    if (view_to_decimal(text, &decimal)) {
        *ret_number = value_decimal(decimal);
        return true;
    }
    return false;
}

static bool cast_fail(struct native_call *call, const char *type)
{
    return native_fail(call, "'%s' can not be cast to '[%s]'", value_type_name(call->args[0]), type); // spec/deluge-language.md §8.2
}

// Blanks around a number in text are forgiven (GUESS), anything else is Zoho's cast error.
static bool convert_to_long(struct native_call *call)
{
    struct value v = call->args[0];
    if (v.type == VALUE_TEXT && !lib_number_text(value_view(v), &v)) {
        return cast_fail(call, "BIGINT");
    }
    switch (v.type) {
    case VALUE_NUMBER:
        return lib_return(call, v);
    case VALUE_DECIMAL:
        if (!(v.decimal >= -0x1p63 && v.decimal < 0x1p63)) {
            return cast_fail(call, "BIGINT");
        }
        return lib_return_number(call, (int64_t)v.decimal);
    case VALUE_DATE:
    case VALUE_DATETIME:
    case VALUE_TIME:
        return lib_return_number(call, v.millis);
    default:
        return cast_fail(call, "BIGINT");
    }
}

static bool convert_to_decimal(struct native_call *call)
{
    struct value v = call->args[0];
    if (v.type == VALUE_TEXT && !lib_number_text(value_view(v), &v)) {
        return cast_fail(call, "DECIMAL");
    }
    switch (v.type) {
    case VALUE_NUMBER:
        return lib_return(call, value_decimal((double)v.number));
    case VALUE_DECIMAL:
        return lib_return(call, v);
    default:
        return cast_fail(call, "DECIMAL");
    }
}

// ---- the table ----------------------------------------------------------------------------------

enum { CONVERTED = NATIVE_ANY & ~NATIVE_TYPE(VALUE_NULL) };

static const struct native rows[] = {
    {"toString", CONVERTED, 1, 3, 0, 4, convert_to_string, "value.toString(TEXT pattern or separator?, TEXT zone?) → TEXT",
     "The printed form. A date, milliseconds or a text that holds a date takes a Java date pattern and a zone; a list takes a separator.",
     "info {1,2,3}.toString(\"-\");\ninfo '08-Jan-2019 10:15:30'.toString(\"yyyy-MM-dd'T'HH:mm\"); => 1-2-3\n2019-01-08T10:15",
     "SURE builtins §1"},
    {"toText", CONVERTED, 1, 3, 0, 4, convert_to_text, "value.toText(TEXT pattern?, TEXT zone?) → TEXT",
     "As toString, but text that is no date stays as it is, and a pattern with an unknown letter gives null.",
     "info 12.toText() + 3;\ninfo \"abc\".toText(\"yyyy\"); => 123\nabc", "SURE builtins §1"},
    {"toLong", CONVERTED, 1, 1, 0, 2, convert_to_long, "value.toLong() → NUMBER",
     "The number; decimals are cut toward zero, a date gives milliseconds since 1970. Text that is no number is an error.",
     "info \"4522002000000138720\".toLong();\ninfo 99.9.toLong(); => 4522002000000138720\n99",
     "SURE builtins §1; text with a fraction GUESS"},
    {"toNumber", CONVERTED, 1, 1, 0, 2, convert_to_long, "value.toNumber() → NUMBER", "The same as toLong.",
     "info \"100\".toNumber() + 1; => 101", "SURE builtins §1"},
    {"toDecimal", CONVERTED, 1, 1, 0, 2, convert_to_decimal, "value.toDecimal() → DECIMAL", "The number as a decimal.",
     "info \"10.50\".toDecimal(); => 10.5", "SURE builtins §1"},
};

const struct lib_table lib_convert_table = LIB_TABLE(rows);
