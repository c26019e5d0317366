// SPDX-License-Identifier: Apache-2.0
//
// heap: the memory of one run. Allocation moves a pointer through chunks; nothing is freed singly, the whole is dropped at once. Chunks
// begin small, because most runs need little, and double up to a quarter megabyte. A large block gets a chunk of its own, which can grow by
// realloc, so that a list of a million items does not leave half of its memory behind as garbage.
//
// The limit counts what was taken from the system, not what is used. heap_reset keeps the newest chunk: a run that fits into what the run
// before it needed costs no malloc. Under AddressSanitizer unused space is poisoned and blocks stand apart.
#include "value/inside.h"

#include <stdlib.h>

#if defined(SLUICE_SANITIZE)
#include <sanitizer/asan_interface.h>
enum { HEAP_REDZONE = 8 };
#else
#define ASAN_POISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
enum { HEAP_REDZONE = 0 };
#endif

enum {
    HEAP_CHUNK_FIRST = 8 * 1024,
    HEAP_CHUNK_MAX = 256 * 1024,
    HEAP_BIG = 32 * 1024, // larger blocks never share a chunk
};

struct heap_chunk {
    struct heap_chunk *newer, *older;
    size_t bytes; // with this header
    bool big; // holds one block
    _Alignas(8) char data[];
};
_Static_assert(offsetof(struct heap_chunk, data) == sizeof(struct heap_chunk), "a block begins behind the header, aligned to 8");

struct heap_closer {
    struct heap_closer *next;
    void (*close)(void *arg);
    void *arg;
};

void heap_init(struct heap *heap, size_t bytes_max, const struct zone *zone)
{
    *heap = (struct heap){.bytes_max = bytes_max, .zone = zone};
}

bool heap_refuse(struct heap *heap)
{
    heap->failed = true;
    return false;
}

bool heap_full(const struct heap *heap, struct fail *fail)
{
    return fail_set(fail, FAIL_LIMIT, "the memory limit of %zu bytes was reached", heap->bytes_max);
}

// Checks before adding, so that a caller may ask for any size: neither side can overflow.
bool heap_charge(struct heap *heap, size_t bytes)
{
    if (heap->bytes > heap->bytes_max || bytes > heap->bytes_max - heap->bytes) {
        return heap_refuse(heap);
    }
    heap->bytes += bytes;
    return true;
}

// Points the bump space at a chunk's data.
static void use_chunk(struct heap *heap, struct heap_chunk *chunk)
{
    heap->next = chunk->data;
    heap->end = (char *)chunk + chunk->bytes;
    ASAN_POISON_MEMORY_REGION(chunk->data, chunk->bytes - sizeof *chunk);
}

// Takes a chunk from the system within the limit. It is not linked yet.
static struct heap_chunk *add_chunk(struct heap *heap, size_t bytes)
{
    if (!heap_charge(heap, bytes)) {
        return NULL;
    }
    struct heap_chunk *chunk = malloc(bytes);
    if (!chunk) {
        heap->bytes -= bytes;
        heap_refuse(heap);
        return NULL;
    }
    chunk->newer = chunk->older = NULL;
    chunk->bytes = bytes;
    chunk->big = false;
    return chunk;
}

// Links a chunk as the newest, or behind the newest when that one still has bump space to give.
static void link_chunk(struct heap *heap, struct heap_chunk *chunk)
{
    struct heap_chunk *head = heap->chunks;
    if (chunk->big && head && !head->big) {
        chunk->newer = head;
        chunk->older = head->older;
        head->older = chunk;
    } else {
        chunk->older = head;
        heap->chunks = chunk;
        if (head) {
            head->newer = chunk;
        }
    }
    if (chunk->older) {
        chunk->older->newer = chunk;
    }
}

// A chunk for one block. It goes behind the newest one, whose bump space stays in use, and may grow later without moving others.
static BASE_COLD void *alloc_big(struct heap *heap, size_t bytes)
{
    if (bytes > SIZE_MAX - 64) {
        heap_refuse(heap);
        return NULL;
    }
    struct heap_chunk *chunk = add_chunk(heap, sizeof *chunk + ((bytes + 7) & ~(size_t)7));
    if (!chunk) {
        return NULL;
    }
    chunk->big = true;
    link_chunk(heap, chunk);
    return chunk->data;
}

// The bump space is used up, or the block is too big for one. Each new chunk doubles the last, so a heap of n bytes has few of them; what
// is left of the old one is given up.
static BASE_COLD void *alloc_slow(struct heap *heap, size_t bytes)
{
    if (bytes > HEAP_BIG) {
        return alloc_big(heap, bytes);
    }
    size_t size = heap->chunks && !heap->chunks->big ? heap->chunks->bytes * 2 : HEAP_CHUNK_FIRST;
    size = size > HEAP_CHUNK_MAX ? HEAP_CHUNK_MAX : size;
    size_t least = sizeof(struct heap_chunk) + ((bytes + 7) & ~(size_t)7) + 8 + HEAP_REDZONE;
    while (size < least) {
        size *= 2;
    }
    size_t left = heap->bytes_max > heap->bytes ? heap->bytes_max - heap->bytes : 0;
    if (size > left) {
        size = left & ~(size_t)7; // the rest of the budget, if the block fits into it
    }
    if (size < least) {
        heap_refuse(heap);
        return NULL;
    }
    struct heap_chunk *chunk = add_chunk(heap, size);
    if (!chunk) {
        return NULL;
    }
    link_chunk(heap, chunk);
    use_chunk(heap, chunk);
    return heap_alloc(heap, bytes);
}

