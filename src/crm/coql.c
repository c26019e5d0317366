// SPDX-License-Identifier: Apache-2.0
// The grammar of COQL (spec/crm-api.md §2.4): SELECT columns FROM module WHERE conditions [GROUP BY …] [ORDER BY …] [LIMIT [o,] n] [OFFSET
// n]. Keywords in any case; values quoted or bare; names may be quoted. The text comes from anybody with a token: length, columns,
// conditions, values and depth are limited, and nothing of it becomes SQL (coql_run.c asks the metadata for every name).
//
// Zoho wants more than two criteria bracketed pairwise, (A and (B and C)); so does this parser, because a query that works here must work
// there.
#include "crm/coql.h"

// ---- tokens -------------------------------------------------------------------------------------

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_TEXT, TOKEN_SIGN, TOKEN_OPEN }; // TOKEN_OPEN: a quote that does not end

struct token {
    enum token_kind kind;
    struct view text; // of TOKEN_TEXT without its quotes
    size_t at;
};

struct parser {
    struct heap *heap;
    struct view text;
    size_t next;
    struct token token;
    int criteria, aggregates;
    struct coql *query;
    struct coql_error *error;
    struct fail *fail;
};

static bool refuse(struct parser *p, enum fail_code code, const char *key, struct view text)
{
    *p->error = (struct coql_error){.key = key, .text = text};
    return fail_set(p->fail, code, NULL);
}

// Where the parser stands: {"near":…,"line":…,"column":…}.
static bool refuse_near(struct parser *p)
{
    int line = 1, column = 1;
    for (size_t i = 0; i < p->token.at; i++) {
        line += p->text.data[i] == '\n';
        column = p->text.data[i] == '\n' ? 1 : column + 1;
    }
    refuse(p, FAIL_SYNTAX, "near", p->token.kind == TOKEN_END ? VIEW("end of the query") : p->token.text);
    p->error->line = line;
    p->error->column = column;
    return false;
}

static bool refuse_clause(struct parser *p, const char *clause)
{
    return refuse(p, FAIL_SYNTAX, "clause", view_of(clause));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Bare words hold names, paths, numbers, dates and plain values.
static bool is_word_char(char c)
{
    return (unsigned char)c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c && strchr("_.$!:+-@/#&%*", c));
}

static void read_quoted(struct parser *p, char quote)
{
    size_t start = p->next + 1, at = start;
    while (at < p->text.len && p->text.data[at] != quote) {
        at += p->text.data[at] == '\\' && at + 1 < p->text.len ? 2 : 1;
    }
    bool open = at >= p->text.len;
    at = open ? p->text.len : at;
    p->token = (struct token){open ? TOKEN_OPEN : TOKEN_TEXT, view_slice(p->text, start, at - start), p->next};
    p->next = at + 1;
}

static bool is_unequal(struct view text, size_t at)
{
    return view_starts(view_from(text, at), VIEW("!="));
}

// "What_Id->Leads.Last_Name" is one word; "a!=b" is three.
static void read_word(struct parser *p)
{
    struct view text = p->text;
    size_t start = p->next, at = start;
    while (at < text.len && !is_unequal(text, at) &&
           (is_word_char(text.data[at]) || (text.data[at] == '>' && at > start && text.data[at - 1] == '-'))) {
        at++;
    }
    p->token = (struct token){TOKEN_WORD, view_slice(p->text, start, at - start), start};
    p->next = at;
}

static void advance(struct parser *p)
{
    while (p->next < p->text.len && is_blank(p->text.data[p->next])) {
        p->next++;
    }
    if (p->next >= p->text.len) {
        p->token = (struct token){TOKEN_END, VIEW_NONE, p->text.len};
        return;
    }
    char c = p->text.data[p->next];
    if (c == '\'' || c == '"') {
        read_quoted(p, c);
        return;
    }
    if (is_word_char(c) && !is_unequal(p->text, p->next)) {
        read_word(p);
        return;
    }
    static const char *const pairs[] = {"!=", "<>", ">=", "<="};
    size_t len = 1;
    for (size_t i = 0; i < BASE_COUNT(pairs); i++) {
        len = view_starts(view_from(p->text, p->next), view_of(pairs[i])) ? 2 : len;
    }
    p->token = (struct token){TOKEN_SIGN, view_slice(p->text, p->next, len), p->next};
    p->next += len;
}

static bool at_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_WORD && view_eq_nocase(p->token.text, view_of(word));
}

static bool at_sign(const struct parser *p, const char *sign)
{
    return p->token.kind == TOKEN_SIGN && view_eq(p->token.text, view_of(sign));
}

static bool take_word(struct parser *p, const char *word)
{
    if (!at_word(p, word)) {
        return false;
    }
    advance(p);
    return true;
}

