// SPDX-License-Identifier: Apache-2.0
// Reading records: one SELECT, each row a map in the order of the metadata, unset fields null, look-ups as {"name","id"}, users with their
// e-mail (spec/crm-api.md §2.6). Which columns are read and where the names of look-ups come from is select.c's.
//
// Values are made directly in the session's heap while the rows are read, or written as text row by row (struct crm_written). Keys are made
// once a call and shared by its rows; changing one record's map never shows in another, since only texts are shared.
#include "crm/item.h"
#include "crm/reader.h"
#include "crm/file.h"
#include "crm/shape.h"
#include "crm/tag.h"

enum { SQL_BYTES_MAX = 512 << 10, RICH_UNITS_LISTED = 500 };
enum { RICH_CUT_VERSION = 5 }; // spec/crm-api.md §2.11

// ---- values -------------------------------------------------------------------------------------

static void put(struct heap *heap, struct value map, struct value key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put(heap, map.map, key, value);
    }
}

// {"name":…,"id":…}; `room` leaves space for what a caller adds.
static struct value make_pair(const struct crm_reader *reader, struct value name, int64_t id, size_t room)
{
    struct heap *heap = reader->heap;
    struct value pair = value_map(heap, room);
    put(heap, pair, reader->name_key, name);
    put(heap, pair, reader->id_key, crm_id_text(heap, id));
    return pair;
}

// Users come out of the picture: no query. One that has gone shows its id alone.
static struct value make_user(const struct crm_reader *reader, int64_t id)
{
    struct heap *heap = reader->heap;
    const struct crm_user *user = crm_user_find(reader->session->meta, id);
    if (reader->ids_only) {
        struct value map = value_map(heap, 1);
        put(heap, map, reader->id_key, crm_id_text(heap, id));
        return map;
    }
    struct value pair = make_pair(reader, user ? value_text(heap, user->full_name) : value_null(), id, 3);
    put(heap, pair, reader->email_key, user ? value_text(heap, user->email) : value_null());
    return pair;
}

static struct value make_json(const struct crm_reader *reader, struct view text)
{
    struct value value = value_null();
    struct fail ignored = {0};
    json_read(reader->heap, text, &value, &ignored); // null when somebody edited the file by hand
    return value;
}

// Datetimes are shown with the numeric offset of the user's zone, never as Z.
static struct value make_time(struct crm_reader *reader, int64_t millis)
{
    buffer_reset(&reader->scratch);
    calendar_print_iso(&reader->scratch, millis, reader->zone);
    return value_text(reader->heap, buffer_view(&reader->scratch));
}

// The name of a record in the module that $se_module names.
static struct value find_se_name(struct tx *tx, struct crm_reader *reader, struct view module_name, int64_t id, bool *ret_found,
                                 struct fail *fail)
{
    const struct crm_module *target = crm_module_resolve(reader->session, module_name);
    struct value name = value_null();
    struct buffer sql;
    struct rows *rows;
    struct store_param param = store_int(id);
    *ret_found = false;
    if (!target) {
        return name;
    }
    buffer_init(&sql, 1024);
    buffer_add(&sql, VIEW("SELECT CAST("));
    store_quote(&sql, target->name_field, fail);
    buffer_printf(&sql, " AS TEXT) FROM %.*s WHERE \"id\"=?", VIEW_ARGS(target->quoted));
    if (tx_query(tx, buffer_text(&sql), &param, 1, &rows, fail)) {
        *ret_found = rows_next(rows, fail);
        if (*ret_found) {
            name = value_text(reader->heap, rows_text(rows, 0));
        }
        rows_close(rows);
    }
    buffer_free(&sql);
    return name;
}

// A record of whatever module $se_module names. From version 8 on the parent of a note says which that is (other modules' do not: LIKELY).
static struct value read_se_lookup(struct tx *tx, struct crm_reader *reader, struct rows *rows, int64_t id, struct fail *fail)
{
    char module[CRM_NAME_MAX + 1];
    struct view text = rows_text(rows, reader->selection->se_column);
    size_t len = text.len < sizeof module ? text.len : 0;
    bool found, note = reader->session->api_version >= 8 && view_eq(reader->module->api_name, VIEW("Notes"));
    if (len) {
        memcpy(module, text.data, len); // the row's text lasts until the next query
    }
    struct value name = find_se_name(tx, reader, (struct view){module, len}, id, &found, fail);
    struct value pair = found ? make_pair(reader, name, id, 3) : value_null();
    const struct crm_module *target = found && note ? crm_module_resolve(reader->session, (struct view){module, len}) : NULL;
    if (target) {
        shape_put(reader->heap, pair, "module", shape_module(reader->session, target));
    }
    return pair;
}

