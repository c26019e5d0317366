// SPDX-License-Identifier: Apache-2.0
// `sluice index new|list`: indexes over fields that are searched or sorted by often.
#include "cli/cli.h"

static void print_list(struct value answer)
{
    const struct list *list = value_as_list(answer);
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct map *index = value_as_map(list->items[i]);
        struct value by_itself = index ? map_get_text(index, VIEW("by_itself")) : value_null();
        printf("%.*s %.*s  since %.*s%s\n", VIEW_ARGS(cli_text(index, "module")), VIEW_ARGS(cli_text(index, "field")),
               VIEW_ARGS(cli_text(index, "created_time")), by_itself.type == VALUE_BOOL && by_itself.boolean ? ", made by itself" : "");
    }
}

static void print_new(struct value answer)
{
    const struct map *map = value_as_map(answer);
    struct value made = map ? map_get_text(map, VIEW("new")) : value_null();
    printf("%.*s.%.*s is indexed%s\n", VIEW_ARGS(cli_text(map, "module")), VIEW_ARGS(cli_text(map, "field")),
           made.type == VALUE_BOOL && made.boolean ? "" : " already");
}

static int list_indexes(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args, &(struct client_question){.method = "GET", .path = "/control/indexes", .print = print_list});
}

static int new_index(struct client *client, const struct cli_args *args)
{
    struct buffer end;
    buffer_init(&end, 4096);
    buffer_add_char(&end, '/');
    form_encode(&end, view_of(args->words[1]), false);
    int code = client_ask(
        client, args,
        &(struct client_question){
            .method = "PUT", .path = "/control/indexes/", .word = args->words[0], .path_end = buffer_text(&end), .print = print_new});
    buffer_free(&end);
    return code;
}

int verb_index_list(const struct cli_args *args)
{
    return client_run(args, list_indexes);
}

int verb_index_new(const struct cli_args *args)
{
    return client_run(args, new_index);
}
