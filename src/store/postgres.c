// SPDX-License-Identifier: Apache-2.0
//
// The PostgreSQL engine: connections and transactions. With postgres_tx.c (statements and rows) it is all that sees libpq-fe.h.
//
// Connections are in libpq's pipeline mode: what need not wait for an answer of its own goes to the server together, in a "round". A
// transaction's BEGIN travels with its first statement (a reader's) or with the question for the environment's version and an id (a
// writer's); the end of a reader's and every ROLLBACK are sent and their answers read before the next round's. So a point read costs one
// round, a write its statements and two.
//
// Writers are SERIALIZABLE: closures look before they write (is the value unique, does the record exist) and rely on being alone, as they
// are on SQLite. The server ends one of two that would not have been, and shared.c runs it again. Readers have one snapshot. After an error
// the server takes nothing more but ROLLBACK, so every later call of the closure gets the same failure.
//
// Waiting gives way on a fiber. A fiber that is cancelled in the middle of a round leaves the connection unusable: it is closed, and the
// server rolls back.
#include "store/postgres_inside.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "loop/loop.h"

enum { SERVER_VERSION_MIN = 140000, FLUSH_WAIT_MS = 20, VERSION_TEXT_MAX = 24 };

// Every name that a statement does not qualify must not be found. A server that has lost us stops what it was doing.
static const char session_settings[] =
    "SET search_path = ''; SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET bytea_output = 'hex'; SET DateStyle = "
    "'ISO';"
    " SET extra_float_digits = 1; SET jit = off; SET client_connection_check_interval = 2000; SET idle_in_transaction_session_timeout = 0;"
    " SET client_min_messages = 'error'";

// ---- errors -------------------------------------------------------------------------------------

bool postgres_lose(struct postgres_tx *tx, struct fail *fail)
{
    tx->lost = true;
    if (fail->code != FAIL_CANCELLED) {
        fail_set(fail, FAIL_UNAVAILABLE, "the connection to the data base was lost");
    }
    tx->broken = *fail;
    return false;
}

static bool is_state(const char *state, const char *wanted)
{
    return state && strcmp(state, wanted) == 0;
}

// As sqlite.c maps SQLite's.
static void tell_error(struct postgres_tx *tx, const PGresult *result, struct fail *fail)
{
    const char *state = pq.PQresultErrorField(result, PG_DIAG_SQLSTATE), *text = pq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (pq.PQstatus(tx->conn) == CONNECTION_BAD || !state) {
        postgres_lose(tx, fail);
        return;
    }
    enum fail_code code = FAIL_STORE;
    if (is_state(state, "23505")) {
        code = FAIL_DUPLICATE_DATA;
    } else if (is_state(state, "40001") || is_state(state, "40P01")) {
        tx->conflict = true;
    } else if (is_state(state, "0A000") && strstr(text, "cached plan")) {
        code = FAIL_STALE; // a table changed under a prepared statement
        tx->conflict = true;
        postgres_cache_drop(tx);
    } else if (is_state(state, "22021") || is_state(state, "22P05")) {
        code = FAIL_INVALID_DATA;
    } else if (is_state(state, "25006")) {
        text = "a reader may not change data";
    } else if (is_state(state, "57014")) {
        code = FAIL_CANCELLED;
    } else if (strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0 || strncmp(state, "53", 2) == 0) {
        code = FAIL_UNAVAILABLE;
    }
    fail_set(fail, code, "PostgreSQL: %s (%s)", text ? text : "", state);
}

// ---- waiting ------------------------------------------------------------------------------------

static void set_event(void *arg, int events, bool error)
{
    (void)events, (void)error; // reading or writing tells what is wrong
    loop_event_set(arg);
}

