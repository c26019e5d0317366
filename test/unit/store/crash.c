// SPDX-License-Identifier: Apache-2.0
//
// Killed at any moment, the store keeps what it acknowledged and nothing by halves. A child process writes from many fibers and tells each
// acknowledged pair of rows over a pipe; the parent kills it after a random time, opens the folder and looks. Twenty rounds on one folder,
// so that each child starts from what the last one left.
#include "store_test.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

enum {
    ROUNDS = 20,
    FIBERS = 16,
    FIRST_ACKS = 20, // the parent lets the child acknowledge as many before it draws a moment
    KILL_AFTER_US = 150000, // at most
    PAIRS_MAX = 400000,
};

static const struct store_migration pairs_table[] = {
    {"test", 1, "CREATE TABLE pairs (id INTEGER PRIMARY KEY, left_part INTEGER NOT NULL, body TEXT)", NULL},
    {NULL, 0, NULL, NULL},
};

static bool acknowledged[PAIRS_MAX];
static int next_pair; // of the child: where this round begins

// ---- the child ----------------------------------------------------------------------------------

struct writing {
    struct store_env *env;
    int pipe;
};

// Rows 2n and 2n + 1 belong together. A body that spills over pages makes half-written pages likely.
static bool insert_pair(struct tx *tx, void *arg, struct fail *fail)
{
    int64_t pair = *(int64_t *)arg;
    static const char body[3000] = {[0 ... 2999] = 'x'};
    for (int64_t part = 0; part < 2; part++) {
        const struct store_param params[] = {store_int(2 * pair + part), store_int(pair),
                                             store_text((struct view){body, pair % 3 ? 20 : sizeof body})};
        if (!tx_exec(tx, "INSERT INTO pairs (id, left_part, body) VALUES (?, ?, ?)", params, 3, fail)) {
            return false;
        }
    }
    return true;
}

static void write_pairs(void *arg)
{
    struct writing *writing = arg;
    struct fail fail = {0};
    while (next_pair < PAIRS_MAX) {
        int64_t pair = next_pair++;
        if (!store_write(writing->env, insert_pair, &pair, &fail) || write(writing->pipe, &pair, sizeof pair) != sizeof pair) {
            return;
        }
    }
}

static void child_main(void *arg)
{
    static struct writing writing;
    struct store *store = NULL;
    struct fail fail = {0};
    writing.pipe = *(int *)arg;
    if (open_test_store(data_folder(), STORE_SYNC_FULL, &store, &fail) &&
        store_env_open(store, "orgs/acme/production", true, pairs_table, NULL, &writing.env, &fail)) {
        for (int i = 0; i < FIBERS; i++) {
            loop_spawn(write_pairs, &writing, &fail);
        }
        return; // the loops go on until the parent ends them
    }
    fprintf(stderr, "child: %s\n", fail.text);
    _exit(1);
}

static void run_child(int pipe)
{
    struct fail fail = {0};
    alarm(30); // never outlives a parent that died
    if (loop_start(1, &fail)) {
        loop_run(child_main, &pipe, &fail);
    }
    _exit(1);
}

// ---- the parent ---------------------------------------------------------------------------------

static int read_acks(int pipe, int most)
{
    int64_t pair;
    int count = 0;
    while (count < most && read(pipe, &pair, sizeof pair) == sizeof pair) {
        assert_in_range(pair, 0, PAIRS_MAX - 1);
        acknowledged[pair] = true;
        next_pair = pair >= next_pair ? (int)pair + 1 : next_pair;
        count++;
    }
    return count;
}

struct look {
    int64_t pairs, rows;
    bool intact;
    char missing[64];
};

static bool read_pairs(struct tx *tx, void *arg, struct fail *fail)
{
    struct look *look = arg;
    static bool there[PAIRS_MAX];
    struct rows *rows = NULL;
    memset(there, 0, sizeof there);
    if (!tx_query(tx, "SELECT left_part, count(*) FROM pairs GROUP BY left_part", NULL, 0, &rows, fail)) {
        return false;
    }
    while (rows_next(rows, fail)) {
        look->pairs++;
        look->rows += rows_int(rows, 1);
        there[rows_int(rows, 0)] = true;
        next_pair = rows_int(rows, 0) >= next_pair ? (int)rows_int(rows, 0) + 1 : next_pair; // written, not yet told
    }
    rows_close(rows);
    for (int i = 0; i < PAIRS_MAX; i++) {
        if (acknowledged[i] && !there[i]) {
            snprintf(look->missing, sizeof look->missing, "pair %d was acknowledged and is gone", i);
        }
    }
    if (on_server()) { // which has its own tools
        look->intact = true;
        return fail->code == FAIL_NONE;
    }
    if (fail->code != FAIL_NONE || !tx_query(tx, "PRAGMA integrity_check", NULL, 0, &rows, fail)) {
        return false;
    }
    look->intact = rows_next(rows, fail) && view_eq(rows_text(rows, 0), VIEW("ok"));
    rows_close(rows);
    return true;
}

static void look_after(void *arg)
{
    struct look *look = arg;
    struct store *store = NULL;
    struct store_env *env = NULL;
    struct fail fail = {0};
    if (EXPECT_OK(open_test_store(data_folder(), STORE_SYNC_FULL, &store, &fail)) &&
        EXPECT_OK(store_env_open(store, "orgs/acme/production", false, pairs_table, NULL, &env, &fail))) {
        EXPECT_OK(store_read(env, read_pairs, look, &fail));
    }
    store_close(store);
}

static void kill_one(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        run_child(ends[1]);
    }
    close(ends[1]);
    assert_int_equal(read_acks(ends[0], FIRST_ACKS), FIRST_ACKS);
    int64_t until = clock_monotonic_ns() + (int64_t)(random_fast() % KILL_AFTER_US) * 1000;
    while (clock_monotonic_ns() < until && read_acks(ends[0], 1) == 1) {
    }
    kill(child, SIGKILL);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    read_acks(ends[0], PAIRS_MAX);
    close(ends[0]);
}

static void test_nothing_acknowledged_is_lost_and_nothing_is_half_there(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct look look = {0};
        kill_one();
        fine_on_loops(1, look_after, &look);
        assert_string_equal(look.missing, "");
        assert_true(look.intact);
        assert_true(look.pairs >= FIRST_ACKS);
        assert_int_equal(look.rows, 2 * look.pairs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_acknowledged_is_lost_and_nothing_is_half_there, make_folder, drop_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
