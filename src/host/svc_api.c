// SPDX-License-Identifier: Apache-2.0
// invokeapi (spec/deluge-builtins.md §11.2): calls of Zoho's own services by path, which is an invokeurl of www.zohoapis.com. The CRM is
// answered inside; a request to another service is told its name, unless a test answers it (nested.c).
#include "host/service.h"

static struct view attribute(const struct map *attributes, const char *name)
{
    return view_trim(value_view_or(value_resolve(map_get_text(attributes, view_of(name))), VIEW("")));
}

static bool is_service(struct view service)
{
    static const char *const services[] = {"zohocrm",       "zohobooks",    "zohoinvoice", "zohobilling",
                                           "zohoinventory", "zohobookings", "zohocreator", "zohoworkdrive"};
    for (size_t i = 0; i < BASE_COUNT(services); i++) {
        if (view_eq_nocase(service, view_of(services[i]))) {
            return true;
        }
    }
    return false;
}

bool svc_invokeapi(struct native_call *call)
{
    struct map *attributes;
    if (!service_run(call) || !arg_map(call, 0, &attributes)) {
        return false;
    }
    struct view service = attribute(attributes, "service"), path = attribute(attributes, "path");
    if (!is_service(service)) {
        return native_fail(call, "invokeapi does not know the service %.*s", VIEW_ARGS(service.len ? service : VIEW("\"\"")));
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
