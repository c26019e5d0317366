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

// Rows without a version answer for every version (zoho.crm.v2.…, zoho.crm.v8.…) that has no row of its own.
#define RECORD(name, least, most, fn, signature, doc, example)                                                                             \
    {                                                                                                                                      \
        name, 0, least, most, NATIVE_SLOW, 200, fn, signature, doc, example, "SURE spec/crm-api.md §1.1"                                  \
    }
#define SYSTEM(name, fn, doc, example)                                                                                                     \
    {                                                                                                                                      \
        name, 0, 0, 0, NATIVE_VARIABLE, 5, fn, name " → TEXT", doc, example, "SURE builtins §10"                                        \
    }
// clang-format off
const struct native services_table[] = {
    SYSTEM("zoho.loginuserid", svc_system_user_email, "E-mail of the calling user; of the super admin when an API key called.",
           "info zoho.loginuserid; => admin@example.com"),
    SYSTEM("zoho.adminuserid", svc_system_user_email, "E-mail of the org's super admin.", "info zoho.adminuserid; => admin@example.com"),
    SYSTEM("zoho.loginuser", svc_system_user_name, "Name of the calling user.", "info zoho.loginuser; => Super Admin"),
    SYSTEM("zoho.adminuser", svc_system_user_name, "Name of the org's super admin.", "info zoho.adminuser; => Super Admin"),
    SYSTEM("zoho.ipaddress", svc_system_ip, "Address of the caller; null for calls from inside.", "info zoho.ipaddress; => null"),

    RECORD("zoho.crm.createRecord", 2, 4, svc_create_record,
           "zoho.crm.createRecord(TEXT module, MAP record, MAP options?, TEXT connection?) → MAP",
           "Creates a record. Gives its details (id, Created_Time …), or the error map; the script goes on either way.",
           "r = zoho.crm.createRecord(\"Leads\",{\"Company\":\"Navy\"});\ninfo r.get(\"code\"); => MANDATORY_NOT_FOUND"),
    RECORD("zoho.crm.updateRecord", 3, 5, svc_update_record,
           "zoho.crm.updateRecord(TEXT module, NUMBER id, MAP record, MAP options?, TEXT connection?) → MAP",
           "Changes a record. Gives its details, or the error map.",
           "r = zoho.crm.createRecord(\"Leads\",{\"Last_Name\":\"Hopper\"});\nu = zoho.crm.updateRecord(\"Leads\",r.get(\"id\"),{\"Company\":\"Navy\"});\n"
           "info u.get(\"id\") == r.get(\"id\"); => true"),
    RECORD("zoho.crm.getRecordById", 2, 4, svc_get_record,
           "zoho.crm.getRecordById(TEXT module, NUMBER id, MAP query?, TEXT connection?) → MAP",
           "The record as a map; an empty map when there is none.",
           "r = zoho.crm.createRecord(\"Leads\",{\"Last_Name\":\"Hopper\"});\ninfo zoho.crm.getRecordById(\"Leads\",r.get(\"id\")).get(\"Last_Name\"); => Hopper"),
    RECORD("zoho.crm.getRecords", 1, 5, svc_get_records,
           "zoho.crm.getRecords(TEXT module, NUMBER page?, NUMBER per_page?, MAP query?, TEXT connection?) → LIST",
           "A page of records, 200 at most.",
           "zoho.crm.createRecord(\"Leads\",{\"Last_Name\":\"Hopper\"});\ninfo zoho.crm.getRecords(\"Leads\",1,10).size(); => 1"),
    RECORD("zoho.crm.v8.getRecords", 1, 5, svc_get_records_v8,
           "zoho.crm.v8.getRecords(TEXT module, MAP query?, NUMBER page?, NUMBER per_page?, TEXT connection?) → LIST",
           "As zoho.crm.getRecords, with the map first.",
           "zoho.crm.createRecord(\"Leads\",{\"Last_Name\":\"Hopper\"});\n"
           "info zoho.crm.v8.getRecords(\"Leads\",{\"fields\":\"Last_Name\"},1,10).get(0).get(\"Last_Name\"); => Hopper"),
    RECORD("zoho.crm.searchRecords", 2, 6, svc_search_records,
           "zoho.crm.searchRecords(TEXT module, TEXT criteria, NUMBER page?, NUMBER per_page?, MAP search?, TEXT connection?) → LIST",
           "Records that meet the criteria; with a search map (email, phone, word) the criteria may be empty.",
           "zoho.crm.createRecord(\"Leads\",{\"Last_Name\":\"Hopper\"});\ninfo zoho.crm.searchRecords(\"Leads\",\"(Last_Name:equals:Hopper)\").size(); => 1"),
    RECORD("zoho.crm.getRelatedRecords", 3, 7, svc_related_records,
           "zoho.crm.getRelatedRecords(TEXT relation, TEXT parent_module, NUMBER parent_id, NUMBER page?, NUMBER per_page?, MAP query?, TEXT connection?) → LIST",
           "Records of a related list.",
           "a = zoho.crm.createRecord(\"Accounts\",{\"Account_Name\":\"Navy\"});\n"
           "zoho.crm.createRecord(\"Contacts\",{\"Last_Name\":\"Hopper\",\"Account_Name\":a.get(\"id\")});\n"
           "info zoho.crm.getRelatedRecords(\"Contacts\",\"Accounts\",a.get(\"id\")).size(); => 1"),
    RECORD("zoho.crm.v8.getRelatedRecords", 3, 7, svc_related_records_v8,
           "zoho.crm.v8.getRelatedRecords(TEXT relation, TEXT parent_module, NUMBER parent_id, MAP query?, NUMBER page?, NUMBER per_page?, TEXT connection?) → LIST",
           "As zoho.crm.getRelatedRecords, with the map first.",
           "a = zoho.crm.createRecord(\"Accounts\",{\"Account_Name\":\"Navy\"});\n"
           "info zoho.crm.v8.getRelatedRecords(\"Contacts\",\"Accounts\",a.get(\"id\"),{\"fields\":\"Last_Name\"}).isEmpty(); => true"),
    RECORD("zoho.crm.getOrgVariable", 1, 1, svc_org_variable, "zoho.crm.getOrgVariable(TEXT name) → TEXT",
           "The value of an extension's variable (\"ns.name\" or \"ns__name\"); null when there is none.",
           "info zoho.crm.getOrgVariable(\"twilioext.apifunctionurl\"); => null"),
    RECORD("zoho.crm.invokeConnector", 2, 2, svc_invoke_connector, "zoho.crm.invokeConnector(TEXT api, MAP input) → MAP",
           "The built-in connector APIs crm.zapikey, crm.set, crm.create, crm.get, crm.update, crm.delete, crm.search, crm.getorg, crm.modulesmeta, "
           "raisesignal: {status_code, response}.",
           "r = zoho.crm.invokeConnector(\"crm.create\",{\"module\":\"Leads\",\"data\":{{\"Last_Name\":\"Hopper\"}}});\ninfo r.get(\"status_code\"); => 201"),
    {"invokeurl", 0, 1, 1, NATIVE_TASK | NATIVE_SLOW, 500, svc_invokeurl,
     "invokeurl [ url: … type: GET parameters: … headers: … body: … files: … detailed: true ] → any",
     "An outgoing HTTP request. JSON answers come back as a map or a list, other text as text; error statuses do not throw.",
     "r = invokeurl [ url: \"https://www.zohoapis.com/crm/v2/no_such_path\" detailed: true ];\ninfo r.get(\"responseCode\"); => 404",
     "SURE deluge-language.md §6"},
    {"getUrl", 0, 1, 3, NATIVE_SLOW, 500, svc_geturl, "getUrl(TEXT url, MAP headers?, BOOL simple?) → TEXT or MAP",
     "A GET request; deprecated at Zoho, use invokeurl.",
     "info getUrl(\"https://www.zohoapis.com/crm/v2/no_such_path\",false).get(\"responseCode\"); => 404", "SURE builtins §11.2"},
    {"postUrl", 0, 2, 4, NATIVE_SLOW, 500, svc_posturl, "postUrl(TEXT url, MAP body, MAP headers?, BOOL simple?) → TEXT or MAP",
     "A POST request with a form; deprecated at Zoho, use invokeurl.",
     "info postUrl(\"https://www.zohoapis.com/crm/v2/no_such_path\",{\"a\":1},false).get(\"responseCode\"); => 404", "SURE builtins §11.2"},
    {"sendmail", 0, 1, 1, NATIVE_TASK | NATIVE_SLOW, 10, svc_unavailable, "sendmail [ from: … to: … subject: … message: … ]",
     "Mail: not available here yet.",
     "try { sendmail [ from: zoho.adminuserid to: \"a@example.com\" subject: \"s\" message: \"m\" ]; } catch (e) { info e.message; } => sendmail is not available here",
     "SURE builtins §11.2"},
    {"invokeapi", 0, 1, 1, NATIVE_TASK | NATIVE_SLOW, 10, svc_unavailable, "invokeapi [ service: … path: … type: … ]",
     "Calls of other Zoho services: not available here.",
     "try { r = invokeapi [ service: zohobooks path: \"/x\" type: GET ]; } catch (e) { info e.message; } => invokeapi is not available here",
     "SURE builtins §11.2"},
    {"zoho.*", 0, 0, 64, NATIVE_SLOW, 10, svc_unavailable, "zoho.service.task(…)",
     "Tasks of other Zoho products (desk, books, creator …) compile and fail with a clear error.",
     "try { r = zoho.books.getRecords(\"invoices\",\"1\"); } catch (e) { info e.message; } => zoho.books.getRecords is not available here",
     "PRODUCT, Not ours"},
};
// clang-format on
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
