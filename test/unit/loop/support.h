// SPDX-License-Identifier: Apache-2.0
//
// What the tests of loop share: running a fiber to its end on fresh loops, and asserts that may fail on a fiber (cmocka's own jump off the
// stack, so a fiber notes what went wrong and the test's own stack reports it).
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "loop/loop.h"

static char support_wrong[256];

#define CHECK(condition)                                                                                                                   \
    do {                                                                                                                                   \
        if (!(condition) && !support_wrong[0]) {                                                                                           \
            snprintf(support_wrong, sizeof support_wrong, "%s:%d: %s", __FILE__, __LINE__, #condition);                                    \
        }                                                                                                                                  \
    } while (0)

struct support_body {
    void (*fn)(void *arg);
    void *arg;
};

static inline void support_main(void *arg)
{
    struct support_body *body = arg;
    body->fn(body->arg);
    loop_stop();
}

// Runs `fn` on loop 0 of `workers` loops, stops them, reports what CHECK found.
static inline void run_on_loops(int workers, void (*fn)(void *arg), void *arg)
{
    struct support_body body = {fn, arg};
    struct fail fail = {0};
    support_wrong[0] = '\0';
    if (!loop_start(workers, &fail) || !loop_run(support_main, &body, &fail)) {
        fail_msg("%s", fail.text);
    }
    if (support_wrong[0]) {
        fail_msg("%s", support_wrong);
    }
}
