// SPDX-License-Identifier: Apache-2.0
// Functions that run by the clock: what the owner says of them, and one run of one. A run is the super admin's, has a time limit of its own
// and stands in the run log with the trigger "schedule"; of one schedule one runs at a time, whichever process starts it. When runs are due
// is scheduler.c's.
#include "host/schedule.h"

#include <stdlib.h>

enum { DEAD_AFTER_MS = 120000 }; // beyond the time limit

int64_t scheduled_dead_ms(const struct host *host, int64_t now_ms)
{
    return now_ms - host->limits[LIMIT_SCHEDULE_MS] - DEAD_AFTER_MS;
}

bool scheduled_zone(struct host_env *env, const struct ext_schedule *schedule, const struct zone **ret_zone, struct fail *fail)
{
    struct function_table *pin;
    if (schedule->zone.len) {
        *ret_zone = zone_find(schedule->zone);
        return true;
    }
    if (!functions_pin(env, &pin, fail)) {
        return false;
    }
    *ret_zone = pin->heap.zone; // zones live as long as the process
    functions_unpin(env, pin);
    return true;
}

// ---- one run ------------------------------------------------------------------------------------

void scheduled_skip(struct host_env *env, struct view canonical, const char *format, ...)
{
    struct arena arena;
    struct fail why;
    va_list args;
    va_start(args, format);
    fail_set_v(&why, FAIL_INVALID_DATA, format, args);
    va_end(args);
    arena_init(&arena, 1 << 20);
    struct exchange exchange = exchange_inner(&arena, env);
    call_refuse(env->host, env, &exchange, canonical, "schedule", &why);
    arena_free(&arena);
}

// Runs that are going on are known, so that the end of the process can hurry them.
static void enter(struct scheduled *scheduled, struct run *run)
{
    struct host *host = scheduled->host;
    pthread_mutex_lock(&host->mutex);
    scheduled->run = run;
    scheduled->before = NULL;
    scheduled->next = host->scheduler.running;
    if (scheduled->next) {
        scheduled->next->before = scheduled;
    }
    host->scheduler.running = scheduled;
    bool closing = host->scheduler.closing;
    pthread_mutex_unlock(&host->mutex);
    if (closing) {
        run_hurry(run, host->limits[LIMIT_TIME_MS]);
    }
}

static void leave(struct scheduled *scheduled)
{
    struct host *host = scheduled->host;
    pthread_mutex_lock(&host->mutex);
    *(scheduled->before ? &scheduled->before->next : &host->scheduler.running) = scheduled->next;
    if (scheduled->next) {
        scheduled->next->before = scheduled->before;
    }
    scheduled->run = NULL;
    pthread_mutex_unlock(&host->mutex);
}

static bool run_function(struct scheduled *scheduled, const struct run_options *options, struct heap *heap, struct value *lines,
                         struct fail *why)
{
    struct fail ignored;
    struct run *run = run_open(scheduled->host, options, why);
    if (!run) {
        return false;
    }
    enter(scheduled, run);
    bool ok = call_run(run, "schedule", why);
    leave(scheduled);
    if (lines && !run_log_list(run, heap, lines, &ignored)) {
        *lines = value_null();
    }
    run_close(run);
    return ok;
}

static void run_once(struct scheduled *scheduled, struct heap *heap, struct value *lines, struct fail *why)
{
    struct host_env *env = scheduled->env;
    struct arena arena;
    arena_init(&arena, HOST_EXCHANGE_BYTES_MAX);
    struct exchange exchange = exchange_inner(&arena, env);
    struct run_options options = {.env = env, .exchange = &exchange, .time_ms = scheduled->host->limits[LIMIT_SCHEDULE_MS]};
    struct view canonical = view_of(scheduled->canonical);
    fail_clear(why);
    bool found = functions_find(env, canonical, &options.pin, &options.function, why);
    if (found && options.function) {
        run_function(scheduled, &options, heap, lines, why);
    } else if (found) {
        functions_unpin(env, options.pin);
        fail_set(why, FAIL_NO_FUNCTION, "the function %.*s does not exist", VIEW_ARGS(canonical));
    }
    if (!exchange.outcome) { // nothing ran
        call_refuse(scheduled->host, env, &exchange, canonical, "schedule", why);
    }
    snprintf(scheduled->id, sizeof scheduled->id, "%s", exchange.id);
    snprintf(scheduled->outcome, sizeof scheduled->outcome, "%s", exchange.outcome);
    arena_free(&arena);
}

