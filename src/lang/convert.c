// SPDX-License-Identifier: Apache-2.0
//
// Declared types: what happens to an argument, a returned value or a text where a type is written (spec/deluge-language.md §1.4, §1.5,
// §8.2). Zoho is generous: everything becomes text, JSON text becomes maps and lists, numeric text becomes numbers. What cannot be
// converted fails with the text that Zoho's callers know ("Mismatch of data type expression. Expected BIGINT but found STRING").
//
// null keeps being null except that a String parameter sees "" (§1.5) and a number cannot be missing (§8.2).

#include "lang/operate.h"

#include <math.h>

enum { CAST_TEXT_BYTES_MAX = 80 }; // of a text that is quoted in a failure

// ---- the words ----------------------------------------------------------------------------------

static const struct {
    const char *word;
    enum convert convert;
    enum value_type item_type; // as the word of List:Int()
} convert_words[] = {
    {"void", CONVERT_VOID, VALUE_NULL},
    {"string", CONVERT_TEXT, VALUE_TEXT},
    {"text", CONVERT_TEXT, VALUE_TEXT},
    {"int", CONVERT_NUMBER, VALUE_NUMBER},
    {"integer", CONVERT_NUMBER, VALUE_NUMBER},
    {"long", CONVERT_NUMBER, VALUE_NUMBER},
    {"bigint", CONVERT_NUMBER, VALUE_NUMBER},
    {"number", CONVERT_NUMBER, VALUE_NUMBER},
    {"float", CONVERT_DECIMAL, VALUE_DECIMAL},
    {"decimal", CONVERT_DECIMAL, VALUE_DECIMAL},
    {"double", CONVERT_DECIMAL, VALUE_DECIMAL},
    {"bool", CONVERT_BOOL, VALUE_BOOL},
    {"boolean", CONVERT_BOOL, VALUE_BOOL},
    {"list", CONVERT_LIST, VALUE_LIST},
    {"map", CONVERT_MAP, VALUE_MAP},
    {"key-value", CONVERT_MAP, VALUE_MAP},
    {"date", CONVERT_DATE, VALUE_DATETIME},
    {"datetime", CONVERT_DATE, VALUE_DATETIME},
    {"date-time", CONVERT_DATE, VALUE_DATETIME},
    {"timestamp", CONVERT_DATE, VALUE_DATETIME},
    {"time", CONVERT_TIME, VALUE_TIME},
    {"file", CONVERT_FILE, VALUE_FILE},
    {"collection", CONVERT_COLLECTION, VALUE_COLLECTION},
};

// A word that is none of these ("CRM Record", a misspelling) converts nothing: better to run than to refuse what Zoho's editor offered.
enum convert convert_of(struct view type)
{
    struct view word = view_trim(type);
    if (view_starts_nocase(word, VIEW("list:"))) {
        return CONVERT_LIST;
    }
    for (size_t i = 0; i < BASE_COUNT(convert_words); i++) {
        if (view_eq_nocase(word, view_of(convert_words[i].word))) {
            return convert_words[i].convert;
        }
    }
    return CONVERT_ANY;
}

enum value_type convert_item_type(struct view word)
{
    for (size_t i = 0; i < BASE_COUNT(convert_words); i++) {
        if (view_eq_nocase(word, view_of(convert_words[i].word))) {
            return convert_words[i].item_type;
        }
    }
    return VALUE_NULL;
}

const char *operate_type_name(struct value v)
{
    switch (v.type) {
    case VALUE_TEXT:
        return "STRING";
    case VALUE_NUMBER:
        return "BIGINT";
    default:
        return value_type_name(v);
    }
}

// ---- failures -----------------------------------------------------------------------------------

// "Mismatch of data type expression": where a value of one type was declared and another came (§8.2).
static bool mismatch(struct fail *fail, const char *expected, struct value v)
{
    // A missing number reaches a callee as empty text (§1.5), so Zoho's text says STRING for null.
    const char *found = v.type == VALUE_NULL ? "STRING" : operate_type_name(v);
    return fail_set(fail, FAIL_SCRIPT, "Mismatch of data type expression. Expected %s but found %s", expected, found);
}

// "can not be cast": where the content does not fit. The text that does not fit is quoted, but not at any length.
static bool cast_fail(struct heap *heap, struct value v, const char *to, struct fail *fail)
{
    struct value text = v.type == VALUE_TEXT ? v : value_to_text(heap, v, fail);
    struct view shown = view_slice(value_view_or(text, VIEW("")), 0, utf8_clamp(value_view_or(text, VIEW("")), CAST_TEXT_BYTES_MAX));
    return fail_set(fail, FAIL_SCRIPT, "'%.*s' can not be cast to '%s'", VIEW_ARGS(shown), to);
}

// ---- text as list and map (§1.3) ----------------------------------------------------------------

