// SPDX-License-Identifier: Apache-2.0
// Schedules: functions that run by the clock. A row is an extension's, from its manifest, or the org's own; where both name a function the
// org's counts, also when it says that there is to be none (live = 0). When a schedule is next due stands in its row and moves on before
// the run begins, by comparison with the time that was read: of several processes one takes a run, and a killed one takes none twice.
#include "ext/inside.h"

enum { CANONICAL_MAX = 4 * EXT_NAME_MAX };

#define COLUMNS "function, namespace, cron, zone, missed, next_ms, owed, running_ms, last_ms, last_outcome"

// ---- what the org says --------------------------------------------------------------------------

bool ext_missed_valid(struct view missed)
{
    return view_eq(missed, VIEW("skip")) || view_eq(missed, VIEW("once")) || view_eq(missed, VIEW("all"));
}

static bool name_of(struct view function, char out[CANONICAL_MAX], struct view *ret_canonical, struct fail *fail)
{
    return ext_name_canonical(function, out, CANONICAL_MAX, ret_canonical) ||
           fail_set(fail, FAIL_INVALID_DATA, "the name %.*s is too long", VIEW_ARGS(view_slice(function, 0, EXT_NAME_MAX)));
}

bool ext_schedule_put_tx(struct tx *tx, const struct ext_schedule *schedule, struct fail *fail)
{
    char name[CANONICAL_MAX];
    struct view canonical;
    if (!name_of(schedule->function, name, &canonical, fail)) {
        return false;
    }
    struct store_param row[] = {store_text(canonical),      store_text(schedule->function), store_text(schedule->cron),
                                store_text(schedule->zone), store_text(schedule->missed),   store_int(schedule->next_ms)};
    return tx_exec(tx,
                   "INSERT INTO ext_schedule (canonical, namespace, function, cron, zone, missed, next_ms, owed, running_ms, last_ms, "
                   "last_outcome, live, stale) VALUES (?, '', ?, ?, ?, ?, ?, 0, 0, 0, '', 1, 0)"
                   " ON CONFLICT (canonical) DO UPDATE SET namespace = '', function = excluded.function, cron = excluded.cron, zone = "
                   "excluded.zone, missed = excluded.missed, next_ms = excluded.next_ms, owed = 0, live = 1, stale = 0",
                   row, (int)BASE_COUNT(row), fail);
}

// An extension's stays as a row that says no, so that the next version does not bring it back.
bool ext_schedule_remove_tx(struct tx *tx, struct view canonical, bool *ret_found, struct fail *fail)
{
    struct store_param key = store_text(canonical);
    if (!tx_exec(tx, "UPDATE ext_schedule SET live = 0, namespace = '', owed = 0 WHERE canonical = ? AND live = 1", &key, 1, fail)) {
        return false;
    }
    *ret_found = tx_changes(tx) > 0;
    return true;
}

bool ext_schedules_tx(struct tx *tx, struct view canonical, ext_each_schedule *each, void *arg, struct fail *fail)
{
    struct store_param key = store_text(canonical);
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT " COLUMNS " FROM ext_schedule WHERE live = 1 AND (canonical = ?1 OR ?1 = '') ORDER BY function", &key, 1,
                  &rows, fail)) {
        return false;
    }
    bool ok = true;
    while (ok && rows_next(rows, fail)) {
        const struct ext_schedule schedule = {.function = rows_text(rows, 0),
                                              .namespace = rows_text(rows, 1),
                                              .cron = rows_text(rows, 2),
                                              .zone = rows_text(rows, 3),
                                              .missed = rows_text(rows, 4),
                                              .next_ms = rows_int(rows, 5),
                                              .owed = rows_int(rows, 6),
                                              .running_ms = rows_int(rows, 7),
                                              .last_ms = rows_int(rows, 8),
                                              .last_outcome = rows_text(rows, 9)};
        ok = each(arg, &schedule, fail);
    }
    rows_close(rows);
    return ok && fail->code == FAIL_NONE;
}

// ---- runs ---------------------------------------------------------------------------------------

