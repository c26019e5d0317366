// SPDX-License-Identifier: Apache-2.0
//
// COQL: what queries find and in which shape, what is refused with which details, and that nothing of a query becomes SQL.
#include "crm_test.h"

// The answer as JSON (ids cut), or the code and the details.
static void expect_answer_at(struct fixture *f, const char *query, const char *expected, int line)
{
    struct value list = value_null();
    bool more;
    char answer[4096];
    if (crm_coql(&f->session, view_of(query), &list, &more, &f->fail)) {
        for (uint32_t i = 0; i < count_of(list); i++) {
            map_remove(value_as_map(at(list, i)), VALUE_TEXT_LITERAL(&f->heap, "id"));
        }
        snprintf(answer, sizeof answer, "%s%s", write_json(list), more ? " more" : "");
    } else {
        snprintf(answer, sizeof answer, "%s %s", fail_name(f->fail.code), write_json(f->session.details));
    }
    expect_at(strcmp(answer, expected) == 0, line, expected, answer);
}
#define EXPECT_ANSWER(query, expected) expect_answer_at(f, (query), (expected), __LINE__)

static void add_deals(struct fixture *f)
{
    char row[256];
    int64_t account = add(f, "Accounts", "{\"Account_Name\":\"Navy\",\"Industry\":\"Defence\"}");
    snprintf(row, sizeof row, "{\"Deal_Name\":\"One\",\"Stage\":\"Closed Won\",\"Amount\":10.5,\"Account_Name\":\"%lld\"}",
             (long long)account);
    add(f, "Deals", row);
    add(f, "Deals", "{\"Deal_Name\":\"Two\",\"Stage\":\"Closed Won\",\"Amount\":20}");
    add(f, "Deals", "{\"Deal_Name\":\"O'Hara\",\"Stage\":\"Qualification\"}");
}

static void test_columns_and_joins(struct fixture *f)
{
    add_deals(f);
    EXPECT_ANSWER("select Deal_Name, Amount from Deals where Amount >= 10.5",
                  "[{\"Deal_Name\":\"One\",\"Amount\":10.5},{\"Deal_Name\":\"Two\",\"Amount\":20}]");
    EXPECT_ANSWER("SELECT Deal_Name 'who', Account_Name.Industry FROM Deals WHERE Account_Name.Account_Name = 'navy'",
                  "[{\"who\":\"One\",\"Account_Name.Industry\":\"Defence\"}]");
    EXPECT_ANSWER("select Deal_Name from Deals where Deal_Name = 'o\\'hara'", "[{\"Deal_Name\":\"O'Hara\"}]");
    EXPECT_ANSWER("select !Deals.Deal_Name from Deals where Amount is null", "[{\"!Deals.Deal_Name\":\"O'Hara\"}]");
    f->session.api_version = 7;
    EXPECT_ANSWER("select Deal_Name from Deals where (Stage in ('Closed Won', x) and (Amount > 15 or Amount < 5))",
                  "[{\"Deal_Name\":\"Two\"}]");
}
ON_FIBER(columns_and_joins)

static void test_patterns_and_order(struct fixture *f)
{
    add_deals(f);
    EXPECT_ANSWER("select Deal_Name from Deals where Deal_Name like '%w%'", "[{\"Deal_Name\":\"Two\"}]");
    EXPECT_ANSWER("select Deal_Name from Deals where Deal_Name not like '%w%' order by Deal_Name desc",
                  "[{\"Deal_Name\":\"One\"},{\"Deal_Name\":\"O'Hara\"}]");
    EXPECT_ANSWER("select Deal_Name from Deals where Amount not between 15 and 25", "[{\"Deal_Name\":\"One\"}]");
    EXPECT_ANSWER("select Deal_Name from Deals where id is not null limit 2", "[{\"Deal_Name\":\"One\"},{\"Deal_Name\":\"Two\"}] more");
    EXPECT_ANSWER("select Deal_Name from Deals where id is not null limit 2 offset 2", "[{\"Deal_Name\":\"O'Hara\"}]");
    EXPECT_ANSWER("select Deal_Name from Deals where id is not null limit 2, 1", "[{\"Deal_Name\":\"O'Hara\"}]");
}
ON_FIBER(patterns_and_order)

static void test_aggregates(struct fixture *f)
{
    add_deals(f);
    EXPECT_ANSWER("select Stage, SUM(Amount), COUNT(id) n from Deals where id is not null group by Stage order by n desc",
                  "[{\"Stage\":\"Closed Won\",\"SUM(Amount)\":30.5,\"n\":2},{\"Stage\":\"Qualification\",\"SUM(Amount)\":null,\"n\":1}]");
    EXPECT_ANSWER("select COUNT(*) from Deals where Amount > 0", "[{\"COUNT(*)\":2}]");
    EXPECT_ANSWER("select Stage, MAX(Amount) from Deals where id is not null",
                  "INVALID_QUERY {\"column_name\":\"Stage\",\"clause\":\"group by\"}");
    EXPECT_ANSWER("select SUM(Deal_Name) from Deals where id is not null",
                  "INVALID_QUERY {\"column_name\":\"Deal_Name\",\"clause\":\"select\"}");
}
ON_FIBER(aggregates)

