// SPDX-License-Identifier: Apache-2.0
//
// inside: what the files of this room share and nobody else sees: growing blocks of a heap, the keyed hash, the explicit stack of every
// walk over nested values, and the small scanners that readers and writers have in common.
#pragma once

#include "value/value.h"

// ---- heap ---------------------------------------------------------------------------------------

// Makes `block` (of old_bytes) longer where it lies, when nothing was allocated behind it. Old pointers stay good.
bool heap_extend(struct heap *heap, void *block, size_t old_bytes, size_t new_bytes);
// A larger block with the old content; the old block may be gone, so only for arrays that exactly one list or map points to.
void *heap_grow(struct heap *heap, void *block, size_t old_bytes, size_t new_bytes);
bool heap_refuse(struct heap *heap); // sets failed; returns false
// Sets `fail` for a heap whose limit was reached; returns false.
bool heap_full(const struct heap *heap, struct fail *fail);

// ---- hash ---------------------------------------------------------------------------------------

// Two secrets a process, drawn before main: texts that collide on purpose would make every map of hostile JSON a linear search.
extern uint64_t hash_secrets[2];

static inline uint64_t hash_load8(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t hash_load4(const char *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

// Both halves of a 64 × 64 bit product, folded: every input bit reaches every output bit.
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t hash_short(uint64_t hash)
{
    uint32_t half = (uint32_t)(hash ^ (hash >> 32));
    return half ? half : 1; // 0 means "not computed" in struct text
}

static inline uint32_t hash_bytes(const char *at, size_t len)
{
    uint64_t hash = hash_secrets[0] ^ len, a = 0, b = 0;
    for (; len > 16; at += 16, len -= 16) {
        hash = hash_fold(hash_load8(at) ^ hash_secrets[1], hash_load8(at + 8) ^ hash);
    }
    if (len >= 8) {
        a = hash_load8(at);
        b = hash_load8(at + len - 8);
    } else if (len >= 4) {
        a = hash_load4(at);
        b = hash_load4(at + len - 4);
    } else if (len > 0) {
        a = (uint64_t)(uint8_t)at[0] << 16 | (uint64_t)(uint8_t)at[len / 2] << 8 | (uint8_t)at[len - 1];
    }
    return hash_short(hash_fold(a ^ hash_secrets[1], b ^ hash));
}

// The hash of a text value; constants and keys from JSON carry it.
static inline uint32_t hash_text(struct value text)
{
    return text.text->hash && text.len == text.text->used ? text.text->hash : hash_bytes(text.text->bytes, text.len);
}

// ---- maps ---------------------------------------------------------------------------------------

enum { MAP_LINEAR_MAX = 8 }; // so many entries are searched in line, more through the index
// (Re)builds the index of a map from its entries; maps of MAP_LINEAR_MAX slots and fewer have none. False when over the limit.
bool map_index_build(struct heap *heap, struct map *map);
// The entry of a key whose hash is known, NULL if absent. `key_depth` is how deep the caller is inside keys of keys, see value_equal_key.
struct map_entry *map_find(const struct map *map, struct value key, uint32_t hash, int key_depth);
// value_equal for keys. Comparing maps looks keys up, which compares keys: the one place where equality recurses. Keys that are maps whose
// keys are maps …, more than VALUE_KEY_DEPTH_MAX times, are not equal.
enum { VALUE_KEY_DEPTH_MAX = 4 };
bool value_equal_key(struct value a, struct value b, int key_depth);
// Builds an exactly fitting map from `count` pairs (key, value, key, value …) whose keys are texts with hashes; later duplicates win.
struct value map_from_pairs(struct heap *heap, const struct value *pairs, uint32_t count);
// The entries of `map` as java.util.HashMap would walk them: malloc'ed indexes into entries, NULL without memory.
uint32_t *java_order(const struct map *map);

// What a list or map operation acts on: the thing inside fresh values and collections; all else unchanged.
struct value value_inner(struct value v);

// ---- walks --------------------------------------------------------------------------------------

// Values nest up to VALUE_DEPTH_MAX levels while a fiber's stack is small, so every walk keeps its own stack. The first levels cost no
// malloc.
enum { WALK_FEW = 10 };
struct walk_frame {
    struct value at, other; // the container, and its counterpart in walks over two values
    uint32_t cursor;
    bool begun; // something stands in front: the next item needs a comma
    bool key_open; // the key of the current entry was no text and has been written, its value has not
    uint32_t *order; // order of a map's entries, owned; NULL = insertion order
};
struct walk {
    struct walk_frame *frames;
    uint32_t depth, cap;
    struct walk_frame few[WALK_FEW];
};

void walk_init(struct walk *walk);
struct walk_frame *walk_push(struct walk *walk, struct value at); // NULL beyond VALUE_DEPTH_MAX or without memory
void walk_pop(struct walk *walk);
void walk_free(struct walk *walk);
static inline struct walk_frame *walk_top(struct walk *walk)
{
    return &walk->frames[walk->depth - 1];
}
bool walk_too_deep(struct fail *fail); // sets the error of a value that nests too deep or holds itself

// ---- JSON under construction --------------------------------------------------------------------

// Both JSON readers put finished values on one stack and turn a container's share of it into an exactly fitting list or map when it closes.
enum { JSON_SLOTS_FEW = 64 };
struct json_build {
    struct heap *heap;
    struct value *slots;
    size_t count, cap, base; // base: first slot of the innermost open container
    uint32_t depth;
    bool in_map; // the innermost open container is an object
    struct value few[JSON_SLOTS_FEW];
};

void json_build_init(struct json_build *build, struct heap *heap);
bool json_build_more(struct json_build *build); // makes room for at least two slots
bool json_build_open(struct json_build *build, bool map); // false beyond JSON_DEPTH_MAX or without memory
struct value json_build_close(struct json_build *build); // null with heap->failed set when over the limit
void json_build_free(struct json_build *build);
static inline bool json_build_push(struct json_build *build, struct value v)
{
    if (BASE_UNLIKELY(build->count + 2 > build->cap) && !json_build_more(build)) {
        return false;
    }
    build->slots[build->count++] = v;
    return true;
}
// Sets code, text, and line and column (in characters) of `at` inside `text`; returns false.
bool json_fail_at(struct view text, const char *at, struct fail *fail, enum fail_code code, const char *why) BASE_COLD;
// The digits of \uXXXX; false when they are not four hexadecimal digits.
bool json_hex4(const char *at, const char *end, uint32_t *ret_unit);
// A number as JSON spells it, the whole of `text`; integral ones that fit are NUMBER. False when it is none or too large for a decimal.
bool json_number(struct view text, struct value *ret_value);

// ---- calendar -----------------------------------------------------------------------------------

// Writes Zoho's default form of a date, date-time or time: dd-MMM-yyyy, dd-MMM-yyyy HH:mm:ss, HH:mm:ss.
void calendar_print_default(struct buffer *out, struct value v, const struct zone *zone);

extern const char *const CALENDAR_MONTHS[12]; // full English names; the first three letters are the short ones
extern const char *const CALENDAR_WEEKDAYS[7]; // from Sunday

// Pieces that the readers of patterns and of literals share. Each stands at *at in `text` and moves on when it finds what it looks for.
bool scan_number(struct view text, size_t *at, size_t digits_max, int *ret_number, size_t *ret_digits); // up to 9 digits
bool scan_name(struct view text, size_t *at, const char *const *names, int count, int *ret_index); // full or three letters, any case
bool scan_half(struct view text, size_t *at, bool *ret_afternoon); // am, pm, any case
void scan_blanks(struct view text, size_t *at);
// A zone: Z, ±hh, ±hhmm, ±hh:mm, GMT, UTC, GMT±h:mm, or a short name. Gives a zone, or an offset with *ret_zone NULL.
struct scan_zone {
    bool found;
    const struct zone *zone;
    int offset_ms;
};
bool scan_zone(struct view text, size_t *at, struct scan_zone *ret_zone);
int calendar_full_year(int two_digits); // Java's window: 80 years back, 20 ahead
// Wall-clock fields in the zone that was read, or else in `zone`. False when a field is out of its range.
bool calendar_settle(const struct civil *civil, const struct scan_zone *found, const struct zone *zone, int64_t *ret_millis);
