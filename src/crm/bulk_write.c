// SPDX-License-Identifier: Apache-2.0
// Bulk writes: the lines of an uploaded CSV as inserts, updates or upserts, a hundred a step. How far the file has been read commits in the
// same transaction as the records, so no line is written twice; what came of the lines is noted right behind it. A process that is killed
// between the two leaves lines of which the result says UNKNOWN.
//
// The result is the file's columns with STATUS (ADDED, UPDATED, SKIPPED), RECORD_ID and ERRORS (GUESS: their places). Lines write no
// workflow rules' actions; channels hear of them.
#include "crm/bulk.h"

enum { COLUMNS_MAX = CRM_FIELDS_MAX, LINE_BYTES_MAX = 1 << 20 };

// ---- what is asked ------------------------------------------------------------------------------

static bool check_mapping(struct crm_session *session, const struct crm_module *module, const struct map *mapping, struct fail *fail)
{
    struct view name = crm_map_view(mapping, "api_name");
    int64_t index = crm_map_int(mapping, "index", -1);
    const struct map *standard = value_as_map(shape_get(mapping, "default_value"));
    if (!name.len || !crm_field_find(session, module, name)) {
        return bulk_refuse(session, FAIL_INVALID_DATA, "api_name", NULL, fail);
    }
    if (!value_is_null(shape_get(mapping, "format")) || !value_is_null(shape_get(mapping, "parent_column_index"))) {
        return bulk_refuse(session, FAIL_NOT_SUPPORTED, "field_mappings", "formats and parent columns are not supported here", fail);
    }
    return (index >= 0 && index < COLUMNS_MAX) || (index == -1 && standard) || bulk_refuse(session, FAIL_INVALID_DATA, "index", NULL, fail);
}

static bool check_mappings(struct crm_session *session, const struct crm_module *module, struct value given, struct fail *fail)
{
    const struct list *list = value_as_list(given);
    if (value_is_null(given)) {
        return true;
    }
    if (!list || !list->count || list->count > COLUMNS_MAX) {
        return bulk_refuse(session, FAIL_INVALID_DATA, "field_mappings", NULL, fail);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (!check_mapping(session, module, value_as_map(list->items[i]), fail)) {
            return false;
        }
    }
    return true;
}

static bool check_resource(struct crm_session *session, const struct map *resource, bool update, struct fail *fail)
{
    struct crm_module *module;
    struct value find_by = shape_get(resource, "find_by"), empty = shape_get(resource, "ignore_empty");
    int64_t file_id, bytes;
    struct view name = resource ? crm_map_view(value_as_map(shape_get(resource, "module")), "api_name") : VIEW("");
    name = name.len ? name : value_view_or(shape_get(resource, "module"), VIEW(""));
    if (!resource || !view_eq(crm_map_view(resource, "type"), VIEW("data"))) {
        return bulk_refuse(session, FAIL_INVALID_DATA, "type", NULL, fail);
    }
    if (!name.len || !crm_module_find(session, name, &module, fail) || module->subform) {
        return bulk_refuse(session, name.len ? FAIL_INVALID_MODULE : FAIL_MANDATORY_NOT_FOUND, "module", NULL, fail);
    }
    if (!crm_id_read(shape_get(resource, "file_id"), &file_id)) {
        return bulk_refuse(session, value_is_null(shape_get(resource, "file_id")) ? FAIL_MANDATORY_NOT_FOUND : FAIL_INVALID_DATA, "file_id",
                           NULL, fail);
    }
    if (!crm_bulk_file_size(session->crm, file_id, &bytes, fail)) {
        return fail->code == FAIL_NOT_FOUND ? bulk_refuse(session, FAIL_INVALID_DATA, "file_id", "the id given seems to be invalid", fail)
                                            : false;
    }
    if (update && !value_is_null(find_by) && !view_eq_nocase(value_view_or(find_by, VIEW("")), VIEW("id"))) {
        return bulk_refuse(session, FAIL_NOT_SUPPORTED, "find_by", "updates find records by id only", fail);
    }
    if (!value_is_null(find_by) && (find_by.type != VALUE_TEXT || !crm_field_find(session, module, value_view(find_by)))) {
        return bulk_refuse(session, FAIL_INVALID_DATA, "find_by", NULL, fail);
    }
    if (!value_is_null(empty) && empty.type != VALUE_BOOL) {
        return bulk_refuse(session, FAIL_INVALID_DATA, "ignore_empty", NULL, fail);
    }
    return check_mappings(session, module, shape_get(resource, "field_mappings"), fail);
}

struct naming {
    int64_t id;
    struct heap *heap;
    struct value name;
};

