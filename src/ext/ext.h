// SPDX-License-Identifier: Apache-2.0
//
// ext: packages (an extension as read from disk), published versions, installed state, variables, connectors and connections. The source of
// truth is a folder in git (PRODUCT "An extension on disk"). ext reads files and keeps rows; compiling scripts, unpacking zips, running
// install actions and asking other services is host's.
#pragma once

#include "base/base.h"
#include "store/store.h"
#include "value/value.h"

extern const struct store_migration ext_migrations[]; // of an org environment
extern const struct store_migration ext_control_migrations[]; // of control

enum {
    EXT_FILES_MAX = 20000,
    EXT_FILE_BYTES_MAX = 1024 * 1024, // of a script or an object
    EXT_ASSET_BYTES_MAX = 5 * 1024 * 1024, // of a widget's file, as the zoho-extension-toolkit has it
    EXT_PACKAGE_BYTES_MAX = 32 * 1024 * 1024,
    EXT_NAME_MAX = 64,
    EXT_VERSION_MAX = 40,
    EXT_DIGEST_LEN = 64
};

enum ext_access { EXT_ACCESS_KEEP = -1, EXT_ACCESS_OFF, EXT_ACCESS_ON };

// ---- the files of an extension, wherever they come from -----------------------------------------

// A folder, an unpacked zip or a published version: plain files with relative paths, sorted by path, every path once.
struct ext_file {
    struct view path; // "functions/hello.dg"; never absolute, never with "..", UTF-8
    struct view bytes; // a NUL follows
};
struct ext_files {
    struct arena arena; // owns everything
    struct ext_file *items;
    int count;
};

// ---- packages -----------------------------------------------------------------------------------

struct ext_argument {
    struct view name, type;
};
struct ext_function {
    struct view api_name; // as in the manifest or the file's header, without namespace; empty until the compiler said (host fills it)
    struct view file; // path inside the folder
    struct view source;
    int version; // 1 or 2; 0 = to be decided from the source (PRODUCT)
    const struct ext_argument *arguments; // NULL = from the source
    int argument_count;
    bool arguments_declared;
    bool apikey, oauth; // rest_api; both on by default
    struct view return_type; // from the manifest, may be empty
};
struct ext_variable {
    struct view api_name, field_name, type, value;
    bool secret;
    bool has_default; // of a secret: the manifest gave a value, which was dropped
};
// A package as read: everything lives in one arena of its own.
struct ext_package {
    struct arena arena;
    const struct ext_files *files; // what it was read from; texts below point into them
    struct ext_files *own_files; // the same, when they go with the package
    struct view folder; // where it was read from; errors name files relative to it
    struct view name, namespace, version, portal;
    struct ext_function *functions;
    int function_count;
    struct ext_variable *variables;
    int variable_count;
    struct view on_installation, on_update, on_uninstallation; // sources; data NULL = none
    struct view on_installation_file, on_update_file, on_uninstallation_file;
    struct heap heap; // of the values below
    struct value manifest; // map: the whole extension.json
    struct value modules; // list of module maps
    struct value module_files; // list of their paths
    struct value signals; // list of signal maps
    struct value seeds; // list of {"records":{Module:[…]}} maps
    struct value connectors; // list of connector maps (connectors/*.json), checked
    struct value connector_files; // list of their paths
    struct value widgets; // list of {name, location, url} maps
    struct value schedules; // list of {function, cron, missed} maps
    int mistakes; // that ext_defaults.mistake heard of
    const struct ext_defaults *told; // while it is read
};
// Reads the files of a folder that an extension consists of (with app/ only when `all`); links are refused.
bool ext_files_read(const char *folder, bool all, struct ext_files **ret_files, struct fail *fail);
// One file of a folder, by the same rules; VIEW_NONE when it is not there. Copied into `arena`.
bool ext_file_read(const char *folder, struct view path, struct arena *arena, struct view *ret_bytes, struct fail *fail);
// Does a file of this path belong to an extension? Scripts that the manifest names do too, wherever they lie.
bool ext_file_is_part(struct view path);
// Puts a file into a folder durably: afterwards, also after a power cut, it is the old one or the new one. bytes without data: removes it.
// Links are not followed. Blocks; not on a loop.
bool ext_file_write(const char *folder, struct view path, struct view bytes, struct fail *fail);
struct ext_files *ext_files_new(void); // NULL without memory
// Copies a file in. Refused: paths that lead out or that some file system does not take, too large ones. After the last one sort, which
// refuses paths that are there twice.
bool ext_files_add(struct ext_files *files, struct view path, struct view bytes, struct fail *fail);
bool ext_files_sort(struct ext_files *files, struct fail *fail);
const struct ext_file *ext_files_find(const struct ext_files *files, struct view path); // NULL if there is none
void ext_files_free(struct ext_files *files);
// Sets line and column of a failure that names a JSON file and, in quotes, a word that stands in it: where it stands first, as a value
// rather than as a member's name. Else they stay 0.
void ext_files_locate(const struct ext_files *files, struct fail *fail);
// The package in files, which must outlive it. `label` stands for the folder in messages. A file set without extension.json but with app/** (a zip of the
// zoho-extension-toolkit) becomes a package of its widgets, with the namespace and version given here.
struct ext_defaults {
    struct view name, namespace, version; // what an absent manifest would say; of a present one, namespace and version override when set
    // Hears of each mistake that reading can go on after. The package then comes without what is wrong, and counts them. NULL: the first one
    // is a failure.
    void (*mistake)(void *arg, const struct fail *fail);
    void *arg;
};
bool ext_package_parse(const struct ext_files *files, struct view label, const struct ext_defaults *defaults, struct ext_package **ret_package,
                       struct fail *fail);
