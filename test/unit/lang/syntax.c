// SPDX-License-Identifier: Apache-2.0
//
// What the parser accepts and how it refuses (spec/deluge-language.md §2, §5, §8.1, §10, §11).
#include "findings.h"

#define IMPROPER "Improper Statement Error might be due to missing ';' at end of the line or incomplete expression"

static void question_mark_is_no_operator(void **state)
{
    (void)state;
    refuses("x = 1;\ny = x ? 1 : 2;", "2:7 error: Unexpected token found '?'");
}

static void missing_brace_at_the_end(void **state)
{
    (void)state;
    refuses("if(1 == 1) { info \"a\"; ", "1:24 error: Expecting '}' but found '<EOF>'");
}

static void missing_brace_before_the_next_function(void **state)
{
    (void)state;
    refuses("void f() { x = 1;\nvoid g() { x = 2; }", "2:1 error: Expecting '}' but found 'void'");
}

static void open_comment(void **state)
{
    (void)state;
    refuses("x = 1; /* open", "1:8 error: Comment Task is not closed properly");
}

static void open_text(void **state)
{
    (void)state;
    refuses("x = \"abc;\n", "1:5 error: " IMPROPER);
}

static void missing_semicolon_before_a_line_break(void **state)
{
    (void)state;
    warns("a = \"x\"\nb = 1;", "1:8 warning: " IMPROPER);
    refuses_strictly("a = \"x\"\nb = 1;", "1:8 error: " IMPROPER);
}

static void missing_semicolon_within_a_line(void **state)
{
    (void)state;
    refuses("a = \"x\" b = 1;", "1:9 error: " IMPROPER);
}

static void no_semicolon_behind_a_bracket_block(void **state)
{
    (void)state;
    accepts("sendmail\n[\n from : \"a\"\n to: \"b\", \"c\"\n Subject : \"s\"\n message:\"m\"\n reply to: \"r\"\n Content Type: HTML\n]\nx "
            "= 1;");
}

static void incomplete_expression(void **state)
{
    (void)state;
    refuses("y = ;", "1:5 error: " IMPROPER);
}

static void argument_list_not_closed(void **state)
{
    (void)state;
    refuses("z = toString(1;", "1:15 error: Syntax error. Expecting ')' or ','. Found ';'.");
}

static void several_errors_are_found(void **state)
{
    (void)state;
    assert_false(compile_text("x = ;\ny = 1;\nz = );\n", false));
    assert_int_equal(found.list.errors, 2);
    assert_string_equal(finding(1), "3:5 error: Unexpected token found ')'");
}

static void columns_are_utf16_units(void **state)
{
    (void)state;
    refuses("\xEF\xBB\xBFx = \"\xC3\xA9\xF0\x9F\x98\x80\" ? 1;", "1:11 error: Unexpected token found '?'"); // BOM not counted
}

static void foreign_blanks_and_line_ends(void **state)
{
    (void)state;
    accepts("x\xC2\xA0=\xE2\x80\x8B 1;\r\ny = 2;\rz = x + y;\r\n");
}

static void source_must_be_utf8(void **state)
{
    (void)state;
    refuses("a = 1;\n  \xFF", "2:3 error: The source is not valid UTF-8 here");
}

static void source_holds_no_nul(void **state)
{
    (void)state;
    assert_false(compile_view((struct view){"a = 1;\0", 7}, (struct lang_options){0}));
    assert_string_equal(finding(0), "1:7 error: The source holds a NUL byte here");
}

// `prefix` n times, then `middle`, then `suffix` n times.
static bool compile_nested(const char *start, const char *prefix, const char *middle, const char *suffix, int n)
{
    struct buffer text;
    buffer_init(&text, SOURCE_BYTES_MAX);
    buffer_add(&text, view_of(start));
    for (int i = 0; i < n; i++) {
        buffer_add(&text, view_of(prefix));
    }
    buffer_add(&text, view_of(middle));
    for (int i = 0; i < n; i++) {
        buffer_add(&text, view_of(suffix));
    }
    bool done = compile_view(buffer_view(&text), (struct lang_options){0});
    buffer_free(&text);
    return done;
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    assert_true(compile_nested("x = ", "(", "1", ")", 200));
    assert_false(compile_nested("x = ", "(", "1", ")", 201));
    assert_string_equal(finding(0), "1:205 error: Brackets and blocks nest more than 200 levels deep here");
    assert_false(compile_nested("", "if(true) ", ";", "", 201));
    assert_false(compile_nested("", "{", "", "}", 201));
    assert_false(compile_nested("x = ", "!", "true", "", 201));
}

