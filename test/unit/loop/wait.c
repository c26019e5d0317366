// SPDX-License-Identifier: Apache-2.0
//
// Everything a fiber can wait for: time, events, locks, descriptors; with time limits and cancelling.
#include "support.h"

#include <sys/socket.h>
#include <unistd.h>

struct scene {
    struct loop_event event;
    struct loop_lock lock;
    struct fiber *fiber;
    enum fail_code code;
    bool waiting, result, done;
    int fds[2];
    char order[16];
};

// ---- cancelling: each row starts a wait, the main fiber cancels it ------------------------------

static void wait_sleep(void *arg)
{
    struct scene *scene = arg;
    struct fail fail = {0};
    scene->fiber = loop_fiber();
    scene->result = loop_sleep(3600 * 1000, &fail);
    scene->code = fail.code;
    scene->done = true;
}

static void wait_event(void *arg)
{
    struct scene *scene = arg;
    struct fail fail = {0};
    scene->fiber = loop_fiber();
    scene->result = loop_event_wait(&scene->event, -1, &fail);
    scene->code = fail.code;
    scene->done = true;
}

static void wait_lock(void *arg)
{
    struct scene *scene = arg;
    struct fail fail = {0};
    scene->fiber = loop_fiber();
    scene->result = loop_lock(&scene->lock, -1, &fail);
    scene->code = fail.code;
    scene->done = true;
}

static void wait_readable(void *arg)
{
    struct scene *scene = arg;
    struct fail fail = {0};
    scene->fiber = loop_fiber();
    scene->result = loop_wait_fd(scene->fds[0], false, -1, &fail);
    scene->code = fail.code;
    scene->done = true;
}

static void (*wait_kind)(void *arg);

static void cancel_wait(void *arg)
{
    struct scene *scene = arg;
    struct fail fail;
    loop_event_init(&scene->event);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, scene->fds) == 0);
    CHECK(loop_lock(&scene->lock, -1, &fail));
    CHECK(loop_spawn(wait_kind, scene, &fail));
    loop_sleep(1, &fail);
    CHECK(!scene->done);
    loop_cancel(scene->fiber);
    while (!scene->done) {
        loop_yield(&fail);
    }
    loop_unlock(&scene->lock);
    CHECK(scene->lock.owner == NULL);
    close(scene->fds[0]);
    close(scene->fds[1]);
}

static void test_every_wait_can_be_cancelled(void **state)
{
    (void)state;
    void (*const kinds[])(void *) = {wait_sleep, wait_event, wait_lock, wait_readable};
    for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
        struct scene scene = {0};
        wait_kind = kinds[i];
        run_on_loops(1, cancel_wait, &scene);
        assert_false(scene.result);
        assert_int_equal(scene.code, FAIL_CANCELLED);
    }
}

static void wait_surely(void *arg)
{
    struct scene *scene = arg;
    struct fail fail = {0};
    scene->fiber = loop_fiber();
    loop_event_wait_surely(&scene->event); // cancelled while it waits
    scene->result = scene->event.set;
    loop_event_reset(&scene->event);
    CHECK(!loop_yield(&fail) && fail.code == FAIL_CANCELLED);
    scene->waiting = true;
    loop_event_wait_surely(&scene->event); // cancelled before
    scene->done = true;
}

static void cancel_sure_wait(void *arg)
{
    struct scene *scene = arg;
    struct fail fail;
    loop_event_init(&scene->event);
    CHECK(loop_spawn(wait_surely, scene, &fail));
    loop_sleep(1, &fail);
    loop_cancel(scene->fiber);
    loop_sleep(1, &fail);
    CHECK(!scene->result && !scene->waiting);
    loop_event_set(&scene->event);
    loop_sleep(1, &fail);
    CHECK(scene->result && scene->waiting && !scene->done);
    loop_event_set(&scene->event);
    while (!scene->done) {
        loop_yield(&fail);
    }
}

