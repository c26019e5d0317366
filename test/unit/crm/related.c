// SPDX-License-Identifier: Apache-2.0
//
// Related lists by their names and by the names of modules with a look-up.
#include "crm_test.h"

static struct value related(struct fixture *f, const char *relation, const char *module, int64_t id)
{
    struct value list = value_null();
    bool more;
    expect_at(crm_related_list(&f->session, view_of(relation), view_of(module), id, &(struct crm_query){0}, &list, &more, &f->fail),
              __LINE__, relation, f->fail.text);
    return list;
}

static int64_t add_for(struct fixture *f, const char *module, const char *fields, const char *lookup, int64_t id)
{
    char row[512];
    snprintf(row, sizeof row, "{%s,\"%s\":\"%lld\"}", fields, lookup, (long long)id);
    return add(f, module, row);
}

static void test_lookups_make_a_related_list(struct fixture *f)
{
    int64_t account = add(f, "Accounts", "{\"Account_Name\":\"Zylker\"}"), other = add(f, "Accounts", "{\"Account_Name\":\"Other\"}");
    add_for(f, "Contacts", "\"Last_Name\":\"A\"", "Account_Name", account);
    add_for(f, "Contacts", "\"Last_Name\":\"B\"", "Account_Name", other);
    struct value list = related(f, "contacts", "Accounts", account);
    EXPECT(count_of(list) == 1 && is_text(get(at(list, 0), "Last_Name"), "A"));
    EXPECT(count_of(related(f, "Deals", "Accounts", account)) == 0);
}
ON_FIBER(lookups_make_a_related_list)

static void test_notes_of_one_record(struct fixture *f)
{
    int64_t lead = add(f, "Leads", "{\"Last_Name\":\"Doe\"}"), contact = add(f, "Contacts", "{\"Last_Name\":\"Doe\"}");
    add_for(f, "Notes", "\"Note_Content\":\"of the lead\",\"$se_module\":\"Leads\"", "Parent_Id", lead);
    add_for(f, "Notes", "\"Note_Content\":\"of the contact\",\"$se_module\":\"Contacts\"", "Parent_Id", contact);
    struct value list = related(f, "Notes", "Leads", lead);
    EXPECT(count_of(list) == 1 && is_text(get(at(list, 0), "Note_Content"), "of the lead"));
    EXPECT(count_of(related(f, "Notes", "Contacts", lead)) == 0);
}
ON_FIBER(notes_of_one_record)

static void test_tasks_come_open_and_done(struct fixture *f)
{
    int64_t lead = add(f, "Leads", "{\"Last_Name\":\"Doe\"}");
    add_for(f, "Tasks", "\"Subject\":\"new\",\"$se_module\":\"Leads\"", "What_Id", lead);
    add_for(f, "Tasks", "\"Subject\":\"old\",\"Status\":\"Completed\",\"$se_module\":\"Leads\"", "What_Id", lead);
    struct value open = related(f, "Tasks", "Leads", lead), done = related(f, "Tasks_History", "Leads", lead);
    EXPECT(count_of(open) == 1 && is_text(get(at(open, 0), "Subject"), "new"));
    EXPECT(count_of(done) == 1 && is_text(get(at(done, 0), "Subject"), "old"));
}
ON_FIBER(tasks_come_open_and_done)

static void test_lists_without_storage_are_empty(struct fixture *f)
{
    int64_t lead = add(f, "Leads", "{\"Last_Name\":\"Doe\"}");
    EXPECT(count_of(related(f, "Products", "Leads", lead)) == 0);
    EXPECT(count_of(related(f, "Emails", "Leads", lead)) == 0);
}
ON_FIBER(lists_without_storage_are_empty)

static void test_unknown_relations_are_refused(struct fixture *f)
{
    struct value list;
    bool more;
    const char *const wrong[] = {"Nonsense", "", "Vendors", "Quoted_Items", "Notes\"--"};
    for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
        EXPECT_FAIL(crm_related_list(&f->session, view_of(wrong[i]), VIEW("Leads"), 1, NULL, &list, &more, &f->fail), FAIL_INVALID_DATA);
        EXPECT(strcmp(f->fail.text, "the relation name given seems to be invalid") == 0);
    }
    EXPECT_FAIL(crm_related_list(&f->session, VIEW("Notes"), VIEW("Nonsense"), 1, NULL, &list, &more, &f->fail), FAIL_INVALID_MODULE);
}
ON_FIBER(unknown_relations_are_refused)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_lookups_make_a_related_list),   cmocka_unit_test(run_notes_of_one_record),
        cmocka_unit_test(run_tasks_come_open_and_done),      cmocka_unit_test(run_lists_without_storage_are_empty),
        cmocka_unit_test(run_unknown_relations_are_refused),
    };
    return cmocka_run_group_tests_name("related", tests, NULL, NULL);
}
