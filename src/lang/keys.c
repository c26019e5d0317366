// SPDX-License-Identifier: Apache-2.0
//
// lang_keys: the names of fields that a script hands to a call, where its text alone decides them: the beginning of a criteria text, the
// keys of a map literal, and what was put into a local map before. Needs the tokens only, all of them at once: they are kept with the
// braces that enclose them and the call whose argument they are.
//
// The hard thing is the local map. It counts from `v = Map();` or `v = {…};` to the next assignment, in the order of the text, and only
// when nothing else is done with it there than put, info, and calls that name one and the same first argument. A put reaches a call when
// the braces of one enclose the other: what stands in two branches of an `if` never meets.
#include "lang/lexer.h"
#include "lang/parser.h"

#include <stdlib.h>

enum {
    KEYS_PATH_MAX = 200,
    KEYS_TOKENS_MAX = 200000, // longer sources are passed over
    KEYS_BRACES_MAX = 4 * SOURCE_NESTING_MAX,
    KEYS_REACH_MAX = 8000 // tokens that a local map is followed for; bounds the work of a source full of calls
};

struct item {
    struct token token;
    int brace; // the { around it, -1: none
    int call; // the token is a whole argument of the call whose ( is here, -1: it is not
    int index; // of that argument
    int path; // of a (: where the call's path begins, -1: not a call of interest
};

struct keys {
    struct item *items;
    int count, room;
    struct view prefix;
    struct buffer path;
    lang_key_fn *visit;
    void *arg;
};

static enum token_kind kind_at(const struct keys *keys, int at)
{
    return at >= 0 && at < keys->count ? (enum token_kind)keys->items[at].token.kind : TOKEN_END;
}

static struct view text_at(const struct keys *keys, int at)
{
    return keys->items[at].token.text;
}

static bool read_items(struct keys *keys, struct view source)
{
    struct lexer lexer;
    int braces[KEYS_BRACES_MAX], depth = 0;
    lexer_open(&lexer, source, NULL);
    for (struct token token = lexer_next(&lexer); token.kind != TOKEN_END; token = lexer_next(&lexer)) {
        if (keys->count == keys->room) {
            int room = keys->room ? keys->room * 2 : 1024;
            struct item *more = room <= KEYS_TOKENS_MAX * 2 ? realloc(keys->items, (size_t)room * sizeof *more) : NULL;
            if (!more) {
                return false;
            }
            keys->items = more;
            keys->room = room;
        }
        depth -= token.kind == TOKEN_BRACE_CLOSE;
        if (token.kind == TOKEN_BAD || depth < 0 || depth == KEYS_BRACES_MAX) {
            return false;
        }
        keys->items[keys->count] = (struct item){token, depth ? braces[depth - 1] : -1, -1, 0, -1};
        if (token.kind == TOKEN_BRACE_OPEN) {
            braces[depth++] = keys->count;
        }
        keys->count++;
    }
    return true;
}

// The token that closes the bracket at `at`, of any kind: the source compiled, so they pair up. Behind the last token without one.
static int find_close(const struct keys *keys, int at)
{
    int depth = 0;
    for (; at < keys->count; at++) {
        switch (kind_at(keys, at)) {
        case TOKEN_PAREN_OPEN:
        case TOKEN_BRACE_OPEN:
        case TOKEN_BRACKET_OPEN:
            depth++;
            break;
        case TOKEN_PAREN_CLOSE:
        case TOKEN_BRACE_CLOSE:
        case TOKEN_BRACKET_CLOSE:
            if (--depth == 0) {
                return at;
            }
            break;
        default:
            break;
        }
    }
    return keys->count;
}

// `a.b.c` that begins at `at` → keys->path; gives the token behind it.
static int read_path(struct keys *keys, int at)
{
    buffer_reset(&keys->path);
    buffer_add(&keys->path, text_at(keys, at++));
    while (kind_at(keys, at) == TOKEN_DOT && kind_at(keys, at + 1) == TOKEN_NAME) {
        buffer_add_char(&keys->path, '.');
        buffer_add(&keys->path, text_at(keys, at + 1));
        at += 2;
    }
    return at;
}

