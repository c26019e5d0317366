// SPDX-License-Identifier: Apache-2.0
//
// Dates: business days and hours. A business calendar is a bit a weekday and a set of holidays; both come as lists in the call. Days are
// counted by number (days since 1970 of the shown date), so that neither zones nor changes of clocks matter.
#include "lib/inside.h"

enum { ALL_DAYS = 0xFE, WEEKEND = 1 << 1 | 1 << 7 /* Sunday, Saturday */, STEPS_MAX = 1000000 };

struct business {
    int weekends; // bit 1 Sunday … bit 7 Saturday
    struct map *holidays; // day numbers
};

static int64_t day_of(int64_t millis, const struct zone *zone)
{
    struct civil civil = calendar_civil(millis, zone);
    civil.hour = civil.minute = civil.second = civil.millisecond = 0;
    return calendar_millis(civil, NULL) / LIB_DAY_MS - (calendar_millis(civil, NULL) % LIB_DAY_MS < 0);
}

// The instant of a time of day on a day, in the run's zone.
static int64_t instant_of(int64_t day, int64_t day_millis, const struct zone *zone)
{
    struct civil civil = calendar_civil(day * LIB_DAY_MS + day_millis, NULL);
    return calendar_millis(civil, zone);
}

static bool read_weekends(struct native_call *call, int index, int *ret_weekends)
{
    struct list *names;
    if (!lib_list(call, index, &names)) {
        return false;
    }
    int weekends = 0;
    for (uint32_t i = 0; i < names->count; i++) {
        int weekday;
        if (!lib_weekday_read(call, value_view_or(names->items[i], VIEW("")), &weekday)) {
            return false;
        }
        weekends |= 1 << weekday;
    }
    if (weekends == ALL_DAYS) {
        return native_fail(call, "%s needs at least one day that is no weekend", call->native->name);
    }
    *ret_weekends = weekends;
    return true;
}

static bool read_holidays(struct native_call *call, int index, struct map *ret_holidays)
{
    struct list *dates;
    if (!lib_list(call, index, &dates)) {
        return false;
    }
    for (uint32_t i = 0; i < dates->count; i++) {
        struct native_call item = *call;
        struct lib_date date;
        item.args = &dates->items[i];
        item.count = 1;
        if (lib_interrupted(call) || !lib_date(&item, 0, &date)) {
            return false;
        }
        if (!map_put(call->heap, ret_holidays, value_number(day_of(date.millis, call->heap->zone)), value_bool(true))) {
            return lib_memory_fail(call);
        }
    }
    lib_cost_elements(call, dates->count * 8);
    return true;
}

// Weekends stand in argument `index`, holidays behind them; both may be left out.
static bool read_business(struct native_call *call, int index, struct business *ret_business)
{
    struct value holidays = value_map(call->heap, 0);
    if (holidays.type != VALUE_MAP) {
        return lib_memory_fail(call);
    }
    *ret_business = (struct business){WEEKEND, holidays.map};
    return (call->count <= index || read_weekends(call, index, &ret_business->weekends)) &&
           (call->count <= index + 1 || read_holidays(call, index + 1, holidays.map));
}

// Asked once a day that is passed; a business calendar without holidays costs two operations.
static bool is_business(const struct business *business, int64_t day)
{
    int weekday = (int)(((day + 4) % 7 + 7) % 7) + 1; // the first of January 1970 was a Thursday
    bool holiday = false;
    if (business->holidays->count > 0) {
        map_get(business->holidays, value_number(day), &holiday);
    }
    return !holiday && (business->weekends & 1 << weekday) == 0;
}

// ---- days ---------------------------------------------------------------------------------------

// The start itself never counts, business day or not: from a Saturday, one day on is Monday.
static bool move_business_days(struct native_call *call, int direction)
{
    struct lib_date date;
    struct business business;
    int64_t amount;
    if (!lib_date(call, 0, &date) || !arg_number(call, 1, &amount) || !read_business(call, 2, &business)) {
        return false;
    }
    if (amount < -STEPS_MAX || amount > STEPS_MAX) {
        return native_fail(call, "%s takes at most %d days", call->native->name, STEPS_MAX);
    }
    int64_t day = day_of(date.millis, call->heap->zone), left = amount < 0 ? -amount : amount;
    int step = amount < 0 ? -direction : direction;
    for (size_t steps = 0; left > 0; steps++) {
        day += step;
        left -= is_business(&business, day);
        if (lib_interrupted(call)) {
            return false;
        }
        if (steps > (size_t)STEPS_MAX * 8) { // holidays cannot be endless, but a list of them may be long
            return native_fail(call, "%s found no business day", call->native->name);
        }
        call->cost += 1;
    }
    return lib_date_return(call, (struct lib_date){instant_of(day, 0, call->heap->zone), false});
}

static bool business_add_day(struct native_call *call)
{
    return move_business_days(call, 1);
}

static bool business_sub_day(struct native_call *call)
{
    return move_business_days(call, -1);
}

// Business days from the receiver to the end, both included.
static bool business_list(struct native_call *call)
{
    struct lib_date start, end;
    struct business business;
    struct value list;
    if (!lib_date(call, 0, &start) || !lib_date(call, 1, &end) || !read_business(call, 2, &business) || !lib_list_new(call, 0, &list)) {
        return false;
    }
    int64_t last = day_of(end.millis, call->heap->zone), first = day_of(start.millis, call->heap->zone);
    if (last - first > STEPS_MAX) {
        return native_fail(call, "%s takes at most %d days", call->native->name, STEPS_MAX);
    }
    for (int64_t day = first; day <= last; day++) {
        if (lib_interrupted(call)) {
            return false;
        }
        if (is_business(&business, day) && !lib_push(call, list.list, value_date(instant_of(day, 0, call->heap->zone)))) {
            return false;
        }
        call->cost += 1;
    }
    return lib_return(call, list);
}

