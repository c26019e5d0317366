// SPDX-License-Identifier: Apache-2.0
//
// How runs lie in a chunk. A server's runs are much alike, so an entry spells only what differs from the entry before it:
//
//   chunk  version (1 byte), entries
//   entry  which texts are spelled (2 bytes, lowest first, bit i = text i), time as a difference to the entry before, status, statements
//          (signed numbers), duration (8 bytes, the bits of an IEEE double, lowest first), the spelled texts (length, bytes)
//
// Lengths and numbers are written 7 bits a byte, lowest first, the high bit saying that more follow; signed ones with their sign in the
// lowest bit. A usual entry takes 45 bytes where a row with a column for each member took 300 and its place in an index.
//
// Reading trusts nothing: a file may be damaged, and every length is compared with what is left.
#include "store/chunk.h"

#include <stdlib.h>

enum {
    FORMAT_VERSION = 1,
    NUMBER_BYTES_MAX = 10,
    MASK_BYTES = 2,
    DURATION_BYTES = 8,
    FIXED_BYTES_MAX = MASK_BYTES + 3 * NUMBER_BYTES_MAX + DURATION_BYTES, // all but the texts
};

// The order of the texts, which is part of the format.
static const size_t text_offsets[CHUNK_TEXTS] = {
    offsetof(struct runlog_entry, id),       offsetof(struct runlog_entry, org),     offsetof(struct runlog_entry, environment),
    offsetof(struct runlog_entry, function), offsetof(struct runlog_entry, version), offsetof(struct runlog_entry, trigger),
    offsetof(struct runlog_entry, method),   offsetof(struct runlog_entry, outcome), offsetof(struct runlog_entry, error),
    offsetof(struct runlog_entry, lines),
};

static struct view text_of(const struct runlog_entry *entry, int i)
{
    struct view text;
    memcpy(&text, (const char *)entry + text_offsets[i], sizeof text);
    return text;
}

// ---- adding -------------------------------------------------------------------------------------

size_t chunk_entry_bytes(const struct runlog_entry *entry)
{
    size_t bytes = FIXED_BYTES_MAX;
    for (int i = 0; i < CHUNK_TEXTS; i++) {
        size_t len = text_of(entry, i).len;
        bytes += NUMBER_BYTES_MAX + (len < UINT32_MAX ? len : UINT32_MAX); // more than any queue takes, and no overflow
    }
    return bytes;
}

struct chunk *chunk_new(size_t entry_bytes)
{
    size_t cap = 1 + entry_bytes > CHUNK_BYTES ? 1 + entry_bytes : CHUNK_BYTES;
    struct chunk *chunk = malloc(sizeof *chunk + cap);
    if (chunk) {
        *chunk = (struct chunk){.cap = cap, .used = 1};
        chunk->bytes[0] = FORMAT_VERSION;
    }
    return chunk;
}

static char *put_number(char *at, uint64_t number)
{
    while (number >= 0x80) {
        *at++ = (char)(number | 0x80);
        number >>= 7;
    }
    *at++ = (char)number;
    return at;
}

static char *put_signed(char *at, int64_t number)
{
    return put_number(at, (uint64_t)number << 1 ^ (uint64_t)(number >> 63));
}

static char *put_double(char *at, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    for (int i = 0; i < DURATION_BYTES; i++) {
        *at++ = (char)(bits >> 8 * i);
    }
    return at;
}

static bool is_as_before(const struct chunk *chunk, int i, struct view text)
{
    return text.len == chunk->last[i].len && (text.len == 0 || memcmp(text.data, chunk->bytes + chunk->last[i].at, text.len) == 0);
}

static char *put_text(struct chunk *chunk, int i, char *at, struct view text)
{
    at = put_number(at, text.len);
    chunk->last[i].at = (uint32_t)(at - chunk->bytes);
    chunk->last[i].len = (uint32_t)text.len;
    if (text.len) {
        memcpy(at, text.data, text.len);
    }
    return at + text.len;
}

