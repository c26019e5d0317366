// SPDX-License-Identifier: Apache-2.0
// What OAuth clients and browsers ask of the endpoints under /oauth/v2 (spec/crm-api.md §6). Nobody is signed in there: a client id, a
// token or a ticket leads to its org environment by its first half, and what is wrong about it is told in a word, as Zoho does.
#include "host/inside.h"

static bool refuse(struct heap *heap, const char *word, struct value *ret_map, struct fail *fail)
{
    struct value map = value_map(heap, 1);
    if (map.type == VALUE_MAP) {
        oauth_put(heap, map.map, "error", view_of(word));
    }
    *ret_map = map;
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

static struct view param(const struct map *params, const char *name)
{
    return value_view_or(map_get_text(params, view_of(name)), VIEW(""));
}

// *ret_env NULL: it leads nowhere.
static bool find_place(struct host *host, struct view text, struct host_env **ret_env, struct fail *fail)
{
    struct identity where;
    *ret_env = NULL;
    if (!auth_token_place(host->auth, text, &where)) {
        return true;
    }
    return host_env_find(host, where.org_number, strcmp(where.environment, "sandbox") == 0, ret_env, fail) || fail->code == FAIL_NOT_FOUND;
}

// ---- token and revoke ---------------------------------------------------------------------------

struct token_call {
    struct host *host;
    struct identity where;
    struct auth_token_request request;
    struct auth_terms terms;
    struct auth_tokens tokens;
};

static bool request_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct token_call *call = arg;
    return auth_tokens_request_tx(tx, call->host->auth, &call->where, &call->request, &call->terms, &call->tokens, fail);
}

// client_credentials name the organisation: soid=ZohoCRM.ZGID.
static bool is_soid_of(struct host_env *env, struct view soid, struct heap *heap, bool *ret_is, struct fail *fail)
{
    struct crm_session session;
    struct value org;
    if (!crm_session_open(env->crm, heap, &session, fail)) {
        return false;
    }
    bool good = crm_org_get(&session, &org, fail);
    struct view zgid = good ? param(value_as_map(org), "zgid") : VIEW("");
    *ret_is = zgid.len && view_starts_nocase(soid, VIEW("ZohoCRM.")) && view_eq(view_from(soid, sizeof "ZohoCRM." - 1), zgid);
    crm_session_close(&session);
    return good;
}

bool host_oauth_token(struct host *host, const struct map *params, struct heap *heap, struct value *ret_map, struct fail *fail)
{
    struct host_env *env;
    bool of_org = true;
    struct token_call call = {.host = host,
                              .terms = oauth_terms(host),
                              .request = {.grant_type = param(params, "grant_type"),
                                          .client_id = param(params, "client_id"),
                                          .client_secret = param(params, "client_secret"),
                                          .code = param(params, "code"),
                                          .redirect_uri = param(params, "redirect_uri"),
                                          .refresh_token = param(params, "refresh_token"),
                                          .scope = param(params, "scope")}};
    if (!find_place(host, call.request.client_id, &env, fail)) {
        return false;
    }
    if (!env) {
        return refuse(heap, "invalid_client", ret_map, fail);
    }
    if (view_eq(call.request.grant_type, VIEW("client_credentials")) && !is_soid_of(env, param(params, "soid"), heap, &of_org, fail)) {
        return false;
    }
    call.where = host_env_identity(env, IDENTITY_NONE, VIEW(""));
    if (of_org && !store_write(env->env, request_tx, &call, fail)) {
        return false;
    }
    if (!of_org || call.tokens.error) {
        return refuse(heap, of_org ? call.tokens.error : "invalid_soid", ret_map, fail);
    }
    if (call.tokens.displaced) {
        auth_tokens_displaced(host->auth);
    }
    *ret_map = value_map(heap, 8);
    return (ret_map->type == VALUE_MAP && oauth_put_tokens(env, heap, ret_map->map, &call.tokens)) || fail_set(fail, FAIL_MEMORY, NULL);
}

struct revoke_call {
    const struct auth *auth;
    struct view token;
    bool found;
};

