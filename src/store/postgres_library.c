// SPDX-License-Identifier: Apache-2.0
//
// Opening libpq when the first connection to a server is made. Linked in, it and what it brings (Kerberos, LDAP) would cost every start of
// the program some milliseconds and megabytes; most never need it. It is opened once a process and never closed.
#include "store/postgres_inside.h"

#include <dlfcn.h>
#include <pthread.h>

struct postgres_library pq;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char trouble[256]; // empty when all went well

static void open_once(void)
{
    void *file = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!file) {
        snprintf(trouble, sizeof trouble, "records on PostgreSQL need libpq (Debian: libpq5): %.180s", dlerror());
        return;
    }
    const struct {
        const char *name;
        void *place;
    } names[] = {
#define POSTGRES_ROW(name) {#name, &pq.name},
        POSTGRES_FUNCTIONS(POSTGRES_ROW)
#undef POSTGRES_ROW
    };
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        void *symbol = dlsym(file, names[i].name);
        if (!symbol) {
            snprintf(trouble, sizeof trouble, "libpq is too old: it has no %s", names[i].name);
            return;
        }
        memcpy(names[i].place, &symbol, sizeof symbol); // POSIX's way from an object to a function pointer
    }
}

bool postgres_library_open(struct fail *fail)
{
    pthread_once(&once, open_once);
    return !trouble[0] || fail_set(fail, FAIL_UNAVAILABLE, "%s", trouble);
}
