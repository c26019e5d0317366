// SPDX-License-Identifier: Apache-2.0
// Time limits inside long natives. Between slices a run looks at the clock itself; inside one native nobody does, and a native over much
// data (a set of 100,000 records, a pattern against megabytes) can take longer than the run may. One thread looks at the runs in flight
// four times a second and sets the interrupt flag of those over their deadline; natives that loop poll it, and the VM looks at it behind
// each.
//
// Runs stand in a list of their loop, so that loops do not wait for each other. The thread is started by the first run, and sleeps without
// a timer once it has seen no run for a tick: an idle process pays nothing, a busy one two uncontended locks a run.
#include "host/inside.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

enum { TICK_MS = 250, LISTS = LOOP_WORKERS_MAX + 1 }; // the last list is for runs off the loops

static struct {
    _Alignas(64) pthread_mutex_t mutex;
    struct run *first;
} lists[LISTS] = {[0 ... LISTS - 1] = {.mutex = PTHREAD_MUTEX_INITIALIZER}};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pthread_t thread;
    bool started, closing;
    atomic_bool awake; // false: it sleeps until it is woken, or is about to
} watchdog = {.mutex = PTHREAD_MUTEX_INITIALIZER};

// True when there is a run to look at again.
static bool look_at_runs(void)
{
    int64_t now = clock_monotonic_ns();
    bool any = false;
    for (int i = 0; i < LISTS; i++) {
        pthread_mutex_lock(&lists[i].mutex);
        for (struct run *run = lists[i].first; run; run = run->live_next) {
            any = true;
            if (now > run_deadline_ns(run)) {
                __atomic_store_n(&run->interrupt, 1, __ATOMIC_RELAXED);
            }
        }
        pthread_mutex_unlock(&lists[i].mutex);
    }
    return any;
}

static void sleep_tick(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (!watchdog.closing && pthread_cond_timedwait(&watchdog.wake, &watchdog.mutex, &until) != ETIMEDOUT) {
    }
}

// Says that it sleeps before it looks: a run that comes after the look finds that said and wakes it, one that came before is seen.
static void *watch_runs(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&watchdog.mutex);
    while (!watchdog.closing) {
        if (!atomic_load(&watchdog.awake)) {
            pthread_cond_wait(&watchdog.wake, &watchdog.mutex);
            continue;
        }
        sleep_tick();
        atomic_store(&watchdog.awake, false);
        if (look_at_runs()) {
            atomic_store(&watchdog.awake, true);
        }
    }
    pthread_mutex_unlock(&watchdog.mutex);
    return NULL;
}

// Signals are the business of one other thread.
static void start_thread(void)
{
    sigset_t all, before;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watchdog.wake, &attributes);
    pthread_condattr_destroy(&attributes);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    watchdog.started = pthread_create(&watchdog.thread, NULL, watch_runs, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!watchdog.started) { // the limits between slices hold all the same; the next run tries again
        pthread_cond_destroy(&watchdog.wake);
    }
}

static BASE_COLD void wake_watchdog(void)
{
    pthread_mutex_lock(&watchdog.mutex);
    if (!watchdog.started) {
        start_thread();
    }
    if (watchdog.started) {
        atomic_store(&watchdog.awake, true);
        pthread_cond_signal(&watchdog.wake);
    }
    pthread_mutex_unlock(&watchdog.mutex);
}

void watchdog_enter(struct run *run)
{
    struct loop *loop = loop_current();
    run->live_list = loop ? loop_index(loop) : LISTS - 1;
    run->live_before = NULL;
    pthread_mutex_lock(&lists[run->live_list].mutex);
    run->live_next = lists[run->live_list].first;
    if (run->live_next) {
        run->live_next->live_before = run;
    }
    lists[run->live_list].first = run;
    pthread_mutex_unlock(&lists[run->live_list].mutex);
    if (BASE_UNLIKELY(!atomic_load(&watchdog.awake))) {
        wake_watchdog();
    }
}

void watchdog_leave(struct run *run)
{
    pthread_mutex_lock(&lists[run->live_list].mutex);
    *(run->live_before ? &run->live_before->live_next : &lists[run->live_list].first) = run->live_next;
    if (run->live_next) {
        run->live_next->live_before = run->live_before;
    }
    pthread_mutex_unlock(&lists[run->live_list].mutex);
}

void watchdog_stop(void)
{
    pthread_mutex_lock(&watchdog.mutex);
    bool started = watchdog.started;
    pthread_t thread = watchdog.thread;
    watchdog.closing = true;
    if (started) {
        pthread_cond_signal(&watchdog.wake);
    }
    pthread_mutex_unlock(&watchdog.mutex);
    if (started) {
        pthread_join(thread, NULL);
        pthread_cond_destroy(&watchdog.wake);
    }
    watchdog.started = watchdog.closing = false;
    atomic_store(&watchdog.awake, false);
}