bool ext_schedule_move_tx(struct tx *tx, struct view canonical, int64_t from_ms, int64_t to_ms, int64_t owed, bool *ret_moved,
                          struct fail *fail)
{
    struct store_param params[] = {store_int(to_ms), store_int(owed), store_text(canonical), store_int(from_ms)};
    if (!tx_exec(tx, "UPDATE ext_schedule SET next_ms = ?, owed = ? WHERE canonical = ? AND next_ms = ? AND live = 1", params, 4, fail)) {
        return false;
    }
    *ret_moved = tx_changes(tx) > 0;
    return true;
}

bool ext_schedule_begin_tx(struct tx *tx, struct view canonical, int64_t now_ms, int64_t dead_ms, bool owed, bool *ret_begun,
                           struct fail *fail)
{
    struct store_param params[] = {store_int(now_ms), store_int(owed), store_text(canonical), store_int(dead_ms), store_int(owed)};
    if (!tx_exec(tx,
                 "UPDATE ext_schedule SET running_ms = ?, owed = owed - ? WHERE canonical = ? AND live = 1 AND (running_ms = 0 OR "
                 "running_ms < ?) AND owed >= ?",
                 params, 5, fail)) {
        return false;
    }
    *ret_begun = tx_changes(tx) > 0;
    return true;
}

bool ext_schedule_end_tx(struct tx *tx, struct view canonical, int64_t begun_ms, struct view outcome, struct fail *fail)
{
    struct store_param params[] = {store_int(begun_ms), store_text(outcome), store_text(canonical), store_int(begun_ms)};
    return tx_exec(tx, "UPDATE ext_schedule SET running_ms = 0, last_ms = ?, last_outcome = ? WHERE canonical = ? AND running_ms = ?",
                   params, 4, fail);
}

bool ext_schedules_reset_tx(struct tx *tx, struct fail *fail)
{
    return tx_exec(tx, "UPDATE ext_schedule SET running_ms = 0 WHERE running_ms <> 0", NULL, 0, fail) &&
           tx_exec(tx, "UPDATE ext_schedule SET owed = 0 WHERE owed <> 0 AND missed = 'skip'", NULL, 0, fail);
}

// ---- what extensions bring ----------------------------------------------------------------------

static struct view member(const struct map *map, const char *key)
{
    return map ? value_view_or(map_get_text(map, view_of(key)), VIEW("")) : VIEW("");
}

// "nightly" and "ns.nightly", in either spelling, as "ns.nightly". False: it is of another namespace, or too long.
static bool own_function(const struct ext_package *package, struct view name, char out[CANONICAL_MAX])
{
    struct view namespace = package->namespace, rest = name;
    if (view_starts_nocase(rest, namespace) && view_starts(view_from(rest, namespace.len), VIEW("__"))) {
        rest = view_from(rest, namespace.len + 2);
    } else if (view_starts_nocase(rest, namespace) && view_starts(view_from(rest, namespace.len), VIEW("."))) {
        rest = view_from(rest, namespace.len + 1);
    }
    int len = snprintf(out, CANONICAL_MAX, "%.*s.%.*s", VIEW_ARGS(namespace), VIEW_ARGS(rest));
    return rest.len && view_find_char(rest, '.') < 0 && len > 0 && len < CANONICAL_MAX;
}

static bool has_function(const struct ext_package *package, struct view full)
{
    struct view name = view_from(full, package->namespace.len + 1);
    for (int i = 0; i < package->function_count; i++) {
        if (view_eq_nocase(package->functions[i].api_name, name)) {
            return true;
        }
    }
    return false;
}

