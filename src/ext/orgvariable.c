// SPDX-License-Identifier: Apache-2.0
// Variables as an org sees them: its own beside those of extensions (variable.c has the values that scripts read and set). Own ones are
// rows without a namespace; their names have no "__", so that no extension's variable can be called like one. Variables are in groups,
// those of extensions in General.
#include "ext/inside.h"

enum { NAME_BYTES_MAX = 128, CANONICAL_MAX = 4 * EXT_NAME_MAX };

bool variable_general_tx(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    int64_t id = store_id(tx, fail);
    struct store_param row[] = {store_int(id)};
    return id != 0 &&
           tx_exec(tx, "INSERT INTO ext_variable_group (id, api_name, name, system) VALUES (?, 'General', 'General', 1)", row, 1, fail);
}

bool ext_org_variable_name_valid(struct view api_name)
{
    for (size_t i = 0; i < api_name.len; i++) {
        char c = api_name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (i == 0 || ((c < '0' || c > '9') && c != '_'))) {
            return false;
        }
    }
    return api_name.len > 0 && api_name.len <= NAME_BYTES_MAX && view_find(api_name, VIEW("__")) < 0;
}

// ---- variables ----------------------------------------------------------------------------------

static bool give_variable(struct rows *rows, ext_each_variable *each, void *arg, struct fail *fail)
{
    char name[CANONICAL_MAX];
    struct view namespace = rows_text(rows, 1), api_name = rows_text(rows, 2), description = rows_text(rows, 4), type = rows_text(rows, 5);
    if (namespace.len) {
        int len = snprintf(name, sizeof name, "%.*s__%.*s", VIEW_ARGS(namespace), VIEW_ARGS(api_name));
        if (len < 0 || (size_t)len >= sizeof name) {
            return fail_set(fail, FAIL_INTERNAL, "a variable's name is too long");
        }
        api_name = (struct view){name, (size_t)len};
    }
    struct ext_org_variable variable = {.id = rows_int(rows, 0),
                                        .api_name = api_name,
                                        .name = rows_text(rows, 3),
                                        .description = description.len ? description : VIEW_NONE,
                                        .type = type.len ? type : VIEW("text"),
                                        .value = rows_int(rows, 7) ? VIEW("") : rows_text(rows, 6),
                                        .own = namespace.len == 0,
                                        .group_id = rows_int(rows, 8),
                                        .group = rows_text(rows, 9)};
    return each(arg, &variable, fail);
}

