// SPDX-License-Identifier: Apache-2.0
// Bulk reads: the records of a module, or those that criteria or a view choose, as one CSV. A step reads pages of records by their ids
// until a piece of the file is full, and commits it with the id it came to.
//
// Columns are Id and the fields that were asked for, or all; a look-up is its record's id, a list its members with semicolons between. More
// than one page is asked for one job each; a page begins behind so many records, counted when the job begins.
#include "crm/bulk.h"

enum { PAGES_A_STEP = 10 };

// ---- what is asked ------------------------------------------------------------------------------

static bool check_fields(struct crm_session *session, const struct crm_module *module, struct value given, struct value *ret_fields,
                         struct fail *fail)
{
    const struct list *list = value_as_list(given);
    *ret_fields = value_list(session->heap, list ? list->count : 0);
    if (!list && !value_is_null(given)) {
        return bulk_refuse(session, FAIL_INVALID_DATA, "fields", NULL, fail);
    }
    if (list && list->count > BULK_FIELDS_MAX) {
        return bulk_refuse(session, FAIL_LIMIT_EXCEEDED, "fields", NULL, fail);
    }
    for (uint32_t i = 0; list && i < list->count; i++) {
        struct view name = value_view_or(list->items[i], VIEW(""));
        const struct crm_field *field = name.len ? crm_field_find(session, module, name) : NULL;
        if (!field) {
            bool path = view_find_char(name, '.') >= 0;
            return bulk_refuse(session, path ? FAIL_NOT_SUPPORTED : FAIL_INVALID_DATA, "fields",
                               path ? "fields of other records are not supported here" : NULL, fail);
        }
        if (field != crm_fields_of(module)->id) {
            shape_add(session->heap, *ret_fields, value_text(session->heap, field->api_name));
        }
    }
    return !session->heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

// Can the data base be asked this?
static bool open_query(struct crm_session *session, const struct crm_module *module, const struct map *asked, struct crm_query *query,
                       struct fail *fail)
{
    struct criteria *tree;
    int64_t view_id;
    struct value cvid = shape_get(asked, "cvid");
    *query = (struct crm_query){.sort_order = VIEW("asc")};
    if (!crm_criteria_read(session->heap, shape_get(asked, "criteria"), false, &tree, fail)) {
        return bulk_refuse(session, fail->code, "criteria", fail->text, fail);
    }
    if (!value_is_null(cvid)) {
        if (!crm_id_read(cvid, &view_id)) {
            return bulk_refuse(session, FAIL_INVALID_DATA, "cvid", NULL, fail);
        }
        if (!crm_view_apply(session, module->api_name, view_id, query, fail)) {
            return false;
        }
    }
    query->tree = tree;
    query->sort_by = VIEW("");
    query->sort_order = VIEW("asc");
    return true;
}

static bool make_sql(struct crm_session *session, const struct crm_module *module, const struct crm_query *query, struct crm_sql *sql,
                     struct fail *fail)
{
    buffer_init(&sql->text, BULK_JSON_BYTES_MAX);
    buffer_printf(&sql->text, "SELECT t.\"id\" FROM %.*s t", VIEW_ARGS(module->quoted));
    return crm_query_where(session, module, query, sql, fail);
}

static bool check_query(struct crm_session *session, const struct crm_module *module, const struct map *asked, struct fail *fail)
{
    struct crm_query query;
    struct arena arena;
    if (!open_query(session, module, asked, &query, fail)) {
        return false;
    }
    arena_init(&arena, CRM_SCRATCH_BYTES_MAX);
    struct crm_sql sql = {.arena = &arena};
    bool good = make_sql(session, module, &query, &sql, fail);
    buffer_free(&sql.text);
    arena_free(&arena);
    if (!good && fail->code == FAIL_INVALID_QUERY) {
        fail->code = FAIL_INVALID_DATA; // details say which field and why
    }
    return good;
}

static bool check_page(struct crm_session *session, const struct map *query, int64_t *ret_page, struct fail *fail)
{
    struct value page = shape_get(query, "page");
    enum { PAGES_MAX = 100000 };
    *ret_page = 1;
    if (!value_is_null(page) && (page.type != VALUE_NUMBER || page.number < 1 || page.number > PAGES_MAX)) {
        return bulk_refuse(session, FAIL_INVALID_DATA, "page", NULL, fail);
    }
    *ret_page = page.type == VALUE_NUMBER ? page.number : 1;
    return true;
}

bool crm_bulk_read_add(struct crm_session *session, struct value request, int64_t *ret_id, struct fail *fail)
{
    struct heap *heap = session->heap;
    const struct map *given = value_as_map(request), *query = value_as_map(shape_get(given, "query"));
    struct value type = shape_get(given, "file_type"), fields, callback, definition = value_map(heap, 2), kept = value_map(heap, 6);
    struct crm_module *module;
    int64_t page;
    session->details = value_null();
    fail_clear(fail);
    if (!query) {
        return bulk_refuse(session, given && value_is_null(shape_get(given, "query")) ? FAIL_MANDATORY_NOT_FOUND : FAIL_INVALID_DATA,
                           "query", NULL, fail);
    }
    struct view name = crm_bulk_module(given, false);
    if (!name.len) {
        return bulk_refuse(session, FAIL_MANDATORY_NOT_FOUND, "module", NULL, fail);
    }
    if (!crm_module_find(session, name, &module, fail) || module->subform) {
        return bulk_refuse(session, FAIL_INVALID_MODULE, "module", NULL, fail);
    }
    if (!value_is_null(type) && !view_eq(value_view_or(type, VIEW("")), VIEW("csv"))) {
        return bulk_refuse(session, FAIL_NOT_SUPPORTED, "file_type", "results are CSV files here", fail);
    }
    if (!check_page(session, query, &page, fail) || !check_fields(session, module, shape_get(query, "fields"), &fields, fail) ||
        !check_query(session, module, query, fail) || !bulk_callback_read(session, given, &callback, fail)) {
        return false;
    }
    shape_put(heap, kept, "module", shape_module(session, module));
    shape_put(heap, kept, "fields", fields);
    shape_put(heap, kept, "page", value_number(page));
    if (!value_is_null(shape_get(query, "criteria"))) {
        shape_put(heap, kept, "criteria", shape_get(query, "criteria"));
    }
    if (!value_is_null(shape_get(query, "cvid"))) {
        shape_put(heap, kept, "cvid", shape_get(query, "cvid"));
    }
    shape_put(heap, definition, "query", kept);
    shape_put(heap, definition, "callback", callback);
    return bulk_add(session, "read", definition, ret_id, fail);
}

// ---- lines --------------------------------------------------------------------------------------

static void add_list(const struct crm_session *session, struct buffer *out, const struct list *list)
{
    struct fail ignored;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct map *map = value_as_map(list->items[i]);
        struct value item = map ? shape_get(map, "name") : list->items[i];
        buffer_add(out, i ? VIEW(";") : VIEW(""));
        value_print(out, item, session->meta->zone, &ignored);
    }
}

