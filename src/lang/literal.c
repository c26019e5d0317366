// SPDX-License-Identifier: Apache-2.0
//
// lang_literals: the arguments of calls that are nothing but a text literal, for tools that know what the names in them must be. Needs the
// tokens only: a path, its parenthesis, and at each comma of that level one text before the next comma or the end.
//
// The arguments of an argument are met again when the outer scan comes to their own path, so a source is read at most SOURCE_NESTING_MAX
// times.
#include "lang/lexer.h"
#include "lang/parser.h"

enum { LITERAL_PATH_MAX = 200 };

// `a.b.c` from its first name on; the lexer then stands behind the token that follows. False when it is too long to be of interest.
static bool read_path(struct lexer *lexer, struct token *token, struct buffer *path)
{
    buffer_reset(path);
    buffer_add(path, token->text);
    for (*token = lexer_next(lexer); token->kind == TOKEN_DOT; *token = lexer_next(lexer)) {
        *token = lexer_next(lexer);
        if (token->kind != TOKEN_NAME) {
            return false;
        }
        buffer_add_char(path, '.');
        buffer_add(path, token->text);
    }
    return !path->failed;
}

static bool opens(enum token_kind kind)
{
    return kind == TOKEN_PAREN_OPEN || kind == TOKEN_BRACE_OPEN || kind == TOKEN_BRACKET_OPEN;
}

static bool closes(enum token_kind kind)
{
    return kind == TOKEN_PAREN_CLOSE || kind == TOKEN_BRACE_CLOSE || kind == TOKEN_BRACKET_CLOSE;
}

// `lexer` is a copy that stands behind the ( of the call.
static void visit_arguments(struct lexer lexer, struct view path, lang_literal_fn *visit, void *arg)
{
    int depth = 0, index = 0;
    bool first = true; // of its argument
    for (struct token token = lexer_next(&lexer); token.kind != TOKEN_END && token.kind != TOKEN_BAD;) {
        struct token next = lexer_next(&lexer);
        bool ends = next.kind == TOKEN_COMMA || next.kind == TOKEN_PAREN_CLOSE;
        if (closes((enum token_kind)token.kind) && --depth < 0) {
            return;
        }
        if (depth == 0 && first && ends && token.kind == TOKEN_TEXT && !token.escapes) {
            visit(arg, &(struct lang_literal){path, index, token.text, (int)token.place.line, (int)token.place.column});
        }
        depth += opens((enum token_kind)token.kind);
        first = depth == 0 && token.kind == TOKEN_COMMA;
        index += first;
        token = next;
    }
}

void lang_literals(struct view source, struct view prefix, lang_literal_fn *visit, void *arg)
{
    struct lexer lexer;
    struct buffer path;
    if (source.len > SOURCE_BYTES_MAX || !utf8_valid(source)) {
        return;
    }
    buffer_init(&path, LITERAL_PATH_MAX);
    lexer_open(&lexer, view_starts(source, VIEW("\xEF\xBB\xBF")) ? view_from(source, 3) : source, NULL);
    struct token token = lexer_next(&lexer);
    bool member = false; // the name is part of a chain: f().zoho.crm
    while (token.kind != TOKEN_END && token.kind != TOKEN_BAD) {
        if (token.kind != TOKEN_NAME || member) {
            member = token.kind == TOKEN_DOT;
            token = lexer_next(&lexer);
        } else if (read_path(&lexer, &token, &path) && token.kind == TOKEN_PAREN_OPEN && view_starts_nocase(buffer_view(&path), prefix)) {
            visit_arguments(lexer, buffer_view(&path), visit, arg);
        }
        path.failed = false;
    }
    buffer_free(&path);
}
