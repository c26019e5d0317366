// SPDX-License-Identifier: Apache-2.0
// Attachments: a record of the module Attachments, which every module lists under that name, and its bytes in crm_file under the same id.
// Both are rows of the environment's data base, so an attachment is durable when its answer is given, and goes with a copy of the file.
#include "crm/automation.h"
#include "crm/shape.h"

struct attach_job {
    struct crm_write write; // of the record in Attachments
    struct crm_module *parent;
    int64_t parent_id;
    struct crm_new_file file;
    bool no_parent; // by the closure
};

static bool insert_file(struct tx *tx, struct attach_job *job, struct fail *fail)
{
    int64_t id = job->write.rows[0].id;
    struct store_param size[] = {store_int((int64_t)job->file.bytes.len), store_int(id)};
    job->file.id = job->file.owner_id = id;
    return crm_file_add_tx(tx, job->write.session, &job->file, job->write.now_ms, fail) &&
           (job->file.link.len || tx_exec(tx, "UPDATE \"Attachments\" SET \"Size\"=? WHERE \"id\"=?", size, BASE_COUNT(size), fail));
}

static bool attach(struct tx *tx, void *arg, struct fail *fail)
{
    struct attach_job *job = arg;
    struct crm_row_plan *row = &job->write.rows[0];
    bool exists = false;
    fail_clear(fail);
    row->late = (struct crm_row_error){0};
    if (!crm_meta_check(job->write.session, fail) || !crm_row_exists(tx, job->parent, job->parent_id, &exists, fail)) {
        return false;
    }
    job->no_parent = !exists;
    if (!exists) {
        return true;
    }
    return crm_row_insert(tx, &job->write, row, fail) && (row->late.problem != CRM_ROW_FINE || insert_file(tx, job, fail));
}

static bool plan_record(struct attach_job *job, struct fail *fail)
{
    struct heap *heap = job->write.session->heap;
    struct value row = value_map(heap, 3), rows = value_list(heap, 1);
    if (row.type != VALUE_MAP || rows.type != VALUE_LIST) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    map_put_text(heap, row.map, VIEW("File_Name"), value_text(heap, job->file.name));
    map_put_text(heap, row.map, VIEW("Parent_Id"), crm_id_text(heap, job->parent_id));
    map_put_text(heap, row.map, VIEW("$se_module"), value_text(heap, job->parent->api_name));
    list_add(heap, rows.list, row);
    return crm_plan_rows(&job->write, rows.list, fail);
}

static struct value make_result(const struct attach_job *job)
{
    const struct crm_session *session = job->write.session;
    const struct crm_row_plan *row = &job->write.rows[0];
    if (job->no_parent) {
        struct crm_row_error error = {.problem = CRM_ROW_NO_RECORD, .api_name = VIEW("id")};
        return crm_result_error(session, 0, &error);
    }
    if (row->error.problem != CRM_ROW_FINE || row->late.problem != CRM_ROW_FINE) {
        return crm_result_error(session, 0, row->error.problem != CRM_ROW_FINE ? &row->error : &row->late);
    }
    struct crm_row_done done = {.message = "attachment uploaded successfully",
                                .id = row->id,
                                .created_time = job->write.now_ms,
                                .created_by = session->user_id,
                                .modified_time = job->write.now_ms,
                                .modified_by = session->user_id};
    return crm_result_done(session, &done, crm_time_text(session, job->write.now_ms));
}

static bool attach_once(struct crm_session *session, struct view module, int64_t record_id, const struct crm_new_file *file,
                        struct value *ret_result, struct fail *fail)
{
    struct attach_job job = {
        .write = {.session = session, .insert = true, .now_ms = clock_wall_ms() / 1000 * 1000}, .parent_id = record_id, .file = *file};
    if (!crm_module_find(session, module, &job.parent, fail) || !crm_module_find(session, VIEW("Attachments"), &job.write.module, fail)) {
        return false;
    }
    arena_init(&job.write.arena, CRM_SCRATCH_BYTES_MAX);
    bool done =
        plan_record(&job, fail) && (job.write.rows[0].error.problem != CRM_ROW_FINE || crm_write_commit(session, attach, &job, fail));
    if (done) {
        *ret_result = make_result(&job);
    }
    arena_free(&job.write.arena);
    return done;
}

static bool attach_file(struct crm_session *session, struct view module, int64_t record_id, struct crm_new_file *file,
                        struct value *ret_result, struct fail *fail)
{
    session->details = value_null();
    crm_file_handle(file);
    return attach_once(session, module, record_id, file, ret_result, fail) ||
           (crm_session_retry(session, fail) && attach_once(session, module, record_id, file, ret_result, fail));
}

bool crm_attachment_add(struct crm_session *session, struct view module, int64_t record_id, const struct file *file,
                        struct value *ret_result, struct fail *fail)
{
    struct view name = crm_file_base_name(value_view_or(file->name, VIEW("")));
    struct crm_new_file new = {.name = name.len ? name : VIEW("file"), .type = value_view_or(file->type, VIEW("")), .bytes = file->bytes};
    if (file->bytes.len > CRM_ATTACHMENT_BYTES_MAX) { // code and words: GUESS
        *ret_result = crm_result_row(session->heap, "FILE_SIZE_MORE_THAN_ALLOWED_SIZE", value_map(session->heap, 0),
                                     "the file is larger than the 20 MB allowed", "error");
        return true;
    }
    return attach_file(session, module, record_id, &new, ret_result, fail);
}

