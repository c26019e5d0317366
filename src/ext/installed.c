// SPDX-License-Identifier: Apache-2.0
// What is installed in an org environment: one row an extension, its functions with their sources, its variables (variable.c). A function
// keeps its id over upgrades, because callers read it in every reply; one that vanished is kept with live = 0 and comes back under the same
// id. So does a variable, with the value that the org gave it.
#include "ext/inside.h"

#define INSTALLED_COLUMNS                                                                                                                  \
    "namespace TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, dev INTEGER NOT NULL, manifest TEXT NOT NULL, digest TEXT "    \
    "NOT NULL,"                                                                                                                            \
    " installed_ms INTEGER NOT NULL"
#define FUNCTION_ROW_COLUMNS                                                                                                               \
    "id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, api_name TEXT NOT NULL, canonical TEXT NOT NULL UNIQUE, file TEXT NOT NULL, source " \
    "TEXT NOT NULL,"                                                                                                                       \
    " version INTEGER NOT NULL, apikey INTEGER NOT NULL, oauth INTEGER NOT NULL, return_type TEXT NOT NULL, arguments TEXT NOT NULL, "     \
    "live INTEGER NOT NULL"
#define VARIABLE_COLUMNS                                                                                                                   \
    "id INTEGER PRIMARY KEY, canonical TEXT NOT NULL UNIQUE, namespace TEXT NOT NULL, api_name TEXT NOT NULL, field_name TEXT NOT NULL, "  \
    "type TEXT NOT NULL,"                                                                                                                  \
    " value TEXT NOT NULL, secret INTEGER NOT NULL"

#define CONNECTOR_COLUMNS                                                                                                                  \
    "namespace TEXT NOT NULL, name TEXT NOT NULL, api TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (namespace, name, api)"

#define SCHEDULE_COLUMNS                                                                                                                   \
    "canonical TEXT PRIMARY KEY, namespace TEXT NOT NULL, function TEXT NOT NULL, cron TEXT NOT NULL, zone TEXT NOT NULL, missed TEXT "    \
    "NOT "                                                                                                                                 \
    "NULL, next_ms INTEGER NOT NULL, owed INTEGER NOT NULL, running_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, last_outcome TEXT NOT " \
    "NULL, live INTEGER NOT NULL, stale INTEGER NOT NULL"

