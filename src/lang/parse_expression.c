// SPDX-License-Identifier: Apache-2.0
//
// Expressions (spec/deluge-language.md §4, §10). Precedence, loosest first: || · && · == != · < <= > >= in · + - · * / % · ! - + ·
// .method(). All left-associative.
//
// Hard thing: scripts hold chains of thousands of `+`. Operands of one level are gathered in a loop into one node (parse_operands), and so
// are the links of a method chain, so that the depth of the tree follows the nesting of brackets only. Everything that nests goes through
// parser_enter, which is where the depth limit stands.
#include "lang/parse.h"

// Constructors of typed lists, List:Int(): the words that may follow the colon (spec §2). Others are map keys: {list:f(x)}.
static const char *const item_types[] = {"string",   "text", "int",       "long",       "number",  "bigint", "date",
                                         "datetime", "time", "timestamp", "bool",       "boolean", "float",  "decimal",
                                         "double",   "map",  "list",      "collection", "file"};

const char *op_text(enum op op)
{
    static const char *const texts[] = {"||", "&&", "==", "!=", "<", "<=", ">", ">=", "in", "not in",
                                        "+",  "-",  "*",  "/",  "%", "!",  "-", "+",  "="};
    return texts[op];
}

struct expr *expr_new(struct parser *parser, enum expr_kind kind, struct place place)
{
    struct expr *expr = parser_alloc(parser, sizeof *expr);
    expr->kind = (uint8_t)kind;
    expr->place = place;
    return expr;
}

static struct expr *expr_end(struct parser *parser, struct expr *expr)
{
    expr->place.end = parser->before.place.end;
    return expr;
}

static struct expr *expr_error(struct parser *parser)
{
    return expr_new(parser, EXPR_ERROR, parser->token.place);
}

// ---- leaves -------------------------------------------------------------------------------------

static struct expr *parse_number(struct parser *parser)
{
    struct token token = parser->token;
    struct expr *expr = expr_new(parser, EXPR_NUMBER, token.place);
    parser_advance(parser);
    if (token.kind == TOKEN_NUMBER && view_to_int64(token.text, &expr->number)) {
        return expr;
    }
    if (token.kind == TOKEN_NUMBER) {
        REPORT(parser->reporter, SYNTAX_NUMBER_RANGE, token.place, token.text);
    }
    expr->kind = EXPR_DECIMAL;
    struct view digits = view_ends(token.text, VIEW(".")) ? view_slice(token.text, 0, token.text.len - 1) : token.text; // `5.`
    if (!view_to_decimal(digits, &expr->decimal)) {
        parser_fail(parser, SYNTAX_UNEXPECTED, token.text, VIEW_NONE);
    }
    return expr;
}

static struct expr *parse_text(struct parser *parser)
{
    struct expr *expr = expr_new(parser, parser_at(parser, TOKEN_DATE) ? EXPR_DATE : EXPR_TEXT, parser->token.place);
    expr->text = lexer_unescape(&parser->token, parser->arena);
    if (!expr->text.data) {
        parser_fail(parser, SOURCE_MEMORY, VIEW_NONE, VIEW_NONE);
    }
    parser_advance(parser);
    return expr;
}

// The parts joined by dots; where the source has no blanks between them that is the source itself.
static struct view join_parts(struct parser *parser, const struct path *path, struct place place)
{
    size_t len = path->count - 1;
    for (uint32_t i = 0; i < path->count; i++) {
        len += path->parts[i].len;
    }
    if (len == place.end - place.start) {
        return view_slice(parser->lexer.source, place.start, len);
    }
    char *out = arena_alloc(parser->arena, len + 1);
    if (!out) {
        parser_fail(parser, SOURCE_MEMORY, VIEW_NONE, VIEW_NONE);
        return path->parts[0];
    }
    size_t at = 0;
    for (uint32_t i = 0; i < path->count; i++) {
        memcpy(out + at, path->parts[i].data, path->parts[i].len);
        at += path->parts[i].len;
        out[at++] = '.';
    }
    return (struct view){out, len};
}

