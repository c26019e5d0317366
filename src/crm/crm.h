// SPDX-License-Identifier: Apache-2.0
//
// crm: org, users, modules and fields, records, related lists, notes, criteria, signals. A module is a real table with typed columns named like its
// fields; anybody can open the data base with the sqlite3 shell and see Leads as Leads. The same functions serve Deluge tasks (host) and the REST API
// (web): they take and give values of the REST shape (spec/crm-api.md §2), rows results included; unwrapping for Deluge is host's.
#pragma once

#include "base/base.h"
#include "store/store.h"
#include "value/value.h"

extern const struct store_migration crm_migrations[]; // to be chained with auth's and ext's by whoever opens an environment

struct crm; // one environment's CRM: its store handle and cached metadata. Shared by all threads, lives until crm_close
bool crm_open(struct store_env *env, struct crm **ret_crm, struct fail *fail);
void crm_close(struct crm *crm);
struct store_env *crm_env(struct crm *crm);
// What a new environment holds: the organisation, its super admin (settings org.admin_email, org.time_zone) and the standard modules.
struct crm_new_org {
    struct view company_name, admin_email, admin_first_name, admin_last_name, time_zone;
    int64_t zgid;
};
bool crm_seed_tx(struct tx *tx, const struct crm_new_org *org, struct fail *fail); // does nothing when the organisation is there

// ---- a session: one run's or one request's use of a CRM -----------------------------------------

struct criteria; // parsed, in a heap
struct crm_meta; // modules and fields at one version, immutable; pinned by sessions
struct crm_session {
    struct crm *crm;
    const struct crm_meta *meta; // pinned
    struct heap *heap;           // where results are made
    int64_t user_id;             // acts and owns
    struct view namespace;       // the running extension, empty for none: resolves prefixes that nobody owns
    int api_version;             // 2 … 8: differences between versions
    int api_minor;               // of 2.1: 1
    bool strict;                 // REST: values must have their field's JSON type; scripts may send numbers and flags as text
    int64_t journal;             // open install journal, 0 = none
    int64_t unmodified_since_ms; // updates and deletes leave records that were changed later (ALREADY_MODIFIED); 0 = whenever
    int slow_ms;                 // reads that take longer may get an index (50)
    bool workflow;               // writes run workflow rules (spec/crm-api.md §1.2, §2.2); channels hear of them in any case
    int workflow_depth;          // rules that led to what this session does, one the other's action
    struct crm_happened *happened; // inside crm: of the closure that runs
    bool (*also)(struct tx *tx, void *arg, struct fail *fail); // inside crm: what commits with the records of a write; NULL
    void *also_arg;
    void *user;
    bool (*namespace_installed)(void *user, struct view namespace); // may be NULL
    void (*warn)(void *user, struct view text);                     // e.g. "twilio.SMS_Texts: … meant twilioext__SMS_Texts"; may be NULL
    struct value cursor; // of the last list: goes on behind its last record (crm_query.cursor); null at the end
    struct value details; // of the last failure: the map that belongs into the error's "details" ({"reason":…,"api_name":…}), or null
};
bool crm_session_open(struct crm *crm, struct heap *heap, struct crm_session *ret_session, struct fail *fail); // user_id = super admin, version 2
void crm_session_close(struct crm_session *session);

// ---- records ------------------------------------------------------------------------------------
// `module` is an API name in any accepted spelling (ns.Name, ns__Name, any case); unknown: FAIL_INVALID_MODULE. Field names of input maps may be dotted too.
// Writes: `rows` is a list of maps (at most CRM_ROWS_MAX); the result is a list with one REST row result a row, in order:
//   {"code":"SUCCESS","details":{…},"message":"record added","status":"success"} or the row's error map. One closure; a bad row does not stop the others.

enum { CRM_ROWS_MAX = 100, CRM_PAGE_MAX = 200, CRM_CRITERIA_MAX = 15, CRM_CRITERIA_DEPTH_MAX = 20, CRM_CRITERIA_BYTES_MAX = 16384 };

