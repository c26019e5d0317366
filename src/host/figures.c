// SPDX-License-Identifier: Apache-2.0
// How often a stored function is called, how often it fails, and how long it takes: of the last hour by minute and of the last day by hour,
// in memory, since the process began. The run log could not tell: it holds a number of runs, which a busy server makes in minutes.
//
// It is on the path of every call, which adds to the slot of the minute and no more; a slot that comes round again is added to its hour
// first, and whoever reads adds up what has not been. Latencies are counted in buckets of a quarter of a power of two, so that a percentile
// is at most a quarter above what it was; the largest is exact.
#include "host/kept.h"

#include <stdlib.h>

enum {
    FIGURES_MAX = 200, // functions that are counted; others are not
    FIGURES_MINUTES = 60,
    FIGURES_HOURS = 24,
    QUARTERS = 4, // buckets a power of two
    BUCKETS = 108, // up to 2^27 µs
    BUCKET_LAST_BIT = 27,
    MINUTE_MS = 60000,
};

struct slot {
    int64_t number; // of the minute or hour, since 1970
    uint32_t calls, errors, max_us;
    uint32_t buckets[BUCKETS];
};

struct figures {
    atomic_flag busy;
    struct host_env *env;
    char name[4 * EXT_NAME_MAX], canonical[4 * EXT_NAME_MAX];
    struct slot minutes[FIGURES_MINUTES], hours[FIGURES_HOURS];
};

struct figures_table {
    pthread_mutex_t mutex;
    int64_t since_ms;
    int count;
    struct figures *items[FIGURES_MAX];
};

// ---- the table ----------------------------------------------------------------------------------

bool figures_open(struct host *host, struct fail *fail)
{
    host->counted = calloc(1, sizeof *host->counted);
    if (!host->counted) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    host->counted->since_ms = clock_wall_ms();
    pthread_mutex_init(&host->counted->mutex, NULL);
    return true;
}

void figures_free(struct host *host)
{
    for (int i = 0; host->counted && i < host->counted->count; i++) {
        brief_lock(&host->counted->items[i]->busy); // what other loops did last is seen here
        free(host->counted->items[i]);
    }
    if (host->counted) {
        pthread_mutex_destroy(&host->counted->mutex);
    }
    free(host->counted);
    host->counted = NULL;
}

struct figures *figures_of(struct host_env *env, const struct function *function)
{
    struct figures_table *table = env->host->counted;
    struct figures *found = NULL;
    if (!table) {
        return NULL;
    }
    pthread_mutex_lock(&table->mutex);
    for (int i = 0; i < table->count && !found; i++) {
        struct figures *one = table->items[i];
        found = one->env == env && strcmp(one->canonical, function->canonical) == 0 ? one : NULL;
    }
    if (!found && table->count < FIGURES_MAX && (found = calloc(1, sizeof *found)) != NULL) {
        atomic_flag_clear(&found->busy);
        found->env = env;
        snprintf(found->name, sizeof found->name, "%s", function->display);
        snprintf(found->canonical, sizeof found->canonical, "%s", function->canonical);
        table->items[table->count++] = found;
    }
    pthread_mutex_unlock(&table->mutex);
    return found;
}

// ---- counting -----------------------------------------------------------------------------------

static void add_slot(struct slot *to, const struct slot *from)
{
    to->calls += from->calls;
    to->errors += from->errors;
    to->max_us = to->max_us > from->max_us ? to->max_us : from->max_us;
    for (int i = 0; i < BUCKETS; i++) {
        to->buckets[i] += from->buckets[i];
    }
}

// The minute's slot comes round again: what it holds goes to its hour, unless that is too long ago.
BASE_COLD static void turn_slot(struct figures *figures, struct slot *slot, int64_t minute)
{
    int64_t hour = slot->number / 60;
    struct slot *old = &figures->hours[hour % FIGURES_HOURS];
    if (slot->calls > 0 && old->number <= hour) {
        if (old->number < hour) {
            *old = (struct slot){.number = hour};
        }
        add_slot(old, slot);
    }
    *slot = (struct slot){.number = minute};
}

