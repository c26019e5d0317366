// SPDX-License-Identifier: Apache-2.0
//
// The frame of a REST API call (rest.h). Statuses and details follow spec/crm-api.md §2.1, §2.5 and §2.11.
#include "web/rest.h"

// ---- versions -----------------------------------------------------------------------------------

// The version from which a difference holds, times ten (spec/crm-api.md §2.11; per-version attribution is LIKELY there).
static const int differences[REST_DIFFERENCES] = {
    [REST_FIELDS_REQUIRED] = 30, [REST_PAGE_TOKENS] = 30,    [REST_RESOURCE_INDEX] = 30,
    [REST_ROW_STATUS] = 30,      [REST_CUSTOM_MODULES] = 60, [REST_SORT_FIELDS] = 30,
    [REST_CLONE] = 80,           [REST_DELETE_INDEX] = 30,   [REST_GROUP_OPTIONAL] = 80,
};

bool rest_since(const struct rest *rest, enum rest_difference difference)
{
    return rest->version >= differences[difference];
}

// "/crm/v2.1/Leads" → 21; the router has let nothing else through.
static int version_of(struct view path)
{
    ptrdiff_t at = view_find(path, VIEW("/v"));
    int version = 0, digits = 0;
    size_t i = at < 0 ? path.len : (size_t)at + 2;
    for (; i < path.len && path.data[i] >= '0' && path.data[i] <= '9'; i++) {
        version = version * 10 + (path.data[i] - '0');
    }
    if (i + 1 < path.len && path.data[i] == '.') {
        digits = path.data[i + 1] - '0';
    }
    return version * 10 + digits;
}

// ---- opening and ending -------------------------------------------------------------------------

bool rest_open(struct rest *rest, struct web *web, struct exchange *exchange)
{
    *rest = (struct rest){.web = web, .version = version_of(exchange->path), .details = value_null()};
    answer_open(&rest->answer, exchange);
    if (!host_session_open(web->host, &exchange->identity, &rest->answer.heap, &rest->session, &rest->answer.fail)) {
        answer_send(&rest->answer, false, value_null());
        return false;
    }
    host_session_join(exchange, &rest->session);
    rest->session.api_version = rest->version / 10;
    rest->session.api_minor = rest->version % 10;
    rest->session.strict = true;
    rest->session.workflow = true;
    rest->open = true;
    return true;
}

struct value rest_envelope(struct rest *rest)
{
    struct heap *heap = &rest->answer.heap;
    const struct fail *fail = &rest->answer.fail;
    struct value map = value_map(heap, 4), details = rest->details.type == VALUE_MAP ? rest->details : rest->session.details;
    if (map.type == VALUE_MAP) {
        answer_put(&rest->answer, map, "code", view_of(fail_name(fail->code)));
        map_put_text(heap, map.map, VIEW("details"), details.type == VALUE_MAP ? details : value_map(heap, 0));
        answer_put(&rest->answer, map, "message", view_of(fail->text));
        answer_put(&rest->answer, map, "status", VIEW("error"));
    }
    return map;
}

bool rest_row_failed(struct rest *rest, struct value *ret_row)
{
    if (fail_status(rest->answer.fail.code) == 500) {
        return false;
    }
    *ret_row = rest_envelope(rest);
    fail_clear(&rest->answer.fail);
    rest->details = rest->session.details = value_null();
    return true;
}

bool rest_trigger(struct rest *rest, const struct map *body)
{
    struct value trigger = map_get_text(body, VIEW("trigger"));
    const struct list *list = value_as_list(trigger);
    if (value_is_null(trigger)) {
        return true;
    }
    if (!list) {
        rest_refuse(rest, FAIL_INVALID_DATA, "expected_data_type", VIEW("jsonarray"));
        answer_put(&rest->answer, rest->details, "api_name", VIEW("trigger"));
        return false;
    }
    rest->session.workflow = false;
    for (uint32_t i = 0; i < list->count; i++) {
        rest->session.workflow |= view_eq_nocase(view_trim(value_view_or(list->items[i], VIEW(""))), VIEW("workflow"));
    }
    return true;
}

