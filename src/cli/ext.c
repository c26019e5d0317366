// SPDX-License-Identifier: Apache-2.0
// `sluice ext install|list|show` and `sluice key show`.
#include "cli/cli.h"

#include <stdlib.h>

enum { ANSWER_BYTES_MAX = 512 << 20 };

static struct view text_of(const struct map *map, const char *key)
{
    return map ? value_view_or(map_get_text(map, view_of(key)), VIEW("")) : VIEW("");
}

// "/control/ext/" + an encoded word
static struct view target_of(struct buffer *out, const char *path, const char *word)
{
    buffer_init(out, 65536);
    buffer_add(out, view_of(path));
    form_encode(out, view_of(word), false);
    return buffer_view(out);
}

// Asks for `path` and an encoded word; prints the answer as it came with --json, else with `print`.
static int ask(struct client *client, const struct cli_args *args, const char *path, const char *word, void (*print)(struct value answer))
{
    struct heap heap;
    struct fail fail;
    struct value answer;
    struct buffer target;
    int code = CLI_OK;
    heap_init(&heap, ANSWER_BYTES_MAX, NULL);
    if (!client_json(client, "GET", target_of(&target, path, word), VIEW(""), &heap, &answer, &fail)) {
        code = cli_failed(&fail);
    } else if (cli_flag(args, "--json")) {
        cli_print_json(answer);
    } else {
        print(answer);
    }
    buffer_free(&target);
    heap_free(&heap);
    return code;
}

// ---- install ------------------------------------------------------------------------------------

static int install(struct client *client, const struct cli_args *args)
{
    struct heap heap;
    struct fail fail;
    struct value answer;
    struct buffer body;
    char *folder = realpath(args->words[0], NULL);
    heap_init(&heap, ANSWER_BYTES_MAX, NULL);
    buffer_init(&body, 65536);
    buffer_add(&body, VIEW("{\"folder\":"));
    json_write_text(&body, view_of(folder ? folder : args->words[0]));
    buffer_printf(&body, ",\"dev\":false,\"reinstall\":%s}", cli_flag(args, "--reinstall") ? "true" : "false");
    bool ok = folder ? client_json(client, "POST", VIEW("/control/ext"), buffer_view(&body), &heap, &answer, &fail)
                     : fail_set(&fail, FAIL_IO, "%s: there is no such folder", args->words[0]);
    int code = CLI_OK;
    if (!ok) {
        code = cli_failed(&fail);
    } else if (cli_flag(args, "--json")) {
        cli_print_json(answer);
    } else {
        const struct map *map = value_as_map(answer);
        const struct list *lines = map ? value_as_list(map_get_text(map, VIEW("messages"))) : NULL;
        for (uint32_t i = 0; lines && i < lines->count; i++) {
            printf("%.*s\n", VIEW_ARGS(text_of(value_as_map(lines->items[i]), "text")));
        }
        printf("installed %.*s\n", VIEW_ARGS(text_of(map, "namespace")));
    }
    free(folder);
    buffer_free(&body);
    heap_free(&heap);
    return code;
}

int verb_ext_install(const struct cli_args *args)
{
    return client_run(args, install);
}

// ---- list and show ------------------------------------------------------------------------------

static void print_list(struct value answer)
{
    const struct list *extensions = value_as_list(answer);
    for (uint32_t i = 0; extensions && i < extensions->count; i++) {
        const struct map *map = value_as_map(extensions->items[i]);
        bool dev = map && map_get_text(map, VIEW("dev")).boolean;
        printf("%.*s %.*s%s %.*s\n", VIEW_ARGS(text_of(map, "namespace")), VIEW_ARGS(text_of(map, "version")), dev ? " (dev)" : "",
               VIEW_ARGS(text_of(map, "name")));
    }
}

static int list(struct client *client, const struct cli_args *args)
{
    return ask(client, args, "/control/ext", "", print_list);
}

int verb_ext_list(const struct cli_args *args)
{
    return client_run(args, list);
}

static void print_place(const struct map *place)
{
    printf("\n%.*s, %.*s: version %.*s\n", VIEW_ARGS(text_of(place, "org")), VIEW_ARGS(text_of(place, "environment")),
           VIEW_ARGS(text_of(place, "version")));
    const struct list *variables = value_as_list(map_get_text(place, VIEW("variables"))),
                      *functions = value_as_list(map_get_text(place, VIEW("functions")));
    printf("\nExtension Settings\n");
    for (uint32_t i = 0; variables && i < variables->count; i++) {
        const struct map *variable = value_as_map(variables->items[i]);
        bool secret = map_get_text(variable, VIEW("secret")).type == VALUE_BOOL;
        printf("  %.*s (%.*s): %.*s\n", VIEW_ARGS(text_of(variable, "field_name")), VIEW_ARGS(text_of(variable, "api_name")),
               VIEW_ARGS(secret ? VIEW("(secret)") : text_of(variable, "value")));
    }
    printf("\nFunctions\n");
    for (uint32_t i = 0; functions && i < functions->count; i++) {
        const struct map *function = value_as_map(functions->items[i]);
        printf("  %.*s %.*s\n    %.*s\n", VIEW_ARGS(text_of(function, "version")), VIEW_ARGS(text_of(function, "api_name")),
               VIEW_ARGS(text_of(function, "url")));
    }
}

static void print_extension(struct value answer)
{
    const struct map *map = value_as_map(answer);
    const struct list *places = map ? value_as_list(map_get_text(map, VIEW("installed"))) : NULL;
    printf("%.*s: %.*s\n", VIEW_ARGS(text_of(map, "namespace")), VIEW_ARGS(text_of(map, "name")));
    for (uint32_t i = 0; places && i < places->count; i++) {
        print_place(value_as_map(places->items[i]));
    }
}

static int show(struct client *client, const struct cli_args *args)
{
    return ask(client, args, "/control/ext/", args->words[0], print_extension);
}

int verb_ext_show(const struct cli_args *args)
{
    return client_run(args, show);
}

// ---- keys ---------------------------------------------------------------------------------------

static void print_key(struct value answer)
{
    printf("%.*s\n", VIEW_ARGS(text_of(value_as_map(answer), "zapikey")));
}

static int show_key(struct client *client, const struct cli_args *args)
{
    return ask(client, args, "/control/keys/", args->words[0], print_key);
}

int verb_key_show(const struct cli_args *args)
{
    return client_run(args, show_key);
}
