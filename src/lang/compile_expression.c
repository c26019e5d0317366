// SPDX-License-Identifier: Apache-2.0
//
// Expressions → instructions. Each is compiled into a register that the caller names, written by the last instruction alone, so that
// `x = f(x) + x` reads the old x throughout. Operands that are variables are used where they lie; numbers and texts on the right of an
// operator are taken from the constants; comparisons in conditions jump without making a boolean.
//
// Arguments of a call lie one behind the other on top of the temporaries: a native sees them as an array, a script function as its first
// registers.

#include "lang/compiler.h"

#include <stdlib.h>

enum { ELEMENTS_CHUNK = 64 }; // of a literal that wait in temporaries at once

// ---- names --------------------------------------------------------------------------------------

static void emit_field(struct compiler *c, uint32_t target, uint32_t object, struct view name)
{
    compiler_emit(c, CODE_FIELD, 0, target, object, compiler_name(c, name));
}

static void load_text(struct compiler *c, enum opcode op, uint32_t target, struct view text)
{
    compiler_emit_wide(c, op, target, compiler_constant_text(c, text));
}

// `input` and `input.name`: the parameter of that name where there is one (spec/deluge-language.md §2.2).
static uint32_t input_register(struct compiler *c, const struct path *path)
{
    if (path->known < 2) {
        return NO_REGISTER;
    }
    uint32_t reg = compiler_variable(c, path->name);
    if (reg == NO_REGISTER) {
        for (int i = 0; i < c->function->info.parameter_count; i++) {
            if (view_eq(c->function->info.parameters[i].name, path->parts[1])) {
                return compiler_variable(c, path->parts[1]);
            }
        }
    }
    return reg;
}

// Compiles, and fails with a clear text when it runs: a script may never get there.
static void refuse(struct compiler *c, struct view name, uint32_t target)
{
    compiler_emit(c, CODE_REFUSE, 0, target, compiler_name(c, name), 0);
}

static const struct native_group *group_of(const struct compiler *c, struct view name)
{
    return native_set_group(c->pool->options->natives, name);
}

// The known head of a dotted name into `target`; the rest are fields.
static void load_head(struct compiler *c, const struct path *path, uint32_t target)
{
    uint32_t reg;
    switch ((enum meaning)path->meaning) {
    case MEANING_VARIABLE:
        reg = compiler_variable(c, path->parts[0]);
        if (reg == NO_REGISTER) { // crmAPIRequest, requestMap where the function does not declare them
            load_text(c, CODE_BOUND, target, path->parts[0]);
        } else if (reg != target) {
            compiler_emit(c, CODE_MOVE, 0, target, reg, 0);
        }
        break;
    case MEANING_INPUT:
        reg = input_register(c, path);
        if (reg != NO_REGISTER) {
            compiler_emit(c, CODE_MOVE, 0, target, reg, 0);
            break;
        }
        compiler_emit(c, CODE_INPUT, 0, target, 0, 0);
        if (path->known == 2) {
            emit_field(c, target, target, path->parts[1]);
        }
        break;
    case MEANING_NATIVE: {
        uint32_t window = c->next;
        compiler_emit(c, CODE_NATIVE, 0, target, compiler_group(c, group_of(c, view_of(path->native->name))), window);
        break;
    }
    default:
        refuse(c, path->name, target);
        break;
    }
}

// The value of the first `count` parts of a name.
static void load_path(struct compiler *c, const struct path *path, uint32_t count, uint32_t target)
{
    if (path->known >= count) {
        load_head(c, path, target);
        return;
    }
    uint32_t mark = c->next;
    uint32_t object = compiler_temporary(c);
    load_head(c, path, object);
    for (uint32_t i = path->known; i < count; i++) {
        emit_field(c, i + 1 == count ? target : object, object, path->parts[i]);
    }
    c->next = mark;
}

// The register of a name that is a variable, or NO_REGISTER.
static uint32_t variable_of(const struct compiler *c, const struct expr *e)
{
    if (e->kind != EXPR_NAME) {
        return NO_REGISTER;
    }
    const struct path *path = e->name;
    struct compiler *mutable = (struct compiler *)c;
    if (path->meaning == MEANING_VARIABLE && path->count == 1) {
        return compiler_variable(mutable, path->parts[0]);
    }
    return path->meaning == MEANING_INPUT && path->count == 2 && path->known == 2 ? input_register(mutable, path) : NO_REGISTER;
}

// ---- calls --------------------------------------------------------------------------------------

