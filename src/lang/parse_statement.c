// SPDX-License-Identifier: Apache-2.0
//
// Statements (spec/deluge-language.md §5, §2.1, §10). Words that start one (info, break, try …) are variables as well, so each row of the
// table has a test of what follows.
//
// Hard things: the `;` that scripts leave out. It may be missing before a line break and before `}` (a warning, with --strict Zoho's error)
// and behind the ] of a bracket block (nothing to say). And recovery: after an error the loop skips to the next statement and goes on, so
// that one run finds several errors.
#include "lang/parse.h"

static void parse_statement(struct parser *parser, struct stmt *stmt);

// ---- blocks -------------------------------------------------------------------------------------

struct stmt *parse_item(struct parser *parser)
{
    uint32_t start = parser->token.place.start;
    struct stmt *stmt = parser_alloc(parser, sizeof *stmt);
    stmt->place = parser->token.place;
    parse_statement(parser, stmt);
    stmt->place.end = parser->before.place.end;
    if (parser->reporter->errors > DIAGNOSTICS_MAX) {
        parser_give_up(parser);
    }
    if (parser->panic && !parser->stopped && !parser->at_function) {
        parser_skip_statement(parser);
        parser->panic = false;
        if (parser->token.place.start == start && !parser_at(parser, TOKEN_END)) { // a stray }
            parser_advance(parser);
        }
    }
    return stmt;
}

static void parse_items(struct parser *parser, struct block *ret_block)
{
    struct stmt **last = &ret_block->first;
    ret_block->place = parser->token.place;
    while (!parser_at(parser, TOKEN_END) && !parser_at(parser, TOKEN_BRACE_CLOSE) && !parser->at_function) {
        if (parser_at_header(parser)) { // the } of the function before is missing
            parser_fail(parser, SYNTAX_EXPECTED, VIEW("}"), parser->token.text);
            parser->at_function = true;
            break;
        }
        *last = parse_item(parser);
        last = &(*last)->next;
    }
    ret_block->place.end = parser->before.place.end;
}

bool parse_block(struct parser *parser, struct block *ret_block)
{
    ret_block->braces = true;
    if (!parser_expect(parser, TOKEN_BRACE_OPEN, "{")) {
        return false;
    }
    parse_items(parser, ret_block);
    return parser_expect(parser, TOKEN_BRACE_CLOSE, "}");
}

// The body of if, for, while: a block or a single statement.
static void parse_body(struct parser *parser, struct block *ret_block)
{
    if (parser->panic || !parser_enter(parser)) {
        return;
    }
    if (parser_at(parser, TOKEN_BRACE_OPEN)) {
        parse_block(parser, ret_block);
    } else {
        struct stmt *stmt = parser_alloc(parser, sizeof *stmt);
        stmt->place = ret_block->place = parser->token.place;
        parse_statement(parser, stmt);
        stmt->place.end = ret_block->place.end = parser->before.place.end;
        ret_block->first = stmt;
    }
    parser_leave(parser);
}

static void parse_loop_body(struct parser *parser, struct block *ret_block)
{
    parser->loops++;
    parse_body(parser, ret_block);
    parser->loops--;
}

// A block of try, catch, finally, or one that stands alone: braces are needed.
static void parse_nested_block(struct parser *parser, struct block *ret_block)
{
    if (parser_enter(parser)) {
        parse_block(parser, ret_block);
        parser_leave(parser);
    }
}

// The end of a simple statement.
static void end_statement(struct parser *parser)
{
    if (parser->panic || parser_take(parser, TOKEN_SEMICOLON) || parser->before.place.end == parser->task_end) {
        return;
    }
    bool close = parser_at(parser, TOKEN_BRACE_CLOSE) || parser_at(parser, TOKEN_END);
    if (!parser_at(parser, TOKEN_BAD) && (close || parser->token.newline_before)) {
        struct place place = parser->before.place;
        place.start = place.end;
        place.line = parser->before.end_line;
        place.column = parser->before.end_column;
        REPORT(parser->reporter, SYNTAX_SEMICOLON, place);
        return;
    }
    parser_fail(parser, SYNTAX_IMPROPER, VIEW_NONE, VIEW_NONE);
}

// ---- statements by word -------------------------------------------------------------------------

