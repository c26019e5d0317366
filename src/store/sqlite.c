// SPDX-License-Identifier: Apache-2.0
//
// The SQLite engine: connections and transactions. With sqlite_tx.c (statements and rows) it is all that sees sqlite3.h.
//
// A connection is used by one thread at a time, so SQLite's own mutexes are off. Writers and readers open the same file in WAL mode; a
// reader never waits for a writer. The log is copied into the file (checkpoint) by tidy, which the writer's thread calls after it has woken
// the fibers, never inside a COMMIT that somebody waits for. A long read gives way to other fibers in the progress handler: SQLite allows
// it because a reader connection belongs to one fiber from the first statement to the last.
#include "store/sqlite_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "loop/loop.h"

enum {
    BUSY_TIMEOUT_MS = 5000, // another program (a sqlite3 shell) holds the write lock
    READER_BUSY_TIMEOUT_MS = 50, // a reader waits only for another program's recovery or checkpoint, on a loop's thread
    PROGRESS_STEPS = 4000, // virtual machine steps between give-ways: 100–200 µs
    CHECKPOINT_PAGES = 1000, // 4 MB of log
    CHECKPOINT_FORCED_PAGES = 16000, // 64 MB: readers have kept the log from starting anew; wait for them
    VALUE_BYTES_MAX = 64 * 1024 * 1024,
    SQL_BYTES_MAX = 1024 * 1024,
    EXPRESSION_DEPTH_MAX = 250, // measured: 22 kB of stack when a fiber prepares such a statement again
    COMPOUND_MAX = 50,
    PARAMETERS_MAX = 4000,
    FILE_MODE = 0600,
};

// ---- errors -------------------------------------------------------------------------------------

bool sqlite_fail(struct sqlite_tx *tx, int code, struct fail *fail)
{
    const char *text = tx->db ? sqlite3_errmsg(tx->db) : sqlite3_errstr(code);
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return fail_set(fail, FAIL_MEMORY, NULL);
    case SQLITE_INTERRUPT:
        return fail_set(fail, FAIL_CANCELLED, NULL);
    case SQLITE_CONSTRAINT:
        if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_ROWID) {
            return fail_set(fail, FAIL_DUPLICATE_DATA, "%s", text);
        }
        break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_FULL: {
        int reason = tx->db ? sqlite3_system_errno(tx->db) : 0;
        if (reason) {
            return fail_set(fail, FAIL_STORE, "%s: %s (%s)", tx->path, text, strerror(reason));
        }
        break;
    }
    default:
        break;
    }
    return fail_set(fail, FAIL_STORE, "%s: %s", tx->path, text);
}

// ---- give way -----------------------------------------------------------------------------------

// Nonzero ends the statement with SQLITE_INTERRUPT. Off the fibers (a statement that is prepared, a helper thread) there is nobody to give
// way to.
static int give_way(void *arg)
{
    struct sqlite_tx *tx = arg;
    if (!loop_fiber()) {
        return 0;
    }
    struct fail ignored = {0};
    tx_gave_way(&tx->base);
    return loop_cancelled() || !loop_yield(&ignored);
}

struct prepare_call {
    struct sqlite_tx *tx;
    const char *sql;
    sqlite3_stmt **stmt;
    const char **tail;
    int code;
};

static void prepare_here(void *arg)
{
    struct prepare_call *call = arg;
    call->code = sqlite3_prepare_v3(call->tx->db, call->sql, -1, SQLITE_PREPARE_PERSISTENT, call->stmt, call->tail);
}

int sqlite_prepare(struct sqlite_tx *tx, const char *sql, sqlite3_stmt **ret_stmt, const char **ret_tail)
{
    struct prepare_call call = {.tx = tx, .sql = sql, .stmt = ret_stmt, .tail = ret_tail};
    loop_on_thread_stack(prepare_here, &call);
    return call.code;
}

// ---- open and close -----------------------------------------------------------------------------

static void start_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_initialize();
}

// SQLite would make the file by the umask; ours is for the owner alone. The log and its index take the file's mode.
static bool make_file(const struct engine_place *place, struct fail *fail)
{
    int fd = open(place->path, O_RDWR | O_CLOEXEC | (place->make ? O_CREAT : 0), FILE_MODE);
    if (fd >= 0) {
        close(fd);
        return true;
    }
    if (errno == ENOENT && !place->make) {
        return fail_set(fail, FAIL_NOT_FOUND, "there is no data base %s", place->path);
    }
    return fail_set(fail, FAIL_IO, "%s: %s", place->path, strerror(errno));
}

// Our own SQL needs little. A file from elsewhere may hold views and triggers made to do harm: they get no functions with side effects
// (trusted_schema) and cannot rewrite the schema (defensive). Double quotes mean names only: a misspelt column must not become a text.
static void set_limits(sqlite3 *db)
{
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES_MAX);
    sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, EXPRESSION_DEPTH_MAX);
    sqlite3_limit(db, SQLITE_LIMIT_COMPOUND_SELECT, COMPOUND_MAX);
    sqlite3_limit(db, SQLITE_LIMIT_VARIABLE_NUMBER, PARAMETERS_MAX);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
}

