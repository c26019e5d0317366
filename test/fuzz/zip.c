// SPDX-License-Identifier: Apache-2.0
//
// Zip archives: whatever bytes come in are extracted, with and without a password; what comes out is packed again and must come out of that
// archive as it went in.
#include "lib/lib.h"

#include <stdlib.h>

enum { HEAP_BYTES = 8 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct native *find_row(const char *name)
{
    static struct native_set *set;
    struct fail fail;
    if (set == NULL) {
        set = native_set_new();
        if (!lib_register(set, &fail)) {
            abort();
        }
    }
    return native_set_find(set, view_of(name));
}

// The first row of each name takes files. Null when the native failed, which it must have said why.
static struct value call_native(struct heap *heap, const char *name, struct value file)
{
    struct fail fail = {0};
    struct value result = value_null();
    const struct native *row = find_row(name);
    struct native_call call = {.native = row, .heap = heap, .args = &file, .count = 1, .ret = &result, .fail = &fail};
    if (!row->fn(&call)) {
        if (fail.code == FAIL_NONE) {
            abort();
        }
        return value_null();
    }
    return result;
}

static void pack_again(struct heap *heap, struct value file)
{
    struct value archive = call_native(heap, "compress", file);
    struct value collection = archive.type == VALUE_FILE ? call_native(heap, "extract", archive) : value_null();
    struct map *map = collection.type == VALUE_COLLECTION ? value_as_map(collection) : NULL;
    uint32_t cursor = 0;
    struct map_entry *entry = map != NULL ? map_next(map, &cursor) : NULL;
    if (entry != NULL && !view_eq(entry->value.file->bytes, file.file->bytes)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heap heap;
    heap_init(&heap, HEAP_BYTES, NULL);
    struct value file = value_file(&heap, (struct view){(const char *)data, size}, VIEW("a.zip"), VIEW("application/zip"));
    for (int round = 0; round < 2 && file.type == VALUE_FILE; round++) {
        struct value collection = call_native(&heap, "extract", file);
        struct map *map = collection.type == VALUE_COLLECTION ? value_as_map(collection) : NULL;
        uint32_t cursor = 0;
        struct map_entry *entry = map != NULL ? map_next(map, &cursor) : NULL;
        if (entry != NULL) {
            pack_again(&heap, entry->value);
        }
        file.file->password = VALUE_TEXT_LITERAL(&heap, "pass");
    }
    heap_free(&heap);
    return 0;
}
