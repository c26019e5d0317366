// SPDX-License-Identifier: Apache-2.0
//
// store_write: one closure's failure is its own, what was acknowledged is there, a batch's death is everybody's, cancelled fibers leave the
// queue.
#include "store_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

struct fixture {
    struct store *store;
    struct store_env *env;
};

static bool open_fixture(struct fixture *f, const char *folder)
{
    struct fail fail = {0};
    return EXPECT_OK(open_test_store(folder, STORE_SYNC_NORMAL, &f->store, &fail)) &&
           EXPECT_OK(store_env_open(f->store, "orgs/acme/production", true, one_table, NULL, &f->env, &fail));
}

static int64_t count_in(struct store_env *env)
{
    struct fail fail = {0};
    int64_t count = -1;
    EXPECT_OK(store_read(env, count_things, &count, &fail));
    return count;
}

// ---- one writes ---------------------------------------------------------------------------------

static void write_and_read(void *arg)
{
    struct fixture f;
    struct fail fail = {0};
    if (open_fixture(&f, arg)) {
        EXPECT_OK(store_write(f.env, insert_thing, "one", &fail));
        EXPECT(count_in(f.env) == 1);
        EXPECT(!store_write(f.env, insert_thing, "one", &fail));
        EXPECT(fail.code == FAIL_DUPLICATE_DATA);
        EXPECT_OK(store_write(f.env, insert_thing, "two", &fail));
        EXPECT(count_in(f.env) == 2);
    }
    store_close(f.store);
}

static void test_a_reader_sees_what_was_written(void **state)
{
    (void)state;
    fine_on_loops(1, write_and_read, (void *)data_folder());
}

static void test_a_reader_sees_what_was_written_in_memory(void **state)
{
    (void)state;
    fine_on_loops(1, write_and_read, NULL);
}

static void write_off_the_loops(void *arg)
{
    write_and_read(arg);
}

static void test_a_command_without_loops_writes_too(void **state)
{
    (void)state;
    write_off_the_loops((void *)data_folder());
    assert_fine();
}

// ---- many write ---------------------------------------------------------------------------------

enum { MANY = 200 };

struct many {
    struct store_env *env;
    struct loop_event done;
    atomic_int left;
    atomic_int ok, refused;
    int number;
};
struct one {
    struct many *many;
    int number;
    bool half;
};

// Inserts two things; of every third closure the second one is refused, so the first must not stay either.
static bool insert_two(struct tx *tx, void *arg, struct fail *fail)
{
    struct one *one = arg;
    char name[32];
    snprintf(name, sizeof name, "a%d", one->number);
    if (!insert_thing(tx, name, fail)) {
        return false;
    }
    if (one->half) {
        return fail_set(fail, FAIL_INVALID_DATA, "no");
    }
    snprintf(name, sizeof name, "b%d", one->number);
    return insert_thing(tx, name, fail);
}

static void write_one(void *arg)
{
    struct one *one = arg;
    struct many *many = one->many;
    struct fail fail = {0};
    if (store_write(many->env, insert_two, one, &fail)) {
        atomic_fetch_add(&many->ok, 1);
    } else if (fail.code == FAIL_INVALID_DATA) {
        atomic_fetch_add(&many->refused, 1);
    }
    if (atomic_fetch_sub(&many->left, 1) == 1) {
        loop_event_set_from(&many->done);
    }
}

static void write_many(void *arg)
{
    struct fixture f;
    struct fail fail = {0};
    static struct one ones[MANY];
    struct many many = {.left = MANY};
    if (open_fixture(&f, arg)) {
        many.env = f.env;
        loop_event_init(&many.done);
        for (int i = 0; i < MANY; i++) {
            ones[i] = (struct one){.many = &many, .number = i, .half = i % 3 == 0};
            EXPECT(loop_post(loop_at(i % loop_count()), write_one, &ones[i]));
        }
        EXPECT_OK(loop_event_wait(&many.done, -1, &fail));
        EXPECT(many.refused == (MANY + 2) / 3);
        EXPECT(many.ok == MANY - (MANY + 2) / 3);
        EXPECT(count_in(f.env) == 2 * many.ok);
    }
    store_close(f.store);
}