static void chains_have_no_limit(void **state)
{
    (void)state;
    assert_true(compile_nested("a = 1; x = a", "+a", "", "", 50000));
    assert_true(compile_nested("a = 1; if(a == 1) {}", "else if(a == 2) { b = 1; }", "", "", 5000));
    assert_true(compile_nested("x = \"a\"", ".toString()", "", "", 20000));
}

static void words_are_variables(void **state)
{
    (void)state;
    accepts("info = 1; info info; index = 2; each = 3; url = 4; from = 5; in = 6; is = 7; type = 8; list = List(); map = Map();"
            "update = 9; info update; input = 1; info input;");
}

static void keywords_have_no_case(void **state)
{
    (void)state;
    accepts("IF(TRUE) { Info NULL; } Else If(False) { x = MAP(); } ELSE { For Each Index i In {1} { Continue; } }");
}

static void loops_take_an_index_variable_named_index(void **state)
{
    (void)state;
    accepts("for each index in {1} { info index; } for each index index in {1} { info index; }");
}

static void braces_may_be_left_out(void **state)
{
    (void)state;
    accepts("a = 1; if(a == 1) info 1; else if(a == 2) info 2; else info 3; for each x in {1} info x;");
}

static void a_single_equals_sign_compares(void **state)
{
    (void)state;
    warns("a = 1;\nif(a = 1) { info 1; }", "2:6 warning: = in a condition compares, as == does");
    compile_text("a = 1; if(a == 1 && a = 2 || !(a = 3)) { info 1; }", false);
    assert_int_equal(found.list.count, 2);
}

static void a_dot_behind_digits_may_be_a_method(void **state)
{
    (void)state;
    accepts("info 2434.toString(\"0000\") + 5. + .5 + 218.5.toString();");
}

static void quotes_and_backslashes(void **state)
{
    (void)state;
    accepts("a = '\\' + \"\\\",\\\"\" + 'it\\'s' + \"\\d+\" + 'a\"b' + \"raw\nbreak\";");
}

static void trailing_commas_and_both_list_brackets(void **state)
{
    (void)state;
    accepts("a = {1, 2,}; b = [1, 2,]; c = {\"k\": {}, (\"l\"): [],}; d = List:Int({1}); e = Collection(\"k\": 1);");
}

static void mixed_keys(void **state)
{
    (void)state;
    refuses("a = {1, \"k\": 2};", "1:12 error: Either all elements have a key here or none");
}

static void creator_is_refused_by_name(void **state)
{
    (void)state;
    refuses("for each record r in F[ID != 0] sort by X desc { info 1; }",
            "1:10 error: 'for each record' belongs to Zoho Creator and is not supported for this function");
    refuses("insert into F\n[\n A = 1\n B = 2\n];",
            "1:1 error: 'insert into' belongs to Zoho Creator and is not supported for this function");
    refuses("delete from F[ID == 1];", "1:1 error: 'delete' belongs to Zoho Creator and is not supported for this function");
    refuses("x = F[ID == 1].count();", "1:5 error: 'F[…]' belongs to Zoho Creator and is not supported for this function");
    refuses("r = Map(); r.Name = 1;", "1:12 error: 'r.Name' belongs to Zoho Creator and is not supported for this function");
    refuses("alert \"x\";", "1:1 error: 'alert' belongs to Zoho Creator and is not supported for this function");
    refuses("cancel submit;", "1:1 error: 'cancel' belongs to Zoho Creator and is not supported for this function");
}

