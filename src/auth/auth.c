// SPDX-License-Identifier: Apache-2.0
// The room's own life: what auth keeps while the process runs, and its migrations.
#include "auth/inside.h"

#include <stdlib.h>

// A grant is what a user allowed a client: first a code, then perhaps a refresh token, and the access tokens that came of either. A request
// is one that waits for the operator's answer.
static const char OAUTH_TABLES[] =
    "CREATE TABLE auth_client (client_id TEXT PRIMARY KEY, secret_mac BLOB NOT NULL, name TEXT NOT NULL, redirect_uris TEXT NOT NULL,"
    " scopes TEXT NOT NULL, user_id INTEGER NOT NULL, created_ms INTEGER NOT NULL);"
    "CREATE TABLE auth_grant (id INTEGER PRIMARY KEY, client_id TEXT NOT NULL, user_id INTEGER NOT NULL, scopes TEXT NOT NULL,"
    " redirect_uri TEXT NOT NULL, offline INTEGER NOT NULL, code_mac BLOB UNIQUE, code_expires_ms INTEGER NOT NULL,"
    " code_used INTEGER NOT NULL, refresh_mac BLOB UNIQUE, created_ms INTEGER NOT NULL);"
    "CREATE INDEX auth_grant_client ON auth_grant (client_id);"
    "CREATE TABLE auth_access (mac BLOB PRIMARY KEY, grant_id INTEGER NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL);"
    "CREATE INDEX auth_access_grant ON auth_access (grant_id, created_ms);"
    "CREATE INDEX auth_access_expiry ON auth_access (expires_ms);"
    "CREATE TABLE auth_request (request TEXT PRIMARY KEY, ticket_mac BLOB NOT NULL UNIQUE, client_id TEXT NOT NULL,"
    " redirect_uri TEXT NOT NULL, scopes TEXT NOT NULL, state TEXT NOT NULL, offline INTEGER NOT NULL, answer INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL);";

const struct store_migration auth_migrations[] = {
    {.room = "auth",
     .version = 1,
     .sql =
         "CREATE TABLE auth_key (namespace TEXT PRIMARY KEY, mac BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL, created_ms INTEGER NOT NULL)"},
    {.room = "auth",
     .version = 2, // keys that end after a time of grace need no sealed text: nobody asks for them again
     .sql =
         "ALTER TABLE auth_key ADD COLUMN used_ms INTEGER NOT NULL DEFAULT 0;"
         "CREATE TABLE auth_key_old (mac BLOB PRIMARY KEY, namespace TEXT NOT NULL, created_ms INTEGER NOT NULL, used_ms INTEGER NOT"
         " NULL, expires_ms INTEGER NOT NULL);"
         "CREATE TABLE auth_key_rule (namespace TEXT PRIMARY KEY, revoked_ms INTEGER NOT NULL, rate TEXT NOT NULL, allow TEXT NOT NULL)"},
    {.room = "auth", .version = 3, .sql = OAUTH_TABLES},
    {.room = NULL},
};

void auth_set_key_rules(struct auth *auth, const struct auth_key_rules *rules)
{
    auth->rules = *rules;
}

bool auth_open(const struct seal *seal, const struct auth_router *router, struct auth **ret_auth, struct fail *fail)
{
    struct auth *auth = calloc(1, sizeof *auth);
    if (!auth || !(auth->attempts = attempts_new())) {
        free(auth);
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    auth->seal = seal;
    auth->router = *router;
    usage_init(&auth->usage);
    pthread_mutex_init(&auth->mutex, NULL);
    table_init(&auth->scopes, SCOPE_LISTS_MAX, false);
    table_init(&auth->scope_counts, SCOPE_LISTS_MAX, false);
    *ret_auth = auth;
    return true;
}

void auth_close(struct auth *auth)
{
    if (!auth) {
        return;
    }
    usage_free(&auth->usage);
    attempts_free(auth->attempts);
    for (size_t i = 0; i < BASE_COUNT(auth->caches); i++) {
        for (size_t k = 0; auth->caches[i] && k < KEY_CACHE_SLOTS; k++) {
            free(auth->caches[i]->slots[k]);
        }
        free(auth->caches[i]);
    }
    if (auth) {
        auth_scope_drop(auth);
        pthread_mutex_destroy(&auth->mutex);
    }
    free(auth);
}
