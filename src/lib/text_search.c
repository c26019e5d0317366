// SPDX-License-Identifier: Apache-2.0
//
// Text: finding, counting and cutting at a piece of text, with and without regard to case. Searching is memmem's (linear); ignoring case
// folds both sides one code point to one (utf8proc's simple mapping), searches the folded bytes and counts characters back to the original.
#include "lib/inside.h"

// A piece of the text, in bytes; `end` differs from start + needle length where case folding changed lengths.
struct found {
    ptrdiff_t start; // byte offset, -1 = absent
    size_t end;
};

static struct found find_first(struct view text, struct view needle)
{
    ptrdiff_t at = view_find(text, needle);
    return (struct found){at, at < 0 ? 0 : (size_t)at + needle.len};
}

static void add_backwards(struct buffer *out, struct view text)
{
    char *bytes = buffer_space(out, text.len);
    for (size_t i = 0; bytes != NULL && i < text.len; i++) {
        bytes[text.len - 1 - i] = text.data[i];
    }
    out->len = bytes == NULL ? 0 : text.len;
}

// Looks for the reversed needle in the reversed text: linear whatever the texts are, where walking back from the end is not.
static bool find_last(struct native_call *call, struct view text, struct view needle, struct found *ret_found)
{
    struct buffer backwards, backwards_needle;
    lib_buffer(call, &backwards);
    lib_buffer(call, &backwards_needle);
    add_backwards(&backwards, text);
    add_backwards(&backwards_needle, needle);
    bool failed = backwards.failed || backwards_needle.failed;
    struct found found = find_first(buffer_view(&backwards), buffer_view(&backwards_needle));
    if (found.start >= 0) {
        found = (struct found){(ptrdiff_t)(text.len - found.end), text.len - (size_t)found.start};
    }
    buffer_free(&backwards);
    buffer_free(&backwards_needle);
    *ret_found = found;
    return !failed || lib_memory_fail(call);
}

// Byte offset in `text` of the character that stands at `folded_offset` of its folded form.
static size_t unfold_offset(struct view text, struct view folded, size_t folded_offset)
{
    size_t at = 0, folded_at = 0;
    while (folded_at < folded_offset) {
        utf8_next(folded, &folded_at);
        utf8_next(text, &at);
    }
    return at;
}

static bool find_nocase(struct native_call *call, struct view text, struct view needle, struct found *ret_found)
{
    struct buffer folded, folded_needle;
    lib_buffer(call, &folded);
    lib_buffer(call, &folded_needle);
    lib_fold(&folded, text);
    lib_fold(&folded_needle, needle);
    bool ok = (!folded.failed && !folded_needle.failed) || lib_memory_fail(call);
    if (ok) {
        struct view inside = buffer_view(&folded);
        struct found at = find_first(inside, buffer_view(&folded_needle));
        if (at.start >= 0) {
            at = (struct found){(ptrdiff_t)unfold_offset(text, inside, (size_t)at.start), unfold_offset(text, inside, at.end)};
        }
        *ret_found = at;
    }
    buffer_free(&folded);
    buffer_free(&folded_needle);
    return ok;
}

// The receiver, the piece to look for, and where it stands.
static bool find_argument(struct native_call *call, bool nocase, struct value *ret_text, struct found *ret_found)
{
    struct value needle;
    if (!lib_text(call, 0, ret_text) || !lib_text(call, 1, &needle)) {
        return false;
    }
    lib_cost_bytes(call, ret_text->len);
    if (nocase) {
        return find_nocase(call, value_view(*ret_text), value_view(needle), ret_found);
    }
    *ret_found = find_first(value_view(*ret_text), value_view(needle));
    return true;
}

// ---- tests --------------------------------------------------------------------------------------

// The tests answer for null instead of failing: x.contains(record.get("Field")) is common where the field may be empty.
static bool argument_is_null(const struct native_call *call)
{
    return lib_arg(call, 1).type == VALUE_NULL;
}

static bool search_contains(struct native_call *call)
{
    struct value text;
    struct found found;
    if (argument_is_null(call)) {
        return lib_return_bool(call, false);
    }
    return find_argument(call, false, &text, &found) && lib_return_bool(call, found.start >= 0);
}

static bool search_not_contains(struct native_call *call)
{
    struct value text;
    struct found found;
    if (argument_is_null(call)) {
        return lib_return_bool(call, true);
    }
    return find_argument(call, false, &text, &found) && lib_return_bool(call, found.start < 0);
}