struct path *parse_path(struct parser *parser, struct place *ret_place)
{
    struct path *path = parser_alloc(parser, sizeof *path);
    struct pointers parts = {0};
    struct place place = parser->token.place;
    struct view first = parser->token.text;
    if (!parser_expect(parser, TOKEN_NAME, "name")) {
        return path;
    }
    path->count = 1;
    while (parser_at(parser, TOKEN_DOT) && parser->ahead.kind == TOKEN_NAME) {
        parser_advance(parser);
        pointers_add(parser, &parts, (void *)(uintptr_t)parser->token.place.start);
        pointers_add(parser, &parts, (void *)(uintptr_t)parser->token.place.end);
        path->count++;
        parser_advance(parser);
    }
    place.end = parser->before.place.end;
    *ret_place = place;
    path->name = first;
    path->parts = &path->name; // of one part, which is the usual case
    if (path->count > 1) {
        path->parts = arena_alloc(parser->arena, path->count * sizeof *path->parts);
        if (!path->parts || parts.count != (path->count - 1) * 2) {
            path->parts = &path->name;
            path->count = 1;
            parser_fail(parser, SOURCE_MEMORY, VIEW_NONE, VIEW_NONE);
            return path;
        }
        path->parts[0] = first;
        for (uint32_t i = 1; i < path->count; i++) {
            size_t start = (uintptr_t)parts.items[i * 2 - 2];
            path->parts[i] = view_slice(parser->lexer.source, start, (uintptr_t)parts.items[i * 2 - 1] - start);
        }
        path->name = join_parts(parser, path, place);
    }
    return path;
}

// ---- what stands between brackets ---------------------------------------------------------------

// Expressions up to the closing sign; a comma may stand before it. In keyed lists `ret_keys` gets one key an item.
static void parse_elements(struct parser *parser, enum token_kind close, const char *sign, struct pointers *keys, struct pointers *items)
{
    bool condition = parser->condition;
    parser->condition = false;
    while (!parser_at(parser, close) && !parser->panic) {
        struct expr *item = parse_expression(parser);
        if (keys && parser_at(parser, TOKEN_COLON) && keys->count == items->count) {
            parser_advance(parser);
            pointers_add(parser, keys, item);
            item = parse_expression(parser);
        } else if (keys && (keys->count || parser_at(parser, TOKEN_COLON))) {
            parser_fail(parser, SYNTAX_MIXED_KEYS, VIEW_NONE, VIEW_NONE);
        }
        pointers_add(parser, items, item);
        if (!parser_take(parser, TOKEN_COMMA)) {
            break;
        }
    }
    parser->condition = condition;
    if (!parser_take(parser, close)) {
        if (parser_at(parser, TOKEN_END)) {
            parser_fail(parser, SYNTAX_EXPECTED, view_of(sign), parser->token.text);
        } else {
            parser_fail(parser, SYNTAX_SEPARATOR, view_of(sign), parser->token.text);
        }
    }
}

// Pairs, as in c.insert("k":v) (spec/deluge-builtins.md §7), are one argument: a map.
void parse_arguments(struct parser *parser, struct expr ***ret_args, uint32_t *ret_count)
{
    struct pointers keys = {0}, args = {0};
    struct place place = parser->token.place;
    if (!parser_enter(parser)) {
        return;
    }
    parser_advance(parser); // (
    parse_elements(parser, TOKEN_PAREN_CLOSE, ")", &keys, &args);
    parser_leave(parser);
    if (keys.count && !parser->panic) {
        struct pointers pair = {0};
        struct expr *map = expr_new(parser, EXPR_MAP, place);
        map->map.keys = (struct expr **)keys.items;
        map->map.values = (struct expr **)args.items;
        map->map.count = args.count;
        pointers_add(parser, &pair, expr_end(parser, map));
        args = pair;
    }
    *ret_args = (struct expr **)args.items;
    *ret_count = args.count;
}

