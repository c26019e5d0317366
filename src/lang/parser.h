// SPDX-License-Identifier: Apache-2.0
//
// Inside header: source text → struct ast, and the checker that fills in what names mean. lang_compile calls parse_source, then check_ast
// when there was no error so far, then the compiler when there is still none.
#pragma once

#include "lang/ast.h"
#include "lang/diagnostics.h"

enum { FUNCTIONS_MAX = 500, PARAMETERS_MAX = 100 }; // of a file, of a function

// Reads a whole file. Syntax errors are reported and skipped to the next statement, so that several are found; look at reporter->errors.
// NULL (with an error reported) only when the text is not readable at all (not UTF-8, NUL bytes, over SOURCE_BYTES_MAX) or memory ran out.
// Recursive to AST_DEPTH_MAX: needs a big stack. The tree borrows from `source`.
struct ast *parse_source(struct view source, struct arena *arena, struct reporter *reporter);

// Decides what every name means (struct path, struct task), fills the checker's fields of struct function, and reports: undefined
// variables, unknown functions, argument counts, missing returns, type clashes. Uses options: natives (required), parameters, return_type,
// name. Call it only when parsing reported no error. False when memory ran out (reported).
bool check_ast(struct ast *ast, const struct lang_options *options, struct arena *arena, struct reporter *reporter);
