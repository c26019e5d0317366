// SPDX-License-Identifier: Apache-2.0
// Installations whose action has yet to succeed. The rows that were there before wait in tables of the same shape ("…_old"); whoever finds
// a pending row after a crash rolls it back. Everything happens inside the caller's closures, so a power cut leaves either the mark and the
// old rows, or neither.
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

bool ext_pending_rollback_tx(struct tx *tx, struct view namespace, bool *ret_first, int64_t *ret_before_id, struct fail *fail)
{
    struct store_param key[] = {store_text(namespace)};
    int64_t old, before_id;
    bool found, pending;
    if (!tx_query_int(tx, "SELECT count(*) FROM ext_installed_old WHERE namespace = ?", key, 1, &old, &found, fail) ||
        !tx_query_int(tx, "SELECT before_id FROM ext_pending WHERE namespace = ?", key, 1, &before_id, &pending, fail)) {
        return false;
    }
    for (size_t i = 0; i < BASE_COUNT(kept_tables); i++) {
        if (!exec_on(tx, "DELETE FROM %s WHERE namespace = ?", kept_tables[i], namespace, fail) ||
            !exec_on(tx, "INSERT INTO %s SELECT * FROM %s_old WHERE namespace = ? ON CONFLICT DO NOTHING", kept_tables[i], namespace, fail)) {
            return false;
        }
    }
    if (!drop_old(tx, namespace, fail) || !store_bump(tx, fail)) {
        return false;
    }
    *ret_first = old == 0;
    *ret_before_id = pending ? before_id : INT64_MAX;
    return true;
}

bool ext_pending_tx(struct tx *tx, char ret_namespace[EXT_NAME_MAX], bool *ret_found, struct fail *fail)
{
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT namespace FROM ext_pending LIMIT 1", NULL, 0, &rows, fail)) {
        return false;
    }
    *ret_found = rows_next(rows, fail);
    if (*ret_found) {
        struct view namespace = rows_text(rows, 0);
        snprintf(ret_namespace, EXT_NAME_MAX, "%.*s", VIEW_ARGS(namespace));
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}
