// SPDX-License-Identifier: Apache-2.0
// Dates as text: the accepted literals, and Java patterns in both directions (spec/deluge-builtins.md §1, §4.1).
#include "common.h"

static const struct zone *kolkata;

static int setup(void **state)
{
    kolkata = zone_find(VIEW("Asia/Kolkata"));
    return heap_setup(state);
}
#define DATE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, heap_teardown)

static void formats_as(int64_t millis, const struct zone *zone, const char *pattern, const char *wanted, const char *file, int line)
{
    struct buffer out;
    buffer_init(&out, 10000);
    calendar_format(&out, millis, zone, view_of(pattern));
    view_is(buffer_view(&out), view_of(wanted), file, line);
    buffer_free(&out);
}
#define FORMATS(text, pattern, wanted) formats_as(instant(text), kolkata, (pattern), (wanted), __FILE__, __LINE__)

static int64_t instant(const char *text)
{
    int64_t millis = 0;
    bool has_time;
    if (!calendar_read(view_of(text), kolkata, &millis, &has_time)) {
        fail_msg("%s does not read", text);
    }
    return millis;
}

// ---- literals -----------------------------------------------------------------------------------

static void documented_date_forms(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "03-Feb-20",
        "03-Feb-2020",
        "03-February-20",
        "03-February-2020",
        "02-03-20",
        "2020-02-03",
        "02-03-2020",
        "03/Feb/20",
        "03/Feb/2020",
        "03/February/20",
        "03/February/2020",
        "02/03/20",
        "2020/02/03",
        "02/03/2020",
        "03.Feb.20",
        "03.Feb.2020",
        "03.February.20",
        "03.February.2020",
        "02.03.20",
        "2020.02.03",
        "02.03.2020",
        "03 Feb,2020",
        "Feb 03,2020",
        "03 February 2020",
        "February 03 2020",
        "Feb 03, 2020",
        "Monday,February 03,2020",
        "Mon,February 03,2020",
        "3-Feb-2020",
        "3 feb 2020",
        "3-FEB-2020",
        "Feb-03-2020",
        "2020-Feb-03",
        "Monday, February 3, 2020",
        "Mon Feb 3 2020",
        "2/3/2020",
        "03-Feb-2020 ",
        "2020-2-3",
        " 03-Feb-2020",
        "03 Feb 20",
        "February 3, 2020",
    };
    for (size_t i = 0; i < BASE_COUNT(forms); i++) {
        int64_t millis;
        bool has_time = true;
        if (!calendar_read(view_of(forms[i]), kolkata, &millis, &has_time) || millis != 1580668200000 || has_time) {
            fail_msg("%s does not read as 3 February 2020", forms[i]);
        }
    }
}

static void days_that_cannot_be_months_come_first(void **state)
{
    (void)state;
    FORMATS("13-02-2020", "yyyy-MM-dd", "2020-02-13");
    FORMATS("31/12/19", "yyyy-MM-dd", "2019-12-31");
    FORMATS("99-12-31", "yyyy-MM-dd", "1999-12-31");
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } forms[] = {
        {"1-Jan-1990 20:50:36", "1990-01-01 20:50:36.000"},        {"01-Jan-2020 9:05", "2020-01-01 09:05:00.000"},
        {"01-Jan-2020 01:30:00 pm", "2020-01-01 13:30:00.000"},    {"01-Jan-2020 12:30 AM", "2020-01-01 00:30:00.000"},
        {"01-Jan-2020 12:30 PM", "2020-01-01 12:30:00.000"},       {"01-Jan-2020 1:30pm", "2020-01-01 13:30:00.000"},
        {"2020-01-01T10:11:12", "2020-01-01 10:11:12.000"},        {"2020-01-01T10:11:12.5", "2020-01-01 10:11:12.500"},
        {"2020-01-01T10:11:12.123456", "2020-01-01 10:11:12.123"}, {"2020-01-01T10:11:12Z", "2020-01-01 15:41:12.000"},
        {"2020-01-01T10:11:12+02:00", "2020-01-01 13:41:12.000"},  {"2020-01-01T10:11:12-0500", "2020-01-01 20:41:12.000"},
        {"2020-01-01 10:11:12 GMT+1", "2020-01-01 14:41:12.000"},  {"2020-01-01 10:11:12 Europe/Moscow", "2020-01-01 12:41:12.000"},
        {"Jan 1, 2020, 10:11 PM", "2020-01-01 22:11:00.000"},      {"Wed Jan 01 00:00:00 PST 2020", "2020-01-01 13:30:00.000"},
    };
    for (size_t i = 0; i < BASE_COUNT(forms); i++) {
        FORMATS(forms[i].text, "yyyy-MM-dd HH:mm:ss.SSS", forms[i].wanted);
    }
    int64_t millis;
    bool has_time = false;
    assert_true(calendar_read(VIEW("01-Jan-2020 00:00:00"), kolkata, &millis, &has_time));
    assert_true(has_time);
}

