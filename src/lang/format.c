// SPDX-License-Identifier: Apache-2.0
//
// lang_format: source text → the same functions in the canonical layout, Zoho's editor's (spec/deluge-language.md §9.6). Reads the tree for
// the structure and the source for every token and comment (format.h).
//
// A formatter that loses a line of somebody's code is worse than none. So the result is not believed: it is parsed again, and its tokens
// and comments are compared with the source's. Only what the layout adds and takes may differ: `;`, the braces of a body, the sign between
// two attributes.
#include "lang/format.h"

enum { FORMAT_TREE_BYTES_MAX = 512 << 20 }; // of the two syntax trees, as compile.c allows for one of them

// ---- the file -----------------------------------------------------------------------------------

static uint32_t function_start(const struct ast *ast, const struct function *function)
{
    return function->return_type.len ? (uint32_t)(function->return_type.data - ast->source.data) : function->place.start;
}

// Statements outside of functions are one function in the tree, the first; in the source they may stand between the others.
static void format_file(struct format *format)
{
    const struct ast *ast = format->ast;
    uint32_t next = ast->functions[0].has_header ? 0 : 1;
    const struct stmt *stmt = next ? ast->functions[0].body.first : NULL;
    bool behind_function = true;
    while (stmt || next < ast->function_count) {
        const struct function *function = next < ast->function_count ? &ast->functions[next] : NULL;
        if (stmt && (!function || stmt->place.start < function_start(ast, function))) {
            if (behind_function && stmt->kind != STMT_EMPTY) {
                format_blank_line(format);
                behind_function = false;
            }
            format_statement(format, stmt);
            stmt = stmt->next;
            continue;
        }
        while (format->token.place.start < function_start(ast, function)) { // a stray ; that the tree has dropped
            format_skip(format);
        }
        format_blank_line(format);
        format_function(format, function);
        behind_function = true;
        next++;
    }
    format_close(format);
}

// ---- the proof ----------------------------------------------------------------------------------

static bool is_free(const struct token *token)
{
    return token->kind == TOKEN_SEMICOLON || token->kind == TOKEN_BRACE_OPEN || token->kind == TOKEN_BRACE_CLOSE ||
           token->kind == TOKEN_COMMA;
}

static struct token next_fixed(struct lexer *lexer)
{
    struct token token = lexer_next(lexer);
    while (is_free(&token)) {
        token = lexer_next(lexer);
    }
    return token;
}

static bool same_tokens(struct view source, struct view result)
{
    struct lexer a, b;
    struct token left, right;
    lexer_open(&a, source, NULL);
    lexer_open(&b, result, NULL);
    do {
        left = next_fixed(&a);
        right = next_fixed(&b);
        if (left.kind != right.kind || !view_eq(left.text, right.text)) {
            return false;
        }
    } while (left.kind != TOKEN_END);
    return true;
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Without blanks and line breaks.
static bool same_comment(struct view a, struct view b)
{
    size_t i = 0, j = 0;
    for (;;) {
        while (i < a.len && is_white(a.data[i])) {
            i++;
        }
        while (j < b.len && is_white(b.data[j])) {
            j++;
        }
        if (i == a.len || j == b.len) {
            return i == a.len && j == b.len;
        }
        if (a.data[i++] != b.data[j++]) {
            return false;
        }
    }
}

static bool same_comments(const struct ast *a, const struct ast *b)
{
    bool same = a->comment_count == b->comment_count;
    for (uint32_t i = 0; same && i < a->comment_count; i++) {
        same = same_comment(a->comments[i].text, b->comments[i].text);
    }
    return same;
}

static bool proves_same(const struct ast *ast, struct view result, struct arena *arena)
{
    struct reporter reporter;
    reporter_init(&reporter, NULL, false);
    const struct ast *again = parse_source(result, arena, &reporter);
    return again && reporter.errors == 0 && again->function_count == ast->function_count && same_comments(ast, again) &&
           same_tokens(ast->source, again->source);
}

static bool format_tree(const struct ast *ast, struct arena *arena, struct buffer *out, struct fail *fail)
{
    struct format format;
    struct buffer result;
    buffer_init(&result, SOURCE_BYTES_MAX);
    format_open(&format, ast, &result);
    format_file(&format);
    bool done = !result.failed;
    if (!done) {
        fail_set(fail, FAIL_LIMIT, "Formatted, the source would be longer than %d bytes", SOURCE_BYTES_MAX);
    } else if (!proves_same(ast, buffer_view(&result), arena)) {
        done = fail_set(fail, FAIL_INTERNAL, "The formatter would change what the source means; please report it");
    } else {
        buffer_add(out, buffer_view(&result));
    }
    buffer_free(&result);
    return done;
}

bool lang_format(struct view source, struct buffer *out, struct diagnostics *diagnostics, struct fail *fail)
{
    struct reporter reporter;
    struct arena tree;
    reporter_init(&reporter, diagnostics, false);
    arena_init(&tree, FORMAT_TREE_BYTES_MAX);
    const struct ast *ast = parse_source(source, &tree, &reporter);
    bool done = ast && reporter.errors == 0;
    if (!done) {
        *fail = reporter.first;
    } else {
        done = format_tree(ast, &tree, out, fail);
    }
    arena_free(&tree);
    return done;
}
