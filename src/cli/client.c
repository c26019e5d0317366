// SPDX-License-Identifier: Apache-2.0
// How commands reach the data: a server elsewhere that --server names, over DATA/control.sock when a server runs here (HTTP on a Unix
// socket that only its owner may open), else by opening the data folder in this process and calling the same dispatcher. The folder's lock
// keeps the last two apart. Which org environment is meant goes along in headers that the dispatcher believes owners only.
#include "cli/remote.h"

#include "loop/loop.h"
#include "web/web.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { HEAD_BYTES_MAX = 64 * 1024, CLIENT_HEADERS_MAX = HOST_HEADERS_MAX + 4 };

struct client {
    const struct cli_settings *settings;
    bool remote;
    struct host *host; // when neither remote nor elsewhere
    struct web *web;
};

// ---- over the socket ----------------------------------------------------------------------------

static int connect_control(const struct cli_settings *settings)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path, sizeof address.sun_path, "%s/control.sock", settings->data);
    if (len < 0 || (size_t)len >= sizeof address.sun_path) {
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval timeout = {.tv_sec = CLIENT_TIMEOUT_S};
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    }
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool send_all(int fd, struct view bytes)
{
    while (bytes.len) {
        ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        bytes = view_from(bytes, (size_t)sent);
    }
    return true;
}

static bool receive_all(int fd, struct buffer *out)
{
    for (;;) {
        char *space = buffer_space(out, 65536);
        ssize_t got = space ? recv(fd, space, 65536, 0) : -1;
        if (got < 0 && space && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0;
        }
        out->len += (size_t)got;
    }
}

static void write_request(struct buffer *out, const struct client_request *request)
{
    buffer_printf(out, "%s %.*s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", request->method, VIEW_ARGS(request->target));
    for (int i = 0; i < request->header_count; i++) {
        buffer_printf(out, "%.*s: %.*s\r\n", VIEW_ARGS(request->headers[i].name), VIEW_ARGS(request->headers[i].value));
    }
    if (request->body.len || strcmp(request->method, "GET") != 0) {
        buffer_printf(out, "Content-Length: %zu\r\n", request->body.len);
    }
    buffer_add(out, VIEW("\r\n"));
    buffer_add(out, request->body);
}

// Our own server's replies: a status line, headers, a body with Content-Length until the connection ends.
static bool read_reply(struct view all, struct client_reply *reply)
{
    ptrdiff_t end = view_find(all, VIEW("\r\n\r\n"));
    int64_t status;
    if (end < 0 || all.len < 12 || !view_starts(all, VIEW("HTTP/1.1 ")) || !view_to_int64(view_slice(all, 9, 3), &status)) {
        return false;
    }
    reply->status = (int)status;
    struct view head = view_slice(all, 0, (size_t)end);
    view_cut(&head, '\n');
    buffer_add(&reply->head, head);
    buffer_add(&reply->body, view_from(all, (size_t)end + 4));
    return !reply->head.failed && !reply->body.failed;
}

static bool send_remote(struct client *client, const struct client_request *request, struct client_reply *reply, struct fail *fail)
{
    struct buffer out, in;
    buffer_init(&out, CLIENT_REPLY_BYTES_MAX);
    buffer_init(&in, CLIENT_REPLY_BYTES_MAX);
    write_request(&out, request);
    int fd = connect_control(client->settings);
    bool ok = fd >= 0 && !out.failed && send_all(fd, buffer_view(&out)) && receive_all(fd, &in) && read_reply(buffer_view(&in), reply);
    if (fd >= 0) {
        close(fd);
    }
    buffer_free(&out);
    buffer_free(&in);
    return ok || fail_set(fail, FAIL_IO, "the server at %s/control.sock does not answer", client->settings->data);
}

// ---- in this process ----------------------------------------------------------------------------

