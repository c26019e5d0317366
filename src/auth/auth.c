// SPDX-License-Identifier: Apache-2.0
// The room's own life: what auth keeps while the process runs, and its migrations.
#include "auth/inside.h"

#include <stdlib.h>

const struct store_migration auth_migrations[] = {
    {.room = "auth",
     .version = 1,
     .sql =
         "CREATE TABLE auth_key (namespace TEXT PRIMARY KEY, mac BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL, created_ms INTEGER NOT NULL)"},
    {.room = NULL},
};

bool auth_open(const struct seal *seal, const struct auth_router *router, struct auth **ret_auth, struct fail *fail)
{
    struct auth *auth = calloc(1, sizeof *auth);
    if (!auth) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    auth->seal = seal;
    auth->router = *router;
    *ret_auth = auth;
    return true;
}

void auth_close(struct auth *auth)
{
    for (size_t i = 0; auth && i < BASE_COUNT(auth->caches); i++) {
        for (size_t k = 0; auth->caches[i] && k < KEY_CACHE_SLOTS; k++) {
            free(auth->caches[i]->slots[k]);
        }
        free(auth->caches[i]);
    }
    free(auth);
}
