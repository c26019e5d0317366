// SPDX-License-Identifier: Apache-2.0
//
// Writing: the queue of closures of each environment, and the threads that run them. A thread takes an environment that has work, opens a
// transaction, runs one closure after another, each in a savepoint, until the queue is empty or the batch is full, and commits once: while
// that COMMIT waits for the disk the next closures gather, so the group grows with the load and a single writer waits for nobody. Only then
// are the fibers woken. If the transaction dies, every closure of the batch fails: none of them was promised anything yet.
//
// A cancelled fiber takes its closure out of the queue if it has not begun. If it has, the closure may be using the fiber's memory, so the
// fiber stays until the end, and its loop goes on meanwhile.
#include "store/inside.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

struct batch {
    struct ticket_list jobs;
    int count;
    int count_yielded; // how many there were when the loops last got a turn
    int64_t end_ns; // takes no more closures after this
    struct fail fail;
};

// ---- the threads --------------------------------------------------------------------------------

static struct write_job *pop_job(struct store_env *env)
{
    pthread_mutex_lock(&env->store->lock);
    struct write_job *job = (struct write_job *)ticket_pop(&env->queue);
    pthread_mutex_unlock(&env->store->lock);
    return job;
}

// One at a time, so that what arrives while the batch runs still joins it, and what has not begun can be withdrawn. Where the loops share
// this thread's core, they get a turn before the COMMIT as long as that brings more closures: a flush costs as much for one as for fifty.
// On an idle machine the call returns at once.
static struct write_job *take_job(struct store_env *env, struct batch *batch)
{
    if (batch->count >= STORE_BATCH_MAX || (batch->count && clock_monotonic_ns() >= batch->end_ns)) {
        return NULL;
    }
    struct write_job *job = pop_job(env);
    if (!job && batch->count > batch->count_yielded) {
        batch->count_yielded = batch->count;
        sched_yield();
        job = pop_job(env);
    }
    if (job) {
        ticket_push(&batch->jobs, &job->ticket);
        batch->count++;
    }
    return job;
}

// Runs closures until the batch is full; false when the transaction died.
static bool run_jobs(struct store_env *env, struct tx *tx, struct batch *batch)
{
    for (struct write_job *job = take_job(env, batch); job; job = take_job(env, batch)) {
        tx->role = job->read ? ENGINE_READER : ENGINE_WRITER;
        fail_clear(job->fail);
        job->ok = tx_run(tx, job->fn, job->arg, job->fail);
        if (!tx->engine->alive(tx)) {
            batch->fail = *job->fail;
            if (job->ok || batch->fail.code != FAIL_STORE) {
                fail_set(&batch->fail, FAIL_STORE, "%s: the transaction was lost", env->name);
            }
            return false;
        }
    }
    return true;
}

// Everybody in the batch gets an answer. Tickets lie on the fibers' stacks: none is touched after its wake-up is sent.
static void finish_batch(struct store *store, struct batch *batch, bool ok)
{
    struct ticket_list telling = {NULL, NULL};
    bool blocked = false;
    pthread_mutex_lock(&store->lock);
    for (struct ticket *ticket = ticket_pop(&batch->jobs); ticket; ticket = ticket_pop(&batch->jobs)) {
        struct write_job *job = (struct write_job *)ticket;
        if (!ok && (job->ok || job->fail->code == FAIL_NONE)) {
            *job->fail = batch->fail;
        }
        job->ok = job->ok && ok;
        job->finished = true;
        if (job->blocked) {
            blocked = true;
        } else {
            ticket_push(&telling, ticket);
        }
    }
    if (blocked) {
        pthread_cond_broadcast(&store->finished);
    }
    pthread_mutex_unlock(&store->lock);
    for (struct ticket *ticket = telling.first; ticket;) {
        struct ticket *next = ticket->next;
        loop_event_set_from(&ticket->event);
        ticket = next;
    }
}

// False: nothing of the batch is in the data base, and batch->fail tells why. The version is told to readers of store_env_version only
// after COMMIT.
static bool run_transaction(struct store_env *env, struct batch *batch)
{
    bool open = env->writer || warm_open(env, &batch->fail);
    struct tx *tx = env->writer;
    if (!open || !tx_begin(tx, &batch->fail)) {
        while (take_job(env, batch)) {
        }
        return false;
    }
    if (run_jobs(env, tx, batch) && tx_commit(tx, &batch->fail)) {
        if (tx->state.version) {
            atomic_store_explicit(&env->version, tx->state.version, memory_order_release);
        }
        return true;
    }
    tx_rollback(tx);
    return false;
}

// One turn of an environment. The fibers are woken before the log is tidied: that is nobody's wait.
static void serve_env(struct store_env *env)
{
    struct batch batch = {.end_ns = clock_monotonic_ns() + STORE_BATCH_NS};
    bool ok = run_transaction(env, &batch);
    if (!ok) {
        log_line(LOG_ERROR, "store.batch", "environment=%s closures=%d error=%s", env->name, batch.count, batch.fail.text);
    }
    finish_batch(env->store, &batch, ok);
    if (env->writer) {
        env->writer->engine->tidy(env->writer);
    }
}

