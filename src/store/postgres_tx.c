// SPDX-License-Identifier: Apache-2.0
//
// The PostgreSQL engine: statements and rows. A connection serves every environment, so a prepared statement is found by its text, its
// schema and the types of its parameters; the one not used for longest goes first. The text is translated (dialect.c) when it is prepared,
// and preparing travels with the first use: it costs no round of its own. A statement whose columns depend on the table's (SELECT *) is
// prepared anew each time, because the server refuses a prepared one after a column was added.
//
// Numbers are declared as what they are; texts and nulls are left to the server, which takes the column's type, as SQLite does. A query's
// rows arrive all at once and stay until it is closed: closures ask further queries while they read.
#include "store/postgres_inside.h"

#include <math.h>
#include <stdlib.h>

enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_OID = 26,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_NUMERIC = 1700
};
enum { NUMBER_BYTES_MAX = 32, NAME_BYTES = 16, BINARY = 1 };

// ---- the cache of statements --------------------------------------------------------------------

static void unlink_use(struct postgres_tx *tx, struct postgres_statement *s)
{
    *(s->older ? &s->older->newer : &tx->oldest) = s->newer;
    *(s->newer ? &s->newer->older : &tx->newest) = s->older;
    s->older = s->newer = NULL;
}

static void link_newest(struct postgres_tx *tx, struct postgres_statement *s)
{
    s->older = tx->newest;
    *(tx->newest ? &tx->newest->newer : &tx->oldest) = s;
    tx->newest = s;
}

static void free_statement(struct postgres_statement *s)
{
    free(s->sql);
    free(s->types);
    free(s->translated);
    free(s);
}

// The server forgets it at the next transaction; numbers are never used twice, so more than can be remembered may stay there.
static void forget(struct postgres_tx *tx, struct postgres_statement *s)
{
    if (!s->translated && tx->dropped_count < POSTGRES_CACHE_MAX) {
        tx->dropped[tx->dropped_count++] = s->number;
    }
    free_statement(s);
}

static void drop_cached(struct postgres_tx *tx, struct postgres_statement *s)
{
    struct postgres_statement **link = &tx->slots[s->hash & (POSTGRES_CACHE_SLOTS - 1)];
    while (*link != s) {
        link = &(*link)->chain;
    }
    *link = s->chain;
    unlink_use(tx, s);
    tx->cached--;
    forget(tx, s);
}

void postgres_cache_drop(struct postgres_tx *tx)
{
    while (tx->oldest) {
        drop_cached(tx, tx->oldest);
    }
}

static void keep_statement(struct postgres_tx *tx, struct postgres_statement *s)
{
    if (tx->cached >= POSTGRES_CACHE_MAX) {
        drop_cached(tx, tx->oldest);
    }
    struct postgres_statement **slot = &tx->slots[s->hash & (POSTGRES_CACHE_SLOTS - 1)];
    s->chain = *slot;
    *slot = s;
    s->kept = true;
    tx->cached++;
    link_newest(tx, s);
}

static Oid oid_of(const struct store_param *param)
{
    switch (param->type) {
    case STORE_INTEGER:
        return OID_INT8;
    case STORE_REAL:
        return OID_FLOAT8;
    case STORE_BLOB:
        return OID_BYTEA;
    default:
        return 0;
    }
}

// A null fits whatever was declared.
static bool fits(const struct postgres_statement *s, const struct store_param *params, int count)
{
    for (int i = 0; i < count && i < s->params; i++) {
        if (params[i].type != STORE_NULL && s->types[i] != oid_of(&params[i])) {
            return false;
        }
    }
    return true;
}

static bool translate(struct postgres_statement *s, struct fail *fail)
{
    struct buffer text;
    struct dialect dialect;
    if (!s->schema) { // the engine's own
        s->translated = strdup(s->sql);
        s->kept = true;
        return s->translated || fail_set(fail, FAIL_MEMORY, NULL);
    }
    buffer_init(&text, POSTGRES_SQL_BYTES_MAX);
    bool ok = dialect_translate(view_of(s->schema), (struct view){s->sql, s->sql_len}, &text, &dialect, fail);
    if (ok) {
        s->translated = text.data; // ends in NUL
        s->params = dialect.params;
        s->kept = !dialect.star;
    } else {
        buffer_free(&text);
    }
    return ok;
}

