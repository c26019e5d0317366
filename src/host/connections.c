// SPDX-License-Identifier: Apache-2.0
// Connections as their owner handles them: made, listed, shown, removed, each change with its row in the audit log. What a type needs
// stands in one table; secrets go in and never come out.
#include "host/inside.h"

// What must be said for a type, besides its secrets.
static const struct type_row {
    const char *name;
    const char *needs[4]; // members of the definition
    const char *secrets[4];
} types[] = {
    {"zoho", {NULL}, {NULL}},
    {"none", {NULL}, {NULL}},
    {"api-key", {NULL}, {"value", NULL}},
    {"bearer", {NULL}, {"value", NULL}},
    {"basic", {"user", NULL}, {"password", NULL}},
    {"oauth2", {"token_url", "client_id", NULL}, {"client_secret", NULL}},
};

static const struct type_row *find_type(struct view name)
{
    for (size_t i = 0; i < BASE_COUNT(types); i++) {
        if (view_eq(name, view_of(types[i].name))) {
            return &types[i];
        }
    }
    return NULL;
}

static struct view text_of(struct value map, const char *key)
{
    const struct map *members = value_as_map(map);
    return members ? value_view_or(map_get_text(members, view_of(key)), VIEW("")) : VIEW("");
}

static bool check_members(const struct type_row *type, const char *const *needs, struct value map, struct fail *fail)
{
    for (; *needs; needs++) {
        if (!text_of(map, *needs).len) {
            return fail_set(fail, FAIL_INVALID_DATA, "a connection of type %s needs its %s", type->name, *needs);
        }
    }
    return true;
}

static bool check_connection(const struct ext_connection *connection, struct fail *fail)
{
    const struct type_row *type = find_type(text_of(connection->definition, "type"));
    if (!ext_connection_name_valid(connection->name)) {
        return fail_set(fail, FAIL_INVALID_DATA,
                        "a connection's name is of letters, digits, - and _; \"namespace.connector\" is an extension's");
    }
    if (!type) {
        return fail_set(fail, FAIL_INVALID_DATA, "the type of a connection is zoho, none, api-key, bearer, basic or oauth2");
    }
    struct view url = text_of(connection->definition, "token_url");
    if (url.len && !view_starts_nocase(url, VIEW("https://")) && !view_starts_nocase(url, VIEW("http://"))) {
        return fail_set(fail, FAIL_INVALID_DATA, "the token address must begin with https://");
    }
    return check_members(type, type->needs, connection->definition, fail) && check_members(type, type->secrets, connection->secrets, fail);
}

struct change {
    struct ext_vault vault;
    struct ext_connection connection;
    struct heap *heap;
    struct list *list;
    bool found;
};

static bool put_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct change *change = arg;
    return ext_connection_put_tx(tx, &change->vault, &change->connection, fail);
}

bool host_connection_new(struct host *host, const struct identity *who, struct view name, struct value definition, struct value secrets,
                         struct fail *fail)
{
    struct host_env *env;
    struct change change = {.connection = {.name = name, .definition = definition, .secrets = secrets, .token = value_null()}};
    if (!check_connection(&change.connection, fail) || !host_env_of(host, who, &env, fail)) {
        return false;
    }
    change.vault = (struct ext_vault){.seal = host->seal, .org = env->org, .environment = env->environment};
    return host_audit_outcome(host, who, "connection new", name, store_write(env->env, put_tx, &change, fail));
}

// {name, type, …}: the definition, never the secrets.
static bool add_connection(void *arg, const struct ext_connection *connection, struct fail *fail)
{
    struct change *change = arg;
    struct heap *heap = change->heap;
    struct value item = value_map(heap, 8);
    const struct map *definition = value_as_map(connection->definition);
    uint32_t cursor = 0;
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    map_put_text(heap, item.map, VIEW("name"), value_text(heap, connection->name));
    for (struct map_entry *entry; definition && (entry = map_next(definition, &cursor));) {
        map_put(heap, item.map, entry->key, entry->value);
    }
    return (change->connection.name.len && !view_eq_nocase(change->connection.name, connection->name)) ||
           list_add(heap, change->list, item) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool list_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct change *change = arg;
    change->list->count = 0;
    return ext_connections_tx(tx, change->heap, add_connection, change, fail);
}

bool host_connections_list(struct host *host, const struct identity *who, struct view name, struct heap *heap, struct value *ret_list,
                           struct fail *fail)
{
    struct host_env *env;
    struct value list = value_list(heap, 4);
    struct change change = {.connection = {.name = name}, .heap = heap, .list = value_as_list(list)};
    if (!change.list) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!host_env_of(host, who, &env, fail) || !store_read(env->env, list_tx, &change, fail)) {
        return false;
    }
    if (name.len && change.list->count == 0) {
        return fail_set(fail, FAIL_NOT_FOUND, "there is no connection \"%.*s\"; sluice connection list shows them", VIEW_ARGS(name));
    }
    *ret_list = list;
    return true;
}

static bool remove_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct change *change = arg;
    return ext_connection_remove_tx(tx, change->connection.name, &change->found, fail);
}

bool host_connection_remove(struct host *host, const struct identity *who, struct view name, struct fail *fail)
{
    struct host_env *env;
    struct change change = {.connection = {.name = name}};
    if (!host_env_of(host, who, &env, fail) || !store_write(env->env, remove_tx, &change, fail)) {
        return false;
    }
    if (!change.found) {
        return fail_set(fail, FAIL_NOT_FOUND, "there is no connection \"%.*s\"; sluice connection list shows them", VIEW_ARGS(name));
    }
    return host_audit_outcome(host, who, "connection remove", name, true);
}
