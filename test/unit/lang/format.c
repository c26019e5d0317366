// SPDX-License-Identifier: Apache-2.0
//
// The canonical layout, a rule a test (spec/deluge-language.md §5, §9.6). What goes for every script (same code, all comments, formatting
// twice changes nothing) is tested over all scripts of the repository by format_files.c; `formats` looks at the last of these too.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// after the four above
#include <cmocka.h>

#include "lang/lang.h"

#include <stdlib.h>

static struct buffer format(struct view source)
{
    struct buffer out;
    struct fail fail = {0};
    buffer_init(&out, SOURCE_BYTES_MAX);
    if (!lang_format(source, &out, NULL, &fail)) {
        fail_msg("%d:%d: %s", fail.line, fail.column, fail.text);
    }
    return out;
}

static void formats_bytes(struct view source, const char *wanted)
{
    struct buffer once = format(source), twice = format(buffer_view(&once));
    assert_string_equal(buffer_text(&once), wanted);
    assert_string_equal(buffer_text(&twice), wanted);
    buffer_free(&once);
    buffer_free(&twice);
}

static void formats(const char *source, const char *wanted)
{
    formats_bytes(view_of(source), wanted);
}

static void stays(const char *source)
{
    formats(source, source);
}

// ---- statements ---------------------------------------------------------------------------------

static void braces_stand_alone(void **state)
{
    (void)state;
    formats("if ( x==1 ) { y=2; } else if(x == 3) { y = 4; } else { y = 5; }",
            "if(x == 1)\n{\n\ty = 2;\n}\nelse if(x == 3)\n{\n\ty = 4;\n}\nelse\n{\n\ty = 5;\n}\n");
}

static void bodies_get_braces(void **state)
{
    (void)state;
    formats("if(a) if(b) x = 1; else x = 2;", "if(a)\n{\n\tif(b)\n\t{\n\t\tx = 1;\n\t}\n\telse\n\t{\n\t\tx = 2;\n\t}\n}\n");
    formats("for each x in l info x;", "for each  x in l\n{\n\tinfo x;\n}\n");
}

static void loops_as_the_editor_prints_them(void **state)
{
    (void)state;
    formats("for  each x in {1,2} { continue; }", "for each  x in {1,2}\n{\n\tcontinue;\n}\n");
    formats("for each index   i in (l) { break; }", "for each index i in (l)\n{\n\tbreak;\n}\n");
    formats("while ( a<1 ) { a+=1; }", "while(a < 1)\n{\n\ta += 1;\n}\n");
}

static void try_catch_finally(void **state)
{
    (void)state;
    formats("try{ throw \"x\"; }catch(e){ info e; }finally{ a=1; }",
            "try\n{\n\tthrow \"x\";\n}\ncatch (e)\n{\n\tinfo e;\n}\nfinally\n{\n\ta = 1;\n}\n");
    formats("try { a = 1; } catch { a = 2; }", "try\n{\n\ta = 1;\n}\ncatch\n{\n\ta = 2;\n}\n");
}

static void semicolons_are_added_and_empty_statements_go(void **state)
{
    (void)state;
    formats("a = 1\nb = 2;;\n;", "a = 1;\nb = 2;\n");
    formats("if(a) ;", "if(a)\n{\n}\n");
}

static void a_call_before_a_block_is_no_header_afterwards(void **state)
{
    (void)state;
    formats(";\nf(x)\n{ a = 1; }", "f(x);\n{\n\ta = 1;\n}\n");
}

static void one_blank_line_is_kept(void **state)
{
    (void)state;
    formats("\n\na = 1;\n\n\n\nb = 2;\nif(a)\n{\n\n\tb = 3;\n\n}\n\n", "a = 1;\n\nb = 2;\nif(a)\n{\n\tb = 3;\n}\n");
}

static void functions_are_a_blank_line_apart(void **state)
{
    (void)state;
    formats("string ns . f(String a,Map b){ return a; }void g(){}", "string ns.f(String a, Map b)\n{\n\treturn a;\n}\n\nvoid g()\n{\n}\n");
    formats("void f() { } x = 1; void g() { } y = 2;", "void f()\n{\n}\n\nx = 1;\n\nvoid g()\n{\n}\n\ny = 2;\n");
}

// ---- expressions --------------------------------------------------------------------------------