// {}, {a, b}, {k: v}
static struct expr *parse_braces(struct parser *parser)
{
    struct pointers keys = {0}, items = {0};
    struct expr *expr = expr_new(parser, EXPR_LIST, parser->token.place);
    if (!parser_enter(parser)) {
        return expr;
    }
    parser_advance(parser);
    parse_elements(parser, TOKEN_BRACE_CLOSE, "}", &keys, &items);
    parser_leave(parser);
    if (keys.count) {
        expr->kind = EXPR_MAP;
        expr->map.keys = (struct expr **)keys.items;
        expr->map.values = (struct expr **)items.items;
        expr->map.count = items.count;
    } else if (items.count) {
        expr->list.items = (struct expr **)items.items;
        expr->list.count = items.count;
    } else {
        expr->kind = EXPR_FRESH;
    }
    return expr_end(parser, expr);
}

static struct expr *parse_brackets(struct parser *parser)
{
    struct pointers items = {0};
    struct expr *expr = expr_new(parser, EXPR_LIST, parser->token.place);
    if (!parser_enter(parser)) {
        return expr;
    }
    parser_advance(parser);
    parse_elements(parser, TOKEN_BRACKET_CLOSE, "]", NULL, &items);
    parser_leave(parser);
    expr->list.items = (struct expr **)items.items;
    expr->list.count = items.count;
    return expr_end(parser, expr);
}

static struct expr *parse_parentheses(struct parser *parser)
{
    struct expr *expr = NULL;
    if (!parser_enter(parser)) {
        return expr_error(parser);
    }
    parser_advance(parser);
    expr = parse_expression(parser);
    parser_leave(parser);
    parser_expect(parser, TOKEN_PAREN_CLOSE, ")");
    expr->parens++;
    return expr;
}

// if(c, a, b)
static struct expr *parse_conditional(struct parser *parser)
{
    struct expr *expr = expr_new(parser, EXPR_IF, parser->token.place);
    if (!parser_enter(parser)) {
        return expr;
    }
    parser_advance(parser); // if
    parser_advance(parser); // (
    expr->conditional.condition = parse_condition(parser);
    bool condition = parser->condition;
    parser->condition = false;
    parser_expect(parser, TOKEN_COMMA, ",");
    expr->conditional.yes = parse_expression(parser);
    parser_expect(parser, TOKEN_COMMA, ",");
    expr->conditional.no = parse_expression(parser);
    parser->condition = condition;
    parser_expect(parser, TOKEN_PAREN_CLOSE, ")");
    parser_leave(parser);
    return expr_end(parser, expr);
}

static bool is_item_type(struct view word)
{
    for (size_t i = 0; i < BASE_COUNT(item_types); i++) {
        if (view_eq_nocase(word, view_of(item_types[i]))) {
            return true;
        }
    }
    return false;
}

// Map( List( Collection( List:Int( Map:String(
static bool at_construct(const struct parser *parser)
{
    if (!parser_at_word(parser, "list") && !parser_at_word(parser, "map") && !parser_at_word(parser, "collection")) {
        return false;
    }
    if (parser->ahead.kind == TOKEN_PAREN_OPEN) {
        return true;
    }
    if (parser->ahead.kind != TOKEN_COLON) {
        return false;
    }
    struct token type = parser_peek(parser, 2);
    return type.kind == TOKEN_NAME && is_item_type(type.text) && parser_peek(parser, 3).kind == TOKEN_PAREN_OPEN;
}

