// SPDX-License-Identifier: Apache-2.0
//
// The SQLite engine: statements and rows. A connection keeps up to SQLITE_CACHE_MAX prepared statements by their text, the one not used for
// longest goes first. A statement that is busy (a query inside a query with the same text) is prepared a second time and not kept. A
// query's text and BLOB parameters are copied, so that the caller's bytes need not live as long as the query; those of tx_exec are not,
// since it ends before it returns.
#include "store/sqlite_inside.h"

#include <stdlib.h>

// ---- the cache of statements --------------------------------------------------------------------

// The order of use is a doubly linked list through the statements, newest last.
static void unlink_use(struct sqlite_statement *s)
{
    struct sqlite_tx *tx = s->owner;
    *(s->older ? &s->older->newer : &tx->oldest) = s->newer;
    *(s->newer ? &s->newer->older : &tx->newest) = s->older;
    s->older = s->newer = NULL;
}

static void link_newest(struct sqlite_statement *s)
{
    struct sqlite_tx *tx = s->owner;
    s->older = tx->newest;
    *(tx->newest ? &tx->newest->newer : &tx->oldest) = s;
    tx->newest = s;
}

static void free_statement(struct sqlite_statement *s)
{
    sqlite3_finalize(s->stmt);
    free(s->sql);
    free(s);
}

// Chains are short: twice as many slots as statements are kept.
static void drop_cached(struct sqlite_statement *s)
{
    struct sqlite_tx *tx = s->owner;
    struct sqlite_statement **link = &tx->slots[s->hash & (SQLITE_CACHE_SLOTS - 1)];
    while (*link != s) {
        link = &(*link)->chain;
    }
    *link = s->chain;
    unlink_use(s);
    tx->cached--;
    free_statement(s);
}

void sqlite_cache_drop(struct sqlite_tx *tx)
{
    while (tx->oldest) {
        drop_cached(tx->oldest);
    }
}

// Makes room by dropping the statement not used for longest. Busy ones are in somebody's hands and stay.
static void keep_statement(struct sqlite_statement *s)
{
    struct sqlite_tx *tx = s->owner;
    if (tx->cached >= SQLITE_CACHE_MAX) {
        struct sqlite_statement *victim = tx->oldest;
        while (victim && victim->busy) {
            victim = victim->newer;
        }
        if (!victim) {
            return; // every one is in use: this one is not kept
        }
        drop_cached(victim);
    }
    struct sqlite_statement **slot = &tx->slots[s->hash & (SQLITE_CACHE_SLOTS - 1)];
    s->chain = *slot;
    *slot = s;
    s->cached = true;
    tx->cached++;
    link_newest(s);
}

// A second statement behind the first would silently not run.
static bool only_blanks(const char *text)
{
    return text[strspn(text, " \t\r\n;")] == '\0';
}

