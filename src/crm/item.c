// SPDX-License-Identifier: Apache-2.0
// Sub-forms and multi-selects that are added to (item.h).
//
// An update says what becomes of a sub-form's rows: one with the id of a row that is there changes it, one with "_delete" takes it away,
// one without an id is new. Rows that are not mentioned stay; in version 2 they go, since there the list is the whole list (GUESS).
#include "crm/item.h"

enum { PATH_BYTES_MAX = 3 * CRM_NAME_MAX, SMALL_SQL_BYTES = 512, LIST_BYTES_MAX = 1 << 20, LIST_VALUES_MAX = 1000 };

static const struct {
    const char *old, *now;
} NAMES[] = {{"product", "Product_Name"},
             {"book", "Price_Book_Name"},
             {"quantity", "Quantity"},
             {"list_price", "List_Price"},
             {"product_description", "Description"},
             {"line_tax", "Line_Tax"},
             {"total", "Total"},
             {"total_after_discount", "Total_After_Discount"},
             {"net_total", "Net_Total"}};

bool crm_items_old_names(const struct crm_session *session)
{
    return session->api_version == 2 && session->api_minor == 0;
}

static struct view new_name(struct view key)
{
    for (size_t i = 0; i < BASE_COUNT(NAMES); i++) {
        if (view_eq(key, view_of(NAMES[i].old))) {
            return view_of(NAMES[i].now);
        }
    }
    return key;
}

static struct view old_name(struct view key)
{
    for (size_t i = 0; i < BASE_COUNT(NAMES); i++) {
        if (view_eq(key, view_of(NAMES[i].now))) {
            return view_of(NAMES[i].old);
        }
    }
    return key;
}

struct value crm_items_show(const struct crm_session *session, struct value stored)
{
    const struct list *list = value_as_list(stored);
    if (!list || !crm_items_old_names(session)) {
        return stored;
    }
    struct value shown = value_list(session->heap, list->count);
    for (uint32_t i = 0; shown.type == VALUE_LIST && i < list->count; i++) {
        const struct map *item = value_as_map(list->items[i]);
        struct value copy = value_map(session->heap, item ? item->count : 0);
        uint32_t cursor = 0;
        for (struct map_entry *entry; item && copy.type == VALUE_MAP && (entry = map_next(item, &cursor));) {
            map_put_text(session->heap, copy.map, old_name(value_view_or(entry->key, VIEW(""))), entry->value);
        }
        list_add(session->heap, shown.list, copy);
    }
    return shown;
}

// ---- planning -----------------------------------------------------------------------------------

struct item_check {
    const struct crm_convert *convert;
    const struct crm_field *field; // the sub-form
    const struct crm_module *module; // of its rows
    uint32_t index;
    struct crm_row_error *error;
};

// "Quoted_Items[1].Quantity"
static bool refuse(struct item_check *check, struct view name, struct crm_row_error error)
{
    struct view path =
        name.len ? arena_printf(check->convert->arena, "%.*s[%u].%.*s", VIEW_ARGS(check->field->api_name), check->index, VIEW_ARGS(name))
                 : arena_printf(check->convert->arena, "%.*s[%u]", VIEW_ARGS(check->field->api_name), check->index);
    *check->error = error;
    check->error->path = path;
    return false;
}

static bool is_set(struct value value)
{
    value = value_resolve(value);
    return !value_is_null(value) && !(value.type == VALUE_TEXT && value.len == 0);
}

static bool check_item(struct item_check *check, const struct map *item, struct map *copy)
{
    const struct crm_fields *fields = crm_fields_of(check->module);
    struct heap *heap = check->convert->session->heap;
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(item, &cursor));) {
        struct view key = new_name(value_view_or(entry->key, VIEW("")));
        const struct crm_field *field = crm_field_find(check->convert->session, check->module, key);
        struct store_param ignored;
        struct crm_row_error error;
        if (field && field->writable && !crm_value_store(check->convert, field, entry->value, &ignored, &error)) {
            return refuse(check, field->api_name, error);
        }
        if (!field || field->writable || view_eq(key, VIEW("id"))) {
            map_put_text(heap, copy, field ? field->api_name : key, entry->value);
        }
    }
    bool added = !is_set(map_get_text(copy, VIEW("id")));
    for (int i = 0; added && i < fields->count; i++) {
        const struct crm_field *field = &fields->items[i];
        if (field->mandatory && !is_set(map_get_text(copy, field->api_name))) {
            return refuse(check, field->api_name, (struct crm_row_error){.problem = CRM_ROW_MANDATORY, .api_name = field->api_name});
        }
    }
    return true;
}

