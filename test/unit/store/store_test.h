// SPDX-License-Identifier: Apache-2.0
//
// What the programs of test/unit/store share: a data folder of the test's own, a loop to run in, and a few closures.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/loop.h"
#include "store/store.h"

// A fresh folder below $TMPDIR; the store makes FOLDER/data in it.
static char test_folder[512];

__attribute__((unused)) static void remove_below(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        char below[1024];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR) {
            remove_below(below); // as deep as the test made folders
        } else {
            unlink(below);
        }
    }
    if (dir) {
        closedir(dir);
    }
    rmdir(path);
}

// With SLUICE_TEST_POSTGRES (test/postgres.py) the records are on that server, in a data base of the test's own.
static char test_url[1024];

static int ask_server(const char *what, const char *base)
{
    char line[2048];
    snprintf(line, sizeof line, "psql -Xq -c '%s DATABASE %s' '%s'", what, base, getenv("SLUICE_TEST_POSTGRES"));
    return system(line) == 0 ? 0 : -1;
}

static int make_base(void)
{
    static int count;
    const char *server = getenv("SLUICE_TEST_POSTGRES"), *query = server ? strstr(server, "/postgres?") : NULL;
    char base[64];
    if (!query) {
        return 0;
    }
    snprintf(base, sizeof base, "unit_%d_%d", (int)getpid(), count++);
    snprintf(test_url, sizeof test_url, "%.*s/%s%s", (int)(query - server), server, base, query + strlen("/postgres"));
    return ask_server("CREATE", base);
}

__attribute__((unused)) static int make_folder(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(test_folder, sizeof test_folder, "%s/sluice-store-XXXXXX", base ? base : "/tmp");
    return mkdtemp(test_folder) ? make_base() : -1;
}

__attribute__((unused)) static int drop_folder(void **state)
{
    (void)state;
    remove_below(test_folder);
    return 0;
}

__attribute__((unused)) static bool on_server(void)
{
    return test_url[0] != '\0';
}

// Of the data folder, or of the test's data base.
__attribute__((unused)) static bool open_test_store(const char *folder, enum store_sync sync, struct store **ret_store, struct fail *fail)
{
    return folder && on_server() ? store_open_shared(folder, test_url, sync, ret_store, fail) : store_open(folder, sync, ret_store, fail);
}

__attribute__((unused)) static const char *data_folder(void)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/data", test_folder);
    return path;
}

// Runs fn on a fiber of loop 0 and ends the loops. Assertions are made after it: cmocka's longjmp does not leave a fiber.
struct test_run {
    void (*fn)(void *arg);
    void *arg;
};

static void run_and_stop(void *arg)
{
    struct test_run *run = arg;
    run->fn(run->arg);
    loop_stop();
}

__attribute__((unused)) static void on_loops(int workers, void (*fn)(void *arg), void *arg)
{
    struct fail fail = {0};
    struct test_run run = {.fn = fn, .arg = arg};
    assert_true(loop_start(workers, &fail));
    assert_true(loop_run(run_and_stop, &run, &fail));
}

// Inside a fiber: the first thing that is not so is kept with its line, and told by assert_fine.
static char first_wrong[700];

static inline bool expect_at(bool so, int line, const char *what, const struct fail *fail)
{
    if (!so && !first_wrong[0]) {
        snprintf(first_wrong, sizeof first_wrong, "line %d: %s (%s)", line, what, fail ? fail->text : "");
    }
    return so;
}
#define EXPECT(what) expect_at((what), __LINE__, #what, NULL)
#define EXPECT_OK(what) expect_at((what), __LINE__, #what, &fail)

static inline void assert_fine(void)
{
    char wrong[sizeof first_wrong];
    memcpy(wrong, first_wrong, sizeof wrong);
    first_wrong[0] = '\0';
    assert_string_equal(wrong, "");
}

__attribute__((unused)) static void fine_on_loops(int workers, void (*fn)(void *arg), void *arg)
{
    on_loops(workers, fn, arg);
    assert_fine();
}

static const struct store_migration one_table[] __attribute__((unused)) = {
    {"test", 1, "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE, size REAL, body BLOB)", NULL},
    {NULL, 0, NULL, NULL},
};

__attribute__((unused)) static bool insert_thing(struct tx *tx, void *arg, struct fail *fail)
{
    const char *name = arg;
    const struct store_param params[] = {store_text(view_of(name))};
    return tx_exec(tx, "INSERT INTO things (name) VALUES (?)", params, 1, fail);
}

__attribute__((unused)) static bool count_things(struct tx *tx, void *arg, struct fail *fail)
{
    bool found;
    return tx_query_int(tx, "SELECT count(*) FROM things", NULL, 0, arg, &found, fail);
}
