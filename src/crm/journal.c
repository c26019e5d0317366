// SPDX-License-Identifier: Apache-2.0
// What an install action may have to take back: rows as JSON before and after each change, noted in the transaction that makes the change
// (store_journal_note). Without an open journal nothing is read and nothing is noted.
//
// Rows are kept in the form that store_journal_undo binds again. A BLOB is noted as null: undoing an insert asks only for the id, and no
// column that holds one is ever updated.
#include "crm/record.h"

enum { ROW_JSON_BYTES_MAX = 4 << 20, SMALL_SQL_BYTES = 512 };

static void add_cell(struct buffer *json, struct rows *rows, int column)
{
    char number[DECIMAL_TEXT_MAX];
    switch (rows_type(rows, column)) {
    case STORE_INTEGER:
        buffer_add_int(json, rows_int(rows, column));
        break;
    case STORE_REAL:
        buffer_add(json, (struct view){number, decimal_print(number, rows_real(rows, column))});
        break;
    case STORE_TEXT:
        json_write_text(json, rows_text(rows, column));
        break;
    default:
        buffer_add(json, VIEW("null"));
        break;
    }
}

bool crm_journal_row(struct tx *tx, const char *sql, int64_t id, struct buffer *json, struct fail *fail)
{
    struct store_param param = store_int(id);
    struct rows *rows;
    buffer_init(json, ROW_JSON_BYTES_MAX);
    if (!tx_query(tx, sql, &param, 1, &rows, fail)) {
        return false;
    }
    if (rows_next(rows, fail)) {
        for (int i = 0; i < rows_columns(rows); i++) {
            buffer_add_char(json, i ? ',' : '{');
            json_write_text(json, view_of(rows_column_name(rows, i)));
            buffer_add_char(json, ':');
            add_cell(json, rows, i);
        }
        buffer_add_char(json, '}');
    }
    rows_close(rows);
    return fail->code == FAIL_NONE && (!json->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

// Undoing an insert asks only for the id; the row is noted so that people can see what was taken back.
bool crm_journal_insert(struct tx *tx, int64_t journal, struct view table, struct view quoted, int64_t id, struct fail *fail)
{
    char sql[SMALL_SQL_BYTES];
    struct buffer row;
    snprintf(sql, sizeof sql, "SELECT * FROM %.*s WHERE \"id\"=?", VIEW_ARGS(quoted));
    bool done = crm_journal_row(tx, sql, id, &row, fail) && store_journal_note(tx, journal, table, id, VIEW_NONE, buffer_view(&row), fail);
    buffer_free(&row);
    return done;
}

bool crm_row_change(struct tx *tx, int64_t journal, const struct crm_row_at *at, const char *sql, const struct store_param *params,
                    int count, struct fail *fail)
{
    if (journal == 0) {
        return tx_exec(tx, sql, params, count, fail);
    }
    char select[SMALL_SQL_BYTES];
    struct buffer before = {0}, after = {0};
    snprintf(select, sizeof select, "SELECT * FROM %.*s WHERE \"id\"=?", VIEW_ARGS(at->quoted));
    bool done = crm_journal_row(tx, select, at->id, &before, fail) && tx_exec(tx, sql, params, count, fail) &&
                crm_journal_row(tx, select, at->id, &after, fail) &&
                store_journal_note(tx, journal, at->table, at->id, buffer_view(&before), buffer_view(&after), fail);
    buffer_free(&before);
    buffer_free(&after);
    return done;
}

bool crm_row_exists(struct tx *tx, const struct crm_module *module, int64_t id, bool *ret_exists, struct fail *fail)
{
    char sql[SMALL_SQL_BYTES];
    struct store_param param = store_int(id);
    int64_t one;
    snprintf(sql, sizeof sql, "SELECT 1 FROM %.*s WHERE \"id\"=?", VIEW_ARGS(module->quoted));
    return tx_query_int(tx, sql, &param, 1, &one, ret_exists, fail);
}
