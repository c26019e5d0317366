// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes form bodies. Input: the first line is the Content-Type, the rest the body; the whole is read as urlencoded, too. What is encoded
// must decode to itself.
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

static bool inside(struct view part, struct view whole)
{
    return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void read_multipart(struct heap *heap, struct view type, struct view body)
{
    struct form_reader reader;
    struct form_part part;
    struct fail fail;
    size_t bytes = 0;
    if (!form_open(&reader, type, body, &fail)) {
        demand(fail.code != FAIL_NONE);
        return;
    }
    while (form_next(&reader, &part, &fail)) {
        demand(inside(part.bytes, body) && inside(part.name, body) && inside(part.file_name, body) && inside(part.content_type, body));
        bytes += part.bytes.len;
        value_text(heap, part.bytes);
        form_name(heap, part.file_name);
    }
    demand(bytes <= body.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = {(const char *)data, size}, body = text;
    struct heap heap;
    struct fail fail;
    struct buffer out;
    heap_init(&heap, FUZZ_HEAP_BYTES, NULL);
    struct view type = view_cut(&body, '\n');
    read_multipart(&heap, type, body);
    struct value map = value_map(&heap, 0);
    form_read_urlencoded(&heap, text, map.map, &fail);
    for (int plus = 0; plus < 2; plus++) {
        buffer_init(&out, FUZZ_HEAP_BYTES);
        form_encode(&out, text, plus);
        struct value decoded = form_decode(&heap, buffer_view(&out), plus);
        demand(value_equal(decoded, value_text(&heap, text)));
        buffer_free(&out);
    }
    heap_free(&heap);
    return 0;
}
