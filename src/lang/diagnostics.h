// SPDX-License-Identifier: Apache-2.0
//
// Inside header: how parser, checker and compiler report what they find. Texts are Zoho's own where one is known; they stand in one table,
// diagnostics.def: code, level, text, hint. `{}` in a text is replaced by the next of the views handed in.
#pragma once

#include "lang/ast.h"

enum diagnostic_code {
#define DIAGNOSTIC(code, level, text, hint) code,
#include "lang/diagnostics.def"
#undef DIAGNOSTIC
    DIAGNOSTIC_CODES
};

// Collects findings. With `list` NULL nothing is kept, but errors are counted and the first one is remembered in `first`.
struct reporter {
    struct diagnostics
        *list; // its arena keeps the texts; more than DIAGNOSTICS_MAX are counted, not kept (an error takes the place of a warning)
    bool strict; // findings of level STRICT are errors
    int errors;
    struct fail first; // the first error: FAIL_COMPILE, line, column, text
};

enum { REPORT_VIEWS_MAX = 4 };
// Adds a finding at `place`. REPORT(reporter, SYNTAX_EXPECTED, place, VIEW("}"), found);
#define REPORT(reporter, code, place, ...)                                                                                                 \
    reporter_add((reporter), (code), (place), (struct view[REPORT_VIEWS_MAX]){__VA_ARGS__}, VIEW_NONE)
void reporter_init(struct reporter *reporter, struct diagnostics *list, bool strict);
// `hint` replaces the table's hint when it is not empty.
void reporter_add(struct reporter *reporter, enum diagnostic_code code, struct place place, const struct view views[REPORT_VIEWS_MAX],
                  struct view hint);
