// SPDX-License-Identifier: Apache-2.0
//
// The instruction loop. One C function runs all script functions of a run; script calls push frames (vm_call.c), so its C stack is constant
// and a fiber can park inside it at any give-way. Nothing is kept across a give-way but what is in the VM's memory and on this C stack.
//
// Numbers, texts and comparisons of them are handled here in a few machine instructions; everything else an operator may meet is in
// arithmetic.c and compare.c. Whoever can fail jumps to `failed`, which looks for a handler (vm_unwind) and goes on there, or ends the run.
//
// Counting: STATEMENT takes one from statements_left. Back edges, calls, natives and whatever walks over much data take from `budget`;
// below zero the VM gives way, at the latest with the next statement. There time limits and shutdown reach a run.

#include "lang/vm.h"

enum { QUICK_TEXT_BYTES = 1024 }; // texts up to here compare without being charged for

// Charges work that does not show in the number of instructions, and gives way when the slice is used up.
static bool charge(struct vm *vm, int64_t cost)
{
    vm->budget -= cost;
    return BASE_LIKELY(vm->budget >= 0) || vm_give_way(vm);
}

// A statement may not begin: the slice is used up, or the limit of statements is reached.
static BASE_COLD bool statement_slow(struct vm *vm)
{
    if (vm->statements_left >= 0) {
        return vm_give_way(vm);
    }
    vm->uncatchable = true;
    return fail_set(vm->fail, FAIL_LIMIT, "The limit of Statement has reached its maximum %lld", (long long)vm->limits.statements_max);
}

// + on anything but two numbers. Appending in place is value_text_concat's: `s = s + x` costs what x costs.
static bool add(struct vm *vm, struct value *target, const struct value *b, const struct value *c)
{
    if (b->type == VALUE_TEXT && c->type == VALUE_TEXT) {
        const struct text *left = b->text; // target may be b
        *target = value_text_concat(vm->heap, *b, *c);
        vm->budget -= target->type == VALUE_TEXT && target->text != left ? target->len >> 10 : 0; // copied, not appended
    } else {
        struct value result;
        if (!arithmetic_add(vm->heap, value_resolve(*b), value_resolve(*c), &result, vm->fail)) {
            return vm->heap->failed ? vm_memory_fail(vm) : false;
        }
        *target = result;
        vm->budget -= result.type == VALUE_TEXT ? result.len >> 6 : 0;
    }
    return !BASE_UNLIKELY(vm->heap->failed) || vm_memory_fail(vm);
}

typedef bool binary_fn(struct heap *heap, struct value left, struct value right, struct value *ret_value, struct fail *fail);

// The result takes its place only when there is one: `x = x / 0` inside try leaves x as it was.
static bool operate(struct vm *vm, binary_fn *fn, struct value *target, const struct value *b, const struct value *c)
{
    struct value result;
    if (!fn(vm->heap, value_resolve(*b), value_resolve(*c), &result, vm->fail)) {
        return false;
    }
    *target = result;
    return true;
}

// What a comparison is charged: it may look at everything below its operands.
static int64_t compare_cost(const struct vm *vm, struct value v)
{
    switch (v.type) {
    case VALUE_TEXT:
        return v.len >> 6;
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_COLLECTION:
        return (int64_t)(vm->heap->bytes >> 10); // what hangs on it is not known, but cannot be more than there is
    default:
        return 1;
    }
}

static bool equal_slow(struct vm *vm, const struct value *b, const struct value *c, bool *ret_equal)
{
    *ret_equal = compare_equal(*b, *c, vm->heap->zone);
    return charge(vm, compare_cost(vm, *b));
}

static bool order(struct vm *vm, enum compare_order which, const struct value *b, const struct value *c, bool *ret_holds)
{
    return compare_order(which, value_resolve(*b), value_resolve(*c), vm->heap->zone, ret_holds, vm->fail) &&
           charge(vm, compare_cost(vm, *b));
}

