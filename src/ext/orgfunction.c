// SPDX-License-Identifier: Apache-2.0
// Functions of an org itself, by kind (spec/platform.md §3): standalone ones are called like an extension's, buttons, automations,
// schedules, validation rules and related lists are run by name. They are rows of ext_function whose namespace is the kind; every save is
// kept as a version, so that an older one can be looked at and restored. A save with errors is such a version too, and nothing else: the
// row keeps the last good source. A row that has none yet has live = 2, and nobody who looks for what can be called finds it.
#include "ext/inside.h"

enum { SAVES_MAX = 200 }; // of one function; the oldest go

static const char *const kinds[] = {"standalone", "button", "automation", "schedule", "validation_rule", "related_list", "salessignals"};

const char *ext_kind_at(size_t index)
{
    return index < BASE_COUNT(kinds) ? kinds[index] : NULL;
}

const char *ext_kind_find(struct view name)
{
    for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
        if (view_eq_nocase(name, view_of(kinds[i]))) {
            return kinds[i];
        }
    }
    return NULL;
}

static bool keep_save(struct tx *tx, int64_t id, struct view source, struct fail *fail)
{
    struct store_param key = store_int(id);
    struct store_param row[] = {store_int(id), store_int(id), store_int(clock_wall_ms()), store_text(source)};
    struct store_param old[] = {store_int(id), store_int(id), store_int(SAVES_MAX)};
    struct rows *rows;
    if (!tx_query(tx, "SELECT source FROM ext_save WHERE function_id = ? ORDER BY position DESC LIMIT 1", &key, 1, &rows, fail)) {
        return false;
    }
    bool same = rows_next(rows, fail) && view_eq(rows_text(rows, 0), source);
    rows_close(rows);
    if (same || fail->code != FAIL_NONE) {
        return fail->code == FAIL_NONE;
    }
    return tx_exec(tx,
                   "INSERT INTO ext_save (function_id, position, saved_ms, source) SELECT ?, (SELECT COALESCE(max(position), 0) + 1 FROM "
                   "ext_save WHERE function_id = ?), ?, ?",
                   row, 4, fail) &&
           tx_exec(
               tx,
               "DELETE FROM ext_save WHERE function_id = ? AND position <= (SELECT max(position) FROM ext_save WHERE function_id = ?) - ?",
               old, 3, fail);
}

bool ext_orgfunction_put_tx(struct tx *tx, const char *kind, const struct ext_function *function, int64_t *ret_id, struct fail *fail)
{
    int64_t id;
    fail_clear(fail);
    if (!ext_function_put_tx(tx, view_of(kind), function, &id, fail) || !keep_save(tx, id, function->source, fail)) {
        return false;
    }
    *ret_id = id;
    return store_bump(tx, fail);
}

static bool canonical_of(const char *kind, struct view name, char out[4 * EXT_NAME_MAX], struct view *ret_canonical, struct fail *fail)
{
    char joined[4 * EXT_NAME_MAX];
    int len = snprintf(joined, sizeof joined, "%s.%.*s", kind, VIEW_ARGS(name));
    return (len > 0 && (size_t)len < sizeof joined &&
            ext_name_canonical((struct view){joined, (size_t)len}, out, 4 * EXT_NAME_MAX, ret_canonical)) ||
           fail_set(fail, FAIL_INVALID_DATA, "the name %.*s is too long", VIEW_ARGS(name));
}

static bool put_first(struct tx *tx, const char *kind, const struct ext_function *function, int64_t *ret_id, struct fail *fail)
{
    if (!ext_function_put_tx(tx, view_of(kind), function, ret_id, fail)) {
        return false;
    }
    struct store_param key = store_int(*ret_id);
    return tx_exec(tx, "UPDATE ext_function SET live = 2 WHERE id = ?", &key, 1, fail);
}

