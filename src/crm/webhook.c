// SPDX-License-Identifier: Apache-2.0
// Webhooks as settings (zoho-crm-webhooks): where a workflow rule posts to, and what. Stored as an object (object.h); host sends them.
#include "crm/automation.h"
#include "crm/object.h"
#include "crm/shape.h"

enum { NAME_UNITS_MAX = 100, URL_BYTES_MAX = 4096, PARAMETERS_MAX = 100, CONTENT_BYTES_MAX = 64 << 10 };

#define KIND VIEW("webhook")

// Zoho's words (zoho-crm-webhooks), with their capitals.
static const char MISSING[] = "Required field is missing", BAD_TYPE[] = "Invalid data type";

struct webhook_check {
    struct crm_session *session;
    const struct map *given, *old;
    struct value definition;
    struct fail *fail;
};

static bool refuse(struct webhook_check *check, enum fail_code code, const char *api_name, const char *text)
{
    check->session->details = value_null();
    crm_details_set(check->session, "api_name", view_of(api_name));
    struct value path = value_text_printf(check->session->heap, "$.webhooks[0].%s", api_name);
    crm_details_set(check->session, "json_path", value_view_or(path, VIEW("")));
    char copy[FAIL_TEXT_MAX]; // the text may stand in the failure itself
    snprintf(copy, sizeof copy, "%s", text ? text : fail_default_text(code));
    return fail_set(check->fail, code, "%s", copy);
}

// What is given, else what was stored.
static struct value member(const struct webhook_check *check, const char *key)
{
    struct value given = shape_get(check->given, key);
    return value_is_null(given) ? shape_get(check->old, key) : given;
}

static void keep(struct webhook_check *check, const char *key)
{
    shape_put(check->session->heap, check->definition, key, member(check, key));
}

// [{"name":…,"value":…}]
static bool check_parameters(struct webhook_check *check, const struct map *map, const char *key)
{
    struct value given = shape_get(map, key);
    const struct list *list = value_as_list(given);
    if (value_is_null(given)) {
        return true;
    }
    if (!list || list->count > PARAMETERS_MAX) {
        return refuse(check, list ? FAIL_LIMIT_EXCEEDED : FAIL_INVALID_DATA, key, NULL);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const struct map *parameter = value_as_map(list->items[i]);
        if (!crm_map_view(parameter, "name").len || shape_get(parameter, "value").type != VALUE_TEXT) {
            return refuse(check, FAIL_MANDATORY_NOT_FOUND, key, "the given parameter is invalid, specify both name and value");
        }
    }
    return true;
}

static bool check_both(struct webhook_check *check, const char *key)
{
    struct value given = member(check, key);
    const struct map *map = value_as_map(given);
    if (!map) {
        return value_is_null(given) || refuse(check, FAIL_INVALID_DATA, key, NULL);
    }
    return check_parameters(check, map, "module_parameters") && check_parameters(check, map, "custom_parameters");
}

static bool check_body(struct webhook_check *check)
{
    struct value given = member(check, "body");
    const struct map *body = value_as_map(given), *form = value_as_map(shape_get(body, "form_data_content"));
    struct view type = crm_map_view(body, "type"), format = crm_map_view(body, "format"), content = crm_map_view(body, "raw_data_content");
    static const struct view formats[] = {VIEW("JSON"), VIEW("XML"), VIEW("HTML"), VIEW("Text")};
    bool known = format.len == 0;
    if (value_is_null(given)) {
        return true;
    }
    for (size_t i = 0; i < BASE_COUNT(formats); i++) {
        known = known || view_eq_nocase(format, formats[i]);
    }
    if (!body || (!view_eq(type, VIEW("form_data")) && !view_eq(type, VIEW("raw"))) || !known) {
        return refuse(check, FAIL_INVALID_DATA, "body", BAD_TYPE);
    }
    if (content.len > CONTENT_BYTES_MAX) {
        return refuse(check, FAIL_LIMIT_EXCEEDED, "raw_data_content", NULL);
    }
    return !form || (check_parameters(check, form, "module_parameters") && check_parameters(check, form, "custom_parameters"));
}

