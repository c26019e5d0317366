// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes both JSON readers, the writer, printing, copying and equality. What reads strictly must write as text that reads back equal; what
// reads strictly must read leniently as the same value.
#include "value/value.h"

#include <stdlib.h>

enum { FUZZ_HEAP_BYTES = 32 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds) {
        abort();
    }
}

// The text of `v` reads, and what it reads as has the same text. The values themselves may differ: 888888888888888888.8 prints as the whole
// number 888888888888888900, its shortest digits, and comes back as that NUMBER.
static void round_trip(struct heap *heap, struct value v)
{
    struct fail fail;
    struct buffer out, out_again;
    struct value again, lenient;
    buffer_init(&out, FUZZ_HEAP_BYTES);
    buffer_init(&out_again, FUZZ_HEAP_BYTES);
    demand(json_write(&out, v, NULL, &fail));
    demand(json_read(heap, buffer_view(&out), &again, &fail) && json_write(&out_again, again, NULL, &fail));
    demand(view_eq(buffer_view(&out), buffer_view(&out_again)));
    struct value copy = value_copy(heap, again, &fail);
    demand(value_equal(again, copy) && value_hash(again) == value_hash(copy));
    if (json_looks_like(buffer_view(&out))) {
        demand(json_read_lenient(heap, buffer_view(&out), &lenient, &fail) && value_equal(again, lenient));
    }
    buffer_reset(&out);
    demand(json_write_order(&out, again, NULL, JSON_JAVA_HASHMAP, &fail));
    demand(json_read(heap, buffer_view(&out), &lenient, &fail) && value_equal(again, lenient));
    demand(!value_is_null(value_to_text(heap, v, &fail)));
    buffer_free(&out);
    buffer_free(&out_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = {(const char *)data, size};
    struct heap heap;
    struct fail fail;
    struct value v;
    heap_init(&heap, FUZZ_HEAP_BYTES, NULL);
    if (json_read(&heap, text, &v, &fail)) {
        round_trip(&heap, v);
    } else {
        demand(fail.code != FAIL_NONE && fail.line > 0 && fail.column > 0);
    }
    heap_reset(&heap);
    if (json_read_lenient(&heap, text, &v, &fail)) {
        round_trip(&heap, v);
    }
    heap_free(&heap);
    heap_init(&heap, 2000, NULL); // little memory: must fail, not crash
    if (json_read_lenient(&heap, text, &v, &fail)) {
        value_to_text(&heap, v, &fail);
    }
    heap_free(&heap);
    return 0;
}