static bool ends_argument(const struct keys *keys, int at)
{
    return kind_at(keys, at) == TOKEN_COMMA || kind_at(keys, at) == TOKEN_PAREN_CLOSE;
}

// Notes the calls of interest: those whose first argument is a text literal; and which tokens are whole arguments of them.
static void mark_calls(struct keys *keys)
{
    for (int at = 0; at < keys->count; at++) {
        if (kind_at(keys, at) != TOKEN_NAME || kind_at(keys, at - 1) == TOKEN_DOT) {
            continue;
        }
        int open = read_path(keys, at);
        bool wanted = !keys->path.failed && view_starts_nocase(buffer_view(&keys->path), keys->prefix);
        keys->path.failed = false;
        if (!wanted || kind_at(keys, open) != TOKEN_PAREN_OPEN || kind_at(keys, open + 1) != TOKEN_TEXT ||
            keys->items[open + 1].token.escapes || kind_at(keys, open + 2) != TOKEN_COMMA) {
            continue;
        }
        keys->items[open].path = at;
        for (int index = 0, i = open + 1; i < keys->count && kind_at(keys, i) != TOKEN_PAREN_CLOSE; i++) {
            if (ends_argument(keys, i - 1) || i == open + 1) {
                keys->items[i].call = open;
                keys->items[i].index = index;
            }
            enum token_kind kind = kind_at(keys, i);
            index += kind == TOKEN_COMMA;
            if (kind == TOKEN_PAREN_OPEN || kind == TOKEN_BRACE_OPEN || kind == TOKEN_BRACKET_OPEN) {
                i = find_close(keys, i);
            }
        }
    }
}

static void tell(struct keys *keys, int argument, int at, bool criteria)
{
    const struct item *item = &keys->items[argument];
    const struct token *token = &keys->items[at].token;
    if (!token->escapes) {
        read_path(keys, keys->items[item->call].path);
        struct lang_key key = {buffer_view(&keys->path), text_at(keys, item->call + 1), item->index, criteria, token->text,
                               (int)token->place.line,   (int)token->place.column};
        keys->visit(keys->arg, &key);
    }
}

// The keys of the map literal whose { is at `open`.
static void tell_map(struct keys *keys, int argument, int open)
{
    for (int i = open + 1; i < keys->count && kind_at(keys, i) != TOKEN_BRACE_CLOSE; i++) {
        enum token_kind kind = kind_at(keys, i), before = kind_at(keys, i - 1);
        if (kind == TOKEN_TEXT && kind_at(keys, i + 1) == TOKEN_COLON && (i == open + 1 || before == TOKEN_COMMA)) {
            tell(keys, argument, i, false);
        } else if (kind == TOKEN_PAREN_OPEN || kind == TOKEN_BRACE_OPEN || kind == TOKEN_BRACKET_OPEN) {
            i = find_close(keys, i);
        }
    }
}

// ---- the local map ------------------------------------------------------------------------------

static bool is_variable(const struct keys *keys, int at, struct view name)
{
    return kind_at(keys, at) == TOKEN_NAME && kind_at(keys, at - 1) != TOKEN_DOT && view_eq(text_at(keys, at), name);
}

// Is `v = Map();` or `v = {…};` at `at`? A list literal in braces has no keys, which is as well.
static bool is_fresh(const struct keys *keys, int at)
{
    int value = at + 2, end = keys->count;
    if (kind_at(keys, value) == TOKEN_BRACE_OPEN) {
        end = find_close(keys, value) + 1;
    } else if (kind_at(keys, value) == TOKEN_NAME && view_eq_nocase(text_at(keys, value), VIEW("map")) &&
               kind_at(keys, value + 1) == TOKEN_PAREN_OPEN && kind_at(keys, value + 2) == TOKEN_PAREN_CLOSE) {
        end = value + 3;
    }
    return kind_at(keys, end) == TOKEN_SEMICOLON;
}

static bool is_put(const struct keys *keys, int at)
{
    return kind_at(keys, at + 1) == TOKEN_DOT && kind_at(keys, at + 2) == TOKEN_NAME &&
           view_eq_nocase(text_at(keys, at + 2), VIEW("put")) && kind_at(keys, at + 3) == TOKEN_PAREN_OPEN;
}

