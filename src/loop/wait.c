// SPDX-License-Identifier: Apache-2.0
//
// The functions that give way. Each follows one pattern: wait_begin refuses a cancelled fiber, wait_for puts the fiber to sleep with an
// optional time limit, fiber_wake takes it out of whatever it waits in (whoever comes first: the thing itself, the timer, cancellation) and
// queues it.
//
// Once woken, the result stands: a lock that was handed over belongs to the fiber even if it is cancelled before it runs again.
#include "loop/internal.h"

enum { YIELD_FRESH_NS = 20 * 1000 }; // when the last poll is younger and nobody is ready, yielding has nothing to do

#ifdef SLUICE_HOSTILE
static const bool always_yield = true; // also where it would not have to wait
#else
static const bool always_yield = false;
#endif

// To the end of those that yielded; timers, sockets and woken fibers come first.
static void yield_now(struct fiber *fiber)
{
    queue_push(&fiber->loop->yielded.first, &fiber->loop->yielded.last, fiber);
    switch_to_loop(fiber->loop, fiber);
}

void wait_anyway(void)
{
    if (always_yield && loop_fiber()) {
        yield_now(loop_fiber());
    }
}

struct fiber *wait_begin(struct fail *fail)
{
    struct fiber *fiber = loop_fiber();
    assert(fiber && "gives way off a fiber");
    if (!fiber) {
        fail_set(fail, FAIL_INTERNAL, "gives way off a fiber");
        return NULL;
    }
    assert(fiber->no_yield == 0 && "gives way inside a section that must not");
    wait_anyway();
    if (BASE_UNLIKELY(fiber->cancelled)) {
        fail_set(fail, FAIL_CANCELLED, NULL);
        return NULL;
    }
    return fiber;
}

enum wake wait_for(struct fiber *fiber, enum wait_kind kind, void *target, int64_t timeout_ms)
{
    fiber->kind = kind;
    fiber->target = target;
    if (timeout_ms >= 0) {
        loop_timer_start(&fiber->timer, timeout_ms);
    }
    switch_to_loop(fiber->loop, fiber);
    return fiber->wake;
}

// Takes the fiber out of the queue or place it waits in before anything else can find it there: whoever wakes first wins, the others see a
// fiber that no longer waits.
void fiber_wake(struct fiber *fiber, enum wake wake)
{
    switch (fiber->kind) {
    case WAIT_EVENT:
    case WAIT_SURELY: {
        struct loop_event *event = fiber->target;
        queue_remove(&event->first, &event->last, fiber);
        break;
    }
    case WAIT_LOCK: {
        struct loop_lock *lock = fiber->target;
        queue_remove(&lock->first, &lock->last, fiber);
        break;
    }
    case WAIT_READY:
        *(struct fiber **)fiber->target = NULL;
        break;
    default:
        assert(fiber->kind != WAIT_NONE);
    }
    if (fiber->timer.armed) {
        loop_timer_stop(&fiber->timer);
    }
    fiber->kind = WAIT_NONE;
    fiber->wake = wake;
    fiber_ready(fiber);
}

bool wait_result(enum wake wake, struct fail *fail)
{
    return wake == WAKE_DONE ? true : fail_set(fail, wake == WAKE_TIMEOUT ? FAIL_TIMEOUT : FAIL_CANCELLED, NULL);
}

// A sleep's good end is the time-out.
bool loop_sleep(int64_t ms, struct fail *fail)
{
    struct fiber *fiber = wait_begin(fail);
    if (!fiber) {
        return false;
    }
    return wait_for(fiber, WAIT_TIME, NULL, ms < 0 ? 0 : ms) == WAKE_TIMEOUT ? true : fail_set(fail, FAIL_CANCELLED, NULL);
}

// Running scripts call this every slice. Right after a poll with nobody ready there is nothing to let in.
bool loop_yield(struct fail *fail)
{
    struct fiber *fiber = wait_begin(fail);
    if (!fiber) {
        return false;
    }
    struct loop *loop = fiber->loop;
    bool alone = !loop->ready.first && !loop->yielded.first;
    if (alone && clock_monotonic_ns() - loop->polled_ns < YIELD_FRESH_NS) {
        return true;
    }
    yield_now(fiber);
    return fiber->cancelled ? fail_set(fail, FAIL_CANCELLED, NULL) : true;
}

