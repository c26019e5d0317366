// SPDX-License-Identifier: Apache-2.0
//
// Opening foreign libraries at first use, and the one place that decides on which stack they run (foreign.h). Nothing is ever closed:
// libraries keep state of threads, and a second opening would cost as much as the first.
#include "lib/foreign.h"
#include "loop/loop.h"

#include <dlfcn.h>

bool foreign_open(const char *file, const struct foreign_name *names, size_t count, char trouble[FOREIGN_TROUBLE_MAX])
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(trouble, FOREIGN_TROUBLE_MAX, "this needs %s: %.200s", file, dlerror());
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        void *symbol = dlsym(library, names[i].name);
        if (symbol == NULL) {
            snprintf(trouble, FOREIGN_TROUBLE_MAX, "%s is too old: it has no %s", file, names[i].name);
            return false;
        }
        memcpy(names[i].place, &symbol, sizeof(symbol)); // POSIX's way from an object to a function pointer
    }
    return true;
}

bool foreign_run(struct native_call *call, void (*fn)(void *arg), void *arg, bool slow)
{
    if (loop_fiber() == NULL) {
        fn(arg);
        return true;
    }
    if (slow) {
        return loop_job(fn, arg, call->fail);
    }
    loop_on_thread_stack(fn, arg);
    return true;
}
