// SPDX-License-Identifier: Apache-2.0
// `sluice oauth new|list|code|approve|deny|remove`: OAuth clients of an org environment. Secrets and tokens are printed once, when they are
// made; the server keeps only what it needs to know them again.
#include "cli/cli.h"

enum { BODY_BYTES_MAX = 65536, MINUTES_LEAST = 3, MINUTES_MOST = 10 };

// ---- printing -----------------------------------------------------------------------------------

static void print_members(const struct map *map, const char *const *names)
{
    for (; map && *names; names++) {
        struct view text = cli_text(map, *names);
        if (text.len) {
            printf("%-14s %.*s\n", *names, VIEW_ARGS(text));
        }
    }
}

static void print_new(struct value answer)
{
    static const char *const names[] = {"client_id", "client_secret", "refresh_token", "access_token", NULL};
    print_members(value_as_map(answer), names);
}

static void print_code(struct value answer)
{
    struct view code = cli_text(value_as_map(answer), "code");
    printf("%.*s\n", VIEW_ARGS(code));
}

static void print_answer(struct value answer)
{
    static const char *const names[] = {"answer", "client_name", "client_id", "scope", "redirect_uri", NULL};
    print_members(value_as_map(answer), names);
}

static void print_removed(struct value answer)
{
    printf("removed %.*s with all its tokens\n", VIEW_ARGS(cli_text(value_as_map(answer), "removed")));
}

static void print_list(struct value answer)
{
    static const char *const client_names[] = {"user", "scope", "created_time", NULL};
    static const char *const request_names[] = {"client_name", "client_id", "scope", "redirect_uri", NULL};
    const struct map *map = value_as_map(answer);
    const struct list *clients = map ? value_as_list(map_get_text(map, VIEW("clients"))) : NULL;
    const struct list *requests = map ? value_as_list(map_get_text(map, VIEW("requests"))) : NULL;
    for (uint32_t i = 0; clients && i < clients->count; i++) {
        const struct map *client = value_as_map(clients->items[i]);
        const struct list *uris = client ? value_as_list(map_get_text(client, VIEW("redirect_uris"))) : NULL;
        printf("%.*s (%.*s)\n", VIEW_ARGS(cli_text(client, "client_id")), VIEW_ARGS(cli_text(client, "name")));
        print_members(client, client_names);
        for (uint32_t k = 0; uris && k < uris->count; k++) {
            printf("%-14s %.*s\n", "redirect_uri", VIEW_ARGS(value_view_or(uris->items[k], VIEW(""))));
        }
    }
    for (uint32_t i = 0; requests && i < requests->count; i++) {
        const struct map *request = value_as_map(requests->items[i]);
        printf("%.*s waits for an answer\n", VIEW_ARGS(cli_text(request, "request")));
        print_members(request, request_names);
    }
}

// ---- asking -------------------------------------------------------------------------------------

static void add_member(struct buffer *body, const char *name, const char *text)
{
    if (text) {
        buffer_printf(body, "%s\"%s\":", body->len > 1 ? "," : "", name);
        json_write_text(body, view_of(text));
    }
}

static int new_client(struct client *client, const struct cli_args *args)
{
    struct buffer body;
    int cursor = 0;
    const char *uri;
    buffer_init(&body, BODY_BYTES_MAX);
    buffer_add_char(&body, '{');
    add_member(&body, "name", cli_flag(args, "--name"));
    add_member(&body, "scope", cli_flag(args, "--scope"));
    add_member(&body, "user", cli_flag(args, "--user"));
    buffer_printf(&body, "%s\"redirect_uris\":[", body.len > 1 ? "," : "");
    for (bool first = true; (uri = cli_flag_next(args, "--redirect-uri", &cursor)); first = false) {
        buffer_add(&body, first ? VIEW("") : VIEW(","));
        json_write_text(&body, view_of(uri));
    }
    buffer_add(&body, VIEW("]}"));
    int code =
        client_ask(client, args,
                   &(struct client_question){.method = "POST", .path = "/control/oauth", .body = buffer_view(&body), .print = print_new});
    buffer_free(&body);
    return code;
}

static int list_clients(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args, &(struct client_question){.method = "GET", .path = "/control/oauth", .print = print_list});
}

static bool read_minutes(const struct cli_args *args, int64_t *ret_minutes)
{
    const char *minutes = cli_flag(args, "--minutes");
    *ret_minutes = MINUTES_MOST;
    return !minutes || (view_to_int64(view_of(minutes), ret_minutes) && *ret_minutes >= MINUTES_LEAST && *ret_minutes <= MINUTES_MOST);
}

static int make_code(struct client *client, const struct cli_args *args)
{
    struct buffer body;
    int64_t minutes = MINUTES_MOST;
    read_minutes(args, &minutes);
    buffer_init(&body, BODY_BYTES_MAX);
    buffer_printf(&body, "{\"minutes\":%lld", (long long)minutes);
    add_member(&body, "scope", cli_flag(args, "--scope"));
    buffer_add_char(&body, '}');
    int code = client_ask(client, args,
                          &(struct client_question){.method = "POST",
                                                    .path = "/control/oauth/",
                                                    .word = args->words[0],
                                                    .path_end = "/code",
                                                    .body = buffer_view(&body),
                                                    .print = print_code});
    buffer_free(&body);
    return code;
}

static int answer_request(struct client *client, const struct cli_args *args, const char *path_end)
{
    return client_ask(
        client, args,
        &(struct client_question){
            .method = "POST", .path = "/control/oauth/requests/", .word = args->words[0], .path_end = path_end, .print = print_answer});
}

static int approve(struct client *client, const struct cli_args *args)
{
    return answer_request(client, args, "/approve");
}

static int deny(struct client *client, const struct cli_args *args)
{
    return answer_request(client, args, "/deny");
}

static int remove_client(struct client *client, const struct cli_args *args)
{
    return client_ask(
        client, args,
        &(struct client_question){.method = "DELETE", .path = "/control/oauth/", .word = args->words[0], .print = print_removed});
}

// ---- verbs --------------------------------------------------------------------------------------

int verb_oauth_new(const struct cli_args *args)
{
    return client_run(args, new_client);
}

int verb_oauth_list(const struct cli_args *args)
{
    return client_run(args, list_clients);
}

int verb_oauth_code(const struct cli_args *args)
{
    int64_t minutes;
    if (!cli_flag(args, "--scope")) {
        return cli_usage_error(args, "oauth code needs --scope");
    }
    if (!read_minutes(args, &minutes)) {
        return cli_usage_error(args, "--minutes takes %d to %d", MINUTES_LEAST, MINUTES_MOST);
    }
    return client_run(args, make_code);
}

int verb_oauth_approve(const struct cli_args *args)
{
    return client_run(args, approve);
}

int verb_oauth_deny(const struct cli_args *args)
{
    return client_run(args, deny);
}

int verb_oauth_remove(const struct cli_args *args)
{
    return client_run(args, remove_client);
}
