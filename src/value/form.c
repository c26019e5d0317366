// SPDX-License-Identifier: Apache-2.0
//
// form: form bodies, for web (requests), host (crmAPIRequest's params and file_content) and out (replies). Urlencoded pairs become texts of
// a map. Multipart is read part by part, nothing is copied: a part's views point into the body.
//
// The multipart reader is strict (RFC 2046, RFC 7578): lines end in CRLF, a part ends at CRLF--boundary followed by -- or the end of the
// line, and a body without its closing boundary is malformed. What stands before the first and behind the last boundary is skipped, as the
// standard says.
#include "value/inside.h"

enum { FORM_BOUNDARY_MAX = 70, FORM_PART_HEADERS_MAX = 16 };

// ---- percent-encoding ---------------------------------------------------------------------------

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

// Names and values without escapes, which most are, are copied as they stand.
struct value form_decode(struct heap *heap, struct view text, bool plus_is_space)
{
    char *bytes;
    if (view_find_char(text, '%') < 0 && (!plus_is_space || view_find_char(text, '+') < 0)) {
        return value_text(heap, text);
    }
    struct value decoded = value_text_space(heap, text.len, &bytes);
    if (value_is_null(decoded)) {
        return decoded;
    }
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        int high = c == '%' && text.len - i > 2 ? hex_digit(text.data[i + 1]) : -1, low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;
        if (low >= 0) {
            bytes[len++] = (char)(high << 4 | low);
            i += 2;
        } else {
            bytes[len++] = c == '+' && plus_is_space ? ' ' : c;
        }
    }
    struct view result = {bytes, len};
    return utf8_valid(result) ? value_text_done(decoded, len) : value_text(heap, result);
}

// Java's URLEncoder keeps * and escapes ~; RFC 3986 has it the other way round (spec/deluge-builtins.md §9).
void form_encode(struct buffer *out, struct view text, bool space_as_plus)
{
    static const char digits[] = "0123456789ABCDEF";
    if (text.len > SIZE_MAX / 3) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < text.len && !out->failed; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool word = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (word || c == '-' || c == '.' || c == '_' || c == (space_as_plus ? '*' : '~')) {
            buffer_add_char(out, (char)c);
        } else if (c == ' ' && space_as_plus) {
            buffer_add_char(out, '+');
        } else {
            char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
            buffer_add(out, (struct view){escape, 3});
        }
    }
}

// ---- urlencoded ---------------------------------------------------------------------------------

// An empty piece (a=1&&b=2) is nothing; a name without = is an empty value.
bool form_read_urlencoded(struct heap *heap, struct view text, struct map *map, struct fail *fail)
{
    int fields = 0;
    while (text.len > 0) {
        struct view value = view_cut(&text, '&');
        if (value.len == 0) {
            continue;
        }
        if (++fields > FORM_FIELDS_MAX) {
            return fail_set(fail, FAIL_BAD_REQUEST, "more than %d form fields", FORM_FIELDS_MAX);
        }
        struct view name = view_cut(&value, '=');
        if (!map_put(heap, map, form_decode(heap, name, true), form_decode(heap, value, true)) || heap->failed) {
            return heap_full(heap, fail);
        }
    }
    return true;
}

// ---- multipart ----------------------------------------------------------------------------------

static BASE_COLD bool refuse(struct fail *fail, const char *why)
{
    return fail_set(fail, FAIL_BAD_REQUEST, "%s", why);
}

// Cuts `key=value` or `key="value"` off the front of a header's parameters. The value of a quoted one is as it stands, escapes and all.
// False at the end or when the rest is malformed; the two differ by rest->len.
static bool next_parameter(struct view *rest, struct view *ret_key, struct view *ret_value)
{
    struct view text = view_trim(*rest);
    if (text.len == 0 || text.data[0] != ';') {
        *rest = text;
        return false;
    }
    text = view_trim(view_from(text, 1));
    size_t equals = 0, end;
    while (equals < text.len && text.data[equals] != '=' && text.data[equals] != ';' && text.data[equals] != '"') {
        equals++;
    }
    if (text.len == 0) {
        *rest = text; // a semicolon at the end is harmless
        return false;
    }
    *rest = text;
    if (equals == text.len || text.data[equals] != '=') {
        return false;
    }
    *ret_key = view_trim(view_slice(text, 0, equals));
    text = view_from(text, equals + 1);
    if (text.len > 0 && text.data[0] == '"') {
        for (end = 1; end < text.len && text.data[end] != '"'; end++) {
            end += text.data[end] == '\\' && end + 1 < text.len && text.data[end + 1] == '"';
        }
        if (end >= text.len) {
            return false;
        }
        *ret_value = view_slice(text, 1, end - 1);
        *rest = view_from(text, end + 1);
        return true;
    }
    for (end = 0; end < text.len && text.data[end] != ';';) {
        end++;
    }
    *ret_value = view_trim(view_slice(text, 0, end));
    *rest = view_from(text, end);
    return true;
}