static bool in(struct vm *vm, struct value *target, const struct value *b, const struct value *c)
{
    struct value list = value_resolve(*c);
    bool found;
    if (!compare_in(vm->heap, value_resolve(*b), list, &found, vm->fail)) {
        return false;
    }
    if (vm->heap->failed) {
        return vm_memory_fail(vm);
    }
    *target = value_bool(found);
    return charge(vm, list.type == VALUE_LIST ? list.list->count + compare_cost(vm, *b) : compare_cost(vm, list));
}

// What vm_enter does when there is room for the frame and the arguments have their types, as in nearly all calls; false: vm_enter must see
// to it.
static inline bool enter_at_once(struct vm *vm, const struct lang_function *f, struct value *registers, int count, uint32_t result)
{
    uint32_t base = (uint32_t)(registers - vm->stack);
    if (vm->depth >= vm->frame_cap || vm->depth > vm->limits.depth_max || base + f->registers > vm->stack_cap ||
        count != f->info.parameter_count) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (!convert_keeps(f->converts[i], registers[i])) {
            return false;
        }
    }
    const struct value *end = registers + f->registers;
    for (struct value *v = registers + count; v < end; v++) {
        *v = value_null();
    }
    vm->frames[vm->depth++] = (struct frame){.function = f, .pc = f->code, .base = base, .result = result};
    vm->budget -= CALL_COST;
    return true;
}

