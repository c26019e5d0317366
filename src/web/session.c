// SPDX-License-Identifier: Apache-2.0
//
// A session of the console as an identity. A browser sends its cookie along with whatever any page asks for, so the cookie alone opens
// nothing that changes something: such a request says the CSRF token too, which only a page of the session can read, and comes from no
// foreign page. The name under which it was asked must be one of ours, because a foreign name that leads here makes a foreign page one of
// the same origin (DNS rebinding).
#include "web/session.h"

#include "web/console_files.h"

bool console_is_there(void)
{
    return web_console_files_count > 0;
}

// ---- the cookie ---------------------------------------------------------------------------------

static struct view find_cookie(struct view header)
{
    while (header.len > 0) {
        struct view value = view_trim(view_cut(&header, ';')), name = view_cut(&value, '=');
        if (view_eq(view_trim(name), VIEW(SESSION_COOKIE))) {
            return view_trim(value);
        }
    }
    return VIEW_NONE;
}

struct view session_cookie(const struct exchange *exchange)
{
    for (int i = 0; i < exchange->header_count; i++) {
        struct view found = view_eq(exchange->headers[i].name, VIEW("cookie")) ? find_cookie(exchange->headers[i].value) : VIEW_NONE;
        if (found.len) {
            return found;
        }
    }
    return VIEW_NONE;
}

// The header's other cookies.
static struct view other_cookies(struct arena *arena, struct view header)
{
    struct buffer kept;
    buffer_init(&kept, header.len + 1);
    while (header.len > 0) {
        struct view pair = view_trim(view_cut(&header, ';')), value = pair;
        if (pair.len && !view_eq(view_trim(view_cut(&value, '=')), VIEW(SESSION_COOKIE))) {
            buffer_printf(&kept, "%s%.*s", kept.len ? "; " : "", VIEW_ARGS(pair));
        }
    }
    struct view copy = kept.failed ? VIEW_NONE : arena_copy(arena, buffer_view(&kept));
    buffer_free(&kept);
    return copy;
}

void session_hide(struct exchange *exchange)
{
    struct exchange_header *kept = arena_alloc(exchange->arena, ((size_t)exchange->header_count + 1) * sizeof *kept);
    int count = 0;
    for (int i = 0; kept && i < exchange->header_count; i++) {
        struct exchange_header header = exchange->headers[i];
        bool cookie = view_eq(header.name, VIEW("cookie"));
        bool token = exchange->identity.role != AUTH_ROLE_NONE && view_eq(header.name, VIEW("x-csrf-token"));
        if (cookie) {
            header.value = other_cookies(exchange->arena, header.value);
        }
        if (!token && (!cookie || header.value.len)) {
            kept[count++] = header;
        }
    }
    exchange->headers = kept;
    exchange->header_count = count;
    exchange->head = VIEW_NONE; // what came must not be kept
}

void session_keep_cookie(struct exchange *exchange)
{
    int count = 0;
    for (int i = 0; i < exchange->reply_header_count; i++) {
        struct view value = exchange->reply_headers[i].value, name = view_trim(view_cut(&value, '='));
        if (!view_eq_nocase(exchange->reply_headers[i].name, VIEW("set-cookie")) || !view_eq(name, VIEW(SESSION_COOKIE))) {
            exchange->reply_headers[count++] = exchange->reply_headers[i];
        }
    }
    exchange->reply_header_count = count;
}

// ---- where it came from -------------------------------------------------------------------------

// The last proxy's word, if it is one of ours.
static bool is_tls(struct host *host, const struct exchange *exchange)
{
    enum { PROXIES_MAX = 64 };
    struct address_range proxies[PROXIES_MAX];
    struct address peer;
    struct fail ignored;
    int count = 0;
    return view_eq_nocase(view_trim(exchange_header(exchange, VIEW("x-forwarded-proto"))), VIEW("https")) &&
           address_read(exchange->peer, &peer) &&
           address_list_read(host_options(host)->proxy_trusted, proxies, PROXIES_MAX, &count, &ignored) &&
           address_in_any(&peer, proxies, count);
}

// "localhost:8080" → "localhost", "[::1]:8080" → "[::1]".
static struct view host_name(const struct exchange *exchange)
{
    struct view host = view_trim(exchange_header(exchange, VIEW("host"))), rest = host;
    if (view_starts(host, VIEW("["))) {
        struct view inner = view_cut(&rest, ']');
        return view_slice(host, 0, inner.len + 1);
    }
    return view_cut(&rest, ':');
}

static bool is_loopback_name(struct view name)
{
    struct address address;
    if (view_eq_nocase(name, VIEW("localhost")) || view_eq(name, VIEW("[::1]"))) {
        return true;
    }
    return view_starts(name, VIEW("127.")) && address_read(name, &address);
}

