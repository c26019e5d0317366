// SPDX-License-Identifier: Apache-2.0
//
// Inserting, reading, updating and deleting records: the row results of spec/crm-api.md §2.1 and the records of §2.6.
#include "crm_test.h"

static void test_insert_answers_with_the_row_result(struct fixture *f)
{
    struct value row = at(insert(f, "Leads", "[{\"Last_Name\":\"Doe\",\"First_Name\":\"Jane\"}]"), 0);
    EXPECT(is_text(get(row, "code"), "SUCCESS"));
    EXPECT(is_text(get(row, "message"), "record added"));
    EXPECT(is_text(get(row, "status"), "success"));
    EXPECT(is_text(get(row, "details.Created_By.name"), "Ada Admin"));
    EXPECT(is_text(get(row, "details.$approval_state"), "approved"));
    EXPECT(id_of(row) > 100000000000000);
    EXPECT(view_ends(value_view_or(get(row, "details.Modified_Time"), VIEW_NONE), VIEW("+05:30")));
    EXPECT(value_equal(get(row, "details.Created_Time"), get(row, "details.Modified_Time")));
}
ON_FIBER(insert_answers_with_the_row_result)

static void test_a_record_reads_back_whole(struct fixture *f)
{
    int64_t id = add(f, "Leads",
                     "{\"Last_Name\":\"Doe\",\"First_Name\":\"Jane\",\"Company\":\"Zylker\",\"Annual_Revenue\":12.5,\"No_of_Employees\":7,"
                     "\"Email_Opt_Out\":true,\"Email\":\"jane@zylker.example\"}");
    struct value record = fetch(f, "Leads", id);
    struct map *map = value_as_map(record);
    EXPECT(map && map->count > 80);
    EXPECT(is_text(get(record, "Full_Name"), "Jane Doe"));
    EXPECT_JSON(get(record, "Annual_Revenue"), "12.5");
    EXPECT_JSON(get(record, "No_of_Employees"), "7");
    EXPECT_JSON(get(record, "Email_Opt_Out"), "true");
    EXPECT_JSON(get(record, "Website"), "null");
    EXPECT_JSON(get(record, "Tag"), "[]");
    EXPECT_JSON(get(record, "Record_Status__s"), "\"Available\"");
    EXPECT_JSON(get(record, "$approval"), "{\"delegate\":false,\"approve\":false,\"reject\":false,\"resubmit\":false}");
    EXPECT(is_text(get(record, "$currency_symbol"), "$"));
    EXPECT(is_text(get(record, "Owner.email"), "ada@acme.example"));
    EXPECT(get(record, "id").type == VALUE_TEXT);
}
ON_FIBER(a_record_reads_back_whole)

static void test_an_absent_record_reads_as_null(struct fixture *f)
{
    EXPECT(value_is_null(fetch(f, "Leads", 4711)));
}
ON_FIBER(an_absent_record_reads_as_null)

static void test_an_unknown_module_is_refused(struct fixture *f)
{
    struct value v;
    EXPECT_FAIL(crm_record_get(&f->session, VIEW("Leadz"), 1, &v, &f->fail), FAIL_INVALID_MODULE);
    EXPECT_FAIL(crm_record_get(&f->session, VIEW("Leads\"; DROP TABLE \"Leads"), 1, &v, &f->fail), FAIL_INVALID_MODULE);
    EXPECT_FAIL(crm_record_get(&f->session, VIEW("crm_user"), 1, &v, &f->fail), FAIL_INVALID_MODULE);
    EXPECT_FAIL(crm_record_get(&f->session, VIEW("Quoted_Items"), 1, &v, &f->fail), FAIL_INVALID_MODULE);
}
ON_FIBER(an_unknown_module_is_refused)

static void test_names_are_found_in_any_case(struct fixture *f)
{
    int64_t id = add(f, "LEADS", "{\"last_name\":\"Doe\"}");
    EXPECT(is_text(get(fetch(f, "leads", id), "Last_Name"), "Doe"));
}
ON_FIBER(names_are_found_in_any_case)

