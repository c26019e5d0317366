// SPDX-License-Identifier: Apache-2.0
//
// base: what every room stands on. Memory with a limit, borrowed text, the failure record, time, the log, randomness and the sealing of
// secrets. Nothing here knows of scripts, records or HTTP. This is the room's one public header.
//
// Conventions that hold everywhere:
//   - a function that can fail returns bool; false means that the failure record (always the last parameter) is set and no output was
//   touched;
//   - outputs are named ret_x and are set on success only;
//   - `struct view` borrows bytes, which need not end in NUL and are never freed through it;
//   - every growing thing is created with a maximum.
#pragma once

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if defined(__GNUC__)
#define BASE_PRINTF(text_index, first_index) __attribute__((format(printf, text_index, first_index)))
#define BASE_HOT __attribute__((hot))
#define BASE_COLD __attribute__((cold, noinline))
#define BASE_LIKELY(x) __builtin_expect(!!(x), 1)
#define BASE_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define BASE_PRINTF(text_index, first_index)
#define BASE_HOT
#define BASE_COLD
#define BASE_LIKELY(x) (x)
#define BASE_UNLIKELY(x) (x)
#endif
#define BASE_COUNT(array) (sizeof(array) / sizeof((array)[0]))

// ---- view: borrowed bytes -----------------------------------------------------------------------

struct view {
    const char *data;
    size_t len; // bytes
};

#define VIEW(literal) ((struct view){(literal), sizeof(literal) - 1})
#define VIEW_NONE ((struct view){NULL, 0})
#define VIEW_ARGS(v) (int)(v).len, (v).data // for "%.*s"

struct view view_of(const char *text); // NULL gives the empty view
bool view_eq(struct view a, struct view b);
bool view_eq_nocase(struct view a, struct view b); // ASCII case only
bool view_starts(struct view text, struct view prefix);
bool view_starts_nocase(struct view text, struct view prefix);
bool view_ends(struct view text, struct view suffix);
int view_compare(struct view a, struct view b); // by byte, as memcmp
struct view view_from(struct view text, size_t start); // clamped
struct view view_slice(struct view text, size_t start, size_t len); // clamped
struct view view_trim(struct view text); // ASCII blanks and control bytes at both ends
ptrdiff_t view_find(struct view text, struct view needle); // byte offset of the first occurrence, -1 if absent
ptrdiff_t view_find_char(struct view text, char c);
// Cuts `*rest` at the first `separator`: returns what stands before it and moves *rest behind it (empty when there is none).
struct view view_cut(struct view *rest, char separator);
bool view_to_int64(struct view text, int64_t *ret_number); // optional sign and digits, nothing else; false on overflow
bool view_to_decimal(struct view text, double *ret_number); // digits, point, exponent; no blanks, no hex, no inf/nan
uint64_t view_hash(struct view text); // good spread, keyed per process (hash flooding)
uint64_t view_hash_nocase(struct view text); // equal for texts that are view_eq_nocase

// ---- fail: why something did not work -----------------------------------------------------------

// Codes stand in base/fail.def: code, Zoho's name, HTTP status, default text.
enum fail_code {
    FAIL_NONE,
#define FAIL(code, name, status, text) code,
#include "base/fail.def"
#undef FAIL
    FAIL_CODES
};

enum { FAIL_TEXT_MAX = 512, FAIL_FILE_MAX = 128 };

struct fail {
    enum fail_code code;
    int line, column; // in the script, from 1; 0 = not known
    char file[FAIL_FILE_MAX]; // script file or function name, may be empty
    char text[FAIL_TEXT_MAX]; // for people; UTF-8, cut at a character when too long
};

// Sets code and text (format NULL = the code's default text); returns false so that `return fail_set(…)` reads well.
bool fail_set(struct fail *fail, enum fail_code code, const char *format, ...) BASE_PRINTF(3, 4) BASE_COLD;
bool fail_set_v(struct fail *fail, enum fail_code code, const char *format, va_list args) BASE_COLD;
void fail_clear(struct fail *fail);
const char *fail_name(enum fail_code code); // "INVALID_DATA"
int fail_status(enum fail_code code); // HTTP status
const char *fail_default_text(enum fail_code code);
const char *fail_symbol(enum fail_code code); // "FAIL_SCRIPT", for `docs errors`

// ---- arena: memory of one exchange, freed as a whole --------------------------------------------

struct arena_chunk;
struct arena {
    struct arena_chunk *chunks;
    char *next, *end;
    size_t bytes, bytes_max; // taken from the system, and how much may be
};

void arena_init(struct arena *arena, size_t bytes_max);
void *arena_alloc(struct arena *arena, size_t bytes); // aligned to 16, zeroed; NULL when over the maximum
struct view arena_copy(struct arena *arena, struct view text); // VIEW_NONE when over; a NUL follows the copy
struct view arena_printf(struct arena *arena, const char *format, ...) BASE_PRINTF(2, 3);
void arena_reset(struct arena *arena); // keeps the first chunk for the next exchange
void arena_free(struct arena *arena);

// ---- buffer: growing bytes ----------------------------------------------------------------------

// Adding beyond `max` (or without memory) sets `failed`; later additions do nothing. Check once at the end.
struct buffer {
    char *data;
    size_t len, cap, max;
    bool failed;
};

void buffer_init(struct buffer *buffer, size_t bytes_max); // takes no memory yet
void buffer_add(struct buffer *buffer, struct view text);
void buffer_add_char(struct buffer *buffer, char c);
void buffer_add_int(struct buffer *buffer, int64_t number);
void buffer_printf(struct buffer *buffer, const char *format, ...) BASE_PRINTF(2, 3);
char *buffer_space(struct buffer *buffer, size_t bytes); // room for `bytes` at the end (len unchanged), NULL when over
struct view buffer_view(const struct buffer *buffer);
const char *buffer_text(struct buffer *buffer); // NUL-terminated; "" after a failure
void buffer_reset(struct buffer *buffer); // empty, memory kept
void buffer_free(struct buffer *buffer);

