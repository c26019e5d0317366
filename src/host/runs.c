// SPDX-License-Identifier: Apache-2.0
// Runs as commands and pages list them: rows of the run log as values, and waiting for the next one.
#include "host/kept.h"

enum {
    GATHER_MS = 100, // between a new run and the look at the log: a busy server's come many at a time
    WAIT_MS_MAX = 25000,
};

struct listing {
    struct heap *heap;
    struct list *list;
    int64_t last;
    bool numbered;
};

static struct value parsed_or(struct heap *heap, struct view json, struct value otherwise)
{
    struct value value;
    struct fail fail;
    return json.len && json_read(heap, json, &value, &fail) ? value : otherwise;
}

static void put_texts(struct heap *heap, struct map *map, const struct runlog_entry *entry)
{
    struct buffer time;
    buffer_init(&time, 64);
    calendar_print_iso(&time, entry->time_ms, zone_local());
    struct {
        const char *key;
        struct view text;
    } texts[] = {{"id", entry->id},
                 {"time", buffer_view(&time)},
                 {"org", entry->org},
                 {"environment", entry->environment},
                 {"function", entry->function},
                 {"version", entry->version},
                 {"trigger", entry->trigger},
                 {"method", entry->method}};
    for (size_t i = 0; i < BASE_COUNT(texts); i++) {
        map_put_text(heap, map, view_of(texts[i].key), value_text(heap, texts[i].text.data ? texts[i].text : VIEW("")));
    }
    buffer_free(&time);
}

static void add_run(void *arg, int64_t sequence, const struct runlog_entry *entry)
{
    struct listing *listing = arg;
    struct heap *heap = listing->heap;
    struct value map = value_map(heap, 16), lines;
    if (map.type != VALUE_MAP) {
        return;
    }
    put_texts(heap, map.map, entry);
    map_put_text(heap, map.map, VIEW("status"), value_number(entry->status));
    map_put_text(heap, map.map, VIEW("outcome"), value_text(heap, entry->outcome));
    map_put_text(heap, map.map, VIEW("duration_ms"), value_decimal(entry->duration_ms));
    map_put_text(heap, map.map, VIEW("statements"), value_number(entry->statements));
    struct value list_text = value_text_printf(heap, "[%.*s]", VIEW_ARGS(entry->lines));
    lines = parsed_or(heap, value_view_or(list_text, VIEW("")), value_list(heap, 0));
    map_put_text(heap, map.map, VIEW("log"), lines);
    map_put_text(heap, map.map, VIEW("error"), parsed_or(heap, entry->error, value_null()));
    if (listing->numbered) {
        map_put_text(heap, map.map, VIEW("sequence"), value_number(sequence));
    }
    list_add(heap, listing->list, map);
    listing->last = sequence;
}

static bool read_log(struct host *host, const struct runlog_query *query, struct listing *listing, int64_t *ret_last, struct fail *fail)
{
    struct value list = value_list(listing->heap, 64);
    struct runlog_query named = *query;
    char text[4 * EXT_NAME_MAX];
    if (list.type != VALUE_LIST) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    listing->list = list.list;
    listing->last = query->after;
    if (query->function.len && !host_fn_canonical(query->function, text, &named.function)) {
        named.function = query->function;
    }
    return runlog_read(host->runlog, &named, add_run, listing, ret_last, fail) &&
           (!listing->heap->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

bool host_logs(struct host *host, const struct runlog_query *query, struct heap *heap, struct value *ret_list, int64_t *ret_last,
               struct fail *fail)
{
    struct listing listing = {.heap = heap};
    if (!read_log(host, query, &listing, NULL, fail)) {
        return false;
    }
    *ret_list = (struct value){.type = VALUE_LIST, .list = listing.list};
    *ret_last = listing.last;
    return true;
}

// ---- newest first, and waiting ------------------------------------------------------------------

static void turn_round(struct list *list)
{
    for (uint32_t i = 0, k = list->count; i + 1 < k; i++, k--) {
        struct value item = list->items[i];
        list->items[i] = list->items[k - 1];
        list->items[k - 1] = item;
    }
}

// Until something was added to the log: whatever it is, the log tells. False: nobody may wait, the time is over, or the fiber ends.
static bool wait_for_run(struct runlog_waiter *waiter, int64_t until_ms)
{
    struct fail ignored;
    int64_t left_ms = until_ms - loop_now_ms();
    return waiter && left_ms > 0 && runlog_wait(waiter, left_ms, &ignored) && loop_sleep(GATHER_MS, &ignored);
}

bool host_runs_list(struct host *host, const struct identity *who, const struct runlog_query *query, int64_t wait_ms, struct heap *heap,
                    struct value *ret_list, int64_t *ret_last, struct fail *fail)
{
    struct runlog_query own = *query;
    struct listing listing = {.heap = heap, .numbered = true};
    own.org = view_of(who->org);
    own.environment = view_of(who->environment);
    int64_t until_ms = loop_fiber() ? loop_now_ms() + (wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX) : 0;
    bool good = true, again = true;
    while (good && again) {
        struct runlog_waiter *waiter = loop_fiber() && wait_ms > 0 ? runlog_wait_begin(host->runlog) : NULL;
        good = read_log(host, &own, &listing, &own.after, fail);
        again = good && listing.list->count == 0 && wait_for_run(waiter, until_ms);
        if (waiter) {
            runlog_wait_end(host->runlog, waiter);
        }
    }
    if (!good) {
        return false;
    }
    turn_round(listing.list);
    *ret_list = (struct value){.type = VALUE_LIST, .list = listing.list};
    *ret_last = own.after;
    return true;
}

void host_runs_stop_waiting(struct host *host)
{
    runlog_wait_stop(host->runlog);
}

bool runs_find(struct host *host, const struct host_env *env, struct view id, struct heap *heap, struct value *ret_map, struct fail *fail)
{
    struct listing listing = {.heap = heap, .numbered = true};
    const struct runlog_query query = {.id = id, .org = view_of(env->org), .environment = view_of(env->environment), .limit = 1};
    if (id.len == HOST_ID_LEN && !read_log(host, &query, &listing, NULL, fail)) {
        return false;
    }
    if (!listing.list || listing.list->count == 0) {
        return fail_set(fail, FAIL_NOT_FOUND, "there is no run %.*s in the log of this environment", (int)utf8_clamp(id, 40), id.data);
    }
    *ret_map = listing.list->items[0];
    return true;
}
