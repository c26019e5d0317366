// SPDX-License-Identifier: Apache-2.0
//
// The journal of an install action: what it changed, so that a failed installation leaves nothing behind (PRODUCT "If an install or update
// script fails"). A script as a whole is no transaction, so each of its writes adds a note, in the same transaction, of the row before and
// after.
//
// Undoing goes from the newest note to the oldest. A row that was inserted is deleted; one that was deleted comes back with its old id; of
// one that was updated each column gets its old value back only where it still holds what the install wrote, so that what a user typed
// meanwhile stays. A note that cannot be undone (its table has gone, its row would break a rule) is logged and passed over: the rest must
// still be undone.
#include "store/inside.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    NOTE_HEAP_BYTES = 64 * 1024 * 1024, // of the two rows of one note, as values
    NOTE_SQL_BYTES = 512 * 1024,
    NOTE_COLUMNS_MAX = 1000,
};

struct note {
    struct view table;
    int64_t row_id;
    bool inserted, deleted;
    struct map *old_row, *new_row;
};

bool store_journal_begin(struct tx *tx, int64_t *ret_journal, struct fail *fail)
{
    const struct store_param params[] = {store_int(clock_wall_ms()), store_int(tx->owner)};
    bool found = false;
    if (tx->engine->owned) { // by whom, so that no other process takes it for a dead one's
        return tx_query_int(tx, "INSERT INTO store_journals (started, owner) VALUES (?, ?) RETURNING id", params, 2, ret_journal, &found,
                            fail);
    }
    return tx_query_int(tx, "INSERT INTO store_journals (started) VALUES (?) RETURNING id", params, 1, ret_journal, &found, fail);
}

bool store_journal_open(struct tx *tx, int64_t journal, bool *ret_open, struct fail *fail)
{
    const struct store_param params[] = {store_int(journal)};
    int64_t one;
    return tx_query_int(tx, "SELECT 1 FROM store_journals WHERE id = ?", params, 1, &one, ret_open, fail);
}

// A row that was not there before, or is not there after, is NULL.
static struct store_param text_or_null(struct view text)
{
    return text.data ? store_text(text) : store_null();
}

static bool tell_undone(struct fail *fail)
{
    return fail_set(fail, FAIL_STORE, "the installation was taken for a dead one by another process and undone");
}

bool store_journal_note(struct tx *tx, int64_t journal, struct view table, int64_t id, struct view old_row, struct view new_row,
                        struct fail *fail)
{
    const struct store_param params[] = {store_int(journal), store_text(table), store_int(id), text_or_null(old_row),
                                         text_or_null(new_row)};
    bool open;
    if (!store_journal_open(tx, journal, &open, fail)) {
        return false;
    }
    if (!open) {
        return tell_undone(fail);
    }
    return tx_exec(tx, "INSERT INTO store_notes (journal, table_name, row_id, old_row, new_row) VALUES (?, ?, ?, ?, ?)", params, 5, fail);
}

static bool drop_journal(struct tx *tx, int64_t journal, struct fail *fail)
{
    const struct store_param params[] = {store_int(journal)};
    return tx_exec(tx, "DELETE FROM store_notes WHERE journal = ?", params, 1, fail) &&
           tx_exec(tx, "DELETE FROM store_journals WHERE id = ?", params, 1, fail);
}

bool store_journal_done(struct tx *tx, int64_t journal, struct fail *fail)
{
    return drop_journal(tx, journal, fail) && (tx_changes(tx) == 1 || tell_undone(fail));
}

// ---- undoing one note ---------------------------------------------------------------------------

// How a column's value stands in the data base: what the notes hold is JSON, which knows no BLOBs.
static bool read_param(struct value v, struct store_param *ret_param, struct fail *fail)
{
    switch (v.type) {
    case VALUE_NULL:
        *ret_param = store_null();
        return true;
    case VALUE_BOOL:
        *ret_param = store_int(v.boolean);
        return true;
    case VALUE_NUMBER:
        *ret_param = store_int(v.number);
        return true;
    case VALUE_DECIMAL:
        *ret_param = store_real(v.decimal);
        return true;
    case VALUE_TEXT:
        *ret_param = store_text(value_view(v));
        return true;
    default:
        return fail_set(fail, FAIL_STORE, "a journal holds a value that is no column's");
    }
}

static bool run_sql(struct tx *tx, struct buffer *sql, const struct store_param *params, int count, struct fail *fail)
{
    const char *text = buffer_text(sql);
    return sql->failed ? fail_set(fail, FAIL_STORE, "a journal's statement is too long") : tx_exec(tx, text, params, count, fail);
}