static void test_unknown_and_read_only_keys_are_passed_over(struct fixture *f)
{
    int64_t id =
        add(f, "Leads", "{\"Last_Name\":\"Doe\",\"Nonsense\":{\"a\":1},\"Created_Time\":\"x\",\"Full_Name\":5,\"id\":\"77\",\"$x\":1}");
    EXPECT(id != 77);
    EXPECT(is_text(get(fetch(f, "Leads", id), "Full_Name"), "Doe"));
}
ON_FIBER(unknown_and_read_only_keys_are_passed_over)

static void test_a_missing_mandatory_field_is_told(struct fixture *f)
{
    EXPECT_JSON(insert(f, "Leads", "[{\"Company\":\"Zylker\"}]"),
                "[{\"code\":\"MANDATORY_NOT_FOUND\",\"details\":{\"api_name\":\"Last_Name\"},"
                "\"message\":\"required field not found\",\"status\":\"error\"}]");
    f->session.api_version = 3;
    EXPECT_JSON(insert(f, "Deals", "[{\"Deal_Name\":\"x\",\"Stage\":\"Qualification\",\"Amount\":\"no\"},{\"Stage\":\"Qualification\"}]"),
                "[{\"code\":\"INVALID_DATA\",\"details\":{\"expected_data_type\":\"double\",\"api_name\":\"Amount\",\"json_path\":\"$.data["
                "0].Amount\"},"
                "\"message\":\"invalid data\",\"status\":\"error\"},"
                "{\"code\":\"MANDATORY_NOT_FOUND\",\"details\":{\"api_name\":\"Deal_Name\",\"json_path\":\"$.data[1].Deal_Name\"},"
                "\"message\":\"required field not found\",\"status\":\"error\"}]");
}
ON_FIBER(a_missing_mandatory_field_is_told)

static void test_a_mandatory_field_cannot_be_blank(struct fixture *f)
{
    EXPECT(is_text(get(at(insert(f, "Leads", "[{\"Last_Name\":\"\"}]"), 0), "code"), "MANDATORY_NOT_FOUND"));
    int64_t id = add(f, "Leads", "{\"Last_Name\":\"Doe\"}");
    EXPECT(is_text(get(update(f, "Leads", id, "\"Last_Name\":null"), "code"), "MANDATORY_NOT_FOUND"));
    EXPECT(is_text(get(fetch(f, "Leads", id), "Last_Name"), "Doe"));
}
ON_FIBER(a_mandatory_field_cannot_be_blank)

static void test_a_bad_row_stops_none_of_the_others(struct fixture *f)
{
    struct value results = insert(f, "Leads", "[{\"Last_Name\":\"A\"},{\"Company\":\"x\"},7,{\"Last_Name\":\"B\"}]");
    EXPECT(count_of(results) == 4);
    EXPECT(is_text(get(at(results, 0), "code"), "SUCCESS"));
    EXPECT(is_text(get(at(results, 1), "code"), "MANDATORY_NOT_FOUND"));
    EXPECT_JSON(at(results, 2), "{\"code\":\"INVALID_DATA\",\"details\":{\"expected_data_type\":\"jsonobject\"},\"message\":\"invalid "
                                "data\",\"status\":\"error\"}");
    EXPECT(is_text(get(at(results, 3), "code"), "SUCCESS"));
    EXPECT(count_of(search(f, "Leads", "(Last_Name:in:A,B)")) == 2);
}
ON_FIBER(a_bad_row_stops_none_of_the_others)

static void test_rows_are_limited(struct fixture *f)
{
    struct value rows = value_list(&f->heap, 101), results;
    for (int i = 0; i < 101; i++) {
        list_add(&f->heap, rows.list, read_json(f, "{\"Last_Name\":\"x\"}"));
    }
    EXPECT_FAIL(crm_records_insert(&f->session, VIEW("Leads"), rows, &results, &f->fail), FAIL_LIMIT_EXCEEDED);
    EXPECT_FAIL(crm_records_insert(&f->session, VIEW("Leads"), value_number(1), &results, &f->fail), FAIL_INVALID_DATA);
}
ON_FIBER(rows_are_limited)

