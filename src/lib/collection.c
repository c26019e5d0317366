// SPDX-License-Identifier: Apache-2.0
//
// Collections: Zoho's third container, which is either a list ("index-value") or a map ("key-value") and decides with its first element.
// Natives that treat both alike hand over to the inside by its type; a key of an index-value collection is an index
// (spec/deluge-builtins.md §7).
#include "lib/inside.h"

// What a collection holds now: exactly one of list and map is set.
struct inside {
    struct list *list;
    struct map *map;
};

static bool open_inside(struct native_call *call, int index, struct inside *ret_inside)
{
    struct value v = value_resolve(call->args[index]);
    ret_inside->map = value_as_map(v);
    ret_inside->list = NULL;
    return ret_inside->map != NULL || lib_list(call, index, &ret_inside->list);
}

// Results that are collections again.
static bool wrap(struct native_call *call, struct value inner)
{
    struct value v = value_collection(call->heap, inner);
    return v.type == VALUE_COLLECTION ? lib_return(call, v) : lib_memory_fail(call);
}

// The inside as a target to write to; an undecided one becomes what the first element asks for.
static bool open_target(struct native_call *call, bool as_map, struct inside *ret_inside)
{
    struct collection *collection = call->args[0].collection;
    struct value inner = value_resolve(collection->inner);
    if (inner.type == VALUE_FRESH || inner.type == VALUE_NULL) {
        inner = as_map ? value_map(call->heap, 0) : value_list(call->heap, 0);
        if (inner.type == VALUE_NULL) {
            return lib_memory_fail(call);
        }
        collection->inner = inner;
    }
    *ret_inside = (struct inside){value_as_list(inner), value_as_map(inner)};
    return true;
}

// ---- adding -------------------------------------------------------------------------------------

// Into a key-value collection; putting it into itself changes nothing.
static bool put_all(struct native_call *call, struct map *map, const struct map *more)
{
    uint32_t cursor = 0;
    lib_cost_elements(call, more->count);
    for (struct map_entry *entry; map != more && (entry = map_next(more, &cursor)) != NULL;) {
        if (!map_put(call->heap, map, entry->key, entry->value)) {
            return lib_memory_fail(call);
        }
    }
    return true;
}

static bool add_all(struct native_call *call, struct list *list, const struct list *more)
{
    uint32_t count = more->count;
    if (count > LIB_ADD_ALL_MAX) {
        return native_fail(call, "%s takes at most %d elements", call->native->name, LIB_ADD_ALL_MAX);
    }
    lib_cost_elements(call, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!lib_push(call, list, more->items[i])) {
            return false;
        }
    }
    return true;
}

// insert("k":v) arrives as one map, which an index-value collection takes as an element.
static bool collection_insert(struct native_call *call)
{
    struct inside inside;
    struct value first = call->args[1];
    bool pairs = call->count == 2 && first.type == VALUE_MAP;
    if (!open_target(call, pairs, &inside)) {
        return false;
    }
    if (inside.map != NULL) {
        return pairs ? put_all(call, inside.map, first.map)
                     : native_fail(call, "insert into a key-value collection needs a key and a value");
    }
    for (int i = 1; i < call->count; i++) {
        if (!lib_push(call, inside.list, call->args[i])) {
            return false;
        }
    }
    return true;
}

static bool collection_insert_all(struct native_call *call)
{
    struct inside inside, more;
    if (!open_inside(call, 1, &more) || !open_target(call, more.map != NULL, &inside)) {
        return false;
    }
    if (inside.map != NULL) {
        return more.map != NULL ? put_all(call, inside.map, more.map)
                                : native_fail(call, "insertAll into a key-value collection needs a map");
    }
    return more.list != NULL ? add_all(call, inside.list, more.list)
                             : native_fail(call, "insertAll into an index-value collection needs a list");
}

