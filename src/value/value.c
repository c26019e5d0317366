// SPDX-License-Identifier: Apache-2.0
//
// value: what all types have in common: making the rarer ones, names, hash, equality, deep copy. Walks over nested values use walk.c's
// stack.
//
// Equality and hash must agree: a whole decimal equals the number of the same value, a map equals a map whatever its order, and the literal
// {} equals every empty list or map. So the hash of a map adds up its keys' hashes and does not look at its values.
#include "value/inside.h"

#include <math.h>

enum {
    HASH_DEPTH_MAX = 8, // lists nested deeper hash by their length
    HASH_ITEMS_MAX = 256, // items that one hash looks at
    EQUAL_STEPS_MAX = 50 * 1000 * 1000, // comparisons of one value_equal: shared lists inside lists can unfold without end
};

uint64_t hash_secrets[2];

// Before main, so that no look-up needs to ask whether it is done.
__attribute__((constructor)) static void draw_secrets(void)
{
    random_bytes(hash_secrets, sizeof hash_secrets);
}

// ---- making -------------------------------------------------------------------------------------

struct value value_fresh(struct heap *heap)
{
    struct fresh *fresh = heap_alloc(heap, sizeof *fresh);
    if (!fresh) {
        return value_null();
    }
    fresh->target = value_null();
    return (struct value){.type = VALUE_FRESH, .fresh = fresh};
}

struct value value_collection(struct heap *heap, struct value inner)
{
    struct collection *collection = heap_alloc(heap, sizeof *collection);
    if (!collection) {
        return value_null();
    }
    collection->inner = inner;
    return (struct value){.type = VALUE_COLLECTION, .collection = collection};
}

// The bytes are copied: a body's memory ends with the call, the run's with the run.
struct value value_file(struct heap *heap, struct view bytes, struct view name, struct view type)
{
    struct file *file = heap_alloc(heap, sizeof *file);
    char *copy = file ? heap_alloc(heap, bytes.len + 1) : NULL;
    if (!copy) {
        return value_null();
    }
    if (bytes.len > 0) {
        memcpy(copy, bytes.data, bytes.len);
    }
    copy[bytes.len] = '\0'; // for libraries that want one
    *file = (struct file){.bytes = {copy, bytes.len}, .name = value_text(heap, name), .type = value_text(heap, type)};
    return (struct value){.type = VALUE_FILE, .file = file};
}

// ---- looking ------------------------------------------------------------------------------------

struct value value_inner(struct value v)
{
    v = value_resolve(v);
    return v.type == VALUE_COLLECTION ? value_resolve(v.collection->inner) : v;
}

struct list *value_as_list(struct value v)
{
    v = value_inner(v);
    return v.type == VALUE_LIST ? v.list : NULL;
}

struct map *value_as_map(struct value v)
{
    v = value_inner(v);
    return v.type == VALUE_MAP ? v.map : NULL;
}

const char *value_type_name(struct value v)
{
    static const char *const names[VALUE_TYPES] = {
        [VALUE_NULL] = "NULL",  [VALUE_BOOL] = "BOOLEAN",       [VALUE_NUMBER] = "NUMBER", [VALUE_DECIMAL] = "DECIMAL",
        [VALUE_TEXT] = "TEXT",  [VALUE_LIST] = "LIST",          [VALUE_MAP] = "MAP",       [VALUE_COLLECTION] = "COLLECTION",
        [VALUE_DATE] = "DATE",  [VALUE_DATETIME] = "DATE-TIME", [VALUE_TIME] = "TIME",     [VALUE_FILE] = "FILE",
        [VALUE_FRESH] = "LIST", // Zoho's pages call {} an empty list
    };
    v = value_resolve(v);
    return v.type < VALUE_TYPES ? names[v.type] : "NULL";
}

// ---- hash ---------------------------------------------------------------------------------------

// Numbers, times and the running hash of lists. The type takes part, so that 0, false and null differ.
static uint32_t hash_word(uint64_t type, uint64_t word)
{
    return hash_short(hash_fold(word ^ hash_secrets[1], hash_secrets[0] ^ type));
}

