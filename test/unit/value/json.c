// SPDX-License-Identifier: Apache-2.0
// Both JSON readers: the strict one of RFC 8259, and the lenient one of toMap() (spec/deluge-language.md §9.2).
#include "common.h"

static void refuses(const char *text, size_t len, int line, int column)
{
    struct value v = value_number(77);
    fail_clear(&fail);
    if (json_read(&heap, (struct view){text, len}, &v, &fail)) {
        fail_msg("%s should not read", text);
    }
    assert_int_equal(v.number, 77); // untouched
    assert_int_equal(fail.code, FAIL_UNPARSABLE);
    if (fail.line != line || fail.column != column) {
        fail_msg("%s fails at %d:%d, not %d:%d (%s)", text, fail.line, fail.column, line, column, fail.text);
    }
}
#define REFUSES(literal, line, column) refuses((literal), sizeof(literal) - 1, (line), (column))

static void values_of_all_kinds(void **state)
{
    (void)state;
    assert_json(JSON(" {\"a\" : [ 1 , -2.5e1 , true , false , null , \"x\" ] , \"b\" : { } , \"c\":[]}\r\n\t"),
                "{\"a\":[1,-25,true,false,null,\"x\"],\"b\":{},\"c\":[]}");
    assert_int_equal(JSON("7").number, 7);
    assert_true(value_is_null(JSON("null")));
    assert_view(value_view(JSON("\"x\"")), "x");
}

static void numbers(void **state)
{
    (void)state;
    assert_int_equal(JSON("4522002000000138720").number, 4522002000000138720);
    assert_int_equal(JSON("9223372036854775807").number, INT64_MAX);
    assert_int_equal(JSON("-9223372036854775808").number, INT64_MIN);
    assert_int_equal(JSON("9223372036854775808").type, VALUE_DECIMAL);
    assert_int_equal(JSON("-9223372036854775809").type, VALUE_DECIMAL);
    assert_int_equal(JSON("18446744073709551616").type, VALUE_DECIMAL);
    assert_int_equal(JSON("-0").type, VALUE_NUMBER);
    assert_true(JSON("1.5").decimal == 1.5);
    assert_true(JSON("1E+2").decimal == 100);
    assert_int_equal(JSON("1e2").type, VALUE_DECIMAL);
    assert_true(JSON("0.1").decimal == 0.1);
    assert_true(JSON("5e-324").decimal > 0);
}

static void malformed_numbers(void **state)
{
    (void)state;
    REFUSES("01", 1, 1);
    REFUSES("-", 1, 1);
    REFUSES("[1.]", 1, 2);
    REFUSES("[.5]", 1, 2);
    REFUSES("[+1]", 1, 2);
    REFUSES("[1e]", 1, 2);
    REFUSES("[1e+]", 1, 2);
    REFUSES("1-2", 1, 1);
    REFUSES("1e999", 1, 1);
    REFUSES("[0x10]", 1, 3);
    REFUSES("NaN", 1, 1);
}

static void strings(void **state)
{
    (void)state;
    assert_view(value_view(JSON("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")), "\"\\/\b\f\n\r\t");
    assert_view(value_view(JSON("\"\\u00e9\\u20AC\\ud83d\\ude00\"")), "é€😀");
    assert_view(value_view(JSON("\"é€😀 plain\"")), "é€😀 plain");
    struct value nul = JSON("\"a\\u0000b\"");
    assert_int_equal(nul.len, 3);
    assert_true(nul.flags & VALUE_ASCII);
    assert_false(JSON("\"\\u00e9\"").flags & VALUE_ASCII);
    assert_true(JSON("\"\\u0041\"").flags & VALUE_ASCII);
    assert_int_equal(JSON("\"\"").len, 0);
}

// A quote, an escape or a long character at every offset of the eight-byte scanner.
static void strings_of_all_lengths(void **state)
{
    (void)state;
    static const char *const middle[] = {"", "\\n", "é", "\\u00e9", "\\\"", "\x7f"};
    static const char *const meant[] = {"", "\n", "é", "é", "\"", "\x7f"};
    for (size_t kind = 0; kind < BASE_COUNT(middle); kind++) {
        for (int before = 0; before < 20; before++) {
            for (int after = 0; after < 20; after++) {
                char json[128], wanted[128];
                snprintf(json, sizeof json, "[\"%.*s%s%.*s\",1]", before, "abcdefghijklmnopqrstu", middle[kind], after,
                         "ABCDEFGHIJKLMNOPQRSTU");
                snprintf(wanted, sizeof wanted, "%.*s%s%.*s", before, "abcdefghijklmnopqrstu", meant[kind], after, "ABCDEFGHIJKLMNOPQRSTU");
                assert_view(value_view(JSON(json).list->items[0]), wanted);
            }
        }
    }
}

