// SPDX-License-Identifier: Apache-2.0
//
// web: HTTP in and out of the port. loop hands it bytes, http.h reads them strictly, the router finds the row in web/routes.c, identity and
// admission come before the body, the handler asks host, the reply goes out. The same dispatcher serves the port, control.sock and calls
// inside the process.
#pragma once

#include "base/base.h"
#include "host/host.h"

struct web;
struct web_options {
    struct host *host;
    const char *listen; // "127.0.0.1:8080"
    const char *control_path; // DATA/control.sock, or NULL
    int connections_max;
    void (*on_exchange)(const struct exchange *exchange, double duration_ms); // the structured line per call; may be NULL
};
bool web_open(const struct web_options *options, struct web **ret_web, struct fail *fail); // listens; on a fiber
const char *web_address(const struct web *web);
void web_stop(struct web *web); // takes no new calls, closes idle connections
int web_busy(const struct web *web);
void web_close(struct web *web);
// Finds the row, checks identity, admits, reads the body, calls the handler. Always leaves a reply in the exchange. `user` is the web, or a
// `struct web *` made by web_open_inside for commands that run without a port.
void web_dispatch(void *user, struct exchange *exchange);
bool web_open_inside(struct host *host, struct web **ret_web, struct fail *fail);

// A query as it may be shown: the values of keys, codes, secrets, tokens and tickets are ***, however their names are spelled (secret.c).
void web_query_masked(struct buffer *out, struct view query);

bool web_has_console(void); // this binary was built with it

// The routes, for `docs api` and the coverage test.
struct web_route_row {
    const char *method, *pattern, *auth, *text;
};
int web_route_count(void);
struct web_route_row web_route_at(int index);