static bool check_target(struct webhook_check *check)
{
    static const struct view methods[] = {VIEW("GET"), VIEW("POST"), VIEW("PUT"), VIEW("PATCH"), VIEW("DELETE")};
    struct value url = member(check, "url"), method = member(check, "http_method");
    bool known = false;
    if (value_is_null(url) || value_is_null(method)) {
        return refuse(check, FAIL_MANDATORY_NOT_FOUND, value_is_null(url) ? "url" : "http_method",
                      value_is_null(url) ? MISSING : "The method type is not given ");
    }
    for (size_t i = 0; i < BASE_COUNT(methods); i++) {
        known = known || view_eq(value_view_or(method, VIEW("")), methods[i]);
    }
    struct view text = value_view_or(url, VIEW(""));
    if ((!view_starts_nocase(text, VIEW("http://")) && !view_starts_nocase(text, VIEW("https://"))) || text.len > URL_BYTES_MAX) {
        return refuse(check, FAIL_INVALID_DATA, "url", "please enter a valid URL");
    }
    return known || refuse(check, FAIL_INVALID_DATA, "http_method", "The method type given is invalid");
}

static bool check_rest(struct webhook_check *check)
{
    const struct map *authentication = value_as_map(member(check, "authentication"));
    struct value description = member(check, "description");
    if (crm_map_view(authentication, "connection_name").len) {
        return refuse(check, FAIL_NOT_SUPPORTED, "authentication", "webhooks under a connection are not supported here");
    }
    if (!value_is_null(member(check, "related_module"))) {
        return refuse(check, FAIL_NOT_SUPPORTED, "related_module", "webhooks about related records are not supported here");
    }
    if (!value_is_null(description) && description.type != VALUE_TEXT) {
        return refuse(check, FAIL_INVALID_DATA, "description", NULL);
    }
    return check_both(check, "headers") && check_both(check, "url_parameters") && check_body(check);
}

static bool check_webhook(struct webhook_check *check, struct view *ret_name)
{
    static const char *const kept[] = {"url",  "http_method",    "description",      "feature_type",  "headers",
                                       "body", "url_parameters", "date_time_format", "authentication"};
    struct value name = shape_get(check->given, "name");
    check->definition = value_map(check->session->heap, BASE_COUNT(kept));
    if (value_is_null(name) && !check->old) {
        return refuse(check, FAIL_MANDATORY_NOT_FOUND, "name", MISSING);
    }
    if (!value_is_null(name) &&
        (name.type != VALUE_TEXT || !view_trim(value_view(name)).len || utf8_units(value_view(name)) > NAME_UNITS_MAX)) {
        return refuse(check, FAIL_INVALID_DATA, "name", BAD_TYPE);
    }
    if (!check_target(check) || !check_rest(check)) {
        return false;
    }
    for (size_t i = 0; i < BASE_COUNT(kept); i++) {
        keep(check, kept[i]);
    }
    *ret_name = name.type == VALUE_TEXT ? view_trim(value_view(name)) : *ret_name;
    return check->definition.type == VALUE_MAP || fail_set(check->fail, FAIL_MEMORY, NULL);
}

// ---- storing ------------------------------------------------------------------------------------

struct storing {
    struct crm_object object;
    struct heap *heap;
    bool found, used;
    int64_t id;
};

static bool add_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct storing *storing = arg;
    int64_t count;
    bool found;
    if (!tx_query_int(tx, "SELECT COUNT(*) FROM crm_object WHERE kind = 'webhook'", NULL, 0, &count, &found, fail)) {
        return false;
    }
    if (count >= CRM_WEBHOOKS_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "an environment has at most %d webhooks", CRM_WEBHOOKS_MAX);
    }
    return crm_object_add_tx(tx, &storing->object, &storing->id, fail);
}

static bool change_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct storing *storing = arg;
    return crm_object_change_tx(tx, &storing->object, &storing->found, fail);
}

