// SPDX-License-Identifier: Apache-2.0
// Scripts that call our own URLs, or a Zoho host name's (PRODUCT, HTTP): the same dispatcher answers, without the network, as a run of its
// own with what is left of its parent's limits. It runs on a child fiber, because a run inside a run would need twice the stack.
#include "host/inside.h"

struct target {
    struct view host, port, path, query; // port without colon, empty = the scheme's
    bool sandbox;
};

static bool read_target(struct view url, struct target *target)
{
    bool tls = view_starts_nocase(url, VIEW("https://"));
    if (!tls && !view_starts_nocase(url, VIEW("http://"))) {
        return false;
    }
    struct view rest = view_from(url, tls ? 8 : 7);
    size_t end = 0;
    while (end < rest.len && !memchr("/?#", rest.data[end], 3)) {
        end++;
    }
    struct view authority = view_slice(rest, 0, end);
    rest = view_from(rest, end);
    if (view_find_char(authority, '@') >= 0) {
        return false; // user names in URLs: not ours
    }
    ptrdiff_t colon = -1;
    for (size_t i = 0; i < authority.len; i++) {
        colon = authority.data[i] == ':' ? (ptrdiff_t)i : authority.data[i] == ']' ? -1 : colon;
    }
    target->host = colon < 0 ? authority : view_slice(authority, 0, (size_t)colon);
    target->port = colon < 0 ? (tls ? VIEW("443") : VIEW("80")) : view_from(authority, (size_t)colon + 1);
    rest = view_cut(&rest, '#');
    target->path = view_cut(&rest, '?');
    target->path = target->path.len ? target->path : VIEW("/");
    target->query = rest;
    target->sandbox = view_starts_nocase(target->host, VIEW("sandbox."));
    return true;
}

static bool is_zoho_host(struct view host)
{
    static const char *const starts[] = {"crm.zoho.",         "platform.zoho.", "www.zohoapis.",   "content.zohoapis.",
                                         "sandbox.zohoapis.", "accounts.zoho.", "crmsandbox.zoho."};
    for (size_t i = 0; i < BASE_COUNT(starts); i++) {
        if (view_starts_nocase(host, view_of(starts[i]))) {
            return true;
        }
    }
    return false;
}

// www.zohoapis.com and content.zohoapis.com carry every service, told apart by the path's first part.
static bool is_crm(const struct target *target)
{
    struct view rest = view_from(target->path, 1), first = view_cut(&rest, '/');
    bool crm = view_eq(first, VIEW("crm")) || view_eq(first, VIEW("sandbox")) || view_eq(first, VIEW("oauth"));
    bool shared = view_starts_nocase(target->host, VIEW("www.zohoapis.")) || view_starts_nocase(target->host, VIEW("content.zohoapis."));
    return is_zoho_host(target->host) && (crm || !shared);
}

// The Zoho service that a host belongs to, by its first label; NULL for hosts that are none of Zoho's. "www" carries every service, told
// apart by the path.
static const char *service_of(const struct target *target)
{
    static const struct {
        const char *label, *service;
    } rows[] = {
        {"books", "Zoho Books"},
        {"desk", "Zoho Desk"},
        {"creator", "Zoho Creator"},
        {"people", "Zoho People"},
        {"projects", "Zoho Projects"},
        {"projectsapi", "Zoho Projects"},
        {"mail", "Zoho Mail"},
        {"recruit", "Zoho Recruit"},
        {"inventory", "Zoho Inventory"},
        {"invoice", "Zoho Invoice"},
        {"subscriptions", "Zoho Billing"},
        {"billing", "Zoho Billing"},
        {"sign", "Zoho Sign"},
        {"analyticsapi", "Zoho Analytics"},
        {"cliq", "Zoho Cliq"},
        {"campaigns", "Zoho Campaigns"},
        {"workdrive", "Zoho WorkDrive"},
        {"bigin", "Zoho Bigin"},
        {"writer", "Zoho Writer"},
        {"sheet", "Zoho Sheet"},
        {"flow", "Zoho Flow"},
        {"fsm", "Zoho FSM"},
        {"bookings", "Zoho Bookings"},
        {"expense", "Zoho Expense"},
        {"calendar", "Zoho Calendar"},
        {"meeting", "Zoho Meeting"},
        {"salesiq", "Zoho SalesIQ"},
        {"survey", "Zoho Survey"},
    };
    struct view rest = target->host, label = view_cut(&rest, '.');
    if (!view_starts_nocase(rest, VIEW("zoho.")) && !view_starts_nocase(rest, VIEW("zohoapis."))) {
        return NULL;
    }
    struct view path = view_from(target->path, 1), first = view_cut(&path, '/');
    bool by_path = view_eq_nocase(label, VIEW("www")) || view_eq_nocase(label, VIEW("sandbox"));
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        if (view_eq_nocase(by_path ? first : label, view_of(rows[i].label))) {
            return rows[i].service;
        }
    }
    return "this service of Zoho";
}

