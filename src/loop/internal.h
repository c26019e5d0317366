// SPDX-License-Identifier: Apache-2.0
//
// What the files of loop share. One `struct loop` is one thread: a libuv loop, the queue of fibers that may run, the pool of stacks, the
// heap of timers and the queue of notes from other threads. Everything in it belongs to its thread, except the members marked atomic.
//
// The order of one turn: timers, `prepare` (runs what they made ready), poll (connections run their fibers right in the callback), `check`
// (runs what the poll made ready, then those that yielded).
#pragma once

#include "loop/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#if defined(__SANITIZE_ADDRESS__)
#define LOOP_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LOOP_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define LOOP_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LOOP_TSAN 1
#endif
#endif
#if !defined(__x86_64__) && !defined(LOOP_UCONTEXT)
#define LOOP_UCONTEXT 1
#endif
#ifdef LOOP_UCONTEXT
#include <ucontext.h>
#endif

#if defined(SLUICE_SANITIZE) && defined(SLUICE_HOSTILE)
#define LOOP_STACK_REAL_BYTES (96 * 1024)
#elif defined(SLUICE_SANITIZE)
#define LOOP_STACK_REAL_BYTES (256 * 1024)
#elif defined(SLUICE_HOSTILE)
#define LOOP_STACK_REAL_BYTES (24 * 1024)
#else
#define LOOP_STACK_REAL_BYTES LOOP_STACK_BYTES
#endif

enum {
    LOOP_BLOCK_BYTES = 16 * 1024, // an input buffer; connections borrow one while bytes are buffered
    LOOP_BLOCKS_KEPT = 256, // free ones kept a loop
};

// Why a waiting fiber came back.
enum wake { WAKE_DONE, WAKE_TIMEOUT, WAKE_CANCELLED };
enum wait_kind {
    WAIT_NONE, // runs, or stands in the queue of those that may
    WAIT_TIME, // nothing but its timer wakes it
    WAIT_EVENT,
    WAIT_SURELY, // for an event; cancelling does not wake it
    WAIT_LOCK,
    WAIT_JOB,
    WAIT_CALL,
    WAIT_READY, // a descriptor
};

struct loop_timer {
    struct loop *loop;
    void (*fn)(void *arg);
    void *arg;
    int64_t due_ms;
    uint64_t order; // among equal due times the first started fires first
    struct loop_timer *child, *next, *before; // pairing heap; `before` is the parent or the left sibling
    bool armed;
};

struct fiber_queue {
    struct fiber *first, *last;
};

struct fiber {
    void *sp; // while it does not run
    struct loop *loop;
    void (*fn)(void *arg);
    void *arg;
    struct fiber *next, *before; // in the one queue it stands in
    struct fiber *alive_next, *alive_before; // all that live on the loop
    struct fiber *parent; // waits in loop_call for our end
    void *target; // the event, lock, job, child or place it waits for
    struct loop_timer timer;
    enum wait_kind kind;
    enum wake wake;
    bool cancelled, ended;
    bool stopper; // called loop_stop, or was started by one that did: not cancelled by it
    int no_yield;
    char *stack; // the lowest usable byte, above the guard page
    size_t stack_bytes;
    void *map;
    size_t map_bytes;
    void *sanitizer; // ASan's fake stack, or TSan's fiber
    unsigned valgrind_id;
#ifdef LOOP_UCONTEXT
    ucontext_t context;
#endif
};

struct loop_end {
    struct loop_end *next;
    void (*fn)(void *arg);
    void *arg;
};

struct loop {
    uv_loop_t uv;
    uv_async_t async;
    uv_timer_t clock; // armed for the earliest timer
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle; // active while fibers are left to run: the poll then does not block
    int index;
    pthread_t thread;
    bool idling, ended, told_stop;

    struct fiber *running;
    bool borrowed; // `running` has us call a function on the loop's stack
    void *sp; // the loop's own stack while a fiber runs
    void *sanitizer; // as in struct fiber
    const void *stack_bottom;
    size_t stack_bytes;
    void (*borrow_fn)(void *arg);
    void *borrow_arg;
#ifdef LOOP_UCONTEXT
    ucontext_t context;
#endif