static struct expr *parse_construct(struct parser *parser)
{
    struct pointers keys = {0}, items = {0};
    struct expr *expr = expr_new(parser, EXPR_CONSTRUCT, parser->token.place);
    expr->construct.what = CONSTRUCT_LIST;
    if (parser_at_word(parser, "map")) {
        expr->construct.what = CONSTRUCT_MAP;
    } else if (parser_at_word(parser, "collection")) {
        expr->construct.what = CONSTRUCT_COLLECTION;
    }
    if (!parser_enter(parser)) {
        return expr;
    }
    parser_advance(parser);
    if (parser_take(parser, TOKEN_COLON)) {
        expr->construct.item_type = parser->token.text;
        parser_advance(parser);
    }
    parser_advance(parser); // (
    parse_elements(parser, TOKEN_PAREN_CLOSE, ")", &keys, &items);
    parser_leave(parser);
    expr->construct.keys = keys.count ? (struct expr **)keys.items : NULL;
    expr->construct.items = (struct expr **)items.items;
    expr->construct.count = items.count;
    return expr_end(parser, expr);
}

// ---- names, calls, chains -----------------------------------------------------------------------

// A name, or a call when an argument list follows.
static struct expr *parse_name(struct parser *parser)
{
    struct expr *expr = expr_new(parser, EXPR_NAME, parser->token.place);
    struct path *path = parse_path(parser, &expr->place);
    if (parser_at(parser, TOKEN_PAREN_OPEN) && !parser->panic) {
        expr->kind = EXPR_CALL;
        parse_arguments(parser, &expr->call.args, &expr->call.count);
        expr->call.path = path;
        return expr_end(parser, expr);
    }
    expr->name = path;
    if (parser_at(parser, TOKEN_BRACKET_OPEN) && !parser->token.newline_before && !parser->panic) {
        parse_creator_criteria(parser, path->name, expr->place);
        expr->kind = EXPR_ERROR;
    }
    return expr;
}

static struct expr *parse_word(struct parser *parser)
{
    struct expr *expr = expr_new(parser, EXPR_NULL, parser->token.place);
    bool plain = parser->ahead.kind != TOKEN_PAREN_OPEN;
    if (plain && parser_at_word(parser, "null")) {
        parser_advance(parser);
        return expr;
    }
    if (plain && (parser_at_word(parser, "true") || parser_at_word(parser, "false"))) {
        expr->kind = EXPR_BOOL;
        expr->boolean = parser_at_word(parser, "true");
        parser_advance(parser);
        return expr;
    }
    if (!plain && parser_at_word(parser, "if")) {
        return parse_conditional(parser);
    }
    if (at_construct(parser)) {
        return parse_construct(parser);
    }
    if (parser_at_task(parser)) {
        return parse_task(parser);
    }
    if (parser_at_word(parser, "insert") && token_is_word(&parser->ahead, "into")) {
        parse_creator_insert(parser);
        return expr_error(parser);
    }
    return parse_name(parser);
}

static struct expr *parse_primary(struct parser *parser)
{
    switch (parser->token.kind) {
    case TOKEN_NUMBER:
    case TOKEN_DECIMAL:
        return parse_number(parser);
    case TOKEN_TEXT:
    case TOKEN_DATE:
        return parse_text(parser);
    case TOKEN_NAME:
        return parse_word(parser);
    case TOKEN_PAREN_OPEN:
        return parse_parentheses(parser);
    case TOKEN_BRACE_OPEN:
        return parse_braces(parser);
    case TOKEN_BRACKET_OPEN:
        return parse_brackets(parser);
    default:
        parser_fail_here(parser);
        return expr_error(parser);
    }
}

static struct link *parse_link(struct parser *parser)
{
    struct link *link = parser_alloc(parser, sizeof *link);
    parser_advance(parser); // .
    link->name = parser->token.text;
    link->place = parser->token.place;
    if (!parser_expect(parser, TOKEN_NAME, "function")) {
        return link;
    }
    if (parser_at(parser, TOKEN_PAREN_OPEN)) {
        link->has_parentheses = true;
        parse_arguments(parser, &link->args, &link->count);
    }
    return link;
}

