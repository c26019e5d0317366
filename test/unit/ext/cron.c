// SPDX-License-Identifier: Apache-2.0
//
// Cron expressions: what they mean, what is refused, and what they do where clocks are put forward and back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ext/ext.h"

static int64_t at(const char *iso, const struct zone *zone)
{
    int64_t millis = 0;
    bool has_time;
    assert_true(calendar_read(view_of(iso), zone, &millis, &has_time));
    return millis;
}

// The times that follow `after`, with commas between.
static void expect_times(const char *text, const char *zone_text, const char *after, int count, const char *wanted, int line)
{
    const struct zone *zone = zone_find(view_of(zone_text));
    struct ext_cron cron;
    struct fail fail = {0};
    struct buffer out;
    buffer_init(&out, 65536);
    if (!ext_cron_read(view_of(text), &cron, &fail)) {
        fail_msg("line %d: %s: %s", line, text, fail.text);
    }
    int64_t now = at(after, zone);
    for (int i = 0; i < count && ext_cron_next(&cron, now, zone, &now); i++) {
        buffer_add(&out, i ? VIEW(", ") : VIEW(""));
        calendar_print_iso(&out, now, zone);
    }
    if (strcmp(buffer_text(&out), wanted) != 0) {
        fail_msg("line %d: %s after %s\n got  %s\n want %s", line, text, after, buffer_text(&out), wanted);
    }
    buffer_free(&out);
}
#define TIMES(text, zone, after, count, wanted) expect_times((text), (zone), (after), (count), (wanted), __LINE__)

static void fields_and_names(void **state)
{
    (void)state;
    TIMES("*/20 9-10 * * *", "GMT", "2026-03-01T09:25:10+00:00", 3,
          "2026-03-01T09:40:00+00:00, 2026-03-01T10:00:00+00:00, 2026-03-01T10:20:00+00:00");
    TIMES("0 12 * * mon-fri", "GMT", "2026-11-27T12:00:00+00:00", 2, "2026-11-30T12:00:00+00:00, 2026-12-01T12:00:00+00:00");
    TIMES("5,10-12/2 0 1 JAN,jul *", "GMT", "2026-01-01T00:04:59+00:00", 4,
          "2026-01-01T00:05:00+00:00, 2026-01-01T00:10:00+00:00, 2026-01-01T00:12:00+00:00, 2026-07-01T00:05:00+00:00");
    TIMES("0 0 * * 7", "GMT", "2026-11-24T00:00:00+00:00", 1, "2026-11-29T00:00:00+00:00");
    TIMES("0 0 * * sun", "GMT", "2026-11-24T00:00:00+00:00", 1, "2026-11-29T00:00:00+00:00");
    TIMES("0 0 * * 5-7", "GMT", "2026-11-27T00:00:00+00:00", 2, "2026-11-28T00:00:00+00:00, 2026-11-29T00:00:00+00:00");
    TIMES("  0\t0   1 1 * ", "GMT", "2026-11-24T00:00:00+00:00", 1, "2027-01-01T00:00:00+00:00");
    TIMES("0 0 29 2 *", "GMT", "2026-11-24T00:00:00+00:00", 2, "2028-02-29T00:00:00+00:00, 2032-02-29T00:00:00+00:00");
    TIMES("0 0 29 2 *", "GMT", "2096-03-01T00:00:00+00:00", 1, "2104-02-29T00:00:00+00:00");
    TIMES("* * * * *", "GMT", "2026-11-24T23:59:59+00:00", 2, "2026-11-25T00:00:00+00:00, 2026-11-25T00:01:00+00:00");
    TIMES("0 * 1 1 *", "GMT", "2026-11-24T23:59:59+00:00", 2, "2027-01-01T00:00:00+00:00, 2027-01-01T01:00:00+00:00");
}

static void either_day(void **state)
{
    (void)state;
    TIMES("0 0 13 * fri", "GMT", "2026-11-24T00:00:00+00:00", 4,
          "2026-11-27T00:00:00+00:00, 2026-12-04T00:00:00+00:00, 2026-12-11T00:00:00+00:00, 2026-12-13T00:00:00+00:00");
    TIMES("0 0 1-7 * */7", "GMT", "2026-11-24T00:00:00+00:00", 1, "2026-12-06T00:00:00+00:00");
}

