// SPDX-License-Identifier: Apache-2.0
// `sluice docs`: the reference pages, printed from the tables the program itself uses.
#include "cli/cli.h"

#include "lang/lang.h"
#include "web/web.h"

static void print_errors(void)
{
    printf("# Errors\n\nReplies carry {\"code\", \"details\", \"message\", \"status\"}; several causes share one of Zoho's codes.\n\n"
           "| code | HTTP status | message | cause |\n|---|---|---|---|\n");
    for (int i = FAIL_NONE + 1; i < FAIL_CODES; i++) {
        enum fail_code code = (enum fail_code)i;
        printf("| %s | %d | %s | %s |\n", fail_name(code), fail_status(code), fail_default_text(code), fail_symbol(code) + 5);
    }
}

static void print_limits(void)
{
    printf("# Limits\n\nSet with limit.NAME in DATA/config, SLUICE_LIMIT_NAME, or `sluice run --limit NAME=VALUE`.\n\n"
           "| name | default | unit | from | to | what |\n|---|---|---|---|---|---|\n");
    for (int i = 0; i < HOST_LIMITS; i++) {
        const struct host_limit_row *row = &host_limits[i];
        printf("| %s | %lld | %s | %lld | %lld | %s |\n", row->name, (long long)row->standard, row->unit, (long long)row->lowest,
               (long long)row->highest, row->text);
    }
}

static void print_builtins(void)
{
    const struct native_set *set = host_natives();
    printf("# Built-ins\n");
    for (size_t i = 0; i < native_set_count(set); i++) {
        const struct native *row = native_set_at(set, i);
        printf("\n## %s\n\n    %s\n\n%s (%s)\n", row->name, row->signature, row->doc, row->provenance);
        struct view example = view_of(row->example);
        if (example.len) {
            putchar('\n');
        }
        while (example.len) { // each line is indented, so that the page stays readable as Markdown
            struct view line = view_cut(&example, '\n');
            printf("    %.*s\n", VIEW_ARGS(line));
        }
    }
}

static void print_api(void)
{
    printf("# Routes\n\n| method | path | who | what |\n|---|---|---|---|\n");
    for (int i = 0; i < web_route_count(); i++) {
        struct web_route_row row = web_route_at(i);
        printf("| %s | %s | %s | %s |\n", row.method, row.pattern, row.auth, row.text);
    }
}

static void print_config(void)
{
    settings_print(stdout);
}

static const struct {
    const char *name;
    void (*print)(void);
} pages[] = {
    {"builtins", print_builtins}, {"errors", print_errors}, {"limits", print_limits}, {"config", print_config}, {"api", print_api}};

int verb_docs(const struct cli_args *args)
{
    for (size_t i = 0; i < BASE_COUNT(pages); i++) {
        if (strcmp(args->words[0], pages[i].name) == 0) {
            pages[i].print();
            return CLI_OK;
        }
    }
    return cli_usage_error(args, "there is no page \"%s\": builtins, errors, limits, config, api", args->words[0]);
}
