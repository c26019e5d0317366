// SPDX-License-Identifier: Apache-2.0
//
// Timers on the loop's own stack: order, moving, stopping, many at once; and the asserts that guard the rules of the fiber.
#include "support.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 2000, SPREAD_MS = 40, CLOCK_STEP_MS = 3 }; // the clock may move on while the timers are started

static int fired;

struct mark {
    struct loop_timer *timer;
    int due_ms, order;
};

static void note_order(void *arg)
{
    struct mark *mark = arg;
    CHECK(loop_fiber() == NULL);
    mark->order = fired++;
}

static void start_many(void *arg)
{
    struct mark *marks = arg;
    struct fail fail;
    fired = 0;
    srand(1);
    for (int i = 0; i < MANY; i++) {
        marks[i].due_ms = rand() % SPREAD_MS;
        marks[i].order = -1;
        marks[i].timer = loop_timer_new(note_order, &marks[i]);
        loop_timer_start(marks[i].timer, 1000 + marks[i].due_ms);
    }
    for (int i = 0; i < MANY; i += 3) {
        loop_timer_stop(marks[i].timer);
    }
    int64_t start_ms = loop_now_ms(); // all are moved from one instant, so that their order is known
    for (int i = 0; i < MANY; i++) {
        if (i % 3 != 0) {
            loop_timer_start(marks[i].timer, marks[i].due_ms - (loop_now_ms() - start_ms) + SPREAD_MS);
        }
    }
    while (fired < MANY - (MANY + 2) / 3) {
        loop_sleep(5, &fail);
    }
    for (int i = 0; i < MANY; i++) {
        CHECK((marks[i].order >= 0) == (i % 3 != 0));
        loop_timer_free(marks[i].timer);
    }
}

static void test_timers_fire_in_the_order_they_are_due(void **state)
{
    (void)state;
    struct mark *marks = calloc(MANY, sizeof *marks);
    run_on_loops(1, start_many, marks);
    int wrong = 0;
    for (int i = 1; i < MANY; i++) {
        for (int j = 1; j < MANY; j += 97) {
            bool both = i % 3 != 0 && j % 3 != 0;
            wrong += both && marks[i].due_ms + CLOCK_STEP_MS < marks[j].due_ms && marks[i].order > marks[j].order;
        }
    }
    assert_int_equal(wrong, 0);
    free(marks);
}

static struct loop_timer *again;

static void start_again(void *arg)
{
    if (++*(int *)arg < 5) {
        loop_timer_start(again, 0);
    }
}

static void repeat(void *arg)
{
    struct fail fail;
    again = loop_timer_new(start_again, arg);
    loop_timer_start(again, 0);
    while (*(int *)arg < 5) {
        loop_sleep(1, &fail);
    }
    loop_timer_free(again);
}

static void test_a_timer_may_start_itself_again(void **state)
{
    (void)state;
    int count = 0;
    run_on_loops(1, repeat, &count);
    assert_int_equal(count, 5);
}

// ---- asserts ------------------------------------------------------------------------------------

#ifndef NDEBUG
static void yield_in_section(void *arg)
{
    (void)arg;
    struct fail fail;
    loop_no_yield_begin();
    loop_sleep(1, &fail);
}

static void yield_on_thread_stack(void *arg)
{
    struct fail fail;
    loop_sleep(1, &fail);
    (void)arg;
}

static void borrow_and_yield(void *arg)
{
    loop_on_thread_stack(yield_on_thread_stack, arg);
}

static bool dies(void (*fn)(void *arg))
{
    pid_t child = fork();
    if (child == 0) {
        struct fail fail;
        freopen("/dev/null", "w", stderr);
        if (loop_start(1, &fail)) {
            loop_run(fn, NULL, &fail);
        }
        _exit(0);
    }
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void test_giving_way_where_it_must_not_be_is_caught(void **state)
{
    (void)state;
    assert_true(dies(yield_in_section));
    assert_true(dies(borrow_and_yield));
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_fire_in_the_order_they_are_due),
        cmocka_unit_test(test_a_timer_may_start_itself_again),
#ifndef NDEBUG
        cmocka_unit_test(test_giving_way_where_it_must_not_be_is_caught),
#endif
    };
    return cmocka_run_group_tests_name("loop timers", tests, NULL, NULL);
}
