// SPDX-License-Identifier: Apache-2.0
// Linking records in related lists (spec/crm-api.md §1.1 updateRelatedRecord, §2.2). Where the child has a look-up to the parent, the link
// is that look-up; where two modules are joined without one it is a row of crm_relation, one a pair, with what the link itself says
// (Member_Status, Contact_Role) as JSON.
#include "crm/record.h"

enum { LINK_JSON_BYTES_MAX = 64 << 10 };

struct link_job {
    struct crm_session *session;
    struct crm_link link;
    int64_t child_id, parent_id;
    const struct map *fields;
    bool no_parent, no_child; // by the closure
    bool unlinked; // by the closure of a removal: there was a link
};

// The link's fields with those of the call over them, as JSON. The caller sleeps, so its heap is free for the writer's thread.
static bool merge_fields(const struct link_job *job, struct view before, struct buffer *json, struct fail *fail)
{
    struct heap *heap = job->session->heap;
    struct value merged = value_null();
    struct fail ignored = {0};
    if (!before.len || !json_read(heap, before, &merged, &ignored) || merged.type != VALUE_MAP) {
        merged = value_map(heap, 4);
    }
    uint32_t cursor = 0;
    for (struct map_entry *entry; merged.type == VALUE_MAP && job->fields && (entry = map_next(job->fields, &cursor));) {
        if (!view_eq(value_view_or(entry->key, VIEW("id")), VIEW("id"))) {
            map_put(heap, merged.map, entry->key, entry->value);
        }
    }
    buffer_init(json, LINK_JSON_BYTES_MAX);
    if (merged.type != VALUE_MAP || !json_write(json, merged, heap->zone, fail)) {
        return fail->code != FAIL_NONE ? false : fail_set(fail, FAIL_MEMORY, NULL);
    }
    return !json->failed || fail_set(fail, FAIL_INVALID_DATA, "the fields of a relation take at most %d bytes", LINK_JSON_BYTES_MAX);
}

static bool insert_link(struct tx *tx, const struct link_job *job, struct view fields, struct fail *fail)
{
    const struct crm_link *link = &job->link;
    int64_t id = store_id(tx, fail), journal = job->session->journal;
    struct store_param params[] = {store_int(id),          store_text(link->parent->api_name), store_int(job->parent_id),
                                   store_text(link->name), store_text(link->child->api_name),  store_int(job->child_id),
                                   store_text(fields)};
    return id != 0 &&
           tx_exec(tx,
                   "INSERT INTO crm_relation (id, parent_module, parent_id, relation, child_module, child_id, fields) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?)",
                   params, BASE_COUNT(params), fail) &&
           (journal == 0 || crm_journal_insert(tx, journal, VIEW("crm_relation"), VIEW("crm_relation"), id, fail));
}

static bool write_link(struct tx *tx, const struct link_job *job, struct fail *fail)
{
    struct store_param pair[] = {store_int(job->parent_id), store_int(job->child_id), store_int(job->child_id), store_int(job->parent_id)};
    struct buffer json = {0};
    struct rows *rows;
    if (!tx_query(tx, "SELECT id, fields FROM crm_relation WHERE (parent_id=? AND child_id=?) OR (parent_id=? AND child_id=?)", pair,
                  BASE_COUNT(pair), &rows, fail)) {
        return false;
    }
    bool known = rows_next(rows, fail), done = fail->code == FAIL_NONE;
    int64_t id = known ? rows_int(rows, 0) : 0;
    done = done && merge_fields(job, known ? rows_text(rows, 1) : VIEW_NONE, &json, fail);
    rows_close(rows);
    if (done && known) {
        struct crm_row_at at = {VIEW("crm_relation"), VIEW("crm_relation"), id};
        struct store_param params[] = {store_text(buffer_view(&json)), store_int(id)};
        done = crm_row_change(tx, job->session->journal, &at, "UPDATE crm_relation SET fields=? WHERE id=?", params, 2, fail);
    } else if (done) {
        done = insert_link(tx, job, buffer_view(&json), fail);
    }
    buffer_free(&json);
    return done;
}

static bool link_records(struct tx *tx, void *arg, struct fail *fail)
{
    struct link_job *job = arg;
    bool parent = false, child = false;
    fail_clear(fail);
    if (!crm_meta_check(job->session, fail) || !crm_row_exists(tx, job->link.parent, job->parent_id, &parent, fail) ||
        !crm_row_exists(tx, job->link.child, job->child_id, &child, fail)) {
        return false;
    }
    job->no_parent = !parent;
    job->no_child = !child;
    return !parent || !child || write_link(tx, job, fail);
}

// ---- look-ups -----------------------------------------------------------------------------------

// The child's own fields and its look-up in one update; its refusals are the child's.
static bool update_child(const struct link_job *job, struct value *ret_result, struct fail *fail)
{
    struct crm_session *session = job->session;
    struct heap *heap = session->heap;
    const struct crm_link *link = &job->link;
    struct value row = value_map(heap, job->fields ? job->fields->count + 3 : 3), rows = value_list(heap, 1), results;
    if (row.type != VALUE_MAP || rows.type != VALUE_LIST) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    uint32_t cursor = 0;
    for (struct map_entry *entry; job->fields && (entry = map_next(job->fields, &cursor));) {
        map_put(heap, row.map, entry->key, entry->value);
    }
    map_put_text(heap, row.map, VIEW("id"), crm_id_text(heap, job->child_id));
    map_put_text(heap, row.map, link->field->api_name, job->parent_id ? crm_id_text(heap, job->parent_id) : value_null());
    if (link->field->se_module && job->parent_id) {
        map_put_text(heap, row.map, VIEW("$se_module"), value_text(heap, link->parent->api_name));
    }
    list_add(heap, rows.list, row);
    if (!crm_records_update(session, link->child->api_name, rows, &results, fail)) {
        return false;
    }
    const struct list *list = value_as_list(results);
    *ret_result = list && list->count ? list->items[0] : value_null();
    return true;
}

