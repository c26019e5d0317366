// SPDX-License-Identifier: Apache-2.0
// Tags of modules as settings (/settings/tags; spec/crm-api.md §2.2): list, add, change, remove, merge, count. What records keep of them is
// tag_record.c's. Codes and words are those of Zoho's descriptions.
//
// Adding and changing run as one closure for the whole call, which makes each row's answer on the way; it runs on the caller's heap while
// the caller waits, and makes its list anew whenever it starts.
#include "crm/object.h"
#include "crm/shape.h"
#include "crm/tag.h"

enum { SMALL_SQL_BYTES = 512 };

struct tag_job {
    struct crm_session *session;
    struct crm_module *module;
    const struct list *rows;
    bool change; // rows have ids
    bool own; // listing: the user's alone
    int64_t id, other_id; // of one tag; of the one that is merged into it
    // by the closure
    struct value list;
    int64_t count;
    bool found;
};

static bool open_module(struct tag_job *job, struct view name, struct fail *fail)
{
    job->session->details = value_null();
    if (!crm_module_find(job->session, name, &job->module, fail)) {
        return false;
    }
    return crm_fields_of(job->module)->tag || fail_set(fail, FAIL_INVALID_MODULE, "the given module is not supported for this api");
}

// ---- shapes -------------------------------------------------------------------------------------

// `named`: as a listing shows it; answers to writes leave the name out.
static struct value make_tag(const struct crm_session *session, const struct crm_object *object, bool named)
{
    struct heap *heap = session->heap;
    struct value tag = value_map(heap, 7);
    shape_put(heap, tag, "created_time", shape_time(session, object->created_ms));
    shape_put(heap, tag, "modified_time", shape_time(session, object->modified_ms));
    if (named) {
        shape_text(heap, tag, "name", object->name);
    }
    shape_put(heap, tag, "modified_by", shape_user(session, object->modified_by));
    shape_put(heap, tag, "id", crm_id_text(heap, object->id));
    shape_put(heap, tag, "created_by", shape_user(session, object->created_by));
    shape_put(heap, tag, "color_code", crm_tag_color(object->definition));
    return tag;
}

