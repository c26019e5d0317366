// SPDX-License-Identifier: Apache-2.0
// Order and pages of lists (spec/crm-api.md §2.2, §2.3). A page is reached by its number, which walks over what stands before it, or by the
// cursor of the page before, which costs the same however deep it is: the statement goes on behind the last record's sort value and id.
//
// A cursor is a text: the id, and for another order than by id a blank, the type of the stored value (n, i, r, t) and the value. It comes
// back from outside, so it is read like any input; who may use it for what is web's to seal.
#include "crm/reader.h"

enum { SEARCH_ROWS_MAX = 2000, LIST_ROWS_MAX = 100000, SMALL_SQL_BYTES = 512 };

static const char *collation(const struct crm_field *field)
{
    return field->kind == CRM_KIND_TEXT ? " COLLATE NOCASE" : "";
}

// Newest first unless something else is asked. Created_Time grows with the id, which needs no sorting.
bool crm_page_sort(struct crm_reader *reader, const struct crm_query *query, struct fail *fail)
{
    const struct crm_fields *fields = crm_fields_of(reader->module);
    const struct crm_field *field = query->sort_by.len ? crm_field_find(reader->session, reader->module, query->sort_by) : NULL;
    if (query->sort_by.len && (!field || field->kind == CRM_KIND_JSON)) {
        crm_details_set(reader->session, "api_name", query->sort_by);
        return fail_set(fail, FAIL_INVALID_DATA, NULL);
    }
    reader->sort = field == fields->id || field == fields->created_time ? NULL : field;
    reader->ascending = view_eq_nocase(query->sort_order, VIEW("asc"));
    return true;
}

// The id breaks ties, so that pages neither repeat nor skip records. Unset values come first, as in SQLite, whatever the engine.
void crm_page_order(struct crm_reader *reader)
{
    const char *order = reader->ascending ? "ASC" : "DESC";
    buffer_add(&reader->sql.text, VIEW(" ORDER BY "));
    if (reader->sort) {
        buffer_printf(&reader->sql.text, "t.%.*s%s %s, ", VIEW_ARGS(reader->sort->quoted), collation(reader->sort), order);
    }
    buffer_printf(&reader->sql.text, "t.\"id\" %s", order);
}

// ---- cursors ------------------------------------------------------------------------------------

static bool read_cursor(struct view cursor, bool sorted, int64_t *ret_id, struct store_param *ret_value)
{
    struct view value = cursor, id = view_cut(&value, ' ');
    int64_t number;
    double real;
    if (!view_to_int64(id, ret_id) || (sorted && value.len == 0)) {
        return false;
    }
    struct view text = view_from(value, 1);
    switch (sorted ? value.data[0] : 'n') {
    case 'n':
        *ret_value = store_null();
        return true;
    case 'i':
        *ret_value = store_int(view_to_int64(text, &number) ? number : 0);
        return view_to_int64(text, &number);
    case 'r':
        *ret_value = store_real(view_to_decimal(text, &real) ? real : 0);
        return view_to_decimal(text, &real);
    case 't':
        *ret_value = store_text(text);
        return true;
    default:
        return false;
    }
}

// What stands behind (value, id) in the order.
static void write_behind(struct crm_reader *reader, int64_t id, struct store_param value)
{
    struct crm_sql *sql = &reader->sql;
    const char *then = reader->ascending ? ">" : "<";
    if (!reader->sort) {
        buffer_printf(&sql->text, "t.\"id\" %s ?", then);
        crm_sql_param(sql, store_int(id));
        return;
    }
    struct view column = reader->sort->quoted;
    const char *collate = collation(reader->sort);
    if (value.type == STORE_NULL) {
        buffer_printf(&sql->text, "((t.%.*s IS NULL AND t.\"id\" %s ?)%s", VIEW_ARGS(column), then, reader->ascending ? "" : ")");
        crm_sql_param(sql, store_int(id));
        if (reader->ascending) {
            buffer_printf(&sql->text, " OR t.%.*s IS NOT NULL)", VIEW_ARGS(column));
        }
        return;
    }
    buffer_printf(&sql->text, "(t.%.*s%s %s ? OR (t.%.*s%s = ? AND t.\"id\" %s ?)", VIEW_ARGS(column), collate, then, VIEW_ARGS(column),
                  collate, then);
    crm_sql_param(sql, value);
    crm_sql_param(sql, value);
    crm_sql_param(sql, store_int(id));
    if (reader->ascending) {
        buffer_add_char(&sql->text, ')');
    } else {
        buffer_printf(&sql->text, " OR t.%.*s IS NULL)", VIEW_ARGS(column));
    }
}