// The module of the rows with its fields; NULL when this edition has none.
static const struct crm_module *find_rows(const struct crm_session *session, const struct crm_field *field)
{
    struct crm_module *module = crm_module_resolve(session, field->subform);
    struct fail ignored = {0};
    return module && crm_fields_load(session, module, &ignored) ? module : NULL;
}

static bool check_items(struct item_check *check, const struct list *list, struct list *copies)
{
    struct heap *heap = check->convert->session->heap;
    for (check->index = 0; check->index < list->count; check->index++) {
        const struct map *item = value_as_map(list->items[check->index]);
        struct value copy = value_map(heap, item ? item->count : 0);
        if (!item || copy.type != VALUE_MAP) {
            struct crm_row_error error = {.problem = CRM_ROW_TYPE, .api_name = check->field->api_name, .expected = "jsonobject"};
            return refuse(check, VIEW_NONE, error);
        }
        if (!check_item(check, item, copy.map)) {
            return false;
        }
        list_add(heap, copies, copy);
    }
    return true;
}

bool crm_items_store(const struct crm_convert *convert, const struct crm_field *field, struct value value, struct store_param *ret_param,
                     struct crm_row_error *error)
{
    const struct list *list = value_as_list(value);
    struct item_check check = {convert, field, find_rows(convert->session, field), 0, error};
    struct value copies = value_list(convert->session->heap, list ? list->count : 0);
    if (!list) {
        *error = (struct crm_row_error){.problem = CRM_ROW_TYPE, .api_name = field->api_name, .expected = "jsonarray"};
        return false;
    }
    if (list->count > CRM_ITEMS_MAX || copies.type != VALUE_LIST) {
        *error = (struct crm_row_error){.problem = CRM_ROW_LENGTH, .api_name = field->api_name, .length = CRM_ITEMS_MAX};
        return false;
    }
    if (list->count == 0) {
        *ret_param = store_null();
        return true;
    }
    if (check.module && !check_items(&check, list, copies.list)) {
        return false;
    }
    struct crm_field plain = *field;
    plain.subform = VIEW_NONE;
    return crm_value_store(convert, &plain, check.module ? copies : value, ret_param, error);
}

// ---- inside the closure -------------------------------------------------------------------------

struct merge {
    struct tx *tx;
    struct crm_write *write;
    struct crm_row_plan *row;
    const struct crm_field *field;
    const struct crm_module *module;
    struct heap *heap;
    struct fail *fail;
};

// The list that the record holds; null when it holds none.
static bool read_held(struct merge *merge, struct value *ret_list)
{
    char sql[SMALL_SQL_BYTES];
    struct rows *rows;
    struct store_param id = store_int(merge->row->id);
    *ret_list = value_null();
    snprintf(sql, sizeof sql, "SELECT %.*s FROM %.*s WHERE \"id\"=?", VIEW_ARGS(merge->field->quoted),
             VIEW_ARGS(merge->write->module->quoted));
    if (!tx_query(merge->tx, sql, &id, 1, &rows, merge->fail)) {
        return false;
    }
    if (rows_next(rows, merge->fail) && rows_type(rows, 0) == STORE_TEXT) {
        struct fail ignored = {0};
        json_read(merge->heap, rows_text(rows, 0), ret_list, &ignored); // somebody may have edited the file by hand
    }
    rows_close(rows);
    return merge->fail->code == FAIL_NONE;
}

static bool write_list(struct merge *merge, int index, struct value list)
{
    struct buffer json;
    buffer_init(&json, LIST_BYTES_MAX);
    bool written = json_write(&json, list, merge->heap->zone, merge->fail) && !json.failed;
    struct view copy = written ? arena_copy(&merge->write->arena, buffer_view(&json)) : VIEW_NONE;
    buffer_free(&json);
    if (!copy.data) {
        return merge->fail->code != FAIL_NONE ? false : fail_set(merge->fail, FAIL_MEMORY, NULL);
    }
    bool empty = !value_as_list(list) || value_as_list(list)->count == 0;
    merge->row->params[index + merge->write->insert] = empty ? store_null() : store_text(copy); // an insert's first parameter is the id
    return true;
}

static bool holds(const struct list *list, struct view text)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (view_eq(value_view_or(list->items[i], VIEW("")), text)) {
            return true;
        }
    }
    return false;
}

