// SPDX-License-Identifier: Apache-2.0
// OAuth clients as the operator sees them: made, listed, given codes, removed, and the requests that wait for an answer. Rows are auth's;
// who a client's user is, the CRM knows.
#include "host/inside.h"

#include <stdlib.h>

struct auth_terms oauth_terms(const struct host *host)
{
    return (struct auth_terms){.token_s = host_limit(host, LIMIT_OAUTH_TOKEN_S),
                               .code_s = host_limit(host, LIMIT_OAUTH_CODE_S),
                               .request_s = host_limit(host, LIMIT_OAUTH_REQUEST_S),
                               .access_tokens = host_limit(host, LIMIT_OAUTH_ACCESS),
                               .refresh_tokens = host_limit(host, LIMIT_OAUTH_REFRESH)};
}

const char *host_public_url(const struct host *host)
{
    return host->public_url;
}

// ---- answers ------------------------------------------------------------------------------------

void oauth_put(struct heap *heap, struct map *map, const char *name, struct view text)
{
    map_put_text(heap, map, view_of(name), value_text(heap, text));
}

bool oauth_put_tokens(const struct host_env *env, struct heap *heap, struct map *map, const struct auth_tokens *tokens)
{
    oauth_put(heap, map, "access_token", view_of(tokens->access));
    if (tokens->refresh[0]) {
        oauth_put(heap, map, "refresh_token", view_of(tokens->refresh));
    }
    oauth_put(heap, map, "scope", view_of(tokens->scopes));
    map_put_text(heap, map, VIEW("api_domain"), value_text_printf(heap, "%s%s", env->host->public_url, env->sandbox ? "/sandbox" : ""));
    oauth_put(heap, map, "token_type", VIEW("Bearer"));
    map_put_text(heap, map, VIEW("expires_in"), value_number(host_limit(env->host, LIMIT_OAUTH_TOKEN_S)));
    return !heap->failed;
}

