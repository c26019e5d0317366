// SPDX-License-Identifier: Apache-2.0
// Commands against a server elsewhere: the same requests as over control.sock, with an access token. libcurl speaks, so https works where a
// proxy with a certificate stands in front. The operator chose the address, so no address is refused.
#include "cli/remote.h"

#include "out/out.h"

static bool check_server(const struct cli_settings *settings, struct fail *fail)
{
    struct view server = view_of(settings->server);
    if (!view_starts_nocase(server, VIEW("http://")) && !view_starts_nocase(server, VIEW("https://"))) {
        return fail_set(fail, FAIL_USAGE, "--server must be http://HOST:PORT or https://HOST");
    }
    return settings->token[0] || fail_set(fail, FAIL_USAGE, "--server needs --token (or SLUICE_TOKEN): see sluice oauth new");
}

static bool fetch(const struct cli_settings *settings, const struct client_request *request, struct heap *heap,
                  struct out_response *ret_response, struct fail *fail)
{
    struct out_header headers[HOST_HEADERS_MAX + 8];
    int count = 0;
    for (; count < request->header_count; count++) {
        headers[count] = (struct out_header){request->headers[count].name, request->headers[count].value};
    }
    struct value authorization = value_text_printf(heap, "Bearer %s", settings->token);
    headers[count++] = (struct out_header){VIEW("Authorization"), value_view_or(authorization, VIEW(""))};
    struct view server = view_of(settings->server);
    struct value url =
        value_text_printf(heap, "%.*s%.*s", (int)(server.len - view_ends(server, VIEW("/"))), server.data, VIEW_ARGS(request->target));
    if (!value_is_text(authorization) || !value_is_text(url)) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    struct out_request out = {.method = view_of(request->method),
                              .url = value_view(url),
                              .headers = headers,
                              .header_count = count,
                              .body = request->body,
                              .has_body = request->body.len > 0 || strcmp(request->method, "GET") != 0,
                              .timeout_ms = CLIENT_TIMEOUT_S * 1000,
                              .reply_bytes_max = CLIENT_REPLY_BYTES_MAX,
                              .policy = {.allow_loopback = true, .allow = VIEW("0.0.0.0/0,::/0")}};
    if (!out_fetch(&out, heap, ret_response, fail)) {
        struct fail why = *fail;
        return fail_set(fail, FAIL_IO, "%s: %s", settings->server, why.text);
    }
    return true;
}

bool remote_send(const struct cli_settings *settings, const struct client_request *request, struct client_reply *reply, struct fail *fail)
{
    struct heap heap;
    struct out_response response;
    if (!check_server(settings, fail)) {
        return false;
    }
    heap_init(&heap, CLIENT_REPLY_BYTES_MAX, NULL);
    bool ok = fetch(settings, request, &heap, &response, fail);
    const struct map *headers = ok ? value_as_map(response.headers) : NULL;
    uint32_t cursor = 0;
    for (struct map_entry *entry; headers && (entry = map_next(headers, &cursor));) {
        buffer_printf(&reply->head, "%.*s: %.*s\r\n", VIEW_ARGS(value_view_or(entry->key, VIEW(""))),
                      VIEW_ARGS(value_view_or(entry->value, VIEW(""))));
    }
    if (ok) {
        reply->status = response.status;
        buffer_add(&reply->body, response.body);
    }
    heap_free(&heap);
    return ok && ((!reply->head.failed && !reply->body.failed) || fail_set(fail, FAIL_MEMORY, NULL));
}
