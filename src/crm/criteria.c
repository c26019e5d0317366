// SPDX-License-Identifier: Apache-2.0
// The search grammar of spec/crm-api.md §1.4 and §2.3, as scripts really write it:
//     (Last_Name:equals:Doe)      ((A:equals:x) and (B:in:1,2))or(C:between:1,5)      ns__Field:equals:v
// with any blanks, with and without outer parentheses, `and` and `or` in any case. `and` binds tighter than `or` (GUESS: Zoho's pages
// bracket everything). The text comes from scripts and URLs: length, conditions, values and depth are limited, and the parser looks at
// every byte a bounded number of times.
//
// The hard thing is where a value ends. Inside parentheses it is the first `)` that has no backslash before it. In a bare text, and between
// two conditions that share one pair of parentheses, it is also a blank followed by `and` or `or` and something that reads as another
// condition, so that `Company:equals:Rock and Roll` stays one value.
#include "crm/criteria.h"

static const char *const OPERATORS[CRITERIA_OPERATORS] = {
    [CRITERIA_EQUALS] = "equals",
    [CRITERIA_NOT_EQUAL] = "not_equal",
    [CRITERIA_STARTS_WITH] = "starts_with",
    [CRITERIA_GREATER_EQUAL] = "greater_equal",
    [CRITERIA_GREATER_THAN] = "greater_than",
    [CRITERIA_LESS_EQUAL] = "less_equal",
    [CRITERIA_LESS_THAN] = "less_than",
    [CRITERIA_BETWEEN] = "between",
    [CRITERIA_IN] = "in",
    [CRITERIA_NOT_IN] = "not in",
    [CRITERIA_LIKE] = "like",
    [CRITERIA_NOT_LIKE] = "not like",
    [CRITERIA_NOT_BETWEEN] = "not between",
    [CRITERIA_IS_NULL] = "is null",
    [CRITERIA_NOT_NULL] = "is not null",
};

enum { FIELD_BYTES_MAX = 120, OPERATOR_BYTES_MAX = 20 };

struct parser {
    struct heap *heap;
    struct view text;
    size_t at;
    int conditions;
    struct fail *fail;
};

const char *criteria_operator_name(enum criteria_operator operator)
{
    return OPERATORS[operator];
}

static bool refuse(struct parser *p, const char *reason)
{
    return fail_set(p->fail, FAIL_INVALID_QUERY, "%s", reason);
}

