// SPDX-License-Identifier: Apache-2.0
//
// Opening: the data folder and its lock, names of environments, files that are no data base, migrations.
#include "store_test.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/wait.h>

static int mode_of(const char *below)
{
    char path[1024];
    struct stat info;
    snprintf(path, sizeof path, "%s%s", data_folder(), below);
    return stat(path, &info) == 0 ? (int)(info.st_mode & 0777) : -1;
}

static void open_env(void *arg)
{
    struct store *store = NULL;
    struct store_env *env = NULL, *again = NULL;
    struct fail fail = {0};
    (void)arg;
    if (EXPECT_OK(store_open(data_folder(), STORE_SYNC_FULL, &store, &fail))) {
        EXPECT_OK(store_env_open(store, "orgs/acme/sandbox", true, one_table, NULL, &env, &fail));
        EXPECT_OK(store_env_open(store, "orgs/acme/sandbox", false, one_table, NULL, &again, &fail));
        EXPECT(env == again);
        EXPECT(strcmp(store_env_name(env), "orgs/acme/sandbox") == 0);
        EXPECT(strcmp(store_folder(store), data_folder()) == 0);
    }
    store_close(store);
}

static void test_everything_made_is_for_its_owner_alone(void **state)
{
    (void)state;
    umask(0);
    fine_on_loops(1, open_env, NULL);
    assert_int_equal(mode_of(""), 0700);
    assert_int_equal(mode_of("/lock"), 0600);
    assert_int_equal(mode_of("/orgs"), 0700);
    assert_int_equal(mode_of("/orgs/acme"), 0700);
    assert_int_equal(mode_of("/orgs/acme/sandbox.db"), 0600);
}

static void test_a_folder_that_others_may_enter_is_closed_to_them(void **state)
{
    (void)state;
    assert_int_equal(mkdir(data_folder(), 0755), 0);
    chmod(data_folder(), 0755);
    fine_on_loops(1, open_env, NULL);
    assert_int_equal(mode_of(""), 0700);
}

static void test_a_closed_store_leaves_no_log_files(void **state)
{
    (void)state;
    fine_on_loops(1, open_env, NULL);
    assert_int_equal(mode_of("/orgs/acme/sandbox.db-wal"), -1);
}

