// SPDX-License-Identifier: Apache-2.0
//
// host: runs one function from start to end; the only room that knows both the language and the platform. web fills an exchange and asks;
// scripts that call our own URLs fill one too. Installing, publishing and watching extensions is here, because it compiles scripts and runs
// actions.
#pragma once

#include "auth/auth.h"
#include "base/base.h"
#include "crm/crm.h"
#include "ext/ext.h"
#include "lang/lang.h"
#include "store/store.h"
#include "value/value.h"

enum { HOST_HEADERS_MAX = 100, HOST_NESTED_MAX = 5, HOST_ID_LEN = 24 };

// ---- exchange: one request and its reply --------------------------------------------------------

struct exchange_header {
    struct view name, value; // request: lower-case name; reply: as to be sent
};
struct host_nested; // what a nested run inherits (depth, deadline, what is left of the limits); NULL for calls from outside

struct exchange {
    struct arena *arena; // owns everything below; lives until the reply is written
    // request
    char id[HOST_ID_LEN + 1]; // X-Request-Id, the run id
    struct view method, path, query; // path percent-decoded per segment by the router; query raw
    const struct exchange_header *headers;
    int header_count;
    struct view body, content_type, peer;
    struct view head; // the request's line and headers as they came, names in lower case; empty for calls from inside
    bool local; // came over control.sock or from this process: the owner
    bool sandbox; // the URL or host asked for the sandbox environment
    bool trusted; // of a nested call: host has set `identity`, no token is wanted
    bool body_read;
    bool (*read_body)(struct exchange *exchange, size_t bytes_max, struct fail *fail); // NULL when the body is there
    void *transport; // of read_body
    struct identity identity; // set by the dispatcher before the handler
    const struct host_nested *nested;
    // for the structured line and the run log; set by host_function_call
    struct view function; // canonical name, empty when no function ran
    const char *outcome; // "ok", "script_error", "limit", "refused"; NULL when no function ran
    int64_t statements;
    const char *trigger; // for the run log; NULL: "rest", or "function" of a nested call
    // a reply whose body comes in pieces, `reply_length` bytes in all (0 = reply_body is all of it). `reply_next` gives way; false: there are no
    // more, or it failed. Whoever sends the reply calls `reply_end` once, also when he sends nothing of it.
    int64_t reply_length;
    bool (*reply_next)(void *arg, struct view *ret_piece);
    void (*reply_end)(void *arg);
    void *reply_arg;
    // reply; the headers come last, because they are not cleared between requests
    int status;
    struct view reply_type, reply_body; // reply_type empty = no Content-Type
    int reply_header_count;
    struct exchange_header reply_headers[HOST_HEADERS_MAX];
};
void exchange_make_id(struct exchange *exchange); // a new X-Request-Id
struct view exchange_header(const struct exchange *exchange, struct view name); // lower-case name; VIEW_NONE if absent
bool exchange_reply_header(struct exchange *exchange, struct view name, struct view value); // copies; false when full
// A reply in Zoho's envelope {"code","details":{},"message","status":"error"} from a failure.
void exchange_reply_fail(struct exchange *exchange, const struct fail *fail);
// Makes one body of the pieces, for callers inside; FAIL_TOO_LARGE. Does nothing for other replies.
bool exchange_collect(struct exchange *exchange, struct fail *fail);
void exchange_reply_json(struct exchange *exchange, int status, struct view body); // body in the arena
// A query parameter, decoded, the last of that name; VIEW_NONE if absent.
struct view exchange_param(struct exchange *exchange, struct view name);

// ---- the host -----------------------------------------------------------------------------------

struct host_options {
    const char *data_folder; // NULL: all in memory
    const char *store_url; // setting store: records on a PostgreSQL server; NULL: files of the data folder
    bool sync_normal; // setting store.sync = normal
    bool errors_http; // setting errors = http
    bool zoho_hosts_real; // setting zoho_hosts = real
    bool json_java_order; // setting json_key_order = java-hashmap
    bool strict;
    struct view outbound_allow; // setting outbound.allow
    bool outbound_loopback;
    struct view mail_smtp_url, mail_user, mail_password_file, mail_from_allowed; // settings mail.…; no URL = no mail
    struct view admin_email, time_zone; // org.admin_email, org.time_zone
    struct view key_rate, key_allow, proxy_trusted; // settings key.rate, key.allow, proxy.trusted
    struct view console_hosts; // setting console.hosts
    const char *listen_address; // our own address, for scripts that call it; set when known
    const char *public_url; // what printed URLs start with; NULL: http://listen_address
    const int64_t *limits; // HOST_LIMITS values; NULL = defaults
    struct store_images *images; // tests: of memory data bases made before with the same options; may be NULL
    bool no_actions, no_seeds; // tests: installing runs no action, loads no seed records
};

// Limits stand in host/limits.def: LIMIT(symbol, "name", default, lowest, highest, "unit", "text").
enum host_limit {
#define LIMIT(symbol, name, standard, lowest, highest, unit, text) symbol,
#include "host/limits.def"
#undef LIMIT
    HOST_LIMITS
};
struct host_limit_row {
    const char *name, *unit, *text;
    int64_t standard, lowest, highest;
};
extern const struct host_limit_row host_limits[HOST_LIMITS];

