// SPDX-License-Identifier: Apache-2.0
// THE command table, and finding the verb, its words and its flags. Help is printed from the table.
#include "cli/cli.h"

#include <stdlib.h>

#define DATA                                                                                                                               \
    {                                                                                                                                      \
        "--data", "DIR", "data folder (default ./sluice-data, or SLUICE_DATA)"                                                             \
    }
#define SERVER                                                                                                                             \
    {                                                                                                                                      \
        "--server", "URL", "ask a server elsewhere instead (http://HOST:PORT, or SLUICE_SERVER)"                                           \
    },                                                                                                                                     \
    {                                                                                                                                      \
        "--token", "T", "access token for --server (sluice oauth new, or SLUICE_TOKEN)"                                                    \
    }
#define PLACE                                                                                                                              \
    {                                                                                                                                      \
        "--org", "ORG", "the org (default: default)"                                                                                       \
    },                                                                                                                                     \
    {                                                                                                                                      \
        "--sandbox", NULL, "its sandbox instead of production"                                                                             \
    }
#define JSON                                                                                                                               \
    {                                                                                                                                      \
        "--json", NULL, "print machine-readable JSON"                                                                                      \
    }
#define END                                                                                                                                \
    {                                                                                                                                      \
        NULL, NULL, NULL                                                                                                                   \
    }

static const struct cli_flag serve_flags[] = {
    DATA,
    {"--listen", "HOST:PORT", "address (default 127.0.0.1:8080; port 0 picks a free one)"},
    {"--store", "URL", "where records are kept: sqlite (the data folder), or postgres://USER@HOST/DATABASE"},
    {"--workers", "N", "threads (default: one a core)"},
    {"--reinstall", NULL, "run the install actions of the served folders again"},
    END,
};
static const struct cli_flag run_flags[] = {
    {"--param", "K=V", "a parameter of the request; repeatable"},
    {"--arguments", "JSON", "named arguments as one JSON object"},
    {"--body", "TEXT|@FILE", "the request's body"},
    {"--file", "PATH", "an uploaded file (inputFile)"},
    {"--header", "K: V", "a header of the request; repeatable"},
    {"--method", "M", "the HTTP method (default GET, POST with a body)"},
    {"--v1", NULL, "run it as a version 1.0 function"},
    {"--limit", "NAME=VALUE", "raise a limit (see sluice docs limits); repeatable"},
    {"--data", "DIR", "use the CRM of this data folder instead of an empty one in memory"},
    {"--strict", NULL, "report what Zoho's own save would refuse"},
    JSON,
    END,
};
static const struct cli_flag check_flags[] = {
    {"--strict", NULL, "report what Zoho's own save would refuse"},
    {"--explain", NULL, "show the source line of each finding, and what to do"},
    {"--data", "DIR", "warn of modules and fields that the CRM of this data folder does not have"},
    JSON,
    END,
};
static const struct cli_flag test_flags[] = {
    {"--accept", NULL, "write what came into the expectations of failing tests"},
    {"--filter", "TEXT", "only tests whose name or function contains TEXT"},
    JSON,
    END,
};
static const struct cli_flag new_flags[] = {
    {"--namespace", "NS", "its namespace (default: the folder's name)"},
    {"--name", "TEXT", "its name for people (default: the folder's name)"},
    END,
};
static const struct cli_flag fmt_flags[] = {{"--check", NULL, "write nothing, fail if a file would change"}, END};
static const struct cli_flag data_flags[] = {DATA, SERVER, JSON, END};
static const struct cli_flag place_flags[] = {DATA, PLACE, SERVER, JSON, END};
static const struct cli_flag publish_flags[] = {
    DATA,
    {"--namespace", "NS", "the namespace, instead of the manifest's or the zip's name"},
    {"--version", "V", "the version, instead of the manifest's (1.0.0 without one)"},
    SERVER,
    JSON,
    END,
};
static const struct cli_flag install_flags[] = {
    DATA,
    PLACE,
    {"--reinstall", NULL, "run the install action of what is installed again"},
    {"--namespace", "NS", "of a folder or zip: as of ext publish"},
    {"--version", "V", "of a folder or zip: as of ext publish"},
    SERVER,
    JSON,
    END,
};
static const struct cli_flag upgrade_flags[] = {
    DATA,
    PLACE,
    {"--namespace", "NS", "of a folder or zip: as of ext publish"},
    {"--version", "V", "of a folder or zip: as of ext publish"},
    SERVER,
    JSON,
    END,
};
static const struct cli_flag ext_list_flags[] = {
    DATA, PLACE, {"--all", NULL, "published extensions that are not installed too"}, SERVER, JSON, END,
};
static const struct cli_flag uninstall_flags[] = {
    DATA,
    PLACE,
    {"--drop-data", NULL, "its modules with their records, its fields and its variables' values go too"},
    {"--force", NULL, "go on when its uninstall script fails"},
    SERVER,
    JSON,
    END,
};
#define PASSWORD                                                                                                                           \
    {                                                                                                                                      \
        "--password-file", "FILE|-", "file with the password in one line (default: standard input)"                                        \
    }