// ---- table: text → pointer ----------------------------------------------------------------------

// Open addressing; keys are copied; with `nocase` keys that differ in ASCII case are one key. Values are the caller's.
struct table_slot;
struct table {
    struct table_slot *slots;
    size_t count, cap, max; // entries, slots, most entries allowed
    bool nocase;
};

void table_init(struct table *table, size_t entries_max, bool nocase);
void *table_get(const struct table *table, struct view key); // NULL if absent
bool table_put(struct table *table, struct view key, void *value); // replaces; false when full or without memory
void *table_remove(struct table *table, struct view key); // the removed value or NULL
bool table_next(const struct table *table, size_t *cursor, struct view *ret_key, void **ret_value); // start with cursor 0
void table_free(struct table *table);

// ---- text, numbers, UTF-8 -----------------------------------------------------------------------

bool utf8_valid(struct view text);
bool utf8_ascii(struct view text);
size_t utf8_units(struct view text); // UTF-16 units; text must be valid UTF-8
size_t utf8_offset(struct view text, size_t units); // byte offset of a UTF-16 index; inside a pair = behind it; clamped to len
uint32_t utf8_next(struct view text, size_t *offset); // code point at *offset, moves on; U+FFFD on bad bytes (moves one)
size_t utf8_encode(char out[4], uint32_t code_point); // bytes written
size_t utf8_clamp(struct view text, size_t bytes_max); // largest length ≤ bytes_max that ends at a character
enum { DECIMAL_TEXT_MAX = 352 };
// Shortest decimal text that reads back as `number`, plain notation, no exponent; integral values without ".0"; "NaN", "Infinity".
size_t decimal_print(char out[DECIMAL_TEXT_MAX], double number);
size_t int64_print(char out[21], int64_t number); // bytes written, no NUL
void hex_print(char *out, const void *bytes, size_t count); // 2·count lower-case digits, no NUL
bool hex_read(struct view hex, void *ret_bytes, size_t count);
size_t base64_size(size_t bytes); // of the padded form
size_t base64_print(char *out, struct view bytes); // standard alphabet, padded; bytes written
bool base64_read(struct view text, struct buffer *out); // blanks skipped; false if malformed

// ---- IP addresses -------------------------------------------------------------------------------

enum { ADDRESS_TEXT_MAX = 48 };
struct address { // an IPv4 address mapped into IPv6 is the IPv4 address
    uint8_t bytes[16];
    int len; // 4 or 16
};
struct address_range {
    struct address base;
    int bits; // of base that count
};
struct sockaddr;
bool address_read(struct view text, struct address *ret_address); // "192.0.2.1", "2001:db8::1"; no port, no brackets
bool address_of(const struct sockaddr *from, struct address *ret_address); // false for families that are not IP
bool address_range_read(struct view text, struct address_range *ret_range); // an address, or "10.0.0.0/8"
bool address_in(const struct address *address, const struct address_range *range);
bool address_in_any(const struct address *address, const struct address_range *ranges, int count);
// Addresses and ranges with commas between; empty items are left out. FAIL_INVALID_DATA names the one that is none. ret_ranges has room for
// `most`.
bool address_list_read(struct view text, struct address_range *ret_ranges, int most, int *ret_count, struct fail *fail);
size_t address_print(char out[ADDRESS_TEXT_MAX], const struct address *address);

// ---- clock, log, random -------------------------------------------------------------------------

int64_t clock_wall_ms(void); // since 1970, UTC
void clock_wall_fix(int64_t ms); // tests: from now on it is this time, in the whole process; 0 lets it go again
int64_t clock_monotonic_ns(void);
int64_t clock_thread_cpu_ns(void);

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
void log_open(enum log_level level, bool json);
bool log_wants(enum log_level level); // lines of this level are written
bool log_is_json(void);
// One line on standard error: time, level, event, then `format` ("key=value …"). Control bytes are escaped; never pass a secret.
void log_line(enum log_level level, const char *event, const char *format, ...) BASE_PRINTF(3, 4);

void random_bytes(void *out, size_t count); // from the system; the process ends if it cannot give any
void random_hex(char *out, size_t digits); // lower-case, no NUL
uint64_t random_fast(void); // not for secrets; one state a thread

// ---- seal: secrets at rest ----------------------------------------------------------------------

enum { SEAL_KEY_BYTES = 32, SEAL_HMAC_BYTES = 32, SEAL_OVERHEAD = 29 };

struct seal; // the master key and what is derived from it; immutable, shared by all threads
// From $SLUICE_MASTER_KEY_FILE, else DIR/master.key, which is made (0600) when absent. A key file that others may read is refused.
bool seal_open(const char *folder, struct seal **ret_seal, struct fail *fail);
// For `run` and tests: a key that is gone with the process.
struct seal *seal_open_ephemeral(void);
void seal_close(struct seal *seal);
// AES-256-GCM; `purpose` binds the text to its place ("zapikey/org/production/ns"): opening under another purpose fails.
bool seal_lock(const struct seal *seal, struct view purpose, struct view plain, struct buffer *out, struct fail *fail);
bool seal_unlock(const struct seal *seal, struct view purpose, struct view sealed, struct buffer *out, struct fail *fail);
// HMAC-SHA-256 under a key derived from the master key, for look-ups. No allocation; under a microsecond.
void seal_hmac(const struct seal *seal, struct view text, uint8_t ret_mac[SEAL_HMAC_BYTES]);
bool seal_equal(const void *a, const void *b, size_t count); // constant time
