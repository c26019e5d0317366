// SPDX-License-Identifier: Apache-2.0
//
// The table itself: every example in a row holds, every row has what the reference pages print.
#include "deluge.h"

static void every_example_holds(void **state)
{
    (void)state;
    struct native_set *set = deluge_natives();
    struct deluge deluge = {.zone = "Asia/Kolkata"};
    int wrong = 0;
    for (size_t i = 0; i < native_set_count(set); i++) {
        const struct native *row = native_set_at(set, i);
        const char *arrow = row->example == NULL ? NULL : strstr(row->example, " => ");
        if (arrow == NULL) {
            continue;
        }
        char script[1024];
        snprintf(script, sizeof(script), "%.*s", (int)(arrow - row->example), row->example);
        const char *got = deluge_run(&deluge, script);
        if (strcmp(got, arrow + 4) != 0) {
            print_error("%s: %s\n  expected: %s\n  got:      %s\n", row->name, script, arrow + 4, got);
            wrong++;
        }
    }
    buffer_free(&deluge.log);
    assert_int_equal(wrong, 0);
}

static void every_row_is_documented(void **state)
{
    (void)state;
    struct native_set *set = deluge_natives();
    for (size_t i = 0; i < native_set_count(set); i++) {
        const struct native *row = native_set_at(set, i);
        if (row->signature == NULL || row->doc == NULL || row->example == NULL || row->provenance == NULL || row->cost == 0) {
            fail_msg("the row %s lacks something", row->name);
        }
        assert_non_null(strstr(row->example, " => "));
        assert_true(strncmp(row->provenance, "SURE", 4) == 0 || strncmp(row->provenance, "LIKELY", 6) == 0 ||
                    strncmp(row->provenance, "GUESS", 5) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_example_holds), cmocka_unit_test(every_row_is_documented)};
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
