// SPDX-License-Identifier: Apache-2.0
//
// Maps: putting, getting, testing and taking away keys. Maps are references, ordered by insertion; an empty {} becomes a map here with its
// first key. A missing key is null, never an error. Zoho documents containKey for maps and containsKey for collections, and scripts use
// both on both.
#include "lib/inside.h"

// A key that exists keeps its place and takes the new value.
static bool map_native_put(struct native_call *call)
{
    struct map *map;
    return lib_map_target(call, &map) && (map_put(call->heap, map, call->args[1], call->args[2]) || lib_memory_fail(call));
}

static bool map_native_put_all(struct native_call *call)
{
    struct map *map, *more;
    if (!lib_map(call, 1, &more) || !lib_map_target(call, &map)) {
        return false;
    }
    lib_cost_elements(call, more->count);
    if (map == more) {
        return true;
    }
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(more, &cursor)) != NULL;) {
        if (lib_interrupted(call)) {
            return false;
        }
        if (!map_put(call->heap, map, entry->key, entry->value)) {
            return lib_memory_fail(call);
        }
    }
    return true;
}

static bool map_native_get(struct native_call *call)
{
    struct map *map;
    struct value found = value_null();
    if (!lib_map(call, 0, &map)) {
        return false;
    }
    lib_map_find(call, map, call->args[1], &found);
    return lib_return(call, found);
}

// Present with the value null is present.
static bool has_key(struct native_call *call, bool *ret_found)
{
    struct map *map;
    struct value ignored;
    if (!lib_map(call, 0, &map)) {
        return false;
    }
    *ret_found = lib_map_find(call, map, call->args[1], &ignored);
    return true;
}

static bool map_native_contains_key(struct native_call *call)
{
    bool found;
    return has_key(call, &found) && lib_return_bool(call, found);
}

static bool map_native_not_contains(struct native_call *call)
{
    bool found;
    return has_key(call, &found) && lib_return_bool(call, !found);
}

static bool map_native_contains_value(struct native_call *call)
{
    struct map *map;
    if (!lib_map(call, 0, &map)) {
        return false;
    }
    lib_cost_elements(call, map->count);
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(map, &cursor)) != NULL;) {
        if (lib_interrupted(call)) {
            return false;
        }
        if (value_equal(entry->value, call->args[1])) {
            return lib_return_bool(call, true);
        }
    }
    return lib_return_bool(call, false);
}

// Keys or values as a new list; for each over it may change the map.
static bool collect(struct native_call *call, bool keys)
{
    struct map *map;
    struct value list;
    if (!lib_map(call, 0, &map) || !lib_list_new(call, map->count, &list)) {
        return false;
    }
    lib_cost_elements(call, map->count);
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(map, &cursor)) != NULL;) {
        if (!lib_push(call, list.list, keys ? entry->key : entry->value)) {
            return false;
        }
    }
    return lib_return(call, list);
}

static bool map_native_keys(struct native_call *call)
{
    return collect(call, true);
}

static bool map_native_values(struct native_call *call)
{
    return collect(call, false);
}

static bool map_native_remove(struct native_call *call)
{
    struct map *map;
    bool found;
    if (!lib_map(call, 0, &map)) {
        return false;
    }
    struct value old = map_get(map, call->args[1], &found);
    if (found) {
        map_remove(map, call->args[1]);
    }
    return lib_return(call, old);
}

static bool map_native_remove_keys(struct native_call *call)
{
    struct map *map;
    struct list *keys;
    if (!lib_map(call, 0, &map) || !lib_list(call, 1, &keys)) {
        return false;
    }
    lib_cost_elements(call, keys->count);
    for (uint32_t i = 0; i < keys->count; i++) {
        if (lib_interrupted(call)) {
            return false;
        }
        map_remove(map, keys->items[i]);
    }
    return true;
}

static bool map_native_clear(struct native_call *call)
{
    struct map *map;
    if (!lib_map(call, 0, &map)) {
        return false;
    }
    map_clear(map);
    return true;
}

static bool map_native_size(struct native_call *call)
{
    struct map *map;
    return lib_map(call, 0, &map) && lib_return_number(call, map->count);
}

// Deep: nothing in the copy is shared with the original (a copy too deep for the limit fails).
static bool map_native_duplicate(struct native_call *call)
{
    struct value copy = value_copy(call->heap, call->args[0], call->fail);
    struct list *list = value_as_list(call->args[0]);
    struct map *map = value_as_map(call->args[0]);
    lib_cost_elements(call, (list != NULL ? list->count : map != NULL ? map->count : 0) * (size_t)4);
    if (copy.type == VALUE_NULL) {
        return call->heap->failed ? lib_memory_fail(call) : false;
    }
    return lib_return(call, copy);
}

// ---- the table ----------------------------------------------------------------------------------

