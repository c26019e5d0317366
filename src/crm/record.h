// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: what reading and writing of records share. Values become SQL parameters in convert.c, row results are made in result.c, SQL
// conditions in search.c.
#pragma once

#include "crm/criteria.h"
#include "crm/meta.h"

// ---- what is wrong with a row (spec/crm-api.md §2.5) --------------------------------------------

enum crm_problem {
    CRM_ROW_FINE,
    CRM_ROW_TYPE, // INVALID_DATA with expected_data_type
    CRM_ROW_LENGTH, // INVALID_DATA with maximum_length
    CRM_ROW_REFERENCE, // INVALID_DATA: a look-up to nothing
    CRM_ROW_MANDATORY, // MANDATORY_NOT_FOUND
    CRM_ROW_DUPLICATE, // DUPLICATE_DATA with the other record's id
    CRM_ROW_NO_RECORD, // INVALID_DATA: the id given seems to be invalid
    CRM_ROW_TAG_LIMIT, // LICENSE_LIMIT_EXCEEDED: the module has as many tags as it may
    CRM_ROW_NOT_MAP, // INVALID_DATA: the row is no map
    CRM_ROW_MODIFIED, // ALREADY_MODIFIED: changed after session.unmodified_since_ms, by owner_id
    CRM_ROW_GONE // delete of what is not there
};

enum { CRM_ROW_ERRORS_MAX = 20 }; // that are told of one row

struct crm_row_error {
    enum crm_problem problem;
    struct view api_name;
    struct view path; // where in the row, when it is not the field: "Quoted_Items[1].Product_Name"
    const char *expected;
    int length;
    int64_t id; // CRM_ROW_DUPLICATE: of the other record, with what newer versions tell of it
    int64_t owner_id;
    const struct crm_module *module;
    struct view zuid;
    int64_t modified_time, created_time; // CRM_ROW_MODIFIED
};

// ---- convert.c ----------------------------------------------------------------------------------

struct crm_convert {
    const struct crm_session *session;
    struct arena *arena; // parameters point into it or into the input
};
// A value of a request as the parameter that is stored. False with *error set: a bad value; out of memory shows as arena bytes_max.
bool crm_value_store(const struct crm_convert *convert, const struct crm_field *field, struct value value, struct store_param *ret_param,
                     struct crm_row_error *error);
// yyyy-MM-dd, and yyyy-MM-ddTHH:mm:ss with optional fraction and zone (none = the session's zone). Whole seconds.
bool crm_date_read(struct view text);
bool crm_email_valid(struct view text);
bool crm_datetime_read(struct view text, const struct zone *zone, int64_t *ret_millis);

// ---- result.c -----------------------------------------------------------------------------------

struct crm_row_done {
    const char *message; // "record added"
    int64_t id, created_time, created_by, modified_time, modified_by;
    bool inserted;
};
// `written` is modified_time as text, made once a call.
struct value crm_result_done(const struct crm_session *session, const struct crm_row_done *done, struct value written);
struct value crm_time_text(const struct crm_session *session, int64_t millis); // ISO 8601 in the session's zone
struct value crm_result_deleted(const struct crm_session *session, int64_t id);
struct value crm_result_error(const struct crm_session *session, uint32_t row, const struct crm_row_error *error);
// The same of a row with several: MULTIPLE_OR_MULTI_ERRORS where versions have it, else the first.
struct value crm_result_errors(const struct crm_session *session, uint32_t row, const struct crm_row_error *first,
                               const struct crm_row_error *others, int count);
struct value crm_id_text(struct heap *heap, int64_t id);
// {"code","details","message","status"} in Zoho's order.
struct value crm_result_row(struct heap *heap, const char *code, struct value details, const char *message, const char *status);
struct value crm_result_id(struct heap *heap, const char *code, int64_t id, const char *message, const char *status); // details: {"id"}

// ---- search.c -----------------------------------------------------------------------------------

// SQL under construction with its parameters; text and parameters live in `arena`.
struct crm_sql {
    struct arena *arena;
    struct buffer text;
    const char *alias; // the table that conditions are about; NULL: t
    bool coql; // what is wrong is told in COQL's words
    struct store_param *params;
    int count, room;
};
void crm_sql_param(struct crm_sql *sql, struct store_param param); // the parameter, not its "?"; without memory text.failed is set
// Adds " WHERE …" for the query's criteria, email, phone, word and equals; nothing when it has none. FAIL_INVALID_QUERY with
// session->details.
bool crm_query_where(struct crm_session *session, const struct crm_module *module, const struct crm_query *query, struct crm_sql *sql,
                     struct fail *fail);

