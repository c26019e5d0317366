// SPDX-License-Identifier: Apache-2.0
//
// Modules of extensions: what is checked, what an installation makes, how names resolve, and what an upgrade leaves alone (PRODUCT "An
// extension on disk").
#include "crm_test.h"

static const char SMS[] = "[{\"api_name\":\"SMS_Texts\",\"singular_label\":\"SMS Text\",\"plural_label\":\"SMS Texts\","
                          "\"name_field\":{\"api_name\":\"SMS_Texts_Name\"},\"fields\":["
                          "{\"api_name\":\"Direction\",\"data_type\":\"picklist\",\"pick_list_values\":[\"Inbound\",\"Outbound\"]},"
                          "{\"api_name\":\"Lead\",\"data_type\":\"lookup\",\"lookup\":{\"module\":\"Leads\"}},"
                          "{\"api_name\":\"Reply_To\",\"data_type\":\"lookup\",\"lookup\":{\"module\":\"SMS_Texts\"}},"
                          "{\"api_name\":\"Topics\",\"data_type\":\"multiselectpicklist\",\"pick_list_values\":[\"A\",\"B\",\"C\"]},"
                          "{\"api_name\":\"Reference\",\"data_type\":\"text\",\"unique\":true,\"length\":20},"
                          "{\"api_name\":\"Serial\",\"data_type\":\"bigint\"}]},"
                          "{\"api_name\":\"Leads\",\"fields\":[{\"api_name\":\"Score\",\"data_type\":\"integer\"}]}]";

struct package {
    struct view namespace;
    struct value modules;
    struct heap *heap;
};

static bool install_closure(struct tx *tx, void *arg, struct fail *fail)
{
    struct package *package = arg;
    return crm_modules_install_tx(tx, package->namespace, package->modules, 0, package->heap, fail);
}

static bool install_as(struct fixture *f, const char *namespace, const char *modules)
{
    struct package package = {view_of(namespace), read_json(f, modules), &f->heap};
    return store_write(f->env, install_closure, &package, &f->fail);
}

static void reopen(struct fixture *f)
{
    crm_session_close(&f->session);
    EXPECT_OK(crm_session_open(f->crm, &f->heap, &f->session, &f->fail));
}

static void install_sms(struct fixture *f)
{
    EXPECT_OK(install_as(f, "twilioext", SMS));
    reopen(f);
}

static void test_installed_names_carry_the_namespace(struct fixture *f)
{
    install_sms(f);
    int64_t id = add(f, "twilioext__SMS_Texts", "{\"twilioext__SMS_Texts_Name\":\"Hi\",\"twilioext__Direction\":\"Inbound\"}");
    struct value record = fetch(f, "twilioext.sms_texts", id);
    EXPECT(is_text(get(record, "twilioext__SMS_Texts_Name"), "Hi"));
    EXPECT(is_text(get(record, "twilioext__Direction"), "Inbound"));
    EXPECT(is_text(get(record, "Owner.name"), "Ada Admin"));
    EXPECT_JSON(get(fetch(f, "Leads", add(f, "Leads", "{\"Last_Name\":\"D\",\"twilioext.Score\":7}")), "twilioext__Score"), "7");
}
ON_FIBER(installed_names_carry_the_namespace)

