// SPDX-License-Identifier: Apache-2.0
//
// Many records at once: mass updates and their jobs, and the counts of a record's related lists.
#include "web/rest.h"

enum { RELATED_COUNTS_MAX = 20, CRITERIA_BYTES_MAX = 4096 };

// ---- mass updates -------------------------------------------------------------------------------

// {"data":[{…}],"over_write":true}: one map of values.
static bool read_mass(struct rest *rest, const struct map *body, struct crm_mass *mass)
{
    struct value rows, overwrite = map_get_text(body, VIEW("over_write"));
    static const char *const without[] = {"criteria", "territory"};
    for (size_t i = 0; i < BASE_COUNT(without); i++) {
        if (!value_is_null(map_get_text(body, view_of(without[i])))) {
            rest_refuse(rest, FAIL_NOT_SUPPORTED, "api_name", view_of(without[i]));
            return fail_set(&rest->answer.fail, FAIL_NOT_SUPPORTED, "%s of a mass update is not supported", without[i]);
        }
    }
    if (!rest_rows(rest, body, "data", 1, &rows)) {
        return false;
    }
    if (!value_as_map(rows.list->items[0]) || (!value_is_null(overwrite) && overwrite.type != VALUE_BOOL)) {
        bool data = !value_as_map(rows.list->items[0]);
        rest_refuse(rest, FAIL_INVALID_DATA, "expected_data_type", data ? VIEW("jsonobject") : VIEW("boolean"));
        answer_put(&rest->answer, rest->details, "api_name", data ? VIEW("data") : VIEW("over_write"));
        return false;
    }
    mass->data = rows.list->items[0];
    mass->overwrite = overwrite.type == VALUE_BOOL && overwrite.boolean;
    return true;
}

static bool start_job(struct rest *rest, struct view module, const struct map *body, const struct crm_mass *mass, struct value *ret_results)
{
    struct answer *answer = &rest->answer;
    struct value view = map_get_text(body, VIEW("cvid"));
    int64_t view_id, job_id;
    char digits[21];
    if (value_is_null(view)) {
        return rest_refuse(rest, FAIL_MANDATORY_NOT_FOUND, "api_name", VIEW("ids"));
    }
    if (!crm_id_read(view, &view_id)) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "api_name", VIEW("cvid"));
    }
    if (!crm_mass_run(&rest->session, module, mass, view_id, &job_id, &answer->fail)) {
        return false;
    }
    struct value row = rest_result_id(rest, job_id, "mass update scheduled successfully"), details = value_map(&answer->heap, 1);
    answer_put(answer, details, "job_id", (struct view){digits, int64_print(digits, job_id)});
    struct value results = value_list(&answer->heap, 1);
    if (row.type != VALUE_MAP || results.type != VALUE_LIST) {
        return fail_set(&answer->fail, FAIL_MEMORY, NULL);
    }
    map_put_text(&answer->heap, row.map, VIEW("details"), details);
    *ret_results = results;
    return list_add(&answer->heap, results.list, row);
}

void api_mass_update(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct crm_mass mass;
    struct value results = value_null();
    int64_t ids[CRM_MASS_IDS_MAX];
    int count = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = (crm_module_exists(&rest.session, params[0]) || rest_refuse_index(&rest, FAIL_INVALID_MODULE, NULL, 0)) &&
                rest_body(&rest, &body) && read_mass(&rest, body, &mass);
    bool named = good && !value_is_null(map_get_text(body, VIEW("ids")));
    if (named) {
        good = rest_body_ids(&rest, body, ids, CRM_MASS_IDS_MAX, &count) &&
               crm_mass_update(&rest.session, params[0], &mass, ids, count, &results, &rest.answer.fail);
    } else {
        good = good && start_job(&rest, params[0], body, &mass, &results);
    }
    rest_send_rows(&rest, good, results, 200);
}

void api_mass_status(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value counts = value_null();
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value list = value_list(&rest.answer.heap, 1);
    struct view text = rest_param(&rest, "job_id");
    bool good = crm_module_exists(&rest.session, params[0]) || rest_refuse_index(&rest, FAIL_INVALID_MODULE, NULL, 0);
    if (good && text.len == 0) {
        good = rest_refuse(&rest, FAIL_MANDATORY_NOT_FOUND, "param_name", VIEW("job_id"));
    }
    if (good && (!view_to_int64(text, &id) || !crm_mass_status(&rest.session, params[0], id, &counts, &rest.answer.fail))) {
        good = rest_refuse(&rest, FAIL_INVALID_DATA, "param_name", VIEW("job_id"));
    }
    if (good && list.type == VALUE_LIST) {
        list_add(&rest.answer.heap, list.list, counts);
    }
    rest_send(&rest, good, rest_wrap(&rest, "data", list));
}