static bool search_contains_nocase(struct native_call *call)
{
    struct value text;
    struct found found;
    if (argument_is_null(call)) {
        return lib_return_bool(call, false);
    }
    return find_argument(call, true, &text, &found) && lib_return_bool(call, found.start >= 0);
}

enum side { SIDE_START, SIDE_END, SIDE_BOTH };

static bool sides_match(struct view text, struct view piece, enum side side)
{
    switch (side) {
    case SIDE_START:
        return view_starts(text, piece);
    case SIDE_END:
        return view_ends(text, piece);
    default:
        return view_eq(text, piece);
    }
}

// All six tests at the ends, and equality without case.
static bool test_side(struct native_call *call, enum side side, bool nocase)
{
    struct value text, piece;
    if (argument_is_null(call)) {
        return lib_return_bool(call, false);
    }
    if (!lib_text(call, 0, &text) || !lib_text(call, 1, &piece)) {
        return false;
    }
    if (!nocase) {
        return lib_return_bool(call, sides_match(value_view(text), value_view(piece), side));
    }
    lib_cost_bytes(call, text.len);
    struct buffer folded, folded_piece;
    lib_buffer(call, &folded);
    lib_buffer(call, &folded_piece);
    lib_fold(&folded, value_view(text));
    lib_fold(&folded_piece, value_view(piece));
    bool failed = folded.failed || folded_piece.failed;
    bool match = sides_match(buffer_view(&folded), buffer_view(&folded_piece), side);
    buffer_free(&folded);
    buffer_free(&folded_piece);
    return failed ? lib_memory_fail(call) : lib_return_bool(call, match);
}

static bool search_starts(struct native_call *call)
{
    return test_side(call, SIDE_START, false);
}

static bool search_starts_nocase(struct native_call *call)
{
    return test_side(call, SIDE_START, true);
}

static bool search_ends(struct native_call *call)
{
    return test_side(call, SIDE_END, false);
}

static bool search_ends_nocase(struct native_call *call)
{
    return test_side(call, SIDE_END, true);
}

static bool search_equals_nocase(struct native_call *call)
{
    return test_side(call, SIDE_BOTH, true);
}

// ---- positions ----------------------------------------------------------------------------------

// Scripts count UTF-16 units; for ASCII the byte offset is that already.
static int64_t unit_index(struct value text, ptrdiff_t byte_offset)
{
    if (byte_offset < 0 || (text.flags & VALUE_ASCII)) {
        return byte_offset;
    }
    return (int64_t)utf8_units((struct view){text.text->bytes, (size_t)byte_offset});
}

static bool search_index(struct native_call *call)
{
    struct value text;
    struct found found;
    return find_argument(call, false, &text, &found) && lib_return_number(call, unit_index(text, found.start));
}

static bool search_last_index(struct native_call *call)
{
    struct value text, needle;
    struct found found;
    if (!lib_text(call, 0, &text) || !lib_text(call, 1, &needle) || !find_last(call, value_view(text), value_view(needle), &found)) {
        return false;
    }
    lib_cost_bytes(call, text.len);
    return lib_return_number(call, unit_index(text, found.start));
}

// Occurrences that do not overlap.
static bool search_count(struct native_call *call)
{
    struct value text, needle;
    if (!lib_text(call, 0, &text) || !lib_text(call, 1, &needle)) {
        return false;
    }
    lib_cost_bytes(call, text.len);
    struct view rest = value_view(text);
    int64_t count = 0;
    while (needle.len > 0) {
        ptrdiff_t at = view_find(rest, value_view(needle));
        if (at < 0) {
            break;
        }
        if (lib_interrupted(call)) {
            return false;
        }
        count++;
        rest = view_from(rest, (size_t)at + needle.len);
    }
    return lib_return_number(call, count);
}

// ---- cutting at a piece -------------------------------------------------------------------------

// Before or behind the first occurrence; null if it is absent, so that a chained call fails as at Zoho.
static bool cut_at(struct native_call *call, bool before, bool nocase)
{
    struct value text;
    struct found found;
    if (!find_argument(call, nocase, &text, &found)) {
        return false;
    }
    if (found.start < 0) {
        return lib_return(call, value_null());
    }
    struct view all = value_view(text);
    return lib_return_text(call, before ? view_slice(all, 0, (size_t)found.start) : view_from(all, found.end));
}

