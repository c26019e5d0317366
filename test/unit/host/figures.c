// SPDX-License-Identifier: Apache-2.0
//
// Figures of functions as time goes by: minutes come round, hours keep what they held, percentiles are near what was counted.
#include "../store/store_test.h"

#include "host/kept.h"

enum { MINUTE_MS = 60000 };
static const int64_t BEGIN_MS = 1800000000000; // the first minute of an hour

struct bench {
    struct host *host;
    struct host_env *env;
    struct figures *figures;
    struct heap heap;
    struct fail fail;
};

static void note(struct bench *b, int64_t minute, int count, double ms, bool ok)
{
    for (int i = 0; i < count; i++) {
        figures_note(b->figures, BEGIN_MS + minute * MINUTE_MS, ms, ok);
    }
}

// What there is at that minute.
static const struct map *look(struct bench *b, int64_t minute)
{
    struct identity who = {.kind = IDENTITY_OWNER, .org = "default", .environment = "production", .org_number = 1};
    struct value map;
    clock_wall_fix(BEGIN_MS + minute * MINUTE_MS);
    expect_at(host_runs_figures(b->host, &who, VIEW("ns.f"), &b->heap, &map, &b->fail), __LINE__, "host_runs_figures", &b->fail);
    const struct list *list = value_as_list(map_get_text(map.map, VIEW("functions")));
    return list && list->count == 1 ? value_as_map(list->items[0]) : NULL;
}

static int64_t figure(const struct map *function, const char *period, const char *name)
{
    const struct map *map = function ? value_as_map(map_get_text(function, view_of(period))) : NULL;
    struct value value = map ? map_get_text(map, view_of(name)) : value_null();
    return value.type == VALUE_DECIMAL ? (int64_t)(value.decimal * 1000) : value.type == VALUE_NUMBER ? value.number : -1;
}

static uint32_t slots(const struct map *function, const char *which)
{
    const struct list *list = function ? value_as_list(map_get_text(function, view_of(which))) : NULL;
    return list ? list->count : 999;
}

static void test_time(struct bench *b)
{
    note(b, 0, 10, 1, true);
    note(b, 0, 2, 1, false);
    note(b, 59, 5, 1, true);
    const struct map *now = look(b, 59);
    EXPECT(figure(now, "last_hour", "calls") == 17 && figure(now, "last_hour", "errors") == 2 && slots(now, "minutes") == 2);
    EXPECT(figure(now, "last_day", "calls") == 17 && slots(now, "hours") == 1);
    now = look(b, 60); // minute 0 is an hour ago, and its slot not yet used again
    EXPECT(figure(now, "last_hour", "calls") == 5 && figure(now, "last_day", "calls") == 17 && slots(now, "minutes") == 1);
    note(b, 60, 3, 1, true); // now it is
    now = look(b, 60);
    EXPECT(figure(now, "last_hour", "calls") == 8 && figure(now, "last_day", "calls") == 20 && slots(now, "hours") == 2);
    EXPECT(figure(now, "last_day", "errors") == 2);
    for (int64_t minute = 61; minute < 23 * 60; minute++) {
        note(b, minute, 1, 1, true);
    }
    now = look(b, 23 * 60 - 1);
    EXPECT(figure(now, "last_hour", "calls") == 60 && slots(now, "minutes") == 60);
    EXPECT(figure(now, "last_day", "calls") == 20 + 23 * 60 - 61 && slots(now, "hours") == 23);
    now = look(b, 24 * 60); // the first hour is a day ago
    EXPECT(figure(now, "last_day", "calls") == 3 + 23 * 60 - 61 && slots(now, "hours") == 22);
    now = look(b, 7 * 24 * 60);
    EXPECT(figure(now, "last_day", "calls") == 0 && figure(now, "last_hour", "calls") == 0 && slots(now, "hours") == 0);
    note(b, 7 * 24 * 60, 1, 1, true);
    now = look(b, 7 * 24 * 60);
    EXPECT(figure(now, "last_day", "calls") == 1 && slots(now, "hours") == 1);
    note(b, 7 * 24 * 60 - 120, 1, 1, true); // a clock that was set back
    EXPECT(figure(look(b, 7 * 24 * 60), "last_hour", "calls") <= 2);
}

static void test_percentiles(struct bench *b)
{
    static const double times[] = {0, 0.001, 0.003, 0.004, 0.0051, 0.7, 1, 3.3, 17, 999, 65000, 134217, 1e12};
    int64_t day = 100LL * 24 * 60;
    for (size_t i = 0; i < BASE_COUNT(times); i++, day += 24 * 60 + 60) {
        note(b, day, 100, times[i], true);
        const struct map *now = look(b, day);
        double us = times[i] * 1000 < 4e9 ? times[i] * 1000 : UINT32_MAX;
        EXPECT(figure(now, "last_hour", "p50_ms") == (int64_t)us && figure(now, "last_hour", "max_ms") == (int64_t)us);
    }
    note(b, day, 95, 1, true);
    note(b, day, 5, 50, true);
    const struct map *now = look(b, day);
    EXPECT(figure(now, "last_hour", "p50_ms") >= 1000 && figure(now, "last_hour", "p50_ms") <= 1250);
    EXPECT(figure(now, "last_hour", "p95_ms") <= 1250 && figure(now, "last_hour", "max_ms") == 50000);
    note(b, day, 1, 50, true);
    EXPECT(figure(look(b, day), "last_hour", "p95_ms") == 50000);
}

static void run(void (*test)(struct bench *b))
{
    struct bench bench = {0}, *b = &bench;
    struct host_options options = {.listen_address = "127.0.0.1:8080"};
    struct function function = {.canonical = "ns__f", .display = "ns__f"};
    heap_init(&b->heap, 64 << 20, NULL);
    if (expect_at(host_open(&options, &b->host, &b->fail), __LINE__, "host_open", &b->fail)) {
        EXPECT(host_env_default(b->host, &b->env, &b->fail) && !figures_of(b->env, &function)); // nobody has asked for them
        EXPECT(host_keep_runs(b->host, &b->fail));
        b->figures = figures_of(b->env, &function);
        EXPECT(b->figures && figures_of(b->env, &function) == b->figures);
        test(b);
        clock_wall_fix(0);
        host_close(b->host);
    }
    heap_free(&b->heap);
}

static void time_on_fiber(void *arg)
{
    (void)arg;
    run(test_time);
}

static void percentiles_on_fiber(void *arg)
{
    (void)arg;
    run(test_percentiles);
}

static void minutes_and_hours_come_round(void **state)
{
    (void)state;
    fine_on_loops(1, time_on_fiber, NULL);
}

static void percentiles_are_near(void **state)
{
    (void)state;
    fine_on_loops(1, percentiles_on_fiber, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(minutes_and_hours_come_round), cmocka_unit_test(percentiles_are_near)};
    return cmocka_run_group_tests_name("host figures", tests, NULL, NULL);
}
