// SPDX-License-Identifier: Apache-2.0
// The audit log (DESIGN security 10): who changed keys, versions, installations, orgs, clients and connections, and when. Rows are added
// and, when there are too many, the oldest are dropped; nothing here changes one. No secret comes this way: a row names things.
#include "auth/auth.h"

bool auth_audit_add_tx(struct tx *tx, const struct auth_audit *entry, struct fail *fail)
{
    int64_t id;
    bool found;
    if (!tx_query_int(tx, "SELECT coalesce(max(id), 0) + 1 FROM auth_audit", NULL, 0, &id, &found, fail)) {
        return false;
    }
    struct store_param row[] = {store_int(id),
                                store_int(entry->time_ms),
                                store_text(entry->actor),
                                store_text(entry->org),
                                store_text(entry->environment),
                                store_text(entry->action),
                                store_text(entry->subject),
                                store_text(entry->outcome)};
    struct store_param oldest = store_int(id - AUTH_AUDIT_ROWS_MAX);
    return tx_exec(
               tx,
               "INSERT INTO auth_audit (id, time_ms, actor, org, environment, action, subject, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
               row, (int)BASE_COUNT(row), fail) &&
           tx_exec(tx, "DELETE FROM auth_audit WHERE id <= ?", &oldest, 1, fail);
}

// The newest ones have the highest numbers: without a place to go on from, the last `limit` are found from the end.
static bool first_id(struct tx *tx, int64_t after, int limit, int64_t *ret_after, struct fail *fail)
{
    bool found;
    int64_t newest;
    *ret_after = after;
    if (after > 0) {
        return true;
    }
    if (!tx_query_int(tx, "SELECT coalesce(max(id), 0) FROM auth_audit", NULL, 0, &newest, &found, fail)) {
        return false;
    }
    *ret_after = newest - limit;
    return true;
}

bool auth_audit_tx(struct tx *tx, int64_t after, int limit, void (*each)(void *arg, const struct auth_audit *entry), void *arg,
                   struct fail *fail)
{
    struct rows *rows;
    fail_clear(fail);
    if (!first_id(tx, after, limit, &after, fail)) {
        return false;
    }
    struct store_param params[] = {store_int(after), store_int(limit)};
    if (!tx_query(tx,
                  "SELECT id, time_ms, actor, org, environment, action, subject, outcome FROM auth_audit WHERE id > ? ORDER BY id LIMIT ?",
                  params, 2, &rows, fail)) {
        return false;
    }
    fail_clear(fail);
    while (rows_next(rows, fail)) {
        struct auth_audit entry = {.id = rows_int(rows, 0),
                                   .time_ms = rows_int(rows, 1),
                                   .actor = rows_text(rows, 2),
                                   .org = rows_text(rows, 3),
                                   .environment = rows_text(rows, 4),
                                   .action = rows_text(rows, 5),
                                   .subject = rows_text(rows, 6),
                                   .outcome = rows_text(rows, 7)};
        each(arg, &entry);
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}
