// SPDX-License-Identifier: Apache-2.0
//
// Fibers: starting, ending, giving way, being cancelled, in great numbers.
#include "support.h"

#include <stdlib.h>

// ThreadSanitizer knows at most some 8,000 threads, and a fiber counts as one.
#if defined(__SANITIZE_THREAD__)
enum { MANY = 2000 };
#else
enum { MANY = 10000 };
#endif

struct tally {
    int begun, ended, failed;
    char order[64];
    struct loop_event gate;
};

static void note(struct tally *tally, char c)
{
    size_t len = strlen(tally->order);
    CHECK(len + 1 < sizeof tally->order);
    tally->order[len] = c;
}

static void park(void *arg)
{
    struct tally *tally = arg;
    struct fail fail;
    tally->begun++;
    tally->failed += !loop_event_wait(&tally->gate, -1, &fail);
    tally->ended++;
}

static void park_many(void *arg)
{
    struct tally *tally = arg;
    struct fail fail;
    loop_event_init(&tally->gate);
    for (int i = 0; i < MANY; i++) {
        CHECK(loop_spawn(park, tally, &fail));
    }
    while (tally->begun < MANY) {
        CHECK(loop_yield(&fail));
    }
    CHECK(loop_fiber_count() == MANY + 1);
    loop_event_set(&tally->gate);
    while (tally->ended < MANY) {
        CHECK(loop_yield(&fail));
    }
    CHECK(tally->failed == 0);
}

static void test_many_fibers_park_at_once(void **state)
{
    (void)state;
    struct tally tally = {0};
    run_on_loops(1, park_many, &tally);
    assert_int_equal(tally.ended, MANY);
}

static void test_stopping_ends_fibers_that_wait(void **state)
{
    (void)state;
    struct tally tally = {0};
    struct fail fail = {0};
    assert_true(loop_start(1, &fail));
    loop_stop(); // before the loops turn
    assert_true(loop_run(park, &tally, &fail));
    assert_int_equal(tally.ended, 1);
}

static void letter_a(void *arg)
{
    struct fail fail;
    for (int i = 0; i < 3; i++) {
        note(arg, 'a');
        loop_sleep(0, &fail);
    }
}

static void letter_b(void *arg)
{
    struct fail fail;
    for (int i = 0; i < 3; i++) {
        note(arg, 'b');
        loop_sleep(0, &fail);
    }
}

static void alternate(void *arg)
{
    struct fail fail;
    struct tally *tally = arg;
    loop_spawn(letter_a, arg, &fail);
    loop_spawn(letter_b, arg, &fail);
    while (strlen(tally->order) < 6) {
        loop_sleep(1, &fail);
    }
}

static void test_fibers_take_turns(void **state)
{
    (void)state;
    struct tally tally = {0};
    run_on_loops(1, alternate, &tally);
    assert_string_equal(tally.order, "ababab");
}

static void child(void *arg)
{
    struct fail fail;
    loop_sleep(1, &fail);
    note(arg, 'c');
}

static void call_child(void *arg)
{
    struct fail fail;
    note(arg, 'p');
    CHECK(loop_call(child, arg, &fail));
    note(arg, 'q');
}

static void test_call_returns_when_the_child_ended(void **state)
{
    (void)state;
    struct tally tally = {0};
    run_on_loops(1, call_child, &tally);
    assert_string_equal(tally.order, "pcq");
}

struct waiting_parent {
    struct fiber *fiber;
    bool child_failed, returned;
};

static void sleep_long(void *arg)
{
    struct waiting_parent *parent = arg;
    struct fail fail;
    parent->child_failed = !loop_sleep(3600 * 1000, &fail) && fail.code == FAIL_CANCELLED;
}

static void call_sleeper(void *arg)
{
    struct waiting_parent *parent = arg;
    struct fail fail;
    parent->fiber = loop_fiber();
    CHECK(loop_call(sleep_long, arg, &fail));
    CHECK(loop_cancelled());
    CHECK(!loop_yield(&fail) && fail.code == FAIL_CANCELLED);
    parent->returned = true;
}