static void add_field(const struct crm_session *session, struct buffer *out, struct value value, bool first)
{
    struct buffer text;
    struct fail ignored;
    const struct map *map = value_as_map(value);
    const struct list *list = value_as_list(value);
    struct value id = map ? shape_get(map, "id") : value_null();
    buffer_init(&text, BULK_JSON_BYTES_MAX);
    if (list) {
        add_list(session, &text, list);
    } else if (map && value_is_null(id)) {
        json_write(&text, value, session->meta->zone, &ignored);
    } else if (!value_is_null(map ? id : value)) {
        value_print(&text, map ? id : value, session->meta->zone, &ignored);
    }
    bulk_csv_add(out, buffer_view(&text), first);
    buffer_free(&text);
}

struct columns {
    struct view views[CRM_FIELDS_MAX];
    int count;
    struct buffer list; // comma-separated, for crm_query
};

static void add_column(struct columns *columns, struct view name)
{
    if (columns->count < CRM_FIELDS_MAX) {
        buffer_add(&columns->list, columns->count ? VIEW(",") : VIEW(""));
        buffer_add(&columns->list, name);
        columns->views[columns->count++] = name;
    }
}

// Lists do not read what only single records show.
static void find_columns(const struct crm_module *module, const struct map *query, struct columns *columns)
{
    const struct list *named = value_as_list(shape_get(query, "fields"));
    const struct crm_fields *fields = crm_fields_of(module);
    buffer_init(&columns->list, BULK_JSON_BYTES_MAX);
    columns->count = 0;
    for (uint32_t i = 0; named && i < named->count; i++) {
        add_column(columns, value_view_or(named->items[i], VIEW("")));
    }
    for (int i = 0; (!named || !named->count) && i < fields->count; i++) {
        if (&fields->items[i] != fields->id && !fields->items[i].single) {
            add_column(columns, fields->items[i].api_name);
        }
    }
}

// ---- steps --------------------------------------------------------------------------------------

struct reading {
    struct bulk_step *step;
    const struct map *asked;
    struct crm_module *module;
    struct crm_query query;
    struct columns *columns;
};

struct seeking {
    const struct crm_sql *sql;
    const char *text;
    int64_t id;
    bool found;
};

static bool seek_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct seeking *seeking = arg;
    return tx_query_int(tx, seeking->text, seeking->sql->params, seeking->sql->count, &seeking->id, &seeking->found, fail);
}

