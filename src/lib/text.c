// SPDX-License-Identifier: Apache-2.0
//
// Text: length, cutting, padding, case, and what keeps or drops kinds of characters. Nothing changes a text; every native answers a new
// one. Indexes and lengths are UTF-16 units, as in Java; texts of ASCII alone (flag VALUE_ASCII) take the short way, where units are bytes.
#include "lib/inside.h"

#include <utf8proc.h>

// spec/deluge-language.md §8.2.
static const char bounds_text[] = "Given string is lesser than the applied boundary, so index out of bounds exception arisen";

static bool text_length(struct native_call *call)
{
    struct value text;
    if (!lib_text(call, 0, &text)) {
        return false;
    }
    lib_cost_units(call, text);
    return lib_return_number(call, (int64_t)value_text_units(text));
}

// ---- cutting ------------------------------------------------------------------------------------

// The units from start to end as a result; both were checked or are clamped.
static bool cut_text(struct native_call *call, struct value text, size_t start, size_t end)
{
    struct value v = value_text_slice(call->heap, text, start, end);
    if (v.type != VALUE_TEXT) {
        return lib_memory_fail(call);
    }
    lib_cost_bytes(call, v.len);
    lib_cost_units(call, text);
    return lib_return(call, v);
}

// Start inclusive, end exclusive; a negative end is ignored, as documented.
static bool text_substring(struct native_call *call)
{
    struct value text;
    int64_t start, end = -1;
    if (!lib_text(call, 0, &text) || !arg_number(call, 1, &start)) {
        return false;
    }
    if (call->count > 2 && !arg_number(call, 2, &end)) {
        return false;
    }
    lib_cost_units(call, text);
    int64_t units = (int64_t)value_text_units(text);
    if (end < 0) {
        end = units;
    }
    if (start < 0 || end > units || start > end) {
        return native_fail(call, "%s", bounds_text);
    }
    return cut_text(call, text, (size_t)start, (size_t)end);
}

static bool text_left(struct native_call *call)
{
    struct value text;
    int64_t count;
    if (!lib_text(call, 0, &text) || !arg_number(call, 1, &count)) {
        return false;
    }
    if (count < 0) {
        return native_fail(call, "%s", bounds_text);
    }
    return cut_text(call, text, 0, (size_t)count);
}

static bool text_right(struct native_call *call)
{
    struct value text;
    int64_t count;
    if (!lib_text(call, 0, &text) || !arg_number(call, 1, &count)) {
        return false;
    }
    if (count < 0) {
        return native_fail(call, "%s", bounds_text);
    }
    size_t units = value_text_units(text);
    return cut_text(call, text, (uint64_t)count >= units ? 0 : units - (size_t)count, units);
}

enum { TRIM_STEP = 16 };

// Java's trim: everything up to U+0020 is a blank.
static bool trim_sides(struct native_call *call, bool left, bool right)
{
    struct value text;
    if (!lib_text(call, 0, &text)) {
        return false;
    }
    struct view all = value_view(text);
    size_t start = 0, end = all.len;
    while (left && start < end && (unsigned char)all.data[start] <= ' ') {
        start++;
    }
    while (right && end > start && (unsigned char)all.data[end - 1] <= ' ') {
        end--;
    }
    if (start == 0 && end == all.len) {
        return lib_return(call, text);
    }
    lib_cost_bytes(call, all.len * TRIM_STEP); // byte by byte over the blanks, then the copy
    return lib_return_text(call, (struct view){all.data + start, end - start});
}

static bool text_trim(struct native_call *call)
{
    return trim_sides(call, true, true);
}

static bool text_ltrim(struct native_call *call)
{
    return trim_sides(call, true, false);
}

static bool text_rtrim(struct native_call *call)
{
    return trim_sides(call, false, true);
}

// ---- case ---------------------------------------------------------------------------------------

// ctype.h follows the locale and takes no negative char; scripts want neither.
static char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static void add_code_point(struct buffer *out, uint32_t code_point)
{
    char bytes[4];
    buffer_add(out, (struct view){bytes, utf8_encode(bytes, code_point)});
}

