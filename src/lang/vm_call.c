// SPDX-License-Identifier: Apache-2.0
//
// Everything of the VM that happens around instructions: entering functions, calling natives, giving way, errors on their way to a handler,
// and the public functions of lang.h. A script calling a script pushes a frame and goes on in the same loop, so that the C stack does not
// grow with it.
//
// A callee's registers begin where its arguments lie in the caller's temporaries: arguments are passed without being moved. The stack grows
// by being copied; only vm_enter does that, and nobody keeps a pointer into it over a call.

#include "lang/vm.h"

// ---- making -------------------------------------------------------------------------------------

// A run needs few frames and registers: what it has at first is small, since thousands of runs may wait at once.
struct vm *vm_new(struct heap *heap, const struct lang_host *host, const struct lang_limits *limits)
{
    struct vm *vm = heap_alloc(heap, sizeof(*vm));
    struct value *stack = heap_alloc(heap, VM_STACK_FIRST * sizeof(*stack));
    struct frame *frames = heap_alloc(heap, VM_FRAMES_FIRST * sizeof(*frames));
    if (vm == NULL || stack == NULL || frames == NULL) {
        return NULL;
    }
    *vm = (struct vm){.heap = heap, .limits = *limits, .statements_left = limits->statements_max, .stack = stack, .frames = frames};
    vm->stack_cap = VM_STACK_FIRST;
    vm->frame_cap = VM_FRAMES_FIRST;
    if (host != NULL) {
        vm->host = *host;
    }
#if defined(SLUICE_HOSTILE)
    vm->limits.slice = 1;
#endif
    vm->budget = vm->limits.slice;
    vm->call = (struct native_call){.heap = heap, .host = vm->host.user, .interrupt = vm->host.interrupt};
    return vm;
}

bool vm_bind(struct vm *vm, struct view name, struct value value)
{
    struct value copy = value_text(vm->heap, name);
    if (vm->binding_count == VM_BINDINGS_MAX || copy.type != VALUE_TEXT) {
        return false;
    }
    vm->binding_names[vm->binding_count] = value_view(copy);
    vm->bindings[vm->binding_count++] = value;
    return true;
}

// Few names: a search in line.
struct value vm_bound(const struct vm *vm, struct view name, bool *ret_found)
{
    for (int i = vm->binding_count - 1; i >= 0; i--) { // the newest of a name counts
        if (view_eq(vm->binding_names[i], name)) {
            *ret_found = true;
            return vm->bindings[i];
        }
    }
    *ret_found = false;
    return value_null();
}

int64_t vm_statements(const struct vm *vm)
{
    int64_t left = vm->statements_left < 0 ? 0 : vm->statements_left;
    return vm->limits.statements_max - left;
}

struct view vm_current_function(const struct vm *vm)
{
    const struct lang_function *f = vm->depth > 0 ? vm->frames[vm->depth - 1].function : vm->last;
    return f == NULL ? VIEW_NONE : f->info.name;
}

void vm_walk_roots(struct vm *vm, void (*visit)(void *arg, struct value *value), void *arg)
{
    uint32_t end = 0;
    if (vm->depth > 0) {
        const struct frame *top = &vm->frames[vm->depth - 1];
        end = top->base + top->function->registers;
    }
    for (uint32_t i = 0; i < end; i++) {
        visit(arg, &vm->stack[i]);
    }
    for (int i = 0; i < vm->binding_count; i++) {
        visit(arg, &vm->bindings[i]);
    }
}

// ---- limits -------------------------------------------------------------------------------------

bool vm_memory_fail(struct vm *vm)
{
    vm->uncatchable = true;
    return fail_set(vm->fail, FAIL_LIMIT, "the memory limit of %zu bytes was reached", vm->heap->bytes_max);
}

// The host says whether the run goes on. Its no cannot be caught, whatever code it has.
bool vm_give_way(struct vm *vm)
{
    vm->budget = vm->limits.slice;
    if (vm->host.give_way != NULL && !vm->host.give_way(vm->host.user, vm->fail)) {
        vm->uncatchable = true;
        return false;
    }
    if (vm->host.give_way == NULL && lang_interrupted(vm->host.interrupt)) {
        vm->uncatchable = true;
        return fail_set(vm->fail, FAIL_CANCELLED, NULL);
    }
    return true;
}

