// SPDX-License-Identifier: Apache-2.0
// When functions run by the clock. One fiber of loop 0 sleeps until the next due time of any environment, or until schedules change;
// without schedules it has no timer. It begins behind the start of the server, and opens environments of other orgs only where control says
// that they have schedules.
//
// A due time is taken by moving the row's next time on, and what is taken is owed until its run begins: a process that is killed between
// the two leaves it to be made up for. Times that passed while no server ran, or while the machine slept, are missed ones.
#include "host/schedule.h"

#include <stdlib.h>

enum {
    LOOK_MS = 60000, // at least so often while there are schedules: clocks are set, machines sleep, other processes change schedules
    LATE_MS = 60000, // a run that would begin later than this is a missed one
    RETRY_MS = 5000, // after the data base refused
};

// ---- runs ---------------------------------------------------------------------------------------

static void finish(struct host *host)
{
    if (--host->scheduler.fibers == 0 && host->scheduler.done) {
        loop_event_set(host->scheduler.done);
    }
}

// Everything that is owed, one after the other.
static void run_owed(void *arg)
{
    struct scheduled *scheduled = arg;
    struct host *host = scheduled->host;
    struct fail why, fail;
    bool begun = true, ok = true;
    while (ok && begun && !host->scheduler.closing) {
        fail_clear(&fail);
        ok = scheduled_run(scheduled, true, NULL, NULL, &begun, &why, &fail);
    }
    if (!ok) {
        log_line(LOG_ERROR, "schedule", "org=%s function=%s %s", scheduled->env->org, scheduled->canonical, fail.text);
    }
    free(scheduled);
    finish(host);
}

static void start_owed(struct host_env *env, struct view canonical)
{
    struct host *host = env->host;
    struct scheduled *scheduled = calloc(1, sizeof *scheduled);
    struct fail fail = {.text = "not enough memory"};
    if (scheduled) {
        scheduled->host = host;
        scheduled->env = env;
        snprintf(scheduled->canonical, sizeof scheduled->canonical, "%.*s", VIEW_ARGS(canonical));
        host->scheduler.fibers++;
        if (loop_spawn(run_owed, scheduled, &fail)) {
            return;
        }
        host->scheduler.fibers--;
        free(scheduled);
    }
    log_line(LOG_ERROR, "schedule", "org=%s function=%.*s is put off: %s", env->org, VIEW_ARGS(canonical), fail.text);
}

// ---- due times ----------------------------------------------------------------------------------

struct row {
    char canonical[4 * EXT_NAME_MAX];
    struct ext_schedule schedule; // texts in the look's arena
};

// One environment's look.
struct look {
    struct host_env *env;
    struct arena arena;
    struct row *rows;
    int count;
    bool first; // the server has just started: what is due was missed
    int64_t now_ms;
    int64_t next_ms; // of all environments
};

static bool keep_row(void *arg, const struct ext_schedule *schedule, struct fail *fail)
{
    struct look *look = arg;
    struct row *row = look->count < look->env->host->limits[LIMIT_SCHEDULES] ? &look->rows[look->count] : NULL;
    struct view canonical;
    if (!row || !ext_name_canonical(schedule->function, row->canonical, sizeof row->canonical, &canonical)) {
        return true; // beyond what may be set: extensions that bring more than the limit
    }
    row->schedule = *schedule;
    row->schedule.cron = arena_copy(&look->arena, schedule->cron);
    row->schedule.zone = arena_copy(&look->arena, schedule->zone);
    row->schedule.missed = arena_copy(&look->arena, schedule->missed);
    look->count++;
    return row->schedule.missed.data || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct look *look = arg;
    look->count = 0;
    return ext_schedules_tx(tx, VIEW(""), keep_row, look, fail);
}

static bool reset_tx(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    return ext_schedules_reset_tx(tx, fail);
}

struct move {
    const struct row *row;
    int64_t to_ms, owed;
    bool moved;
};

static bool move_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct move *move = arg;
    return ext_schedule_move_tx(tx, view_of(move->row->canonical), move->row->schedule.next_ms, move->to_ms, move->owed, &move->moved,
                                fail);
}

// How many times have passed since the one that was due, that one among them; no more than are made up for.
static int64_t count_passed(const struct ext_cron *cron, int64_t due_ms, int64_t now_ms, const struct zone *zone, int64_t most)
{
    int64_t count = 0;
    for (int64_t at = due_ms; count < most && at <= now_ms; count++) {
        if (!ext_cron_next(cron, at, zone, &at)) {
            return count + 1;
        }
    }
    return count;
}