// What is there, then what is new.
static bool append_values(struct merge *merge, int index)
{
    struct value held, given = value_null();
    struct value list = value_list(merge->heap, 8);
    if (!read_held(merge, &held) || !json_read(merge->heap, merge->row->values[index].text, &given, merge->fail)) {
        return false;
    }
    const struct list *parts[] = {value_as_list(held), value_as_list(given)};
    for (size_t k = 0; k < BASE_COUNT(parts); k++) {
        for (uint32_t i = 0; parts[k] && list.type == VALUE_LIST && i < parts[k]->count; i++) {
            if (!holds(list.list, value_view_or(parts[k]->items[i], VIEW("")))) {
                list_add(merge->heap, list.list, parts[k]->items[i]);
            }
        }
    }
    if (list.type == VALUE_LIST && list.list->count > LIST_VALUES_MAX) {
        struct crm_row_error error = {.problem = CRM_ROW_LENGTH, .api_name = merge->field->api_name, .length = LIST_VALUES_MAX};
        crm_row_note(merge->write, merge->row, &merge->row->late, &error);
        return true;
    }
    return write_list(merge, index, list);
}

static void note_late(struct merge *merge, uint32_t item, struct view name, enum crm_problem problem)
{
    struct crm_row_error error = {.problem = problem, .api_name = name};
    error.path = arena_printf(&merge->write->arena, "%.*s[%u].%.*s", VIEW_ARGS(merge->field->api_name), item, VIEW_ARGS(name));
    crm_row_note(merge->write, merge->row, &merge->row->late, &error);
}

// A look-up of an item: {"name":…,"id":…} of a record that is there.
static bool settle_lookup(struct merge *merge, uint32_t index, struct map *item, const struct crm_field *field)
{
    const struct crm_module *target = crm_module_resolve(merge->write->session, field->lookup);
    struct value value = map_get_text(item, field->api_name);
    const struct map *map = value_as_map(value);
    int64_t id;
    if (!target || !crm_id_read(map ? map_get_text(map, VIEW("id")) : value, &id)) {
        return true;
    }
    struct buffer sql;
    struct rows *rows;
    struct store_param param = store_int(id);
    buffer_init(&sql, SMALL_SQL_BYTES);
    buffer_add(&sql, VIEW("SELECT CAST("));
    bool done = store_quote(&sql, target->name_field, merge->fail);
    buffer_printf(&sql, " AS TEXT) FROM %.*s WHERE \"id\"=?", VIEW_ARGS(target->quoted));
    done = done && tx_query(merge->tx, buffer_text(&sql), &param, 1, &rows, merge->fail);
    buffer_free(&sql);
    if (!done) {
        return false;
    }
    if (rows_next(rows, merge->fail)) {
        struct value pair = value_map(merge->heap, 2);
        if (pair.type == VALUE_MAP) {
            map_put_text(merge->heap, pair.map, VIEW("name"), value_text(merge->heap, rows_text(rows, 0)));
            map_put_text(merge->heap, pair.map, VIEW("id"), crm_id_text(merge->heap, id));
        }
        map_put_text(merge->heap, item, field->api_name, pair);
    } else if (merge->fail->code == FAIL_NONE) {
        note_late(merge, index, field->api_name, CRM_ROW_REFERENCE);
    }
    rows_close(rows);
    return merge->fail->code == FAIL_NONE;
}

static bool settle_lookups(struct merge *merge, uint32_t index, struct map *item)
{
    const struct crm_fields *fields = crm_fields_of(merge->module);
    for (int i = 0; i < fields->count; i++) {
        const struct crm_field *field = &fields->items[i];
        if (field->kind == CRM_KIND_LOOKUP && field->writable && !settle_lookup(merge, index, item, field)) {
            return false;
        }
    }
    return true;
}

static struct map *find_item(const struct list *list, int64_t id)
{
    int64_t other;
    for (uint32_t i = 0; list && i < list->count; i++) {
        struct map *item = value_as_map(list->items[i]);
        if (item && crm_id_read(map_get_text(item, VIEW("id")), &other) && other == id) {
            return item;
        }
    }
    return NULL;
}

static bool is_deleted(const struct map *item)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; item && (entry = map_next(item, &cursor));) {
        if (view_eq(value_view_or(entry->key, VIEW("")), VIEW("_delete"))) {
            return entry->value.type != VALUE_BOOL || entry->value.boolean; // Zoho's pages write null
        }
    }
    return false;
}

