// SPDX-License-Identifier: Apache-2.0
// `sluice connection new|list|show|test|remove`. Secrets come from files or standard input, never from the command line, which others can
// see.
#include "cli/cli.h"

#include <stdlib.h>

enum { SECRET_BYTES_MAX = 65536, BODY_BYTES_MAX = 1 << 20 };

// ---- new ----------------------------------------------------------------------------------------

static void add_member(struct buffer *out, const char *name, struct view value)
{
    if (out->len && out->data[out->len - 1] != '{') {
        buffer_add_char(out, ',');
    }
    buffer_printf(out, "\"%s\":", name);
    json_write_text(out, value);
}

static void add_list(const struct cli_args *args, const char *flag, const char *name, struct buffer *out)
{
    int cursor = 0, count = 0;
    for (const char *value; (value = cli_flag_next(args, flag, &cursor)); count++) {
        if (count == 0) {
            buffer_printf(out, "%s\"%s\":[", out->len && out->data[out->len - 1] != '{' ? "," : "", name);
        } else {
            buffer_add_char(out, ',');
        }
        json_write_text(out, view_of(value));
    }
    if (count) {
        buffer_add_char(out, ']');
    }
}

// Commas between scopes, as everywhere at Zoho; blanks in what is kept.
static void add_scopes(const struct cli_args *args, struct buffer *out)
{
    struct buffer scopes;
    int cursor = 0;
    buffer_init(&scopes, SECRET_BYTES_MAX);
    for (const char *value; (value = cli_flag_next(args, "--scope", &cursor));) {
        for (struct view rest = view_of(value); rest.len;) {
            struct view scope = view_trim(view_cut(&rest, ','));
            buffer_printf(&scopes, "%s%.*s", scopes.len ? " " : "", VIEW_ARGS(scope));
        }
    }
    if (scopes.len) {
        add_member(out, "scopes", buffer_view(&scopes));
    }
    buffer_free(&scopes);
}

static void write_definition(const struct cli_args *args, struct buffer *out)
{
    static const struct {
        const char *flag, *member;
    } texts[] = {{"--type", "type"},
                 {"--header", "header"},
                 {"--query", "query"},
                 {"--prefix", "prefix"},
                 {"--user", "user"},
                 {"--client-id", "client_id"},
                 {"--authorize-url", "authorize_url"},
                 {"--token-url", "token_url"},
                 {"--refresh-url", "refresh_url"},
                 {"--redirect-uri", "redirect_uri"},
                 {"--separator", "separator"},
                 {"--token-auth", "token_auth"},
                 {"--grant", "grant"}};
    buffer_add_char(out, '{');
    for (size_t i = 0; i < BASE_COUNT(texts); i++) {
        if (cli_flag(args, texts[i].flag)) {
            add_member(out, texts[i].member, view_of(cli_flag(args, texts[i].flag)));
        }
    }
    add_scopes(args, out);
    add_list(args, "--host", "hosts", out);
    buffer_add_char(out, '}');
}

// A newline at the end of a file is not part of the secret.
static bool add_secret(const struct cli_args *args, const char *flag, const char *member, struct buffer *out, struct fail *fail)
{
    const char *path = cli_flag(args, flag);
    char *data;
    size_t len;
    if (!path) {
        return true;
    }
    if (!cli_read_file(path, SECRET_BYTES_MAX, &data, &len, fail)) {
        return false;
    }
    struct view secret = {data, len};
    secret.len -= view_ends(secret, VIEW("\n"));
    secret.len -= view_ends(secret, VIEW("\r"));
    bool good = secret.len ? utf8_valid(secret) || fail_set(fail, FAIL_INVALID_DATA, "%s: is not UTF-8 text", path)
                           : fail_set(fail, FAIL_INVALID_DATA, "%s: is empty", path);
    if (good) {
        add_member(out, member, secret);
    }
    free(data);
    return good;
}

static bool write_secrets(const struct cli_args *args, struct buffer *out, struct fail *fail)
{
    buffer_add_char(out, '{');
    bool good = add_secret(args, "--value-file", "value", out, fail) && add_secret(args, "--password-file", "password", out, fail) &&
                add_secret(args, "--client-secret-file", "client_secret", out, fail) &&
                add_secret(args, "--refresh-token-file", "refresh_token", out, fail) && add_secret(args, "--code-file", "code", out, fail);
    buffer_add_char(out, '}');
    return good;
}

