// SPDX-License-Identifier: Apache-2.0
//
// The journal of an install action: undone, nothing of it is left, except where somebody else has written since.
#include "store_test.h"

#define T(text) VIEW(text)

static bool run(struct tx *tx, const char *sql, struct fail *fail)
{
    return tx_exec(tx, sql, NULL, 0, fail);
}

// What an installation does: changes 1, deletes 2, adds 3, changes 1 again.
static bool install(struct tx *tx, void *arg, struct fail *fail)
{
    int64_t *journal = arg;
    return run(tx, "INSERT INTO things (id, name, size) VALUES (1, 'one', 1.5), (2, 'two', NULL)", fail) &&
           store_journal_begin(tx, journal, fail) && run(tx, "UPDATE things SET name = 'uno', size = 2 WHERE id = 1", fail) &&
           store_journal_note(tx, *journal, T("things"), 1, T("{\"name\":\"one\",\"size\":1.5}"), T("{\"name\":\"uno\",\"size\":2}"),
                              fail) &&
           run(tx, "DELETE FROM things WHERE id = 2", fail) &&
           store_journal_note(tx, *journal, T("things"), 2, T("{\"id\":2,\"name\":\"two\",\"size\":null}"), VIEW_NONE, fail) &&
           run(tx, "INSERT INTO things (id, name) VALUES (3, 'three')", fail) &&
           store_journal_note(tx, *journal, T("things"), 3, VIEW_NONE, T("{\"name\":\"three\"}"), fail) &&
           run(tx, "UPDATE things SET name = 'eins' WHERE id = 1", fail) &&
           store_journal_note(tx, *journal, T("things"), 1, T("{\"name\":\"uno\"}"), T("{\"name\":\"eins\"}"), fail);
}

static bool undo(struct tx *tx, void *arg, struct fail *fail)
{
    return store_journal_undo(tx, *(int64_t *)arg, fail);
}

static bool done(struct tx *tx, void *arg, struct fail *fail)
{
    return store_journal_done(tx, *(int64_t *)arg, fail);
}

static bool rename_one(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    return run(tx, "UPDATE things SET name = 'by hand' WHERE id = 1", fail);
}

static bool drop_table(struct tx *tx, void *arg, struct fail *fail)
{
    return store_journal_note(tx, *(int64_t *)arg, T("gone"), 1, VIEW_NONE, T("{\"a\":1}"), fail) &&
           store_journal_note(tx, *(int64_t *)arg, T("things"), 1, T("no JSON"), T("{}"), fail);
}

// "1:name:size 2:…" of all rows.
static bool list(struct tx *tx, void *arg, struct fail *fail)
{
    char *out = arg;
    struct rows *rows = NULL;
    out[0] = '\0';
    if (!tx_query(tx,
                  "SELECT id, name, CASE WHEN size IS NULL THEN 'none' WHEN size = 2 THEN '2.0' ELSE CAST(size AS TEXT) END FROM things "
                  "ORDER BY id",
                  NULL, 0, &rows, fail)) {
        return false;
    }
    while (rows_next(rows, fail)) {
        size_t len = strlen(out);
        snprintf(out + len, 200 - len, "%d:%.*s:%.*s ", (int)rows_int(rows, 0), VIEW_ARGS(rows_text(rows, 1)),
                 VIEW_ARGS(rows_text(rows, 2)));
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

struct story {
    store_fn *steps[4];
    bool reopen; // the process "dies" after the steps
    const char *wanted;
};

static void tell_story(void *arg)
{
    const struct story *story = arg;
    struct store *store = NULL;
    struct store_env *env = NULL;
    struct fail fail = {0};
    int64_t journal = 0;
    char got[200] = "";
    EXPECT_OK(open_test_store(data_folder(), STORE_SYNC_NORMAL, &store, &fail));
    if (EXPECT_OK(store_env_open(store, "control", true, one_table, NULL, &env, &fail))) {
        for (int i = 0; i < 4 && story->steps[i]; i++) {
            EXPECT_OK(store_write(env, story->steps[i], &journal, &fail));
        }
        if (story->reopen) {
            store_close(store);
            EXPECT_OK(open_test_store(data_folder(), STORE_SYNC_NORMAL, &store, &fail));
            EXPECT_OK(store_env_open(store, "control", true, one_table, NULL, &env, &fail));
        }
        EXPECT_OK(store_read(env, list, got, &fail));
        expect_at(strcmp(got, story->wanted) == 0, __LINE__, got, NULL);
    }
    store_close(store);
}

static void tell(struct story story)
{
    fine_on_loops(1, tell_story, &story);
}

static void test_undo_leaves_nothing(void **state)
{
    (void)state;
    tell((struct story){.steps = {install, undo}, .wanted = "1:one:1.5 2:two:none "});
}

static void test_undo_keeps_what_somebody_wrote_since(void **state)
{
    (void)state;
    tell((struct story){.steps = {install, rename_one, undo}, .wanted = "1:by hand:1.5 2:two:none "});
}

static void test_done_keeps_what_was_installed(void **state)
{
    (void)state;
    tell((struct story){.steps = {install, done}, .reopen = true, .wanted = "1:eins:2.0 3:three:none "});
}

static void test_an_unfinished_journal_is_undone_on_open(void **state)
{
    (void)state;
    tell((struct story){.steps = {install}, .reopen = true, .wanted = "1:one:1.5 2:two:none "});
}

static void test_a_note_that_cannot_be_undone_does_not_stop_the_others(void **state)
{
    (void)state;
    tell((struct story){.steps = {install, drop_table, undo}, .wanted = "1:one:1.5 2:two:none "});
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_undo_leaves_nothing),
        WITH_FOLDER(test_undo_keeps_what_somebody_wrote_since),
        WITH_FOLDER(test_done_keeps_what_was_installed),
        WITH_FOLDER(test_an_unfinished_journal_is_undone_on_open),
        WITH_FOLDER(test_a_note_that_cannot_be_undone_does_not_stop_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
