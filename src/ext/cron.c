// SPDX-License-Identifier: Apache-2.0
// Cron expressions: five fields (minute, hour, day of month, month, day of week) with `*`, numbers, names, ranges, lists and steps, and
// @hourly, @daily, @weekly, @monthly, @yearly. As in every cron, a day fits when it fits either day field where both are restricted.
//
// Times are the clock's of a zone, and clocks are put forward and back. A schedule that names its hours comes once for each time that it
// names: a time that is left out comes as much later as the clock was put forward (02:30 at 03:30), one that happens twice comes the first
// time. One that runs in every hour follows the time that passes: it neither makes up for an hour that was left out nor skips the one that
// happens twice.
#include "ext/ext.h"

enum {
    HOUR_MS = 3600000,
    MINUTE_MS = 60000,
    DAYS_MAX = 366 * 9, // two 29ths of February are at most eight years apart
    EVERY_HOUR = 0xFFFFFF,
};

// ---- reading ------------------------------------------------------------------------------------

struct field {
    const char *name;
    int lowest, highest;
    const char *const *words; // NULL, or names of lowest, lowest + 1 …
};
static const char *const month_words[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const day_words[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
enum { MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS, FIELDS };
static const struct field fields[FIELDS] = {
    [MINUTES] = {"minute", 0, 59, NULL},           [HOURS] = {"hour", 0, 23, NULL},
    [DAYS] = {"day of month", 1, 31, NULL},        [MONTHS] = {"month", 1, 12, month_words},
    [WEEKDAYS] = {"day of week", 0, 7, day_words},
};

static bool wrong(const struct field *field, struct view text, struct fail *fail)
{
    enum { SHOWN = 40 };
    return fail_set(fail, FAIL_INVALID_DATA, "\"%.*s\" is no %s (%d to %d%s): *, 5, 1-5, 1,15, */10 and 1-30/5 are",
                    (int)(text.len < SHOWN ? text.len : SHOWN), text.data, field->name, field->lowest, field->highest,
                    field->words ? ", or three letters of its name" : "");
}

static bool read_number(const struct field *field, struct view text, int *ret_number)
{
    int number = 0;
    for (int i = 0; field->words && field->words[i]; i++) {
        if (view_eq_nocase(text, view_of(field->words[i]))) {
            *ret_number = field->lowest + i;
            return true;
        }
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || i > 2) {
            return false;
        }
        number = number * 10 + (text.data[i] - '0');
    }
    *ret_number = number;
    return text.len > 0 && number >= field->lowest && number <= field->highest;
}

// One item of a list: "*", "7", "1-5", each but a lone number maybe with "/step".
static bool read_item(const struct field *field, struct view item, uint64_t *bits)
{
    bool stepped = view_find_char(item, '/') >= 0;
    struct view step_text = item, range = view_cut(&step_text, '/'), high = range, low = view_cut(&high, '-');
    bool ranged = view_find_char(range, '-') >= 0, all = view_eq(range, VIEW("*"));
    int first = field->lowest, last = field->highest - (field == &fields[WEEKDAYS]), step = 1;
    if (!all && (!read_number(field, low, &first) || !(ranged ? read_number(field, high, &last) : (last = first, true)))) {
        return false;
    }
    int64_t number = 1;
    if (stepped && (!view_to_int64(step_text, &number) || number < 1 || number > field->highest || (!all && !ranged))) {
        return false;
    }
    step = (int)number;
    for (int i = first; i <= last; i += step) {
        *bits |= 1ull << i;
    }
    return first <= last;
}

static bool read_field(const struct field *field, struct view text, uint64_t *ret_bits, struct fail *fail)
{
    struct view rest = text;
    *ret_bits = 0;
    do {
        bool more = view_find_char(rest, ',') >= 0;
        struct view item = view_cut(&rest, ',');
        if (!read_item(field, item, ret_bits) || (more && !rest.len)) {
            return wrong(field, text, fail);
        }
    } while (rest.len);
    return true;
}

static struct view shorthand(struct view text)
{
    static const struct {
        const char *name;
        struct view fields;
    } rows[] = {
        {"@hourly", VIEW("0 * * * *")},  {"@daily", VIEW("0 0 * * *")},  {"@midnight", VIEW("0 0 * * *")}, {"@weekly", VIEW("0 0 * * 0")},
        {"@monthly", VIEW("0 0 1 * *")}, {"@yearly", VIEW("0 0 1 1 *")}, {"@annually", VIEW("0 0 1 1 *")},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        if (view_eq_nocase(text, view_of(rows[i].name))) {
            return rows[i].fields;
        }
    }
    return text;
}

// The next word; blanks and tabs divide.
static struct view next_word(struct view *rest)
{
    size_t start = 0, end;
    while (start < rest->len && (rest->data[start] == ' ' || rest->data[start] == '\t')) {
        start++;
    }
    for (end = start; end < rest->len && rest->data[end] != ' ' && rest->data[end] != '\t';) {
        end++;
    }
    struct view word = view_slice(*rest, start, end - start);
    *rest = view_from(*rest, end);
    return word;
}

bool ext_cron_read(struct view text, struct ext_cron *ret_cron, struct fail *fail)
{
    uint64_t bits[FIELDS];
    struct view rest = shorthand(view_trim(text)), words[FIELDS];
    if (text.len > EXT_CRON_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "a cron expression has at most %d bytes", EXT_CRON_MAX);
    }
    for (int i = 0; i < FIELDS; i++) {
        words[i] = next_word(&rest);
    }
    if (!words[FIELDS - 1].len || view_trim(rest).len) {
        return fail_set(fail, FAIL_INVALID_DATA,
                        "\"%.*s\" is no cron expression: it has five fields (minute hour day month weekday), or is one of @hourly, @daily, "
                        "@weekly, @monthly, @yearly",
                        VIEW_ARGS(view_slice(text, 0, utf8_clamp(text, 80))));
    }
    for (int i = 0; i < FIELDS; i++) {
        if (!read_field(&fields[i], words[i], &bits[i], fail)) {
            return false;
        }
    }
    *ret_cron = (struct ext_cron){.minutes = bits[MINUTES],
                                  .hours = (uint32_t)bits[HOURS],
                                  .days = (uint32_t)bits[DAYS],
                                  .months = (uint32_t)bits[MONTHS],
                                  .weekdays = (uint32_t)((bits[WEEKDAYS] | bits[WEEKDAYS] >> 7) & 0x7F), // 7 is Sunday, too
                                  .any_day = words[DAYS].data[0] == '*',
                                  .any_weekday = words[WEEKDAYS].data[0] == '*'};
    return true;
}