// RFC 2046 §5.1.1, except that all printable characters pass: real clients use more of them.
static bool boundary_good(struct view boundary)
{
    if (boundary.len == 0 || boundary.len > FORM_BOUNDARY_MAX || boundary.data[boundary.len - 1] == ' ') {
        return false;
    }
    for (size_t i = 0; i < boundary.len; i++) {
        if (boundary.data[i] < ' ' || boundary.data[i] > '~') {
            return false;
        }
    }
    return true;
}

bool form_open(struct form_reader *reader, struct view content_type, struct view body, struct fail *fail)
{
    struct view rest = view_trim(content_type), key, value, boundary = VIEW_NONE;
    struct view kind = VIEW("multipart/form-data");
    if (!view_starts_nocase(rest, kind)) {
        return refuse(fail, "not multipart/form-data");
    }
    rest = view_from(rest, kind.len);
    while (next_parameter(&rest, &key, &value)) {
        if (!boundary.data && view_eq_nocase(key, VIEW("boundary"))) {
            boundary = value;
        }
    }
    if (rest.len > 0 || !boundary_good(boundary)) {
        return refuse(fail, "multipart/form-data without a boundary of 1 to 70 characters");
    }
    *reader = (struct form_reader){.rest = body.data ? body : VIEW(""), .boundary = boundary};
    return true;
}

// What follows a boundary where it counts as one: the end of its line, or the two hyphens of the last.
static bool ends_delimiter(struct view behind, size_t *ret_skip, bool *ret_last)
{
    size_t at = 0;
    *ret_last = view_starts(behind, VIEW("--"));
    if (*ret_last) {
        *ret_skip = 2;
        return true;
    }
    scan_blanks(behind, &at); // transport padding
    *ret_skip = at + 2;
    return view_starts(view_from(behind, at), VIEW("\r\n"));
}

// Finds the next delimiter in `body`: *ret_before is what stands in front of it, *ret_behind what follows.
static bool find_delimiter(struct view body, struct view boundary, bool at_start, struct view *ret_before, struct view *ret_behind,
                           bool *ret_last)
{
    char mark[FORM_BOUNDARY_MAX + 4] = "\r\n--";
    memcpy(mark + 4, boundary.data, boundary.len);
    struct view full = {mark, boundary.len + 4}, bare = {mark + 2, boundary.len + 2};
    size_t skip;
    if (at_start && view_starts(body, bare) && ends_delimiter(view_from(body, bare.len), &skip, ret_last)) {
        *ret_before = VIEW_NONE;
        *ret_behind = view_from(body, bare.len + skip);
        return true;
    }
    for (size_t at = 0; at < body.len;) {
        const char *found = memmem(body.data + at, body.len - at, full.data, full.len);
        if (!found) {
            return false;
        }
        at = (size_t)(found - body.data);
        if (ends_delimiter(view_from(body, at + full.len), &skip, ret_last)) {
            *ret_before = view_slice(body, 0, at);
            *ret_behind = view_from(body, at + full.len + skip);
            return true;
        }
        at += 2; // a longer line that only begins like the boundary
    }
    return false;
}

static bool read_disposition(struct view value, struct form_part *part)
{
    struct view kind = VIEW("form-data"), key, text;
    if (!view_starts_nocase(value, kind)) {
        return false;
    }
    value = view_from(value, kind.len);
    while (next_parameter(&value, &key, &text)) { // filename* is another key and stays unread
        if (!part->name.data && view_eq_nocase(key, VIEW("name"))) {
            part->name = text;
        } else if (!part->file_name.data && view_eq_nocase(key, VIEW("filename"))) {
            part->file_name = text;
        }
    }
    return value.len == 0 && part->name.data;
}