static bool send_inside(struct client *client, const struct client_request *request, struct client_reply *reply, struct fail *fail)
{
    struct arena arena;
    arena_init(&arena, CLIENT_REPLY_BYTES_MAX);
    struct view query = request->target, path = view_cut(&query, '?');
    struct exchange exchange = {.arena = &arena,
                                .method = view_of(request->method),
                                .path = path,
                                .query = query,
                                .headers = request->headers,
                                .header_count = request->header_count,
                                .body = request->body,
                                .body_read = true,
                                .local = true};
    exchange_make_id(&exchange);
    exchange.content_type = exchange_header(&exchange, VIEW("content-type"));
    web_dispatch(client->web, &exchange);
    struct fail ignored;
    exchange_collect(&exchange, &ignored);
    reply->status = exchange.status;
    if (exchange.reply_type.len) {
        buffer_printf(&reply->head, "Content-Type: %.*s\r\n", VIEW_ARGS(exchange.reply_type));
    }
    for (int i = 0; i < exchange.reply_header_count; i++) {
        buffer_printf(&reply->head, "%.*s: %.*s\r\n", VIEW_ARGS(exchange.reply_headers[i].name),
                      VIEW_ARGS(exchange.reply_headers[i].value));
    }
    buffer_printf(&reply->head, "X-Request-Id: %s", exchange.id);
    buffer_add(&reply->body, exchange.reply_body);
    arena_free(&arena);
    return (!reply->head.failed && !reply->body.failed) || fail_set(fail, FAIL_MEMORY, NULL);
}

// ---- both ---------------------------------------------------------------------------------------

bool client_open(const struct cli_settings *settings, struct client **ret_client, struct fail *fail)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    client->settings = settings;
    if (settings->server[0]) {
        *ret_client = client;
        return true;
    }
    int fd = connect_control(settings);
    client->remote = fd >= 0;
    if (fd >= 0) {
        close(fd);
    } else {
        struct host_options options = settings_host_options(settings);
        if (!host_open(&options, &client->host, fail)) {
            free(client);
            return false;
        }
        if (!web_open_inside(client->host, &client->web, fail)) {
            client_close(client);
            return false;
        }
    }
    *ret_client = client;
    return true;
}

bool client_is_remote(const struct client *client)
{
    return client->remote || client->settings->server[0];
}

static bool send_anywhere(struct client *client, const struct client_request *request, struct client_reply *reply, struct fail *fail)
{
    return client->settings->server[0] ? remote_send(client->settings, request, reply, fail)
           : client->remote            ? send_remote(client, request, reply, fail)
                                       : send_inside(client, request, reply, fail);
}

bool client_send(struct client *client, const struct client_request *request, struct client_reply *ret_reply, struct fail *fail)
{
    const struct cli_settings *settings = client->settings;
    struct exchange_header headers[CLIENT_HEADERS_MAX];
    struct client_request placed = *request;
    struct client_reply reply = {0};
    assert(request->header_count <= HOST_HEADERS_MAX);
    for (int i = 0; i < request->header_count; i++) {
        headers[i] = request->headers[i];
    }
    if (settings->org) {
        headers[placed.header_count++] = (struct exchange_header){VIEW("x-sluice-org"), view_of(settings->org)};
    }
    if (settings->sandbox) {
        headers[placed.header_count++] = (struct exchange_header){VIEW("x-sluice-environment"), VIEW("sandbox")};
    }
    placed.headers = headers;
    buffer_init(&reply.head, HEAD_BYTES_MAX);
    buffer_init(&reply.body, CLIENT_REPLY_BYTES_MAX);
    if (!send_anywhere(client, &placed, &reply, fail)) {
        client_reply_free(&reply);
        return false;
    }
    *ret_reply = reply;
    return true;
}

void client_reply_free(struct client_reply *reply)
{
    buffer_free(&reply->head);
    buffer_free(&reply->body);
}

void client_close(struct client *client)
{
    if (client->web) {
        web_close(client->web);
    }
    if (client->host) {
        host_close(client->host);
    }
    free(client);
}

bool client_is_elsewhere(const struct client *client)
{
    return client->settings->server[0] != 0;
}

bool client_json(struct client *client, const char *method, struct view target, struct view body, struct heap *heap,
                 struct value *ret_value, struct fail *fail)
{
    struct exchange_header type = {VIEW("content-type"), VIEW("application/json")};
    return client_json_typed(client, method, target, body, &type, heap, ret_value, fail);
}

