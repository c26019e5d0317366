// SPDX-License-Identifier: Apache-2.0
//
// Bulk writes and upsert: order of answers, what counts as the same record, what an undone installation takes back.
#include "crm_test.h"

static struct value upsert(struct fixture *f, const char *module, const char *rows, const char *checks)
{
    struct value results = value_null();
    expect_at(crm_records_upsert(&f->session, view_of(module), read_json(f, rows), read_json(f, checks), &results, &f->fail), __LINE__,
              rows, f->fail.text);
    return results;
}

static void test_a_hundred_rows_with_some_refused(struct fixture *f)
{
    struct buffer rows;
    buffer_init(&rows, 1 << 16);
    for (int i = 0; i < CRM_ROWS_MAX; i++) {
        buffer_printf(&rows, i % 10 == 3 ? "%s{\"Company\":\"n%d\"}" : "%s{\"Last_Name\":\"n%d\"}", i ? "," : "[", i);
    }
    buffer_add_char(&rows, ']');
    struct value results = insert(f, "Leads", buffer_text(&rows));
    buffer_free(&rows);
    int fine = 0;
    for (uint32_t i = 0; i < count_of(results); i++) {
        bool refused = i % 10 == 3;
        EXPECT(is_text(get(at(results, i), "code"), refused ? "MANDATORY_NOT_FOUND" : "SUCCESS"));
        fine += !refused;
    }
    int64_t count = 0;
    EXPECT(count_of(results) == CRM_ROWS_MAX);
    EXPECT_OK(crm_records_count(&f->session, VIEW("Leads"), &(struct crm_query){0}, &count, &f->fail));
    EXPECT(count == fine && count == 90);
}
ON_FIBER(a_hundred_rows_with_some_refused)

static void test_more_than_a_hundred_rows_are_refused(struct fixture *f)
{
    struct value rows = value_list(&f->heap, 101), results;
    for (int i = 0; i <= CRM_ROWS_MAX; i++) {
        list_add(&f->heap, rows.list, read_json(f, "{\"Last_Name\":\"x\"}"));
    }
    EXPECT_FAIL(crm_records_upsert(&f->session, VIEW("Leads"), rows, value_null(), &results, &f->fail), FAIL_LIMIT_EXCEEDED);
}
ON_FIBER(more_than_a_hundred_rows_are_refused)

static void test_what_is_new_is_inserted(struct fixture *f)
{
    struct value row = at(upsert(f, "Leads", "[{\"Last_Name\":\"Doe\",\"Email\":\"d@x.example\"}]", "null"), 0);
    EXPECT(is_text(get(row, "action"), "insert") && value_is_null(get(row, "duplicate_field")));
    EXPECT(is_text(get(row, "message"), "record added") && is_text(get(row, "details.$approval_state"), "approved"));
    EXPECT(strncmp(write_json(row), "{\"code\":\"SUCCESS\",\"duplicate_field\":null,\"action\":\"insert\",\"details\":{", 68) == 0);
}
ON_FIBER(what_is_new_is_inserted)

static void test_the_same_email_updates(struct fixture *f)
{
    int64_t id = add(f, "Leads", "{\"Last_Name\":\"Doe\",\"Email\":\"d@x.example\"}");
    struct value row = at(upsert(f, "Leads", "[{\"Company\":\"New\",\"Email\":\"D@X.example\"}]", "null"), 0);
    EXPECT(is_text(get(row, "action"), "update") && is_text(get(row, "duplicate_field"), "Email") && id_of(row) == id);
    EXPECT(is_text(get(row, "message"), "record updated") && value_is_null(get(row, "details.$approval_state")));
    EXPECT(is_text(get(fetch(f, "Leads", id), "Company"), "New") && is_text(get(fetch(f, "Leads", id), "Last_Name"), "Doe"));
}
ON_FIBER(the_same_email_updates)

