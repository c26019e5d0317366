// SPDX-License-Identifier: Apache-2.0
//
// Java's regular expressions written as PCRE2's. Most of the two languages is one; what is not:
//   - in a Java class `[` opens a class inside (union) and `&&` intersects. PCRE2 10.42 has neither and would compile both to something
//   else without a
//     word. A class that uses them becomes a look-ahead for each operand, since each of them matches exactly one character: [a-z&&[^b]] is
//     written
//     (?:(?=[a-z])[^b]).
//   - \p{Alpha}, \p{IsLatin}, \p{javaLowerCase}, … have other names; \uXXXX and \0nn other spellings; flags d, u, U do not exist.
//   - PCRE2's own inventions (verbs, recursion, callouts, \K, \C) are errors in Java, and some would lift the limits under which patterns
//   run.
#include "lib/translate.h"

struct translator {
    struct view in;
    size_t at;
    struct buffer *out;
    struct fail *fail;
};

static bool refuse(struct translator *t, const char *why)
{
    return fail_set(t->fail, FAIL_SCRIPT, "Invalid regular expression: %s near index %zu", why, t->at);
}

static int peek(const struct translator *t, size_t ahead)
{
    return t->at + ahead < t->in.len ? (unsigned char)t->in.data[t->at + ahead] : -1;
}

static void put(struct translator *t, const char *text)
{
    buffer_add(t->out, view_of(text));
}

