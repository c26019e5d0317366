// SPDX-License-Identifier: Apache-2.0
// Which versions of an extension an org environment has had, newest last: a rollback goes one back. And the end of an installed extension:
// its rows go, or wait, with the org's values, for the day it is installed again.
#include "ext/inside.h"

// Nothing is added when the version is the newest already.
bool ext_history_add_tx(struct tx *tx, struct view namespace, struct view version, struct fail *fail)
{
    char newest[EXT_NAME_MAX];
    bool found;
    if (!ext_history_tx(tx, namespace, 0, newest, &found, fail)) {
        return false;
    }
    if (found && view_eq(view_of(newest), version)) {
        return true;
    }
    struct store_param row[] = {store_text(namespace), store_text(namespace), store_text(version), store_int(clock_wall_ms())};
    return tx_exec(tx,
                   "INSERT INTO ext_history (namespace, position, version, installed_ms) SELECT ?, (SELECT COALESCE(max(position), 0) + 1 "
                   "FROM ext_history WHERE namespace = ?), ?, ?",
                   row, 4, fail);
}

bool ext_history_tx(struct tx *tx, struct view namespace, int back, char ret_version[EXT_NAME_MAX], bool *ret_found, struct fail *fail)
{
    struct store_param key[] = {store_text(namespace), store_int(back)};
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT version FROM ext_history WHERE namespace = ? ORDER BY position DESC LIMIT 1 OFFSET ?", key, 2, &rows, fail)) {
        return false;
    }
    bool found = rows_next(rows, fail);
    if (found) {
        struct view version = rows_text(rows, 0);
        snprintf(ret_version, EXT_NAME_MAX, "%.*s", VIEW_ARGS(version));
    }
    rows_close(rows);
    *ret_found = found;
    return found || fail->code == FAIL_NONE;
}

// What came after the version is forgotten; one that was never here becomes the newest.
bool ext_history_back_tx(struct tx *tx, struct view namespace, struct view version, struct fail *fail)
{
    struct store_param key[] = {store_text(namespace), store_text(namespace), store_text(version)};
    return tx_exec(tx,
                   "DELETE FROM ext_history WHERE namespace = ? AND position > (SELECT max(position) FROM ext_history WHERE namespace = ? "
                   "AND version = ?)",
                   key, 3, fail) &&
           ext_history_add_tx(tx, namespace, version, fail);
}

// ---- names --------------------------------------------------------------------------------------

bool ext_spelling_tx(struct tx *tx, struct view namespace, char ret_namespace[EXT_NAME_MAX], struct fail *fail)
{
    struct store_param key[] = {store_text(namespace), store_text(namespace), store_text(namespace)};
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(
            tx,
            "SELECT namespace, 1 FROM ext_installed WHERE lower(namespace) = lower(?) UNION SELECT namespace, 2 FROM ext_function WHERE"
            " lower(namespace) = lower(?) UNION SELECT namespace, 2 FROM ext_variable WHERE lower(namespace) = lower(?)"
            " ORDER BY 2, 1 LIMIT 1",
            key, 3, &rows, fail)) {
        return false;
    }
    struct view spelling = rows_next(rows, fail) ? rows_text(rows, 0) : VIEW("");
    snprintf(ret_namespace, EXT_NAME_MAX, "%.*s", VIEW_ARGS(spelling));
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

// ---- the end ------------------------------------------------------------------------------------

static bool run_all(struct tx *tx, const char *const *statements, size_t count, struct view namespace, struct fail *fail)
{
    struct store_param key = store_text(namespace);
    for (size_t i = 0; i < count; i++) {
        if (!tx_exec(tx, statements[i], &key, 1, fail)) {
            return false;
        }
    }
    return store_bump(tx, fail);
}

bool ext_retire_tx(struct tx *tx, struct view namespace, struct fail *fail)
{
    static const char *const statements[] = {
        "DELETE FROM ext_installed WHERE namespace = ?",        "DELETE FROM ext_connector WHERE namespace = ?",
        "UPDATE ext_function SET live = 0 WHERE namespace = ?", "UPDATE ext_variable SET live = 0 WHERE namespace = ?",
        "DELETE FROM ext_action WHERE namespace = ?",           "DELETE FROM ext_history WHERE namespace = ?",
        "DELETE FROM ext_schedule WHERE namespace = ?",
    };
    return run_all(tx, statements, BASE_COUNT(statements), namespace, fail);
}

// With the org's authorisations of its connectors, while these are still known.
bool ext_remove_tx(struct tx *tx, struct view namespace, struct fail *fail)
{
    static const char *const connections[] = {
        "DELETE FROM ext_connection WHERE lower(name) IN (SELECT lower(namespace) || '.' || name FROM ext_connector WHERE namespace = ?)"};
    static const char *const statements[] = {
        "DELETE FROM ext_function WHERE namespace = ?",
        "DELETE FROM ext_variable WHERE namespace = ?",
        "DELETE FROM ext_seed WHERE namespace = ?",
    };
    return run_all(tx, connections, BASE_COUNT(connections), namespace, fail) && ext_retire_tx(tx, namespace, fail) &&
           run_all(tx, statements, BASE_COUNT(statements), namespace, fail);
}

bool ext_uninstall_script_tx(struct tx *tx, struct view namespace, struct arena *arena, struct view *ret_source, struct fail *fail)
{
    struct store_param key = store_text(namespace);
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT uninstall_script FROM ext_installed WHERE namespace = ?", &key, 1, &rows, fail)) {
        return false;
    }
    struct view source = rows_next(rows, fail) ? rows_text(rows, 0) : VIEW("");
    *ret_source = source.len ? arena_copy(arena, source) : VIEW_NONE;
    rows_close(rows);
    return fail->code == FAIL_NONE;
}
