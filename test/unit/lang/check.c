// SPDX-License-Identifier: Apache-2.0
//
// What the checker finds in a script that parses (spec/deluge-language.md §8.1, §9.4; PRODUCT.md, language decisions).
#include "findings.h"

static void undefined_variable_in_a_function(void **state)
{
    (void)state;
    refuses("void f(int a) { c = a + b; }", "1:25 error: Variable 'b' is not defined");
    refuses("void f() { info lead.get(\"x\"); }", "1:17 error: Variable 'lead' is not defined");
}

static void undefined_variable_is_said_once(void **state)
{
    (void)state;
    compile_text("void f() { info b; info b + b; info c; }", false);
    assert_int_equal(found.list.errors, 2);
}

static void names_of_a_body_are_its_parameters(void **state)
{
    (void)state;
    accepts("c = a + b.get(\"x\"); info input.d; info crmAPIRequest;");
    struct lang_function_info info = lang_function_info(unit_function(found.unit, 0));
    assert_int_equal(info.parameter_count, 2);
    assert_true(view_eq(info.parameters[0].name, VIEW("a")));
    assert_true(view_eq(info.parameters[1].name, VIEW("b")));
    assert_true(info.reads_request_v2);
    assert_false(info.reads_request_v1);
}

static void declared_arguments_of_a_body_are_all(void **state)
{
    (void)state;
    const struct lang_parameter declared[] = {{VIEW("a"), VIEW("string")}};
    struct lang_options options = {.parameters = declared, .parameter_count = 1};
    assert_true(compile_view(VIEW("info a;"), options));
    assert_false(compile_view(VIEW("info a + b;"), options));
    assert_string_equal(finding(0), "1:10 error: Variable 'b' is not defined");
}

static void one_scope_a_function(void **state)
{
    (void)state;
    accepts("void f() { if(true) { x = 1; } info x; for each y in {1} { } info y; try { z = 1; } catch (e) { } info z; info e.message; }");
}

static void a_value_that_comes_later(void **state)
{
    (void)state;
    warns("void f() { info x; x = 1; }", "1:17 warning: Variable 'x' is not defined");
    refuses_strictly("void f() { info x; x = 1; }", "1:17 error: Variable 'x' is not defined");
}

static void a_system_variable_until_it_is_assigned(void **state)
{
    (void)state;
    accepts("void f() { today = today.toString(); info today; info zoho.currentdate.toString(); }");
}

static void variables_have_case(void **state)
{
    (void)state;
    refuses("void f() { Lead = 1; info lead; }", "1:27 error: Variable 'lead' is not defined");
    assert_true(view_eq(found.list.items[0].hint, VIEW("Did you mean 'Lead'?")));
}

static void unknown_function(void **state)
{
    (void)state;
    refuses("x = lenght(\"a\");", "1:5 error: Not able to find 'lenght' function");
    assert_true(view_eq(found.list.items[0].hint, VIEW("Did you mean 'length'?")));
    refuses("x = \"a\".lenght();", "1:9 error: Not able to find 'lenght' function");
    refuses("x = zoho.crm.getRecordByld(\"a\",1);", "1:5 error: Not able to find 'zoho.crm.getRecordByld' function");
}

static void functions_elsewhere_are_found_when_it_runs(void **state)
{
    (void)state;
    accepts("void ns.f() { x = standalone.g(1); y = other.h(x); z = ns.get(y); thisapp.a.b(z); u = ns__w(1); }");
}

static void tasks_of_other_services_compile(void **state)
{
    (void)state;
    warns("x = zoho.desk.create(1);", "1:5 warning: 'zoho.desk.create' is a task of another Zoho service; the call fails when it runs");
}

static void versions_of_crm_tasks(void **state)
{
    (void)state;
    accepts("x = zoho.crm.v8.getRecordById(\"Leads\", 1);");
}

static void argument_counts(void **state)
{
    (void)state;
    refuses("m = Map(); m.put(\"a\");", "1:14 error: No. of arguments mismatches for the function put");
    refuses("x = \"a\".toString(1, 2);", "1:9 error: No. of arguments mismatches for the function toString");
    refuses("x = length(1, 2);", "1:5 error: No. of arguments mismatches for the function length");
    refuses("int f(int a) { return a; } void g() { x = f(1, 2); }", "1:43 error: No. of arguments mismatches for the function f");
    accepts("x = toString(1) + 1.toString(\"0\") + length(\"a\");");
}

static void the_place_of_a_method(void **state)
{
    (void)state;
    refuses("m = Map();\nx = m\n  .nope();", "3:4 error: Not able to find 'nope' function");
}

static void a_variable_may_share_a_native_name(void **state)
{
    (void)state;
    accepts("length = \"abc\"; n = length(length); length = n; info length;");
}

static void missing_return(void **state)
{
    (void)state;
    refuses("string f() { x = 1; }", "1:8 error: Missing return statement: Provide STRING expression to return");
    refuses("int f(int a) { if(a == 1) { return 1; } }", "1:5 error: Missing return statement: Provide BIGINT expression to return");
    refuses("string f() { try { return \"a\"; } catch (e) { info e; } }",
            "1:8 error: Missing return statement: Provide STRING expression to return");
}

