// SPDX-License-Identifier: Apache-2.0
//
// What works on any value: the three emptiness tests, the type tests, equals and ifNull. Zoho's own comparison page of isNull, isBlank and
// isEmpty disagrees with what the names promise, so the answers stand in one table, to be corrected in one place (spec/deluge-builtins.md
// §0.1, column CRM).
#include "lib/inside.h"

// ---- isNull, isBlank, isEmpty -------------------------------------------------------------------

enum emptiness { EMPTY_NULL, EMPTY_TEXT, EMPTY_BLANKS, EMPTY_LIST, EMPTY_MAP, EMPTY_NOT };

static const struct {
    bool null, blank, empty;
} emptiness_table[] = {
    [EMPTY_NULL] = {.null = true, .blank = false, .empty = true}, // Zoho's isEmpty cell says null: answers true (PRODUCT)
    [EMPTY_TEXT] = {.null = true, .blank = true, .empty = true}, // the same
    [EMPTY_BLANKS] = {.null = false, .blank = true, .empty = true}, [EMPTY_LIST] = {.null = false, .blank = true, .empty = true},
    [EMPTY_MAP] = {.null = false, .blank = true, .empty = true}, // not in Zoho's matrix; as the empty list. GUESS
    [EMPTY_NOT] = {.null = false, .blank = false, .empty = false},
};

// The row of the matrix that a value falls in; collections count as what they hold.
static enum emptiness emptiness(struct value v)
{
    v = value_resolve(v);
    if (v.type == VALUE_COLLECTION) {
        v = value_resolve(v.collection->inner);
    }
    switch (v.type) {
    case VALUE_NULL:
        return EMPTY_NULL;
    case VALUE_FRESH:
        return EMPTY_LIST;
    case VALUE_LIST:
        return v.list->count == 0 ? EMPTY_LIST : EMPTY_NOT;
    case VALUE_MAP:
        return v.map->count == 0 ? EMPTY_MAP : EMPTY_NOT;
    case VALUE_TEXT:
        break;
    default:
        return EMPTY_NOT;
    }
    if (v.len == 0) {
        return EMPTY_TEXT;
    }
    return view_trim(value_view(v)).len == 0 ? EMPTY_BLANKS : EMPTY_NOT;
}

static bool common_is_null(struct native_call *call)
{
    return lib_return_bool(call, emptiness_table[emptiness(call->args[0])].null);
}

static bool common_is_blank(struct native_call *call)
{
    return lib_return_bool(call, emptiness_table[emptiness(call->args[0])].blank);
}

static bool common_is_empty(struct native_call *call)
{
    return lib_return_bool(call, emptiness_table[emptiness(call->args[0])].empty);
}

// Only null takes the other value, an empty text does not.
static bool common_if_null(struct native_call *call)
{
    return lib_return(call, call->args[0].type == VALUE_NULL ? call->args[1] : call->args[0]);
}

// ---- equals -------------------------------------------------------------------------------------

static bool common_equals(struct native_call *call)
{
    struct value a = call->args[0], b = call->args[1];
    if (value_equal(a, b)) {
        return lib_return_bool(call, true);
    }
    // Dates are equal by value, whatever their notation: '01/01/2017'.equals('01-Jan-2017') (spec/deluge-builtins.md §1).
    bool dated = a.type == VALUE_DATE || a.type == VALUE_DATETIME || b.type == VALUE_DATE || b.type == VALUE_DATETIME;
    bool texts = a.type == VALUE_TEXT && b.type == VALUE_TEXT;
    if (!dated && !texts) {
        return lib_return_bool(call, false);
    }
    enum { DATE_TEXT_MAX = 64 };
    int64_t millis[2];
    for (int i = 0; i < 2; i++) {
        struct value v = call->args[i];
        bool has_time;
        if (v.type == VALUE_DATE || v.type == VALUE_DATETIME) {
            millis[i] = v.millis;
        } else if (v.type != VALUE_TEXT || v.len > DATE_TEXT_MAX ||
                   !calendar_read(value_view(v), call->heap->zone, &millis[i], &has_time)) {
            return lib_return_bool(call, false);
        }
    }
    return lib_return_bool(call, millis[0] == millis[1]);
}

// ---- type tests ---------------------------------------------------------------------------------

// Zoho's type tests answer null, not false, for these.
static bool is_container(struct value v)
{
    return v.type == VALUE_LIST || v.type == VALUE_MAP || v.type == VALUE_COLLECTION || v.type == VALUE_FRESH;
}

static bool common_is_number(struct native_call *call)
{
    struct value v = call->args[0], number;
    if (is_container(v)) {
        return lib_return(call, value_null());
    }
    bool is = v.type == VALUE_NUMBER || v.type == VALUE_DECIMAL || (v.type == VALUE_TEXT && lib_number_text(value_view(v), &number));
    return lib_return_bool(call, is);
}