static bool is_letter(int c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int hex_digit(int c)
{
    return is_digit(c) ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

// A character as both languages read it in any place.
static void put_character(struct translator *t, uint32_t c)
{
    if (c < 0x80 && (is_letter((int)c) || is_digit((int)c))) {
        buffer_add_char(t->out, (char)c);
    } else {
        buffer_printf(t->out, "\\x{%X}", c);
    }
}

// ---- escapes ------------------------------------------------------------------------------------

// Exactly so many digits; Java takes neither fewer nor more.
static bool read_hex(struct translator *t, size_t digits, uint32_t *ret_code)
{
    uint32_t code = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = hex_digit(peek(t, i));
        if (digit < 0) {
            return refuse(t, "hexadecimal digits are missing");
        }
        code = code * 16 + (uint32_t)digit;
    }
    t->at += digits;
    *ret_code = code;
    return true;
}

// Behind \u: four digits, and a second \uXXXX when the first is half of a pair.
static bool read_unicode(struct translator *t, uint32_t *ret_code)
{
    uint32_t low = 0;
    if (!read_hex(t, 4, ret_code)) {
        return false;
    }
    if (*ret_code >= 0xD800 && *ret_code < 0xDC00 && peek(t, 0) == '\\' && peek(t, 1) == 'u') {
        t->at += 2;
        if (!read_hex(t, 4, &low)) {
            return false;
        }
        if (low < 0xDC00 || low > 0xDFFF) {
            return refuse(t, "half of a surrogate pair");
        }
        *ret_code = 0x10000 + ((*ret_code - 0xD800) << 10) + (low - 0xDC00);
    }
    return (*ret_code < 0xD800 || *ret_code > 0xDFFF) && *ret_code < 0x110000 ? true : refuse(t, "half of a surrogate pair");
}

static bool read_braced_hex(struct translator *t, uint32_t *ret_code)
{
    uint32_t code = 0;
    size_t digits = 0;
    for (t->at++; hex_digit(peek(t, 0)) >= 0 && digits < 7; t->at++, digits++) {
        code = code * 16 + (uint32_t)hex_digit(peek(t, 0));
    }
    if (digits == 0 || peek(t, 0) != '}' || code >= 0x110000) {
        return refuse(t, "\\x{…} needs a code point");
    }
    t->at++;
    *ret_code = code;
    return true;
}

static bool read_octal(struct translator *t, uint32_t *ret_code)
{
    uint32_t code = 0;
    size_t digits = 0;
    while (digits < 3 && peek(t, 0) >= '0' && peek(t, 0) <= '7' && code * 8 + (uint32_t)(peek(t, 0) - '0') <= 0377) {
        code = code * 8 + (uint32_t)(peek(t, 0) - '0');
        t->at++;
        digits++;
    }
    *ret_code = code;
    return digits > 0 || refuse(t, "\\0 needs octal digits");
}

// An escape that stands for one character, the place being behind the backslash. *ret_is tells whether it does; if not nothing was taken.
static bool read_escaped(struct translator *t, uint32_t *ret_code, bool *ret_is)
{
    static const char names[] = "tnrfae", codes[] = "\t\n\r\f\a\x1B";
    int c = peek(t, 0);
    *ret_is = true;
    if (c < 0) {
        return refuse(t, "a backslash at the end");
    }
    if (!is_letter(c) && !is_digit(c)) {
        *ret_code = utf8_next(t->in, &t->at);
        return true;
    }
    const char *name = strchr(names, c);
    if (name != NULL) {
        t->at++;
        *ret_code = (uint32_t)codes[name - names];
        return true;
    }
    switch (c) {
    case 'u':
        t->at++;
        return read_unicode(t, ret_code);
    case 'x':
        t->at++;
        return peek(t, 0) == '{' ? read_braced_hex(t, ret_code) : read_hex(t, 2, ret_code);
    case '0':
        t->at++;
        return read_octal(t, ret_code);
    case 'c':
        if (peek(t, 1) < 0) {
            return refuse(t, "\\c needs a character");
        }
        *ret_code = (uint32_t)(peek(t, 1) ^ 64) & 0x7F;
        t->at += 2;
        return true;
    default:
        *ret_is = false;
        return true;
    }
}

// ---- properties ---------------------------------------------------------------------------------

// Java's POSIX names mean ASCII, as PCRE2's bracket names do without UCP; the java… and Is… ones are properties.
static const struct {
    const char *java, *posix, *property;
} properties[] = {
    {"Lower", "lower", NULL},     {"Upper", "upper", NULL},       {"ASCII", "ascii", NULL},           {"Alpha", "alpha", NULL},
    {"Digit", "digit", NULL},     {"Alnum", "alnum", NULL},       {"Punct", "punct", NULL},           {"Graph", "graph", NULL},
    {"Print", "print", NULL},     {"Blank", "blank", NULL},       {"Cntrl", "cntrl", NULL},           {"XDigit", "xdigit", NULL},
    {"Space", "space", NULL},     {"javaLowerCase", NULL, "Ll"},  {"javaUpperCase", NULL, "Lu"},      {"javaWhitespace", NULL, "Xsp"},
    {"javaLetter", NULL, "L"},    {"javaDigit", NULL, "Nd"},      {"javaLetterOrDigit", NULL, "Xan"}, {"IsAlphabetic", NULL, "L"},
    {"IsLetter", NULL, "L"},      {"IsLowercase", NULL, "Ll"},    {"IsUppercase", NULL, "Lu"},        {"IsDigit", NULL, "Nd"},
    {"IsPunctuation", NULL, "P"}, {"IsWhite_Space", NULL, "Xsp"}, {"IsWhiteSpace", NULL, "Xsp"},      {"IsControl", NULL, "Cc"},
    {"all", NULL, "Any"},
};

// Letters and _ only: nothing in a property name may close the braces or add a pattern of its own.
static bool plain_name(struct view name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!is_letter((unsigned char)name.data[i]) && name.data[i] != '_') {
            return false;
        }
    }
    return name.len > 0;
}