static bool search_prefix(struct native_call *call)
{
    return cut_at(call, true, false);
}

static bool search_prefix_nocase(struct native_call *call)
{
    return cut_at(call, true, true);
}

static bool search_suffix(struct native_call *call)
{
    return cut_at(call, false, false);
}

static bool search_suffix_nocase(struct native_call *call)
{
    return cut_at(call, false, true);
}

// ---- removing a piece ---------------------------------------------------------------------------

static bool search_remove(struct native_call *call)
{
    struct value text, piece, kept;
    char *out;
    if (!lib_text(call, 0, &text) || !lib_text(call, 1, &piece)) {
        return false;
    }
    if (piece.len == 0) {
        return lib_return(call, text);
    }
    if (!lib_space(call, text.len, &kept, &out)) {
        return false;
    }
    struct view rest = value_view(text);
    size_t len = 0;
    for (;;) {
        if (lib_interrupted(call)) {
            return false;
        }
        ptrdiff_t at = view_find(rest, value_view(piece));
        size_t count = at < 0 ? rest.len : (size_t)at;
        memcpy(out + len, rest.data, count);
        len += count;
        if (at < 0) {
            return lib_return(call, value_text_done(kept, len));
        }
        rest = view_from(rest, count + piece.len);
    }
}

// The first or last occurrence; an absent or empty piece leaves the text as it is.
static bool remove_one(struct native_call *call, bool last)
{
    struct value text, piece, kept;
    char *out;
    if (!lib_text(call, 0, &text) || !lib_text(call, 1, &piece)) {
        return false;
    }
    struct found found = find_first(value_view(text), value_view(piece));
    if (last && !find_last(call, value_view(text), value_view(piece), &found)) {
        return false;
    }
    if (found.start < 0 || piece.len == 0) {
        return lib_return(call, text);
    }
    if (!lib_space(call, text.len - piece.len, &kept, &out)) {
        return false;
    }
    memcpy(out, text.text->bytes, (size_t)found.start);
    memcpy(out + found.start, text.text->bytes + found.end, text.len - found.end);
    return lib_return(call, value_text_done(kept, text.len - piece.len));
}

static bool search_remove_first(struct native_call *call)
{
    return remove_one(call, false);
}

static bool search_remove_last(struct native_call *call)
{
    return remove_one(call, true);
}

// ---- the table ----------------------------------------------------------------------------------