struct marking {
    const struct scheduled *scheduled;
    int64_t now_ms;
    bool owed, begun;
};

static bool begin_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct marking *marking = arg;
    return ext_schedule_begin_tx(tx, view_of(marking->scheduled->canonical), marking->now_ms,
                                 scheduled_dead_ms(marking->scheduled->host, marking->now_ms), marking->owed, &marking->begun, fail);
}

static bool end_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct marking *marking = arg;
    return ext_schedule_end_tx(tx, view_of(marking->scheduled->canonical), marking->now_ms, view_of(marking->scheduled->outcome), fail);
}

bool scheduled_run(struct scheduled *scheduled, bool owed, struct heap *heap, struct value *lines, bool *ret_begun, struct fail *why,
                   struct fail *fail)
{
    struct marking marking = {.scheduled = scheduled, .now_ms = clock_wall_ms(), .owed = owed};
    if (!store_write(scheduled->env->env, begin_tx, &marking, fail)) {
        return false;
    }
    *ret_begun = marking.begun;
    if (marking.begun) {
        run_once(scheduled, heap, lines, why);
    }
    return !marking.begun || store_write(scheduled->env->env, end_tx, &marking, fail);
}

// ---- setting ------------------------------------------------------------------------------------

static bool add_scheduled_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct host_env *env = arg;
    return ext_scheduled_add_tx(tx, env->org_number, env->sandbox, fail);
}

// Before a schedule is written: one that the clock does not look for would never run.
bool host_schedules_expect(struct host *host, struct host_env *env, struct fail *fail)
{
    struct store_env *control;
    return (env->org_number == AUTH_ORG_DEFAULT && !env->sandbox) ||
           (host_control(host, &control, fail) && store_write(control, add_scheduled_tx, env, fail));
}

// What a name without kind may mean: a schedule function (0), a standalone one (1). False: nothing.
static bool name_at(struct view name, int i, char canonical[4 * EXT_NAME_MAX], struct view *ret_canonical)
{
    char full[4 * EXT_NAME_MAX];
    bool bare = view_find_char(name, '.') < 0 && view_find(name, VIEW("__")) < 0;
    if (i == 1) {
        return host_fn_canonical(name, canonical, ret_canonical);
    }
    int len = snprintf(full, sizeof full, "schedule.%.*s", VIEW_ARGS(name));
    return bare && len > 0 && (size_t)len < sizeof full && host_fn_canonical(view_of(full), canonical, ret_canonical);
}

static bool none(struct view function, struct fail *fail)
{
    return fail_set(fail, FAIL_NOT_FOUND, "\"%.*s\" has no schedule; sluice schedule list shows them",
                    VIEW_ARGS(view_slice(function, 0, utf8_clamp(function, EXT_NAME_MAX))));
}

static bool find_function(struct host_env *env, struct view name, char canonical[4 * EXT_NAME_MAX], struct view *ret_canonical,
                          struct fail *fail)
{
    for (int i = 0; i < 2; i++) {
        struct function_table *pin;
        const struct function *function = NULL;
        if (!name_at(name, i, canonical, ret_canonical)) {
            continue;
        }
        if (!functions_find(env, *ret_canonical, &pin, &function, fail)) {
            return false;
        }
        functions_unpin(env, pin);
        if (function) {
            return true;
        }
    }
    return fail_set(fail, FAIL_NOT_FOUND, "there is no function \"%.*s\"; sluice fn list and sluice ext show NAMESPACE list them",
                    VIEW_ARGS(view_slice(name, 0, utf8_clamp(name, EXT_NAME_MAX))));
}

struct setting {
    struct ext_schedule schedule;
    char canonical[4 * EXT_NAME_MAX], full[4 * EXT_NAME_MAX];
    struct view name;
    int64_t count, most;
};

static bool count_other(void *arg, const struct ext_schedule *schedule, struct fail *fail)
{
    struct setting *setting = arg;
    (void)fail;
    setting->count += !view_eq(schedule->function, setting->schedule.function);
    return true;
}

static bool set_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct setting *setting = arg;
    setting->count = 0;
    if (!ext_schedules_tx(tx, VIEW(""), count_other, setting, fail)) {
        return false;
    }
    if (setting->count >= setting->most) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "an environment has at most %lld schedules (limit schedules)", (long long)setting->most);
    }
    return ext_schedule_put_tx(tx, &setting->schedule, fail);
}

