// SPDX-License-Identifier: Apache-2.0
//
// list: lists are references to a growing array. They know nothing of item types; who wants a typed list converts before adding.
#include "value/inside.h"

enum { LIST_ROOM_FIRST = 4, LIST_ITEMS_MAX = UINT32_MAX / 2 };

// `room` items fit without growing; 0 takes no array at all, as many lists stay empty.
struct value value_list(struct heap *heap, size_t room)
{
    if (room > LIST_ITEMS_MAX) {
        heap_refuse(heap);
        return value_null();
    }
    struct list *list = heap_alloc(heap, sizeof *list);
    struct value *items = list && room > 0 ? heap_alloc(heap, room * sizeof *items) : NULL;
    if (!list || (room > 0 && !items)) {
        return value_null();
    }
    *list = (struct list){.items = items, .cap = (uint32_t)room};
    return (struct value){.type = VALUE_LIST, .list = list};
}

// Doubling: adding n items costs n copies at most. The old array may be gone afterwards, nothing else points to it.
static bool make_room(struct heap *heap, struct list *list)
{
    if (BASE_LIKELY(list->count < list->cap)) {
        return true;
    }
    if (list->cap >= LIST_ITEMS_MAX) {
        return heap_refuse(heap);
    }
    uint32_t cap = list->cap ? list->cap * 2 : LIST_ROOM_FIRST;
    struct value *items = heap_grow(heap, list->items, list->cap * sizeof *items, cap * sizeof *items);
    if (!items) {
        return false;
    }
    list->items = items;
    list->cap = cap;
    return true;
}

bool list_add(struct heap *heap, struct list *list, struct value item)
{
    if (!make_room(heap, list)) {
        return false;
    }
    list->items[list->count++] = item;
    return true;
}

bool list_insert(struct heap *heap, struct list *list, uint32_t index, struct value item)
{
    assert(index <= list->count);
    if (!make_room(heap, list)) {
        return false;
    }
    memmove(list->items + index + 1, list->items + index, (list->count - index) * sizeof *list->items);
    list->items[index] = item;
    list->count++;
    return true;
}

void list_remove(struct list *list, uint32_t index)
{
    assert(index < list->count);
    list->count--;
    memmove(list->items + index, list->items + index + 1, (list->count - index) * sizeof *list->items);
}