static bool open_map(struct heap *heap, struct value *ret_map, struct fail *fail)
{
    *ret_map = value_map(heap, 8);
    return ret_map->type == VALUE_MAP || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool finish(const struct heap *heap, struct fail *fail)
{
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

static void put_uris(struct heap *heap, struct map *map, const char *uris)
{
    struct value list = value_list(heap, 2);
    for (struct view rest = view_of(uris); rest.len > 0 && list.type == VALUE_LIST;) {
        list_add(heap, list.list, value_text(heap, view_cut(&rest, '\n')));
    }
    map_put_text(heap, map, VIEW("redirect_uris"), list);
}

// ---- users --------------------------------------------------------------------------------------

// An active user by e-mail. The super admin is 0, whoever that is.
static bool find_user(struct host_env *env, struct view email, int64_t *ret_id, struct fail *fail)
{
    struct heap heap;
    struct crm_session session;
    struct value users;
    int64_t id = -1;
    heap_init(&heap, HOST_EXCHANGE_BYTES_MAX, NULL);
    if (!crm_session_open(env->crm, &heap, &session, fail)) {
        heap_free(&heap);
        return false;
    }
    bool good = crm_users_list(&session, &users, fail);
    const struct list *list = good ? value_as_list(users) : NULL;
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct map *user = value_as_map(list->items[i]);
        bool same = view_eq_nocase(value_view_or(map_get_text(user, VIEW("email")), VIEW("")), email);
        if (same && view_eq_nocase(value_view_or(map_get_text(user, VIEW("status")), VIEW("")), VIEW("active"))) {
            crm_id_read(map_get_text(user, VIEW("id")), &id);
            id = id == crm_admin_id(&session) ? 0 : id;
        }
    }
    crm_session_close(&session);
    heap_free(&heap);
    if (good && id < 0) {
        return fail_set(fail, FAIL_NOT_FOUND, "the org \"%s\" has no active user %.*s", env->org, (int)utf8_clamp(email, 100), email.data);
    }
    *ret_id = id;
    return good;
}

bool oauth_user_active(void *host, const struct identity *who, bool *ret_active, struct fail *fail)
{
    struct heap heap;
    struct crm_session session;
    struct value user;
    heap_init(&heap, HOST_EXCHANGE_BYTES_MAX, NULL);
    if (!host_session_open(host, who, &heap, &session, fail)) {
        heap_free(&heap);
        return false;
    }
    bool good = crm_user_get(&session, who->user_id, &user, fail);
    const struct map *map = good ? value_as_map(user) : NULL;
    *ret_active = map && view_eq_nocase(value_view_or(map_get_text(map, VIEW("status")), VIEW("")), VIEW("active"));
    crm_session_close(&session);
    heap_free(&heap);
    return good || fail->code == FAIL_NOT_FOUND;
}

// ---- new ----------------------------------------------------------------------------------------

struct new_client {
    const struct auth *auth;
    const struct identity *where;
    struct auth_terms terms;
    struct auth_client client;
    char secret[AUTH_SECRET_LEN + 1];
    struct auth_tokens tokens;
};

static bool add_client(struct tx *tx, void *arg, struct fail *fail)
{
    struct new_client *new = arg;
    return auth_client_add_tx(tx, new->auth, new->where, &new->client, new->secret, fail) &&
           auth_tokens_make_tx(tx, new->auth, new->where, &new->client, &new->terms, &new->tokens, fail);
}

static bool is_operators(const struct identity *who, int64_t user_id)
{
    return who->org_number == AUTH_ORG_DEFAULT && strcmp(who->environment, "production") == 0 && user_id == 0;
}

static bool read_name(struct view name, char out[AUTH_CLIENT_NAME_MAX], struct fail *fail)
{
    name = name.len ? name : VIEW("Self Client");
    bool good = name.len < AUTH_CLIENT_NAME_MAX;
    for (size_t i = 0; good && i < name.len; i++) {
        good = (unsigned char)name.data[i] >= ' ' && name.data[i] != 0x7f;
    }
    snprintf(out, AUTH_CLIENT_NAME_MAX, "%.*s", VIEW_ARGS(name));
    return good || fail_set(fail, FAIL_INVALID_DATA, "a client's name is one line of less than %d bytes", AUTH_CLIENT_NAME_MAX);
}

static bool read_scopes(const struct identity *who, int64_t user_id, struct view scopes, char out[AUTH_SCOPES_MAX], struct fail *fail)
{
    bool control = is_operators(who, user_id);
    if (scopes.len == 0) {
        auth_scope_all(control, out);
        return true;
    }
    return auth_scope_read(scopes, control, out, fail);
}

static bool read_wish(struct host_env *env, const struct identity *who, const struct host_oauth_client *wish, struct auth_client *client,
                      struct fail *fail)
{
    if (!read_name(wish->name, client->name, fail) || (wish->user.len && !find_user(env, wish->user, &client->user_id, fail)) ||
        !read_scopes(who, client->user_id, wish->scopes, client->scopes, fail)) {
        return false;
    }
    for (uint32_t i = 0; wish->redirect_uris && i < wish->redirect_uris->count; i++) {
        if (!auth_client_redirect(client, value_view_or(wish->redirect_uris->items[i], VIEW("")), fail)) {
            return false;
        }
    }
    return true;
}

bool host_oauth_new(struct host *host, const struct identity *who, const struct host_oauth_client *wish, struct heap *heap,
                    struct value *ret_map, struct fail *fail)
{
    struct new_client new = {.auth = host->auth, .where = who, .terms = oauth_terms(host)};
    struct host_env *env;
    if (!host_env_of(host, who, &env, fail) || !read_wish(env, who, wish, &new.client, fail)) {
        return false;
    }
    bool good = store_write(env->env, add_client, &new, fail);
    host_audit_outcome(host, who, "oauth new", good ? view_of(new.client.client_id) : view_of(new.client.name), good);
    if (!good || !open_map(heap, ret_map, fail)) {
        return false;
    }
    oauth_put(heap, ret_map->map, "client_id", view_of(new.client.client_id));
    oauth_put(heap, ret_map->map, "client_secret", view_of(new.secret));
    oauth_put_tokens(env, heap, ret_map->map, &new.tokens);
    oauth_put(heap, ret_map->map, "name", view_of(new.client.name));
    put_uris(heap, ret_map->map, new.client.redirect_uris);
    return finish(heap, fail);
}

// ---- list ---------------------------------------------------------------------------------------

struct oauth_list {
    struct heap *heap;
    const struct crm_session *session;
    struct list *clients, *requests;
};

static bool add_listed_client(void *arg, const struct auth_client *client, struct fail *fail)
{
    struct oauth_list *list = arg;
    struct heap *heap = list->heap;
    struct value item;
    struct buffer time;
    if (!open_map(heap, &item, fail)) {
        return false;
    }
    buffer_init(&time, 64);
    calendar_print_iso(&time, client->created_ms, zone_local());
    oauth_put(heap, item.map, "client_id", view_of(client->client_id));
    oauth_put(heap, item.map, "name", view_of(client->name));
    oauth_put(heap, item.map, "user", crm_user_email(list->session, client->user_id ? client->user_id : crm_admin_id(list->session)));
    oauth_put(heap, item.map, "scope", view_of(client->scopes));
    put_uris(heap, item.map, client->redirect_uris);
    oauth_put(heap, item.map, "created_time", buffer_view(&time));
    buffer_free(&time);
    list_add(heap, list->clients, item);
    return finish(heap, fail);
}

static void put_request(struct heap *heap, struct map *map, const struct auth_request *request)
{
    oauth_put(heap, map, "request", view_of(request->request));
    oauth_put(heap, map, "client_id", view_of(request->client_id));
    oauth_put(heap, map, "client_name", view_of(request->client_name));
    oauth_put(heap, map, "redirect_uri", view_of(request->redirect_uri));
    oauth_put(heap, map, "scope", view_of(request->scopes));
    oauth_put(heap, map, "access_type", request->offline ? VIEW("offline") : VIEW("online"));
}

static bool add_listed_request(void *arg, const struct auth_request *request, struct fail *fail)
{
    struct oauth_list *list = arg;
    struct value item;
    if (!open_map(list->heap, &item, fail)) {
        return false;
    }
    put_request(list->heap, item.map, request);
    list_add(list->heap, list->requests, item);
    return finish(list->heap, fail);
}

static bool list_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct oauth_list *list = arg;
    list->clients->count = list->requests->count = 0;
    return auth_clients_tx(tx, add_listed_client, list, fail) && auth_requests_tx(tx, add_listed_request, list, fail);
}

