// SPDX-License-Identifier: Apache-2.0
//
// Bytes → tokens (spec/deluge-language.md §2). The parser is its only caller.
//
// Hard things: blanks that editors and web pages leave behind (NBSP, zero-width, byte order marks) count as blanks; a line break may stand
// inside a text; '\' is a whole text while '\'' is not; a dot after digits belongs to the number only when no letter follows
// (2434.text("0") is a call); columns are UTF-16 units and are counted incrementally, never from the start of the line.
#include "lang/lexer.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Letters beyond ASCII: the ranges that XML takes for names, without punctuation and pictures. Zoho documents ASCII names only
// (spec/deluge-language.md §2), yet scripts with Spanish words in them are in use.
static bool is_letter_code_point(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0xAA, 0xAA},    {0xB5, 0xB5},     {0xBA, 0xBA},     {0xC0, 0xD6},     {0xD8, 0xF6},     {0xF8, 0x37D},
                  {0x37F, 0x167F}, {0x1681, 0x1FFF}, {0x2C00, 0x2DFF}, {0x3041, 0xD7FF}, {0xF900, 0xFDCF}, {0xFE70, 0xFEFC}};
    for (size_t i = 0; i < BASE_COUNT(ranges); i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

static char byte_at(const struct lexer *lexer, size_t offset)
{
    return offset < lexer->source.len ? lexer->source.data[offset] : '\0';
}

// Steps over one character of a name: a letter, or a digit unless it is the first.
static bool skip_name_character(struct lexer *lexer, bool first)
{
    char c = byte_at(lexer, lexer->offset);
    if (is_letter(c) || (!first && is_digit(c))) {
        lexer->offset++;
        return true;
    }
    size_t after = lexer->offset;
    if ((uint8_t)c < 0x80 || !is_letter_code_point(utf8_next(lexer->source, &after))) {
        return false;
    }
    lexer->offset = after;
    return true;
}

// Moves the mark to `offset`; no line break lies between.
static void move_mark(struct lexer *lexer, size_t offset)
{
    for (size_t i = lexer->mark; i < offset; i++) {
        uint8_t byte = (uint8_t)lexer->source.data[i];
        lexer->column += (byte & 0xC0) != 0x80; // a character starts
        lexer->column += byte >= 0xF0; // beyond the basic plane: two units
    }
    lexer->mark = offset;
}

// Steps over a line break at `offset`, if one is there (\n, \r\n, lone \r).
static bool skip_newline(struct lexer *lexer)
{
    char c = byte_at(lexer, lexer->offset);
    if (c != '\n' && c != '\r') {
        return false;
    }
    lexer->offset += c == '\r' && byte_at(lexer, lexer->offset + 1) == '\n' ? 2 : 1;
    lexer->mark = lexer->offset;
    lexer->line++;
    lexer->column = 1;
    return true;
}

static bool is_blank_code_point(uint32_t c)
{
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200D) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x2060 || c == 0x3000 || c == 0xFEFF;
}

static bool skip_blank(struct lexer *lexer)
{
    char c = byte_at(lexer, lexer->offset);
    if (lexer->offset < lexer->source.len && (c == ' ' || c == '\t' || c == '\v' || c == '\f')) {
        lexer->offset++;
        return true;
    }
    if ((uint8_t)c >= 0x80) {
        size_t after = lexer->offset;
        if (is_blank_code_point(utf8_next(lexer->source, &after))) {
            lexer->offset = after;
            return true;
        }
    }
    return false;
}

static struct place place_here(struct lexer *lexer)
{
    move_mark(lexer, lexer->offset);
    return (struct place){(uint32_t)lexer->offset, (uint32_t)lexer->offset, lexer->line, lexer->column};
}

static void keep_comment(struct lexer *lexer, struct place place)
{
    struct comments *comments = lexer->comments;
    if (!comments || comments->failed) {
        return;
    }
    if (comments->count == comments->cap) {
        uint32_t cap = comments->cap ? comments->cap * 2 : 16;
        struct comment *items = arena_alloc(comments->arena, cap * sizeof *items);
        if (!items) {
            comments->failed = true;
            return;
        }
        if (comments->count) {
            memcpy(items, comments->items, comments->count * sizeof *items);
        }
        comments->items = items;
        comments->cap = cap;
    }
    place.end = (uint32_t)lexer->offset;
    struct view text = view_slice(lexer->source, place.start, place.end - place.start);
    comments->items[comments->count++] = (struct comment){text, place};
}

