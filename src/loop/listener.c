// SPDX-License-Identifier: Apache-2.0
//
// Listening sockets. Loop 0 accepts and hands each connection to a loop: the one with clearly fewer live calls, else the one with fewer
// connections (live calls alone are a momentary picture: a burst of new clients sees zero everywhere).
//
// When the process is out of descriptors, accepting pauses for a moment instead of spinning: the kernel keeps the clients in its backlog.
//
// A unix socket is made 0600 before anybody can connect (chmod before listen); a socket file that nobody answers on is a leftover and
// replaced.
#include "loop/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    ACCEPTS_A_TURN = 64,
    RETRY_MS = 50,
    TELL_EVERY_MS = 1000,
    LIVE_CALLS_APART = 2, // differences below it are noise
};

static pthread_mutex_t listeners_mutex = PTHREAD_MUTEX_INITIALIZER; // loops may listen at the same time
static struct loop_listener *listeners;

// ---- accepting ----------------------------------------------------------------------------------

static struct lane *choose_lane(struct loop_listener *listener)
{
    struct lane *best = NULL;
    int best_live = 0, best_connections = 0;
    for (int i = 0; i < listener->lane_count; i++) {
        struct lane *lane = &listener->lanes[i];
        int live = atomic_load_explicit(&lane->loop->live_calls, memory_order_relaxed);
        int connections = atomic_load_explicit(&lane->connections, memory_order_relaxed);
        bool fewer = live + LIVE_CALLS_APART <= best_live || (live < best_live + LIVE_CALLS_APART && connections < best_connections);
        if (!best || fewer) {
            best = lane;
            best_live = live;
            best_connections = connections;
        }
    }
    return best;
}

// An IPv4 client of an IPv6 socket is shown as IPv4.
static void print_peer(char out[INET6_ADDRSTRLEN], const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, out, INET6_ADDRSTRLEN);
    } else if (address->ss_family == AF_INET6) {
        const struct in6_addr *ip = &((const struct sockaddr_in6 *)address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(ip)) {
            inet_ntop(AF_INET, &ip->s6_addr[12], out, INET6_ADDRSTRLEN);
        } else {
            inet_ntop(AF_INET6, ip, out, INET6_ADDRSTRLEN);
        }
    }
}

// From here the connection belongs to its lane's loop.
static bool hand_over(struct loop_listener *listener, int fd, const struct sockaddr_storage *address)
{
    struct loop_connection *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return false;
    }
    if (!listener->local) {
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    c->fd = fd;
    c->lane = choose_lane(listener);
    c->post.run = connection_adopt;
    print_peer(c->peer, address);
    atomic_fetch_add(&c->lane->connections, 1);
    if (c->lane->loop == loop_of_thread) {
        connection_adopt(c->lane->loop, &c->post);
    } else {
        post_push(c->lane->loop, &c->post);
    }
    return true;
}

static int count_connections(const struct loop_listener *listener)
{
    int count = 0;
    for (int i = 0; i < listener->lane_count; i++) {
        count += atomic_load_explicit(&listener->lanes[i].connections, memory_order_relaxed);
    }
    return count;
}

static void on_acceptable(uv_poll_t *poll, int status, int events);

// The reason is told at most once a second: an attack must not fill the log.
static void pause_accepting(struct loop_listener *listener, const char *why)
{
    uv_poll_stop(&listener->poll);
    loop_timer_start(&listener->retry, RETRY_MS);
    if (loop_now_ms() - listener->told_ms >= TELL_EVERY_MS) {
        listener->told_ms = loop_now_ms();
        log_line(LOG_WARN, "accept", "address=%s paused because=\"%s\"", listener->address, why);
    }
}

static void retry_accepting(void *arg)
{
    struct loop_listener *listener = arg;
    if (listener->opened) {
        uv_poll_start(&listener->poll, UV_READABLE, on_acceptable);
    }
}

// In bounded turns, so a flood of connections does not hold up those who are served on loop 0.
static void on_acceptable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct loop_listener *listener = poll->data;
    if (status < 0) {
        pause_accepting(listener, uv_strerror(status));
        return;
    }
    int room = listener->service.connections_max - count_connections(listener);
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        if (room-- <= 0) {
            pause_accepting(listener, "as many connections as allowed");
            return;
        }
        struct sockaddr_storage address = {0};
        socklen_t len = sizeof address;
        int fd = accept4(listener->fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return;
        }
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            pause_accepting(listener, strerror(errno));
            return;
        }
        if (fd >= 0 && !hand_over(listener, fd, &address)) {
            pause_accepting(listener, "no memory");
            return;
        }
    }
}

// ---- opening the socket -------------------------------------------------------------------------

static bool fail_listen(struct fail *fail, int fd, const char *address, const char *what)
{
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    return fail_set(fail, FAIL_IO, "cannot listen on %s: %s: %s", address, what, strerror(error));
}

