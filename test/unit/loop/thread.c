// SPDX-License-Identifier: Apache-2.0
//
// What crosses threads: jobs, posts between loops, events set from outside, signals, the end of the process. These run under
// ThreadSanitizer, too.
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

// ---- jobs ---------------------------------------------------------------------------------------

struct work {
    pthread_t thread;
    int value;
};

static void do_work(void *arg)
{
    struct work *work = arg;
    work->thread = pthread_self();
    work->value = 42;
}

static void run_job(void *arg)
{
    struct fail fail;
    CHECK(loop_job(do_work, arg, &fail));
}

static void test_a_job_runs_on_another_thread(void **state)
{
    (void)state;
    struct work work = {0};
    run_on_loops(1, run_job, &work);
    assert_int_equal(work.value, 42);
    assert_false(pthread_equal(work.thread, pthread_self()));
}

static void test_off_the_loops_a_job_just_runs(void **state)
{
    (void)state;
    struct work work = {0};
    struct fail fail;
    assert_true(loop_job(do_work, &work, &fail));
    assert_int_equal(work.value, 42);
}

enum { MANY_JOBS = 500 };
static atomic_int jobs_run;
static int jobs_done;

static void count_job(void *arg)
{
    (void)arg;
    atomic_fetch_add(&jobs_run, 1);
}

static void one_job(void *arg)
{
    (void)arg;
    struct fail fail;
    CHECK(loop_job(count_job, NULL, &fail));
    jobs_done++;
}

static void many_jobs(void *arg)
{
    (void)arg;
    struct fail fail;
    atomic_store(&jobs_run, 0);
    jobs_done = 0;
    for (int i = 0; i < MANY_JOBS; i++) {
        CHECK(loop_spawn(one_job, NULL, &fail));
    }
    while (jobs_done < MANY_JOBS) {
        loop_sleep(1, &fail);
    }
}

static void test_many_jobs_share_the_helpers(void **state)
{
    (void)state;
    run_on_loops(1, many_jobs, NULL);
    assert_int_equal(atomic_load(&jobs_run), MANY_JOBS);
}

struct blocked {
    atomic_bool begun, release, ran;
    struct fiber *fiber;
    bool result, done;
    enum fail_code code;
};

static void block_thread(void *arg)
{
    struct blocked *blocked = arg;
    atomic_store(&blocked->begun, true);
    while (!atomic_load(&blocked->release)) {
        usleep(1000);
    }
    atomic_store(&blocked->ran, true);
}

static void blocked_job(void *arg)
{
    struct blocked *blocked = arg;
    struct fail fail = {0};
    blocked->fiber = loop_fiber();
    blocked->result = loop_job(block_thread, blocked, &fail);
    blocked->code = fail.code;
    blocked->done = true;
}

static void cancel_jobs(void *arg)
{
    struct blocked *jobs = arg; // the helpers are all busy with the first ones, the last waits
    struct fail fail;
    for (int i = 0; i <= LOOP_HELPERS_MAX; i++) {
        loop_spawn(blocked_job, &jobs[i], &fail);
    }
    for (int i = 0; i < LOOP_HELPERS_MAX; i++) {
        while (!atomic_load(&jobs[i].begun)) {
            loop_sleep(1, &fail);
        }
    }
    struct blocked *last = &jobs[LOOP_HELPERS_MAX];
    loop_cancel(last->fiber);
    loop_cancel(jobs[0].fiber);
    while (!last->done) {
        loop_yield(&fail);
    }
    CHECK(!last->result && last->code == FAIL_CANCELLED && !atomic_load(&last->begun));
    loop_sleep(5, &fail);
    CHECK(!jobs[0].done);
    for (int i = 0; i < LOOP_HELPERS_MAX; i++) {
        atomic_store(&jobs[i].release, true);
    }
    while (!jobs[0].done) {
        loop_sleep(1, &fail);
    }
    CHECK(jobs[0].result && atomic_load(&jobs[0].ran));
}

static void test_cancelling_removes_a_waiting_job_and_waits_for_a_begun_one(void **state)
{
    (void)state;
    struct blocked *jobs = calloc(LOOP_HELPERS_MAX + 1, sizeof *jobs);
    run_on_loops(1, cancel_jobs, jobs);
    free(jobs);
}

// ---- posts --------------------------------------------------------------------------------------

enum { POSTS = 3000 };
static atomic_int posts_seen;
static atomic_int wrong_loop;

static void count_post(void *arg)
{
    atomic_fetch_add(&wrong_loop, loop_current() != arg);
    atomic_fetch_add(&posts_seen, 1);
}

static void post_back(void *arg)
{
    loop_post(loop_at(0), count_post, loop_at(0));
    count_post(arg);
}

static void storm(void *arg)
{
    (void)arg;
    struct fail fail;
    atomic_store(&posts_seen, 0);
    atomic_store(&wrong_loop, 0);
    for (int i = 0; i < POSTS; i++) {
        while (!loop_post(loop_at(1), post_back, loop_at(1))) {
            loop_yield(&fail);
        }
        if (i % 100 == 0) {
            loop_yield(&fail);
        }
    }
    while (atomic_load(&posts_seen) < 2 * POSTS) {
        CHECK(loop_sleep(1, &fail));
    }
}

