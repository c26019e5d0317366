// SPDX-License-Identifier: Apache-2.0
//
// OAuth 2.0 as Zoho does it (spec/crm-api.md §6): the endpoints under /oauth/v2, which anybody may ask, and the operator's clients under
// /control/oauth. Official SDKs send parameters as a form with parts, other clients urlencoded or in the query: all count, later wins. What
// is wrong about a request for tokens is told with status 200 and a word in "error".
#include "web/room.h"

static void no_store(struct exchange *exchange)
{
    exchange_reply_header(exchange, VIEW("Cache-Control"), VIEW("no-store"));
}

// ---- parameters ---------------------------------------------------------------------------------

static bool read_parts(struct answer *answer, struct map *map)
{
    struct form_reader reader;
    struct form_part part;
    struct heap *heap = &answer->heap;
    if (!form_open(&reader, answer->exchange->content_type, answer->exchange->body, &answer->fail)) {
        return false;
    }
    fail_clear(&answer->fail);
    while (form_next(&reader, &part, &answer->fail)) {
        map_put(heap, map, form_name(heap, part.name), value_text(heap, part.bytes));
    }
    return answer->fail.code == FAIL_NONE;
}

static bool read_params(struct answer *answer, struct map **ret_map)
{
    const struct exchange *exchange = answer->exchange;
    struct value params = value_map(&answer->heap, 8);
    if (params.type != VALUE_MAP) {
        return fail_set(&answer->fail, FAIL_MEMORY, NULL);
    }
    *ret_map = params.map;
    return form_read_urlencoded(&answer->heap, exchange->query, params.map, &answer->fail) &&
           (view_starts_nocase(exchange->content_type, VIEW("multipart/"))
                ? read_parts(answer, params.map)
                : form_read_urlencoded(&answer->heap, exchange->body, params.map, &answer->fail));
}

static struct view text_of(const struct map *map, const char *name)
{
    return value_view_or(map_get_text(map, view_of(name)), VIEW(""));
}

// ---- tokens -------------------------------------------------------------------------------------

void api_oauth_token(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct map *map;
    struct value reply = value_null();
    answer_open(&answer, exchange);
    no_store(exchange);
    bool good = read_params(&answer, &map) && host_oauth_token(web->host, map, &answer.heap, &reply, &answer.fail);
    answer_send(&answer, good, reply);
}

// A token that is none: status 400, as Zoho's pages on revoking say.
void api_oauth_revoke(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct map *map;
    bool found = false;
    answer_open(&answer, exchange);
    bool good = read_params(&answer, &map) && host_oauth_revoke(web->host, text_of(map, "token"), &found, &answer.fail);
    struct value reply = value_map(&answer.heap, 2);
    if (found) {
        answer_put(&answer, reply, "status", VIEW("success"));
    } else {
        answer_put(&answer, reply, "error", VIEW("invalid_token"));
        answer_put(&answer, reply, "status", VIEW("failure"));
        answer.status = 400;
    }
    answer_send(&answer, good, reply);
}

// ---- the page -----------------------------------------------------------------------------------

enum { PAGE_BYTES_MAX = 64 * 1024, PAGE_REFRESH_S = 3 };

static void add_html(struct buffer *out, struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        const char *entity = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : c == '\'' ? "&#39;" : NULL;
        if (entity) {
            buffer_add(out, view_of(entity));
        } else {
            buffer_add_char(out, c);
        }
    }
}

static void page_open(struct buffer *out)
{
    buffer_init(out, PAGE_BYTES_MAX);
    buffer_add(out, VIEW("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sluice</title></head><body>\n"));
}

// No script, no style, nothing from elsewhere, in no frame: what is shown comes from a stranger.
static void page_send(struct exchange *exchange, int status, struct buffer *out)
{
    static const struct exchange_header headers[] = {
        {VIEW("Content-Security-Policy"), VIEW("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")},
        {VIEW("X-Content-Type-Options"), VIEW("nosniff")},
        {VIEW("X-Frame-Options"), VIEW("DENY")},
        {VIEW("Referrer-Policy"), VIEW("no-referrer")},
    };
    buffer_add(out, VIEW("</body></html>\n"));
    for (size_t i = 0; i < BASE_COUNT(headers); i++) {
        exchange_reply_header(exchange, headers[i].name, headers[i].value);
    }
    exchange->status = status;
    exchange->reply_type = VIEW("text/html;charset=utf-8");
    exchange->reply_body = arena_copy(exchange->arena, buffer_view(out));
    buffer_free(out);
}

