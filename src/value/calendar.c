// SPDX-License-Identifier: Apache-2.0
//
// calendar: instants and the proleptic Gregorian calendar in a zone, and the two fixed forms in which dates are printed. All arithmetic is
// on 64-bit millis; years so far away that they do not fit are clamped, so that no input overflows.
//
// The hard thing is a wall-clock time that a zone has twice or not at all: see calendar_millis.
#include "value/inside.h"

enum { CALENDAR_YEAR_MAX = 250 * 1000 * 1000 };
static const int64_t DAY_MS = 86400000, CALENDAR_MILLIS_MAX = INT64_MAX - 200 * INT64_C(86400000);
static const char MONTH_SHORT[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

// Rounds down, as days before 1970 need; C rounds to zero.
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int calendar_month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int index = (int)(((int64_t)month - 1) % 12 + 12) % 12;
    return index == 1 && is_leap(year + floor_div((int64_t)month - 1, 12)) ? 29 : days[index];
}

// Days from 1970-01-01 to the first of March of `year`, from where a year's days are counted: February, with its leap day, comes last.
static int64_t march_days(int64_t year)
{
    return 365 * year + floor_div(year, 4) - floor_div(year, 100) + floor_div(year, 400) - 719468;
}

// Days from the first of March to the first of a month (0 = March): 153 days in every five months.
static int64_t days_before(int64_t month_from_march)
{
    return (153 * month_from_march + 2) / 5;
}

// Days are counted from the first of March, so that a leap day is the last of its year.
struct civil calendar_civil(int64_t millis, const struct zone *zone)
{
    millis = millis > CALENDAR_MILLIS_MAX ? CALENDAR_MILLIS_MAX : millis < -CALENDAR_MILLIS_MAX ? -CALENDAR_MILLIS_MAX : millis;
    millis += zone_offset_ms(zone, millis, NULL, NULL);
    int64_t day = floor_div(millis, DAY_MS);
    int in_day = (int)(millis - day * DAY_MS);
    // A guess that is never too small by more than the division's rounding, then corrected.
    int64_t year = floor_div((day + 719468) * 400, 146097);
    while (march_days(year) > day) {
        year--;
    }
    while (march_days(year + 1) <= day) {
        year++;
    }
    int64_t in_year = day - march_days(year), month = (5 * in_year + 2) / 153;
    struct civil civil = {
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(in_year - days_before(month)) + 1,
        .hour = in_day / 3600000,
        .minute = in_day / 60000 % 60,
        .second = in_day / 1000 % 60,
        .millisecond = in_day % 1000,
        .weekday = (int)(((day + 4) % 7 + 7) % 7) + 1,
    };
    year += month >= 10;
    civil.year = (int)year;
    civil.yearday = (int)(day - march_days(year - 1) - days_before(10)) + 1;
    return civil;
}

// Wall-clock millis as if the zone were UTC; every field may be out of range.
static int64_t wall_millis(const struct civil *civil)
{
    int64_t month = (int64_t)civil->month - 1, year = civil->year + floor_div(month, 12);
    month -= floor_div(month, 12) * 12;
    year = year > CALENDAR_YEAR_MAX ? CALENDAR_YEAR_MAX : year < -CALENDAR_YEAR_MAX ? -CALENDAR_YEAR_MAX : year;
    int64_t days = month < 2 ? march_days(year - 1) + days_before(month + 10) : march_days(year) + days_before(month - 2);
    return (days + civil->day - 1) * DAY_MS + civil->hour * INT64_C(3600000) + civil->minute * INT64_C(60000) +
           civil->second * INT64_C(1000) + civil->millisecond;
}

int64_t calendar_millis(struct civil civil, const struct zone *zone)
{
    int64_t wall = wall_millis(&civil);
    if (!zone) {
        return wall;
    }
    // Offsets a day before and after: equal nearly always. Where they differ, a time that fits the earlier offset is the first of two; one
    // that fits neither lies in a gap and moves on by its length, which is what reading it with the earlier offset does.
    int before = zone_offset_ms(zone, wall - DAY_MS, NULL, NULL), after = zone_offset_ms(zone, wall + DAY_MS, NULL, NULL);
    if (before == after || zone_offset_ms(zone, wall - before, NULL, NULL) == before) {
        return wall - before;
    }
    return zone_offset_ms(zone, wall - after, NULL, NULL) == after ? wall - after : wall - before;
}

// ---- fixed forms --------------------------------------------------------------------------------

// The caller has reduced the number to two digits.
static char *print_two(char *out, int number)
{
    out[0] = (char)('0' + number / 10);
    out[1] = (char)('0' + number % 10);
    return out + 2;
}

static char *print_clock(char *out, const struct civil *civil)
{
    out = print_two(out, civil->hour);
    *out++ = ':';
    out = print_two(out, civil->minute);
    *out++ = ':';
    return print_two(out, civil->second);
}

// At least four digits. A year before 1 prints as Java's year of the era does, which goes by without a sign.
static char *print_year(char *out, int year)
{
    int of_era = year > 0 ? year : 1 - year;
    if (of_era < 10000) {
        out = print_two(out, of_era / 100);
        return print_two(out, of_era % 100);
    }
    return out + int64_print(out, of_era);
}

void calendar_print_default(struct buffer *out, struct value v, const struct zone *zone)
{
    char text[64], *at = text;
    struct civil civil = calendar_civil(v.millis, v.type == VALUE_TIME ? NULL : zone);
    if (v.type != VALUE_TIME) {
        at = print_two(at, civil.day);
        *at++ = '-';
        memcpy(at, MONTH_SHORT + 3 * (civil.month - 1), 3);
        at[3] = '-';
        at = print_year(at + 4, civil.year);
    }
    if (v.type == VALUE_DATETIME) {
        *at++ = ' ';
    }
    if (v.type != VALUE_DATE) {
        at = print_clock(at, &civil);
    }
    buffer_add(out, (struct view){text, (size_t)(at - text)});
}

// The form in which the CRM's API gives times.
void calendar_print_iso(struct buffer *out, int64_t millis, const struct zone *zone)
{
    char text[64], *at = text;
    struct civil civil = calendar_civil(millis, zone);
    int minutes = zone_offset_ms(zone, millis, NULL, NULL) / 60000, distance = minutes < 0 ? -minutes : minutes;
    at = print_year(at, civil.year);
    *at++ = '-';
    at = print_two(at, civil.month);
    *at++ = '-';
    at = print_two(at, civil.day);
    *at++ = 'T';
    at = print_clock(at, &civil);
    *at++ = minutes < 0 ? '-' : '+';
    at = print_two(at, distance / 60);
    *at++ = ':';
    at = print_two(at, distance % 60);
    buffer_add(out, (struct view){text, (size_t)(at - text)});
}
