// SPDX-License-Identifier: Apache-2.0
//
// lang_compile as its callers see it: what a unit tells about its functions, the shapes of files, and sources made to be too large.
#include "support.h"

static bool compile_with(struct bench *b, const char *source, const struct lang_options *options)
{
    return lang_compile(view_of(source), options, &b->units[b->unit_count], NULL, &b->fail) && ++b->unit_count > 0;
}

static struct lang_function_info info_of(struct bench *b, const char *source)
{
    return lang_function_info(bench_compile(b, "f.dg", source));
}

static void header_is_told(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    struct lang_function_info info = info_of(&b, "\nString standalone.f(Map crmAPIRequest, int n)\n{\n\treturn crmAPIRequest;\n}");
    assert_true(view_eq(info.name, VIEW("standalone.f")));
    assert_true(view_eq(info.return_type, VIEW("string")));
    assert_true(info.has_header);
    assert_int_equal(info.parameter_count, 2);
    assert_true(view_eq(info.parameters[1].name, VIEW("n")));
    assert_true(view_eq(info.parameters[0].type, VIEW("Map")));
    assert_int_equal(info.line, 2);
    assert_true(info.reads_request_v2);
    assert_false(info.reads_request_v1);
    bench_close(&b);
}

static void body_takes_name_from_its_options(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    struct lang_function_info info = info_of(&b, "info a; b = 1; info b;");
    assert_true(view_eq(info.name, VIEW("test.main")));
    assert_true(view_eq(info.return_type, VIEW("void")));
    assert_false(info.has_header);
    assert_int_equal(info.parameter_count, 1);
    assert_true(view_eq(info.parameters[0].name, VIEW("a")));
    bench_close(&b);
}

static void body_that_returns_a_value_is_a_string_function(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_true(view_eq(info_of(&b, "return 1;").return_type, VIEW("string")));
    bench_close(&b);
}

static void body_takes_declared_arguments(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    struct lang_parameter parameters[] = {{VIEW("n"), VIEW("int")}, {VIEW("m"), VIEW("map")}};
    struct lang_options options = {
        .natives = b.natives, .file = "f.dg", .parameters = parameters, .parameter_count = 2, .return_type = VIEW("Int")};
    assert_true(compile_with(&b, "return n + 1;", &options));
    struct lang_function_info info = lang_function_info(unit_function(b.units[0], 0));
    assert_int_equal(info.parameter_count, 2);
    assert_true(view_eq(info.return_type, VIEW("int")));
    struct vm *vm = vm_new(&b.heap, &b.host, &b.limits);
    struct value arg = value_text(&b.heap, VIEW("41"));
    assert_true(vm_call(vm, unit_function(b.units[0], 0), &arg, 1, &b.result, &b.fail));
    assert_string_equal(bench_result(&b), "42");
    bench_close(&b);
}

static void file_of_several_functions_keeps_their_order(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_compile(&b, "f.dg", "void a.one() { info 1; }\nvoid a.two() { info 2; }");
    assert_int_equal(unit_function_count(b.units[0]), 2);
    assert_true(view_eq(lang_function_info(unit_function(b.units[0], 1)).name, VIEW("a.two")));
    assert_string_equal(unit_file(b.units[0]), "f.dg");
    bench_close(&b);
}

static void first_error_has_file_line_and_column(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    struct lang_options options = {.natives = b.natives, .file = "bad.dg"};
    assert_false(compile_with(&b, "x = 1;\ny = nothing(2);", &options));
    assert_int_equal(b.fail.code, FAIL_COMPILE);
    assert_string_equal(b.fail.file, "bad.dg");
    assert_int_equal(b.fail.line, 2);
    assert_int_equal(b.fail.column, 5);
    assert_string_equal(b.fail.text, "Not able to find 'nothing' function");
    bench_close(&b);
}

static void thousands_of_variables_are_no_problem(void **state)
{
    (void)state;
    struct bench b;
    struct buffer source;
    bench_open(&b);
    buffer_init(&source, SOURCE_BYTES_MAX);
    for (int i = 0; i < 5000; i++) {
        buffer_printf(&source, "v%d = %d;\n", i, i);
    }
    buffer_printf(&source, "return v0 + v4999 + \" \" + v2500;\n");
    assert_true(bench_run(&b, buffer_text(&source)));
    assert_string_equal(bench_result(&b), "4999 2500");
    buffer_free(&source);
    bench_close(&b);
}

