// SPDX-License-Identifier: Apache-2.0
//
// Served connections. An idle one is a poll handle and 400 bytes: no fiber, no buffer. When bytes come, it borrows an input block of its
// loop, reads once, and asks `ready`; a complete head starts a fiber right there, in the poll's callback. When the reply is written and
// nothing is left, the block goes back and the connection is idle again: one read, one write, and a share of the epoll_wait.
//
// The poll handle stays registered for reading all the while (a change costs system calls). Only when bytes come while a fiber is busy with
// something else is it paused, and resumed when somebody wants to read.
//
// Slow clients: part of a head is kept in a buffer of its size, not in a block, and after head_timeout `serve` runs with what is there.
//
// Closing after a reply lingers: our side is shut, what still comes is thrown away for a moment, because closing with unread bytes would
// reset the connection and could destroy the reply on its way.
#include "loop/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    WRITE_PARTS_MAX = 16, // in one system call
    HEAD_KEEP_BYTES = 512, // partial heads are kept in multiples of it
    LINGER_MS = 1000,
    LINGER_BYTES_MAX = 4 * 1024 * 1024,
};

// ---- lines and their time limits ----------------------------------------------------------------

static void leave_line(struct loop_connection *c)
{
    struct line *line = c->line;
    *(c->before ? &c->before->next : &line->first) = c->next;
    *(c->next ? &c->next->before : &line->last) = c->before;
    c->line = NULL;
}

// Every connection changes lines twice a request, so nothing here touches a timer unless the lane's timer is late or asleep.
static void enter_line(struct loop_connection *c, struct line *line, int64_t timeout_ms)
{
    if (c->line) {
        leave_line(c);
    }
    c->line = line;
    c->next = NULL;
    c->before = line->last;
    *(line->last ? &line->last->next : &line->first) = c;
    line->last = c;
    struct lane *lane = c->lane;
    if (line == &lane->busy) {
        return; // limits are the handler's
    }
    c->deadline_ms = timeout_ms > 0 ? loop_now_ms() + timeout_ms : INT64_MAX;
    if (BASE_UNLIKELY(timeout_ms > 0 && (!lane->timer.armed || c->deadline_ms < lane->timer.due_ms))) {
        loop_timer_start(&lane->timer, timeout_ms);
    }
}

// One writer a lane: plain stores, which the acceptor and metrics may read a little late.
static void count_busy(struct lane *lane, int change)
{
    int busy = atomic_load_explicit(&lane->busy_count, memory_order_relaxed);
    atomic_store_explicit(&lane->busy_count, busy + change, memory_order_relaxed);
    int live = atomic_load_explicit(&lane->loop->live_calls, memory_order_relaxed);
    atomic_store_explicit(&lane->loop->live_calls, live + change, memory_order_relaxed);
}

// ---- input --------------------------------------------------------------------------------------

// The blocks of a loop are few and hot: a request that comes and goes at once uses the same one again and again.
static char *take_block(struct loop *loop)
{
    char *block = loop->blocks;
    if (BASE_LIKELY(block != NULL)) {
        memcpy(&loop->blocks, block, sizeof loop->blocks);
        loop->block_count--;
        return block;
    }
    return malloc(LOOP_BLOCK_BYTES);
}

static void give_block(struct loop *loop, char *block, size_t cap)
{
    if (cap != LOOP_BLOCK_BYTES || loop->block_count >= LOOP_BLOCKS_KEPT) {
        free(block);
        return;
    }
    memcpy(block, &loop->blocks, sizeof loop->blocks);
    loop->blocks = block;
    loop->block_count++;
}

// Nothing buffered, nothing held.
static void drop_input(struct loop_connection *c)
{
    if (c->input) {
        give_block(c->lane->loop, c->input, c->cap);
        c->input = NULL;
    }
    c->start = c->end = c->cap = c->seen = 0;
}

enum filled { FILL_SOME, FILL_NONE, FILL_END, FILL_FULL, FILL_FAILED };

// Makes room behind the buffered bytes; false when they are as many as allowed, or without memory.
static bool make_room(struct loop_connection *c)
{
    size_t max = c->lane->listener->service.input_bytes_max;
    if (!c->input) {
        c->input = take_block(c->lane->loop);
        c->cap = c->input ? LOOP_BLOCK_BYTES : 0;
        return c->input != NULL;
    }
    if (c->start == c->end) {
        c->start = c->end = 0;
    }
    if (c->end - c->start >= max) {
        return false;
    }
    if (c->end < c->cap) {
        return true;
    }
    if (c->start > 0) {
        memmove(c->input, c->input + c->start, c->end - c->start);
        c->end -= c->start;
        c->start = 0;
        return true;
    }
    size_t cap = c->cap * 2 < max ? c->cap * 2 : max;
    char *input = realloc(c->input, cap);
    if (!input) {
        return false;
    }
    c->input = input;
    c->cap = cap;
    return true;
}

