// SPDX-License-Identifier: Apache-2.0
// Bulk jobs and their files as rows (bulk.h): adding, taking, ending them, and what REST shows of them. What a step of a job does is
// bulk_read.c's and bulk_write.c's.
#include "crm/bulk.h"

enum { UPLOADS_MAX = 100, UPLOAD_MS = 24 * 60 * 60 * 1000 };

static const char WAITING[] = "('ADDED','IN PROGRESS')";

bool bulk_refuse(struct crm_session *session, enum fail_code code, const char *api_name, const char *text, struct fail *fail)
{
    char copy[FAIL_TEXT_MAX];
    snprintf(copy, sizeof copy, "%s", text ? text : fail_default_text(code));
    session->details = value_null();
    crm_details_set(session, "api_name", view_of(api_name));
    return fail_set(fail, code, "%s", copy);
}

struct view crm_bulk_module(const struct map *request, bool write)
{
    const struct list *resources = write ? value_as_list(shape_get(request, "resource")) : NULL;
    const struct map *holder =
        write ? (resources && resources->count ? value_as_map(resources->items[0]) : NULL) : value_as_map(shape_get(request, "query"));
    struct value module = shape_get(holder, "module");
    return module.type == VALUE_TEXT ? value_view(module) : crm_map_view(value_as_map(module), "api_name");
}

// {"url","method":"post"}: told when the job has ended.
bool bulk_callback_read(struct crm_session *session, const struct map *request, struct value *ret_callback, struct fail *fail)
{
    struct value given = shape_get(request, "callback");
    const struct map *callback = value_as_map(given);
    struct view url = crm_map_view(callback, "url");
    *ret_callback = given;
    if (value_is_null(given)) {
        return true;
    }
    if (!callback || (!view_starts_nocase(url, VIEW("http://")) && !view_starts_nocase(url, VIEW("https://"))) || url.len > 4096) {
        return bulk_refuse(session, FAIL_INVALID_DATA, "url", NULL, fail);
    }
    return view_eq_nocase(crm_map_view(callback, "method"), VIEW("post")) || bulk_refuse(session, FAIL_INVALID_DATA, "method", NULL, fail);
}

// ---- adding -------------------------------------------------------------------------------------

struct adding {
    struct crm_session *session;
    const char *kind;
    struct view definition;
    int64_t id, now_ms;
};

static bool drop_file(struct tx *tx, int64_t file_id, struct fail *fail)
{
    const struct store_param id = store_int(file_id);
    return tx_exec(tx, "DELETE FROM crm_bulk_piece WHERE file_id = ?", &id, 1, fail) &&
           tx_exec(tx, "DELETE FROM crm_bulk_file WHERE id = ?", &id, 1, fail);
}

// The oldest that have ended make room; a job's result has the job's id.
static bool drop_old(struct tx *tx, struct fail *fail)
{
    int64_t count = 0, oldest = 0;
    bool found = true, any;
    if (!tx_query_int(tx, "SELECT COUNT(*) FROM crm_bulk_job", NULL, 0, &count, &any, fail)) {
        return false;
    }
    for (; found && count >= CRM_BULK_JOBS_MAX; count--) {
        if (!tx_query_int(tx, "SELECT id FROM crm_bulk_job WHERE state IN ('COMPLETED','FAILED') ORDER BY id LIMIT 1", NULL, 0, &oldest,
                          &found, fail)) {
            return false;
        }
        const struct store_param id = store_int(oldest);
        if (found && (!drop_file(tx, oldest, fail) || !tx_exec(tx, "DELETE FROM crm_bulk_job WHERE id = ?", &id, 1, fail))) {
            return false;
        }
    }
    return true;
}