// An org's own module of a name that a package uses is not the package's.
static void test_a_module_of_the_org_is_no_extensions(struct fixture *f)
{
    struct value profiles, row;
    char json[256];
    int64_t module, field;
    EXPECT_OK(crm_profiles_list(&f->session, 0, &profiles, &f->fail));
    snprintf(json, sizeof json, "{\"plural_label\":\"SMS Texts\",\"singular_label\":\"Text\",\"profiles\":[{\"id\":\"%.*s\"}]}",
             VIEW_ARGS(value_view_or(get(value_as_list(profiles)->items[0], "id"), VIEW(""))));
    EXPECT_OK(crm_custom_module_add(&f->session, value_as_map(read_json(f, json)), &module, &f->fail));
    reopen(f);
    row = read_json(f, "{\"field_label\":\"Direction\",\"data_type\":\"text\"}");
    EXPECT_OK(crm_custom_field_add(&f->session, VIEW("SMS_Texts"), value_as_map(row), &field, &f->fail));
    install_sms(f);
    struct value own = fetch(f, "SMS_Texts", add(f, "SMS_Texts", "{\"Name\":\"Own\",\"Direction\":\"up\",\"twilioext__Serial\":\"1\"}"));
    EXPECT(is_text(get(own, "Direction"), "up"));
    EXPECT(value_is_null(get(own, "twilioext__Serial")));
    int64_t id = add(f, "twilioext__SMS_Texts", "{\"twilioext__SMS_Texts_Name\":\"Hi\",\"twilioext__Serial\":\"1\"}");
    EXPECT(is_text(get(fetch(f, "twilioext__SMS_Texts", id), "twilioext__Serial"), "1"));
}
ON_FIBER(a_module_of_the_org_is_no_extensions)

static char warned[512];

static void keep_warning(void *user, struct view text)
{
    (void)user;
    snprintf(warned, sizeof warned, "%.*s", VIEW_ARGS(text));
}

static bool only_other_is_installed(void *user, struct view namespace)
{
    (void)user;
    return view_eq(namespace, VIEW("other"));
}

static void test_a_prefix_that_nobody_owns_means_ones_own(struct fixture *f)
{
    char row[256];
    struct value record = value_null();
    install_sms(f);
    f->session.namespace = VIEW("twilioext");
    f->session.namespace_installed = only_other_is_installed;
    f->session.warn = keep_warning;
    int64_t lead = add(f, "Leads", "{\"Last_Name\":\"Doe\"}");
    snprintf(row, sizeof row, "{\"twilio.SMS_Texts_Name\":\"Hi\",\"twilio__Lead\":\"%lld\",\"twilioext.Direction\":\"Inbound\"}",
             (long long)lead);
    record = fetch(f, "twilioext__SMS_Texts", add(f, "twilio.SMS_Texts", row));
    EXPECT(is_text(get(record, "twilioext__Lead.name"), "Doe"));
    EXPECT(strstr(warned, "twilioext__") != NULL);
    EXPECT_FAIL(crm_record_get(&f->session, VIEW("other.SMS_Texts"), 1, &record, &f->fail), FAIL_INVALID_MODULE);
    f->session.namespace = VIEW("");
    EXPECT_FAIL(crm_record_get(&f->session, VIEW("twilio.SMS_Texts"), 1, &record, &f->fail), FAIL_INVALID_MODULE);
}
ON_FIBER(a_prefix_that_nobody_owns_means_ones_own)

static void test_name_answers_to_its_alias_and_is_mandatory(struct fixture *f)
{
    install_sms(f);
    EXPECT(is_text(get(fetch(f, "twilioext__SMS_Texts", add(f, "twilioext__SMS_Texts", "{\"Name\":\"Hi\"}")), "twilioext__SMS_Texts_Name"),
                   "Hi"));
    EXPECT_JSON(get(at(insert(f, "twilioext__SMS_Texts", "[{}]"), 0), "details"), "{\"api_name\":\"twilioext__SMS_Texts_Name\"}");
}
ON_FIBER(name_answers_to_its_alias_and_is_mandatory)

static void test_unique_fields_tell_the_other_record(struct fixture *f)
{
    char expected[256];
    install_sms(f);
    int64_t first = add(f, "twilioext__SMS_Texts", "{\"Name\":\"1\",\"twilioext__Reference\":\"abc\"}");
    int64_t second = add(f, "twilioext__SMS_Texts", "{\"Name\":\"2\",\"twilioext__Reference\":\"def\"}");
    snprintf(
        expected, sizeof expected,
        "{\"code\":\"DUPLICATE_DATA\",\"details\":{\"api_name\":\"twilioext__Reference\",\"id\":\"%lld\"},\"message\":\"duplicate data\","
        "\"status\":\"error\"}",
        (long long)first);
    EXPECT_JSON(at(insert(f, "twilioext__SMS_Texts", "[{\"Name\":\"3\",\"twilioext__Reference\":\"ABC\"}]"), 0), expected);
    EXPECT_JSON(update(f, "twilioext__SMS_Texts", second, "\"twilioext__Reference\":\"abc\""), expected);
    EXPECT(is_text(get(update(f, "twilioext__SMS_Texts", first, "\"twilioext__Reference\":\"abc\""), "code"), "SUCCESS"));
}
ON_FIBER(unique_fields_tell_the_other_record)