static void test_refusals(struct fixture *f)
{
    EXPECT_ANSWER("select Deal_Name from Deals", "SYNTAX_ERROR {\"clause\":\"where\"}");
    EXPECT_ANSWER("delete from Deals where id = 1", "SYNTAX_ERROR {\"clause\":\"select\"}");
    EXPECT_ANSWER("select Deal_Name from Deals where a = 1 and b = 2 and c = 3",
                  "SYNTAX_ERROR {\"near\":\"and\",\"line\":1,\"column\":51}");
    EXPECT_ANSWER("select Deal_Name\nfrom Deals where (a = 1", "SYNTAX_ERROR {\"near\":\"end of the query\",\"line\":2,\"column\":24}");
    EXPECT_ANSWER("select Nope from Deals where id = 1", "INVALID_QUERY {\"column_name\":\"Nope\",\"clause\":\"select\"}");
    EXPECT_ANSWER("select id from Nope where id = 1", "INVALID_MODULE null");
    EXPECT_ANSWER("select id from Deals where Nope = 1",
                  "INVALID_QUERY {\"column_name\":\"Nope\",\"clause\":\"where\"}");
    EXPECT_ANSWER("select id from Deals where Amount > 'x'",
                  "INVALID_QUERY {\"reason\":\"the value does not suit the field\",\"column_name\":\"Amount\",\"operator\":\">\",\"value\":\"x\"}");
    EXPECT_ANSWER("select Deal_Name, Deal_Name from Deals where id = 1", "DUPLICATE_DATA {\"column_name\":\"Deal_Name\"}");
    EXPECT_ANSWER("select Deal_Name a, Stage a from Deals where id = 1", "DUPLICATE_ALIAS {\"alias\":\"a\"}");
    EXPECT_ANSWER("select Account_Name.Parent_Account.Parent_Account.Parent_Account from Deals where id = 1",
                  "INVALID_QUERY {\"column_name\":\"Account_Name.Parent_Account.Parent_Account.Parent_Account\",\"clause\":\"select\"}");
    EXPECT_ANSWER("select Deal_Name from Deals where id = 1 limit x", "SYNTAX_ERROR {\"clause\":\"limit\"}");
}
ON_FIBER(refusals)

static void test_limits_by_version(struct fixture *f)
{
    EXPECT_ANSWER("select id from Deals where id is not null limit 201", "LIMIT_EXCEEDED {\"clause\":\"limit\"}");
    f->session.api_version = 4;
    EXPECT_ANSWER("select id from Deals where id is not null limit 2000", "[]");
    EXPECT_ANSWER("select id from Deals where id is not null limit 200 offset 9900", "LIMIT_EXCEEDED {\"clause\":\"offset\"}");
    f->session.api_version = 8;
    EXPECT_ANSWER("select id from Deals where id is not null limit 200 offset 9900", "[]");
}
ON_FIBER(limits_by_version)

// What would end a text or a statement in SQL is a value, a name that does not exist, or a syntax error.
static void test_nothing_becomes_sql(struct fixture *f)
{
    add_deals(f);
    EXPECT_ANSWER("select Deal_Name from Deals where Deal_Name = 'x\\' or 1=1 --'", "[]");
    EXPECT_ANSWER("select Deal_Name from Deals where Deal_Name = \"'; drop table Deals; --\"", "[]");
    EXPECT_ANSWER("select \"Deal_Name\" from crm_user where id is not null", "INVALID_MODULE null");
    EXPECT_ANSWER("select Deal_Name from Deals where 1 = 1", "SYNTAX_ERROR {\"near\":\"1\",\"line\":1,\"column\":35}");
    EXPECT_ANSWER("select Deal_Name from Deals where id is not null union select email from crm_user",
                  "SYNTAX_ERROR {\"near\":\"union\",\"line\":1,\"column\":50}");
    EXPECT_ANSWER("select Deal_Name 'a\",(select 1)' from Deals where Amount = 20", "[{\"a\\\",(select 1)\":\"Two\"}]");
}
ON_FIBER(nothing_becomes_sql)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_columns_and_joins), cmocka_unit_test(run_patterns_and_order), cmocka_unit_test(run_aggregates),
        cmocka_unit_test(run_refusals),          cmocka_unit_test(run_limits_by_version),  cmocka_unit_test(run_nothing_becomes_sql),
    };
    return cmocka_run_group_tests_name("coql", tests, NULL, NULL);
}