// Nobody answers on a socket file that a killed process left.
static bool remove_stale(const struct sockaddr_un *where)
{
    struct stat info;
    if (lstat(where->sun_path, &info) != 0) {
        return true;
    }
    if (!S_ISSOCK(info.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answered = fd >= 0 && connect(fd, (const struct sockaddr *)where, sizeof *where) == 0;
    if (fd >= 0) {
        close(fd);
    }
    if (answered) {
        errno = EADDRINUSE;
        return false;
    }
    return unlink(where->sun_path) == 0;
}

// The path is at most 107 bytes: sockaddr_un has no more.
static bool open_unix(struct loop_listener *listener, const char *address, struct fail *fail)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    const char *path = address + strlen("unix:");
    if (path[0] == '\0' || strlen(path) >= sizeof where.sun_path) {
        return fail_set(fail, FAIL_USAGE, "cannot listen on %s: the path must have 1 to %zu bytes", address, sizeof where.sun_path - 1);
    }
    memcpy(where.sun_path, path, strlen(path) + 1);
    if (!remove_stale(&where)) {
        return fail_listen(fail, -1, address, "the path is taken");
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&where, sizeof where) != 0) {
        return fail_listen(fail, fd, address, "bind");
    }
    struct stat info;
    if (chmod(path, 0600) != 0 || stat(path, &info) != 0 || listen(fd, listener->service.backlog) != 0) {
        return fail_listen(fail, fd, address, "listen");
    }
    listener->fd = fd;
    listener->local = true;
    listener->socket_file = info.st_ino;
    snprintf(listener->address, sizeof listener->address, "%s", address);
    return true;
}

// "HOST:PORT" or "[HOST]:PORT" into its two parts.
static bool split_address(const char *address, char host[128], char port[8])
{
    const char *colon = strrchr(address, ':');
    struct view name = {address, colon ? (size_t)(colon - address) : 0};
    if (name.len >= 2 && name.data[0] == '[' && name.data[name.len - 1] == ']') {
        name = view_slice(name, 1, name.len - 2);
    } else if (view_find_char(name, ':') >= 0) {
        return false; // an IPv6 address needs brackets
    }
    int64_t number;
    if (!colon || name.len == 0 || name.len >= 128 || !view_to_int64(view_of(colon + 1), &number) || number < 0 || number > 65535) {
        return false;
    }
    memcpy(host, name.data, name.len);
    host[name.len] = '\0';
    snprintf(port, 8, "%d", (int)number);
    return true;
}

struct look_up {
    char host[128], port[8];
    struct addrinfo *found;
    int error;
};

// On the thread's stack: the resolver needs more than a fiber has.
static void look_up_host(void *arg)
{
    struct look_up *look = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    look->error = getaddrinfo(look->host, look->port, &hints, &look->found);
}

static void print_address(struct loop_listener *listener)
{
    struct sockaddr_storage where = {0};
    socklen_t len = sizeof where;
    getsockname(listener->fd, (struct sockaddr *)&where, &len);
    char host[INET6_ADDRSTRLEN] = "";
    bool six = where.ss_family == AF_INET6;
    const void *ip =
        six ? (const void *)&((struct sockaddr_in6 *)&where)->sin6_addr : (const void *)&((struct sockaddr_in *)&where)->sin_addr;
    inet_ntop(where.ss_family, ip, host, sizeof host);
    int port = ntohs(six ? ((struct sockaddr_in6 *)&where)->sin6_port : ((struct sockaddr_in *)&where)->sin_port);
    snprintf(listener->address, sizeof listener->address, six ? "[%s]:%d" : "%s:%d", host, port);
}

// The first address that the name has; a name that must be bound twice is given as two addresses.
static bool open_tcp(struct loop_listener *listener, const char *address, struct fail *fail)
{
    struct look_up look = {0};
    if (!split_address(address, look.host, look.port)) {
        return fail_set(fail, FAIL_USAGE, "\"%s\" is not an address: HOST:PORT, [IPV6]:PORT or unix:PATH", address);
    }
    loop_on_thread_stack(look_up_host, &look);
    if (look.error != 0) {
        return fail_set(fail, FAIL_IO, "cannot listen on %s: %s", address, gai_strerror(look.error));
    }
    const struct addrinfo *where = look.found;
    int one = 1, zero = 0;
    int fd = socket(where->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool bound = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0;
    if (bound && where->ai_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero); // [::] takes IPv4, too
    }
    bound = bound && bind(fd, where->ai_addr, where->ai_addrlen) == 0 && listen(fd, listener->service.backlog) == 0;
    freeaddrinfo(look.found);
    if (!bound) {
        return fail_listen(fail, fd, address, "bind");
    }
    listener->fd = fd;
    print_address(listener);
    return true;
}

