// SPDX-License-Identifier: Apache-2.0
//
// Runs the language tests: every FILE.dg below a folder is one behaviour. The script says itself, in comments, what must come out:
//
//   // expect: LINE                 the next log line, exactly; lines are compared in order and none may be left over
//   // expect return: TEXT          the printed value of the first function
//   // expect error: TEXT           the run fails and the message contains TEXT
//   // expect error line: N         … in this line
//   // expect compile error: TEXT   the script does not compile, and some error contains TEXT
//   // expect warning: TEXT         it compiles, and some warning contains TEXT
//   // expect statements: N         so many statements were counted
//   // strict                       compile as Zoho's save does
//   // param: NAME=TEXT             an argument of that name; NAME:=JSON for values
//   // bind: NAME:=JSON             what the host binds (crmAPIRequest …)
//   // limit: NAME=N                statements, depth, memory (bytes), slice
//   // zone: NAME                   of the run's dates; UTC if none is named
//
// Prints TAP. Adding a test touches no list: usage is `run FOLDER [PART OF A PATH]`.

#include "lang/lang.h"
#include "lib/lib.h"

#include <ftw.h>
#include <stdlib.h>

enum {
    FILES_MAX = 4000,
    EXPECTS_MAX = 200,
    PARAMS_MAX = 32,
    FILE_BYTES_MAX = SOURCE_BYTES_MAX,
    LOG_BYTES_MAX = 1 << 20,
    MEMORY_BYTES = 64 << 20
};

struct expectation {
    struct view lines[EXPECTS_MAX];
    int line_count;
    struct view result, error, compile_error, warning;
    int64_t error_line, statements;
    struct view params[PARAMS_MAX], binds[PARAMS_MAX]; // NAME=TEXT or NAME:=JSON
    int param_count, bind_count;
    bool strict;
    struct lang_limits limits;
    int64_t memory;
    struct view zone;
    bool any;
};

static char *files[FILES_MAX];
static int file_count;
static const struct native_set *natives;

// ---- reading the comments -----------------------------------------------------------------------

static bool take(struct view line, const char *prefix, struct view *ret_rest)
{
    if (!view_starts(line, view_of(prefix))) {
        return false;
    }
    *ret_rest = view_from(line, strlen(prefix));
    return true;
}

static void read_limit(struct view text, struct expectation *e)
{
    struct view name = view_cut(&text, '=');
    int64_t number = 0;
    view_to_int64(text, &number);
    if (view_eq(name, VIEW("statements"))) {
        e->limits.statements_max = number;
    } else if (view_eq(name, VIEW("depth"))) {
        e->limits.depth_max = (int)number;
    } else if (view_eq(name, VIEW("slice"))) {
        e->limits.slice = number;
    } else if (view_eq(name, VIEW("memory"))) {
        e->memory = number;
    }
}

static void read_line(struct view line, struct expectation *e)
{
    struct view rest;
    if (take(line, "// expect: ", &rest) || view_eq(line, VIEW("// expect:"))) {
        if (e->line_count < EXPECTS_MAX) {
            e->lines[e->line_count++] = view_eq(line, VIEW("// expect:")) ? VIEW("") : rest;
        }
    } else if (take(line, "// expect return: ", &rest)) {
        e->result = rest;
    } else if (view_eq(line, VIEW("// expect return:"))) {
        e->result = VIEW("");
    } else if (take(line, "// expect error: ", &rest)) {
        e->error = rest;
    } else if (take(line, "// expect error line: ", &rest)) {
        view_to_int64(rest, &e->error_line);
    } else if (take(line, "// expect compile error: ", &rest)) {
        e->compile_error = rest;
    } else if (take(line, "// expect warning: ", &rest)) {
        e->warning = rest;
    } else if (take(line, "// expect statements: ", &rest)) {
        view_to_int64(rest, &e->statements);
    } else if (view_eq(line, VIEW("// strict"))) {
        e->strict = true;
    } else if (take(line, "// param: ", &rest) && e->param_count < PARAMS_MAX) {
        e->params[e->param_count++] = rest;
    } else if (take(line, "// bind: ", &rest) && e->bind_count < PARAMS_MAX) {
        e->binds[e->bind_count++] = rest;
    } else if (take(line, "// limit: ", &rest)) {
        read_limit(rest, e);
    } else {
        take(line, "// zone: ", &e->zone);
    }
    e->any = e->any || view_starts(line, VIEW("// expect"));
}