struct host;
bool host_open(const struct host_options *options, struct host **ret_host, struct fail *fail); // on a fiber
void host_close(struct host *host);
const struct host_options *host_options(const struct host *host);
int64_t host_limit(const struct host *host, enum host_limit limit);
struct auth *host_auth(struct host *host);
// web's dispatcher, for scripts that call our own URLs.
void host_set_dispatch(struct host *host, void (*dispatch)(void *user, struct exchange *exchange), void *user);
void host_set_address(struct host *host, const char *address); // after listening: what scripts see as ours

// Runs the function `api_name` ("ns__fn", "ns.fn", any case) for exchange->identity and fills the reply. `settings_url`: v1.0's URL shape
// (only the error envelope differs; a function answers in its own style on either URL). Gives way.
void host_function_call(struct host *host, struct exchange *exchange, struct view api_name);

// ---- extensions ---------------------------------------------------------------------------------

struct host_message { // where errors and notices of installs go: one line each
    void *user;
    void (*line)(void *user, enum log_level level, const char *text);
};
// Where a package to be published comes from.
struct host_source {
    const char *path; // a folder or a zip of this machine; NULL: `zip`
    struct view zip, file_name; // the bytes of a zip, and what it was called
    struct view name, namespace, version; // for a package without manifest; namespace and version count more than a manifest's when given
};
struct host_published {
    char namespace[EXT_NAME_MAX], version[EXT_NAME_MAX];
    bool is_new; // false: the same files were published before
};
// Checks everything, says every error, and publishes the version; a published one never changes (FAIL_EXISTS).
bool host_ext_publish(struct host *host, const struct identity *who, const struct host_source *source, const struct host_message *message,
                      struct host_published *ret_published, struct fail *fail);
enum host_install_kind { HOST_INSTALL, HOST_UPGRADE, HOST_ROLLBACK };
struct host_install {
    enum host_install_kind kind;
    struct view namespace, version; // version empty: the newest release; of a rollback the one that was installed before
    bool reinstall; // of an installation: run the action of what is installed again
    const struct map *variables; // values by API name, set before the action runs; NULL: none
};
// One transaction: modules, fields, variables, functions, connectors, key, then the script; when it fails nothing of it remains, and the
// messages hold its log. An upgrade keeps records, variables' values, ids and key, and runs on_update (else on_installation). A rollback runs
// no script, and leaves modules and fields that the newer version brought. FAIL_EXISTS, FAIL_NOT_FOUND, FAIL_INVALID_DATA (a downgrade).
bool host_ext_install(struct host *host, const struct identity *who, const struct host_install *request, const struct host_message *message,
                      struct host_published *ret_installed, struct fail *fail);
// Runs the on-uninstallation script (`force`: goes on when it fails), revokes the key, takes the extension away. Records and variables' values
// stay for a later installation unless drop_data.
bool host_ext_uninstall(struct host *host, const struct identity *who, struct view namespace, bool drop_data, bool force,
                        const struct host_message *message, struct fail *fail);
// What a published version asks for when it is installed: [{api_name, field_name, type, value, secret}]; version empty: the newest release.
bool host_ext_variables(struct host *host, struct view namespace, struct view version, struct heap *heap, struct value *ret_list,
                        struct fail *fail);
// Sets a variable, secrets too, as the page Extension Settings does.
bool host_ext_set(struct host *host, const struct identity *who, struct view namespace, struct view variable, struct view value,
                  struct fail *fail);
// Publishes, installs and keeps a folder in step as version `dev`. reinstall: run the install action again. On failure nothing of it
// remains.
bool host_folder_install(struct host *host, const char *folder, bool reinstall, const struct host_message *message,
                         char ret_namespace[EXT_NAME_MAX], struct fail *fail);
// `namespace`: what it was installed as, empty when it could not be.
bool host_folder_watch(struct host *host, const char *folder, const char *namespace, const struct host_message *message, struct fail *fail);
// A number that grows when something in the served folder of this extension is saved; 0: it is not served from one.
int64_t host_folder_changes(struct host *host, struct view namespace);
// JSON objects for the control API, made in `heap`. `who` says which org environment.
// all: published extensions that are not installed too; each row then says {installed, published: newest version that would be installed}.
bool host_ext_list(struct host *host, const struct identity *who, bool all, struct heap *heap, struct value *ret_list, struct fail *fail);
// PRODUCT's `ext show --json`: all published versions, newest first, and every org environment where it is installed; its URLs with the key
// unless `who` is a viewer. FAIL_NOT_FOUND when it is neither.
bool host_ext_show(struct host *host, const struct identity *who, struct view namespace, struct heap *heap, struct value *ret_map, struct fail *fail);
bool host_key_show(struct host *host, const struct identity *who, struct view namespace, char ret_key[AUTH_KEY_LEN + 1], struct fail *fail);
bool host_signals_list(struct host *host, const struct identity *who, int limit, struct heap *heap, struct value *ret_list, struct fail *fail);
bool host_signals_page(struct host *host, const struct identity *who, const struct crm_signal_query *query, struct heap *heap,
                       struct value *ret_list, bool *ret_more, struct fail *fail);
// One signal of a client, in the caller's session: its namespace must be one that an installed extension has. Refusals are results, as for
// scripts.
bool host_signal_raise(struct host *host, const struct identity *who, struct crm_session *session, struct value signal,
                       struct value *ret_result, struct fail *fail);
