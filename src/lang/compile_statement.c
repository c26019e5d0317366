// SPDX-License-Identifier: Apache-2.0
//
// Statements → instructions. Each simple statement and each pass of a loop begins with STATEMENT, which counts it (spec/deluge-language.md
// §8.3: the head of an `if` counts nothing, a task block one in all).
//
// The hard thing is leaving: `return`, `break` and `continue` run the `finally` blocks between them and their target. Their code is copied
// to each way out, and the handlers of the tries that are left do not cover those copies (else an error in a `finally` would run it again).
// A `finally` is also the handler of last resort, which throws the error on when it is done.

#include "lang/compiler.h"

#include <stdlib.h>

static void count_statement(struct compiler *c)
{
    compiler_emit(c, CODE_STATEMENT, 0, 0, 0, 0);
}

// ---- ways out -----------------------------------------------------------------------------------

// Most functions have none: then a return is one instruction and no gaps are noted.
static bool any_finally(const struct scope *from, const struct scope *until)
{
    for (; from != until; from = from->outer) {
        if (from->finally != NULL) {
            return true;
        }
    }
    return false;
}

// Copies the `finally` blocks between here and `until`. Where each scope's gap begins is noted; close_gaps ends them behind the jump.
static void run_finally(struct compiler *c, struct scope *until)
{
    struct scope *here = c->scope;
    for (struct scope *s = here; s != until; s = s->outer) {
        if (!s->is_loop) {
            compiler_collect(c, &s->gaps, c->count);
        }
        if (s->finally != NULL) {
            c->scope = s->outer;
            uint32_t line = c->line;
            compile_block(c, s->finally);
            c->line = line;
        }
    }
    c->scope = here;
}

// The jump itself belongs to the gap: a return whose conversion fails must not run a `finally` again.
static void close_gaps(struct compiler *c, struct scope *until)
{
    for (struct scope *s = c->scope; s != until; s = s->outer) {
        if (!s->is_loop) {
            compiler_collect(c, &s->gaps, c->count);
        }
    }
}

// In a void function the value is evaluated, for what it does, and dropped.
static void compile_return(struct compiler *c, const struct stmt *s)
{
    bool guarded = any_finally(c->scope, NULL);
    bool none = s->value == NULL || c->function->returns == CONVERT_VOID;
    uint32_t mark = c->next;
    uint32_t reg = 0;
    if (s->value != NULL) {
        if (guarded) { // a `finally` may change the variable, not what is returned
            reg = compiler_temporary(c);
            compile_into(c, s->value, reg);
        } else {
            reg = compile_operand(c, s->value);
        }
    }
    if (guarded) {
        run_finally(c, NULL);
    }
    compiler_emit(c, none ? CODE_RETURN_NULL : CODE_RETURN, 0, none ? 0 : reg, 0, 0);
    if (guarded) {
        close_gaps(c, NULL);
    }
    c->next = mark;
}

static void compile_leave_loop(struct compiler *c, bool is_break)
{
    struct scope *loop = c->scope;
    while (loop != NULL && !loop->is_loop) {
        loop = loop->outer;
    }
    if (loop == NULL) { // the parser has refused it
        return;
    }
    bool guarded = any_finally(c->scope, loop);
    if (guarded) {
        run_finally(c, loop);
    }
    compiler_collect(c, is_break ? &loop->breaks : &loop->continues, compiler_emit_jump(c));
    if (guarded) {
        close_gaps(c, loop);
    }
}

// ---- loops --------------------------------------------------------------------------------------

// The head counts one statement a pass (§8.3), not for the look that ends the loop: with that the measured 66,665 passes come out.
static void compile_loop_body(struct compiler *c, const struct block *body, uint32_t head, uint32_t exit_jump)
{
    struct scope scope = {.outer = c->scope, .is_loop = true};
    c->scope = &scope;
    count_statement(c);
    compile_block(c, body);
    compiler_bind_all(c, &scope.continues, c->count);
    compiler_loop_back(c, head);
    if (exit_jump != UINT32_MAX) {
        compiler_bind(c, exit_jump, c->count);
    }
    compiler_bind_all(c, &scope.breaks, c->count);
    c->scope = scope.outer;
}

