// SPDX-License-Identifier: Apache-2.0
// Testing a script over the management API (spec/platform.md §4, actions/test): it runs as if it were saved, on the org's own data. The
// caller gets what it returned, its log with line numbers, the tasks and requests it made, and what it cost. The run stands in the run log
// with the trigger "test".
#include "host/manage.h"
#include "host/trace.h"

struct testing {
    struct host *host;
    struct heap *heap; // of the answer
    struct value map;
    struct trace trace;
    struct fail *fail; // of the answer
    struct fail why; // of the script
};

static void put(struct testing *testing, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(testing->heap, map.map, view_of(key), value);
    }
}

static struct value output_of(struct testing *testing, struct run *run, bool ok)
{
    struct value output = value_map(testing->heap, 2), value = value_null();
    struct buffer text;
    struct fail ignored;
    buffer_init(&text, run->out.max);
    bool is_void = view_eq_nocase(run->function->info.return_type, VIEW("void"));
    if (ok && !is_void && !value_is_null(run->returned) && reply_output_text(run, run->returned, &text, &ignored)) {
        value = value_text(testing->heap, buffer_view(&text));
    }
    put(testing, output, "value", value);
    put(testing, output, "type", value_text(testing->heap, run->function->info.return_type));
    buffer_free(&text);
    return output;
}

static void add_line(struct testing *testing, struct list *logs, struct value line, const char *category, struct value text)
{
    struct value item = value_map(testing->heap, 3);
    put(testing, item, "line_number", line);
    put(testing, item, "category", value_text(testing->heap, view_of(category)));
    put(testing, item, "value", text);
    list_add(testing->heap, logs, item);
}

static struct value logs_of(struct testing *testing, struct run *run, bool ok)
{
    struct value lines = value_null(), logs = value_list(testing->heap, 8);
    struct fail ignored;
    const struct list *list = run_log_list(run, testing->heap, &lines, &ignored) ? value_as_list(lines) : NULL;
    for (uint32_t i = 0; list && logs.type == VALUE_LIST && i < list->count; i++) {
        const struct map *line = value_as_map(list->items[i]);
        struct value number = map_get_text(line, VIEW("line"));
        bool notice = number.type == VALUE_NUMBER && number.number == 0; // ours
        add_line(testing, logs.list, number, notice ? "warning" : "info", map_get_text(line, VIEW("text")));
    }
    if (!ok && logs.type == VALUE_LIST) {
        add_line(testing, logs.list, value_number(testing->why.line), "error", value_text(testing->heap, view_of(testing->why.text)));
    }
    return logs;
}

static struct value metrics_of(struct testing *testing, const struct run *run)
{
    struct value map = value_map(testing->heap, 5);
    put(testing, map, "statements_executed", value_number(vm_statements(run->vm)));
    put(testing, map, "integration_task", value_number(testing->trace.tasks));
    put(testing, map, "send_mail", value_number(testing->trace.mails));
    put(testing, map, "send_sms", value_number(0));
    put(testing, map, "time_taken_in_ms", value_number((clock_monotonic_ns() - run->begun_ns) / 1000000));
    return map;
}

static bool answer(struct testing *testing, struct run *run, bool ok)
{
    struct value network = value_list(testing->heap, 0), calls = {.type = VALUE_LIST, .list = testing->trace.calls};
    struct fail ignored;
    if (testing->trace.calls) {
        network = value_copy(testing->heap, calls, &ignored);
    }
    testing->map = value_map(testing->heap, 6);
    put(testing, testing->map, "status", value_text(testing->heap, ok ? VIEW("success") : VIEW("failure")));
    put(testing, testing->map, "output", output_of(testing, run, ok));
    put(testing, testing->map, "logs", logs_of(testing, run, ok));
    put(testing, testing->map, "network_logs", network);
    put(testing, testing->map, "metrics", metrics_of(testing, run));
    put(testing, testing->map, "message", ok ? value_null() : value_text(testing->heap, view_of(testing->why.text)));
    return !testing->heap->failed || fail_set(testing->fail, FAIL_MEMORY, "the answer is too long");
}

static bool run_it(struct testing *testing, struct run *run, struct value arguments)
{
    struct value calls = value_list(&run->heap, 8);
    testing->trace.calls = value_as_list(calls);
    run->trace = &testing->trace;
    bool ok = run_bind(run, &testing->why);
    if (ok && value_as_map(arguments)) {
        run->arguments = value_copy(&run->heap, arguments, &testing->why);
        ok = run->arguments.type == VALUE_MAP;
    }
    ok = ok && call_run(run, "test", &testing->why);
    bool answered = answer(testing, run, ok);
    run->trace = NULL;
    return answered;
}

static bool run_script(struct testing *testing, struct host_env *env, const struct identity *who, const struct function *function,
                       struct value arguments)
{
    struct arena arena;
    arena_init(&arena, HOST_EXCHANGE_BYTES_MAX);
    struct exchange exchange = {.arena = &arena, .method = VIEW("POST"), .path = VIEW("/"), .body_read = true, .identity = *who};
    exchange_make_id(&exchange);
    struct run_options options = {.env = env, .function = function, .exchange = &exchange};
    bool ok = functions_pin(env, &options.pin, testing->fail);
    struct run *run = ok ? run_open(testing->host, &options, testing->fail) : NULL;
    if (run) {
        ok = run_it(testing, run, arguments);
        run_close(run);
    } else if (ok) {
        functions_unpin(env, options.pin);
        ok = false;
    }
    arena_free(&arena);
    return ok;
}

// "smsext.incoming(…)" runs as a script of smsext where that is installed; anything else as one of the org.
static struct view namespace_of(const struct managed *managed, const struct function *compiled)
{
    struct view rest = compiled->info.name, first = view_cut(&rest, '.');
    bool own = compiled->info.has_header && rest.len && view_eq_nocase(first, managed->namespace);
    const char *kind = compiled->info.has_header && rest.len ? ext_kind_find(first) : NULL;
    return own ? managed->namespace : kind ? view_of(kind) : VIEW("standalone");
}

bool host_function_test(struct host *host, const struct identity *who, struct view function, struct view source, struct value arguments,
                        struct heap *heap, struct value *ret_map, struct value *ret_errors, struct fail *fail)
{
    struct testing testing = {.host = host, .heap = heap, .fail = fail};
    struct host_env *env;
    struct managed managed;
    struct function *compiled = NULL;
    if (!manage_may(host, who, &env, fail) || !manage_find(env, function, heap, &managed, fail)) {
        return false;
    }
    struct function_source wanted = {.namespace = VIEW("standalone"),
                                     .file = VIEW("script.ds"),
                                     .source = source.len ? source : managed.source,
                                     .strict = host->options.strict};
    if (!manage_compile(&wanted, heap, &compiled, ret_errors, fail)) {
        return false;
    }
    snprintf(compiled->namespace, sizeof compiled->namespace, "%.*s", VIEW_ARGS(namespace_of(&managed, compiled)));
    compiled->id = managed.id;
    bool ok = run_script(&testing, env, who, compiled, arguments);
    function_free(compiled);
    *ret_map = testing.map;
    return ok;
}
