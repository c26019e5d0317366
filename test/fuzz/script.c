// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a script: lexer, parser, checker and compiler must refuse or accept them without a crash, a leak or undefined behaviour, and
// a refusal must carry an error with a place. No native is known, so names of built-ins are refused by the checker; bodies that use none
// reach the compiler.
#include "lang/lang.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compile(struct view source, const struct native_set *natives, bool strict)
{
    static struct diagnostics diagnostics; // too big for the stack
    struct arena texts;
    arena_init(&texts, 1 << 20);
    diagnostics = (struct diagnostics){.arena = &texts};
    struct lang_options options = {.natives = natives, .strict = strict, .file = "fuzz.dg", .name = VIEW("ns.fuzz")};
    struct unit *unit = NULL;
    struct fail fail = {.code = FAIL_NONE};
    if (lang_compile(source, &options, &unit, &diagnostics, &fail)) {
        if (diagnostics.errors != 0 || unit_function_count(unit) < 1) {
            abort();
        }
        unit_free(unit);
    } else if (diagnostics.errors == 0 || fail.code == FAIL_NONE || fail.line < 1 || fail.column < 1 || !utf8_valid(view_of(fail.text))) {
        abort();
    }
    for (int i = 0; i < diagnostics.count; i++) {
        if (diagnostics.items[i].line < 1 || diagnostics.items[i].column < 1 || !utf8_valid(diagnostics.items[i].text)) {
            abort();
        }
    }
    arena_free(&texts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct native_set *natives = native_set_new();
    struct view source = {(const char *)data, size};
    if (natives) {
        compile(source, natives, false);
        compile(source, natives, true);
    }
    native_set_free(natives);
    return 0;
}