static bool is_success(struct value row)
{
    const struct map *map = value_as_map(row);
    return map && view_eq(value_view_or(map_get_text(map, VIEW("status")), VIEW("")), VIEW("success"));
}

static bool relation_once(struct link_job *job, struct view relation, struct view parent_module, struct value *ret_result,
                          struct fail *fail)
{
    struct heap *heap = job->session->heap;
    if (!crm_link_find(job->session, relation, parent_module, &job->link, fail)) {
        return false;
    }
    if (!job->link.child) {
        return fail_set(fail, FAIL_NOT_SUPPORTED, "records cannot be linked in this related list");
    }
    if (!job->link.junction) {
        struct value row;
        if (!update_child(job, &row, fail)) {
            return false;
        }
        *ret_result = is_success(row) ? crm_result_id(heap, "SUCCESS", job->child_id, "relation updated", "success") : row;
        return true;
    }
    if (!store_write(crm_env(job->session->crm), link_records, job, fail)) {
        return false;
    }
    if (job->no_parent || job->no_child) {
        *ret_result =
            crm_result_row(heap, "INVALID_DATA", value_map(heap, 0),
                           job->no_parent ? "the id given seems to be invalid" : "the related id given seems to be invalid", "error");
    } else {
        *ret_result = crm_result_id(heap, "SUCCESS", job->child_id, "relation updated", "success");
    }
    return true;
}

bool crm_relation_update(struct crm_session *session, struct view relation, int64_t child_id, struct view parent_module, int64_t parent_id,
                         struct value fields, struct value *ret_result, struct fail *fail)
{
    struct link_job job = {.session = session, .child_id = child_id, .parent_id = parent_id, .fields = value_as_map(fields)};
    session->details = value_null();
    return relation_once(&job, relation, parent_module, ret_result, fail) ||
           (crm_session_retry(session, fail) && relation_once(&job, relation, parent_module, ret_result, fail));
}

// ---- unlinking ----------------------------------------------------------------------------------

static bool unlink_records(struct tx *tx, void *arg, struct fail *fail)
{
    struct link_job *job = arg;
    struct store_param pair[] = {store_int(job->parent_id), store_int(job->child_id), store_int(job->child_id), store_int(job->parent_id)};
    int64_t id, journal = job->session->journal;
    struct buffer before = {0};
    fail_clear(fail);
    job->unlinked = false;
    if (!tx_query_int(tx, "SELECT id FROM crm_relation WHERE (parent_id=? AND child_id=?) OR (parent_id=? AND child_id=?)", pair,
                      BASE_COUNT(pair), &id, &job->unlinked, fail) ||
        !job->unlinked) {
        return fail->code == FAIL_NONE;
    }
    struct store_param key = store_int(id);
    bool done = (journal == 0 || crm_journal_row(tx, "SELECT * FROM crm_relation WHERE id=?", id, &before, fail)) &&
                tx_exec(tx, "DELETE FROM crm_relation WHERE id=?", &key, 1, fail) &&
                (journal == 0 || store_journal_note(tx, journal, VIEW("crm_relation"), id, buffer_view(&before), VIEW_NONE, fail));
    buffer_free(&before);
    return done;
}

// Does the child's look-up point at the parent? Only then is it cleared.
static bool unlink_child(struct link_job *job, struct value *ret_result, struct fail *fail)
{
    struct crm_session *session = job->session;
    struct value record;
    int64_t parent = 0;
    if (!crm_record_get(session, job->link.child->api_name, job->child_id, &record, fail)) {
        return false;
    }
    const struct map *map = value_as_map(record), *pair = map ? value_as_map(map_get_text(map, job->link.field->api_name)) : NULL;
    job->unlinked = pair && crm_id_read(map_get_text(pair, VIEW("id")), &parent) && parent == job->parent_id;
    if (!job->unlinked) {
        return true;
    }
    struct link_job cleared = *job;
    cleared.parent_id = 0;
    return update_child(&cleared, ret_result, fail);
}

static bool remove_once(struct link_job *job, struct view relation, struct view parent_module, struct value *ret_result, struct fail *fail)
{
    struct heap *heap = job->session->heap;
    struct value row = value_null();
    if (!crm_link_find(job->session, relation, parent_module, &job->link, fail)) {
        return false;
    }
    if (!job->link.child) {
        return fail_set(fail, FAIL_NOT_SUPPORTED, "records cannot be linked in this related list");
    }
    if (!(job->link.junction ? store_write(crm_env(job->session->crm), unlink_records, job, fail) : unlink_child(job, &row, fail))) {
        return false;
    }
    if (!job->unlinked) {
        *ret_result = crm_result_id(heap, "INVALID_DATA", job->child_id, "the related id given seems to be invalid", "error");
    } else if (value_is_null(row) || is_success(row)) {
        *ret_result = crm_result_id(heap, "SUCCESS", job->child_id, "relation removed", "success");
    } else {
        *ret_result = row;
    }
    return true;
}

bool crm_relation_remove(struct crm_session *session, struct view relation, int64_t child_id, struct view parent_module, int64_t parent_id,
                         struct value *ret_result, struct fail *fail)
{
    struct link_job job = {.session = session, .child_id = child_id, .parent_id = parent_id};
    session->details = value_null();
    return remove_once(&job, relation, parent_module, ret_result, fail) ||
           (crm_session_retry(session, fail) && remove_once(&job, relation, parent_module, ret_result, fail));
}
