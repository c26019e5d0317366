// SPDX-License-Identifier: Apache-2.0
//
// What an accepted head says: where its parts are, what its headers mean, how its body is framed. Verdicts over odd bytes are in strict.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "web/http.h"

#define assert_view(view, text) assert_true(view_eq((view), view_of(text)))

static void read_good(const char *text, struct http_head *head)
{
    struct fail fail;
    assert_int_equal(http_head_read(view_of(text), head, &fail), HTTP_DONE);
}

static void parts_of_the_request_line(void **state)
{
    (void)state;
    struct http_head head;
    read_good("POST /crm/v2/x?a=1&b=?2 HTTP/1.1\r\nHost: h\r\n\r\nbody", &head);
    assert_view(head.method, "POST");
    assert_view(head.path, "/crm/v2/x");
    assert_view(head.query, "a=1&b=?2");
    assert_int_equal(head.bytes, strlen("POST /crm/v2/x?a=1&b=?2 HTTP/1.1\r\nHost: h\r\n\r\n"));
}

static void absolute_target_loses_its_authority(void **state)
{
    (void)state;
    struct http_head head;
    read_good("GET HTTP://x.example:80/a/b?c HTTP/1.1\r\nHost: h\r\n\r\n", &head);
    assert_view(head.path, "/a/b");
    assert_view(head.query, "c");
    assert_view(head.host, "h");
    read_good("GET http://x.example?c HTTP/1.1\r\nHost: h\r\n\r\n", &head);
    assert_view(head.path, "/");
    assert_view(head.query, "c");
}

static void values_are_trimmed_and_nothing_else(void **state)
{
    (void)state;
    struct http_head head;
    read_good("GET / HTTP/1.1\r\nHost: h\r\nA: \t x \t y\t \r\nB:\r\n\r\n", &head);
    assert_int_equal(head.header_count, 3);
    assert_view(head.headers[1].value, "x \t y");
    assert_view(head.headers[2].value, "");
}

static void settled_head_stands_alone_with_lower_case_names(void **state)
{
    (void)state;
    char *text = strdup("GET /A?B HTTP/1.1\r\nHOST: H\r\nContent-Type: T/X\r\nX-Odd.Name_1: V\r\n\r\n"), copy[256];
    struct http_head head;
    read_good(text, &head);
    http_head_settle(&head, copy);
    memset(text, 'z', strlen(text));
    free(text);
    assert_view(head.method, "GET");
    assert_view(head.path, "/A");
    assert_view(head.query, "B");
    assert_view(head.host, "H");
    assert_view(head.content_type, "T/X");
    assert_view(head.headers[0].name, "host");
    assert_view(head.headers[2].name, "x-odd.name_1");
    assert_view(head.headers[2].value, "V");
}

static void framing_and_persistence(void **state)
{
    (void)state;
    struct http_head head;
    read_good("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0012\r\nExpect: 100-Continue\r\n\r\n", &head);
    assert_true(head.has_length && head.length == 12 && !head.chunked && head.expect_continue && head.keep_alive);
    read_good("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\nConnection: x , CLOSE\r\n\r\n", &head);
    assert_true(head.chunked && !head.has_length && !head.keep_alive);
    read_good("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", &head);
    assert_true(!head.expect_continue && !head.keep_alive && head.minor == 0);
    read_good("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", &head);
    assert_true(head.keep_alive);
}

static void refusals_say_why(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum fail_code code;
        const char *why;
    } rows[] = {
        {"GET / HTTP/1.1\nHost: h\r\n\r\n", FAIL_BAD_REQUEST, "LF alone"},
        {"GET / HTTP/1.1\r\n\r\n", FAIL_BAD_REQUEST, "Host header is missing"},
        {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", FAIL_HTTP_VERSION, "HTTP/1.1"},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", FAIL_BAD_REQUEST, "beside"},
        {"GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", FAIL_EXPECTATION, "expectation"},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        struct http_head head;
        struct fail fail;
        assert_int_equal(http_head_read(view_of(rows[i].text), &head, &fail), HTTP_BAD);
        assert_int_equal(fail.code, rows[i].code);
        assert_non_null(strstr(fail.text, rows[i].why));
    }
}

static size_t read_chunks(const char *text, uint64_t bytes_max, char *out, enum http_result *ret_result, struct view *ret_rest)
{
    struct http_chunks chunks;
    struct fail fail;
    struct view input = view_of(text), data;
    size_t len = 0;
    http_chunks_init(&chunks, bytes_max);
    while ((*ret_result = http_chunks_read(&chunks, &input, &data, &fail)) == HTTP_DATA) {
        memcpy(out + len, data.data, data.len);
        len += data.len;
    }
    *ret_rest = input;
    return len;
}

static void chunks_are_joined_and_the_rest_is_left(void **state)
{
    (void)state;
    char out[64];
    enum http_result result;
    struct view rest;
    size_t len = read_chunks("3\r\nabc\r\n2;x=y\r\n\r\n\r\n0\r\nT: v\r\n\r\nGET /", 5, out, &result, &rest);
    assert_int_equal(result, HTTP_DONE);
    assert_true(len == 5 && memcmp(out, "abc\r\n", 5) == 0);
    assert_view(rest, "GET /");
}

static void chunks_over_the_limit_are_refused_at_their_size(void **state)
{
    (void)state;
    char out[64];
    enum http_result result;
    struct view rest;
    size_t len = read_chunks("3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n", 5, out, &result, &rest);
    assert_int_equal(result, HTTP_BAD);
    assert_int_equal(len, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_the_request_line),
        cmocka_unit_test(absolute_target_loses_its_authority),
        cmocka_unit_test(values_are_trimmed_and_nothing_else),
        cmocka_unit_test(settled_head_stands_alone_with_lower_case_names),
        cmocka_unit_test(framing_and_persistence),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(chunks_are_joined_and_the_rest_is_left),
        cmocka_unit_test(chunks_over_the_limit_are_refused_at_their_size),
    };
    return cmocka_run_group_tests_name("web/http", tests, NULL, NULL);
}