// A function named without namespace is a standalone one.
bool host_logs(struct host *host, const struct runlog_query *query, struct heap *heap, struct value *ret_list, int64_t *ret_last,
               struct fail *fail);
// `function VERSION NAME URL` lines; the key is cut to "1003.…" unless `with_key`.
bool host_function_urls(struct host *host, const struct identity *who, struct view namespace, bool with_key, struct buffer *out,
                        struct fail *fail);

// ---- drafts -------------------------------------------------------------------------------------

// The newest text of an extension, for those who write it: in the folder that this server serves, else in a draft, else in the newest published
// version, of which the first change makes a draft. Changes of a folder are installed at once; why that failed, or did not, is said to `message`
// and is no failure. Names of functions are without the namespace, or with it. All of these give way. FAIL_NOT_FOUND.
// [{namespace, name, version, folder, draft}]
bool host_drafts_list(struct host *host, const struct identity *who, struct heap *heap, struct value *ret_list, struct fail *fail);
// A new one that is nowhere yet: {namespace, name, version}. FAIL_EXISTS.
bool host_draft_new(struct host *host, const struct identity *who, struct view name, struct view namespace, struct heap *heap,
                    struct value *ret_map, struct fail *fail);
// {namespace, name, version, next_version, folder, draft, functions, variables, actions, versions, and what else it holds: modules, connectors,
// signals, widgets, schedules}
bool host_draft_show(struct host *host, const struct identity *who, struct view namespace, struct heap *heap, struct value *ret_map,
                     struct fail *fail);
// {namespace, api_name, file, source, version, apikey, oauth, diagnostics, live, folder, draft}: live says whether it is what the caller's
// environment runs.
bool host_draft_function(struct host *host, const struct identity *who, struct view namespace, struct view function, struct heap *heap,
                         struct value *ret_map, struct fail *fail);
struct host_draft_put {
    struct view namespace, function;
    struct view source; // VIEW_NONE: stays
    enum ext_access apikey, oauth; // at once where the caller's org has it installed, and in the next version
};
// Makes the function where there is none; a script with errors is kept too. ret_map: the same without the source.
bool host_draft_put(struct host *host, const struct identity *who, const struct host_draft_put *request, const struct host_message *message,
                    struct heap *heap, struct value *ret_map, struct fail *fail);
// A new file tests/NAME.json where the extension is served from a folder (FAIL_EXISTS); elsewhere nothing is kept. {file, folder or null}
bool host_draft_test(struct host *host, const struct identity *who, struct view namespace, struct view name, struct view source,
                     struct heap *heap, struct value *ret_map, struct fail *fail);
bool host_draft_drop(struct host *host, const struct identity *who, struct view namespace, struct view function,
                     const struct host_message *message, struct fail *fail);
// on_installation, on_update, on_uninstallation: {namespace, name, file, source, diagnostics, live, folder, draft}; source empty: there is none.
// A blank source takes the action away.
bool host_draft_action(struct host *host, const struct identity *who, struct view namespace, struct view action, struct heap *heap,
                       struct value *ret_map, struct fail *fail);
bool host_draft_put_action(struct host *host, const struct identity *who, const struct host_draft_put *request,
                           const struct host_message *message, struct heap *heap, struct value *ret_map, struct fail *fail);
// Its saves and what was there before them, newest first: [{number, saved_time, source}]. action: `name` is an install action's.
bool host_draft_history(struct host *host, const struct identity *who, struct view namespace, struct view name, bool action,
                        struct heap *heap, struct value *ret_list, struct fail *fail);
struct host_draft_variable {
    struct view namespace, api_name;
    struct view field_name, type, value; // VIEW_NONE: as it is
    int secret; // 1, 0; -1: as it is
};
// {api_name, field_name, type, value, secret}. The value of a secret is set where the caller's environment has it installed, and kept nowhere else.
bool host_draft_put_variable(struct host *host, const struct identity *who, const struct host_draft_variable *request,
                             const struct host_message *message, struct heap *heap, struct value *ret_map, struct fail *fail);
bool host_draft_drop_variable(struct host *host, const struct identity *who, struct view namespace, struct view api_name,
                              const struct host_message *message, struct fail *fail);
enum host_draft_kind { HOST_DRAFT_MODULE, HOST_DRAFT_CONNECTOR };
struct host_draft_object { // a file of modules/ or connectors/
    enum host_draft_kind kind;
    struct view namespace, name; // api_name, with the namespace or without it
    struct value object; // to put: a map, in `heap`
    struct heap *heap;
};
// {namespace, api_name, file, definition, folder, draft}
bool host_draft_object(struct host *host, const struct identity *who, const struct host_draft_object *asked, struct heap *heap,
                       struct value *ret_map, struct fail *fail);
// Checked as publishing does: FAIL_INVALID_DATA names the member, and nothing is written. ret_map: the same.
bool host_draft_put_object(struct host *host, const struct identity *who, const struct host_draft_object *asked,
                           const struct host_message *message, struct value *ret_map, struct fail *fail);
bool host_draft_drop_object(struct host *host, const struct identity *who, const struct host_draft_object *asked,
                            const struct host_message *message, struct fail *fail);
