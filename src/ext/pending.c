// SPDX-License-Identifier: Apache-2.0
// Installations whose action has yet to succeed. The rows that were there before wait in tables of the same shape ("…_old"); whoever finds
// a pending row whose journal is gone (it was undone when the data base was opened) rolls it back, one whose journal is open is at work.
// Everything happens inside the caller's closures, so a power cut leaves either the mark and the old rows, or neither.
#include "ext/inside.h"

static const char *const kept_tables[] = {"ext_installed", "ext_function", "ext_variable", "ext_connector", "ext_schedule"};

static bool exec_on(struct tx *tx, const char *format, const char *table, struct view namespace, struct fail *fail)
{
    char sql[256];
    snprintf(sql, sizeof sql, format, table, table);
    struct store_param key[] = {store_text(namespace)};
    return tx_exec(tx, sql, key, 1, fail);
}

static bool drop_old(struct tx *tx, struct view namespace, struct fail *fail)
{
    for (size_t i = 0; i < BASE_COUNT(kept_tables); i++) {
        if (!exec_on(tx, "DELETE FROM %s_old WHERE namespace = ?", kept_tables[i], namespace, fail)) {
            return false;
        }
    }
    struct store_param key[] = {store_text(namespace)};
    return tx_exec(tx, "DELETE FROM ext_pending WHERE namespace = ?", key, 1, fail);
}

bool ext_pending_begin_tx(struct tx *tx, struct view namespace, int64_t journal, int64_t before_id, struct fail *fail)
{
    for (size_t i = 0; i < BASE_COUNT(kept_tables); i++) {
        if (!exec_on(tx, "DELETE FROM %s_old WHERE namespace = ?", kept_tables[i], namespace, fail) ||
            !exec_on(tx, "INSERT INTO %s_old SELECT * FROM %s WHERE namespace = ?", kept_tables[i], namespace, fail)) {
            return false;
        }
    }
    struct store_param row[] = {store_text(namespace), store_int(journal), store_int(before_id)};
    return tx_exec(tx,
                   "INSERT INTO ext_pending (namespace, journal, before_id) VALUES (?, ?, ?)"
                   " ON CONFLICT (namespace) DO UPDATE SET journal = excluded.journal, before_id = excluded.before_id",
                   row, 3, fail);
}

bool ext_pending_commit_tx(struct tx *tx, struct view namespace, struct fail *fail)
{
    return drop_old(tx, namespace, fail);
}

// What somebody set while the action ran stays set: the action's own changes are taken back by its journal before, and where the
// installation itself dropped a value (secret or not has changed) the old one counts.
static bool keep_settings(struct tx *tx, struct view namespace, struct fail *fail)
{
    struct store_param key[] = {store_text(namespace)};
    return tx_exec(
        tx,
        "UPDATE ext_variable_old SET value = (SELECT v.value FROM ext_variable v WHERE v.id = ext_variable_old.id) WHERE namespace"
        " = ? AND EXISTS (SELECT 1 FROM ext_variable v WHERE v.id = ext_variable_old.id AND v.secret = ext_variable_old.secret)",
        key, 1, fail);
}

bool ext_pending_rollback_tx(struct tx *tx, struct view namespace, bool *ret_first, int64_t *ret_before_id, struct fail *fail)
{
    struct store_param key[] = {store_text(namespace)};
    int64_t old, before_id;
    bool found, pending;
    if (!tx_query_int(tx, "SELECT count(*) FROM ext_installed_old WHERE namespace = ?", key, 1, &old, &found, fail) ||
        !tx_query_int(tx, "SELECT before_id FROM ext_pending WHERE namespace = ?", key, 1, &before_id, &pending, fail)) {
        return false;
    }
    if (!pending) {
        *ret_first = false;
        *ret_before_id = INT64_MAX;
        return true;
    }
    if (!keep_settings(tx, namespace, fail)) {
        return false;
    }
    for (size_t i = 0; i < BASE_COUNT(kept_tables); i++) {
        if (!exec_on(tx, "DELETE FROM %s WHERE namespace = ?", kept_tables[i], namespace, fail) ||
            !exec_on(tx, "INSERT INTO %s SELECT * FROM %s_old WHERE namespace = ? ON CONFLICT DO NOTHING", kept_tables[i], namespace,
                     fail)) {
            return false;
        }
    }
    if (!drop_old(tx, namespace, fail) || !store_bump(tx, fail)) {
        return false;
    }
    *ret_first = old == 0;
    *ret_before_id = before_id;
    return true;
}

// The next pending row behind the journal number; a journal has one row at most.
static bool next_pending(struct tx *tx, int64_t *journal, char namespace[EXT_NAME_MAX], bool *ret_found, struct fail *fail)
{
    struct store_param params[] = {store_int(*journal)};
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT namespace, journal FROM ext_pending WHERE journal > ? ORDER BY journal LIMIT 1", params, 1, &rows, fail)) {
        return false;
    }
    *ret_found = rows_next(rows, fail);
    if (*ret_found) {
        struct view name = rows_text(rows, 0);
        snprintf(namespace, EXT_NAME_MAX, "%.*s", VIEW_ARGS(name));
        *journal = rows_int(rows, 1);
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool ext_pending_tx(struct tx *tx, bool open, char ret_namespace[EXT_NAME_MAX], bool *ret_found, struct fail *fail)
{
    int64_t journal = 0;
    bool found = true, is_open = false;
    do {
        if (!next_pending(tx, &journal, ret_namespace, &found, fail) || (found && !store_journal_open(tx, journal, &is_open, fail))) {
            return false;
        }
    } while (found && is_open != open);
    *ret_found = found;
    return true;
}