void rest_send(struct rest *rest, bool good, struct value value)
{
    struct answer *answer = &rest->answer;
    if (!good && fail_status(answer->fail.code) != 500) { // the request is wrong: Zoho's envelope with its details
        answer->status = fail_status(answer->fail.code);
        value = rest_envelope(rest);
        good = true;
    }
    if (rest->open) {
        crm_session_close(&rest->session);
    }
    answer_send(answer, good, value);
}

void rest_send_empty(struct rest *rest, int status)
{
    crm_session_close(&rest->session);
    rest->answer.exchange->status = status;
    heap_free(&rest->answer.heap);
}

// ---- what is wrong ------------------------------------------------------------------------------

bool rest_refuse(struct rest *rest, enum fail_code code, const char *key, struct view text)
{
    rest->details = value_map(&rest->answer.heap, 1);
    answer_put(&rest->answer, rest->details, key, text);
    return fail_set(&rest->answer.fail, code, NULL);
}

bool rest_refuse_index(struct rest *rest, enum fail_code code, const char *message, int segment)
{
    rest->details = value_map(&rest->answer.heap, 1);
    if (rest->details.type == VALUE_MAP && rest_since(rest, REST_RESOURCE_INDEX)) {
        map_put_text(&rest->answer.heap, rest->details.map, VIEW("resource_path_index"), value_number(segment));
    }
    return fail_set(&rest->answer.fail, code, message ? "%s" : NULL, message);
}

bool rest_id(struct rest *rest, struct view text, int segment, int64_t *ret_id)
{
    int64_t id;
    if (!view_to_int64(text, &id) || id <= 0) {
        return rest_refuse_index(rest, FAIL_INVALID_DATA, "the id given seems to be invalid", segment);
    }
    *ret_id = id;
    return true;
}

bool rest_parent(struct rest *rest, const struct view *params, int64_t *ret_id)
{
    return (crm_module_exists(&rest->session, params[0]) || rest_refuse_index(rest, FAIL_INVALID_MODULE, NULL, 0)) &&
           rest_id(rest, params[1], 1, ret_id);
}

bool rest_number(struct rest *rest, const char *name, int64_t lowest, int64_t highest, int64_t standard, int64_t *ret_number)
{
    struct view text = exchange_param(rest->answer.exchange, view_of(name));
    int64_t number = standard;
    if (text.len > 0 && (!view_to_int64(text, &number) || number < lowest)) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "param_name", view_of(name));
    }
    if (number > highest) {
        rest_refuse(rest, FAIL_LIMIT_EXCEEDED, "param_name", view_of(name));
        return fail_set(&rest->answer.fail, FAIL_LIMIT_EXCEEDED, "%s is at most %lld", name, (long long)highest);
    }
    *ret_number = number;
    return true;
}

// ---- bodies and rows ----------------------------------------------------------------------------

bool rest_body(struct rest *rest, struct map **ret_map)
{
    struct answer *answer = &rest->answer;
    struct value body;
    if (!json_read(&answer->heap, answer->exchange->body, &body, &answer->fail)) {
        if (answer->fail.code == FAIL_MEMORY || answer->heap.failed) {
            return fail_set(&answer->fail, FAIL_TOO_LARGE, NULL);
        }
        return fail_set(&answer->fail, FAIL_UNPARSABLE, NULL);
    }
    if (body.type != VALUE_MAP) {
        rest_refuse(rest, FAIL_INVALID_DATA, "expected_data_type", VIEW("jsonobject"));
        return fail_set(&answer->fail, FAIL_INVALID_DATA, "body");
    }
    *ret_map = body.map;
    return true;
}

bool rest_rows(struct rest *rest, const struct map *body, const char *key, uint32_t most, struct value *ret_rows)
{
    struct heap *heap = &rest->answer.heap;
    struct value rows = map_get_text(body, view_of(key));
    if (value_is_null(rows) || (rows.type == VALUE_LIST && rows.list->count == 0)) {
        return rest_refuse(rest, FAIL_MANDATORY_NOT_FOUND, "api_name", view_of(key));
    }
    if (rows.type != VALUE_LIST) {
        rest_refuse(rest, FAIL_INVALID_DATA, "expected_data_type", VIEW("jsonarray"));
        answer_put(&rest->answer, rest->details, "api_name", view_of(key));
        return false;
    }
    if (rows.list->count > most) {
        rest_refuse(rest, FAIL_LIMIT_EXCEEDED, "api_name", view_of(key));
        if (rest->details.type == VALUE_MAP) {
            map_put_text(heap, rest->details.map, VIEW("limit"), value_number(most));
        }
        return fail_set(&rest->answer.fail, FAIL_LIMIT_EXCEEDED, "%s takes at most %u rows", key, most);
    }
    *ret_rows = rows;
    return true;
}