static void test_update_changes_only_what_is_given(struct fixture *f)
{
    int64_t id = add(f, "Contacts", "{\"Last_Name\":\"Doe\",\"First_Name\":\"Jane\",\"Phone\":\"1\"}");
    struct value result = update(f, "Contacts", id, "\"First_Name\":\"Joan\",\"Phone\":null");
    EXPECT(is_text(get(result, "message"), "record updated"));
    EXPECT(is_text(get(result, "details.Created_By.name"), "Ada Admin"));
    EXPECT(value_is_null(get(result, "details.$approval_state")));
    struct value record = fetch(f, "Contacts", id);
    EXPECT(is_text(get(record, "Full_Name"), "Joan Doe"));
    EXPECT(is_text(get(record, "Last_Name"), "Doe"));
    EXPECT(value_is_null(get(record, "Phone")));
}
ON_FIBER(update_changes_only_what_is_given)

static void test_update_of_what_is_not_there(struct fixture *f)
{
    EXPECT_JSON(update(f, "Leads", 4711, "\"Company\":\"x\""),
                "{\"code\":\"INVALID_DATA\",\"details\":{},\"message\":\"the id given seems to be invalid\","
                "\"status\":\"error\"}");
    f->session.api_version = 7;
    EXPECT_JSON(update(f, "Leads", 4711, ""), "{\"code\":\"INVALID_DATA\",\"details\":{\"api_name\":\"id\",\"json_path\":\"$.data[0].id\"},"
                                              "\"message\":\"the id given seems to be invalid\",\"status\":\"error\"}");
    struct value results;
    EXPECT_OK(crm_records_update(&f->session, VIEW("Leads"), read_json(f, "[{\"Company\":\"x\"},{\"id\":\"abc\"}]"), &results, &f->fail));
    EXPECT(is_text(get(at(results, 0), "code"), "MANDATORY_NOT_FOUND"));
    EXPECT(is_text(get(at(results, 0), "details.api_name"), "id"));
    EXPECT(is_text(get(at(results, 1), "message"), "the id given seems to be invalid"));
}
ON_FIBER(update_of_what_is_not_there)

static void test_delete_removes_and_tells(struct fixture *f)
{
    int64_t id = add(f, "Leads", "{\"Last_Name\":\"Doe\"}"), ids[] = {id, id};
    char expected[512];
    struct value results;
    EXPECT_OK(crm_records_delete(&f->session, VIEW("Leads"), ids, 2, &results, &f->fail));
    snprintf(expected, sizeof expected,
             "[{\"code\":\"SUCCESS\",\"details\":{\"id\":\"%lld\"},\"message\":\"record deleted\",\"status\":\"success\"},"
             "{\"code\":\"INVALID_DATA\",\"details\":{\"id\":\"%lld\"},\"message\":\"record not deleted\",\"status\":\"error\"}]",
             (long long)id, (long long)id);
    EXPECT_JSON(results, expected);
    EXPECT(value_is_null(fetch(f, "Leads", id)));
}
ON_FIBER(delete_removes_and_tells)

static void test_lookups_show_the_other_record(struct fixture *f)
{
    char row[256], expected[256];
    int64_t account = add(f, "Accounts", "{\"Account_Name\":\"Zylker\"}");
    snprintf(row, sizeof row, "{\"Last_Name\":\"A\",\"Account_Name\":{\"id\":\"%lld\"}}", (long long)account);
    int64_t by_map = add(f, "Contacts", row);
    snprintf(row, sizeof row, "{\"Last_Name\":\"B\",\"Account_Name\":%lld}", (long long)account);
    int64_t by_number = add(f, "Contacts", row);
    snprintf(expected, sizeof expected, "{\"name\":\"Zylker\",\"id\":\"%lld\"}", (long long)account);
    EXPECT_JSON(get(fetch(f, "Contacts", by_map), "Account_Name"), expected);
    EXPECT_JSON(get(fetch(f, "Contacts", by_number), "Account_Name"), expected);
    struct value results;
    EXPECT_OK(crm_records_delete(&f->session, VIEW("Accounts"), &account, 1, &results, &f->fail));
    EXPECT(value_is_null(get(fetch(f, "Contacts", by_map), "Account_Name")));
}
ON_FIBER(lookups_show_the_other_record)

