// SPDX-License-Identifier: Apache-2.0
//
// The translation of one statement: cut into tokens, marks are put on the tokens, and the marked tokens are written out. Nothing is parsed
// further than that: the SQL is ours (crm, auth, ext and store), and what a rule here does not know PostgreSQL refuses.
//
// The differences (docs/decisions/postgres.md tells why each is as it is):
//   - ? and ?3 are $1 and $3; tables, which have no schema in SQLite, get that of the environment;
//   - INTEGER, REAL, BLOB are BIGINT, DOUBLE PRECISION, BYTEA; an unquoted `id INTEGER PRIMARY KEY` counts by itself (crm's own tables
//   quote
//     theirs and never leave it out);
//   - TEXT compares by bytes (COLLATE "C"), lower() and LIKE know ASCII case only, COLLATE NOCASE is lower() on both sides;
//   - NULL comes first in ascending order; `IS ?` takes any value; max(a, b) is GREATEST.
#include "store/dialect.h"

#include <stdlib.h>

enum kind { TOKEN_WORD, TOKEN_NAME, TOKEN_TEXT, TOKEN_NUMBER, TOKEN_PARAM, TOKEN_SIGN, TOKEN_BLOB };

struct token {
    struct view text;
    enum kind kind;
    bool blank; // stood before it
    bool drop, table;
    short lowers, closes; // "lower(" before it, ' COLLATE "C")' behind it
    bool collate_c; // ' COLLATE "C"' behind it
    const char *replace; // instead of its text
    const char *behind;
};

struct statement {
    struct token *items;
    int count, cap;
    struct view ctes[DIALECT_CTES_MAX];
    int cte_count;
    struct dialect *info;
    struct fail *fail;
};

// ---- tokens -------------------------------------------------------------------------------------

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// From a quote to the one that closes it; a doubled one is part of the text. To the end when nothing closes it.
static size_t quoted_len(struct view sql, size_t at)
{
    char quote = sql.data[at];
    size_t i = at + 1;
    while (i < sql.len) {
        if (sql.data[i] != quote) {
            i++;
        } else if (i + 1 < sql.len && sql.data[i + 1] == quote) {
            i += 2;
        } else {
            return i + 1 - at;
        }
    }
    return sql.len - at;
}

static size_t run_len(struct view sql, size_t at, bool (*fits)(char c))
{
    size_t i = at;
    while (i < sql.len && fits(sql.data[i])) {
        i++;
    }
    return i - at;
}

static bool is_number_char(char c)
{
    return is_digit(c) || c == '.' || c == 'e' || c == 'E';
}

static struct token next_token(struct view sql, size_t at)
{
    char c = sql.data[at], next = at + 1 < sql.len ? sql.data[at + 1] : '\0';
    size_t len = 1;
    enum kind kind = TOKEN_SIGN;
    if ((c == 'x' || c == 'X') && next == '\'') {
        kind = TOKEN_BLOB;
        len = 1 + quoted_len(sql, at + 1);
    } else if (c == '\'' || c == '"') {
        kind = c == '"' ? TOKEN_NAME : TOKEN_TEXT;
        len = quoted_len(sql, at);
    } else if (c == '?') {
        kind = TOKEN_PARAM;
        len = 1 + run_len(sql, at + 1, is_digit);
    } else if (is_digit(c)) {
        kind = TOKEN_NUMBER;
        len = run_len(sql, at, is_number_char);
    } else if (is_word_char(c)) {
        kind = TOKEN_WORD;
        len = run_len(sql, at, is_word_char);
    } else if (strchr("<>=!|", c) && next && strchr("=>|", next)) {
        len = 2;
    }
    return (struct token){.text = view_slice(sql, at, len), .kind = kind};
}

