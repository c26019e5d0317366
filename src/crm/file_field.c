// SPDX-License-Identifier: Apache-2.0
// Fields of files: a write names uploads by their handles, and the record makes them its own in the closure that writes it; a read shows
// what each file is. An update adds to the files that are there and takes away those that it names with "_delete" (spec: Zoho's pages on
// file upload fields; LIKELY); a profile image is one file, which a new one replaces.
//
// A handle that is not there, or is another record's, is refused as a look-up to nothing is.
#include "crm/file.h"

#include "crm/shape.h"

enum { SMALL_SQL_BYTES = 512 };

// ---- what a request says ------------------------------------------------------------------------

static bool refuse(const struct crm_field *field, enum crm_problem problem, const char *expected, struct crm_row_error *error)
{
    *error = (struct crm_row_error){.problem = problem,
                                    .api_name = field->api_name,
                                    .expected = expected,
                                    .length = problem == CRM_ROW_LENGTH ? CRM_FIELD_FILES_MAX : 0};
    return false;
}

static bool read_handle(const struct crm_field *field, struct value value, struct crm_file_wish *wish, struct crm_row_error *error)
{
    struct view handle = value_view_or(value, VIEW(""));
    if (value.type != VALUE_TEXT) {
        return refuse(field, CRM_ROW_TYPE, field->files == CRM_FILES_ONE ? "string" : "jsonarray", error);
    }
    if (handle.len != CRM_FILE_HANDLE_BYTES) {
        return refuse(field, CRM_ROW_REFERENCE, NULL, error);
    }
    memcpy(wish->handle, handle.data, CRM_FILE_HANDLE_BYTES);
    return true;
}

// "handle", {"File_Id__s"|"file_id":"handle"}, {"id"|"attachment_id":…,"_delete":null}. False without an error: says nothing new, as
// {"id":…} of a file that stays.
static bool read_item(const struct crm_field *field, struct value item, struct crm_file_wish *wish, struct crm_row_error *error)
{
    const struct map *map = value_as_map(item);
    struct value handle = item, id;
    *wish = (struct crm_file_wish){0};
    if (map) {
        bool going = false;
        uint32_t cursor = 0;
        for (struct map_entry *entry; (entry = map_next(map, &cursor));) {
            struct view key = value_view_or(entry->key, VIEW(""));
            going = going || view_eq(key, VIEW("_delete")) || view_eq(key, VIEW("delete"));
        }
        handle = map_get_text(map, VIEW("File_Id__s"));
        handle = value_is_null(handle) ? map_get_text(map, VIEW("file_id")) : handle;
        id = map_get_text(map, VIEW("id"));
        id = value_is_null(id) ? map_get_text(map, VIEW("attachment_id")) : id;
        if (going) {
            return crm_id_read(id, &wish->remove_id) || refuse(field, CRM_ROW_REFERENCE, NULL, error);
        }
        if (value_is_null(handle) && !value_is_null(id)) {
            return false;
        }
    }
    return read_handle(field, handle, wish, error);
}

bool crm_files_wish(struct value value, struct crm_file_wishes *wishes, struct crm_row_error *error)
{
    const struct crm_field *field = wishes->field;
    const struct list *list = value_as_list(value);
    wishes->count = 0;
    *error = (struct crm_row_error){0};
    if (value_is_null(value) || (value.type == VALUE_TEXT && value.len == 0)) {
        return true;
    }
    if (field->files == CRM_FILES_ONE) {
        wishes->count = 1;
        return read_handle(field, value, &wishes->items[0], error);
    }
    if (!list) {
        return value.type == VALUE_FRESH || refuse(field, CRM_ROW_TYPE, "jsonarray", error);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        struct crm_file_wish wish;
        if (read_item(field, value_resolve(list->items[i]), &wish, error)) {
            if (wishes->count == CRM_FIELD_FILES_MAX) {
                return refuse(field, CRM_ROW_LENGTH, NULL, error);
            }
            wishes->items[wishes->count++] = wish;
        }
        if (error->problem != CRM_ROW_FINE) {
            return false;
        }
    }
    return true;
}

// ---- inside the closure -------------------------------------------------------------------------

static int find_handle(const struct crm_file_handles *handles, const char *handle)
{
    for (int i = 0; i < handles->count; i++) {
        if (memcmp(handles->items[i], handle, CRM_FILE_HANDLE_BYTES) == 0) {
            return i;
        }
    }
    return -1;
}

static bool add_handle(struct crm_file_handles *handles, const char *handle)
{
    if (find_handle(handles, handle) >= 0) {
        return true;
    }
    if (handles->count == CRM_FIELD_FILES_MAX) {
        return false;
    }
    memcpy(handles->items[handles->count++], handle, CRM_FILE_HANDLE_BYTES);
    return true;
}

