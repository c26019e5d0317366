// SPDX-License-Identifier: Apache-2.0
// Memory of one exchange: chunks that are carved from the front and freed together. The first chunk survives a reset, so a busy connection
// allocates nothing from the system between requests.
#include "base/base.h"

#include <stdlib.h>

enum { ARENA_CHUNK_BYTES = 8192, ARENA_ALIGN = 16 };

struct arena_chunk {
    struct arena_chunk *older;
    size_t bytes; // of this chunk, header included
    _Alignas(ARENA_ALIGN) char data[];
};

void arena_init(struct arena *arena, size_t bytes_max)
{
    *arena = (struct arena){.bytes_max = bytes_max};
}

static bool add_chunk(struct arena *arena, size_t room)
{
    size_t bytes = sizeof(struct arena_chunk) + room;
    if (bytes < ARENA_CHUNK_BYTES) {
        bytes = ARENA_CHUNK_BYTES;
    }
    if (bytes > arena->bytes_max - arena->bytes || arena->bytes > arena->bytes_max) {
        bytes = sizeof(struct arena_chunk) + room; // a small maximum: take what is needed
        if (arena->bytes > arena->bytes_max || bytes > arena->bytes_max - arena->bytes) {
            return false;
        }
    }
    struct arena_chunk *chunk = malloc(bytes);
    if (!chunk) {
        return false;
    }
    chunk->older = arena->chunks;
    chunk->bytes = bytes;
    arena->chunks = chunk;
    arena->bytes += bytes;
    arena->next = chunk->data;
    arena->end = (char *)chunk + bytes;
    return true;
}

static char *take(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2) {
        return NULL;
    }
    size_t rounded = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if ((size_t)(arena->end - arena->next) < rounded && !add_chunk(arena, rounded)) {
        return NULL;
    }
    char *space = arena->next;
    arena->next += rounded;
    return space;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    char *space = take(arena, bytes ? bytes : 1);
    return space ? memset(space, 0, bytes) : NULL;
}

struct view arena_copy(struct arena *arena, struct view text)
{
    char *space = take(arena, text.len + 1);
    if (!space) {
        return VIEW_NONE;
    }
    if (text.len) {
        memcpy(space, text.data, text.len);
    }
    space[text.len] = 0;
    return (struct view){space, text.len};
}

struct view arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *space = len < 0 ? NULL : take(arena, (size_t)len + 1);
    if (!space) {
        return VIEW_NONE;
    }
    va_start(args, format);
    vsnprintf(space, (size_t)len + 1, format, args);
    va_end(args);
    return (struct view){space, (size_t)len};
}

static void free_chunks(struct arena_chunk *chunk)
{
    while (chunk) {
        struct arena_chunk *older = chunk->older;
        free(chunk);
        chunk = older;
    }
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunks, *first = NULL;
    while (chunk) { // the oldest chunk is the small one that every exchange fills
        struct arena_chunk *older = chunk->older;
        if (older) {
            free(chunk);
        } else {
            first = chunk;
        }
        chunk = older;
    }
    arena->chunks = first;
    arena->bytes = first ? first->bytes : 0;
    arena->next = first ? first->data : NULL;
    arena->end = first ? (char *)first + first->bytes : NULL;
}

void arena_free(struct arena *arena)
{
    free_chunks(arena->chunks);
    arena_init(arena, arena->bytes_max);
}
