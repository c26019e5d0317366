// SPDX-License-Identifier: Apache-2.0
//
// The run log: what was added is read back in order and through filters, old entries go, a full queue drops and counts.
#include "store_test.h"

struct fixture {
    struct store *store;
    struct runlog *log;
};

static bool open_log(struct fixture *f, const char *folder, int64_t runs_max, int64_t age_ms_max)
{
    struct fail fail = {0};
    return EXPECT_OK(store_open(folder, STORE_SYNC_NORMAL, &f->store, &fail)) &&
           EXPECT_OK(runlog_open(f->store, runs_max, age_ms_max, &f->log, &fail));
}

static void close_log(struct fixture *f)
{
    runlog_close(f->log);
    store_close(f->store);
}

static struct runlog_entry entry_of(const char *function, const char *outcome)
{
    return (struct runlog_entry){.id = VIEW("run-1"),
                                 .org = VIEW("acme"),
                                 .environment = VIEW("production"),
                                 .function = view_of(function),
                                 .version = VIEW("1.0"),
                                 .trigger = VIEW("http"),
                                 .method = VIEW("POST"),
                                 .outcome = view_of(outcome),
                                 .time_ms = clock_wall_ms(),
                                 .status = 200,
                                 .duration_ms = 1.5,
                                 .statements = 7,
                                 .lines = VIEW("[{\"line\":1,\"text\":\"grün\"}]")};
}

struct found {
    int count;
    int64_t first, last;
    char functions[400];
    bool whole; // the first entry came back as it was added
};

static void note_entry(void *arg, int64_t sequence, const struct runlog_entry *e)
{
    struct found *found = arg;
    if (!found->count++) {
        found->first = sequence;
        found->whole = view_eq(e->id, VIEW("run-1")) && view_eq(e->org, VIEW("acme")) && view_eq(e->version, VIEW("1.0")) &&
                       view_eq(e->trigger, VIEW("http")) && view_eq(e->method, VIEW("POST")) && e->status == 200 && e->duration_ms == 1.5 &&
                       e->statements == 7 && e->error.len == 0 && view_eq(e->lines, VIEW("[{\"line\":1,\"text\":\"grün\"}]"));
    }
    EXPECT(sequence > found->last);
    found->last = sequence;
    size_t len = strlen(found->functions);
    snprintf(found->functions + len, sizeof found->functions - len, "%.*s ", VIEW_ARGS(e->function));
}

static struct found find(struct fixture *f, struct runlog_query query)
{
    struct found found = {0};
    struct fail fail = {0};
    EXPECT_OK(runlog_read(f->log, &query, note_entry, &found, NULL, &fail));
    return found;
}

static void add_four(struct fixture *f)
{
    static const char *const rows[][2] = {{"ns.One", "ok"}, {"two", "script_error"}, {"ns__one", "limit"}, {"two", "ok"}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        struct runlog_entry entry = entry_of(rows[i][0], rows[i][1]);
        runlog_add(f->log, &entry);
    }
}

static void query_log(void *arg)
{
    struct fixture f = {0};
    if (open_log(&f, arg, 1000, 1000000)) {
        EXPECT(find(&f, (struct runlog_query){.limit = 10}).count == 0);
        add_four(&f);
        struct found all = find(&f, (struct runlog_query){.limit = 10});
        EXPECT(all.whole && strcmp(all.functions, "ns.One two ns__one two ") == 0);
        EXPECT(strcmp(find(&f, (struct runlog_query){.limit = 2}).functions, "ns__one two ") == 0); // the newest
        EXPECT(strcmp(find(&f, (struct runlog_query){.limit = 2, .after = all.first}).functions, "two ns__one ") == 0); // the next
        EXPECT(strcmp(find(&f, (struct runlog_query){.limit = 9, .function = VIEW("NS.one")}).functions, "ns.One ns__one ") == 0);
        EXPECT(strcmp(find(&f, (struct runlog_query){.limit = 9, .failures = true}).functions, "two ns__one ") == 0);
        EXPECT(find(&f, (struct runlog_query){.limit = 9, .org = VIEW("acme"), .environment = VIEW("production")}).count == 4);
        EXPECT(find(&f, (struct runlog_query){.limit = 9, .org = VIEW("acme"), .environment = VIEW("sandbox")}).count == 0);
        EXPECT(find(&f, (struct runlog_query){.limit = 9, .org = VIEW("other")}).count == 0);
        EXPECT(find(&f, (struct runlog_query){.limit = 9, .after = all.last}).count == 0);
        EXPECT(find(&f, (struct runlog_query){.limit = 0}).count == 0);
        EXPECT(runlog_dropped(f.log) == 0);
    }
    close_log(&f);
}

static void test_entries_are_found_through_filters(void **state)
{
    (void)state;
    fine_on_loops(1, query_log, (void *)data_folder());
}

static void test_entries_are_found_in_memory(void **state)
{
    (void)state;
    fine_on_loops(1, query_log, NULL);
}

static void reopen_log(void *arg)
{
    struct fixture f = {0};
    (void)arg;
    if (open_log(&f, data_folder(), 1000, 1000000)) {
        add_four(&f);
    }
    close_log(&f); // writes what is queued
    if (open_log(&f, data_folder(), 1000, 1000000)) {
        add_four(&f);
        struct found all = find(&f, (struct runlog_query){.limit = 100});
        EXPECT(all.count == 8 && all.last == all.first + 7);
    }
    close_log(&f);
}

static void test_a_closed_log_is_complete(void **state)
{
    (void)state;
    fine_on_loops(1, reopen_log, NULL);
}