static void test_multi_selects_and_bigints(struct fixture *f)
{
    install_sms(f);
    int64_t id =
        add(f, "twilioext__SMS_Texts", "{\"Name\":\"x\",\"twilioext__Topics\":[\"A\",\"C\"],\"twilioext__Serial\":\"123456789012345678\"}");
    struct value record = fetch(f, "twilioext__SMS_Texts", id);
    EXPECT_JSON(get(record, "twilioext__Topics"), "[\"A\",\"C\"]");
    EXPECT_JSON(get(record, "twilioext__Serial"), "\"123456789012345678\"");
    add(f, "twilioext__SMS_Texts", "{\"Name\":\"y\",\"twilioext__Topics\":[\"B\"]}");
    EXPECT(count_of(search(f, "twilioext__SMS_Texts", "(twilioext__Topics:equals:C)")) == 1);
    EXPECT(count_of(search(f, "twilioext__SMS_Texts", "(twilioext__Topics:equals:A;C)")) == 1);
    EXPECT(count_of(search(f, "twilioext__SMS_Texts", "(twilioext__Topics:equals:A;B)")) == 0);
    EXPECT(count_of(search(f, "twilioext__SMS_Texts", "(twilioext__Topics:in:A,B)")) == 2);
    EXPECT(count_of(search(f, "twilioext__SMS_Texts", "(twilioext__Topics:not_equal:B)")) == 1);
    EXPECT(count_of(search(f, "twilioext__SMS_Texts", "twilioext.Serial:equals:123456789012345678")) == 1);
    EXPECT(is_text(
        get(at(insert(f, "twilioext__SMS_Texts", "[{\"Name\":\"x\",\"twilioext__Topics\":\"A\"}]"), 0), "details.expected_data_type"),
        "jsonarray"));
}
ON_FIBER(multi_selects_and_bigints)

static void test_extension_modules_relate_by_their_lookups(struct fixture *f)
{
    char row[256];
    struct value list = value_null();
    bool more;
    install_sms(f);
    int64_t lead = add(f, "Leads", "{\"Last_Name\":\"Doe\"}");
    snprintf(row, sizeof row, "{\"Name\":\"x\",\"twilioext__Lead\":\"%lld\"}", (long long)lead);
    int64_t text = add(f, "twilioext__SMS_Texts", row);
    EXPECT_OK(crm_related_list(&f->session, VIEW("twilioext.SMS_Texts"), VIEW("Leads"), lead, NULL, &list, &more, &f->fail));
    EXPECT(count_of(list) == 1);
    snprintf(row, sizeof row, "{\"Note_Content\":\"n\",\"Parent_Id\":\"%lld\",\"$se_module\":\"twilioext__SMS_Texts\"}", (long long)text);
    add(f, "Notes", row);
    EXPECT_OK(crm_related_list(&f->session, VIEW("Notes"), VIEW("twilioext__SMS_Texts"), text, NULL, &list, &more, &f->fail));
    EXPECT(count_of(list) == 1);
}
ON_FIBER(extension_modules_relate_by_their_lookups)

static void test_an_upgrade_adds_and_never_drops(struct fixture *f)
{
    install_sms(f);
    int64_t id = add(f, "twilioext__SMS_Texts", "{\"Name\":\"x\",\"twilioext__Direction\":\"Inbound\"}");
    EXPECT_OK(install_as(f, "twilioext",
                         "[{\"api_name\":\"SMS_Texts\",\"name_field\":{\"api_name\":\"SMS_Texts_Name\"},\"fields\":["
                         "{\"api_name\":\"Cost\",\"data_type\":\"currency\"}]}]"));
    reopen(f);
    update(f, "twilioext__SMS_Texts", id, "\"twilioext__Cost\":0.05");
    struct value record = fetch(f, "twilioext__SMS_Texts", id);
    EXPECT(is_text(get(record, "twilioext__Direction"), "Inbound"));
    EXPECT_JSON(get(record, "twilioext__Cost"), "0.05");
}
ON_FIBER(an_upgrade_adds_and_never_drops)