// A version of the newest text, checked like any other; it ends the draft. version empty: the next one. ret_map: {namespace, version,
// next_version}, after a failure only next_version, or nothing. FAIL_EXISTS.
bool host_draft_publish(struct host *host, const struct identity *who, struct view namespace, struct view version,
                        const struct host_message *message, struct heap *heap, struct map *ret_map, struct fail *fail);
bool host_draft_discard(struct host *host, const struct identity *who, struct view namespace, struct fail *fail); // the draft alone

// ---- runs ---------------------------------------------------------------------------------------

// From now on requests, replies and calls of the newest runs are kept in memory, for the three below.
bool host_keep_runs(struct host *host, struct fail *fail);
// Runs of `who`'s org environment, newest first, each as host_logs has it and with "sequence"; org and environment of the query are not looked at.
// wait_ms: while there are none (after `after`), it waits so long for one. *ret_last goes on from here.
bool host_runs_list(struct host *host, const struct identity *who, const struct runlog_query *query, int64_t wait_ms, struct heap *heap,
                    struct value *ret_list, int64_t *ret_last, struct fail *fail);
// How often and how fast, since the process began: {since, functions: [{function, last_hour, last_day, minutes, hours}]}, each figure {time, calls,
// errors, p50_ms, p95_ms, max_ms}; minutes and hours that had no call are left out. `function` empty: all of the environment.
bool host_runs_figures(struct host *host, const struct identity *who, struct view function, struct heap *heap, struct value *ret_map,
                       struct fail *fail);
void host_runs_stop_waiting(struct host *host); // the process stops
// One run with what is kept of it: "request", "crmAPIRequest", "reply", "calls", "statements_max", "source"; null where it is not. Keys and
// whatever signs a caller in are left out. FAIL_NOT_FOUND.
bool host_run_show(struct host *host, const struct identity *who, struct view id, struct heap *heap, struct value *ret_map, struct fail *fail);
// Runs the function again with the same request as the same caller, or with what `edit` says otherwise: {"method", "query", "headers": [[name,
// value]], "body"}. FAIL_NOT_FOUND; FAIL_INVALID_DATA says why it cannot be repeated. Gives way.
bool host_run_replay(struct host *host, const struct identity *who, struct view id, const struct map *edit, char ret_id[HOST_ID_LEN + 1],
                     struct fail *fail);

// ---- files of widgets ---------------------------------------------------------------------------

enum { HOST_TAG_LEN = 32 };
struct host_widget {
    struct view bytes; // in the arena
    char type[64]; // media type
    char tag[HOST_TAG_LEN + 1]; // the same for equal bytes
};
// The file `path` ("app/…") of what the default org's production has installed; of a served folder as it is now. FAIL_URL_PATTERN. Gives way.
bool host_widget_file(struct host *host, struct view namespace, struct view path, struct arena *arena, struct host_widget *ret_file,
                      struct fail *fail);
// The SDK that the operator has put at DATA/js-sdk/VERSION/. bytes VIEW_NONE: there is none. Gives way.
bool host_sdk_file(struct host *host, struct view version, struct view name, struct arena *arena, struct host_widget *ret_file,
                   struct fail *fail);

// ---- the console's people -----------------------------------------------------------------------

// Who a session's is; of the operator's the e-mail is empty. FAIL_AUTHENTICATION. All of these give way.
bool host_session_find(struct host *host, struct view session, struct auth_account *ret_account, struct fail *fail);
bool host_sign_in_link(struct host *host, struct view link, char ret_session[AUTH_SESSION_LEN + 1], struct fail *fail);
// FAIL_AUTHENTICATION in the same words for everything that is wrong; FAIL_TOO_MANY after too much of it.
bool host_sign_in(struct host *host, struct view email, struct view password, char ret_session[AUTH_SESSION_LEN + 1], struct fail *fail);
bool host_sign_out(struct host *host, const struct identity *who, struct view session, struct fail *fail);
// A link that signs in once within AUTH_LINK_MS: the account's, or the operator's when the e-mail is empty.
bool host_link_new(struct host *host, const struct identity *who, struct view email, char ret_link[AUTH_SESSION_LEN + 1], struct fail *fail);
struct host_person {
    struct view email, name, role, password; // of a change: what has no data stays
};
bool host_person_new(struct host *host, const struct identity *who, const struct host_person *wish, struct fail *fail); // FAIL_EXISTS
// Ends the sessions of the account. FAIL_NOT_FOUND.
bool host_person_change(struct host *host, const struct identity *who, const struct host_person *wish, struct fail *fail);
bool host_person_remove(struct host *host, const struct identity *who, struct view email, struct fail *fail);
bool host_people_list(struct host *host, struct heap *heap, struct value *ret_list, struct fail *fail);
// Widgets of what is installed, as its manifest has them: list of {name, location, url}; empty without manifest. FAIL_URL_PATTERN. Gives way.
bool host_widgets(struct host *host, struct view namespace, struct heap *heap, struct value *ret_list, struct fail *fail);

// The token that a widget's host page acts with: of `who`'s place and user, for one installed extension (FAIL_NOT_FOUND). reader: it only reads.
enum { HOST_WIDGET_TOKEN_S = 600 };
#define HOST_WIDGET_SCOPE "ZohoCRM.functions.execute.READ ZohoCRM.functions.execute.CREATE"
bool host_widget_token(struct host *host, const struct identity *who, struct view namespace, bool reader, struct arena *arena,
                       struct view *ret_token, struct fail *fail);