// Reads and checks a folder. Errors are FAIL_INVALID_DATA with fail->file = the path inside the folder and line/column for JSON errors:
// missing or bad name/namespace/version, names that fall together, "__" in a namespace, links, files over the limits, non-UTF-8 …
bool ext_package_read(const char *folder, struct ext_package **ret_package, struct fail *fail);
void ext_package_free(struct ext_package *package);
// Every function has a name by now (host asked the compiler for those without): do two fall together, by case or by "." and "__"?
bool ext_package_check_names(const struct ext_package *package, struct fail *fail);
// Takes values of secret variables out of the manifest's file, which is kept as it is published.
bool ext_package_scrub(const struct ext_package *package, struct ext_files *files, struct fail *fail);
// What a published version must have besides: the pages of its widgets.
bool ext_package_check_widget(const struct ext_package *package, struct value widget, struct fail *fail);

// ---- published versions (inside closures of control) --------------------------------------------

// Semantic versioning: numbers by value, a pre-release before its release, build marks ignored. <0, 0, >0.
int ext_version_compare(struct view a, struct view b);
bool ext_version_valid(struct view version);
bool ext_version_is_release(struct view version); // no pre-release
struct ext_published {
    struct view namespace, name, version, portal, digest;
    int64_t published_ms;
};
// A published version never changes: the same files again are accepted and change nothing (*ret_new false), other files under its version
// are FAIL_EXISTS. A namespace that differs by case alone from a published one, or that another portal has published, is FAIL_EXISTS.
bool ext_publish_tx(struct tx *tx, const struct ext_package *package, const struct ext_files *files, struct view digest, bool *ret_new,
                    struct fail *fail);
// Calls `each` for every published version, newest first within a namespace; namespace empty = all.
bool ext_published_tx(struct tx *tx, struct view namespace, bool (*each)(void *arg, const struct ext_published *version, struct fail *fail),
                      void *arg, struct fail *fail);
// The files of one version; version empty = the newest that is no pre-release. FAIL_NOT_FOUND. ret_version: which one it was, as it was
// published; its texts are in the files' arena.
bool ext_published_files_tx(struct tx *tx, struct view namespace, struct view version, struct ext_published *ret_version,
                            struct ext_files **ret_files, struct fail *fail);
// One file of a published version, for widgets; VIEW_NONE when there is none. Copied into `arena`.
bool ext_published_file_tx(struct tx *tx, struct view namespace, struct view version, struct view path, struct arena *arena,
                           struct view *ret_bytes, struct fail *fail);

