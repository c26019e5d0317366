// SPDX-License-Identifier: Apache-2.0
//
// walk: the stack of a walk over nested values (print, equals, copy). Scripts nest values as they like and run on small C stacks, so no
// walk recurses; a value that holds itself runs into VALUE_DEPTH_MAX and gives an error.
#include "value/inside.h"

#include <stdlib.h>

void walk_init(struct walk *walk)
{
    walk->frames = walk->few;
    walk->depth = 0;
    walk->cap = WALK_FEW;
}

// From the frames inside struct walk to the C heap, then by doubling there.
static bool walk_grow(struct walk *walk)
{
    uint32_t cap = walk->cap * 2;
    bool first = walk->frames == walk->few;
    struct walk_frame *frames = realloc(first ? NULL : walk->frames, cap * sizeof *frames);
    if (!frames) {
        return false;
    }
    if (first) {
        memcpy(frames, walk->few, sizeof walk->few);
    }
    walk->frames = frames;
    walk->cap = cap;
    return true;
}

struct walk_frame *walk_push(struct walk *walk, struct value at)
{
    if (walk->depth >= VALUE_DEPTH_MAX || (walk->depth == walk->cap && !walk_grow(walk))) {
        return NULL;
    }
    struct walk_frame *frame = &walk->frames[walk->depth++];
    *frame = (struct walk_frame){.at = at};
    return frame;
}

void walk_pop(struct walk *walk)
{
    free(walk_top(walk)->order);
    walk->depth--;
}

void walk_free(struct walk *walk)
{
    while (walk->depth > 0) {
        walk_pop(walk);
    }
    if (walk->frames != walk->few) {
        free(walk->frames);
    }
}

bool walk_too_deep(struct fail *fail)
{
    return fail_set(fail, FAIL_SCRIPT, "the value is nested deeper than %d levels, or holds itself", VALUE_DEPTH_MAX);
}
