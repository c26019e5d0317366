// SPDX-License-Identifier: Apache-2.0
// Taking a namespace's modules with their tables, and its fields of other modules with their columns, out of the metadata. Installing is
// additive (modules.c); this is the one place that drops: what an installation that failed had made (no record can hold anything of it:
// what its action wrote is undone before), or everything when an extension is uninstalled with its data.
#include "crm/seed.h"

enum { DROP_SQL_BYTES_MAX = 4096, DROP_ROUNDS_MAX = 100000 };

struct dropped {
    int64_t id;
    struct buffer module, field; // field empty: the whole module
};

static bool run_dropping(struct tx *tx, struct buffer *sql, bool quoted, struct fail *fail)
{
    bool done = quoted && !sql->failed && tx_exec(tx, buffer_text(sql), NULL, 0, fail);
    if (quoted && sql->failed) {
        fail_set(fail, FAIL_MEMORY, NULL);
    }
    buffer_free(sql);
    return done;
}

// The next row that `sql` gives for the namespace and the id: id, module name, field name or nothing.
static bool next_row(struct tx *tx, const char *sql, const struct store_param key[2], struct dropped *row, bool *ret_found,
                     struct fail *fail)
{
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, sql, key, 2, &rows, fail)) {
        return false;
    }
    buffer_reset(&row->module);
    buffer_reset(&row->field);
    *ret_found = rows_next(rows, fail);
    if (*ret_found) {
        row->id = rows_int(rows, 0);
        buffer_add(&row->module, rows_text(rows, 1));
        if (rows_columns(rows) > 2) {
            buffer_add(&row->field, rows_text(rows, 2));
        }
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

// What hangs on the module and its records: notes, attachments with their bytes, links, the list of deleted ones, tags and other settings.
static bool drop_hanging(struct tx *tx, struct view module, struct fail *fail)
{
    static const char *const statements[] = {
        "DELETE FROM crm_file WHERE id IN (SELECT \"id\" FROM \"Attachments\" WHERE \"$se_module\" = ?)",
        "DELETE FROM \"Attachments\" WHERE \"$se_module\" = ?",
        "DELETE FROM \"Notes\" WHERE \"$se_module\" = ?",
        "DELETE FROM crm_relation WHERE parent_module = ?",
        "DELETE FROM crm_relation WHERE child_module = ?",
        "DELETE FROM crm_deleted WHERE module = ?",
        "DELETE FROM crm_object WHERE module = ?",
    };
    const struct store_param name = store_text(module);
    bool done = true;
    for (size_t i = 0; done && i < BASE_COUNT(statements); i++) {
        done = tx_exec(tx, statements[i], &name, 1, fail);
    }
    return done;
}

static bool drop_module(struct tx *tx, const struct dropped *row, struct fail *fail)
{
    struct store_param id = store_int(row->id), name = store_text(buffer_view(&row->module));
    if (!drop_hanging(tx, buffer_view(&row->module), fail)) {
        return false;
    }
    struct buffer sql;
    buffer_init(&sql, DROP_SQL_BYTES_MAX);
    buffer_add(&sql, VIEW("DELETE FROM crm_file WHERE owner_id IN (SELECT \"id\" FROM "));
    bool quoted = store_quote(&sql, buffer_view(&row->module), fail);
    buffer_add_char(&sql, ')');
    if (!run_dropping(tx, &sql, quoted, fail)) {
        return false;
    }
    buffer_init(&sql, DROP_SQL_BYTES_MAX);
    buffer_add(&sql, VIEW("DROP TABLE IF EXISTS "));
    quoted = store_quote(&sql, buffer_view(&row->module), fail);
    return run_dropping(tx, &sql, quoted, fail) && tx_exec(tx, "DELETE FROM crm_field WHERE module_id = ?", &id, 1, fail) &&
           tx_exec(tx, "DELETE FROM crm_object WHERE module = ?", &name, 1, fail) &&
           tx_exec(tx, "DELETE FROM crm_module WHERE id = ?", &id, 1, fail);
}

// An indexed column cannot be dropped: its indexes go first.
bool crm_field_drop_tx(struct tx *tx, const struct crm_field_row *row, struct fail *fail)
{
    struct store_param id = store_int(row->id);
    struct buffer sql;
    buffer_init(&sql, DROP_SQL_BYTES_MAX);
    bool done = crm_index_drop_tx(tx, row->module, row->field, fail) && crm_autonumber_end_tx(tx, row->module, row->field, fail);
    buffer_add(&sql, VIEW("ALTER TABLE "));
    bool quoted = done && store_quote(&sql, row->module, fail);
    buffer_add(&sql, VIEW(" DROP COLUMN "));
    quoted = quoted && store_quote(&sql, row->field, fail);
    return run_dropping(tx, &sql, quoted, fail) && tx_exec(tx, "DELETE FROM crm_field WHERE id = ?", &id, 1, fail);
}

static bool drop_field(struct tx *tx, const struct dropped *row, struct fail *fail)
{
    const struct crm_field_row field = {row->id, buffer_view(&row->module), buffer_view(&row->field)};
    return crm_field_drop_tx(tx, &field, fail);
}

static bool drop_each(struct tx *tx, const char *sql, const struct store_param key[2],
                      bool (*drop)(struct tx *tx, const struct dropped *row, struct fail *fail), struct fail *fail)
{
    struct dropped row;
    bool found = true, done = true;
    buffer_init(&row.module, DROP_SQL_BYTES_MAX);
    buffer_init(&row.field, DROP_SQL_BYTES_MAX);
    for (int round = 0; done && round < DROP_ROUNDS_MAX; round++) { // a row at a time: no query is open while a table changes
        done = next_row(tx, sql, key, &row, &found, fail);
        if (!done || !found) {
            break;
        }
        done = drop(tx, &row, fail);
    }
    buffer_free(&row.module);
    buffer_free(&row.field);
    return done;
}

bool crm_modules_drop_tx(struct tx *tx, struct view namespace, int64_t after_id, struct fail *fail)
{
    if (!namespace.len) {
        return true; // standard metadata is nobody's to take back
    }
    const struct store_param key[] = {store_text(namespace), store_int(after_id)};
    return drop_each(tx, "SELECT id, api_name FROM crm_module WHERE namespace = ? AND id > ? LIMIT 1", key, drop_module, fail) &&
           drop_each(tx,
                     "SELECT f.id, m.api_name, f.api_name FROM crm_field f JOIN crm_module m ON m.id = f.module_id"
                     " WHERE f.namespace = ? AND f.id > ? LIMIT 1",
                     key, drop_field, fail) &&
           store_bump(tx, fail);
}

bool crm_modules_left_tx(struct tx *tx, struct view namespace, bool *ret_left, struct fail *fail)
{
    const struct store_param key[] = {store_text(namespace), store_text(namespace)};
    int64_t count = 0;
    bool found;
    if (namespace.len &&
        !tx_query_int(tx,
                      "SELECT (SELECT count(*) FROM crm_module WHERE namespace = ?) + (SELECT count(*) FROM crm_field WHERE"
                      " namespace = ?)",
                      key, 2, &count, &found, fail)) {
        return false;
    }
    *ret_left = count > 0;
    return true;
}