static void shorthands(void **state)
{
    (void)state;
    TIMES("@hourly", "GMT", "2026-11-24T10:30:00+00:00", 1, "2026-11-24T11:00:00+00:00");
    TIMES("@daily", "Asia/Kolkata", "2026-11-24T10:30:00+05:30", 1, "2026-11-25T00:00:00+05:30");
    TIMES("@Midnight", "GMT", "2026-11-24T10:30:00+00:00", 1, "2026-11-25T00:00:00+00:00");
    TIMES("@weekly", "GMT", "2026-11-24T10:30:00+00:00", 1, "2026-11-29T00:00:00+00:00");
    TIMES("@monthly", "GMT", "2026-11-24T10:30:00+00:00", 1, "2026-12-01T00:00:00+00:00");
    TIMES("@yearly", "GMT", "2026-11-24T10:30:00+00:00", 1, "2027-01-01T00:00:00+00:00");
    TIMES("@annually", "GMT", "2026-11-24T10:30:00+00:00", 1, "2027-01-01T00:00:00+00:00");
}

// Berlin: on 2026-03-29 02:00 is followed by 03:00, on 2026-10-25 03:00 by 02:00.
static void clocks_put_forward(void **state)
{
    (void)state;
    TIMES("30 2 * * *", "Europe/Berlin", "2026-03-28T03:00:00+01:00", 2, "2026-03-29T03:30:00+02:00, 2026-03-30T02:30:00+02:00");
    TIMES("30 2,3 * * *", "Europe/Berlin", "2026-03-28T04:00:00+01:00", 2, "2026-03-29T03:30:00+02:00, 2026-03-30T02:30:00+02:00");
    TIMES("30 * * * *", "Europe/Berlin", "2026-03-29T01:00:00+01:00", 3,
          "2026-03-29T01:30:00+01:00, 2026-03-29T03:30:00+02:00, 2026-03-29T04:30:00+02:00");
    TIMES("0 0 * * *", "America/Santiago", "2026-09-05T12:00:00-04:00", 2, "2026-09-06T01:00:00-03:00, 2026-09-07T00:00:00-03:00");
    TIMES("0 * * * *", "America/Santiago", "2026-09-05T23:30:00-04:00", 2, "2026-09-06T01:00:00-03:00, 2026-09-06T02:00:00-03:00");
}

static void clocks_put_back(void **state)
{
    (void)state;
    TIMES("30 2 * * *", "Europe/Berlin", "2026-10-24T03:00:00+02:00", 2, "2026-10-25T02:30:00+02:00, 2026-10-26T02:30:00+01:00");
    TIMES("30 * * * *", "Europe/Berlin", "2026-10-25T02:00:00+02:00", 3,
          "2026-10-25T02:30:00+02:00, 2026-10-25T02:30:00+01:00, 2026-10-25T03:30:00+01:00");
    TIMES("*/30 1-3 * * *", "Europe/Berlin", "2026-10-25T01:30:00+02:00", 4,
          "2026-10-25T02:00:00+02:00, 2026-10-25T02:30:00+02:00, 2026-10-25T03:00:00+01:00, 2026-10-25T03:30:00+01:00");
}

static void refusals(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 * ",
        "* * * * 8",
        "a * * * *",
        "*/0 * * * *",
        "5/15 * * * *",
        "5-1 * * * *",
        "1,,2 * * * *",
        "1, * * * *",
        "-5 * * * *",
        "1-2-3 * * * *",
        "*/-1 * * * *",
        "* * * foo *",
        "@reboot",
        "@",
        "1e1 * * * *",
        "+1 * * * *",
        "*/99999999999999999999 * * * *",
        "*/1/1 * * * *",
        "** * * * *",
    };
    for (size_t i = 0; i < BASE_COUNT(texts); i++) {
        struct ext_cron cron = {.minutes = 42};
        struct fail fail = {0};
        if (ext_cron_read(view_of(texts[i]), &cron, &fail)) {
            fail_msg("\"%s\" was taken", texts[i]);
        }
        assert_int_equal(fail.code, FAIL_INVALID_DATA);
        assert_int_equal(cron.minutes, 42);
    }
    char text[EXT_CRON_MAX + 2];
    memset(text, '1', sizeof text);
    struct ext_cron cron;
    struct fail fail = {0};
    assert_false(ext_cron_read((struct view){text, sizeof text}, &cron, &fail));
}

static void never(void **state)
{
    (void)state;
    static const char *const texts[] = {"0 0 30 2 *", "0 * 31 4,6,9,11 *"};
    for (size_t i = 0; i < BASE_COUNT(texts); i++) {
        struct ext_cron cron;
        struct fail fail = {0};
        int64_t next = 7;
        assert_true(ext_cron_read(view_of(texts[i]), &cron, &fail));
        assert_false(ext_cron_next(&cron, at("2026-11-24T00:00:00+00:00", NULL), zone_find(VIEW("Europe/Berlin")), &next));
        assert_int_equal(next, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_and_names),
        cmocka_unit_test(either_day),
        cmocka_unit_test(shorthands),
        cmocka_unit_test(clocks_put_forward),
        cmocka_unit_test(clocks_put_back),
        cmocka_unit_test(refusals),
        cmocka_unit_test(never),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