static void test_a_second_process_is_refused(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct fail fail = {0};
    assert_true(store_open(data_folder(), STORE_SYNC_FULL, &store, &fail));
    pid_t child = fork();
    if (child == 0) {
        struct store *other = NULL;
        bool ok = store_open(data_folder(), STORE_SYNC_FULL, &other, &fail);
        _exit(!ok && fail.code == FAIL_LOCKED && strstr(fail.text, data_folder()) ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    store_close(store);
    assert_true(store_open(data_folder(), STORE_SYNC_FULL, &store, &fail)); // free again
    store_close(store);
}

static void test_a_folder_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct fail fail = {0};
    assert_false(store_open("/proc/no/such", STORE_SYNC_FULL, &store, &fail));
    assert_int_equal(fail.code, FAIL_IO);
    assert_non_null(strstr(fail.text, "/proc/no/such"));
    char file[700];
    snprintf(file, sizeof file, "%s/file", test_folder);
    close(open(file, O_CREAT | O_WRONLY, 0600));
    assert_false(store_open(file, STORE_SYNC_FULL, &store, &fail));
    assert_non_null(strstr(fail.text, "not a folder"));
}

// ---- names --------------------------------------------------------------------------------------

static void try_names(void *arg)
{
    static const char *const bad[] = {"",        "/control",   "orgs/", "orgs//x",  "../control", "orgs/../../etc/passwd",
                                      ".",       "orgs/a.b/c", "Orgs",  "orgs/a b", "orgs/a\n",   "orgs/é",
                                      "orgs\\a", "control\x01"};
    struct store *store = NULL;
    struct store_env *env = NULL;
    struct fail fail = {0};
    char longest[300];
    (void)arg;
    if (EXPECT_OK(store_open(data_folder(), STORE_SYNC_FULL, &store, &fail))) {
        for (size_t i = 0; i < BASE_COUNT(bad); i++) {
            fail_clear(&fail);
            expect_at(!store_env_open(store, bad[i], true, one_table, NULL, &env, &fail) && fail.code == FAIL_INVALID_DATA, __LINE__,
                      bad[i], &fail);
        }
        memset(longest, 'a', sizeof longest);
        longest[sizeof longest - 1] = '\0';
        EXPECT(!store_env_open(store, longest, true, one_table, NULL, &env, &fail));
        EXPECT(!store_env_open(store, "orgs/nobody/production", false, one_table, NULL, &env, &fail));
        EXPECT(fail.code == FAIL_NOT_FOUND);
        EXPECT_OK(store_env_open(store, "orgs/a-b_c/0", true, one_table, NULL, &env, &fail));
    }
    store_close(store);
}

static void test_names_cannot_leave_the_folder(void **state)
{
    (void)state;
    fine_on_loops(1, try_names, NULL);
}

// ---- files that are no data base ----------------------------------------------------------------

static void open_broken(void *arg)
{
    struct store *store = NULL;
    struct store_env *env = NULL;
    struct fail fail = {0};
    char path[700];
    (void)arg;
    if (EXPECT_OK(store_open(data_folder(), STORE_SYNC_FULL, &store, &fail))) {
        snprintf(path, sizeof path, "%s/control.db", data_folder());
        int fd = open(path, O_CREAT | O_WRONLY, 0600);
        static char noise[8192] = "this is no data base at all, but long enough to be read as one";
        EXPECT(write(fd, noise, sizeof noise) == sizeof noise);
        close(fd);
        EXPECT(!store_env_open(store, "control", true, one_table, NULL, &env, &fail));
        EXPECT(fail.code == FAIL_STORE && strstr(fail.text, "control.db"));
        EXPECT_OK(store_env_open(store, "orgs/fine/production", true, one_table, NULL, &env, &fail)); // the others still work
        unlink(path);
        EXPECT(mkdir(path, 0700) == 0);
        EXPECT(!store_env_open(store, "control", true, one_table, NULL, &env, &fail));
        EXPECT(fail.code == FAIL_IO && strstr(fail.text, "control.db"));
        rmdir(path);
        EXPECT_OK(store_env_open(store, "control", true, one_table, NULL, &env, &fail)); // and it does once the trouble is gone
    }
    store_close(store);
}

static void test_a_broken_file_is_named_and_harms_nobody(void **state)
{
    (void)state;
    fine_on_loops(1, open_broken, NULL);
}

// ---- migrations ---------------------------------------------------------------------------------

static atomic_int code_runs;

static bool count_run(struct tx *tx, void *arg, struct fail *fail)
{
    atomic_fetch_add(&code_runs, 1);
    const struct store_param params[] = {store_text(view_of(arg))};
    return tx_exec(tx, "INSERT INTO a (name) VALUES (?)", params, 1, fail);
}

static bool half_way(struct tx *tx, void *arg, struct fail *fail)
{
    return insert_thing(tx, arg, fail) && fail_set(fail, FAIL_INVALID_DATA, "half way");
}

static const struct store_migration first_list[] = {
    {"one", 1, "CREATE TABLE a (name TEXT); CREATE TABLE b (name TEXT)", NULL},
    {"two", 1, NULL, count_run},
    {NULL, 0, NULL, NULL},
};
static const struct store_migration second_list[] = {
    {"one", 1, "CREATE TABLE a (name TEXT); CREATE TABLE b (name TEXT)", NULL},
    {"two", 1, NULL, count_run},
    {"one", 2, "ALTER TABLE a ADD COLUMN size INTEGER", NULL},
    {"two", 2, NULL, count_run},
    {NULL, 0, NULL, NULL},
};
static const struct store_migration broken_list[] = {
    {"test", 1, "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)", NULL},
    {"test", 2, "CREATE TABLE more (id INTEGER PRIMARY KEY)", half_way},
    {NULL, 0, NULL, NULL},
};

static bool count_a(struct tx *tx, void *arg, struct fail *fail)
{
    bool found;
    return tx_query_int(tx, "SELECT count(*) FROM a WHERE name = 'x'", NULL, 0, arg, &found, fail);
}

static bool open_with(const struct store_migration *list, struct fail *fail, int64_t *ret_count)
{
    struct store *store = NULL;
    struct store_env *env = NULL;
    bool ok = EXPECT(store_open(data_folder(), STORE_SYNC_NORMAL, &store, fail));
    ok = ok && store_env_open(store, "control", true, list, "x", &env, fail);
    if (ok && ret_count) {
        ok = EXPECT(store_read(env, count_a, ret_count, fail));
    }
    store_close(store);
    return ok;
}

static void migrate(void *arg)
{
    struct fail fail = {0};
    int64_t count = 0;
    (void)arg;
    code_runs = 0;
    EXPECT_OK(open_with(first_list, &fail, &count));
    EXPECT(count == 1 && code_runs == 1);
    EXPECT_OK(open_with(first_list, &fail, &count));
    EXPECT(count == 1 && code_runs == 1);
    EXPECT_OK(open_with(second_list, &fail, &count));
    EXPECT(count == 2 && code_runs == 2);
    EXPECT(!open_with(first_list, &fail, NULL));
    EXPECT(fail.code == FAIL_STORE && strstr(fail.text, "newer"));
}

static void test_each_migration_runs_once_in_order(void **state)
{
    (void)state;
    fine_on_loops(1, migrate, NULL);
}

static void migrate_badly(void *arg)
{
    struct fail fail = {0};
    (void)arg;
    EXPECT(!open_with(broken_list, &fail, NULL));
    EXPECT(strstr(fail.text, "migration test 2") && strstr(fail.text, "half way"));
    struct store_migration repaired[] = {
        broken_list[0], {"test", 2, "CREATE TABLE more (id INTEGER PRIMARY KEY)", NULL}, {NULL, 0, NULL, NULL}};
    EXPECT_OK(open_with(repaired, &fail, NULL)); // what had failed left nothing, what had worked stays
}

static void test_a_migration_that_fails_leaves_nothing(void **state)
{
    (void)state;
    fine_on_loops(1, migrate_badly, NULL);
}

// ---- many at once -------------------------------------------------------------------------------

enum { OPENERS = 50 };
struct opening {
    struct store *store;
    struct store_env *envs[OPENERS];
    atomic_int next, left;
    struct loop_event done;
};

static void open_together(void *arg)
{
    struct opening *o = arg;
    struct fail fail = {0};
    int mine = atomic_fetch_add(&o->next, 1);
    store_env_open(o->store, "control", true, first_list, "x", &o->envs[mine], &fail);
    if (atomic_fetch_sub(&o->left, 1) == 1) {
        loop_event_set_from(&o->done);
    }
}

static void open_many(void *arg)
{
    struct opening o = {.left = OPENERS};
    struct fail fail = {0};
    (void)arg;
    code_runs = 0;
    if (EXPECT_OK(store_open(data_folder(), STORE_SYNC_NORMAL, &o.store, &fail))) {
        loop_event_init(&o.done);
        for (int i = 0; i < OPENERS; i++) {
            EXPECT(loop_post(loop_at(i % loop_count()), open_together, &o));
        }
        EXPECT_OK(loop_event_wait(&o.done, -1, &fail));
        for (int i = 0; i < OPENERS; i++) {
            EXPECT(o.envs[i] && o.envs[i] == o.envs[0]);
        }
        EXPECT(code_runs == 1);
    }
    store_close(o.store);
}

static void test_many_fibers_open_an_environment_once(void **state)
{
    (void)state;
    fine_on_loops(2, open_many, NULL);
}

// ---- more environments than stay open -----------------------------------------------------------

enum { CROWD = 140 };

static int open_files(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir)) {
        count++;
    }
    if (dir) {
        closedir(dir);
    }
    return count;
}

