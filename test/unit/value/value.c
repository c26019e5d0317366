// SPDX-License-Identifier: Apache-2.0
#include "common.h"

static struct value nested_lists(int levels)
{
    struct value v = value_list(&heap, 0);
    for (int i = 1; i < levels; i++) {
        struct value outer = value_list(&heap, 1);
        list_add(&heap, outer.list, v);
        v = outer;
    }
    return v;
}

static struct value list_of_itself(void)
{
    struct value v = value_list(&heap, 0);
    list_add(&heap, v.list, v);
    return v;
}

static void type_names_are_zohos(void **state)
{
    (void)state;
    assert_string_equal(value_type_name(value_null()), "NULL");
    assert_string_equal(value_type_name(value_number(1)), "NUMBER");
    assert_string_equal(value_type_name(text_of("")), "TEXT");
    assert_string_equal(value_type_name(value_datetime(0)), "DATE-TIME");
    assert_string_equal(value_type_name(JSON("{}")), "MAP");
}

static void fresh_becomes_what_it_is_used_as(void **state)
{
    (void)state;
    struct value fresh = value_fresh(&heap), alias = fresh;
    assert_null(value_as_list(fresh));
    assert_null(value_as_map(fresh));
    fresh.fresh->target = value_list(&heap, 0);
    list_add(&heap, value_as_list(alias), value_number(1));
    assert_prints(alias, "1");
    assert_string_equal(value_type_name(alias), "LIST");
}

static void collections_show_their_inside(void **state)
{
    (void)state;
    struct value list = value_collection(&heap, JSON("[1]")), map = value_collection(&heap, JSON("{\"a\":1}"));
    assert_int_equal(value_as_list(list)->count, 1);
    assert_null(value_as_map(list));
    assert_int_equal(value_as_map(map)->count, 1);
    assert_true(value_equal(list, value_collection(&heap, JSON("[1.0]"))));
    assert_false(value_equal(list, map));
    assert_string_equal(value_type_name(list), "COLLECTION");
}

static void numbers_equal_by_value(void **state)
{
    (void)state;
    assert_true(value_equal(value_number(1), value_decimal(1)));
    assert_int_equal(value_hash(value_number(1)), value_hash(value_decimal(1)));
    assert_false(value_equal(value_number(1), value_decimal(1.5)));
    assert_false(value_equal(value_number(INT64_MAX), value_decimal(9223372036854775808.0)));
    assert_true(value_equal(value_number(INT64_MIN), value_decimal(-9223372036854775808.0)));
    assert_false(value_equal(value_number(9007199254740993), value_decimal(9007199254740992.0)));
}

static void types_do_not_mix(void **state)
{
    (void)state;
    assert_false(value_equal(value_number(1), text_of("1")));
    assert_false(value_equal(value_bool(false), value_null()));
    assert_false(value_equal(text_of(""), value_null()));
    assert_false(value_equal(value_date(0), value_datetime(0)));
    assert_false(value_equal(JSON("[]"), JSON("{}")));
}

static void the_fresh_literal_equals_any_empty_container(void **state)
{
    (void)state;
    struct value fresh = value_fresh(&heap);
    assert_true(value_equal(fresh, JSON("[]")));
    assert_true(value_equal(JSON("{}"), fresh));
    assert_false(value_equal(fresh, JSON("[1]")));
    assert_int_equal(value_hash(fresh), value_hash(JSON("[]")));
    assert_int_equal(value_hash(fresh), value_hash(JSON("{}")));
}

static void maps_equal_in_any_order(void **state)
{
    (void)state;
    struct value a = JSON("{\"x\":1,\"y\":[1,{\"z\":null}]}"), b = JSON("{\"y\":[1,{\"z\":null}],\"x\":1.0}");
    assert_true(value_equal(a, b));
    assert_int_equal(value_hash(a), value_hash(b));
    assert_false(value_equal(a, JSON("{\"x\":1,\"y\":[1,{\"z\":0}]}")));
    assert_false(value_equal(JSON("{\"a\":null}"), JSON("{\"b\":null}")));
    assert_false(value_equal(JSON("[1,2]"), JSON("[1,2,3]")));
}

static void depth_limit_of_equality(void **state)
{
    (void)state;
    assert_true(value_equal(nested_lists(VALUE_DEPTH_MAX), nested_lists(VALUE_DEPTH_MAX)));
    assert_false(value_equal(nested_lists(VALUE_DEPTH_MAX + 2), nested_lists(VALUE_DEPTH_MAX + 2)));
    assert_false(value_equal(list_of_itself(), list_of_itself()));
    struct value self = list_of_itself();
    assert_true(value_equal(self, self));
    value_hash(self);
}