// ---- the next time ------------------------------------------------------------------------------

static bool fits_day(const struct ext_cron *cron, const struct civil *civil)
{
    bool day = cron->days >> civil->day & 1, weekday = cron->weekdays >> (civil->weekday - 1) & 1;
    if (!(cron->months >> civil->month & 1)) {
        return false;
    }
    return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

// Midnight (or the first moment) of the day that is `days` behind `from`'s, always later than `from` for days > 0.
static int64_t midnight(struct civil from, int days, const struct zone *zone)
{
    return calendar_millis((struct civil){.year = from.year, .month = from.month, .day = from.day + days}, zone);
}

// Every hour: step through the time that passes.
static bool next_passing(const struct ext_cron *cron, int64_t after_ms, const struct zone *zone, int64_t *ret_ms)
{
    int64_t at = after_ms - (after_ms % MINUTE_MS + MINUTE_MS) % MINUTE_MS + MINUTE_MS;
    for (int days = 0; days < DAYS_MAX;) {
        struct civil civil = calendar_civil(at, zone);
        if (!fits_day(cron, &civil)) {
            int64_t next = midnight(civil, 1, zone);
            at = next > at ? next : at + HOUR_MS;
            days++;
        } else if (cron->minutes >> civil.minute & 1) {
            *ret_ms = at;
            return true;
        } else {
            at += MINUTE_MS;
        }
    }
    return false;
}

// The first of one day's times that is later; 0 if there is none. Times that a clock change moves may overtake others, so all are looked
// at.
static int64_t first_of_day(const struct ext_cron *cron, const struct civil *day, int64_t after_ms, const struct zone *zone)
{
    int64_t first = 0;
    for (int hour = 0; hour < 24; hour++) {
        for (int minute = 0; (cron->hours >> hour & 1) && minute < 60; minute++) {
            if (!(cron->minutes >> minute & 1)) {
                continue;
            }
            int64_t at = calendar_millis(
                (struct civil){.year = day->year, .month = day->month, .day = day->day, .hour = hour, .minute = minute}, zone);
            if (at > after_ms && (first == 0 || at < first)) {
                first = at;
            }
        }
    }
    return first;
}

// Named hours: the day's own times, in civil order. One day more is looked at, because a time that was moved may land in it.
static bool next_named(const struct ext_cron *cron, int64_t after_ms, const struct zone *zone, int64_t *ret_ms)
{
    struct civil start = calendar_civil(after_ms, NULL);
    int64_t first = 0;
    bool last_look = false;
    for (int i = -2; i < DAYS_MAX; i++) {
        int64_t noon = calendar_millis((struct civil){.year = start.year, .month = start.month, .day = start.day + i, .hour = 12}, NULL);
        struct civil day = calendar_civil(noon, NULL);
        int64_t at = fits_day(cron, &day) ? first_of_day(cron, &day, after_ms, zone) : 0;
        if (at && (first == 0 || at < first)) {
            first = at;
        }
        if (last_look) {
            break;
        }
        last_look = first != 0;
    }
    if (first) {
        *ret_ms = first;
    }
    return first != 0;
}

bool ext_cron_next(const struct ext_cron *cron, int64_t after_ms, const struct zone *zone, int64_t *ret_ms)
{
    return cron->hours == EVERY_HOUR ? next_passing(cron, after_ms, zone, ret_ms) : next_named(cron, after_ms, zone, ret_ms);
}
