// SPDX-License-Identifier: Apache-2.0
//
// What the files of the PostgreSQL engine share: postgres_library.c (libpq), postgres.c (connections and transactions) and postgres_tx.c
// (statements and rows). Only these include it, so libpq-fe.h goes no further.
#pragma once

#include <libpq-fe.h>

#include "store/dialect.h"
#include "store/engine.h"

enum {
    POSTGRES_CACHE_MAX = 128, // prepared statements a connection keeps
    POSTGRES_CACHE_SLOTS = 256, // power of two
    POSTGRES_SENT_MAX = 8, // commands that go to the server together
    POSTGRES_IDS = 100, // ids taken at a time, beyond the one that every transaction gets
    POSTGRES_CALL_MAX = 400, // bytes of the engine's own SQL
    POSTGRES_VALUE_BYTES_MAX = 64 * 1024 * 1024, // of one call's parameters together
    POSTGRES_SQL_BYTES_MAX = 2 * 1024 * 1024, // translated
};

// libpq, opened when the first connection is: every start of a program that it is linked to would pay for it and for what it brings.
#define POSTGRES_FUNCTIONS(F)                                                                                                              \
    F(PQconnectdbParams)                                                                                                                         \
    F(PQfinish) F(PQstatus) F(PQerrorMessage) F(PQserverVersion) F(PQparameterStatus) F(PQsocket) F(PQsetnonblocking) F(PQsetNoticeProcessor)  \
    F(PQenterPipelineMode) F(PQpipelineSync) F(PQflush) F(PQconsumeInput) F(PQisBusy) F(PQgetResult) F(PQexec) F(PQsendPrepare)            \
    F(PQsendQueryPrepared) F(PQsendQueryParams) F(PQresultStatus) F(PQresultErrorField) F(PQcmdStatus) F(PQcmdTuples) F(PQntuples)         \
    F(PQnfields) F(PQfname) F(PQftype) F(PQgetvalue) F(PQgetlength) F(PQgetisnull) F(PQclear)
struct postgres_library {
#define POSTGRES_MEMBER(name) __typeof__(&name) name;
    POSTGRES_FUNCTIONS(POSTGRES_MEMBER)
#undef POSTGRES_MEMBER
};
extern struct postgres_library pq;
bool postgres_library_open(struct fail *fail);

struct postgres_tx;

// A prepared statement of the server. Which types its parameters were declared with is part of what it is found by.
struct postgres_statement {
    char *sql; // as it came
    size_t sql_len;
    const char *schema;
    uint64_t hash;
    unsigned number; // its name on the server
    int params;
    Oid *types; // 0: left to the server
    char *translated; // until it is prepared, then NULL
    bool kept; // by the cache
    struct postgres_statement *chain; // same slot of the cache
    struct postgres_statement *older, *newer; // order of use
};

// An open query: libpq brings all rows at once.
struct postgres_rows {
    struct rows rows; // first
    PGresult *result;
    int row, count; // row -1: before the first
    char *bytes; // of the last BLOB that was asked for
    struct postgres_rows *next; // of the connection
};

enum postgres_sent { SENT_CONTROL, SENT_STATE, SENT_MAIN };

struct postgres_tx {
    struct tx base; // first
    PGconn *conn;
    int fd;
    bool open; // the server has begun the transaction
    bool committing; // a writer's COMMIT is under way
    bool lost, conflict; // of the last transaction, see postgres_again
    struct fail broken; // why the transaction takes no more statements
    int64_t changes;
    int owed; // rounds whose answers nobody has waited for

    enum postgres_sent sent[POSTGRES_SENT_MAX]; // in this round
    int sent_count;
    struct postgres_statement *fresh[POSTGRES_SENT_MAX]; // prepared in this round, not in the cache yet
    int fresh_count;

    int64_t ids[POSTGRES_IDS];
    int id_at, id_count;

    struct postgres_statement *slots[POSTGRES_CACHE_SLOTS];
    struct postgres_statement *oldest, *newest;
    int cached;
    unsigned last_number;
    unsigned dropped[POSTGRES_CACHE_MAX]; // statements that the server may forget, at the next transaction
    int dropped_count;

    struct postgres_rows *rows;
    char *scratch; // parameters as text
    size_t scratch_bytes;
    const char **values;
    int *lengths, *formats;
    int params_room;
};

// ---- postgres.c: talking to the server ----------------------------------------------------------

// Commands are gathered by send_…; a round sends them and reads every answer. Gives way on a fiber, blocks elsewhere. The first error ends the
// transaction (tx->broken). *ret_main is the result of the SENT_MAIN command, to be cleared by the caller; NULL: not wanted.
bool postgres_round(struct postgres_tx *tx, PGresult **ret_main, struct fail *fail);
bool postgres_sent(struct postgres_tx *tx, enum postgres_sent kind, int done, struct fail *fail); // after a PQsend…
bool postgres_start(struct postgres_tx *tx, struct fail *fail); // sends BEGIN before the first statement
bool postgres_lose(struct postgres_tx *tx, struct fail *fail); // the connection is no good any more; returns false

// ---- postgres_tx.c ------------------------------------------------------------------------------

void postgres_cache_drop(struct postgres_tx *tx);
bool postgres_send_own(struct postgres_tx *tx, enum postgres_sent kind, const char *sql, struct fail *fail); // PostgreSQL's SQL, no parameters
void postgres_settle(struct postgres_tx *tx, bool ok); // at the end of a round: what becomes of the statements that it prepared
bool postgres_exec(struct tx *tx, const char *sql, const struct store_param *params, int count, struct fail *fail);
int64_t postgres_changes(struct tx *tx);
bool postgres_query(struct tx *tx, const char *sql, const struct store_param *params, int count, struct rows **ret_rows, struct fail *fail);
bool postgres_next(struct rows *rows, struct fail *fail);
int postgres_columns(const struct rows *rows);
const char *postgres_column_name(const struct rows *rows, int column);
enum store_type postgres_type(const struct rows *rows, int column);
int64_t postgres_get_int(const struct rows *rows, int column);
double postgres_get_real(const struct rows *rows, int column);
struct view postgres_get_text(const struct rows *rows, int column);
void postgres_close_rows(struct rows *rows);
void postgres_finish(struct tx *tx);
