// SPDX-License-Identifier: Apache-2.0
// Connections as their owner handles them: made, listed, shown, removed, each change with its row in the audit log. What a type needs
// stands in one table; secrets go in and never come out.
#include "host/connection.h"

enum { TEXT_BYTES_MAX = 8192, HOSTS_MAX = 100 };

// What a definition may say, what may be secret, and what each type needs of both. An extension's connector may say the rest.
static const char *const members[] = {"type",       "scopes",        "header",    "query",       "prefix",       "user",
                                      "client_id",  "authorize_url", "token_url", "refresh_url", "redirect_uri", "separator",
                                      "token_auth", "grant",         "hosts",     NULL};
static const char *const secret_members[] = {"value", "password", "client_secret", "refresh_token", "code", NULL};
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
    return view_eq_nocase(name, VIEW("api_key")) ? find_type(VIEW("api-key")) : NULL;
}

// ---- checks -------------------------------------------------------------------------------------

// One line of text: a line end in a header or a key would be another header.
static bool is_line(struct value v)
{
    struct view text = value_view_or(v, VIEW(""));
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7F) {
            return false;
        }
    }
    return value_is_text(v) && text.len <= TEXT_BYTES_MAX;
}

static bool is_token(struct view name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_') {
            return false;
        }
    }
    return name.len > 0;
}

static bool is_host(struct view name)
{
    name = view_starts(name, VIEW("*.")) ? view_from(name, 2) : name;
    for (size_t i = 0; i < name.len; i++) {
        if ((unsigned char)name.data[i] <= 0x20 || memchr("/?#@:\\%*", name.data[i], 8)) {
            return name.data[0] == '[' && name.data[name.len - 1] == ']';
        }
    }
    return name.len > 0;
}

static bool check_hosts(struct value hosts, struct fail *fail)
{
    const struct list *list = value_as_list(hosts);
    if (!list || list->count > HOSTS_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "\"hosts\" is a list of at most %d host names", HOSTS_MAX);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (!is_line(list->items[i]) || !is_host(value_view(list->items[i]))) {
            return fail_set(fail, FAIL_INVALID_DATA, "a host is a name like api.example.com or *.example.com, without https:// and port");
        }
    }
    return true;
}

static bool check_known(const struct map *map, const char *const *known, struct fail *fail)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(map, &cursor));) {
        struct view name = value_view_or(entry->key, VIEW(""));
        const char *const *member = known;
        while (*member && !view_eq(name, view_of(*member))) {
            member++;
        }
        if (!*member) {
            return fail_set(fail, FAIL_INVALID_DATA, "a connection has no member \"%.*s\"",
                            VIEW_ARGS(view_slice(name, 0, utf8_clamp(name, 64))));
        }
        bool list = view_eq(name, VIEW("hosts"));
        if (list ? !check_hosts(entry->value, fail) : !is_line(entry->value)) {
            return list ? false
                        : fail_set(fail, FAIL_INVALID_DATA, "%s must be one line of text of at most %d bytes", *member, TEXT_BYTES_MAX);
        }
    }
    return true;
}

static bool check_urls(struct value definition, struct fail *fail)
{
    static const char *const urls[] = {"token_url", "refresh_url", "authorize_url"};
    for (size_t i = 0; i < BASE_COUNT(urls); i++) {
        struct view url = connection_text(definition, urls[i]);
        if (url.len && !view_starts_nocase(url, VIEW("https://")) && !view_starts_nocase(url, VIEW("http://"))) {
            return fail_set(fail, FAIL_INVALID_DATA, "%s must begin with https://", urls[i]);
        }
    }
    struct view header = connection_text(definition, "header"), grant = connection_text(definition, "grant");
    struct view way = connection_text(definition, "token_auth");
    if (header.len && !is_token(header)) {
        return fail_set(fail, FAIL_INVALID_DATA, "\"%.*s\" is not the name of a header", VIEW_ARGS(header));
    }
    if (grant.len && !view_eq(grant, VIEW("client_credentials")) && !view_eq(grant, VIEW("authorization_code"))) {
        return fail_set(fail, FAIL_INVALID_DATA, "the grant is authorization_code or client_credentials");
    }
    return !way.len || view_eq(way, VIEW("body")) || view_eq(way, VIEW("header")) ||
           fail_set(fail, FAIL_INVALID_DATA, "the client's secret goes into the body or the header of a token request");
}