bool chunk_add(struct chunk *chunk, const struct runlog_entry *entry, size_t entry_bytes)
{
    if (chunk->cap - chunk->used < entry_bytes) {
        return false;
    }
    char *mask_at = chunk->bytes + chunk->used, *at = mask_at + MASK_BYTES;
    // Times are compared as unsigned numbers: a clock that was set back far must not overflow.
    at = put_signed(at, (int64_t)((uint64_t)entry->time_ms - (uint64_t)chunk->last_ms));
    at = put_signed(at, entry->status);
    at = put_signed(at, entry->statements);
    at = put_double(at, entry->duration_ms);
    unsigned mask = 0;
    for (int i = 0; i < CHUNK_TEXTS; i++) {
        struct view text = text_of(entry, i);
        if (!is_as_before(chunk, i, text)) {
            mask |= 1u << i;
            at = put_text(chunk, i, at, text);
        }
    }
    mask_at[0] = (char)mask;
    mask_at[1] = (char)(mask >> 8);
    chunk->newest_ms = chunk->count && chunk->newest_ms > entry->time_ms ? chunk->newest_ms : entry->time_ms;
    chunk->last_ms = entry->time_ms;
    chunk->used = (size_t)(at - chunk->bytes);
    chunk->count++;
    return true;
}

// ---- reading ------------------------------------------------------------------------------------

static bool get_number(struct view *rest, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < rest->len && i < NUMBER_BYTES_MAX; i++) {
        unsigned char byte = (unsigned char)rest->data[i];
        number |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *rest = view_from(*rest, i + 1);
            *ret_number = number;
            return true;
        }
    }
    return false;
}

static bool get_signed(struct view *rest, int64_t *ret_number)
{
    uint64_t number;
    if (!get_number(rest, &number)) {
        return false;
    }
    *ret_number = (int64_t)(number >> 1 ^ (0 - (number & 1)));
    return true;
}

// `count` bytes, lowest first.
static bool get_bytes(struct view *rest, size_t count, uint64_t *ret_bits)
{
    if (rest->len < count) {
        return false;
    }
    uint64_t bits = 0;
    for (size_t i = 0; i < count; i++) {
        bits |= (uint64_t)(unsigned char)rest->data[i] << (8 * i);
    }
    *rest = view_from(*rest, count);
    *ret_bits = bits;
    return true;
}

static bool get_text(struct view *rest, struct view *ret_text)
{
    uint64_t len;
    if (!get_number(rest, &len) || len > rest->len) {
        return false;
    }
    *ret_text = view_slice(*rest, 0, (size_t)len);
    *rest = view_from(*rest, (size_t)len);
    return true;
}

// What is not spelled stays as it is in the entry, which is the one before.
static bool read_entry(struct view *rest, struct runlog_entry *entry)
{
    uint64_t mask, duration;
    int64_t since_ms, status;
    if (!get_bytes(rest, MASK_BYTES, &mask) || !get_signed(rest, &since_ms) || !get_signed(rest, &status) ||
        !get_signed(rest, &entry->statements) || !get_bytes(rest, DURATION_BYTES, &duration)) {
        return false;
    }
    entry->time_ms = (int64_t)((uint64_t)entry->time_ms + (uint64_t)since_ms);
    entry->status = (int)status;
    memcpy(&entry->duration_ms, &duration, sizeof entry->duration_ms);
    for (int i = 0; i < CHUNK_TEXTS; i++) {
        if (!(mask & 1u << i)) {
            continue;
        }
        struct view text;
        if (!get_text(rest, &text)) {
            return false;
        }
        memcpy((char *)entry + text_offsets[i], &text, sizeof text);
    }
    return true;
}

bool chunk_open(struct chunk_reader *reader, struct view bytes, struct fail *fail)
{
    *reader = (struct chunk_reader){.rest = view_from(bytes, 1)};
    return bytes.len == 0 || bytes.data[0] == FORMAT_VERSION || fail_set(fail, FAIL_STORE, "the run log has a format that is not known");
}

bool chunk_next(struct chunk_reader *reader, struct fail *fail)
{
    fail_clear(fail);
    if (reader->rest.len == 0) {
        return false;
    }
    return read_entry(&reader->rest, &reader->entry) || fail_set(fail, FAIL_STORE, "the run log is damaged");
}
