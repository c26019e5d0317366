// SPDX-License-Identifier: Apache-2.0
//
// Converting leads: what is made, what moves, what a refusal leaves.
#include "crm_test.h"

#define LEAD "{\"First_Name\":\"Ada\",\"Last_Name\":\"Doe\",\"Company\":\"Zylker\",\"Email\":\"d@x.example\",\"City\":\"Pune\"}"

static struct value convert(struct fixture *f, int64_t lead, const char *values)
{
    struct value result = value_null();
    expect_at(crm_lead_convert(&f->session, lead, read_json(f, values), &result, &f->fail), __LINE__, values, f->fail.text);
    return result;
}

static int64_t id_at(struct value result, const char *path)
{
    int64_t id = 0;
    crm_id_read(get(result, path), &id);
    return id;
}

static int64_t count(struct fixture *f, const char *module, const char *converted)
{
    int64_t number = -1;
    struct crm_query query = {.converted = view_of(converted)};
    expect_at(crm_records_count(&f->session, view_of(module), &query, &number, &f->fail), __LINE__, module, f->fail.text);
    return number;
}

static void test_a_lead_becomes_an_account_and_a_contact(struct fixture *f)
{
    struct value result = convert(f, add(f, "Leads", LEAD), "{}");
    struct value contact = fetch(f, "Contacts", id_at(result, "Contacts")), account = fetch(f, "Accounts", id_at(result, "Accounts"));
    EXPECT(value_is_null(get(result, "Deals")) && value_is_null(get(result, "code")));
    EXPECT(is_text(get(account, "Account_Name"), "Zylker") && is_text(get(account, "Billing_City"), "Pune"));
    EXPECT(is_text(get(contact, "Full_Name"), "Ada Doe") && is_text(get(contact, "Email"), "d@x.example"));
    EXPECT(is_text(get(contact, "Account_Name.name"), "Zylker"));
}
ON_FIBER(a_lead_becomes_an_account_and_a_contact)

static void test_a_deal_is_made_when_it_is_asked_for(struct fixture *f)
{
    f->session.api_version = 8;
    struct value result = convert(f, add(f, "Leads", LEAD), "{\"Deals\":{\"Deal_Name\":\"Big\",\"Stage\":\"Qualification\"}}");
    EXPECT(is_text(get(result, "code"), "SUCCESS") && is_text(get(result, "message"), "The record has been converted successfully"));
    EXPECT(is_text(get(result, "details.Contacts.name"), "Ada Doe") && is_text(get(result, "details.Deals.name"), "Big"));
    struct value deal = fetch(f, "Deals", id_at(result, "details.Deals.id"));
    EXPECT(is_text(get(deal, "Account_Name.name"), "Zylker") && is_text(get(deal, "Contact_Name.name"), "Ada Doe"));
}
ON_FIBER(a_deal_is_made_when_it_is_asked_for)

static void test_a_lead_without_company_has_no_account(struct fixture *f)
{
    struct value result = convert(f, add(f, "Leads", "{\"Last_Name\":\"Doe\"}"), "null");
    EXPECT(value_is_null(get(result, "Accounts")) && id_at(result, "Contacts") != 0 && count(f, "Accounts", "") == 0);
}
ON_FIBER(a_lead_without_company_has_no_account)

static void test_records_that_are_named_are_used(struct fixture *f)
{
    int64_t account = add(f, "Accounts", "{\"Account_Name\":\"Old\"}"), contact = add(f, "Contacts", "{\"Last_Name\":\"Old\"}");
    char values[200];
    snprintf(values, sizeof values, "{\"Accounts\":\"%lld\",\"Contacts\":{\"id\":\"%lld\"}}", (long long)account, (long long)contact);
    struct value result = convert(f, add(f, "Leads", LEAD), values);
    EXPECT(id_at(result, "Accounts") == account && id_at(result, "Contacts") == contact);
    EXPECT(is_text(get(fetch(f, "Contacts", contact), "Last_Name"), "Old") &&
           is_text(get(fetch(f, "Contacts", contact), "Account_Name.name"), "Old"));
    snprintf(values, sizeof values, "{\"overwrite\":true,\"Contacts\":\"%lld\"}", (long long)contact);
    convert(f, add(f, "Leads", LEAD), values);
    EXPECT(is_text(get(fetch(f, "Contacts", contact), "Last_Name"), "Doe") && count(f, "Contacts", "") == 1);
}
ON_FIBER(records_that_are_named_are_used)

static void test_a_converted_lead_leaves_lists(struct fixture *f)
{
    int64_t lead = add(f, "Leads", LEAD);
    EXPECT(count(f, "Leads", "") == 1 && count(f, "Leads", "true") == 0);
    struct value result = convert(f, lead, "{}"), record = fetch(f, "Leads", lead);
    EXPECT(count(f, "Leads", "") == 0 && count(f, "Leads", "false") == 0 && count(f, "Leads", "true") == 1 &&
           count(f, "Leads", "both") == 1);
    EXPECT(count_of(search(f, "Leads", "(Last_Name:equals:Doe)")) == 0);
    EXPECT_JSON(get(record, "Converted__s"), "true");
    EXPECT_JSON(get(record, "$converted"), "true");
    EXPECT(id_at(record, "$converted_detail.contact") == id_at(result, "Contacts"));
}
ON_FIBER(a_converted_lead_leaves_lists)

