// SPDX-License-Identifier: Apache-2.0
// The table of services: natives that touch the platform (spec/crm-api.md §1, spec/deluge-builtins.md §10, §11). One row a name; the
// functions stand in svc_*.c. Rows of other Zoho products compile and answer with a clear error.
#include "host/connection.h"
#include "host/service.h"

// What a task of the CRM does with its module, in words of OAuth scopes; {0}, {1}: the argument that names the module.
static bool scope_of(struct native_call *call, struct buffer *out)
{
    static const struct {
        const char *verb, *scope;
    } rows[] = {
        {"getFields", "ZohoCRM.settings.fields.READ"},
        {"getOrgVariable", "ZohoCRM.settings.variables.READ"},
        {"getUsers", "ZohoCRM.users.READ"},
        {"getRelatedRecords", "ZohoCRM.modules.{1}.READ"},
        {"updateRelatedRecord", "ZohoCRM.modules.{2}.UPDATE"},
        {"convertLead", "ZohoCRM.modules.Leads.CREATE"},
        {"attachFile", "ZohoCRM.modules.{0}.CREATE"},
        {"upsert", "ZohoCRM.modules.{0}.CREATE ZohoCRM.modules.{0}.UPDATE"},
        {"create", "ZohoCRM.modules.{0}.CREATE"},
        {"bulkCreate", "ZohoCRM.modules.{0}.CREATE"},
        {"update", "ZohoCRM.modules.{0}.UPDATE"},
        {"bulkUpdate", "ZohoCRM.modules.{0}.UPDATE"},
        {"", "ZohoCRM.modules.{0}.READ"},
    };
    struct view rest = view_of(call->native->name), verb = rest;
    while (rest.len) {
        verb = view_cut(&rest, '.');
    }
    size_t row = 0;
    while (!view_starts_nocase(verb, view_of(rows[row].verb))) { // the last row is everything's
        row++;
    }
    rest = view_of(rows[row].scope);
    for (ptrdiff_t at; (at = view_find_char(rest, '{')) >= 0;) {
        int index = rest.data[at + 1] - '0';
        buffer_add(out, view_slice(rest, 0, (size_t)at));
        buffer_add(out, view_slice(value_view_or(call->args[index], VIEW("")), 0, EXT_NAME_MAX));
        rest = view_from(rest, (size_t)at + 3);
    }
    buffer_add(out, rest);
    return !out->failed;
}

// A task that is given a connection, as its last argument, acts with the scopes of that.
static bool check_connection(struct native_call *call)
{
    enum { SCOPE_BYTES_MAX = 512 };
    struct value last = call->count == call->native->args_max && call->count > 1 ? value_resolve(call->args[call->count - 1]) : value_null();
    struct view name = view_trim(value_view_or(last, VIEW("")));
    if (!name.len || !strstr(call->native->signature, "TEXT connection?)")) {
        return true;
    }
    struct buffer scope;
    buffer_init(&scope, SCOPE_BYTES_MAX);
    bool ok = scope_of(call, &scope) ? connection_allows(call->host, name, buffer_view(&scope), call->fail)
                                     : native_fail(call, "the name of the module is too long");
    buffer_free(&scope);
    return ok;
}

