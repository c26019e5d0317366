// SPDX-License-Identifier: Apache-2.0
//
// What each type of field takes, how it is shown, and the row error for what it does not take (spec/crm-api.md §2.5, §2.8).
#include "crm_test.h"

// A lead with `field` set to the JSON text `value`: what it reads back as, or the error's code and details.
static void expect_field_at(struct fixture *f, const char *module, const char *field, const char *value, const char *expected, int line)
{
    char row[2048], text[2048];
    const char *more = strcmp(module, "Tasks") == 0      ? "\"Subject\":\"x\""
                       : strcmp(module, "Products") == 0 ? "\"Product_Name\":\"x\""
                                                         : "\"Last_Name\":\"x\"";
    snprintf(row, sizeof row, "[{%s,\"%s\":%s}]", more, field, value);
    struct value result = at(insert(f, module, row), 0);
    if (is_text(get(result, "code"), "SUCCESS")) {
        snprintf(text, sizeof text, "%s", write_json(get(fetch(f, module, id_of(result)), field)));
    } else {
        struct value code = get(result, "code");
        snprintf(text, sizeof text, "%.*s %s", VIEW_ARGS(value_view_or(code, VIEW_NONE)), write_json(get(result, "details")));
    }
    expect_at(strcmp(text, expected) == 0, line, expected, text);
}
#define EXPECT_FIELD(module, field, value, expected) expect_field_at(f, module, field, value, expected, __LINE__)
#define WRONG(type, field) "INVALID_DATA {\"expected_data_type\":\"" type "\",\"api_name\":\"" field "\"}"
#define LONG(length, field) "INVALID_DATA {\"maximum_length\":" length ",\"api_name\":\"" field "\"}"

static void test_text(struct fixture *f)
{
    EXPECT_FIELD("Leads", "Company", "\"Zylker\"", "\"Zylker\"");
    EXPECT_FIELD("Leads", "Company", "\"\"", "null");
    EXPECT_FIELD("Leads", "Company", "null", "null");
    EXPECT_FIELD("Leads", "Company", "5", WRONG("text", "Company"));
    EXPECT_FIELD("Leads", "Company", "true", WRONG("text", "Company"));
    EXPECT_FIELD("Leads", "Company", "[\"a\"]", WRONG("text", "Company"));
    EXPECT_FIELD("Leads", "Company", "{\"a\":1}", WRONG("text", "Company"));
}
ON_FIBER(text)

static void test_length_counts_characters(struct fixture *f)
{
    EXPECT_FIELD("Leads", "First_Name", "\"1234567890123456789012345678901234567890\"", "\"1234567890123456789012345678901234567890\"");
    EXPECT_FIELD("Leads", "First_Name", "\"12345678901234567890123456789012345678901\"", LONG("40", "First_Name"));
    EXPECT_FIELD(
        "Leads", "Salutation",
        "\"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\"",
        "\"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\"");
    EXPECT_FIELD("Leads", "Phone", "\"1234567890123456789012345678901\"", LONG("30", "Phone"));
}
ON_FIBER(length_counts_characters)

static void test_email(struct fixture *f)
{
    EXPECT_FIELD("Leads", "Email", "\"a.b+c@d-e.example\"", "\"a.b+c@d-e.example\"");
    EXPECT_FIELD("Leads", "Email", "\"plain\"", WRONG("email", "Email"));
    EXPECT_FIELD("Leads", "Email", "\"a@b\"", WRONG("email", "Email"));
    EXPECT_FIELD("Leads", "Email", "\"@b.example\"", WRONG("email", "Email"));
    EXPECT_FIELD("Leads", "Email", "\"a@b@c.example\"", WRONG("email", "Email"));
    EXPECT_FIELD("Leads", "Email", "\"a b@c.example\"", WRONG("email", "Email"));
    EXPECT_FIELD("Leads", "Email", "\"a@b.example.\"", WRONG("email", "Email"));
}
ON_FIBER(email)

static void test_pick_lists_take_unknown_values(struct fixture *f)
{
    EXPECT_FIELD("Leads", "Lead_Source", "\"Carrier pigeon\"", "\"Carrier pigeon\"");
    EXPECT_FIELD("Leads", "Lead_Source", "1", WRONG("text", "Lead_Source"));
}
ON_FIBER(pick_lists_take_unknown_values)

static void test_integer(struct fixture *f)
{
    EXPECT_FIELD("Leads", "No_of_Employees", "12", "12");
    EXPECT_FIELD("Leads", "No_of_Employees", "\"12\"", "12");
    EXPECT_FIELD("Leads", "No_of_Employees", "12.0", "12");
    EXPECT_FIELD("Leads", "No_of_Employees", "12.5", WRONG("integer", "No_of_Employees"));
    EXPECT_FIELD("Leads", "No_of_Employees", "\"twelve\"", WRONG("integer", "No_of_Employees"));
    EXPECT_FIELD("Leads", "No_of_Employees", "1000000000", LONG("9", "No_of_Employees"));
    EXPECT_FIELD("Leads", "No_of_Employees", "-999999999", "-999999999");
}
ON_FIBER(integer)

static void test_decimal(struct fixture *f)
{
    EXPECT_FIELD("Leads", "Annual_Revenue", "1.25", "1.25");
    EXPECT_FIELD("Leads", "Annual_Revenue", "\"1.25\"", "1.25");
    EXPECT_FIELD("Leads", "Annual_Revenue", "3", "3");
    EXPECT_FIELD("Leads", "Annual_Revenue", "\"1,25\"", WRONG("double", "Annual_Revenue"));
    EXPECT_FIELD("Leads", "Annual_Revenue", "1e16", LONG("16", "Annual_Revenue"));
    EXPECT_FIELD("Leads", "Annual_Revenue", "[]", WRONG("double", "Annual_Revenue"));
}
ON_FIBER(decimal)

