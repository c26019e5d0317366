// SPDX-License-Identifier: Apache-2.0
// One run from start to end: a warm heap, a VM, the limits, the log, and what the services of this run need. A run's memory is dropped
// whole when it ends; what the caller gets was written into the exchange's arena before that.
#include "host/kept.h"

#include <stdlib.h>

// ---- warm runs: one list a loop, so that a busy server makes none -------------------------------

static struct {
    struct run *first;
    int count;
} warm_runs[LOOP_WORKERS_MAX];

static struct run *take_run(void)
{
    struct loop *loop = loop_current();
    int index = loop ? loop_index(loop) : -1;
    if (index >= 0 && warm_runs[index].first) {
        struct run *run = warm_runs[index].first;
        warm_runs[index].first = run->next;
        warm_runs[index].count--;
        return run;
    }
    struct run *run = calloc(1, sizeof *run);
    if (run) {
        heap_init(&run->heap, 0, NULL);
    }
    return run;
}

static void free_run(struct run *run)
{
    heap_free(&run->heap);
    buffer_free(&run->log);
    buffer_free(&run->calls);
    buffer_free(&run->out);
    free(run);
}

static void give_run(struct run *run)
{
    struct loop *loop = loop_current();
    int index = loop ? loop_index(loop) : -1;
    enum { WARM_BYTES = 64 * 1024 };
    if (index < 0 || warm_runs[index].count >= HOST_RUNS_KEPT || run->log.cap > WARM_BYTES || run->out.cap > WARM_BYTES) {
        free_run(run);
        return;
    }
    heap_reset(&run->heap);
    run->next = warm_runs[index].first;
    warm_runs[index].first = run;
    warm_runs[index].count++;
}

void runs_drop(void)
{
    for (size_t i = 0; i < BASE_COUNT(warm_runs); i++) {
        while (warm_runs[i].first) {
            struct run *run = warm_runs[i].first;
            warm_runs[i].first = run->next;
            free_run(run);
        }
        warm_runs[i].count = 0;
    }
}

// ---- what the VM asks ---------------------------------------------------------------------------

// All runs' memory together. A run is counted by what it took, looked at between slices.
static bool count_memory(struct run *run, struct fail *fail)
{
    int64_t bytes = (int64_t)run->heap.bytes, change = bytes - run->counted_bytes;
    run->counted_bytes = bytes;
    int64_t all = atomic_fetch_add(&run->host->memory_bytes, change) + change;
    int64_t most = run->host->limits[LIMIT_PROCESS_MEMORY];
    if (all > most && change > 0) {
        return fail_set(fail, FAIL_LIMIT, "All functions together use more than %lld bytes of memory", (long long)most);
    }
    return true;
}

static bool give_way(void *user, struct fail *fail)
{
    struct run *run = user;
    if (clock_monotonic_ns() > run_deadline_ns(run)) {
        return fail_set(fail, FAIL_LIMIT, "The function ran longer than its limit of %lld ms", (long long)run->time_ms);
    }
    return count_memory(run, fail) && (!loop_fiber() || loop_yield(fail));
}

static void add_info(void *user, int line, struct value text)
{
    struct run *run = user;
    struct fail fail;
    struct value printed = value_is_text(text) ? text : value_to_text(&run->heap, text, &fail);
    run_log(run, line, value_view_or(printed, VIEW("")));
}

// Functions of other units: the extension's own, other extensions' and standalone ones, in the table this run has pinned.
static const struct lang_function *find_function(void *user, struct view name)
{
    struct run *run = user;
    char text[4 * EXT_NAME_MAX];
    struct view canonical;
    const struct function *function = NULL;
    struct fail fail;
    if (!run->pin || !ext_name_canonical(name, text, sizeof text, &canonical) ||
        !functions_find_in(run->env, run->pin, canonical, &function, &fail) || !function) {
        return NULL;
    }
    if ((function->info.reads_request_v1 || function->info.reads_request_v2) && !run_bind(run, &fail)) {
        return NULL;
    }
    return function->code;
}

// ---- log ----------------------------------------------------------------------------------------

static void append_line(struct run *run, int line, struct view text)
{
    buffer_add(&run->log, run->log.len ? VIEW(",{\"line\":") : VIEW("{\"line\":"));
    buffer_add_int(&run->log, line);
    buffer_add(&run->log, VIEW(",\"text\":"));
    json_write_text(&run->log, text);
    buffer_add_char(&run->log, '}');
    if (run->log_values && line > 0) { // what the script said; notices of the system are for the run log alone
        list_add(&run->heap, run->log_values, value_text(&run->heap, text));
    }
    if (run->on_log) {
        run->on_log(run->on_log_user, line, text);
    }
    if (run->host->answers) {
        run->host->answers->log(run->host->answers->user, view_of(run->function->display), run->depth > 0, line, text);
    }
}