// The last record of the pages before; *ret_found false: they are all there is.
static bool seek_page(struct reading *reading, int64_t page, int64_t *ret_id, bool *ret_found, struct fail *fail)
{
    struct crm_session *session = reading->step->session;
    struct arena arena;
    arena_init(&arena, CRM_SCRATCH_BYTES_MAX);
    struct crm_sql sql = {.arena = &arena};
    bool good = make_sql(session, reading->module, &reading->query, &sql, fail);
    buffer_add(&sql.text, VIEW(" ORDER BY t.\"id\" LIMIT 1 OFFSET ?"));
    crm_sql_param(&sql, store_int((page - 1) * CRM_BULK_PAGE_ROWS - 1));
    struct seeking seeking = {.sql = &sql, .text = buffer_text(&sql.text)};
    good = good && (!sql.text.failed || fail_set(fail, FAIL_MEMORY, NULL)) && store_read(crm_env(session->crm), seek_tx, &seeking, fail);
    buffer_free(&sql.text);
    arena_free(&arena);
    *ret_id = seeking.id;
    *ret_found = seeking.found;
    return good;
}

static void add_header(struct reading *reading)
{
    bulk_csv_add(&reading->step->piece, VIEW("Id"), true);
    for (int i = 0; i < reading->columns->count; i++) {
        bulk_csv_add(&reading->step->piece, reading->columns->views[i], false);
    }
    buffer_add(&reading->step->piece, VIEW("\r\n"));
}

static bool add_page(struct reading *reading, int64_t *rows, int64_t *last_id, bool *ret_more, struct fail *fail)
{
    struct crm_session *session = reading->step->session;
    struct value list;
    char cursor[24];
    snprintf(cursor, sizeof cursor, "%lld", (long long)*last_id);
    reading->query.cursor = *last_id ? view_of(cursor) : VIEW_NONE;
    if (!crm_records_list(session, reading->module->api_name, &reading->query, &list, ret_more, fail)) {
        return false;
    }
    for (uint32_t i = 0; i < list.list->count && *rows < CRM_BULK_PAGE_ROWS; i++, (*rows)++) {
        const struct map *record = value_as_map(list.list->items[i]);
        crm_id_read(shape_get(record, "id"), last_id);
        add_field(session, &reading->step->piece, shape_get(record, "id"), true);
        for (int k = 0; k < reading->columns->count; k++) {
            add_field(session, &reading->step->piece, map_get_text(record, reading->columns->views[k]), false);
        }
        buffer_add(&reading->step->piece, VIEW("\r\n"));
    }
    return !reading->step->piece.failed || fail_set(fail, FAIL_LIMIT_EXCEEDED, "a piece of the result is too large");
}

static bool finish_step(struct bulk_step *step, int64_t rows, int64_t last_id, bool more, struct fail *fail)
{
    const struct map *progress = value_as_map(step->progress);
    int64_t bytes = bulk_int(progress, "bytes") + (int64_t)step->piece.len, pieces = bulk_int(progress, "pieces");
    if (bytes > CRM_BULK_FILE_BYTES_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "the result is larger than %d MB", CRM_BULK_FILE_BYTES_MAX >> 20);
    }
    step->ended = !more || rows >= CRM_BULK_PAGE_ROWS;
    step->state = step->ended ? "COMPLETED" : "IN PROGRESS";
    bulk_set(step, "crc", bulk_zip_crc((uint32_t)bulk_int(progress, "crc"), buffer_view(&step->piece)));
    step->piece_number = pieces + 1;
    bulk_set(step, "pieces", pieces + (step->piece.len > 0));
    bulk_set(step, "bytes", bytes);
    bulk_set(step, "rows", rows);
    bulk_set(step, "id", last_id);
    bulk_set(step, "begun", 1);
    bulk_set(step, "more", more);
    return bulk_commit(step, fail);
}

static bool read_pages(struct reading *reading, struct fail *fail)
{
    struct bulk_step *step = reading->step;
    const struct map *progress = value_as_map(step->progress);
    int64_t rows = bulk_int(progress, "rows"), last_id = bulk_int(progress, "id"), page = crm_map_int(reading->asked, "page", 1);
    bool more = true, begun = bulk_int(progress, "begun") != 0, found = true;
    if (!begun && page > 1 && !seek_page(reading, page, &last_id, &found, fail)) {
        return false;
    }
    if (!begun) {
        add_header(reading);
        more = found;
    }
    for (int i = 0; more && i < PAGES_A_STEP && rows < CRM_BULK_PAGE_ROWS && step->piece.len < CRM_BULK_PIECE_BYTES; i++) {
        if (!add_page(reading, &rows, &last_id, &more, fail)) {
            return false;
        }
    }
    return finish_step(step, rows, last_id, more, fail);
}

bool bulk_read_step(struct bulk_step *step, struct fail *fail)
{
    struct reading reading = {.step = step, .asked = value_as_map(shape_get(value_as_map(step->job.definition), "query"))};
    struct columns *columns = heap_alloc(step->session->heap, sizeof *columns);
    reading.columns = columns;
    if (!columns) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!crm_module_find(step->session, crm_bulk_module(value_as_map(step->job.definition), false), &reading.module, fail) ||
        !open_query(step->session, reading.module, reading.asked, &reading.query, fail)) {
        return false;
    }
    find_columns(reading.module, reading.asked, columns);
    reading.query.fields = buffer_view(&columns->list);
    bool good = read_pages(&reading, fail);
    buffer_free(&columns->list);
    return good;
}
