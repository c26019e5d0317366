// SPDX-License-Identifier: Apache-2.0
//
// Real sockets against a connection with a small handler in the place of the dispatcher: what a client sees of framing, keep-alive,
// patience and refusals. The server runs on the loop of this thread, the client is a thread with blocking calls; it notes the first thing
// that is not as expected, and the test asserts that there was none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web/connection.h"

enum { ECHO_BYTES_MAX = 1000, BIG_BYTES = 5 << 20, PEER_BYTES_MAX = 8 << 20, TEST_PATIENCE_S = 20 };

// ---- server -------------------------------------------------------------------------------------

struct test {
    void (*client)(struct test *test);
    int port;
    char failure[256]; // of the client, empty = all was as expected
    struct loop_event over;
    struct connection_service service;
    atomic_int done; // exchanges reported
};

static void reply(struct exchange *exchange, int status, struct view body)
{
    exchange->status = status;
    exchange->reply_type = VIEW("text/plain");
    exchange->reply_body = body;
}

static void handle(void *user, struct exchange *exchange)
{
    static char big[BIG_BYTES];
    struct fail fail;
    (void)user;
    if (view_eq(exchange->path, VIEW("/swallow"))) {
        bool good = exchange->read_body(exchange, BIG_BYTES, &fail);
        reply(exchange, good ? 200 : fail_status(fail.code), VIEW(""));
    } else if (view_eq(exchange->path, VIEW("/echo"))) {
        if (!exchange->read_body(exchange, ECHO_BYTES_MAX, &fail)) {
            exchange_reply_fail(exchange, &fail);
            return;
        }
        reply(exchange, 200, exchange->body);
    } else if (view_eq(exchange->path, VIEW("/refuse"))) {
        reply(exchange, 401, VIEW("no"));
    } else if (view_eq(exchange->path, VIEW("/empty"))) {
        reply(exchange, 204, VIEW("never sent"));
    } else if (view_eq(exchange->path, VIEW("/big"))) {
        memset(big, 'b', sizeof big);
        reply(exchange, 200, (struct view){big, sizeof big});
    } else if (view_eq(exchange->path, VIEW("/header"))) {
        reply(exchange, 200, exchange_header(exchange, VIEW("x-mixed-case")));
    } else {
        reply(exchange, 200, exchange->query);
    }
}

static void count_done(void *user, const struct exchange *exchange, double duration_ms)
{
    struct test *test = user;
    assert(exchange->status >= 200 && duration_ms >= 0);
    atomic_fetch_add(&test->done, 1);
}

static void *run_client(void *arg)
{
    struct test *test = arg;
    test->client(test);
    loop_event_set_from(&test->over);
    return NULL;
}

static void run_server(void *arg)
{
    struct test *test = arg;
    const struct loop_service service = {.ready = connection_ready,
                                         .serve = connection_serve,
                                         .user = &test->service,
                                         .input_bytes_max = CONNECTION_INPUT_BYTES_MAX,
                                         .idle_timeout_ms = 60000,
                                         .head_timeout_ms = test->service.body_idle_ms,
                                         .connections_max = 100,
                                         .backlog = 10};
    struct loop_listener *listener;
    struct fail fail;
    pthread_t thread;
    loop_event_init(&test->over);
    if (!loop_listen("127.0.0.1:0", &service, &listener, &fail)) {
        snprintf(test->failure, sizeof test->failure, "%.200s", fail.text);
        loop_stop();
        return;
    }
    test->port = atoi(strrchr(loop_listener_address(listener), ':') + 1);
    pthread_create(&thread, NULL, run_client, test);
    loop_event_wait(&test->over, -1, &fail);
    pthread_join(thread, NULL);
    loop_listener_stop(listener);
    loop_stop();
}

// Runs `client` against a fresh server whose patience with heads and bodies is `patience_ms`.
static void serve(void (*client)(struct test *test), int64_t patience_ms)
{
    struct test test = {.client = client,
                        .service = {.handle = handle,
                                    .done = count_done,
                                    .body_memory_max = 1 << 20,
                                    .arena_bytes_max = 1 << 20,
                                    .body_idle_ms = patience_ms,
                                    .body_total_ms = 10000,
                                    .write_ms = 10000,
                                    .linger_idle_ms = 1000,
                                    .linger_total_ms = 10000}};
    struct fail fail;
    test.service.user = &test;
    assert_true(loop_start(1, &fail));
    assert_true(loop_run(run_server, &test, &fail));
    if (test.failure[0]) {
        fail_msg("%s", test.failure);
    }
}