static bool collection_update(struct native_call *call)
{
    struct inside inside;
    uint32_t index = 0;
    if (!open_inside(call, 0, &inside)) {
        return false;
    }
    if (inside.map != NULL) {
        return map_put(call->heap, inside.map, call->args[1], call->args[2]) || lib_memory_fail(call);
    }
    if (!lib_list_at(call, inside.list, 1, &index)) {
        return false;
    }
    inside.list->items[index] = call->args[2];
    return true;
}

// ---- reading ------------------------------------------------------------------------------------

static bool collection_get(struct native_call *call)
{
    struct inside inside;
    struct value found = value_null();
    uint32_t index = 0;
    if (!open_inside(call, 0, &inside)) {
        return false;
    }
    if (inside.map != NULL) {
        lib_map_find(call, inside.map, call->args[1], &found);
        return lib_return(call, found);
    }
    return lib_list_at(call, inside.list, 1, &index) && lib_return(call, inside.list->items[index]);
}

// Works on comma-separated text too, as the documented example does.
static bool collection_get_as_text(struct native_call *call)
{
    struct inside inside;
    struct view text;
    uint32_t index = 0;
    if (call->args[0].type == VALUE_TEXT) { // "123,456,120".getAsString(2)
        struct view rest = value_view(call->args[0]);
        int64_t at;
        if (!arg_number(call, 1, &at)) {
            return false;
        }
        for (int64_t i = 0; i < at && rest.len > 0; i++) {
            view_cut(&rest, ',');
        }
        if (at < 0 || rest.len == 0) {
            return native_fail(call, "Given index %lld is greater than the list size", (long long)at);
        }
        return lib_return_text(call, view_cut(&rest, ','));
    }
    if (!open_inside(call, 0, &inside)) {
        return false;
    }
    if (inside.map != NULL) {
        return native_fail(call, "getAsString needs an index-value collection");
    }
    if (!lib_list_at(call, inside.list, 1, &index)) {
        return false;
    }
    struct value printed = value_to_text(call->heap, inside.list->items[index], call->fail);
    text = value_view_or(printed, VIEW_NONE);
    return printed.type == VALUE_TEXT ? lib_return_text(call, text) : (call->heap->failed ? lib_memory_fail(call) : false);
}

// The key, or index, of a value: null, or -1, if no element has it.
static bool find_key(struct native_call *call, bool last, struct value *ret_key)
{
    struct inside inside;
    if (!open_inside(call, 0, &inside)) {
        return false;
    }
    *ret_key = inside.map != NULL ? value_null() : value_number(-1);
    uint32_t cursor = 0, steps = 0, count = inside.map != NULL ? inside.map->count : inside.list->count;
    lib_cost_elements(call, count);
    for (bool found = false; steps < count && (last || !found); steps++) {
        struct map_entry *entry = inside.map != NULL ? map_next(inside.map, &cursor) : NULL;
        if (lib_interrupted(call)) {
            return false;
        }
        if (value_equal(entry != NULL ? entry->value : inside.list->items[steps], call->args[1])) {
            *ret_key = entry != NULL ? entry->key : value_number(steps);
            found = true;
        }
    }
    return true;
}

static bool collection_get_key(struct native_call *call)
{
    struct value key;
    return find_key(call, false, &key) && lib_return(call, key);
}

static bool collection_get_last_key(struct native_call *call)
{
    struct value key;
    return find_key(call, true, &key) && lib_return(call, key);
}

// getKey says absence by -1 or null, depending on the kind of collection.
static bool has_value(struct native_call *call, bool *ret_found)
{
    struct value key;
    if (!find_key(call, false, &key)) {
        return false;
    }
    *ret_found = key.type == VALUE_NUMBER ? key.number >= 0 : key.type != VALUE_NULL;
    return true;
}

static bool collection_contains_value(struct native_call *call)
{
    bool found;
    return has_value(call, &found) && lib_return_bool(call, found);
}

static bool collection_not_contains(struct native_call *call)
{
    bool found;
    return has_value(call, &found) && lib_return_bool(call, !found);
}

