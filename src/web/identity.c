// SPDX-License-Identifier: Apache-2.0
//
// Who is calling, by the kind of the route row. Function URLs name their way in `auth_type`; without it the way is told by what came along
// (spec/platform.md §1.1; v1.0 URLs have only zapikey). Keys are looked for in the query and in the header X-Sluice-Key, never in the body:
// the body is not read before the caller is known.
#include "web/session.h"

struct caller {
    struct host *host;
    const struct exchange *exchange;
};

static bool find_address(void *user, struct address *ret_address)
{
    const struct caller *caller = user;
    return caller_address(&host_options(caller->host)->proxy_trusted, caller->exchange, ret_address);
}

// Scripts and commands of this process have no address.
static bool check_key(struct host *host, struct exchange *exchange, struct view key, struct fail *fail)
{
    struct caller caller = {host, exchange};
    struct auth_caller address = {find_address, &caller};
    bool inside = exchange->nested || exchange->local;
    return auth_key_check(host_auth(host), key, exchange->sandbox ? "sandbox" : "production", inside ? NULL : &address, &exchange->identity,
                          fail);
}

// The owner of the process: commands through control.sock, or in their own process. A script's calls to our own URLs are nobody's but their
// key's.
static bool is_owner(const struct exchange *exchange)
{
    return exchange->local && !exchange->nested;
}

// Of the org and environment that X-Sluice-Org and X-Sluice-Environment name; nobody but an owner is asked for them.
static bool become_owner(struct host *host, struct exchange *exchange, struct fail *fail)
{
    struct view environment = exchange_header(exchange, VIEW("x-sluice-environment"));
    bool sandbox = exchange->sandbox || view_eq_nocase(environment, VIEW("sandbox"));
    return host_org_owner(host, exchange_header(exchange, VIEW("x-sluice-org")), sandbox, &exchange->identity, fail);
}

// Commands with --server bring a token of the super admin of the default org, who is the operator.
static bool is_operators(const struct identity *token)
{
    return token->org_number == AUTH_ORG_DEFAULT && strcmp(token->environment, "production") == 0 && token->user_id == 0;
}

static bool may_control(const struct identity *token)
{
    return auth_scope_covers(token->scopes, VIEW(AUTH_SCOPE_CONTROL));
}

// To anybody else the path is not there.
static bool become_operator(struct host *host, struct exchange *exchange, struct fail *fail)
{
    struct view authorization = exchange_header(exchange, VIEW("authorization"));
    struct identity token;
    if (authorization.len == 0 || exchange->nested) {
        return fail_set(fail, FAIL_URL_PATTERN, NULL);
    }
    if (!auth_token_check(host_auth(host), authorization, &token, fail)) {
        return false;
    }
    if (!is_operators(&token)) {
        return fail_set(fail, FAIL_URL_PATTERN, NULL);
    }
    return may_control(&token) ? become_owner(host, exchange, fail) : fail_set(fail, FAIL_SCOPE_MISMATCH, NULL);
}

// The token of a page that shows a widget (api_widgets.c), VIEW_NONE if it is none.
static struct view widget_token(struct view header)
{
    struct view rest = view_trim(header);
    view_cut(&rest, ' ');
    return host_widget_token_is(view_trim(rest)) ? view_trim(rest) : VIEW_NONE;
}

