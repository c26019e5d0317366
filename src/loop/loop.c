// SPDX-License-Identifier: Apache-2.0
//
// The loops themselves: starting and ending their threads, the turn of a loop, signals, and notes from other threads.
//
// Notes: any thread pushes onto a lock-free stack and wakes the loop if the stack was empty; the loop takes the whole stack and turns it
// round, so notes of one thread arrive in the order they were sent.
//
// The end: loop_stop sets `ending` and wakes every loop. Each cancels its waiting fibers, closes its idle connections and looks again every
// few milliseconds until no fiber lives and no loop_post is under way; then its thread ends. A thread that posts counts itself in `posted`
// before it looks at `ending`, so either the loop sees the count or the poster sees the end. The libuv handles of all loops are closed by
// the thread of loop 0 after all other threads were joined: until then a late note harms nobody.
#include "loop/internal.h"

#include <signal.h>
#include <stdlib.h>

enum { LOOK_AGAIN_MS = 5 };

static struct {
    struct loop loops[LOOP_WORKERS_MAX];
    atomic_int count;
    atomic_bool stopping, ending; // no new calls; loop_stop was called
    void (*on_stop)(void *arg);
    void *on_stop_arg;
    uv_signal_t signals[2];
} process;

__thread struct loop *loop_of_thread;

// ---- notes from other threads -------------------------------------------------------------------

void post_push(struct loop *loop, struct loop_post *post)
{
    struct loop_post *first = atomic_load_explicit(&loop->posts, memory_order_relaxed);
    do {
        post->next = first;
    } while (!atomic_compare_exchange_weak_explicit(&loop->posts, &first, post, memory_order_acq_rel, memory_order_relaxed));
    if (!first) {
        uv_async_send(&loop->async);
    }
}

// All at once, newest first; turned round they are in the order of sending.
static void take_posts(struct loop *loop)
{
    struct loop_post *newest = atomic_exchange_explicit(&loop->posts, NULL, memory_order_acq_rel), *oldest = NULL;
    while (newest) {
        struct loop_post *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct loop_post *post = oldest;
        oldest = post->next; // `run` may free it
        post->run(loop, post);
    }
}

// Full: the note waits for a stack in the order it came.
void post_starve(struct loop *loop, struct loop_post *post)
{
    post->next = NULL;
    *(loop->starved_first ? &loop->starved_last->next : &loop->starved_first) = post;
    loop->starved_last = post;
    if (!loop->turn_timer.armed) {
        loop_timer_start(&loop->turn_timer, LOOK_AGAIN_MS); // the stack may come free on another loop
    }
}

void post_unstarve(struct loop *loop)
{
    struct loop_post *post = loop->starved_first;
    loop->starved_first = post->next;
    post->run(loop, post);
}

struct fiber_post {
    struct loop_post post;
    void (*fn)(void *arg);
    void *arg;
};

static void start_posted(struct loop *loop, struct loop_post *post)
{
    struct fiber_post *start = (struct fiber_post *)post;
    struct fiber *fiber = fiber_start(loop, start->fn, start->arg);
    if (!fiber) {
        post_starve(loop, post);
        return;
    }
    atomic_fetch_sub(&loop->posted, 1);
    free(start);
    fiber_ready(fiber);
}

bool loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    if (fiber_full()) {
        return false;
    }
    struct fiber_post *start = malloc(sizeof *start);
    if (!start) {
        return false;
    }
    *start = (struct fiber_post){.post.run = start_posted, .fn = fn, .arg = arg};
    atomic_fetch_add(&loop->posted, 1);
    if (atomic_load(&process.ending)) {
        atomic_fetch_sub(&loop->posted, 1);
        free(start);
        return false;
    }
    post_push(loop, &start->post);
    return true;
}

// ---- the turn of a loop -------------------------------------------------------------------------

// Nothing runs and nothing can come: posts are counted before they are sent, and refused since `ending`.
static bool may_end(const struct loop *loop)
{
    return loop->told_stop && !loop->ended && atomic_load(&loop->alive_count) == 0 && atomic_load(&loop->posted) == 0 &&
           !loop->starved_first;
}

static void end_turns(struct loop *loop)
{
    while (loop->ends) {
        struct loop_end *end = loop->ends;
        loop->ends = end->next;
        end->fn(end->arg);
        free(end);
    }
    loop->ended = true;
    uv_stop(&loop->uv);
}