static void times_out_of_range_are_reset(void **state)
{
    (void)state;
    FORMATS("01-Jan-2020 24:10:10", "HH:mm:ss", "00:00:00");
    FORMATS("01-Jan-2020 10:60:10", "HH:mm:ss", "10:00:00");
    FORMATS("01-Jan-2020 10:10:60", "HH:mm:ss", "10:10:00");
}

static void what_is_no_date(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "hello",
        "100",
        "2020",
        "1.2.3",
        "19:00:00",
        "30-Feb-2020",
        "29-Feb-2019",
        "31-Apr-2020",
        "01-Foo-2020",
        "01-13-2020x",
        "32-01-2020",
        "13-13-2020",
        "01-Jan-12345",
        "12345-01-01",
        "01-Jan-2020 100:00:00",
        "01-Jan-2020 10:100:00",
        "01-Jan-2020 10",
        "01-Jan-2020 10:00:00 x",
        "01-Jan-",
        "01-Jan",
        "Jan",
        "1 2 2020",
        "01-02/2020",
        "00-Jan-2020",
        "2020-00-01",
        "2020-01-00",
        "01-Jan-2020T",
        "2020-01-01T10:00:00+99:00",
        "--",
        "Monday",
        "Monday,",
        "01-Jan-2020-10:00",
        "192.168.0.1",
    };
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        int64_t millis;
        bool has_time;
        if (calendar_read(view_of(bad[i]), kolkata, &millis, &has_time)) {
            fail_msg("%s should not read", bad[i]);
        }
    }
}

static void two_digit_years_lie_around_today(void **state)
{
    (void)state;
    int now = calendar_civil(clock_wall_ms(), NULL).year;
    for (int year = now - 79; year < now + 20; year++) {
        char text[32], wanted[8];
        snprintf(text, sizeof text, "01-Jan-%02d", year % 100);
        snprintf(wanted, sizeof wanted, "%d", year);
        FORMATS(text, "yyyy", wanted);
    }
}

static void the_year_19(void **state)
{
    (void)state;
    FORMATS("11-Jan-0019 16:00:00", "dd-MMM-yyyy HH:mm:ss", "11-Jan-0019 16:00:00");
}

// ---- printing patterns --------------------------------------------------------------------------

static void pattern_letters(void **state)
{
    (void)state;
    const char *when = "2020-02-04T15:06:07.089";
    static const struct {
        const char *pattern, *wanted;
    } cases[] = {
        {"dd-MMM-yyyy HH:mm:ss", "04-Feb-2020 15:06:07"},
        {"MMM dd, yy 'at' hh:mm:ss, E", "Feb 04, 20 at 03:06:07, Tue"},
        {"yyyyMMdd'T'HHmmss", "20200204T150607"},
        {"y yy yyy yyyy yyyyy", "2020 20 2020 2020 02020"},
        {"M MM MMM MMMM L LL LLL", "2 02 Feb February 2 02 Feb"},
        {"d dd D DDD", "4 04 35 035"},
        {"E EEE EEEE u", "Tue Tue Tuesday 2"},
        {"H k K h a", "15 15 3 3 PM"},
        {"m s S SSS", "6 7 89 089"},
        {"w W F", "6 2 1"},
        {"G", "AD"},
        {"z Z X XX XXX", "IST +0530 +05 +0530 +05:30"},
        {"YYYY-MM-dd", "2020-02-04"},
        {"'it''s' yyyy ''", "it's 2020 '"},
        {"yyyy 'open", "2020 open"},
        {"yyyy-MM-dd'T'HH:mm:ss'-03:00'", "2020-02-04T15:06:07-03:00"},
        {"bb", "bb"},
        {"é/dd", "é/04"},
        {"", ""},
    };
    for (size_t i = 0; i < BASE_COUNT(cases); i++) {
        FORMATS(when, cases[i].pattern, cases[i].wanted);
    }
}

static void midnight_and_noon(void **state)
{
    (void)state;
    FORMATS("01-Jan-2020 00:30:00", "H k K h a", "0 24 0 12 AM");
    FORMATS("01-Jan-2020 12:30:00", "H k K h a", "12 12 0 12 PM");
}

