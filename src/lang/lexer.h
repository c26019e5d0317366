// SPDX-License-Identifier: Apache-2.0
//
// Inside header: source text → tokens. Words are never keywords here: nearly all of Deluge's are contextual, so the parser decides. The
// lexer reports nothing itself; what it cannot read comes out as TOKEN_BAD with the finding in `problem`. It is a plain value: a copy looks
// ahead.
#pragma once

#include "lang/ast.h"
#include "lang/diagnostics.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_DECIMAL,
    TOKEN_TEXT, // text: the raw bytes between the quotes, see lexer_unescape
    TOKEN_DATE, // single-quoted and shaped like a date
    TOKEN_BAD,
    TOKEN_PAREN_OPEN,
    TOKEN_PAREN_CLOSE,
    TOKEN_BRACE_OPEN,
    TOKEN_BRACE_CLOSE,
    TOKEN_BRACKET_OPEN,
    TOKEN_BRACKET_CLOSE,
    TOKEN_COMMA,
    TOKEN_SEMICOLON,
    TOKEN_COLON,
    TOKEN_DOT,
    TOKEN_NOT,
    TOKEN_ASSIGN, // = ; the operation assignments follow in the order of the signs
    TOKEN_ADD_ASSIGN,
    TOKEN_SUBTRACT_ASSIGN,
    TOKEN_MULTIPLY_ASSIGN,
    TOKEN_DIVIDE_ASSIGN,
    TOKEN_REMAINDER_ASSIGN,
    TOKEN_ADD,
    TOKEN_SUBTRACT,
    TOKEN_MULTIPLY,
    TOKEN_DIVIDE,
    TOKEN_REMAINDER,
    TOKEN_EQUAL,
    TOKEN_NOT_EQUAL,
    TOKEN_LESS,
    TOKEN_LESS_EQUAL,
    TOKEN_GREATER,
    TOKEN_GREATER_EQUAL,
    TOKEN_AND,
    TOKEN_OR,
};

struct token {
    uint8_t kind; // enum token_kind
    bool newline_before; // first of its line
    bool escapes; // TOKEN_TEXT holds a backslash
    struct place place;
    uint32_t end_line, end_column; // where it ends
    struct view text;
    enum diagnostic_code problem; // TOKEN_BAD
};

// Comments as they are met; grows in the arena.
struct comments {
    struct arena *arena;
    struct comment *items;
    uint32_t count, cap;
    bool failed; // out of memory
};

struct lexer {
    struct view source; // valid UTF-8
    size_t offset; // next byte to read
    size_t mark; // a byte offset at or before `offset` …
    uint32_t line, column; // … and where it stands: columns are counted from here on, so a long line costs no more than a short one
    struct comments *comments; // NULL: not kept (looking ahead)
};

void lexer_open(struct lexer *lexer, struct view source, struct comments *comments);
struct token lexer_next(struct lexer *lexer);
// The text of a TOKEN_TEXT with its escapes replaced; borrows when there are none. VIEW_NONE without memory.
struct view lexer_unescape(const struct token *token, struct arena *arena);
