// SPDX-License-Identifier: Apache-2.0
// OAuth tokens (spec/crm-api.md §6): "1000." + 32 hex + "." + 32 hex. The first half is the route (route.c), the second 16 random bytes.
// Access tokens, refresh tokens, grant codes and tickets look alike; each lies in a column of its own, so that one never passes for
// another.
//
// A check asks the cache, which holds HMACs only. Issuing does not bump the metadata, so nothing else is thrown away for it; revoking does,
// and every cache forgets. An access token that had to go because its client made too many is forgotten by this process at once, by others
// when its hour is over.
#include "auth/inside.h"

enum { TOKEN_PREFIX = 5, TOKEN_HALF = 32, TOKEN_SECRET_BYTES = 16 };
static const char TOKEN_START[] = "1000.";

// ---- making -------------------------------------------------------------------------------------

void auth_token_write(const struct auth *auth, const struct identity *where, char ret_token[AUTH_TOKEN_LEN + 1],
                      uint8_t ret_mac[SEAL_HMAC_BYTES])
{
    uint8_t route[AUTH_ROUTE_BYTES], secret[TOKEN_SECRET_BYTES];
    auth_route_write(auth, where, route);
    random_bytes(secret, sizeof secret);
    memcpy(ret_token, TOKEN_START, TOKEN_PREFIX);
    hex_print(ret_token + TOKEN_PREFIX, route, sizeof route);
    ret_token[TOKEN_PREFIX + TOKEN_HALF] = '.';
    hex_print(ret_token + TOKEN_PREFIX + TOKEN_HALF + 1, secret, sizeof secret);
    ret_token[AUTH_TOKEN_LEN] = 0;
    seal_hmac(auth->seal, view_of(ret_token), ret_mac);
}

struct store_param auth_mac(const uint8_t mac[SEAL_HMAC_BYTES])
{
    return store_blob((struct view){(const char *)mac, SEAL_HMAC_BYTES});
}

// ---- reading ------------------------------------------------------------------------------------

bool auth_token_shape(struct view token)
{
    uint8_t secret[TOKEN_SECRET_BYTES];
    return token.len == AUTH_TOKEN_LEN && view_starts(token, VIEW(TOKEN_START)) && token.data[TOKEN_PREFIX + TOKEN_HALF] == '.' &&
           hex_read(view_from(token, TOKEN_PREFIX + TOKEN_HALF + 1), secret, sizeof secret);
}

bool auth_token_place(const struct auth *auth, struct view text, struct identity *ret_where)
{
    struct identity where = {.kind = IDENTITY_NONE};
    bool sandbox;
    if ((text.len != AUTH_CLIENT_ID_LEN && !auth_token_shape(text)) || !view_starts(text, VIEW(TOKEN_START)) ||
        !auth_route_read(auth, view_slice(text, TOKEN_PREFIX, TOKEN_HALF), &where.org_number, &sandbox)) {
        return false;
    }
    snprintf(where.environment, sizeof where.environment, "%s", sandbox ? "sandbox" : "production");
    *ret_where = where;
    return true;
}

// What stands behind the word; empty when there is no such word.
static struct view header_token(struct view header)
{
    static const struct view words[] = {VIEW("Zoho-oauthtoken"), VIEW("Bearer")};
    header = view_trim(header);
    for (size_t i = 0; i < BASE_COUNT(words); i++) {
        struct view rest = view_from(header, words[i].len);
        if (view_starts_nocase(header, words[i]) && rest.len > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t')) {
            return view_trim(rest);
        }
    }
    return VIEW_NONE;
}

// ---- checking -----------------------------------------------------------------------------------

struct token_search {
    struct auth *auth;
    struct key_entry *entry;
    bool found;
};

static bool find_token(struct tx *tx, void *arg, struct fail *fail)
{
    struct token_search *search = arg;
    struct identity *identity = &search->entry->identity;
    struct store_param mac = auth_mac(search->entry->mac);
    struct rows *rows;
    search->found = false;
    if (!tx_query(tx, "SELECT a.expires_ms, g.user_id, g.scopes FROM auth_access a JOIN auth_grant g ON g.id = a.grant_id WHERE a.mac = ?",
                  &mac, 1, &rows, fail)) {
        return false;
    }
    bool good = true;
    if (rows_next(rows, fail)) {
        search->entry->expires_ms = rows_int(rows, 0);
        identity->user_id = rows_int(rows, 1);
        identity->scopes = auth_scope_keep(search->auth, identity->org_number, rows_text(rows, 2), fail);
        search->found = true;
        good = identity->scopes != NULL;
    } else {
        good = fail->code == FAIL_NONE;
    }
    rows_close(rows);
    return good;
}

static bool user_is_active(struct auth *auth, const struct identity *identity, bool *ret_active, struct fail *fail)
{
    *ret_active = true;
    return identity->user_id == 0 || !auth->router.user_active || auth->router.user_active(auth->router.user, identity, ret_active, fail);
}

// The long way: route, environment, data base.
static bool look_up(struct auth *auth, struct view token, struct key_entry *entry, struct fail *fail)
{
    struct identity *identity = &entry->identity;
    struct token_search search = {.auth = auth, .entry = entry};
    bool active;
    if (!auth_token_shape(token) || !auth_token_place(auth, token, identity)) {
        return fail_set(fail, FAIL_INVALID_TOKEN, NULL);
    }
    entry->env = auth->router.env(auth->router.user, identity->org_number, identity->environment, identity->org, fail);
    if (!entry->env) {
        return fail->code == FAIL_NOT_FOUND ? fail_set(fail, FAIL_INVALID_TOKEN, NULL) : false;
    }
    // Both before the read: a change in between makes the entry stale, not wrong.
    entry->env_version = store_env_version(entry->env);
    entry->displaced = atomic_load_explicit(&auth->displaced, memory_order_acquire);
    if (!store_read(entry->env, find_token, &search, fail) || !user_is_active(auth, identity, &active, fail)) {
        return false;
    }
    if (!search.found || !active || entry->expires_ms <= clock_wall_ms()) {
        return fail_set(fail, FAIL_INVALID_TOKEN, NULL);
    }
    identity->kind = IDENTITY_OAUTH;
    return true;
}

bool auth_token_check(struct auth *auth, struct view header, struct identity *ret_identity, struct fail *fail)
{
    struct view token = header_token(header);
    struct key_entry fresh = {.identity = {.kind = IDENTITY_NONE}};
    if (token.len == 0) {
        return fail_set(fail, FAIL_AUTHENTICATION, NULL);
    }
    if (token.len != AUTH_TOKEN_LEN) {
        return fail_set(fail, FAIL_INVALID_TOKEN, NULL);
    }
    seal_hmac(auth->seal, token, fresh.mac);
    const struct key_entry *entry = auth_cache_find(auth, fresh.mac);
    if (!entry) {
        if (!look_up(auth, token, &fresh, fail)) {
            return false;
        }
        auth_cache_keep(auth, &fresh);
        entry = &fresh;
    }
    *ret_identity = entry->identity;
    return true;
}

void auth_tokens_displaced(struct auth *auth)
{
    atomic_fetch_add_explicit(&auth->displaced, 1, memory_order_release);
}