// Called by each COMMIT; having a hook of our own also turns off the checkpoint that SQLite would do inside a COMMIT.
static int note_log_pages(void *arg, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    struct sqlite_tx *tx = arg;
    tx->wal_pages = pages;
    return SQLITE_OK;
}

// Small caches: the kernel has the pages too, and there may be hundreds of connections. A reader's last statement makes it read the schema
// now, on the helper thread that opens it.
static bool run_pragmas(struct sqlite_tx *tx, const struct engine_place *place, struct fail *fail)
{
    const char *sql = "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-500; SELECT 1 FROM sqlite_schema";
    if (!place->path) {
        sql = "PRAGMA temp_store=MEMORY";
    } else if (tx->opened_as == ENGINE_WRITER) {
        sql = "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-1000; PRAGMA synchronous=NORMAL; PRAGMA journal_mode=WAL";
    }
    int code = sqlite3_exec(tx->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK || sqlite_fail(tx, code, fail);
}

static bool make_durable(struct tx *base, struct fail *fail)
{
    struct sqlite_tx *tx = (struct sqlite_tx *)base;
    int code = sqlite3_exec(tx->db, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
    return code == SQLITE_OK || sqlite_fail(tx, code, fail);
}

// A copy of its own, which grows as it needs to.
static bool read_image(struct sqlite_tx *tx, struct view image, struct fail *fail)
{
    unsigned char *bytes = sqlite3_malloc64(image.len);
    if (!bytes) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    memcpy(bytes, image.data, image.len);
    int code = sqlite3_deserialize(tx->db, "main", bytes, (sqlite3_int64)image.len, (sqlite3_int64)image.len,
                                   SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE); // frees the bytes when it fails, too
    return code == SQLITE_OK || sqlite_fail(tx, code, fail);
}

static bool write_image(struct tx *base, struct buffer *out, struct fail *fail)
{
    struct sqlite_tx *tx = (struct sqlite_tx *)base;
    sqlite3_int64 size = 0;
    unsigned char *bytes = sqlite3_serialize(tx->db, "main", &size, 0);
    if (bytes) {
        buffer_add(out, (struct view){(const char *)bytes, (size_t)size});
    }
    sqlite3_free(bytes);
    return (bytes && !out->failed) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool connect_file(struct sqlite_tx *tx, const struct engine_place *place, struct fail *fail)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    flags |= tx->opened_as == ENGINE_READER ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    flags |= place->path ? 0 : SQLITE_OPEN_MEMORY | SQLITE_OPEN_CREATE;
    int code = sqlite3_open_v2(place->path ? place->path : ":memory:", &tx->db, flags, NULL);
    if (code != SQLITE_OK) {
        return sqlite_fail(tx, code, fail);
    }
    sqlite3_busy_timeout(tx->db, tx->opened_as == ENGINE_READER ? READER_BUSY_TIMEOUT_MS : BUSY_TIMEOUT_MS);
    set_limits(tx->db);
    if (tx->opened_as == ENGINE_READER) {
        sqlite3_progress_handler(tx->db, PROGRESS_STEPS, give_way, tx);
    } else {
        sqlite3_wal_hook(tx->db, note_log_pages, tx);
    }
    return (!place->image.len || read_image(tx, place->image, fail)) && run_pragmas(tx, place, fail);
}

// Also of a connection that could only half be opened.
static void close_connection(struct tx *base)
{
    struct sqlite_tx *tx = (struct sqlite_tx *)base;
    sqlite_finish(base);
    sqlite_cache_drop(tx);
    for (int i = 0; i < CONTROLS; i++) {
        sqlite3_finalize(tx->control[i]);
    }
    int code = sqlite3_close(tx->db); // the last connection of a file moves the log into it and removes the log
    assert(code == SQLITE_OK);
    (void)code;
    free(tx->path);
    free(tx);
}

static bool open_connection(const struct engine_place *place, enum engine_role role, struct tx **ret_tx, struct fail *fail)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_library);
    if (place->path && role == ENGINE_WRITER && !make_file(place, fail)) {
        return false;
    }
    struct sqlite_tx *tx = calloc(1, sizeof *tx);
    char *path = strdup(place->path ? place->path : "(memory)");
    if (!tx || !path) {
        free(tx);
        free(path);
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    tx->base = (struct tx){.engine = &engine_sqlite, .role = role};
    tx->path = path;
    tx->opened_as = role;
    if (!connect_file(tx, place, fail)) {
        close_connection(&tx->base);
        return false;
    }
    *ret_tx = &tx->base;
    return true;
}

// ---- transactions -------------------------------------------------------------------------------

// These statements run around every closure: each is prepared once.
static bool run_control(struct tx *base, enum sqlite_control control, struct fail *fail)
{
    static const char *const texts[CONTROLS] = {"BEGIN IMMEDIATE", "COMMIT", "SAVEPOINT s", "RELEASE s", "ROLLBACK TO s"};
    struct sqlite_tx *tx = (struct sqlite_tx *)base;
    if (!tx->control[control]) {
        const char *text = control == CONTROL_BEGIN && tx->opened_as == ENGINE_READER ? "BEGIN" : texts[control];
        int code = sqlite_prepare(tx, text, &tx->control[control], NULL);
        if (code != SQLITE_OK) {
            return sqlite_fail(tx, code, fail);
        }
    }
    sqlite3_step(tx->control[control]);
    int code = sqlite3_reset(tx->control[control]);
    return code == SQLITE_OK || sqlite_fail(tx, code, fail);
}

static bool begin_transaction(struct tx *tx, struct fail *fail)
{
    return run_control(tx, CONTROL_BEGIN, fail);
}

static bool commit_transaction(struct tx *tx, struct fail *fail)
{
    return run_control(tx, CONTROL_COMMIT, fail);
}

static void rollback_transaction(struct tx *base)
{
    struct sqlite_tx *tx = (struct sqlite_tx *)base;
    if (!sqlite3_get_autocommit(tx->db)) {
        sqlite3_exec(tx->db, "ROLLBACK", NULL, NULL, NULL); // an error that makes it fail has rolled back already
    }
}

static bool transaction_alive(const struct tx *base)
{
    const struct sqlite_tx *tx = (const struct sqlite_tx *)base;
    return !sqlite3_get_autocommit(tx->db);
}

static bool set_mark(struct tx *tx, struct fail *fail)
{
    return run_control(tx, CONTROL_MARK, fail);
}

static bool keep_mark(struct tx *tx, struct fail *fail)
{
    return run_control(tx, CONTROL_KEEP, fail);
}

// ROLLBACK TO leaves the savepoint in place.
static bool undo_mark(struct tx *tx, struct fail *fail)
{
    return run_control(tx, CONTROL_UNDO, fail) && run_control(tx, CONTROL_KEEP, fail);
}

static bool constraints_settled(struct tx *base, struct fail *fail)
{
    struct sqlite_tx *tx = (struct sqlite_tx *)base;
    int broken = 0, unused = 0;
    sqlite3_db_status(tx->db, SQLITE_DBSTATUS_DEFERRED_FKS, &broken, &unused, 0);
    return !broken || fail_set(fail, FAIL_STORE, "FOREIGN KEY constraint failed");
}

// A passive checkpoint copies what no reader still needs and waits for nobody; the log starts anew once it was copied whole.
static void tidy_log(struct tx *base)
{
    struct sqlite_tx *tx = (struct sqlite_tx *)base;
    if (tx->wal_pages < CHECKPOINT_PAGES) {
        return;
    }
    int mode = tx->wal_pages < CHECKPOINT_FORCED_PAGES ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART;
    int code = sqlite3_wal_checkpoint_v2(tx->db, NULL, mode, NULL, NULL);
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) {
        log_line(LOG_WARN, "store.checkpoint", "file=%s pages=%d error=%s", tx->path, tx->wal_pages, sqlite3_errmsg(tx->db));
    }
    tx->wal_pages = 0; // the next COMMIT tells anew
}