// Arguments onto the top of the temporaries; `window` is where the first lies. Restoring c->next is the caller's.
static void load_arguments(struct compiler *c, struct expr *const *args, uint32_t count)
{
    for (uint32_t i = 0; i < count && !c->failed; i++) {
        compile_into(c, args[i], compiler_temporary(c));
    }
}

// The number of arguments goes into 8 bits.
static void emit_call(struct compiler *c, enum opcode op, uint32_t target, uint32_t callee, uint32_t window, uint32_t args)
{
    if (args > ARGUMENTS_MAX) {
        compiler_fail(c);
    }
    compiler_emit(c, op, args, target, callee, window);
}

// The instruction of a method: the busiest methods of lists and maps have their own.
static enum opcode method_opcode(const struct native_group *group, struct view name, uint32_t args)
{
    bool lists = (group->plain & NATIVE_TYPE(VALUE_LIST)) != 0, maps = (group->plain & NATIVE_TYPE(VALUE_MAP)) != 0;
    if (lists && maps && args == 2 && view_eq_nocase(name, VIEW("get"))) {
        return CODE_GET;
    }
    if (maps && args == 3 && view_eq_nocase(name, VIEW("put"))) {
        return CODE_PUT;
    }
    return lists && args == 2 && view_eq_nocase(name, VIEW("add")) ? CODE_ADD_ITEM : CODE_METHOD;
}

// x.name(args): the receiver lies in `window`, which is the newest temporary.
static void call_method(struct compiler *c, struct view name, struct expr *const *args, uint32_t count, uint32_t window, uint32_t target)
{
    const struct native_group *group = group_of(c, name);
    load_arguments(c, args, count);
    if (group == NULL) { // the checker has refused it
        compiler_fail(c);
        return;
    }
    emit_call(c, method_opcode(group, name, count + 1), target, compiler_group(c, group), window, count + 1);
}

// ifnull(list.get(9), "none"): Zoho's own example gives "none" where get(9) alone fails (spec/deluge-builtins.md §1), so an index out of
// range in the first argument counts as null.
static void load_if_null(struct compiler *c, const struct expr *e)
{
    uint32_t start = c->count;
    uint32_t reg = compiler_temporary(c);
    compile_into(c, e->call.args[0], reg);
    struct handler handler = {.start = start, .end = c->count, .target = c->count, .variable = (uint16_t)reg, .index_only = true};
    compiler_add_handler(c, handler);
    load_arguments(c, e->call.args + 1, e->call.count - 1);
}

static bool is_if_null_of_call(const struct expr *e)
{
    return e->call.count > 0 && view_eq_nocase(e->call.path->name, VIEW("ifnull")) &&
           (e->call.args[0]->kind == EXPR_CALL || e->call.args[0]->kind == EXPR_CHAIN);
}

// A task of a service that the set does not have: whoever answers for it gets the name and the arguments.
static void call_service(struct compiler *c, struct view name, struct expr *const *args, uint32_t count, uint32_t target)
{
    const struct native_group *fallback = group_of(c, VIEW(NATIVE_FALLBACK_NAME));
    if (fallback == NULL) {
        refuse(c, name, target);
        return;
    }
    uint32_t window = compiler_temporary(c);
    load_text(c, CODE_CONSTANT, window, name);
    load_arguments(c, args, count);
    emit_call(c, CODE_NATIVE, target, compiler_group(c, fallback), window, count + 1);
}

// m.get("key") and m.put("key", value) of a variable: first an instruction that does it where m is a map, which it nearly always is; then
// the call as every other, which it skips. The value comes before the receiver, which no expression can change.
static bool call_with_key(struct compiler *c, const struct expr *e, uint32_t window, uint32_t target)
{
    enum { CALL_LOADS = 2 }; // instructions before the call that it skips too
    const struct path *path = e->call.path;
    const struct native_group *group = group_of(c, path->parts[path->count - 1]);
    enum opcode op = group == NULL ? CODE_METHOD : method_opcode(group, path->parts[path->count - 1], e->call.count + 1);
    bool plain = path->meaning == MEANING_VARIABLE && path->known == 1 && path->count == 2;
    if (!plain || (op != CODE_GET && op != CODE_PUT) || e->call.args[0]->kind != EXPR_TEXT) {
        return false;
    }
    uint32_t receiver = compiler_variable(c, path->parts[0]), constant = compiler_constant_text(c, e->call.args[0]->text);
    if (receiver == NO_REGISTER || constant > UINT16_MAX) {
        return false;
    }
    uint32_t key = compiler_temporary(c);
    load_arguments(c, e->call.args + 1, e->call.count - 1);
    compiler_emit(c, op == CODE_GET ? CODE_GET_K : CODE_PUT_K, CALL_LOADS + 1, receiver, key + 1, constant);
    compiler_emit(c, CODE_MOVE, 0, window, receiver, 0);
    compiler_emit_wide(c, CODE_CONSTANT, key, constant);
    emit_call(c, op, target, compiler_group(c, group), window, e->call.count + 1);
    return true;
}