static void test_a_field_keeps_its_kind(struct fixture *f)
{
    install_sms(f);
    EXPECT_FAIL(
        install_as(f, "twilioext", "[{\"api_name\":\"SMS_Texts\",\"fields\":[{\"api_name\":\"Direction\",\"data_type\":\"integer\"}]}]"),
        FAIL_INVALID_DATA);
    EXPECT(strstr(f->fail.text, "twilioext__Direction") != NULL);
    EXPECT_OK(
        install_as(f, "twilioext", "[{\"api_name\":\"SMS_Texts\",\"fields\":[{\"api_name\":\"Direction\",\"data_type\":\"text\"}]}]"));
}
ON_FIBER(a_field_keeps_its_kind)

static void test_two_extensions_do_not_meet(struct fixture *f)
{
    install_sms(f);
    EXPECT_OK(install_as(f, "other", SMS));
    reopen(f);
    add(f, "other__SMS_Texts", "{\"Name\":\"theirs\"}");
    EXPECT(count_of(search(f, "twilioext__SMS_Texts", "Name:equals:theirs")) == 0);
    EXPECT(count_of(search(f, "other__SMS_Texts", "Name:equals:theirs")) == 1);
}
ON_FIBER(two_extensions_do_not_meet)

static void test_a_session_from_before_sees_the_new_module(struct fixture *f)
{
    struct value results;
    add(f, "Leads", "{\"Last_Name\":\"before\"}");
    EXPECT_OK(install_as(f, "twilioext", SMS));
    EXPECT_OK(crm_records_insert(&f->session, VIEW("Leads"), read_json(f, "[{\"Last_Name\":\"after\"}]"), &results, &f->fail));
    EXPECT(is_text(get(at(results, 0), "code"), "SUCCESS"));
    EXPECT(crm_module_exists(&f->session, VIEW("twilioext.SMS_Texts"))); // the write pinned anew
}
ON_FIBER(a_session_from_before_sees_the_new_module)

static bool drop_closure(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    return crm_modules_drop_tx(tx, VIEW("twilioext"), 0, fail);
}

static void test_an_installation_taken_back_leaves_nothing(struct fixture *f)
{
    struct value record;
    install_sms(f);
    int64_t lead = add(f, "Leads", "{\"Last_Name\":\"D\",\"twilioext__Score\":7}");
    EXPECT_OK(store_write(f->env, drop_closure, NULL, &f->fail));
    record = fetch(f, "Leads", lead); // through a session that still has the dropped column in its picture
    EXPECT(is_text(get(record, "Last_Name"), "D"));
    EXPECT(value_is_null(get(record, "twilioext__Score")));
    EXPECT_FAIL(crm_record_get(&f->session, VIEW("twilioext__SMS_Texts"), 1, &record, &f->fail), FAIL_INVALID_MODULE);
    install_sms(f);
    EXPECT(is_text(get(fetch(f, "Leads", lead), "Last_Name"), "D"));
}
ON_FIBER(an_installation_taken_back_leaves_nothing)

// ---- checks -------------------------------------------------------------------------------------

static void expect_refused_at(struct fixture *f, const char *modules, const char *expected, int line)
{
    struct fail fail = {0};
    bool fine = crm_modules_check(read_json(f, modules), VIEW("ns"), &f->heap, &fail);
    expect_at(!fine && fail.code == FAIL_INVALID_DATA && strcmp(fail.text, expected) == 0, line, expected, fine ? "accepted" : fail.text);
}
#define TYPES                                                                                                                              \
    "; there are text, textarea, email, phone, website, picklist, autonumber, fileupload, imageupload, multiselectpicklist, date, "        \
    "datetime, integer, bigint, double, currency, percent, boolean, lookup, userlookup, multiselectlookup, multiuserlookup, formula, "     \
    "rollup_summary, address"