static void test_a_sure_wait_ends_only_with_its_event(void **state)
{
    (void)state;
    struct scene scene = {0};
    run_on_loops(1, cancel_sure_wait, &scene);
    assert_true(scene.done);
}

// ---- time limits --------------------------------------------------------------------------------

static void time_out_each(void *arg)
{
    struct scene *scene = arg;
    struct fail fail = {0};
    loop_event_init(&scene->event);
    CHECK(!loop_event_wait(&scene->event, 5, &fail) && fail.code == FAIL_TIMEOUT);
    fail_clear(&fail);
    CHECK(!loop_event_wait(&scene->event, 0, &fail) && fail.code == FAIL_TIMEOUT);
    fail_clear(&fail);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, scene->fds) == 0);
    CHECK(!loop_wait_fd(scene->fds[0], false, 5, &fail) && fail.code == FAIL_TIMEOUT);
    close(scene->fds[0]);
    close(scene->fds[1]);
}

static void test_waits_have_time_limits(void **state)
{
    (void)state;
    struct scene scene = {0};
    run_on_loops(1, time_out_each, &scene);
}

static void hold_lock(void *arg)
{
    struct scene *scene = arg;
    struct fail fail;
    loop_lock(&scene->lock, -1, &fail);
    loop_event_wait(&scene->event, -1, &fail);
    loop_unlock(&scene->lock);
    scene->done = true;
}

static void time_out_lock(void *arg)
{
    struct scene *scene = arg;
    struct fail fail = {0};
    loop_event_init(&scene->event);
    loop_spawn(hold_lock, scene, &fail);
    loop_sleep(1, &fail);
    CHECK(!loop_lock(&scene->lock, 5, &fail) && fail.code == FAIL_TIMEOUT);
    loop_event_set(&scene->event);
    CHECK(loop_lock(&scene->lock, 1000, &fail));
    CHECK(scene->done || scene->lock.owner == loop_fiber());
    loop_unlock(&scene->lock);
}

static void test_a_lock_has_a_time_limit(void **state)
{
    (void)state;
    struct scene scene = {0};
    run_on_loops(1, time_out_lock, &scene);
}

static void sleep_and_look(void *arg)
{
    (void)arg;
    struct fail fail;
    int64_t before_ns = clock_monotonic_ns();
    while (clock_monotonic_ns() - before_ns < 30 * 1000000) { // the loop's cached time is old now
    }
    before_ns = clock_monotonic_ns();
    CHECK(loop_sleep(20, &fail));
    CHECK(clock_monotonic_ns() - before_ns >= 19 * 1000000);
}

static void test_a_sleep_is_never_short(void **state)
{
    (void)state;
    run_on_loops(1, sleep_and_look, NULL);
}

// ---- order --------------------------------------------------------------------------------------

static struct scene *fifo;
static int fifo_next;

static void take_turn(void *arg)
{
    (void)arg;
    struct fail fail;
    char letter = (char)('a' + fifo_next++);
    loop_lock(&fifo->lock, -1, &fail);
    loop_yield(&fail);
    fifo->order[strlen(fifo->order)] = letter;
    loop_unlock(&fifo->lock);
}

static void queue_for_lock(void *arg)
{
    fifo = arg;
    fifo_next = 0;
    struct fail fail;
    loop_lock(&fifo->lock, -1, &fail);
    for (int i = 0; i < 5; i++) {
        loop_spawn(take_turn, NULL, &fail);
    }
    loop_sleep(1, &fail);
    loop_unlock(&fifo->lock);
    while (strlen(fifo->order) < 5) {
        loop_yield(&fail);
    }
}

static void test_a_lock_is_first_come_first_served(void **state)
{
    (void)state;
    struct scene scene = {0};
    run_on_loops(1, queue_for_lock, &scene);
    assert_string_equal(scene.order, "abcde");
}

