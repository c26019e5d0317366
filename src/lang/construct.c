// SPDX-License-Identifier: Apache-2.0
//
// Lists, maps and dates that the script spells out: {1, 2}, {"k": v}, List:Int(…), '01-Jan-2024'. Literals are made anew each time they are
// executed, since a script may change what it got.

#include "lang/vm.h"

// Elements are resolved now: a {} that has become a map is put in as that map, one that is still nothing stays shared.
bool construct_list(struct heap *heap, const struct value *items, uint32_t count, struct value *ret_value)
{
    struct value list = value_list(heap, count);
    if (list.type != VALUE_LIST) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!list_add(heap, list.list, value_resolve(items[i]))) {
            return false;
        }
    }
    *ret_value = list;
    return true;
}

// A key that is there already keeps its place and gets the newer value.
bool construct_map_put(struct heap *heap, struct value map, const struct value *pairs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!map_put(heap, map.map, value_resolve(pairs[2 * i]), value_resolve(pairs[2 * i + 1]))) {
            return false;
        }
    }
    return true;
}

// Typed lists coerce their elements (spec/deluge-builtins.md §5.0); dates in lists of numbers are their milliseconds.
static bool coerce(struct heap *heap, struct value v, enum value_type type, struct value *ret_value, struct fail *fail)
{
    static const enum convert converts[VALUE_TYPES] = {
        [VALUE_TEXT] = CONVERT_TEXT, [VALUE_NUMBER] = CONVERT_NUMBER, [VALUE_DECIMAL] = CONVERT_DECIMAL, [VALUE_BOOL] = CONVERT_BOOL,
        [VALUE_LIST] = CONVERT_LIST, [VALUE_MAP] = CONVERT_MAP,       [VALUE_DATE] = CONVERT_DATE,       [VALUE_DATETIME] = CONVERT_DATE,
    };
    bool numeric = type == VALUE_NUMBER || type == VALUE_DECIMAL;
    if (numeric && (v.type == VALUE_DATE || v.type == VALUE_DATETIME)) {
        v = value_number(v.millis);
    }
    if (v.type == VALUE_NULL) {
        *ret_value = v;
        return true;
    }
    return convert_value(heap, v, converts[type], ret_value, fail);
}

// List(x) with one list copies it (a new list, not a list in a list); else the arguments are the elements.
bool construct_typed(struct heap *heap, struct value list, enum value_type item_type, struct value *ret_value, struct fail *fail)
{
    struct value made = list;
    struct list *inner = list.list->count == 1 ? value_as_list(list.list->items[0]) : NULL;
    bool of_fresh = list.list->count == 1 && list.list->items[0].type == VALUE_FRESH;
    if (of_fresh) {
        list.list->count = 0; // List({})
    }
    if (inner != NULL && !construct_list(heap, inner->items, inner->count, &made)) {
        return fail_set(fail, FAIL_LIMIT, "the memory limit of %zu bytes was reached", heap->bytes_max);
    }
    made.list->item_type = (uint8_t)item_type;
    for (uint32_t i = 0; item_type != VALUE_NULL && i < made.list->count; i++) {
        if (!coerce(heap, made.list->items[i], item_type, &made.list->items[i], fail)) {
            return false;
        }
    }
    *ret_value = made;
    return true;
}

// The zone is the run's, so that a literal is read when it is executed, not when it is compiled.
bool construct_date(struct heap *heap, struct value text, struct value *ret_value)
{
    int64_t millis;
    bool has_time;
    if (calendar_read(value_view(text), heap->zone, &millis, &has_time)) {
        *ret_value = has_time ? value_datetime(millis) : value_date(millis);
    } else {
        *ret_value = text; // '45-Foo-2024' only looks like a date
    }
    return true;
}
