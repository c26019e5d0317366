// SPDX-License-Identifier: Apache-2.0
//
// Harness of lib's unit tests: runs a few statements with all built-ins and hands back what `info` logged, or the error. Zone and clock are
// the test's; each run has a heap of its own.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/lib.h"

#include <stdlib.h>

enum { DELUGE_HEAP_BYTES = 64 << 20, DELUGE_LOG_BYTES = 4 << 20 };

struct deluge {
    const char *zone; // NULL = UTC
    size_t heap_bytes; // 0 = DELUGE_HEAP_BYTES
    struct buffer log; // lines joined by \n, or "ERR: message"
    bool limit; // the run ended on a limit
};

static struct native_set *deluge_natives(void)
{
    static struct native_set *set;
    struct fail fail = {0};
    if (set == NULL) {
        set = native_set_new();
        if (!lib_register(set, &fail)) {
            fail_msg("lib_register: %s", fail.text);
        }
    }
    return set;
}

static void deluge_info(void *user, int line, struct value text)
{
    struct deluge *deluge = user;
    (void)line;
    if (deluge->log.len > 0) {
        buffer_add_char(&deluge->log, '\n');
    }
    buffer_add(&deluge->log, value_view_or(text, VIEW("<not a text>")));
}

static bool deluge_run_unit(struct deluge *deluge, struct heap *heap, const struct unit *unit, struct fail *fail)
{
    struct lang_host host = {.user = deluge, .info = deluge_info};
    struct lang_limits limits = {.statements_max = 1000000, .depth_max = 75, .slice = 1000000000};
    struct value result;
    struct vm *vm = vm_new(heap, &host, &limits);
    assert_non_null(vm);
    return vm_call(vm, unit_function(unit, 0), NULL, 0, &result, fail);
}

// Runs the script; the log stays until the next run on the same struct.
static const char *deluge_run(struct deluge *deluge, const char *script)
{
    struct heap heap;
    struct fail fail = {0};
    struct unit *unit;
    struct lang_options options = {.natives = deluge_natives(), .file = "test.dg", .name = VIEW("test")};
    buffer_free(&deluge->log);
    buffer_init(&deluge->log, DELUGE_LOG_BYTES);
    if (!lang_compile(view_of(script), &options, &unit, NULL, &fail)) {
        buffer_printf(&deluge->log, "COMPILE: %s", fail.text);
        return buffer_text(&deluge->log);
    }
    heap_init(&heap, deluge->heap_bytes != 0 ? deluge->heap_bytes : DELUGE_HEAP_BYTES,
              deluge->zone != NULL ? zone_find(view_of(deluge->zone)) : NULL);
    if (!deluge_run_unit(deluge, &heap, unit, &fail)) {
        buffer_reset(&deluge->log);
        buffer_printf(&deluge->log, "ERR: %s", fail.text);
    }
    deluge->limit = fail.code == FAIL_LIMIT;
    heap_free(&heap);
    unit_free(unit);
    return buffer_text(&deluge->log);
}

// One vector: a script and all it logs.
struct vector {
    const char *script, *expected;
};

static inline void deluge_check(const char *zone, const struct vector *vectors, size_t count)
{
    struct deluge deluge = {.zone = zone};
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const char *got = deluge_run(&deluge, vectors[i].script);
        if (strcmp(got, vectors[i].expected) != 0) {
            print_error("%s\n  expected: %s\n  got:      %s\n", vectors[i].script, vectors[i].expected, got);
            wrong++;
        }
    }
    buffer_free(&deluge.log);
    assert_int_equal(wrong, 0);
}
#define CHECK(zone, vectors) deluge_check((zone), (vectors), BASE_COUNT(vectors))

// The run ends on its memory limit, without a crash and without an answer.
static inline void deluge_check_memory(const char *script)
{
    struct deluge deluge = {.heap_bytes = 8 << 20};
    const char *got = deluge_run(&deluge, script);
    if (!deluge.limit) {
        print_error("%s\n  got: %.200s\n", script, got);
    }
    buffer_free(&deluge.log);
    assert_true(deluge.limit);
}

static inline int deluge_teardown(void **state)
{
    (void)state;
    native_set_free(deluge_natives());
    return 0;
}
