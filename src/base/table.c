// SPDX-License-Identifier: Apache-2.0
// Text → pointer: open addressing with linear probing and backward-shift deletion, at most three quarters full. Keys are copied.
#include "base/base.h"

#include <stdlib.h>

enum { TABLE_FIRST_SLOTS = 16 };

struct table_slot {
    uint64_t hash;
    char *key; // NULL = empty
    size_t key_len;
    void *value;
};

void table_init(struct table *table, size_t entries_max, bool nocase)
{
    *table = (struct table){.max = entries_max, .nocase = nocase};
}

static uint64_t hash_key_of(const struct table *table, struct view key)
{
    return table->nocase ? view_hash_nocase(key) : view_hash(key);
}

// The slot of the key, or the empty one where it would stand. The table has slots.
static struct table_slot *find_slot(const struct table *table, struct view key, uint64_t hash)
{
    for (size_t i = hash & (table->cap - 1);; i = (i + 1) & (table->cap - 1)) {
        struct table_slot *slot = &table->slots[i];
        if (!slot->key) {
            return slot;
        }
        struct view found = {slot->key, slot->key_len};
        if (slot->hash == hash && (table->nocase ? view_eq_nocase(found, key) : view_eq(found, key))) {
            return slot;
        }
    }
}

void *table_get(const struct table *table, struct view key)
{
    if (!table->count) {
        return NULL;
    }
    struct table_slot *slot = find_slot(table, key, hash_key_of(table, key));
    return slot->key ? slot->value : NULL;
}

static bool grow_table(struct table *table)
{
    if (table->cap && (table->count + 1) * 4 <= table->cap * 3) {
        return true;
    }
    struct table bigger = *table;
    bigger.cap = table->cap ? table->cap * 2 : TABLE_FIRST_SLOTS;
    bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
    if (!bigger.slots) {
        return false;
    }
    for (size_t i = 0; i < table->cap; i++) {
        struct table_slot *slot = &table->slots[i];
        if (slot->key) {
            *find_slot(&bigger, (struct view){slot->key, slot->key_len}, slot->hash) = *slot;
        }
    }
    free(table->slots);
    *table = bigger;
    return true;
}

bool table_put(struct table *table, struct view key, void *value)
{
    uint64_t hash = hash_key_of(table, key);
    struct table_slot *slot = table->cap ? find_slot(table, key, hash) : NULL;
    if (slot && slot->key) {
        slot->value = value;
        return true;
    }
    if (table->count >= table->max || !grow_table(table)) {
        return false;
    }
    char *copy = malloc(key.len + 1);
    if (!copy) {
        return false;
    }
    if (key.len) {
        memcpy(copy, key.data, key.len);
    }
    copy[key.len] = 0;
    *find_slot(table, key, hash) = (struct table_slot){.hash = hash, .key = copy, .key_len = key.len, .value = value};
    table->count++;
    return true;
}

void *table_remove(struct table *table, struct view key)
{
    if (!table->count) {
        return NULL;
    }
    struct table_slot *slot = find_slot(table, key, hash_key_of(table, key));
    if (!slot->key) {
        return NULL;
    }
    void *value = slot->value;
    free(slot->key);
    table->count--;
    size_t hole = (size_t)(slot - table->slots);
    for (size_t i = (hole + 1) & (table->cap - 1); table->slots[i].key; i = (i + 1) & (table->cap - 1)) {
        size_t home = table->slots[i].hash & (table->cap - 1);
        if (((i - home) & (table->cap - 1)) >= ((i - hole) & (table->cap - 1))) { // its way leads over the hole
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole].key = NULL;
    return value;
}

bool table_next(const struct table *table, size_t *cursor, struct view *ret_key, void **ret_value)
{
    while (*cursor < table->cap) {
        struct table_slot *slot = &table->slots[(*cursor)++];
        if (slot->key) {
            *ret_key = (struct view){slot->key, slot->key_len};
            *ret_value = slot->value;
            return true;
        }
    }
    return false;
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->cap; i++) {
        free(table->slots[i].key);
    }
    free(table->slots);
    table_init(table, table->max, table->nocase);
}