// A look-up whose record is gone reads as unset.
static struct value read_lookup(struct tx *tx, struct crm_reader *reader, struct rows *rows, const struct crm_column *column,
                                struct fail *fail)
{
    struct heap *heap = reader->heap;
    int64_t id = rows_int(rows, column->index);
    bool found = rows_type(rows, column->index + 1) != STORE_NULL;
    struct value pair = value_null();
    if (column->field->se_module) {
        pair = read_se_lookup(tx, reader, rows, id, fail);
    } else if (found) {
        pair = make_pair(reader, value_text(heap, rows_text(rows, column->index + 1)), id, 2);
    }
    if (pair.type == VALUE_MAP && reader->ids_only) {
        struct value map = value_map(heap, 1);
        put(heap, map, reader->id_key, crm_id_text(heap, id));
        return map;
    }
    return pair;
}

// What an unset field shows: null, but an unticked box is false and a record without tags has an empty list.
static struct value read_unset(const struct crm_reader *reader, const struct crm_field *field)
{
    if (field->kind == CRM_KIND_BOOLEAN) {
        return value_bool(false);
    }
    if (field->available) {
        return VALUE_TEXT_LITERAL(reader->heap, "Available");
    }
    return field->tags ? value_list(reader->heap, 0) : value_null();
}

static struct value read_tags(struct tx *tx, struct crm_reader *reader, struct view stored, struct fail *fail)
{
    struct value list = value_null();
    if (reader->tags.type != VALUE_MAP) {
        reader->tags = value_map(reader->session->heap, 4);
    }
    crm_tags_show(tx, reader->session->heap, reader->tags, stored, &list, fail);
    return list;
}

static struct value read_files(struct tx *tx, struct crm_reader *reader, struct view stored, struct fail *fail)
{
    struct value list = value_null();
    crm_files_show(tx, reader->session, stored, &list, fail);
    return list;
}

// What no field describes: a count, a sum.
static struct value read_plain(struct heap *heap, struct rows *rows, int at)
{
    switch (rows_type(rows, at)) {
    case STORE_INTEGER:
        return value_number(rows_int(rows, at));
    case STORE_REAL:
        return value_decimal(rows_real(rows, at));
    case STORE_TEXT:
        return value_text(heap, rows_text(rows, at));
    default:
        return value_null();
    }
}

// Lists show the beginning of a rich text from version 5 on (spec/crm-api.md §2.2).
static struct view cut_rich(const struct crm_reader *reader, struct view text)
{
    bool whole = reader->single || reader->session->api_version < RICH_CUT_VERSION || text.len <= RICH_UNITS_LISTED || !utf8_valid(text);
    return whole ? text : view_slice(text, 0, utf8_offset(text, RICH_UNITS_LISTED));
}

// The kind decides, not the column's type: a hand-edited data base gives odd values, never odd memory.
static struct value read_cell(struct tx *tx, struct crm_reader *reader, struct rows *rows, const struct crm_column *column,
                              struct fail *fail)
{
    const struct crm_field *field = column->field;
    struct heap *heap = reader->heap;
    int at = column->index;
    if (!field) {
        return read_plain(heap, rows, at);
    }
    if (rows_type(rows, at) == STORE_NULL) {
        return read_unset(reader, field);
    }
    switch (field->kind) {
    case CRM_KIND_TEXT:
        return value_text(heap, field->rich ? cut_rich(reader, rows_text(rows, at)) : rows_text(rows, at));
    case CRM_KIND_DATE:
        return value_text(heap, rows_text(rows, at));
    case CRM_KIND_INTEGER:
        return value_number(rows_int(rows, at));
    case CRM_KIND_BIGINT:
        return crm_id_text(heap, rows_int(rows, at));
    case CRM_KIND_REAL:
        return value_decimal(rows_real(rows, at));
    case CRM_KIND_BOOLEAN:
        return value_bool(rows_int(rows, at) != 0);
    case CRM_KIND_DATETIME:
        return make_time(reader, rows_int(rows, at));
    case CRM_KIND_LOOKUP:
        return read_lookup(tx, reader, rows, column, fail);
    case CRM_KIND_USER:
        return make_user(reader, rows_int(rows, at));
    case CRM_KIND_LIST:
    case CRM_KIND_JSON:
        return field->tags          ? read_tags(tx, reader, rows_text(rows, at), fail)
               : field->files       ? read_files(tx, reader, rows_text(rows, at), fail)
               : field->subform.len ? crm_items_show(reader->session, make_json(reader, rows_text(rows, at)))
                                    : make_json(reader, rows_text(rows, at));
    }
    return value_null();
}