// Does an action of this stored rule name the webhook?
static bool note_use(void *arg, const struct crm_object *object, struct fail *fail)
{
    struct storing *storing = arg;
    struct crm_rule rule = {0};
    if (!crm_rule_read(storing->heap, value_as_map(object->definition), &rule, fail)) {
        fail_clear(fail);
    }
    for (int i = 0; i < rule.condition_count; i++) {
        for (int k = 0; k < rule.conditions[i].action_count; k++) {
            const struct crm_action *action = &rule.conditions[i].actions[k];
            storing->used = storing->used || (action->kind == CRM_PENDING_WEBHOOK && action->id == storing->object.id);
        }
    }
    return true;
}

static bool remove_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct storing *storing = arg;
    struct crm_object_query rules = {.kind = VIEW("workflow_rule")};
    storing->used = false;
    if (!crm_objects_tx(tx, &rules, storing->heap, note_use, storing, fail)) {
        return false;
    }
    return storing->used ? fail_set(fail, FAIL_NOT_ALLOWED,
                                    "This webhook is associated with at least one of Approval Process/Workflow Rules/Blueprint")
                         : crm_object_remove_tx(tx, KIND, storing->object.id, &storing->found, fail);
}

static bool name_taken(struct webhook_check *check)
{
    return check->fail->code == FAIL_EXISTS ? refuse(check, FAIL_DUPLICATE_DATA, "name", NULL) : false;
}

bool crm_webhook_add(struct crm_session *session, struct value webhook, int64_t *ret_id, struct fail *fail)
{
    struct webhook_check check = {.session = session, .given = value_as_map(webhook), .fail = fail};
    struct storing storing = {.object = {.kind = KIND, .created_by = session->user_id}};
    session->details = value_null();
    if (!check.given) {
        return refuse(&check, FAIL_INVALID_DATA, "webhooks", BAD_TYPE);
    }
    struct value module = shape_get(check.given, "module");
    const struct crm_module *found = crm_module_named(session, module);
    if (!found || found->subform) {
        return value_is_null(module) ? refuse(&check, FAIL_MANDATORY_NOT_FOUND, "module", MISSING)
                                     : refuse(&check, FAIL_INVALID_DATA, "module", "the module id given seems to be invalid");
    }
    if (!check_webhook(&check, &storing.object.name)) {
        return false;
    }
    storing.object.module = found->api_name;
    storing.object.definition = check.definition;
    if (!store_write(crm_env(session->crm), add_tx, &storing, fail)) {
        return name_taken(&check);
    }
    *ret_id = storing.id;
    return true;
}

// ---- reading ------------------------------------------------------------------------------------

static struct value or_default(struct value value, struct value standard)
{
    return value_is_null(value) ? standard : value;
}

static struct value show_headers(struct heap *heap, const struct map *definition)
{
    const struct map *headers = value_as_map(shape_get(definition, "headers"));
    struct value shown = value_map(heap, 2);
    shape_put(heap, shown, "custom_parameters", or_default(shape_get(headers, "custom_parameters"), value_list(heap, 0)));
    shape_put(heap, shown, "module_parameters", or_default(shape_get(headers, "module_parameters"), value_list(heap, 0)));
    return shown;
}