// One read. A full buffer is not read again at once: the poll is level-triggered and says so if there is more.
static enum filled fill_input(struct loop_connection *c)
{
    if (!make_room(c)) {
        return FILL_FULL;
    }
    size_t allowed = c->lane->listener->service.input_bytes_max - (c->end - c->start), room = c->cap - c->end;
    ssize_t got;
    do {
        got = read(c->fd, c->input + c->end, room < allowed ? room : allowed);
    } while (got < 0 && errno == EINTR);
    if (BASE_LIKELY(got > 0)) {
        c->end += (size_t)got;
        return FILL_SOME;
    }
    bool again = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (c->start == c->end) {
        drop_input(c);
    }
    c->eof = c->eof || got == 0;
    c->failed = c->failed || (got < 0 && !again);
    return again ? FILL_NONE : got == 0 ? FILL_END : FILL_FAILED;
}

// A part of a head moves from its block into a buffer of its size: many slow clients then cost little.
static void keep_small(struct loop_connection *c)
{
    size_t bytes = c->end - c->start, cap = (bytes / HEAD_KEEP_BYTES + 1) * HEAD_KEEP_BYTES;
    char *small = c->cap == LOOP_BLOCK_BYTES && cap < LOOP_BLOCK_BYTES ? malloc(cap) : NULL;
    if (!small) {
        return;
    }
    memcpy(small, c->input + c->start, bytes);
    give_block(c->lane->loop, c->input, c->cap);
    c->input = small;
    c->cap = cap;
    c->start = 0;
    c->end = bytes;
}

// ---- states -------------------------------------------------------------------------------------

static void on_poll(uv_poll_t *poll, int status, int events);

// Changing what is polled costs system calls, so it is only done when it differs.
static void watch_socket(struct loop_connection *c, int events)
{
    if (c->watched == events) {
        return;
    }
    c->watched = events;
    if (events) {
        uv_poll_start(&c->poll, events, on_poll);
    } else {
        uv_poll_stop(&c->poll);
    }
}

static void free_connection(uv_handle_t *handle)
{
    free(handle->data);
}

// The struct lives until libuv has let go of its handle.
static void close_socket(struct loop_connection *c)
{
    leave_line(c);
    drop_input(c);
    uv_close((uv_handle_t *)&c->poll, free_connection); // takes the descriptor out of the poll at once
    close(c->fd);
    atomic_fetch_sub(&c->lane->connections, 1);
}

// Our reply is out; the peer learns by our half-close, and what it still sends is read and thrown away until it closes, too.
static void linger(struct loop_connection *c)
{
    drop_input(c);
    if (c->eof || c->failed || shutdown(c->fd, SHUT_WR) != 0) {
        close_socket(c);
        return;
    }
    enter_line(c, &c->lane->linger, LINGER_MS);
    watch_socket(c, UV_READABLE);
}

static void drain_lingering(struct loop_connection *c)
{
    char *waste = take_block(c->lane->loop);
    ssize_t got = waste ? read(c->fd, waste, LOOP_BLOCK_BYTES) : -1;
    bool again = got < 0 && waste && (errno == EAGAIN || errno == EINTR);
    if (waste) {
        give_block(c->lane->loop, waste, LOOP_BLOCK_BYTES);
    }
    c->seen += got > 0 ? (size_t)got : 0;
    if ((got <= 0 && !again) || c->seen > LINGER_BYTES_MAX) {
        close_socket(c);
    }
}

// A buffer that is full counts as ready: serve must say that the head is too long.
static bool head_ready(struct loop_connection *c)
{
    const struct loop_service *service = &c->lane->listener->service;
    size_t len = c->end - c->start, seen = c->seen;
    c->seen = len;
    return len >= service->input_bytes_max || service->ready((struct view){c->input + c->start, len}, seen) == LOOP_READY;
}

// Nothing buffered: the keep-alive time runs. Part of a head: its own time runs from here.
static void go_idle(struct loop_connection *c)
{
    const struct loop_service *service = &c->lane->listener->service;
    if (c->start == c->end) {
        drop_input(c);
        enter_line(c, &c->lane->idle, service->idle_timeout_ms);
    } else {
        keep_small(c);
        enter_line(c, &c->lane->head, service->head_timeout_ms);
    }
    watch_socket(c, UV_READABLE);
}