static bool name_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct naming *naming = arg;
    const struct store_param id = store_int(naming->id);
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT name FROM crm_bulk_file WHERE id = ?", &id, 1, &rows, fail)) {
        return false;
    }
    naming->name = rows_next(rows, fail) ? value_text(naming->heap, rows_text(rows, 0)) : value_null();
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool crm_bulk_write_add(struct crm_session *session, struct value request, int64_t *ret_id, struct fail *fail)
{
    struct heap *heap = session->heap;
    const struct map *given = value_as_map(request);
    const struct list *resources = value_as_list(shape_get(given, "resource"));
    struct view operation = crm_map_view(given, "operation");
    struct value callback, definition = value_map(heap, 4);
    struct naming naming = {.heap = heap};
    session->details = value_null();
    fail_clear(fail);
    bool insert = view_eq(operation, VIEW("insert")), update = view_eq(operation, VIEW("update"));
    if (!given || (!insert && !update && !view_eq(operation, VIEW("upsert")))) {
        return bulk_refuse(session, given && !operation.len ? FAIL_MANDATORY_NOT_FOUND : FAIL_INVALID_DATA, "operation", NULL, fail);
    }
    struct view encoding = crm_map_view(given, "character_encoding");
    if (encoding.len && !view_eq_nocase(encoding, VIEW("UTF-8"))) {
        return bulk_refuse(session, FAIL_NOT_SUPPORTED, "character_encoding", "files are UTF-8 here", fail);
    }
    if (!resources || resources->count == 0) {
        return bulk_refuse(session, FAIL_MANDATORY_NOT_FOUND, "resource", NULL, fail);
    }
    if (resources->count > 1) {
        return bulk_refuse(session, FAIL_NOT_SUPPORTED, "resource", "one file a job is supported here", fail);
    }
    const struct map *resource = value_as_map(resources->items[0]);
    if (!check_resource(session, resource, update, fail) || !bulk_callback_read(session, given, &callback, fail)) {
        return false;
    }
    crm_id_read(shape_get(resource, "file_id"), &naming.id);
    if (!store_read(crm_env(session->crm), name_tx, &naming, fail)) {
        return false;
    }
    shape_text(heap, definition, "operation", operation);
    shape_put(heap, definition, "resource", shape_get(given, "resource"));
    shape_put(heap, definition, "callback", callback);
    shape_put(heap, definition, "file_name", naming.name);
    return bulk_add(session, "write", definition, ret_id, fail);
}

// ---- CSV in -------------------------------------------------------------------------------------

// The lines of the file from where the job stands; pieces are read as they are needed.
struct csv {
    struct bulk_step *step;
    int64_t file_id, bytes; // of the whole file
    int64_t start; // where `text` begins in it
    size_t at; // in `text`
    struct buffer text;
};

static bool more_text(struct csv *csv, struct fail *fail)
{
    int64_t number = (csv->start + (int64_t)csv->text.len) / CRM_BULK_PIECE_BYTES,
            inside = (csv->start + (int64_t)csv->text.len) % CRM_BULK_PIECE_BYTES;
    struct buffer piece;
    buffer_init(&piece, CRM_BULK_PIECE_BYTES);
    bool good = crm_bulk_file_piece(csv->step->session->crm, csv->file_id, number, &piece, fail);
    buffer_add(&csv->text, view_from(buffer_view(&piece), (size_t)inside));
    buffer_free(&piece);
    return good && (!csv->text.failed || fail_set(fail, FAIL_LIMIT_EXCEEDED, "a line of the file is longer than %d bytes", LINE_BYTES_MAX));
}

// The end of the line that begins at csv->at, outside of quotes. False with FAIL_NONE: the file ends without one.
static bool find_line(struct csv *csv, size_t *ret_end, struct fail *fail)
{
    bool quoted = false;
    for (size_t i = csv->at;; i++) {
        if (i == csv->text.len) {
            fail_clear(fail);
            if (csv->start + (int64_t)csv->text.len >= csv->bytes || !more_text(csv, fail)) {
                *ret_end = csv->text.len;
                return fail->code == FAIL_NONE && csv->text.len > csv->at;
            }
        }
        char c = csv->text.data[i];
        quoted = c == '"' ? !quoted : quoted;
        if (c == '\n' && !quoted) {
            *ret_end = i + 1;
            return true;
        }
        if (i - csv->at > LINE_BYTES_MAX) {
            return fail_set(fail, FAIL_LIMIT_EXCEEDED, "a line of the file is longer than %d bytes", LINE_BYTES_MAX);
        }
    }
}

