// SPDX-License-Identifier: Apache-2.0
// Where a value stands in the text of a test file. The reader gives values without places; whoever complains of one, or rewrites it, looks
// its path up here again. The text is valid JSON by then, so this only has to step over what it does not look for, and needs no stack.
#include "cli/test.h"

struct scanner {
    struct view text;
    size_t at;
};

static void skip_blanks(struct scanner *s)
{
    while (s->at < s->text.len && memchr(" \t\r\n", s->text.data[s->at], 4)) {
        s->at++;
    }
}

static bool take(struct scanner *s, char c)
{
    skip_blanks(s);
    if (s->at < s->text.len && s->text.data[s->at] == c) {
        s->at++;
        return true;
    }
    return false;
}

// At an opening quote: moves behind the closing one.
static void skip_string(struct scanner *s)
{
    for (s->at++; s->at < s->text.len && s->text.data[s->at] != '"'; s->at++) {
        s->at += s->text.data[s->at] == '\\';
    }
    s->at++;
}

static void skip_container(struct scanner *s)
{
    size_t depth = 0;
    while (s->at < s->text.len) {
        char c = s->text.data[s->at];
        if (c == '"') {
            skip_string(s);
            continue;
        }
        s->at++;
        depth += c == '{' || c == '[';
        if ((c == '}' || c == ']') && --depth == 0) {
            return;
        }
    }
}

static void skip_value(struct scanner *s)
{
    skip_blanks(s);
    char c = s->at < s->text.len ? s->text.data[s->at] : 0;
    if (c == '"') {
        skip_string(s);
    } else if (c == '{' || c == '[') {
        skip_container(s);
    } else { // a number or a word
        while (s->at < s->text.len && !memchr(",]} \t\r\n", s->text.data[s->at], 7)) {
            s->at++;
        }
    }
}

// `raw` is a string with its quotes.
static bool is_key(struct view raw, struct view key)
{
    struct view inside = view_slice(raw, 1, raw.len - 2);
    if (view_find_char(raw, '\\') < 0) {
        return view_eq(inside, key);
    }
    struct heap heap;
    struct value decoded;
    struct fail fail;
    heap_init(&heap, 4 * raw.len + 65536, NULL);
    bool same = json_read(&heap, raw, &decoded, &fail) && view_eq(value_view_or(decoded, VIEW("")), key);
    heap_free(&heap);
    return same;
}

// From the start of an object: the member's value, the last of that name.
static bool enter_member(struct scanner *s, struct view key, size_t *ret_key)
{
    struct scanner found = {.at = SIZE_MAX};
    if (!take(s, '{')) {
        return false;
    }
    do {
        skip_blanks(s);
        size_t start = s->at;
        if (start >= s->text.len || s->text.data[start] != '"') {
            break;
        }
        skip_string(s);
        struct view raw = view_slice(s->text, start, s->at - start);
        take(s, ':');
        skip_blanks(s);
        if (is_key(raw, key)) {
            found = *s;
            *ret_key = start;
        }
        skip_value(s);
    } while (take(s, ','));
    s->at = found.at;
    return found.at != SIZE_MAX;
}

static bool enter_item(struct scanner *s, int index)
{
    if (!take(s, '[')) {
        return false;
    }
    for (; index > 0; index--) {
        skip_value(s);
        if (!take(s, ',')) {
            return false;
        }
    }
    skip_blanks(s);
    return true;
}

static bool enter(struct scanner *s, const struct test_path *path, size_t *ret_key)
{
    if (!path) {
        skip_blanks(s);
        *ret_key = s->at;
        return true;
    }
    if (!enter(s, path->parent, ret_key)) {
        return false;
    }
    bool found = path->index < 0 ? enter_member(s, path->key, ret_key) : enter_item(s, path->index);
    if (found && path->index >= 0) {
        *ret_key = s->at;
    }
    return found;
}

bool test_place_find(struct view text, const struct test_path *path, struct test_place *ret_place)
{
    struct scanner s = {.text = text};
    struct test_place place = {.line = 1, .column = 1};
    if (!enter(&s, path, &place.key_start)) {
        return false;
    }
    place.start = s.at;
    skip_value(&s);
    place.end = s.at;
    for (size_t i = 0; i < place.key_start; i++) {
        place.line += text.data[i] == '\n';
        place.column = text.data[i] == '\n' ? 1 : place.column + 1;
    }
    *ret_place = place;
    return true;
}

void test_path_print(struct buffer *out, const struct test_path *path)
{
    if (!path) {
        return;
    }
    test_path_print(out, path->parent);
    if (path->index >= 0) {
        buffer_printf(out, "[%d]", path->index);
    } else {
        buffer_printf(out, "%s%.*s", path->parent ? "." : "", VIEW_ARGS(path->key));
    }
}

const struct test_path *test_path_keep(struct heap *heap, const struct test_path *path)
{
    struct test_path *copy = path ? heap_alloc(heap, sizeof *copy) : NULL;
    if (copy) {
        *copy = *path;
        copy->parent = test_path_keep(heap, path->parent);
    }
    return copy;
}
