// SPDX-License-Identifier: Apache-2.0
// The table of object.h. A definition is JSON as it was given; names are unique in any case of their letters.
#include "crm/object.h"
#include "crm/shape.h"

enum { DEFINITION_BYTES_MAX = 1 << 20, SQL_BYTES = 512 };

static bool name_taken(struct tx *tx, const struct crm_object *object, struct fail *fail)
{
    int64_t other;
    bool found;
    struct store_param params[] = {store_text(object->kind), store_text(object->module), store_text(object->name), store_int(object->id)};
    if (!tx_query_int(tx, "SELECT id FROM crm_object WHERE kind = ? AND module = ? AND lower(name) = lower(?) AND id <> ? LIMIT 1", params,
                      BASE_COUNT(params), &other, &found, fail)) {
        return true;
    }
    if (found) {
        fail_set(fail, FAIL_EXISTS, NULL);
    }
    return found;
}

static bool write_definition(struct value definition, struct buffer *json, struct fail *fail)
{
    buffer_init(json, DEFINITION_BYTES_MAX);
    if (!json_write(json, definition, NULL, fail)) {
        return false;
    }
    return !json->failed || fail_set(fail, FAIL_LIMIT_EXCEEDED, "a definition has at most %d bytes", DEFINITION_BYTES_MAX);
}

bool crm_object_add_tx(struct tx *tx, const struct crm_object *object, int64_t *ret_id, struct fail *fail)
{
    struct buffer json;
    int64_t id = object->id, now = clock_wall_ms();
    if (name_taken(tx, object, fail) || (!id && !(id = store_id(tx, fail)))) {
        return false;
    }
    bool good = write_definition(object->definition, &json, fail);
    struct store_param row[] = {store_int(id),
                                store_text(object->kind),
                                store_text(object->module),
                                store_text(object->name),
                                store_text(buffer_view(&json)),
                                store_int(now),
                                store_int(object->created_by),
                                store_int(now),
                                store_int(object->created_by)};
    good = good && tx_exec(tx,
                           "INSERT INTO crm_object (id, kind, module, name, definition, created_time, created_by, modified_time, "
                           "modified_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                           row, BASE_COUNT(row), fail);
    buffer_free(&json);
    if (good) {
        *ret_id = id;
    }
    return good;
}

bool crm_object_change_tx(struct tx *tx, const struct crm_object *object, bool *ret_found, struct fail *fail)
{
    struct buffer json;
    if (name_taken(tx, object, fail)) {
        return false;
    }
    bool good = write_definition(object->definition, &json, fail);
    struct store_param row[] = {store_text(object->name),       store_text(buffer_view(&json)), store_int(clock_wall_ms()),
                                store_int(object->modified_by), store_text(object->kind),       store_int(object->id)};
    good =
        good && tx_exec(tx, "UPDATE crm_object SET name = ?, definition = ?, modified_time = ?, modified_by = ? WHERE kind = ? AND id = ?",
                        row, BASE_COUNT(row), fail);
    buffer_free(&json);
    if (good) {
        *ret_found = tx_changes(tx) > 0;
    }
    return good;
}

bool crm_object_remove_tx(struct tx *tx, struct view kind, int64_t id, bool *ret_found, struct fail *fail)
{
    struct store_param params[] = {store_text(kind), store_int(id)};
    if (!tx_exec(tx, "DELETE FROM crm_object WHERE kind = ? AND id = ?", params, 2, fail)) {
        return false;
    }
    *ret_found = tx_changes(tx) > 0;
    return true;
}

// ---- reading ------------------------------------------------------------------------------------

static bool read_object(struct rows *rows, struct heap *heap, crm_each_object *each, void *arg, struct fail *fail)
{
    struct crm_object object = {.id = rows_int(rows, 0),
                                .kind = rows_text(rows, 1),
                                .module = rows_text(rows, 2),
                                .name = rows_text(rows, 3),
                                .created_ms = rows_int(rows, 5),
                                .created_by = rows_int(rows, 6),
                                .modified_ms = rows_int(rows, 7),
                                .modified_by = rows_int(rows, 8)};
    return json_read(heap, rows_text(rows, 4), &object.definition, fail) && each(arg, &object, fail);
}

bool crm_objects_tx(struct tx *tx, const struct crm_object_query *query, struct heap *heap, crm_each_object *each, void *arg,
                    struct fail *fail)
{
    char sql[SQL_BYTES];
    struct rows *rows;
    struct store_param params[4] = {store_text(query->kind)};
    int count = 1;
    snprintf(sql, sizeof sql,
             "SELECT id, kind, module, name, definition, created_time, created_by, modified_time, modified_by FROM crm_object "
             "WHERE kind = ?%s%s%s ORDER BY id",
             query->module.data ? " AND module = ?" : "", query->id ? " AND id = ?" : "",
             query->name.data ? " AND lower(name) = lower(?)" : "");
    if (query->module.data) {
        params[count++] = store_text(query->module);
    }
    if (query->id) {
        params[count++] = store_int(query->id);
    }
    if (query->name.data) {
        params[count++] = store_text(query->name);
    }
    fail_clear(fail);
    if (!tx_query(tx, sql, params, count, &rows, fail)) {
        return false;
    }
    while (fail->code == FAIL_NONE && rows_next(rows, fail)) {
        read_object(rows, heap, each, arg, fail);
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool crm_object_count_tx(struct tx *tx, struct view kind, struct view module, int64_t *ret_count, struct fail *fail)
{
    bool found;
    struct store_param params[] = {store_text(kind), store_text(module)};
    return tx_query_int(tx, "SELECT COUNT(*) FROM crm_object WHERE kind = ? AND module = ?", params, 2, ret_count, &found, fail);
}

// ---- as people see them -------------------------------------------------------------------------

static bool show_object(void *arg, const struct crm_object *object, struct fail *fail)
{
    struct crm_object_page *page = arg;
    const struct crm_list_query *query = page->query;
    struct heap *heap = page->session->heap;
    if (query && !page->wanted(query, object)) {
        return true;
    }
    if (query && (page->skipped < (query->page - 1) * query->per_page || (int)page->list.list->count == query->per_page)) {
        page->more = (int)page->list.list->count == query->per_page;
        page->skipped++;
        return true;
    }
    shape_add(heap, page->list, page->show(page->session, object));
    page->definition = object->definition;
    page->name = value_text(heap, object->name);
    page->module = value_text(heap, object->module);
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_page_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct crm_object_page *page = arg;
    struct crm_object_query query = {.kind = page->kind, .id = page->id};
    page->list = value_list(page->session->heap, 8);
    page->skipped = 0;
    page->more = false;
    return page->list.type == VALUE_LIST ? crm_objects_tx(tx, &query, page->session->heap, show_object, page, fail)
                                         : fail_set(fail, FAIL_MEMORY, NULL);
}

bool crm_object_page_read(struct crm_object_page *page, struct fail *fail)
{
    return store_read(crm_env(page->session->crm), read_page_tx, page, fail);
}
