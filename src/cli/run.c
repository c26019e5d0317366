// SPDX-License-Identifier: Apache-2.0
// `sluice run`: one script without a port. Log lines go to standard error as they happen, the output to standard output (PRODUCT,
// Commands).
#include "cli/request.h"

#include "loop/loop.h"
#include "web/web.h"

#include <stdlib.h>

struct running {
    const struct cli_args *args;
    struct cli_settings settings;
    const char *path;
    struct view source;
    struct cli_request request;
    int code;
    bool json;
};

static void print_log(void *user, int line, struct view text)
{
    (void)user;
    (void)line;
    fprintf(stderr, "%.*s\n", VIEW_ARGS(text));
}

// ---- errors: where, what, and the line itself ---------------------------------------------------

static void print_source_line(const struct running *running, int line)
{
    struct view rest = running->source, text = VIEW("");
    for (int i = 0; i < line && rest.len; i++) {
        text = view_cut(&rest, '\n');
    }
    if (line > 0) {
        fprintf(stderr, "    %.*s\n", VIEW_ARGS(view_trim(text)));
    }
}

static void print_failure(const struct running *running, const struct fail *fail, const struct diagnostics *found)
{
    if (fail->code != FAIL_COMPILE) {
        if (fail->line) {
            fprintf(stderr, "%s:%d: %s\n", fail->file[0] ? fail->file : running->path, fail->line, fail->text);
        } else {
            fprintf(stderr, "%s: %s\n", running->path, fail->text);
        }
        print_source_line(running, fail->line);
        return;
    }
    for (int i = 0; i < found->count; i++) {
        const struct diagnostic *item = &found->items[i];
        if (item->level == DIAGNOSTIC_ERROR) {
            fprintf(stderr, "%s:%d:%d: error: %.*s\n", running->path, item->line, item->column, VIEW_ARGS(item->text));
            print_source_line(running, item->line);
        }
    }
    if (!found->errors) {
        fprintf(stderr, "%s:%d:%d: error: %s\n", running->path, fail->line ? fail->line : 1, fail->column ? fail->column : 1, fail->text);
    }
}

// ---- JSON ---------------------------------------------------------------------------------------

static struct value error_value(struct heap *heap, const struct running *running, struct view function, const struct fail *fail)
{
    struct value map = value_map(heap, 4);
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, VIEW("message"), value_text(heap, view_of(fail->text)));
        map_put_text(heap, map.map, VIEW("file"), value_text(heap, view_of(fail->file[0] ? fail->file : running->path)));
        map_put_text(heap, map.map, VIEW("line"), value_number(fail->line));
        map_put_text(heap, map.map, VIEW("function"), value_text(heap, function));
    }
    return map;
}

static void print_json(struct heap *heap, const struct running *running, const struct host_script_result *result, const struct fail *fail)
{
    struct value map = value_map(heap, 6), reply = value_map(heap, 3);
    if (map.type != VALUE_MAP || reply.type != VALUE_MAP) {
        return;
    }
    map_put_text(heap, reply.map, VIEW("status_code"), value_number(result->status));
    map_put_text(heap, reply.map, VIEW("headers"), result->reply_headers);
    map_put_text(heap, reply.map, VIEW("body"), value_text(heap, result->reply_body));
    map_put_text(heap, map.map, VIEW("output"), result->output);
    map_put_text(heap, map.map, VIEW("output_type"), value_text(heap, result->output_type));
    map_put_text(heap, map.map, VIEW("log"), result->log);
    map_put_text(heap, map.map, VIEW("reply"), result->status ? reply : value_null());
    map_put_text(heap, map.map, VIEW("statements"), value_number(result->statements));
    map_put_text(heap, map.map, VIEW("error"), fail ? error_value(heap, running, result->function, fail) : value_null());
    cli_print_json(map);
}

static void print_plain(const struct host_script_result *result)
{
    struct view output = result->has_reply ? result->reply_body : value_view_or(result->output, VIEW("null"));
    if (result->has_reply || !view_eq(result->output_type, VIEW("void"))) {
        fwrite(output.data ? output.data : "", 1, output.len, stdout);
        putchar('\n');
    }
}

// ---- the run ------------------------------------------------------------------------------------