// The words of eight to sixteen bytes that scripts compare most overlap in the middle; a call of memcmp costs more than both.
static inline bool same_bytes(const char *a, const char *b, size_t len)
{
    if (len < sizeof(uint64_t) || len > 2 * sizeof(uint64_t)) {
        return memcmp(a, b, len) == 0;
    }
    uint64_t x[2], y[2];
    memcpy(&x[0], a, sizeof(x[0]));
    memcpy(&y[0], b, sizeof(y[0]));
    memcpy(&x[1], a + len - sizeof(x[1]), sizeof(x[1]));
    memcpy(&y[1], b + len - sizeof(y[1]), sizeof(y[1]));
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

#define NUMBERS(x, y) BASE_LIKELY((x)->type == VALUE_NUMBER && (y)->type == VALUE_NUMBER)
#define DECIMALS(x, y) ((x)->type == VALUE_DECIMAL && (y)->type == VALUE_DECIMAL)

// Each instruction jumps to the next one itself, which lets the processor learn the pairs that a loop consists of.
#define NEXT()                                                                                                                             \
    do {                                                                                                                                   \
        pc++;                                                                                                                              \
        goto *labels[pc->op];                                                                                                              \
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
        bool wanted = pc->flags != 0;                                                                                                      \
        pc++;                                                                                                                              \
        if ((outcome) == wanted) {                                                                                                         \
            pc += (int32_t)instruction_wide(*pc);                                                                                          \
        }                                                                                                                                  \
        NEXT();                                                                                                                            \
    } while (0)
#define LINE() ((int)f->lines[pc - f->code])
// Whole numbers wrap as in Java: the work is done unsigned.
#define WHOLE(name, c_operand, expression, slow)                                                                                           \
    op_##name:                                                                                                                             \
    {                                                                                                                                      \
        const struct value *b = &r[pc->b], *c = c_operand;                                                                                 \
        if (NUMBERS(b, c)) {                                                                                                               \
            uint64_t x = (uint64_t)b->number, y = (uint64_t)c->number;                                                                     \
            r[pc->a] = value_number((int64_t)(expression));                                                                                \
            NEXT();                                                                                                                        \
        }                                                                                                                                  \
        TRY(slow);                                                                                                                         \
        NEXT();                                                                                                                            \
    }
#define DIVISION(name, c_operand, fn)                                                                                                      \
    op_##name:                                                                                                                             \
    {                                                                                                                                      \
        TRY(operate(vm, fn, &r[pc->a], &r[pc->b], c_operand));                                                                             \
        NEXT();                                                                                                                            \
    }
#define REMAINDER(name, c_operand)                                                                                                         \
    op_##name:                                                                                                                             \
    {                                                                                                                                      \
        const struct value *b = &r[pc->b], *c = c_operand;                                                                                 \
        if (NUMBERS(b, c) && c->number > 0) {                                                                                              \
            r[pc->a] = value_number(b->number % c->number);                                                                                \
            NEXT();                                                                                                                        \
        }                                                                                                                                  \
        TRY(operate(vm, arithmetic_remainder, &r[pc->a], b, c));                                                                           \
        NEXT();                                                                                                                            \
    }
// == and != on numbers, short texts and null, which are nearly all there are.
#define EQUALITY(name, c_operand, outcome, use)                                                                                            \
    op_##name:                                                                                                                             \
    {                                                                                                                                      \
        const struct value *b = &r[pc->b], *c = c_operand;                                                                                 \
        bool holds;                                                                                                                        \
        if (NUMBERS(b, c)) {                                                                                                               \
            holds = b->number == c->number;                                                                                                \
        } else if (b->type == VALUE_TEXT && c->type == VALUE_TEXT && b->len <= QUICK_TEXT_BYTES) {                                         \
            holds = b->len == c->len && same_bytes(b->text->bytes, c->text->bytes, b->len);                                                \
        } else if (b->type == VALUE_NULL || c->type == VALUE_NULL) {                                                                       \
            holds = b->type == c->type;                                                                                                    \
        } else {                                                                                                                           \
            bool equal; /* of its own: `holds` stays in a register */                                                                      \
            TRY(equal_slow(vm, b, c, &equal));                                                                                             \
            holds = equal;                                                                                                                 \
        }                                                                                                                                  \
        holds = holds == (outcome);                                                                                                        \
        use;                                                                                                                               \
    }
// < <= > >= on two numbers or two decimals.
#define ORDER(name, c_operand, which, sign, use)                                                                                           \
    op_##name:                                                                                                                             \
    {                                                                                                                                      \
        const struct value *b = &r[pc->b], *c = c_operand;                                                                                 \
        bool holds;                                                                                                                        \
        if (NUMBERS(b, c)) {                                                                                                               \
            holds = b->number sign c->number;                                                                                              \
        } else if (DECIMALS(b, c)) {                                                                                                       \
            holds = b->decimal sign c->decimal;                                                                                            \
        } else {                                                                                                                           \
            bool ordered;                                                                                                                  \
            TRY(order(vm, which, b, c, &ordered));                                                                                         \
            holds = ordered;                                                                                                               \
        }                                                                                                                                  \
        use;                                                                                                                               \
    }
#define STORE_BOOL                                                                                                                         \
    r[pc->a] = value_bool(holds);                                                                                                          \
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
    const struct instruction *pc; // the one that is executed
    const struct value *k;
    struct value *r;
    const struct value *returned;
    struct value result;

enter : // the newest frame begins, or goes on
{
    const struct frame *top = &vm->frames[vm->depth - 1];
    f = top->function;
    pc = top->pc;
    k = f->unit->constants;
    r = vm->stack + top->base;
    goto *labels[pc->op];
}

    // ---- loading
op_CONSTANT:
    r[pc->a] = k[instruction_wide(*pc)];
    NEXT();
op_NULL:
    r[pc->a] = value_null();
    NEXT();
op_MOVE:
    vm_move(&r[pc->a], &r[pc->b]);
    NEXT();
op_DATE:
    TRY(construct_date(vm->heap, k[instruction_wide(*pc)], &r[pc->a]));
    NEXT();
op_BOUND : {
    bool found;
    r[pc->a] = vm_bound(vm, value_view(k[instruction_wide(*pc)]), &found);
    NEXT();
}
op_INPUT:
    TRY(vm_input(vm, &r[pc->a]));
    NEXT();
op_FIELD : {
    struct value field;
    TRY(vm_field(vm, r[pc->b], f->unit->names[pc->c], &field));
    r[pc->a] = field;
    NEXT();
}
op_FRESH : {
    r[pc->a] = value_fresh(vm->heap);
    TRY(!vm->heap->failed || vm_memory_fail(vm));
    NEXT();
}
op_LIST : {
    struct value list;
    TRY(construct_list(vm->heap, &r[pc->b], pc->c, &list) || vm_memory_fail(vm));
    r[pc->a] = list;
    NEXT();
}
op_LIST_ADD:
    for (uint32_t n = 0; n < pc->c; n++) {
        TRY(list_add(vm->heap, r[pc->a].list, value_resolve(r[pc->b + n])) || vm_memory_fail(vm));
    }
    NEXT();
op_MAP : {
    struct value map = value_map(vm->heap, pc->c);
    TRY(map.type == VALUE_MAP && construct_map_put(vm->heap, map, &r[pc->b], pc->c) ? true : vm_memory_fail(vm));
    r[pc->a] = map;
    NEXT();
}
op_MAP_PUT:
    TRY(construct_map_put(vm->heap, r[pc->a], &r[pc->b], pc->c) || vm_memory_fail(vm));
    NEXT();
op_CONSTRUCT : {
    struct value list;
    TRY(construct_typed(vm->heap, r[pc->b], pc->flags, &list, vm->fail));
    TRY(!vm->heap->failed || vm_memory_fail(vm));
    r[pc->a] = list;
    NEXT();
}
op_COLLECTION:
    r[pc->a] = value_collection(vm->heap, value_resolve(r[pc->b]));
    TRY(!vm->heap->failed || vm_memory_fail(vm));
    NEXT();

    // ---- operators
    WHOLE(ADD, &r[pc->c], x + y, add(vm, &r[pc->a], b, c))
    WHOLE(ADD_K, &k[pc->c], x + y, add(vm, &r[pc->a], b, c))
    WHOLE(SUBTRACT, &r[pc->c], x - y, operate(vm, arithmetic_subtract, &r[pc->a], b, c))
    WHOLE(SUBTRACT_K, &k[pc->c], x - y, operate(vm, arithmetic_subtract, &r[pc->a], b, c))
    WHOLE(MULTIPLY, &r[pc->c], x * y, operate(vm, arithmetic_multiply, &r[pc->a], b, c))
    WHOLE(MULTIPLY_K, &k[pc->c], x * y, operate(vm, arithmetic_multiply, &r[pc->a], b, c))
    DIVISION(DIVIDE, &r[pc->c], arithmetic_divide)
    DIVISION(DIVIDE_K, &k[pc->c], arithmetic_divide)
    REMAINDER(REMAINDER, &r[pc->c])
    REMAINDER(REMAINDER_K, &k[pc->c])
    EQUALITY(EQUAL, &r[pc->c], true, STORE_BOOL)
    EQUALITY(NOT_EQUAL, &r[pc->c], false, STORE_BOOL)
    ORDER(LESS, &r[pc->c], COMPARE_LESS, <, STORE_BOOL)
    ORDER(LESS_EQUAL, &r[pc->c], COMPARE_LESS_EQUAL, <=, STORE_BOOL)
    ORDER(GREATER, &r[pc->c], COMPARE_GREATER, >, STORE_BOOL)
    ORDER(GREATER_EQUAL, &r[pc->c], COMPARE_GREATER_EQUAL, >=, STORE_BOOL)
op_IN:
    TRY(in(vm, &r[pc->a], &r[pc->b], &r[pc->c]));
    NEXT();
op_NEGATE : {
    TRY(arithmetic_negate(value_resolve(r[pc->b]), &result, vm->fail));
    r[pc->a] = result;
    NEXT();
}
op_PLUS : {
    TRY(arithmetic_plus(value_resolve(r[pc->b]), &result, vm->fail));
    r[pc->a] = result;
    NEXT();
}
op_NOT : {
    bool holds;
    TRY(compare_truth(value_resolve(r[pc->b]), &holds, vm->fail));
    r[pc->a] = value_bool(!holds);
    NEXT();
}

    // ---- control
op_JUMP:
    pc += (int32_t)instruction_wide(*pc);
    NEXT();
op_LOOP : {
    int32_t distance = (int32_t)instruction_wide(*pc); // negative: the body's length
    vm->budget += distance;
    if (BASE_UNLIKELY(vm->budget < 0)) {
        TRY(vm_give_way(vm));
    }
    pc += distance;
    NEXT();
}
op_TEST : {
    bool holds;
    if (BASE_LIKELY(r[pc->a].type == VALUE_BOOL)) {
        holds = r[pc->a].boolean;
    } else {
        TRY(compare_truth(value_resolve(r[pc->a]), &holds, vm->fail));
    }
    BRANCH(holds);
}
    EQUALITY(TEST_EQUAL, &r[pc->c], true, USE_BRANCH)
    EQUALITY(TEST_EQUAL_K, &k[pc->c], true, USE_BRANCH)
    EQUALITY(TEST_NOT_EQUAL, &r[pc->c], false, USE_BRANCH)
    EQUALITY(TEST_NOT_EQUAL_K, &k[pc->c], false, USE_BRANCH)
    ORDER(TEST_LESS, &r[pc->c], COMPARE_LESS, <, USE_BRANCH)
    ORDER(TEST_LESS_K, &k[pc->c], COMPARE_LESS, <, USE_BRANCH)
    ORDER(TEST_LESS_EQUAL, &r[pc->c], COMPARE_LESS_EQUAL, <=, USE_BRANCH)
    ORDER(TEST_LESS_EQUAL_K, &k[pc->c], COMPARE_LESS_EQUAL, <=, USE_BRANCH)
    ORDER(TEST_GREATER, &r[pc->c], COMPARE_GREATER, >, USE_BRANCH)
    ORDER(TEST_GREATER_K, &k[pc->c], COMPARE_GREATER, >, USE_BRANCH)
    ORDER(TEST_GREATER_EQUAL, &r[pc->c], COMPARE_GREATER_EQUAL, >=, USE_BRANCH)
    ORDER(TEST_GREATER_EQUAL_K, &k[pc->c], COMPARE_GREATER_EQUAL, >=, USE_BRANCH)
op_EACH:
    TRY(iterate_start(vm, &r[pc->a], r[pc->b], pc->flags != 0));
    NEXT();
op_EACH_NEXT : {
    struct value *it = &r[pc->a];
    uint32_t at = (uint32_t)it[1].number;
    if (at < it[1].len && at < it[0].list->count) { // the list may have become shorter behind an alias
        it[1].number++;
        r[pc->b] = it[0].list->items[at];
        pc++;
    }
    NEXT();
}
op_EACH_INDEX : {
    struct value *it = &r[pc->a];
    if (it[1].number < it[1].len) {
        r[pc->b] = value_number(it[1].number++);
        pc++;
    }
    NEXT();
}
op_STATEMENT:
    TRY((--vm->statements_left >= 0 && vm->budget >= 0) || statement_slow(vm));
    NEXT();

    // ---- calls
op_CALL : {
    vm->frames[vm->depth - 1].pc = pc + 1;
    const struct lang_function *callee = &f->unit->functions[pc->b];
    if (BASE_LIKELY(vm->budget >= CALL_COST && enter_at_once(vm, callee, &r[pc->c], pc->flags, pc->a))) {
        r += pc->c;
        f = callee; // of the same unit: the constants stay
        pc = f->code;
        goto *labels[pc->op];
    }
    TRY(vm_enter(vm, callee, (uint32_t)(r - vm->stack) + pc->c, pc->flags, pc->a));
    goto entered;
}
op_CALL_STORED : {
    vm->frames[vm->depth - 1].pc = pc + 1;
    const struct lang_function *callee = vm_find(vm, value_view(f->unit->names[pc->b]));
    TRY(callee != NULL && vm_enter(vm, callee, (uint32_t)(r - vm->stack) + pc->c, pc->flags, pc->a));
    goto entered;
}
entered:
    if (BASE_UNLIKELY(vm->budget < 0) && !vm_give_way(vm)) {
        vm->frames[vm->depth - 1].pc++; // the callee's: as if its first instruction had failed
        goto unwound;
    }
    goto enter;
op_NATIVE : {
    TRY(vm_native(vm, f->unit->groups[pc->b], false, &r[pc->c], pc->flags, &result, LINE()));
    vm_move(&r[pc->a], &result);
    NEXT();
}
op_GET : { // the usual receivers and keys are done here; what is not, METHOD looks at
    const struct value *at = &r[pc->c];
    struct value object = value_resolve(at[0]);
    if (object.type == VALUE_MAP && at[1].type == VALUE_TEXT) {
        vm->budget--;
        r[pc->a] = map_get(object.map, at[1], NULL);
        NEXT();
    }
    if (object.type == VALUE_LIST && at[1].type == VALUE_NUMBER && (uint64_t)at[1].number < object.list->count) {
        vm->budget--;
        r[pc->a] = object.list->items[at[1].number];
        NEXT();
    }
    goto op_METHOD;
}
op_PUT : {
    const struct value *at = &r[pc->c];
    struct value object = value_resolve(at[0]);
    if (object.type == VALUE_MAP && at[1].type == VALUE_TEXT) {
        vm->budget -= 2;
        TRY(map_put(vm->heap, object.map, at[1], value_resolve(at[2])) || vm_memory_fail(vm));
        r[pc->a] = value_null();
        NEXT();
    }
    goto op_METHOD;
}
op_ADD_ITEM : {
    const struct value *at = &r[pc->c];
    struct value object = value_resolve(at[0]);
    if (object.type == VALUE_LIST && object.list->item_type == 0) {
        vm->budget--;
        TRY(list_add(vm->heap, object.list, value_resolve(at[1])) || vm_memory_fail(vm));
        r[pc->a] = value_null();
        NEXT();
    }
    goto op_METHOD;
}
op_GET_K : {
    struct value object = value_resolve(r[pc->a]);
    if (BASE_LIKELY(object.type == VALUE_MAP)) {
        vm->budget--;
        const struct value *key = &k[pc->c];
        pc += pc->flags; // at the call that is not made now
        r[pc->a] = map_get(object.map, *key, NULL);
    }
    NEXT();
}
op_PUT_K : {
    struct value object = value_resolve(r[pc->a]);
    if (BASE_LIKELY(object.type == VALUE_MAP)) {
        vm->budget -= 2;
        TRY(map_put(vm->heap, object.map, k[pc->c], value_resolve(r[pc->b])) || vm_memory_fail(vm));
        pc += pc->flags;
        r[pc->a] = value_null();
    }
    NEXT();
}
op_METHOD : {
    TRY(vm_native(vm, f->unit->groups[pc->b], true, &r[pc->c], pc->flags, &result, LINE()));
    vm_move(&r[pc->a], &result);
    NEXT();
}
op_REFUSE:
    fail_set(vm->fail, FAIL_SCRIPT, "'%.*s' is a task of another Zoho service, which is not available here",
             VIEW_ARGS(value_view(f->unit->names[pc->b])));
    goto failed;
op_INFO:
    TRY(vm_info(vm, r[pc->a], LINE()));
    NEXT();
op_RETURN:
    TRY(convert_keeps(f->returns, r[pc->a]) || vm_convert_return(vm, &r[pc->a]));
    returned = &r[pc->a];
    goto leave;
op_RETURN_NULL:
    result = value_null();
    returned = &result;
    goto leave;
op_THROW:
    vm_throw(vm, r[pc->a], pc->flags != 0);
    goto failed;

leave : {
    const struct frame *left = &vm->frames[--vm->depth];
    if (vm->depth == 0) {
        *ret_value = *returned;
        return true;
    }
    vm_move(&vm->stack[vm->frames[vm->depth - 1].base + left->result], returned);
    goto enter;
}

failed:
    vm->frames[vm->depth - 1].pc = pc + 1;
unwound:
    if (!vm_unwind(vm)) {
        return false;
    }
    goto enter;
}
