// SPDX-License-Identifier: Apache-2.0
//
// Changes of an extension.json, and objects laid out, from anywhere: each change either says why not, or gives a text that reads as the one
// before does but for what was changed, whatever its layout, escapes and repeated members.
#include "ext/ext.h"

#include <stdlib.h>

enum { HEAP_BYTES = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct map *read_map(struct heap *heap, struct view text)
{
    struct value value;
    struct fail fail = {0};
    return json_read(heap, text, &value, &fail) ? value_as_map(value) : NULL;
}

static void write_without(struct map *map, const char *member, struct buffer *out)
{
    struct fail fail = {0};
    struct value value = {.type = VALUE_MAP, .map = map};
    buffer_init(out, 4 << 20);
    struct heap heap;
    heap_init(&heap, HEAP_BYTES, NULL);
    map_remove(map, value_text(&heap, view_of(member)));
    must(json_write(out, value, NULL, &fail));
    heap_free(&heap);
}

// All but one member says the same as before.
static void must_be_same(struct heap *heap, struct view before, struct view after, const char *member)
{
    struct buffer left, right;
    struct map *old = read_map(heap, before), *new = read_map(heap, after);
    must(old != NULL && new != NULL);
    write_without(old, member, &left);
    write_without(new, member, &right);
    must(view_eq(buffer_view(&left), buffer_view(&right)));
    buffer_free(&left);
    buffer_free(&right);
}

static const struct map *find(const struct list *list, const char *member, const char *text)
{
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct map *item = value_as_map(list->items[i]);
        if (item && view_eq(value_view_or(map_get_text(item, view_of(member)), VIEW("")), view_of(text))) {
            return item;
        }
    }
    return NULL;
}

static const struct list *list_of(struct heap *heap, struct view text, const char *name)
{
    const struct map *map = read_map(heap, text);
    must(map != NULL);
    return value_as_list(map_get_text(map, view_of(name)));
}

static void check_version(struct heap *heap, struct view text)
{
    struct buffer out;
    struct fail fail = {0};
    buffer_init(&out, 4 << 20);
    if (ext_manifest_set_version(text, VIEW("1.2.3"), &out, &fail)) {
        must_be_same(heap, text, buffer_view(&out), "version");
        must(view_eq(value_view_or(map_get_text(read_map(heap, buffer_view(&out)), VIEW("version")), VIEW("")), VIEW("1.2.3")));
    } else {
        must(fail.code != FAIL_NONE && fail.text[0]);
    }
    buffer_free(&out);
}

static void check_function(struct heap *heap, struct view text)
{
    const struct ext_manifest_function function = {
        .api_name = VIEW("\"f\""), .file = VIEW("functions/f.dg"), .apikey = EXT_ACCESS_OFF, .oauth = EXT_ACCESS_ON};
    struct buffer put, dropped;
    struct fail fail = {0};
    buffer_init(&put, 4 << 20);
    buffer_init(&dropped, 4 << 20);
    if (ext_manifest_put_function(text, &function, &put, &fail)) {
        must_be_same(heap, text, buffer_view(&put), "functions");
        const struct list *list = list_of(heap, buffer_view(&put), "functions");
        const struct map *item = find(list, "file", "functions/f.dg"), *access = NULL;
        item = item ? item : find(list, "api_name", "\"f\"");
        access = item ? value_as_map(map_get_text(item, VIEW("rest_api"))) : NULL;
        must(list && (!access || list->count > 1 || !map_get_text(access, VIEW("apikey")).boolean));
        must(ext_manifest_drop_function(buffer_view(&put), VIEW("functions/f.dg"), &dropped, &fail));
        must_be_same(heap, text, buffer_view(&dropped), "functions");
        bool there = find(list, "file", "functions/f.dg") != NULL;
        must(list_of(heap, buffer_view(&dropped), "functions")->count == list->count - there);
    } else {
        must(fail.code != FAIL_NONE && fail.text[0]);
    }
    buffer_free(&put);
    buffer_free(&dropped);
}

static void check_variable(struct heap *heap, struct view text)
{
    const struct ext_variable variable = {
        .api_name = VIEW("v"), .field_name = VIEW("V\n\"\\"), .type = VIEW("text"), .value = VIEW("\x01ä\"]}")};
    struct buffer put, dropped;
    struct fail fail = {0};
    buffer_init(&put, 4 << 20);
    buffer_init(&dropped, 4 << 20);
    if (ext_manifest_put_variable(text, &variable, &put, &fail)) {
        must_be_same(heap, text, buffer_view(&put), "variables");
        const struct list *list = list_of(heap, buffer_view(&put), "variables");
        must(list && find(list, "value", "\x01ä\"]}") && find(list, "field_name", "V\n\"\\"));
        must(ext_manifest_drop_variable(buffer_view(&put), VIEW("V"), &dropped, &fail));
        must_be_same(heap, text, buffer_view(&dropped), "variables");
        must(list_of(heap, buffer_view(&dropped), "variables")->count == list->count - 1);
    } else {
        must(fail.code != FAIL_NONE && fail.text[0]);
    }
    buffer_free(&put);
    buffer_free(&dropped);
}

// Laid out it says the same.
static void check_layout(struct heap *heap, struct view text)
{
    struct buffer json, laid_out, again;
    struct value value;
    struct fail fail = {0};
    if (!json_read(heap, text, &value, &fail)) {
        return;
    }
    buffer_init(&json, 4 << 20);
    buffer_init(&laid_out, 16 << 20);
    buffer_init(&again, 4 << 20);
    if (json_write(&json, value, NULL, &fail)) {
        ext_object_lay_out(buffer_view(&json), &laid_out);
        must(json_read(heap, buffer_view(&laid_out), &value, &fail) && json_write(&again, value, NULL, &fail));
        must(view_eq(buffer_view(&json), buffer_view(&again)));
    }
    buffer_free(&json);
    buffer_free(&laid_out);
    buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = {(const char *)data, size};
    struct heap heap;
    heap_init(&heap, HEAP_BYTES, NULL);
    check_version(&heap, text);
    check_function(&heap, text);
    check_variable(&heap, text);
    check_layout(&heap, text);
    heap_free(&heap);
    return 0;
}
