// SPDX-License-Identifier: Apache-2.0
// Records that were deleted: what a deletion leaves behind in crm_deleted, and the listing of it (spec/crm-api.md §2.2).
#include "crm/shape.h"

enum { SMALL_SQL_BYTES = 512 };

bool crm_deleted_note(struct tx *tx, const struct crm_session *session, const struct crm_module *module, int64_t id, int64_t now_ms,
                      struct fail *fail)
{
    char sql[SMALL_SQL_BYTES * 2];
    const struct crm_fields *fields = crm_fields_of(module);
    struct view name = fields->name ? fields->name->quoted : VIEW("NULL"),
                by = fields->created_by ? fields->created_by->quoted : VIEW("NULL");
    snprintf(
        sql, sizeof sql,
        "INSERT INTO crm_deleted (id, module, deleted_time, deleted_by, display_name, created_by) SELECT \"id\", ?, ?, ?, CAST(%.*s AS "
        "TEXT), %.*s FROM %.*s WHERE \"id\"=? ON CONFLICT (id) DO UPDATE SET deleted_time = excluded.deleted_time, deleted_by = "
        "excluded.deleted_by, display_name = excluded.display_name",
        VIEW_ARGS(name), VIEW_ARGS(by), VIEW_ARGS(module->quoted));
    struct store_param params[] = {store_text(module->api_name), store_int(now_ms), store_int(session->user_id), store_int(id)};
    return tx_exec(tx, sql, params, BASE_COUNT(params), fail) &&
           (session->journal == 0 || crm_journal_insert(tx, session->journal, VIEW("crm_deleted"), VIEW("crm_deleted"), id, fail));
}

// ---- listing ------------------------------------------------------------------------------------

// A page of crm_deleted, newest first.
struct listing {
    struct crm_session *session;
    const char *where; // with two parameters
    struct store_param params[2];
    int64_t id; // of the one that is asked for; 0: all
    int page, per_page;
    struct value (*make)(const struct listing *listing, struct rows *rows); // columns as read_listing selects them
    // by the closure
    struct value list;
    bool more;
};

static struct value make_user(const struct crm_session *session, struct rows *rows, int column)
{
    struct heap *heap = session->heap;
    if (rows_type(rows, column) == STORE_NULL) {
        return value_null();
    }
    const struct crm_user *user = crm_user_find(session->meta, rows_int(rows, column));
    struct value pair = value_map(heap, 2);
    if (pair.type == VALUE_MAP) {
        map_put_text(heap, pair.map, VIEW("name"), user ? value_text(heap, user->full_name) : value_null());
        map_put_text(heap, pair.map, VIEW("id"), crm_id_text(heap, rows_int(rows, column)));
    }
    return pair;
}

static struct value make_row(const struct listing *listing, struct rows *rows)
{
    const struct crm_session *session = listing->session;
    struct heap *heap = session->heap;
    struct value row = value_map(heap, 6);
    if (row.type == VALUE_MAP) {
        map_put_text(heap, row.map, VIEW("deleted_by"), make_user(session, rows, 2));
        map_put_text(heap, row.map, VIEW("id"), crm_id_text(heap, rows_int(rows, 0)));
        map_put_text(heap, row.map, VIEW("display_name"),
                     rows_type(rows, 3) == STORE_NULL ? value_null() : value_text(heap, rows_text(rows, 3)));
        map_put_text(heap, row.map, VIEW("type"), VALUE_TEXT_LITERAL(heap, "recycle"));
        map_put_text(heap, row.map, VIEW("created_by"), make_user(session, rows, 4));
        map_put_text(heap, row.map, VIEW("deleted_time"), crm_time_text(session, rows_int(rows, 1)));
    }
    return row;
}

