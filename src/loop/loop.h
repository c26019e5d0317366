// SPDX-License-Identifier: Apache-2.0
//
// loop: event loops (one a thread, on libuv), fibers, timers, jobs on helper threads, file watching, and the sockets that web serves. uv.h
// is seen here alone. A call runs on a fiber: a small C stack that reads like blocking code and gives way only in the functions listed
// under "gives way".
//
// The rules of the fiber (docs/decisions and ARCHITECTURE.md tell why):
//   - a fiber lives and dies on the loop that started it; no mutex, no half-done call of a foreign library, no iterator over a shared table
//     spans a give-way; after a give-way errno and every library's last error are stale; no __thread pointer is kept across one;
//   - stacks are small (LOOP_STACK_BYTES with a guard page); foreign code that needs more runs through loop_on_thread_stack and never gives
//     way;
//   - a give-way always returns; when the fiber was cancelled it returns false with FAIL_CANCELLED, and so does every later one: the fiber
//     cleans up and unwinds. The exceptions: loop_write still sends what the socket takes at once, and loop_event_wait_surely.
#pragma once

#include "base/base.h"

enum {
    LOOP_STACK_BYTES = 64 * 1024, // 256 kB under AddressSanitizer, see loop/fiber.c
    LOOP_FIBERS_MAX = 20000, // a process; the kernel's limit of maps stops at about 32,000
    LOOP_WORKERS_MAX = 64,
    LOOP_HELPERS_MAX = 16, // threads that run jobs, started on demand
    LOOP_WATCH_FOLDERS_MAX = 4096,
    LOOP_WATCH_DEPTH_MAX = 32,
};

struct loop; // one thread's event loop
struct fiber; // one thread of straight-line code on it

// ---- process ------------------------------------------------------------------------------------

// Starts `workers` loops, each on a thread of its own (loop 0 runs on the calling thread inside loop_run). Signals SIGTERM and SIGINT are
// taken by one thread and call `on_stop` on a fiber of loop 0, once; SIGPIPE is ignored.
bool loop_start(int workers, struct fail *fail);
bool loop_run(void (*main_fiber)(void *arg), void *arg, struct fail *fail); // runs until loop_stop; main_fiber starts on loop 0
void loop_on_stop(void (*fn)(void *arg), void *arg);
// Any thread: ends all loops once their fibers ended (cancelling those that wait). The fiber that calls it is not cancelled, so that it may
// still close what was opened.
void loop_stop(void);
bool loop_on_end(void (*fn)(void *arg), void *arg); // runs on the current loop's own stack when that loop ends, last added first
int loop_count(void);
struct loop *loop_at(int index);
struct loop *loop_current(void); // NULL off the loops; do not keep it across a give-way in a __thread variable
int loop_index(const struct loop *loop);
int64_t loop_now_ms(void); // monotonic, cached once an iteration; cheap

// ---- fibers -------------------------------------------------------------------------------------

// Starts fn(arg) on a new fiber of the current loop. False (FAIL_FULL) above LOOP_FIBERS_MAX.
bool loop_spawn(void (*fn)(void *arg), void *arg, struct fail *fail);
// Runs fn(arg) on a fiber of another loop (or this one), from any thread. Never waits. False when the process stops or is full.
bool loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);
struct fiber *loop_fiber(void); // the running one, NULL on the loop's own stack
void loop_cancel(struct fiber *fiber); // same loop only: its next give-way returns false
bool loop_cancelled(void); // has the running fiber been cancelled?
int loop_fiber_count(void); // in the process
// Calls fn(arg) on the loop's own big stack. It must not give way (debug builds assert it).
void loop_on_thread_stack(void (*fn)(void *arg), void *arg);
size_t loop_stack_left(void); // bytes left on the running fiber's stack
// Debug builds assert that nothing gives way between the two. Foreign-library sections are marked with them.
void loop_no_yield_begin(void);
void loop_no_yield_end(void);

// ---- gives way: these functions and the VM's back edge, nothing else ----------------------------

bool loop_sleep(int64_t ms, struct fail *fail);
bool loop_yield(struct fail *fail); // lets the others run once; cheap when nobody is ready
bool loop_wait_fd(int fd, bool write, int64_t timeout_ms, struct fail *fail); // FAIL_TIMEOUT; timeout < 0 waits for ever
// fn on a helper thread; a begun job is waited for even when cancelled: true says that fn ran, false that it never will. Off the loops fn
// just runs.
bool loop_job(void (*fn)(void *arg), void *arg, struct fail *fail);
bool loop_call(void (*fn)(void *arg), void *arg, struct fail *fail); // a child fiber; returns when it ended; cancelling reaches the child

// A note that one thread drops into the queue of a loop; part of other structures, never used by itself.
struct loop_post {
    struct loop_post *next;
    void (*run)(struct loop *loop, struct loop_post *post);
};

