// SPDX-License-Identifier: Apache-2.0
//
// Served connections, seen from the client: a line is a request, the reply is the line in brackets. Clients are plain blocking sockets on a
// helper thread. Commands: "big N" answers N bytes, "body N" reads N more bytes and says so, "sleep MS", "bye" closes after the reply,
// "peer".
#include "support.h"

#include <errno.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { INPUT_MAX = 32 * 1024, WAIT_MS = 20000 };

static atomic_int served[LOOP_WORKERS_MAX]; // by loop

// ---- the service --------------------------------------------------------------------------------

static enum loop_ready line_ready(struct view input, size_t seen)
{
    return view_find_char(view_from(input, seen), '\n') >= 0 ? LOOP_READY : LOOP_MORE;
}

static bool answer(struct loop_connection *connection, struct view text)
{
    struct fail fail;
    const struct view parts[] = {VIEW("["), text, VIEW("]\n")};
    return loop_write(connection, parts, 3, WAIT_MS, &fail);
}

static bool answer_big(struct loop_connection *connection, int64_t bytes)
{
    struct fail fail;
    char *big = malloc((size_t)bytes);
    memset(big, 'x', (size_t)bytes);
    struct view parts[] = {{big, (size_t)bytes}};
    bool sent = loop_write(connection, parts, 1, WAIT_MS, &fail);
    free(big);
    return sent;
}

static bool read_body(struct loop_connection *connection, int64_t bytes)
{
    struct fail fail;
    int64_t left = bytes;
    for (;;) {
        size_t here = loop_input(connection).len;
        here = (int64_t)here < left ? here : (size_t)left;
        loop_consume(connection, here);
        left -= (int64_t)here;
        if (left == 0) {
            return answer(connection, VIEW("body"));
        }
        if (!loop_read(connection, WAIT_MS, &fail)) {
            return false;
        }
    }
}

static bool serve_line(struct loop_connection *connection, struct view line)
{
    struct fail fail;
    int64_t number;
    atomic_fetch_add(&served[loop_index(loop_current())], 1);
    if (view_starts(line, VIEW("big ")) && view_to_int64(view_from(line, 4), &number)) {
        return answer_big(connection, number);
    }
    if (view_starts(line, VIEW("body ")) && view_to_int64(view_from(line, 5), &number)) {
        return read_body(connection, number);
    }
    if (view_starts(line, VIEW("sleep ")) && view_to_int64(view_from(line, 6), &number)) {
        return loop_sleep(number, &fail) && answer(connection, line);
    }
    if (view_eq(line, VIEW("peer"))) {
        return answer(connection, loop_connection_local(connection) ? VIEW("local") : loop_peer(connection));
    }
    return answer(connection, line) && !view_eq(line, VIEW("bye"));
}

static bool serve_lines(struct loop_connection *connection, void *user)
{
    (void)user;
    for (bool first = true;; first = false) {
        struct view input = loop_input(connection);
        if (input.len == 0) {
            return true;
        }
        ptrdiff_t end = view_find_char(input, '\n');
        if (end < 0 && !first) {
            return true; // loop waits for the rest
        }
        if (end < 0) {
            answer(connection, input.len >= INPUT_MAX ? VIEW("long") : VIEW("slow"));
            return false;
        }
        loop_consume(connection, (size_t)end + 1);
        if (!serve_line(connection, view_slice(input, 0, (size_t)end))) {
            return false;
        }
    }
}

// ---- the client ---------------------------------------------------------------------------------

struct scene {
    struct loop_service service;
    const char *address;
    int workers;
    void (*client)(struct scene *scene);
    struct loop_listener *listener;
    int port;
};

static int dial(const struct scene *scene)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)scene->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = WAIT_MS / 1000};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    CHECK(connect(fd, (struct sockaddr *)&where, sizeof where) == 0);
    return fd;
}

