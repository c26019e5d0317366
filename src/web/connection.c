// SPDX-License-Identifier: Apache-2.0
//
// Serves one request of a connection on a fiber: head, handler, reply; then loop decides whether the connection goes on at once or without
// a fiber. Everything an exchange needs stands in one `struct call`; calls are pooled by loop, so an ordinary request takes no memory from
// the system: the head is copied into the call, the reply's head is built in the call's arena, a long body is sent from where the handler
// left it.
//
// The hard thing is what happens to bytes nobody wants. A body that was refused is dropped if it is short; otherwise the connection closes,
// but not at once: closing a socket with unread bytes resets it, and a client that is still sending would never see why it was refused.
// loop itself lingers for what is on its way; clients that send a long body before they look for an answer get the longer patience of
// linger_body.
#include "web/connection.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "web/http.h"
#include "web/reply.h"

enum {
    CALLS_POOLED_MAX = 256, // kept by each loop
    CALL_KEPT_BYTES_MAX = 64 * 1024, // of an arena or body buffer that waits for the next request
    BODY_RESERVED_BYTES_MAX = 64 * 1024, // taken for an announced length; longer bodies take memory as they come
};

// Everything one exchange needs. About 24 kB, most of which is touched only by long heads; pooled, not on the fiber's small stack.
struct call {
    struct call *next; // in the pool
    struct loop_connection *connection;
    const struct connection_service *service;
    struct arena arena;
    struct buffer body;
    size_t body_counted; // of the body's memory, in body_memory
    struct exchange exchange;
    struct http_head head;
    bool body_done; // the request's bytes are all consumed
    bool body_begun; // some are, so its framing is past saving when it fails
    bool garbled; // its chunks make no sense: what follows is no body
    char head_bytes[HTTP_HEAD_BYTES_MAX];
};

// ---- pool ---------------------------------------------------------------------------------------

static struct {
    _Alignas(64) struct call *first; // each line is touched by its own loop alone
    int count;
} pools[LOOP_WORKERS_MAX];

// A loop takes from and gives to its own pool alone, and a fiber never leaves its loop: no lock, no atomics.
static struct call *call_take(struct loop_connection *connection, const struct connection_service *service)
{
    int index = loop_index(loop_current());
    struct call *call = pools[index].first;
    if (call) {
        pools[index].first = call->next;
        pools[index].count--;
        call->arena.bytes_max = service->arena_bytes_max;
    } else {
        call = malloc(sizeof *call);
        if (!call) {
            return NULL;
        }
        arena_init(&call->arena, service->arena_bytes_max);
        buffer_init(&call->body, 0);
        call->body_counted = 0;
    }
    call->connection = connection;
    call->service = service;
    return call;
}

static void call_give(struct call *call)
{
    int index = loop_index(loop_current());
    if (pools[index].count == CALLS_POOLED_MAX) {
        arena_free(&call->arena);
        buffer_free(&call->body);
        free(call);
        return;
    }
    call->next = pools[index].first;
    pools[index].first = call;
    pools[index].count++;
}

// ---- body ---------------------------------------------------------------------------------------

// Waits for more bytes of a body, with patience for each wait and for the whole.
static bool read_more(struct call *call, int64_t deadline_ms, struct fail *fail)
{
    int64_t left = deadline_ms - loop_now_ms(), patience = call->service->body_idle_ms;
    if (left <= 0) {
        return fail_set(fail, FAIL_SLOW_CLIENT, NULL);
    }
    if (loop_read(call->connection, left < patience ? left : patience, fail)) {
        return true;
    }
    return fail->code == FAIL_TIMEOUT ? fail_set(fail, FAIL_SLOW_CLIENT, NULL) : false;
}

static atomic_size_t body_memory; // of all calls of the process, short bodies left out

// Counts what the body's buffer has come to hold; false when all bodies together are too many.
static bool count_body(struct call *call)
{
    size_t cap = call->body.cap > CALL_KEPT_BYTES_MAX ? call->body.cap : 0, before = call->body_counted;
    if (cap == before) {
        return true;
    }
    call->body_counted = cap;
    return atomic_fetch_add(&body_memory, cap - before) + (cap - before) <= call->service->body_memory_max || cap == 0;
}

// Between requests a call keeps little.
static void reset_call(struct call *call)
{
    arena_reset(&call->arena);
    if (call->arena.bytes > CALL_KEPT_BYTES_MAX) {
        arena_free(&call->arena);
    }
    buffer_reset(&call->body);
    if (call->body.cap > CALL_KEPT_BYTES_MAX) {
        buffer_free(&call->body);
        count_body(call);
    }
}