static void add_upper(struct buffer *out, uint32_t code_point)
{
    if (code_point == 0xDF) { // the one letter of common texts whose upper case is two letters
        buffer_add(out, VIEW("SS"));
    } else {
        add_code_point(out, (uint32_t)utf8proc_toupper((int32_t)code_point));
    }
}

void lib_fold(struct buffer *out, struct view text)
{
    for (size_t i = 0; i < text.len;) {
        if ((unsigned char)text.data[i] < 0x80) {
            buffer_add_char(out, ascii_lower(text.data[i++]));
        } else {
            add_code_point(out, (uint32_t)utf8proc_tolower((int32_t)utf8_next(text, &i)));
        }
    }
}

// ASCII keeps its length and is written straight into the result; other scripts may grow.
static bool change_case(struct native_call *call, bool upper)
{
    struct value text;
    if (!lib_text(call, 0, &text)) {
        return false;
    }
    struct view all = value_view(text);
    if (text.flags & VALUE_ASCII) {
        struct value changed;
        char *out;
        if (!lib_space(call, all.len, &changed, &out)) {
            return false;
        }
        for (size_t i = 0; i < all.len; i++) {
            out[i] = upper ? ascii_upper(all.data[i]) : ascii_lower(all.data[i]);
        }
        return lib_return(call, value_text_done(changed, all.len));
    }
    struct buffer out;
    lib_buffer(call, &out);
    if (!upper) {
        lib_fold(&out, all);
    }
    for (size_t i = 0; upper && i < all.len;) {
        add_upper(&out, utf8_next(all, &i));
    }
    return lib_buffer_return(call, &out);
}

static bool text_upper(struct native_call *call)
{
    return change_case(call, true);
}

static bool text_lower(struct native_call *call)
{
    return change_case(call, false);
}

// First letter of each word upper, the rest lower; words are parted by blanks.
static bool text_proper(struct native_call *call)
{
    struct value text;
    if (!lib_text(call, 0, &text)) {
        return false;
    }
    struct view all = value_view(text);
    struct buffer out;
    lib_buffer(call, &out);
    bool first = true;
    for (size_t i = 0; i < all.len;) {
        uint32_t c = utf8_next(all, &i);
        if (first) {
            add_upper(&out, c);
        } else {
            add_code_point(&out, (uint32_t)utf8proc_tolower((int32_t)c));
        }
        first = c <= ' ';
    }
    return lib_buffer_return(call, &out);
}

// ---- building -----------------------------------------------------------------------------------

static bool text_concat(struct native_call *call)
{
    struct value left, right;
    if (!lib_text(call, 0, &left)) {
        return false;
    }
    if (lib_arg(call, 1).type == VALUE_NULL) {
        right = VALUE_TEXT_LITERAL(call->heap, "null"); // as + does
    } else if (!lib_text(call, 1, &right)) {
        return false;
    }
    struct value joined = value_text_concat(call->heap, left, right);
    if (joined.type != VALUE_TEXT) {
        return lib_memory_fail(call);
    }
    lib_cost_bytes(call, joined.len);
    return lib_return(call, joined);
}

// A list is printed first: {1,2,13} gives 31,2,1, as documented. Code points stay whole, as in Java.
static bool text_reverse(struct native_call *call)
{
    struct value text, reversed;
    char *out;
    if (!lib_text(call, 0, &text)) {
        return false;
    }
    struct view all = value_view(text);
    if (!lib_space(call, all.len, &reversed, &out)) {
        return false;
    }
    for (size_t i = 0; i < all.len;) {
        size_t start = i;
        utf8_next(all, &i);
        memcpy(out + all.len - i, all.data + start, i - start);
    }
    return lib_return(call, value_text_done(reversed, all.len));
}