    struct fiber_queue ready, yielded;
    int64_t polled_ns; // when the last poll came back; only kept for loop_yield
    struct fiber *alive;
    atomic_int alive_count; // written by the loop's thread
    struct fiber *pool, *cold; // free stacks: used of late; trimmed
    int pool_count, pool_low, cold_count, colour; // pool_low: fewest in the pool since the last trim
    struct loop_timer trim;

    struct loop_timer *timers;
    int64_t clock_due_ms; // what `clock` is armed for, INT64_MAX when it is not
    uint64_t timer_order;

    _Atomic(struct loop_post *) posts; // newest first
    atomic_int posted; // of loop_post, not yet running
    struct loop_post *starved_first, *starved_last; // wait for a stack

    char *blocks; // free input buffers, linked through their first bytes
    int block_count;
    atomic_int live_calls, connections;
    struct loop_poll *polls; // free ones
    struct loop_timer turn_timer; // looks again while the loop waits for its end, or for a free stack
    struct loop_end *ends;
    struct loop_watch *watches;
};

extern __thread struct loop *loop_of_thread;

// ---- switch.c: the stacks -----------------------------------------------------------------------

void switch_prepare_loop(struct loop *loop); // on the loop's thread, before its first fiber
void switch_prepare_fiber(struct fiber *fiber, void (*entry)(void)); // a fresh stack
void switch_release_fiber(struct fiber *fiber); // before its memory goes
void switch_arrived(struct fiber *fiber); // first thing on a fresh stack
void switch_to_fiber(struct loop *loop, struct fiber *fiber); // returns when the fiber switches back
void switch_to_loop(struct loop *loop, struct fiber *fiber); // returns when the loop resumes the fiber

// ---- fiber.c ------------------------------------------------------------------------------------

// A fiber that has not run yet and stands in no queue; NULL when the process is full.
struct fiber *fiber_start(struct loop *loop, void (*fn)(void *arg), void *arg);
void fiber_resume(struct loop *loop, struct fiber *fiber); // on the loop's stack: runs it until it gives way or ends
void fiber_ready(struct fiber *fiber); // to the end of those that may run
void fiber_run_ready(struct loop *loop);
void fiber_run_yielded(struct loop *loop);
void fiber_cancel_all(struct loop *loop); // those that wait, except the one that stops the process
void fiber_pool_free(struct loop *loop);
bool fiber_full(void);
void queue_push(struct fiber **first, struct fiber **last, struct fiber *fiber);
void queue_remove(struct fiber **first, struct fiber **last, struct fiber *fiber);

// ---- wait.c -------------------------------------------------------------------------------------

// The running fiber if it may give way now; NULL with fail set when it is cancelled (or, in release builds, when there is none).
struct fiber *wait_begin(struct fail *fail);
// In the hostile build: gives way although nothing has to be waited for.
void wait_anyway(void);
// Sleeps until fiber_wake or the time is over (timeout_ms < 0: never).
enum wake wait_for(struct fiber *fiber, enum wait_kind kind, void *target, int64_t timeout_ms);
void fiber_wake(struct fiber *fiber, enum wake wake); // of a waiting fiber: takes it out of whatever it waits in
bool wait_result(enum wake wake, struct fail *fail);

// ---- timer.c ------------------------------------------------------------------------------------

void timer_init(struct loop_timer *timer, struct loop *loop, void (*fn)(void *arg), void *arg);
void timer_fire(struct loop *loop); // all that are due, and arms the clock for the next
void timer_on_clock(uv_timer_t *clock);

// ---- loop.c -------------------------------------------------------------------------------------

void post_push(struct loop *loop, struct loop_post *post); // any thread
void post_starve(struct loop *loop, struct loop_post *post); // runs when a stack is free again
void post_unstarve(struct loop *loop); // a stack is free

// ---- job.c, listener.c, watch.c, poll.c ---------------------------------------------------------

bool job_cancel(void *job); // true: it had not begun and never will
void job_pool_close(void); // joins the helpers
void listener_stop_lanes(struct loop *loop); // of every listener: no new connections, the idle ones close
void listener_close_lanes(struct loop *loop); // closes what is left
void listener_free_all(void);
void watch_close_all(struct loop *loop);
void poll_pool_free(struct loop *loop);