// ---- hours --------------------------------------------------------------------------------------

// "10", "10:30" or 10 as milliseconds of the day.
static bool read_hour(struct native_call *call, const struct map *hours, struct view key, int64_t *ret_millis)
{
    struct value v = map_get_text(hours, key);
    if (v.type == VALUE_NULL) {
        return true; // the default stays
    }
    struct view rest = v.type == VALUE_TEXT ? value_view(v) : VIEW("");
    struct view hour_text = view_trim(view_cut(&rest, ':'));
    int64_t hour = v.type == VALUE_NUMBER ? v.number : -1, minute = 0;
    if (v.type == VALUE_TEXT && (!view_to_int64(hour_text, &hour) || (rest.len > 0 && !view_to_int64(view_trim(rest), &minute)))) {
        hour = -1;
    }
    if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || (hour == 24 && minute > 0)) {
        return native_fail(call, "Invalid Operation. Value outside 24 hour range");
    }
    *ret_millis = (hour * 60 + minute) * 60000;
    return true;
}

// Walks day by day: each business day gives what lies between now (or opening) and closing, until the hours are used up.
static bool business_add_hour(struct native_call *call)
{
    struct lib_date date;
    struct business business;
    struct map *hours;
    double amount;
    int64_t opens = 9 * 3600000, closes = 18 * 3600000; // without a map: nine to six, GUESS
    if (!lib_date(call, 0, &date) || !arg_decimal(call, 1, &amount) || !read_business(call, 2, &business)) {
        return false;
    }
    if (call->count > 4 &&
        (!lib_map(call, 4, &hours) || !read_hour(call, hours, VIEW("start"), &opens) || !read_hour(call, hours, VIEW("end"), &closes))) {
        return false;
    }
    if (!(amount >= 0 && amount <= STEPS_MAX) || closes <= opens) {
        return native_fail(call, "%s needs hours from 0 to %d and a start before the end", call->native->name, STEPS_MAX);
    }
    int64_t left = (int64_t)(amount * 3600000), day = day_of(date.millis, call->heap->zone);
    struct civil civil = calendar_civil(date.millis, call->heap->zone);
    int64_t at = ((civil.hour * 60 + civil.minute) * 60 + civil.second) * 1000LL;
    for (size_t steps = 0;; steps++, day++, at = opens) {
        if (lib_interrupted(call)) {
            return false;
        }
        if (steps > (size_t)STEPS_MAX * 8) {
            return native_fail(call, "%s found no business day", call->native->name);
        }
        call->cost += 1;
        if (!is_business(&business, day) || at >= closes) {
            continue;
        }
        at = at < opens ? opens : at;
        if (left <= closes - at) {
            break;
        }
        left -= closes - at;
    }
    return lib_date_return(call, (struct lib_date){instant_of(day, at + left, call->heap->zone), true});
}

// ---- the table ----------------------------------------------------------------------------------

#define SURE_4 "SURE builtins §4.2"
#define ADD_DAY(name)                                                                                                                      \
    {                                                                                                                                      \
        name, LIB_DATED, 2, 4, 0, 8, business_add_day, "date." name "(NUMBER n, LIST weekends?, LIST holidays?) → DATE",                   \
            "n business days later. Weekends are English day names, Saturday and Sunday unless named.",                                    \
            "info '15-Mar-2019'." name "(1);\ninfo '23-May-2020'." name "(5,{\"Sunday\"},{'25-May-2020'}); => 18-Mar-2019\n30-May-2020",   \
            SURE_4                                                                                                                         \
    }

static const struct native rows[] = {
    ADD_DAY("addBusinessDay"),
    ADD_DAY("workday"),
    {"subBusinessDay", LIB_DATED, 2, 4, 0, 8, business_sub_day, "date.subBusinessDay(NUMBER n, LIST weekends?, LIST holidays?) → DATE",
     "n business days earlier.", "info '21-Jul-2021'.subBusinessDay(5); => 14-Jul-2021", SURE_4},
    {"workDaysList", LIB_DATED, 2, 4, 0, 8, business_list, "date.workDaysList(DATE end, LIST weekends?, LIST holidays?) → LIST",
     "The business days from the date to the end, both included.", "info \"3-Jan-2020\".workDaysList(\"6-Jan-2020\").size(); => 2", SURE_4},
    {"addBusinessHour", LIB_DATED, 2, 5, 0, 8, business_add_hour,
     "date.addBusinessHour(NUMBER n, LIST weekends?, LIST holidays?, MAP hours?) → DATE-TIME",
     "n hours later, counting the hours between \"start\" and \"end\" of business days alone.",
     "info \"1-Jan-2020 "
     "16:00:00\".addBusinessHour(2,{\"Saturday\",\"Sunday\"},{'2-Jan-2020','3-Jan-2020'},{\"start\":\"10\",\"end\":\"17\"}); => "
     "06-Jan-2020 11:00:00",
     SURE_4},
};

const struct lib_table lib_business_table = LIB_TABLE(rows);
