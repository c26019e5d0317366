// SPDX-License-Identifier: Apache-2.0
//
// Searching and listing: what the operators find, what is refused, and that nothing a caller writes becomes SQL.
#include "crm_test.h"

// The last names that a search finds, joined, in the order of the list (newest first).
static void expect_found_at(struct fixture *f, const struct crm_query *query, const char *expected, int line)
{
    char names[1024] = "";
    struct value list = value_null();
    bool more;
    if (!crm_records_list(&f->session, VIEW("Leads"), query, &list, &more, &f->fail)) {
        snprintf(names, sizeof names, "%s %s", fail_name(f->fail.code), write_json(f->session.details));
    }
    for (uint32_t i = 0; i < count_of(list); i++) {
        struct view name = value_view_or(get(at(list, i), "Last_Name"), VIEW("?"));
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%.*s", i ? " " : "", VIEW_ARGS(name));
    }
    expect_at(strcmp(names, expected) == 0, line, expected, names);
}
#define EXPECT_FOUND(criteria_text, expected)                                                                                              \
    do {                                                                                                                                   \
        struct crm_query query_ = {.criteria = view_of(criteria_text)};                                                                    \
        expect_found_at(f, &query_, expected, __LINE__);                                                                                   \
    } while (0)

static void add_people(struct fixture *f)
{
    add(f, "Leads",
        "{\"Last_Name\":\"Ant\",\"Company\":\"Zylker\",\"Email\":\"Ant@z.example\",\"Annual_Revenue\":10,\"No_of_Employees\":1,\"Email_Opt_"
        "Out\":true}");
    add(f, "Leads",
        "{\"Last_Name\":\"Bee\",\"Company\":\"Zylker Inc\",\"Mobile\":\"+1 555\",\"Annual_Revenue\":20.5,\"No_of_Employees\":2}");
    add(f, "Leads", "{\"Last_Name\":\"Cat\",\"Company\":\"100% O'Neil_\",\"Phone\":\"77\",\"Annual_Revenue\":30}");
}

static void test_texts(struct fixture *f)
{
    add_people(f);
    EXPECT_FOUND("(Company:equals:zYLKER)", "Ant");
    EXPECT_FOUND("(Company:starts_with:zyl)", "Bee Ant");
    EXPECT_FOUND("(Company:not_equal:Zylker)", "Cat Bee");
    EXPECT_FOUND("(Company:in:Zylker,Zylker Inc,nobody)", "Bee Ant");
    EXPECT_FOUND("(Mobile:equals:+1 555)", "Bee");
    EXPECT_FOUND(
        "(Company:greater_than:A)",
        "INVALID_QUERY {\"reason\":\"the operator does not suit the field\",\"api_name\":\"Company\",\"operator\":\"greater_than\"}");
}
ON_FIBER(texts)

static void test_not_equal_never_finds_what_is_unset(struct fixture *f)
{
    add_people(f);
    EXPECT_FOUND("(Mobile:not_equal:1)", "Bee");
}
ON_FIBER(not_equal_never_finds_what_is_unset)

static void test_numbers(struct fixture *f)
{
    add_people(f);
    EXPECT_FOUND("(Annual_Revenue:greater_than:10)", "Cat Bee");
    EXPECT_FOUND("(Annual_Revenue:greater_equal:10)", "Cat Bee Ant");
    EXPECT_FOUND("(Annual_Revenue:less_than:20.5)", "Ant");
    EXPECT_FOUND("(Annual_Revenue:less_equal:20.5)", "Bee Ant");
    EXPECT_FOUND("(Annual_Revenue:between:20,30)", "Cat Bee");
    EXPECT_FOUND("(No_of_Employees:in:1,2)", "Bee Ant");
    EXPECT_FOUND("(No_of_Employees:equals:1.0)", "Ant");
    EXPECT_FOUND(
        "(No_of_Employees:equals:one)",
        "INVALID_QUERY {\"reason\":\"the value does not suit the field\",\"api_name\":\"No_of_Employees\",\"operator\":\"equals\"}");
    EXPECT_FOUND("(No_of_Employees:starts_with:1)", "INVALID_QUERY {\"reason\":\"the operator does not suit the "
                                                    "field\",\"api_name\":\"No_of_Employees\",\"operator\":\"starts_with\"}");
}
ON_FIBER(numbers)

