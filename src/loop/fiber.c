// SPDX-License-Identifier: Apache-2.0
//
// Fibers and their stacks. A stack is a mapping with a guard page below it; `struct fiber` stands at its top, so that a fiber is one
// mapping and nothing else. Stacks that ended wait in the pool of their loop: a hot call takes one from there without a lock or a system
// call.
//
// A pooled stack is not empty: its entry function sits in an endless loop, and starting a fiber means resuming that loop with another
// function.
//
// The pool is last in, first out. Once a second the stacks at its far end, which nobody needed since the last look, give their memory back
// (MADV_DONTNEED) and become cold; cold ones beyond a handful are unmapped. Stacks mapped in the process are counted: that count, not the
// number of living fibers, is what the kernel's limit of maps bounds. So that one loop's free stacks cannot starve another loop, none are
// kept beyond a small set while more than half of the count is taken.
#include "loop/internal.h"

#include <sys/mman.h>
#include <unistd.h>

enum {
    POOL_HOT = 64, // free stacks a loop keeps with their memory
    POOL_COLD = 512, // trimmed ones it keeps mapped
    POOL_TRIM_MS = 1000,
    POOL_TRIM_BATCH = 512, // stacks trimmed or unmapped at one look: bounds the pause
    READY_ROUNDS_MAX = 64, // fibers that wake each other may not keep the loop from its sockets
    YIELDED_SLICE_NS = 100 * 1000, // those that yielded run together for as long, then sockets are looked at again
    COLOURS = 8,
    COLOUR_BYTES = 256, // stacks begin at different cache lines
    TRIM_KEEP_BYTES = 4096, // the entry function's frame
    THREAD_STACK_LEFT = 1024 * 1024, // what loop_stack_left says off the fibers
};

static atomic_int stacks_mapped;

// ---- queues -------------------------------------------------------------------------------------

// A fiber stands in at most one queue at a time, so the links live in the fiber and queueing takes no memory.
void queue_push(struct fiber **first, struct fiber **last, struct fiber *fiber)
{
    fiber->next = NULL;
    fiber->before = *last;
    if (*last) {
        (*last)->next = fiber;
    } else {
        *first = fiber;
    }
    *last = fiber;
}

void queue_remove(struct fiber **first, struct fiber **last, struct fiber *fiber)
{
    *(fiber->before ? &fiber->before->next : first) = fiber->next;
    *(fiber->next ? &fiber->next->before : last) = fiber->before;
    fiber->next = fiber->before = NULL;
}

static struct fiber *queue_pop(struct fiber_queue *queue)
{
    struct fiber *fiber = queue->first;
    queue_remove(&queue->first, &queue->last, fiber);
    return fiber;
}

// ---- stacks -------------------------------------------------------------------------------------

// Never returns: a fiber that ended is a fiber that waits to be given its next function.
static void run_fibers(void); // the entry function

static void time_out_fiber(void *arg)
{
    fiber_wake(arg, WAKE_TIMEOUT);
}

// MAP_NORESERVE: 20,000 stacks are address space, not memory; pages come as they are touched. The guard page turns an overflow into a
// crash at the place where it happens.
static struct fiber *map_stack(struct loop *loop)
{
    if (atomic_fetch_add(&stacks_mapped, 1) >= LOOP_FIBERS_MAX) {
        atomic_fetch_sub(&stacks_mapped, 1);
        return NULL;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = page + LOOP_STACK_REAL_BYTES;
    char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (map == MAP_FAILED || mprotect(map, page, PROT_NONE) != 0) {
        if (map != MAP_FAILED) {
            munmap(map, bytes);
        }
        atomic_fetch_sub(&stacks_mapped, 1);
        return NULL;
    }
    size_t at = bytes - (sizeof(struct fiber) + 63) / 64 * 64 - (size_t)(loop->colour++ % COLOURS) * COLOUR_BYTES;
    struct fiber *fiber = (struct fiber *)(void *)(map + at);
    *fiber = (struct fiber){.loop = loop, .map = map, .map_bytes = bytes, .stack = map + page, .stack_bytes = at - page};
    timer_init(&fiber->timer, loop, time_out_fiber, fiber);
    switch_prepare_fiber(fiber, run_fibers);
    return fiber;
}

static void unmap_stack(struct fiber *fiber)
{
    switch_release_fiber(fiber);
    munmap(fiber->map, fiber->map_bytes);
    atomic_fetch_sub(&stacks_mapped, 1);
}

bool fiber_full(void)
{
    return atomic_load_explicit(&stacks_mapped, memory_order_relaxed) >= LOOP_FIBERS_MAX;
}

// The entry function sleeps in the topmost bytes; everything below may be forgotten and reads as zeros when it is touched again.
static void trim_stack(struct fiber *fiber)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t end = ((uintptr_t)(fiber->stack + fiber->stack_bytes) - TRIM_KEEP_BYTES) & ~(page - 1);
    madvise(fiber->stack, end - (uintptr_t)fiber->stack, MADV_DONTNEED);
}