static void test_a_lead_is_converted_once(struct fixture *f)
{
    int64_t lead = add(f, "Leads", LEAD);
    convert(f, lead, "{}");
    EXPECT_JSON(convert(f, lead, "{}"),
                "{\"code\":\"ID_ALREADY_CONVERTED\",\"details\":{},\"message\":\"id already converted\",\"status\":\"error\"}");
    EXPECT_JSON(convert(f, 7, "{}"),
                "{\"code\":\"INVALID_DATA\",\"details\":{},\"message\":\"the id given seems to be invalid\",\"status\":\"error\"}");
    EXPECT(count(f, "Contacts", "") == 1);
}
ON_FIBER(a_lead_is_converted_once)

static void test_a_refused_deal_leaves_nothing(struct fixture *f)
{
    int64_t lead = add(f, "Leads", LEAD);
    struct value result = convert(f, lead, "{\"Deals\":{\"Deal_Name\":\"Big\"}}");
    EXPECT_JSON(result, "{\"code\":\"MANDATORY_NOT_FOUND\",\"details\":{\"api_name\":\"Stage\"},\"message\":\"required field not "
                        "found\",\"status\":\"error\"}");
    EXPECT(count(f, "Contacts", "") == 0 && count(f, "Accounts", "") == 0 && count(f, "Leads", "") == 1);
    result = convert(f, lead, "{\"Contacts\":\"7\"}");
    EXPECT_JSON(get(result, "details"), "{\"api_name\":\"Contacts\"}");
    EXPECT(count(f, "Accounts", "") == 0 && count(f, "Leads", "") == 1);
}
ON_FIBER(a_refused_deal_leaves_nothing)

static void add_children(struct fixture *f, int64_t lead)
{
    char row[300];
    snprintf(row, sizeof row, "{\"Note_Content\":\"n\",\"Parent_Id\":\"%lld\",\"$se_module\":\"Leads\"}", (long long)lead);
    add(f, "Notes", row);
    snprintf(row, sizeof row, "{\"Subject\":\"t\",\"What_Id\":\"%lld\",\"$se_module\":\"Leads\"}", (long long)lead);
    add(f, "Tasks", row);
    struct value result;
    int64_t campaign = add(f, "Campaigns", "{\"Campaign_Name\":\"Fair\"}");
    EXPECT_OK(crm_relation_update(&f->session, VIEW("Campaigns"), campaign, VIEW("Leads"), lead, value_null(), &result, &f->fail));
}

static uint32_t count_related(struct fixture *f, const char *relation, const char *module, int64_t id)
{
    struct value list = value_null();
    bool more;
    EXPECT_OK(crm_related_list(&f->session, view_of(relation), view_of(module), id, NULL, &list, &more, &f->fail));
    return count_of(list);
}

static void test_what_hangs_on_a_lead_moves_on(struct fixture *f)
{
    int64_t lead = add(f, "Leads", LEAD);
    add_children(f, lead);
    struct value result = convert(f, lead, "{}");
    int64_t contact = id_at(result, "Contacts"), account = id_at(result, "Accounts");
    EXPECT(count_related(f, "Notes", "Contacts", contact) == 1 && count_related(f, "Notes", "Leads", lead) == 0);
    EXPECT(count_related(f, "Tasks", "Contacts", contact) == 1 && count_related(f, "Tasks", "Accounts", account) == 1);
    EXPECT(count_related(f, "Campaigns", "Contacts", contact) == 1 && count_related(f, "Campaigns", "Leads", lead) == 0);
}
ON_FIBER(what_hangs_on_a_lead_moves_on)

static bool begin_journal(struct tx *tx, void *arg, struct fail *fail)
{
    return store_journal_begin(tx, arg, fail);
}

static bool undo_journal(struct tx *tx, void *arg, struct fail *fail)
{
    return store_journal_undo(tx, *(int64_t *)arg, fail);
}

static void test_an_undone_journal_brings_the_lead_back(struct fixture *f)
{
    int64_t lead = add(f, "Leads", LEAD), journal = 0;
    add_children(f, lead);
    EXPECT_OK(store_write(f->env, begin_journal, &journal, &f->fail));
    f->session.journal = journal;
    convert(f, lead, "{\"Deals\":{\"Deal_Name\":\"Big\",\"Stage\":\"Qualification\"}}");
    f->session.journal = 0;
    EXPECT_OK(store_write(f->env, undo_journal, &journal, &f->fail));
    EXPECT(count(f, "Contacts", "") == 0 && count(f, "Accounts", "") == 0 && count(f, "Deals", "") == 0 && count(f, "Leads", "") == 1);
    EXPECT(count_related(f, "Notes", "Leads", lead) == 1 && count_related(f, "Tasks", "Leads", lead) == 1);
    EXPECT(count_related(f, "Campaigns", "Leads", lead) == 1);
}
ON_FIBER(an_undone_journal_brings_the_lead_back)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_a_lead_becomes_an_account_and_a_contact), cmocka_unit_test(run_a_deal_is_made_when_it_is_asked_for),
        cmocka_unit_test(run_a_lead_without_company_has_no_account),   cmocka_unit_test(run_records_that_are_named_are_used),
        cmocka_unit_test(run_a_converted_lead_leaves_lists),           cmocka_unit_test(run_a_lead_is_converted_once),
        cmocka_unit_test(run_a_refused_deal_leaves_nothing),           cmocka_unit_test(run_what_hangs_on_a_lead_moves_on),
        cmocka_unit_test(run_an_undone_journal_brings_the_lead_back),
    };
    return cmocka_run_group_tests_name("lead", tests, NULL, NULL);
}