// The next cell of a line; false: it was the last one.
static bool read_cell(struct heap *heap, struct view *line, struct value *ret_cell)
{
    struct buffer text;
    size_t i = 0;
    buffer_init(&text, LINE_BYTES_MAX);
    bool quoted = line->len && line->data[0] == '"';
    for (i = quoted; quoted && i < line->len; i++) {
        if (line->data[i] == '"' && (i + 1 == line->len || line->data[i + 1] != '"')) {
            i++;
            break;
        }
        i += line->data[i] == '"';
        buffer_add_char(&text, line->data[i]);
    }
    size_t begun = i;
    while (i < line->len && line->data[i] != ',') {
        i++;
    }
    *ret_cell = value_text(heap, quoted ? buffer_view(&text) : view_slice(*line, begun, i - begun));
    buffer_free(&text);
    bool more = i < line->len;
    *line = view_from(*line, i + more);
    return more;
}

// The cells of a line as a list of texts.
static struct value read_cells(struct heap *heap, struct view line)
{
    struct value cells = value_list(heap, 8), cell;
    bool more = true;
    while (line.len && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r')) {
        line.len--;
    }
    while (more && cells.type == VALUE_LIST && cells.list->count < COLUMNS_MAX) {
        more = read_cell(heap, &line, &cell);
        shape_add(heap, cells, cell);
    }
    return cells;
}

// ---- lines → rows -------------------------------------------------------------------------------

struct writing {
    struct bulk_step *step;
    const struct map *resource;
    struct crm_module *module;
    struct view operation;
    bool ignore_empty;
    struct list *header; // names of the columns
    struct csv csv;
    struct value lines; // of this step: lists of cells
    struct value rows; // the same as maps
    int count;
    bool committed; // how far the file was read, with the records
};

// Lists are written with semicolons between; what else a field takes as text is crm_value_store's.
static struct value field_value(struct heap *heap, const struct crm_field *field, struct value cell)
{
    struct view rest = value_view_or(cell, VIEW(""));
    if (!rest.len) {
        return value_null();
    }
    if (field->kind == CRM_KIND_BOOLEAN) {
        bool yes = view_eq_nocase(rest, VIEW("true")) || view_eq(rest, VIEW("1")) || view_eq_nocase(rest, VIEW("yes"));
        bool no = view_eq_nocase(rest, VIEW("false")) || view_eq(rest, VIEW("0")) || view_eq_nocase(rest, VIEW("no"));
        return yes || no ? value_bool(yes) : cell;
    }
    if (field->kind != CRM_KIND_LIST) {
        return cell;
    }
    struct value list = value_list(heap, 4);
    while (rest.len) {
        shape_add(heap, list, value_text(heap, view_trim(view_cut(&rest, ';'))));
    }
    return list;
}

static void put_cell(struct writing *writing, struct value row, struct view name, struct value cell)
{
    struct heap *heap = writing->step->session->heap;
    const struct crm_field *field = crm_field_find(writing->step->session, writing->module, name);
    struct value value = field ? field_value(heap, field, cell) : value_null();
    if (field && row.type == VALUE_MAP && (!value_is_null(value) || !writing->ignore_empty)) {
        map_put_text(heap, row.map, field->api_name, value);
    }
}

static struct value make_row(struct writing *writing, const struct list *cells)
{
    struct value row = value_map(writing->step->session->heap, cells->count);
    const struct list *mappings = value_as_list(shape_get(writing->resource, "field_mappings"));
    for (uint32_t i = 0; mappings && i < mappings->count; i++) {
        const struct map *mapping = value_as_map(mappings->items[i]);
        int64_t index = crm_map_int(mapping, "index", -1);
        struct value cell = index >= 0 && index < cells->count ? cells->items[index] : value_null();
        struct value standard = shape_get(value_as_map(shape_get(mapping, "default_value")), "value");
        bool empty = value_is_null(cell) || !cell.len;
        put_cell(writing, row, crm_map_view(mapping, "api_name"), empty && standard.type == VALUE_TEXT ? standard : cell);
    }
    for (uint32_t i = 0; !mappings && i < cells->count && i < writing->header->count; i++) {
        put_cell(writing, row, value_view_or(writing->header->items[i], VIEW("")), cells->items[i]);
    }
    return row;
}

