// SPDX-License-Identifier: Apache-2.0
// Keys and tokens that were found good, by their HMAC: a table a loop, so that the path of a call takes no lock. An entry holds until its
// environment's metadata moves on (revoking bumps it) or its time is over; entries that fall together replace each other.
#include "auth/inside.h"

#include <stdlib.h>

static size_t slot_of(const uint8_t mac[SEAL_HMAC_BYTES])
{
    uint32_t slot;
    memcpy(&slot, mac, sizeof slot);
    return slot & (KEY_CACHE_SLOTS - 1);
}

static const struct key_entry *find_valid(const struct auth *auth, const uint8_t mac[SEAL_HMAC_BYTES])
{
    struct loop *loop = loop_current();
    const struct key_cache *cache = loop ? auth->caches[loop_index(loop)] : NULL;
    const struct key_entry *entry = cache ? cache->slots[slot_of(mac)] : NULL;
    bool holds =
        entry && memcmp(entry->mac, mac, sizeof entry->mac) == 0 && entry->env_version == store_env_version(entry->env) &&
        (entry->expires_ms == 0 || entry->expires_ms > clock_wall_ms()) &&
        (entry->identity.kind != IDENTITY_OAUTH || entry->displaced == atomic_load_explicit(&auth->displaced, memory_order_acquire));
    return holds ? entry : NULL;
}

// On a store that other processes use too, what they have revoked is asked for first; without an answer the caller goes the long way, and
// fails there.
const struct key_entry *auth_cache_find(const struct auth *auth, const uint8_t mac[SEAL_HMAC_BYTES])
{
    const struct key_entry *entry = find_valid(auth, mac);
    struct fail ignored = {0};
    if (!entry || !store_env_shared(entry->env)) {
        return entry;
    }
    return store_env_refresh(entry->env, &ignored) ? find_valid(auth, mac) : NULL;
}

void auth_cache_keep(struct auth *auth, const struct key_entry *entry)
{
    struct loop *loop = loop_current();
    if (!loop) {
        return;
    }
    struct key_cache **cache = &auth->caches[loop_index(loop)];
    if (!*cache) {
        *cache = calloc(1, sizeof **cache);
    }
    struct key_entry **slot = *cache ? &(*cache)->slots[slot_of(entry->mac)] : NULL;
    if (slot && !*slot) {
        *slot = malloc(sizeof **slot);
    }
    if (slot && *slot) {
        **slot = *entry;
    }
}