// Stacks below the pool's low-water mark were not needed since the last look: they are the last ones of the list.
static void trim_pool(void *arg)
{
    struct loop *loop = arg;
    int spare = loop->pool_low - POOL_HOT;
    spare = spare > POOL_TRIM_BATCH ? POOL_TRIM_BATCH : spare;
    if (spare > 0) {
        struct fiber **link = &loop->pool;
        for (int keep = loop->pool_count - spare; keep > 0; keep--) {
            link = &(*link)->next;
        }
        struct fiber *rest = *link;
        *link = NULL;
        loop->pool_count -= spare;
        while (rest) {
            struct fiber *fiber = rest;
            rest = rest->next;
            trim_stack(fiber);
            fiber->next = loop->cold;
            loop->cold = fiber;
            loop->cold_count++;
        }
    }
    for (int i = 0; i < POOL_TRIM_BATCH && loop->cold_count > POOL_COLD; i++) {
        struct fiber *fiber = loop->cold;
        loop->cold = fiber->next;
        loop->cold_count--;
        unmap_stack(fiber);
    }
    loop->pool_low = loop->pool_count;
    if (loop->pool_count > POOL_HOT || loop->cold_count > POOL_COLD) {
        loop_timer_start(&loop->trim, POOL_TRIM_MS);
    }
}

// Only beyond the hot set does ending a fiber cost more than two pointer writes.
static void pool_stack(struct loop *loop, struct fiber *fiber)
{
    if (loop->pool_count >= POOL_HOT) {
        if (atomic_load_explicit(&stacks_mapped, memory_order_relaxed) > LOOP_FIBERS_MAX / 2) {
            unmap_stack(fiber);
            return;
        }
        if (!loop->trim.armed) {
            timer_init(&loop->trim, loop, trim_pool, loop);
            loop_timer_start(&loop->trim, POOL_TRIM_MS);
        }
    }
    fiber->next = loop->pool;
    loop->pool = fiber;
    loop->pool_count++;
}

// Hot ones first: their pages and cache lines are warm.
static struct fiber *take_stack(struct loop *loop)
{
    struct fiber *fiber = loop->pool;
    if (BASE_LIKELY(fiber != NULL)) {
        loop->pool = fiber->next;
        loop->pool_count--;
        loop->pool_low = loop->pool_count < loop->pool_low ? loop->pool_count : loop->pool_low;
        return fiber;
    }
    fiber = loop->cold;
    if (fiber) {
        loop->cold = fiber->next;
        loop->cold_count--;
        return fiber;
    }
    return map_stack(loop);
}

void fiber_pool_free(struct loop *loop)
{
    loop_timer_stop(&loop->trim);
    while (loop->pool) {
        struct fiber *fiber = loop->pool;
        loop->pool = fiber->next;
        unmap_stack(fiber);
    }
    while (loop->cold) {
        struct fiber *fiber = loop->cold;
        loop->cold = fiber->next;
        unmap_stack(fiber);
    }
    loop->pool_count = loop->cold_count = loop->pool_low = 0;
}

// ---- life ---------------------------------------------------------------------------------------

static void count_alive(struct loop *loop, int change)
{
    int count = atomic_load_explicit(&loop->alive_count, memory_order_relaxed);
    atomic_store_explicit(&loop->alive_count, count + change, memory_order_relaxed); // one writer: no locked instruction
}

static void run_fibers(void)
{
    struct loop *loop = loop_of_thread;
    struct fiber *fiber = loop->running;
    switch_arrived(fiber);
    for (;;) {
        fiber->fn(fiber->arg);
        assert(fiber->no_yield == 0);
        fiber->ended = true;
        switch_to_loop(loop, fiber);
    }
}

// What the stopping fiber starts belongs to the closing of the house and is not cancelled; whatever else starts during the end is born
// cancelled, so that it runs its cleaning up and nothing more.
struct fiber *fiber_start(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    struct fiber *fiber = take_stack(loop);
    if (BASE_UNLIKELY(!fiber)) {
        return NULL;
    }
    fiber->fn = fn;
    fiber->arg = arg;
    fiber->next = fiber->before = fiber->parent = NULL;
    fiber->kind = WAIT_NONE;
    fiber->ended = false;
    fiber->stopper = loop->running && loop->running->stopper;
    fiber->cancelled = BASE_UNLIKELY(loop->told_stop) && !fiber->stopper;
    fiber->alive_before = NULL;
    fiber->alive_next = loop->alive;
    if (loop->alive) {
        loop->alive->alive_before = fiber;
    }
    loop->alive = fiber;
    count_alive(loop, 1);
    return fiber;
}

// On the loop's stack: the fiber's own is already switched away from.
static void end_fiber(struct loop *loop, struct fiber *fiber)
{
    *(fiber->alive_before ? &fiber->alive_before->alive_next : &loop->alive) = fiber->alive_next;
    if (fiber->alive_next) {
        fiber->alive_next->alive_before = fiber->alive_before;
    }
    count_alive(loop, -1);
    if (fiber->parent) {
        fiber_wake(fiber->parent, WAKE_DONE);
    }
    pool_stack(loop, fiber);
    if (BASE_UNLIKELY(loop->starved_first != NULL)) {
        post_unstarve(loop);
    }
}

