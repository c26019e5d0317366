// SPDX-License-Identifier: Apache-2.0
//
// Any native with any arguments. The input's first line names the native (an unknown name picks one by its hash), the rest is a JSON list
// of arguments, in which {"$date":n}, {"$time":n}, {"$file":text}, {"$collection":x} and {"$fresh":0} stand for values that JSON has not.
// Patterns, number and date formats, base64, ciphertexts and indexes all pass through here.
#include "lib/lib.h"

#include <stdlib.h>

enum { HEAP_BYTES = 8 << 20, ARGS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct native_set *natives(void)
{
    static struct native_set *set;
    struct fail fail;
    if (set == NULL) {
        set = native_set_new();
        if (!lib_register(set, &fail)) {
            abort();
        }
    }
    return set;
}

// What a one-key map with a $ stands for; anything else is itself.
static struct value special(struct heap *heap, struct value v)
{
    struct map *map = v.type == VALUE_MAP && v.map->count == 1 ? v.map : NULL;
    uint32_t cursor = 0;
    struct map_entry *entry = map != NULL ? map_next(map, &cursor) : NULL;
    struct view key = entry != NULL ? value_view_or(entry->key, VIEW_NONE) : VIEW_NONE;
    if (view_eq(key, VIEW("$date")) && entry->value.type == VALUE_NUMBER) {
        return value_date(entry->value.number);
    }
    if (view_eq(key, VIEW("$time")) && entry->value.type == VALUE_NUMBER) {
        return value_datetime(entry->value.number);
    }
    if (view_eq(key, VIEW("$file"))) {
        return value_file(heap, value_view_or(entry->value, VIEW("\xFF")), VIEW("a.txt"), VIEW("text/plain"));
    }
    if (view_eq(key, VIEW("$collection"))) {
        return value_collection(heap, entry->value);
    }
    return view_eq(key, VIEW("$fresh")) ? value_fresh(heap) : v;
}

static void call_row(struct heap *heap, const struct native *row, const struct value *args, int count)
{
    struct fail fail = {0};
    struct value result = value_null(), text;
    struct native_call call = {.native = row, .heap = heap, .args = args, .count = count, .ret = &result, .fail = &fail};
    bool done = row->fn(&call);
    if (!done && fail.code == FAIL_NONE) {
        abort(); // a native that fails says why
    }
    if (call.cost < 0) {
        abort();
    }
    if (done && !heap->failed) {
        text = value_to_text(heap, result, &fail); // whatever came out can be printed
        if (text.type == VALUE_TEXT && !utf8_valid(value_view(text))) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct native_set *set = natives();
    struct view rest = {(const char *)data, size};
    struct view name = view_cut(&rest, '\n');
    uint32_t hash = 0;
    for (size_t i = 0; i < name.len; i++) {
        hash = hash * 31 + (unsigned char)name.data[i];
    }
    const struct native *found = native_set_find(set, name);
    struct view wanted = view_of(found != NULL ? found->name : native_set_at(set, hash % native_set_count(set))->name);
    struct heap heap;
    struct fail fail = {0};
    struct value list, args[ARGS_MAX];
    heap_init(&heap, HEAP_BYTES, zone_find(VIEW("Europe/Berlin")));
    if (json_read(&heap, rest, &list, &fail) && list.type == VALUE_LIST) {
        int count = list.list->count < ARGS_MAX ? (int)list.list->count : ARGS_MAX;
        for (int i = 0; i < count; i++) {
            args[i] = special(&heap, list.list->items[i]);
        }
        for (size_t i = 0; i < native_set_count(set); i++) {
            const struct native *row = native_set_at(set, i);
            bool fits = row->receivers == 0 || (count > 0 && (row->receivers & NATIVE_TYPE(args[0].type)) != 0);
            if (view_eq_nocase(view_of(row->name), wanted) && fits && count >= row->args_min && count <= row->args_max) {
                call_row(&heap, row, args, count);
                break;
            }
        }
    }
    heap_free(&heap);
    return 0;
}
