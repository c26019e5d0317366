// SPDX-License-Identifier: Apache-2.0
//
// The inside header of lib: the tables that lib_register adds, and the few helpers that rows of several types share. What a native needs
// beyond the arg_ readers of lang/lang.h stands here: the receiver as a text value, dates from whatever holds one, a result that is built
// piece by piece, and the two ways in which a long native ends early (the run's interrupt, the heap's limit).
#pragma once

#include "lib/lib.h"

// One file's rows.
struct lib_table {
    const struct native *rows;
    size_t count;
};
#define LIB_TABLE(rows)                                                                                                                    \
    {                                                                                                                                      \
        (rows), BASE_COUNT(rows)                                                                                                           \
    }

extern const struct lib_table lib_text_table, lib_text_search_table, lib_regex_table, lib_json_table, lib_common_table, lib_convert_table;
extern const struct lib_table lib_number_table, lib_trigonometry_table, lib_number_format_table, lib_list_table, lib_list_order_table;
extern const struct lib_table lib_statistics_table, lib_map_table, lib_collection_table, lib_datetime_table, lib_datetime_math_table;
extern const struct lib_table lib_business_table, lib_url_table, lib_encryption_table, lib_file_table, lib_xml_table, lib_archive_table;
extern const struct lib_table lib_number_words_table;
extern const struct native_word lib_words[]; // for "did you mean", words.c
extern const size_t lib_word_count;

enum {
    // Receivers of text natives. Zoho converts to text without a word, and a request map answers trim() and the like (PRODUCT "What a
    // function
    // gets"), so everything with a printed form is taken, unless the type has a row of its own under that name.
    LIB_SCALAR = NATIVE_TEXT | NATIVE_NUMBERS | NATIVE_DATES | NATIVE_TYPE(VALUE_BOOL) | NATIVE_TYPE(VALUE_TIME),
    LIB_PRINTS = LIB_SCALAR | NATIVE_LIST | NATIVE_MAP | NATIVE_COLLECTION,
    LIB_DATED = NATIVE_DATES | NATIVE_TEXT, // a date, or text that holds one (spec/deluge-builtins.md R7)
    LIB_LIST = NATIVE_LIST | NATIVE_COLLECTION,
    LIB_MAP_ONLY = NATIVE_TYPE(VALUE_MAP), // where the list row of the name has the empty {} already
    LIB_ADD_ALL_MAX = 25000, // spec/deluge-builtins.md R12
    LIB_JSON_BYTES_MAX = 5 << 20, // the same
    LIB_BYTES_PER_COST = 64, // bytes that a native copies or compares in the time of one instruction
    LIB_ELEMENTS_PER_COST = 4,
    LIB_DAY_MS = 24 * 60 * 60 * 1000,
};

// ---- arguments ----------------------------------------------------------------------------------

// Receiver or argument as a text value: texts as they are (with their flag), everything else printed as arg_text does.
bool lib_text(struct native_call *call, int index, struct value *ret_text);
// A list: itself, a collection's inside, or for an empty {} that is still nothing an empty list of its own.
bool lib_list(struct native_call *call, int index, struct list **ret_list);
bool lib_map(struct native_call *call, int index, struct map **ret_map); // the same for maps; text must hold a JSON object
static inline struct value lib_arg(const struct native_call *call, int index)
{
    return index < call->count ? call->args[index] : value_null();
}
// The list or map that a mutating native writes to; an empty {} becomes one now.
bool lib_list_target(struct native_call *call, struct list **ret_list);
bool lib_map_target(struct native_call *call, struct map **ret_map);

struct lib_date {
    int64_t millis;
    bool has_time;
};
// DATE, DATE-TIME, or text in any accepted form; else fails with Zoho's "UnParsable date".
bool lib_date(struct native_call *call, int index, struct lib_date *ret_date);
struct value lib_date_value(struct lib_date date); // DATE-TIME when it has a time, else DATE
bool lib_date_return(struct native_call *call, struct lib_date date); // fails outside the years 1 to 9999
// "Sunday" or "sun" in any case: 1 to 7, as weekday() counts.
bool lib_weekday_read(struct native_call *call, struct view name, int *ret_weekday);

// ---- results ------------------------------------------------------------------------------------

static inline bool lib_return(struct native_call *call, struct value value)
{
    *call->ret = value;
    return true;
}
static inline bool lib_return_bool(struct native_call *call, bool b)
{
    return lib_return(call, value_bool(b));
}
static inline bool lib_return_number(struct native_call *call, int64_t number)
{
    return lib_return(call, value_number(number));
}
bool lib_return_text(struct native_call *call, struct view text); // copies
bool lib_return_point(struct native_call *call, double number); // prints "1.0" when whole (PRODUCT: trigonometry and signum)
bool lib_return_decimal(struct native_call *call, double number); // NaN and infinities become null, as Zoho's log10 does