// Numeric text and text that holds a date are not text to Zoho; list, map and boolean give null.
static bool common_is_text(struct native_call *call)
{
    struct value v = call->args[0], number;
    if (is_container(v) || v.type == VALUE_BOOL || v.type == VALUE_NULL) {
        return lib_return(call, value_null());
    }
    if (v.type != VALUE_TEXT) {
        return lib_return_bool(call, false);
    }
    int64_t millis;
    bool has_time;
    bool is = !lib_number_text(value_view(v), &number) && !calendar_read(value_view(v), call->heap->zone, &millis, &has_time);
    return lib_return_bool(call, is);
}

// Text that is no date is a run-time error, as documented.
static bool common_is_date(struct native_call *call)
{
    struct value v = call->args[0];
    struct lib_date date;
    if (is_container(v)) {
        return lib_return(call, value_null());
    }
    if (v.type == VALUE_TEXT) {
        return lib_date(call, 0, &date) && lib_return_bool(call, true);
    }
    return lib_return_bool(call, v.type == VALUE_DATE || v.type == VALUE_DATETIME);
}

static bool common_is_file(struct native_call *call)
{
    return lib_return_bool(call, call->args[0].type == VALUE_FILE);
}

static bool common_is_valid_object(struct native_call *call)
{
    enum emptiness e = emptiness(call->args[0]);
    return lib_return_bool(call, e == EMPTY_NOT || e == EMPTY_BLANKS);
}

// ---- the table ----------------------------------------------------------------------------------

static const struct native rows[] = {
    {"isNull", NATIVE_ANY, 1, 1, 0, 1, common_is_null, "isNull(value) → BOOLEAN", "Is it null or an empty text?",
     "info isNull(\"\"); => true", "SURE builtins §0.1"},
    {"isBlank", NATIVE_ANY, 1, 1, 0, 1, common_is_blank, "isBlank(value) → BOOLEAN",
     "Is it an empty text, blanks alone, or an empty list? Null is not, as in Zoho CRM.",
     "info isBlank(\" \");\ninfo isBlank(null); => true\nfalse", "SURE builtins §0.1"},
    {"isEmpty", NATIVE_ANY, 1, 1, 0, 1, common_is_empty, "value.isEmpty() → BOOLEAN",
     "Is it null, a text without more than blanks, or without elements?", "info {\"a\"}.isEmpty();\ninfo \" \".isEmpty(); => false\ntrue",
     "SURE builtins §0.1; null cells answer true"},
    {"ifNull", NATIVE_ANY, 2, 2, 0, 1, common_if_null, "ifNull(value, otherwise) → any",
     "The value, or `otherwise` if the value is null (not if it is empty text).", "info ifNull(null,\"d\"); => d", "SURE builtins §1"},
    {"equals", NATIVE_ANY, 2, 2, 0, 2, common_equals, "a.equals(b) → BOOLEAN",
     "Have both the same type and value? Dates are compared whatever their notation.",
     "info \"Zoho\".equals(\"zoho\");\ninfo '01/01/2017'.equals('01-Jan-2017'); => false\ntrue", "SURE builtins §1"},
    {"isNumber", NATIVE_ANY, 1, 1, 0, 1, common_is_number, "isNumber(value) → BOOLEAN",
     "Is it a number, or a text that is one? Null for lists and maps.",
     "info isNumber(\"12.3\");\ninfo \"24/2*10\".isNumber(); => true\nfalse", "SURE builtins §1"},
    {"isText", NATIVE_ANY, 1, 1, 0, 2, common_is_text, "isText(value) → BOOLEAN",
     "Is it a text that is neither a number nor a date? Null for lists, maps and booleans.",
     "info isText(\"Hello\");\ninfo isText(\"123\"); => true\nfalse", "SURE builtins §1"},
    {"isDate", NATIVE_ANY, 1, 1, 0, 2, common_is_date, "isDate(value) → BOOLEAN",
     "Is it a date, or a text that holds one? Any other text is an error.",
     "info isDate(\"01-Jan-2019\");\ninfo isDate(100); => true\nfalse", "SURE builtins §1"},
    {"isFile", NATIVE_ANY, 1, 1, 0, 1, common_is_file, "isFile(value) → BOOLEAN", "Is it a file?",
     "info isFile(\"a\".toFile(\"a.txt\")); => true", "SURE builtins §1"},
    {"isValidObject", NATIVE_ANY, 1, 1, 0, 1, common_is_valid_object, "value.isValidObject() → BOOLEAN", "Is it neither null nor empty?",
     "info \"Zoho\".isValidObject();\ninfo ''.isValidObject(); => true\nfalse", "SURE builtins §1"},
};

const struct lib_table lib_common_table = LIB_TABLE(rows);
