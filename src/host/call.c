// SPDX-License-Identifier: Apache-2.0
// One call of a stored function, from its name to its reply: find and pin the function, open a run, call, reply, log, close. web has
// checked the identity and read the body; nested calls come the same way.
#include "host/kept.h"

static void log_run(const struct run *run, const char *trigger, const struct fail *failure)
{
    const struct exchange *exchange = run->exchange;
    char error[FAIL_TEXT_MAX + 512];
    struct buffer text;
    buffer_init(&text, sizeof error * 4);
    if (failure) {
        buffer_add(&text, VIEW("{\"message\":"));
        json_write_text(&text, view_of(failure->text));
        buffer_printf(&text, ",\"line\":%d,\"file\":", failure->line);
        json_write_text(&text, view_of(failure->file));
        buffer_add(&text, VIEW(",\"function\":"));
        json_write_text(&text, vm_current_function(run->vm));
        buffer_add_char(&text, '}');
    }
    struct runlog_entry entry = {
        .id = view_of(exchange->id),
        .org = view_of(run->env->org),
        .environment = view_of(run->env->environment),
        .function = view_of(run->function->display),
        .version = view_of(run->function->version),
        .trigger = view_of(trigger),
        .method = exchange->method,
        .outcome = view_of(exchange->outcome),
        .error = text.data ? buffer_view(&text) : VIEW(""),
        .time_ms = clock_wall_ms(),
        .status = exchange->status,
        .duration_ms = (double)(clock_monotonic_ns() - run->begun_ns) / 1e6,
        .statements = vm_statements(run->vm),
        .lines = run->log.data && !run->log.failed ? buffer_view(&run->log) : VIEW(""),
    };
    runlog_add(run->host->runlog, &entry);
    if (run->function->figures) {
        figures_note(run->function->figures, entry.time_ms, entry.duration_ms, failure == NULL);
    }
    buffer_free(&text);
}

void call_refuse(struct host *host, struct host_env *env, struct exchange *exchange, struct view name, const char *trigger,
                 const struct fail *fail)
{
    exchange_reply_fail(exchange, fail);
    exchange->outcome = "refused";
    exchange->function = arena_copy(exchange->arena, name);
    kept_refused(host, exchange);
    struct buffer error;
    buffer_init(&error, 8 * FAIL_TEXT_MAX);
    buffer_add(&error, VIEW("{\"message\":"));
    json_write_text(&error, view_of(fail->text));
    buffer_add(&error, VIEW(",\"line\":0,\"file\":\"\",\"function\":\"\"}"));
    struct runlog_entry entry = {
        .id = view_of(exchange->id),
        .org = view_of(env->org),
        .environment = view_of(env->environment),
        .function = exchange->function,
        .trigger = view_of(trigger),
        .method = exchange->method,
        .outcome = VIEW("refused"),
        .error = buffer_view(&error),
        .time_ms = clock_wall_ms(),
        .status = exchange->status,
    };
    runlog_add(host->runlog, &entry);
    buffer_free(&error);
    answers_refused(host, exchange, fail);
}

static const char *trigger_of(const struct exchange *exchange)
{
    return exchange->trigger ? exchange->trigger : exchange->nested ? "function" : "rest";
}

static void refuse(struct host *host, struct host_env *env, struct exchange *exchange, struct view name, const struct fail *fail)
{
    call_refuse(host, env, exchange, name, trigger_of(exchange), fail);
}

static const char *outcome_of(const struct fail *fail)
{
    return fail->code == FAIL_LIMIT || fail->code == FAIL_MEMORY               ? "limit"
           : fail->code == FAIL_INVALID_DATA || fail->code == FAIL_BAD_REQUEST ? "refused"
                                                                               : "script_error";
}

bool call_run(struct run *run, const char *trigger, struct fail *fail)
{
    struct exchange *exchange = run->exchange;
    run->returned = value_null();
    bool ok = run_call(run, &run->returned, fail) && reply_value(run, run->returned, fail);
    if (!ok) {
        reply_failure(run, fail);
    }
    exchange->outcome = ok ? "ok" : outcome_of(fail);
    exchange->statements = vm_statements(run->vm);
    exchange->function = arena_copy(exchange->arena, view_of(run->function->display));
    kept_run(run); // whoever finds it in the log looks for it there
    log_run(run, trigger, ok ? NULL : fail);
    answers_ended(run, trigger, ok ? NULL : fail);
    return ok;
}

