// SPDX-License-Identifier: Apache-2.0
// `sluice ext install|list|show`.
#include "cli/cli.h"

#include <stdlib.h>

enum { ANSWER_BYTES_MAX = 512 << 20 };

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
            printf("%.*s\n", VIEW_ARGS(cli_text(value_as_map(lines->items[i]), "text")));
        }
        printf("installed %.*s\n", VIEW_ARGS(cli_text(map, "namespace")));
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
        printf("%.*s %.*s%s %.*s\n", VIEW_ARGS(cli_text(map, "namespace")), VIEW_ARGS(cli_text(map, "version")), dev ? " (dev)" : "",
               VIEW_ARGS(cli_text(map, "name")));
    }
}

static int list(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args, &(struct client_question){.method = "GET", .path = "/control/ext", .print = print_list});
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
    printf("%.*s: %.*s\n", VIEW_ARGS(cli_text(map, "namespace")), VIEW_ARGS(cli_text(map, "name")));
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
