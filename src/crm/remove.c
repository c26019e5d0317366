// SPDX-License-Identifier: Apache-2.0
// Deleting records. Each call is one closure of store_write; a record that is not there, or was changed since the caller looked, stops none
// of the others. With a record go its notes, attachments and links. Look-ups that point at it stay as they are stored and read as unset.
#include "crm/automation.h"
#include "crm/file.h"

enum { SMALL_SQL_BYTES = 512 };

bool crm_row_unmodified(struct tx *tx, const struct crm_session *session, const struct crm_module *module, int64_t id,
                        struct crm_row_error *ret_error, struct fail *fail)
{
    const struct crm_fields *fields = crm_fields_of(module);
    char sql[SMALL_SQL_BYTES];
    struct store_param param = store_int(id);
    struct rows *rows;
    if (session->unmodified_since_ms == 0 || !fields->modified_time) {
        return true;
    }
    snprintf(sql, sizeof sql, "SELECT %.*s, %.*s, %.*s FROM %.*s WHERE \"id\"=?", VIEW_ARGS(fields->modified_time->quoted),
             VIEW_ARGS(fields->modified_by ? fields->modified_by->quoted : VIEW("0")),
             VIEW_ARGS(fields->created_time ? fields->created_time->quoted : VIEW("0")), VIEW_ARGS(module->quoted));
    if (!tx_query(tx, sql, &param, 1, &rows, fail)) {
        return false;
    }
    if (rows_next(rows, fail) && rows_int(rows, 0) > session->unmodified_since_ms) {
        *ret_error = (struct crm_row_error){.problem = CRM_ROW_MODIFIED,
                                            .id = id,
                                            .modified_time = rows_int(rows, 0),
                                            .owner_id = rows_int(rows, 1),
                                            .created_time = rows_int(rows, 2)};
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

// ---- one record ---------------------------------------------------------------------------------

struct delete_job {
    struct crm_session *session;
    const struct crm_module *module;
    const int64_t *ids;
    int count;
    struct crm_row_error *errors; // by the closure, one an id
    int64_t now_ms;
};

// A row of a table with the column id goes; noted in an open install journal.
static bool remove_row(struct tx *tx, const struct crm_session *session, struct view table, struct view quoted, int64_t id,
                       struct fail *fail)
{
    char sql[SMALL_SQL_BYTES];
    struct buffer before = {0};
    struct store_param param = store_int(id);
    snprintf(sql, sizeof sql, "SELECT * FROM %.*s WHERE \"id\"=?", VIEW_ARGS(quoted));
    bool done = session->journal == 0 || crm_journal_row(tx, sql, id, &before, fail);
    snprintf(sql, sizeof sql, "DELETE FROM %.*s WHERE \"id\"=?", VIEW_ARGS(quoted));
    done = done && tx_exec(tx, sql, &param, 1, fail) &&
           (session->journal == 0 || store_journal_note(tx, session->journal, table, id, buffer_view(&before), VIEW_NONE, fail));
    buffer_free(&before);
    return done;
}

static bool remove_record(struct tx *tx, const struct delete_job *job, const struct crm_module *module, int64_t id, struct fail *fail)
{
    return crm_deleted_note(tx, job->session, module, id, job->now_ms, fail) &&
           remove_row(tx, job->session, module->api_name, module->quoted, id, fail) && crm_files_remove_tx(tx, job->session, id, fail);
}

// Notes or attachments of a record, one after another: each leaves its own trace. A note takes its own attachments with it.
static bool remove_children(struct tx *tx, const struct delete_job *job, struct view name, const struct crm_module *parent, int64_t id,
                            struct fail *fail)
{
    struct crm_module *children = crm_module_resolve(job->session, name);
    const struct crm_fields *fields = children ? crm_fields_of(children) : NULL;
    struct store_param params[] = {store_int(id), store_text(parent->api_name), store_int(0)};
    char sql[SMALL_SQL_BYTES];
    if (!fields || !fields->se_module) {
        return true;
    }
    snprintf(sql, sizeof sql, "SELECT \"id\" FROM %.*s WHERE \"Parent_Id\"=? AND \"$se_module\"=? AND \"id\">? ORDER BY \"id\" LIMIT 1",
             VIEW_ARGS(children->quoted));
    for (;;) {
        int64_t child;
        bool found = false;
        if (!tx_query_int(tx, sql, params, BASE_COUNT(params), &child, &found, fail)) {
            return false;
        }
        if (!found) {
            return true;
        }
        bool note = view_eq(name, VIEW("Notes"));
        if (!remove_record(tx, job, children, child, fail) ||
            (note && !remove_children(tx, job, VIEW("Attachments"), children, child, fail))) {
            return false;
        }
        params[2] = store_int(child);
    }
}

// Ids are unique over all modules: links that name the id are the record's.
static bool remove_links(struct tx *tx, const struct delete_job *job, int64_t id, struct fail *fail)
{
    struct store_param params[] = {store_int(id), store_int(id)};
    static const char where[] = "FROM crm_relation WHERE parent_id=? OR child_id=?";
    char sql[SMALL_SQL_BYTES];
    int64_t link;
    bool found = true;
    if (job->session->journal == 0) {
        snprintf(sql, sizeof sql, "DELETE %s", where);
        return tx_exec(tx, sql, params, BASE_COUNT(params), fail);
    }
    snprintf(sql, sizeof sql, "SELECT id %s LIMIT 1", where);
    while (found) {
        if (!tx_query_int(tx, sql, params, BASE_COUNT(params), &link, &found, fail) ||
            (found && !remove_row(tx, job->session, VIEW("crm_relation"), VIEW("crm_relation"), link, fail))) {
            return false;
        }
    }
    return true;
}

static bool delete_row(struct tx *tx, const struct delete_job *job, int64_t id, struct crm_row_error *error, struct fail *fail)
{
    bool exists = false;
    if (!crm_row_exists(tx, job->module, id, &exists, fail) ||
        (exists && !crm_row_unmodified(tx, job->session, job->module, id, error, fail))) {
        return false;
    }
    if (!exists) {
        *error = (struct crm_row_error){.problem = CRM_ROW_GONE, .id = id};
    }
    if (error->problem != CRM_ROW_FINE) {
        return true;
    }
    if (crm_happened_wants(job->session, job->module, CRM_EVENT_DELETE) &&
        !crm_happened_row(tx, job->session, job->module, CRM_EVENT_DELETE, id, NULL, NULL, fail)) {
        return false;
    }
    return remove_record(tx, job, job->module, id, fail) && remove_children(tx, job, VIEW("Notes"), job->module, id, fail) &&
           remove_children(tx, job, VIEW("Attachments"), job->module, id, fail) && remove_links(tx, job, id, fail);
}

// ---- the call -----------------------------------------------------------------------------------

static bool delete_rows(struct tx *tx, void *arg, struct fail *fail)
{
    struct delete_job *job = arg;
    fail_clear(fail);
    if (!crm_meta_check(job->session, fail)) {
        return false;
    }
    for (int i = 0; i < job->count; i++) {
        job->errors[i] = (struct crm_row_error){0};
        if (!delete_row(tx, job, job->ids[i], &job->errors[i], fail)) {
            return false;
        }
    }
    return true;
}

// The fields of what goes along are loaded before the closure, which must not wait.
static bool load_children(struct crm_session *session, struct fail *fail)
{
    static const char *const names[] = {"Notes", "Attachments"};
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        struct crm_module *module = crm_module_resolve(session, view_of(names[i]));
        if (module && !crm_fields_load(session, module, fail)) {
            return false;
        }
    }
    return true;
}

static bool delete_once(struct crm_session *session, struct view module, struct delete_job *job, struct fail *fail)
{
    struct crm_module *found;
    if (!crm_module_find(session, module, &found, fail) || !load_children(session, fail)) {
        return false;
    }
    job->module = found;
    return crm_write_commit(session, delete_rows, job, fail);
}

bool crm_records_delete(struct crm_session *session, struct view module, const int64_t *ids, int count, struct value *ret_results,
                        struct fail *fail)
{
    struct delete_job job = {.session = session, .ids = ids, .count = count, .now_ms = clock_wall_ms() / 1000 * 1000};
    session->details = value_null();
    if (count < 0 || count > CRM_ROWS_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "at most %d records a call", CRM_ROWS_MAX);
    }
    job.errors = heap_alloc(session->heap, ((size_t)count + 1) * sizeof *job.errors);
    if (!job.errors) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!delete_once(session, module, &job, fail) && !(crm_session_retry(session, fail) && delete_once(session, module, &job, fail))) {
        return false;
    }
    struct value results = value_list(session->heap, (size_t)count);
    for (int i = 0; results.type == VALUE_LIST && i < count; i++) {
        list_add(session->heap, results.list,
                 job.errors[i].problem != CRM_ROW_FINE ? crm_result_error(session, (uint32_t)i, &job.errors[i])
                                                       : crm_result_deleted(session, ids[i]));
    }
    *ret_results = results;
    return true;
}