static void too_many_variables_are_refused(void **state)
{
    (void)state;
    struct bench b;
    struct buffer source;
    bench_open(&b);
    buffer_init(&source, SOURCE_BYTES_MAX);
    for (int i = 0; i < 61000; i++) {
        buffer_printf(&source, "v%x=1;\n", i);
    }
    struct lang_options options = {.natives = b.natives, .file = "f.dg"};
    assert_false(compile_with(&b, buffer_text(&source), &options));
    assert_int_equal(b.fail.code, FAIL_COMPILE);
    assert_non_null(strstr(b.fail.text, "too large to compile"));
    buffer_free(&source);
    bench_close(&b);
}

static void many_constants_are_no_problem(void **state)
{
    (void)state;
    struct bench b;
    struct buffer source;
    bench_open(&b);
    buffer_init(&source, SOURCE_BYTES_MAX);
    buffer_printf(&source, "l = {");
    for (int i = 0; i < 70000; i++) { // more than 16 bits can number
        buffer_printf(&source, "%d,\n", i + 1000);
    }
    buffer_printf(&source, "5}; x = 1; x = x + 999999; return size(l) + x;");
    assert_true(bench_run(&b, buffer_text(&source)));
    assert_string_equal(bench_result(&b), "1070001");
    buffer_free(&source);
    bench_close(&b);
}

static void finally_in_finally_does_not_explode(void **state)
{
    (void)state;
    struct bench b;
    struct buffer source;
    bench_open(&b);
    buffer_init(&source, SOURCE_BYTES_MAX);
    for (int i = 0; i < 100; i++) { // each level would be compiled twice: 2 to the 100th
        buffer_printf(&source, "try { x = 1; } finally {\n");
    }
    for (int i = 0; i < 100; i++) {
        buffer_printf(&source, "}\n");
    }
    struct lang_options options = {.natives = b.natives, .file = "f.dg"};
    assert_false(compile_with(&b, buffer_text(&source), &options));
    assert_non_null(strstr(b.fail.text, "too large to compile"));
    buffer_free(&source);
    bench_close(&b);
}

static void nesting_at_the_limit_compiles_and_runs(void **state)
{
    (void)state;
    struct bench b;
    struct buffer source;
    bench_open(&b);
    buffer_init(&source, SOURCE_BYTES_MAX);
    buffer_printf(&source, "return ");
    for (int i = 0; i < SOURCE_NESTING_MAX - 2; i++) {
        buffer_printf(&source, "(1 + ");
    }
    buffer_printf(&source, "1");
    for (int i = 0; i < SOURCE_NESTING_MAX - 2; i++) {
        buffer_printf(&source, ")");
    }
    buffer_printf(&source, ";");
    assert_true(bench_run(&b, buffer_text(&source)));
    assert_string_equal(bench_result(&b), "199");
    buffer_free(&source);
    bench_close(&b);
}

static void nesting_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct bench b;
    struct buffer source;
    bench_open(&b);
    buffer_init(&source, SOURCE_BYTES_MAX);
    buffer_printf(&source, "x = ");
    for (int i = 0; i < SOURCE_NESTING_MAX + 1; i++) {
        buffer_printf(&source, "(1 + ");
    }
    struct lang_options options = {.natives = b.natives, .file = "f.dg"};
    assert_false(compile_with(&b, buffer_text(&source), &options));
    assert_non_null(strstr(b.fail.text, "nest more than 200 levels"));
    buffer_free(&source);
    bench_close(&b);
}

static void long_chains_are_flat(void **state)
{
    (void)state;
    struct bench b;
    struct buffer source;
    bench_open(&b);
    buffer_init(&source, SOURCE_BYTES_MAX);
    buffer_printf(&source, "return 0");
    for (int i = 0; i < 50000; i++) {
        buffer_printf(&source, "+1");
    }
    buffer_printf(&source, ";");
    assert_true(bench_run(&b, buffer_text(&source)));
    assert_string_equal(bench_result(&b), "50000");
    buffer_free(&source);
    bench_close(&b);
}

