// SPDX-License-Identifier: Apache-2.0
#include "common.h"

static struct value urlencoded(const char *text)
{
    struct value m = value_map(&heap, 0);
    assert_true(form_read_urlencoded(&heap, view_of(text), m.map, &fail));
    return m;
}

static void pairs(void **state)
{
    (void)state;
    assert_prints(urlencoded("a=1&b=x+y&c=%41%c3%a9&d&=e&&f=g=h"),
                  "{\"a\":\"1\",\"b\":\"x y\",\"c\":\"Aé\",\"d\":\"\",\"\":\"e\",\"f\":\"g=h\"}");
    assert_prints(urlencoded(""), "{}");
}

static void later_pairs_win(void **state)
{
    (void)state;
    assert_prints(urlencoded("a=1&b=2&%61=3"), "{\"a\":\"3\",\"b\":\"2\"}");
}

static void bad_escapes_stay(void **state)
{
    (void)state;
    assert_prints(urlencoded("a=%&b=%4&c=%zz&d=100%25"), "{\"a\":\"%\",\"b\":\"%4\",\"c\":\"%zz\",\"d\":\"100%\"}");
}

static void bytes_that_are_not_utf8(void **state)
{
    (void)state;
    assert_prints(urlencoded("a=%FFx"), "{\"a\":\"\xEF\xBF\xBDx\"}");
    assert_int_equal(map_get_text(urlencoded("n=a%00b").map, VIEW("n")).len, 3);
}

static void too_many_pairs(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, TEST_TEXT_BYTES);
    for (int i = 0; i < FORM_FIELDS_MAX; i++) {
        buffer_add(&text, VIEW("a=1&"));
    }
    struct value m = value_map(&heap, 0);
    assert_true(form_read_urlencoded(&heap, buffer_view(&text), m.map, &fail));
    buffer_add(&text, VIEW("a=1"));
    assert_false(form_read_urlencoded(&heap, buffer_view(&text), m.map, &fail));
    assert_int_equal(fail.code, FAIL_BAD_REQUEST);
    buffer_free(&text);
}

static void plus_is_a_plus_in_paths(void **state)
{
    (void)state;
    assert_view(value_view(form_decode(&heap, VIEW("a+b%20c"), false)), "a+b c");
    assert_view(value_view(form_decode(&heap, VIEW("a+b%20c"), true)), "a b c");
}

static void encoding(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1000);
    form_encode(&out, VIEW("http://www.zoho.com/zohotest?name=John&x y*~-._é"), true);
    assert_string_equal(buffer_text(&out), "http%3A%2F%2Fwww.zoho.com%2Fzohotest%3Fname%3DJohn%26x+y*%7E-._%C3%A9");
    buffer_reset(&out);
    form_encode(&out, VIEW("a b*~+"), false);
    assert_string_equal(buffer_text(&out), "a%20b%2A~%2B");
    buffer_free(&out);
}

// ---- multipart ----------------------------------------------------------------------------------

// What a body reads as: name|file name|type|bytes for each part, or "error" behind those that read.
static void reads_as(struct view type, struct view body, const char *wanted, const char *file, int line)
{
    struct form_reader reader;
    struct form_part part;
    struct buffer out;
    buffer_init(&out, TEST_TEXT_BYTES);
    if (form_open(&reader, type, body, &fail)) {
        while (form_next(&reader, &part, &fail)) {
            buffer_printf(&out, "%.*s|%.*s|%.*s|%.*s;", VIEW_ARGS(part.name), VIEW_ARGS(part.file_name), VIEW_ARGS(part.content_type),
                          VIEW_ARGS(part.bytes));
        }
        if (fail.code != FAIL_NONE) {
            buffer_add(&out, VIEW("error"));
        } else {
            assert_false(form_next(&reader, &part, &fail)); // the end stays the end
        }
    } else {
        buffer_add(&out, VIEW("no form"));
    }
    view_is(buffer_view(&out), view_of(wanted), file, line);
    buffer_free(&out);
}
#define READS(body, wanted) reads_as(VIEW("multipart/form-data; boundary=b"), VIEW(body), (wanted), __FILE__, __LINE__)
#define OPENS(type, wanted)                                                                                                                \
    reads_as(VIEW(type), VIEW("--b\r\nContent-Disposition: form-data; name=n\r\n\r\nx\r\n--b--"), (wanted), __FILE__, __LINE__)
