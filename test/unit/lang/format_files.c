// SPDX-License-Identifier: Apache-2.0
//
// The formatter over whole folders of scripts: `format_files FOLDER…`. For each .dg, .deluge and .ds file that has no syntax error, the
// formatted text must format to itself, hold every comment, and compile to the same instructions and constants, or to the same errors.
// Prints TAP; files with syntax errors must be refused and are counted apart.
#include "host/host.h"
#include "lang/bytecode.h"
#include "lang/lexer.h"

#include <ftw.h>
#include <stdlib.h>

enum { SCRIPTS_MAX = 10000, TEXTS_BYTES_MAX = 16 << 20 };

static char *scripts[SCRIPTS_MAX];
static int script_count;

static bool complain(const char *what, struct view detail)
{
    printf("# %s: %.*s\n", what, VIEW_ARGS(view_slice(detail, 0, 300)));
    return false;
}

// ---- the same code ------------------------------------------------------------------------------

struct build {
    struct unit *unit; // NULL: refused
    struct fail fail;
    struct diagnostics found;
    struct arena texts;
};

static void build_open(struct build *build, struct view source)
{
    *build = (struct build){0};
    arena_init(&build->texts, TEXTS_BYTES_MAX);
    build->found.arena = &build->texts;
    struct lang_options options = {.natives = host_natives(), .file = "script.dg", .name = VIEW("ns.script")};
    if (!lang_compile(source, &options, &build->unit, &build->found, &build->fail)) {
        build->unit = NULL;
    }
}

static void build_close(struct build *build)
{
    if (build->unit) {
        unit_free(build->unit);
    }
    arena_free(&build->texts);
}

static bool same_value(struct unit *a, struct unit *b, uint32_t i)
{
    struct fail fail;
    struct value left = a->constants[i], right = b->constants[i];
    if (left.type != right.type) {
        return false;
    }
    left = value_to_text(&a->heap, left, &fail);
    right = value_to_text(&b->heap, right, &fail);
    return view_eq(value_view_or(left, VIEW("")), value_view_or(right, VIEW("")));
}

static bool same_function(const struct lang_function *a, const struct lang_function *b)
{
    bool same = a->count == b->count && a->handler_count == b->handler_count && a->registers == b->registers;
    same = same && view_eq(a->info.name, b->info.name) && a->info.parameter_count == b->info.parameter_count;
    for (uint32_t i = 0; same && i < a->count; i++) {
        const struct instruction x = a->code[i], y = b->code[i];
        same = x.op == y.op && x.flags == y.flags && x.a == y.a && x.b == y.b && x.c == y.c;
    }
    for (uint32_t i = 0; same && i < a->handler_count; i++) {
        same = a->handlers[i].start == b->handlers[i].start && a->handlers[i].end == b->handlers[i].end &&
               a->handlers[i].target == b->handlers[i].target;
    }
    return same;
}

static bool same_unit(struct unit *a, struct unit *b)
{
    bool same = a->function_count == b->function_count && a->constant_count == b->constant_count && a->name_count == b->name_count;
    for (uint32_t i = 0; same && i < a->constant_count; i++) {
        same = same_value(a, b, i);
    }
    for (uint32_t i = 0; same && i < a->name_count; i++) {
        same = view_eq(value_view(a->names[i]), value_view(b->names[i]));
    }
    for (int i = 0; same && i < a->function_count; i++) {
        same = same_function(&a->functions[i], &b->functions[i]);
    }
    return same;
}

static bool same_code(struct view source, struct view result)
{
    static struct build before, after; // too big for the stack
    build_open(&before, source);
    build_open(&after, result);
    bool same = !before.unit == !after.unit;
    if (before.unit && after.unit) {
        same = same_unit(before.unit, after.unit);
    } else if (same) {
        same = before.found.errors == after.found.errors && strcmp(before.fail.text, after.fail.text) == 0;
    }
    if (!same) {
        complain("compiles to something else", view_of(after.unit ? "" : after.fail.text));
    }
    build_close(&before);
    build_close(&after);
    return same;
}

// ---- the same comments --------------------------------------------------------------------------

