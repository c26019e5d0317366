// SPDX-License-Identifier: Apache-2.0
// auth's insides: what its files share.
#pragma once

#include "auth/auth.h"
#include "loop/loop.h"

enum { KEY_CACHE_SLOTS = 1024 }; // a loop; a power of two

// One key or token that was found good. It holds while the environment's metadata version is the same: a rotated or revoked key bumps it.
struct key_entry {
    uint8_t mac[SEAL_HMAC_BYTES];
    struct store_env *env;
    int64_t env_version;
    int64_t expires_ms; // 0 = never
    struct identity identity;
};

struct key_cache {
    struct key_entry *slots[KEY_CACHE_SLOTS];
};

struct auth {
    const struct seal *seal;
    struct auth_router router;
    struct key_cache *caches[LOOP_WORKERS_MAX]; // one a loop: no lock on the path of a call
};

// ---- cache: what was found good, one a loop -----------------------------------------------------

const struct key_entry *auth_cache_find(const struct auth *auth, const uint8_t mac[SEAL_HMAC_BYTES]); // NULL: look it up
void auth_cache_keep(struct auth *auth, const struct key_entry *entry);

// ---- route: the first half of whatever names an org environment ---------------------------------

enum { AUTH_ROUTE_BYTES = 16 };
// From `where`'s org number and environment; different each time.
void auth_route_write(const struct auth *auth, const struct identity *where, uint8_t ret_route[AUTH_ROUTE_BYTES]);
// `half`: 32 hex digits. False for what auth_route_write did not make.
bool auth_route_read(const struct auth *auth, struct view half, int64_t *ret_org_number, bool *ret_sandbox);
