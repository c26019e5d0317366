// SPDX-License-Identifier: Apache-2.0
// `sluice test --accept`: what came replaces the expectation it differs from, byte for byte at its place in the file, so that everything
// else (order, layout, other tests) stays as its author wrote it. The new file is written beside the old one and takes its place at once.
#include "cli/test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 100, LABEL_BYTES_MIN = 8, INDENT = 2, ID_DIGITS = 18 };

// ---- what is worth writing ----------------------------------------------------------------------

// Changes with every run, or is in every record.
static bool is_system(struct view name)
{
    static const char *const names[] = {"id",    "Created_Time",       "Modified_Time", "Created_By", "Modified_By",
                                        "Owner", "Last_Activity_Time", "time",          "headers"};
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        if (view_eq(name, view_of(names[i]))) {
            return true;
        }
    }
    return view_starts(name, VIEW("$"));
}

static bool is_empty(struct value v)
{
    return value_is_null(v) || (value_is_text(v) && v.len == 0) || (value_as_map(v) && value_as_map(v)->count == 0) ||
           (value_as_list(v) && value_as_list(v)->count == 0) || (v.type == VALUE_BOOL && !v.boolean);
}

static void note_names(struct map *names, struct heap *heap, struct value expected)
{
    const struct map *map = value_as_map(expected);
    const struct list *list = value_as_list(expected);
    uint32_t cursor = 0;
    for (uint32_t i = 0; list && i < list->count; i++) {
        note_names(names, heap, list->items[i]);
    }
    for (struct map_entry *entry; map && (entry = map_next(map, &cursor));) {
        if (test_is_matcher(map)) {
            note_names(names, heap, entry->value);
        } else {
            map_put(heap, names, entry->key, value_bool(true));
        }
    }
}

static struct value reduce(struct heap *heap, const struct map *item, const struct map *names)
{
    struct value copy = value_map(heap, 8);
    uint32_t cursor = 0;
    for (struct map_entry *entry; copy.type == VALUE_MAP && (entry = map_next(item, &cursor));) {
        struct view name = value_view_or(entry->key, VIEW(""));
        bool named = !value_is_null(map_get(names, entry->key, NULL));
        if (names->count ? named : !is_system(name) && !is_empty(entry->value)) {
            map_put(heap, copy.map, entry->key, entry->value);
        }
    }
    return copy;
}

struct value test_project(const struct test_run *run, struct value expected, struct value got)
{
    struct heap *heap = run->check.heap;
    const struct list *list = value_as_list(got);
    struct value names = value_map(heap, 8), copy = value_list(heap, list ? list->count : 0);
    if (!list || names.type != VALUE_MAP || copy.type != VALUE_LIST) {
        return got;
    }
    note_names(names.map, heap, expected);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct map *item = value_as_map(list->items[i]);
        list_add(heap, copy.list, item ? reduce(heap, item, names.map) : list->items[i]);
    }
    return copy;
}

// ---- layout -------------------------------------------------------------------------------------

// One line, with blanks as people write them.
static void write_line(struct buffer *out, struct value v, int depth);

static void write_items(struct buffer *out, struct value v, int depth, int indent)
{
    const struct map *map = value_as_map(v);
    const struct list *list = value_as_list(v);
    uint32_t cursor = 0, count = 0;
    for (struct map_entry *entry; map && (entry = map_next(map, &cursor)); count++) {
        buffer_printf(out, indent ? "%s\n%*s" : "%s%*s", count ? (indent ? "," : ", ") : "", indent, "");
        json_write_text(out, value_view_or(entry->key, VIEW("")));
        buffer_add(out, VIEW(": "));
        write_line(out, entry->value, depth + 1);
    }
    for (uint32_t i = 0; list && i < list->count; i++) {
        buffer_printf(out, indent ? "%s\n%*s" : "%s%*s", i ? (indent ? "," : ", ") : "", indent, "");
        write_line(out, list->items[i], depth + 1);
    }
}

static void write_line(struct buffer *out, struct value v, int depth)
{
    struct fail fail;
    bool map = value_as_map(v) != NULL;
    if ((!map && !value_as_list(v)) || depth > TEST_DEPTH_MAX) {
        json_write(out, v, NULL, &fail);
        return;
    }
    buffer_add_char(out, map ? '{' : '[');
    write_items(out, v, depth, 0);
    buffer_add_char(out, map ? '}' : ']');
}

// Too long for a line: an item a line.
static void write_value(struct buffer *out, struct value v, int indent)
{
    size_t before = out->len;
    write_line(out, v, 0);
    if (out->failed || out->len - before <= LINE_BYTES || is_empty(v) || (!value_as_map(v) && !value_as_list(v))) {
        return;
    }
    out->len = before;
    buffer_add_char(out, value_as_map(v) ? '{' : '[');
    write_items(out, v, 0, indent + INDENT);
    buffer_printf(out, "\n%*s%c", indent, "", value_as_map(v) ? '}' : ']');
}