static void send_refusal(struct exchange *exchange, const char *error)
{
    static const struct {
        const char *error, *text;
    } rows[] = {
        {"invalid_client", "There is no client with this client_id here. The operator makes one with: sluice oauth new"},
        {"invalid_redirect_uri", "redirect_uri is none of the client's. It must be the same, letter by letter, as in: sluice oauth new "
                                 "--redirect-uri URI"},
        {"invalid_response_type", "response_type must be code."},
        {"invalid_scope", "scope names none, or one that there is not or that is not given here."},
        {"invalid_access_type", "access_type must be online or offline."},
        {"invalid_state", "state is too long."},
        {"invalid_ticket", "This request is over. Start again where you came from."},
    };
    struct buffer out;
    page_open(&out);
    buffer_printf(&out, "<h1>%s</h1>\n", error);
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        if (strcmp(rows[i].error, error) == 0) {
            buffer_printf(&out, "<p>%s</p>\n", rows[i].text);
        }
    }
    page_send(exchange, 400, &out);
}

static void add_command(struct buffer *out, const char *verb, const struct host_oauth_page *page)
{
    buffer_printf(out, "<pre>sluice oauth %s %s", verb, page->request.request);
    if (strcmp(page->org, "default") != 0) {
        buffer_printf(out, " --org %s", page->org);
    }
    buffer_printf(out, "%s</pre>\n", page->sandbox ? " --sandbox" : "");
}

// The browser asks again by itself until the operator has answered.
static void send_question(struct exchange *exchange, const struct host_oauth_page *page)
{
    char refresh[AUTH_TOKEN_LEN + 32];
    struct buffer out;
    page_open(&out);
    buffer_add(&out, VIEW("<h1>"));
    add_html(&out, view_of(page->request.client_name));
    buffer_printf(&out, " asks for access</h1>\n<p>It wants to use the CRM of the org %s%s for:</p>\n<ul>\n", page->org,
                  page->sandbox ? " (sandbox)" : "");
    for (struct view rest = view_of(page->request.scopes); rest.len > 0;) {
        buffer_add(&out, VIEW("<li>"));
        add_html(&out, view_cut(&rest, ' '));
        buffer_add(&out, VIEW("</li>\n"));
    }
    buffer_printf(&out, "</ul>\n<p>%s, then goes on to:</p>\n<pre>",
                  page->request.offline ? "It keeps this access until it is revoked" : "It has this access for an hour at most");
    add_html(&out, view_of(page->request.redirect_uri));
    buffer_add(&out, VIEW("</pre>\n<p>The operator of this server allows it with:</p>\n"));
    add_command(&out, "approve", page);
    buffer_add(&out, VIEW("<p>and refuses it with:</p>\n"));
    add_command(&out, "deny", page);
    buffer_add(&out, VIEW("<p>This page goes on by itself.</p>\n"));
    snprintf(refresh, sizeof refresh, "%d; url=?ticket=%s", PAGE_REFRESH_S, page->ticket);
    exchange_reply_header(exchange, VIEW("Refresh"), view_of(refresh));
    page_send(exchange, 200, &out);
}

static void add_param(struct buffer *out, bool *first, const char *name, struct view value)
{
    if (value.len > 0) {
        buffer_printf(out, "%s%s=", *first ? "" : "&", name);
        form_encode(out, value, false);
        *first = false;
    }
}

// Back to the client, with the code or without it (spec/crm-api.md §6: code, location, accounts-server).
static void send_on(struct web *web, struct exchange *exchange, const struct host_oauth_page *page)
{
    struct view uri = view_of(page->request.redirect_uri);
    struct buffer out;
    bool first = true, approved = page->request.answer == AUTH_APPROVED;
    buffer_init(&out, PAGE_BYTES_MAX);
    buffer_add(&out, uri);
    buffer_add_char(&out, view_find_char(uri, '?') < 0 ? '?' : '&');
    add_param(&out, &first, "state", view_of(page->request.state));
    add_param(&out, &first, approved ? "code" : "error", view_of(approved ? page->code : "access_denied"));
    if (approved) {
        add_param(&out, &first, "location", VIEW("us"));
        add_param(&out, &first, "accounts-server", view_of(host_public_url(web->host)));
    }
    exchange->status = 302;
    exchange_reply_header(exchange, VIEW("Location"), buffer_view(&out));
    exchange_reply_header(exchange, VIEW("Referrer-Policy"), VIEW("no-referrer"));
    buffer_free(&out);
}

