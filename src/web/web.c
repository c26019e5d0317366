// SPDX-License-Identifier: Apache-2.0
//
// Opening and closing of the room: two listeners (the port and control.sock) over one service and one dispatcher. Patience with clients
// stands here.
#include "web/room.h"

#include <stdlib.h>

#include "web/http.h"

enum {
    WEB_IDLE_MS = 75 * 1000, // between requests
    WEB_HEAD_MS = 10 * 1000, // from the first byte of a head to its end
    WEB_BODY_IDLE_MS = 30 * 1000, // between two reads of a body
    WEB_BODY_TOTAL_MS = 120 * 1000,
    WEB_WRITE_MS = 30 * 1000,
    WEB_LINGER_IDLE_MS = 1000,
    WEB_LINGER_TOTAL_MS = 30 * 1000,
    WEB_BACKLOG = 4096,
    WEB_CONTROL_CONNECTIONS_MAX = 64,
    WEB_ARENA_SPARE_BYTES = 16 << 20, // of an exchange, beside its reply: head, parameters, escapes
};

static void note_exchange(void *user, const struct exchange *exchange, double duration_ms)
{
    struct web *web = user;
    metrics_note(&web->metrics, exchange->status, duration_ms);
    if (web->on_exchange) {
        web->on_exchange(exchange, duration_ms);
    }
}

// Both listeners have the same service: what differs on control.sock is who may open it, and loop_connection_local tells that.
static bool listen_at(struct web *web, int index, const char *address, int connections_max, struct fail *fail)
{
    const struct loop_service service = {
        .ready = connection_ready,
        .serve = connection_serve,
        .user = &web->service,
        .input_bytes_max = CONNECTION_INPUT_BYTES_MAX,
        .idle_timeout_ms = WEB_IDLE_MS,
        .head_timeout_ms = WEB_HEAD_MS,
        .connections_max = connections_max,
        .backlog = WEB_BACKLOG,
    };
    return loop_listen(address, &service, &web->listeners[index], fail);
}

static bool listen_all(struct web *web, const struct web_options *options, struct fail *fail)
{
    char control[512];
    if (!listen_at(web, 0, options->listen, options->connections_max, fail)) {
        return false;
    }
    if (!options->control_path) {
        return true;
    }
    if ((size_t)snprintf(control, sizeof control, "unix:%s", options->control_path) >= sizeof control) {
        return fail_set(fail, FAIL_USAGE, "the path of control.sock is too long");
    }
    return listen_at(web, 1, control, WEB_CONTROL_CONNECTIONS_MAX, fail);
}

// Aligned as its counters want it, which is more than malloc promises.
bool web_open_inside(struct host *host, struct web **ret_web, struct fail *fail)
{
    struct web *web = aligned_alloc(_Alignof(struct web), sizeof *web);
    if (!web) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    memset(web, 0, sizeof *web);
    web->host = host;
    web->started_ms = clock_wall_ms();
    web->admission.process_max = (int)host_limit(host, LIMIT_PROCESS_RUNS);
    web->admission.key_max = (int)host_limit(host, LIMIT_KEY_RUNS);
    web->service = (struct connection_service){
        .handle = web_dispatch,
        .done = note_exchange,
        .user = web,
        .body_memory_max = (size_t)host_limit(host, LIMIT_PROCESS_MEMORY),
        .arena_bytes_max = 2 * (size_t)host_limit(host, LIMIT_REPLY_BYTES) + WEB_ARENA_SPARE_BYTES,
        .body_idle_ms = WEB_BODY_IDLE_MS,
        .body_total_ms = WEB_BODY_TOTAL_MS,
        .write_ms = WEB_WRITE_MS,
        .linger_idle_ms = WEB_LINGER_IDLE_MS,
        .linger_total_ms = WEB_LINGER_TOTAL_MS,
    };
    host_set_dispatch(host, web_dispatch, web);
    *ret_web = web;
    return true;
}

bool web_open(const struct web_options *options, struct web **ret_web, struct fail *fail)
{
    struct web *web;
    if (!web_open_inside(options->host, &web, fail)) {
        return false;
    }
    web->on_exchange = options->on_exchange;
    if (!host_keep_runs(web->host, fail) || !listen_all(web, options, fail)) {
        web_stop(web);
        web_close(web);
        return false;
    }
    host_set_address(web->host, web_address(web));
    *ret_web = web;
    return true;
}

const char *web_address(const struct web *web)
{
    return web->listeners[0] ? loop_listener_address(web->listeners[0]) : "";
}

void web_stop(struct web *web)
{
    atomic_store(&web->stopped, true);
    for (int i = 0; i < WEB_LISTENERS; i++) {
        if (web->listeners[i]) {
            loop_listener_stop(web->listeners[i]);
        }
    }
    host_runs_stop_waiting(web->host);
}

int web_busy(const struct web *web)
{
    int busy = 0;
    for (int i = 0; i < WEB_LISTENERS; i++) {
        busy += web->listeners[i] ? loop_listener_busy(web->listeners[i]) : 0;
    }
    return busy;
}

// A web that listened stays for the rest of the process: a connection of another loop may be on its way to it, to be told that it stopped.
static void keep_web(struct web *web)
{
    static _Atomic(struct web *) kept;
    web->kept = atomic_exchange(&kept, web);
}

void web_close(struct web *web)
{
    host_set_dispatch(web->host, NULL, NULL);
    if (web->listeners[0] || web->listeners[1]) {
        keep_web(web);
    } else {
        free(web);
    }
}