// Also on a cancelled fiber: what has become of a COMMIT must be known.
static bool wait_surely(struct postgres_tx *tx, bool write, struct fail *fail)
{
    struct loop_event event;
    loop_event_init(&event);
    struct loop_poll *poll = loop_poll_new(tx->fd, set_event, &event);
    if (!poll) {
        return postgres_lose(tx, fail);
    }
    loop_poll_set(poll, write ? LOOP_READABLE | LOOP_WRITABLE : LOOP_READABLE);
    loop_event_wait_surely(&event);
    loop_poll_free(poll);
    return true;
}

// For the socket: to be read, or to take more. False when the fiber was cancelled, or the descriptor is no good.
static bool wait_socket(struct postgres_tx *tx, bool write, struct fail *fail)
{
    struct fail why = {0};
    if (loop_fiber() && tx->committing) {
        return wait_surely(tx, write, fail);
    }
    if (loop_fiber()) {
        if (loop_wait_fd(tx->fd, write, write ? FLUSH_WAIT_MS : -1, &why) || why.code == FAIL_TIMEOUT) {
            return true;
        }
        *fail = why;
        return postgres_lose(tx, fail);
    }
    struct pollfd one = {.fd = tx->fd, .events = write ? POLLOUT | POLLIN : POLLIN};
    while (poll(&one, 1, -1) < 0) {
        if (errno != EINTR) {
            return postgres_lose(tx, fail);
        }
    }
    return true;
}

// The server may be waiting for us to read before it reads on.
static bool flush(struct postgres_tx *tx, struct fail *fail)
{
    for (;;) {
        int left = pq.PQflush(tx->conn);
        if (left == 0) {
            return true;
        }
        if (left < 0 || !wait_socket(tx, true, fail) || !pq.PQconsumeInput(tx->conn)) {
            return postgres_lose(tx, fail);
        }
    }
}

// NULL stands between the answers of two commands; tx->lost when there is no next one.
static PGresult *next_result(struct postgres_tx *tx, struct fail *fail)
{
    while (pq.PQisBusy(tx->conn)) {
        if (!wait_socket(tx, false, fail)) {
            return NULL;
        }
        if (!pq.PQconsumeInput(tx->conn)) {
            postgres_lose(tx, fail);
            return NULL;
        }
    }
    return pq.PQgetResult(tx->conn);
}

// ---- rounds -------------------------------------------------------------------------------------

bool postgres_sent(struct postgres_tx *tx, enum postgres_sent kind, int done, struct fail *fail)
{
    assert(tx->sent_count < POSTGRES_SENT_MAX);
    tx->sent[tx->sent_count++] = kind;
    return done == 1 || postgres_lose(tx, fail);
}

static bool send_text(struct postgres_tx *tx, enum postgres_sent kind, const char *sql, struct fail *fail)
{
    return postgres_sent(tx, kind, pq.PQsendQueryParams(tx->conn, sql, 0, NULL, NULL, NULL, NULL, 0), fail);
}

// The answers of rounds that nobody has waited for. An error among them is no one's: it was a ROLLBACK's or a reader's COMMIT.
static bool read_owed(struct postgres_tx *tx, struct fail *fail)
{
    while (tx->owed) {
        PGresult *result = next_result(tx, fail);
        if (tx->lost) {
            return false;
        }
        if (!result) {
            if (pq.PQstatus(tx->conn) == CONNECTION_BAD) {
                return postgres_lose(tx, fail);
            }
            continue;
        }
        tx->owed -= pq.PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        pq.PQclear(result);
    }
    return true;
}

// The environment's version, and a writer's first id.
static void read_state(struct postgres_tx *tx, const PGresult *result)
{
    int64_t number;
    if (pq.PQntuples(result) == 1 && view_to_int64(view_of(pq.PQgetvalue(result, 0, 0)), &number)) {
        tx_raise_version(&tx->base, number);
    }
    if (pq.PQntuples(result) == 1 && pq.PQnfields(result) > 1 && view_to_int64(view_of(pq.PQgetvalue(result, 0, 1)), &number)) {
        tx->ids[0] = number;
        tx->id_at = 0;
        tx->id_count = 1;
    }
}

