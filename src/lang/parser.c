// SPDX-License-Identifier: Apache-2.0
//
// The parser's state and the outermost level: files of functions, or a body without header (spec/deluge-language.md §2.2, §10). Statements,
// expressions and bracket blocks have files of their own.
//
// Hard things: nothing but what follows tells a header from a statement, so headers are recognised by looking ahead to the `{` behind the
// parameters; and a parser that runs out of memory or depth must stop everywhere at once: it then sees the end of the file forever, and
// allocations come from a small spare block so that no caller has to test each one.
#include "lang/parse.h"

#include <stdlib.h>

// ---- tokens -------------------------------------------------------------------------------------

void parser_advance(struct parser *parser)
{
    parser->before = parser->token;
    if (parser->stopped) {
        return;
    }
    parser->token = parser->ahead;
    parser->ahead = lexer_next(&parser->lexer);
}

struct token parser_peek(const struct parser *parser, int distance)
{
    if (distance == 0) {
        return parser->token;
    }
    struct lexer lexer = parser->lexer;
    lexer.comments = NULL;
    struct token token = parser->ahead;
    for (int i = 1; i < distance; i++) {
        token = lexer_next(&lexer);
    }
    return token;
}

bool parser_at(const struct parser *parser, enum token_kind kind)
{
    return parser->token.kind == kind;
}

bool token_is_word(const struct token *token, const char *word)
{
    return token->kind == TOKEN_NAME && view_eq_nocase(token->text, view_of(word));
}

bool parser_at_word(const struct parser *parser, const char *word)
{
    return token_is_word(&parser->token, word);
}

bool parser_take(struct parser *parser, enum token_kind kind)
{
    if (parser->token.kind != kind || parser->panic) {
        return false;
    }
    parser_advance(parser);
    return true;
}

bool parser_expect(struct parser *parser, enum token_kind kind, const char *sign)
{
    if (parser_take(parser, kind)) {
        return true;
    }
    parser_fail(parser, SYNTAX_EXPECTED, view_of(sign), parser->token.text);
    return false;
}

// ---- errors -------------------------------------------------------------------------------------

void parser_fail(struct parser *parser, enum diagnostic_code code, struct view first, struct view second)
{
    if (parser->panic) {
        return;
    }
    parser->panic = true;
    const struct token *token = &parser->token;
    if (token->kind == TOKEN_BAD) {
        REPORT(parser->reporter, token->problem, token->place, token->text);
    } else {
        REPORT(parser->reporter, code, token->place, first, second);
    }
}

void parser_fail_here(struct parser *parser)
{
    bool incomplete = parser_at(parser, TOKEN_SEMICOLON) || parser_at(parser, TOKEN_END) || parser->token.newline_before;
    parser_fail(parser, incomplete ? SYNTAX_IMPROPER : SYNTAX_UNEXPECTED, parser->token.text, VIEW_NONE);
}

void parser_give_up(struct parser *parser)
{
    parser->panic = true;
    parser->stopped = true;
    parser->token.kind = TOKEN_END;
    parser->ahead = parser->token;
}

// From here on the parser sees the end of the file, whatever it does.
static void stop(struct parser *parser, enum diagnostic_code code, struct view detail)
{
    if (parser->stopped) {
        return;
    }
    if (!parser->panic) {
        REPORT(parser->reporter, code, parser->token.place, detail);
    } else if (code == SOURCE_MEMORY) {
        REPORT(parser->reporter, code, parser->token.place);
    }
    parser_give_up(parser);
}

bool parser_enter(struct parser *parser)
{
    if (parser->stopped) {
        return false;
    }
    if (parser->depth >= SOURCE_NESTING_MAX) {
        char number[21];
        stop(parser, SOURCE_NESTING, (struct view){number, int64_print(number, SOURCE_NESTING_MAX)});
        return false;
    }
    parser->depth++;
    return true;
}

void parser_leave(struct parser *parser)
{
    parser->depth--;
}