bool crm_records_insert(struct crm_session *session, struct view module, struct value rows, struct value *ret_results, struct fail *fail);
bool crm_records_update(struct crm_session *session, struct view module, struct value rows, struct value *ret_results, struct fail *fail); // each row has "id"
bool crm_records_delete(struct crm_session *session, struct view module, const int64_t *ids, int count, struct value *ret_results, struct fail *fail);
struct crm_query;
// Deleted records, newest first: {deleted_by, id, display_name, type, created_by, deleted_time}. Of the query: page, per_page, and
// modified_after_ms for when they were deleted.
bool crm_deleted_list(struct crm_session *session, struct view module, const struct crm_query *query, struct value *ret_list,
                      bool *ret_more, struct fail *fail);
// The recycle bin of all modules, newest first: {display_name, deleted_time, owner, module, deleted_by, id}; id 0: all. Nothing comes back out of it.
bool crm_bin_list(struct crm_session *session, int64_t id, int page, int per_page, struct value *ret_list, bool *ret_more, struct fail *fail);
bool crm_bin_count(struct crm_session *session, int64_t *ret_count, struct fail *fail);
// Adds a copy of a record: its own fields, but none that must be unique. *ret_result: the row's result; null when there is no such record.
bool crm_record_clone(struct crm_session *session, struct view module, int64_t id, struct value *ret_result, struct fail *fail);
// The whole record as a map with all its fields; null when there is none.
bool crm_record_get(struct crm_session *session, struct view module, int64_t id, struct value *ret_record, struct fail *fail);
// The same with the fields that `fields` names (comma-separated, empty = all).
bool crm_record_pick(struct crm_session *session, struct view module, int64_t id, struct view fields, struct value *ret_record,
                     struct fail *fail);

struct crm_query {
    struct view criteria, email, phone, word; // search: the first that is not empty; all empty = list
    struct view fields;                       // comma-separated, empty = all
    struct view sort_by, sort_order;          // empty: id, descending for lists
    struct view cursor;                       // session->cursor of the page before, instead of page
    int page, per_page;                       // from 1; 0 = default (1, 200); more than CRM_PAGE_MAX is FAIL_LIMIT_EXCEEDED
    struct view converted;                    // leads: "false" or empty, "true", "both"
    struct value equals;                      // null, or a map field → value that must match (related lists)
    const struct criteria *tree;              // instead of `criteria`: parsed already
    const int64_t *ids;                       // only these records; NULL = all
    int id_count;                             // at most CRM_ROWS_MAX
    int64_t modified_after_ms;                // only those that were changed later; 0 = all
    struct crm_written *written;              // not NULL: records go there as text, and the list stays empty
};
// Records of a list as JSON, one after the other with commas between, behind what `text` held before. Each is written while its row is read,
// so that a page takes the memory of its text and of one record.
struct crm_written {
    struct buffer text;
    int count;
};
bool crm_records_list(struct crm_session *session, struct view module, const struct crm_query *query, struct value *ret_list, bool *ret_more, struct fail *fail);
bool crm_records_count(struct crm_session *session, struct view module, const struct crm_query *query, int64_t *ret_count, struct fail *fail);
// `relation`: API name of a related list of `parent_module`, or of a module with a look-up to it.
bool crm_related_list(struct crm_session *session, struct view relation, struct view parent_module, int64_t parent_id, const struct crm_query *query,
                      struct value *ret_list, bool *ret_more, struct fail *fail);
// How many records a related list has; of the query: criteria and converted.
bool crm_related_count(struct crm_session *session, struct view relation, struct view parent_module, int64_t parent_id,
                       const struct crm_query *query, int64_t *ret_count, struct fail *fail);
// Each row updates the record that has the same value in one of `checks`, in their order, or adds one: {"code","duplicate_field","action",…}. Later
// rows see what earlier ones wrote. `checks`: list of field names, or null for the module's own (spec/crm-api.md §2.2) and its unique fields.
bool crm_records_upsert(struct crm_session *session, struct view module, struct value rows, struct value checks, struct value *ret_results,
                        struct fail *fail);
// COQL (spec/crm-api.md §2.4): a SELECT over one module and its look-ups. FAIL_SYNTAX, FAIL_INVALID_QUERY …, with session->details.
bool crm_coql(struct crm_session *session, struct view query, struct value *ret_list, bool *ret_more, struct fail *fail);
// The fields of such a query's columns: key of the row → metadata as in settings/fields (include_meta).
bool crm_coql_fields(struct crm_session *session, struct view query, struct value *ret_fields, struct fail *fail);
bool crm_id_read(struct value id, int64_t *ret_id); // number, or text of 1–19 digits

