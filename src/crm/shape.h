// SPDX-License-Identifier: Apache-2.0
//
// Making maps of the REST shapes. All of these do nothing without memory: whoever made the map finds that in its heap.
#pragma once

#include "crm/record.h"

static inline void shape_put(struct heap *heap, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, view_of(key), value);
    }
}

static inline void shape_text(struct heap *heap, struct value map, const char *key, struct view text)
{
    shape_put(heap, map, key, value_text(heap, text));
}

static inline void shape_all(struct heap *heap, struct value map, const char *const *keys, size_t count, struct value value)
{
    for (size_t i = 0; i < count; i++) {
        shape_put(heap, map, keys[i], value);
    }
}
#define SHAPE_ALL(heap, map, keys, value) shape_all((heap), (map), (keys), BASE_COUNT(keys), (value))

static inline void shape_add(struct heap *heap, struct value list, struct value value)
{
    if (list.type == VALUE_LIST) {
        list_add(heap, list.list, value);
    }
}

// A member of a definition; null when there is none.
static inline struct value shape_get(const struct map *map, const char *key)
{
    return map ? map_get_text(map, view_of(key)) : value_null();
}

// {"name":…,"id":…} of a user, null for none; settings show users so.
struct value shape_user(const struct crm_session *session, int64_t user_id);
// {"api_name":…,"id":…} of a module.
struct value shape_module(const struct crm_session *session, const struct crm_module *module);
// A time, null for 0.
struct value shape_time(const struct crm_session *session, int64_t millis);

// ---- ids of what is no row ----------------------------------------------------------------------

// Entries of pick lists, layouts, related lists and views are made of the metadata and have no ids of their own. Theirs are the id of
// the field or module they belong to with a number where the environment's counter will never get to; they stay the same as long as the
// order does.
enum { SHAPE_ID_STEP = 1000000000 };
enum { SHAPE_LAYOUT = 1, SHAPE_SECTION = 2, SHAPE_VIEW = 100, SHAPE_RELATION = 1000, SHAPE_PERMISSION = 5000 };
static inline int64_t shape_id(int64_t owner, int64_t number)
{
    return owner + number * SHAPE_ID_STEP;
}