// "schedule__nightly" → "schedule.nightly"
static struct view dotted(struct view canonical, char out[4 * EXT_NAME_MAX])
{
    ptrdiff_t at = view_find(canonical, VIEW("__"));
    int len = snprintf(out, 4 * EXT_NAME_MAX, "%.*s.%.*s", (int)at, canonical.data, (int)(canonical.len - (size_t)at - 2),
                       canonical.data + at + 2);
    return (struct view){out, (size_t)len};
}

static bool check(struct host_env *env, const struct host_schedule *request, struct setting *setting, struct fail *fail)
{
    const struct zone *zone;
    struct ext_cron cron;
    struct view missed = request->missed.len ? request->missed : VIEW("skip");
    if (request->zone.len && !zone_exists(request->zone)) {
        return fail_set(fail, FAIL_INVALID_DATA, "there is no time zone \"%.*s\"", VIEW_ARGS(view_slice(request->zone, 0, EXT_NAME_MAX)));
    }
    if (!ext_missed_valid(missed)) {
        return fail_set(fail, FAIL_INVALID_DATA, "missed runs are made up for by: skip, once or all");
    }
    if (!ext_cron_read(request->cron, &cron, fail) || !find_function(env, request->function, setting->canonical, &setting->name, fail)) {
        return false;
    }
    setting->schedule = (struct ext_schedule){
        .function = dotted(setting->name, setting->full), .cron = view_trim(request->cron), .zone = request->zone, .missed = missed};
    return scheduled_zone(env, &setting->schedule, &zone, fail) &&
           (ext_cron_next(&cron, clock_wall_ms(), zone, &setting->schedule.next_ms) ||
            fail_set(fail, FAIL_INVALID_DATA, "\"%.*s\" never comes", VIEW_ARGS(request->cron)));
}

struct removal {
    struct view canonical;
    bool found;
};

static bool remove_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct removal *removal = arg;
    return ext_schedule_remove_tx(tx, removal->canonical, &removal->found, fail);
}

bool host_schedule_remove(struct host *host, const struct identity *who, struct view function, struct fail *fail)
{
    char canonical[4 * EXT_NAME_MAX];
    struct removal removal = {.found = false};
    struct host_env *env;
    if (!host_env_of(host, who, &env, fail)) {
        return false;
    }
    for (int i = 0; i < 2 && !removal.found; i++) { // the function itself may be gone
        if (name_at(function, i, canonical, &removal.canonical) && !store_write(env->env, remove_tx, &removal, fail)) {
            return false;
        }
    }
    return removal.found ? host_audit_outcome(host, who, "schedule remove", removal.canonical, true) : none(function, fail);
}

// ---- listing ------------------------------------------------------------------------------------

struct listing {
    struct host_env *env;
    struct heap *heap;
    struct list *list;
    struct view canonical;
    const struct zone *zone; // the org's
};

static struct value time_of(struct heap *heap, int64_t time_ms, const struct zone *zone)
{
    struct buffer text;
    if (!time_ms) {
        return value_null();
    }
    buffer_init(&text, 64);
    calendar_print_iso(&text, time_ms, zone);
    struct value time = value_text(heap, buffer_view(&text));
    buffer_free(&text);
    return time;
}

// One that an extension has just brought has its time worked out here, in case nobody else has yet.
static int64_t next_of(const struct ext_schedule *schedule, const struct zone *zone)
{
    struct ext_cron cron;
    struct fail ignored;
    int64_t next_ms = schedule->next_ms;
    return next_ms || !ext_cron_read(schedule->cron, &cron, &ignored) || !ext_cron_next(&cron, clock_wall_ms(), zone, &next_ms)
               ? schedule->next_ms
               : next_ms;
}