// Bytes of text that the log has room for, however they are escaped, beside the note that it was cut: thousands of empty lines or of control
// bytes take far more in the log than what counts, and a log that is over its buffer is lost as a whole.
static size_t log_room(const struct run *run)
{
    enum { ESCAPED_BYTES = 6, LINE_BYTES = 64, NOTE_BYTES = 256 };
    size_t taken = run->log.len + 2 * LINE_BYTES + NOTE_BYTES;
    return taken < run->log.max ? (run->log.max - taken) / ESCAPED_BYTES : 0;
}

// Zoho cuts all info of a run at 500 KB and says so (spec/deluge-language.md §5).
void run_log(struct run *run, int line, struct view text)
{
    if (run->log_cut) {
        return;
    }
    size_t most = (size_t)run->host->limits[LIMIT_LOG_BYTES];
    size_t room = log_room(run);
    if (text.len <= most - run->log_bytes && text.len <= room && room > 0) {
        run->log_bytes += text.len;
        append_line(run, line, text);
        return;
    }
    room = room < most - run->log_bytes ? room : most - run->log_bytes;
    append_line(run, line, view_slice(text, 0, utf8_clamp(text, room)));
    run->log_cut = true;
    char note[120];
    snprintf(note, sizeof note, "The info message has been truncated because its size exceeded %zu KB.", most / 1024);
    append_line(run, line, view_of(note));
}

// ---- open, call, close --------------------------------------------------------------------------

static void set_limits(struct run *run, int64_t time_ms, const struct host_nested *nested)
{
    const int64_t *limits = run->host->limits;
    run->begun_ns = clock_monotonic_ns();
    run->time_ms = time_ms ? time_ms : limits[LIMIT_TIME_MS];
    run->deadline_ns = run->begun_ns + run->time_ms * 1000000;
    run->statements_max = limits[LIMIT_STATEMENTS];
    run->outgoing_left = (int)limits[LIMIT_OUTGOING_CALLS];
    run->outgoing = &run->outgoing_left;
    run->depth = 0;
    if (nested) { // what is left of the parent's
        run->depth = nested->depth;
        run->deadline_ns = nested->deadline_ns;
        run->statements_max = nested->statements_left;
        run->outgoing = nested->outgoing_left;
    }
}

struct run *run_open(struct host *host, const struct run_options *options, struct fail *fail)
{
    struct run *run = take_run();
    if (!run) {
        fail_set(fail, FAIL_MEMORY, NULL);
        return NULL;
    }
    struct heap heap = run->heap;
    struct buffer log = run->log, calls = run->calls, out = run->out;
    *run = (struct run){.host = host,
                        .env = options->env,
                        .pin = options->pin,
                        .function = options->function,
                        .exchange = options->exchange,
                        .journal = options->journal,
                        .workflow_depth = options->workflow_depth,
                        .heap = heap,
                        .log = log,
                        .calls = calls,
                        .out = out};
    run->heap.bytes_max = (size_t)host->limits[LIMIT_MEMORY_BYTES];
    run->heap.zone = run->pin ? run->pin->heap.zone : zone_local();
    run->heap.key_order = host->options.json_java_order ? JSON_JAVA_HASHMAP : JSON_INSERTION;
    run->log.max = (size_t)host->limits[LIMIT_LOG_BYTES] * 8 + 4096; // escaped
    run->out.max = (size_t)host->limits[LIMIT_REPLY_BYTES];
    run->calls.max = KEPT_CALLS_BYTES_MAX;
    buffer_reset(&run->log);
    buffer_reset(&run->calls);
    buffer_reset(&run->out);
    set_limits(run, options->time_ms, options->exchange ? options->exchange->nested : NULL);
    run->lang_host = (struct lang_host){
        .user = run, .give_way = give_way, .info = add_info, .find_function = find_function, .interrupt = &run->interrupt};
    struct lang_limits limits = {.statements_max = run->statements_max, .depth_max = (int)host->limits[LIMIT_DEPTH], .slice = HOST_SLICE};
    run->vm = vm_new(&run->heap, &run->lang_host, &limits);
    if (!run->vm) {
        give_run(run);
        fail_set(fail, FAIL_MEMORY, NULL);
        return NULL;
    }
    watchdog_enter(run);
    return run;
}

void run_close(struct run *run)
{
    watchdog_leave(run);
    if (run->session_open) {
        crm_session_close(&run->session);
    }
    if (run->counted_bytes) {
        atomic_fetch_sub(&run->host->memory_bytes, run->counted_bytes);
    }
    if (run->pin) {
        functions_unpin(run->env, run->pin);
    }
    give_run(run);
}

bool run_bind(struct run *run, struct fail *fail)
{
    if (run->bound) {
        return true;
    }
    if (!request_build(run, &run->request_v2, &run->request_v1, &run->params, &run->arguments, fail)) {
        return false;
    }
    run->bound = vm_bind(run->vm, VIEW("crmAPIRequest"), run->request_v2) && vm_bind(run->vm, VIEW("requestMap"), run->request_v1);
    return run->bound ||
           fail_set(fail, FAIL_LIMIT, "The request does not fit the function's memory of %lld bytes", (long long)run->heap.bytes_max);
}

