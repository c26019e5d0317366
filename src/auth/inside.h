// SPDX-License-Identifier: Apache-2.0
// auth's insides: what zapikey.c and token.c share.
#pragma once

#include "auth/auth.h"
#include "loop/loop.h"

enum { KEY_CACHE_SLOTS = 1024 }; // a loop; a power of two

// One key that was found good. It holds while the environment's metadata version is the same: a rotated or revoked key bumps it.
struct key_entry {
    uint8_t mac[SEAL_HMAC_BYTES];
    struct store_env *env;
    int64_t env_version;
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
