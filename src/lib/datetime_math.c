// SPDX-License-Identifier: Apache-2.0
//
// Dates: adding and subtracting units, and differences. Days, weeks, months and years move the calendar in the run's zone, so that noon
// stays noon over a change of clocks; hours and less move the instant. A month that is too short gives its last day. Differences follow
// Zoho's pages, where "between" counts fixed lengths (30 and 365 days) and "Diff" counts the calendar (spec/deluge-builtins.md §4.2).
#include "lib/inside.h"

enum { HOUR_MS = 3600000, MINUTE_MS = 60000, SECOND_MS = 1000, AMOUNT_MAX = 4000000 /* days in 10,000 years and more */ };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

// Moves by calendar months; the day is cut to the month's length, as Java's Calendar does.
static int64_t move_months(int64_t millis, int64_t months, const struct zone *zone)
{
    struct civil civil = calendar_civil(millis, zone);
    int64_t index = (int64_t)civil.year * 12 + (civil.month - 1) + months;
    civil.year = (int)floor_div(index, 12);
    civil.month = (int)(index - (int64_t)civil.year * 12) + 1;
    int days = calendar_month_days(civil.year, civil.month);
    civil.day = civil.day < days ? civil.day : days;
    return calendar_millis(civil, zone);
}

// Amounts are bounded before any multiplication, so that nothing overflows; what leaves the calendar fails in lib_date_return.
static bool read_amount(struct native_call *call, int index, int64_t unit_max, int64_t *ret_amount)
{
    if (!arg_number(call, index, ret_amount)) {
        return false;
    }
    if (*ret_amount < -unit_max || *ret_amount > unit_max) {
        return native_fail(call, "UnParsable date: %s by %lld leaves the calendar", call->native->name, (long long)*ret_amount);
    }
    return true;
}

static bool add_days(struct native_call *call, int direction, int days_each)
{
    struct lib_date date;
    int64_t amount;
    if (!lib_date(call, 0, &date) || !read_amount(call, 1, AMOUNT_MAX, &amount)) {
        return false;
    }
    struct civil civil = calendar_civil(date.millis, call->heap->zone);
    civil.day += (int)amount * direction * days_each;
    date.millis = calendar_millis(civil, call->heap->zone);
    return lib_date_return(call, date);
}

static bool add_months(struct native_call *call, int direction, int months_each)
{
    struct lib_date date;
    int64_t amount;
    if (!lib_date(call, 0, &date) || !read_amount(call, 1, AMOUNT_MAX / 30, &amount)) {
        return false;
    }
    date.millis = move_months(date.millis, amount * direction * months_each, call->heap->zone);
    return lib_date_return(call, date);
}

// A date without time gets one here (documented: '01-Jan-2019'.addHour(1)).
static bool add_millis(struct native_call *call, int direction, int64_t millis_each)
{
    struct lib_date date;
    int64_t amount;
    if (!lib_date(call, 0, &date) || !read_amount(call, 1, (int64_t)AMOUNT_MAX * LIB_DAY_MS / millis_each, &amount)) {
        return false;
    }
    date.millis += amount * direction * millis_each;
    date.has_time = true;
    return lib_date_return(call, date);
}

#define MOVE(name, how, direction, each)                                                                                                   \
    static bool math_##name(struct native_call *call)                                                                                      \
    {                                                                                                                                      \
        return how(call, direction, each);                                                                                                 \
    }

MOVE(add_day, add_days, 1, 1)
MOVE(sub_day, add_days, -1, 1)
MOVE(add_week, add_days, 1, 7)
MOVE(sub_week, add_days, -1, 7)
MOVE(add_month, add_months, 1, 1)
MOVE(sub_month, add_months, -1, 1)
MOVE(add_year, add_months, 1, 12)
MOVE(sub_year, add_months, -1, 12)
MOVE(add_hour, add_millis, 1, HOUR_MS)
MOVE(sub_hour, add_millis, -1, HOUR_MS)
MOVE(add_minutes, add_millis, 1, MINUTE_MS)
MOVE(sub_minutes, add_millis, -1, MINUTE_MS)
MOVE(add_seconds, add_millis, 1, SECOND_MS)
MOVE(sub_seconds, add_millis, -1, SECOND_MS)

