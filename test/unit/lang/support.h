// SPDX-License-Identifier: Apache-2.0
//
// What the unit tests of the VM share: a handful of natives made for tests, a script that is compiled and run in one call, and a host that
// records what it was told. Everything lies in a `struct bench`, opened and closed by each test.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// after the four above
#include <cmocka.h>

#include "lang/lang.h"

#include <stdlib.h>

enum { BENCH_LOG_BYTES = 64 * 1024, BENCH_MEMORY_BYTES = 16 << 20, BENCH_UNITS = 4 };

struct bench {
    struct native_set *natives;
    struct unit *units[BENCH_UNITS];
    int unit_count;
    struct heap heap;
    struct lang_host host;
    struct lang_limits limits;
    struct vm *vm;
    struct buffer log; // "LINE: text\n" an info
    struct fail fail;
    struct value result;
    volatile int interrupt;
    int gives; // calls of give_way
    int give_refused_at; // this call of give_way says no; 0 = never
    void (*on_give)(struct bench *bench);
    const struct native *called; // the row that ran last
    int called_count;
};

void bench_open(struct bench *bench);
void bench_close(struct bench *bench);
// Compiles; fails the test when it does not.
const struct lang_function *bench_compile(struct bench *bench, const char *file, const char *source);
// Compiles and calls the first function without arguments.
bool bench_run(struct bench *bench, const char *source);
const char *bench_log(struct bench *bench);
const char *bench_result(struct bench *bench); // printed