// ---- converting ---------------------------------------------------------------------------------

static const char *converted(struct bench *b, struct value v, const char *type)
{
    if (!lang_convert(&b->heap, v, view_of(type), &b->result, &b->fail)) {
        return b->fail.text;
    }
    return bench_result(b);
}

static void values_take_declared_types(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_string_equal(converted(&b, value_number(5), "String"), "5");
    assert_int_equal(b.result.type, VALUE_TEXT);
    assert_string_equal(converted(&b, value_text(&b.heap, VIEW(" 7 ")), "int"), "7");
    assert_int_equal(b.result.type, VALUE_NUMBER);
    assert_string_equal(converted(&b, value_decimal(3.0), "bigint"), "3");
    assert_string_equal(converted(&b, value_text(&b.heap, VIEW("1.25")), "float"), "1.25");
    assert_int_equal(b.result.type, VALUE_DECIMAL);
    assert_string_equal(converted(&b, value_text(&b.heap, VIEW("[1,\"b\"]")), "List"), "[1,\"b\"]");
    assert_int_equal(b.result.type, VALUE_LIST);
    assert_string_equal(converted(&b, value_text(&b.heap, VIEW("{a:1}")), "KEY-VALUE"), "{\"a\":1}");
    assert_string_equal(converted(&b, value_text(&b.heap, VIEW("True")), "bool"), "true");
    assert_string_equal(converted(&b, value_number(0), "timestamp"), "01-Jan-1970 00:00:00");
    assert_string_equal(converted(&b, value_number(5), "CRM Record"), "5");
    bench_close(&b);
}

static void values_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_string_equal(converted(&b, value_decimal(2.5), "int"), "Mismatch of data type expression. Expected BIGINT but found DECIMAL");
    assert_string_equal(converted(&b, value_decimal(1e19), "int"), "Mismatch of data type expression. Expected BIGINT but found DECIMAL");
    assert_string_equal(converted(&b, value_text(&b.heap, VIEW("")), "int"),
                        "Mismatch of data type expression. Expected BIGINT but found STRING");
    assert_string_equal(converted(&b, value_bool(true), "float"), "Mismatch of data type expression. Expected DECIMAL but found BOOLEAN");
    assert_string_equal(converted(&b, value_text(&b.heap, VIEW("x")), "map"), "'x' can not be cast to 'MAP'");
    assert_string_equal(converted(&b, value_number(1), "list"), "'1' can not be cast to 'LIST'");
    assert_string_equal(converted(&b, value_text(&b.heap, VIEW("soon")), "date"), "UnParsable date");
    assert_string_equal(converted(&b, value_text(&b.heap, VIEW("x")), "file"),
                        "Mismatch of data type expression. Expected FILE but found STRING");
    bench_close(&b);
}

static void null_stays_null_but_for_text_and_numbers(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_string_equal(converted(&b, value_null(), "string"), "");
    assert_string_equal(converted(&b, value_null(), "map"), "null");
    assert_string_equal(converted(&b, value_null(), "date"), "null");
    assert_string_equal(converted(&b, value_null(), "int"), "Mismatch of data type expression. Expected BIGINT but found STRING");
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_told),
        cmocka_unit_test(body_takes_name_from_its_options),
        cmocka_unit_test(body_that_returns_a_value_is_a_string_function),
        cmocka_unit_test(body_takes_declared_arguments),
        cmocka_unit_test(file_of_several_functions_keeps_their_order),
        cmocka_unit_test(first_error_has_file_line_and_column),
        cmocka_unit_test(thousands_of_variables_are_no_problem),
        cmocka_unit_test(too_many_variables_are_refused),
        cmocka_unit_test(many_constants_are_no_problem),
        cmocka_unit_test(finally_in_finally_does_not_explode),
        cmocka_unit_test(nesting_at_the_limit_compiles_and_runs),
        cmocka_unit_test(nesting_beyond_the_limit_is_refused),
        cmocka_unit_test(long_chains_are_flat),
        cmocka_unit_test(values_take_declared_types),
        cmocka_unit_test(values_that_do_not_fit_are_refused),
        cmocka_unit_test(null_stays_null_but_for_text_and_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
