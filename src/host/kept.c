// SPDX-License-Identifier: Apache-2.0
// What is kept of the newest runs: the request as it came, the reply, services and requests with their times. The run log, which is on disk
// and holds a month, has none of it; this is in memory alone, for secrets stand in requests, and the end of the process is the end of it.
//
// It is on the path of every call. So each loop has a ring of its own, under a lock that nobody else wants but a reader; a request's head
// is one piece of memory already and is copied as it is; what has to be understood or hidden is understood and hidden by the reader
// (run_show.c). The newest entry takes the place of the oldest ones.
#include "host/kept.h"

#include <stdlib.h>

// Positions only grow; a byte's place is its position modulo `cap`. An entry never spans the end of the ring.
struct kept_shard {
    _Alignas(64) atomic_flag busy; // each line is written by its own loop alone
    char *bytes; // of `cap`, NULL before the first entry
    uint64_t begin, end;
};

struct kept_ring {
    size_t cap;
    int count;
    struct kept_shard shards[];
};

bool host_keep_runs(struct host *host, struct fail *fail)
{
    int count = loop_count() > 0 ? loop_count() : 1;
    size_t bytes = sizeof(struct kept_ring) + (size_t)count * sizeof(struct kept_shard);
    struct kept_ring *ring = aligned_alloc(_Alignof(struct kept_ring), bytes);
    if (!ring) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    memset(ring, 0, bytes);
    size_t each = (size_t)KEPT_BYTES_MAX / (size_t)count;
    ring->cap = each > KEPT_SHARD_BYTES_MIN ? each / sizeof(struct kept) * sizeof(struct kept) : KEPT_SHARD_BYTES_MIN;
    ring->cap -= ring->cap % 8;
    ring->count = count;
    for (int i = 0; i < count; i++) {
        atomic_flag_clear(&ring->shards[i].busy);
    }
    host->kept = ring;
    return figures_open(host, fail);
}

void kept_free(struct host *host)
{
    for (int i = 0; host->kept && i < host->kept->count; i++) {
        brief_lock(&host->kept->shards[i].busy); // what its loop did last is seen here
        free(host->kept->shards[i].bytes);
    }
    free(host->kept);
    host->kept = NULL;
}

// ---- adding -------------------------------------------------------------------------------------

static struct kept_shard *shard_of_loop(struct kept_ring *ring)
{
    struct loop *loop = loop_current();
    return &ring->shards[loop ? loop_index(loop) % ring->count : 0];
}

// Room for `bytes` in one piece; the oldest entries make it. Holds the lock.
static struct kept *take_room(struct kept_shard *shard, size_t cap, size_t bytes)
{
    size_t at = (size_t)(shard->end % cap), rest = cap - at;
    uint64_t end = shard->end + bytes + (rest < bytes ? rest : 0);
    while (end - shard->begin > cap) {
        shard->begin += ((const struct kept *)(shard->bytes + shard->begin % cap))->bytes;
    }
    if (rest < bytes) {
        // Only its first member is surely there; readers and the line above look at no more where an entry would not fit.
        memcpy(shard->bytes + at, &(uint32_t){(uint32_t)rest}, sizeof(uint32_t));
        if (rest >= sizeof(struct kept)) {
            memset(((struct kept *)(shard->bytes + at))->id, 0, HOST_ID_LEN);
        }
        at = 0;
    }
    shard->end = end;
    return (struct kept *)(shard->bytes + at);
}

// "name: value" lines in the exchange's arena, behind `line`; empty without memory.
static struct view join_headers(const struct exchange *exchange, struct view line, const struct exchange_header *headers, int count)
{
    size_t bytes = line.len, len = 0;
    for (int i = 0; i < count; i++) {
        bytes += headers[i].name.len + headers[i].value.len + 4;
    }
    char *out = bytes <= KEPT_HEAD_BYTES_MAX ? arena_alloc(exchange->arena, bytes + 1) : NULL;
    if (!out) {
        return VIEW("");
    }
    memcpy(out, line.data, line.len);
    len = line.len;
    for (int i = 0; i < count; i++) {
        const struct view pieces[] = {headers[i].name, VIEW(": "), headers[i].value, VIEW("\r\n")};
        for (size_t k = 0; k < BASE_COUNT(pieces); k++) {
            memcpy(out + len, pieces[k].data ? pieces[k].data : "", pieces[k].len);
            len += pieces[k].len;
        }
    }
    return (struct view){out, len};
}

// Of calls from inside, which have no head, and of those that something was taken from.
BASE_COLD static struct view make_head(const struct exchange *exchange)
{
    struct view line = arena_printf(exchange->arena, "%.*s %.*s%s%.*s", VIEW_ARGS(exchange->method), VIEW_ARGS(exchange->path),
                                    exchange->query.len ? "?" : "", VIEW_ARGS(exchange->query));
    for (size_t i = exchange->method.len + 1; i < line.len; i++) { // the path is decoded, and must not look like more than one
        unsigned char c = (unsigned char)line.data[i];
        ((char *)line.data)[i] = c <= ' ' || c == 0x7F ? '_' : (char)c;
    }
    line = arena_printf(exchange->arena, "%.*s HTTP/1.1\r\n", VIEW_ARGS(line));
    return join_headers(exchange, line.data ? line : VIEW(""), exchange->headers, exchange->header_count);
}