static void weeks_and_week_years(void **state)
{
    (void)state;
    FORMATS("7-Feb-2021", "w", "7"); // Zoho's example of getWeekOfYear
    FORMATS("29-Dec-2019", "w YYYY yyyy", "1 2020 2019");
    FORMATS("28-Dec-2019", "w YYYY", "52 2019");
    FORMATS("01-Jan-2022", "w YYYY W", "1 2022 1");
    FORMATS("02-Jan-2022", "w u W", "2 7 2");
}

static void zones_in_patterns(void **state)
{
    (void)state;
    formats_as(0, NULL, "z Z X XXX", "UTC +0000 Z Z", __FILE__, __LINE__);
    formats_as(0, zone_find(VIEW("GMT-3:30")), "z Z X XXX", "GMT-03:30 -0330 -03 -03:30", __FILE__, __LINE__);
    formats_as(1600000000000, zone_find(VIEW("America/Sao_Paulo")), "z", "GMT-03:00", __FILE__, __LINE__);
    formats_as(1600000000000, zone_find(VIEW("America/New_York")), "z", "EDT", __FILE__, __LINE__);
}

static void a_huge_width_is_cut(void **state)
{
    (void)state;
    char pattern[5001];
    memset(pattern, 'd', sizeof pattern - 1);
    pattern[5000] = '\0';
    struct buffer out;
    buffer_init(&out, 100000);
    calendar_format(&out, 0, NULL, view_of(pattern));
    assert_true(out.len < 100);
    buffer_free(&out);
}

// ---- reading patterns ---------------------------------------------------------------------------

static void parses_as(const char *text, const char *pattern, const char *zone, const char *wanted, const char *file, int line)
{
    int64_t millis;
    bool has_time;
    if (!calendar_parse(view_of(text), view_of(pattern), zone_find(view_of(zone)), &millis, &has_time)) {
        print_error("%s does not read as %s\n", text, pattern);
        _fail(file, line);
    }
    formats_as(millis, kolkata, has_time ? "dd-MMM-yyyy HH:mm:ss" : "dd-MMM-yyyy", wanted, file, line);
}
#define PARSES(text, pattern, zone, wanted) parses_as((text), (pattern), (zone), (wanted), __FILE__, __LINE__)

static void documented_patterns(void **state)
{
    (void)state;
    PARSES("01,11,19 1:30:00 pm", "MM,d,yyyy hh:mm:ss a", "Europe/Moscow", "11-Jan-0019 16:00:00");
    PARSES("01,11,2019 1:30:00 pm", "MM,d,yyyy hh:mm:ss a", "Asia/Kolkata", "11-Jan-2019 13:30:00");
    PARSES("01-11-2019 13:30:00", "MM-d-yy", "Asia/Kolkata", "11-Jan-2019 13:30:00");
    PARSES("01,11,2019 1:30:00 pm", "MM,d,yyyy", "Asia/Kolkata", "11-Jan-2019 13:30:00");
    PARSES("2024-10-19T19:00:00-05:00", "yyyy-MM-dd'T'HH:mm:ss", "Asia/Kolkata", "19-Oct-2024 19:00:00");
}

static void zones_in_texts(void **state)
{
    (void)state;
    static const char *const same[] = {
        "2024-01-01T12:00:00+0200", "2024-01-01T12:00:00+02:00", "2024-01-01T12:00:00 +02",          "2024-01-01T10:00:00Z",
        "2024-01-01T10:00:00GMT",   "2024-01-01T05:00:00EST",    "2024-01-01T13:00:00Europe/Moscow", "2024-01-01T15:30:00IST"};
    for (size_t i = 0; i < BASE_COUNT(same); i++) {
        PARSES(same[i], "yyyy-MM-dd'T'HH:mm:ssZ", "America/New_York", "01-Jan-2024 15:30:00");
        PARSES(same[i], "yyyy-MM-dd'T'HH:mm:ssX", "America/New_York", "01-Jan-2024 15:30:00");
        PARSES(same[i], "yyyy-MM-dd'T'HH:mm:ssz", "America/New_York", "01-Jan-2024 15:30:00");
    }
}

static void numbers_that_abut(void **state)
{
    (void)state;
    PARSES("20240131", "yyyyMMdd", "Asia/Kolkata", "31-Jan-2024");
    PARSES("20240131235958", "yyyyMMddHHmmss", "Asia/Kolkata", "31-Jan-2024 23:59:58");
    PARSES("240131", "yyMMdd", "Asia/Kolkata", "31-Jan-2024");
}

