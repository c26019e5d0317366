// SPDX-License-Identifier: Apache-2.0
// Upsert: each row updates the record that is the same one, or adds one (spec/crm-api.md §2.1, §2.2). Which records are the same is known
// only to the data base, and a row of the call may meet one that an earlier row added, so every row is planned both ways on the caller's
// fiber and the closure takes one of the two plans.
//
// GUESS: what a row lacks or has wrong is told for the way it goes; an update may leave mandatory fields out.
#include "crm/automation.h"

enum { UPSERT_CHECKS_MAX = 20, SMALL_SQL_BYTES = 512 };

// Records of a standard module are the same when this field is (spec/crm-api.md §2.2); of other modules, when their name is.
static const struct {
    const char *module, *field;
} SYSTEM_CHECKS[] = {
    {"Leads", "Email"},
    {"Contacts", "Email"},
    {"Accounts", "Account_Name"},
    {"Deals", "Deal_Name"},
    {"Campaigns", "Campaign_Name"},
    {"Cases", "Subject"},
    {"Solutions", "Solution_Title"},
    {"Products", "Product_Name"},
    {"Vendors", "Vendor_Name"},
    {"Price_Books", "Price_Book_Name"},
    {"Quotes", "Subject"},
    {"Sales_Orders", "Subject"},
    {"Purchase_Orders", "Subject"},
    {"Invoices", "Subject"},
};

struct upsert_outcome { // of a row, by the closure
    bool updated;
    const struct crm_field *duplicate;
};

struct upsert {
    struct crm_write insert, update; // the same rows, planned both ways
    const struct crm_field *checks[UPSERT_CHECKS_MAX];
    int check_count;
    struct upsert_outcome *outcomes;
};

// ---- what is compared ---------------------------------------------------------------------------

static const struct crm_field *system_check(const struct crm_session *session, const struct crm_module *module)
{
    for (size_t i = 0; i < BASE_COUNT(SYSTEM_CHECKS); i++) {
        if (view_eq(module->api_name, view_of(SYSTEM_CHECKS[i].module))) {
            return crm_field_find(session, module, view_of(SYSTEM_CHECKS[i].field));
        }
    }
    return module->custom ? crm_field_find(session, module, module->name_field) : NULL;
}

static void add_check(struct upsert *upsert, const struct crm_field *field)
{
    for (int i = 0; i < upsert->check_count; i++) {
        if (upsert->checks[i] == field) {
            return;
        }
    }
    if (upsert->check_count < UPSERT_CHECKS_MAX) {
        upsert->checks[upsert->check_count++] = field;
    }
}

// Zoho compares the system's field and unique ones only; any other is passed over, which the log tells.
static bool add_named(struct upsert *upsert, struct view name, struct fail *fail)
{
    struct crm_session *session = upsert->insert.session;
    const struct crm_module *module = upsert->insert.module;
    const struct crm_field *field = crm_field_find(session, module, name);
    if (!field) {
        crm_details_set(session, "api_name", name);
        return fail_set(fail, FAIL_INVALID_DATA, "invalid data");
    }
    if (field->unique || field == system_check(session, module)) {
        add_check(upsert, field);
    } else if (session->warn) {
        struct value text = value_text_printf(session->heap, "upsert: %.*s is no unique field of %.*s and is not compared",
                                              VIEW_ARGS(field->api_name), VIEW_ARGS(module->api_name));
        session->warn(session->user, value_view_or(text, VIEW("upsert: a field is not unique and is not compared")));
    }
    return true;
}

static bool find_checks(struct upsert *upsert, struct value checks, struct fail *fail)
{
    const struct crm_fields *fields = crm_fields_of(upsert->insert.module);
    const struct list *list = value_as_list(checks);
    struct view text = value_view_or(checks, VIEW_NONE);
    if (list && list->count) {
        for (uint32_t i = 0; i < list->count; i++) {
            if (!add_named(upsert, value_view_or(list->items[i], VIEW_NONE), fail)) {
                return false;
            }
        }
        return true;
    }
    if (view_trim(text).len) {
        while (text.len) {
            if (!add_named(upsert, view_trim(view_cut(&text, ',')), fail)) {
                return false;
            }
        }
        return true;
    }
    const struct crm_field *system = system_check(upsert->insert.session, upsert->insert.module);
    if (system) {
        add_check(upsert, system);
    }
    for (int i = 0; i < fields->count; i++) {
        if (fields->items[i].unique) {
            add_check(upsert, &fields->items[i]);
        }
    }
    return true;
}

// ---- the closure --------------------------------------------------------------------------------

static const struct store_param *given_value(const struct crm_row_plan *row, const struct crm_field *field)
{
    for (int i = 0; i < row->count; i++) {
        if (row->given[i] == field && row->values[i].type != STORE_NULL) {
            return &row->values[i];
        }
    }
    return NULL;
}

// The oldest record with the same value; converted leads are nobody's duplicate.
static bool find_same(struct tx *tx, const struct upsert *upsert, const struct crm_row_plan *row, int64_t *ret_id,
                      const struct crm_field **ret_field, struct fail *fail)
{
    const struct crm_module *module = upsert->insert.module;
    char sql[SMALL_SQL_BYTES];
    bool found = false;
    for (int i = 0; i < upsert->check_count && !found; i++) {
        const struct crm_field *field = upsert->checks[i];
        const struct store_param *value = given_value(row, field);
        if (!value) {
            continue;
        }
        snprintf(sql, sizeof sql, "SELECT \"id\" FROM %.*s WHERE %.*s=?%s%s ORDER BY \"id\" LIMIT 1", VIEW_ARGS(module->quoted),
                 VIEW_ARGS(field->quoted), field->kind == CRM_KIND_TEXT ? " COLLATE NOCASE" : "",
                 crm_fields_of(module)->converted ? " AND COALESCE(\"Converted__s\",0)=0" : "");
        if (!tx_query_int(tx, sql, value, 1, ret_id, &found, fail)) {
            return false;
        }
        *ret_field = found ? field : NULL;
    }
    return true;
}