#define CONTAINS_KEY(name, receivers, provenance)                                                                                          \
    {                                                                                                                                      \
        name, receivers, 2, 2, 0, 2, map_native_contains_key, "map." name "(any key) → BOOLEAN", "Has the map this key? Case matters.",    \
            "info {\"Product\":1}." name "(\"Product\"); => true", provenance                                                              \
    }
#define CONTAINS_VALUE(name, receivers)                                                                                                    \
    {                                                                                                                                      \
        name, receivers, 2, 2, 0, 2, map_native_contains_value, "map." name "(any value) → BOOLEAN", "Has any key of the map this value?", \
            "info {\"Product\":1}." name "(1); => true", "SURE builtins §6"                                                               \
    }

enum { MAP_TEXT = NATIVE_MAP | NATIVE_TEXT }; // text that holds a JSON object does for a map where a name has no text row

static const struct native rows[] = {
    {"put", NATIVE_MAP | NATIVE_COLLECTION, 3, 3, NATIVE_FRESH_ARGS | NATIVE_PLAIN, 2, map_native_put, "map.put(any key, any value)",
     "Sets the value of a key; a key that exists keeps its place.", "m = Map();\nm.put(\"a\",1);\nm.put(\"a\",2);\ninfo m; => {\"a\":2}",
     "SURE builtins §6"},
    {"putAll", NATIVE_MAP | NATIVE_COLLECTION, 2, 2, NATIVE_FRESH_ARGS, 3, map_native_put_all, "map.putAll(MAP more)",
     "Sets all keys of another map.", "m = {\"a\":1};\nm.putAll({\"a\":2,\"b\":3});\ninfo m; => {\"a\":2,\"b\":3}", "SURE builtins §6"},
    {"get", NATIVE_MAP, 2, 2, NATIVE_PLAIN, 1, map_native_get, "map.get(any key) → any",
     "The value of a key, null if it is absent. Case matters.", "info {\"creator\":1}.get(\"Creator\"); => null", "SURE builtins §6"},
    {"keys", MAP_TEXT, 1, 1, 0, 2, map_native_keys, "map.keys() → LIST", "The keys, in the order they were put.",
     "info {1:\"Number\",\"a\":\"Alphabet\"}.keys(); => 1,a", "SURE builtins §6"},
    {"values", NATIVE_MAP, 1, 1, 0, 2, map_native_values, "map.values() → LIST", "The values, in the order of the keys.",
     "info {\"a\":1,\"b\":2}.values(); => 1,2", "GUESS builtins §6"},
    CONTAINS_KEY("containKey", MAP_TEXT | NATIVE_COLLECTION, "SURE builtins §6"),
    CONTAINS_KEY("containsKey", MAP_TEXT, "SURE builtins §6"),
    CONTAINS_KEY("contains", NATIVE_MAP, "LIKELY builtins §6"),
    {"notContains", NATIVE_MAP, 2, 2, 0, 2, map_native_not_contains, "map.notContains(any key) → BOOLEAN", "Is this key absent?",
     "info {\"a\":1}.notContains(\"b\"); => true", "SURE builtins §6"},
    CONTAINS_VALUE("containValue", MAP_TEXT | NATIVE_COLLECTION),
    CONTAINS_VALUE("containsValue", MAP_TEXT),
    {"remove", NATIVE_MAP, 2, 2, 0, 2, map_native_remove, "map.remove(any key) → any",
     "Takes a key out and returns its value; nothing happens if it is absent.",
     "m = {\"a\":1,\"b\":2};\nm.remove(\"a\");\ninfo m; => {\"b\":2}", "SURE builtins §6"},
    {"removeKeys", NATIVE_MAP, 2, 2, 0, 3, map_native_remove_keys, "map.removeKeys(LIST keys)", "Takes several keys out.",
     "m = {\"a\":1,\"b\":2,\"c\":3};\nm.removeKeys({\"a\",\"c\"});\ninfo m; => {\"b\":2}", "GUESS builtins §6"},
    {"clear", NATIVE_MAP, 1, 1, 0, 1, map_native_clear, "map.clear()", "Removes all keys.", "m = {\"a\":1};\nm.clear();\ninfo m; => {}",
     "SURE builtins §6"},
    {"size", NATIVE_MAP, 1, 1, 0, 1, map_native_size, "map.size() → NUMBER", "How many keys it has.", "info {\"a\":1,\"b\":2}.size(); => 2",
     "SURE builtins §6"},
    {"duplicate", LIB_MAP_ONLY | NATIVE_LIST, 1, 1, 0, 4, map_native_duplicate, "map or list.duplicate() → MAP or LIST",
     "A copy that shares nothing with the map or list.", "a = {\"k\":1};\nb = a.duplicate();\nb.put(\"k\",2);\ninfo a; => {\"k\":1}",
     "GUESS builtins §6"},
};

const struct lib_table lib_map_table = LIB_TABLE(rows);