// Links `child_id` to the parent in a related list, or changes the link: `fields` is a map of what it says (Member_Status …; of the child's own
// fields where a look-up is the link). *ret_result: {"code":"SUCCESS","details":{"id"},"message":"relation updated",…} or the error map.
bool crm_relation_update(struct crm_session *session, struct view relation, int64_t child_id, struct view parent_module, int64_t parent_id,
                         struct value fields, struct value *ret_result, struct fail *fail);
// Takes the link away: the child's look-up is cleared, or the pair forgotten. *ret_result says "relation removed", or that there was no link.
bool crm_relation_remove(struct crm_session *session, struct view relation, int64_t child_id, struct view parent_module, int64_t parent_id,
                         struct value *ret_result, struct fail *fail);
// Makes an account (unless the lead has no company), a contact and, if asked, a deal of the lead; its notes, attachments, activities and links move on,
// and it leaves lists. `values`: null or the map of POST /Leads/{id}/actions/convert. *ret_result: {"Contacts":"id",…} below version 6, else the row
// with names in its details; or the error map, and then nothing is changed.
bool crm_lead_convert(struct crm_session *session, int64_t lead_id, struct value values, struct value *ret_result, struct fail *fail);

// ---- mass updates -------------------------------------------------------------------------------

enum { CRM_MASS_IDS_MAX = 500, CRM_MASS_RECORDS_MAX = 50000 };
struct crm_mass {
    struct value data; // a map of the values; all its fields must be there and writable, else FAIL_INVALID_DATA with details
    bool overwrite; // what multi-selects hold is replaced, not added to
};
// One row result an id, in order.
bool crm_mass_update(struct crm_session *session, struct view module, const struct crm_mass *given, const int64_t *ids, int count,
                     struct value *ret_results, struct fail *fail);
// Updates the records of a view. The job is over when this returns; FAIL_LIMIT_EXCEEDED: the view has too many, and none is changed.
bool crm_mass_run(struct crm_session *session, struct view module, const struct crm_mass *given, int64_t view_id, int64_t *ret_job_id,
                  struct fail *fail);
// {"Status","Failed_Count","Updated_Count","Not_Updated_Count","Total_Count"}; FAIL_NOT_FOUND.
bool crm_mass_status(struct crm_session *session, struct view module, int64_t job_id, struct value *ret_counts, struct fail *fail);

// ---- tags ---------------------------------------------------------------------------------------

enum { CRM_TAG_NAME_UNITS_MAX = 25, CRM_TAGS_MAX = 500, CRM_RECORD_TAGS_MAX = 10, CRM_TAG_RECORDS_MAX = 500 }; // a name, a module, a record, a call

// Tags of a module, in the order in which they were added; `own`: those that the session's user has added. Modules without the field Tag:
// FAIL_INVALID_MODULE. Where one tag is named and not there: FAIL_INVALID_DATA or FAIL_TAG_NOT_FOUND.
bool crm_tags_list(struct crm_session *session, struct view module, bool own, struct value *ret_list, struct fail *fail);
// `rows`: list of {"name","color_code"}, with "id" where they change one; the result is a list with one row result each, as of records.
bool crm_tags_add(struct crm_session *session, struct view module, struct value rows, struct value *ret_results, struct fail *fail);
bool crm_tags_change(struct crm_session *session, struct view module, struct value rows, struct value *ret_results, struct fail *fail);
bool crm_tag_remove(struct crm_session *session, int64_t id, struct value *ret_result, struct fail *fail); // also from its records
// Records that have the tag `other_id` have `id` instead; `other_id` is gone.
bool crm_tag_merge(struct crm_session *session, int64_t id, int64_t other_id, struct value *ret_result, struct fail *fail);
bool crm_tag_count(struct crm_session *session, struct view module, int64_t id, int64_t *ret_count, struct fail *fail); // records that have it