static inline char *put_part(struct kept *kept, enum kept_part part, char *at, struct view text)
{
    kept->lens[part] = (uint32_t)text.len;
    if (text.len) {
        memcpy(at, text.data, text.len);
    }
    return at + text.len;
}

static inline struct view most(struct view text, size_t bytes)
{
    return (struct view){text.data, text.len < bytes ? text.len : bytes};
}

static inline void put_caller(struct kept *kept, const struct exchange *exchange)
{
    const struct identity *who = &exchange->identity;
    kept->who.kind = (uint8_t)who->kind;
    kept->who.local = exchange->local;
    kept->who.org_number = who->org_number ? who->org_number : AUTH_ORG_DEFAULT;
    kept->who.sandbox = who->environment[0] == 's';
    kept->who.user_id = who->user_id;
    kept->who.scopes = who->scopes;
    memcpy(kept->namespace, who->namespace, sizeof kept->namespace);
}

// The entry without its texts; NULL without memory. Holds the lock.
static inline struct kept *begin_entry(struct kept_shard *shard, size_t cap, size_t bytes)
{
    bytes = (bytes + 7) & ~(size_t)7;
    if (BASE_UNLIKELY(!shard->bytes)) {
        shard->bytes = malloc(cap);
    }
    if (!shard->bytes || bytes > cap / 2) {
        return NULL;
    }
    struct kept *kept = take_room(shard, cap, bytes);
    kept->bytes = (uint32_t)bytes;
    return kept;
}

static void keep(struct host *host, const struct exchange *exchange, const struct run *run)
{
    struct kept_shard *shard = shard_of_loop(host->kept);
    struct view head = BASE_LIKELY(exchange->head.len) ? exchange->head : make_head(exchange), headers = VIEW("");
    if (exchange->reply_header_count) {
        headers = join_headers(exchange, VIEW(""), exchange->reply_headers, exchange->reply_header_count);
    }
    struct view body = most(exchange->body, KEPT_BODY_BYTES_MAX), reply = most(exchange->reply_body, KEPT_REPLY_BYTES_MAX);
    struct view calls = run ? buffer_view(&run->calls) : VIEW("");
    size_t bytes = sizeof(struct kept) + head.len + body.len + exchange->reply_type.len + headers.len + reply.len + calls.len;
    brief_lock(&shard->busy);
    struct kept *kept = begin_entry(shard, host->kept->cap, bytes);
    if (kept) {
        char *at = put_part(kept, KEPT_HEAD, (char *)(kept + 1), head);
        at = put_part(kept, KEPT_BODY, at, body);
        at = put_part(kept, KEPT_TYPE, at, exchange->reply_type);
        at = put_part(kept, KEPT_REPLY_HEAD, at, headers);
        at = put_part(kept, KEPT_REPLY, at, reply);
        put_part(kept, KEPT_CALLS, at, calls);
        memcpy(kept->id, exchange->id, HOST_ID_LEN);
        put_caller(kept, exchange);
        kept->source_hash = run ? run->function->source_hash : 0;
        kept->statements_max = run ? run->statements_max : 0;
        kept->calls = run ? (uint32_t)run->call_count : 0;
        kept->body_bytes = exchange->body.len;
        kept->reply_bytes = exchange->reply_body.len;
        kept->status = exchange->status;
    }
    brief_unlock(&shard->busy);
}

void kept_run(const struct run *run)
{
    if (run->host->kept) {
        keep(run->host, run->exchange, run);
    }
}

void kept_refused(struct host *host, const struct exchange *exchange)
{
    if (host->kept) {
        keep(host, exchange, NULL);
    }
}

// ---- reading ------------------------------------------------------------------------------------

// Looks through some entries from *at on and moves it, so that nobody waits long for the lock, which it holds. Of two with one id the older
// counts.
static const struct kept *find_some(const struct kept_shard *shard, size_t cap, struct view id, uint64_t *at)
{
    enum { ENTRIES_A_STEP = 64 };
    *at = *at > shard->begin ? *at : shard->begin;
    for (int i = 0; i < ENTRIES_A_STEP && *at < shard->end; i++) {
        size_t place = (size_t)(*at % cap);
        const struct kept *kept = (const struct kept *)(shard->bytes + place);
        uint32_t bytes;
        memcpy(&bytes, shard->bytes + place, sizeof bytes);
        *at += bytes;
        if (cap - place >= sizeof *kept && memcmp(kept->id, id.data, HOST_ID_LEN) == 0) {
            return kept;
        }
    }
    return NULL;
}

static struct kept *find(struct kept_shard *shard, size_t cap, const struct host_env *env, struct view id)
{
    struct kept *copy = NULL;
    uint64_t at = 0;
    for (bool more = true; more && !copy;) {
        brief_lock(&shard->busy);
        const struct kept *found = find_some(shard, cap, id, &at);
        bool ours = found && found->who.org_number == env->org_number && found->who.sandbox == env->sandbox;
        copy = ours ? malloc(found->bytes) : NULL;
        if (copy) {
            memcpy(copy, found, found->bytes);
        }
        more = at < shard->end;
        brief_unlock(&shard->busy);
    }
    return copy;
}

struct kept *kept_find(struct host *host, const struct host_env *env, struct view id)
{
    struct kept *copy = NULL;
    for (int i = 0; host->kept && id.len == HOST_ID_LEN && !copy && i < host->kept->count; i++) {
        copy = find(&host->kept->shards[i], host->kept->cap, env, id);
    }
    return copy;
}