static bool read_inputs(struct running *running, struct heap *heap, struct host_script *script, char **ret_file, struct fail *fail)
{
    const char *arguments = cli_flag(running->args, "--arguments"), *file = cli_flag(running->args, "--file");
    script->arguments = value_null();
    if (arguments && (!json_read_lenient(heap, view_of(arguments), &script->arguments, fail) || script->arguments.type != VALUE_MAP)) {
        return fail_set(fail, FAIL_USAGE, "--arguments takes a JSON object");
    }
    size_t len = 0;
    if (file && !cli_read_file(file, 1 << 30, ret_file, &len, fail)) {
        return false;
    }
    script->has_file = file != NULL;
    script->file_content = (struct view){*ret_file, len};
    return true;
}

static int run_script(struct running *running, struct host *host, struct heap *heap, struct diagnostics *found)
{
    struct arena arena;
    struct fail fail;
    char *file = NULL;
    fail_clear(&fail);
    arena_init(&arena, 1 << 30);
    struct exchange exchange = {
        .arena = &arena,
        .method = view_of(running->request.method),
        .path = VIEW("/"),
        .query = buffer_view(&running->request.query),
        .headers = running->request.headers,
        .header_count = running->request.header_count,
        .body = running->request.body,
        .body_read = true,
        .local = true,
        .identity = {.kind = IDENTITY_ZAPIKEY, .org = "default", .environment = "production", .namespace = "standalone", .org_number = 1},
    };
    exchange_make_id(&exchange);
    exchange.content_type = exchange_header(&exchange, VIEW("content-type"));
    struct host_script script = {.file = running->path,
                                 .source = running->source,
                                 .exchange = &exchange,
                                 .v1 = cli_flag(running->args, "--v1") != NULL,
                                 .strict = cli_flag(running->args, "--strict") != NULL || running->settings.strict,
                                 .diagnostics = found,
                                 .log = running->json ? NULL : print_log};
    struct host_script_result result = {0};
    int code = CLI_USAGE;
    if (!read_inputs(running, heap, &script, &file, &fail)) {
        cli_failed(&fail);
    } else {
        bool ok = host_script_run(host, &script, heap, &result, &fail);
        code = ok ? CLI_OK : CLI_FAILED;
        if (running->json) {
            print_json(heap, running, &result, ok ? NULL : &fail);
        } else if (ok) {
            print_plain(&result);
        } else {
            print_failure(running, &fail, found);
        }
    }
    free(file);
    arena_free(&arena);
    return code;
}

static void run_on_loop(void *arg)
{
    struct running *running = arg;
    struct fail fail;
    struct host *host;
    struct web *web = NULL;
    struct heap heap;
    struct arena arena;
    struct host_options options = settings_host_options(&running->settings);
    struct diagnostics *found = calloc(1, sizeof *found);
    options.data_folder = cli_flag(running->args, "--data");
    options.outbound_loopback = true;
    fail_clear(&fail);
    heap_init(&heap, 2U << 30, NULL);
    arena_init(&arena, 64 << 20);
    if (!found || !host_open(&options, &host, &fail)) {
        running->code = cli_failed(&fail);
    } else {
        found->arena = &arena;
        running->code = web_open_inside(host, &web, &fail) ? run_script(running, host, &heap, found) : cli_failed(&fail);
        if (web) {
            web_close(web);
        }
        host_close(host);
    }
    free(found);
    heap_free(&heap);
    arena_free(&arena);
    loop_stop();
}

static bool apply_limits(struct running *running, struct fail *fail)
{
    int cursor = 0;
    for (const char *assignment; (assignment = cli_flag_next(running->args, "--limit", &cursor));) {
        if (!settings_limit(&running->settings, assignment, fail)) {
            return false;
        }
    }
    return true;
}

int verb_run(const struct cli_args *args)
{
    struct running *running = calloc(1, sizeof *running);
    struct fail fail;
    char *data = NULL;
    size_t len;
    if (!running) {
        return CLI_FAILED;
    }
    running->args = args;
    running->path = args->words[0];
    running->json = cli_flag(args, "--json") != NULL;
    bool loaded = settings_load(args, cli_flag(args, "--data") != NULL, &running->settings, &fail);
    bool ready = loaded && apply_limits(running, &fail) && cli_read_file(running->path, SOURCE_BYTES_MAX, &data, &len, &fail) &&
                 cli_request_read(args, &running->request, &fail);
    if (!ready) {
        cli_failed(&fail);
        running->code = CLI_USAGE;
    } else {
        running->source = (struct view){data, len};
        if (!loop_start(1, &fail) || !loop_run(run_on_loop, running, &fail)) {
            running->code = cli_failed(&fail);
        }
        cli_request_free(&running->request);
    }
    if (loaded) {
        settings_free(&running->settings);
    }
    int code = running->code;
    free(data);
    free(running);
    return code;
}
