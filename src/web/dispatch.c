// SPDX-License-Identifier: Apache-2.0
//
// The way of every exchange, whether it came through the port, control.sock or from a script of ours: path → row → identity → admission →
// body → handler. What fails on the way becomes a reply in Zoho's envelope. The order is the security of it: nothing is read, counted or
// looked up for a caller before the step that lets him.
#include "web/room.h"

// A refusal; those that ask for patience say how much (spec/platform.md §1.6: Zoho sends X-API-CREDITS-REMAINING, Retry-After is ours).
static void refuse(struct web *web, struct exchange *exchange, const struct fail *fail)
{
    struct metrics_shard *shard = &web->metrics.shards[loop_current() ? loop_index(loop_current()) : 0];
    exchange_reply_fail(exchange, fail);
    if (fail->code == FAIL_TOO_MANY || fail->code == FAIL_FULL) {
        _Atomic uint64_t *counter = fail->code == FAIL_FULL ? &shard->refused_process : &shard->refused_key;
        atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
        if (!exchange->reply_header_count) { // a rate has told its own time
            exchange_reply_header(exchange, VIEW("Retry-After"), VIEW("1"));
        }
        exchange_reply_header(exchange, VIEW("X-API-CREDITS-REMAINING"), VIEW("0"));
    }
    if (fail_status(fail->code) == 401) {
        atomic_fetch_add_explicit(&shard->unauthorized, 1, memory_order_relaxed);
    }
}

// For OPTIONS and for methods that a path does not take. HEAD comes with GET, OPTIONS with everything.
static void add_allow(struct exchange *exchange, unsigned methods)
{
    static const struct {
        unsigned bit;
        const char *text;
    } names[] = {{WEB_GET, "GET, HEAD, "}, {WEB_POST, "POST, "}, {WEB_PUT, "PUT, "}, {WEB_PATCH, "PATCH, "}, {WEB_DELETE, "DELETE, "}};
    char allow[64] = "";
    size_t len = 0;
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        if (methods & names[i].bit) {
            len += (size_t)snprintf(allow + len, sizeof allow - len, "%s", names[i].text);
        }
    }
    len += (size_t)snprintf(allow + len, sizeof allow - len, "OPTIONS");
    exchange_reply_header(exchange, VIEW("Allow"), (struct view){allow, len});
}

static void reply_options(struct exchange *exchange, unsigned methods)
{
    exchange->status = 204;
    add_allow(exchange, methods);
}

// Calls from inside bring their body along.
static bool read_body(struct web *web, struct exchange *exchange, enum web_body body, struct fail *fail)
{
    if (exchange->body_read || !exchange->read_body) {
        return true;
    }
    size_t bytes_max = body == WEB_BODY_SMALL     ? WEB_BODY_SMALL_BYTES
                       : body == WEB_BODY_PACKAGE ? EXT_PACKAGE_BYTES_MAX
                       : body == WEB_BODY_BULK    ? HOST_UPLOAD_BYTES_MAX + WEB_BODY_SMALL_BYTES
                       : body == WEB_BODY_UPLOAD  ? CRM_ATTACHMENT_BYTES_MAX + WEB_BODY_SMALL_BYTES
                                                  : (size_t)host_limit(web->host, LIMIT_BODY_BYTES);
    return exchange->read_body(exchange, bytes_max, fail);
}

// The host name counts for one thing only (spec/platform.md §9 D1).
static bool asks_sandbox(struct exchange *exchange, struct router_path *path)
{
    return router_path_cut_sandbox(path) || view_starts_nocase(exchange_header(exchange, VIEW("host")), VIEW("sandbox."));
}

// Leaves the decoded path in the exchange: handlers and logs want that one.
static bool find_route(struct exchange *exchange, struct router_match *match, struct fail *fail)
{
    struct router_path path;
    if (!router_path_read(exchange->arena, exchange->path, &path, fail)) {
        return false;
    }
    exchange->path = path.text;
    // A nested call comes without a host name: host has looked at it.
    exchange->sandbox = asks_sandbox(exchange, &path) || (exchange->nested && exchange->sandbox);
    if (router_find(web_routes, web_routes_count, &path, exchange->method, match, fail)) {
        return true;
    }
    if (fail->code == FAIL_METHOD) {
        add_allow(exchange, match->allowed);
    }
    return false;
}

// Host may be closing while connections of other loops still bring calls; what a running call asks for is part of that call.
static bool needs_host(const struct web_route *route)
{
    return route->auth != WEB_AUTH_NEAR && route->handle != api_health_live && route->handle != api_health_ready;
}

// What a counted call may still be refused for, once it is counted.
static bool check_rate(struct exchange *exchange, int *ret_left, struct fail *fail)
{
    *ret_left = INT32_MAX;
    return BASE_LIKELY(!exchange->identity.meter) || admission_rate(exchange, ret_left, fail);
}

static bool answer(struct web *web, struct exchange *exchange, struct fail *fail)
{
    struct router_match match;
    unsigned slot = 0;
    if (!find_route(exchange, &match, fail)) {
        return false;
    }
    const struct web_route *route = match.route;
    if (needs_host(route) && !exchange->nested && atomic_load(&web->stopped)) {
        return fail_set(fail, FAIL_CANCELLED, NULL);
    }
    if (!identity_find(web->host, exchange, route, match.params, fail)) {
        return false;
    }
    if (view_eq(exchange->method, VIEW("OPTIONS"))) {
        reply_options(exchange, match.allowed);
        return true;
    }
    bool counted = route->auth == WEB_AUTH_FUNCTION;
    if (counted && !admission_enter(&web->admission, &exchange->identity, &slot, fail)) {
        return false;
    }
    // The body is waited for inside the count: a slow upload is a call in flight.
    int left = INT32_MAX;
    bool good = (!counted || check_rate(exchange, &left, fail)) && read_body(web, exchange, route->body, fail);
    if (good) {
        route->handle(web, exchange, match.params);
    }
    if (counted) {
        admission_leave(&web->admission, slot);
        if (BASE_UNLIKELY(exchange->identity.meter) && good) {
            admission_tell(exchange, left);
        }
    }
    return good;
}

void web_dispatch(void *user, struct exchange *exchange)
{
    struct web *web = user;
    struct fail fail = {0};
    struct view method = exchange->method;
    exchange->status = 0;
    if (view_eq(method, VIEW("OPTIONS")) && view_eq(exchange->path, VIEW("*"))) {
        reply_options(exchange, WEB_ANY);
        return;
    }
    if (view_eq(method, VIEW("HEAD"))) {
        exchange->method = VIEW("GET"); // the transport leaves the body out
    }
    if (!answer(web, exchange, &fail)) {
        refuse(web, exchange, &fail);
    }
    if (exchange->status == 0) {
        fail_set(&fail, FAIL_INTERNAL, NULL);
        refuse(web, exchange, &fail);
    }
    exchange->method = method;
}