// How many runs are owed for what is due; -1: none, because the one before still runs.
static int64_t count_due(const struct look *look, const struct ext_schedule *schedule, const struct ext_cron *cron, const struct zone *zone)
{
    const struct host *host = look->env->host;
    bool missed = look->first || look->now_ms - schedule->next_ms > LATE_MS;
    int64_t most = host->limits[LIMIT_SCHEDULE_MISSED];
    if (!missed) {
        bool busy = schedule->owed > 0 || schedule->running_ms > scheduled_dead_ms(host, look->now_ms);
        return busy ? -1 : 1;
    }
    return view_eq(schedule->missed, VIEW("all"))    ? count_passed(cron, schedule->next_ms, look->now_ms, zone, most)
           : view_eq(schedule->missed, VIEW("once")) ? 1
                                                     : 0;
}

static void say_skipped(const struct look *look, const struct row *row, const struct zone *zone)
{
    struct buffer time;
    buffer_init(&time, 64);
    calendar_print_iso(&time, row->schedule.next_ms, zone);
    scheduled_skip(look->env, view_of(row->canonical), "the run of %s was skipped: the one before is still running", buffer_text(&time));
    buffer_free(&time);
}

// Takes what is due of one schedule.
static bool look_at(struct look *look, struct row *row, struct fail *fail)
{
    struct ext_schedule *schedule = &row->schedule;
    const struct zone *zone;
    struct ext_cron cron;
    struct move move = {.row = row, .to_ms = schedule->next_ms, .owed = schedule->owed};
    if (!ext_cron_read(schedule->cron, &cron, fail) || !scheduled_zone(look->env, schedule, &zone, fail)) {
        return false;
    }
    bool due = schedule->next_ms && schedule->next_ms <= look->now_ms;
    if (!schedule->next_ms || due) {
        int64_t count = due ? count_due(look, schedule, &cron, zone) : 0, most = look->env->host->limits[LIMIT_SCHEDULE_MISSED];
        move.to_ms = ext_cron_next(&cron, look->now_ms, zone, &move.to_ms) ? move.to_ms : INT64_MAX;
        move.owed += count > 0 ? count : 0;
        move.owed = move.owed < most ? move.owed : most;
        if (!store_write(look->env->env, move_tx, &move, fail)) {
            return false;
        }
        if (move.moved && count < 0) {
            say_skipped(look, row, zone);
        }
        move.owed = move.moved && count >= 0 ? move.owed : 0;
    } else if (schedule->running_ms > scheduled_dead_ms(look->env->host, look->now_ms)) {
        move.owed = 0; // whoever runs it goes on with them
    }
    if (move.owed > 0) {
        start_owed(look->env, view_of(row->canonical));
    }
    look->next_ms = move.to_ms < look->next_ms ? move.to_ms : look->next_ms;
    return true;
}

static bool look_through(struct look *look, struct fail *fail)
{
    struct host *host = look->env->host;
    look->rows = calloc((size_t)host->limits[LIMIT_SCHEDULES], sizeof *look->rows);
    if (!look->rows) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    // Another process of a shared store may be running what is marked; what is dead there is told by its time.
    bool ok = (!look->first || store_is_shared(host->store) || store_write(look->env->env, reset_tx, NULL, fail)) &&
              store_read(look->env->env, read_tx, look, fail);
    for (int i = 0; ok && i < look->count; i++) {
        struct fail own;
        fail_clear(&own);
        if (!look_at(look, &look->rows[i], &own)) { // the others have their times, too
            log_line(LOG_ERROR, "schedule", "org=%s function=%s %s", look->env->org, look->rows[i].canonical, own.text);
        }
    }
    return ok;
}

static bool look_at_env(struct host_env *env, bool first, int64_t *next_ms, struct fail *fail)
{
    enum { TEXTS_BYTES_MAX = 64 << 20 };
    struct look look = {.env = env, .first = first, .now_ms = clock_wall_ms(), .next_ms = *next_ms};
    arena_init(&look.arena, TEXTS_BYTES_MAX);
    bool ok = look_through(&look, fail);
    free(look.rows);
    arena_free(&look.arena);
    *next_ms = look.next_ms;
    return ok;
}

