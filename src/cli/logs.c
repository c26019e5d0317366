// SPDX-License-Identifier: Apache-2.0
// `sluice logs` and `sluice call`: runs as the run log keeps them, and a call with its reply and its log.
#include "cli/request.h"

#include <time.h>

enum { LOGS_BYTES_MAX = 512 << 20, LOGS_MAX = 10000, FOLLOW_MS = 500, CALL_LOG_TRIES = 40 };

static struct view text_of(const struct map *map, const char *key)
{
    return map ? value_view_or(map_get_text(map, view_of(key)), VIEW("")) : VIEW("");
}

static int64_t number_of(const struct map *map, const char *key)
{
    struct value v = map_get_text(map, view_of(key));
    return v.type == VALUE_NUMBER ? v.number : 0;
}

static void print_log_lines(const struct map *run, FILE *out, const char *indent)
{
    const struct list *lines = value_as_list(map_get_text(run, VIEW("log")));
    for (uint32_t i = 0; lines && i < lines->count; i++) {
        const struct map *line = value_as_map(lines->items[i]);
        fprintf(out, "%s%lld: %.*s\n", indent, (long long)number_of(line, "line"), VIEW_ARGS(text_of(line, "text")));
    }
    const struct map *error = value_as_map(map_get_text(run, VIEW("error")));
    if (error) {
        long long at = number_of(error, "line"); // 0: refused before anything ran
        fprintf(out, "%serror", indent);
        if (at) {
            fprintf(out, " at line %lld", at);
        }
        fprintf(out, ": %.*s\n", VIEW_ARGS(text_of(error, "message")));
    }
}

static void print_run(struct value value, bool json)
{
    const struct map *run = value_as_map(value);
    if (json || !run) {
        cli_print_json(value);
        return;
    }
    struct value duration = map_get_text(run, VIEW("duration_ms"));
    double duration_ms = duration.type == VALUE_DECIMAL ? duration.decimal : (double)number_of(run, "duration_ms");
    printf("%.*s %.*s %.*s %lld %.*s %.3f ms, %lld statements, %.*s\n", VIEW_ARGS(text_of(run, "time")), VIEW_ARGS(text_of(run, "method")),
           VIEW_ARGS(text_of(run, "function")), (long long)number_of(run, "status"), VIEW_ARGS(text_of(run, "outcome")), duration_ms,
           (long long)number_of(run, "statements"), VIEW_ARGS(text_of(run, "id")));
    print_log_lines(run, stdout, "  ");
}

static bool fetch_runs(struct client *client, const struct cli_args *args, const char *name, int64_t after, const char *limit,
                       struct heap *heap, const struct map **ret_answer, struct fail *fail)
{
    struct buffer target;
    struct value answer;
    buffer_init(&target, 65536);
    buffer_printf(&target, "/control/logs?after=%lld&limit=", (long long)after);
    form_encode(&target, view_of(limit), true);
    if (name) {
        buffer_add(&target, VIEW("&function="));
        form_encode(&target, view_of(name), true);
    }
    if (args && cli_flag(args, "--failures")) {
        buffer_add(&target, VIEW("&failures=true"));
    }
    bool ok = client_json(client, "GET", buffer_view(&target), VIEW(""), heap, &answer, fail);
    buffer_free(&target);
    if (ok) {
        *ret_answer = value_as_map(answer);
    }
    return ok && (*ret_answer || fail_set(fail, FAIL_IO, "the server's answer cannot be read"));
}