static void read_expectation(struct view source, struct expectation *e)
{
    *e = (struct expectation){.limits = {200000, 75, 10000}, .memory = MEMORY_BYTES, .error_line = -1, .statements = -1};
    while (source.len > 0) {
        struct view line = view_cut(&source, '\n');
        if (line.len > 0 && line.data[line.len - 1] == '\r') {
            line.len--;
        }
        read_line(line, e);
    }
}

// ---- one file -----------------------------------------------------------------------------------

static bool complain(const char *what, struct view wanted, struct view found)
{
    printf("# %s\n#   wanted: %.*s\n#   found:  %.*s\n", what, VIEW_ARGS(wanted), VIEW_ARGS(found));
    return false;
}

static void collect_info(void *user, int line, struct value text)
{
    (void)line;
    buffer_add(user, value_view(text));
    buffer_add_char(user, '\n');
}

static bool check_log(const struct expectation *e, const struct buffer *log)
{
    struct buffer wanted;
    buffer_init(&wanted, LOG_BYTES_MAX);
    for (int i = 0; i < e->line_count; i++) {
        buffer_add(&wanted, e->lines[i]);
        buffer_add_char(&wanted, '\n');
    }
    bool same = view_eq(buffer_view(&wanted), buffer_view(log));
    if (!same) {
        complain("the log differs", buffer_view(&wanted), buffer_view(log));
    }
    buffer_free(&wanted);
    return same;
}

static bool check_error(const struct expectation *e, bool done, const struct fail *fail)
{
    if (e->error.len == 0) {
        return done || complain("the run failed", VIEW("no error"), view_of(fail->text));
    }
    if (done || view_find(view_of(fail->text), e->error) < 0) {
        return complain("the error differs", e->error, done ? VIEW("no error") : view_of(fail->text));
    }
    if (e->error_line >= 0 && e->error_line != fail->line) {
        printf("# the error is in line %d, not %lld\n", fail->line, (long long)e->error_line);
        return false;
    }
    return true;
}

static bool check_result(struct heap *heap, const struct expectation *e, bool done, struct value result)
{
    struct fail fail;
    if (e->result.data == NULL || !done) {
        return true;
    }
    struct value text = value_to_text(heap, result, &fail);
    struct view found = value_view_or(text, VIEW("(not printable)"));
    return view_eq(found, e->result) || complain("the returned value differs", e->result, found);
}

static struct value read_setting(struct heap *heap, struct view setting, struct view *ret_name)
{
    struct fail fail;
    struct value v;
    ptrdiff_t equals = view_find_char(setting, '=');
    struct view name = view_slice(setting, 0, equals < 0 ? setting.len : (size_t)equals);
    struct view text = view_from(setting, name.len + 1);
    if (view_ends(name, VIEW(":"))) {
        *ret_name = view_slice(name, 0, name.len - 1);
        return json_read(heap, text, &v, &fail) ? v : value_null();
    }
    *ret_name = name;
    return value_text(heap, text);
}

static bool run_unit(const struct unit *unit, const struct expectation *e)
{
    struct heap heap;
    struct buffer log;
    struct fail fail = {0};
    struct value args[PARAMS_MAX] = {0}, result = value_null();
    heap_init(&heap, (size_t)e->memory, e->zone.len > 0 ? zone_find(e->zone) : NULL);
    buffer_init(&log, LOG_BYTES_MAX);
    const struct lang_function *function = unit_function(unit, 0);
    struct lang_function_info info = lang_function_info(function);
    struct lang_host host = {.user = &log, .info = collect_info};
    struct vm *vm = vm_new(&heap, &host, &e->limits);
    for (int i = 0; i < e->param_count; i++) {
        struct view name;
        struct value v = read_setting(&heap, e->params[i], &name);
        for (int j = 0; j < info.parameter_count && j < PARAMS_MAX; j++) {
            args[j] = view_eq(info.parameters[j].name, name) ? v : args[j];
        }
    }
    for (int i = 0; i < e->bind_count; i++) {
        struct view name;
        struct value v = read_setting(&heap, e->binds[i], &name);
        vm_bind(vm, name, v);
    }
    int count = info.parameter_count < PARAMS_MAX ? info.parameter_count : PARAMS_MAX;
    bool done = vm_call(vm, function, args, e->param_count > 0 ? count : 0, &result, &fail);
    bool ok = check_error(e, done, &fail) && check_result(&heap, e, done, result) && check_log(e, &log);
    if (ok && e->statements >= 0 && e->statements != vm_statements(vm)) {
        printf("# %lld statements were counted, not %lld\n", (long long)vm_statements(vm), (long long)e->statements);
        ok = false;
    }
    heap_free(&heap);
    buffer_free(&log);
    return ok;
}

