// SPDX-License-Identifier: Apache-2.0
// The room's own life: what auth keeps while the process runs, and its migrations.
#include "auth/inside.h"

#include <stdlib.h>

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
    {.room = NULL},
};

void auth_set_key_rules(struct auth *auth, const struct auth_key_rules *rules)
{
    auth->rules = *rules;
}

bool auth_open(const struct seal *seal, const struct auth_router *router, struct auth **ret_auth, struct fail *fail)
{
    struct auth *auth = calloc(1, sizeof *auth);
    if (!auth) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    auth->seal = seal;
    auth->router = *router;
    usage_init(&auth->usage);
    *ret_auth = auth;
    return true;
}

void auth_close(struct auth *auth)
{
    if (!auth) {
        return;
    }
    usage_free(&auth->usage);
    for (size_t i = 0; i < BASE_COUNT(auth->caches); i++) {
        for (size_t k = 0; auth->caches[i] && k < KEY_CACHE_SLOTS; k++) {
            free(auth->caches[i]->slots[k]);
        }
        free(auth->caches[i]);
    }
    free(auth);
}