static int64_t drop_time(int64_t millis, const struct zone *zone)
{
    struct civil civil = calendar_civil(millis, zone);
    civil.hour = civil.minute = civil.second = civil.millisecond = 0;
    return calendar_millis(civil, zone);
}

// The same day of another month, without its time.
static bool math_edate(struct native_call *call)
{
    struct lib_date date;
    int64_t months;
    if (!lib_date(call, 0, &date) || !read_amount(call, 1, AMOUNT_MAX / 30, &months)) {
        return false;
    }
    int64_t moved = drop_time(move_months(date.millis, months, call->heap->zone), call->heap->zone);
    return lib_date_return(call, (struct lib_date){moved, false});
}

static bool math_eomonth(struct native_call *call)
{
    struct lib_date date;
    int64_t months;
    if (!lib_date(call, 0, &date) || !read_amount(call, 1, AMOUNT_MAX / 30, &months)) {
        return false;
    }
    struct civil civil = calendar_civil(move_months(date.millis, months, call->heap->zone), call->heap->zone);
    civil.day = calendar_month_days(civil.year, civil.month);
    return lib_date_return(call, (struct lib_date){drop_time(calendar_millis(civil, call->heap->zone), call->heap->zone), false});
}

// Strictly after or before: the same weekday is a week away.
static bool move_to_weekday(struct native_call *call, int direction)
{
    struct lib_date date;
    struct view name;
    int weekday;
    if (!lib_date(call, 0, &date) || !arg_text(call, 1, &name) || !lib_weekday_read(call, name, &weekday)) {
        return false;
    }
    struct civil civil = calendar_civil(date.millis, call->heap->zone);
    int days = ((weekday - civil.weekday) * direction + 7) % 7;
    civil.day += direction * (days == 0 ? 7 : days);
    return lib_date_return(call, (struct lib_date){drop_time(calendar_millis(civil, call->heap->zone), call->heap->zone), false});
}

static bool math_next_weekday(struct native_call *call)
{
    return move_to_weekday(call, 1);
}

static bool math_previous_weekday(struct native_call *call)
{
    return move_to_weekday(call, -1);
}

// ---- differences --------------------------------------------------------------------------------

// Start and end of a difference; both may be text.
static bool read_two(struct native_call *call, struct lib_date *ret_start, struct lib_date *ret_end)
{
    return lib_date(call, 0, ret_start) && lib_date(call, 1, ret_end);
}

// Days since 1970 of the shown date, whatever its zone and time.
static int64_t day_number(int64_t millis, const struct zone *zone)
{
    struct civil civil = calendar_civil(millis, zone);
    civil.hour = civil.minute = civil.second = civil.millisecond = 0;
    return floor_div(calendar_millis(civil, NULL), LIB_DAY_MS);
}

static int64_t days_apart(struct native_call *call, struct lib_date start, struct lib_date end)
{
    return day_number(end.millis, call->heap->zone) - day_number(start.millis, call->heap->zone);
}

// Two dates without time: calendar days, so that a change of clocks does not count; else whole days of 24 hours. GUESS.
static bool math_days_between(struct native_call *call)
{
    struct lib_date start, end;
    if (!read_two(call, &start, &end)) {
        return false;
    }
    bool dates = !start.has_time && !end.has_time;
    return lib_return_number(call, dates ? days_apart(call, start, end) : (end.millis - start.millis) / LIB_DAY_MS);
}

static bool math_hours_between(struct native_call *call)
{
    struct lib_date start, end;
    return read_two(call, &start, &end) && lib_return_number(call, (end.millis - start.millis) / HOUR_MS);
}

static bool math_months_between(struct native_call *call)
{
    struct lib_date start, end;
    return read_two(call, &start, &end) && lib_return_number(call, days_apart(call, start, end) / 30);
}

static bool math_years_between(struct native_call *call)
{
    struct lib_date start, end;
    return read_two(call, &start, &end) && lib_return_number(call, days_apart(call, start, end) / 365);
}

// Whole calendar months from start to end; negative when the end is earlier.
static int64_t months_apart(struct native_call *call, struct lib_date start, struct lib_date end)
{
    bool backwards = end.millis < start.millis;
    struct civil a = calendar_civil(backwards ? end.millis : start.millis, call->heap->zone);
    struct civil b = calendar_civil(backwards ? start.millis : end.millis, call->heap->zone);
    int64_t months = ((int64_t)b.year - a.year) * 12 + b.month - a.month - (b.day < a.day);
    return backwards ? -months : months;
}

