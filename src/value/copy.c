// SPDX-License-Identifier: Apache-2.0
//
// copy: carries a value from one heap into another. A list or map is copied as a shell that still holds the old values, which are then
// replaced one by one; containers among them go on the walk's stack. A list that stands in two places becomes two lists.
#include "value/inside.h"

// Only what the value shows is copied, not the whole block, and it is valid already. `share`: constants stay where they are.
static struct value copy_text(struct heap *heap, struct value v, bool share)
{
    char *bytes;
    if (share && v.text->fixed) {
        return v;
    }
    if (v.len == 0) {
        return value_text(heap, VIEW_NONE);
    }
    struct value copy = value_text_space(heap, v.len, &bytes);
    if (!value_is_null(copy)) {
        memcpy(bytes, v.text->bytes, v.len);
        copy.flags = v.flags;
    }
    return copy;
}

static struct value copy_list(struct heap *heap, const struct list *list)
{
    struct value copy = value_list(heap, list->count);
    if (!value_is_null(copy)) {
        if (list->count > 0) {
            memcpy(copy.list->items, list->items, list->count * sizeof *list->items);
        }
        copy.list->count = list->count;
        copy.list->json = list->json;
        copy.list->item_type = list->item_type;
    }
    return copy;
}

// Does a value stay as it is in a copy? Constants do when they may be shared.
static inline bool is_plain(struct value v, bool share)
{
    return v.type < VALUE_TEXT || (share && v.type == VALUE_TEXT && v.text->fixed);
}

// Cached hashes come along, the old hash of a key that changed too: the copy answers look-ups as the original does. Holes stay behind.
// *ret_open: some of it still belongs to the old heap.
static struct value copy_map(struct heap *heap, const struct map *map, bool share, bool *ret_open)
{
    struct value copy = value_map(heap, map->count);
    if (value_is_null(copy)) {
        return copy;
    }
    uint32_t cursor = 0;
    bool open = false;
    for (struct map_entry *entry; (entry = map_next(map, &cursor));) {
        copy.map->entries[copy.map->used++] = *entry;
        open |= !is_plain(entry->key, share) || !is_plain(entry->value, share);
    }
    *ret_open = open;
    copy.map->count = copy.map->used;
    if (copy.map->index && map->index && map->used == map->count && copy.map->index_cap == map->index_cap) {
        memcpy(copy.map->index, map->index, map->index_cap * sizeof *map->index); // no holes: entries stand where they stood
    } else if (copy.map->index && !map_index_build(heap, copy.map)) {
        return value_null();
    }
    return copy;
}

static struct value copy_file(struct heap *heap, const struct file *file)
{
    struct value copy = value_file(heap, file->bytes, value_view_or(file->name, VIEW_NONE), value_view_or(file->type, VIEW_NONE));
    if (value_is_null(copy)) {
        return copy;
    }
    if (value_is_null(file->name)) {
        copy.file->name = value_null();
    }
    if (value_is_null(file->type)) {
        copy.file->type = value_null();
    }
    copy.file->charset = value_is_text(file->charset) ? copy_text(heap, file->charset, false) : value_null();
    copy.file->param_name = value_is_text(file->param_name) ? copy_text(heap, file->param_name, false) : value_null();
    copy.file->password = value_is_text(file->password) ? copy_text(heap, file->password, false) : value_null();
    return copy;
}

// The copy of a value; *ret_open when it is a container that still holds values of the old heap.
static struct value copy_shell(struct heap *heap, struct value v, bool share, bool *ret_open)
{
    *ret_open = false;
    v = value_resolve(v);
    switch (v.type) {
    case VALUE_TEXT:
        return copy_text(heap, v, share);
    case VALUE_LIST:
        *ret_open = v.list->count > 0;
        return copy_list(heap, v.list);
    case VALUE_MAP:
        return copy_map(heap, v.map, share, ret_open);
    case VALUE_COLLECTION:
        *ret_open = true;
        return value_collection(heap, v.collection->inner);
    case VALUE_FRESH:
        return value_fresh(heap);
    case VALUE_FILE:
        return copy_file(heap, v.file);
    default:
        return v;
    }
}

// The next place inside a copied container whose value is still the old one; NULL at its end. Keys and values of a map take turns.
static struct value *next_place(struct walk_frame *frame)
{
    uint32_t at = frame->cursor++;
    switch (frame->at.type) {
    case VALUE_LIST:
        return at < frame->at.list->count ? &frame->at.list->items[at] : NULL;
    case VALUE_MAP: {
        struct map_entry *entry = at / 2 < frame->at.map->used ? &frame->at.map->entries[at / 2] : NULL;
        return !entry ? NULL : at % 2 == 0 ? &entry->key : &entry->value;
    }
    default:
        return at == 0 ? &frame->at.collection->inner : NULL;
    }
}

// A copy that outgrows the heap stops at the first refused block: every place visited so far holds a value of the new heap.
static bool copy_open(struct walk *walk, struct heap *heap, bool share, struct fail *fail)
{
    while (walk->depth > 0) {
        struct value *place = next_place(walk_top(walk));
        if (!place) {
            walk_pop(walk);
            continue;
        }
        bool open;
        if (is_plain(*place, share)) {
            continue;
        }
        *place = copy_shell(heap, *place, share, &open);
        if (heap->failed) {
            return heap_full(heap, fail);
        }
        if (open && !walk_push(walk, *place)) {
            return walk_too_deep(fail);
        }
    }
    return true;
}

static struct value copy_all(struct heap *heap, struct value v, bool share, struct fail *fail)
{
    bool open;
    struct value copy = copy_shell(heap, v, share, &open);
    if (heap->failed) {
        heap_full(heap, fail);
        return value_null();
    }
    if (!open) {
        return copy;
    }
    struct walk walk;
    walk_init(&walk);
    walk_push(&walk, copy);
    bool copied = copy_open(&walk, heap, share, fail);
    walk_free(&walk);
    return copied ? copy : value_null();
}

struct value value_copy(struct heap *heap, struct value v, struct fail *fail)
{
    return copy_all(heap, v, false, fail);
}

struct value value_share(struct heap *heap, struct value v, struct fail *fail)
{
    return copy_all(heap, v, true, fail);
}

bool value_fix(struct value v, struct fail *fail)
{
    struct walk walk;
    bool fixed = true;
    walk_init(&walk);
    if (v.type == VALUE_TEXT && v.len) { // the empty text is a constant already, in memory that cannot be written
        v.text->fixed = 1;
    }
    fixed = value_as_list(v) || value_as_map(v) ? walk_push(&walk, v) || walk_too_deep(fail) : true;
    while (fixed && walk.depth > 0) {
        struct value *place = next_place(walk_top(&walk));
        if (!place) {
            walk_pop(&walk);
        } else if (place->type == VALUE_TEXT && place->len) {
            place->text->fixed = 1;
        } else if (value_as_list(*place) || value_as_map(*place)) {
            fixed = walk_push(&walk, *place) || walk_too_deep(fail);
        }
    }
    walk_free(&walk);
    return fixed;
}
