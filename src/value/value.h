// SPDX-License-Identifier: Apache-2.0
//
// value: the one data model. A JSON body, a script's variable, a CRM record and a reply are the same `struct value`.
//
// A value is 16 bytes. Null, bool, number, decimal, date, time stand in it; text, list, map and file point into a heap. Every heap belongs to one
// owner (a run, or a constant pool that is never changed after it was built) and is dropped whole: nobody frees a single value. A value never
// points into another owner's memory except at constants of the unit that runs; whoever carries a value elsewhere copies it (value_copy).
//
// Text is UTF-8. Its length and indexes, as a script sees them, are UTF-16 units (as in Java); VALUE_ASCII says that bytes and units agree.
// The bytes of a text are a prefix of a growable block: `s = s + x` writes behind the prefix when nobody has yet, and forks otherwise, so an old
// value still shows what it showed. Lists and maps are references: two variables can hold the same list.
//
// Memory: allocation beyond the heap's maximum returns NULL and sets heap->failed; constructors then return null values. The VM looks at
// heap->failed after every native, so a native may ignore it as long as it does not follow a NULL pointer.
#pragma once

#include "base/base.h"

enum value_type {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_NUMBER,     // int64
    VALUE_DECIMAL,    // IEEE double
    VALUE_TEXT,
    VALUE_LIST,
    VALUE_MAP,
    VALUE_COLLECTION, // a list or a map inside, see struct collection
    VALUE_DATE,       // millis of midnight in the heap's zone
    VALUE_DATETIME,   // millis since 1970 UTC
    VALUE_TIME,       // millis of the day
    VALUE_FILE,
    VALUE_FRESH,      // the literal {}: empty, becomes a list or a map at the first add or put
    VALUE_TYPES
};

enum { VALUE_ASCII = 1, VALUE_POINT = 2 }; // flags: a text of bytes < 0x80 only; a decimal that prints `.0` when it is whole

struct value {
    uint8_t type;  // enum value_type
    uint8_t flags; // VALUE_ASCII
    uint16_t reserved;
    uint32_t len;  // VALUE_TEXT: bytes
    union {
        bool boolean;
        int64_t number;
        double decimal;
        int64_t millis;
        struct text *text;
        struct list *list;
        struct map *map;
        struct collection *collection;
        struct file *file;
        struct fresh *fresh;
    };
};

// The block behind a text. `used` bytes are written, `cap` fit. A text value with len == used owns the end and may append in place.
struct text {
    uint32_t used, cap;
    uint32_t hash; // of the whole block, 0 = not computed; set by the compiler for constants, never lazily on shared ones
    uint32_t fixed; // constant: never appended to
    char bytes[];
};

struct list {
    struct value *items;
    uint32_t count, cap;
    uint8_t json;      // came from JSON: prints with brackets
    uint8_t item_type; // typed list (List:Int()): enum value_type that items are converted to, 0 = any
};

struct map_entry {
    struct value key, value;
    uint32_t hash;
    uint32_t removed;
};

struct map {
    struct map_entry *entries; // in insertion order; removed ones are skipped
    uint32_t count;            // live entries
    uint32_t used, cap;        // entries written, entries that fit
    uint32_t *index;           // hash → entry + 1, NULL while small (≤ 8 entries are searched in line)
    uint32_t index_cap;        // power of two
    uint32_t nocase;           // keys are lower-case ASCII texts, found whatever the case asked for (request headers)
};

struct collection {
    struct value inner; // VALUE_LIST, VALUE_MAP, or VALUE_FRESH while empty
};

struct fresh {
    struct value target; // VALUE_NULL until it became a list or a map
};

struct file {
    struct view bytes; // in the same heap
    struct value name, type, charset, param_name, password; // text or null
};

struct zone; // a time zone's rules, immutable once loaded; see the calendar below

// ---- heap ---------------------------------------------------------------------------------------

struct heap {
    struct heap_chunk *chunks;
    char *next, *end;         // bump space of the newest chunk
    size_t bytes, bytes_max;  // taken, and the hard limit
    bool failed;              // an allocation was refused
    const struct zone *zone;  // dates of this heap print in it; NULL = UTC
    uint8_t key_order;        // enum json_key_order of maps that become text by value_to_text
    struct heap_closer *closers;
};

void heap_init(struct heap *heap, size_t bytes_max, const struct zone *zone);
void *heap_alloc(struct heap *heap, size_t bytes); // aligned to 8, not zeroed; NULL when over the limit
bool heap_on_close(struct heap *heap, void (*close)(void *arg), void *arg); // foreign memory: called by heap_free, last first
bool heap_charge(struct heap *heap, size_t bytes);  // counts foreign memory; false when over
void heap_free(struct heap *heap);                  // everything; the heap may be initialised again
void heap_reset(struct heap *heap);                 // as heap_free, but keeps one chunk for the next run