static void cancel_parent(void *arg)
{
    struct waiting_parent *parent = arg;
    struct fail fail;
    loop_spawn(call_sleeper, arg, &fail);
    loop_sleep(1, &fail);
    loop_cancel(parent->fiber);
    while (!parent->returned) {
        loop_yield(&fail);
    }
}

static void test_cancelling_a_parent_reaches_its_child(void **state)
{
    (void)state;
    struct waiting_parent parent = {0};
    run_on_loops(1, cancel_parent, &parent);
    assert_true(parent.child_failed);
}

static void measure_stack(void *arg)
{
    *(bool *)arg = loop_fiber() == NULL;
}

static void borrow_stack(void *arg)
{
    CHECK(loop_fiber() != NULL);
    CHECK(loop_stack_left() > 16 * 1024 && loop_stack_left() < 256 * 1024);
    loop_on_thread_stack(measure_stack, arg);
    CHECK(loop_fiber() != NULL);
}

static void test_thread_stack_is_not_a_fiber(void **state)
{
    (void)state;
    bool off = false;
    run_on_loops(1, borrow_stack, &off);
    assert_true(off);
}

static void use_big_frame(void *arg)
{
    volatile char big[1024 * 1024];
    for (size_t i = 0; i < sizeof big; i += 1024) {
        big[i] = (char)i;
    }
    *(int *)arg = big[1024 * 3] == 0 ? 1 : 2;
}

static void borrow_big(void *arg)
{
    loop_on_thread_stack(use_big_frame, arg);
}

static void test_thread_stack_takes_a_megabyte(void **state)
{
    (void)state;
    int done = 0;
    run_on_loops(1, borrow_big, &done);
    assert_int_equal(done, 1);
}

static void nothing(void *arg)
{
    (*(int *)arg)++;
}

static void churn(void *arg)
{
    struct fail fail;
    for (int i = 0; i < 20000; i++) {
        CHECK(loop_call(nothing, arg, &fail));
    }
}

static void test_stacks_are_used_again(void **state)
{
    (void)state;
    int count = 0;
    run_on_loops(1, churn, &count);
    assert_int_equal(count, 20000);
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
static void fill_process(void *arg)
{
    struct tally *tally = arg;
    struct fail fail = {0};
    loop_event_init(&tally->gate);
    int count = 1;
    while (count <= LOOP_FIBERS_MAX && loop_spawn(park, tally, &fail)) {
        count++;
    }
    CHECK(count == LOOP_FIBERS_MAX && fail.code == FAIL_FULL);
    CHECK(!loop_post(loop_current(), park, tally));
    while (tally->begun < count - 1) {
        loop_yield(&fail);
    }
    loop_event_set(&tally->gate);
    while (tally->ended < count - 1) {
        loop_yield(&fail);
    }
    CHECK(loop_spawn(park, tally, &fail));
}

static void test_a_full_process_refuses_and_recovers(void **state)
{
    (void)state;
    struct tally tally = {0};
    run_on_loops(1, fill_process, &tally);
    assert_int_equal(tally.ended, LOOP_FIBERS_MAX);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_fibers_park_at_once),
        cmocka_unit_test(test_stopping_ends_fibers_that_wait),
        cmocka_unit_test(test_fibers_take_turns),
        cmocka_unit_test(test_call_returns_when_the_child_ended),
        cmocka_unit_test(test_cancelling_a_parent_reaches_its_child),
        cmocka_unit_test(test_thread_stack_is_not_a_fiber),
        cmocka_unit_test(test_thread_stack_takes_a_megabyte),
        cmocka_unit_test(test_stacks_are_used_again),
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
        cmocka_unit_test(test_a_full_process_refuses_and_recovers),
#endif
    };
    return cmocka_run_group_tests_name("loop fibers", tests, NULL, NULL);
}
