// SPDX-License-Identifier: Apache-2.0
// `sluice key show`.
#include "cli/cli.h"

static void print_key(struct value answer)
{
    printf("%.*s\n", VIEW_ARGS(cli_text(value_as_map(answer), "zapikey")));
}

static int show_key(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args,
                      &(struct client_question){.method = "GET", .path = "/control/keys/", .word = args->words[0], .print = print_key});
}

int verb_key_show(const struct cli_args *args)
{
    return client_run(args, show_key);
}
