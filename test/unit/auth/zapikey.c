// SPDX-License-Identifier: Apache-2.0
//
// zapikeys against somebody who has one and wants another: shape, every way of being wrong, what lies in the data base, and what the cache
// still believes after a key was dropped.
#include "auth_test.h"

// ---- good keys ----------------------------------------------------------------------------------

static void look_at_shape(struct place *p)
{
    uint8_t bytes[16];
    struct view key = view_of(p->key);
    EXPECT(key.len == 70 && view_starts(key, VIEW("1003.")) && key.data[37] == '.');
    EXPECT(hex_read(view_slice(key, 5, 32), bytes, 16) && hex_read(view_from(key, 38), bytes, 16));
}
ON_PLACE(keys_have_zohos_shape, look_at_shape(p))

static void look_at_identity(struct place *p)
{
    struct identity who = {0};
    for (int i = 0; i < 2; i++) { // the second time out of the cache
        EXPECT_P(check(p, p->key, &who));
        EXPECT(who.kind == IDENTITY_ZAPIKEY && who.org_number == 7 && who.user_id == 0);
        EXPECT(strcmp(who.org, "acme") == 0 && strcmp(who.environment, "production") == 0 && strcmp(who.namespace, "twilioext") == 0);
    }
}
ON_PLACE(a_key_names_its_place, look_at_identity(p))

static void make_again(struct place *p)
{
    char again[AUTH_KEY_LEN + 1] = "";
    EXPECT_P(write_key(p, make_key, "twilioext") && show_key(p, p->auth, "twilioext", again));
    EXPECT(strcmp(again, p->key) == 0);
}
ON_PLACE(a_second_installation_keeps_the_key, make_again(p))

static void make_others(struct place *p)
{
    char other[AUTH_KEY_LEN + 1] = "";
    struct identity who = {0};
    EXPECT_P(write_key(p, make_key, "leadsext") && show_key(p, p->auth, "leadsext", other));
    EXPECT(strcmp(other, p->key) != 0);
    EXPECT_P(check(p, other, &who));
    EXPECT(strcmp(who.namespace, "leadsext") == 0);
}
ON_PLACE(each_namespace_has_a_key_of_its_own, make_others(p))

// ---- wrong keys ---------------------------------------------------------------------------------

static void tamper(struct place *p)
{
    struct identity who;
    char key[AUTH_KEY_LEN + 1];
    EXPECT_P(check(p, p->key, &who)); // so that it is cached
    for (size_t i = 0; i < AUTH_KEY_LEN; i++) {
        memcpy(key, p->key, sizeof key);
        key[i] = key[i] == '0' ? '1' : '0';
        EXPECT_REFUSED(check(p, key, &who));
    }
}
ON_PLACE(a_key_with_one_changed_byte_is_wrong, tamper(p))

static void misshape(struct place *p)
{
    struct identity who;
    char longer[AUTH_KEY_LEN + 2], upper[AUTH_KEY_LEN + 1];
    snprintf(longer, sizeof longer, "%s0", p->key);
    for (size_t i = 0; i <= AUTH_KEY_LEN; i++) {
        upper[i] = p->key[i] >= 'a' && p->key[i] <= 'f' ? (char)(p->key[i] - 32) : p->key[i];
    }
    EXPECT_REFUSED(check(p, "", &who));
    EXPECT_REFUSED(check(p, longer, &who));
    EXPECT_REFUSED(check(p, p->key + 1, &who));
    EXPECT_REFUSED(check(p, upper, &who));
    EXPECT_REFUSED(check(p, "1003.zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz.zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", &who));
    EXPECT_REFUSED(auth_key_check(p->auth, (struct view){"1003.\0\0\0\0\0\0\0\0", 13}, "production", NULL, &who, &p->fail));
}
ON_PLACE(a_key_of_another_shape_is_wrong, misshape(p))

static void ask_sandbox(struct place *p)
{
    struct identity who;
    EXPECT_REFUSED(auth_key_check(p->auth, view_of(p->key), "sandbox", NULL, &who, &p->fail));
    EXPECT_P(check(p, p->key, &who));
    EXPECT_REFUSED(auth_key_check(p->auth, view_of(p->key), "sandbox", NULL, &who, &p->fail));
}
ON_PLACE(a_key_opens_one_environment, ask_sandbox(p))

static void drop_and_check(struct place *p)
{
    struct identity who;
    char again[AUTH_KEY_LEN + 1] = "";
    EXPECT_P(check(p, p->key, &who)); // now the cache knows it
    EXPECT_P(write_key(p, drop_key, "twilioext"));
    EXPECT_REFUSED(check(p, p->key, &who));
    EXPECT(!show_key(p, p->auth, "twilioext", again) && p->fail.code == FAIL_NOT_FOUND);
    EXPECT_P(write_key(p, make_key, "twilioext") && show_key(p, p->auth, "twilioext", again));
    EXPECT(strcmp(again, p->key) != 0);
    EXPECT_REFUSED(check(p, p->key, &who));
    EXPECT_P(check(p, again, &who));
}
ON_PLACE(a_dropped_key_is_wrong_at_once, drop_and_check(p))