static void *take(struct parser *p, size_t bytes)
{
    void *space = heap_alloc(p->heap, bytes);
    if (!space) {
        fail_set(p->fail, FAIL_MEMORY, NULL);
        return NULL;
    }
    return memset(space, 0, bytes);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_blanks(struct view text, size_t at)
{
    while (at < text.len && is_blank(text.data[at])) {
        at++;
    }
    return at;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '$';
}

static bool find_operator(struct view name, enum criteria_operator *ret_operator)
{
    for (int i = 0; i < CRITERIA_WRITTEN; i++) {
        if (view_eq_nocase(name, view_of(OPERATORS[i]))) {
            *ret_operator = (enum criteria_operator)i;
            return true;
        }
    }
    return false;
}

// The bytes of "and" or "or" at `at` when they stand as a word before a blank or a parenthesis; 0 otherwise.
static size_t connective_at(struct view text, size_t at, enum criteria_kind *ret_kind)
{
    struct view rest = view_from(text, at);
    size_t len = view_starts_nocase(rest, VIEW("and")) ? 3 : view_starts_nocase(rest, VIEW("or")) ? 2 : 0;
    if (len == 0 || len >= rest.len || (!is_blank(rest.data[len]) && rest.data[len] != '(')) {
        return 0;
    }
    *ret_kind = len == 3 ? CRITERIA_AND : CRITERIA_OR;
    return len;
}

// Does another member begin at `at`: a parenthesis, or `name:operator:`?
static bool member_at(struct view text, size_t at)
{
    at = skip_blanks(text, at);
    if (at < text.len && text.data[at] == '(') {
        return true;
    }
    size_t start = at;
    while (at < text.len && is_name_char(text.data[at]) && at - start <= FIELD_BYTES_MAX) {
        at++;
    }
    if (at == start || at >= text.len || text.data[at] != ':') {
        return false;
    }
    size_t word = ++at;
    while (at < text.len && text.data[at] != ':' && at - word <= OPERATOR_BYTES_MAX) {
        at++;
    }
    enum criteria_operator ignored;
    return at < text.len && text.data[at] == ':' && find_operator(view_slice(text, word, at - word), &ignored);
}

// Finds the end of the value that begins at p->at. Blanks before a connective belong to nobody.
static bool scan_value(struct parser *p, bool nested, struct view *ret_raw)
{
    struct view text = p->text;
    size_t at = p->at;
    while (at < text.len) {
        char c = text.data[at];
        enum criteria_kind ignored;
        size_t word, len;
        if (c == '\\' && at + 1 < text.len) {
            at += 2;
            continue;
        }
        if (c == '(') {
            return refuse(p, "a parenthesis inside a value needs a backslash before it");
        }
        if (c == ')') {
            if (!nested) {
                return refuse(p, "a closing parenthesis has no opening one");
            }
            break;
        }
        if (is_blank(c)) {
            word = skip_blanks(text, at);
            len = connective_at(text, word, &ignored);
            if (len && member_at(text, word + len)) {
                break;
            }
            at = word; // a run of blanks is looked at once
            continue;
        }
        at++;
    }
    *ret_raw = view_slice(text, p->at, at - p->at);
    p->at = at;
    return true;
}

// Copies a value without its escapes: `\(` `\)` `\,` `\\`; a backslash before anything else stands for itself.
static struct view unescape(struct parser *p, struct view raw)
{
    char *out = take(p, raw.len + 1);
    size_t len = 0;
    for (size_t i = 0; out && i < raw.len; i++) {
        bool escape = raw.data[i] == '\\' && i + 1 < raw.len && memchr("(),\\", raw.data[i + 1], 4);
        out[len++] = raw.data[escape ? ++i : i];
    }
    return (struct view){out, len};
}

// Cuts the first value of a list at a comma without backslash.
static struct view cut_value(struct view *rest)
{
    size_t at = 0;
    while (at < rest->len && rest->data[at] != ',') {
        at += rest->data[at] == '\\' && at + 1 < rest->len ? 2 : 1;
    }
    struct view value = view_slice(*rest, 0, at);
    *rest = view_from(*rest, at + 1);
    return value;
}

static bool add_value(struct parser *p, struct criteria *condition, struct view raw)
{
    raw = view_trim(raw);
    if (raw.len == 0) {
        return refuse(p, "a value is missing");
    }
    if (condition->value_count == CRITERIA_VALUES_MAX) {
        return refuse(p, "the operator in takes at most 100 values");
    }
    condition->values[condition->value_count] = unescape(p, raw);
    return condition->values[condition->value_count++].data != NULL;
}

static bool read_values(struct parser *p, struct criteria *condition, struct view raw)
{
    bool many = condition->operator== CRITERIA_IN || condition->operator== CRITERIA_BETWEEN;
    size_t room = many ? CRITERIA_VALUES_MAX : 1;
    condition->values = take(p, room * sizeof *condition->values);
    if (!condition->values) {
        return false;
    }
    if (!many) {
        return add_value(p, condition, raw);
    }
    struct view rest = raw;
    do {
        if (!add_value(p, condition, cut_value(&rest))) {
            return false;
        }
    } while (rest.len > 0);
    if (condition->operator== CRITERIA_BETWEEN && condition->value_count != 2) {
        return refuse(p, "the operator between takes two values");
    }
    return true;
}

// Cuts what stands before the next colon; a parenthesis comes first = there is no colon.
static bool cut_word(struct parser *p, size_t bytes_max, struct view *ret_word)
{
    size_t start = p->at, at = p->at;
    while (at < p->text.len && at - start <= bytes_max && p->text.data[at] != ':' && p->text.data[at] != '(' && p->text.data[at] != ')') {
        at++;
    }
    if (at >= p->text.len || p->text.data[at] != ':') {
        return refuse(p, "a condition is written field:operator:value");
    }
    *ret_word = view_trim(view_slice(p->text, start, at - start));
    p->at = at + 1;
    return true;
}

static struct criteria *parse_condition(struct parser *p, bool nested)
{
    struct view field, operator, raw;
    struct criteria *condition = take(p, sizeof *condition);
    if (!condition || !cut_word(p, FIELD_BYTES_MAX, &field) || !cut_word(p, OPERATOR_BYTES_MAX + 8, &operator)) {
        return NULL;
    }
    for (size_t i = 0; i < field.len; i++) {
        if (!is_name_char(field.data[i])) {
            refuse(p, "a field name holds letters, digits and _ only");
            return NULL;
        }
    }
    condition->field = field;
    if (field.len == 0 || !find_operator(operator, & condition->operator)) {
        refuse(p, field.len == 0 ? "a field name is missing" : "the operator is not known");
        return NULL;
    }
    if (++p->conditions > CRM_CRITERIA_MAX) {
        fail_set(p->fail, FAIL_CRITERIA_LIMIT, NULL);
        return NULL;
    }
    return scan_value(p, nested, &raw) && read_values(p, condition, raw) ? condition : NULL;
}

void criteria_append(struct criteria *parent, struct criteria *member)
{
    bool same = member->kind == parent->kind;
    struct criteria *first = same ? member->first : member;
    struct criteria *last = same ? member->last : member;
    if (parent->last) {
        parent->last->next = first;
    } else {
        parent->first = first;
    }
    parent->last = last;
}

struct criteria *criteria_lift(struct criteria *node)
{
    return node->first == node->last ? node->first : node;
}

static struct criteria *new_node(struct parser *p, enum criteria_kind kind)
{
    struct criteria *node = take(p, sizeof *node);
    if (node) {
        node->kind = kind;
    }
    return node;
}

static struct criteria *parse_sequence(struct parser *p, int depth);

static struct criteria *parse_member(struct parser *p, int depth)
{
    p->at = skip_blanks(p->text, p->at);
    if (p->at >= p->text.len) {
        refuse(p, "a condition is missing");
        return NULL;
    }
    if (p->text.data[p->at] != '(') {
        return parse_condition(p, depth > 0);
    }
    if (depth == CRM_CRITERIA_DEPTH_MAX) {
        refuse(p, "the parentheses are nested deeper than 20");
        return NULL;
    }
    p->at++;
    struct criteria *inner = parse_sequence(p, depth + 1);
    if (inner && (p->at >= p->text.len || p->text.data[p->at] != ')')) {
        refuse(p, "a closing parenthesis is missing");
        return NULL;
    }
    p->at++;
    return inner;
}

// Members joined by and/or, up to a closing parenthesis (depth > 0) or the end. Recursion is bounded by CRM_CRITERIA_DEPTH_MAX.
static struct criteria *parse_sequence(struct parser *p, int depth)
{
    struct criteria *alternatives = new_node(p, CRITERIA_OR), *chain = new_node(p, CRITERIA_AND);
    if (!alternatives || !chain) {
        return NULL;
    }
    for (;;) {
        struct criteria *member = parse_member(p, depth);
        if (!member) {
            return NULL;
        }
        criteria_append(chain, member);
        p->at = skip_blanks(p->text, p->at);
        if (p->at >= p->text.len || p->text.data[p->at] == ')') {
            break;
        }
        enum criteria_kind kind;
        size_t len = connective_at(p->text, p->at, &kind);
        if (len == 0) {
            refuse(p, "conditions are joined by and or or");
            return NULL;
        }
        p->at += len;
        if (kind == CRITERIA_OR) {
            criteria_append(alternatives, criteria_lift(chain));
            chain = new_node(p, CRITERIA_AND);
            if (!chain) {
                return NULL;
            }
        }
    }
    criteria_append(alternatives, criteria_lift(chain));
    return criteria_lift(alternatives);
}

bool criteria_parse(struct heap *heap, struct view text, const struct criteria **ret_criteria, struct fail *fail)
{
    struct parser parser = {.heap = heap, .text = text, .fail = fail};
    if (text.len > CRM_CRITERIA_BYTES_MAX) {
        return refuse(&parser, "the criteria are longer than 16384 bytes");
    }
    if (!utf8_valid(text)) {
        return refuse(&parser, "the criteria are not valid UTF-8");
    }
    const struct criteria *criteria = parse_sequence(&parser, 0);
    if (!criteria) {
        return false;
    }
    if (parser.at < text.len) {
        return refuse(&parser, "a closing parenthesis has no opening one");
    }
    *ret_criteria = criteria;
    return true;
}