// What may start an expression behind `info`, `throw` and the like; a word before anything else is a variable.
static bool starts_operand(const struct token *token)
{
    switch (token->kind) {
    case TOKEN_NAME:
        return !token_is_word(token, "in") && !token_is_word(token, "is");
    case TOKEN_NUMBER:
    case TOKEN_DECIMAL:
    case TOKEN_TEXT:
    case TOKEN_DATE:
    case TOKEN_BAD:
    case TOKEN_PAREN_OPEN:
    case TOKEN_BRACE_OPEN:
    case TOKEN_BRACKET_OPEN:
    case TOKEN_NOT:
    case TOKEN_ADD:
    case TOKEN_SUBTRACT:
        return true;
    default:
        return false;
    }
}

static void parse_info(struct parser *parser, struct stmt *stmt)
{
    stmt->kind = STMT_INFO;
    parser_advance(parser);
    stmt->value = parse_expression(parser);
    end_statement(parser);
}

static void parse_throw(struct parser *parser, struct stmt *stmt)
{
    stmt->kind = STMT_THROW;
    parser_advance(parser);
    if (starts_operand(&parser->token) && !parser_at(parser, TOKEN_BAD)) {
        stmt->value = parse_expression(parser);
    }
    end_statement(parser);
}

static void parse_return(struct parser *parser, struct stmt *stmt)
{
    stmt->kind = STMT_RETURN;
    parser_advance(parser);
    if (!parser_at(parser, TOKEN_SEMICOLON) && !parser_at(parser, TOKEN_BRACE_CLOSE) && !parser_at(parser, TOKEN_END)) {
        stmt->value = parse_expression(parser); // a line break in between does not matter
    }
    end_statement(parser);
}

static void parse_jump(struct parser *parser, struct stmt *stmt)
{
    stmt->kind = parser_at_word(parser, "break") ? STMT_BREAK : STMT_CONTINUE;
    if (parser->loops == 0) {
        REPORT(parser->reporter, SYNTAX_LOOP_OUTSIDE, parser->token.place, parser->token.text);
    }
    parser_advance(parser);
    end_statement(parser);
}

// ( condition )
static struct expr *parse_head(struct parser *parser)
{
    parser_expect(parser, TOKEN_PAREN_OPEN, "(");
    struct expr *condition = parse_condition(parser);
    if (!parser_take(parser, TOKEN_PAREN_CLOSE)) {
        parser_fail(parser, SYNTAX_EXPECTED, VIEW(")"), parser->token.text);
    }
    return condition;
}

static struct arm *parse_arm(struct parser *parser)
{
    struct arm *arm = parser_alloc(parser, sizeof *arm);
    arm->place = parser->token.place;
    parser_advance(parser); // if
    arm->condition = parse_head(parser);
    parse_body(parser, &arm->body);
    return arm;
}

static void parse_if(struct parser *parser, struct stmt *stmt)
{
    struct pointers arms = {0};
    stmt->kind = STMT_IF;
    pointers_add(parser, &arms, parse_arm(parser));
    while (parser_at_word(parser, "else") && !parser->panic) {
        parser_advance(parser);
        if (parser_at_word(parser, "if") && parser->ahead.kind == TOKEN_PAREN_OPEN) {
            pointers_add(parser, &arms, parse_arm(parser));
            continue;
        }
        stmt->branch.otherwise = parser_alloc(parser, sizeof *stmt->branch.otherwise);
        parse_body(parser, stmt->branch.otherwise);
        break;
    }
    stmt->branch.arms = arena_alloc(parser->arena, arms.count * sizeof *stmt->branch.arms);
    if (!stmt->branch.arms) {
        parser_fail(parser, SOURCE_MEMORY, VIEW_NONE, VIEW_NONE);
        stmt->kind = STMT_ERROR;
        return;
    }
    for (uint32_t i = 0; i < arms.count; i++) {
        stmt->branch.arms[i] = *(struct arm *)arms.items[i];
    }
    stmt->branch.count = arms.count;
}

// `index` and `record` are words of the loop only when a variable and `in` follow: for each index in list names a variable.
static bool at_each_word(const struct parser *parser, const char *word)
{
    if (!parser_at_word(parser, word) || parser->ahead.kind != TOKEN_NAME) {
        return false;
    }
    struct token third = parser_peek(parser, 2);
    return token_is_word(&third, "in");
}