// Adds the conditions of a tree, whose fields `resolve` finds (with the alias of their table). FAIL_INVALID_QUERY with session->details.
typedef const struct crm_field *crm_resolve_fn(void *arg, struct view name, const char **ret_alias);
bool crm_criteria_compile(struct crm_session *session, const struct criteria *tree, crm_resolve_fn *resolve, void *arg, struct crm_sql *sql,
                          struct fail *fail);

// ---- select.c -----------------------------------------------------------------------------------

// The selection for the comma-separated `names`, or for whole records when there are none (`single`: with what only single records show).
// *ret_own is what the caller frees, or NULL when the selection is the picture's.
bool crm_selection_open(const struct crm_session *session, const struct crm_module *module, struct view names, bool single,
                        const struct crm_selection **ret_selection, struct crm_selection **ret_own, struct fail *fail);

// A selection without columns yet, with room for that many; NULL with fail set.
struct crm_selection *crm_selection_new(int columns_max, struct fail *fail);
// Adds ",(SELECT name of the record that alias.field points at)"; null when there is none, the empty text for one without a name.
bool crm_name_query(const struct crm_session *session, const struct crm_field *field, const char *alias, struct buffer *text,
                    struct fail *fail);

// ---- read.c -------------------------------------------------------------------------------------

// A condition of ours on top of a query: columns of `t`, one "?" a parameter.
enum { CRM_CONDITION_PARAMS_MAX = 2 };
struct crm_condition {
    const char *sql;
    int now_count, param_count; // "?" for the present time, then those for `params`
    int64_t params[CRM_CONDITION_PARAMS_MAX];
};
bool crm_records_list_where(struct crm_session *session, struct view module, const struct crm_query *query,
                            const struct crm_condition *condition, struct value *ret_list, bool *ret_more, struct fail *fail);
bool crm_records_count_where(struct crm_session *session, struct view module, const struct crm_query *query,
                             const struct crm_condition *condition, int64_t *ret_count, struct fail *fail);

// The whole record in a closure; null when there is none. The module's fields are loaded.
bool crm_record_get_tx(struct tx *tx, struct crm_session *session, const struct crm_module *module, int64_t id, struct value *ret_record,
                       struct fail *fail);

// ---- index.c ------------------------------------------------------------------------------------

// After a read that took so long: makes an index when the same field was asked for slowly several times. May give way.
void crm_index_consider(struct crm_session *session, const struct crm_module *module, const struct crm_query *query, int64_t took_ns);

// ---- related.c ----------------------------------------------------------------------------------

// How a related list of a module is stored.
struct crm_link {
    struct crm_module *parent;
    struct crm_module *child; // NULL: nothing can be linked
    struct view name; // API name of the list
    const struct crm_field *field; // the child's look-up; NULL for a junction
    const struct crm_condition *condition; // what else a child must meet, or NULL
    bool junction; // links are rows of crm_relation
};
// By the list's API name, or the name of a module with a look-up to `parent_module`. FAIL_INVALID_DATA when there is no such list.
bool crm_link_find(struct crm_session *session, struct view name, struct view parent_module, struct crm_link *ret_link, struct fail *fail);

// ---- journal.c ----------------------------------------------------------------------------------

// The row that `sql` finds for `id` as a JSON object; empty when there is none. Initialises *json, which the caller frees.
bool crm_journal_row(struct tx *tx, const char *sql, int64_t id, struct buffer *json, struct fail *fail);
// Notes in an install journal that the row was inserted.
bool crm_journal_insert(struct tx *tx, int64_t journal, struct view table, struct view quoted, int64_t id, struct fail *fail);
struct crm_row_at {
    struct view table, quoted;
    int64_t id;
};
// Runs a statement that changes the one row, and notes it when a journal is open (journal 0 = none).
bool crm_row_change(struct tx *tx, int64_t journal, const struct crm_row_at *at, const char *sql, const struct store_param *params, int count,
                    struct fail *fail);

// ---- deleted.c ----------------------------------------------------------------------------------

// Before a record is deleted: what stays of it for the listing of deleted records. Does nothing when it is not there.
bool crm_deleted_note(struct tx *tx, const struct crm_session *session, const struct crm_module *module, int64_t id, int64_t now_ms,
                      struct fail *fail);

// ---- remove.c -----------------------------------------------------------------------------------

// In a closure: *ret_error says so when the record was changed after session.unmodified_since_ms.
bool crm_row_unmodified(struct tx *tx, const struct crm_session *session, const struct crm_module *module, int64_t id,
                        struct crm_row_error *ret_error, struct fail *fail);

// Is there a row with this id?
bool crm_row_exists(struct tx *tx, const struct crm_module *module, int64_t id, bool *ret_exists, struct fail *fail);