bool host_widget_token_is(struct view token); // by its looks
// An identity of kind IDENTITY_OAUTH with the namespace set: functions of no other are its. FAIL_INVALID_TOKEN.
bool host_widget_token_check(struct host *host, struct view token, struct arena *arena, struct identity *ret_identity, struct fail *fail);
// One thing that a script of the extension could do, done as such a script for exchange->identity:
//   connector  zoho.crm.invokeConnector(name, input)         variable  zoho.crm.getOrgVariable(name)
//   request    invokeurl to `name` with input's method, body, headers, connection: {responseCode, responseText, responseHeader}
// A file in `response`, and as a member of the input, is {file_name, content_type, base64}. FAIL_INVALID_DATA with the script's error. Gives way.
struct host_widget_call {
    struct view namespace, task, name;
    const struct map *input; // may be NULL
};
bool host_widget_call(struct host *host, struct exchange *exchange, const struct host_widget_call *request, struct heap *heap,
                      struct value *ret_value, struct fail *fail);

// ---- functions of an org ------------------------------------------------------------------------

enum { HOST_FN_PUT_MAX = 500 };
struct host_fn_source {
    struct view file, source;
};
struct host_fn_put {
    const struct host_fn_source *sources;
    int count; // 1 … HOST_FN_PUT_MAX; all are put or none
    const char *kind; // of those whose header names none; NULL: standalone
    struct view name; // of a single one, instead of its header's or file's
    int apikey, oauth; // 0 off, 1 on, -1 the kind's own
    bool keep; // of a single one: kept also with errors, while the last good source goes on answering
};
// Compile errors are said as FILE:LINE:COL: error: …. *ret_list: as host_fn_show.
bool host_fn_put(struct host *host, const struct identity *who, const struct host_fn_put *request, const struct host_message *message,
                 struct heap *heap, struct value *ret_list, struct fail *fail);
// {id, api_name, kind, name, version, apikey, oauth, url, live, diagnostics, source}; a name without kind is a standalone one's. source: as
// it was last saved; live: it is what answers; diagnostics: what is wrong with it when it is not. url null: nothing answers. FAIL_NOT_FOUND.
bool host_fn_show(struct host *host, const struct identity *who, struct view name, bool with_source, struct heap *heap,
                  struct value *ret_map, struct fail *fail);
bool host_fn_list(struct host *host, const struct identity *who, struct heap *heap, struct value *ret_list, struct fail *fail);
bool host_fn_remove(struct host *host, const struct identity *who, struct view name, struct fail *fail);
// Every save, newest first: {number, saved_time, source}; restoring one saves it anew.
bool host_fn_history(struct host *host, const struct identity *who, struct view name, struct heap *heap, struct value *ret_list,
                     struct fail *fail);
bool host_fn_restore(struct host *host, const struct identity *who, struct view name, int64_t number, struct heap *heap,
                     struct value *ret_map, struct fail *fail);
// "hello" → "standalone__hello", "button.f" → "button__f". False: longer than any.
bool host_fn_canonical(struct view name, char out[4 * EXT_NAME_MAX], struct view *ret_canonical);

// ---- connections --------------------------------------------------------------------------------

// Makes or replaces one. definition: map of type (zoho, none, api-key, bearer, basic, oauth2), scopes, header, query, prefix, user, client_id,
// authorize_url, token_url, refresh_url, redirect_uri, separator, token_auth (body, header), grant (client_credentials, authorization_code),
// texts, and hosts, a list; secrets: map of value, password, client_secret, refresh_token, code, which never come out again. `heap` is theirs.
// FAIL_INVALID_DATA names what the type needs, FAIL_NOT_FOUND a connector that is not installed.
bool host_connection_new(struct host *host, const struct identity *who, const struct ext_connection *connection, struct heap *heap,
                         struct fail *fail);
// [{name, and the definition}]
bool host_connections_list(struct host *host, const struct identity *who, struct heap *heap, struct value *ret_list, struct fail *fail);
// {name, the definition with what its connector says, authorize: the address where a user lets the client in}. FAIL_NOT_FOUND.
bool host_connection_show(struct host *host, const struct identity *who, struct view name, struct heap *heap, struct value *ret_map,
                          struct fail *fail);
bool host_connection_remove(struct host *host, const struct identity *who, struct view name, struct fail *fail);
// Sends a GET under the connection, as a script would: {name, url, status}. url empty: the org's own, for one of type zoho.
bool host_connection_test(struct host *host, const struct identity *who, struct view name, struct view url, struct heap *heap,
                          struct value *ret_map, struct fail *fail);

// ---- functions over the management API (spec/platform.md §4) ------------------------------------

// Org functions and those of extensions alike; `function` is an id, "ns.name", "ns__name", or a name alone that means one. Whoever is no
// administrator is refused (FAIL_NO_PERMISSION), and extensions' functions cannot be changed.
struct host_functions_query {
    struct view category, namespace, language, search; // empty = any
    int64_t page, per_page;
};
// [{id, name, api_name, category, nameSpace, language, runtime, source, return_type, arguments, rest_api, editable, modified_time,
// last_used_time}]
bool host_functions_list(struct host *host, const struct identity *who, const struct host_functions_query *query, struct heap *heap,
                         struct value *ret_list, bool *ret_more, struct fail *fail);
