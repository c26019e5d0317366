// SPDX-License-Identifier: Apache-2.0
//
// The run log: a data base of its own, written behind the reply. Adding an entry is on the path of every call, so it only copies the entry
// into a chunk of a bounded queue, under a lock held for that copy. A thread of its own (started by the first entry) writes what has
// gathered five times a second, or sooner when the queue is half full, one row a chunk: a busy server's log costs a row for a thousand
// runs. The thread sleeps without a timer while there is nothing, so only the first entry of such a group pays for waking it. What does not
// fit is dropped and counted.
//
// The log is bounded: each batch deletes the chunks in which all entries are too many or too old; of a chunk that is partly so, reading
// leaves them out. Sequence numbers only grow. A query has no index to help it: it looks at every entry that may match, which is a matter
// of milliseconds for a whole log.
//
// Whoever waits for new entries stands in a list that adding looks at: one comparison while nobody waits.
//
// The connection and the order of rows belong to `io`, taken by the thread and by reading jobs; `lock` guards the queue. io is taken first.
#include "store/chunk.h"
#include "store/inside.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum {
    QUEUE_ENTRIES_MAX = 16384,
    QUEUE_BYTES_MAX = 32 * 1024 * 1024,
    GATHER_MS = 200,
    READ_LIMIT_MAX = 100000,
    PAGE_CHUNKS = 64, // that a reading job brings at a time
    PAGE_BYTES = 4 * 1024 * 1024, // … and when it stops before
    PAGE_BYTES_MAX = 2 * QUEUE_BYTES_MAX, // one entry may be as large as the queue
    FUNCTION_KEY_MAX = 256,
};

struct runlog_waiter {
    struct runlog_waiter *next;
    struct loop_event event;
    bool listed; // else the event is set, or about to be
};

struct runlog {
    char *path; // NULL: in memory
    int64_t runs_max, age_ms_max;
    atomic_int_least64_t dropped;

    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct chunk *first, *last;
    size_t bytes;
    int count;
    bool started, sleeping, closing;
    pthread_t thread;
    struct runlog_waiter *waiters;
    int waiter_count;
    bool stopped; // nobody waits any more

    pthread_mutex_t io;
    struct tx *tx; // opened when it is first needed
    int64_t next; // sequence number of the next entry
    bool failing; // has been logged
};

static const struct store_migration runlog_migrations[] = {
    {"runlog", 1,
     "CREATE TABLE runs (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT, time_ms INTEGER, org TEXT, environment TEXT, function TEXT, "
     "function_key TEXT,"
     " version TEXT, started_by TEXT, method TEXT, status INTEGER, outcome TEXT, duration_ms REAL, statements INTEGER, error TEXT, lines "
     "TEXT);"
     "CREATE INDEX runs_function ON runs (function_key);",
     NULL},
    // A chunk holds the entries first .. first + count - 1 (chunk.c). The old runs go, but their numbers are not given out again.
    {"runlog", 2,
     "CREATE TABLE chunks (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, newest_ms INTEGER NOT NULL, data BLOB NOT NULL);"
     "INSERT INTO chunks SELECT seq, 1, 0, x'' FROM runs ORDER BY seq DESC LIMIT 1;"
     "DROP TABLE runs",
     NULL},
    {NULL, 0, NULL, NULL},
};

// ---- adding -------------------------------------------------------------------------------------

// Into the last chunk of the queue, or a new one; false when the queue is full. Holds the lock.
static bool queue_entry(struct runlog *log, const struct runlog_entry *entry, size_t entry_bytes)
{
    if (log->count >= QUEUE_ENTRIES_MAX || log->bytes + entry_bytes > QUEUE_BYTES_MAX) {
        return false;
    }
    struct chunk *chunk = log->last;
    size_t before = chunk ? chunk->used : 0;
    if (!chunk || !chunk_add(chunk, entry, entry_bytes)) {
        chunk = chunk_new(entry_bytes);
        if (!chunk) {
            return false;
        }
        *(log->last ? &log->last->next : &log->first) = chunk;
        log->last = chunk;
        before = 0;
        chunk_add(chunk, entry, entry_bytes);
    }
    log->bytes += chunk->used - before;
    log->count++;
    return true;
}

// Sleeps until there is something, lets more gather, writes it.
static void *run_thread(void *arg);

// Holds the lock; if no thread can be had the next entry tries again, and the queue bounds what is lost.
static void start_thread(struct runlog *log)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // signals are another thread's
    log->started = pthread_create(&log->thread, NULL, run_thread, log) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static bool half_full(const struct runlog *log)
{
    return log->count >= QUEUE_ENTRIES_MAX / 2 || log->bytes >= QUEUE_BYTES_MAX / 2;
}