static bool is_loopback_name(struct view host)
{
    return view_eq_nocase(host, VIEW("localhost")) || view_eq(host, VIEW("127.0.0.1")) || view_eq(host, VIEW("[::1]"));
}

static bool is_own_address(const struct host *host, const struct target *target)
{
    struct view own = view_of(host->address);
    size_t colon = own.len;
    while (colon > 0 && own.data[colon - 1] != ':') {
        colon--;
    }
    if (!colon || !view_eq(view_from(own, colon), target->port)) {
        return false;
    }
    struct view name = view_slice(own, 0, colon - 1);
    bool everywhere = view_eq(name, VIEW("0.0.0.0")) || view_eq(name, VIEW("[::]"));
    return view_eq_nocase(name, target->host) || ((everywhere || is_loopback_name(name)) && is_loopback_name(target->host));
}

// ---- the exchange -------------------------------------------------------------------------------

struct nested_call {
    struct host *host;
    struct exchange exchange;
    struct arena arena;
};

static bool fill_exchange(struct nested_call *nested, const struct target *target, const struct out_request *request,
                          const struct host_nested *inherit, struct fail *fail)
{
    struct exchange *exchange = &nested->exchange;
    struct exchange_header *headers = arena_alloc(&nested->arena, (size_t)(request->header_count + 1) * sizeof *headers);
    if (!headers) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    *exchange = (struct exchange){.arena = &nested->arena,
                                  .method = request->method,
                                  .path = target->path,
                                  .query = target->query,
                                  .headers = headers,
                                  .body = request->body,
                                  .body_read = true,
                                  .sandbox = target->sandbox,
                                  .nested = inherit};
    exchange_make_id(exchange);
    for (int i = 0; i < request->header_count && i < HOST_HEADERS_MAX; i++) {
        struct view name = arena_copy(&nested->arena, request->headers[i].name);
        for (size_t k = 0; k < name.len; k++) {
            char *c = (char *)name.data + k;
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
        }
        headers[exchange->header_count++] = (struct exchange_header){name, request->headers[i].value};
    }
    exchange->content_type = exchange_header(exchange, VIEW("content-type"));
    return true;
}

static void dispatch_nested(void *arg)
{
    struct nested_call *nested = arg;
    nested->host->dispatch(nested->host->dispatch_user, &nested->exchange);
}

static bool copy_reply(struct exchange *exchange, struct heap *heap, struct out_response *ret_response, struct fail *fail)
{
    if (!exchange_collect(exchange, fail)) {
        return false;
    }
    struct value headers = value_map(heap, (size_t)exchange->reply_header_count + 2), body = value_text(heap, VIEW(""));
    char *space = heap_alloc(heap, exchange->reply_body.len + 1);
    if (headers.type != VALUE_MAP || body.type != VALUE_TEXT || !space) {
        return fail_set(fail, FAIL_LIMIT, "The response does not fit the function's memory");
    }
    map_set_nocase(headers.map);
    for (int i = 0; i < exchange->reply_header_count; i++) {
        struct value name = value_text(heap, exchange->reply_headers[i].name);
        for (size_t k = 0; value_is_text(name) && k < name.len; k++) {
            char *c = name.text->bytes + k;
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
        }
        map_put(heap, headers.map, name, value_text(heap, exchange->reply_headers[i].value));
    }
    map_put_text(heap, headers.map, VIEW("content-type"), value_text(heap, exchange->reply_type));
    map_put_text(heap, headers.map, VIEW("x-request-id"), value_text(heap, view_of(exchange->id)));
    if (exchange->reply_body.len) {
        memcpy(space, exchange->reply_body.data, exchange->reply_body.len);
    }
    struct value type = map_get_text(headers.map, VIEW("content-type"));
    *ret_response = (struct out_response){.status = exchange->status,
                                          .headers = headers,
                                          .content_type = value_view_or(type, VIEW("")),
                                          .body = {space, exchange->reply_body.len}};
    return true;
}

