// SPDX-License-Identifier: Apache-2.0
// What a run did besides computing: tasks, mails and requests, in order. Every service is entered through the same function here. It notes
// the call in the run (kept.c keeps that with the run), and for whoever tests a function over the management API (spec/platform.md §4) as
// values, when the run has a trace.
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

// ---- in the run ---------------------------------------------------------------------------------

static struct view short_text(struct view text)
{
    return view_slice(text, 0, utf8_clamp(text, KEPT_DETAIL_BYTES_MAX));
}

static uint32_t microseconds(int64_t ns)
{
    return ns < 0 ? 0 : ns / 1000 > UINT32_MAX ? UINT32_MAX : (uint32_t)(ns / 1000);
}

// What is over the limits is counted, and no more.
static void note(struct run *run, struct kept_call call, int64_t begun_ns, struct view name, struct view method, struct view detail)
{
    if (run->call_count++ >= KEPT_CALLS_MAX || run->calls.max - run->calls.len < sizeof call + 3 * (KEPT_DETAIL_BYTES_MAX + 4)) {
        return;
    }
    name = short_text(name);
    method = view_slice(method, 0, 32);
    detail = view_slice(detail, 0, utf8_clamp(detail, KEPT_DETAIL_BYTES_MAX));
    call.start_us = microseconds(begun_ns - run->begun_ns);
    call.took_us = microseconds(clock_monotonic_ns() - begun_ns);
    call.name_len = (uint8_t)name.len;
    call.method_len = (uint8_t)method.len;
    call.detail_len = (uint8_t)detail.len;
    buffer_add(&run->calls, (struct view){(const char *)&call, sizeof call});
    buffer_add(&run->calls, name);
    buffer_add(&run->calls, method);
    buffer_add(&run->calls, detail);
}

// Without the query: keys stand there.
void trace_request(struct run *run, const struct out_request *request, int64_t begun_ns, int status)
{
    struct view rest = request->url, url = view_cut(&rest, '?');
    note(run, (struct kept_call){.request = 1, .status = status}, begun_ns, VIEW("invokeurl"), request->method, url);
    if (!run->trace) {
        return;
    }
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
    struct view name = view_of(call->native->name);
    bool mail = view_eq_nocase(name, VIEW("sendmail")), task = view_starts_nocase(name, VIEW("zoho."));
    if (!run || !(mail || task) || (call->native->flags & NATIVE_VARIABLE)) {
        return fn(call); // requests have rows of their own
    }
    int64_t begun_ns = clock_monotonic_ns();
    bool ok = fn(call);
    int outcome = !ok ? -1 : is_error(*call->ret) ? 0 : 1;
    struct view about = !mail && call->count > 0 ? value_view_or(call->args[0], VIEW("")) : VIEW("");
    note(run, (struct kept_call){.status = outcome}, begun_ns, name, VIEW(""), about);
    if (BASE_LIKELY(!run->trace)) {
        return ok;
    }
    if (mail) {
        run->trace->mails++;
    } else {
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
