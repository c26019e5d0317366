// SPDX-License-Identifier: Apache-2.0
//
// store: the data base. An org environment is one data base (a file DATA/orgs/<org>/<production|sandbox>.db, or a schema of a PostgreSQL server);
// what spans orgs is in control.
// The contract is the same for every engine (struct store_engine in store/engine.h): writes are closures, reads check out a connection.
//
//   store_write runs `fn` inside a transaction, possibly twice, together with other fibers' closures, and returns only when the COMMIT that holds its
//   work is on disk. `fn` has no side effect but its SQL and its own arg; it must reset arg when it starts. Each closure has its own savepoint: one
//   that returns false is rolled back alone. `fn` runs on the writer's thread (SQLite), where it may not give way, or on the caller's fiber
//   (PostgreSQL), which gives way inside tx_ calls: it may not touch a heap that others use meanwhile (the caller waits, so the caller's own
//   heap is free for it), holds no mutex over a tx_ call and keeps its frames small.
//
// SQL is written in crm, auth and ext, in the dialect that SQLite and PostgreSQL share ("?" parameters, INTEGER/TEXT/REAL/BLOB columns, RETURNING,
// ON CONFLICT), and always with parameters; names that come from data go through store_quote.
#pragma once

#include "base/base.h"
#include "value/value.h"

struct store;     // the data folder, one a process
struct store_env; // one data base: an org environment, or control
struct tx;        // a connection in a transaction (store_write) or a reader (store_read)

enum store_sync { STORE_SYNC_FULL, STORE_SYNC_NORMAL };

// Opens or makes the folder (0700) and takes its lock (flock on DATA/lock; FAIL_LOCKED if another process has it). folder NULL: all in memory.
bool store_open(const char *folder, enum store_sync sync, struct store **ret_store, struct fail *fail);
// The same with the records on a PostgreSQL server ("postgres://…") that other processes may use too: an environment is a schema there. The
// folder keeps the lock and the run log. The server is first asked when an environment is opened. FAIL_INVALID_DATA for what is no such URL.
bool store_open_shared(const char *folder, const char *url, enum store_sync sync, struct store **ret_store, struct fail *fail);
bool store_is_shared(const struct store *store);
void store_close(struct store *store); // after all fibers ended: last checkpoint
const char *store_folder(const struct store *store);

// A migration is run once, in order, each in its own transaction; `version` counts from 1 within `room`.
struct store_migration {
    const char *room; // "crm", "auth", "ext"
    int version;
    const char *sql;  // several statements, or NULL
    bool (*fn)(struct tx *tx, void *arg, struct fail *fail); // or code
};
// Finds the open environment or opens, makes and migrates it (a job: gives way). `name` is "control", or "orgs/<org>/<environment>", made only of
// [a-z0-9_/-]. `make`: create it when it is not there, else FAIL_NOT_FOUND. Valid until store_close. `migrations` ends with a row of room NULL.
bool store_env_open(struct store *store, const char *name, bool make, const struct store_migration *migrations, void *migration_arg,
                    struct store_env **ret_env, struct fail *fail);
const char *store_env_name(const struct store_env *env);
// A number that grows with every committed change of metadata (store_bump in a closure): caches compare it.
int64_t store_env_version(const struct store_env *env);
// Brings store_env_version up to what any process has committed before the call: caches are right after it. Gives way on a shared store, where
// it costs a question to the server (one for all who ask at once); elsewhere it does nothing.
bool store_env_shared(const struct store_env *env); // do other processes use it too?
bool store_env_refresh(struct store_env *env, struct fail *fail);
// Undoes the journals that dead processes have left, and no others. Nothing to do on a store of one process, which opening has put in order.
bool store_env_recover(struct store_env *env, struct fail *fail);
// Processes that share an environment must share the master key. The first one leaves `mac` (an HMAC of something fixed under its key) there; a
// later one with another is FAIL_INVALID_DATA. Nothing to do on a store of one process.
bool store_env_pledge(struct store_env *env, const uint8_t mac[SEAL_HMAC_BYTES], struct fail *fail);

typedef bool store_fn(struct tx *tx, void *arg, struct fail *fail);
// Gives way; on return the data is durable. A deferred foreign key must hold at the end of the closure, not only at COMMIT.
bool store_write(struct store_env *env, store_fn *fn, void *arg, struct fail *fail);
// Runs fn on a reader connection of the pool, on the calling fiber; fn may not give way (long reads give way in the progress handler).
// Its statements see one snapshot. Not inside another closure. In memory, fn runs on the writer's thread.
bool store_read(struct store_env *env, store_fn *fn, void *arg, struct fail *fail);
bool store_bump(struct tx *tx, struct fail *fail);
int64_t store_id(struct tx *tx, struct fail *fail); // the next record id of the environment (18 digits, int64), 0 on failure

// ---- SQL ----------------------------------------------------------------------------------------

enum store_type { STORE_NULL, STORE_INTEGER, STORE_REAL, STORE_TEXT, STORE_BLOB };
struct store_param {
    enum store_type type;
    union {
        int64_t integer;
        double real;
        struct view text; // TEXT and BLOB
    };
};
static inline struct store_param store_null(void) { return (struct store_param){.type = STORE_NULL}; }
static inline struct store_param store_int(int64_t n) { return (struct store_param){.type = STORE_INTEGER, .integer = n}; }
static inline struct store_param store_real(double d) { return (struct store_param){.type = STORE_REAL, .real = d}; }
static inline struct store_param store_text(struct view v) { return (struct store_param){.type = STORE_TEXT, .text = v}; }
static inline struct store_param store_blob(struct view v) { return (struct store_param){.type = STORE_BLOB, .text = v}; }

