// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing on a server that other processes use too (PostgreSQL). There is no queue: a fiber takes a connection of the process's
// pool, runs its closure's statements in a transaction of its own and waits only for the server. Transactions that get into each other's
// way are run again from the start, which is why closures may run twice.
//
// What other processes do is seen in two ways. Every transaction reads the environment's version with its first statement and raises
// env->version to it. And caches that are asked before any transaction begins are refreshed by a look of their own (store_env_refresh),
// shared by all fibers that ask for it while the last one is under way.
//
// A process is known by a random number, its owner number, on which one connection holds a lock of the server as long as it lives: so
// others can tell a journal that is being written from one that a dead process has left.
#include "store/inside.h"

#include <stdlib.h>

enum {
    ATTEMPTS_MAX = 40, // of a closure that others are in the way of
    BACKOFF_MS_MAX = 64,
};

// ---- connections --------------------------------------------------------------------------------

// Holds owner_lock. A number that cannot be had (the old connection's death is not known to the server yet) is given up for another.
static bool take_owner(struct store *store, struct fail *fail)
{
    if (store->owner_tx && store->engine->usable(store->owner_tx)) {
        return true;
    }
    if (store->owner_tx) {
        store->engine->close(store->owner_tx);
        store->owner_tx = NULL;
    }
    const struct engine_place place = {.url = store->url};
    struct tx *tx;
    if (!store->engine->open(&place, ENGINE_WRITER, &tx, fail)) {
        return false;
    }
    int64_t owner = atomic_load(&store->owner);
    bool owned = false;
    while (!owned) {
        uint64_t random;
        random_bytes(&random, sizeof random);
        owner = owner ? owner : (int64_t)(random >> 1 | 1);
        if (!store->engine->own(tx, owner, &owned, fail)) {
            store->engine->close(tx);
            return false;
        }
        atomic_store(&store->owner, owned ? owner : 0);
        owner = 0;
    }
    store->owner_tx = tx;
    return true;
}

static bool connect_shared(void *arg, struct tx **ret_tx, struct fail *fail)
{
    struct store *store = arg;
    pthread_mutex_lock(&store->owner_lock);
    bool owned = take_owner(store, fail);
    pthread_mutex_unlock(&store->owner_lock);
    const struct engine_place place = {.url = store->url, .relaxed = store->sync == STORE_SYNC_NORMAL};
    bool ok = owned && store->engine->open(&place, ENGINE_WRITER, ret_tx, fail);
    if (atomic_exchange(&store->unreachable, !ok) == ok) { // each change once, not every call that meets it
        log_line(ok ? LOG_INFO : LOG_ERROR, "store.server", "%s", ok ? "reached again" : fail->text);
    }
    return ok;
}

void shared_init(struct store *store)
{
    pthread_mutex_init(&store->owner_lock, NULL);
    connections_init(&store->pool, STORE_SHARED_MAX, connect_shared, store);
}

void shared_free(struct store *store)
{
    connections_free(&store->pool);
    if (store->owner_tx) {
        store->engine->close(store->owner_tx);
    }
    pthread_mutex_destroy(&store->owner_lock);
    free(store->url);
}

// Idle connections that the server has closed are passed over.
static bool take(struct store_env *env, enum engine_role role, struct tx **ret_tx, struct fail *fail)
{
    struct store *store = env->store;
    if (loop_fiber() && loop_cancelled()) { // its first wait would cost the connection
        return fail_set(fail, FAIL_CANCELLED, NULL);
    }
    for (;;) {
        struct tx *tx = NULL;
        if (!connections_take(&store->pool, &tx, fail)) {
            return false;
        }
        if (store->engine->usable(tx)) {
            tx->role = role;
            tx->schema = env->schema;
            tx->version = &env->version;
            tx->owner = atomic_load(&store->owner);
            *ret_tx = tx;
            return true;
        }
        connections_drop(&store->pool, tx);
    }
}

static void give(struct store_env *env, struct tx *tx)
{
    struct connections *pool = &env->store->pool;
    if (env->store->engine->usable(tx)) {
        connections_give(pool, tx);
    } else {
        connections_drop(pool, tx);
    }
}

