// SPDX-License-Identifier: Apache-2.0
//
// literal: reads dates as people and services write them: the forty-odd forms that Deluge accepts, ISO 8601 as the CRM sends it, and Java's
// Date.toString. Instead of trying forty patterns, the reader takes a date apart: three components, of which one may be a month's name, and
// finds out which is which; then a time, then a zone.
//
// spec/deluge-builtins.md §4.1: an hour over 23 resets the whole time, a minute over 59 resets minutes and seconds, a second over 59 resets
// itself; more than two digits, a day the month does not have, or a year of more than four digits is an error. All-number dates read month
// first, as Zoho's examples do, unless the first number cannot be a month.
#include "value/inside.h"

struct part {
    int number; // month names: 1–12
    size_t digits; // 0 = a name
};

struct literal {
    struct view text;
    size_t at;
    struct civil civil;
    struct scan_zone zone;
    bool has_time;
};

static char peek(const struct literal *literal)
{
    return literal->at < literal->text.len ? literal->text.data[literal->at] : '\0';
}

// ---- time ---------------------------------------------------------------------------------------

// .123 or ,123456: millis, further digits dropped.
static void read_fraction(struct literal *literal)
{
    size_t at = literal->at + 1, digits = 0;
    int millis = 0;
    for (; at < literal->text.len && literal->text.data[at] >= '0' && literal->text.data[at] <= '9'; at++, digits++) {
        millis = digits < 3 ? millis * 10 + (literal->text.data[at] - '0') : millis;
    }
    for (size_t missing = digits; missing < 3; missing++) {
        millis *= 10;
    }
    if (digits > 0) {
        literal->civil.millisecond = millis;
        literal->at = at;
    }
}

// One or two digits; a third is an error.
static bool read_two(struct literal *literal, int *ret_number)
{
    size_t digits;
    return scan_number(literal->text, &literal->at, 3, ret_number, &digits) && digits <= 2;
}

// HH:mm[:ss[.fraction]] [am|pm]
static bool read_time(struct literal *literal)
{
    struct civil *civil = &literal->civil;
    bool afternoon;
    if (!read_two(literal, &civil->hour) || peek(literal) != ':') {
        return false;
    }
    literal->at++;
    if (!read_two(literal, &civil->minute)) {
        return false;
    }
    if (peek(literal) == ':') {
        literal->at++;
        if (!read_two(literal, &civil->second)) {
            return false;
        }
        if (peek(literal) == '.' || peek(literal) == ',') {
            read_fraction(literal);
        }
    }
    size_t behind = literal->at;
    scan_blanks(literal->text, &behind);
    if (scan_half(literal->text, &behind, &afternoon)) {
        literal->at = behind;
        civil->hour = civil->hour == 12 ? (afternoon ? 12 : 0) : civil->hour < 12 && afternoon ? civil->hour + 12 : civil->hour;
    }
    if (civil->hour > 23) {
        civil->hour = civil->minute = civil->second = civil->millisecond = 0;
    } else if (civil->minute > 59) {
        civil->minute = civil->second = civil->millisecond = 0;
    } else if (civil->second > 59) {
        civil->second = civil->millisecond = 0;
    }
    literal->has_time = true;
    return true;
}

// A zone behind a time, if there is one.
static void read_zone(struct literal *literal)
{
    size_t behind = literal->at;
    scan_blanks(literal->text, &behind);
    if (scan_zone(literal->text, &behind, &literal->zone)) {
        literal->at = behind;
    }
}

// ---- date ---------------------------------------------------------------------------------------

static bool read_part(struct literal *literal, struct part *ret_part)
{
    int index;
    if (scan_number(literal->text, &literal->at, 5, &ret_part->number, &ret_part->digits)) {
        return ret_part->digits <= 4;
    }
    if (scan_name(literal->text, &literal->at, CALENDAR_MONTHS, 12, &index)) {
        *ret_part = (struct part){.number = index + 1};
        return true;
    }
    return false;
}

// What stands between two components: one of - / . or a comma, with blanks, or blanks alone. '\0' when nothing does.
static char read_separator(struct literal *literal)
{
    size_t start = literal->at;
    scan_blanks(literal->text, &literal->at);
    char mark = peek(literal);
    if (mark == '-' || mark == '/' || mark == '.' || mark == ',') {
        literal->at++;
        scan_blanks(literal->text, &literal->at);
        return mark;
    }
    return literal->at > start ? ' ' : '\0';
}