static void print_name(struct value answer)
{
    const struct map *map = value_as_map(answer);
    printf("connection %.*s (%.*s)\n", VIEW_ARGS(cli_text(map, "name")), VIEW_ARGS(cli_text(map, "type")));
}

static int make(struct client *client, const struct cli_args *args)
{
    struct buffer body, definition, secrets;
    struct fail fail;
    buffer_init(&body, BODY_BYTES_MAX);
    buffer_init(&definition, BODY_BYTES_MAX);
    buffer_init(&secrets, BODY_BYTES_MAX);
    write_definition(args, &definition);
    int code = CLI_OK;
    if (!write_secrets(args, &secrets, &fail)) {
        code = cli_failed(&fail);
    } else {
        buffer_add(&body, VIEW("{\"name\":"));
        json_write_text(&body, view_of(args->words[0]));
        buffer_printf(&body, ",\"definition\":%s,\"secrets\":%s}", buffer_text(&definition), buffer_text(&secrets));
        code = client_ask(
            client, args,
            &(struct client_question){.method = "POST", .path = "/control/connections", .body = buffer_view(&body), .print = print_name});
    }
    buffer_free(&secrets);
    buffer_free(&definition);
    buffer_free(&body);
    return code;
}

int verb_connection_new(const struct cli_args *args)
{
    return client_run(args, make);
}

// ---- the others ---------------------------------------------------------------------------------

static void print_list(struct value answer)
{
    const struct list *list = value_as_list(answer);
    for (uint32_t i = 0; list && i < list->count; i++) {
        print_name(list->items[i]);
    }
}

static void print_one(struct value answer)
{
    const struct map *map = value_as_map(answer);
    uint32_t cursor = 0;
    print_name(answer);
    for (struct map_entry *entry; map && (entry = map_next(map, &cursor));) {
        struct view key = value_view_or(entry->key, VIEW(""));
        const struct list *list = value_as_list(entry->value);
        if (view_eq(key, VIEW("name")) || view_eq(key, VIEW("type"))) {
            continue;
        }
        printf("  %.*s:%s%.*s", VIEW_ARGS(key), list ? "" : " ", VIEW_ARGS(value_view_or(entry->value, VIEW(""))));
        for (uint32_t i = 0; list && i < list->count; i++) {
            printf(" %.*s", VIEW_ARGS(value_view_or(list->items[i], VIEW(""))));
        }
        putchar('\n');
    }
}

static void print_test(struct value answer)
{
    const struct map *map = value_as_map(answer);
    struct value status = map ? map_get_text(map, VIEW("status")) : value_null();
    printf("%.*s answered %d\n", VIEW_ARGS(cli_text(map, "url")), status.type == VALUE_NUMBER ? (int)status.number : 0);
}

static void print_removed(struct value answer)
{
    printf("removed %.*s\n", VIEW_ARGS(cli_text(value_as_map(answer), "name")));
}

static int list(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args, &(struct client_question){.method = "GET", .path = "/control/connections", .print = print_list});
}

static int show(struct client *client, const struct cli_args *args)
{
    return client_ask(
        client, args,
        &(struct client_question){.method = "GET", .path = "/control/connections/", .word = args->words[0], .print = print_one});
}

static int remove_one(struct client *client, const struct cli_args *args)
{
    return client_ask(
        client, args,
        &(struct client_question){.method = "DELETE", .path = "/control/connections/", .word = args->words[0], .print = print_removed});
}

static int test_one(struct client *client, const struct cli_args *args)
{
    struct buffer body;
    buffer_init(&body, BODY_BYTES_MAX);
    buffer_add(&body, VIEW("{\"url\":"));
    json_write_text(&body, view_of(args->word_count > 1 ? args->words[1] : ""));
    buffer_add_char(&body, '}');
    int code = client_ask(client, args,
                          &(struct client_question){.method = "POST",
                                                    .path = "/control/connections/",
                                                    .word = args->words[0],
                                                    .path_end = "/test",
                                                    .body = buffer_view(&body),
                                                    .print = print_test});
    buffer_free(&body);
    return code;
}

int verb_connection_test(const struct cli_args *args)
{
    return client_run(args, test_one);
}

int verb_connection_list(const struct cli_args *args)
{
    return client_run(args, list);
}

int verb_connection_show(const struct cli_args *args)
{
    return client_run(args, show);
}

int verb_connection_remove(const struct cli_args *args)
{
    return client_run(args, remove_one);
}