// ---- writing ------------------------------------------------------------------------------------

static bool run_transaction(struct tx *tx, store_fn *fn, void *arg, struct fail *fail)
{
    fail_clear(fail);
    bool ok = tx_begin(tx, fail) && fn(tx, arg, fail);
    if (!ok && fail->code == FAIL_NONE) {
        fail_set(fail, FAIL_INTERNAL, "a closure failed without a reason");
    }
    int64_t version = tx->state.version;
    if (ok && tx_commit(tx, fail)) {
        tx_raise_version(tx, version);
        return true;
    }
    tx_rollback(tx);
    return false;
}

#ifndef NDEBUG
struct rehearsal {
    store_fn *fn;
    void *arg;
};

static bool refuse_once(struct tx *tx, void *arg, struct fail *fail)
{
    const struct rehearsal *call = arg;
    return call->fn(tx, call->arg, fail) && fail_set(fail, FAIL_STORE, "once more");
}

// For tests ($SLUICE_STORE_TWICE): every closure must bear being run again.
static void rehearse(struct tx *tx, store_fn *fn, void *arg)
{
    struct rehearsal call = {fn, arg};
    struct fail ignored = {0};
    if (getenv("SLUICE_STORE_TWICE")) {
        run_transaction(tx, refuse_once, &call, &ignored);
    }
}
#else
static void rehearse(struct tx *tx, store_fn *fn, void *arg)
{
    (void)tx, (void)fn, (void)arg;
}
#endif

// Longer and longer, each another time: two that collide must not do so again.
static bool back_off(int attempts, struct fail *fail)
{
    int64_t most = attempts < 6 ? INT64_C(1) << attempts : BACKOFF_MS_MAX;
    int64_t ms = (int64_t)(random_fast() % (uint64_t)(most + 1));
    return !ms || !loop_fiber() || loop_sleep(ms, fail);
}

bool shared_write(struct store_env *env, store_fn *fn, void *arg, struct fail *fail)
{
    for (int attempts = 1;; attempts++) {
        struct tx *tx = NULL;
        if (!take(env, ENGINE_WRITER, &tx, fail)) {
            return false;
        }
        rehearse(tx, fn, arg);
        bool ok = run_transaction(tx, fn, arg, fail);
        bool again = !ok && env->store->engine->again(tx);
        give(env, tx);
        if (!again) {
            return ok;
        }
        if (attempts == ATTEMPTS_MAX) {
            return fail_set(fail, FAIL_FULL, "others kept changing the same data; try again later");
        }
        if (!back_off(attempts, fail)) {
            return false;
        }
    }
}

// ---- reading ------------------------------------------------------------------------------------

bool shared_read(struct store_env *env, store_fn *fn, void *arg, struct fail *fail)
{
    struct tx *tx = NULL;
    if (!take(env, ENGINE_READER, &tx, fail)) {
        return false;
    }
    bool ok = fn(tx, arg, fail);
    if (!ok && fail->code == FAIL_NONE) {
        fail_set(fail, FAIL_INTERNAL, "a closure failed without a reason");
    }
    struct fail ignored = {0};
    if (tx->begun && !tx_commit(tx, &ignored)) {
        tx_rollback(tx);
    }
    give(env, tx);
    return ok;
}

// ---- the version --------------------------------------------------------------------------------

struct refresh_waiter {
    struct ticket ticket; // first
    struct ticket_list followers; // who asked before the waiter's own look begins
    bool lead, ok;
};

static bool look(struct store_env *env, struct fail *fail)
{
    struct tx *tx = NULL;
    if (!take(env, ENGINE_READER, &tx, fail)) {
        return false;
    }
    bool ok = env->store->engine->refresh(tx, fail);
    give(env, tx);
    return ok;
}

// True: the caller looks itself. A look that began before somebody asked may have missed what they must see, so they wait for the next one,
// which the first of them does for all.
static bool join(struct refresh *refresh, struct refresh_waiter *me)
{
    pthread_mutex_lock(&refresh->lock);
    bool lead = !refresh->running;
    if (lead) {
        refresh->running = true;
    } else {
        ticket_init(&me->ticket);
        ticket_push(&refresh->waiters, &me->ticket);
    }
    pthread_mutex_unlock(&refresh->lock);
    return lead;
}

