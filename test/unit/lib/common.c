// SPDX-License-Identifier: Apache-2.0
//
// Emptiness, type tests, equals, and conversions (spec/deluge-builtins.md §0.1, §1).
#include "deluge.h"

#define ALL(v) "info isBlank(" v ") + \",\" + isNull(" v ") + \",\" + isEmpty(" v ");"

static void emptiness_matrix(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {ALL("\" \""), "true,false,true"}, {ALL("\"\""), "true,true,true"},      {ALL("null"), "false,true,true"},
        {ALL("{}"), "true,false,true"},    {ALL("{\"\"}"), "false,false,false"}, {ALL("{\" \":\" \"}"), "false,false,false"},
        {ALL("0"), "false,false,false"},   {"info \" \".isNull();", "false"},
    };
    CHECK(NULL, vectors);
}

static void type_tests(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info isNumber(\"12.3\") + \",\" + \"1\".isNumber() + \",\" + (24/2*10).isNumber() + \",\" + \"24/2*10\".isNumber() + \",\" + "
         "isNumber({1});",
         "true,true,true,false,null"},
        {"info isText(\"Hello\") + \",\" + isText(\"123\") + \",\" + isText(\"\") + \",\" + isText({1}) + \",\" + isText(true);",
         "true,false,true,null,null"},
        {"info isDate(\"01-Jan-2019\") + \",\" + isDate(100) + \",\" + isDate({1});", "true,false,null"},
        {"info isDate(\"nonsense\");", "ERR: UnParsable date"},
        {"info ifnull(null,0) + \",\" + ifNull(\"\",\"d\") + \",\" + \"x\".ifNull(1);", "0,,x"},
        {"info \"Zoho\".isValidObject() + \",\" + \"\".isValidObject() + \",\" + isValidObject(null);", "true,false,false"},
    };
    CHECK(NULL, vectors);
}

static void equality(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info '01/01/2017'.equals('01-Jan-2017');", "true"},
        {"info \"Zoho\".equals(\"zoho\") + \",\" + equals(1,\"1\") + \",\" + equals(null,null) + \",\" + equals({1},{1});",
         "false,false,true,true"},
    };
    CHECK(NULL, vectors);
}

static void to_numbers(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info toLong(99.9) + \"100\".toLong();", "199"},
        {"info \"4522002000000138720\".toLong() + 1;", "4522002000000138721"},
        {"info \"134A123B\".toLong();", "ERR: 'TEXT' can not be cast to '[BIGINT]'"},
        {"info \"\".toLong();", "ERR: 'TEXT' can not be cast to '[BIGINT]'"},
        {"info \" 12 \".toNumber() + \",\" + \"99.9\".toNumber() + \",\" + (-99.9).toLong();", "12,99,-99"},
        {"info \"100\".toDecimal() + \",\" + \"1.50\".toDecimal();", "100,1.5"},
        {"info \"abc\".toDecimal();", "ERR: 'TEXT' can not be cast to '[DECIMAL]'"},
        {"x = null;\ninfo x.toLong();", "ERR: Value is empty and 'toLong' function cannot be applied"},
        {"info 99999999999999999999.9.toLong();", "ERR: 'DECIMAL' can not be cast to '[BIGINT]'"},
        {"info {1}.toLong();", "ERR: 'LIST' can not be cast to '[BIGINT]'"},
    };
    CHECK(NULL, vectors);
}

static void date_to_number_is_millis(void **state)
{
    (void)state;
    static const struct vector vectors[] = {{"info '31-Dec-1969 16:00:01'.toLong();", "1000"}};
    CHECK("America/Los_Angeles", vectors);
}

static void to_text(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info {1,2,3}.toString() + \"|\" + {1,{2,3}}.toString(\"; \");", "1,2,3|1; [2,3]"},
        {"info {\"a\":1}.toString();\ninfo {\"a\":1}.toString(\",\");", "{\"a\":1}\nnull"},
        {"info toString('01-Jan-2019 10:15:30',\"MMM dd, yy 'at' hh:mm:ss\",\"Europe/Moscow\");", "Jan 01, 19 at 07:45:30"},
        {"info 0.toString(\"yyyyMMdd'T'HHmmss\",\"US/Pacific\");", "19691231T160000"},
        {"info \"nonsense\".toString(\"yyyy\");", "ERR: UnParsable date"},
        {"info \"nonsense\".toText(\"yyyy\");\ninfo '01-Jan-2019'.toText(\"yyyy q\");", "nonsense\nnull"},
        {"info true.toString() + 1.5.toString() + \"x\".toString();", "true1.5x"},
        {"x = null;\ninfo x.toString();", "ERR: Value is empty and 'toString' function cannot be applied"},
        {"info \"01-Jan-2019 10:15:30\".toDateTimeString(\"HH:mm\",\"UTC\");", "04:45"},
    };
    CHECK("Asia/Kolkata", vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emptiness_matrix),         cmocka_unit_test(type_tests), cmocka_unit_test(equality), cmocka_unit_test(to_numbers),
        cmocka_unit_test(date_to_number_is_millis), cmocka_unit_test(to_text),
    };
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