static void cancel_in_queue(void *arg)
{
    struct scene *scene = arg;
    struct fail fail;
    fifo = scene;
    fifo_next = 1;
    loop_lock(&scene->lock, -1, &fail);
    loop_spawn(wait_lock, scene, &fail);
    loop_sleep(1, &fail);
    loop_spawn(take_turn, NULL, &fail);
    loop_sleep(1, &fail);
    loop_cancel(scene->fiber);
    loop_unlock(&scene->lock);
    while (strlen(scene->order) < 1) {
        loop_yield(&fail);
    }
    CHECK(scene->done && !scene->result);
}

static void test_a_cancelled_waiter_leaves_the_queue_of_a_lock(void **state)
{
    (void)state;
    struct scene scene = {0};
    run_on_loops(1, cancel_in_queue, &scene);
    assert_string_equal(scene.order, "b");
}

static void keep_event(void *arg)
{
    struct scene *scene = arg;
    struct fail fail = {0};
    loop_event_init(&scene->event);
    loop_event_set(&scene->event);
    CHECK(loop_event_wait(&scene->event, -1, &fail));
    CHECK(loop_event_wait(&scene->event, 0, &fail));
    loop_event_reset(&scene->event);
    CHECK(!loop_event_wait(&scene->event, 0, &fail));
}

static void test_an_event_stays_set_until_reset(void **state)
{
    (void)state;
    struct scene scene = {0};
    run_on_loops(1, keep_event, &scene);
}

// ---- descriptors --------------------------------------------------------------------------------

static void read_when_ready(void *arg)
{
    struct scene *scene = arg;
    struct fail fail;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, scene->fds) == 0);
    for (int i = 0; i < 100; i++) {
        CHECK(loop_wait_fd(scene->fds[1], true, 1000, &fail));
        CHECK(write(scene->fds[1], "x", 1) == 1);
        CHECK(loop_wait_fd(scene->fds[0], false, 1000, &fail));
        char c;
        CHECK(read(scene->fds[0], &c, 1) == 1 && c == 'x');
    }
    close(scene->fds[0]);
    close(scene->fds[1]);
    CHECK(!loop_wait_fd(scene->fds[0], false, 1000, &fail) && fail.code == FAIL_IO);
}

static void test_descriptors_wake_their_fiber(void **state)
{
    (void)state;
    struct scene scene = {0};
    run_on_loops(1, read_when_ready, &scene);
}

// ---- fairness -----------------------------------------------------------------------------------

static bool spinning;

static void spin(void *arg)
{
    (void)arg;
    struct fail fail;
    while (spinning) {
        loop_yield(&fail);
    }
}

static void sleep_beside_spinners(void *arg)
{
    (void)arg;
    struct fail fail;
    spinning = true;
    for (int i = 0; i < 10; i++) {
        loop_spawn(spin, NULL, &fail);
    }
    for (int i = 0; i < 10; i++) {
        CHECK(loop_sleep(1, &fail));
    }
    spinning = false;
    while (loop_fiber_count() > 1) {
        loop_yield(&fail);
    }
}

static void test_those_that_yield_do_not_starve_timers(void **state)
{
    (void)state;
    run_on_loops(1, sleep_beside_spinners, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_wait_can_be_cancelled),
        cmocka_unit_test(test_a_sure_wait_ends_only_with_its_event),
        cmocka_unit_test(test_waits_have_time_limits),
        cmocka_unit_test(test_a_lock_has_a_time_limit),
        cmocka_unit_test(test_a_sleep_is_never_short),
        cmocka_unit_test(test_a_lock_is_first_come_first_served),
        cmocka_unit_test(test_a_cancelled_waiter_leaves_the_queue_of_a_lock),
        cmocka_unit_test(test_an_event_stays_set_until_reset),
        cmocka_unit_test(test_descriptors_wake_their_fiber),
        cmocka_unit_test(test_those_that_yield_do_not_starve_timers),
    };
    return cmocka_run_group_tests_name("loop waits", tests, NULL, NULL);
}