static int indent_at(struct view text, size_t at)
{
    size_t line = at;
    int indent = 0;
    while (line > 0 && text.data[line - 1] != '\n') {
        line--;
    }
    while (line < at && text.data[line] == ' ') {
        line++;
        indent++;
    }
    return indent;
}

// ---- edits --------------------------------------------------------------------------------------

// Ids and keys become the labels they stand behind.
static struct value label_text(const struct test_run *run, struct value text)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(run->labels, &cursor));) {
        struct view rest = value_view(text), label = value_view_or(entry->value, VIEW("")), name = value_view_or(entry->key, VIEW(""));
        ptrdiff_t at = label.len < LABEL_BYTES_MIN ? -1 : view_find(rest, label);
        while (at >= 0 && value_is_text(text)) {
            text = value_text_printf(run->check.heap, "%.*s${%.*s}%.*s", (int)at, rest.data, VIEW_ARGS(name),
                                     VIEW_ARGS(view_from(rest, (size_t)at + label.len)));
            rest = value_view_or(text, VIEW(""));
            at = view_find(rest, label);
        }
    }
    return text;
}

// Bytes at the front of `text` that another run would have otherwise: an id of 18 digits, a time to the second. *ret_pattern matches them.
static size_t volatile_len(struct view text, const char **ret_pattern)
{
    static const char shape[] = "0000-00-00T00:00:00+00:00";
    size_t digits = 0, len = 0;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9') {
        digits++;
    }
    if (digits == ID_DIGITS) {
        *ret_pattern = "\\d{18}";
        return digits;
    }
    while (len < sizeof shape - 1 && len < text.len &&
           (shape[len] == '0' ? text.data[len] >= '0' && text.data[len] <= '9'
                              : text.data[len] == shape[len] || (shape[len] == '+' && text.data[len] == '-'))) {
        len++;
    }
    *ret_pattern = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d[+-]\\d\\d:\\d\\d";
    return len == sizeof shape - 1 ? len : 0;
}

// A pattern in place of text with such bytes inside; null when there are none.
static struct value pattern_of(const struct test_run *run, struct view text)
{
    struct buffer out;
    bool found = false, inside = false;
    const char *pattern;
    struct value matcher = value_map(run->check.heap, 1);
    buffer_init(&out, 8 * text.len + 256);
    buffer_add_char(&out, '^');
    for (size_t at = 0; at < text.len;) {
        bool digit = text.data[at] >= '0' && text.data[at] <= '9';
        size_t len = digit && !inside ? volatile_len(view_from(text, at), &pattern) : 0;
        inside = digit && !len; // within digits that are something else
        if (len) {
            buffer_add(&out, view_of(pattern));
            found = true;
            at += len;
            continue;
        }
        if (memchr("\\^$.|?*+()[]{}", text.data[at], 14)) {
            buffer_add_char(&out, '\\');
        }
        buffer_add_char(&out, text.data[at++]);
    }
    buffer_add_char(&out, '$');
    if (found && matcher.type == VALUE_MAP) {
        map_put_text(run->check.heap, matcher.map, VIEW("$matches"), value_text(run->check.heap, buffer_view(&out)));
    }
    buffer_free(&out);
    return found ? matcher : value_null();
}

static struct value settled(const struct test_run *run, struct value v, int depth);

static bool is_volatile(struct value v)
{
    const char *pattern;
    return value_is_text(v) && v.len > 0 && volatile_len(value_view(v), &pattern) == v.len;
}

// Text that holds JSON is written as what it holds. A label hides in a pattern as it does elsewhere.
static struct value settled_text(const struct test_run *run, struct value text, int depth)
{
    struct value labelled = label_text(run, text), parsed;
    struct fail fail;
    if (json_looks_like(value_view(labelled)) && json_read(run->check.heap, value_view(labelled), &parsed, &fail)) {
        return settled(run, parsed, depth + 1);
    }
    struct value pattern = view_find(value_view(labelled), VIEW("${")) < 0 ? pattern_of(run, value_view(labelled)) : value_null();
    return value_is_null(pattern) ? labelled : pattern;
}

// As another run would have it too: ids and times are left out of maps and become patterns in texts.
static struct value settled(const struct test_run *run, struct value v, int depth)
{
    struct heap *heap = run->check.heap;
    const struct map *map = value_as_map(v);
    const struct list *list = value_as_list(v);
    uint32_t cursor = 0;
    if (depth > TEST_DEPTH_MAX || (!map && !list) || test_is_matcher(map)) {
        return value_is_text(v) && depth <= TEST_DEPTH_MAX ? settled_text(run, v, depth) : v;
    }
    struct value copy = map ? value_map(heap, map->count) : value_list(heap, list->count);
    for (struct map_entry *entry; map && copy.type == VALUE_MAP && (entry = map_next(map, &cursor));) {
        struct value labelled = value_is_text(entry->value) ? label_text(run, entry->value) : entry->value;
        if (!is_volatile(labelled) && !view_starts(value_view_or(entry->key, VIEW("")), VIEW("$"))) {
            map_put(heap, copy.map, entry->key, settled(run, labelled, depth + 1));
        }
    }
    for (uint32_t i = 0; list && copy.type == VALUE_LIST && i < list->count; i++) {
        list_add(heap, copy.list, settled(run, list->items[i], depth + 1));
    }
    return copy;
}