// The old stack stays in the heap until the run ends; doubling bounds what that wastes by the newest one's size.
static bool stack_reserve(struct vm *vm, uint32_t used, uint32_t needed)
{
    if (needed <= vm->stack_cap) {
        return true;
    }
    uint32_t cap = vm->stack_cap * 2 > needed ? vm->stack_cap * 2 : needed;
    struct value *stack = heap_alloc(vm->heap, cap * sizeof(*stack));
    if (stack == NULL) {
        return vm_memory_fail(vm);
    }
    memcpy(stack, vm->stack, used * sizeof(*stack));
    vm->stack = stack;
    vm->stack_cap = cap;
    return true;
}

static bool frames_reserve(struct vm *vm)
{
    // The function that the host called is no call; each one inside it is (spec/deluge-language.md §8.3: 75 calls).
    if (vm->depth > vm->limits.depth_max) {
        vm->uncatchable = true;
        return fail_set(vm->fail, FAIL_LIMIT, "The limit of Function Call has reached its maximum %d", vm->limits.depth_max);
    }
    if (vm->depth < vm->frame_cap) {
        return true;
    }
    struct frame *frames = heap_alloc(vm->heap, (size_t)vm->frame_cap * 2 * sizeof(*frames));
    if (frames == NULL) {
        return vm_memory_fail(vm);
    }
    memcpy(frames, vm->frames, (size_t)vm->depth * sizeof(*frames));
    vm->frames = frames;
    vm->frame_cap *= 2;
    return true;
}

// ---- script functions ---------------------------------------------------------------------------

// The parameter's name is added to Zoho's text: over HTTP it is the only hint a caller gets.
static bool convert_argument(struct vm *vm, const struct lang_function *f, int index, struct value *argument)
{
    bool bound = false;
    if (vm->depth == 0 && f->bound[index]) { // bind_parameters will replace it: do not print a whole request for nothing
        vm_bound(vm, f->info.parameters[index].name, &bound);
    }
    if (bound) {
        return true;
    }
    vm->budget -= argument->type == VALUE_TEXT ? argument->len >> 6 : 0;
    if (!convert_value(vm->heap, *argument, f->converts[index], argument, vm->fail)) {
        char text[FAIL_TEXT_MAX];
        memcpy(text, vm->fail->text, sizeof(text));
        struct view name = f->info.parameters[index].name;
        return fail_set(vm->fail, vm->fail->code, "%s (parameter '%.*s')", text, VIEW_ARGS(name));
    }
    return !vm->heap->failed || vm_memory_fail(vm);
}

// Scripts must pass as many arguments as are declared (§8.1); the host may leave out the last ones, which are null then.
bool vm_enter(struct vm *vm, const struct lang_function *f, uint32_t base, int count, uint32_t result)
{
    uint32_t used = base + (uint32_t)count;
    uint32_t needed = base + (f->registers > (uint32_t)count ? f->registers : (uint32_t)count);
    if (!frames_reserve(vm) || !stack_reserve(vm, used, needed)) {
        return false;
    }
    if (count > f->info.parameter_count || (count < f->info.parameter_count && vm->depth > 0)) {
        return fail_set(vm->fail, FAIL_SCRIPT, "Number of Arguments mismatches for the function %.*s", VIEW_ARGS(f->info.name));
    }
    struct value *registers = vm->stack + base;
    for (int i = 0; i < count; i++) {
        if (!convert_argument(vm, f, i, &registers[i])) {
            return false;
        }
    }
    for (uint32_t i = (uint32_t)count; i < f->registers; i++) {
        registers[i] = value_null();
    }
    vm->frames[vm->depth++] = (struct frame){.function = f, .pc = f->code, .base = base, .result = result};
    vm->budget -= CALL_COST;
    return true;
}