static void look_again(void *arg)
{
    struct loop *loop = arg;
    while (loop->starved_first && !fiber_full()) {
        post_unstarve(loop);
    }
    if (may_end(loop)) {
        end_turns(loop);
    } else if (loop->told_stop || loop->starved_first) {
        loop_timer_start(&loop->turn_timer, LOOK_AGAIN_MS);
    }
}

// Once a loop, on its own thread.
static void tell_stop(struct loop *loop)
{
    loop->told_stop = true;
    listener_stop_lanes(loop);
    fiber_cancel_all(loop);
    loop_timer_start(&loop->turn_timer, LOOK_AGAIN_MS);
}

static void on_async(uv_async_t *async)
{
    struct loop *loop = async->data;
    take_posts(loop);
    if (atomic_load(&process.ending) && !loop->told_stop) {
        tell_stop(loop);
    }
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle; // its being active is what keeps the poll from blocking
}

// While fibers are left to run the poll must only look, not sleep.
static void keep_turning(struct loop *loop)
{
    bool left = loop->ready.first || loop->yielded.first;
    if (left == loop->idling) {
        return;
    }
    loop->idling = left;
    if (left) {
        uv_idle_start(&loop->idle, on_idle);
    } else {
        uv_idle_stop(&loop->idle);
    }
}

// What timers and notes made ready runs before the poll, so the poll may sleep when they are done.
static void on_prepare(uv_prepare_t *prepare)
{
    struct loop *loop = prepare->data;
    fiber_run_ready(loop);
    keep_turning(loop);
}

static void on_check(uv_check_t *check)
{
    struct loop *loop = check->data;
    fiber_run_ready(loop);
    if (loop->yielded.first) {
        loop->polled_ns = clock_monotonic_ns();
        fiber_run_yielded(loop);
    }
    keep_turning(loop);
}

// ---- opening and closing a loop -----------------------------------------------------------------

static bool open_loop(struct loop *loop, int index)
{
    memset(loop, 0, sizeof *loop);
    loop->index = index;
    loop->clock_due_ms = INT64_MAX;
    if (uv_loop_init(&loop->uv) != 0) {
        return false;
    }
    loop->uv.data = loop;
    if (uv_async_init(&loop->uv, &loop->async, on_async) != 0) {
        uv_loop_close(&loop->uv);
        return false;
    }
    uv_timer_init(&loop->uv, &loop->clock);
    uv_prepare_init(&loop->uv, &loop->prepare);
    uv_check_init(&loop->uv, &loop->check);
    uv_idle_init(&loop->uv, &loop->idle);
    loop->async.data = loop->clock.data = loop->prepare.data = loop->check.data = loop->idle.data = loop;
    uv_prepare_start(&loop->prepare, on_prepare);
    uv_check_start(&loop->check, on_check);
    timer_init(&loop->turn_timer, loop, look_again, loop);
    return true;
}

// The life of a loop's thread.
static void turn_loop(struct loop *loop)
{
    loop_of_thread = loop;
    switch_prepare_loop(loop);
    if (atomic_load(&process.ending)) {
        tell_stop(loop); // the wake-up may have come before the loop turned
    }
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    loop_of_thread = NULL;
}

static void *run_thread(void *arg)
{
    turn_loop(arg);
    return NULL;
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

// On loop 0's thread, after the loop's own thread has ended.
static void close_loop(struct loop *loop)
{
    loop_of_thread = loop;
    take_posts(loop);
    listener_close_lanes(loop);
    watch_close_all(loop);
    loop_timer_stop(&loop->turn_timer);
    fiber_pool_free(loop);
    close_handle((uv_handle_t *)&loop->async);
    close_handle((uv_handle_t *)&loop->clock);
    close_handle((uv_handle_t *)&loop->prepare);
    close_handle((uv_handle_t *)&loop->check);
    close_handle((uv_handle_t *)&loop->idle);
    if (loop->index == 0) {
        close_handle((uv_handle_t *)&process.signals[0]);
        close_handle((uv_handle_t *)&process.signals[1]);
    }
    uv_run(&loop->uv, UV_RUN_DEFAULT); // close callbacks
    int left = uv_loop_close(&loop->uv);
    assert(left == 0 && "a handle was left open");
    (void)left;
    poll_pool_free(loop);
    while (loop->blocks) {
        char *block = loop->blocks;
        memcpy(&loop->blocks, block, sizeof loop->blocks);
        free(block);
    }
    loop_of_thread = NULL;
}

// Threads first, helpers next (their notes go to loops that still exist), handles last.
static void close_all(void)
{
    int count = atomic_load(&process.count);
    for (int i = 1; i < count; i++) {
        pthread_join(process.loops[i].thread, NULL);
    }
    job_pool_close();
    for (int i = 0; i < count; i++) {
        close_loop(&process.loops[i]);
    }
    listener_free_all();
    atomic_store(&process.count, 0);
}

// ---- signals ------------------------------------------------------------------------------------

// The first signal asks for an orderly end, the second ends at once.
static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    bool again = atomic_exchange(&process.stopping, true);
    struct fail fail;
    if (again || !process.on_stop || !loop_spawn(process.on_stop, process.on_stop_arg, &fail)) {
        loop_stop();
    }
    (void)signal;
}