// The child may use the caller's variables, so the caller stays until it ended, even when it is cancelled (the child is told, see
// loop_cancel).
bool loop_call(void (*fn)(void *arg), void *arg, struct fail *fail)
{
    if (!loop_of_thread) {
        fn(arg);
        return true;
    }
    struct fiber *fiber = wait_begin(fail);
    if (!fiber) {
        return false;
    }
    struct fiber *child = fiber_start(fiber->loop, fn, arg);
    if (!child) {
        return fail_set(fail, FAIL_FULL, NULL);
    }
    child->parent = fiber;
    fiber_ready(child);
    return wait_result(wait_for(fiber, WAIT_CALL, child, -1), fail);
}

// ---- events -------------------------------------------------------------------------------------

// On the loop. The mark goes first: a setter that comes from now on must send a new note.
static void set_posted_event(struct loop *loop, struct loop_post *post)
{
    (void)loop;
    struct loop_event *event = (struct loop_event *)(void *)((char *)post - offsetof(struct loop_event, post));
    __atomic_store_n(&event->posted, false, __ATOMIC_RELEASE);
    loop_event_set(event);
}

void loop_event_init(struct loop_event *event)
{
    *event = (struct loop_event){.loop = loop_of_thread, .post.run = set_posted_event};
}

bool loop_event_wait(struct loop_event *event, int64_t timeout_ms, struct fail *fail)
{
    struct fiber *fiber = wait_begin(fail);
    if (!fiber) {
        return false;
    }
    assert(event->loop == fiber->loop);
    if (event->set) {
        return true;
    }
    if (timeout_ms == 0) {
        return fail_set(fail, FAIL_TIMEOUT, NULL);
    }
    queue_push(&event->first, &event->last, fiber);
    return wait_result(wait_for(fiber, WAIT_EVENT, event, timeout_ms), fail);
}

void loop_event_wait_surely(struct loop_event *event)
{
    struct fiber *fiber = loop_fiber();
    assert(fiber && fiber->no_yield == 0 && event->loop == fiber->loop);
    wait_anyway();
    if (!event->set) {
        queue_push(&event->first, &event->last, fiber);
        wait_for(fiber, WAIT_SURELY, event, -1);
    }
}

// Waiters are only queued here, so none of them runs before the setter gives way.
void loop_event_set(struct loop_event *event)
{
    assert(event->loop == loop_of_thread);
    event->set = true;
    while (event->first) {
        fiber_wake(event->first, WAKE_DONE);
    }
}

void loop_event_reset(struct loop_event *event)
{
    event->set = false;
}

void loop_event_set_from(struct loop_event *event)
{
    struct loop *loop = event->loop; // the event may be gone as soon as the note is in the queue
    if (!__atomic_exchange_n(&event->posted, true, __ATOMIC_ACQ_REL)) {
        post_push(loop, &event->post);
    }
}

// ---- locks --------------------------------------------------------------------------------------

bool loop_lock(struct loop_lock *lock, int64_t timeout_ms, struct fail *fail)
{
    struct fiber *fiber = wait_begin(fail);
    if (!fiber) {
        return false;
    }
    assert(lock->owner != fiber);
    if (!lock->owner) {
        lock->owner = fiber;
        return true;
    }
    if (timeout_ms == 0) {
        return fail_set(fail, FAIL_TIMEOUT, NULL);
    }
    queue_push(&lock->first, &lock->last, fiber);
    return wait_result(wait_for(fiber, WAIT_LOCK, lock, timeout_ms), fail);
}

void loop_unlock(struct loop_lock *lock)
{
    assert(lock->owner && lock->owner == loop_fiber());
    struct fiber *next = lock->first;
    lock->owner = next; // handed over, so that nobody slips in between
    if (next) {
        fiber_wake(next, WAKE_DONE);
    }
}