static void compile_while(struct compiler *c, const struct stmt *s)
{
    struct jumps leave = {0};
    uint32_t head = c->count;
    compile_condition(c, s->loop.condition, false, &leave);
    compile_loop_body(c, &s->loop.body, head, UINT32_MAX);
    compiler_bind_all(c, &leave, c->count);
}

// EACH_NEXT skips the jump that follows while there are elements; the jump leaves the loop.
static void compile_each(struct compiler *c, const struct stmt *s)
{
    uint32_t iterator = (uint32_t)(uintptr_t)table_get(&c->loops, (struct view){(const char *)&s, sizeof(s)}) - 1;
    uint32_t variable = compiler_variable(c, s->each.variable);
    uint32_t mark = c->next;
    uint32_t source = compile_operand(c, s->each.list);
    compiler_emit(c, CODE_EACH, compile_body_changes_lists(&s->each.body), iterator, source, 0);
    c->next = mark;
    uint32_t head = c->count;
    compiler_emit(c, s->kind == STMT_EACH ? CODE_EACH_NEXT : CODE_EACH_INDEX, 0, iterator, variable, 0);
    uint32_t leave = compiler_emit_jump(c);
    compile_loop_body(c, &s->each.body, head, leave);
}

// ---- branches -----------------------------------------------------------------------------------

// An arm that holds jumps behind all others; the last one has nothing to jump over.
static void compile_if(struct compiler *c, const struct stmt *s)
{
    struct jumps done = {0};
    for (uint32_t i = 0; i < s->branch.count; i++) {
        const struct arm *arm = &s->branch.arms[i];
        bool last = i + 1 == s->branch.count && s->branch.otherwise == NULL;
        struct jumps otherwise = {0};
        c->line = arm->place.line;
        compile_condition(c, arm->condition, false, &otherwise);
        compile_block(c, &arm->body);
        if (!last) {
            compiler_collect(c, &done, compiler_emit_jump(c));
        }
        compiler_bind_all(c, &otherwise, c->count);
    }
    if (s->branch.otherwise != NULL) {
        compile_block(c, s->branch.otherwise);
    }
    compiler_bind_all(c, &done, c->count);
}

// ---- try ----------------------------------------------------------------------------------------

// The handler covers the body alone, so that an error in it goes outwards.
static void compile_catch(struct compiler *c, const struct stmt *s, uint32_t start, uint32_t end, const struct jumps *gaps)
{
    uint32_t outer_caught = c->caught;
    uint32_t variable = s->attempt.variable.len > 0 ? compiler_variable(c, s->attempt.variable) : compiler_temporary(c);
    uint32_t past = compiler_emit_jump(c);
    compiler_add_handlers(c, start, end, gaps, c->count, variable);
    c->caught = variable;
    compile_block(c, s->attempt.handler);
    c->caught = outer_caught;
    compiler_bind(c, past, c->count);
}

// `whole` guards body and catch for the sake of `finally`; `body` guards the body for the catch.
static void compile_try(struct compiler *c, const struct stmt *s)
{
    uint32_t mark = c->next;
    uint32_t start = c->count;
    struct scope whole = {.outer = c->scope, .finally = s->attempt.finally};
    c->scope = &whole;
    struct scope body = {.outer = c->scope};
    c->scope = &body;
    compile_block(c, &s->attempt.body);
    uint32_t end = c->count;
    c->scope = &whole;
    if (s->attempt.handler != NULL) {
        compile_catch(c, s, start, end, &body.gaps);
    }
    uint32_t guarded_end = c->count;
    c->scope = whole.outer;
    if (s->attempt.finally != NULL) {
        uint32_t error = compiler_temporary(c);
        compile_block(c, s->attempt.finally);
        uint32_t past = compiler_emit_jump(c);
        compiler_add_handlers(c, start, guarded_end, &whole.gaps, c->count, error);
        compile_block(c, s->attempt.finally);
        compiler_emit(c, CODE_THROW, 1, error, 0, 0);
        compiler_bind(c, past, c->count);
    }
    free(body.gaps.at);
    free(whole.gaps.at);
    c->next = mark;
}

