// SPDX-License-Identifier: Apache-2.0
//
// map: insertion-ordered maps. Entries lie densely in the order in which they came, each with the hash of its key; up to eight are searched
// in line, more through an open-addressed index of entry numbers. A removed entry stays behind as a hole that look-ups and walks pass over;
// when the entries are full, holes are squeezed out first. Walks with map_next therefore must not add entries meanwhile.
//
// Keys may be of any type, lists too, and a list may change after it became a key: then its cached hash is the old one and look-ups by the
// new content miss, as they do in Java (spec/deluge-language.md §9.3, §11 case 46).
#include "value/inside.h"

enum { MAP_ROOM_FIRST = 4, MAP_ENTRIES_MAX = UINT32_MAX / 8, MAP_NONE = UINT32_MAX };

// `room` entries fit without growing. An index exists from the ninth slot on, before the entries that need it.
struct value value_map(struct heap *heap, size_t room)
{
    if (room > MAP_ENTRIES_MAX) {
        heap_refuse(heap);
        return value_null();
    }
    struct map *map = heap_alloc(heap, sizeof *map);
    struct map_entry *entries = map && room > 0 ? heap_alloc(heap, room * sizeof *entries) : NULL;
    if (!map || (room > 0 && !entries)) {
        return value_null();
    }
    *map = (struct map){.entries = entries, .cap = (uint32_t)room};
    if (room > MAP_LINEAR_MAX && !map_index_build(heap, map)) {
        return value_null();
    }
    return (struct value){.type = VALUE_MAP, .map = map};
}

// Linear probing in a table that is at most half full: a look-up ends after one or two slots.
static void index_add(struct map *map, uint32_t entry)
{
    uint32_t mask = map->index_cap - 1, slot = map->entries[entry].hash & mask;
    while (map->index[slot] != 0) {
        slot = (slot + 1) & mask;
    }
    map->index[slot] = entry + 1;
}

// Entries know their hashes, so rebuilding never looks at a key.
bool map_index_build(struct heap *heap, struct map *map)
{
    uint32_t cap = map->index_cap ? map->index_cap : 4 * MAP_LINEAR_MAX;
    while (cap < 2 * (uint64_t)map->cap) { // at most half full
        cap *= 2;
    }
    if (cap != map->index_cap) {
        uint32_t *index = heap_alloc(heap, cap * sizeof *index);
        if (!index) {
            return false;
        }
        map->index = index;
        map->index_cap = cap;
    }
    memset(map->index, 0, map->index_cap * sizeof *map->index);
    for (uint32_t i = 0; i < map->used; i++) {
        if (!map->entries[i].removed) {
            index_add(map, i);
        }
    }
    return true;
}

// Hashes first: they differ for nearly every other key, and comparing keys may be a walk.
static inline bool same_key(const struct map_entry *entry, uint32_t hash, struct value key, int key_depth)
{
    return entry->hash == hash && !entry->removed && value_equal_key(entry->key, key, key_depth);
}

static inline bool same_text(const struct map_entry *entry, uint32_t hash, struct view key)
{
    return entry->hash == hash && entry->key.type == VALUE_TEXT && entry->key.len == key.len && // a removed entry's key is null
           (entry->key.text->bytes == key.data || key.len == 0 || memcmp(entry->key.text->bytes, key.data, key.len) == 0);
}

static BASE_HOT uint32_t find_text_indexed(const struct map *map, struct view key, uint32_t hash)
{
    uint32_t mask = map->index_cap - 1;
    for (uint32_t slot = hash & mask; map->index[slot] != 0; slot = (slot + 1) & mask) {
        if (same_text(&map->entries[map->index[slot] - 1], hash, key)) {
            return map->index[slot] - 1;
        }
    }
    return MAP_NONE;
}

// The usual look-up: a text, often a constant of the script that carries its hash. No allocation, no call but memcmp.
static inline uint32_t find_text(const struct map *map, struct view key, uint32_t hash)
{
    if (map->index) {
        return find_text_indexed(map, key, hash);
    }
    for (uint32_t i = 0; i < map->used; i++) {
        if (same_text(&map->entries[i], hash, key)) {
            return i;
        }
    }
    return MAP_NONE;
}

// Keys of any type. Texts take the short way.
static uint32_t find_key(const struct map *map, struct value key, uint32_t hash, int key_depth)
{
    if (key.type == VALUE_TEXT) {
        return find_text(map, value_view(key), hash);
    }
    if (!map->index) {
        for (uint32_t i = 0; i < map->used; i++) {
            if (same_key(&map->entries[i], hash, key, key_depth)) {
                return i;
            }
        }
        return MAP_NONE;
    }
    uint32_t mask = map->index_cap - 1;
    for (uint32_t slot = hash & mask; map->index[slot] != 0; slot = (slot + 1) & mask) {
        if (same_key(&map->entries[map->index[slot] - 1], hash, key, key_depth)) {
            return map->index[slot] - 1;
        }
    }
    return MAP_NONE;
}

// Entry of a text key in a map whose keys are lower-case.
static BASE_COLD uint32_t find_nocase(const struct map *map, struct view key)
{
    char lower[256]; // longer names are no header's
    if (key.len > sizeof lower) {
        return MAP_NONE;
    }
    for (size_t i = 0; i < key.len; i++) {
        lower[i] = key.data[i] >= 'A' && key.data[i] <= 'Z' ? (char)(key.data[i] | 0x20) : key.data[i];
    }
    return find_text(map, (struct view){lower, key.len}, hash_bytes(lower, key.len));
}