static void test_a_lookup_to_nothing_is_refused(struct fixture *f)
{
    EXPECT_JSON(
        at(insert(f, "Contacts", "[{\"Last_Name\":\"A\",\"Account_Name\":\"4711\"}]"), 0),
        "{\"code\":\"INVALID_DATA\",\"details\":{\"api_name\":\"Account_Name\"},\"message\":\"invalid data\",\"status\":\"error\"}");
    EXPECT(is_text(get(at(insert(f, "Leads", "[{\"Last_Name\":\"A\",\"Owner\":\"4711\"}]"), 0), "details.api_name"), "Owner"));
    EXPECT(is_text(get(at(insert(f, "Contacts", "[{\"Last_Name\":\"A\",\"Account_Name\":\"Zylker\"}]"), 0), "details.expected_data_type"),
                   "jsonobject"));
}
ON_FIBER(a_lookup_to_nothing_is_refused)

static void test_notes_name_their_parents_module(struct fixture *f)
{
    char row[256];
    int64_t lead = add(f, "Leads", "{\"Last_Name\":\"Doe\"}");
    snprintf(row, sizeof row, "[{\"Note_Content\":\"Hi\",\"Parent_Id\":\"%lld\"}]", (long long)lead);
    EXPECT(is_text(get(at(insert(f, "Notes", row), 0), "details.api_name"), "$se_module"));
    snprintf(row, sizeof row, "{\"Note_Content\":\"Hi\",\"Parent_Id\":\"%lld\",\"$se_module\":\"leads\"}", (long long)lead);
    struct value note = fetch(f, "Notes", add(f, "Notes", row));
    EXPECT(is_text(get(note, "Parent_Id.name"), "Doe"));
    EXPECT(is_text(get(note, "$se_module"), "Leads"));
    snprintf(row, sizeof row, "[{\"Note_Content\":\"Hi\",\"Parent_Id\":\"%lld\",\"se_module\":\"Deals\"}]", (long long)lead);
    EXPECT(is_text(get(at(insert(f, "Notes", row), 0), "details.api_name"), "Parent_Id"));
    snprintf(row, sizeof row, "[{\"Note_Content\":\"Hi\",\"Parent_Id\":{\"id\":\"%lld\",\"module\":{\"api_name\":\"Leads\"}}}]",
             (long long)lead);
    EXPECT(is_text(get(at(insert(f, "Notes", row), 0), "code"), "SUCCESS"));
}
ON_FIBER(notes_name_their_parents_module)

static void test_line_items_are_kept_and_shown_in_single_records(struct fixture *f)
{
    char row[256];
    int64_t product = add(f, "Products", "{\"Product_Name\":\"P\"}");
    snprintf(row, sizeof row, "{\"Subject\":\"Q\",\"Product_Details\":[{\"product\":\"%lld\",\"quantity\":2,\"list_price\":9.5}]}",
             (long long)product);
    int64_t id = add(f, "Quotes", row);
    EXPECT(is_text(get(at(get(fetch(f, "Quotes", id), "Product_Details"), 0), "product.name"), "P"));
    f->session.api_version = 8;
    EXPECT(is_text(get(at(get(fetch(f, "Quotes", id), "Quoted_Items"), 0), "Product_Name.name"), "P"));
    f->session.api_version = 2;
    struct map *listed = value_as_map(at(search(f, "Quotes", "(Subject:equals:Q)"), 0));
    bool found = true;
    EXPECT(listed && value_is_null(map_get(listed, VALUE_TEXT_LITERAL(&f->heap, "Quoted_Items"), &found)) && !found);
    EXPECT(is_text(get(at(insert(f, "Quotes", "[{\"Subject\":\"Q\"}]"), 0), "details.api_name"), "Quoted_Items"));
}
ON_FIBER(line_items_are_kept_and_shown_in_single_records)

static void test_unicode_and_zero_bytes_survive(struct fixture *f)
{
    int64_t id = add(f, "Leads", "{\"Last_Name\":\"M\xc3\xbcller \xf0\x9f\x98\x80\",\"Company\":\"a\\u0000b'\\\"; --\"}");
    struct value record = fetch(f, "Leads", id);
    EXPECT(is_text(get(record, "Full_Name"), "M\xc3\xbcller \xf0\x9f\x98\x80"));
    EXPECT_JSON(get(record, "Company"), "\"a\\u0000b'\\\"; --\"");
}
ON_FIBER(unicode_and_zero_bytes_survive)

