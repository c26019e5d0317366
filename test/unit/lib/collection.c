// SPDX-License-Identifier: Apache-2.0
//
// Collections: documented vectors of spec/deluge-builtins.md §7, and the edges.
#include "deluge.h"

static void index_value(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"c = Collection(\"Creator\",\"CRM\",\"Mail\");\ninfo c.getKey(\"CRM\") + \",\" + c.getLastKey(\"x\") + \",\" + c.size();",
         "1,-1,3"},
        {"info Collection(1).get(4);", "ERR: Given index 4 is greater than the list size"},
        {"c = Collection(\"Creator\",\"CRM\",\"Mail\");\nc.deleteKeys({1,2});\ninfo c.values();", "Creator"},
        {"c = Collection(1,2);\nc.deleteKey(5);", "ERR: Given index 5 is greater than the list size"},
        {"c = Collection(1,2,3);\nc.delete(2);\nc.insert(4,5);\nc.insertAll({6});\nc.update(0,9);\ninfo c.values();", "9,3,4,5,6"},
        {"c = Collection(\"Creator\",\"CRM\",\"Books\");\ninfo c.intersect(Collection(\"Creator\",\"CRM\",\"Mail\")).values();",
         "Creator,CRM"},
        {"c = Collection(\"Creator\",\"CRM\");\ninfo c.duplicate(0,1).values();\ninfo c.containsKey(1) + \",\" + c.containsKey(2);",
         "Creator\ntrue,false"},
        {"info Collection(3,1,2).sort(false).values();", "3,2,1"},
        {"info Collection().isEmpty();", "true"},
    };
    CHECK(NULL, vectors);
}

static void key_value(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"c = Collection(\"Creator\":5,\"CRM\":2,\"Mail\":8);\ninfo c.getKey(5) + \",\" + c.getLastKey(9);\ninfo c.keys();\ninfo "
         "c.values();",
         "Creator,null\nCreator,CRM,Mail\n5,2,8"},
        {"c = Collection(\"a\":1);\nc.update(\"b\",2);\nc.deleteKey(\"a\");\nc.insertAll({\"z\":3});\ninfo c.keys();", "b,z"},
        {"c = Collection(\"b\":1,\"a\":2);\ninfo c.sortKey().keys() + \"|\" + c.sort(false).keys() + \"|\" + c.keys();", "a,b|a,b|b,a"},
        {"c = Collection(\"a\":1);\nc.insert(5);", "ERR: insert into a key-value collection needs a key and a value"},
        {"info Collection(\"a\":1,\"b\":1).distinct().keys();", "a"},
    };
    CHECK(NULL, vectors);
}

static void undecided_collections_decide_with_the_first_element(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"c = Collection();\nc.insert(1);\ninfo c.get(0);", "1"},
        {"c = Collection();\nc.insertAll({\"a\":1});\ninfo c.get(\"a\");", "1"},
        {"info \"123,456,120\".getasstring(2);", "120"},
        {"c = Collection(1);\nc.clear();\ninfo c.size();", "0"},
    };
    CHECK(NULL, vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(index_value), cmocka_unit_test(key_value),
                                       cmocka_unit_test(undecided_collections_decide_with_the_first_element)};
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
