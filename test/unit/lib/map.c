// SPDX-License-Identifier: Apache-2.0
//
// Maps: documented vectors of spec/deluge-builtins.md §6, and the edges.
#include "deluge.h"

static void putting_and_getting(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"m = {};\nm.put(\"a\",1);\ninfo m;", "{\"a\":1}"},
        {"m = Map();\nm.put(\"C\",4);\nm.put(\"R\",3);\nm.put(\"C\",null);\ninfo m;", "{\"C\":null,\"R\":3}"},
        {"m = {\"a\":1};\nm.putAll(\"{\\\"b\\\":2}\");\nm.putAll(m);\ninfo m;", "{\"a\":1,\"b\":2}"},
        {"info {\"creator\":1}.get(\"Creator\");", "null"},
        {"m = Map();\ninfo m.get(\"no\").get(\"x\");", "ERR: Value is empty and 'get' function cannot be applied"},
        {"m = \"{\\\"17\\\":\\\"x\\\"}\".toMap();\ninfo m.get(17) + m.containsKey(17);", "xtrue"},
        {"info {1:\"Number\",\"a\":\"Alphabet\"}.keys();", "1,a"},
        {"info Map().get(\"a\");\ninfo {}.size();", "null\n0"},
    };
    CHECK(NULL, vectors);
}

static void testing(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"m = {\"Product\":1,\"n\":null};\ninfo m.containKey(\"product\") + \",\" + m.containsKey(\"Product\") + \",\" + "
         "m.containKey(\"n\") + \",\" + "
         "m.contains(\"n\");",
         "false,true,true,true"},
        {"m = {\"a\":\"X\"};\ninfo m.containValue(\"X\") + \",\" + m.containsValue(\"x\") + \",\" + m.notContains(\"a\");",
         "true,false,false"},
    };
    CHECK(NULL, vectors);
}

static void removing(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"m = {\"a\":1,\"b\":2};\ninfo m.remove(\"a\");\ninfo m.remove(\"zz\");\ninfo m;", "1\nnull\n{\"b\":2}"},
        {"m = {\"a\":1,\"b\":2};\nm.clear();\ninfo m.size() + \",\" + m.isEmpty();", "0,true"},
        {"m = {\"a\":{1}};\nn = m.duplicate();\nn.get(\"a\").add(2);\ninfo m;", "{\"a\":[1]}"},
        {"info {\"b\":2,\"a\":1}.sortKey();", "{\"a\":1,\"b\":2}"},
        {"info {\"a\":1,\"b\":2}.sortValue(false);", "{\"b\":2,\"a\":1}"},
    };
    CHECK(NULL, vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(putting_and_getting), cmocka_unit_test(testing), cmocka_unit_test(removing)};
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