// ---- records ------------------------------------------------------------------------------------

enum { SYSTEM_KEYS = 22 };

static struct value read_record(struct tx *tx, struct crm_reader *reader, struct rows *rows, struct fail *fail)
{
    struct heap *heap = reader->heap;
    const struct crm_selection *selection = reader->selection;
    struct value record = value_map(heap, (size_t)selection->count + (reader->own ? 0 : SYSTEM_KEYS));
    for (int i = 0; i < selection->count; i++) {
        put(heap, record, reader->keys[i], read_cell(tx, reader, rows, &selection->columns[i], fail));
    }
    if (!reader->own) { // a whole record
        crm_record_system(reader, record, rows);
        if (view_eq(reader->module->api_name, VIEW("Attachments"))) {
            crm_attachment_show(tx, reader->session, rows_int(rows, 0), record, fail);
        }
    }
    return record;
}

// ---- running it ---------------------------------------------------------------------------------

static bool keep_cursor(struct tx *tx, struct crm_reader *reader, struct fail *fail)
{
    reader->session->cursor = value_null();
    return !reader->more || reader->count == 0 || crm_page_cursor(tx, reader, reader->last_id, fail);
}

static void begin_rows(struct crm_reader *reader)
{
    reader->more = false;
    reader->count = 0;
    reader->list.list->count = 0;
    if (reader->written) { // a second try writes over the first
        reader->written->text.len = reader->written_before;
    }
}

static bool write_row(struct crm_reader *reader, struct value record, struct fail *fail)
{
    struct buffer *text = &reader->written->text;
    if (reader->count > 0) {
        buffer_add_char(text, ',');
    }
    bool good = !reader->heap->failed && json_write(text, record, NULL, fail);
    heap_reset(reader->heap);
    return good && (!text->failed || fail_set(fail, FAIL_MEMORY, "the answer is too long"));
}

static bool keep_row(struct crm_reader *reader, struct rows *rows, struct value record, struct fail *fail)
{
    bool kept = reader->written ? write_row(reader, record, fail) : list_add(reader->session->heap, reader->list.list, record);
    reader->last_id = reader->paged ? rows_int(rows, 0) : 0;
    reader->count++;
    if (kept && !reader->session->heap->failed) {
        return true;
    }
    return fail->code == FAIL_NONE ? fail_set(fail, FAIL_MEMORY, NULL) : false;
}

// Runs on a reader, or on the writer's thread when the data base is in memory; the caller sleeps either way, so its heap is free.
static bool read_rows(struct tx *tx, void *arg, struct fail *fail)
{
    struct crm_reader *reader = arg;
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, reader->text, reader->sql.params, reader->sql.count, &rows, fail)) {
        return false;
    }
    begin_rows(reader);
    while (fail->code == FAIL_NONE && rows_next(rows, fail)) {
        if (reader->count == reader->limit) {
            reader->more = true;
            break;
        }
        struct value record = read_record(tx, reader, rows, fail);
        if (fail->code == FAIL_NONE && !keep_row(reader, rows, record, fail)) {
            break;
        }
    }
    rows_close(rows);
    return fail->code == FAIL_NONE && (!reader->paged || keep_cursor(tx, reader, fail));
}

static bool read_number(struct tx *tx, void *arg, struct fail *fail)
{
    struct crm_reader *reader = arg;
    bool found;
    fail_clear(fail);
    return tx_query_int(tx, reader->text, reader->sql.params, reader->sql.count, &reader->number, &found, fail);
}

void crm_reader_close(struct crm_reader *reader)
{
    crm_selection_free(reader->own);
    buffer_free(&reader->sql.text);
    buffer_free(&reader->scratch);
}

void crm_reader_open(struct crm_reader *reader, struct crm_session *session, const struct crm_module *module, struct arena *arena)
{
    *reader =
        (struct crm_reader){.session = session, .heap = session->heap, .module = module, .zone = crm_zone(session), .sql.arena = arena};
    buffer_init(&reader->sql.text, SQL_BYTES_MAX);
    buffer_init(&reader->scratch, 256);
}

