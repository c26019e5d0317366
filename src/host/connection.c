// SPDX-License-Identifier: Apache-2.0
// Connections at work: `connection:` of invokeurl, of connectors and of tasks (spec/platform.md §4, spec/deluge-language.md §6). For Zoho's
// hosts a connection means the running user with the scopes given, and the request never leaves; for another host it adds what the service
// wants to see. An OAuth 2.0 token is refreshed when it has expired, or once when the service refuses it; one refresh at a time in an
// environment, and a refresh token that the service replaces is durable before it is used.
#include "host/connection.h"

enum { REFRESH_WAIT_MS = 30000, REFRESH_POLL_MS = 10, TOKEN_MARGIN_MS = 60000, TOKEN_LIFE_S = 3600 };

static struct view text_of(struct value map, const char *key)
{
    const struct map *members = value_as_map(map);
    return members ? value_view_or(map_get_text(members, view_of(key)), VIEW("")) : VIEW("");
}

static bool is_type(const struct ext_connection *connection, const char *type)
{
    return view_eq(text_of(connection->definition, "type"), view_of(type));
}

// ---- finding ------------------------------------------------------------------------------------

struct find {
    struct ext_vault vault;
    struct view name;
    struct heap *heap;
    struct ext_connection connection;
    bool found;
};

static bool find_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct find *find = arg;
    return ext_connection_get_tx(tx, &find->vault, find->name, find->heap, &find->connection, &find->found, fail);
}

static struct ext_vault vault_of(const struct host_env *env)
{
    return (struct ext_vault){.seal = env->host->seal, .org = env->org, .environment = env->environment};
}

// Where nothing can be set up (`sluice run`, tests) every name is a connection to Zoho with all scopes.
static void be_zoho(struct heap *heap, struct view name, struct ext_connection *connection)
{
    struct value definition = value_map(heap, 1);
    if (definition.type == VALUE_MAP) {
        map_put_text(heap, definition.map, VIEW("type"), value_text(heap, VIEW("zoho")));
    }
    *connection = (struct ext_connection){.name = name, .definition = definition, .secrets = value_null(), .token = value_null()};
}

bool connection_find(struct run *run, struct view name, struct ext_connection *ret_connection, struct fail *fail)
{
    struct find find = {.vault = vault_of(run->env), .name = name, .heap = &run->heap};
    if (!store_read(run->env->env, find_tx, &find, fail)) {
        return false;
    }
    if (find.found) {
        *ret_connection = find.connection;
        return true;
    }
    if (!run->host->options.data_folder) {
        be_zoho(&run->heap, name, ret_connection);
        return true;
    }
    return fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" is not set up here: sluice connection new %.*s --type …", VIEW_ARGS(name),
                    VIEW_ARGS(name));
}

// ---- Zoho's hosts -------------------------------------------------------------------------------

bool connection_identity(struct run *run, const struct ext_connection *connection, struct identity *ret_identity, struct fail *fail)
{
    if (!is_type(connection, "zoho")) {
        return fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" is of type %.*s; Zoho's own hosts take one of type zoho",
                        VIEW_ARGS(connection->name), VIEW_ARGS(text_of(connection->definition, "type")));
    }
    struct view scopes = text_of(connection->definition, "scopes");
    *ret_identity = host_env_identity(run->env, IDENTITY_OAUTH, VIEW(""));
    ret_identity->user_id = run->exchange->identity.user_id;
    ret_identity->scopes = scopes.len ? scopes.data : NULL; // a NUL follows a text of JSON; it lives as long as the run
    return true;
}

// ---- OAuth 2.0 ----------------------------------------------------------------------------------

static bool token_is_fresh(const struct ext_connection *connection)
{
    const struct map *token = value_as_map(connection->token);
    struct value expires = token ? map_get_text(token, VIEW("expires_ms")) : value_null();
    return text_of(connection->token, "access_token").len > 0 && expires.type == VALUE_NUMBER &&
           expires.number > clock_wall_ms() + TOKEN_MARGIN_MS;
}

static void add_pair(struct buffer *body, const char *name, struct view value)
{
    if (value.len) {
        buffer_printf(body, "%s%s=", body->len ? "&" : "", name);
        form_encode(body, value, true);
    }
}

