// SPDX-License-Identifier: Apache-2.0
//
// tzif: reads the system's time zone files (RFC 8536). A file has a table of transitions with 64-bit times and, in its last line, a POSIX
// TZ rule for the time after the table ("CET-1CEST,M3.5.0,M10.5.0/3"): without it every date past 2007 would be wrong in most zones of a
// slim tzdata. The bytes are treated as hostile: every count is bounded and every index checked before the zone is used.
#include "value/inside.h"
#include "value/zone.h"

#include <stdlib.h>

enum {
    TZIF_HEAD_BYTES = 44,
    TZIF_TYPE_BYTES = 6,
    TZIF_HOURS_MAX = 167, // of a rule's time of day
    SECONDS_A_DAY = 86400,
};

// ---- the table ----------------------------------------------------------------------------------

struct head {
    uint32_t utc_flags, standard_flags, leaps, transitions, types, letters;
};

static uint32_t read_u32(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

// Version 1 files have no 64-bit table and no rule: refused, none are left.
static bool read_head(struct view bytes, struct head *ret_head)
{
    if (bytes.len < TZIF_HEAD_BYTES || memcmp(bytes.data, "TZif", 4) != 0 || bytes.data[4] < '2') {
        return false;
    }
    const char *counts = bytes.data + 20;
    struct head head = {read_u32(counts),      read_u32(counts + 4),  read_u32(counts + 8),
                        read_u32(counts + 12), read_u32(counts + 16), read_u32(counts + 20)};
    *ret_head = head;
    return head.transitions <= ZONE_TRANSITIONS_MAX && head.types > 0 && head.types <= ZONE_TYPES_MAX && head.letters > 0 &&
           head.letters <= ZONE_LETTERS_MAX && head.leaps <= ZONE_TRANSITIONS_MAX && head.utc_flags <= ZONE_TYPES_MAX &&
           head.standard_flags <= ZONE_TYPES_MAX;
}

// Counts are bounded by read_head, so this cannot overflow.
static size_t table_bytes(const struct head *head, size_t time_bytes)
{
    return head->transitions * (time_bytes + 1) + head->types * TZIF_TYPE_BYTES + head->letters + head->leaps * (time_bytes + 4) +
           head->standard_flags + head->utc_flags;
}

// Every index that a later look-up follows is checked here.
static bool read_table(struct zone *zone, const struct head *head, const char *at)
{
    zone->times_s = calloc(head->transitions + 1, sizeof *zone->times_s);
    zone->type_of = calloc(head->transitions + 1, sizeof *zone->type_of);
    zone->types = calloc(head->types, sizeof *zone->types);
    zone->letters = calloc(head->letters + 1, 1);
    if (!zone->times_s || !zone->type_of || !zone->types || !zone->letters) {
        return false;
    }
    zone->transitions = head->transitions;
    zone->types_count = head->types;
    const char *of = at + 8 * (size_t)head->transitions, *types = of + head->transitions, *letters = types + TZIF_TYPE_BYTES * head->types;
    for (uint32_t i = 0; i < head->transitions; i++) {
        zone->times_s[i] = (int64_t)((uint64_t)read_u32(at + 8 * i) << 32 | read_u32(at + 8 * i + 4));
        zone->type_of[i] = (uint8_t)of[i];
        if (zone->type_of[i] >= head->types || (i > 0 && zone->times_s[i] <= zone->times_s[i - 1])) {
            return false;
        }
    }
    memcpy(zone->letters, letters, head->letters); // a NUL follows from calloc
    for (uint32_t i = 0; i < head->types; i++) {
        const char *type = types + TZIF_TYPE_BYTES * i;
        int32_t offset = (int32_t)read_u32(type);
        unsigned char letter = (unsigned char)type[5];
        if (offset <= -2 * SECONDS_A_DAY || offset >= 2 * SECONDS_A_DAY || letter >= head->letters) {
            return false;
        }
        zone->types[i] = (struct zone_type){.offset_s = offset, .dst = type[4] != 0, .abbreviation = zone->letters + letter};
    }
    return true;
}

// ---- the rule -----------------------------------------------------------------------------------

static bool take(struct view *rest, char c)
{
    if (rest->len == 0 || rest->data[0] != c) {
        return false;
    }
    *rest = view_from(*rest, 1);
    return true;
}

// Digits up to `max`; stops early on a longer number, which then fails.
static bool take_number(struct view *rest, int max, int *ret_number)
{
    int number = 0;
    size_t digits = 0;
    while (digits < rest->len && rest->data[digits] >= '0' && rest->data[digits] <= '9' && number <= max) {
        number = number * 10 + (rest->data[digits++] - '0');
    }
    *rest = view_from(*rest, digits);
    *ret_number = number;
    return digits > 0 && number <= max;
}

// [+-]hh[:mm[:ss]]
static bool take_time(struct view *rest, int32_t *ret_seconds)
{
    int hours, minutes = 0, seconds = 0, sign = take(rest, '-') ? -1 : 1;
    if (sign > 0) {
        take(rest, '+');
    }
    if (!take_number(rest, TZIF_HOURS_MAX, &hours) || (take(rest, ':') && !take_number(rest, 59, &minutes)) ||
        (take(rest, ':') && !take_number(rest, 59, &seconds))) {
        return false;
    }
    *ret_seconds = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

// Letters, or anything between angle brackets.
static bool take_name(struct view *rest, char ret_name[16])
{
    bool quoted = take(rest, '<');
    size_t len = 0;
    while (len < rest->len && (quoted ? rest->data[len] != '>' : (rest->data[len] | 0x20) >= 'a' && (rest->data[len] | 0x20) <= 'z')) {
        len++;
    }
    if (len == 0 || len > 15) {
        return false;
    }
    memcpy(ret_name, rest->data, len);
    ret_name[len] = '\0';
    *rest = view_from(*rest, len);
    return !quoted || take(rest, '>');
}

// ,Mm.w.d  ,Jn  or  ,n  with an optional /time
static bool take_change(struct view *rest, struct zone_change *change)
{
    *change = (struct zone_change){.kind = 'D', .time_s = 2 * 3600};
    if (!take(rest, ',')) {
        return false;
    }
    bool good;
    if (take(rest, 'M')) {
        change->kind = 'M';
        good = take_number(rest, 12, &change->month) && take(rest, '.') && take_number(rest, 5, &change->week) && take(rest, '.') &&
               take_number(rest, 6, &change->day) && change->month > 0 && change->week > 0;
    } else {
        change->kind = take(rest, 'J') ? 'J' : 'D';
        good = take_number(rest, 365, &change->day) && (change->kind == 'D' || change->day > 0);
    }
    return good && (!take(rest, '/') || take_time(rest, &change->time_s));
}

// std offset [dst [offset] , start , end], as POSIX has it. Offsets count westward there, eastward here.
static bool read_rule(struct zone_rule *rule, struct view text)
{
    int32_t west;
    *rule = (struct zone_rule){0};
    if (text.len == 0) {
        return true; // no rule: the last type goes on
    }
    if (!take_name(&text, rule->standard_name) || !take_time(&text, &west)) {
        return false;
    }
    rule->present = true;
    rule->standard = (struct zone_type){.offset_s = -west, .abbreviation = rule->standard_name};
    if (text.len == 0) {
        return true;
    }
    rule->has_dst = true;
    rule->summer = (struct zone_type){.offset_s = -west + 3600, .dst = true, .abbreviation = rule->summer_name};
    if (!take_name(&text, rule->summer_name)) {
        return false;
    }
    if (text.len > 0 && text.data[0] != ',') {
        if (!take_time(&text, &west)) {
            return false;
        }
        rule->summer.offset_s = -west;
    }
    return take_change(&text, &rule->start) && take_change(&text, &rule->end) && text.len == 0;
}

static int64_t year_start_s(int year)
{
    return calendar_millis((struct civil){.year = year, .month = 1, .day = 1}, NULL) / 1000;
}

// Local seconds of a change-over in a year.
static int64_t change_at(const struct zone_change *change, int year)
{
    int64_t day = year_start_s(year) / SECONDS_A_DAY; // exact: a whole number of days
    bool leap = calendar_month_days(year, 2) == 29;
    if (change->kind == 'M') {
        int64_t first = calendar_millis((struct civil){.year = year, .month = change->month, .day = 1}, NULL) / 1000 / SECONDS_A_DAY;
        int weekday = (int)(((first + 4) % 7 + 7) % 7); // 1970 began on a Thursday
        int64_t in_month = (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
        day = first + (in_month >= calendar_month_days(year, change->month) ? in_month - 7 : in_month);
    } else if (change->kind == 'J') {
        day += change->day - 1 + (leap && change->day >= 60);
    } else {
        day += change->day;
    }
    return day * SECONDS_A_DAY + change->time_s;
}

// In the southern half year summer goes over New Year: then it is the time outside [end, start).
const struct zone_type *tzif_rule_type(const struct zone_rule *rule, int64_t seconds)
{
    if (!rule->has_dst) {
        return &rule->standard;
    }
    int year = calendar_civil((seconds + rule->standard.offset_s) * 1000, NULL).year;
    int64_t start = change_at(&rule->start, year) - rule->standard.offset_s, end = change_at(&rule->end, year) - rule->summer.offset_s;
    bool summer = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end;
    return summer ? &rule->summer : &rule->standard;
}

// ---- the file -----------------------------------------------------------------------------------

// The first table has 32-bit times for old readers and is skipped; the one behind it has the truth.
bool tzif_read(struct zone *zone, struct view bytes)
{
    struct head head;
    if (!read_head(bytes, &head) || bytes.len - TZIF_HEAD_BYTES < table_bytes(&head, 4)) {
        return false;
    }
    bytes = view_from(bytes, TZIF_HEAD_BYTES + table_bytes(&head, 4)); // past the table with 32-bit times
    if (!read_head(bytes, &head) || bytes.len - TZIF_HEAD_BYTES < table_bytes(&head, 8) + 2) {
        return false;
    }
    struct view footer = view_from(bytes, TZIF_HEAD_BYTES + table_bytes(&head, 8));
    if (footer.data[0] != '\n') {
        return false;
    }
    footer = view_from(footer, 1);
    ptrdiff_t line = view_find_char(footer, '\n');
    if (line < 0 || !read_table(zone, &head, bytes.data + TZIF_HEAD_BYTES) ||
        !read_rule(&zone->rule, view_slice(footer, 0, (size_t)line))) {
        return false;
    }
    zone->raw = zone->types[zone->transitions ? zone->type_of[zone->transitions - 1] : 0];
    for (uint32_t i = zone->transitions; zone->raw.dst && i-- > 0;) {
        zone->raw = zone->types[zone->type_of[i]];
    }
    if (zone->rule.present) {
        zone->raw = zone->rule.standard;
    }
    return true;
}

void tzif_free(struct zone *zone)
{
    free(zone->times_s);
    free(zone->type_of);
    free(zone->types);
    free(zone->letters);
}