static bool add_token(struct statement *s, struct token token)
{
    if (s->count == s->cap) {
        int cap = s->cap ? 2 * s->cap : 64;
        struct token *wider = cap <= DIALECT_TOKENS_MAX ? realloc(s->items, (size_t)cap * sizeof *wider) : NULL;
        if (!wider) {
            return fail_set(s->fail, FAIL_STORE, "an SQL statement is too long");
        }
        s->items = wider;
        s->cap = cap;
    }
    s->items[s->count++] = token;
    return true;
}

static bool read_tokens(struct statement *s, struct view sql)
{
    bool blank = false;
    for (size_t at = 0; at < sql.len;) {
        if (is_blank(sql.data[at])) {
            blank = true;
            at++;
            continue;
        }
        struct token token = next_token(sql, at);
        token.blank = blank;
        blank = false;
        at += token.text.len;
        if (!add_token(s, token)) {
            return false;
        }
    }
    return true;
}

struct view dialect_statement(struct view *script)
{
    for (;;) {
        size_t at = 0;
        while (at < script->len && script->data[at] != ';') {
            at += is_blank(script->data[at]) ? 1 : next_token(*script, at).text.len;
        }
        struct view one = view_trim(view_slice(*script, 0, at));
        *script = view_from(*script, at + 1);
        if (one.len || !script->len) {
            return one;
        }
    }
}

// ---- looking at tokens --------------------------------------------------------------------------

static const struct token *at(const struct statement *s, int i)
{
    static const struct token none = {.kind = TOKEN_SIGN};
    return i >= 0 && i < s->count ? &s->items[i] : &none;
}

static bool is_word(const struct statement *s, int i, const char *word)
{
    return at(s, i)->kind == TOKEN_WORD && view_eq_nocase(at(s, i)->text, view_of(word));
}

static bool is_sign(const struct statement *s, int i, const char *sign)
{
    return at(s, i)->kind == TOKEN_SIGN && view_eq(at(s, i)->text, view_of(sign));
}

static bool is_any(const struct statement *s, int i, const char *const *words)
{
    for (; *words; words++) {
        if (is_word(s, i, *words)) {
            return true;
        }
    }
    return false;
}

static bool is_named(const struct statement *s, int i)
{
    return at(s, i)->kind == TOKEN_WORD || at(s, i)->kind == TOKEN_NAME;
}

// The parenthesis that belongs to the one at i.
static int closing(const struct statement *s, int i)
{
    int depth = 0;
    for (; i < s->count; i++) {
        depth += is_sign(s, i, "(") - is_sign(s, i, ")");
        if (depth == 0) {
            return i;
        }
    }
    return s->count - 1;
}

static int opening(const struct statement *s, int i)
{
    int depth = 0;
    for (; i > 0; i--) {
        depth += is_sign(s, i, ")") - is_sign(s, i, "(");
        if (depth == 0) {
            return i;
        }
    }
    return 0;
}

// An operand: a.b.c, ?, a literal, f(…), (…).
static int operand_start(const struct statement *s, int end)
{
    int i = end;
    if (is_sign(s, i, ")")) {
        i = opening(s, i);
        i -= at(s, i - 1)->kind == TOKEN_WORD;
        return i;
    }
    while (i >= 2 && is_sign(s, i - 1, ".") && is_named(s, i - 2)) {
        i -= 2;
    }
    return i;
}

static int operand_end(const struct statement *s, int start)
{
    int i = start;
    while (is_named(s, i) && is_sign(s, i + 1, ".")) {
        i += 2;
    }
    if (is_sign(s, i, "(")) {
        return closing(s, i);
    }
    return is_named(s, i) && is_sign(s, i + 1, "(") ? closing(s, i + 1) : i;
}

// ---- case ---------------------------------------------------------------------------------------

// lower(… COLLATE "C") around an operand, once.
static void fold(struct statement *s, int start, int end)
{
    if (start >= 0 && end < s->count && !s->items[start].lowers) {
        s->items[start].lowers = 1;
        s->items[end].closes++;
    }
}