#define FIELD "Content-Disposition: form-data; name=\"n\"\r\n\r\n"

static void content_types(void **state)
{
    (void)state;
    OPENS("multipart/form-data; boundary=b", "n|||x;");
    OPENS("Multipart/Form-Data; charset=utf-8; Boundary=\"b\"", "n|||x;");
    OPENS("multipart/form-data;boundary=b;", "n|||x;");
    OPENS("multipart/form-data; boundary=other", "error");
    OPENS("multipart/form-data", "no form");
    OPENS("multipart/form-data; boundary=", "no form");
    OPENS("multipart/form-data; boundary=\"b", "no form");
    OPENS("multipart/form-datax; boundary=b", "no form");
    OPENS("multipart/mixed; boundary=b", "no form");
    OPENS("", "no form");
    OPENS("multipart/form-data; boundary=0123456789012345678901234567890123456789012345678901234567890123456789", "error");
    OPENS("multipart/form-data; boundary=01234567890123456789012345678901234567890123456789012345678901234567890", "no form");
}

static void fields_and_files(void **state)
{
    (void)state;
    READS("--b\r\n" FIELD "value\r\n"
          "--b\r\nContent-Disposition: form-data; name=\"inputFile\"; filename=\"a.txt\"\r\nContent-Type: "
          "text/plain\r\n\r\nline\r\n\r\n\r\n--b--\r\n",
          "n|||value;inputFile|a.txt|text/plain|line\r\n\r\n;");
}

static void empty_parts_and_forms(void **state)
{
    (void)state;
    READS("--b\r\n" FIELD "\r\n--b--", "n|||;");
    READS("--b\r\n" FIELD "--b--", "n|||;");
    READS("--b--", "");
    READS("--b--\r\n", "");
}

static void what_stands_around_is_skipped(void **state)
{
    (void)state;
    READS("preamble\r\n--b\r\n" FIELD "x\r\n--b--\r\nepilogue --b\r\n" FIELD, "n|||x;");
    READS("--b \t\r\n" FIELD "x\r\n--b--", "n|||x;");
}

static void only_a_whole_boundary_line_ends_a_part(void **state)
{
    (void)state;
    READS("--b\r\n" FIELD "x\r\n--bc\r\n--b\n--b\r\n--b--", "n|||x\r\n--bc\r\n--b\n--b;");
    READS("--b\r\n" FIELD "x\r\n--bc\r\n --b\r\n\n--b\r\n--b--", "n|||x\r\n--bc\r\n --b\r\n\n--b;");
}

static void bare_line_feeds_are_refused(void **state)
{
    (void)state;
    READS("--b\nContent-Disposition: form-data; name=\"n\"\n\nx\n--b--\n", "error");
    READS("--b\r\nA: b\nContent-Disposition: form-data; name=\"n\"\r\n\r\nx\r\n--b--", "error");
}

static void truncated_bodies(void **state)
{
    (void)state;
    READS("", "error");
    READS("--b", "error");
    READS("--b\r\n", "error");
    READS("--b\r\n" FIELD, "error");
    READS("--b\r\n" FIELD "x", "error");
    READS("--b\r\n" FIELD "x\r\n--b", "error");
    READS("--b\r\n" FIELD "x\r\n--b\r\n", "n|||x;error");
    READS("--b\r\n" FIELD "x\r\n--b\r\n" FIELD "y", "n|||x;error");
}

static void malformed_heads(void **state)
{
    (void)state;
    READS("--b\r\n\r\nx\r\n--b--", "error");
    READS("--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--", "error");
    READS("--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--", "error");
    READS("--b\r\nContent-Disposition: attachment; name=\"n\"\r\n\r\nx\r\n--b--", "error");
    READS("--b\r\nContent-Disposition: form-data; name=\"n\r\n\r\nx\r\n--b--", "error");
    READS("--b\r\nno colon\r\n" FIELD "x\r\n--b--", "error");
    READS("--b\r\nA: \0\r\n" FIELD "x\r\n--b--", "error");
}

