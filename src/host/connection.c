// SPDX-License-Identifier: Apache-2.0
// Connections at work: `connection:` of invokeurl, of connectors and of tasks (spec/platform.md §4, spec/deluge-language.md §6). For Zoho's
// hosts a connection means the running user with the scopes given, and the request never leaves; for another host it adds what the service
// wants to see, marked as secret so that no redirect carries it to another origin. Tokens of OAuth 2.0 are connection_token.c's.
#include "host/connection.h"

struct view connection_text(struct value map, const char *key)
{
    const struct map *members = value_as_map(map);
    return members ? value_view_or(map_get_text(members, view_of(key)), VIEW("")) : VIEW("");
}

bool connection_is(const struct ext_connection *connection, const char *type)
{
    return view_eq(connection_text(connection->definition, "type"), view_of(type));
}

bool connection_is_made_up(const struct run *run)
{
    return !run->host->options.data_folder;
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

static void be_zoho(struct heap *heap, struct view name, struct ext_connection *connection)
{
    struct value definition = value_map(heap, 1);
    if (definition.type == VALUE_MAP) {
        map_put_text(heap, definition.map, VIEW("type"), value_text(heap, VIEW("zoho")));
    }
    *connection = (struct ext_connection){.name = name, .definition = definition, .secrets = value_null(), .token = value_null()};
}

static bool say_missing(const struct run *run, struct view name, struct fail *fail)
{
    const struct host_env *env = run->env;
    struct view shown = view_slice(name, 0, utf8_clamp(name, 2 * EXT_NAME_MAX));
    bool other = env->org_number != AUTH_ORG_DEFAULT, connector = view_find_char(shown, '.') > 0;
    return fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" is not set up here: sluice connection new %.*s%s%s%s%s", VIEW_ARGS(shown),
                    VIEW_ARGS(shown), other ? " --org " : "", other ? env->org : "", env->sandbox ? " --sandbox" : "",
                    connector ? "" : " (for Zoho's own hosts; --type TYPE for others)");
}

static bool look_up(struct run *run, struct view name, struct ext_connection *ret_connection, bool *ret_found, struct fail *fail)
{
    struct find find = {
        .vault = {.seal = run->host->seal, .org = run->env->org, .environment = run->env->environment}, .name = name, .heap = &run->heap};
    *ret_found = true;
    if (connection_is_made_up(run)) {
        be_zoho(&run->heap, name, ret_connection);
        return true;
    }
    if (!store_read(run->env->env, find_tx, &find, fail)) {
        return false;
    }
    if ((*ret_found = find.found)) {
        *ret_connection = find.connection;
    }
    return true;
}

bool connection_find(struct run *run, struct view name, struct ext_connection *ret_connection, struct fail *fail)
{
    bool found;
    return look_up(run, name, ret_connection, &found, fail) && (found || say_missing(run, name, fail));
}

// ---- Zoho's hosts -------------------------------------------------------------------------------

static bool must_be_zoho(const struct ext_connection *connection, struct fail *fail)
{
    return connection_is(connection, "zoho") ||
           fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" is of type %.*s; what is answered here takes one of type zoho",
                    VIEW_ARGS(connection->name), VIEW_ARGS(connection_text(connection->definition, "type")));
}

bool connection_identity(struct run *run, const struct ext_connection *connection, struct identity *ret_identity, struct fail *fail)
{
    struct view scopes = connection_text(connection->definition, "scopes");
    const char *kept = NULL; // all
    if (!must_be_zoho(connection, fail)) {
        return false;
    }
    if (scopes.len && !(kept = auth_scope_keep(run->host->auth, run->env->org_number, scopes, fail))) {
        return false;
    }
    *ret_identity = host_env_identity(run->env, IDENTITY_OAUTH, VIEW(""));
    ret_identity->user_id = run->exchange->identity.user_id;
    ret_identity->scopes = kept;
    return true;
}

bool connection_allows(struct run *run, struct view name, struct view needed, struct fail *fail)
{
    struct ext_connection connection;
    struct identity as;
    bool found;
    if (!look_up(run, name, &connection, &found, fail)) {
        return false;
    }
    if (!found) {
        return true; // the records are this org's own, and the running user may use them without any connection
    }
    if (!connection_identity(run, &connection, &as, fail)) {
        return false;
    }
    while (needed.len) {
        struct view word = view_cut(&needed, ' ');
        if (!auth_scope_covers(as.scopes, word)) {
            return fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" lacks the scope %.*s", VIEW_ARGS(connection.name), VIEW_ARGS(word));
        }
    }
    return true;
}

// ---- where a secret may go ----------------------------------------------------------------------

// "https://api.example.com:8443/x" → "api.example.com". What libcurl reads as host must be what is compared, so whatever it might read
// otherwise (users, backslashes, blanks, escapes) is no host at all.
static struct view host_of(struct view url)
{
    ptrdiff_t at = view_find(url, VIEW("://"));
    struct view rest = view_from(url, at < 0 ? 0 : (size_t)at + 3);
    size_t end = 0;
    while (end < rest.len && !memchr("/?#", rest.data[end], 3)) {
        if ((unsigned char)rest.data[end] <= 0x20 || memchr("@\\%", rest.data[end], 3)) {
            return VIEW("");
        }
        end++;
    }
    rest = view_slice(rest, 0, end);
    if (rest.len && rest.data[0] == '[') {
        ptrdiff_t close = view_find_char(rest, ']');
        return close < 0 ? VIEW("") : view_slice(rest, 0, (size_t)close + 1);
    }
    return view_cut(&rest, ':');
}

