// SPDX-License-Identifier: Apache-2.0
//
// What the files of this room share: a route row, the state of the room, and the steps of the dispatcher.
#pragma once

#include <stdatomic.h>

#include "loop/loop.h"
#include "web/connection.h"
#include "web/web.h"

// ---- routes -------------------------------------------------------------------------------------

enum web_method {
    WEB_GET = 1, // HEAD too
    WEB_POST = 2,
    WEB_PUT = 4,
    WEB_PATCH = 8,
    WEB_DELETE = 16,
    WEB_OTHER = 32, // any token that has no bit of its own
    WEB_ANY = 63,
};
enum web_auth {
    WEB_AUTH_NONE, // everybody
    WEB_AUTH_FUNCTION, // a zapikey or an OAuth token, in the ways that function URLs know; counted in admission
    WEB_AUTH_API, // an OAuth token, or the owner
    WEB_AUTH_NEAR, // the owner, or somebody on this machine who did not come through a proxy
    WEB_AUTH_OWNER, // control.sock, this process, or a token of the operator (identity.c); or a session of the console; nobody else learns that the path exists
    WEB_AUTH_CONSOLE, // a session of the console, or the owner
};
enum web_body {
    WEB_BODY_SMALL, // WEB_BODY_SMALL_BYTES
    WEB_BODY_LIMIT, // LIMIT_BODY_BYTES
    WEB_BODY_UPLOAD, // a file of CRM_ATTACHMENT_BYTES_MAX in a form
    WEB_BODY_BULK, // a zip of HOST_UPLOAD_BYTES_MAX in a form
    WEB_BODY_PACKAGE, // EXT_PACKAGE_BYTES_MAX: a zip of an extension
};
enum { WEB_BODY_SMALL_BYTES = 64 * 1024, WEB_PARAMS_MAX = 4, WEB_SEGMENTS_MAX = 64 };

struct web_route {
    unsigned methods; // enum web_method
    const char
        *pattern; // segments: text as it stands, v{N} (a version from 2, maybe with a minor one), {name} (anything, becomes a
                  // parameter), last {path*} (one or more segments, with their slashes)
    enum web_auth auth;
    enum web_body body;
    void (*handle)(struct web *web, struct exchange *exchange, const struct view *params);
    const char *text;
    const char *scope; // what a token needs, blanks between several: the method tells the operation unless !READ does; {0} is the first
                       // parameter. NULL: any token
    enum auth_role least; // of a session of the console; AUTH_ROLE_NONE: viewers ask, developers change
};
extern const struct web_route web_routes[];
extern const int web_routes_count;

// ---- router -------------------------------------------------------------------------------------

struct router_path {
    struct view segments[WEB_SEGMENTS_MAX]; // decoded, each by itself
    int count;
    struct view text; // all of them, decoded, with slashes; for people and logs
};
struct router_match {
    const struct web_route *route;
    struct view params[WEB_PARAMS_MAX];
    unsigned allowed; // methods of all rows with this path
};
// Splits and decodes. Failures: FAIL_BAD_REQUEST for bad escapes and NUL, FAIL_URL_PATTERN for more segments than any route has.
bool router_path_read(struct arena *arena, struct view raw, struct router_path *ret_path, struct fail *fail);
// Takes "sandbox" from the front; false if it is not there.
bool router_path_cut_sandbox(struct router_path *path);
// FAIL_URL_PATTERN when no row has this path, FAIL_METHOD (with ret_match->allowed set) when none of those takes the method. OPTIONS takes
// the first.
bool router_find(const struct web_route *routes, int count, const struct router_path *path, struct view method,
                 struct router_match *ret_match, struct fail *fail);

// ---- identity, admission, metrics ---------------------------------------------------------------