struct ext_save {
    int64_t number, saved_ms;
    struct view source;
};
typedef bool ext_each_save(void *arg, const struct ext_save *save, struct fail *fail);

// ---- drafts (inside closures of control) --------------------------------------------------------

struct ext_draft {
    struct view namespace, name, version; // version: that it began with, or its first one
    int64_t revision; // grows with every change
};
typedef bool ext_each_draft(void *arg, const struct ext_draft *draft, struct fail *fail);
bool ext_drafts_tx(struct tx *tx, struct view namespace, struct arena *arena, ext_each_draft *each, void *arg, struct fail *fail); // empty = all
bool ext_draft_begin_tx(struct tx *tx, const struct ext_draft *draft, struct fail *fail); // revision 1; FAIL_DUPLICATE_DATA
bool ext_draft_copy_tx(struct tx *tx, struct view namespace, struct view version, struct fail *fail); // all files of a published version
bool ext_draft_put_tx(struct tx *tx, struct view namespace, struct view path, struct view bytes, struct fail *fail); // no data: removes it
bool ext_draft_check_tx(struct tx *tx, struct view namespace, struct fail *fail); // FAIL_TOO_LARGE for what could not be published
// The next revision, if it still is the one named.
bool ext_draft_turn_tx(struct tx *tx, struct view namespace, int64_t revision, bool *ret_turned, struct fail *fail);
bool ext_draft_remove_tx(struct tx *tx, struct view namespace, struct fail *fail);
// The files of a published version, or with version empty of the draft; without `all` what of app/ is no script is left out.
bool ext_source_files_tx(struct tx *tx, struct view namespace, struct view version, bool all, struct ext_files **ret_files,
                         struct fail *fail);

// Saves of a script in the console, wherever its text is: each one that is another than the one before it.
enum { EXT_SCRIPT_SAVES_MAX = 100 }; // of one script; the oldest go
bool ext_script_save_tx(struct tx *tx, struct view namespace, struct view path, struct view source, int64_t saved_ms, struct fail *fail);
bool ext_script_saves_tx(struct tx *tx, struct view namespace, struct view path, ext_each_save *each, void *arg, struct fail *fail); // newest first
int64_t ext_file_saved_ms(const char *folder, struct view path); // when the file was last changed; 0: it is not there. Blocks

// ---- changes of a manifest's text ---------------------------------------------------------------

// They leave the rest of the text as it stands, layout included. FAIL_INVALID_DATA for what is no JSON object, or has the wrong shape.
struct ext_manifest_function {
    struct view api_name, file; // the entry of this file, or of this name; made when there is none
    enum ext_access apikey, oauth;
};
bool ext_manifest_set_version(struct view text, struct view version, struct buffer *out, struct fail *fail);
bool ext_manifest_put_function(struct view text, const struct ext_manifest_function *function, struct buffer *out, struct fail *fail);
bool ext_manifest_drop_function(struct view text, struct view file, struct buffer *out, struct fail *fail); // of that file, if any
bool ext_manifest_put_variable(struct view text, const struct ext_variable *variable, struct buffer *out, struct fail *fail);
void ext_object_lay_out(struct view json, struct buffer *out); // of a module or connector; json: as json_write leaves it
bool ext_manifest_drop_variable(struct view text, struct view api_name, struct buffer *out, struct fail *fail);

// ---- functions of an org (inside closures of an org environment) --------------------------------

struct ext_installed_function; // below