// One waiter or many; set from the same loop, or from any thread with loop_event_set_from.
struct loop_event {
    struct loop *loop;
    struct fiber *first, *last; // waiting, FIFO
    bool set;
    bool posted; // loop_event_set_from is on its way
    struct loop_post post;
};
void loop_event_init(struct loop_event *event); // on the loop that will wait
bool loop_event_wait(struct loop_event *event, int64_t timeout_ms, struct fail *fail);
// Returns only when the event is set, cancelled or not: for a fiber whose memory another thread uses until then. What sets it must not depend
// on this loop's other fibers being cancelled or not.
void loop_event_wait_surely(struct loop_event *event);
void loop_event_set(struct loop_event *event); // same loop: wakes all; stays set
void loop_event_reset(struct loop_event *event);
void loop_event_set_from(struct loop_event *event); // any thread; the event must outlive the wake-up

// Exclusive use that may span a wait: FIFO among the fibers of one loop, in one written order (see ARCHITECTURE.md).
struct loop_lock {
    struct fiber *owner, *first, *last;
};
bool loop_lock(struct loop_lock *lock, int64_t timeout_ms, struct fail *fail);
void loop_unlock(struct loop_lock *lock);

// ---- timers on the loop's own stack (for out/, which needs callbacks) ---------------------------

struct loop_timer;
struct loop_timer *loop_timer_new(void (*fn)(void *arg), void *arg);
void loop_timer_start(struct loop_timer *timer, int64_t ms); // again = moved
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer);
enum { LOOP_READABLE = 1, LOOP_WRITABLE = 2 };
struct loop_poll;
struct loop_poll *loop_poll_new(int fd, void (*fn)(void *arg, int events, bool error), void *arg);
void loop_poll_set(struct loop_poll *poll, int events); // 0 = pause
void loop_poll_free(struct loop_poll *poll);

// ---- sockets ------------------------------------------------------------------------------------

// A served connection. While it is idle it has no fiber: loop reads into its buffer and asks `ready`; when that says so, `serve` runs on a
// fiber.
struct loop_connection;
enum loop_ready { LOOP_MORE, LOOP_READY }; // LOOP_READY also for bytes that are already wrong: serve answers them

struct loop_service {
    // Pure function over the bytes so far: is a request head complete? `seen` is the length at the last call, for incremental search.
    enum loop_ready (*ready)(struct view input, size_t seen);
    // Serves requests until nothing whole is buffered, then returns true (the connection goes idle, part of a next head may stay) or false
    // (close it; loop lingers, so the reply arrives although bytes are unread). May give way. When the first head it finds is not whole,
    // the client was too slow, or the head is too long (input_bytes_max).
    bool (*serve)(struct loop_connection *connection, void *user);
    void *user;
    size_t input_bytes_max; // bytes read ahead of `serve`
    int64_t idle_timeout_ms; // with nothing buffered; 0 = none
    int64_t head_timeout_ms; // from the first byte of a head until ready; then serve runs with what is there; 0 = none
    int connections_max;
    int backlog;
};

struct loop_listener;
// "HOST:PORT" (port 0 picks one; "[::1]:80"), or "unix:/path" (made 0600, replaced if stale). Accepts on loop 0 and hands each connection
// to the loop with the fewest live calls.
bool loop_listen(const char *address, const struct loop_service *service, struct loop_listener **ret_listener, struct fail *fail);
const char *loop_listener_address(const struct loop_listener *listener); // the real "HOST:PORT"
void loop_listener_stop(struct loop_listener *listener); // takes no new connections, closes the idle ones
int loop_listener_busy(const struct loop_listener *listener); // connections that are being served

struct view loop_input(struct loop_connection *connection); // what is buffered; stays in place until loop_read or the end of serve
void loop_consume(struct loop_connection *connection, size_t bytes); // drops the front (the bytes themselves stay until then, too)
// Gives way until more is buffered; FAIL_CLOSED at the end, FAIL_TOO_LARGE when input_bytes_max are buffered and nothing was consumed.
bool loop_read(struct loop_connection *connection, int64_t timeout_ms, struct fail *fail);
// All or fail; tries without waiting first.
bool loop_write(struct loop_connection *connection, const struct view *parts, int count, int64_t timeout_ms, struct fail *fail);
bool loop_peer_closed(struct loop_connection *connection);
struct view loop_peer(struct loop_connection *connection); // address without port; empty for unix sockets
bool loop_connection_local(struct loop_connection *connection); // came over the unix socket
bool loop_stopping(void); // the process takes no new calls

// ---- watching files -----------------------------------------------------------------------------

struct loop_watch;
// Calls fn on a fiber of the loop, at most once a `settle_ms`, after something below `folder` changed (sub-folders included).
bool loop_watch(const char *folder, int64_t settle_ms, void (*fn)(void *arg), void *arg, struct loop_watch **ret_watch, struct fail *fail);
void loop_watch_free(struct loop_watch *watch);