// Fills exchange->identity by the row's kind, and checks that a token's scopes cover the row's. FAIL_AUTHENTICATION, FAIL_INVALID_TOKEN,
// FAIL_SCOPE_MISMATCH, FAIL_URL_PATTERN. May give way.
bool identity_find(struct host *host, struct exchange *exchange, const struct web_route *route, const struct view *params,
                   struct fail *fail);

// The caller's address: the peer's, or what the proxies of `trusted` (setting proxy.trusted) say of theirs. False: it cannot be told.
bool caller_address(const struct view *trusted, const struct exchange *exchange, struct address *ret_address);

enum { ADMISSION_SLOTS = 4096 };
// Runs in flight, for the process and by key. Keys share counters by hash: memory is fixed, and two keys that fall together are only
// refused a little early.
struct admission {
    int process_max, key_max;
    _Alignas(64) atomic_int process;
    atomic_int keys[ADMISSION_SLOTS];
};
// FAIL_FULL, FAIL_TOO_MANY. On success leave with *ret_slot.
bool admission_enter(struct admission *admission, const struct identity *identity, unsigned *ret_slot, struct fail *fail);
void admission_leave(struct admission *admission, unsigned slot);
// A key's calls a minute (identity.rate). False (FAIL_TOO_MANY): the reply has Retry-After and X-API-CREDITS-REMAINING already. Else
// ret_left is to be told when half of them are used (spec/platform.md §1.6).
bool admission_rate(struct exchange *exchange, int *ret_left, struct fail *fail);
void admission_tell(struct exchange *exchange, int left);

enum { METRICS_BUCKETS = 12 };
struct metrics_shard { // one a loop, so that counting costs no traffic between cores
    _Alignas(64) _Atomic uint64_t classes[6]; // by status / 100
    _Atomic uint64_t buckets[METRICS_BUCKETS + 1];
    _Atomic uint64_t microseconds;
    _Atomic uint64_t refused_key, refused_process, unauthorized;
};
struct metrics {
    struct metrics_shard shards[LOOP_WORKERS_MAX];
};
void metrics_note(struct metrics *metrics, int status, double duration_ms); // after an exchange, on a loop
void metrics_print(const struct web *web, struct buffer *out); // Prometheus text, version 0.0.4

// ---- the room -----------------------------------------------------------------------------------

enum { WEB_LISTENERS = 2 }; // the port, control.sock
struct web {
    struct host *host;
    struct loop_listener *listeners[WEB_LISTENERS];
    struct connection_service service;
    void (*on_exchange)(const struct exchange *exchange, double duration_ms);
    struct admission admission;
    struct metrics metrics;
    int64_t started_ms; // wall
    atomic_bool stopped; // takes no new calls
    struct web *kept; // see web_close
};

// ---- answers in JSON ----------------------------------------------------------------------------

// What a handler makes its answer in: a heap whose end sends the answer. The value goes out with `status`, or the failure in the envelope.
enum { ANSWER_HEAP_BYTES_MAX = 256 << 20 };
struct answer {
    struct exchange *exchange;
    struct heap heap;
    struct fail fail;
    int status; // 200
};
void answer_open(struct answer *answer, struct exchange *exchange);
void answer_put(struct answer *answer, struct value map, const char *name, struct view text);
void answer_send(struct answer *answer, bool good, struct value value); // ends it
// The body as a JSON object; FAIL_INVALID_DATA says that it must be one.
bool answer_body(struct answer *answer, const struct map **ret_map);
bool answer_flag(struct answer *answer, const struct map *map, const char *name, bool *ret_flag); // absent is false

// ---- handlers, named in routes.c ----------------------------------------------------------------