static bool add_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct adding *adding = arg;
    int64_t waiting = 0;
    bool found;
    if (!drop_old(tx, fail) ||
        !tx_query_int(tx, "SELECT COUNT(*) FROM crm_bulk_job WHERE state IN ('ADDED','IN PROGRESS')", NULL, 0, &waiting, &found, fail)) {
        return false;
    }
    if (waiting >= CRM_BULK_WAITING_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "%d bulk jobs are waiting, which is the most there may be", CRM_BULK_WAITING_MAX);
    }
    adding->id = store_id(tx, fail);
    const struct store_param row[] = {store_int(adding->id), store_text(view_of(adding->kind)), store_text(adding->definition),
                                      store_int(adding->now_ms), store_int(adding->session->user_id)};
    const struct store_param file[] = {store_int(adding->id), store_int(adding->now_ms), store_int(adding->session->user_id)};
    return adding->id &&
           tx_exec(tx,
                   "INSERT INTO crm_bulk_job (id, kind, state, definition, progress, taken, created_time, created_by)"
                   " VALUES (?, ?, 'ADDED', ?, '{}', 0, ?, ?)",
                   row, BASE_COUNT(row), fail) &&
           tx_exec(tx, "INSERT INTO crm_bulk_file (id, name, bytes, created_time, created_by) VALUES (?, 'result.zip', 0, ?, ?)", file, 3,
                   fail);
}

bool bulk_add(struct crm_session *session, const char *kind, struct value definition, int64_t *ret_id, struct fail *fail)
{
    struct adding adding = {.session = session, .kind = kind, .now_ms = clock_wall_ms() / 1000 * 1000};
    struct buffer json;
    buffer_init(&json, BULK_JSON_BYTES_MAX);
    bool good = json_write(&json, definition, NULL, fail) && (!json.failed || fail_set(fail, FAIL_LIMIT_EXCEEDED, NULL));
    adding.definition = buffer_view(&json);
    good = good && store_write(crm_env(session->crm), add_tx, &adding, fail);
    buffer_free(&json);
    if (good) {
        *ret_id = adding.id;
        crm_tell_pending(session->crm);
    }
    return good;
}

// ---- files --------------------------------------------------------------------------------------

struct file_job {
    struct crm_session *session;
    int64_t id, number, bytes;
    struct view name, content;
    struct buffer *out;
    bool found;
};

static bool add_piece(struct tx *tx, int64_t file_id, int64_t number, struct view bytes, struct fail *fail)
{
    const struct store_param row[] = {store_int(store_id(tx, fail)), store_int(file_id), store_int(number), store_blob(bytes)};
    return row[0].integer && tx_exec(tx,
                                     "INSERT INTO crm_bulk_piece (id, file_id, number, content) VALUES (?, ?, ?, ?)"
                                     " ON CONFLICT (file_id, number) DO UPDATE SET content = excluded.content",
                                     row, 4, fail);
}

// Uploads of the day before are forgotten; there may be so many of a day.
static bool drop_uploads(struct tx *tx, struct fail *fail)
{
    static const char *const old_sql = "SELECT f.id FROM crm_bulk_file f LEFT JOIN crm_bulk_job j ON j.id = f.id WHERE j.id IS NULL AND"
                                       " f.created_time < ? LIMIT 1";
    const struct store_param before = store_int(clock_wall_ms() - UPLOAD_MS);
    int64_t id = 0, count = 0;
    bool found = true;
    for (int i = 0; found && i < UPLOADS_MAX; i++) {
        if (!tx_query_int(tx, old_sql, &before, 1, &id, &found, fail) || (found && !drop_file(tx, id, fail))) {
            return false;
        }
    }
    return tx_query_int(tx, "SELECT COUNT(*) FROM crm_bulk_file f LEFT JOIN crm_bulk_job j ON j.id = f.id WHERE j.id IS NULL", NULL, 0,
                        &count, &found, fail) &&
           (count < UPLOADS_MAX || fail_set(fail, FAIL_LIMIT_EXCEEDED, "at most %d files can be uploaded a day", UPLOADS_MAX));
}

static bool begin_file_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct file_job *job = arg;
    if (!drop_uploads(tx, fail)) {
        return false;
    }
    job->id = store_id(tx, fail);
    const struct store_param row[] = {store_int(job->id), store_text(job->name), store_int(-1), store_int(clock_wall_ms()),
                                      store_int(job->session->user_id)};
    return job->id &&
           tx_exec(tx, "INSERT INTO crm_bulk_file (id, name, bytes, created_time, created_by) VALUES (?, ?, ?, ?, ?)", row, 5, fail);
}