const struct store_migration ext_migrations[] = {
    {.room = "ext",
     .version = 1,
     .sql = "CREATE TABLE ext_installed (" INSTALLED_COLUMNS ");"
            "CREATE TABLE ext_function (" FUNCTION_ROW_COLUMNS ");"
            "CREATE TABLE ext_variable (" VARIABLE_COLUMNS ");"
            "CREATE TABLE ext_action (namespace TEXT NOT NULL, version TEXT NOT NULL, done_ms INTEGER NOT NULL, PRIMARY KEY (namespace, "
            "version));"
            "CREATE TABLE ext_seed (namespace TEXT PRIMARY KEY, done_ms INTEGER NOT NULL);"
            "CREATE TABLE ext_pending (namespace TEXT PRIMARY KEY, journal INTEGER NOT NULL);"
            "CREATE TABLE ext_installed_old (" INSTALLED_COLUMNS ");"
            "CREATE TABLE ext_function_old (" FUNCTION_ROW_COLUMNS ");"
            "CREATE TABLE ext_variable_old (" VARIABLE_COLUMNS ")"},
    {.room = "ext",
     .version = 2,
     .sql = "ALTER TABLE ext_variable ADD COLUMN live INTEGER NOT NULL DEFAULT 1;"
            "ALTER TABLE ext_variable_old ADD COLUMN live INTEGER NOT NULL DEFAULT 1;"
            "ALTER TABLE ext_pending ADD COLUMN before_id INTEGER NOT NULL DEFAULT 0"},
    {.room = "ext",
     .version = 3,
     .sql = "CREATE TABLE ext_history (namespace TEXT NOT NULL, position INTEGER NOT NULL, version TEXT NOT NULL, installed_ms INTEGER"
            " NOT NULL, PRIMARY KEY (namespace, position));"
            "ALTER TABLE ext_installed ADD COLUMN uninstall_script TEXT NOT NULL DEFAULT '';"
            "ALTER TABLE ext_installed_old ADD COLUMN uninstall_script TEXT NOT NULL DEFAULT ''"},
    {.room = "ext",
     .version = 4,
     .sql = "CREATE TABLE ext_save (function_id INTEGER NOT NULL, position INTEGER NOT NULL, saved_ms INTEGER NOT NULL, source TEXT NOT"
            " NULL, PRIMARY KEY (function_id, position))"},
    {.room = "ext",
     .version = 5,
     .sql = "CREATE TABLE ext_connection (name TEXT PRIMARY KEY, definition TEXT NOT NULL, secrets BLOB NOT NULL, token BLOB, created_ms"
            " INTEGER NOT NULL);"
            "CREATE TABLE ext_connector (" CONNECTOR_COLUMNS ");"
            "CREATE TABLE ext_connector_old (" CONNECTOR_COLUMNS ")"},
    {.room = "ext",
     .version = 6,
     .sql = "CREATE TABLE ext_schedule (" SCHEDULE_COLUMNS ");"
            "CREATE TABLE ext_schedule_old (" SCHEDULE_COLUMNS ")"},
    {.room = "ext", .version = 7, .sql = "ALTER TABLE ext_connection ADD COLUMN lease_ms INTEGER NOT NULL DEFAULT 0"},
    {.room = "ext",
     .version = 8,
     .sql = "ALTER TABLE ext_variable ADD COLUMN description TEXT; ALTER TABLE ext_variable_old ADD COLUMN description TEXT;"
            "ALTER TABLE ext_variable ADD COLUMN group_id INTEGER NOT NULL DEFAULT 0;"
            "ALTER TABLE ext_variable_old ADD COLUMN group_id INTEGER NOT NULL DEFAULT 0;"
            "CREATE TABLE ext_variable_group (id INTEGER PRIMARY KEY, api_name TEXT NOT NULL, name TEXT NOT NULL, description TEXT,"
            " system INTEGER NOT NULL);"
            "CREATE UNIQUE INDEX ext_variable_group_name ON ext_variable_group (lower(name))",
     .fn = variable_general_tx},
    {.room = NULL},
};

enum { CANONICAL_MAX = 4 * EXT_NAME_MAX };

static bool canonical_of(struct view namespace, struct view api_name, char out[CANONICAL_MAX], struct view *ret_name, struct fail *fail)
{
    char joined[CANONICAL_MAX];
    int len = snprintf(joined, sizeof joined, "%.*s.%.*s", VIEW_ARGS(namespace), VIEW_ARGS(api_name));
    if (len < 0 || (size_t)len >= sizeof joined || !ext_name_canonical((struct view){joined, (size_t)len}, out, CANONICAL_MAX, ret_name)) {
        return fail_set(fail, FAIL_INVALID_DATA, "the name %.*s is too long", VIEW_ARGS(api_name));
    }
    return true;
}

// ---- functions ----------------------------------------------------------------------------------

static void write_arguments(struct buffer *out, const struct ext_function *function)
{
    if (!function->arguments_declared) {
        return;
    }
    buffer_add_char(out, '[');
    for (int i = 0; i < function->argument_count; i++) {
        buffer_add(out, i ? VIEW(",{\"name\":") : VIEW("{\"name\":"));
        json_write_text(out, function->arguments[i].name);
        buffer_add(out, VIEW(",\"type\":"));
        json_write_text(out, function->arguments[i].type);
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, ']');
}