static void test_a_closure_that_fails_is_rolled_back_alone(void **state)
{
    (void)state;
    fine_on_loops(2, write_many, (void *)data_folder());
}

static void test_memory_keeps_the_same_rules(void **state)
{
    (void)state;
    fine_on_loops(2, write_many, NULL);
}

// ---- cancelled ----------------------------------------------------------------------------------

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open, entered;
};
static struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};

static bool wait_at_gate(struct tx *tx, void *arg, struct fail *fail)
{
    pthread_mutex_lock(&gate.lock);
    gate.entered = true;
    while (!gate.open && !on_server()) { // there each closure is alone in its transaction
        pthread_cond_wait(&gate.opened, &gate.lock);
    }
    pthread_mutex_unlock(&gate.lock);
    return insert_thing(tx, arg, fail);
}

struct cancelled {
    struct store_env *env;
    store_fn *fn;
    char name[16];
    struct fiber *fiber;
    struct fail fail;
    bool ok, ended;
};

static void write_to_be_cancelled(void *arg)
{
    struct cancelled *c = arg;
    c->fiber = loop_fiber();
    c->ok = store_write(c->env, c->fn, c->name, &c->fail);
    c->ended = true;
}

static bool gate_entered(void)
{
    pthread_mutex_lock(&gate.lock);
    bool entered = gate.entered;
    pthread_mutex_unlock(&gate.lock);
    return entered;
}

static void open_gate(void)
{
    pthread_mutex_lock(&gate.lock);
    gate.open = true;
    pthread_cond_broadcast(&gate.opened);
    pthread_mutex_unlock(&gate.lock);
}

static void cancel_waiting(void *arg)
{
    struct fixture f;
    struct fail fail = {0};
    gate.open = gate.entered = false;
    if (open_fixture(&f, arg)) {
        struct cancelled begun = {.env = f.env, .fn = wait_at_gate, .name = "begun"},
                         queued = {.env = f.env, .fn = insert_thing, .name = "queued"};
        EXPECT_OK(loop_spawn(write_to_be_cancelled, &begun, &fail));
        while (!gate_entered()) {
            EXPECT_OK(loop_sleep(1, &fail));
        }
        EXPECT_OK(loop_spawn(write_to_be_cancelled, &queued, &fail));
        EXPECT_OK(loop_sleep(1, &fail));
        loop_cancel(queued.fiber);
        EXPECT_OK(loop_sleep(1, &fail));
        EXPECT(queued.ended && !queued.ok && queued.fail.code == FAIL_CANCELLED);
        loop_cancel(begun.fiber);
        EXPECT_OK(loop_sleep(1, &fail)); // the loop goes on: the gate is opened by one of its fibers
        EXPECT(!begun.ended);
        open_gate();
        while (!begun.ended) {
            EXPECT_OK(loop_sleep(1, &fail));
        }
        EXPECT(begun.ok);
        EXPECT(count_in(f.env) == 1);
    }
    store_close(f.store);
}

static void test_a_cancelled_fiber_leaves_the_queue_but_waits_for_what_has_begun(void **state)
{
    (void)state;
    if (on_server()) {
        skip(); // there is no queue, and no closure may hold its loop up as this one does
    }
    fine_on_loops(1, cancel_waiting, (void *)data_folder());
}

// ---- cancelled at any moment --------------------------------------------------------------------

enum { RACERS = 64, RACE_ROUNDS = 30 };

struct racer {
    struct store_env *env;
    struct fiber *fiber;
    int64_t acknowledged, cancelled;
    int number;
    bool ended;
};

static void race(void *arg)
{
    struct racer *r = arg;
    struct fail fail = {0};
    char name[48];
    r->fiber = loop_fiber();
    for (int i = 0; !loop_cancelled() && i < 1000; i++) {
        snprintf(name, sizeof name, "r%d-%d", r->number, i);
        bool ok = store_write(r->env, insert_thing, name, &fail);
        r->acknowledged += ok;
        r->cancelled += !ok && fail.code == FAIL_CANCELLED;
    }
    r->ended = true;
}

