// SPDX-License-Identifier: Apache-2.0
//
// What listener.c and socket.c share: a listener has one lane on every loop; a connection belongs to one lane for life and stands in one of
// its four lines. Deadlines in a line grow from first to last, because every connection of a line has the same time limit: one timer a
// lane, armed for the earliest first one, serves all of them, and a request only moves its connection between lines.
#pragma once

#include "loop/internal.h"

#include <netinet/in.h>

struct line {
    struct loop_connection *first, *last;
};

struct lane {
    struct loop_listener *listener;
    struct loop *loop;
    struct line idle; // nothing buffered
    struct line head; // a part of a head is buffered
    struct line busy; // served by a fiber
    struct line linger; // closed by us, waits for the peer to close
    struct loop_timer timer;
    struct loop_post stop;
    atomic_int connections; // raised by the acceptor, lowered by the loop
    atomic_int busy_count; // written by the loop
    bool stopped;
};

struct loop_listener {
    struct loop_listener *next;
    struct loop_service service;
    int fd;
    uv_poll_t poll;
    bool opened; // `poll` is a live handle
    struct loop_post open;
    struct loop_timer retry; // of accepting
    int64_t told_ms; // when a refusal was last logged
    atomic_bool stopped;
    bool local;
    unsigned long long socket_file; // inode of the unix socket
    char address[160];
    int lane_count;
    struct lane lanes[];
};

struct loop_connection {
    uv_poll_t poll;
    struct lane *lane;
    struct loop_connection *next, *before;
    struct line *line;
    int64_t deadline_ms;
    char *input; // NULL while nothing is buffered
    size_t start, end, cap;
    size_t seen; // what `ready` has looked at; in a lingering connection the bytes thrown away
    struct fiber *waiter;
    struct loop_post post; // on its way to its loop, or waiting for a stack
    int fd;
    int watched; // UV_READABLE | UV_WRITABLE
    bool eof, failed;
    char peer[INET6_ADDRSTRLEN];
};

void connection_adopt(struct loop *loop, struct loop_post *post); // first thing on its loop
void lane_init(struct lane *lane, struct loop_listener *listener, struct loop *loop);
void lane_stop(struct lane *lane); // closes what no fiber serves
void lane_close(struct lane *lane); // closes all; no fiber lives any more
