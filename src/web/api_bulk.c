// SPDX-License-Identifier: Apache-2.0
//
// Bulk jobs over REST (zoho-crm-bulk-read, zoho-crm-bulk-write, zoho-crm-upload). The row of the table asks for the scope of bulk jobs;
// that of the module, which stands in the body, is asked for here.
#include "web/rest.h"

// ZohoCRM.modules.{module}.{operation}, for tokens.
static bool covers_module(struct rest *rest, struct view module, const char *operation)
{
    const struct identity *who = &rest->answer.exchange->identity;
    char needed[256];
    size_t len = 0;
    len = (size_t)snprintf(needed, sizeof needed, "ZohoCRM.modules.");
    for (size_t i = 0; i < module.len && len < sizeof needed - 32; i++) { // a dot is another spelling of two underscores (identity.c)
        bool dot = module.data[i] == '.';
        len += (size_t)snprintf(needed + len, sizeof needed - len, dot ? "__" : "%c", module.data[i]);
    }
    len += (size_t)snprintf(needed + len, sizeof needed - len, ".%s", operation);
    return who->kind != IDENTITY_OAUTH || auth_scope_covers(who->scopes, (struct view){needed, len}) ||
           fail_set(&rest->answer.fail, FAIL_SCOPE_MISMATCH, NULL);
}

static bool covers_write(struct rest *rest, const struct map *body)
{
    struct view operation = value_view_or(map_get_text(body, VIEW("operation")), VIEW("")), module = crm_bulk_module(body, true);
    bool insert = !view_eq(operation, VIEW("update")), update = !view_eq(operation, VIEW("insert"));
    return (!insert || covers_module(rest, module, "CREATE")) && (!update || covers_module(rest, module, "UPDATE"));
}

static struct value list_of(struct rest *rest, struct value item)
{
    struct value list = value_list(&rest->answer.heap, 1);
    if (list.type == VALUE_LIST) {
        list_add(&rest->answer.heap, list.list, item);
    }
    return list;
}

static void put(struct rest *rest, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(&rest->answer.heap, map.map, view_of(key), value);
    }
}

static struct value make_answer(struct rest *rest, const char *code, const char *message, struct value details)
{
    struct value answer = value_map(&rest->answer.heap, 4);
    answer_put(&rest->answer, answer, "status", VIEW("success"));
    answer_put(&rest->answer, answer, "code", view_of(code));
    answer_put(&rest->answer, answer, "message", view_of(message));
    put(rest, answer, "details", details);
    return answer;
}

static bool not_there(struct rest *rest, struct view id)
{
    rest_refuse(rest, FAIL_RESOURCE_NOT_FOUND, "resource", id);
    return false;
}

static bool find_job(struct rest *rest, bool write, struct view id_text, struct crm_bulk *job)
{
    int64_t id;
    bool found = false;
    if (!view_to_int64(id_text, &id)) {
        return not_there(rest, id_text);
    }
    if (!crm_bulk_get(&rest->session, write, id, job, &found, &rest->answer.fail)) {
        return false;
    }
    if (!found) {
        return not_there(rest, id_text);
    }
    struct view module = crm_bulk_module(value_as_map(job->definition), write);
    return write || covers_module(rest, module, "READ");
}

static struct value show(struct rest *rest, const struct crm_bulk *job)
{
    struct value url = value_text_printf(&rest->answer.heap, "/crm/bulk/v%d/%s/%lld/result", rest->version / 10,
                                         job->write ? "write" : "read", (long long)job->id);
    return crm_bulk_show(&rest->session, job, value_view_or(url, VIEW("")));
}

// ---- reading ------------------------------------------------------------------------------------

void api_bulk_read_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct value answer = value_null(), info;
    struct crm_bulk job;
    int64_t id;
    bool found;
    (void)params;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_body(&rest, &body) && covers_module(&rest, crm_bulk_module(body, false), "READ") &&
                host_automation_expect(web->host, &exchange->identity, &rest.answer.fail) &&
                crm_bulk_read_add(&rest.session, (struct value){.type = VALUE_MAP, .map = body}, &id, &rest.answer.fail) &&
                crm_bulk_get(&rest.session, false, id, &job, &found, &rest.answer.fail);
    if (good) {
        struct value shown = show(&rest, &job), details = value_map(&rest.answer.heap, 5);
        static const char *const kept[] = {"id", "operation", "created_by", "created_time"};
        for (size_t i = 0; i < BASE_COUNT(kept); i++) {
            put(&rest, details, kept[i], map_get_text(value_as_map(shown), view_of(kept[i])));
        }
        answer_put(&rest.answer, details, "state", VIEW("ADDED"));
        rest.answer.status = 201;
        info = value_map(&rest.answer.heap, 0);
        answer = rest_wrap(&rest, "data", list_of(&rest, make_answer(&rest, "ADDED_SUCCESSFULLY", "Added successfully.", details)));
        put(&rest, answer, "info", info);
    }
    rest_send(&rest, good, answer);
}