struct crm_tagging {
    const int64_t *ids; // of records
    int count; // at most CRM_TAG_RECORDS_MAX
    struct value tags; // list of {"name","id","color_code"} or of names; unknown names are added to the module
    bool remove; // takes them off
    bool overwrite; // instead of what the records have
};
// One row result a record, with the tags that it has then. What is wrong with the tags themselves: FAIL_INVALID_DATA with details.
bool crm_records_tag(struct crm_session *session, struct view module, const struct crm_tagging *tagging, struct value *ret_results,
                     struct fail *fail);

// ---- files --------------------------------------------------------------------------------------

enum { CRM_UPLOAD_FILES_MAX = 10, CRM_FIELD_FILES_MAX = 10, CRM_PHOTO_BYTES_MAX = 10 << 20 };
// Stores uploads (a list of VALUE_FILE) until records claim them in a field of files. The result: a row with {"name","id"} each; the id is what
// crm_file_get takes. FAIL_BAD_REQUEST: too many; FAIL_FILE_SIZE.
bool crm_files_add(struct crm_session *session, const struct list *files, struct value *ret_results, struct fail *fail);
bool crm_file_get(struct crm_session *session, struct view id, struct value *ret_file, struct fail *fail); // null when there is none
// The photo of a record (its field Record_Image). FAIL_INVALID_MODULE: records of the module have none; FAIL_NOT_FOUND: there is no such record;
// FAIL_INVALID_DATA: no image, or nothing to remove; FAIL_FILE_SIZE.
bool crm_photo_set(struct crm_session *session, struct view module, int64_t record_id, const struct file *file, struct fail *fail);
bool crm_photo_get(struct crm_session *session, struct view module, int64_t record_id, struct value *ret_file, struct fail *fail); // or null
bool crm_photo_remove(struct crm_session *session, struct view module, int64_t record_id, struct fail *fail);

// ---- attachments --------------------------------------------------------------------------------

enum { CRM_ATTACHMENT_BYTES_MAX = 20 << 20, CRM_LINK_BYTES_MAX = 2048 }; // Zoho's limit
// Adds a file to a record's list Attachments. *ret_result: the row's result, "attachment uploaded successfully", or the error map.
bool crm_attachment_add(struct crm_session *session, struct view module, int64_t record_id, const struct file *file, struct value *ret_result,
                        struct fail *fail);
// The same for a link, which is not fetched; an empty title is the link itself.
bool crm_attachment_link(struct crm_session *session, struct view module, int64_t record_id, struct view link, struct view title,
                         struct value *ret_result, struct fail *fail);
// Does the note or attachment hang on that record? FAIL_NOT_FOUND if not.
bool crm_hangs_check(struct crm_session *session, struct view child_module, int64_t id, struct view module, int64_t record_id,
                     struct fail *fail);
// Its file, of that record only; FAIL_NOT_FOUND also when it hangs on another one, FAIL_NOT_SUPPORTED for a link.
bool crm_attachment_of(struct crm_session *session, struct view module, int64_t record_id, int64_t attachment_id, struct value *ret_file,
                       struct fail *fail);
bool crm_attachment_get(struct crm_session *session, int64_t attachment_id, struct value *ret_file, struct fail *fail); // a file; FAIL_NOT_FOUND

// ---- indexes ------------------------------------------------------------------------------------

// An index over all records of a module, for searches by the field and lists sorted by it. *ret_made false: there is one. FAIL_NOT_FOUND,
// FAIL_INVALID_DATA (lists and objects take none). Writes wait while it is made.
bool crm_index_new(struct crm_session *session, struct view module, struct view field, bool *ret_made, struct fail *fail);
bool crm_indexes_list(struct crm_session *session, struct value *ret_list, struct fail *fail); // {module, field, by_itself, created_time}

// ---- counters -----------------------------------------------------------------------------------

// Takes one of the `most` that `name` has a day (UTC), durably. *ret_taken false when the day's are used up.
bool crm_counter_take(struct crm_session *session, struct view name, int64_t most, bool *ret_taken, struct fail *fail);

// ---- organisation and users ---------------------------------------------------------------------