// A dotted call: the checker has decided how much of the path is known, the last unknown part is a method.
static void compile_call(struct compiler *c, const struct expr *e, uint32_t target)
{
    const struct path *path = e->call.path;
    uint32_t mark = c->next;
    if (path->known < path->count) { // a method of what the head means
        uint32_t window = compiler_temporary(c);
        if (!call_with_key(c, e, window, target)) {
            load_path(c, path, path->count - 1, window);
            call_method(c, path->parts[path->count - 1], e->call.args, e->call.count, window, target);
        }
        c->next = mark;
        return;
    }
    uint32_t window = c->next;
    switch ((enum meaning)path->meaning) {
    case MEANING_NATIVE:
        if (is_if_null_of_call(e)) {
            load_if_null(c, e);
        } else {
            load_arguments(c, e->call.args, e->call.count);
        }
        emit_call(c, CODE_NATIVE, target, compiler_group(c, group_of(c, view_of(path->native->name))), window, e->call.count);
        break;
    case MEANING_LOCAL:
        load_arguments(c, e->call.args, e->call.count);
        emit_call(c, CODE_CALL, target, (uint32_t)path->function, window, e->call.count);
        break;
    case MEANING_STORED:
        load_arguments(c, e->call.args, e->call.count);
        emit_call(c, CODE_CALL_STORED, target, compiler_name(c, path->function_name), window, e->call.count);
        break;
    default:
        call_service(c, path->name, e->call.args, e->call.count, target);
        break;
    }
    c->next = mark;
}

// Each link's result is the next one's receiver, in the same register: a long chain takes no more than a short one.
static void compile_chain(struct compiler *c, const struct expr *e, uint32_t target)
{
    uint32_t mark = c->next;
    uint32_t window = compiler_temporary(c);
    compile_into(c, e->chain.base, window);
    for (uint32_t i = 0; i < e->chain.count; i++) {
        const struct link *link = &e->chain.links[i];
        uint32_t to = i + 1 == e->chain.count ? target : window;
        if (link->has_parentheses) {
            call_method(c, link->name, link->args, link->count, window, to);
        } else {
            emit_field(c, to, window, link->name);
        }
        c->next = window + 1;
    }
    c->next = mark;
}

static void load_pairs(struct compiler *c, uint32_t target, struct expr *const *keys, struct expr *const *values, uint32_t count);

// A bracket block is a call with one argument, the map of its attributes (lang.h, NATIVE_TASK).
static void compile_task(struct compiler *c, const struct expr *e, uint32_t target)
{
    uint32_t mark = c->next;
    const struct native_group *group =
        e->task.native != NULL ? group_of(c, view_of(e->task.native->name)) : group_of(c, VIEW(NATIVE_FALLBACK_NAME));
    if (group == NULL) {
        refuse(c, e->task.word, target);
        return;
    }
    uint32_t window = c->next;
    if (e->task.native == NULL) {
        load_text(c, CODE_CONSTANT, compiler_temporary(c), e->task.word);
    }
    uint32_t map = compiler_temporary(c);
    compiler_emit(c, CODE_MAP, 0, map, map, 0);
    for (uint32_t i = 0; i < e->task.count && !c->failed; i++) {
        uint32_t inner = c->next;
        uint32_t key = compiler_temporary(c);
        load_text(c, CODE_CONSTANT, key, e->task.attributes[i].name);
        compile_into(c, e->task.attributes[i].value, compiler_temporary(c));
        compiler_emit(c, CODE_MAP_PUT, 0, map, key, 1);
        c->next = inner;
    }
    emit_call(c, CODE_NATIVE, target, compiler_group(c, group), window, c->next - window);
    c->next = mark;
}

// ---- literals -----------------------------------------------------------------------------------

