// SPDX-License-Identifier: Apache-2.0
//
// Signals: raised, refused, and listed newest first (spec/platform.md §7).
#include "crm_test.h"

static struct value raise_declared(struct fixture *f, const char *signal, const char *declared)
{
    struct value result = value_null();
    struct value names = declared ? read_json(f, declared) : value_null();
    expect_at(crm_signal_raise_declared(&f->session, read_json(f, signal), names, &result, &f->fail), __LINE__, signal, f->fail.text);
    return result;
}

static bool list_signals(struct fixture *f, int per_page, struct value *ret_list)
{
    bool more;
    return crm_signals_page(&f->session, &(struct crm_signal_query){.page = 1, .per_page = per_page}, ret_list, &more, &f->fail);
}

#define SIGNAL(more) "{\"signal_namespace\":\"twilioext.incoming\",\"subject\":\"s\",\"message\":\"m\"" more "}"

static void test_a_signal_is_raised_and_listed(struct fixture *f)
{
    struct value list;
    char expected[32];
    int64_t lead = add(f, "Leads", "{\"Last_Name\":\"Doe\",\"Email\":\"jane@z.example\"}");
    struct value result = raise_declared(
        f, SIGNAL(",\"email\":\"Jane@z.example\",\"actions\":[{\"type\":\"link\",\"display_name\":\"View\",\"url\":\"www.z.example\"}]"),
        "[\"incoming\"]");
    EXPECT(is_text(get(result, "code"), "SUCCESS") && is_text(get(result, "message"), "signal raised") &&
           is_text(get(result, "status"), "success"));
    raise_declared(f, "{\"signal_namespace\":\"twilioext__incoming\",\"subject\":\"second\",\"message\":\"m\"}", NULL);
    EXPECT_OK(list_signals(f, 10, &list));
    EXPECT(count_of(list) == 2 && is_text(get(at(list, 0), "subject"), "second"));
    struct value first = at(list, 1);
    snprintf(expected, sizeof expected, "%lld", (long long)lead);
    EXPECT(is_text(get(first, "signal_namespace"), "twilioext.incoming") && is_text(get(first, "module"), "Leads"));
    EXPECT(is_text(get(first, "record_id"), expected) && is_text(get(first, "email"), "Jane@z.example"));
    EXPECT_JSON(get(first, "actions"), "[{\"type\":\"link\",\"display_name\":\"View\",\"url\":\"www.z.example\"}]");
    EXPECT_JSON(get(at(list, 0), "record_id"), "null");
}
ON_FIBER(a_signal_is_raised_and_listed)

static void test_what_is_missing_is_told(struct fixture *f)
{
    EXPECT_JSON(raise_declared(f, "{\"signal_namespace\":\"a.b\",\"message\":\"m\"}", NULL),
                "{\"code\":\"MANDATORY_NOT_FOUND\",\"details\":{\"api_name\":\"subject\"},\"message\":\"required field not "
                "found\",\"status\":\"error\"}");
    EXPECT(is_text(get(raise_declared(f, "{\"signal_namespace\":\"a.b\",\"subject\":\"s\",\"message\":null}", NULL), "details.api_name"),
                   "message"));
    EXPECT(is_text(get(raise_declared(f, "{\"subject\":\"s\",\"message\":\"m\"}", NULL), "details.api_name"), "signal_namespace"));
    EXPECT(is_text(get(raise_declared(f, "[]", NULL), "message"), "a signal is a map"));
}
ON_FIBER(what_is_missing_is_told)

static void test_texts_are_limited(struct fixture *f)
{
    char signal[2048], text[1100];
    memset(text, 'x', sizeof text);
    snprintf(signal, sizeof signal, "{\"signal_namespace\":\"a.b\",\"subject\":\"%.101s\",\"message\":\"m\"}", text);
    EXPECT_JSON(get(raise_declared(f, signal, NULL), "details"), "{\"api_name\":\"subject\",\"maximum_length\":100}");
    snprintf(signal, sizeof signal, "{\"signal_namespace\":\"a.b\",\"subject\":\"%.100s\",\"message\":\"%.1001s\"}", text, text);
    EXPECT_JSON(get(raise_declared(f, signal, NULL), "details"), "{\"api_name\":\"message\",\"maximum_length\":1000}");
}
ON_FIBER(texts_are_limited)

static bool other_is_installed(void *user, struct view namespace)
{
    (void)user;
    return view_eq(namespace, VIEW("other"));
}

static void test_only_declared_signals_of_ones_own(struct fixture *f)
{
    EXPECT(is_text(get(raise_declared(f, SIGNAL(""), "[\"else\"]"), "message"), "the signal namespace given seems to be invalid"));
    EXPECT(is_text(get(raise_declared(f, SIGNAL(""), "[{\"namespace\":\"Incoming\",\"name\":\"x\"}]"), "code"), "SUCCESS"));
    EXPECT(
        is_text(get(raise_declared(f, "{\"signal_namespace\":\"incoming\",\"subject\":\"s\",\"message\":\"m\"}", NULL), "details.api_name"),
                "signal_namespace"));
    f->session.namespace = VIEW("twilioext");
    f->session.namespace_installed = other_is_installed;
    EXPECT(is_text(get(raise_declared(f, SIGNAL(""), NULL), "code"), "SUCCESS"));
    EXPECT(is_text(get(raise_declared(f, "{\"signal_namespace\":\"nobody.x\",\"subject\":\"s\",\"message\":\"m\"}", NULL), "code"),
                   "SUCCESS"));
    EXPECT(is_text(get(raise_declared(f, "{\"signal_namespace\":\"other.x\",\"subject\":\"s\",\"message\":\"m\"}", NULL), "code"),
                   "INVALID_DATA"));
}
ON_FIBER(only_declared_signals_of_ones_own)

static void test_actions_are_checked(struct fixture *f)
{
    EXPECT(is_text(get(raise_declared(f, SIGNAL(",\"actions\":7"), NULL), "details.api_name"), "actions"));
    EXPECT(is_text(get(raise_declared(f, SIGNAL(",\"actions\":[{\"type\":\"link\"}]"), NULL), "message"),
                   "an action has type, display_name and url"));
    EXPECT(is_text(get(raise_declared(f, SIGNAL(",\"actions\":[]"), NULL), "code"), "SUCCESS"));
}
ON_FIBER(actions_are_checked)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_a_signal_is_raised_and_listed),
        cmocka_unit_test(run_what_is_missing_is_told),
        cmocka_unit_test(run_texts_are_limited),
        cmocka_unit_test(run_only_declared_signals_of_ones_own),
        cmocka_unit_test(run_actions_are_checked),
    };
    return cmocka_run_group_tests_name("signal", tests, NULL, NULL);
}