static void after_a_creator_statement_the_rest_is_read(void **state)
{
    (void)state;
    assert_false(compile_text("hide a, b;\ninsert into F [ A = 1 ];\nx = 1;\n", false));
    assert_int_equal(found.list.errors, 2);
}

static void only_variables_and_input_are_assigned_to(void **state)
{
    (void)state;
    refuses("toString(1) = 2;", "1:1 error: 'toString(1)' cannot be assigned to");
    accepts("input.x = 2;");
}

static void jumps_stand_in_loops(void **state)
{
    (void)state;
    refuses("break;", "1:1 error: 'break' stands outside a loop");
}

static void while_is_an_extension(void **state)
{
    (void)state;
    refuses_strictly("while(true) { break; }", "1:1 error: 'while' is not part of Deluge in Zoho CRM");
}

static void files_of_several_functions(void **state)
{
    (void)state;
    accepts("// first\nstring ns.f(String a, list:int b)\n{\n return a;\n}\n/* second */ void g() { }\n;\nmap h() { return {}; }");
    assert_int_equal(unit_function_count(found.unit), 3);
    struct lang_function_info info = lang_function_info(unit_function(found.unit, 0));
    assert_true(view_eq(info.name, VIEW("ns.f")));
    assert_int_equal(info.parameter_count, 2);
    assert_true(view_eq(info.parameters[1].type, VIEW("list:int")));
}

static void names_are_taken_once(void **state)
{
    (void)state;
    refuses("void ns.f() { }\nvoid NS__F() { }", "2:6 error: The function 'NS__F' is defined twice in this file");
    refuses("void f(int a, string a) { }", "1:22 error: The parameter 'a' is declared twice");
}

static void statements_beside_functions(void **state)
{
    (void)state;
    warns("int f(int a) { return a; }\nx = f(1);", "2:1 warning: This statement stands outside of a function");
    assert_int_equal(unit_function_count(found.unit), 2);
    assert_false(lang_function_info(unit_function(found.unit, 0)).has_header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(question_mark_is_no_operator),
        cmocka_unit_test(missing_brace_at_the_end),
        cmocka_unit_test(missing_brace_before_the_next_function),
        cmocka_unit_test(open_comment),
        cmocka_unit_test(open_text),
        cmocka_unit_test(missing_semicolon_before_a_line_break),
        cmocka_unit_test(missing_semicolon_within_a_line),
        cmocka_unit_test(no_semicolon_behind_a_bracket_block),
        cmocka_unit_test(incomplete_expression),
        cmocka_unit_test(argument_list_not_closed),
        cmocka_unit_test(several_errors_are_found),
        cmocka_unit_test(columns_are_utf16_units),
        cmocka_unit_test(foreign_blanks_and_line_ends),
        cmocka_unit_test(source_must_be_utf8),
        cmocka_unit_test(source_holds_no_nul),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(chains_have_no_limit),
        cmocka_unit_test(words_are_variables),
        cmocka_unit_test(keywords_have_no_case),
        cmocka_unit_test(loops_take_an_index_variable_named_index),
        cmocka_unit_test(braces_may_be_left_out),
        cmocka_unit_test(a_single_equals_sign_compares),
        cmocka_unit_test(a_dot_behind_digits_may_be_a_method),
        cmocka_unit_test(quotes_and_backslashes),
        cmocka_unit_test(trailing_commas_and_both_list_brackets),
        cmocka_unit_test(mixed_keys),
        cmocka_unit_test(creator_is_refused_by_name),
        cmocka_unit_test(after_a_creator_statement_the_rest_is_read),
        cmocka_unit_test(only_variables_and_input_are_assigned_to),
        cmocka_unit_test(jumps_stand_in_loops),
        cmocka_unit_test(while_is_an_extension),
        cmocka_unit_test(files_of_several_functions),
        cmocka_unit_test(names_are_taken_once),
        cmocka_unit_test(statements_beside_functions),
    };
    int failed = cmocka_run_group_tests_name("lang/syntax", tests, NULL, NULL);
    findings_close();
    return failed;
}
