// SPDX-License-Identifier: Apache-2.0
//
// The life of keys where time and addresses matter: grace that ends while the key is cached, revocation, rules, last uses, minutes.
#include "auth_test.h"

struct change {
    struct place *p;
    const char *namespace, *rate, *allow;
    int64_t grace_ms;
};

static bool rotate(struct tx *tx, void *arg, struct fail *fail)
{
    struct change *change = arg;
    struct identity where = place_of(change->namespace);
    return auth_key_rotate_tx(tx, change->p->auth, &where, change->grace_ms, fail);
}

static bool revoke_now(struct tx *tx, void *arg, struct fail *fail)
{
    struct change *change = arg;
    return auth_key_revoke_tx(tx, change->p->auth, view_of(change->namespace), fail);
}

static bool set_rules(struct tx *tx, void *arg, struct fail *fail)
{
    struct change *change = arg;
    return auth_key_rules_tx(tx, view_of(change->namespace), view_of(change->rate), view_of(change->allow), fail);
}

static bool rotate_key(struct place *p, const char *namespace, int64_t grace_ms)
{
    struct change change = {.p = p, .namespace = namespace, .grace_ms = grace_ms};
    return store_write(p->env, rotate, &change, &p->fail);
}

static bool revoke_key(struct place *p, const char *namespace)
{
    struct change change = {.p = p, .namespace = namespace};
    return store_write(p->env, revoke_now, &change, &p->fail);
}

static bool change_rules(struct place *p, const char *rate, const char *allow)
{
    struct change change = {.p = p, .namespace = "twilioext", .rate = rate, .allow = allow};
    return store_write(p->env, set_rules, &change, &p->fail);
}

// ---- rotating -----------------------------------------------------------------------------------

static void end_grace(struct place *p)
{
    struct identity who;
    char again[AUTH_KEY_LEN + 1];
    int64_t begun_ms = clock_wall_ms();
    EXPECT_P(check(p, p->key, &who) && rotate_key(p, "TwilioExt", 300));
    EXPECT_P(show_key(p, p->auth, "twilioEXT", again));
    EXPECT(strcmp(again, p->key) != 0);
    EXPECT_P(check(p, again, &who));
    EXPECT(strcmp(who.namespace, "twilioext") == 0); // as it was written first
    bool good = true;
    while (good && clock_wall_ms() < begun_ms + 20000) {
        good = check(p, p->key, &who);
        EXPECT(good || clock_wall_ms() >= begun_ms + 300);
        EXPECT_P(loop_sleep(5, &p->fail));
    }
    EXPECT_REFUSED(check(p, p->key, &who));
    EXPECT_P(check(p, again, &who));
}
ON_PLACE(grace_ends_while_the_key_is_cached, end_grace(p))

static void end_all(struct place *p)
{
    struct identity who;
    char second[AUTH_KEY_LEN + 1];
    EXPECT_P(rotate_key(p, "twilioext", 60000) && show_key(p, p->auth, "twilioext", second));
    EXPECT_P(check(p, p->key, &who) && check(p, second, &who));
    EXPECT_P(rotate_key(p, "twilioext", 0));
    EXPECT_REFUSED(check(p, p->key, &who));
    EXPECT_REFUSED(check(p, second, &who));
    EXPECT(!rotate_key(p, "nobody", 0) && p->fail.code == FAIL_NOT_FOUND);
    EXPECT(!rotate_key(p, "twilioext", AUTH_GRACE_MS_MAX + 1) && p->fail.code == FAIL_INVALID_DATA);
    EXPECT(!rotate_key(p, "twilioext", -1) && p->fail.code == FAIL_INVALID_DATA);
}
ON_PLACE(a_rotation_without_grace_ends_all, end_all(p))

