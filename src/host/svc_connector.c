// SPDX-License-Identifier: Apache-2.0
// zoho.crm.invokeConnector: the built-in connector APIs (spec/platform.md §2, spec/crm-api.md §1.5). Every result is {"status_code",
// "response"}; the response is a map whose toMap() is itself, so both styles found in real scripts work.
#include "host/service.h"

struct connector_call {
    struct native_call *call;
    struct run *run;
    struct map *input;
    struct value response;
    int status;
};
// False with fail set: an error of the API, which becomes the response, or a fault of the machine.
typedef bool connector_fn(struct connector_call *c, struct fail *fail);

static struct view text_input(struct connector_call *c, const char *key)
{
    return value_view_or(map_get_text(c->input, view_of(key)), VIEW(""));
}

static struct value wrap(struct connector_call *c, const char *key, struct value inner)
{
    struct value map = value_map(c->call->heap, 1);
    if (map.type == VALUE_MAP) {
        map_put_text(c->call->heap, map.map, view_of(key), inner);
    }
    return map;
}

// ---- keys and variables -------------------------------------------------------------------------

// "portal.namespace" or "namespace". An extension's script is told its own key only (DESIGN security 3).
static bool connector_zapikey(struct connector_call *c, struct fail *fail)
{
    char namespace[AUTH_NAME_MAX], key[AUTH_KEY_LEN + 1];
    struct view asked = text_input(c, "nameSpace");
    if (!keys_asked(c->run, asked.len ? asked : text_input(c, "namespace"), namespace, fail)) {
        return false;
    }
    c->response = value_text(c->call->heap, VIEW("No key found"));
    if (!namespace[0] || !c->run->env) {
        return true;
    }
    struct identity where = host_env_identity(c->run->env, IDENTITY_ZAPIKEY, view_of(namespace));
    if (!auth_key_show(c->run->host->auth, c->run->env->env, &where, key, fail)) {
        return fail->code == FAIL_NOT_FOUND; // revoked, or none was made
    }
    c->response = value_text(c->call->heap, view_of(key));
    return true;
}

struct set_request {
    struct connector_call *c;
    struct view name, value;
    bool found;
};

static bool set_variable(struct tx *tx, void *arg, struct fail *fail)
{
    struct set_request *request = arg;
    struct run *run = request->c->run;
    struct ext_vault vault = run_vault(run);
    return ext_variable_set_tx(tx, &vault, request->name, request->value, run->journal, &request->found, fail);
}

static bool connector_set(struct connector_call *c, struct fail *fail)
{
    struct value printed = value_to_text(c->call->heap, map_get_text(c->input, VIEW("value")), fail);
    struct set_request request = {.c = c, .name = text_input(c, "apiname"), .value = value_view_or(printed, VIEW(""))};
    if (value_is_null(map_get_text(c->input, VIEW("value")))) {
        request.value = VIEW("");
    }
    if (!request.name.len) {
        return fail_set(fail, FAIL_PARAM_MISSING, "crm.set needs \"apiname\"");
    }
    // An extension sets its own variables; standalone functions of the org set any.
    char canonical[4 * EXT_NAME_MAX], own[EXT_NAME_MAX + 4];
    struct view name, prefix;
    snprintf(own, sizeof own, "%s.", c->run->function->namespace);
    char own_canonical[EXT_NAME_MAX + 8];
    bool foreign = !ext_name_canonical(request.name, canonical, sizeof canonical, &name) ||
                   !ext_name_canonical(view_of(own), own_canonical, sizeof own_canonical, &prefix) ||
                   (!view_starts(name, prefix) && strcmp(c->run->function->namespace, "standalone") != 0);
    if (foreign) {
        return fail_set(fail, FAIL_NO_PERMISSION, "the variable \"%.*s\" is not one of this extension", VIEW_ARGS(request.name));
    }
    if (!store_write(c->run->env->env, set_variable, &request, fail)) {
        return false;
    }
    if (!request.found) {
        return fail_set(fail, FAIL_INVALID_DATA, "there is no variable \"%.*s\"", VIEW_ARGS(request.name));
    }
    struct heap *heap = c->call->heap;
    c->response = value_map(heap, 2);
    if (c->response.type == VALUE_MAP) {
        map_put_text(heap, c->response.map, request.name, printed);
        map_put_text(heap, c->response.map, VIEW("message"), value_text(heap, VIEW("New value updated successfully.")));
    }
    return true;
}