bool host_function_get(struct host *host, const struct identity *who, struct view function, struct heap *heap, struct value *ret_map,
                       struct fail *fail);
// The source with a header, whether it has one or not.
bool host_function_code(struct host *host, const struct identity *who, struct view function, struct heap *heap, struct value *ret_text,
                        struct fail *fail);
// An empty function {api_name, category or nameSpace, return_type}.
bool host_function_create(struct host *host, const struct identity *who, const struct map *metadata, int64_t *ret_id, struct fail *fail);
// FAIL_COMPILE: *ret_errors is [{line, message}].
bool host_function_save(struct host *host, const struct identity *who, struct view function, struct view source, struct heap *heap,
                        int64_t *ret_id, struct value *ret_errors, struct fail *fail);
// Who may call it: {rest_api: [{type: "zapikey" or "oauth", active}]}; other members are left alone.
bool host_function_update(struct host *host, const struct identity *who, struct view function, const struct map *metadata, int64_t *ret_id,
                          struct fail *fail);
bool host_function_delete(struct host *host, const struct identity *who, struct view function, int64_t *ret_id, struct fail *fail);
// Runs a script as if it were saved, arguments by name; `function` must be there, the script may be any. {status, output: {value, type},
// logs: [{line_number, category, value}], network_logs, metrics, message}. FAIL_COMPILE as above.
bool host_function_test(struct host *host, const struct identity *who, struct view function, struct view source, struct value arguments,
                        struct heap *heap, struct value *ret_map, struct value *ret_errors, struct fail *fail);

// ---- schedules ----------------------------------------------------------------------------------

struct host_schedule {
    struct view function; // without kind: schedule.NAME, or else standalone.NAME
    struct view cron; // see ext_cron_read
    struct view missed; // "skip" (and empty), "once", "all": runs that no server was there for
    struct view zone; // empty: the org's
};
// {function, extension, cron, zone, missed, next_time, running, last_time, last_outcome}
bool host_schedule_set(struct host *host, const struct identity *who, const struct host_schedule *request, struct heap *heap,
                       struct value *ret_map, struct fail *fail);
bool host_schedules_list(struct host *host, const struct identity *who, struct heap *heap, struct value *ret_list, struct fail *fail);
bool host_schedule_remove(struct host *host, const struct identity *who, struct view function, struct fail *fail);
// Runs it now, and returns when it has ended: {id, outcome, error, log}. FAIL_EXISTS when it is running.
bool host_schedule_run(struct host *host, const struct identity *who, struct view function, struct heap *heap, struct value *ret_map,
                       struct fail *fail);
// On a fiber of loop 0. From now on they run when they are due; stopping waits for running ones, which have the usual time limit left.
void host_schedules_start(struct host *host);
void host_schedules_stop(struct host *host);

// ---- several requests in one --------------------------------------------------------------------

struct host_part {
    struct view method, path, query; // path: as in a request line
    const struct exchange_header *headers;
    int header_count;
    struct view body;
    struct arena arena; // of the reply; the caller's to init and free
    int status;
    struct view reply_type, reply;
};
// Runs them by web's dispatcher as the caller of `parent`, beside each other when there are several. Their own failures are their replies.
// Gives way. journal: see below, 0 = none.
bool host_parts_run(struct host *host, const struct exchange *parent, struct host_part *parts, int count, int64_t journal, struct fail *fail);
// What the parts write between the two is kept, or taken back where nobody else has changed it since. A process that is killed in between takes
// it back.
bool host_parts_begin(struct host *host, const struct identity *who, int64_t *ret_journal, struct fail *fail);
bool host_parts_end(struct host *host, const struct identity *who, int64_t journal, bool undo, struct fail *fail);

// ---- bulk jobs ----------------------------------------------------------------------------------

enum { HOST_UPLOAD_BYTES_MAX = 25 << 20 }; // of a zip for a bulk write (Zoho's limit)
// The one CSV of a zip as a file of crm; FAIL_INVALID_DATA says what is wrong with the zip.
bool host_bulk_upload(struct host *host, const struct identity *who, struct crm_session *session, struct view zip, int64_t *ret_file_id,
                      struct fail *fail);
// The reply's body becomes the file. FAIL_NOT_FOUND.
bool host_bulk_send(struct host *host, struct exchange *exchange, int64_t file_id, struct fail *fail);

// ---- workflow rules and channels ----------------------------------------------------------------

// crm_function_fn: a function of the org of kind automation or standalone, "kind__name"; `user` is not used.
bool host_workflow_function(void *user, struct crm_session *session, int64_t id, struct value *ret_name, struct fail *fail);
// Before a rule, channel or job is written in the caller's environment: a server that starts looks for what is left to do there.
bool host_automation_expect(struct host *host, const struct identity *who, struct fail *fail);

// ---- organisations ------------------------------------------------------------------------------

