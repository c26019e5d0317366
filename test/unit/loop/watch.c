// SPDX-License-Identifier: Apache-2.0
//
// Watching a folder: saves in place, saves by rename (as editors do), new sub-folders, removals.
#include "support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETTLE_MS = 20, LOOKS_MAX = 1000 };

static char root[64];
static int calls;

static void count_call(void *arg)
{
    (void)arg;
    calls++;
}

static void write_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, "x", 1) == 1);
    close(fd);
}

static void rename_file(const char *from, const char *to)
{
    char a[256], b[256];
    snprintf(a, sizeof a, "%s/%s", root, from);
    snprintf(b, sizeof b, "%s/%s", root, to);
    CHECK(rename(a, b) == 0);
}

static void make_folder(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    CHECK(mkdir(path, 0700) == 0);
}

// Waits until fn was called since `before`.
static bool called_since(int before)
{
    struct fail fail;
    for (int i = 0; i < LOOKS_MAX && calls == before; i++) {
        loop_sleep(5, &fail);
    }
    return calls > before;
}

static void let_settle(void)
{
    struct fail fail;
    loop_sleep(5 * SETTLE_MS, &fail);
}

static void watch_changes(void *arg)
{
    (void)arg;
    struct fail fail = {0};
    struct loop_watch *watch;
    make_folder("sub");
    CHECK(loop_watch(root, SETTLE_MS, count_call, NULL, &watch, &fail));
    int before = calls;
    write_file("a.dg");
    CHECK(called_since(before));
    let_settle();
    before = calls;
    write_file("a.dg.tmp");
    rename_file("a.dg.tmp", "a.dg");
    CHECK(called_since(before));
    let_settle();
    before = calls;
    write_file("sub/b.dg");
    CHECK(called_since(before));
    let_settle();
    before = calls;
    make_folder("sub/new");
    CHECK(called_since(before));
    let_settle();
    before = calls;
    write_file("sub/new/c.dg");
    CHECK(called_since(before));
    let_settle();
    before = calls;
    rename_file("sub/new", "moved");
    CHECK(called_since(before));
    let_settle();
    before = calls;
    write_file("moved/c.dg");
    CHECK(called_since(before));
    let_settle();
    before = calls;
    let_settle();
    CHECK(calls == before); // silence while nothing changes
    loop_watch_free(watch);
    write_file("a.dg");
    let_settle();
    CHECK(calls == before);
}

static void test_changes_anywhere_below_are_told(void **state)
{
    (void)state;
    calls = 0;
    run_on_loops(1, watch_changes, NULL);
}

static void remove_path(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    CHECK(remove(path) == 0);
}

static void watch_made_again(void *arg)
{
    (void)arg;
    struct fail fail = {0};
    struct loop_watch *watch;
    make_folder("sub");
    CHECK(loop_watch(root, SETTLE_MS, count_call, NULL, &watch, &fail));
    int before = calls;
    remove_path("sub");
    make_folder("sub");
    CHECK(called_since(before));
    let_settle();
    before = calls;
    write_file("sub/b.dg");
    CHECK(called_since(before));
    let_settle();
    before = calls;
    remove_path("sub/b.dg");
    remove_path("sub");
    remove_path("");
    CHECK(called_since(before));
    let_settle();
    before = calls;
    make_folder("");
    CHECK(called_since(before));
    let_settle();
    before = calls;
    write_file("a.dg");
    CHECK(called_since(before));
    loop_watch_free(watch);
}

static void test_folders_may_be_removed_and_made_again(void **state)
{
    (void)state;
    calls = 0;
    run_on_loops(1, watch_made_again, NULL);
}

static void watch_burst(void *arg)
{
    (void)arg;
    struct fail fail = {0};
    struct loop_watch *watch;
    CHECK(loop_watch(root, 100, count_call, NULL, &watch, &fail));
    int before = calls;
    for (int i = 0; i < 50; i++) {
        write_file("burst.dg");
    }
    CHECK(called_since(before));
    CHECK(calls == before + 1);
    // the watch is left to the end of the loop
}

static void test_a_burst_is_one_call(void **state)
{
    (void)state;
    calls = 0;
    run_on_loops(1, watch_burst, NULL);
}

static void watch_wrong(void *arg)
{
    (void)arg;
    struct fail fail = {0};
    struct loop_watch *watch;
    CHECK(!loop_watch("/nowhere/at/all", SETTLE_MS, count_call, NULL, &watch, &fail) && fail.code == FAIL_IO);
}

static void test_only_folders_are_watched(void **state)
{
    (void)state;
    run_on_loops(1, watch_wrong, NULL);
}

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/sluice-watch-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    const char *const names[] = {"a.dg", "burst.dg", "sub/b.dg", "moved/c.dg", "moved", "sub", ""};
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", root, names[i]);
        remove(path);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_changes_anywhere_below_are_told, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_folders_may_be_removed_and_made_again, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_a_burst_is_one_call, make_root, remove_root),
        cmocka_unit_test(test_only_folders_are_watched),
    };
    return cmocka_run_group_tests_name("loop watch", tests, NULL, NULL);
}
