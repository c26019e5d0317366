// SPDX-License-Identifier: Apache-2.0
#include "common.h"

static void ascii_is_flagged(void **state)
{
    (void)state;
    assert_true(text_of("abc").flags & VALUE_ASCII);
    assert_false(text_of("äbc").flags & VALUE_ASCII);
    assert_true(text_of("").flags & VALUE_ASCII);
}

static void nul_bytes_are_kept(void **state)
{
    (void)state;
    struct value v = VALUE_TEXT_LITERAL(&heap, "a\0b");
    assert_int_equal(v.len, 3);
    assert_int_equal(value_text_units(v), 3);
    assert_memory_equal(value_view(v).data, "a\0b", 3);
}

static void bad_bytes_become_replacement_characters(void **state)
{
    (void)state;
    assert_view(value_view(text_of("a\xFFz")), "a\xEF\xBF\xBDz");
    assert_view(value_view(text_of("\xC3")), "\xEF\xBF\xBD");
    assert_view(value_view(text_of("\xED\xA0\x80")), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"); // an encoded surrogate
}

static void units_count_as_java_does(void **state)
{
    (void)state;
    assert_int_equal(value_text_units(text_of("é")), 1);
    assert_int_equal(value_text_units(text_of("😀x")), 3);
}

static void slices_are_cut_in_units(void **state)
{
    (void)state;
    assert_view(value_view(value_text_slice(&heap, text_of("hello"), 1, 3)), "el");
    assert_view(value_view(value_text_slice(&heap, text_of("héllo"), 1, 3)), "él");
    assert_view(value_view(value_text_slice(&heap, text_of("a😀b"), 3, 4)), "b");
    assert_view(value_view(value_text_slice(&heap, text_of("hello"), 3, 99)), "lo");
    assert_view(value_view(value_text_slice(&heap, text_of("hello"), 99, 100)), "");
    assert_view(value_view(value_text_slice(&heap, text_of("hello"), 3, 1)), "");
}

static void a_slice_never_holds_half_a_pair(void **state)
{
    (void)state;
    struct value v = text_of("a😀b");
    for (size_t start = 0; start <= 4; start++) {
        for (size_t end = start; end <= 4; end++) {
            assert_true(utf8_valid(value_view(value_text_slice(&heap, v, start, end))));
        }
    }
}

static void append_leaves_older_values_alone(void **state)
{
    (void)state;
    struct value a = value_text_concat(&heap, text_of("ab"), text_of("cd"));
    struct value b = value_text_concat(&heap, a, text_of("ef"));
    struct value c = value_text_concat(&heap, a, text_of("XY"));
    assert_view(value_view(a), "abcd");
    assert_view(value_view(b), "abcdef");
    assert_view(value_view(c), "abcdXY");
}

static void append_to_itself(void **state)
{
    (void)state;
    struct value a = value_text_concat(&heap, text_of("ab"), text_of("cd"));
    a = value_text_concat(&heap, a, a);
    a = value_text_concat(&heap, a, a);
    assert_view(value_view(a), "abcdabcdabcdabcd");
}

static void append_in_a_loop_is_linear(void **state)
{
    (void)state;
    struct value s = text_of(""), x = text_of("0123456789");
    for (int i = 0; i < 100000; i++) {
        s = value_text_concat(&heap, s, x);
    }
    assert_int_equal(s.len, 1000000);
    assert_true(heap.bytes < 8 * 1000000); // quadratic copies would be 50 GB
    assert_memory_equal(value_view(s).data + 999990, "0123456789", 10);
}

static void constants_are_never_appended_to(void **state)
{
    (void)state;
    struct value constant = value_text_concat(&heap, text_of("ab"), text_of("c")); // has room behind it
    constant.text->fixed = 1;
    uint32_t used = constant.text->used;
    struct value joined = value_text_concat(&heap, constant, text_of("d"));
    assert_view(value_view(joined), "abcd");
    assert_int_equal(constant.text->used, used);
    assert_true(joined.text != constant.text);
}

static void append_forgets_the_hash(void **state)
{
    (void)state;
    struct value v = JSON("{\"key\":1}");
    uint32_t cursor = 0;
    struct value key = map_next(v.map, &cursor)->key;
    struct value longer = value_text_concat(&heap, key, text_of("s"));
    assert_int_equal(value_hash(longer), value_hash(text_of("keys")));
    assert_int_equal(value_hash(key), value_hash(text_of("key")));
    assert_int_equal(map_get_text(v.map, VIEW("key")).number, 1);
}

static void concat_keeps_track_of_ascii(void **state)
{
    (void)state;
    assert_true(value_text_concat(&heap, text_of("a"), text_of("b")).flags & VALUE_ASCII);
    assert_false(value_text_concat(&heap, text_of("a"), text_of("é")).flags & VALUE_ASCII);
    assert_view(value_view(value_text_concat(&heap, text_of(""), text_of("é"))), "é");
    assert_view(value_view(value_text_concat(&heap, text_of("é"), text_of(""))), "é");
}

static void printf_of_any_length(void **state)
{
    (void)state;
    assert_view(value_view(value_text_printf(&heap, "%d-%s", 7, "x")), "7-x");
    struct value v = value_text_printf(&heap, "%01000d", 7);
    assert_int_equal(v.len, 1000);
    assert_true(v.flags & VALUE_ASCII);
}

static void space_to_fill(void **state)
{
    (void)state;
    char *bytes;
    struct value v = value_text_space(&heap, 10, &bytes);
    memcpy(bytes, "abc", 3);
    v = value_text_done(v, 3);
    assert_view(value_view(v), "abc");
    assert_true(v.flags & VALUE_ASCII);
    assert_view(value_view(value_text_concat(&heap, v, text_of("d"))), "abcd");
}

static void without_memory_texts_are_null(void **state)
{
    (void)state;
    struct heap tiny;
    heap_init(&tiny, 200, NULL);
    char big[300];
    memset(big, 'x', sizeof big);
    assert_true(value_is_null(value_text(&tiny, (struct view){big, sizeof big})));
    assert_true(tiny.failed);
    heap_free(&tiny);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAP_TEST(ascii_is_flagged),
        HEAP_TEST(nul_bytes_are_kept),
        HEAP_TEST(bad_bytes_become_replacement_characters),
        HEAP_TEST(units_count_as_java_does),
        HEAP_TEST(slices_are_cut_in_units),
        HEAP_TEST(a_slice_never_holds_half_a_pair),
        HEAP_TEST(append_leaves_older_values_alone),
        HEAP_TEST(append_to_itself),
        HEAP_TEST(append_in_a_loop_is_linear),
        HEAP_TEST(constants_are_never_appended_to),
        HEAP_TEST(append_forgets_the_hash),
        HEAP_TEST(concat_keeps_track_of_ascii),
        HEAP_TEST(printf_of_any_length),
        HEAP_TEST(space_to_fill),
        HEAP_TEST(without_memory_texts_are_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