static bool run_script(struct tx *base, const char *sql, struct fail *fail)
{
    struct sqlite_tx *tx = (struct sqlite_tx *)base;
    int code = sqlite3_exec(tx->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK || sqlite_fail(tx, code, fail);
}

static bool holds_nothing(struct tx *base)
{
    struct sqlite_tx *tx = (struct sqlite_tx *)base;
    sqlite3_stmt *stmt = NULL;
    bool nothing = sqlite_prepare(tx, "SELECT 1 FROM sqlite_schema", &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_DONE;
    sqlite3_finalize(stmt);
    return nothing;
}

const struct store_engine engine_sqlite = {
    .open = open_connection,
    .close = close_connection,
    .durable = make_durable,
    .begin = begin_transaction,
    .commit = commit_transaction,
    .rollback = rollback_transaction,
    .alive = transaction_alive,
    .mark = set_mark,
    .mark_keep = keep_mark,
    .mark_undo = undo_mark,
    .settled = constraints_settled,
    .finish = sqlite_finish,
    .image = write_image,
    .tidy = tidy_log,
    .empty = holds_nothing,
    .script = run_script,
    .exec = sqlite_exec,
    .changes = sqlite_changes,
    .query = sqlite_query,
    .next = sqlite_next,
    .columns = sqlite_columns,
    .column_name = sqlite_column_name,
    .type = sqlite_type,
    .get_int = sqlite_get_int,
    .get_real = sqlite_get_real,
    .get_text = sqlite_get_text,
    .close_rows = sqlite_close_rows,
};
