// SPDX-License-Identifier: Apache-2.0
//
// json_write: the one JSON writer, for replies, printed maps and stored values. Compact; escapes only quotes, backslashes and controls, so
// URLs and other scripts' letters stay readable (spec/deluge-language.md §3). Keys that are no texts are printed in quotes, except that a
// list or map as key prints bare, `{[0]:"ITEM1"}`, as Zoho does.
//
// It never recurses. A value that holds itself runs into the depth limit; one that unfolds without end runs into the buffer's maximum.
#include "value/inside.h"

#include <math.h>

struct writer {
    struct buffer *out;
    const struct zone *zone;
    enum json_key_order order;
    struct walk walk;
    struct fail *fail;
};

// ---- text ---------------------------------------------------------------------------------------

static inline bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

// The first byte from `at` that must be escaped, or the end.
static inline const char *scan_plain(const char *at, const char *end)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    for (; end - at >= 8; at += 8) {
        uint64_t word = hash_load8(at), quote = word ^ ones * '"', backslash = word ^ ones * '\\';
        // Some byte may be below 0x20, a quote or a backslash; the bytewise loop finds out which.
        if (((((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs) != 0) {
            break;
        }
    }
    while (at < end && is_plain((unsigned char)*at)) {
        at++;
    }
    return at;
}

// The short escapes of JSON where there is one, else \u00xx.
static size_t write_escape(char out[6], unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char names[] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"', ['\\'] = '\\'};
    out[0] = '\\';
    if (c < sizeof names && names[c]) {
        out[1] = names[c];
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = digits[c >> 4];
    out[5] = digits[c & 15];
    return 6;
}

// Room for the text and two quotes is asked for once; text without escapes, nearly all, is then one copy.
void json_write_text(struct buffer *out, struct view text)
{
    char *to = buffer_space(out, text.len + 2);
    const char *at = text.data, *end = text.len ? at + text.len : at, *plain = scan_plain(at, end);
    if (BASE_LIKELY(to && plain == end)) {
        *to++ = '"';
        if (text.len > 0) {
            memcpy(to, at, text.len);
        }
        to[text.len] = '"';
        out->len += text.len + 2;
        return;
    }
    buffer_add_char(out, '"');
    for (; at < end; at = plain + 1, plain = scan_plain(at, end)) {
        char escape[6];
        buffer_add(out, (struct view){at, (size_t)(plain - at)});
        if (plain == end) {
            break;
        }
        buffer_add(out, (struct view){escape, write_escape(escape, (unsigned char)*plain)});
    }
    buffer_add_char(out, '"');
}

// ---- values -------------------------------------------------------------------------------------

// JSON has no NaN and no infinity (spec/deluge-language.md §3).
static void write_decimal(struct buffer *out, double decimal)
{
    char digits[DECIMAL_TEXT_MAX];
    if (isfinite(decimal)) {
        buffer_add(out, (struct view){digits, decimal_print(digits, decimal)});
    } else {
        buffer_add(out, VIEW("null"));
    }
}

// Empty ones need no frame.
static bool open_container(struct writer *writer, struct value v)
{
    bool map = v.type == VALUE_MAP;
    if ((map ? v.map->count : v.list->count) == 0) {
        buffer_add(writer->out, map ? VIEW("{}") : VIEW("[]"));
        return true;
    }
    struct walk_frame *frame = walk_push(&writer->walk, v);
    if (!frame) {
        return walk_too_deep(writer->fail);
    }
    buffer_add_char(writer->out, map ? '{' : '[');
    if (map && writer->order == JSON_JAVA_HASHMAP) {
        frame->order = java_order(v.map);
        return frame->order || fail_set(writer->fail, FAIL_MEMORY, NULL);
    }
    return true;
}

// Writes a scalar, or opens a list or map. Frames may move.
static BASE_HOT bool write_value(struct writer *writer, struct value v)
{
    struct buffer *out = writer->out;
    v = value_inner(v);
    switch (v.type) {
    case VALUE_TEXT:
        json_write_text(out, value_view(v));
        return true;
    case VALUE_NUMBER:
        buffer_add_int(out, v.number);
        return true;
    case VALUE_DECIMAL:
        write_decimal(out, v.decimal);
        return true;
    case VALUE_BOOL:
        buffer_add(out, v.boolean ? VIEW("true") : VIEW("false"));
        return true;
    case VALUE_LIST:
    case VALUE_MAP:
        return open_container(writer, v);
    case VALUE_DATE:
    case VALUE_DATETIME:
    case VALUE_TIME:
        buffer_add_char(out, '"');
        calendar_print_default(out, v, writer->zone);
        buffer_add_char(out, '"');
        return true;
    case VALUE_FILE:
        return write_value(writer, value_is_text(v.file->name) ? v.file->name : value_null());
    case VALUE_FRESH:
        buffer_add(out, VIEW("{}"));
        return true;
    default:
        buffer_add(out, VIEW("null"));
        return true;
    }
}

// One step of a list: the next item or the closing bracket.
static bool write_item(struct writer *writer, struct walk_frame *frame)
{
    const struct list *list = frame->at.list;
    if (frame->cursor >= list->count) {
        buffer_add_char(writer->out, ']');
        walk_pop(&writer->walk);
        return true;
    }
    if (frame->cursor > 0) {
        buffer_add_char(writer->out, ',');
    }
    return write_value(writer, list->items[frame->cursor++]);
}

static struct map_entry *next_entry(struct walk_frame *frame)
{
    struct map *map = frame->at.map;
    if (frame->order) {
        return frame->cursor < map->count ? &map->entries[frame->order[frame->cursor++]] : NULL;
    }
    return map_next(map, &frame->cursor);
}

// The entry whose key was written last.
static struct map_entry *current_entry(struct walk_frame *frame)
{
    uint32_t at = frame->cursor - 1;
    return &frame->at.map->entries[frame->order ? frame->order[at] : at];
}

// One step of a map: the next entry, the value behind a key that was a container, or the closing brace.
static bool write_entry(struct writer *writer, struct walk_frame *frame)
{
    struct buffer *out = writer->out;
    if (frame->key_open) {
        frame->key_open = false;
        buffer_add_char(out, ':');
        return write_value(writer, current_entry(frame)->value);
    }
    struct map_entry *entry = next_entry(frame);
    if (!entry) {
        buffer_add_char(out, '}');
        walk_pop(&writer->walk);
        return true;
    }
    if (frame->begun) {
        buffer_add_char(out, ',');
    }
    frame->begun = true;
    if (BASE_LIKELY(entry->key.type == VALUE_TEXT)) {
        json_write_text(out, value_view(entry->key));
        buffer_add_char(out, ':');
        return write_value(writer, entry->value);
    }
    frame->key_open = true; // the value follows in a step of its own, when a key that is a container has been written
    struct value key = value_inner(entry->key);
    bool quoted = key.type == VALUE_NULL || key.type == VALUE_BOOL || key.type == VALUE_NUMBER || key.type == VALUE_DECIMAL;
    if (quoted) {
        buffer_add_char(out, '"');
    }
    bool written = write_value(writer, key);
    if (quoted) {
        buffer_add_char(out, '"');
    }
    return written;
}

bool json_write_order(struct buffer *out, struct value v, const struct zone *zone, enum json_key_order order, struct fail *fail)
{
    struct writer writer = {.out = out, .zone = zone, .order = order, .fail = fail};
    walk_init(&writer.walk);
    bool good = write_value(&writer, v);
    while (good && writer.walk.depth > 0) {
        struct walk_frame *frame = walk_top(&writer.walk);
        good = frame->at.type == VALUE_LIST ? write_item(&writer, frame) : write_entry(&writer, frame);
        if (out->failed) {
            break;
        }
    }
    walk_free(&writer.walk);
    if (good && out->failed) {
        return fail_set(fail, FAIL_LIMIT, "the text of the value is larger than %zu bytes", out->max);
    }
    return good;
}

bool json_write(struct buffer *out, struct value v, const struct zone *zone, struct fail *fail)
{
    return json_write_order(out, v, zone, JSON_INSERTION, fail);
}