static const struct cli_flag user_flags[] = {DATA, SERVER, JSON, END};
static const struct cli_flag user_password_flags[] = {DATA, PASSWORD, SERVER, JSON, END};
static const struct cli_flag user_new_flags[] = {
    DATA, PASSWORD, {"--name", "NAME", "the person's name"}, {"--role", "ROLE", "admin, developer (the default) or viewer, who only reads"}, SERVER, JSON, END,
};
static const struct cli_flag key_rotate_flags[] = {
    DATA, PLACE, {"--grace", "DURATION", "how long the key before still works: 90s, 30m, 24h, 7d (default: it ends at once)"}, SERVER, JSON, END,
};
static const struct cli_flag key_set_flags[] = {
    DATA,
    PLACE,
    {"--rate", "N/minute|none|default", "calls a minute with its keys; default: setting key.rate"},
    {"--allow", "ADDR,CIDR,…|any|default", "addresses its keys may come from; default: setting key.allow"},
    SERVER,
    JSON,
    END,
};
static const struct cli_flag org_new_flags[] = {
    DATA,
    {"--company", "TEXT", "its company name (default: the org's name)"},
    {"--admin-email", "ADDRESS", "e-mail of its super admin (default: setting org.admin_email)"},
    {"--time-zone", "ZONE", "its time zone (default: setting org.time_zone)"},
    SERVER,
    JSON,
    END,
};
static const struct cli_flag fn_put_flags[] = {
    DATA,
    PLACE,
    {"--kind", "KIND", "standalone (default), button, automation, schedule, validation_rule, related_list, salessignals"},
    {"--name", "NAME", "its API name, instead of the header's or the file's"},
    {"--apikey", "on|off", "may API keys call it (standalone: on)"},
    {"--oauth", "on|off", "may OAuth tokens call it (standalone: on)"},
    SERVER,
    JSON,
    END,
};
static const struct cli_flag fn_show_flags[] = {DATA, PLACE, {"--source", NULL, "print its source alone"}, SERVER, JSON, END};
static const struct cli_flag connection_flags[] = {
    DATA,
    PLACE,
    {"--type", "TYPE", "zoho (default: Zoho's own hosts, as the running user), none, api-key, bearer, basic, oauth2; a connector says its own"},
    {"--scope", "S,S…", "scopes; of a zoho connection all unless named"},
    {"--host", "HOST", "a host that it may be sent to, or *.HOST; repeatable, default any"},
    {"--header", "NAME", "header of an API key (default X-Api-Key)"},
    {"--query", "NAME", "query parameter of an API key instead"},
    {"--value-file", "FILE|-", "file with the API key or bearer token"},
    {"--user", "NAME", "user of basic authorisation"},
    {"--password-file", "FILE|-", "file with that user's password"},
    {"--client-id", "ID", "OAuth 2.0 client"},
    {"--client-secret-file", "FILE|-", "file with the client's secret"},
    {"--token-url", "URL", "where tokens are given"},
    {"--refresh-url", "URL", "where they are refreshed (default the token URL)"},
    {"--refresh-token-file", "FILE|-", "file with the refresh token"},
    {"--code-file", "FILE|-", "file with the code of an authorisation, which gets the refresh token"},
    {"--authorize-url", "URL", "where a user lets the client in; show prints it whole"},
    {"--redirect-uri", "URL", "the redirect URI that the client is registered with"},
    {"--grant", "GRANT", "client_credentials (default without refresh token and code) or authorization_code"},
    {"--token-auth", "body|header", "where the client's secret goes in token requests (default body)"},
    {"--separator", "TEXT", "between scopes (default a blank)"},
    {"--prefix", "WORD", "word before the token in Authorization (default Bearer)"},
    SERVER,
    JSON,
    END,
};
static const struct cli_flag oauth_new_flags[] = {
    DATA,
    PLACE,
    {"--name", "NAME", "the client's name, for those who are asked (default: Self Client)"},
    {"--scope", "S,S…", "scopes; a self client gets tokens for them at once"},
    {"--redirect-uri", "URI", "where its users come back to with a code; repeatable"},
    {"--user", "EMAIL", "the user that it acts as (default: the org's super admin)"},
    SERVER,
    JSON,
    END,
};
static const struct cli_flag oauth_code_flags[] = {
    DATA,
    PLACE,
    {"--scope", "S,S…", "scopes of the tokens that the code is changed for"},
    {"--minutes", "N", "how long the code may be used, 3 to 10 (default 10)"},
    SERVER,
    JSON,
    END,
};
static const struct cli_flag schedule_set_flags[] = {
    DATA,
    PLACE,
    {"--missed", "skip|once|all", "runs that no server was there for: leave them out (default), one for all of them, or each"},
    {"--zone", "ZONE", "the clock it goes by (default: the org's time zone)"},
    SERVER,
    JSON,
    END,
};
static const struct cli_flag call_flags[] = {
    DATA,
    PLACE,
    SERVER,
    {"--param", "K=V", "a parameter; repeatable"},
    {"--arguments", "JSON", "named arguments as one JSON object"},
    {"--record", "JSON", "the record that a validation rule is about"},
    {"--body", "TEXT|@FILE", "the body"},
    {"--header", "K: V", "a header; repeatable"},
    {"--method", "M", "the HTTP method (default GET, POST with a body)"},
    JSON,
    END,
};
static const struct cli_flag logs_flags[] = {
    DATA,
    SERVER,
    {"-f", NULL, "follow: go on printing new runs"},
    {"--failures", NULL, "only runs that failed"},
    {"--limit", "N", "the last N runs (default 100)"},
    {"--audit", NULL, "who changed keys, versions, installations, orgs, clients and connections, instead of runs"},
    JSON,
    END,
};
static const struct cli_flag no_flags[] = {END};

