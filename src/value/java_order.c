// SPDX-License-Identifier: Apache-2.0
//
// java_order: the order in which java.util.HashMap would walk a map's entries. JSON that went through Zoho's platform prints in it, proved
// on five dumps (spec/deluge-language.md §1.1, §9.5); Sluice offers it for byte-for-byte comparison. The order is that of the buckets;
// within a bucket entries stay as they came, for Java splits buckets without reordering when the table grows.
#include "value/inside.h"

#include <stdlib.h>

enum { JAVA_TABLE_FIRST = 16 };

// String.hashCode: over UTF-16 units.
static uint32_t hash_java_text(struct view text)
{
    uint32_t hash = 0;
    for (size_t at = 0; at < text.len;) {
        uint32_t point = utf8_next(text, &at);
        if (point >= 0x10000) {
            hash = hash * 31 + 0xD800 + ((point - 0x10000) >> 10);
            point = 0xDC00 + (point & 0x3FF);
        }
        hash = hash * 31 + point;
    }
    return hash;
}

// Keys from JSON are texts; the others follow Java's hashCode where that is defined by value.
static uint32_t hash_java(struct value key)
{
    switch (key.type) {
    case VALUE_TEXT:
        return hash_java_text(value_view(key));
    case VALUE_BOOL:
        return key.boolean ? 1231 : 1237;
    case VALUE_NUMBER:
    case VALUE_DECIMAL: // Double.hashCode folds the bits in the same way
    case VALUE_DATE:
    case VALUE_DATETIME:
    case VALUE_TIME:
        return (uint32_t)((uint64_t)key.number ^ ((uint64_t)key.number >> 32));
    default:
        return 0;
    }
}

// Java doubles its table, 16 at first, when more than three quarters are taken.
uint32_t *java_order(const struct map *map)
{
    uint64_t table = JAVA_TABLE_FIRST;
    while (map->count > table / 4 * 3) {
        table *= 2;
    }
    // A counting sort by bucket, which is stable: starts[b + 1] counts, then starts[b] is where bucket b's next entry goes.
    uint32_t *order = malloc((map->count + 1) * sizeof *order);
    uint32_t *buckets = malloc((map->used + 1) * sizeof *buckets);
    uint32_t *starts = calloc(table + 1, sizeof *starts);
    if (order && buckets && starts) {
        for (uint32_t i = 0; i < map->used; i++) {
            uint32_t hash = hash_java(map->entries[i].key);
            buckets[i] = (hash ^ hash >> 16) & (uint32_t)(table - 1);
            starts[buckets[i] + 1] += !map->entries[i].removed;
        }
        for (uint64_t b = 0; b < table; b++) {
            starts[b + 1] += starts[b];
        }
        for (uint32_t i = 0; i < map->used; i++) {
            if (!map->entries[i].removed) {
                order[starts[buckets[i]]++] = i;
            }
        }
    } else {
        free(order);
        order = NULL;
    }
    free(buckets);
    free(starts);
    return order;
}
