// SPDX-License-Identifier: Apache-2.0
//
// Lists: adding, taking, finding and removing elements. Lists are references and the mutating natives change them in place; an empty {}
// becomes a list here with its first element. Typed lists (List:Int()) convert what is added. A number given to remove is an index,
// anything else a value.
#include "lib/inside.h"

bool lib_list_at(struct native_call *call, struct list *list, int index_argument, uint32_t *ret_index)
{
    int64_t index;
    if (!arg_number(call, index_argument, &index)) {
        return false;
    }
    if (index < 0 || index >= list->count) {
        return native_fail(call, "Given index %lld is greater than the list size", (long long)index); // spec/deluge-builtins.md §12
    }
    *ret_index = (uint32_t)index;
    return true;
}

// The declared types of List:…() in lang_convert's words.
static struct view item_type_word(uint8_t type)
{
    switch (type) {
    case VALUE_TEXT:
        return VIEW("string");
    case VALUE_NUMBER:
        return VIEW("long");
    case VALUE_DECIMAL:
        return VIEW("float");
    case VALUE_BOOL:
        return VIEW("bool");
    case VALUE_DATE:
    case VALUE_DATETIME:
        return VIEW("date");
    default:
        return VIEW("");
    }
}

static bool coerce_item(struct native_call *call, const struct list *list, struct value *item)
{
    if (BASE_LIKELY(list->item_type == 0) || list->item_type == item->type || item->type == VALUE_NULL) {
        return true;
    }
    if (list->item_type == VALUE_DECIMAL && (item->type == VALUE_DATE || item->type == VALUE_DATETIME)) {
        *item = value_decimal((double)item->millis); // documented: a date in a float list is its milliseconds
        return true;
    }
    struct view word = item_type_word(list->item_type);
    return word.len == 0 || lang_convert(call->heap, *item, word, item, call->fail);
}

// Everything that adds to a list goes through here, so that typed lists stay typed.
static bool add_item(struct native_call *call, struct list *list, struct value item)
{
    return coerce_item(call, list, &item) && lib_push(call, list, item);
}

static bool list_native_add(struct native_call *call)
{
    struct list *list;
    return lib_list_target(call, &list) && add_item(call, list, call->args[1]);
}

static bool list_native_add_all(struct native_call *call)
{
    struct list *list, *more;
    if (!lib_list(call, 1, &more) || !lib_list_target(call, &list)) {
        return false;
    }
    uint32_t count = more->count; // a list may be added to itself
    if (count > LIB_ADD_ALL_MAX) {
        return native_fail(call, "addAll takes at most %d elements", LIB_ADD_ALL_MAX);
    }
    lib_cost_elements(call, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!add_item(call, list, more->items[i])) {
            return false;
        }
    }
    return true;
}

static bool list_native_get(struct native_call *call)
{
    struct list *list;
    uint32_t index = 0;
    return lib_list(call, 0, &list) && lib_list_at(call, list, 1, &index) && lib_return(call, list->items[index]);
}

static bool list_native_size(struct native_call *call)
{
    struct list *list;
    return lib_list(call, 0, &list) && lib_return_number(call, list->count);
}

static bool list_native_clear(struct native_call *call)
{
    struct list *list;
    if (!lib_list(call, 0, &list)) {
        return false;
    }
    list->count = 0;
    return true;
}

// ---- finding ------------------------------------------------------------------------------------

// Type-sensitive, except that 1 equals 1.0 (spec/deluge-builtins.md §5).
static bool find_item(struct native_call *call, const struct list *list, struct value item, int64_t *ret_index)
{
    *ret_index = -1;
    for (uint32_t i = 0; i < list->count; i++) {
        if (lib_interrupted(call)) {
            return false;
        }
        if (value_equal(list->items[i], item)) {
            *ret_index = i;
            break;
        }
    }
    lib_cost_elements(call, *ret_index < 0 ? list->count : (size_t)*ret_index);
    return true;
}

static bool find_argument(struct native_call *call, int64_t *ret_index)
{
    struct list *list;
    return lib_list(call, 0, &list) && find_item(call, list, call->args[1], ret_index);
}

static bool list_native_contains(struct native_call *call)
{
    int64_t index;
    return find_argument(call, &index) && lib_return_bool(call, index >= 0);
}

static bool list_native_not_contains(struct native_call *call)
{
    int64_t index;
    return find_argument(call, &index) && lib_return_bool(call, index < 0);
}

static bool list_native_index(struct native_call *call)
{
    int64_t index;
    return find_argument(call, &index) && lib_return_number(call, index);
}

static bool list_native_last_index(struct native_call *call)
{
    struct list *list;
    if (!lib_list(call, 0, &list)) {
        return false;
    }
    lib_cost_elements(call, list->count);
    for (uint32_t i = list->count; i-- > 0;) {
        if (lib_interrupted(call)) {
            return false;
        }
        if (value_equal(list->items[i], call->args[1])) {
            return lib_return_number(call, i);
        }
    }
    return lib_return_number(call, -1);
}

// ---- removing -----------------------------------------------------------------------------------

// Takes out the first equal element and returns it; an absent one is no error (LIKELY, spec/deluge-builtins.md §5).
static bool remove_value(struct native_call *call, struct list *list, struct value item)
{
    int64_t index;
    if (!find_item(call, list, item, &index)) {
        return false;
    }
    if (index >= 0) {
        *call->ret = list->items[index];
        list_remove(list, (uint32_t)index);
        lib_cost_elements(call, list->count - (size_t)index);
    }
    return true;
}