static void test_boolean(struct fixture *f)
{
    EXPECT_FIELD("Leads", "Email_Opt_Out", "true", "true");
    EXPECT_FIELD("Leads", "Email_Opt_Out", "\"TRUE\"", "true");
    EXPECT_FIELD("Leads", "Email_Opt_Out", "null", "false");
    EXPECT_FIELD("Leads", "Email_Opt_Out", "1", WRONG("boolean", "Email_Opt_Out"));
}
ON_FIBER(boolean)

static void test_date(struct fixture *f)
{
    EXPECT_FIELD("Tasks", "Due_Date", "\"2024-02-29\"", "\"2024-02-29\"");
    EXPECT_FIELD("Tasks", "Due_Date", "\"2023-02-29\"", WRONG("date", "Due_Date"));
    EXPECT_FIELD("Tasks", "Due_Date", "\"29-Feb-2024\"", WRONG("date", "Due_Date"));
    EXPECT_FIELD("Tasks", "Due_Date", "\"2024-02-29T00:00:00\"", WRONG("date", "Due_Date"));
    EXPECT_FIELD("Tasks", "Due_Date", "20240229", WRONG("date", "Due_Date"));
}
ON_FIBER(date)

static void test_date_values_of_scripts(struct fixture *f)
{
    f->heap.zone = zone_find(VIEW("America/New_York"));
    struct value rows = read_json(f, "[{\"Subject\":\"x\"}]"), results;
    struct civil day = {.year = 2024, .month = 3, .day = 1};
    map_put_text(&f->heap, at(rows, 0).map, VIEW("Due_Date"), value_date(calendar_millis(day, f->heap.zone)));
    EXPECT_OK(crm_records_insert(&f->session, VIEW("Tasks"), rows, &results, &f->fail));
    EXPECT(is_text(get(fetch(f, "Tasks", id_of(at(results, 0))), "Due_Date"), "2024-03-01"));
    f->heap.zone = NULL;
}
ON_FIBER(date_values_of_scripts)

static void test_datetime_is_shown_in_the_users_zone(struct fixture *f)
{
    char row[512];
    const char *const given[] = {"2024-07-16T09:39:27+05:30", "2024-07-16T04:09:27Z", "2024-07-16T04:09:27.999-00:00",
                                 "2024-07-16T09:39:27"};
    for (size_t i = 0; i < BASE_COUNT(given); i++) {
        snprintf(row, sizeof row, "{\"Event_Title\":\"x\",\"Start_DateTime\":\"%s\",\"End_DateTime\":\"2024-07-16T10:00:00+05:30\"}",
                 given[i]);
        EXPECT_JSON(get(fetch(f, "Events", add(f, "Events", row)), "Start_DateTime"), "\"2024-07-16T09:39:27+05:30\"");
    }
    const char *const wrong[] = {"2024-07-16",          "2024-07-16 09:39:27",   "2024-13-16T09:39:27",
                                 "2024-07-16T25:00:00", "2024-07-16T09:39:27+5", "now"};
    for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
        snprintf(row, sizeof row, "[{\"Event_Title\":\"x\",\"Start_DateTime\":\"%s\",\"End_DateTime\":\"2024-07-16T10:00:00+05:30\"}]",
                 wrong[i]);
        EXPECT(is_text(get(at(insert(f, "Events", row), 0), "details.expected_data_type"), "datetime"));
    }
}
ON_FIBER(datetime_is_shown_in_the_users_zone)

static void test_lists_and_maps(struct fixture *f)
{
    EXPECT_FIELD("Leads", "Tag", "[]", "[]");
    EXPECT_FIELD("Leads", "Tag", "\"hot\"", WRONG("jsonarray", "Tag"));
    EXPECT_FIELD("Leads", "Layout", "{\"id\":\"1\"}", "{\"id\":\"1\"}");
    EXPECT_FIELD("Leads", "Layout", "[1]", WRONG("jsonobject", "Layout"));
}
ON_FIBER(lists_and_maps)

static void test_ids_are_digits(struct fixture *f)
{
    (void)f;
    int64_t id = 0;
    struct heap *heap = &f->heap;
    EXPECT(crm_id_read(value_number(5), &id) && id == 5);
    EXPECT(crm_id_read(VALUE_TEXT_LITERAL(heap, "9223372036854775807"), &id) && id == INT64_MAX);
    EXPECT(!crm_id_read(VALUE_TEXT_LITERAL(heap, "9223372036854775808"), &id));
    EXPECT(!crm_id_read(VALUE_TEXT_LITERAL(heap, ""), &id) && !crm_id_read(VALUE_TEXT_LITERAL(heap, "1x"), &id));
    EXPECT(!crm_id_read(value_number(-1), &id) && !crm_id_read(value_null(), &id) && !crm_id_read(VALUE_TEXT_LITERAL(heap, "-5"), &id));
}
ON_FIBER(ids_are_digits)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_text),
        cmocka_unit_test(run_length_counts_characters),
        cmocka_unit_test(run_email),
        cmocka_unit_test(run_pick_lists_take_unknown_values),
        cmocka_unit_test(run_integer),
        cmocka_unit_test(run_decimal),
        cmocka_unit_test(run_boolean),
        cmocka_unit_test(run_date),
        cmocka_unit_test(run_date_values_of_scripts),
        cmocka_unit_test(run_datetime_is_shown_in_the_users_zone),
        cmocka_unit_test(run_lists_and_maps),
        cmocka_unit_test(run_ids_are_digits),
    };
    return cmocka_run_group_tests_name("types", tests, NULL, NULL);
}
