// SPDX-License-Identifier: Apache-2.0
//
// Text that holds JSON or a list (spec/deluge-builtins.md §1, spec/deluge-language.md §9.2).
#include "deluge.h"

static void to_map(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info \"{company:Zoho, product:Creator}\".toMap();", "{\"company\":\"Zoho\",\"product\":\"Creator\"}"},
        {"info \"{'a':1,}\".toMap().get(\"a\");", "1"},
        {"info \"not json\".toMap();", "ERR: Invalid JSON Format String"},
        {"info \"[1]\".toMap();", "ERR: Invalid JSON Format String"},
        {"info \"\".toMap();", "ERR: Invalid JSON Format String"},
        {"m = {\"a\":1};\nm.toMap().put(\"b\",2);\ninfo m;", "{\"a\":1,\"b\":2}"},
        {"info (\"{\\\"a\\\":\\\"\" + \"x\".repeat(5300000) + \"\\\"}\").toMap();",
         "ERR: Invalid JSON Format String: the text is larger than 5 MB"},
    };
    CHECK(NULL, vectors);
}

static void get_on_text(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"t = \"{\\\"a\\\":{\\\"b\\\":5},\\\"l\\\":[1,2]}\";\ninfo t.get(\"a\").get(\"b\");\ninfo t.get(\"l\").get(1);\ninfo "
         "t.get(\"no\");",
         "5\n2\nnull"},
        {"info \"[10,20]\".get(1);", "20"},
        {"info \"[10,20]\".get(2);", "ERR: Given index 2 is greater than the list size"},
        {"info \"[1,2]\".size() + \"{\\\"a\\\":1}\".size();", "3"},
        {"info \"plain\".size();", "ERR: Invalid JSON Format String"},
        {"info \"plain\".get(\"a\");", "ERR: Invalid JSON Format String"},
        {"info \"{\\\"id\\\":4522002000000138720}\".get(\"id\");", "4522002000000138720"},
        {"info "
         "\"{\\\"response\\\":{\\\"employee\\\":{\\\"id\\\":\\\"EMP-001\\\"}}}\".getJSON(\"response\").getJSON(\"employee\").getJSON("
         "\"id\");",
         "EMP-001"},
        {"x = \"{\\\"n\\\":1}\".getJson(\"n\");\ninfo x + 1;\ninfo {\"n\":1}.getJSON(\"n\") + 1;", "11\n2"},
    };
    CHECK(NULL, vectors);
}

static void to_list(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info \"ZohoCreator/ZohoCRM\".toList(\"/\");", "ZohoCreator,ZohoCRM"},
        {"info \"a,,b\".toList(\",\").size() + \",\" + \"abc\".toList(\";\").size() + \",\" + \"\".toList(\",\").size();", "3,1,1"},
        {"info \"\".toList().size();\ninfo \"a, b\".toList().get(1) + \"|\";", "0\n b|"},
        {"info \"\".leftpad(7).toList(\"\").size() + \"a😀\".toList(\"\").size();", "9"},
        {"info \"[1,{\\\"a\\\":[2,3]}]\".toList().get(1).get(\"a\").get(1);", "3"},
        {"info \"{\\\"a\\\":1},{\\\"a\\\":2}\".toList().get(1).get(\"a\");", "2"},
        {"info \"[broken\".toList().get(0);", "[broken"},
        {"l = {1,2};\nl.toList().add(3);\ninfo l;", "1,2,3"},
        {"info \"a.b\".toList(\".\").size();", "2"},
        {"info \"1,2,3\".toListString().get(0).length();\ninfo {1,2}.toListString().contains(\"1\");", "1\ntrue"},
        {"info \"[{\\\"a\\\":1}]\".toJSONList().get(0).getJSON(\"a\");", "1"},
        {"info \"x\".toJSONList();", "ERR: Invalid JSON Format String"},
        {"info \"{\\\"a\\\":1},{\\\"a\\\":2}\".toJSONList().size();", "2"},
        {"info 5.toList().size();", "1"},
    };
    CHECK(NULL, vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(to_map), cmocka_unit_test(get_on_text), cmocka_unit_test(to_list)};
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