static bool text_repeat(struct native_call *call)
{
    struct value text, repeated;
    char *out;
    int64_t times;
    if (!lib_text(call, 0, &text) || !arg_number(call, 1, &times)) {
        return false;
    }
    if (times <= 0 || text.len == 0) {
        return lib_return_text(call, VIEW(""));
    }
    if (times > UINT32_MAX) {
        return lib_memory_fail(call);
    }
    if (!lib_space(call, (uint64_t)times * text.len, &repeated, &out)) {
        return false;
    }
    size_t total = (size_t)times * text.len;
    memcpy(out, text.text->bytes, text.len);
    for (size_t done = text.len; done < total;) { // doubles what is there: few long copies instead of many short ones
        size_t count = done < total - done ? done : total - done;
        memcpy(out + done, out, count);
        done += count;
    }
    return lib_return(call, value_text_done(repeated, total));
}

// Blanks to a total width in UTF-16 units; a longer text stays as it is.
static bool pad_text(struct native_call *call, bool left)
{
    struct value text, padded;
    char *out;
    int64_t width;
    if (!lib_text(call, 0, &text) || !arg_number(call, 1, &width)) {
        return false;
    }
    lib_cost_units(call, text);
    int64_t units = (int64_t)value_text_units(text);
    if (width <= units) {
        return lib_return(call, text);
    }
    uint64_t blanks = (uint64_t)(width - units);
    if (blanks > UINT32_MAX) {
        return lib_memory_fail(call);
    }
    if (!lib_space(call, blanks + text.len, &padded, &out)) {
        return false;
    }
    memset(left ? out : out + text.len, ' ', (size_t)blanks);
    memcpy(left ? out + blanks : out, text.text->bytes, text.len);
    return lib_return(call, value_text_done(padded, (size_t)blanks + text.len));
}

static bool text_leftpad(struct native_call *call)
{
    return pad_text(call, true);
}

static bool text_rightpad(struct native_call *call)
{
    return pad_text(call, false);
}

// ---- kinds of characters ------------------------------------------------------------------------