// To the end of those that wait for a thread. Holds the lock.
static void schedule_env(struct store *store, struct store_env *env)
{
    env->scheduled = true;
    env->next_ready = NULL;
    *(store->ready_last ? &store->ready_last->next_ready : &store->ready_first) = env;
    store->ready_last = env;
}

// Goes behind the others if it has more work: no environment starves another. Holds the lock.
static void end_turn(struct store *store, struct store_env *env)
{
    env->scheduled = false;
    if (env->queue.first) {
        schedule_env(store, env);
    }
}

// The next environment with work, or NULL when the thread should end. Called and returns with the lock.
static struct store_env *wait_for_work(struct store *store)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STORE_WRITER_IDLE_S;
    int waited = 0;
    while (!store->ready_first && !store->closing && waited != ETIMEDOUT) {
        store->writers_idle++;
        waited = pthread_cond_timedwait(&store->work, &store->lock, &until);
        store->writers_idle--;
    }
    struct store_env *env = store->ready_first;
    if (env) {
        store->ready_first = env->next_ready;
        store->ready_last = store->ready_first ? store->ready_last : NULL;
    }
    return env;
}

static void *run_writer(void *arg)
{
    struct store *store = arg;
    pthread_mutex_lock(&store->lock);
    for (struct store_env *env = wait_for_work(store); env; env = wait_for_work(store)) {
        pthread_mutex_unlock(&store->lock);
        serve_env(env);
        pthread_mutex_lock(&store->lock);
        end_turn(store, env);
    }
    store->writer_threads--;
    pthread_cond_broadcast(&store->gone);
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

// Detached: writer_stop waits for the count, and an idle thread ends by itself. Holds the lock.
static bool start_writer(struct store *store)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STORE_WRITER_STACK);
    pthread_sigmask(SIG_SETMASK, &all, &before); // signals are another thread's
    bool ok = pthread_create(&thread, &attributes, run_writer, store) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    store->writer_threads += ok;
    return ok;
}

// What is queued is still run.
void writer_stop(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    store->closing = true;
    pthread_cond_broadcast(&store->work);
    while (store->writer_threads) {
        pthread_cond_wait(&store->gone, &store->lock);
    }
    pthread_mutex_unlock(&store->lock);
}

// ---- the fiber's side ---------------------------------------------------------------------------

// Sees to it that a thread will take the environment. Holds the lock; false when there is none and none can be started.
static bool call_writer(struct store *store)
{
    if (store->writers_idle) {
        pthread_cond_signal(&store->work);
        return true;
    }
    return store->writer_threads >= STORE_WRITERS_MAX || start_writer(store) || store->writer_threads;
}

// By whoever has closed an idle environment's connections: closures may have come meanwhile.
void writer_release(struct store_env *env)
{
    struct store *store = env->store;
    pthread_mutex_lock(&store->lock);
    end_turn(store, env);
    if (env->scheduled) {
        call_writer(store); // if no thread can be had now, the next closure asks again
    }
    pthread_mutex_unlock(&store->lock);
}

// An environment that is being served sees the closure when it looks for the next one; no thread needs to be woken.
static bool push_job(struct store_env *env, struct write_job *job, struct fail *fail)
{
    struct store *store = env->store;
    warm_touch(env);
    pthread_mutex_lock(&store->lock);
    bool ok = env->scheduled || call_writer(store);
    if (ok) {
        ticket_push(&env->queue, &job->ticket);
        if (!env->scheduled) {
            schedule_env(store, env);
        }
    }
    pthread_mutex_unlock(&store->lock);
    return ok || fail_set(fail, FAIL_STORE, "no thread could be started for writing");
}

// A command that runs without loops.
static void block_for_end(struct store *store, const struct write_job *job)
{
    pthread_mutex_lock(&store->lock);
    while (!job->finished) {
        pthread_cond_wait(&store->finished, &store->lock);
    }
    pthread_mutex_unlock(&store->lock);
}

bool writer_run(struct store_env *env, store_fn *fn, void *arg, bool read, struct fail *fail)
{
    bool on_fiber = loop_fiber() != NULL;
    struct write_job job = {.fn = fn, .arg = arg, .fail = fail, .read = read, .blocked = !on_fiber};
    ticket_init(&job.ticket);
    if (!push_job(env, &job, fail)) {
        return false;
    }
    if (BASE_UNLIKELY(!on_fiber)) {
        block_for_end(env->store, &job);
        return job.ok;
    }
    return ticket_wait(&job.ticket, &env->queue, &env->store->lock, fail) && job.ok;
}

bool store_write(struct store_env *env, store_fn *fn, void *arg, struct fail *fail)
{
    return store_shared(env->store) ? shared_write(env, fn, arg, fail) : writer_run(env, fn, arg, false, fail);
}
