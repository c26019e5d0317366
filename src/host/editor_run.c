// SPDX-License-Identifier: Apache-2.0
//
// "Save & Execute Script": runs a script as it stands in an editor, in the org's environment, as the function it would be. What it does is
// done (records are written, calls go out), and the run stands in the run log with the trigger "editor".
//
// The arguments are texts by name, as somebody types them; the run converts them to the types of the header. That of a parameter called
// crmAPIRequest or requestMap is a request instead: {"method", "body", "params" or "parameters"}.
#include "host/manage.h"

enum { EDITOR_QUERY_BYTES_MAX = 64 << 10 };

struct executing {
    struct host *host;
    struct host_env *env;
    const struct host_editor_script *script;
    const struct function_source *source;
    struct function *function;
    struct exchange *exchange;
    struct heap *heap;
    struct value reply;
    struct fail why; // of the script
    bool compiled;
};

static void put(struct executing *executing, const char *name, struct value value)
{
    if (executing->reply.type == VALUE_MAP) {
        map_put_text(executing->heap, executing->reply.map, view_of(name), value);
    }
}

// ---- the request that the script sees -----------------------------------------------------------

static void add_encoded(struct buffer *out, struct view text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
        if (plain) {
            buffer_add_char(out, (char)c);
        } else {
            char code[3] = {'%', digits[c >> 4], digits[c & 15]};
            buffer_add(out, (struct view){code, sizeof code});
        }
    }
}

// A text as it is, anything else as its JSON.
static bool add_text(struct buffer *out, struct value value, struct fail *fail)
{
    if (value.type == VALUE_TEXT) {
        buffer_add(out, value_view_or(value, VIEW("")));
        return true;
    }
    return value_is_null(value) || json_write(out, value, NULL, fail);
}

static bool make_query(struct executing *executing, const struct map *params, struct fail *fail)
{
    struct buffer out, text;
    bool ok = true;
    buffer_init(&out, EDITOR_QUERY_BYTES_MAX);
    uint32_t cursor = 0;
    for (struct map_entry *entry; ok && params && (entry = map_next(params, &cursor)) != NULL;) {
        buffer_init(&text, EDITOR_QUERY_BYTES_MAX);
        ok = add_text(&text, entry->value, fail);
        buffer_add(&out, out.len ? VIEW("&") : VIEW(""));
        add_encoded(&out, value_view_or(entry->key, VIEW("")));
        buffer_add_char(&out, '=');
        add_encoded(&out, buffer_view(&text));
        ok = ok && (!text.failed || fail_set(fail, FAIL_TOO_LARGE, NULL));
        buffer_free(&text);
    }
    executing->exchange->query = arena_copy(executing->exchange->arena, buffer_view(&out));
    ok = ok && (!out.failed || fail_set(fail, FAIL_TOO_LARGE, NULL));
    buffer_free(&out);
    return ok;
}

static bool take_request(struct executing *executing, struct view text, struct fail *fail)
{
    struct exchange *exchange = executing->exchange;
    struct value request;
    struct buffer body;
    if (view_trim(text).len == 0) {
        return true;
    }
    if (!json_read(executing->heap, text, &request, fail) || !value_as_map(request)) {
        return fail_set(fail, FAIL_INVALID_DATA, "the request must be a JSON object: {\"body\": \"…\", \"params\": {}}");
    }
    const struct map *map = request.map;
    const struct map *params = value_as_map(map_get_text(map, VIEW("params")));
    exchange->method = arena_copy(exchange->arena, value_view_or(map_get_text(map, VIEW("method")), VIEW("POST")));
    buffer_init(&body, SOURCE_BYTES_MAX);
    bool ok = add_text(&body, map_get_text(map, VIEW("body")), fail);
    exchange->body = arena_copy(exchange->arena, buffer_view(&body));
    ok = ok && (!body.failed || fail_set(fail, FAIL_TOO_LARGE, NULL));
    buffer_free(&body);
    return ok && make_query(executing, params ? params : value_as_map(map_get_text(map, VIEW("parameters"))), fail);
}

// What is left for the function's own parameters.
static bool take_arguments(struct executing *executing, struct map *arguments, struct fail *fail)
{
    const struct map *given = value_as_map(executing->script->arguments);
    uint32_t cursor = 0;
    for (struct map_entry *entry; given && (entry = map_next(given, &cursor)) != NULL;) {
        struct view name = value_view_or(entry->key, VIEW(""));
        bool request = view_eq_nocase(name, VIEW("crmAPIRequest")) || view_eq_nocase(name, VIEW("requestMap"));
        if (request && !take_request(executing, value_view_or(entry->value, VIEW("")), fail)) {
            return false;
        }
        if (!request) {
            map_put_text(executing->heap, arguments, name, entry->value);
        }
    }
    return true;
}

// ---- running ------------------------------------------------------------------------------------