static bool check_one(const struct ext_package *package, const struct map *map, struct fail *fail)
{
    char full[CANONICAL_MAX];
    struct view function = member(map, "function"), missed = member(map, "missed");
    struct ext_cron cron;
    struct fail why;
    if (!own_function(package, function, full) || !has_function(package, view_of(full))) {
        return package_fail(fail, VIEW("extension.json"), "a schedule names the function \"%.*s\", which this extension does not have",
                            VIEW_ARGS(view_slice(function, 0, utf8_clamp(function, EXT_NAME_MAX))));
    }
    if (!ext_cron_read(member(map, "cron"), &cron, &why)) {
        return package_fail(fail, VIEW("extension.json"), "the schedule of \"%.*s\": %s", VIEW_ARGS(function), why.text);
    }
    return !missed.len || ext_missed_valid(missed) ||
           package_fail(fail, VIEW("extension.json"), "the schedule of \"%.*s\": \"missed\" is skip, once or all", VIEW_ARGS(function));
}

bool ext_schedules_check(const struct ext_package *package, struct fail *fail)
{
    const struct list *list = value_as_list(package->schedules);
    for (uint32_t i = 0; list && i < list->count; i++) {
        if (!check_one(package, value_as_map(list->items[i]), fail)) {
            return false;
        }
    }
    return true;
}

// One that has not changed goes on as it was.
static bool install_one(struct tx *tx, const struct ext_package *package, const struct map *map, struct fail *fail)
{
    char full[CANONICAL_MAX], name[CANONICAL_MAX];
    struct view canonical, missed = member(map, "missed");
    if (!own_function(package, member(map, "function"), full) || !name_of(view_of(full), name, &canonical, fail)) {
        return fail_set(fail, FAIL_INVALID_DATA, "a schedule names a function of another namespace");
    }
    struct store_param row[] = {store_text(canonical), store_text(package->namespace), store_text(view_of(full)),
                                store_text(member(map, "cron")), store_text(missed.len ? missed : VIEW("skip"))};
    return tx_exec(tx,
                   "INSERT INTO ext_schedule (canonical, namespace, function, cron, zone, missed, next_ms, owed, running_ms, last_ms, "
                   "last_outcome, live, stale) VALUES (?, ?, ?, ?, '', ?, 0, 0, 0, 0, '', 1, 0)"
                   " ON CONFLICT (canonical) DO UPDATE SET function = excluded.function, missed = excluded.missed, cron = excluded.cron, "
                   "next_ms = CASE WHEN ext_schedule.cron = excluded.cron THEN ext_schedule.next_ms ELSE 0 END, live = 1, stale = 0"
                   " WHERE ext_schedule.namespace = excluded.namespace",
                   row, (int)BASE_COUNT(row), fail);
}

bool ext_schedules_install_tx(struct tx *tx, const struct ext_package *package, struct fail *fail)
{
    const struct list *list = value_as_list(package->schedules);
    struct store_param key = store_text(package->namespace);
    if (!tx_exec(tx, "UPDATE ext_schedule SET stale = 1 WHERE namespace = ?", &key, 1, fail)) {
        return false;
    }
    for (uint32_t i = 0; list && i < list->count; i++) {
        if (!install_one(tx, package, value_as_map(list->items[i]), fail)) {
            return false;
        }
    }
    return tx_exec(tx, "DELETE FROM ext_schedule WHERE namespace = ? AND stale = 1", &key, 1, fail);
}

// ---- which environments have some (in closures of control) --------------------------------------

bool ext_scheduled_add_tx(struct tx *tx, int64_t org_number, bool sandbox, struct fail *fail)
{
    struct store_param row[] = {store_int(org_number), store_int(sandbox)};
    return tx_exec(tx, "INSERT INTO ext_scheduled (org_number, sandbox) VALUES (?, ?) ON CONFLICT DO NOTHING", row, 2, fail);
}

bool ext_scheduled_tx(struct tx *tx, bool (*each)(void *arg, int64_t org_number, bool sandbox, struct fail *fail), void *arg,
                      struct fail *fail)
{
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT org_number, sandbox FROM ext_scheduled ORDER BY org_number, sandbox", NULL, 0, &rows, fail)) {
        return false;
    }
    bool ok = true;
    while (ok && rows_next(rows, fail)) {
        ok = each(arg, rows_int(rows, 0), rows_int(rows, 1) != 0, fail);
    }
    rows_close(rows);
    return ok && fail->code == FAIL_NONE;
}
