// SPDX-License-Identifier: Apache-2.0
//
// The head of a reply: what is always there, and what a script cannot put there. Also how a query is shown in logs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "web/reply.h"
#include "web/web.h"

static struct arena arena;
static struct exchange exchange;

static const char *head_of(enum reply_connection connection)
{
    static char text[4096];
    struct view head;
    assert_true(reply_head(&exchange, connection, VIEW_NONE, &head));
    snprintf(text, sizeof text, "%.*s", VIEW_ARGS(head));
    return text;
}

static void add(const char *name, struct view value)
{
    exchange.reply_headers[exchange.reply_header_count++] = (struct exchange_header){view_of(name), value};
}

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    exchange = (struct exchange){
        .arena = &arena, .id = "0123456789abcdef01234567", .status = 200, .reply_type = VIEW("text/x"), .reply_body = VIEW("hi")};
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static void an_ordinary_head(void **state)
{
    (void)state;
    const char *head = head_of(REPLY_STAYS);
    assert_memory_equal(head, "HTTP/1.1 200 OK\r\nDate: ", 23);
    assert_memory_equal(head + 23 + 25, " GMT\r\n", 6); // "Sun, 06 Nov 1994 08:49:37"
    assert_non_null(strstr(head, "\r\nContent-Type: text/x\r\n"));
    assert_non_null(strstr(head, "\r\nContent-Length: 2\r\n"));
    assert_non_null(strstr(head, "\r\nX-Request-Id: 0123456789abcdef01234567\r\n"));
    assert_null(strstr(head, "Connection"));
    assert_string_equal(head + strlen(head) - 4, "\r\n\r\n");
}

static void a_body_may_stand_behind_the_head(void **state)
{
    (void)state;
    struct view alone, both;
    assert_true(reply_head(&exchange, REPLY_CLOSES, VIEW_NONE, &alone));
    assert_true(reply_head(&exchange, REPLY_CLOSES, exchange.reply_body, &both));
    assert_int_equal(both.len, alone.len + 2);
    assert_true(view_ends(both, VIEW("\r\n\r\nhi")));
}

static void connection_is_said_when_needed(void **state)
{
    (void)state;
    assert_non_null(strstr(head_of(REPLY_CLOSES), "\r\nConnection: close\r\n"));
    assert_non_null(strstr(head_of(REPLY_STAYS_1_0), "\r\nConnection: keep-alive\r\n"));
}

static void no_content_has_no_length(void **state)
{
    (void)state;
    static const int statuses[] = {204, 304};
    for (size_t i = 0; i < BASE_COUNT(statuses); i++) {
        exchange.status = statuses[i];
        assert_null(strstr(head_of(REPLY_STAYS), "Content-"));
    }
}

static void statuses_without_name_and_out_of_range(void **state)
{
    (void)state;
    exchange.status = 299;
    assert_memory_equal(head_of(REPLY_STAYS), "HTTP/1.1 299 \r\n", 15);
    exchange.status = 99;
    assert_memory_equal(head_of(REPLY_STAYS), "HTTP/1.1 500 ", 13);
}

static void headers_of_scripts_go_out_as_they_are(void **state)
{
    (void)state;
    add("X-Own", VIEW("a b\tc"));
    add("X-Empty", VIEW(""));
    const char *head = head_of(REPLY_STAYS);
    assert_non_null(strstr(head, "\r\nX-Own: a b\tc\r\n"));
    assert_non_null(strstr(head, "\r\nX-Empty: \r\n"));
}

static void headers_cannot_split_or_reframe_a_reply(void **state)
{
    (void)state;
    add("X-A", VIEW("a\r\nX-Evil: 1"));
    add("X-B", VIEW("a\nX-Evil: 1"));
    add("X-C", VIEW("a\0X-Evil"));
    add("X-Evil 1", VIEW("a"));
    add("X-Evil:", VIEW("a"));
    add("", VIEW("X-Evil"));
    add("Content-Length", VIEW("999"));
    add("transfer-encoding", VIEW("chunked"));
    add("CONNECTION", VIEW("upgrade"));
    add("Date", VIEW("X-Evil"));
    add("Content-Type", VIEW("X-Evil"));
    add("x-request-id", VIEW("X-Evil"));
    const char *head = head_of(REPLY_STAYS);
    assert_null(strstr(head, "Evil"));
    assert_null(strstr(head, "999"));
    assert_null(strcasestr(head, "chunked"));
    assert_null(strcasestr(head, "upgrade"));
}

static void queries_are_shown_without_secrets(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"auth_type=apikey&zapikey=1003.aa.bb&x=1", "auth_type=apikey&zapikey=***&x=1"},
        {"%7Aapike%79=K", "%7Aapike%79=***"},
        {"ZAPIKEY=K", "ZAPIKEY=***"},
        {"code=1&client_secret=2&refresh_token=3&access_token=4", "code=***&client_secret=***&refresh_token=***&access_token=***"},
        {"token=1&ticket=2&tokens=3", "token=***&ticket=***&tokens=3"},
        {"zapikey=a=b&&c", "zapikey=***&&c"},
        {"zapikey", "zapikey"},
        {"xzapikey=1&zapikeyx=2&code%=3", "xzapikey=1&zapikeyx=2&code%=3"},
        {"", ""},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        struct buffer out;
        buffer_init(&out, 4096);
        web_query_masked(&out, view_of(rows[i][0]));
        assert_string_equal(buffer_text(&out), rows[i][1]);
        buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_ordinary_head, begin, end),
        cmocka_unit_test_setup_teardown(a_body_may_stand_behind_the_head, begin, end),
        cmocka_unit_test_setup_teardown(connection_is_said_when_needed, begin, end),
        cmocka_unit_test_setup_teardown(no_content_has_no_length, begin, end),
        cmocka_unit_test_setup_teardown(statuses_without_name_and_out_of_range, begin, end),
        cmocka_unit_test_setup_teardown(headers_of_scripts_go_out_as_they_are, begin, end),
        cmocka_unit_test_setup_teardown(headers_cannot_split_or_reframe_a_reply, begin, end),
        cmocka_unit_test(queries_are_shown_without_secrets),
    };
    return cmocka_run_group_tests_name("web/reply", tests, NULL, NULL);
}