static void drop_all(struct place *p)
{
    struct identity who;
    char second[AUTH_KEY_LEN + 1], third[AUTH_KEY_LEN + 1];
    EXPECT_P(rotate_key(p, "twilioext", 60000) && show_key(p, p->auth, "twilioext", second) && change_rules(p, "5/minute", ""));
    EXPECT_P(write_key(p, drop_key, "twilioext"));
    EXPECT_REFUSED(check(p, p->key, &who));
    EXPECT_REFUSED(check(p, second, &who));
    EXPECT_P(write_key(p, make_key, "twilioext") && show_key(p, p->auth, "twilioext", third) && check(p, third, &who));
    EXPECT(who.rate == 0 && !who.meter); // the rules went with the keys
}
ON_PLACE(a_namespace_that_is_dropped_leaves_nothing, drop_all(p))

static void revoke_and_make(struct place *p)
{
    struct identity who;
    char again[AUTH_KEY_LEN + 1];
    EXPECT_P(check(p, p->key, &who) && revoke_key(p, "twilioext"));
    EXPECT_REFUSED(check(p, p->key, &who));
    EXPECT(!show_key(p, p->auth, "twilioext", again) && p->fail.code == FAIL_NOT_FOUND && strstr(p->fail.text, "revoked"));
    EXPECT_P(write_key(p, make_key, "twilioext")); // an upgrade
    EXPECT(!show_key(p, p->auth, "twilioext", again) && p->fail.code == FAIL_NOT_FOUND);
    EXPECT_P(revoke_key(p, "twilioext")); // again: nothing more
    EXPECT_P(rotate_key(p, "twilioext", 1000) && show_key(p, p->auth, "twilioext", again) && check(p, again, &who));
    EXPECT_REFUSED(check(p, p->key, &who));
}
ON_PLACE(a_revoked_key_comes_back_by_rotation_alone, revoke_and_make(p))

// ---- addresses ----------------------------------------------------------------------------------

static bool tell_address(void *user, struct address *ret_address)
{
    return user && address_read(view_of(user), ret_address);
}

static bool check_from(struct place *p, char *address)
{
    struct identity who;
    struct auth_caller caller = {tell_address, address};
    return auth_key_check(p->auth, view_of(p->key), "production", &caller, &who, &p->fail);
}

static void look_at_callers(struct place *p)
{
    char near[] = "10.1.2.3", far[] = "192.0.2.1";
    EXPECT_P(check_from(p, far));
    EXPECT_P(check_from(p, NULL)); // without a list nobody is asked
    EXPECT_P(change_rules(p, NULL, "10.0.0.0/8,2001:db8::/32"));
    EXPECT_P(check_from(p, near) && check_from(p, near)); // looked up, cached
    EXPECT_REFUSED(check_from(p, far));
    EXPECT_REFUSED(check_from(p, NULL));
    struct identity who;
    EXPECT_P(check(p, p->key, &who)); // from inside
    EXPECT_P(change_rules(p, NULL, "any") && check_from(p, far));
    EXPECT(!change_rules(p, NULL, "10.0.0.0/8,elsewhere") && p->fail.code == FAIL_INVALID_DATA);
    EXPECT_P(check_from(p, far));
}
ON_PLACE(addresses_are_asked_where_rules_name_some, look_at_callers(p))

// ---- rates --------------------------------------------------------------------------------------

static void count_calls(struct place *p)
{
    struct identity who, other;
    int left, wait_s;
    EXPECT_P(check(p, p->key, &who));
    EXPECT(who.rate == 0 && !who.meter);
    EXPECT_P(change_rules(p, "3/minute", NULL) && check(p, p->key, &who));
    EXPECT(who.rate == 3 && who.meter);
    int64_t now_ms = 5000000;
    for (int i = 0; i < 3; i++) {
        EXPECT(auth_meter_take(who.meter, who.rate, now_ms + i, &left, &wait_s) && left == 2 - i);
    }
    EXPECT(!auth_meter_take(who.meter, who.rate, now_ms + 3, &left, &wait_s) && left == 0 && wait_s == 60);
    EXPECT(!auth_meter_take(who.meter, who.rate, now_ms - 5, &left, &wait_s)); // on a loop whose clock is behind
    EXPECT(!auth_meter_take(who.meter, who.rate, now_ms + 59999, &left, &wait_s) && wait_s == 1);
    EXPECT(auth_meter_take(who.meter, who.rate, now_ms + 60000, &left, &wait_s) && left == 2); // the next minute
    EXPECT_P(rotate_key(p, "twilioext", 60000) && check(p, p->key, &other));
    EXPECT(other.meter == who.meter); // keys of one namespace share their minute
    EXPECT_P(change_rules(p, "1000000/minute", NULL) && check(p, p->key, &who));
    EXPECT(auth_meter_take(who.meter, who.rate, now_ms + 60001, &left, &wait_s) && left == 999998);
}
ON_PLACE(calls_are_counted_by_the_minute, count_calls(p))