// Moves one from the files that stay to those that go.
static void drop_handle(struct crm_file_wishes *wishes, int at)
{
    struct crm_file_handles *keep = &wishes->keep;
    add_handle(&wishes->drop, keep->items[at]);
    keep->count--;
    memmove(keep->items[at], keep->items[at + 1], (size_t)(keep->count - at) * CRM_FILE_HANDLE_BYTES);
}

// ["…","…"] or one handle: what stands between quotes, or all of it.
static void parse_handles(struct view stored, struct crm_file_handles *handles)
{
    handles->count = 0;
    while (stored.len) {
        struct view part = view_cut(&stored, '"');
        if (part.len == CRM_FILE_HANDLE_BYTES) {
            add_handle(handles, part.data);
        }
    }
}

static bool read_stored(struct tx *tx, const struct crm_module *module, const struct crm_field *field, int64_t id,
                        struct crm_file_handles *handles, struct fail *fail)
{
    char sql[SMALL_SQL_BYTES];
    struct store_param param = store_int(id);
    struct rows *rows;
    snprintf(sql, sizeof sql, "SELECT %.*s FROM %.*s WHERE \"id\"=?", VIEW_ARGS(field->quoted), VIEW_ARGS(module->quoted));
    if (!tx_query(tx, sql, &param, 1, &rows, fail)) {
        return false;
    }
    if (rows_next(rows, fail) && rows_type(rows, 0) == STORE_TEXT) {
        parse_handles(rows_text(rows, 0), handles);
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

// {"id":…,"_delete":null}: the id must be of a file that the field has.
static bool check_removed(struct tx *tx, struct crm_file_wishes *wishes, int64_t file_id, int64_t record_id, bool *ret_fine,
                          struct fail *fail)
{
    struct store_param params[] = {store_int(file_id), store_int(record_id)};
    struct rows *rows;
    int at = -1;
    if (!tx_query(tx, "SELECT handle FROM crm_file WHERE id = ? AND owner_id = ?", params, 2, &rows, fail)) {
        return false;
    }
    if (rows_next(rows, fail) && rows_text(rows, 0).len == CRM_FILE_HANDLE_BYTES) {
        at = find_handle(&wishes->keep, rows_text(rows, 0).data);
    }
    rows_close(rows);
    *ret_fine = at >= 0;
    if (at >= 0) {
        drop_handle(wishes, at);
    }
    return fail->code == FAIL_NONE;
}

// *ret_fine false: it is not there, another record's, or no image where one is wanted.
static bool check_added(struct tx *tx, struct crm_file_wishes *wishes, const char *handle, int64_t record_id, bool *ret_fine,
                        struct fail *fail)
{
    struct store_param key = store_text((struct view){handle, CRM_FILE_HANDLE_BYTES});
    struct rows *rows;
    if (!tx_query(tx, "SELECT owner_id, substr(content, 1, 8) FROM crm_file WHERE handle = ?", &key, 1, &rows, fail)) {
        return false;
    }
    *ret_fine = rows_next(rows, fail);
    if (*ret_fine) {
        int64_t owner_id = rows_int(rows, 0);
        bool any = view_eq(view_of(wishes->field->type->name), VIEW("fileupload"));
        *ret_fine = (owner_id == 0 || owner_id == record_id) && (any || crm_image_type(rows_text(rows, 1)));
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static bool check_wish(struct tx *tx, struct crm_file_wishes *wishes, const struct crm_file_wish *wish, int64_t record_id,
                       struct crm_row_error *late, struct fail *fail)
{
    bool fine = false;
    if (!(wish->remove_id ? check_removed(tx, wishes, wish->remove_id, record_id, &fine, fail)
                          : check_added(tx, wishes, wish->handle, record_id, &fine, fail))) {
        return false;
    }
    if (!fine) {
        refuse(wishes->field, CRM_ROW_REFERENCE, NULL, late);
    } else if (!wish->remove_id && !add_handle(&wishes->keep, wish->handle)) {
        refuse(wishes->field, CRM_ROW_LENGTH, NULL, late);
    }
    return true;
}

bool crm_files_check(struct tx *tx, const struct crm_module *module, int64_t record_id, struct crm_file_wishes *wishes,
                     struct crm_row_error *late, struct fail *fail)
{
    for (; wishes && late->problem == CRM_ROW_FINE; wishes = wishes->next) {
        wishes->keep.count = wishes->drop.count = 0;
        if (record_id && !read_stored(tx, module, wishes->field, record_id, &wishes->keep, fail)) {
            return false;
        }
        bool cleared = wishes->count == 0 || wishes->field->files == CRM_FILES_ONE;
        while (cleared && wishes->keep.count) {
            drop_handle(wishes, wishes->keep.count - 1);
        }
        for (int i = 0; i < wishes->count && late->problem == CRM_ROW_FINE; i++) {
            if (!check_wish(tx, wishes, &wishes->items[i], record_id, late, fail)) {
                return false;
            }
        }
    }
    return true;
}

static struct store_param print_handles(struct crm_file_wishes *wishes)
{
    const struct crm_file_handles *handles = &wishes->keep;
    size_t len = 0;
    bool one = wishes->field->files == CRM_FILES_ONE;
    if (handles->count == 0) {
        return store_null();
    }
    for (int i = 0; i < handles->count; i++) {
        len += (size_t)snprintf(wishes->text + len, sizeof wishes->text - len, one ? "%s%.*s" : "%s\"%.*s\"",
                                one ? ""
                                : i ? ","
                                    : "[",
                                CRM_FILE_HANDLE_BYTES, handles->items[i]);
    }
    if (!one) {
        wishes->text[len++] = ']';
    }
    return store_text((struct view){wishes->text, len});
}

static bool change_files(struct tx *tx, const struct crm_file_handles *handles, const char *sql, int64_t record_id, struct fail *fail)
{
    for (int i = 0; i < handles->count; i++) {
        struct store_param params[] = {store_int(record_id), store_text((struct view){handles->items[i], CRM_FILE_HANDLE_BYTES})};
        if (!tx_exec(tx, sql, params, 2, fail)) {
            return false;
        }
    }
    return true;
}

// Under an install journal the bytes of files that go stay: an undo needs them.
bool crm_files_settle(struct tx *tx, const struct crm_session *session, int64_t record_id, struct crm_file_wishes *wishes,
                      struct fail *fail)
{
    for (; wishes; wishes = wishes->next) {
        for (int i = 0; i < wishes->keep.count; i++) { // named twice, it stays
            int at = find_handle(&wishes->drop, wishes->keep.items[i]);
            if (at >= 0) {
                wishes->drop.count--;
                memmove(wishes->drop.items[at], wishes->drop.items[at + 1], (size_t)(wishes->drop.count - at) * CRM_FILE_HANDLE_BYTES);
            }
        }
        if (!change_files(tx, &wishes->keep, "UPDATE crm_file SET owner_id = ? WHERE owner_id = 0 AND handle = ?", record_id, fail) ||
            (session->journal == 0 &&
             !change_files(tx, &wishes->drop, "DELETE FROM crm_file WHERE owner_id = ? AND handle = ?", record_id, fail))) {
            return false;
        }
        *wishes->param = print_handles(wishes);
    }
    return true;
}

// ---- showing ------------------------------------------------------------------------------------

static struct value make_file(struct crm_session *session, struct rows *rows, struct view handle)
{
    struct heap *heap = session->heap;
    bool newer = session->api_version >= 6;
    struct value file = value_map(heap, 8), size = crm_id_text(heap, rows_int(rows, 2));
    struct value user = shape_user(session, rows_int(rows, 4)), time = shape_time(session, rows_int(rows, 3));
    if (newer) {
        static const char *const users[] = {"Owner__s", "Created_By__s", "Modified_By__s"}, *const times[] = {"Created_Time__s",
                                                                                                              "Modified_Time__s"};
        shape_text(heap, file, "File_Id__s", handle);
        shape_text(heap, file, "File_Name__s", rows_text(rows, 1));
        shape_put(heap, file, "Size__s", size);
        shape_put(heap, file, "id", crm_id_text(heap, rows_int(rows, 0)));
        SHAPE_ALL(heap, file, users, user);
        SHAPE_ALL(heap, file, times, time);
        return file;
    }
    shape_text(heap, file, "file_Id", handle);
    shape_text(heap, file, "file_Name", rows_text(rows, 1));
    shape_put(heap, file, "file_Size", size);
    shape_put(heap, file, "original_Size_Byte", size);
    shape_put(heap, file, "attachment_Id", crm_id_text(heap, rows_int(rows, 0)));
    shape_put(heap, file, "creator_Id", crm_id_text(heap, rows_int(rows, 4)));
    return file;
}

static bool show_file(struct tx *tx, struct crm_session *session, struct view handle, struct value list, struct fail *fail)
{
    struct store_param key = store_text(handle);
    struct rows *rows;
    if (!tx_query(tx, "SELECT id, name, size, created_time, created_by FROM crm_file WHERE handle = ?", &key, 1, &rows, fail)) {
        return false;
    }
    if (rows_next(rows, fail)) {
        shape_add(session->heap, list, make_file(session, rows, handle));
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool crm_files_show(struct tx *tx, struct crm_session *session, struct view stored, struct value *ret_list, struct fail *fail)
{
    struct crm_file_handles handles; // a copy: the row's text lasts until the next query
    struct value list = value_list(session->heap, 2);
    parse_handles(stored, &handles);
    for (int i = 0; i < handles.count; i++) {
        if (!show_file(tx, session, (struct view){handles.items[i], CRM_FILE_HANDLE_BYTES}, list, fail)) {
            return false;
        }
    }
    *ret_list = list;
    return true;
}
