// SPDX-License-Identifier: Apache-2.0
// When the actions of workflow rules and the notifications of channels are done: behind the write that caused them, off its caller's path.
// One fiber of loop 0 sleeps until a write has added something (automation_poke), something is to be tried again, or a place is free; each
// thing is done on a fiber of its own, AUTOMATION_FIBERS at a time. Without rules and channels nothing wakes it.
//
// A row of crm_pending is taken for longer than its work can last. A process that is killed leaves its rows taken; the next one begins with
// them. So an action is done at least once; a function whose process was killed may run twice.
#include "host/automation.h"
#include "host/schedule.h"

#include <stdlib.h>

enum {
    AUTOMATION_FIBERS = 16,
    LEASE_MS = 60000, // beyond the time limit of a run
    LOOK_MS = 60000, // on a shared store, for what dead processes have left
    RETRY_MS = 5000, // after the data base refused
    ITEM_HEAP_BYTES_MAX = 64 << 20,
};

void automation_poke(void *user)
{
    struct host_env *env = user;
    atomic_store(&env->pending, true);
    if (atomic_load(&env->host->automation.started)) {
        loop_event_set_from(&env->host->automation.wake);
    }
}

void automation_finish(struct host *host)
{
    if (--host->automation.fibers == 0 && host->automation.done) {
        loop_event_set(host->automation.done);
    }
}

// ---- one delivery -------------------------------------------------------------------------------

static void enter(struct delivery *delivery)
{
    struct host *host = delivery->host;
    delivery->next = host->automation.first;
    delivery->before = NULL;
    if (delivery->next) {
        delivery->next->before = delivery;
    }
    host->automation.first = delivery;
    host->automation.fibers++;
    host->automation.running++;
}

static void leave(struct delivery *delivery)
{
    struct host *host = delivery->host;
    *(delivery->before ? &delivery->before->next : &host->automation.first) = delivery->next;
    if (delivery->next) {
        delivery->next->before = delivery->before;
    }
    host->automation.running--;
    heap_free(&delivery->heap);
    free(delivery);
    loop_event_set(&host->automation.wake); // a place is free
    automation_finish(host);
}

static void deliver_fiber(void *arg)
{
    struct delivery *delivery = arg;
    struct host_env *env = delivery->env;
    struct fail fail;
    fail_clear(&fail);
    enum delivered delivered = delivery_run(delivery);
    bool noted = delivered == DELIVERED       ? crm_pending_done(env->crm, delivery->item.id, &fail)
                 : delivered == DELIVER_LATER ? crm_pending_later(env->crm, delivery->item.id, delivery->due_ms, &fail)
                                              : true;
    if (!noted && fail.code != FAIL_CANCELLED) {
        log_line(LOG_ERROR, "workflow", "org=%s action %lld may be done twice: %s", env->org, (long long)delivery->item.id, fail.text);
    }
    if (delivered == DELIVER_AGAIN && env->again_count < HOST_AGAIN_MAX) {
        env->again[env->again_count++] = delivery->item.id;
    }
    if (delivered == DELIVER_LATER && delivery->due_ms < env->pending_next_ms) {
        env->pending_next_ms = delivery->due_ms;
    }
    leave(delivery);
}

// The item's texts go with it: the heap that they were read into is the look's.
static struct delivery *new_delivery(struct host_env *env, const struct crm_pending *item)
{
    struct delivery *delivery = calloc(1, sizeof *delivery);
    struct fail fail;
    if (!delivery) {
        return NULL;
    }
    fail_clear(&fail);
    *delivery = (struct delivery){.host = env->host, .env = env, .item = *item};
    heap_init(&delivery->heap, ITEM_HEAP_BYTES_MAX, NULL);
    delivery->item.module = value_view_or(value_text(&delivery->heap, item->module), VIEW(""));
    delivery->item.details = value_copy(&delivery->heap, item->details, &fail);
    return delivery;
}