bool session_check_host(struct host *host, const struct exchange *exchange, struct fail *fail)
{
    struct view name = host_name(exchange);
    if (exchange->local || (name.len && is_loopback_name(name))) {
        return true;
    }
    for (struct view rest = host_options(host)->console_hosts; rest.len > 0;) {
        if (name.len && view_eq_nocase(view_trim(view_cut(&rest, ',')), name)) {
            return true;
        }
    }
    return fail_set(fail, FAIL_NO_PERMISSION, "the console does not answer under this host name; add it to the setting console_hosts");
}

bool session_check_wire(struct host *host, const struct exchange *exchange, struct fail *fail)
{
    return exchange->local || is_loopback_name(host_name(exchange)) || is_tls(host, exchange) ||
           fail_set(fail, FAIL_NO_PERMISSION,
                    "sign in over TLS: a proxy of the setting proxy.trusted must say X-Forwarded-Proto: https; or on the server itself");
}

bool session_check_origin(const struct exchange *exchange, struct fail *fail)
{
    struct view origin = exchange_header(exchange, VIEW("origin")), site = exchange_header(exchange, VIEW("sec-fetch-site"));
    ptrdiff_t colon = view_find(origin, VIEW("://"));
    struct view place = colon < 0 ? VIEW("") : view_from(origin, (size_t)colon + 3);
    bool ours = !origin.data || (place.len && view_eq_nocase(place, view_trim(exchange_header(exchange, VIEW("host")))));
    return (ours && !view_eq(site, VIEW("cross-site"))) || fail_set(fail, FAIL_NO_PERMISSION, "this request came from a foreign page");
}

void session_set_cookie(struct host *host, struct exchange *exchange, const char *session)
{
    char cookie[256];
    snprintf(cookie, sizeof cookie, SESSION_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict%s; Max-Age=%lld", session ? session : "",
             is_tls(host, exchange) ? "; Secure" : "", session ? AUTH_SESSION_MS / 1000 : 0LL);
    exchange_reply_header(exchange, VIEW("Set-Cookie"), view_of(cookie));
}

// ---- the caller ---------------------------------------------------------------------------------

// Whatever runs a function changes something, by any method.
static bool is_change(const struct exchange *exchange, const struct web_route *route)
{
    return route->auth == WEB_AUTH_FUNCTION || !view_eq(exchange->method, VIEW("GET"));
}

static bool check_csrf(struct host *host, const struct exchange *exchange, struct view session, struct fail *fail)
{
    char token[AUTH_SESSION_LEN + 1];
    struct view said = exchange_header(exchange, VIEW("x-csrf-token"));
    auth_session_csrf(host_auth(host), session, token);
    return (said.len == AUTH_SESSION_LEN && seal_equal(said.data, token, AUTH_SESSION_LEN)) ||
           fail_set(fail, FAIL_NO_PERMISSION, "X-CSRF-Token is missing or wrong; load the page again");
}

// The row's own, else by what is done. A question in the body of a POST (scope …!READ) is a question.
static enum auth_role least_role(const struct exchange *exchange, const struct web_route *route)
{
    if (route->least != AUTH_ROLE_NONE) {
        return route->least;
    }
    bool asks = route->scope && view_ends(view_of(route->scope), VIEW("!READ"));
    return asks || !is_change(exchange, route) ? AUTH_ROLE_VIEWER : AUTH_ROLE_DEVELOPER;
}

bool session_identity(struct host *host, struct exchange *exchange, const struct web_route *route, struct fail *fail)
{
    struct view session = session_cookie(exchange);
    struct auth_account account;
    if (!console_is_there() || exchange->nested) {
        return fail_set(fail, FAIL_AUTHENTICATION, NULL);
    }
    if (!session_check_host(host, exchange, fail) || !host_session_find(host, session, &account, fail)) {
        return false;
    }
    if (is_change(exchange, route) && (!session_check_origin(exchange, fail) || !check_csrf(host, exchange, session, fail))) {
        return false;
    }
    if (account.role < least_role(exchange, route)) {
        return fail_set(fail, FAIL_NO_PERMISSION, "your role is %s; this needs %s", auth_role_name(account.role),
                        auth_role_name(least_role(exchange, route)));
    }
    struct view environment = exchange_header(exchange, VIEW("x-sluice-environment"));
    bool sandbox = exchange->sandbox || view_eq_nocase(environment, VIEW("sandbox"));
    if (!host_org_owner(host, exchange_header(exchange, VIEW("x-sluice-org")), sandbox, &exchange->identity, fail)) {
        return false;
    }
    exchange->identity.role = account.role;
    exchange->identity.account_id = account.id;
    return true;
}
