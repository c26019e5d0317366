// SPDX-License-Identifier: Apache-2.0
// Row results as the REST API gives them: one map a row, {"code","details","message","status"} (spec/crm-api.md §2.1 and §2.5). Versions
// differ in json_path, which details carry from v3 on, and in $approval_state, which answers to inserts carry.
#include "crm/record.h"

struct value crm_id_text(struct heap *heap, int64_t id)
{
    char digits[21];
    return value_text(heap, (struct view){digits, int64_print(digits, id)});
}

static void put(struct heap *heap, struct value map, struct view key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, key, value);
    }
}

static void put_view(struct heap *heap, struct value map, struct view key, struct view text)
{
    put(heap, map, key, value_text(heap, text));
}

struct value crm_time_text(const struct crm_session *session, int64_t millis)
{
    struct buffer text;
    buffer_init(&text, 64);
    calendar_print_iso(&text, millis, crm_zone(session));
    struct value value = value_text(session->heap, buffer_view(&text));
    buffer_free(&text);
    return value;
}

// Without e-mail, unlike in records (spec/crm-api.md §2.1).
static void put_user(const struct crm_session *session, struct value map, struct view key, int64_t id)
{
    struct value user = value_map(session->heap, 2);
    const struct crm_user *known = crm_user_find(session->meta, id);
    put(session->heap, user, VIEW("name"), known ? value_text(session->heap, known->full_name) : value_null());
    put(session->heap, user, VIEW("id"), crm_id_text(session->heap, id));
    put(session->heap, map, key, user);
}

// code, details, message, status: in this order, as Zoho writes them.
struct value crm_result_row(struct heap *heap, const char *code, struct value details, const char *message, const char *status)
{
    struct value row = value_map(heap, 4);
    put_view(heap, row, VIEW("code"), view_of(code));
    put(heap, row, VIEW("details"), details);
    put_view(heap, row, VIEW("message"), view_of(message));
    put_view(heap, row, VIEW("status"), view_of(status));
    return row;
}

struct value crm_result_done(const struct crm_session *session, const struct crm_row_done *done, struct value written)
{
    struct heap *heap = session->heap;
    bool same = done->created_time == done->modified_time;
    struct value details = value_map(heap, 6);
    put(heap, details, VIEW("Modified_Time"), written);
    put_user(session, details, VIEW("Modified_By"), done->modified_by);
    put(heap, details, VIEW("Created_Time"), same ? written : crm_time_text(session, done->created_time));
    put(heap, details, VIEW("id"), crm_id_text(heap, done->id));
    put_user(session, details, VIEW("Created_By"), done->created_by);
    if (done->inserted &&
        (session->api_version > 2 || session->api_minor > 0 || !session->strict)) { // v2.1 brought it; tasks tell it (§1.3, §2.11)
        put_view(heap, details, VIEW("$approval_state"), VIEW("approved"));
    }
    return crm_result_row(heap, "SUCCESS", details, done->message, "success");
}

struct value crm_result_id(struct heap *heap, const char *code, int64_t id, const char *message, const char *status)
{
    struct value details = value_map(heap, 1);
    put(heap, details, VIEW("id"), crm_id_text(heap, id));
    return crm_result_row(heap, code, details, message, status);
}

struct value crm_result_deleted(const struct crm_session *session, int64_t id)
{
    return crm_result_id(session->heap, "SUCCESS", id, "record deleted", "success");
}

enum { DUPLICATE_RECORD_VERSION = 6, MULTIPLE_ERRORS_VERSION = 6 };

// Zoho's code and words for each problem, as captured answers have them (spec/crm-api.md §2.5).
static const struct {
    const char *code, *message;
} PROBLEMS[] = {
    [CRM_ROW_FINE] = {"SUCCESS", ""},
    [CRM_ROW_TYPE] = {"INVALID_DATA", "invalid data"},
    [CRM_ROW_LENGTH] = {"INVALID_DATA", "invalid data"},
    [CRM_ROW_REFERENCE] = {"INVALID_DATA", "invalid data"},
    [CRM_ROW_MANDATORY] = {"MANDATORY_NOT_FOUND", "required field not found"},
    [CRM_ROW_DUPLICATE] = {"DUPLICATE_DATA", "duplicate data"},
    [CRM_ROW_NO_RECORD] = {"INVALID_DATA", "the id given seems to be invalid"},
    [CRM_ROW_TAG_LIMIT] = {"LICENSE_LIMIT_EXCEEDED", "tags edition limit exceeded"},
    [CRM_ROW_NOT_MAP] = {"INVALID_DATA", "invalid data"},
    [CRM_ROW_MODIFIED] = {"ALREADY_MODIFIED", "the record has been modified since"},
    [CRM_ROW_GONE] = {"INVALID_DATA", "record not deleted"},
};

