// SPDX-License-Identifier: Apache-2.0
//
// The instruction loop. One C function runs all script functions of a run; script calls push frames (vm_call.c), so its C stack is constant
// and a fiber can park inside it at any give-way. Nothing is kept across a give-way but what is in the VM's memory and on this C stack.
//
// Numbers, texts and comparisons of them are handled here in a few machine instructions; everything else an operator may meet is in
// arithmetic.c and compare.c. Whoever can fail jumps to `failed`, which looks for a handler (vm_unwind) and goes on there, or ends the run.
//
// Counting: STATEMENT takes one from statements_left. Back edges, calls and natives take from `budget`; below zero the VM gives way, which
// is also where time limits and shutdown reach a run. Straight code between two of those is bounded by the size of the source.

#include "lang/vm.h"

#include <math.h>

static BASE_COLD bool statement_limit(struct vm *vm)
{
    vm->uncatchable = true;
    return fail_set(vm->fail, FAIL_LIMIT, "The limit of Statement has reached its maximum %lld", (long long)vm->limits.statements_max);
}

static bool add(struct vm *vm, struct value *target, const struct value *b, const struct value *c)
{
    if (b->type == VALUE_TEXT && c->type == VALUE_TEXT) {
        *target = value_text_concat(vm->heap, *b, *c);
    } else {
        struct value result;
        if (!arithmetic_add(vm->heap, value_resolve(*b), value_resolve(*c), &result, vm->fail)) {
            return vm->heap->failed ? vm_memory_fail(vm) : false;
        }
        *target = result;
    }
    vm->budget -= target->type == VALUE_TEXT ? c->len >> 6 : 0;
    return !BASE_UNLIKELY(vm->heap->failed) || vm_memory_fail(vm);
}

typedef bool binary_fn(struct heap *heap, struct value left, struct value right, struct value *ret_value, struct fail *fail);

static bool operate(struct vm *vm, binary_fn *fn, struct value *target, const struct value *b, const struct value *c)
{
    struct value result;
    if (!fn(vm->heap, value_resolve(*b), value_resolve(*c), &result, vm->fail)) {
        return false;
    }
    *target = result;
    return true;
}

static inline bool equal(const struct vm *vm, const struct value *b, const struct value *c)
{
    if (b->type == c->type && b->type == VALUE_NUMBER) {
        return b->number == c->number;
    }
    if (b->type == c->type && b->type == VALUE_TEXT) {
        return b->len == c->len && (b->text == c->text || memcmp(b->text->bytes, c->text->bytes, b->len) == 0);
    }
    if (b->type == VALUE_NULL || c->type == VALUE_NULL) {
        return b->type == c->type;
    }
    return compare_equal(*b, *c, vm->heap->zone);
}

// Comparisons charge what they look at: two texts of megabytes are not one instruction.
static inline void charge_equal(struct vm *vm, const struct value *b)
{
    vm->budget -= b->type == VALUE_TEXT ? b->len >> 6 : 0;
}

static bool order(struct vm *vm, enum compare_order which, const struct value *b, const struct value *c, bool *ret_holds)
{
    charge_equal(vm, b);
    return compare_order(which, value_resolve(*b), value_resolve(*c), vm->heap->zone, ret_holds, vm->fail);
}

#define NUMBERS(x, y) BASE_LIKELY((x)->type == VALUE_NUMBER && (y)->type == VALUE_NUMBER)
#define DECIMALS(x, y) ((x)->type == VALUE_DECIMAL && (y)->type == VALUE_DECIMAL)

#define NEXT()                                                                                                                             \
    do {                                                                                                                                   \
        i = *pc++;                                                                                                                         \
        goto *labels[i.op];                                                                                                                \
    } while (0)
#define TRY(condition)                                                                                                                     \
    do {                                                                                                                                   \
        if (BASE_UNLIKELY(!(condition))) {                                                                                                 \
            goto failed;                                                                                                                   \
        }                                                                                                                                  \
    } while (0)
// A test's outcome: takes the JUMP that follows, or skips it.
#define BRANCH(outcome)                                                                                                                    \
    do {                                                                                                                                   \
        const struct instruction jump = *pc++;                                                                                             \
        if ((outcome) == (i.flags != 0)) {                                                                                                 \
            pc += (int32_t)instruction_wide(jump);                                                                                         \
        }                                                                                                                                  \
        NEXT();                                                                                                                            \
    } while (0)
