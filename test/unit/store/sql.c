// SPDX-License-Identifier: Apache-2.0
//
// Statements and rows: every type goes in and comes out as it was, wrong SQL is told, names are quoted, queries may stand inside queries.
#include "store_test.h"

struct trial {
    store_fn *fn;
    bool read; // as a reader too
    bool wrong; // a server keeps nothing of a closure with a wrong statement
};

static void run_trial(void *arg)
{
    const struct trial *trial = arg;
    struct store *store = NULL;
    struct store_env *env = NULL;
    struct fail fail = {0};
    if (EXPECT_OK(open_test_store(data_folder(), STORE_SYNC_NORMAL, &store, &fail)) &&
        EXPECT_OK(store_env_open(store, "control", true, one_table, NULL, &env, &fail))) {
        if (trial->read) {
            EXPECT_OK(store_read(env, trial->fn, NULL, &fail));
        } else {
            EXPECT_OK(store_write(env, trial->fn, NULL, &fail) == !(trial->wrong && on_server()));
        }
    }
    store_close(store);
}

static void run_writing(store_fn *fn)
{
    struct trial trial = {.fn = fn};
    fine_on_loops(1, run_trial, &trial);
}

static bool every_type(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    static const char bytes[] = {'a', 0, 'b', (char)0xff};
    const struct store_param params[] = {store_int(INT64_MIN), store_text(VIEW("grün \"' \xF0\x9F\x98\x80")),
                                         store_real(0.1),      store_blob((struct view){bytes, 4}),
                                         store_null(),         store_text(VIEW_NONE),
                                         store_blob(VIEW_NONE)};
    struct rows *rows = NULL;
    if (!EXPECT(tx_query(tx, "SELECT ? AS whole, ?, ?, ?, ?, ?, ?", params, 7, &rows, fail))) {
        return false;
    }
    EXPECT(rows_next(rows, fail));
    EXPECT(rows_columns(rows) == 7 && strcmp(rows_column_name(rows, 0), "whole") == 0);
    EXPECT(rows_type(rows, 0) == STORE_INTEGER && rows_int(rows, 0) == INT64_MIN);
    EXPECT(rows_type(rows, 1) == STORE_TEXT && view_eq(rows_text(rows, 1), params[1].text));
    EXPECT(rows_type(rows, 2) == STORE_REAL && rows_real(rows, 2) == 0.1);
    EXPECT(rows_type(rows, 3) == STORE_BLOB && view_eq(rows_text(rows, 3), params[3].text));
    EXPECT(rows_type(rows, 4) == STORE_NULL && rows_text(rows, 4).len == 0);
    EXPECT(rows_type(rows, 5) == STORE_TEXT && rows_text(rows, 5).len == 0);
    EXPECT(rows_type(rows, 6) == STORE_BLOB && rows_text(rows, 6).len == 0);
    EXPECT(!rows_next(rows, fail) && fail->code == FAIL_NONE);
    EXPECT(!rows_next(rows, fail) && fail->code == FAIL_NONE); // the end stays the end
    rows_close(rows);
    return true;
}

static void test_every_type_comes_back_as_it_was(void **state)
{
    (void)state;
    run_writing(every_type);
}

// Each in a closure of its own: after an error PostgreSQL takes nothing more.
static const struct {
    const char *sql, *told;
    int params;
} wrong[] = {
    {"INSERT INTO nowhere VALUES (1)", "nowhere", 0},
    {"SELECT 1; SELECT 2", "one statement", 0},
    {"", "", 0},
    {"SELECT ?", "1 parameters, 2 given", 2},
    {"SELECT \"no such column\" FROM things", "no such column", 0}, // and not the text, as SQLite would by default
    {"ATTACH ':memory:' AS other", "", 0},
    {"INSERT INTO things (id, name) VALUES (1, 'a'), (1, 'b')", "", 0},
};
static size_t wrong_now;

static bool wrong_sql(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    const struct store_param params[] = {store_int(1), store_int(2)};
    struct rows *rows = NULL;
    EXPECT(!tx_query(tx, wrong[wrong_now].sql, params, wrong[wrong_now].params, &rows, fail) || !rows_next(rows, fail));
    EXPECT(fail->code == (wrong_now + 1 == BASE_COUNT(wrong) ? FAIL_DUPLICATE_DATA : FAIL_STORE));
    expect_at(strstr(fail->text, wrong[wrong_now].told), __LINE__, wrong[wrong_now].sql, fail);
    return true;
}

static void test_wrong_sql_is_told(void **state)
{
    (void)state;
    for (wrong_now = 0; wrong_now < BASE_COUNT(wrong); wrong_now++) {
        struct trial trial = {.fn = wrong_sql, .wrong = true};
        fine_on_loops(1, run_trial, &trial);
        drop_folder(NULL);
        make_folder(NULL);
    }
}