// "*.example.com" allows what ends in .example.com.
static bool matches(struct view pattern, struct view host)
{
    struct view end = view_from(pattern, 1);
    return view_starts(pattern, VIEW("*.")) ? host.len > end.len && view_eq_nocase(view_from(host, host.len - end.len), end)
                                            : view_eq_nocase(pattern, host);
}

static bool host_allowed(const struct ext_connection *connection, struct view url, struct fail *fail)
{
    const struct map *definition = value_as_map(connection->definition);
    const struct list *hosts = definition ? value_as_list(map_get_text(definition, VIEW("hosts"))) : NULL;
    struct view host = host_of(url);
    for (uint32_t i = 0; hosts && host.len && i < hosts->count; i++) {
        if (matches(value_view_or(hosts->items[i], VIEW("")), host)) {
            return true;
        }
    }
    host = view_slice(host, 0, utf8_clamp(host, 200));
    return !hosts || hosts->count == 0 ||
           fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" is not for the host \"%.*s\"", VIEW_ARGS(connection->name),
                    VIEW_ARGS(host));
}

// ---- applying -----------------------------------------------------------------------------------

// A script's own header of that name gives way.
static bool set_header(struct run *run, struct connection_request *request, struct view name, const char *prefix, struct view value,
                       struct fail *fail)
{
    struct value text = value_text_printf(&run->heap, "%s%.*s", prefix, VIEW_ARGS(value));
    for (int i = request->out.header_count - 1; i >= 0; i--) {
        if (view_eq_nocase(request->headers[i].name, name)) {
            request->headers[i] = request->headers[--request->out.header_count];
        }
    }
    if (!value_is_text(text) || request->out.header_count == CONNECTION_HEADERS_MAX) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    request->headers[request->out.header_count++] = (struct out_header){.name = name, .value = value_view(text), .secret = true};
    return true;
}

// Before a fragment, which is not sent.
static bool set_query(struct run *run, struct connection_request *request, struct view name, struct view value, struct fail *fail)
{
    struct view url = request->out.url, fixed = view_cut(&url, '#');
    struct buffer out;
    buffer_init(&out, 1 << 20);
    buffer_add(&out, fixed);
    buffer_add_char(&out, view_find_char(fixed, '?') < 0 ? '?' : '&');
    form_encode(&out, name, true);
    buffer_add_char(&out, '=');
    form_encode(&out, value, true);
    struct value text = out.failed ? value_null() : value_text(&run->heap, buffer_view(&out));
    buffer_free(&out);
    request->out.url = value_view_or(text, request->out.url);
    return value_is_text(text) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool set_basic(struct run *run, struct connection_request *request, const struct ext_connection *connection, struct fail *fail)
{
    struct buffer plain, text;
    buffer_init(&plain, 65536);
    buffer_init(&text, 131072);
    buffer_add(&plain, connection_text(connection->definition, "user"));
    buffer_add_char(&plain, ':');
    buffer_add(&plain, connection_text(connection->secrets, "password"));
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

// The service's own word stands before a token, "Bearer" unless told.
static bool set_token(struct run *run, struct connection_request *request, const struct ext_connection *connection, struct view token,
                      struct fail *fail)
{
    struct view word = connection_text(connection->definition, "prefix");
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%.*s ", VIEW_ARGS(view_slice(word.len ? word : VIEW("Bearer"), 0, sizeof prefix - 2)));
    return set_header(run, request, VIEW("Authorization"), prefix, token, fail);
}

static bool set_key(struct run *run, struct connection_request *request, const struct ext_connection *connection, struct fail *fail)
{
    struct view header = connection_text(connection->definition, "header"), query = connection_text(connection->definition, "query");
    struct view value = connection_text(connection->secrets, "value");
    return query.len ? set_query(run, request, query, value, fail)
                     : set_header(run, request, header.len ? header : VIEW("X-Api-Key"), "", value, fail);
}

static bool refuse_zoho(const struct run *run, const struct ext_connection *connection, struct fail *fail)
{
    const char *why = connection_is_made_up(run)           ? "is not set up in memory; --data names a folder that has it"
                      : run->host->options.zoho_hosts_real ? "is of type zoho, which is answered here; a real host needs another type"
                                                           : "is of type zoho, for Zoho's own hosts alone";
    return fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" %s", VIEW_ARGS(connection->name), why);
}

bool connection_apply(struct run *run, struct connection_request *request, struct ext_connection *connection, struct fail *fail)
{
    request->out.headers = request->headers;
    if (connection_is(connection, "zoho")) {
        return refuse_zoho(run, connection, fail);
    }
    if (!host_allowed(connection, request->out.url, fail)) {
        return false;
    }
    if (connection_is(connection, "basic")) {
        return set_basic(run, request, connection, fail);
    }
    if (connection_is(connection, "bearer")) {
        return set_token(run, request, connection, connection_text(connection->secrets, "value"), fail);
    }
    if (connection_is(connection, "api-key")) {
        return set_key(run, request, connection, fail);
    }
    return connection_is(connection, "none") ||
           (connection_token(run, connection, VIEW(""), fail) &&
            set_token(run, request, connection, connection_text(connection->token, "access_token"), fail));
}

bool connection_renew(struct run *run, struct connection_request *request, struct ext_connection *connection, bool *ret_again,
                      struct fail *fail)
{
    *ret_again = connection_is(connection, "oauth2"); // the service knows better than the clock that the token is dead
    return !*ret_again || (connection_token(run, connection, connection_text(connection->token, "access_token"), fail) &&
                           set_token(run, request, connection, connection_text(connection->token, "access_token"), fail));
}
