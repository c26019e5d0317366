// SPDX-License-Identifier: Apache-2.0
//
// curl multi on a loop: one handle for each policy, because its connection cache would otherwise hand a connection that one policy allowed
// to another that forbids it (the guard is asked when a connection is opened, not when it is used again).
//
// curl tells which sockets to watch and when to be called next; loop calls back on its own stack; finished transfers set the event their
// fiber waits for. Nothing here runs on a fiber's stack or gives way.
#include "out/inside.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

struct pool {
    struct pool *next; // most recently used first
    const struct library *curl;
    CURLM *multi;
    struct loop_timer *timer;
    bool allow_loopback;
    char *allow;
    size_t allow_len;
    int active; // transfers
    CURL *spares[OUT_SPARES_MAX];
    int spare_count;
};

// What curl keeps for a socket.
struct watch {
    struct pool *pool;
    struct loop_poll *poll;
    curl_socket_t socket;
};

static struct pool *pools[LOOP_WORKERS_MAX]; // by loop; each is touched by its own loop only
static bool told_end[LOOP_WORKERS_MAX];

static struct pool **pools_here(void)
{
    return &pools[loop_index(loop_current())];
}

// ---- curl's callbacks ---------------------------------------------------------------------------

// After every call into the multi: transfers end inside any of them.
static void finish_transfers(struct pool *pool)
{
    int left;
    CURLMsg *message;
    while ((message = pool->curl->multi_info_read(pool->multi, &left)) != NULL) {
        struct transfer *transfer = NULL;
        if (message->msg != CURLMSG_DONE || pool->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) != CURLE_OK) {
            continue;
        }
        transfer->result = message->data.result;
        transfer->done = true;
        loop_event_set(&transfer->event);
    }
}

static void on_ready(void *arg, int events, bool error)
{
    struct watch *watch = arg; // gone when curl says so inside the call
    struct pool *pool = watch->pool;
    int curl_events = ((events & LOOP_READABLE) ? CURL_CSELECT_IN : 0) | ((events & LOOP_WRITABLE) ? CURL_CSELECT_OUT : 0);
    int running;
    pool->curl->multi_socket_action(pool->multi, watch->socket, curl_events | (error ? CURL_CSELECT_ERR : 0), &running);
    finish_transfers(pool);
}

static void on_time(void *arg)
{
    struct pool *pool = arg;
    int running;
    pool->curl->multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_transfers(pool);
}

// curl forbids calling it from here: a time of 0 also goes through the timer.
static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    (void)multi;
    struct pool *pool = arg;
    if (timeout_ms < 0) {
        loop_timer_stop(pool->timer);
    } else {
        loop_timer_start(pool->timer, timeout_ms);
    }
    return 0;
}

static int set_socket(CURL *easy, curl_socket_t socket, int what, void *arg, void *value)
{
    (void)easy;
    struct pool *pool = arg;
    struct watch *watch = value;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            loop_poll_free(watch->poll);
            free(watch);
            pool->curl->multi_assign(pool->multi, socket, NULL);
        }
        return 0;
    }
    if (!watch) {
        watch = malloc(sizeof *watch);
        struct loop_poll *poll = watch ? loop_poll_new(socket, on_ready, watch) : NULL;
        if (!poll) {
            free(watch);
            return -1; // ends curl's transfers on this pool with an error
        }
        *watch = (struct watch){pool, poll, socket};
        pool->curl->multi_assign(pool->multi, socket, watch);
    }
    loop_poll_set(watch->poll, ((what & CURL_POLL_IN) ? LOOP_READABLE : 0) | ((what & CURL_POLL_OUT) ? LOOP_WRITABLE : 0));
    return 0;
}

// ---- life ---------------------------------------------------------------------------------------

static void free_pool(struct pool *pool)
{
    for (int i = 0; i < pool->spare_count; i++) {
        pool->curl->easy_cleanup(pool->spares[i]);
    }
    if (pool->multi) {
        pool->curl->multi_cleanup(pool->multi);
    }
    loop_timer_free(pool->timer);
    free(pool->allow);
    free(pool);
}