// A bare `throw` throws the caught error on, with its own line.
static void compile_throw(struct compiler *c, const struct stmt *s)
{
    uint32_t mark = c->next;
    if (s->value != NULL) {
        compiler_emit(c, CODE_THROW, 0, compile_operand(c, s->value), 0, 0);
    } else if (c->caught != NO_REGISTER) {
        compiler_emit(c, CODE_THROW, 1, c->caught, 0, 0);
    } else {
        uint32_t reg = compiler_temporary(c);
        compiler_emit_wide(c, CODE_CONSTANT, reg, compiler_constant_text(c, VIEW("An error occurred while performing this action")));
        compiler_emit(c, CODE_THROW, 0, reg, 0, 0);
    }
    c->next = mark;
}

// ---- simple statements --------------------------------------------------------------------------

// Creator writes input.name = …; here that assigns the parameter.
static uint32_t target_register(struct compiler *c, const struct path *target)
{
    if (target->count == 2) { // input.name: the parameter, else a variable of that whole name
        uint32_t reg = compiler_variable(c, target->parts[1]);
        if (reg != NO_REGISTER && compiler_variable(c, target->name) == NO_REGISTER) {
            return reg;
        }
    }
    return compiler_variable(c, target->name);
}

static void compile_assign(struct compiler *c, const struct stmt *s)
{
    uint32_t target = target_register(c, s->assign.target);
    if (s->assign.op == OP_NONE) {
        compile_into(c, s->assign.value, target);
        return;
    }
    static const uint8_t codes[] = {[OP_ADD] = CODE_ADD,
                                    [OP_SUBTRACT] = CODE_SUBTRACT,
                                    [OP_MULTIPLY] = CODE_MULTIPLY,
                                    [OP_DIVIDE] = CODE_DIVIDE,
                                    [OP_REMAINDER] = CODE_REMAINDER};
    uint32_t mark = c->next;
    compiler_emit(c, codes[s->assign.op], 0, target, target, compile_operand(c, s->assign.value));
    c->next = mark;
}

// The line is set once a statement: e.lineNo names the failing statement's (§11 case 52), also when it spans several.
static void compile_statement(struct compiler *c, const struct stmt *s)
{
    c->line = s->place.line;
    uint32_t mark = c->next;
    bool simple = s->kind >= STMT_THROW || s->kind == STMT_INFO;
    if (simple) {
        count_statement(c);
    }
    switch ((enum stmt_kind)s->kind) {
    case STMT_EMPTY:
    case STMT_ERROR:
        break;
    case STMT_BLOCK:
        compile_block(c, &s->block);
        break;
    case STMT_INFO:
        compiler_emit(c, CODE_INFO, 0, compile_operand(c, s->value), 0, 0);
        break;
    case STMT_IF:
        compile_if(c, s);
        break;
    case STMT_EACH:
    case STMT_EACH_INDEX:
        compile_each(c, s);
        break;
    case STMT_WHILE:
        compile_while(c, s);
        break;
    case STMT_TRY:
        compile_try(c, s);
        break;
    case STMT_THROW:
        compile_throw(c, s);
        break;
    case STMT_RETURN:
        compile_return(c, s);
        break;
    case STMT_BREAK:
    case STMT_CONTINUE:
        compile_leave_loop(c, s->kind == STMT_BREAK);
        break;
    case STMT_ASSIGN:
        compile_assign(c, s);
        break;
    case STMT_EXPR:
        compile_operand(c, s->value);
        break;
    }
    c->next = mark;
}

void compile_block(struct compiler *c, const struct block *block)
{
    for (const struct stmt *s = block->first; s != NULL && !c->failed; s = s->next) {
        compile_statement(c, s);
    }
}