// Kinds are namespaces: standalone, button, automation, schedule, validation_rule, related_list, salessignals. NULL: no such kind.
const char *ext_kind_find(struct view name);
const char *ext_kind_at(size_t index); // NULL behind the last
// Writes or replaces a function and keeps its source as a version; the id stays.
bool ext_orgfunction_put_tx(struct tx *tx, const char *kind, const struct ext_function *function, int64_t *ret_id, struct fail *fail);
// A source with errors: kept as a version, while the last good source goes on answering. Of a function that never had one (`first`) nothing
// answers; ext_functions_tx and ext_function_find_tx do not know it.
bool ext_orgfunction_keep_tx(struct tx *tx, const char *kind, const struct ext_function *function, int64_t *ret_id, struct fail *fail);
typedef bool ext_each_unfit(void *arg, const struct ext_installed_function *function, bool first, struct fail *fail);
// Those whose newest version has errors, with its source; canonical empty = all.
bool ext_orgfunction_unfit_tx(struct tx *tx, struct view canonical, ext_each_unfit *each, void *arg, struct fail *fail);
bool ext_orgfunction_remove_tx(struct tx *tx, struct view canonical, bool *ret_found, struct fail *fail); // its id and versions wait
bool ext_saves_tx(struct tx *tx, int64_t id, ext_each_save *each, void *arg, struct fail *fail); // newest first
// When each function was last saved.
bool ext_saved_times_tx(struct tx *tx, bool (*each)(void *arg, int64_t id, int64_t saved_ms, struct fail *fail), void *arg, struct fail *fail);
bool ext_function_put_tx(struct tx *tx, struct view namespace, const struct ext_function *function, int64_t *ret_id, struct fail *fail);

// ---- schedules ----------------------------------------------------------------------------------

enum { EXT_CRON_MAX = 256 };
struct ext_cron { // a bit a value; weekdays from Sunday = bit 0
    uint64_t minutes;
    uint32_t hours, days, months, weekdays;
    bool any_day, any_weekday; // the field begins with *
};
// Five fields or @hourly …; FAIL_INVALID_DATA names what is wrong. See cron.c.
bool ext_cron_read(struct view text, struct ext_cron *ret_cron, struct fail *fail);
// The first time later than after_ms; false: it never comes (30th of February).
bool ext_cron_next(const struct ext_cron *cron, int64_t after_ms, const struct zone *zone, int64_t *ret_ms);

struct ext_schedule {
    struct view function; // "ns.fn"
    struct view namespace; // of the extension that brought it; empty: the org's own
    struct view cron, zone; // zone empty: the org's
    struct view missed; // "skip", "once", "all"
    int64_t next_ms; // 0: to be worked out
    int64_t owed; // runs that are due and have not begun
    int64_t running_ms; // since when; 0: it does not run
    int64_t last_ms; // when the last run began, 0 = never
    struct view last_outcome;
};
bool ext_missed_valid(struct view missed);
// In closures of an org environment. Puts or replaces the org's own.
bool ext_schedule_put_tx(struct tx *tx, const struct ext_schedule *schedule, struct fail *fail);
bool ext_schedule_remove_tx(struct tx *tx, struct view canonical, bool *ret_found, struct fail *fail);
// All, or the one of that canonical name; views are valid during the call.
typedef bool ext_each_schedule(void *arg, const struct ext_schedule *schedule, struct fail *fail);
bool ext_schedules_tx(struct tx *tx, struct view canonical, ext_each_schedule *each, void *arg, struct fail *fail);
// Sets the next time and the owed runs, if the next time is still from_ms: *ret_moved false when another process was first.
bool ext_schedule_move_tx(struct tx *tx, struct view canonical, int64_t from_ms, int64_t to_ms, int64_t owed, bool *ret_moved,
                          struct fail *fail);
// A run begins, unless one is running that began after dead_ms. `owed`: it is one of the owed ones, and there must be one.
bool ext_schedule_begin_tx(struct tx *tx, struct view canonical, int64_t now_ms, int64_t dead_ms, bool owed, bool *ret_begun,
                           struct fail *fail);
bool ext_schedule_end_tx(struct tx *tx, struct view canonical, int64_t begun_ms, struct view outcome, struct fail *fail);
bool ext_schedules_reset_tx(struct tx *tx, struct fail *fail); // the only process has just started: nothing runs
// Those of a package: its functions, cron expressions and policies are right.
bool ext_schedules_check(const struct ext_package *package, struct fail *fail);
bool ext_schedules_install_tx(struct tx *tx, const struct ext_package *package, struct fail *fail); // instead of the version's before
// In closures of control: environments that may have schedules; the default org's production is not among them.
bool ext_scheduled_add_tx(struct tx *tx, int64_t org_number, bool sandbox, struct fail *fail);
bool ext_scheduled_tx(struct tx *tx, bool (*each)(void *arg, int64_t org_number, bool sandbox, struct fail *fail), void *arg,
                      struct fail *fail);

