// SPDX-License-Identifier: Apache-2.0
//
// Finding and cutting: the documented vectors of spec/deluge-builtins.md §2, then the edges.
#include "deluge.h"

static void documented(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info \"Hello World\".contains(\"\");", "true"},
        {"info startsWith(\"Zoho Creator\",\"zoho\") + \",\" + startsWithIgnoreCase(\"Zoho Creator\",\"zoho\");", "false,true"},
        {"info endsWithIgnoreCase(\"Zoho Creator\",\"creator\");", "true"},
        {"info \"Hello world, welcome to the universe\".find(\"e\");", "1"},
        {"info \"Hello world, welcome to the universe\".lastIndexOf(\"e\");", "35"},
        {"info \"[\" + \"Create custom apps with Zoho Creator\".getSuffix(\"with\") + \"]\";", "[ Zoho Creator]"},
        {"info \"[\" + \"Zoho Creator\".remove(\"Creator\") + \"]\";", "[Zoho ]"},
        {"info \"[\" + \"Zoho Creator 5\".removeFirstOccurence(\"5\") + \"]\";", "[Zoho Creator ]"},
        {"info \"my app: Zoho Creator app builder\".removeLastOccurence(\"app\");", "my app: Zoho Creator  builder"},
    };
    CHECK(NULL, vectors);
}

static void absent_pieces(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info \"abc\".indexOf(\"x\") + \"abc\".lastIndexOf(\"x\");", "-2"},
        {"info \"abc\".getPrefix(\"x\");\ninfo \"abc\".getSuffix(\"x\");", "null\nnull"},
        {"info \"abc\".getSuffix(\"x\").getPrefix(\"y\");", "ERR: Value is empty and 'getPrefix' function cannot be applied"},
        {"info \"abc\".contains(null);\ninfo \"abc\".notContains(null);", "false\ntrue"},
        {"info \"abc\".remove(\"\") + \"abc\".removeLastOccurence(\"\");", "abcabc"},
        {"info \"aaaa\".getOccurenceCount(\"aa\") + \"abc\".getOccurenceCount(\"\");", "2"},
    };
    CHECK(NULL, vectors);
}

static void case_and_unicode(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info \"ÄÖÜ\".equalsIgnoreCase(\"äöü\");", "true"},
        {"info \"x😀ÉTÉ y\".getSuffixIgnoreCase(\"été\");", " y"},
        {"info \"x😀ÉTÉ y\".getPrefixIgnoreCase(\"été\");", "x😀"},
        {"info \"😀b😀b\".indexOf(\"b\");\ninfo \"😀b😀b\".lastIndexOf(\"b\");", "2\n5"},
        {"info \"abc\".containsIgnoreCase(\"BC\");", "true"},
        {"info \"abc\".contains(\"BC\");", "false"},
        {"info 12345.contains(\"234\");", "true"},
    };
    CHECK(NULL, vectors);
}

static void hostile_texts_stay_linear(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"t = \"a\".repeat(1000000);\ninfo t.lastIndexOf(\"b\" + \"a\".repeat(500000));", "-1"},
        {"t = \"a\".repeat(1000000);\ninfo t.containsIgnoreCase(\"A\".repeat(500000) + \"b\");", "false"},
    };
    CHECK(NULL, vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented),
        cmocka_unit_test(absent_pieces),
        cmocka_unit_test(case_and_unicode),
        cmocka_unit_test(hostile_texts_stay_linear),
    };
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
