// SPDX-License-Identifier: Apache-2.0
//
// Lists: documented vectors of spec/deluge-builtins.md §3 and §5, and the edges.
#include "deluge.h"

static void adding(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"l = {\"Creator\"};\nl.add({\"CRM\",\"Projects\"});\ninfo l.size();\ninfo l.get(1);", "2\nCRM,Projects"},
        {"l = {};\nl.add(1);\nl.addAll({2,3});\ninfo l;", "1,2,3"},
        {"l = {1,2};\nl.addAll(l);\ninfo l;", "1,2,1,2"},
        {"l = List:String();\nl.add(1);\ninfo l.get(0).isText();\ninfo l.contains(\"1\");", "false\ntrue"},
        {"l = List:Int();\nl.add(\"12\");\ninfo l.get(0) + 1;", "13"},
        {"l = {};\nm = l;\nl.add(\"x\");\ninfo m;", "x"},
    };
    CHECK(NULL, vectors);
}

static void taking(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info {\"Creator\",\"CRM\",{\"P\",\"R\"}}.get(2);", "P,R"},
        {"info {10,20}.get(4);", "ERR: Given index 4 is greater than the list size"},
        {"info {10,20}.get(-1);", "ERR: Given index -1 is greater than the list size"},
        {"l = {\"Creator\",\"CRM\",\"Projects\"};\ninfo l.remove(1);\ninfo l;", "CRM\nCreator,Projects"},
        {"l = {\"\",\"a\",\"\"};\nl.remove(\"\");\nl.remove(\"zz\");\ninfo l.size();", "2"},
        {"l = {1};\nl.remove(l.size());", "ERR: Given index 1 is greater than the list size"},
        {"l = {1,2,1};\nl.removeElement(9);\nl.removeElement(1);\ninfo l;", "2,1"},
        {"l = {1,2,3,2};\nl.removeAll({2,9});\ninfo l;", "1,3"},
        {"l = {1,{2}};\nm = l.duplicate();\nm.add(3);\nm.get(1).add(9);\ninfo l.size() + l.get(1).size();", "3"},
        {"l = {1};\nl.clear();\ninfo l.size() + \",\" + l.isEmpty();", "0,true"},
        {"info {1,2,3,4}.subList(0,3) + \"|\" + {1,2,3,4}.sublist(2);", "1,2,3|3,4"},
        {"info {1,2}.subList(0,3);", "ERR: Given index 3 is greater than the list size"},
        {"info {1,2}.subList(2).size();", "0"},
    };
    CHECK(NULL, vectors);
}

static void finding(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info {\"Creator\",\"CRM\",\"Projects\"}.indexOf(\"Creator\") + {\"a\"}.indexOf(\"A\");", "-1"},
        {"info {1,2,1}.lastIndexOf(1);", "2"},
        {"info {\"1\",2}.contains(1) + \",\" + {1}.contains(1.0) + \",\" + {null}.contains(null);", "false,true,true"},
        {"info {{\"a\":1}}.contains({\"a\":1});", "true"},
        {"info {}.contains(1) + \",\" + {}.notContains(1);", "false,true"},
    };
    CHECK(NULL, vectors);
}

static void order(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info {\"Creator\",\"crm\",\"Zoho Creator\"}.sort(true);", "Creator,Zoho Creator,crm"},
        {"l = {3,1,2.5};\nl.sort(false);\ninfo l;", "3,2.5,1"},
        {"info {1,\"a\"}.sort();", "null"},
        {"info {}.sort().size();", "0"},
        {"info {'02-Jan-2020','01-Jan-2020'}.sort().get(0);", "01-Jan-2020"},
        {"info {true,false}.sort();", "false,true"},
        {"info {\"1\",1,1,2,2,3}.distinct().size();", "4"},
        {"info {3,1,2,3}.intersect({3,2,9});", "3,2"},
    };
    CHECK(NULL, vectors);
}

static void long_lists(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"l = \"\".leftpad(20000).toList(\"\");\ninfo l.size();\nn = List();\nfor each index i in l { n.add(20000 - i); }\nn.sort();\ninfo "
         "n.get(0) + n.get(19999);\n"
         "info n.distinct().size() + n.intersect(n).size();\nn.removeAll(n);\ninfo n.size();",
         "20000\n20001\n40000\n0"},
        {"l = \"\".leftpad(30000).toList(\"\");\nm = List();\nm.addAll(l);", "ERR: addAll takes at most 25000 elements"},
    };
    CHECK(NULL, vectors);
}

static void statistics(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info {1,5,2,3}.largest() + \",\" + {1,5,2,3}.smallest();", "5,1"},
        {"l = {300,455,124,926,780};\ninfo l.nthLargest(5) + \",\" + l.nthSmallest(2) + \",\" + l.percentile(50) + \",\" + l.rank(300);",
         "124,300,455,4"},
        {"info {120.12,65,300.46,600.25,80.5}.rank(80.5,\"asc\");", "2"},
        {"info {1,2,3,4}.median() + \",\" + {1,2,6}.average();", "2.5,3"},
        {"info {1,\"x\"}.average();",
         "ERR: List contains invalid(TEXT) entries and can not be cast to 'valid list and perform desired operations'"},
        {"info {1,2}.nthLargest(3);", "ERR: Given index 3 is greater than the list size"},
        {"info {}.largest();", "ERR: 'largest' needs a list of numbers, but the list is empty"},
        {"info {1,2}.percentile(101);", "ERR: percentile needs a number from 0 to 100"},
    };
    CHECK(NULL, vectors);
}

// A run that is to end: natives over many elements stop at once and say so.
static void interrupted_natives_stop(void **state)
{
    (void)state;
    static const char *const names[] = {"contains", "removeAll", "distinct", "sort", "average"};
    volatile int interrupt = 1;
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        struct heap heap;
        heap_init(&heap, DELUGE_HEAP_BYTES, NULL);
        struct value args[2] = {value_list(&heap, 0), value_list(&heap, 0)}, result = value_null();
        for (int n = 0; n < 100; n++) {
            list_add(&heap, args[0].list, value_number(n % 7));
            list_add(&heap, args[1].list, value_number(n % 7));
        }
        for (size_t r = 0; r < native_set_count(deluge_natives()); r++) {
            const struct native *row = native_set_at(deluge_natives(), r);
            if ((row->receivers & NATIVE_TYPE(VALUE_LIST)) != 0 && strcmp(row->name, names[i]) == 0) {
                struct fail fail = {0};
                struct native_call call = {.native = row,
                                           .heap = &heap,
                                           .args = args,
                                           .count = row->args_min,
                                           .ret = &result,
                                           .fail = &fail,
                                           .interrupt = &interrupt};
                assert_false(row->fn(&call));
                assert_int_equal(fail.code, FAIL_CANCELLED);
            }
        }
        heap_free(&heap);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding),
        cmocka_unit_test(taking),
        cmocka_unit_test(finding),
        cmocka_unit_test(order),
        cmocka_unit_test(long_lists),
        cmocka_unit_test(statistics),
        cmocka_unit_test(interrupted_natives_stop),
    };
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