static bool too_deep(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    struct buffer sql;
    buffer_init(&sql, 1 << 20);
    buffer_add(&sql, VIEW("SELECT 1"));
    for (int i = 0; i < 1000; i++) {
        buffer_add(&sql, VIEW("+1"));
    }
    EXPECT(!tx_exec(tx, buffer_text(&sql), NULL, 0, fail) && fail->code == FAIL_STORE);
    buffer_free(&sql);
    return true;
}

static void test_too_deep_an_expression_is_refused(void **state)
{
    (void)state;
    if (on_server()) {
        skip(); // PostgreSQL bounds the depth by its own stack
    }
    run_writing(too_deep);
}

static bool nested(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    const char *sql = "SELECT name FROM things ORDER BY name";
    struct rows *outer = NULL, *inner = NULL;
    int pairs = 0;
    EXPECT(insert_thing(tx, "a", fail) && insert_thing(tx, "b", fail));
    EXPECT(tx_query(tx, sql, NULL, 0, &outer, fail));
    while (rows_next(outer, fail)) {
        EXPECT(tx_query(tx, sql, NULL, 0, &inner, fail));
        while (rows_next(inner, fail)) {
            pairs++;
        }
        rows_close(inner);
    }
    rows_close(outer);
    EXPECT(pairs == 4);
    EXPECT(tx_query(tx, sql, NULL, 0, &outer, fail) && rows_next(outer, fail)); // left open: closed with the closure
    return true;
}

static void test_a_query_may_stand_inside_the_same_query(void **state)
{
    (void)state;
    run_writing(nested);
}

static bool many_texts(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 400; i++) { // more than are kept
            char sql[64];
            int64_t number = 0;
            bool found = false;
            snprintf(sql, sizeof sql, "SELECT %d + ?", i);
            const struct store_param params[] = {store_int(round)};
            EXPECT(tx_query_int(tx, sql, params, 1, &number, &found, fail) && found && number == i + round);
        }
    }
    return true;
}

static void test_more_statements_than_are_kept_still_work(void **state)
{
    (void)state;
    run_writing(many_texts);
}

static bool changes(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    bool found = true;
    int64_t number = 7;
    EXPECT(tx_is_writer(tx));
    EXPECT(insert_thing(tx, "a", fail) && tx_changes(tx) == 1 && insert_thing(tx, "b", fail));
    EXPECT(tx_exec(tx, "UPDATE things SET size = 2", NULL, 0, fail) && tx_changes(tx) == 2);
    EXPECT(tx_exec(tx, "DELETE FROM things WHERE name = 'c'", NULL, 0, fail) && tx_changes(tx) == 0);
    EXPECT(tx_query_int(tx, "SELECT id FROM things WHERE name = 'c'", NULL, 0, &number, &found, fail) && !found);
    EXPECT(tx_query_int(tx, "INSERT INTO things (name) VALUES ('c'), ('d') RETURNING id", NULL, 0, &number, &found, fail) && found &&
           number == 3);
    EXPECT(tx_query_int(tx, "SELECT count(*) FROM things", NULL, 0, &number, &found, fail) && number == 4);
    return true;
}

static void test_changed_rows_are_counted(void **state)
{
    (void)state;
    run_writing(changes);
}

static bool reader_writes(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    EXPECT(!tx_is_writer(tx));
    EXPECT(!insert_thing(tx, "a", fail) && strstr(fail->text, "reader"));
    return true;
}

static void test_a_reader_cannot_write(void **state)
{
    (void)state;
    struct trial trial = {.fn = reader_writes, .read = true};
    fine_on_loops(1, run_trial, &trial);
}

static void test_names_are_quoted(void **state)
{
    (void)state;
    struct buffer out;
    struct fail fail = {0};
    char longest[200];
    buffer_init(&out, 1024);
    assert_true(store_quote(&out, VIEW("Last \"Name\"; DROP TABLE x"), &fail));
    assert_string_equal(buffer_text(&out), "\"Last \"\"Name\"\"; DROP TABLE x\"");
    memset(longest, 'n', sizeof longest);
    assert_false(store_quote(&out, (struct view){longest, 121}, &fail));
    assert_true(store_quote(&out, (struct view){longest, 120}, &fail));
    assert_false(store_quote(&out, (struct view){"a\0b", 3}, &fail));
    assert_false(store_quote(&out, VIEW_NONE, &fail));
    buffer_free(&out);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_every_type_comes_back_as_it_was),
        WITH_FOLDER(test_wrong_sql_is_told),
        WITH_FOLDER(test_too_deep_an_expression_is_refused),
        WITH_FOLDER(test_a_query_may_stand_inside_the_same_query),
        WITH_FOLDER(test_more_statements_than_are_kept_still_work),
        WITH_FOLDER(test_changed_rows_are_counted),
        WITH_FOLDER(test_a_reader_cannot_write),
        cmocka_unit_test(test_names_are_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