int64_t nested_journal(const struct host_nested *nested, const struct identity *who)
{
    const struct host_env *env = nested && nested->journal ? nested->journal_env : NULL;
    int64_t org = who->org_number ? who->org_number : AUTH_ORG_DEFAULT;
    return env && env->org_number == org && env->sandbox == (strcmp(who->environment, "sandbox") == 0) ? nested->journal : 0;
}

static bool is_ours(const struct host *host, const struct target *target)
{
    return host->dispatch && (is_own_address(host, target) || (!host->options.zoho_hosts_real && is_crm(target)));
}

bool nested_is_ours(const struct run *run, const struct out_request *request)
{
    struct target target;
    return read_target(request->url, &target) && is_ours(run->host, &target);
}

bool nested_is_own(const struct run *run, const struct out_request *request)
{
    struct target target;
    return run->host->dispatch && read_target(request->url, &target) && is_own_address(run->host, &target);
}

static bool refuse_service(const struct host *own, const struct target *target, struct fail *fail)
{
    const char *service = own->options.zoho_hosts_real ? NULL : service_of(target);
    struct view host = view_slice(target->host, 0, utf8_clamp(target->host, 200));
    return !service || fail_set(fail, FAIL_SCRIPT, "%s is not here, and the request to %.*s was not sent; a test can answer it", service,
                                VIEW_ARGS(host));
}

bool nested_service(const struct run *run, const struct out_request *request, struct fail *fail)
{
    struct target target;
    return !read_target(request->url, &target) || refuse_service(run->host, &target, fail);
}

bool nested_post(struct host *host, const struct host_env *env, const struct out_request *request, int workflow_depth, struct heap *heap,
                 bool *ret_ours, struct out_response *ret_response, struct fail *fail)
{
    int outgoing_left = (int)host->limits[LIMIT_OUTGOING_CALLS];
    struct target target;
    struct host_nested inherit = {.depth = 1,
                                  .deadline_ns = clock_monotonic_ns() + host->limits[LIMIT_TIME_MS] * 1000000,
                                  .outgoing_left = &outgoing_left,
                                  .statements_left = host->limits[LIMIT_STATEMENTS],
                                  .workflow_depth = workflow_depth};
    bool read = read_target(request->url, &target);
    *ret_ours = read && is_ours(host, &target);
    if (!*ret_ours) {
        return !read || refuse_service(host, &target, fail);
    }
    struct nested_call nested = {.host = host};
    arena_init(&nested.arena, HOST_EXCHANGE_BYTES_MAX);
    bool ok = fill_exchange(&nested, &target, request, &inherit, fail);
    nested.exchange.sandbox |= env->sandbox && !is_own_address(host, &target);
    ok = ok && loop_call(dispatch_nested, &nested, fail) && copy_reply(&nested.exchange, heap, ret_response, fail);
    arena_free(&nested.arena);
    return ok;
}

bool nested_fetch(struct run *run, const struct out_request *request, const struct identity *as, struct heap *heap,
                  struct out_response *ret_response, struct fail *fail)
{
    struct host *host = run->host;
    struct target target;
    if (!read_target(request->url, &target)) {
        return fail_set(fail, FAIL_INTERNAL, NULL);
    }
    if (run->depth >= host->limits[LIMIT_NESTED]) {
        return fail_set(fail, FAIL_LIMIT, "Functions that call functions by URL are nested deeper than %lld",
                        (long long)host->limits[LIMIT_NESTED]);
    }
    struct host_nested inherit = {.depth = run->depth + 1,
                                  .deadline_ns = run_deadline_ns(run),
                                  .outgoing_left = run->outgoing,
                                  .statements_left = run->statements_max - vm_statements(run->vm),
                                  .journal = run->journal,
                                  .journal_env = run->env,
                                  .workflow_depth = run->workflow_depth};
    struct nested_call nested = {.host = host};
    arena_init(&nested.arena, HOST_EXCHANGE_BYTES_MAX);
    bool ok = fill_exchange(&nested, &target, request, &inherit, fail);
    // A sandbox's script that asks a Zoho host means its own sandbox, as there; under a connection it always does.
    nested.exchange.sandbox |= run->env && run->env->sandbox && (as || !is_own_address(host, &target));
    if (as) {
        nested.exchange.identity = *as;
        nested.exchange.trusted = true;
    }
    if (ok && loop_fiber()) {
        ok = loop_call(dispatch_nested, &nested, fail);
    } else if (ok) {
        dispatch_nested(&nested);
    }
    ok = ok && copy_reply(&nested.exchange, heap, ret_response, fail);
    arena_free(&nested.arena);
    return ok;
}
