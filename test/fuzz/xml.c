// SPDX-License-Identifier: Apache-2.0
//
// XML and XPath through the natives. The input's first line is the path, the rest the text. executeXPath runs with both, toXmlList with
// what comes out and with the text, toXml with the text as JSON.
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

// Null when the native failed, which it must have said why.
static struct value call_native(struct heap *heap, const char *name, const struct value *args, int count)
{
    struct fail fail = {0};
    struct value result = value_null();
    const struct native *row = find_row(name);
    struct native_call call = {.native = row, .heap = heap, .args = args, .count = count, .ret = &result, .fail = &fail};
    if (!row->fn(&call)) {
        if (fail.code == FAIL_NONE) {
            abort();
        }
        return value_null();
    }
    if (result.type == VALUE_TEXT && !utf8_valid(value_view(result))) {
        abort();
    }
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heap heap;
    struct view rest = {(const char *)data, size};
    struct view path = view_cut(&rest, '\n');
    heap_init(&heap, HEAP_BYTES, NULL);
    struct value args[2] = {value_text(&heap, rest), value_text(&heap, path)};
    if (args[0].type == VALUE_TEXT && args[1].type == VALUE_TEXT) {
        struct value found = call_native(&heap, "executeXPath", args, 2);
        if (found.type == VALUE_TEXT) {
            call_native(&heap, "toXmlList", &found, 1);
        }
        call_native(&heap, "toXmlList", args, 1);
        call_native(&heap, "toXml", args, 1);
    }
    heap_free(&heap);
    return 0;
}
