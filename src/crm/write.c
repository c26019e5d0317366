// SPDX-License-Identifier: Apache-2.0
// Insert, update and clone. Each call is one closure of store_write: planned rows go in, results come out, and a bad row stops none of the
// others. The closure runs on the writer's thread, possibly twice, while the caller's fiber sleeps; it writes nothing but the plan.
//
// While an install action runs (session.journal) every row notes how to take it back, in the same transaction (journal.c).
#include "crm/automation.h"
#include "crm/item.h"

enum { SQL_BYTES_MAX = 256 << 10, SMALL_SQL_BYTES = 512 };

// "SELECT the columns that an update writes".
static bool write_selection(const struct crm_write *write, const struct crm_row_plan *row, struct buffer *sql)
{
    const struct crm_fields *fields = crm_fields_of(write->module);
    const struct crm_field *system[] = {fields->full_name, fields->modified_time, fields->modified_by};
    buffer_init(sql, SQL_BYTES_MAX);
    buffer_add(sql, VIEW("SELECT "));
    const char *comma = "";
    for (int i = 0; i < row->count; i++, comma = ",") {
        buffer_printf(sql, "%s%.*s", comma, VIEW_ARGS(row->given[i]->quoted));
    }
    for (size_t i = 0; i < BASE_COUNT(system); i++) {
        if (system[i]) {
            buffer_printf(sql, "%s%.*s", comma, VIEW_ARGS(system[i]->quoted));
            comma = ",";
        }
    }
    if (fields->se_module) {
        buffer_printf(sql, "%s\"$se_module\"", comma);
    } else if (*comma == 0) {
        buffer_add(sql, VIEW("\"id\""));
    }
    buffer_printf(sql, " FROM %.*s WHERE \"id\"=?", VIEW_ARGS(write->module->quoted));
    return buffer_text(sql)[0] != 0;
}

// ---- what only the data base knows --------------------------------------------------------------

// Look-ups must point at something. Inside the closure the answer cannot change before the row is written.
static bool check_reference(struct tx *tx, struct crm_write *write, struct crm_row_plan *row, int i, struct fail *fail)
{
    const struct crm_field *field = row->given[i];
    const struct crm_module *target = field->se_module ? row->se_module : crm_module_resolve(write->session, field->lookup);
    char sql[SMALL_SQL_BYTES];
    int64_t one;
    bool found = false;
    if (!target) {
        return true; // a look-up into a module that this edition does not have
    }
    snprintf(sql, sizeof sql, "SELECT 1 FROM %.*s WHERE \"id\"=?", VIEW_ARGS(target->quoted));
    if (!tx_query_int(tx, sql, &row->values[i], 1, &one, &found, fail)) {
        return false;
    }
    if (!found) {
        crm_row_note(write, row, &row->late, &(struct crm_row_error){.problem = CRM_ROW_REFERENCE, .api_name = field->api_name});
    }
    return true;
}

