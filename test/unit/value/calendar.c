// SPDX-License-Identifier: Apache-2.0
// Civil dates, zones and their change-overs. Vectors marked "unixEpoch" are Zoho's own (spec/deluge-builtins.md §4.2).
#include "common.h"

static int64_t at_in(const char *zone, int year, int month, int day, int hour, int minute, int second)
{
    struct civil civil = {year, month, day, hour, minute, second, 0, 0, 0};
    return calendar_millis(civil, zone ? zone_find(view_of(zone)) : NULL);
}

static void iso_is(const char *zone, int64_t millis, const char *wanted, const char *file, int line)
{
    struct buffer out;
    buffer_init(&out, 1000);
    calendar_print_iso(&out, millis, zone ? zone_find(view_of(zone)) : NULL);
    view_is(buffer_view(&out), view_of(wanted), file, line);
    buffer_free(&out);
}
#define assert_iso(zone, millis, wanted) iso_is((zone), (millis), (wanted), __FILE__, __LINE__)

static void the_epoch(void **state)
{
    (void)state;
    struct civil c = calendar_civil(0, NULL);
    assert_int_equal(c.year, 1970);
    assert_int_equal(c.month, 1);
    assert_int_equal(c.day, 1);
    assert_int_equal(c.weekday, 5);
    assert_int_equal(c.yearday, 1);
    assert_int_equal(at_in(NULL, 1970, 1, 1, 0, 0, 0), 0);
}

static void before_the_epoch(void **state)
{
    (void)state;
    struct civil c = calendar_civil(-1, NULL);
    assert_int_equal(c.year, 1969);
    assert_int_equal(c.yearday, 365);
    assert_int_equal(c.hour, 23);
    assert_int_equal(c.millisecond, 999);
}

// Each day of eight centuries follows the one before it.
static void every_day_follows_its_yesterday(void **state)
{
    (void)state;
    struct civil yesterday = calendar_civil(at_in(NULL, 1599, 12, 31, 0, 0, 0), NULL);
    for (int64_t millis = at_in(NULL, 1600, 1, 1, 0, 0, 0); yesterday.year < 2401; millis += 86400000) {
        struct civil c = calendar_civil(millis, NULL);
        bool new_month = yesterday.day == calendar_month_days(yesterday.year, yesterday.month);
        assert_int_equal(c.day, new_month ? 1 : yesterday.day + 1);
        assert_int_equal(c.month, new_month ? yesterday.month % 12 + 1 : yesterday.month);
        assert_int_equal(c.weekday, yesterday.weekday % 7 + 1);
        assert_int_equal(c.yearday, c.month == 1 && c.day == 1 ? 1 : yesterday.yearday + 1);
        assert_int_equal(calendar_millis(c, NULL), millis);
        yesterday = c;
    }
}

static void month_days(void **state)
{
    (void)state;
    assert_int_equal(calendar_month_days(2020, 2), 29);
    assert_int_equal(calendar_month_days(2019, 2), 28);
    assert_int_equal(calendar_month_days(1900, 2), 28);
    assert_int_equal(calendar_month_days(2000, 2), 29);
    assert_int_equal(calendar_month_days(2019, 14), 29); // carries into 2020
    assert_int_equal(calendar_month_days(2019, 4), 30);
}

static void fields_out_of_range_carry_over(void **state)
{
    (void)state;
    assert_iso(NULL, at_in(NULL, 2019, 13, 1, 0, 0, 0), "2020-01-01T00:00:00+00:00");
    assert_iso(NULL, at_in(NULL, 2020, 0, 1, 0, 0, 0), "2019-12-01T00:00:00+00:00");
    assert_iso(NULL, at_in(NULL, 2020, -11, 1, 0, 0, 0), "2019-01-01T00:00:00+00:00");
    assert_iso(NULL, at_in(NULL, 2020, 2, 30, 25, 61, 61), "2020-03-02T02:02:01+00:00");
    assert_iso(NULL, at_in(NULL, 2020, 3, 0, 0, 0, -1), "2020-02-28T23:59:59+00:00");
}

static void extremes_do_not_overflow(void **state)
{
    (void)state;
    static const int extremes[] = {INT32_MIN, -1, 0, 1, INT32_MAX};
    for (size_t i = 0; i < BASE_COUNT(extremes); i++) {
        int64_t millis = at_in("America/New_York", extremes[i], extremes[i], extremes[i], extremes[i], extremes[i], extremes[i]);
        calendar_civil(millis, zone_find(VIEW("America/New_York")));
    }
    assert_true(calendar_civil(INT64_MAX, zone_find(VIEW("Asia/Kolkata"))).year > 200000000);
    assert_true(calendar_civil(INT64_MIN, zone_find(VIEW("America/New_York"))).year < -200000000);
}