static int print_runs(struct client *client, const struct cli_args *args)
{
    const char *limit = cli_flag(args, "--limit") ? cli_flag(args, "--limit") : "100";
    bool follow = cli_flag(args, "-f") != NULL, json = cli_flag(args, "--json") != NULL;
    int64_t after = 0;
    struct fail fail;
    if (follow && !client_is_remote(client)) {
        fail_set(&fail, FAIL_NOT_FOUND, "no server runs here, so there is nothing to follow");
        return cli_failed(&fail);
    }
    do {
        struct heap heap;
        const struct map *answer;
        heap_init(&heap, LOGS_BYTES_MAX, NULL);
        if (!fetch_runs(client, args, args->word_count ? args->words[0] : NULL, after, limit, &heap, &answer, &fail)) {
            heap_free(&heap);
            return cli_failed(&fail);
        }
        const struct list *runs = value_as_list(map_get_text(answer, VIEW("runs")));
        for (uint32_t i = 0; runs && i < runs->count; i++) {
            print_run(runs->items[i], json);
        }
        after = number_of(answer, "last");
        fflush(stdout);
        heap_free(&heap);
        if (follow) {
            nanosleep(&(struct timespec){.tv_nsec = FOLLOW_MS * 1000000L}, NULL);
        }
    } while (follow && !ferror(stdout));
    return CLI_OK;
}

static void print_audit_line(struct value value, bool json)
{
    const struct map *entry = value_as_map(value);
    if (json || !entry) {
        cli_print_json(value);
        return;
    }
    printf("%.*s %.*s %.*s %.*s %.*s/%.*s %.*s\n", VIEW_ARGS(text_of(entry, "time")), VIEW_ARGS(text_of(entry, "actor")),
           VIEW_ARGS(text_of(entry, "action")), VIEW_ARGS(text_of(entry, "subject")), VIEW_ARGS(text_of(entry, "org")),
           VIEW_ARGS(text_of(entry, "environment")), VIEW_ARGS(text_of(entry, "outcome")));
}

static int print_audit(struct client *client, const struct cli_args *args)
{
    const char *limit = cli_flag(args, "--limit") ? cli_flag(args, "--limit") : "100";
    char target[64];
    struct heap heap;
    struct value answer;
    struct fail fail;
    heap_init(&heap, LOGS_BYTES_MAX, NULL);
    snprintf(target, sizeof target, "/control/audit?limit=%s", limit);
    bool ok = client_json(client, "GET", view_of(target), VIEW(""), &heap, &answer, &fail);
    const struct list *entries = ok && value_as_map(answer) ? value_as_list(map_get_text(value_as_map(answer), VIEW("audit"))) : NULL;
    for (uint32_t i = 0; entries && i < entries->count; i++) {
        print_audit_line(entries->items[i], cli_flag(args, "--json") != NULL);
    }
    heap_free(&heap);
    return ok ? CLI_OK : cli_failed(&fail);
}

int verb_logs(const struct cli_args *args)
{
    const char *limit = cli_flag(args, "--limit");
    int64_t number;
    if (limit && (!view_to_int64(view_of(limit), &number) || number < 1 || number > LOGS_MAX)) {
        return cli_usage_error(args, "--limit takes a number from 1 to %d", LOGS_MAX);
    }
    bool audit = cli_flag(args, "--audit") != NULL;
    if (audit && (args->word_count || cli_flag(args, "-f") || cli_flag(args, "--failures"))) {
        return cli_usage_error(args, "--audit goes with --limit and --json only");
    }
    return client_run(args, audit ? print_audit : print_runs);
}

// ---- call ---------------------------------------------------------------------------------------

static struct view header_of(struct view head, struct view name)
{
    while (head.len) {
        struct view value = view_cut(&head, '\n'), key = view_cut(&value, ':');
        if (view_eq_nocase(view_trim(key), name)) {
            return view_trim(value);
        }
    }
    return VIEW_NONE;
}

// The run behind a reply; the run log is written behind it, so it may take a moment.
static bool find_run(struct client *client, struct view id, struct heap *heap, struct value *ret_run)
{
    struct fail fail;
    for (int i = 0; i < CALL_LOG_TRIES; i++) {
        const struct map *answer;
        if (!fetch_runs(client, NULL, NULL, 0, "1000", heap, &answer, &fail)) {
            return false;
        }
        const struct list *runs = value_as_list(map_get_text(answer, VIEW("runs")));
        for (uint32_t k = runs ? runs->count : 0; k > 0; k--) {
            if (view_eq(text_of(value_as_map(runs->items[k - 1]), "id"), id)) {
                *ret_run = runs->items[k - 1];
                return true;
            }
        }
        heap_reset(heap);
    }
    return false;
}