void run_bind_file(struct run *run, struct view bytes)
{
    struct value file = utf8_valid(bytes) ? value_text(&run->heap, bytes)
                                          : value_file(&run->heap, bytes, VIEW("inputFile"), VIEW("application/octet-stream"));
    map_put_text(&run->heap, run->request_v2.map, VIEW("file_content"), file);
    map_put_text(&run->heap, run->request_v1.map, VIEW("fileContent"), file);
}

bool run_call(struct run *run, struct value *ret_value, struct fail *fail)
{
    const struct lang_function_info *info = &run->function->info;
    enum { PARAMETERS_KEPT = 8 };
    struct value few[PARAMETERS_KEPT], *values = few;
    if (run->function->api_version == 1) {
        struct value lines = value_list(&run->heap, 8);
        run->log_values = lines.type == VALUE_LIST ? lines.list : NULL;
    }
    if (request_is_needed(info) && !run_bind(run, fail)) {
        return false;
    }
    if (info->parameter_count > PARAMETERS_KEPT) {
        values = heap_alloc(&run->heap, (size_t)info->parameter_count * sizeof *values);
        if (!values) {
            return fail_set(fail, FAIL_LIMIT, "The function has more parameters than its memory holds");
        }
    }
    return request_parameters(run, run->params, run->arguments, values, fail) &&
           vm_call(run->vm, run->function->code, values, info->parameter_count, ret_value, fail);
}

// ---- for services -------------------------------------------------------------------------------

bool run_namespace_installed(void *user, struct view namespace)
{
    const struct run *run = user;
    for (uint32_t i = 0; run->pin && i < run->pin->namespaces->count; i++) {
        if (view_eq_nocase(value_view_or(run->pin->namespaces->items[i], VIEW("")), namespace)) {
            return true;
        }
    }
    return false;
}

// The user whose OAuth token called; 0 = the super admin, for whom everything else runs.
static int64_t caller_id(const struct run *run)
{
    return run->exchange && run->exchange->identity.kind == IDENTITY_OAUTH ? run->exchange->identity.user_id : 0;
}

static void warn_line(void *user, struct view text)
{
    run_log(user, 0, text);
}

bool run_session(struct run *run, struct crm_session **ret_session, struct fail *fail)
{
    if (!run->session_open) {
        if (!crm_session_open(run->env->crm, &run->heap, &run->session, fail)) {
            return false;
        }
        run->session.namespace = view_of(run->function->namespace);
        run->session.journal = run->journal;
        run->session.slow_ms = (int)run->host->limits[LIMIT_SLOW_READ_MS];
        run->session.workflow_depth = run->workflow_depth;
        run->session.user = run;
        run->session.namespace_installed = run_namespace_installed;
        run->session.warn = warn_line;
        if (caller_id(run)) {
            run->session.user_id = caller_id(run);
        }
        run->session_open = true;
    }
    run->session.workflow = false; // unless the options of a write say otherwise (service_options)
    *ret_session = &run->session;
    return true;
}

bool run_user(struct run *run, struct value *ret_user, struct fail *fail)
{
    struct crm_session *session;
    if (value_is_null(run->user)) {
        if (!caller_id(run)) {
            run->user = value_share(&run->heap, run->pin->admin, fail);
        } else if (!run_session(run, &session, fail) || !crm_user_get(session, caller_id(run), &run->user, fail)) {
            return false;
        }
    }
    *ret_user = run->user;
    return true;
}

struct ext_vault run_vault(const struct run *run)
{
    return (struct ext_vault){.seal = run->host->seal,
                              .org = run->env->org,
                              .environment = run->env->environment,
                              .reader = view_of(run->function->namespace)};
}

bool run_count_outgoing(struct run *run, struct fail *fail)
{
    if (*run->outgoing <= 0) {
        return fail_set(fail, FAIL_LIMIT, "The limit of %lld outgoing calls of one run is reached",
                        (long long)run->host->limits[LIMIT_OUTGOING_CALLS]);
    }
    (*run->outgoing)--;
    return count_memory(run, fail); // a run that waits keeps what it holds
}

int64_t run_left_ms(const struct run *run)
{
    int64_t left = (run_deadline_ns(run) - clock_monotonic_ns()) / 1000000;
    return left > 0 ? left : 0;
}

void run_hurry(struct run *run, int64_t ms)
{
    int64_t deadline_ns = clock_monotonic_ns() + ms * 1000000;
    if (deadline_ns < run_deadline_ns(run)) {
        __atomic_store_n(&run->deadline_ns, deadline_ns, __ATOMIC_RELAXED);
    }
}