static bool revoke_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct revoke_call *call = arg;
    return auth_token_revoke_tx(tx, call->auth, call->token, &call->found, fail);
}

bool host_oauth_revoke(struct host *host, struct view token, bool *ret_found, struct fail *fail)
{
    struct host_env *env;
    struct revoke_call call = {.auth = host->auth, .token = token};
    if (!find_place(host, token, &env, fail) || (env && !store_write(env->env, revoke_tx, &call, fail))) {
        return false;
    }
    *ret_found = env && call.found;
    return true;
}

// ---- asking for a code --------------------------------------------------------------------------

struct page_call {
    struct host *host;
    struct identity where;
    struct auth_terms terms;
    struct view ticket;
    struct host_oauth_page *page;
    bool found;
};

static void place_page(struct page_call *call, const struct host_env *env)
{
    call->where = host_env_identity(env, IDENTITY_NONE, VIEW(""));
    snprintf(call->page->org, sizeof call->page->org, "%s", env->org);
    call->page->sandbox = env->sandbox;
}

static bool ask_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct page_call *call = arg;
    struct host_oauth_page *page = call->page;
    return auth_request_add_tx(tx, call->host->auth, &call->where, &call->terms, &page->request, page->ticket, &page->error, fail);
}

static bool copy_param(const struct map *params, const char *name, char *out, size_t size)
{
    struct view text = param(params, name);
    snprintf(out, size, "%.*s", VIEW_ARGS(text));
    return text.len < size && !memchr(text.data, 0, text.len);
}

// What is wrong about the request itself, before its client is known; NULL = nothing.
static const char *read_request(const struct map *params, struct auth_request *request)
{
    struct fail why;
    struct view access = param(params, "access_type");
    if (!copy_param(params, "client_id", request->client_id, sizeof request->client_id)) {
        return "invalid_client";
    }
    if (!copy_param(params, "redirect_uri", request->redirect_uri, sizeof request->redirect_uri)) {
        return "invalid_redirect_uri";
    }
    if (!view_eq(param(params, "response_type"), VIEW("code"))) {
        return "invalid_response_type";
    }
    if (!auth_scope_read(param(params, "scope"), false, request->scopes, &why)) {
        return "invalid_scope";
    }
    if (access.len && !view_eq(access, VIEW("online")) && !view_eq(access, VIEW("offline"))) {
        return "invalid_access_type";
    }
    request->offline = view_eq(access, VIEW("offline"));
    return copy_param(params, "state", request->state, sizeof request->state) ? NULL : "invalid_state";
}

bool host_oauth_ask(struct host *host, const struct map *params, struct host_oauth_page *ret_page, struct fail *fail)
{
    struct host_env *env;
    struct page_call call = {.host = host, .terms = oauth_terms(host), .page = ret_page};
    *ret_page = (struct host_oauth_page){.error = NULL};
    if (!find_place(host, param(params, "client_id"), &env, fail)) {
        return false;
    }
    ret_page->error = env ? read_request(params, &ret_page->request) : "invalid_client";
    if (ret_page->error) {
        return true;
    }
    place_page(&call, env);
    return store_write(env->env, ask_tx, &call, fail);
}

static bool poll_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct page_call *call = arg;
    struct host_oauth_page *page = call->page;
    return auth_request_poll_tx(tx, call->host->auth, &call->where, call->ticket, &call->terms, &page->request, page->code, &call->found,
                                fail);
}

bool host_oauth_poll(struct host *host, struct view ticket, struct host_oauth_page *ret_page, struct fail *fail)
{
    struct host_env *env;
    struct page_call call = {.host = host, .terms = oauth_terms(host), .ticket = ticket, .page = ret_page};
    *ret_page = (struct host_oauth_page){.error = NULL};
    if (!find_place(host, ticket, &env, fail)) {
        return false;
    }
    if (env) {
        place_page(&call, env);
        if (!store_write(env->env, poll_tx, &call, fail)) {
            return false;
        }
    }
    ret_page->error = call.found ? NULL : "invalid_ticket";
    snprintf(ret_page->ticket, sizeof ret_page->ticket, "%.*s", call.found ? (int)ticket.len : 0, ticket.data);
    return true;
}
