// SPDX-License-Identifier: Apache-2.0
// What a new environment holds: an organisation, its super admin, and the standard modules of standard_modules.json as tables. All of it
// happens in the closure of whoever opens the environment, once. `sluice run` seeds an empty in-memory CRM at every start, so the
// statements are few and the indexes partial (a row that leaves the field unset costs nothing).
#include "crm/seed.h"
#include "crm/given.h"

enum { SEED_HEAP_BYTES_MAX = 32 << 20, SQL_BYTES_MAX = 256 << 10, DEFINITION_BYTES_MAX = 1 << 20 };

// ---- statements ---------------------------------------------------------------------------------

// Runs and frees the statement.
static bool run_sql(struct tx *tx, struct buffer *sql, struct fail *fail)
{
    const char *text = buffer_text(sql);
    bool done = sql->failed ? fail_set(fail, FAIL_MEMORY, NULL) : tx_exec(tx, text, NULL, 0, fail);
    buffer_free(sql);
    return done;
}

static void add_column(struct buffer *sql, const struct crm_field *field)
{
    if (view_eq_nocase(field->api_name, VIEW("id"))) {
        return; // the primary key
    }
    buffer_printf(sql, ", %.*s %s", VIEW_ARGS(field->quoted), crm_kind_column(field->kind));
    if (field->se_module) {
        buffer_add(sql, VIEW(", \"$se_module\" TEXT"));
    }
}

// Columns are named like the fields, so that anybody can read the table with the sqlite3 shell.
bool crm_table_create_tx(struct tx *tx, struct view module, const struct crm_field *fields, int count, struct fail *fail)
{
    struct buffer sql;
    buffer_init(&sql, SQL_BYTES_MAX);
    buffer_add(&sql, VIEW("CREATE TABLE "));
    if (!store_quote(&sql, module, fail)) {
        buffer_free(&sql);
        return false;
    }
    buffer_add(&sql, VIEW(" (\"id\" INTEGER PRIMARY KEY"));
    for (int i = 0; i < count; i++) {
        add_column(&sql, &fields[i]);
    }
    buffer_add_char(&sql, ')');
    return run_sql(tx, &sql, fail);
}

bool crm_column_add_tx(struct tx *tx, struct view module, const struct crm_field *field, struct fail *fail)
{
    struct buffer sql;
    buffer_init(&sql, SQL_BYTES_MAX);
    buffer_add(&sql, VIEW("ALTER TABLE "));
    if (!store_quote(&sql, module, fail)) {
        buffer_free(&sql);
        return false;
    }
    buffer_printf(&sql, " ADD COLUMN %.*s %s", VIEW_ARGS(field->quoted), crm_kind_column(field->kind));
    return run_sql(tx, &sql, fail);
}

bool crm_module_insert_tx(struct tx *tx, const struct crm_module_row *row, int64_t *ret_id, struct fail *fail)
{
    int64_t id = store_id(tx, fail);
    struct buffer definition;
    buffer_init(&definition, DEFINITION_BYTES_MAX);
    buffer_add_char(&definition, '{');
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(row->definition, &cursor));) {
        struct view key = value_view_or(entry->key, VIEW_NONE);
        if (view_eq(key, VIEW("fields")) || key.len == 0) {
            continue; // each field has a row of its own
        }
        if (definition.len > 1) {
            buffer_add_char(&definition, ',');
        }
        json_write_text(&definition, key);
        buffer_add_char(&definition, ':');
        if (!json_write(&definition, entry->value, NULL, fail)) {
            break;
        }
    }
    buffer_add_char(&definition, '}');
    struct store_param params[] = {store_int(id),
                                   store_text(row->api_name),
                                   store_text(row->namespace),
                                   store_text(row->name_field),
                                   store_text(row->generated_type),
                                   store_text(buffer_view(&definition)),
                                   store_int(clock_wall_ms() / 1000 * 1000)};
    bool done = id != 0 && fail->code == FAIL_NONE && !definition.failed &&
                tx_exec(tx,
                        "INSERT INTO crm_module (id, api_name, namespace, name_field, generated_type, definition, modified_time) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?)",
                        params, BASE_COUNT(params), fail);
    if (!done && fail->code == FAIL_NONE) {
        fail_set(fail, FAIL_MEMORY, NULL);
    }
    buffer_free(&definition);
    if (done) {
        *ret_id = id;
    }
    return done;
}