static bool ask_token(struct run *run, const struct ext_connection *connection, struct value *ret_answer, struct fail *fail)
{
    struct view refresh = text_of(connection->secrets, "refresh_token");
    struct buffer body;
    struct out_response response;
    struct out_header type = {.name = VIEW("Content-Type"), .value = VIEW("application/x-www-form-urlencoded")};
    buffer_init(&body, 65536);
    add_pair(&body, "grant_type", refresh.len ? VIEW("refresh_token") : VIEW("client_credentials"));
    add_pair(&body, "client_id", text_of(connection->definition, "client_id"));
    add_pair(&body, "client_secret", text_of(connection->secrets, "client_secret"));
    add_pair(&body, "refresh_token", refresh);
    add_pair(&body, "scope", refresh.len ? VIEW("") : text_of(connection->definition, "scopes"));
    struct out_request request = {.method = VIEW("POST"),
                                  .url = text_of(connection->definition, "token_url"),
                                  .headers = &type,
                                  .header_count = 1,
                                  .body = buffer_view(&body),
                                  .has_body = true};
    bool ok = outgoing_send(run, &request, &run->heap, &response, fail);
    if (ok &&
        (response.status != 200 || !json_read(&run->heap, response.body, ret_answer, fail) || !text_of(*ret_answer, "access_token").len)) {
        ok = fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" got no token: its token address answered %d", VIEW_ARGS(connection->name),
                      response.status); // never what it answered: that may hold secrets
    }
    buffer_free(&body);
    return ok;
}

struct keep {
    struct ext_vault vault;
    struct ext_connection *connection;
};

static bool keep_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct keep *keep = arg;
    return ext_connection_token_tx(tx, &keep->vault, keep->connection, fail);
}

static bool take_token(struct run *run, struct ext_connection *connection, struct value answer, struct fail *fail)
{
    struct heap *heap = &run->heap;
    struct value token = value_map(heap, 2), expires = map_get_text(value_as_map(answer), VIEW("expires_in"));
    struct view refresh = text_of(answer, "refresh_token");
    int64_t life_s = expires.type == VALUE_NUMBER && expires.number > 0 && expires.number < INT32_MAX ? expires.number : TOKEN_LIFE_S;
    if (token.type != VALUE_MAP || connection->secrets.type != VALUE_MAP) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    map_put_text(heap, token.map, VIEW("access_token"), map_get_text(value_as_map(answer), VIEW("access_token")));
    map_put_text(heap, token.map, VIEW("expires_ms"), value_number(clock_wall_ms() + life_s * 1000));
    if (refresh.len) {
        map_put_text(heap, connection->secrets.map, VIEW("refresh_token"), map_get_text(value_as_map(answer), VIEW("refresh_token")));
    }
    connection->token = token;
    struct keep keep = {vault_of(run->env), connection};
    return store_write(run->env->env, keep_tx, &keep, fail);
}

// Whoever waited for another's refresh finds its token.
static bool refresh_alone(struct run *run, struct ext_connection *connection, struct view refused, struct fail *fail)
{
    struct value answer;
    if (!connection_find(run, connection->name, connection, fail)) {
        return false;
    }
    bool changed = !view_eq(text_of(connection->token, "access_token"), refused);
    return (changed && token_is_fresh(connection)) ||
           (ask_token(run, connection, &answer, fail) && take_token(run, connection, answer, fail));
}

// `refused`: the token that the service did not take, empty when it has merely expired.
static bool refresh(struct run *run, struct ext_connection *connection, struct view refused, struct fail *fail)
{
    struct host_env *env = run->env;
    for (int64_t waited_ms = 0; atomic_exchange(&env->refreshing, true); waited_ms += REFRESH_POLL_MS) {
        if (waited_ms >= REFRESH_WAIT_MS || run_left_ms(run) <= 0) {
            return fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" is being refreshed for too long", VIEW_ARGS(connection->name));
        }
        if (!loop_sleep(REFRESH_POLL_MS, fail)) {
            return false;
        }
    }
    bool ok = refresh_alone(run, connection, refused, fail);
    atomic_store(&env->refreshing, false);
    return ok;
}

// ---- applying -----------------------------------------------------------------------------------

// "https://api.example.com:8443/x" → "api.example.com"
static struct view host_of(struct view url)
{
    ptrdiff_t at = view_find(url, VIEW("://"));
    struct view rest = view_from(url, at < 0 ? 0 : (size_t)at + 3);
    size_t end = 0;
    while (end < rest.len && !memchr("/?#", rest.data[end], 3)) {
        end++;
    }
    rest = view_slice(rest, 0, end);
    for (ptrdiff_t mark; (mark = view_find_char(rest, '@')) >= 0;) {
        rest = view_from(rest, (size_t)mark + 1);
    }
    return rest.len && rest.data[0] == '[' ? rest : view_cut(&rest, ':');
}

static bool host_allowed(const struct ext_connection *connection, struct view url, struct fail *fail)
{
    const struct map *definition = value_as_map(connection->definition);
    const struct list *hosts = definition ? value_as_list(map_get_text(definition, VIEW("hosts"))) : NULL;
    struct view host = host_of(url);
    for (uint32_t i = 0; hosts && i < hosts->count; i++) {
        if (view_eq_nocase(value_view_or(hosts->items[i], VIEW("")), host)) {
            return true;
        }
    }
    return !hosts || hosts->count == 0 ||
           fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" is not for the host %.*s", VIEW_ARGS(connection->name), VIEW_ARGS(host));
}

