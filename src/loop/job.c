// SPDX-License-Identifier: Apache-2.0
//
// Jobs: work for helper threads while the fiber sleeps. The job stands on the fiber's stack, so handing over takes no memory. Helpers are
// started when work waits and none is idle, up to LOOP_HELPERS_MAX, and live until the loops end.
//
// Cancelling: a job that waits is taken out of the queue under the mutex and never runs; one that has begun is waited for, because it uses
// the fiber's memory. A helper gives its result back as a note in the loop's queue and does not touch the job afterwards.
#include "loop/internal.h"

#include <signal.h>

struct job {
    struct loop_post post;
    struct job *next, *before;
    void (*fn)(void *arg);
    void *arg;
    struct fiber *fiber;
    bool queued;
};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct job *first, *last;
    pthread_t threads[LOOP_HELPERS_MAX];
    int count, idle, queued;
    bool closing;
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER};

static void unqueue(struct job *job)
{
    *(job->before ? &job->before->next : &pool.first) = job->next;
    *(job->next ? &job->next->before : &pool.last) = job->before;
    job->queued = false;
    pool.queued--;
}

// Works off the queue until the loops end; what is queued then is still done, because a fiber waits for it.
static void *help(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&pool.mutex);
    for (;;) {
        while (!pool.first && !pool.closing) {
            pool.idle++;
            pthread_cond_wait(&pool.work, &pool.mutex);
            pool.idle--;
        }
        struct job *job = pool.first;
        if (!job) {
            break;
        }
        unqueue(job);
        pthread_mutex_unlock(&pool.mutex);
        struct loop *loop = job->fiber->loop;
        job->fn(job->arg);
        post_push(loop, &job->post);
        pthread_mutex_lock(&pool.mutex);
    }
    pthread_mutex_unlock(&pool.mutex);
    return NULL;
}

// Under the mutex. Signals are for loop 0 alone.
static void start_helper(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&pool.threads[pool.count], NULL, help, NULL) == 0) {
        pool.count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

// On the fiber's loop.
static void finish_job(struct loop *loop, struct loop_post *post)
{
    (void)loop;
    struct job *job = (struct job *)(void *)((char *)post - offsetof(struct job, post));
    fiber_wake(job->fiber, WAKE_DONE);
}

// A new helper only when those that are idle are already spoken for.
static bool queue_job(struct job *job)
{
    pthread_mutex_lock(&pool.mutex);
    if (pool.idle <= pool.queued && pool.count < LOOP_HELPERS_MAX) {
        start_helper();
    }
    bool possible = pool.count > 0;
    if (possible) {
        job->before = pool.last;
        *(pool.last ? &pool.last->next : &pool.first) = job;
        pool.last = job;
        job->queued = true;
        pool.queued++;
        pthread_cond_signal(&pool.work);
    }
    pthread_mutex_unlock(&pool.mutex);
    return possible;
}

bool job_cancel(void *target)
{
    struct job *job = target;
    pthread_mutex_lock(&pool.mutex);
    bool waited = job->queued;
    if (waited) {
        unqueue(job);
    }
    pthread_mutex_unlock(&pool.mutex);
    return waited;
}

// Called when no fiber lives, so nothing can be queued any more.
void job_pool_close(void)
{
    pthread_mutex_lock(&pool.mutex);
    pool.closing = true;
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.mutex);
    for (int i = 0; i < pool.count; i++) {
        pthread_join(pool.threads[i], NULL);
    }
    pool.count = 0;
    pool.closing = false;
}

bool loop_job(void (*fn)(void *arg), void *arg, struct fail *fail)
{
    if (!loop_of_thread) {
        fn(arg);
        return true;
    }
    struct fiber *fiber = wait_begin(fail);
    if (!fiber) {
        return false;
    }
    struct job job = {.post.run = finish_job, .fn = fn, .arg = arg, .fiber = fiber};
    if (!queue_job(&job)) {
        return fail_set(fail, FAIL_FULL, "no thread for a job");
    }
    return wait_result(wait_for(fiber, WAIT_JOB, &job, -1), fail);
}