void api_bulk_read_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct crm_bulk job;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = find_job(&rest, false, params[0], &job);
    rest_send(&rest, good, good ? rest_wrap(&rest, "data", list_of(&rest, show(&rest, &job))) : value_null());
}

static void send_result(struct web *web, struct exchange *exchange, bool write, struct view id)
{
    struct rest rest;
    struct crm_bulk job;
    char disposition[64];
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = find_job(&rest, write, id, &job) && (view_eq(job.state, VIEW("COMPLETED")) || not_there(&rest, id)) &&
                host_bulk_send(web->host, exchange, job.file_id, &rest.answer.fail);
    if (!good) {
        rest_send(&rest, false, value_null());
        return;
    }
    snprintf(disposition, sizeof disposition, "attachment;filename=\"%lld.zip\"", (long long)job.id);
    exchange_reply_header(exchange, VIEW("Content-Disposition"), view_of(disposition));
    exchange->reply_type = VIEW("application/zip");
    rest_send_empty(&rest, 200);
}

void api_bulk_read_result(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_result(web, exchange, false, params[0]);
}

// ---- writing ------------------------------------------------------------------------------------

// The zip is the part `file` of a form. Zoho wants the headers `feature: bulk-write` and X-CRM-ORG; the token tells the org here.
static bool find_file(struct rest *rest, struct view *ret_bytes)
{
    struct exchange *exchange = rest->answer.exchange;
    struct form_reader reader;
    struct form_part part;
    struct fail *fail = &rest->answer.fail;
    struct view feature = exchange_header(exchange, VIEW("feature"));
    if (feature.len && !view_eq(feature, VIEW("bulk-write"))) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "api_name", VIEW("feature"));
    }
    if (!form_open(&reader, exchange->content_type, exchange->body, fail)) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "expected_data_type", VIEW("multipart/form-data"));
    }
    fail_clear(fail);
    while (form_next(&reader, &part, fail)) {
        if (view_eq(part.name, VIEW("file"))) {
            *ret_bytes = part.bytes;
            return true;
        }
    }
    return fail->code == FAIL_NONE ? rest_refuse(rest, FAIL_MANDATORY_NOT_FOUND, "api_name", VIEW("file")) : false;
}

void api_bulk_upload(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct view zip;
    int64_t id = 0;
    (void)params;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = find_file(&rest, &zip);
    if (good && !host_bulk_upload(web->host, &exchange->identity, &rest.session, zip, &id, &rest.answer.fail)) {
        char text[FAIL_TEXT_MAX];
        snprintf(text, sizeof text, "%s", rest.answer.fail.text);
        bool own = fail_status(rest.answer.fail.code) == 500;
        good = own ? false : rest_refuse(&rest, FAIL_INVALID_DATA, "api_name", VIEW("file"));
        own = own || fail_set(&rest.answer.fail, FAIL_INVALID_DATA, "%s", text);
    }
    struct value details = value_map(&rest.answer.heap, 2);
    put(&rest, details, "file_id", value_text_printf(&rest.answer.heap, "%lld", (long long)id));
    struct buffer now;
    buffer_init(&now, 64);
    calendar_print_iso(&now, clock_wall_ms(), rest.open ? crm_zone(&rest.session) : NULL);
    answer_put(&rest.answer, details, "created_time", buffer_view(&now));
    buffer_free(&now);
    rest_send(&rest, good, make_answer(&rest, "FILE_UPLOAD_SUCCESS", "file uploaded.", details));
}

void api_bulk_write_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct map *body;
    struct crm_bulk job;
    int64_t id;
    bool found;
    struct value answer = value_null();
    (void)params;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_body(&rest, &body) && covers_write(&rest, body) &&
                host_automation_expect(web->host, &exchange->identity, &rest.answer.fail) &&
                crm_bulk_write_add(&rest.session, (struct value){.type = VALUE_MAP, .map = body}, &id, &rest.answer.fail) &&
                crm_bulk_get(&rest.session, true, id, &job, &found, &rest.answer.fail);
    if (good) {
        struct value shown = show(&rest, &job), details = value_map(&rest.answer.heap, 2);
        put(&rest, details, "id", map_get_text(value_as_map(shown), VIEW("id")));
        put(&rest, details, "created_by", map_get_text(value_as_map(shown), VIEW("created_by")));
        rest.answer.status = 201;
        answer = make_answer(&rest, "SUCCESS", "success", details);
    }
    rest_send(&rest, good, answer);
}

void api_bulk_write_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct crm_bulk job;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = find_job(&rest, true, params[0], &job);
    rest_send(&rest, good, good ? show(&rest, &job) : value_null());
}

void api_bulk_write_result(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_result(web, exchange, true, params[0]);
}
