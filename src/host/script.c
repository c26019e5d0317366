// SPDX-License-Identifier: Apache-2.0
// `sluice run`: one script file as it stands, without being published. The run sees the same objects and services as a stored function's.
#include "host/inside.h"

bool run_log_list(struct run *run, struct heap *heap, struct value *ret_log, struct fail *fail)
{
    struct buffer text;
    buffer_init(&text, run->log.max + 2);
    buffer_add_char(&text, '[');
    buffer_add(&text, run->log.data ? buffer_view(&run->log) : VIEW(""));
    buffer_add_char(&text, ']');
    bool ok = !text.failed && json_read(heap, buffer_view(&text), ret_log, fail);
    buffer_free(&text);
    return ok || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool give_output(struct run *run, struct value value, struct heap *heap, struct host_script_result *result, struct fail *fail)
{
    bool is_void = view_eq_nocase(run->function->info.return_type, VIEW("void"));
    struct buffer text;
    buffer_init(&text, run->out.max);
    result->output_type = is_void ? VIEW("void") : VIEW("string");
    result->output = value_null();
    bool ok = true;
    if (!is_void && !value_is_null(value)) {
        ok = reply_output_text(run, value, &text, fail);
        result->output = value_text(heap, buffer_view(&text));
    }
    buffer_free(&text);
    return ok;
}

static void give_reply(struct run *run, struct heap *heap, struct host_script_result *result)
{
    const struct exchange *exchange = run->exchange;
    struct value headers = value_map(heap, (size_t)exchange->reply_header_count + 1);
    result->status = exchange->status;
    if (headers.type == VALUE_MAP) {
        map_put_text(heap, headers.map, VIEW("Content-Type"), value_text(heap, exchange->reply_type));
        for (int i = 0; i < exchange->reply_header_count; i++) {
            map_put_text(heap, headers.map, exchange->reply_headers[i].name, value_text(heap, exchange->reply_headers[i].value));
        }
    }
    result->reply_headers = headers;
    struct value body = value_text(heap, exchange->reply_body);
    result->reply_body = value_view_or(body, VIEW(""));
}

static bool run_script(struct host *host, struct host_env *env, const struct function *function, const struct host_script *script,
                       struct heap *heap, struct host_script_result *result, struct fail *fail)
{
    struct run_options options = {.env = env, .function = function, .exchange = script->exchange};
    if (!functions_pin(env, &options.pin, fail)) {
        return false;
    }
    struct run *run = run_open(host, &options, fail);
    if (!run) {
        functions_unpin(env, options.pin);
        return false;
    }
    run->on_log = script->log;
    run->on_log_user = script->user;
    struct value value = value_null();
    struct map *response;
    bool ok = run_bind(run, fail);
    if (ok && script->has_file) {
        run_bind_file(run, script->file_content);
    }
    if (ok && !value_is_null(script->arguments)) {
        run->arguments = value_copy(&run->heap, script->arguments, fail);
        ok = run->arguments.type == VALUE_MAP;
    }
    ok = ok && run_call(run, &value, fail) && reply_value(run, value, fail) && give_output(run, value, heap, result, fail);
    if (!ok) {
        reply_failure(run, fail);
    }
    struct fail log_fail;
    result->has_reply = ok && function->api_version == 2 && reply_is_response(run, value, &response);
    give_reply(run, heap, result);
    result->statements = vm_statements(run->vm);
    result->function = ok ? VIEW("") : value_view_or(value_text(heap, vm_current_function(run->vm)), VIEW(""));
    if (!run_log_list(run, heap, &result->log, &log_fail)) {
        result->log = value_list(heap, 0);
    }
    run_close(run);
    return ok;
}

struct compile_request {
    const struct function_source *source;
    struct function *function;
    struct diagnostics *diagnostics;
    struct fail *fail;
    bool ok;
};

static void compile_job(void *arg)
{
    struct compile_request *request = arg;
    request->ok = function_compile(request->source, &request->function, request->diagnostics, request->fail);
}

bool host_script_run(struct host *host, const struct host_script *script, struct heap *heap, struct host_script_result *ret_result,
                     struct fail *fail)
{
    struct function_source source = {
        .namespace = VIEW("standalone"),
        .file = view_of(script->file),
        .source = script->source,
        .api_version = script->v1 ? 1 : 0,
        .strict = script->strict,
    };
    struct compile_request request = {.source = &source, .fail = fail, .diagnostics = script->diagnostics};
    struct host_env *env;
    *ret_result = (struct host_script_result){
        .output = value_null(), .output_type = VIEW("void"), .log = value_list(heap, 0), .reply_headers = value_map(heap, 0)};
    if (!host_env_default(host, &env, fail)) {
        return false;
    }
    if (!(loop_fiber() ? loop_job(compile_job, &request, fail) : (compile_job(&request), true)) || !request.ok) {
        return false;
    }
    bool ok = run_script(host, env, request.function, script, heap, ret_result, fail);
    function_free(request.function);
    return ok;
}
