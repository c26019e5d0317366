// SPDX-License-Identifier: Apache-2.0
// Files over REST that are no attachments: uploads (/files) and the photos of records. Limits are Zoho's: 10 files a call, 20 MB each,
// photos of 10 MB in four formats, told by their first bytes and not by what the client calls them.
//
// An upload waits for the record that claims it (file_field.c). One that waits too long is taken away when somebody uploads the next; how
// long Zoho keeps them is not said, 30 days are a GUESS.
#include "crm/file.h"

#include "crm/automation.h"
#include "crm/shape.h"

enum { SMALL_SQL_BYTES = 512, UPLOAD_DAYS_MAX = 30, NAME_BYTES_MAX = 1024, TYPE_BYTES_MAX = 256 };

static const int64_t DAY_MS = 24 * 60 * 60 * 1000;

void crm_file_handle(struct crm_new_file *file)
{
    random_hex(file->handle, CRM_FILE_HANDLE_BYTES);
}

const char *crm_image_type(struct view bytes)
{
    static const struct {
        struct view magic;
        const char *type;
    } IMAGES[] = {{{"\x89PNG\r\n\x1a\n", 8}, "image/png"},
                  {{"\xff\xd8\xff", 3}, "image/jpeg"},
                  {{"GIF87a", 6}, "image/gif"},
                  {{"GIF89a", 6}, "image/gif"},
                  {{"BM", 2}, "image/bmp"}};
    for (size_t i = 0; i < BASE_COUNT(IMAGES); i++) {
        if (view_starts(bytes, IMAGES[i].magic)) {
            return IMAGES[i].type;
        }
    }
    return NULL;
}

