// SPDX-License-Identifier: Apache-2.0
//
// Date arithmetic, differences and business days: documented vectors of spec/deluge-builtins.md §4.2, and the edges.
#include "deluge.h"

static void moving(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info '01-Jan-2019 15:00:00'.addDay(40);", "10-Feb-2019 15:00:00"},
        {"info '01-Jan-2019 15:00:00'.addMonth(13);", "01-Feb-2020 15:00:00"},
        {"info '01-Jan-2019'.subMonth(1);", "01-Dec-2018"},
        {"info '31-Jan-2020'.addMonth(1) + \",\" + '31-Mar-2021'.subMonth(1) + \",\" + '29-Feb-2020'.addYear(1);",
         "29-Feb-2020,28-Feb-2021,28-Feb-2021"},
        {"info '01-Jan-2019 23:59:10'.addMinutes(2) + \",\" + '01-Jan-2019'.addSeconds(70);", "02-Jan-2019 00:01:10,01-Jan-2019 00:01:10"},
        {"info '01-Jan-2019'.addHour(1) + \",\" + '01-Jan-2019'.addDay(-1) + \",\" + '01-Jan-2019'.addWeek(1);",
         "01-Jan-2019 01:00:00,31-Dec-2018,08-Jan-2019"},
        {"info '01-Jan-2019'.eomonth(1) + \",\" + edate('20-May-2013',3) + \",\" + '31-Jan-2019 10:00:00'.edate(-2);",
         "28-Feb-2019,20-Aug-2013,30-Nov-2018"},
        {"info '20-Jul-2021'.nextWeekDay(\"Tuesday\") + \",\" + '21-Jul-2021'.previousWeekDay(\"Wednesday\");", "27-Jul-2021,14-Jul-2021"},
        {"info '20-Jul-2021'.nextWeekDay(\"Someday\");", "ERR: 'Someday' is not the English name of a day"},
        {"info '01-Jan-2019'.addDay(9223372036854775807);", "ERR: UnParsable date: addDay by 9223372036854775807 leaves the calendar"},
        {"info '01-Jan-2019'.addYear(9000);", "ERR: UnParsable date: the result is outside the years 1 to 9999"},
        {"info \"2024-05-01T10:00:00+00:00\".addDay(1);", "02-May-2024 10:00:00"},
    };
    CHECK(NULL, vectors);
}

static void clocks_change(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info '09-Mar-2019 12:00:00'.addDay(1);", "10-Mar-2019 12:00:00"},
        {"info '09-Mar-2019 12:00:00'.addHour(24);", "10-Mar-2019 13:00:00"},
        {"info '09-Mar-2019'.daysBetween('11-Mar-2019');", "2"},
        {"info '17-Jan-2019'.yearFraction('29-Jan-2019');", "0.03287671232876712"},
        {"info '24-Jun-1997'.yearFraction('24-Mar-2001 10:10:37');", "3.7519608384069003"},
    };
    CHECK("America/Los_Angeles", vectors);
}

static void differences(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info '1-Jan-2019'.daysBetween('31-Dec-2019') + \",\" + '31-Dec-1989'.days360('01-Jan-1990') + \",\" + "
         "'2-Jan-2019'.daysBetween('1-Jan-2019');",
         "364,1,-1"},
        {"info '01-Jan-2019 07:00:00'.hoursBetween('01-Jan-2019 08:59:59') + \",\" + '18-Dec-2019 09:00:00'.hoursBetween('19-Dec-2019 "
         "10:00:00');",
         "1,25"},
        {"info '01-Feb-2020'.monthsBetween('01-Mar-2020') + \",\" + '01-Feb-2020'.monthsDiff('01-Mar-2020');", "0,1"},
        {"info '31-Dec-1989'.totalMonth('01-Jan-1990') + \",\" + '31-Dec-1989'.totalMonths('01-Feb-1990');", "0,1"},
        {"info '1-Jan-2020'.yearsBetween('31-Dec-2020') + \",\" + '1-Jan-2019'.yearsBetween('31-Dec-2019');", "1,0"},
        {"info '1-Jan-2019'.yearsDiff('31-Dec-2019') + \",\" + '1-Jan-2019'.totalYears('1-Jan-2020') + \",\" + "
         "'1-Mar-2020'.monthsDiff('1-Feb-2020');",
         "0,1,-1"},
        {"info '01-Jan-2020 00:00:00'.timeBetween('02-Jan-2020 01:10:00');", "25:10:0"},
        {"info '1-Jan-2019'.daysBetween(\"x\");", "ERR: UnParsable date"},
    };
    CHECK(NULL, vectors);
}

static void business(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info '15-Mar-2019'.addBusinessDay(1);", "18-Mar-2019"},
        {"info '23-May-2020'.addBusinessDay(5,{\"Sunday\"},{'25-May-2020'});", "30-May-2020"},
        {"info '21-Jul-2021'.subBusinessDay(5);", "14-Jul-2021"},
        {"info '21-Jul-2021'.subBusinessDay(5,{\"Sunday\"},{'20-Jul-2021','19-Jul-2021'});", "13-Jul-2021"},
        {"info \"1-Jan-2020 "
         "16:00:00\".addBusinessHour(2,{\"Saturday\",\"Sunday\"},{'2-Jan-2020','3-Jan-2020'},{\"start\":\"10\",\"end\":\"17\"});",
         "06-Jan-2020 11:00:00"},
        {"info \"1-Jan-2020\".workDaysList(\"6-Jan-2020\",{\"Saturday\",\"Sunday\"},{'2-Jan-2020'}).size();", "3"},
        {"info '15-Mar-2019'.addBusinessDay(1,{\"Monday\",\"Tuesday\",\"Wednesday\",\"Thursday\",\"Friday\",\"Saturday\",\"Sunday\"});",
         "ERR: addBusinessDay needs at least one day that is no weekend"},
        {"info '15-Mar-2019'.workday(0);", "15-Mar-2019"},
        {"info \"1-Jan-2020 16:00:00\".addBusinessHour(1,{},{},{\"start\":\"26\"});",
         "ERR: Invalid Operation. Value outside 24 hour range"},
    };
    CHECK("Asia/Kolkata", vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(moving), cmocka_unit_test(clocks_change), cmocka_unit_test(differences),
                                       cmocka_unit_test(business)};
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