// Items into the list `target`, which the first chunk makes.
static void load_items(struct compiler *c, uint32_t target, struct expr *const *items, uint32_t count)
{
    uint32_t done = 0;
    do {
        uint32_t mark = c->next;
        uint32_t chunk = count - done > ELEMENTS_CHUNK ? ELEMENTS_CHUNK : count - done;
        if (chunk > 0) {
            load_arguments(c, items + done, chunk);
        }
        compiler_emit(c, done == 0 ? CODE_LIST : CODE_LIST_ADD, 0, target, mark, chunk);
        c->next = mark;
        done += chunk;
    } while (done < count && !c->failed);
}

// As load_items, with keys.
static void load_pairs(struct compiler *c, uint32_t target, struct expr *const *keys, struct expr *const *values, uint32_t count)
{
    uint32_t done = 0;
    do {
        uint32_t mark = c->next;
        uint32_t chunk = count - done > ELEMENTS_CHUNK ? ELEMENTS_CHUNK : count - done;
        for (uint32_t i = done; i < done + chunk; i++) {
            compile_into(c, keys[i], compiler_temporary(c));
            compile_into(c, values[i], compiler_temporary(c));
        }
        compiler_emit(c, done == 0 ? CODE_MAP : CODE_MAP_PUT, 0, target, mark, chunk);
        c->next = mark;
        done += chunk;
    } while (done < count && !c->failed);
}

// A literal of several chunks is built in a temporary: `x = {x, …}` must read the old x in the last chunk too.
static void compile_literal(struct compiler *c, uint32_t target, struct expr *const *keys, struct expr *const *values, uint32_t count)
{
    uint32_t mark = c->next;
    uint32_t at = count > ELEMENTS_CHUNK ? compiler_temporary(c) : target;
    if (keys != NULL) {
        load_pairs(c, at, keys, values, count);
    } else {
        load_items(c, at, values, count);
    }
    if (at != target) {
        compiler_emit(c, CODE_MOVE, 0, target, at, 0);
    }
    c->next = mark;
}

// List(…): one argument that is itself a list gives its elements, others are elements. Map(k: v), Collection(…) alike.
static void compile_construct(struct compiler *c, const struct expr *e, uint32_t target)
{
    uint32_t mark = c->next;
    uint32_t count = e->construct.count;
    uint32_t at = compiler_temporary(c);
    if (e->construct.keys != NULL) {
        compile_literal(c, at, e->construct.keys, e->construct.items, count);
    } else if (e->construct.what == CONSTRUCT_MAP) {
        compiler_emit(c, CODE_MAP, 0, at, at, 0);
    } else if (count == 0 && e->construct.what == CONSTRUCT_COLLECTION) {
        compiler_emit(c, CODE_FRESH, 0, at, 0, 0);
    } else {
        compile_literal(c, at, NULL, e->construct.items, count);
    }
    if (e->construct.what == CONSTRUCT_LIST) {
        uint32_t type = e->construct.item_type.len > 0 ? convert_item_type(e->construct.item_type) : VALUE_NULL;
        compiler_emit(c, CODE_CONSTRUCT, type, target, at, 0);
    } else {
        compiler_emit(c, e->construct.what == CONSTRUCT_COLLECTION ? CODE_COLLECTION : CODE_MOVE, 0, target, at, 0);
    }
    c->next = mark;
}

static bool is_constant(const struct expr *e)
{
    return e->kind == EXPR_NUMBER || e->kind == EXPR_DECIMAL || e->kind == EXPR_TEXT || e->kind == EXPR_BOOL;
}

static uint32_t constant_of(struct compiler *c, const struct expr *e)
{
    switch (e->kind) {
    case EXPR_NUMBER:
        return compiler_constant_number(c, e->number);
    case EXPR_DECIMAL:
        return compiler_constant_decimal(c, e->decimal);
    case EXPR_BOOL:
        return compiler_constant_bool(c, e->boolean);
    default:
        return compiler_constant_text(c, e->text);
    }
}

// ---- operators ----------------------------------------------------------------------------------

enum { CODES_K = CODE_ADD_K - CODE_ADD, TESTS_K = CODE_TEST_EQUAL_K - CODE_TEST_EQUAL };

static const uint8_t operator_codes[] = {
    [OP_EQUAL] = CODE_EQUAL,
    [OP_NOT_EQUAL] = CODE_NOT_EQUAL,
    [OP_LESS] = CODE_LESS,
    [OP_LESS_EQUAL] = CODE_LESS_EQUAL,
    [OP_GREATER] = CODE_GREATER,
    [OP_GREATER_EQUAL] = CODE_GREATER_EQUAL,
    [OP_IN] = CODE_IN,
    [OP_NOT_IN] = CODE_IN,
    [OP_ADD] = CODE_ADD,
    [OP_SUBTRACT] = CODE_SUBTRACT,
    [OP_MULTIPLY] = CODE_MULTIPLY,
    [OP_DIVIDE] = CODE_DIVIDE,
    [OP_REMAINDER] = CODE_REMAINDER,
};

