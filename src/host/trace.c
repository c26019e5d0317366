// SPDX-License-Identifier: Apache-2.0
// What a run did besides computing, for whoever tests a function over the management API (spec/platform.md §4): tasks, mails and requests,
// in order. Every service is entered through the same function here, which looks whether the run has a trace; nobody else's has.
#include "host/trace.h"

#include <stdlib.h>

enum { CALLS_MAX = 1000, STATUS_DONE = 200, STATUS_REFUSED = 400 };

static void put(struct heap *heap, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, view_of(key), value);
    }
}

static void add(struct run *run, const char *function, struct view method, int status, int64_t begun_ns, const char *detail,
                struct view what)
{
    struct heap *heap = &run->heap;
    struct trace *trace = run->trace;
    struct value call = value_map(heap, 5), details = value_map(heap, 1);
    if (!trace->calls || trace->calls->count >= CALLS_MAX || heap->failed) {
        return;
    }
    put(heap, details, detail, value_text(heap, what));
    if (method.len) {
        put(heap, call, "http_method", value_text(heap, method));
    }
    put(heap, call, "status_code", status ? value_number(status) : value_null());
    put(heap, call, "time_taken_in_ms", value_number((clock_monotonic_ns() - begun_ns) / 1000000));
    put(heap, call, "function_name", value_text(heap, view_of(function)));
    put(heap, call, "details", details);
    list_add(heap, trace->calls, call);
}

// Without the query: keys stand there.
void trace_request(struct run *run, const struct out_request *request, int64_t begun_ns, int status)
{
    struct view rest = request->url, url = view_cut(&rest, '?');
    add(run, "invoke_url", request->method, status, begun_ns, "url", url);
}

// ---- services -----------------------------------------------------------------------------------

static bool is_error(struct value value)
{
    const struct map *map = value_as_map(value_resolve(value));
    return map && view_eq_nocase(value_view_or(map_get_text(map, VIEW("status")), VIEW("")), VIEW("error"));
}

static struct native *entered; // services_table with `enter` in every row
static native_fn enter;

static bool enter(struct native_call *call)
{
    struct run *run = call->host;
    native_fn *fn = services_table[call->native - entered].fn;
    if (BASE_LIKELY(!run || !run->trace) || (call->native->flags & NATIVE_VARIABLE)) {
        return fn(call);
    }
    struct view name = view_of(call->native->name);
    int64_t begun_ns = clock_monotonic_ns();
    bool ok = fn(call);
    if (view_eq_nocase(name, VIEW("sendmail"))) {
        run->trace->mails++;
    } else if (view_starts_nocase(name, VIEW("zoho."))) { // requests have rows of their own
        run->trace->tasks++;
        add(run, "integration_task", VIEW(""), !ok ? 0 : is_error(*call->ret) ? STATUS_REFUSED : STATUS_DONE, begun_ns, "task", name);
    }
    return ok;
}

const struct native *trace_services(void)
{
    entered = calloc(services_count, sizeof *entered);
    for (size_t i = 0; entered && i < services_count; i++) {
        entered[i] = services_table[i];
        entered[i].fn = enter;
    }
    return entered;
}