// ---- records ------------------------------------------------------------------------------------

static struct value rows_input(struct connector_call *c)
{
    struct value data = value_resolve(map_get_text(c->input, VIEW("data")));
    if (data.type == VALUE_MAP) { // a single record
        struct value list = value_list(c->call->heap, 1);
        if (list.type == VALUE_LIST) {
            list_add(c->call->heap, list.list, data);
        }
        return list;
    }
    return data;
}

static bool connector_create(struct connector_call *c, struct fail *fail)
{
    struct crm_session *session;
    struct value results;
    if (!run_session(c->run, &session, fail) || !crm_records_insert(session, text_input(c, "module"), rows_input(c), &results, fail)) {
        return false;
    }
    c->status = 201;
    c->response = wrap(c, "data", results);
    return true;
}

static bool connector_update(struct connector_call *c, struct fail *fail)
{
    struct crm_session *session;
    struct value results, rows = rows_input(c), id = map_get_text(c->input, VIEW("id"));
    const struct list *list = value_as_list(rows);
    struct map *first = list && list->count == 1 ? value_as_map(list->items[0]) : NULL;
    if (first && !value_is_null(id) && value_is_null(map_get_text(first, VIEW("id")))) {
        map_put_text(c->call->heap, first, VIEW("id"), id); // the id beside the data
    }
    if (!run_session(c->run, &session, fail) || !crm_records_update(session, text_input(c, "module"), rows, &results, fail)) {
        return false;
    }
    c->response = wrap(c, "data", results);
    return true;
}

static bool connector_get(struct connector_call *c, struct fail *fail)
{
    struct crm_session *session;
    struct value record;
    int64_t id;
    if (!crm_id_read(map_get_text(c->input, VIEW("id")), &id)) {
        return fail_set(fail, FAIL_INVALID_DATA, "the id given seems to be invalid");
    }
    if (!run_session(c->run, &session, fail) || !crm_record_get(session, text_input(c, "module"), id, &record, fail)) {
        return false;
    }
    struct value list = value_list(c->call->heap, 1);
    if (value_is_null(record)) { // REST answers 204 without a body; an empty map lets .get("data") and .toMap() go on
        c->status = 204;
        c->response = value_map(c->call->heap, 0);
    } else if (list.type == VALUE_LIST && list_add(c->call->heap, list.list, record)) {
        list.list->json = 1;
        c->response = wrap(c, "data", list);
    }
    return true;
}

static bool connector_delete(struct connector_call *c, struct fail *fail)
{
    struct crm_session *session;
    struct value results;
    int64_t id;
    if (!crm_id_read(map_get_text(c->input, VIEW("id")), &id)) {
        return fail_set(fail, FAIL_INVALID_DATA, "the id given seems to be invalid");
    }
    if (!run_session(c->run, &session, fail) || !crm_records_delete(session, text_input(c, "module"), &id, 1, &results, fail)) {
        return false;
    }
    c->response = wrap(c, "data", results);
    return true;
}

static bool connector_search(struct connector_call *c, struct fail *fail)
{
    struct crm_session *session;
    struct value list, info;
    bool more;
    struct crm_query query = {.criteria = text_input(c, "criteria"),
                              .email = text_input(c, "email"),
                              .phone = text_input(c, "phone"),
                              .word = text_input(c, "word")};
    if (!query.criteria.len && !query.email.len && !query.phone.len && !query.word.len) {
        return fail_set(fail, FAIL_EXPECTED_PARAM_MISSING, NULL);
    }
    if (!run_session(c->run, &session, fail) || !crm_records_list(session, text_input(c, "module"), &query, &list, &more, fail)) {
        return false;
    }
    struct heap *heap = c->call->heap;
    if (list.type != VALUE_LIST || list.list->count == 0) {
        c->status = 204;
        c->response = value_map(heap, 0);
        return true;
    }
    list.list->json = 1;
    c->response = wrap(c, "data", list);
    info = value_map(heap, 4);
    if (info.type == VALUE_MAP && c->response.type == VALUE_MAP) {
        map_put_text(heap, info.map, VIEW("per_page"), value_number(CRM_PAGE_MAX));
        map_put_text(heap, info.map, VIEW("count"), value_number(list.list->count));
        map_put_text(heap, info.map, VIEW("page"), value_number(1));
        map_put_text(heap, info.map, VIEW("more_records"), value_bool(more));
        map_put_text(heap, c->response.map, VIEW("info"), info);
    }
    return true;
}