// A token acts in its own org environment, and the other one's URLs do not know it. The operator's may name another one, as commands with
// --org and --sandbox do.
static bool check_token(struct host *host, struct exchange *exchange, struct view header, struct fail *fail)
{
    struct identity token;
    struct view widget = widget_token(header);
    if (widget.len > 0 ? !host_widget_token_check(host, widget, exchange->arena, &token, fail)
                       : !auth_token_check(host_auth(host), header, &token, fail)) {
        return false;
    }
    bool names_place = exchange_header(exchange, VIEW("x-sluice-org")).data || exchange_header(exchange, VIEW("x-sluice-environment")).data;
    if (names_place && !exchange->nested && is_operators(&token) && may_control(&token)) {
        return become_owner(host, exchange, fail);
    }
    if ((strcmp(token.environment, "sandbox") == 0) != exchange->sandbox) {
        return fail_set(fail, FAIL_INVALID_TOKEN, NULL);
    }
    exchange->identity = token;
    return true;
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
        return become_owner(host, exchange, fail);
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

// A browser sends the console's cookie along with everything; what was said on purpose counts more. Function URLs know `auth_type` and
// keys.
static bool by_session(struct exchange *exchange, enum web_auth auth)
{
    if (exchange->nested || exchange->local || !console_is_there() || exchange_header(exchange, VIEW("authorization")).len ||
        !session_cookie(exchange).len) {
        return false;
    }
    bool keyed = exchange_header(exchange, VIEW("x-sluice-key")).len || exchange_param(exchange, VIEW("zapikey")).len ||
                 exchange_param(exchange, VIEW("auth_type")).len;
    return auth == WEB_AUTH_API || auth == WEB_AUTH_OWNER || (auth == WEB_AUTH_FUNCTION && !keyed);
}

// The console's own rows: nobody is there who has no session.
static bool find_person(struct host *host, struct exchange *exchange, const struct web_route *route, struct fail *fail)
{
    if (is_owner(exchange)) {
        return become_owner(host, exchange, fail);
    }
    return console_is_there() ? session_identity(host, exchange, route, fail) : fail_set(fail, FAIL_URL_PATTERN, NULL);
}

// A function's key says who calls it; whatever else a script asks, it asks as its user.
static bool is_for_user(struct exchange *exchange, enum web_auth auth)
{
    return auth == WEB_AUTH_API || (auth == WEB_AUTH_FUNCTION && !exchange_param(exchange, VIEW("zapikey")).len);
}

static bool find_identity(struct host *host, struct exchange *exchange, const struct web_route *route, struct fail *fail)
{
    enum web_auth auth = route->auth;
    if (exchange->trusted && exchange->nested && is_for_user(exchange, auth)) {
        // Host has said who asks: the user of the run, under a connection, in the run's own environment.
        return (strcmp(exchange->identity.environment, "sandbox") == 0) == exchange->sandbox || fail_set(fail, FAIL_INVALID_TOKEN, NULL);
    }
    exchange->identity = (struct identity){.kind = IDENTITY_NONE};
    if (BASE_UNLIKELY(exchange_header(exchange, VIEW("cookie")).data) && by_session(exchange, auth)) {
        return session_identity(host, exchange, route, fail);
    }
    switch (auth) {
    case WEB_AUTH_FUNCTION:
        return find_caller(host, exchange, fail);
    case WEB_AUTH_API:
        return is_owner(exchange) ? become_owner(host, exchange, fail)
                                  : check_token(host, exchange, exchange_header(exchange, VIEW("authorization")), fail);
    case WEB_AUTH_NEAR:
        if (!is_owner(exchange)) {
            return (!exchange->nested && is_near(exchange)) || fail_set(fail, FAIL_URL_PATTERN, NULL);
        }
        return become_owner(host, exchange, fail);
    case WEB_AUTH_OWNER:
        return is_owner(exchange) ? become_owner(host, exchange, fail) : become_operator(host, exchange, fail);
    case WEB_AUTH_CONSOLE:
        return find_person(host, exchange, route, fail);
    default:
        return true;
    }
}

// ---- scopes (spec/crm-api.md §6) ----------------------------------------------------------------

// Functions know READ and CREATE alone (spec/platform.md §1.1): what does not only ask, creates.
static struct view operation_of(struct view method, bool of_function)
{
    static const struct {
        struct view method, operation;
    } rows[] = {{VIEW("GET"), VIEW("READ")},   {VIEW("HEAD"), VIEW("READ")},    {VIEW("POST"), VIEW("CREATE")},
                {VIEW("PUT"), VIEW("UPDATE")}, {VIEW("PATCH"), VIEW("UPDATE")}, {VIEW("DELETE"), VIEW("DELETE")}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        if (view_eq(method, rows[i].method) && (!of_function || view_eq(rows[i].operation, VIEW("READ")))) {
            return rows[i].operation;
        }
    }
    return VIEW("CREATE");
}

// A dot in a module's name is its other spelling of two underscores; as a dot it would reach below another module's scope.
static struct view scope_name(struct exchange *exchange, struct view param)
{
    if (view_find_char(param, '.') < 0) {
        return param;
    }
    char *copy = arena_alloc(exchange->arena, 2 * param.len);
    size_t len = 0;
    for (size_t i = 0; copy && i < param.len; i++) {
        copy[len++] = param.data[i] == '.' ? '_' : param.data[i];
        if (param.data[i] == '.') {
            copy[len++] = '_';
        }
    }
    return (struct view){copy, len};
}

// One word of a row's scope: "ZohoCRM.modules.{0}", "ZohoCRM.coql!READ".
static bool covers_word(struct exchange *exchange, bool of_function, struct view word, const struct view *params)
{
    enum { SCOPE_BYTES_MAX = 256 };
    char needed[SCOPE_BYTES_MAX];
    struct view operation = word, path = view_cut(&operation, '!'), param = path, fixed = view_cut(&param, '{');
    operation = operation.len ? operation : operation_of(exchange->method, of_function);
    struct view name = param.len ? scope_name(exchange, params[0]) : VIEW("");
    int len = snprintf(needed, sizeof needed, "%.*s%.*s.%.*s", VIEW_ARGS(fixed), VIEW_ARGS(name), VIEW_ARGS(operation));
    return len > 0 && (size_t)len < sizeof needed && auth_scope_covers(exchange->identity.scopes, (struct view){needed, (size_t)len});
}

// A token needs every one of them.
static bool check_scope(struct exchange *exchange, const struct web_route *route, const struct view *params, struct fail *fail)
{
    struct view rest = view_of(exchange->identity.kind == IDENTITY_OAUTH ? route->scope : NULL);
    while (rest.len > 0) {
        if (!covers_word(exchange, route->auth == WEB_AUTH_FUNCTION, view_cut(&rest, ' '), params)) {
            return fail_set(fail, FAIL_SCOPE_MISMATCH, NULL);
        }
    }
    return true;
}

bool identity_find(struct host *host, struct exchange *exchange, const struct web_route *route, const struct view *params,
                   struct fail *fail)
{
    return find_identity(host, exchange, route, fail) && check_scope(exchange, route, params, fail);
}
