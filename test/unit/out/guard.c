// SPDX-License-Identifier: Apache-2.0
//
// The address guard: a table of addresses and whether a script may reach them, and the setting that opens some.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "out/out.h"

static bool allowed(const struct out_policy *policy, const char *host, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        return out_address_allowed(policy, view_of(host), (struct sockaddr *)&v4);
    }
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return out_address_allowed(policy, view_of(host), (struct sockaddr *)&v6);
}

static void test_private_and_reserved_addresses_are_refused(void **state)
{
    (void)state;
    const char *const refused[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2002:c0a8:101::",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "100::1",
        "5f00::1",
    };
    const struct out_policy policy = {0};
    for (size_t i = 0; i < BASE_COUNT(refused); i++) {
        if (allowed(&policy, "example.com", refused[i])) {
            fail_msg("%s is allowed", refused[i]);
        }
    }
}

static void test_public_addresses_are_allowed(void **state)
{
    (void)state;
    const char *const open[] = {"1.1.1.1",         "8.8.8.8",      "9.255.255.255",  "11.0.0.0",     "100.63.255.255",
                                "100.128.0.0",     "126.0.0.1",    "128.0.0.1",      "172.15.0.1",   "172.32.0.1",
                                "192.167.1.1",     "192.169.0.1",  "198.17.0.1",     "198.20.0.1",   "223.255.255.1",
                                "2606:4700::1111", "2a00:1450::5", "::ffff:8.8.8.8", "2400:cb00::1", "64:ff9b::808:808"};
    const struct out_policy policy = {0};
    for (size_t i = 0; i < BASE_COUNT(open); i++) {
        if (!allowed(&policy, "example.com", open[i])) {
            fail_msg("%s is refused", open[i]);
        }
    }
}

static void test_loopback_may_be_opened_alone(void **state)
{
    (void)state;
    const struct out_policy policy = {.allow_loopback = true};
    assert_true(allowed(&policy, "localhost", "127.0.0.1"));
    assert_true(allowed(&policy, "localhost", "127.9.9.9"));
    assert_true(allowed(&policy, "localhost", "::1"));
    assert_true(allowed(&policy, "localhost", "::ffff:127.0.0.1"));
    assert_false(allowed(&policy, "localhost", "0.0.0.0"));
    assert_false(allowed(&policy, "localhost", "10.0.0.1"));
    assert_false(allowed(&policy, "localhost", "fe80::1"));
}

static void test_the_list_opens_ranges_addresses_and_names(void **state)
{
    (void)state;
    const struct out_policy policy = {.allow = VIEW("10.1.0.0/16, 192.168.7.7 ,fd00:1::/32,intranet.example,0.0.0.0/32")};
    assert_true(allowed(&policy, "a", "10.1.2.3"));
    assert_true(allowed(&policy, "a", "::ffff:10.1.2.3"));
    assert_false(allowed(&policy, "a", "10.2.0.1"));
    assert_true(allowed(&policy, "a", "192.168.7.7"));
    assert_false(allowed(&policy, "a", "192.168.7.8"));
    assert_true(allowed(&policy, "a", "fd00:1::9"));
    assert_false(allowed(&policy, "a", "fd00:2::9"));
    assert_true(allowed(&policy, "Intranet.Example", "10.9.9.9"));
    assert_true(allowed(&policy, "intranet.example.", "127.0.0.1"));
    assert_false(allowed(&policy, "sub.intranet.example", "10.9.9.9"));
    assert_false(allowed(&policy, "intranet.example.evil.com", "10.9.9.9"));
    assert_true(allowed(&policy, "a", "0.0.0.0"));
}

static void test_other_families_are_refused(void **state)
{
    (void)state;
    const struct out_policy policy = {.allow_loopback = true, .allow = VIEW("0.0.0.0/0,::/0")};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    assert_false(out_address_allowed(&policy, VIEW("localhost"), (struct sockaddr *)&local));
}

static void test_the_setting_is_checked(void **state)
{
    (void)state;
    struct fail fail = {0};
    const char *const good[] = {"", "10.0.0.0/8", "::1", "fd00::/8, 10.0.0.1", "host", "a-b.c_d.example", "127.0.0.1,", "0.0.0.0/0"};
    for (size_t i = 0; i < BASE_COUNT(good); i++) {
        if (!out_allow_check(view_of(good[i]), &fail)) {
            fail_msg("\"%s\": %s", good[i], fail.text);
        }
    }
    const char *const bad[] = {"10.0.0.0/33", "10.0.0",   "10.0.0.0/", "::/129", "10.0.0.0/-1", "host/8",
                               "a b",         "http://x", "*.example", "-x",     "1.2.3.4:80"};
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        if (out_allow_check(view_of(bad[i]), &fail)) {
            fail_msg("\"%s\" passes", bad[i]);
        }
        assert_int_equal(fail.code, FAIL_USAGE);
    }
    assert_false(out_allow_check(VIEW("10.0.0.1, no way, ::1"), &fail));
    assert_non_null(strstr(fail.text, "\"no way\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_private_and_reserved_addresses_are_refused),
        cmocka_unit_test(test_public_addresses_are_allowed),
        cmocka_unit_test(test_loopback_may_be_opened_alone),
        cmocka_unit_test(test_the_list_opens_ranges_addresses_and_names),
        cmocka_unit_test(test_other_families_are_refused),
        cmocka_unit_test(test_the_setting_is_checked),
    };
    return cmocka_run_group_tests_name("out guard", tests, NULL, NULL);
}
