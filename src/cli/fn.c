// SPDX-License-Identifier: Apache-2.0
// `sluice fn put|list|show|remove|history|restore`: functions of an org.
#include "cli/cli.h"

#include <stdlib.h>

enum { BODY_BYTES_MAX = 256 << 20, FILE_BYTES_MAX = 8 << 20 };

// ---- printing -----------------------------------------------------------------------------------

static void print_function(const struct map *map)
{
    struct value live = map_get_text(map, VIEW("live"));
    printf("%.*s %.*s", VIEW_ARGS(cli_text(map, "version")), VIEW_ARGS(cli_text(map, "name")));
    fputs(live.type == VALUE_BOOL && !live.boolean ? " (the newest save has errors and does not answer)" : "", stdout);
    struct view url = cli_text(map, "url");
    printf(url.len ? "\n  %.*s\n" : "%.*s\n", VIEW_ARGS(url));
}

static void print_list(struct value answer)
{
    const struct list *list = value_as_list(answer);
    for (uint32_t i = 0; list && i < list->count; i++) {
        print_function(value_as_map(list->items[i]));
    }
}

static void print_put(struct value answer)
{
    const struct map *map = value_as_map(answer);
    const struct list *list = map ? value_as_list(map_get_text(map, VIEW("functions"))) : NULL;
    for (uint32_t i = 0; list && i < list->count; i++) {
        printf("put ");
        print_function(value_as_map(list->items[i]));
    }
}

static void print_shown(struct value answer)
{
    print_function(value_as_map(answer));
}

static void print_source(struct value answer)
{
    struct view source = cli_text(value_as_map(answer), "source");
    fwrite(source.data, 1, source.len, stdout);
    if (source.len && source.data[source.len - 1] != '\n') {
        putchar('\n');
    }
}

static void print_removed(struct value answer)
{
    printf("removed %.*s\n", VIEW_ARGS(cli_text(value_as_map(answer), "name")));
}

static void print_history(struct value answer)
{
    const struct list *list = value_as_list(answer);
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct map *map = value_as_map(list->items[i]);
        printf("%lld %.*s %zu bytes\n", (long long)map_get_text(map, VIEW("number")).number, VIEW_ARGS(cli_text(map, "saved_time")),
               cli_text(map, "source").len);
    }
}

// ---- put ----------------------------------------------------------------------------------------

static bool add_source(const char *path, bool first, struct buffer *body, struct fail *fail)
{
    char *data;
    size_t len;
    if (!cli_read_file(path, FILE_BYTES_MAX, &data, &len, fail)) {
        return false;
    }
    struct view source = {data, len};
    bool good = utf8_valid(source) || fail_set(fail, FAIL_INVALID_DATA, "%s: is not UTF-8 text", path);
    if (good) {
        buffer_add(body, first ? VIEW("{\"file\":") : VIEW(",{\"file\":"));
        json_write_text(body, view_of(path));
        buffer_add(body, VIEW(",\"source\":"));
        json_write_text(body, source);
        buffer_add_char(body, '}');
    }
    free(data);
    return good;
}

// on and off, nothing else.
static bool add_switch(const struct cli_args *args, const char *flag, const char *member, struct buffer *body, struct fail *fail)
{
    const char *value = cli_flag(args, flag);
    if (!value) {
        return true;
    }
    bool on = strcmp(value, "on") == 0;
    buffer_printf(body, ",\"%s\":%s", member, on ? "true" : "false");
    return on || strcmp(value, "off") == 0 || fail_set(fail, FAIL_USAGE, "%s is on or off", flag);
}

static void add_text(const struct cli_args *args, const char *flag, const char *member, struct buffer *body)
{
    const char *value = cli_flag(args, flag);
    if (value) {
        buffer_printf(body, ",\"%s\":", member);
        json_write_text(body, view_of(value));
    }
}

static bool write_put(const struct cli_args *args, struct buffer *body, struct fail *fail)
{
    bool ok = true;
    buffer_add(body, VIEW("{\"functions\":["));
    for (int i = 0; ok && i < args->word_count; i++) {
        ok = add_source(args->words[i], i == 0, body, fail);
    }
    buffer_add_char(body, ']');
    add_text(args, "--kind", "kind", body);
    add_text(args, "--name", "name", body);
    ok = ok && add_switch(args, "--apikey", "apikey", body, fail) && add_switch(args, "--oauth", "oauth", body, fail);
    buffer_add_char(body, '}');
    return ok && (!body->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

static int put(struct client *client, const struct cli_args *args)
{
    struct buffer body;
    struct fail fail;
    buffer_init(&body, BODY_BYTES_MAX);
    int code =
        write_put(args, &body, &fail)
            ? client_ask(client, args,
                         &(struct client_question){.method = "POST", .path = "/control/fn", .body = buffer_view(&body), .print = print_put})
            : cli_failed(&fail);
    buffer_free(&body);
    return code;
}

int verb_fn_put(const struct cli_args *args)
{
    return client_run(args, put);
}

// ---- the others ---------------------------------------------------------------------------------

static int list(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args, &(struct client_question){.method = "GET", .path = "/control/fn", .print = print_list});
}

static int show(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args,
                      &(struct client_question){.method = "GET",
                                                .path = "/control/fn/",
                                                .word = args->words[0],
                                                .print = cli_flag(args, "--source") ? print_source : print_shown});
}

static int remove_one(struct client *client, const struct cli_args *args)
{
    return client_ask(
        client, args,
        &(struct client_question){.method = "DELETE", .path = "/control/fn/", .word = args->words[0], .print = print_removed});
}

static int history(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args,
                      &(struct client_question){
                          .method = "GET", .path = "/control/fn/", .word = args->words[0], .path_end = "/history", .print = print_history});
}

static int restore(struct client *client, const struct cli_args *args)
{
    struct buffer end;
    buffer_init(&end, 4096);
    buffer_add(&end, VIEW("/restore/"));
    form_encode(&end, view_of(args->words[1]), false);
    int code = client_ask(
        client, args,
        &(struct client_question){
            .method = "POST", .path = "/control/fn/", .word = args->words[0], .path_end = buffer_text(&end), .print = print_shown});
    buffer_free(&end);
    return code;
}

int verb_fn_list(const struct cli_args *args)
{
    return client_run(args, list);
}

int verb_fn_show(const struct cli_args *args)
{
    return client_run(args, show);
}

int verb_fn_remove(const struct cli_args *args)
{
    return client_run(args, remove_one);
}

int verb_fn_history(const struct cli_args *args)
{
    return client_run(args, history);
}

int verb_fn_restore(const struct cli_args *args)
{
    return client_run(args, restore);
}
