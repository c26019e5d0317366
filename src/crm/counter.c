// SPDX-License-Identifier: Apache-2.0
// Counters of an environment that limits a day ask for (mails): a row a name, which holds the day it counts and starts anew on the next.
// And the numbers of autonumber fields, rows of the same table that never start anew; the count is the next number.
#include "crm/plan.h"
#include "crm/seed.h"

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

// ---- numbers of fields --------------------------------------------------------------------------

enum { COUNTER_NAME_MAX = 2 * CRM_NAME_MAX + 16 };

static struct store_param name_counter(char out[COUNTER_NAME_MAX], struct view module, struct view field)
{
    int len = snprintf(out, COUNTER_NAME_MAX, "autonumber %.*s.%.*s", VIEW_ARGS(module), VIEW_ARGS(field));
    return store_text((struct view){out, (size_t)len});
}

bool crm_autonumber_begin_tx(struct tx *tx, struct view module, struct view field, int64_t first, struct fail *fail)
{
    char name[COUNTER_NAME_MAX];
    struct store_param row[] = {name_counter(name, module, field), store_int(first)};
    return tx_exec(tx, "INSERT INTO crm_counter (name, day, count) VALUES (?, 0, ?)", row, 2, fail);
}

bool crm_autonumber_end_tx(struct tx *tx, struct view module, struct view field, struct fail *fail)
{
    char name[COUNTER_NAME_MAX];
    struct store_param row = name_counter(name, module, field);
    return tx_exec(tx, "DELETE FROM crm_counter WHERE name = ?", &row, 1, fail);
}

bool crm_autonumber_next_tx(struct tx *tx, struct crm_write *write, struct store_param *ret_param, struct fail *fail)
{
    char name[COUNTER_NAME_MAX];
    const struct crm_field *field = crm_fields_of(write->module)->autonumber;
    struct store_param row = name_counter(name, write->module->api_name, field->api_name);
    int64_t number;
    bool found;
    if (!tx_query_int(tx, "UPDATE crm_counter SET count = count + 1 WHERE name = ? RETURNING count - 1", &row, 1, &number, &found, fail)) {
        return false;
    }
    struct view text =
        arena_printf(&write->arena, "%.*s%lld%.*s", VIEW_ARGS(field->prefix), (long long)(found ? number : 0), VIEW_ARGS(field->suffix));
    *ret_param = found ? store_text(text) : store_null();
    return text.data != NULL || fail_set(fail, FAIL_MEMORY, NULL);
}