static void unix_epoch_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        int64_t millis;
    } vectors[] = {{"Asia/Calcutta", 1580681892000}, {"Asia/Kolkata", 1580681892000}, {"GMT-8", 1580730492000}, {"EST", 1580719692000},
                   {"SST", 1580662092000},           {"UTC+8", 1580701692000},        {"Hello", 1580701692000}};
    for (size_t i = 0; i < BASE_COUNT(vectors); i++) {
        assert_int_equal(at_in(vectors[i].zone, 2020, 2, 3, 3, 48, 12), vectors[i].millis);
    }
}

static void fixed_legacy_ids_have_no_summer(void **state)
{
    (void)state;
    assert_iso("EST", at_in(NULL, 2020, 7, 1, 12, 0, 0), "2020-07-01T07:00:00-05:00");
    assert_iso("MST", at_in(NULL, 2020, 7, 1, 12, 0, 0), "2020-07-01T05:00:00-07:00");
    assert_iso("HST", at_in(NULL, 2020, 7, 1, 12, 0, 0), "2020-07-01T02:00:00-10:00");
    assert_iso("PST", at_in(NULL, 2020, 7, 1, 12, 0, 0), "2020-07-01T05:00:00-07:00");
    assert_iso("IST", at_in(NULL, 2020, 7, 1, 12, 0, 0), "2020-07-01T17:30:00+05:30");
    assert_iso("JST", at_in(NULL, 2020, 7, 1, 12, 0, 0), "2020-07-01T21:00:00+09:00");
}

static void custom_ids(void **state)
{
    (void)state;
    static const char *const same[] = {"GMT+5:30", "GMT+05:30", "GMT+530", "GMT+0530"};
    for (size_t i = 0; i < BASE_COUNT(same); i++) {
        assert_int_equal(zone_offset_ms(zone_find(view_of(same[i])), 0, NULL, NULL), 19800000);
        assert_view(zone_name(zone_find(view_of(same[i]))), "GMT+05:30");
    }
    assert_int_equal(zone_offset_ms(zone_find(VIEW("GMT-8")), 0, NULL, NULL), -8 * 3600000);
    assert_int_equal(zone_offset_ms(zone_find(VIEW("GMT+14")), 0, NULL, NULL), 14 * 3600000);
}

static void everything_else_is_gmt(void **state)
{
    (void)state;
    static const char *const names[] = {"",          "Hello",  "GMT+24",   "GMT+5:60",       "GMT+:30",     "GMT+5:3",       "GMT+12345",
                                        "GMT+",      "UTC+8",  "gmt+5",    "../passwd",      "/etc/passwd", "Europe/../UTC", "posixrules",
                                        "right/UTC", "Europe", "zone.tab", "Europe//London", "leapseconds", "Europe/",       "GMT+-5",
                                        "GMT++5"};
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        const struct zone *zone = zone_find(view_of(names[i]));
        assert_int_equal(zone_offset_ms(zone, 1600000000000, NULL, NULL), 0);
        assert_view(zone_name(zone), "GMT");
        assert_false(zone_exists(view_of(names[i])));
    }
}

static void real_zones_exist(void **state)
{
    (void)state;
    assert_true(zone_exists(VIEW("Europe/London")));
    assert_true(zone_exists(VIEW("America/Argentina/Buenos_Aires")));
    assert_true(zone_exists(VIEW("UTC")));
    assert_false(zone_exists(VIEW("GMT+05:30")));
    assert_ptr_equal(zone_find(VIEW("Europe/London")), zone_find(VIEW("Europe/London")));
    assert_view(zone_name(zone_find(VIEW("Europe/London"))), "Europe/London");
    assert_view(zone_name(NULL), "UTC");
    assert_true(zone_name(zone_local()).len > 0);
}

static void summer_time(void **state)
{
    (void)state;
    bool dst;
    struct view name;
    const struct zone *berlin = zone_find(VIEW("Europe/Berlin"));
    assert_int_equal(zone_offset_ms(berlin, at_in(NULL, 2024, 7, 1, 0, 0, 0), &dst, &name), 7200000);
    assert_true(dst);
    assert_view(name, "CEST");
    assert_int_equal(zone_offset_ms(berlin, at_in(NULL, 2024, 1, 1, 0, 0, 0), &dst, &name), 3600000);
    assert_false(dst);
    assert_view(name, "CET");
}

// To the second, in the table and far behind it, where the rule of the file's last line decides.
static void change_overs_are_exact(void **state)
{
    (void)state;
    static const int years[] = {1999, 2024, 2037, 2038, 2099, 2400};
    static const int days[] = {28, 31, 29, 28, 29, 26}; // last Sunday of March
    const struct zone *berlin = zone_find(VIEW("Europe/Berlin"));
    for (size_t i = 0; i < BASE_COUNT(years); i++) {
        int64_t change = at_in(NULL, years[i], 3, days[i], 1, 0, 0);
        assert_int_equal(zone_offset_ms(berlin, change - 1, NULL, NULL), 3600000);
        assert_int_equal(zone_offset_ms(berlin, change, NULL, NULL), 7200000);
    }
}