bool ext_orgfunction_keep_tx(struct tx *tx, const char *kind, const struct ext_function *function, int64_t *ret_id, struct fail *fail)
{
    char text[4 * EXT_NAME_MAX];
    struct view canonical;
    bool found;
    fail_clear(fail);
    if (!canonical_of(kind, function->api_name, text, &canonical, fail)) {
        return false;
    }
    struct store_param key = store_text(canonical);
    if (!tx_query_int(tx, "SELECT id FROM ext_function WHERE canonical = ? AND live = 1", &key, 1, ret_id, &found, fail)) {
        return false;
    }
    struct store_param access[] = {store_int(function->apikey), store_int(function->oauth), store_int(found ? *ret_id : 0)};
    bool ok = found ? tx_exec(tx, "UPDATE ext_function SET apikey = ?, oauth = ? WHERE id = ?", access, 3, fail)
                    : put_first(tx, kind, function, ret_id, fail);
    return ok && keep_save(tx, *ret_id, function->source, fail) && store_bump(tx, fail);
}

bool ext_orgfunction_unfit_tx(struct tx *tx, struct view canonical, ext_each_unfit *each, void *arg, struct fail *fail)
{
    struct store_param key = store_text(canonical.data ? canonical : VIEW(""));
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx,
                  "SELECT f.id, f.namespace, f.api_name, f.file, f.version, f.apikey, f.oauth, f.live, s.source FROM ext_function f JOIN"
                  " ext_save s ON s.function_id = f.id WHERE (f.canonical = ?1 OR ?1 = '') AND s.position = (SELECT max(position) FROM"
                  " ext_save WHERE function_id = f.id) AND (f.live = 2 OR (f.live = 1 AND s.source <> f.source)) ORDER BY f.api_name",
                  &key, 1, &rows, fail)) {
        return false;
    }
    bool ok = true;
    while (ok && rows_next(rows, fail)) {
        const struct ext_installed_function row = {.id = rows_int(rows, 0),
                                                   .namespace = rows_text(rows, 1),
                                                   .api_name = rows_text(rows, 2),
                                                   .file = rows_text(rows, 3),
                                                   .version = (int)rows_int(rows, 4),
                                                   .apikey = rows_int(rows, 5) != 0,
                                                   .oauth = rows_int(rows, 6) != 0,
                                                   .source = rows_text(rows, 8)};
        ok = each(arg, &row, rows_int(rows, 7) == 2, fail);
    }
    rows_close(rows);
    return ok && fail->code == FAIL_NONE;
}

bool ext_orgfunction_remove_tx(struct tx *tx, struct view canonical, bool *ret_found, struct fail *fail)
{
    struct store_param key = store_text(canonical);
    if (!tx_exec(tx, "UPDATE ext_function SET live = 0 WHERE canonical = ? AND live <> 0", &key, 1, fail)) {
        return false;
    }
    *ret_found = tx_changes(tx) > 0;
    return store_bump(tx, fail);
}

bool ext_save_rows_tx(struct tx *tx, const char *sql, const struct store_param *key, int count, ext_each_save *each, void *arg,
                      struct fail *fail)
{
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, sql, key, count, &rows, fail)) {
        return false;
    }
    bool ok = true;
    while (ok && rows_next(rows, fail)) {
        const struct ext_save save = {rows_int(rows, 0), rows_int(rows, 1), rows_text(rows, 2)};
        ok = each(arg, &save, fail);
    }
    rows_close(rows);
    return ok && fail->code == FAIL_NONE;
}

bool ext_saves_tx(struct tx *tx, int64_t id, ext_each_save *each, void *arg, struct fail *fail)
{
    struct store_param key = store_int(id);
    return ext_save_rows_tx(tx, "SELECT position, saved_ms, source FROM ext_save WHERE function_id = ? ORDER BY position DESC", &key, 1,
                            each, arg, fail);
}

bool ext_saved_times_tx(struct tx *tx, bool (*each)(void *arg, int64_t id, int64_t saved_ms, struct fail *fail), void *arg,
                        struct fail *fail)
{
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT function_id, max(saved_ms) FROM ext_save GROUP BY function_id", NULL, 0, &rows, fail)) {
        return false;
    }
    bool ok = true;
    while (ok && rows_next(rows, fail)) {
        ok = each(arg, rows_int(rows, 0), rows_int(rows, 1), fail);
    }
    rows_close(rows);
    return ok && fail->code == FAIL_NONE;
}