// A decimal that is a whole number of 64 bits, which then equals that NUMBER.
static bool decimal_whole(double decimal, int64_t *ret_number)
{
    if (!(decimal >= -0x1p63 && decimal < 0x1p63) || decimal != floor(decimal)) {
        return false;
    }
    *ret_number = (int64_t)decimal;
    return true;
}

// See the top of this file: 1.0 must hash as 1.
static uint32_t hash_decimal(double decimal)
{
    int64_t whole;
    if (decimal_whole(decimal, &whole)) {
        return hash_word(VALUE_NUMBER, (uint64_t)whole);
    }
    uint64_t bits;
    memcpy(&bits, &decimal, sizeof bits);
    return hash_word(VALUE_DECIMAL, bits);
}

// What is no container, by its content; containers all alike.
static uint32_t hash_flat(struct value v)
{
    switch (v.type) {
    case VALUE_TEXT:
        return hash_text(v);
    case VALUE_NUMBER:
        return hash_word(VALUE_NUMBER, (uint64_t)v.number);
    case VALUE_DECIMAL:
        return hash_decimal(v.decimal);
    case VALUE_BOOL:
        return hash_word(VALUE_BOOL, v.boolean);
    case VALUE_DATE:
    case VALUE_DATETIME:
    case VALUE_TIME:
        return hash_word(v.type, (uint64_t)v.millis);
    case VALUE_FILE:
        return hash_word(VALUE_FILE, v.file->bytes.len);
    default:
        return 0;
    }
}

// A sum does not depend on the order. Keys know their hashes already, and of the values those of containers do not count, so this does not
// recurse. The others do: records of one module have the same keys, and `distinct` over them must not compare each with each.
static uint32_t hash_map(const struct map *map)
{
    uint32_t sum = map->count, cursor = 0;
    for (struct map_entry *entry; (entry = map_next(map, &cursor));) {
        sum += hash_word(entry->hash, hash_flat(entry->value));
    }
    return sum;
}

// Recursion stays within HASH_DEPTH_MAX; `items` counts down over the whole value, in the same order for equal values.
static uint32_t hash_deep(struct value v, int depth, int *items)
{
    v = value_inner(v);
    switch (v.type) {
    case VALUE_MAP:
        return v.map->count ? hash_word(VALUE_MAP, hash_map(v.map)) : hash_word(VALUE_FRESH, 0);
    case VALUE_LIST: {
        uint32_t hash = v.list->count ? hash_word(VALUE_LIST, v.list->count) : hash_word(VALUE_FRESH, 0);
        for (uint32_t i = 0; i < v.list->count && depth<HASH_DEPTH_MAX && * items> 0; i++) {
            --*items;
            hash = hash_word(hash, hash_deep(v.list->items[i], depth + 1, items));
        }
        return hash;
    }
    case VALUE_NULL:
    case VALUE_FRESH:
        return hash_word(v.type, 0);
    default:
        return hash_flat(v);
    }
}

// Bounded work whatever the value: a look at its first items is enough to tell values apart.
uint32_t value_hash(struct value v)
{
    if (v.type == VALUE_TEXT) {
        return hash_text(v);
    }
    int items = HASH_ITEMS_MAX;
    return hash_deep(v, 0, &items);
}

// ---- equality -----------------------------------------------------------------------------------

// Exact, not by rounding the number to a double: 2^53 + 1 is not 2^53.
static bool equal_numbers(int64_t number, double decimal)
{
    int64_t whole;
    return decimal_whole(decimal, &whole) && whole == number;
}

static bool equal_text(struct value a, struct value b)
{
    return a.len == b.len && (a.text == b.text || memcmp(a.text->bytes, b.text->bytes, a.len) == 0);
}

static bool is_empty(struct value v)
{
    return v.type == VALUE_FRESH || (v.type == VALUE_LIST && v.list->count == 0) || (v.type == VALUE_MAP && v.map->count == 0);
}

enum verdict { EQUAL_NO, EQUAL_YES, EQUAL_DEEPER }; // DEEPER: two containers of one size whose content decides

// Two lists or maps by what can be told without looking inside.
static enum verdict compare_shells(bool same, uint32_t a_count, uint32_t b_count)
{
    if (same || a_count != b_count) {
        return same ? EQUAL_YES : EQUAL_NO;
    }
    return a_count == 0 ? EQUAL_YES : EQUAL_DEEPER;
}