static void test_booleans(struct fixture *f)
{
    add_people(f);
    EXPECT_FOUND("(Email_Opt_Out:equals:true)", "Ant");
    EXPECT_FOUND("(Email_Opt_Out:equals:false)", "Cat Bee");
    EXPECT_FOUND("(Email_Opt_Out:not_equal:true)", "Cat Bee");
    EXPECT_FOUND("(Email_Opt_Out:equals:maybe)",
                 "INVALID_QUERY {\"reason\":\"the value does not suit the field\",\"api_name\":\"Email_Opt_Out\",\"operator\":\"equals\"}");
}
ON_FIBER(booleans)

static void test_times(struct fixture *f)
{
    add_people(f);
    EXPECT_FOUND("(Created_Time:greater_equal:2020-01-01T00:00:00+05:30)", "Cat Bee Ant");
    EXPECT_FOUND("(Created_Time:between:2020-01-01,2020-12-31)", "");
    EXPECT_FOUND(
        "(Created_Time:less_than:yesterday)",
        "INVALID_QUERY {\"reason\":\"the value does not suit the field\",\"api_name\":\"Created_Time\",\"operator\":\"less_than\"}");
}
ON_FIBER(times)

static void test_dates(struct fixture *f)
{
    add(f, "Tasks", "{\"Subject\":\"a\",\"Due_Date\":\"2024-01-31\"}");
    add(f, "Tasks", "{\"Subject\":\"b\",\"Due_Date\":\"2024-02-01\"}");
    EXPECT(count_of(search(f, "Tasks", "(Due_Date:equals:2024-01-31)")) == 1);
    EXPECT(count_of(search(f, "Tasks", "(Due_Date:between:2024-01-31,2024-02-01)")) == 2);
    EXPECT(count_of(search(f, "Tasks", "(Due_Date:less_than:2024-02-01)")) == 1);
}
ON_FIBER(dates)

static void test_users_match_by_id_name_and_email(struct fixture *f)
{
    char criteria[128];
    add_people(f);
    snprintf(criteria, sizeof criteria, "(Owner:equals:%lld)", (long long)crm_admin_id(&f->session));
    EXPECT_FOUND(criteria, "Cat Bee Ant");
    EXPECT_FOUND("(Owner:equals:ada admin)", "Cat Bee Ant");
    EXPECT_FOUND("(Owner:in:nobody,ada@acme.example)", "Cat Bee Ant");
    EXPECT_FOUND("(Owner:not_equal:Ada Admin)", "");
    EXPECT_FOUND("(Owner:equals:nobody)", "");
}
ON_FIBER(users_match_by_id_name_and_email)

static void test_lookups_match_by_id_and_name(struct fixture *f)
{
    char text[256];
    int64_t account = add(f, "Accounts", "{\"Account_Name\":\"Zylker\"}"), other = add(f, "Accounts", "{\"Account_Name\":\"Other\"}");
    snprintf(text, sizeof text, "{\"Last_Name\":\"A\",\"Account_Name\":\"%lld\"}", (long long)account);
    add(f, "Contacts", text);
    snprintf(text, sizeof text, "{\"Last_Name\":\"B\",\"Account_Name\":\"%lld\"}", (long long)other);
    add(f, "Contacts", text);
    add(f, "Contacts", "{\"Last_Name\":\"C\"}");
    snprintf(text, sizeof text, "(Account_Name:equals:%lld)", (long long)account);
    EXPECT(count_of(search(f, "Contacts", text)) == 1);
    EXPECT(count_of(search(f, "Contacts", "(Account_Name:equals:zylker)")) == 1);
    EXPECT(count_of(search(f, "Contacts", "(Account_Name:in:Zylker,Other)")) == 2);
    EXPECT(is_text(get(at(search(f, "Contacts", "(Account_Name:not_equal:Zylker)"), 0), "Last_Name"), "B"));
    EXPECT(count_of(search(f, "Contacts", "(Account_Name:not_equal:Zylker)")) == 1);
}
ON_FIBER(lookups_match_by_id_and_name)

static void test_and_or_nesting(struct fixture *f)
{
    add_people(f);
    EXPECT_FOUND("((Company:starts_with:Zylker)and(Annual_Revenue:greater_than:15))or(Last_Name:equals:Cat)", "Cat Bee");
    EXPECT_FOUND("(Last_Name:equals:Ant)or(Last_Name:equals:Bee)and(Company:equals:nobody)", "Ant");
    EXPECT_FOUND("Last_Name:equals:Ant or Last_Name:equals:Bee", "Bee Ant");
}
ON_FIBER(and_or_nesting)