// A map whose only key is such a map, and so on.
static struct value keys_of_keys(int levels)
{
    struct value v = value_number(1);
    for (int i = 0; i < levels; i++) {
        struct value outer = value_map(&heap, 0);
        map_put(&heap, outer.map, v, value_null());
        v = outer;
    }
    return v;
}

static void keys_that_are_maps_do_not_exhaust_the_stack(void **state)
{
    (void)state;
    assert_true(value_equal(keys_of_keys(4), keys_of_keys(4)));
    assert_false(value_equal(keys_of_keys(100000), keys_of_keys(100000)));
    struct value deep = keys_of_keys(100000);
    assert_true(value_equal(deep, deep));
    assert_true(value_is_null(value_copy(&heap, deep, &fail)));
}

static void a_copy_shares_nothing(void **state)
{
    (void)state;
    const char *json = "{\"a\":[1,2.5,\"é\",{\"b\":null,\"c\":true}],\"d\":{},\"e\":[],\"f\":\"\",\"g\":1,\"h\":2,\"i\":3,\"j\":4,\"k\":5}";
    struct heap own;
    heap_init(&own, TEST_HEAP_BYTES, NULL);
    struct value original;
    assert_true(json_read(&own, view_of(json), &original, &fail));
    struct value copy = value_copy(&heap, original, &fail);
    heap_free(&own);
    assert_prints(copy, json);
    assert_int_equal(map_get_text(copy.map, VIEW("k")).number, 5);
}

static void a_copy_keeps_kinds(void **state)
{
    (void)state;
    struct value list = value_list(&heap, 0), key = value_list(&heap, 0), m = value_map(&heap, 0);
    list_add(&heap, key.list, value_number(0));
    map_put(&heap, m.map, key, value_fresh(&heap));
    list_add(&heap, list.list, value_collection(&heap, m));
    list_add(&heap, list.list, value_file(&heap, VIEW("bytes"), VIEW("a.txt"), VIEW("text/plain")));
    list_add(&heap, list.list, value_datetime(5));
    struct value copy = value_copy(&heap, list, &fail);
    assert_true(value_equal(copy, list));
    list_add(&heap, key.list, value_number(1));
    assert_prints(copy, "{[0]:{}},a.txt,01-Jan-1970 00:00:00");
    assert_int_equal(copy.list->items[0].type, VALUE_COLLECTION);
    assert_true(copy.list->items[1].file->bytes.data != list.list->items[1].file->bytes.data);
}

static void a_copy_leaves_holes_behind(void **state)
{
    (void)state;
    struct value m = JSON("{\"a\":1,\"b\":2,\"c\":3}");
    map_remove(m.map, text_of("b"));
    struct value copy = value_copy(&heap, m, &fail);
    assert_prints(copy, "{\"a\":1,\"c\":3}");
    assert_int_equal(copy.map->used, 2);
}

static void depth_limit_of_copies(void **state)
{
    (void)state;
    assert_false(value_is_null(value_copy(&heap, nested_lists(VALUE_DEPTH_MAX), &fail)));
    assert_int_equal(fail.code, FAIL_NONE);
    assert_true(value_is_null(value_copy(&heap, nested_lists(VALUE_DEPTH_MAX + 2), &fail)));
    assert_int_equal(fail.code, FAIL_SCRIPT);
    fail_clear(&fail);
    assert_true(value_is_null(value_copy(&heap, list_of_itself(), &fail)));
    assert_int_equal(fail.code, FAIL_SCRIPT);
}

static void a_copy_that_does_not_fit_fails(void **state)
{
    (void)state;
    struct heap tiny;
    heap_init(&tiny, 4096, NULL);
    struct value list = value_list(&heap, 0);
    for (int i = 0; i < 10000; i++) {
        list_add(&heap, list.list, text_of("some text"));
    }
    assert_true(value_is_null(value_copy(&tiny, list, &fail)));
    assert_int_equal(fail.code, FAIL_LIMIT);
    heap_free(&tiny);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAP_TEST(type_names_are_zohos),
        HEAP_TEST(fresh_becomes_what_it_is_used_as),
        HEAP_TEST(collections_show_their_inside),
        HEAP_TEST(numbers_equal_by_value),
        HEAP_TEST(types_do_not_mix),
        HEAP_TEST(the_fresh_literal_equals_any_empty_container),
        HEAP_TEST(maps_equal_in_any_order),
        HEAP_TEST(depth_limit_of_equality),
        HEAP_TEST(keys_that_are_maps_do_not_exhaust_the_stack),
        HEAP_TEST(a_copy_shares_nothing),
        HEAP_TEST(a_copy_keeps_kinds),
        HEAP_TEST(a_copy_leaves_holes_behind),
        HEAP_TEST(depth_limit_of_copies),
        HEAP_TEST(a_copy_that_does_not_fit_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
