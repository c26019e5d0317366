// SPDX-License-Identifier: Apache-2.0
//
// Source text → unit: parse, check, compile, each only when the one before it found no error. All three run to their end where they can, so
// that an author sees several findings at once. The syntax tree lives in an arena that is dropped here; what the unit needs of it was
// copied.

#include "lang/compiler.h"

#include <stdlib.h>

enum { TREE_BYTES_MAX = 512 << 20 }; // of the syntax tree: a megabyte of source needs a tenth of it

// The heap of constants has no zone: nothing in it depends on one.
static struct unit *unit_new(const char *file)
{
    struct unit *unit = calloc(1, sizeof(*unit));
    if (unit != NULL) {
        arena_init(&unit->arena, UNIT_BYTES_MAX);
        heap_init(&unit->heap, UNIT_BYTES_MAX, NULL);
        snprintf(unit->file, sizeof(unit->file), "%s", file != NULL ? file : "");
    }
    return unit;
}

// The checker must not see a tree with holes, nor the compiler one that was refused.
static bool build(struct unit *unit, struct view source, const struct lang_options *options, struct arena *tree, struct reporter *reporter)
{
    struct ast *ast = parse_source(source, tree, reporter);
    if (ast == NULL || reporter->errors > 0) {
        return false;
    }
    return check_ast(ast, options, tree, reporter) && reporter->errors == 0 && compiler_run(unit, ast, options, reporter) &&
           reporter->errors == 0;
}

bool lang_compile(struct view source, const struct lang_options *options, struct unit **ret_unit, struct diagnostics *diagnostics,
                  struct fail *fail)
{
    struct reporter reporter;
    struct arena tree;
    struct unit *unit = unit_new(options->file);
    if (unit == NULL) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    reporter_init(&reporter, diagnostics, options->strict);
    arena_init(&tree, TREE_BYTES_MAX);
    bool done = build(unit, source, options, &tree, &reporter);
    arena_free(&tree);
    if (!done) {
        *fail = reporter.first;
        snprintf(fail->file, sizeof(fail->file), "%s", unit->file);
        unit_free(unit);
        return false;
    }
    *ret_unit = unit;
    return true;
}