// ---- counts of related lists --------------------------------------------------------------------

static bool refuse_at(struct rest *rest, enum fail_code code, uint32_t index, const char *member)
{
    char path[128];
    rest_refuse(rest, code, "api_name", view_of(strrchr(member, '.') ? strrchr(member, '.') + 1 : member));
    snprintf(path, sizeof path, "$.get_related_records_count[%u].%s", index, member);
    answer_put(&rest->answer, rest->details, "json_path", view_of(path));
    return false;
}

// {"comparator":"equal","field":{"api_name":…},"value":…} as criteria, in which brackets, commas and backslashes of the value are escaped.
static bool read_filter(struct rest *rest, const struct map *filter, uint32_t index, char out[CRITERIA_BYTES_MAX],
                        struct view *ret_criteria)
{
    const struct map *field = value_as_map(map_get_text(filter, VIEW("field")));
    struct view name = field ? value_view_or(map_get_text(field, VIEW("api_name")), VIEW("")) : VIEW("");
    struct value value = map_get_text(filter, VIEW("value"));
    struct buffer text;
    if (!view_eq(value_view_or(map_get_text(filter, VIEW("comparator")), VIEW("")), VIEW("equal"))) {
        return refuse_at(rest, FAIL_NOT_SUPPORTED, index, "params.filters.comparator");
    }
    if (name.len == 0 || value.type != VALUE_TEXT) {
        return refuse_at(rest, FAIL_INVALID_DATA, index, name.len ? "params.filters.value" : "params.filters.field");
    }
    buffer_init(&text, CRITERIA_BYTES_MAX - 1);
    buffer_printf(&text, "(%.*s:equals:", VIEW_ARGS(name));
    for (size_t i = 0; i < value.len; i++) {
        char c = value_view(value).data[i];
        if (memchr("(),\\", c, 4)) {
            buffer_add_char(&text, '\\');
        }
        buffer_add_char(&text, c);
    }
    buffer_add_char(&text, ')');
    bool fits = !text.failed;
    if (fits) {
        memcpy(out, text.data, text.len);
        *ret_criteria = (struct view){out, text.len};
    }
    buffer_free(&text);
    return fits || refuse_at(rest, FAIL_INVALID_DATA, index, "params.filters.value");
}

// Nothing here waits for approval: lists of what does are empty (*ret_none).
static bool read_params(struct rest *rest, const struct map *params, uint32_t index, char out[CRITERIA_BYTES_MAX], struct crm_query *query,
                        bool *ret_none)
{
    struct value approved = map_get_text(params, VIEW("approved")), converted = map_get_text(params, VIEW("converted"));
    struct value filters = map_get_text(params, VIEW("filters"));
    if (!value_is_null(map_get_text(params, VIEW("category")))) {
        return refuse_at(rest, FAIL_NOT_SUPPORTED, index, "params.category");
    }
    if (!value_is_null(approved) && approved.type != VALUE_BOOL) {
        return refuse_at(rest, FAIL_INVALID_DATA, index, "params.approved");
    }
    if (!value_is_null(converted) && converted.type != VALUE_BOOL) {
        return refuse_at(rest, FAIL_INVALID_DATA, index, "params.converted");
    }
    *ret_none = approved.type == VALUE_BOOL && !approved.boolean;
    query->converted = converted.type == VALUE_BOOL && converted.boolean ? VIEW("true") : VIEW("");
    if (value_is_null(filters)) {
        return true;
    }
    return value_as_map(filters) ? read_filter(rest, value_as_map(filters), index, out, &query->criteria)
                                 : refuse_at(rest, FAIL_INVALID_DATA, index, "params.filters");
}