// ---- environments -------------------------------------------------------------------------------

static bool keep_place(void *arg, int64_t org_number, bool sandbox, struct fail *fail)
{
    struct scheduled_places *places = arg;
    (void)fail;
    if (places->count < HOST_ENVS_MAX) {
        places->items[places->count].org_number = org_number;
        places->items[places->count++].sandbox = sandbox;
    }
    return true;
}

static bool places_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct scheduled_places *places = arg;
    places->count = 0;
    return ext_scheduled_tx(tx, keep_place, places, fail);
}

// The default org's production is open; control is asked for the others, where there is one.
bool scheduled_places_find(struct host *host, struct scheduled_places *places, struct fail *fail)
{
    struct store_env *control;
    bool there;
    places->count = 0;
    return host_control_known(host, &control, &there, fail) && (!there || store_read(control, places_tx, places, fail));
}

static bool look_everywhere(struct host *host, struct scheduled_places *places, bool first, int64_t *next_ms)
{
    struct fail fail;
    struct host_env *env;
    fail_clear(&fail);
    bool ok = host_env_default(host, &env, &fail) && look_at_env(env, first, next_ms, &fail) && scheduled_places_find(host, places, &fail);
    for (int i = 0; ok && i < places->count && !host->scheduler.closing; i++) {
        bool one = host_env_find(host, places->items[i].org_number, places->items[i].sandbox, &env, &fail) &&
                   look_at_env(env, first, next_ms, &fail);
        if (!one) {
            log_line(LOG_ERROR, "schedule", "org=%lld %s", (long long)places->items[i].org_number, fail.text);
        }
    }
    if (!ok && fail.code != FAIL_CANCELLED) {
        log_line(LOG_ERROR, "schedule", "%s", fail.text);
    }
    return ok;
}

// ---- the fiber ----------------------------------------------------------------------------------

static int64_t sleep_ms(const struct host *host, bool ok, int64_t next_ms)
{
    int64_t left = next_ms == INT64_MAX ? -1 : next_ms - clock_wall_ms(), most = ok ? LOOK_MS : RETRY_MS;
    if (next_ms == INT64_MAX) { // nothing: nobody but a change wakes it
        return ok && !store_is_shared(host->store) ? -1 : most;
    }
    return left < 0 ? 0 : left < most ? left : most;
}

static void schedule_fiber(void *arg)
{
    struct host *host = arg;
    struct scheduled_places *places = malloc(sizeof *places);
    struct fail fail;
    bool first = true;
    while (places && !host->scheduler.closing) {
        int64_t next_ms = INT64_MAX;
        loop_event_reset(&host->scheduler.wake);
        bool ok = look_everywhere(host, places, first, &next_ms);
        first = first && !ok;
        fail_clear(&fail);
        if (!host->scheduler.closing && !loop_event_wait(&host->scheduler.wake, sleep_ms(host, ok, next_ms), &fail) &&
            fail.code == FAIL_CANCELLED) {
            break;
        }
    }
    free(places);
    finish(host);
}

void host_schedules_start(struct host *host)
{
    struct fail fail;
    loop_event_init(&host->scheduler.wake);
    host->scheduler.fibers = 1;
    if (!loop_spawn(schedule_fiber, host, &fail)) {
        host->scheduler.fibers = 0;
        log_line(LOG_ERROR, "schedule", "schedules do not run: %s", fail.text);
        return;
    }
    atomic_store(&host->scheduler.started, true);
    automation_start(host);
}

void scheduler_poke(struct host *host)
{
    if (atomic_load(&host->scheduler.started)) {
        loop_event_set_from(&host->scheduler.wake);
    }
}

void host_schedules_stop(struct host *host)
{
    struct loop_event done;
    automation_stop(host);
    pthread_mutex_lock(&host->mutex);
    host->scheduler.closing = true;
    for (struct scheduled *scheduled = host->scheduler.running; scheduled; scheduled = scheduled->next) {
        run_hurry(scheduled->run, host->limits[LIMIT_TIME_MS]);
    }
    pthread_mutex_unlock(&host->mutex);
    if (!atomic_exchange(&host->scheduler.started, false) || host->scheduler.fibers == 0) {
        return;
    }
    loop_event_init(&done);
    host->scheduler.done = &done;
    loop_event_set(&host->scheduler.wake);
    loop_event_wait_surely(&done);
    host->scheduler.done = NULL;
}
