// SPDX-License-Identifier: Apache-2.0
//
// print: what `info`, text concatenation and toString() show of a value (spec/deluge-language.md §3). A list that a script built prints its
// items joined by commas, without brackets and with bare texts; one that came from JSON prints as JSON (§1.2); whatever nests inside is
// JSON.
#include "value/inside.h"

enum { SCALAR_TEXT_MAX = DECIMAL_TEXT_MAX + 2 };

static size_t print_decimal(char out[SCALAR_TEXT_MAX], struct value v)
{
    size_t len = decimal_print(out, v.decimal);
    if ((v.flags & VALUE_POINT) && v.decimal == (double)(int64_t)v.decimal) { // PRODUCT: trigonometry and signum keep it
        memcpy(out + len, ".0", 2);
        len += 2;
    }
    return len;
}

// Everything but a script-built list at the top.
static bool print_item(struct buffer *out, struct value v, const struct zone *zone, enum json_key_order order, struct fail *fail)
{
    char digits[SCALAR_TEXT_MAX];
    v = value_inner(v);
    switch (v.type) {
    case VALUE_TEXT:
        buffer_add(out, value_view(v));
        return true;
    case VALUE_DECIMAL:
        buffer_add(out, (struct view){digits, print_decimal(digits, v)});
        return true;
    case VALUE_DATE:
    case VALUE_DATETIME:
    case VALUE_TIME:
        calendar_print_default(out, v, zone);
        return true;
    case VALUE_FILE:
        buffer_add(out, value_view_or(v.file->name, VIEW_NONE));
        return true;
    default:
        return json_write_order(out, v, zone, order, fail);
    }
}

// Items of a list are printed one by one here, and do not nest: a list inside goes to the JSON writer with its limits.
static bool print_value(struct buffer *out, struct value v, const struct zone *zone, enum json_key_order order, struct fail *fail)
{
    v = value_inner(v);
    if (v.type != VALUE_LIST || v.list->json) {
        if (!print_item(out, v, zone, order, fail)) {
            return false;
        }
    } else {
        for (uint32_t i = 0; i < v.list->count && !out->failed; i++) {
            if (i > 0) {
                buffer_add_char(out, ',');
            }
            if (!print_item(out, v.list->items[i], zone, order, fail)) {
                return false;
            }
        }
    }
    return !out->failed || fail_set(fail, FAIL_LIMIT, "the text of the value is larger than %zu bytes", out->max);
}

// What concatenation usually meets, numbers first of all, needs no buffer. The buffer's maximum is what the heap has left.
bool value_print(struct buffer *out, struct value v, const struct zone *zone, struct fail *fail)
{
    return print_value(out, v, zone, JSON_INSERTION, fail);
}

struct value value_to_text(struct heap *heap, struct value v, struct fail *fail)
{
    char digits[SCALAR_TEXT_MAX];
    switch (v.type) {
    case VALUE_TEXT:
        return v;
    case VALUE_NUMBER:
        return value_text(heap, (struct view){digits, int64_print(digits, v.number)});
    case VALUE_DECIMAL:
        return value_text(heap, (struct view){digits, print_decimal(digits, v)});
    case VALUE_BOOL:
        return value_text(heap, v.boolean ? VIEW("true") : VIEW("false"));
    case VALUE_NULL:
        return value_text(heap, VIEW("null"));
    default:
        break;
    }
    struct buffer out;
    buffer_init(&out, heap->bytes < heap->bytes_max ? heap->bytes_max - heap->bytes : 0);
    struct value text =
        print_value(&out, v, heap->zone, (enum json_key_order)heap->key_order, fail) ? value_text(heap, buffer_view(&out)) : value_null();
    if (value_is_null(text) && heap->failed) {
        heap_full(heap, fail);
    }
    buffer_free(&out);
    return text;
}