// ---- life ---------------------------------------------------------------------------------------

// On loop 0.
static void open_listener(struct loop *loop, struct loop_post *post)
{
    struct loop_listener *listener = (struct loop_listener *)(void *)((char *)post - offsetof(struct loop_listener, open));
    timer_init(&listener->retry, loop, retry_accepting, listener);
    if (atomic_load(&listener->stopped) || loop->ended || uv_poll_init(&loop->uv, &listener->poll, listener->fd) != 0) {
        return;
    }
    listener->poll.data = listener;
    listener->opened = true;
    uv_poll_start(&listener->poll, UV_READABLE, on_acceptable);
}

// On the lane's loop; loop 0 also gives the socket back.
static void stop_lane(struct loop *loop, struct loop_post *post)
{
    struct lane *lane = (struct lane *)(void *)((char *)post - offsetof(struct lane, stop));
    struct loop_listener *listener = lane->listener;
    lane_stop(lane);
    if (loop->index != 0 || listener->fd < 0) {
        return;
    }
    if (listener->opened) {
        listener->opened = false;
        loop_timer_stop(&listener->retry);
        uv_close((uv_handle_t *)&listener->poll, NULL);
    }
    close(listener->fd);
    listener->fd = -1;
    struct stat info;
    const char *path = listener->address + strlen("unix:");
    if (listener->local && lstat(path, &info) == 0 && info.st_ino == listener->socket_file) {
        unlink(path);
    }
}

// The socket listens when this returns (clients wait in its backlog); loop 0 begins to accept at once or at its next turn.
bool loop_listen(const char *address, const struct loop_service *service, struct loop_listener **ret_listener, struct fail *fail)
{
    int loops = loop_count();
    assert(loops > 0 && service->ready && service->serve && service->input_bytes_max > 0 && service->connections_max > 0);
    if (strlen(address) >= sizeof(((struct loop_listener *)0)->address)) {
        return fail_set(fail, FAIL_USAGE, "the address to listen on is too long");
    }
    struct loop_listener *listener = calloc(1, sizeof *listener + (size_t)loops * sizeof(struct lane));
    if (!listener) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    listener->service = *service;
    listener->open.run = open_listener;
    listener->lane_count = loops;
    for (int i = 0; i < loops; i++) {
        lane_init(&listener->lanes[i], listener, loop_at(i));
        listener->lanes[i].stop.run = stop_lane;
    }
    bool local = strncmp(address, "unix:", strlen("unix:")) == 0;
    if (!(local ? open_unix(listener, address, fail) : open_tcp(listener, address, fail))) {
        free(listener);
        return false;
    }
    pthread_mutex_lock(&listeners_mutex);
    listener->next = listeners;
    listeners = listener;
    pthread_mutex_unlock(&listeners_mutex);
    if (loop_of_thread == loop_at(0)) {
        open_listener(loop_of_thread, &listener->open);
    } else {
        post_push(loop_at(0), &listener->open);
    }
    *ret_listener = listener;
    return true;
}

const char *loop_listener_address(const struct loop_listener *listener)
{
    return listener->address;
}

void loop_listener_stop(struct loop_listener *listener)
{
    if (atomic_exchange(&listener->stopped, true)) {
        return;
    }
    for (int i = 0; i < listener->lane_count; i++) {
        struct lane *lane = &listener->lanes[i];
        if (lane->loop == loop_of_thread) {
            stop_lane(lane->loop, &lane->stop);
        } else {
            post_push(lane->loop, &lane->stop);
        }
    }
}

int loop_listener_busy(const struct loop_listener *listener)
{
    int busy = 0;
    for (int i = 0; i < listener->lane_count; i++) {
        busy += atomic_load_explicit(&listener->lanes[i].busy_count, memory_order_relaxed);
    }
    return busy;
}

static struct loop_listener *first_listener(void)
{
    pthread_mutex_lock(&listeners_mutex);
    struct loop_listener *first = listeners;
    pthread_mutex_unlock(&listeners_mutex);
    return first; // listeners are only added in front and live until all loops ended
}

void listener_stop_lanes(struct loop *loop)
{
    for (struct loop_listener *listener = first_listener(); listener; listener = listener->next) {
        stop_lane(loop, &listener->lanes[loop->index].stop);
    }
}

void listener_close_lanes(struct loop *loop)
{
    listener_stop_lanes(loop); // one may have been opened during the end
    for (struct loop_listener *listener = first_listener(); listener; listener = listener->next) {
        lane_close(&listener->lanes[loop->index]);
    }
}

// After the last loop: connections point to their listener.
void listener_free_all(void)
{
    while (listeners) {
        struct loop_listener *listener = listeners;
        listeners = listener->next;
        free(listener);
    }
}