bool ext_function_put_tx(struct tx *tx, struct view namespace, const struct ext_function *function, int64_t *ret_id, struct fail *fail)
{
    char name[CANONICAL_MAX];
    struct view canonical;
    if (!canonical_of(namespace, function->api_name, name, &canonical, fail)) {
        return false;
    }
    struct store_param key = store_text(canonical);
    int64_t id;
    bool found;
    if (!tx_query_int(tx, "SELECT id FROM ext_function WHERE canonical = ?", &key, 1, &id, &found, fail)) {
        return false;
    }
    id = found ? id : store_id(tx, fail);
    if (!id) {
        return false;
    }
    struct buffer arguments;
    buffer_init(&arguments, EXT_FILE_BYTES_MAX);
    write_arguments(&arguments, function);
    struct store_param row[] = {
        store_int(id),
        store_text(namespace),
        store_text(function->api_name),
        key,
        store_text(function->file),
        store_text(function->source),
        store_int(function->version),
        store_int(function->apikey),
        store_int(function->oauth),
        store_text(function->return_type.data ? function->return_type : VIEW("")),
        store_text(arguments.data ? buffer_view(&arguments) : VIEW("")),
    };
    bool ok = !arguments.failed || fail_set(fail, FAIL_MEMORY, NULL);
    ok = ok && tx_exec(tx,
                       "INSERT INTO ext_function (id, namespace, api_name, canonical, file, source, version, apikey, oauth, return_type, "
                       "arguments, live)"
                       " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (id) DO UPDATE SET namespace = excluded.namespace,"
                       " api_name = excluded.api_name, file = excluded.file, source = excluded.source, version = excluded.version, apikey "
                       "= excluded.apikey,"
                       " oauth = excluded.oauth, return_type = excluded.return_type, arguments = excluded.arguments, live = 1",
                       row, (int)BASE_COUNT(row), fail);
    buffer_free(&arguments);
    *ret_id = ok ? id : 0;
    return ok;
}

static bool put_functions(struct tx *tx, const struct ext_package *package, struct fail *fail)
{
    struct store_param namespace = store_text(package->namespace);
    if (!tx_exec(tx, "UPDATE ext_function SET live = 0 WHERE namespace = ?", &namespace, 1, fail)) {
        return false;
    }
    for (int i = 0; i < package->function_count; i++) {
        int64_t id;
        if (!ext_function_put_tx(tx, package->namespace, &package->functions[i], &id, fail)) {
            return false;
        }
    }
    return true;
}

// ---- variables' rows (their values: variable.c) -------------------------------------------------

// Values that an org has set are kept; a new variable gets the manifest's. A secret has no default in a file that lies in git.
static bool put_variables(struct tx *tx, const struct ext_package *package, struct fail *fail)
{
    struct store_param namespace = store_text(package->namespace);
    if (!tx_exec(tx, "UPDATE ext_variable SET live = 0 WHERE namespace = ?", &namespace, 1, fail)) {
        return false;
    }
    for (int i = 0; i < package->variable_count; i++) {
        const struct ext_variable *variable = &package->variables[i];
        char name[CANONICAL_MAX];
        struct view canonical;
        if (!canonical_of(package->namespace, variable->api_name, name, &canonical, fail)) {
            return false;
        }
        int64_t id = store_id(tx, fail);
        struct store_param row[] = {
            store_int(id),
            store_text(canonical),
            store_text(package->namespace),
            store_text(variable->api_name),
            store_text(variable->field_name),
            store_text(variable->type),
            store_text(variable->secret ? VIEW("") : variable->value),
            store_int(variable->secret),
        };
        if (!id ||
            !tx_exec(
                tx,
                "INSERT INTO ext_variable (id, canonical, namespace, api_name, field_name, type, value, secret) VALUES (?, ?, ?, ?, ?, ?, "
                "?, ?)"
                " ON CONFLICT (canonical) DO UPDATE SET field_name = excluded.field_name, type = excluded.type, secret = excluded.secret,"
                " live = 1, value = CASE WHEN ext_variable.secret = excluded.secret THEN ext_variable.value ELSE '' END",
                row, (int)BASE_COUNT(row), fail)) {
            return false;
        }
    }
    return true;
}

// ---- the extension ------------------------------------------------------------------------------