static void use_crowd(void *arg)
{
    struct store *store = NULL;
    static struct store_env *envs[CROWD];
    struct fail fail = {0};
    (void)arg;
    int before = open_files();
    if (EXPECT_OK(store_open(data_folder(), STORE_SYNC_NORMAL, &store, &fail))) {
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < CROWD; i++) {
                char name[32];
                int64_t count = -1;
                snprintf(name, sizeof name, "orgs/o%d/production", i);
                EXPECT_OK(store_env_open(store, name, true, one_table, NULL, &envs[i], &fail));
                EXPECT_OK(store_write(envs[i], insert_thing, round ? "a" : "b", &fail));
                EXPECT_OK(store_read(envs[i], count_things, &count, &fail));
                EXPECT(count == round + 1);
            }
        }
        EXPECT(open_files() - before < CROWD * 5); // five each if all stayed open
    }
    store_close(store);
}

static void test_environments_not_used_for_long_are_closed_and_come_back(void **state)
{
    (void)state;
    fine_on_loops(1, use_crowd, NULL);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_everything_made_is_for_its_owner_alone),
        WITH_FOLDER(test_a_folder_that_others_may_enter_is_closed_to_them),
        WITH_FOLDER(test_a_closed_store_leaves_no_log_files),
        WITH_FOLDER(test_a_second_process_is_refused),
        WITH_FOLDER(test_a_folder_that_cannot_be_made_is_named),
        WITH_FOLDER(test_names_cannot_leave_the_folder),
        WITH_FOLDER(test_a_broken_file_is_named_and_harms_nobody),
        WITH_FOLDER(test_each_migration_runs_once_in_order),
        WITH_FOLDER(test_a_migration_that_fails_leaves_nothing),
        WITH_FOLDER(test_many_fibers_open_an_environment_once),
        WITH_FOLDER(test_environments_not_used_for_long_are_closed_and_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