// One command's answer. What follows an error in the same round was not run, which the error itself tells.
static void take_answer(struct postgres_tx *tx, enum postgres_sent kind, PGresult *result, PGresult **ret_main, struct fail *first)
{
    ExecStatusType status = pq.PQresultStatus(result);
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
        if (first->code == FAIL_NONE) {
            tell_error(tx, result, first);
        }
    } else if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        if (kind == SENT_STATE) {
            read_state(tx, result);
        } else if (kind == SENT_MAIN && ret_main && !*ret_main) {
            *ret_main = result;
            return;
        }
    }
    pq.PQclear(result);
}

static bool read_answers(struct postgres_tx *tx, PGresult **ret_main, struct fail *first)
{
    for (int at = 0;;) {
        PGresult *result = next_result(tx, first);
        if (tx->lost) {
            return false;
        }
        if (!result) { // the end of one command's answers
            at++;
            if (pq.PQstatus(tx->conn) == CONNECTION_BAD || at > tx->sent_count) {
                return postgres_lose(tx, first);
            }
        } else if (pq.PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            pq.PQclear(result);
            return true;
        } else {
            take_answer(tx, at < tx->sent_count ? tx->sent[at] : SENT_CONTROL, result, ret_main, first);
        }
    }
}

bool postgres_round(struct postgres_tx *tx, PGresult **ret_main, struct fail *fail)
{
    PGresult *main = NULL;
    struct fail first = {0};
    bool ok = !tx->lost && (pq.PQpipelineSync(tx->conn) == 1 || postgres_lose(tx, &first));
    ok = ok && flush(tx, &first) && read_owed(tx, &first) && read_answers(tx, ret_main ? &main : NULL, &first);
    tx->sent_count = 0;
    if (tx->lost && first.code == FAIL_NONE) {
        postgres_lose(tx, &first);
    }
    postgres_settle(tx, ok && first.code == FAIL_NONE);
    if (!ok || first.code != FAIL_NONE) {
        pq.PQclear(main);
        tx->broken = *fail = first;
        return false;
    }
    if (ret_main) {
        *ret_main = main;
    }
    return true;
}

// Sends what was gathered; the answers are read before the next round's.
static void leave_round(struct postgres_tx *tx)
{
    struct fail ignored = {0};
    tx->sent_count = 0;
    if (!tx->lost && (pq.PQpipelineSync(tx->conn) != 1 || !flush(tx, &ignored))) {
        postgres_lose(tx, &ignored);
    }
    tx->owed++;
}

// ---- open and close -----------------------------------------------------------------------------

static void ignore_notice(void *arg, const char *message)
{
    (void)arg, (void)message;
}

static void close_connection(struct tx *base)
{
    struct postgres_tx *tx = (struct postgres_tx *)base;
    postgres_finish(base);
    postgres_settle(tx, false);
    postgres_cache_drop(tx);
    pq.PQfinish(tx->conn);
    free(tx->scratch);
    free(tx->values);
    free(tx->lengths);
    free(tx->formats);
    free(tx);
}

// The server's own words, on one line and without what libpq puts around them.
static bool refuse_connection(const PGconn *conn, struct fail *fail)
{
    char text[FAIL_TEXT_MAX / 2];
    snprintf(text, sizeof text, "%s", pq.PQerrorMessage(conn));
    for (char *c = text; *c; c++) {
        *c = *c == '\n' ? ' ' : *c;
    }
    return fail_set(fail, FAIL_UNAVAILABLE, "PostgreSQL cannot be reached: %.*s", VIEW_ARGS(view_trim(view_of(text))));
}

static bool check_server(PGconn *conn, struct fail *fail)
{
    const char *encoding = pq.PQparameterStatus(conn, "server_encoding");
    if (pq.PQserverVersion(conn) < SERVER_VERSION_MIN) {
        return fail_set(fail, FAIL_UNAVAILABLE, "PostgreSQL %d is too old: 14 is needed", pq.PQserverVersion(conn) / 10000);
    }
    if (!encoding || strcmp(encoding, "UTF8") != 0) {
        return fail_set(fail, FAIL_UNAVAILABLE, "the data base must have the encoding UTF8, not %s",
                        encoding ? encoding : "an unknown one");
    }
    return true;
}