// Whose record it is, for the details of DUPLICATE_DATA.
static bool find_owner(struct tx *tx, struct crm_write *write, struct crm_row_error *error, struct fail *fail)
{
    const struct crm_field *owner = crm_fields_of(write->module)->owner;
    char sql[SMALL_SQL_BYTES];
    struct store_param id = store_int(error->id);
    bool found = false;
    struct rows *rows;
    if (!owner) {
        return true;
    }
    snprintf(sql, sizeof sql, "SELECT %.*s FROM %.*s WHERE \"id\"=?", VIEW_ARGS(owner->quoted), VIEW_ARGS(write->module->quoted));
    if (!tx_query_int(tx, sql, &id, 1, &error->owner_id, &found, fail)) {
        return false;
    }
    id = store_int(error->owner_id);
    if (!tx_query(tx, "SELECT zuid FROM crm_user WHERE id=?", &id, 1, &rows, fail)) {
        return false;
    }
    if (rows_next(rows, fail)) {
        error->zuid = arena_copy(&write->arena, rows_text(rows, 0));
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

// Another record with the same value? Texts are equal without regard to case. For an insert row->id is 0: no record has it.
static bool check_unique(struct tx *tx, struct crm_write *write, struct crm_row_plan *row, int i, struct fail *fail)
{
    const struct crm_field *field = row->given[i];
    char sql[SMALL_SQL_BYTES];
    int64_t other;
    bool found = false;
    struct store_param params[] = {row->values[i], store_int(row->id)};
    snprintf(sql, sizeof sql, "SELECT \"id\" FROM %.*s WHERE %.*s=?%s AND \"id\"<>? LIMIT 1", VIEW_ARGS(write->module->quoted),
             VIEW_ARGS(field->quoted), field->kind == CRM_KIND_TEXT ? " COLLATE NOCASE" : "");
    if (!tx_query_int(tx, sql, params, 2, &other, &found, fail)) {
        return false;
    }
    if (found) {
        struct crm_row_error error = {.problem = CRM_ROW_DUPLICATE, .api_name = field->api_name, .id = other, .module = write->module};
        if (write->session->api_version > 2 && !find_owner(tx, write, &error, fail)) {
            return false;
        }
        crm_row_note(write, row, &row->late, &error);
    }
    return true;
}

static bool check_row(struct tx *tx, struct crm_write *write, struct crm_row_plan *row, struct fail *fail)
{
    row->late = (struct crm_row_error){0};
    row->other_count = 0;
    for (int i = 0; i < row->count; i++) {
        const struct crm_field *field = row->given[i];
        if (row->values[i].type == STORE_NULL) {
            continue;
        }
        if (field->kind == CRM_KIND_LOOKUP && !check_reference(tx, write, row, i, fail)) {
            return false;
        }
        if (field->unique && !check_unique(tx, write, row, i, fail)) {
            return false;
        }
    }
    return true;
}

// ---- closures -----------------------------------------------------------------------------------

// What tags and fields of files stand for. Files are checked before anything is changed for the row.
static bool settle_late(struct tx *tx, struct crm_write *write, struct crm_row_plan *row, int64_t id, struct fail *fail)
{
    if (!crm_files_check(tx, write->module, id, row->files, &row->late, fail)) {
        return false;
    }
    return !row->tags || row->late.problem != CRM_ROW_FINE ||
           crm_tags_settle(tx, write->session, write->module, id, row->tags, row->tag_param, &row->late, fail);
}

// Ids are taken late, so that refused rows leave no gaps and ids grow in the order of the commits.
static bool insert_row(struct tx *tx, struct crm_write *write, struct crm_row_plan *row, struct fail *fail)
{
    row->id = 0;
    if (!check_row(tx, write, row, fail)) {
        return false;
    }
    if (row->merges && !crm_row_merge(tx, write, row, fail)) {
        return false;
    }
    if (row->late.problem != CRM_ROW_FINE) {
        return true;
    }
    if (!settle_late(tx, write, row, 0, fail) || row->late.problem != CRM_ROW_FINE) {
        return fail->code == FAIL_NONE;
    }
    row->id = store_id(tx, fail);
    if (row->id == 0) {
        return false;
    }
    row->params[0] = store_int(row->id);
    if (row->number && !crm_autonumber_next_tx(tx, write, row->number, fail)) {
        return false;
    }
    return crm_files_settle(tx, write->session, row->id, row->files, fail) && tx_exec(tx, row->sql, row->params, row->param_count, fail) &&
           (write->session->journal == 0 ||
            crm_journal_insert(tx, write->session->journal, write->module->api_name, write->module->quoted, row->id, fail));
}

bool crm_row_insert(struct tx *tx, struct crm_write *write, struct crm_row_plan *row, struct fail *fail)
{
    bool wanted = crm_happened_wants(write->session, write->module, CRM_EVENT_CREATE);
    return insert_row(tx, write, row, fail) &&
           (!wanted || row->late.problem != CRM_ROW_FINE ||
            crm_happened_row(tx, write->session, write->module, CRM_EVENT_CREATE, row->id, row, NULL, fail));
}

// The statement tells by RETURNING whether the record was there, and what its answer needs: no second query.
static bool execute_update(struct tx *tx, struct crm_row_plan *row, struct fail *fail)
{
    struct rows *rows;
    if (!tx_query(tx, row->sql, row->params, row->param_count, &rows, fail)) {
        return false;
    }
    if (rows_next(rows, fail)) {
        row->created_time = rows_int(rows, 0);
        row->created_by = rows_int(rows, 1);
    } else {
        row->late = (struct crm_row_error){.problem = CRM_ROW_NO_RECORD, .api_name = VIEW("id")};
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

// The columns that will be written, read before and after: their difference is what an undo may take back.
static bool update_noted(struct tx *tx, struct crm_write *write, struct crm_row_plan *row, struct fail *fail)
{
    struct buffer sql, before = {0}, after = {0};
    bool done = write_selection(write, row, &sql) && crm_journal_row(tx, buffer_text(&sql), row->id, &before, fail) &&
                execute_update(tx, row, fail);
    if (done && row->late.problem == CRM_ROW_FINE) {
        done = crm_journal_row(tx, buffer_text(&sql), row->id, &after, fail) &&
               store_journal_note(tx, write->session->journal, write->module->api_name, row->id, buffer_view(&before), buffer_view(&after),
                                  fail);
    }
    buffer_free(&sql);
    buffer_free(&before);
    buffer_free(&after);
    return done || (fail->code == FAIL_NONE ? fail_set(fail, FAIL_MEMORY, NULL) : false);
}

bool crm_row_update(struct tx *tx, struct crm_write *write, struct crm_row_plan *row, struct fail *fail)
{
    const bool *changed = NULL;
    bool wanted = crm_happened_wants(write->session, write->module, CRM_EVENT_EDIT);
    row->late = (struct crm_row_error){0};
    if (!crm_row_unmodified(tx, write->session, write->module, row->id, &row->late, fail)) {
        return false;
    }
    if (row->late.problem != CRM_ROW_FINE) {
        return true;
    }
    if (!check_row(tx, write, row, fail) || (row->merges && !crm_row_merge(tx, write, row, fail))) {
        return false;
    }
    bool exists = row->late.problem == CRM_ROW_FINE, more = row->tags || row->files;
    if (exists && more && !crm_row_exists(tx, write->module, row->id, &exists, fail)) {
        return false; // no tags for a record that is not there
    }
    if (exists && more && !settle_late(tx, write, row, row->id, fail)) {
        return false;
    }
    if (row->late.problem != CRM_ROW_FINE) {
        return true;
    }
    if ((wanted && !crm_happened_changes(tx, write, row, &changed, fail)) ||
        (exists && !crm_files_settle(tx, write->session, row->id, row->files, fail))) {
        return false;
    }
    if (!(write->session->journal ? update_noted(tx, write, row, fail) : execute_update(tx, row, fail))) {
        return false;
    }
    return !wanted || row->late.problem != CRM_ROW_FINE ||
           crm_happened_row(tx, write->session, write->module, CRM_EVENT_EDIT, row->id, row, changed, fail);
}

// May run twice (store.h): everything that it leaves in the plan is set anew.
static bool write_planned(struct tx *tx, void *arg, struct fail *fail)
{
    struct crm_write *write = arg;
    fail_clear(fail);
    if (!crm_meta_check(write->session, fail)) {
        return false;
    }
    for (uint32_t i = 0; i < write->count; i++) {
        struct crm_row_plan *row = &write->rows[i];
        row->late = (struct crm_row_error){0};
        if (row->error.problem != CRM_ROW_FINE) {
            continue;
        }
        if (!(write->insert ? crm_row_insert(tx, write, row, fail) : crm_row_update(tx, write, row, fail))) {
            return false;
        }
    }
    return true;
}

// ---- insert and update --------------------------------------------------------------------------

struct value crm_row_result(const struct crm_write *write, uint32_t index, struct value written)
{
    const struct crm_session *session = write->session;
    const struct crm_row_plan *row = &write->rows[index];
    const struct crm_row_error *error = row->error.problem != CRM_ROW_FINE ? &row->error : &row->late;
    if (error->problem != CRM_ROW_FINE) {
        return crm_result_errors(session, index, error, row->others, row->other_count);
    }
    struct crm_row_done done = {.message = write->insert ? "record added" : "record updated",
                                .id = row->id,
                                .created_time = write->insert ? write->now_ms : row->created_time,
                                .created_by = write->insert ? session->user_id : row->created_by,
                                .modified_time = write->now_ms,
                                .modified_by = session->user_id,
                                .inserted = write->insert};
    return crm_result_done(session, &done, written);
}

// Answers stand in the order of the rows.
static struct value make_results(const struct crm_write *write)
{
    struct heap *heap = write->session->heap;
    struct value results = value_list(heap, write->count), written = crm_time_text(write->session, write->now_ms);
    for (uint32_t i = 0; results.type == VALUE_LIST && i < write->count; i++) {
        list_add(heap, results.list, crm_row_result(write, i, written));
    }
    return results;
}

// A call whose rows are all refused needs no transaction.
static bool any_fine(const struct crm_write *write)
{
    for (uint32_t i = 0; i < write->count; i++) {
        if (write->rows[i].error.problem == CRM_ROW_FINE) {
            return true;
        }
    }
    return false;
}

static bool write_once(struct crm_session *session, struct view module, const struct list *rows, bool insert, struct value *ret_results,
                       struct fail *fail)
{
    struct crm_write write = {.session = session, .insert = insert, .now_ms = clock_wall_ms() / 1000 * 1000};
    if (!crm_module_find(session, module, &write.module, fail)) {
        return false;
    }
    arena_init(&write.arena, CRM_SCRATCH_BYTES_MAX);
    bool done = crm_plan_rows(&write, rows, fail) && (!any_fine(&write) || crm_write_commit(session, write_planned, &write, fail));
    if (done) {
        *ret_results = make_results(&write);
    }
    arena_free(&write.arena);
    return done;
}

// When the metadata changed between pin and closure, the call is planned once more against what is there now.
static bool write_rows(struct crm_session *session, struct view module, struct value rows, bool insert, struct value *ret_results,
                       struct fail *fail)
{
    session->details = value_null();
    const struct list *list = value_as_list(rows);
    if (!list) {
        return fail_set(fail, FAIL_INVALID_DATA, "the rows must be a list of maps");
    }
    if (list->count > CRM_ROWS_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "at most %d records a call", CRM_ROWS_MAX);
    }
    return write_once(session, module, list, insert, ret_results, fail) ||
           (crm_session_retry(session, fail) && write_once(session, module, list, insert, ret_results, fail));
}

bool crm_records_insert(struct crm_session *session, struct view module, struct value rows, struct value *ret_results, struct fail *fail)
{
    return write_rows(session, module, rows, true, ret_results, fail);
}

bool crm_records_update(struct crm_session *session, struct view module, struct value rows, struct value *ret_results, struct fail *fail)
{
    return write_rows(session, module, rows, false, ret_results, fail);
}

// ---- clone --------------------------------------------------------------------------------------

// What an insert takes of a record as it is read: writable fields that hold something, without the unique ones and without files, which
// have one owner.
static struct value copy_fields(struct crm_session *session, const struct crm_module *module, const struct map *record)
{
    const struct crm_fields *fields = crm_fields_of(module);
    struct value row = value_map(session->heap, record->count);
    for (int i = 0; row.type == VALUE_MAP && i < fields->count; i++) {
        const struct crm_field *field = &fields->items[i];
        struct value value = map_get_text(record, crm_field_key(session, field));
        bool layout = view_eq(field->api_name, VIEW("Layout")); // each record of a module has the same
        if (field->writable && !field->unique && !field->files && !layout && !value_is_null(value) && field != fields->id) {
            map_put_text(session->heap, row.map, field->api_name, value);
        }
    }
    struct value parent = map_get_text(record, VIEW("$se_module"));
    if (row.type == VALUE_MAP && !value_is_null(parent)) {
        map_put_text(session->heap, row.map, VIEW("$se_module"), parent);
    }
    return row;
}

bool crm_record_clone(struct crm_session *session, struct view module_name, int64_t id, struct value *ret_result, struct fail *fail)
{
    struct crm_module *module;
    struct value record, rows = value_list(session->heap, 1), results;
    if (!crm_module_find(session, module_name, &module, fail) || !crm_record_get(session, module_name, id, &record, fail)) {
        return false;
    }
    *ret_result = value_null();
    if (record.type != VALUE_MAP || rows.type != VALUE_LIST) {
        return true;
    }
    list_add(session->heap, rows.list, copy_fields(session, module, record.map));
    if (!crm_records_insert(session, module_name, rows, &results, fail)) {
        return false;
    }
    const struct list *list = value_as_list(results);
    *ret_result = list && list->count ? list->items[0] : value_null();
    return true;
}