struct map_entry *map_find(const struct map *map, struct value key, uint32_t hash, int key_depth)
{
    uint32_t entry = map->count ? find_key(map, key, hash, key_depth) : MAP_NONE;
    return entry != MAP_NONE ? &map->entries[entry] : NULL;
}

BASE_HOT struct value map_get(const struct map *map, struct value key, bool *ret_found)
{
    uint32_t entry = MAP_NONE;
    if (BASE_LIKELY(key.type == VALUE_TEXT && !map->nocase)) {
        entry = find_text(map, value_view(key), hash_text(key));
    } else if (map->count) {
        entry = BASE_UNLIKELY(map->nocase && key.type == VALUE_TEXT) ? find_nocase(map, value_view(key))
                                                                     : find_key(map, key, value_hash(key), 0);
    }
    if (ret_found) {
        *ret_found = entry != MAP_NONE;
    }
    return entry != MAP_NONE ? map->entries[entry].value : value_null();
}

struct value map_get_text(const struct map *map, struct view key)
{
    uint32_t entry = MAP_NONE;
    if (map->count) {
        entry = BASE_UNLIKELY(map->nocase) ? find_nocase(map, key) : find_text(map, key, hash_bytes(key.data, key.len));
    }
    return entry != MAP_NONE ? map->entries[entry].value : value_null();
}

// Moves the live entries together, in their order.
static void squeeze_holes(struct map *map)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < map->used; i++) {
        if (!map->entries[i].removed) {
            map->entries[kept++] = map->entries[i];
        }
    }
    map->used = kept;
}

// Room for one more entry. Holes of at least a quarter are squeezed out instead of growing.
static BASE_COLD bool make_room(struct heap *heap, struct map *map)
{
    if (map->used - map->count <= map->cap / 4) {
        if (map->cap >= MAP_ENTRIES_MAX) {
            return heap_refuse(heap);
        }
        uint32_t cap = map->cap ? map->cap * 2 : MAP_ROOM_FIRST;
        struct map_entry *entries = heap_grow(heap, map->entries, map->cap * sizeof *entries, cap * sizeof *entries);
        if (!entries) {
            return false;
        }
        map->entries = entries;
        map->cap = cap;
    }
    squeeze_holes(map); // renumbers the entries: the index is built anew in any case
    if ((map->cap > MAP_LINEAR_MAX || map->index) && !map_index_build(heap, map)) {
        map->index = NULL; // searched in line from here on: slow, but right, in a run that is about to end
        map->index_cap = 0;
        return false;
    }
    return true;
}

// A key that is known to be new. Lists as keys are kept by reference, as Zoho does.
static bool append(struct heap *heap, struct map *map, struct value key, struct value value, uint32_t hash)
{
    if (BASE_UNLIKELY(map->used == map->cap) && !make_room(heap, map)) {
        return false;
    }
    map->entries[map->used] = (struct map_entry){.key = key, .value = value, .hash = hash};
    if (map->index) {
        index_add(map, map->used);
    }
    map->used++;
    map->count++;
    return true;
}

BASE_HOT bool map_put(struct heap *heap, struct map *map, struct value key, struct value value)
{
    bool text = BASE_LIKELY(key.type == VALUE_TEXT);
    uint32_t hash = text ? hash_text(key) : value_hash(key);
    uint32_t entry = text ? find_text(map, value_view(key), hash) : find_key(map, key, hash, 0);
    if (entry != MAP_NONE) {
        map->entries[entry].value = value;
        return true;
    }
    return append(heap, map, key, value, hash);
}

// The key is copied only when it is new.
bool map_put_text(struct heap *heap, struct map *map, struct view key, struct value value)
{
    uint32_t hash = hash_bytes(key.data, key.len), entry = find_text(map, key, hash);
    if (entry != MAP_NONE) {
        map->entries[entry].value = value;
        return true;
    }
    struct value copy = value_text(heap, key);
    if (value_is_null(copy)) {
        return false;
    }
    if (copy.len != key.len) { // bytes that were not UTF-8 were replaced: it is another key now
        return map_put(heap, map, copy, value);
    }
    return append(heap, map, copy, value, hash);
}

// The hole keeps its place in the index, which look-ups pass over; references in it are dropped.
bool map_remove(struct map *map, struct value key)
{
    uint32_t entry = map->count ? find_key(map, key, value_hash(key), 0) : MAP_NONE;
    if (entry == MAP_NONE) {
        return false;
    }
    map->entries[entry].removed = 1;
    map->entries[entry].key = map->entries[entry].value = value_null();
    map->count--;
    return true;
}

// Room and index stay: who clears a map fills it again.
void map_clear(struct map *map)
{
    map->count = map->used = 0;
    if (map->index) {
        memset(map->index, 0, map->index_cap * sizeof *map->index);
    }
}

struct map_entry *map_next(const struct map *map, uint32_t *cursor)
{
    while (*cursor < map->used) {
        struct map_entry *entry = &map->entries[(*cursor)++];
        if (!entry->removed) {
            return entry;
        }
    }
    return NULL;
}

// Used by the JSON readers. There is room for every pair, so nothing here can fail after the first line.
struct value map_from_pairs(struct heap *heap, const struct value *pairs, uint32_t count)
{
    struct value v = value_map(heap, count);
    if (value_is_null(v)) {
        return v;
    }
    struct map *map = v.map;
    for (uint32_t i = 0; i < count; i++) {
        struct value key = pairs[2 * i], value = pairs[2 * i + 1];
        uint32_t hash = hash_text(key), entry = find_text(map, value_view(key), hash);
        if (entry != MAP_NONE) {
            map->entries[entry].value = value;
        } else {
            append(heap, map, key, value, hash); // has its room already
        }
    }
    return v;
}