// Whatever was done to the row since: without the installation there would be none.
static bool delete_row(struct tx *tx, const struct note *note, struct buffer *sql, struct fail *fail)
{
    buffer_add(sql, VIEW("DELETE FROM "));
    if (!store_quote(sql, note->table, fail)) {
        return false;
    }
    buffer_add(sql, VIEW(" WHERE id = ?"));
    const struct store_param params[] = {store_int(note->row_id)};
    return run_sql(tx, sql, params, 1, fail);
}

// Unless a row with this id is there again.
static bool insert_columns(struct tx *tx, const struct note *note, struct store_param *params, struct buffer *sql, struct fail *fail)
{
    int count = 0;
    buffer_add(sql, VIEW("INSERT INTO "));
    if (!store_quote(sql, note->table, fail)) {
        return false;
    }
    buffer_add(sql, VIEW(" (id"));
    params[count++] = store_int(note->row_id);
    uint32_t cursor = 0;
    for (struct map_entry *entry = map_next(note->old_row, &cursor); entry; entry = map_next(note->old_row, &cursor)) {
        if (view_eq(value_view(entry->key), VIEW("id"))) {
            continue;
        }
        if (count == NOTE_COLUMNS_MAX) {
            return fail_set(fail, FAIL_STORE, "a journal's row has more than %d columns", NOTE_COLUMNS_MAX);
        }
        buffer_add_char(sql, ',');
        if (!store_quote(sql, value_view(entry->key), fail) || !read_param(entry->value, &params[count++], fail)) {
            return false;
        }
    }
    buffer_add(sql, VIEW(") VALUES (?"));
    for (int i = 1; i < count; i++) {
        buffer_add(sql, VIEW(",?"));
    }
    buffer_add(sql, VIEW(") ON CONFLICT (id) DO NOTHING"));
    return run_sql(tx, sql, params, count, fail);
}

// Not on the stack, which may be a fiber's.
static bool insert_row(struct tx *tx, const struct note *note, struct buffer *sql, struct fail *fail)
{
    struct store_param *params = malloc(NOTE_COLUMNS_MAX * sizeof *params);
    bool ok = params ? insert_columns(tx, note, params, sql, fail) : fail_set(fail, FAIL_MEMORY, NULL);
    free(params);
    return ok;
}

// One statement a column, so that a column that was edited since does not keep the others from going back.
static bool restore_column(struct tx *tx, const struct note *note, struct view column, struct value old_value, struct value new_value,
                           struct buffer *sql, struct fail *fail)
{
    struct store_param params[3];
    buffer_reset(sql);
    buffer_add(sql, VIEW("UPDATE "));
    if (!store_quote(sql, note->table, fail)) {
        return false;
    }
    buffer_add(sql, VIEW(" SET "));
    if (!store_quote(sql, column, fail) || !read_param(old_value, &params[0], fail)) {
        return false;
    }
    buffer_add(sql, VIEW(" = ? WHERE id = ? AND "));
    params[1] = store_int(note->row_id);
    if (!store_quote(sql, column, fail) || !read_param(new_value, &params[2], fail)) {
        return false;
    }
    buffer_add(sql, VIEW(" IS NOT DISTINCT FROM ?"));
    return run_sql(tx, sql, params, 3, fail);
}

// Only what the install changed: the notes may hold whole rows.
static bool restore_row(struct tx *tx, const struct note *note, struct buffer *sql, struct fail *fail)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry = map_next(note->new_row, &cursor); entry; entry = map_next(note->new_row, &cursor)) {
        bool known = false;
        struct value old_value = map_get(note->old_row, entry->key, &known);
        if (known && !value_equal(old_value, entry->value) &&
            !restore_column(tx, note, value_view(entry->key), old_value, entry->value, sql, fail)) {
            return false;
        }
    }
    return true;
}

// Runs in a savepoint of its own.
static bool undo_note(struct tx *tx, void *arg, struct fail *fail)
{
    const struct note *note = arg;
    struct buffer sql;
    buffer_init(&sql, NOTE_SQL_BYTES);
    bool ok;
    if (note->inserted) {
        ok = delete_row(tx, note, &sql, fail);
    } else if (note->deleted) {
        ok = insert_row(tx, note, &sql, fail);
    } else {
        ok = restore_row(tx, note, &sql, fail);
    }
    buffer_free(&sql);
    return ok;
}