const struct cli_command cli_commands[] = {
    {"serve", "[EXT_DIR…]", "serve functions over HTTP; each folder is installed and kept in step with its files", serve_flags, verb_serve,
     0, 200},
    {"run", "FILE.dg", "run one script without a server", run_flags, verb_run, 1, 1, false},
    {"check", "PATH…", "compile scripts and report what is wrong", check_flags, verb_check, 1, 200, false},
    {"fmt", "PATH…", "bring scripts into the canonical layout; - is standard input", fmt_flags, verb_fmt, 1, 200, false},
    {"test", "[PATH…]", "run the tests of extensions (PATH: folders or tests/*.json; default: here)", test_flags, verb_test, 0, 200, false},
    {"ext publish", "DIR|ZIP", "check an extension as a whole and publish its version, which never changes then", publish_flags,
     verb_ext_publish, 1, 1, true},
    {"ext new", "DIR", "make a small extension that works, with tests", new_flags, verb_ext_new, 1, 1, false},
    {"ext install", "NAMESPACE[@VERSION]|DIR|ZIP", "install a published version in an org; a folder or zip is published first", install_flags,
     verb_ext_install, 1, 1, true},
    {"ext upgrade", "NAMESPACE[@VERSION]|DIR|ZIP", "go to a newer version; records, values and key stay", upgrade_flags, verb_ext_upgrade, 1, 1,
     false},
    {"ext rollback", "NAMESPACE[@VERSION]", "go back to the version that was installed before", place_flags, verb_ext_rollback, 1, 1, false},
    {"ext uninstall", "NAMESPACE", "take an extension away; its records stay unless told", uninstall_flags, verb_ext_uninstall, 1, 1, false},
    {"ext set", "NAMESPACE VARIABLE VALUE|@FILE|-", "set a variable of an installed extension; secrets too", place_flags, verb_ext_set, 3, 3,
     false},
    {"ext list", "", "installed extensions", ext_list_flags, verb_ext_list, 0, 0, false},
    {"ext show", "NAMESPACE", "versions, variables and function URLs of an extension", data_flags, verb_ext_show, 1, 1, false},
    {"fn put", "FILE.dg…", "put functions of an org, all or none; each save is kept", fn_put_flags, verb_fn_put, 1, 200, true},
    {"fn list", "", "functions of an org", place_flags, verb_fn_list, 0, 0, false},
    {"fn show", "NAME", "one function: its URL, or its source", fn_show_flags, verb_fn_show, 1, 1, false},
    {"fn remove", "NAME", "remove a function of an org", place_flags, verb_fn_remove, 1, 1, false},
    {"fn history", "NAME", "the saved versions of a function", place_flags, verb_fn_history, 1, 1, false},
    {"fn restore", "NAME VERSION", "make a saved version of a function the newest", place_flags, verb_fn_restore, 2, 2, false},
    {"connection new", "NAME", "store an authorisation that scripts use as connection: NAME", connection_flags, verb_connection_new, 1, 1, true},
    {"connection list", "", "connections, without their secrets", place_flags, verb_connection_list, 0, 0, false},
    {"connection show", "NAME", "one connection, without its secrets", place_flags, verb_connection_show, 1, 1, false},
    {"connection test", "NAME [URL]", "send a GET under a connection and print the status", place_flags, verb_connection_test, 1, 2, false},
    {"connection remove", "NAME", "remove a connection", place_flags, verb_connection_remove, 1, 1, false},
    {"oauth new", "", "make an OAuth client of an org; with --scope, its tokens too", oauth_new_flags, verb_oauth_new, 0, 0, false},
    {"oauth list", "", "OAuth clients, and requests that wait for an answer", place_flags, verb_oauth_list, 0, 0, false},
    {"oauth code", "CLIENT_ID", "a code that a self client changes for tokens", oauth_code_flags, verb_oauth_code, 1, 1, false},
    {"oauth approve", "REQUEST", "allow what a client asks for", place_flags, verb_oauth_approve, 1, 1, false},
    {"oauth deny", "REQUEST", "refuse it", place_flags, verb_oauth_deny, 1, 1, false},
    {"oauth remove", "CLIENT_ID", "remove a client with all its tokens", place_flags, verb_oauth_remove, 1, 1, false},
    {"schedule set", "FUNCTION CRON", "run a function by the clock: \"0 2 * * *\", @hourly", schedule_set_flags, verb_schedule_set, 2, 2, false},
    {"schedule list", "", "functions that run by the clock, and when they do", place_flags, verb_schedule_list, 0, 0, false},
    {"schedule remove", "FUNCTION", "run it by the clock no more", place_flags, verb_schedule_remove, 1, 1, false},
    {"schedule run", "FUNCTION", "run it now, as the clock would", place_flags, verb_schedule_run, 1, 1, false},
    {"key show", "NAMESPACE", "the zapikey of an installed extension", place_flags, verb_key_show, 1, 1, false},
    {"key list", "", "zapikeys: when they were made and last used, when they end, their rules", place_flags, verb_key_list, 0, 0, false},
    {"key rotate", "NAMESPACE", "make a new zapikey; the one before ends", key_rotate_flags, verb_key_rotate, 1, 1, false},
    {"key revoke", "NAMESPACE", "end the zapikey; none works until the next rotate", place_flags, verb_key_revoke, 1, 1, false},
    {"key set", "NAMESPACE", "how often and from where its zapikeys may be used", key_set_flags, verb_key_set, 1, 1, false},
    {"org new", "NAME", "make an organisation with a CRM of its own", org_new_flags, verb_org_new, 1, 1, true},
    {"org list", "", "organisations with their environments", data_flags, verb_org_list, 0, 0, false},
    {"org show", "[ORG]", "one organisation (default: default)", data_flags, verb_org_show, 0, 1, false},
    {"org sandbox", "[ORG]", "make an organisation's sandbox environment", data_flags, verb_org_sandbox, 0, 1, false},
    {"user new", "EMAIL", "let somebody sign in to the console", user_new_flags, verb_user_new, 1, 1, true},
    {"user list", "", "who may sign in to the console", user_flags, verb_user_list, 0, 0, false},
    {"user password", "EMAIL", "set a password; ends the user's sessions", user_password_flags, verb_user_password, 1, 1, false},
    {"user remove", "EMAIL", "let somebody sign in no more; ends the user's sessions", user_flags, verb_user_remove, 1, 1, false},
    {"user link", "[EMAIL]", "a link that signs in to the console once, as the operator unless a user is named", user_flags, verb_user_link, 0, 1, false},
    {"index new", "MODULE FIELD", "index a field that is searched or sorted by often; writes wait while it is made", place_flags,
     verb_index_new, 2, 2, false},
    {"index list", "", "indexes that were made, by command or by themselves", place_flags, verb_index_list, 0, 0, false},
    {"call", "NAME", "call a deployed function; prints the reply and the run's log", call_flags, verb_call, 1, 1, false},
    {"logs", "[NAME]", "runs and their log lines", logs_flags, verb_logs, 0, 1, false},
    {"docs", "builtins|errors|limits|config|api", "the reference pages", no_flags, verb_docs, 1, 1, false},
    {"completion", "bash|zsh|fish", "a script that completes commands and flags in the shell", no_flags, verb_completion, 1, 1, false},
    {"help", "[COMMAND]", "what the commands do", no_flags, verb_help, 0, 2, false},
    {"version", "", "the version", no_flags, verb_version, 0, 0, false},
    {NULL, NULL, NULL, NULL, NULL, 0, 0, false},
};

