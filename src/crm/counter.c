// SPDX-License-Identifier: Apache-2.0
// Counters of an environment that limits a day ask for (mails). A row a name: it holds the day it counts and starts anew on the next.
#include "crm/meta.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

struct counter_job {
    struct view name;
    int64_t day, most;
    bool taken;
};

static bool take_one(struct tx *tx, void *arg, struct fail *fail)
{
    struct counter_job *job = arg;
    struct store_param params[] = {store_text(job->name), store_int(job->day), store_int(job->most)};
    fail_clear(fail);
    job->taken = false;
    if (job->most < 1) {
        return true;
    }
    if (!tx_exec(tx,
                 "INSERT INTO crm_counter (name, day, count) VALUES (?, ?, 1) ON CONFLICT (name) DO UPDATE SET "
                 "count = CASE WHEN crm_counter.day = excluded.day THEN crm_counter.count + 1 ELSE 1 END, day = excluded.day "
                 "WHERE crm_counter.day <> excluded.day OR crm_counter.count < ?",
                 params, BASE_COUNT(params), fail)) {
        return false;
    }
    job->taken = tx_changes(tx) > 0;
    return true;
}

bool crm_counter_take(struct crm_session *session, struct view name, int64_t most, bool *ret_taken, struct fail *fail)
{
    struct counter_job job = {.name = name, .day = clock_wall_ms() / DAY_MS, .most = most};
    if (!store_write(crm_env(session->crm), take_one, &job, fail)) {
        return false;
    }
    *ret_taken = job.taken;
    return true;
}