static bool piece_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct file_job *job = arg;
    return add_piece(tx, job->id, job->number, view_slice(job->content, (size_t)job->number * CRM_BULK_PIECE_BYTES, CRM_BULK_PIECE_BYTES),
                     fail);
}

static bool end_file_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct file_job *job = arg;
    const struct store_param row[] = {store_int((int64_t)job->content.len), store_int(job->id)};
    return tx_exec(tx, "UPDATE crm_bulk_file SET bytes = ? WHERE id = ?", row, 2, fail);
}

bool crm_bulk_file_add(struct crm_session *session, struct view name, struct view bytes, int64_t *ret_id, struct fail *fail)
{
    struct file_job job = {.session = session, .name = name, .content = bytes};
    struct store_env *env = crm_env(session->crm);
    bool good = store_write(env, begin_file_tx, &job, fail);
    for (; good && (size_t)job.number * CRM_BULK_PIECE_BYTES < bytes.len; job.number++) { // a closure each: others come in between
        good = store_write(env, piece_tx, &job, fail);
    }
    good = good && store_write(env, end_file_tx, &job, fail);
    *ret_id = job.id;
    return good;
}

static bool size_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct file_job *job = arg;
    const struct store_param id = store_int(job->id);
    return tx_query_int(tx, "SELECT bytes FROM crm_bulk_file WHERE id = ? AND bytes >= 0", &id, 1, &job->bytes, &job->found, fail);
}

bool crm_bulk_file_size(struct crm *crm, int64_t file_id, int64_t *ret_bytes, struct fail *fail)
{
    struct file_job job = {.id = file_id};
    if (!store_read(crm_env(crm), size_tx, &job, fail)) {
        return false;
    }
    *ret_bytes = job.bytes;
    return job.found || fail_set(fail, FAIL_NOT_FOUND, "there is no such file");
}

