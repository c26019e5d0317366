// SPDX-License-Identifier: Apache-2.0
// Fields of the org's own, made over REST in any module. A field is a row of crm_field whose definition says "custom", and a column of
// the module's table; names of such fields have no "__", so they never meet those of extensions.
#include "crm/custom_field.h"
#include "crm/object.h"
#include "crm/seed.h"

enum {
    NAME_TRIES = 1000,
    UNIQUE_FIELDS_MAX = 2, // Zoho's, of one's own
    NUMBER_FIELDS_MAX = 1,
    SORTED_VIEWS_MAX = 64
};

static const char *const CLOSED_MODULES[] = {"Notes", "Attachments", "Consents"};

// ---- against what is there ----------------------------------------------------------------------

struct others {
    struct table names; // API names that are taken
    int count, unique, numbers;
    int64_t position;
};

static bool note_other(struct crm_field_job *job, struct others *others, struct rows *rows)
{
    struct value definition = value_null();
    struct fail *fail = job->given.fail;
    if (!json_read(crm_field_heap(job), rows_text(rows, 2), &definition, fail)) {
        return false;
    }
    const struct map *map = value_as_map(definition);
    bool own = crm_map_bool(map, "custom", false);
    others->count++;
    others->position = rows_int(rows, 3) + 1;
    if (rows_int(rows, 0) == job->id) {
        return true;
    }
    others->unique += own && crm_map_bool(map, "unique", false);
    others->numbers += view_eq(crm_map_view(map, "data_type"), VIEW("autonumber")) && value_as_map(shape_get(map, "auto_number"));
    if (job->label.len && view_eq_nocase(crm_map_view(map, "field_label"), job->label)) {
        return crm_given_refuse(&job->given, FAIL_DUPLICATE_DATA, "field_label", NULL);
    }
    return table_put(&others->names, rows_text(rows, 1), job) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_others(struct tx *tx, struct crm_field_job *job, struct others *others)
{
    struct store_param id = store_int(job->module->id);
    struct fail *fail = job->given.fail;
    struct rows *rows;
    *others = (struct others){.count = 0};
    table_init(&others->names, 2 * CRM_FIELDS_MAX, true);
    if (!tx_query(tx, "SELECT id, api_name, definition, position FROM crm_field WHERE module_id = ? ORDER BY position", &id, 1, &rows,
                  fail)) {
        return false;
    }
    while (fail->code == FAIL_NONE && rows_next(rows, fail)) {
        note_other(job, others, rows);
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static bool check_limits(const struct crm_field_job *job, const struct others *others)
{
    struct fail *fail = job->given.fail;
    int limit = !job->id && others->count >= CRM_FIELDS_MAX                           ? CRM_FIELDS_MAX
                : job->unique && others->unique >= UNIQUE_FIELDS_MAX                  ? UNIQUE_FIELDS_MAX
                : !value_is_null(job->number) && others->numbers >= NUMBER_FIELDS_MAX ? NUMBER_FIELDS_MAX
                                                                                      : 0;
    if (limit) {
        struct crm_session *session = job->given.session;
        session->details = value_map(session->heap, 1);
        shape_put(session->heap, session->details, "limit", value_number(limit));
        return fail_set(fail, FAIL_LIMIT_EXCEEDED,
                        limit == CRM_FIELDS_MAX      ? "the module has all the fields that it can have"
                        : limit == UNIQUE_FIELDS_MAX ? "a module has at most two unique fields of one's own"
                                                     : "a module has one autonumber field");
    }
    return true;
}

// A name that is made gets a number when it is another field's.
static bool find_name(struct crm_field_job *job, const struct others *others)
{
    if (job->api_name.len) {
        return !table_get(&others->names, job->api_name) || crm_given_refuse(&job->given, FAIL_DUPLICATE_DATA, "api_name", NULL);
    }
    struct view base = crm_name_of_label(crm_field_heap(job), job->label, CRM_FIELD_NAME_BYTES_MAX), name = base;
    for (int i = 1; table_get(&others->names, name) || view_eq_nocase(name, VIEW("rowid")); i++) {
        struct value numbered = value_text_printf(crm_field_heap(job), "%.*s%d", VIEW_ARGS(base), i);
        name = value_view_or(numbered, VIEW(""));
        if (i == NAME_TRIES || !name.len) {
            return crm_given_refuse(&job->given, FAIL_DUPLICATE_DATA, "field_label", NULL);
        }
    }
    job->api_name = name;
    return true;
}

static bool make_column(struct tx *tx, struct crm_field_job *job, int64_t position)
{
    struct fail *fail = job->given.fail;
    struct view module = job->module->api_name;
    struct crm_field field;
    struct arena arena;
    arena_init(&arena, CRM_META_BYTES_MAX);
    bool good = crm_field_read(&arena, job->api_name, value_as_map(job->definition), &field, fail) &&
                crm_field_insert_tx(tx, job->module->id, (int)position, &field, VIEW(""), value_as_map(job->definition), fail) &&
                crm_column_add_tx(tx, module, &field, fail) &&
                (!crm_index_by_nature(&field) || crm_index_create_tx(tx, module, &field, false, fail)) &&
                (value_is_null(job->number) || crm_autonumber_begin_tx(tx, module, job->api_name, job->first, fail));
    arena_free(&arena);
    return good;
}

static bool find_id(struct tx *tx, struct crm_field_job *job)
{
    bool found;
    struct store_param params[] = {store_int(job->module->id), store_text(job->api_name)};
    return tx_query_int(tx, "SELECT id FROM crm_field WHERE module_id = ? AND api_name = ?", params, 2, &job->id, &found, job->given.fail);
}

static bool add_field(struct tx *tx, void *arg, struct fail *fail)
{
    struct crm_field_job *job = arg;
    struct others others;
    struct view asked = job->api_name;
    fail_clear(fail);
    job->id = 0;
    job->given.session->details = value_null();
    if (!crm_meta_check(job->given.session, fail)) {
        return false;
    }
    bool good = read_others(tx, job, &others) && check_limits(job, &others) && find_name(job, &others) &&
                make_column(tx, job, others.position) && find_id(tx, job) && store_bump(tx, fail);
    table_free(&others.names);
    job->api_name = asked; // a second run begins with what was asked
    return good;
}

static bool open_module(struct crm_field_job *job)
{
    struct crm_session *session = job->given.session;
    session->details = value_null();
    job->module = crm_module_resolve(session, job->module_name);
    if (!job->module || job->module->subform) {
        return fail_set(job->given.fail, FAIL_INVALID_MODULE, NULL);
    }
    for (size_t i = 0; i < BASE_COUNT(CLOSED_MODULES); i++) {
        if (view_eq(job->module->api_name, view_of(CLOSED_MODULES[i]))) {
            return fail_set(job->given.fail, FAIL_NOT_SUPPORTED, "the module's fields cannot be changed");
        }
    }
    return true;
}

static bool add_once(struct crm_field_job *job)
{
    struct crm_session *session = job->given.session;
    return open_module(job) && crm_field_define(job) && store_write(crm_env(session->crm), add_field, job, job->given.fail);
}

bool crm_custom_field_add(struct crm_session *session, struct view module, const struct map *field, int64_t *ret_id, struct fail *fail)
{
    struct crm_field_job job = {.given = {session, field, fail}, .module_name = module};
    if (!add_once(&job) && !(crm_session_retry(session, fail) && add_once(&job))) {
        return false;
    }
    *ret_id = job.id;
    return true;
}

// ---- changing -----------------------------------------------------------------------------------

static bool read_before(struct tx *tx, struct crm_field_job *job)
{
    struct heap *heap = crm_field_heap(job);
    struct fail *fail = job->given.fail;
    struct store_param params[] = {store_int(job->id), store_int(job->module->id)};
    struct rows *rows;
    if (!tx_query(tx, "SELECT api_name, namespace, definition FROM crm_field WHERE id = ? AND module_id = ?", params, 2, &rows, fail)) {
        return false;
    }
    job->before = value_null();
    job->found = rows_next(rows, fail);
    if (job->found) {
        job->before_name = value_text(heap, rows_text(rows, 0));
        job->before_namespace = value_text(heap, rows_text(rows, 1));
        json_read(heap, rows_text(rows, 2), &job->before, fail);
    }
    rows_close(rows);
    if (fail->code != FAIL_NONE || heap->failed) {
        return fail->code != FAIL_NONE ? false : fail_set(fail, FAIL_MEMORY, NULL);
    }
    job->type = crm_type_find(crm_map_view(value_as_map(job->before), "data_type"));
    return (job->found && job->type) || fail_set(fail, FAIL_NOT_FOUND, NULL);
}

// A field that becomes unique holds no value twice.
static bool check_values(struct tx *tx, const struct crm_field_job *job, const struct crm_field *field)
{
    struct buffer sql;
    struct fail *fail = job->given.fail;
    int64_t count;
    bool found = false;
    buffer_init(&sql, 4096);
    buffer_printf(&sql, "SELECT COUNT(*) FROM %.*s WHERE %.*s IS NOT NULL GROUP BY ", VIEW_ARGS(job->module->quoted),
                  VIEW_ARGS(field->quoted));
    bool text = field->kind == CRM_KIND_TEXT;
    buffer_printf(&sql, "%s%.*s%s HAVING COUNT(*) > 1 LIMIT 1", text ? "lower(" : "", VIEW_ARGS(field->quoted), text ? ")" : "");
    bool good = tx_query_int(tx, buffer_text(&sql), NULL, 0, &count, &found, fail);
    buffer_free(&sql);
    return good && (!found || crm_given_refuse(&job->given, FAIL_DUPLICATE_DATA, "unique", "the field holds a value more than once"));
}

static bool write_change(struct tx *tx, struct crm_field_job *job)
{
    struct fail *fail = job->given.fail;
    struct crm_field field;
    struct arena arena;
    struct buffer json;
    bool was_unique = crm_map_bool(value_as_map(job->before), "unique", false);
    arena_init(&arena, CRM_META_BYTES_MAX);
    buffer_init(&json, 1 << 20);
    bool good = crm_field_read(&arena, value_view(job->before_name), value_as_map(job->definition), &field, fail) &&
                json_write(&json, job->definition, NULL, fail) && (!json.failed || fail_set(fail, FAIL_MEMORY, NULL));
    struct store_param params[] = {store_text(buffer_view(&json)), store_int(job->id)};
    good = good && (!field.unique || was_unique ||
                    (check_values(tx, job, &field) && crm_index_create_tx(tx, job->module->api_name, &field, false, fail)));
    good = good && tx_exec(tx, "UPDATE crm_field SET definition = ? WHERE id = ?", params, 2, fail) && store_bump(tx, fail);
    buffer_free(&json);
    arena_free(&arena);
    return good;
}

static bool change_field(struct tx *tx, void *arg, struct fail *fail)
{
    struct crm_field_job *job = arg;
    struct others others;
    fail_clear(fail);
    job->given.session->details = value_null();
    if (!crm_meta_check(job->given.session, fail) || !read_before(tx, job) || !crm_field_redefine(job)) {
        return false;
    }
    bool good = read_others(tx, job, &others) && check_limits(job, &others) && write_change(tx, job);
    table_free(&others.names);
    return good;
}

static bool run_once(struct crm_field_job *job, store_fn *fn)
{
    return open_module(job) && store_write(crm_env(job->given.session->crm), fn, job, job->given.fail);
}

bool crm_custom_field_change(struct crm_session *session, struct view module, int64_t id, const struct map *field, struct fail *fail)
{
    struct crm_field_job job = {.given = {session, field, fail}, .module_name = module, .id = id};
    return run_once(&job, change_field) || (crm_session_retry(session, fail) && run_once(&job, change_field));
}

// ---- deleting -----------------------------------------------------------------------------------

struct sorted_view {
    const struct crm_field_job *job;
    int64_t ids[SORTED_VIEWS_MAX];
    int count;
};

// Views that are sorted by the field: their ids are the module's with a number (shape.h).
static bool note_sorted(void *arg, const struct crm_object *object, struct fail *fail)
{
    (void)fail;
    struct sorted_view *sorted = arg;
    const struct crm_field_job *job = sorted->job;
    struct view by = crm_map_view(value_as_map(shape_get(value_as_map(object->definition), "sort_by")), "api_name");
    int64_t view_id;
    bool ours = view_to_int64(object->name, &view_id) && view_id > job->module->id && (view_id - job->module->id) % SHAPE_ID_STEP == 0;
    if (ours && view_eq(by, value_view(job->before_name)) && sorted->count < (int)BASE_COUNT(sorted->ids)) {
        sorted->ids[sorted->count++] = object->id;
    }
    return true;
}

static bool forget_sorting(struct tx *tx, const struct crm_field_job *job)
{
    struct crm_object_query query = {.kind = VIEW("view_sort")};
    struct sorted_view sorted = {.job = job};
    struct fail *fail = job->given.fail;
    bool found, good = crm_objects_tx(tx, &query, crm_field_heap(job), note_sorted, &sorted, fail);
    for (int i = 0; good && i < sorted.count; i++) {
        good = crm_object_remove_tx(tx, query.kind, sorted.ids[i], &found, fail);
    }
    return good;
}

static bool delete_field(struct tx *tx, void *arg, struct fail *fail)
{
    struct crm_field_job *job = arg;
    fail_clear(fail);
    job->given.session->details = value_null();
    if (!crm_meta_check(job->given.session, fail) || !read_before(tx, job)) {
        return false;
    }
    if (!crm_field_own(job)) {
        return fail_set(fail, FAIL_NOT_ALLOWED, "only custom fields can be deleted");
    }
    const struct crm_field_row row = {job->id, job->module->api_name, value_view(job->before_name)};
    return forget_sorting(tx, job) && crm_field_drop_tx(tx, &row, fail) && store_bump(tx, fail);
}

bool crm_custom_field_delete(struct crm_session *session, struct view module, int64_t id, struct fail *fail)
{
    struct crm_field_job job = {.given = {session, NULL, fail}, .module_name = module, .id = id};
    return run_once(&job, delete_field) || (crm_session_retry(session, fail) && run_once(&job, delete_field));
}
