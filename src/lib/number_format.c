// SPDX-License-Identifier: Apache-2.0
//
// text(pattern): numbers by Java's DecimalFormat, dates by SimpleDateFormat (value's calendar). Zoho chooses by reading the
// receiver: a number, or text that is one, takes a number pattern; everything else must be a date.
//
// A number pattern is prefix, digit places, suffix, and behind `;` the same for negatives (of which prefix and suffix alone count).
// Rounding is half-even on the exact value of the double, as in Java, which is what printf does.
#include "lib/inside.h"

#include <math.h>

struct pattern {
    struct view prefix, suffix; // may hold quotes
    int whole_min, fraction_min, fraction_max, group, scale; // scale: digits that % and ‰ move
};

enum { FRACTION_MAX = 340, WHOLE_MAX = 340 };

// What a digit place is made of; everything around it is prefix and suffix.
static bool is_place(char c)
{
    return c == '#' || c == '0' || c == ',' || c == '.';
}

// A percent sign in quotes is text, outside it scales the number.
static bool has_outside_quotes(struct view text, const char *needle)
{
    bool quoted = false;
    size_t len = strlen(needle);
    for (size_t i = 0; i + len <= text.len; i++) {
        quoted ^= text.data[i] == '\'';
        if (!quoted && memcmp(text.data + i, needle, len) == 0) {
            return true;
        }
    }
    return false;
}

static void read_places(struct view places, struct pattern *pattern)
{
    bool fraction = false;
    for (size_t i = 0; i < places.len; i++) {
        char c = places.data[i];
        if (c == '.') {
            fraction = true;
        } else if (c == ',') {
            pattern->group = 0;
        } else if (fraction) {
            pattern->fraction_max += pattern->fraction_max < FRACTION_MAX;
            pattern->fraction_min += c == '0' && pattern->fraction_min < FRACTION_MAX;
        } else {
            pattern->whole_min += c == '0' && pattern->whole_min < WHOLE_MAX;
            pattern->group += pattern->group >= 0;
        }
    }
    // As Java reads "#.##" and ".##": without any 0 the last place before the point, or the first behind it, is one.
    if (fraction && pattern->whole_min == 0 && pattern->fraction_min == 0) {
        bool leading = places.data[0] == '.';
        pattern->whole_min = !leading;
        pattern->fraction_min = leading && pattern->fraction_max > 0;
    }
}

static struct pattern read_pattern(struct view text)
{
    struct pattern pattern = {.group = -1};
    size_t start = 0, end;
    bool quoted = false;
    while (start < text.len && (quoted || !is_place(text.data[start]))) {
        quoted ^= text.data[start++] == '\'';
    }
    for (end = start; end < text.len && is_place(text.data[end]);) {
        end++;
    }
    pattern.prefix = view_slice(text, 0, start);
    pattern.suffix = view_from(text, end);
    read_places(view_slice(text, start, end - start), &pattern);
    if (has_outside_quotes(pattern.prefix, "%") || has_outside_quotes(pattern.suffix, "%")) {
        pattern.scale = 2;
    } else if (has_outside_quotes(pattern.prefix, "‰") || has_outside_quotes(pattern.suffix, "‰")) {
        pattern.scale = 3;
    }
    return pattern;
}

static void add_unquoted(struct buffer *out, struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'' && i + 1 < text.len && text.data[i + 1] == '\'') {
            buffer_add_char(out, '\'');
            i++;
        } else if (text.data[i] != '\'') {
            buffer_add_char(out, text.data[i]);
        }
    }
}

// Digits before the point: filled up to the pattern's zeros, parted in groups counted from the point.
static void add_whole(struct buffer *out, const struct pattern *pattern, struct view digits)
{
    size_t zeros = (size_t)pattern->whole_min > digits.len ? (size_t)pattern->whole_min - digits.len : 0;
    size_t total = zeros + digits.len;
    for (size_t i = 0; i < total; i++) {
        if (i > 0 && pattern->group > 0 && (total - i) % (size_t)pattern->group == 0) {
            buffer_add_char(out, ',');
        }
        buffer_add_char(out, i < zeros ? '0' : digits.data[i - zeros]);
    }
}