// Text of a known size: room in the heap, to be closed with value_text_done. False (memory limit) when it does not fit.
bool lib_space(struct native_call *call, uint64_t bytes, struct value *ret_text, char **ret_bytes);
// Text of unknown size: a buffer bounded by what the heap may still take; lib_buffer_return copies it into the result and frees it.
void lib_buffer(struct native_call *call, struct buffer *buffer);
bool lib_buffer_return(struct native_call *call, struct buffer *buffer);
bool lib_memory_fail(struct native_call *call); // FAIL_LIMIT, returns false
bool lib_list_new(struct native_call *call, size_t room, struct value *ret_list);
bool lib_push(struct native_call *call, struct list *list, struct value item); // list_add, with the memory failure set
// Long loops ask in each step: true when the run is to end (fail is set then). One load, so that a step that is long itself cannot hide
// behind a count.
bool lib_cancel(struct native_call *call); // sets FAIL_CANCELLED, returns true
static inline bool lib_interrupted(struct native_call *call)
{
    return lang_interrupted(call->interrupt) && lib_cancel(call);
}

static inline void lib_cost_bytes(struct native_call *call, size_t bytes)
{
    call->cost += (int64_t)(bytes / LIB_BYTES_PER_COST);
}
// For natives that count or find UTF-16 units: a text that is not ASCII is walked, a few bytes in the time of one instruction.
static inline void lib_cost_units(struct native_call *call, struct value text)
{
    call->cost += text.flags & VALUE_ASCII ? 0 : text.len / LIB_ELEMENTS_PER_COST;
}
static inline void lib_cost_elements(struct native_call *call, size_t elements)
{
    call->cost += (int64_t)(elements / LIB_ELEMENTS_PER_COST);
}

// ---- shared by several tables -------------------------------------------------------------------

// Text as JSON: strict first (quick), then as leniently as Zoho's toMap(). Fails with "Invalid JSON Format String".
bool lib_json(struct native_call *call, struct view text, struct value *ret_value);
// A map's value by a key as scripts write it: exact, else a number under its printed form (JSON has text keys only).
bool lib_map_find(struct native_call *call, const struct map *map, struct value key, struct value *ret_value);
bool lib_list_at(struct native_call *call, struct list *list, int index_argument, uint32_t *ret_index); // Zoho's error when out of range
// A static text of one ASCII byte: splitting into characters costs no memory for them.
struct value lib_byte_text(unsigned char byte);
// ASCII and Unicode simple case folding, one code point to one.
void lib_fold(struct buffer *out, struct view text);
bool lib_number_text(struct view text, struct value *ret_number); // NUMBER or DECIMAL if the whole text, blanks apart, is one
// Compares two values of one kind, below.
int lib_compare(struct value a, struct value b);
enum lib_kind { LIB_UNORDERED, LIB_NUMBERS, LIB_TEXTS, LIB_DATES, LIB_BOOLS };
enum lib_kind lib_kind(struct value v);
// Sorts in place, stable; on a helper thread when it is long and a fiber runs. Elements must be of one kind.
bool lib_sort(struct native_call *call, struct value *items, size_t count, bool ascending);
bool lib_sort_by(struct native_call *call, void *items, size_t count, size_t size, int (*compare)(const void *a, const void *b));
// The values of one kind in `count` items; LIB_UNORDERED when mixed. Empty is LIB_TEXTS.
enum lib_kind lib_items_kind(const struct value *items, size_t count);
// Keeps first-seen values; `set` is a map used as a set.
bool lib_set_add(struct native_call *call, struct map *set, struct value item, bool *ret_new);

// Java DecimalFormat (spec/deluge-builtins.md §3 text()) of a NUMBER or DECIMAL.
void lib_decimal_format(struct buffer *out, struct value number, struct view pattern);
// Shortest decimal text of `number` rounded half up, or cut, to `places` (may be negative), on its decimal digits as Java's BigDecimal
// does.
enum lib_rounding { LIB_HALF_UP, LIB_CUT };
double lib_round(double number, int places, enum lib_rounding rounding);

// ---- crypto.c: the one file that sees OpenSSL ---------------------------------------------------

enum lib_digest { LIB_MD5, LIB_SHA1, LIB_SHA256, LIB_SHA384, LIB_SHA512, LIB_DIGESTS };
enum { LIB_DIGEST_BYTES_MAX = 64, LIB_AES_BLOCK = 16 };
bool lib_crypto_digest(enum lib_digest digest, struct view data, unsigned char ret_bytes[LIB_DIGEST_BYTES_MAX], size_t *ret_count);
bool lib_crypto_hmac(enum lib_digest digest, struct view key, struct view data, unsigned char ret_bytes[LIB_DIGEST_BYTES_MAX],
                     size_t *ret_count);
// AES-CBC with PKCS#7; key of 16 or 32 bytes. `out` must be empty. Decrypting fails on a wrong key or damaged text.
bool lib_crypto_aes(bool encrypt, const unsigned char *key, size_t key_bytes, const unsigned char iv[LIB_AES_BLOCK], struct view in,
                    struct buffer *out);
