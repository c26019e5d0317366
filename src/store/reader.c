// SPDX-License-Identifier: Apache-2.0
//
// Reading: a bounded pool of reader connections for each environment. A fiber takes one, runs its closure on it and gives it back; when all
// are out it waits its turn, first come first served, whichever loop it is on. Connections are opened when they are first needed, as a job,
// since opening one reads the schema. The connection used last is used next: its page cache is warm, and the pool stays as small as the
// load lets it.
//
// An environment in memory has only its writer's connection: there a read is a closure in the writer's queue.
#include "store/inside.h"

void reader_pool_init(struct store_env *env)
{
    pthread_mutex_init(&env->read_lock, NULL);
    int wanted = 2 * loop_count() + 2; // one a loop, and room for long reads that have given way
    env->readers_max = wanted < STORE_READERS_MAX ? wanted : STORE_READERS_MAX;
}

void reader_pool_free(struct store_env *env)
{
    assert(env->readers_free == env->readers_open);
    for (int i = 0; i < env->readers_free; i++) {
        env->readers[i]->engine->close(env->readers[i]);
    }
    pthread_mutex_destroy(&env->read_lock);
}

// ---- taking -------------------------------------------------------------------------------------

// A connection to the fiber that waits longest, or back to the pool. NULL tells the fiber that one may be opened.
static void pass_on(struct store_env *env, struct tx *tx)
{
    pthread_mutex_lock(&env->read_lock);
    struct read_waiter *waiter = (struct read_waiter *)ticket_pop(&env->read_waiters);
    if (waiter) {
        waiter->tx = tx;
    } else if (tx) {
        env->readers[env->readers_free++] = tx;
    }
    pthread_mutex_unlock(&env->read_lock);
    if (waiter) {
        loop_event_set_from(&waiter->ticket.event);
    }
}

// Opening a connection reads the schema from disk.
struct open_call {
    struct store_env *env;
    struct tx *tx;
    struct fail *fail;
};

static void open_reader(void *arg)
{
    struct open_call *call = arg;
    const struct store *store = call->env->store;
    const struct engine_place place = {.path = call->env->path};
    store->engine->open(&place, ENGINE_READER, &call->tx, call->fail);
}

// The fiber has counted the connection in readers_open before it opens it, so the bound holds while it does.
static bool open_one(struct store_env *env, struct tx **ret_tx, struct fail *fail)
{
    struct open_call call = {.env = env, .fail = fail};
    if (loop_job(open_reader, &call, fail) && call.tx) {
        *ret_tx = call.tx;
        return true;
    }
    if (!call.tx) {
        pthread_mutex_lock(&env->read_lock);
        env->readers_open--;
        pthread_mutex_unlock(&env->read_lock);
    }
    pass_on(env, call.tx); // there is one if the fiber was cancelled while it was opened
    return false;
}

// Under the lock exactly one of three things is decided: take a free one, open one more, or stand in line.
static bool take_reader(struct store_env *env, struct tx **ret_tx, struct fail *fail)
{
    for (;;) {
        struct read_waiter waiter = {.tx = NULL};
        struct tx *tx = NULL;
        bool open = false, wait = false;
        pthread_mutex_lock(&env->read_lock);
        if (BASE_LIKELY(env->readers_free > 0)) {
            tx = env->readers[--env->readers_free];
        } else if (env->readers_open < env->readers_max) {
            env->readers_open++;
            open = true;
        } else {
            wait = true;
            ticket_init(&waiter.ticket);
            ticket_push(&env->read_waiters, &waiter.ticket);
        }
        pthread_mutex_unlock(&env->read_lock);
        if (open) {
            return open_one(env, ret_tx, fail);
        }
        if (wait && !ticket_wait(&waiter.ticket, &env->read_waiters, &env->read_lock, fail)) {
            return false;
        }
        tx = wait ? waiter.tx : tx;
        if (tx) { // else one may be opened: look again
            *ret_tx = tx;
            return true;
        }
    }
}

// ---- reading ------------------------------------------------------------------------------------

bool store_read(struct store_env *env, store_fn *fn, void *arg, struct fail *fail)
{
    if (!env->path) {
        return writer_run(env, fn, arg, true, fail);
    }
    warm_touch(env);
    struct tx *tx = NULL;
    if (!take_reader(env, &tx, fail)) {
        return false;
    }
    bool ok = fn(tx, arg, fail);
    if (!ok && fail->code == FAIL_NONE) {
        fail_set(fail, FAIL_INTERNAL, "a closure failed without a reason");
    }
    // Ends the snapshot. COMMIT also after a failure: there is nothing to roll back, and its statement is prepared already.
    struct fail ignored = {0};
    if (tx->begun && !tx_commit(tx, &ignored)) {
        tx_rollback(tx);
    }
    pass_on(env, tx);
    return ok;
}