static bool collection_contains_key(struct native_call *call)
{
    struct inside inside;
    struct value ignored;
    int64_t index;
    if (!open_inside(call, 0, &inside)) {
        return false;
    }
    if (inside.map != NULL) {
        return lib_return_bool(call, lib_map_find(call, inside.map, call->args[1], &ignored));
    }
    return arg_number(call, 1, &index) && lib_return_bool(call, index >= 0 && index < inside.list->count);
}

// Keys of a key-value collection; of an index-value one Zoho's page prints the elements, and so do values.
static bool collect(struct native_call *call, bool keys)
{
    struct inside inside;
    struct value list;
    if (!open_inside(call, 0, &inside)) {
        return false;
    }
    uint32_t count = inside.map != NULL ? inside.map->count : inside.list->count, cursor = 0;
    lib_cost_elements(call, count);
    if (!lib_list_new(call, count, &list)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct map_entry *entry = inside.map != NULL ? map_next(inside.map, &cursor) : NULL;
        if (!lib_push(call, list.list, entry == NULL ? inside.list->items[i] : keys ? entry->key : entry->value)) {
            return false;
        }
    }
    return lib_return(call, list);
}

static bool collection_keys(struct native_call *call)
{
    return collect(call, true);
}

static bool collection_values(struct native_call *call)
{
    return collect(call, false);
}

static bool collection_size(struct native_call *call)
{
    struct inside inside;
    return open_inside(call, 0, &inside) && lib_return_number(call, inside.map != NULL ? inside.map->count : inside.list->count);
}

// ---- removing -----------------------------------------------------------------------------------

// An index beyond the end is an error, a missing key is not.
static bool delete_key(struct native_call *call, struct inside *inside, struct value key)
{
    if (inside->map != NULL) {
        map_remove(inside->map, key);
        return true;
    }
    if (key.type != VALUE_NUMBER || key.number < 0 || key.number >= inside->list->count) {
        return native_fail(call, "Given index %lld is greater than the list size", key.type == VALUE_NUMBER ? (long long)key.number : -1);
    }
    list_remove(inside->list, (uint32_t)key.number);
    return true;
}

// The first element of that value only.
static bool delete_value(struct native_call *call, struct inside *inside, struct value item)
{
    uint32_t cursor = 0;
    for (uint32_t i = 0; inside->list != NULL && i < inside->list->count; i++) {
        if (lib_interrupted(call)) {
            return false;
        }
        if (value_equal(inside->list->items[i], item)) {
            list_remove(inside->list, i);
            break;
        }
    }
    for (struct map_entry *entry; inside->map != NULL && (entry = map_next(inside->map, &cursor)) != NULL;) {
        if (value_equal(entry->value, item)) {
            map_remove(inside->map, entry->key);
            break;
        }
    }
    lib_cost_elements(call, inside->map != NULL ? inside->map->count : inside->list->count);
    return true;
}

static bool collection_delete(struct native_call *call)
{
    struct inside inside;
    return open_inside(call, 0, &inside) && delete_value(call, &inside, call->args[1]);
}

static bool collection_delete_all(struct native_call *call)
{
    struct inside inside;
    struct list *items;
    if (!open_inside(call, 0, &inside) || !lib_list(call, 1, &items)) {
        return false;
    }
    for (uint32_t i = 0; i < items->count; i++) {
        if (lib_interrupted(call) || !delete_value(call, &inside, items->items[i])) {
            return false;
        }
    }
    return true;
}

static bool collection_delete_key(struct native_call *call)
{
    struct inside inside;
    return open_inside(call, 0, &inside) && delete_key(call, &inside, call->args[1]);
}

