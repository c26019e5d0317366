// SPDX-License-Identifier: Apache-2.0
//
// Helpers that the tables share: arguments in the shape a native wants them, results that respect the heap's limit, and the poll of the
// run's interrupt. Natives never allocate past the heap: what is built piece by piece grows in a buffer that may get no larger than the
// heap itself.
#include "lib/inside.h"

bool lib_text(struct native_call *call, int index, struct value *ret_text)
{
    if (index < call->count && call->args[index].type == VALUE_TEXT) {
        *ret_text = call->args[index];
        return true;
    }
    struct view text;
    if (!arg_text(call, index, &text)) {
        return false;
    }
    *ret_text = value_text(call->heap, text);
    return ret_text->type == VALUE_TEXT || lib_memory_fail(call);
}

bool lib_list(struct native_call *call, int index, struct list **ret_list)
{
    if (BASE_LIKELY(index < call->count && call->args[index].type == VALUE_LIST)) {
        *ret_list = call->args[index].list;
        return true;
    }
    struct value v = value_resolve(lib_arg(call, index));
    struct list *list = value_as_list(v);
    bool empty = v.type == VALUE_FRESH || (v.type == VALUE_COLLECTION && value_resolve(v.collection->inner).type == VALUE_FRESH);
    if (list == NULL && empty) {
        struct value made;
        if (!lib_list_new(call, 0, &made)) {
            return false;
        }
        list = made.list;
    }
    if (list == NULL) {
        return arg_list(call, index, ret_list);
    }
    *ret_list = list;
    return true;
}

bool lib_map(struct native_call *call, int index, struct map **ret_map)
{
    if (BASE_LIKELY(index < call->count && call->args[index].type == VALUE_MAP)) {
        *ret_map = call->args[index].map;
        return true;
    }
    struct value v = value_resolve(lib_arg(call, index));
    struct map *map = value_as_map(v);
    bool empty = v.type == VALUE_FRESH || (v.type == VALUE_COLLECTION && value_resolve(v.collection->inner).type == VALUE_FRESH);
    if (map == NULL && empty) {
        struct value made = value_map(call->heap, 0);
        if (made.type != VALUE_MAP) {
            return lib_memory_fail(call);
        }
        map = made.map;
    }
    if (map == NULL) {
        return arg_map(call, index, ret_map);
    }
    *ret_map = map;
    return true;
}

// The {} of a script is shared by all its copies: what it becomes is stored in it, not in the variable.
bool lib_list_target(struct native_call *call, struct list **ret_list)
{
    struct value v = value_resolve(call->args[0]);
    if (v.type == VALUE_FRESH) {
        struct value made;
        if (!lib_list_new(call, 4, &made)) {
            return false;
        }
        v.fresh->target = made;
        *ret_list = made.list;
        return true;
    }
    return arg_list(call, 0, ret_list);
}

bool lib_map_target(struct native_call *call, struct map **ret_map)
{
    struct value v = value_resolve(call->args[0]);
    if (v.type == VALUE_FRESH) {
        struct value made = value_map(call->heap, 4);
        if (made.type != VALUE_MAP) {
            return lib_memory_fail(call);
        }
        v.fresh->target = made;
        *ret_map = made.map;
        return true;
    }
    return arg_map(call, 0, ret_map);
}

bool lib_return_text(struct native_call *call, struct view text)
{
    struct value v = value_text(call->heap, text);
    if (v.type != VALUE_TEXT) {
        return lib_memory_fail(call);
    }
    lib_cost_bytes(call, text.len);
    return lib_return(call, v);
}

bool lib_return_decimal(struct native_call *call, double number)
{
    bool finite = number - number == 0;
    return lib_return(call, finite ? value_decimal(number) : value_null());
}

bool lib_return_point(struct native_call *call, double number)
{
    if (!lib_return_decimal(call, number)) {
        return false;
    }
    if (call->ret->type == VALUE_DECIMAL && call->ret->decimal > -1e15 && call->ret->decimal < 1e15) {
        call->ret->flags |= VALUE_POINT;
    }
    return true;
}