// Lines of name: value. Only two are read, all are checked.
static bool read_part_head(struct view head, struct form_part *part, struct fail *fail)
{
    bool named = false;
    for (int count = 0; head.len > 0; count++) {
        ptrdiff_t end = view_find(head, VIEW("\r\n"));
        struct view value = view_slice(head, 0, end < 0 ? head.len : (size_t)end);
        head = end < 0 ? VIEW_NONE : view_from(head, (size_t)end + 2);
        ptrdiff_t colon = view_find_char(value, ':');
        if (count == FORM_PART_HEADERS_MAX || colon <= 0 || view_find_char(value, '\0') >= 0 || view_find_char(value, '\n') >= 0) {
            return refuse(fail, "a form part's head is malformed");
        }
        struct view key = view_slice(value, 0, (size_t)colon);
        value = view_trim(view_from(value, (size_t)colon + 1));
        if (view_eq_nocase(key, VIEW("Content-Disposition")) && !named) {
            named = true;
            if (!read_disposition(value, part)) {
                return refuse(fail, "a form part's Content-Disposition is malformed or has no name");
            }
        } else if (view_eq_nocase(key, VIEW("Content-Type"))) {
            part->content_type = value;
        }
    }
    return named || refuse(fail, "a form part has no Content-Disposition");
}

// Moves to the first part, behind whatever precedes it. False at the end or on an error, see form_next.
static bool skip_preamble(struct form_reader *reader, struct fail *fail)
{
    struct view before;
    bool last;
    if (!find_delimiter(reader->rest, reader->boundary, true, &before, &reader->rest, &last)) {
        return refuse(fail, "the form body does not hold its boundary");
    }
    if (last) {
        reader->rest = VIEW_NONE;
    }
    return !last;
}

bool form_next(struct form_reader *reader, struct form_part *ret_part, struct fail *fail)
{
    struct form_part part = {0};
    struct view behind;
    bool last;
    fail_clear(fail);
    if (!reader->rest.data || (reader->parts == 0 && !skip_preamble(reader, fail))) {
        return false;
    }
    if (++reader->parts > FORM_FIELDS_MAX) {
        return fail_set(fail, FAIL_BAD_REQUEST, "more than %d form parts", FORM_FIELDS_MAX);
    }
    ptrdiff_t head = view_find(view_slice(reader->rest, 0, FORM_PART_HEAD_MAX), VIEW("\r\n\r\n"));
    if (head < 0) {
        return refuse(fail, "a form part's head does not end, or is longer than 4096 bytes");
    }
    if (!read_part_head(view_slice(reader->rest, 0, (size_t)head), &part, fail)) {
        return false;
    }
    // The search begins at the blank line's end, for the delimiter of an empty part shares it.
    struct view body = view_from(reader->rest, (size_t)head + 2);
    if (!find_delimiter(body, reader->boundary, false, &part.bytes, &behind, &last)) {
        return refuse(fail, "the form body ends without its closing boundary");
    }
    part.bytes = view_from(part.bytes, part.bytes.len < 2 ? part.bytes.len : 2);
    reader->rest = last ? VIEW_NONE : behind;
    *ret_part = part;
    return true;
}

// Browsers write a quote in a file name as %22, curl as \". Other backslashes are part of Windows paths and stay.
struct value form_name(struct heap *heap, struct view raw)
{
    char *bytes;
    struct value name = raw.len ? value_text_space(heap, raw.len, &bytes) : value_text(heap, raw);
    if (raw.len == 0 || value_is_null(name)) {
        return name;
    }
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        struct view rest = view_from(raw, i);
        if (view_starts(rest, VIEW("\\\""))) {
            i++;
        } else if (view_starts_nocase(rest, VIEW("%22"))) {
            bytes[len++] = '"';
            i += 2;
            continue;
        }
        bytes[len++] = raw.data[i];
    }
    struct view result = {bytes, len};
    return utf8_valid(result) ? value_text_done(name, len) : value_text(heap, result);
}