struct value rest_wrap(struct rest *rest, const char *key, struct value value)
{
    struct value map = value_map(&rest->answer.heap, 2);
    if (map.type == VALUE_MAP) {
        map_put_text(&rest->answer.heap, map.map, view_of(key), value);
    }
    return map;
}

void rest_status_of_rows(struct rest *rest, struct value results, int done)
{
    const struct list *rows = value_as_list(results);
    uint32_t fine = 0, modified = 0, count = rows ? rows->count : 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct map *row = value_as_map(rows->items[i]);
        fine += row && view_eq(value_view_or(map_get_text(row, VIEW("status")), VIEW("")), VIEW("success"));
        modified += row && view_eq(value_view_or(map_get_text(row, VIEW("code")), VIEW("")), VIEW("ALREADY_MODIFIED"));
    }
    int none = modified == count ? 412 : rest_since(rest, REST_ROW_STATUS) ? 400 : 202;
    rest->answer.status = fine == count ? done : fine > 0 ? 207 : none;
}

struct value rest_pick(struct rest *rest, struct value all, const char *key, struct view text)
{
    struct value picked = value_list(&rest->answer.heap, 1);
    const struct list *list = value_as_list(all);
    for (uint32_t i = 0; list && picked.type == VALUE_LIST && i < list->count; i++) {
        const struct map *map = value_as_map(list->items[i]);
        if (map && view_eq_nocase(value_view_or(map_get_text(map, view_of(key)), VIEW("")), text)) {
            list_add(&rest->answer.heap, picked.list, list->items[i]);
        }
    }
    return picked;
}

struct value rest_result_id(struct rest *rest, int64_t id, const char *message)
{
    char digits[21];
    struct value row = value_map(&rest->answer.heap, 4), details = value_map(&rest->answer.heap, 1);
    answer_put(&rest->answer, details, "id", (struct view){digits, int64_print(digits, id)});
    answer_put(&rest->answer, row, "code", VIEW("SUCCESS"));
    if (row.type == VALUE_MAP) {
        map_put_text(&rest->answer.heap, row.map, VIEW("details"), details);
    }
    answer_put(&rest->answer, row, "message", view_of(message));
    answer_put(&rest->answer, row, "status", VIEW("success"));
    return row;
}

bool rest_module_param(struct rest *rest, struct view *ret_module)
{
    struct view module = exchange_param(rest->answer.exchange, VIEW("module"));
    if (module.len == 0) {
        return rest_refuse(rest, FAIL_PARAM_MISSING, "param_name", VIEW("module"));
    }
    if (!crm_module_exists(&rest->session, module)) {
        return rest_refuse(rest, FAIL_INVALID_MODULE, "param_name", VIEW("module"));
    }
    *ret_module = module;
    return true;
}

// ---- ids ----------------------------------------------------------------------------------------

// ids=a,b,…: at most CRM_ROWS_MAX.
bool rest_ids(struct rest *rest, int64_t ids[CRM_ROWS_MAX], int *ret_count)
{
    struct view names = rest_param(rest, "ids");
    int count = 0;
    if (names.len == 0) {
        return rest_refuse(rest, FAIL_PARAM_MISSING, "param_name", VIEW("ids"));
    }
    while (names.len) {
        struct view id = view_trim(view_cut(&names, ','));
        if (count == CRM_ROWS_MAX) {
            rest_refuse(rest, FAIL_LIMIT_EXCEEDED, "param_name", VIEW("ids"));
            return fail_set(&rest->answer.fail, FAIL_LIMIT_EXCEEDED, "ids names at most %d records", CRM_ROWS_MAX);
        }
        if (!view_to_int64(id, &ids[count]) || ids[count] <= 0) {
            rest_refuse(rest, FAIL_INVALID_DATA, "param_name", VIEW("ids"));
            return fail_set(&rest->answer.fail, FAIL_INVALID_DATA, "the id given seems to be invalid");
        }
        count++;
    }
    *ret_count = count;
    return true;
}