static struct comments read_comments(struct view source, struct arena *arena)
{
    struct comments comments = {.arena = arena};
    struct lexer lexer;
    lexer_open(&lexer, view_starts(source, VIEW("\xEF\xBB\xBF")) ? view_from(source, 3) : source, &comments);
    while (lexer_next(&lexer).kind != TOKEN_END) {
    }
    return comments;
}

// Blanks at the end of a line and \r may go.
static bool same_words(struct view a, struct view b)
{
    while (a.len > 0 || b.len > 0) {
        struct view x = view_trim(view_cut(&a, '\n')), y = view_trim(view_cut(&b, '\n'));
        if (!view_eq(x, y)) {
            return false;
        }
    }
    return true;
}

static bool same_comments(struct view source, struct view result)
{
    struct arena arena;
    arena_init(&arena, TEXTS_BYTES_MAX);
    struct comments before = read_comments(source, &arena), after = read_comments(result, &arena);
    bool same = before.count == after.count || complain("comments were lost", VIEW(""));
    for (uint32_t i = 0; same && i < before.count; i++) {
        same = same_words(before.items[i].text, after.items[i].text) || complain("a comment changed", before.items[i].text);
    }
    arena_free(&arena);
    return same;
}

// ---- one file -----------------------------------------------------------------------------------

static bool is_plain(struct view result)
{
    if (result.len > 0 && !view_ends(result, VIEW("\n"))) {
        return complain("the last line has no end", VIEW(""));
    }
    return true;
}

static bool check_source(struct view source, bool *ret_syntax)
{
    struct buffer once, twice;
    struct fail fail = {0};
    buffer_init(&once, SOURCE_BYTES_MAX);
    buffer_init(&twice, SOURCE_BYTES_MAX);
    bool ok = lang_format(source, &once, NULL, &fail);
    *ret_syntax = ok || fail.code != FAIL_COMPILE;
    if (!ok) {
        ok = fail.code == FAIL_COMPILE || complain("is not formatted", view_of(fail.text));
    } else {
        ok = is_plain(buffer_view(&once)) && same_comments(source, buffer_view(&once)) && same_code(source, buffer_view(&once));
        ok = ok && (lang_format(buffer_view(&once), &twice, NULL, &fail) || complain("does not format again", view_of(fail.text)));
        ok = ok && (view_eq(buffer_view(&once), buffer_view(&twice)) || complain("formats to something else again", VIEW("")));
    }
    buffer_free(&once);
    buffer_free(&twice);
    return ok;
}

static bool check_file(const char *path, bool *ret_syntax)
{
    FILE *file = fopen(path, "rb");
    struct buffer source;
    if (!file) {
        return complain("cannot be read", view_of(path));
    }
    buffer_init(&source, SOURCE_BYTES_MAX);
    char bytes[4096];
    size_t count;
    while ((count = fread(bytes, 1, sizeof bytes, file)) > 0) {
        buffer_add(&source, (struct view){bytes, count});
    }
    fclose(file);
    bool ok = check_source(buffer_view(&source), ret_syntax);
    buffer_free(&source);
    return ok;
}

// ---- all files ----------------------------------------------------------------------------------

static int visit(const char *path, const struct stat *status, int type, struct FTW *place)
{
    struct view name = view_of(path);
    (void)status;
    (void)place;
    if (type == FTW_F && script_count < SCRIPTS_MAX &&
        (view_ends(name, VIEW(".dg")) || view_ends(name, VIEW(".deluge")) || view_ends(name, VIEW(".ds")))) {
        scripts[script_count] = strdup(path);
        script_count += scripts[script_count] != NULL;
    }
    return 0;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
    int failed = 0, refused = 0;
    for (int i = 1; i < argc; i++) {
        nftw(argv[i], visit, 16, FTW_PHYS);
    }
    qsort(scripts, (size_t)script_count, sizeof scripts[0], compare_paths);
    for (int i = 0; i < script_count; i++) {
        bool syntax = true;
        bool ok = check_file(scripts[i], &syntax);
        failed += !ok;
        refused += !syntax;
        printf("%s %d - formats %s%s\n", ok ? "ok" : "not ok", i + 1, scripts[i], syntax ? "" : " (refused: syntax)");
        free(scripts[i]);
    }
    printf("1..%d\n# %d of %d files have no syntax error\n", script_count, script_count - refused, script_count);
    return failed > 0 || script_count == 0;
}