bool crm_user_get(struct crm_session *session, int64_t user_id, struct value *ret_user, struct fail *fail); // REST user object; FAIL_NOT_FOUND
bool crm_users_list(struct crm_session *session, struct value *ret_list, struct fail *fail); // REST user objects, without deleted ones
// Those of a type, in any case: AllUsers (or empty), ActiveUsers, DeletedUsers, CurrentUser … page counts from 1. FAIL_INVALID_DATA.
bool crm_users_page(struct crm_session *session, struct view type, int page, int per_page, struct value *ret_list, bool *ret_more,
                    struct fail *fail);
bool crm_user_admin(struct crm_session *session, int64_t user_id, bool *ret_admin, struct fail *fail); // has he the profile Administrator?
int64_t crm_admin_id(const struct crm_session *session);
struct view crm_user_email(const struct crm_session *session, int64_t user_id); // pinned with the session; empty if unknown
struct view crm_user_name(const struct crm_session *session, int64_t user_id);
const struct zone *crm_zone(const struct crm_session *session); // the user's, in which times are shown and read
bool crm_org_get(struct crm_session *session, struct value *ret_org, struct fail *fail);
bool crm_modules_list(struct crm_session *session, struct value *ret_list, struct fail *fail);                    // settings/modules shape
bool crm_fields_list(struct crm_session *session, struct view module, struct value *ret_list, struct fail *fail); // settings/fields shape
bool crm_module_exists(const struct crm_session *session, struct view module);
bool crm_related_lists(struct crm_session *session, struct view module, struct value *ret_list, struct fail *fail); // settings/related_lists shape
bool crm_layouts_list(struct crm_session *session, struct view module, struct value *ret_list, struct fail *fail);  // settings/layouts shape: one
bool crm_views_list(struct crm_session *session, struct view module, struct value *ret_list, struct fail *fail);    // settings/custom_views shape
// A view (cvid) as conditions and order of a query. FAIL_INVALID_DATA: the module has none of this id; FAIL_AMBIGUITY: it says its order too.
bool crm_view_apply(struct crm_session *session, struct view module, int64_t view_id, struct crm_query *query, struct fail *fail);
// {"sort_by":{"api_name":…},"sort_order":"asc"}: from now on, for everybody.
bool crm_view_sort(struct crm_session *session, struct view module, int64_t view_id, struct value order, struct fail *fail);

// ---- members of requests that change settings ---------------------------------------------------

// A map by which roles, users, modules, fields, variables … are changed. What is wrong is the failure, with {"api_name":…} in
// session->details, and {"json_path":".member[2].id"} when it stands deeper; whoever made a row of it adds where the row stood.
struct crm_given {
    struct crm_session *session;
    const struct map *map;
    struct fail *fail;
};
// Sets the failure with its member; message NULL: the code's own. Returns false.
bool crm_given_refuse(const struct crm_given *given, enum fail_code code, const char *key, const char *message);
bool crm_given_has(const struct crm_given *given, const char *key); // null counts
// A text of at most `units_max` UTF-16 units, without blanks at its ends; VIEW_NONE when it is absent, null or blank.
bool crm_given_text(const struct crm_given *given, const char *key, size_t units_max, struct view *ret_text);
bool crm_given_name(const struct crm_given *given, const char *key, size_t units_max, struct view *ret_text); // the same, and must be there
bool crm_given_bool(const struct crm_given *given, const char *key, bool otherwise, bool *ret_flag);
// An id, or a map with one in "id"; 0 when it is absent or null.
bool crm_given_id(const struct crm_given *given, const char *key, int64_t *ret_id);
void crm_details_set(struct crm_session *session, const char *key, struct view text); // {"key":"text"}, kept in session->details

// ---- roles, profiles and users ------------------------------------------------------------------