static void start(struct host_env *env, const struct crm_pending *item)
{
    struct delivery *delivery = new_delivery(env, item);
    struct fail fail = {.text = "not enough memory"};
    if (delivery) {
        enter(delivery);
        if (loop_spawn(deliver_fiber, delivery, &fail)) {
            return;
        }
        leave(delivery);
    }
    log_line(LOG_ERROR, "workflow", "org=%s action %lld is put off: %s", env->org, (long long)item->id, fail.text);
}

// ---- looking ------------------------------------------------------------------------------------

static bool take(struct host_env *env, struct heap *heap, struct fail *fail)
{
    struct host *host = env->host;
    struct crm_session session;
    struct crm_pending items[CRM_PENDING_TAKE_MAX];
    int room = AUTOMATION_FIBERS - host->automation.running, count = 0;
    int64_t busy_ms = clock_wall_ms() + host->limits[LIMIT_TIME_MS] + LEASE_MS;
    if (room <= 0) { // whoever finishes wakes us
        atomic_store(&env->pending, true);
        return true;
    }
    if (!crm_session_open(env->crm, heap, &session, fail)) {
        return false;
    }
    bool ok = crm_pending_take(&session, busy_ms, room, items, &count, &env->pending_next_ms, fail);
    crm_session_close(&session);
    for (int i = 0; ok && i < count; i++) {
        start(env, &items[i]);
    }
    if (ok && count == room) {
        atomic_store(&env->pending, true);
    }
    return ok;
}

static void look_at_env(struct host_env *env, int64_t *next_ms)
{
    struct fail fail;
    struct heap heap;
    if (atomic_exchange(&env->pending, false) || env->pending_next_ms <= clock_wall_ms()) {
        fail_clear(&fail);
        heap_init(&heap, ITEM_HEAP_BYTES_MAX, NULL);
        env->pending_next_ms = INT64_MAX;
        bulk_look(env);
        if (!take(env, &heap, &fail)) {
            env->pending_next_ms = clock_wall_ms() + RETRY_MS;
            if (fail.code != FAIL_CANCELLED) {
                log_line(LOG_ERROR, "workflow", "org=%s %s", env->org, fail.text);
            }
        }
        heap_free(&heap);
    }
    *next_ms = env->pending_next_ms < *next_ms ? env->pending_next_ms : *next_ms;
}

static void look(struct host *host, int64_t *next_ms)
{
    pthread_mutex_lock(&host->mutex);
    int count = host->env_count; // only grows, and entries stay
    pthread_mutex_unlock(&host->mutex);
    for (int i = 0; i < count && !host->automation.closing; i++) {
        look_at_env(host->envs[i], next_ms);
    }
}

static void begin_env(struct host_env *env)
{
    struct fail fail;
    fail_clear(&fail);
    if (!store_is_shared(env->host->store) && !(crm_pending_recover(env->crm, &fail) && crm_bulk_recover(env->crm, &fail)) &&
        fail.code != FAIL_CANCELLED) {
        log_line(LOG_ERROR, "workflow", "org=%s %s", env->org, fail.text);
    }
    atomic_store(&env->pending, true);
}

// What was left when the server ended, in every environment that may have some.
static void begin(struct host *host)
{
    struct scheduled_places *places = calloc(1, sizeof *places);
    struct host_env *env;
    struct fail fail;
    fail_clear(&fail);
    bool ok = places && host_env_default(host, &env, &fail);
    if (ok) {
        begin_env(env);
        ok = scheduled_places_find(host, places, &fail);
    }
    for (int i = 0; ok && i < places->count && !host->automation.closing; i++) {
        if (host_env_find(host, places->items[i].org_number, places->items[i].sandbox, &env, &fail)) {
            begin_env(env);
        }
    }
    if (!ok && fail.code != FAIL_CANCELLED) {
        log_line(LOG_ERROR, "workflow", "%s", places ? fail.text : "not enough memory");
    }
    free(places);
}

static void look_everywhere_again(struct host *host)
{
    for (int i = 0; i < host->env_count; i++) {
        atomic_store(&host->envs[i]->pending, true);
    }
}