// True when a comment that starts at `place` was stepped over. *ret_open: it has no end; then the lexer stands at the end of the source.
static bool skip_comment(struct lexer *lexer, bool *newline, bool *ret_open, struct place *ret_place)
{
    if (byte_at(lexer, lexer->offset) != '/') {
        return false;
    }
    char second = byte_at(lexer, lexer->offset + 1);
    if (second != '/' && second != '*') {
        return false;
    }
    struct place place = *ret_place = place_here(lexer);
    lexer->offset += 2;
    *ret_open = second == '*';
    while (lexer->offset < lexer->source.len) {
        char c = lexer->source.data[lexer->offset];
        if (c == '\n' || c == '\r') {
            if (second == '/') {
                break;
            }
            skip_newline(lexer);
            *newline = true;
        } else if (second == '*' && c == '*' && byte_at(lexer, lexer->offset + 1) == '/') {
            lexer->offset += 2;
            *ret_open = false;
            break;
        } else {
            lexer->offset++;
        }
    }
    keep_comment(lexer, place);
    return true;
}

static struct token finish(struct lexer *lexer, struct token token, enum token_kind kind)
{
    move_mark(lexer, lexer->offset);
    token.kind = (uint8_t)kind;
    token.place.end = (uint32_t)lexer->offset;
    token.end_line = lexer->line;
    token.end_column = lexer->column;
    if (!token.text.data) {
        token.text = view_slice(lexer->source, token.place.start, token.place.end - token.place.start);
    }
    return token;
}

static struct token finish_bad(struct lexer *lexer, struct token token, enum diagnostic_code problem)
{
    token.problem = problem;
    return finish(lexer, token, TOKEN_BAD);
}

static struct token read_number(struct lexer *lexer, struct token token)
{
    enum token_kind kind = TOKEN_NUMBER;
    while (is_digit(byte_at(lexer, lexer->offset))) {
        lexer->offset++;
    }
    char after = byte_at(lexer, lexer->offset + 1);
    if (byte_at(lexer, lexer->offset) == '.' && !is_letter(after) && after != '.') {
        kind = TOKEN_DECIMAL;
        lexer->offset++;
        while (is_digit(byte_at(lexer, lexer->offset))) {
            lexer->offset++;
        }
    }
    return finish(lexer, token, kind);
}

// Takes between `least` and `most` digits (letters when `letters`) off `rest`; false when there are too few.
static bool take_run(struct view *rest, size_t least, size_t most, bool letters)
{
    size_t n = 0;
    while (n < rest->len && n < most && (letters ? is_letter(rest->data[n]) && rest->data[n] != '_' : is_digit(rest->data[n]))) {
        n++;
    }
    *rest = view_from(*rest, n);
    return n >= least;
}

static bool take_char(struct view *rest, char c)
{
    if (rest->len == 0 || rest->data[0] != c) {
        return false;
    }
    *rest = view_from(*rest, 1);
    return true;
}

// 'dd-MMM-yyyy' with an optional time (spec §2, date literals); other shapes stay text.
static bool looks_like_date(struct view text)
{
    struct view rest = text;
    if (!take_run(&rest, 1, 2, false) || !take_char(&rest, '-') || !take_run(&rest, 3, 9, true) || !take_char(&rest, '-') ||
        !take_run(&rest, 2, 4, false)) {
        return false;
    }
    if (rest.len == 0) {
        return true;
    }
    if (!take_char(&rest, ' ') || !take_run(&rest, 1, 2, false) || !take_char(&rest, ':') || !take_run(&rest, 2, 2, false)) {
        return false;
    }
    if (take_char(&rest, ':') && !take_run(&rest, 2, 2, false)) {
        return false;
    }
    return rest.len == 0 || view_eq_nocase(rest, VIEW(" AM")) || view_eq_nocase(rest, VIEW(" PM"));
}

// '\' is a text of one backslash when an operator, a closing sign or a blank follows; "\" never is: "\"," is how scripts build JSON.
static bool is_lone_backslash(const struct lexer *lexer, size_t open)
{
    if (byte_at(lexer, open) != '\'' || byte_at(lexer, open + 1) != '\\' || byte_at(lexer, open + 2) != '\'') {
        return false;
    }
    char after = byte_at(lexer, open + 3);
    return open + 3 >= lexer->source.len || (after && strchr("+),; \t\r\n]}", after));
}

static struct token read_text(struct lexer *lexer, struct token token, char quote)
{
    size_t open = lexer->offset;
    if (is_lone_backslash(lexer, open)) {
        lexer->offset += 3;
        token.text = view_slice(lexer->source, open + 1, 1);
        return finish(lexer, token, TOKEN_TEXT);
    }
    lexer->offset++;
    while (lexer->offset < lexer->source.len) {
        char c = lexer->source.data[lexer->offset];
        if (c == quote) {
            token.text = view_slice(lexer->source, open + 1, lexer->offset - open - 1);
            lexer->offset++;
            return finish(lexer, token, quote == '\'' && looks_like_date(token.text) ? TOKEN_DATE : TOKEN_TEXT);
        }
        if (c == '\\') {
            token.escapes = true;
            lexer->offset++; // what follows is no closing quote
            if (lexer->offset < lexer->source.len && !skip_newline(lexer)) {
                lexer->offset++;
            }
        } else if (!skip_newline(lexer)) {
            lexer->offset++;
        }
    }
    token.text = VIEW("\"");
    return finish_bad(lexer, token, SYNTAX_TEXT_OPEN);
}

