// SPDX-License-Identifier: Apache-2.0
// When keys were last used, and how many calls a minute has seen. Both are counted in memory by atomics that the cached key points at, so
// that a call writes no row and takes no lock; the mutex here is taken when a key is looked up in the data base. Last uses go to disk
// together, some seconds later; a killed process loses those seconds.
#include "auth/inside.h"

#include <stdlib.h>

enum { RATE_WINDOW_MS = 60000, COUNT_BITS = 20 };
_Static_assert(AUTH_RATE_MAX < 1 << COUNT_BITS, "a minute's calls fit beside its beginning");

// The minute begins with the first call after the last one ended: its start in ms, shifted, and the calls so far; 0 = none yet.
struct auth_meter {
    _Atomic int64_t window;
};

void usage_init(struct usage *usage)
{
    pthread_mutex_init(&usage->mutex, NULL);
    table_init(&usage->uses, USAGE_KEYS_MAX, false);
    table_init(&usage->meters, USAGE_KEYS_MAX, true);
}

void usage_free(struct usage *usage)
{
    struct view key;
    void *value;
    for (size_t cursor = 0; table_next(&usage->uses, &cursor, &key, &value);) {
        free(value);
    }
    for (size_t cursor = 0; table_next(&usage->meters, &cursor, &key, &value);) {
        free(value);
    }
    table_free(&usage->uses);
    table_free(&usage->meters);
    pthread_mutex_destroy(&usage->mutex);
}

// ---- last use -----------------------------------------------------------------------------------

static struct key_use *make_use(struct usage *usage, struct view mac, struct store_env *env)
{
    struct key_use *use = calloc(1, sizeof *use);
    if (!use || !table_put(&usage->uses, mac, use)) {
        free(use);
        return NULL;
    }
    memcpy(use->mac, mac.data, sizeof use->mac);
    use->env = env;
    atomic_store_explicit(&use->used_ms, INT64_MIN / 2, memory_order_relaxed);
    use->flushed_ms = INT64_MIN / 2;
    use->next = atomic_load(&usage->first);
    atomic_store(&usage->first, use); // whoever walks the list sees it whole
    return use;
}

struct key_use *usage_find(struct usage *usage, const uint8_t mac[SEAL_HMAC_BYTES], struct store_env *env)
{
    struct view key = {(const char *)mac, SEAL_HMAC_BYTES};
    pthread_mutex_lock(&usage->mutex);
    struct key_use *use = table_get(&usage->uses, key);
    use = use ? use : make_use(usage, key, env);
    pthread_mutex_unlock(&usage->mutex);
    return use;
}

void usage_wake(struct auth *auth)
{
    if (auth->router.used && !atomic_exchange(&auth->usage.waiting, true) && !auth->router.used(auth->router.user)) {
        atomic_store(&auth->usage.waiting, false);
    }
}

struct flush {
    struct auth *auth;
    struct store_env *env;
};

static bool write_uses(struct tx *tx, void *arg, struct fail *fail)
{
    const struct flush *flush = arg;
    int64_t offset_ms = clock_wall_ms() - clock_monotonic_ns() / 1000000;
    for (struct key_use *use = atomic_load(&flush->auth->usage.first); use; use = use->next) {
        int64_t used_ms = atomic_load_explicit(&use->used_ms, memory_order_relaxed);
        if (use->env != flush->env || used_ms <= use->flushed_ms) {
            continue;
        }
        struct store_param params[] = {store_int(used_ms + offset_ms), store_blob((struct view){(char *)use->mac, sizeof use->mac}),
                                       store_int(used_ms + offset_ms)};
        if (!tx_exec(tx, "UPDATE auth_key SET used_ms = ? WHERE mac = ? AND used_ms < ?", params, 3, fail) ||
            !tx_exec(tx, "UPDATE auth_key_old SET used_ms = ? WHERE mac = ? AND used_ms < ?", params, 3, fail)) {
            return false;
        }
        use->flushing_ms = used_ms;
    }
    return true;
}

static void mark_flushed(struct auth *auth, const struct store_env *env)
{
    for (struct key_use *use = atomic_load(&auth->usage.first); use; use = use->next) {
        if (use->env == env && use->flushing_ms > use->flushed_ms) {
            use->flushed_ms = use->flushing_ms;
        }
    }
}

bool auth_keys_flush(struct auth *auth, struct fail *fail)
{
    atomic_store(&auth->usage.waiting, false); // uses from here on ask for the next one
    struct key_use *first = atomic_load(&auth->usage.first);
    for (struct key_use *use = first; use; use = use->next) {
        if (atomic_load_explicit(&use->used_ms, memory_order_relaxed) <= use->flushed_ms) {
            continue;
        }
        struct flush flush = {auth, use->env};
        if (!store_write(use->env, write_uses, &flush, fail)) {
            return false;
        }
        mark_flushed(auth, use->env); // the environment's others with it
    }
    return true;
}

// ---- rates --------------------------------------------------------------------------------------

bool usage_meter(struct usage *usage, const struct identity *who, struct auth_meter **ret_meter, struct fail *fail)
{
    char name[2 * AUTH_NAME_MAX + 64];
    int len = snprintf(name, sizeof name, "%lld/%s/%s", (long long)who->org_number, who->environment, who->namespace);
    struct view key = {name, (size_t)len};
    pthread_mutex_lock(&usage->mutex);
    struct auth_meter *meter = table_get(&usage->meters, key);
    if (!meter) {
        meter = calloc(1, sizeof *meter);
        if (meter && !table_put(&usage->meters, key, meter)) {
            free(meter);
            meter = NULL;
        }
    }
    pthread_mutex_unlock(&usage->mutex);
    *ret_meter = meter;
    return meter || fail_set(fail, FAIL_FULL, "more than %d keys with a rate are in use", USAGE_KEYS_MAX);
}

bool auth_meter_take(struct auth_meter *meter, int rate, int64_t now_ms, int *ret_left, int *ret_wait_s)
{
    int64_t window = atomic_load_explicit(&meter->window, memory_order_relaxed), next;
    do {
        int64_t start_ms = window >> COUNT_BITS, count = window & ((1 << COUNT_BITS) - 1);
        if (window == 0 || now_ms - start_ms >= RATE_WINDOW_MS) { // another loop's clock may be a little behind the start
            start_ms = now_ms;
            count = 0;
        }
        if (count >= rate) {
            *ret_left = 0;
            *ret_wait_s = (int)((start_ms + RATE_WINDOW_MS - now_ms + 999) / 1000);
            return false;
        }
        next = start_ms << COUNT_BITS | (count + 1);
        *ret_left = rate - (int)count - 1;
    } while (!atomic_compare_exchange_weak_explicit(&meter->window, &window, next, memory_order_relaxed, memory_order_relaxed));
    return true;
}
