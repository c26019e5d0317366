// SPDX-License-Identifier: Apache-2.0
//
// Inside host: what is kept of the newest runs beside their rows in the run log (kept.c), for whoever looks at one run or repeats it.
#pragma once

#include "host/inside.h"

#include <sched.h>

// A lock that is held for microseconds, never over a give-way: nearly always free, and then it costs two instructions.
static inline void brief_lock(atomic_flag *busy)
{
    while (BASE_UNLIKELY(atomic_flag_test_and_set_explicit(busy, memory_order_acquire))) {
        sched_yield();
    }
}
static inline void brief_unlock(atomic_flag *busy)
{
    atomic_flag_clear_explicit(busy, memory_order_release);
}

enum {
    KEPT_BYTES_MAX = 16 << 20, // of all loops together
    KEPT_SHARD_BYTES_MIN = 1 << 20, // of one loop
    KEPT_BODY_BYTES_MAX = 256 << 10, // of a request; what is longer is cut
    KEPT_REPLY_BYTES_MAX = 64 << 10,
    KEPT_HEAD_BYTES_MAX = 16 << 10, // of a request, and of a reply's headers
    KEPT_CALLS_MAX = 500, // services and requests of one run
    KEPT_CALLS_BYTES_MAX = 32 << 10,
    KEPT_DETAIL_BYTES_MAX = 200, // of one of them
};

// In memory only. The texts follow the structure, in this order.
enum kept_part { KEPT_HEAD, KEPT_BODY, KEPT_TYPE, KEPT_REPLY_HEAD, KEPT_REPLY, KEPT_CALLS, KEPT_PARTS };
struct kept {
    uint32_t bytes; // with the texts and what rounds them up
    uint32_t lens[KEPT_PARTS];
    char id[HOST_ID_LEN]; // all 0: the rest of the ring, before it begins again
    struct { // the caller
        uint8_t kind; // enum identity_kind
        bool local, sandbox, namespaced;
        int64_t org_number, user_id;
        const char *scopes;
    } who;
    uint64_t source_hash; // 0: not known
    int64_t statements_max; // 0: nothing ran
    uint64_t body_bytes, reply_bytes; // before they were cut
    uint32_t calls; // that were made
    int status;
    char namespace[AUTH_NAME_MAX]; // the caller's, of keys and widgets
};
static inline struct view kept_text(const struct kept *kept, enum kept_part part)
{
    const char *at = (const char *)(kept + 1);
    for (int i = 0; i < (int)part; i++) {
        at += kept->lens[i];
    }
    return (struct view){at, kept->lens[part]};
}

// The calls of a run, one behind the other in KEPT_CALLS; `name_len` and `detail_len` bytes follow each.
struct kept_call {
    uint32_t start_us, took_us; // since the run began
    int32_t status; // of a request: HTTP, 0 = no answer came; of a service 1 = done, 0 = refused, -1 = failed
    uint8_t request;
    uint8_t name_len, detail_len;
    uint8_t method_len; // of `detail`: what stands before the address
};

void kept_run(const struct run *run); // when it has its reply
void kept_refused(struct host *host, const struct exchange *exchange);
// malloc'ed, for free(); NULL: it is gone, was never kept, or another environment's.
struct kept *kept_find(struct host *host, const struct host_env *env, struct view id);
void kept_free(struct host *host);

// ---- figures ------------------------------------------------------------------------------------

bool figures_open(struct host *host, struct fail *fail);
void figures_free(struct host *host);
// Of a stored function; NULL: there are too many, or nothing is counted.
struct figures *figures_of(struct host_env *env, const struct function *function);
void figures_note(struct figures *figures, int64_t wall_ms, double duration_ms, bool ok);

// ---- for whoever looks --------------------------------------------------------------------------

// One run of the log, as host_runs_list has it. FAIL_NOT_FOUND.
bool runs_find(struct host *host, const struct host_env *env, struct view id, struct heap *heap, struct value *ret_map, struct fail *fail);
bool runs_is_call(struct view trigger); // a request for a function, or its repetition
// The request as it came, for an exchange with an arena of its own; its texts borrow from `kept`. Headers have lower-case names.
void kept_caller(const struct kept *kept, const struct host_env *env, struct exchange *exchange);
// Headers that sign a caller in: never shown.
bool kept_hides_header(struct view name);
bool kept_request(const struct kept *kept, struct exchange *exchange, struct fail *fail);