// A new item takes its id; one that is there takes what is given over what it has.
static bool settle_item(struct merge *merge, uint32_t index, struct map *given, const struct list *held, struct value *ret_item)
{
    struct value id_value = merge->write->insert ? value_null() : map_get_text(given, VIEW("id")); // a new record's items are all new
    struct value item = value_map(merge->heap, given->count + 1);
    int64_t id = 0;
    struct map *old = crm_id_read(id_value, &id) ? find_item(held, id) : NULL;
    *ret_item = item;
    if (item.type != VALUE_MAP) {
        return fail_set(merge->fail, FAIL_MEMORY, NULL);
    }
    if (!value_is_null(id_value) && !old) {
        note_late(merge, index, VIEW("id"), CRM_ROW_NO_RECORD);
        return true;
    }
    id = old ? id : store_id(merge->tx, merge->fail);
    if (id == 0) {
        return false;
    }
    const struct map *parts[] = {old, given};
    for (size_t k = 0; k < BASE_COUNT(parts); k++) {
        uint32_t cursor = 0;
        for (struct map_entry *entry; parts[k] && (entry = map_next(parts[k], &cursor));) {
            map_put(merge->heap, item.map, entry->key, entry->value);
        }
    }
    map_put_text(merge->heap, item.map, VIEW("id"), crm_id_text(merge->heap, id));
    return is_deleted(given) || settle_lookups(merge, index, item.map);
}

static bool take_item(struct merge *merge, struct value list, const struct list *given, uint32_t index, const struct list *held)
{
    struct value item;
    struct map *map = value_as_map(given->items[index]);
    if (!settle_item(merge, index, map, held, &item)) {
        return false;
    }
    return is_deleted(map) || list_add(merge->heap, list.list, item) || fail_set(merge->fail, FAIL_MEMORY, NULL);
}

// Where in the list is the item of this id? -1 = nowhere.
static ptrdiff_t place_of(const struct list *list, const struct map *item)
{
    int64_t id = 0;
    struct map *found = item && crm_id_read(map_get_text(item, VIEW("id")), &id) ? find_item(list, id) : NULL;
    for (uint32_t i = 0; found && i < list->count; i++) {
        if (value_as_map(list->items[i]) == found) {
            return i;
        }
    }
    return -1;
}

// The items that are there keep their places; new ones come behind them.
static bool join_items(struct merge *merge, struct value list, const struct list *held, const struct list *given)
{
    bool whole = merge->write->session->api_version == 2 || !held;
    for (uint32_t i = 0; !whole && i < held->count; i++) {
        ptrdiff_t place = place_of(given, value_as_map(held->items[i]));
        if (place < 0 ? !list_add(merge->heap, list.list, held->items[i]) : !take_item(merge, list, given, (uint32_t)place, held)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < given->count; i++) {
        if ((whole || place_of(held, value_as_map(given->items[i])) < 0) && !take_item(merge, list, given, i, held)) {
            return false;
        }
    }
    return true;
}

static bool merge_items(struct merge *merge, int index)
{
    struct value held = value_null(), given = value_null(), list = value_list(merge->heap, 8);
    merge->module = crm_module_resolve(merge->write->session, merge->field->subform); // planning has loaded its fields
    if (!merge->module || list.type != VALUE_LIST) {
        return merge->module == NULL || fail_set(merge->fail, FAIL_MEMORY, NULL);
    }
    if ((!merge->write->insert && !read_held(merge, &held)) ||
        !json_read(merge->heap, merge->row->values[index].text, &given, merge->fail)) {
        return false;
    }
    if (value_as_list(given) && !join_items(merge, list, value_as_list(held), value_as_list(given))) {
        return merge->fail->code != FAIL_NONE ? false : fail_set(merge->fail, FAIL_MEMORY, NULL);
    }
    if (list.list->count == 0 && merge->field->mandatory) {
        struct crm_row_error error = {.problem = CRM_ROW_MANDATORY, .api_name = merge->field->api_name};
        crm_row_note(merge->write, merge->row, &merge->row->late, &error);
    }
    return write_list(merge, index, list);
}

bool crm_row_merge(struct tx *tx, struct crm_write *write, struct crm_row_plan *row, struct fail *fail)
{
    for (int i = 0; i < row->count; i++) {
        struct merge merge = {.tx = tx, .write = write, .row = row, .field = row->given[i], .heap = write->session->heap, .fail = fail};
        if (row->values[i].type != STORE_TEXT) {
            continue;
        }
        if (row->given[i]->subform.len && !merge_items(&merge, i)) {
            return false;
        }
        if (!write->insert && row->append && row->append[i] && !append_values(&merge, i)) {
            return false;
        }
    }
    return true;
}
