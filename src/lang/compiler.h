// SPDX-License-Identifier: Apache-2.0
//
// Inside header of the compiler: the state while one function is compiled, shared by compiler.c (registers, constants, jumps),
// compile_statement.c and compile_expression.c. A failure (too many registers, no memory) sets `failed` once and is reported; code goes on
// being emitted into nothing, so that callers need not look after each step.
#pragma once

#include "lang/bytecode.h"
#include "lang/parser.h"

// What lasts for the whole file: constants, names and groups are shared by its functions.
struct pool {
    struct unit *unit;
    const struct ast *ast;
    const struct lang_options *options;
    struct reporter *reporter;
    struct table constants, names, groups; // key bytes → index + 1
    uint32_t constant_cap, name_cap, group_cap;
    bool failed;
};

// A growing list of instruction indexes: jumps that wait for their target.
struct jumps {
    uint32_t *at;
    uint32_t count, cap;
};

// What a jump or a return out of the inside has to respect, innermost first: a loop (whose jumps are collected) or a try (whose `finally`
// runs on the way out, and whose handlers do not cover those copies: `gaps` holds pairs of start and end).
struct scope {
    struct scope *outer;
    bool is_loop;
    struct block *finally; // of a try; NULL if none
    struct jumps breaks, continues, gaps;
};

struct compiler {
    struct pool *pool;
    struct lang_function *function;
    const struct function *source;
    struct table variables; // name → register + 1
    struct table loops; // address of the statement → its first register + 1
    struct instruction *code;
    uint32_t *lines;
    uint32_t count, cap;
    struct handler *handlers;
    uint32_t handler_count, handler_cap;
    uint32_t next, most; // next free register; most registers at once
    uint32_t line; // of the statement that is being compiled: what errors name
    struct scope *scope;
    uint32_t caught; // register of the error of the innermost catch, for a bare `throw`; NO_REGISTER outside
    bool failed;
};

// ---- compiler.c ---------------------------------------------------------------------------------

bool compiler_fail(struct compiler *c); // memory, or too large: reported once; returns false
uint32_t compiler_emit(struct compiler *c, enum opcode op, uint32_t flags, uint32_t a, uint32_t b, uint32_t cc);
uint32_t compiler_emit_wide(struct compiler *c, enum opcode op, uint32_t a, uint32_t wide);
uint32_t compiler_emit_jump(struct compiler *c); // a JUMP without target; its index
void compiler_bind(struct compiler *c, uint32_t jump, uint32_t target);
void compiler_bind_all(struct compiler *c, struct jumps *jumps, uint32_t target); // and frees the list
void compiler_collect(struct compiler *c, struct jumps *jumps, uint32_t index);
void compiler_loop_back(struct compiler *c, uint32_t target);
uint32_t compiler_temporary(struct compiler *c); // the next free register; give back by resetting c->next
uint32_t compiler_constant_text(struct compiler *c, struct view text);
uint32_t compiler_constant_number(struct compiler *c, int64_t number);
uint32_t compiler_constant_decimal(struct compiler *c, double number);
uint32_t compiler_constant_bool(struct compiler *c, bool boolean);
uint32_t compiler_name(struct compiler *c, struct view name);
uint32_t compiler_group(struct compiler *c, const struct native_group *group);
uint32_t compiler_variable(struct compiler *c, struct view name); // its register, or NO_REGISTER
bool compiler_add_handler(struct compiler *c, struct handler handler);
bool compiler_add_handlers(struct compiler *c, uint32_t start, uint32_t end, const struct jumps *gaps, uint32_t target, uint32_t variable);

// ---- compile_statement.c, compile_expression.c --------------------------------------------------

void compile_block(struct compiler *c, const struct block *block);
bool compile_body_changes_lists(const struct block *body); // may remove or reorder what a loop runs over
// Writes the value to register `target`, as the last thing it does: a variable may be read until then.
void compile_into(struct compiler *c, const struct expr *e, uint32_t target);
// A register that holds the value: a variable's own, else a temporary.
uint32_t compile_operand(struct compiler *c, const struct expr *e);
// Jumps (collected in `jumps`) when the condition's outcome is `when`, else goes on.
void compile_condition(struct compiler *c, const struct expr *e, bool when, struct jumps *jumps);