// Strict JSON is tried first because it is faster and nearly always right; then the reading that toMap() has.
bool operate_text_map(struct heap *heap, struct value text, struct map **ret_map, struct fail *fail)
{
    struct fail ignored;
    struct value parsed = value_null();
    if (json_looks_like(value_view(text)) &&
        (json_read(heap, value_view(text), &parsed, &ignored) || json_read_lenient(heap, value_view(text), &parsed, &ignored))) {
        struct map *map = value_as_map(parsed);
        if (map != NULL) {
            *ret_map = map;
            return true;
        }
    }
    return cast_fail(heap, text, "MAP", fail);
}

// Elements keep their blanks, and an empty element is one too: what was joined by commas comes apart again.
static struct value split_commas(struct heap *heap, struct view text)
{
    struct value list = value_list(heap, 0);
    while (list.type == VALUE_LIST && text.len > 0) {
        bool last = view_find_char(text, ',') < 0;
        struct view item = view_cut(&text, ',');
        if (!list_add(heap, list.list, value_text(heap, item))) {
            break;
        }
        if (!last && text.len == 0) { // "a," ends with an empty element
            list_add(heap, list.list, value_text(heap, VIEW("")));
        }
    }
    return list;
}

// The empty text is the empty list: that is how an empty list prints.
struct value operate_text_list(struct heap *heap, struct value text)
{
    struct view content = view_trim(value_view(text));
    struct value parsed = value_null();
    struct fail ignored;
    if (content.len == 0) {
        return value_list(heap, 0);
    }
    if (content.data[0] == '[' && json_read_lenient(heap, content, &parsed, &ignored) && parsed.type == VALUE_LIST) {
        return parsed;
    }
    if (content.data[0] == '{') { // how a list of maps prints: {…},{…}
        struct value bracketed = value_text_printf(heap, "[%.*s]", VIEW_ARGS(content));
        if (bracketed.type == VALUE_TEXT && json_read(heap, value_view(bracketed), &parsed, &ignored) && parsed.type == VALUE_LIST) {
            return parsed;
        }
    }
    return split_commas(heap, value_view(text));
}

// ---- one function a declared type ---------------------------------------------------------------

static bool to_text(struct heap *heap, struct value v, struct value *ret_value, struct fail *fail)
{
    if (v.type == VALUE_NULL) {
        *ret_value = value_text(heap, VIEW("")); // §1.5
        return true;
    }
    if (v.type == VALUE_TEXT || v.type == VALUE_FILE) { // a file keeps its bytes
        *ret_value = v;
        return true;
    }
    fail->code = FAIL_NONE;
    struct value text = value_to_text(heap, v, fail);
    if (text.type != VALUE_TEXT && fail->code != FAIL_NONE) {
        return false;
    }
    *ret_value = text;
    return true;
}

// A decimal is accepted only if nothing is lost; Zoho refuses a DECIMAL for an int when it saves.
static bool to_number(struct value v, struct value *ret_value, struct fail *fail)
{
    struct value number;
    if (!operate_number(v, &number)) {
        return mismatch(fail, "BIGINT", v);
    }
    if (number.type == VALUE_DECIMAL) {
        if (number.decimal != trunc(number.decimal) || !(number.decimal > -0x1p63 && number.decimal < 0x1p63)) {
            return mismatch(fail, "BIGINT", v);
        }
        number = value_number((int64_t)number.decimal);
    }
    *ret_value = number;
    return true;
}

static bool to_decimal(struct value v, struct value *ret_value, struct fail *fail)
{
    struct value number;
    if (!operate_number(v, &number)) {
        return mismatch(fail, "DECIMAL", v);
    }
    *ret_value = number.type == VALUE_NUMBER ? value_decimal((double)number.number) : number;
    return true;
}

static bool to_bool(struct value v, struct value *ret_value, struct fail *fail)
{
    bool yes;
    if (v.type == VALUE_TEXT || v.type == VALUE_BOOL) {
        if (!compare_truth(v, &yes, fail)) {
            return false;
        }
        *ret_value = value_bool(yes);
        return true;
    }
    return mismatch(fail, "BOOLEAN", v);
}

// A {} that is nothing yet stays so: the callee may still make a list of it that its caller sees.
static bool to_list(struct heap *heap, struct value v, struct value *ret_value, struct fail *fail)
{
    if (v.type == VALUE_TEXT) {
        *ret_value = operate_text_list(heap, v);
        return true;
    }
    struct list *list = value_as_list(v);
    if (list != NULL) {
        *ret_value = v.type == VALUE_LIST ? v : (struct value){.type = VALUE_LIST, .list = list};
        return true;
    }
    if (v.type == VALUE_FRESH) {
        *ret_value = v;
        return true;
    }
    return cast_fail(heap, v, "LIST", fail);
}

