// SPDX-License-Identifier: Apache-2.0
// Grants: what a user allowed a client, from the code to the last access token (spec/crm-api.md §6). One row a grant holds code and refresh
// token, so that a code which is shown twice takes everything that came of it along. Every issuing sweeps what is over, and pushes out the
// oldest where there are more than the limits allow: the tables stay small without anybody's care.
#include "auth/inside.h"

struct grant {
    int64_t id, user_id, code_expires_ms;
    char client_id[AUTH_CLIENT_ID_LEN + 1], scopes[AUTH_SCOPES_MAX], redirect_uri[AUTH_URI_MAX];
    bool offline, code_used;
};

// ---- rows ---------------------------------------------------------------------------------------

// A grant without a refresh token is over when its code is, and no access token of it lives any more.
static bool sweep(struct tx *tx, int64_t now_ms, struct fail *fail)
{
    struct store_param now = store_int(now_ms);
    return tx_exec(tx, "DELETE FROM auth_access WHERE expires_ms <= ?", &now, 1, fail) &&
           tx_exec(tx,
                   "DELETE FROM auth_grant WHERE refresh_mac IS NULL AND code_expires_ms <= ? "
                   "AND NOT EXISTS (SELECT 1 FROM auth_access WHERE auth_access.grant_id = auth_grant.id)",
                   &now, 1, fail);
}

static bool drop_grant(struct tx *tx, int64_t id, struct fail *fail)
{
    struct store_param param = store_int(id);
    return tx_exec(tx, "DELETE FROM auth_access WHERE grant_id = ?", &param, 1, fail) &&
           tx_exec(tx, "DELETE FROM auth_grant WHERE id = ?", &param, 1, fail) && store_bump(tx, fail);
}

