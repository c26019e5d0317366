// SPDX-License-Identifier: Apache-2.0
//
// Numbers: all documented vectors of spec/deluge-builtins.md §3 and the edges.
#include "deluge.h"

static void round_as_documented(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info (-218.4).round(0);", "-218"},   {"info 218.5.round(0);", "219"},       {"info 218.49.round(1);", "218.5"},
        {"info 218.44.round(1);", "218.4"},    {"info 214.2.round(-1);", "210"},      {"info 218.2.round(-1);", "220"},
        {"info 218.2.round(-2);", "200"},      {"info 294.2.round(-2);", "300"},      {"info 218.222.round(-3);", "0"},
        {"info (-150.55).round(-2);", "-200"}, {"info (-192.66).round(-1);", "-190"},
    };
    CHECK(NULL, vectors);
}

static void round_edges(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info 1.4+3.6.round(0);\ninfo (1.4+3.6).round(0);", "5.4\n5"},
        {"info 1.005.round(2);", "1.01"},
        {"info 0.5.round();\ninfo (-0.5).round();", "1\n-1"},
        {"info 9.99.round(1);\ninfo 99.99.round(0);", "10\n100"},
        {"info 999.round(-3);\ninfo 499.round(-3);", "1000\n0"},
        {"info 4522002000000138720.round(2);", "4522002000000138720"},
        {"info 1.5.round(400);", "ERR: round takes between -340 and 340 places"},
        {"info \"2.345\".round(2);", "2.35"},
        {"info \"x\".round(2);", "ERR: 'TEXT' can not be cast to '[DECIMAL]'"},
        {"info 12345678901234.567.round(2);", "12345678901234.57"},
    };
    CHECK(NULL, vectors);
}

static void documented(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info abs(-25.7);", "25.7"},
        {"info 10.1.floor() + \",\" + ceil(25.3) + \",\" + ceil(-1.5);", "10,26,-1"},
        {"info 25.125432.truncate(2) + \",\" + 9789.852.truncate(0) + \",\" + 9789.852.truncate(-2);", "25.12,9789,9700"},
        {"info 24.6.frac() + \",\" + (-25.1).frac();", "0.6,-0.1"},
        {"info 3.power(2) + \",\" + power(3,2);", "9,9"},
        {"info sqrt(25);", "5"},
        {"info 81.log10() + \",\" + (0).log10() + \",\" + (-1).log();", "1.9084850188786497,null,null"},
        {"info 1.atan2(2);", "0.4636476090008061"},
        {"info 100.max(200) + \",\" + 100.min(200) + \",\" + max(1.5,1);", "200,100,1.5"},
        {"info 255.toHex();", "ff"},
        {"info 1234.isEven() + \",\" + isOdd(111);", "true,true"},
    };
    CHECK(NULL, vectors);
}

static void edges(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info 2.power(62);", "4611686018427387904"},
        {"info (-2).power(63);", "-9223372036854775808"},
        {"info 2.power(-1);", "0.5"},
        {"info 10.power(400);", "null"},
        {"info sqrt(-1);", "null"},
        {"info asin(2);", "null"},
        {"info (-7).isOdd();", "true"},
        {"info 5.frac();", "0"},
        {"info (-1).toHex();", "ffffffffffffffff"},
        {"info 16.nthRoot(4);\ninfo (-27).nthRoot(3);", "2\n-3"},
        {"info 9223372036854775807.abs();", "9223372036854775807"},
    };
    CHECK(NULL, vectors);
}

static void random_stays_in_its_bounds(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"bad = 0;\nfor each i in \"x\".repeat(500).toList(\"\") { r = randomNumber(1,3); if(r < 1 || r > 2) { bad = bad + 1; } }\ninfo "
         "bad;",
         "0"},
        {"r = randomNumber(5);\ninfo r >= 0 && r < 5;", "true"},
        {"r = randomNumber(0.5,0.75);\ninfo r >= 0.5 && r < 0.75;", "true"},
        {"info randomNumber(3,1);", "ERR: randomNumber needs a start that is not above the end"},
    };
    CHECK(NULL, vectors);
}

static void number_patterns(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info 2434.text(\"000000000\");", "000002434"},
        {"info \"123123456\".text(\"##,###\");", "123,123,456"},
        {"info \"12345654.1234\".text(\"$#,##0.00\");", "$12,345,654.12"},
        {"info 0.5.text(\"#.##\") + \"|\" + 0.5.text(\"#.00\") + \"|\" + 0.text(\"#\") + \"|\" + 0.text(\"0.00\");", "0.5|.50|0|0.00"},
        {"info 0.125.text(\"0.00\") + \"|\" + 0.375.text(\"0.00\");", "0.12|0.38"},
        {"info (-1234.5).text(\"#,##0.00\") + \"|\" + (-5).text(\"0;(0)\");", "-1,234.50|(5)"},
        {"info 0.256.text(\"0.0%\");", "25.6%"},
        {"info 7.text(\"0 'Stück'\");", "7 Stück"},
        {"info 9223372036854775807.text(\"#,###\");", "9,223,372,036,854,775,807"},
        {"info 1234.toWords();", "one thousand two hundred thirty four"},
        {"info 0.toWords() + \"|\" + (-21).toWords() + \"|\" + 1000000.toWords();", "zero|minus twenty one|one million"},
        {"info 9223372036854775807.toWords().right(13);", "hundred seven"},
        {"info 1.toWords(\"pt\") + \"|\" + 100.toWords(\"pt\") + \"|\" + 101.toWords(\"PT\") + \"|\" + 21.toWords(\"pt\");",
         "um|cem|cento e um|vinte e um"},
        {"info 1000.toWords(\"pt\") + \"|\" + 1001.toWords(\"pt\") + \"|\" + 2200.toWords(\"pt\") + \"|\" + 2215.toWords(\"pt\");",
         "mil|mil e um|dois mil e duzentos|dois mil duzentos e quinze"},
        {"info 1000000.toWords(\"pt\") + \"|\" + (-2001000).toWords(\"pt\");", "um milhão|menos dois milhões e mil"},
        {"try { 1.toWords(\"xx\"); } catch (e) { info e.message; }", "'xx' is no language of toWords: en or pt"},
    };
    CHECK(NULL, vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_as_documented),
        cmocka_unit_test(round_edges),
        cmocka_unit_test(documented),
        cmocka_unit_test(edges),
        cmocka_unit_test(random_stays_in_its_bounds),
        cmocka_unit_test(number_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