// Character.isLetter: the letter categories of Unicode, without a table look-up for ASCII.
static bool is_letter(uint32_t c)
{
    if (c < 0x80) {
        return (c | 32) >= 'a' && (c | 32) <= 'z';
    }
    utf8proc_category_t category = utf8proc_category((int32_t)c);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

static bool is_digit(uint32_t c)
{
    return c < 0x80 ? c >= '0' && c <= '9' : utf8proc_category((int32_t)c) == UTF8PROC_CATEGORY_ND;
}

// Keeps (or drops) letters, and digits too when asked. Letters of all scripts count, as Character.isLetter does (GUESS).
static bool filter_text(struct native_call *call, bool digits, bool keep)
{
    struct value text, filtered;
    char *out;
    if (!lib_text(call, 0, &text)) {
        return false;
    }
    struct view all = value_view(text);
    if (!lib_space(call, all.len, &filtered, &out)) {
        return false;
    }
    size_t len = 0;
    for (size_t i = 0; i < all.len;) {
        size_t start = i;
        uint32_t c = utf8_next(all, &i);
        if ((is_letter(c) || (digits && is_digit(c))) == keep) {
            memcpy(out + len, all.data + start, i - start);
            len += i - start;
        }
    }
    return lib_return(call, value_text_done(filtered, len));
}

static bool text_get_alpha(struct native_call *call)
{
    return filter_text(call, false, true);
}

static bool text_get_alpha_numeric(struct native_call *call)
{
    return filter_text(call, true, true);
}

static bool text_remove_all_alpha(struct native_call *call)
{
    return filter_text(call, false, false);
}

static bool text_remove_all_alpha_numeric(struct native_call *call)
{
    return filter_text(call, true, false);
}

static bool text_is_ascii(struct native_call *call)
{
    struct value text;
    return lib_text(call, 0, &text) && lib_return_bool(call, utf8_ascii(value_view(text)));
}

// ---- hex ----------------------------------------------------------------------------------------

// Bytes of the UTF-8 form, two digits each, so that textToHex and hexToText undo each other for every text.
static bool text_to_hex(struct native_call *call)
{
    struct value text, hex;
    char *out;
    if (!lib_text(call, 0, &text) || !lib_space(call, (uint64_t)text.len * 2, &hex, &out)) {
        return false;
    }
    hex_print(out, text.text->bytes, text.len);
    return lib_return(call, value_text_done(hex, (size_t)text.len * 2));
}

static bool text_from_hex(struct native_call *call)
{
    struct value hex;
    if (!lib_text(call, 0, &hex)) {
        return false;
    }
    struct buffer out;
    lib_buffer(call, &out);
    char *bytes = buffer_space(&out, hex.len / 2 + 1);
    if (bytes != NULL && (hex.len % 2 != 0 || !hex_read(value_view(hex), bytes, hex.len / 2))) {
        buffer_free(&out);
        return native_fail(call, "hexToText needs pairs of hex digits");
    }
    out.len = bytes == NULL ? 0 : hex.len / 2;
    return lib_buffer_return(call, &out);
}

// ---- the table ----------------------------------------------------------------------------------

#define SUBSTRING(name)                                                                                                                    \
    {                                                                                                                                      \
        name, LIB_PRINTS, 2, 3, 0, 4, text_substring, "text." name "(NUMBER start, NUMBER end?) → TEXT",                                   \
            "The text from `start` (0 is the first character) up to but without `end`. A negative end is ignored; out of bounds is an "    \
            "error.",                                                                                                                      \
            "info \"Welcome to Zoho Deluge\"." name "(11,22); => Zoho Deluge", "SURE builtins §2"                                         \
    }

static const struct native rows[] = {
    {"length", LIB_SCALAR, 1, 1, 0, 2, text_length, "text.length() → NUMBER", "Number of characters (UTF-16 units, as in Java).",
     "info \"Create database applications with Zoho Creator\".length(); => 46", "SURE builtins §2"},
    {"len", LIB_SCALAR, 1, 1, 0, 2, text_length, "text.len() → NUMBER", "The same as length.", "info len(\"abc\"); => 3",
     "SURE builtins §2"},
    SUBSTRING("subString"),
    SUBSTRING("subText"),
    SUBSTRING("mid"),
    {"left", LIB_PRINTS, 2, 2, 0, 4, text_left, "text.left(NUMBER count) → TEXT",
     "The first `count` characters, or the whole text if it is shorter.", "info \"Zoho Creator\".left(4); => Zoho",
     "SURE builtins §2; shorter texts GUESS"},
    {"right", LIB_PRINTS, 2, 2, 0, 4, text_right, "text.right(NUMBER count) → TEXT",
     "The last `count` characters, or the whole text if it is shorter.", "info \"Zoho Creator\".right(7); => Creator",
     "SURE builtins §2; shorter texts GUESS"},
    {"trim", LIB_PRINTS, 1, 1, 0, 3, text_trim, "text.trim() → TEXT", "Without the blanks at both ends.",
     "info \"[\" + \"  a b \".trim() + \"]\"; => [a b]", "SURE builtins §2"},
    {"ltrim", LIB_PRINTS, 1, 1, 0, 3, text_ltrim, "text.ltrim() → TEXT", "Without the blanks at the start.",
     "info \"  a\".ltrim() + \"|\"; => a|", "SURE builtins §2"},
    {"rtrim", LIB_PRINTS, 1, 1, 0, 3, text_rtrim, "text.rtrim() → TEXT", "Without the blanks at the end.",
     "info \"a  \".rtrim() + \"|\"; => a|", "SURE builtins §2"},
    {"toUpperCase", LIB_PRINTS, 1, 1, 0, 3, text_upper, "text.toUpperCase() → TEXT", "All letters upper case.",
     "info \"zoho\".toUpperCase(); => ZOHO", "SURE builtins §2"},
    {"upper", LIB_PRINTS, 1, 1, 0, 3, text_upper, "text.upper() → TEXT", "Old name of toUpperCase.", "info \"zoho\".upper(); => ZOHO",
     "GUESS builtins §2"},
    {"toLowerCase", LIB_PRINTS, 1, 1, 0, 3, text_lower, "text.toLowerCase() → TEXT", "All letters lower case.",
     "info \"ZoHo\".toLowerCase(); => zoho", "SURE builtins §2"},
    {"lower", LIB_PRINTS, 1, 1, 0, 3, text_lower, "text.lower() → TEXT", "Old name of toLowerCase.", "info \"ZoHo\".lower(); => zoho",
     "GUESS builtins §2"},
    {"proper", LIB_PRINTS, 1, 1, 0, 3, text_proper, "text.proper() → TEXT",
     "The first letter of each word upper case, the others lower case.", "info \"hello WORLD\".proper(); => Hello World",
     "SURE builtins §2; lower-casing the rest LIKELY"},
    {"concat", LIB_PRINTS, 2, 2, 0, 3, text_concat, "text.concat(TEXT other) → TEXT", "Both texts joined.",
     "info \"Zoho\".concat(\" \").concat(\"Deluge\"); => Zoho Deluge", "SURE builtins §2"},
    {"reverse", LIB_PRINTS, 1, 1, 0, 3, text_reverse, "text.reverse() → TEXT", "The characters in reverse order; a list is printed first.",
     "info \"Zoho Creator\".reverse(); => rotaerC ohoZ", "SURE builtins §2"},
    {"repeat", LIB_PRINTS, 2, 2, 0, 3, text_repeat, "text.repeat(NUMBER times) → TEXT", "The text `times` times.",
     "info \"Zoho\".repeat(3); => ZohoZohoZoho", "SURE builtins §2"},
    {"leftpad", LIB_PRINTS, 2, 2, 0, 3, text_leftpad, "text.leftpad(NUMBER width) → TEXT",
     "Blanks before the text up to `width`; a longer text stays.", "info \"Left\".leftpad(6); =>   Left", "SURE builtins §2"},
    {"rightpad", LIB_PRINTS, 2, 2, 0, 3, text_rightpad, "text.rightpad(NUMBER width) → TEXT",
     "Blanks behind the text up to `width`; a longer text stays.", "info \"ab\".rightpad(4) + \"|\"; => ab  |", "SURE builtins §2"},
    {"getAlpha", LIB_PRINTS, 1, 1, 0, 4, text_get_alpha, "text.getAlpha() → TEXT", "The letters alone.",
     "info \"abc123!\".getAlpha(); => abc", "SURE builtins §2"},
    {"getAlphaNumeric", LIB_PRINTS, 1, 1, 0, 4, text_get_alpha_numeric, "text.getAlphaNumeric() → TEXT", "The letters and digits alone.",
     "info \"Order#1234\".getAlphaNumeric(); => Order1234", "SURE builtins §2"},
    {"removeAllAlpha", LIB_PRINTS, 1, 1, 0, 4, text_remove_all_alpha, "text.removeAllAlpha() → TEXT", "Without the letters.",
     "info \"abc123!\".removeAllAlpha(); => 123!", "SURE builtins §2"},
    {"removeAllAlphaNumeric", LIB_PRINTS, 1, 1, 0, 4, text_remove_all_alpha_numeric, "text.removeAllAlphaNumeric() → TEXT",
     "Without the letters and digits.", "info \"abc123!\".removeAllAlphaNumeric(); => !", "SURE builtins §2"},
    {"isAscii", LIB_PRINTS, 1, 1, 0, 2, text_is_ascii, "text.isAscii() → BOOLEAN", "Has it ASCII characters only? Empty text has.",
     "info \"ß\".isAscii(); => false", "SURE builtins §2"},
    {"hexToText", LIB_PRINTS, 1, 1, 0, 3, text_from_hex, "text.hexToText() → TEXT",
     "The text whose UTF-8 bytes are written as pairs of hex digits.", "info \"48656c6c6f\".hexToText(); => Hello", "SURE builtins §2"},
    {"textToHex", LIB_PRINTS, 1, 1, 0, 3, text_to_hex, "text.textToHex() → TEXT", "The UTF-8 bytes as pairs of hex digits, lower case.",
     "info \"Hello\".textToHex(); => 48656c6c6f", "SURE builtins §2; letter case LIKELY"},
};

const struct lib_table lib_text_table = LIB_TABLE(rows);
