// SPDX-License-Identifier: Apache-2.0
// `sluice user new|list|password|remove|link`: who may sign in to the console. A password comes from a file or standard input, never from
// the command line, where other users of the machine and the shell's history would see it.
#include "cli/cli.h"

#include <stdlib.h>

enum { BODY_BYTES_MAX = 65536, PASSWORD_BYTES_MAX = 4096 };

// ---- printing -----------------------------------------------------------------------------------

static void print_email(struct value answer)
{
    printf("user %.*s\n", VIEW_ARGS(cli_text(value_as_map(answer), "email")));
}

static void print_removed(struct value answer)
{
    printf("removed %.*s\n", VIEW_ARGS(cli_text(value_as_map(answer), "email")));
}

static void print_link(struct value answer)
{
    printf("%.*s\n", VIEW_ARGS(cli_text(value_as_map(answer), "url")));
}

static void print_users(struct value answer)
{
    const struct list *list = value_as_list(answer);
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct map *user = value_as_map(list->items[i]);
        struct view name = cli_text(user, "name"), time = cli_text(user, "signed_in_time");
        printf("%.*s  %.*s%s%.*s  signed in %.*s\n", VIEW_ARGS(cli_text(user, "email")), VIEW_ARGS(cli_text(user, "role")),
               name.len ? "  " : "", VIEW_ARGS(name), VIEW_ARGS(time.len ? time : VIEW("never")));
    }
}

// ---- asking -------------------------------------------------------------------------------------

static void add_member(struct buffer *body, const char *name, struct view text)
{
    buffer_printf(body, "%s\"%s\":", body->len > 1 ? "," : "", name);
    json_write_text(body, text);
}

static void add_flag(struct buffer *body, const struct cli_args *args, const char *flag, const char *name)
{
    if (cli_flag(args, flag)) {
        add_member(body, name, view_of(cli_flag(args, flag)));
    }
}

// One line; its end is not part of it.
static bool add_password(struct buffer *body, const struct cli_args *args, struct fail *fail)
{
    const char *path = cli_flag(args, "--password-file");
    char *data;
    size_t len;
    if (!cli_read_file(path ? path : "-", PASSWORD_BYTES_MAX, &data, &len, fail)) {
        return false;
    }
    struct view password = {data, len};
    password.len -= view_ends(password, VIEW("\n"));
    password.len -= view_ends(password, VIEW("\r"));
    bool good = utf8_valid(password) || fail_set(fail, FAIL_INVALID_DATA, "the password is not UTF-8 text");
    if (good) {
        add_member(body, "password", password);
    }
    memset(data, 0, len);
    free(data);
    return good;
}

static int send_password(struct client *client, const struct cli_args *args, bool is_new)
{
    struct buffer body;
    struct fail fail;
    buffer_init(&body, BODY_BYTES_MAX);
    buffer_add_char(&body, '{');
    if (is_new) {
        add_member(&body, "email", view_of(args->words[0]));
        add_flag(&body, args, "--name", "name");
        add_flag(&body, args, "--role", "role");
    }
    bool good = add_password(&body, args, &fail);
    buffer_add_char(&body, '}');
    int code = good ? client_ask(client, args,
                                 &(struct client_question){.method = is_new ? "POST" : "PUT",
                                                           .path = is_new ? "/control/users" : "/control/users/",
                                                           .word = is_new ? NULL : args->words[0],
                                                           .body = buffer_view(&body),
                                                           .print = print_email})
                    : cli_failed(&fail);
    memset(body.data, 0, body.len);
    buffer_free(&body);
    return code;
}

static int make_user(struct client *client, const struct cli_args *args)
{
    return send_password(client, args, true);
}

static int set_password(struct client *client, const struct cli_args *args)
{
    return send_password(client, args, false);
}

static int list_users(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args, &(struct client_question){.method = "GET", .path = "/control/users", .print = print_users});
}

static int remove_user(struct client *client, const struct cli_args *args)
{
    return client_ask(
        client, args,
        &(struct client_question){.method = "DELETE", .path = "/control/users/", .word = args->words[0], .print = print_removed});
}

static int make_link(struct client *client, const struct cli_args *args)
{
    struct buffer body;
    buffer_init(&body, BODY_BYTES_MAX);
    buffer_add_char(&body, '{');
    if (args->word_count) {
        add_member(&body, "email", view_of(args->words[0]));
    }
    buffer_add_char(&body, '}');
    int code =
        client_ask(client, args,
                   &(struct client_question){.method = "POST", .path = "/control/links", .body = buffer_view(&body), .print = print_link});
    buffer_free(&body);
    return code;
}

// ---- verbs --------------------------------------------------------------------------------------

int verb_user_new(const struct cli_args *args)
{
    return client_run(args, make_user);
}

int verb_user_list(const struct cli_args *args)
{
    return client_run(args, list_users);
}

int verb_user_password(const struct cli_args *args)
{
    return client_run(args, set_password);
}

int verb_user_remove(const struct cli_args *args)
{
    return client_run(args, remove_user);
}

int verb_user_link(const struct cli_args *args)
{
    return client_run(args, make_link);
}