// ---- client -------------------------------------------------------------------------------------

struct peer {
    int fd;
    size_t len;
    char *bytes; // received and not yet looked at
    bool closed; // the server has closed
};

struct answer {
    int status;
    char head[1024];
    char *body; // inside the peer's bytes
    size_t body_len;
};

#define EXPECT(test, condition)                                                                                                            \
    do {                                                                                                                                   \
        if (!(condition) && !(test)->failure[0]) {                                                                                         \
            snprintf((test)->failure, sizeof(test)->failure, "line %d: %s", __LINE__, #condition);                                         \
        }                                                                                                                                  \
    } while (0)

static struct peer dial(struct test *test)
{
    struct peer peer = {.fd = socket(AF_INET, SOCK_STREAM, 0), .bytes = malloc(PEER_BYTES_MAX)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)test->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval patience = {.tv_sec = TEST_PATIENCE_S};
    int on = 1;
    setsockopt(peer.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    EXPECT(test, connect(peer.fd, (struct sockaddr *)&to, sizeof to) == 0);
    return peer;
}

static void hang_up(struct peer *peer)
{
    close(peer->fd);
    free(peer->bytes);
}

static void say_bytes(struct peer *peer, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(peer->fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; // what the server answers tells
        }
        bytes += sent;
        len -= (size_t)sent;
    }
}

static void say(struct peer *peer, const char *text)
{
    say_bytes(peer, text, strlen(text));
}

static bool hear_more(struct peer *peer)
{
    ssize_t got = peer->len < PEER_BYTES_MAX ? recv(peer->fd, peer->bytes + peer->len, PEER_BYTES_MAX - peer->len, 0) : -1;
    peer->closed = got == 0;
    peer->len += got > 0 ? (size_t)got : 0;
    return got > 0;
}

// Drops the answer from the front; call before hearing the next one.
static void forget(struct peer *peer, size_t len)
{
    memmove(peer->bytes, peer->bytes + len, peer->len - len);
    peer->len -= len;
}

// The next answer; status 0 when none came. `bodyless`: to HEAD.
static struct answer hear(struct peer *peer, bool bodyless)
{
    struct answer answer = {0};
    char *end;
    while (!(end = memmem(peer->bytes, peer->len, "\r\n\r\n", 4))) {
        if (!hear_more(peer)) {
            return answer;
        }
    }
    size_t head = (size_t)(end - peer->bytes) + 4;
    snprintf(answer.head, sizeof answer.head, "%.*s", (int)head, peer->bytes);
    forget(peer, head);
    const char *length = strstr(answer.head, "Content-Length: ");
    answer.body_len = length && !bodyless ? (size_t)atol(length + 16) : 0;
    while (peer->len < answer.body_len) {
        if (!hear_more(peer)) {
            return answer;
        }
    }
    answer.body = malloc(answer.body_len + 1);
    memcpy(answer.body, peer->bytes, answer.body_len);
    answer.body[answer.body_len] = 0;
    forget(peer, answer.body_len);
    answer.status = atoi(answer.head + strlen("HTTP/1.1 "));
    return answer;
}

static bool answers(struct peer *peer, int status, const char *body)
{
    struct answer answer = hear(peer, false);
    bool good = answer.status == status && (!body || strcmp(answer.body, body) == 0);
    free(answer.body);
    return good;
}

static bool is_closed(struct peer *peer)
{
    return peer->len == 0 && !hear_more(peer) && peer->closed;
}

// ---- tests --------------------------------------------------------------------------------------

#define HOST "Host: h\r\n"

static void ask_twice(struct test *test)
{
    struct peer peer = dial(test);
    say(&peer, "GET /q?one HTTP/1.1\r\n" HOST "\r\n");
    EXPECT(test, answers(&peer, 200, "one"));
    say(&peer, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\ntwo");
    EXPECT(test, answers(&peer, 200, "two"));
    EXPECT(test, atomic_load(&test->done) >= 1);
    hang_up(&peer);
}

static void a_connection_serves_again(void **state)
{
    (void)state;
    serve(ask_twice, 10000);
}

static void ask_in_a_row(struct test *test)
{
    struct peer peer = dial(test);
    say(&peer, "GET /q?one HTTP/1.1\r\n" HOST "\r\n"
               "GET /empty HTTP/1.1\r\n" HOST "\r\n"
               "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\ntwo"
               "\r\nPOST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nth\r\n3;x\r\nree\r\n0\r\nT: 1\r\n\r\n"
               "POST /refuse HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\ndrop"
               "GET /q?last HTTP/1.1\r\n" HOST "\r\n");
    EXPECT(test, answers(&peer, 200, "one"));
    EXPECT(test, answers(&peer, 204, ""));
    EXPECT(test, answers(&peer, 200, "two"));
    EXPECT(test, answers(&peer, 200, "three"));
    EXPECT(test, answers(&peer, 401, "no"));
    EXPECT(test, answers(&peer, 200, "last"));
    hang_up(&peer);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    serve(ask_in_a_row, 10000);
}

static void ask_byte_by_byte(struct test *test)
{
    struct peer peer = dial(test);
    const char *text = "\r\nPOST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
                       "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nxy";
    for (; *text; text++) {
        say_bytes(&peer, text, 1);
    }
    EXPECT(test, answers(&peer, 200, "abcde"));
    EXPECT(test, answers(&peer, 200, "xy"));
    hang_up(&peer);
}

static void a_slow_client_is_served(void **state)
{
    (void)state;
    serve(ask_byte_by_byte, 10000);
}

static void ask_header(struct test *test)
{
    struct peer peer = dial(test);
    say(&peer, "GET /header HTTP/1.1\r\n" HOST "X-Mixed-Case:  Value \r\n\r\n");
    EXPECT(test, answers(&peer, 200, "Value"));
    hang_up(&peer);
}

static void handlers_find_headers_in_lower_case(void **state)
{
    (void)state;
    serve(ask_header, 10000);
}

static void ask_to_continue(struct test *test)
{
    struct peer peer = dial(test);
    say(&peer, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT(test, answers(&peer, 100, NULL));
    say(&peer, "hi");
    EXPECT(test, answers(&peer, 200, "hi"));
    say(&peer, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT(test, answers(&peer, 200, "hi")); // the body is there: no need to say so
    hang_up(&peer);
}

static void continue_is_said_when_the_body_is_wanted(void **state)
{
    (void)state;
    serve(ask_to_continue, 10000);
}

static void ask_in_vain(struct test *test)
{
    static const char *const requests[] = {
        "POST /refuse HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n",
    };
    static const int statuses[] = {401, 413};
    for (size_t i = 0; i < BASE_COUNT(requests); i++) {
        struct peer peer = dial(test);
        say(&peer, requests[i]);
        struct answer answer = hear(&peer, false);
        EXPECT(test, answer.status == statuses[i]);
        EXPECT(test, strstr(answer.head, "\r\nConnection: close\r\n"));
        shutdown(peer.fd, SHUT_WR);
        EXPECT(test, is_closed(&peer));
        free(answer.body);
        hang_up(&peer);
    }
}

static void continue_is_not_said_for_a_body_that_is_refused(void **state)
{
    (void)state;
    serve(ask_in_vain, 10000);
}

static void ask_head(struct test *test)
{
    struct peer peer = dial(test);
    say(&peer, "HEAD /q?12345 HTTP/1.1\r\n" HOST "\r\nGET /q?next HTTP/1.1\r\n" HOST "\r\n");
    struct answer answer = hear(&peer, true);
    EXPECT(test, answer.status == 200);
    EXPECT(test, strstr(answer.head, "\r\nContent-Length: 5\r\n"));
    free(answer.body);
    EXPECT(test, answers(&peer, 200, "next"));
    hang_up(&peer);
}

static void head_has_the_length_and_no_body(void **state)
{
    (void)state;
    serve(ask_head, 10000);
}

static void ask_to_close(struct test *test)
{
    static const char *const requests[] = {
        "GET /q?x HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nGET /q?y HTTP/1.1\r\n" HOST "\r\n",
        "GET /q?x HTTP/1.0\r\n\r\nGET /q?y HTTP/1.0\r\n\r\n",
    };
    for (size_t i = 0; i < BASE_COUNT(requests); i++) {
        struct peer peer = dial(test);
        say(&peer, requests[i]);
        struct answer answer = hear(&peer, false);
        EXPECT(test, answer.status == 200 && strstr(answer.head, "\r\nConnection: close\r\n"));
        EXPECT(test, is_closed(&peer));
        free(answer.body);
        hang_up(&peer);
    }
    struct peer peer = dial(test);
    say(&peer, "GET /q?x HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /q?y HTTP/1.0\r\n\r\n");
    struct answer answer = hear(&peer, false);
    EXPECT(test, answer.status == 200 && strstr(answer.head, "\r\nConnection: keep-alive\r\n"));
    EXPECT(test, answers(&peer, 200, "y"));
    free(answer.body);
    hang_up(&peer);
}

static void connections_end_or_stay_as_asked(void **state)
{
    (void)state;
    serve(ask_to_close, 10000);
}

static void ask_badly(struct test *test)
{
    struct peer peer = dial(test);
    say(&peer, "GET /q?x HTTP/1.1\r\n" HOST "\r\nGET  /q HTTP/1.1\r\n" HOST "\r\nGET /q?y HTTP/1.1\r\n" HOST "\r\n");
    EXPECT(test, answers(&peer, 200, "x"));
    struct answer answer = hear(&peer, false);
    EXPECT(test, answer.status == 400);
    EXPECT(test, answer.body && strncmp(answer.body, "{\"code\":\"INVALID_REQUEST\",\"details\":{},\"message\":\"", 50) == 0);
    EXPECT(test, strstr(answer.head, "\r\nConnection: close\r\n") && strstr(answer.head, "\r\nX-Request-Id: "));
    EXPECT(test, is_closed(&peer));
    free(answer.body);
    hang_up(&peer);
}

static void a_bad_head_is_answered_and_ends_the_connection(void **state)
{
    (void)state;
    serve(ask_badly, 10000);
}

static void ask_with_bad_chunks(struct test *test)
{
    static const struct {
        const char *chunks;
        int status;
    } rows[] = {{"2\r\nabc\r\n0\r\n\r\n", 400}, {"x\r\n", 400}, {"3e9\r\n", 413}, {"fffffffffffffffff\r\n", 400}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        struct peer peer = dial(test);
        say(&peer, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
        say(&peer, rows[i].chunks);
        EXPECT(test, answers(&peer, rows[i].status, NULL));
        shutdown(peer.fd, SHUT_WR);
        EXPECT(test, is_closed(&peer));
        hang_up(&peer);
    }
}

static void bad_chunks_are_answered_and_end_the_connection(void **state)
{
    (void)state;
    serve(ask_with_bad_chunks, 10000);
}

static void ask_too_much(struct test *test)
{
    struct peer peer = dial(test);
    char *body = calloc(1, BIG_BYTES);
    char head[128];
    snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", BIG_BYTES);
    say(&peer, head);
    say_bytes(&peer, body, BIG_BYTES); // a client that sends all before it listens
    EXPECT(test, answers(&peer, 413, NULL));
    free(body);
    hang_up(&peer);
}

static void a_refusal_reaches_a_client_that_is_still_sending(void **state)
{
    (void)state;
    serve(ask_too_much, 10000);
}

static void ask_over_the_budget(struct test *test)
{
    char *body = calloc(1, BIG_BYTES);
    static const int lengths[] = {500 * 1000, BIG_BYTES, 500 * 1000}, statuses[] = {200, 503, 200};
    for (size_t i = 0; i < BASE_COUNT(lengths); i++) {
        struct peer peer = dial(test);
        char head[128];
        snprintf(head, sizeof head, "POST /swallow HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", lengths[i]);
        say(&peer, head);
        say_bytes(&peer, body, (size_t)lengths[i]);
        EXPECT(test, answers(&peer, statuses[i], NULL));
        hang_up(&peer);
    }
    free(body);
}

static void bodies_have_a_budget_together(void **state)
{
    (void)state;
    serve(ask_over_the_budget, 10000);
}

static void ask_for_much(struct test *test)
{
    struct peer peer = dial(test);
    say(&peer, "GET /big HTTP/1.1\r\n" HOST "\r\nGET /q?after HTTP/1.1\r\n" HOST "\r\n");
    struct answer answer = hear(&peer, false);
    EXPECT(test, answer.status == 200 && answer.body_len == BIG_BYTES);
    EXPECT(test, answer.body && answer.body[0] == 'b' && answer.body[BIG_BYTES - 1] == 'b');
    free(answer.body);
    EXPECT(test, answers(&peer, 200, "after"));
    hang_up(&peer);
}

static void a_long_reply_arrives_whole(void **state)
{
    (void)state;
    serve(ask_for_much, 10000);
}

static void ask_and_stop(struct test *test)
{
    static const char *const requests[] = {"GET /q HTTP/1.1\r\nHos", "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab",
                                           "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\na"};
    for (size_t i = 0; i < BASE_COUNT(requests); i++) {
        struct peer peer = dial(test);
        say(&peer, requests[i]);
        EXPECT(test, answers(&peer, 408, NULL));
        shutdown(peer.fd, SHUT_WR);
        EXPECT(test, is_closed(&peer));
        hang_up(&peer);
    }
}

static void requests_that_stop_halfway_are_told_so(void **state)
{
    (void)state;
    serve(ask_and_stop, 50);
}

static void ask_and_leave(struct test *test)
{
    static const char *const requests[] = {"", "GET /q HT", "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab",
                                           "GET /big HTTP/1.1\r\n" HOST "\r\n"};
    for (size_t i = 0; i < BASE_COUNT(requests); i++) {
        struct peer peer = dial(test);
        say(&peer, requests[i]);
        hang_up(&peer);
    }
    struct peer peer = dial(test);
    say(&peer, "GET /q?alive HTTP/1.1\r\n" HOST "\r\n");
    EXPECT(test, answers(&peer, 200, "alive"));
    hang_up(&peer);
}

static void clients_that_leave_early_harm_nobody(void **state)
{
    (void)state;
    serve(ask_and_leave, 10000);
}

static void ask_for_ids(struct test *test)
{
    struct peer peer = dial(test);
    char ids[2][64];
    for (int i = 0; i < 2; i++) {
        say(&peer, "GET /q HTTP/1.1\r\n" HOST "\r\n");
        struct answer answer = hear(&peer, false);
        const char *id = strstr(answer.head, "X-Request-Id: ");
        snprintf(ids[i], sizeof ids[i], "%.24s", id ? id + 14 : "");
        EXPECT(test, strspn(ids[i], "0123456789abcdef") == 24);
        free(answer.body);
    }
    EXPECT(test, strcmp(ids[0], ids[1]) != 0);
    hang_up(&peer);
}

static void every_reply_has_an_id_of_its_own(void **state)
{
    (void)state;
    serve(ask_for_ids, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_serves_again),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_slow_client_is_served),
        cmocka_unit_test(handlers_find_headers_in_lower_case),
        cmocka_unit_test(continue_is_said_when_the_body_is_wanted),
        cmocka_unit_test(continue_is_not_said_for_a_body_that_is_refused),
        cmocka_unit_test(head_has_the_length_and_no_body),
        cmocka_unit_test(connections_end_or_stay_as_asked),
        cmocka_unit_test(a_bad_head_is_answered_and_ends_the_connection),
        cmocka_unit_test(bad_chunks_are_answered_and_end_the_connection),
        cmocka_unit_test(a_refusal_reaches_a_client_that_is_still_sending),
        cmocka_unit_test(bodies_have_a_budget_together),
        cmocka_unit_test(a_long_reply_arrives_whole),
        cmocka_unit_test(requests_that_stop_halfway_are_told_so),
        cmocka_unit_test(clients_that_leave_early_harm_nobody),
        cmocka_unit_test(every_reply_has_an_id_of_its_own),
    };
    return cmocka_run_group_tests_name("web/connection", tests, NULL, NULL);
}