// May the session's user change settings? Those with the profile Administrator may. FAIL_NO_PERMISSION names `permission`; in an install action,
// whose journal cannot take such changes back, FAIL_NOT_SUPPORTED.
bool crm_settings_may(struct crm_session *session, const char *permission, struct fail *fail);
// id 0: all of them; else the one, with a profile's permissions. An empty list when there is none of this id.
bool crm_roles_list(struct crm_session *session, int64_t id, struct value *ret_list, struct fail *fail);
bool crm_profiles_list(struct crm_session *session, int64_t id, struct value *ret_list, struct fail *fail);
// The maps are rows of the requests that Zoho describes; members that are absent stay as they are. Failures carry {"api_name":…} in
// session->details; FAIL_NOT_FOUND for an id that stands in the path. Users of a deleted role or profile go to transfer_id.
bool crm_role_add(struct crm_session *session, const struct map *role, int64_t *ret_id, struct fail *fail);
bool crm_role_change(struct crm_session *session, int64_t id, const struct map *role, struct fail *fail);
bool crm_role_delete(struct crm_session *session, int64_t id, int64_t transfer_id, struct fail *fail);
bool crm_profile_clone(struct crm_session *session, int64_t id, const struct map *profile, int64_t *ret_id, struct fail *fail);
bool crm_profile_change(struct crm_session *session, int64_t id, const struct map *profile, struct fail *fail);
bool crm_profile_delete(struct crm_session *session, int64_t id, int64_t transfer_id, struct fail *fail);
bool crm_user_add(struct crm_session *session, const struct map *user, int64_t *ret_id, struct fail *fail); // active at once
bool crm_user_change(struct crm_session *session, int64_t id, const struct map *user, struct fail *fail);
bool crm_user_delete(struct crm_session *session, int64_t id, struct fail *fail); // his row stays

// ---- modules and fields of the org's own --------------------------------------------------------

// Rows of the requests that Zoho describes for settings/modules and settings/fields. A module gets a table, a field a column (and an index when
// it is unique or a look-up). Failures as those of roles; FAIL_NOT_FOUND for an id. A name that is not given is made of the label.
bool crm_custom_module_add(struct crm_session *session, const struct map *module, int64_t *ret_id, struct fail *fail);
bool crm_custom_module_change(struct crm_session *session, int64_t id, const struct map *module, struct fail *fail); // labels, profiles
bool crm_custom_field_add(struct crm_session *session, struct view module, const struct map *field, int64_t *ret_id, struct fail *fail);
bool crm_custom_field_change(struct crm_session *session, struct view module, int64_t id, const struct map *field, struct fail *fail);
bool crm_custom_field_delete(struct crm_session *session, struct view module, int64_t id, struct fail *fail); // with its column

// ---- metadata of extensions (inside the installer's closure) ------------------------------------

// `modules`: list of module files as maps (PRODUCT "An extension on disk"). Installs or brings up to date under `namespace`; names get "ns__";
// files of standard modules add fields. Never drops a column. Everything is checked first; FAIL_INVALID_DATA names file key and field. With a
// journal (0 = none) the definitions of what was there before can be taken back.
bool crm_modules_check(struct value modules, struct view namespace, struct heap *heap, struct fail *fail);
bool crm_module_check(const struct list *modules, uint32_t index, struct view namespace, struct fail *fail); // this one among all
bool crm_modules_install_tx(struct tx *tx, struct view namespace, struct value modules, int64_t journal, struct heap *heap,
                            struct fail *fail);
// Takes back what an installation that failed had added: the namespace's modules with their tables, and its fields, whose ids are above
// after_id (0 = all of them, with the records and what hangs on them).
bool crm_modules_drop_tx(struct tx *tx, struct view namespace, int64_t after_id, struct fail *fail);
// Are there modules or fields of the namespace?
bool crm_modules_left_tx(struct tx *tx, struct view namespace, bool *ret_left, struct fail *fail);

// ---- signals ------------------------------------------------------------------------------------

// spec/platform.md §7. `signal` is the script's map; the namespace must be among `declared` (list of texts, without "ns."; null = any).
// crm_signal_raise takes any namespace that is not another extension's.
bool crm_signal_raise(struct crm_session *session, struct value signal, struct value *ret_result, struct fail *fail);
bool crm_signal_raise_declared(struct crm_session *session, struct value signal, struct value declared, struct value *ret_result, struct fail *fail);
struct crm_signal_query { // an empty module and record 0 are any
    struct view module;
    int64_t record_id;
    int page, per_page; // from 1; at most 1,000 a page
};
// Newest first.
bool crm_signals_page(struct crm_session *session, const struct crm_signal_query *query, struct value *ret_list, bool *ret_more, struct fail *fail);

// ---- workflow rules, webhooks and notification channels -----------------------------------------