// code_mac and refresh_mac: NULL where there is none.
static bool add_grant(struct tx *tx, struct grant *grant, const uint8_t *code_mac, const uint8_t *refresh_mac, struct fail *fail)
{
    grant->id = store_id(tx, fail);
    if (!grant->id) {
        return false;
    }
    struct store_param row[] = {store_int(grant->id),
                                store_text(view_of(grant->client_id)),
                                store_int(grant->user_id),
                                store_text(view_of(grant->scopes)),
                                store_text(view_of(grant->redirect_uri)),
                                store_int(grant->offline),
                                code_mac ? auth_mac(code_mac) : store_null(),
                                store_int(grant->code_expires_ms),
                                store_int(grant->code_used),
                                refresh_mac ? auth_mac(refresh_mac) : store_null(),
                                store_int(clock_wall_ms())};
    return tx_exec(tx,
                   "INSERT INTO auth_grant (id, client_id, user_id, scopes, redirect_uri, offline, code_mac, code_expires_ms, code_used, "
                   "refresh_mac, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   row, (int)BASE_COUNT(row), fail);
}

// `where` is the condition with its one parameter.
static bool find_grant(struct tx *tx, const char *where, struct store_param param, struct grant *ret_grant, bool *ret_found,
                       struct fail *fail)
{
    char sql[256];
    struct rows *rows;
    snprintf(sql, sizeof sql,
             "SELECT id, user_id, code_expires_ms, client_id, scopes, redirect_uri, offline, code_used FROM auth_grant WHERE %s", where);
    fail_clear(fail);
    if (!tx_query(tx, sql, &param, 1, &rows, fail)) {
        return false;
    }
    *ret_found = rows_next(rows, fail);
    if (*ret_found) {
        *ret_grant = (struct grant){.id = rows_int(rows, 0),
                                    .user_id = rows_int(rows, 1),
                                    .code_expires_ms = rows_int(rows, 2),
                                    .offline = rows_int(rows, 6) != 0,
                                    .code_used = rows_int(rows, 7) != 0};
        struct view text = rows_text(rows, 3);
        snprintf(ret_grant->client_id, sizeof ret_grant->client_id, "%.*s", VIEW_ARGS(text));
        text = rows_text(rows, 4);
        snprintf(ret_grant->scopes, sizeof ret_grant->scopes, "%.*s", VIEW_ARGS(text));
        text = rows_text(rows, 5);
        snprintf(ret_grant->redirect_uri, sizeof ret_grant->redirect_uri, "%.*s", VIEW_ARGS(text));
    }
    rows_close(rows);
    return *ret_found || fail->code == FAIL_NONE;
}

// ---- limits -------------------------------------------------------------------------------------

#define WITH_REFRESH "refresh_mac IS NOT NULL"
#define WITHOUT_CODE "refresh_mac IS NULL AND code_mac IS NULL" // client_credentials

// Makes room for one more grant of this kind: the oldest are gone, with their access tokens.
static bool push_out_grants(struct tx *tx, const struct grant *grant, const char *kind, int64_t most, struct fail *fail)
{
    char sql[256];
    int64_t count;
    bool found, good = true;
    struct store_param owner[] = {store_text(view_of(grant->client_id)), store_int(grant->user_id)};
    snprintf(sql, sizeof sql, "SELECT count(*) FROM auth_grant WHERE client_id = ? AND user_id = ? AND %s", kind);
    if (!tx_query_int(tx, sql, owner, 2, &count, &found, fail)) {
        return false;
    }
    snprintf(sql, sizeof sql, "SELECT id FROM auth_grant WHERE client_id = ? AND user_id = ? AND %s ORDER BY created_ms, id LIMIT 1", kind);
    for (; good && count >= most; count--) {
        int64_t oldest;
        good = tx_query_int(tx, sql, owner, 2, &oldest, &found, fail) && (!found || drop_grant(tx, oldest, fail));
    }
    return good;
}

static bool push_out_access(struct tx *tx, int64_t grant_id, int64_t most, bool *ret_displaced, struct fail *fail)
{
    int64_t count;
    bool found;
    struct store_param id = store_int(grant_id);
    *ret_displaced = false;
    if (!tx_query_int(tx, "SELECT count(*) FROM auth_access WHERE grant_id = ?", &id, 1, &count, &found, fail)) {
        return false;
    }
    if (count < most) {
        return true;
    }
    struct store_param oldest[] = {id, store_int(count - most + 1)};
    *ret_displaced = true;
    return tx_exec(tx,
                   "DELETE FROM auth_access WHERE mac IN "
                   "(SELECT mac FROM auth_access WHERE grant_id = ? ORDER BY created_ms, mac LIMIT ?)",
                   oldest, 2, fail);
}

// ---- giving tokens ------------------------------------------------------------------------------

static bool give_access(struct tx *tx, const struct auth *auth, const struct identity *where, const struct grant *grant,
                        const struct auth_terms *terms, struct auth_tokens *tokens, struct fail *fail)
{
    uint8_t mac[SEAL_HMAC_BYTES];
    int64_t now = clock_wall_ms();
    if (!push_out_access(tx, grant->id, terms->access_tokens, &tokens->displaced, fail)) {
        return false;
    }
    auth_token_write(auth, where, tokens->access, mac);
    snprintf(tokens->scopes, sizeof tokens->scopes, "%s", grant->scopes);
    struct store_param row[] = {auth_mac(mac), store_int(grant->id), store_int(now), store_int(now + terms->token_s * 1000)};
    return tx_exec(tx, "INSERT INTO auth_access (mac, grant_id, created_ms, expires_ms) VALUES (?, ?, ?, ?)", row, 4, fail);
}

static struct grant grant_of(const struct auth_client *client, struct view scopes)
{
    struct grant grant = {.user_id = client->user_id};
    snprintf(grant.client_id, sizeof grant.client_id, "%s", client->client_id);
    snprintf(grant.scopes, sizeof grant.scopes, "%.*s", VIEW_ARGS(scopes));
    return grant;
}

bool auth_tokens_make_tx(struct tx *tx, const struct auth *auth, const struct identity *where, const struct auth_client *client,
                         const struct auth_terms *terms, struct auth_tokens *ret_tokens, struct fail *fail)
{
    struct grant grant = grant_of(client, view_of(client->scopes));
    uint8_t mac[SEAL_HMAC_BYTES];
    *ret_tokens = (struct auth_tokens){.error = NULL};
    grant.offline = true;
    grant.code_used = true;
    auth_token_write(auth, where, ret_tokens->refresh, mac);
    return push_out_grants(tx, &grant, WITH_REFRESH, terms->refresh_tokens, fail) && add_grant(tx, &grant, NULL, mac, fail) &&
           give_access(tx, auth, where, &grant, terms, ret_tokens, fail);
}

bool auth_code_make_tx(struct tx *tx, const struct auth *auth, const struct identity *where, const struct auth_code *code,
                       char ret_code[AUTH_TOKEN_LEN + 1], struct fail *fail)
{
    struct grant grant = grant_of(code->client, code->scopes);
    uint8_t mac[SEAL_HMAC_BYTES];
    int64_t now = clock_wall_ms();
    snprintf(grant.redirect_uri, sizeof grant.redirect_uri, "%.*s", VIEW_ARGS(code->redirect_uri));
    grant.offline = code->offline;
    grant.code_expires_ms = now + code->life_s * 1000;
    auth_token_write(auth, where, ret_code, mac);
    return sweep(tx, now, fail) && add_grant(tx, &grant, mac, NULL, fail);
}

// ---- the token endpoint -------------------------------------------------------------------------

struct asking {
    struct tx *tx;
    const struct auth *auth;
    const struct identity *where;
    const struct auth_token_request *request;
    const struct auth_terms *terms;
    struct auth_client client;
    struct auth_tokens *tokens;
};

static bool refuse(struct asking *asking, const char *error)
{
    asking->tokens->error = error;
    return true;
}

static struct store_param mac_of(const struct auth *auth, struct view token, uint8_t ret_mac[SEAL_HMAC_BYTES])
{
    seal_hmac(auth->seal, token, ret_mac);
    return auth_mac(ret_mac);
}

static bool give(struct asking *asking, const struct grant *grant, struct fail *fail)
{
    return give_access(asking->tx, asking->auth, asking->where, grant, asking->terms, asking->tokens, fail);
}

static bool use_code(struct asking *asking, struct grant *grant, struct fail *fail)
{
    struct tx *tx = asking->tx;
    struct store_param id = store_int(grant->id);
    if (!tx_exec(tx, "UPDATE auth_grant SET code_used = 1 WHERE id = ?", &id, 1, fail)) {
        return false;
    }
    if (grant->offline) {
        uint8_t mac[SEAL_HMAC_BYTES];
        auth_token_write(asking->auth, asking->where, asking->tokens->refresh, mac);
        struct store_param set[] = {auth_mac(mac), id};
        if (!push_out_grants(tx, grant, WITH_REFRESH, asking->terms->refresh_tokens, fail) ||
            !tx_exec(tx, "UPDATE auth_grant SET refresh_mac = ? WHERE id = ?", set, 2, fail)) {
            return false;
        }
    }
    return give(asking, grant, fail);
}

// A code that comes a second time was stolen, or is tried by somebody who got hold of it late: all that came of it goes.
static bool exchange_code(struct asking *asking, struct fail *fail)
{
    uint8_t mac[SEAL_HMAC_BYTES];
    struct grant grant;
    bool found;
    const struct auth_token_request *request = asking->request;
    if (!find_grant(asking->tx, "code_mac = ?", mac_of(asking->auth, request->code, mac), &grant, &found, fail)) {
        return false;
    }
    if (!found || strcmp(grant.client_id, asking->client.client_id) != 0) {
        return refuse(asking, "invalid_code");
    }
    if (grant.code_used) {
        return drop_grant(asking->tx, grant.id, fail) && refuse(asking, "invalid_code");
    }
    if (grant.code_expires_ms <= clock_wall_ms()) {
        return refuse(asking, "invalid_code");
    }
    if (grant.redirect_uri[0] && !view_eq(view_of(grant.redirect_uri), request->redirect_uri)) {
        return refuse(asking, "invalid_redirect_uri");
    }
    return use_code(asking, &grant, fail);
}

static bool refresh(struct asking *asking, struct fail *fail)
{
    uint8_t mac[SEAL_HMAC_BYTES];
    struct grant grant;
    bool found;
    if (!find_grant(asking->tx, "refresh_mac = ?", mac_of(asking->auth, asking->request->refresh_token, mac), &grant, &found, fail)) {
        return false;
    }
    if (!found || strcmp(grant.client_id, asking->client.client_id) != 0) {
        return refuse(asking, "invalid_code");
    }
    return give(asking, &grant, fail);
}

// For the client's own user, at most what the client was made for. One grant a list of scopes.
static bool give_credentials(struct asking *asking, struct fail *fail)
{
    char scopes[AUTH_SCOPES_MAX];
    struct fail why;
    struct grant grant;
    int64_t id;
    bool found;
    if (!auth_scope_read(asking->request->scope, true, scopes, &why) || !auth_scope_covers_all(asking->client.scopes, scopes)) {
        return refuse(asking, "invalid_scope");
    }
    grant = grant_of(&asking->client, view_of(scopes));
    grant.code_used = true;
    struct store_param same[] = {store_text(view_of(grant.client_id)), store_int(grant.user_id), store_text(view_of(grant.scopes))};
    if (!tx_query_int(asking->tx, "SELECT id FROM auth_grant WHERE client_id = ? AND user_id = ? AND scopes = ? AND " WITHOUT_CODE, same, 3,
                      &id, &found, fail)) {
        return false;
    }
    if (found) {
        grant.id = id;
    } else if (!push_out_grants(asking->tx, &grant, WITHOUT_CODE, asking->terms->refresh_tokens, fail) ||
               !add_grant(asking->tx, &grant, NULL, NULL, fail)) {
        return false;
    }
    return give(asking, &grant, fail);
}

static bool secret_is_right(struct asking *asking, bool *ret_right, struct fail *fail)
{
    uint8_t mac[SEAL_HMAC_BYTES];
    int64_t one;
    struct store_param params[] = {store_text(view_of(asking->client.client_id)),
                                   mac_of(asking->auth, asking->request->client_secret, mac)};
    return tx_query_int(asking->tx, "SELECT 1 FROM auth_client WHERE client_id = ? AND secret_mac = ?", params, 2, &one, ret_right, fail);
}

static bool give_by_type(struct asking *asking, struct fail *fail)
{
    static const struct {
        const char *type;
        bool (*give)(struct asking *asking, struct fail *fail);
    } types[] = {{"authorization_code", exchange_code}, {"refresh_token", refresh}, {"client_credentials", give_credentials}};
    for (size_t i = 0; i < BASE_COUNT(types); i++) {
        if (view_eq(asking->request->grant_type, view_of(types[i].type))) {
            return sweep(asking->tx, clock_wall_ms(), fail) && types[i].give(asking, fail);
        }
    }
    return refuse(asking, "unsupported_grant_type");
}

bool auth_tokens_request_tx(struct tx *tx, const struct auth *auth, const struct identity *where, const struct auth_token_request *request,
                            const struct auth_terms *terms, struct auth_tokens *ret_tokens, struct fail *fail)
{
    struct asking asking = {.tx = tx, .auth = auth, .where = where, .request = request, .terms = terms, .tokens = ret_tokens};
    bool found, right;
    *ret_tokens = (struct auth_tokens){.error = NULL};
    if (!auth_client_find_tx(tx, request->client_id, &asking.client, &found, fail)) {
        return false;
    }
    if (!found) {
        return refuse(&asking, "invalid_client");
    }
    if (!secret_is_right(&asking, &right, fail)) {
        return false;
    }
    return right ? give_by_type(&asking, fail) : refuse(&asking, "invalid_client_secret");
}

// ---- revoking -----------------------------------------------------------------------------------

bool auth_token_revoke_tx(struct tx *tx, const struct auth *auth, struct view token, bool *ret_found, struct fail *fail)
{
    uint8_t bytes[SEAL_HMAC_BYTES];
    struct store_param mac = mac_of(auth, token, bytes);
    struct grant grant;
    if (!find_grant(tx, "refresh_mac = ?", mac, &grant, ret_found, fail)) {
        return false;
    }
    if (*ret_found) {
        return drop_grant(tx, grant.id, fail);
    }
    if (!tx_exec(tx, "DELETE FROM auth_access WHERE mac = ?", &mac, 1, fail)) {
        return false;
    }
    *ret_found = tx_changes(tx) > 0;
    return !*ret_found || store_bump(tx, fail);
}