// ---- flags --------------------------------------------------------------------------------------

const char *cli_flag(const struct cli_args *args, const char *name)
{
    const char *value = NULL;
    for (int i = 0; i < args->flag_count; i++) {
        if (strcmp(args->flags[i].name, name) == 0) {
            value = args->flags[i].value ? args->flags[i].value : "";
        }
    }
    return value;
}

const char *cli_flag_next(const struct cli_args *args, const char *name, int *cursor)
{
    while (*cursor < args->flag_count) {
        int i = (*cursor)++;
        if (strcmp(args->flags[i].name, name) == 0) {
            return args->flags[i].value ? args->flags[i].value : "";
        }
    }
    return NULL;
}

int cli_usage_error(const struct cli_args *args, const char *format, ...)
{
    va_list list;
    fputs("sluice: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, "\nsee: sluice help%s%s\n", args && args->command ? " " : "", args && args->command ? args->command->name : "");
    return CLI_USAGE;
}

int cli_failed(const struct fail *fail)
{
    fprintf(stderr, "sluice: %s\n", fail->text);
    return fail->code == FAIL_USAGE ? CLI_USAGE : CLI_FAILED;
}

static const struct cli_flag *find_flag(const struct cli_command *command, const char *name, size_t len)
{
    for (const struct cli_flag *flag = command->flags; flag->name; flag++) {
        if (strlen(flag->name) == len && strncmp(flag->name, name, len) == 0) {
            return flag;
        }
    }
    return NULL;
}

// "--name value", "--name=value", "-f". A lone "--" ends the flags.
static int read_flag(struct cli_args *args, int argc, char **argv, int *at)
{
    const char *word = argv[*at], *equals = strchr(word, '=');
    const struct cli_flag *flag = find_flag(args->command, word, equals ? (size_t)(equals - word) : strlen(word));
    if (!flag) {
        return cli_usage_error(args, "%s does not know the flag %s", args->command->name, word);
    }
    if (args->flag_count == CLI_ARGUMENTS_MAX) {
        return cli_usage_error(args, "there are more than %d flags", CLI_ARGUMENTS_MAX);
    }
    const char *value = NULL;
    if (flag->value) {
        value = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
        if (!value) {
            return cli_usage_error(args, "%s needs a value: %s %s", flag->name, flag->name, flag->value);
        }
    } else if (equals) {
        return cli_usage_error(args, "%s takes no value", flag->name);
    }
    args->flags[args->flag_count].name = flag->name;
    args->flags[args->flag_count++].value = value;
    return CLI_OK;
}

static int read_arguments(struct cli_args *args, int argc, char **argv, int at)
{
    bool flags = true;
    for (; at < argc; at++) {
        const char *word = argv[at];
        if (flags && strcmp(word, "--") == 0) {
            flags = false;
        } else if (flags && word[0] == '-' && word[1]) {
            int code = read_flag(args, argc, argv, &at);
            if (code != CLI_OK) {
                return code;
            }
        } else if (args->word_count == CLI_ARGUMENTS_MAX) {
            return cli_usage_error(args, "there are more than %d arguments", CLI_ARGUMENTS_MAX);
        } else {
            args->words[args->word_count++] = word;
        }
    }
    if (args->word_count < args->command->least) {
        return cli_usage_error(args, "%s needs %s", args->command->name, args->command->arguments);
    }
    if (args->word_count > args->command->most) {
        return cli_usage_error(args, "%s takes no \"%s\"", args->command->name, args->words[args->command->most]);
    }
    return CLI_OK;
}

// ---- verbs --------------------------------------------------------------------------------------

// The row of one or two words; *ret_words says how many.
static const struct cli_command *find_command(int argc, char **argv, int *ret_words)
{
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        const char *second = strchr(command->name, ' ');
        size_t first = second ? (size_t)(second - command->name) : strlen(command->name);
        if (strlen(argv[0]) == first && strncmp(argv[0], command->name, first) == 0 &&
            (!second || (argc > 1 && strcmp(argv[1], second + 1) == 0))) {
            *ret_words = second ? 2 : 1;
            return command;
        }
    }
    return NULL;
}