static bool math_months_diff(struct native_call *call)
{
    struct lib_date start, end;
    return read_two(call, &start, &end) && lib_return_number(call, months_apart(call, start, end));
}

static bool math_years_diff(struct native_call *call)
{
    struct lib_date start, end;
    return read_two(call, &start, &end) && lib_return_number(call, months_apart(call, start, end) / 12);
}

static bool math_year_fraction(struct native_call *call)
{
    struct lib_date start, end;
    return read_two(call, &start, &end) && lib_return_decimal(call, (double)(end.millis - start.millis) / LIB_DAY_MS / 365);
}

// Zoho's page prints 25:10:2, so minutes and seconds are not padded (LIKELY).
static bool math_time_between(struct native_call *call)
{
    struct lib_date start, end;
    if (!read_two(call, &start, &end)) {
        return false;
    }
    int64_t seconds = (end.millis - start.millis) / SECOND_MS;
    int64_t left = seconds < 0 ? -seconds : seconds;
    struct value text = value_text_printf(call->heap, "%s%lld:%lld:%lld", seconds < 0 ? "-" : "", (long long)(left / 3600),
                                          (long long)(left / 60 % 60), (long long)(left % 60));
    return text.type == VALUE_TEXT ? lib_return(call, text) : lib_memory_fail(call);
}

// ---- the table ----------------------------------------------------------------------------------

#define SURE_4 "SURE builtins §4.2"
#define MOVE_ROW(name, fn, doc, example)                                                                                                   \
    {                                                                                                                                      \
        name, LIB_DATED, 2, 2, 0, 4, fn, "date." name "(NUMBER n) → DATE-TIME", doc, example, SURE_4                                       \
    }
#define BETWEEN_ROW(name, fn, result, doc, example)                                                                                        \
    {                                                                                                                                      \
        name, LIB_DATED, 2, 2, 0, 4, fn, "start." name "(DATE end) → " result, doc, example, SURE_4                                        \
    }

