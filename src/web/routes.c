// SPDX-License-Identifier: Apache-2.0
//
// THE route table: what answers at the port and at control.sock. The dispatcher, `sluice docs api` and the test that no row is without a
// test read it. Function URLs are spec/platform.md §1.1 and §9 D1; the most called rows stand first, because the router asks them in order.
#include "web/room.h"

const struct web_route web_routes[] = {
    {WEB_ANY, "/crm/v{N}/functions/{api_name}/actions/execute", WEB_AUTH_FUNCTION, WEB_BODY_LIMIT, api_function_execute,
     "runs a function (2.0 URLs); auth_type=apikey with zapikey=K or the header X-Sluice-Key, or auth_type=oauth with Authorization",
     "ZohoCRM.functions.execute"},
    {WEB_ANY, "/crm/v{N}/settings/custom_functions/{api_name}/execute", WEB_AUTH_FUNCTION, WEB_BODY_LIMIT, api_function_execute,
     "runs a function (1.0 URLs); zapikey=K", "ZohoCRM.functions.execute"},

    {WEB_GET, "/crm/v{N}/signals/notifications", WEB_AUTH_API, WEB_BODY_SMALL, api_signals_list,
     "signals that were raised, newest first; module=, record_id=, page=, per_page=", "ZohoCRM.signals"},
    {WEB_POST, "/crm/v{N}/signals/notifications", WEB_AUTH_API, WEB_BODY_LIMIT, api_signals_raise,
     "raises signals of installed extensions: {\"signals\":[{\"signal_namespace\":…,\"subject\":…,\"message\":…,\"email\":…}]}", "ZohoCRM.signals"},

    {WEB_ANY, "/healthz", WEB_AUTH_NONE, WEB_BODY_SMALL, api_health_live, "200 while the process answers", NULL},
    {WEB_ANY, "/readyz", WEB_AUTH_NONE, WEB_BODY_SMALL, api_health_ready, "200 while new calls are taken, 503 while the process stops", NULL},
    {WEB_GET, "/metrics", WEB_AUTH_NEAR, WEB_BODY_SMALL, api_health_metrics, "Prometheus text; from this machine only", NULL},

    {WEB_GET, "/control/orgs", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_orgs_list, "organisations with their environments", NULL},
    {WEB_POST, "/control/orgs", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_org_new,
     "makes one: {\"name\":…,\"company\":…,\"admin_email\":…,\"time_zone\":…}", NULL},
    {WEB_GET, "/control/orgs/{org}", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_org_show, "one of them", NULL},
    {WEB_POST, "/control/orgs/{org}/sandbox", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_org_sandbox, "makes its sandbox", NULL},
    {WEB_GET, "/control/ext", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_ext_list, "installed extensions", NULL},
    {WEB_POST, "/control/ext/publish", WEB_AUTH_OWNER, WEB_BODY_PACKAGE, api_ext_publish,
     "publishes a version: {\"folder\":\"/absolute/path\"}, or the bytes of a zip as application/zip; namespace=, version=, name=, file=", NULL},
    {WEB_POST, "/control/ext/install", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_ext_install,
     "installs a published version: {\"namespace\":…,\"version\":…,\"reinstall\":false}", NULL},
    {WEB_POST, "/control/ext/upgrade", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_ext_upgrade,
     "to a newer published version: {\"namespace\":…,\"version\":…}", NULL},
    {WEB_POST, "/control/ext/rollback", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_ext_rollback,
     "to the version before, or a named older one: {\"namespace\":…,\"version\":…}", NULL},
    {WEB_POST, "/control/ext/{namespace}/uninstall", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_ext_uninstall,
     "takes it away: {\"drop_data\":false,\"force\":false}", NULL},
    {WEB_PUT, "/control/ext/{namespace}/variables/{variable}", WEB_AUTH_OWNER, WEB_BODY_LIMIT, api_ext_set,
     "sets a variable: {\"value\":\"…\"}", NULL},
    {WEB_GET, "/control/ext/{namespace}", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_ext_show,
     "one extension as `sluice ext show --json` prints it", NULL},
    {WEB_GET, "/control/keys/{namespace}", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_key_show, "its zapikey: {\"zapikey\":\"…\"}", NULL},
    {WEB_GET, "/control/keys", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_keys_list,
     "zapikeys without their secret: when they were made and used, when they end, their rules", NULL},
    {WEB_PUT, "/control/keys/{namespace}", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_key_rules,
     "sets its keys' rules: {\"rate\":\"120/minute\",\"allow\":\"10.0.0.0/8\"}; none, any and default too", NULL},
    {WEB_POST, "/control/keys/{namespace}/rotate", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_key_rotate,
     "makes a new one: {\"grace_ms\":0} is how long the one before still works", NULL},
    {WEB_POST, "/control/keys/{namespace}/revoke", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_key_revoke, "ends all its keys", NULL},
    {WEB_GET, "/control/fn", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_fn_list, "functions of the org", NULL},
    {WEB_POST, "/control/fn", WEB_AUTH_OWNER, WEB_BODY_LIMIT, api_fn_put,
     "puts functions: {\"functions\":[{\"file\":…,\"source\":…}],\"kind\":…,\"name\":…,\"apikey\":true,\"oauth\":true}", NULL},
    {WEB_GET, "/control/fn/{name}", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_fn_show, "one of them with its source", NULL},
    {WEB_DELETE, "/control/fn/{name}", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_fn_remove, "removes it", NULL},
    {WEB_GET, "/control/fn/{name}/history", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_fn_history, "its saved versions, newest first", NULL},
    {WEB_POST, "/control/fn/{name}/restore/{version}", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_fn_restore, "makes a saved version the newest",
     NULL},
    {WEB_GET, "/control/connections", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_connections_list, "connections, without their secrets", NULL},
    {WEB_POST, "/control/connections", WEB_AUTH_OWNER, WEB_BODY_LIMIT, api_connection_new,
     "makes one: {\"name\":…,\"definition\":{\"type\":…},\"secrets\":{…}}", NULL},
    {WEB_GET, "/control/connections/{name}", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_connection_show, "one of them", NULL},
    {WEB_DELETE, "/control/connections/{name}", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_connection_remove, "removes it", NULL},
    {WEB_GET, "/control/schedules", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_schedules_list, "functions that run by the clock", NULL},
    {WEB_PUT, "/control/schedules/{function}", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_schedule_set,
     "sets one: {\"cron\":\"0 2 * * *\",\"missed\":\"skip\",\"zone\":…}", NULL},
    {WEB_DELETE, "/control/schedules/{function}", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_schedule_remove, "takes it away", NULL},
    {WEB_POST, "/control/schedules/{function}/run", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_schedule_run, "runs it now, unless it is running",
     NULL},
    {WEB_GET, "/control/functions", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_function_urls,
     "callable functions with their URLs; namespace=NS for one extension, keys=true for whole keys", NULL},
    {WEB_GET, "/control/logs", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_logs,
     "runs, oldest first, and the number to ask from next time; function=, org=, environment=, failures=true, after=, limit=", NULL},
    {WEB_GET, "/control/audit", WEB_AUTH_OWNER, WEB_BODY_SMALL, api_audit,
     "who changed keys, versions, installations, orgs, clients and connections, oldest first; after=, limit=", NULL},

    {WEB_GET, "/crm/v{N}/settings/modules", WEB_AUTH_API, WEB_BODY_SMALL, api_modules_list, "modules", "ZohoCRM.settings.modules"},
    {WEB_GET, "/crm/v{N}/settings/modules/{module}", WEB_AUTH_API, WEB_BODY_SMALL, api_module_get, "one module, by its name or id",
     "ZohoCRM.settings.modules"},
    {WEB_GET, "/crm/v{N}/settings/fields", WEB_AUTH_API, WEB_BODY_SMALL, api_fields_list, "fields of module=",
     "ZohoCRM.settings.fields"},
    {WEB_GET, "/crm/v{N}/settings/fields/{field}", WEB_AUTH_API, WEB_BODY_SMALL, api_field_get, "one field of module=",
     "ZohoCRM.settings.fields"},
    {WEB_POST, "/crm/v{N}/coql", WEB_AUTH_API, WEB_BODY_SMALL, api_coql, "runs a query: {\"select_query\":\"select …\"}",
     "ZohoCRM.coql!READ"},
    {WEB_GET, "/crm/v{N}/org", WEB_AUTH_API, WEB_BODY_SMALL, api_org_get, "the organisation", "ZohoCRM.org"},
    {WEB_GET, "/crm/v{N}/users", WEB_AUTH_API, WEB_BODY_SMALL, api_users_list, "users; type=CurrentUser, ActiveUsers …",
     "ZohoCRM.users"},
    {WEB_GET, "/crm/v{N}/users/{id}", WEB_AUTH_API, WEB_BODY_SMALL, api_user_get, "one user", "ZohoCRM.users"},

    // Records: any module's name stands where these have {module}, so they come last.
    {WEB_GET, "/crm/v{N}/{module}/search", WEB_AUTH_API, WEB_BODY_SMALL, api_records_search,
     "searches by criteria, email, phone or word", "ZohoCRM.modules.{0} ZohoSearch.securesearch"},
    {WEB_POST, "/crm/v{N}/{module}/upsert", WEB_AUTH_API, WEB_BODY_LIMIT, api_records_upsert,
     "changes the records that are the same ones, adds the others", "ZohoCRM.modules.{0}"},
    {WEB_GET, "/crm/v{N}/{module}/deleted", WEB_AUTH_API, WEB_BODY_SMALL, api_records_deleted, "records that were deleted",
     "ZohoCRM.modules.{0}"},
    {WEB_POST, "/crm/v{N}/{module}/{id}/actions/clone", WEB_AUTH_API, WEB_BODY_SMALL, api_record_clone, "adds a copy of a record",
     "ZohoCRM.modules.{0}"},
    {WEB_GET, "/crm/v{N}/{module}/actions/count", WEB_AUTH_API, WEB_BODY_SMALL, api_records_count, "how many records there are",
     "ZohoCRM.modules.{0}"},
    {WEB_GET, "/crm/v{N}/{module}", WEB_AUTH_API, WEB_BODY_SMALL, api_records_list, "a page of records", "ZohoCRM.modules.{0}"},
    {WEB_POST, "/crm/v{N}/{module}", WEB_AUTH_API, WEB_BODY_LIMIT, api_records_insert, "adds at most 100 records", "ZohoCRM.modules.{0}"},
    {WEB_PUT, "/crm/v{N}/{module}", WEB_AUTH_API, WEB_BODY_LIMIT, api_records_update, "changes at most 100 records",
     "ZohoCRM.modules.{0}"},
    {WEB_DELETE, "/crm/v{N}/{module}", WEB_AUTH_API, WEB_BODY_SMALL, api_records_delete, "deletes the records of ids=",
     "ZohoCRM.modules.{0}"},
    {WEB_GET, "/crm/v{N}/{module}/{id}", WEB_AUTH_API, WEB_BODY_SMALL, api_record_get, "one whole record", "ZohoCRM.modules.{0}"},
    {WEB_PUT, "/crm/v{N}/{module}/{id}", WEB_AUTH_API, WEB_BODY_LIMIT, api_record_update, "changes one record", "ZohoCRM.modules.{0}"},
    {WEB_DELETE, "/crm/v{N}/{module}/{id}", WEB_AUTH_API, WEB_BODY_SMALL, api_record_delete, "deletes one record",
     "ZohoCRM.modules.{0}"},
    {WEB_POST, "/crm/v{N}/Leads/{id}/actions/convert", WEB_AUTH_API, WEB_BODY_LIMIT, api_lead_convert,
     "makes an account, a contact and maybe a deal of a lead", "ZohoCRM.modules.Leads"},
    {WEB_POST, "/crm/v{N}/{module}/{id}/Notes", WEB_AUTH_API, WEB_BODY_LIMIT, api_related_notes_add, "adds notes to a record",
     "ZohoCRM.modules.{0}"},
    {WEB_POST, "/crm/v{N}/{module}/{id}/Attachments", WEB_AUTH_API, WEB_BODY_UPLOAD, api_attachment_add,
     "hangs the part `file` of a form on a record", "ZohoCRM.modules.{0}"},
    {WEB_GET, "/crm/v{N}/{module}/{id}/Attachments/{attachment}", WEB_AUTH_API, WEB_BODY_SMALL, api_attachment_get,
     "the bytes of an attachment", "ZohoCRM.modules.{0}"},
    {WEB_DELETE, "/crm/v{N}/{module}/{id}/Attachments/{attachment}", WEB_AUTH_API, WEB_BODY_SMALL, api_attachment_remove,
     "deletes an attachment", "ZohoCRM.modules.{0}"},
    {WEB_GET, "/crm/v{N}/{module}/{id}/{relation}", WEB_AUTH_API, WEB_BODY_SMALL, api_related_list, "a page of a related list",
     "ZohoCRM.modules.{0}"},
    {WEB_PUT, "/crm/v{N}/{module}/{id}/{relation}", WEB_AUTH_API, WEB_BODY_LIMIT, api_related_update, "links records in a related list",
     "ZohoCRM.modules.{0}"},
    {WEB_DELETE, "/crm/v{N}/{module}/{id}/{relation}", WEB_AUTH_API, WEB_BODY_SMALL, api_related_remove,
     "takes the links of ids= away", "ZohoCRM.modules.{0}"},
    {WEB_PUT, "/crm/v{N}/{module}/{id}/{relation}/{related}", WEB_AUTH_API, WEB_BODY_LIMIT, api_related_update,
     "links one record in a related list", "ZohoCRM.modules.{0}"},
    {WEB_DELETE, "/crm/v{N}/{module}/{id}/{relation}/{related}", WEB_AUTH_API, WEB_BODY_SMALL, api_related_remove,
     "takes one link away", "ZohoCRM.modules.{0}"},
};
const int web_routes_count = BASE_COUNT(web_routes);

// ---- for `docs api` and tests -------------------------------------------------------------------

int web_route_count(void)
{
    return web_routes_count;
}

struct web_route_row web_route_at(int index)
{
    static const char *const auths[] = {[WEB_AUTH_NONE] = "none",
                                        [WEB_AUTH_FUNCTION] = "zapikey or OAuth",
                                        [WEB_AUTH_API] = "OAuth",
                                        [WEB_AUTH_NEAR] = "this machine",
                                        [WEB_AUTH_OWNER] = "owner (control.sock)"};
    const struct web_route *route = &web_routes[index];
    static const char *const methods[] = {[WEB_GET] = "GET",     [WEB_POST] = "POST",     [WEB_PUT] = "PUT",
                                          [WEB_PATCH] = "PATCH", [WEB_DELETE] = "DELETE", [WEB_ANY] = "any"};
    const char *method = methods[route->methods];
    return (struct web_route_row){method, route->pattern, auths[route->auth], route->text};
}
