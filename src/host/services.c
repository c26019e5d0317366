// SPDX-License-Identifier: Apache-2.0
// The table of services: natives that touch the platform (spec/crm-api.md §1, spec/deluge-builtins.md §10, §11). One row a name; the
// functions stand in svc_*.c. Rows of other Zoho products compile and answer with a clear error.
#include "host/inside.h"

struct run *service_run(struct native_call *call)
{
    if (!call->host) {
        native_fail(call, "%s needs a CRM, and this script runs without one", call->native->name);
    }
    return call->host;
}

// What crm knows about the last failure of this run ({"reason", "api_name", "operator"}).
static struct value error_details(struct native_call *call, const struct fail *fail)
{
    const struct run *run = call->host;
    bool has = fail->code == FAIL_INVALID_QUERY && run && run->session_open && run->session.details.type == VALUE_MAP;
    return has ? run->session.details : value_map(call->heap, 0);
}

bool service_error(struct native_call *call, const struct fail *fail)
{
    if (fail->code == FAIL_CANCELLED || fail->code == FAIL_LIMIT || fail->code == FAIL_MEMORY || fail_status(fail->code) == 500) {
        if (call->fail != fail) {
            *call->fail = *fail;
        }
        return false;
    }
    struct heap *heap = call->heap;
    struct value map = value_map(heap, 4), details = error_details(call, fail);
    struct view text = view_of(fail->text);
    if (!heap->failed) {
        map_put_text(heap, map.map, VIEW("code"), value_text(heap, view_of(fail_name(fail->code))));
        map_put_text(heap, map.map, VIEW("details"), details);
        map_put_text(heap, map.map, VIEW("message"), value_text(heap, text));
        map_put_text(heap, map.map, VIEW("status"), value_text(heap, VIEW("error")));
    }
    *call->ret = map;
    return true;
}

#define RECORD(name, least, most, fn, signature, doc)                                                                                      \
    {                                                                                                                                      \
        name, 0, least, most, NATIVE_SLOW, 200, fn, signature, doc, NULL, "SURE spec/crm-api.md §1.1"                                     \
    }