static const struct native rows[] = {
    MOVE_ROW("addDay", math_add_day, "n days later.", "info '01-Jan-2019 15:00:00'.addDay(40); => 10-Feb-2019 15:00:00"),
    MOVE_ROW("subDay", math_sub_day, "n days earlier.", "info '01-Jan-2019'.subDay(1); => 31-Dec-2018"),
    MOVE_ROW("addWeek", math_add_week, "n weeks later.", "info '01-Jan-2019'.addWeek(2); => 15-Jan-2019"),
    MOVE_ROW("subWeek", math_sub_week, "n weeks earlier.", "info '15-Jan-2019'.subWeek(2); => 01-Jan-2019"),
    MOVE_ROW("addMonth", math_add_month, "n months later; the last day of a shorter month.",
             "info '01-Jan-2019 15:00:00'.addMonth(13); => 01-Feb-2020 15:00:00"),
    MOVE_ROW("subMonth", math_sub_month, "n months earlier.", "info '01-Jan-2019'.subMonth(1); => 01-Dec-2018"),
    MOVE_ROW("addYear", math_add_year, "n years later.", "info '29-Feb-2020'.addYear(1); => 28-Feb-2021"),
    MOVE_ROW("subYear", math_sub_year, "n years earlier.", "info '01-Jan-2019'.subYear(1); => 01-Jan-2018"),
    MOVE_ROW("addHour", math_add_hour, "n hours later.", "info '01-Jan-2019'.addHour(1); => 01-Jan-2019 01:00:00"),
    MOVE_ROW("subHour", math_sub_hour, "n hours earlier.", "info '01-Jan-2019'.subHour(1); => 31-Dec-2018 23:00:00"),
    MOVE_ROW("addMinutes", math_add_minutes, "n minutes later.", "info '01-Jan-2019 23:59:10'.addMinutes(2); => 02-Jan-2019 00:01:10"),
    MOVE_ROW("subMinutes", math_sub_minutes, "n minutes earlier.", "info '01-Jan-2019'.subMinutes(1); => 31-Dec-2018 23:59:00"),
    MOVE_ROW("addSeconds", math_add_seconds, "n seconds later.", "info '01-Jan-2019'.addSeconds(70); => 01-Jan-2019 00:01:10"),
    MOVE_ROW("subSeconds", math_sub_seconds, "n seconds earlier.", "info '01-Jan-2019'.subSeconds(1); => 31-Dec-2018 23:59:59"),
    {"edate", LIB_DATED, 2, 2, 0, 4, math_edate, "date.edate(NUMBER months) → DATE", "The same day `months` months later, without time.",
     "info '20-May-2013'.edate(3); => 20-Aug-2013", SURE_4},
    {"eomonth", LIB_DATED, 2, 2, 0, 4, math_eomonth, "date.eomonth(NUMBER months) → DATE",
     "The last day of the month `months` months later.", "info '01-Jan-2019'.eomonth(1); => 28-Feb-2019", SURE_4},
    {"nextWeekDay", LIB_DATED, 2, 2, 0, 4, math_next_weekday, "date.nextWeekDay(TEXT day) → DATE",
     "The next day of that name, strictly later.", "info '20-Jul-2021'.nextWeekDay(\"Tuesday\"); => 27-Jul-2021", SURE_4},
    {"previousWeekDay", LIB_DATED, 2, 2, 0, 4, math_previous_weekday, "date.previousWeekDay(TEXT day) → DATE",
     "The last day of that name, strictly earlier.", "info '21-Jul-2021'.previousWeekDay(\"Wednesday\"); => 14-Jul-2021", SURE_4},
    BETWEEN_ROW("daysBetween", math_days_between, "NUMBER", "Days from start to end; negative if the end is earlier.",
                "info '1-Jan-2019'.daysBetween('31-Dec-2019'); => 364"),
    BETWEEN_ROW("days360", math_days_between, "NUMBER", "The same as daysBetween (no year of 360 days, in spite of the name).",
                "info '31-Dec-1989'.days360('01-Jan-1990'); => 1"),
    BETWEEN_ROW("hoursBetween", math_hours_between, "NUMBER", "Whole hours.",
                "info '18-Dec-2019 09:00:00'.hoursBetween('19-Dec-2019 10:00:00'); => 25"),
    BETWEEN_ROW("monthsBetween", math_months_between, "NUMBER", "Months of 30 days.",
                "info '01-Feb-2020'.monthsBetween('01-Mar-2020'); => 0"),
    BETWEEN_ROW("monthsDiff", math_months_diff, "NUMBER", "Whole calendar months.", "info '01-Feb-2020'.monthsDiff('01-Mar-2020'); => 1"),
    BETWEEN_ROW("totalMonth", math_months_diff, "NUMBER", "The same as monthsDiff.", "info '31-Dec-1989'.totalMonth('01-Feb-1990'); => 1"),
    BETWEEN_ROW("totalMonths", math_months_diff, "NUMBER", "The same as monthsDiff.",
                "info '31-Dec-1989'.totalMonths('01-Jan-1990'); => 0"),
    BETWEEN_ROW("yearsBetween", math_years_between, "NUMBER", "Years of 365 days.", "info '1-Jan-2020'.yearsBetween('31-Dec-2020'); => 1"),
    BETWEEN_ROW("yearsDiff", math_years_diff, "NUMBER", "Whole calendar years.", "info '1-Jan-2019'.yearsDiff('31-Dec-2019'); => 0"),
    BETWEEN_ROW("totalYear", math_years_diff, "NUMBER", "The same as yearsDiff.", "info '1-Jan-2019'.totalYear('1-Jan-2020'); => 1"),
    BETWEEN_ROW("totalYears", math_years_diff, "NUMBER", "The same as yearsDiff.", "info '1-Jan-2019'.totalYears('1-Jan-2020'); => 1"),
    BETWEEN_ROW("yearFraction", math_year_fraction, "DECIMAL", "Years of 365 days with their fraction.",
                "info '17-Jan-2019'.yearFraction('29-Jan-2019'); => 0.03287671232876712"),
    BETWEEN_ROW("timeBetween", math_time_between, "TEXT", "Hours, minutes and seconds, as 25:10:2.",
                "info \"6-Jan-2020 10:10:12\".timeBetween(\"7-Jan-2020 11:20:14\"); => 25:10:2"),
};

const struct lib_table lib_datetime_math_table = LIB_TABLE(rows);