// The owner's identity for an org (empty = default) and environment. FAIL_NOT_FOUND names what there is not.
bool host_org_owner(struct host *host, struct view org, bool sandbox, struct identity *ret_identity, struct fail *fail);
// `org`: name, and company, admin_email, time_zone where given. Makes its production environment.
bool host_org_new(struct host *host, struct auth_org *org, struct fail *fail);
bool host_org_sandbox(struct host *host, struct view org, struct fail *fail);
// [{name, number, zgid, company_name, environments: [{environment, url}], created_time}]; org empty = all.
bool host_orgs_show(struct host *host, struct view org, struct heap *heap, struct value *ret_list, struct fail *fail);

// ---- keys ---------------------------------------------------------------------------------------

// The namespace in any case; FAIL_NOT_FOUND where it has no key, saying so of a revoked one. Rotating gives the new key; grace_ms: how long
// the one before still works. Rules: see auth_key_rules_tx.
bool host_key_rotate(struct host *host, const struct identity *who, struct view namespace, int64_t grace_ms,
                     char ret_key[AUTH_KEY_LEN + 1], struct fail *fail);
bool host_key_revoke(struct host *host, const struct identity *who, struct view namespace, struct fail *fail);
bool host_key_rules(struct host *host, const struct identity *who, struct view namespace, struct view rate, struct view allow,
                    struct fail *fail);
// [{namespace, zapikey: "1003.…", state: current|old|revoked, created_time, last_used_time, expires_time, rate, rate_default, allow,
// allow_default}]; namespace empty = all.
bool host_keys_list(struct host *host, const struct identity *who, struct view namespace, struct heap *heap, struct value *ret_list,
                    struct fail *fail);

// ---- the audit log ------------------------------------------------------------------------------

// Oldest first, as host_logs: [{id, time, actor, org, environment, action, subject, outcome}]; ret_last goes on from there.
bool host_audit_list(struct host *host, int64_t after, int limit, struct heap *heap, struct value *ret_list, int64_t *ret_last,
                     struct fail *fail);

// ---- OAuth 2.0 (spec/crm-api.md §6) -------------------------------------------------------------

// For commands; `who` says which org environment. Maps as `sluice oauth … --json` prints them.
struct host_oauth_client {
    struct view name, scopes, user; // empty: "Self Client", all scopes, the super admin; user is an e-mail
    const struct list *redirect_uris; // of texts; NULL = none
};
bool host_oauth_new(struct host *host, const struct identity *who, const struct host_oauth_client *wish, struct heap *heap,
                    struct value *ret_map, struct fail *fail);
bool host_oauth_list(struct host *host, const struct identity *who, struct heap *heap, struct value *ret_map, struct fail *fail);
// A grant code of a self client, good for 3 to 10 minutes.
bool host_oauth_code(struct host *host, const struct identity *who, struct view client_id, struct view scopes, int64_t minutes,
                     struct heap *heap, struct value *ret_map, struct fail *fail);
bool host_oauth_answer(struct host *host, const struct identity *who, struct view request, bool approve, struct heap *heap,
                       struct value *ret_map, struct fail *fail);
bool host_oauth_remove(struct host *host, const struct identity *who, struct view client_id, struct fail *fail);

// For the endpoints, which nobody signs in for: client ids, tokens and tickets lead to their org environment. A refusal is no failure: the
// map is {"error":word} then.
bool host_oauth_token(struct host *host, const struct map *params, struct heap *heap, struct value *ret_map, struct fail *fail);
bool host_oauth_revoke(struct host *host, struct view token, bool *ret_found, struct fail *fail);
struct host_oauth_page {
    const char *error; // NULL: `request` is filled
    struct auth_request request;
    char org[AUTH_NAME_MAX];
    bool sandbox;
    char ticket[AUTH_TOKEN_LEN + 1], code[AUTH_TOKEN_LEN + 1]; // of a new request; of an approved one
};
bool host_oauth_ask(struct host *host, const struct map *params, struct host_oauth_page *ret_page, struct fail *fail);
bool host_oauth_poll(struct host *host, struct view ticket, struct host_oauth_page *ret_page, struct fail *fail);
const char *host_public_url(const struct host *host); // what our URLs start with

// ---- the REST API -------------------------------------------------------------------------------

// The CRM of the caller's org environment, acting as the caller's user. Close with crm_session_close. Gives way.
bool host_session_open(struct host *host, const struct identity *who, struct heap *heap, struct crm_session *ret_session, struct fail *fail);
// What the exchange writes is undone with the install action that asked for it, if one did and fails.
void host_session_join(const struct exchange *exchange, struct crm_session *session);

// A text that a client brings back, sealed for one identity and purpose: hex digits in `arena`, VIEW_NONE without memory.
struct view host_seal_write(struct host *host, const struct identity *who, struct view purpose, struct view plain, struct arena *arena);
bool host_seal_read(struct host *host, const struct identity *who, struct view purpose, struct view sealed, struct arena *arena,
                    struct view *ret_plain); // false: not ours, or another identity's

// ---- one script without a port (`sluice run`) ---------------------------------------------------