static void test_posts_storm_between_two_loops(void **state)
{
    (void)state;
    run_on_loops(2, storm, NULL);
    assert_int_equal(atomic_load(&wrong_loop), 0);
}

static int post_order[100], post_count;

static void note_order(void *arg)
{
    post_order[post_count++] = (int)(intptr_t)arg;
}

static void *post_in_order(void *arg)
{
    for (int i = 0; i < 100; i++) {
        loop_post(arg, note_order, (void *)(intptr_t)i);
    }
    return NULL;
}

static void take_in_order(void *arg)
{
    (void)arg;
    struct fail fail;
    pthread_t thread;
    post_count = 0;
    pthread_create(&thread, NULL, post_in_order, loop_current());
    while (post_count < 100) {
        loop_sleep(1, &fail);
    }
    pthread_join(thread, NULL);
}

static void test_posts_of_one_thread_keep_their_order(void **state)
{
    (void)state;
    run_on_loops(1, take_in_order, NULL);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(post_order[i], i);
    }
}

static void post_late(void *arg)
{
    loop_stop();
    *(bool *)arg = loop_post(loop_at(1), count_post, NULL);
}

static void test_a_stopping_process_takes_no_posts(void **state)
{
    (void)state;
    bool taken = true;
    run_on_loops(2, post_late, &taken);
    assert_false(taken);
}

// ---- events from outside ------------------------------------------------------------------------

static void *set_event(void *arg)
{
    loop_event_set_from(arg);
    return NULL;
}

static void wait_for_threads(void *arg)
{
    (void)arg;
    struct fail fail;
    for (int i = 0; i < 50; i++) {
        struct loop_event event;
        pthread_t thread;
        loop_event_init(&event);
        pthread_create(&thread, NULL, set_event, &event);
        CHECK(loop_event_wait(&event, -1, &fail));
        pthread_join(thread, NULL);
    }
}

static void test_any_thread_sets_an_event(void **state)
{
    (void)state;
    run_on_loops(1, wait_for_threads, NULL);
}

// ---- the end ------------------------------------------------------------------------------------

static int on_stop_calls;

static void orderly_end(void *arg)
{
    (void)arg;
    on_stop_calls++;
    CHECK(loop_stopping());
    loop_stop();
}

static void ask_to_end(void *arg)
{
    (void)arg;
    struct fail fail;
    loop_on_stop(orderly_end, NULL);
    CHECK(!loop_stopping());
    kill(getpid(), SIGTERM);
    CHECK(!loop_sleep(3600 * 1000, &fail) && fail.code == FAIL_CANCELLED);
}

static void test_a_signal_calls_on_stop_once(void **state)
{
    (void)state;
    on_stop_calls = 0;
    run_on_loops(2, ask_to_end, NULL);
    assert_int_equal(on_stop_calls, 1);
}

static void close_in_child(void *arg)
{
    struct fail fail;
    CHECK(loop_job(do_work, arg, &fail));
}

static void close_after_stop(void *arg)
{
    struct fail fail;
    loop_stop();
    CHECK(loop_sleep(20, &fail));
    CHECK(loop_call(close_in_child, arg, &fail));
}

static void test_the_fiber_that_stops_may_still_wait(void **state)
{
    (void)state;
    struct work work = {0};
    run_on_loops(1, close_after_stop, &work);
    assert_int_equal(work.value, 42);
}

static atomic_int ends_seen;

static void note_end(void *arg)
{
    assert_ptr_equal(loop_current(), arg);
    atomic_fetch_add(&ends_seen, 1);
}

static void add_end(void *arg)
{
    (void)arg;
    loop_on_end(note_end, loop_current());
}

static void add_ends(void *arg)
{
    add_end(arg);
    loop_post(loop_at(1), add_end, NULL);
}

static void test_each_loop_runs_its_end(void **state)
{
    (void)state;
    atomic_store(&ends_seen, 0);
    run_on_loops(2, add_ends, NULL);
    assert_int_equal(atomic_load(&ends_seen), 2);
}

static void test_workers_have_limits(void **state)
{
    (void)state;
    struct fail fail = {0};
    assert_false(loop_start(0, &fail));
    assert_int_equal(fail.code, FAIL_USAGE);
    assert_false(loop_start(LOOP_WORKERS_MAX + 1, &fail));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_job_runs_on_another_thread),
        cmocka_unit_test(test_off_the_loops_a_job_just_runs),
        cmocka_unit_test(test_many_jobs_share_the_helpers),
        cmocka_unit_test(test_cancelling_removes_a_waiting_job_and_waits_for_a_begun_one),
        cmocka_unit_test(test_posts_storm_between_two_loops),
        cmocka_unit_test(test_posts_of_one_thread_keep_their_order),
        cmocka_unit_test(test_a_stopping_process_takes_no_posts),
        cmocka_unit_test(test_any_thread_sets_an_event),
        cmocka_unit_test(test_a_signal_calls_on_stop_once),
        cmocka_unit_test(test_the_fiber_that_stops_may_still_wait),
        cmocka_unit_test(test_each_loop_runs_its_end),
        cmocka_unit_test(test_workers_have_limits),
    };
    return cmocka_run_group_tests_name("loop threads", tests, NULL, NULL);
}
