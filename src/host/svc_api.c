// SPDX-License-Identifier: Apache-2.0
// invokeapi (spec/deluge-builtins.md §11.2): calls of Zoho's own services by path. The CRM is here, so `service: zohocrm` is an invokeurl
// of www.zohoapis.com, which is answered inside; the other services are not here, and their name is told.
#include "host/service.h"

static struct view attribute(const struct map *attributes, const char *name)
{
    return view_trim(value_view_or(value_resolve(map_get_text(attributes, view_of(name))), VIEW("")));
}

bool svc_invokeapi(struct native_call *call)
{
    struct map *attributes;
    if (!service_run(call) || !arg_map(call, 0, &attributes)) {
        return false;
    }
    struct view service = attribute(attributes, "service"), path = attribute(attributes, "path");
    if (!view_eq_nocase(service, VIEW("zohocrm"))) {
        return native_fail(call, "invokeapi: the service %.*s is not available here", VIEW_ARGS(service.len ? service : VIEW("\"\"")));
    }
    if (!view_starts(path, VIEW("/"))) {
        return native_fail(call, "invokeapi needs a path that starts with /");
    }
    struct value request = value_map(call->heap, attributes->count + 1);
    struct value url = value_text_printf(call->heap, "https://www.zohoapis.com%.*s", VIEW_ARGS(path));
    uint32_t cursor = 0;
    for (struct map_entry *entry; request.type == VALUE_MAP && (entry = map_next(attributes, &cursor));) {
        map_put(call->heap, request.map, entry->key, entry->value);
    }
    if (request.type != VALUE_MAP || !map_put_text(call->heap, request.map, VIEW("url"), url)) {
        return fail_set(call->fail, FAIL_LIMIT, "The request does not fit the function's memory");
    }
    struct native_call inner = *call;
    inner.args = &request;
    inner.count = 1;
    bool done = svc_invokeurl(&inner);
    call->cost = inner.cost;
    return done;
}
