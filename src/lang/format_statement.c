// SPDX-License-Identifier: Apache-2.0
//
// Functions and statements as Zoho's editor lays them out (spec/deluge-language.md §5, §9.6): tabs, braces on lines of their own, `if(x)`,
// `for each  x in list`, `catch (e)`. Bodies without braces get them, missing `;` too; empty statements go. All three leave the compiled
// code as it is.
//
// Recursive as the parser is: blocks nest SOURCE_NESTING_MAX deep.
#include "lang/format.h"

// ---- blocks -------------------------------------------------------------------------------------

static void open_block(struct format *format, bool braces)
{
    if (braces) {
        format_line(format, format->indent, false);
        format_token(format);
        format_bracket_close(format); // blocks have an indent of their own
    } else {
        format_brace(format, TOKEN_BRACE_OPEN);
    }
    format->indent++;
}

static void close_block(struct format *format, bool braces)
{
    if (braces) {
        format_comments(format, format->indent, true);
        format->indent--;
        format_line(format, format->indent, false);
        format_bracket_open(format, format->indent);
        format_token(format);
    } else {
        format->indent--;
        format_brace(format, TOKEN_BRACE_CLOSE);
    }
}

static void format_block(struct format *format, const struct block *block)
{
    open_block(format, block->braces);
    for (const struct stmt *stmt = block->first; stmt; stmt = stmt->next) {
        format_statement(format, stmt);
    }
    close_block(format, block->braces);
}

// ---- statements ---------------------------------------------------------------------------------

// ( condition )
static void format_head(struct format *format, const struct expr *condition)
{
    format_expression(format, condition);
    format_token(format);
}

static void format_if(struct format *format, const struct stmt *stmt)
{
    for (uint32_t i = 0; i < stmt->branch.count; i++) {
        const struct arm *arm = &stmt->branch.arms[i];
        if (i > 0) {
            format_line(format, format->indent, false);
        }
        format_head(format, arm->condition);
        format_block(format, &arm->body);
    }
    if (stmt->branch.otherwise) {
        format_line(format, format->indent, false);
        format_token(format); // else
        format_block(format, stmt->branch.otherwise);
    }
}

static void format_each(struct format *format, const struct stmt *stmt)
{
    format_token(format); // for
    format_token(format); // each
    if (stmt->kind == STMT_EACH_INDEX) {
        format_token(format); // index
    } else {
        format->spacing = SPACING_TWO;
    }
    format_token(format); // the variable
    format_token(format); // in
    format->spacing = SPACING_BLANK;
    format_expression(format, stmt->each.list);
    format_block(format, &stmt->each.body);
}

static void format_try(struct format *format, const struct stmt *stmt)
{
    format_token(format); // try
    format_block(format, &stmt->attempt.body);
    if (stmt->attempt.handler) {
        format_line(format, format->indent, false);
        format_token(format); // catch
        format->spacing = SPACING_BLANK;
        while (!format_at(format, TOKEN_BRACE_OPEN)) { // (e)
            format_token(format);
        }
        format_block(format, stmt->attempt.handler);
    }
    if (stmt->attempt.finally) {
        format_line(format, format->indent, false);
        format_token(format); // finally
        format_block(format, stmt->attempt.finally);
    }
}

// info x, return x, break …
static void format_word(struct format *format, const struct stmt *stmt)
{
    format_token(format);
    if ((stmt->kind == STMT_INFO || stmt->kind == STMT_RETURN || stmt->kind == STMT_THROW) && stmt->value) {
        format->spacing = SPACING_BLANK;
        format_expression(format, stmt->value);
    }
    format_semicolon(format, stmt->place.end);
}

// Behind the ] of a sendmail that stands alone the ; is the author's choice, as it is in Zoho.
static void format_simple(struct format *format, const struct stmt *stmt)
{
    bool task = stmt->kind == STMT_EXPR && stmt->value->kind == EXPR_TASK && stmt->value->parens == 0;
    format_expression(format, stmt->kind == STMT_ASSIGN ? stmt->assign.value : stmt->value);
    if (!task || format_at(format, TOKEN_SEMICOLON)) {
        format_semicolon(format, stmt->place.end);
    }
}

void format_statement(struct format *format, const struct stmt *stmt)
{
    if (stmt->kind == STMT_EMPTY) {
        format_skip(format);
        return;
    }
    format_line(format, format->indent, true);
    switch ((enum stmt_kind)stmt->kind) {
    case STMT_BLOCK:
        format_block(format, &stmt->block);
        break;
    case STMT_IF:
        format_if(format, stmt);
        break;
    case STMT_EACH:
    case STMT_EACH_INDEX:
        format_each(format, stmt);
        break;
    case STMT_WHILE:
        format_head(format, stmt->loop.condition);
        format_block(format, &stmt->loop.body);
        break;
    case STMT_TRY:
        format_try(format, stmt);
        break;
    case STMT_ASSIGN:
    case STMT_EXPR:
        format_simple(format, stmt);
        break;
    default:
        format_word(format, stmt);
        break;
    }
}

// ---- functions ----------------------------------------------------------------------------------

// The header's parameters are the one place where a blank follows a comma.
void format_function(struct format *format, const struct function *function)
{
    while (!format_at(format, TOKEN_BRACE_OPEN)) {
        format_token(format);
        if (format->last.kind == TOKEN_COMMA) {
            format->spacing = SPACING_BLANK;
        }
    }
    format_block(format, &function->body);
}