static bool has_finding(const struct diagnostics *found, enum diagnostic_level level, struct view text)
{
    for (int i = 0; i < found->count; i++) {
        if (found->items[i].level == level && view_find(found->items[i].text, text) >= 0) {
            return true;
        }
    }
    return false;
}

static bool run_source(struct view source, const char *path)
{
    struct expectation e;
    struct arena arena;
    struct unit *unit = NULL;
    struct fail fail = {0};
    read_expectation(source, &e);
    if (!e.any) {
        return complain("nothing is expected", VIEW("a comment with expect"), VIEW("none"));
    }
    arena_init(&arena, 16 << 20);
    struct diagnostics *found = calloc(1, sizeof(*found));
    if (found == NULL) {
        return complain("out of memory", VIEW(""), VIEW(""));
    }
    found->arena = &arena;
    struct lang_options options = {.natives = natives, .strict = e.strict, .file = path, .name = VIEW("test.main")};
    bool compiled = lang_compile(source, &options, &unit, found, &fail);
    bool ok;
    if (e.compile_error.len > 0) {
        ok = !compiled && has_finding(found, DIAGNOSTIC_ERROR, e.compile_error);
        ok = ok || complain("the compile error differs", e.compile_error, compiled ? VIEW("none") : view_of(fail.text));
    } else if (!compiled) {
        printf("# line %d column %d\n", fail.line, fail.column);
        ok = complain("it does not compile", VIEW("no error"), view_of(fail.text));
    } else if (e.warning.len > 0 && !has_finding(found, DIAGNOSTIC_WARNING, e.warning)) {
        ok = complain("the warning is missing", e.warning, found->count > 0 ? found->items[0].text : VIEW("none"));
    } else {
        ok = run_unit(unit, &e);
    }
    unit_free(unit);
    arena_free(&arena);
    free(found);
    return ok;
}

static bool run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct buffer source;
    if (file == NULL) {
        return complain("cannot be read", view_of(path), VIEW(""));
    }
    buffer_init(&source, FILE_BYTES_MAX);
    char bytes[4096];
    size_t count;
    while ((count = fread(bytes, 1, sizeof(bytes), file)) > 0) {
        buffer_add(&source, (struct view){bytes, count});
    }
    fclose(file);
    bool ok = run_source(buffer_view(&source), path);
    buffer_free(&source);
    return ok;
}

// ---- all files ----------------------------------------------------------------------------------

static int visit(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)place;
    if (type == FTW_F && view_ends(view_of(path), VIEW(".dg")) && file_count < FILES_MAX) {
        files[file_count] = strdup(path);
        file_count += files[file_count] != NULL;
    }
    return 0;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
    struct native_set *set = native_set_new();
    struct fail fail = {0};
    if (argc < 2 || set == NULL || !lib_register(set, &fail)) {
        fprintf(stderr, "usage: run FOLDER [PART OF A PATH] %s\n", fail.text);
        return 2;
    }
    natives = set;
    nftw(argv[1], visit, 16, FTW_PHYS);
    qsort(files, (size_t)file_count, sizeof(files[0]), compare_paths);
    int failed = 0, number = 0;
    for (int i = 0; i < file_count; i++) {
        if (argc < 3 || strstr(files[i], argv[2]) != NULL) {
            bool ok = run_file(files[i]);
            failed += !ok;
            printf("%s %d - %s\n", ok ? "ok" : "not ok", ++number, files[i] + strlen(argv[1]));
        }
        free(files[i]);
    }
    printf("1..%d\n", number);
    native_set_free(set);
    return failed > 0;
}
