// SPDX-License-Identifier: Apache-2.0
//
// Switching stacks, and the only file that tells AddressSanitizer, ThreadSanitizer and valgrind about it.
//
// On x86-64 a switch is a dozen instructions: it saves what the calling convention says a callee keeps (rbx, rbp, r12–r15 and the return
// address) on the old stack, takes the new stack pointer and restores the same from there: 3 ns and no system call, where swapcontext makes
// two. The floating point control words are not saved: nothing in the program changes them. Other machines use ucontext.
//
// A fresh stack is laid out as if it had been switched away from at the first instruction of its entry function.
#include "loop/internal.h"

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef VALGRIND_STACK_REGISTER
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id) (void)(id)
#endif
#ifdef LOOP_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef LOOP_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#ifndef LOOP_UCONTEXT

// Saves the current stack pointer in *save and goes on where `sp` was saved.
void switch_stacks(void **save, void *sp);

__asm__(".text\n"
        ".p2align 4\n"
        ".globl switch_stacks\n"
        ".hidden switch_stacks\n"
        ".type switch_stacks, @function\n"
        "switch_stacks:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    popq %rcx\n"
        "    jmp *%rcx\n"
        ".size switch_stacks, . - switch_stacks\n");

static void lay_out_stack(struct fiber *fiber, void (*entry)(void))
{
    // From the top: a null return address, the entry, six saved registers. At the entry the stack pointer is 8 past a multiple of 16, as
    // after a call.
    void **top = (void **)((uintptr_t)(fiber->stack + fiber->stack_bytes) & ~(uintptr_t)15);
    *--top = NULL;
    *--top = (void *)(uintptr_t)entry;
    for (int i = 0; i < 6; i++) {
        *--top = NULL;
    }
    fiber->sp = top;
}

#define SWAP_TO_FIBER(loop, fiber) switch_stacks(&(loop)->sp, (fiber)->sp)
#define SWAP_TO_LOOP(loop, fiber) switch_stacks(&(fiber)->sp, (loop)->sp)

#else

static void lay_out_stack(struct fiber *fiber, void (*entry)(void))
{
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = fiber->stack_bytes;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, entry, 0);
}

#define SWAP_TO_FIBER(loop, fiber) swapcontext(&(loop)->context, &(fiber)->context)
#define SWAP_TO_LOOP(loop, fiber) swapcontext(&(fiber)->context, &(loop)->context)

#endif

void switch_prepare_loop(struct loop *loop)
{
    (void)loop;
#ifdef LOOP_TSAN
    loop->sanitizer = __tsan_get_current_fiber();
#endif
}

// valgrind would take the jump of the stack pointer for a giant frame.
void switch_prepare_fiber(struct fiber *fiber, void (*entry)(void))
{
    fiber->valgrind_id = VALGRIND_STACK_REGISTER(fiber->stack, fiber->stack + fiber->stack_bytes);
#ifdef LOOP_TSAN
    fiber->sanitizer = __tsan_create_fiber(0);
#endif
    lay_out_stack(fiber, entry);
}

void switch_release_fiber(struct fiber *fiber)
{
    VALGRIND_STACK_DEREGISTER(fiber->valgrind_id);
#ifdef LOOP_TSAN
    __tsan_destroy_fiber(fiber->sanitizer);
#endif
#ifdef LOOP_ASAN
    ASAN_UNPOISON_MEMORY_REGION(fiber->stack, fiber->stack_bytes); // the entry function's frame never ended
#endif
}

void switch_arrived(struct fiber *fiber)
{
    (void)fiber;
#ifdef LOOP_ASAN
    // The first fiber of a loop learns where the loop's own stack lies.
    __sanitizer_finish_switch_fiber(fiber->sanitizer, &fiber->loop->stack_bottom, &fiber->loop->stack_bytes);
#endif
}

void switch_to_fiber(struct loop *loop, struct fiber *fiber)
{
#ifdef LOOP_ASAN
    __sanitizer_start_switch_fiber(&loop->sanitizer, fiber->stack, fiber->stack_bytes);
#endif
#ifdef LOOP_TSAN
    __tsan_switch_to_fiber(fiber->sanitizer, 0);
#endif
    SWAP_TO_FIBER(loop, fiber);
#ifdef LOOP_ASAN
    __sanitizer_finish_switch_fiber(loop->sanitizer, NULL, NULL);
#endif
}

void switch_to_loop(struct loop *loop, struct fiber *fiber)
{
#ifdef LOOP_ASAN
    __sanitizer_start_switch_fiber(&fiber->sanitizer, loop->stack_bottom, loop->stack_bytes);
#endif
#ifdef LOOP_TSAN
    __tsan_switch_to_fiber(loop->sanitizer, 0);
#endif
    SWAP_TO_LOOP(loop, fiber);
    switch_arrived(fiber);
}