static const struct native rows[] = {
    {"contains", LIB_SCALAR, 2, 2, 0, 3, search_contains, "text.contains(TEXT piece) → BOOLEAN",
     "Does the text hold the piece? Case matters; empty is everywhere.", "info \"Hello World\".contains(\"World\"); => true",
     "SURE builtins §2"},
    {"notContains", LIB_SCALAR, 2, 2, 0, 3, search_not_contains, "text.notContains(TEXT piece) → BOOLEAN", "The opposite of contains.",
     "info \"Hello\".notContains(\"World\"); => true", "SURE builtins §2"},
    {"containsIgnoreCase", LIB_PRINTS, 2, 2, 0, 4, search_contains_nocase, "text.containsIgnoreCase(TEXT piece) → BOOLEAN",
     "As contains, without regard to case.", "info \"Hello World\".containsIgnoreCase(\"WORLD\"); => true", "SURE builtins §2"},
    {"startsWith", LIB_PRINTS, 2, 2, 0, 3, search_starts, "text.startsWith(TEXT piece) → BOOLEAN", "Does the text start with the piece?",
     "info startsWith(\"Zoho Creator\",\"zoho\"); => false", "SURE builtins §2"},
    {"startsWithIgnoreCase", LIB_PRINTS, 2, 2, 0, 4, search_starts_nocase, "text.startsWithIgnoreCase(TEXT piece) → BOOLEAN",
     "As startsWith, without regard to case.", "info startsWithIgnoreCase(\"Zoho Creator\",\"zoho\"); => true", "SURE builtins §2"},
    {"endsWith", LIB_PRINTS, 2, 2, 0, 3, search_ends, "text.endsWith(TEXT piece) → BOOLEAN", "Does the text end with the piece?",
     "info \"Zoho Creator\".endsWith(\"Creator\"); => true", "SURE builtins §2"},
    {"endsWithIgnoreCase", LIB_PRINTS, 2, 2, 0, 4, search_ends_nocase, "text.endsWithIgnoreCase(TEXT piece) → BOOLEAN",
     "As endsWith, without regard to case.", "info endsWithIgnoreCase(\"Zoho Creator\",\"creator\"); => true", "SURE builtins §2"},
    {"equalsIgnoreCase", LIB_PRINTS, 2, 2, 0, 4, search_equals_nocase, "text.equalsIgnoreCase(TEXT other) → BOOLEAN",
     "Are the texts equal without regard to case?", "info \"hello\".equalsIgnoreCase(\"HELLO\"); => true", "SURE builtins §2"},
    {"indexOf", LIB_SCALAR, 2, 2, 0, 3, search_index, "text.indexOf(TEXT piece) → NUMBER",
     "Where the piece first stands (from 0), -1 if absent.", "info \"Hello world, welcome to the universe\".indexOf(\"e\"); => 1",
     "SURE builtins §2"},
    {"find", LIB_SCALAR, 2, 2, 0, 3, search_index, "text.find(TEXT piece) → NUMBER", "The same as indexOf.",
     "info \"Hello world, welcome to the universe\".find(\"e\"); => 1", "SURE builtins §2"},
    {"lastIndexOf", LIB_SCALAR, 2, 2, 0, 3, search_last_index, "text.lastIndexOf(TEXT piece) → NUMBER",
     "Where the piece last stands (from 0), -1 if absent.", "info \"Hello world, welcome to the universe\".lastIndexOf(\"e\"); => 35",
     "SURE builtins §2"},
    {"getOccurenceCount", LIB_PRINTS, 2, 2, 0, 3, search_count, "text.getOccurenceCount(TEXT piece) → NUMBER",
     "How often the piece stands in the text.", "info \"a database, the database\".getOccurenceCount(\"database\"); => 2",
     "SURE builtins §2"},
    {"getOccurence", LIB_PRINTS, 2, 2, 0, 3, search_count, "text.getOccurence(TEXT piece) → NUMBER", "Old name of getOccurenceCount.",
     "info \"aXbX\".getOccurence(\"X\"); => 2", "LIKELY builtins §2"},
    {"getPrefix", LIB_PRINTS, 2, 2, 0, 3, search_prefix, "text.getPrefix(TEXT piece) → TEXT",
     "What stands before the first occurrence; null if absent.", "info \"one, two\".getPrefix(\",\"); => one", "SURE builtins §2"},
    {"getPrefixIgnoreCase", LIB_PRINTS, 2, 2, 0, 4, search_prefix_nocase, "text.getPrefixIgnoreCase(TEXT piece) → TEXT",
     "As getPrefix, without regard to case.", "info \"salt and pepper\".getPrefixIgnoreCase(\" AND\"); => salt", "SURE builtins §2"},
    {"getSuffix", LIB_PRINTS, 2, 2, 0, 3, search_suffix, "text.getSuffix(TEXT piece) → TEXT",
     "What stands behind the first occurrence; null if absent.", "info \"https://x/d/42/edit\".getSuffix(\"/d/\").getPrefix(\"/\"); => 42",
     "SURE builtins §2"},
    {"getSuffixIgnoreCase", LIB_PRINTS, 2, 2, 0, 4, search_suffix_nocase, "text.getSuffixIgnoreCase(TEXT piece) → TEXT",
     "As getSuffix, without regard to case.", "info \"apps WITH Zoho\".getSuffixIgnoreCase(\"with \"); => Zoho", "SURE builtins §2"},
    {"remove", LIB_SCALAR, 2, 2, 0, 3, search_remove, "text.remove(TEXT piece) → TEXT", "Without any occurrence of the piece.",
     "info \"a-b-c\".remove(\"-\"); => abc", "LIKELY builtins §2"},
    {"removeFirstOccurence", LIB_PRINTS, 2, 2, 0, 3, search_remove_first, "text.removeFirstOccurence(TEXT piece) → TEXT",
     "Without the first occurrence of the piece.", "info \"5 and 5\".removeFirstOccurence(\"5\") + \"|\"; =>  and 5|", "SURE builtins §2"},
    {"removeLastOccurence", LIB_PRINTS, 2, 2, 0, 3, search_remove_last, "text.removeLastOccurence(TEXT piece) → TEXT",
     "Without the last occurrence of the piece.", "info \"app app\".removeLastOccurence(\" app\"); => app", "SURE builtins §2"},
};

const struct lib_table lib_text_search_table = LIB_TABLE(rows);
