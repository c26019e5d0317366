// SPDX-License-Identifier: Apache-2.0
//
// The set of natives and how a script reaches them: by receiver type, in both call shapes, as system variables and as task blocks; and what
// the readers of arguments take and refuse.
#include "support.h"

static void row_is_picked_by_the_receivers_type(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_true(bench_run(&b, "info {1, 2}.size() + \" \" + size({\"a\":1}) + \" \" + {}.size();"));
    assert_string_equal(bench_log(&b), "1: 2 1 0\n");
    bench_close(&b);
}

static void names_have_no_case(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_true(bench_run(&b, "info \"abc\".LENGTH() + length(\"de\");"));
    assert_string_equal(bench_log(&b), "1: 5\n");
    assert_string_equal(b.called->name, "Length");
    bench_close(&b);
}

static void plain_function_takes_as_many_arguments_as_its_row_says(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_true(bench_run(&b, "info count() + count(null) + count(1, 2, 3);"));
    assert_string_equal(bench_log(&b), "1: 4\n");
    bench_close(&b);
}

static void null_reaches_only_rows_that_want_it(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_true(bench_run(&b, "x = null; info x.isNull(); info isNull(x); try { x.length(); } catch (e) { info e.message; }"));
    assert_string_equal(bench_log(&b), "1: true\n1: true\n1: Value is empty and 'Length' function cannot be applied\n");
    bench_close(&b);
}

static void wrong_type_names_method_and_type(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_false(bench_run(&b, "m = {\"a\":5}; for each x in {m} { y = x.length(); }"));
    assert_string_equal(b.fail.text, "'Length' function cannot be applied to MAP");
    bench_close(&b);
}

static void empty_literal_arrives_as_what_it_became(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_true(bench_run(&b, "info typeOf({1}) + typeOf({\"k\":1}) + typeOf(null) + typeOf(1.5);"));
    assert_string_equal(bench_log(&b), "1: LISTMAPNULLDECIMAL\n");
    bench_close(&b);
}

static void system_variable_with_and_without_parentheses(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_true(bench_run(&b, "info zoho.now; info zoho.now(); info ZOHO.Now + 1;"));
    assert_string_equal(bench_log(&b), "1: 42\n1: 42\n1: 43\n");
    bench_close(&b);
}

static void task_gets_one_map_of_its_attributes(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_true(bench_run(&b, "r = invokeurl\n[\n\tURL :\"http://a\"\n\ttype :GET\n\theaders:{\"h\":1}\n];\ninfo r;"));
    assert_string_equal(bench_log(&b), "7: {\"url\":\"http://a\",\"type\":\"GET\",\"headers\":{\"h\":1}}\n");
    assert_int_equal(vm_statements(b.vm), 2); // a block is one statement
    bench_close(&b);
}

static void unknown_service_goes_to_the_fallback(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_true(bench_run(&b, "info zoho.desk.create(\"a\", 2);"));
    assert_string_equal(bench_log(&b), "1: zoho.desk.create\n");
    assert_int_equal(b.called_count, 3);
    bench_close(&b);
}

static bool nothing(struct native_call *call)
{
    (void)call;
    return true;
}

static void two_rows_for_one_type_are_refused(void **state)
{
    (void)state;
    struct fail fail;
    static const struct native rows[] = {
        {.name = "f", .receivers = NATIVE_TEXT, .args_min = 1, .args_max = 1, .fn = nothing},
        {.name = "F", .receivers = NATIVE_ANY, .args_min = 1, .args_max = 1, .fn = nothing},
    };
    struct native_set *set = native_set_new();
    assert_false(native_set_add(set, rows, 2, &fail));
    assert_int_equal(fail.code, FAIL_INTERNAL);
    native_set_free(set);
}

static void set_is_listed_in_the_order_added(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(native_set_count(b.natives), 13);
    assert_string_equal(native_set_at(b.natives, 0)->name, "size");
    assert_string_equal(native_set_at(b.natives, 12)->name, "zoho.*");
    bench_close(&b);
}

static void nearest_name_is_suggested(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_string_equal(native_set_nearest(b.natives, VIEW("lenght"))->name, "Length");
    assert_string_equal(native_set_nearest(b.natives, VIEW("ISNUL"))->name, "isNull");
    assert_null(native_set_nearest(b.natives, VIEW("frobnicate")));
    assert_null(native_set_nearest(b.natives, VIEW("")));
    bench_close(&b);
}

// ---- the readers --------------------------------------------------------------------------------