// Each waiter is woken once. Holds the lock.
BASE_COLD static void wake_waiters(struct runlog *log)
{
    while (log->waiters) {
        struct runlog_waiter *waiter = log->waiters;
        log->waiters = waiter->next;
        log->waiter_count--;
        waiter->listed = false;
        loop_event_set_from(&waiter->event); // its fiber frees it only when this has arrived
    }
}

void runlog_add(struct runlog *log, const struct runlog_entry *entry)
{
    size_t entry_bytes = chunk_entry_bytes(entry);
    pthread_mutex_lock(&log->lock);
    bool was_half_full = half_full(log), queued = queue_entry(log, entry, entry_bytes);
    if (BASE_UNLIKELY(queued && !log->started)) {
        start_thread(log);
    }
    bool wake = queued && (log->sleeping || (!was_half_full && half_full(log)));
    log->sleeping = log->sleeping && !wake;
    if (BASE_UNLIKELY(log->waiters)) {
        wake_waiters(log);
    }
    pthread_mutex_unlock(&log->lock);
    if (wake) {
        pthread_cond_signal(&log->wake);
    }
    if (!queued) {
        atomic_fetch_add_explicit(&log->dropped, 1, memory_order_relaxed);
    }
}

int64_t runlog_dropped(const struct runlog *log)
{
    return atomic_load_explicit(&log->dropped, memory_order_relaxed);
}

// ---- waiting ------------------------------------------------------------------------------------

struct runlog_waiter *runlog_wait_begin(struct runlog *log)
{
    struct runlog_waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter) {
        return NULL;
    }
    loop_event_init(&waiter->event);
    pthread_mutex_lock(&log->lock);
    waiter->listed = !log->stopped && log->waiter_count < RUNLOG_WAITERS_MAX;
    if (waiter->listed) {
        waiter->next = log->waiters;
        log->waiters = waiter;
        log->waiter_count++;
    }
    bool listed = waiter->listed;
    pthread_mutex_unlock(&log->lock);
    if (!listed) {
        free(waiter);
        return NULL;
    }
    return waiter;
}

bool runlog_wait(struct runlog_waiter *waiter, int64_t timeout_ms, struct fail *fail)
{
    return loop_event_wait(&waiter->event, timeout_ms, fail);
}

void runlog_wait_end(struct runlog *log, struct runlog_waiter *waiter)
{
    pthread_mutex_lock(&log->lock);
    bool listed = waiter->listed;
    struct runlog_waiter **at = &log->waiters;
    while (listed && *at != waiter) {
        at = &(*at)->next;
    }
    if (listed) {
        *at = waiter->next;
        log->waiter_count--;
    }
    pthread_mutex_unlock(&log->lock);
    if (!listed) {
        loop_event_wait_surely(&waiter->event); // it is on its way
    }
    free(waiter);
}

void runlog_wait_stop(struct runlog *log)
{
    pthread_mutex_lock(&log->lock);
    log->stopped = true;
    wake_waiters(log);
    pthread_mutex_unlock(&log->lock);
}

// ---- writing: holds io --------------------------------------------------------------------------

// Not at start: a cold start should not pay for a file that nobody may read.
static bool open_log(struct runlog *log, struct fail *fail)
{
    if (log->tx) {
        return true;
    }
    const struct engine_place place = {.path = log->path, .make = true};
    struct tx *tx;
    int64_t version;
    if (!engine_sqlite.open(&place, ENGINE_WRITER, &tx, fail)) {
        return false;
    }
    int64_t next;
    bool found;
    if (!migrate_run(tx, log->path ? log->path : "run log", runlog_migrations, NULL, &version, fail) || !tx_begin(tx, fail) ||
        !tx_query_int(tx, "SELECT first + count FROM chunks ORDER BY first DESC LIMIT 1", NULL, 0, &next, &found, fail)) {
        engine_sqlite.close(tx);
        return false;
    }
    tx_rollback(tx); // nothing was changed
    log->tx = tx;
    log->next = found ? next : 1;
    return true;
}

static bool insert_chunk(struct runlog *log, const struct chunk *chunk, int64_t first, struct fail *fail)
{
    const struct store_param params[] = {store_int(first), store_int(chunk->count), store_int(chunk->newest_ms),
                                         store_blob(chunk_view(chunk))};
    return tx_exec(log->tx, "INSERT INTO chunks (first, count, newest_ms, data) VALUES (?, ?, ?, ?)", params, BASE_COUNT(params), fail);
}