static bool read_piece_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct file_job *job = arg;
    const struct store_param key[] = {store_int(job->id), store_int(job->number)};
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT content FROM crm_bulk_piece WHERE file_id = ? AND number = ?", key, 2, &rows, fail)) {
        return false;
    }
    job->found = rows_next(rows, fail);
    if (job->found) {
        buffer_add(job->out, rows_text(rows, 0));
    }
    rows_close(rows);
    return fail->code == FAIL_NONE && (!job->out->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

bool crm_bulk_file_piece(struct crm *crm, int64_t file_id, int64_t number, struct buffer *out, struct fail *fail)
{
    struct file_job job = {.id = file_id, .number = number, .out = out};
    return store_read(crm_env(crm), read_piece_tx, &job, fail) && job.found;
}

// ---- one job ------------------------------------------------------------------------------------

struct get_job {
    struct crm_session *session;
    int64_t id, taken;
    struct crm_bulk *job;
    bool found;
};

static bool get_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct get_job *get = arg;
    struct heap *heap = get->session->heap;
    const struct store_param id = store_int(get->id);
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT kind, state, definition, progress, taken, created_time, created_by FROM crm_bulk_job WHERE id = ?", &id, 1,
                  &rows, fail)) {
        return false;
    }
    get->found = rows_next(rows, fail);
    if (get->found) {
        *get->job = (struct crm_bulk){.id = get->id, .file_id = get->id, .write = view_eq(rows_text(rows, 0), VIEW("write"))};
        get->job->state = value_view_or(value_text(heap, rows_text(rows, 1)), VIEW(""));
        get->taken = rows_int(rows, 4);
        get->job->created_ms = rows_int(rows, 5);
        get->job->created_by = rows_int(rows, 6);
        get->found = json_read(heap, rows_text(rows, 2), &get->job->definition, fail) &&
                     json_read(heap, rows_text(rows, 3), &get->job->progress, fail);
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool crm_bulk_get(struct crm_session *session, bool write, int64_t id, struct crm_bulk *ret_job, bool *ret_found, struct fail *fail)
{
    struct get_job get = {.session = session, .id = id, .job = ret_job};
    if (!store_read(crm_env(session->crm), get_tx, &get, fail)) {
        return false;
    }
    *ret_found =
        get.found && ret_job->write == write && (ret_job->created_by == session->user_id || session->user_id == crm_admin_id(session));
    return true;
}

static struct value show_read(struct crm_session *session, const struct crm_bulk *job, struct view url)
{
    struct heap *heap = session->heap;
    const struct map *definition = value_as_map(job->definition), *progress = value_as_map(job->progress);
    struct value shown = value_map(heap, 8), result = value_map(heap, 6);
    bool done = view_eq(job->state, VIEW("COMPLETED"));
    shape_put(heap, shown, "id", crm_id_text(heap, job->id));
    shape_text(heap, shown, "operation", VIEW("read"));
    shape_text(heap, shown, "state", job->state);
    if (done) {
        shape_put(heap, result, "page", value_number(crm_map_int(value_as_map(shape_get(definition, "query")), "page", 1)));
        shape_put(heap, result, "count", value_number(bulk_int(progress, "rows")));
        shape_text(heap, result, "download_url", url);
        shape_put(heap, result, "per_page", value_number(CRM_BULK_PAGE_ROWS));
        shape_put(heap, result, "more_records", value_bool(bulk_int(progress, "more") != 0));
        shape_put(heap, shown, "result", result);
    } else if (view_eq(job->state, VIEW("FAILED"))) {
        shape_put(heap, result, "error_message", shape_get(progress, "reason"));
        shape_put(heap, shown, "result", result);
    }
    shape_put(heap, shown, "query", shape_get(definition, "query"));
    shape_put(heap, shown, "created_by", shape_user(session, job->created_by));
    shape_put(heap, shown, "created_time", shape_time(session, job->created_ms));
    shape_text(heap, shown, "file_type", VIEW("csv"));
    return shown;
}

static const char *word_of(struct view state)
{
    return view_eq(state, VIEW("IN PROGRESS")) ? "INPROGRESS"
           : view_eq(state, VIEW("ADDED"))     ? "ADDED"
           : view_eq(state, VIEW("FAILED"))    ? "FAILED"
                                               : "COMPLETED";
}

static struct value show_write(struct crm_session *session, const struct crm_bulk *job, struct view url)
{
    static const char *const counts[][2] = {
        {"added_count", "added"}, {"skipped_count", "skipped"}, {"updated_count", "updated"}, {"total_count", "rows"}};
    struct heap *heap = session->heap;
    const struct map *definition = value_as_map(job->definition), *progress = value_as_map(job->progress);
    struct value shown = value_map(heap, 10), resources = value_list(heap, 1), file = value_map(heap, 6), result = value_map(heap, 1), part;
    const struct list *given = value_as_list(shape_get(definition, "resource"));
    struct fail ignored;
    part = given && given->count ? value_copy(heap, given->items[0], &ignored) : value_map(heap, 0);
    shape_text(heap, file, "status", view_of(word_of(job->state)));
    shape_put(heap, file, "name", shape_get(definition, "file_name"));
    for (size_t i = 0; i < BASE_COUNT(counts); i++) {
        shape_put(heap, file, counts[i][0], value_number(bulk_int(progress, counts[i][1])));
    }
    shape_text(heap, part, "status", view_of(word_of(job->state)));
    shape_put(heap, part, "file", file);
    shape_add(heap, resources, part);
    shape_text(heap, shown, "status", job->state);
    shape_text(heap, shown, "character_encoding", VIEW("UTF-8"));
    shape_put(heap, shown, "resource", resources);
    shape_put(heap, shown, "id", crm_id_text(heap, job->id));
    shape_put(heap, shown, "operation", shape_get(definition, "operation"));
    shape_put(heap, shown, "created_by", shape_user(session, job->created_by));
    shape_put(heap, shown, "created_time", shape_time(session, job->created_ms));
    if (!value_is_null(shape_get(definition, "callback"))) {
        shape_put(heap, shown, "callback", shape_get(definition, "callback"));
    }
    if (view_eq(job->state, VIEW("COMPLETED"))) {
        shape_text(heap, result, "download_url", url);
        shape_put(heap, shown, "result", result);
    } else if (view_eq(job->state, VIEW("FAILED"))) {
        shape_put(heap, result, "error_message", shape_get(progress, "reason"));
        shape_put(heap, shown, "result", result);
    }
    return shown;
}

struct value crm_bulk_show(struct crm_session *session, const struct crm_bulk *job, struct view download_url)
{
    return job->write ? show_write(session, job, download_url) : show_read(session, job, download_url);
}

// ---- working on them ----------------------------------------------------------------------------

struct taking {
    int64_t id, now_ms, busy_ms;
};

static bool take_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct taking *taking = arg;
    const struct store_param params[] = {store_int(taking->busy_ms), store_int(taking->now_ms), store_int(taking->now_ms)};
    bool found = false;
    return tx_query_int(tx,
                        "UPDATE crm_bulk_job SET state = 'IN PROGRESS', taken = ? WHERE taken <= ? AND id = (SELECT id FROM crm_bulk_job"
                        " WHERE state IN ('ADDED','IN PROGRESS') AND taken <= ? ORDER BY id LIMIT 1) RETURNING id",
                        params, 3, &taking->id, &found, fail) &&
           (found || (taking->id = 0, true));
}