static bool add_listed(void *arg, const struct crm_object *object, struct fail *fail)
{
    struct tag_job *job = arg;
    if (!job->own || object->created_by == job->session->user_id) {
        shape_add(job->session->heap, job->list, make_tag(job->session, object, true));
    }
    return !job->session->heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool add_written(void *arg, const struct crm_object *object, struct fail *fail)
{
    struct tag_job *job = arg;
    (void)fail;
    job->list = make_tag(job->session, object, false);
    return true;
}

// The row's answer, out of what the table holds now.
static bool make_result(struct tx *tx, const struct tag_job *job, int64_t id, const char *message, struct value *ret_result,
                        struct fail *fail)
{
    struct tag_job one = {.session = job->session, .list = value_null()};
    struct crm_object_query query = {.kind = CRM_TAG_KIND, .module = VIEW_NONE, .name = VIEW_NONE, .id = id};
    if (!crm_objects_tx(tx, &query, job->session->heap, add_written, &one, fail)) {
        return false;
    }
    *ret_result = crm_result_row(job->session->heap, "SUCCESS", one.list, message, "success");
    return true;
}

static struct value make_error(const struct tag_job *job, uint32_t row, const char *code, const char *message, const char *api_name)
{
    struct heap *heap = job->session->heap;
    struct value details = value_map(heap, 4);
    shape_text(heap, details, "api_name", view_of(api_name));
    shape_put(heap, details, "json_path", value_text_printf(heap, "$.tags[%u].%s", row, api_name));
    return crm_result_row(heap, code, details, message, "error");
}

static struct value with_detail(const struct tag_job *job, struct value row, const char *key, struct value value)
{
    shape_put(job->session->heap, shape_get(value_as_map(row), "details"), key, value);
    return row;
}

static struct value make_type_error(const struct tag_job *job, uint32_t row, const char *api_name, const char *expected)
{
    return with_detail(job, make_error(job, row, "INVALID_DATA", "Invalid data type", api_name), "expected_data_type",
                       value_text(job->session->heap, view_of(expected)));
}

// ---- listing ------------------------------------------------------------------------------------

static bool read_tags(struct tx *tx, void *arg, struct fail *fail)
{
    struct tag_job *job = arg;
    struct crm_object_query query = {.kind = CRM_TAG_KIND, .module = job->module->api_name, .name = VIEW_NONE};
    job->list = value_list(job->session->heap, 16);
    return crm_objects_tx(tx, &query, job->session->heap, add_listed, job, fail);
}

bool crm_tags_list(struct crm_session *session, struct view module, bool own, struct value *ret_list, struct fail *fail)
{
    struct tag_job job = {.session = session, .own = own};
    if (!open_module(&job, module, fail) || !store_read(crm_env(session->crm), read_tags, &job, fail)) {
        return false;
    }
    *ret_list = job.list;
    return true;
}

// ---- adding and changing ------------------------------------------------------------------------

struct tag_row {
    int64_t id;
    struct view name, color;
    bool color_given;
};

// False with *ret_error set.
static bool read_row(const struct tag_job *job, uint32_t index, struct tag_row *row, struct value *ret_error)
{
    const struct map *map = value_as_map(job->rows->items[index]);
    struct value name = shape_get(map, "name"), color, id = shape_get(map, "id");
    bool color_given = false;
    *row = (struct tag_row){0};
    color = map ? map_get(map, VALUE_TEXT_LITERAL(job->session->heap, "color_code"), &color_given) : value_null();
    row->name = view_trim(value_view_or(name, VIEW("")));
    row->color = value_view_or(color, VIEW(""));
    row->color_given = color_given;
    if (!map) {
        *ret_error = make_type_error(job, index, "tags", "jsonobject");
    } else if (job->change && value_is_null(id)) {
        *ret_error = make_error(job, index, "MANDATORY_NOT_FOUND", "required field not found", "id");
    } else if (job->change && !crm_id_read(id, &row->id)) {
        *ret_error = make_error(job, index, "INVALID_DATA", "tags not found", "id");
    } else if (!value_is_null(name) && name.type != VALUE_TEXT) {
        *ret_error = make_type_error(job, index, "name", "string");
    } else if (row->name.len == 0) {
        *ret_error = make_error(job, index, "MANDATORY_NOT_FOUND", "required field not found", "name");
    } else if (utf8_units(row->name) > CRM_TAG_NAME_UNITS_MAX) {
        *ret_error = with_detail(job, make_error(job, index, "INVALID_DATA", "invalid data", "name"), "maximum_length",
                                 value_number(CRM_TAG_NAME_UNITS_MAX));
    } else if (!value_is_null(color) && color.type != VALUE_TEXT) {
        *ret_error = make_type_error(job, index, "color_code", "string");
    } else if (!value_is_null(color) && !crm_tag_color_valid(row->color)) {
        *ret_error = make_error(job, index, "INVALID_DATA", "invalid color code", "color_code");
    } else {
        return true;
    }
    return false;
}

struct old_tag {
    struct value definition;
    bool found;
};

static bool keep_old(void *arg, const struct crm_object *object, struct fail *fail)
{
    (void)fail;
    *(struct old_tag *)arg = (struct old_tag){object->definition, true};
    return true;
}

// Runs a change of the object under the journal of an install action, when one is open; NULL name: the object is removed.
static bool change_noted(struct tx *tx, const struct crm_session *session, const struct crm_object *object, struct fail *fail)
{
    static const char SELECT[] = "SELECT * FROM crm_object WHERE id=?";
    struct buffer before = {0}, after = {0};
    bool found, removed = !object->name.data;
    bool done =
        (session->journal == 0 || crm_journal_row(tx, SELECT, object->id, &before, fail)) &&
        (removed ? crm_object_remove_tx(tx, CRM_TAG_KIND, object->id, &found, fail) : crm_object_change_tx(tx, object, &found, fail));
    if (done && session->journal) {
        done = crm_journal_row(tx, SELECT, object->id, &after, fail) &&
               store_journal_note(tx, session->journal, VIEW("crm_object"), object->id, buffer_view(&before),
                                  removed ? VIEW_NONE : buffer_view(&after), fail);
    }
    buffer_free(&before);
    buffer_free(&after);
    return done;
}

static bool change_row(struct tx *tx, struct tag_job *job, uint32_t index, const struct tag_row *row, struct value *ret_result,
                       struct fail *fail)
{
    struct heap *heap = job->session->heap;
    struct old_tag old = {value_null(), false};
    struct crm_object_query query = {.kind = CRM_TAG_KIND, .module = job->module->api_name, .name = VIEW_NONE, .id = row->id};
    if (!crm_objects_tx(tx, &query, heap, keep_old, &old, fail)) {
        return false;
    }
    if (!old.found) {
        *ret_result = make_error(job, index, "INVALID_DATA", "tags not found", "id");
        return true;
    }
    struct value definition = value_map(heap, 1);
    struct value color = row->color.len ? value_text(heap, row->color) : value_null();
    shape_put(heap, definition, "color_code", row->color_given ? color : crm_tag_color(old.definition));
    struct crm_object object = {.kind = CRM_TAG_KIND,
                                .module = job->module->api_name,
                                .name = row->name,
                                .id = row->id,
                                .definition = definition,
                                .modified_by = job->session->user_id};
    return change_noted(tx, job->session, &object, fail) && make_result(tx, job, row->id, "tags updated successfully", ret_result, fail);
}

static bool write_row(struct tx *tx, struct tag_job *job, uint32_t index, struct value *ret_result, struct fail *fail)
{
    struct tag_row row;
    int64_t other, count, id;
    if (!read_row(job, index, &row, ret_result)) {
        return true;
    }
    if (!crm_tag_named(tx, job->module, row.name, &other, fail)) {
        return false;
    }
    if (other && other != row.id) {
        *ret_result = with_detail(job, make_error(job, index, "DUPLICATE_DATA", "duplicate data", "name"), "id",
                                  crm_id_text(job->session->heap, other));
        return true;
    }
    if (job->change) {
        return change_row(tx, job, index, &row, ret_result, fail);
    }
    if (!crm_object_count_tx(tx, CRM_TAG_KIND, job->module->api_name, &count, fail)) {
        return false;
    }
    if (count >= CRM_TAGS_MAX) {
        *ret_result = crm_result_row(job->session->heap, "LICENSE_LIMIT_EXCEEDED", value_map(job->session->heap, 0),
                                     "tags edition limit exceeded", "error");
        return true;
    }
    return crm_tag_add_tx(tx, job->session, job->module, row.name, row.color, &id, fail) &&
           make_result(tx, job, id, "tags created successfully", ret_result, fail);
}

static bool write_rows(struct tx *tx, void *arg, struct fail *fail)
{
    struct tag_job *job = arg;
    fail_clear(fail);
    job->list = value_list(job->session->heap, job->rows->count);
    for (uint32_t i = 0; i < job->rows->count; i++) {
        struct value result = value_null();
        if (!write_row(tx, job, i, &result, fail)) {
            return false;
        }
        shape_add(job->session->heap, job->list, result);
    }
    return !job->session->heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool write_tags(struct crm_session *session, struct view module, struct value rows, bool change, struct value *ret_results,
                       struct fail *fail)
{
    struct tag_job job = {.session = session, .rows = value_as_list(rows), .change = change};
    if (!job.rows) {
        return fail_set(fail, FAIL_INVALID_DATA, "the rows must be a list of maps");
    }
    if (!open_module(&job, module, fail) || !store_write(crm_env(session->crm), write_rows, &job, fail)) {
        return false;
    }
    *ret_results = job.list;
    return true;
}

bool crm_tags_add(struct crm_session *session, struct view module, struct value rows, struct value *ret_results, struct fail *fail)
{
    return write_tags(session, module, rows, false, ret_results, fail);
}

bool crm_tags_change(struct crm_session *session, struct view module, struct value rows, struct value *ret_results, struct fail *fail)
{
    return write_tags(session, module, rows, true, ret_results, fail);
}

// ---- removing, merging, counting ----------------------------------------------------------------

struct tag_place {
    char module[CRM_NAME_MAX + 1];
    bool found;
};

static bool keep_place(void *arg, const struct crm_object *object, struct fail *fail)
{
    struct tag_place *place = arg;
    (void)fail;
    snprintf(place->module, sizeof place->module, "%.*s", VIEW_ARGS(object->module));
    place->found = true;
    return true;
}

// The module that a tag belongs to.
static bool find_place(struct tx *tx, struct crm_session *session, int64_t id, struct tag_place *ret_place, struct fail *fail)
{
    struct crm_object_query query = {.kind = CRM_TAG_KIND, .module = VIEW_NONE, .name = VIEW_NONE, .id = id};
    *ret_place = (struct tag_place){.found = false};
    return crm_objects_tx(tx, &query, session->heap, keep_place, ret_place, fail);
}

static bool remove_tag(struct tx *tx, void *arg, struct fail *fail)
{
    struct tag_job *job = arg;
    struct tag_place place;
    struct crm_object object = {.kind = CRM_TAG_KIND, .name = VIEW_NONE, .id = job->id};
    fail_clear(fail);
    if (!find_place(tx, job->session, job->id, &place, fail)) {
        return false;
    }
    job->found = place.found;
    return !place.found || change_noted(tx, job->session, &object, fail);
}

bool crm_tag_remove(struct crm_session *session, int64_t id, struct value *ret_result, struct fail *fail)
{
    struct tag_job job = {.session = session, .id = id};
    session->details = value_null();
    if (!store_write(crm_env(session->crm), remove_tag, &job, fail)) {
        return false;
    }
    if (!job.found) {
        session->details = value_map(session->heap, 1);
        shape_put(session->heap, session->details, "id", crm_id_text(session->heap, id));
        return fail_set(fail, FAIL_INVALID_DATA, "tags not found");
    }
    *ret_result = crm_result_id(session->heap, "SUCCESS", id, "tags deleted successfully", "success");
    return true;
}

// One statement for all records: the other tag's id becomes this one's. A record that had both has it twice, which no reader sees.
static bool replace_ids(struct tx *tx, const struct tag_job *job, const struct crm_module *module, struct fail *fail)
{
    char sql[SMALL_SQL_BYTES], pattern[CRM_TAG_PATTERN_BYTES], old[CRM_TAG_PATTERN_BYTES], new[CRM_TAG_PATTERN_BYTES];
    struct view other = crm_tag_pattern(old, job->other_id), own = crm_tag_pattern(new, job->id);
    struct store_param params[] = {store_text(view_slice(other, 1, other.len - 2)), store_text(view_slice(own, 1, own.len - 2)),
                                   store_text(crm_tag_pattern(pattern, job->other_id))};
    snprintf(sql, sizeof sql, "UPDATE %.*s SET \"Tag\" = REPLACE(\"Tag\", ?, ?) WHERE \"Tag\" LIKE ?", VIEW_ARGS(module->quoted));
    return tx_exec(tx, sql, params, BASE_COUNT(params), fail);
}

static bool merge_tags(struct tx *tx, void *arg, struct fail *fail)
{
    struct tag_job *job = arg;
    struct tag_place place, other;
    struct crm_object object = {.kind = CRM_TAG_KIND, .name = VIEW_NONE, .id = job->other_id};
    fail_clear(fail);
    if (!crm_meta_check(job->session, fail) || !find_place(tx, job->session, job->id, &place, fail) ||
        !find_place(tx, job->session, job->other_id, &other, fail)) {
        return false;
    }
    const struct crm_module *module = crm_module_resolve(job->session, view_of(place.module));
    job->found = place.found && other.found && module && strcmp(place.module, other.module) == 0;
    return !job->found || (replace_ids(tx, job, module, fail) && change_noted(tx, job->session, &object, fail) &&
                           make_result(tx, job, job->id, "tags merged successfully", &job->list, fail));
}

bool crm_tag_merge(struct crm_session *session, int64_t id, int64_t other_id, struct value *ret_result, struct fail *fail)
{
    struct tag_job job = {.session = session, .id = id, .other_id = other_id};
    session->details = value_null();
    if (id != other_id && !store_write(crm_env(session->crm), merge_tags, &job, fail) &&
        !(crm_session_retry(session, fail) && store_write(crm_env(session->crm), merge_tags, &job, fail))) {
        return false;
    }
    if (!job.found) {
        crm_details_set(session, "api_name", VIEW("conflict_id"));
        crm_details_set(session, "json_path", VIEW("$.tags[0].conflict_id"));
        return fail_set(fail, FAIL_INVALID_DATA, "invalid tag id");
    }
    *ret_result = job.list;
    return true;
}

static bool count_records(struct tx *tx, void *arg, struct fail *fail)
{
    struct tag_job *job = arg;
    char sql[SMALL_SQL_BYTES], pattern[CRM_TAG_PATTERN_BYTES];
    struct store_param param = store_text(crm_tag_pattern(pattern, job->id));
    bool found;
    fail_clear(fail);
    if (!crm_tag_known(tx, job->module->api_name, job->id, &job->found, fail) || !job->found) {
        return fail->code == FAIL_NONE;
    }
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM %.*s WHERE \"Tag\" LIKE ?", VIEW_ARGS(job->module->quoted));
    return tx_query_int(tx, sql, &param, 1, &job->count, &found, fail);
}

bool crm_tag_count(struct crm_session *session, struct view module, int64_t id, int64_t *ret_count, struct fail *fail)
{
    struct tag_job job = {.session = session, .id = id};
    if (!open_module(&job, module, fail) || !store_read(crm_env(session->crm), count_records, &job, fail)) {
        return false;
    }
    if (!job.found) {
        return fail_set(fail, FAIL_TAG_NOT_FOUND, NULL);
    }
    *ret_count = job.count;
    return true;
}