bool crm_file_add_tx(struct tx *tx, const struct crm_session *session, const struct crm_new_file *file, int64_t now_ms, struct fail *fail)
{
    int64_t id = file->id ? file->id : store_id(tx, fail);
    if (id == 0) {
        return false;
    }
    struct store_param row[] = {store_int(id),
                                store_text(file->type.len ? file->type : VIEW("application/octet-stream")),
                                store_blob(file->bytes.len ? file->bytes : VIEW("")),
                                store_text(file->name),
                                store_text((struct view){file->handle, CRM_FILE_HANDLE_BYTES}),
                                store_int(file->owner_id),
                                store_int((int64_t)file->bytes.len),
                                file->link.len ? store_text(file->link) : store_null(),
                                store_int(now_ms),
                                store_int(session->user_id)};
    return tx_exec(tx,
                   "INSERT INTO crm_file (id, type, content, name, handle, owner_id, size, link, created_time, created_by) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   row, BASE_COUNT(row), fail) &&
           (session->journal == 0 || store_journal_note(tx, session->journal, VIEW("crm_file"), id, VIEW_NONE, VIEW("{}"), fail));
}

bool crm_files_remove_tx(struct tx *tx, const struct crm_session *session, int64_t owner_id, struct fail *fail)
{
    struct store_param param = store_int(owner_id);
    return session->journal != 0 || tx_exec(tx, "DELETE FROM crm_file WHERE owner_id = ?", &param, 1, fail);
}

// ---- uploads ------------------------------------------------------------------------------------

struct upload_job {
    struct crm_session *session;
    struct crm_new_file files[CRM_UPLOAD_FILES_MAX];
    int count;
    int64_t now_ms;
};

static bool store_uploads(struct tx *tx, void *arg, struct fail *fail)
{
    const struct upload_job *job = arg;
    struct store_param old = store_int(job->now_ms - UPLOAD_DAYS_MAX * DAY_MS);
    fail_clear(fail);
    bool done = tx_exec(tx, "DELETE FROM crm_file WHERE owner_id = 0 AND created_time < ?", &old, 1, fail);
    for (int i = 0; done && i < job->count; i++) {
        done = crm_file_add_tx(tx, job->session, &job->files[i], job->now_ms, fail);
    }
    return done;
}

static struct value make_uploaded(const struct crm_session *session, const struct crm_new_file *file)
{
    struct heap *heap = session->heap;
    char message[NAME_BYTES_MAX + 64];
    struct value details = value_map(heap, 2);
    shape_text(heap, details, "name", file->name);
    shape_text(heap, details, "id", (struct view){file->handle, CRM_FILE_HANDLE_BYTES});
    snprintf(message, sizeof message, "%.*s uploaded Succeessfully", (int)utf8_clamp(file->name, NAME_BYTES_MAX), file->name.data);
    return crm_result_row(heap, "SUCCESS", details, message, "success"); // Zoho's spelling
}

// The name without folders: a browser's path says nothing about the file.
struct view crm_file_base_name(struct view name)
{
    for (size_t i = name.len; i > 0; i--) {
        if (name.data[i - 1] == '/' || name.data[i - 1] == '\\') {
            return view_from(name, i);
        }
    }
    return name;
}

static void fill(struct crm_new_file *file, const struct file *given)
{
    struct view name = crm_file_base_name(value_view_or(given->name, VIEW("")));
    file->name = name.len ? name : VIEW("file");
    file->type = value_view_or(given->type, VIEW(""));
    file->bytes = given->bytes;
    crm_file_handle(file);
}

bool crm_files_add(struct crm_session *session, const struct list *files, struct value *ret_results, struct fail *fail)
{
    session->details = value_null();
    if (files->count > CRM_UPLOAD_FILES_MAX) {
        return fail_set(fail, FAIL_BAD_REQUEST, "at most %d files a call", CRM_UPLOAD_FILES_MAX);
    }
    struct upload_job *job = heap_alloc(session->heap, sizeof *job); // not on a fiber's stack
    if (!job) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    memset(job, 0, sizeof *job);
    job->session = session;
    job->now_ms = clock_wall_ms();
    for (uint32_t i = 0; i < files->count; i++) {
        const struct file *file = files->items[i].file;
        if (file->bytes.len > CRM_ATTACHMENT_BYTES_MAX) {
            return fail_set(fail, FAIL_FILE_SIZE, NULL);
        }
        fill(&job->files[job->count++], file);
    }
    if (!store_write(crm_env(session->crm), store_uploads, job, fail)) {
        return false;
    }
    struct value results = value_list(session->heap, files->count);
    for (int i = 0; i < job->count; i++) {
        shape_add(session->heap, results, make_uploaded(session, &job->files[i]));
    }
    *ret_results = results;
    return true;
}

// ---- reading ------------------------------------------------------------------------------------

struct read_job {
    struct crm_session *session;
    const struct crm_module *module; // of a photo, NULL for a handle
    int64_t record_id;
    struct view handle;
    // by the closure
    bool found, record_found;
    struct value file;
};

static bool read_handle(struct tx *tx, struct read_job *job, struct view handle, int64_t owner_id, struct fail *fail)
{
    struct store_param params[] = {store_text(handle), store_int(owner_id)};
    struct rows *rows;
    if (!tx_query(tx,
                  owner_id ? "SELECT name, type, content FROM crm_file WHERE handle = ? AND owner_id = ?"
                           : "SELECT name, type, content FROM crm_file WHERE handle = ? AND link IS NULL",
                  params, owner_id ? 2 : 1, &rows, fail)) {
        return false;
    }
    job->found = rows_next(rows, fail);
    if (job->found) {
        char name[NAME_BYTES_MAX], type[TYPE_BYTES_MAX]; // a row's text lasts until the next one is asked for
        snprintf(name, sizeof name, "%.*s", VIEW_ARGS(rows_text(rows, 0)));
        snprintf(type, sizeof type, "%.*s", VIEW_ARGS(rows_text(rows, 1)));
        job->file = value_file(job->session->heap, rows_text(rows, 2), view_of(name), view_of(type));
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static bool read_upload(struct tx *tx, void *arg, struct fail *fail)
{
    struct read_job *job = arg;
    fail_clear(fail);
    return read_handle(tx, job, job->handle, 0, fail);
}

bool crm_file_get(struct crm_session *session, struct view handle, struct value *ret_file, struct fail *fail)
{
    struct read_job job = {.session = session, .handle = handle, .file = value_null()};
    if (!store_read(crm_env(session->crm), read_upload, &job, fail)) {
        return false;
    }
    *ret_file = job.file;
    return true;
}

// ---- photos -------------------------------------------------------------------------------------

static bool find_photo_module(struct crm_session *session, struct view name, struct crm_module **ret_module, struct fail *fail)
{
    session->details = value_null();
    if (!crm_module_find(session, name, ret_module, fail)) {
        return false;
    }
    const struct crm_field *field = crm_field_find(session, *ret_module, VIEW("Record_Image"));
    return (field && field->files == CRM_FILES_ONE) ||
           fail_set(fail, FAIL_INVALID_MODULE, "the given module is not supported for this api");
}

struct photo_job {
    struct crm_write write; // of the record
    struct crm_new_file file;
    bool no_record; // by the closure
};

// The file is stored, then the record claims it as it would claim an upload.
static bool store_photo(struct tx *tx, void *arg, struct fail *fail)
{
    struct photo_job *job = arg;
    struct crm_row_plan *row = &job->write.rows[0];
    bool exists = false;
    fail_clear(fail);
    row->late = (struct crm_row_error){0};
    if (!crm_meta_check(job->write.session, fail) || !crm_row_exists(tx, job->write.module, row->id, &exists, fail)) {
        return false;
    }
    job->no_record = !exists;
    return !exists ||
           (crm_file_add_tx(tx, job->write.session, &job->file, job->write.now_ms, fail) && crm_row_update(tx, &job->write, row, fail) &&
            (row->late.problem == CRM_ROW_FINE || fail_set(fail, FAIL_INTERNAL, "the photo's file is not there")));
}

static bool plan_photo(struct photo_job *job, int64_t record_id, struct fail *fail)
{
    struct heap *heap = job->write.session->heap;
    struct value row = value_map(heap, 2), rows = value_list(heap, 1);
    if (row.type != VALUE_MAP || rows.type != VALUE_LIST) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    shape_put(heap, row, "id", crm_id_text(heap, record_id));
    shape_text(heap, row, "Record_Image", (struct view){job->file.handle, CRM_FILE_HANDLE_BYTES});
    list_add(heap, rows.list, row);
    return crm_plan_rows(&job->write, rows.list, fail);
}

static bool set_once(struct crm_session *session, struct view module, int64_t record_id, const struct file *file, struct fail *fail)
{
    struct photo_job job = {.write = {.session = session, .now_ms = clock_wall_ms() / 1000 * 1000}};
    if (!find_photo_module(session, module, &job.write.module, fail)) {
        return false;
    }
    fill(&job.file, file);
    job.file.type = view_of(crm_image_type(file->bytes));
    arena_init(&job.write.arena, CRM_SCRATCH_BYTES_MAX);
    bool done = plan_photo(&job, record_id, fail) && crm_write_commit(session, store_photo, &job, fail);
    arena_free(&job.write.arena);
    return done && (!job.no_record || fail_set(fail, FAIL_NOT_FOUND, NULL));
}

bool crm_photo_set(struct crm_session *session, struct view module, int64_t record_id, const struct file *file, struct fail *fail)
{
    if (file->bytes.len > CRM_PHOTO_BYTES_MAX) {
        return fail_set(fail, FAIL_FILE_SIZE, NULL);
    }
    if (!crm_image_type(file->bytes)) {
        return fail_set(fail, FAIL_INVALID_DATA, "the file is no PNG, JPEG, GIF or BMP image");
    }
    return set_once(session, module, record_id, file, fail) ||
           (crm_session_retry(session, fail) && set_once(session, module, record_id, file, fail));
}

static bool read_photo(struct tx *tx, void *arg, struct fail *fail)
{
    struct read_job *job = arg;
    char sql[SMALL_SQL_BYTES], handle[CRM_FILE_HANDLE_BYTES];
    struct store_param id = store_int(job->record_id);
    struct rows *rows;
    fail_clear(fail);
    snprintf(sql, sizeof sql, "SELECT \"Record_Image\" FROM %.*s WHERE \"id\"=?", VIEW_ARGS(job->module->quoted));
    if (!tx_query(tx, sql, &id, 1, &rows, fail)) {
        return false;
    }
    job->record_found = rows_next(rows, fail);
    struct view text = job->record_found && rows_type(rows, 0) == STORE_TEXT ? rows_text(rows, 0) : VIEW("");
    bool has = text.len == CRM_FILE_HANDLE_BYTES;
    if (has) {
        memcpy(handle, text.data, sizeof handle);
    }
    rows_close(rows);
    job->found = false;
    return fail->code == FAIL_NONE && (!has || read_handle(tx, job, (struct view){handle, sizeof handle}, job->record_id, fail));
}

bool crm_photo_get(struct crm_session *session, struct view module, int64_t record_id, struct value *ret_file, struct fail *fail)
{
    struct read_job job = {.session = session, .record_id = record_id, .file = value_null()};
    struct crm_module *found;
    if (!find_photo_module(session, module, &found, fail)) {
        return false;
    }
    job.module = found;
    if (!store_read(crm_env(session->crm), read_photo, &job, fail)) {
        return false;
    }
    *ret_file = job.file;
    return job.record_found || fail_set(fail, FAIL_NOT_FOUND, NULL);
}

bool crm_photo_remove(struct crm_session *session, struct view module, int64_t record_id, struct fail *fail)
{
    struct heap *heap = session->heap;
    struct value file, row = value_map(heap, 2), rows = value_list(heap, 1), results;
    if (!crm_photo_get(session, module, record_id, &file, fail)) {
        return false;
    }
    if (value_is_null(file)) {
        return fail_set(fail, FAIL_INVALID_DATA, "the record has no photo");
    }
    shape_put(heap, row, "id", crm_id_text(heap, record_id));
    shape_put(heap, row, "Record_Image", value_null());
    shape_add(heap, rows, row);
    return crm_records_update(session, module, rows, &results, fail);
}
