// SPDX-License-Identifier: Apache-2.0
// What is told of a test that failed: each difference with its place in the file, what the functions logged, and how the call was answered.
#include "cli/test.h"

enum { SHOWN_BYTES_MAX = 2000, LINES_MAX = 100, PRINTED_BYTES_MAX = 64 << 20 };

static void print_cut(struct view text, int indent)
{
    struct view rest = view_slice(text, 0, utf8_clamp(text, SHOWN_BYTES_MAX));
    bool first = true;
    do {
        struct view line = view_cut(&rest, '\n');
        printf("%*s%.*s\n", first ? 0 : indent, "", VIEW_ARGS(line));
        first = false;
    } while (rest.len);
    if (text.len > SHOWN_BYTES_MAX) {
        printf("%*s… %zu bytes more\n", indent, "", text.len - SHOWN_BYTES_MAX);
    }
}

static void print_value(const struct test_run *run, struct value v)
{
    struct buffer out;
    struct fail fail;
    buffer_init(&out, PRINTED_BYTES_MAX);
    if (json_write(&out, v, run->heap.zone, &fail)) {
        print_cut(buffer_view(&out), 16);
    } else {
        printf("(%s)\n", fail.text);
    }
    buffer_free(&out);
}

static void print_place(const struct test_run *run, const struct test_path *path)
{
    const struct test_file *file = run->test->file;
    struct test_place place = {.line = 1, .column = 1};
    struct buffer text;
    buffer_init(&text, 65536);
    const struct test_path *whole = TEST_ITEM(TEST_MEMBER(NULL, VIEW("tests")), run->test->index);
    while (path && !test_place_find(file->text, path, &place)) { // what the file does not have stands for what it could be in
        path = path->parent;
    }
    if (!path) {
        path = whole;
        test_place_find(file->text, path, &place);
    }
    test_path_print(&text, path);
    printf("  %s:%d: %s\n", file->path, place.line, buffer_text(&text));
    buffer_free(&text);
}

static void print_difference(const struct test_run *run, const struct test_difference *difference)
{
    print_place(run, difference->path);
    if (difference->fixed) {
        printf("    ");
        print_cut(view_of(difference->text), 4);
        return;
    }
    printf("    expected    ");
    print_value(run, difference->expected);
    printf("    got         ");
    if (difference->absent) {
        puts("nothing");
    } else {
        print_value(run, test_project(run, difference->expected, difference->got));
    }
    if (difference->text) {
        printf("    %s\n", difference->text);
    }
}

static void print_log(const struct test_run *run)
{
    if (run->line_count) {
        puts("  log");
    }
    for (int i = 0; i < run->line_count && i < LINES_MAX; i++) {
        const struct test_line *line = &run->lines[i];
        if (line->line) {
            printf("    %.*s:%d: ", VIEW_ARGS(line->function), line->line);
        } else {
            printf("    %.*s: ", VIEW_ARGS(line->function));
        }
        print_cut(line->text, 6);
    }
    if (run->line_count > LINES_MAX) {
        printf("    … %d lines more\n", run->line_count - LINES_MAX);
    }
}

void test_print_failure(const struct test_run *run)
{
    const struct test_check *check = &run->check;
    printf("FAIL %s: %.*s\n", run->test->file->path, VIEW_ARGS(run->test->name));
    for (int i = 0; i < check->count && i < TEST_DIFFERENCES_MAX; i++) {
        print_difference(run, &check->items[i]);
    }
    if (check->count > TEST_DIFFERENCES_MAX) {
        printf("  … %d differences more\n", check->count - TEST_DIFFERENCES_MAX);
    }
    print_log(run);
    struct value status = map_get_text(run->came, VIEW("status"));
    if (!value_is_null(status)) {
        printf("  reply %lld\n    ", (long long)status.number);
        print_cut(cli_text(run->came, "body"), 4);
    }
}

// ---- JSON ---------------------------------------------------------------------------------------

static struct value difference_value(const struct test_run *run, struct heap *heap, const struct test_difference *difference)
{
    struct value map = value_map(heap, 6);
    struct test_place place;
    struct buffer path;
    buffer_init(&path, 65536);
    test_path_print(&path, difference->path);
    if (map.type == VALUE_MAP) {
        bool found = test_place_find(run->test->file->text, difference->path, &place);
        map_put_text(heap, map.map, VIEW("path"), value_text(heap, path.data ? buffer_view(&path) : VIEW("")));
        map_put_text(heap, map.map, VIEW("line"), found ? value_number(place.line) : value_null());
        map_put_text(heap, map.map, VIEW("message"), difference->text ? value_text(heap, view_of(difference->text)) : value_null());
        if (!difference->fixed) {
            map_put_text(heap, map.map, VIEW("expected"), difference->expected);
            map_put_text(heap, map.map, VIEW("got"), difference->absent ? value_null() : difference->got);
        }
    }
    buffer_free(&path);
    return map;
}

static struct value log_value(const struct test_run *run, struct heap *heap)
{
    struct value list = value_list(heap, (size_t)run->line_count + 1);
    for (int i = 0; i < run->line_count && list.type == VALUE_LIST; i++) {
        struct value line = value_map(heap, 3);
        if (line.type == VALUE_MAP) {
            map_put_text(heap, line.map, VIEW("function"), value_text(heap, run->lines[i].function));
            map_put_text(heap, line.map, VIEW("line"), value_number(run->lines[i].line));
            map_put_text(heap, line.map, VIEW("text"), value_text(heap, run->lines[i].text));
        }
        list_add(heap, list.list, line);
    }
    return list;
}

struct value test_print_value(const struct test_run *run, struct heap *heap)
{
    struct value map = value_map(heap, 8), failures = value_list(heap, 8);
    struct fail fail;
    if (map.type != VALUE_MAP || failures.type != VALUE_LIST) {
        return value_null();
    }
    for (int i = 0; i < run->check.count && i < TEST_DIFFERENCES_MAX; i++) {
        struct value difference = difference_value(run, heap, &run->check.items[i]);
        list_add(heap, failures.list, value_copy(heap, difference, &fail));
    }
    map_put_text(heap, map.map, VIEW("file"), value_text(heap, view_of(run->test->file->path)));
    map_put_text(heap, map.map, VIEW("name"), value_text(heap, run->test->name));
    map_put_text(heap, map.map, VIEW("passed"), value_bool(run->check.count == 0));
    map_put_text(heap, map.map, VIEW("failures"), failures);
    map_put_text(heap, map.map, VIEW("log"), log_value(run, heap));
    map_put_text(heap, map.map, VIEW("status"), map_get_text(run->came, VIEW("status")));
    map_put_text(heap, map.map, VIEW("duration_ms"), value_decimal((double)(int64_t)(run->duration_ms * 100) / 100));
    return map;
}
