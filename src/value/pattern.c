// SPDX-License-Identifier: Apache-2.0
//
// pattern: Java's SimpleDateFormat, which Deluge hands to scripts (spec/deluge-builtins.md §1, §4.1): letters of which the count tells the
// width, text in quotes, '' for a quote. Names are English, weeks start on Sunday and the first one holds 1 January, as in Java's US
// calendar.
//
// Reading follows Java where Zoho's examples show it: a number takes all digits that follow unless another number abuts, "yyyy" takes "19"
// as the year 19, what stands behind the last field is ignored. Fields out of range do not carry over but make the text unreadable.
#include "value/inside.h"

enum { PATTERN_WIDTH_MAX = 32 }; // a longer run of one letter is no wish for more zeros

// ---- a pattern's pieces -------------------------------------------------------------------------

struct piece {
    char letter; // '\0': a literal byte
    char byte;
    int count;
};

struct pattern {
    struct view text;
    size_t at;
    bool quoted;
};

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

// The next field or literal byte; quotes are taken off. '' is a quote inside and outside of quoted text.
static bool next_piece(struct pattern *pattern, struct piece *ret_piece)
{
    while (pattern->at < pattern->text.len) {
        char c = pattern->text.data[pattern->at++];
        bool another = pattern->at < pattern->text.len && pattern->text.data[pattern->at] == c;
        if (c == '\'' && another) {
            pattern->at++;
            *ret_piece = (struct piece){.byte = '\''};
            return true;
        }
        if (c == '\'') {
            pattern->quoted = !pattern->quoted;
            continue;
        }
        *ret_piece = (struct piece){.byte = c, .count = 1};
        if (!pattern->quoted && is_letter(c)) {
            ret_piece->letter = c;
            while (pattern->at < pattern->text.len && pattern->text.data[pattern->at] == c) {
                pattern->at++;
                ret_piece->count += ret_piece->count < PATTERN_WIDTH_MAX;
            }
        }
        return true;
    }
    return false;
}

// ---- printing -----------------------------------------------------------------------------------

static void print_padded(struct buffer *out, int64_t number, int width)
{
    char digits[21];
    size_t len = int64_print(digits, number);
    for (size_t zeros = len; zeros < (size_t)width; zeros++) {
        buffer_add_char(out, '0');
    }
    buffer_add(out, (struct view){digits, len});
}

static void print_name(struct buffer *out, const char *name, int count)
{
    buffer_add(out, count >= 4 ? view_of(name) : view_slice(view_of(name), 0, 3));
}

// A year before 1 shows as the year of its era, as Java's does.
static void print_year(struct buffer *out, int year, int count)
{
    int of_era = year > 0 ? year : 1 - year;
    print_padded(out, count == 2 ? of_era % 100 : of_era, count);
}

// The week of the year, and the year it belongs to: the last days of December can lie in week 1.
static int week_of_year(const struct civil *civil, int *ret_year)
{
    int days = 337 + calendar_month_days(civil->year, 2);
    *ret_year = civil->year;
    if (civil->yearday + 7 - civil->weekday > days) {
        ++*ret_year;
        return 1;
    }
    int first_weekday = ((civil->weekday - civil->yearday) % 7 + 7) % 7; // of 1 January, Sunday = 0
    return (civil->yearday - 1 + first_weekday) / 7 + 1;
}

// YYYY is the year of the week (spec/deluge-builtins.md §4.1 saw it in scripts that meant yyyy).
static void print_week_field(struct buffer *out, const struct civil *civil, struct piece piece)
{
    int week_year, week = week_of_year(civil, &week_year);
    if (piece.letter == 'Y') {
        print_year(out, week_year, piece.count);
    } else if (piece.letter == 'w') {
        print_padded(out, week, piece.count);
    } else {
        int first_weekday = ((civil->weekday - civil->day) % 7 + 7) % 7; // of the first of the month
        print_padded(out, (civil->day - 1 + first_weekday) / 7 + 1, piece.count);
    }
}

static void print_offset(struct buffer *out, int offset_ms, bool colon, bool minutes)
{
    int distance = (offset_ms < 0 ? -offset_ms : offset_ms) / 60000;
    buffer_add_char(out, offset_ms < 0 ? '-' : '+');
    print_padded(out, distance / 60, 2);
    if (colon) {
        buffer_add_char(out, ':');
    }
    if (minutes) {
        print_padded(out, distance % 60, 2);
    }
}

// Z is +0530, X the ISO form with Z for zero, z the short name.
static void print_zone_field(struct buffer *out, int64_t millis, const struct zone *zone, struct piece piece)
{
    struct view name;
    int offset = zone_offset_ms(zone, millis, NULL, &name);
    if (piece.letter == 'Z') {
        print_offset(out, offset, false, true);
    } else if (piece.letter == 'X' && offset == 0) {
        buffer_add_char(out, 'Z');
    } else if (piece.letter == 'X') {
        print_offset(out, offset, piece.count >= 3, piece.count >= 2);
    } else if (name.len > 0 && is_letter(name.data[0])) {
        buffer_add(out, name);
    } else { // zones without letters of their own are "+03" in tzdata; Java writes them out
        buffer_add(out, VIEW("GMT"));
        print_offset(out, offset, true, true);
    }
}