void api_function_execute(struct web *web, struct exchange *exchange, const struct view *params);
void api_health_live(struct web *web, struct exchange *exchange, const struct view *params);
void api_health_ready(struct web *web, struct exchange *exchange, const struct view *params);
void api_health_metrics(struct web *web, struct exchange *exchange, const struct view *params);
void api_ext_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_ext_show(struct web *web, struct exchange *exchange, const struct view *params);
void api_ext_publish(struct web *web, struct exchange *exchange, const struct view *params);
void api_ext_upgrade(struct web *web, struct exchange *exchange, const struct view *params);
void api_ext_rollback(struct web *web, struct exchange *exchange, const struct view *params);
void api_ext_uninstall(struct web *web, struct exchange *exchange, const struct view *params);
void api_ext_variables(struct web *web, struct exchange *exchange, const struct view *params);
void api_ext_set(struct web *web, struct exchange *exchange, const struct view *params);
void api_ext_install(struct web *web, struct exchange *exchange, const struct view *params);
void api_console_page(struct web *web, struct exchange *exchange, const struct view *params);
void api_console_session(struct web *web, struct exchange *exchange, const struct view *params);
void api_console_sign_in(struct web *web, struct exchange *exchange, const struct view *params);
void api_console_sign_out(struct web *web, struct exchange *exchange, const struct view *params);
void api_people_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_person_new(struct web *web, struct exchange *exchange, const struct view *params);
void api_person_change(struct web *web, struct exchange *exchange, const struct view *params);
void api_person_remove(struct web *web, struct exchange *exchange, const struct view *params);
void api_link_new(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_test(struct web *web, struct exchange *exchange, const struct view *params);
void api_runs_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_runs_figures(struct web *web, struct exchange *exchange, const struct view *params);
void api_run_show(struct web *web, struct exchange *exchange, const struct view *params);
void api_run_replay(struct web *web, struct exchange *exchange, const struct view *params);
void api_fn_put(struct web *web, struct exchange *exchange, const struct view *params);
void api_fn_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_fn_show(struct web *web, struct exchange *exchange, const struct view *params);
void api_fn_remove(struct web *web, struct exchange *exchange, const struct view *params);
void api_fn_history(struct web *web, struct exchange *exchange, const struct view *params);
void api_fn_restore(struct web *web, struct exchange *exchange, const struct view *params);
void api_widget_file(struct web *web, struct exchange *exchange, const struct view *params);
void api_widget_token(struct web *web, struct exchange *exchange, const struct view *params);
void api_widget_call(struct web *web, struct exchange *exchange, const struct view *params);
void api_sdk_file(struct web *web, struct exchange *exchange, const struct view *params);
void api_oauth_token(struct web *web, struct exchange *exchange, const struct view *params);
void api_oauth_revoke(struct web *web, struct exchange *exchange, const struct view *params);
void api_oauth_authorize(struct web *web, struct exchange *exchange, const struct view *params);
void api_oauth_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_oauth_new(struct web *web, struct exchange *exchange, const struct view *params);
void api_oauth_code(struct web *web, struct exchange *exchange, const struct view *params);
void api_oauth_remove(struct web *web, struct exchange *exchange, const struct view *params);
void api_oauth_approve(struct web *web, struct exchange *exchange, const struct view *params);
void api_oauth_deny(struct web *web, struct exchange *exchange, const struct view *params);
void api_connections_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_connection_show(struct web *web, struct exchange *exchange, const struct view *params);
void api_connection_new(struct web *web, struct exchange *exchange, const struct view *params);
void api_connection_test(struct web *web, struct exchange *exchange, const struct view *params);
void api_connection_remove(struct web *web, struct exchange *exchange, const struct view *params);
void api_settings_functions_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_settings_function_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_settings_function_code(struct web *web, struct exchange *exchange, const struct view *params);
void api_settings_function_create(struct web *web, struct exchange *exchange, const struct view *params);
void api_settings_function_update(struct web *web, struct exchange *exchange, const struct view *params);
void api_settings_function_delete(struct web *web, struct exchange *exchange, const struct view *params);
void api_settings_function_test(struct web *web, struct exchange *exchange, const struct view *params);
void api_schedules_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_schedule_set(struct web *web, struct exchange *exchange, const struct view *params);
void api_schedule_remove(struct web *web, struct exchange *exchange, const struct view *params);
void api_schedule_run(struct web *web, struct exchange *exchange, const struct view *params);
void api_key_show(struct web *web, struct exchange *exchange, const struct view *params);
void api_drafts_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_new(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_show(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_function(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_put(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_drop(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_action(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_put_action(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_put_variable(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_drop_variable(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_module(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_put_module(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_drop_module(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_connector(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_put_connector(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_drop_connector(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_function_history(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_action_history(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_publish(struct web *web, struct exchange *exchange, const struct view *params);
void api_draft_discard(struct web *web, struct exchange *exchange, const struct view *params);
void api_editor_check(struct web *web, struct exchange *exchange, const struct view *params);
void api_editor_execute(struct web *web, struct exchange *exchange, const struct view *params);
void api_editor_format(struct web *web, struct exchange *exchange, const struct view *params);
void api_editor_language(struct web *web, struct exchange *exchange, const struct view *params);
void api_keys_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_key_rotate(struct web *web, struct exchange *exchange, const struct view *params);
void api_key_revoke(struct web *web, struct exchange *exchange, const struct view *params);
void api_key_rules(struct web *web, struct exchange *exchange, const struct view *params);
void api_orgs_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_org_show(struct web *web, struct exchange *exchange, const struct view *params);
void api_org_new(struct web *web, struct exchange *exchange, const struct view *params);
void api_org_sandbox(struct web *web, struct exchange *exchange, const struct view *params);
void api_rules_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_rule_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_rules_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_rules_change(struct web *web, struct exchange *exchange, const struct view *params);
void api_rules_remove(struct web *web, struct exchange *exchange, const struct view *params);
void api_webhooks_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_webhook_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_webhooks_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_webhooks_change(struct web *web, struct exchange *exchange, const struct view *params);
void api_webhooks_remove(struct web *web, struct exchange *exchange, const struct view *params);
void api_automation_refuse(struct web *web, struct exchange *exchange, const struct view *params);
void api_watch_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_watch_replace(struct web *web, struct exchange *exchange, const struct view *params);
void api_watch_change(struct web *web, struct exchange *exchange, const struct view *params);
void api_watch_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_watch_remove(struct web *web, struct exchange *exchange, const struct view *params);
void api_bulk_read_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_bulk_read_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_bulk_read_result(struct web *web, struct exchange *exchange, const struct view *params);
void api_bulk_upload(struct web *web, struct exchange *exchange, const struct view *params);
void api_bulk_write_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_bulk_write_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_bulk_write_result(struct web *web, struct exchange *exchange, const struct view *params);
void api_composite(struct web *web, struct exchange *exchange, const struct view *params);
void api_coql(struct web *web, struct exchange *exchange, const struct view *params);
void api_records_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_records_search(struct web *web, struct exchange *exchange, const struct view *params);
void api_records_count(struct web *web, struct exchange *exchange, const struct view *params);
void api_records_insert(struct web *web, struct exchange *exchange, const struct view *params);
void api_records_update(struct web *web, struct exchange *exchange, const struct view *params);
void api_records_upsert(struct web *web, struct exchange *exchange, const struct view *params);
void api_records_delete(struct web *web, struct exchange *exchange, const struct view *params);
void api_record_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_record_update(struct web *web, struct exchange *exchange, const struct view *params);
void api_record_delete(struct web *web, struct exchange *exchange, const struct view *params);
void api_modules_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_module_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_fields_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_field_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_related_lists(struct web *web, struct exchange *exchange, const struct view *params);
void api_related_list_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_layouts_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_layout_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_views_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_view_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_view_sort(struct web *web, struct exchange *exchange, const struct view *params);
void api_tags_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_tags_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_tags_change(struct web *web, struct exchange *exchange, const struct view *params);
void api_tag_remove(struct web *web, struct exchange *exchange, const struct view *params);
void api_tag_merge(struct web *web, struct exchange *exchange, const struct view *params);
void api_tag_count(struct web *web, struct exchange *exchange, const struct view *params);
void api_records_tag(struct web *web, struct exchange *exchange, const struct view *params);
void api_records_untag(struct web *web, struct exchange *exchange, const struct view *params);
void api_record_tag(struct web *web, struct exchange *exchange, const struct view *params);
void api_record_untag(struct web *web, struct exchange *exchange, const struct view *params);
void api_indexes_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_index_new(struct web *web, struct exchange *exchange, const struct view *params);
void api_mass_update(struct web *web, struct exchange *exchange, const struct view *params);
void api_mass_status(struct web *web, struct exchange *exchange, const struct view *params);
void api_related_counts(struct web *web, struct exchange *exchange, const struct view *params);
void api_note_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_notes_change(struct web *web, struct exchange *exchange, const struct view *params);
void api_notes_remove(struct web *web, struct exchange *exchange, const struct view *params);
void api_bin_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_bin_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_bin_count(struct web *web, struct exchange *exchange, const struct view *params);
void api_files_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_file_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_photo_set(struct web *web, struct exchange *exchange, const struct view *params);
void api_photo_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_photo_remove(struct web *web, struct exchange *exchange, const struct view *params);
void api_org_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_users_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_user_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_user_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_user_update(struct web *web, struct exchange *exchange, const struct view *params);
void api_user_delete(struct web *web, struct exchange *exchange, const struct view *params);
void api_variables_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_variable_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_variable_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_variable_update(struct web *web, struct exchange *exchange, const struct view *params);
void api_variables_delete(struct web *web, struct exchange *exchange, const struct view *params);
void api_variable_delete(struct web *web, struct exchange *exchange, const struct view *params);
void api_variable_groups_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_variable_group_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_variable_group_update(struct web *web, struct exchange *exchange, const struct view *params);
void api_module_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_module_update(struct web *web, struct exchange *exchange, const struct view *params);
void api_field_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_field_update(struct web *web, struct exchange *exchange, const struct view *params);
void api_field_delete(struct web *web, struct exchange *exchange, const struct view *params);
void api_pick_list_values(struct web *web, struct exchange *exchange, const struct view *params);
void api_global_picklists(struct web *web, struct exchange *exchange, const struct view *params);
void api_roles_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_role_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_role_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_role_update(struct web *web, struct exchange *exchange, const struct view *params);
void api_role_delete(struct web *web, struct exchange *exchange, const struct view *params);
void api_profiles_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_profile_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_profile_update(struct web *web, struct exchange *exchange, const struct view *params);
void api_profile_clone(struct web *web, struct exchange *exchange, const struct view *params);
void api_profile_delete(struct web *web, struct exchange *exchange, const struct view *params);
void api_records_deleted(struct web *web, struct exchange *exchange, const struct view *params);
void api_record_clone(struct web *web, struct exchange *exchange, const struct view *params);
void api_related_list(struct web *web, struct exchange *exchange, const struct view *params);
void api_notes_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_related_update(struct web *web, struct exchange *exchange, const struct view *params);
void api_related_remove(struct web *web, struct exchange *exchange, const struct view *params);
void api_attachment_add(struct web *web, struct exchange *exchange, const struct view *params);
void api_attachment_get(struct web *web, struct exchange *exchange, const struct view *params);
void api_attachment_remove(struct web *web, struct exchange *exchange, const struct view *params);
void api_lead_convert(struct web *web, struct exchange *exchange, const struct view *params);
void api_function_urls(struct web *web, struct exchange *exchange, const struct view *params);
void api_logs(struct web *web, struct exchange *exchange, const struct view *params);
void api_audit(struct web *web, struct exchange *exchange, const struct view *params);
void api_signals_raise(struct web *web, struct exchange *exchange, const struct view *params);
void api_signals_list(struct web *web, struct exchange *exchange, const struct view *params);
