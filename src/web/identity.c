// SPDX-License-Identifier: Apache-2.0
//
// Who is calling, by the kind of the route row. Function URLs name their way in `auth_type`; without it the way is told by what came along
// (spec/platform.md §1.1; v1.0 URLs have only zapikey). Keys are looked for in the query and in the header X-Sluice-Key, never in the body:
// the body is not read before the caller is known.
#include "web/room.h"

static bool check_key(struct host *host, struct exchange *exchange, struct view key, struct fail *fail)
{
    return auth_key_check(host_auth(host), key, exchange->sandbox ? "sandbox" : "production", &exchange->identity, fail);
}

// A token belongs to one environment; the other one's URLs do not know it.
static bool check_token(struct host *host, struct exchange *exchange, struct view header, struct fail *fail)
{
    struct identity identity;
    if (!auth_token_check(host_auth(host), header, &identity, fail)) {
        return false;
    }
    if ((strcmp(identity.environment, "sandbox") == 0) != exchange->sandbox) {
        return fail_set(fail, FAIL_INVALID_TOKEN, NULL);
    }
    exchange->identity = identity;
    return true;
}

// The owner of the process: commands through control.sock, or in their own process. A script's calls to our own URLs are nobody's but their
// key's.
static bool is_owner(const struct exchange *exchange)
{
    return exchange->local && !exchange->nested;
}

// Of the default org, whose number is 1 (host makes it at the first start).
static void become_owner(struct exchange *exchange)
{
    exchange->identity = (struct identity){.kind = IDENTITY_OWNER, .org = "default", .org_number = 1};
    snprintf(exchange->identity.environment, sizeof exchange->identity.environment, "%s", exchange->sandbox ? "sandbox" : "production");
}

static bool find_caller(struct host *host, struct exchange *exchange, struct fail *fail)
{
    struct view type = exchange_param(exchange, VIEW("auth_type"));
    if (view_eq_nocase(type, VIEW("oauth"))) {
        return check_token(host, exchange, exchange_header(exchange, VIEW("authorization")), fail);
    }
    struct view key = exchange_param(exchange, VIEW("zapikey"));
    if (key.len == 0) {
        key = exchange_header(exchange, VIEW("x-sluice-key"));
    }
    if (key.len > 0) {
        return check_key(host, exchange, key, fail);
    }
    struct view authorization = exchange_header(exchange, VIEW("authorization"));
    if (type.len == 0 && authorization.len > 0) {
        return check_token(host, exchange, authorization, fail);
    }
    if (type.len == 0 && is_owner(exchange)) {
        become_owner(exchange);
        return true;
    }
    return fail_set(fail, FAIL_AUTHENTICATION, NULL);
}

// On this machine, and not a proxy on this machine that speaks for somebody else.
static bool is_near(const struct exchange *exchange)
{
    static const struct view forwarded[] = {VIEW("forwarded"), VIEW("x-forwarded-for"), VIEW("x-real-ip"), VIEW("via")};
    for (size_t i = 0; i < BASE_COUNT(forwarded); i++) {
        if (exchange_header(exchange, forwarded[i]).data) {
            return false;
        }
    }
    struct view peer = exchange->peer;
    return view_starts(peer, VIEW("127.")) || view_eq(peer, VIEW("::1")) || view_starts(peer, VIEW("::ffff:127."));
}

bool identity_find(struct host *host, struct exchange *exchange, enum web_auth auth, struct fail *fail)
{
    exchange->identity = (struct identity){.kind = IDENTITY_NONE};
    switch (auth) {
    case WEB_AUTH_FUNCTION:
        return find_caller(host, exchange, fail);
    case WEB_AUTH_API:
        if (is_owner(exchange)) {
            become_owner(exchange);
            return true;
        }
        return check_token(host, exchange, exchange_header(exchange, VIEW("authorization")), fail);
    case WEB_AUTH_NEAR:
    case WEB_AUTH_OWNER:
        if (is_owner(exchange)) {
            become_owner(exchange);
            return true;
        }
        return (auth == WEB_AUTH_NEAR && !exchange->nested && is_near(exchange)) || fail_set(fail, FAIL_URL_PATTERN, NULL);
    default:
        return true;
    }
}
