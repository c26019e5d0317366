// SPDX-License-Identifier: Apache-2.0
//
// Asking a server elsewhere (--server URL --token T).
#pragma once

#include "cli/cli.h"

enum { CLIENT_REPLY_BYTES_MAX = 512 << 20, CLIENT_TIMEOUT_S = 150 };

// On a fiber. HTTP error statuses are replies, not failures.
bool remote_send(const struct cli_settings *settings, const struct client_request *request, struct client_reply *reply, struct fail *fail);