static void the_southern_half_year(void **state)
{
    (void)state;
    assert_iso("Australia/Sydney", at_in(NULL, 2090, 1, 1, 0, 0, 0), "2090-01-01T11:00:00+11:00");
    assert_iso("Australia/Sydney", at_in(NULL, 2090, 7, 1, 0, 0, 0), "2090-07-01T10:00:00+10:00");
    assert_iso("Australia/Lord_Howe", at_in(NULL, 2090, 1, 1, 0, 0, 0), "2090-01-01T11:00:00+11:00");
    assert_iso("Australia/Lord_Howe", at_in(NULL, 2090, 7, 1, 0, 0, 0), "2090-07-01T10:30:00+10:30");
    assert_iso("Europe/Dublin", at_in(NULL, 2090, 7, 1, 0, 0, 0), "2090-07-01T01:00:00+01:00");
    assert_iso("America/Santiago", at_in(NULL, 2090, 1, 1, 12, 0, 0), "2090-01-01T09:00:00-03:00");
}

static void a_gap_moves_on(void **state)
{
    (void)state;
    assert_iso("America/New_York", at_in("America/New_York", 2024, 3, 10, 2, 30, 0), "2024-03-10T03:30:00-04:00");
    assert_iso("America/New_York", at_in("America/New_York", 2024, 3, 10, 1, 59, 59), "2024-03-10T01:59:59-05:00");
    assert_iso("America/New_York", at_in("America/New_York", 2024, 3, 10, 3, 0, 0), "2024-03-10T03:00:00-04:00");
    assert_iso("America/New_York", at_in("America/New_York", 2124, 3, 12, 2, 30, 0), "2124-03-12T03:30:00-04:00");
}

static void an_overlap_takes_the_first(void **state)
{
    (void)state;
    assert_iso("America/New_York", at_in("America/New_York", 2024, 11, 3, 1, 30, 0), "2024-11-03T01:30:00-04:00");
    assert_iso("America/New_York", at_in("America/New_York", 2024, 11, 3, 2, 0, 0), "2024-11-03T02:00:00-05:00");
    assert_iso("Europe/Berlin", at_in("Europe/Berlin", 2024, 10, 27, 2, 30, 0), "2024-10-27T02:30:00+02:00");
}

static void every_hour_comes_back(void **state)
{
    (void)state;
    static const char *const zones[] = {"America/New_York", "Asia/Kolkata",        "Europe/Dublin",
                                        "Pacific/Apia",     "Australia/Lord_Howe", "Africa/Casablanca"};
    for (size_t i = 0; i < BASE_COUNT(zones); i++) {
        const struct zone *zone = zone_find(view_of(zones[i]));
        for (int64_t millis = at_in(NULL, 2011, 12, 1, 0, 0, 0); millis < at_in(NULL, 2013, 1, 1, 0, 0, 0); millis += 1800000) {
            int64_t back = calendar_millis(calendar_civil(millis, zone), zone);
            assert_true(back == millis || (back < millis && millis - back <= 3600000)); // the second of two equal times
        }
    }
}

static void before_1900_todays_standard_time_holds(void **state)
{
    (void)state;
    assert_iso("Asia/Kolkata", at_in("Europe/Moscow", 19, 1, 11, 13, 30, 0), "0019-01-11T16:00:00+05:30");
    assert_iso("America/New_York", at_in(NULL, 1850, 7, 1, 12, 0, 0), "1850-07-01T07:00:00-05:00");
}

static void iso_of_odd_offsets(void **state)
{
    (void)state;
    assert_iso("Asia/Kolkata", 1721122767000, "2024-07-16T15:09:27+05:30");
    assert_iso("America/St_Johns", at_in(NULL, 2024, 1, 1, 0, 0, 0), "2023-12-31T20:30:00-03:30");
    assert_iso(NULL, 1721122767000, "2024-07-16T09:39:27+00:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAP_TEST(the_epoch),
        HEAP_TEST(before_the_epoch),
        HEAP_TEST(every_day_follows_its_yesterday),
        HEAP_TEST(month_days),
        HEAP_TEST(fields_out_of_range_carry_over),
        HEAP_TEST(extremes_do_not_overflow),
        HEAP_TEST(unix_epoch_vectors),
        HEAP_TEST(fixed_legacy_ids_have_no_summer),
        HEAP_TEST(custom_ids),
        HEAP_TEST(everything_else_is_gmt),
        HEAP_TEST(real_zones_exist),
        HEAP_TEST(summer_time),
        HEAP_TEST(change_overs_are_exact),
        HEAP_TEST(the_southern_half_year),
        HEAP_TEST(a_gap_moves_on),
        HEAP_TEST(an_overlap_takes_the_first),
        HEAP_TEST(every_hour_comes_back),
        HEAP_TEST(before_1900_todays_standard_time_holds),
        HEAP_TEST(iso_of_odd_offsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