// ---- installed state (inside closures of an org environment) ------------------------------------

// Writes or replaces the extension's rows: version, functions (with sources, stable 18-digit ids kept over upgrades), variables (values
// kept).
bool ext_install_tx(struct tx *tx, const struct ext_package *package, bool dev, struct view digest, struct fail *fail);
// The versions that this environment has had: 0 = the newest, 1 = the one before it.
bool ext_history_add_tx(struct tx *tx, struct view namespace, struct view version, struct fail *fail);
bool ext_history_tx(struct tx *tx, struct view namespace, int back, char ret_version[EXT_NAME_MAX], bool *ret_found, struct fail *fail);
bool ext_history_back_tx(struct tx *tx, struct view namespace, struct view version, struct fail *fail); // a rollback has come to it
// The namespace as it is spelled here, where an extension of that name, in any case, is installed or has left something; else empty.
bool ext_spelling_tx(struct tx *tx, struct view namespace, char ret_namespace[EXT_NAME_MAX], struct fail *fail);
// Takes the extension away but keeps functions' ids and variables' values for a later installation; remove forgets them too.
bool ext_retire_tx(struct tx *tx, struct view namespace, struct fail *fail);
bool ext_remove_tx(struct tx *tx, struct view namespace, struct fail *fail);
// The on-uninstallation script of what is installed; VIEW_NONE without one. Copied into `arena`.
bool ext_uninstall_script_tx(struct tx *tx, struct view namespace, struct arena *arena, struct view *ret_source, struct fail *fail);
bool ext_installed_tx(struct tx *tx, struct view namespace, char ret_version[EXT_NAME_MAX], bool *ret_dev, bool *ret_found,
                      struct fail *fail);
// Has the install action of this version run here? (a served folder runs it once a data folder, again when the version number changes)
bool ext_action_done_tx(struct tx *tx, struct view namespace, struct view version, bool *ret_done, struct fail *fail);
bool ext_action_mark_tx(struct tx *tx, struct view namespace, struct view version, struct fail *fail);
bool ext_seeded_tx(struct tx *tx, struct view namespace, bool *ret_seeded, bool mark, struct fail *fail);

struct ext_installed_function {
    struct view namespace, api_name, file, source, return_type,
        arguments_json; // arguments_json: [{"name","type"}] or empty = from the source
    int64_t id;
    int version;
    bool apikey, oauth;
};
// Calls `each` for every installed function (namespace empty = all extensions), without sources. Views are valid during the call.
typedef bool ext_each_function(void *arg, const struct ext_installed_function *function, struct fail *fail);
bool ext_functions_tx(struct tx *tx, struct view namespace, ext_each_function *each, void *arg, struct fail *fail);
// Calls `each` with the function of that canonical name (ext_name_canonical of "ns.fn"), source included; *ret_found false when there is
// none.
bool ext_function_find_tx(struct tx *tx, struct view canonical, ext_each_function *each, void *arg, bool *ret_found, struct fail *fail);
// Who may call it, from now on and until another version is installed.
bool ext_function_access_tx(struct tx *tx, struct view canonical, enum ext_access apikey, enum ext_access oauth, bool *ret_found,
                            struct fail *fail);
bool ext_namespaces_tx(struct tx *tx, bool (*each)(void *arg, struct view namespace, struct fail *fail), void *arg, struct fail *fail);
// A served folder that did not change since it was installed need not be written again: its digest stands with its row.
bool ext_digest_tx(struct tx *tx, struct view namespace, char ret_digest[EXT_DIGEST_LEN + 1], struct fail *fail); // "" when not installed

