// SPDX-License-Identifier: Apache-2.0
//
// What a compiled unit tells about itself, and how names of functions compare: case does not matter, and `ns.fn` is `ns__fn` (PRODUCT.md).

#include "lang/bytecode.h"

#include <stdlib.h>

// ASCII only, as all API names are.
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// The character of a name at *at, moving on: `__` reads as `.`.
static char next_character(struct view name, size_t *at)
{
    if (*at >= name.len) {
        return '\0';
    }
    if (name.data[*at] == '_' && *at + 1 < name.len && name.data[*at + 1] == '_') {
        *at += 2;
        return '.';
    }
    return lower(name.data[(*at)++]);
}

// Both names are walked at once, without a copy: this is called for each stored function that a script mentions.
bool function_name_equal(struct view a, struct view b)
{
    size_t at_a = 0, at_b = 0;
    for (;;) {
        char x = next_character(a, &at_a), y = next_character(b, &at_b);
        if (x != y) {
            return false;
        }
        if (x == '\0') {
            return true;
        }
    }
}

int unit_function_count(const struct unit *unit)
{
    return unit->function_count;
}

const struct lang_function *unit_function(const struct unit *unit, int index)
{
    assert(index >= 0 && index < unit->function_count);
    return &unit->functions[index];
}

const char *unit_file(const struct unit *unit)
{
    return unit->file;
}

struct lang_function_info lang_function_info(const struct lang_function *function)
{
    return function->info;
}

// Constants, names and groups are malloc'ed because they grow while several functions are compiled; the rest lies in the arena.
void unit_free(struct unit *unit)
{
    if (unit == NULL) {
        return;
    }
    arena_free(&unit->arena);
    heap_free(&unit->heap);
    free(unit->constants);
    free(unit->names);
    free(unit->groups);
    free(unit);
}
