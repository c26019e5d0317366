// SPDX-License-Identifier: Apache-2.0
//
// A bounded pool of connections: the readers of one SQLite file, or all connections to a server. A fiber takes one, uses it alone and gives
// it back; when all are out it waits its turn, first come first served, whichever loop it is on. Connections are opened when they are first
// needed, as a job. The connection used last is used next: its caches are warm, and the pool stays as small as the load lets it.
//
// Threads without fibers (an environment that is being opened, a command without loops) wait on a condition; they are served first, since
// fibers may be waiting for what they do.
#include "store/inside.h"

struct borrower {
    struct ticket ticket; // first
    struct tx *tx; // handed over; NULL: look again
};

void connections_init(struct connections *pool, int max, bool (*connect)(void *owner, struct tx **ret_tx, struct fail *fail), void *owner)
{
    assert(max <= STORE_POOL_MAX);
    *pool = (struct connections){.max = max, .connect = connect, .owner = owner};
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->freed, NULL);
}

void connections_free(struct connections *pool)
{
    assert(pool->free_count == pool->open_count);
    for (int i = 0; i < pool->free_count; i++) {
        pool->free[i]->engine->close(pool->free[i]);
    }
    pthread_cond_destroy(&pool->freed);
    pthread_mutex_destroy(&pool->lock);
}

int connections_empty(struct connections *pool, struct tx *ret_txs[STORE_POOL_MAX], bool *ret_idle)
{
    pthread_mutex_lock(&pool->lock);
    int count = pool->free_count;
    bool idle = count == pool->open_count;
    if (idle) {
        memcpy(ret_txs, pool->free, sizeof *ret_txs * (size_t)count);
        pool->free_count = pool->open_count = 0;
    }
    pthread_mutex_unlock(&pool->lock);
    *ret_idle = idle;
    return count;
}

static int open_max(const struct connections *pool)
{
    int max = pool->max + pool->lent;
    return max < STORE_POOL_MAX ? max : STORE_POOL_MAX;
}

// A connection to whoever waits longest, or back to the pool. NULL tells that one may be opened.
static void pass_on(struct connections *pool, struct tx *tx)
{
    pthread_mutex_lock(&pool->lock);
    struct borrower *waiter = pool->blocked ? NULL : (struct borrower *)ticket_pop(&pool->waiters);
    if (waiter) {
        waiter->tx = tx;
    } else if (tx) {
        pool->free[pool->free_count++] = tx;
    }
    if (pool->blocked) {
        pthread_cond_signal(&pool->freed);
    }
    pthread_mutex_unlock(&pool->lock);
    if (waiter) {
        loop_event_set_from(&waiter->ticket.event);
    }
}

void connections_give(struct connections *pool, struct tx *tx)
{
    pass_on(pool, tx);
}

static void forget_one(struct connections *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->open_count--;
    pthread_mutex_unlock(&pool->lock);
}

void connections_drop(struct connections *pool, struct tx *tx)
{
    tx->engine->close(tx);
    forget_one(pool);
    pass_on(pool, NULL);
}

void connections_lend(struct connections *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->lent++;
    bool grown = pool->max + pool->lent <= STORE_POOL_MAX;
    pthread_mutex_unlock(&pool->lock);
    if (grown) {
        pass_on(pool, NULL); // whoever waits longest opens one
    }
}

void connections_return(struct connections *pool, struct tx *tx)
{
    pthread_mutex_lock(&pool->lock);
    pool->lent--;
    bool full = pool->open_count > open_max(pool) && !pool->waiters.first;
    pthread_mutex_unlock(&pool->lock);
    if (full) {
        connections_drop(pool, tx);
    } else {
        connections_give(pool, tx);
    }
}

struct connect_call {
    struct connections *pool;
    struct tx *tx;
    struct fail *fail;
};

static void connect_job(void *arg)
{
    struct connect_call *call = arg;
    call->pool->connect(call->pool->owner, &call->tx, call->fail);
}

// The connection was counted in open_count before it is opened, so the bound holds while it is.
static bool open_one(struct connections *pool, struct tx **ret_tx, struct fail *fail)
{
    struct connect_call call = {.pool = pool, .fail = fail};
    if (loop_job(connect_job, &call, fail) && call.tx) {
        *ret_tx = call.tx;
        return true;
    }
    if (!call.tx) {
        forget_one(pool);
    }
    pass_on(pool, call.tx); // there is one if the fiber was cancelled while it was opened
    return false;
}

// Under the lock exactly one of three things is decided: take a free one, open one more, or stand in line.
enum turn { TURN_TAKE, TURN_OPEN, TURN_WAIT };

static enum turn take_turn(struct connections *pool, struct borrower *waiter)
{
    if (BASE_LIKELY(pool->free_count > 0)) {
        waiter->tx = pool->free[--pool->free_count];
        return TURN_TAKE;
    }
    if (pool->open_count < open_max(pool)) {
        pool->open_count++;
        return TURN_OPEN;
    }
    return TURN_WAIT;
}

static bool take_blocking(struct connections *pool, struct tx **ret_tx, struct fail *fail)
{
    struct borrower waiter = {.tx = NULL};
    pthread_mutex_lock(&pool->lock);
    enum turn turn = take_turn(pool, &waiter);
    while (turn == TURN_WAIT) {
        pool->blocked++;
        pthread_cond_wait(&pool->freed, &pool->lock);
        pool->blocked--;
        turn = take_turn(pool, &waiter);
    }
    pthread_mutex_unlock(&pool->lock);
    *ret_tx = waiter.tx;
    return turn == TURN_TAKE || open_one(pool, ret_tx, fail);
}

bool connections_take(struct connections *pool, struct tx **ret_tx, struct fail *fail)
{
    if (!loop_fiber()) {
        return take_blocking(pool, ret_tx, fail);
    }
    for (;;) {
        struct borrower waiter = {.tx = NULL};
        pthread_mutex_lock(&pool->lock);
        enum turn turn = take_turn(pool, &waiter);
        if (turn == TURN_WAIT) {
            ticket_init(&waiter.ticket);
            ticket_push(&pool->waiters, &waiter.ticket);
        }
        pthread_mutex_unlock(&pool->lock);
        if (turn == TURN_OPEN) {
            return open_one(pool, ret_tx, fail);
        }
        if (turn == TURN_WAIT && !ticket_wait(&waiter.ticket, &pool->waiters, &pool->lock, fail)) {
            return false;
        }
        if (waiter.tx) { // else one may be opened: look again
            *ret_tx = waiter.tx;
            return true;
        }
    }
}