static void returns_on_all_ways(void **state)
{
    (void)state;
    accepts("string f() { try { return \"a\"; } catch (e) { return \"b\"; } }");
    accepts("string f(int a) { if(a == 1) { return \"a\"; } else if(a == 2) { throw \"b\"; } else { return \"c\"; } }");
    compile_text("string f() { while(true) { x = 1; } }", false);
    assert_int_equal(found.list.errors, 0);
    compile_text("string f() { while(true) { if(true) { break; } } }", false);
    assert_int_equal(found.list.errors, 1);
}

static void return_type_of_a_header(void **state)
{
    (void)state;
    refuses("strin f() { return 1; }", "1:7 error: Invalid return Type");
}

static void statements_behind_a_return(void **state)
{
    (void)state;
    warns("return 1;\ninfo 2;", "2:1 warning: This statement is never reached");
}

static void compared_types(void **state)
{
    (void)state;
    const char *text = "left expression is of type TEXT and right expression is of type NUMBER and the operator == is not valid";
    char expected[200];
    snprintf(expected, sizeof expected, "1:5 error: In Criteria %s", text);
    refuses_strictly("x = \"5\" == 5;", expected);
    snprintf(expected, sizeof expected, "1:5 warning: In Criteria %s", text);
    warns("x = \"5\" == 5;", expected);
}

static void types_that_are_not_certain(void **state)
{
    (void)state;
    accepts(
        "m = {\"a\":1}; if(m.get(\"a\") == 1) { info 1; } x = null; if(x == 1) { x = \"a\"; } y = 1; y = \"b\"; if(y == 2) { info y; }");
    accepts("void f(String a, Map b) { info a == 1; info b - 1; }");
}

static void a_date_plus_a_number(void **state)
{
    (void)state;
    refuses_strictly("x = '01-Jan-2024' + 1;",
                     "1:5 error: Left expression is of type TIMESTAMP and right expression is of type BIGINT and operator + is not valid");
}

static void mail_needs_its_attributes(void **state)
{
    (void)state;
    refuses("sendmail [ to: \"a\" subject: \"s\" message: \"m\" ];", "1:1 error: 'FROM' message is missing for sendmail task");
}

static void body_and_parameters_exclude_each_other(void **state)
{
    (void)state;
    refuses("x = invokeurl [ url: \"a\" type: post body: 1 parameters: 2 ];",
            "1:5 error: body and parameters cannot both be given to invokeurl");
}

static void results_of_own_functions(void **state)
{
    (void)state;
    refuses_strictly("void g() { } void f() { x = g(); }", "1:29 error: g function cant be assigned to variable or used in expression");
    refuses_strictly("int g() { return 1; } void f() { g(); }", "1:34 error: g function needs to be assigned to a variable");
}

static void an_error_is_kept_behind_many_warnings(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, SOURCE_BYTES_MAX);
    for (int i = 0; i < 2 * DIAGNOSTICS_MAX; i++) {
        buffer_add(&text, VIEW("x = 1\n"));
    }
    buffer_add(&text, VIEW("y = ;"));
    assert_false(compile_view(buffer_view(&text), (struct lang_options){0}));
    assert_int_equal(found.list.count, DIAGNOSTICS_MAX);
    assert_int_equal(found.list.items[DIAGNOSTICS_MAX - 1].level, DIAGNOSTIC_ERROR);
    assert_int_equal(found.fail.line, 2 * DIAGNOSTICS_MAX + 1);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undefined_variable_in_a_function),
        cmocka_unit_test(undefined_variable_is_said_once),
        cmocka_unit_test(names_of_a_body_are_its_parameters),
        cmocka_unit_test(declared_arguments_of_a_body_are_all),
        cmocka_unit_test(one_scope_a_function),
        cmocka_unit_test(a_value_that_comes_later),
        cmocka_unit_test(a_system_variable_until_it_is_assigned),
        cmocka_unit_test(variables_have_case),
        cmocka_unit_test(unknown_function),
        cmocka_unit_test(functions_elsewhere_are_found_when_it_runs),
        cmocka_unit_test(tasks_of_other_services_compile),
        cmocka_unit_test(versions_of_crm_tasks),
        cmocka_unit_test(argument_counts),
        cmocka_unit_test(the_place_of_a_method),
        cmocka_unit_test(a_variable_may_share_a_native_name),
        cmocka_unit_test(missing_return),
        cmocka_unit_test(returns_on_all_ways),
        cmocka_unit_test(return_type_of_a_header),
        cmocka_unit_test(statements_behind_a_return),
        cmocka_unit_test(compared_types),
        cmocka_unit_test(types_that_are_not_certain),
        cmocka_unit_test(a_date_plus_a_number),
        cmocka_unit_test(mail_needs_its_attributes),
        cmocka_unit_test(body_and_parameters_exclude_each_other),
        cmocka_unit_test(results_of_own_functions),
        cmocka_unit_test(an_error_is_kept_behind_many_warnings),
    };
    int failed = cmocka_run_group_tests_name("lang/check", tests, NULL, NULL);
    findings_close();
    return failed;
}
