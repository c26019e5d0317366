// SPDX-License-Identifier: Apache-2.0
//
// Timers of one loop: a pairing heap whose nodes stand inside the things that wait (a fiber, a listener's lane), so starting and stopping
// one takes no memory and cannot fail. One libuv timer is armed for the earliest; it is moved only when an earlier one comes, and finding
// nothing due when it fires is normal.
//
// A pairing heap is a tree in which every parent is due before its children; taking the root merges its children in pairs, left to right
// and back.
#include "loop/internal.h"

#include <stdlib.h>

static bool due_before(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

// Two roots become one.
static struct loop_timer *merge(struct loop_timer *a, struct loop_timer *b)
{
    if (!a || !b) {
        return a ? a : b;
    }
    if (due_before(b, a)) {
        struct loop_timer *swap = a;
        a = b;
        b = swap;
    }
    b->before = a;
    b->next = a->child;
    if (a->child) {
        a->child->before = b;
    }
    a->child = b;
    return a;
}

static struct loop_timer *merge_children(struct loop_timer *first)
{
    struct loop_timer *pairs = NULL; // a stack, linked through `next`
    while (first) {
        struct loop_timer *a = first, *b = a->next;
        first = b ? b->next : NULL;
        a->next = a->before = NULL;
        if (b) {
            b->next = b->before = NULL;
        }
        a = merge(a, b);
        a->next = pairs;
        pairs = a;
    }
    struct loop_timer *root = NULL;
    while (pairs) {
        struct loop_timer *rest = pairs->next;
        pairs->next = NULL;
        root = merge(root, pairs);
        pairs = rest;
    }
    return root;
}

// Moving the libuv timer costs a heap operation there: an earlier arming is left in place and finds nothing due.
static void arm_clock(struct loop *loop)
{
    if (!loop->timers || loop->timers->due_ms >= loop->clock_due_ms) {
        return;
    }
    loop->clock_due_ms = loop->timers->due_ms;
    int64_t wait_ms = loop->clock_due_ms - (int64_t)uv_now(&loop->uv);
    uv_timer_start(&loop->clock, timer_on_clock, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

void timer_on_clock(uv_timer_t *clock)
{
    struct loop *loop = clock->data;
    loop->clock_due_ms = INT64_MAX;
    timer_fire(loop);
}

void timer_fire(struct loop *loop)
{
    int64_t now_ms = (int64_t)uv_now(&loop->uv);
    uint64_t newest = loop->timer_order; // what callbacks start waits for the next turn
    while (loop->timers && loop->timers->due_ms <= now_ms && loop->timers->order <= newest) {
        struct loop_timer *timer = loop->timers;
        loop_timer_stop(timer);
        timer->fn(timer->arg);
    }
    arm_clock(loop);
}

void timer_init(struct loop_timer *timer, struct loop *loop, void (*fn)(void *arg), void *arg)
{
    *timer = (struct loop_timer){.loop = loop, .fn = fn, .arg = arg};
}

struct loop_timer *loop_timer_new(void (*fn)(void *arg), void *arg)
{
    assert(loop_of_thread);
    struct loop_timer *timer = malloc(sizeof *timer);
    if (timer) {
        timer_init(timer, loop_of_thread, fn, arg);
    }
    return timer;
}

void loop_timer_start(struct loop_timer *timer, int64_t ms)
{
    struct loop *loop = timer->loop;
    assert(loop == loop_of_thread);
    loop_timer_stop(timer);
    uv_update_time(&loop->uv); // the cached time may be old by now: a fiber may have computed for long
    int64_t now_ms = (int64_t)uv_now(&loop->uv);
    ms = ms < 0 ? 0 : ms;
    timer->due_ms = ms > INT64_MAX - 1 - now_ms ? INT64_MAX - 1 : now_ms + ms;
    timer->order = ++loop->timer_order;
    timer->armed = true;
    loop->timers = merge(loop->timers, timer);
    arm_clock(loop);
}

// A timer inside the heap is cut out with its subtree; the subtree's children go back in one by one.
void loop_timer_stop(struct loop_timer *timer)
{
    if (!timer->armed) {
        return;
    }
    struct loop *loop = timer->loop;
    struct loop_timer *children = merge_children(timer->child);
    if (timer == loop->timers) {
        loop->timers = children;
    } else {
        struct loop_timer *before = timer->before;
        *(before->child == timer ? &before->child : &before->next) = timer->next;
        if (timer->next) {
            timer->next->before = before;
        }
        loop->timers = merge(loop->timers, children);
    }
    timer->child = timer->next = timer->before = NULL;
    timer->armed = false;
}

void loop_timer_free(struct loop_timer *timer)
{
    if (timer) {
        loop_timer_stop(timer);
        free(timer);
    }
}