static void malformed_strings(void **state)
{
    (void)state;
    REFUSES("\"abc", 1, 5);
    REFUSES("\"abc\\", 1, 6);
    REFUSES("\"\\x41\"", 1, 2);
    REFUSES("\"\\u12\"", 1, 2);
    REFUSES("\"ab\\ud800\"", 1, 4);
    REFUSES("\"\\ud800\\u0041\"", 1, 2);
    REFUSES("\"\\udc00\"", 1, 2);
    REFUSES("\"\\", 1, 3);
    REFUSES("\"a\nb\"", 1, 3);
    REFUSES("\"a\0b\"", 1, 3);
    REFUSES("'a'", 1, 1);
    REFUSES("[\"\\\0\"]", 1, 3);
}

static void bad_utf8_is_refused(void **state)
{
    (void)state;
    REFUSES("\"ab\xFF\"", 1, 4);
    REFUSES("\"é\xC3\"", 1, 3);
    REFUSES("\"\xED\xA0\x80\"", 1, 2);
    REFUSES("\"\xC0\x80\"", 1, 2);
    REFUSES("\"\\\xC3\xA9\"", 1, 2);
}

static void malformed_structure(void **state)
{
    (void)state;
    REFUSES("", 1, 1);
    REFUSES(" ", 1, 2);
    REFUSES("[", 1, 2);
    REFUSES("{", 1, 2);
    REFUSES("]", 1, 1);
    REFUSES("[1", 1, 3);
    REFUSES("[1,", 1, 4);
    REFUSES("[1,]", 1, 4);
    REFUSES("[1 2]", 1, 4);
    REFUSES("[1}", 1, 3);
    REFUSES("{\"a\"}", 1, 5);
    REFUSES("{\"a\":}", 1, 6);
    REFUSES("{\"a\":1,}", 1, 8);
    REFUSES("{a:1}", 1, 2);
    REFUSES("{\"a\":1]", 1, 7);
    REFUSES("nul", 1, 1);
    REFUSES("truex", 1, 5);
    REFUSES("{} {}", 1, 4);
    REFUSES("{\n \"é\": 1,\n \"b\" 2}", 3, 6);
}

static void the_last_duplicate_wins_in_the_first_place(void **state)
{
    (void)state;
    assert_json(JSON("{\"C\":4,\"R\":3,\"C\":5}"), "{\"C\":5,\"R\":3}");
    assert_json(JSON("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"b\":0,\"\\u0061\":null}"),
                "{\"a\":null,\"b\":0,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9}");
}

static char *nested(int levels, const char *open, const char *close)
{
    char *text = calloc(1, (strlen(open) + strlen(close)) * (size_t)levels + 2);
    char *at = text;
    for (int i = 0; i < levels; i++) {
        at = stpcpy(at, open);
    }
    *at++ = '1';
    for (int i = 0; i < levels; i++) {
        at = stpcpy(at, close);
    }
    return text;
}

static void depth(void **state)
{
    (void)state;
    struct value v;
    static const char *const brackets[][2] = {{"[", "]"}, {"{\"a\":", "}"}};
    for (size_t i = 0; i < BASE_COUNT(brackets); i++) {
        char *fits = nested(JSON_DEPTH_MAX, brackets[i][0], brackets[i][1]);
        char *deep = nested(JSON_DEPTH_MAX + 1, brackets[i][0], brackets[i][1]);
        assert_true(json_read(&heap, view_of(fits), &v, &fail));
        assert_json(v, fits);
        assert_false(json_read(&heap, view_of(deep), &v, &fail));
        assert_true(json_read_lenient(&heap, view_of(fits), &v, &fail));
        assert_false(json_read_lenient(&heap, view_of(deep), &v, &fail));
        free(fits);
        free(deep);
    }
}

static void large_lists_and_maps(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, TEST_TEXT_BYTES);
    buffer_add_char(&text, '{');
    for (int i = 0; i < 100000; i++) {
        buffer_printf(&text, "%s\"k%d\":[%d,%d]", i ? "," : "", i, i, i + 1);
    }
    buffer_add_char(&text, '}');
    struct value v;
    assert_true(json_read(&heap, buffer_view(&text), &v, &fail));
    assert_int_equal(v.map->count, 100000);
    assert_int_equal(value_as_list(map_get_text(v.map, VIEW("k99999")))->items[1].number, 100000);
    assert_json(v, buffer_text(&text));
    buffer_free(&text);
}

