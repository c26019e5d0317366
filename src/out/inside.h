// SPDX-License-Identifier: Apache-2.0
//
// What the files of out share: the functions taken from libcurl, and one transfer on its way. curl is included here alone, for its types:
// nothing is linked, library.c opens it when the first request leaves.
#pragma once

#include "out/out.h"
#include "loop/loop.h"

#include <curl/curl.h>

enum {
    OUT_URL_BYTES_MAX = 64 * 1024,
    OUT_HEAD_BYTES_MAX = 128 * 1024, // all header lines of a reply
    OUT_METHOD_BYTES_MAX = 32,
    OUT_HEADERS_MAX = 200,
    OUT_HOST_BYTES_MAX = 256,
    OUT_POOLS_MAX = 8, // policies in use at once on a loop
    OUT_SPARES_MAX = 32, // easy handles kept for the next request
    OUT_CONNECTIONS_MAX = 1000, // open at once, a policy and loop
    OUT_IDLE_CONNECTIONS_MAX = 64, // kept for the next request
};

// libcurl's functions under their names without "curl_".
struct library {
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *easy);
    void (*easy_reset)(CURL *easy);
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
    const char *(*easy_strerror)(CURLcode code);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_cleanup)(CURLM *multi);
    CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
    CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_socket_action)(CURLM *multi, curl_socket_t socket, int events, int *ret_running);
    CURLMcode (*multi_assign)(CURLM *multi, curl_socket_t socket, void *value);
    CURLMsg *(*multi_info_read)(CURLM *multi, int *ret_left);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
    CURLU *(*url)(void);
    void (*url_cleanup)(CURLU *url);
    CURLUcode (*url_set)(CURLU *url, CURLUPart part, const char *text, unsigned int flags);
    CURLUcode (*url_get)(CURLU *url, CURLUPart part, char **ret_text, unsigned int flags);
    void (*free)(void *memory);
};

// On the loop's own stack. NULL with FAIL_OUTBOUND when libcurl is not there or too old.
const struct library *library_open(struct fail *fail);

struct pool; // one curl multi: the connections of one policy on one loop

// One hop of a request. Lives on the fiber's stack while the pool works on it.
struct transfer {
    const struct library *curl;
    struct pool *pool;
    CURL *easy;
    const struct out_policy *policy;
    char host[OUT_HOST_BYTES_MAX]; // as written in the URL
    struct buffer head, body; // header lines of the latest response; body, decoded
    bool head_done; // what still comes are trailers
    bool refused; // the guard said no to an address
    bool done;
    struct loop_event event; // set when done
    CURLcode result;
    char error[CURL_ERROR_SIZE];
};

// On the loop's own stack.
bool pool_find(const struct library *curl, const struct out_policy *policy, struct pool **ret_pool, struct fail *fail);
CURL *pool_take(struct pool *pool); // an easy handle without options; NULL without memory
bool pool_begin(struct pool *pool, struct transfer *transfer); // takes up the transfer's easy handle, whose options are set
void pool_end(struct pool *pool, struct transfer *transfer); // finished or not: the pool forgets it and keeps the handle
// What every transfer is told: the guard, its clocks, no proxies, where errors go.
void transfer_set_common(struct transfer *transfer, int64_t left_ms);
