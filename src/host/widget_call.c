// SPDX-License-Identifier: Apache-2.0
// What a widget asks of the server that no REST route answers: connector APIs, requests to the world, variables of its extension. Each is
// one line of Deluge, run as a script of that extension for the caller, under the limits of every run and with a line in the run log. So a
// widget can do here what a function of its extension can, and nothing else.
#include "host/inside.h"

enum { LINE_BYTES_MAX = 512 };

struct widget_call {
    struct host *host;
    struct host_env *env;
    struct exchange *exchange; // of the caller
    struct view namespace, task, name;
    const struct map *input;
    struct heap *heap; // of the answer
    struct fail *fail;
};

static bool has(const struct widget_call *call, const char *member)
{
    return call->input && !value_is_null(map_get_text(call->input, view_of(member)));
}

// A request to the world: {body, headers, connection, stream}; what is not given is not written.
static bool write_request(const struct widget_call *call, struct view method, struct buffer *out)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < BASE_COUNT(methods); i++) {
        if (!view_eq(method, view_of(methods[i]))) {
            continue;
        }
        buffer_printf(out, "map widget_request(string name, map input)\n{\n\treturn invokeurl [url: name type: %s", methods[i]);
        buffer_printf(out, "%s", has(call, "body") ? " parameters: input.get(\"body\")" : "");
        buffer_printf(out, "%s", has(call, "headers") ? " headers: input.get(\"headers\")" : "");
        buffer_printf(out, "%s", has(call, "connection") ? " connection: input.get(\"connection\")" : "");
        buffer_printf(out, " detailed: true];\n}\n");
        return true;
    }
    return fail_set(call->fail, FAIL_INVALID_DATA, "a request is GET, POST, PUT, PATCH or DELETE");
}

static bool write_source(const struct widget_call *call, struct buffer *out)
{
    if (view_eq(call->task, VIEW("connector"))) {
        buffer_printf(out, "map widget_connector(string name, map input)\n{\n\treturn zoho.crm.invokeConnector(name, input);\n}\n");
        return true;
    }
    if (view_eq(call->task, VIEW("variable"))) {
        buffer_printf(out, "string widget_variable(string name)\n{\n\treturn zoho.crm.getOrgVariable(name);\n}\n");
        return true;
    }
    if (view_eq(call->task, VIEW("request"))) {
        struct value method = call->input ? map_get_text(call->input, VIEW("method")) : value_null();
        return write_request(call, value_view_or(method, VIEW("GET")), out);
    }
    return fail_set(call->fail, FAIL_INVALID_DATA, "\"task\" is connector, variable, request, authorized or changes");
}

struct compiling {
    struct function_source source;
    struct function *function;
    struct fail *fail;
    bool ok;
};

static void compile_job(void *arg)
{
    struct compiling *compiling = arg;
    compiling->ok = function_compile(&compiling->source, &compiling->function, NULL, compiling->fail);
}

static bool compile(struct widget_call *call, struct view source, struct function **ret_function)
{
    struct compiling compiling = {.source = {.namespace = call->namespace, .file = VIEW("widget.dg"), .source = source},
                                  .fail = call->fail};
    if (!loop_job(compile_job, &compiling, call->fail) || !compiling.ok) {
        return false;
    }
    *ret_function = compiling.function;
    return true;
}

static void put(struct heap *heap, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, view_of(key), value);
    }
}

// A file goes to a page as {file_name, content_type, base64}.
static struct value file_value(struct heap *heap, const struct file *file)
{
    struct value map = value_map(heap, 3);
    size_t size = base64_size(file->bytes.len);
    char *digits = heap_alloc(heap, size + 1);
    if (digits) {
        size = base64_print(digits, file->bytes);
        put(heap, map, "file_name", file->name);
        put(heap, map, "content_type", file->type);
        put(heap, map, "base64", value_text(heap, (struct view){digits, size}));
    }
    return map;
}

