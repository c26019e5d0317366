// SPDX-License-Identifier: Apache-2.0
// `sluice ext install|upgrade|rollback|uninstall|set|list|show`.
#include "cli/package.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { ANSWER_BYTES_MAX = 512 << 20 };

// ---- install, upgrade, rollback, uninstall ------------------------------------------------------

struct life {
    const char *path; // of the route
    const char *done; // "installed"
    bool published; // it takes a namespace only
};

static bool holds_extension(const char *word)
{
    static const char *const parts[] = {"extension.json", "app"};
    for (size_t i = 0; i < BASE_COUNT(parts); i++) {
        char path[4096];
        struct stat info;
        int written = snprintf(path, sizeof path, "%s/%s", word, parts[i]);
        if (written > 0 && (size_t)written < sizeof path && stat(path, &info) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_published(struct client *client, const char *namespace)
{
    struct heap heap;
    struct buffer path;
    struct value answer;
    struct fail fail;
    heap_init(&heap, ANSWER_BYTES_MAX, NULL);
    buffer_init(&path, 4096);
    buffer_add(&path, VIEW("/control/ext/"));
    form_encode(&path, view_of(namespace), false);
    bool found = !path.failed && client_json(client, "GET", buffer_view(&path), VIEW(""), &heap, &answer, &fail);
    buffer_free(&path);
    heap_free(&heap);
    return found;
}

// A plain word is a namespace. One that nobody has published may be a folder here; ./NAME always is.
static bool is_package(struct client *client, const char *word)
{
    size_t len = strlen(word);
    if (strchr(word, '/') || (len > 4 && strcmp(word + len - 4, ".zip") == 0) || word[0] == '.') {
        return true;
    }
    return holds_extension(word) && !is_published(client, word);
}

static void write_request(const struct cli_args *args, struct view namespace, struct view version, struct buffer *out)
{
    buffer_add(out, VIEW("{\"namespace\":"));
    json_write_text(out, namespace);
    buffer_add(out, VIEW(",\"version\":"));
    json_write_text(out, version);
    buffer_add(out, cli_flag(args, "--reinstall") ? VIEW(",\"reinstall\":true}") : VIEW("}"));
}

// NAMESPACE, NAMESPACE@VERSION, or a folder or zip that is published first.
static bool find_version(struct client *client, const struct cli_args *args, const struct life *life, struct heap *heap,
                         struct buffer *body, struct fail *fail)
{
    struct value published;
    if (life->published || !is_package(client, args->words[0])) {
        if (cli_flag(args, "--namespace") || cli_flag(args, "--version")) {
            return fail_set(fail, FAIL_USAGE,
                            "--namespace and --version are for a folder or zip; of a published extension write %s@VERSION", args->words[0]);
        }
        struct view version = view_of(args->words[0]), namespace = view_cut(&version, '@');
        write_request(args, namespace, version, body);
        return true;
    }
    if (!package_publish(client, args, args->words[0], heap, &published, fail)) {
        return false;
    }
    const struct map *map = value_as_map(published);
    write_request(args, cli_text(map, "namespace"), cli_text(map, "version"), body);
    return true;
}

static int live(struct client *client, const struct cli_args *args, const struct life *life)
{
    struct heap heap;
    struct fail fail;
    struct value answer;
    struct buffer body;
    int code = CLI_OK;
    heap_init(&heap, ANSWER_BYTES_MAX, NULL);
    buffer_init(&body, 65536);
    if (!find_version(client, args, life, &heap, &body, &fail) ||
        !client_json(client, "POST", view_of(life->path), buffer_view(&body), &heap, &answer, &fail)) {
        code = cli_failed(&fail);
    } else if (cli_flag(args, "--json")) {
        cli_print_json(answer);
    } else {
        const struct map *map = value_as_map(answer);
        package_print_messages(map);
        printf("%s %.*s@%.*s\n", life->done, VIEW_ARGS(cli_text(map, "namespace")), VIEW_ARGS(cli_text(map, "version")));
    }
    buffer_free(&body);
    heap_free(&heap);
    return code;
}

static int install(struct client *client, const struct cli_args *args)
{
    return live(client, args, &(struct life){"/control/ext/install", "installed", false});
}

static int upgrade(struct client *client, const struct cli_args *args)
{
    return live(client, args, &(struct life){"/control/ext/upgrade", "upgraded to", false});
}

static int rollback(struct client *client, const struct cli_args *args)
{
    return live(client, args, &(struct life){"/control/ext/rollback", "rolled back to", true});
}

int verb_ext_install(const struct cli_args *args)
{
    return client_run(args, install);
}

int verb_ext_upgrade(const struct cli_args *args)
{
    return client_run(args, upgrade);
}

int verb_ext_rollback(const struct cli_args *args)
{
    return client_run(args, rollback);
}

static void print_uninstalled(struct value answer)
{
    package_print_messages(value_as_map(answer));
    printf("uninstalled %.*s\n", VIEW_ARGS(cli_text(value_as_map(answer), "namespace")));
}

static int uninstall(struct client *client, const struct cli_args *args)
{
    char body[64];
    snprintf(body, sizeof body, "{\"drop_data\":%s,\"force\":%s}", cli_flag(args, "--drop-data") ? "true" : "false",
             cli_flag(args, "--force") ? "true" : "false");
    return client_ask(client, args,
                      &(struct client_question){.method = "POST",
                                                .path = "/control/ext/",
                                                .word = args->words[0],
                                                .path_end = "/uninstall",
                                                .body = view_of(body),
                                                .print = print_uninstalled});
}

int verb_ext_uninstall(const struct cli_args *args)
{
    return client_run(args, uninstall);
}

// ---- settings -----------------------------------------------------------------------------------

static void print_set(struct value answer)
{
    printf("set %.*s\n", VIEW_ARGS(cli_text(value_as_map(answer), "api_name"))); // never the value: it may be a secret
}

// VALUE, @FILE, or - for standard input; of the last two a newline at the end is not part of the value.
static bool read_setting(const char *word, char **ret_data, struct view *ret_value, struct fail *fail)
{
    size_t len;
    *ret_data = NULL;
    *ret_value = view_of(word);
    if (word[0] != '@' && strcmp(word, "-") != 0) {
        return true;
    }
    if (!cli_read_file(word[0] == '@' ? word + 1 : word, 1 << 20, ret_data, &len, fail)) {
        return false;
    }
    struct view value = {*ret_data, len};
    value.len -= view_ends(value, VIEW("\n"));
    value.len -= view_ends(value, VIEW("\r"));
    *ret_value = value;
    return true;
}

static int set_variable(struct client *client, const struct cli_args *args)
{
    struct buffer body, end;
    struct fail fail;
    struct view value;
    char *data;
    if (!read_setting(args->words[2], &data, &value, &fail)) {
        return cli_failed(&fail);
    }
    buffer_init(&body, 8 << 20);
    buffer_init(&end, 4096);
    buffer_add(&body, VIEW("{\"value\":"));
    json_write_text(&body, value);
    buffer_add_char(&body, '}');
    buffer_add(&end, VIEW("/variables/"));
    form_encode(&end, view_of(args->words[1]), false);
    int code = client_ask(client, args,
                          &(struct client_question){.method = "PUT",
                                                    .path = "/control/ext/",
                                                    .word = args->words[0],
                                                    .path_end = buffer_text(&end),
                                                    .body = buffer_view(&body),
                                                    .print = print_set});
    buffer_free(&end);
    buffer_free(&body);
    free(data);
    return code;
}

int verb_ext_set(const struct cli_args *args)
{
    return client_run(args, set_variable);
}

// ---- list and show ------------------------------------------------------------------------------

// What `--all` adds in brackets: that it is not installed, or that another version is published.
static void print_published(const struct map *map)
{
    struct value installed = map ? map_get_text(map, VIEW("installed")) : value_null();
    struct view published = cli_text(map, "published");
    if (installed.type != VALUE_BOOL) {
        return;
    }
    if (!installed.boolean) {
        printf(" (not installed)");
    } else if (published.len && !view_eq(published, cli_text(map, "version"))) {
        printf(" (published: %.*s)", VIEW_ARGS(published));
    }
}

static void print_list(struct value answer)
{
    const struct list *extensions = value_as_list(answer);
    for (uint32_t i = 0; extensions && i < extensions->count; i++) {
        const struct map *map = value_as_map(extensions->items[i]);
        struct value installed = map ? map_get_text(map, VIEW("installed")) : value_null();
        bool dev = map && map_get_text(map, VIEW("dev")).boolean, here = installed.type != VALUE_BOOL || installed.boolean;
        printf("%.*s %.*s%s", VIEW_ARGS(cli_text(map, "namespace")), VIEW_ARGS(cli_text(map, here ? "version" : "published")),
               dev ? " (dev)" : "");
        print_published(map);
        printf(" %.*s\n", VIEW_ARGS(cli_text(map, "name")));
    }
}

static int list(struct client *client, const struct cli_args *args)
{
    const char *end = cli_flag(args, "--all") ? "?all=true" : "";
    return client_ask(client, args,
                      &(struct client_question){.method = "GET", .path = "/control/ext", .path_end = end, .print = print_list});
}

int verb_ext_list(const struct cli_args *args)
{
    return client_run(args, list);
}

static void print_place(const struct map *place)
{
    printf("\n%.*s, %.*s: version %.*s\n", VIEW_ARGS(cli_text(place, "org")), VIEW_ARGS(cli_text(place, "environment")),
           VIEW_ARGS(cli_text(place, "version")));
    const struct list *variables = value_as_list(map_get_text(place, VIEW("variables"))),
                      *functions = value_as_list(map_get_text(place, VIEW("functions")));
    printf("\nExtension Settings\n");
    for (uint32_t i = 0; variables && i < variables->count; i++) {
        const struct map *variable = value_as_map(variables->items[i]);
        bool secret = map_get_text(variable, VIEW("secret")).type == VALUE_BOOL;
        printf("  %.*s (%.*s): %.*s\n", VIEW_ARGS(cli_text(variable, "field_name")), VIEW_ARGS(cli_text(variable, "api_name")),
               VIEW_ARGS(secret ? VIEW("(secret)") : cli_text(variable, "value")));
    }
    printf("\nFunctions\n");
    for (uint32_t i = 0; functions && i < functions->count; i++) {
        const struct map *function = value_as_map(functions->items[i]);
        printf("  %.*s %.*s\n    %.*s\n", VIEW_ARGS(cli_text(function, "version")), VIEW_ARGS(cli_text(function, "api_name")),
               VIEW_ARGS(cli_text(function, "url")));
    }
}

static void print_extension(struct value answer)
{
    const struct map *map = value_as_map(answer);
    const struct list *places = map ? value_as_list(map_get_text(map, VIEW("installed"))) : NULL;
    const struct list *versions = map ? value_as_list(map_get_text(map, VIEW("versions"))) : NULL;
    printf("%.*s: %.*s\nversions:", VIEW_ARGS(cli_text(map, "namespace")), VIEW_ARGS(cli_text(map, "name")));
    for (uint32_t i = 0; versions && i < versions->count; i++) {
        printf(" %.*s", VIEW_ARGS(value_view_or(versions->items[i], VIEW(""))));
    }
    printf("\n%s", places && places->count ? "" : "not installed\n");
    for (uint32_t i = 0; places && i < places->count; i++) {
        print_place(value_as_map(places->items[i]));
    }
}

static int show(struct client *client, const struct cli_args *args)
{
    return client_ask(
        client, args,
        &(struct client_question){.method = "GET", .path = "/control/ext/", .word = args->words[0], .print = print_extension});
}

int verb_ext_show(const struct cli_args *args)
{
    return client_run(args, show);
}
