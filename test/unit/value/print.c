// SPDX-License-Identifier: Apache-2.0
// What `info` and JSON replies show: spec/deluge-language.md §3, §11.
#include "common.h"

#include <math.h>

static struct value list_of(int count, ...)
{
    struct value list = value_list(&heap, 0);
    va_list args;
    va_start(args, count);
    for (int i = 0; i < count; i++) {
        list_add(&heap, list.list, va_arg(args, struct value));
    }
    va_end(args);
    return list;
}

static void scalars(void **state)
{
    (void)state;
    assert_prints(value_null(), "null");
    assert_prints(value_bool(true), "true");
    assert_prints(value_number(INT64_MIN), "-9223372036854775808");
    assert_prints(value_decimal(12345678901234.56), "12345678901234.56");
    assert_prints(value_decimal(0.1 + 0.2), "0.30000000000000004");
    assert_prints(value_decimal(25), "25");
    assert_prints(text_of("it's \"so\""), "it's \"so\"");
    assert_json(text_of("it's \"so\""), "\"it's \\\"so\\\"\"");
}

static void dates(void **state)
{
    (void)state;
    heap.zone = zone_find(VIEW("Asia/Kolkata"));
    assert_prints(value_datetime(1580681892000), "03-Feb-2020 03:48:12");
    assert_prints(value_date(1580668200000), "03-Feb-2020");
    struct value time = {.type = VALUE_TIME, .millis = 18367000};
    assert_prints(time, "05:06:07");
    assert_json(list_of(1, value_datetime(1580681892000)), "[\"03-Feb-2020 03:48:12\"]");
    assert_prints(list_of(2, value_date(1580668200000), value_number(1)), "03-Feb-2020,1");
}

static void script_lists_are_joined_by_commas(void **state)
{
    (void)state;
    assert_prints(list_of(2, text_of("Product"), text_of("Version")), "Product,Version");
    assert_prints(list_of(3, value_number(1), value_null(), value_bool(false)), "1,null,false");
    assert_prints(list_of(0), "");
    assert_prints(list_of(2, JSON("{\"n\":\"T1\"}"), JSON("{\"n\":\"T2\"}")), "{\"n\":\"T1\"},{\"n\":\"T2\"}");
    assert_prints(list_of(2, list_of(2, text_of("a"), text_of("b")), text_of("c")), "[\"a\",\"b\"],c");
}

static void lists_from_json_print_as_json(void **state)
{
    (void)state;
    assert_prints(JSON("[\"a\", \"b\"]"), "[\"a\",\"b\"]");
    assert_prints(JSON("[]"), "[]");
}

static void lists_in_maps_are_json(void **state)
{
    (void)state;
    struct value m = value_map(&heap, 0);
    map_put_text(&heap, m.map, VIEW("l"), list_of(2, value_number(1), value_number(2)));
    map_put_text(&heap, m.map, VIEW("e"), list_of(0));
    map_put_text(&heap, m.map, VIEW("f"), value_fresh(&heap));
    assert_prints(m, "{\"l\":[1,2],\"e\":[],\"f\":{}}");
}

static void the_fresh_literal(void **state)
{
    (void)state;
    assert_prints(value_fresh(&heap), "{}");
    assert_json(value_fresh(&heap), "{}");
}

static void files_show_their_name(void **state)
{
    (void)state;
    struct value file = value_file(&heap, VIEW("\xFF\x00"), VIEW("a.png"), VIEW("image/png"));
    assert_prints(file, "a.png");
    assert_json(list_of(1, file), "[\"a.png\"]");
    assert_int_equal(file.file->bytes.len, 2);
}

static void keys_that_are_no_texts(void **state)
{
    (void)state;
    struct value m = value_map(&heap, 0);
    map_put(&heap, m.map, value_number(1), text_of("n"));
    map_put(&heap, m.map, value_null(), text_of("x"));
    map_put(&heap, m.map, value_bool(true), text_of("b"));
    map_put(&heap, m.map, list_of(0), list_of(0));
    map_put(&heap, m.map, list_of(1, list_of(1, value_number(2))), JSON("{\"in\":1}"));
    assert_prints(m, "{\"1\":\"n\",\"null\":\"x\",\"true\":\"b\",[]:[],[[2]]:{\"in\":1}}");
}

static void json_has_no_nan(void **state)
{
    (void)state;
    assert_json(list_of(3, value_decimal((double)NAN), value_decimal((double)INFINITY), value_decimal(-1e300 * 1e300)), "[null,null,null]");
    assert_prints(value_decimal((double)INFINITY), "Infinity");
}