// Indexes mean the elements as they stood before: {1,2} takes the second and the third.
static bool collection_delete_keys(struct native_call *call)
{
    struct inside inside;
    struct list *keys;
    if (!open_inside(call, 0, &inside) || !lib_list(call, 1, &keys)) {
        return false;
    }
    if (inside.map != NULL) {
        for (uint32_t i = 0; i < keys->count; i++) {
            map_remove(inside.map, keys->items[i]);
        }
        return true;
    }
    struct list *list = inside.list;
    bool *gone = heap_alloc(call->heap, list->count + 1);
    if (gone == NULL) {
        return lib_memory_fail(call);
    }
    memset(gone, 0, list->count + 1);
    for (uint32_t i = 0; i < keys->count; i++) {
        struct value key = keys->items[i];
        if (key.type != VALUE_NUMBER || key.number < 0 || key.number >= list->count) {
            return native_fail(call, "Given index %lld is greater than the list size",
                               key.type == VALUE_NUMBER ? (long long)key.number : -1);
        }
        gone[key.number] = true;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        if (!gone[i]) {
            list->items[kept++] = list->items[i];
        }
    }
    lib_cost_elements(call, list->count);
    list->count = kept;
    return true;
}

// As new: it may hold pairs or values next, and prints {} until then.
static bool collection_clear(struct native_call *call)
{
    struct value fresh = value_fresh(call->heap);
    if (fresh.type != VALUE_FRESH) {
        return lib_memory_fail(call);
    }
    call->args[0].collection->inner = fresh; // the row takes collections only
    return true;
}

// ---- copies and order ---------------------------------------------------------------------------

static bool collection_duplicate(struct native_call *call)
{
    struct inside inside;
    int64_t start = 0, end = -1;
    if (!open_inside(call, 0, &inside) || (call->count > 1 && !arg_number(call, 1, &start)) ||
        (call->count > 2 && !arg_number(call, 2, &end))) {
        return false;
    }
    uint32_t count = inside.map != NULL ? inside.map->count : inside.list->count, cursor = 0;
    end = end < 0 ? count : end;
    if (start < 0 || end > count || start > end) {
        return native_fail(call, "Given index %lld is greater than the list size", (long long)(start < 0 || start > end ? start : end));
    }
    struct value copy = inside.map != NULL ? value_map(call->heap, (size_t)(end - start)) : value_list(call->heap, (size_t)(end - start));
    lib_cost_elements(call, count);
    for (uint32_t i = 0; i < count && copy.type != VALUE_NULL; i++) {
        struct map_entry *entry = inside.map != NULL ? map_next(inside.map, &cursor) : NULL;
        bool wanted = i >= start && i < end;
        bool ok = !wanted || (entry != NULL ? map_put(call->heap, copy.map, entry->key, entry->value)
                                            : list_add(call->heap, copy.list, inside.list->items[i]));
        if (!ok) {
            return lib_memory_fail(call);
        }
    }
    return copy.type == VALUE_NULL ? lib_memory_fail(call) : wrap(call, copy);
}

static int compare_keys(const void *a, const void *b)
{
    return lib_compare(((const struct map_entry *)a)->key, ((const struct map_entry *)b)->key);
}

static int compare_values(const void *a, const void *b)
{
    return lib_compare(((const struct map_entry *)a)->value, ((const struct map_entry *)b)->value);
}

// A map in the order of its keys or values; null when they cannot be ordered. The receiver keeps its order: its entries are an index of the
// map.
static bool sort_map(struct native_call *call, const struct map *map, bool by_key, bool ascending, struct value *ret_map)
{
    struct map_entry *entries = heap_alloc(call->heap, (map->count + 1) * sizeof(*entries)), *entry;
    struct value keys, sorted = value_map(call->heap, map->count);
    uint32_t count = 0, cursor = 0;
    if (entries == NULL || sorted.type != VALUE_MAP || !lib_list_new(call, map->count, &keys)) {
        return lib_memory_fail(call);
    }
    while ((entry = map_next(map, &cursor)) != NULL) {
        entries[count++] = *entry;
        if (!lib_push(call, keys.list, by_key ? entry->key : entry->value)) {
            return false;
        }
    }
    *ret_map = value_null();
    if (lib_items_kind(keys.list->items, count) == LIB_UNORDERED) {
        return true;
    }
    if (!lib_sort_by(call, entries, count, sizeof(*entries), by_key ? compare_keys : compare_values)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct map_entry *next = &entries[ascending ? i : count - 1 - i];
        if (!map_put(call->heap, sorted.map, next->key, next->value)) {
            return lib_memory_fail(call);
        }
    }
    *ret_map = sorted;
    return true;
}