static bool set_session(PGconn *conn, bool relaxed, struct fail *fail)
{
    const char *const texts[] = {session_settings, relaxed ? "SET synchronous_commit = off" : "SET synchronous_commit = on"};
    bool ok = true;
    for (size_t i = 0; ok && i < BASE_COUNT(texts); i++) {
        PGresult *result = pq.PQexec(conn, texts[i]);
        ok = pq.PQresultStatus(result) == PGRES_COMMAND_OK;
        pq.PQclear(result);
    }
    return ok || refuse_connection(conn, fail);
}

// A server that has gone without a word is noticed; what the URL says of these wins.
static PGconn *connect_to(const char *url)
{
    static const char *const names[] = {"fallback_application_name", "connect_timeout",  "keepalives_idle", "keepalives_interval",
                                        "keepalives_count",          "tcp_user_timeout", "dbname",          NULL};
    const char *const values[] = {"sluice", "10", "30", "10", "3", "60000", url, NULL};
    return pq.PQconnectdbParams(names, values, 1);
}

// On a helper thread: the name of the host is looked up, and the answers are waited for.
static bool open_connection(const struct engine_place *place, enum engine_role role, struct tx **ret_tx, struct fail *fail)
{
    if (!postgres_library_open(fail)) {
        return false;
    }
    struct postgres_tx *tx = calloc(1, sizeof *tx);
    PGconn *conn = tx ? connect_to(place->url) : NULL;
    if (!conn) {
        free(tx);
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    tx->base = (struct tx){.engine = &engine_postgres, .role = role};
    tx->conn = conn;
    pq.PQsetNoticeProcessor(conn, ignore_notice, NULL);
    bool ok = pq.PQstatus(conn) == CONNECTION_OK ? check_server(conn, fail) : refuse_connection(conn, fail);
    ok = ok && set_session(conn, place->relaxed, fail);
    if (ok && (pq.PQsetnonblocking(conn, 1) != 0 || pq.PQenterPipelineMode(conn) != 1)) {
        ok = refuse_connection(conn, fail);
    }
    if (!ok) {
        close_connection(&tx->base);
        return false;
    }
    tx->fd = pq.PQsocket(conn);
    *ret_tx = &tx->base;
    return true;
}

// A server that went away has closed its side, which only reading tells.
static bool is_usable(struct tx *base)
{
    struct postgres_tx *tx = (struct postgres_tx *)base;
    if (!tx->lost && (!pq.PQconsumeInput(tx->conn) || pq.PQstatus(tx->conn) != CONNECTION_OK)) {
        tx->lost = true;
    }
    return !tx->lost;
}

static bool make_durable(struct tx *tx, struct fail *fail)
{
    (void)tx, (void)fail;
    return true; // from the start
}

// ---- transactions -------------------------------------------------------------------------------

// What the cache has let go of: outside of any transaction, in a round of its own.
static bool forget_statements(struct postgres_tx *tx, struct fail *fail)
{
    char sql[40];
    for (int i = 0; i < tx->dropped_count; i++) {
        snprintf(sql, sizeof sql, "DEALLOCATE s%u", tx->dropped[i]);
        if (!send_text(tx, SENT_CONTROL, sql, fail)) {
            return false;
        }
        leave_round(tx);
    }
    tx->dropped_count = 0;
    return !tx->lost || postgres_lose(tx, fail);
}

// Sequential scans would lock whole tables against other writers as long as the tables are small.
static bool ask_state(struct postgres_tx *tx, struct fail *fail)
{
    char sql[POSTGRES_CALL_MAX];
    const char *schema = tx->base.schema;
    if (tx->base.role == ENGINE_WRITER) {
        snprintf(
            sql, sizeof sql,
            "SELECT version, nextval('\"%s\".store_ids'), set_config('enable_seqscan', 'off', true) FROM \"%s\".store_state WHERE id = 1",
            schema, schema);
    } else {
        snprintf(sql, sizeof sql, "SELECT version FROM \"%s\".store_state WHERE id = 1", schema);
    }
    return postgres_send_own(tx, SENT_STATE, sql, fail);
}

bool postgres_start(struct postgres_tx *tx, struct fail *fail)
{
    bool writer = tx->base.role == ENGINE_WRITER;
    const char *begin = writer ? "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    if (tx->open) {
        return true;
    }
    if (!forget_statements(tx, fail) || !send_text(tx, SENT_CONTROL, tx->base.bare ? "BEGIN" : begin, fail)) {
        return false;
    }
    tx->open = true;
    return tx->base.bare || ask_state(tx, fail);
}