static bool is_comparison(const struct statement *s, int i)
{
    static const char *const signs[] = {"=", "==", "<>", "!=", "<", ">", "<=", ">="};
    for (size_t k = 0; k < BASE_COUNT(signs); k++) {
        if (is_sign(s, i, signs[k])) {
            return true;
        }
    }
    return false;
}

static void fold_at(struct statement *s, int start)
{
    fold(s, start, operand_end(s, start));
}

// What stands behind "a COLLATE NOCASE", from token i: the other side of a comparison.
static void fold_right(struct statement *s, int i)
{
    i += is_word(s, i, "NOT");
    if (is_comparison(s, i)) {
        fold_at(s, i + 1);
    } else if (is_word(s, i, "IS")) {
        fold_at(s, i + 1 + is_word(s, i + 1, "NOT"));
    } else if (is_word(s, i, "BETWEEN")) {
        int low_end = operand_end(s, i + 1);
        fold_at(s, i + 1);
        fold_at(s, low_end + 2); // behind AND
    } else if (is_word(s, i, "IN") && is_sign(s, i + 1, "(") && !is_word(s, i + 2, "SELECT")) {
        int end = closing(s, i + 1);
        for (int k = i + 2; k < end; k = operand_end(s, k) + 2) {
            fold_at(s, k);
        }
    }
}

static void fold_left(struct statement *s, int start)
{
    int i = start - 1;
    i -= is_word(s, i, "NOT") && is_word(s, i - 1, "IS");
    if (is_comparison(s, i) || is_word(s, i, "IS")) {
        int end = i - 1;
        fold(s, operand_start(s, end), end);
    }
}

static void mark_case(struct statement *s, int i)
{
    if (is_word(s, i, "COLLATE") && is_word(s, i + 1, "NOCASE")) {
        s->items[i].drop = s->items[i + 1].drop = true;
        int start = operand_start(s, i - 1);
        fold(s, start, i - 1);
        fold_left(s, start);
        fold_right(s, i + 2);
    } else if ((is_word(s, i, "lower") || is_word(s, i, "upper")) && is_sign(s, i + 1, "(")) {
        s->items[closing(s, i + 1) - 1].collate_c = true;
    } else if (is_word(s, i, "LIKE")) {
        s->items[i].replace = "ILIKE";
    }
}

// ---- tables -------------------------------------------------------------------------------------

static bool is_cte(const struct statement *s, struct view name)
{
    for (int i = 0; i < s->cte_count; i++) {
        if (view_eq_nocase(s->ctes[i], name)) {
            return true;
        }
    }
    return false;
}

// WITH a AS (…), b (c) AS (…) SELECT …
static void read_ctes(struct statement *s)
{
    int i = is_word(s, 0, "WITH") ? 1 : s->count;
    i += is_word(s, i, "RECURSIVE");
    while (is_named(s, i) && s->cte_count < DIALECT_CTES_MAX) {
        s->ctes[s->cte_count++] = at(s, i)->text;
        i += 1;
        i = is_sign(s, i, "(") ? closing(s, i) + 1 : i;
        if (!is_word(s, i, "AS") || !is_sign(s, i + 1, "(")) {
            return;
        }
        i = closing(s, i + 1) + 1;
        if (!is_sign(s, i, ",")) {
            return;
        }
        i++;
    }
}

// The name at i is a table's, unless it is a sub-query, a function (only where rows come from) or has a schema already.
static void mark_table(struct statement *s, int i, bool source)
{
    if (is_named(s, i) && !is_sign(s, i + 1, ".") && !(source && is_sign(s, i + 1, "(")) && !is_cte(s, at(s, i)->text)) {
        s->items[i].table = true;
    }
}

static int skip_exists(const struct statement *s, int i)
{
    i += is_word(s, i, "IF");
    i += is_word(s, i, "NOT");
    return i + is_word(s, i, "EXISTS");
}

