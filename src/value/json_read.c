// SPDX-License-Identifier: Apache-2.0
//
// json_read: the strict JSON reader (RFC 8259) of request bodies, replies of other services and CRM data. It never recurses; json_build.c
// holds what is under construction. Strings are the hot part: eight bytes at a time are looked at for a quote, a backslash, a control or a
// byte of a longer character, and a string with none but its closing quote is one copy into the heap. Keys get their hash on the way.
//
// Integers of 64 bits stay exact, as CRM record ids need all 19 digits (spec/deluge-language.md §2).
#include "value/inside.h"

struct reader {
    const char *at, *end;
    struct json_build build;
    struct view text;
    struct fail *fail;
};

static BASE_COLD bool refuse_at(struct reader *reader, const char *at, const char *why)
{
    return json_fail_at(reader->text, at, reader->fail, FAIL_UNPARSABLE, why);
}

static BASE_COLD bool refuse(struct reader *reader, const char *why)
{
    return refuse_at(reader, reader->at, reader->at < reader->end ? why : "the JSON text ends too early");
}

static inline void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\r' || *reader->at == '\t')) {
        reader->at++;
    }
}

// ---- strings ------------------------------------------------------------------------------------

static const uint64_t ONES = 0x0101010101010101u, HIGHS = 0x8080808080808080u;

// Non-zero where a byte of `word` needs a look: a quote, a backslash, a control, or a byte ≥ 0x80. The lowest set bit is exact.
static inline uint64_t special_bytes(uint64_t word)
{
    uint64_t quote = word ^ ONES * '"', backslash = word ^ ONES * '\\';
    return ((word - ONES * 0x20) | (quote - ONES) | (backslash - ONES) | word) & HIGHS;
}

// The first byte from `at` that needs a look, or the end.
static inline const char *scan_plain(const char *at, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; end - at >= 8; at += 8) {
        uint64_t found = special_bytes(hash_load8(at));
        if (found) {
            return at + (__builtin_ctzll(found) >> 3);
        }
    }
#endif
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\') {
        at++;
    }
    return at;
}

// Finds the quote that closes the string which starts at `at` (behind its opening quote) and tells what stands in between.
static bool find_quote(struct reader *reader, const char *at, const char **ret_quote, bool *ret_escapes, bool *ret_ascii)
{
    bool escapes = false, ascii = true;
    for (;;) {
        at = scan_plain(at, reader->end);
        if (at == reader->end) {
            return refuse_at(reader, at, "the JSON text ends inside a string");
        }
        if (*at == '"') {
            *ret_quote = at;
            *ret_escapes = escapes;
            *ret_ascii = ascii;
            return true;
        }
        if (*at == '\\') {
            escapes = true;
            at += reader->end - at > 1 ? 2 : 1;
        } else if ((unsigned char)*at < 0x20) {
            return refuse_at(reader, at, "a control character in a string must be escaped");
        } else {
            ascii = false;
            while (at < reader->end && (unsigned char)*at >= 0x80) {
                at++;
            }
        }
    }
}

// A character that \u names: one unit, or a surrogate pair of two escapes. `*at` stands on the first hexadecimal digit.
static bool read_unicode(const char **at, const char *end, uint32_t *ret_point)
{
    uint32_t high, low;
    if (!json_hex4(*at, end, &high) || (high >= 0xDC00 && high <= 0xDFFF)) {
        return false;
    }
    *at += 4;
    *ret_point = high;
    if (high < 0xD800 || high > 0xDBFF) {
        return true;
    }
    if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' || !json_hex4(*at + 2, end, &low) || low < 0xDC00 || low > 0xDFFF) {
        return false;
    }
    *at += 6;
    *ret_point = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

// Decodes a string with escapes into `out`, which has room for as many bytes as the source.
static bool decode(struct reader *reader, const char *at, const char *quote, char *out, size_t *ret_len)
{
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    size_t len = 0;
    while (at < quote) {
        if (*at != '\\') {
            out[len++] = *at++;
            continue;
        }
        const char *known = at[1] ? strchr(plain, at[1]) : NULL; // a quote follows at the latest, so at[1] is ours
        uint32_t point;
        const char *escape = at;
        at += 2;
        if (known) {
            out[len++] = meant[known - plain];
        } else if (escape[1] == 'u') {
            if (!read_unicode(&at, quote, &point)) {
                return refuse_at(reader, escape, "a \\u escape is malformed or half a surrogate pair");
            }
            len += utf8_encode(out + len, point);
        } else {
            return refuse_at(reader, escape, "an unknown escape in a string");
        }
    }
    *ret_len = len;
    return true;
}

static BASE_COLD bool refuse_utf8(struct reader *reader, struct view string)
{
    size_t at = 0, before = 0;
    while (at < string.len) {
        before = at;
        if (utf8_next(string, &at) == 0xFFFD && at == before + 1) {
            break;
        }
    }
    return refuse_at(reader, string.data + before, "the text is not valid UTF-8");
}

// Reads a string whose opening quote is at hand. Everything lands in a block of its own in the heap.
static BASE_HOT bool read_string(struct reader *reader, struct value *ret_text)
{
    const char *start = reader->at + 1, *quote = NULL;
    bool escapes = false, ascii = true;
    if (!find_quote(reader, start, &quote, &escapes, &ascii)) {
        return false;
    }
    struct view raw = {start, (size_t)(quote - start)};
    if (!ascii && !utf8_valid(raw)) {
        return refuse_utf8(reader, raw);
    }
    char *bytes;
    struct value text =
        raw.len ? value_text_space(reader->build.heap, (raw.len + 7) & ~(size_t)7, &bytes) : value_text(reader->build.heap, raw);
    if (value_is_null(text)) {
        return heap_full(reader->build.heap, reader->fail);
    }
    size_t len = raw.len;
    if (escapes) {
        if (!decode(reader, start, quote, bytes, &len)) {
            return false;
        }
        ascii = utf8_ascii((struct view){bytes, len});
    } else if (len > 0) {
        memcpy(bytes, start, len);
    }
    text.len = (uint32_t)len;
    text.flags = ascii ? VALUE_ASCII : 0;
    if (raw.len > 0) {
        text.text->used = (uint32_t)len;
    }
    reader->at = quote + 1;
    *ret_text = text;
    return true;
}