// ---- making values ------------------------------------------------------------------------------

static inline struct value value_null(void) { return (struct value){.type = VALUE_NULL}; }
static inline struct value value_bool(bool b) { return (struct value){.type = VALUE_BOOL, .boolean = b}; }
static inline struct value value_number(int64_t n) { return (struct value){.type = VALUE_NUMBER, .number = n}; }
static inline struct value value_decimal(double d) { return (struct value){.type = VALUE_DECIMAL, .decimal = d}; }
static inline struct value value_date(int64_t millis) { return (struct value){.type = VALUE_DATE, .millis = millis}; }
static inline struct value value_datetime(int64_t millis) { return (struct value){.type = VALUE_DATETIME, .millis = millis}; }
struct value value_text(struct heap *heap, struct view text);          // copies; text must be valid UTF-8 (bad bytes become U+FFFD)
struct value value_text_printf(struct heap *heap, const char *format, ...) BASE_PRINTF(2, 3);
struct value value_text_space(struct heap *heap, size_t bytes, char **ret_bytes); // uninitialised text to fill; call value_text_done after
struct value value_text_done(struct value text, size_t len);           // fixes length and the ASCII flag
struct value value_text_concat(struct heap *heap, struct value left, struct value right); // both texts; appends in place when it can
struct value value_list(struct heap *heap, size_t room);
struct value value_map(struct heap *heap, size_t room);
struct value value_fresh(struct heap *heap);
struct value value_collection(struct heap *heap, struct value inner);
struct value value_file(struct heap *heap, struct view bytes, struct view name, struct view type);
#define VALUE_TEXT_LITERAL(heap, literal) value_text((heap), VIEW(literal))

// ---- looking at values --------------------------------------------------------------------------

static inline bool value_is_null(struct value v) { return v.type == VALUE_NULL; }
static inline bool value_is_text(struct value v) { return v.type == VALUE_TEXT; }
static inline struct view value_view(struct value text) { return (struct view){text.text->bytes, text.len}; } // VALUE_TEXT only
struct view value_view_or(struct value v, struct view otherwise); // text's bytes, or `otherwise` for anything else
// VALUE_FRESH that became something → that thing; all else unchanged. All values that hold one {} share its struct fresh and see what it became.
static inline struct value value_resolve(struct value v)
{
    return BASE_UNLIKELY(v.type == VALUE_FRESH) && v.fresh->target.type != VALUE_NULL ? v.fresh->target : v;
}
size_t value_text_units(struct value text);                // UTF-16 units
struct value value_text_slice(struct heap *heap, struct value text, size_t start_units, size_t end_units); // clamped
const char *value_type_name(struct value v);               // Zoho's word: "TEXT", "NUMBER", "DECIMAL", "BOOLEAN", "LIST", "MAP", "DATE", "DATE-TIME" …
uint32_t value_hash(struct value v);                       // depth-limited; equal values hash alike
// Same type and content; NUMBER and DECIMAL of equal value are equal; lists and maps in depth (limit VALUE_DEPTH_MAX, deeper = not equal).
bool value_equal(struct value a, struct value b);
struct value value_copy(struct heap *heap, struct value v, struct fail *fail); // deep, into `heap`; null with fail set beyond the depth limit
// Templates: value_fix makes every text below `v` a constant; value_share copies the containers and shares constant texts. Their owner must outlive
// whoever shares them (a run pins it).
bool value_fix(struct value v, struct fail *fail);
struct value value_share(struct heap *heap, struct value v, struct fail *fail);
enum { VALUE_DEPTH_MAX = 1000, JSON_DEPTH_MAX = 512 };

// ---- lists and maps -----------------------------------------------------------------------------

bool list_add(struct heap *heap, struct list *list, struct value item);
bool list_insert(struct heap *heap, struct list *list, uint32_t index, struct value item);
void list_remove(struct list *list, uint32_t index); // index < count
struct value map_get(const struct map *map, struct value key, bool *ret_found); // ret_found may be NULL; null if absent
struct value map_get_text(const struct map *map, struct view key);              // the usual case
bool map_put(struct heap *heap, struct map *map, struct value key, struct value value); // replaces in place, else appends
bool map_put_text(struct heap *heap, struct map *map, struct view key, struct value value); // copies the key
bool map_remove(struct map *map, struct value key);                             // false if absent
void map_clear(struct map *map);
static inline void map_set_nocase(struct map *map) { map->nocase = 1; } // of an empty map; whoever puts uses lower-case keys
struct map_entry *map_next(const struct map *map, uint32_t *cursor);            // live entries in order; start with 0; NULL at the end
// The list or map inside a value: for lists, maps, resolved fresh ones, collections; NULL otherwise.
struct list *value_as_list(struct value v);
struct map *value_as_map(struct value v);

