// SPDX-License-Identifier: Apache-2.0
//
// The head of a reply, as bytes.
#pragma once

#include "host/host.h"

enum reply_connection {
    REPLY_STAYS, // HTTP/1.1: nothing to say
    REPLY_STAYS_1_0, // HTTP/1.0 wants to be told
    REPLY_CLOSES,
};
const char *reply_reason(int status); // "Not Found"; "" for a status without a name
bool reply_has_body(int status); // not 1xx, 204, 304
// Status line and headers of exchange's reply, in its arena. Framing headers and Date are ours: what a handler or script put under those
// names, and names or values that are not made of the right bytes, are left out. `behind` is put behind the head: a small body is copied
// for less than a second piece costs the system call. False when the arena is full.
bool reply_head(const struct exchange *exchange, enum reply_connection connection, struct view behind, struct view *ret_head);