// What is said to Zoho's CRM must be a scope of it; other services' may stand beside.
static bool check_scopes(struct value definition, struct fail *fail)
{
    char known[AUTH_SCOPES_MAX];
    struct view scopes = connection_text(definition, "scopes"), rest = scopes;
    if (scopes.len >= AUTH_SCOPES_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "the scopes are longer than %d bytes together", AUTH_SCOPES_MAX);
    }
    while (rest.len) {
        struct view word = view_cut(&rest, ' ');
        if (view_starts_nocase(word, VIEW("ZohoCRM.")) && !auth_scope_read(word, false, known, fail)) {
            return false;
        }
    }
    return true;
}

static bool check_needs(const struct type_row *type, const char *const *needs, struct value map, struct fail *fail)
{
    for (; *needs; needs++) {
        if (!connection_text(map, *needs).len) {
            return fail_set(fail, FAIL_INVALID_DATA, "a connection of type %s needs its %s", type->name, *needs);
        }
    }
    return true;
}

// ---- new ----------------------------------------------------------------------------------------

struct change {
    struct ext_vault vault;
    struct ext_connection connection;
    struct heap *heap;
    struct list *list;
    bool found;
};

// The definition with what its connector says: is everything there that the type needs?
static bool complete_tx(struct tx *tx, struct change *change, const struct type_row **ret_type, struct fail *fail)
{
    struct view name = change->connection.name;
    struct value whole = value_copy(change->heap, change->connection.definition, fail);
    if (whole.type != VALUE_MAP) {
        return false;
    }
    if (!ext_connection_complete_tx(tx, name, change->heap, whole.map, &change->found, fail)) {
        return false;
    }
    if (!change->found) {
        return fail_set(fail, FAIL_NOT_FOUND, "no extension that is installed here has the connector \"%.*s\"", VIEW_ARGS(name));
    }
    struct view type = connection_text(whole, "type");
    *ret_type = find_type(type.len ? type : view_find_char(name, '.') < 0 ? VIEW("zoho") : VIEW("none"));
    if (!*ret_type) {
        return fail_set(fail, FAIL_INVALID_DATA, "the type of a connection is zoho, none, api-key, bearer, basic or oauth2");
    }
    return check_urls(whole, fail) && check_scopes(whole, fail) && check_needs(*ret_type, (*ret_type)->needs, whole, fail) &&
           check_needs(*ret_type, (*ret_type)->secrets, change->connection.secrets, fail);
}

static bool put_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct change *change = arg;
    const struct type_row *type;
    if (!complete_tx(tx, change, &type, fail)) {
        return false;
    }
    map_put_text(change->heap, change->connection.definition.map, VIEW("type"), value_text(change->heap, view_of(type->name)));
    return (!change->heap->failed || fail_set(fail, FAIL_MEMORY, NULL)) &&
           ext_connection_put_tx(tx, &change->vault, &change->connection, fail);
}

bool host_connection_new(struct host *host, const struct identity *who, const struct ext_connection *connection, struct heap *heap,
                         struct fail *fail)
{
    struct host_env *env;
    struct change change = {.connection = *connection, .heap = heap};
    const struct map *definition = value_as_map(connection->definition), *secrets = value_as_map(connection->secrets);
    if (!ext_connection_name_valid(connection->name)) {
        return fail_set(fail, FAIL_INVALID_DATA,
                        "a connection's name is of letters, digits, - and _; \"namespace.connector\" is an extension's");
    }
    if (!definition || !secrets) {
        return fail_set(fail, FAIL_INVALID_DATA, "\"definition\" and \"secrets\" must be objects");
    }
    if (!check_known(definition, members, fail) || !check_known(secrets, secret_members, fail) || !host_env_of(host, who, &env, fail)) {
        return false;
    }
    change.connection.token = value_null();
    change.vault = (struct ext_vault){.seal = host->seal, .org = env->org, .environment = env->environment};
    return host_audit_outcome(host, who, "connection new", connection->name, store_write(env->env, put_tx, &change, fail));
}

// ---- looking ------------------------------------------------------------------------------------

// {name, type, …}: the definition, never the secrets.
static struct value describe(struct heap *heap, const struct ext_connection *connection)
{
    struct value item = value_map(heap, 8);
    const struct map *definition = value_as_map(connection->definition);
    uint32_t cursor = 0;
    if (!heap->failed) {
        map_put_text(heap, item.map, VIEW("name"), value_text(heap, connection->name));
    }
    for (struct map_entry *entry; definition && !heap->failed && (entry = map_next(definition, &cursor));) {
        map_put(heap, item.map, entry->key, entry->value);
    }
    return item;
}

