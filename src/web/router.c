// SPDX-License-Identifier: Apache-2.0
//
// Path → row of the route table. The path is cut at its slashes first and each segment is decoded by itself, so "%2F" is a byte of a name
// and never a separator. Nothing is normalised: "//", "." and ".." are segments like others, which no row has, so a proxy and Sluice cannot
// disagree about what a path means. A pattern is compared where it stands, without preparation: the table is short and the first segment
// decides nearly always.
#include "web/room.h"

// ---- path ---------------------------------------------------------------------------------------

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Decodes one segment to *out and moves it on.
static bool decode_segment(struct view raw, char **out, struct view *ret_segment, struct fail *fail)
{
    char *start = *out;
    for (size_t i = 0; i < raw.len; i++) {
        int byte = (unsigned char)raw.data[i];
        if (byte == '%') {
            int high = i + 2 < raw.len ? hex_digit(raw.data[i + 1]) : -1, low = high < 0 ? -1 : hex_digit(raw.data[i + 2]);
            byte = low < 0 ? 0 : high << 4 | low;
            i += 2;
        }
        if (byte == 0) {
            return fail_set(fail, FAIL_BAD_REQUEST, "the path holds a malformed escape or a NUL");
        }
        *(*out)++ = (char)byte;
    }
    *ret_segment = (struct view){start, (size_t)(*out - start)};
    return true;
}

// Decoded segments lie one behind the other with slashes between, which makes them the readable path as well.
static bool decode_path(struct arena *arena, struct view raw, struct router_path *path, struct fail *fail)
{
    char *out = arena_alloc(arena, raw.len);
    if (!out) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    path->text.data = out;
    for (struct view rest = raw; rest.len > 0;) {
        *out++ = '/';
        rest = view_from(rest, 1);
        ptrdiff_t slash = view_find_char(rest, '/');
        struct view segment = slash < 0 ? rest : view_slice(rest, 0, (size_t)slash), decoded;
        if (!decode_segment(segment, &out, &decoded, fail)) {
            return false;
        }
        if (path->count < WEB_SEGMENTS_MAX) {
            path->segments[path->count] = decoded;
        }
        path->count++;
        rest = view_from(rest, segment.len);
    }
    path->text.len = (size_t)(out - path->text.data);
    return true;
}

// The usual path has no escape: its segments are where they are.
static void split_path(struct view raw, struct router_path *path)
{
    path->text = raw;
    const char *at = raw.data, *end = raw.data + raw.len;
    while (at < end) {
        const char *start = at + 1, *slash = memchr(start, '/', (size_t)(end - start));
        at = slash ? slash : end;
        if (path->count < WEB_SEGMENTS_MAX) {
            path->segments[path->count] = (struct view){start, (size_t)(at - start)};
        }
        path->count++;
    }
}

// Segments beyond the maximum are counted, not kept: such a path has no row.
bool router_path_read(struct arena *arena, struct view raw, struct router_path *ret_path, struct fail *fail)
{
    struct router_path path;
    path.count = 0; // the segments are not cleared
    if (raw.len == 0 || raw.data[0] != '/') {
        return fail_set(fail, FAIL_URL_PATTERN, NULL);
    }
    if (!memchr(raw.data, '%', raw.len)) {
        split_path(raw, &path);
    } else if (!decode_path(arena, raw, &path, fail)) {
        return false;
    }
    if (path.count > WEB_SEGMENTS_MAX) {
        return fail_set(fail, FAIL_URL_PATTERN, NULL);
    }
    *ret_path = path;
    return true;
}

// "/sandbox" alone stays what it is, a path without a row.
bool router_path_cut_sandbox(struct router_path *path)
{
    if (path->count < 2 || !view_eq(path->segments[0], VIEW("sandbox"))) {
        return false;
    }
    memmove(path->segments, path->segments + 1, (size_t)(--path->count) * sizeof path->segments[0]);
    return true;
}

// ---- rows ---------------------------------------------------------------------------------------

static size_t count_digits(struct view text)
{
    size_t count = 0;
    while (count < text.len && text.data[count] >= '0' && text.data[count] <= '9') {
        count++;
    }
    return count;
}

// "v2", "v2.1", "v8", "v10": every version from 2 (spec/platform.md §1.1).
static bool is_version(struct view segment)
{
    if (segment.len < 2 || segment.data[0] != 'v') {
        return false;
    }
    struct view number = view_from(segment, 1);
    size_t digits = count_digits(number);
    if (digits < 1 || digits > 3 || number.data[0] == '0' || (digits == 1 && number.data[0] == '1')) {
        return false;
    }
    if (digits == number.len) {
        return true;
    }
    struct view minor = view_from(number, digits + 1);
    return number.data[digits] == '.' && minor.len >= 1 && minor.len <= 3 && count_digits(minor) == minor.len;
}

// Walks pattern and path together; a parameter matches any one segment that is not empty.
static bool match_path(const char *pattern, const struct router_path *path, struct view *params)
{
    int captured = 0;
    for (int i = 0; i < path->count; i++) {
        if (*pattern != '/') {
            return false;
        }
        const char *start = ++pattern;
        struct view segment = path->segments[i];
        pattern = strchrnul(pattern, '/');
        size_t len = (size_t)(pattern - start);
        if (*start == '{') {
            if (segment.len == 0) {
                return false;
            }
            assert(captured < WEB_PARAMS_MAX);
            params[captured++] = segment;
            if (len > 2 && start[len - 2] == '*') { // decoded segments lie behind each other in path->text, so the rest is one piece
                params[captured - 1].len = (size_t)(path->text.data + path->text.len - segment.data);
                return *pattern == 0;
            }
        } else if (len == 4 && memcmp(start, "v{N}", 4) == 0) {
            if (!is_version(segment)) {
                return false;
            }
        } else if (segment.len != len || memcmp(segment.data, start, len) != 0) {
            return false;
        }
    }
    return *pattern == 0;
}

// TRACE has no bit: echoing requests is nobody's business here. CONNECT does not get through the parser.
static unsigned method_bit(struct view method)
{
    static const struct {
        struct view name;
        unsigned bit;
    } names[] = {
        {VIEW("GET"), WEB_GET},     {VIEW("POST"), WEB_POST},     {VIEW("HEAD"), WEB_GET}, {VIEW("PUT"), WEB_PUT},
        {VIEW("PATCH"), WEB_PATCH}, {VIEW("DELETE"), WEB_DELETE}, {VIEW("TRACE"), 0},
    };
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        if (view_eq(method, names[i].name)) {
            return names[i].bit;
        }
    }
    return WEB_OTHER;
}

bool router_find(const struct web_route *routes, int count, const struct router_path *path, struct view method,
                 struct router_match *ret_match, struct fail *fail)
{
    unsigned bit = method_bit(method), allowed = 0;
    const struct web_route *found = NULL;
    struct view params[WEB_PARAMS_MAX] = {VIEW_NONE};
    bool options = view_eq(method, VIEW("OPTIONS"));
    for (int i = 0; i < count; i++) {
        memset(params, 0, sizeof params);
        if (!match_path(routes[i].pattern, path, params)) {
            continue;
        }
        allowed |= routes[i].methods;
        if (!found && (options || (routes[i].methods & bit))) {
            found = &routes[i];
            memcpy(ret_match->params, params, sizeof params);
            if (routes[i].methods == WEB_ANY) { // no other row has this path
                break;
            }
        }
    }
    ret_match->route = found;
    ret_match->allowed = allowed;
    return found || fail_set(fail, allowed ? FAIL_METHOD : FAIL_URL_PATTERN, NULL);
}