static bool take_sign(struct parser *p, const char *sign)
{
    if (!at_sign(p, sign)) {
        return false;
    }
    advance(p);
    return true;
}

static bool is_keyword(const struct parser *p)
{
    static const char *const words[] = {"select", "from", "where", "group", "order", "by",   "limit", "offset", "and",
                                        "or",     "not",  "in",    "like",  "is",    "null", "asc",   "desc",   "between"};
    for (size_t i = 0; i < BASE_COUNT(words); i++) {
        if (at_word(p, words[i])) {
            return true;
        }
    }
    return false;
}

// A field's path, bare or quoted: name, name.name, !Module.name, What_Id->Module.name.
static bool read_path(struct parser *p, struct view *ret_path)
{
    bool quoted = p->token.kind == TOKEN_TEXT;
    struct view path = p->token.text;
    if ((!quoted && p->token.kind != TOKEN_WORD) || is_keyword(p) || path.len == 0) {
        return refuse_near(p);
    }
    for (size_t i = 0; i < path.len; i++) {
        char c = path.data[i];
        bool letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '$' || (c == '!' && i == 0);
        bool inner = (c >= '0' && c <= '9') || c == '.' || (c == '-' && i + 1 < path.len && path.data[i + 1] == '>') || c == '>';
        if (!letter && (i == 0 || !inner)) {
            return refuse_near(p);
        }
    }
    *ret_path = path;
    advance(p);
    return true;
}

// ---- SELECT and FROM ----------------------------------------------------------------------------

static const char *const aggregates[COQL_AGGREGATES] = {"", "SUM", "MAX", "MIN", "AVG", "COUNT"};

const char *coql_aggregate_name(enum coql_aggregate aggregate)
{
    return aggregates[aggregate];
}

static enum coql_aggregate find_aggregate(const struct parser *p)
{
    for (int i = COQL_SUM; i < COQL_AGGREGATES; i++) {
        if (at_word(p, aggregates[i])) {
            return (enum coql_aggregate)i;
        }
    }
    return COQL_PLAIN;
}

static bool read_aggregate(struct parser *p, struct coql_column *column)
{
    if (++p->aggregates > COQL_AGGREGATES_MAX) {
        return refuse(p, FAIL_LIMIT_EXCEEDED, "clause", VIEW("select"));
    }
    advance(p);
    if (!take_sign(p, "(")) {
        return refuse_near(p);
    }
    if (column->aggregate == COQL_COUNT && at_word(p, "*")) {
        column->path = p->token.text;
        advance(p);
    } else if (!read_path(p, &column->path)) {
        return false;
    }
    return take_sign(p, ")") || refuse_near(p);
}

// [AS] alias
static bool read_alias(struct parser *p, struct coql_column *column)
{
    bool as = take_word(p, "as");
    bool alias = p->token.kind == TOKEN_TEXT || (p->token.kind == TOKEN_WORD && !is_keyword(p));
    if (!alias) {
        return !as || refuse_near(p);
    }
    column->alias = p->token.text;
    if (column->alias.len == 0) {
        return refuse(p, FAIL_INVALID_ALIAS, "alias", column->alias);
    }
    advance(p);
    return true;
}

// The same column or alias twice.
static bool check_twice(struct parser *p, const struct coql_column *column)
{
    for (int i = 0; i < p->query->column_count; i++) {
        const struct coql_column *other = &p->query->columns[i];
        if (column->alias.len && view_eq_nocase(other->alias, column->alias)) {
            return refuse(p, FAIL_DUPLICATE_ALIAS, "alias", column->alias);
        }
        if (other->aggregate == column->aggregate && view_eq_nocase(other->path, column->path) && !other->alias.len && !column->alias.len) {
            return refuse(p, FAIL_DUPLICATE_DATA, "column_name", column->path);
        }
    }
    return true;
}

static bool read_columns(struct parser *p)
{
    p->query->columns = heap_alloc(p->heap, COQL_COLUMNS_MAX * sizeof *p->query->columns);
    if (!p->query->columns) {
        return fail_set(p->fail, FAIL_MEMORY, NULL);
    }
    do {
        struct coql_column column = {.aggregate = find_aggregate(p)};
        if (p->query->column_count == COQL_COLUMNS_MAX) {
            return refuse(p, FAIL_LIMIT_EXCEEDED, "clause", VIEW("select"));
        }
        if (!(column.aggregate ? read_aggregate(p, &column) : read_path(p, &column.path)) || !read_alias(p, &column) ||
            !check_twice(p, &column)) {
            return false;
        }
        p->query->columns[p->query->column_count++] = column;
    } while (take_sign(p, ","));
    return true;
}

// ---- WHERE --------------------------------------------------------------------------------------