// FROM a x, b y: every comma of this list stands before another table.
static void mark_from(struct statement *s, int i)
{
    static const char *const ends[] = {"WHERE", "GROUP", "ORDER", "LIMIT", "RETURNING", "UNION",
                                       "JOIN",  "LEFT",  "INNER", "CROSS", "ON",        NULL};
    mark_table(s, i, true);
    for (; i < s->count && !is_any(s, i, ends) && !is_sign(s, i, ")"); i++) {
        if (is_sign(s, i, "(")) {
            i = closing(s, i);
        } else if (is_sign(s, i, ",")) {
            mark_table(s, i + 1, true);
        }
    }
}

static void mark_tables(struct statement *s, int i)
{
    if (is_word(s, i, "FROM") && !is_word(s, i - 1, "DISTINCT")) {
        mark_from(s, i + 1);
    } else if (is_word(s, i, "JOIN")) {
        mark_table(s, i + 1, true);
    } else if (is_word(s, i, "INTO") || is_word(s, i, "REFERENCES")) {
        mark_table(s, i + 1, false);
    } else if (is_word(s, i, "UPDATE") && !is_word(s, i - 1, "DO") && !is_word(s, i + 1, "SET")) {
        mark_table(s, i + 1, false);
    } else if (is_word(s, i, "TABLE") || (is_word(s, i, "INDEX") && is_word(s, 0, "DROP"))) {
        mark_table(s, skip_exists(s, i + 1), false);
    }
}

// ---- definitions --------------------------------------------------------------------------------

static const char *type_of(const struct statement *s, int i)
{
    static const char *const types[][2] = {
        {"INTEGER", "BIGINT"}, {"BIGINT", "BIGINT"}, {"REAL", "DOUBLE PRECISION"}, {"BLOB", "BYTEA"}, {"TEXT", "TEXT COLLATE \"C\""}};
    for (size_t k = 0; k < BASE_COUNT(types); k++) {
        if (is_word(s, i, types[k][0])) {
            return types[k][1];
        }
    }
    return NULL;
}

// In CREATE TABLE and ALTER TABLE a type stands behind the column's name, which stands behind "(", "," or "COLUMN".
static void mark_column_type(struct statement *s, int i)
{
    bool column = is_named(s, i - 1) && (is_sign(s, i - 2, "(") || is_sign(s, i - 2, ",") || is_word(s, i - 2, "COLUMN"));
    const char *type = column ? type_of(s, i) : NULL;
    if (!type) {
        return;
    }
    s->items[i].replace = type;
    if (is_word(s, i, "INTEGER") && is_word(s, i + 1, "PRIMARY") && at(s, i - 1)->kind == TOKEN_WORD) {
        s->items[i].replace = "BIGINT GENERATED BY DEFAULT AS IDENTITY";
    }
}

// CREATE INDEX name ON table (…): nulls come first, so that the index serves an ORDER BY.
static void mark_index(struct statement *s)
{
    int i = is_word(s, 0, "CREATE") ? 1 + is_word(s, 1, "UNIQUE") : s->count;
    if (!is_word(s, i, "INDEX")) {
        return;
    }
    i = skip_exists(s, i + 1);
    if (!is_word(s, i + 1, "ON") || !is_sign(s, i + 3, "(")) {
        return;
    }
    mark_table(s, i + 2, false);
    int end = closing(s, i + 3);
    for (int k = i + 4; k <= end; k++) {
        if (is_sign(s, k, "(")) {
            k = closing(s, k);
        } else if (is_sign(s, k, ",") || k == end) {
            s->items[k - 1].behind = is_word(s, k - 1, "DESC") ? " NULLS LAST" : " NULLS FIRST";
        }
    }
}

static void mark_definition(struct statement *s)
{
    mark_index(s);
    bool table = (is_word(s, 0, "CREATE") && is_word(s, 1, "TABLE")) || is_word(s, 0, "ALTER");
    for (int i = 0; table && i < s->count; i++) {
        mark_column_type(s, i);
        s->items[i].drop |= is_word(s, i, "AUTOINCREMENT");
    }
}