// May give way while a function is compiled; the VM holds nothing that this could change.
const struct lang_function *vm_find(struct vm *vm, struct view name)
{
    const struct lang_function *f = vm->host.find_function == NULL ? NULL : vm->host.find_function(vm->host.user, name);
    if (f == NULL) {
        fail_set(vm->fail, FAIL_SCRIPT, "Not able to find '%.*s' function", VIEW_ARGS(name));
    }
    return f;
}

bool vm_convert_return(struct vm *vm, struct value *v)
{
    const struct lang_function *f = vm->frames[vm->depth - 1].function;
    *v = value_resolve(*v);
    // What the outermost function returns goes to the host as it is: a map may be a crmAPIResponse, and the declared type is visible to it.
    if (v->type == VALUE_NULL || (f->returns == CONVERT_TEXT && vm->depth == 1)) {
        return true;
    }
    return convert_value(vm->heap, *v, f->returns, v, vm->fail) && (!vm->heap->failed || vm_memory_fail(vm));
}

// Sets the first frame's arguments: what the host binds counts, whatever was passed.
static bool first_arguments(struct vm *vm, const struct lang_function *f, const struct value *args, int count)
{
    if (!stack_reserve(vm, 0, f->registers + (uint32_t)count)) {
        return false;
    }
    if (count > 0) {
        memcpy(vm->stack, args, (size_t)count * sizeof(*args));
    }
    return true;
}

static void bind_parameters(struct vm *vm, const struct lang_function *f)
{
    for (int i = 0; i < f->info.parameter_count; i++) {
        bool found = false;
        struct value v = f->bound[i] ? vm_bound(vm, f->info.parameters[i].name, &found) : value_null();
        if (found) {
            vm->stack[i] = v;
        }
    }
}

bool vm_call(struct vm *vm, const struct lang_function *function, const struct value *args, int count, struct value *ret_value,
             struct fail *fail)
{
    assert(vm->depth == 0); // a native must not call it for its own VM
    vm->fail = fail;
    vm->call.fail = fail;
    vm->uncatchable = false;
    vm->last = function;
    fail_clear(fail);
    bool entered = first_arguments(vm, function, args, count) && vm_enter(vm, function, 0, count, 0);
    if (!entered) {
        fail->line = function->info.line;
        snprintf(fail->file, sizeof(fail->file), "%s", function->unit->file);
        return false;
    }
    bind_parameters(vm, function);
    bool done = vm_run(vm, ret_value);
    vm->depth = 0;
    return done;
}

// ---- natives ------------------------------------------------------------------------------------

// Why no row fits: nothing to choose by, a null receiver, or a type that the name does not exist for.
static bool no_row(struct vm *vm, const struct native_group *group, bool method, const struct value *args, int count)
{
    const char *name = group->first->name;
    if (count == 0) {
        return fail_set(vm->fail, FAIL_SCRIPT, "No. of arguments mismatches for the function %s", name);
    }
    if (args[0].type == VALUE_NULL) {
        return fail_set(vm->fail, FAIL_SCRIPT, "Value is empty and '%s' function cannot be applied", name); // spec/deluge-language.md §9.1
    }
    return fail_set(vm->fail, FAIL_SCRIPT, "'%s' function cannot be applied to %s%s", name, value_type_name(args[0]),
                    method ? "" : " values");
}

// f(x) prefers the row without receiver, x.f() has only rows by type.
static const struct native *pick_row(const struct native_group *group, bool method, const struct value *args, int count)
{
    if (!method && group->function != NULL) {
        return group->function;
    }
    return count > 0 ? group->by_type[args[0].type] : NULL;
}

// A native said no. When the run is to end, the reason is the host's, not what the native made of it.
static bool native_failed(struct vm *vm)
{
    if (lang_interrupted(vm->host.interrupt) && !vm_give_way(vm)) {
        return false;
    }
    if (vm->heap->failed) {
        return vm_memory_fail(vm);
    }
    if (vm->fail->code == FAIL_NONE) {
        fail_set(vm->fail, FAIL_SCRIPT, "An error occurred while performing this action");
    }
    return false;
}