// Signs of two bytes come first, so that the longest one wins.
static const struct {
    char text[3];
    uint8_t kind;
} signs[] = {
    {"==", TOKEN_EQUAL},
    {"!=", TOKEN_NOT_EQUAL},
    {"<=", TOKEN_LESS_EQUAL},
    {">=", TOKEN_GREATER_EQUAL},
    {"&&", TOKEN_AND},
    {"||", TOKEN_OR},
    {"+=", TOKEN_ADD_ASSIGN},
    {"-=", TOKEN_SUBTRACT_ASSIGN},
    {"*=", TOKEN_MULTIPLY_ASSIGN},
    {"/=", TOKEN_DIVIDE_ASSIGN},
    {"%=", TOKEN_REMAINDER_ASSIGN},
    {"=", TOKEN_ASSIGN},
    {"(", TOKEN_PAREN_OPEN},
    {")", TOKEN_PAREN_CLOSE},
    {"{", TOKEN_BRACE_OPEN},
    {"}", TOKEN_BRACE_CLOSE},
    {"[", TOKEN_BRACKET_OPEN},
    {"]", TOKEN_BRACKET_CLOSE},
    {",", TOKEN_COMMA},
    {";", TOKEN_SEMICOLON},
    {":", TOKEN_COLON},
    {".", TOKEN_DOT},
    {"!", TOKEN_NOT},
    {"+", TOKEN_ADD},
    {"-", TOKEN_SUBTRACT},
    {"*", TOKEN_MULTIPLY},
    {"/", TOKEN_DIVIDE},
    {"%", TOKEN_REMAINDER},
    {"<", TOKEN_LESS},
    {">", TOKEN_GREATER},
};

static struct token read_sign(struct lexer *lexer, struct token token)
{
    struct view rest = view_from(lexer->source, lexer->offset);
    for (size_t i = 0; i < BASE_COUNT(signs); i++) {
        struct view sign = view_of(signs[i].text);
        if (view_starts(rest, sign)) {
            lexer->offset += sign.len;
            return finish(lexer, token, signs[i].kind);
        }
    }
    utf8_next(lexer->source, &lexer->offset); // the whole character, for the message
    return finish_bad(lexer, token, SYNTAX_UNEXPECTED);
}

void lexer_open(struct lexer *lexer, struct view source, struct comments *comments)
{
    *lexer = (struct lexer){.source = source, .line = 1, .column = 1, .comments = comments};
}

struct token lexer_next(struct lexer *lexer)
{
    struct token token = {.newline_before = lexer->offset == 0};
    bool open = false;
    for (;;) {
        if (skip_newline(lexer)) {
            token.newline_before = true;
        } else if (skip_comment(lexer, &token.newline_before, &open, &token.place)) {
            if (open) {
                token.text = VIEW("/*");
                return finish_bad(lexer, token, SYNTAX_COMMENT_OPEN);
            }
        } else if (!skip_blank(lexer)) {
            break;
        }
    }
    token.place = place_here(lexer);
    if (lexer->offset >= lexer->source.len) {
        token.text = VIEW("<EOF>");
        return finish(lexer, token, TOKEN_END);
    }
    char c = lexer->source.data[lexer->offset];
    if (skip_name_character(lexer, true)) {
        while (skip_name_character(lexer, false)) {
        }
        return finish(lexer, token, TOKEN_NAME);
    }
    if (is_digit(c) || (c == '.' && is_digit(byte_at(lexer, lexer->offset + 1)))) {
        return read_number(lexer, token);
    }
    if (c == '"' || c == '\'') {
        return read_text(lexer, token, c);
    }
    return read_sign(lexer, token);
}

static char escape_value(char c)
{
    switch (c) {
    case '\\':
    case '"':
    case '\'':
    case '/':
        return c;
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    default:
        return '\0';
    }
}

struct view lexer_unescape(const struct token *token, struct arena *arena)
{
    struct view raw = token->text;
    if (!token->escapes) {
        return raw;
    }
    char *out = arena_alloc(arena, raw.len + 1);
    if (!out) {
        return VIEW_NONE;
    }
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char value = raw.data[i] == '\\' && i + 1 < raw.len ? escape_value(raw.data[i + 1]) : '\0';
        out[len++] = value ? value : raw.data[i]; // an unknown escape stays as it is: "\d+" is a pattern
        i += value != '\0';
    }
    return (struct view){out, len};
}