// The record that has the value already: version 6 tells whose it is, the id alone is what older clients read.
static void put_duplicate(const struct crm_session *session, struct value details, const struct crm_row_error *error)
{
    struct heap *heap = session->heap;
    put(heap, details, VIEW("id"), crm_id_text(heap, error->id));
    if (session->api_version < DUPLICATE_RECORD_VERSION || !error->module) {
        return;
    }
    struct value record = value_map(heap, 3), owner = value_map(heap, 3), module = value_map(heap, 2);
    const struct crm_user *user = crm_user_find(session->meta, error->owner_id);
    put(heap, owner, VIEW("name"), user ? value_text(heap, user->full_name) : value_null());
    put(heap, owner, VIEW("id"), crm_id_text(heap, error->owner_id));
    put_view(heap, owner, VIEW("zuid"), error->zuid);
    put_view(heap, module, VIEW("api_name"), error->module->api_name);
    put(heap, module, VIEW("id"), crm_id_text(heap, error->module->id));
    put(heap, record, VIEW("Owner"), error->owner_id ? owner : value_null());
    put(heap, record, VIEW("module"), module);
    put(heap, record, VIEW("id"), crm_id_text(heap, error->id));
    put(heap, details, VIEW("more_records"), value_bool(false)); // a unique value has one
    put(heap, details, VIEW("duplicate_record"), record);
}

// Who has changed the record, and when.
static void put_modified(const struct crm_session *session, struct value details, const struct crm_row_error *error)
{
    put(session->heap, details, VIEW("Modified_Time"), crm_time_text(session, error->modified_time));
    put_user(session, details, VIEW("Modified_By"), error->owner_id);
    put(session->heap, details, VIEW("Created_Time"), crm_time_text(session, error->created_time));
    put(session->heap, details, VIEW("id"), crm_id_text(session->heap, error->id));
}

struct value crm_result_error(const struct crm_session *session, uint32_t row, const struct crm_row_error *error)
{
    struct heap *heap = session->heap;
    struct value details = value_map(heap, 6);
    bool located = session->api_version >= 3 || session->api_minor >= 1; // v2.1 brought json_path (spec/crm-api.md §2.11)
    if (error->problem == CRM_ROW_MODIFIED) {
        put_modified(session, details, error);
        return crm_result_row(heap, PROBLEMS[error->problem].code, details, PROBLEMS[error->problem].message, "error");
    }
    if (error->expected) {
        put_view(heap, details, VIEW("expected_data_type"), view_of(error->expected));
    }
    if (error->problem == CRM_ROW_LENGTH) {
        put(heap, details, VIEW("maximum_length"), value_number(error->length));
    }
    // v2 says nothing about a bad id but that it is bad (spec/crm-api.md §2.5)
    if (error->api_name.len && (located || error->problem != CRM_ROW_NO_RECORD)) {
        put_view(heap, details, VIEW("api_name"), error->api_name);
    }
    if (located && error->problem != CRM_ROW_GONE) {
        struct view place = error->path.len ? error->path : error->api_name;
        struct value path =
            place.len ? value_text_printf(heap, "$.data[%u].%.*s", row, VIEW_ARGS(place)) : value_text_printf(heap, "$.data[%u]", row);
        put(heap, details, VIEW("json_path"), path);
    }
    if (error->problem == CRM_ROW_DUPLICATE) {
        put_duplicate(session, details, error);
    }
    if (error->problem == CRM_ROW_GONE) {
        put(heap, details, VIEW("id"), crm_id_text(heap, error->id));
    }
    return crm_result_row(heap, PROBLEMS[error->problem].code, details, PROBLEMS[error->problem].message, "error");
}

struct value crm_result_errors(const struct crm_session *session, uint32_t row, const struct crm_row_error *first,
                               const struct crm_row_error *others, int count)
{
    struct heap *heap = session->heap;
    if (count == 0 || session->api_version < MULTIPLE_ERRORS_VERSION) {
        return crm_result_error(session, row, first);
    }
    struct value errors = value_list(heap, (size_t)count + 1), details = value_map(heap, 1);
    for (int i = 0; errors.type == VALUE_LIST && i <= count; i++) {
        list_add(heap, errors.list, crm_result_error(session, row, i ? &others[i - 1] : first));
    }
    put(heap, details, VIEW("errors"), errors);
    return crm_result_row(heap, "MULTIPLE_OR_MULTI_ERRORS", details, "Multiple errors in the request", "error");
}