void parser_skip_statement(struct parser *parser)
{
    int open = 0;
    bool first = true;
    for (; !parser_at(parser, TOKEN_END); first = false) {
        enum token_kind kind = (enum token_kind)parser->token.kind;
        bool opens = kind == TOKEN_BRACE_OPEN || kind == TOKEN_PAREN_OPEN || kind == TOKEN_BRACKET_OPEN;
        bool closes = kind == TOKEN_BRACE_CLOSE || kind == TOKEN_PAREN_CLOSE || kind == TOKEN_BRACKET_CLOSE;
        if (open == 0 && (kind == TOKEN_BRACE_CLOSE || (!first && parser->token.newline_before && !opens))) {
            return;
        }
        open += opens;
        open -= closes && open > 0;
        parser_advance(parser);
        if (open == 0 && (kind == TOKEN_SEMICOLON || kind == TOKEN_BRACE_CLOSE)) {
            return;
        }
    }
}

// ---- memory -------------------------------------------------------------------------------------

// Callers write into what they get without testing it. When the arena is full the parser stops and hands out this block, which is big
// enough for any single node; the tree is dropped then. Requests for more than a node go through pointers_add, which tests.
void *parser_alloc(struct parser *parser, size_t bytes)
{
    void *memory = arena_alloc(parser->arena, bytes);
    if (!memory) {
        assert(bytes <= sizeof parser->spare);
        stop(parser, SOURCE_MEMORY, VIEW_NONE);
        memset(parser->spare, 0, sizeof parser->spare);
        memory = parser->spare;
    }
    return memory;
}

void pointers_add(struct parser *parser, struct pointers *pointers, void *item)
{
    if (pointers->count == pointers->cap) {
        uint32_t cap = pointers->cap ? pointers->cap * 2 : 4;
        void **items = arena_alloc(parser->arena, cap * sizeof *items);
        if (!items) {
            stop(parser, SOURCE_MEMORY, VIEW_NONE);
            return;
        }
        if (pointers->count) {
            memcpy(items, pointers->items, pointers->count * sizeof *items);
        }
        pointers->items = items;
        pointers->cap = cap;
    }
    pointers->items[pointers->count++] = item;
}