static void open_signals(void)
{
    signal(SIGPIPE, SIG_IGN);
    const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < BASE_COUNT(numbers); i++) {
        uv_signal_init(&process.loops[0].uv, &process.signals[i]);
        uv_signal_start(&process.signals[i], on_signal, numbers[i]);
    }
}

// ---- the public side ----------------------------------------------------------------------------

// Signals are for loop 0 alone: every other thread is born with all of them blocked.
static bool start_thread(struct loop *loop)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&loop->thread, NULL, run_thread, loop) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

bool loop_start(int workers, struct fail *fail)
{
    assert(atomic_load(&process.count) == 0);
    if (workers < 1 || workers > LOOP_WORKERS_MAX) {
        return fail_set(fail, FAIL_USAGE, "the number of workers must lie between 1 and %d", LOOP_WORKERS_MAX);
    }
    atomic_store(&process.stopping, false);
    atomic_store(&process.ending, false);
    process.on_stop = NULL;
    int opened = 0, started = 1;
    while (opened < workers && open_loop(&process.loops[opened], opened)) {
        opened++;
    }
    if (opened == 0) {
        return fail_set(fail, FAIL_IO, "no event loop could be opened");
    }
    atomic_store(&process.count, opened);
    open_signals();
    while (opened == workers && started < workers && start_thread(&process.loops[started])) {
        started++;
    }
    if (started == workers) {
        return true;
    }
    for (int i = started; i < opened; i++) { // those whose thread never ran
        process.loops[i].ended = true;
        close_loop(&process.loops[i]);
    }
    atomic_store(&process.count, started);
    loop_stop();
    turn_loop(&process.loops[0]);
    close_all();
    return fail_set(fail, FAIL_IO, "only %d of %d workers could be started", opened == workers ? started : opened, workers);
}

// The fibers of the other loops may run before loop 0 turns; they are started by loop_start already.
bool loop_run(void (*main_fiber)(void *arg), void *arg, struct fail *fail)
{
    loop_of_thread = &process.loops[0];
    bool spawned = loop_spawn(main_fiber, arg, fail);
    if (!spawned) {
        loop_stop();
    }
    turn_loop(&process.loops[0]);
    close_all();
    return spawned;
}

void loop_on_stop(void (*fn)(void *arg), void *arg)
{
    process.on_stop = fn;
    process.on_stop_arg = arg;
}

// Waking every loop is all that happens here: each does its own part on its own thread.
void loop_stop(void)
{
    struct fiber *fiber = loop_fiber();
    if (fiber) {
        fiber->stopper = true;
    }
    atomic_store(&process.stopping, true);
    atomic_store(&process.ending, true);
    int count = atomic_load(&process.count);
    for (int i = 0; i < count; i++) {
        uv_async_send(&process.loops[i].async);
    }
}

bool loop_on_end(void (*fn)(void *arg), void *arg)
{
    struct loop *loop = loop_of_thread;
    struct loop_end *end = malloc(sizeof *end);
    if (!loop || !end) {
        free(end);
        return false;
    }
    *end = (struct loop_end){.next = loop->ends, .fn = fn, .arg = arg};
    loop->ends = end;
    return true;
}

bool loop_stopping(void)
{
    return atomic_load_explicit(&process.stopping, memory_order_relaxed);
}

int loop_count(void)
{
    return atomic_load_explicit(&process.count, memory_order_relaxed);
}

struct loop *loop_at(int index)
{
    assert(index >= 0 && index < loop_count());
    return &process.loops[index];
}

struct loop *loop_current(void)
{
    return loop_of_thread;
}

int loop_index(const struct loop *loop)
{
    return loop->index;
}

int64_t loop_now_ms(void)
{
    struct loop *loop = loop_of_thread;
    return loop ? (int64_t)uv_now(&loop->uv) : clock_monotonic_ns() / 1000000;
}