static bool new_statement(struct postgres_tx *tx, const char *schema, struct view sql, uint64_t hash, const struct store_param *params,
                          int count, struct postgres_statement **ret_statement, struct fail *fail)
{
    struct postgres_statement *s = calloc(1, sizeof *s);
    char *copy = malloc(sql.len + 1);
    Oid *types = calloc((size_t)count + 1, sizeof *types);
    if (!s || !copy || !types) {
        free(s);
        free(copy);
        free(types);
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    memcpy(copy, sql.data, sql.len + 1);
    *s = (struct postgres_statement){.sql = copy, .sql_len = sql.len, .schema = schema, .hash = hash, .types = types};
    for (int i = 0; i < count; i++) {
        types[i] = oid_of(&params[i]);
    }
    if (!translate(s, fail)) {
        free_statement(s);
        return false;
    }
    if (s->params != count) {
        fail_set(fail, FAIL_STORE, "SQL has %d parameters, %d given", s->params, count);
        free_statement(s);
        return false;
    }
    s->number = ++tx->last_number;
    *ret_statement = s;
    return true;
}

// schema NULL: the engine's own SQL, which is not translated.
static bool find_statement(struct postgres_tx *tx, const char *schema, const char *text, const struct store_param *params, int count,
                           struct postgres_statement **ret_statement, struct fail *fail)
{
    struct view sql = view_of(text);
    uint64_t hash = view_hash(sql) ^ ((uint64_t)(uintptr_t)schema >> 4);
    struct postgres_statement *s = tx->slots[hash & (POSTGRES_CACHE_SLOTS - 1)];
    while (s && !(s->hash == hash && s->schema == schema && s->sql_len == sql.len && memcmp(s->sql, text, sql.len) == 0 &&
                  s->params == count && fits(s, params, count))) {
        s = s->chain;
    }
    if (!s) {
        return new_statement(tx, schema, sql, hash, params, count, ret_statement, fail);
    }
    unlink_use(tx, s);
    link_newest(tx, s);
    *ret_statement = s;
    return true;
}

// ---- parameters ---------------------------------------------------------------------------------

static bool grow(void **place, size_t bytes, struct fail *fail)
{
    void *wider = realloc(*place, bytes);
    if (wider) {
        *place = wider;
    }
    return wider || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool make_room(struct postgres_tx *tx, const struct store_param *params, int count, struct fail *fail)
{
    size_t bytes = 1;
    for (int i = 0; i < count; i++) {
        bytes += params[i].type == STORE_TEXT ? params[i].text.len + 1 : NUMBER_BYTES_MAX;
    }
    if (bytes > POSTGRES_VALUE_BYTES_MAX) {
        return fail_set(fail, FAIL_STORE, "the values of one SQL statement have more than %d bytes", POSTGRES_VALUE_BYTES_MAX);
    }
    if (bytes > tx->scratch_bytes) {
        if (!grow((void **)&tx->scratch, bytes, fail)) {
            return false;
        }
        tx->scratch_bytes = bytes;
    }
    if (count > tx->params_room) {
        size_t room = (size_t)count;
        if (!grow((void **)&tx->values, room * sizeof *tx->values, fail) ||
            !grow((void **)&tx->lengths, room * sizeof *tx->lengths, fail) ||
            !grow((void **)&tx->formats, room * sizeof *tx->formats, fail)) {
            return false;
        }
        tx->params_room = count;
    }
    return true;
}

// Writes one value as text at *next and moves it on.
static bool write_value(struct postgres_tx *tx, int i, const struct store_param *param, char **next, struct fail *fail)
{
    tx->values[i] = *next;
    tx->lengths[i] = 0;
    tx->formats[i] = 0;
    switch (param->type) {
    case STORE_INTEGER:
        (*next)[int64_print(*next, param->integer)] = '\0';
        *next += strlen(*next) + 1;
        return true;
    case STORE_REAL:
        if (isnan(param->real)) {
            tx->values[i] = NULL; // as SQLite keeps it
            return true;
        }
        *next += snprintf(*next, NUMBER_BYTES_MAX, "%.17g", param->real) + 1;
        return true;
    case STORE_TEXT:
        if (param->text.len && memchr(param->text.data, '\0', param->text.len)) {
            return fail_set(fail, FAIL_INVALID_DATA, "a text with a NUL character cannot be kept");
        }
        if (param->text.len) {
            memcpy(*next, param->text.data, param->text.len);
        }
        (*next)[param->text.len] = '\0';
        *next += param->text.len + 1;
        return true;
    case STORE_BLOB:
        tx->values[i] = param->text.len ? param->text.data : "";
        tx->lengths[i] = (int)param->text.len;
        tx->formats[i] = BINARY;
        return true;
    case STORE_NULL:
        break;
    }
    tx->values[i] = NULL;
    return true;
}

static bool write_values(struct postgres_tx *tx, const struct store_param *params, int count, struct fail *fail)
{
    if (!make_room(tx, params, count, fail)) {
        return false;
    }
    char *next = tx->scratch;
    for (int i = 0; i < count; i++) {
        if (!write_value(tx, i, &params[i], &next, fail)) {
            return false;
        }
    }
    return true;
}

// ---- statements ---------------------------------------------------------------------------------

// A failure of ours (no memory, a parameter too many) ends the closure like one of the server's.
static bool spoil(struct postgres_tx *tx, const struct fail *fail)
{
    if (tx->broken.code == FAIL_NONE) {
        tx->broken = *fail;
    }
    return false;
}

// A new one is prepared in the same round.
static bool send_statement(struct postgres_tx *tx, enum postgres_sent kind, struct postgres_statement *s, int count, struct fail *fail)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "s%u", s->number);
    if (s->translated) {
        assert(tx->fresh_count < POSTGRES_SENT_MAX);
        tx->fresh[tx->fresh_count++] = s;
        if (!postgres_sent(tx, SENT_CONTROL, pq.PQsendPrepare(tx->conn, name, s->translated, count, s->types), fail)) {
            return false;
        }
    }
    return postgres_sent(tx, kind, pq.PQsendQueryPrepared(tx->conn, name, count, tx->values, tx->lengths, tx->formats, 0), fail);
}