static void blanks_around_operators_only(void **state)
{
    (void)state;
    formats("x=a+b*-c %2;", "x = a + b * -c % 2;\n");
    formats("x = f( a , \"b\" ) . g( ) ;", "x = f(a,\"b\").g();\n");
    formats("m = { \"a\" : 1 , \"b\" : [ 1 , 2 ] } ;", "m = {\"a\":1,\"b\":[1,2]};\n");
    formats("if(! a&&b||c  is  not null || d not in(e)) { }", "if(!a && b || c is not null || d not in (e))\n{\n}\n");
    formats("x = - - y + - 9223372036854775808;", "x = - -y + -9223372036854775808;\n");
    formats("return(a);", "return (a);\n");
}

static void parentheses_stay(void **state)
{
    (void)state;
    stays("x = ((a + b)) + (c);\n");
}

static void literals_stay_to_the_byte(void **state)
{
    (void)state;
    stays("a = 'it\"s' + \"a\\\"b\\q\" + '\\' + 007 + 1.50 + .5 + 5. + '01-Jan-2024';\n");
    stays("a = \"two\r\nlines \n\";\n");
    stays("a = 5. .text(\"0\");\n");
}

static void line_breaks_of_the_author_stay_in_brackets(void **state)
{
    (void)state;
    formats("m = {\n \"a\":1,\n   \"b\" : {\n\"c\" : 2\n} };", "m = {\n\t\"a\":1,\n\t\"b\":{\n\t\t\"c\":2\n\t}};\n");
    formats("if(a &&\nb) { x = c\n.d()\n+ e; }", "if(a &&\n\tb)\n{\n\tx = c\n\t\t.d()\n\t\t+ e;\n}\n");
    formats("x =\n f (\n );", "x = f();\n");
}

static void bracket_blocks_have_an_attribute_a_line(void **state)
{
    (void)state;
    formats("r = invokeurl [ url : \"u\" + x, type:GET ; headers : h detailed:true ] ;",
            "r = invokeurl\n[\n\turl :\"u\" + x\n\ttype :GET\n\theaders:h\n\tdetailed:true\n];\n");
    formats("if(a) { sendmail [ from:a to:b,c\nsubject:\"s\" Attachments : file:x file:f(y) ] }",
            "if(a)\n{\n\tsendmail\n\t[\n\t\tfrom :a\n\t\tto :b,c\n\t\tsubject :\"s\"\n\t\tAttachments:file:x file:f(y)\n\t]\n}\n");
}

static void a_separator_that_an_attribute_needs_stays(void **state)
{
    (void)state;
    formats("r = invokeurl [ url: a, in: b ];", "r = invokeurl\n[\n\turl :a,\n\tin:b\n];\n");
}

// ---- comments -----------------------------------------------------------------------------------

static void comments_keep_their_place(void **state)
{
    (void)state;
    stays("/* head */\n// more\nx = 1; // one\n\n// own\nif(x) // if\n{ // open\n\t// first\n\ty = 2; /* two */\n\n\t// last\n} // close\n"
          "// between\nelse\n{\n\t// alone\n}\n// end\n");
}

static void comments_before_a_semicolon_follow_it(void **state)
{
    (void)state;
    formats("a = 1 // c\n;", "a = 1; // c\n");
    formats("a = 1 /* c */; b = 2 // d\n", "a = 1; /* c */\nb = 2; // d\n");
}

static void comments_of_a_body_go_into_its_braces(void **state)
{
    (void)state;
    formats("if(a) // why\n  // what\n  b = 1; // done\n// after\nc = 2;",
            "if(a) // why\n{\n\t// what\n\tb = 1; // done\n}\n// after\nc = 2;\n");
}

static void comments_inside_expressions(void **state)
{
    (void)state;
    formats("x = f( /* a */ 1,2 /* b */ ) ;", "x = f(/* a */ 1,2 /* b */);\n");
    formats("m = {\n// one\n\"a\":1, // two\n\"b\":2 // three\n};", "m = {\n\t// one\n\t\"a\":1, // two\n\t\"b\":2 // three\n};\n");
}

static void comments_inside_bracket_blocks(void **state)
{
    (void)state;
    formats("r = invokeurl // call\n[ // open\n url:\"u\", // where\n // how\n type:GET\n // end\n];",
            "r = invokeurl // call\n[ // open\n\turl :\"u\" // where\n\t// how\n\ttype :GET\n\t// end\n];\n");
}

static void comments_between_functions(void **state)
{
    (void)state;
    formats("// f\nvoid f()\n{\n} // end of f\n// g\nvoid g()\n{\n}\n", "// f\nvoid f()\n{\n} // end of f\n\n// g\nvoid g()\n{\n}\n");
}

static void blanks_behind_comments_go(void **state)
{
    (void)state;
    formats("a = 1; // c \t\n/* d \n   e */", "a = 1; // c\n/* d\n   e */\n");
}

// ---- files --------------------------------------------------------------------------------------

