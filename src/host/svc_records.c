// SPDX-License-Identifier: Apache-2.0
// zoho.crm record tasks. crm gives REST shapes; Deluge's are unwrapped here (spec/crm-api.md §1.3): the details map of a write, the bare
// record, a bare list. Errors come back as maps and never throw, as at Zoho.
#include "host/service.h"

// The only row's result: its details when it succeeded, else the whole error map.
static void give_row(struct native_call *call, struct value results)
{
    const struct list *list = value_as_list(results);
    struct value row = list && list->count ? list->items[0] : value_null();
    const struct map *map = value_as_map(row);
    bool ok = map && view_eq(value_view_or(map_get_text(map, VIEW("status")), VIEW("")), VIEW("success"));
    *call->ret = ok ? map_get_text(map, VIEW("details")) : row;
}

static bool one_row(struct native_call *call, struct value record, struct value *ret_rows)
{
    *ret_rows = service_list_of(call, record);
    return !value_is_null(*ret_rows);
}

bool svc_create_record(struct native_call *call)
{
    struct crm_session *session;
    struct view module;
    struct map *record;
    struct value rows, results;
    struct fail fail;
    if (!service_session(call, &session) || !arg_text(call, 0, &module) || !arg_map(call, 1, &record) ||
        !one_row(call, (struct value){.type = VALUE_MAP, .map = record}, &rows)) {
        return false;
    }
    service_options(call, 2);
    if (!crm_records_insert(session, module, rows, &results, &fail)) {
        return service_error(call, &fail);
    }
    give_row(call, results);
    return true;
}

bool svc_update_record(struct native_call *call)
{
    struct crm_session *session;
    struct view module;
    struct map *record;
    struct value rows, results, copy;
    struct fail fail;
    if (!service_session(call, &session) || !arg_text(call, 0, &module) || !arg_map(call, 2, &record)) {
        return false;
    }
    copy = value_map(call->heap, record->count + 1); // the script's own map stays as it is
    uint32_t cursor = 0;
    for (struct map_entry *entry; copy.type == VALUE_MAP && (entry = map_next(record, &cursor));) {
        map_put(call->heap, copy.map, entry->key, entry->value);
    }
    if (copy.type != VALUE_MAP || !map_put_text(call->heap, copy.map, VIEW("id"), call->args[1]) || !one_row(call, copy, &rows)) {
        return fail_set(call->fail, FAIL_LIMIT, "The record does not fit the function's memory");
    }
    service_options(call, 3);
    if (!crm_records_update(session, module, rows, &results, &fail)) {
        return service_error(call, &fail);
    }
    give_row(call, results);
    return true;
}

bool svc_get_record(struct native_call *call)
{
    struct crm_session *session;
    struct view module;
    struct value record;
    struct fail fail;
    int64_t id;
    if (!service_session(call, &session) || !arg_text(call, 0, &module)) {
        return false;
    }
    if (!crm_id_read(call->args[1], &id)) {
        fail_set(&fail, FAIL_INVALID_DATA, "the id given seems to be invalid");
        return service_error(call, &fail);
    }
    if (!crm_record_get(session, module, id, &record, &fail)) {
        return service_error(call, &fail);
    }
    *call->ret = value_is_null(record) ? value_map(call->heap, 0) : record; // PRODUCT: an absent id gives an empty map
    return true;
}

// ---- lists --------------------------------------------------------------------------------------

// Options that the query map of every list task may hold.
static void read_options(struct native_call *call, int index, struct crm_query *query)
{
    const struct map *map = index < call->count ? value_as_map(call->args[index]) : NULL;
    struct {
        const char *key;
        struct view *target;
    } rows[] = {{"fields", &query->fields}, {"sort_by", &query->sort_by}, {"sort_order", &query->sort_order}, {"email", &query->email},
                {"phone", &query->phone},   {"word", &query->word},       {"converted", &query->converted}};
    for (size_t i = 0; map && i < BASE_COUNT(rows); i++) {
        struct value v = map_get_text(map, view_of(rows[i].key));
        *rows[i].target = v.type == VALUE_BOOL ? (v.boolean ? VIEW("true") : VIEW("false")) : value_view_or(v, *rows[i].target);
    }
}

