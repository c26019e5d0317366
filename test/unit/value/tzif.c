// SPDX-License-Identifier: Apache-2.0
// Time zone files are the machine's, but a broken one must not break the process: every cut and every damaged byte is tried.
#include "common.h"
#include "value/zone.h"

static char bytes[64 * 1024];
static size_t len;

static int load(void **state)
{
    FILE *file = fopen("/usr/share/zoneinfo/America/New_York", "rb");
    assert_non_null(file);
    len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return heap_setup(state);
}
#define FILE_TEST(function) cmocka_unit_test_setup_teardown(function, load, heap_teardown)

// A copy of exactly `count` bytes, so that a read behind it is seen.
static bool reads(size_t count)
{
    char *copy = malloc(count ? count : 1);
    struct zone zone = {.name = "test", .name_len = 4};
    memcpy(copy, bytes, count);
    bool good = tzif_read(&zone, (struct view){copy, count});
    if (good) {
        static const int64_t instants[] = {INT64_MIN / 2, -2000000000000, 0, 1720000000000, 4000000000000, INT64_MAX / 2};
        for (size_t i = 0; i < BASE_COUNT(instants); i++) {
            struct view name;
            zone_offset_ms(&zone, instants[i], NULL, &name);
            calendar_millis(calendar_civil(instants[i], &zone), &zone);
        }
    }
    tzif_free(&zone);
    free(copy);
    return good;
}

static void the_whole_file_reads(void **state)
{
    (void)state;
    assert_true(reads(len));
}

static void no_part_of_it_does(void **state)
{
    (void)state;
    for (size_t count = 0; count < len; count++) {
        assert_false(reads(count));
    }
}

static void damaged_bytes_do_no_harm(void **state)
{
    (void)state;
    static const char damage[] = {0, -1, 127, '\n', ','};
    for (size_t i = 0; i < len; i++) {
        char kept = bytes[i];
        for (size_t k = 0; k < sizeof damage; k++) {
            bytes[i] = damage[k];
            reads(len);
        }
        bytes[i] = kept;
    }
    assert_true(reads(len));
}

// A file of one type with no transitions whose rule is `rule`.
static bool rule_reads(const char *rule)
{
    static const char head[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4";
    static const char table[] = "\0\0\0\0\0\0UTC";
    len = 0;
    for (int i = 0; i < 2; i++) {
        memcpy(bytes + len, head, 44);
        memcpy(bytes + len + 44, table, sizeof table);
        len += 44 + sizeof table;
    }
    len += (size_t)snprintf(bytes + len, 200, "\n%s\n", rule);
    return reads(len);
}

static void rules(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "UTC0",
                                       "<+0330>-3:30",
                                       "EST5EDT,M3.2.0,M11.1.0",
                                       "IST-1GMT0,M10.5.0,M3.5.0/1",
                                       "X5Y4:30:15,J60/-1:30,365/167",
                                       "A-1B,0/0,J365/23"};
    static const char *const bad[] = {"UTC",
                                      "5",
                                      "EST5EDT",
                                      "EST5EDT,M3.2.0",
                                      "EST5EDT,M13.1.0,M11.1.0",
                                      "EST5EDT,M3.6.0,M11.1.0",
                                      "EST5EDT,M3.2.7,M11.1.0",
                                      "EST5EDT,J0,J2",
                                      "EST5EDT,M3.2.0,M11.1.0x",
                                      "EST168",
                                      "<EST5",
                                      "EST5EDT,M3.2.0/168,M11.1.0",
                                      "ABCDEFGHIJKLMNOPQ5",
                                      "EST99999999999999999999"};
    for (size_t i = 0; i < BASE_COUNT(good); i++) {
        if (!rule_reads(good[i])) {
            fail_msg("%s should read", good[i]);
        }
    }
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        if (rule_reads(bad[i])) {
            fail_msg("%s should not read", bad[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(the_whole_file_reads),
        FILE_TEST(no_part_of_it_does),
        FILE_TEST(damaged_bytes_do_no_harm),
        FILE_TEST(rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
