// SPDX-License-Identifier: Apache-2.0
//
// cli: the verbs of the one binary. main.c holds THE command table, config.c THE settings table; each verb is a file. Exit codes are 0
// done, 1 refused or failed, 2 wrong usage (PRODUCT, Commands).
#pragma once

#include "base/base.h"
#include "host/host.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_ARGUMENTS_MAX = 256 };

struct cli_flag {
    const char *name; // "--data"
    const char *value; // "DIR", NULL for a switch
    const char *text;
};
struct cli_args;
struct cli_command {
    const char *name; // "serve", "ext show"
    const char *arguments; // "[EXT_DIR…]"
    const char *summary;
    const struct cli_flag *flags; // ends with a row of name NULL
    int (*run)(const struct cli_args *args);
    int least, most; // positional arguments
    bool makes_data; // a data folder that is not there is made
};
extern const struct cli_command cli_commands[]; // ends with a row of name NULL

struct cli_args {
    const struct cli_command *command;
    const char *words[CLI_ARGUMENTS_MAX];
    int word_count;
    struct {
        const char *name, *value;
    } flags[CLI_ARGUMENTS_MAX];
    int flag_count;
};
const char *cli_flag(const struct cli_args *args, const char *name); // the last value, "" for a switch, NULL when absent
const char *cli_flag_next(const struct cli_args *args, const char *name, int *cursor); // each value in turn; start with 0
int cli_usage_error(const struct cli_args *args, const char *format, ...) BASE_PRINTF(2, 3); // prints, gives CLI_USAGE
int cli_failed(const struct fail *fail); // prints "sluice: …", gives CLI_FAILED, or CLI_USAGE for FAIL_USAGE

// ---- settings -----------------------------------------------------------------------------------

// From lowest to highest: the table's default, DATA/config, SLUICE_…, the flag.
struct cli_settings {
    const char *data, *listen, *store, *public_url, *log_format, *log_level;
    int64_t workers;
    bool sync_normal, errors_http, zoho_hosts_real, json_java_order, strict;
    const char *outbound_allow, *admin_email, *time_zone;
    const char *key_rate, *key_allow, *proxy_trusted, *console_hosts;
    const char *server, *token; // of commands that ask a server elsewhere
    const char *org; // --org, NULL = default
    bool sandbox; // --sandbox
    const char *mail_smtp_url, *mail_user, *mail_password_file, *mail_from_allowed;
    int64_t limits[HOST_LIMITS];
    struct arena arena; // of the texts
};
bool settings_load(const struct cli_args *args, bool with_file, struct cli_settings *ret_settings, struct fail *fail);
void settings_free(struct cli_settings *settings);
void settings_print(FILE *out); // `docs config`
struct host_options settings_host_options(const struct cli_settings *settings);
bool settings_limit(struct cli_settings *settings, const char *assignment, struct fail *fail); // "statements=100"

// ---- asking the server --------------------------------------------------------------------------

struct client_reply {
    int status;
    struct buffer head, body; // head: header lines as they came
};
struct client_request {
    const char *method;
    struct view target; // path and query, encoded
    const struct exchange_header *headers;
    int header_count;
    struct view body;
};
// Through --server URL with its token, else through DATA/control.sock when a server runs, else in this process with the data folder open.
// Several requests in one session share the host. The org environment is that of --org and --sandbox.
struct client;
bool client_open(const struct cli_settings *settings, struct client **ret_client, struct fail *fail);
bool client_send(struct client *client, const struct client_request *request, struct client_reply *ret_reply, struct fail *fail);
void client_reply_free(struct client_reply *reply);
bool client_is_remote(const struct client *client); // a server runs
bool client_is_elsewhere(const struct client *client); // it is another machine's, or might be: it does not see our files
void client_close(struct client *client);
// Runs fn(client, args) with an open client on the right stack; prints failures.
int client_run(const struct cli_args *args, int (*fn)(struct client *client, const struct cli_args *args));
// GET or POST that must answer JSON with status 200; prints Zoho's message otherwise.
bool client_json(struct client *client, const char *method, struct view target, struct view body, struct heap *heap,
                 struct value *ret_value, struct fail *fail);

