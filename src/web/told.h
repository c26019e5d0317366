// SPDX-License-Identifier: Apache-2.0
//
// Answers of what speaks while it works (publishing, installing, putting functions): the lines that host said go out with the reply, or with
// the reason of a failure.
#pragma once

#include "web/room.h"

struct messages {
    struct answer *answer;
    struct list *lines;
};

struct told {
    struct answer answer;
    struct value reply, lines;
    struct messages messages;
    struct host_message message;
};

bool told_open(struct told *told, struct exchange *exchange);
void told_send(struct told *told, bool good); // ends it: `reply` with "messages", or "message" with them