// The fields that are a plain number. False when the letter is none of them.
static bool number_field(const struct civil *civil, char letter, int *ret_number)
{
    switch (letter) {
    case 'd':
        *ret_number = civil->day;
        return true;
    case 'D':
        *ret_number = civil->yearday;
        return true;
    case 'H':
        *ret_number = civil->hour;
        return true;
    case 'k':
        *ret_number = civil->hour ? civil->hour : 24;
        return true;
    case 'K':
        *ret_number = civil->hour % 12;
        return true;
    case 'h':
        *ret_number = civil->hour % 12 ? civil->hour % 12 : 12;
        return true;
    case 'm':
        *ret_number = civil->minute;
        return true;
    case 's':
        *ret_number = civil->second;
        return true;
    case 'S':
        *ret_number = civil->millisecond;
        return true;
    case 'F':
        *ret_number = (civil->day - 1) / 7 + 1;
        return true;
    case 'u':
        *ret_number = civil->weekday == 1 ? 7 : civil->weekday - 1;
        return true;
    default:
        return false;
    }
}

// What is no plain number.
static void print_field(struct buffer *out, int64_t millis, const struct civil *civil, const struct zone *zone, struct piece piece)
{
    int number;
    if (number_field(civil, piece.letter, &number)) {
        print_padded(out, number, piece.count);
        return;
    }
    switch (piece.letter) {
    case 'y':
        print_year(out, civil->year, piece.count);
        break;
    case 'M':
    case 'L':
        if (piece.count >= 3) {
            print_name(out, CALENDAR_MONTHS[civil->month - 1], piece.count);
        } else {
            print_padded(out, civil->month, piece.count);
        }
        break;
    case 'E':
        print_name(out, CALENDAR_WEEKDAYS[civil->weekday - 1], piece.count);
        break;
    case 'a':
        buffer_add(out, civil->hour < 12 ? VIEW("AM") : VIEW("PM"));
        break;
    case 'G':
        buffer_add(out, civil->year > 0 ? VIEW("AD") : VIEW("BC"));
        break;
    case 'Y':
    case 'w':
    case 'W':
        print_week_field(out, civil, piece);
        break;
    case 'z':
    case 'Z':
    case 'X':
        print_zone_field(out, millis, zone, piece);
        break;
    default: // a letter that means nothing stands for itself
        for (int i = 0; i < piece.count; i++) {
            buffer_add_char(out, piece.letter);
        }
    }
}

void calendar_format(struct buffer *out, int64_t millis, const struct zone *zone, struct view pattern_text)
{
    struct pattern pattern = {.text = pattern_text};
    struct civil civil = calendar_civil(millis, zone);
    for (struct piece piece; next_piece(&pattern, &piece) && !out->failed;) {
        if (piece.letter) {
            print_field(out, millis, &civil, zone, piece);
        } else {
            buffer_add_char(out, piece.byte);
        }
    }
}

// ---- reading ------------------------------------------------------------------------------------

struct reading {
    struct view text;
    size_t at;
    struct civil civil;
    struct scan_zone zone;
    bool has_time, has_half, afternoon, before_christ, hour_of_half;
    int yearday; // 0 = not given
};

static bool is_number_letter(char letter, int count)
{
    return strchr("yYdDHkKhmsSFuwW", letter) || ((letter == 'M' || letter == 'L') && count <= 2);
}

// Whether the next piece is a number that begins right behind this one: then this one ends after its own count of digits.
static bool abuts(struct pattern pattern)
{
    struct piece piece;
    return next_piece(&pattern, &piece) && piece.letter && is_number_letter(piece.letter, piece.count);
}

static void set_number(struct reading *reading, char letter, int number)
{
    struct civil *civil = &reading->civil;
    reading->has_time = reading->has_time || strchr("HkKhmsS", letter);
    switch (letter) {
    case 'd':
        civil->day = number;
        break;
    case 'D':
        reading->yearday = number;
        break;
    case 'H':
        civil->hour = number;
        break;
    case 'k':
        civil->hour = number == 24 ? 0 : number;
        break;
    case 'K':
    case 'h':
        civil->hour = number;
        reading->hour_of_half = true;
        break;
    case 'm':
        civil->minute = number;
        break;
    case 's':
        civil->second = number;
        break;
    case 'S':
        civil->millisecond = number;
        break;
    case 'M':
    case 'L':
        civil->month = number;
        break;
    default:
        break; // weeks and weekdays follow from the date
    }
}