static void print_reply(const struct client_reply *reply)
{
    printf("status: %d\n", reply->status);
    struct view head = buffer_view(&reply->head);
    while (head.len) {
        struct view line = view_trim(view_cut(&head, '\n'));
        if (line.len) {
            printf("%.*s\n", VIEW_ARGS(line));
        }
    }
    printf("\n%.*s\n", VIEW_ARGS(buffer_view(&reply->body)));
}

static void print_reply_json(struct heap *heap, const struct client_reply *reply, struct value run)
{
    struct value map = value_map(heap, 4), headers = value_map(heap, 8);
    if (map.type != VALUE_MAP || headers.type != VALUE_MAP) {
        return;
    }
    struct view head = buffer_view(&reply->head);
    while (head.len) {
        struct view value = view_trim(view_cut(&head, '\n')), name = view_cut(&value, ':');
        if (name.len) {
            map_put_text(heap, headers.map, name, value_text(heap, view_trim(value)));
        }
    }
    map_put_text(heap, map.map, VIEW("status_code"), value_number(reply->status));
    map_put_text(heap, map.map, VIEW("headers"), headers);
    map_put_text(heap, map.map, VIEW("body"), value_text(heap, buffer_view(&reply->body)));
    map_put_text(heap, map.map, VIEW("run"), run);
    cli_print_json(map);
}

static int call_function(struct client *client, const struct cli_args *args)
{
    struct cli_request flags;
    struct client_reply reply;
    struct heap heap;
    struct fail fail;
    struct buffer target;
    if (!cli_request_read(args, &flags, &fail)) {
        cli_failed(&fail);
        return CLI_USAGE;
    }
    buffer_init(&target, 4 << 20);
    buffer_add(&target, VIEW("/crm/v2/functions/"));
    form_encode(&target, view_of(args->words[0]), false);
    buffer_add(&target, VIEW("/actions/execute?"));
    buffer_add(&target, flags.query.data ? buffer_view(&flags.query) : VIEW(""));
    if (cli_flag(args, "--arguments")) {
        buffer_add(&target, flags.query.len ? VIEW("&arguments=") : VIEW("arguments="));
        form_encode(&target, view_of(cli_flag(args, "--arguments")), true);
    }
    if (client_is_elsewhere(client) && !cli_flag(args, "--org") && flags.header_count < HOST_HEADERS_MAX) {
        // The operator's token calls as the owner does here, functions of every kind; any other one acts in its own org all the same.
        flags.headers[flags.header_count++] = (struct exchange_header){VIEW("x-sluice-org"), VIEW("default")};
    }
    if (cli_flag(args, "--record") && flags.header_count < HOST_HEADERS_MAX) {
        flags.headers[flags.header_count++] = (struct exchange_header){VIEW("x-sluice-record"), view_of(cli_flag(args, "--record"))};
    }
    struct client_request request = {.method = flags.method,
                                     .target = buffer_view(&target),
                                     .headers = flags.headers,
                                     .header_count = flags.header_count,
                                     .body = flags.body};
    int code = CLI_FAILED;
    heap_init(&heap, LOGS_BYTES_MAX, NULL);
    if (!client_send(client, &request, &reply, &fail)) {
        cli_failed(&fail);
    } else {
        struct value run = value_null();
        bool found = find_run(client, header_of(buffer_view(&reply.head), VIEW("x-request-id")), &heap, &run);
        if (cli_flag(args, "--json")) {
            print_reply_json(&heap, &reply, run);
        } else {
            print_reply(&reply);
            if (found) {
                print_log_lines(value_as_map(run), stderr, "");
            }
        }
        const struct map *map = value_as_map(run);
        code = reply.status >= 400 || (map && !view_eq(text_of(map, "outcome"), VIEW("ok"))) ? CLI_FAILED : CLI_OK;
        client_reply_free(&reply);
    }
    heap_free(&heap);
    buffer_free(&target);
    cli_request_free(&flags);
    return code;
}

int verb_call(const struct cli_args *args)
{
    return client_run(args, call_function);
}