static struct expr *parse_chain(struct parser *parser)
{
    struct place place = parser->token.place;
    struct expr *base = parse_primary(parser);
    if (!parser_at(parser, TOKEN_DOT) || parser->panic) {
        return base;
    }
    struct pointers links = {0};
    while (parser_at(parser, TOKEN_DOT) && !parser->panic) {
        pointers_add(parser, &links, parse_link(parser));
        if (parser_at(parser, TOKEN_BRACKET_OPEN) && !parser->token.newline_before && !parser->panic) {
            parse_creator_criteria(parser, parser->before.text, parser->before.place);
        }
    }
    struct expr *expr = expr_new(parser, EXPR_CHAIN, place);
    expr->chain.base = base;
    expr->chain.links = arena_alloc(parser->arena, links.count * sizeof *expr->chain.links);
    if (!expr->chain.links) {
        parser_fail(parser, SOURCE_MEMORY, VIEW_NONE, VIEW_NONE);
        return expr_error(parser);
    }
    for (uint32_t i = 0; i < links.count; i++) {
        expr->chain.links[i] = *(struct link *)links.items[i];
    }
    expr->chain.count = links.count;
    return expr_end(parser, expr);
}

// ---- operators ----------------------------------------------------------------------------------

static enum op unary_op(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_NOT:
        return OP_NOT;
    case TOKEN_SUBTRACT:
        return OP_MINUS;
    case TOKEN_ADD:
        return OP_PLUS;
    default:
        return OP_NONE;
    }
}

// The one number whose digits do not fit without their sign. A method of it binds to the digits, as everywhere.
static bool at_smallest_number(const struct parser *parser)
{
    return parser_at(parser, TOKEN_SUBTRACT) && parser->ahead.kind == TOKEN_NUMBER &&
           view_eq(parser->ahead.text, VIEW("9223372036854775808")) && parser_peek(parser, 2).kind != TOKEN_DOT;
}

static struct expr *parse_unary(struct parser *parser)
{
    enum op op = unary_op((enum token_kind)parser->token.kind);
    if (op == OP_NONE) {
        return parse_chain(parser);
    }
    if (at_smallest_number(parser)) {
        struct expr *number = expr_new(parser, EXPR_NUMBER, parser->token.place);
        number->number = INT64_MIN;
        parser_advance(parser);
        parser_advance(parser);
        return expr_end(parser, number);
    }
    struct expr *expr = expr_new(parser, EXPR_UNARY, parser->token.place);
    if (!parser_enter(parser)) {
        return expr_error(parser);
    }
    parser_advance(parser);
    expr->unary.op = (uint8_t)op;
    expr->unary.operand = parse_unary(parser);
    parser_leave(parser);
    return expr_end(parser, expr);
}

static enum op word_op(const struct parser *parser, int *ret_tokens)
{
    if (parser->ahead.kind == TOKEN_ASSIGN && !parser->condition) { // a variable of that name, on a line of its own
        return OP_NONE;
    }
    *ret_tokens = 1;
    if (parser_at_word(parser, "in")) {
        return OP_IN;
    }
    if (parser_at_word(parser, "is")) {
        bool not = token_is_word(&parser->ahead, "not");
        *ret_tokens += not ;
        return not ? OP_NOT_EQUAL : OP_EQUAL;
    }
    if (parser_at_word(parser, "not") && token_is_word(&parser->ahead, "in")) {
        *ret_tokens = 2;
        return OP_NOT_IN;
    }
    return OP_NONE;
}