static void compile_job(void *arg)
{
    struct executing *executing = arg;
    executing->compiled = function_compile(executing->source, &executing->function, NULL, &executing->why);
}

static struct value describe_error(struct executing *executing)
{
    struct value map = value_map(executing->heap, 2);
    if (map.type == VALUE_MAP) {
        map_put_text(executing->heap, map.map, VIEW("message"), value_text(executing->heap, view_of(executing->why.text)));
        map_put_text(executing->heap, map.map, VIEW("line"), value_number(executing->why.line));
    }
    return map;
}

static struct value describe_reply(struct executing *executing)
{
    struct value map = value_map(executing->heap, 2);
    if (map.type == VALUE_MAP) {
        map_put_text(executing->heap, map.map, VIEW("status_code"), value_number(executing->exchange->status));
        map_put_text(executing->heap, map.map, VIEW("body"), value_text(executing->heap, executing->exchange->reply_body));
    }
    return map;
}

static struct value output_of(struct executing *executing, struct run *run)
{
    struct value output = value_null();
    struct buffer text;
    struct fail ignored;
    buffer_init(&text, run->out.max);
    if (!value_is_null(run->returned) && reply_output_text(run, run->returned, &text, &ignored)) {
        output = value_text(executing->heap, buffer_view(&text));
    }
    buffer_free(&text);
    return output;
}

static void describe(struct executing *executing, struct run *run, bool ok)
{
    struct fail ignored;
    struct map *response;
    struct value log;
    bool is_void = view_eq_nocase(run->function->info.return_type, VIEW("void"));
    if (!run_log_list(run, executing->heap, &log, &ignored)) {
        log = value_list(executing->heap, 0);
    }
    put(executing, "output", ok && !is_void ? output_of(executing, run) : value_null());
    put(executing, "output_type", value_text(executing->heap, is_void ? VIEW("void") : VIEW("string")));
    put(executing, "log", log);
    put(executing, "error", ok ? value_null() : describe_error(executing));
    put(executing, "reply", ok && reply_is_response(run, run->returned, &response) ? describe_reply(executing) : value_null());
    put(executing, "statements", value_number(vm_statements(run->vm)));
    put(executing, "duration_ms", value_number((clock_monotonic_ns() - run->begun_ns) / 1000000));
    put(executing, "run", value_text(executing->heap, view_of(executing->exchange->id)));
}

static bool run_function(struct executing *executing, struct fail *fail)
{
    struct run_options options = {.env = executing->env, .function = executing->function, .exchange = executing->exchange};
    struct value arguments = value_map(executing->heap, 4);
    if (arguments.type != VALUE_MAP || !take_arguments(executing, arguments.map, fail) ||
        !functions_pin(executing->env, &options.pin, fail)) {
        return false;
    }
    struct run *run = run_open(executing->host, &options, fail);
    if (!run) {
        functions_unpin(executing->env, options.pin);
        return false;
    }
    bool ok = run_bind(run, &executing->why);
    if (ok) {
        run->arguments = value_copy(&run->heap, arguments, &executing->why);
        ok = run->arguments.type == VALUE_MAP && call_run(run, "editor", &executing->why);
    }
    describe(executing, run, ok);
    run_close(run);
    return true;
}

// A script with errors is answered like one that fails, with its first error.
static void describe_broken(struct executing *executing)
{
    put(executing, "output", value_null());
    put(executing, "output_type", value_text(executing->heap, VIEW("void")));
    put(executing, "log", value_list(executing->heap, 0));
    put(executing, "error", describe_error(executing));
    put(executing, "reply", value_null());
}

bool host_editor_execute(struct host *host, const struct identity *who, const struct host_editor_script *script, struct heap *heap,
                         struct value *ret_reply, struct fail *fail)
{
    struct arena arena;
    struct function_source source = {.namespace = script->namespace.len ? script->namespace : VIEW("standalone"),
                                     .api_name = script->name,
                                     .file = VIEW("script.dg"),
                                     .source = script->source,
                                     .strict = host->options.strict};
    struct executing executing = {.host = host, .script = script, .source = &source, .heap = heap, .reply = value_map(heap, 8)};
    if (!manage_may(host, who, &executing.env, fail)) {
        return false;
    }
    fail_clear(&executing.why);
    bool ok = loop_fiber() ? loop_job(compile_job, &executing, fail) : (compile_job(&executing), true);
    if (ok && !executing.compiled) {
        describe_broken(&executing);
    } else if (ok) {
        arena_init(&arena, HOST_EXCHANGE_BYTES_MAX);
        struct exchange exchange = {.arena = &arena, .method = VIEW("POST"), .path = VIEW("/"), .body_read = true, .identity = *who};
        exchange_make_id(&exchange);
        executing.exchange = &exchange;
        ok = run_function(&executing, fail);
        arena_free(&arena);
        function_free(executing.function);
    }
    *ret_reply = executing.reply;
    return ok;
}
