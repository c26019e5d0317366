// SPDX-License-Identifier: Apache-2.0
//
// What the formatter writes: tokens with the blanks between them, comments, line breaks. The walk over the tree (format_statement.c,
// format_expression.c) says where lines start and how far they are indented.
//
// Hard thing: comments. One that starts in the line where the thing before it ends stays behind that thing; every other one gets a line of
// its own or stays where it is inside an expression. The choice looks at source lines alone and the output has the same line structure, so
// that formatting twice gives the same text. Line breaks inside expressions are the author's: they are kept behind opening brackets and
// commas, around operators, before dots and before closing brackets.
#include "lang/format.h"

void format_open(struct format *format, const struct ast *ast, struct buffer *out)
{
    *format = (struct format){.ast = ast, .out = out, .line_empty = true, .last = {.kind = TOKEN_END}};
    lexer_open(&format->lexer, ast->source, NULL);
    format->token = lexer_next(&format->lexer);
}

bool format_at(const struct format *format, enum token_kind kind)
{
    return format->token.kind == kind;
}

// ---- lines --------------------------------------------------------------------------------------

static void end_line(struct format *format)
{
    if (!format->line_empty) {
        buffer_add_char(format->out, '\n');
    }
    format->line_empty = true;
    format->line_ends = false;
}

// The indentation is written with the first thing on the line, so that an empty one stays empty.
static void start_line(struct format *format, int indent)
{
    end_line(format);
    format->line_indent = indent;
}

static void write(struct format *format, struct view text)
{
    for (int i = 0; format->line_empty && i < format->line_indent; i++) {
        buffer_add_char(format->out, '\t');
    }
    buffer_add(format->out, text);
    format->line_empty = false;
}

static void add_blank_line(struct format *format)
{
    end_line(format);
    if (format->out->len > 0) {
        buffer_add_char(format->out, '\n');
    }
}

// ---- comments -----------------------------------------------------------------------------------

static const struct comment *comment_before(const struct format *format, uint32_t offset)
{
    const struct ast *ast = format->ast;
    if (format->comment == ast->comment_count || ast->comments[format->comment].place.start >= offset) {
        return NULL;
    }
    return &ast->comments[format->comment];
}

static bool is_line_comment(const struct comment *comment)
{
    return view_starts(comment->text, VIEW("//"));
}

static bool trails(const struct format *format, const struct comment *comment)
{
    return comment->place.line == format->last_line && format->last_line > 0;
}

// Line breaks become \n; blanks before them and at the end go.
static void write_comment(struct format *format, const struct comment *comment)
{
    struct view text = comment->text;
    uint32_t lines = 0;
    while (text.len > 0) {
        size_t len = 0;
        while (len < text.len && text.data[len] != '\n' && text.data[len] != '\r') {
            len++;
        }
        bool pair = len + 1 < text.len && text.data[len] == '\r' && text.data[len + 1] == '\n';
        bool more = len < text.len;
        size_t kept = len;
        while (kept > 0 && (text.data[kept - 1] == ' ' || text.data[kept - 1] == '\t')) {
            kept--;
        }
        write(format, view_slice(text, 0, kept));
        text = view_from(text, len + (more ? 1 : 0) + (pair ? 1 : 0));
        if (more) {
            buffer_add_char(format->out, '\n');
            lines++;
        }
    }
    format->line_ends = is_line_comment(comment);
    format->last_line = format->seen_line = comment->place.line + lines;
    format->comment++;
}

static void write_trailing(struct format *format)
{
    const struct comment *comment;
    while ((comment = comment_before(format, format->token.place.start)) && !format->line_ends && trails(format, comment)) {
        write(format, VIEW(" "));
        write_comment(format, comment);
    }
}

// A blank line is kept when the source has one before `line`, but not as the first thing in a block.
static bool blank_before(const struct format *format, uint32_t line)
{
    return line > format->seen_line + 1 && format->last.kind != TOKEN_BRACE_OPEN && format->out->len > 0;
}

void format_comments(struct format *format, int indent, bool blank)
{
    const struct comment *comment;
    while ((comment = comment_before(format, format->token.place.start))) {
        if (!format->line_ends && !format->line_empty && trails(format, comment)) {
            write(format, VIEW(" "));
        } else {
            bool gap = blank && blank_before(format, comment->place.line);
            start_line(format, indent);
            if (gap) {
                add_blank_line(format);
            }
            format->last.kind = TOKEN_END; // no longer the first thing in its block
        }
        write_comment(format, comment);
    }
}

void format_line(struct format *format, int indent, bool blank)
{
    format_comments(format, indent, blank);
    bool gap = blank && blank_before(format, format->token.place.line);
    start_line(format, indent);
    if (gap) {
        add_blank_line(format);
    }
}

void format_blank_line(struct format *format)
{
    write_trailing(format);
    add_blank_line(format);
    const struct comment *comment = comment_before(format, format->token.place.start);
    format->seen_line = comment ? comment->place.line : format->token.place.line; // not two
    format_line(format, 0, true);
}

void format_brace(struct format *format, enum token_kind kind)
{
    write_trailing(format); // comments on lines of their own stand behind it
    start_line(format, format->indent);
    write(format, kind == TOKEN_BRACE_OPEN ? VIEW("{") : VIEW("}"));
    format->last.kind = (uint8_t)kind;
    format->last_line = 0;
}

void format_close(struct format *format)
{
    format_comments(format, 0, true);
    end_line(format);
}