// A closure that writes compares the version before its first statement, so a writer waits for it here.
static bool begin_transaction(struct tx *base, struct fail *fail)
{
    struct postgres_tx *tx = (struct postgres_tx *)base;
    tx->conflict = false;
    tx->open = false;
    tx->id_at = tx->id_count = 0;
    fail_clear(&tx->broken);
    if (tx->lost) {
        return postgres_lose(tx, fail);
    }
    return base->role == ENGINE_READER || base->bare || (postgres_start(tx, fail) && postgres_round(tx, NULL, fail));
}

// COMMIT after an error that the closure has kept to itself rolls back, and says so in its answer only.
static bool commit_writer(struct postgres_tx *tx, struct fail *fail)
{
    PGresult *result = NULL;
    tx->committing = true;
    bool told = send_text(tx, SENT_MAIN, "COMMIT", fail) && postgres_round(tx, &result, fail);
    tx->committing = false;
    if (!told) {
        if (tx->lost && fail->code == FAIL_UNAVAILABLE) {
            fail_set(fail, FAIL_UNAVAILABLE,
                     "the connection to the data base was lost while a change was being kept: it may be there or not");
        }
        tx->open = false;
        return false;
    }
    bool kept = result && strcmp(pq.PQcmdStatus(result), "COMMIT") == 0;
    pq.PQclear(result);
    tx->open = false;
    return kept || fail_set(fail, FAIL_STORE, "the transaction was lost");
}

static bool commit_transaction(struct tx *base, struct fail *fail)
{
    struct postgres_tx *tx = (struct postgres_tx *)base;
    if (tx->broken.code != FAIL_NONE) {
        *fail = tx->broken;
        return false;
    }
    if (!tx->open) {
        return true; // nothing was asked
    }
    if (base->role == ENGINE_WRITER) {
        return commit_writer(tx, fail);
    }
    tx->open = false;
    if (send_text(tx, SENT_CONTROL, "COMMIT", fail)) {
        leave_round(tx);
    }
    return true;
}

static void rollback_transaction(struct tx *base)
{
    struct postgres_tx *tx = (struct postgres_tx *)base;
    struct fail ignored = {0};
    if (tx->open && !tx->lost && send_text(tx, SENT_CONTROL, "ROLLBACK", &ignored)) {
        leave_round(tx);
    }
    tx->open = false;
}

static bool transaction_alive(const struct tx *base)
{
    const struct postgres_tx *tx = (const struct postgres_tx *)base;
    return !tx->lost;
}

static bool may_run_again(const struct tx *base)
{
    const struct postgres_tx *tx = (const struct postgres_tx *)base;
    return tx->conflict && !tx->lost;
}

static bool run_control(struct tx *base, const char *sql, struct fail *fail)
{
    struct postgres_tx *tx = (struct postgres_tx *)base;
    return postgres_start(tx, fail) && send_text(tx, SENT_CONTROL, sql, fail) && postgres_round(tx, NULL, fail);
}

static bool set_mark(struct tx *tx, struct fail *fail)
{
    return run_control(tx, "SAVEPOINT s", fail);
}

