// SPDX-License-Identifier: Apache-2.0
//
// json_build: lists and maps under construction, and what else the strict and the lenient JSON reader share. Finished values lie on one
// stack of slots. Opening a container pushes a marker that remembers the container around it; closing takes everything above the marker and
// copies it into a list or map of exactly that size: one pass, no garbage in the heap, no recursion.
#include "value/inside.h"

#include <math.h>
#include <stdlib.h>

void json_build_init(struct json_build *build, struct heap *heap)
{
    build->heap = heap;
    build->slots = build->few;
    build->count = build->base = 0;
    build->cap = JSON_SLOTS_FEW;
    build->depth = 0;
    build->in_map = false;
}

bool json_build_more(struct json_build *build)
{
    // What is staged will have to fit into the heap soon: refuse now what would be refused then.
    size_t cap = build->cap * 2, left = build->heap->bytes_max - build->heap->bytes;
    if (build->heap->bytes > build->heap->bytes_max || build->count * sizeof *build->slots > left) {
        return heap_refuse(build->heap);
    }
    bool first = build->slots == build->few;
    struct value *slots = realloc(first ? NULL : build->slots, cap * sizeof *slots);
    if (!slots) {
        return heap_refuse(build->heap);
    }
    if (first) {
        memcpy(slots, build->few, sizeof build->few);
    }
    build->slots = slots;
    build->cap = cap;
    return true;
}

// The marker's number is the base of the container around, its flag says whether that is a map.
bool json_build_open(struct json_build *build, bool map)
{
    struct value marker = {.type = VALUE_NULL, .flags = build->in_map, .number = (int64_t)build->base};
    if (build->depth >= JSON_DEPTH_MAX || !json_build_push(build, marker)) {
        return false;
    }
    build->depth++;
    build->base = build->count;
    build->in_map = map;
    return true;
}

// Lists from JSON print with brackets (spec/deluge-language.md §1.2), hence the mark.
static struct value close_list(struct json_build *build, size_t count)
{
    struct value v = value_list(build->heap, count);
    if (value_is_null(v)) {
        return v;
    }
    v.list->json = 1;
    v.list->count = (uint32_t)count;
    if (count > 0) {
        memcpy(v.list->items, build->slots + build->base, count * sizeof *build->slots);
    }
    return v;
}

// The container is off the stack even when the heap refused it; the readers stop then anyway.
struct value json_build_close(struct json_build *build)
{
    size_t count = build->count - build->base;
    struct value v = value_null();
    if (count > UINT32_MAX / 2) {
        heap_refuse(build->heap);
    } else if (build->in_map) {
        v = map_from_pairs(build->heap, build->slots + build->base, (uint32_t)(count / 2));
    } else {
        v = close_list(build, count);
    }
    struct value marker = build->slots[build->base - 1];
    build->count = build->base - 1;
    build->base = (size_t)marker.number;
    build->in_map = marker.flags;
    build->depth--;
    return v;
}

void json_build_free(struct json_build *build)
{
    if (build->slots != build->few) {
        free(build->slots);
    }
}

// Only called on failure, so the position is counted here and not while reading.
bool json_fail_at(struct view text, const char *at, struct fail *fail, enum fail_code code, const char *why)
{
    fail_set(fail, code, "%s", why);
    fail->line = 1;
    fail->column = 1;
    for (const char *c = text.data; c < at; c++) {
        if (*c == '\n') {
            fail->line++;
            fail->column = 1;
        } else if (((unsigned char)*c & 0xC0) != 0x80) { // continuation bytes are no characters
            fail->column++;
        }
    }
    return false;
}

bool json_hex4(const char *at, const char *end, uint32_t *ret_unit)
{
    uint32_t unit = 0;
    if (end - at < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit > 15) {
            return false;
        }
        unit = unit << 4 | digit;
    }
    *ret_unit = unit;
    return true;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return at;
}

// 19 digits always fit into 64 bits without a sign; the sign decides whether they fit with one.
static bool integral(const char *digits, const char *end, bool negative, int64_t *ret_number)
{
    if (end - digits > 19) {
        return false;
    }
    uint64_t number = 0;
    for (; digits < end; digits++) {
        number = number * 10 + (uint64_t)(*digits - '0');
    }
    if (number > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *ret_number = negative ? (int64_t)(0 - number) : (int64_t)number;
    return true;
}

bool json_number(struct view text, struct value *ret_value)
{
    const char *at = text.data, *end = at + text.len;
    bool negative = at < end && *at == '-';
    const char *digits = at += negative, *behind = skip_digits(digits, end);
    int64_t number;
    double decimal;
    if (behind == digits || (*digits == '0' && behind > digits + 1)) {
        return false;
    }
    if (behind == end && integral(digits, end, negative, &number)) {
        *ret_value = value_number(number);
        return true;
    }
    if (behind < end && *behind == '.') {
        at = behind + 1;
        behind = skip_digits(at, end);
        if (behind == at) {
            return false;
        }
    }
    if (behind < end && (*behind == 'e' || *behind == 'E')) {
        at = behind + 1;
        at += at < end && (*at == '+' || *at == '-');
        behind = skip_digits(at, end);
        if (behind == at) {
            return false;
        }
    }
    if (behind != end || !view_to_decimal(text, &decimal) || isinf(decimal)) {
        return false;
    }
    *ret_value = value_decimal(decimal);
    return true;
}