// The fiber may come back to borrow the loop's stack: then it is resumed as soon as the borrowed call is over, before anything else runs.
void fiber_resume(struct loop *loop, struct fiber *fiber)
{
    loop->running = fiber;
    switch_to_fiber(loop, fiber);
    while (BASE_UNLIKELY(loop->borrow_fn != NULL)) {
        void (*fn)(void *arg) = loop->borrow_fn;
        loop->borrow_fn = NULL;
        loop->borrowed = true;
        fn(loop->borrow_arg);
        loop->borrowed = false;
        switch_to_fiber(loop, fiber);
    }
    loop->running = NULL;
    if (fiber->ended) {
        end_fiber(loop, fiber);
    }
}

void fiber_ready(struct fiber *fiber)
{
    queue_push(&fiber->loop->ready.first, &fiber->loop->ready.last, fiber);
}

// Those that become ready meanwhile form the next round.
void fiber_run_ready(struct loop *loop)
{
    for (int round = 0; round < READY_ROUNDS_MAX && loop->ready.first; round++) {
        struct fiber_queue queue = loop->ready;
        loop->ready = (struct fiber_queue){NULL, NULL};
        while (queue.first) {
            fiber_resume(loop, queue_pop(&queue));
        }
    }
}

// A fiber that yielded is computing. After a slice of them the sockets are asked again, so a light call waits for one slice and not for all
// of the heavy ones; no fiber runs twice before the others ran once.
void fiber_run_yielded(struct loop *loop)
{
    int64_t end_ns = loop->yielded.first ? clock_monotonic_ns() + YIELDED_SLICE_NS : 0;
    struct fiber *last = loop->yielded.last;
    while (loop->yielded.first) {
        struct fiber *fiber = queue_pop(&loop->yielded);
        fiber_resume(loop, fiber);
        if (fiber == last || clock_monotonic_ns() >= end_ns) {
            break;
        }
    }
}

void fiber_cancel_all(struct loop *loop)
{
    for (struct fiber *fiber = loop->alive; fiber; fiber = fiber->alive_next) {
        if (!fiber->stopper) {
            loop_cancel(fiber);
        }
    }
}

// ---- the public side ----------------------------------------------------------------------------

bool loop_spawn(void (*fn)(void *arg), void *arg, struct fail *fail)
{
    struct loop *loop = loop_of_thread;
    assert(loop);
    struct fiber *fiber = loop ? fiber_start(loop, fn, arg) : NULL;
    if (!fiber) {
        return fail_set(fail, FAIL_FULL, NULL);
    }
    fiber_ready(fiber);
    return true;
}

struct fiber *loop_fiber(void)
{
    struct loop *loop = loop_of_thread;
    return loop && !loop->borrowed ? loop->running : NULL;
}

// The flag stays: a cancelled fiber gets no further wait, it can only unwind.
void loop_cancel(struct fiber *fiber)
{
    assert(fiber->loop == loop_of_thread);
    while (fiber->kind == WAIT_CALL) {
        fiber->cancelled = true; // it comes back when its child ended
        fiber = fiber->target;
    }
    fiber->cancelled = true;
    if (fiber->kind == WAIT_NONE || fiber->kind == WAIT_SURELY || (fiber->kind == WAIT_JOB && !job_cancel(fiber->target))) {
        return; // it will notice at its next give-way; a begun job is waited for
    }
    fiber_wake(fiber, WAKE_CANCELLED);
}

bool loop_cancelled(void)
{
    struct loop *loop = loop_of_thread;
    return loop && loop->running && loop->running->cancelled;
}

int loop_fiber_count(void)
{
    int count = 0;
    for (int i = 0; i < loop_count(); i++) {
        count += atomic_load_explicit(&loop_at(i)->alive_count, memory_order_relaxed);
    }
    return count;
}

// The function and its argument stay where they are: the fiber's stack is not touched while it is switched away.
void loop_on_thread_stack(void (*fn)(void *arg), void *arg)
{
    struct fiber *fiber = loop_fiber();
    if (!fiber) {
        fn(arg); // already on a thread's stack
        return;
    }
    struct loop *loop = fiber->loop;
    loop->borrow_fn = fn;
    loop->borrow_arg = arg;
    switch_to_loop(loop, fiber);
}

size_t loop_stack_left(void)
{
    struct fiber *fiber = loop_fiber();
    char *here = __builtin_frame_address(0);
    return fiber ? (size_t)(here - fiber->stack) : THREAD_STACK_LEFT;
}

// Counted and not a flag: sections nest. Off the fibers there is nothing to guard.
void loop_no_yield_begin(void)
{
    struct loop *loop = loop_of_thread;
    if (loop && loop->running) {
        loop->running->no_yield++;
    }
}

void loop_no_yield_end(void)
{
    struct loop *loop = loop_of_thread;
    if (loop && loop->running) {
        assert(loop->running->no_yield > 0);
        loop->running->no_yield--;
    }
}