struct host_script {
    const char *file;
    struct view source;
    struct exchange *exchange; // the request it sees; parameters are in its query
    struct value arguments; // null or map: `--arguments`
    struct view file_content; // `--file`
    bool has_file, v1, strict;
    struct diagnostics *diagnostics; // compile findings, may be NULL
    void (*log)(void *user, int line, struct view text); // as it happens; may be NULL
    void *user;
};
struct host_script_result {
    struct value output; // printed form as text, null for void
    struct view output_type;
    struct value log; // list of {line,text}
    bool has_reply; // a crmAPIResponse was returned
    int status;
    struct value reply_headers; // map
    struct view reply_body;
    int64_t statements;
    struct view function; // where a failed run ended, empty when nothing ran
};
bool host_script_run(struct host *host, const struct host_script *script, struct heap *heap, struct host_script_result *ret_result,
                     struct fail *fail);

// ---- tests (`sluice test`) ----------------------------------------------------------------------

struct out_request; // out/out.h
struct out_response;
struct out_letter;
struct out_address;
struct host_ended { // a run, or a call that was refused before it
    struct view function;
    bool nested; // a script of ours called it
    bool action; // an install, update or uninstall action
    const char *outcome; // as in the run log
    const struct fail *fail; // NULL for "ok"
    int64_t statements;
    int outgoing; // calls of the run and of those nested in it
};
// What answers for the world while tests run, and hears what the runs do. All members are set; they run on the run's fiber.
struct host_answers {
    void *user;
    void (*log)(void *user, struct view function, bool nested, int line, struct view text); // line 0: a notice of ours
    void (*ended)(void *user, const struct host_ended *ended);
    // An outgoing request; *ret_answered false leaves it to us. `last`: nobody here answers it, and it would leave the machine. It is asked
    // once without `last` before. FAIL_OUTBOUND is what the script sees.
    bool (*request)(void *user, const struct out_request *request, bool last, struct heap *heap, bool *ret_answered,
                    struct out_response *ret_response, struct fail *fail);
    // A task of another Zoho service, by its name in the script.
    bool (*task)(void *user, struct view name, const struct value *args, int count, struct heap *heap, bool *ret_answered,
                 struct value *ret_value, struct fail *fail);
    // A letter in place of its sending.
    bool (*mail)(void *user, const struct out_letter *letter, const struct out_address *bcc, int bcc_count, struct fail *fail);
};
void host_set_answers(struct host *host, const struct host_answers *answers); // before anything runs; must outlive the host
void host_set_limits(struct host *host, const int64_t *limits); // HOST_LIMITS values, for runs that begin from now on
// A variable as a script of its extension would see and set it. FAIL_NOT_FOUND.
bool host_variable_get(struct host *host, const struct identity *who, struct view namespace, struct view name, struct heap *heap,
                       struct value *ret_value, struct fail *fail);
bool host_variable_set(struct host *host, const struct identity *who, struct view namespace, struct view name, struct view value,
                       struct fail *fail);

// ---- variables over REST ------------------------------------------------------------------------

// {api_name,name,description,id,source,type,variable_group,read_only,value} of all that getOrgVariable reads, or of one; `group` (its id or
// name) may be empty. The list is empty when there is none.
bool host_org_variables(struct crm_session *session, struct view id_or_name, struct view group, struct value *ret_list, struct fail *fail);
// Rows of the requests that Zoho describes, for the org's own variables: failures as those of crm's settings; FAIL_NOT_FOUND for the id,
// FAIL_NOT_ALLOWED for an extension's variable. A group that is given by a new name is made.
bool host_org_variable_add(struct crm_session *session, const struct map *row, int64_t *ret_id, struct fail *fail);
bool host_org_variable_change(struct crm_session *session, int64_t id, const struct map *row, struct fail *fail);
bool host_org_variable_remove(struct crm_session *session, int64_t id, struct fail *fail);
bool host_variable_groups(struct crm_session *session, int64_t id, struct value *ret_list, struct fail *fail); // id 0: all
bool host_variable_group_change(struct crm_session *session, int64_t id, const struct map *row, struct fail *fail);

// The structured line of one exchange (time, id, method, path without its query, function, status, outcome, duration, statements):
// buffered, written behind the reply by host's own fiber. For web_options.on_exchange.
void host_log_exchange(const struct exchange *exchange, double duration_ms);

// ---- for an editor of scripts: nothing runs and nothing is kept

// {"diagnostics": [{"line", "column", "severity", "message", "hint"}], "functions": [{"name", "return_type", "arguments": [{"name", "type"}]}]} of a
// script; `name` is what a body without a header is called. Errors in it are no failure.
bool host_editor_check(struct view source, struct view name, struct heap *heap, struct value *ret_reply, struct fail *fail);
// {"source"} in the canonical layout; a script with errors is refused.
bool host_editor_format(struct view source, struct heap *heap, struct value *ret_reply, struct fail *fail);
// Runs a script as it stands, as the function it would be: {"output", "output_type", "log": [{"line", "text"}], "error": null or {"message", "line"},
// "reply": null or {"status_code", "body"}, "statements", "duration_ms", "run"}. A script that fails is no failure here.
struct host_editor_script {
    struct view source, namespace, name; // namespace empty: standalone
    struct value arguments; // null, or a map of texts
};
bool host_editor_execute(struct host *host, const struct identity *who, const struct host_editor_script *script, struct heap *heap,
                         struct value *ret_reply, struct fail *fail);
// {"keywords": […], "builtins": [{"name", "receiver", "signature", "doc"}]} for completion and hover.
void host_editor_language(struct heap *heap, struct value *ret_reply);

const struct native_set *host_natives(void); // every built-in and service, one set a process
