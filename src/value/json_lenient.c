// SPDX-License-Identifier: Apache-2.0
//
// json_lenient: the reading that Zoho's toMap() gives to text that is nearly JSON, after org.json's tokener (spec/deluge-language.md §9.2):
// words without quotes, single quotes, `=` or `=>` for the colon, `;` for the comma, a comma too many, TRUE and Null in any case. Most
// texts are real JSON, so the strict reader gets them first. Text behind the value is an error here: callers also ask whether a text *is*
// JSON.
#include "value/inside.h"

struct lenient {
    const char *at, *end;
    struct json_build build;
    struct view text;
    struct fail *fail;
};

static BASE_COLD bool refuse(struct lenient *reader)
{
    return json_fail_at(reader->text, reader->at, reader->fail, FAIL_SCRIPT, "Invalid JSON Format String");
}

// The next byte that is no blank or control; '\0' at the end.
static char skip_blanks(struct lenient *reader)
{
    while (reader->at < reader->end && (unsigned char)*reader->at <= ' ') {
        reader->at++;
    }
    return reader->at < reader->end ? *reader->at : '\0';
}

// Where the string that starts behind `quote` ends; NULL when it does not, or when a line ends in it.
static const char *find_quote(struct lenient *reader, char quote)
{
    for (const char *at = reader->at; at < reader->end && *at != '\n' && *at != '\r'; at++) {
        if (*at == quote) {
            return at;
        }
        at += *at == '\\' && at + 1 < reader->end; // what is escaped does not close
    }
    return NULL;
}

// \uXXXX and its pair; half a pair becomes U+FFFD. False when the digits are none.
static bool decode_unicode(const char **at, const char *end, uint32_t *ret_point)
{
    uint32_t low;
    if (!json_hex4(*at, end, ret_point)) {
        return false;
    }
    *at += 4;
    if (*ret_point < 0xD800 || *ret_point > 0xDFFF) {
        return true;
    }
    if (*ret_point < 0xDC00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u' && json_hex4(*at + 2, end, &low) && low >= 0xDC00 &&
        low <= 0xDFFF) {
        *at += 6;
        *ret_point = 0x10000 + ((*ret_point - 0xD800) << 10) + (low - 0xDC00);
    } else {
        *ret_point = 0xFFFD;
    }
    return true;
}

// Decoded text is never longer than its source, so the block is filled in one pass; bytes that are not UTF-8 are repaired behind.
static bool read_quoted(struct lenient *reader, struct value *ret_text)
{
    static const char plain[] = "\"'\\/bfnrt", meant[] = "\"'\\/\b\f\n\r\t";
    char quote_char = *reader->at++, *bytes;
    const char *quote = find_quote(reader, quote_char);
    if (!quote) {
        return refuse(reader);
    }
    size_t len = 0, room = (size_t)(quote - reader->at);
    struct value text = value_text_space(reader->build.heap, room, &bytes);
    if (value_is_null(text)) {
        return heap_full(reader->build.heap, reader->fail);
    }
    for (const char *at = reader->at; at < quote;) {
        if (*at != '\\') {
            bytes[len++] = *at++;
            continue;
        }
        const char *known = at[1] ? strchr(plain, at[1]) : NULL;
        uint32_t point;
        reader->at = at;
        at += 2;
        if (known) {
            bytes[len++] = meant[known - plain];
        } else if (at[-1] == 'u' && decode_unicode(&at, quote, &point)) {
            len += utf8_encode(bytes + len, point);
        } else {
            return refuse(reader);
        }
    }
    reader->at = quote + 1;
    struct view decoded = {bytes, len};
    *ret_text = utf8_valid(decoded) ? value_text_done(text, len) : value_text(reader->build.heap, decoded);
    return !value_is_null(*ret_text) || heap_full(reader->build.heap, reader->fail);
}

// An unquoted word: text up to the next mark, blanks at its end dropped.
static bool read_word(struct lenient *reader, struct view *ret_word)
{
    const char *start = reader->at;
    while (reader->at < reader->end && (unsigned char)*reader->at >= ' ' && !(*reader->at && strchr(",:]}/\\\"[{;=#", *reader->at))) {
        reader->at++;
    }
    *ret_word = view_trim((struct view){start, (size_t)(reader->at - start)});
    return ret_word->len > 0 || refuse(reader);
}

static struct value word_value(struct heap *heap, struct view word)
{
    struct value number;
    if (view_eq_nocase(word, VIEW("true"))) {
        return value_bool(true);
    }
    if (view_eq_nocase(word, VIEW("false"))) {
        return value_bool(false);
    }
    // Numbers as JSON spells them: 007 and +49 stay texts, as telephone numbers want it.
    return json_number(word, &number) ? number : value_text(heap, word);
}

