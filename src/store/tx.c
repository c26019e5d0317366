// SPDX-License-Identifier: Apache-2.0
//
// What a closure sees: statements, rows, ids, the version of the metadata. Every public tx_ and rows_ call passes here on its way to the
// engine.
//
// A reader opens its snapshot with its first statement, so that all the statements of one store_read see the same data. Ids and the version
// are kept in the table store_state; what a connection remembers of them between statements is taken back when the SQL behind it is rolled
// back (tx_state).
#include "store/inside.h"

// ---- transactions -------------------------------------------------------------------------------

// What an earlier transaction took of ids is still good: its block was committed.
bool tx_begin(struct tx *tx, struct fail *fail)
{
    assert(!tx->begun);
    if (!tx->engine->begin(tx, fail)) {
        return false;
    }
    tx->begun = true;
    tx->state.version = 0;
    tx->state.id_taken = false;
    return true;
}

// On failure the caller rolls back: only then is it known what is left.
bool tx_commit(struct tx *tx, struct fail *fail)
{
    tx->engine->finish(tx);
    if (!tx->engine->commit(tx, fail)) {
        return false;
    }
    tx->begun = false;
    return true;
}

// The block was taken by SQL that is rolled back: the next process or closure would get the same numbers again.
static void drop_ids(struct tx *tx)
{
    if (tx->state.id_taken) {
        tx->state.id_next = tx->state.id_end = 0;
    }
}

void tx_rollback(struct tx *tx)
{
    tx->engine->finish(tx);
    tx->engine->rollback(tx);
    drop_ids(tx);
    tx->begun = false;
    tx->state.version = 0;
}

bool tx_run_nested(struct tx *tx, store_fn *fn, void *arg, struct fail *fail)
{
    struct tx_state before = tx->state;
    if (!tx->engine->mark(tx, fail)) {
        return false;
    }
    tx->state.id_taken = false;
    bool ok = fn(tx, arg, fail);
    if (!ok && fail->code == FAIL_NONE) {
        fail_set(fail, FAIL_INTERNAL, "a closure failed without a reason");
    }
    if (ok && tx->engine->mark_keep(tx, fail)) {
        tx->state.id_taken |= before.id_taken;
        return true;
    }
    struct fail ignored = {0}; // when the mark is gone the transaction is, which the caller sees by itself
    if (tx->engine->alive(tx)) {
        tx->engine->mark_undo(tx, &ignored);
    }
    drop_ids(tx);
    tx->state.version = before.version;
    tx->state.id_taken = before.id_taken;
    return false;
}

struct closure {
    store_fn *fn;
    void *arg;
};

// Queries that the closure has left open end before its savepoint does, and what it broke must be told now, while it can be rolled back
// alone.
static bool run_closure(struct tx *tx, void *arg, struct fail *fail)
{
    const struct closure *closure = arg;
    bool ok = closure->fn(tx, closure->arg, fail);
    tx->engine->finish(tx);
    return ok && tx->engine->settled(tx, fail);
}

bool tx_run(struct tx *tx, store_fn *fn, void *arg, struct fail *fail)
{
    struct closure closure = {.fn = fn, .arg = arg};
    return tx_run_nested(tx, run_closure, &closure, fail);
}

bool tx_is_writer(const struct tx *tx)
{
    return tx->role == ENGINE_WRITER;
}

// A writer is inside its transaction before the closure starts, so this begins only readers' snapshots.
static bool start_snapshot(struct tx *tx, struct fail *fail)
{
    return BASE_LIKELY(tx->begun) || tx_begin(tx, fail);
}

// ---- statements ---------------------------------------------------------------------------------

bool tx_exec(struct tx *tx, const char *sql, const struct store_param *params, int count, struct fail *fail)
{
    return start_snapshot(tx, fail) && tx->engine->exec(tx, sql, params, count, fail);
}

int64_t tx_changes(struct tx *tx)
{
    return tx->engine->changes(tx);
}