// Names of functions and variables are one whatever their case; so two extensions whose namespaces differ by case alone would take each
// other's over.
static bool check_case(struct tx *tx, struct view namespace, struct fail *fail)
{
    struct store_param key = store_text(namespace);
    int64_t others;
    bool found;
    if (!tx_query_int(tx, "SELECT count(*) FROM ext_installed WHERE lower(namespace) = lower(?1) AND namespace <> ?1", &key, 1, &others,
                      &found, fail)) {
        return false;
    }
    return others == 0 || fail_set(fail, FAIL_INVALID_DATA, "an extension whose namespace differs from \"%.*s\" by case alone is installed",
                                   VIEW_ARGS(namespace));
}

bool ext_install_tx(struct tx *tx, const struct ext_package *package, bool dev, struct view digest, struct fail *fail)
{
    struct buffer manifest;
    if (!check_case(tx, package->namespace, fail)) {
        return false;
    }
    buffer_init(&manifest, EXT_FILE_BYTES_MAX * 2);
    if (!json_write(&manifest, package->manifest, NULL, fail)) {
        buffer_free(&manifest);
        return false;
    }
    struct store_param row[] = {
        store_text(package->namespace),     store_text(package->name),
        store_text(package->version),       store_int(dev),
        store_text(buffer_view(&manifest)), store_text(digest),
        store_int(clock_wall_ms()),         store_text(package->on_uninstallation.data ? package->on_uninstallation : VIEW("")),
    };
    bool ok = tx_exec(
        tx,
        "INSERT INTO ext_installed (namespace, name, version, dev, manifest, digest, installed_ms, uninstall_script) VALUES (?, ?, ?, ?, "
        "?, ?, ?, ?)"
        " ON CONFLICT (namespace) DO UPDATE SET name = excluded.name, version = excluded.version, dev = excluded.dev,"
        " manifest = excluded.manifest, digest = excluded.digest, installed_ms = excluded.installed_ms, uninstall_script = "
        "excluded.uninstall_script",
        row, (int)BASE_COUNT(row), fail);
    buffer_free(&manifest);
    return ok && put_functions(tx, package, fail) && put_variables(tx, package, fail) && ext_connectors_install_tx(tx, package, fail) &&
           ext_schedules_install_tx(tx, package, fail) && store_bump(tx, fail);
}

bool ext_installed_tx(struct tx *tx, struct view namespace, char ret_version[EXT_NAME_MAX], bool *ret_dev, bool *ret_found,
                      struct fail *fail)
{
    struct store_param key = store_text(namespace);
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT version, dev FROM ext_installed WHERE lower(namespace) = lower(?)", &key, 1, &rows, fail)) {
        return false;
    }
    bool found = rows_next(rows, fail);
    if (found) {
        struct view version = rows_text(rows, 0);
        snprintf(ret_version, EXT_NAME_MAX, "%.*s", VIEW_ARGS(version));
        *ret_dev = rows_int(rows, 1) != 0;
    }
    rows_close(rows);
    *ret_found = found;
    return found || fail->code == FAIL_NONE;
}

static bool is_marked(struct tx *tx, const char *sql, const struct store_param *params, int count, bool *ret_marked, struct fail *fail)
{
    int64_t rows;
    bool found;
    if (!tx_query_int(tx, sql, params, count, &rows, &found, fail)) {
        return false;
    }
    *ret_marked = rows > 0;
    return true;
}

bool ext_action_done_tx(struct tx *tx, struct view namespace, struct view version, bool *ret_done, struct fail *fail)
{
    struct store_param key[] = {store_text(namespace), store_text(version)};
    return is_marked(tx, "SELECT count(*) FROM ext_action WHERE namespace = ? AND version = ?", key, 2, ret_done, fail);
}