static bool read_scalar(struct lenient *reader, struct value *ret_value)
{
    struct view word;
    char c = skip_blanks(reader);
    if (c == '"' || c == '\'') {
        return read_quoted(reader, ret_value);
    }
    if (!read_word(reader, &word)) {
        return false;
    }
    if (view_eq_nocase(word, VIEW("null"))) {
        *ret_value = value_null();
        return true;
    }
    *ret_value = word_value(reader->build.heap, word);
    return !value_is_null(*ret_value) || heap_full(reader->build.heap, reader->fail);
}

// A key of whatever spelling, as text, with its hash, and the colon.
static bool read_key(struct lenient *reader)
{
    struct value key;
    struct view word;
    char c = skip_blanks(reader);
    if (c == '"' || c == '\'') {
        if (!read_quoted(reader, &key)) {
            return false;
        }
    } else {
        if (!read_word(reader, &word)) {
            return false;
        }
        key = value_text(reader->build.heap, word);
    }
    if (value_is_null(key) || !json_build_push(&reader->build, key)) {
        return heap_full(reader->build.heap, reader->fail);
    }
    c = skip_blanks(reader);
    if (c != ':' && c != '=') {
        return refuse(reader);
    }
    reader->at++;
    if (c == '=' && reader->at < reader->end && *reader->at == '>') {
        reader->at++;
    }
    return true;
}

// Behind an opening mark or a separator: closes the container when its mark is there, else reads the key that must follow in a map.
static bool begin_item(struct lenient *reader, struct value *ret_value, bool *ret_closed)
{
    char c = skip_blanks(reader);
    *ret_closed = c == (reader->build.in_map ? '}' : ']');
    if (!*ret_closed) {
        return !reader->build.in_map || read_key(reader);
    }
    reader->at++;
    *ret_value = json_build_close(&reader->build);
    return !value_is_null(*ret_value) || heap_full(reader->build.heap, reader->fail);
}

// Reads a scalar or an empty container (*ret_whole), or opens a container.
static bool read_value(struct lenient *reader, struct value *ret_value, bool *ret_whole)
{
    char c = skip_blanks(reader);
    *ret_whole = true;
    if (c == ',' && !reader->build.in_map && reader->build.depth > 0) { // [a,,b]: null stands between
        *ret_value = value_null();
        return true;
    }
    if (c != '{' && c != '[') {
        return read_scalar(reader, ret_value);
    }
    if (!json_build_open(&reader->build, c == '{')) {
        return reader->build.heap->failed ? heap_full(reader->build.heap, reader->fail) : refuse(reader);
    }
    reader->at++;
    return begin_item(reader, ret_value, ret_whole);
}

// As in the strict reader: gives the value to its container and closes what ends here. A separator before the closing mark is allowed.
static bool deliver(struct lenient *reader, struct value *value, bool *ret_done)
{
    *ret_done = false;
    while (reader->build.depth > 0) {
        bool closed;
        if (!json_build_push(&reader->build, *value)) {
            return heap_full(reader->build.heap, reader->fail);
        }
        char c = skip_blanks(reader);
        if (c == ',' || c == ';') {
            reader->at++;
        } else if (c != (reader->build.in_map ? '}' : ']')) {
            return refuse(reader);
        }
        if (!begin_item(reader, value, &closed)) {
            return false;
        }
        if (!closed) {
            return true;
        }
    }
    *ret_done = true;
    return true;
}

// Only lists and maps: a bare word would read as a text, and then every text would be JSON.
static bool read_document(struct lenient *reader, struct value *ret_value)
{
    char c = skip_blanks(reader);
    if (c != '{' && c != '[') {
        return refuse(reader);
    }
    for (bool done = false, whole; !done;) {
        if (!read_value(reader, ret_value, &whole) || (whole && !deliver(reader, ret_value, &done))) {
            return false;
        }
    }
    skip_blanks(reader);
    return reader->at == reader->end || refuse(reader);
}

bool json_read_lenient(struct heap *heap, struct view text, struct value *ret_value, struct fail *fail)
{
    struct fail strict;
    struct value value;
    if (json_looks_like(text) && json_read(heap, text, ret_value, &strict)) {
        return true;
    }
    if (heap->failed) {
        return heap_full(heap, fail);
    }
    struct lenient reader = {.at = text.data, .end = text.len ? text.data + text.len : text.data, .text = text, .fail = fail};
    json_build_init(&reader.build, heap);
    bool good = read_document(&reader, &value);
    json_build_free(&reader.build);
    if (good) {
        *ret_value = value;
    }
    return good;
}