static struct pool *make_pool(const struct library *curl, const struct out_policy *policy)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool) {
        return NULL;
    }
    pool->curl = curl;
    pool->allow_loopback = policy->allow_loopback;
    pool->allow = malloc(policy->allow.len + 1);
    pool->timer = loop_timer_new(on_time, pool);
    pool->multi = curl->multi_init();
    if (!pool->allow || !pool->timer || !pool->multi) {
        free_pool(pool);
        return NULL;
    }
    if (policy->allow.len > 0) {
        memcpy(pool->allow, policy->allow.data, policy->allow.len);
    }
    pool->allow_len = policy->allow.len;
    curl->multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl->multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    curl->multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl->multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
    curl->multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, (long)OUT_IDLE_CONNECTIONS_MAX);
    curl->multi_setopt(pool->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)OUT_CONNECTIONS_MAX);
    return pool;
}

// By content: callers make their policy anew for each request.
static bool same_policy(const struct pool *pool, const struct out_policy *policy)
{
    return pool->allow_loopback == policy->allow_loopback && view_eq((struct view){pool->allow, pool->allow_len}, policy->allow);
}

// Makes room for one more; false when all are at work.
static bool drop_oldest_idle(struct pool **first)
{
    struct pool **oldest = NULL;
    int count = 0;
    for (struct pool **link = first; *link; link = &(*link)->next) {
        count++;
        oldest = (*link)->active == 0 ? link : oldest;
    }
    if (count < OUT_POOLS_MAX) {
        return true;
    }
    if (!oldest) {
        return false;
    }
    struct pool *pool = *oldest;
    *oldest = pool->next;
    free_pool(pool);
    return true;
}

static void end_loop(void *arg)
{
    (void)arg;
    out_close_thread();
}

bool pool_find(const struct library *curl, const struct out_policy *policy, struct pool **ret_pool, struct fail *fail)
{
    struct pool **first = pools_here(), **link = first;
    while (*link && !same_policy(*link, policy)) {
        link = &(*link)->next;
    }
    struct pool *pool = *link;
    if (pool) {
        *link = pool->next;
    } else {
        if (!drop_oldest_idle(first)) {
            return fail_set(fail, FAIL_OUTBOUND, "too many outbound policies at once");
        }
        bool *told = &told_end[loop_index(loop_current())];
        *told = *told || loop_on_end(end_loop, NULL);
        pool = make_pool(curl, policy);
        if (!pool) {
            return fail_set(fail, FAIL_MEMORY, NULL);
        }
    }
    pool->next = *first;
    *first = pool;
    *ret_pool = pool;
    return true;
}

CURL *pool_take(struct pool *pool)
{
    return pool->spare_count > 0 ? pool->spares[--pool->spare_count] : pool->curl->easy_init();
}

bool pool_begin(struct pool *pool, struct transfer *transfer)
{
    if (pool->curl->multi_add_handle(pool->multi, transfer->easy) != CURLM_OK) {
        return false;
    }
    pool->active++;
    transfer->pool = pool;
    return true;
}

// ---- options of every transfer ------------------------------------------------------------------

// The guard. curl calls this for every address it is about to connect, after resolving; an address that is refused may be followed by one
// that is not (several A records).
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = arg;
    if (purpose != CURLSOCKTYPE_IPCXN || !out_address_allowed(transfer->policy, view_of(transfer->host), &address->addr)) {
        transfer->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void transfer_set_common(struct transfer *transfer, int64_t left_ms)
{
    const struct library *curl = transfer->curl;
    CURL *easy = transfer->easy;
    curl->easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // a name look-up that was given up is not waited for
    curl->easy_setopt(easy, CURLOPT_PROXY, ""); // whatever the environment says
    curl->easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(left_ms < OUT_CONNECT_TIMEOUT_MS ? left_ms : OUT_CONNECT_TIMEOUT_MS));
    curl->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl->easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
}

// A reset handle keeps nothing of the request: no headers, no cookies, no credentials.
void pool_end(struct pool *pool, struct transfer *transfer)
{
    if (transfer->pool) {
        pool->curl->multi_remove_handle(pool->multi, transfer->easy);
        pool->active--;
        transfer->pool = NULL;
    }
    if (pool->spare_count < OUT_SPARES_MAX) {
        pool->curl->easy_reset(transfer->easy);
        pool->spares[pool->spare_count++] = transfer->easy;
    } else {
        pool->curl->easy_cleanup(transfer->easy);
    }
    transfer->easy = NULL;
}

void out_close_thread(void)
{
    struct pool **first = pools_here();
    while (*first) {
        struct pool *pool = *first;
        *first = pool->next;
        free_pool(pool);
    }
    told_end[loop_index(loop_current())] = false;
}
