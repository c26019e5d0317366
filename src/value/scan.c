// SPDX-License-Identifier: Apache-2.0
//
// scan: the pieces of written dates: numbers, English names, am and pm, zones, two-digit years. The readers of patterns and of literals are
// made of them.
#include "value/inside.h"

const char *const CALENDAR_MONTHS[12] = {"January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December"};
const char *const CALENDAR_WEEKDAYS[7] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

enum { SCAN_DIGITS_MAX = 9, CENTURY_YEARS_BACK = 80, ZONE_WORD_MAX = 48 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

// Never more than nine digits, so that it fits; what is longer is no field of a date.
bool scan_number(struct view text, size_t *at, size_t digits_max, int *ret_number, size_t *ret_digits)
{
    size_t digits = 0;
    int number = 0;
    while (*at + digits < text.len && digits < digits_max && is_digit(text.data[*at + digits])) {
        if (digits == SCAN_DIGITS_MAX) {
            return false;
        }
        number = number * 10 + (text.data[*at + digits++] - '0');
    }
    if (digits == 0) {
        return false;
    }
    *at += digits;
    *ret_number = number;
    if (ret_digits) {
        *ret_digits = digits;
    }
    return true;
}

bool scan_name(struct view text, size_t *at, const char *const *names, int count, int *ret_index)
{
    size_t len = 0;
    while (*at + len < text.len && is_letter(text.data[*at + len])) {
        len++;
    }
    struct view word = view_slice(text, *at, len);
    for (int i = 0; i < count; i++) {
        struct view name = view_of(names[i]);
        // "Sept" and "Tues" are common too: any beginning of at least three letters names it.
        if (len >= 3 && len <= name.len && view_eq_nocase(word, view_slice(name, 0, len))) {
            *at += len;
            *ret_index = i;
            return true;
        }
    }
    return false;
}

bool scan_half(struct view text, size_t *at, bool *ret_afternoon)
{
    struct view word = view_slice(text, *at, 2);
    if (!view_eq_nocase(word, VIEW("am")) && !view_eq_nocase(word, VIEW("pm"))) {
        return false;
    }
    *ret_afternoon = (word.data[0] | 0x20) == 'p';
    *at += 2;
    return true;
}

void scan_blanks(struct view text, size_t *at)
{
    while (*at < text.len && (text.data[*at] == ' ' || text.data[*at] == '\t')) {
        ++*at;
    }
}

// ±h, ±hh, ±hhmm, ±h:mm, ±hh:mm
static bool scan_offset(struct view text, size_t *at, int *ret_offset_ms)
{
    size_t here = *at, digits;
    int hours, minutes = 0;
    if (here >= text.len || (text.data[here] != '+' && text.data[here] != '-')) {
        return false;
    }
    int sign = text.data[here++] == '-' ? -1 : 1;
    if (!scan_number(text, &here, 4, &hours, &digits)) {
        return false;
    }
    if (digits > 2) {
        minutes = hours % 100;
        hours /= 100;
    } else if (here + 1 < text.len && text.data[here] == ':' && is_digit(text.data[here + 1])) {
        here++;
        if (!scan_number(text, &here, 2, &minutes, NULL)) {
            return false;
        }
    }
    if (hours > 23 || minutes > 59) {
        return false;
    }
    *at = here;
    *ret_offset_ms = sign * (hours * 60 + minutes) * 60000;
    return true;
}

// Short names of summer time, which are no zone ids.
static const struct {
    const char *name;
    int hours;
} SUMMER[] = {{"EDT", -4}, {"CDT", -5}, {"MDT", -6}, {"PDT", -7},  {"AKDT", -8},
              {"CEST", 2}, {"EEST", 3}, {"WEST", 1}, {"AEDT", 11}, {"NZDT", 13}};

// An Olson or legacy id. What zone_find would call GMT for want of better is no zone here.
static bool scan_zone_word(struct view text, size_t *at, struct scan_zone *found)
{
    size_t len = 0;
    while (*at + len < text.len && len < ZONE_WORD_MAX &&
           (is_letter(text.data[*at + len]) || text.data[*at + len] == '_' || text.data[*at + len] == '/')) {
        len++;
    }
    struct view word = view_slice(text, *at, len);
    if (len < 2) {
        return false;
    }
    *at += len;
    for (size_t i = 0; i < BASE_COUNT(SUMMER); i++) {
        if (view_eq(word, view_of(SUMMER[i].name))) {
            found->offset_ms = SUMMER[i].hours * 3600000;
            return true;
        }
    }
    found->zone = zone_find(word);
    return view_eq(zone_name(found->zone), word) || zone_exists(word);
}

bool scan_zone(struct view text, size_t *at, struct scan_zone *ret_zone)
{
    struct scan_zone found = {.found = true};
    size_t here = *at;
    struct view rest = view_from(text, here);
    bool word = rest.len > 1 && is_letter(rest.data[1]);
    if (rest.len > 0 && (rest.data[0] | 0x20) == 'z' && !word) {
        here++;
    } else if (view_starts(rest, VIEW("GMT")) || view_starts(rest, VIEW("UTC"))) {
        here += 3;
        scan_offset(text, &here, &found.offset_ms);
    } else if (!scan_offset(text, &here, &found.offset_ms) && !scan_zone_word(text, &here, &found)) {
        return false;
    }
    *at = here;
    *ret_zone = found;
    return true;
}

int calendar_full_year(int two_digits)
{
    int first = calendar_civil(clock_wall_ms(), NULL).year - CENTURY_YEARS_BACK, year = first - first % 100 + two_digits;
    return year < first ? year + 100 : year;
}

// Unlike calendar_millis, nothing carries over: 31 April in a text is a mistake (spec/deluge-builtins.md §4.1).
bool calendar_settle(const struct civil *civil, const struct scan_zone *found, const struct zone *zone, int64_t *ret_millis)
{
    if (civil->month < 1 || civil->month > 12 || civil->day < 1 || civil->day > calendar_month_days(civil->year, civil->month) ||
        civil->hour > 23 || civil->minute > 59 || civil->second > 59) {
        return false;
    }
    *ret_millis = !found->found ? calendar_millis(*civil, zone)
                  : found->zone ? calendar_millis(*civil, found->zone)
                                : calendar_millis(*civil, NULL) - found->offset_ms;
    return true;
}
