// SPDX-License-Identifier: Apache-2.0
//
// Inside header of the VM: its state, and what the instruction loop (vm.c) asks of the files around it. Every value that lives longer than
// one instruction is on the VM's stack or among its bindings, so that vm_walk_roots sees all of them whenever the VM gives way.
//
// The stack may move when a function is called, never otherwise: a native's arguments are a part of it.
#pragma once

#include "lang/bytecode.h"

enum {
    VM_BINDINGS_MAX = 8,
    VM_STACK_FIRST = 128, // registers
    VM_FRAMES_FIRST = 8,
};

struct frame {
    const struct lang_function *function;
    const struct instruction *pc; // of a caller: behind its call; of the running frame: set where an error is looked up
    uint32_t base; // of its registers in the stack
    uint32_t result; // the caller's register that takes the returned value
};

struct vm {
    struct heap *heap;
    struct lang_host host;
    struct lang_limits limits;
    int64_t statements_left;
    int64_t budget; // instructions until the next give-way
    struct value *stack;
    uint32_t stack_cap;
    struct frame *frames;
    int depth, frame_cap; // frames in use
    struct native_call call;
    struct fail *fail;
    bool uncatchable; // the failure ends the run whatever handlers there are
    int thrown_line; // of an error that is thrown on, else 0
    const struct lang_function *last; // where the run failed
    struct view binding_names[VM_BINDINGS_MAX];
    struct value bindings[VM_BINDINGS_MAX];
    int binding_count;
};

// A value that was just written, as two words, cannot be read as one of 16 bytes without waiting for it to reach the cache. The barrier
// keeps compilers from making one of two.
static inline void vm_move(struct value *to, const struct value *from)
{
    uint64_t head;
    int64_t body = from->number;
    memcpy(&head, from, sizeof(head));
#if defined(__GNUC__)
    __asm__("" : "+r"(head));
#endif
    memcpy(to, &head, sizeof(head));
    to->number = body;
}

// ---- vm.c ---------------------------------------------------------------------------------------

bool vm_run(struct vm *vm, struct value *ret_value); // until the first frame returns

// ---- vm_call.c ----------------------------------------------------------------------------------

bool vm_memory_fail(struct vm *vm); // the heap's limit; returns false
// Enters a function whose `count` arguments lie in the stack from `base`; they are converted in place.
bool vm_enter(struct vm *vm, const struct lang_function *function, uint32_t base, int count, uint32_t result);
// Converts what the running function returns, as its caller sees it.
bool vm_convert_return(struct vm *vm, struct value *v);
const struct lang_function *vm_find(struct vm *vm, struct view name); // asks the host; NULL with the failure set
bool vm_native(struct vm *vm, const struct native_group *group, bool method, struct value *args, int count, struct value *ret_value,
               int line);
bool vm_give_way(struct vm *vm);
// Finds the handler for vm->fail, pops frames up to it and puts the error in its variable; false when there is none.
bool vm_unwind(struct vm *vm);
bool vm_info(struct vm *vm, struct value v, int line);
bool vm_throw(struct vm *vm, struct value v, bool again); // sets the failure; returns false
struct value vm_bound(const struct vm *vm, struct view name, bool *ret_found);
bool vm_input(struct vm *vm, struct value *ret_value);
bool vm_field(struct vm *vm, struct value object, struct value name, struct value *ret_value);

// ---- iterate.c: for each ------------------------------------------------------------------------

// it[0] is the list that is gone through, it[1] the position (its `len`: how many there were at the start), it[2] a list kept for
// snapshots.
bool iterate_start(struct vm *vm, struct value *it, struct value source, bool changes);

// ---- construct.c: literals and constructors -----------------------------------------------------

bool construct_list(struct heap *heap, const struct value *items, uint32_t count, struct value *ret_value);
bool construct_map_put(struct heap *heap, struct value map, const struct value *pairs, uint32_t count);
bool construct_typed(struct heap *heap, struct value list, enum value_type item_type, struct value *ret_value, struct fail *fail);
bool construct_date(struct heap *heap, struct value text, struct value *ret_value);

// ---- caught.c: the value of catch(e) ------------------------------------------------------------

struct value caught_make(struct heap *heap, const struct fail *fail);
bool caught_is(struct value v);
bool caught_field(struct heap *heap, struct value caught, struct view name, struct value *ret_value); // message, lineNo; false: neither
struct view caught_message(struct value caught);
int caught_line(struct value caught);
