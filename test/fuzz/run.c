// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a script that is run: compiler, VM and built-ins together, under small limits of statements, memory and slices. Whatever
// compiles must end: with a value that prints, or with a failure that has a line.
#include "lang/lang.h"
#include "lib/lib.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STATEMENTS = 2000, DEPTH = 20, SLICE = 500, GIVES_MAX = 2000, MEMORY_BYTES = 4 << 20, ARGUMENTS = 4 };

struct host {
    int gives;
    size_t log_bytes;
    struct vm *vm;
    size_t roots;
};

static void count_root(void *arg, struct value *value)
{
    struct host *host = arg;
    host->roots += value->type < VALUE_TYPES;
}

static bool give_way(void *user, struct fail *fail)
{
    struct host *host = user;
    vm_walk_roots(host->vm, count_root, host);
    return ++host->gives < GIVES_MAX || fail_set(fail, FAIL_LIMIT, "long enough");
}

static void info(void *user, int line, struct value text)
{
    struct host *host = user;
    if (line < 1 || !utf8_valid(value_view(text))) {
        abort();
    }
    host->log_bytes += text.len;
}

static const struct native_set *all_natives(void)
{
    static struct native_set *natives;
    struct fail fail;
    if (natives == NULL) {
        natives = native_set_new();
        if (natives == NULL || !lib_register(natives, &fail)) {
            abort();
        }
    }
    return natives;
}

static void run_function(const struct lang_function *function)
{
    struct heap heap;
    struct host told = {0};
    struct fail fail = {.code = FAIL_NONE};
    struct lang_host host = {.user = &told, .give_way = give_way, .info = info};
    struct lang_limits limits = {.statements_max = STATEMENTS, .depth_max = DEPTH, .slice = SLICE};
    heap_init(&heap, MEMORY_BYTES, NULL);
    struct vm *vm = told.vm = vm_new(&heap, &host, &limits);
    struct value result = value_null();
    struct value args[ARGUMENTS] = {value_text(&heap, VIEW("{\"a\":[1,\"2\",null]}")), value_number(3), value_list(&heap, 0),
                                    value_text(&heap, VIEW("01-Jan-2024"))};
    int declared = lang_function_info(function).parameter_count;
    if (vm_call(vm, function, args, declared < ARGUMENTS ? declared : ARGUMENTS, &result, &fail)) {
        value_to_text(&heap, result, &fail);
    } else if (fail.code == FAIL_NONE || fail.line < 1 || !utf8_valid(view_of(fail.text))) {
        abort();
    }
    heap_free(&heap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lang_options options = {.natives = all_natives(), .file = "fuzz.dg", .name = VIEW("ns.fuzz")};
    struct unit *unit = NULL;
    struct fail fail = {.code = FAIL_NONE};
    if (lang_compile((struct view){(const char *)data, size}, &options, &unit, NULL, &fail)) {
        run_function(unit_function(unit, 0));
        unit_free(unit);
    }
    return 0;
}
