// SPDX-License-Identifier: Apache-2.0
//
// The VM as its embedder sees it: giving way, ending a run from outside, functions of other units, roots for the collector, where errors
// are said to be. What scripts compute is tested by test/lang.
#include "support.h"

static void run_logs_lines_with_their_numbers(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_true(bench_run(&b, "info 1;\n\ninfo {\"a\":2};"));
    assert_string_equal(bench_log(&b), "1: 1\n3: {\"a\":2}\n");
    bench_close(&b);
}

static void loop_gives_way_after_each_slice(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_true(bench_run(&b, "i = 0; while(i < 10000) { i = i + 1; } return i;"));
    assert_string_equal(bench_result(&b), "10000");
#if !defined(SLUICE_HOSTILE) // which gives way everywhere
    assert_in_range(b.gives, 20, 100); // 10,000 passes of about five instructions, slices of 1,000
#endif
    bench_close(&b);
}

static void straight_code_gives_way_when_natives_are_costly(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_true(bench_run(&b, "costly(); costly(); costly();"));
    assert_in_range(b.gives, 3, 4);
    bench_close(&b);
}

static void recursion_without_loops_gives_way(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_true(bench_run(&b, "int t.main() { return t.f(12); }\n"
                              "int t.f(int n) { if(n < 2) { return 1; } return t.f(n - 1) + t.f(n - 2); }"));
    assert_true(b.gives > 2);
    bench_close(&b);
}

static void host_ends_the_run_and_no_catch_sees_it(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.give_refused_at = 3;
    assert_false(bench_run(&b, "try {\nwhile(true) {\nx = 1;\n}\n} catch (e) { info \"caught\"; } finally { info \"finally\"; }"));
    assert_int_equal(b.fail.code, FAIL_CANCELLED);
    assert_string_equal(b.fail.text, "the host said no");
    assert_string_equal(b.fail.file, "test.dg");
    assert_in_range(b.fail.line, 2, 4);
    assert_string_equal(bench_log(&b), "");
    bench_close(&b);
}

static void host_ends_the_run_at_a_call(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.limits.slice = 5;
    b.give_refused_at = 1;
    assert_false(bench_run(&b, "void t.main() {\nt.f();\n}\nvoid t.f() {\nt.g();\n}\nvoid t.g() {\nx = 1;\n}"));
    assert_string_equal(b.fail.text, "the host said no");
    assert_string_equal(bench_result(&b), "null");
    bench_close(&b);
}

static void interrupt_without_give_way_cancels(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.host.give_way = NULL;
    b.interrupt = 1;
    assert_false(bench_run(&b, "try { while(true) { x = 1; } } catch (e) { }"));
    assert_int_equal(b.fail.code, FAIL_CANCELLED);
    bench_close(&b);
}

static void interrupted_native_gives_the_hosts_reason(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.give_refused_at = 1;
    assert_false(bench_run(&b, "try { interrupted(); } catch (e) { info e; }"));
    assert_string_equal(b.fail.text, "the host said no");
    assert_string_equal(bench_log(&b), "");
    bench_close(&b);
}

static void native_that_fails_without_a_word_has_zohos_text(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_false(bench_run(&b, "x = 1;\nspeechless();"));
    assert_int_equal(b.fail.code, FAIL_SCRIPT);
    assert_string_equal(b.fail.text, "An error occurred while performing this action");
    assert_int_equal(b.fail.line, 2);
    bench_close(&b);
}

static void vm_can_be_called_again_after_a_failure(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_false(bench_run(&b, "x = 1 / 0;"));
    const struct lang_function *f = bench_compile(&b, "again.dg", "return 5;");
    assert_true(vm_call(b.vm, f, NULL, 0, &b.result, &b.fail));
    assert_int_equal(b.fail.code, FAIL_NONE);
    assert_string_equal(bench_result(&b), "5");
    assert_int_equal(vm_statements(b.vm), 2); // of both calls
    bench_close(&b);
}

// ---- functions of other units -------------------------------------------------------------------

static const struct lang_function *find_second(void *user, struct view name)
{
    struct bench *b = user;
    return view_eq(name, VIEW("standalone.other")) ? unit_function(b->units[0], 0) : NULL;
}

static void stored_function_runs_with_its_own_constants(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_compile(&b, "other.dg", "string standalone.other(int n) { return \"other \" + (n + 1000); }");
    b.host.find_function = find_second;
    assert_true(bench_run(&b, "a = \"mine\"; b = standalone.other(\"5\"); info a + \" \" + b + \" \" + 7;"));
    assert_string_equal(bench_log(&b), "1: mine other 1005 7\n");
    bench_close(&b);
}

