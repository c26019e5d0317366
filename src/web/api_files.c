// SPDX-License-Identifier: Apache-2.0
//
// Files over REST (spec/crm-api.md §2.2): uploads under /files, and photos of records. Codes and words are those of Zoho's descriptions; a
// call's files come to 20 MB together, since one body is read whole.
#include "web/rest.h"

void api_files_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct rest_form form;
    struct value results = value_null();
    (void)params;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_form_read(&rest, &form);
    if (good && form.files.list->count == 0) {
        good = fail_set(&rest.answer.fail, FAIL_UPLOAD, NULL);
    }
    good = good && crm_files_add(&rest.session, form.files.list, &results, &rest.answer.fail);
    rest_send_rows(&rest, good, results, 200);
}

void api_file_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value file = value_null();
    (void)params;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct view id = rest_param(&rest, "id");
    bool good = id.data || rest_refuse(&rest, FAIL_PARAM_MISSING, "param_name", VIEW("id"));
    good = good && crm_file_get(&rest.session, id, &file, &rest.answer.fail);
    if (!good) {
        rest_send(&rest, false, value_null());
    } else if (file.type == VALUE_FILE) {
        rest_send_file(&rest, file.file);
    } else {
        rest_send_empty(&rest, 204);
    }
}

// ---- photos -------------------------------------------------------------------------------------

// A failure of crm's told as one of the path.
static bool photo_done(struct rest *rest, bool done)
{
    struct fail *fail = &rest->answer.fail;
    if (!done && fail->code == FAIL_NOT_FOUND) {
        return rest_refuse_index(rest, FAIL_INVALID_DATA, "the id given seems to be invalid", 1);
    }
    if (!done && fail->code == FAIL_INVALID_MODULE) {
        char text[FAIL_TEXT_MAX];
        snprintf(text, sizeof text, "%s", fail->text);
        return rest_refuse_index(rest, FAIL_INVALID_MODULE, text, 0);
    }
    return done;
}

static void send_photo_done(struct rest *rest, bool good, const char *message)
{
    struct answer *answer = &rest->answer;
    struct value reply = value_map(&answer->heap, 4);
    answer_put(answer, reply, "code", VIEW("SUCCESS"));
    if (reply.type == VALUE_MAP) {
        map_put_text(&answer->heap, reply.map, VIEW("details"), value_map(&answer->heap, 0));
    }
    answer_put(answer, reply, "message", view_of(message));
    answer_put(answer, reply, "status", VIEW("success"));
    rest_send(rest, good, reply);
}

void api_photo_set(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct rest_form form;
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_id(&rest, params[1], 1, &id) && rest_form_read(&rest, &form);
    if (good && form.files.list->count == 0) {
        good = rest_refuse(&rest, FAIL_PARAM_MISSING, "param_name", VIEW("file"));
    }
    good = good && photo_done(&rest, crm_photo_set(&rest.session, params[0], id, form.files.list->items[0].file, &rest.answer.fail));
    send_photo_done(&rest, good, "photo uploaded successfully");
}

void api_photo_get(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value file = value_null();
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good =
        rest_id(&rest, params[1], 1, &id) && photo_done(&rest, crm_photo_get(&rest.session, params[0], id, &file, &rest.answer.fail));
    if (!good) {
        rest_send(&rest, false, value_null());
    } else if (file.type == VALUE_FILE) {
        rest_send_file(&rest, file.file);
    } else {
        rest_send_empty(&rest, 204);
    }
}

void api_photo_remove(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    int64_t id;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = rest_id(&rest, params[1], 1, &id) && photo_done(&rest, crm_photo_remove(&rest.session, params[0], id, &rest.answer.fail));
    send_photo_done(&rest, good, "photo deleted successfully");
}
