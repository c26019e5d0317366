// SPDX-License-Identifier: Apache-2.0
// auth's insides: what its files share.
#pragma once

#include "auth/auth.h"
#include "loop/loop.h"

#include <pthread.h>
#include <stdatomic.h>

enum { KEY_CACHE_SLOTS = 1024 }; // a loop; a power of two

// One key or token that was found good. It holds while the environment's metadata version is the same: a rotated or revoked key bumps it.
struct key_entry {
    uint8_t mac[SEAL_HMAC_BYTES];
    struct store_env *env;
    int64_t env_version;
    int64_t expires_ms; // 0 = never
    unsigned displaced; // tokens: auth->displaced when it was looked up
    struct key_use *use; // of a zapikey; NULL: its last use is not kept
    struct identity identity;
    struct auth_key_rules rules; // of a zapikey
};

struct key_cache {
    struct key_entry *slots[KEY_CACHE_SLOTS];
};

// ---- use: when keys were used, and how often in this minute (usage.c) ---------------------------

enum { USAGE_KEYS_MAX = 65536, USAGE_RESOLUTION_MS = 1000 };
struct key_use { // one key, from its first use until the process ends
    uint8_t mac[SEAL_HMAC_BYTES];
    struct store_env *env;
    atomic_llong used_ms; // monotonic
    int64_t flushing_ms, flushed_ms; // the flusher's
    struct key_use *next;
};
struct usage {
    pthread_mutex_t mutex; // guards the tables; never held over a give-way
    struct table uses, meters; // by HMAC; by org, environment and namespace
    _Atomic(struct key_use *) first;
    atomic_bool waiting; // for a flush
};
void usage_init(struct usage *usage);
void usage_free(struct usage *usage);
struct key_use *usage_find(struct usage *usage, const uint8_t mac[SEAL_HMAC_BYTES], struct store_env *env); // NULL when there are too many
bool usage_meter(struct usage *usage, const struct identity *who, struct auth_meter **ret_meter, struct fail *fail);
void usage_wake(struct auth *auth) BASE_COLD;

struct auth {
    const struct seal *seal;
    struct auth_router router;
    struct key_cache *caches[LOOP_WORKERS_MAX]; // one a loop: no lock on the path of a call
    atomic_uint displaced; // grows when access tokens had to go before their time
    pthread_mutex_t mutex; // guards the two tables
    struct table scopes, scope_counts; // "ORG SCOPES" → the text that identities point at; "ORG" → how many
    struct auth_key_rules rules; // of keys without their own
    struct usage usage;
    struct attempts *attempts;
};
struct attempts *attempts_new(void); // NULL without memory
void attempts_free(struct attempts *attempts);

// ---- zapikeys and their life (zapikey.c, keyring.c) ---------------------------------------------

bool zapikey_insert(struct tx *tx, const struct auth *auth, const struct identity *where, struct fail *fail); // there must be none
bool keyring_rules(struct tx *tx, struct view namespace, struct auth_key_rules *rules, struct fail *fail); // over the ones in `rules`
// The namespace as it is written, asked in any case; *ret_found false when it never had a key here.
bool keyring_name(struct tx *tx, struct view namespace, char ret_name[AUTH_NAME_MAX], bool *ret_revoked, bool *ret_found, struct fail *fail);
bool keyring_missing(struct view namespace, bool revoked, struct fail *fail); // FAIL_NOT_FOUND, with what to do

// ---- cache: what was found good, one a loop -----------------------------------------------------

const struct key_entry *auth_cache_find(const struct auth *auth, const uint8_t mac[SEAL_HMAC_BYTES]); // NULL: look it up
void auth_cache_keep(struct auth *auth, const struct key_entry *entry);

// On the path of every call: once a second it is more than a look.
static inline void usage_note(struct auth *auth, struct key_use *use)
{
    int64_t now_ms = loop_now_ms();
    if (use && now_ms - atomic_load_explicit(&use->used_ms, memory_order_relaxed) >= USAGE_RESOLUTION_MS) {
        atomic_store_explicit(&use->used_ms, now_ms, memory_order_relaxed);
        usage_wake(auth);
    }
}

// ---- route: the first half of whatever names an org environment ---------------------------------

enum { AUTH_ROUTE_BYTES = 16 };
// From `where`'s org number and environment; different each time.
void auth_route_write(const struct auth *auth, const struct identity *where, uint8_t ret_route[AUTH_ROUTE_BYTES]);
// `half`: 32 hex digits. False for what auth_route_write did not make.
bool auth_route_read(const struct auth *auth, struct view half, int64_t *ret_org_number, bool *ret_sandbox);

// ---- OAuth ---------------------------------------------------------------------------------------

enum { SCOPE_LISTS_MAX = 20000, SCOPE_LISTS_ORG_MAX = 200 };
void auth_scope_drop(struct auth *auth); // auth_close

void auth_token_write(const struct auth *auth, const struct identity *where, char ret_token[AUTH_TOKEN_LEN + 1],
                      uint8_t ret_mac[SEAL_HMAC_BYTES]);
bool auth_token_shape(struct view token);
struct store_param auth_mac(const uint8_t mac[SEAL_HMAC_BYTES]); // as a parameter
