// SPDX-License-Identifier: Apache-2.0
//
// The console's files and its sign-in. Files are built into the binary; every other address below /console is the one page, whose script
// finds its way by the address. Nobody sees it without a session but the sign-in page. Every answer carries the policy that lets a page
// load scripts of its own and nothing else (DESIGN security 7).
#include "web/console_files.h"
#include "web/session.h"

bool web_has_console(void)
{
    return console_is_there();
}

// ---- headers ------------------------------------------------------------------------------------

static const char POLICY[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src "
                             "'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

static void add_headers(struct exchange *exchange, const char *cache)
{
    const struct exchange_header headers[] = {
        {VIEW("Content-Security-Policy"), view_of(POLICY)},
        {VIEW("X-Content-Type-Options"), VIEW("nosniff")},
        {VIEW("X-Frame-Options"), VIEW("SAMEORIGIN")},
        {VIEW("Referrer-Policy"), VIEW("no-referrer")}, // the link is in an address
        {VIEW("Cross-Origin-Resource-Policy"), VIEW("same-origin")},
        {VIEW("Cross-Origin-Opener-Policy"), VIEW("same-origin")},
        {VIEW("Cache-Control"), view_of(cache)},
    };
    for (size_t i = 0; i < BASE_COUNT(headers); i++) {
        exchange_reply_header(exchange, headers[i].name, headers[i].value);
    }
}

static void lead_to(struct exchange *exchange, const char *address)
{
    exchange->status = 303;
    exchange_reply_header(exchange, VIEW("Location"), view_of(address));
    add_headers(exchange, "no-store");
}

// ---- files --------------------------------------------------------------------------------------

static const struct web_console_file *find_file(struct view path)
{
    for (int i = 0; i < web_console_files_count; i++) {
        if (view_eq(path, view_of(web_console_files[i].path))) {
            return &web_console_files[i];
        }
    }
    return NULL;
}

static bool takes_gzip(const struct exchange *exchange)
{
    for (struct view rest = exchange_header(exchange, VIEW("accept-encoding")); rest.len > 0;) {
        struct view quality = view_trim(view_cut(&rest, ',')), name = view_trim(view_cut(&quality, ';'));
        quality = view_trim(quality);
        bool refused = view_eq(quality, VIEW("q=0")) || (view_starts(quality, VIEW("q=0.")) && view_find(quality, VIEW("1")) < 0);
        if (view_eq_nocase(name, VIEW("gzip")) && !refused) {
            return true;
        }
    }
    return false;
}

static void send_file(struct exchange *exchange, const struct web_console_file *file, bool keeps)
{
    bool gzip = file->gzip && takes_gzip(exchange);
    struct view tag = arena_printf(exchange->arena, "\"%s%s\"", file->hash, gzip ? "-gzip" : "");
    add_headers(exchange, keeps ? "public, max-age=31536000, immutable" : "no-cache");
    exchange_reply_header(exchange, VIEW("ETag"), tag);
    exchange_reply_header(exchange, VIEW("Vary"), VIEW("Accept-Encoding"));
    if (tag.len && view_find(exchange_header(exchange, VIEW("if-none-match")), tag) >= 0) {
        exchange->status = 304;
        return;
    }
    if (gzip) {
        exchange_reply_header(exchange, VIEW("Content-Encoding"), VIEW("gzip"));
    }
    exchange->status = 200;
    exchange->reply_type = view_of(file->type);
    exchange->reply_body = gzip ? (struct view){file->gzip, file->gzip_len} : (struct view){file->bytes, file->len};
}

// ---- signing in by a link -----------------------------------------------------------------------

static void use_link(struct web *web, struct exchange *exchange, struct view link)
{
    char session[AUTH_SESSION_LEN + 1];
    struct fail fail;
    if (!session_check_wire(web->host, exchange, &fail)) {
        exchange_reply_fail(exchange, &fail);
        add_headers(exchange, "no-store");
        return;
    }
    if (!host_sign_in_link(web->host, link, session, &fail)) {
        if (fail.code == FAIL_AUTHENTICATION) {
            lead_to(exchange, "/console/sign-in?failed=1");
        } else {
            exchange_reply_fail(exchange, &fail);
        }
        return;
    }
    session_set_cookie(web->host, exchange, session);
    lead_to(exchange, "/console/");
}

// ---- pages --------------------------------------------------------------------------------------

static bool has_session(struct web *web, struct exchange *exchange, struct fail *fail)
{
    struct auth_account account;
    return host_session_find(web->host, session_cookie(exchange), &account, fail);
}

static void send_page(struct web *web, struct exchange *exchange, struct view path, struct fail *fail)
{
    const struct web_console_file *page = find_file(VIEW("index.html"));
    if (!page) {
        fail_set(fail, FAIL_URL_PATTERN, NULL);
        exchange_reply_fail(exchange, fail);
    } else if (view_eq(path, VIEW("sign-in")) || has_session(web, exchange, fail)) {
        send_file(exchange, page, false);
    } else if (fail->code == FAIL_AUTHENTICATION) {
        lead_to(exchange, "/console/sign-in");
    } else {
        exchange_reply_fail(exchange, fail);
    }
}

// What is no file and no row of its own and is not asked for with GET: 401 without a session, else 404.
static void refuse(struct web *web, struct exchange *exchange, struct fail *fail)
{
    if (has_session(web, exchange, fail)) {
        fail_set(fail, FAIL_URL_PATTERN, NULL);
    }
    exchange_reply_fail(exchange, fail);
    add_headers(exchange, "no-store");
}

void api_console_page(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct fail fail;
    struct view path = params[0].data ? params[0] : VIEW("");
    if (!console_is_there()) {
        fail_set(&fail, FAIL_URL_PATTERN, NULL);
        exchange_reply_fail(exchange, &fail);
        return;
    }
    if (!session_check_host(web->host, exchange, &fail)) {
        exchange_reply_fail(exchange, &fail);
        add_headers(exchange, "no-store");
        return;
    }
    struct view link = view_eq(path, VIEW("sign-in")) ? exchange_param(exchange, VIEW("link")) : VIEW_NONE;
    const struct web_console_file *file = find_file(path);
    if (!view_eq(exchange->method, VIEW("GET")) || view_starts(path, VIEW("api/"))) {
        refuse(web, exchange, &fail);
    } else if (link.len) {
        use_link(web, exchange, link);
    } else if (file && view_starts(path, VIEW("assets/"))) {
        send_file(exchange, file, true);
    } else if (view_starts(path, VIEW("assets/"))) {
        refuse(web, exchange, &fail);
    } else {
        send_page(web, exchange, path, &fail);
    }
}

// ---- the session --------------------------------------------------------------------------------

// The operator, who signed in by a link, has no account: he is shown by name alone.
static void put_user(struct answer *answer, struct value reply, const struct auth_account *account)
{
    struct value user = value_map(&answer->heap, 3);
    answer_put(answer, user, "email", view_of(account->email));
    answer_put(answer, user, "name", view_of(account->id ? account->name : "Operator"));
    answer_put(answer, user, "role", view_of(auth_role_name(account->role)));
    if (reply.type == VALUE_MAP) {
        map_put_text(&answer->heap, reply.map, VIEW("user"), user);
    }
}

static void send_session(struct web *web, struct answer *answer, struct view session)
{
    char csrf[AUTH_SESSION_LEN + 1];
    struct auth_account account;
    struct value reply = value_map(&answer->heap, 2);
    exchange_reply_header(answer->exchange, VIEW("Cache-Control"), VIEW("no-store"));
    bool good = host_session_find(web->host, session, &account, &answer->fail);
    if (good) {
        auth_session_csrf(host_auth(web->host), session, csrf);
        put_user(answer, reply, &account);
        answer_put(answer, reply, "csrf", view_of(csrf));
    }
    answer_send(answer, good, reply);
}

void api_console_session(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    answer_open(&answer, exchange);
    send_session(web, &answer, session_cookie(exchange));
}

// A form of a foreign page cannot sign anybody in: the body is JSON, which only a script can send, and that says where it is from.
void api_console_sign_in(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    const struct map *map;
    char session[AUTH_SESSION_LEN + 1];
    answer_open(&answer, exchange);
    bool json = view_starts_nocase(exchange->content_type, VIEW("application/json"));
    bool good = (console_is_there() || fail_set(&answer.fail, FAIL_URL_PATTERN, NULL)) &&
                session_check_host(web->host, exchange, &answer.fail) && session_check_origin(exchange, &answer.fail) &&
                session_check_wire(web->host, exchange, &answer.fail) &&
                (json || fail_set(&answer.fail, FAIL_INVALID_DATA, "the body must be application/json")) && answer_body(&answer, &map);
    good = good && host_sign_in(web->host, value_view_or(map_get_text(map, VIEW("email")), VIEW("")),
                                value_view_or(map_get_text(map, VIEW("password")), VIEW("")), session, &answer.fail);
    if (!good) {
        answer_send(&answer, false, value_null());
        return;
    }
    session_set_cookie(web->host, exchange, session);
    send_session(web, &answer, view_of(session));
}

void api_console_sign_out(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    answer_open(&answer, exchange);
    bool good = host_sign_out(web->host, &exchange->identity, session_cookie(exchange), &answer.fail);
    session_set_cookie(web->host, exchange, NULL);
    answer_send(&answer, good, value_map(&answer.heap, 1));
}
