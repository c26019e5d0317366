// SPDX-License-Identifier: Apache-2.0
//
// One served connection: bytes in, exchanges to a handler, replies out. Knows framing and patience, not routes.
#pragma once

#include "host/host.h"
#include "loop/loop.h"

enum {
    CONNECTION_INPUT_BYTES_MAX = 64 * 1024, // read ahead of the fiber
    CONNECTION_SLICE_BYTES = 256 * 1024, // of a reply, in one call of loop_write
    CONNECTION_JOINED_BYTES_MAX = 2048, // a body up to this leaves in one piece with its head
    CONNECTION_DRAIN_BYTES_MAX = 64 * 1024, // a refused request's body up to this is read and dropped, above the connection is closed
    CONNECTION_LINGER_BYTES_MAX = 64 << 20, // read and dropped before a close, so that the reply is not lost in a reset
    CONNECTION_LINGERING_MAX = 512, // connections of the process that do so at once; above they are closed at once
};

struct connection_service {
    // Answers the exchange: always leaves a reply. The body is read through exchange->read_body, which the handler calls when it wants it.
    void (*handle)(void *user, struct exchange *exchange);
    void (*done)(void *user, const struct exchange *exchange, double duration_ms); // after the reply was sent or could not be; may be NULL
    void *user;
    size_t body_memory_max; // of all bodies of the process that are being read or handled
    size_t arena_bytes_max; // of one exchange: head, parameters, reply
    int64_t body_idle_ms, body_total_ms; // between two reads of a body, and for all of it
    int64_t write_ms; // for each CONNECTION_SLICE_BYTES of a reply
    int64_t linger_idle_ms, linger_total_ms;
};

// The two functions of a struct loop_service; its user is a struct connection_service.
enum loop_ready connection_ready(struct view input, size_t seen);
bool connection_serve(struct loop_connection *connection, void *service);