// ---- printing -----------------------------------------------------------------------------------

// What `info`, "" + v and toString() show: texts as they are, lists joined by commas, maps as JSON, dates in Zoho's default format
// (spec/deluge-language.md §3). Depth beyond the limit is an error.
bool value_print(struct buffer *out, struct value v, const struct zone *zone, struct fail *fail);
struct value value_to_text(struct heap *heap, struct value v, struct fail *fail); // the same as a text value
enum json_key_order { JSON_INSERTION, JSON_JAVA_HASHMAP }; // spec/deluge-language.md §9.5
bool json_write(struct buffer *out, struct value v, const struct zone *zone, struct fail *fail); // compact; the only JSON writer
bool json_write_order(struct buffer *out, struct value v, const struct zone *zone, enum json_key_order order, struct fail *fail);
void json_write_text(struct buffer *out, struct view text); // with quotes and escapes

// ---- JSON in ------------------------------------------------------------------------------------

// RFC 8259, whole text, one value; integral numbers that fit are NUMBER, others DECIMAL; duplicate keys: last wins. fail->line/column are set.
// Lists are marked `json`. Depth JSON_DEPTH_MAX, no recursion.
bool json_read(struct heap *heap, struct view text, struct value *ret_value, struct fail *fail);
// The org.json-like reading that Zoho's toMap() does (spec/deluge-language.md §9.2): unquoted words, single quotes, `=`, `;`, trailing commas.
bool json_read_lenient(struct heap *heap, struct view text, struct value *ret_value, struct fail *fail);
bool json_looks_like(struct view text); // first non-blank byte is { or [

// ---- form bodies --------------------------------------------------------------------------------

enum { FORM_FIELDS_MAX = 1000, FORM_PART_HEAD_MAX = 4096 };
// Adds the pairs of an urlencoded text (query or body) to `map`, later wins; bad escapes are kept as they stand; bytes that are not UTF-8
// become U+FFFD. Fails over FORM_FIELDS_MAX.
bool form_read_urlencoded(struct heap *heap, struct view text, struct map *map, struct fail *fail);
struct value form_decode(struct heap *heap, struct view text, bool plus_is_space); // percent-decoding
void form_encode(struct buffer *out, struct view text, bool space_as_plus);        // form: A-Za-z0-9.-*_ kept; else RFC 3986 unreserved kept

struct form_part {
    struct view name, file_name, content_type; // borrowed from the body; file_name.data NULL when it is a field
    struct view bytes;
};
struct form_reader {
    struct view rest, boundary;
    size_t parts;
};
// `content_type` is the whole header value; fails when it is not multipart/form-data with a boundary of 1–70 bytes.
bool form_open(struct form_reader *reader, struct view content_type, struct view body, struct fail *fail);
// True with *ret_part, or false: at the end fail->code is FAIL_NONE, else the body is malformed or over a limit.
bool form_next(struct form_reader *reader, struct form_part *ret_part, struct fail *fail);

// The name or file name of a part as text: \" and %22, by which clients write a quote in it, become one.
struct value form_name(struct heap *heap, struct view raw);

// ---- calendar -----------------------------------------------------------------------------------

// Proleptic Gregorian. Zones come from the system's tzdata (TZif files), with Java's legacy ids and GMT±h[:mm]; anything else is GMT
// (spec/deluge-builtins.md §4.1).
struct civil {
    int year, month, day, hour, minute, second, millisecond; // month and day from 1
    int weekday, yearday;                                    // Sunday = 1; from 1. Ignored by calendar_millis
};
const struct zone *zone_find(struct view name);      // cached for the process; never NULL (unknown = GMT)
bool zone_exists(struct view name);                  // a real Olson id
const struct zone *zone_local(void);                 // the machine's
struct view zone_name(const struct zone *zone);
int zone_offset_ms(const struct zone *zone, int64_t millis, bool *ret_dst, struct view *ret_abbreviation); // outs may be NULL
struct civil calendar_civil(int64_t millis, const struct zone *zone);
int64_t calendar_millis(struct civil civil, const struct zone *zone); // out-of-range fields carry over; DST gaps move on, overlaps take the first
int calendar_month_days(int year, int month);
// Java SimpleDateFormat. Printing never fails (unknown letters are kept); reading returns false when the text does not fit.
void calendar_format(struct buffer *out, int64_t millis, const struct zone *zone, struct view pattern);
bool calendar_parse(struct view text, struct view pattern, const struct zone *zone, int64_t *ret_millis, bool *ret_has_time);
// Any of the accepted literal forms (about 40, and ISO 8601). ret_has_time: a time was given.
bool calendar_read(struct view text, const struct zone *zone, int64_t *ret_millis, bool *ret_has_time);
void calendar_print_iso(struct buffer *out, int64_t millis, const struct zone *zone); // 2024-07-16T09:39:27+05:30, never Z
