// SPDX-License-Identifier: Apache-2.0
//
// Warm environments: those whose connections are open. A process may serve thousands of environments, and an open one costs some 190 kB and
// a handful of descriptors, so beyond STORE_WARM_MAX the one that was not used for longest is closed, by the helper or writer thread that
// has just opened another. It stays known and migrated: its next closure or read opens it again.
//
// Order of use is kept as a clock: environments stand in a ring, using one sets its mark, the hand clears marks and takes the first
// without.
#include "store/inside.h"

static void push_warm(struct store *store, struct store_env *env)
{
    env->warm_next = NULL;
    *(store->warm_last ? &store->warm_last->warm_next : &store->warm_first) = env;
    store->warm_last = env;
    store->warm_count++;
}

static struct store_env *pop_warm(struct store *store)
{
    struct store_env *env = store->warm_first;
    store->warm_first = env->warm_next;
    store->warm_last = store->warm_first ? store->warm_last : NULL;
    store->warm_count--;
    return env;
}

// Takes the connections of an environment that nobody uses, and the right to serve it until they are closed. Holds store->lock.
static bool claim_idle(struct store_env *env, struct tx *ret_readers[STORE_POOL_MAX], int *ret_count)
{
    if (env->scheduled || env->queue.first) {
        return false;
    }
    bool idle;
    int count = connections_empty(&env->readers, ret_readers, &idle);
    if (idle) {
        env->scheduled = true; // closures that come meanwhile wait in the queue
        *ret_count = count;
    }
    return idle;
}

// The next environment to close, or NULL when few enough are open or all are in use.
static struct store_env *claim_next(struct store *store, struct tx *ret_readers[STORE_POOL_MAX], int *ret_count)
{
    struct store_env *claimed = NULL;
    pthread_mutex_lock(&store->lock);
    for (int looks = 2 * store->warm_count; looks > 0 && !claimed && store->warm_count > STORE_WARM_MAX; looks--) {
        struct store_env *env = pop_warm(store);
        bool used = atomic_exchange_explicit(&env->used, false, memory_order_relaxed);
        if (!used && claim_idle(env, ret_readers, ret_count)) {
            claimed = env;
        } else {
            push_warm(store, env);
        }
    }
    pthread_mutex_unlock(&store->lock);
    return claimed;
}

void warm_add(struct store_env *env)
{
    struct store *store = env->store;
    if (!env->path) {
        return; // in memory: closing would lose it
    }
    atomic_store_explicit(&env->used, true, memory_order_relaxed);
    pthread_mutex_lock(&store->lock);
    push_warm(store, env);
    pthread_mutex_unlock(&store->lock);
    struct tx *readers[STORE_POOL_MAX];
    int count = 0;
    struct store_env *idle;
    while ((idle = claim_next(store, readers, &count))) {
        for (int i = 0; i < count; i++) {
            readers[i]->engine->close(readers[i]);
        }
        idle->writer->engine->close(idle->writer);
        idle->writer = NULL;
        writer_release(idle);
    }
}

bool warm_open(struct store_env *env, struct fail *fail)
{
    const struct engine_place place = {.path = env->path};
    const struct store *store = env->store;
    struct tx *tx;
    if (!store->engine->open(&place, ENGINE_WRITER, &tx, fail)) {
        return false;
    }
    if (store->sync == STORE_SYNC_FULL && !store->engine->durable(tx, fail)) {
        store->engine->close(tx);
        return false;
    }
    env->writer = tx;
    warm_add(env);
    return true;
}