static void cancel_racers(void *arg)
{
    struct fixture f;
    struct fail fail = {0};
    static struct racer racers[RACERS];
    int64_t acknowledged = 0, cancelled = 0;
    if (open_fixture(&f, arg)) {
        int rounds = on_server() ? 2 : RACE_ROUNDS; // each fiber that is cancelled costs its connection
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < RACERS; i++) {
                racers[i] = (struct racer){.env = f.env, .number = round * RACERS + i};
                EXPECT_OK(loop_spawn(race, &racers[i], &fail));
            }
            for (int i = 0; i < RACERS; i++) {
                EXPECT_OK(loop_yield(&fail));
                while (!racers[i].fiber && !racers[i].ended) {
                    EXPECT_OK(loop_sleep(1, &fail));
                }
                while (i % 2 && !racers[i].acknowledged) { // every second one gets something done first
                    EXPECT_OK(loop_sleep(0, &fail));
                }
                if (!racers[i].ended) {
                    loop_cancel(racers[i].fiber);
                }
                while (!racers[i].ended) {
                    EXPECT_OK(loop_sleep(0, &fail));
                }
                acknowledged += racers[i].acknowledged;
                cancelled += racers[i].cancelled;
            }
        }
        EXPECT(acknowledged > 0 && cancelled > 0);
        EXPECT(count_in(f.env) == acknowledged); // neither more nor less
    }
    store_close(f.store);
}

static void test_what_a_cancelled_fiber_was_told_is_so(void **state)
{
    (void)state;
    fine_on_loops(1, cancel_racers, (void *)data_folder());
}

// ---- deferred constraints -----------------------------------------------------------------------

static const struct store_migration parents[] = {
    {"test", 1,
     "CREATE TABLE parents (id INTEGER PRIMARY KEY); CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, parent INTEGER"
     " REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)",
     NULL},
    {NULL, 0, NULL, NULL},
};

static bool insert_orphan(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    return tx_exec(tx, "INSERT INTO things (parent) VALUES (7)", NULL, 0, fail);
}

static void write_beside_orphans(void *arg)
{
    struct store *store = NULL;
    struct store_env *env = NULL;
    struct fail fail = {0};
    struct cancelled fine = {.fn = insert_thing, .name = "fine"}, orphan = {.fn = insert_orphan},
                     gated = {.fn = wait_at_gate, .name = "gated"};
    gate.open = gate.entered = false;
    if (EXPECT_OK(open_test_store(arg, STORE_SYNC_NORMAL, &store, &fail)) &&
        EXPECT_OK(store_env_open(store, "control", true, parents, NULL, &env, &fail))) {
        gated.env = fine.env = orphan.env = env;
        EXPECT_OK(loop_spawn(write_to_be_cancelled, &gated, &fail)); // holds the batch until all have come
        while (!gate_entered()) {
            EXPECT_OK(loop_sleep(1, &fail));
        }
        EXPECT_OK(loop_spawn(write_to_be_cancelled, &orphan, &fail));
        EXPECT_OK(loop_spawn(write_to_be_cancelled, &fine, &fail));
        EXPECT_OK(loop_sleep(1, &fail));
        open_gate();
        while (!gated.ended || !orphan.ended || !fine.ended) {
            EXPECT_OK(loop_sleep(1, &fail));
        }
        EXPECT(gated.ok && fine.ok && !orphan.ok);
        EXPECT(strcasestr(orphan.fail.text, "foreign key"));
        EXPECT(count_in(env) == 2);
    }
    store_close(store);
}

static void test_a_broken_deferred_constraint_fails_its_own_closure(void **state)
{
    (void)state;
    fine_on_loops(1, write_beside_orphans, (void *)data_folder());
}

// ---- ids and the version ------------------------------------------------------------------------

struct ids {
    int64_t first, last;
    bool fail;
};

static bool take_ids(struct tx *tx, void *arg, struct fail *fail)
{
    struct ids *ids = arg;
    ids->first = store_id(tx, fail);
    for (int i = 0; i < 1500; i++) {
        int64_t id = store_id(tx, fail);
        if (id <= ids->last) {
            return fail_set(fail, FAIL_INTERNAL, "ids do not grow");
        }
        ids->last = id;
    }
    return ids->fail ? fail_set(fail, FAIL_INVALID_DATA, "no") : true;
}