// Statements are prepared once a connection and kept by their text. A row that breaks a UNIQUE or PRIMARY KEY rule is FAIL_DUPLICATE_DATA,
// every other refusal FAIL_STORE. Parameters need to live only as long as the call.
bool tx_exec(struct tx *tx, const char *sql, const struct store_param *params, int count, struct fail *fail);
int64_t tx_changes(struct tx *tx); // rows changed by the last tx_exec
struct rows; // an open query; belongs to the closure
bool tx_query(struct tx *tx, const char *sql, const struct store_param *params, int count, struct rows **ret_rows, struct fail *fail);
bool rows_next(struct rows *rows, struct fail *fail); // false: at the end fail->code is FAIL_NONE
int rows_columns(const struct rows *rows);
const char *rows_column_name(const struct rows *rows, int column);
enum store_type rows_type(const struct rows *rows, int column);
int64_t rows_int(const struct rows *rows, int column);
double rows_real(const struct rows *rows, int column);
struct view rows_text(const struct rows *rows, int column); // valid until the next rows_ call on it; BLOBs too
void rows_close(struct rows *rows); // what a closure leaves open is closed after it
// First column of the first row; *ret_found false when there is none.
bool tx_query_int(struct tx *tx, const char *sql, const struct store_param *params, int count, int64_t *ret_number, bool *ret_found, struct fail *fail);
// Double-quotes a name for SQL into out (a NUL-terminated text); refuses NUL and names over 120 bytes.
bool store_quote(struct buffer *out, struct view name, struct fail *fail);
bool tx_is_writer(const struct tx *tx);

// ---- beginning with what was made before (tests) ------------------------------------------------

// What the data bases of a store in memory held when they had been made and migrated, by name. A store that uses them begins with them and
// makes only what they lack; it must have the same migrations and arguments. Stores may use them one after another.
struct store_images;
struct store_images *store_images_new(void); // NULL without memory
void store_images_free(struct store_images *images);
void store_use_images(struct store *store, struct store_images *images); // before an environment is opened; they outlive the store

// ---- the journal of an install action -----------------------------------------------------------

// While a journal is open on an environment for a run, tx of that run (tx_journal set by crm) records undo information in the same transaction.
// store_journal_undo applies it newest first, in one closure, only where a field still holds what the install wrote; store_journal_done drops it.
// An unfinished journal is undone by store_env_open.
bool store_journal_begin(struct tx *tx, int64_t *ret_journal, struct fail *fail);
// Is it still open? Not when it was done or undone, by whichever process.
bool store_journal_open(struct tx *tx, int64_t journal, bool *ret_open, struct fail *fail);
// `table` has its row number in a column `id`; values are null, numbers, texts and booleans (as 0 and 1).
// `table`/`id` row was inserted (old NULL), or had `old` (JSON object of column → value) before an update that wrote `new`, or was deleted (new NULL).
bool store_journal_note(struct tx *tx, int64_t journal, struct view table, int64_t id, struct view old_row, struct view new_row, struct fail *fail);
bool store_journal_undo(struct tx *tx, int64_t journal, struct fail *fail);
bool store_journal_done(struct tx *tx, int64_t journal, struct fail *fail);

// ---- run log ------------------------------------------------------------------------------------

// Written behind the reply, in batches, to DATA/runlog.db; bounded in number and age. A killed process may lose its last second of it.
struct runlog;
bool runlog_open(struct store *store, int64_t runs_max, int64_t age_ms_max, struct runlog **ret_log, struct fail *fail);
void runlog_close(struct runlog *log);
struct runlog_entry {
    struct view id, org, environment, function, version, trigger, method, outcome, error; // error: JSON object text or empty
    int64_t time_ms;
    int status;
    double duration_ms;
    int64_t statements;
    struct view lines; // JSON array text of {line,text}
};
void runlog_add(struct runlog *log, const struct runlog_entry *entry); // copies; never waits; drops (and counts) when its queue is full
struct runlog_query {
    struct view id, org, environment, function; // empty = any; function without case, "." = "__"
    bool failures;
    int64_t after, before; // sequence numbers: only newer ones than `after`, only older ones than `before`; 0 = any
    int limit;
};
// Calls `row` on the calling fiber, oldest first, with each matching entry and its sequence number: `after` 0 gives the newest `limit` of
// them (before `before`), else the first `limit` behind it. ret_last, which may be NULL: `after` of a query that goes on from here, also
// where nothing matched. Flushes the queue first. Gives way.
bool runlog_read(struct runlog *log, const struct runlog_query *query, void (*row)(void *arg, int64_t sequence, const struct runlog_entry *entry),
                 void *arg, int64_t *ret_last, struct fail *fail);
int64_t runlog_dropped(const struct runlog *log);
// Waiting for the next entry, on a fiber: begin, read what is there, wait (FAIL_TIMEOUT), read again, end. One waiter is woken once. NULL: there
// are RUNLOG_WAITERS_MAX already, or the process stops.
enum { RUNLOG_WAITERS_MAX = 128 };
struct runlog_waiter;
struct runlog_waiter *runlog_wait_begin(struct runlog *log);
bool runlog_wait(struct runlog_waiter *waiter, int64_t timeout_ms, struct fail *fail);
void runlog_wait_end(struct runlog *log, struct runlog_waiter *waiter);
void runlog_wait_stop(struct runlog *log); // wakes all, and from now on nobody waits