bool client_json_typed(struct client *client, const char *method, struct view target, struct view body, const struct exchange_header *type,
                       struct heap *heap, struct value *ret_value, struct fail *fail)
{
    struct client_request request = {.method = method, .target = target, .body = body, .headers = type, .header_count = body.len ? 1 : 0};
    struct client_reply reply;
    if (!client_send(client, &request, &reply, fail)) {
        return false;
    }
    struct value value;
    bool ok = json_read(heap, buffer_view(&reply.body), &value, fail);
    if (ok && reply.status != 200) {
        const struct map *map = value_as_map(value);
        struct value message = map ? map_get_text(map, VIEW("message")) : value_null();
        const struct list *lines = map ? value_as_list(map_get_text(map, VIEW("messages"))) : NULL;
        for (uint32_t i = 0; lines && i < lines->count; i++) { // what an installation said before it failed
            struct value text = map_get_text(value_as_map(lines->items[i]), VIEW("text"));
            fprintf(stderr, "%.*s\n", VIEW_ARGS(value_view_or(text, VIEW(""))));
        }
        ok = fail_set(fail, FAIL_INVALID_DATA, "%.*s", VIEW_ARGS(value_view_or(message, VIEW("the server refused"))));
    }
    client_reply_free(&reply);
    if (ok) {
        *ret_value = value;
    }
    return ok;
}

struct view cli_text(const struct map *map, const char *key)
{
    return map ? value_view_or(map_get_text(map, view_of(key)), VIEW("")) : VIEW("");
}

int client_ask(struct client *client, const struct cli_args *args, const struct client_question *question)
{
    struct heap heap;
    struct fail fail;
    struct value answer;
    struct buffer target;
    int code = CLI_OK;
    heap_init(&heap, CLIENT_REPLY_BYTES_MAX, NULL);
    buffer_init(&target, 65536);
    buffer_add(&target, view_of(question->path));
    form_encode(&target, view_of(question->word), false);
    buffer_add(&target, view_of(question->path_end));
    if (!client_json(client, question->method, buffer_view(&target), question->body, &heap, &answer, &fail)) {
        code = cli_failed(&fail);
    } else if (cli_flag(args, "--json")) {
        cli_print_json(answer);
    } else if (question->print) {
        question->print(answer);
    }
    buffer_free(&target);
    heap_free(&heap);
    return code;
}

// ---- the right stack ----------------------------------------------------------------------------

struct inside_run {
    const struct cli_args *args;
    const struct cli_settings *settings;
    int (*fn)(struct client *client, const struct cli_args *args);
    int code;
};

static void open_and_run(void *arg)
{
    struct inside_run *run = arg;
    struct client *client;
    struct fail fail;
    fail_clear(&fail);
    if (client_open(run->settings, &client, &fail)) {
        run->code = run->fn(client, run->args);
        client_close(client);
    } else {
        run->code = cli_failed(&fail);
    }
    loop_stop();
}

int client_run(const struct cli_args *args, int (*fn)(struct client *client, const struct cli_args *args))
{
    struct cli_settings settings;
    struct fail fail;
    struct stat info;
    if (!settings_load(args, true, &settings, &fail)) {
        cli_failed(&fail);
        return CLI_USAGE;
    }
    struct inside_run run = {.args = args, .settings = &settings, .fn = fn, .code = CLI_FAILED};
    int fd = settings.server[0] ? -1 : connect_control(&settings);
    if (fd >= 0) {
        close(fd);
        struct client client = {.settings = &settings, .remote = true};
        run.code = fn(&client, args);
    } else if (!settings.server[0] && stat(settings.data, &info) != 0 && !args->command->makes_data) {
        fail_set(&fail, FAIL_IO, "%s: there is no data folder here; start `sluice serve`, or name another with --data", settings.data);
        run.code = cli_failed(&fail);
    } else if (!loop_start(1, &fail) || !loop_run(open_and_run, &run, &fail)) {
        run.code = cli_failed(&fail);
    }
    settings_free(&settings);
    return run.code;
}