static struct criteria *new_node(struct parser *p, enum criteria_kind kind)
{
    struct criteria *node = heap_alloc(p->heap, sizeof *node);
    if (!node) {
        fail_set(p->fail, FAIL_MEMORY, NULL);
        return NULL;
    }
    *node = (struct criteria){.kind = kind};
    return node;
}

// A backslash before a quote stands for the quote.
static struct view unescape(struct parser *p, struct view raw)
{
    if (!memchr(raw.data, '\\', raw.len)) {
        return raw;
    }
    char *out = heap_alloc(p->heap, raw.len + 1);
    size_t len = 0;
    for (size_t i = 0; out && i < raw.len; i++) {
        bool escape = raw.data[i] == '\\' && i + 1 < raw.len && memchr("'\"\\", raw.data[i + 1], 3);
        out[len++] = raw.data[escape ? ++i : i];
    }
    return (struct view){out, len};
}

static bool read_value(struct parser *p, struct criteria *condition)
{
    if (p->token.kind != TOKEN_TEXT && (p->token.kind != TOKEN_WORD || is_keyword(p))) {
        return refuse_near(p);
    }
    if (condition->value_count == COQL_VALUES_MAX) {
        return refuse(p, FAIL_LIMIT_EXCEEDED, "operator", view_of(criteria_operator_name(condition->operator)));
    }
    condition->values[condition->value_count] = unescape(p, p->token.text);
    if (!condition->values[condition->value_count++].data) {
        return fail_set(p->fail, FAIL_MEMORY, NULL);
    }
    advance(p);
    return true;
}

static bool read_operator(struct parser *p, enum criteria_operator *ret_operator)
{
    static const struct {
        const char *sign;
        enum criteria_operator operator;
    } signs[] = {{"=", CRITERIA_EQUALS},      {"!=", CRITERIA_NOT_EQUAL},   {"<>", CRITERIA_NOT_EQUAL}, {">=", CRITERIA_GREATER_EQUAL},
                 {"<=", CRITERIA_LESS_EQUAL}, {">", CRITERIA_GREATER_THAN}, {"<", CRITERIA_LESS_THAN}};
    for (size_t i = 0; i < BASE_COUNT(signs); i++) {
        if (take_sign(p, signs[i].sign)) {
            *ret_operator = signs[i].operator;
            return true;
        }
    }
    if (take_word(p, "is")) {
        *ret_operator = take_word(p, "not") ? CRITERIA_NOT_NULL : CRITERIA_IS_NULL;
        return take_word(p, "null") || refuse_near(p);
    }
    bool negative = take_word(p, "not");
    if (take_word(p, "in")) {
        *ret_operator = negative ? CRITERIA_NOT_IN : CRITERIA_IN;
    } else if (take_word(p, "like")) {
        *ret_operator = negative ? CRITERIA_NOT_LIKE : CRITERIA_LIKE;
    } else if (take_word(p, "between")) {
        *ret_operator = negative ? CRITERIA_NOT_BETWEEN : CRITERIA_BETWEEN;
    } else {
        return refuse_near(p);
    }
    return true;
}

static bool read_values(struct parser *p, struct criteria *condition)
{
    condition->values = heap_alloc(p->heap, COQL_VALUES_MAX * sizeof *condition->values);
    if (!condition->values) {
        return fail_set(p->fail, FAIL_MEMORY, NULL);
    }
    switch (condition->operator) {
    case CRITERIA_IS_NULL:
    case CRITERIA_NOT_NULL:
        return true;
    case CRITERIA_BETWEEN:
    case CRITERIA_NOT_BETWEEN:
        return read_value(p, condition) && (take_word(p, "and") || refuse_near(p)) && read_value(p, condition);
    case CRITERIA_IN:
    case CRITERIA_NOT_IN:
        if (!take_sign(p, "(")) {
            return refuse_near(p);
        }
        do {
            if (!read_value(p, condition)) {
                return false;
            }
        } while (take_sign(p, ","));
        return take_sign(p, ")") || refuse_near(p);
    default:
        return read_value(p, condition);
    }
}

static struct criteria *read_condition(struct parser *p)
{
    struct criteria *condition = new_node(p, CRITERIA_CONDITION);
    if (!condition) {
        return NULL;
    }
    if (++p->criteria > COQL_CRITERIA_MAX) {
        refuse(p, FAIL_LIMIT_EXCEEDED, "clause", VIEW("where"));
        return NULL;
    }
    return read_path(p, &condition->field) && read_operator(p, &condition->operator) && read_values(p, condition) ? condition : NULL;
}

static struct criteria *read_expression(struct parser *p, int depth);