static void names_in_texts(void **state)
{
    (void)state;
    PARSES("Wednesday, 31 january 2024", "EEEE, dd MMMM yyyy", "Asia/Kolkata", "31-Jan-2024");
    PARSES("Wed 31-JAN-2024", "E dd-MMM-yyyy", "Asia/Kolkata", "31-Jan-2024");
    PARSES("31 Jan 2024 12:15 am", "dd MMM yyyy hh:mm a", "Asia/Kolkata", "31-Jan-2024 00:15:00");
    PARSES("31 Jan 2024 12:15 PM", "dd MMM yyyy KK:mm a", "Asia/Kolkata", "31-Jan-2024 12:15:00");
    PARSES("0044-03-15 BC", "yyyy-MM-dd G", "Asia/Kolkata", "15-Mar-0044");
}

static void days_of_the_year(void **state)
{
    (void)state;
    PARSES("2024-060", "yyyy-DDD", "Asia/Kolkata", "29-Feb-2024");
    PARSES("2023-060", "yyyy-DDD", "Asia/Kolkata", "01-Mar-2023");
}

static void missing_fields_have_javas_defaults(void **state)
{
    (void)state;
    PARSES("10:30", "HH:mm", "Asia/Kolkata", "01-Jan-1970 10:30:00");
    PARSES("24:30", "kk:mm", "Asia/Kolkata", "01-Jan-1970 00:30:00");
    PARSES("2024", "yyyy", "Asia/Kolkata", "01-Jan-2024");
    PARSES("31.1.2024 and more", "d.M.yyyy", "Asia/Kolkata", "31-Jan-2024");
}

static void texts_that_do_not_fit(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"x", "yyyy"},
        {"", "yyyy"},
        {"2024", ""},
        {"2024-13-01", "yyyy-MM-dd"},
        {"2023-02-29", "yyyy-MM-dd"},
        {"2024/01/01", "yyyy-MM-dd"},
        {"01-Jan-2020", "dd-MM-yyyy"},
        {"01-01-2020", "dd-MMM-yyyy"},
        {"25:00", "HH:mm"},
        {"10:60", "HH:mm"},
        {"13:00 pm", "hh:mm a"},
        {"10:00", "HH:mm a"},
        {"2023-366", "yyyy-DDD"},
        {"10:00 nowhere", "HH:mm z"},
        {"AC", "G"},
        {"2024", "yyyyb"},
    };
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        int64_t millis;
        bool has_time;
        if (calendar_parse(view_of(bad[i][0]), view_of(bad[i][1]), kolkata, &millis, &has_time)) {
            fail_msg("%s should not read as %s", bad[i][0], bad[i][1]);
        }
    }
}

static void what_is_printed_reads_back(void **state)
{
    (void)state;
    static const char *const patterns[] = {"yyyy-MM-dd'T'HH:mm:ss.SSSZ", "EEEE, MMMM d, yyyy h:mm:ss.SSS a XXX", "D yyyy HHmmssSSS z",
                                           "yyyyMMddHHmmssSSSX"};
    static const int64_t instants[] = {0, 1580681892123, -1, 4102444800000, -2208988800000, 951782399999};
    for (size_t i = 0; i < BASE_COUNT(patterns); i++) {
        for (size_t k = 0; k < BASE_COUNT(instants); k++) {
            struct buffer out;
            int64_t millis = 0;
            bool has_time;
            buffer_init(&out, 1000);
            const struct zone *zone = zone_find(VIEW("GMT+3"));
            calendar_format(&out, instants[k], zone, view_of(patterns[i]));
            if (!calendar_parse(buffer_view(&out), view_of(patterns[i]), kolkata, &millis, &has_time) || millis != instants[k]) {
                fail_msg("%s does not read back with %s", buffer_text(&out), patterns[i]);
            }
            buffer_free(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATE_TEST(documented_date_forms),
        DATE_TEST(days_that_cannot_be_months_come_first),
        DATE_TEST(times),
        DATE_TEST(times_out_of_range_are_reset),
        DATE_TEST(what_is_no_date),
        DATE_TEST(two_digit_years_lie_around_today),
        DATE_TEST(the_year_19),
        DATE_TEST(pattern_letters),
        DATE_TEST(midnight_and_noon),
        DATE_TEST(weeks_and_week_years),
        DATE_TEST(zones_in_patterns),
        DATE_TEST(a_huge_width_is_cut),
        DATE_TEST(documented_patterns),
        DATE_TEST(zones_in_texts),
        DATE_TEST(numbers_that_abut),
        DATE_TEST(names_in_texts),
        DATE_TEST(days_of_the_year),
        DATE_TEST(missing_fields_have_javas_defaults),
        DATE_TEST(texts_that_do_not_fit),
        DATE_TEST(what_is_printed_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
