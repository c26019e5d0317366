// SPDX-License-Identifier: Apache-2.0
//
// Built-ins on a fiber, where stacks are small: patterns compile on the loop's own stack, long sorts go to a helper thread, OpenSSL starts
// there.
#include "deluge.h"
#include "loop/loop.h"

struct outcome {
    char text[256];
};

static void run_on_fiber(void *arg)
{
    struct outcome *outcome = arg;
    struct deluge deluge = {0};
    static const char script[] = "info \"x\".repeat(300).replaceAll(\"((((x|y)+)z?)|[a-z&&[^b]])\",\"-\").length();\n"
                                 "l = List();\nl.add(0);\nfor each index i in \"\".leftpad(25000).toList(\"\") { l.add(25000 - i); }\n"
                                 "l.sort();\ninfo l.get(25000);\n"
                                 "info zoho.encryption.hmacsha256(\"Use me to generate hash\",\"My#New#Password\");\n"
                                 "info \"(\".repeat(200).replaceAll(\"(\",\"[\",true).length();\n"
                                 "try { info \"a\".matches(\"(\".repeat(5000)); } catch (e) { info \"refused\"; }\n"
                                 "info (\"ab\".repeat(20000)).matches(\"(ab|a|b)*\");\n";
    snprintf(outcome->text, sizeof(outcome->text), "%s", deluge_run(&deluge, script));
    buffer_free(&deluge.log);
    loop_stop();
}

static void heavy_natives_fit_a_fiber(void **state)
{
    (void)state;
    struct fail fail = {0};
    struct outcome outcome = {{0}};
    assert_true(loop_start(1, &fail));
    assert_true(loop_run(run_on_fiber, &outcome, &fail));
    assert_string_equal(outcome.text, "1\n25000\nedYCyxkU4jL2dEjEDO8aUy8WZrpKRvQquNpgKUqe5vA=\n200\nrefused\ntrue");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(heavy_natives_fit_a_fiber)};
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