// A map among the receivers gives a map, a collection a collection; an index-value one is sorted in place.
static bool order(struct native_call *call, bool by_key)
{
    struct inside inside;
    struct value sorted;
    bool ascending = true, is_collection = call->args[0].type == VALUE_COLLECTION;
    if (!open_inside(call, 0, &inside) || (call->count > 1 && !arg_bool(call, 1, &ascending))) {
        return false;
    }
    if (inside.map != NULL) {
        if (!sort_map(call, inside.map, by_key, ascending, &sorted)) {
            return false;
        }
        return sorted.type == VALUE_NULL || !is_collection ? lib_return(call, sorted) : wrap(call, sorted);
    }
    if (by_key) {
        return native_fail(call, "sortKey needs a key-value collection");
    }
    if (lib_items_kind(inside.list->items, inside.list->count) == LIB_UNORDERED) {
        return lib_return(call, value_null());
    }
    return lib_sort(call, inside.list->items, inside.list->count, ascending) && lib_return(call, call->args[0]);
}

static bool collection_sort(struct native_call *call)
{
    return order(call, false);
}

static bool collection_sort_key(struct native_call *call)
{
    return order(call, true);
}

// Each element once; with `other` only what that holds too. Key-value collections are compared by value.
static bool select_items(struct native_call *call, struct inside inside, const struct map *among)
{
    struct value kept = inside.map != NULL ? value_map(call->heap, 0) : value_list(call->heap, 0), seen = value_map(call->heap, 0);
    uint32_t count = inside.map != NULL ? inside.map->count : inside.list->count, cursor = 0;
    if (kept.type == VALUE_NULL || seen.type == VALUE_NULL) {
        return lib_memory_fail(call);
    }
    lib_cost_elements(call, (size_t)count * 4);
    for (uint32_t i = 0; i < count; i++) {
        struct map_entry *entry = inside.map != NULL ? map_next(inside.map, &cursor) : NULL;
        struct value item = entry != NULL ? entry->value : inside.list->items[i];
        bool is_new = false, found = true;
        if (among != NULL) {
            map_get(among, item, &found);
        }
        if (lib_interrupted(call) || (found && !lib_set_add(call, seen.map, item, &is_new))) {
            return false;
        }
        if (found && is_new && !(entry != NULL ? map_put(call->heap, kept.map, entry->key, item) : list_add(call->heap, kept.list, item))) {
            return lib_memory_fail(call);
        }
    }
    return wrap(call, kept);
}

static bool collection_distinct(struct native_call *call)
{
    struct inside inside;
    return open_inside(call, 0, &inside) && select_items(call, inside, NULL);
}

static bool collection_intersect(struct native_call *call)
{
    struct inside inside, other;
    struct value among = value_map(call->heap, 0);
    if (!open_inside(call, 0, &inside) || !open_inside(call, 1, &other)) {
        return false;
    }
    if (among.type != VALUE_MAP) {
        return lib_memory_fail(call);
    }
    uint32_t count = other.map != NULL ? other.map->count : other.list->count, cursor = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct map_entry *entry = other.map != NULL ? map_next(other.map, &cursor) : NULL;
        bool is_new;
        if (lib_interrupted(call) || !lib_set_add(call, among.map, entry != NULL ? entry->value : other.list->items[i], &is_new)) {
            return false;
        }
    }
    return select_items(call, inside, among.map);
}

static bool collection_from_text(struct native_call *call)
{
    struct value inner = call->args[0];
    if (inner.type == VALUE_COLLECTION) {
        return lib_return(call, inner);
    }
    if (inner.type == VALUE_TEXT && !lib_json(call, value_view(inner), &inner)) {
        return false;
    }
    return inner.type == VALUE_LIST || inner.type == VALUE_MAP || inner.type == VALUE_FRESH
               ? wrap(call, inner)
               : native_fail(call, "Invalid JSON Format String");
}