static void call_with(struct native_call *call, struct bench *b, struct value *args, int count)
{
    static const struct native row = {.name = "f", .args_min = 0, .args_max = 9, .fn = nothing};
    *call = (struct native_call){.native = &row, .heap = &b->heap, .args = args, .count = count, .ret = &b->result, .fail = &b->fail};
}

static void numbers_are_read_from_text_and_decimals(void **state)
{
    (void)state;
    struct bench b;
    struct native_call call;
    int64_t number;
    double decimal;
    bench_open(&b);
    struct value args[] = {value_number(7), value_text(&b.heap, VIEW(" 12 ")), value_decimal(-2.9), value_text(&b.heap, VIEW("1.5")),
                           value_decimal(1e300)};
    call_with(&call, &b, args, 5);
    assert_true(arg_number(&call, 0, &number) && number == 7);
    assert_true(arg_number(&call, 1, &number) && number == 12);
    assert_true(arg_number(&call, 2, &number) && number == -2);
    assert_true(arg_decimal(&call, 3, &decimal) && decimal == 1.5);
    assert_false(arg_number(&call, 4, &number));
    bench_close(&b);
}

static void wrong_arguments_have_zohos_texts(void **state)
{
    (void)state;
    struct bench b;
    struct native_call call;
    int64_t number;
    struct map *map;
    struct view text;
    bool yes;
    bench_open(&b);
    struct value args[] = {value_text(&b.heap, VIEW("abc")), value_text(&b.heap, VIEW("def")), value_null()};
    call_with(&call, &b, args, 3);
    assert_false(arg_number(&call, 0, &number));
    assert_string_equal(b.fail.text, "'TEXT' can not be cast to '[NUMBER]'");
    assert_false(arg_number(&call, 1, &number));
    assert_string_equal(b.fail.text, "Incompatible types for function at argument index 1 Required: [NUMBER] Found: TEXT");
    assert_false(arg_map(&call, 0, &map));
    assert_string_equal(b.fail.text, "'abc' can not be cast to 'MAP'");
    assert_false(arg_bool(&call, 1, &yes));
    assert_false(arg_text(&call, 2, &text));
    assert_string_equal(b.fail.text, "Incompatible types for function at argument index 2 Required: [TEXT] Found: NULL");
    bench_close(&b);
}

static void containers_are_read_from_json_text(void **state)
{
    (void)state;
    struct bench b;
    struct native_call call;
    struct map *map;
    struct list *list;
    bool yes;
    bench_open(&b);
    struct value args[] = {value_text(&b.heap, VIEW("{\"a\":1}")), value_text(&b.heap, VIEW("[1,2]")), value_fresh(&b.heap),
                           value_text(&b.heap, VIEW("TRUE"))};
    call_with(&call, &b, args, 4);
    assert_true(arg_map(&call, 0, &map) && map->count == 1);
    assert_true(arg_list(&call, 1, &list) && list->count == 2);
    assert_true(arg_list(&call, 2, &list) && list->count == 0);
    assert_true(arg_map(&call, 2, &map) && map->count == 0);
    assert_true(arg_bool(&call, 3, &yes) && yes);
    bench_close(&b);
}

static void anything_printable_is_text(void **state)
{
    (void)state;
    struct bench b;
    struct native_call call;
    struct view text;
    bench_open(&b);
    struct value args[] = {value_number(5), value_bool(true)};
    call_with(&call, &b, args, 2);
    assert_true(arg_text(&call, 0, &text) && view_eq(text, VIEW("5")));
    assert_true(arg_text(&call, 1, &text) && view_eq(text, VIEW("true")));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_is_picked_by_the_receivers_type),
        cmocka_unit_test(names_have_no_case),
        cmocka_unit_test(plain_function_takes_as_many_arguments_as_its_row_says),
        cmocka_unit_test(null_reaches_only_rows_that_want_it),
        cmocka_unit_test(wrong_type_names_method_and_type),
        cmocka_unit_test(empty_literal_arrives_as_what_it_became),
        cmocka_unit_test(system_variable_with_and_without_parentheses),
        cmocka_unit_test(task_gets_one_map_of_its_attributes),
        cmocka_unit_test(unknown_service_goes_to_the_fallback),
        cmocka_unit_test(two_rows_for_one_type_are_refused),
        cmocka_unit_test(set_is_listed_in_the_order_added),
        cmocka_unit_test(nearest_name_is_suggested),
        cmocka_unit_test(numbers_are_read_from_text_and_decimals),
        cmocka_unit_test(wrong_arguments_have_zohos_texts),
        cmocka_unit_test(containers_are_read_from_json_text),
        cmocka_unit_test(anything_printable_is_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