bool crm_reader_keys(struct crm_reader *reader, size_t rows, struct fail *fail)
{
    struct heap *heap = reader->session->heap;
    reader->keys = arena_alloc(reader->sql.arena, ((size_t)reader->selection->count + 1) * sizeof *reader->keys);
    reader->list = value_list(heap, rows);
    reader->name_key = VALUE_TEXT_LITERAL(heap, "name");
    reader->id_key = VALUE_TEXT_LITERAL(heap, "id");
    reader->email_key = VALUE_TEXT_LITERAL(heap, "email");
    return (reader->keys && reader->list.type == VALUE_LIST) || fail_set(fail, FAIL_MEMORY, NULL);
}

// Chooses the columns and makes their keys.
static bool select_columns(struct crm_reader *reader, struct view fields, bool single, struct fail *fail)
{
    struct heap *heap = reader->session->heap;
    if (!crm_selection_open(reader->session, reader->module, fields, single, &reader->selection, &reader->own, fail)) {
        return false;
    }
    if (!crm_reader_keys(reader, single ? 1 : 8, fail)) {
        return false;
    }
    for (int i = 0; i < reader->selection->count; i++) {
        reader->keys[i] = value_text(heap, crm_field_key(reader->session, reader->selection->columns[i].field));
    }
    return true;
}