static void over_the_memory_limit(void **state)
{
    (void)state;
    struct heap tiny;
    struct buffer text;
    struct value v;
    heap_init(&tiny, 20000, NULL);
    buffer_init(&text, TEST_TEXT_BYTES);
    buffer_add_char(&text, '[');
    for (int i = 0; i < 100000; i++) {
        buffer_add(&text, VIEW("1,"));
    }
    buffer_add(&text, VIEW("1]"));
    assert_false(json_read(&tiny, buffer_view(&text), &v, &fail));
    assert_int_equal(fail.code, FAIL_LIMIT);
    heap_free(&tiny);
    heap_init(&tiny, 20000, NULL);
    assert_false(json_read_lenient(&tiny, buffer_view(&text), &v, &fail));
    assert_int_equal(fail.code, FAIL_LIMIT);
    heap_free(&tiny);
    buffer_free(&text);
}

static void looks_like(void **state)
{
    (void)state;
    assert_true(json_looks_like(VIEW(" \n\t{")));
    assert_true(json_looks_like(VIEW("[")));
    assert_false(json_looks_like(VIEW("x{")));
    assert_false(json_looks_like(VIEW("")));
    assert_false(json_looks_like(VIEW_NONE));
}

static void reads_leniently(const char *text, const char *wanted)
{
    struct value v;
    if (!json_read_lenient(&heap, view_of(text), &v, &fail)) {
        fail_msg("%s should read", text);
    }
    assert_json(v, wanted);
}

static void lenient_forms(void **state)
{
    (void)state;
    reads_leniently("{company:Zoho, product:Creator}", "{\"company\":\"Zoho\",\"product\":\"Creator\"}");
    reads_leniently("{'a':'b c','d':\"e\"}", "{\"a\":\"b c\",\"d\":\"e\"}");
    reads_leniently("{a=1; b => 2;}", "{\"a\":1,\"b\":2}");
    reads_leniently("{a:TRUE,b:False,c:NULL,d:null}", "{\"a\":true,\"b\":false,\"c\":null,\"d\":null}");
    reads_leniently("[1,2,]", "[1,2]");
    reads_leniently("[1,,2]", "[1,null,2]");
    reads_leniently("[a b , c]", "[\"a b\",\"c\"]");
    reads_leniently("{1:one}", "{\"1\":\"one\"}");
    reads_leniently("{a:{b:[{c:d}]}}", "{\"a\":{\"b\":[{\"c\":\"d\"}]}}");
    reads_leniently("{}", "{}");
    reads_leniently(" { } ", "{}");
    reads_leniently("{a:1,a:2}", "{\"a\":2}");
    reads_leniently("{a:'it\\'s \\u00e9'}", "{\"a\":\"it's é\"}");
    reads_leniently("{a:'\\ud800x'}", "{\"a\":\"\xEF\xBF\xBDx\"}");
    reads_leniently("{a:\xFF}", "{\"a\":\"\xEF\xBF\xBD\"}");
}

static void lenient_numbers(void **state)
{
    (void)state;
    reads_leniently("{a:12,b:-1.5,c:007,d:+49 30,e:1.2.3,f:4522002000000138720}",
                    "{\"a\":12,\"b\":-1.5,\"c\":\"007\",\"d\":\"+49 30\",\"e\":\"1.2.3\",\"f\":4522002000000138720}");
}

static void lenient_reads_json_as_json(void **state)
{
    (void)state;
    reads_leniently("{\"a\":[1,\"x\\n\",{\"b\":null}]}", "{\"a\":[1,\"x\\n\",{\"b\":null}]}");
}

static void lenient_has_limits(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "not json", "",      "5",    "\"x\"",  "{",       "[",      "{a",    "{a:",      "{a:1",      "[1",           "{a}",
        "{a b}",    "{:1}",  "{a:}", "{a:1}}", "{a:1} x", "[1 ; 2", "{a:'x", "{a:'\n'}", "{a:'\\q'}", "{a:http://x}", "{a:'\\u12'}",
        "]",        "{a:1]", "[{]}",
    };
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        struct value v;
        if (json_read_lenient(&heap, view_of(bad[i]), &v, &fail)) {
            fail_msg("%s should not read", bad[i]);
        }
        assert_int_equal(fail.code, FAIL_SCRIPT);
        assert_string_equal(fail.text, "Invalid JSON Format String");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAP_TEST(values_of_all_kinds),
        HEAP_TEST(numbers),
        HEAP_TEST(malformed_numbers),
        HEAP_TEST(strings),
        HEAP_TEST(strings_of_all_lengths),
        HEAP_TEST(malformed_strings),
        HEAP_TEST(bad_utf8_is_refused),
        HEAP_TEST(malformed_structure),
        HEAP_TEST(the_last_duplicate_wins_in_the_first_place),
        HEAP_TEST(depth),
        HEAP_TEST(large_lists_and_maps),
        HEAP_TEST(over_the_memory_limit),
        HEAP_TEST(looks_like),
        HEAP_TEST(lenient_forms),
        HEAP_TEST(lenient_numbers),
        HEAP_TEST(lenient_reads_json_as_json),
        HEAP_TEST(lenient_has_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