// A blank line is none.
static bool read_lines(struct writing *writing, int64_t rows, struct fail *fail)
{
    struct heap *heap = writing->step->session->heap;
    struct csv *csv = &writing->csv;
    size_t end;
    writing->lines = value_list(heap, CRM_ROWS_MAX);
    writing->rows = value_list(heap, CRM_ROWS_MAX);
    while (writing->count < CRM_ROWS_MAX && find_line(csv, &end, fail)) {
        struct view line = {csv->text.data + csv->at, end - csv->at};
        csv->at = end;
        if (!view_trim(line).len) {
            continue;
        }
        if (rows + writing->count >= CRM_BULK_WRITE_ROWS) {
            return fail_set(fail, FAIL_LIMIT_EXCEEDED, "a file has at most %d lines", CRM_BULK_WRITE_ROWS);
        }
        struct value cells = read_cells(heap, line);
        if (cells.type != VALUE_LIST || heap->failed) {
            return fail_set(fail, FAIL_MEMORY, NULL);
        }
        shape_add(heap, writing->lines, cells);
        shape_add(heap, writing->rows, make_row(writing, cells.list));
        writing->count++;
    }
    return fail->code == FAIL_NONE;
}

static bool read_header(struct writing *writing, struct fail *fail)
{
    struct csv *csv = &writing->csv;
    size_t end;
    fail_clear(fail);
    if (!find_line(csv, &end, fail)) {
        return fail->code == FAIL_NONE ? fail_set(fail, FAIL_INVALID_DATA, "the file is empty") : false;
    }
    struct view line = {csv->text.data, end};
    line = view_starts(line, VIEW("\xEF\xBB\xBF")) ? view_from(line, 3) : line;
    struct value header = read_cells(writing->step->session->heap, line);
    csv->at = end;
    writing->header = value_as_list(header);
    return writing->header || fail_set(fail, FAIL_MEMORY, NULL);
}

// ---- what came of them --------------------------------------------------------------------------

static void add_line(struct writing *writing, const struct list *cells, const char *status, struct view id, struct view error)
{
    struct buffer *out = &writing->step->piece;
    for (uint32_t i = 0; i < writing->header->count; i++) {
        bulk_csv_add(out, cells && i < cells->count ? value_view_or(cells->items[i], VIEW("")) : VIEW(""), i == 0);
    }
    bulk_csv_add(out, view_of(status), false);
    bulk_csv_add(out, id, false);
    bulk_csv_add(out, error, false);
    buffer_add(out, VIEW("\r\n"));
}

// "INVALID_DATA:Email"
static void add_result(struct writing *writing, const struct list *cells, const struct map *result, int64_t counts[3])
{
    const struct map *details = value_as_map(shape_get(result, "details"));
    struct view code = crm_map_view(result, "code"), name = crm_map_view(details, "api_name"), action = crm_map_view(result, "action");
    bool good = view_eq(crm_map_view(result, "status"), VIEW("success"));
    bool updated = view_eq(writing->operation, VIEW("update")) || view_eq(action, VIEW("update"));
    char error[256];
    snprintf(error, sizeof error, "%.*s%s%.*s", VIEW_ARGS(view_slice(code, 0, 80)), name.len ? ":" : "",
             VIEW_ARGS(view_slice(name, 0, 120)));
    counts[!good ? 2 : updated]++;
    add_line(writing, cells,
             !good     ? "SKIPPED"
             : updated ? "UPDATED"
                       : "ADDED",
             good ? crm_map_view(details, "id") : VIEW(""), good ? VIEW("") : view_of(error));
}

static void begin_result(struct writing *writing)
{
    struct buffer *out = &writing->step->piece;
    for (uint32_t i = 0; i < writing->header->count; i++) {
        bulk_csv_add(out, value_view_or(writing->header->items[i], VIEW("")), i == 0);
    }
    buffer_add(out, writing->header->count ? VIEW(",STATUS,RECORD_ID,ERRORS\r\n") : VIEW("STATUS,RECORD_ID,ERRORS\r\n"));
}

static bool write_rows(struct writing *writing, struct value *ret_results, struct fail *fail)
{
    struct crm_session *session = writing->step->session;
    struct view name = writing->module->api_name;
    struct value find_by = shape_get(writing->resource, "find_by");
    if (view_eq(writing->operation, VIEW("insert"))) {
        return crm_records_insert(session, name, writing->rows, ret_results, fail);
    }
    if (view_eq(writing->operation, VIEW("update"))) {
        return crm_records_update(session, name, writing->rows, ret_results, fail);
    }
    return crm_records_upsert(session, name, writing->rows,
                              find_by.type == VALUE_TEXT && !view_eq_nocase(value_view(find_by), VIEW("id")) ? find_by : value_null(),
                              ret_results, fail);
}