bool lib_memory_fail(struct native_call *call)
{
    call->heap->failed = true;
    return fail_set(call->fail, FAIL_LIMIT, "The memory limit of the run has been reached (limit memory_bytes)");
}

bool lib_space(struct native_call *call, uint64_t bytes, struct value *ret_text, char **ret_bytes)
{
    if (bytes > UINT32_MAX / 2 || bytes > call->heap->bytes_max) {
        return lib_memory_fail(call);
    }
    *ret_bytes = NULL;
    *ret_text = value_text_space(call->heap, (size_t)bytes, ret_bytes);
    if (ret_text->type != VALUE_TEXT || *ret_bytes == NULL) {
        return lib_memory_fail(call);
    }
    lib_cost_bytes(call, (size_t)bytes);
    return true;
}

// The system's memory, but never more than the run may have.
void lib_buffer(struct native_call *call, struct buffer *buffer)
{
    buffer_init(buffer, call->heap->bytes_max);
}

bool lib_buffer_return(struct native_call *call, struct buffer *buffer)
{
    bool ok = buffer->failed ? lib_memory_fail(call) : lib_return_text(call, buffer_view(buffer));
    buffer_free(buffer);
    return ok;
}

bool lib_list_new(struct native_call *call, size_t room, struct value *ret_list)
{
    *ret_list = value_list(call->heap, room);
    return ret_list->type == VALUE_LIST || lib_memory_fail(call);
}

bool lib_push(struct native_call *call, struct list *list, struct value item)
{
    return list_add(call->heap, list, item) || lib_memory_fail(call);
}

bool lib_cancel(struct native_call *call)
{
    fail_set(call->fail, FAIL_CANCELLED, NULL);
    return true;
}

bool lib_set_add(struct native_call *call, struct map *set, struct value item, bool *ret_new)
{
    bool found;
    map_get(set, item, &found);
    *ret_new = !found;
    return found || map_put(call->heap, set, item, value_bool(true)) || lib_memory_fail(call);
}

bool lib_map_find(struct native_call *call, const struct map *map, struct value key, struct value *ret_value)
{
    bool found;
    *ret_value = map_get(map, key, &found);
    if (found || key.type != VALUE_NUMBER) {
        return found;
    }
    // JSON knows text keys only, so that m.get(id) with a number must find what toMap() or a CRM reply put there. GUESS.
    char digits[21];
    struct value text = value_text(call->heap, (struct view){digits, int64_print(digits, key.number)});
    if (text.type == VALUE_TEXT) {
        *ret_value = map_get(map, text, &found);
    }
    return found;
}

// Static texts of one ASCII byte, laid out as struct text.
struct byte_text {
    uint32_t used, cap, hash, fixed;
    char bytes[4];
};
#define BYTE(c)                                                                                                                            \
    {                                                                                                                                      \
        1, 1, 0, 1,                                                                                                                        \
        {                                                                                                                                  \
            (char)(c), 0, 0, 0                                                                                                             \
        }                                                                                                                                  \
    }
#define BYTES_4(c) BYTE(c), BYTE((c) + 1), BYTE((c) + 2), BYTE((c) + 3)
#define BYTES_16(c) BYTES_4(c), BYTES_4((c) + 4), BYTES_4((c) + 8), BYTES_4((c) + 12)
static const struct byte_text byte_texts[128] = {BYTES_16(0),  BYTES_16(16), BYTES_16(32), BYTES_16(48),
                                                 BYTES_16(64), BYTES_16(80), BYTES_16(96), BYTES_16(112)};
static_assert(offsetof(struct byte_text, bytes) == offsetof(struct text, bytes), "byte_text has the layout of text");

struct value lib_byte_text(unsigned char byte)
{
    assert(byte < 128);
    // `fixed` keeps everybody from writing to it, so that the const may be dropped here.
    return (struct value){.type = VALUE_TEXT, .flags = VALUE_ASCII, .len = 1, .text = (struct text *)(uintptr_t)&byte_texts[byte]};
}
