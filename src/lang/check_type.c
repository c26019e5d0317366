// SPDX-License-Identifier: Apache-2.0
//
// Types that are known before the run. Zoho checks them when a function is saved (spec/deluge-language.md §1 decision 9, §4); here a clash
// is a warning, and an error with --strict, because a program runs by the types its values really have.
//
// The rule that keeps this quiet: only what is certain counts. A variable has a type while every value it got so far, in the order of the
// text, had that one; what comes out of a map, a service or a parameter without type is unknown, and unknown goes with everything.
#include "lang/check.h"

// Words before functions and parameters (spec §2.2). `shown` is Zoho's word in messages.
static const struct {
    const char *word, *shown;
    uint8_t type;
} words[] = {
    {"void", "VOID", TYPE_VOID},
    {"string", "STRING", VALUE_TEXT},
    {"text", "STRING", VALUE_TEXT},
    {"int", "BIGINT", VALUE_NUMBER},
    {"integer", "BIGINT", VALUE_NUMBER},
    {"long", "BIGINT", VALUE_NUMBER},
    {"bigint", "BIGINT", VALUE_NUMBER},
    {"number", "BIGINT", VALUE_NUMBER},
    {"float", "DECIMAL", VALUE_DECIMAL},
    {"double", "DECIMAL", VALUE_DECIMAL},
    {"decimal", "DECIMAL", VALUE_DECIMAL},
    {"bool", "BOOLEAN", VALUE_BOOL},
    {"boolean", "BOOLEAN", VALUE_BOOL},
    {"map", "KEY-VALUE", VALUE_MAP},
    {"key", "KEY-VALUE", VALUE_MAP}, // key-value
    {"list", "LIST", VALUE_LIST},
    {"collection", "COLLECTION", VALUE_COLLECTION},
    {"date", "DATE", VALUE_DATE},
    {"datetime", "TIMESTAMP", VALUE_DATETIME},
    {"timestamp", "TIMESTAMP", VALUE_DATETIME},
    {"time", "TIME", VALUE_TIME},
    {"file", "FILE", VALUE_FILE},
    {"object", "OBJECT", TYPE_UNKNOWN},
    {"any", "OBJECT", TYPE_UNKNOWN},
};

static ptrdiff_t find_word(struct view word)
{
    struct view first = view_cut(&word, ':'); // list:int
    for (size_t i = 0; i < BASE_COUNT(words); i++) {
        if (view_eq_nocase(view_trim(first), view_of(words[i].word))) {
            return (ptrdiff_t)i;
        }
    }
    return -1;
}

int type_of_word(struct view word)
{
    ptrdiff_t row = find_word(word);
    return row < 0 ? TYPE_UNKNOWN : words[row].type;
}

bool type_word_known(struct view word)
{
    return find_word(word) >= 0;
}

struct view type_shown(struct view word)
{
    ptrdiff_t row = find_word(word);
    return row < 0 ? word : view_of(words[row].shown);
}

// Signatures end in `→ TEXT`; words that are not one plain type (ANY, "TEXT or MAP") are unknown.
int type_of_native(const struct native *native)
{
    static const struct {
        const char *word;
        uint8_t type;
    } results[] = {
        {"TEXT", VALUE_TEXT}, {"NUMBER", VALUE_NUMBER}, {"DECIMAL", VALUE_DECIMAL}, {"BOOLEAN", VALUE_BOOL},
        {"LIST", VALUE_LIST}, {"MAP", VALUE_MAP},       {"FILE", VALUE_FILE},       {"COLLECTION", VALUE_COLLECTION},
    };
    struct view signature = native->signature ? view_of(native->signature) : VIEW_NONE;
    ptrdiff_t arrow = view_find(signature, VIEW("→"));
    if (arrow < 0) {
        return TYPE_UNKNOWN;
    }
    struct view result = view_trim(view_from(signature, (size_t)arrow + sizeof("→") - 1));
    for (size_t i = 0; i < BASE_COUNT(results); i++) {
        if (view_eq(result, view_of(results[i].word))) {
            return results[i].type;
        }
    }
    return TYPE_UNKNOWN;
}

int type_join(int a, int b)
{
    if (a == b || b == VALUE_NULL) {
        return a;
    }
    return a == VALUE_NULL ? b : TYPE_UNKNOWN;
}