// Notes what came of the lines: the second commit of a step.
static bool finish_step(struct writing *writing, struct value results, struct fail *fail)
{
    struct bulk_step *step = writing->step;
    const struct map *progress = value_as_map(step->progress);
    const struct list *list = value_as_list(results);
    int64_t counts[3] = {0, 0, 0}, pieces = bulk_int(progress, "pieces"), bytes;
    for (int i = 0; list && i < writing->count; i++) {
        const struct list *cells = value_as_list(writing->lines.list->items[i]);
        add_result(writing, cells, (uint32_t)i < list->count ? value_as_map(list->items[i]) : NULL, counts);
    }
    bytes = bulk_int(progress, "bytes") + (int64_t)step->piece.len;
    if (step->piece.failed || bytes > CRM_BULK_FILE_BYTES_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "the result is larger than %d MB", CRM_BULK_FILE_BYTES_MAX >> 20);
    }
    step->ended = writing->count < CRM_ROWS_MAX;
    step->state = step->ended ? "COMPLETED" : "IN PROGRESS";
    step->piece_number = pieces + 1;
    bulk_set(step, "crc", bulk_zip_crc((uint32_t)bulk_int(progress, "crc"), buffer_view(&step->piece)));
    bulk_set(step, "pieces", pieces + (step->piece.len > 0));
    bulk_set(step, "bytes", bytes);
    bulk_set(step, "added", bulk_int(progress, "added") + counts[0]);
    bulk_set(step, "updated", bulk_int(progress, "updated") + counts[1]);
    bulk_set(step, "skipped", bulk_int(progress, "skipped") + counts[2]);
    bulk_set(step, "noted", bulk_int(progress, "rows"));
    return bulk_commit(step, fail);
}

// What a process that is gone has written, but not noted.
static void add_unknown(struct writing *writing)
{
    const struct map *progress = value_as_map(writing->step->progress);
    for (int64_t i = bulk_int(progress, "noted"); i < bulk_int(progress, "rows"); i++) {
        add_line(writing, NULL, "UNKNOWN", VIEW(""), VIEW("the server ended before it noted what came of a line"));
    }
}

// Beside the records of the step, in their transaction.
static bool also_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct writing *writing = arg;
    writing->committed = true;
    return bulk_commit_tx(tx, writing->step, fail);
}

static bool write_lines(struct writing *writing, struct fail *fail)
{
    struct bulk_step *step = writing->step;
    const struct map *progress = value_as_map(step->progress);
    struct csv *csv = &writing->csv;
    int64_t rows = bulk_int(progress, "rows"), offset = bulk_int(progress, "offset");
    struct value results = value_null();
    if (!read_header(writing, fail)) {
        return false;
    }
    if (!offset) {
        begin_result(writing);
    }
    add_unknown(writing);
    if (offset) { // goes on behind what is written
        csv->start = offset;
        csv->at = 0;
        buffer_reset(&csv->text);
    }
    if (!read_lines(writing, rows, fail)) {
        return false;
    }
    bulk_set(step, "offset", csv->start + (int64_t)csv->at);
    bulk_set(step, "rows", rows + writing->count);
    if (writing->count) {
        struct buffer piece = step->piece;
        buffer_init(&step->piece, piece.max); // the first commit has no piece
        step->session->also = also_tx;
        step->session->also_arg = writing;
        bool good = write_rows(writing, &results, fail);
        step->session->also = NULL;
        buffer_free(&step->piece);
        step->piece = piece;
        if (!good) {
            return false;
        }
        if (writing->committed) { // not when every line was refused before there was a transaction
            step->taken = step->busy_ms++;
        }
    }
    return finish_step(writing, results, fail);
}

bool bulk_write_step(struct bulk_step *step, struct fail *fail)
{
    const struct map *definition = value_as_map(step->job.definition);
    const struct list *resources = value_as_list(shape_get(definition, "resource"));
    struct writing writing = {.step = step,
                              .resource = resources && resources->count ? value_as_map(resources->items[0]) : NULL,
                              .operation = crm_map_view(definition, "operation"),
                              .csv = {.step = step}};
    writing.ignore_empty = crm_map_bool(writing.resource, "ignore_empty", false);
    if (!writing.resource || !crm_id_read(shape_get(writing.resource, "file_id"), &writing.csv.file_id)) {
        return fail_set(fail, FAIL_INVALID_DATA, "the job has no file");
    }
    if (!crm_module_find(step->session, crm_bulk_module(definition, true), &writing.module, fail) ||
        !crm_bulk_file_size(step->session->crm, writing.csv.file_id, &writing.csv.bytes, fail)) {
        return false;
    }
    buffer_init(&writing.csv.text, (size_t)CRM_ROWS_MAX * LINE_BYTES_MAX);
    bool good = write_lines(&writing, fail);
    buffer_free(&writing.csv.text);
    return good;
}
