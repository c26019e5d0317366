// SPDX-License-Identifier: Apache-2.0
//
// Requests that leave, against a small HTTP server on the same loop. Its path says how it answers; "/echo" gives the request back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "loop/loop.h"
#include "out/out.h"

enum { WAIT_MS = 10000, HEAP_MAX = 64 * 1024 * 1024 };

static char wrong[2048];
#define CHECK(condition)                                                                                                                   \
    do {                                                                                                                                   \
        if (!(condition) && !wrong[0]) {                                                                                                   \
            snprintf(wrong, sizeof wrong, "%s:%d: %s; fail \"%s\"", __FILE__, __LINE__, #condition, fail.text);                            \
        }                                                                                                                                  \
    } while (0)

// ---- the server ---------------------------------------------------------------------------------

static char origin[2][64]; // two listeners: two origins
static int served;

static enum loop_ready head_ready(struct view input, size_t seen)
{
    (void)seen;
    bool tls = input.len > 0 && input.data[0] == 0x16;
    return tls || view_find(input, VIEW("\r\n\r\n")) >= 0 ? LOOP_READY : LOOP_MORE;
}

static bool send_view(struct loop_connection *connection, struct view text)
{
    struct fail fail;
    return loop_write(connection, &text, 1, WAIT_MS, &fail);
}

static bool send_answer(struct loop_connection *connection, const char *status, const char *headers, struct view body)
{
    char head[1024];
    int len = snprintf(head, sizeof head, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, headers, body.len);
    const struct view parts[] = {{head, (size_t)len}, body};
    struct fail fail;
    return loop_write(connection, parts, 2, WAIT_MS, &fail);
}

static bool send_redirect(struct loop_connection *connection, int status, const char *to)
{
    char line[64], location[512];
    snprintf(line, sizeof line, "%d Moved", status);
    snprintf(location, sizeof location, "Location: %s\r\n", to);
    return send_answer(connection, line, location, VIEW("moved"));
}

// Rows of fixed answers, each sent as it stands.
static const struct {
    const char *path, *bytes;
} fixed[] = {
    {"/none", "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"},
    {"/early", "HTTP/1.1 103 Early Hints\r\nX-Early: no\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Late: yes\r\n\r\nok"},
    {"/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Trailer: no\r\n\r\n"},
    {"/twice", "HTTP/1.1 200 OK\r\nX-Two: a\r\nx-two: b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\n\r\n"},
    {"/gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n"},
    {"/teapot", "HTTP/1.1 418 Teapot\r\nContent-Length: 5\r\n\r\nshort"},
    {"/broken", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"},
    {"/garbage", "this is not HTTP\r\n\r\n"},
};
// "hello" as gzip.
static const unsigned char gzip_hello[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0x48, 0xcd,
                                           0xc9, 0xc9, 0x07, 0x00, 0x86, 0xa6, 0x10, 0x36, 0x05, 0x00, 0x00, 0x00};

static bool send_big(struct loop_connection *connection, int64_t bytes)
{
    char *big = malloc((size_t)bytes);
    memset(big, 'x', (size_t)bytes);
    bool sent = send_answer(connection, "200 OK", "", (struct view){big, (size_t)bytes});
    free(big);
    return sent;
}

static bool answer_path(struct loop_connection *connection, struct view path, struct view request)
{
    struct fail fail;
    char text[256];
    int64_t number;
    for (size_t i = 0; i < BASE_COUNT(fixed); i++) {
        if (view_eq(path, view_of(fixed[i].path))) {
            bool sent = send_view(connection, view_of(fixed[i].bytes));
            if (view_eq(path, VIEW("/gzip"))) {
                sent = send_view(connection, (struct view){(const char *)gzip_hello, sizeof gzip_hello});
            }
            return sent && !view_eq(path, VIEW("/broken")) && !view_eq(path, VIEW("/garbage"));
        }
    }
    if (view_starts(path, VIEW("/big/")) && view_to_int64(view_from(path, 5), &number)) {
        return send_big(connection, number);
    }
    if (view_starts(path, VIEW("/sleep/")) && view_to_int64(view_from(path, 7), &number)) {
        return loop_sleep(number, &fail) && send_answer(connection, "200 OK", "", VIEW("slept"));
    }
    if (view_starts(path, VIEW("/loop/")) && view_to_int64(view_from(path, 6), &number)) {
        snprintf(text, sizeof text, "/loop/%d", (int)number - 1);
        return number == 0 ? send_answer(connection, "200 OK", "", VIEW("arrived")) : send_redirect(connection, 302, text);
    }
    if (view_starts(path, VIEW("/to/")) && view_to_int64(view_slice(path, 4, 3), &number)) {
        snprintf(text, sizeof text, "%.*s", VIEW_ARGS(view_from(path, 8))); // "/to/302/URL"
        return send_redirect(connection, (int)number, text);
    }
    return send_answer(connection, "200 OK", "Content-Type: text/plain\r\n", request);
}

// Reads one request whole (body by Content-Length) and answers it.
static bool serve_http(struct loop_connection *connection, void *user)
{
    (void)user;
    struct fail fail;
    struct view input = loop_input(connection);
    ptrdiff_t end = view_find(input, VIEW("\r\n\r\n"));
    if (end < 0) {
        return false;
    }
    size_t whole = (size_t)end + 4;
    ptrdiff_t at = view_find(input, VIEW("Content-Length: "));
    int64_t bytes;
    struct view rest = view_from(input, at < 0 ? 0 : (size_t)at + 16);
    if (at >= 0 && view_to_int64(view_trim(view_cut(&rest, '\n')), &bytes)) {
        whole += (size_t)bytes;
    }
    while (loop_input(connection).len < whole) {
        if (!loop_read(connection, WAIT_MS, &fail)) {
            return false;
        }
    }
    served++;
    struct view request = view_slice(loop_input(connection), 0, whole), words = request;
    view_cut(&words, ' ');
    bool keep = answer_path(connection, view_cut(&words, ' '), request);
    loop_consume(connection, whole);
    return keep;
}

// ---- one test -----------------------------------------------------------------------------------

struct scene {
    void (*fn)(struct heap *heap);
};

static void run_body(void *arg)
{
    struct scene *scene = arg;
    struct fail fail = {0};
    const struct loop_service service = {.ready = head_ready,
                                         .serve = serve_http,
                                         .input_bytes_max = 1024 * 1024,
                                         .idle_timeout_ms = 60000,
                                         .head_timeout_ms = 60000,
                                         .connections_max = 2000,
                                         .backlog = 512};
    for (int i = 0; i < 2; i++) {
        struct loop_listener *listener;
        bool listening = loop_listen("127.0.0.1:0", &service, &listener, &fail);
        CHECK(listening);
        if (listening) {
            snprintf(origin[i], sizeof origin[i], "http://%s", loop_listener_address(listener));
        }
    }
    struct heap heap;
    heap_init(&heap, HEAP_MAX, NULL);
    served = 0;
    if (!wrong[0]) {
        scene->fn(&heap);
    }
    heap_free(&heap);
    loop_stop();
}

static void run_scene(void (*fn)(struct heap *heap))
{
    struct scene scene = {fn};
    struct fail fail = {0};
    wrong[0] = '\0';
    if (!loop_start(1, &fail) || !loop_run(run_body, &scene, &fail)) {
        fail_msg("%s", fail.text);
    }
    if (wrong[0]) {
        fail_msg("%s", wrong);
    }
}

static struct out_request request_to(struct view method, const char *path)
{
    static char urls[4][1024]; // a few at once
    static int next;
    char *url = urls[next++ % 4];
    snprintf(url, sizeof urls[0], "%s%s", path[0] == '/' ? origin[0] : "", path);
    return (struct out_request){.method = method,
                                .url = view_of(url),
                                .timeout_ms = WAIT_MS,
                                .reply_bytes_max = OUT_REPLY_BYTES_MAX,
                                .policy.allow_loopback = true};
}

static bool get(struct heap *heap, const char *path, struct out_response *ret_response, struct fail *fail)
{
    struct out_request request = request_to(VIEW("GET"), path);
    return out_fetch(&request, heap, ret_response, fail);
}

static bool has(struct view text, const char *needle)
{
    return view_find(text, view_of(needle)) >= 0;
}

static struct view header(const struct out_response *response, const char *name)
{
    return value_view_or(map_get_text(value_as_map(response->headers), view_of(name)), VIEW("(absent)"));
}

// ---- requests -----------------------------------------------------------------------------------

static void fetch_echo(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    CHECK(get(heap, "/echo?q=1", &response, &fail));
    CHECK(response.status == 200);
    CHECK(view_starts(response.body, VIEW("GET /echo?q=1 HTTP/1.1\r\n")));
    CHECK(view_eq(response.content_type, VIEW("text/plain")));
    CHECK(!has(response.body, "Content-Type") && !has(response.body, "Content-Length"));
}

static void test_a_get_is_answered(void **state)
{
    (void)state;
    run_scene(fetch_echo);
}

static void fetch_post(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    const struct out_header headers[] = {{VIEW("Content-Type"), VIEW("application/json")},
                                         {VIEW("X-Empty"), VIEW("")},
                                         {VIEW("Host"), VIEW("evil")},
                                         {VIEW("Content-Length"), VIEW("999")},
                                         {VIEW("Connection"), VIEW("x")},
                                         {VIEW("Authorization"), VIEW("Basic abc")}};
    struct out_request request = request_to(VIEW("POST"), "/echo");
    request.headers = headers;
    request.header_count = BASE_COUNT(headers);
    request.body = (struct view){"{\"a\":\0}", 7}; // bytes, not a C string
    request.has_body = true;
    CHECK(out_fetch(&request, heap, &response, &fail));
    CHECK(has(response.body, "Content-Type: application/json\r\n"));
    CHECK(has(response.body, "X-Empty:\r\n"));
    CHECK(has(response.body, "Authorization: Basic abc\r\n"));
    CHECK(has(response.body, "Content-Length: 7\r\n") && !has(response.body, "999"));
    CHECK(!has(response.body, "evil") && !has(response.body, "Connection"));
    CHECK(view_ends(response.body, request.body));
}

static void test_headers_and_body_arrive_and_ours_stay_ours(void **state)
{
    (void)state;
    run_scene(fetch_post);
}

static void fetch_methods(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    const char *const methods[] = {"PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "POST"};
    for (size_t i = 0; i < BASE_COUNT(methods); i++) {
        struct out_request request = request_to(view_of(methods[i]), "/echo");
        CHECK(out_fetch(&request, heap, &response, &fail));
        CHECK(view_starts(response.body, view_of(methods[i])));
        CHECK(!has(response.body, "Transfer-Encoding") && !has(response.body, "Expect"));
    }
    struct out_request request = request_to(VIEW("HEAD"), "/none");
    CHECK(out_fetch(&request, heap, &response, &fail));
    CHECK(response.status == 204 && response.body.len == 0);
    request = request_to(VIEW("DELETE"), "/echo");
    request.body = VIEW("with a body");
    request.has_body = true;
    CHECK(out_fetch(&request, heap, &response, &fail));
    CHECK(view_ends(response.body, VIEW("\r\n\r\nwith a body")));
}

static void test_any_method_is_sent(void **state)
{
    (void)state;
    run_scene(fetch_methods);
}

static void fetch_bad_heads(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    const struct out_header bad[] = {{VIEW("X-A"), VIEW("a\r\nX-B: c")}, {VIEW("X-A"), VIEW("a\nb")}, {VIEW("X-A"), {"a\0b", 3}},
                                     {VIEW("X A"), VIEW("b")},           {VIEW("X:A"), VIEW("b")},    {VIEW(""), VIEW("b")},
                                     {VIEW("X-\xc3\xa9"), VIEW("b")}};
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        struct out_request request = request_to(VIEW("GET"), "/echo");
        request.headers = &bad[i];
        request.header_count = 1;
        fail_clear(&fail);
        CHECK(!out_fetch(&request, heap, &response, &fail) && fail.code == FAIL_OUTBOUND);
    }
    const char *const methods[] = {"", "GE T", "GET\r\nX: y", "G/T"};
    for (size_t i = 0; i < BASE_COUNT(methods); i++) {
        struct out_request request = request_to(view_of(methods[i]), "/echo");
        fail_clear(&fail);
        CHECK(!out_fetch(&request, heap, &response, &fail) && fail.code == FAIL_OUTBOUND);
    }
    CHECK(served == 0);
}

static void test_heads_that_would_break_the_framing_are_refused(void **state)
{
    (void)state;
    run_scene(fetch_bad_heads);
}

static void fetch_urls(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    const char *const bad[] = {"ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://127.0.0.1/", "http://", "",
                               "127.0.0.1/x",       "http://a\r\nb/",     "http://:80/"};
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        fail_clear(&fail);
        CHECK(!get(heap, bad[i], &response, &fail) && fail.code == FAIL_OUTBOUND);
    }
    CHECK(get(heap, "/a b?q=\xc3\xbc&r=%20", &response, &fail));
    CHECK(view_starts(response.body, VIEW("GET /a%20b?q=%c3%bc&r=%20 HTTP/1.1\r\n")) ||
          view_starts(response.body, VIEW("GET /a%20b?q=%C3%BC&r=%20 HTTP/1.1\r\n")) ||
          view_starts(response.body, VIEW("GET /a%20b?q=%c3%bc&r=+ HTTP/1.1\r\n")));
    fail_clear(&fail);
    CHECK(!get(heap, "http://no-such-host.invalid/", &response, &fail) && has(view_of(fail.text), "could not be found"));
}

static void test_only_web_urls_are_called(void **state)
{
    (void)state;
    run_scene(fetch_urls);
}

// ---- replies ------------------------------------------------------------------------------------

static void fetch_replies(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    CHECK(get(heap, "/none", &response, &fail));
    CHECK(response.status == 204 && response.body.len == 0 && view_eq(header(&response, "x-a"), VIEW("1")));
    CHECK(get(heap, "/early", &response, &fail));
    CHECK(response.status == 200 && view_eq(response.body, VIEW("ok")) && view_eq(header(&response, "x-late"), VIEW("yes")));
    CHECK(view_eq(header(&response, "x-early"), VIEW("(absent)")));
    CHECK(get(heap, "/chunked", &response, &fail));
    CHECK(view_eq(response.body, VIEW("abcdefg")) && view_eq(header(&response, "x-trailer"), VIEW("(absent)")));
    CHECK(get(heap, "/twice", &response, &fail));
    CHECK(view_eq(header(&response, "x-two"), VIEW("a, b")) && view_eq(response.content_type, VIEW("text/plain; charset=utf-8")));
    CHECK(get(heap, "/gzip", &response, &fail));
    CHECK(view_eq(response.body, VIEW("hello")));
    CHECK(get(heap, "/teapot", &response, &fail));
    CHECK(response.status == 418 && view_eq(response.body, VIEW("short")));
}

static void test_replies_of_every_form(void **state)
{
    (void)state;
    run_scene(fetch_replies);
}

static void fetch_broken(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    CHECK(!get(heap, "/broken", &response, &fail) && fail.code == FAIL_OUTBOUND);
    fail_clear(&fail);
    CHECK(!get(heap, "/garbage", &response, &fail) && fail.code == FAIL_OUTBOUND);
}

static void fetch_tls(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    char url[192];
    snprintf(url, sizeof url, "https://%s/echo", origin[0] + strlen("http://"));
    CHECK(!get(heap, url, &response, &fail) && fail.code == FAIL_OUTBOUND && has(view_of(fail.text), "SSL"));
    CHECK(served == 0);
}

static void test_https_is_never_plain(void **state)
{
    (void)state;
    run_scene(fetch_tls);
}

static void test_a_broken_reply_is_a_failure(void **state)
{
    (void)state;
    run_scene(fetch_broken);
}

static void fetch_large(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    struct out_request request = request_to(VIEW("GET"), "/big/100000");
    request.reply_bytes_max = 100000;
    CHECK(out_fetch(&request, heap, &response, &fail) && response.body.len == 100000);
    request.reply_bytes_max = 99999;
    CHECK(!out_fetch(&request, heap, &response, &fail) && fail.code == FAIL_OUTBOUND && has(view_of(fail.text), "99999"));
    struct heap small;
    heap_init(&small, 64 * 1024, NULL);
    request.reply_bytes_max = 100000;
    CHECK(!out_fetch(&request, &small, &response, &fail) && fail.code == FAIL_LIMIT);
    heap_free(&small);
}

static void test_a_reply_over_the_limit_is_a_failure(void **state)
{
    (void)state;
    run_scene(fetch_large);
}

// ---- time ---------------------------------------------------------------------------------------

static void fetch_slow(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    struct out_request request = request_to(VIEW("GET"), "/sleep/5000");
    request.timeout_ms = 50;
    CHECK(!out_fetch(&request, heap, &response, &fail));
    CHECK(fail.code == FAIL_OUTBOUND && view_eq(view_of(fail.text), VIEW("socket timeout error")));
}

static void test_a_slow_reply_is_a_timeout(void **state)
{
    (void)state;
    run_scene(fetch_slow);
}

struct cancelled {
    struct fiber *fiber;
    bool done, result;
    enum fail_code code;
};

static void fetch_forever(void *arg)
{
    struct cancelled *cancelled = arg;
    struct fail fail = {0};
    struct out_response response;
    struct heap heap;
    heap_init(&heap, HEAP_MAX, NULL);
    cancelled->fiber = loop_fiber();
    cancelled->result = get(&heap, "/sleep/5000", &response, &fail);
    cancelled->code = fail.code;
    cancelled->done = true;
    heap_free(&heap);
}

static void fetch_cancelled(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    struct cancelled cancelled = {0};
    CHECK(loop_spawn(fetch_forever, &cancelled, &fail));
    while (served == 0) {
        loop_sleep(1, &fail);
    }
    loop_cancel(cancelled.fiber);
    while (!cancelled.done) {
        loop_yield(&fail);
    }
    CHECK(!cancelled.result && cancelled.code == FAIL_CANCELLED);
    CHECK(get(heap, "/echo", &response, &fail)); // others go on
}

static void test_a_request_can_be_cancelled(void **state)
{
    (void)state;
    run_scene(fetch_cancelled);
}

// ---- redirects ----------------------------------------------------------------------------------

static void fetch_redirects(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    CHECK(get(heap, "/loop/5", &response, &fail) && view_eq(response.body, VIEW("arrived")));
    CHECK(!get(heap, "/loop/6", &response, &fail) && fail.code == FAIL_OUTBOUND && has(view_of(fail.text), "redirects"));
    CHECK(!get(heap, "/to/302/file:///etc/passwd", &response, &fail) && fail.code == FAIL_OUTBOUND);
    CHECK(!get(heap, "/to/302/ftp://127.0.0.1/", &response, &fail) && fail.code == FAIL_OUTBOUND);
}

static void test_redirects_are_followed_to_a_limit(void **state)
{
    (void)state;
    run_scene(fetch_redirects);
}

static void fetch_redirect_methods(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    const struct {
        const char *path, *method;
        bool body;
    } rows[] = {{"/to/301//echo", "GET", false},
                {"/to/302//echo", "GET", false},
                {"/to/303//echo", "GET", false},
                {"/to/307//echo", "POST", true},
                {"/to/308//echo", "POST", true}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        struct out_request request = request_to(VIEW("POST"), rows[i].path);
        const struct out_header type = {VIEW("Content-Type"), VIEW("text/x")};
        request.headers = &type;
        request.header_count = 1;
        request.body = VIEW("payload");
        request.has_body = true;
        CHECK(out_fetch(&request, heap, &response, &fail));
        CHECK(view_starts(response.body, view_of(rows[i].method)));
        CHECK(has(response.body, "payload") == rows[i].body && has(response.body, "text/x") == rows[i].body);
    }
}

static void test_redirects_change_the_method_as_http_says(void **state)
{
    (void)state;
    run_scene(fetch_redirect_methods);
}

static void fetch_secrets(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    const struct out_header headers[] = {{VIEW("Authorization"), VIEW("Bearer secret")},
                                         {VIEW("Cookie"), VIEW("id=secret")},
                                         {.name = VIEW("X-Key"), .value = VIEW("secret"), .secret = true},
                                         {VIEW("X-Other"), VIEW("stays")}};
    char path[256];
    snprintf(path, sizeof path, "/to/302/%s/echo", origin[1]);
    struct out_request request = request_to(VIEW("GET"), path);
    request.headers = headers;
    request.header_count = BASE_COUNT(headers);
    CHECK(out_fetch(&request, heap, &response, &fail));
    CHECK(!has(response.body, "secret") && has(response.body, "X-Other: stays"));
    snprintf(path, sizeof path, "/to/302/%s/to/302/%s/echo", origin[1], origin[0]); // and back again
    request.url = request_to(VIEW("GET"), path).url;
    CHECK(out_fetch(&request, heap, &response, &fail));
    CHECK(!has(response.body, "secret"));
    request.url = request_to(VIEW("GET"), "/to/302//echo").url;
    CHECK(out_fetch(&request, heap, &response, &fail));
    CHECK(has(response.body, "Bearer secret") && has(response.body, "X-Key: secret"));
}

static void fetch_stays(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    char path[256];
    snprintf(path, sizeof path, "/to/307/%s/echo", origin[1]);
    struct out_request request = request_to(VIEW("POST"), path);
    request.body = VIEW("secret");
    request.has_body = true;
    request.stays = true;
    CHECK(!out_fetch(&request, heap, &response, &fail) && fail.code == FAIL_OUTBOUND && has(view_of(fail.text), "another host"));
    CHECK(served == 1);
    request.url = request_to(VIEW("POST"), "/to/307//echo").url;
    CHECK(out_fetch(&request, heap, &response, &fail) && has(response.body, "secret"));
}

static void test_a_secret_body_stays_at_its_origin(void **state)
{
    (void)state;
    run_scene(fetch_stays);
}

static void test_credentials_do_not_follow_to_another_origin(void **state)
{
    (void)state;
    run_scene(fetch_secrets);
}

// ---- the guard ----------------------------------------------------------------------------------

static void fetch_guarded(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    struct out_request request = request_to(VIEW("GET"), "/echo");
    CHECK(out_fetch(&request, heap, &response, &fail)); // leaves a connection in that policy's pool
    int before = served;
    request.policy.allow_loopback = false;
    CHECK(!out_fetch(&request, heap, &response, &fail) && fail.code == FAIL_OUTBOUND && has(view_of(fail.text), "not allowed"));
    char url[128];
    const char *port = strrchr(origin[0], ':');
    const char *const spellings[] = {"http://localhost%s/",          "http://2130706433%s/", "http://0x7f.1%s/", "http://0177.0.0.1%s/",
                                     "http://[::ffff:127.0.0.1]%s/", "http://0.0.0.0%s/",    "http://[::1]%s/"};
    for (size_t i = 0; i < BASE_COUNT(spellings); i++) {
        char form[64];
        snprintf(form, sizeof form, "%s", spellings[i]);
        *strstr(form, "%s") = '\0';
        snprintf(url, sizeof url, "%s%s/", form, port);
        request.url = view_of(url);
        fail_clear(&fail);
        CHECK(!out_fetch(&request, heap, &response, &fail) && fail.code == FAIL_OUTBOUND);
    }
    CHECK(served == before);
}

static void test_loopback_is_refused_in_every_spelling(void **state)
{
    (void)state;
    run_scene(fetch_guarded);
}

static void fetch_redirect_guarded(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    char path[256];
    // the first hop is allowed by its name, the second names the same machine by its address
    const char *port = strrchr(origin[0], ':');
    snprintf(path, sizeof path, "http://localhost%s/to/302/http://127.0.0.1%s/echo", port, port);
    struct out_request request = request_to(VIEW("GET"), path);
    request.policy = (struct out_policy){.allow = VIEW("localhost")};
    CHECK(!out_fetch(&request, heap, &response, &fail) && fail.code == FAIL_OUTBOUND && has(view_of(fail.text), "127.0.0.1"));
    CHECK(served == 1);
}

static void test_a_redirect_to_a_refused_address_is_refused(void **state)
{
    (void)state;
    run_scene(fetch_redirect_guarded);
}

static void fetch_proxied(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
    CHECK(get(heap, "/echo", &response, &fail));
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

static void test_proxies_of_the_environment_are_not_used(void **state)
{
    (void)state;
    run_scene(fetch_proxied);
}

// ---- many ---------------------------------------------------------------------------------------

enum { MANY = 200 };
static int answered;

static void fetch_one(void *arg)
{
    (void)arg;
    struct fail fail = {0};
    struct out_response response;
    struct heap heap;
    heap_init(&heap, HEAP_MAX, NULL);
    struct out_request request = request_to(VIEW("GET"), "/sleep/20");
    CHECK(out_fetch(&request, &heap, &response, &fail) && view_eq(response.body, VIEW("slept")));
    heap_free(&heap);
    answered++;
}

static void fetch_many(struct heap *heap)
{
    (void)heap;
    struct fail fail = {0};
    answered = 0;
    for (int i = 0; i < MANY; i++) {
        CHECK(loop_spawn(fetch_one, NULL, &fail));
    }
    while (answered < MANY) {
        loop_sleep(5, &fail);
    }
    CHECK(served == MANY);
}

static void test_two_hundred_at_once(void **state)
{
    (void)state;
    run_scene(fetch_many);
}

static void fetch_policies(struct heap *heap)
{
    struct fail fail = {0};
    struct out_response response;
    char allow[32];
    for (int i = 0; i < 40; i++) { // more policies than pools
        struct out_request request = request_to(VIEW("GET"), "/echo");
        snprintf(allow, sizeof allow, "10.0.0.%d", i);
        request.policy.allow = view_of(allow);
        CHECK(out_fetch(&request, heap, &response, &fail));
    }
}

static void test_policies_come_and_go(void **state)
{
    (void)state;
    run_scene(fetch_policies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_get_is_answered),
        cmocka_unit_test(test_headers_and_body_arrive_and_ours_stay_ours),
        cmocka_unit_test(test_any_method_is_sent),
        cmocka_unit_test(test_heads_that_would_break_the_framing_are_refused),
        cmocka_unit_test(test_only_web_urls_are_called),
        cmocka_unit_test(test_replies_of_every_form),
        cmocka_unit_test(test_a_broken_reply_is_a_failure),
        cmocka_unit_test(test_https_is_never_plain),
        cmocka_unit_test(test_a_reply_over_the_limit_is_a_failure),
        cmocka_unit_test(test_a_slow_reply_is_a_timeout),
        cmocka_unit_test(test_a_request_can_be_cancelled),
        cmocka_unit_test(test_redirects_are_followed_to_a_limit),
        cmocka_unit_test(test_redirects_change_the_method_as_http_says),
        cmocka_unit_test(test_credentials_do_not_follow_to_another_origin),
        cmocka_unit_test(test_a_secret_body_stays_at_its_origin),
        cmocka_unit_test(test_loopback_is_refused_in_every_spelling),
        cmocka_unit_test(test_a_redirect_to_a_refused_address_is_refused),
        cmocka_unit_test(test_proxies_of_the_environment_are_not_used),
        cmocka_unit_test(test_two_hundred_at_once),
        cmocka_unit_test(test_policies_come_and_go),
    };
    return cmocka_run_group_tests_name("out fetch", tests, NULL, NULL);
}