// `rules`: settings/automation/workflow_rules as zoho-crm-workflow-rules describes them. Rules of one module that run when records are created,
// edited or deleted, or when fields change; actions are webhooks and functions, at once. The rest is FAIL_NOT_SUPPORTED. With FAIL_INVALID_DATA
// session->details names api_name and json_path.
enum { CRM_WORKFLOW_DEPTH_MAX = 5 };
struct crm_list_query { // of settings: from 1, at most CRM_PAGE_MAX
    struct view module, name, type; // empty: any; name: part of it
    int active; // -1 any
    int page, per_page;
};
bool crm_rules_list(struct crm_session *session, const struct crm_list_query *query, struct value *ret_list, bool *ret_more, struct fail *fail);
bool crm_rule_get(struct crm_session *session, int64_t id, struct value *ret_rule, struct fail *fail); // null when there is none
// Functions are host's: `function` says whether there is one, and its name.
typedef bool crm_function_fn(void *user, struct crm_session *session, int64_t id, struct value *ret_name, struct fail *fail);
bool crm_rule_add(struct crm_session *session, struct value rule, crm_function_fn *function, void *user, int64_t *ret_id, struct fail *fail);
// Members that are not given stay. FAIL_NOT_FOUND.
bool crm_rule_change(struct crm_session *session, int64_t id, struct value rule, crm_function_fn *function, void *user, struct fail *fail);
bool crm_rule_remove(struct crm_session *session, int64_t id, bool *ret_found, struct fail *fail);

bool crm_webhooks_list(struct crm_session *session, const struct crm_list_query *query, struct value *ret_list, bool *ret_more,
                       struct fail *fail);
bool crm_webhook_get(struct crm_session *session, int64_t id, struct value *ret_webhook, struct fail *fail); // null when there is none
bool crm_webhook_add(struct crm_session *session, struct value webhook, int64_t *ret_id, struct fail *fail);
bool crm_webhook_change(struct crm_session *session, int64_t id, struct value webhook, struct fail *fail);
bool crm_webhook_remove(struct crm_session *session, int64_t id, bool *ret_found, struct fail *fail); // FAIL_NOT_ALLOWED while a rule uses it

// Channels of the session's user. A watch is a map of the request; ret_events has a map {channel_expiry, resource_id, resource_name,
// channel_id} a module.
bool crm_watch_add(struct crm_session *session, struct value watch, struct value *ret_events, struct fail *fail);
// `whole`: what is not given is gone (PUT), else it stays (PATCH).
bool crm_watch_change(struct crm_session *session, struct value watch, bool whole, struct value *ret_events, struct fail *fail);
bool crm_watch_remove(struct crm_session *session, struct view channel, struct value *ret_events, bool *ret_found, struct fail *fail);
// One row a channel and module; empty texts: any.
bool crm_watches_list(struct crm_session *session, struct view module, struct view channel, struct value *ret_list, struct fail *fail);
// By the id of its row: {channel_id, notify_url, token, …}; null when it is gone or has expired.
bool crm_watch_get(struct crm_session *session, int64_t id, struct value *ret_watch, struct fail *fail);

bool crm_has_rules(const struct crm_session *session); // any active workflow rule
// What a committed write has left to do: a row each, removed when it is done.
enum crm_pending_kind { CRM_PENDING_FUNCTION, CRM_PENDING_WEBHOOK, CRM_PENDING_NOTIFY, CRM_PENDING_POST, CRM_PENDING_KINDS };
struct crm_pending {
    int64_t id, target, rule_id, record_id; // target: the function, webhook or channel
    enum crm_pending_kind kind;
    int depth, tries; // tries: this one among them
    struct view module;
    struct value details; // a map: "record" of a deleted one; of a notification ids, operation, fields; of a POST url, body
};
enum { CRM_PENDING_TAKE_MAX = 32 };
// `queued` is called after a COMMIT that added some, by any thread; it may not wait. Set before the crm is used.
void crm_on_pending(struct crm *crm, void (*queued)(void *user), void *user);
// Takes at most `most` that are due: until busy_ms nobody else does. *ret_next_ms: when the next one is due, INT64_MAX: none waits.
bool crm_pending_take(struct crm_session *session, int64_t busy_ms, int most, struct crm_pending ret_items[CRM_PENDING_TAKE_MAX],
                      int *ret_count, int64_t *ret_next_ms, struct fail *fail);
