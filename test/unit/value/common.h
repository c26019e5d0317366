// SPDX-License-Identifier: Apache-2.0
//
// common: what the tests of this room share: one heap a test, and assertions on what a value prints.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "value/value.h"

enum { TEST_HEAP_BYTES = 256 * 1024 * 1024, TEST_TEXT_BYTES = 64 * 1024 * 1024 };

static struct heap heap;
static struct fail fail;

static inline int heap_setup(void **state)
{
    (void)state;
    heap_init(&heap, TEST_HEAP_BYTES, NULL);
    fail_clear(&fail);
    return 0;
}

static inline int heap_teardown(void **state)
{
    (void)state;
    heap_free(&heap);
    return 0;
}

#define HEAP_TEST(function) cmocka_unit_test_setup_teardown(function, heap_setup, heap_teardown)

static inline struct value text_of(const char *text)
{
    return value_text(&heap, view_of(text));
}

static inline void view_is(struct view got, struct view wanted, const char *file, int line)
{
    if (!view_eq(got, wanted)) {
        print_error("got    \"%.*s\"\nwanted \"%.*s\"\n", VIEW_ARGS(got), VIEW_ARGS(wanted));
        _fail(file, line);
    }
}
#define assert_view(got, wanted) view_is((got), view_of(wanted), __FILE__, __LINE__)

static inline void prints(struct value v, const struct zone *zone, bool json, const char *wanted, const char *file, int line)
{
    struct buffer out;
    buffer_init(&out, TEST_TEXT_BYTES);
    bool good = json ? json_write(&out, v, zone, &fail) : value_print(&out, v, zone, &fail);
    if (!good) {
        print_error("printing failed: %s\n", fail.text);
        _fail(file, line);
    }
    view_is(buffer_view(&out), view_of(wanted), file, line);
    buffer_free(&out);
}
#define assert_prints(value, wanted) prints((value), heap.zone, false, (wanted), __FILE__, __LINE__)
#define assert_json(value, wanted) prints((value), heap.zone, true, (wanted), __FILE__, __LINE__)

static inline struct value read_json(const char *text, const char *file, int line)
{
    struct value v = value_null();
    if (!json_read(&heap, view_of(text), &v, &fail)) {
        print_error("%s does not read: %s\n", text, fail.text);
        _fail(file, line);
    }
    return v;
}
#define JSON(text) read_json((text), __FILE__, __LINE__)