static int bucket_of(uint32_t us)
{
    if (us < QUARTERS) {
        return (int)us;
    }
    int bit = 31 - __builtin_clz(us);
    return bit >= BUCKET_LAST_BIT ? BUCKETS - 1 : QUARTERS * (bit - 1) + (int)(us >> (bit - 2) & 3);
}

// The largest that counts there.
static uint32_t bucket_end(int bucket)
{
    int bit = bucket / QUARTERS + 1;
    return bucket < QUARTERS ? (uint32_t)bucket : ((uint32_t)(QUARTERS + bucket % QUARTERS + 1) << (bit - 2)) - 1;
}

void figures_note(struct figures *figures, int64_t wall_ms, double duration_ms, bool ok)
{
    int64_t minute = wall_ms / MINUTE_MS;
    uint32_t us = duration_ms < 4e6 ? (uint32_t)(duration_ms * 1000) : UINT32_MAX;
    brief_lock(&figures->busy);
    struct slot *slot = &figures->minutes[(uint64_t)minute % FIGURES_MINUTES];
    if (BASE_UNLIKELY(slot->number != minute)) {
        turn_slot(figures, slot, minute);
    }
    slot->calls++;
    slot->errors += !ok;
    slot->max_us = slot->max_us > us ? slot->max_us : us;
    slot->buckets[bucket_of(us)]++;
    brief_unlock(&figures->busy);
}

// ---- reading ------------------------------------------------------------------------------------

struct reading {
    struct heap *heap;
    int64_t minute; // now
    struct slot hours[FIGURES_HOURS], hour, day; // of the function that is being read
};

static void put(struct reading *reading, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(reading->heap, map.map, view_of(key), value);
    }
}

static struct value percentile(const struct slot *slot, int percent)
{
    uint64_t wanted = ((uint64_t)slot->calls * (uint64_t)percent + 99) / 100, seen = 0;
    if (slot->calls == 0) {
        return value_null();
    }
    for (int i = 0; i < BUCKETS; i++) {
        seen += slot->buckets[i];
        if (seen >= wanted) {
            uint32_t end = i == BUCKETS - 1 ? slot->max_us : bucket_end(i);
            return value_decimal((double)(end < slot->max_us ? end : slot->max_us) / 1000);
        }
    }
    return value_null();
}

static struct value time_text(struct heap *heap, int64_t time_ms)
{
    struct buffer time;
    buffer_init(&time, 64);
    calendar_print_iso(&time, time_ms, zone_local());
    struct value text = value_text(heap, buffer_view(&time));
    buffer_free(&time);
    return text;
}

static struct value show_slot(struct reading *reading, const struct slot *slot, int64_t time_ms)
{
    struct value map = value_map(reading->heap, 6);
    if (time_ms) {
        put(reading, map, "time", time_text(reading->heap, time_ms));
    }
    put(reading, map, "calls", value_number(slot->calls));
    put(reading, map, "errors", value_number(slot->errors));
    put(reading, map, "p50_ms", percentile(slot, 50));
    put(reading, map, "p95_ms", percentile(slot, 95));
    put(reading, map, "max_ms", slot->calls ? value_decimal((double)slot->max_us / 1000) : value_null());
    return map;
}

// Oldest first. What a minute holds has not been added to its hour.
static struct value show_minutes(struct reading *reading, const struct figures *copy)
{
    struct value list = value_list(reading->heap, FIGURES_MINUTES);
    for (int64_t minute = reading->minute - FIGURES_MINUTES + 1; minute <= reading->minute; minute++) {
        const struct slot *slot = &copy->minutes[minute % FIGURES_MINUTES];
        if (slot->number == minute && slot->calls > 0 && list.type == VALUE_LIST) {
            add_slot(&reading->hour, slot);
            list_add(reading->heap, list.list, show_slot(reading, slot, minute * MINUTE_MS));
        }
    }
    return list;
}

