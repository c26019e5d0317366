// SPDX-License-Identifier: Apache-2.0
#include "support.h"

static struct bench *bench_of(struct native_call *call)
{
    return call->host;
}

static bool note(struct native_call *call)
{
    bench_of(call)->called = call->native;
    bench_of(call)->called_count = call->count;
    return true;
}

static bool native_size(struct native_call *call)
{
    struct list *list;
    if (!arg_list(call, 0, &list)) {
        return false;
    }
    *call->ret = value_number(list->count);
    return note(call);
}

static bool native_length(struct native_call *call)
{
    struct view text;
    if (!arg_text(call, 0, &text)) {
        return false;
    }
    *call->ret = value_number((int64_t)text.len);
    return note(call);
}

static bool native_map_size(struct native_call *call)
{
    struct map *map;
    if (!arg_map(call, 0, &map)) {
        return false;
    }
    *call->ret = value_number(map->count);
    return note(call);
}

static bool native_is_null(struct native_call *call)
{
    *call->ret = value_bool(value_is_null(call->args[0]));
    return note(call);
}

static bool native_type(struct native_call *call)
{
    *call->ret = value_text(call->heap, view_of(value_type_name(call->args[0])));
    return note(call);
}

static bool native_count(struct native_call *call)
{
    *call->ret = value_number(call->count);
    return note(call);
}

static bool native_speechless(struct native_call *call)
{
    (void)call;
    return false;
}

static bool native_interrupted(struct native_call *call)
{
    bench_of(call)->interrupt = 1;
    return native_fail(call, "stopped half way");
}

static bool native_costly(struct native_call *call)
{
    call->cost = 1000000;
    return true;
}

static bool native_show(struct native_call *call)
{
    struct fail fail;
    *call->ret = value_to_text(call->heap, call->args[call->count - 1], &fail);
    return note(call);
}

static bool native_now(struct native_call *call)
{
    *call->ret = value_number(42);
    return note(call);
}

static bool native_fallback(struct native_call *call)
{
    *call->ret = call->args[0];
    return note(call);
}

static const struct native rows[] = {
    {.name = "size", .receivers = NATIVE_LIST, .args_min = 1, .args_max = 1, .fn = native_size},
    {.name = "size", .receivers = NATIVE_TYPE(VALUE_MAP), .args_min = 1, .args_max = 1, .fn = native_map_size},
    {.name = "Length", .receivers = NATIVE_TEXT, .args_min = 1, .args_max = 1, .fn = native_length},
    {.name = "isNull", .receivers = NATIVE_ANY, .args_min = 1, .args_max = 1, .fn = native_is_null},
    {.name = "typeOf", .receivers = NATIVE_ANY, .args_min = 1, .args_max = 1, .fn = native_type},
    {.name = "count", .args_min = 0, .args_max = 3, .fn = native_count},
    {.name = "speechless", .args_min = 0, .args_max = 0, .fn = native_speechless},
    {.name = "interrupted", .args_min = 0, .args_max = 0, .fn = native_interrupted},
    {.name = "costly", .args_min = 0, .args_max = 0, .fn = native_costly},
    {.name = "get", .receivers = NATIVE_TEXT, .args_min = 2, .args_max = 2, .fn = native_show},
    {.name = "zoho.now", .args_min = 0, .args_max = 0, .flags = NATIVE_VARIABLE, .fn = native_now},
    {.name = "invokeurl", .args_min = 1, .args_max = 1, .flags = NATIVE_TASK, .fn = native_show},
    {.name = "zoho.*", .args_min = 1, .args_max = 20, .fn = native_fallback},
};

static bool give_way(void *user, struct fail *fail)
{
    struct bench *bench = user;
    bench->gives++;
    if (bench->on_give != NULL) {
        bench->on_give(bench);
    }
    if (bench->gives == bench->give_refused_at) {
        return fail_set(fail, FAIL_CANCELLED, "the host said no");
    }
    return true;
}

static void info(void *user, int line, struct value text)
{
    struct bench *bench = user;
    buffer_printf(&bench->log, "%d: %.*s\n", line, VIEW_ARGS(value_view(text)));
}

void bench_open(struct bench *bench)
{
    *bench = (struct bench){.limits = {.statements_max = 200000, .depth_max = 75, .slice = 1000}};
    bench->natives = native_set_new();
    assert_non_null(bench->natives);
    assert_true(native_set_add(bench->natives, rows, BASE_COUNT(rows), &bench->fail));
    heap_init(&bench->heap, BENCH_MEMORY_BYTES, NULL);
    buffer_init(&bench->log, BENCH_LOG_BYTES);
    bench->host = (struct lang_host){.user = bench, .give_way = give_way, .info = info, .interrupt = &bench->interrupt};
}

void bench_close(struct bench *bench)
{
    heap_free(&bench->heap);
    for (int i = 0; i < bench->unit_count; i++) {
        unit_free(bench->units[i]);
    }
    native_set_free(bench->natives);
    buffer_free(&bench->log);
}

const struct lang_function *bench_compile(struct bench *bench, const char *file, const char *source)
{
    struct lang_options options = {.natives = bench->natives, .file = file, .name = VIEW("test.main")};
    assert_true(bench->unit_count < BENCH_UNITS);
    if (!lang_compile(view_of(source), &options, &bench->units[bench->unit_count], NULL, &bench->fail)) {
        fail_msg("line %d: %s", bench->fail.line, bench->fail.text);
    }
    return unit_function(bench->units[bench->unit_count++], 0);
}

bool bench_run(struct bench *bench, const char *source)
{
    const struct lang_function *function = bench_compile(bench, "test.dg", source);
    bench->vm = vm_new(&bench->heap, &bench->host, &bench->limits);
    assert_non_null(bench->vm);
    return vm_call(bench->vm, function, NULL, 0, &bench->result, &bench->fail);
}

const char *bench_log(struct bench *bench)
{
    return buffer_text(&bench->log);
}

const char *bench_result(struct bench *bench)
{
    static char text[1024];
    struct fail fail;
    struct value printed = value_to_text(&bench->heap, bench->result, &fail);
    struct view view = value_view_or(printed, VIEW("(not printable)"));
    snprintf(text, sizeof(text), "%.*s", VIEW_ARGS(view));
    return text;
}