// The text is copied: it is the key, and callers build theirs in buffers.
static bool new_statement(struct sqlite_tx *tx, struct view sql, uint64_t hash, struct sqlite_statement **ret_statement, struct fail *fail)
{
    struct sqlite_statement *s = calloc(1, sizeof *s);
    char *copy = malloc(sql.len + 1);
    if (!s || !copy) {
        free(s);
        free(copy);
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    memcpy(copy, sql.data, sql.len + 1);
    *s = (struct sqlite_statement){.rows.tx = &tx->base, .owner = tx, .sql = copy, .sql_len = sql.len, .hash = hash};
    const char *tail = copy;
    int code = sqlite_prepare(tx, copy, &s->stmt, &tail);
    if (code != SQLITE_OK) {
        sqlite_fail(tx, code, fail);
        free_statement(s);
        return false;
    }
    if (!s->stmt || !only_blanks(tail)) {
        free_statement(s);
        return fail_set(fail, FAIL_STORE, "SQL must be one statement");
    }
    *ret_statement = s;
    return true;
}

// A reset statement for the text, from the cache or new.
static bool find_statement(struct sqlite_tx *tx, const char *text, struct sqlite_statement **ret_statement, struct fail *fail)
{
    struct view sql = view_of(text);
    uint64_t hash = view_hash(sql);
    struct sqlite_statement *s = tx->slots[hash & (SQLITE_CACHE_SLOTS - 1)];
    while (s && !(s->hash == hash && s->sql_len == sql.len && memcmp(s->sql, text, sql.len) == 0)) {
        s = s->chain;
    }
    bool known = s;
    if (!s || s->busy) {
        if (!new_statement(tx, sql, hash, &s, fail)) {
            return false;
        }
        if (!known) {
            keep_statement(s);
        }
    } else if (tx->newest != s) {
        unlink_use(s);
        link_newest(s);
    }
    if (tx->base.role == ENGINE_READER && !sqlite3_stmt_readonly(s->stmt)) {
        if (!s->cached) {
            free_statement(s);
        }
        return fail_set(fail, FAIL_STORE, "a reader may not change data");
    }
    *ret_statement = s;
    return true;
}

static int bind_one(sqlite3_stmt *stmt, int at, const struct store_param *param, sqlite3_destructor_type keep)
{
    const char *bytes = param->text.data ? param->text.data : ""; // a NULL pointer would bind NULL
    switch (param->type) {
    case STORE_INTEGER:
        return sqlite3_bind_int64(stmt, at, param->integer);
    case STORE_REAL:
        return sqlite3_bind_double(stmt, at, param->real);
    case STORE_TEXT:
        return sqlite3_bind_text64(stmt, at, bytes, param->text.len, keep, SQLITE_UTF8);
    case STORE_BLOB:
        return sqlite3_bind_blob64(stmt, at, bytes, param->text.len, keep);
    case STORE_NULL:
        break;
    }
    return sqlite3_bind_null(stmt, at);
}

// The number must agree: a parameter left over would keep its value from the last call.
static bool bind_params(struct sqlite_statement *s, const struct store_param *params, int count, sqlite3_destructor_type keep,
                        struct fail *fail)
{
    int wanted = sqlite3_bind_parameter_count(s->stmt);
    if (wanted != count) {
        return fail_set(fail, FAIL_STORE, "SQL has %d parameters, %d given", wanted, count);
    }
    for (int i = 0; i < count; i++) {
        int code = bind_one(s->stmt, i + 1, &params[i], keep);
        if (code != SQLITE_OK) {
            return sqlite_fail(s->owner, code, fail);
        }
    }
    return true;
}

// ---- statements ---------------------------------------------------------------------------------

// Runs to the end; rows of a RETURNING clause are passed over.
bool sqlite_exec(struct tx *base, const char *sql, const struct store_param *params, int count, struct fail *fail)
{
    struct sqlite_tx *tx = (struct sqlite_tx *)base;
    struct sqlite_statement *s;
    if (!find_statement(tx, sql, &s, fail)) {
        return false;
    }
    bool ok = bind_params(s, params, count, SQLITE_STATIC, fail);
    if (ok) {
        int code;
        do {
            code = sqlite3_step(s->stmt);
        } while (code == SQLITE_ROW);
        tx->changes = sqlite3_stmt_readonly(s->stmt) ? 0 : sqlite3_changes64(tx->db);
        ok = code == SQLITE_DONE || sqlite_fail(tx, code, fail);
        sqlite3_reset(s->stmt);
    }
    if (s->cached) {
        sqlite3_clear_bindings(s->stmt); // they point into the caller's memory
    } else {
        free_statement(s);
    }
    return ok;
}

int64_t sqlite_changes(struct tx *tx)
{
    return ((struct sqlite_tx *)tx)->changes;
}

// Nothing runs before the first sqlite_next.
bool sqlite_query(struct tx *base, const char *sql, const struct store_param *params, int count, struct rows **ret_rows, struct fail *fail)
{
    struct sqlite_tx *tx = (struct sqlite_tx *)base;
    struct sqlite_statement *s;
    if (!find_statement(tx, sql, &s, fail)) {
        return false;
    }
    s->busy = true;
    s->done = false;
    s->open_next = tx->open;
    tx->open = s;
    if (!bind_params(s, params, count, SQLITE_TRANSIENT, fail)) {
        sqlite_close_rows(&s->rows);
        return false;
    }
    *ret_rows = &s->rows;
    return true;
}

// Once at the end it stays there: stepping again would start the statement anew.
bool sqlite_next(struct rows *rows, struct fail *fail)
{
    struct sqlite_statement *s = (struct sqlite_statement *)rows;
    int code = s->done ? SQLITE_DONE : sqlite3_step(s->stmt);
    if (code == SQLITE_ROW) {
        return true;
    }
    s->done = true;
    fail_clear(fail);
    if (code != SQLITE_DONE) {
        sqlite_fail(s->owner, code, fail);
    }
    return false;
}

void sqlite_close_rows(struct rows *rows)
{
    struct sqlite_statement *s = (struct sqlite_statement *)rows;
    assert(s->busy);
    struct sqlite_statement **link = &s->owner->open;
    while (*link != s) {
        link = &(*link)->open_next;
    }
    *link = s->open_next;
    s->busy = false;
    if (s->cached) {
        sqlite3_reset(s->stmt);
        sqlite3_clear_bindings(s->stmt);
    } else {
        free_statement(s);
    }
}

// A statement left open would hold the snapshot, and keep a savepoint from being released.
void sqlite_finish(struct tx *base)
{
    struct sqlite_tx *tx = (struct sqlite_tx *)base;
    while (tx->open) {
        sqlite_close_rows(&tx->open->rows);
    }
}

// ---- columns of the row that sqlite_next stands on ----------------------------------------------

static sqlite3_stmt *stmt_of(const struct rows *rows)
{
    return ((const struct sqlite_statement *)rows)->stmt;
}

int sqlite_columns(const struct rows *rows)
{
    return sqlite3_column_count(stmt_of(rows));
}

const char *sqlite_column_name(const struct rows *rows, int column)
{
    return sqlite3_column_name(stmt_of(rows), column);
}

enum store_type sqlite_type(const struct rows *rows, int column)
{
    switch (sqlite3_column_type(stmt_of(rows), column)) {
    case SQLITE_INTEGER:
        return STORE_INTEGER;
    case SQLITE_FLOAT:
        return STORE_REAL;
    case SQLITE_TEXT:
        return STORE_TEXT;
    case SQLITE_BLOB:
        return STORE_BLOB;
    default:
        return STORE_NULL;
    }
}

int64_t sqlite_get_int(const struct rows *rows, int column)
{
    return sqlite3_column_int64(stmt_of(rows), column);
}

double sqlite_get_real(const struct rows *rows, int column)
{
    return sqlite3_column_double(stmt_of(rows), column);
}

struct view sqlite_get_text(const struct rows *rows, int column)
{
    sqlite3_stmt *stmt = stmt_of(rows);
    const void *bytes =
        sqlite3_column_type(stmt, column) == SQLITE_BLOB ? sqlite3_column_blob(stmt, column) : sqlite3_column_text(stmt, column);
    int len = sqlite3_column_bytes(stmt, column); // after the text: it may have been converted
    return bytes ? (struct view){bytes, (size_t)len} : VIEW_NONE;
}
