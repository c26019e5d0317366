// SPDX-License-Identifier: Apache-2.0
// Reading a test file: JSON, then every member by the tables below. A member that no table knows is an error, because a misspelt
// expectation would hold for ever. All that is wrong with a file is told at once, each with its line.
#include "cli/test.h"

#include <stdlib.h>

enum {
    AS_TEXT = 1,
    AS_NUMBER = 2,
    AS_BOOL = 4,
    AS_MAP = 8,
    AS_LIST = 16,
    AS_NULL = 32,
    AS_ANY = 63,
};
enum part { PART_NONE, PART_TEST, PART_REQUEST, PART_ANSWER, PART_REPLY, PART_EXPECT, PART_RECORDS, PART_VALUES };
struct rule {
    enum part of;
    const char *name;
    unsigned as; // what it may be
    enum part inside; // of the map, or of each item of the list
};
static const struct rule rules[] = {
    {PART_TEST, "name", AS_TEXT, PART_NONE},
    {PART_TEST, "function", AS_TEXT, PART_NONE},
    {PART_TEST, "functions", AS_LIST, PART_NONE},
    {PART_TEST, "request", AS_MAP, PART_REQUEST},
    {PART_TEST, "records", AS_MAP, PART_RECORDS},
    {PART_TEST, "variables", AS_MAP, PART_VALUES},
    {PART_TEST, "answers", AS_LIST, PART_ANSWER},
    {PART_TEST, "install", AS_BOOL, PART_NONE},
    {PART_TEST, "seed", AS_BOOL, PART_NONE},
    {PART_TEST, "network", AS_BOOL, PART_NONE},
    {PART_TEST, "now", AS_TEXT, PART_NONE},
    {PART_TEST, "limits", AS_MAP, PART_NONE},
    {PART_TEST, "expect", AS_MAP, PART_EXPECT},
    {PART_REQUEST, "method", AS_TEXT, PART_NONE},
    {PART_REQUEST, "params", AS_MAP, PART_NONE},
    {PART_REQUEST, "form", AS_MAP, PART_NONE},
    {PART_REQUEST, "headers", AS_MAP, PART_VALUES},
    {PART_REQUEST, "body", AS_TEXT | AS_MAP | AS_LIST, PART_NONE},
    {PART_REQUEST, "file", AS_TEXT | AS_MAP, PART_NONE},
    {PART_REQUEST, "arguments", AS_MAP, PART_NONE},
    {PART_REQUEST, "record", AS_MAP, PART_NONE},
    {PART_REQUEST, "auth", AS_TEXT, PART_NONE},
    {PART_REQUEST, "url", AS_TEXT, PART_NONE},
    {PART_ANSWER, "method", AS_TEXT, PART_NONE},
    {PART_ANSWER, "url", AS_TEXT, PART_NONE},
    {PART_ANSWER, "headers", AS_MAP, PART_NONE},
    {PART_ANSWER, "params", AS_MAP, PART_NONE},
    {PART_ANSWER, "body", AS_ANY, PART_NONE},
    {PART_ANSWER, "form", AS_MAP, PART_NONE},
    {PART_ANSWER, "task", AS_TEXT, PART_NONE},
    {PART_ANSWER, "reply", AS_MAP, PART_REPLY},
    {PART_ANSWER, "replies", AS_LIST, PART_REPLY},
    {PART_REPLY, "status", AS_NUMBER, PART_NONE},
    {PART_REPLY, "headers", AS_MAP, PART_VALUES},
    {PART_REPLY, "body", AS_TEXT | AS_MAP | AS_LIST, PART_NONE},
    {PART_REPLY, "value", AS_ANY, PART_NONE},
    {PART_REPLY, "fail", AS_TEXT, PART_NONE},
    {PART_EXPECT, "status", AS_NUMBER | AS_MAP, PART_NONE},
    {PART_EXPECT, "headers", AS_MAP, PART_NONE},
    {PART_EXPECT, "output", AS_ANY, PART_NONE},
    {PART_EXPECT, "body", AS_ANY, PART_NONE},
    {PART_EXPECT, "log", AS_LIST | AS_MAP, PART_NONE},
    {PART_EXPECT, "records", AS_MAP, PART_NONE},
    {PART_EXPECT, "variables", AS_MAP, PART_NONE},
    {PART_EXPECT, "signals", AS_LIST | AS_MAP, PART_NONE},
    {PART_EXPECT, "requests", AS_LIST | AS_MAP, PART_NONE},
    {PART_EXPECT, "mails", AS_LIST | AS_MAP, PART_NONE},
    {PART_EXPECT, "error", AS_TEXT | AS_MAP | AS_NULL, PART_NONE},
    {PART_EXPECT, "outcome", AS_TEXT | AS_MAP, PART_NONE},
    {PART_EXPECT, "statements", AS_NUMBER | AS_MAP, PART_NONE},
    {PART_EXPECT, "outgoing", AS_NUMBER | AS_MAP, PART_NONE},
};
static const char *const part_names[] = {"", "a test", "a request", "an answer", "a reply", "an expectation", "records", "values"};