static bool any_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct taking *taking = arg;
    bool found;
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM crm_bulk_job WHERE state IN %s", WAITING);
    return tx_query_int(tx, sql, NULL, 0, &taking->id, &found, fail);
}

bool crm_bulk_take(struct crm *crm, int64_t busy_ms, int64_t *ret_id, struct fail *fail)
{
    struct taking taking = {.now_ms = clock_wall_ms(), .busy_ms = busy_ms};
    if (!store_read(crm_env(crm), any_tx, &taking, fail) || (taking.id && !store_write(crm_env(crm), take_tx, &taking, fail))) {
        return false;
    }
    *ret_id = taking.id;
    return true;
}

static bool release_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct taking *taking = arg;
    const struct store_param id = store_int(taking->id);
    return tx_exec(tx, "UPDATE crm_bulk_job SET taken = 0 WHERE id = ? AND state = 'IN PROGRESS'", &id, 1, fail);
}

bool crm_bulk_release(struct crm *crm, int64_t id, struct fail *fail)
{
    struct taking taking = {.id = id};
    return store_write(crm_env(crm), release_tx, &taking, fail);
}

static bool recover_tx(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    return tx_exec(tx, "UPDATE crm_bulk_job SET taken = 0 WHERE state = 'IN PROGRESS'", NULL, 0, fail);
}

bool crm_bulk_recover(struct crm *crm, struct fail *fail)
{
    struct taking taking = {0};
    return store_read(crm_env(crm), any_tx, &taking, fail) && (!taking.id || store_write(crm_env(crm), recover_tx, NULL, fail));
}

// The end of a job is told to who asked for it, by the queue of pending deliveries.
static bool add_callback(struct tx *tx, struct bulk_step *step, struct fail *fail)
{
    struct heap *heap = step->session->heap;
    const struct map *callback = value_as_map(shape_get(value_as_map(step->job.definition), "callback"));
    struct crm_bulk ended = step->job;
    struct value details = value_map(heap, 2);
    struct buffer json;
    if (!callback) {
        return true;
    }
    ended.state = view_of(step->state);
    ended.progress = step->progress;
    shape_put(heap, details, "url", shape_get(callback, "url"));
    shape_put(heap, details, "body", crm_bulk_show(step->session, &ended, VIEW("")));
    buffer_init(&json, BULK_JSON_BYTES_MAX);
    bool good = json_write(&json, details, NULL, fail) && !json.failed;
    const struct store_param row[] = {store_int(store_id(tx, fail)), store_int(CRM_PENDING_POST), store_int(step->job.id),
                                      store_text(buffer_view(&json))};
    good = good && row[0].integer &&
           tx_exec(tx,
                   "INSERT INTO crm_pending (id, kind, target, rule_id, module, record_id, depth, tries, taken, due_time, details)"
                   " VALUES (?, ?, ?, 0, '', 0, 0, 0, 0, 0, ?)",
                   row, 4, fail);
    buffer_free(&json);
    return good || fail->code != FAIL_NONE ? good : fail_set(fail, FAIL_MEMORY, NULL);
}

