// SPDX-License-Identifier: Apache-2.0
// zoho.crm.convertLead (spec/crm-api.md §1.1, §1.3): the unversioned task gives the ids, that of version 8 the row with names. Who would be
// notified is not: this CRM sends no mail of its own.
#include "host/service.h"

static bool convert_lead(struct native_call *call, int version)
{
    struct crm_session *session;
    struct value result, values = call->count > 1 ? call->args[1] : value_null();
    struct fail fail;
    int64_t id;
    if (!service_session(call, &session)) {
        return false;
    }
    if (!service_id(call, 0, &id)) {
        return true;
    }
    int before = session->api_version;
    session->api_version = version ? version : before;
    bool converted = crm_lead_convert(session, id, values, &result, &fail);
    session->api_version = before;
    if (!converted) {
        return service_error(call, &fail);
    }
    *call->ret = result;
    return true;
}

bool svc_convert_lead(struct native_call *call)
{
    return convert_lead(call, 0);
}

bool svc_convert_lead_v8(struct native_call *call)
{
    return convert_lead(call, 8);
}