// \p{Name} behind the p; inside a class the brackets of a POSIX name are there already.
static bool put_property(struct translator *t, bool negated, bool in_class)
{
    struct view name = {t->in.data + t->at, t->at < t->in.len ? 1 : 0};
    if (peek(t, 0) == '{') {
        ptrdiff_t end = view_find_char(view_from(t->in, t->at), '}');
        if (end < 0) {
            return refuse(t, "a property name is not closed");
        }
        name = view_slice(t->in, t->at + 1, (size_t)end - 1);
        t->at += (size_t)end + 1;
    } else {
        t->at += name.len;
    }
    for (size_t i = 0; i < BASE_COUNT(properties); i++) {
        if (!view_eq(name, view_of(properties[i].java))) {
            continue;
        }
        if (properties[i].property != NULL) {
            buffer_printf(t->out, "\\%c{%s}", negated ? 'P' : 'p', properties[i].property);
        } else {
            buffer_printf(t->out, in_class ? "[:%s%s:]" : "[[:%s%s:]]", negated ? "^" : "", properties[i].posix);
        }
        return true;
    }
    struct view key = name, rest = name;
    if (view_find_char(name, '=') >= 0) {
        key = view_cut(&rest, '=');
        bool known = view_eq_nocase(key, VIEW("script")) || view_eq_nocase(key, VIEW("sc")) || view_eq_nocase(key, VIEW("gc")) ||
                     view_eq_nocase(key, VIEW("general_category"));
        name = known ? rest : VIEW_NONE;
    } else if (view_starts(name, VIEW("Is"))) {
        name = view_from(name, 2);
    } else if (view_starts(name, VIEW("In"))) {
        return refuse(t, "Unicode blocks are not supported, use a script such as \\p{IsGreek}");
    }
    if (!plain_name(name)) {
        return refuse(t, "unknown property name");
    }
    buffer_printf(t->out, "\\%c{%.*s}", negated ? 'P' : 'p', VIEW_ARGS(name));
    return true;
}

// An escape that stands for a set of characters, the place being at its letter; inside and outside of classes.
static bool put_set(struct translator *t, bool in_class, bool *ret_is)
{
    int c = peek(t, 0);
    *ret_is = true;
    if (c == 'p' || c == 'P') {
        t->at++;
        return put_property(t, c == 'P', in_class);
    }
    if (c >= 0 && strchr("dDsSwWhHvV", c) != NULL) {
        buffer_printf(t->out, "\\%c", c);
        t->at++;
        return true;
    }
    *ret_is = false;
    return true;
}

// ---- classes ------------------------------------------------------------------------------------

// A class is a set of operands joined by &&; an operand is plain content (characters, ranges, sets: `content`) and classes inside it
// (`inner`, already joined by |). Written out, every class is an expression that matches one character.
struct operand {
    struct buffer content, inner;
};

static bool translate_class(struct translator *t, int depth);

// Written classes grow by what is around each operand; the pattern's own limit times a factor bounds them.
static void operand_init(struct operand *operand)
{
    buffer_init(&operand->content, TRANSLATE_PATTERN_BYTES_MAX * 16);
    buffer_init(&operand->inner, TRANSLATE_PATTERN_BYTES_MAX * 16);
}

static void operand_free(struct operand *operand)
{
    buffer_free(&operand->content);
    buffer_free(&operand->inner);
}

// One character of a class, which may be the end of a range; *ret_is is false when a set was written instead.
static bool read_member(struct translator *t, uint32_t *ret_code, bool *ret_is)
{
    if (peek(t, 0) != '\\') {
        *ret_is = true;
        *ret_code = utf8_next(t->in, &t->at);
        return true;
    }
    t->at++;
    if (!read_escaped(t, ret_code, ret_is) || *ret_is) {
        return *ret_is && t->fail->code == FAIL_NONE;
    }
    bool is_set;
    if (!put_set(t, true, &is_set)) {
        return false;
    }
    return is_set || refuse(t, "this escape has no meaning in a class");
}