static bool keep_bytes(struct call *call, struct view bytes, struct fail *fail)
{
    buffer_add(&call->body, bytes);
    if (call->body.failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    return count_body(call) || fail_set(fail, FAIL_FULL, NULL);
}

// The buffer is not made as long as the client says: a length is a claim, and memory is taken for what has arrived.
static bool read_length(struct call *call, int64_t deadline_ms, struct fail *fail)
{
    size_t left = (size_t)call->head.length;
    if (left <= BODY_RESERVED_BYTES_MAX) {
        buffer_space(&call->body, left);
    }
    for (;;) {
        struct view input = view_slice(loop_input(call->connection), 0, left);
        if (!keep_bytes(call, input, fail)) {
            return false;
        }
        loop_consume(call->connection, input.len);
        left -= input.len;
        if (left == 0) {
            return true;
        }
        if (!read_more(call, deadline_ms, fail)) {
            return false;
        }
    }
}

// Decoded bytes are collected, framing is dropped as it is read, so the input never fills up.
static bool read_chunked(struct call *call, uint64_t bytes_max, int64_t deadline_ms, struct fail *fail)
{
    struct http_chunks chunks;
    http_chunks_init(&chunks, bytes_max);
    for (;;) {
        struct view input = loop_input(call->connection), data;
        size_t before = input.len;
        enum http_result result;
        while ((result = http_chunks_read(&chunks, &input, &data, fail)) == HTTP_DATA) {
            if (!keep_bytes(call, data, fail)) {
                return false;
            }
        }
        loop_consume(call->connection, before - input.len);
        if (result == HTTP_DONE) {
            return true;
        }
        call->garbled = result == HTTP_BAD && fail->code == FAIL_BAD_REQUEST;
        if (result == HTTP_BAD || !read_more(call, deadline_ms, fail)) {
            return false;
        }
    }
}

// exchange->read_body: the whole body into the call's buffer, exact bytes.
static bool read_body(struct exchange *exchange, size_t bytes_max, struct fail *fail)
{
    struct call *call = exchange->transport;
    const struct http_head *head = &call->head;
    if (exchange->body_read) {
        return true;
    }
    if (!call->body_done) {
        if (head->length > 0 && (uint64_t)head->length > bytes_max) {
            return fail_set(fail, FAIL_TOO_LARGE, NULL);
        }
        // A client that did not wait for it has sent the body already, or a part: then nothing needs to be said (RFC 9110 §10.1.1).
        if (head->expect_continue && loop_input(call->connection).len == 0) {
            struct view go_on = VIEW("HTTP/1.1 100 Continue\r\n\r\n");
            if (!loop_write(call->connection, &go_on, 1, call->service->write_ms, fail)) {
                return false;
            }
        }
        call->body_begun = true;
        call->body.max = bytes_max;
        int64_t deadline_ms = loop_now_ms() + call->service->body_total_ms;
        if (!(head->chunked ? read_chunked(call, bytes_max, deadline_ms, fail) : read_length(call, deadline_ms, fail))) {
            return false;
        }
        call->body_done = true;
    }
    exchange->body = buffer_view(&call->body);
    exchange->body_read = true;
    return true;
}

// May the connection stay although the handler did not read the body? Then it is short, of known length, and on its way.
static bool can_drain(const struct call *call)
{
    return !call->body_begun && !call->head.chunked && !call->head.expect_continue && call->head.length <= CONNECTION_DRAIN_BYTES_MAX;
}

// What the handler did not want, read so that the next head is found behind it. A failure only means that there is no next.
static bool drain_body(struct call *call)
{
    struct fail fail;
    return call->body_done || read_body(&call->exchange, CONNECTION_DRAIN_BYTES_MAX, &fail);
}

// ---- reply --------------------------------------------------------------------------------------

static bool send_pieces(struct call *call)
{
    struct exchange *exchange = &call->exchange;
    int64_t left = exchange->reply_length;
    struct view piece;
    struct fail fail;
    while (left > 0 && exchange->reply_next(exchange->reply_arg, &piece) && (int64_t)piece.len <= left) {
        left -= (int64_t)piece.len;
        while (piece.len > 0) {
            struct view slice = view_slice(piece, 0, CONNECTION_SLICE_BYTES);
            if (!loop_write(call->connection, &slice, 1, call->service->write_ms, &fail)) {
                return false;
            }
            piece = view_from(piece, CONNECTION_SLICE_BYTES);
        }
    }
    return left == 0;
}

// Head and body, or its first slice, leave in one system call; only a small body is copied for it.
static bool send_reply(struct call *call, bool stays)
{
    const struct exchange *exchange = &call->exchange;
    struct view parts[2], rest = exchange->reply_body, behind = VIEW_NONE;
    struct fail fail;
    int count = 1;
    if (!reply_has_body(exchange->status) || view_eq(exchange->method, VIEW("HEAD"))) {
        rest = VIEW_NONE;
    }
    if (rest.len <= CONNECTION_JOINED_BYTES_MAX) {
        behind = rest;
        rest = VIEW_NONE;
    }
    enum reply_connection connection = !stays ? REPLY_CLOSES : call->head.minor == 0 ? REPLY_STAYS_1_0 : REPLY_STAYS;
    if (!reply_head(exchange, connection, behind, &parts[0])) {
        parts[0] = VIEW("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        loop_write(call->connection, parts, 1, call->service->write_ms, &fail);
        return false;
    }
    // Slices, so that the time limit is for progress: a slow client may take its time for a long reply.
    do {
        if (rest.len > 0) {
            parts[count++] = view_slice(rest, 0, CONNECTION_SLICE_BYTES);
            rest = view_from(rest, CONNECTION_SLICE_BYTES);
        }
        if (!loop_write(call->connection, parts, count, call->service->write_ms, &fail)) {
            return false;
        }
        count = 0;
    } while (rest.len > 0);
    return !exchange->reply_next || view_eq(exchange->method, VIEW("HEAD")) || send_pieces(call);
}

// Reads and drops what the client still sends of its body, until it stops, closes, or has had its time.
static void linger_body(struct call *call)
{
    static atomic_int lingering;
    if (atomic_fetch_add(&lingering, 1) < CONNECTION_LINGERING_MAX) {
        int64_t deadline_ms = loop_now_ms() + call->service->linger_total_ms, left;
        size_t bytes = 0;
        struct fail fail;
        do {
            bytes += loop_input(call->connection).len;
            loop_consume(call->connection, loop_input(call->connection).len);
            left = deadline_ms - loop_now_ms();
            left = left < call->service->linger_idle_ms ? left : call->service->linger_idle_ms;
        } while (bytes < CONNECTION_LINGER_BYTES_MAX && left > 0 && loop_read(call->connection, left, &fail));
    }
    atomic_fetch_sub(&lingering, 1);
}

// ---- one exchange -------------------------------------------------------------------------------

static void begin_exchange(struct call *call)
{
    struct exchange *exchange = &call->exchange;
    // All but the array of reply headers, which is longer than the rest and counted.
    memset(exchange, 0, offsetof(struct exchange, reply_headers));
    exchange->reply_header_count = 0;
    exchange->arena = &call->arena;
    exchange->peer = loop_peer(call->connection);
    exchange->local = loop_connection_local(call->connection);
    exchange_make_id(exchange);
    call->body_done = call->body_begun = call->garbled = false;
}

// The exchange borrows from the settled head; both live in the call until the reply is out.
static void fill_exchange(struct call *call)
{
    struct exchange *exchange = &call->exchange;
    const struct http_head *head = &call->head;
    exchange->method = head->method;
    exchange->path = head->path;
    exchange->query = head->query;
    exchange->head = (struct view){head->start, head->bytes};
    exchange->headers = head->headers;
    exchange->header_count = head->header_count;
    exchange->content_type = head->content_type;
    exchange->read_body = read_body;
    exchange->transport = call;
    call->body_done = !head->chunked && head->length == 0;
}

// After the reply: what is counted and logged costs the caller no time.
static void report(const struct call *call, int64_t start_ns)
{
    if (call->service->done) {
        call->service->done(call->service->user, &call->exchange, (double)(clock_monotonic_ns() - start_ns) / 1e6);
    }
}

// A head that cannot be read: the reply says why, then the connection ends, for nobody knows where the next request starts.
static bool refuse_head(struct call *call, const struct fail *fail, int64_t start_ns)
{
    call->head.minor = 1;
    exchange_reply_fail(&call->exchange, fail);
    send_reply(call, false);
    report(call, start_ns);
    return false;
}

// True when the connection may go on.
static bool serve_request(struct call *call)
{
    int64_t start_ns = clock_monotonic_ns();
    struct fail fail;
    begin_exchange(call);
    enum http_result result = http_head_read(loop_input(call->connection), &call->head, &fail);
    if (result == HTTP_MORE) { // loop serves an unfinished head when its time is over, or at the end of the stream
        fail_set(&fail, FAIL_SLOW_CLIENT, NULL);
    }
    if (result != HTTP_DONE) {
        return refuse_head(call, &fail, start_ns);
    }
    http_head_settle(&call->head, call->head_bytes);
    loop_consume(call->connection, call->head.bytes);
    fill_exchange(call);
    call->service->handle(call->service->user, &call->exchange);
    // The reply must say before its body what becomes of the connection.
    bool stays = call->head.keep_alive && (call->body_done || can_drain(call)) && !loop_stopping();
    bool sent = send_reply(call, stays);
    if (call->exchange.reply_next) {
        call->exchange.reply_end(call->exchange.reply_arg);
    }
    report(call, start_ns);
    if (!sent) {
        return false;
    }
    if (!stays && !call->body_done && !call->garbled) {
        linger_body(call);
    }
    return stays && drain_body(call);
}

enum loop_ready connection_ready(struct view input, size_t seen)
{
    return http_head_ready(input, seen) ? LOOP_READY : LOOP_MORE;
}

// Nothing but the line end that some clients send behind a body: no request, so nothing to answer when its time is over.
static bool is_nothing(struct view input)
{
    return input.len == 0 || view_eq(input, VIEW("\r\n")) || view_eq(input, VIEW("\r"));
}

bool connection_serve(struct loop_connection *connection, void *service)
{
    struct call *call = is_nothing(loop_input(connection)) ? NULL : call_take(connection, service);
    if (!call) {
        return false;
    }
    bool stays = serve_request(call);
    reset_call(call);
    call_give(call);
    return stays; // loop calls again, after the others had their turn, when another head is buffered already
}