// An installation whose action has yet to succeed. begin keeps the rows that were there (if any) and an id: metadata with higher ones is
// the installation's own. commit forgets them, rollback brings them back, or removes the extension when there were none (*ret_first).
// Without a pending row rollback does nothing. What was set by hand meanwhile stays set.
bool ext_pending_begin_tx(struct tx *tx, struct view namespace, int64_t journal, int64_t before_id, struct fail *fail);
bool ext_pending_commit_tx(struct tx *tx, struct view namespace, struct fail *fail);
bool ext_pending_rollback_tx(struct tx *tx, struct view namespace, bool *ret_first, int64_t *ret_before_id, struct fail *fail);
// Any one of them. open: whose journal is open, which another process is at; else one that was cut off and waits for its rollback.
bool ext_pending_tx(struct tx *tx, bool open, char ret_namespace[EXT_NAME_MAX], bool *ret_found, struct fail *fail);
// The `ext show --json` shape without functions' URLs: list of
// {namespace,name,version,dev,variables:[{api_name,field_name,type,value,secret}],functions:[{api_name,version}]}
bool ext_show_tx(struct tx *tx, struct view namespace, struct heap *heap, struct value *ret_list, struct fail *fail);

// Calls `each` for every installed extension whose manifest names this portal, in any case.
bool ext_portal_tx(struct tx *tx, struct view portal, void (*each)(void *arg, struct view namespace), void *arg, struct fail *fail);
// The names, without namespace, of the signals that the extension of "ns.signal" or "ns__signal" has; empty when none is installed.
bool ext_signals_tx(struct tx *tx, struct view name, struct heap *heap, struct value *ret_list, struct fail *fail);

// Variables: `name` in both spellings (ns.var, ns__var), case-insensitive. Secret values are sealed by the caller's seal.
// They are bound to their place, and told to scripts of their own extension and of the org only: to others they are absent.
struct ext_vault {
    const struct seal *seal;
    const char *org, *environment;
    struct view reader; // namespace of the script that asks; empty or "standalone": may read all
};
bool ext_variable_get_tx(struct tx *tx, const struct ext_vault *vault, struct view name, struct heap *heap, struct value *ret_value,
                         bool *ret_found, struct fail *fail);
bool ext_variable_set_tx(struct tx *tx, const struct ext_vault *vault, struct view name, struct view value, int64_t journal, bool *ret_found,
                         struct fail *fail);
// Before a version is installed: values of variables that it makes secret are sealed. (One that is secret no more loses its value.)
bool ext_variables_seal_tx(struct tx *tx, const struct ext_vault *vault, const struct ext_package *package, struct fail *fail);
// Types of variables, in any case: text, integer, date … (ext/type.c). A value that does not fit is refused when it is set, and as a default
// in the manifest; empty always fits. Values of unknown types are text.
bool ext_type_known(struct view type);
bool ext_type_fits(struct view type, struct view value);
void ext_type_names(struct buffer *out); // with commas, for messages
// ---- variables of an org ------------------------------------------------------------------------

// All that getOrgVariable reads: the org's own, without a namespace, and those of installed extensions, which are read-only here.
struct ext_org_variable {
    int64_t id; // 0: a new one
    struct view api_name; // an extension's: "ns__name"
    struct view name, type, value; // a secret's value is empty
    struct view description; // VIEW_NONE: none
    bool own;
    int64_t group_id;
    struct view group; // its api_name
};
enum { EXT_ORG_VARIABLES_MAX = 1000, EXT_VARIABLE_GROUPS_MAX = 200 }; // own ones of an org
// In the order in which they were made; id 0: all; api_name VIEW_NONE: all, else in both spellings and any case. Views are valid during the call.
typedef bool ext_each_variable(void *arg, const struct ext_org_variable *variable, struct fail *fail);
bool ext_org_variables_tx(struct tx *tx, int64_t id, struct view api_name, ext_each_variable *each, void *arg, struct fail *fail);
// Adds an own one or changes it; FAIL_EXISTS with the member that another one has already. api_name: letters, digits and single "_".
bool ext_org_variable_put_tx(struct tx *tx, const struct ext_org_variable *variable, int64_t *ret_id, const char **ret_taken,
                             struct fail *fail);
