// SPDX-License-Identifier: Apache-2.0
// Mass updates (POST /{module}/actions/mass_update): the same values for many records. Records that are named by their ids get an answer
// each; those of a view are updated in a job, of which only the counts are kept. The job is done when its id is given: it runs in the
// request that asks for it, a hundred records a closure, so that other writers come in between.
//
// A value for a multi-select is added to what a record has unless the request overwrites. Limits are Zoho's: 500 ids, 50,000 records of a
// view.
#include "crm/object.h"
#include "crm/shape.h"

#define JOB_KIND VIEW("mass_update")
enum { JOB_DAYS_MAX = 30, JOB_NAME_DIGITS = 32, BATCH_HEAP_BYTES_MAX = 64 << 20 }; // how long jobs are kept: GUESS

static const int64_t DAY_MS = 24 * 60 * 60 * 1000;

struct mass {
    struct crm_session *session;
    struct view module;
    const struct crm_module *found;
    const struct map *data;
    bool overwrite, unites; // unites: a field takes what records have into account
};

// ---- what is to be written ----------------------------------------------------------------------

static bool refuse_field(struct crm_session *session, enum fail_code code, struct view name, struct fail *fail)
{
    session->details = value_null();
    crm_details_set(session, "api_name", name);
    return fail_set(fail, code, NULL);
}

// Unlike an update, it names the field that is not there: nothing would happen, to many records.
static bool open_mass(struct mass *mass, struct value data, struct fail *fail)
{
    struct crm_module *module;
    uint32_t cursor = 0;
    mass->session->details = value_null();
    mass->data = value_as_map(data);
    if (!crm_module_find(mass->session, mass->module, &module, fail)) {
        return false;
    }
    if (!mass->data || mass->data->count == 0) {
        return refuse_field(mass->session, FAIL_MANDATORY_NOT_FOUND, VIEW("data"), fail);
    }
    mass->found = module;
    for (struct map_entry *entry; (entry = map_next(mass->data, &cursor));) {
        struct view name = value_view_or(entry->key, VIEW(""));
        const struct crm_field *field = crm_field_find(mass->session, module, name);
        if (!field || !field->writable || field == crm_fields_of(module)->id) {
            return refuse_field(mass->session, FAIL_INVALID_DATA, name, fail);
        }
        mass->unites = mass->unites || (field->kind == CRM_KIND_LIST && !mass->overwrite);
    }
    return true;
}

// ---- rows ---------------------------------------------------------------------------------------

static bool holds(const struct list *list, struct value item)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (value_equal(list->items[i], item)) {
            return true;
        }
    }
    return false;
}

static struct value unite(struct heap *heap, const struct list *old, const struct list *new)
{
    struct value list = value_list(heap, old->count + new->count);
    for (uint32_t i = 0; list.type == VALUE_LIST && i < old->count; i++) {
        list_add(heap, list.list, old->items[i]);
    }
    for (uint32_t i = 0; list.type == VALUE_LIST && i < new->count; i++) {
        if (!holds(list.list, new->items[i])) {
            list_add(heap, list.list, new->items[i]);
        }
    }
    return list;
}

static struct value value_for(const struct mass *mass, const struct map *record, const struct map_entry *entry)
{
    const struct crm_field *field = crm_field_find(mass->session, mass->found, value_view_or(entry->key, VIEW("")));
    const struct list *new = value_as_list(entry->value);
    const struct list *old = record && field ? value_as_list(map_get_text(record, field->api_name)) : NULL;
    bool united = field && field->kind == CRM_KIND_LIST && !mass->overwrite && new &&old;
    return united ? unite(mass->session->heap, old, new) : entry->value;
}