static bool upsert_row(struct tx *tx, struct upsert *upsert, uint32_t index, struct fail *fail)
{
    struct crm_row_plan *insert = &upsert->insert.rows[index], *update = &upsert->update.rows[index];
    struct upsert_outcome *outcome = &upsert->outcomes[index];
    int64_t id = 0;
    insert->late = update->late = (struct crm_row_error){0};
    *outcome = (struct upsert_outcome){0};
    if (update->aimed) {
        id = update->id;
    } else if (!find_same(tx, upsert, insert, &id, &outcome->duplicate, fail)) {
        return false;
    }
    outcome->updated = id != 0;
    if (!outcome->updated) {
        return insert->error.problem != CRM_ROW_FINE || crm_row_insert(tx, &upsert->insert, insert, fail);
    }
    if (update->error.problem != CRM_ROW_FINE) {
        return true;
    }
    crm_row_aim(update, id);
    return crm_row_update(tx, &upsert->update, update, fail);
}

static bool upsert_rows(struct tx *tx, void *arg, struct fail *fail)
{
    struct upsert *upsert = arg;
    fail_clear(fail);
    if (!crm_meta_check(upsert->insert.session, fail)) {
        return false;
    }
    for (uint32_t i = 0; i < upsert->insert.count; i++) {
        if (!upsert_row(tx, upsert, i, fail)) {
            return false;
        }
    }
    return true;
}

// ---- answers ------------------------------------------------------------------------------------

// A written row says what was done and why, between its code and its details.
static struct value make_result(const struct upsert *upsert, uint32_t index, struct value written)
{
    const struct upsert_outcome *outcome = &upsert->outcomes[index];
    struct heap *heap = upsert->insert.session->heap;
    struct value row = crm_row_result(outcome->updated ? &upsert->update : &upsert->insert, index, written), result = value_map(heap, 6);
    const struct map *map = value_as_map(row);
    if (!map || result.type != VALUE_MAP || !view_eq(value_view_or(map_get_text(map, VIEW("status")), VIEW("")), VIEW("success"))) {
        return row;
    }
    map_put_text(heap, result.map, VIEW("code"), map_get_text(map, VIEW("code")));
    map_put_text(heap, result.map, VIEW("duplicate_field"),
                 outcome->duplicate ? value_text(heap, outcome->duplicate->api_name) : value_null());
    map_put_text(heap, result.map, VIEW("action"), value_text(heap, outcome->updated ? VIEW("update") : VIEW("insert")));
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(map, &cursor));) {
        map_put(heap, result.map, entry->key, entry->value);
    }
    return result;
}

static bool plan_both(struct upsert *upsert, const struct list *rows, struct value checks, struct fail *fail)
{
    upsert->outcomes = arena_alloc(&upsert->insert.arena, ((size_t)rows->count + 1) * sizeof *upsert->outcomes);
    if (!upsert->outcomes) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    return find_checks(upsert, checks, fail) && crm_plan_rows(&upsert->insert, rows, fail) && crm_plan_rows(&upsert->update, rows, fail);
}

static bool upsert_once(struct crm_session *session, struct view module_name, const struct list *rows, struct value checks,
                        struct value *ret_results, struct fail *fail)
{
    struct crm_module *module;
    if (!crm_module_find(session, module_name, &module, fail)) {
        return false;
    }
    int64_t now_ms = clock_wall_ms() / 1000 * 1000;
    struct upsert upsert = {.insert = {.session = session, .module = module, .insert = true, .now_ms = now_ms},
                            .update = {.session = session, .module = module, .keyless = true, .now_ms = now_ms}};
    arena_init(&upsert.insert.arena, CRM_SCRATCH_BYTES_MAX);
    arena_init(&upsert.update.arena, CRM_SCRATCH_BYTES_MAX);
    bool done = plan_both(&upsert, rows, checks, fail) && crm_write_commit(session, upsert_rows, &upsert, fail);
    if (done) {
        struct value results = value_list(session->heap, rows->count), written = crm_time_text(session, now_ms);
        for (uint32_t i = 0; results.type == VALUE_LIST && i < rows->count; i++) {
            list_add(session->heap, results.list, make_result(&upsert, i, written));
        }
        *ret_results = results;
    }
    arena_free(&upsert.insert.arena);
    arena_free(&upsert.update.arena);
    return done;
}

bool crm_records_upsert(struct crm_session *session, struct view module, struct value rows, struct value checks, struct value *ret_results,
                        struct fail *fail)
{
    session->details = value_null();
    const struct list *list = value_as_list(rows);
    if (!list) {
        return fail_set(fail, FAIL_INVALID_DATA, "the rows must be a list of maps");
    }
    if (list->count > CRM_ROWS_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "at most %d records a call", CRM_ROWS_MAX);
    }
    return upsert_once(session, module, list, checks, ret_results, fail) ||
           (crm_session_retry(session, fail) && upsert_once(session, module, list, checks, ret_results, fail));
}