// ---- tokens -------------------------------------------------------------------------------------

static bool is_word(enum token_kind kind)
{
    return kind == TOKEN_NAME || kind == TOKEN_NUMBER || kind == TOKEN_DECIMAL || kind == TOKEN_TEXT || kind == TOKEN_DATE;
}

static bool is_open(enum token_kind kind)
{
    return kind == TOKEN_PAREN_OPEN || kind == TOKEN_BRACE_OPEN || kind == TOKEN_BRACKET_OPEN;
}

static bool is_close(enum token_kind kind)
{
    return kind == TOKEN_PAREN_CLOSE || kind == TOKEN_BRACE_CLOSE || kind == TOKEN_BRACKET_CLOSE;
}

static bool is_tight(enum token_kind kind)
{
    return is_close(kind) || kind == TOKEN_COMMA || kind == TOKEN_SEMICOLON || kind == TOKEN_DOT;
}

// Blanks between two tokens of a line where the walk has not asked for any.
static const char *blanks_between(enum token_kind before, struct view before_text, enum token_kind after)
{
    bool words = (is_word(before) || is_close(before)) && is_word(after);
    bool assigns = after >= TOKEN_ASSIGN && after <= TOKEN_REMAINDER_ASSIGN;
    bool assigned = before >= TOKEN_ASSIGN && before <= TOKEN_REMAINDER_ASSIGN;
    bool dots = before == TOKEN_DECIMAL && after == TOKEN_DOT && view_ends(before_text, VIEW(".")); // `5. .text()`
    return words || assigns || assigned || dots ? " " : "";
}

static const char *blanks_here(const struct format *format)
{
    switch (format->spacing) {
    case SPACING_NONE:
        return "";
    case SPACING_BLANK:
        return " ";
    case SPACING_TWO:
        return "  ";
    default:
        return blanks_between((enum token_kind)format->last.kind, format->last.text, (enum token_kind)format->token.kind);
    }
}

// A line that goes on with an expression: one deeper than the line that opened the innermost bracket, or than the statement; a closing
// bracket stands below the line of its opening one.
static void continue_line(struct format *format)
{
    int indent = format->bracket_count > 0 ? format->brackets[format->bracket_count - 1] : format->indent;
    bool closes = is_close((enum token_kind)format->token.kind) && format->bracket_count > 0;
    start_line(format, closes ? indent : indent + 1);
}

// Comments inside an expression. True when the token needs no blank before it.
static bool write_inside(struct format *format)
{
    const struct comment *comment;
    bool any = false;
    while ((comment = comment_before(format, format->token.place.start))) {
        if (format->line_ends || comment->place.line > format->last_line) {
            continue_line(format);
        } else if (!format->line_empty && (is_line_comment(comment) || any || !is_open((enum token_kind)format->last.kind))) {
            write(format, VIEW(" "));
        }
        write_comment(format, comment);
        any = true;
    }
    if (!any) {
        return false;
    }
    if (format->line_ends || format->token.place.line > format->last_line) {
        continue_line(format);
    } else if (!is_tight((enum token_kind)format->token.kind)) {
        write(format, VIEW(" "));
    }
    return true;
}

static bool keeps_break(const struct format *format)
{
    enum token_kind before = (enum token_kind)format->last.kind, after = (enum token_kind)format->token.kind;
    if (format->line_empty || format->token.place.line <= format->last_line || after == TOKEN_COMMA) {
        return false;
    }
    if (is_open(before)) {
        return !is_close(after);
    }
    return format->may_break || before == TOKEN_COMMA || after == TOKEN_DOT || is_close(after);
}

void format_bracket_open(struct format *format, int indent)
{
    assert(format->bracket_count < FORMAT_BRACKETS_MAX);
    format->brackets[format->bracket_count++] = indent;
}

void format_bracket_close(struct format *format)
{
    assert(format->bracket_count > 0);
    format->bracket_count--;
}

static void step(struct format *format)
{
    format->last = format->token;
    format->last_line = format->seen_line = format->token.end_line;
    format->token = lexer_next(&format->lexer);
    format->spacing = SPACING_USUAL;
    format->may_break = false;
}

void format_token(struct format *format)
{
    const struct token *token = &format->token;
    if (!write_inside(format)) {
        if (keeps_break(format)) {
            continue_line(format);
        } else if (!format->line_empty) {
            write(format, view_of(blanks_here(format)));
        }
    }
    write(format, view_slice(format->ast->source, token->place.start, token->place.end - token->place.start));
    if (is_open((enum token_kind)token->kind)) {
        format_bracket_open(format, format->line_indent);
    } else if (is_close((enum token_kind)token->kind)) {
        format_bracket_close(format);
    }
    step(format);
}

void format_until(struct format *format, uint32_t offset)
{
    while (format->token.place.start < offset && !format_at(format, TOKEN_END)) {
        format_token(format);
    }
}

void format_skip(struct format *format)
{
    if (!comment_before(format, format->token.place.start)) {
        format->seen_line = format->token.end_line;
    }
    format->token = lexer_next(&format->lexer);
}

void format_semicolon(struct format *format, uint32_t end)
{
    uint32_t line = format->last_line;
    write(format, VIEW(";"));
    if (!format_at(format, TOKEN_SEMICOLON) || format->token.place.start >= end) {
        return;
    }
    step(format);
    if (comment_before(format, format->last.place.start)) {
        format->last_line = format->seen_line = line; // they follow it now
    }
}