// The oldest entries that are still shown.
static int64_t first_kept(const struct runlog *log, int64_t next)
{
    return next > log->runs_max ? next - log->runs_max : 1;
}

static int64_t oldest_kept_ms(const struct runlog *log)
{
    return clock_wall_ms() - log->age_ms_max;
}

// Chunks are roughly in the order of time, so both bounds are ranges at the low end; no row in between is looked at. The newest chunk
// stays: the next number is known from it.
static bool trim_chunks(struct runlog *log, int64_t next, struct fail *fail)
{
    const struct store_param many[] = {store_int(first_kept(log, next))};
    const struct store_param old[] = {store_int(oldest_kept_ms(log))};
    return tx_exec(log->tx, "DELETE FROM chunks WHERE first < (SELECT max(first) FROM chunks WHERE first <= ?)", many, 1, fail) &&
           tx_exec(log->tx, "DELETE FROM chunks WHERE first < (SELECT first FROM chunks WHERE newest_ms >= ? ORDER BY first LIMIT 1)", old,
                   1, fail);
}

// One transaction, all or nothing: what cannot be written is counted as dropped.
static bool write_chunks(struct runlog *log, const struct chunk *chunks, struct fail *fail)
{
    if (!open_log(log, fail) || !tx_begin(log->tx, fail)) {
        return false;
    }
    int64_t next = log->next;
    bool ok = true;
    for (const struct chunk *chunk = chunks; chunk && ok; chunk = chunk->next) {
        ok = insert_chunk(log, chunk, next, fail);
        next += chunk->count;
    }
    if (!ok || !trim_chunks(log, next, fail) || !tx_commit(log->tx, fail)) {
        tx_rollback(log->tx);
        return false;
    }
    log->next = next;
    return true;
}

// Takes the whole queue at once; entries that come while it is written go to a new one.
static void flush_queue(struct runlog *log)
{
    pthread_mutex_lock(&log->lock);
    struct chunk *chunks = log->first;
    int count = log->count;
    log->first = log->last = NULL;
    log->bytes = 0;
    log->count = 0;
    pthread_mutex_unlock(&log->lock);
    struct fail fail = {0};
    if (chunks && !write_chunks(log, chunks, &fail)) {
        atomic_fetch_add_explicit(&log->dropped, count, memory_order_relaxed);
        if (!log->failing) {
            log_line(LOG_ERROR, "runlog.write", "entries=%d error=%s", count, fail.text);
        }
        log->failing = true;
    } else if (chunks) {
        log->failing = false;
        log->tx->engine->tidy(log->tx);
    }
    while (chunks) {
        struct chunk *next = chunks->next;
        free(chunks);
        chunks = next;
    }
}

// Lets entries gather, then has them written. Holds the lock.
static void gather(struct runlog *log)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += GATHER_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    int waited = 0;
    while (!log->closing && !half_full(log) && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&log->wake, &log->lock, &until);
    }
}