static int year_of(struct part part)
{
    return part.digits == 2 ? calendar_full_year(part.number) : part.number;
}

// Which component is which has been decided; are they long enough for it?
static bool set_date(struct literal *literal, struct part year, struct part month, struct part day)
{
    if (day.digits == 0 || day.digits > 2 || month.digits > 2 || (year.digits != 2 && year.digits != 4)) {
        return false;
    }
    literal->civil.year = year_of(year);
    literal->civil.month = month.number;
    literal->civil.day = day.number;
    return true;
}

// Three components in the order in which they stand.
static bool assign_parts(struct literal *literal, const struct part part[3])
{
    if (part[0].digits == 4) {
        return set_date(literal, part[0], part[1], part[2]);
    }
    if (part[1].digits == 0) {
        return set_date(literal, part[2], part[1], part[0]); // 01-Jan-2019
    }
    if (part[0].digits == 0) {
        return set_date(literal, part[2], part[0], part[1]); // Jan 01, 2019
    }
    if (part[2].digits == 2 && part[0].number > 31) {
        return set_date(literal, part[0], part[1], part[2]); // 99-12-31
    }
    bool day_first = part[0].number > 12 && part[1].number <= 12;
    return day_first ? set_date(literal, part[2], part[1], part[0]) : set_date(literal, part[2], part[0], part[1]);
}

// Java's Date.toString puts time and zone before the year: Wed Jan 01 00:00:00 PST 2020. Here the month and the day have been read.
static bool read_java_rest(struct literal *literal, struct part month, struct part day)
{
    struct part year;
    if (!read_time(literal)) {
        return false;
    }
    read_zone(literal);
    return read_separator(literal) == ' ' && read_part(literal, &year) && set_date(literal, year, month, day);
}

// An optional weekday, then three components; or, in Java's form, two and the rest of the line (*ret_complete).
static bool read_date(struct literal *literal, bool *ret_complete)
{
    struct part part[3];
    int weekday;
    *ret_complete = false;
    if (scan_name(literal->text, &literal->at, CALENDAR_WEEKDAYS, 7, &weekday)) {
        char mark = read_separator(literal);
        if (mark != ',' && mark != ' ') {
            return false;
        }
    }
    if (!read_part(literal, &part[0])) {
        return false;
    }
    char first = read_separator(literal);
    if (first == '\0' || !read_part(literal, &part[1])) {
        return false;
    }
    char second = read_separator(literal);
    size_t colon = literal->at;
    while (colon < literal->text.len && literal->text.data[colon] >= '0' && literal->text.data[colon] <= '9') {
        colon++;
    }
    if (part[0].digits == 0 && second == ' ' && colon > literal->at && colon < literal->text.len && literal->text.data[colon] == ':') {
        *ret_complete = true;
        return read_java_rest(literal, part[0], part[1]);
    }
    bool named = part[0].digits == 0 || part[1].digits == 0;
    // Numbers alone need one mark throughout: 1 2 2020 and 1-2/2020 are no dates.
    if (second == '\0' || (!named && (first != second || first == ' ' || first == ',')) || !read_part(literal, &part[2])) {
        return false;
    }
    return assign_parts(literal, part);
}

bool calendar_read(struct view text, const struct zone *zone, int64_t *ret_millis, bool *ret_has_time)
{
    struct literal literal = {.text = view_trim(text)};
    bool complete;
    if (!read_date(&literal, &complete)) {
        return false;
    }
    if (literal.at < literal.text.len && !complete) {
        char mark = peek(&literal) == 'T' || peek(&literal) == 't' ? 'T' : read_separator(&literal);
        if (mark != 'T' && mark != ' ' && mark != ',') {
            return false;
        }
        literal.at += mark == 'T';
        if (!read_time(&literal)) {
            return false;
        }
        read_zone(&literal);
    }
    if (literal.at != literal.text.len || !calendar_settle(&literal.civil, &literal.zone, zone, ret_millis)) {
        return false;
    }
    *ret_has_time = literal.has_time;
    return true;
}