// The fiber of a busy connection.
static void serve_connection(void *arg)
{
    struct loop_connection *c = arg;
    struct lane *lane = c->lane;
    const struct loop_service *service = &lane->listener->service;
    for (;;) {
        bool keep = service->serve(c, service->user) && !c->eof && !c->failed;
        bool empty = c->start == c->end;
        if (!keep || (empty && BASE_UNLIKELY(lane->stopped || loop_stopping()))) {
            count_busy(lane, -1);
            linger(c);
            return;
        }
        c->seen = 0;
        if (empty || !head_ready(c)) {
            count_busy(lane, -1);
            go_idle(c);
            return;
        }
        struct fail fail; // another head is here already; the others come first
        if (!loop_yield(&fail)) {
            count_busy(lane, -1);
            linger(c);
            return;
        }
    }
}

static void start_starved(struct loop *loop, struct loop_post *post);

// Right in the poll's callback: a hot call is read, served and written without passing any queue.
static void start_serving(struct loop_connection *c)
{
    struct lane *lane = c->lane;
    enter_line(c, &lane->busy, 0);
    count_busy(lane, 1);
    struct fiber *fiber = fiber_start(lane->loop, serve_connection, c);
    if (BASE_LIKELY(fiber != NULL)) {
        fiber_resume(lane->loop, fiber);
    } else {
        c->post.run = start_starved;
        post_starve(lane->loop, &c->post);
    }
}

static void start_starved(struct loop *loop, struct loop_post *post)
{
    struct loop_connection *c = (struct loop_connection *)(void *)((char *)post - offsetof(struct loop_connection, post));
    struct fiber *fiber = fiber_start(loop, serve_connection, c);
    if (fiber) {
        fiber_ready(fiber);
    } else {
        post_starve(loop, post);
    }
}

