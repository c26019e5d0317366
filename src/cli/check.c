// SPDX-License-Identifier: Apache-2.0
// `sluice check`: compiles files and folders and prints what is wrong, a line each; nothing runs.
#include "cli/cli.h"
#include "cli/modules.h"
#include "cli/walk.h"

#include "lang/lang.h"

#include <stdlib.h>

struct checking {
    bool strict, json, explain;
    int errors;
    struct view source; // of the file that is checked
    struct modules *modules;
    bool with_modules; // the names of modules in this path can be judged
    struct heap heap; // of the JSON list
    struct value found;
};

// ---- --explain: the line, where in it, what to do

enum { EXPLAIN_BYTES_MAX = 160 }; // of a line; longer ones are cut around the finding

// Line `number`, from 1, without its end; lines end as the lexer sees them: \n, \r\n, \r.
static struct view find_line(struct view source, int number)
{
    size_t start = 0, end = 0;
    for (;; number--) {
        while (end < source.len && source.data[end] != '\n' && source.data[end] != '\r') {
            end++;
        }
        if (number == 1 || end == source.len) {
            return number == 1 ? view_slice(source, start, end - start) : VIEW_NONE;
        }
        end += view_starts(view_from(source, end), VIEW("\r\n")) ? 2 : 1;
        start = end;
    }
}

// Control bytes do not reach the terminal. With `blank` only the room that the text takes is printed: tabs stay tabs.
static void print_shown(struct view text, bool blank)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool follows = ((uint8_t)c & 0xC0) == 0x80;
        if (!blank || c == '\t') {
            putchar((uint8_t)c < 0x20 && c != '\t' ? ' ' : c);
        } else if (!follows) {
            putchar(' ');
        }
    }
}

static void explain(struct view source, int line, int column, struct view hint)
{
    struct view text = find_line(source, line);
    if (line == 1 && view_starts(text, VIEW("\xEF\xBB\xBF"))) {
        text = view_from(text, 3);
    }
    if (text.len && utf8_valid(text)) {
        size_t at = utf8_offset(text, (size_t)column - 1), start = 0;
        if (at > EXPLAIN_BYTES_MAX / 2) {
            start = utf8_clamp(text, at - EXPLAIN_BYTES_MAX / 2);
        }
        text = view_from(text, start);
        fputs("    ", stdout);
        print_shown(view_slice(text, 0, utf8_clamp(text, EXPLAIN_BYTES_MAX)), false);
        fputs("\n    ", stdout);
        print_shown(view_slice(text, 0, at - start), true);
        puts("^");
    }
    if (hint.len) {
        printf("    %.*s\n", VIEW_ARGS(hint));
    }
}

static void report(struct checking *checking, const char *path, int line, int column, bool error, struct view text, struct view hint)
{
    checking->errors += error;
    if (!checking->json) {
        printf("%s:%d:%d: %s: %.*s\n", path, line, column, error ? "error" : "warning", VIEW_ARGS(text));
        if (checking->explain) {
            explain(checking->source, line, column, hint);
        }
        return;
    }
    struct heap *heap = &checking->heap;
    struct value map = value_map(heap, 6);
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, VIEW("file"), value_text(heap, view_of(path)));
        map_put_text(heap, map.map, VIEW("line"), value_number(line));
        map_put_text(heap, map.map, VIEW("column"), value_number(column));
        map_put_text(heap, map.map, VIEW("level"), value_text(heap, error ? VIEW("error") : VIEW("warning")));
        map_put_text(heap, map.map, VIEW("message"), value_text(heap, text));
        map_put_text(heap, map.map, VIEW("hint"), hint.len ? value_text(heap, hint) : value_null());
        list_add(heap, checking->found.list, map);
    }
}

