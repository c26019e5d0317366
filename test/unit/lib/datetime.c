// SPDX-License-Identifier: Apache-2.0
//
// Dates: documented vectors of spec/deluge-builtins.md §4 and §1, zones, and changes of clocks.
#include "deluge.h"

static void epoch_vectors(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info \"03-Feb-2020 03:48:12\".unixEpoch(\"Asia/Calcutta\");", "1580681892000"},
        {"info \"03-Feb-2020 03:48:12\".unixEpoch(\"GMT-8\");", "1580730492000"},
        {"info \"03-Feb-2020 03:48:12\".unixEpoch(\"EST\");", "1580719692000"},
        {"info \"03-Feb-2020 03:48:12\".unixEpoch(\"SST\");", "1580662092000"},
        {"info \"03-Feb-2020 03:48:12\".unixEpoch(\"UTC+8\");", "1580701692000"},
        {"info \"03-Feb-2020 03:48:12\".unixEpoch(\"Hello\");", "1580701692000"},
        {"info \"03-Feb-2020 03:48:12\".unixEpoch();", "1580730492000"},
    };
    CHECK("America/Los_Angeles", vectors);
}

static void parts(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"d = '08-Jan-2019';\ninfo d.day() + \",\" + d.getMonth() + \",\" + d.getYear() + \",\" + d.hour() + \",\" + d.getMinutes();",
         "8,1,2019,0,0"},
        {"info '01-Jan-2019 23:15:10'.hour() + \",\" + '01-Jan-2019 23:15:10'.getSeconds();", "23,10"},
        {"info '15-Mar-2019'.getDayOfWeek() + \",\" + '31-Dec-2020'.getDayOfYear();", "6,366"},
        {"info '7-Feb-2021'.getWeekOfYear() + \",\" + '7-Feb-2021'.getWeekOfYear(\"Monday\") + \",\" + '31-Dec-2019'.getWeekOfYear() + "
         "\",\" + "
         "'1-Jan-2021'.getWeekOfYear();",
         "7,6,1,1"},
        {"info '15-Mar-2019 15:00:00'.toStartOfWeek();\ninfo '15-Mar-2019 15:00:00'.toStartOfMonth();",
         "10-Mar-2019 00:00:00\n01-Mar-2019 00:00:00"},
        {"info \"2024-05-01T23:30:00+02:00\".hour();", "21"},
        {"info \"nonsense\".getDay();", "ERR: UnParsable date"},
        {"info '01-Jan-2019 10:00:00'.getDate();", "01-Jan-2019"},
        {"info \"02/04/2020\".text(\"DDD\") + \",\" + \"02/04/2020\".text(\"MM\") + \",\" + \"02/04/2020\".text(\"EEEE\");",
         "035,02,Tuesday"},
    };
    CHECK(NULL, vectors);
}

static void reading(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info toDate(\"01,11,2019 1:30:00 pm\",\"MM,d,yyyy\");", "11-Jan-2019"},
        {"info toTime(\"01,11,19 1:30:00 pm\",\"MM,d,yyyy hh:mm:ss a\",\"Europe/Moscow\").getYear();", "19"},
        {"info toDateTime(\"01-11-2019 13:30:00\",\"MM-d-yy\");", "11-Jan-2019 13:30:00"},
        {"info \"2024-10-19T19:00:00-05:00\".toTime(\"yyyy-MM-dd'T'HH:mm:ss\");", "19-Oct-2024 19:00:00"},
        {"info \"2024-10-19T19:00:00+02:00\".toTime(\"yyyy-MM-dd'T'HH:mm:ssZ\").toString(\"HH:mm\",\"UTC\");", "17:00"},
        {"info \"2024-10-19T19:00:00+0200\".toTime(\"yyyy-MM-dd'T'HH:mm:ssZ\").toString(\"HH:mm\",\"UTC\");", "17:00"},
        {"info '1-Jan-1990 20:50:36'.toTime().toString(\"yyyy-MM-dd HH:mm:ss\");", "1990-01-01 20:50:36"},
        {"info 0.toTime().toString(\"HH:mm\",\"UTC\");", "00:00"},
        {"info \"2024-10-19\".toDate();\ninfo '19-Oct-2024 10:00:00'.toDate();", "19-Oct-2024\n19-Oct-2024"},
        {"info \"x\".toDate();", "ERR: UnParsable date"},
        {"info \"2019\".toTime(\"MM-dd\");", "ERR: UnParsable date"},
        {"info 9223372036854775807.toTime();", "ERR: UnParsable date: the result is outside the years 1 to 9999"},
    };
    CHECK("Asia/Kolkata", vectors);
}

static void now_is_in_the_zone(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info zoho.currentdate.toString(\"HH:mm:ss\") + \",\" + today.toString(\"HH:mm\");", "00:00:00,00:00"},
        {"d = zoho.currenttime;\ninfo d.toLong() > 1700000000000 && zoho.currentdate.toLong() <= d.toLong();", "true"},
        {"info now.getYear() >= 2024;", "true"},
    };
    CHECK("Pacific/Auckland", vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(epoch_vectors), cmocka_unit_test(parts), cmocka_unit_test(reading),
                                       cmocka_unit_test(now_is_in_the_zone)};
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