static bool add_schedule(void *arg, const struct ext_schedule *schedule, struct fail *fail)
{
    struct listing *listing = arg;
    struct heap *heap = listing->heap;
    const struct zone *zone = schedule->zone.len ? zone_find(schedule->zone) : listing->zone;
    int64_t dead_ms = scheduled_dead_ms(listing->env->host, clock_wall_ms());
    struct value map = value_map(heap, 10);
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    map_put_text(heap, map.map, VIEW("function"), value_text(heap, schedule->function));
    map_put_text(heap, map.map, VIEW("extension"), schedule->namespace.len ? value_text(heap, schedule->namespace) : value_null());
    map_put_text(heap, map.map, VIEW("cron"), value_text(heap, schedule->cron));
    map_put_text(heap, map.map, VIEW("zone"), value_text(heap, zone_name(zone)));
    map_put_text(heap, map.map, VIEW("missed"), value_text(heap, schedule->missed));
    map_put_text(heap, map.map, VIEW("next_time"), time_of(heap, next_of(schedule, zone), zone));
    map_put_text(heap, map.map, VIEW("running"), value_bool(schedule->running_ms > dead_ms));
    map_put_text(heap, map.map, VIEW("last_time"), time_of(heap, schedule->last_ms, zone));
    map_put_text(heap, map.map, VIEW("last_outcome"), schedule->last_ms ? value_text(heap, schedule->last_outcome) : value_null());
    return list_add(heap, listing->list, map) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool list_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct listing *listing = arg;
    listing->list->count = 0;
    return ext_schedules_tx(tx, listing->canonical, add_schedule, listing, fail);
}

static bool list_some(struct host_env *env, struct view canonical, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    const struct ext_schedule of_org = {.zone = VIEW("")};
    struct value list = value_list(heap, 8);
    struct listing listing = {.env = env, .heap = heap, .list = value_as_list(list), .canonical = canonical};
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!scheduled_zone(env, &of_org, &listing.zone, fail) || !store_read(env->env, list_tx, &listing, fail)) {
        return false;
    }
    *ret_list = list;
    return true;
}

bool host_schedules_list(struct host *host, const struct identity *who, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    struct host_env *env;
    return host_env_of(host, who, &env, fail) && list_some(env, VIEW(""), heap, ret_list, fail);
}

bool host_schedule_set(struct host *host, const struct identity *who, const struct host_schedule *request, struct heap *heap,
                       struct value *ret_map, struct fail *fail)
{
    struct host_env *env;
    struct setting setting = {.most = host->limits[LIMIT_SCHEDULES]};
    struct value list;
    fail_clear(fail);
    if (!host_env_of(host, who, &env, fail) || !check(env, request, &setting, fail) || !host_schedules_expect(host, env, fail) ||
        !host_audit_outcome(host, who, "schedule set", setting.schedule.function, store_write(env->env, set_tx, &setting, fail))) {
        return false;
    }
    scheduler_poke(host);
    if (!list_some(env, setting.name, heap, &list, fail)) {
        return false;
    }
    *ret_map = list.list->count ? list.list->items[0] : value_null();
    return true;
}

// ---- a run by command ---------------------------------------------------------------------------

static bool find_schedule(struct host_env *env, struct view function, struct scheduled *scheduled, struct heap *heap, struct fail *fail)
{
    for (int i = 0; i < 2; i++) {
        struct value list;
        struct view canonical;
        if (!name_at(function, i, scheduled->canonical, &canonical)) {
            continue;
        }
        if (!list_some(env, canonical, heap, &list, fail)) {
            return false;
        }
        if (list.list->count) {
            return true;
        }
    }
    return none(function, fail);
}

bool host_schedule_run(struct host *host, const struct identity *who, struct view function, struct heap *heap, struct value *ret_map,
                       struct fail *fail)
{
    struct host_env *env;
    struct scheduled scheduled = {.host = host};
    struct value lines = value_null();
    struct fail why;
    bool begun = false;
    fail_clear(fail);
    if (!host_env_of(host, who, &env, fail)) {
        return false;
    }
    scheduled.env = env;
    if (!find_schedule(env, function, &scheduled, heap, fail) || !scheduled_run(&scheduled, false, heap, &lines, &begun, &why, fail)) {
        return false;
    }
    if (!begun) {
        return fail_set(fail, FAIL_EXISTS, "\"%.*s\" is running now", VIEW_ARGS(function));
    }
    struct value map = value_map(heap, 5);
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    map_put_text(heap, map.map, VIEW("id"), value_text(heap, view_of(scheduled.id)));
    map_put_text(heap, map.map, VIEW("outcome"), value_text(heap, view_of(scheduled.outcome)));
    map_put_text(heap, map.map, VIEW("error"), why.code == FAIL_NONE ? value_null() : value_text(heap, view_of(why.text)));
    map_put_text(heap, map.map, VIEW("log"), lines);
    *ret_map = map;
    return true;
}