static bool add_row(const struct mass *mass, int64_t id, struct value rows, struct fail *fail)
{
    struct heap *heap = mass->session->heap;
    struct value row = value_map(heap, mass->data->count + 1), record = value_null();
    uint32_t cursor = 0;
    if (mass->unites && !crm_record_get(mass->session, mass->module, id, &record, fail)) {
        return false;
    }
    for (struct map_entry *entry; row.type == VALUE_MAP && (entry = map_next(mass->data, &cursor));) {
        map_put(heap, row.map, entry->key, value_for(mass, value_as_map(record), entry));
    }
    shape_put(heap, row, "id", crm_id_text(heap, id));
    shape_add(heap, rows, row);
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

// At most CRM_ROWS_MAX ids.
static bool update_batch(const struct mass *mass, const int64_t *ids, int count, struct value *ret_results, struct fail *fail)
{
    struct value rows = value_list(mass->session->heap, (size_t)count);
    for (int i = 0; i < count; i++) {
        if (!add_row(mass, ids[i], rows, fail)) {
            return false;
        }
    }
    return crm_records_update(mass->session, mass->module, rows, ret_results, fail);
}

static int batch_at(int done, int count)
{
    return count - done < CRM_ROWS_MAX ? count - done : CRM_ROWS_MAX;
}

bool crm_mass_update(struct crm_session *session, struct view module, const struct crm_mass *given, const int64_t *ids, int count,
                     struct value *ret_results, struct fail *fail)
{
    struct mass mass = {.session = session, .module = module, .overwrite = given->overwrite};
    struct value all = value_list(session->heap, (size_t)count), results;
    if (!open_mass(&mass, given->data, fail)) {
        return false;
    }
    for (int done = 0; done < count; done += CRM_ROWS_MAX) {
        if (!update_batch(&mass, ids + done, batch_at(done, count), &results, fail)) {
            return false;
        }
        const struct list *list = value_as_list(results);
        for (uint32_t i = 0; list && i < list->count; i++) {
            shape_add(session->heap, all, list->items[i]);
        }
    }
    *ret_results = all;
    return true;
}

// ---- jobs ---------------------------------------------------------------------------------------

struct mass_job {
    struct mass mass;
    int64_t *ids;
    int count, updated, failed;
    bool broken; // a batch could not be written: what was not reached is left out
    char name[JOB_NAME_DIGITS];
    int64_t job_id; // by the closure
};

// The ids are gathered first: what the update writes may change which records the view has.
static bool gather(struct mass_job *job, int64_t view_id, struct fail *fail)
{
    struct crm_session *session = job->mass.session;
    struct crm_query query = {.fields = VIEW("id"), .per_page = CRM_PAGE_MAX};
    bool more = true;
    if (!crm_view_apply(session, job->mass.module, view_id, &query, fail)) {
        return false;
    }
    query.sort_by = query.sort_order = VIEW("");
    while (more) {
        struct value page;
        if (!crm_records_list(session, job->mass.module, &query, &page, &more, fail)) {
            return false;
        }
        const struct list *list = value_as_list(page);
        if (job->count + (int)list->count > CRM_MASS_RECORDS_MAX) {
            return fail_set(fail, FAIL_LIMIT_EXCEEDED, "at most %d records a mass update", CRM_MASS_RECORDS_MAX);
        }
        for (uint32_t i = 0; i < list->count; i++) {
            const struct map *map = value_as_map(list->items[i]);
            job->count += map && crm_id_read(map_get_text(map, VIEW("id")), &job->ids[job->count]);
        }
        query.cursor = value_view_or(session->cursor, VIEW(""));
        more = more && query.cursor.len;
    }
    return true;
}

// In a heap of its own: of the answers only their number is wanted.
static bool run_batch(struct mass_job *job, int at, struct fail *fail)
{
    struct crm_session *session = job->mass.session;
    struct heap *kept = session->heap, scratch;
    struct value results = value_null();
    int count = batch_at(at, job->count);
    heap_init(&scratch, BATCH_HEAP_BYTES_MAX, kept->zone);
    session->heap = &scratch;
    bool done = update_batch(&job->mass, job->ids + at, count, &results, fail);
    const struct list *list = done ? value_as_list(results) : NULL;
    for (uint32_t i = 0; list && i < list->count; i++) {
        bool fine = view_eq(value_view_or(shape_get(value_as_map(list->items[i]), "status"), VIEW("")), VIEW("success"));
        job->updated += fine;
        job->failed += !fine;
    }
    session->heap = kept;
    session->details = session->cursor = value_null(); // they were made in the heap that goes
    heap_free(&scratch);
    return done;
}

static bool keep_job(struct tx *tx, void *arg, struct fail *fail)
{
    struct mass_job *job = arg;
    struct heap *heap = job->mass.session->heap;
    struct value counts = value_map(heap, 5);
    struct store_param old[] = {store_text(JOB_KIND), store_int(clock_wall_ms() - JOB_DAYS_MAX * DAY_MS)};
    fail_clear(fail);
    shape_text(heap, counts, "Status", job->broken ? VIEW("FAILED") : VIEW("COMPLETED"));
    shape_put(heap, counts, "Failed_Count", value_number(job->failed));
    shape_put(heap, counts, "Updated_Count", value_number(job->updated));
    shape_put(heap, counts, "Not_Updated_Count", value_number(job->count - job->updated - job->failed));
    shape_put(heap, counts, "Total_Count", value_number(job->count));
    struct crm_object object = {.kind = JOB_KIND,
                                .module = job->mass.found->api_name,
                                .name = {job->name, sizeof job->name},
                                .definition = counts,
                                .created_by = job->mass.session->user_id};
    return tx_exec(tx, "DELETE FROM crm_object WHERE kind = ? AND created_time < ?", old, 2, fail) &&
           crm_object_add_tx(tx, &object, &job->job_id, fail);
}

bool crm_mass_run(struct crm_session *session, struct view module, const struct crm_mass *given, int64_t view_id, int64_t *ret_job_id,
                  struct fail *fail)
{
    struct mass_job job = {.mass = {.session = session, .module = module, .overwrite = given->overwrite}};
    struct fail broken;
    job.ids = heap_alloc(session->heap, CRM_MASS_RECORDS_MAX * sizeof *job.ids);
    if (!job.ids) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!open_mass(&job.mass, given->data, fail) || !gather(&job, view_id, fail)) {
        return false;
    }
    for (int at = 0; at < job.count && !job.broken; at += CRM_ROWS_MAX) {
        job.broken = !run_batch(&job, at, &broken);
    }
    random_hex(job.name, sizeof job.name);
    if (!store_write(crm_env(session->crm), keep_job, &job, fail)) {
        return false;
    }
    *ret_job_id = job.job_id;
    return true;
}