bool crm_page_behind(struct crm_reader *reader, const struct crm_query *query, bool bare, struct fail *fail)
{
    int64_t id;
    struct store_param value;
    if (query->cursor.len == 0) {
        return true;
    }
    if (!read_cursor(query->cursor, reader->sort != NULL, &id, &value)) {
        return fail_set(fail, FAIL_INVALID_DATA, "the page token is not of this list");
    }
    buffer_add(&reader->sql.text, bare ? VIEW(" WHERE ") : VIEW(" AND "));
    write_behind(reader, id, value);
    return true;
}

static void print_value(struct buffer *out, struct rows *rows)
{
    char decimal[DECIMAL_TEXT_MAX];
    switch (rows_type(rows, 0)) {
    case STORE_INTEGER:
        buffer_add_char(out, 'i');
        buffer_add_int(out, rows_int(rows, 0));
        break;
    case STORE_REAL:
        buffer_add_char(out, 'r');
        buffer_add(out, (struct view){decimal, decimal_print(decimal, rows_real(rows, 0))});
        break;
    case STORE_TEXT:
        buffer_add_char(out, 't');
        buffer_add(out, rows_text(rows, 0));
        break;
    default:
        buffer_add_char(out, 'n');
    }
}

// In the closure that read the rows, so that the value is the one they were sorted by.
bool crm_page_cursor(struct tx *tx, struct crm_reader *reader, int64_t last_id, struct fail *fail)
{
    char sql[SMALL_SQL_BYTES];
    struct buffer cursor;
    struct rows *rows;
    struct store_param key = store_int(last_id);
    buffer_init(&cursor, 1 << 20);
    buffer_add_int(&cursor, last_id);
    bool done = true;
    if (reader->sort) {
        snprintf(sql, sizeof sql, "SELECT %.*s FROM %.*s WHERE \"id\"=?", VIEW_ARGS(reader->sort->quoted),
                 VIEW_ARGS(reader->module->quoted));
        buffer_add_char(&cursor, ' ');
        done = tx_query(tx, sql, &key, 1, &rows, fail);
        if (done) {
            if (rows_next(rows, fail)) {
                print_value(&cursor, rows);
            }
            rows_close(rows);
        }
    }
    reader->session->cursor = done && !cursor.failed ? value_text(reader->session->heap, buffer_view(&cursor)) : value_null();
    buffer_free(&cursor);
    return done && fail->code == FAIL_NONE;
}

// ---- limits -------------------------------------------------------------------------------------

// page counts from 1; only so many rows can be reached by number.
bool crm_page_limit(struct crm_reader *reader, const struct crm_query *query, struct fail *fail)
{
    int page = query->page && !query->cursor.len ? query->page : 1, per_page = query->per_page ? query->per_page : CRM_PAGE_MAX;
    bool search = query->criteria.len || query->email.len || query->phone.len || query->word.len;
    int64_t first = ((int64_t)page - 1) * per_page;
    if (page < 1 || per_page < 1) {
        return fail_set(fail, FAIL_INVALID_DATA, "page and per_page count from 1");
    }
    if (per_page > CRM_PAGE_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "per_page is at most %d", CRM_PAGE_MAX);
    }
    if (search && first >= SEARCH_ROWS_MAX) {
        return fail_set(fail, FAIL_LIMIT_REACHED, NULL);
    }
    if (first >= LIST_ROWS_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "pages reach the first %d records only", LIST_ROWS_MAX);
    }
    reader->limit = per_page;
    buffer_add(&reader->sql.text, VIEW(" LIMIT ? OFFSET ?"));
    crm_sql_param(&reader->sql, store_int(per_page + 1));
    crm_sql_param(&reader->sql, store_int(first));
    return true;
}