// Of a round that failed it is not known which ones the server has: it is told to forget them all.
void postgres_settle(struct postgres_tx *tx, bool ok)
{
    for (int i = 0; i < tx->fresh_count; i++) {
        struct postgres_statement *s = tx->fresh[i];
        free(s->translated);
        s->translated = NULL;
        if (ok && s->kept) {
            keep_statement(tx, s);
        } else {
            forget(tx, s);
        }
    }
    tx->fresh_count = 0;
}

bool postgres_send_own(struct postgres_tx *tx, enum postgres_sent kind, const char *sql, struct fail *fail)
{
    struct postgres_statement *s = NULL;
    return find_statement(tx, NULL, sql, NULL, 0, &s, fail) && send_statement(tx, kind, s, 0, fail);
}

static bool run_statement(struct postgres_tx *tx, const char *sql, const struct store_param *params, int count, PGresult **ret_result,
                          struct fail *fail)
{
    struct postgres_statement *s = NULL;
    if (tx->broken.code != FAIL_NONE) {
        *fail = tx->broken;
        return false;
    }
    if (!write_values(tx, params, count, fail) || !postgres_start(tx, fail) ||
        !find_statement(tx, tx->base.schema, sql, params, count, &s, fail) || !send_statement(tx, SENT_MAIN, s, count, fail)) {
        return spoil(tx, fail);
    }
    return postgres_round(tx, ret_result, fail);
}

// Rows of a RETURNING clause are passed over.
bool postgres_exec(struct tx *base, const char *sql, const struct store_param *params, int count, struct fail *fail)
{
    struct postgres_tx *tx = (struct postgres_tx *)base;
    PGresult *result = NULL;
    if (!run_statement(tx, sql, params, count, &result, fail)) {
        return false;
    }
    int64_t changes = 0;
    bool read_only = strncmp(pq.PQcmdStatus(result), "SELECT", 6) == 0;
    view_to_int64(view_of(pq.PQcmdTuples(result)), &changes);
    tx->changes = read_only ? 0 : changes;
    pq.PQclear(result);
    return true;
}

int64_t postgres_changes(struct tx *tx)
{
    return ((struct postgres_tx *)tx)->changes;
}