#define FIELD(field) "[{\"api_name\":\"M\",\"fields\":[" field "]}]"
#define EXPECT_REFUSED(modules, expected) expect_refused_at(f, modules, expected, __LINE__)

static void test_module_files_are_checked(struct fixture *f)
{
    EXPECT_REFUSED("{}", "the modules of an extension are a list of at most 200");
    EXPECT_REFUSED("[7]", "a module file is a map");
    EXPECT_REFUSED("[{}]", "a module file has no api_name");
    EXPECT_REFUSED("[{\"api_name\":\"a b\"}]",
                   "module a b: api_name holds letters, digits and single _, begins with a letter, and is short");
    EXPECT_REFUSED("[{\"api_name\":\"ns__M\"}]",
                   "module ns__M: api_name holds letters, digits and single _, begins with a letter, and is short");
    EXPECT_REFUSED("[{\"api_name\":\"M\"},{\"api_name\":\"m\"}]", "module m: two files have this api_name");
    EXPECT_REFUSED("[{\"api_name\":\"M\",\"fields\":{}}]", "module M: fields is a list");
    EXPECT_REFUSED("[{\"api_name\":\"M\",\"singular_label\":5}]", "module M: a label is a text of 1 to 100 characters");
}
ON_FIBER(module_files_are_checked)

static void test_fields_of_module_files_are_checked(struct fixture *f)
{
    EXPECT_REFUSED(FIELD("{\"api_name\":\"F\"}"), "module M, field F: data_type is missing" TYPES);
    EXPECT_REFUSED(FIELD("{\"api_name\":\"F\",\"data_type\":\"ownerlookup\"}"),
                   "module M, field F: data_type is none that an extension can make" TYPES);
    EXPECT_REFUSED(FIELD("{\"api_name\":\"F\",\"data_type\":\"picklist\"}"),
                   "module M, field F: pick_list_values is a list of 1 to 1000 texts");
    EXPECT_REFUSED(FIELD("{\"api_name\":\"F\",\"data_type\":\"picklist\",\"pick_list_values\":[1]}"),
                   "module M, field F: a value of pick_list_values is a text of 1 to 120 characters");
    EXPECT_REFUSED(FIELD("{\"api_name\":\"F\",\"data_type\":\"lookup\"}"),
                   "module M, field F: a look-up names its module: \"lookup\":{\"module\":\"Leads\"}");
    EXPECT_REFUSED(FIELD("{\"api_name\":\"F\",\"data_type\":\"lookup\",\"lookup\":{\"module\":\"Nope\"}}"),
                   "module M, field F: the module of the look-up does not exist");
    EXPECT_REFUSED(FIELD("{\"api_name\":\"F\",\"data_type\":\"text\",\"length\":256}"),
                   "module M, field F: length is a number from 1 to 255");
    EXPECT_REFUSED(FIELD("{\"api_name\":\"F\",\"data_type\":\"text\"},{\"api_name\":\"f\",\"data_type\":\"text\"}"),
                   "module M, field f: two fields have this name");
    EXPECT_REFUSED(FIELD("{\"api_name\":\"Name\",\"data_type\":\"text\"}"), "module M, field Name: two fields have this name");
    EXPECT_REFUSED(FIELD("{\"api_name\":\"F\\\"; DROP\",\"data_type\":\"text\"}"),
                   "module M, field F\"; DROP: api_name holds letters, digits and single _, begins with a letter, and is short");
}
ON_FIBER(fields_of_module_files_are_checked)

static void test_good_module_files_pass(struct fixture *f)
{
    EXPECT_OK(crm_modules_check(read_json(f, SMS), VIEW("twilioext"), &f->heap, &f->fail));
    EXPECT_OK(crm_modules_check(value_null(), VIEW("twilioext"), &f->heap, &f->fail));
    EXPECT_FAIL(crm_modules_check(read_json(f, SMS), VIEW("sqlite"), &f->heap, &f->fail), FAIL_INVALID_DATA);
}
ON_FIBER(good_module_files_pass)