static void send_text(int fd, const char *text)
{
    CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

// Exactly this must come next.
static bool expect(int fd, const char *text)
{
    char got[256];
    size_t len = 0, want = strlen(text);
    while (len < want) {
        ssize_t n = recv(fd, got + len, want - len, 0);
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
    }
    return len == want && memcmp(got, text, want) == 0;
}

static bool expect_end(int fd)
{
    char c;
    return recv(fd, &c, 1, 0) == 0;
}

static void run_client(void *arg)
{
    struct scene *scene = arg;
    scene->client(scene);
}

static void serve_scene(void *arg)
{
    struct scene *scene = arg;
    struct fail fail = {0};
    bool listening = loop_listen(scene->address ? scene->address : "127.0.0.1:0", &scene->service, &scene->listener, &fail);
    CHECK(listening);
    if (!listening) {
        return;
    }
    const char *colon = strrchr(loop_listener_address(scene->listener), ':');
    scene->port = atoi(colon + 1);
    CHECK(loop_job(run_client, scene, &fail));
}

static void run_scene(struct scene scene)
{
    scene.service.ready = line_ready;
    scene.service.serve = serve_lines;
    scene.service.input_bytes_max = INPUT_MAX;
    scene.service.connections_max = scene.service.connections_max ? scene.service.connections_max : 10000;
    scene.service.backlog = 1024;
    for (int i = 0; i < LOOP_WORKERS_MAX; i++) {
        atomic_store(&served[i], 0);
    }
    run_on_loops(scene.workers ? scene.workers : 1, serve_scene, &scene);
}

// ---- framing ------------------------------------------------------------------------------------

static void client_simple(struct scene *scene)
{
    int fd = dial(scene);
    for (int i = 0; i < 3; i++) {
        send_text(fd, "hello\n");
        CHECK(expect(fd, "[hello]\n"));
    }
    close(fd);
}

static void test_requests_follow_each_other(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_simple});
}

static void client_pipeline(struct scene *scene)
{
    int fd = dial(scene);
    send_text(fd, "a\nb\nc\nhal");
    CHECK(expect(fd, "[a]\n[b]\n[c]\n"));
    send_text(fd, "f\n");
    CHECK(expect(fd, "[half]\n"));
    close(fd);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_pipeline});
}

static void client_bytes(struct scene *scene)
{
    int fd = dial(scene);
    for (int round = 0; round < 2; round++) {
        for (const char *c = "byte by byte\n"; *c; c++) {
            send(fd, c, 1, MSG_NOSIGNAL);
            usleep(500);
        }
        CHECK(expect(fd, "[byte by byte]\n"));
    }
    close(fd);
}

static void test_a_request_may_come_byte_by_byte(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_bytes});
}

static void client_half_closed(struct scene *scene)
{
    int fd = dial(scene);
    send_text(fd, "sleep 10\n");
    shutdown(fd, SHUT_WR);
    CHECK(expect(fd, "[sleep 10]\n"));
    CHECK(expect_end(fd));
    close(fd);
}

static void test_a_half_closed_client_gets_its_reply(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_half_closed});
}

static void client_talks_meanwhile(struct scene *scene)
{
    int fd = dial(scene);
    send_text(fd, "sleep 20\n");
    usleep(5000);
    send_text(fd, "next\n");
    CHECK(expect(fd, "[sleep 20]\n[next]\n"));
    send_text(fd, "again\n");
    CHECK(expect(fd, "[again]\n"));
    close(fd);
}

static void test_bytes_that_come_while_busy_are_served_after(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_talks_meanwhile});
}

static void client_long_head(struct scene *scene)
{
    int fd = dial(scene);
    char *text = malloc(INPUT_MAX);
    memset(text, 'y', INPUT_MAX);
    CHECK(send(fd, text, INPUT_MAX, MSG_NOSIGNAL) == INPUT_MAX);
    CHECK(expect(fd, "[long]\n"));
    CHECK(expect_end(fd));
    free(text);
    close(fd);
}

static void test_a_head_over_the_limit_is_handed_to_serve(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_long_head});
}

