// SPDX-License-Identifier: Apache-2.0
//
// Text natives: the documented vectors of spec/deluge-builtins.md §2, then the edges.
#include "deluge.h"

static void documented(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info \"Create database applications with Zoho Creator\".length();", "46"},
        {"info \"Welcome to Zoho Deluge\".subString(11,22);", "Zoho Deluge"},
        {"info \"Welcome to Zoho Deluge\".mid(11,22);", "Zoho Deluge"},
        {"info \"Zoho Deluge\".subText(0,4);", "Zoho"},
        {"info \"Zoho Deluge\".subText(5,-12);", "Deluge"},
        {"info substring(\"abc\",1);", "bc"},
        {"info \"Zoho Creator\".left(4) + \"|\" + \"Zoho Creator\".right(7);", "Zoho|Creator"},
        {"info \"2024-01-02T10:00:00\".left(10);", "2024-01-02"},
        {"info \"abc123!\".getAlpha() + \" \" + \"abc123!\".getAlphaNumeric();", "abc abc123"},
        {"info \"abc123!\".removeAllAlpha() + \" \" + \"abc123!\".removeAllAlphaNumeric();", "123! !"},
        {"info {1,2,13}.reverse();", "31,2,1"},
        {"info \"Zoho\".repeat(3);", "ZohoZohoZoho"},
        {"info \"[\" + \"Left\".leftpad(6) + \"]\";", "[  Left]"},
        {"info \"[\" + \"Left\".leftPad(2) + \"]\";", "[Left]"},
        {"info \"0A\".hexToText() == \"\\n\";", "true"},
        {"info \"\".isAscii() + \",\" + \"ß\".isAscii();", "true,false"},
        {"info \"hello world\".proper();", "Hello World"},
    };
    CHECK(NULL, vectors);
}

static void out_of_bounds_fails(void **state)
{
    (void)state;
    static const char bounds[] = "ERR: Given string is lesser than the applied boundary, so index out of bounds exception arisen";
    static const struct vector vectors[] = {
        {"info \"Zoho\".subText(6,4);", bounds},
        {"info \"Zoho\".subString(0,5);", bounds},
        {"info \"Zoho\".subString(5);", bounds},
        {"info \"Zoho\".subString(-1,2);", bounds},
        {"info \"Zoho\".left(-1);", bounds},
        {"info \"[\" + \"Zoho\".subString(4) + \"]\";", "[]"},
        {"info \"[\" + \"Zoho\".subString(2,2) + \"]\";", "[]"},
    };
    CHECK(NULL, vectors);
}

static void units_are_utf16(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info \"a😀b\".length();", "4"},
        {"info \"a😀b\".subString(3);", "b"},
        {"info \"äöü\".length();", "3"},
        {"info \"äöü\".right(2);", "öü"},
        {"info \"a😀b\".reverse();", "b😀a"},
        {"info \"[\" + \"😀\".leftpad(3) + \"]\";", "[ 😀]"},
        {"info \"Grüße\".toUpperCase() + \"ÄÖ\".toLowerCase();", "GRÜSSEäö"},
        {"info \"élan vital\".proper();", "Élan Vital"},
        {"info \"é1ß!\".getAlpha();", "éß"},
    };
    CHECK(NULL, vectors);
}

static void empty_and_other_types(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info \"\".length() + \"\".trim().length();", "0"},
        {"info \"[\" + \"\".repeat(5) + \"x\".repeat(0) + \"x\".repeat(-1) + \"]\";", "[]"},
        {"info 12345.length();", "5"},
        {"info 12345.left(2);", "12"},
        {"m = {\"a\":1};\ninfo m.trim();", "{\"a\":1}"},
        {"x = null;\ninfo x.trim();", "ERR: Value is empty and 'trim' function cannot be applied"},
        {"info \"a\".concat(null);", "anull"},
        {"info \"xyz\".hexToText();", "ERR: hexToText needs pairs of hex digits"},
        {"info \"\\t a \\n\".trim() + \"|\";", "a|"},
    };
    CHECK(NULL, vectors);
}

static void huge_results_meet_the_memory_limit(void **state)
{
    (void)state;
    deluge_check_memory("info \"x\".repeat(1000000000).length();");
    deluge_check_memory("info \"abc\".repeat(9223372036854775807).length();");
    deluge_check_memory("info \"x\".leftpad(2147483648).length();");
    deluge_check_memory("info \"x\".rightpad(9223372036854775807).length();");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented),
        cmocka_unit_test(out_of_bounds_fails),
        cmocka_unit_test(units_are_utf16),
        cmocka_unit_test(empty_and_other_types),
        cmocka_unit_test(huge_results_meet_the_memory_limit),
    };
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