static void error_in_a_stored_function_names_its_file(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_compile(&b, "other.dg", "string standalone.other(string s)\n{\n\tx = 1 / 0;\n\treturn s;\n}");
    b.host.find_function = find_second;
    assert_false(bench_run(&b, "info 1;\nb = standalone.other(2);"));
    assert_string_equal(b.fail.file, "other.dg");
    assert_int_equal(b.fail.line, 3);
    struct view name = vm_current_function(b.vm);
    assert_true(view_eq(name, VIEW("standalone.other")));
    bench_close(&b);
}

static void stored_function_with_too_few_arguments_fails(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_compile(&b, "other.dg", "string standalone.other(int a, int b) { return a; }");
    b.host.find_function = find_second;
    assert_false(bench_run(&b, "b = standalone.other(2);"));
    assert_string_equal(b.fail.text, "Number of Arguments mismatches for the function standalone.other");
    bench_close(&b);
}

static void unknown_stored_function_is_catchable(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.host.find_function = find_second;
    assert_true(bench_run(&b, "try { x = standalone.nobody(); } catch (e) { info e.message; }"));
    assert_string_equal(bench_log(&b), "1: Not able to find 'standalone.nobody' function\n");
    bench_close(&b);
}

// ---- what the host hands in ---------------------------------------------------------------------

static void bound_names_replace_arguments(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    const struct lang_function *f = bench_compile(&b, "f.dg", "string t.f(string crmAPIRequest, string x) { return crmAPIRequest + x; }");
    struct vm *vm = vm_new(&b.heap, &b.host, &b.limits);
    assert_true(vm_bind(vm, VIEW("crmAPIRequest"), value_text(&b.heap, VIEW("bound "))));
    struct value args[2] = {value_text(&b.heap, VIEW("passed")), value_number(3)};
    assert_true(vm_call(vm, f, args, 2, &b.result, &b.fail));
    assert_string_equal(bench_result(&b), "bound 3");
    bench_close(&b);
}

static void missing_arguments_are_null(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    const struct lang_function *f = bench_compile(&b, "f.dg", "string t.f(int a, string b) { return isNull(a) + \"\" + isNull(b); }");
    struct vm *vm = vm_new(&b.heap, &b.host, &b.limits);
    assert_true(vm_call(vm, f, NULL, 0, &b.result, &b.fail));
    assert_string_equal(bench_result(&b), "truetrue");
    bench_close(&b);
}

static void argument_that_cannot_be_converted_is_named(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    const struct lang_function *f = bench_compile(&b, "f.dg", "\nint t.f(int amount) { return amount; }");
    struct vm *vm = vm_new(&b.heap, &b.host, &b.limits);
    struct value arg = value_text(&b.heap, VIEW("many"));
    assert_false(vm_call(vm, f, &arg, 1, &b.result, &b.fail));
    assert_int_equal(b.fail.code, FAIL_SCRIPT);
    assert_string_equal(b.fail.text, "Mismatch of data type expression. Expected BIGINT but found STRING (parameter 'amount')");
    assert_string_equal(b.fail.file, "f.dg");
    assert_int_equal(b.fail.line, 2);
    bench_close(&b);
}

static void constants_do_not_change_from_run_to_run(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    const struct lang_function *f = bench_compile(&b, "f.dg", "s = \"base\"; s = s + \"more\"; l = {\"a\"}; return s + l + size(l);");
    for (int i = 0; i < 3; i++) {
        struct vm *vm = vm_new(&b.heap, &b.host, &b.limits);
        assert_true(vm_call(vm, f, NULL, 0, &b.result, &b.fail));
        assert_string_equal(bench_result(&b), "basemorea1");
    }
    bench_close(&b);
}

static void too_little_memory_for_a_vm_gives_none(void **state)
{
    (void)state;
    struct heap heap;
    struct lang_limits limits = {1, 1, 1};
    heap_init(&heap, 100, NULL);
    assert_null(vm_new(&heap, NULL, &limits));
    heap_free(&heap);
}

static void deep_stack_keeps_the_callers_variables(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    // 60 levels of 40 variables: the stack is copied several times
    assert_true(bench_run(&b, "string t.main() { return t.f(60); }\n"
                              "string t.f(int n) {\n"
                              "a = n; b = a + 1; c = b + 1; d = c + 1; e = d + 1; f = e + 1; g = f + 1; h = g + 1;\n"
                              "if(n > 0) { r = t.f(n - 1); }\n"
                              "if(a != n || h != n + 7) { return \"lost\"; }\n"
                              "return a + h;\n"
                              "}"));
    assert_string_equal(bench_result(&b), "127");
    bench_close(&b);
}