static void parse_each(struct parser *parser, struct stmt *stmt)
{
    parser_advance(parser); // for
    parser_advance(parser); // each
    stmt->kind = STMT_EACH;
    if (at_each_word(parser, "index")) {
        stmt->kind = STMT_EACH_INDEX;
        parser_advance(parser);
    } else if (at_each_word(parser, "record")) {
        REPORT(parser->reporter, CREATOR_ONLY, parser->token.place, VIEW("for each record"));
        parser_advance(parser);
    }
    stmt->each.variable = parser->token.text;
    stmt->each.variable_place = parser->token.place;
    parser_expect(parser, TOKEN_NAME, "variable");
    if (!parser_at_word(parser, "in")) {
        parser_fail(parser, SYNTAX_EXPECTED, VIEW("in"), parser->token.text);
        return;
    }
    parser_advance(parser);
    stmt->each.list = parse_expression(parser);
    parse_creator_range(parser);
    parse_loop_body(parser, &stmt->each.body);
}

static void parse_while(struct parser *parser, struct stmt *stmt)
{
    stmt->kind = STMT_WHILE;
    REPORT(parser->reporter, SYNTAX_EXTENSION, parser->token.place, VIEW("while"));
    parser_advance(parser);
    stmt->loop.condition = parse_head(parser);
    parse_loop_body(parser, &stmt->loop.body);
}

static void parse_catch(struct parser *parser, struct stmt *stmt)
{
    stmt->attempt.handler = parser_alloc(parser, sizeof *stmt->attempt.handler);
    parser_advance(parser);
    if (parser_take(parser, TOKEN_PAREN_OPEN)) {
        if (parser->ahead.kind == TOKEN_NAME) { // a type may stand before it
            parser_advance(parser);
        }
        stmt->attempt.variable = parser->token.text;
        stmt->attempt.variable_place = parser->token.place;
        parser_expect(parser, TOKEN_NAME, "variable");
        parser_expect(parser, TOKEN_PAREN_CLOSE, ")");
    }
    parse_nested_block(parser, stmt->attempt.handler);
}

static void parse_try(struct parser *parser, struct stmt *stmt)
{
    stmt->kind = STMT_TRY;
    parser_advance(parser);
    parse_nested_block(parser, &stmt->attempt.body);
    if (parser_at_word(parser, "catch") && !parser->panic) {
        parse_catch(parser, stmt);
    }
    if (parser_at_word(parser, "finally") && parser->ahead.kind == TOKEN_BRACE_OPEN && !parser->panic) {
        REPORT(parser->reporter, SYNTAX_EXTENSION, parser->token.place, VIEW("finally"));
        stmt->attempt.finally = parser_alloc(parser, sizeof *stmt->attempt.finally);
        parser_advance(parser);
        parse_nested_block(parser, stmt->attempt.finally);
    }
    if (!stmt->attempt.handler && !stmt->attempt.finally) {
        parser_fail(parser, SYNTAX_EXPECTED, VIEW("catch"), parser->token.text);
    }
}

static void parse_stray(struct parser *parser, struct stmt *stmt)
{
    stmt->kind = STMT_ERROR;
    parser_fail(parser, SYNTAX_UNEXPECTED, parser->token.text, VIEW_NONE);
    parser_advance(parser);
}

static bool before_parenthesis(const struct parser *parser)
{
    return parser->ahead.kind == TOKEN_PAREN_OPEN;
}

static bool before_brace(const struct parser *parser)
{
    return parser->ahead.kind == TOKEN_BRACE_OPEN;
}

static bool before_operand(const struct parser *parser)
{
    return starts_operand(&parser->ahead);
}

static bool before_each(const struct parser *parser)
{
    return token_is_word(&parser->ahead, "each");
}

static bool before_end(const struct parser *parser)
{
    enum token_kind kind = (enum token_kind)parser->ahead.kind;
    return kind == TOKEN_SEMICOLON || kind == TOKEN_BRACE_CLOSE || kind == TOKEN_END ||
           (parser->ahead.newline_before && kind == TOKEN_NAME);
}

static bool before_throw(const struct parser *parser)
{
    return before_operand(parser) || before_end(parser);
}