// ---- reading and writing ------------------------------------------------------------------------

static void client_big_reply(struct scene *scene)
{
    enum { BIG = 8 * 1024 * 1024 };
    int fd = dial(scene);
    send_text(fd, "big 8388608\nafter\n");
    char *got = malloc(65536);
    size_t len = 0;
    while (len < BIG) {
        ssize_t n = recv(fd, got, BIG - len < 65536 ? BIG - len : 65536, 0);
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
    }
    CHECK(len == BIG);
    CHECK(expect(fd, "[after]\n"));
    free(got);
    close(fd);
}

static void test_a_reply_larger_than_the_socket_takes(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_big_reply});
}

static void client_body(struct scene *scene)
{
    int fd = dial(scene);
    char *body = calloc(1, 300000);
    send_text(fd, "body 300000\n");
    for (int i = 0; i < 300; i++) {
        CHECK(send(fd, body, 1000, MSG_NOSIGNAL) == 1000);
    }
    send_text(fd, "done\n");
    CHECK(expect(fd, "[body]\n[done]\n"));
    free(body);
    close(fd);
}

static void test_a_body_larger_than_the_buffer(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_body});
}

static void client_unread(struct scene *scene)
{
    int fd = dial(scene);
    char *more = calloc(1, 200000);
    send_text(fd, "bye\n");
    CHECK(send(fd, more, 200000, MSG_NOSIGNAL) == 200000);
    CHECK(expect(fd, "[bye]\n"));
    CHECK(expect_end(fd));
    free(more);
    close(fd);
}

static void test_a_reply_survives_closing_with_unread_bytes(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_unread});
}

static void client_gone(struct scene *scene)
{
    for (int i = 0; i < 20; i++) {
        int fd = dial(scene);
        send_text(fd, "big 8388608\n");
        struct linger hard = {.l_onoff = 1};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fd); // reset
    }
    int fd = dial(scene);
    send_text(fd, "alive\n");
    CHECK(expect(fd, "[alive]\n"));
    close(fd);
}

static void test_clients_that_vanish_harm_nobody(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_gone});
}

// ---- time limits --------------------------------------------------------------------------------

static void client_slow_head(struct scene *scene)
{
    int fd = dial(scene);
    send_text(fd, "never finish");
    CHECK(expect(fd, "[slow]\n"));
    CHECK(expect_end(fd));
    close(fd);
}

static void test_a_head_that_never_ends_is_answered(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_slow_head, .service.head_timeout_ms = 30, .service.idle_timeout_ms = 60000});
}

static void client_idle(struct scene *scene)
{
    int fd = dial(scene);
    send_text(fd, "one\n");
    CHECK(expect(fd, "[one]\n"));
    CHECK(expect_end(fd));
    close(fd);
}

static void test_idle_connections_are_closed(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_idle, .service.head_timeout_ms = 60000, .service.idle_timeout_ms = 30});
}

// ---- numbers ------------------------------------------------------------------------------------

static void client_spread(struct scene *scene)
{
    int fds[32];
    for (int i = 0; i < 32; i++) {
        fds[i] = dial(scene);
        send_text(fds[i], "x\n");
        CHECK(expect(fds[i], "[x]\n"));
    }
    for (int i = 0; i < 32; i++) {
        close(fds[i]);
    }
}

static void test_connections_spread_over_the_loops(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_spread, .workers = 2});
    assert_true(atomic_load(&served[0]) >= 8);
    assert_true(atomic_load(&served[1]) >= 8);
}

static void client_crowd(struct scene *scene)
{
    enum { CROWD = 2000 };
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int *fds = malloc(CROWD * sizeof *fds);
    for (int i = 0; i < CROWD; i++) {
        fds[i] = dial(scene);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < CROWD; i++) {
            send_text(fds[i], "me\n");
        }
        for (int i = 0; i < CROWD; i++) {
            CHECK(expect(fds[i], "[me]\n"));
        }
    }
    for (int i = 0; i < 1000 && loop_listener_busy(scene->listener) > 0; i++) {
        usleep(1000); // a reply arrives before its call is counted out
    }
    CHECK(loop_listener_busy(scene->listener) == 0);
    for (int i = 0; i < CROWD; i++) {
        close(fds[i]);
    }
    free(fds);
}

