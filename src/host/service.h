// SPDX-License-Identifier: Apache-2.0
// What the files of services (svc_*.c) share beyond inside.h, and the services that stand in files of their own.
#pragma once

#include "host/inside.h"

native_fn svc_bulk_create, svc_bulk_update, svc_upsert, svc_update_related, svc_convert_lead, svc_convert_lead_v8, svc_attach_file,
    svc_get_fields, svc_get_users, svc_sendmail, svc_invokeapi;

// The run's CRM session; false (and failed) where there is none.
bool service_session(struct native_call *call, struct crm_session **ret_session);
// The options map of a write, if argument `index` is there: the write runs workflow rules when its `trigger` (list or text) has "workflow" in
// it; where the org has no rules the run log says so once (spec/crm-api.md §1.2). After service_session.
void service_options(struct native_call *call, int index);
bool service_id(struct native_call *call, int index, int64_t *ret_id); // false: *call->ret is Zoho's error map
struct value service_list_of(struct native_call *call, struct value item); // a list of one; null without memory
// searchRecords("users", …): {"users":[…],"info":{…}}.
bool service_find_users(struct native_call *call, struct view criteria, struct view email);

// Connector APIs of extensions, and wget (svc_connector_api.c). False: call->fail is set.
bool connector_call(struct native_call *call, struct run *run, struct view name, const struct map *input, int *ret_status,
                    struct value *ret_response);
bool connector_wget(struct native_call *call, struct run *run, const char *method, const struct map *input, int *ret_status,
                    struct value *ret_response);