void type_assign(struct variable *variable, int type)
{
    if (type == VALUE_NULL) { // null goes with every type and says nothing about the next value
        return;
    }
    if (type == VALUE_FRESH || type == TYPE_VOID) {
        type = TYPE_UNKNOWN;
    }
    variable->type = (uint8_t)(variable->typed && variable->type != type ? TYPE_UNKNOWN : type);
    variable->typed = true;
}

// ---- operators ----------------------------------------------------------------------------------

static bool is_number(int type)
{
    return type == VALUE_NUMBER || type == VALUE_DECIMAL;
}

static bool is_date(int type)
{
    return type == VALUE_DATE || type == VALUE_DATETIME;
}

// Zoho has two sets of words: TEXT and NUMBER where values are compared, STRING and BIGINT where they are computed with (spec §4.2, §4.4).
static struct view type_name(int type, bool computed)
{
    switch (type) {
    case VALUE_TEXT:
        return computed ? VIEW("STRING") : VIEW("TEXT");
    case VALUE_NUMBER:
        return computed ? VIEW("BIGINT") : VIEW("NUMBER");
    case VALUE_DATE:
    case VALUE_DATETIME:
        return computed ? VIEW("TIMESTAMP") : VIEW("DATE-TIME");
    case VALUE_MAP:
        return computed ? VIEW("KEY-VALUE") : VIEW("MAP");
    case VALUE_DECIMAL:
        return VIEW("DECIMAL");
    case VALUE_BOOL:
        return VIEW("BOOLEAN");
    case VALUE_LIST:
        return VIEW("LIST");
    case VALUE_COLLECTION:
        return VIEW("COLLECTION");
    default:
        return VIEW("FILE");
    }
}

static bool certain(int type)
{
    return type < TYPE_UNKNOWN && type != VALUE_NULL && type != VALUE_FRESH;
}

static int compare_types(struct checker *c, enum op op, int left, int right, struct place place)
{
    bool clash = (left == VALUE_TEXT && is_number(right)) || (is_number(left) && right == VALUE_TEXT) ||
                 (left == VALUE_BOOL && is_number(right)) || (is_number(left) && right == VALUE_BOOL);
    if (certain(left) && certain(right) && clash) {
        REPORT(c->reporter, TYPE_CRITERIA, place, type_name(left, false), type_name(right, false), view_of(op_text(op)));
    }
    return VALUE_BOOL;
}

static int add_types(struct checker *c, enum op op, int left, int right, struct place place)
{
    if (left == VALUE_TEXT || right == VALUE_TEXT) {
        return VALUE_TEXT;
    }
    if (!certain(left) || !certain(right)) {
        return TYPE_UNKNOWN;
    }
    if (is_number(left) && is_number(right)) {
        return left == right ? left : VALUE_DECIMAL;
    }
    if ((is_date(left) && is_number(right)) || (is_number(left) && is_date(right))) {
        REPORT(c->reporter, TYPE_OPERATOR, place, type_name(left, true), type_name(right, true), view_of(op_text(op)));
    }
    return TYPE_UNKNOWN;
}

static int compute_types(struct checker *c, enum op op, int left, int right, struct place place)
{
    if (op == OP_SUBTRACT && is_date(left) && is_date(right)) {
        return VALUE_NUMBER; // milliseconds
    }
    bool left_wrong = certain(left) && !is_number(left);
    bool right_wrong = certain(right) && !is_number(right);
    if ((left_wrong && certain(right)) || (right_wrong && certain(left))) {
        REPORT(c->reporter, TYPE_OPERATOR, place, type_name(left, true), type_name(right, true), view_of(op_text(op)));
        return TYPE_UNKNOWN;
    }
    if (op == OP_DIVIDE || !is_number(left) || !is_number(right)) {
        return TYPE_UNKNOWN; // a quotient is NUMBER or DECIMAL by its value
    }
    return left == right ? left : VALUE_DECIMAL;
}

int type_of_operation(struct checker *c, enum op op, int left, int right, struct place place)
{
    switch (op) {
    case OP_ADD:
        return add_types(c, op, left, right, place);
    case OP_SUBTRACT:
    case OP_MULTIPLY:
    case OP_DIVIDE:
    case OP_REMAINDER:
        return compute_types(c, op, left, right, place);
    case OP_OR:
    case OP_AND:
    case OP_IN:
    case OP_NOT_IN:
        return VALUE_BOOL;
    default:
        return compare_types(c, op, left, right, place);
    }
}