static void test_two_thousand_idle_connections(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_crowd, .workers = 2});
}

static void client_out_of_files(struct scene *scene)
{
    int fds[64], count = 0;
    struct rlimit before, tight;
    getrlimit(RLIMIT_NOFILE, &before);
    int first = dial(scene);
    send_text(first, "x\n");
    CHECK(expect(first, "[x]\n"));
    tight = before;
    tight.rlim_cur = (rlim_t)first + 12; // clients and server share the descriptors
    setrlimit(RLIMIT_NOFILE, &tight);
    while (count < 64) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0) {
            break;
        }
        fds[count++] = fd;
    }
    CHECK(count > 0);
    close(fds[--count]); // one for a client; none is left for the server's side
    int waiting = dial(scene);
    send_text(waiting, "y\n");
    struct pollfd look = {.fd = waiting, .events = POLLIN};
    CHECK(poll(&look, 1, 100) == 0);
    send_text(first, "z\n");
    CHECK(expect(first, "[z]\n")); // those who are in are served
    setrlimit(RLIMIT_NOFILE, &before);
    CHECK(expect(waiting, "[y]\n"));
    while (count > 0) {
        close(fds[--count]);
    }
    close(first);
    close(waiting);
}

static void test_without_descriptors_clients_wait(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_out_of_files});
}

static void client_over_max(struct scene *scene)
{
    int a = dial(scene), b = dial(scene);
    send_text(a, "a\n");
    send_text(b, "b\n");
    CHECK(expect(a, "[a]\n"));
    struct pollfd look = {.fd = b, .events = POLLIN};
    CHECK(poll(&look, 1, 50) == 0);
    close(a);
    CHECK(expect(b, "[b]\n"));
    close(b);
}

static void test_connections_over_the_maximum_wait_their_turn(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_over_max, .service.connections_max = 1});
}

// ---- the end ------------------------------------------------------------------------------------

static void client_stop(struct scene *scene)
{
    int idle = dial(scene), busy = dial(scene);
    send_text(idle, "x\n");
    CHECK(expect(idle, "[x]\n"));
    send_text(busy, "sleep 50\n");
    while (atomic_load(&served[0]) + atomic_load(&served[1]) < 2) {
        usleep(1000);
    }
    CHECK(loop_listener_busy(scene->listener) > 0);
    loop_listener_stop(scene->listener);
    CHECK(expect_end(idle));
    CHECK(expect(busy, "[sleep 50]\n"));
    CHECK(expect_end(busy));
    int late = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)scene->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(connect(late, (struct sockaddr *)&where, sizeof where) != 0 && errno == ECONNREFUSED);
    close(late);
    close(idle);
    close(busy);
}

static void test_stopping_closes_the_idle_and_finishes_the_busy(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_stop, .workers = 2});
}

static void client_leaves_things_open(struct scene *scene)
{
    int busy = dial(scene), half = dial(scene), idle = dial(scene);
    send_text(busy, "sleep 3600000\n");
    send_text(half, "half");
    (void)idle; // all stay open on purpose; the process's end closes them
    while (loop_listener_busy(scene->listener) == 0) {
        usleep(1000);
    }
}

static void test_the_end_cancels_what_is_served(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_leaves_things_open, .workers = 2});
}

// ---- addresses ----------------------------------------------------------------------------------

static void client_peer(struct scene *scene)
{
    int fd = dial(scene);
    send_text(fd, "peer\n");
    CHECK(expect(fd, "[127.0.0.1]\n"));
    close(fd);
}

static void test_the_peer_is_known(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_peer});
}