static bool end_file(struct tx *tx, struct bulk_step *step, struct fail *fail)
{
    char name[64];
    const struct map *progress = value_as_map(step->progress);
    uint32_t crc = (uint32_t)bulk_int(progress, "crc"), bytes = (uint32_t)bulk_int(progress, "bytes");
    struct buffer head, tail;
    snprintf(name, sizeof name, "%lld.csv", (long long)step->job.id);
    buffer_init(&head, 1024);
    buffer_init(&tail, 1024);
    bulk_zip_head(&head, view_of(name), crc, bytes);
    bulk_zip_tail(&tail, view_of(name), crc, bytes);
    const struct store_param size[] = {store_int((int64_t)head.len + bytes + (int64_t)tail.len), store_int(step->job.file_id)};
    bool good = add_piece(tx, step->job.file_id, 0, buffer_view(&head), fail) &&
                add_piece(tx, step->job.file_id, bulk_int(progress, "pieces") + 1, buffer_view(&tail), fail) &&
                tx_exec(tx, "UPDATE crm_bulk_file SET bytes = ? WHERE id = ?", size, 2, fail);
    buffer_free(&head);
    buffer_free(&tail);
    return good;
}

bool bulk_commit_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct bulk_step *step = arg;
    struct buffer json;
    buffer_init(&json, BULK_JSON_BYTES_MAX);
    bool good = json_write(&json, step->progress, NULL, fail) && (!json.failed || fail_set(fail, FAIL_MEMORY, NULL));
    const struct store_param row[] = {store_text(view_of(step->state)), store_text(buffer_view(&json)), store_int(step->busy_ms),
                                      store_int(step->job.id), store_int(step->taken)};
    good = good && tx_exec(tx, "UPDATE crm_bulk_job SET state = ?, progress = ?, taken = ? WHERE id = ? AND taken = ?", row, 5, fail) &&
           (tx_changes(tx) == 1 || fail_set(fail, FAIL_CANCELLED, "another process goes on with the job"));
    good = good && (!step->piece.len || add_piece(tx, step->job.file_id, step->piece_number, buffer_view(&step->piece), fail));
    if (good && step->ended) {
        good = end_file(tx, step, fail) && add_callback(tx, step, fail);
    }
    buffer_free(&json);
    return good;
}

bool bulk_commit(struct bulk_step *step, struct fail *fail)
{
    if (!store_write(crm_env(step->session->crm), bulk_commit_tx, step, fail)) {
        return false;
    }
    step->taken = step->busy_ms;
    if (step->ended) {
        crm_tell_pending(step->session->crm);
    }
    return true;
}

bool crm_bulk_step(struct crm_session *session, int64_t id, int64_t busy_ms, bool *ret_ended, struct fail *fail)
{
    struct bulk_step step = {.session = session, .busy_ms = busy_ms, .state = "IN PROGRESS"};
    struct get_job get = {.session = session, .id = id, .job = &step.job};
    if (!store_read(crm_env(session->crm), get_tx, &get, fail)) {
        return false;
    }
    if (!get.found || (!view_eq(step.job.state, VIEW("IN PROGRESS")))) {
        *ret_ended = true;
        return true;
    }
    step.taken = get.taken;
    step.progress = step.job.progress;
    session->user_id = step.job.created_by;
    buffer_init(&step.piece, 16 << 20);
    bool good = step.job.write ? bulk_write_step(&step, fail) : bulk_read_step(&step, fail);
    buffer_free(&step.piece);
    *ret_ended = step.ended;
    return good;
}

struct failing {
    int64_t id;
    struct view progress;
};

static bool fail_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct failing *failing = arg;
    const struct store_param row[] = {store_text(failing->progress), store_int(failing->id)};
    return tx_exec(tx, "UPDATE crm_bulk_job SET state = 'FAILED', progress = ? WHERE id = ?", row, 2, fail);
}

bool crm_bulk_fail(struct crm *crm, int64_t id, struct view reason, struct fail *fail)
{
    struct failing failing = {.id = id};
    struct buffer json;
    buffer_init(&json, 8 * FAIL_TEXT_MAX);
    buffer_add(&json, VIEW("{\"reason\":"));
    json_write_text(&json, reason);
    buffer_add_char(&json, '}');
    failing.progress = buffer_view(&json);
    bool good = store_write(crm_env(crm), fail_tx, &failing, fail);
    buffer_free(&json);
    return good;
}