static bool keep_mark(struct tx *base, struct fail *fail)
{
    const struct postgres_tx *tx = (const struct postgres_tx *)base;
    if (tx->broken.code != FAIL_NONE) {
        *fail = tx->broken;
        return false;
    }
    return run_control(base, "RELEASE s", fail);
}

// ROLLBACK TO leaves the savepoint in place. A conflict is not forgotten: it is the whole transaction's.
static bool undo_mark(struct tx *base, struct fail *fail)
{
    struct postgres_tx *tx = (struct postgres_tx *)base;
    if (tx->conflict) {
        return false;
    }
    fail_clear(&tx->broken);
    return run_control(base, "ROLLBACK TO s", fail) && run_control(base, "RELEASE s", fail);
}

// A transaction has one closure: its COMMIT tells in time.
static bool constraints_settled(struct tx *tx, struct fail *fail)
{
    (void)tx, (void)fail;
    return true;
}

static void tidy(struct tx *tx)
{
    (void)tx; // the server's own work
}

// ---- outside of closures ------------------------------------------------------------------------

// A question in a round of its own. *ret_answer: is the first column of the first row true, or a number that is not 0?
static bool ask(struct postgres_tx *tx, const char *sql, bool *ret_answer, struct fail *fail)
{
    PGresult *result = NULL;
    if (!send_text(tx, SENT_MAIN, sql, fail) || !postgres_round(tx, &result, fail)) {
        fail_clear(&tx->broken);
        return false;
    }
    if (ret_answer) {
        bool row = pq.PQntuples(result) > 0 && !pq.PQgetisnull(result, 0, 0);
        const char *text = row ? pq.PQgetvalue(result, 0, 0) : "";
        *ret_answer = row && strcmp(text, "f") != 0 && strcmp(text, "0") != 0;
    }
    pq.PQclear(result);
    return true;
}

static bool refresh_version(struct tx *base, struct fail *fail)
{
    struct postgres_tx *tx = (struct postgres_tx *)base;
    return ask_state(tx, fail) && postgres_round(tx, NULL, fail);
}