// The same with a body of another type than JSON.
bool client_json_typed(struct client *client, const char *method, struct view target, struct view body, const struct exchange_header *type,
                       struct heap *heap, struct value *ret_value, struct fail *fail);
// One question whose answer is JSON: prints it as it came with --json, else with `print`; what it failed with goes to standard error. Gives
// the exit code.
struct client_question {
    const char *method;
    const char *path, *word, *path_end; // "/control/ext/" + encoded word + "/upgrade"; word and path_end may be NULL
    struct view body;
    void (*print)(struct value answer); // NULL: nothing is printed
};
int client_ask(struct client *client, const struct cli_args *args, const struct client_question *question);
struct view cli_text(const struct map *map, const char *key); // a text member, "" for anything else; map may be NULL

// ---- verbs --------------------------------------------------------------------------------------

int verb_serve(const struct cli_args *args);
int verb_run(const struct cli_args *args);
int verb_check(const struct cli_args *args);
int verb_fmt(const struct cli_args *args);
int verb_test(const struct cli_args *args);
int verb_ext_new(const struct cli_args *args);
int verb_completion(const struct cli_args *args);
int verb_ext_publish(const struct cli_args *args);
int verb_ext_upgrade(const struct cli_args *args);
int verb_ext_rollback(const struct cli_args *args);
int verb_ext_uninstall(const struct cli_args *args);
int verb_ext_set(const struct cli_args *args);
int verb_ext_install(const struct cli_args *args);
int verb_ext_show(const struct cli_args *args);
int verb_ext_list(const struct cli_args *args);
int verb_fn_put(const struct cli_args *args);
int verb_fn_list(const struct cli_args *args);
int verb_fn_show(const struct cli_args *args);
int verb_fn_remove(const struct cli_args *args);
int verb_fn_history(const struct cli_args *args);
int verb_fn_restore(const struct cli_args *args);
int verb_index_new(const struct cli_args *args);
int verb_index_list(const struct cli_args *args);
int verb_oauth_new(const struct cli_args *args);
int verb_oauth_list(const struct cli_args *args);
int verb_oauth_code(const struct cli_args *args);
int verb_oauth_approve(const struct cli_args *args);
int verb_oauth_deny(const struct cli_args *args);
int verb_oauth_remove(const struct cli_args *args);
int verb_connection_new(const struct cli_args *args);
int verb_connection_list(const struct cli_args *args);
int verb_connection_show(const struct cli_args *args);
int verb_connection_test(const struct cli_args *args);
int verb_connection_remove(const struct cli_args *args);
int verb_schedule_set(const struct cli_args *args);
int verb_schedule_list(const struct cli_args *args);
int verb_schedule_remove(const struct cli_args *args);
int verb_schedule_run(const struct cli_args *args);
int verb_key_show(const struct cli_args *args);
int verb_key_list(const struct cli_args *args);
int verb_key_rotate(const struct cli_args *args);
int verb_key_revoke(const struct cli_args *args);
int verb_key_set(const struct cli_args *args);
int verb_org_new(const struct cli_args *args);
int verb_org_list(const struct cli_args *args);
int verb_org_show(const struct cli_args *args);
int verb_org_sandbox(const struct cli_args *args);
int verb_user_new(const struct cli_args *args);
int verb_user_list(const struct cli_args *args);
int verb_user_password(const struct cli_args *args);
int verb_user_remove(const struct cli_args *args);
int verb_user_link(const struct cli_args *args);
int verb_call(const struct cli_args *args);
int verb_logs(const struct cli_args *args);
int verb_docs(const struct cli_args *args);
int verb_help(const struct cli_args *args);
int verb_version(const struct cli_args *args);

// A whole file or standard input ("-"); the bytes are malloc'ed. Fails over bytes_max.
bool cli_read_file(const char *path, size_t bytes_max, char **ret_data, size_t *ret_len, struct fail *fail);
void cli_print_json(struct value value); // one line on standard output
