// SPDX-License-Identifier: Apache-2.0
//
// The floor: the least work that is still HTTP/1.1 with keep-alive. One thread, epoll, one read and one write a request, the same bytes to
// everybody. It knows no script, no key and no log, so what a server costs above it is what the server does for its caller. Not for use:
// whoever sends more than a buffer is hung up on.
//
//   floor PORT       serves on 127.0.0.1 until it is killed
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, INPUT_BYTES = 8192, BACKLOG = 512 };

struct client {
    int fd;
    size_t have;
    char input[INPUT_BYTES + 1]; // and a NUL, for strstr
};

// What Sluice answers to hello, byte for byte but for the numbers.
static const char body[] = "{\"code\":\"success\",\"details\":{\"output\":\"hello\",\"output_type\":\"string\","
                           "\"id\":\"000000000000000000\"},\"message\":\"function executed successfully\"}";
static char reply[512];
static size_t reply_bytes;

static void make_reply(void)
{
    reply_bytes = (size_t)snprintf(reply, sizeof reply,
                                   "HTTP/1.1 200 OK\r\n"
                                   "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                                   "Content-Type: application/json;charset=utf-8\r\n"
                                   "Content-Length: %zu\r\n"
                                   "X-Request-Id: 000000000000000000000000\r\n"
                                   "\r\n%s",
                                   sizeof body - 1, body);
}

static int listen_at(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0) {
        perror("floor");
        exit(1);
    }
    return fd;
}

static void take_clients(int listener, int poll)
{
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct client *client = calloc(1, sizeof *client);
        if (!client) {
            close(fd);
            continue;
        }
        client->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = client});
    }
}

// Bytes of the request at the front, body included; 0 when it is not whole.
static size_t whole_request(const struct client *client)
{
    const char *end = strstr(client->input, "\r\n\r\n");
    if (!end) {
        return 0;
    }
    const char *length = strcasestr(client->input, "\r\ncontent-length:");
    size_t bytes = (size_t)(end + 4 - client->input) + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
    return bytes <= client->have ? bytes : 0;
}

// False: the connection ends.
static bool serve(struct client *client)
{
    ssize_t got = read(client->fd, client->input + client->have, INPUT_BYTES - client->have);
    if (got <= 0) {
        return got < 0 && errno == EAGAIN;
    }
    client->have += (size_t)got;
    client->input[client->have] = 0;
    for (size_t bytes; (bytes = whole_request(client)) > 0;) {
        if (write(client->fd, reply, reply_bytes) < 0) {
            return false;
        }
        client->have -= bytes;
        memmove(client->input, client->input + bytes, client->have + 1);
    }
    return client->have < INPUT_BYTES;
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    if (argc != 2) {
        fprintf(stderr, "usage: floor PORT\n");
        return 2;
    }
    make_reply();
    int listener = listen_at(atoi(argv[1])), poll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN});
    for (;;) {
        int count = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            if (!client) {
                take_clients(listener, poll);
            } else if (!serve(client)) {
                close(client->fd);
                free(client);
            }
        }
    }
}