// Bytes for a connection without a fiber.
static void read_head(struct loop_connection *c)
{
    switch (fill_input(c)) {
    case FILL_SOME:
        if (head_ready(c)) {
            start_serving(c);
        } else if (c->line == &c->lane->idle) {
            go_idle(c); // into the line of heads; its time counts from here
        }
        return;
    case FILL_NONE:
        return;
    case FILL_FULL:
        start_serving(c); // without memory: serve sees what there is
        return;
    default:
        close_socket(c);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct loop_connection *c = poll->data;
    if (status < 0) {
        c->failed = true;
        c->watched = 0; // libuv has stopped the handle
    }
    if (c->line == &c->lane->busy) {
        if (c->waiter) {
            fiber_wake(c->waiter, WAKE_DONE);
        } else {
            watch_socket(c, 0); // nobody wants it now; whoever does will ask
        }
    } else if (c->line == &c->lane->linger) {
        drain_lingering(c);
    } else if (status < 0) {
        close_socket(c);
    } else {
        read_head(c);
    }
}

// ---- lanes --------------------------------------------------------------------------------------

// Lines are in the order of their deadlines: only the expired are touched.
static void expire_lane(void *arg)
{
    struct lane *lane = arg;
    int64_t now_ms = loop_now_ms();
    while (lane->idle.first && lane->idle.first->deadline_ms <= now_ms) {
        close_socket(lane->idle.first);
    }
    while (lane->linger.first && lane->linger.first->deadline_ms <= now_ms) {
        close_socket(lane->linger.first);
    }
    while (lane->head.first && lane->head.first->deadline_ms <= now_ms) {
        start_serving(lane->head.first); // a slow client is told
    }
    int64_t due_ms = INT64_MAX;
    const struct line *lines[] = {&lane->idle, &lane->linger, &lane->head};
    for (size_t i = 0; i < BASE_COUNT(lines); i++) {
        due_ms = lines[i]->first && lines[i]->first->deadline_ms < due_ms ? lines[i]->first->deadline_ms : due_ms;
    }
    if (due_ms != INT64_MAX) {
        loop_timer_start(&lane->timer, due_ms - now_ms);
    }
}

void lane_init(struct lane *lane, struct loop_listener *listener, struct loop *loop)
{
    lane->listener = listener;
    lane->loop = loop;
    timer_init(&lane->timer, loop, expire_lane, lane);
}

void lane_stop(struct lane *lane)
{
    lane->stopped = true;
    while (lane->idle.first) {
        close_socket(lane->idle.first);
    }
    while (lane->head.first) {
        close_socket(lane->head.first);
    }
}

void lane_close(struct lane *lane)
{
    lane_stop(lane);
    assert(!lane->busy.first);
    while (lane->linger.first) {
        close_socket(lane->linger.first);
    }
    loop_timer_stop(&lane->timer);
}

void connection_adopt(struct loop *loop, struct loop_post *post)
{
    struct loop_connection *c = (struct loop_connection *)(void *)((char *)post - offsetof(struct loop_connection, post));
    struct lane *lane = c->lane;
    if (lane->stopped || loop->ended || uv_poll_init(&loop->uv, &c->poll, c->fd) != 0) {
        close(c->fd);
        free(c);
        atomic_fetch_sub(&lane->connections, 1);
        return;
    }
    c->poll.data = c;
    go_idle(c);
}

// ---- the public side ----------------------------------------------------------------------------

struct view loop_input(struct loop_connection *c)
{
    return (struct view){c->input ? c->input + c->start : "", c->end - c->start};
}

void loop_consume(struct loop_connection *c, size_t bytes)
{
    assert(bytes <= c->end - c->start);
    c->start += bytes;
}

// What is left of a time limit that began at start_ms.
static int64_t time_left(int64_t timeout_ms, int64_t start_ms)
{
    int64_t spent_ms = loop_now_ms() - start_ms;
    return timeout_ms < 0 ? -1 : spent_ms < timeout_ms ? timeout_ms - spent_ms : 0;
}

static bool wait_socket(struct loop_connection *c, int events, int64_t timeout_ms, struct fail *fail)
{
    struct fiber *fiber = wait_begin(fail);
    if (!fiber) {
        return false;
    }
    assert(!c->waiter && "two fibers wait for one connection");
    if (c->failed) {
        return fail_set(fail, FAIL_CLOSED, NULL);
    }
    watch_socket(c, events);
    c->waiter = fiber;
    return wait_result(wait_for(fiber, WAIT_READY, &c->waiter, timeout_ms), fail);
}

bool loop_read(struct loop_connection *c, int64_t timeout_ms, struct fail *fail)
{
    assert(c->line == &c->lane->busy);
    wait_anyway();
    int64_t start_ms = loop_now_ms();
    for (;;) {
        switch (c->failed || c->eof ? FILL_END : fill_input(c)) {
        case FILL_SOME:
            return true;
        case FILL_NONE:
            break;
        case FILL_FULL:
            return fail_set(fail, FAIL_TOO_LARGE, "more is buffered than allowed");
        default:
            return fail_set(fail, FAIL_CLOSED, NULL);
        }
        if (!wait_socket(c, UV_READABLE, time_left(timeout_ms, start_ms), fail)) {
            return false;
        }
    }
}

// Sends from parts[*index] + *offset on and moves both; false when the socket takes no more or failed (errno).
static bool send_some(struct loop_connection *c, const struct view *parts, int count, int *index, size_t *offset)
{
    struct iovec vector[WRITE_PARTS_MAX];
    int used = 0;
    for (int i = *index; i < count && used < WRITE_PARTS_MAX; i++) {
        size_t skip = i == *index ? *offset : 0;
        vector[used++] = (struct iovec){(void *)(uintptr_t)(parts[i].data + skip), parts[i].len - skip};
    }
    ssize_t sent = used == 1 ? write(c->fd, vector[0].iov_base, vector[0].iov_len) : writev(c->fd, vector, used);
    if (sent < 0) {
        return errno == EINTR;
    }
    size_t left = (size_t)sent;
    while (*index < count && left >= parts[*index].len - *offset) {
        left -= parts[*index].len - *offset;
        (*index)++;
        *offset = 0;
    }
    *offset += left;
    return true;
}

bool loop_write(struct loop_connection *c, const struct view *parts, int count, int64_t timeout_ms, struct fail *fail)
{
    assert(c->line == &c->lane->busy && loop_fiber());
    wait_anyway();
    int64_t start_ms = loop_now_ms();
    int index = 0;
    size_t offset = 0;
    while (index < count) {
        // A cancelled call may still send its last words as long as the socket takes them.
        if (send_some(c, parts, count, &index, &offset)) {
            continue;
        }
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            c->failed = true;
            return fail_set(fail, FAIL_CLOSED, NULL);
        }
        if (!wait_socket(c, UV_WRITABLE, time_left(timeout_ms, start_ms), fail)) {
            return false;
        }
    }
    return true;
}

// Asks the kernel and reads nothing. A half-closed peer still wants its reply, so it does not count.
bool loop_peer_closed(struct loop_connection *c)
{
    struct pollfd look = {.fd = c->fd};
    return c->eof || c->failed || (poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR)));
}

struct view loop_peer(struct loop_connection *c)
{
    return view_of(c->peer);
}

bool loop_connection_local(struct loop_connection *c)
{
    return c->lane->listener->local;
}
