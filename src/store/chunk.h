// SPDX-License-Identifier: Apache-2.0
//
// Runs gathered in one piece of memory, which is written as it is: one row of the run log's file holds thousands of runs. Whoever calls
// sees to it that one thread at a time adds to a chunk.
#pragma once

#include "store/store.h"

enum { CHUNK_BYTES = 64 * 1024, CHUNK_TEXTS = 10 };

struct chunk {
    struct chunk *next;
    size_t used, cap;
    int count;
    int64_t newest_ms, last_ms;
    struct {
        uint32_t at, len;
    } last[CHUNK_TEXTS]; // where the texts of the entry before are spelled
    char bytes[];
};

size_t chunk_entry_bytes(const struct runlog_entry *entry); // the most that it can take
struct chunk *chunk_new(size_t entry_bytes); // room for one such entry, and CHUNK_BYTES if that is more; malloc'ed
bool chunk_add(struct chunk *chunk, const struct runlog_entry *entry, size_t entry_bytes); // false: there may be no room for it
static inline struct view chunk_view(const struct chunk *chunk)
{
    return (struct view){chunk->bytes, chunk->used};
}

// Reads what chunk_view gave, also from a file that was damaged.
struct chunk_reader {
    struct view rest;
    struct runlog_entry entry; // its texts lie in the view
};
bool chunk_open(struct chunk_reader *reader, struct view bytes, struct fail *fail); // an empty view has no entries
bool chunk_next(struct chunk_reader *reader, struct fail *fail); // false: at the end fail->code is FAIL_NONE
