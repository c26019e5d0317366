// SPDX-License-Identifier: Apache-2.0
//
// Watching descriptors that belong to others: callbacks for out's curl, and loop_wait_fd for libpq. A libuv handle may only be freed after
// its close callback, so handles come from a free list of their loop. One descriptor can be watched once at a time on a loop.
#include "loop/internal.h"

#include <stdlib.h>

struct loop_poll {
    uv_poll_t uv;
    struct loop_poll *next; // free
    void (*fn)(void *arg, int events, bool error);
    void *arg;
};

static void on_poll(uv_poll_t *uv, int status, int events)
{
    struct loop_poll *poll = uv->data;
    poll->fn(poll->arg, ((events & UV_READABLE) ? LOOP_READABLE : 0) | ((events & UV_WRITABLE) ? LOOP_WRITABLE : 0), status < 0);
}

// Only now has libuv let go of the handle.
static void on_closed(uv_handle_t *uv)
{
    struct loop_poll *poll = uv->data;
    struct loop *loop = (struct loop *)uv->loop->data;
    poll->next = loop->polls;
    loop->polls = poll;
}

// uv_poll_init also refuses what cannot be polled: plain files, closed descriptors, one that is watched already.
struct loop_poll *loop_poll_new(int fd, void (*fn)(void *arg, int events, bool error), void *arg)
{
    struct loop *loop = loop_of_thread;
    assert(loop);
    struct loop_poll *poll = loop->polls;
    if (poll) {
        loop->polls = poll->next;
    } else {
        poll = malloc(sizeof *poll);
        if (!poll) {
            return NULL;
        }
    }
    poll->fn = fn;
    poll->arg = arg;
    if (uv_poll_init(&loop->uv, &poll->uv, fd) != 0) {
        poll->next = loop->polls;
        loop->polls = poll;
        return NULL;
    }
    poll->uv.data = poll;
    return poll;
}

void loop_poll_set(struct loop_poll *poll, int events)
{
    int uv_events = ((events & LOOP_READABLE) ? UV_READABLE : 0) | ((events & LOOP_WRITABLE) ? UV_WRITABLE : 0);
    if (uv_events) {
        uv_poll_start(&poll->uv, uv_events, on_poll);
    } else {
        uv_poll_stop(&poll->uv);
    }
}

void loop_poll_free(struct loop_poll *poll)
{
    if (poll) {
        uv_close((uv_handle_t *)&poll->uv, on_closed);
    }
}

void poll_pool_free(struct loop *loop)
{
    while (loop->polls) {
        struct loop_poll *poll = loop->polls;
        loop->polls = poll->next;
        free(poll);
    }
}

static void wake_waiter(void *arg, int events, bool error)
{
    (void)events, (void)error; // the caller's own read or write tells what is wrong
    struct fiber **waiter = arg;
    if (*waiter) {
        fiber_wake(*waiter, WAKE_DONE);
    }
}

// Registering and leaving are system calls: fit for a data base connection that waits a millisecond, not for the served sockets.
bool loop_wait_fd(int fd, bool write, int64_t timeout_ms, struct fail *fail)
{
    struct fiber *fiber = wait_begin(fail);
    if (!fiber) {
        return false;
    }
    struct fiber *waiter = fiber;
    struct loop_poll *poll = loop_poll_new(fd, wake_waiter, &waiter);
    if (!poll) {
        return fail_set(fail, FAIL_IO, "descriptor %d cannot be waited for", fd);
    }
    loop_poll_set(poll, write ? LOOP_WRITABLE : LOOP_READABLE);
    enum wake wake = wait_for(fiber, WAIT_READY, &waiter, timeout_ms);
    loop_poll_free(poll);
    return wait_result(wake, fail);
}
