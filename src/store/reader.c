// SPDX-License-Identifier: Apache-2.0
//
// Reading: a fiber takes a reader connection of its environment (connections.c), runs its closure on it in one snapshot and gives it back.
//
// Short reads must not wait for long ones. A read that has given way some times is long, and no longer counts among the connections that
// the pool may open: a search without an index by ten callers leaves the others as many connections as before.
//
// An environment in memory has only its writer's connection: there a read is a closure in the writer's queue.
#include "store/inside.h"

// Opening a connection reads the schema from disk.
static bool open_reader(void *owner, struct tx **ret_tx, struct fail *fail)
{
    const struct store_env *env = owner;
    const struct engine_place place = {.path = env->path};
    return env->store->engine->open(&place, ENGINE_READER, ret_tx, fail);
}

void reader_pool_init(struct store_env *env)
{
    int wanted = 2 * loop_count() + 2; // one a loop, and room for long reads that have given way
    connections_init(&env->readers, wanted < STORE_READERS_MAX ? wanted : STORE_READERS_MAX, open_reader, env);
}

enum { LONG_READ_SLICES = 8 }; // of some 150 µs each

void tx_gave_way(struct tx *tx)
{
    if (tx->pool && ++tx->gave_way == LONG_READ_SLICES) {
        connections_lend(tx->pool);
    }
}

bool store_read(struct store_env *env, store_fn *fn, void *arg, struct fail *fail)
{
    if (store_shared(env->store)) {
        return shared_read(env, fn, arg, fail);
    }
    if (!env->path) {
        return writer_run(env, fn, arg, true, fail);
    }
    warm_touch(env);
    struct tx *tx = NULL;
    if (!connections_take(&env->readers, &tx, fail)) {
        return false;
    }
    tx->pool = &env->readers;
    tx->gave_way = 0;
    bool ok = fn(tx, arg, fail);
    if (!ok && fail->code == FAIL_NONE) {
        fail_set(fail, FAIL_INTERNAL, "a closure failed without a reason");
    }
    // Ends the snapshot. COMMIT also after a failure: there is nothing to roll back, and its statement is prepared already.
    struct fail ignored = {0};
    if (tx->begun && !tx_commit(tx, &ignored)) {
        tx_rollback(tx);
    }
    tx->pool = NULL;
    if (tx->gave_way >= LONG_READ_SLICES) {
        connections_return(&env->readers, tx);
    } else {
        connections_give(&env->readers, tx);
    }
    return ok;
}