static void names_of_files(void **state)
{
    (void)state;
    READS("--b\r\nContent-Disposition: form-data; name=\"n\"; filename*=UTF-8''x.txt; filename=\"C:\\d\\a;b.txt\"\r\n\r\nx\r\n--b--",
          "n|C:\\d\\a;b.txt||x;");
    READS("--b\r\ncontent-disposition: Form-Data; NAME=n; FileName=\"a\\\"b.txt\"\r\n\r\nx\r\n--b--", "n|a\\\"b.txt||x;");
    assert_view(value_view(form_name(&heap, VIEW("a\\\"b%22c\\d.txt"))), "a\"b\"c\\d.txt");
    assert_view(value_view(form_name(&heap, VIEW("\xFF"))), "\xEF\xBF\xBD");
    assert_view(value_view(form_name(&heap, VIEW(""))), "");
}

static void an_empty_file_name_is_still_a_file(void **state)
{
    (void)state;
    struct form_reader reader;
    struct form_part part;
    struct view body = VIEW("--b\r\nContent-Disposition: form-data; name=\"n\"; filename=\"\"\r\n\r\n\r\n--b\r\n" FIELD "\r\n--b--");
    assert_true(form_open(&reader, VIEW("multipart/form-data; boundary=b"), body, &fail));
    assert_true(form_next(&reader, &part, &fail));
    assert_non_null(part.file_name.data);
    assert_true(form_next(&reader, &part, &fail));
    assert_null(part.file_name.data);
}

static void limits(void **state)
{
    (void)state;
    struct buffer body;
    struct view type = VIEW("multipart/form-data; boundary=b");
    struct form_reader reader;
    struct form_part part;
    buffer_init(&body, TEST_TEXT_BYTES);
    for (int i = 0; i <= FORM_FIELDS_MAX; i++) {
        buffer_add(&body, VIEW("--b\r\n" FIELD "x\r\n"));
    }
    buffer_add(&body, VIEW("--b--"));
    assert_true(form_open(&reader, type, buffer_view(&body), &fail));
    int parts = 0;
    while (form_next(&reader, &part, &fail)) {
        parts++;
    }
    assert_int_equal(parts, FORM_FIELDS_MAX);
    assert_int_equal(fail.code, FAIL_BAD_REQUEST);
    buffer_reset(&body);
    buffer_add(&body, VIEW("--b\r\nX: "));
    for (int i = 0; i < FORM_PART_HEAD_MAX; i++) {
        buffer_add_char(&body, 'x');
    }
    buffer_add(&body, VIEW("\r\n" FIELD "x\r\n--b--"));
    assert_true(form_open(&reader, type, buffer_view(&body), &fail));
    assert_false(form_next(&reader, &part, &fail));
    assert_int_equal(fail.code, FAIL_BAD_REQUEST);
    buffer_reset(&body);
    buffer_add(&body, VIEW("--b\r\n"));
    for (int i = 0; i < 20; i++) {
        buffer_add(&body, VIEW("X: y\r\n"));
    }
    buffer_add(&body, VIEW(FIELD "x\r\n--b--"));
    assert_true(form_open(&reader, type, buffer_view(&body), &fail));
    assert_false(form_next(&reader, &part, &fail));
    buffer_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAP_TEST(pairs),
        HEAP_TEST(later_pairs_win),
        HEAP_TEST(bad_escapes_stay),
        HEAP_TEST(bytes_that_are_not_utf8),
        HEAP_TEST(too_many_pairs),
        HEAP_TEST(plus_is_a_plus_in_paths),
        HEAP_TEST(encoding),
        HEAP_TEST(content_types),
        HEAP_TEST(fields_and_files),
        HEAP_TEST(empty_parts_and_forms),
        HEAP_TEST(what_stands_around_is_skipped),
        HEAP_TEST(only_a_whole_boundary_line_ends_a_part),
        HEAP_TEST(bare_line_feeds_are_refused),
        HEAP_TEST(truncated_bodies),
        HEAP_TEST(malformed_heads),
        HEAP_TEST(names_of_files),
        HEAP_TEST(an_empty_file_name_is_still_a_file),
        HEAP_TEST(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
