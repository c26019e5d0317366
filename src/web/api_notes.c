// SPDX-License-Identifier: Apache-2.0
//
// Notes of a record: /{module}/{id}/Notes (spec/crm-api.md §2.2). All notes together are the module Notes, whose routes are those of
// records. A note that hangs on another record is not there.
#include "web/rest.h"

#define NOTES VIEW("Notes")

// Each row becomes a note of the record.
static void aim_notes(struct rest *rest, struct value rows, const struct view *params)
{
    struct heap *heap = &rest->answer.heap;
    const struct list *list = value_as_list(rows);
    for (uint32_t i = 0; list && i < list->count; i++) {
        struct map *row = value_as_map(list->items[i]);
        if (row) {
            map_put_text(heap, row, VIEW("Parent_Id"), value_text(heap, params[1]));
            map_put_text(heap, row, VIEW("$se_module"), value_text(heap, params[0]));
        }
    }
}

void api_notes_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct value rows = value_null(), results = value_null();
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_parent(&rest, params, &id) && rest_body(&rest, &body) && rest_rows(&rest, body, "data", CRM_ROWS_MAX, &rows);
    if (good) {
        aim_notes(&rest, rows, params);
    }
    good = good && crm_records_insert(&rest.session, NOTES, rows, &results, &rest.answer.fail);
    rest_send_rows(&rest, good, results, 201);
}

void api_note_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value note = value_null(), list;
    int64_t parent, id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_parent(&rest, params, &parent) && rest_id(&rest, params[2], 3, &id) &&
                crm_hangs_check(&rest.session, NOTES, id, params[0], parent, &rest.answer.fail);
    if (!good && rest.answer.fail.code == FAIL_NOT_FOUND) {
        rest_send_empty(&rest, 204);
        return;
    }
    good = good && crm_record_get(&rest.session, NOTES, id, &note, &rest.answer.fail);
    list = value_list(&rest.answer.heap, 1);
    if (good && list.type == VALUE_LIST) {
        list_add(&rest.answer.heap, list.list, note);
    }
    rest_send(&rest, good, rest_wrap(&rest, "data", list));
}

// *ret_own: the note hangs on the record. False only when that cannot be told.
static bool is_own(struct rest *rest, const struct view *params, int64_t parent, int64_t id, bool *ret_own)
{
    struct fail *fail = &rest->answer.fail;
    *ret_own = crm_hangs_check(&rest->session, NOTES, id, params[0], parent, fail);
    if (!*ret_own && fail->code != FAIL_NOT_FOUND) {
        return false;
    }
    fail_clear(fail);
    return true;
}

// Rows of notes that are not the record's get an id that no note has: their results say that it is wrong. A note stays with its record.
static bool keep_own(struct rest *rest, const struct view *params, int64_t parent, struct value rows)
{
    struct heap *heap = &rest->answer.heap;
    for (uint32_t i = 0; i < rows.list->count; i++) {
        struct map *row = value_as_map(rows.list->items[i]);
        bool own = true;
        int64_t id;
        if (!row) {
            continue;
        }
        if (crm_id_read(map_get_text(row, VIEW("id")), &id) && !is_own(rest, params, parent, id, &own)) {
            return false;
        }
        if (!own) {
            map_put_text(heap, row, VIEW("id"), value_number(0));
        }
        map_remove(row, value_text(heap, VIEW("Parent_Id")));
        map_remove(row, value_text(heap, VIEW("$se_module")));
    }
    return true;
}

// The note's id in the path, or one in each row.
void api_notes_change(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct value rows = value_null(), results = value_null();
    int64_t parent, id;
    bool own = true, one = params[2].len > 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_parent(&rest, params, &parent) && (!one || rest_id(&rest, params[2], 3, &id)) && rest_body(&rest, &body) &&
                rest_rows(&rest, body, "data", one ? 1 : CRM_ROWS_MAX, &rows) && (!one || is_own(&rest, params, parent, id, &own));
    if (good && !own) {
        good = rest_refuse_index(&rest, FAIL_INVALID_DATA, "the id given seems to be invalid", 3);
    }
    struct map *first = good && one ? value_as_map(rows.list->items[0]) : NULL;
    if (first) {
        map_put_text(&rest.answer.heap, first, VIEW("id"), value_text(&rest.answer.heap, params[2]));
    }
    good = good && keep_own(&rest, params, parent, rows) && crm_records_update(&rest.session, NOTES, rows, &results, &rest.answer.fail);
    rest_send_rows(&rest, good, results, 200);
}

static bool remove_note(struct rest *rest, const struct view *params, int64_t parent, int64_t id, struct list *results)
{
    struct value result = value_null();
    bool own;
    if (!is_own(rest, params, parent, id, &own)) {
        return false;
    }
    int64_t aimed = own ? id : 0; // an id that no note has: the result says so
    if (!crm_records_delete(&rest->session, NOTES, &aimed, 1, &result, &rest->answer.fail)) {
        return false;
    }
    struct map *row = value_as_map(value_as_list(result)->items[0]);
    struct map *details = row ? value_as_map(map_get_text(row, VIEW("details"))) : NULL;
    if (details && !own) {
        map_put_text(&rest->answer.heap, details, VIEW("id"), value_text_printf(&rest->answer.heap, "%lld", (long long)id));
    }
    return list_add(&rest->answer.heap, results, value_as_list(result)->items[0]) || fail_set(&rest->answer.fail, FAIL_MEMORY, NULL);
}

void api_notes_remove(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    int64_t parent, ids[CRM_ROWS_MAX];
    int count = 1;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_list(&rest.answer.heap, 1);
    bool good = rest_parent(&rest, params, &parent) && results.type == VALUE_LIST &&
                (params[2].len ? rest_id(&rest, params[2], 3, &ids[0]) : rest_ids(&rest, ids, &count));
    for (int i = 0; good && i < count; i++) {
        good = remove_note(&rest, params, parent, ids[i], results.list);
    }
    rest_send_rows(&rest, good, results, 200);
}