static bool read_listing(struct tx *tx, void *arg, struct fail *fail)
{
    struct listing *listing = arg;
    char sql[SMALL_SQL_BYTES];
    struct rows *rows;
    struct store_param params[] = {listing->params[0], listing->params[1], store_int(listing->per_page + 1),
                                   store_int((int64_t)(listing->page - 1) * listing->per_page)};
    fail_clear(fail);
    listing->list = value_list(listing->session->heap, 8);
    listing->more = false;
    if (listing->list.type != VALUE_LIST) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    snprintf(sql, sizeof sql,
             "SELECT id, deleted_time, deleted_by, display_name, created_by, module FROM crm_deleted WHERE %s ORDER BY deleted_time DESC, "
             "id DESC LIMIT ? OFFSET ?",
             listing->where);
    if (!tx_query(tx, sql, params, BASE_COUNT(params), &rows, fail)) {
        return false;
    }
    while (!listing->more && rows_next(rows, fail)) {
        listing->more = (int)listing->list.list->count == listing->per_page;
        if (!listing->more) {
            list_add(listing->session->heap, listing->list.list, listing->make(listing, rows));
        }
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static bool list(struct listing *listing, struct value *ret_list, bool *ret_more, struct fail *fail)
{
    if (!store_read(crm_env(listing->session->crm), read_listing, listing, fail)) {
        return false;
    }
    *ret_list = listing->list;
    *ret_more = listing->more;
    return true;
}

bool crm_deleted_list(struct crm_session *session, struct view module, const struct crm_query *query, struct value *ret_list,
                      bool *ret_more, struct fail *fail)
{
    const struct crm_module *found = crm_module_resolve(session, module);
    if (!found) {
        return fail_set(fail, FAIL_INVALID_MODULE, NULL);
    }
    struct listing listing = {.session = session,
                              .where = "module = ? AND deleted_time > ?",
                              .params = {store_text(found->api_name), store_int(query->modified_after_ms)},
                              .page = query->page,
                              .per_page = query->per_page,
                              .make = make_row};
    return list(&listing, ret_list, ret_more, fail);
}

// ---- the recycle bin ----------------------------------------------------------------------------

// The owner is not kept: who made the record stands for him (GUESS). One entry alone shows its module with the id (Zoho's descriptions).
static struct value make_entry(const struct listing *listing, struct rows *rows)
{
    struct heap *heap = listing->session->heap;
    struct value entry = value_map(heap, 6);
    struct view name = rows_type(rows, 3) == STORE_NULL ? VIEW("") : rows_text(rows, 3);
    shape_text(heap, entry, "display_name", name);
    shape_put(heap, entry, "deleted_time", crm_time_text(listing->session, rows_int(rows, 1)));
    shape_put(heap, entry, "owner", make_user(listing->session, rows, 4));
    const struct crm_module *module = listing->id ? crm_module_resolve(listing->session, rows_text(rows, 5)) : NULL;
    shape_put(heap, entry, "module", module ? shape_module(listing->session, module) : value_text(heap, rows_text(rows, 5)));
    shape_put(heap, entry, "deleted_by", make_user(listing->session, rows, 2));
    shape_put(heap, entry, "id", crm_id_text(heap, rows_int(rows, 0)));
    return entry;
}

bool crm_bin_list(struct crm_session *session, int64_t id, int page, int per_page, struct value *ret_list, bool *ret_more,
                  struct fail *fail)
{
    struct listing listing = {.session = session,
                              .where = "id = ? OR ? = 0",
                              .params = {store_int(id), store_int(id)},
                              .id = id,
                              .page = page,
                              .per_page = per_page,
                              .make = make_entry};
    return list(&listing, ret_list, ret_more, fail);
}

static bool count_bin(struct tx *tx, void *arg, struct fail *fail)
{
    int64_t *count = arg;
    bool found;
    fail_clear(fail);
    return tx_query_int(tx, "SELECT COUNT(*) FROM crm_deleted", NULL, 0, count, &found, fail);
}

bool crm_bin_count(struct crm_session *session, int64_t *ret_count, struct fail *fail)
{
    return store_read(crm_env(session->crm), count_bin, ret_count, fail);
}