// ---- telling ------------------------------------------------------------------------------------

void test_file_error(const struct test_file *file, const struct test_path *path, const char *format, ...)
{
    struct test_place place = {.line = 1, .column = 1};
    va_list args;
    test_place_find(file->text, path, &place);
    fprintf(file->errors, "%s:%d:%d: error: ", file->path, place.line, place.column);
    va_start(args, format);
    vfprintf(file->errors, format, args);
    va_end(args);
    fputc('\n', file->errors);
}

struct reading {
    const struct test_file *file;
    int errors;
};

static void complain(struct reading *reading, const struct test_path *path, const char *format, ...) BASE_PRINTF(3, 4);
static void complain(struct reading *reading, const struct test_path *path, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (reading->errors++ < TEST_ERRORS_MAX) {
        test_file_error(reading->file, path, "%s", text);
    }
}

// ---- checking -----------------------------------------------------------------------------------

static unsigned kind_of(struct value v)
{
    return value_is_text(v)         ? AS_TEXT
           : v.type == VALUE_NUMBER ? AS_NUMBER
           : v.type == VALUE_BOOL   ? AS_BOOL
           : value_as_map(v)        ? AS_MAP
           : value_as_list(v)       ? AS_LIST
           : value_is_null(v)       ? AS_NULL
                                    : 0;
}

static void print_kinds(unsigned as, char *out, size_t size)
{
    static const char *const names[] = {"text", "a whole number", "true or false", "an object", "a list", "null"};
    size_t len = 0;
    out[0] = 0;
    for (unsigned i = 0; i < BASE_COUNT(names); i++) {
        if (as >> i & 1 && len < size) {
            len += (size_t)snprintf(out + len, size - len, "%s%s", len ? " or " : "", names[i]);
        }
    }
}

// In what is matched, a member that begins with $ is one of the known words, and all of its map are.
static void check_words(struct reading *reading, const struct test_path *path, const struct map *map)
{
    bool matcher = test_is_matcher(map);
    uint32_t cursor = 0;
    for (struct map_entry *entry; matcher && (entry = map_next(map, &cursor));) {
        struct view name = value_view_or(entry->key, VIEW(""));
        bool known = false;
        for (const char *const *word = test_matcher_words; *word; word++) {
            known |= view_eq(name, view_of(*word));
        }
        if (!known) {
            complain(reading, TEST_MEMBER(path, name),
                     "\"%.*s\" is no word of an expectation; they are $is, $matches, $contains, $count, "
                     "$at_least, $at_most, $any and $absent",
                     VIEW_ARGS(name));
        }
    }
}

// Every value below: depth, and the words of expectations.
static bool check_below(struct reading *reading, const struct test_path *path, struct value v, int depth, bool matched)
{
    if (depth > TEST_DEPTH_MAX) {
        complain(reading, path, "this is nested deeper than %d levels", TEST_DEPTH_MAX);
        return false;
    }
    const struct map *map = value_as_map(v);
    const struct list *list = value_as_list(v);
    uint32_t cursor = 0;
    if (map && matched) {
        check_words(reading, path, map);
    }
    for (struct map_entry *entry; map && (entry = map_next(map, &cursor));) {
        struct view name = value_view_or(entry->key, VIEW(""));
        bool literal = view_eq(name, VIEW("$is"));
        if (!check_below(reading, TEST_MEMBER(path, name), entry->value, depth + 1, matched && !literal)) {
            return false;
        }
    }
    for (uint32_t i = 0; list && i < list->count; i++) {
        if (!check_below(reading, TEST_ITEM(path, i), list->items[i], depth + 1, matched)) {
            return false;
        }
    }
    return true;
}