bool crm_field_insert_tx(struct tx *tx, int64_t module_id, int position, const struct crm_field *field, struct view namespace,
                         const struct map *definition, struct fail *fail)
{
    int64_t id = store_id(tx, fail);
    if (id == 0) {
        return false;
    }
    struct buffer json;
    buffer_init(&json, DEFINITION_BYTES_MAX);
    struct value map = {.type = VALUE_MAP, .map = (struct map *)definition};
    bool done = json_write(&json, map, NULL, fail);
    struct store_param params[] = {store_int(id),         store_int(module_id),          store_int(position), store_text(field->api_name),
                                   store_text(namespace), store_text(buffer_view(&json))};
    done = done && tx_exec(tx, "INSERT INTO crm_field (id, module_id, position, api_name, namespace, definition) VALUES (?, ?, ?, ?, ?, ?)",
                           params, BASE_COUNT(params), fail);
    buffer_free(&json);
    return done;
}

// ---- the standard modules -----------------------------------------------------------------------

static bool seed_fields(struct tx *tx, const struct list *list, int64_t module_id, struct arena *arena, struct crm_field *fields,
                        struct fail *fail)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct map *definition = value_as_map(list->items[i]);
        if (!definition) {
            return fail_set(fail, FAIL_INTERNAL, "the table of standard modules is damaged");
        }
        if (!crm_field_read(arena, crm_map_view(definition, "api_name"), definition, &fields[i], fail) ||
            !crm_field_insert_tx(tx, module_id, (int)i, &fields[i], VIEW(""), definition, fail)) {
            return false;
        }
    }
    return true;
}

static bool seed_indexes(struct tx *tx, struct view module, const struct crm_field *fields, uint32_t count, struct fail *fail)
{
    for (uint32_t i = 0; i < count; i++) {
        if (crm_index_standard(module, &fields[i]) && !crm_index_create_tx(tx, module, &fields[i], false, fail)) {
            return false;
        }
    }
    return true;
}

// A module of the table becomes a row of crm_module, a row of crm_field a field, a table, and its indexes.
static bool seed_module(struct tx *tx, const struct map *module, struct arena *arena, struct fail *fail)
{
    const struct list *list = value_as_list(map_get_text(module, VIEW("fields")));
    struct crm_module_row row = {.api_name = crm_map_view(module, "api_name"),
                                 .namespace = VIEW(""),
                                 .name_field = crm_map_view(module, "name_field"),
                                 .generated_type = crm_map_view(module, "generated_type"),
                                 .definition = module};
    int64_t id;
    if (!list || list->count > CRM_FIELDS_MAX) {
        return fail_set(fail, FAIL_INTERNAL, "the table of standard modules is damaged");
    }
    struct crm_field *fields = arena_alloc(arena, (list->count + 1) * sizeof *fields);
    if (!fields) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    return crm_module_insert_tx(tx, &row, &id, fail) && seed_fields(tx, list, id, arena, fields, fail) &&
           crm_table_create_tx(tx, row.api_name, fields, (int)list->count, fail) &&
           seed_indexes(tx, row.api_name, fields, list->count, fail);
}