// ---- the rest -----------------------------------------------------------------------------------

// An id is never null, and its index has the usual order.
static bool is_id(const struct statement *s, int i)
{
    i -= is_word(s, i, "ASC") || is_word(s, i, "DESC");
    return is_word(s, i, "id") || view_eq(at(s, i)->text, VIEW("\"id\""));
}

static void mark_order(struct statement *s, int i)
{
    static const char *const ends[] = {"LIMIT", "OFFSET", "RETURNING", "UNION", "ROWS", NULL};
    for (; i <= s->count; i++) {
        bool end = i == s->count || is_any(s, i, ends) || is_sign(s, i, ")") || is_sign(s, i, ";");
        if (is_sign(s, i, "(")) {
            i = closing(s, i);
        } else if (end || is_sign(s, i, ",")) {
            int last = i - 1;
            bool explicit = is_word(s, last, "FIRST") || is_word(s, last, "LAST");
            if (!is_id(s, last) && !explicit) {
                s->items[last].behind = is_word(s, last, "DESC") ? " NULLS LAST" : " NULLS FIRST";
            }
            if (end) {
                return;
            }
        }
    }
}

// A comma between the parentheses of max or min makes it a function of one row.
static void mark_function(struct statement *s, int i)
{
    bool most = is_word(s, i, "max");
    if (is_word(s, i, "ifnull")) {
        s->items[i].replace = "COALESCE";
        return;
    }
    if ((!most && !is_word(s, i, "min")) || !is_sign(s, i + 1, "(")) {
        return;
    }
    int end = closing(s, i + 1);
    for (int k = i + 2; k < end; k++) {
        if (is_sign(s, k, "(")) {
            k = closing(s, k);
        } else if (is_sign(s, k, ",")) {
            s->items[i].replace = most ? "GREATEST" : "LEAST";
        }
    }
}

// CAST(x AS REAL)
static void mark_cast(struct statement *s, int i)
{
    const char *type = is_word(s, i - 1, "AS") && is_sign(s, i + 1, ")") ? type_of(s, i) : NULL;
    if (type && !is_word(s, i, "TEXT")) {
        s->items[i].replace = type;
    }
}

// IS ? and IS NOT ? compare any two values.
static void mark_is(struct statement *s, int i)
{
    bool negative = is_word(s, i + 1, "NOT");
    if (is_word(s, i, "IS") && at(s, i + 1 + negative)->kind == TOKEN_PARAM) {
        s->items[i].replace = negative ? "IS DISTINCT FROM" : "IS NOT DISTINCT FROM";
        s->items[i + 1].drop |= negative;
    }
}

static bool mark_tokens(struct statement *s)
{
    while (is_sign(s, s->count - 1, ";")) {
        s->count--;
    }
    if (!s->count) {
        return fail_set(s->fail, FAIL_STORE, "SQL must be one statement");
    }
    read_ctes(s);
    mark_definition(s);
    for (int i = 0; i < s->count; i++) {
        mark_case(s, i);
        mark_tables(s, i);
        mark_function(s, i);
        mark_cast(s, i);
        mark_is(s, i);
        if (is_word(s, i, "ORDER") && is_word(s, i + 1, "BY")) {
            mark_order(s, i + 2);
        }
        bool columns = is_word(s, i - 1, "SELECT") || is_sign(s, i - 1, ".") || is_word(s, i - 1, "RETURNING");
        if (is_sign(s, i, ";")) {
            return fail_set(s->fail, FAIL_STORE, "SQL must be one statement");
        }
        s->info->star |= is_sign(s, i, "*") && columns;
        if (is_word(s, i, "GLOB") || (is_word(s, i, "OR") && is_word(s, i - 1, "INSERT"))) {
            return fail_set(s->fail, FAIL_STORE, "SQL that PostgreSQL does not have: %.*s", VIEW_ARGS(at(s, i)->text));
        }
    }
    return true;
}

// ---- writing ------------------------------------------------------------------------------------