static bool to_map(struct heap *heap, struct value v, struct value *ret_value, struct fail *fail)
{
    struct map *map = value_as_map(v);
    if (v.type == VALUE_MAP || v.type == VALUE_FRESH) {
        *ret_value = v;
        return true;
    }
    if (v.type == VALUE_TEXT && !operate_text_map(heap, v, &map, fail)) {
        return false;
    }
    if (map == NULL) {
        return cast_fail(heap, v, "MAP", fail);
    }
    *ret_value = (struct value){.type = VALUE_MAP, .map = map};
    return true;
}

// A number is milliseconds since 1970, as toTime() reads it.
static bool to_date(struct heap *heap, struct value v, struct value *ret_value, struct fail *fail)
{
    int64_t millis;
    bool has_time;
    switch (v.type) {
    case VALUE_DATE:
    case VALUE_DATETIME:
        *ret_value = v;
        return true;
    case VALUE_NUMBER:
        *ret_value = value_datetime(v.number);
        return true;
    case VALUE_TEXT:
        if (view_trim(value_view(v)).len == 0) { // a form field left empty
            *ret_value = value_null();
            return true;
        }
        if (!calendar_read(value_view(v), heap->zone, &millis, &has_time)) {
            return fail_set(fail, FAIL_SCRIPT, "UnParsable date");
        }
        *ret_value = has_time ? value_datetime(millis) : value_date(millis);
        return true;
    default:
        return mismatch(fail, "DATE", v);
    }
}

// The list or map inside is shared, as everywhere: what is added through the collection the caller sees.
static bool to_collection(struct heap *heap, struct value v, struct value *ret_value, struct fail *fail)
{
    if (v.type == VALUE_COLLECTION) {
        *ret_value = v;
        return true;
    }
    if (v.type == VALUE_LIST || v.type == VALUE_MAP || v.type == VALUE_FRESH) {
        *ret_value = value_collection(heap, v);
        return true;
    }
    return cast_fail(heap, v, "COLLECTION", fail);
}

enum { NULL_TYPE = 1 << VALUE_NULL, DECIDED = ((1 << VALUE_TYPES) - 1) & ~(1 << VALUE_FRESH) }; // {} may have become something
// The cases of convert_value that give back what they got.
const uint16_t convert_kept[] = {
    [CONVERT_ANY] = DECIDED,
    [CONVERT_VOID] = DECIDED,
    [CONVERT_TEXT] = 1 << VALUE_TEXT | 1 << VALUE_FILE,
    [CONVERT_NUMBER] = 1 << VALUE_NUMBER,
    [CONVERT_DECIMAL] = 1 << VALUE_DECIMAL,
    [CONVERT_BOOL] = 1 << VALUE_BOOL | NULL_TYPE,
    [CONVERT_LIST] = 1 << VALUE_LIST | NULL_TYPE,
    [CONVERT_MAP] = 1 << VALUE_MAP | NULL_TYPE,
    [CONVERT_DATE] = 1 << VALUE_DATE | 1 << VALUE_DATETIME | NULL_TYPE,
    [CONVERT_TIME] = DECIDED,
    [CONVERT_FILE] = 1 << VALUE_FILE | NULL_TYPE,
    [CONVERT_COLLECTION] = 1 << VALUE_COLLECTION | NULL_TYPE,
};

// null passes through unless the type has to make something of it.
bool convert_value(struct heap *heap, struct value v, enum convert type, struct value *ret_value, struct fail *fail)
{
    v = value_resolve(v);
    bool needs_value = type == CONVERT_TEXT || type == CONVERT_NUMBER || type == CONVERT_DECIMAL;
    if (type == CONVERT_ANY || type == CONVERT_VOID || (v.type == VALUE_NULL && !needs_value)) {
        *ret_value = v;
        return true;
    }
    switch (type) {
    case CONVERT_TEXT:
        return to_text(heap, v, ret_value, fail);
    case CONVERT_NUMBER:
        return to_number(v, ret_value, fail);
    case CONVERT_DECIMAL:
        return to_decimal(v, ret_value, fail);
    case CONVERT_BOOL:
        return to_bool(v, ret_value, fail);
    case CONVERT_LIST:
        return to_list(heap, v, ret_value, fail);
    case CONVERT_MAP:
        return to_map(heap, v, ret_value, fail);
    case CONVERT_DATE:
        return to_date(heap, v, ret_value, fail);
    case CONVERT_COLLECTION:
        return to_collection(heap, v, ret_value, fail);
    case CONVERT_TIME:
        *ret_value = v; // TIME is Creator's; in CRM it is text
        return true;
    default:
        if (v.type != VALUE_FILE) {
            return mismatch(fail, "FILE", v);
        }
        *ret_value = v;
        return true;
    }
}

bool lang_convert(struct heap *heap, struct value v, struct view type, struct value *ret_value, struct fail *fail)
{
    return convert_value(heap, v, convert_of(type), ret_value, fail);
}