static bool add_connection(void *arg, const struct ext_connection *connection, struct fail *fail)
{
    struct change *change = arg;
    return list_add(change->heap, change->list, describe(change->heap, connection)) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool list_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct change *change = arg;
    change->list->count = 0;
    return ext_connections_tx(tx, change->heap, add_connection, change, fail);
}

bool host_connections_list(struct host *host, const struct identity *who, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    struct host_env *env;
    struct value list = value_list(heap, 4);
    struct change change = {.heap = heap, .list = value_as_list(list)};
    if (!change.list) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!host_env_of(host, who, &env, fail) || !store_read(env->env, list_tx, &change, fail)) {
        return false;
    }
    *ret_list = list;
    return true;
}

static bool say_unknown(struct view name, struct fail *fail)
{
    return fail_set(fail, FAIL_NOT_FOUND, "there is no connection \"%.*s\"; sluice connection list shows them", VIEW_ARGS(name));
}

// With what its connector says; without a seal the secrets stay closed.
static bool show_tx(struct tx *tx, void *arg, struct fail *fail)
{
    static const struct ext_vault closed;
    struct change *change = arg;
    struct view name = change->connection.name;
    struct ext_connection found;
    if (!ext_connection_get_tx(tx, &closed, name, change->heap, &found, &change->found, fail)) {
        return false;
    }
    change->connection = change->found ? found : (struct ext_connection){.name = name};
    return true;
}

bool host_connection_show(struct host *host, const struct identity *who, struct view name, struct heap *heap, struct value *ret_map,
                          struct fail *fail)
{
    struct host_env *env;
    struct change change = {.connection = {.name = name}, .heap = heap};
    if (!host_env_of(host, who, &env, fail) || !store_read(env->env, show_tx, &change, fail)) {
        return false;
    }
    if (!change.found) {
        return say_unknown(name, fail);
    }
    struct value map = describe(heap, &change.connection), address = value_null();
    if (!heap->failed && connection_authorize_url(change.connection.definition, heap, &address)) {
        map_put_text(heap, map.map, VIEW("authorize"), address);
    }
    *ret_map = map;
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

// ---- removing -----------------------------------------------------------------------------------

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
        return say_unknown(name, fail);
    }
    return host_audit_outcome(host, who, "connection remove", name, true);
}

// ---- trying -------------------------------------------------------------------------------------

struct trial {
    struct run *run;
    struct view name, url;
    struct out_response response;
};

static bool try_url(struct trial *trial, struct fail *fail)
{
    struct connection_request request = {.out = {.method = VIEW("GET"), .url = trial->url}};
    struct ext_connection connection;
    if (!connection_find(trial->run, trial->name, &connection, fail)) {
        return false;
    }
    if (!trial->url.len && !connection_is(&connection, "zoho")) {
        return fail_set(fail, FAIL_INVALID_DATA, "name a URL that the connection \"%.*s\" may call", VIEW_ARGS(trial->name));
    }
    request.out.url = trial->url.len ? trial->url : VIEW("https://www.zohoapis.com/crm/v2/org");
    trial->url = request.out.url;
    return outgoing_fetch(trial->run, &request, trial->name, &trial->run->heap, &trial->response, fail);
}

static void tell_trial(const struct trial *trial, struct heap *heap, struct value map)
{
    struct view url = trial->url, fixed = view_cut(&url, '?'); // a query may hold keys
    map_put_text(heap, map.map, VIEW("name"), value_text(heap, trial->name));
    map_put_text(heap, map.map, VIEW("url"), value_text(heap, fixed));
    map_put_text(heap, map.map, VIEW("status"), value_number(trial->response.status));
}

// A run without a script: the limits are those of one.
bool host_connection_test(struct host *host, const struct identity *who, struct view name, struct view url, struct heap *heap,
                          struct value *ret_map, struct fail *fail)
{
    static const struct function tester = {.namespace = "standalone", .display = "connection test"};
    struct exchange exchange = {.identity = *who};
    struct run_options options = {.function = &tester, .exchange = &exchange};
    struct trial trial = {.name = name, .url = url};
    struct value map = value_map(heap, 3);
    if (map.type != VALUE_MAP) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!host_env_of(host, who, &options.env, fail) || !functions_pin(options.env, &options.pin, fail)) {
        return false;
    }
    trial.run = run_open(host, &options, fail);
    if (!trial.run) {
        functions_unpin(options.env, options.pin);
        return false;
    }
    bool ok = try_url(&trial, fail);
    if (ok) {
        tell_trial(&trial, heap, map);
        *ret_map = map;
    } else if (fail->code == FAIL_SCRIPT) { // there is no script to tell
        fail->code = FAIL_INVALID_DATA;
    }
    run_close(trial.run);
    return ok;
}