bool postgres_query(struct tx *base, const char *sql, const struct store_param *params, int count, struct rows **ret_rows,
                    struct fail *fail)
{
    struct postgres_tx *tx = (struct postgres_tx *)base;
    struct postgres_rows *rows = calloc(1, sizeof *rows);
    if (!rows) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!run_statement(tx, sql, params, count, &rows->result, fail)) {
        free(rows);
        return false;
    }
    rows->rows.tx = base;
    rows->row = -1;
    rows->count = pq.PQntuples(rows->result);
    rows->next = tx->rows;
    tx->rows = rows;
    *ret_rows = &rows->rows;
    return true;
}

bool postgres_next(struct rows *base, struct fail *fail)
{
    struct postgres_rows *rows = (struct postgres_rows *)base;
    if (rows->row + 1 < rows->count) {
        rows->row++;
        return true;
    }
    fail_clear(fail);
    return false;
}

void postgres_close_rows(struct rows *base)
{
    struct postgres_rows *rows = (struct postgres_rows *)base;
    struct postgres_rows **link = &((struct postgres_tx *)base->tx)->rows;
    while (*link != rows) {
        link = &(*link)->next;
    }
    *link = rows->next;
    pq.PQclear(rows->result);
    free(rows->bytes);
    free(rows);
}

void postgres_finish(struct tx *base)
{
    struct postgres_tx *tx = (struct postgres_tx *)base;
    while (tx->rows) {
        postgres_close_rows(&tx->rows->rows);
    }
}

// ---- columns of the row that postgres_next stands on --------------------------------------------

static const struct postgres_rows *rows_of(const struct rows *rows)
{
    return (const struct postgres_rows *)rows;
}

static struct view cell(const struct postgres_rows *rows, int column)
{
    if (rows->row < 0 || rows->row >= rows->count || pq.PQgetisnull(rows->result, rows->row, column)) {
        return VIEW_NONE;
    }
    return (struct view){pq.PQgetvalue(rows->result, rows->row, column), (size_t)pq.PQgetlength(rows->result, rows->row, column)};
}

int postgres_columns(const struct rows *rows)
{
    return pq.PQnfields(rows_of(rows)->result);
}

const char *postgres_column_name(const struct rows *rows, int column)
{
    return pq.PQfname(rows_of(rows)->result, column);
}

// Sums are numeric: whole ones of integers, others have a point.
enum store_type postgres_type(const struct rows *base, int column)
{
    const struct postgres_rows *rows = rows_of(base);
    struct view text = cell(rows, column);
    if (!text.data) {
        return STORE_NULL;
    }
    switch (pq.PQftype(rows->result, column)) {
    case OID_BOOL:
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID:
        return STORE_INTEGER;
    case OID_FLOAT4:
    case OID_FLOAT8:
        return STORE_REAL;
    case OID_NUMERIC:
        return view_find_char(text, '.') >= 0 ? STORE_REAL : STORE_INTEGER;
    case OID_BYTEA:
        return STORE_BLOB;
    default:
        return STORE_TEXT;
    }
}

int64_t postgres_get_int(const struct rows *base, int column)
{
    const struct postgres_rows *rows = rows_of(base);
    struct view text = cell(rows, column);
    if (text.data && pq.PQftype(rows->result, column) == OID_BOOL) {
        return text.data[0] == 't';
    }
    return text.data ? strtoll(text.data, NULL, 10) : 0; // libpq ends every value with a NUL
}

double postgres_get_real(const struct rows *base, int column)
{
    struct view text = cell(rows_of(base), column);
    return text.data ? strtod(text.data, NULL) : 0;
}

// BLOBs come as \x and two digits a byte.
static struct view get_bytes(struct postgres_rows *rows, struct view hex)
{
    size_t count = hex.len >= 2 ? (hex.len - 2) / 2 : 0;
    char *bytes = realloc(rows->bytes, count + 1);
    if (!bytes) {
        return VIEW_NONE;
    }
    rows->bytes = bytes;
    return hex_read(view_from(hex, 2), bytes, count) ? (struct view){bytes, count} : VIEW_NONE;
}

struct view postgres_get_text(const struct rows *base, int column)
{
    struct postgres_rows *rows = (struct postgres_rows *)base;
    struct view text = cell(rows, column);
    return text.data && pq.PQftype(rows->result, column) == OID_BYTEA ? get_bytes(rows, text) : text;
}
