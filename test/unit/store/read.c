// SPDX-License-Identifier: Apache-2.0
//
// store_read: one snapshot a closure, a bounded pool that serves waiting fibers in turn, long reads that give way and end when they are
// cancelled.
#include "store_test.h"

#include <pthread.h>
#include <stdatomic.h>

struct fixture {
    struct store *store;
    struct store_env *env;
};

static bool open_fixture(struct fixture *f)
{
    struct fail fail = {0};
    return EXPECT_OK(open_test_store(data_folder(), STORE_SYNC_NORMAL, &f->store, &fail)) &&
           EXPECT_OK(store_env_open(f->store, "orgs/acme/production", true, one_table, NULL, &f->env, &fail));
}

// A query that takes seconds when nobody ends it.
static const char long_sql[] = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ?) SELECT count(*) FROM c";

static bool read_long(struct tx *tx, void *arg, struct fail *fail)
{
    const struct store_param params[] = {store_int(*(int64_t *)arg)};
    bool found;
    return tx_query_int(tx, long_sql, params, 1, arg, &found, fail);
}

struct reading {
    struct store_env *env;
    struct fiber *fiber;
    int64_t number;
    struct fail fail;
    bool ok, ended;
};

static void read_on_fiber(void *arg)
{
    struct reading *r = arg;
    r->fiber = loop_fiber();
    r->ok = store_read(r->env, read_long, &r->number, &r->fail);
    r->ended = true;
}

// ---- give way -----------------------------------------------------------------------------------

static void read_beside(void *arg)
{
    struct fixture f;
    struct fail fail = {0};
    (void)arg;
    if (open_fixture(&f)) {
        struct reading r = {.env = f.env, .number = 3000000};
        int turns = 0;
        EXPECT_OK(loop_spawn(read_on_fiber, &r, &fail));
        while (!r.ended) {
            EXPECT_OK(loop_yield(&fail));
            turns++;
        }
        EXPECT(r.ok && r.number == 3000000);
        EXPECT(turns > 20); // others had their turn while it read
    }
    store_close(f.store);
}

static void test_a_long_read_gives_way(void **state)
{
    (void)state;
    fine_on_loops(1, read_beside, NULL);
}

static void cancel_reading(void *arg)
{
    struct fixture f;
    struct fail fail = {0};
    (void)arg;
    if (open_fixture(&f)) {
        struct reading r = {.env = f.env, .number = INT64_C(1000000000000)}, after = {.env = f.env, .number = 10};
        EXPECT_OK(loop_spawn(read_on_fiber, &r, &fail));
        for (int i = 0; i < 50; i++) {
            EXPECT_OK(loop_sleep(1, &fail));
        }
        EXPECT(!r.ended);
        loop_cancel(r.fiber);
        while (!r.ended) {
            EXPECT_OK(loop_sleep(1, &fail));
        }
        EXPECT(!r.ok && r.fail.code == FAIL_CANCELLED);
        read_on_fiber(&after); // its connection can be used again
        EXPECT(after.ok && after.number == 10);
    }
    store_close(f.store);
}

static void test_a_cancelled_read_ends(void **state)
{
    (void)state;
    fine_on_loops(1, cancel_reading, NULL);
}

// ---- snapshot -----------------------------------------------------------------------------------

struct twice {
    int64_t first, second;
};

// Between the two statements the long one gives way, so that a writer can get in.
static bool read_twice(struct tx *tx, void *arg, struct fail *fail)
{
    struct twice *twice = arg;
    int64_t steps = 1000000;
    return count_things(tx, &twice->first, fail) && read_long(tx, &steps, fail) && count_things(tx, &twice->second, fail);
}

struct writing {
    struct store_env *env;
    atomic_bool stop, ended;
    int64_t written;
};

static void write_meanwhile(void *arg)
{
    struct writing *w = arg;
    struct fail fail = {0};
    while (!w->stop) {
        char name[32];
        snprintf(name, sizeof name, "n%d", (int)w->written);
        w->written += EXPECT_OK(store_write(w->env, insert_thing, name, &fail));
    }
    w->ended = true;
}

static void read_while_writing(void *arg)
{
    struct fixture f;
    struct fail fail = {0};
    (void)arg;
    if (open_fixture(&f)) {
        struct writing w = {.env = f.env};
        struct twice twice = {0};
        int64_t before = 0;
        EXPECT_OK(loop_spawn(write_meanwhile, &w, &fail));
        for (int i = 0; i < 10; i++) {
            before = w.written;
            EXPECT_OK(store_read(f.env, read_twice, &twice, &fail));
            EXPECT(twice.first == twice.second);
            EXPECT(twice.first >= before); // what was acknowledged is seen
        }
        EXPECT(w.written > 0);
        w.stop = true;
        while (!w.ended) {
            EXPECT_OK(loop_sleep(1, &fail));
        }
    }
    store_close(f.store);
}

static void test_statements_of_one_read_see_the_same_data(void **state)
{
    (void)state;
    fine_on_loops(1, read_while_writing, NULL);
}

// ---- the pool -----------------------------------------------------------------------------------

enum { CROWD = 100 };

static void crowd_in(void *arg)
{
    struct fixture f;
    struct fail fail = {0};
    static struct reading crowd[CROWD];
    (void)arg;
    if (open_fixture(&f)) {
        for (int i = 0; i < CROWD; i++) {
            crowd[i] = (struct reading){.env = f.env, .number = 20000 + i};
            EXPECT(loop_post(loop_at(0), read_on_fiber, &crowd[i]));
        }
        for (int i = 0; i < CROWD; i++) {
            if (i == CROWD / 2 && crowd[CROWD - 1].fiber && !crowd[CROWD - 1].ended) {
                loop_cancel(crowd[CROWD - 1].fiber); // it waits its turn, or reads
            }
            while (!crowd[i].ended) {
                EXPECT_OK(loop_sleep(1, &fail));
            }
            EXPECT(i == CROWD - 1 ? crowd[i].ok || crowd[i].fail.code == FAIL_CANCELLED : crowd[i].ok && crowd[i].number == 20000 + i);
        }
    }
    store_close(f.store);
}

static void test_more_fibers_than_connections_all_get_their_turn(void **state)
{
    (void)state;
    fine_on_loops(1, crowd_in, NULL);
}

// ---- trouble ------------------------------------------------------------------------------------

static bool refuse(struct tx *tx, void *arg, struct fail *fail)
{
    (void)tx;
    (void)arg;
    return fail_set(fail, FAIL_NOT_FOUND, "as the closure says");
}

static void read_and_refuse(void *arg)
{
    struct fixture f;
    struct fail fail = {0};
    (void)arg;
    if (open_fixture(&f)) {
        EXPECT(!store_read(f.env, refuse, NULL, &fail) && fail.code == FAIL_NOT_FOUND);
        int64_t count = -1;
        EXPECT_OK(store_read(f.env, count_things, &count, &fail));
        EXPECT(count == 0);
    }
    store_close(f.store);
}

static void test_a_closure_that_fails_gives_its_connection_back(void **state)
{
    (void)state;
    fine_on_loops(1, read_and_refuse, NULL);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_a_long_read_gives_way),
        WITH_FOLDER(test_a_cancelled_read_ends),
        WITH_FOLDER(test_statements_of_one_read_see_the_same_data),
        WITH_FOLDER(test_more_fibers_than_connections_all_get_their_turn),
        WITH_FOLDER(test_a_closure_that_fails_gives_its_connection_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