// Not a variable of that name.
static bool before_value(const struct parser *parser)
{
    return parser->ahead.kind != TOKEN_ASSIGN && parser->ahead.kind != TOKEN_DOT;
}

static const struct {
    const char *word;
    bool (*applies)(const struct parser *parser);
    void (*parse)(struct parser *parser, struct stmt *stmt);
} words[] = {
    {"if", before_parenthesis, parse_if},   {"info", before_operand, parse_info}, {"for", before_each, parse_each},
    {"return", before_value, parse_return}, {"try", before_brace, parse_try},     {"break", before_end, parse_jump},
    {"continue", before_end, parse_jump},   {"throw", before_throw, parse_throw}, {"while", before_parenthesis, parse_while},
    {"else", before_value, parse_stray},    {"catch", before_value, parse_stray},
};

// ---- assignments and expressions ----------------------------------------------------------------

static const uint8_t assign_ops[] = {OP_NONE, OP_ADD, OP_SUBTRACT, OP_MULTIPLY, OP_DIVIDE, OP_REMAINDER}; // from TOKEN_ASSIGN on

static bool at_assign(const struct parser *parser)
{
    return parser->token.kind >= TOKEN_ASSIGN && parser->token.kind <= TOKEN_REMAINDER_ASSIGN;
}

// Variables, and the fields of `input`. A field of anything else is how Creator updates a record.
static void check_target(struct parser *parser, const struct expr *target)
{
    if (target->kind == EXPR_ERROR) {
        return; // refused already
    }
    if (target->kind != EXPR_NAME || target->parens) {
        struct view text = view_slice(parser->lexer.source, target->place.start, target->place.end - target->place.start);
        if (!parser->panic) {
            REPORT(parser->reporter, SYNTAX_TARGET, target->place, text);
            parser->panic = true;
        }
    } else if (target->name->count > 1 && !(target->name->count == 2 && view_eq_nocase(target->name->parts[0], VIEW("input")))) {
        reporter_add(parser->reporter, CREATOR_ONLY, target->place, (struct view[REPORT_VIEWS_MAX]){target->name->name},
                     VIEW("A map takes values with put()."));
    }
}

static void parse_assignment(struct parser *parser, struct stmt *stmt, struct expr *target)
{
    check_target(parser, target);
    stmt->kind = STMT_ASSIGN;
    stmt->assign.op = assign_ops[parser->token.kind - TOKEN_ASSIGN];
    stmt->assign.target_place = target->place;
    stmt->assign.target = target->kind == EXPR_NAME ? target->name : NULL;
    if (!stmt->assign.target || parser->panic) {
        stmt->kind = STMT_ERROR;
    }
    if (parser->panic) {
        return;
    }
    parser_advance(parser);
    stmt->assign.value = parse_expression(parser);
    parse_creator_range(parser);
    end_statement(parser);
}

static void parse_simple(struct parser *parser, struct stmt *stmt)
{
    if (!parser_at(parser, TOKEN_NAME) && !starts_operand(&parser->token)) {
        parser_fail(parser, SYNTAX_UNEXPECTED, parser->token.text, VIEW_NONE);
    }
    struct expr *expr = parse_expression(parser);
    if (at_assign(parser) && !parser->panic) {
        parse_assignment(parser, stmt, expr);
        return;
    }
    stmt->kind = STMT_EXPR;
    stmt->value = expr;
    end_statement(parser);
}

static void parse_statement(struct parser *parser, struct stmt *stmt)
{
    if (parser_take(parser, TOKEN_SEMICOLON)) {
        stmt->kind = STMT_EMPTY;
        return;
    }
    if (parser_at(parser, TOKEN_BRACE_OPEN)) {
        stmt->kind = STMT_BLOCK;
        parse_nested_block(parser, &stmt->block);
        return;
    }
    for (size_t i = 0; parser_at(parser, TOKEN_NAME) && i < BASE_COUNT(words); i++) {
        if (parser_at_word(parser, words[i].word) && words[i].applies(parser)) {
            words[i].parse(parser, stmt);
            return;
        }
    }
    if (parser_at_creator_statement(parser)) {
        stmt->kind = STMT_ERROR;
        parse_creator_statement(parser);
        return;
    }
    parse_simple(parser, stmt);
}