struct status_job {
    struct crm_session *session;
    struct view module;
    int64_t id;
    struct value counts; // by the closure
};

static bool keep_counts(void *arg, const struct crm_object *object, struct fail *fail)
{
    (void)fail;
    ((struct status_job *)arg)->counts = object->definition;
    return true;
}

static bool read_status(struct tx *tx, void *arg, struct fail *fail)
{
    struct status_job *job = arg;
    struct crm_object_query query = {.kind = JOB_KIND, .module = job->module, .name = VIEW_NONE, .id = job->id};
    job->counts = value_null();
    return crm_objects_tx(tx, &query, job->session->heap, keep_counts, job, fail);
}

bool crm_mass_status(struct crm_session *session, struct view module, int64_t job_id, struct value *ret_counts, struct fail *fail)
{
    const struct crm_module *found = crm_module_resolve(session, module);
    if (!found) {
        return fail_set(fail, FAIL_INVALID_MODULE, NULL);
    }
    struct status_job job = {.session = session, .module = found->api_name, .id = job_id};
    if (!store_read(crm_env(session->crm), read_status, &job, fail)) {
        return false;
    }
    *ret_counts = job.counts;
    return !value_is_null(job.counts) || fail_set(fail, FAIL_NOT_FOUND, "there is no such job");
}