// Optional page number: fillers ("", null, Map()) mean the default.
static int page_argument(struct native_call *call, int index)
{
    struct value v = index < call->count ? call->args[index] : value_null();
    int64_t number = 0;
    if (v.type == VALUE_NUMBER) {
        number = v.number;
    } else if (value_is_text(v) && !view_to_int64(view_trim(value_view(v)), &number)) {
        number = 0;
    }
    return number < 0 || number > INT32_MAX ? 0 : (int)number;
}

// Zoho answers "nothing" with an empty body, so an empty list prints as empty text there (spec/crm-api.md §1.3); others print as JSON.
static void give_list(struct native_call *call, struct value list)
{
    if (list.type == VALUE_LIST) {
        list.list->json = list.list->count > 0;
    }
    *call->ret = list;
}

static bool get_records(struct native_call *call, int page_at, int map_at)
{
    struct crm_session *session;
    struct view module;
    struct value list;
    struct fail fail;
    bool more;
    if (!service_session(call, &session) || !arg_text(call, 0, &module)) {
        return false;
    }
    struct crm_query query = {.page = page_argument(call, page_at), .per_page = page_argument(call, page_at + 1)};
    read_options(call, map_at, &query);
    if (!crm_records_list(session, module, &query, &list, &more, &fail)) {
        return service_error(call, &fail);
    }
    give_list(call, list);
    return true;
}

bool svc_get_records(struct native_call *call)
{
    return get_records(call, 1, 3);
}

bool svc_get_records_v8(struct native_call *call)
{
    return get_records(call, 2, 1);
}

bool svc_search_records(struct native_call *call)
{
    struct crm_session *session;
    struct view module, criteria = VIEW("");
    struct value list;
    struct fail fail;
    bool more;
    if (!service_session(call, &session) || !arg_text(call, 0, &module) ||
        (!value_is_null(call->args[1]) && !arg_text(call, 1, &criteria))) {
        return false;
    }
    struct crm_query query = {.criteria = criteria, .page = page_argument(call, 2), .per_page = page_argument(call, 3)};
    read_options(call, 4, &query);
    if (view_eq_nocase(view_trim(module), VIEW("users"))) { // no module, but this task finds them (spec/crm-api.md §1.3)
        return service_find_users(call, criteria, query.email);
    }
    if (!criteria.len && !query.email.len && !query.phone.len && !query.word.len) {
        fail_set(&fail, FAIL_INVALID_QUERY, "invalid query formed");
        return service_error(call, &fail);
    }
    if (!crm_records_list(session, module, &query, &list, &more, &fail)) {
        return service_error(call, &fail);
    }
    give_list(call, list);
    return true;
}

static bool related_records(struct native_call *call, int page_at, int map_at)
{
    struct crm_session *session;
    struct view relation, parent;
    struct value list;
    struct fail fail;
    int64_t id;
    bool more;
    if (!service_session(call, &session) || !arg_text(call, 0, &relation) || !arg_text(call, 1, &parent)) {
        return false;
    }
    if (!crm_id_read(call->args[2], &id)) {
        fail_set(&fail, FAIL_INVALID_DATA, "the id given seems to be invalid");
        return service_error(call, &fail);
    }
    struct crm_query query = {.page = page_argument(call, page_at), .per_page = page_argument(call, page_at + 1)};
    read_options(call, map_at, &query);
    if (!crm_related_list(session, relation, parent, id, &query, &list, &more, &fail)) {
        return service_error(call, &fail);
    }
    give_list(call, list);
    return true;
}

bool svc_related_records(struct native_call *call)
{
    return related_records(call, 3, 5);
}

bool svc_related_records_v8(struct native_call *call)
{
    return related_records(call, 4, 3);
}