// Everything but the content of containers. Both values are resolved.
static enum verdict compare_flat(struct value a, struct value b)
{
    if (a.type != b.type) {
        if (a.type == VALUE_NUMBER && b.type == VALUE_DECIMAL) {
            return equal_numbers(a.number, b.decimal);
        }
        if (a.type == VALUE_DECIMAL && b.type == VALUE_NUMBER) {
            return equal_numbers(b.number, a.decimal);
        }
        return (a.type == VALUE_FRESH || b.type == VALUE_FRESH) && is_empty(a) && is_empty(b);
    }
    switch (a.type) {
    case VALUE_NULL:
    case VALUE_FRESH:
        return EQUAL_YES;
    case VALUE_BOOL:
        return a.boolean == b.boolean;
    case VALUE_DECIMAL:
        return a.decimal == b.decimal;
    case VALUE_TEXT:
        return equal_text(a, b);
    case VALUE_LIST:
        return compare_shells(a.list == b.list, a.list->count, b.list->count);
    case VALUE_MAP:
        return compare_shells(a.map == b.map, a.map->count, b.map->count);
    case VALUE_COLLECTION:
        return a.collection == b.collection ? EQUAL_YES : EQUAL_DEEPER;
    case VALUE_FILE:
        return a.file == b.file || (view_eq(a.file->bytes, b.file->bytes) &&
                                    view_eq(value_view_or(a.file->name, VIEW_NONE), value_view_or(b.file->name, VIEW_NONE)));
    default:
        return a.millis == b.millis;
    }
}

// The next pair of values to compare in the containers of `frame`. False at their end; *ret_missing when b lacks a key of a.
static bool next_pair(struct walk_frame *frame, int key_depth, struct value *ret_a, struct value *ret_b, bool *ret_missing)
{
    struct value a = frame->at, b = frame->other;
    if (a.type == VALUE_LIST) {
        if (frame->cursor >= a.list->count) {
            return false;
        }
        *ret_a = a.list->items[frame->cursor];
        *ret_b = b.list->items[frame->cursor++];
        return true;
    }
    if (a.type == VALUE_COLLECTION) {
        *ret_a = a.collection->inner;
        *ret_b = b.collection->inner;
        return frame->cursor++ == 0;
    }
    struct map_entry *entry = map_next(a.map, &frame->cursor);
    if (!entry) {
        return false;
    }
    struct map_entry *other = map_find(b.map, entry->key, entry->hash, key_depth + 1);
    *ret_a = entry->value;
    *ret_b = other ? other->value : value_null();
    *ret_missing = !other;
    return true;
}

// Walks two values in step. Deeper than the walk's stack allows counts as different, as value.h says.
static bool equal_deep(struct walk *walk, int key_depth)
{
    for (int steps = 0; walk->depth > 0; steps++) {
        struct value a, b;
        bool missing = false;
        if (!next_pair(walk_top(walk), key_depth, &a, &b, &missing)) {
            walk_pop(walk);
            continue;
        }
        if (missing || steps > EQUAL_STEPS_MAX) {
            return false;
        }
        a = value_resolve(a);
        b = value_resolve(b);
        enum verdict verdict = compare_flat(a, b);
        if (verdict == EQUAL_NO) {
            return false;
        }
        if (verdict == EQUAL_DEEPER) {
            struct walk_frame *frame = walk_push(walk, a);
            if (!frame) {
                return false;
            }
            frame->other = b;
        }
    }
    return true;
}

bool value_equal_key(struct value a, struct value b, int key_depth)
{
    a = value_resolve(a);
    b = value_resolve(b);
    enum verdict verdict = compare_flat(a, b);
    if (verdict != EQUAL_DEEPER || key_depth > VALUE_KEY_DEPTH_MAX) {
        return verdict == EQUAL_YES;
    }
    struct walk walk;
    walk_init(&walk);
    walk_push(&walk, a)->other = b; // the first frames need no memory
    bool equal = equal_deep(&walk, key_depth);
    walk_free(&walk);
    return equal;
}

bool value_equal(struct value a, struct value b)
{
    return value_equal_key(a, b, 0);
}