// ! too: as a condition it only turns the jump round.
static bool is_logical(const struct expr *e)
{
    return (e->kind == EXPR_BINARY && (e->binary.ops[0] == OP_AND || e->binary.ops[0] == OP_OR)) ||
           (e->kind == EXPR_UNARY && e->unary.op == OP_NOT);
}

// && || ! as a value: conditions that jump, and a boolean on each side.
static void compile_logical(struct compiler *c, const struct expr *e, uint32_t target)
{
    struct jumps no = {0};
    compile_condition(c, e, false, &no);
    compiler_emit_wide(c, CODE_CONSTANT, target, compiler_constant_bool(c, true));
    uint32_t past = compiler_emit_jump(c);
    compiler_bind_all(c, &no, c->count);
    compiler_emit_wide(c, CODE_CONSTANT, target, compiler_constant_bool(c, false));
    compiler_bind(c, past, c->count);
}

// One operator of a row; the right side from the constants when it is a literal.
static void emit_operator(struct compiler *c, enum op op, uint32_t target, uint32_t left, const struct expr *right)
{
    uint32_t mark = c->next;
    uint8_t code = operator_codes[op];
    if (op >= OP_ADD && is_constant(right)) {
        uint32_t k = constant_of(c, right);
        if (k <= UINT16_MAX) {
            compiler_emit(c, code + CODES_K, 0, target, left, k);
            return;
        }
    }
    compiler_emit(c, code, 0, target, left, compile_operand(c, right));
    if (op == OP_NOT_IN) {
        compiler_emit(c, CODE_NOT, 0, target, target, 0);
    }
    c->next = mark;
}

// a - b - c from left to right, the partial results in one temporary.
static void compile_binary(struct compiler *c, const struct expr *e, uint32_t target)
{
    uint32_t mark = c->next;
    uint32_t left = compile_operand(c, e->binary.operands[0]);
    for (uint32_t i = 1; i < e->binary.count && !c->failed; i++) {
        bool last = i + 1 == e->binary.count;
        uint32_t to = last ? target : left < mark ? compiler_temporary(c) : left; // never into a variable on the way
        emit_operator(c, e->binary.ops[i - 1], to, left, e->binary.operands[i]);
        left = to;
    }
    c->next = mark;
}

// A negative literal is a constant.
static void compile_unary(struct compiler *c, const struct expr *e, uint32_t target)
{
    const struct expr *operand = e->unary.operand;
    if (e->unary.op == OP_MINUS && operand->kind == EXPR_NUMBER) {
        compiler_emit_wide(c, CODE_CONSTANT, target, compiler_constant_number(c, -operand->number));
        return;
    }
    if (e->unary.op == OP_MINUS && operand->kind == EXPR_DECIMAL) {
        compiler_emit_wide(c, CODE_CONSTANT, target, compiler_constant_decimal(c, -operand->decimal));
        return;
    }
    uint32_t mark = c->next;
    compiler_emit(c, e->unary.op == OP_MINUS ? CODE_NEGATE : CODE_PLUS, 0, target, compile_operand(c, operand), 0);
    c->next = mark;
}

// Only the chosen arm is evaluated: scripts write if(x != null, x.get("a"), "") (§4.5).
static void compile_conditional(struct compiler *c, const struct expr *e, uint32_t target)
{
    struct jumps no = {0};
    compile_condition(c, e->conditional.condition, false, &no);
    compile_into(c, e->conditional.yes, target);
    uint32_t past = compiler_emit_jump(c);
    compiler_bind_all(c, &no, c->count);
    compile_into(c, e->conditional.no, target);
    compiler_bind(c, past, c->count);
}

// ---- conditions ---------------------------------------------------------------------------------

