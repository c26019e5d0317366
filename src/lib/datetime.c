// SPDX-License-Identifier: Apache-2.0
//
// Dates: reading them, their parts, and now. A date is an instant that is shown in the zone of the run (heap->zone); DATE has no time of
// day, which survives arithmetic with days and months. Text that holds a date may stand for one everywhere (spec/deluge-builtins.md R7,
// §4.1).
#include "lib/inside.h"

bool lib_date(struct native_call *call, int index, struct lib_date *ret_date)
{
    struct value v = lib_arg(call, index);
    if (v.type == VALUE_DATE || v.type == VALUE_DATETIME) {
        *ret_date = (struct lib_date){v.millis, v.type == VALUE_DATETIME};
        return true;
    }
    if (v.type == VALUE_TEXT && calendar_read(view_trim(value_view(v)), call->heap->zone, &ret_date->millis, &ret_date->has_time)) {
        return true;
    }
    return native_fail(call, "UnParsable date"); // spec/deluge-builtins.md §12
}

struct value lib_date_value(struct lib_date date)
{
    return date.has_time ? value_datetime(date.millis) : value_date(date.millis);
}

bool lib_date_return(struct native_call *call, struct lib_date date)
{
    static const int64_t first = -62135596800000, last = 253402300799999; // years 1 to 9999, UTC
    if (date.millis < first || date.millis > last) {
        return native_fail(call, "UnParsable date: the result is outside the years 1 to 9999");
    }
    return lib_return(call, lib_date_value(date));
}

// The receiver as the calendar of the run's zone shows it.
static bool civil_of(struct native_call *call, struct civil *ret_civil)
{
    struct lib_date date;
    if (!lib_date(call, 0, &date)) {
        return false;
    }
    *ret_civil = calendar_civil(date.millis, call->heap->zone);
    return true;
}

// The day's first instant; where clocks skip midnight, the first one after it.
static int64_t midnight(struct civil civil, const struct zone *zone)
{
    civil.hour = civil.minute = civil.second = civil.millisecond = 0;
    return calendar_millis(civil, zone);
}

// ---- now ----------------------------------------------------------------------------------------

// Read anew at each use, as at Zoho: a long run can see the day change.
static bool date_today(struct native_call *call)
{
    struct civil civil = calendar_civil(clock_wall_ms(), call->heap->zone);
    return lib_return(call, value_date(midnight(civil, call->heap->zone)));
}

static bool date_now(struct native_call *call)
{
    return lib_return(call, value_datetime(clock_wall_ms()));
}

// ---- parts --------------------------------------------------------------------------------------

#define PART(name, expression)                                                                                                             \
    static bool date_##name(struct native_call *call)                                                                                      \
    {                                                                                                                                      \
        struct civil civil;                                                                                                                \
        return civil_of(call, &civil) && lib_return_number(call, (expression));                                                            \
    }

PART(day, civil.day)
PART(month, civil.month)
PART(year, civil.year)
PART(hour, civil.hour)
PART(minute, civil.minute)
PART(second, civil.second)
PART(weekday, civil.weekday)
PART(day_of_year, civil.yearday)

static bool date_get_date(struct native_call *call)
{
    struct civil civil;
    return civil_of(call, &civil) && lib_return(call, value_date(midnight(civil, call->heap->zone)));
}

static bool date_get_datetime(struct native_call *call)
{
    struct lib_date date;
    return lib_date(call, 0, &date) && lib_return(call, value_datetime(date.millis));
}