#define LINE() ((int)f->lines[pc - f->code - 1])
#define WHOLE(name, c_operand, expression, slow)                                                                                           \
    op_##name:                                                                                                                             \
    {                                                                                                                                      \
        const struct value *b = &r[i.b], *c = c_operand;                                                                                   \
        if (NUMBERS(b, c)) {                                                                                                               \
            uint64_t x = (uint64_t)b->number, y = (uint64_t)c->number;                                                                     \
            r[i.a] = value_number((int64_t)(expression));                                                                                  \
            NEXT();                                                                                                                        \
        }                                                                                                                                  \
        TRY(slow);                                                                                                                         \
        NEXT();                                                                                                                            \
    }
#define DIVISION(name, c_operand, fn)                                                                                                      \
    op_##name:                                                                                                                             \
    {                                                                                                                                      \
        TRY(operate(vm, fn, &r[i.a], &r[i.b], c_operand));                                                                                 \
        NEXT();                                                                                                                            \
    }
#define REMAINDER(name, c_operand)                                                                                                         \
    op_##name:                                                                                                                             \
    {                                                                                                                                      \
        const struct value *b = &r[i.b], *c = c_operand;                                                                                   \
        if (NUMBERS(b, c) && c->number > 0) {                                                                                              \
            r[i.a] = value_number(b->number % c->number);                                                                                  \
            NEXT();                                                                                                                        \
        }                                                                                                                                  \
        TRY(operate(vm, arithmetic_remainder, &r[i.a], b, c));                                                                             \
        NEXT();                                                                                                                            \
    }
#define EQUALITY(name, c_operand, outcome, use)                                                                                            \
    op_##name:                                                                                                                             \
    {                                                                                                                                      \
        const struct value *b = &r[i.b], *c = c_operand;                                                                                   \
        charge_equal(vm, b);                                                                                                               \
        bool holds = equal(vm, b, c) == (outcome);                                                                                         \
        use;                                                                                                                               \
    }
#define ORDER(name, c_operand, which, sign, use)                                                                                           \
    op_##name:                                                                                                                             \
    {                                                                                                                                      \
        const struct value *b = &r[i.b], *c = c_operand;                                                                                   \
        bool holds;                                                                                                                        \
        if (NUMBERS(b, c)) {                                                                                                               \
            holds = b->number sign c->number;                                                                                              \
        } else if (DECIMALS(b, c)) {                                                                                                       \
            holds = b->decimal sign c->decimal;                                                                                            \
        } else {                                                                                                                           \
            TRY(order(vm, which, b, c, &holds));                                                                                           \
        }                                                                                                                                  \
        use;                                                                                                                               \
    }
#define STORE_BOOL                                                                                                                         \
    r[i.a] = value_bool(holds);                                                                                                            \
    NEXT()
#define USE_BRANCH BRANCH(holds)

