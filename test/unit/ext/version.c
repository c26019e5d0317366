// SPDX-License-Identifier: Apache-2.0
//
// Semantic versions: which texts are some, and their order (semver.org §11).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ext/ext.h"

static void texts_that_are_versions(void **state)
{
    (void)state;
    static const char *const good[] = {
        "0.0.0",
        "1.2.3",
        "10.20.30",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-0.3.7",
        "1.0.0-x-y-z.--",
        "1.0.0+20130313",
        "1.0.0-beta+exp.sha.5114f85",
        "1.0.0+001",
        "99999999999999999999.0.0",
    };
    for (size_t i = 0; i < BASE_COUNT(good); i++) {
        if (!ext_version_valid(view_of(good[i]))) {
            fail_msg("%s is one", good[i]);
        }
    }
}

static void texts_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",          "1",         "1.2",      "1.2.3.4",    "01.2.3",   "1.02.3",     "1.2.03",
        "1.2.3-",    "1.2.3+",    "1.2.3-01", "1.2.3-a..b", "1.2.3-.a", "1.2.3.",     "a.b.c",
        "1.2.3-a_b", "1.2.3+a+b", " 1.2.3",   "1.2.3 ",     "v1.2.3",   "-1.2.3",     "1..3",
        "1.2.-3",    "1.2.3-é",   "dev",      "1.2.3-a.",   "1.2.3+a.", "1.2.3+a..b", "1.2.3-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    };
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        if (ext_version_valid(view_of(bad[i]))) {
            fail_msg("%s is none", bad[i]);
        }
    }
    assert_false(ext_version_valid((struct view){"1.0\0.0", 6}));
}

static void later_versions_are_greater(void **state)
{
    (void)state;
    static const char *const rising[] = {
        "0.9.9",
        "1.0.0-0",
        "1.0.0-2",
        "1.0.0-11",
        "1.0.0-99999999999999999999",
        "1.0.0-Alpha",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.2.0",
        "1.9.0",
        "1.10.0",
        "2.0.0",
        "10.0.0",
        "99999999999999999999.0.0",
        "100000000000000000000.0.0",
    };
    for (size_t i = 0; i < BASE_COUNT(rising); i++) {
        for (size_t k = 0; k < BASE_COUNT(rising); k++) {
            int order = ext_version_compare(view_of(rising[i]), view_of(rising[k])), wanted = (i > k) - (i < k);
            if ((order > 0) - (order < 0) != wanted) {
                fail_msg("%s against %s gives %d", rising[i], rising[k], order);
            }
        }
    }
}

static void marks_of_a_build_say_nothing(void **state)
{
    (void)state;
    assert_int_equal(ext_version_compare(VIEW("1.0.0+a"), VIEW("1.0.0+b")), 0);
    assert_int_equal(ext_version_compare(VIEW("1.0.0-rc.1+a"), VIEW("1.0.0-rc.1")), 0);
    assert_true(ext_version_is_release(VIEW("1.0.0+a-b")));
    assert_false(ext_version_is_release(VIEW("1.0.0-a+b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_versions),
        cmocka_unit_test(texts_that_are_none),
        cmocka_unit_test(later_versions_are_greater),
        cmocka_unit_test(marks_of_a_build_say_nothing),
    };
    return cmocka_run_group_tests_name("ext version", tests, NULL, NULL);
}
