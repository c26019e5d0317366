// SPDX-License-Identifier: Apache-2.0
//
// What sqlite.c (connections) and sqlite_tx.c (statements and rows) share. Only these two include it, so sqlite3.h goes no further.
#pragma once

#include <sqlite3.h>

#include "store/engine.h"

enum {
    SQLITE_CACHE_MAX = 128, // prepared statements a connection keeps
    SQLITE_CACHE_SLOTS = 256, // power of two
};

struct sqlite_tx;

// A prepared statement and, while it is busy, the open query on it.
struct sqlite_statement {
    struct rows rows; // first: what tx_query gives out
    struct sqlite_tx *owner;
    sqlite3_stmt *stmt;
    char *sql;
    size_t sql_len;
    uint64_t hash;
    bool busy, cached; // not cached: freed when it is closed
    bool done;
    struct sqlite_statement *chain; // same slot of the cache
    struct sqlite_statement *older, *newer; // order of use
    struct sqlite_statement *open_next; // busy ones of the connection
};

enum sqlite_control { CONTROL_BEGIN, CONTROL_COMMIT, CONTROL_MARK, CONTROL_KEEP, CONTROL_UNDO, CONTROLS };

struct sqlite_tx {
    struct tx base; // first
    sqlite3 *db;
    char *path; // for error texts
    enum engine_role opened_as;
    sqlite3_stmt *control[CONTROLS];
    int64_t changes;
    int wal_pages; // in the log after the last COMMIT

    struct sqlite_statement *slots[SQLITE_CACHE_SLOTS];
    struct sqlite_statement *oldest, *newest;
    int cached;
    struct sqlite_statement *open;
};

// Sets fail from the connection's last error; returns false.
bool sqlite_fail(struct sqlite_tx *tx, int code, struct fail *fail) BASE_COLD;
// Prepares on the loop's own stack when it runs on a fiber: the parser's need grows with the text.
int sqlite_prepare(struct sqlite_tx *tx, const char *sql, sqlite3_stmt **ret_stmt, const char **ret_tail);
void sqlite_cache_drop(struct sqlite_tx *tx);

// The statement half of engine_sqlite, in sqlite_tx.c.
bool sqlite_exec(struct tx *tx, const char *sql, const struct store_param *params, int count, struct fail *fail);
int64_t sqlite_changes(struct tx *tx);
bool sqlite_query(struct tx *tx, const char *sql, const struct store_param *params, int count, struct rows **ret_rows, struct fail *fail);
bool sqlite_next(struct rows *rows, struct fail *fail);
int sqlite_columns(const struct rows *rows);
const char *sqlite_column_name(const struct rows *rows, int column);
enum store_type sqlite_type(const struct rows *rows, int column);
int64_t sqlite_get_int(const struct rows *rows, int column);
double sqlite_get_real(const struct rows *rows, int column);
struct view sqlite_get_text(const struct rows *rows, int column);
void sqlite_close_rows(struct rows *rows);
void sqlite_finish(struct tx *tx);