// ---- organisation and signals -------------------------------------------------------------------

static bool connector_org(struct connector_call *c, struct fail *fail)
{
    struct crm_session *session;
    struct value org, list = value_list(c->call->heap, 1);
    if (!run_session(c->run, &session, fail) || !crm_org_get(session, &org, fail) || list.type != VALUE_LIST ||
        !list_add(c->call->heap, list.list, org)) {
        return false;
    }
    c->response = wrap(c, "org", list);
    return true;
}

static bool connector_modules(struct connector_call *c, struct fail *fail)
{
    struct crm_session *session;
    struct value list;
    if (!run_session(c->run, &session, fail) || !crm_modules_list(session, &list, fail)) {
        return false;
    }
    c->response = wrap(c, "modules", list);
    return true;
}

static bool connector_signal(struct connector_call *c, struct fail *fail)
{
    struct crm_session *session;
    return run_session(c->run, &session, fail) &&
           crm_signal_raise(session, (struct value){.type = VALUE_MAP, .map = c->input}, &c->response, fail);
}

static const struct {
    const char *name;
    connector_fn *fn;
} connectors[] = {
    {"crm.zapikey", connector_zapikey},     {"crm.set", connector_set},
    {"crm.create", connector_create},       {"crm.get", connector_get},
    {"crm.update", connector_update},       {"crm.delete", connector_delete},
    {"crm.search", connector_search},       {"crm.getorg", connector_org},
    {"crm.modulesmeta", connector_modules}, {"raisesignal", connector_signal},
    {"crm.raisesignal", connector_signal},
};

// wget.get … wget.delete: the method, NULL for other names.
static const char *find_wget(struct view name)
{
    static const struct {
        const char *name, *method;
    } rows[] = {{"wget.get", "GET"}, {"wget.post", "POST"}, {"wget.put", "PUT"}, {"wget.patch", "PATCH"}, {"wget.delete", "DELETE"}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        if (view_eq_nocase(name, view_of(rows[i].name))) {
            return rows[i].method;
        }
    }
    return NULL;
}

static connector_fn *find_connector(struct view name)
{
    for (size_t i = 0; i < BASE_COUNT(connectors); i++) {
        if (view_eq_nocase(name, view_of(connectors[i].name))) {
            return connectors[i].fn;
        }
    }
    return NULL;
}

bool svc_invoke_connector(struct native_call *call)
{
    struct connector_call c = {.call = call, .run = service_run(call), .status = 200};
    struct view name;
    struct fail fail;
    if (!c.run || !arg_text(call, 0, &name) || !arg_map(call, 1, &c.input)) {
        return false;
    }
    connector_fn *fn = find_connector(name);
    const char *method = find_wget(name);
    fail_clear(&fail);
    if (!fn && !(method ? connector_wget(call, c.run, method, c.input, &c.status, &c.response)
                        : connector_call(call, c.run, name, c.input, &c.status, &c.response))) {
        return false;
    }
    if (fn && !fn(&c, &fail)) {
        if (!service_error(call, &fail)) {
            return false;
        }
        c.response = *call->ret; // the API's error body
        c.status = fail_status(fail.code);
    }
    struct value result = value_map(call->heap, 2);
    if (result.type == VALUE_MAP) {
        map_put_text(call->heap, result.map, VIEW("status_code"), value_number(c.status));
        map_put_text(call->heap, result.map, VIEW("response"), c.response);
    }
    *call->ret = result;
    return true;
}

// zoho.crm.raiseSignal(map): the same signal without the connector's wrapping (spec/crm-api.md §1.5).
bool svc_raise_signal(struct native_call *call)
{
    struct run *run = service_run(call);
    struct crm_session *session;
    struct map *signal;
    struct fail fail;
    if (!run || !arg_map(call, 0, &signal)) {
        return false;
    }
    fail_clear(&fail);
    if (!run_session(run, &session, &fail) ||
        !crm_signal_raise(session, (struct value){.type = VALUE_MAP, .map = signal}, call->ret, &fail)) {
        return service_error(call, &fail);
    }
    return true;
}