bool ext_org_variable_remove_tx(struct tx *tx, int64_t id, bool *ret_found, struct fail *fail);
bool ext_org_variable_name_valid(struct view api_name);

struct ext_variable_group {
    int64_t id; // 0: a new one
    struct view api_name, name, description;
    bool system; // General: cannot be changed
};
typedef bool ext_each_group(void *arg, const struct ext_variable_group *group, struct fail *fail);
bool ext_variable_groups_tx(struct tx *tx, ext_each_group *each, void *arg, struct fail *fail);
bool ext_variable_group_put_tx(struct tx *tx, const struct ext_variable_group *group, int64_t *ret_id, struct fail *fail); // FAIL_EXISTS: the name

// ---- connectors ---------------------------------------------------------------------------------

// The files of connectors/, before anything of them is kept. FAIL_INVALID_DATA names file and member.
bool ext_connectors_check(const struct ext_package *package, struct fail *fail);
bool ext_connector_check(struct view file, struct value connector, struct fail *fail); // one alone
bool ext_connectors_install_tx(struct tx *tx, const struct ext_package *package, struct fail *fail); // replaces the extension's
struct ext_connector_name {
    struct view namespace, connector, api; // connector empty: any of the extension's with such an API
};
// {authorisation, api, name}; name: of the connector.
bool ext_connector_find_tx(struct tx *tx, const struct ext_connector_name *name, struct heap *heap, struct value *ret_definition,
                           bool *ret_found, struct fail *fail);
// How the service of an installed connector wants to be authorised: a map, or null where it wants nothing.
bool ext_connector_authorisation_tx(struct tx *tx, struct view namespace, struct view connector, struct heap *heap,
                                    struct value *ret_authorisation, bool *ret_found, struct fail *fail);

// ---- connections (inside closures of an org environment) ----------------------------------------

// Letters, digits, - and _; "ns.connector" authorises an extension's connector, which tells what the definition leaves open. Names are one
// whatever their case.
struct ext_connection {
    struct view name;
    struct value definition; // map, may be shown: see host_connection_new
    struct value secrets; // map, never shown: value, password, client_secret, refresh_token, code
    struct value token; // map {access_token, expires_ms}, or null
};
bool ext_connection_name_valid(struct view name);
// Fills in what the connector of that name says; *ret_found false when none is installed. Other names are complete.
bool ext_connection_complete_tx(struct tx *tx, struct view name, struct heap *heap, struct map *definition, bool *ret_found, struct fail *fail);
bool ext_connection_put_tx(struct tx *tx, const struct ext_vault *vault, const struct ext_connection *connection, struct fail *fail); // replaces
bool ext_connection_get_tx(struct tx *tx, const struct ext_vault *vault, struct view name, struct heap *heap,
                           struct ext_connection *ret_connection, bool *ret_found, struct fail *fail);
bool ext_connections_tx(struct tx *tx, struct heap *heap, bool (*each)(void *arg, const struct ext_connection *connection, struct fail *fail),
                        void *arg, struct fail *fail); // without secrets and tokens
// Whoever refreshes a token takes the connection until then, so that no other process does; *ret_taken false while another has it.
bool ext_connection_lease_tx(struct tx *tx, struct view name, int64_t now_ms, int64_t until_ms, bool *ret_taken, struct fail *fail);
bool ext_connection_release_tx(struct tx *tx, struct view name, int64_t until_ms, struct fail *fail);
// Keeps its token and secrets and lets go; *ret_kept false when it has been replaced or removed meanwhile.
bool ext_connection_token_tx(struct tx *tx, const struct ext_vault *vault, const struct ext_connection *connection, int64_t until_ms,
                             bool *ret_kept, struct fail *fail);
bool ext_connection_remove_tx(struct tx *tx, struct view name, bool *ret_found, struct fail *fail);

// "ns.fn" → "ns__fn", lower case: the form in which names are compared. False when longer than the room.
bool ext_name_canonical(struct view name, char *out, size_t out_size, struct view *ret_name);
