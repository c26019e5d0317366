// SPDX-License-Identifier: Apache-2.0
//
// Inside host: requests that leave a run, and the connections that authorise them.
#pragma once

#include "host/inside.h"

enum { CONNECTION_HEADERS_MAX = 66 };
struct connection_request {
    struct out_request out; // headers are those below
    struct out_header headers[CONNECTION_HEADERS_MAX];
};

// Sends to the world: counted, in what is left of the run's time, answered by a test where there is one. FAIL_SCRIPT for what a script can
// catch.
bool outgoing_send(struct run *run, struct out_request *request, struct heap *heap, struct out_response *ret_response, struct fail *fail);
// The whole way of a request of a script: a test's answer, our own address and Zoho's hosts (answered inside), else the world; `connection` is
// its name, empty for none.
bool outgoing_fetch(struct run *run, struct connection_request *request, struct view connection, struct heap *heap,
                    struct out_response *ret_response, struct fail *fail);

// FAIL_SCRIPT names the command that makes one.
bool connection_find(struct run *run, struct view name, struct ext_connection *ret_connection, struct fail *fail);
// Who a run is to Zoho's hosts under the connection: its own user, with the connection's scopes.
bool connection_identity(struct run *run, const struct ext_connection *connection, struct identity *ret_identity, struct fail *fail);
// Adds the authorisation and sends; refreshes a token that the service refuses, once.
bool connection_send(struct run *run, struct connection_request *request, struct ext_connection *connection, struct heap *heap,
                     struct out_response *ret_response, struct fail *fail);