static struct criteria *read_member(struct parser *p, int depth)
{
    if (!at_sign(p, "(")) {
        return read_condition(p);
    }
    if (depth == COQL_DEPTH_MAX) {
        refuse(p, FAIL_LIMIT_EXCEEDED, "clause", VIEW("where"));
        return NULL;
    }
    advance(p);
    struct criteria *inner = read_expression(p, depth + 1);
    if (inner && !take_sign(p, ")")) {
        refuse_near(p);
        return NULL;
    }
    return inner;
}

// One member, or two joined by and/or. Recursion is bounded by COQL_DEPTH_MAX.
static struct criteria *read_expression(struct parser *p, int depth)
{
    struct criteria *left = read_member(p, depth);
    bool both = at_word(p, "and");
    if (!left || (!both && !at_word(p, "or"))) {
        return left;
    }
    struct criteria *node = new_node(p, both ? CRITERIA_AND : CRITERIA_OR);
    advance(p);
    struct criteria *right = node ? read_member(p, depth) : NULL;
    if (!right) {
        return NULL;
    }
    if (at_word(p, "and") || at_word(p, "or")) { // a third criterion without its brackets
        refuse_near(p);
        return NULL;
    }
    criteria_append(node, left);
    criteria_append(node, right);
    return node;
}

// ---- GROUP BY, ORDER BY, LIMIT ------------------------------------------------------------------

static bool read_groups(struct parser *p)
{
    do {
        if (p->query->group_count == COQL_GROUPS_MAX) {
            return refuse(p, FAIL_LIMIT_EXCEEDED, "clause", VIEW("group by"));
        }
        if (!read_path(p, &p->query->groups[p->query->group_count])) {
            return false;
        }
        p->query->group_count++;
    } while (take_sign(p, ","));
    return true;
}

static bool read_orders(struct parser *p)
{
    do {
        struct coql_order *order = &p->query->orders[p->query->order_count];
        if (p->query->order_count == COQL_ORDERS_MAX) {
            return refuse(p, FAIL_LIMIT_EXCEEDED, "clause", VIEW("order by"));
        }
        if (!read_path(p, &order->path)) {
            return false;
        }
        order->descending = take_word(p, "desc");
        if (!order->descending) {
            take_word(p, "asc");
        }
        p->query->order_count++;
    } while (take_sign(p, ","));
    return true;
}

static bool read_count(struct parser *p, const char *clause, int64_t *ret_number)
{
    if (p->token.kind != TOKEN_WORD || !view_to_int64(p->token.text, ret_number) || *ret_number < 0) {
        return refuse_clause(p, clause);
    }
    advance(p);
    return true;
}

// LIMIT n, LIMIT offset, n (GUESS), OFFSET n.
static bool read_limits(struct parser *p)
{
    struct coql *query = p->query;
    if (take_word(p, "limit")) {
        if (!read_count(p, "limit", &query->limit)) {
            return false;
        }
        if (take_sign(p, ",")) {
            query->offset = query->limit;
            if (!read_count(p, "limit", &query->limit)) {
                return false;
            }
        }
    }
    return !take_word(p, "offset") || read_count(p, "offset", &query->offset);
}

static bool read_query(struct parser *p)
{
    struct coql *query = p->query;
    if (!take_word(p, "select")) {
        return refuse_clause(p, "select");
    }
    if (!read_columns(p)) {
        return false;
    }
    if (!take_word(p, "from")) {
        return p->token.kind == TOKEN_END ? refuse_clause(p, "from") : refuse_near(p);
    }
    if (!read_path(p, &query->module)) {
        return false;
    }
    if (!take_word(p, "where")) { // required (spec/crm-api.md §2.4)
        return refuse_clause(p, "where");
    }
    query->where = read_expression(p, 0);
    if (!query->where || (take_word(p, "group") && (!(take_word(p, "by") || refuse_near(p)) || !read_groups(p))) ||
        (take_word(p, "order") && (!(take_word(p, "by") || refuse_near(p)) || !read_orders(p))) || !read_limits(p)) {
        return false;
    }
    if (at_sign(p, ";")) {
        advance(p);
    }
    return p->token.kind == TOKEN_END || refuse_near(p);
}

bool coql_parse(struct heap *heap, struct view text, const struct coql **ret_query, struct coql_error *ret_error, struct fail *fail)
{
    struct parser parser = {.heap = heap, .text = text, .fail = fail, .error = ret_error};
    *ret_error = (struct coql_error){NULL, VIEW_NONE, 0, 0};
    fail_clear(fail);
    if (text.len > COQL_BYTES_MAX || !utf8_valid(text)) {
        return refuse(&parser, FAIL_SYNTAX, "clause", VIEW("select"));
    }
    parser.query = heap_alloc(heap, sizeof *parser.query);
    if (!parser.query) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    *parser.query = (struct coql){.limit = -1, .offset = -1};
    advance(&parser);
    if (!read_query(&parser)) {
        return false;
    }
    *ret_query = parser.query;
    return true;
}