// And comes from one so, as a member of the input: the body of a request.
static struct value file_given(struct heap *heap, const struct map *given)
{
    struct view digits = value_view_or(map_get_text(given, VIEW("base64")), VIEW_NONE);
    struct view type = value_view_or(map_get_text(given, VIEW("content_type")), VIEW("application/octet-stream"));
    struct view name = value_view_or(map_get_text(given, VIEW("file_name")), VIEW("file"));
    struct buffer bytes;
    buffer_init(&bytes, digits.len + 1);
    struct value file =
        digits.data && base64_read(digits, &bytes) && !bytes.failed ? value_file(heap, buffer_view(&bytes), name, type) : value_null();
    buffer_free(&bytes);
    return file;
}

static void take_files(struct heap *heap, struct map *input)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; input && (entry = map_next(input, &cursor));) {
        const struct map *given = value_as_map(entry->value);
        struct value file = given ? file_given(heap, given) : value_null();
        if (!value_is_null(file)) {
            entry->value = file;
        }
    }
}

static bool give_back(struct widget_call *call, struct run *run, struct value *ret_value)
{
    struct value returned = value_copy(call->heap, run->returned, call->fail);
    struct map *map = value_as_map(returned);
    struct value response = map ? map_get_text(map, VIEW("response")) : value_null();
    if (response.type == VALUE_FILE) {
        map_put_text(call->heap, map, VIEW("response"), file_value(call->heap, response.file));
    }
    *ret_value = returned;
    return !call->heap->failed || fail_set(call->fail, FAIL_MEMORY, "the answer is too long");
}

static bool run_it(struct widget_call *call, struct run *run, struct value *ret_value)
{
    struct fail why;
    struct value arguments = value_map(&run->heap, 2), input = {.type = VALUE_MAP, .map = (struct map *)call->input};
    fail_clear(&why);
    put(&run->heap, arguments, "name", value_text(&run->heap, call->name));
    struct value given = call->input ? value_copy(&run->heap, input, &why) : value_map(&run->heap, 0);
    take_files(&run->heap, value_as_map(given));
    put(&run->heap, arguments, "input", given);
    bool ok = !run->heap.failed && run_bind(run, &why);
    run->arguments = arguments; // binding found none in the request
    if (!ok || !call_run(run, "widget", &why)) {
        return fail_set(call->fail, why.code == FAIL_LIMIT ? FAIL_LIMIT_EXCEEDED : FAIL_INVALID_DATA, "%s", why.text);
    }
    return give_back(call, run, ret_value);
}

// The run has the request's id, so the caller finds its log.
static bool run_function(struct widget_call *call, const struct function *function, struct value *ret_value)
{
    struct arena arena;
    struct function_table *pin;
    arena_init(&arena, HOST_EXCHANGE_BYTES_MAX);
    struct exchange exchange = {
        .arena = &arena, .method = VIEW("POST"), .path = VIEW("/"), .body_read = true, .identity = call->exchange->identity};
    snprintf(exchange.id, sizeof exchange.id, "%s", call->exchange->id);
    struct run_options options = {.env = call->env, .function = function, .exchange = &exchange};
    bool ok = functions_pin(call->env, &pin, call->fail);
    options.pin = ok ? pin : NULL;
    struct run *run = ok ? run_open(call->host, &options, call->fail) : NULL;
    if (run) {
        ok = run_it(call, run, ret_value);
        run_close(run);
    } else if (ok) {
        functions_unpin(call->env, pin);
        ok = false;
    }
    arena_free(&arena);
    return ok;
}

bool host_widget_call(struct host *host, struct exchange *exchange, const struct host_widget_call *request, struct heap *heap,
                      struct value *ret_value, struct fail *fail)
{
    struct buffer source;
    struct function *function = NULL;
    struct widget_call call = {.host = host,
                               .exchange = exchange,
                               .namespace = request->namespace,
                               .task = request->task,
                               .name = request->name,
                               .input = request->input,
                               .heap = heap,
                               .fail = fail};
    fail_clear(fail);
    buffer_init(&source, LINE_BYTES_MAX);
    bool ok = host_env_of(host, &exchange->identity, &call.env, fail) && write_source(&call, &source) &&
              compile(&call, buffer_view(&source), &function);
    if (ok) {
        snprintf(function->namespace, sizeof function->namespace, "%.*s", VIEW_ARGS(request->namespace));
        ok = run_function(&call, function, ret_value);
        function_free(function);
    }
    buffer_free(&source);
    return ok;
}