static struct value show_webhook(const struct crm_session *session, const struct crm_object *object)
{
    static const char *const plain[] = {"url", "http_method", "description"}, *const given[] = {"body", "date_time_format",
                                                                                                "authentication"};
    struct heap *heap = session->heap;
    const struct map *definition = value_as_map(object->definition);
    const struct crm_module *module = crm_module_resolve(session, object->module);
    struct value shown = value_map(heap, 22), lock = value_map(heap, 1);
    shape_put(heap, lock, "locked", value_bool(false));
    shape_put(heap, shown, "id", crm_id_text(heap, object->id));
    shape_text(heap, shown, "name", object->name);
    shape_put(heap, shown, "module", module ? shape_module(session, module) : value_null());
    shape_put(heap, shown, "related_module", value_null());
    for (size_t i = 0; i < BASE_COUNT(plain); i++) {
        shape_put(heap, shown, plain[i], shape_get(definition, plain[i]));
    }
    for (size_t i = 0; i < BASE_COUNT(given); i++) {
        if (!value_is_null(shape_get(definition, given[i]))) {
            shape_put(heap, shown, given[i], shape_get(definition, given[i]));
        }
    }
    shape_put(heap, shown, "feature_type", or_default(shape_get(definition, "feature_type"), value_text(heap, VIEW("workflow"))));
    shape_put(heap, shown, "headers", show_headers(heap, definition));
    shape_put(heap, shown, "url_parameters", or_default(shape_get(definition, "url_parameters"), value_map(heap, 0)));
    shape_put(heap, shown, "created_time", shape_time(session, object->created_ms));
    shape_put(heap, shown, "created_by", shape_user(session, object->created_by));
    shape_put(heap, shown, "modified_time", shape_time(session, object->modified_ms));
    shape_put(heap, shown, "modified_by", shape_user(session, object->modified_by));
    shape_put(heap, shown, "editable", value_bool(true));
    shape_put(heap, shown, "deletable", value_bool(true));
    shape_text(heap, shown, "source", VIEW("crm"));
    shape_put(heap, shown, "lock_status", lock);
    return shown;
}

static bool wanted(const struct crm_list_query *query, const struct crm_object *object)
{
    return !query->module.len || view_eq_nocase(query->module, object->module);
}

static struct crm_object_page page_of(struct crm_session *session, const struct crm_list_query *query, int64_t id)
{
    return (struct crm_object_page){.session = session, .kind = KIND, .id = id, .query = query, .wanted = wanted, .show = show_webhook};
}

bool crm_webhooks_list(struct crm_session *session, const struct crm_list_query *query, struct value *ret_list, bool *ret_more,
                       struct fail *fail)
{
    struct crm_object_page page = page_of(session, query, 0);
    if (!crm_object_page_read(&page, fail)) {
        return false;
    }
    *ret_list = page.list;
    *ret_more = page.more;
    return true;
}

bool crm_webhook_get(struct crm_session *session, int64_t id, struct value *ret_webhook, struct fail *fail)
{
    struct crm_object_page page = page_of(session, NULL, id);
    if (!crm_object_page_read(&page, fail)) {
        return false;
    }
    *ret_webhook = page.list.list->count ? page.list.list->items[0] : value_null();
    return true;
}

bool crm_webhook_change(struct crm_session *session, int64_t id, struct value webhook, struct fail *fail)
{
    struct webhook_check check = {.session = session, .given = value_as_map(webhook), .fail = fail};
    struct crm_object_page page = page_of(session, NULL, id);
    session->details = value_null();
    if (!check.given) {
        return refuse(&check, FAIL_INVALID_DATA, "webhooks", BAD_TYPE);
    }
    if (!crm_object_page_read(&page, fail)) {
        return false;
    }
    if (!page.list.list->count) {
        return fail_set(fail, FAIL_NOT_FOUND, "the id given seems to be invalid");
    }
    struct view own = value_view_or(page.module, VIEW(""));
    struct value module = shape_get(check.given, "module");
    const struct crm_module *named = crm_module_named(session, module);
    if (!value_is_null(module) && (!named || !view_eq(named->api_name, own))) {
        return refuse(&check, FAIL_INVALID_DATA, "module", "the module of a webhook cannot be changed");
    }
    check.old = value_as_map(page.definition);
    struct storing storing = {
        .object = {.id = id, .kind = KIND, .module = own, .name = value_view_or(page.name, VIEW("")), .modified_by = session->user_id}};
    if (!check_webhook(&check, &storing.object.name)) {
        return false;
    }
    storing.object.definition = check.definition;
    if (!store_write(crm_env(session->crm), change_tx, &storing, fail)) {
        return name_taken(&check);
    }
    return storing.found || fail_set(fail, FAIL_NOT_FOUND, "the id given seems to be invalid");
}

bool crm_webhook_remove(struct crm_session *session, int64_t id, bool *ret_found, struct fail *fail)
{
    struct storing storing = {.object = {.id = id}, .heap = session->heap};
    if (!store_write(crm_env(session->crm), remove_tx, &storing, fail)) {
        return false;
    }
    *ret_found = storing.found;
    return true;
}