static void *run_thread(void *arg)
{
    struct runlog *log = arg;
    pthread_mutex_lock(&log->lock);
    while (!log->closing) {
        if (!log->first) {
            log->sleeping = true;
            pthread_cond_wait(&log->wake, &log->lock);
            log->sleeping = false;
            continue;
        }
        gather(log);
        pthread_mutex_unlock(&log->lock);
        pthread_mutex_lock(&log->io);
        flush_queue(log);
        pthread_mutex_unlock(&log->io);
        pthread_mutex_lock(&log->lock);
    }
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

// ---- reading ------------------------------------------------------------------------------------

// What a query asks of an entry.
struct filter {
    const struct runlog_query *query;
    char key_text[FUNCTION_KEY_MAX];
    struct view key; // of the function
    int64_t first, oldest_ms; // what is before them is gone
    int64_t end; // only entries before this number
};

struct page {
    struct runlog *log;
    struct filter filter;
    int64_t from; // first sequence number to bring, 0 = find where the newest `left` begin
    int left; // entries still wanted
    struct arena arena;
    size_t bytes; // of the page's chunks
    struct {
        int64_t first;
        struct view data;
    } chunks[PAGE_CHUNKS]; // in which something matches
    int count;
    int64_t next; // first sequence number behind the page
    int64_t newest; // of the whole log, when it was looked at
    bool end;
    struct fail *fail;
    bool ok;
};

// Names are compared without case, and "." as "__" (PRODUCT "Words"). Longer ones are compared by their first bytes.
static struct view function_key(char out[FUNCTION_KEY_MAX], struct view name)
{
    size_t len = 0;
    for (size_t i = 0; i < name.len && len + 2 <= FUNCTION_KEY_MAX; i++) {
        char c = name.data[i];
        out[len++] = c == '.' ? '_' : (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
        if (c == '.') {
            out[len++] = '_';
        }
    }
    return (struct view){out, len};
}

static bool is_wanted(const struct filter *filter, const struct runlog_entry *e, int64_t sequence)
{
    const struct runlog_query *query = filter->query;
    char key[FUNCTION_KEY_MAX];
    return sequence >= filter->first && sequence < filter->end && e->time_ms >= filter->oldest_ms &&
           (!query->id.len || view_eq(e->id, query->id)) && (!query->org.len || view_eq(e->org, query->org)) &&
           (!query->environment.len || view_eq(e->environment, query->environment)) &&
           (!query->function.len || view_eq(function_key(key, e->function), filter->key)) &&
           (!query->failures || !view_eq(e->outcome, VIEW("ok")));
}

// Moves on to the next entry that is wanted. *sequence: before, the number of the entry that comes next; after, of the one that was found.
static bool next_wanted(const struct filter *filter, struct chunk_reader *reader, int64_t *sequence, struct fail *fail)
{
    while (chunk_next(reader, fail)) {
        if (is_wanted(filter, &reader->entry, (*sequence)++)) {
            (*sequence)--;
            return true;
        }
    }
    return false;
}

static bool count_wanted(const struct filter *filter, int64_t first, struct view data, int *ret_count, struct fail *fail)
{
    struct chunk_reader reader;
    int count = 0;
    if (!chunk_open(&reader, data, fail)) {
        return false;
    }
    for (int64_t sequence = first; next_wanted(filter, &reader, &sequence, fail); sequence++) {
        count++;
    }
    *ret_count = count;
    return fail->code == FAIL_NONE;
}

// The number of the entry behind `skip` wanted ones, in a chunk that has more of them.
static int64_t find_nth(const struct filter *filter, int64_t first, struct view data, int skip, struct fail *fail)
{
    struct chunk_reader reader;
    int64_t sequence = first;
    chunk_open(&reader, data, fail);
    for (; next_wanted(filter, &reader, &sequence, fail) && skip > 0; skip--) {
        sequence++;
    }
    return sequence;
}

// The newest `left` entries that match begin here; all of them are wanted when they are not as many.
static bool find_start(struct page *page, struct tx *tx)
{
    struct rows *rows;
    if (!tx_query(tx, "SELECT first, data FROM chunks ORDER BY first DESC", NULL, 0, &rows, page->fail)) {
        return false;
    }
    int missing = page->left, count;
    bool ok = true;
    page->from = page->filter.first;
    while (ok && missing > 0 && rows_next(rows, page->fail)) {
        int64_t first = rows_int(rows, 0);
        ok = count_wanted(&page->filter, first, rows_text(rows, 1), &count, page->fail);
        if (ok && count >= missing) {
            page->from = find_nth(&page->filter, first, rows_text(rows, 1), count - missing, page->fail);
        }
        missing -= ok ? count : 0;
    }
    page->end = missing == page->left;
    rows_close(rows);
    return page->fail->code == FAIL_NONE;
}

// Out of SQLite's memory, because the caller's function runs on the fiber, after the job.
static bool keep_chunk(struct page *page, int64_t first, struct view data)
{
    struct view copy = arena_copy(&page->arena, data);
    if (!copy.data) {
        return fail_set(page->fail, FAIL_MEMORY, NULL);
    }
    page->chunks[page->count].first = first;
    page->chunks[page->count++].data = copy;
    page->bytes += data.len;
    return true;
}

static bool read_chunk(struct page *page, const struct rows *rows, int *wanted)
{
    int64_t first = rows_int(rows, 0);
    struct view data = rows_text(rows, 2);
    int count;
    page->next = first + rows_int(rows, 1);
    if (!count_wanted(&page->filter, first, data, &count, page->fail)) {
        return false;
    }
    *wanted -= count;
    return count == 0 || keep_chunk(page, first, data);
}

// The first chunk is the one that holds `from`.
static bool fetch_page(struct page *page, struct tx *tx)
{
    const struct store_param from[] = {store_int(page->from)};
    struct rows *rows;
    if (!tx_query(tx,
                  "SELECT first, count, data FROM chunks WHERE first >= coalesce((SELECT max(first) FROM chunks WHERE first <= ?), 0)"
                  " ORDER BY first",
                  from, 1, &rows, page->fail)) {
        return false;
    }
    bool ok = true;
    int wanted = page->left;
    while (ok && page->count < PAGE_CHUNKS && page->bytes < PAGE_BYTES && wanted > 0 && !page->end) {
        page->end = !rows_next(rows, page->fail) || rows_int(rows, 0) >= page->filter.end;
        ok = page->fail->code == FAIL_NONE && (page->end || read_chunk(page, rows, &wanted));
    }
    rows_close(rows);
    return ok;
}

// On a helper thread, a page at a time: the caller may be slow, and the batch thread must not wait for it.
static void read_page(void *arg)
{
    struct page *page = arg;
    struct runlog *log = page->log;
    pthread_mutex_lock(&log->io);
    flush_queue(log);
    fail_clear(page->fail);
    page->ok = open_log(log, page->fail) && tx_begin(log->tx, page->fail);
    if (page->ok) {
        int64_t kept = first_kept(log, log->next);
        page->filter.first = kept;
        page->newest = page->from == 0 || page->filter.query->after > 0 ? log->next - 1 : page->newest;
        page->ok = page->from || find_start(page, log->tx);
        page->filter.first = page->from > kept ? page->from : kept;
        page->ok = page->ok && fetch_page(page, log->tx);
        tx_rollback(log->tx); // nothing was changed
    }
    pthread_mutex_unlock(&log->io);
}

static bool show_page(struct page *page, void (*row)(void *arg, int64_t sequence, const struct runlog_entry *entry), void *arg,
                      int64_t *last)
{
    struct chunk_reader reader;
    for (int i = 0; i < page->count && page->left > 0; i++) {
        int64_t sequence = page->chunks[i].first;
        if (!chunk_open(&reader, page->chunks[i].data, page->fail)) {
            return false;
        }
        for (; page->left > 0 && next_wanted(&page->filter, &reader, &sequence, page->fail); page->left--) {
            *last = sequence;
            row(arg, sequence++, &reader.entry);
        }
    }
    page->from = page->next;
    return true;
}

bool runlog_read(struct runlog *log, const struct runlog_query *query,
                 void (*row)(void *arg, int64_t sequence, const struct runlog_entry *entry), void *arg, int64_t *ret_last,
                 struct fail *fail)
{
    struct page *page = calloc(1, sizeof *page);
    if (!page) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    *page = (struct page){.log = log, .fail = fail, .from = query->after > 0 ? query->after + 1 : 0};
    page->filter = (struct filter){.query = query, .oldest_ms = oldest_kept_ms(log), .end = query->before > 0 ? query->before : INT64_MAX};
    page->filter.key = function_key(page->filter.key_text, query->function);
    page->left = query->limit < READ_LIMIT_MAX ? query->limit : READ_LIMIT_MAX;
    arena_init(&page->arena, PAGE_BYTES_MAX);
    bool ok = true;
    int64_t last = query->after;
    while (ok && page->left > 0 && !page->end) {
        page->count = 0;
        page->bytes = 0;
        ok = loop_job(read_page, page, fail) && page->ok && show_page(page, row, arg, &last);
        arena_reset(&page->arena);
    }
    // Behind a full page there may be more; else everything up to the newest has been looked at.
    last = query->after > 0 && page->left == 0 ? last : page->newest;
    arena_free(&page->arena);
    free(page);
    if (ok && ret_last) {
        *ret_last = last;
    }
    return ok;
}

// ---- open and close -----------------------------------------------------------------------------

bool runlog_open(struct store *store, int64_t runs_max, int64_t age_ms_max, struct runlog **ret_log, struct fail *fail)
{
    struct runlog *log = calloc(1, sizeof *log);
    if (!log) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    *log = (struct runlog){.runs_max = runs_max, .age_ms_max = age_ms_max};
    if (store_folder(store) && !(log->path = folder_file(store_folder(store), "runlog", fail))) {
        free(log);
        return false;
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&log->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&log->lock, NULL);
    pthread_mutex_init(&log->io, NULL);
    *ret_log = log;
    return true;
}

// What is still queued is written.
void runlog_close(struct runlog *log)
{
    if (!log) {
        return;
    }
    pthread_mutex_lock(&log->lock);
    log->closing = true;
    pthread_cond_signal(&log->wake);
    bool started = log->started;
    pthread_mutex_unlock(&log->lock);
    if (started) {
        pthread_join(log->thread, NULL);
    }
    flush_queue(log);
    if (log->tx) {
        log->tx->engine->close(log->tx);
    }
    pthread_cond_destroy(&log->wake);
    pthread_mutex_destroy(&log->lock);
    pthread_mutex_destroy(&log->io);
    free(log->path);
    free(log);
}
