// SPDX-License-Identifier: Apache-2.0
//
// What `for each` goes through (spec/deluge-language.md §5, §9.3): lists, the keys of maps, collections, JSON arrays in texts,
// comma-separated texts, files that hold such text; nothing for null. The elements are those the list held when the loop began.
//
// Lists are not copied unless the compiler saw that the body may remove or reorder elements; then they are copied into a list that the loop
// keeps in its third register, so that an inner loop, started a thousand times, uses the same memory a thousand times.

#include "lang/vm.h"

enum { ELEMENTS_PER_INSTRUCTION = 4 }; // of copying, for the slice

// A list for copies, from an earlier start of this loop if it is large enough. Only the loop itself ever sees it[2].
static struct list *snapshot_room(struct vm *vm, struct value *it, uint32_t count)
{
    if (it[2].type != VALUE_LIST || it[2].list->cap < count) {
        it[2] = value_list(vm->heap, count);
    }
    if (it[2].type != VALUE_LIST) {
        it[2] = value_null();
        return NULL;
    }
    it[2].list->count = 0;
    vm->budget -= count / ELEMENTS_PER_INSTRUCTION;
    return it[2].list;
}

// The count is kept apart from the list: what is appended inside the loop is not visited (§9.3).
static void start(struct value *it, struct value list)
{
    it[0] = list;
    it[1] = value_number(0);
    it[1].len = list.list->count;
}

static bool start_list(struct vm *vm, struct value *it, struct value list, bool changes)
{
    if (!changes) {
        start(it, list);
        return true;
    }
    struct list *copy = snapshot_room(vm, it, list.list->count);
    if (copy == NULL) {
        return vm_memory_fail(vm);
    }
    if (list.list->count > 0) {
        memcpy(copy->items, list.list->items, list.list->count * sizeof(*copy->items));
    }
    copy->count = list.list->count;
    start(it, it[2]);
    return true;
}

// Always copied: a map's entries move when it grows, and put() is what bodies do.
static bool start_keys(struct vm *vm, struct value *it, const struct map *map)
{
    struct list *keys = snapshot_room(vm, it, map->count);
    if (keys == NULL) {
        return vm_memory_fail(vm);
    }
    uint32_t cursor = 0;
    struct map_entry *entry;
    while (keys->count < map->count && (entry = map_next(map, &cursor)) != NULL) {
        keys->items[keys->count++] = entry->key;
    }
    start(it, it[2]);
    return true;
}

// Texts are split or parsed first. Anything else that is no list is a mistake worth a text, except null, which has no elements (GUESS,
// §5).
bool iterate_start(struct vm *vm, struct value *it, struct value source, bool changes)
{
    source = value_resolve(source);
    if (source.type == VALUE_COLLECTION) {
        source = value_resolve(source.collection->inner);
    }
    if (source.type == VALUE_FILE) {
        source = value_text(vm->heap, source.file->bytes);
    }
    if (source.type == VALUE_TEXT) {
        vm->budget -= source.len / ELEMENTS_PER_INSTRUCTION;
        source = operate_text_list(vm->heap, source);
        changes = false; // nobody else has it
    }
    if (vm->heap->failed) {
        return vm_memory_fail(vm);
    }
    switch (source.type) {
    case VALUE_LIST:
        return start_list(vm, it, source, changes);
    case VALUE_MAP:
        return start_keys(vm, it, source.map);
    case VALUE_NULL:
    case VALUE_FRESH:
        it[0] = value_null();
        it[1] = value_number(0);
        return true;
    default:
        return fail_set(vm->fail, FAIL_SCRIPT, "'%s' can not be cast to 'LIST'", value_type_name(source));
    }
}