static void test_records_are_kept_on_disk(struct fixture *f)
{
    int64_t id = add(f, "Leads", "{\"Last_Name\":\"Doe\",\"Created_Time\":\"2020-01-01T00:00:00Z\"}");
    update(f, "Leads", id, "\"Company\":\"Zylker\"");
    EXPECT(is_text(get(fetch(f, "Leads", id), "Company"), "Zylker"));
    EXPECT(count_of(search(f, "Leads", "(Company:equals:zylker)")) == 1);
}

static void run_records_on_disk(void **state)
{
    (void)state;
    run_on_disk(test_records_are_kept_on_disk);
}

// ---- journal ------------------------------------------------------------------------------------

static bool begin_journal(struct tx *tx, void *arg, struct fail *fail)
{
    return store_journal_begin(tx, arg, fail);
}

static bool undo_journal(struct tx *tx, void *arg, struct fail *fail)
{
    return store_journal_undo(tx, *(int64_t *)arg, fail);
}

static void test_an_undone_journal_leaves_nothing(struct fixture *f)
{
    int64_t kept = add(f, "Leads", "{\"Last_Name\":\"Kept\",\"Company\":\"Old\",\"Annual_Revenue\":1.5,\"Phone\":\"1\"}");
    int64_t gone = add(f, "Leads", "{\"Last_Name\":\"Gone\",\"Annual_Revenue\":2}");
    int64_t journal = 0;
    EXPECT_OK(store_write(f->env, begin_journal, &journal, &f->fail));
    f->session.journal = journal;
    int64_t added = add(f, "Leads", "{\"Last_Name\":\"Added\"}");
    update(f, "Leads", kept, "\"Company\":\"New\",\"Last_Name\":\"Changed\",\"Phone\":null");
    struct value results;
    EXPECT_OK(crm_records_delete(&f->session, VIEW("Leads"), &gone, 1, &results, &f->fail));
    f->session.journal = 0;
    EXPECT_OK(store_write(f->env, undo_journal, &journal, &f->fail));
    EXPECT(value_is_null(fetch(f, "Leads", added)));
    struct value record = fetch(f, "Leads", kept);
    EXPECT(is_text(get(record, "Company"), "Old") && is_text(get(record, "Full_Name"), "Kept") && is_text(get(record, "Phone"), "1"));
    EXPECT(is_text(get(fetch(f, "Leads", gone), "Last_Name"), "Gone"));
    EXPECT_JSON(get(fetch(f, "Leads", gone), "Annual_Revenue"), "2");
}
ON_FIBER(an_undone_journal_leaves_nothing)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_insert_answers_with_the_row_result),
        cmocka_unit_test(run_a_record_reads_back_whole),
        cmocka_unit_test(run_an_absent_record_reads_as_null),
        cmocka_unit_test(run_an_unknown_module_is_refused),
        cmocka_unit_test(run_names_are_found_in_any_case),
        cmocka_unit_test(run_unknown_and_read_only_keys_are_passed_over),
        cmocka_unit_test(run_a_missing_mandatory_field_is_told),
        cmocka_unit_test(run_a_mandatory_field_cannot_be_blank),
        cmocka_unit_test(run_a_bad_row_stops_none_of_the_others),
        cmocka_unit_test(run_rows_are_limited),
        cmocka_unit_test(run_update_changes_only_what_is_given),
        cmocka_unit_test(run_update_of_what_is_not_there),
        cmocka_unit_test(run_delete_removes_and_tells),
        cmocka_unit_test(run_lookups_show_the_other_record),
        cmocka_unit_test(run_a_lookup_to_nothing_is_refused),
        cmocka_unit_test(run_notes_name_their_parents_module),
        cmocka_unit_test(run_line_items_are_kept_and_shown_in_single_records),
        cmocka_unit_test(run_unicode_and_zero_bytes_survive),
        cmocka_unit_test(run_records_on_disk),
        cmocka_unit_test(run_an_undone_journal_leaves_nothing),
    };
    return cmocka_run_group_tests_name("records", tests, NULL, NULL);
}