// Do the braces of one enclose the other? Walks outwards; a { stands before what it encloses.
static bool meet(const struct keys *keys, int a, int b)
{
    int brace_a = keys->items[a].brace, brace_b = keys->items[b].brace, low = brace_a < brace_b ? brace_a : brace_b;
    int brace = brace_a < brace_b ? brace_b : brace_a;
    while (brace > low) {
        brace = keys->items[brace].brace;
    }
    return brace == low;
}

// Where the map that is the argument at `at` was made, when nothing is done with it that could make its keys mean something else; -1:
// unsure.
static int find_origin(const struct keys *keys, int at)
{
    struct view name = text_at(keys, at), first = text_at(keys, keys->items[at].call + 1);
    int origin = at - 1, lowest = at > KEYS_REACH_MAX ? at - KEYS_REACH_MAX : 0;
    while (origin >= lowest && !(is_variable(keys, origin, name) && kind_at(keys, origin + 1) == TOKEN_ASSIGN)) {
        origin--;
    }
    if (origin < lowest || !is_fresh(keys, origin) || !meet(keys, origin, at)) {
        return -1;
    }
    for (int i = origin + 1; i < keys->count; i++) {
        if (!is_variable(keys, i, name)) {
            continue;
        }
        if (kind_at(keys, i + 1) == TOKEN_ASSIGN) {
            return origin;
        }
        const struct item *item = &keys->items[i];
        bool argument = item->call >= 0 && ends_argument(keys, i + 1);
        bool info = kind_at(keys, i - 1) == TOKEN_NAME && view_eq_nocase(text_at(keys, i - 1), VIEW("info"));
        if (i - at > KEYS_REACH_MAX || (argument && (i < at || !view_eq(text_at(keys, item->call + 1), first))) ||
            (!argument && !info && !is_put(keys, i))) {
            return -1; // the first of several calls tells for all
        }
    }
    return origin;
}

static void tell_variable(struct keys *keys, int at)
{
    struct view name = text_at(keys, at);
    int origin = find_origin(keys, at);
    if (origin < 0) {
        return;
    }
    if (kind_at(keys, origin + 2) == TOKEN_BRACE_OPEN) {
        tell_map(keys, at, origin + 2);
    }
    for (int i = origin + 1; i < at; i++) {
        enum token_kind before = kind_at(keys, i - 1);
        bool statement = before == TOKEN_SEMICOLON || before == TOKEN_BRACE_OPEN || before == TOKEN_BRACE_CLOSE;
        if (is_variable(keys, i, name) && statement && is_put(keys, i) && kind_at(keys, i + 4) == TOKEN_TEXT &&
            kind_at(keys, i + 5) == TOKEN_COMMA && meet(keys, i, at)) {
            tell(keys, at, i + 4, false);
        }
    }
}

static void tell_argument(struct keys *keys, int at)
{
    enum token_kind kind = kind_at(keys, at);
    if (kind == TOKEN_TEXT && (ends_argument(keys, at + 1) || kind_at(keys, at + 1) == TOKEN_ADD)) {
        tell(keys, at, at, true);
    } else if (kind == TOKEN_BRACE_OPEN && ends_argument(keys, find_close(keys, at) + 1)) {
        tell_map(keys, at, at);
    } else if (kind == TOKEN_NAME && ends_argument(keys, at + 1)) {
        tell_variable(keys, at);
    }
}

void lang_keys(struct view source, struct view prefix, lang_key_fn *visit, void *arg)
{
    struct keys keys = {.prefix = prefix, .visit = visit, .arg = arg};
    if (source.len > SOURCE_BYTES_MAX || !utf8_valid(source)) {
        return;
    }
    buffer_init(&keys.path, KEYS_PATH_MAX);
    if (read_items(&keys, view_starts(source, VIEW("\xEF\xBB\xBF")) ? view_from(source, 3) : source)) {
        mark_calls(&keys);
        for (int at = 0; at < keys.count; at++) {
            if (keys.items[at].call >= 0 && keys.items[at].index > 0) {
                tell_argument(&keys, at);
            }
        }
    }
    buffer_free(&keys.path);
    free(keys.items);
}