BASE_HOT bool vm_run(struct vm *vm, struct value *ret_value)
{
    static const void *const labels[] = {
#define CODE(name) &&op_##name,
#include "lang/opcodes.h"
#undef CODE
    };
    const struct lang_function *f;
    const struct instruction *pc;
    const struct value *k;
    struct value *r;
    struct instruction i;

enter : // the newest frame begins, or goes on
{
    const struct frame *top = &vm->frames[vm->depth - 1];
    f = top->function;
    pc = top->pc;
    k = f->unit->constants;
    r = vm->stack + top->base;
    NEXT();
}

    // ---- loading
op_CONSTANT:
    r[i.a] = k[instruction_wide(i)];
    NEXT();
op_NULL:
    r[i.a] = value_null();
    NEXT();
op_MOVE:
    r[i.a] = r[i.b];
    NEXT();
op_DATE:
    TRY(construct_date(vm->heap, k[instruction_wide(i)], &r[i.a]));
    NEXT();
op_BOUND : {
    bool found;
    r[i.a] = vm_bound(vm, value_view(k[instruction_wide(i)]), &found);
    NEXT();
}
op_INPUT:
    TRY(vm_input(vm, &r[i.a]));
    NEXT();
op_FIELD : {
    struct value field;
    TRY(vm_field(vm, r[i.b], f->unit->names[i.c], &field));
    r[i.a] = field;
    NEXT();
}
op_FRESH : {
    r[i.a] = value_fresh(vm->heap);
    TRY(!vm->heap->failed || vm_memory_fail(vm));
    NEXT();
}
op_LIST : {
    struct value list;
    TRY(construct_list(vm->heap, &r[i.b], i.c, &list) || vm_memory_fail(vm));
    r[i.a] = list;
    NEXT();
}
op_LIST_ADD:
    for (uint32_t n = 0; n < i.c; n++) {
        TRY(list_add(vm->heap, r[i.a].list, value_resolve(r[i.b + n])) || vm_memory_fail(vm));
    }
    NEXT();
op_MAP : {
    struct value map = value_map(vm->heap, i.c);
    TRY(map.type == VALUE_MAP && construct_map_put(vm->heap, map, &r[i.b], i.c) ? true : vm_memory_fail(vm));
    r[i.a] = map;
    NEXT();
}
op_MAP_PUT:
    TRY(construct_map_put(vm->heap, r[i.a], &r[i.b], i.c) || vm_memory_fail(vm));
    NEXT();
op_CONSTRUCT : {
    struct value list;
    TRY(construct_typed(vm->heap, r[i.b], i.flags, &list, vm->fail));
    TRY(!vm->heap->failed || vm_memory_fail(vm));
    r[i.a] = list;
    NEXT();
}
op_COLLECTION:
    r[i.a] = value_collection(vm->heap, value_resolve(r[i.b]));
    TRY(!vm->heap->failed || vm_memory_fail(vm));
    NEXT();

    // ---- operators
    WHOLE(ADD, &r[i.c], x + y, add(vm, &r[i.a], b, c))
    WHOLE(ADD_K, &k[i.c], x + y, add(vm, &r[i.a], b, c))
    WHOLE(SUBTRACT, &r[i.c], x - y, operate(vm, arithmetic_subtract, &r[i.a], b, c))
    WHOLE(SUBTRACT_K, &k[i.c], x - y, operate(vm, arithmetic_subtract, &r[i.a], b, c))
    WHOLE(MULTIPLY, &r[i.c], x * y, operate(vm, arithmetic_multiply, &r[i.a], b, c))
    WHOLE(MULTIPLY_K, &k[i.c], x * y, operate(vm, arithmetic_multiply, &r[i.a], b, c))
    DIVISION(DIVIDE, &r[i.c], arithmetic_divide)
    DIVISION(DIVIDE_K, &k[i.c], arithmetic_divide)
    REMAINDER(REMAINDER, &r[i.c])
    REMAINDER(REMAINDER_K, &k[i.c])
    EQUALITY(EQUAL, &r[i.c], true, STORE_BOOL)
    EQUALITY(NOT_EQUAL, &r[i.c], false, STORE_BOOL)
    ORDER(LESS, &r[i.c], COMPARE_LESS, <, STORE_BOOL)
    ORDER(LESS_EQUAL, &r[i.c], COMPARE_LESS_EQUAL, <=, STORE_BOOL)
    ORDER(GREATER, &r[i.c], COMPARE_GREATER, >, STORE_BOOL)
    ORDER(GREATER_EQUAL, &r[i.c], COMPARE_GREATER_EQUAL, >=, STORE_BOOL)
op_IN : {
    bool holds;
    struct value list = value_resolve(r[i.c]);
    vm->budget -= list.type == VALUE_LIST ? list.list->count : CALL_COST;
    TRY(compare_in(vm->heap, value_resolve(r[i.b]), list, &holds, vm->fail));
    TRY(!vm->heap->failed || vm_memory_fail(vm));
    STORE_BOOL;
}
op_NEGATE : {
    struct value result;
    TRY(arithmetic_negate(value_resolve(r[i.b]), &result, vm->fail));
    r[i.a] = result;
    NEXT();
}
op_PLUS : {
    struct value result;
    TRY(arithmetic_plus(value_resolve(r[i.b]), &result, vm->fail));
    r[i.a] = result;
    NEXT();
}
op_NOT : {
    bool holds;
    TRY(compare_truth(value_resolve(r[i.b]), &holds, vm->fail));
    r[i.a] = value_bool(!holds);
    NEXT();
}

    // ---- control
op_JUMP:
    pc += (int32_t)instruction_wide(i);
    NEXT();
op_LOOP : {
    int32_t distance = (int32_t)instruction_wide(i); // negative: the body's length
    vm->budget += distance;
    if (BASE_UNLIKELY(vm->budget < 0)) {
        TRY(vm_give_way(vm));
    }
    pc += distance;
    NEXT();
}
op_TEST : {
    bool holds;
    if (BASE_LIKELY(r[i.a].type == VALUE_BOOL)) {
        holds = r[i.a].boolean;
    } else {
        TRY(compare_truth(value_resolve(r[i.a]), &holds, vm->fail));
    }
    BRANCH(holds);
}
    EQUALITY(TEST_EQUAL, &r[i.c], true, USE_BRANCH)
    EQUALITY(TEST_EQUAL_K, &k[i.c], true, USE_BRANCH)
    EQUALITY(TEST_NOT_EQUAL, &r[i.c], false, USE_BRANCH)
    EQUALITY(TEST_NOT_EQUAL_K, &k[i.c], false, USE_BRANCH)
    ORDER(TEST_LESS, &r[i.c], COMPARE_LESS, <, USE_BRANCH)
    ORDER(TEST_LESS_K, &k[i.c], COMPARE_LESS, <, USE_BRANCH)
    ORDER(TEST_LESS_EQUAL, &r[i.c], COMPARE_LESS_EQUAL, <=, USE_BRANCH)
    ORDER(TEST_LESS_EQUAL_K, &k[i.c], COMPARE_LESS_EQUAL, <=, USE_BRANCH)
    ORDER(TEST_GREATER, &r[i.c], COMPARE_GREATER, >, USE_BRANCH)
    ORDER(TEST_GREATER_K, &k[i.c], COMPARE_GREATER, >, USE_BRANCH)
    ORDER(TEST_GREATER_EQUAL, &r[i.c], COMPARE_GREATER_EQUAL, >=, USE_BRANCH)
    ORDER(TEST_GREATER_EQUAL_K, &k[i.c], COMPARE_GREATER_EQUAL, >=, USE_BRANCH)
op_EACH:
    TRY(iterate_start(vm, &r[i.a], r[i.b], i.flags != 0));
    NEXT();
op_EACH_NEXT : {
    struct value *it = &r[i.a];
    uint32_t at = (uint32_t)it[1].number;
    if (at < it[1].len && at < it[0].list->count) { // the list may have become shorter behind an alias
        it[1].number++;
        r[i.b] = it[0].list->items[at];
        pc++;
    }
    NEXT();
}
op_EACH_INDEX : {
    struct value *it = &r[i.a];
    if (it[1].number < it[1].len) {
        r[i.b] = value_number(it[1].number++);
        pc++;
    }
    NEXT();
}
op_STATEMENT:
    TRY(--vm->statements_left >= 0 || statement_limit(vm));
    NEXT();

    // ---- calls
op_CALL:
    vm->frames[vm->depth - 1].pc = pc;
    TRY(vm_enter(vm, &f->unit->functions[i.b], (uint32_t)(r - vm->stack) + i.c, i.flags, i.a));
    goto entered;
op_CALL_STORED : {
    vm->frames[vm->depth - 1].pc = pc;
    const struct lang_function *callee = vm_find(vm, value_view(f->unit->names[i.b]));
    TRY(callee != NULL && vm_enter(vm, callee, (uint32_t)(r - vm->stack) + i.c, i.flags, i.a));
    goto entered;
}
entered:
    if (BASE_UNLIKELY(vm->budget < 0) && !vm_give_way(vm)) {
        goto unwound; // the callee's frame is the newest
    }
    goto enter;
op_NATIVE : {
    struct value result;
    TRY(vm_native(vm, f->unit->groups[i.b], false, &r[i.c], i.flags, &result, LINE()));
    r[i.a] = result;
    NEXT();
}
op_METHOD : {
    struct value result;
    TRY(vm_native(vm, f->unit->groups[i.b], true, &r[i.c], i.flags, &result, LINE()));
    r[i.a] = result;
    NEXT();
}
op_REFUSE:
    fail_set(vm->fail, FAIL_SCRIPT, "'%.*s' is a task of another Zoho service, which is not available here",
             VIEW_ARGS(value_view(f->unit->names[i.b])));
    goto failed;
op_INFO:
    TRY(vm_info(vm, r[i.a], LINE()));
    NEXT();
op_RETURN:
    vm->frames[vm->depth - 1].pc = pc;
    TRY(vm_convert_return(vm, &r[i.a]));
    goto returned;
op_RETURN_NULL:
    r[0] = value_null(); // the caller takes it from there; registers are never none
    i.a = 0;
    goto returned;
op_THROW:
    vm_throw(vm, r[i.a], i.flags != 0);
    goto failed;

returned : {
    struct value result = r[i.a];
    const struct frame *left = &vm->frames[--vm->depth];
    if (vm->depth == 0) {
        *ret_value = result;
        return true;
    }
    vm->stack[vm->frames[vm->depth - 1].base + left->result] = result;
    goto enter;
}

failed:
    vm->frames[vm->depth - 1].pc = pc;
unwound:
    if (!vm_unwind(vm)) {
        return false;
    }
    goto enter;
}