static void rates_are_read_exactly(void **state)
{
    (void)state;
    static const char *const wrong[] = {"x", "0/minute", "-1/minute",  "1000001/minute", "5/hour",
                                        "5", "/minute",  "5/minute/x", "none/minute",    "5.5/minute"};
    int rate = 7;
    struct fail fail;
    for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
        assert_false(auth_rate_read(view_of(wrong[i]), &rate, &fail));
        assert_int_equal(rate, 7);
    }
    assert_true(auth_rate_read(VIEW(" 120/Minute "), &rate, &fail) && rate == 120);
    assert_true(auth_rate_read(VIEW("none"), &rate, &fail) && rate == 0);
    assert_true(auth_rate_read(VIEW(""), &rate, &fail) && rate == 0);
}

// ---- last uses ----------------------------------------------------------------------------------

struct seen {
    int count, revoked;
    int64_t used_ms[4];
};

static void see(void *arg, const struct auth_key_info *key)
{
    struct seen *seen = arg;
    if (seen->count < 4) {
        seen->used_ms[seen->count++] = key->used_ms;
    }
    seen->revoked += key->revoked;
}

static bool see_keys(struct tx *tx, void *arg, struct fail *fail)
{
    *(struct seen *)arg = (struct seen){0};
    return auth_keys_tx(tx, VIEW(""), see, arg, fail);
}

static void use_and_flush(struct place *p)
{
    struct identity who;
    struct seen seen;
    int64_t before_ms = clock_wall_ms() - 1000; // the loop's clock stands still for the length of an iteration
    EXPECT_P(auth_keys_flush(p->auth, &p->fail) && store_read(p->env, see_keys, &seen, &p->fail));
    EXPECT(seen.count == 1 && seen.used_ms[0] == 0);
    EXPECT_P(check(p, p->key, &who) && store_read(p->env, see_keys, &seen, &p->fail));
    EXPECT(seen.used_ms[0] == 0); // a call writes nothing
    EXPECT_P(auth_keys_flush(p->auth, &p->fail) && store_read(p->env, see_keys, &seen, &p->fail));
    EXPECT(seen.used_ms[0] >= before_ms && seen.used_ms[0] <= clock_wall_ms());
    EXPECT_P(rotate_key(p, "twilioext", 60000) && store_read(p->env, see_keys, &seen, &p->fail));
    EXPECT(seen.count == 2 && seen.used_ms[0] == 0 && seen.used_ms[1] >= before_ms); // it goes with the old key
    EXPECT_P(revoke_key(p, "twilioext") && store_read(p->env, see_keys, &seen, &p->fail));
    EXPECT(seen.count == 1 && seen.revoked == 1);
}
ON_PLACE(last_uses_are_written_behind, use_and_flush(p))

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grace_ends_while_the_key_is_cached),
        cmocka_unit_test(a_rotation_without_grace_ends_all),
        cmocka_unit_test(a_namespace_that_is_dropped_leaves_nothing),
        cmocka_unit_test(a_revoked_key_comes_back_by_rotation_alone),
        cmocka_unit_test(addresses_are_asked_where_rules_name_some),
        cmocka_unit_test(calls_are_counted_by_the_minute),
        cmocka_unit_test(rates_are_read_exactly),
        cmocka_unit_test(last_uses_are_written_behind),
    };
    return cmocka_run_group_tests_name("auth keyring", tests, NULL, NULL);
}
