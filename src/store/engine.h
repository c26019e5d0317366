// SPDX-License-Identifier: Apache-2.0
//
// The inside contract of store: what a data base engine is. An engine knows connections, transactions, statements and rows; it knows
// nothing of queues, fibers, migrations, ids or journals, which are the same for every engine and live in the files beside this header.
// tx.c is the one place that turns the public tx_ and rows_ calls into calls through this table.
//
// A connection (`struct tx`) is used by one thread at a time. An engine's own connection starts with a struct tx, its open query with a
// struct rows.
#pragma once

#include <stdatomic.h>

#include "store/store.h"

struct store_engine;

enum engine_role { ENGINE_WRITER, ENGINE_READER };

// Where a data base lies.
struct engine_place {
    const char *path; // NULL: in memory, gone with its only connection
    bool make;        // a writer makes the file when it is not there, else FAIL_NOT_FOUND
    struct view image; // in memory: what it begins with, see `image` below; empty = nothing
    const char *url; // of a shared engine: the server; every environment is a schema there
    bool relaxed; // COMMIT need not wait for the server's disk
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
    // Of a shared engine, whose connections serve any environment; set before a transaction begins.
    const char *schema; // the environment's, kept until the store closes
    atomic_int_least64_t *version; // the environment's, raised to what a transaction sees
    int64_t owner; // the process, as other processes know it
    bool bare; // the environment is being made: there may be no table yet
    struct connections *pool; // of a reader that is out
    int gave_way; // how often the read that runs on it has
};

// A read has let the others in; by the engine, on the read's fiber. See reader.c.
void tx_gave_way(struct tx *tx);

struct rows {
    struct tx *tx;
};

// Versions are told by transactions that may end in another order.
static inline void tx_raise_version(struct tx *tx, int64_t version)
{
    int64_t known = atomic_load(tx->version);
    while (known < version && !atomic_compare_exchange_weak(tx->version, &known, version)) {
    }
}

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
    bool (*image)(struct tx *tx, struct buffer *out, struct fail *fail); // the whole data base of an engine in memory; NULL where there is none
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

    // ---- of a shared engine: a server that other processes use too. NULL in the others. ----
    bool (*usable)(struct tx *tx); // an idle connection: has the server not closed it?
    bool (*again)(const struct tx *tx); // the last transaction failed because another was in its way: nothing is kept, it may run again
    bool (*refresh)(struct tx *tx, struct fail *fail); // raises *version to what is committed
    // Opening an environment: only one process at a time has it, from claim to unclaim. `make` makes the schema.
    bool (*claim)(struct tx *tx, bool make, struct fail *fail);
    void (*unclaim)(struct tx *tx);
    bool (*make_ids)(struct tx *tx, int64_t first, struct fail *fail); // what next_id counts with
    int64_t (*next_id)(struct tx *tx, struct fail *fail); // above all that were given before; 0 on failure
    bool (*own)(struct tx *tx, int64_t owner, bool *ret_owned, struct fail *fail); // until the connection is closed
    bool (*owned)(struct tx *tx, int64_t owner, bool *ret_owned, struct fail *fail); // does a living process own it?
};

extern const struct store_engine engine_sqlite;
extern const struct store_engine engine_postgres;