static void bound_log(void *arg)
{
    struct fixture f = {0};
    (void)arg;
    if (open_log(&f, data_folder(), 6, 1000000)) {
        add_four(&f);
        find(&f, (struct runlog_query){.limit = 1});
        add_four(&f);
        struct found all = find(&f, (struct runlog_query){.limit = 100});
        EXPECT(all.count == 6 && all.last == 8);
    }
    close_log(&f);
    if (open_log(&f, data_folder(), 1000, 50000)) { // older ones go by age
        struct runlog_entry old = entry_of("old", "ok");
        old.time_ms -= 100000;
        runlog_add(f.log, &old);
        add_four(&f);
        find(&f, (struct runlog_query){.limit = 1});
        struct runlog_entry new = entry_of("new", "ok");
        runlog_add(f.log, &new);
        EXPECT(find(&f, (struct runlog_query){.limit = 100, .function = VIEW("new")}).count == 1);
        EXPECT(find(&f, (struct runlog_query){.limit = 100}).last == 14);
    }
    close_log(&f);
}

static void test_the_log_is_bounded(void **state)
{
    (void)state;
    fine_on_loops(1, bound_log, NULL);
}

static void expire_log(void *arg)
{
    struct fixture f = {0};
    (void)arg;
    if (open_log(&f, data_folder(), 1000, 50000)) {
        for (int i = 0; i < 3; i++) {
            struct runlog_entry old = entry_of("old", "ok");
            old.time_ms -= 100000;
            runlog_add(f.log, &old);
        }
        add_four(&f);
        EXPECT(find(&f, (struct runlog_query){.limit = 100, .function = VIEW("old")}).count == 0);
        EXPECT(find(&f, (struct runlog_query){.limit = 100}).count == 4);
    }
    close_log(&f);
}

static void test_entries_that_are_too_old_go(void **state)
{
    (void)state;
    fine_on_loops(1, expire_log, NULL);
}

static void overflow_log(void *arg)
{
    struct fixture f = {0};
    (void)arg;
    char *big = calloc(1, 40 << 20);
    if (open_log(&f, data_folder(), 1000000, 1000000) && EXPECT(big)) {
        struct runlog_entry entry = entry_of("big", "ok");
        memset(big, 'x', 40 << 20);
        entry.lines = (struct view){big, 40 << 20}; // more than the queue ever takes
        runlog_add(f.log, &entry);
        EXPECT(runlog_dropped(f.log) == 1);
        entry.lines = (struct view){big, 5 << 20};
        runlog_add(f.log, &entry);
        runlog_add(f.log, &entry);
        EXPECT(find(&f, (struct runlog_query){.limit = 100}).count == 2); // more than a page
        EXPECT(runlog_dropped(f.log) == 1);
    }
    free(big);
    close_log(&f);
}

static void test_what_does_not_fit_is_dropped_and_counted(void **state)
{
    (void)state;
    fine_on_loops(1, overflow_log, NULL);
}

enum { MANY = 6000 };

static void fill_log(void *arg)
{
    struct fixture f = {0};
    (void)arg;
    if (open_log(&f, data_folder(), MANY - 500, 1000000)) {
        char id[16];
        for (int i = 1; i <= MANY; i++) { // several chunks, in two batches
            struct runlog_entry entry = entry_of(i % 1000 ? "many" : "rare", "ok");
            snprintf(id, sizeof id, "run-%d", i);
            entry.id = view_of(id);
            runlog_add(f.log, &entry);
            if (i == MANY / 2) {
                find(&f, (struct runlog_query){.limit = 1});
            }
        }
        struct found newest = find(&f, (struct runlog_query){.limit = 2500});
        EXPECT(newest.count == 2500 && newest.first == MANY - 2499 && newest.last == MANY);
        struct found next = find(&f, (struct runlog_query){.limit = 2500, .after = 1234});
        EXPECT(next.count == 2500 && next.first == 1235 && next.last == 3734);
        struct found rare = find(&f, (struct runlog_query){.limit = 4, .function = VIEW("rare")});
        EXPECT(rare.count == 4 && rare.first == 3000 && rare.last == 6000);
        struct found all = find(&f, (struct runlog_query){.limit = 100000});
        EXPECT(all.count == MANY - 500 && all.first == 501);
        EXPECT(runlog_dropped(f.log) == 0);
    }
    close_log(&f);
}

static void test_entries_are_found_over_chunks(void **state)
{
    (void)state;
    fine_on_loops(1, fill_log, NULL);
}

static void break_log(void *arg)
{
    struct fixture f = {0};
    char path[700];
    (void)arg;
    if (open_log(&f, data_folder(), 1000, 1000000)) {
        snprintf(path, sizeof path, "%s/runlog.db", data_folder());
        EXPECT(mkdir(path, 0700) == 0);
        add_four(&f);
        struct found found = {0};
        struct fail fail = {0};
        struct runlog_query query = {.limit = 10};
        EXPECT(!runlog_read(f.log, &query, note_entry, &found, NULL, &fail) && strstr(fail.text, "runlog.db"));
        EXPECT(runlog_dropped(f.log) == 4);
        rmdir(path);
        add_four(&f); // and again when the trouble is gone
        EXPECT(find(&f, query).count == 4);
    }
    close_log(&f);
}

static void test_a_log_that_cannot_be_written_drops_and_counts(void **state)
{
    (void)state;
    fine_on_loops(1, break_log, NULL);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_entries_are_found_through_filters), WITH_FOLDER(test_entries_are_found_in_memory),
        WITH_FOLDER(test_a_closed_log_is_complete),          WITH_FOLDER(test_the_log_is_bounded),
        WITH_FOLDER(test_entries_that_are_too_old_go),       WITH_FOLDER(test_what_does_not_fit_is_dropped_and_counted),
        WITH_FOLDER(test_entries_are_found_over_chunks),     WITH_FOLDER(test_a_log_that_cannot_be_written_drops_and_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