// Java skips blanks before a number whatever the pattern says.
static bool read_number_field(struct reading *reading, struct piece piece, struct pattern pattern)
{
    int number;
    size_t digits, most = abuts(pattern) ? (size_t)piece.count : 9;
    scan_blanks(reading->text, &reading->at);
    if (!scan_number(reading->text, &reading->at, most, &number, &digits)) {
        return false;
    }
    if (piece.letter == 'y' || piece.letter == 'Y') {
        reading->civil.year = piece.count <= 2 && digits == 2 ? calendar_full_year(number) : number;
    } else {
        set_number(reading, piece.letter, number);
    }
    return true;
}

static bool read_field(struct reading *reading, struct piece piece, struct pattern pattern)
{
    int index;
    if (is_number_letter(piece.letter, piece.count)) {
        return read_number_field(reading, piece, pattern);
    }
    switch (piece.letter) {
    case 'M':
    case 'L':
        if (!scan_name(reading->text, &reading->at, CALENDAR_MONTHS, 12, &index)) {
            return false;
        }
        reading->civil.month = index + 1;
        return true;
    case 'E':
        return scan_name(reading->text, &reading->at, CALENDAR_WEEKDAYS, 7, &index);
    case 'a':
        scan_blanks(reading->text, &reading->at);
        reading->has_half = reading->has_time = true;
        return scan_half(reading->text, &reading->at, &reading->afternoon);
    case 'G':
        reading->before_christ = view_starts_nocase(view_from(reading->text, reading->at), VIEW("BC"));
        index = reading->before_christ || view_starts_nocase(view_from(reading->text, reading->at), VIEW("AD"));
        reading->at += 2 * (size_t)index;
        return index != 0;
    case 'z':
    case 'Z':
    case 'X':
        scan_blanks(reading->text, &reading->at);
        return scan_zone(reading->text, &reading->at, &reading->zone);
    default:
        return false;
    }
}

static bool read_literal(struct reading *reading, char byte)
{
    if (byte == ' ') { // however many blanks
        size_t start = reading->at;
        scan_blanks(reading->text, &reading->at);
        return reading->at > start || (start > 0 && reading->text.data[start - 1] == ' ');
    }
    if (reading->at >= reading->text.len || reading->text.data[reading->at] != byte) {
        return false;
    }
    reading->at++;
    return true;
}

// A time that follows a pattern of date letters alone: toDateTime("01-11-2019 13:30:00","MM-d-yy") keeps it. Anything else is ignored.
static void read_time_behind(struct reading *reading)
{
    static const char *const forms[] = {" HH:mm:ss", "'T'HH:mm:ss", " HH:mm"};
    for (size_t i = 0; i < BASE_COUNT(forms) && !reading->has_time; i++) {
        struct reading trial = *reading;
        struct pattern pattern = {.text = view_of(forms[i])};
        bool good = true;
        for (struct piece piece; good && next_piece(&pattern, &piece);) {
            good = piece.letter ? read_field(&trial, piece, pattern) : read_literal(&trial, piece.byte);
        }
        if (!good) {
            continue;
        }
        size_t behind = trial.at;
        scan_blanks(trial.text, &behind);
        trial.has_half = trial.hour_of_half = scan_half(trial.text, &behind, &trial.afternoon);
        *reading = trial;
    }
}

// Puts the fields together once all are known: am and pm, the era, the day of the year.
static bool finish(struct reading *reading, const struct zone *zone, int64_t *ret_millis)
{
    struct civil *civil = &reading->civil;
    if (reading->hour_of_half) {
        if (civil->hour > 12) {
            return false;
        }
        civil->hour = civil->hour % 12 + (reading->has_half && reading->afternoon ? 12 : 0);
    }
    if (reading->before_christ) {
        civil->year = 1 - civil->year;
    }
    if (reading->yearday > 0) { // the day of the year decides, carried into its month
        if (reading->yearday > 337 + calendar_month_days(civil->year, 2)) {
            return false;
        }
        struct civil day = {.year = civil->year, .month = 1, .day = reading->yearday};
        day = calendar_civil(calendar_millis(day, NULL), NULL);
        civil->month = day.month;
        civil->day = day.day;
    }
    return calendar_settle(civil, &reading->zone, zone, ret_millis);
}

// The text may go on behind the pattern's end, as with Java's parse(String).
bool calendar_parse(struct view text, struct view pattern_text, const struct zone *zone, int64_t *ret_millis, bool *ret_has_time)
{
    struct reading reading = {.text = view_trim(text), .civil = {.year = 1970, .month = 1, .day = 1}};
    struct pattern pattern = {.text = pattern_text};
    bool any = false;
    for (struct piece piece; next_piece(&pattern, &piece);) {
        if (!(piece.letter ? read_field(&reading, piece, pattern) : read_literal(&reading, piece.byte))) {
            return false;
        }
        any = any || piece.letter;
    }
    if (!reading.has_time) {
        read_time_behind(&reading);
    }
    if (!any || !finish(&reading, zone, ret_millis)) {
        return false;
    }
    *ret_has_time = reading.has_time;
    return true;
}