static bool add_edit(struct test_edits *edits, const struct test_run *run, const struct test_difference *difference)
{
    struct test_place place;
    struct view text = run->test->file->text;
    struct value got = test_project(run, difference->expected, difference->got), absent = value_map(run->check.heap, 1);
    struct buffer out;
    if (!test_place_find(text, difference->path, &place)) {
        return false;
    }
    if (difference->absent && absent.type == VALUE_MAP) {
        map_put_text(run->check.heap, absent.map, VIEW("$absent"), value_bool(true));
        got = absent;
    }
    if (edits->count == edits->room) {
        int room = edits->room ? 2 * edits->room : 16;
        struct test_edit *more = realloc(edits->items, (size_t)room * sizeof *more);
        if (!more) {
            return false;
        }
        edits->items = more;
        edits->room = room;
    }
    buffer_init(&out, TEST_FILE_BYTES_MAX);
    write_value(&out, difference->absent ? got : settled(run, got, 0), indent_at(text, place.key_start));
    buffer_text(&out);
    if (out.failed) {
        buffer_free(&out);
        return false;
    }
    edits->items[edits->count++] = (struct test_edit){place.start, place.end, out.data};
    return true;
}

bool test_accept_add(struct test_edits *edits, const struct test_run *run)
{
    const struct test_check *check = &run->check;
    bool good = check->count <= TEST_DIFFERENCES_MAX;
    int before = edits->count;
    for (int i = 0; good && i < check->count; i++) {
        good = !check->items[i].fixed;
    }
    for (int i = 0; good && i < check->count; i++) {
        good = add_edit(edits, run, &check->items[i]);
    }
    while (!good && edits->count > before) {
        free(edits->items[--edits->count].text);
    }
    return good;
}

// ---- writing ------------------------------------------------------------------------------------

static int by_place(const void *a, const void *b)
{
    const struct test_edit *left = a, *right = b;
    return left->start < right->start ? -1 : left->start > right->start;
}

static bool unchanged(const struct test_file *file)
{
    char *data;
    size_t len;
    struct fail fail;
    if (!cli_read_file(file->path, TEST_FILE_BYTES_MAX, &data, &len, &fail)) {
        return false;
    }
    bool same = view_eq((struct view){data, len}, file->text);
    free(data);
    return same;
}

static bool replace_file(const char *path, struct view text, struct fail *fail)
{
    char beside[4096];
    struct stat info;
    if ((size_t)snprintf(beside, sizeof beside, "%s.%d.new", path, (int)getpid()) >= sizeof beside || stat(path, &info) != 0) {
        return fail_set(fail, FAIL_IO, "%s cannot be written", path);
    }
    FILE *file = fopen(beside, "wbx");
    bool ok = file && fwrite(text.data, 1, text.len, file) == text.len && fchmod(fileno(file), info.st_mode & 07777) == 0;
    ok = (file ? fclose(file) == 0 : false) && ok && rename(beside, path) == 0;
    if (!ok) {
        fail_set(fail, FAIL_IO, "%s: %s", path, strerror(errno));
        unlink(beside);
    }
    return ok;
}

bool test_accept_write(struct test_edits *edits, const struct test_file *file, struct fail *fail)
{
    struct buffer out;
    size_t at = 0;
    bool ok = true;
    buffer_init(&out, TEST_FILE_BYTES_MAX);
    if (edits->count) {
        qsort(edits->items, (size_t)edits->count, sizeof *edits->items, by_place);
    }
    for (int i = 0; i < edits->count; i++) {
        const struct test_edit *edit = &edits->items[i];
        if (edit->start >= at) { // two tests of a file share no place, but an expectation that stands in an @ path twice could
            buffer_add(&out, view_slice(file->text, at, edit->start - at));
            buffer_add(&out, view_of(edit->text));
            at = edit->end;
        }
        free(edit->text);
    }
    buffer_add(&out, view_from(file->text, at));
    if (edits->count && out.failed) {
        ok = fail_set(fail, FAIL_IO, "%s would become larger than %d bytes", file->path, TEST_FILE_BYTES_MAX);
    } else if (edits->count) {
        ok = unchanged(file) ? replace_file(file->path, buffer_view(&out), fail)
                             : fail_set(fail, FAIL_IO, "%s was changed while its tests ran; run them again", file->path);
    }
    buffer_free(&out);
    free(edits->items);
    *edits = (struct test_edits){0};
    return ok;
}
