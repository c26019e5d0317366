// SPDX-License-Identifier: Apache-2.0
//
// Linking records in related lists, and files hung on records.
#include "crm_test.h"

static struct value related(struct fixture *f, const char *relation, const char *module, int64_t id)
{
    struct value list = value_null();
    bool more;
    expect_at(crm_related_list(&f->session, view_of(relation), view_of(module), id, &(struct crm_query){0}, &list, &more, &f->fail),
              __LINE__, relation, f->fail.text);
    return list;
}

static struct value link_to(struct fixture *f, const char *relation, int64_t child, const char *module, int64_t parent, const char *fields)
{
    struct value result = value_null();
    expect_at(crm_relation_update(&f->session, view_of(relation), child, view_of(module), parent, read_json(f, fields), &result, &f->fail),
              __LINE__, relation, f->fail.text);
    return result;
}

static void test_a_junction_is_seen_from_both_sides(struct fixture *f)
{
    int64_t lead = add(f, "Leads", "{\"Last_Name\":\"Doe\"}"), other = add(f, "Leads", "{\"Last_Name\":\"Roe\"}");
    int64_t campaign = add(f, "Campaigns", "{\"Campaign_Name\":\"Fair\"}");
    struct value result = link_to(f, "Campaigns", campaign, "Leads", lead, "{\"Member_Status\":\"Active\"}");
    EXPECT(is_text(get(result, "code"), "SUCCESS") && is_text(get(result, "message"), "relation updated") && id_of(result) == campaign);
    struct value campaigns = related(f, "Campaigns", "Leads", lead), leads = related(f, "Leads", "Campaigns", campaign);
    EXPECT(count_of(campaigns) == 1 && is_text(get(at(campaigns, 0), "Member_Status"), "Active"));
    EXPECT(count_of(leads) == 1 && is_text(get(at(leads, 0), "Last_Name"), "Doe") && is_text(get(at(leads, 0), "Member_Status"), "Active"));
    EXPECT(count_of(related(f, "Campaigns", "Leads", other)) == 0);
}
ON_FIBER(a_junction_is_seen_from_both_sides)

static void test_linking_again_changes_the_link(struct fixture *f)
{
    int64_t deal = add(f, "Deals", "{\"Deal_Name\":\"D\",\"Stage\":\"Qualification\"}"),
            contact = add(f, "Contacts", "{\"Last_Name\":\"Doe\"}");
    link_to(f, "Contact_Roles", contact, "Deals", deal, "{\"Contact_Role\":\"User\",\"Note\":\"kept\"}");
    link_to(f, "Contacts", contact, "Deals", deal, "{\"Contact_Role\":\"Buyer\"}");
    struct value list = related(f, "Contact_Roles", "Deals", deal);
    EXPECT(count_of(list) == 1 && is_text(get(at(list, 0), "Contact_Role"), "Buyer") && is_text(get(at(list, 0), "Note"), "kept"));
}
ON_FIBER(linking_again_changes_the_link)

static void test_a_lookup_is_the_link(struct fixture *f)
{
    int64_t account = add(f, "Accounts", "{\"Account_Name\":\"A\"}"), contact = add(f, "Contacts", "{\"Last_Name\":\"Doe\"}");
    struct value result = link_to(f, "Contacts", contact, "Accounts", account, "{\"Title\":\"Boss\"}");
    EXPECT(is_text(get(result, "message"), "relation updated"));
    EXPECT(is_text(get(fetch(f, "Contacts", contact), "Account_Name.name"), "A") &&
           is_text(get(fetch(f, "Contacts", contact), "Title"), "Boss"));
}
ON_FIBER(a_lookup_is_the_link)

static void test_ids_of_nothing_are_refused(struct fixture *f)
{
    int64_t lead = add(f, "Leads", "{\"Last_Name\":\"Doe\"}"), campaign = add(f, "Campaigns", "{\"Campaign_Name\":\"Fair\"}");
    struct value result;
    EXPECT_JSON(link_to(f, "Campaigns", 7, "Leads", lead, "{}"),
                "{\"code\":\"INVALID_DATA\",\"details\":{},\"message\":\"the related id given seems to be invalid\",\"status\":\"error\"}");
    EXPECT_JSON(link_to(f, "Campaigns", campaign, "Leads", 7, "{}"),
                "{\"code\":\"INVALID_DATA\",\"details\":{},\"message\":\"the id given seems to be invalid\",\"status\":\"error\"}");
    EXPECT_FAIL(crm_relation_update(&f->session, VIEW("Nonsense"), 1, VIEW("Leads"), lead, value_null(), &result, &f->fail),
                FAIL_INVALID_DATA);
}
ON_FIBER(ids_of_nothing_are_refused)

// ---- attachments --------------------------------------------------------------------------------

static struct value attach(struct fixture *f, int64_t lead, struct view bytes, const char *name)
{
    struct value file = value_file(&f->heap, bytes, view_of(name), VIEW("text/plain")), result = value_null();
    expect_at(crm_attachment_add(&f->session, VIEW("Leads"), lead, file.file, &result, &f->fail), __LINE__, name, f->fail.text);
    return result;
}