// ---- undoing a journal --------------------------------------------------------------------------

static bool read_row(struct heap *heap, const struct rows *rows, int column, struct map **ret_map, struct fail *fail)
{
    struct value v = value_null();
    if (!json_read(heap, rows_text(rows, column), &v, fail)) {
        return false;
    }
    struct map *map = value_as_map(v);
    if (!map) {
        return fail_set(fail, FAIL_STORE, "a journal's row is no JSON object");
    }
    *ret_map = map;
    return true;
}

static bool read_note(struct heap *heap, const struct rows *rows, struct note *ret_note, struct fail *fail)
{
    *ret_note = (struct note){.table = rows_text(rows, 1), .row_id = rows_int(rows, 2)};
    ret_note->inserted = rows_type(rows, 3) == STORE_NULL;
    ret_note->deleted = rows_type(rows, 4) == STORE_NULL;
    if (!ret_note->inserted && !read_row(heap, rows, 3, &ret_note->old_row, fail)) {
        return false;
    }
    return ret_note->inserted || ret_note->deleted || read_row(heap, rows, 4, &ret_note->new_row, fail);
}

// The newest note below `*before`, which becomes its number; *ret_found false when there is none. False only when the transaction is lost.
static bool undo_next(struct tx *tx, int64_t journal, int64_t *before, bool *ret_found, struct fail *fail)
{
    const struct store_param params[] = {store_int(journal), store_int(*before)};
    struct rows *rows;
    if (!tx_query(tx,
                  "SELECT id, table_name, row_id, old_row, new_row FROM store_notes WHERE journal = ? AND id < ? ORDER BY id DESC LIMIT 1",
                  params, 2, &rows, fail)) {
        return false;
    }
    bool found = rows_next(rows, fail);
    if (!found) {
        bool end = fail->code == FAIL_NONE;
        rows_close(rows);
        if (end) {
            *ret_found = false;
        }
        return end;
    }
    *before = rows_int(rows, 0);
    *ret_found = true;
    struct heap heap;
    heap_init(&heap, NOTE_HEAP_BYTES, NULL);
    struct note note;
    struct fail reason = {0};
    if (!read_note(&heap, rows, &note, &reason) || !tx_run_nested(tx, undo_note, &note, &reason)) {
        log_line(LOG_WARN, "store.undo", "journal=%" PRId64 " table=%.*s row=%" PRId64 " error=%s", journal, VIEW_ARGS(note.table),
                 note.row_id, reason.text);
    }
    rows_close(rows);
    heap_free(&heap);
    if (!tx->engine->alive(tx)) {
        *fail = reason;
        return false;
    }
    return true;
}

// A note at a time: an installation may have written more rows than memory should hold.
bool store_journal_undo(struct tx *tx, int64_t journal, struct fail *fail)
{
    int64_t before = INT64_MAX;
    bool found = true;
    while (found) {
        if (!undo_next(tx, journal, &before, &found, fail)) {
            return false;
        }
    }
    return drop_journal(tx, journal, fail);
}

// The next one below *journal that no living process writes: on SQLite every one, since there is no other process.
static bool next_dead(struct tx *tx, int64_t *journal, bool *ret_found, struct fail *fail)
{
    bool owned = true, found = true;
    while (owned && found) {
        const struct store_param below[] = {store_int(*journal)};
        int64_t owner = 0;
        bool named = false;
        owned = false;
        if (!tx_query_int(tx, "SELECT id FROM store_journals WHERE id < ? ORDER BY id DESC LIMIT 1", below, 1, journal, &found, fail)) {
            return false;
        }
        const struct store_param id[] = {store_int(*journal)};
        if (found && tx->engine->owned &&
            (!tx_query_int(tx, "SELECT owner FROM store_journals WHERE id = ?", id, 1, &owner, &named, fail) ||
             !tx->engine->owned(tx, owner, &owned, fail))) {
            return false;
        }
    }
    *ret_found = found;
    return true;
}

// The newest installation first, as one may have built on the other.
bool journal_undo_all(struct tx *tx, struct fail *fail)
{
    int64_t journal = INT64_MAX;
    for (;;) {
        bool found = false;
        if (!next_dead(tx, &journal, &found, fail)) {
            return false;
        }
        if (!found) {
            return true;
        }
        log_line(LOG_WARN, "store.undo", "journal=%" PRId64 " an installation was not finished", journal);
        if (!store_journal_undo(tx, journal, fail)) {
            return false;
        }
    }
}