static void ids_grow(void *arg)
{
    struct fixture f;
    struct fail fail = {0};
    int64_t last = 0;
    for (int round = 0; round < 2 && open_fixture(&f, arg); round++) { // again after the store was closed
        struct ids first = {0}, refused = {.fail = true}, second = {0};
        EXPECT_OK(store_write(f.env, take_ids, &first, &fail));
        EXPECT(!store_write(f.env, take_ids, &refused, &fail));
        EXPECT_OK(store_write(f.env, take_ids, &second, &fail));
        EXPECT(first.first > last && second.first > first.last);
        EXPECT(first.first >= INT64_C(100000000000000000) && second.last < INT64_C(1000000000000000000));
        last = second.last;
        store_close(f.store);
    }
}

static void test_ids_have_18_digits_and_never_come_twice(void **state)
{
    (void)state;
    fine_on_loops(1, ids_grow, (void *)data_folder());
}

static bool bump(struct tx *tx, void *arg, struct fail *fail)
{
    return store_bump(tx, fail) && (!arg || fail_set(fail, FAIL_INVALID_DATA, "no"));
}

static void version_grows(void *arg)
{
    struct fixture f;
    struct fail fail = {0};
    if (!open_fixture(&f, arg)) {
        return;
    }
    int64_t before = store_env_version(f.env);
    EXPECT_OK(store_write(f.env, bump, NULL, &fail));
    EXPECT(store_env_version(f.env) == before + 1);
    EXPECT(!store_write(f.env, bump, "refused", &fail));
    EXPECT(store_env_version(f.env) == before + 1);
    store_close(f.store);
    if (open_fixture(&f, arg)) {
        EXPECT(store_env_version(f.env) == before + 1);
        store_close(f.store);
    }
}

static void test_the_version_grows_with_committed_bumps_only(void **state)
{
    (void)state;
    fine_on_loops(1, version_grows, (void *)data_folder());
}

// ---- trouble ------------------------------------------------------------------------------------

static bool insert_megabyte(struct tx *tx, void *arg, struct fail *fail)
{
    static char bytes[1 << 20];
    (void)arg;
    const struct store_param params[] = {store_blob((struct view){bytes, sizeof bytes})};
    return tx_exec(tx, "INSERT INTO things (body) VALUES (?)", params, 1, fail);
}

static void fill_disk(void *arg)
{
    struct fixture f;
    struct fail fail = {0};
    if (open_fixture(&f, arg)) {
        struct rlimit before, small = {2 << 20, 2 << 20};
        EXPECT_OK(store_write(f.env, insert_thing, "before", &fail));
        getrlimit(RLIMIT_FSIZE, &before);
        small.rlim_max = before.rlim_max;
        setrlimit(RLIMIT_FSIZE, &small);
        bool ok = true;
        for (int i = 0; i < 8 && ok; i++) {
            ok = store_write(f.env, insert_megabyte, NULL, &fail);
        }
        setrlimit(RLIMIT_FSIZE, &before);
        EXPECT(!ok && fail.code == FAIL_STORE && strstr(fail.text, "production.db"));
        EXPECT_OK(store_write(f.env, insert_thing, "after", &fail));
        EXPECT(count_in(f.env) >= 2);
    }
    store_close(f.store);
}

static void test_a_full_disk_fails_the_write_and_the_next_one_works(void **state)
{
    (void)state;
    if (on_server()) {
        skip(); // it is the server's disk
    }
    signal(SIGXFSZ, SIG_IGN);
    fine_on_loops(1, fill_disk, (void *)data_folder());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_reader_sees_what_was_written, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_a_reader_sees_what_was_written_in_memory, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_a_command_without_loops_writes_too, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_a_closure_that_fails_is_rolled_back_alone, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_memory_keeps_the_same_rules, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_a_cancelled_fiber_leaves_the_queue_but_waits_for_what_has_begun, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_what_a_cancelled_fiber_was_told_is_so, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_a_broken_deferred_constraint_fails_its_own_closure, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_ids_have_18_digits_and_never_come_twice, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_the_version_grows_with_committed_bumps_only, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_a_full_disk_fails_the_write_and_the_next_one_works, make_folder, drop_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