static struct value show_hours(struct reading *reading, const struct figures *copy)
{
    struct value list = value_list(reading->heap, FIGURES_HOURS);
    int64_t now = reading->minute / 60;
    memcpy(reading->hours, copy->hours, sizeof reading->hours);
    for (int i = 0; i < FIGURES_MINUTES; i++) {
        int64_t hour = copy->minutes[i].number / 60;
        struct slot *slot = &reading->hours[hour % FIGURES_HOURS];
        if (copy->minutes[i].calls > 0 && slot->number < hour) {
            *slot = (struct slot){.number = hour};
        }
        if (slot->number == hour) {
            add_slot(slot, &copy->minutes[i]);
        }
    }
    for (int64_t hour = now - FIGURES_HOURS + 1; hour <= now; hour++) {
        const struct slot *slot = &reading->hours[hour % FIGURES_HOURS];
        if (slot->number == hour && slot->calls > 0 && list.type == VALUE_LIST) {
            add_slot(&reading->day, slot);
            list_add(reading->heap, list.list, show_slot(reading, slot, hour * 60 * MINUTE_MS));
        }
    }
    return list;
}

static struct value show_figures(struct reading *reading, const struct figures *copy)
{
    struct value map = value_map(reading->heap, 5);
    reading->hour = reading->day = (struct slot){0};
    struct value minutes = show_minutes(reading, copy), hours = show_hours(reading, copy);
    put(reading, map, "function", value_text(reading->heap, view_of(copy->name)));
    put(reading, map, "last_hour", show_slot(reading, &reading->hour, 0));
    put(reading, map, "last_day", show_slot(reading, &reading->day, 0));
    put(reading, map, "minutes", minutes);
    put(reading, map, "hours", hours);
    return map;
}

// Functions are only ever added, and none goes before the host does.
static struct figures *next_figures(struct figures_table *table, const struct host_env *env, struct view canonical, int *cursor)
{
    struct figures *found = NULL;
    pthread_mutex_lock(&table->mutex);
    while (!found && *cursor < table->count) {
        struct figures *one = table->items[(*cursor)++];
        found = one->env == env && (!canonical.len || view_eq(canonical, view_of(one->canonical))) ? one : NULL;
    }
    pthread_mutex_unlock(&table->mutex);
    return found;
}

// `copy` is room for one function's, which is too much for a fiber's stack.
static void show_all(struct reading *reading, struct figures_table *table, const struct host_env *env, struct view canonical,
                     struct figures *copy, struct value list)
{
    int cursor = 0;
    for (struct figures *one; (one = next_figures(table, env, canonical, &cursor)) != NULL;) {
        brief_lock(&one->busy);
        memcpy(copy, one, sizeof *copy);
        brief_unlock(&one->busy);
        list_add(reading->heap, list.list, show_figures(reading, copy));
    }
}

bool host_runs_figures(struct host *host, const struct identity *who, struct view function, struct heap *heap, struct value *ret_map,
                       struct fail *fail)
{
    struct host_env *env;
    char text[4 * EXT_NAME_MAX];
    struct view canonical = VIEW("");
    if (!host_env_of(host, who, &env, fail)) {
        return false;
    }
    if (function.len && !host_fn_canonical(function, text, &canonical)) {
        canonical = function;
    }
    struct reading *reading = calloc(1, sizeof *reading);
    struct figures *copy = malloc(sizeof *copy);
    struct value map = value_map(heap, 2), list = value_list(heap, 8);
    if (reading && copy && !heap->failed) {
        reading->heap = heap;
        reading->minute = clock_wall_ms() / MINUTE_MS;
        put(reading, map, "since", host->counted ? time_text(heap, host->counted->since_ms) : value_null());
        put(reading, map, "functions", list);
    }
    if (reading && copy && !heap->failed && host->counted) {
        show_all(reading, host->counted, env, canonical, copy, list);
    }
    bool good = (reading && copy && !heap->failed) || fail_set(fail, FAIL_MEMORY, NULL);
    free(reading);
    free(copy);
    *ret_map = good ? map : *ret_map;
    return good;
}