// Links are shown, never followed: what they begin with is all that is asked of them.
bool crm_attachment_link(struct crm_session *session, struct view module, int64_t record_id, struct view link, struct view title,
                         struct value *ret_result, struct fail *fail)
{
    bool web = view_starts_nocase(link, VIEW("http://")) || view_starts_nocase(link, VIEW("https://"));
    struct crm_new_file new = {.name = title.len ? title : link, .type = VIEW("text/uri-list"), .link = link};
    if (!web || link.len > CRM_LINK_BYTES_MAX) {
        session->details = value_null();
        crm_details_set(session, "param_name", VIEW("attachmentUrl"));
        return fail_set(fail, FAIL_INVALID_DATA, "attachmentUrl is an http or https address of at most %d bytes", CRM_LINK_BYTES_MAX);
    }
    return attach_file(session, module, record_id, &new, ret_result, fail);
}

// ---- reading ------------------------------------------------------------------------------------

struct file_job {
    struct crm_session *session;
    int64_t id;
    bool found, link;
    struct value file;
};

static bool read_file(struct tx *tx, void *arg, struct fail *fail)
{
    struct file_job *job = arg;
    struct store_param param = store_int(job->id);
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx,
                  "SELECT a.\"File_Name\", f.type, f.content, f.link FROM crm_file f JOIN \"Attachments\" a ON a.\"id\"=f.id WHERE f.id=?",
                  &param, 1, &rows, fail)) {
        return false;
    }
    job->found = rows_next(rows, fail);
    if (job->found) {
        job->link = rows_type(rows, 3) == STORE_TEXT;
        char name[1024], type[256]; // a row's text lasts until the next one is asked for
        snprintf(name, sizeof name, "%.*s", VIEW_ARGS(rows_text(rows, 0)));
        snprintf(type, sizeof type, "%.*s", VIEW_ARGS(rows_text(rows, 1)));
        job->file = value_file(job->session->heap, rows_text(rows, 2), view_of(name), view_of(type));
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool crm_attachment_get(struct crm_session *session, int64_t attachment_id, struct value *ret_file, struct fail *fail)
{
    struct file_job job = {.session = session, .id = attachment_id};
    if (!store_read(crm_env(session->crm), read_file, &job, fail)) {
        return false;
    }
    if (!job.found) {
        return fail_set(fail, FAIL_NOT_FOUND, "there is no such attachment");
    }
    if (job.link) {
        return fail_set(fail, FAIL_NOT_SUPPORTED, "the attachment is a link: it has no bytes here");
    }
    *ret_file = job.file;
    return true;
}

// ---- showing ------------------------------------------------------------------------------------

bool crm_attachment_show(struct tx *tx, struct crm_session *session, int64_t id, struct value record, struct fail *fail)
{
    struct heap *heap = session->heap;
    struct store_param param = store_int(id);
    struct rows *rows;
    if (!tx_query(tx, "SELECT handle, link FROM crm_file WHERE id = ?", &param, 1, &rows, fail)) {
        return false;
    }
    bool found = rows_next(rows, fail), link = found && rows_type(rows, 1) == STORE_TEXT;
    shape_text(heap, record, "$type", link ? VIEW("Link URL") : VIEW("Attachment"));
    shape_put(heap, record, "$link_url", link ? value_text(heap, rows_text(rows, 1)) : value_null());
    bool file = found && !link && rows_type(rows, 0) == STORE_TEXT;
    shape_put(heap, record, "$file_id", file ? value_text(heap, rows_text(rows, 0)) : value_null());
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool crm_hangs_check(struct crm_session *session, struct view child_module, int64_t id, struct view module, int64_t record_id,
                     struct fail *fail)
{
    struct value record;
    int64_t parent;
    const struct crm_module *owner = crm_module_resolve(session, module);
    if (!owner || !crm_record_get(session, child_module, id, &record, fail)) {
        return owner ? false : fail_set(fail, FAIL_INVALID_MODULE, NULL);
    }
    const struct map *map = value_as_map(record), *pair = map ? value_as_map(map_get_text(map, VIEW("Parent_Id"))) : NULL;
    bool own = pair && crm_id_read(map_get_text(pair, VIEW("id")), &parent) && parent == record_id &&
               view_eq_nocase(value_view_or(map_get_text(map, VIEW("$se_module")), VIEW("")), owner->api_name);
    return own || fail_set(fail, FAIL_NOT_FOUND, NULL);
}

bool crm_attachment_of(struct crm_session *session, struct view module, int64_t record_id, int64_t attachment_id, struct value *ret_file,
                       struct fail *fail)
{
    return crm_hangs_check(session, VIEW("Attachments"), attachment_id, module, record_id, fail) &&
           crm_attachment_get(session, attachment_id, ret_file, fail);
}