static void test_twenty_levels_are_run(struct fixture *f)
{
    char text[1024] = "";
    add_people(f);
    // and and or in turn, so that nothing is flattened: 13 conditions, 20 levels with the redundant ones
    for (int i = 0; i < 13; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "((Last_Name:equals:Ant)%s", i % 2 ? "or" : "and");
    }
    snprintf(text + strlen(text), sizeof text - strlen(text), "((((((Last_Name:equals:Ant))))))");
    for (int i = 0; i < 13; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), ")");
    }
    EXPECT_FOUND(text, "Ant");
}
ON_FIBER(twenty_levels_are_run)

static void test_what_looks_like_sql_is_only_text(struct fixture *f)
{
    add_people(f);
    EXPECT_FOUND("(Company:equals:100% O'Neil_)", "Cat");
    EXPECT_FOUND("(Company:starts_with:100% O'N)", "Cat");
    EXPECT_FOUND("(Company:starts_with:%)", "");
    EXPECT_FOUND("(Company:starts_with:_)", "");
    EXPECT_FOUND("(Company:starts_with:\\\\)", "");
    EXPECT_FOUND("(Last_Name:equals:x' OR 1=1 --)", "");
    EXPECT_FOUND("(Last_Name:equals:x\"; DROP TABLE \"Leads\"; --)", "");
    EXPECT_FOUND("(Last_Name:in:x',Ant)", "Ant");
    EXPECT_FOUND("(Last_Name:equals:null)", "");
    EXPECT_FOUND("(1=1;:equals:x)", "INVALID_QUERY {\"reason\":\"a field name holds letters, digits and _ only\"}");
    EXPECT_FOUND(
        "(sqlite_version:equals:x)",
        "INVALID_QUERY {\"reason\":\"the field is not available for search\",\"api_name\":\"sqlite_version\",\"operator\":\"equals\"}");
    EXPECT_FOUND("(Layout:equals:x)",
                 "INVALID_QUERY {\"reason\":\"the field is not available for search\",\"api_name\":\"Layout\",\"operator\":\"equals\"}");
    EXPECT_FOUND("(Last_Name:in:Ant,Bee,Cat)", "Cat Bee Ant");
}
ON_FIBER(what_looks_like_sql_is_only_text)

static void test_email_phone_and_word(struct fixture *f)
{
    add_people(f);
    expect_found_at(f, &(struct crm_query){.email = VIEW("ant@Z.example")}, "Ant", __LINE__);
    expect_found_at(f, &(struct crm_query){.phone = VIEW("+1 555")}, "Bee", __LINE__);
    expect_found_at(f, &(struct crm_query){.phone = VIEW("77")}, "Cat", __LINE__);
    expect_found_at(f, &(struct crm_query){.word = VIEW("YLKER")}, "Bee Ant", __LINE__);
    expect_found_at(f, &(struct crm_query){.word = VIEW("% O'")}, "Cat", __LINE__);
    expect_found_at(f, &(struct crm_query){.word = VIEW("Z")}, "INVALID_DATA {\"reason\":\"a word has 2 to 255 characters\"}", __LINE__);
    expect_found_at(f, &(struct crm_query){.criteria = VIEW("(Last_Name:equals:Ant)"), .word = VIEW("nobody")}, "Ant", __LINE__);
}
ON_FIBER(email_phone_and_word)

static void test_pages_and_order(struct fixture *f)
{
    struct value list;
    bool more;
    add_people(f);
    struct crm_query query = {.per_page = 2};
    EXPECT_OK(crm_records_list(&f->session, VIEW("Leads"), &query, &list, &more, &f->fail));
    EXPECT(count_of(list) == 2 && more);
    query.page = 2;
    EXPECT_OK(crm_records_list(&f->session, VIEW("Leads"), &query, &list, &more, &f->fail));
    EXPECT(count_of(list) == 1 && !more && is_text(get(at(list, 0), "Last_Name"), "Ant"));
    expect_found_at(f, &(struct crm_query){.sort_by = VIEW("Last_Name"), .sort_order = VIEW("asc")}, "Ant Bee Cat", __LINE__);
    expect_found_at(f, &(struct crm_query){.sort_by = VIEW("Annual_Revenue"), .sort_order = VIEW("desc")}, "Cat Bee Ant", __LINE__);
    expect_found_at(f, &(struct crm_query){.sort_by = VIEW("id;")}, "INVALID_DATA {\"api_name\":\"id;\"}", __LINE__);
    expect_found_at(f, &(struct crm_query){.per_page = 201}, "LIMIT_EXCEEDED null", __LINE__);
    expect_found_at(f, &(struct crm_query){.page = -1}, "INVALID_DATA null", __LINE__);
    expect_found_at(f, &(struct crm_query){.page = 11, .criteria = VIEW("(Last_Name:equals:Ant)")}, "LIMIT_REACHED null", __LINE__);
}
ON_FIBER(pages_and_order)