bool host_oauth_list(struct host *host, const struct identity *who, struct heap *heap, struct value *ret_map, struct fail *fail)
{
    struct host_env *env;
    struct crm_session session;
    struct value clients = value_list(heap, 8), requests = value_list(heap, 8);
    if (!open_map(heap, ret_map, fail) || !finish(heap, fail) || !host_env_of(host, who, &env, fail) ||
        !crm_session_open(env->crm, heap, &session, fail)) {
        return false;
    }
    struct oauth_list list = {.heap = heap, .session = &session, .clients = clients.list, .requests = requests.list};
    bool good = store_read(env->env, list_tx, &list, fail);
    crm_session_close(&session);
    map_put_text(heap, ret_map->map, VIEW("clients"), clients);
    map_put_text(heap, ret_map->map, VIEW("requests"), requests);
    return good && finish(heap, fail);
}

// ---- codes of self clients ----------------------------------------------------------------------

struct new_code {
    const struct auth *auth;
    const struct identity *where;
    struct view client_id, scopes;
    int64_t life_s;
    struct auth_client client;
    char read[AUTH_SCOPES_MAX], code[AUTH_TOKEN_LEN + 1];
};

static bool unknown_client(struct view client_id, struct fail *fail)
{
    return fail_set(fail, FAIL_NOT_FOUND, "there is no OAuth client %.*s here; see: sluice oauth list", (int)utf8_clamp(client_id, 60),
                    client_id.data);
}