static bool put_member(struct translator *t)
{
    uint32_t first, last;
    bool is_character;
    if (!read_member(t, &first, &is_character) || !is_character) {
        return t->fail->code == FAIL_NONE;
    }
    put_character(t, first);
    bool range =
        peek(t, 0) == '-' && peek(t, 1) >= 0 && peek(t, 1) != ']' && peek(t, 1) != '[' && !(peek(t, 1) == '&' && peek(t, 2) == '&');
    if (!range) {
        return true;
    }
    t->at++;
    struct buffer *out = t->out, set;
    buffer_init(&set, TRANSLATE_PATTERN_BYTES_MAX);
    t->out = &set; // where a set would land: a range cannot end with one
    bool ok = read_member(t, &last, &is_character);
    t->out = out;
    buffer_free(&set);
    if (!ok) {
        return false;
    }
    if (!is_character || last < first) {
        return refuse(t, "a range of characters is out of order");
    }
    buffer_add_char(t->out, '-');
    put_character(t, last);
    return true;
}

// \Q…\E inside a class.
static void put_quoted_members(struct translator *t)
{
    while (t->at < t->in.len && !(peek(t, 0) == '\\' && peek(t, 1) == 'E')) {
        put_character(t, utf8_next(t->in, &t->at));
    }
    t->at += t->at < t->in.len ? 2 : 0;
}

// Reads up to && or the closing bracket.
static bool read_operand(struct translator *t, struct operand *operand, bool first, int depth)
{
    struct buffer *out = t->out;
    bool ok = true;
    for (; ok; first = false) {
        int c = peek(t, 0);
        if (c < 0) {
            ok = refuse(t, "a character class is not closed");
        } else if ((c == ']' && !first) || (c == '&' && peek(t, 1) == '&')) {
            break;
        } else if (c == '[') {
            if (operand->inner.len > 0) {
                buffer_add_char(&operand->inner, '|');
            }
            t->out = &operand->inner;
            ok = translate_class(t, depth + 1);
        } else if (c == '\\' && peek(t, 1) == 'Q') {
            t->at += 2;
            t->out = &operand->content;
            put_quoted_members(t);
        } else {
            t->out = &operand->content;
            ok = put_member(t);
        }
    }
    t->out = out;
    return ok;
}

// A class without inner ones stays an ordinary class.
static void put_operand(struct buffer *out, const struct operand *operand, bool negated)
{
    struct view content = buffer_view(&operand->content), inner = buffer_view(&operand->inner);
    if (inner.len == 0) {
        buffer_add(out, negated ? VIEW("[^") : VIEW("["));
        buffer_add(out, content);
        buffer_add_char(out, ']');
        return;
    }
    buffer_add(out, negated ? VIEW("(?:(?!") : VIEW("(?:"));
    if (content.len > 0) {
        buffer_add_char(out, '[');
        buffer_add(out, content);
        buffer_add(out, VIEW("]|"));
    }
    buffer_add(out, inner);
    buffer_add(out, negated ? VIEW(")[\\x{0}-\\x{10FFFF}])") : VIEW(")"));
}

// From `[` to its `]`. Recursion: classes inside classes, TRANSLATE_CLASS_DEPTH_MAX.
static bool translate_class(struct translator *t, int depth)
{
    if (depth > TRANSLATE_CLASS_DEPTH_MAX) {
        return refuse(t, "character classes are nested too deep");
    }
    t->at++;
    bool negated = peek(t, 0) == '^', ok, first = true;
    t->at += negated;
    struct buffer ahead; // the look-aheads of all operands but the last
    struct operand operand;
    buffer_init(&ahead, TRANSLATE_PATTERN_BYTES_MAX * 16);
    for (;;) {
        operand_init(&operand);
        ok = read_operand(t, &operand, first, depth);
        bool empty = operand.content.len == 0 && operand.inner.len == 0, more = ok && peek(t, 0) == '&';
        ok = ok && (!empty || refuse(t, "one side of && is empty"));
        if (!ok || !more) {
            break;
        }
        t->at += 2;
        first = false;
        buffer_add(&ahead, VIEW("(?="));
        put_operand(&ahead, &operand, false);
        buffer_add_char(&ahead, ')');
        operand_free(&operand);
    }
    if (ok && ahead.len == 0) {
        put_operand(t->out, &operand, negated);
    } else if (ok) {
        buffer_add(t->out, negated ? VIEW("(?:(?!") : VIEW("(?:"));
        buffer_add(t->out, buffer_view(&ahead));
        put_operand(t->out, &operand, false);
        buffer_add(t->out, negated ? VIEW(")[\\x{0}-\\x{10FFFF}])") : VIEW(")"));
    }
    t->out->failed |= ahead.failed || operand.content.failed || operand.inner.failed;
    operand_free(&operand);
    buffer_free(&ahead);
    t->at += ok;
    return ok;
}