static void lose_org(struct place *p)
{
    struct identity who;
    p->env_missing = true;
    EXPECT_REFUSED(check(p, p->key, &who));
}
ON_PLACE(a_key_of_an_org_that_is_gone_is_wrong, lose_org(p))

static void change_master(struct place *p)
{
    struct auth_router router = {.user = p, .env = find_env};
    struct seal *other = seal_open_ephemeral();
    struct auth *auth = NULL;
    struct identity who;
    char key[AUTH_KEY_LEN + 1];
    EXPECT_P(auth_open(other, &router, &auth, &p->fail));
    EXPECT(!auth_key_check(auth, view_of(p->key), "production", NULL, &who, &p->fail) && p->fail.code == FAIL_AUTHENTICATION);
    EXPECT(!show_key(p, auth, "twilioext", key) && p->fail.code == FAIL_INTERNAL);
    auth_close(auth);
    seal_close(other);
}
ON_PLACE(another_master_key_knows_no_key, change_master(p))

// ---- at rest ------------------------------------------------------------------------------------

struct stored {
    char bytes[4096];
    size_t len;
};

static bool read_stored(struct tx *tx, void *arg, struct fail *fail)
{
    struct stored *stored = arg;
    struct rows *rows;
    stored->len = 0;
    if (!tx_query(tx, "SELECT namespace, mac, sealed FROM auth_key", NULL, 0, &rows, fail)) {
        return false;
    }
    while (rows_next(rows, fail)) {
        for (int i = 0; i < 3; i++) {
            struct view v = rows_text(rows, i);
            if (stored->len + v.len <= sizeof stored->bytes) {
                memcpy(stored->bytes + stored->len, v.data, v.len);
                stored->len += v.len;
            }
        }
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static void look_at_rest(struct place *p)
{
    struct stored stored;
    EXPECT_P(store_read(p->env, read_stored, &stored, &p->fail));
    struct view bytes = {stored.bytes, stored.len};
    uint8_t secret[16];
    EXPECT(hex_read(view_from(view_of(p->key), 38), secret, sizeof secret));
    EXPECT(bytes.len > 100);
    EXPECT(view_find(bytes, VIEW("1003.")) < 0);
    EXPECT(view_find(bytes, view_from(view_of(p->key), 38)) < 0);
    EXPECT(view_find(bytes, (struct view){(char *)secret, sizeof secret}) < 0);
}
ON_PLACE(a_stored_key_does_not_show_itself, look_at_rest(p))

static bool swap_sealed(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    return tx_exec(tx,
                   "UPDATE auth_key SET sealed = (SELECT sealed FROM auth_key WHERE namespace = 'leadsext') WHERE namespace = 'twilioext'",
                   NULL, 0, fail);
}

static void move_sealed(struct place *p)
{
    char key[AUTH_KEY_LEN + 1];
    EXPECT_P(write_key(p, make_key, "leadsext") && store_write(p->env, swap_sealed, NULL, &p->fail));
    EXPECT(!show_key(p, p->auth, "twilioext", key) && p->fail.code == FAIL_INTERNAL);
}
ON_PLACE(a_sealed_key_opens_in_its_own_row_only, move_sealed(p))

// ---- tokens -------------------------------------------------------------------------------------

static void what_is_no_token_is_told_without_a_look(void **state)
{
    (void)state;
    struct identity who;
    struct fail fail;
    assert_false(auth_token_check(NULL, VIEW("Zoho-oauthtoken 1000.abc"), &who, &fail));
    assert_int_equal(fail.code, FAIL_INVALID_TOKEN);
    assert_false(auth_token_check(NULL, VIEW("Bearer 1000.abc"), &who, &fail));
    assert_int_equal(fail.code, FAIL_INVALID_TOKEN);
    assert_false(auth_token_check(NULL, VIEW("Zoho-oauthtoken   "), &who, &fail));
    assert_int_equal(fail.code, FAIL_AUTHENTICATION);
    assert_false(auth_token_check(NULL, VIEW("Basic dXNlcjpwYXNz"), &who, &fail));
    assert_int_equal(fail.code, FAIL_AUTHENTICATION);
    assert_false(auth_token_check(NULL, VIEW_NONE, &who, &fail));
    assert_int_equal(fail.code, FAIL_AUTHENTICATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_have_zohos_shape),
        cmocka_unit_test(a_key_names_its_place),
        cmocka_unit_test(a_second_installation_keeps_the_key),
        cmocka_unit_test(each_namespace_has_a_key_of_its_own),
        cmocka_unit_test(a_key_with_one_changed_byte_is_wrong),
        cmocka_unit_test(a_key_of_another_shape_is_wrong),
        cmocka_unit_test(a_key_opens_one_environment),
        cmocka_unit_test(a_dropped_key_is_wrong_at_once),
        cmocka_unit_test(a_key_of_an_org_that_is_gone_is_wrong),
        cmocka_unit_test(another_master_key_knows_no_key),
        cmocka_unit_test(a_stored_key_does_not_show_itself),
        cmocka_unit_test(a_sealed_key_opens_in_its_own_row_only),
        cmocka_unit_test(what_is_no_token_is_told_without_a_look),
    };
    return cmocka_run_group_tests_name("auth zapikey", tests, NULL, NULL);
}
