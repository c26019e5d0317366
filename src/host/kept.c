// SPDX-License-Identifier: Apache-2.0
// What is kept of the newest runs: the request as it came, the reply, services and requests with their times. The run log, which is on disk
// and holds a month, has none of it; this is in memory alone, for secrets stand in requests, and the end of the process is the end of it.
//
// It is on the path of every call. So each loop has a ring of its own, under a lock that nobody else wants but a reader; a request's head
// is one piece of memory already and is copied as it is; what has to be understood or hidden is understood and hidden by the reader
// (runs.c). The newest entry takes the place of the oldest ones.
#include "host/kept.h"

#include <stdlib.h>

// Positions only grow; a byte's place is its position modulo `cap`. An entry never spans the end of the ring.
struct kept_shard {
    pthread_mutex_t mutex;
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
    struct kept_ring *ring = calloc(1, sizeof *ring + (size_t)count * sizeof ring->shards[0]);
    if (!ring) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    size_t each = (size_t)KEPT_BYTES_MAX / (size_t)count;
    ring->cap = each > KEPT_SHARD_BYTES_MIN ? each / sizeof(struct kept) * sizeof(struct kept) : KEPT_SHARD_BYTES_MIN;
    ring->cap -= ring->cap % 8;
    ring->count = count;
    for (int i = 0; i < count; i++) {
        pthread_mutex_init(&ring->shards[i].mutex, NULL);
    }
    host->kept = ring;
    return true;
}