bool ext_org_variables_tx(struct tx *tx, int64_t id, struct view api_name, ext_each_variable *each, void *arg, struct fail *fail)
{
    char text[CANONICAL_MAX];
    struct view canonical = VIEW("");
    struct rows *rows;
    fail_clear(fail);
    if (api_name.data && !ext_name_canonical(api_name, text, sizeof text, &canonical)) {
        return true; // longer than any variable's name
    }
    struct store_param params[] = {store_int(id), store_text(canonical)};
    if (!tx_query(tx,
                  "SELECT v.id, v.namespace, v.api_name, v.field_name, v.description, v.type, v.value, v.secret, g.id, g.api_name"
                  " FROM ext_variable v JOIN ext_variable_group g ON g.id = v.group_id OR (v.group_id = 0 AND g.system = 1)"
                  " WHERE v.live = 1 AND (v.id = ?1 OR ?1 = 0) AND (v.canonical = ?2 OR ?2 = '') ORDER BY v.id",
                  params, 2, &rows, fail)) {
        return false;
    }
    while (fail->code == FAIL_NONE && rows_next(rows, fail)) {
        give_variable(rows, each, arg, fail);
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

// Neither name may be another one's.
static bool check_names(struct tx *tx, const struct ext_org_variable *variable, struct view canonical, const char **ret_taken,
                        struct fail *fail)
{
    int64_t id;
    bool api_name, name;
    struct store_param by_api_name[] = {store_text(canonical), store_int(variable->id)};
    struct store_param by_name[] = {store_text(variable->name), store_int(variable->id)};
    if (!tx_query_int(tx, "SELECT id FROM ext_variable WHERE canonical = ? AND id <> ?", by_api_name, 2, &id, &api_name, fail) ||
        !tx_query_int(tx, "SELECT id FROM ext_variable WHERE namespace = '' AND lower(field_name) = lower(?) AND id <> ? LIMIT 1", by_name,
                      2, &id, &name, fail)) {
        return false;
    }
    if (api_name || name) {
        *ret_taken = api_name ? "api_name" : "name";
        return fail_set(fail, FAIL_EXISTS, NULL);
    }
    return true;
}

static bool insert_variable(struct tx *tx, const struct ext_org_variable *variable, struct view canonical, int64_t *ret_id,
                            struct fail *fail)
{
    int64_t count, id = store_id(tx, fail);
    bool found;
    struct store_param row[] = {store_int(id),
                                store_text(canonical),
                                store_text(variable->api_name),
                                store_text(variable->name),
                                store_text(variable->type),
                                store_text(variable->value),
                                variable->description.data ? store_text(variable->description) : store_null(),
                                store_int(variable->group_id)};
    if (!id || !tx_query_int(tx, "SELECT COUNT(*) FROM ext_variable WHERE namespace = ''", NULL, 0, &count, &found, fail)) {
        return false;
    }
    if (count >= EXT_ORG_VARIABLES_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "an org has at most %d variables of its own", EXT_ORG_VARIABLES_MAX);
    }
    *ret_id = id;
    return tx_exec(tx,
                   "INSERT INTO ext_variable (id, canonical, namespace, api_name, field_name, type, value, secret, description, group_id) "
                   "VALUES (?, ?, '', ?, ?, ?, ?, 0, ?, ?)",
                   row, BASE_COUNT(row), fail);
}

bool ext_org_variable_put_tx(struct tx *tx, const struct ext_org_variable *variable, int64_t *ret_id, const char **ret_taken,
                             struct fail *fail)
{
    char text[CANONICAL_MAX];
    struct view canonical;
    if (!ext_org_variable_name_valid(variable->api_name) || !ext_name_canonical(variable->api_name, text, sizeof text, &canonical)) {
        return fail_set(fail, FAIL_INVALID_DATA, "a variable of the org cannot have this name");
    }
    if (!check_names(tx, variable, canonical, ret_taken, fail)) {
        return false;
    }
    if (!variable->id) {
        return insert_variable(tx, variable, canonical, ret_id, fail);
    }
    struct store_param row[] = {store_text(canonical),
                                store_text(variable->api_name),
                                store_text(variable->name),
                                store_text(variable->value),
                                variable->description.data ? store_text(variable->description) : store_null(),
                                store_int(variable->group_id),
                                store_int(variable->id)};
    *ret_id = variable->id;
    return tx_exec(tx,
                   "UPDATE ext_variable SET canonical = ?, api_name = ?, field_name = ?, value = ?, description = ?, group_id = ? "
                   "WHERE id = ? AND namespace = ''",
                   row, BASE_COUNT(row), fail);
}

bool ext_org_variable_remove_tx(struct tx *tx, int64_t id, bool *ret_found, struct fail *fail)
{
    struct store_param param = store_int(id);
    if (!tx_exec(tx, "DELETE FROM ext_variable WHERE id = ? AND namespace = ''", &param, 1, fail)) {
        return false;
    }
    *ret_found = tx_changes(tx) > 0;
    return true;
}

// ---- groups -------------------------------------------------------------------------------------

bool ext_variable_groups_tx(struct tx *tx, ext_each_group *each, void *arg, struct fail *fail)
{
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT id, api_name, name, description, system FROM ext_variable_group ORDER BY id", NULL, 0, &rows, fail)) {
        return false;
    }
    while (fail->code == FAIL_NONE && rows_next(rows, fail)) {
        struct view description = rows_text(rows, 3);
        struct ext_variable_group group = {.id = rows_int(rows, 0),
                                           .api_name = rows_text(rows, 1),
                                           .name = rows_text(rows, 2),
                                           .description = description.len ? description : VIEW_NONE,
                                           .system = rows_int(rows, 4) != 0};
        each(arg, &group, fail);
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool ext_variable_group_put_tx(struct tx *tx, const struct ext_variable_group *group, int64_t *ret_id, struct fail *fail)
{
    int64_t other, id = group->id;
    bool taken;
    struct store_param name[] = {store_text(group->name), store_int(id)};
    if (!tx_query_int(tx, "SELECT id FROM ext_variable_group WHERE lower(name) = lower(?) AND id <> ?", name, 2, &other, &taken, fail)) {
        return false;
    }
    if (taken) {
        return fail_set(fail, FAIL_EXISTS, NULL);
    }
    bool adds = id == 0, counted;
    int64_t count;
    if (adds &&
        (!(id = store_id(tx, fail)) || !tx_query_int(tx, "SELECT COUNT(*) FROM ext_variable_group", NULL, 0, &count, &counted, fail))) {
        return false;
    }
    if (adds && count >= EXT_VARIABLE_GROUPS_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "an org has at most %d groups of variables", EXT_VARIABLE_GROUPS_MAX);
    }
    struct store_param row[] = {store_text(group->api_name), store_text(group->name),
                                group->description.data ? store_text(group->description) : store_null(), store_int(id)};
    *ret_id = id;
    return tx_exec(tx,
                   adds ? "INSERT INTO ext_variable_group (api_name, name, description, id, system) VALUES (?, ?, ?, ?, 0)"
                        : "UPDATE ext_variable_group SET api_name = ?, name = ?, description = ? WHERE id = ?",
                   row, BASE_COUNT(row), fail);
}