static bool make_code(struct tx *tx, void *arg, struct fail *fail)
{
    struct new_code *new = arg;
    bool found;
    if (!auth_client_find_tx(tx, new->client_id, &new->client, &found, fail)) {
        return false;
    }
    if (!found) {
        return unknown_client(new->client_id, fail);
    }
    if (!read_scopes(new->where, new->client.user_id, new->scopes, new->read, fail)) {
        return false;
    }
    struct auth_code code = {.client = &new->client, .scopes = view_of(new->read), .offline = true, .life_s = new->life_s};
    return auth_code_make_tx(tx, new->auth, new->where, &code, new->code, fail);
}

bool host_oauth_code(struct host *host, const struct identity *who, struct view client_id, struct view scopes, int64_t minutes,
                     struct heap *heap, struct value *ret_map, struct fail *fail)
{
    enum { MINUTES_LEAST = 3, MINUTES_MOST = 10 };
    struct host_env *env;
    int64_t most_s = host_limit(host, LIMIT_OAUTH_CODE_S);
    struct new_code new = {.auth = host->auth, .where = who, .client_id = client_id, .scopes = scopes};
    if (minutes < MINUTES_LEAST || minutes > MINUTES_MOST) {
        return fail_set(fail, FAIL_INVALID_DATA, "minutes must be %d to %d", MINUTES_LEAST, MINUTES_MOST);
    }
    if (scopes.len == 0) {
        return fail_set(fail, FAIL_INVALID_DATA, "no scope is named");
    }
    new.life_s = minutes * 60 < most_s ? minutes * 60 : most_s;
    if (!host_env_of(host, who, &env, fail) ||
        !host_audit_outcome(host, who, "oauth code", client_id, store_write(env->env, make_code, &new, fail)) ||
        !open_map(heap, ret_map, fail)) {
        return false;
    }
    oauth_put(heap, ret_map->map, "code", view_of(new.code));
    oauth_put(heap, ret_map->map, "scope", view_of(new.read));
    map_put_text(heap, ret_map->map, VIEW("expires_in"), value_number(new.life_s));
    return finish(heap, fail);
}

// ---- answers and ends ---------------------------------------------------------------------------

struct new_answer {
    struct view text;
    enum auth_answer answer;
    struct auth_request request;
    bool found;
};

static bool answer_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct new_answer *new = arg;
    return auth_request_answer_tx(tx, new->text, new->answer, &new->request, &new->found, fail);
}

bool host_oauth_answer(struct host *host, const struct identity *who, struct view request, bool approve, struct heap *heap,
                       struct value *ret_map, struct fail *fail)
{
    struct host_env *env;
    struct new_answer new = {.text = request, .answer = approve ? AUTH_APPROVED : AUTH_DENIED};
    if (!host_env_of(host, who, &env, fail) || !store_write(env->env, answer_tx, &new, fail)) {
        return false;
    }
    if (!new.found) {
        return fail_set(fail, FAIL_NOT_FOUND, "no request %.*s waits for an answer here; see: sluice oauth list",
                        (int)utf8_clamp(request, 60), request.data);
    }
    host_audit(host, who, approve ? "oauth approve" : "oauth deny", view_of(new.request.client_id));
    if (!open_map(heap, ret_map, fail)) {
        return false;
    }
    put_request(heap, ret_map->map, &new.request);
    oauth_put(heap, ret_map->map, "answer", approve ? VIEW("approved") : VIEW("denied"));
    return finish(heap, fail);
}

struct old_client {
    struct view client_id;
    bool found;
};

static bool remove_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct old_client *old = arg;
    return auth_client_remove_tx(tx, old->client_id, &old->found, fail);
}

bool host_oauth_remove(struct host *host, const struct identity *who, struct view client_id, struct fail *fail)
{
    struct host_env *env;
    struct old_client old = {.client_id = client_id};
    if (!host_env_of(host, who, &env, fail) || !store_write(env->env, remove_tx, &old, fail)) {
        return false;
    }
    if (!old.found) {
        return unknown_client(client_id, fail);
    }
    host_audit(host, who, "oauth remove", client_id);
    return true;
}
