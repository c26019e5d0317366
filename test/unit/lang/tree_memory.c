// SPDX-License-Identifier: Apache-2.0
//
// Parser and checker without enough memory: whatever the limit of their arena, they end with an error in the report and touch nothing they
// should not (the sanitizers look). The script holds every kind of node.
#include "findings.h"

#include "lang/parser.h"

static const char script[] =
    "/* comment */ string ns.f(String a, Map b, list:int c)\n{\n"
    " x = {1, 2.5, \"t\\n\", '1-Jan-2020', {}, [a], {\"k\":b}, List:Int({1}), Map(), Collection(\"k\":1)};\n"
    " y = -x + !a * (a - 1) / 2 % 3; // line\n"
    " if(a == 1 && b != 2 || c < 3) { info if(a, b, c); } else if(a in x) x += 1; else { throw \"e\"; }\n"
    " for each v in x { continue; } for each index i in x { break; } while(true) { return a . toString(\"f\").get(1).d; }\n"
    " try { r = invokeurl [ url: a type: post reply to: a, b file:c ]; } catch (e) { info e.message; } finally { ; }\n"
    " zoho.crm.getRecordById(\"L\", 1); ns.g(input.a, today); return \"\";\n}\n"
    "void g(int p, int q) { }\nloose = one + two + three + four + five + six + seven + eight + nine;\n";

static bool build(struct native_set *natives, size_t bytes_max)
{
    struct arena arena;
    struct reporter reporter;
    struct lang_options options = {.natives = natives};
    arena_init(&arena, bytes_max);
    reporter_init(&reporter, NULL, false);
    struct ast *ast = parse_source(VIEW(script), &arena, &reporter);
    bool done = ast && reporter.errors == 0 && check_ast(ast, &options, &arena, &reporter);
    assert_true(done || reporter.errors > 0);
    arena_free(&arena);
    return done;
}

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    enum { STEP = 61, ENOUGH = 1 << 20 };
    struct native_set *natives = native_set_new();
    struct fail fail;
    assert_true(native_set_add(natives, few_natives, BASE_COUNT(few_natives), &fail));
    assert_false(build(natives, 0));
    size_t limit = 0;
    while (limit < ENOUGH && !build(natives, limit)) {
        limit += STEP;
    }
    assert_true(limit < ENOUGH);
    native_set_free(natives);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_may_end_anywhere)};
    return cmocka_run_group_tests_name("lang/tree_memory", tests, NULL, NULL);
}