static bool set_header(struct run *run, struct connection_request *request, struct view name, const char *prefix, struct view value,
                       struct fail *fail)
{
    struct value text = value_text_printf(&run->heap, "%s%.*s", prefix, VIEW_ARGS(value));
    if (!value_is_text(text) || request->out.header_count == CONNECTION_HEADERS_MAX) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    for (int i = 0; i < request->out.header_count; i++) { // a script's own header of that name gives way
        if (view_eq_nocase(request->headers[i].name, name)) {
            request->headers[i] = request->headers[--request->out.header_count];
            break;
        }
    }
    request->headers[request->out.header_count++] = (struct out_header){.name = name, .value = value_view(text), .secret = true};
    return true;
}

static bool set_query(struct run *run, struct connection_request *request, struct view name, struct view value, struct fail *fail)
{
    struct buffer url;
    buffer_init(&url, 1 << 20);
    buffer_add(&url, request->out.url);
    buffer_add_char(&url, view_find_char(request->out.url, '?') < 0 ? '?' : '&');
    form_encode(&url, name, true);
    buffer_add_char(&url, '=');
    form_encode(&url, value, true);
    struct value text = url.failed ? value_null() : value_text(&run->heap, buffer_view(&url));
    buffer_free(&url);
    request->out.url = value_view_or(text, request->out.url);
    return value_is_text(text) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool set_basic(struct run *run, struct connection_request *request, const struct ext_connection *connection, struct fail *fail)
{
    struct buffer plain, text;
    buffer_init(&plain, 65536);
    buffer_init(&text, 131072);
    buffer_add(&plain, text_of(connection->definition, "user"));
    buffer_add_char(&plain, ':');
    buffer_add(&plain, text_of(connection->secrets, "password"));
    char *space = plain.failed ? NULL : buffer_space(&text, base64_size(plain.len));
    if (space) {
        text.len += base64_print(space, buffer_view(&plain));
    }
    bool ok =
        space ? set_header(run, request, VIEW("Authorization"), "Basic ", buffer_view(&text), fail) : fail_set(fail, FAIL_MEMORY, NULL);
    buffer_free(&plain);
    buffer_free(&text);
    return ok;
}

// The service's own word before the token, "Bearer" unless told.
static bool set_token(struct run *run, struct connection_request *request, const struct ext_connection *connection, struct fail *fail)
{
    struct view word = text_of(connection->definition, "prefix");
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%.*s ", VIEW_ARGS(view_slice(word.len ? word : VIEW("Bearer"), 0, sizeof prefix - 2)));
    return set_header(run, request, VIEW("Authorization"), prefix, text_of(connection->token, "access_token"), fail);
}

static bool apply(struct run *run, struct connection_request *request, struct ext_connection *connection, struct fail *fail)
{
    struct view header = text_of(connection->definition, "header"), query = text_of(connection->definition, "query");
    if (!host_allowed(connection, request->out.url, fail)) {
        return false;
    }
    if (is_type(connection, "none")) {
        return true;
    }
    if (is_type(connection, "basic")) {
        return set_basic(run, request, connection, fail);
    }
    if (is_type(connection, "bearer")) {
        return set_header(run, request, VIEW("Authorization"), "Bearer ", text_of(connection->secrets, "value"), fail);
    }
    if (is_type(connection, "api-key")) {
        return query.len
                   ? set_query(run, request, query, text_of(connection->secrets, "value"), fail)
                   : set_header(run, request, header.len ? header : VIEW("X-Api-Key"), "", text_of(connection->secrets, "value"), fail);
    }
    if (is_type(connection, "oauth2")) {
        return (token_is_fresh(connection) || refresh(run, connection, VIEW(""), fail)) && set_token(run, request, connection, fail);
    }
    return fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" is for Zoho's own hosts, which are answered here",
                    VIEW_ARGS(connection->name));
}

bool connection_send(struct run *run, struct connection_request *request, struct ext_connection *connection, struct heap *heap,
                     struct out_response *ret_response, struct fail *fail)
{
    struct view plain_url = request->out.url;
    request->out.headers = request->headers;
    if (!apply(run, request, connection, fail) || !outgoing_send(run, &request->out, heap, ret_response, fail)) {
        return false;
    }
    if (ret_response->status != 401 || !is_type(connection, "oauth2")) {
        return true;
    }
    request->out.url = plain_url; // the service knows better than the clock that the token is dead
    return refresh(run, connection, text_of(connection->token, "access_token"), fail) && set_token(run, request, connection, fail) &&
           outgoing_send(run, &request->out, heap, ret_response, fail);
}