// Digits of the absolute value, rounded to the pattern's places: "123.4500" or "123".
static size_t print_digits(char *text, size_t room, struct value number, const struct pattern *pattern)
{
    if (number.type == VALUE_NUMBER && pattern->scale == 0) {
        uint64_t magnitude = number.number < 0 ? 0 - (uint64_t)number.number : (uint64_t)number.number;
        return (size_t)snprintf(text, room, "%llu", (unsigned long long)magnitude);
    }
    double d = number.type == VALUE_NUMBER ? (double)number.number : number.decimal;
    d = fabs(d) * (pattern->scale == 0 ? 1 : pattern->scale == 2 ? 100 : 1000);
    int len = snprintf(text, room, "%.*f", pattern->fraction_max, d);
    return len < 0 || (size_t)len >= room ? 0 : (size_t)len;
}

static bool is_negative(struct value number)
{
    return number.type == VALUE_NUMBER ? number.number < 0 : number.decimal < 0;
}

void lib_decimal_format(struct buffer *out, struct value number, struct view text)
{
    char digits[1024]; // 309 digits before the point, FRACTION_MAX behind
    struct view negative = text;
    struct view positive = view_cut(&negative, ';');
    struct pattern pattern = read_pattern(positive);
    if (number.type == VALUE_DECIMAL && !isfinite(number.decimal)) {
        buffer_add(out, isnan(number.decimal) ? VIEW("NaN") : number.decimal < 0 ? VIEW("-∞") : VIEW("∞"));
        return;
    }
    struct view all = {digits, print_digits(digits, sizeof(digits), number, &pattern)};
    struct view fraction = all;
    struct view whole = view_cut(&fraction, '.');
    while (fraction.len > (size_t)pattern.fraction_min && fraction.data[fraction.len - 1] == '0') {
        fraction.len--;
    }
    bool nothing = view_eq(whole, VIEW("0"));
    if (nothing && (pattern.whole_min > 0 || fraction.len > 0 || pattern.fraction_min > 0)) {
        whole.len = 0; // places of the pattern alone say whether a zero stands before the point
    }
    struct view prefix = pattern.prefix, suffix = pattern.suffix;
    if (is_negative(number) && negative.len > 0) {
        struct pattern other = read_pattern(negative);
        prefix = other.prefix;
        suffix = other.suffix;
    } else if (is_negative(number)) {
        buffer_add_char(out, '-');
    }
    add_unquoted(out, prefix);
    add_whole(out, &pattern, whole);
    size_t zeros = (size_t)pattern.fraction_min > fraction.len ? (size_t)pattern.fraction_min - fraction.len : 0;
    if (fraction.len + zeros > 0) {
        buffer_add_char(out, '.');
        buffer_add(out, fraction);
    }
    for (; zeros > 0; zeros--) {
        buffer_add_char(out, '0');
    }
    add_unquoted(out, suffix);
}

// ---- text(pattern) ------------------------------------------------------------------------------

static bool format_text(struct native_call *call)
{
    struct view pattern;
    struct value v = call->args[0];
    if (!arg_text(call, 1, &pattern)) {
        return false;
    }
    bool number = v.type == VALUE_NUMBER || v.type == VALUE_DECIMAL || (v.type == VALUE_TEXT && lib_number_text(value_view(v), &v));
    struct buffer out;
    if (number) {
        lib_buffer(call, &out);
        lib_decimal_format(&out, v, pattern);
        return lib_buffer_return(call, &out);
    }
    struct lib_date date;
    bool has_time;
    // The documented examples read 02/04/2020 as the fourth of February, whatever the account's date format.
    if (v.type != VALUE_TEXT || !calendar_parse(value_view(v), VIEW("MM/dd/yyyy"), call->heap->zone, &date.millis, &has_time)) {
        if (!lib_date(call, 0, &date)) {
            return false;
        }
    }
    lib_buffer(call, &out);
    calendar_format(&out, date.millis, call->heap->zone, pattern);
    return lib_buffer_return(call, &out);
}

// ---- the table ----------------------------------------------------------------------------------

static const struct native rows[] = {
    {"text", NATIVE_NUMBERS | LIB_DATED, 2, 2, 0, 6, format_text, "number or date.text(TEXT pattern) → TEXT",
     "A number in a pattern of Java's DecimalFormat, a date in one of SimpleDateFormat. Text that is a number or a date counts as one.",
     "info 2434.text(\"000000000\");\ninfo \"12345654.1234\".text(\"$#,##0.00\"); => 000002434\n$12,345,654.12", "SURE builtins §3"},
};

const struct lib_table lib_number_format_table = LIB_TABLE(rows);
