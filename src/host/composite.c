// SPDX-License-Identifier: Apache-2.0
// Requests that one request carries (web's composite API): each goes through the dispatcher like one that came by itself, as the same
// caller, so routes, scopes and limits are those of the request it stands for. Those that depend on nothing may run beside each other, each
// on a fiber of its own.
//
// Several requests are several transactions. What they write together can still be taken back: under a journal, as an install action's
// writes are, which also undoes it when the process is killed in between.
#include "host/inside.h"

struct part_fiber {
    struct host *host;
    struct host_part *part;
    struct exchange exchange;
    struct host_nested nested;
    int outgoing_left;
    int *left; // parts that still run
    struct loop_event *done;
};

static void fill(struct part_fiber *fiber, const struct exchange *parent, int64_t journal, const struct host_env *env)
{
    const struct host *host = fiber->host;
    struct host_part *part = fiber->part;
    fiber->outgoing_left = (int)host->limits[LIMIT_OUTGOING_CALLS];
    fiber->nested = parent->nested ? *parent->nested
                                   : (struct host_nested){.deadline_ns = clock_monotonic_ns() + host->limits[LIMIT_TIME_MS] * 1000000,
                                                          .statements_left = host->limits[LIMIT_STATEMENTS],
                                                          .outgoing_left = &fiber->outgoing_left};
    if (journal) {
        fiber->nested.journal = journal;
        fiber->nested.journal_env = env;
    }
    fiber->exchange = (struct exchange){.arena = &part->arena,
                                        .method = part->method,
                                        .path = part->path,
                                        .query = part->query,
                                        .headers = part->headers,
                                        .header_count = part->header_count,
                                        .body = part->body,
                                        .content_type = VIEW("application/json"),
                                        .body_read = true,
                                        .sandbox = parent->sandbox,
                                        .trusted = true,
                                        .identity = parent->identity,
                                        .nested = &fiber->nested};
    exchange_make_id(&fiber->exchange);
}

static void run_part(void *arg)
{
    struct part_fiber *fiber = arg;
    struct host_part *part = fiber->part;
    struct fail ignored;
    fiber->host->dispatch(fiber->host->dispatch_user, &fiber->exchange);
    exchange_collect(&fiber->exchange, &ignored);
    part->status = fiber->exchange.status;
    part->reply_type = fiber->exchange.reply_type;
    part->reply = fiber->exchange.reply_body;
    if (fiber->left && --*fiber->left == 0) {
        loop_event_set(fiber->done);
    }
}

static void refuse_part(struct host_part *part, struct fail *fail)
{
    struct exchange exchange = {.arena = &part->arena};
    exchange_reply_fail(&exchange, fail);
    part->status = exchange.status;
    part->reply_type = exchange.reply_type;
    part->reply = exchange.reply_body;
}

bool host_parts_run(struct host *host, const struct exchange *parent, struct host_part *parts, int count, int64_t journal,
                    struct fail *fail)
{
    struct host_env *env;
    struct loop_event done;
    int left = 0;
    if (!host_env_of(host, &parent->identity, &env, fail)) {
        return false;
    }
    struct part_fiber *fibers = arena_alloc(parent->arena, (size_t)count * sizeof *fibers);
    if (!fibers) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    bool alone = count == 1 || !loop_fiber();
    if (!alone) {
        loop_event_init(&done);
        left = 1; // nobody is the last before all have begun
    }
    for (int i = 0; i < count; i++) {
        struct fail own;
        fibers[i] = (struct part_fiber){.host = host, .part = &parts[i], .left = alone ? NULL : &left, .done = &done};
        fill(&fibers[i], parent, journal, env);
        left++;
        bool begun = !loop_fiber() ? (run_part(&fibers[i]), true)
                     : alone       ? loop_call(run_part, &fibers[i], &own)
                                   : loop_spawn(run_part, &fibers[i], &own);
        if (!begun) {
            left--;
            refuse_part(&parts[i], &own);
        }
    }
    if (!alone && --left > 0) {
        loop_event_wait_surely(&done);
    }
    return true;
}

// ---- all or nothing -----------------------------------------------------------------------------

struct journal_job {
    int64_t journal;
};

static bool begin_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct journal_job *job = arg;
    return store_journal_begin(tx, &job->journal, fail);
}

static bool keep_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct journal_job *job = arg;
    return store_journal_done(tx, job->journal, fail);
}

static bool undo_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct journal_job *job = arg;
    return store_journal_undo(tx, job->journal, fail);
}

bool host_parts_begin(struct host *host, const struct identity *who, int64_t *ret_journal, struct fail *fail)
{
    struct host_env *env;
    struct journal_job job;
    if (!host_env_of(host, who, &env, fail) || !store_write(env->env, begin_tx, &job, fail)) {
        return false;
    }
    *ret_journal = job.journal;
    return true;
}

bool host_parts_end(struct host *host, const struct identity *who, int64_t journal, bool undo, struct fail *fail)
{
    struct host_env *env;
    struct journal_job job = {journal};
    return host_env_of(host, who, &env, fail) && store_write(env->env, undo ? undo_tx : keep_tx, &job, fail);
}