// The hot path: a compare, an add. The eight spare bytes pay for rounding up without looking at the rest again.
void *heap_alloc(struct heap *heap, size_t bytes)
{
    size_t room = (size_t)(heap->end - heap->next);
    if (BASE_UNLIKELY(bytes > HEAP_BIG || bytes + 8 + HEAP_REDZONE > room)) {
        return alloc_slow(heap, bytes);
    }
    char *block = heap->next;
    heap->next += ((bytes + 7) & ~(size_t)7) + HEAP_REDZONE;
    ASAN_UNPOISON_MEMORY_REGION(block, bytes);
    return block;
}

// A loop that appends to one text or list usually allocates nothing else in between: then its block is the last one and can simply go on.
bool heap_extend(struct heap *heap, void *block, size_t old_bytes, size_t new_bytes)
{
    char *start = block, *behind = start + ((old_bytes + 7) & ~(size_t)7) + HEAP_REDZONE;
    if (behind != heap->next || new_bytes > HEAP_BIG || new_bytes + 8 + HEAP_REDZONE > (size_t)(heap->end - start)) {
        return false;
    }
    heap->next = start + ((new_bytes + 7) & ~(size_t)7) + HEAP_REDZONE;
    ASAN_UNPOISON_MEMORY_REGION(start, new_bytes);
    return true;
}

// realloc moves pages instead of bytes for blocks of this size. The links of the neighbours and of the heap follow the chunk.
static void *grow_big(struct heap *heap, void *block, size_t new_bytes)
{
    struct heap_chunk *chunk = (struct heap_chunk *)((char *)block - offsetof(struct heap_chunk, data));
    size_t bytes = sizeof *chunk + ((new_bytes + 7) & ~(size_t)7), more = bytes - chunk->bytes;
    if (!heap_charge(heap, more)) {
        return NULL;
    }
    struct heap_chunk *moved = realloc(chunk, bytes);
    if (!moved) {
        heap->bytes -= more;
        heap_refuse(heap);
        return NULL;
    }
    moved->bytes = bytes;
    *(moved->newer ? &moved->newer->older : &heap->chunks) = moved;
    if (moved->older) {
        moved->older->newer = moved;
    }
    return moved->data;
}

// A block over HEAP_BIG always has a chunk of its own (heap_alloc never lets it share one), which is how its header is found.
void *heap_grow(struct heap *heap, void *block, size_t old_bytes, size_t new_bytes)
{
    assert(new_bytes >= old_bytes);
    if (block && old_bytes > HEAP_BIG) {
        return grow_big(heap, block, new_bytes);
    }
    if (block && heap_extend(heap, block, old_bytes, new_bytes)) {
        return block;
    }
    void *larger = heap_alloc(heap, new_bytes);
    if (larger && block) {
        memcpy(larger, block, old_bytes);
    }
    return larger;
}

// The closer itself lies in the heap: it lives exactly as long as it is needed.
bool heap_on_close(struct heap *heap, void (*close)(void *arg), void *arg)
{
    struct heap_closer *closer = heap_alloc(heap, sizeof *closer);
    if (!closer) {
        return false;
    }
    *closer = (struct heap_closer){.next = heap->closers, .close = close, .arg = arg};
    heap->closers = closer;
    return true;
}

// Runs the closers and frees every chunk but `keep`.
static void drop_all(struct heap *heap, struct heap_chunk *keep)
{
    for (struct heap_closer *closer = heap->closers; closer; closer = closer->next) {
        closer->close(closer->arg);
    }
    heap->closers = NULL;
    for (struct heap_chunk *chunk = heap->chunks; chunk;) {
        struct heap_chunk *older = chunk->older;
        if (chunk != keep) {
            ASAN_UNPOISON_MEMORY_REGION(chunk->data, chunk->bytes - sizeof *chunk);
            free(chunk);
        }
        chunk = older;
    }
    heap->chunks = NULL;
    heap->next = heap->end = NULL;
    heap->bytes = 0;
    heap->failed = false;
}

void heap_free(struct heap *heap)
{
    drop_all(heap, NULL);
}

// The newest chunk is the largest that bump space had. After a few runs of one kind it holds a whole run.
void heap_reset(struct heap *heap)
{
    struct heap_chunk *keep = heap->chunks && !heap->chunks->big ? heap->chunks : NULL;
    drop_all(heap, keep);
    if (keep) {
        keep->newer = keep->older = NULL;
        heap->chunks = keep;
        heap->bytes = keep->bytes;
        use_chunk(heap, keep);
    }
}
