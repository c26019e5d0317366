// SPDX-License-Identifier: Apache-2.0
//
// Between the parser's own files: parser.c (state, files and functions), parse_statement.c, parse_expression.c, parse_task.c (bracket
// blocks and what belongs to Zoho Creator). Others include lang/parser.h.
//
// Errors: the first one at a place is reported and sets `panic`; while it is set nothing more is reported and everything returns at once.
// The loop over statements skips to the next statement and clears it.
#pragma once

#include "lang/bytecode.h"
#include "lang/lexer.h"
#include "lang/parser.h"

struct parser {
    struct lexer lexer; // behind `ahead`
    struct token token; // the one to be parsed
    struct token ahead; // and the one behind it
    struct token before; // the one parsed last
    struct arena *arena;
    struct reporter *reporter;
    int depth; // open brackets, blocks and signs
    int loops; // open loops
    bool condition; // = means ==
    bool panic;
    bool at_function; // a header stands where a } should: everything returns to the file's level
    bool stopped; // nothing more can be read (too deep, no memory)
    uint32_t task_end; // where the last bracket block ended: no ; is needed there
    _Alignas(16) char spare[256]; // see parser_alloc
};

// ---- parser.c: tokens, errors, memory -----------------------------------------------------------

void parser_advance(struct parser *parser);
struct token parser_peek(const struct parser *parser, int distance); // 0 = token, 1 = ahead, 2 …
bool parser_at(const struct parser *parser, enum token_kind kind);
bool parser_at_word(const struct parser *parser, const char *word); // without case
bool token_is_word(const struct token *token, const char *word);
bool parser_take(struct parser *parser, enum token_kind kind); // steps over it if it is there
bool parser_expect(struct parser *parser, enum token_kind kind, const char *sign); // "Expecting '{}' but found '{}'"
// Reports at the token to be parsed; what the lexer could not read wins over `code`. Sets panic.
void parser_fail(struct parser *parser, enum diagnostic_code code, struct view first, struct view second);
void parser_fail_here(struct parser *parser); // an expression or statement was expected, something else stands here
bool parser_enter(struct parser *parser); // one level deeper; false (reported, stopped) beyond SOURCE_NESTING_MAX
void parser_leave(struct parser *parser);
void parser_give_up(struct parser *parser); // an error was reported; from now on the source is at its end
void *parser_alloc(struct parser *parser, size_t bytes); // one node, zeroed, never NULL: without memory it stops the parser
struct view parser_lower(struct parser *parser, struct view text);
bool parser_at_header(const struct parser *parser); // a function starts here
// Skips to the end of the statement: behind `;`, before `}` or the end, or before a line that follows; brackets are skipped as a whole.
void parser_skip_statement(struct parser *parser);

// Pointers while their number is not known yet.
struct pointers {
    void **items;
    uint32_t count, cap;
};
void pointers_add(struct parser *parser, struct pointers *pointers, void *item);

// ---- parse_expression.c -------------------------------------------------------------------------

struct expr *parse_expression(struct parser *parser);
struct expr *parse_condition(struct parser *parser); // an expression in which = compares
struct expr *expr_new(struct parser *parser, enum expr_kind kind, struct place place);
struct path *parse_path(struct parser *parser, struct place *ret_place); // name.name.name
void parse_arguments(struct parser *parser, struct expr ***ret_args, uint32_t *ret_count); // from ( to )

// ---- parse_statement.c --------------------------------------------------------------------------

struct stmt *parse_item(struct parser *parser); // one statement; errors are skipped
bool parse_block(struct parser *parser, struct block *ret_block); // { … }

// ---- parse_task.c -------------------------------------------------------------------------------

bool task_word_known(struct view word); // invokeurl, sendmail, …
bool parser_at_task(const struct parser *parser); // a word and a bracket block with attributes
struct expr *parse_task(struct parser *parser);
// Creator's: reports by name, reads past it.
bool parser_at_creator_statement(const struct parser *parser);
void parse_creator_statement(struct parser *parser);
void parse_creator_insert(struct parser *parser);
void parse_creator_criteria(struct parser *parser, struct view form, struct place place); // [ … ] and what may follow
void parse_creator_range(struct parser *parser); // sort by …, range from … to …