static void check_part(struct reading *reading, const struct test_path *path, const struct map *map, enum part part);

static void check_records(struct reading *reading, const struct test_path *path, struct value rows)
{
    const struct list *list = value_as_list(rows);
    if (!list) {
        complain(reading, path, "the records of a module are a list");
    }
    for (uint32_t i = 0; list && i < list->count; i++) {
        if (!value_as_map(list->items[i])) {
            complain(reading, TEST_ITEM(path, i), "a record is an object");
        }
    }
}

static void check_member(struct reading *reading, const struct test_path *path, const struct rule *rule, struct value v)
{
    const struct list *list = value_as_list(v);
    char kinds[128];
    if (!(kind_of(v) & rule->as)) {
        print_kinds(rule->as, kinds, sizeof kinds);
        complain(reading, path, "\"%s\" must be %s", rule->name, kinds);
        return;
    }
    if (value_as_map(v) && rule->inside != PART_NONE) {
        check_part(reading, path, value_as_map(v), rule->inside);
    }
    for (uint32_t i = 0; list && rule->inside != PART_NONE && i < list->count; i++) {
        if (value_as_map(list->items[i])) {
            check_part(reading, TEST_ITEM(path, i), value_as_map(list->items[i]), rule->inside);
        } else {
            complain(reading, TEST_ITEM(path, i), "%s is an object", part_names[rule->inside]);
        }
    }
}

static const struct rule *find_rule(enum part part, struct view name)
{
    for (size_t i = 0; i < BASE_COUNT(rules); i++) {
        if (rules[i].of == part && view_eq(name, view_of(rules[i].name))) {
            return &rules[i];
        }
    }
    return NULL;
}

static void complain_unknown(struct reading *reading, const struct test_path *path, enum part part, struct view name)
{
    char known[512];
    size_t len = 0;
    known[0] = 0;
    for (size_t i = 0; i < BASE_COUNT(rules); i++) {
        if (rules[i].of == part && len < sizeof known) {
            len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", len ? ", " : "", rules[i].name);
        }
    }
    complain(reading, path, "%s has no member \"%.*s\"; it may have: %s", part_names[part], VIEW_ARGS(view_slice(name, 0, 100)), known);
}

static bool has(const struct map *map, const char *name)
{
    uint32_t cursor = 0;
    struct map_entry *entry;
    while ((entry = map_next(map, &cursor)) && !view_eq(value_view_or(entry->key, VIEW("")), view_of(name))) {
    }
    return entry != NULL;
}

static void check_together(struct reading *reading, const struct test_path *path, const struct map *map, enum part part)
{
    int content = has(map, "body") + has(map, "form") + has(map, "file");
    if (part == PART_REQUEST && content > 1 && (has(map, "body") || content > 2)) {
        complain(reading, path, "a request has a body, or a form and a file");
    }
    if (part == PART_ANSWER && has(map, "url") == has(map, "task")) {
        complain(reading, path, "an answer needs a \"url\" or a \"task\"");
    }
    if (part == PART_ANSWER && has(map, "reply") == has(map, "replies")) {
        complain(reading, path, "an answer needs a \"reply\", or \"replies\" that are given in turn");
    }
}

static void check_part(struct reading *reading, const struct test_path *path, const struct map *map, enum part part)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(map, &cursor));) {
        struct view name = value_view_or(entry->key, VIEW(""));
        const struct test_path *at = TEST_MEMBER(path, name);
        if (part == PART_RECORDS) {
            check_records(reading, at, entry->value);
        } else if (part == PART_VALUES) {
            if (!(kind_of(entry->value) & (AS_TEXT | AS_NUMBER | AS_BOOL))) {
                complain(reading, at, "\"%.*s\" must be text", VIEW_ARGS(view_slice(name, 0, 100)));
            }
        } else {
            const struct rule *rule = find_rule(part, name);
            if (rule) {
                check_member(reading, at, rule, entry->value);
            } else {
                complain_unknown(reading, at, part, name);
            }
        }
    }
    check_together(reading, path, map, part);
}