void api_oauth_authorize(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct map *map;
    struct host_oauth_page page;
    answer_open(&answer, exchange);
    no_store(exchange);
    struct view ticket = read_params(&answer, &map) ? text_of(map, "ticket") : VIEW("");
    bool good = answer.fail.code == FAIL_NONE && (ticket.len ? host_oauth_poll(web->host, ticket, &page, &answer.fail)
                                                             : host_oauth_ask(web->host, map, &page, &answer.fail));
    if (!good) {
        answer_send(&answer, false, value_null());
        return;
    }
    if (page.error) {
        send_refusal(exchange, page.error);
    } else if (page.request.answer == AUTH_ASKED) {
        send_question(exchange, &page);
    } else {
        send_on(web, exchange, &page);
    }
    heap_free(&answer.heap);
}

// ---- the operator's clients ---------------------------------------------------------------------

void api_oauth_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct value reply = value_null();
    answer_open(&answer, exchange);
    answer_send(&answer, host_oauth_list(web->host, &exchange->identity, &answer.heap, &reply, &answer.fail), reply);
}

// A text member, empty when absent.
static bool read_text(struct answer *answer, const struct map *map, const char *name, struct view *ret_text)
{
    struct value text = map_get_text(map, view_of(name));
    if (!value_is_null(text) && !value_is_text(text)) {
        return fail_set(&answer->fail, FAIL_INVALID_DATA, "%s must be a text", name);
    }
    *ret_text = value_view_or(text, VIEW(""));
    return true;
}

static bool read_uris(struct answer *answer, const struct map *map, const struct list **ret_list)
{
    struct value uris = map_get_text(map, VIEW("redirect_uris"));
    *ret_list = value_as_list(uris);
    return value_is_null(uris) || *ret_list || fail_set(&answer->fail, FAIL_INVALID_DATA, "redirect_uris must be a list of texts");
}

void api_oauth_new(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    const struct map *map;
    struct host_oauth_client wish;
    struct value reply = value_null();
    answer_open(&answer, exchange);
    no_store(exchange);
    bool good = answer_body(&answer, &map) && read_text(&answer, map, "name", &wish.name) &&
                read_text(&answer, map, "scope", &wish.scopes) && read_text(&answer, map, "user", &wish.user) &&
                read_uris(&answer, map, &wish.redirect_uris) &&
                host_oauth_new(web->host, &exchange->identity, &wish, &answer.heap, &reply, &answer.fail);
    answer_send(&answer, good, reply);
}

void api_oauth_code(struct web *web, struct exchange *exchange, const struct view *params)
{
    enum { MINUTES = 10 };
    struct answer answer;
    const struct map *map;
    struct view scopes;
    struct value reply = value_null();
    answer_open(&answer, exchange);
    no_store(exchange);
    bool good = answer_body(&answer, &map) && read_text(&answer, map, "scope", &scopes);
    struct value minutes = good ? map_get_text(map, VIEW("minutes")) : value_null();
    int64_t number = value_is_null(minutes) ? MINUTES : minutes.type == VALUE_NUMBER ? minutes.number : 0;
    good = good && host_oauth_code(web->host, &exchange->identity, params[0], scopes, number, &answer.heap, &reply, &answer.fail);
    answer_send(&answer, good, reply);
}

void api_oauth_remove(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    answer_open(&answer, exchange);
    bool good = host_oauth_remove(web->host, &exchange->identity, params[0], &answer.fail);
    struct value reply = value_map(&answer.heap, 1);
    answer_put(&answer, reply, "removed", params[0]);
    answer_send(&answer, good, reply);
}

static void send_answer(struct web *web, struct exchange *exchange, struct view request, bool approve)
{
    struct answer answer;
    struct value reply = value_null();
    answer_open(&answer, exchange);
    bool good = host_oauth_answer(web->host, &exchange->identity, request, approve, &answer.heap, &reply, &answer.fail);
    answer_send(&answer, good, reply);
}

void api_oauth_approve(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_answer(web, exchange, params[0], true);
}

void api_oauth_deny(struct web *web, struct exchange *exchange, const struct view *params)
{
    send_answer(web, exchange, params[0], false);
}