bool tx_query(struct tx *tx, const char *sql, const struct store_param *params, int count, struct rows **ret_rows, struct fail *fail)
{
    return start_snapshot(tx, fail) && tx->engine->query(tx, sql, params, count, ret_rows, fail);
}

bool tx_query_int(struct tx *tx, const char *sql, const struct store_param *params, int count, int64_t *ret_number, bool *ret_found,
                  struct fail *fail)
{
    struct rows *rows;
    if (!tx_query(tx, sql, params, count, &rows, fail)) {
        return false;
    }
    bool found = rows_next(rows, fail);
    bool ok = found || fail->code == FAIL_NONE;
    int64_t number = found ? rows_int(rows, 0) : 0;
    // A statement that changes data must run to its end.
    while (found && rows_next(rows, fail)) {
    }
    ok = ok && (!found || fail->code == FAIL_NONE);
    rows_close(rows);
    if (ok) {
        *ret_found = found;
        *ret_number = number;
    }
    return ok;
}

bool rows_next(struct rows *rows, struct fail *fail)
{
    return rows->tx->engine->next(rows, fail);
}

int rows_columns(const struct rows *rows)
{
    return rows->tx->engine->columns(rows);
}

const char *rows_column_name(const struct rows *rows, int column)
{
    return rows->tx->engine->column_name(rows, column);
}

enum store_type rows_type(const struct rows *rows, int column)
{
    return rows->tx->engine->type(rows, column);
}

int64_t rows_int(const struct rows *rows, int column)
{
    return rows->tx->engine->get_int(rows, column);
}

double rows_real(const struct rows *rows, int column)
{
    return rows->tx->engine->get_real(rows, column);
}

struct view rows_text(const struct rows *rows, int column)
{
    return rows->tx->engine->get_text(rows, column);
}

void rows_close(struct rows *rows)
{
    if (rows) {
        rows->tx->engine->close_rows(rows);
    }
}

// Both engines take any text between double quotes, with quotes doubled; the length is bounded so that error texts and plans stay readable.
bool store_quote(struct buffer *out, struct view name, struct fail *fail)
{
    enum { QUOTED_NAME_MAX = 120 };
    if (!name.len || name.len > QUOTED_NAME_MAX || memchr(name.data, '\0', name.len)) {
        return fail_set(fail, FAIL_INVALID_DATA, "a name in the data base has 1 to %d bytes and no NUL", QUOTED_NAME_MAX);
    }
    buffer_add_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '"') {
            buffer_add_char(out, '"');
        }
        buffer_add_char(out, name.data[i]);
    }
    buffer_add_char(out, '"');
    buffer_text(out); // ends it with a NUL
    return !out->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

// ---- ids and the version ------------------------------------------------------------------------

// One UPDATE for a thousand ids: the row is in the same transaction as what the ids are used for.
int64_t store_id(struct tx *tx, struct fail *fail)
{
    struct tx_state *state = &tx->state;
    if (tx->engine->next_id) {
        return tx->engine->next_id(tx, fail);
    }
    if (BASE_UNLIKELY(state->id_next == state->id_end)) {
        const struct store_param block[] = {store_int(STORE_ID_BLOCK)};
        int64_t end = 0;
        bool found = false;
        if (!tx_query_int(tx, "UPDATE store_state SET next_id = next_id + ? WHERE id = 1 RETURNING next_id", block, 1, &end, &found,
                          fail)) {
            return 0;
        }
        if (!found) {
            fail_set(fail, FAIL_STORE, "the row of store_state is gone");
            return 0;
        }
        state->id_next = end - STORE_ID_BLOCK;
        state->id_end = end;
        state->id_taken = true;
    }
    return state->id_next++;
}

bool store_bump(struct tx *tx, struct fail *fail)
{
    int64_t version = 0;
    bool found = false;
    if (!tx_query_int(tx, "UPDATE store_state SET version = version + 1 WHERE id = 1 RETURNING version", NULL, 0, &version, &found, fail)) {
        return false;
    }
    if (!found) {
        return fail_set(fail, FAIL_STORE, "the row of store_state is gone");
    }
    tx->state.version = version;
    return true;
}