static void test_later_rows_see_earlier_ones(struct fixture *f)
{
    struct value results = upsert(f, "Contacts",
                                  "[{\"Last_Name\":\"A\",\"Email\":\"a@x.example\"},{\"Company\":\"none\"},"
                                  "{\"Last_Name\":\"B\",\"Email\":\"a@x.example\"}]",
                                  "[\"Email\"]");
    EXPECT(is_text(get(at(results, 0), "action"), "insert") && is_text(get(at(results, 2), "action"), "update"));
    EXPECT(is_text(get(at(results, 1), "code"), "MANDATORY_NOT_FOUND") && value_is_null(get(at(results, 1), "action")));
    EXPECT(id_of(at(results, 0)) == id_of(at(results, 2)));
    EXPECT(is_text(get(fetch(f, "Contacts", id_of(at(results, 0))), "Last_Name"), "B"));
}
ON_FIBER(later_rows_see_earlier_ones)

static void test_an_id_names_the_record(struct fixture *f)
{
    int64_t id = add(f, "Leads", "{\"Last_Name\":\"Doe\"}");
    char rows[200];
    snprintf(rows, sizeof rows, "[{\"id\":\"%lld\",\"Last_Name\":\"Roe\"},{\"id\":\"1\",\"Last_Name\":\"x\"}]", (long long)id);
    struct value results = upsert(f, "Leads", rows, "null");
    EXPECT(is_text(get(at(results, 0), "action"), "update") && id_of(at(results, 0)) == id);
    EXPECT(is_text(get(at(results, 1), "message"), "the id given seems to be invalid"));
}
ON_FIBER(an_id_names_the_record)

static void test_only_the_fields_that_are_asked_for_are_compared(struct fixture *f)
{
    add(f, "Leads", "{\"Last_Name\":\"Doe\",\"Email\":\"d@x.example\",\"Phone\":\"1\"}");
    const char *rows = "[{\"Last_Name\":\"Roe\",\"Phone\":\"1\"}]";
    EXPECT(is_text(get(at(upsert(f, "Leads", rows, "[\"Phone\"]"), 0), "action"), "insert")); // Phone is not unique
    struct value results;
    EXPECT_FAIL(crm_records_upsert(&f->session, VIEW("Leads"), read_json(f, rows), read_json(f, "[\"Nonsense\"]"), &results, &f->fail),
                FAIL_INVALID_DATA);
}
ON_FIBER(only_the_fields_that_are_asked_for_are_compared)

static bool begin_journal(struct tx *tx, void *arg, struct fail *fail)
{
    return store_journal_begin(tx, arg, fail);
}

static bool undo_journal(struct tx *tx, void *arg, struct fail *fail)
{
    return store_journal_undo(tx, *(int64_t *)arg, fail);
}

static void test_an_undone_journal_takes_both_back(struct fixture *f)
{
    int64_t id = add(f, "Leads", "{\"Last_Name\":\"Doe\",\"Email\":\"d@x.example\",\"Company\":\"Old\"}"), journal = 0, count = 0;
    EXPECT_OK(store_write(f->env, begin_journal, &journal, &f->fail));
    f->session.journal = journal;
    upsert(f, "Leads", "[{\"Company\":\"New\",\"Email\":\"d@x.example\"},{\"Last_Name\":\"B\",\"Email\":\"b@x.example\"}]", "null");
    f->session.journal = 0;
    EXPECT(is_text(get(fetch(f, "Leads", id), "Company"), "New"));
    EXPECT_OK(store_write(f->env, undo_journal, &journal, &f->fail));
    EXPECT_OK(crm_records_count(&f->session, VIEW("Leads"), &(struct crm_query){0}, &count, &f->fail));
    EXPECT(count == 1 && is_text(get(fetch(f, "Leads", id), "Company"), "Old"));
}
ON_FIBER(an_undone_journal_takes_both_back)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_a_hundred_rows_with_some_refused),
        cmocka_unit_test(run_more_than_a_hundred_rows_are_refused),
        cmocka_unit_test(run_what_is_new_is_inserted),
        cmocka_unit_test(run_the_same_email_updates),
        cmocka_unit_test(run_later_rows_see_earlier_ones),
        cmocka_unit_test(run_an_id_names_the_record),
        cmocka_unit_test(run_only_the_fields_that_are_asked_for_are_compared),
        cmocka_unit_test(run_an_undone_journal_takes_both_back),
    };
    return cmocka_run_group_tests_name("upsert", tests, NULL, NULL);
}