size_t dialect_name(char out[DIALECT_NAME_MAX + 1], struct view name)
{
    enum { KEPT = 46 };
    if (name.len <= DIALECT_NAME_MAX) {
        memcpy(out, name.data, name.len);
        out[name.len] = '\0';
        return name.len;
    }
    uint64_t hash = UINT64_C(14695981039346656037); // FNV-1a: the same in every process
    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ (unsigned char)name.data[i]) * UINT64_C(1099511628211);
    }
    size_t kept = utf8_clamp(name, KEPT);
    memcpy(out, name.data, kept);
    return kept + (size_t)snprintf(out + kept, DIALECT_NAME_MAX + 1 - kept, "%016llx", (unsigned long long)hash);
}

// A quoted name, cut if it is too long. Names with a quote inside are written with it doubled, as they came.
static void write_name(struct buffer *out, struct view quoted)
{
    struct view inner = view_slice(quoted, 1, quoted.len - 2);
    if (inner.len <= DIALECT_NAME_MAX) {
        buffer_add(out, quoted);
        return;
    }
    char name[DIALECT_NAME_MAX + 1];
    size_t len = dialect_name(name, inner);
    buffer_add_char(out, '"');
    buffer_add(out, (struct view){name, len});
    buffer_add_char(out, '"');
}

static bool write_param(struct statement *s, struct buffer *out, const struct token *token)
{
    int64_t number = s->info->params + 1;
    if (token->text.len > 1 && (!view_to_int64(view_from(token->text, 1), &number) || number < 1)) {
        number = DIALECT_PARAMS_MAX + 1;
    }
    if (number > DIALECT_PARAMS_MAX) {
        return fail_set(s->fail, FAIL_STORE, "an SQL statement has more than %d parameters", DIALECT_PARAMS_MAX);
    }
    if (number > s->info->params) {
        s->info->params = (int)number;
    }
    buffer_add_char(out, '$');
    buffer_add_int(out, number);
    return true;
}

static bool write_text(struct statement *s, struct buffer *out, const struct token *token)
{
    if (token->replace) {
        buffer_add(out, view_of(token->replace));
    } else if (token->kind == TOKEN_PARAM) {
        return write_param(s, out, token);
    } else if (token->kind == TOKEN_NAME) {
        write_name(out, token->text);
    } else if (token->kind == TOKEN_BLOB) {
        buffer_printf(out, "'\\x%.*s::bytea", (int)(token->text.len - 2), token->text.data + 2);
    } else {
        buffer_add(out, token->text);
    }
    return true;
}

static bool write_token(struct statement *s, struct buffer *out, struct view schema, const struct token *token)
{
    if (token->blank && out->len) {
        buffer_add_char(out, ' ');
    }
    if (token->lowers) {
        buffer_add(out, VIEW("lower("));
    }
    if (token->table) {
        buffer_add_char(out, '"');
        buffer_add(out, schema);
        buffer_add(out, VIEW("\"."));
    }
    if (!write_text(s, out, token)) {
        return false;
    }
    if (token->collate_c) {
        buffer_add(out, VIEW(" COLLATE \"C\""));
    }
    for (int i = 0; i < token->closes; i++) {
        buffer_add(out, VIEW(" COLLATE \"C\")"));
    }
    return true;
}

bool dialect_translate(struct view schema, struct view sql, struct buffer *out, struct dialect *ret_dialect, struct fail *fail)
{
    struct dialect info = {0};
    struct statement s = {.info = &info, .fail = fail};
    bool ok = read_tokens(&s, sql) && mark_tokens(&s);
    for (int i = 0; ok && i < s.count; i++) {
        const struct token *token = &s.items[i];
        ok = token->drop || write_token(&s, out, schema, token);
        buffer_add(out, view_of(token->behind));
    }
    free(s.items);
    if (!ok) {
        return false;
    }
    buffer_text(out);
    if (out->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    *ret_dialect = info;
    return true;
}
