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

// Sends to the world: counted, in what is left of the run's time, answered by a test where there is one. A smaller timeout or size of reply
// in the request counts. FAIL_SCRIPT for what a script can catch.
bool outgoing_send(struct run *run, struct out_request *request, struct heap *heap, struct out_response *ret_response, struct fail *fail);
// The whole way of a request of a script: a test's answer, our own address and Zoho's hosts (answered inside), else the world; `connection` is
// its name, empty for none.
bool outgoing_fetch(struct run *run, struct connection_request *request, struct view connection, struct heap *heap,
                    struct out_response *ret_response, struct fail *fail);

// A connection in the run's heap; an extension's connector has told what its own leaves open. FAIL_SCRIPT names the command that makes one.
bool connection_find(struct run *run, struct view name, struct ext_connection *ret_connection, struct fail *fail);
struct view connection_text(struct value map, const char *key); // a text member of definition, secrets or token; empty without one
bool connection_is(const struct ext_connection *connection, const char *type);
// Nothing can be set up in memory: there every name is a connection to Zoho with all scopes.
bool connection_is_made_up(const struct run *run);
// Who a run is to Zoho's hosts under the connection: its own user, with the connection's scopes.
bool connection_identity(struct run *run, const struct ext_connection *connection, struct identity *ret_identity, struct fail *fail);
// The trailing connection argument of a task of the CRM: it must be one to Zoho whose scopes cover `needed`, words with blanks between.
bool connection_allows(struct run *run, struct view name, struct view needed, struct fail *fail);
// Adds the authorisation to a request to the world; gets a token first where that must be.
bool connection_apply(struct run *run, struct connection_request *request, struct ext_connection *connection, struct fail *fail);
// After the service answered 401 to a request that connection_apply has made. *ret_again: there is a new token in it.
bool connection_renew(struct run *run, struct connection_request *request, struct ext_connection *connection, bool *ret_again,
                      struct fail *fail);

// OAuth 2.0 (connection_token.c). A fresh access token in connection->token; `refused`: the one that the service did not take, empty when it
// has merely expired or there was none.
bool connection_token(struct run *run, struct ext_connection *connection, struct view refused, struct fail *fail);
// Where a user of the service lets the client in, for the code of an authorisation; false where no authorize_url is known.
bool connection_authorize_url(struct value definition, struct heap *heap, struct value *ret_url);