BASE_HOT bool vm_native(struct vm *vm, const struct native_group *group, bool method, struct value *args, int count,
                        struct value *ret_value, int line)
{
    for (int i = 0; i < count; i++) {
        if (args[i].type == VALUE_FRESH) {
            args[i] = value_resolve(args[i]);
        }
    }
    const struct native *row = pick_row(group, method, args, count);
    if (BASE_UNLIKELY(row == NULL)) {
        return no_row(vm, group, method, args, count);
    }
    if (BASE_UNLIKELY(count < row->args_min || count > row->args_max)) {
        return fail_set(vm->fail, FAIL_SCRIPT, "No. of arguments mismatches for the function %s", row->name);
    }
    if (BASE_UNLIKELY(group->reads_field && count == 2 && caught_is(args[0]) && args[1].type == VALUE_TEXT) &&
        caught_field(vm->heap, args[0], value_view(args[1]), ret_value)) {
        return true;
    }
    struct native_call *call = &vm->call;
    struct value result = value_null();
    call->native = row;
    call->args = args;
    call->count = count;
    call->ret = &result;
    call->cost = 0;
    call->line = line;
    bool done = row->fn(call);
    vm->budget -= row->cost + call->cost;
    if (BASE_UNLIKELY(!done)) {
        return native_failed(vm);
    }
    if (BASE_UNLIKELY(vm->heap->failed)) {
        return vm_memory_fail(vm);
    }
    vm_move(ret_value, &result);
    return BASE_LIKELY(vm->budget >= 0 && !lang_interrupted(vm->host.interrupt)) || vm_give_way(vm);
}

// ---- errors -------------------------------------------------------------------------------------

static const struct handler *find_handler(const struct lang_function *f, uint32_t index, const struct fail *fail)
{
    bool is_index = view_starts(view_of(fail->text), VIEW("Given index ")); // Zoho's text for an index out of range
    for (uint32_t i = 0; i < f->handler_count; i++) {
        const struct handler *handler = &f->handlers[i];
        if (index >= handler->start && index < handler->end && (is_index || !handler->index_only)) {
            return handler;
        }
    }
    return NULL;
}

// Limits and our own mistakes end the run: a script that caught them would run on without them.
static bool is_catchable(const struct vm *vm)
{
    switch (vm->fail->code) {
    case FAIL_LIMIT:
    case FAIL_CANCELLED:
    case FAIL_MEMORY:
    case FAIL_INTERNAL:
        return false;
    default:
        return !vm->uncatchable;
    }
}

// Where it happened: the innermost function, even if the handler is in an outer one.
static void place_failure(struct vm *vm)
{
    const struct frame *top = &vm->frames[vm->depth - 1];
    uint32_t index = (uint32_t)(top->pc - top->function->code) - 1;
    vm->last = top->function;
    vm->fail->line = vm->thrown_line != 0 ? vm->thrown_line : (int)top->function->lines[index];
    vm->fail->column = 0;
    vm->thrown_line = 0;
    snprintf(vm->fail->file, sizeof(vm->fail->file), "%s", top->function->unit->file);
}

// Frames without a handler are dropped on the way; a caller's place is its call.
bool vm_unwind(struct vm *vm)
{
    place_failure(vm);
    while (is_catchable(vm) && vm->depth > 0) {
        struct frame *frame = &vm->frames[vm->depth - 1];
        const struct handler *handler = find_handler(frame->function, (uint32_t)(frame->pc - frame->function->code) - 1, vm->fail);
        if (handler != NULL) {
            vm->budget -= handler - frame->function->handlers; // those that were looked at in vain
            struct value caught = handler->index_only ? value_null() : caught_make(vm->heap, vm->fail);
            if (vm->heap->failed) {
                vm_memory_fail(vm);
                place_failure(vm);
                return false;
            }
            vm->stack[frame->base + handler->variable] = caught;
            frame->pc = frame->function->code + handler->target;
            fail_clear(vm->fail);
            return true;
        }
        vm->depth--;
    }
    return false;
}