static bool list_native_remove(struct native_call *call)
{
    struct list *list;
    uint32_t index = 0;
    if (!lib_list(call, 0, &list)) {
        return false;
    }
    if (call->args[1].type != VALUE_NUMBER) {
        return remove_value(call, list, call->args[1]);
    }
    if (!lib_list_at(call, list, 1, &index)) {
        return false;
    }
    *call->ret = list->items[index];
    list_remove(list, index);
    lib_cost_elements(call, list->count - index);
    return true;
}

// removeElement documents no result, unlike remove.
static bool list_native_remove_element(struct native_call *call)
{
    struct list *list;
    if (!lib_list(call, 0, &list) || !remove_value(call, list, call->args[1])) {
        return false;
    }
    return lib_return(call, value_null());
}

// One set of what goes, one pass over what stays: the lists may hold tens of thousands of elements.
static bool list_native_remove_all(struct native_call *call)
{
    struct list *list, *gone;
    if (!lib_list(call, 0, &list) || !lib_list(call, 1, &gone)) {
        return false;
    }
    struct value set = value_map(call->heap, gone->count);
    if (set.type != VALUE_MAP) {
        return lib_memory_fail(call);
    }
    bool is_new;
    for (uint32_t i = 0; i < gone->count; i++) {
        if (lib_interrupted(call) || !lib_set_add(call, set.map, gone->items[i], &is_new)) {
            return false;
        }
    }
    uint32_t kept = 0, count = list->count;
    for (uint32_t i = 0; i < count; i++) {
        bool found;
        map_get(set.map, list->items[i], &found);
        if (!found) {
            list->items[kept++] = list->items[i];
        }
    }
    list->count = kept;
    lib_cost_elements(call, (size_t)count + gone->count);
    return true;
}

// ---- the table ----------------------------------------------------------------------------------

static const struct native rows[] = {
    {"add", LIB_LIST, 2, 2, NATIVE_FRESH_ARGS | NATIVE_PLAIN, 1, list_native_add, "list.add(any element)",
     "Puts the element at the end; a list is added as one element.", "l = {1};\nl.add({2,3});\ninfo l.size(); => 2", "SURE builtins §5"},
    {"addAll", LIB_LIST, 2, 2, NATIVE_FRESH_ARGS, 2, list_native_add_all, "list.addAll(LIST more)",
     "Puts all elements of another list at the end.", "l = {1};\nl.addAll({2,3});\ninfo l; => 1,2,3", "SURE builtins §5"},
    {"get", NATIVE_LIST, 2, 2, NATIVE_PLAIN, 1, list_native_get, "list.get(NUMBER index) → any",
     "The element at an index, from 0; an index beyond the end is an error.", "info {\"Creator\",\"CRM\"}.get(1); => CRM",
     "SURE builtins §5"},
    {"size", NATIVE_LIST, 1, 1, 0, 1, list_native_size, "list.size() → NUMBER", "How many elements it has.",
     "info {1,2,{3,4}}.size(); => 3", "SURE builtins §5"},
    {"clear", NATIVE_LIST, 1, 1, 0, 1, list_native_clear, "list.clear()", "Removes all elements.",
     "l = {1,2};\nl.clear();\ninfo l.size(); => 0", "SURE builtins §5"},
    {"contains", NATIVE_LIST, 2, 2, 0, 2, list_native_contains, "list.contains(any element) → BOOLEAN",
     "Has it an equal element? Types must agree.", "info {\"1\",2}.contains(1); => false", "SURE builtins §5"},
    {"notContains", NATIVE_LIST, 2, 2, 0, 2, list_native_not_contains, "list.notContains(any element) → BOOLEAN",
     "The opposite of contains.", "info {1,2}.notContains(3); => true", "SURE builtins §5"},
    {"indexOf", NATIVE_LIST, 2, 2, 0, 2, list_native_index, "list.indexOf(any element) → NUMBER",
     "The first index of an equal element, -1 if there is none.", "info {\"Creator\",\"CRM\",\"Projects\"}.indexOf(\"CRM\"); => 1",
     "SURE builtins §5"},
    {"lastIndexOf", NATIVE_LIST, 2, 2, 0, 2, list_native_last_index, "list.lastIndexOf(any element) → NUMBER",
     "The last index of an equal element, -1 if there is none.", "info {1,2,1}.lastIndexOf(1); => 2", "SURE builtins §5"},
    {"remove", NATIVE_LIST, 2, 2, 0, 2, list_native_remove, "list.remove(NUMBER index) → any",
     "Takes out the element at an index and returns it. An argument that is no number names the element itself; if absent nothing happens.",
     "l = {\"Creator\",\"CRM\",\"Projects\"};\ninfo l.remove(1);\nl.remove(\"Creator\");\ninfo l; => CRM\nProjects",
     "SURE builtins §5; by value LIKELY"},
    {"removeElement", NATIVE_LIST, 2, 2, 0, 2, list_native_remove_element, "list.removeElement(any element)",
     "Takes out the first equal element, if there is one.", "l = {1,2,1};\nl.removeElement(1);\ninfo l; => 2,1", "SURE builtins §5"},
    {"removeAll", NATIVE_LIST, 2, 2, 0, 3, list_native_remove_all, "list.removeAll(LIST elements)",
     "Takes out every element that the other list has.", "l = {1,2,3,2};\nl.removeAll({2});\ninfo l; => 1,3", "SURE builtins §5"},
};

const struct lib_table lib_list_table = LIB_TABLE(rows);