// ---- the table ----------------------------------------------------------------------------------

#define SURE_7 "SURE builtins §7"
enum { SORTABLE = NATIVE_COLLECTION | NATIVE_TYPE(VALUE_MAP), INSERT_MAX = 32 };

static const struct native rows[] = {
    {"insert", NATIVE_COLLECTION, 2, INSERT_MAX, 0, 2, collection_insert, "collection.insert(any element…)",
     "Adds elements at the end, or sets the value of a key.", "c = Collection(1);\nc.insert(2,3);\ninfo c.size(); => 3", SURE_7},
    {"insertAll", NATIVE_COLLECTION, 2, 2, 0, 3, collection_insert_all, "collection.insertAll(LIST or MAP more)",
     "Adds all elements of a list, map or collection.", "c = Collection(1);\nc.insertAll({2,3});\ninfo c.size(); => 3", SURE_7},
    {"update", NATIVE_COLLECTION, 3, 3, 0, 2, collection_update, "collection.update(index or key, any value)",
     "Replaces the value at an index or key.", "c = Collection(1,2);\nc.update(0,9);\ninfo c.get(0); => 9", "LIKELY builtins §7"},
    {"get", NATIVE_COLLECTION, 2, 2, 0, 1, collection_get, "collection.get(index or key) → any",
     "The element at an index (an error beyond the end) or of a key (null if absent).",
     "info Collection(\"Creator\",\"CRM\").get(1); => CRM", SURE_7},
    {"getAsString", LIB_LIST | NATIVE_TEXT, 2, 2, 0, 2, collection_get_as_text, "collection.getAsString(NUMBER index) → TEXT",
     "The element at an index as text.", "info \"123,456,120\".getAsString(2); => 120", "SURE builtins §1"},
    {"getKey", NATIVE_COLLECTION, 2, 2, 0, 2, collection_get_key, "collection.getKey(any value) → any",
     "The first index or key of a value.", "info Collection(\"Creator\",\"CRM\",\"Mail\").getKey(\"CRM\"); => 1", SURE_7},
    {"getLastKey", NATIVE_COLLECTION, 2, 2, 0, 2, collection_get_last_key, "collection.getLastKey(any value) → any",
     "The last index or key of a value; -1, or null for keys, if it is absent.",
     "info Collection(\"a\",\"b\",\"a\").getLastKey(\"a\"); => 2", SURE_7},
    {"keys", NATIVE_COLLECTION, 1, 1, 0, 2, collection_keys, "collection.keys() → LIST", "The keys; without keys the elements.",
     "info Collection(\"a\":5,\"b\":2).keys(); => a,b", SURE_7},
    {"values", NATIVE_COLLECTION, 1, 1, 0, 2, collection_values, "collection.values() → LIST", "The values.",
     "info Collection(\"a\":5,\"b\":2,\"c\":8).values(); => 5,2,8", SURE_7},
    {"delete", NATIVE_COLLECTION, 2, 2, 0, 2, collection_delete, "collection.delete(any value)",
     "Takes the first element of this value out.", "c = Collection(\"a\",\"b\");\nc.delete(\"a\");\ninfo c.size(); => 1",
     "LIKELY builtins §7"},
    {"deleteAll", NATIVE_COLLECTION, 2, 2, 0, 3, collection_delete_all, "collection.deleteAll(LIST values)", "Takes several values out.",
     "c = Collection(1,2,3);\nc.deleteAll({1,3});\ninfo c.get(0); => 2", "LIKELY builtins §7"},
    {"deleteKey", NATIVE_COLLECTION, 2, 2, 0, 2, collection_delete_key, "collection.deleteKey(index or key)",
     "Takes the element at an index or key out.", "c = Collection(1,2);\nc.deleteKey(0);\ninfo c.get(0); => 2", SURE_7},
    {"deleteKeys", NATIVE_COLLECTION, 2, 2, 0, 3, collection_delete_keys, "collection.deleteKeys(LIST indexes or keys)",
     "Takes the elements at several indexes or keys out.",
     "c = Collection(\"Creator\",\"CRM\",\"Mail\");\nc.deleteKeys({1,2});\ninfo c.get(0) + c.size(); => Creator1", SURE_7},
    {"containsKey", NATIVE_COLLECTION, 2, 2, 0, 2, collection_contains_key, "collection.containsKey(index or key) → BOOLEAN",
     "Has it this index or key?", "info Collection(\"a\":5).containsKey(\"a\"); => true", SURE_7},
    {"containsValue", NATIVE_COLLECTION, 2, 2, 0, 2, collection_contains_value, "collection.containsValue(any value) → BOOLEAN",
     "Has it this value?", "info Collection(1,2).containsValue(2); => true", SURE_7},
    {"contains", NATIVE_COLLECTION, 2, 2, 0, 2, collection_contains_value, "collection.contains(any value) → BOOLEAN",
     "The same as containsValue.", "info Collection(1,2).contains(3); => false", "LIKELY builtins §7"},
    {"notContains", NATIVE_COLLECTION, 2, 2, 0, 2, collection_not_contains, "collection.notContains(any value) → BOOLEAN",
     "The opposite of containsValue.", "info Collection(1,2).notContains(3); => true", SURE_7},
    {"size", NATIVE_COLLECTION, 1, 1, 0, 1, collection_size, "collection.size() → NUMBER", "How many elements it has.",
     "info Collection(1,2).size(); => 2", SURE_7},
    {"clear", NATIVE_COLLECTION, 1, 1, 0, 1, collection_clear, "collection.clear()", "Removes all elements.",
     "c = Collection(1,2);\nc.clear();\ninfo c.size(); => 0", SURE_7},
    {"duplicate", NATIVE_COLLECTION, 1, 3, 0, 3, collection_duplicate, "collection.duplicate(NUMBER start?, NUMBER end?) → COLLECTION",
     "A copy, or the part from `start` up to but without `end`.", "info Collection(\"Creator\",\"CRM\").duplicate(0,1).get(0); => Creator",
     SURE_7},
    {"sort", NATIVE_COLLECTION, 1, 2, NATIVE_SLOW, 4, collection_sort, "collection.sort(BOOLEAN ascending?) → COLLECTION",
     "In the order of its values.", "info Collection(3,1,2).sort().get(0); => 1", SURE_7},
    {"sortKey", SORTABLE, 1, 2, NATIVE_SLOW, 4, collection_sort_key, "collection.sortKey(BOOLEAN ascending?) → COLLECTION",
     "In the order of its keys.", "info Collection(\"b\":1,\"a\":2).sortKey().keys(); => a,b", SURE_7},
    {"sortValue", SORTABLE, 1, 2, NATIVE_SLOW, 4, collection_sort, "map.sortValue(BOOLEAN ascending?) → MAP", "In the order of its values.",
     "info {\"b\":2,\"a\":1}.sortValue(); => {\"a\":1,\"b\":2}", "GUESS builtins §6"},
    {"distinct", NATIVE_COLLECTION, 1, 1, 0, 4, collection_distinct, "collection.distinct() → COLLECTION", "Each value once.",
     "info Collection(1,1,2).distinct().size(); => 2", SURE_7},
    {"intersect", NATIVE_COLLECTION, 2, 2, 0, 4, collection_intersect, "collection.intersect(COLLECTION other) → COLLECTION",
     "The values that both have.",
     "info Collection(\"Creator\",\"CRM\",\"Books\").intersect(Collection(\"Creator\",\"CRM\",\"Mail\")).size(); => 2", SURE_7},
    {"toCollection", NATIVE_TEXT | LIB_LIST | LIB_MAP_ONLY, 1, 1, 0, 6, collection_from_text, "text.toCollection() → COLLECTION",
     "The collection that the JSON text, list or map describes.", "info \"[1,2,3]\".toCollection().get(2); => 3", "GUESS builtins §1"},
};

const struct lib_table lib_collection_table = LIB_TABLE(rows);