// The operator that stands here and how many tokens it takes; OP_NONE when the expression ends.
static enum op operator_here(const struct parser *parser, int *ret_tokens)
{
    static const uint8_t ops[] = {
        [TOKEN_ADD] = OP_ADD,
        [TOKEN_SUBTRACT] = OP_SUBTRACT,
        [TOKEN_MULTIPLY] = OP_MULTIPLY,
        [TOKEN_DIVIDE] = OP_DIVIDE,
        [TOKEN_REMAINDER] = OP_REMAINDER,
        [TOKEN_EQUAL] = OP_EQUAL,
        [TOKEN_NOT_EQUAL] = OP_NOT_EQUAL,
        [TOKEN_LESS] = OP_LESS,
        [TOKEN_LESS_EQUAL] = OP_LESS_EQUAL,
        [TOKEN_GREATER] = OP_GREATER,
        [TOKEN_GREATER_EQUAL] = OP_GREATER_EQUAL,
        [TOKEN_AND] = OP_AND,
        [TOKEN_OR] = OP_OR,
    };
    *ret_tokens = 1;
    if (parser->panic) {
        return OP_NONE;
    }
    if (parser_at(parser, TOKEN_NAME)) {
        return word_op(parser, ret_tokens);
    }
    if (parser_at(parser, TOKEN_ASSIGN)) {
        return parser->condition ? OP_EQUAL : OP_NONE;
    }
    return parser->token.kind >= TOKEN_ADD ? (enum op)ops[parser->token.kind] : OP_NONE;
}

static int op_level(enum op op)
{
    static const uint8_t levels[] = {
        [OP_OR] = 0,         [OP_AND] = 1,      [OP_EQUAL] = 2,         [OP_NOT_EQUAL] = 2, [OP_LESS] = 3,
        [OP_LESS_EQUAL] = 3, [OP_GREATER] = 3,  [OP_GREATER_EQUAL] = 3, [OP_IN] = 3,        [OP_NOT_IN] = 3,
        [OP_ADD] = 4,        [OP_SUBTRACT] = 4, [OP_MULTIPLY] = 5,      [OP_DIVIDE] = 5,    [OP_REMAINDER] = 5,
    };
    return levels[op];
}

static struct expr *parse_binary(struct parser *parser, int lowest);

static uint8_t *pack_ops(struct parser *parser, const struct pointers *ops)
{
    uint8_t *packed = arena_alloc(parser->arena, ops->count + 1);
    if (!packed) {
        parser_fail(parser, SOURCE_MEMORY, VIEW_NONE, VIEW_NONE);
        return NULL;
    }
    for (uint32_t i = 0; i < ops->count; i++) {
        packed[i] = (uint8_t)(uintptr_t)ops->items[i];
    }
    return packed;
}

// `first`, which starts at `place`, and what follows it at this level, in one node.
static struct expr *parse_operands(struct parser *parser, struct expr *first, struct place place, int level)
{
    struct pointers operands = {0}, ops = {0};
    struct expr *expr = expr_new(parser, EXPR_BINARY, place);
    enum op op;
    int tokens;
    pointers_add(parser, &operands, first);
    while ((op = operator_here(parser, &tokens)) != OP_NONE && op_level(op) == level) {
        if (parser_at(parser, TOKEN_ASSIGN)) {
            REPORT(parser->reporter, SYNTAX_ASSIGN_IN_CONDITION, parser->token.place);
        }
        while (tokens-- > 0) {
            parser_advance(parser);
        }
        pointers_add(parser, &ops, (void *)(uintptr_t)op);
        pointers_add(parser, &operands, parse_binary(parser, level + 1));
    }
    expr->binary.operands = (struct expr **)operands.items;
    expr->binary.ops = pack_ops(parser, &ops);
    expr->binary.count = operands.count;
    return expr_end(parser, expr);
}

static struct expr *parse_binary(struct parser *parser, int lowest)
{
    struct place place = parser->token.place;
    struct expr *left = parse_unary(parser);
    enum op op;
    int tokens;
    while ((op = operator_here(parser, &tokens)) != OP_NONE && op_level(op) >= lowest) {
        left = parse_operands(parser, left, place, op_level(op));
    }
    return left;
}

struct expr *parse_expression(struct parser *parser)
{
    return parse_binary(parser, 0);
}

struct expr *parse_condition(struct parser *parser)
{
    bool condition = parser->condition;
    parser->condition = true;
    struct expr *expr = parse_expression(parser);
    parser->condition = condition;
    return expr;
}