bool rest_body_ids(struct rest *rest, const struct map *body, int64_t *ids, int most, int *ret_count)
{
    struct value rows;
    if (!rest_rows(rest, body, "ids", (uint32_t)most, &rows)) {
        return false;
    }
    for (uint32_t i = 0; i < rows.list->count; i++) {
        if (!crm_id_read(rows.list->items[i], &ids[i])) {
            rest_refuse(rest, FAIL_INVALID_DATA, "api_name", VIEW("ids"));
            return fail_set(&rest->answer.fail, FAIL_INVALID_DATA, "the id given seems to be invalid");
        }
    }
    *ret_count = (int)rows.list->count;
    return true;
}

// ---- files --------------------------------------------------------------------------------------

static bool take_part(struct heap *heap, const struct form_part *part, struct rest_form *form)
{
    if (view_eq(part->name, VIEW("file")) && part->file_name.data) {
        struct value name = form_name(heap, part->file_name);
        struct value file = value_file(heap, part->bytes, value_view_or(name, VIEW("file")), part->content_type);
        return file.type == VALUE_FILE && list_add(heap, form->files.list, file);
    }
    if (view_eq(part->name, VIEW("attachmentUrl"))) {
        form->link = value_text(heap, part->bytes);
    } else if (view_eq(part->name, VIEW("title"))) {
        form->title = value_text(heap, part->bytes);
    }
    return true;
}

bool rest_form_read(struct rest *rest, struct rest_form *ret_form)
{
    struct answer *answer = &rest->answer;
    struct form_reader reader;
    struct form_part part;
    struct rest_form form = {value_list(&answer->heap, 1), value_null(), value_null()};
    struct fail none;
    fail_clear(&answer->fail);
    if (form.files.type == VALUE_LIST && form_open(&reader, answer->exchange->content_type, answer->exchange->body, &none)) {
        while (form_next(&reader, &part, &answer->fail)) {
            if (!take_part(&answer->heap, &part, &form)) {
                return fail_set(&answer->fail, FAIL_MEMORY, NULL);
            }
        }
    }
    *ret_form = form;
    return answer->fail.code == FAIL_NONE;
}

// Clients read bodies of these types by themselves (Zoho's SDKs do): a file is none for them to read.
static struct view download_type(struct view type)
{
    static const char *const read[] = {"application/json", "application/ld+json", "application/xml", "text/xml", "multipart/form-data"};
    struct view rest = type, name = view_trim(view_cut(&rest, ';'));
    for (size_t i = 0; i < BASE_COUNT(read); i++) {
        if (view_eq_nocase(name, view_of(read[i]))) {
            return VIEW("application/octet-stream");
        }
    }
    return type;
}

// A quoted name cannot leave its quotes: what would is left out.
void rest_send_file(struct rest *rest, const struct file *file)
{
    struct exchange *exchange = rest->answer.exchange;
    struct view name = value_view_or(file->name, VIEW("file")), type = value_view_or(file->type, VIEW("application/octet-stream"));
    struct buffer disposition;
    buffer_init(&disposition, 4096);
    buffer_add(&disposition, VIEW("attachment;filename=\""));
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c >= 0x20 && c != 0x7F && c != '"' && c != '\\') {
            buffer_add_char(&disposition, (char)c);
        }
    }
    buffer_add_char(&disposition, '"');
    exchange_reply_header(exchange, VIEW("Content-Disposition"), buffer_view(&disposition));
    exchange_reply_header(exchange, VIEW("X-Content-Type-Options"), VIEW("nosniff"));
    buffer_free(&disposition);
    exchange->status = 200;
    exchange->reply_type = arena_copy(exchange->arena, download_type(type));
    exchange->reply_body = arena_copy(exchange->arena, file->bytes);
    crm_session_close(&rest->session);
    heap_free(&rest->answer.heap);
}
