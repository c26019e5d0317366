// SPDX-License-Identifier: Apache-2.0
// `sluice org new|list|show|sandbox`.
#include "cli/cli.h"

static void print_org(const struct map *org)
{
    if (!org) {
        return;
    }
    printf("%.*s (%.*s)\n", VIEW_ARGS(cli_text(org, "name")), VIEW_ARGS(cli_text(org, "company_name")));
    const struct list *environments = value_as_list(map_get_text(org, VIEW("environments")));
    for (uint32_t i = 0; environments && i < environments->count; i++) {
        const struct map *item = value_as_map(environments->items[i]);
        printf("  %-10.*s %.*s\n", VIEW_ARGS(cli_text(item, "environment")), VIEW_ARGS(cli_text(item, "url")));
    }
}

static void print_answer(struct value answer)
{
    const struct list *list = value_as_list(answer);
    for (uint32_t i = 0; list && i < list->count; i++) {
        print_org(value_as_map(list->items[i]));
    }
    print_org(value_as_map(answer));
}

static int list_orgs(struct client *client, const struct cli_args *args)
{
    return client_ask(client, args, &(struct client_question){.method = "GET", .path = "/control/orgs", .print = print_answer});
}

static int show_org(struct client *client, const struct cli_args *args)
{
    const char *name = args->word_count ? args->words[0] : "default";
    return client_ask(client, args,
                      &(struct client_question){.method = "GET", .path = "/control/orgs/", .word = name, .print = print_answer});
}

static int make_org(struct client *client, const struct cli_args *args)
{
    static const struct {
        const char *flag, *member;
    } texts[] = {{"--company", "company"}, {"--admin-email", "admin_email"}, {"--time-zone", "time_zone"}};
    struct buffer body;
    buffer_init(&body, 65536);
    buffer_add(&body, VIEW("{\"name\":"));
    json_write_text(&body, view_of(args->words[0]));
    for (size_t i = 0; i < BASE_COUNT(texts); i++) {
        const char *value = cli_flag(args, texts[i].flag);
        if (value) {
            buffer_printf(&body, ",\"%s\":", texts[i].member);
            json_write_text(&body, view_of(value));
        }
    }
    buffer_add_char(&body, '}');
    int code =
        client_ask(client, args,
                   &(struct client_question){.method = "POST", .path = "/control/orgs", .body = buffer_view(&body), .print = print_answer});
    buffer_free(&body);
    return code;
}

static int make_sandbox(struct client *client, const struct cli_args *args)
{
    const char *name = args->word_count ? args->words[0] : "default";
    return client_ask(
        client, args,
        &(struct client_question){.method = "POST", .path = "/control/orgs/", .word = name, .path_end = "/sandbox", .print = print_answer});
}

int verb_org_list(const struct cli_args *args)
{
    return client_run(args, list_orgs);
}

int verb_org_show(const struct cli_args *args)
{
    return client_run(args, show_org);
}

int verb_org_new(const struct cli_args *args)
{
    return client_run(args, make_org);
}

int verb_org_sandbox(const struct cli_args *args)
{
    return client_run(args, make_sandbox);
}
