// SPDX-License-Identifier: Apache-2.0
//
// Scopes: what covers what, how lists that people and clients write are read, and that no list is kept twice or without end.
#include "../store/store_test.h"

#include "auth/inside.h"

static void what_covers_what(void **state)
{
    (void)state;
    static const struct {
        const char *granted, *needed;
        bool covers;
    } rows[] = {
        {"ZohoCRM.modules.ALL", "ZohoCRM.modules.Leads.READ", true},
        {"ZohoCRM.modules.READ", "ZohoCRM.modules.Leads.READ", true},
        {"ZohoCRM.modules.READ", "ZohoCRM.modules.Leads.CREATE", false},
        {"ZohoCRM.modules.leads.all", "ZohoCRM.modules.Leads.DELETE", true},
        {"ZohoCRM.modules.Lead.ALL", "ZohoCRM.modules.Leads.READ", false},
        {"ZohoCRM.modules.Leads.ALL", "ZohoCRM.modules.READ", false},
        {"ZohoCRM.modules.WRITE", "ZohoCRM.modules.Leads.CREATE", true},
        {"ZohoCRM.modules.WRITE", "ZohoCRM.modules.Leads.UPDATE", true},
        {"ZohoCRM.modules.WRITE", "ZohoCRM.modules.Leads.DELETE", false},
        {"ZohoCRM.modules.WRITE", "ZohoCRM.modules.Leads.READ", false},
        {"ZohoCRM.users.READ ZohoCRM.coql.READ", "ZohoCRM.coql.READ", true},
        {"ALL", "ZohoCRM.coql.READ", false},
        {"", "ZohoCRM.coql.READ", false},
        {NULL, "ZohoCRM.coql.READ", true},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        if (auth_scope_covers(rows[i].granted, view_of(rows[i].needed)) != rows[i].covers) {
            fail_msg("\"%s\" and %s", rows[i].granted, rows[i].needed);
        }
    }
    assert_true(auth_scope_covers_all("ZohoCRM.modules.ALL ZohoCRM.users.READ", "ZohoCRM.users.READ ZohoCRM.modules.Leads.WRITE"));
    assert_false(auth_scope_covers_all("ZohoCRM.modules.ALL", "ZohoCRM.modules.READ ZohoCRM.users.READ"));
}

static void lists_are_read_into_one_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want; // want NULL: refused
        bool control;
    } rows[] = {
        {"zohocrm.MODULES.Leads.read", "ZohoCRM.modules.Leads.READ", false},
        {"ZohoCRM.users.READ,ZohoCRM.coql.read  ZohoCRM.users.Read,", "ZohoCRM.users.READ ZohoCRM.coql.READ", false},
        {" ZohoCRM.settings.fields.ALL\n", "ZohoCRM.settings.fields.ALL", false},
        {"Sluice.control.all", "Sluice.control.ALL", true},
        {"Sluice.control.ALL", NULL, false},
        {"Sluice.control.READ", NULL, true},
        {"", NULL, false},
        {" , ", NULL, false},
        {"ZohoCRM", NULL, false},
        {"ZohoCRM.modules", NULL, false},
        {"ZohoCRM.modules.", NULL, false},
        {"ZohoCRM.modules..READ", NULL, false},
        {"ZohoCRM.modules.Leads.EAT", NULL, false},
        {"ZohoCRM.modulesx.READ", NULL, false},
        {"ZohoCRM.coql.Leads.READ", NULL, false},
        {"ZohoCRM.coql.DELETE", NULL, false},
        {"ZohoCRM.modules.Le\"ads.READ", NULL, false},
        {"ZohoCRM.modules.Leads.READ;", NULL, false},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        char scopes[AUTH_SCOPES_MAX] = "";
        struct fail fail;
        bool read = auth_scope_read(view_of(rows[i].text), rows[i].control, scopes, &fail);
        if (read != (rows[i].want != NULL) || (read && strcmp(scopes, rows[i].want) != 0) || (!read && fail.code != FAIL_INVALID_DATA)) {
            fail_msg("\"%s\" was read as \"%s\"", rows[i].text, scopes);
        }
    }
}

static void a_list_that_is_too_long_is_refused(void **state)
{
    (void)state;
    char scopes[AUTH_SCOPES_MAX];
    struct fail fail;
    struct buffer text;
    buffer_init(&text, 1 << 20);
    for (int i = 0; i < 200; i++) {
        buffer_printf(&text, "ZohoCRM.modules.Module%d.READ,", i);
    }
    assert_false(auth_scope_read(buffer_view(&text), false, scopes, &fail));
    assert_int_equal(fail.code, FAIL_INVALID_DATA);
    buffer_free(&text);
}

static void all_scopes_can_be_granted(void **state)
{
    (void)state;
    char all[AUTH_SCOPES_MAX], read[AUTH_SCOPES_MAX];
    struct fail fail;
    auth_scope_all(true, all);
    assert_true(auth_scope_read(view_of(all), true, read, &fail));
    assert_string_equal(read, all);
    assert_true(auth_scope_covers(all, VIEW(AUTH_SCOPE_CONTROL)));
    auth_scope_all(false, all);
    assert_false(auth_scope_covers(all, VIEW(AUTH_SCOPE_CONTROL)));
    assert_true(auth_scope_covers(all, VIEW("ZohoCRM.functions.execute.CREATE")));
}

static void lists_are_kept_once_and_not_without_end(void **state)
{
    (void)state;
    struct auth_router router = {.user = NULL};
    struct auth *auth;
    struct seal *seal = seal_open_ephemeral();
    struct fail fail;
    assert_true(auth_open(seal, &router, &auth, &fail));
    const char *first = auth_scope_keep(auth, 7, VIEW("ZohoCRM.users.READ"), &fail);
    assert_string_equal(first, "ZohoCRM.users.READ");
    assert_ptr_equal(auth_scope_keep(auth, 7, VIEW("ZohoCRM.users.READ"), &fail), first);
    for (int i = 1; i < SCOPE_LISTS_ORG_MAX; i++) {
        char text[64];
        snprintf(text, sizeof text, "ZohoCRM.modules.M%d.READ", i);
        assert_non_null(auth_scope_keep(auth, 7, view_of(text), &fail));
    }
    assert_null(auth_scope_keep(auth, 7, VIEW("ZohoCRM.org.READ"), &fail));
    assert_int_equal(fail.code, FAIL_FULL);
    assert_ptr_equal(auth_scope_keep(auth, 7, VIEW("ZohoCRM.users.READ"), &fail), first);
    assert_non_null(auth_scope_keep(auth, 8, VIEW("ZohoCRM.org.READ"), &fail)); // another org has its own room
    auth_close(auth);
    seal_close(seal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_covers_what),
        cmocka_unit_test(lists_are_read_into_one_spelling),
        cmocka_unit_test(a_list_that_is_too_long_is_refused),
        cmocka_unit_test(all_scopes_can_be_granted),
        cmocka_unit_test(lists_are_kept_once_and_not_without_end),
    };
    return cmocka_run_group_tests_name("auth scope", tests, NULL, NULL);
}