bool lib_weekday_read(struct native_call *call, struct view name, int *ret_weekday)
{
    static const char *const names[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
    enum { SHORT_NAME = 3 };
    name = view_trim(name);
    for (int i = 0; i < 7; i++) {
        struct view full = view_of(names[i]);
        if (view_eq_nocase(name, full) || view_eq_nocase(name, view_slice(full, 0, SHORT_NAME))) {
            *ret_weekday = i + 1;
            return true;
        }
    }
    return native_fail(call, "'%.*s' is not the English name of a day", VIEW_ARGS(view_slice(name, 0, 40)));
}

// Java's Calendar with weeks that need one day only: the week of the first of January is the first.
static bool date_week_of_year(struct native_call *call)
{
    struct civil civil;
    int start = 1;
    struct view name;
    if (!civil_of(call, &civil) || (call->count > 1 && (!arg_text(call, 1, &name) || !lib_weekday_read(call, name, &start)))) {
        return false;
    }
    int first = ((civil.weekday - civil.yearday) % 7 + 7 + 7 * 60) % 7 + 1; // weekday of the first of January
    int before = (first - start + 7) % 7; // days of the first week that lie in the old year
    // yearday may be beyond the last week that begins in this year; Java then counts week 1 of the next.
    int days = calendar_month_days(civil.year, 2) == 29 ? 366 : 365;
    int into_week = (civil.weekday - start + 7) % 7;
    bool next_year = civil.yearday - into_week + 6 > days;
    return lib_return_number(call, next_year ? 1 : (civil.yearday - 1 + before) / 7 + 1);
}

// Weeks begin on Sunday (spec/deluge-builtins.md §4.2).
static bool start_of(struct native_call *call, bool week)
{
    struct civil civil;
    if (!civil_of(call, &civil)) {
        return false;
    }
    civil.day = week ? civil.day - (civil.weekday - 1) : 1;
    return lib_date_return(call, (struct lib_date){midnight(civil, call->heap->zone), true});
}

static bool date_start_of_week(struct native_call *call)
{
    return start_of(call, true);
}

static bool date_start_of_month(struct native_call *call)
{
    return start_of(call, false);
}

// ---- reading ------------------------------------------------------------------------------------

// Java's parse stops where the pattern ends; "yyyy-MM-dd'T'HH:mm:ss" is applied to texts with a zone behind it. The longest head that fits
// counts.
static bool parse_head(struct view text, struct view pattern, const struct zone *zone, struct lib_date *ret_date)
{
    enum { TAIL_MAX = 64 };
    for (size_t cut = 0; cut < text.len && cut <= TAIL_MAX; cut++) {
        if (calendar_parse(view_slice(text, 0, text.len - cut), pattern, zone, &ret_date->millis, &ret_date->has_time)) {
            return true;
        }
    }
    return false;
}

// "Z" takes +0200 in Java 6; CRM's texts have +02:00, for which Java wants XXX. Corpus scripts use Z for them, so both fit both.
static bool parse_mapped(struct native_call *call, struct view text, struct view pattern, const struct zone *zone,
                         struct lib_date *ret_date)
{
    if (parse_head(text, pattern, zone, ret_date)) {
        return true;
    }
    ptrdiff_t letter = view_find_char(pattern, 'Z');
    if (letter < 0 || letter + 1 != (ptrdiff_t)pattern.len) {
        return false;
    }
    struct buffer changed;
    lib_buffer(call, &changed);
    buffer_add(&changed, view_slice(pattern, 0, (size_t)letter));
    buffer_add(&changed, VIEW("XXX"));
    bool ok = !changed.failed && parse_head(text, buffer_view(&changed), zone, ret_date);
    buffer_free(&changed);
    return ok;
}

// The argument as an instant: a number is milliseconds, a text fits the mapping or any accepted form, a date is itself.
static bool read_date(struct native_call *call, struct lib_date *ret_date)
{
    struct value v = call->args[0];
    struct view pattern, zone_id;
    const struct zone *zone = call->heap->zone;
    if (v.type == VALUE_NUMBER || v.type == VALUE_DECIMAL) {
        ret_date->has_time = true;
        return arg_number(call, 0, &ret_date->millis);
    }
    if (call->count < 2 || v.type != VALUE_TEXT) {
        return lib_date(call, 0, ret_date);
    }
    if (!arg_text(call, 1, &pattern) || (call->count > 2 && !arg_text(call, 2, &zone_id))) {
        return false;
    }
    zone = call->count > 2 ? zone_find(zone_id) : zone;
    return parse_mapped(call, view_trim(value_view(v)), pattern, zone, ret_date) || native_fail(call, "UnParsable date");
}

// The time of day is dropped in the run's zone, not in the zone of the text.
static bool date_to_date(struct native_call *call)
{
    struct lib_date date;
    if (!read_date(call, &date)) {
        return false;
    }
    struct civil civil = calendar_civil(date.millis, call->heap->zone);
    return lib_date_return(call, (struct lib_date){midnight(civil, call->heap->zone), false});
}

static bool date_to_time(struct native_call *call)
{
    struct lib_date date;
    if (!read_date(call, &date)) {
        return false;
    }
    date.has_time = true;
    return lib_date_return(call, date);
}

// A mapping of date letters alone still keeps a time that stands behind the date (spec/deluge-builtins.md §1 toDateTime).
static bool date_to_datetime(struct native_call *call)
{
    struct view pattern;
    struct lib_date date, longer;
    if (call->count == 2 && call->args[0].type == VALUE_TEXT) {
        if (!arg_text(call, 1, &pattern)) {
            return false;
        }
        if (view_find_char(pattern, 'H') < 0 && view_find_char(pattern, 'h') < 0 && view_find_char(pattern, 'k') < 0 &&
            view_find_char(pattern, 'K') < 0) {
            static const char *const times[] = {" HH:mm:ss", " HH:mm", " hh:mm:ss a", " hh:mm a", "'T'HH:mm:ss"};
            for (size_t i = 0; i < BASE_COUNT(times); i++) {
                struct value with_time = value_text_printf(call->heap, "%.*s%s", VIEW_ARGS(pattern), times[i]);
                if (with_time.type == VALUE_TEXT && calendar_parse(view_trim(value_view(call->args[0])), value_view(with_time),
                                                                   call->heap->zone, &longer.millis, &longer.has_time)) {
                    longer.has_time = true;
                    return lib_date_return(call, longer);
                }
            }
        }
    }
    if (!read_date(call, &date)) {
        return false;
    }
    date.has_time = true;
    return lib_date_return(call, date);
}

// ---- zones --------------------------------------------------------------------------------------

// Reads the wall clock that the date shows as being in the zone named (default: the run's own).
static bool date_unix_epoch(struct native_call *call)
{
    struct lib_date date;
    struct view name;
    if (!lib_date(call, 0, &date)) {
        return false;
    }
    if (call->count < 2) {
        return lib_return_number(call, date.millis);
    }
    if (!arg_text(call, 1, &name)) {
        return false;
    }
    return lib_return_number(call, calendar_millis(calendar_civil(date.millis, call->heap->zone), zone_find(name)));
}

static bool date_to_zone_text(struct native_call *call)
{
    struct lib_date date = {.has_time = true};
    struct view pattern, name;
    bool number = call->args[0].type == VALUE_NUMBER;
    if (!(number ? arg_number(call, 0, &date.millis) : lib_date(call, 0, &date)) || !arg_text(call, 1, &pattern) ||
        !arg_text(call, 2, &name)) {
        return false;
    }
    struct buffer out;
    lib_buffer(call, &out);
    calendar_format(&out, date.millis, zone_find(name), pattern);
    return lib_buffer_return(call, &out);
}

// ---- the table ----------------------------------------------------------------------------------

#define SURE_4 "SURE builtins §4.2"
#define PART_ROW(name, fn, result, doc, example)                                                                                           \
    {                                                                                                                                      \
        name, LIB_DATED, 1, 1, 0, 3, fn, "date." name "() → " result, doc, example, SURE_4                                                 \
    }
enum { DATABLE = LIB_DATED | NATIVE_NUMBERS };

static const struct native rows[] = {
    {"today", 0, 0, 0, NATIVE_VARIABLE, 2, date_today, "today → DATE", "The date of today in the org's zone.",
     "info today.toString(\"yyyy\").length(); => 4", SURE_4},
    {"now", 0, 0, 0, NATIVE_VARIABLE, 2, date_now, "now → DATE-TIME", "The date and time of now in the org's zone.",
     "info now.toString(\"HH:mm\").length(); => 5", SURE_4},
    {"zoho.currentdate", 0, 0, 0, NATIVE_VARIABLE, 2, date_today, "zoho.currentdate → DATE", "The date of today in the org's zone.",
     "info zoho.currentdate.toString(\"yyyy-MM-dd\").length(); => 10", "SURE builtins §10"},
    {"zoho.currenttime", 0, 0, 0, NATIVE_VARIABLE, 2, date_now, "zoho.currenttime → DATE-TIME",
     "The date and time of now in the org's zone.", "info zoho.currenttime.toString(\"yyyy-MM-dd'T'HH:mm:ss\").length(); => 19",
     "SURE builtins §10"},
    PART_ROW("day", date_day, "NUMBER", "The day of the month.", "info '08-Jan-2019'.day(); => 8"),
    PART_ROW("getDay", date_day, "NUMBER", "The same as day.", "info '08-Jan-2019'.getDay(); => 8"),
    PART_ROW("month", date_month, "NUMBER", "The month, from 1.", "info '08-Jan-2019'.month(); => 1"),
    PART_ROW("getMonth", date_month, "NUMBER", "The same as month.", "info '08-Jan-2019'.getMonth(); => 1"),
    PART_ROW("year", date_year, "NUMBER", "The year.", "info '08-Jan-2019'.year(); => 2019"),
    PART_ROW("getYear", date_year, "NUMBER", "The same as year.", "info '08-Jan-2019'.getYear(); => 2019"),
    PART_ROW("hour", date_hour, "NUMBER", "The hour, 0 to 23.", "info '01-Jan-2019 23:15:10'.hour(); => 23"),
    PART_ROW("getHour", date_hour, "NUMBER", "The same as hour.", "info '01-Jan-2019 23:15:10'.getHour(); => 23"),
    PART_ROW("minute", date_minute, "NUMBER", "The minute.", "info '01-Jan-2019 23:15:10'.minute(); => 15"),
    PART_ROW("getMinutes", date_minute, "NUMBER", "The same as minute.", "info '01-Jan-2019 23:15:10'.getMinutes(); => 15"),
    PART_ROW("second", date_second, "NUMBER", "The second.", "info '01-Jan-2019 23:15:10'.second(); => 10"),
    PART_ROW("getSeconds", date_second, "NUMBER", "The same as second.", "info '01-Jan-2019 23:15:10'.getSeconds(); => 10"),
    PART_ROW("getDayOfWeek", date_weekday, "NUMBER", "The day of the week, Sunday is 1.", "info '15-Mar-2019'.getDayOfWeek(); => 6"),
    PART_ROW("weekday", date_weekday, "NUMBER", "The same as getDayOfWeek.", "info '15-Mar-2019'.weekday(); => 6"),
    PART_ROW("getDayOfYear", date_day_of_year, "NUMBER", "The day of the year, from 1.", "info '01-Feb-2019'.getDayOfYear(); => 32"),
    {"getWeekOfYear", LIB_DATED, 1, 2, 0, 4, date_week_of_year, "date.getWeekOfYear(TEXT first_day?) → NUMBER",
     "The week of the year; the one with the first of January is 1. Weeks begin on Sunday unless a day is named.",
     "info '7-Feb-2021'.getWeekOfYear();\ninfo '7-Feb-2021'.getWeekOfYear(\"Monday\"); => 7\n6", SURE_4},
    PART_ROW("getDate", date_get_date, "DATE", "The date without its time.", "info '01-Jan-2019 23:15:10'.getDate(); => 01-Jan-2019"),
    PART_ROW("getDateTime", date_get_datetime, "DATE-TIME", "The date with its time.",
             "info '01-Jan-2019 23:15:10'.getDateTime(); => 01-Jan-2019 23:15:10"),
    PART_ROW("getTime", date_get_datetime, "DATE-TIME", "The same as getDateTime.",
             "info '01-Jan-2019 23:15:10'.getTime(); => 01-Jan-2019 23:15:10"),
    PART_ROW("toStartOfWeek", date_start_of_week, "DATE-TIME", "Midnight of the Sunday that begins the week.",
             "info '15-Mar-2019 15:00:00'.toStartOfWeek(); => 10-Mar-2019 00:00:00"),
    PART_ROW("toStartOfMonth", date_start_of_month, "DATE-TIME", "Midnight of the first of the month.",
             "info '15-Mar-2019 15:00:00'.toStartOfMonth(); => 01-Mar-2019 00:00:00"),
    {"toDate", DATABLE, 1, 2, 0, 6, date_to_date, "value.toDate(TEXT mapping?) → DATE",
     "The date that a text holds, in any accepted form or as the mapping says; milliseconds and dates are taken too. The time is dropped.",
     "info toDate(\"01,11,2019 1:30:00 pm\",\"MM,d,yyyy\"); => 11-Jan-2019", "SURE builtins §1"},
    {"dateValue", DATABLE, 1, 2, 0, 6, date_to_date, "value.dateValue() → DATE", "Old name of toDate.",
     "info \"2019-01-11\".dateValue(); => 11-Jan-2019", "LIKELY builtins §4.2"},
    {"toTime", DATABLE, 1, 3, 0, 6, date_to_time, "value.toTime(TEXT mapping?, TEXT zone?) → DATE-TIME",
     "The date and time that a text holds, in any accepted form or as the mapping says, read in the zone named.",
     "info \"2024-10-19T19:00:00\".toTime(\"yyyy-MM-dd'T'HH:mm:ss\"); => 19-Oct-2024 19:00:00", "SURE builtins §1"},
    {"toDateTime", DATABLE, 1, 3, 0, 6, date_to_datetime, "value.toDateTime(TEXT mapping?) → DATE-TIME",
     "As toTime; a time behind the date is kept even when the mapping does not name it.",
     "info toDateTime(\"01-11-2019 13:30:00\",\"MM-d-yyyy\"); => 11-Jan-2019 13:30:00", "SURE builtins §1"},
    {"unixEpoch", LIB_DATED, 1, 2, 0, 4, date_unix_epoch, "date.unixEpoch(TEXT zone?) → NUMBER",
     "Milliseconds since 1970 of the shown date and time, read as being in the zone named; an unknown zone is GMT.",
     "info \"03-Feb-2020 03:48:12\".unixEpoch(\"Asia/Calcutta\"); => 1580681892000", SURE_4},
    {"toDateTimeString", DATABLE, 3, 3, 0, 6, date_to_zone_text, "value.toDateTimeString(TEXT pattern, TEXT zone) → TEXT",
     "Milliseconds or a date in a Java date pattern, in a zone.",
     "info 0.toDateTimeString(\"yyyy-MM-dd HH:mm\",\"GMT+5:30\"); => 1970-01-01 05:30", "SURE builtins §1"},
};

const struct lib_table lib_datetime_table = LIB_TABLE(rows);
