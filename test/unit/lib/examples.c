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

// Names that no Zoho page has stay unknown, and are answered with what does their work.
static void invented_names_stay_unknown(void **state)
{
    (void)state;
    static const struct {
        const char *name, *near; // NULL = no suggestion
    } invented[] = {
        {"toBoolean", NULL},
        {"ifBlank", "ifNull"},
        {"isDecimal", "isNumber"},
        {"isDateTime", "isDate"},
        {"isBoolean", NULL},
        {"join", "toString"},
        {"split", "toList"},
        {"reduce", NULL},
        {"filter", NULL},
        {"entries", "keys"},
        {"set", "put"},
        {"isSameDay", "daysBetween"},
        {"isBefore", "daysBetween"},
        {"isAfter", "daysBetween"},
        {"isBetween", "daysBetween"},
        {"toJSONString", "toString"},
        {"json", "toMap"},
        {"fromJSON", "toMap"},
        {"substr", "subString"},
        {"replace", "replaceAll"},
        {"addDays", "addDay"},
        {"format", "toString"},
        {"pow", "power"},
        {"random", "randomNumber"},
        {"mod", NULL},
        {"isNotNull", "isNull"},
    };
    struct native_set *set = deluge_natives();
    for (size_t i = 0; i < BASE_COUNT(invented); i++) {
        assert_null(native_set_find(set, view_of(invented[i].name)));
        const struct native *near = native_set_nearest(set, view_of(invented[i].name));
        if (invented[i].near == NULL) {
            assert_null(near);
        } else {
            assert_non_null(near);
            assert_string_equal(near->name, invented[i].near);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_example_holds), cmocka_unit_test(every_row_is_documented),
                                       cmocka_unit_test(invented_names_stay_unknown)};
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