// ---- roots --------------------------------------------------------------------------------------

struct roots {
    struct buffer texts;
};

static void collect_root(void *arg, struct value *value)
{
    struct roots *roots = arg;
    if (value->type == VALUE_TEXT) {
        buffer_printf(&roots->texts, "[%.*s]", VIEW_ARGS(value_view(*value)));
    }
    if (value->type == VALUE_LIST && value->list->count > 0 && value->list->items[0].type == VALUE_TEXT) {
        buffer_printf(&roots->texts, "{%.*s}", VIEW_ARGS(value_view(value->list->items[0])));
    }
}

static struct roots found_roots;

static void collect_roots(struct bench *b)
{
    buffer_reset(&found_roots.texts);
    vm_walk_roots(b->vm, collect_root, &found_roots);
}

static void roots_are_those_of_all_frames_and_bindings(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    buffer_init(&found_roots.texts, BENCH_LOG_BYTES);
    const struct lang_function *f =
        bench_compile(&b, "f.dg",
                      "void t.main() { a = \"outer\" + 1; l = {\"listed\" + 2}; for each x in {\"looped\"} { t.f(\"argument\" + 3); } }\n"
                      "void t.f(string p) { c = \"inner\" + 4; costly(); }");
    b.vm = vm_new(&b.heap, &b.host, &b.limits);
    b.on_give = collect_roots;
    assert_true(vm_bind(b.vm, VIEW("input"), value_text(&b.heap, VIEW("bound"))));
    assert_true(vm_call(b.vm, f, NULL, 0, &b.result, &b.fail));
    const char *texts = buffer_text(&found_roots.texts);
    static const char *const wanted[] = {"[outer1]", "{listed2}", "[looped]", "{looped}", "[argument3]", "[inner4]", "[bound]"};
    for (size_t i = 0; i < BASE_COUNT(wanted); i++) {
        if (strstr(texts, wanted[i]) == NULL) {
            fail_msg("%s is not among %s", wanted[i], texts);
        }
    }
    buffer_free(&found_roots.texts);
    bench_close(&b);
}

static void replace_root(void *arg, struct value *value)
{
    if (value->type == VALUE_TEXT && view_eq(value_view(*value), VIEW("old1"))) {
        *value = *(struct value *)arg;
    }
}

static void replace_roots(struct bench *b)
{
    struct value replacement = value_text(&b->heap, VIEW("new"));
    vm_walk_roots(b->vm, replace_root, &replacement);
}

static void roots_may_be_replaced(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.on_give = replace_roots;
    assert_true(bench_run(&b, "a = \"old\" + 1; costly(); return a;"));
    assert_string_equal(bench_result(&b), "new");
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_logs_lines_with_their_numbers),
        cmocka_unit_test(loop_gives_way_after_each_slice),
        cmocka_unit_test(straight_code_gives_way_when_natives_are_costly),
        cmocka_unit_test(recursion_without_loops_gives_way),
        cmocka_unit_test(host_ends_the_run_and_no_catch_sees_it),
        cmocka_unit_test(host_ends_the_run_at_a_call),
        cmocka_unit_test(interrupt_without_give_way_cancels),
        cmocka_unit_test(interrupted_native_gives_the_hosts_reason),
        cmocka_unit_test(native_that_fails_without_a_word_has_zohos_text),
        cmocka_unit_test(vm_can_be_called_again_after_a_failure),
        cmocka_unit_test(stored_function_runs_with_its_own_constants),
        cmocka_unit_test(error_in_a_stored_function_names_its_file),
        cmocka_unit_test(stored_function_with_too_few_arguments_fails),
        cmocka_unit_test(unknown_stored_function_is_catchable),
        cmocka_unit_test(bound_names_replace_arguments),
        cmocka_unit_test(missing_arguments_are_null),
        cmocka_unit_test(argument_that_cannot_be_converted_is_named),
        cmocka_unit_test(constants_do_not_change_from_run_to_run),
        cmocka_unit_test(too_little_memory_for_a_vm_gives_none),
        cmocka_unit_test(deep_stack_keeps_the_callers_variables),
        cmocka_unit_test(roots_are_those_of_all_frames_and_bindings),
        cmocka_unit_test(roots_may_be_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
