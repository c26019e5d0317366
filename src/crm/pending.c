// SPDX-License-Identifier: Apache-2.0
// The queue of what writes have left to do, as host takes it: a row is marked while it is being done, so that no two do it, and removed
// when it is done. What was marked by a process that is gone becomes due again, at once on a store of one process, else when its time is
// over.
#include "crm/automation.h"

struct taking {
    struct crm_session *session;
    int64_t now_ms, busy_ms;
    int most, count;
    struct crm_pending *items;
    int64_t next_ms;
};

static bool read_item(struct taking *taking, struct rows *rows, struct fail *fail)
{
    struct heap *heap = taking->session->heap;
    struct crm_pending *item = &taking->items[taking->count];
    *item = (struct crm_pending){.id = rows_int(rows, 0),
                                 .kind = (enum crm_pending_kind)rows_int(rows, 1),
                                 .target = rows_int(rows, 2),
                                 .rule_id = rows_int(rows, 3),
                                 .module = value_view_or(value_text(heap, rows_text(rows, 4)), VIEW("")),
                                 .record_id = rows_int(rows, 5),
                                 .depth = (int)rows_int(rows, 6),
                                 .tries = (int)rows_int(rows, 7)};
    taking->count++;
    return json_read(heap, rows_text(rows, 8), &item->details, fail);
}

// In the order in which they were added: RETURNING has none.
static void sort_items(struct taking *taking)
{
    for (int i = 1; i < taking->count; i++) {
        struct crm_pending item = taking->items[i];
        int at = i;
        for (; at > 0 && taking->items[at - 1].id > item.id; at--) {
            taking->items[at] = taking->items[at - 1];
        }
        taking->items[at] = item;
    }
}

static bool take_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct taking *taking = arg;
    const struct store_param params[] = {store_int(taking->busy_ms), store_int(taking->now_ms), store_int(taking->now_ms),
                                         store_int(taking->most)};
    struct rows *rows;
    bool found;
    taking->count = 0;
    fail_clear(fail);
    if (!tx_query(tx,
                  "UPDATE crm_pending SET due_time = ?, taken = 1, tries = tries + 1 WHERE due_time <= ? AND id IN"
                  " (SELECT id FROM crm_pending WHERE due_time <= ? ORDER BY due_time, id LIMIT ?)"
                  " RETURNING id, kind, target, rule_id, module, record_id, depth, tries, details",
                  params, 4, &rows, fail)) {
        return false;
    }
    while (fail->code == FAIL_NONE && taking->count < taking->most && rows_next(rows, fail)) {
        read_item(taking, rows, fail);
    }
    rows_close(rows);
    sort_items(taking);
    return fail->code == FAIL_NONE &&
           tx_query_int(tx, "SELECT COALESCE(MIN(due_time), -1) FROM crm_pending", NULL, 0, &taking->next_ms, &found, fail);
}

static bool any_due(struct tx *tx, void *arg, struct fail *fail)
{
    struct taking *taking = arg;
    bool found;
    return tx_query_int(tx, "SELECT COALESCE(MIN(due_time), -1) FROM crm_pending", NULL, 0, &taking->next_ms, &found, fail);
}

bool crm_pending_take(struct crm_session *session, int64_t busy_ms, int most, struct crm_pending ret_items[CRM_PENDING_TAKE_MAX],
                      int *ret_count, int64_t *ret_next_ms, struct fail *fail)
{
    struct taking taking = {.session = session,
                            .now_ms = clock_wall_ms(),
                            .busy_ms = busy_ms,
                            .most = most < CRM_PENDING_TAKE_MAX ? most : CRM_PENDING_TAKE_MAX,
                            .items = ret_items};
    struct store_env *env = crm_env(session->crm);
    if (!store_read(env, any_due, &taking, fail)) { // looking costs no transaction
        return false;
    }
    if (taking.next_ms >= 0 && taking.next_ms <= taking.now_ms && !store_write(env, take_tx, &taking, fail)) {
        return false;
    }
    *ret_count = taking.count;
    *ret_next_ms = taking.next_ms < 0 ? INT64_MAX : taking.next_ms;
    return true;
}

struct finishing {
    int64_t id, due_ms; // due_ms 0: it is done
};

static bool finish_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct finishing *finishing = arg;
    const struct store_param params[] = {store_int(finishing->due_ms), store_int(finishing->id)};
    return finishing->due_ms ? tx_exec(tx, "UPDATE crm_pending SET due_time = ?, taken = 0 WHERE id = ?", params, 2, fail)
                             : tx_exec(tx, "DELETE FROM crm_pending WHERE id = ?", &params[1], 1, fail);
}

bool crm_pending_done(struct crm *crm, int64_t id, struct fail *fail)
{
    struct finishing finishing = {.id = id};
    return store_write(crm_env(crm), finish_tx, &finishing, fail);
}

bool crm_pending_later(struct crm *crm, int64_t id, int64_t due_ms, struct fail *fail)
{
    struct finishing finishing = {.id = id, .due_ms = due_ms};
    return store_write(crm_env(crm), finish_tx, &finishing, fail);
}

static bool any_taken(struct tx *tx, void *arg, struct fail *fail)
{
    int64_t one;
    return tx_query_int(tx, "SELECT 1 FROM crm_pending WHERE taken = 1 LIMIT 1", NULL, 0, &one, arg, fail);
}

static bool recover_tx(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    return tx_exec(tx, "UPDATE crm_pending SET due_time = 0, taken = 0 WHERE taken = 1", NULL, 0, fail);
}

bool crm_pending_recover(struct crm *crm, struct fail *fail)
{
    bool any = false;
    return store_read(crm_env(crm), any_taken, &any, fail) && (!any || store_write(crm_env(crm), recover_tx, NULL, fail));
}
