// SPDX-License-Identifier: Apache-2.0
//
// What the handlers of Zoho's REST API share (spec/crm-api.md §2): the request's CRM session, the version in its path, Zoho's ways of saying
// what is wrong, and the rows of a body. Differences between versions are rows of one table (rest.c), asked for by name.
#pragma once

#include "web/room.h"

struct rest {
    struct web *web;
    struct answer answer;
    struct crm_session session; // of the caller's org environment, acting as the caller's user
    bool open;
    int version; // ten times the number in the path: 20, 21, 70
    struct value details; // of a failure, null = {}
    bool tokens; // the list goes on by page tokens
    struct view module; // with tokens: of the list
    struct crm_written written; // the text of a page of records
};

enum rest_difference {
    REST_FIELDS_REQUIRED, // lists must name their fields
    REST_PAGE_TOKENS, // lists go on by page_token, and say how they were sorted
    REST_RESOURCE_INDEX, // errors of a path say which segment: {"resource_path_index":0}
    REST_ROW_STATUS, // a write whose rows all failed is 400; before, 202
    REST_CUSTOM_MODULES, // modules can be made and changed
    REST_SORT_FIELDS, // lists are sorted by id and system times only
    REST_CLONE, // records are cloned
    REST_DELETE_INDEX, // a record of the path that is not there is no row but the answer
    REST_GROUP_OPTIONAL, // a variable is read without group=
    REST_DIFFERENCES
};
bool rest_since(const struct rest *rest, enum rest_difference difference);

// Opens the session; on failure the answer has been sent and there is nothing to close.
bool rest_open(struct rest *rest, struct web *web, struct exchange *exchange);
// Ends it: the value with answer.status, or answer.fail with `details` in the envelope.
void rest_send(struct rest *rest, bool good, struct value value);
// The failure as the result of one row, beside others: {"code","details","message","status":"error"}. False for what is ours: it ends the call.
bool rest_row_failed(struct rest *rest, struct value *ret_row);
// The body's `trigger`: what is written runs workflow rules unless it is a list without "workflow" (spec/crm-api.md §2.2).
bool rest_trigger(struct rest *rest, const struct map *body);
void rest_send_empty(struct rest *rest, int status); // without body: 204, 304
// Sets answer.fail and one detail; returns false.
bool rest_refuse(struct rest *rest, enum fail_code code, const char *key, struct view text);
bool rest_refuse_index(struct rest *rest, enum fail_code code, const char *message, int segment); // {"resource_path_index":segment} where versions have it
bool rest_id(struct rest *rest, struct view text, int segment, int64_t *ret_id); // an id of the path
// The module and the id of the path's first two parameters; errors say which segment is wrong.
bool rest_parent(struct rest *rest, const struct view *params, int64_t *ret_id);
// A parameter as a number within bounds; absent gives `standard`.
bool rest_number(struct rest *rest, const char *name, int64_t lowest, int64_t highest, int64_t standard, int64_t *ret_number);
// The body as a map, whatever its Content-Type says (SDKs send none).
bool rest_body(struct rest *rest, struct map **ret_map);
// Its list under `key`, 1 to `most` items.
bool rest_rows(struct rest *rest, const struct map *body, const char *key, uint32_t most, struct value *ret_rows);
struct view rest_param(const struct rest *rest, const char *name); // a query parameter, VIEW_NONE if absent
bool rest_choice(struct rest *rest, const char *name, const char *const *choices, size_t count); // a parameter must be one of these, in any case
bool rest_query_fields(struct rest *rest, struct crm_query *query); // fields
// fields, page, per_page, sort_by, sort_order, converted.
bool rest_query_page(struct rest *rest, struct crm_query *query);
// page_token instead of page, where versions have it, for a list of `module`; after rest_query_page.
bool rest_query_token(struct rest *rest, struct view module, struct crm_query *query);
struct value rest_envelope(struct rest *rest); // of answer.fail and `details`
// A failed step about the id in the path, which is nothing's: says so with its segment.
bool rest_path_done(struct rest *rest, bool done, int segment);
// ids=a,b,…: at most CRM_ROWS_MAX.
bool rest_ids(struct rest *rest, int64_t ids[CRM_ROWS_MAX], int *ret_count);
// If-Modified-Since; 0 without.
bool rest_modified_since(struct rest *rest, int64_t *ret_millis);
// If-Unmodified-Since goes into the session; X-EXTERNAL is refused.
bool rest_write_conditions(struct rest *rest);
void rest_send_none(struct rest *rest, int64_t modified_since_ms); // nothing was found: 204, or 304 when it was asked for since a time
// "ids":["1",2] of a body, at most `most`.
bool rest_body_ids(struct rest *rest, const struct map *body, int64_t *ids, int most, int *ret_count);
// The records of the query's page become text while they are read; rest_send_page sends it.
void rest_page_written(struct rest *rest, struct crm_query *query);
// {"data":[…],"info":{…}} of the list, or of what was written; nothing found is 204 without body, or 304 where the query has a modified_after_ms.
void rest_send_page(struct rest *rest, bool good, const struct crm_query *query, struct value list, bool more);
// The parts of a multipart body that uploads know.
struct rest_form {
    struct value files; // list of VALUE_FILE: the parts `file`, in order
    struct value link, title; // fields attachmentUrl and title, null if absent
};
// A body that is no form has no parts; a malformed form is FAIL_INVALID_DATA.
bool rest_form_read(struct rest *rest, struct rest_form *ret_form);
void rest_send_file(struct rest *rest, const struct file *file); // ends it with the file's bytes as a download
// module=, which must be there and name a module.
bool rest_module_param(struct rest *rest, struct view *ret_module);
// Those maps of a list whose `key` is the text, in any case.
struct value rest_pick(struct rest *rest, struct value list, const char *key, struct view text);
// {"code":"SUCCESS","details":{"id":…},"message":…,"status":"success"}
struct value rest_result_id(struct rest *rest, int64_t id, const char *message);
// {"key": value} for an answer.
struct value rest_wrap(struct rest *rest, const char *key, struct value value);
void rest_send_list(struct rest *rest, bool good, const char *key, struct value list); // {"key":[…]}; an empty list is 204 without body
// Sends {"key":[…]} of row results as rest_send_rows does.
void rest_send_results(struct rest *rest, bool good, const char *key, struct value results, int done);
// {"key":[one result of this id]}; a failure that says which member is wrong is such a result too.
void rest_send_done(struct rest *rest, bool good, const char *key, int64_t id, const char *message);

// A write of settings whose body has its rows in the list `key`. Each is written by itself: one that fails leaves the others.
struct rest_write {
    const char *key, *message; // "roles", "Role added"
    uint32_t most; // rows
    int status; // when all are fine
    bool adds; // rows have no ids yet: `write` gives them
    struct view id; // of the path, for the only row; VIEW_NONE: each row has its own
    int segment; // where it stands in the path
    const char *permission; // what crm_settings_may is asked for; NULL: everybody may
    bool (*write)(struct rest *rest, void *arg, const struct map *row, int64_t *id);
    void *arg;
};
void rest_write_rows(struct rest *rest, bool good, const struct rest_write *write); // ends the exchange

// Sets the status that row results come to: `done` when all are fine, 207 when some are, else the versions' own.
void rest_status_of_rows(struct rest *rest, struct value results, int done);
// Sends {"data":[…]} of row results with that status.
void rest_send_rows(struct rest *rest, bool good, struct value results, int done);
