// SPDX-License-Identifier: Apache-2.0
//
// The inside contract of store: what a data base engine is. An engine knows connections, transactions, statements and rows; it knows
// nothing of queues, fibers, migrations, ids or journals, which are the same for every engine and live in the files beside this header.
// tx.c is the one place that turns the public tx_ and rows_ calls into calls through this table.
//
// A connection (`struct tx`) is used by one thread at a time. An engine's own connection starts with a struct tx, its open query with a
// struct rows.
#pragma once

#include "store/store.h"

struct store_engine;

enum engine_role { ENGINE_WRITER, ENGINE_READER };

// Where a data base lies.
struct engine_place {
    const char *path; // NULL: in memory, gone with its only connection
    bool make;        // a writer makes the file when it is not there, else FAIL_NOT_FOUND
};

// A block of ids and the version that a transaction has reached; taken back when what took them is rolled back.
struct tx_state {
    int64_t id_next, id_end; // ids not given out yet
    int64_t version; // set by store_bump in this transaction, 0 = not bumped
    bool id_taken; // the block was taken inside the current savepoint or transaction
};

struct tx {
    const struct store_engine *engine;
    enum engine_role role; // of the closure that runs: a memory data base has one connection for both
    bool begun; // a transaction (writer) or a snapshot (reader) is open
    struct tx_state state;
};

struct rows {
    struct tx *tx;
};

struct store_engine {
    bool (*open)(const struct engine_place *place, enum engine_role role, struct tx **ret_tx, struct fail *fail);
    void (*close)(struct tx *tx);
    // A fresh writer's COMMIT keeps order but does not wait for the disk: enough for what is done again when it is lost (migrations), or may be
    // lost (the run log). From this call on it waits.
    bool (*durable)(struct tx *tx, struct fail *fail);

    bool (*begin)(struct tx *tx, struct fail *fail); // a writer's excludes other writers; a reader's is a snapshot
    bool (*commit)(struct tx *tx, struct fail *fail);
    void (*rollback)(struct tx *tx);
    bool (*alive)(const struct tx *tx); // false: an error has ended the transaction behind our back
    bool (*mark)(struct tx *tx, struct fail *fail); // a savepoint; they nest
    bool (*mark_keep)(struct tx *tx, struct fail *fail);
    bool (*mark_undo)(struct tx *tx, struct fail *fail);
    bool (*settled)(struct tx *tx, struct fail *fail); // no deferred constraint is broken: at COMMIT it would fail the others too
    void (*finish)(struct tx *tx); // closes whatever queries a closure has left open
    void (*tidy)(struct tx *tx); // house-keeping between transactions (checkpoint); may take its time

    bool (*empty)(struct tx *tx); // does it hold no table at all?
    bool (*script)(struct tx *tx, const char *sql, struct fail *fail); // several statements, for migrations
    bool (*exec)(struct tx *tx, const char *sql, const struct store_param *params, int count, struct fail *fail);
    int64_t (*changes)(struct tx *tx);
    bool (*query)(struct tx *tx, const char *sql, const struct store_param *params, int count, struct rows **ret_rows, struct fail *fail);
    bool (*next)(struct rows *rows, struct fail *fail);
    int (*columns)(const struct rows *rows);
    const char *(*column_name)(const struct rows *rows, int column);
    enum store_type (*type)(const struct rows *rows, int column);
    int64_t (*get_int)(const struct rows *rows, int column);
    double (*get_real)(const struct rows *rows, int column);
    struct view (*get_text)(const struct rows *rows, int column);
    void (*close_rows)(struct rows *rows);
};

extern const struct store_engine engine_sqlite;