// The list as settings/related_lists has it, by "api_name" or "id"; what is not there by name may still be a module with a look-up.
static bool find_list(struct rest *rest, const struct map *row, uint32_t index, struct value lists, struct value *ret_named)
{
    struct heap *heap = &rest->answer.heap;
    const struct map *asked = value_as_map(map_get_text(row, VIEW("related_list")));
    struct value name = asked ? map_get_text(asked, VIEW("api_name")) : value_null(),
                 id = asked ? map_get_text(asked, VIEW("id")) : value_null();
    if (value_is_null(name) && value_is_null(id)) {
        return refuse_at(rest, FAIL_MANDATORY_NOT_FOUND, index, asked ? "related_list.api_name" : "related_list");
    }
    bool by_name = name.type == VALUE_TEXT;
    struct value found = rest_pick(rest, lists, by_name ? "api_name" : "id", value_view_or(by_name ? name : id, VIEW("")));
    const struct map *list = found.type == VALUE_LIST && found.list->count ? value_as_map(found.list->items[0]) : NULL;
    if (!list && !by_name) {
        return refuse_at(rest, FAIL_INVALID_DATA, index, "related_list.id");
    }
    struct value named = value_map(heap, 2);
    if (named.type == VALUE_MAP) {
        map_put_text(heap, named.map, VIEW("api_name"), list ? map_get_text(list, VIEW("api_name")) : name);
        map_put_text(heap, named.map, VIEW("id"), list ? map_get_text(list, VIEW("id")) : value_null());
    }
    *ret_named = named;
    return named.type == VALUE_MAP || fail_set(&rest->answer.fail, FAIL_MEMORY, NULL);
}

struct count_call {
    struct view module;
    int64_t id;
    struct value lists;
};

static bool count_list(struct rest *rest, const struct count_call *call, const struct map *row, uint32_t index, struct value *ret_result)
{
    struct heap *heap = &rest->answer.heap;
    char criteria[CRITERIA_BYTES_MAX];
    struct crm_query query = {.equals = value_null()};
    struct value named, result = value_map(heap, 2), given = row ? map_get_text(row, VIEW("params")) : value_null();
    int64_t count = 0;
    bool none = false;
    if (!row) {
        return refuse_at(rest, FAIL_INVALID_DATA, index, "related_list");
    }
    if (!find_list(rest, row, index, call->lists, &named) ||
        (value_as_map(given) && !read_params(rest, value_as_map(given), index, criteria, &query, &none))) {
        return false;
    }
    struct view name = value_view_or(map_get_text(named.map, VIEW("api_name")), VIEW(""));
    if (!none && !crm_related_count(&rest->session, name, call->module, call->id, &query, &count, &rest->answer.fail)) {
        bool unknown = rest->answer.fail.code == FAIL_INVALID_DATA && rest->session.details.type != VALUE_MAP;
        return unknown ? refuse_at(rest, FAIL_INVALID_DATA, index, "related_list.api_name") : false;
    }
    if (result.type == VALUE_MAP) {
        map_put_text(heap, result.map, VIEW("count"), value_number(count));
        map_put_text(heap, result.map, VIEW("related_list"), named);
    }
    *ret_result = result;
    return true;
}

static bool open_counts(struct rest *rest, const struct view *params, struct count_call *call)
{
    struct value record;
    call->module = params[0];
    if (!rest_parent(rest, params, &call->id) || !crm_record_get(&rest->session, params[0], call->id, &record, &rest->answer.fail)) {
        return false;
    }
    if (value_is_null(record)) {
        return rest_refuse_index(rest, FAIL_INVALID_DATA, "the id given seems to be invalid", 1);
    }
    return crm_related_lists(&rest->session, params[0], &call->lists, &rest->answer.fail);
}

// What is wrong with one list is wrong with the request: counts change nothing.
void api_related_counts(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct count_call call;
    struct value rows, result;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct value results = value_list(&rest.answer.heap, 4);
    bool good = results.type == VALUE_LIST && open_counts(&rest, params, &call) && rest_body(&rest, &body) &&
                rest_rows(&rest, body, "get_related_records_count", RELATED_COUNTS_MAX, &rows);
    for (uint32_t i = 0; good && i < rows.list->count; i++) {
        good = count_list(&rest, &call, value_as_map(rows.list->items[i]), i, &result);
        if (good) {
            list_add(&rest.answer.heap, results.list, result);
        }
    }
    rest_send(&rest, good, rest_wrap(&rest, "get_related_records_count", results));
}