static void test_a_refused_installation_leaves_nothing(struct fixture *f)
{
    EXPECT_FAIL(
        install_as(f, "ns",
                   "[{\"api_name\":\"M\",\"fields\":[{\"api_name\":\"F\",\"data_type\":\"lookup\",\"lookup\":{\"module\":\"gone__X\"}}]}]"),
        FAIL_INVALID_DATA);
    reopen(f);
    EXPECT(!crm_module_exists(&f->session, VIEW("ns__M")));
}
ON_FIBER(a_refused_installation_leaves_nothing)

// ---- settings -----------------------------------------------------------------------------------

static struct value find_named(struct value list, const char *api_name)
{
    for (uint32_t i = 0; i < count_of(list); i++) {
        if (is_text(get(at(list, i), "api_name"), api_name)) {
            return at(list, i);
        }
    }
    return value_null();
}

static void test_settings_show_modules_and_fields(struct fixture *f)
{
    struct value list;
    install_sms(f);
    EXPECT_OK(crm_modules_list(&f->session, &list, &f->fail));
    EXPECT(count_of(list) == 28);
    EXPECT(is_text(get(find_named(list, "Leads"), "generated_type"), "default"));
    EXPECT(is_text(get(find_named(list, "twilioext__SMS_Texts"), "plural_label"), "SMS Texts"));
    EXPECT(is_text(get(find_named(list, "twilioext__SMS_Texts"), "generated_type"), "custom"));
    EXPECT_OK(crm_fields_list(&f->session, VIEW("Leads"), &list, &f->fail));
    EXPECT(count_of(list) == 65);
    EXPECT_JSON(get(find_named(list, "Last_Name"), "system_mandatory"), "true");
    EXPECT_JSON(get(find_named(list, "Last_Name"), "length"), "80");
    EXPECT_JSON(get(find_named(list, "twilioext__Score"), "custom_field"), "true");
    EXPECT(is_text(get(at(get(find_named(list, "Lead_Status"), "pick_list_values"), 1), "actual_value"), "Attempted to Contact"));
    EXPECT_OK(crm_fields_list(&f->session, VIEW("twilioext.SMS_Texts"), &list, &f->fail));
    EXPECT(is_text(get(find_named(list, "twilioext__Lead"), "lookup.module.api_name"), "Leads"));
    EXPECT(is_text(get(find_named(list, "twilioext__Reply_To"), "lookup.module.api_name"), "twilioext__SMS_Texts"));
    EXPECT_FAIL(crm_fields_list(&f->session, VIEW("Nope"), &list, &f->fail), FAIL_INVALID_MODULE);
}
ON_FIBER(settings_show_modules_and_fields)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_installed_names_carry_the_namespace),
        cmocka_unit_test(run_a_module_of_the_org_is_no_extensions),
        cmocka_unit_test(run_a_prefix_that_nobody_owns_means_ones_own),
        cmocka_unit_test(run_name_answers_to_its_alias_and_is_mandatory),
        cmocka_unit_test(run_unique_fields_tell_the_other_record),
        cmocka_unit_test(run_multi_selects_and_bigints),
        cmocka_unit_test(run_extension_modules_relate_by_their_lookups),
        cmocka_unit_test(run_an_upgrade_adds_and_never_drops),
        cmocka_unit_test(run_a_field_keeps_its_kind),
        cmocka_unit_test(run_two_extensions_do_not_meet),
        cmocka_unit_test(run_a_session_from_before_sees_the_new_module),
        cmocka_unit_test(run_an_installation_taken_back_leaves_nothing),
        cmocka_unit_test(run_module_files_are_checked),
        cmocka_unit_test(run_fields_of_module_files_are_checked),
        cmocka_unit_test(run_good_module_files_pass),
        cmocka_unit_test(run_a_refused_installation_leaves_nothing),
        cmocka_unit_test(run_settings_show_modules_and_fields),
    };
    return cmocka_run_group_tests_name("modules", tests, NULL, NULL);
}