static void escapes(void **state)
{
    (void)state;
    assert_json(value_text(&heap, VIEW("\"\\/\b\f\n\r\t\0\x1f\x7f é 😀 </script>")),
                "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f é 😀 </script>\"");
    assert_json(text_of(""), "\"\"");
    assert_json(text_of("0123456789\"0123456789\"\""), "\"0123456789\\\"0123456789\\\"\\\"\"");
}

static struct value nested(int levels)
{
    struct value v = list_of(0);
    for (int i = 1; i < levels; i++) {
        v = list_of(1, v);
    }
    return v;
}

static void depth_limit(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, TEST_TEXT_BYTES);
    assert_true(json_write(&out, nested(VALUE_DEPTH_MAX), NULL, &fail));
    assert_false(json_write(&out, nested(VALUE_DEPTH_MAX + 2), NULL, &fail));
    assert_int_equal(fail.code, FAIL_SCRIPT);
    buffer_free(&out);
}

static void a_list_that_holds_itself_is_an_error(void **state)
{
    (void)state;
    struct value self = value_list(&heap, 0), in_key = value_map(&heap, 0);
    list_add(&heap, self.list, self);
    map_put(&heap, in_key.map, self, value_null());
    struct buffer out;
    buffer_init(&out, TEST_TEXT_BYTES);
    assert_false(value_print(&out, self, NULL, &fail));
    assert_int_equal(fail.code, FAIL_SCRIPT);
    assert_false(value_print(&out, in_key, NULL, &fail));
    buffer_free(&out);
}

static void a_text_over_the_buffer_is_an_error(void **state)
{
    (void)state;
    struct value v = list_of(2, value_number(1), value_number(2));
    for (int i = 0; i < 60; i++) { // unfolds to 2^60 items
        v = list_of(2, v, v);
    }
    struct buffer out;
    buffer_init(&out, 1000);
    assert_false(value_print(&out, v, NULL, &fail));
    assert_int_equal(fail.code, FAIL_LIMIT);
    buffer_free(&out);
}

static void to_text(void **state)
{
    (void)state;
    assert_view(value_view(value_to_text(&heap, value_number(-5), &fail)), "-5");
    assert_view(value_view(value_to_text(&heap, JSON("{\"a\":[1]}"), &fail)), "{\"a\":[1]}");
    struct value text = text_of("same");
    assert_ptr_equal(value_to_text(&heap, text, &fail).text, text.text);
}

static void print_in_java_order(struct value v, const char *wanted)
{
    struct buffer out;
    buffer_init(&out, TEST_TEXT_BYTES);
    assert_true(json_write_order(&out, v, NULL, JSON_JAVA_HASHMAP, &fail));
    assert_view(buffer_view(&out), wanted);
    buffer_free(&out);
}

// Orders seen in real dumps (spec/deluge-language.md §1.1, §9.5, §11 case 35).
static void java_order(void **state)
{
    (void)state;
    print_in_java_order(JSON("{\"company\":\"Zoho\",\"product\":\"Creator\"}"), "{\"product\":\"Creator\",\"company\":\"Zoho\"}");
    print_in_java_order(JSON("{\"email\":1,\"id\":2,\"name\":3}"), "{\"name\":3,\"id\":2,\"email\":1}");
    print_in_java_order(
        JSON("{\"resubmit\":1,\"approve\":3,\"reject\":2,\"takeover\":4,\"delegate\":5}"), // approve and reject share a bucket
        "{\"delegate\":5,\"takeover\":4,\"approve\":3,\"reject\":2,\"resubmit\":1}");
    struct value nested_map = JSON("{\"a\":{\"company\":[{\"id\":1,\"name\":{}}],\"product\":1,\"gone\":0}}");
    map_remove(map_get_text(nested_map.map, VIEW("a")).map, text_of("gone"));
    print_in_java_order(nested_map, "{\"a\":{\"product\":1,\"company\":[{\"name\":{},\"id\":1}]}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAP_TEST(scalars),
        HEAP_TEST(dates),
        HEAP_TEST(script_lists_are_joined_by_commas),
        HEAP_TEST(lists_from_json_print_as_json),
        HEAP_TEST(lists_in_maps_are_json),
        HEAP_TEST(the_fresh_literal),
        HEAP_TEST(files_show_their_name),
        HEAP_TEST(keys_that_are_no_texts),
        HEAP_TEST(json_has_no_nan),
        HEAP_TEST(escapes),
        HEAP_TEST(depth_limit),
        HEAP_TEST(a_list_that_holds_itself_is_an_error),
        HEAP_TEST(a_text_over_the_buffer_is_an_error),
        HEAP_TEST(to_text),
        HEAP_TEST(java_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