// Whatever is thrown becomes the message, printed; maps as JSON.
bool vm_throw(struct vm *vm, struct value v, bool again)
{
    if (caught_is(v)) {
        vm->thrown_line = again ? caught_line(v) : 0;
        return fail_set(vm->fail, FAIL_SCRIPT, "%.*s", VIEW_ARGS(caught_message(v)));
    }
    struct value text = v.type == VALUE_TEXT ? v : value_to_text(vm->heap, value_resolve(v), vm->fail);
    if (text.type != VALUE_TEXT) {
        return vm->heap->failed ? vm_memory_fail(vm) : false;
    }
    return fail_set(vm->fail, FAIL_SCRIPT, "%.*s", VIEW_ARGS(value_view(text)));
}

// ---- the rest that instructions ask for ---------------------------------------------------------

// The host gets text and decides what a line may cost; printing counts as instructions.
bool vm_info(struct vm *vm, struct value v, int line)
{
    struct value text = v.type == VALUE_TEXT ? v : value_to_text(vm->heap, value_resolve(v), vm->fail);
    if (text.type != VALUE_TEXT) {
        return vm->heap->failed ? vm_memory_fail(vm) : false;
    }
    vm->budget -= CALL_COST + (text.len >> 6);
    if (vm->host.info != NULL) {
        vm->host.info(vm->host.user, line, text);
    }
    return vm->budget >= 0 || vm_give_way(vm);
}

// The request objects belong to `input` whether the function declares them or not (spec/platform.md §1.5).
static void put_requests(struct vm *vm, struct map *input)
{
    static const struct view names[] = {{"crmAPIRequest", 13}, {"requestMap", 10}};
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        bool found;
        struct value request = vm_bound(vm, names[i], &found);
        if (found && value_is_null(map_get_text(input, names[i]))) {
            map_put_text(vm->heap, input, names[i], request);
        }
    }
}

// Without a bound one, `input` is made from the parameters as they are now: it is a view, not what was passed.
bool vm_input(struct vm *vm, struct value *ret_value)
{
    bool found;
    struct value bound = vm_bound(vm, VIEW("input"), &found);
    if (found && value_as_map(bound) != NULL) {
        *ret_value = bound;
        return true;
    }
    const struct frame *top = &vm->frames[vm->depth - 1];
    const struct lang_function_info *info = &top->function->info;
    struct value map = value_map(vm->heap, (size_t)info->parameter_count);
    for (int i = 0; map.type == VALUE_MAP && i < info->parameter_count; i++) {
        map_put_text(vm->heap, map.map, info->parameters[i].name, value_resolve(vm->stack[top->base + (uint32_t)i]));
    }
    if (map.type == VALUE_MAP) {
        put_requests(vm, map.map);
    }
    if (vm->heap->failed) {
        return vm_memory_fail(vm);
    }
    *ret_value = map;
    return true;
}

// x.name without parentheses: a caught error's fields, else a map's key, also of text that holds a JSON object (§1.3).
bool vm_field(struct vm *vm, struct value object, struct value name, struct value *ret_value)
{
    object = value_resolve(object);
    vm->budget -= object.type == VALUE_TEXT ? object.len >> 4 : 0; // read as JSON
    struct view field = value_view(name);
    if (caught_is(object) && caught_field(vm->heap, object, field, ret_value)) {
        return true;
    }
    struct map *map = value_as_map(object);
    if (object.type == VALUE_TEXT && !operate_text_map(vm->heap, object, &map, vm->fail)) {
        return false;
    }
    if (map != NULL) {
        *ret_value = map_get(map, name, NULL);
        return true;
    }
    if (object.type == VALUE_NULL) {
        return fail_set(vm->fail, FAIL_SCRIPT, "Value is empty and '%.*s' function cannot be applied", VIEW_ARGS(field));
    }
    if (object.type == VALUE_FRESH) {
        *ret_value = value_null();
        return true;
    }
    return fail_set(vm->fail, FAIL_SCRIPT, "'%.*s' is not a field of %s", VIEW_ARGS(field), value_type_name(object));
}