static bool run_statement(struct crm_reader *reader, store_fn *fn, struct fail *fail)
{
    reader->text = reader->text ? reader->text : buffer_text(&reader->sql.text);
    if (reader->sql.text.failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (store_read(crm_env(reader->session->crm), fn, reader, fail)) {
        return true;
    }
    if (fail->code == FAIL_STORE) {
        crm_meta_check(reader->session, fail); // a column or a table may have gone since this picture: then it is stale, not broken
    }
    return false;
}

bool crm_reader_run(struct crm_reader *reader, struct fail *fail)
{
    return run_statement(reader, read_rows, fail);
}

// One record by its id; in the caller's transaction, or with tx NULL in one of its own. Null when there is none.
static bool read_single(struct tx *tx, struct crm_session *session, const struct crm_module *module, int64_t id, struct view fields,
                        struct value *ret_record, struct fail *fail)
{
    struct arena arena;
    struct crm_reader reader;
    arena_init(&arena, CRM_SCRATCH_BYTES_MAX);
    crm_reader_open(&reader, session, module, &arena);
    reader.limit = 1;
    reader.single = true;
    bool done = select_columns(&reader, fields, true, fail);
    if (done) {
        reader.text = reader.selection->text_by_id;
        crm_sql_param(&reader.sql, store_int(id));
        done = tx ? read_rows(tx, &reader, fail) : crm_reader_run(&reader, fail);
    }
    if (done) {
        *ret_record = reader.list.list->count ? reader.list.list->items[0] : value_null();
    }
    crm_reader_close(&reader);
    arena_free(&arena);
    return done;
}

bool crm_record_get_tx(struct tx *tx, struct crm_session *session, const struct crm_module *module, int64_t id, struct value *ret_record,
                       struct fail *fail)
{
    return read_single(tx, session, module, id, VIEW_NONE, ret_record, fail);
}

static bool get_once(struct crm_session *session, struct view module_name, int64_t id, struct view fields, struct value *ret_record,
                     struct fail *fail)
{
    struct crm_module *module;
    return crm_module_find(session, module_name, &module, fail) && read_single(NULL, session, module, id, fields, ret_record, fail);
}

bool crm_record_pick(struct crm_session *session, struct view module, int64_t id, struct view fields, struct value *ret_record,
                     struct fail *fail)
{
    session->details = value_null();
    return get_once(session, module, id, fields, ret_record, fail) ||
           (crm_session_retry(session, fail) && get_once(session, module, id, fields, ret_record, fail));
}

bool crm_record_get(struct crm_session *session, struct view module, int64_t id, struct value *ret_record, struct fail *fail)
{
    return crm_record_pick(session, module, id, VIEW_NONE, ret_record, fail);
}

// ---- lists --------------------------------------------------------------------------------------

// `bare`: the query itself had no conditions.
static void add_condition(struct crm_reader *reader, const struct crm_condition *condition, bool bare)
{
    if (!condition) {
        return;
    }
    buffer_printf(&reader->sql.text, "%s%s", bare ? " WHERE " : " AND ", condition->sql);
    for (int i = 0; i < condition->now_count; i++) {
        crm_sql_param(&reader->sql, store_int(clock_wall_ms()));
    }
    for (int i = 0; i < condition->param_count; i++) {
        crm_sql_param(&reader->sql, store_int(condition->params[i]));
    }
}

// Rows that are written one by one are made in a heap of their own, which each of them has to itself.
static bool run_list(struct crm_reader *reader, struct crm_written *written, struct fail *fail)
{
    struct heap row;
    if (!written) {
        return crm_reader_run(reader, fail);
    }
    heap_init(&row, reader->session->heap->bytes_max, reader->session->heap->zone);
    reader->heap = &row;
    reader->written = written;
    reader->written_before = written->text.len;
    bool done = crm_reader_run(reader, fail);
    written->count = done ? reader->count : 0;
    written->text.len = done ? written->text.len : reader->written_before;
    heap_free(&row);
    reader->heap = reader->session->heap;
    return done;
}

static bool list_once(struct crm_session *session, struct view module_name, const struct crm_query *query,
                      const struct crm_condition *condition, struct value *ret_list, bool *ret_more, struct fail *fail)
{
    struct crm_module *module;
    if (!crm_module_find(session, module_name, &module, fail)) {
        return false;
    }
    struct arena arena;
    struct crm_reader reader;
    arena_init(&arena, CRM_SCRATCH_BYTES_MAX);
    crm_reader_open(&reader, session, module, &arena);
    int64_t begun_ns = clock_monotonic_ns();
    bool done = select_columns(&reader, query->fields, false, fail);
    buffer_add(&reader.sql.text, view_of(done ? reader.selection->text : ""));
    size_t selected = reader.sql.text.len;
    done = done && crm_query_where(session, module, query, &reader.sql, fail);
    add_condition(&reader, done ? condition : NULL, reader.sql.text.len == selected);
    reader.paged = true;
    done = done && crm_page_sort(&reader, query, fail) && crm_page_behind(&reader, query, reader.sql.text.len == selected, fail);
    if (done) {
        crm_page_order(&reader);
        done = crm_page_limit(&reader, query, fail) && run_list(&reader, query->written, fail);
    }
    if (done) {
        *ret_list = reader.list;
        *ret_more = reader.more;
        crm_index_consider(session, module, query, clock_monotonic_ns() - begun_ns);
    }
    crm_reader_close(&reader);
    arena_free(&arena);
    return done;
}

bool crm_records_list_where(struct crm_session *session, struct view module, const struct crm_query *query,
                            const struct crm_condition *condition, struct value *ret_list, bool *ret_more, struct fail *fail)
{
    session->details = value_null();
    return list_once(session, module, query, condition, ret_list, ret_more, fail) ||
           (crm_session_retry(session, fail) && list_once(session, module, query, condition, ret_list, ret_more, fail));
}

bool crm_records_list(struct crm_session *session, struct view module, const struct crm_query *query, struct value *ret_list,
                      bool *ret_more, struct fail *fail)
{
    return crm_records_list_where(session, module, query, NULL, ret_list, ret_more, fail);
}

static bool count_once(struct crm_session *session, struct view module_name, const struct crm_query *query,
                       const struct crm_condition *condition, int64_t *ret_count, struct fail *fail)
{
    struct crm_module *module;
    if (!crm_module_find(session, module_name, &module, fail)) {
        return false;
    }
    struct arena arena;
    struct crm_reader reader;
    arena_init(&arena, CRM_SCRATCH_BYTES_MAX);
    crm_reader_open(&reader, session, module, &arena);
    buffer_printf(&reader.sql.text, "SELECT COUNT(*) FROM %.*s t", VIEW_ARGS(module->quoted));
    size_t selected = reader.sql.text.len;
    bool done = crm_query_where(session, module, query, &reader.sql, fail);
    add_condition(&reader, done ? condition : NULL, reader.sql.text.len == selected);
    done = done && run_statement(&reader, read_number, fail);
    if (done) {
        *ret_count = reader.number;
    }
    crm_reader_close(&reader);
    arena_free(&arena);
    return done;
}

bool crm_records_count_where(struct crm_session *session, struct view module, const struct crm_query *query,
                             const struct crm_condition *condition, int64_t *ret_count, struct fail *fail)
{
    session->details = value_null();
    return count_once(session, module, query, condition, ret_count, fail) ||
           (crm_session_retry(session, fail) && count_once(session, module, query, condition, ret_count, fail));
}

bool crm_records_count(struct crm_session *session, struct view module, const struct crm_query *query, int64_t *ret_count,
                       struct fail *fail)
{
    return crm_records_count_where(session, module, query, NULL, ret_count, fail);
}