struct view parser_lower(struct parser *parser, struct view text)
{
    char *out = arena_alloc(parser->arena, text.len + 1);
    if (!out) {
        stop(parser, SOURCE_MEMORY, VIEW_NONE);
        return VIEW_NONE;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    return (struct view){out, text.len};
}

// ---- functions ----------------------------------------------------------------------------------

// Words that start a statement and may have a call and a block behind them.
static bool at_statement_word(const struct parser *parser)
{
    static const char *const words[] = {"if", "while", "for", "return", "info", "throw", "else"};
    for (size_t i = 0; i < BASE_COUNT(words); i++) {
        if (parser_at_word(parser, words[i])) {
            return true;
        }
    }
    return false;
}

// `type name.name(type p, type q) {` stands here; without a type only at the start of the file, where no call can be meant. Types may be
// `list:int`. What is looked over again for every statement is short: the parameters of no two headers overlap.
bool parser_at_header(const struct parser *parser)
{
    struct lexer lexer = parser->lexer;
    lexer.comments = NULL;
    struct token token = parser->ahead;
    if (!parser_at(parser, TOKEN_NAME) || at_statement_word(parser)) {
        return false;
    }
    if (token.kind == TOKEN_COLON) {
        token = lexer_next(&lexer);
        token = token.kind == TOKEN_NAME ? lexer_next(&lexer) : token;
    }
    if (token.kind == TOKEN_NAME) {
        token = lexer_next(&lexer);
    } else if (parser->before.place.end > 0) {
        return false;
    }
    while (token.kind == TOKEN_DOT) {
        token = lexer_next(&lexer);
        token = token.kind == TOKEN_NAME ? lexer_next(&lexer) : token;
    }
    if (token.kind != TOKEN_PAREN_OPEN) {
        return false;
    }
    do {
        token = lexer_next(&lexer);
    } while (token.kind == TOKEN_NAME || token.kind == TOKEN_COMMA || token.kind == TOKEN_COLON);
    return token.kind == TOKEN_PAREN_CLOSE && lexer_next(&lexer).kind == TOKEN_BRACE_OPEN;
}

// `string`, `List:String`; empty when a name without a type stands here.
static struct view parse_type(struct parser *parser)
{
    struct token first = parser->token;
    parser_advance(parser);
    if (parser_at(parser, TOKEN_COLON) && parser->ahead.kind == TOKEN_NAME) {
        parser_advance(parser);
        parser_advance(parser);
    }
    return view_slice(parser->lexer.source, first.place.start, parser->before.place.end - first.place.start);
}

static void parse_parameters(struct parser *parser, struct function *function)
{
    struct pointers found = {0};
    parser_expect(parser, TOKEN_PAREN_OPEN, "(");
    while (parser_at(parser, TOKEN_NAME) && !parser->panic) {
        struct parameter *parameter = parser_alloc(parser, sizeof *parameter);
        if (parser->ahead.kind != TOKEN_COMMA && parser->ahead.kind != TOKEN_PAREN_CLOSE) {
            parameter->type = parse_type(parser);
        }
        parameter->place = parser->token.place;
        parameter->name = parser->token.text;
        parser_expect(parser, TOKEN_NAME, "parameter");
        for (uint32_t i = 0; i < found.count && !parser->panic; i++) {
            if (view_eq(((struct parameter *)found.items[i])->name, parameter->name)) {
                REPORT(parser->reporter, PARAMETER_TWICE, parameter->place, parameter->name);
            }
        }
        pointers_add(parser, &found, parameter);
        if (found.count > PARAMETERS_MAX) {
            parser_fail(parser, FUNCTION_PARAMETERS, VIEW_NONE, VIEW_NONE);
        }
        if (!parser_take(parser, TOKEN_COMMA)) {
            break;
        }
    }
    if (!parser->panic && !parser_take(parser, TOKEN_PAREN_CLOSE)) {
        parser_fail(parser, SYNTAX_SEPARATOR, VIEW(")"), parser->token.text);
    }
    function->parameters = arena_alloc(parser->arena, (found.count + 1) * sizeof *function->parameters);
    if (!function->parameters) {
        stop(parser, SOURCE_MEMORY, VIEW_NONE);
        return;
    }
    for (uint32_t i = 0; i < found.count; i++) {
        function->parameters[i] = *(struct parameter *)found.items[i];
    }
    function->parameter_count = found.count;
}

static void parse_function(struct parser *parser, struct function *function)
{
    function->has_header = true;
    function->place = parser->token.place;
    if (parser->ahead.kind == TOKEN_NAME || parser->ahead.kind == TOKEN_COLON) {
        function->return_type = parse_type(parser);
    }
    struct path *path = parse_path(parser, &function->place);
    function->name = path ? path->name : VIEW_NONE;
    parse_parameters(parser, function);
    parse_block(parser, &function->body);
    if (parser->panic && !parser->stopped) {
        if (!parser->at_function) {
            parser_skip_statement(parser);
        }
        parser->at_function = false;
        parser->panic = false;
    }
}

static bool only_empty(const struct stmt *stmt)
{
    while (stmt && stmt->kind == STMT_EMPTY) {
        stmt = stmt->next;
    }
    return !stmt;
}

// Functions, and statements outside of them: those are one more function, without header. Zoho knows files of one function, or of a body.
static void parse_file(struct parser *parser, struct pointers *functions)
{
    struct function *body = parser_alloc(parser, sizeof *body);
    struct stmt **last = &body->body.first;
    body->place = body->body.place = parser->token.place;
    pointers_add(parser, functions, body);
    while (!parser_at(parser, TOKEN_END)) {
        if (!parser_at_header(parser)) {
            *last = parse_item(parser);
            last = &(*last)->next;
            body->body.place.end = parser->before.place.end;
            continue;
        }
        struct function *function = parser_alloc(parser, sizeof *function);
        parse_function(parser, function);
        pointers_add(parser, functions, function);
        if (functions->count > FUNCTIONS_MAX) {
            stop(parser, FUNCTION_MANY, VIEW_NONE);
        }
    }
    if (functions->count > 1 && only_empty(body->body.first)) {
        functions->items++;
        functions->count--;
    } else if (functions->count > 1) {
        REPORT(parser->reporter, FUNCTION_OUTSIDE, body->body.first->place);
    }
}

// Two functions of one name (case, and `.` against `__`, make no difference: PRODUCT.md).
static void report_twins(struct parser *parser, const struct pointers *functions)
{
    for (uint32_t i = 1; i < functions->count; i++) {
        const struct function *later = functions->items[i];
        for (uint32_t j = 0; j < i; j++) {
            if (function_name_equal(((const struct function *)functions->items[j])->name, later->name)) {
                REPORT(parser->reporter, FUNCTION_TWICE, later->place, later->name);
                break;
            }
        }
    }
}

// ---- the whole ----------------------------------------------------------------------------------

// Reports the first byte that cannot stand in a source.
static bool check_bytes(struct view source, struct reporter *reporter)
{
    struct place place = {.line = 1, .column = 1};
    if (source.len > SOURCE_BYTES_MAX) {
        char number[21];
        REPORT(reporter, SOURCE_TOO_LONG, place, {number, int64_print(number, SOURCE_BYTES_MAX)});
        return false;
    }
    if (utf8_valid(source) && !memchr(source.data ? source.data : "", '\0', source.len)) {
        return true;
    }
    for (size_t offset = 0; offset < source.len;) {
        size_t start = offset;
        uint32_t c = utf8_next(source, &offset);
        place.start = (uint32_t)start;
        if (c == 0) {
            REPORT(reporter, SOURCE_NUL, place);
            return false;
        }
        if (c == 0xFFFD && offset == start + 1) {
            REPORT(reporter, SOURCE_NOT_UTF8, place);
            return false;
        }
        place.column += c >= 0x10000 ? 2 : 1;
        if (c == '\n' || (c == '\r' && !(offset < source.len && source.data[offset] == '\n'))) {
            place.line++;
            place.column = 1;
        }
    }
    return true;
}

static bool build_tree(struct parser *parser, const struct pointers *functions, struct ast *ast)
{
    ast->functions = arena_alloc(parser->arena, (functions->count + 1) * sizeof *ast->functions);
    if (!ast->functions || parser->lexer.comments->failed) {
        stop(parser, SOURCE_MEMORY, VIEW_NONE);
        return false;
    }
    for (uint32_t i = 0; i < functions->count; i++) {
        ast->functions[i] = *(struct function *)functions->items[i];
    }
    ast->function_count = functions->count;
    ast->comments = parser->lexer.comments->items;
    ast->comment_count = parser->lexer.comments->count;
    return functions->count > 0;
}

struct ast *parse_source(struct view source, struct arena *arena, struct reporter *reporter)
{
    if (!check_bytes(source, reporter)) {
        return NULL;
    }
    if (view_starts(source, VIEW("\xEF\xBB\xBF"))) {
        source = view_from(source, 3);
    }
    struct comments comments = {.arena = arena};
    struct parser parser = {.arena = arena, .reporter = reporter};
    struct ast *ast = arena_alloc(arena, sizeof *ast);
    struct pointers functions = {0};
    if (!ast) {
        stop(&parser, SOURCE_MEMORY, VIEW_NONE);
        return NULL;
    }
    lexer_open(&parser.lexer, source, &comments);
    parser.token = lexer_next(&parser.lexer);
    parser.ahead = lexer_next(&parser.lexer);
    parse_file(&parser, &functions);
    report_twins(&parser, &functions);
    ast->source = source;
    return build_tree(&parser, &functions, ast) ? ast : NULL;
}