// No boolean is made: the test decides about the jump behind it.
static void compile_comparison(struct compiler *c, const struct expr *e, bool when, struct jumps *jumps)
{
    static const uint8_t tests[] = {
        [OP_EQUAL] = CODE_TEST_EQUAL,           [OP_NOT_EQUAL] = CODE_TEST_NOT_EQUAL, [OP_LESS] = CODE_TEST_LESS,
        [OP_LESS_EQUAL] = CODE_TEST_LESS_EQUAL, [OP_GREATER] = CODE_TEST_GREATER,     [OP_GREATER_EQUAL] = CODE_TEST_GREATER_EQUAL};
    uint32_t mark = c->next;
    uint32_t code = tests[e->binary.ops[0]];
    uint32_t left = compile_operand(c, e->binary.operands[0]);
    const struct expr *right = e->binary.operands[1];
    uint32_t k = is_constant(right) ? constant_of(c, right) : UINT32_MAX;
    if (k <= UINT16_MAX) {
        compiler_emit(c, code + TESTS_K, when, 0, left, k);
    } else {
        compiler_emit(c, code, when, 0, left, compile_operand(c, right));
    }
    c->next = mark;
    compiler_collect(c, jumps, compiler_emit_jump(c));
}

// a && b && …, or a || b || …: an operand that decides the outcome ends it.
static void compile_junction(struct compiler *c, const struct expr *e, bool when, struct jumps *jumps)
{
    bool deciding = e->binary.ops[0] == OP_OR; // the operand's outcome that decides
    if (when == deciding) {
        for (uint32_t i = 0; i < e->binary.count && !c->failed; i++) {
            compile_condition(c, e->binary.operands[i], when, jumps);
        }
        return;
    }
    struct jumps decided = {0};
    for (uint32_t i = 0; i + 1 < e->binary.count && !c->failed; i++) {
        compile_condition(c, e->binary.operands[i], deciding, &decided);
    }
    compile_condition(c, e->binary.operands[e->binary.count - 1], when, jumps);
    compiler_bind_all(c, &decided, c->count);
}

void compile_condition(struct compiler *c, const struct expr *e, bool when, struct jumps *jumps)
{
    if (e->kind == EXPR_UNARY && e->unary.op == OP_NOT) {
        compile_condition(c, e->unary.operand, !when, jumps);
        return;
    }
    if (e->kind == EXPR_BINARY) {
        enum op op = e->binary.ops[0];
        if (op == OP_AND || op == OP_OR) {
            compile_junction(c, e, when, jumps);
            return;
        }
        if (e->binary.count == 2 && op >= OP_EQUAL && op <= OP_GREATER_EQUAL) {
            compile_comparison(c, e, when, jumps);
            return;
        }
    }
    uint32_t mark = c->next;
    compiler_emit(c, CODE_TEST, when, compile_operand(c, e), 0, 0);
    c->next = mark;
    compiler_collect(c, jumps, compiler_emit_jump(c));
}

// ---- all of them --------------------------------------------------------------------------------

uint32_t compile_operand(struct compiler *c, const struct expr *e)
{
    uint32_t reg = variable_of(c, e);
    if (reg == NO_REGISTER) {
        reg = compiler_temporary(c);
        compile_into(c, e, reg);
    }
    return reg;
}

void compile_into(struct compiler *c, const struct expr *e, uint32_t target)
{
    if (c->failed) {
        return;
    }
    if (is_logical(e)) {
        compile_logical(c, e, target);
        return;
    }
    switch ((enum expr_kind)e->kind) {
    case EXPR_NULL:
    case EXPR_ERROR:
        compiler_emit(c, CODE_NULL, 0, target, 0, 0);
        break;
    case EXPR_BOOL:
    case EXPR_NUMBER:
    case EXPR_DECIMAL:
    case EXPR_TEXT:
        compiler_emit_wide(c, CODE_CONSTANT, target, constant_of(c, e));
        break;
    case EXPR_DATE:
        load_text(c, CODE_DATE, target, e->text);
        break;
    case EXPR_NAME:
        load_path(c, e->name, e->name->count, target);
        break;
    case EXPR_CALL:
        compile_call(c, e, target);
        break;
    case EXPR_CHAIN:
        compile_chain(c, e, target);
        break;
    case EXPR_UNARY:
        compile_unary(c, e, target);
        break;
    case EXPR_BINARY:
        compile_binary(c, e, target);
        break;
    case EXPR_IF:
        compile_conditional(c, e, target);
        break;
    case EXPR_FRESH:
        compiler_emit(c, CODE_FRESH, 0, target, 0, 0);
        break;
    case EXPR_LIST:
        compile_literal(c, target, NULL, e->list.items, e->list.count);
        break;
    case EXPR_MAP:
        compile_literal(c, target, e->map.keys, e->map.values, e->map.count);
        break;
    case EXPR_CONSTRUCT:
        compile_construct(c, e, target);
        break;
    case EXPR_TASK:
        compile_task(c, e, target);
        break;
    }
}
