// SPDX-License-Identifier: Apache-2.0
//
// Files of widgets, for everybody: a widget's frame has no session and no key. Nothing here trusts them: they are served under a policy
// that takes their origin from them, so that a page of an extension, opened directly, is a stranger to the console and to every cookie
// (DESIGN security 8). For the same reason a widget's own scripts, fonts and texts are of another origin than its page: any origin may read
// them.
//
// The SDK that a widget's page names at Zoho is ours, or what the operator has put in its place; the page is led to it while it is served.
#include "web/room.h"
#include "web/widget_html.h"

// console/sdk, embedded by src/web/meson.build
extern const unsigned char widget_sdk[];
extern const size_t widget_sdk_len;
extern const char widget_sdk_tag[];

static void add_headers(struct exchange *exchange, struct view tag)
{
    exchange_reply_header(exchange, VIEW("ETag"), tag);
    exchange_reply_header(exchange, VIEW("Cache-Control"), VIEW("no-cache")); // ask again: an upgrade is seen at once
    exchange_reply_header(exchange, VIEW("Content-Security-Policy"), VIEW("sandbox allow-scripts allow-forms allow-popups"));
    exchange_reply_header(exchange, VIEW("X-Content-Type-Options"), VIEW("nosniff"));
    exchange_reply_header(exchange, VIEW("Access-Control-Allow-Origin"), VIEW("*"));
}

// "W/" before a tag makes no difference when reading (RFC 9110 §13.1.2).
static bool is_known(const struct exchange *exchange, struct view tag)
{
    struct view known = exchange_header(exchange, VIEW("if-none-match"));
    return view_eq(view_trim(known), VIEW("*")) || view_find(known, tag) >= 0;
}

static void send_file(struct exchange *exchange, const struct host_widget *file)
{
    struct view tag = arena_printf(exchange->arena, "\"%s\"", file->tag), type = arena_copy(exchange->arena, view_of(file->type));
    add_headers(exchange, tag);
    if (is_known(exchange, tag)) {
        exchange->status = 304;
        return;
    }
    exchange->status = 200;
    exchange->reply_type = type;
    exchange->reply_body = file->bytes;
}

// Pages in other codes than ASCII's kin are left alone by the scanner: their bytes do not spell a tag.
static void send_page(struct exchange *exchange, struct host_widget *file)
{
    struct buffer page;
    buffer_init(&page, 2 * file->bytes.len + WIDGET_SDK_VERSION_MAX);
    if (widget_html_rewrite(file->bytes, &page) && !page.failed) {
        struct view copy = arena_copy(exchange->arena, buffer_view(&page));
        file->bytes = copy.data ? copy : file->bytes;
        file->tag[0] = copy.data ? 'r' : file->tag[0]; // hex digits before: another name for other bytes
    }
    buffer_free(&page);
    send_file(exchange, file);
}

static void send_any(struct exchange *exchange, struct host_widget *file)
{
    if (view_starts(view_of(file->type), VIEW("text/html"))) {
        send_page(exchange, file);
    } else {
        send_file(exchange, file);
    }
}

// "app" and "app/" mean app/index.html, if it is there; without the slash its relative links would lead elsewhere.
static bool send_folder(struct web *web, struct exchange *exchange, const struct view *params, struct fail *fail)
{
    struct host_widget file;
    struct view path = params[1], last = path;
    bool slash = view_ends(path, VIEW("/"));
    struct view index = arena_printf(exchange->arena, "%.*s%sindex.html", VIEW_ARGS(path), slash ? "" : "/");
    if (!index.data || !host_widget_file(web->host, params[0], index, exchange->arena, &file, fail)) {
        return false;
    }
    if (slash) {
        send_any(exchange, &file);
        return true;
    }
    for (ptrdiff_t at; (at = view_find_char(last, '/')) >= 0;) {
        last = view_from(last, (size_t)at + 1);
    }
    struct buffer location;
    buffer_init(&location, 4096);
    form_encode(&location, last, false);
    buffer_add_char(&location, '/');
    exchange->status = 302;
    exchange_reply_header(exchange, VIEW("Location"), buffer_view(&location));
    buffer_free(&location);
    return true;
}

void api_widget_file(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct fail fail, ignored;
    struct host_widget file;
    if (host_widget_file(web->host, params[0], params[1], exchange->arena, &file, &fail)) {
        send_any(exchange, &file);
    } else if (fail.code != FAIL_URL_PATTERN || !send_folder(web, exchange, params, &ignored)) {
        exchange_reply_fail(exchange, &fail);
    }
}

void api_sdk_file(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct fail fail;
    struct host_widget file;
    if (!widget_sdk_version(params[0])) {
        fail_set(&fail, FAIL_URL_PATTERN, "an SDK's version is a number like " WIDGET_SDK_NEWEST);
        exchange_reply_fail(exchange, &fail);
        return;
    }
    if (!host_sdk_file(web->host, params[0], VIEW(WIDGET_SDK_FILE), exchange->arena, &file, &fail)) {
        exchange_reply_fail(exchange, &fail);
        return;
    }
    if (!file.bytes.data) {
        file.bytes = (struct view){(const char *)widget_sdk, widget_sdk_len};
        snprintf(file.tag, sizeof file.tag, "%s", widget_sdk_tag);
    }
    snprintf(file.type, sizeof file.type, "text/javascript;charset=utf-8");
    send_file(exchange, &file);
}
