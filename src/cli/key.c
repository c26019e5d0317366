// SPDX-License-Identifier: Apache-2.0
// `sluice key show|list|rotate|revoke|set`. A whole key is printed alone on standard output, by show and rotate only.
#include "cli/cli.h"

enum { BODY_BYTES_MAX = 65536 };

// ---- printing -----------------------------------------------------------------------------------

static void print_key(struct value answer)
{
    printf("%.*s\n", VIEW_ARGS(cli_text(value_as_map(answer), "zapikey")));
}

static void print_time(const struct map *key, const char *label, const char *member, const char *otherwise)
{
    struct view time = cli_text(key, member);
    printf("  %s %.*s", label, VIEW_ARGS(time.len ? time : view_of(otherwise)));
}

static void print_rule(const struct map *key, const char *name, const char *flag)
{
    struct value standard = map_get_text(key, view_of(flag));
    printf("  %s %.*s%s", name, VIEW_ARGS(cli_text(key, name)), standard.type == VALUE_BOOL && standard.boolean ? " (default)" : "");
}

static void print_keys(struct value answer)
{
    const struct list *list = value_as_list(answer);
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct map *key = value_as_map(list->items[i]);
        if (!key) {
            continue;
        }
        bool revoked = view_eq(cli_text(key, "state"), VIEW("revoked"));
        printf("%.*s  %.*s", VIEW_ARGS(cli_text(key, "namespace")), VIEW_ARGS(revoked ? VIEW("revoked") : cli_text(key, "zapikey")));
        if (!revoked) {
            print_time(key, "created", "created_time", "");
            print_time(key, "used", "last_used_time", "never");
        }
        print_time(key, revoked ? "at" : "ends", "expires_time", "never");
        print_rule(key, "rate", "rate_default");
        print_rule(key, "allow", "allow_default");
        printf("\n");
    }
}

// ---- asking -------------------------------------------------------------------------------------

static int show_key(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args,
                      &(struct client_question){.method = "GET", .path = "/control/keys/", .word = args->words[0], .print = print_key});
}

static int list_keys(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args, &(struct client_question){.method = "GET", .path = "/control/keys", .print = print_keys});
}

// "90s", "30m", "24h", "7d"; "0" ends at once.
static bool read_duration(struct view text, int64_t *ret_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    int64_t number;
    for (size_t i = 0; text.len > 1 && i < BASE_COUNT(units); i++) {
        if (text.data[text.len - 1] == units[i].unit) {
            if (!view_to_int64(view_slice(text, 0, text.len - 1), &number) || number < 0 || number > AUTH_GRACE_MS_MAX / units[i].ms) {
                return false;
            }
            *ret_ms = number * units[i].ms;
            return true;
        }
    }
    *ret_ms = 0;
    return view_eq(text, VIEW("0"));
}

static int rotate_key(struct client *client, const struct cli_args *args)
{
    char body[64];
    int64_t grace_ms = 0;
    const char *grace = cli_flag(args, "--grace");
    if (grace && !read_duration(view_of(grace), &grace_ms)) {
        return CLI_USAGE; // verb_key_rotate has said so
    }
    snprintf(body, sizeof body, "{\"grace_ms\":%lld}", (long long)grace_ms);
    return client_ask(client, args,
                      &(struct client_question){.method = "POST",
                                                .path = "/control/keys/",
                                                .word = args->words[0],
                                                .path_end = "/rotate",
                                                .body = view_of(body),
                                                .print = print_key});
}

static int revoke_key(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args,
                      &(struct client_question){.method = "POST",
                                                .path = "/control/keys/",
                                                .word = args->words[0],
                                                .path_end = "/revoke",
                                                .body = VIEW("{}"),
                                                .print = print_keys});
}

static int set_rules(struct client *client, const struct cli_args *args)
{
    static const struct {
        const char *flag, *member;
    } rules[] = {{"--rate", "rate"}, {"--allow", "allow"}};
    struct buffer body;
    buffer_init(&body, BODY_BYTES_MAX);
    for (size_t i = 0; i < BASE_COUNT(rules); i++) {
        const char *value = cli_flag(args, rules[i].flag);
        if (value) {
            buffer_printf(&body, "%s\"%s\":", body.len ? "," : "{", rules[i].member);
            json_write_text(&body, view_of(value));
        }
    }
    buffer_add_char(&body, '}');
    int code =
        client_ask(client, args,
                   &(struct client_question){
                       .method = "PUT", .path = "/control/keys/", .word = args->words[0], .body = buffer_view(&body), .print = print_keys});
    buffer_free(&body);
    return code;
}

// ---- verbs --------------------------------------------------------------------------------------

int verb_key_show(const struct cli_args *args)
{
    return client_run(args, show_key);
}

int verb_key_list(const struct cli_args *args)
{
    return client_run(args, list_keys);
}

int verb_key_rotate(const struct cli_args *args)
{
    int64_t ms;
    const char *grace = cli_flag(args, "--grace");
    if (grace && !read_duration(view_of(grace), &ms)) {
        return cli_usage_error(args, "--grace takes a time like 90s, 30m, 24h or 7d, at most %lld days", AUTH_GRACE_MS_MAX / 86400000);
    }
    return client_run(args, rotate_key);
}

int verb_key_revoke(const struct cli_args *args)
{
    return client_run(args, revoke_key);
}

int verb_key_set(const struct cli_args *args)
{
    if (!cli_flag(args, "--rate") && !cli_flag(args, "--allow")) {
        return cli_usage_error(args, "key set needs --rate or --allow");
    }
    return client_run(args, set_rules);
}
