// SPDX-License-Identifier: Apache-2.0
//
// Expressions as Zoho's editor prints them (spec/deluge-language.md §9.6): blanks around operators, none behind commas and colons; bracket
// blocks with an attribute a line. Parentheses are tokens like any other: all of them stay.
//
// The walk only looks for what needs more than the usual blanks (format_write.c): operators of two operands, signs, bracket blocks.
// Recursive to AST_DEPTH_MAX.
#include "lang/format.h"

static void format_all(struct format *format, struct expr *const *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        format_expression(format, items[i]);
    }
}

static void format_pairs(struct format *format, struct expr *const *keys, struct expr *const *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        format_expression(format, keys[i]);
        format_expression(format, values[i]);
    }
}

// `is not` and `not in` are two tokens.
static void format_operator(struct format *format, enum op op)
{
    int tokens = format_at(format, TOKEN_NAME) && (op == OP_NOT_IN || op == OP_NOT_EQUAL) ? 2 : 1;
    for (int i = 0; i < tokens; i++) {
        format->spacing = SPACING_BLANK;
        format->may_break = i == 0;
        format_token(format);
    }
    format->spacing = SPACING_BLANK;
    format->may_break = true;
}

static void format_binary(struct format *format, const struct expr *expr)
{
    format_expression(format, expr->binary.operands[0]);
    for (uint32_t i = 1; i < expr->binary.count; i++) {
        format_operator(format, (enum op)expr->binary.ops[i - 1]);
        format_expression(format, expr->binary.operands[i]);
    }
}

// `- -x` keeps its signs apart.
static void format_unary(struct format *format, const struct expr *expr)
{
    format_token(format);
    bool sign = format_at(format, TOKEN_SUBTRACT) || format_at(format, TOKEN_ADD);
    format->spacing = sign && expr->unary.op != OP_NOT ? SPACING_BLANK : SPACING_NONE;
    format_expression(format, expr->unary.operand);
}

static void format_chain(struct format *format, const struct expr *expr)
{
    format_expression(format, expr->chain.base);
    for (uint32_t i = 0; i < expr->chain.count; i++) {
        const struct link *link = &expr->chain.links[i];
        format_until(format, link->place.end);
        format_all(format, link->args, link->count);
    }
}

// ---- bracket blocks -----------------------------------------------------------------------------

// Behind these the sign that separates two attributes cannot go: `a, in :b` would read as an operator, `a; file :b` as a second value.
static bool needs_separator(const struct format *format)
{
    static const char *const words[] = {"in", "is", "not", "file"};
    struct lexer lexer = format->lexer;
    struct token token = format->token;
    while (token.kind == TOKEN_COMMA || token.kind == TOKEN_SEMICOLON) {
        token = lexer_next(&lexer);
    }
    for (size_t i = 0; i < BASE_COUNT(words); i++) {
        if (token.kind == TOKEN_NAME && view_eq_nocase(token.text, view_of(words[i]))) {
            return true;
        }
    }
    return false;
}

static void format_separators(struct format *format)
{
    bool keep = needs_separator(format);
    while (format_at(format, TOKEN_COMMA) || format_at(format, TOKEN_SEMICOLON)) {
        if (keep) {
            format_token(format);
            keep = false;
        } else {
            format_skip(format);
        }
    }
}

// Zoho's editor sets a blank before the colon of these alone: so is all code in public that it saved.
static bool is_spaced(struct view name)
{
    static const char *const names[] = {"url", "type", "from", "to", "subject", "message"};
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        if (view_eq(name, view_of(names[i]))) {
            return true;
        }
    }
    return false;
}

static void format_attribute(struct format *format, const struct attribute *attribute)
{
    while (!format_at(format, TOKEN_COLON) && !format_at(format, TOKEN_ASSIGN) && !format_at(format, TOKEN_END)) {
        format_token(format);
    }
    format->spacing = is_spaced(attribute->name) ? SPACING_BLANK : SPACING_USUAL; // `=` has blanks anyhow
    format_token(format);
    format_expression(format, attribute->value);
}

static void format_task(struct format *format, const struct expr *expr)
{
    int indent = format->line_indent;
    format_token(format); // the word
    format_line(format, indent, false);
    format_token(format); // [
    format_bracket_close(format);
    format_bracket_open(format, indent + 1); // what goes on in another line stands deeper than the attributes
    for (uint32_t i = 0; i < expr->task.count; i++) {
        format_separators(format);
        format_line(format, indent + 1, false);
        format_attribute(format, &expr->task.attributes[i]);
    }
    format_separators(format);
    format_comments(format, indent + 1, false);
    format_line(format, indent, false);
    format_token(format); // ]
}

void format_expression(struct format *format, const struct expr *expr)
{
    format_until(format, expr->place.start);
    switch ((enum expr_kind)expr->kind) {
    case EXPR_CALL:
        format_all(format, expr->call.args, expr->call.count);
        break;
    case EXPR_CHAIN:
        format_chain(format, expr);
        break;
    case EXPR_UNARY:
        format_unary(format, expr);
        break;
    case EXPR_BINARY:
        format_binary(format, expr);
        break;
    case EXPR_IF:
        format_expression(format, expr->conditional.condition);
        format_expression(format, expr->conditional.yes);
        format_expression(format, expr->conditional.no);
        break;
    case EXPR_LIST:
        format_all(format, expr->list.items, expr->list.count);
        break;
    case EXPR_MAP:
        format_pairs(format, expr->map.keys, expr->map.values, expr->map.count);
        break;
    case EXPR_CONSTRUCT:
        if (expr->construct.keys) {
            format_pairs(format, expr->construct.keys, expr->construct.items, expr->construct.count);
        } else {
            format_all(format, expr->construct.items, expr->construct.count);
        }
        break;
    case EXPR_TASK:
        format_task(format, expr);
        break;
    default: // leaves: their tokens are all there is
        break;
    }
    format_until(format, expr->place.end);
    for (int i = 0; i < expr->parens; i++) {
        format_token(format);
    }
}