static void byte_order_mark_and_carriage_returns_go(void **state)
{
    (void)state;
    formats("\xEF\xBB\xBFif(a)\r\n{\r\n/* b\r\nc */\r\n}\r\n", "if(a)\n{\n\t/* b\nc */\n}\n");
}

static void files_without_statements(void **state)
{
    (void)state;
    formats("", "");
    formats(" \n ; ", "");
    formats("// only", "// only\n");
}

static void deep_nesting_has_its_limit(void **state)
{
    (void)state;
    struct buffer source, out;
    struct fail fail = {0};
    buffer_init(&source, SOURCE_BYTES_MAX);
    buffer_init(&out, SOURCE_BYTES_MAX);
    for (int i = 0; i < SOURCE_NESTING_MAX; i++) {
        buffer_add(&source, VIEW("if(a) "));
    }
    buffer_add(&source, VIEW("x = 1;"));
    assert_true(lang_format(buffer_view(&source), &out, NULL, &fail));
    buffer_reset(&source);
    for (int i = 0; i <= SOURCE_NESTING_MAX; i++) {
        buffer_add(&source, VIEW("("));
    }
    assert_false(lang_format(buffer_view(&source), &out, NULL, &fail));
    assert_int_equal(fail.code, FAIL_COMPILE);
    buffer_free(&source);
    buffer_free(&out);
}

static void what_would_grow_too_long_is_refused(void **state)
{
    (void)state;
    struct buffer source, out;
    struct fail fail = {0};
    buffer_init(&source, SOURCE_BYTES_MAX);
    buffer_init(&out, SOURCE_BYTES_MAX);
    for (int i = 0; i < SOURCE_NESTING_MAX; i++) {
        buffer_add(&source, VIEW("{"));
    }
    for (int i = 0; i < 10000; i++) {
        buffer_add(&source, VIEW("a=1;"));
    }
    for (int i = 0; i < SOURCE_NESTING_MAX; i++) {
        buffer_add(&source, VIEW("}"));
    }
    assert_false(lang_format(buffer_view(&source), &out, NULL, &fail));
    assert_int_equal(fail.code, FAIL_LIMIT);
    assert_int_equal(out.len, 0);
    buffer_free(&source);
    buffer_free(&out);
}

static void syntax_errors_are_found_and_nothing_is_written(void **state)
{
    (void)state;
    static struct diagnostics found;
    struct arena texts;
    struct buffer out;
    struct fail fail = {0};
    arena_init(&texts, 1 << 20);
    found = (struct diagnostics){.arena = &texts};
    buffer_init(&out, SOURCE_BYTES_MAX);
    assert_false(lang_format(VIEW("a = 1;\nb = = 2;\nc = ?;\n"), &out, &found, &fail));
    assert_int_equal(fail.code, FAIL_COMPILE);
    assert_int_equal(fail.line, 2);
    assert_int_equal(found.errors, 2);
    assert_int_equal(out.len, 0);
    buffer_free(&out);
    arena_free(&texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(braces_stand_alone),
        cmocka_unit_test(bodies_get_braces),
        cmocka_unit_test(loops_as_the_editor_prints_them),
        cmocka_unit_test(try_catch_finally),
        cmocka_unit_test(semicolons_are_added_and_empty_statements_go),
        cmocka_unit_test(a_call_before_a_block_is_no_header_afterwards),
        cmocka_unit_test(one_blank_line_is_kept),
        cmocka_unit_test(functions_are_a_blank_line_apart),
        cmocka_unit_test(blanks_around_operators_only),
        cmocka_unit_test(parentheses_stay),
        cmocka_unit_test(literals_stay_to_the_byte),
        cmocka_unit_test(line_breaks_of_the_author_stay_in_brackets),
        cmocka_unit_test(bracket_blocks_have_an_attribute_a_line),
        cmocka_unit_test(a_separator_that_an_attribute_needs_stays),
        cmocka_unit_test(comments_keep_their_place),
        cmocka_unit_test(comments_before_a_semicolon_follow_it),
        cmocka_unit_test(comments_of_a_body_go_into_its_braces),
        cmocka_unit_test(comments_inside_expressions),
        cmocka_unit_test(comments_inside_bracket_blocks),
        cmocka_unit_test(comments_between_functions),
        cmocka_unit_test(blanks_behind_comments_go),
        cmocka_unit_test(byte_order_mark_and_carriage_returns_go),
        cmocka_unit_test(files_without_statements),
        cmocka_unit_test(deep_nesting_has_its_limit),
        cmocka_unit_test(what_would_grow_too_long_is_refused),
        cmocka_unit_test(syntax_errors_are_found_and_nothing_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