// ---- the rest -----------------------------------------------------------------------------------

// Takes all that could be part of a number, so that the message of a bad one points to its start.
static bool read_number(struct reader *reader, struct value *ret_value)
{
    const char *start = reader->at, *at = start;
    while (at < reader->end && ((*at >= '0' && *at <= '9') || *at == '.' || *at == '-' || *at == '+' || (*at | 0x20) == 'e')) {
        at++;
    }
    reader->at = at;
    return json_number((struct view){start, (size_t)(at - start)}, ret_value) || refuse_at(reader, start, "a malformed number");
}

static bool read_word(struct reader *reader, struct view word, struct value meant, struct value *ret_value)
{
    if (!view_starts((struct view){reader->at, (size_t)(reader->end - reader->at)}, word)) {
        return refuse(reader, "an unknown word");
    }
    reader->at += word.len;
    *ret_value = meant;
    return true;
}

// The key of an entry and its colon.
static bool read_key(struct reader *reader)
{
    struct value key;
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != '"') {
        return refuse(reader, "expected a key in quotes");
    }
    if (!read_string(reader, &key)) {
        return false;
    }
    if (key.len > 0) {
        key.text->hash = hash_bytes(key.text->bytes, key.len);
    }
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != ':') {
        return refuse(reader, "expected a colon behind the key");
    }
    reader->at++;
    return json_build_push(&reader->build, key) || heap_full(reader->build.heap, reader->fail);
}

// The closing mark is at hand.
static bool close_container(struct reader *reader, struct value *ret_value)
{
    reader->at++;
    *ret_value = json_build_close(&reader->build);
    return !value_is_null(*ret_value) || heap_full(reader->build.heap, reader->fail);
}

// Opens a list or map. Closes it at once when it is empty, else *ret_opened is true and, in a map, the first key has been read.
static bool open_container(struct reader *reader, struct value *ret_value, bool *ret_opened)
{
    bool map = *reader->at == '{';
    if (!json_build_open(&reader->build, map)) {
        return reader->build.heap->failed ? heap_full(reader->build.heap, reader->fail) : refuse(reader, "JSON is nested too deep");
    }
    reader->at++;
    skip_blanks(reader);
    *ret_opened = reader->at == reader->end || *reader->at != (map ? '}' : ']');
    if (!*ret_opened) {
        return close_container(reader, ret_value);
    }
    return !map || read_key(reader);
}

// Reads a scalar or an empty container into *ret_value, or opens a container.
static BASE_HOT bool read_value(struct reader *reader, struct value *ret_value, bool *ret_opened)
{
    skip_blanks(reader);
    *ret_opened = false;
    switch (reader->at < reader->end ? *reader->at : '\0') {
    case '"':
        return read_string(reader, ret_value);
    case '{':
    case '[':
        return open_container(reader, ret_value, ret_opened);
    case 't':
        return read_word(reader, VIEW("true"), value_bool(true), ret_value);
    case 'f':
        return read_word(reader, VIEW("false"), value_bool(false), ret_value);
    case 'n':
        return read_word(reader, VIEW("null"), value_null(), ret_value);
    case '-':
    case '0' ... '9':
        return read_number(reader, ret_value);
    default:
        return refuse(reader, "expected a value");
    }
}

// Gives a finished value to the container it stands in, and that container to its own as long as they end here. *ret_done at the very end.
static BASE_HOT bool deliver(struct reader *reader, struct value *value, bool *ret_done)
{
    struct json_build *build = &reader->build;
    *ret_done = false;
    while (build->depth > 0) {
        if (!json_build_push(build, *value)) {
            return heap_full(build->heap, reader->fail);
        }
        skip_blanks(reader);
        char next = reader->at < reader->end ? *reader->at : '\0';
        if (next == ',') {
            reader->at++;
            return !build->in_map || read_key(reader);
        }
        if (next != (build->in_map ? '}' : ']')) {
            return refuse(reader, build->in_map ? "expected a comma or }" : "expected a comma or ]");
        }
        if (!close_container(reader, value)) {
            return false;
        }
    }
    *ret_done = true;
    return true;
}

// One value, blanks around it, and nothing else.
static bool read_document(struct reader *reader, struct value *ret_value)
{
    for (bool done = false, opened; !done;) {
        if (!read_value(reader, ret_value, &opened)) {
            return false;
        }
        if (!opened && !deliver(reader, ret_value, &done)) {
            return false;
        }
    }
    skip_blanks(reader);
    return reader->at == reader->end || refuse(reader, "more text behind the JSON value");
}

bool json_read(struct heap *heap, struct view text, struct value *ret_value, struct fail *fail)
{
    struct reader reader = {.at = text.data, .end = text.len ? text.data + text.len : text.data, .text = text, .fail = fail};
    struct value value;
    json_build_init(&reader.build, heap);
    bool good = read_document(&reader, &value);
    json_build_free(&reader.build);
    if (good) {
        *ret_value = value;
    }
    return good;
}

bool json_looks_like(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != ' ' && text.data[i] != '\n' && text.data[i] != '\r' && text.data[i] != '\t') {
            return text.data[i] == '{' || text.data[i] == '[';
        }
    }
    return false;
}
