// SPDX-License-Identifier: Apache-2.0
// What `sluice test` hears of the runs of a host, and where it answers in place of the network (struct host_answers), with the values of
// variables, which a test sets before and looks at after. A host without answers is any other host.
#include "host/inside.h"

void host_set_answers(struct host *host, const struct host_answers *answers)
{
    host->answers = answers;
}

void host_set_limits(struct host *host, const int64_t *limits)
{
    memcpy(host->limits, limits, sizeof host->limits);
}

bool answers_request(struct run *run, const struct out_request *request, bool last, struct heap *heap, bool *ret_answered,
                     struct out_response *ret_response, struct fail *fail)
{
    const struct host_answers *answers = run->host->answers;
    *ret_answered = false;
    return !answers || answers->request(answers->user, request, last, heap, ret_answered, ret_response, fail);
}

void answers_ended(const struct run *run, const char *trigger, const struct fail *fail)
{
    const struct host_answers *answers = run->host->answers;
    if (answers) {
        struct host_ended ended = {.function = view_of(run->function->display),
                                   .nested = run->depth > 0,
                                   .action = strcmp(trigger, "install") == 0,
                                   .outcome = run->exchange->outcome,
                                   .fail = fail,
                                   .statements = vm_statements(run->vm),
                                   .outgoing = (int)run->host->limits[LIMIT_OUTGOING_CALLS] - *run->outgoing};
        answers->ended(answers->user, &ended);
    }
}

void answers_refused(const struct host *host, const struct exchange *exchange, const struct fail *fail)
{
    if (host->answers) {
        struct host_ended ended = {.function = exchange->function, .nested = exchange->nested != NULL, .outcome = "refused", .fail = fail};
        host->answers->ended(host->answers->user, &ended);
    }
}

// ---- variables ----------------------------------------------------------------------------------

struct variable_job {
    struct ext_vault vault;
    struct view name, new_value;
    struct heap *heap;
    struct value value;
    bool found;
};

static bool read_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct variable_job *job = arg;
    return ext_variable_get_tx(tx, &job->vault, job->name, job->heap, &job->value, &job->found, fail);
}

static bool write_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct variable_job *job = arg;
    return ext_variable_set_tx(tx, &job->vault, job->name, job->new_value, 0, &job->found, fail);
}

// `name` may stand without its namespace.
static bool reach(struct host *host, const struct identity *who, struct variable_job *job, bool write, struct view namespace,
                  struct view name, struct fail *fail)
{
    char full[2 * EXT_NAME_MAX + 3];
    struct host_env *env;
    if (!host_env_of(host, who, &env, fail)) {
        return false;
    }
    bool own = view_find(name, VIEW("__")) < 0 && view_find_char(name, '.') < 0;
    int len = snprintf(full, sizeof full, "%.*s%s%.*s", VIEW_ARGS(own ? namespace : VIEW("")), own ? "__" : "", VIEW_ARGS(name));
    job->name = (struct view){full, (size_t)len};
    job->vault = (struct ext_vault){.seal = host->seal, .org = env->org, .environment = env->environment, .reader = namespace};
    if (len >= (int)sizeof full || !(write ? store_write(env->env, write_tx, job, fail) : store_read(env->env, read_tx, job, fail)) ||
        !job->found) {
        return fail->code != FAIL_NONE ? false : fail_set(fail, FAIL_NOT_FOUND, "there is no variable \"%.*s\"", VIEW_ARGS(name));
    }
    return true;
}

bool host_variable_get(struct host *host, const struct identity *who, struct view namespace, struct view name, struct heap *heap,
                       struct value *ret_value, struct fail *fail)
{
    struct variable_job job = {.heap = heap};
    fail_clear(fail);
    if (!reach(host, who, &job, false, namespace, name, fail)) {
        return false;
    }
    *ret_value = job.value;
    return true;
}

bool host_variable_set(struct host *host, const struct identity *who, struct view namespace, struct view name, struct view value,
                       struct fail *fail)
{
    struct variable_job job = {.new_value = value};
    fail_clear(fail);
    return reach(host, who, &job, true, namespace, name, fail);
}
