// SPDX-License-Identifier: Apache-2.0
//
// == < <= > >= in, and what counts as true (spec/deluge-language.md §4.4, §4.5). Values come from JSON, so a number often meets its text:
// they compare by value when the text is a number, a date meets date-shaped text the same way. null equals null alone, and has no order.
//
// The hard thing is exactness: 19-digit record ids must not be compared as doubles, and texts sort by UTF-16 code unit as in Java although
// they are kept as UTF-8, where characters beyond U+FFFF stand elsewhere.

#include "lang/operate.h"

#include <math.h>

static bool is_number(struct value v)
{
    return v.type == VALUE_NUMBER || v.type == VALUE_DECIMAL;
}

static bool is_date(struct value v)
{
    return v.type == VALUE_DATE || v.type == VALUE_DATETIME;
}

// ---- numbers and texts --------------------------------------------------------------------------

enum { UNORDERED = 2 }; // NaN is in no order with anything

// Not a - b: that overflows.
static int compare_int64(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

// Exact, also where the integer has more digits than a double keeps.
static int compare_mixed(int64_t a, double b)
{
    if (isnan(b)) {
        return UNORDERED;
    }
    if (b >= 0x1p63) {
        return -1;
    }
    if (b < -0x1p63) {
        return 1;
    }
    double whole = trunc(b);
    int order = compare_int64(a, (int64_t)whole);
    if (order != 0) {
        return order;
    }
    return b > whole ? -1 : b < whole;
}

// Only two doubles are compared as doubles.
static int compare_numbers(struct value a, struct value b)
{
    if (a.type == VALUE_NUMBER && b.type == VALUE_NUMBER) {
        return compare_int64(a.number, b.number);
    }
    if (a.type == VALUE_NUMBER) {
        return compare_mixed(a.number, b.decimal);
    }
    if (b.type == VALUE_NUMBER) {
        int order = compare_mixed(b.number, a.decimal);
        return order == UNORDERED ? UNORDERED : -order;
    }
    if (isnan(a.decimal) || isnan(b.decimal)) {
        return UNORDERED;
    }
    return a.decimal < b.decimal ? -1 : a.decimal > b.decimal;
}

// The first byte that differs decides, because UTF-8 sorts by code point; but Java sorts by UTF-16 unit.
int compare_texts(struct view left, struct view right)
{
    size_t common = left.len < right.len ? left.len : right.len;
    size_t at = 0;
    while (at < common && left.data[at] == right.data[at]) {
        at++;
    }
    if (at == common) {
        return left.len < right.len ? -1 : left.len > right.len;
    }
    unsigned char a = (unsigned char)left.data[at], b = (unsigned char)right.data[at];
    // UTF-16 writes what lies beyond U+FFFF (lead bytes from F0) with surrogates, which sort before U+E000–U+FFFF (lead bytes EE and EF).
    if (a >= 0xEE && b >= 0xEE && (a >= 0xF0) != (b >= 0xF0)) {
        return a >= 0xF0 ? -1 : 1;
    }
    return a < b ? -1 : 1;
}

// The instant of a date, or of text that is written like one (§4.4).
static bool read_date(struct value v, const struct zone *zone, int64_t *ret_millis)
{
    if (is_date(v)) {
        *ret_millis = v.millis;
        return true;
    }
    bool has_time;
    return v.type == VALUE_TEXT && calendar_read(value_view(v), zone, ret_millis, &has_time);
}

// ---- equality -----------------------------------------------------------------------------------

// Text against another type: by value where the text reads as one, else different. Never an error: scripts compare replies with anything.
static bool equal_text_to(struct value text, struct value other, const struct zone *zone)
{
    if (is_number(other)) {
        struct value number;
        return operate_number(text, &number) && compare_numbers(number, other) == 0;
    }
    if (other.type == VALUE_BOOL) { // `flag == "true"` on a boolean from JSON
        return view_eq(value_view(text), other.boolean ? VIEW("true") : VIEW("false"));
    }
    int64_t a, b;
    return is_date(other) && read_date(text, zone, &a) && read_date(other, zone, &b) && a == b;
}

// null equals nothing but null: not "", not 0 (§4.4).
bool compare_equal(struct value left, struct value right, const struct zone *zone)
{
    left = value_resolve(left);
    right = value_resolve(right);
    if (is_number(left) && is_number(right)) {
        return compare_numbers(left, right) == 0;
    }
    if (left.type == VALUE_TEXT && right.type == VALUE_TEXT) {
        return view_eq(value_view(left), value_view(right));
    }
    if (left.type == VALUE_TEXT) {
        return equal_text_to(left, right, zone);
    }
    if (right.type == VALUE_TEXT) {
        return equal_text_to(right, left, zone);
    }
    if (is_date(left) && is_date(right)) {
        return left.millis == right.millis;
    }
    return value_equal(left, right);
}

// ---- order --------------------------------------------------------------------------------------

static const char *const order_texts[] = {
    [COMPARE_LESS] = "<", [COMPARE_LESS_EQUAL] = "<=", [COMPARE_GREATER] = ">", [COMPARE_GREATER_EQUAL] = ">="};

// NaN is neither less nor greater nor equal, so no order holds for it.
static bool order_holds(enum compare_order order, int sign)
{
    if (sign == UNORDERED) {
        return false;
    }
    switch (order) {
    case COMPARE_LESS:
        return sign < 0;
    case COMPARE_LESS_EQUAL:
        return sign <= 0;
    case COMPARE_GREATER:
        return sign > 0;
    default:
        return sign >= 0;
    }
}

// Two texts are compared as texts even if both are numbers: "10" < "9". One number makes it a comparison of numbers.
bool compare_order(enum compare_order order, struct value left, struct value right, const struct zone *zone, bool *ret_holds,
                   struct fail *fail)
{
    struct value a, b;
    int64_t from, to;
    if (left.type == VALUE_NULL || right.type == VALUE_NULL) {
        return fail_set(fail, FAIL_SCRIPT, "Null value occurred while performing %s operation", order_texts[order]);
    }
    if (left.type == VALUE_TEXT && right.type == VALUE_TEXT) {
        *ret_holds = order_holds(order, compare_texts(value_view(left), value_view(right)));
        return true;
    }
    if ((is_number(left) || is_number(right)) && operate_number(left, &a) && operate_number(right, &b)) {
        *ret_holds = order_holds(order, compare_numbers(a, b));
        return true;
    }
    if (is_date(left) || is_date(right)) {
        if (read_date(left, zone, &from) && read_date(right, zone, &to)) {
            *ret_holds = order_holds(order, compare_int64(from, to));
            return true;
        }
        if (left.type == VALUE_TEXT || right.type == VALUE_TEXT) {
            return fail_set(fail, FAIL_SCRIPT, "UnParsable date");
        }
    }
    if (left.type == VALUE_TIME && right.type == VALUE_TIME) {
        *ret_holds = order_holds(order, compare_int64(left.millis, right.millis));
        return true;
    }
    return fail_set(fail, FAIL_SCRIPT, "An error occurred while performing this action: %s and %s have no order for %s",
                    value_type_name(left), value_type_name(right), order_texts[order]);
}

// ---- in, conditions -----------------------------------------------------------------------------

// `x in list`: == with any element; in a map: is it a key; in a text: is it one of the elements that for each would see (§4.5).
bool compare_in(struct heap *heap, struct value item, struct value list, bool *ret_found, struct fail *fail)
{
    list = value_resolve(list);
    struct map *map = value_as_map(list);
    if (map != NULL) {
        map_get(map, item, ret_found);
        return true;
    }
    if (list.type == VALUE_TEXT) {
        list = operate_text_list(heap, list);
    }
    struct list *items = value_as_list(list);
    if (items == NULL && list.type != VALUE_NULL && list.type != VALUE_FRESH && list.type != VALUE_COLLECTION) {
        return fail_set(fail, FAIL_SCRIPT, "'%s' can not be cast to 'LIST'", value_type_name(list));
    }
    *ret_found = false;
    for (uint32_t i = 0; items != NULL && i < items->count; i++) {
        if (compare_equal(item, items->items[i], heap->zone)) {
            *ret_found = true;
            break;
        }
    }
    return true;
}

// Only booleans are documented. null is no error because conditions on absent keys are everywhere; numbers and other text are mistakes.
bool compare_truth(struct value v, bool *ret_true, struct fail *fail)
{
    if (v.type == VALUE_BOOL) {
        *ret_true = v.boolean;
        return true;
    }
    if (v.type == VALUE_NULL) {
        *ret_true = false;
        return true;
    }
    if (v.type == VALUE_TEXT) {
        bool yes = view_eq_nocase(value_view(v), VIEW("true"));
        if (yes || view_eq_nocase(value_view(v), VIEW("false"))) {
            *ret_true = yes;
            return true;
        }
    }
    return fail_set(fail, FAIL_SCRIPT, "Mismatch of data type expression. Expected BOOLEAN but found %s", operate_type_name(v));
}