static bool run_script(struct tx *base, const char *sql, struct fail *fail)
{
    struct view rest = view_of(sql);
    for (struct view one = dialect_statement(&rest); one.len; one = dialect_statement(&rest)) {
        char *text = strndup(one.data, one.len);
        bool ok = text ? postgres_exec(base, text, NULL, 0, fail) : fail_set(fail, FAIL_MEMORY, NULL);
        free(text);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool holds_nothing(struct tx *base)
{
    char sql[POSTGRES_CALL_MAX];
    struct fail ignored = {0};
    bool any = true;
    snprintf(sql, sizeof sql,
             "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname "
             "= '%s')",
             base->schema);
    return ask((struct postgres_tx *)base, sql, &any, &ignored) && !any;
}

// The schema's name has no quotes in it (folder_name_check).
static bool claim_schema(struct tx *base, bool make, struct fail *fail)
{
    struct postgres_tx *tx = (struct postgres_tx *)base;
    char sql[POSTGRES_CALL_MAX];
    bool there = false;
    snprintf(sql, sizeof sql, "SELECT pg_advisory_lock(hashtextextended('sluice %s', 0))", base->schema);
    if (!ask(tx, sql, NULL, fail)) {
        return false;
    }
    snprintf(sql, sizeof sql, "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = '%s')", base->schema);
    bool ok = ask(tx, sql, &there, fail);
    if (ok && !there && make) {
        snprintf(sql, sizeof sql, "CREATE SCHEMA \"%s\"", base->schema);
        ok = ask(tx, sql, NULL, fail);
    } else if (ok && !there) {
        ok = fail_set(fail, FAIL_NOT_FOUND, "there is no environment %s", base->schema);
    }
    if (!ok) {
        base->engine->unclaim(base);
    }
    return ok;
}

static void unclaim_schema(struct tx *base)
{
    char sql[POSTGRES_CALL_MAX];
    struct fail ignored = {0};
    snprintf(sql, sizeof sql, "SELECT pg_advisory_unlock(hashtextextended('sluice %s', 0))", base->schema);
    ask((struct postgres_tx *)base, sql, NULL, &ignored);
}

// Beside the tables that every engine has: what ids are counted with, whose a journal is, and the master key's mark.
static bool make_ids(struct tx *base, int64_t first, struct fail *fail)
{
    static const char own[] = "ALTER TABLE store_journals ADD COLUMN owner INTEGER;"
                              "CREATE TABLE store_pledge (id INTEGER PRIMARY KEY, mac BLOB NOT NULL)";
    char sql[POSTGRES_CALL_MAX];
    snprintf(sql, sizeof sql, "CREATE SEQUENCE \"%s\".store_ids START WITH %lld", base->schema, (long long)first);
    return run_control(base, sql, fail) && run_script(base, own, fail);
}

// Every writer has one id with its first round; who needs more takes many.
static int64_t next_id(struct tx *base, struct fail *fail)
{
    struct postgres_tx *tx = (struct postgres_tx *)base;
    char sql[POSTGRES_CALL_MAX];
    if (tx->broken.code != FAIL_NONE) {
        *fail = tx->broken;
        return 0;
    }
    if (tx->id_at == tx->id_count) {
        PGresult *result = NULL;
        snprintf(sql, sizeof sql, "SELECT nextval('\"%s\".store_ids') FROM generate_series(1, %d)", base->schema, POSTGRES_IDS);
        if (!postgres_start(tx, fail) || !postgres_send_own(tx, SENT_MAIN, sql, fail) || !postgres_round(tx, &result, fail)) {
            return 0;
        }
        tx->id_at = tx->id_count = 0;
        for (int i = 0; i < pq.PQntuples(result) && i < POSTGRES_IDS; i++) {
            tx->id_count += view_to_int64(view_of(pq.PQgetvalue(result, i, 0)), &tx->ids[tx->id_count]);
        }
        pq.PQclear(result);
        if (!tx->id_count) {
            fail_set(fail, FAIL_STORE, "the data base gave no ids");
            return 0;
        }
    }
    return tx->ids[tx->id_at++];
}

static bool own_number(struct tx *base, int64_t owner, bool *ret_owned, struct fail *fail)
{
    char sql[POSTGRES_CALL_MAX];
    snprintf(sql, sizeof sql, "SELECT pg_try_advisory_lock(%lld)", (long long)owner);
    return ask((struct postgres_tx *)base, sql, ret_owned, fail);
}

// The lock goes again with the transaction.
static bool number_owned(struct tx *base, int64_t owner, bool *ret_owned, struct fail *fail)
{
    bool got = false;
    struct postgres_tx *tx = (struct postgres_tx *)base;
    char sql[POSTGRES_CALL_MAX];
    snprintf(sql, sizeof sql, "SELECT pg_try_advisory_xact_lock(%lld)", (long long)owner);
    if (!postgres_start(tx, fail) || !ask(tx, sql, &got, fail)) {
        return false;
    }
    *ret_owned = !got;
    return true;
}

const struct store_engine engine_postgres = {
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
    .finish = postgres_finish,
    .tidy = tidy,
    .empty = holds_nothing,
    .script = run_script,
    .exec = postgres_exec,
    .changes = postgres_changes,
    .query = postgres_query,
    .next = postgres_next,
    .columns = postgres_columns,
    .column_name = postgres_column_name,
    .type = postgres_type,
    .get_int = postgres_get_int,
    .get_real = postgres_get_real,
    .get_text = postgres_get_text,
    .close_rows = postgres_close_rows,
    .usable = is_usable,
    .again = may_run_again,
    .refresh = refresh_version,
    .claim = claim_schema,
    .unclaim = unclaim_schema,
    .make_ids = make_ids,
    .next_id = next_id,
    .own = own_number,
    .owned = number_owned,
};