bool ext_action_mark_tx(struct tx *tx, struct view namespace, struct view version, struct fail *fail)
{
    struct store_param row[] = {store_text(namespace), store_text(version), store_int(clock_wall_ms())};
    return tx_exec(tx, "INSERT INTO ext_action (namespace, version, done_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row, 3, fail);
}

bool ext_seeded_tx(struct tx *tx, struct view namespace, bool *ret_seeded, bool mark, struct fail *fail)
{
    struct store_param row[] = {store_text(namespace), store_int(clock_wall_ms())};
    bool seeded;
    if (!is_marked(tx, "SELECT count(*) FROM ext_seed WHERE namespace = ?", row, 1, &seeded, fail)) {
        return false;
    }
    if (mark && !seeded && !tx_exec(tx, "INSERT INTO ext_seed (namespace, done_ms) VALUES (?, ?)", row, 2, fail)) {
        return false;
    }
    *ret_seeded = seeded;
    return true;
}

// The columns of FUNCTION_COLUMNS, in their order.
static struct ext_installed_function read_function_row(struct rows *rows)
{
    return (struct ext_installed_function){
        .id = rows_int(rows, 0),
        .namespace = rows_text(rows, 1),
        .api_name = rows_text(rows, 2),
        .file = rows_text(rows, 3),
        .version = (int)rows_int(rows, 4),
        .apikey = rows_int(rows, 5) != 0,
        .oauth = rows_int(rows, 6) != 0,
        .return_type = rows_text(rows, 7),
        .arguments_json = rows_text(rows, 8),
        .source = rows_columns(rows) > 9 ? rows_text(rows, 9) : VIEW_NONE,
    };
}
#define FUNCTION_COLUMNS "id, namespace, api_name, file, version, apikey, oauth, return_type, arguments"

static bool each_function(struct tx *tx, const char *sql, struct view key, ext_each_function *each, void *arg, int *ret_count,
                          struct fail *fail)
{
    struct store_param params[] = {store_text(key)};
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, sql, params, 1, &rows, fail)) {
        return false;
    }
    bool ok = true;
    for (*ret_count = 0; ok && rows_next(rows, fail); (*ret_count)++) {
        struct ext_installed_function function = read_function_row(rows);
        ok = each(arg, &function, fail);
    }
    rows_close(rows);
    return ok && fail->code == FAIL_NONE;
}

bool ext_functions_tx(struct tx *tx, struct view namespace, ext_each_function *each, void *arg, struct fail *fail)
{
    int count;
    return each_function(tx,
                         "SELECT " FUNCTION_COLUMNS " FROM ext_function WHERE live = 1 AND (lower(namespace) = lower(?1) OR ?1 = '')"
                         " ORDER BY namespace, api_name",
                         namespace.data ? namespace : VIEW(""), each, arg, &count, fail);
}

bool ext_function_find_tx(struct tx *tx, struct view canonical, ext_each_function *each, void *arg, bool *ret_found, struct fail *fail)
{
    int count;
    if (!each_function(tx, "SELECT " FUNCTION_COLUMNS ", source FROM ext_function WHERE canonical = ? AND live = 1", canonical, each, arg,
                       &count, fail)) {
        return false;
    }
    *ret_found = count > 0;
    return true;
}

bool ext_namespaces_tx(struct tx *tx, bool (*each)(void *arg, struct view namespace, struct fail *fail), void *arg, struct fail *fail)
{
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT namespace FROM ext_installed ORDER BY namespace", NULL, 0, &rows, fail)) {
        return false;
    }
    bool ok = true;
    while (ok && rows_next(rows, fail)) {
        ok = each(arg, rows_text(rows, 0), fail);
    }
    rows_close(rows);
    return ok && fail->code == FAIL_NONE;
}

bool ext_digest_tx(struct tx *tx, struct view namespace, char ret_digest[EXT_DIGEST_LEN + 1], struct fail *fail)
{
    struct store_param key[] = {store_text(namespace)};
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT digest FROM ext_installed WHERE namespace = ?", key, 1, &rows, fail)) {
        return false;
    }
    struct view digest = rows_next(rows, fail) ? rows_text(rows, 0) : VIEW("");
    snprintf(ret_digest, EXT_DIGEST_LEN + 1, "%.*s", VIEW_ARGS(digest));
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

// ---- showing ------------------------------------------------------------------------------------