struct run *service_run(struct native_call *call)
{
    if (!call->host) {
        native_fail(call, "%s needs a CRM, and this script runs without one", call->native->name);
        return NULL;
    }
    return check_connection(call) ? call->host : NULL;
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
    SYSTEM("zoho.adminuserid", svc_system_admin_email, "E-mail of the org's super admin.", "info zoho.adminuserid; => admin@example.com"),
    SYSTEM("zoho.loginuser", svc_system_user_name, "Name of the calling user.", "info zoho.loginuser; => Super Admin"),
    SYSTEM("zoho.adminuser", svc_system_admin_name, "Name of the org's super admin.", "info zoho.adminuser; => Super Admin"),
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
    RECORD("zoho.crm.bulkCreate", 2, 4, svc_bulk_create,
           "zoho.crm.bulkCreate(TEXT module, LIST records, MAP options?, TEXT connection?) → LIST",
           "Creates at most 100 records. Gives a result a record, in order: {code, details, message, status}; a bad one stops none of the others.",
           "r = zoho.crm.bulkCreate(\"Leads\",{{\"Last_Name\":\"Hopper\"},{\"Company\":\"Navy\"}});\n"
           "info r.get(0).get(\"code\") + \" \" + r.get(1).get(\"code\"); => SUCCESS MANDATORY_NOT_FOUND"),
    RECORD("zoho.crm.bulkUpdate", 2, 4, svc_bulk_update,
           "zoho.crm.bulkUpdate(TEXT module, LIST records, MAP options?, TEXT connection?) → LIST",
           "Changes at most 100 records; each map holds an \"id\". Results as of bulkCreate.",
           "id = zoho.crm.createRecord(\"Leads\",{\"Last_Name\":\"Hopper\"}).get(\"id\");\n"
           "info zoho.crm.bulkUpdate(\"Leads\",{{\"id\":id,\"Company\":\"Navy\"}}).get(0).get(\"message\"); => record updated"),
    RECORD("zoho.crm.upsert", 2, 4, svc_upsert, "zoho.crm.upsert(TEXT module, MAP record, MAP duplicate_check?, TEXT connection?) → MAP",
           "Changes the record that is the same one (by {\"duplicate_check_fields\": [names]}, or the module's own field and unique ones), or creates it.",
           "zoho.crm.createRecord(\"Leads\",{\"Last_Name\":\"Hopper\",\"Email\":\"g@example.com\"});\n"
           "r = zoho.crm.upsert(\"Leads\",{\"Last_Name\":\"Murray\",\"Email\":\"g@example.com\"},{\"duplicate_check_fields\":{\"Email\"}});\n"
           "info r.get(\"action\") + \" by \" + r.get(\"duplicate_field\"); => update by Email"),
    RECORD("zoho.crm.updateRelatedRecord", 5, 6, svc_update_related,
           "zoho.crm.updateRelatedRecord(TEXT relation, NUMBER id, TEXT parent_module, NUMBER parent_id, MAP fields, TEXT connection?) → MAP",
           "Links a record to another in a related list, or changes what the link says (Member_Status, Contact_Role …).",
           "l = zoho.crm.createRecord(\"Leads\",{\"Last_Name\":\"Hopper\"});\nc = zoho.crm.createRecord(\"Campaigns\",{\"Campaign_Name\":\"Fair\"});\n"
           "zoho.crm.updateRelatedRecord(\"Campaigns\",c.get(\"id\"),\"Leads\",l.get(\"id\"),{\"Member_Status\":\"Active\"});\n"
           "info zoho.crm.getRelatedRecords(\"Campaigns\",\"Leads\",l.get(\"id\")).get(0).get(\"Member_Status\"); => Active"),
    RECORD("zoho.crm.convertLead", 1, 3, svc_convert_lead, "zoho.crm.convertLead(NUMBER id, MAP values?, TEXT connection?) → MAP",
           "Makes an account, a contact and (with {\"Deals\": {…}}) a deal of a lead: {Contacts, Deals, Accounts} with their ids, or the error map.",
           "l = zoho.crm.createRecord(\"Leads\",{\"Last_Name\":\"Hopper\",\"Company\":\"Navy\"});\nr = zoho.crm.convertLead(l.get(\"id\"));\n"
           "info zoho.crm.getRecordById(\"Contacts\",r.get(\"Contacts\")).get(\"Account_Name\").get(\"name\"); => Navy"),
    RECORD("zoho.crm.v8.convertLead", 1, 3, svc_convert_lead_v8, "zoho.crm.v8.convertLead(NUMBER id, MAP values?, TEXT connection?) → MAP",
           "As zoho.crm.convertLead; the result has a code and the names: details.Contacts.name.",
           "l = zoho.crm.createRecord(\"Leads\",{\"Last_Name\":\"Hopper\"});\n"
           "info zoho.crm.v8.convertLead(l.get(\"id\")).get(\"details\").get(\"Contacts\").get(\"name\"); => Hopper"),
    RECORD("zoho.crm.attachFile", 3, 4, svc_attach_file, "zoho.crm.attachFile(TEXT module, NUMBER id, FILE file, TEXT connection?) → MAP",
           "Hangs a file of at most 20 MB on a record; the related list Attachments shows it.",
           "l = zoho.crm.createRecord(\"Leads\",{\"Last_Name\":\"Hopper\"});\n"
           "zoho.crm.attachFile(\"Leads\",l.get(\"id\"),\"hello\".toFile(\"note.txt\"));\n"
           "info zoho.crm.getRelatedRecords(\"Attachments\",\"Leads\",l.get(\"id\")).get(0).get(\"File_Name\"); => note.txt"),
    RECORD("zoho.crm.getFields", 1, 2, svc_get_fields, "zoho.crm.getFields(TEXT module, TEXT connection?) → MAP",
           "The fields of a module as settings/fields shows them: {fields: [{api_name, data_type …}]}.",
           "info zoho.crm.v8.getFields(\"Leads\").get(\"fields\").get(0).get(\"api_name\"); => id"),
    {"zoho.crm.getUsers", 0, 0, 3, NATIVE_SLOW, 200, svc_get_users, "zoho.crm.getUsers() → MAP", "The org's users: {users: [{id, email, full_name …}], info}.",
     "info zoho.crm.getUsers().get(\"users\").get(0).get(\"email\"); => admin@example.com", "GUESS spec/crm-api.md §1.1"},
    RECORD("zoho.crm.getOrgVariable", 1, 2, svc_org_variable, "zoho.crm.getOrgVariable(TEXT name, TEXT connection?) → TEXT",
           "The value of an extension's variable (\"ns.name\" or \"ns__name\"); null when there is none.",
           "info zoho.crm.getOrgVariable(\"twilioext.apifunctionurl\"); => null"),
    RECORD("zoho.crm.invokeConnector", 2, 2, svc_invoke_connector, "zoho.crm.invokeConnector(TEXT api, MAP input) → MAP",
           "The connector APIs crm.zapikey, crm.set, crm.create, crm.get, crm.update, crm.delete, crm.search, crm.getorg, crm.modulesmeta, "
           "raisesignal, wget.get … wget.delete, and an extension's own (namespace.connector.api): {status_code, response}.",
           "r = zoho.crm.invokeConnector(\"crm.create\",{\"module\":\"Leads\",\"data\":{{\"Last_Name\":\"Hopper\"}}});\ninfo r.get(\"status_code\"); => 201"),
    {"invokeurl", 0, 1, 1, NATIVE_TASK | NATIVE_SLOW, 500, svc_invokeurl,
     "invokeurl [ url: … type: GET parameters: … headers: … body: … files: … detailed: true ] → any",
     "An outgoing HTTP request. JSON answers come back as a map or a list, other text as text; error statuses do not throw.",
     "r = invokeurl [ url: \"https://www.zohoapis.com/crm/no_such_path\" detailed: true ];\ninfo r.get(\"responseCode\"); => 404",
     "SURE deluge-language.md §6"},
    {"getUrl", 0, 1, 3, NATIVE_SLOW, 500, svc_geturl, "getUrl(TEXT url, MAP headers?, BOOL simple?) → TEXT or MAP",
     "A GET request; deprecated at Zoho, use invokeurl.",
     "info getUrl(\"https://www.zohoapis.com/crm/no_such_path\",false).get(\"responseCode\"); => 404", "SURE builtins §11.2"},
    {"postUrl", 0, 2, 4, NATIVE_SLOW, 500, svc_posturl, "postUrl(TEXT url, MAP body, MAP headers?, BOOL simple?) → TEXT or MAP",
     "A POST request with a form; deprecated at Zoho, use invokeurl.",
     "info postUrl(\"https://www.zohoapis.com/crm/no_such_path\",{\"a\":1},false).get(\"responseCode\"); => 404", "SURE builtins §11.2"},
    {"sendmail", 0, 1, 1, NATIVE_TASK | NATIVE_SLOW, 500, svc_sendmail,
     "sendmail [ from: … to: … cc: … bcc: … reply to: … subject: … message: … content type: HTML attachments: file:… ]",
     "A mail through the server of setting mail.smtp_url. `from` is zoho.adminuserid or zoho.loginuserid, also as \"Name <…>\"; people are text with "
     "commas or a list.",
     "try { sendmail [ from: zoho.adminuserid to: \"a@example.com\" subject: \"s\" message: \"m\" ]; } catch (e) { info e.message; } => "
     "mail is not set up here: setting mail.smtp_url names no server",
     "SURE builtins §11.2"},
    {"invokeapi", 0, 1, 1, NATIVE_TASK | NATIVE_SLOW, 500, svc_invokeapi, "invokeapi [ service: zohocrm path: … type: … ] → any",
     "invokeurl of Zoho's API by path; the service zohocrm is answered here, others are not available.",
     "r = invokeapi [ service: zohocrm path: \"/crm/no_such_path\" type: GET ];\ninfo r.get(\"code\"); => INVALID_URL_PATTERN",
     "SURE builtins §11.2"},
    {"zoho.crm.raiseSignal", 0, 1, 1, NATIVE_SLOW, 200, svc_raise_signal, "zoho.crm.raiseSignal(MAP signal) → MAP",
     "Raises a signal: signal_namespace, subject, message, email, actions. Gives the result, or the error map.",
     "info zoho.crm.raiseSignal({\"signal_namespace\":\"standalone.sms\",\"subject\":\"SMS\",\"message\":\"hi\"}).get(\"code\"); => SUCCESS",
     "LIKELY crm-api.md §1.5"},
    // Spellings that field code has and the current pages do not list.
    {"zoho.crm.create", 0, 2, 4, NATIVE_SLOW, 200, svc_create_record, "zoho.crm.create(TEXT module, MAP record, MAP options?, TEXT connection?) → MAP",
     "The older name of zoho.crm.createRecord.", "info zoho.crm.create(\"Leads\",{\"Company\":\"Navy\"}).get(\"code\"); => MANDATORY_NOT_FOUND",
     "GUESS: as createRecord"},
    {"zoho.crm.update", 0, 3, 5, NATIVE_SLOW, 200, svc_update_record,
     "zoho.crm.update(TEXT module, NUMBER id, MAP record, MAP options?, TEXT connection?) → MAP", "The older name of zoho.crm.updateRecord.",
     "info zoho.crm.update(\"Leads\",1,{\"Company\":\"Navy\"}).get(\"code\"); => INVALID_DATA", "GUESS: as updateRecord"},
    {"zoho.crm._searchRecords", 0, 2, 6, NATIVE_SLOW, 200, svc_search_records,
     "zoho.crm._searchRecords(TEXT module, TEXT criteria, NUMBER page?, NUMBER per_page?, MAP search?, TEXT connection?) → LIST",
     "Another spelling of zoho.crm.searchRecords.", "info zoho.crm._searchRecords(\"Leads\",\"(Last_Name:equals:Hopper)\").size(); => 0",
     "GUESS: as searchRecords"},
    {"zoho.crm.deleteRecord", 0, 2, 4, NATIVE_SLOW, 10, svc_unavailable, "zoho.crm.deleteRecord(TEXT module, NUMBER id)",
     "No task of Zoho CRM, though scripts call it: it fails when it runs. Use zoho.crm.invokeConnector(\"crm.delete\", …).",
     "try { zoho.crm.deleteRecord(\"Leads\",1); } catch (e) { info e.message; } => zoho.crm.deleteRecord is not available here",
     "SURE crm-api.md §1.1: there is no such task"},
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
    int first = view_eq(name, VIEW("zoho.*")) && call->count > 0 ? 1 : 0;
    name = first ? value_view_or(call->args[0], name) : name;
    const struct run *run = call->host;
    const struct host_answers *answers = run ? run->host->answers : NULL;
    bool answered = false;
    if (answers && !answers->task(answers->user, name, call->args + first, call->count - first, call->heap, &answered, call->ret, call->fail)) {
        return false;
    }
    if (answered) {
        return true;
    }
    return native_fail(call, "%.*s is not available here", VIEW_ARGS(name));
}