static void print_command(const struct cli_command *command)
{
    printf("usage: sluice %s%s%s\n\n%s\n", command->name, *command->arguments ? " " : "", command->arguments, command->summary);
    for (const struct cli_flag *flag = command->flags; flag->name; flag++) {
        char left[48];
        snprintf(left, sizeof left, "%s %s", flag->name, flag->value ? flag->value : "");
        int width = 24 + (int)(strlen(left) - utf8_units(view_of(left))); // printf counts bytes
        printf("%s  %-*s %s\n", flag == command->flags ? "\n" : "", width, left, flag->text);
    }
}

static void print_commands(void)
{
    puts("Sluice runs Zoho CRM REST API functions (Deluge) anywhere.\n\nusage: sluice COMMAND …\n");
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", command->name, command->arguments);
        printf("  %-42s %s\n", left, command->summary);
    }
    puts("\nsluice help COMMAND tells its flags. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.");
}

int verb_help(const struct cli_args *args)
{
    if (!args->word_count) {
        print_commands();
        return CLI_OK;
    }
    bool found = false;
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        char asked[128];
        snprintf(asked, sizeof asked, "%s%s%s", args->words[0], args->word_count > 1 ? " " : "",
                 args->word_count > 1 ? args->words[1] : "");
        size_t len = strlen(asked);
        if (strncmp(command->name, asked, len) == 0 && (!command->name[len] || command->name[len] == ' ')) {
            printf("%s", found ? "\n" : "");
            print_command(command);
            found = true;
        }
    }
    return found ? CLI_OK : cli_usage_error(NULL, "there is no command \"%s\"", args->words[0]);
}

int verb_version(const struct cli_args *args)
{
    (void)args;
    puts("sluice " SLUICE_VERSION);
    return CLI_OK;
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            return false;
        }
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    struct cli_args *args = calloc(1, sizeof *args);
    int words, code;
    if (!args) {
        return CLI_FAILED;
    }
    if (argc < 2) {
        print_commands();
        free(args);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--version") == 0) {
        argv[1] = argv[1][2] == 'v' ? "version" : "help";
    }
    args->command = find_command(argc - 1, argv + 1, &words);
    if (!args->command) {
        code = cli_usage_error(NULL, "there is no command \"%s%s%s\"", argv[1], argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
    } else if (asks_help(argc, argv)) {
        print_command(args->command);
        code = CLI_OK;
    } else {
        code = read_arguments(args, argc, argv, 1 + words);
        code = code == CLI_OK ? args->command->run(args) : code;
    }
    free(args);
    if (fflush(stdout) != 0 && code == CLI_OK) {
        code = CLI_FAILED; // a full disk or a closed pipe behind standard output
    }
    return code;
}