static void check_test(struct reading *reading, uint32_t index, struct value test)
{
    const struct test_path *path = TEST_ITEM(TEST_MEMBER(NULL, VIEW("tests")), index);
    const struct map *map = value_as_map(test);
    if (!map) {
        complain(reading, path, "a test is an object");
        return;
    }
    check_part(reading, path, map, PART_TEST);
    if (!view_trim(cli_text(map, "name")).len) {
        complain(reading, path, "a test needs a \"name\"");
    }
    if (!value_as_map(map_get_text(map, VIEW("expect")))) {
        complain(reading, path, "a test needs \"expect\"; with {} --accept writes what comes");
    }
    check_below(reading, TEST_MEMBER(path, VIEW("expect")), map_get_text(map, VIEW("expect")), 0, true);
}

static void check_file(struct reading *reading, struct test_file *file)
{
    uint32_t cursor = 0;
    struct value tests = map_get_text(file->root, VIEW("tests"));
    for (struct map_entry *entry; (entry = map_next(file->root, &cursor));) {
        struct view name = value_view_or(entry->key, VIEW(""));
        const struct test_path *path = TEST_MEMBER(NULL, name);
        const struct rule *rule = find_rule(PART_TEST, name);
        if (view_eq(name, VIEW("tests"))) {
            continue;
        }
        if (!rule || view_eq(name, VIEW("name")) || view_eq(name, VIEW("expect"))) {
            complain(reading, path, rule ? "\"%.*s\" belongs into one of the \"tests\"" : "a test file has no member \"%.*s\"",
                     VIEW_ARGS(view_slice(name, 0, 100)));
        } else {
            check_member(reading, path, rule, entry->value);
        }
    }
    file->tests = value_as_list(tests);
    if (!file->tests || file->tests->count == 0) {
        complain(reading, NULL, "a test file is {\"tests\": [{\"name\": …, \"function\": …, \"expect\": {…}}]}");
    } else if (file->tests->count > TEST_TESTS_MAX) {
        complain(reading, TEST_MEMBER(NULL, VIEW("tests")), "a file holds at most %d tests", TEST_TESTS_MAX);
    }
    for (uint32_t i = 0; file->tests && i < file->tests->count && i < TEST_TESTS_MAX; i++) {
        check_test(reading, i, file->tests->items[i]);
    }
}

// ---- reading ------------------------------------------------------------------------------------

bool test_file_read(struct test_file *file, const char *path, FILE *errors)
{
    struct fail fail;
    struct value root;
    size_t len;
    *file = (struct test_file){.path = path, .errors = errors};
    heap_init(&file->heap, 16 * (size_t)TEST_FILE_BYTES_MAX + (1 << 20), NULL);
    if (!cli_read_file(path, TEST_FILE_BYTES_MAX, &file->data, &len, &fail)) {
        fprintf(errors, "%s:1:1: error: %s\n", path, fail.text);
        return false;
    }
    const char *slash = strrchr(path, '/');
    file->folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("");
    file->text = (struct view){file->data, len};
    if (!json_read(&file->heap, file->text, &root, &fail)) {
        fprintf(errors, "%s:%d:%d: error: %s\n", path, fail.line ? fail.line : 1, fail.column ? fail.column : 1, fail.text);
        return false;
    }
    struct reading reading = {.file = file};
    file->root = value_as_map(root);
    if (!file->root) {
        complain(&reading, NULL, "a test file is an object: {\"tests\": […]}");
    } else if (check_below(&reading, NULL, root, 0, false)) {
        check_file(&reading, file);
    }
    if (reading.errors > TEST_ERRORS_MAX) {
        fprintf(errors, "%s: and %d errors more\n", path, reading.errors - TEST_ERRORS_MAX);
    }
    return reading.errors == 0;
}

void test_file_free(struct test_file *file)
{
    free(file->data);
    free(file->folder);
    heap_free(&file->heap);
}

struct test_case test_case_at(const struct test_file *file, int index)
{
    const struct map *own = value_as_map(file->tests->items[index]);
    return (struct test_case){.file = file, .index = index, .own = own, .name = cli_text(own, "name")};
}

struct value test_case_member(const struct test_case *test, struct view name, struct heap *heap, const struct test_path **ret_path)
{
    struct value own = map_get_text(test->own, name);
    const struct test_path *above = value_is_null(own) ? NULL : TEST_ITEM(TEST_MEMBER(NULL, VIEW("tests")), test->index);
    *ret_path = test_path_keep(heap, TEST_MEMBER(above, name));
    return value_is_null(own) ? map_get_text(test->file->root, name) : own;
}