const struct native services_table[] = {
    {"zoho.loginuserid", 0, 0, 0, NATIVE_VARIABLE, 5, svc_system_user_email, "zoho.loginuserid → TEXT",
     "E-mail of the calling user; of the super admin when an API key called.", NULL, "SURE builtins §10"},
    {"zoho.adminuserid", 0, 0, 0, NATIVE_VARIABLE, 5, svc_system_user_email, "zoho.adminuserid → TEXT", "E-mail of the org's super admin.",
     NULL, "SURE builtins §10"},
    {"zoho.loginuser", 0, 0, 0, NATIVE_VARIABLE, 5, svc_system_user_name, "zoho.loginuser → TEXT", "Name of the calling user.", NULL,
     "SURE builtins §10"},
    {"zoho.adminuser", 0, 0, 0, NATIVE_VARIABLE, 5, svc_system_user_name, "zoho.adminuser → TEXT", "Name of the org's super admin.", NULL,
     "SURE builtins §10"},
    {"zoho.ipaddress", 0, 0, 0, NATIVE_VARIABLE, 5, svc_system_ip, "zoho.ipaddress → TEXT",
     "Address of the caller; null for calls from inside.", NULL, "SURE builtins §10"},

    RECORD("zoho.crm.createRecord", 2, 4, svc_create_record,
           "zoho.crm.createRecord(TEXT module, MAP record, MAP options?, TEXT connection?) → MAP",
           "Creates a record. Gives its details (id, Created_Time …), or the error map; the script goes on either way."),
    RECORD("zoho.crm.v2.createRecord", 2, 4, svc_create_record,
           "zoho.crm.v2.createRecord(TEXT module, MAP record, MAP options?, TEXT connection?) → MAP", "As zoho.crm.createRecord."),
    RECORD("zoho.crm.v8.createRecord", 2, 4, svc_create_record,
           "zoho.crm.v8.createRecord(TEXT module, MAP record, MAP options?, TEXT connection?) → MAP", "As zoho.crm.createRecord."),
    RECORD("zoho.crm.updateRecord", 3, 5, svc_update_record,
           "zoho.crm.updateRecord(TEXT module, NUMBER id, MAP record, MAP options?, TEXT connection?) → MAP",
           "Changes a record. Gives its details, or the error map."),
    RECORD("zoho.crm.v2.updateRecord", 3, 5, svc_update_record,
           "zoho.crm.v2.updateRecord(TEXT module, NUMBER id, MAP record, MAP options?, TEXT connection?) → MAP",
           "As zoho.crm.updateRecord."),
    RECORD("zoho.crm.v8.updateRecord", 3, 5, svc_update_record,
           "zoho.crm.v8.updateRecord(TEXT module, NUMBER id, MAP record, MAP options?, TEXT connection?) → MAP",
           "As zoho.crm.updateRecord."),
    RECORD("zoho.crm.getRecordById", 2, 4, svc_get_record,
           "zoho.crm.getRecordById(TEXT module, NUMBER id, MAP query?, TEXT connection?) → MAP",
           "The record as a map; an empty map when there is none."),
    RECORD("zoho.crm.v2.getRecordById", 2, 4, svc_get_record,
           "zoho.crm.v2.getRecordById(TEXT module, NUMBER id, MAP query?, TEXT connection?) → MAP", "As zoho.crm.getRecordById."),
    RECORD("zoho.crm.v8.getRecordById", 2, 4, svc_get_record,
           "zoho.crm.v8.getRecordById(TEXT module, NUMBER id, MAP query?, TEXT connection?) → MAP", "As zoho.crm.getRecordById."),
    RECORD("zoho.crm.getRecords", 1, 5, svc_get_records,
           "zoho.crm.getRecords(TEXT module, NUMBER page?, NUMBER per_page?, MAP query?, TEXT connection?) → LIST",
           "A page of records, 200 at most."),
    RECORD("zoho.crm.v2.getRecords", 1, 5, svc_get_records,
           "zoho.crm.v2.getRecords(TEXT module, NUMBER page?, NUMBER per_page?, MAP query?, TEXT connection?) → LIST",
           "As zoho.crm.getRecords."),
    RECORD("zoho.crm.v8.getRecords", 1, 5, svc_get_records_v8,
           "zoho.crm.v8.getRecords(TEXT module, MAP query?, NUMBER page?, NUMBER per_page?, TEXT connection?) → LIST",
           "As zoho.crm.getRecords, with the map first."),
    RECORD(
        "zoho.crm.searchRecords", 2, 6, svc_search_records,
        "zoho.crm.searchRecords(TEXT module, TEXT criteria, NUMBER page?, NUMBER per_page?, MAP search?, TEXT connection?) → LIST",
        "Records that meet the criteria, e.g. (Last_Name:equals:Smith); with a search map (email, phone, word) the criteria may be empty."),
    RECORD("zoho.crm.v2.searchRecords", 2, 6, svc_search_records,
           "zoho.crm.v2.searchRecords(TEXT module, TEXT criteria, NUMBER page?, NUMBER per_page?, MAP search?, TEXT connection?) → LIST",
           "As zoho.crm.searchRecords."),
    RECORD("zoho.crm.v8.searchRecords", 2, 6, svc_search_records,
           "zoho.crm.v8.searchRecords(TEXT module, TEXT criteria, NUMBER page?, NUMBER per_page?, MAP search?, TEXT connection?) → LIST",
           "As zoho.crm.searchRecords."),
    RECORD("zoho.crm.getRelatedRecords", 3, 7, svc_related_records,
           "zoho.crm.getRelatedRecords(TEXT relation, TEXT parent_module, NUMBER parent_id, NUMBER page?, NUMBER per_page?, MAP query?, "
           "TEXT connection?) → LIST",
           "Records of a related list."),
    RECORD("zoho.crm.v2.getRelatedRecords", 3, 7, svc_related_records,
           "zoho.crm.v2.getRelatedRecords(TEXT relation, TEXT parent_module, NUMBER parent_id, NUMBER page?, NUMBER per_page?, MAP query?, "
           "TEXT connection?) → LIST",
           "As zoho.crm.getRelatedRecords."),
    RECORD("zoho.crm.v8.getRelatedRecords", 3, 7, svc_related_records_v8,
           "zoho.crm.v8.getRelatedRecords(TEXT relation, TEXT parent_module, NUMBER parent_id, MAP query?, NUMBER page?, NUMBER per_page?, "
           "TEXT connection?) → LIST",
           "As zoho.crm.getRelatedRecords, with the map first."),
    RECORD("zoho.crm.getOrgVariable", 1, 1, svc_org_variable, "zoho.crm.getOrgVariable(TEXT name) → TEXT",
           "The value of an extension's variable (\"ns.name\" or \"ns__name\"); null when there is none."),
    RECORD("zoho.crm.invokeConnector", 2, 2, svc_invoke_connector, "zoho.crm.invokeConnector(TEXT api, MAP input) → MAP",
           "The built-in connector APIs crm.zapikey, crm.set, crm.create, crm.get, crm.update, crm.delete, crm.search, raisesignal: "
           "{status_code, response}."),
    {"invokeurl", 0, 1, 1, NATIVE_TASK | NATIVE_SLOW, 500, svc_invokeurl,
     "invokeurl [ url: … type: GET parameters: … headers: … body: … files: … detailed: true ] → any",
     "An outgoing HTTP request. JSON answers come back as a map or a list, other text as text; error statuses do not throw.", NULL,
     "SURE deluge-language.md §6"},
    {"getUrl", 0, 1, 3, NATIVE_SLOW, 500, svc_geturl, "getUrl(TEXT url, MAP headers?, BOOL simple?) → TEXT or MAP",
     "A GET request; deprecated at Zoho, use invokeurl.", NULL, "SURE builtins §11.2"},
    {"postUrl", 0, 2, 4, NATIVE_SLOW, 500, svc_posturl, "postUrl(TEXT url, MAP body, MAP headers?, BOOL simple?) → TEXT or MAP",
     "A POST request with a form; deprecated at Zoho, use invokeurl.", NULL, "SURE builtins §11.2"},
    {"sendmail", 0, 1, 1, NATIVE_TASK | NATIVE_SLOW, 10, svc_unavailable, "sendmail [ from: … to: … subject: … message: … ]",
     "Mail: not available here yet.", NULL, "SURE builtins §11.2"},
    {"invokeapi", 0, 1, 1, NATIVE_TASK | NATIVE_SLOW, 10, svc_unavailable, "invokeapi [ service: … path: … type: … ]",
     "Calls of other Zoho services: not available here.", NULL, "SURE builtins §11.2"},
    {"zoho.*", 0, 0, 64, NATIVE_SLOW, 10, svc_unavailable, "zoho.service.task(…)",
     "Tasks of other Zoho products (desk, books, creator …) compile and fail with a clear error.", NULL, "PRODUCT, Not ours"},
};
const size_t services_count = BASE_COUNT(services_table);

// A row of its own, or the row for all others, which is told the task's name.
bool svc_unavailable(struct native_call *call)
{
    struct view name = view_of(call->native->name);
    if (view_eq(name, VIEW("zoho.*")) && call->count > 0) {
        name = value_view_or(call->args[0], name);
    }
    return native_fail(call, "%.*s is not available here", VIEW_ARGS(name));
}