static void test_fields_choose_what_is_shown(struct fixture *f)
{
    struct value list;
    bool more;
    int64_t id = add(f, "Leads", "{\"Last_Name\":\"Ant\"}");
    char expected[256];
    struct crm_query query = {.fields = VIEW(" last_name, Nonsense,Company ,Last_Name")};
    EXPECT_OK(crm_records_list(&f->session, VIEW("Leads"), &query, &list, &more, &f->fail));
    snprintf(expected, sizeof expected, "[{\"Last_Name\":\"Ant\",\"Company\":null,\"id\":\"%lld\"}]", (long long)id);
    EXPECT_JSON(list, expected);
}
ON_FIBER(fields_choose_what_is_shown)

static void test_count(struct fixture *f)
{
    int64_t count;
    add_people(f);
    EXPECT_OK(crm_records_count(&f->session, VIEW("Leads"), &(struct crm_query){0}, &count, &f->fail));
    EXPECT(count == 3);
    EXPECT_OK(
        crm_records_count(&f->session, VIEW("Leads"), &(struct crm_query){.criteria = VIEW("(Company:starts_with:Z)")}, &count, &f->fail));
    EXPECT(count == 2);
}
ON_FIBER(count)

static void test_a_megabyte_of_criteria_is_refused(struct fixture *f)
{
    struct value list;
    bool more;
    char *text = malloc(1 << 20);
    if (EXPECT(text != NULL)) {
        memset(text, 'x', 1 << 20);
        struct crm_query query = {.criteria = {text, 1 << 20}};
        EXPECT_FAIL(crm_records_list(&f->session, VIEW("Leads"), &query, &list, &more, &f->fail), FAIL_INVALID_QUERY);
        free(text);
    }
}
ON_FIBER(a_megabyte_of_criteria_is_refused)

static void test_a_list_beyond_the_heap_fails_cleanly(struct fixture *f)
{
    struct crm_session session;
    struct heap heap;
    struct value list;
    bool more;
    for (int i = 0; i < 50; i++) {
        add(f, "Leads", "{\"Last_Name\":\"Ant\",\"Company\":\"Zylker\"}");
    }
    for (size_t bytes = 4096; bytes < 200000; bytes += 9973) {
        heap_init(&heap, bytes, NULL);
        EXPECT_OK(crm_session_open(f->crm, &heap, &session, &f->fail));
        EXPECT_FAIL(crm_records_list(&session, VIEW("Leads"), &(struct crm_query){0}, &list, &more, &f->fail), FAIL_MEMORY);
        crm_session_close(&session);
        heap_free(&heap);
    }
}
ON_FIBER(a_list_beyond_the_heap_fails_cleanly)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_texts),
        cmocka_unit_test(run_not_equal_never_finds_what_is_unset),
        cmocka_unit_test(run_numbers),
        cmocka_unit_test(run_booleans),
        cmocka_unit_test(run_times),
        cmocka_unit_test(run_dates),
        cmocka_unit_test(run_users_match_by_id_name_and_email),
        cmocka_unit_test(run_lookups_match_by_id_and_name),
        cmocka_unit_test(run_and_or_nesting),
        cmocka_unit_test(run_twenty_levels_are_run),
        cmocka_unit_test(run_what_looks_like_sql_is_only_text),
        cmocka_unit_test(run_email_phone_and_word),
        cmocka_unit_test(run_pages_and_order),
        cmocka_unit_test(run_fields_choose_what_is_shown),
        cmocka_unit_test(run_count),
        cmocka_unit_test(run_a_megabyte_of_criteria_is_refused),
        cmocka_unit_test(run_a_list_beyond_the_heap_fails_cleanly),
    };
    return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
