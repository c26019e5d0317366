// SPDX-License-Identifier: Apache-2.0
//
// Between the formatter's own files: format_write.c (tokens, comments, line breaks), format_expression.c and format_statement.c (the walk
// over the tree), format.c (the whole, and the proof that nothing was lost). The walk prints no text of its own but braces, `;` and blanks:
// everything else is the next token of the source, so that no literal, name or comment can change on its way.
#pragma once

#include "lang/lexer.h"
#include "lang/parser.h"

enum spacing { SPACING_USUAL, SPACING_NONE, SPACING_BLANK, SPACING_TWO };

// Every bracket stands in the parser's count of levels but the parentheses of a head: if( ), f( ), catch( ).
enum { FORMAT_BRACKETS_MAX = SOURCE_NESTING_MAX + 8 };

struct format {
    const struct ast *ast;
    struct buffer *out;
    struct lexer lexer;
    struct token token; // the next one to be printed
    struct token last; // the one printed last; TOKEN_END before the first
    uint32_t comment; // the next one to be printed
    int indent; // of statements here
    int line_indent; // of the line that is being written
    bool line_empty; // nothing stands on it yet
    bool line_ends; // it ends in a // comment
    uint32_t last_line; // of the source, where the last thing that was printed ends; 0: nothing can trail it
    uint32_t seen_line; // the same, what was left out included
    enum spacing spacing; // before the next token
    bool may_break; // a line break of the source before the next token is kept
    int brackets[FORMAT_BRACKETS_MAX]; // indent of the line that opened it
    int bracket_count;
};

// ---- format_write.c -----------------------------------------------------------------------------

void format_open(struct format *format, const struct ast *ast, struct buffer *out);
bool format_at(const struct format *format, enum token_kind kind);
// Prints the next token inside a statement, comments before it included.
void format_token(struct format *format);
void format_until(struct format *format, uint32_t offset); // tokens that start before `offset`
void format_skip(struct format *format); // leaves out the next token
// The ; of a simple statement that ends at `end`, whether the source has it or not; comments before it come behind it.
void format_semicolon(struct format *format, uint32_t end);
// The comments between statements that stand before the next token: behind the line that is written, or on lines of their own at `indent`.
// With `blank`, one blank line before each is kept.
void format_comments(struct format *format, int indent, bool blank);
void format_line(struct format *format, int indent, bool blank); // comments, then a new line for the next token
void format_blank_line(struct format *format); // the same between functions: there is a blank line, whatever the source has
void format_brace(struct format *format, enum token_kind kind); // { or } that the source lacks, on a line of its own
// Where lines that go on inside a bracket are indented. format_token does both for the brackets it prints.
void format_bracket_open(struct format *format, int indent);
void format_bracket_close(struct format *format);
void format_close(struct format *format); // the end of the file

// ---- format_expression.c ------------------------------------------------------------------------

void format_expression(struct format *format, const struct expr *expr); // parentheses around it included

// ---- format_statement.c -------------------------------------------------------------------------

void format_function(struct format *format, const struct function *function); // with a header
void format_statement(struct format *format, const struct stmt *stmt);
