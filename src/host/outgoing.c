// SPDX-License-Identifier: Apache-2.0
// Every request that leaves a run goes this way, whoever makes it: invokeurl, connectors, wget, token refreshes. It is counted and limited
// here, a test may answer it, and what is for our own address or a Zoho host never leaves (nested.c).
#include "host/connection.h"
#include "host/trace.h"

// What a script can catch is its own error.
static bool catchable(struct fail *fail)
{
    if (fail->code == FAIL_OUTBOUND) {
        fail->code = FAIL_SCRIPT;
    }
    return false;
}

static bool set_limits(struct run *run, struct out_request *request, struct fail *fail)
{
    const struct host *host = run->host;
    int64_t left_ms = run_left_ms(run), most_ms = host->limits[LIMIT_OUTGOING_MS];
    if (left_ms <= 0) { // 0 would mean the standard time
        return fail_set(fail, FAIL_LIMIT, "The function ran longer than its limit of %lld ms", (long long)run->time_ms);
    }
    size_t bytes_max = (size_t)host->limits[LIMIT_OUTGOING_BYTES];
    request->timeout_ms = left_ms < most_ms ? left_ms : most_ms;
    request->reply_bytes_max = request->reply_bytes_max && request->reply_bytes_max < bytes_max ? request->reply_bytes_max : bytes_max;
    request->policy = (struct out_policy){.allow_loopback = host->options.outbound_loopback, .allow = host->options.outbound_allow};
    return true;
}

static bool send(struct run *run, struct out_request *request, struct heap *heap, struct out_response *ret_response, struct fail *fail)
{
    bool answered;
    if (!answers_request(run, request, true, heap, &answered, ret_response, fail)) {
        return catchable(fail);
    }
    return answered || out_fetch(request, heap, ret_response, fail) || catchable(fail);
}

// Counts the request and asks the test, if there is one, before anything of ours answers.
static bool begin(struct run *run, struct out_request *request, struct heap *heap, bool *ret_answered, struct out_response *ret_response,
                  struct fail *fail)
{
    return set_limits(run, request, fail) && run_count_outgoing(run, fail) &&
           (answers_request(run, request, false, heap, ret_answered, ret_response, fail) || catchable(fail));
}

bool outgoing_send(struct run *run, struct out_request *request, struct heap *heap, struct out_response *ret_response, struct fail *fail)
{
    bool answered;
    if (!begin(run, request, heap, &answered, ret_response, fail)) {
        return false;
    }
    if (answered) {
        return true;
    }
    if (nested_is_ours(run, request)) {
        return nested_fetch(run, request, NULL, heap, ret_response, fail) || catchable(fail);
    }
    return nested_service(run, request, fail) && send(run, request, heap, ret_response, fail);
}

// ---- requests of scripts ------------------------------------------------------------------------

// To Zoho the nested call needs no token under a connection. Our own address is a service like others: what the connection adds goes along.
static bool fetch_inside(struct run *run, struct connection_request *request, struct ext_connection *connection, struct heap *heap,
                         struct out_response *ret_response, struct fail *fail)
{
    struct identity as;
    if (connection && !connection_is(connection, "zoho") && nested_is_own(run, &request->out)) {
        return connection_apply(run, request, connection, fail) && nested_fetch(run, &request->out, NULL, heap, ret_response, fail);
    }
    return (!connection || connection_identity(run, connection, &as, fail)) &&
           nested_fetch(run, &request->out, connection ? &as : NULL, heap, ret_response, fail);
}

// A token that the service refuses is renewed once; the request is sent, and counted, a second time.
static bool send_applied(struct run *run, struct connection_request *request, struct ext_connection *connection, struct heap *heap,
                         struct out_response *ret_response, struct fail *fail)
{
    bool again = false;
    if (!connection_apply(run, request, connection, fail) || !set_limits(run, &request->out, fail) || // a token may have taken its time
        !send(run, &request->out, heap, ret_response, fail)) {
        return false;
    }
    if (ret_response->status == 401 && !connection_renew(run, request, connection, &again, fail)) {
        return false;
    }
    return !again || outgoing_send(run, &request->out, heap, ret_response, fail);
}

static bool send_authorised(struct run *run, struct connection_request *request, struct ext_connection *connection, struct heap *heap,
                            struct out_response *ret_response, struct fail *fail)
{
    bool done = false;
    struct view url = request->out.url;
    if (connection_is_made_up(run) && !answers_request(run, &request->out, true, heap, &done, ret_response, fail)) {
        return catchable(fail);
    }
    bool ok = done || send_applied(run, request, connection, heap, ret_response, fail);
    request->out.url = url; // whoever looks at the request later sees no key in it
    return ok;
}

static bool fetch(struct run *run, struct connection_request *request, struct view name, struct heap *heap,
                  struct out_response *ret_response, struct fail *fail)
{
    struct ext_connection connection;
    bool done;
    request->out.headers = request->headers;
    if (!begin(run, &request->out, heap, &done, ret_response, fail)) {
        return false;
    }
    if (done) {
        return true;
    }
    if (name.len && !connection_find(run, name, &connection, fail)) {
        return false;
    }
    if (nested_is_ours(run, &request->out)) {
        return fetch_inside(run, request, name.len ? &connection : NULL, heap, ret_response, fail) || catchable(fail);
    }
    if (!nested_service(run, &request->out, fail)) {
        return false;
    }
    return name.len ? send_authorised(run, request, &connection, heap, ret_response, fail)
                    : send(run, &request->out, heap, ret_response, fail);
}

bool outgoing_fetch(struct run *run, struct connection_request *request, struct view name, struct heap *heap,
                    struct out_response *ret_response, struct fail *fail)
{
    int64_t begun_ns = clock_monotonic_ns();
    bool ok = fetch(run, request, name, heap, ret_response, fail);
    trace_request(run, &request->out, begun_ns, ok ? ret_response->status : 0);
    return ok;
}