// ---- outside of classes -------------------------------------------------------------------------

// What a class cannot hold: anchors, references, quotes.
static bool translate_escape(struct translator *t)
{
    uint32_t code;
    bool is;
    t->at++;
    if (!read_escaped(t, &code, &is)) {
        return false;
    }
    if (is) {
        put_character(t, code);
        return true;
    }
    if (!put_set(t, false, &is) || is) {
        return t->fail->code == FAIL_NONE;
    }
    int c = peek(t, 0);
    if (c == 'Q') {
        t->at++;
        put_quoted_members(t); // each character stands for itself outside of classes too
        return true;
    }
    if (is_digit(c)) { // a back reference; {} keeps digits behind it apart
        buffer_printf(t->out, "\\g{%c}", c);
        t->at++;
        return true;
    }
    if (strchr("bBAGZzRX", c) != NULL) {
        buffer_printf(t->out, "\\%c", c);
        t->at++;
        return true;
    }
    if (c == 'k' && peek(t, 1) == '<') {
        put(t, "\\k");
        t->at++;
        return true;
    }
    return refuse(t, "unknown escape");
}

// Behind "(?": flags of Java without those PCRE2 lacks, up to : or ).
static bool translate_flags(struct translator *t)
{
    for (int c; (c = peek(t, 0)) != ':' && c != ')'; t->at++) {
        if (c < 0 || strchr("idmsuxU-", c) == NULL) {
            return refuse(t, "unknown group or flag");
        }
        if (strchr("imsx-", c) != NULL) {
            buffer_add_char(t->out, (char)c);
        }
    }
    buffer_add_char(t->out, t->in.data[t->at++]);
    return true;
}

// Only the groups that Java has pass; everything else behind (? is PCRE2's own.
static bool translate_group(struct translator *t)
{
    t->at++;
    buffer_add_char(t->out, '(');
    if (peek(t, 0) == '*') {
        return refuse(t, "a quantifier without anything before it");
    }
    if (peek(t, 0) != '?') {
        return true;
    }
    t->at++;
    buffer_add_char(t->out, '?');
    int c = peek(t, 0);
    if (c == ':' || c == '=' || c == '!' || c == '>') {
        buffer_add_char(t->out, (char)c);
        t->at++;
        return true;
    }
    if (c == '<' && (peek(t, 1) == '=' || peek(t, 1) == '!' || is_letter(peek(t, 1)))) {
        buffer_add_char(t->out, '<');
        buffer_add_char(t->out, t->in.data[t->at + 1]);
        t->at += 2;
        return true;
    }
    return translate_flags(t);
}

bool translate_pattern(struct view java, struct buffer *out, struct fail *fail)
{
    struct translator t = {.in = java, .out = out, .fail = fail};
    fail_clear(fail);
    if (java.len > TRANSLATE_PATTERN_BYTES_MAX) {
        return refuse(&t, "the pattern is longer than 16 kB");
    }
    bool ok = true;
    while (ok && t.at < java.len) {
        switch (java.data[t.at]) {
        case '\\':
            ok = translate_escape(&t);
            break;
        case '[':
            ok = translate_class(&t, 0);
            break;
        case '(':
            ok = translate_group(&t);
            break;
        default:
            buffer_add_char(out, java.data[t.at++]);
            break;
        }
    }
    return ok && (!out->failed || refuse(&t, "the pattern is too large"));
}
