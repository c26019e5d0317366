// SPDX-License-Identifier: Apache-2.0
// `sluice schedule set|list|remove|run`: functions that run by the clock.
#include "cli/cli.h"

static void print_schedule(const struct map *map)
{
    struct view last = cli_text(map, "last_time"), extension = cli_text(map, "extension");
    struct value running = map_get_text(map, VIEW("running"));
    printf("%.*s \"%.*s\" %.*s, missed runs: %.*s", VIEW_ARGS(cli_text(map, "function")), VIEW_ARGS(cli_text(map, "cron")),
           VIEW_ARGS(cli_text(map, "zone")), VIEW_ARGS(cli_text(map, "missed")));
    printf(extension.len ? " (of the extension %.*s)\n" : "%.*s\n", VIEW_ARGS(extension));
    printf("  next %.*s", VIEW_ARGS(cli_text(map, "next_time")));
    if (last.len) {
        printf(", last %.*s %.*s", VIEW_ARGS(last), VIEW_ARGS(cli_text(map, "last_outcome")));
    }
    printf("%s\n", running.type == VALUE_BOOL && running.boolean ? ", running now" : "");
}

static void print_one(struct value answer)
{
    print_schedule(value_as_map(answer));
}

static void print_list(struct value answer)
{
    const struct list *list = value_as_list(answer);
    for (uint32_t i = 0; list && i < list->count; i++) {
        print_schedule(value_as_map(list->items[i]));
    }
}

static void print_removed(struct value answer)
{
    printf("removed %.*s\n", VIEW_ARGS(cli_text(value_as_map(answer), "function")));
}

static void add_text(struct buffer *body, const char *member, const char *value)
{
    if (value) {
        buffer_printf(body, "%s\"%s\":", body->len > 1 ? "," : "", member);
        json_write_text(body, view_of(value));
    }
}

static int set(struct client *client, const struct cli_args *args)
{
    struct buffer body;
    buffer_init(&body, 65536);
    buffer_add_char(&body, '{');
    add_text(&body, "cron", args->words[1]);
    add_text(&body, "missed", cli_flag(args, "--missed"));
    add_text(&body, "zone", cli_flag(args, "--zone"));
    buffer_add_char(&body, '}');
    int code = client_ask(
        client, args,
        &(struct client_question){
            .method = "PUT", .path = "/control/schedules/", .word = args->words[0], .body = buffer_view(&body), .print = print_one});
    buffer_free(&body);
    return code;
}

static int list(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args, &(struct client_question){.method = "GET", .path = "/control/schedules", .print = print_list});
}

static int remove_one(struct client *client, const struct cli_args *args)
{
    return client_ask(
        client, args,
        &(struct client_question){.method = "DELETE", .path = "/control/schedules/", .word = args->words[0], .print = print_removed});
}

// ---- run ----------------------------------------------------------------------------------------

static void print_run(const struct map *run)
{
    const struct list *lines = value_as_list(map_get_text(run, VIEW("log")));
    struct view error = cli_text(run, "error");
    for (uint32_t i = 0; lines && i < lines->count; i++) {
        const struct map *line = value_as_map(lines->items[i]);
        fprintf(stderr, "%lld: %.*s\n", (long long)map_get_text(line, VIEW("line")).number, VIEW_ARGS(cli_text(line, "text")));
    }
    if (error.len) {
        fprintf(stderr, "error: %.*s\n", VIEW_ARGS(error));
    }
    printf("%.*s %.*s\n", VIEW_ARGS(cli_text(run, "outcome")), VIEW_ARGS(cli_text(run, "id")));
}

static int run_one(struct client *client, const struct cli_args *args)
{
    enum { ANSWER_BYTES_MAX = 64 << 20 };
    struct heap heap;
    struct fail fail;
    struct value answer;
    struct buffer target;
    int code = CLI_FAILED;
    heap_init(&heap, ANSWER_BYTES_MAX, NULL);
    buffer_init(&target, 65536);
    buffer_add(&target, VIEW("/control/schedules/"));
    form_encode(&target, view_of(args->words[0]), false);
    buffer_add(&target, VIEW("/run"));
    if (!client_json(client, "POST", buffer_view(&target), VIEW(""), &heap, &answer, &fail) || !value_as_map(answer)) {
        cli_failed(&fail);
    } else {
        const struct map *run = value_as_map(answer);
        if (cli_flag(args, "--json")) {
            cli_print_json(answer);
        } else {
            print_run(run);
        }
        code = view_eq(cli_text(run, "outcome"), VIEW("ok")) ? CLI_OK : CLI_FAILED;
    }
    buffer_free(&target);
    heap_free(&heap);
    return code;
}

int verb_schedule_set(const struct cli_args *args)
{
    return client_run(args, set);
}

int verb_schedule_list(const struct cli_args *args)
{
    return client_run(args, list);
}

int verb_schedule_remove(const struct cli_args *args)
{
    return client_run(args, remove_one);
}

int verb_schedule_run(const struct cli_args *args)
{
    return client_run(args, run_one);
}