// DESIGN security 3: a key opens only functions of its own namespace that allow keys. Another namespace's is refused like a wrong key,
// whether or not the function exists.
// A widget's token has a namespace too. By the name alone, before anything is looked up or compiled for the caller.
static bool may_ask(const struct identity *who, struct view canonical, struct fail *fail)
{
    // A namespace is made of letters, digits and single underscores, so only its case can differ from the canonical form.
    struct view own = view_of(who->namespace);
    if (!own.len || (view_starts_nocase(canonical, own) && view_starts(view_from(canonical, own.len), VIEW("__")))) {
        return true;
    }
    return who->kind == IDENTITY_ZAPIKEY
               ? fail_set(fail, FAIL_AUTHENTICATION, NULL)
               : fail_set(fail, FAIL_NO_PERMISSION, "a widget calls functions of its own extension, %s", who->namespace);
}

static bool may_call(const struct exchange *exchange, const struct function *function, struct view canonical, struct fail *fail)
{
    const struct identity *who = &exchange->identity;
    if (who->kind == IDENTITY_ZAPIKEY && function && !view_eq_nocase(view_of(function->namespace), view_of(who->namespace))) {
        return fail_set(fail, FAIL_AUTHENTICATION, NULL);
    }
    if (!function) {
        return fail_set(fail, FAIL_NO_FUNCTION, "the function %.*s does not exist", VIEW_ARGS(canonical));
    }
    if ((who->kind == IDENTITY_ZAPIKEY && !function->apikey) || (who->kind == IDENTITY_OAUTH && !function->oauth)) {
        return fail_set(fail, FAIL_NO_PERMISSION, "the function %s is not enabled for %s", function->display,
                        who->kind == IDENTITY_ZAPIKEY ? "API keys" : "OAuth");
    }
    return true;
}

// When the runs together hold all they may, new ones wait outside; calls of running ones go on.
static bool has_memory(struct host *host, struct exchange *exchange, struct fail *fail)
{
    if (exchange->nested || atomic_load_explicit(&host->memory_bytes, memory_order_relaxed) < host->limits[LIMIT_PROCESS_MEMORY]) {
        return true;
    }
    exchange_reply_header(exchange, VIEW("Retry-After"), VIEW("1"));
    return fail_set(fail, FAIL_FULL, NULL);
}

void host_function_call(struct host *host, struct exchange *exchange, struct view api_name)
{
    struct fail fail;
    struct host_env *env;
    struct function_table *pin = NULL;
    const struct function *function = NULL;
    char text[4 * EXT_NAME_MAX];
    struct view canonical;
    fail_clear(&fail);
    if (!host_env_of(host, &exchange->identity, &env, &fail)) {
        exchange_reply_fail(exchange, &fail);
        return;
    }
    if (!host_fn_canonical(api_name, text, &canonical)) {
        fail_set(&fail, FAIL_NO_FUNCTION, "a function's name is not that long");
        refuse(host, env, exchange, view_slice(api_name, 0, EXT_NAME_MAX), &fail);
        return;
    }
    if (!may_ask(&exchange->identity, canonical, &fail) || !has_memory(host, exchange, &fail)) {
        refuse(host, env, exchange, canonical, &fail);
        return;
    }
    bool ok = functions_find(env, canonical, &pin, &function, &fail);
    if (!ok && fail.code == FAIL_COMPILE) { // it compiled when it was installed: another version of the program
        fail.code = FAIL_INTERNAL;
    }
    if (!ok || !may_call(exchange, function, canonical, &fail)) {
        refuse(host, env, exchange, canonical, &fail);
        if (ok) {
            functions_unpin(env, pin);
        }
        return;
    }
    int64_t journal = nested_journal(exchange->nested, &exchange->identity);
    struct run_options options = {.env = env, .pin = pin, .function = function, .exchange = exchange, .journal = journal};
    options.workflow_depth = exchange->nested ? exchange->nested->workflow_depth : 0;
    struct run *run = run_open(host, &options, &fail);
    if (!run) {
        functions_unpin(env, pin);
        exchange_reply_fail(exchange, &fail);
        return;
    }
    call_run(run, trigger_of(exchange), &fail);
    run_close(run);
}