static void test_an_attachment_is_listed_and_read(struct fixture *f)
{
    int64_t lead = add(f, "Leads", "{\"Last_Name\":\"Doe\"}");
    struct value result = attach(f, lead, (struct view){"a\0b", 3}, "C:\\dir/a.txt"), file = value_null();
    EXPECT(is_text(get(result, "code"), "SUCCESS") && is_text(get(result, "message"), "attachment uploaded successfully"));
    struct value list = related(f, "Attachments", "Leads", lead);
    EXPECT(count_of(list) == 1 && is_text(get(at(list, 0), "File_Name"), "a.txt") && is_text(get(at(list, 0), "Size"), "3"));
    EXPECT_OK(crm_attachment_get(&f->session, id_of(result), &file, &f->fail));
    EXPECT(file.type == VALUE_FILE && view_eq(file.file->bytes, (struct view){"a\0b", 3}));
    EXPECT_FAIL(crm_attachment_get(&f->session, lead, &file, &f->fail), FAIL_NOT_FOUND);
}
ON_FIBER(an_attachment_is_listed_and_read)

static void test_files_over_20_mb_and_records_that_are_not_there_are_refused(struct fixture *f)
{
    int64_t lead = add(f, "Leads", "{\"Last_Name\":\"Doe\"}");
    char *bytes = calloc(1, CRM_ATTACHMENT_BYTES_MAX + 1);
    EXPECT(is_text(get(attach(f, lead, (struct view){bytes, CRM_ATTACHMENT_BYTES_MAX + 1}, "big"), "code"),
                   "FILE_SIZE_MORE_THAN_ALLOWED_SIZE"));
    EXPECT(is_text(get(attach(f, lead, (struct view){bytes, CRM_ATTACHMENT_BYTES_MAX}, "just"), "code"), "SUCCESS"));
    free(bytes);
    EXPECT(is_text(get(attach(f, 7, VIEW("x"), "x"), "message"), "the id given seems to be invalid"));
    EXPECT(count_of(related(f, "Attachments", "Leads", lead)) == 1);
}
ON_FIBER(files_over_20_mb_and_records_that_are_not_there_are_refused)

// ---- journal and counters -----------------------------------------------------------------------

static bool begin_journal(struct tx *tx, void *arg, struct fail *fail)
{
    return store_journal_begin(tx, arg, fail);
}

static bool undo_journal(struct tx *tx, void *arg, struct fail *fail)
{
    return store_journal_undo(tx, *(int64_t *)arg, fail);
}

static void test_an_undone_journal_takes_links_and_files_back(struct fixture *f)
{
    int64_t lead = add(f, "Leads", "{\"Last_Name\":\"Doe\"}"), journal = 0;
    int64_t old = add(f, "Campaigns", "{\"Campaign_Name\":\"Old\"}"), new = add(f, "Campaigns", "{\"Campaign_Name\":\"New\"}");
    link_to(f, "Campaigns", old, "Leads", lead, "{\"Member_Status\":\"Before\"}");
    EXPECT_OK(store_write(f->env, begin_journal, &journal, &f->fail));
    f->session.journal = journal;
    link_to(f, "Campaigns", old, "Leads", lead, "{\"Member_Status\":\"After\"}");
    link_to(f, "Campaigns", new, "Leads", lead, "{}");
    int64_t attachment = id_of(attach(f, lead, VIEW("x"), "x.txt"));
    f->session.journal = 0;
    EXPECT_OK(store_write(f->env, undo_journal, &journal, &f->fail));
    struct value list = related(f, "Campaigns", "Leads", lead), file;
    EXPECT(count_of(list) == 1 && is_text(get(at(list, 0), "Member_Status"), "Before"));
    EXPECT(count_of(related(f, "Attachments", "Leads", lead)) == 0);
    EXPECT_FAIL(crm_attachment_get(&f->session, attachment, &file, &f->fail), FAIL_NOT_FOUND);
}
ON_FIBER(an_undone_journal_takes_links_and_files_back)

static void test_a_counter_gives_so_many_a_day(struct fixture *f)
{
    bool taken = false;
    for (int i = 0; i < 3; i++) {
        EXPECT_OK(crm_counter_take(&f->session, VIEW("mail"), 3, &taken, &f->fail));
        EXPECT(taken);
    }
    EXPECT_OK(crm_counter_take(&f->session, VIEW("mail"), 3, &taken, &f->fail));
    EXPECT(!taken);
    EXPECT_OK(crm_counter_take(&f->session, VIEW("other"), 0, &taken, &f->fail));
    EXPECT(!taken);
}
ON_FIBER(a_counter_gives_so_many_a_day)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_a_junction_is_seen_from_both_sides),
        cmocka_unit_test(run_linking_again_changes_the_link),
        cmocka_unit_test(run_a_lookup_is_the_link),
        cmocka_unit_test(run_ids_of_nothing_are_refused),
        cmocka_unit_test(run_an_attachment_is_listed_and_read),
        cmocka_unit_test(run_files_over_20_mb_and_records_that_are_not_there_are_refused),
        cmocka_unit_test(run_an_undone_journal_takes_links_and_files_back),
        cmocka_unit_test(run_a_counter_gives_so_many_a_day),
    };
    return cmocka_run_group_tests_name("relation", tests, NULL, NULL);
}