static bool seed_modules(struct tx *tx, struct fail *fail)
{
    struct heap heap;
    struct arena arena;
    struct value table = value_null();
    heap_init(&heap, SEED_HEAP_BYTES_MAX, NULL);
    arena_init(&arena, SEED_HEAP_BYTES_MAX);
    bool done = json_read(&heap, (struct view){crm_standard_modules, crm_standard_modules_bytes}, &table, fail);
    struct map *map = done ? value_as_map(table) : NULL;
    struct list *modules = map ? value_as_list(map_get_text(map, VIEW("modules"))) : NULL;
    for (uint32_t i = 0; done && modules && i < modules->count; i++) {
        const struct map *module = value_as_map(modules->items[i]);
        done = module ? seed_module(tx, module, &arena, fail) : fail_set(fail, FAIL_INTERNAL, "the table of standard modules is damaged");
    }
    arena_free(&arena);
    heap_free(&heap);
    return done;
}

// ---- organisation and super admin ---------------------------------------------------------------

// The super admin owns everything at first; role and profile are those of a fresh organisation.
static bool seed_admin(struct tx *tx, const struct crm_new_org *org, int64_t id, struct fail *fail)
{
    char full_name[512], zuid[24];
    int len = snprintf(full_name, sizeof full_name, "%.*s%s%.*s", VIEW_ARGS(org->admin_first_name),
                       org->admin_first_name.len && org->admin_last_name.len ? " " : "", VIEW_ARGS(org->admin_last_name));
    struct view name = {full_name, len < (int)sizeof full_name ? (size_t)len : sizeof full_name - 1};
    name.len = utf8_clamp(name, name.len); // a cut name ends at a character
    int digits = snprintf(zuid, sizeof zuid, "%lld", (long long)(org->zgid + 1));
    int64_t role = store_id(tx, fail), profile = role ? store_id(tx, fail) : 0;
    struct store_param params[] = {store_int(id),
                                   store_text(org->admin_email),
                                   store_text(org->admin_first_name),
                                   store_text(org->admin_last_name),
                                   store_text(name.len ? name : org->admin_email),
                                   store_text((struct view){zuid, (size_t)digits}),
                                   store_int(role),
                                   store_text(VIEW("CEO")),
                                   store_int(profile),
                                   store_text(VIEW("Administrator")),
                                   store_text(org->time_zone),
                                   store_text(VIEW("en_US")),
                                   store_text(VIEW("active")),
                                   store_int(1)};
    return profile != 0 &&
           tx_exec(tx,
                   "INSERT INTO crm_user (id, email, first_name, last_name, full_name, zuid, role_id, role_name, profile_id, "
                   "profile_name, time_zone, locale, status, confirm) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   params, BASE_COUNT(params), fail);
}

static bool seed_org(struct tx *tx, const struct crm_new_org *org, int64_t admin_id, struct fail *fail)
{
    int64_t id = store_id(tx, fail);
    struct store_param params[] = {store_int(id),
                                   store_text(org->company_name),
                                   store_int(org->zgid),
                                   store_int(admin_id),
                                   store_text(org->time_zone.len ? org->time_zone : VIEW("UTC")),
                                   store_text(org->admin_email),
                                   store_text(VIEW("US Dollar - USD")),
                                   store_text(VIEW("USD")),
                                   store_text(VIEW("$")),
                                   store_text(VIEW("en_US")),
                                   store_text(VIEW("US")),
                                   store_int(clock_wall_ms())};
    return id != 0 &&
           tx_exec(tx,
                   "INSERT INTO crm_org (id, company_name, zgid, admin_id, time_zone, primary_email, currency, iso_code, currency_symbol, "
                   "currency_locale, country_code, created_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   params, BASE_COUNT(params), fail);
}

bool crm_seed_tx(struct tx *tx, const struct crm_new_org *org, struct fail *fail)
{
    int64_t count = 0;
    bool found = false;
    fail_clear(fail);
    if (!tx_query_int(tx, "SELECT COUNT(*) FROM crm_org", NULL, 0, &count, &found, fail)) {
        return false;
    }
    if (count > 0) {
        return true;
    }
    int64_t admin_id = store_id(tx, fail);
    return admin_id != 0 && seed_admin(tx, org, admin_id, fail) && seed_org(tx, org, admin_id, fail) && crm_roles_seed_tx(tx, fail) &&
           seed_modules(tx, fail) && store_bump(tx, fail);
}