static void test_localhost_is_an_address(void **state)
{
    (void)state;
    run_scene((struct scene){.client = client_peer, .address = "localhost:0"});
}

static char unix_path[64], unix_address[80];

static void client_unix(struct scene *scene)
{
    (void)scene;
    struct stat info;
    CHECK(stat(unix_path, &info) == 0 && (info.st_mode & 0777) == 0600);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    memcpy(where.sun_path, unix_path, strlen(unix_path) + 1);
    CHECK(connect(fd, (struct sockaddr *)&where, sizeof where) == 0);
    send_text(fd, "peer\n");
    CHECK(expect(fd, "[local]\n"));
    close(fd);
    struct loop_listener *second;
    struct fail fail = {0};
    CHECK(!loop_listen(unix_address, &scene->service, &second, &fail) && fail.code == FAIL_IO); // somebody answers there
}

static void test_a_unix_socket_is_private_and_replaces_a_stale_one(void **state)
{
    (void)state;
    snprintf(unix_path, sizeof unix_path, "/tmp/sluice-test-%d.sock", (int)getpid());
    snprintf(unix_address, sizeof unix_address, "unix:%s", unix_path);
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    memcpy(where.sun_path, unix_path, strlen(unix_path) + 1);
    assert_int_equal(bind(stale, (struct sockaddr *)&where, sizeof where), 0);
    close(stale);
    run_scene((struct scene){.client = client_unix, .address = unix_address});
    assert_int_equal(access(unix_path, F_OK), -1); // gone with the listener
}

static void listen_wrong(void *arg)
{
    (void)arg;
    const char *const wrong[] = {"",    "8080",   "127.0.0.1", "127.0.0.1:",  "127.0.0.1:70000", "127.0.0.1:x",
                                 ":80", "::1:80", "unix:",     "127.0.0.1:-1"};
    const struct loop_service service = {
        .ready = line_ready, .serve = serve_lines, .input_bytes_max = 1, .connections_max = 1, .backlog = 1};
    for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
        struct loop_listener *listener;
        struct fail fail = {0};
        CHECK(!loop_listen(wrong[i], &service, &listener, &fail) && fail.code == FAIL_USAGE);
    }
}

static void test_wrong_addresses_are_refused(void **state)
{
    (void)state;
    run_on_loops(1, listen_wrong, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_follow_each_other),
        cmocka_unit_test(test_pipelined_requests_are_answered_in_order),
        cmocka_unit_test(test_a_request_may_come_byte_by_byte),
        cmocka_unit_test(test_a_half_closed_client_gets_its_reply),
        cmocka_unit_test(test_bytes_that_come_while_busy_are_served_after),
        cmocka_unit_test(test_a_head_over_the_limit_is_handed_to_serve),
        cmocka_unit_test(test_a_reply_larger_than_the_socket_takes),
        cmocka_unit_test(test_a_body_larger_than_the_buffer),
        cmocka_unit_test(test_a_reply_survives_closing_with_unread_bytes),
        cmocka_unit_test(test_clients_that_vanish_harm_nobody),
        cmocka_unit_test(test_a_head_that_never_ends_is_answered),
        cmocka_unit_test(test_idle_connections_are_closed),
        cmocka_unit_test(test_connections_spread_over_the_loops),
        cmocka_unit_test(test_two_thousand_idle_connections),
        cmocka_unit_test(test_without_descriptors_clients_wait),
        cmocka_unit_test(test_connections_over_the_maximum_wait_their_turn),
        cmocka_unit_test(test_stopping_closes_the_idle_and_finishes_the_busy),
        cmocka_unit_test(test_the_end_cancels_what_is_served),
        cmocka_unit_test(test_the_peer_is_known),
        cmocka_unit_test(test_localhost_is_an_address),
        cmocka_unit_test(test_a_unix_socket_is_private_and_replaces_a_stale_one),
        cmocka_unit_test(test_wrong_addresses_are_refused),
    };
    return cmocka_run_group_tests_name("loop sockets", tests, NULL, NULL);
}