bool crm_pending_done(struct crm *crm, int64_t id, struct fail *fail);
bool crm_pending_later(struct crm *crm, int64_t id, int64_t due_ms, struct fail *fail);
// What processes that are no more had taken is due again.
bool crm_pending_recover(struct crm *crm, struct fail *fail);

// ---- bulk jobs ----------------------------------------------------------------------------------

// Reading and writing in bulk (zoho-crm-bulk-read, zoho-crm-bulk-write, zoho-crm-upload). A job and its files are rows of the environment's data
// base, files in pieces of CRM_BULK_PIECE_BYTES; a job is done in steps, each of which commits how far it came, so it goes on after a restart.
enum {
    CRM_BULK_PAGE_ROWS = 200000, // of a read
    CRM_BULK_WRITE_ROWS = 25000, // of a write
    CRM_BULK_PIECE_BYTES = 256 << 10,
    CRM_BULK_FILE_BYTES_MAX = 1 << 30, // of a result
    CRM_BULK_JOBS_MAX = 200, // kept in an environment; the oldest that has ended goes
    CRM_BULK_WAITING_MAX = 20, // that have not ended
};
struct crm_bulk {
    int64_t id, file_id, created_ms, created_by; // file_id: of the result
    struct view state; // ADDED, IN PROGRESS, COMPLETED, FAILED
    bool write;
    struct value definition, progress; // maps
};
// Checks a request {query, callback, file_type} or {operation, resource, …} and adds its job. Details as of rules.
bool crm_bulk_read_add(struct crm_session *session, struct value request, int64_t *ret_id, struct fail *fail);
bool crm_bulk_write_add(struct crm_session *session, struct value request, int64_t *ret_id, struct fail *fail);
struct view crm_bulk_module(const struct map *request, bool write); // the API name that a request names, as it stands there
// *ret_found false: the user's session has no such job. As REST shows it: without the URL of the result.
bool crm_bulk_get(struct crm_session *session, bool write, int64_t id, struct crm_bulk *ret_job, bool *ret_found, struct fail *fail);
struct value crm_bulk_show(struct crm_session *session, const struct crm_bulk *job, struct view download_url);
// A file of one CSV, in pieces; *ret_id 0 without memory.
bool crm_bulk_file_add(struct crm_session *session, struct view name, struct view bytes, int64_t *ret_id, struct fail *fail);
bool crm_bulk_file_size(struct crm *crm, int64_t file_id, int64_t *ret_bytes, struct fail *fail); // FAIL_NOT_FOUND
// The piece with this number, from 0; appended to `out`. False with FAIL_NONE: there are no more.
bool crm_bulk_file_piece(struct crm *crm, int64_t file_id, int64_t number, struct buffer *out, struct fail *fail);
// Takes the oldest job that waits, for as long as busy_ms says. *ret_id 0: there is none.
bool crm_bulk_take(struct crm *crm, int64_t busy_ms, int64_t *ret_id, struct fail *fail);
// One step of a job that was taken, as its user: some hundred records. *ret_ended: it is done, or has failed for good. The session's heap is used up.
bool crm_bulk_step(struct crm_session *session, int64_t id, int64_t busy_ms, bool *ret_ended, struct fail *fail);
bool crm_bulk_fail(struct crm *crm, int64_t id, struct view reason, struct fail *fail); // ends it as FAILED
bool crm_bulk_release(struct crm *crm, int64_t id, struct fail *fail); // it can be taken again
bool crm_bulk_recover(struct crm *crm, struct fail *fail); // what dead processes had taken can be taken again

// ---- criteria -----------------------------------------------------------------------------------

// Pure parser of `(Last_Name:equals:x)and((A:in:1,2)or(B:between:1,5))` in all spellings of spec/crm-api.md §1.4 and §2.3; for the fuzz target.
// FAIL_INVALID_QUERY, FAIL_CRITERIA_LIMIT
bool criteria_parse(struct heap *heap, struct view text, const struct criteria **ret_criteria, struct fail *fail);