static void end_look(struct refresh *refresh, struct refresh_waiter *me, bool ok)
{
    pthread_mutex_lock(&refresh->lock);
    struct refresh_waiter *next = (struct refresh_waiter *)ticket_pop(&refresh->waiters);
    refresh->running = next != NULL;
    if (next) {
        next->lead = true;
        next->followers = refresh->waiters;
        refresh->waiters = (struct ticket_list){NULL, NULL};
        for (struct ticket *ticket = next->followers.first; ticket; ticket = ticket->next) {
            ticket->taken = true;
        }
    }
    pthread_mutex_unlock(&refresh->lock);
    for (struct ticket *ticket = me->followers.first, *after; ticket; ticket = after) {
        after = ticket->next;
        ((struct refresh_waiter *)ticket)->ok = ok;
        loop_event_set_from(&ticket->event);
    }
    if (next) {
        loop_event_set_from(&next->ticket.event);
    }
}

bool store_env_refresh(struct store_env *env, struct fail *fail)
{
    struct refresh_waiter me = {.lead = false};
    if (!store_shared(env->store)) {
        return true;
    }
    if (!loop_fiber()) {
        return look(env, fail);
    }
    bool lead = join(&env->refresh, &me);
    if (!lead && !ticket_wait(&me.ticket, &env->refresh.waiters, &env->refresh.lock, fail)) {
        return false;
    }
    if (!lead && !me.lead && me.ok) {
        return true;
    }
    bool ok = look(env, fail); // also when the leader's look failed: perhaps only the leader was cancelled
    if (lead || me.lead) {
        end_look(&env->refresh, &me, ok);
    }
    return ok;
}

// ---- opening ------------------------------------------------------------------------------------

bool shared_env_connect(struct store_env *env, bool make, const struct store_migration *migrations, void *arg, int64_t *ret_version,
                        struct fail *fail)
{
    struct tx *tx = NULL;
    if (!take(env, ENGINE_WRITER, &tx, fail)) {
        return false;
    }
    bool ok = tx->engine->claim(tx, make, fail);
    if (ok) {
        tx->bare = true;
        ok = migrate_run(tx, env->name, migrations, arg, ret_version, fail);
        tx->bare = false;
        tx->engine->unclaim(tx);
    }
    give(env, tx);
    return ok;
}

static bool undo_dead(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    return journal_undo_all(tx, fail);
}

bool store_env_recover(struct store_env *env, struct fail *fail)
{
    return !store_shared(env->store) || store_write(env, undo_dead, NULL, fail);
}

struct pledge {
    const uint8_t *mac;
    bool same;
};

static bool keep_pledge(struct tx *tx, void *arg, struct fail *fail)
{
    struct pledge *pledge = arg;
    const struct store_param mac[] = {store_blob((struct view){(const char *)pledge->mac, SEAL_HMAC_BYTES})};
    int64_t count = 0;
    bool found;
    pledge->same = false;
    if (!tx_exec(tx, "INSERT INTO store_pledge (id, mac) VALUES (1, ?) ON CONFLICT (id) DO NOTHING", mac, 1, fail) ||
        !tx_query_int(tx, "SELECT count(*) FROM store_pledge WHERE mac = ?", mac, 1, &count, &found, fail)) {
        return false;
    }
    pledge->same = count == 1;
    return true;
}

bool store_env_pledge(struct store_env *env, const uint8_t mac[SEAL_HMAC_BYTES], struct fail *fail)
{
    struct pledge pledge = {.mac = mac};
    if (!store_shared(env->store)) {
        return true;
    }
    if (!store_write(env, keep_pledge, &pledge, fail)) {
        return false;
    }
    return pledge.same ||
           fail_set(fail, FAIL_INVALID_DATA,
                    "%s: its secrets are sealed with another master key; give this process the same one (SLUICE_MASTER_KEY_FILE)",
                    env->name);
}