void kept_free(struct host *host)
{
    for (int i = 0; host->kept && i < host->kept->count; i++) {
        free(host->kept->shards[i].bytes);
        pthread_mutex_destroy(&host->kept->shards[i].mutex);
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

// Room for `bytes` in one piece; the oldest entries make it. Under the mutex.
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

// A reply's headers, or a request's that did not come over a connection: "name: value" lines.
static void add_headers(struct buffer *out, const struct exchange_header *headers, int count)
{
    for (int i = 0; i < count; i++) {
        buffer_add(out, headers[i].name);
        buffer_add(out, VIEW(": "));
        buffer_add(out, headers[i].value);
        buffer_add(out, VIEW("\r\n"));
    }
}

static struct view make_head(const struct exchange *exchange, struct buffer *out)
{
    buffer_add(out, exchange->method);
    buffer_add_char(out, ' ');
    buffer_add(out, exchange->path);
    if (exchange->query.len) {
        buffer_add_char(out, '?');
        buffer_add(out, exchange->query);
    }
    buffer_add(out, VIEW(" HTTP/1.1\r\n"));
    add_headers(out, exchange->headers, exchange->header_count);
    return buffer_view(out);
}

static struct view make_reply_head(const struct exchange *exchange, struct buffer *out)
{
    if (exchange->reply_type.len) {
        const struct exchange_header type = {VIEW("Content-Type"), exchange->reply_type};
        add_headers(out, &type, 1);
    }
    add_headers(out, exchange->reply_headers, exchange->reply_header_count);
    return buffer_view(out);
}

static inline void fill(struct kept *kept, const struct exchange *exchange, const struct view *parts)
{
    char *at = (char *)(kept + 1);
    for (int i = 0; i < KEPT_PARTS; i++) {
        kept->lens[i] = (uint32_t)parts[i].len;
        if (parts[i].len) {
            memcpy(at, parts[i].data, parts[i].len);
            at += parts[i].len;
        }
    }
    memcpy(kept->id, exchange->id, HOST_ID_LEN);
    const struct identity *who = &exchange->identity;
    kept->who.kind = (uint8_t)who->kind;
    kept->who.local = exchange->local;
    kept->who.org_number = who->org_number ? who->org_number : AUTH_ORG_DEFAULT;
    kept->who.sandbox = who->environment[0] == 's';
    kept->who.user_id = who->user_id;
    kept->who.scopes = who->scopes;
    memcpy(kept->namespace, who->namespace, sizeof kept->namespace);
    kept->status = exchange->status;
}

// `extra`: what only a run has.
static void keep(struct host *host, const struct exchange *exchange, struct view canonical, const struct kept *extra, struct view calls)
{
    struct kept_ring *ring = host->kept;
    struct kept_shard *shard = shard_of_loop(ring);
    char type[512];
    struct buffer head, reply_head;
    buffer_init(&head, KEPT_HEAD_BYTES_MAX);
    buffer_init(&reply_head, KEPT_HEAD_BYTES_MAX);
    struct view parts[KEPT_PARTS] = {
        [KEPT_HEAD] = exchange->head.len ? exchange->head : make_head(exchange, &head),
        [KEPT_BODY] = exchange->body,
        [KEPT_FUNCTION] = canonical,
        [KEPT_REPLY] = exchange->reply_body,
        [KEPT_CALLS] = calls,
    };
    if (exchange->reply_header_count || exchange->reply_type.len > sizeof type - 32) {
        parts[KEPT_REPLY_HEAD] = make_reply_head(exchange, &reply_head);
    } else if (exchange->reply_type.len) {
        memcpy(type, "Content-Type: ", 14);
        memcpy(type + 14, exchange->reply_type.data, exchange->reply_type.len);
        parts[KEPT_REPLY_HEAD] = (struct view){type, 14 + exchange->reply_type.len};
    }
    parts[KEPT_BODY].len = parts[KEPT_BODY].len < KEPT_BODY_BYTES_MAX ? parts[KEPT_BODY].len : KEPT_BODY_BYTES_MAX;
    parts[KEPT_REPLY].len = parts[KEPT_REPLY].len < KEPT_REPLY_BYTES_MAX ? parts[KEPT_REPLY].len : KEPT_REPLY_BYTES_MAX;
    size_t bytes = sizeof(struct kept);
    for (int i = 0; i < KEPT_PARTS; i++) {
        bytes += parts[i].len;
    }
    bytes = (bytes + 7) & ~(size_t)7;
    pthread_mutex_lock(&shard->mutex);
    if (!shard->bytes) {
        shard->bytes = malloc(ring->cap);
    }
    if (shard->bytes && bytes <= ring->cap / 2) {
        struct kept *kept = take_room(shard, ring->cap, bytes);
        kept->bytes = (uint32_t)bytes;
        kept->source_hash = extra->source_hash;
        kept->statements_max = extra->statements_max;
        kept->calls = extra->calls;
        kept->body_bytes = exchange->body.len;
        kept->reply_bytes = exchange->reply_body.len;
        fill(kept, exchange, parts);
    }
    pthread_mutex_unlock(&shard->mutex);
    buffer_free(&head);
    buffer_free(&reply_head);
}

void kept_run(const struct run *run)
{
    if (run->host->kept) {
        const struct kept extra = {
            .source_hash = run->function->source_hash, .statements_max = run->statements_max, .calls = (uint32_t)run->call_count};
        keep(run->host, run->exchange, view_of(run->function->canonical), &extra, buffer_view(&run->calls));
    }
}

void kept_refused(struct host *host, const struct exchange *exchange, struct view canonical)
{
    if (host->kept) {
        const struct kept extra = {0};
        keep(host, exchange, canonical, &extra, VIEW(""));
    }
}

// ---- reading ------------------------------------------------------------------------------------

// Under the mutex. Of two with one id the newer counts.
static const struct kept *find(const struct kept_shard *shard, size_t cap, struct view id)
{
    const struct kept *found = NULL;
    for (uint64_t at = shard->begin; shard->bytes && at < shard->end;) {
        size_t place = (size_t)(at % cap);
        uint32_t bytes;
        memcpy(&bytes, shard->bytes + place, sizeof bytes);
        const struct kept *kept = (const struct kept *)(shard->bytes + place);
        if (cap - place >= sizeof *kept && memcmp(kept->id, id.data, HOST_ID_LEN) == 0) {
            found = kept;
        }
        at += bytes;
    }
    return found;
}

struct kept *kept_find(struct host *host, const struct host_env *env, struct view id)
{
    struct kept *copy = NULL;
    for (int i = 0; host->kept && id.len == HOST_ID_LEN && !copy && i < host->kept->count; i++) {
        struct kept_shard *shard = &host->kept->shards[i];
        pthread_mutex_lock(&shard->mutex);
        const struct kept *found = find(shard, host->kept->cap, id);
        bool ours = found && found->who.org_number == env->org_number && found->who.sandbox == env->sandbox;
        copy = ours ? malloc(found->bytes) : NULL;
        if (copy) {
            memcpy(copy, found, found->bytes);
        }
        pthread_mutex_unlock(&shard->mutex);
    }
    return copy;
}