static bool query_into(struct tx *tx, const char *sql, struct view namespace, struct heap *heap, struct list *list,
                       struct value (*shape)(struct heap *heap, struct rows *rows), struct fail *fail)
{
    struct store_param key[] = {store_text(namespace)};
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, sql, key, 1, &rows, fail)) {
        return false;
    }
    bool ok = true;
    while (ok && rows_next(rows, fail)) {
        ok = list_add(heap, list, shape(heap, rows)) || fail_set(fail, FAIL_MEMORY, NULL);
    }
    rows_close(rows);
    return ok && fail->code == FAIL_NONE;
}

static struct value shape_variable(struct heap *heap, struct rows *rows)
{
    struct value map = value_map(heap, 4);
    if (heap->failed) {
        return map;
    }
    bool secret = rows_int(rows, 3) != 0; // a secret's value is never shown
    map_put_text(heap, map.map, VIEW("api_name"), value_text(heap, rows_text(rows, 0)));
    map_put_text(heap, map.map, VIEW("field_name"), value_text(heap, rows_text(rows, 1)));
    map_put_text(heap, map.map, VIEW("value"), secret ? value_null() : value_text(heap, rows_text(rows, 2)));
    if (secret) {
        map_put_text(heap, map.map, VIEW("secret"), value_bool(true));
    }
    return map;
}

static struct value shape_function(struct heap *heap, struct rows *rows)
{
    struct value map = value_map(heap, 4);
    if (!heap->failed) {
        map_put_text(heap, map.map, VIEW("api_name"), value_text(heap, rows_text(rows, 0)));
        map_put_text(heap, map.map, VIEW("version"), value_text(heap, rows_int(rows, 1) == 1 ? VIEW("1.0") : VIEW("2.0")));
    }
    return map;
}

static struct value shape_extension(struct heap *heap, struct rows *rows)
{
    struct value map = value_map(heap, 8);
    if (!heap->failed) {
        map_put_text(heap, map.map, VIEW("namespace"), value_text(heap, rows_text(rows, 0)));
        map_put_text(heap, map.map, VIEW("name"), value_text(heap, rows_text(rows, 1)));
        map_put_text(heap, map.map, VIEW("version"), value_text(heap, rows_text(rows, 2)));
        map_put_text(heap, map.map, VIEW("dev"), value_bool(rows_int(rows, 3) != 0));
    }
    return map;
}

static bool add_parts(struct tx *tx, struct heap *heap, struct map *extension, struct fail *fail)
{
    struct view namespace = value_view_or(map_get_text(extension, VIEW("namespace")), VIEW(""));
    struct value variables = value_list(heap, 4), functions = value_list(heap, 4);
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    return query_into(tx,
                      "SELECT namespace || '__' || api_name, field_name, value, secret FROM ext_variable WHERE namespace = ? AND live = 1 "
                      "ORDER BY id",
                      namespace, heap, variables.list, shape_variable, fail) &&
           query_into(tx,
                      "SELECT namespace || '__' || api_name, version FROM ext_function WHERE namespace = ? AND live = 1 ORDER BY api_name",
                      namespace, heap, functions.list, shape_function, fail) &&
           ((map_put_text(heap, extension, VIEW("variables"), variables) && map_put_text(heap, extension, VIEW("functions"), functions)) ||
            fail_set(fail, FAIL_MEMORY, NULL));
}

bool ext_show_tx(struct tx *tx, struct view namespace, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    struct value list = value_list(heap, 4);
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!query_into(tx,
                    "SELECT namespace, name, version, dev FROM ext_installed WHERE lower(namespace) = lower(?1) OR ?1 = ''"
                    " ORDER BY namespace",
                    namespace.data ? namespace : VIEW(""), heap, list.list, shape_extension, fail)) {
        return false;
    }
    for (uint32_t i = 0; i < list.list->count; i++) {
        if (!add_parts(tx, heap, list.list->items[i].map, fail)) {
            return false;
        }
    }
    *ret_list = list;
    return true;
}
