// SPDX-License-Identifier: Apache-2.0
//
// Opening libcurl when the first request leaves. Linked in, it and what it brings would cost every start 13 MB and 10 ms; most runs never
// need it. It is opened once a process and never closed.
#include "out/inside.h"

#include <dlfcn.h>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct library library;
static char trouble[256]; // empty when all went well

static void open_once(void)
{
    void *file = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!file) {
        snprintf(trouble, sizeof trouble, "outgoing requests need libcurl: %.200s", dlerror());
        return;
    }
    const struct {
        const char *name;
        void *place;
    } names[] = {
        {"curl_easy_init", &library.easy_init},
        {"curl_easy_cleanup", &library.easy_cleanup},
        {"curl_easy_reset", &library.easy_reset},
        {"curl_easy_setopt", &library.easy_setopt},
        {"curl_easy_getinfo", &library.easy_getinfo},
        {"curl_easy_strerror", &library.easy_strerror},
        {"curl_multi_init", &library.multi_init},
        {"curl_multi_cleanup", &library.multi_cleanup},
        {"curl_multi_setopt", &library.multi_setopt},
        {"curl_multi_add_handle", &library.multi_add_handle},
        {"curl_multi_remove_handle", &library.multi_remove_handle},
        {"curl_multi_socket_action", &library.multi_socket_action},
        {"curl_multi_assign", &library.multi_assign},
        {"curl_multi_info_read", &library.multi_info_read},
        {"curl_slist_append", &library.slist_append},
        {"curl_slist_free_all", &library.slist_free_all},
        {"curl_url", &library.url},
        {"curl_url_cleanup", &library.url_cleanup},
        {"curl_url_set", &library.url_set},
        {"curl_url_get", &library.url_get},
        {"curl_free", &library.free},
    };
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        void *symbol = dlsym(file, names[i].name);
        if (!symbol) {
            snprintf(trouble, sizeof trouble, "libcurl is too old: it has no %s", names[i].name);
            return;
        }
        memcpy(names[i].place, &symbol, sizeof symbol); // POSIX's way from an object to a function pointer
    }
    CURLcode (*global_init)(long flags);
    void *symbol = dlsym(file, "curl_global_init");
    memcpy(&global_init, &symbol, sizeof symbol);
    if (!symbol || global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        snprintf(trouble, sizeof trouble, "libcurl could not be started");
    }
}

const struct library *library_open(struct fail *fail)
{
    pthread_once(&once, open_once);
    if (trouble[0]) {
        fail_set(fail, FAIL_OUTBOUND, "%s", trouble);
        return NULL;
    }
    return &library;
}