static void check_source(struct checking *checking, const char *path, struct view source)
{
    struct arena arena;
    struct diagnostics *found = calloc(1, sizeof *found);
    struct unit *unit;
    struct fail fail;
    fail_clear(&fail);
    if (!found) {
        return;
    }
    arena_init(&arena, 16 << 20);
    found->arena = &arena;
    struct lang_options options = {.natives = host_natives(), .strict = checking->strict, .file = path, .name = VIEW("standalone.script")};
    bool ok = lang_compile(source, &options, &unit, found, &fail);
    if (ok) {
        unit_free(unit);
    }
    if (ok && checking->with_modules) {
        modules_collect(checking->modules, path, source);
    }
    for (int i = 0; i < found->count; i++) {
        const struct diagnostic *item = &found->items[i];
        report(checking, path, item->line, item->column, item->level == DIAGNOSTIC_ERROR, item->text, item->hint);
    }
    if (!ok && !found->errors) {
        report(checking, path, fail.line ? fail.line : 1, fail.column ? fail.column : 1, true, view_of(fail.text), VIEW(""));
    }
    free(found);
    arena_free(&arena);
}

static void check_file(void *arg, const char *path)
{
    struct checking *checking = arg;
    char *data;
    size_t len;
    struct fail fail;
    if (!cli_read_file(path, SOURCE_BYTES_MAX, &data, &len, &fail)) {
        report(checking, path, 1, 1, true, view_of(fail.text), VIEW(""));
        return;
    }
    checking->source = (struct view){data, len};
    if (walk_is_application(path, checking->source)) {
        report(checking, path, 1, 1, true, VIEW(WALK_APPLICATION_TEXT), VIEW(""));
    } else {
        check_source(checking, path, checking->source);
    }
    checking->source = VIEW_NONE;
    free(data);
}

static void report_broken(void *arg, const char *path, const char *why)
{
    report(arg, path, 1, 1, true, view_of(why), VIEW(""));
}

// The place's own source is no longer at hand: --explain has only the hint.
static void report_module(void *arg, const char *path, int line, int column, struct view name)
{
    char text[FAIL_TEXT_MAX];
    snprintf(text, sizeof text, "The module '%.*s' does not exist", (int)utf8_clamp(name, 100), name.data);
    report(arg, path, line, column, false, view_of(text),
           VIEW("An extension's own modules stand in its folder modules, others in the CRM of --data."));
}

static void report_field(void *arg, const char *path, int line, int column, struct view module, struct view name, struct view near)
{
    char text[FAIL_TEXT_MAX], hint[FAIL_TEXT_MAX] = "";
    snprintf(text, sizeof text, "The field '%.*s' does not exist in the module '%.*s'", (int)utf8_clamp(name, 100), name.data,
             (int)utf8_clamp(module, 100), module.data);
    if (near.len) {
        snprintf(hint, sizeof hint, "Did you mean '%.*s'?", (int)utf8_clamp(near, 100), near.data);
    }
    report(arg, path, line, column, false, view_of(text), view_of(hint));
}

// Names of modules and fields are judged with --data, or in the folder of an extension, where only its own and the standard ones may be
// counted on.
static bool check_paths(struct checking *checking, const struct cli_args *args, struct fail *fail)
{
    struct walk walk = {.file = check_file, .broken = report_broken, .arg = checking};
    const char *data = cli_flag(args, "--data");
    for (int i = 0; i < args->word_count; i++) {
        bool extension = modules_enter(checking->modules, args->words[i]);
        checking->with_modules = extension || data;
        walk_path(&walk, args->words[i]);
    }
    struct modules_visitor missing = {report_module, report_field, checking};
    return modules_ask(checking->modules, args, data, &missing, fail);
}

int verb_check(const struct cli_args *args)
{
    struct checking checking = {.strict = cli_flag(args, "--strict") != NULL,
                                .json = cli_flag(args, "--json") != NULL,
                                .explain = cli_flag(args, "--explain") != NULL,
                                .modules = modules_new()};
    struct fail fail;
    fail_clear(&fail);
    heap_init(&checking.heap, 1U << 30, NULL);
    checking.found = value_list(&checking.heap, 16);
    bool done =
        checking.modules && checking.found.type == VALUE_LIST ? check_paths(&checking, args, &fail) : fail_set(&fail, FAIL_MEMORY, NULL);
    int code = !done ? cli_failed(&fail) : checking.errors ? CLI_FAILED : CLI_OK;
    if (checking.json) {
        cli_print_json(checking.found);
    }
    modules_free(checking.modules);
    heap_free(&checking.heap);
    return code;
}