static void automation_fiber(void *arg)
{
    struct host *host = arg;
    struct fail fail;
    bool shared = store_is_shared(host->store);
    begin(host);
    while (!host->automation.closing) {
        int64_t next_ms = INT64_MAX, now_ms = clock_wall_ms();
        loop_event_reset(&host->automation.wake);
        look(host, &next_ms);
        bool busy = host->automation.running >= AUTOMATION_FIBERS;
        int64_t left = busy || next_ms == INT64_MAX ? -1 : next_ms > now_ms ? next_ms - now_ms : 0;
        left = shared && (left < 0 || left > LOOK_MS) ? LOOK_MS : left;
        fail_clear(&fail);
        if (host->automation.closing) {
            break;
        }
        if (!loop_event_wait(&host->automation.wake, left, &fail) && fail.code == FAIL_CANCELLED) {
            break;
        }
        if (shared && fail.code == FAIL_TIMEOUT) {
            look_everywhere_again(host);
        }
    }
    automation_finish(host);
}

// ---- start and stop -----------------------------------------------------------------------------

void automation_start(struct host *host)
{
    struct fail fail;
    loop_event_init(&host->automation.wake);
    host->automation.fibers = 1;
    if (!loop_spawn(automation_fiber, host, &fail)) {
        host->automation.fibers = 0;
        log_line(LOG_ERROR, "workflow", "workflow rules and channels do nothing: %s", fail.text);
        return;
    }
    atomic_store(&host->automation.started, true);
}

// What was broken off is due at once, for another process too.
static void give_back(struct host *host)
{
    struct fail ignored;
    for (int i = 0; i < host->env_count; i++) {
        struct host_env *env = host->envs[i];
        for (int k = 0; k < env->again_count; k++) {
            crm_pending_later(env->crm, env->again[k], clock_wall_ms(), &ignored);
        }
        if (env->bulk_left) {
            crm_bulk_release(env->crm, env->bulk_left, &ignored);
        }
    }
}

void automation_stop(struct host *host)
{
    struct loop_event done;
    if (!atomic_exchange(&host->automation.started, false)) {
        return;
    }
    host->automation.closing = true;
    for (struct delivery *delivery = host->automation.first; delivery; delivery = delivery->next) {
        if (delivery->fiber) {
            loop_cancel(delivery->fiber);
        }
    }
    if (host->automation.fibers == 0) {
        give_back(host);
        return;
    }
    loop_event_init(&done);
    host->automation.done = &done;
    loop_event_set(&host->automation.wake);
    loop_event_wait_surely(&done);
    host->automation.done = NULL;
    give_back(host);
}

// ---- for rules ----------------------------------------------------------------------------------

struct seeking {
    int64_t id;
    struct heap *heap;
    struct value name;
};

// Functions of the org alone, of the kinds that stand by themselves.
static bool look_at_row(void *arg, const struct ext_installed_function *row, struct fail *fail)
{
    struct seeking *seeking = arg;
    if (row->id != seeking->id || (!view_eq(row->namespace, VIEW("automation")) && !view_eq(row->namespace, VIEW("standalone")))) {
        return true;
    }
    seeking->name = value_text_printf(seeking->heap, "%.*s__%.*s", VIEW_ARGS(row->namespace), VIEW_ARGS(row->api_name));
    return !value_is_null(seeking->name) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool seek_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct seeking *seeking = arg;
    seeking->name = value_null();
    return ext_functions_tx(tx, VIEW(""), look_at_row, seeking, fail);
}

bool host_workflow_function(void *user, struct crm_session *session, int64_t id, struct value *ret_name, struct fail *fail)
{
    struct seeking seeking = {.id = id, .heap = session->heap};
    (void)user;
    if (!store_read(crm_env(session->crm), seek_tx, &seeking, fail)) {
        return false;
    }
    *ret_name = seeking.name;
    return true;
}

bool host_automation_expect(struct host *host, const struct identity *who, struct fail *fail)
{
    struct host_env *env;
    return host_env_of(host, who, &env, fail) && host_schedules_expect(host, env, fail);
}
