// SPDX-License-Identifier: Apache-2.0
//
// The run log: one row a run, in a data base of its own, written behind the reply. Adding an entry is on the path of every call, so it only
// copies the entry into a chunk of a bounded queue, under a lock held for that copy. A thread of its own (started by the first entry)
// writes what has gathered five times a second, or sooner when the queue is half full; it sleeps without a timer while there is nothing, so
// only the first entry of such a group pays for waking it. What does not fit is dropped and counted.
//
// The log is bounded: each batch also deletes what is too many or too old, a limited number of rows at a time, oldest first. Sequence
// numbers only grow.
//
// The connection and the order of rows belong to `io`, taken by the thread and by reading jobs; `lock` guards the queue. io is taken first.
#include "store/inside.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdalign.h>
#include <stdlib.h>
#include <time.h>

enum {
    QUEUE_ENTRIES_MAX = 16384,
    QUEUE_BYTES_MAX = 32 * 1024 * 1024,
    CHUNK_BYTES = 64 * 1024,
    GATHER_MS = 200,
    TRIM_ROWS_MAX = 2 * QUEUE_ENTRIES_MAX, // a batch; more than it can add
    READ_LIMIT_MAX = 100000,
    PAGE_ENTRIES = 64, // rows a reading job brings at a time
    PAGE_BYTES = 4 * 1024 * 1024, // … and when it stops before
    PAGE_BYTES_MAX = 2 * QUEUE_BYTES_MAX, // one entry may be as large as the queue
    FUNCTION_KEY_MAX = 256,
    SQL_MAX = 2048,
};

enum text_column { T_ID, T_ORG, T_ENVIRONMENT, T_FUNCTION, T_VERSION, T_TRIGGER, T_METHOD, T_OUTCOME, T_ERROR, T_LINES, TEXTS };

// An entry in a chunk; the texts follow one another behind it.
struct record {
    int64_t time_ms, statements;
    double duration_ms;
    int status;
    uint32_t len[TEXTS];
    uint32_t bytes; // of the whole, a multiple of 8
};

struct chunk {
    struct chunk *next;
    size_t used, cap;
    int count;
    alignas(8) char bytes[];
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

    pthread_mutex_t io;
    struct tx *tx; // opened when it is first needed
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
    {NULL, 0, NULL, NULL},
};

// ---- adding --------------------------------------------------------------------------------------------------------------------------

// The order of enum text_column, also that of the columns in fetch_page.
static void list_texts(const struct runlog_entry *e, struct view texts[TEXTS])
{
    texts[T_ID] = e->id;
    texts[T_ORG] = e->org;
    texts[T_ENVIRONMENT] = e->environment;
    texts[T_FUNCTION] = e->function;
    texts[T_VERSION] = e->version;
    texts[T_TRIGGER] = e->trigger;
    texts[T_METHOD] = e->method;
    texts[T_OUTCOME] = e->outcome;
    texts[T_ERROR] = e->error;
    texts[T_LINES] = e->lines;
}

// Room for `bytes` in the queue, or NULL when it is full. Holds the lock.
static char *take_space(struct runlog *log, size_t bytes)
{
    if (log->count >= QUEUE_ENTRIES_MAX || log->bytes + bytes > QUEUE_BYTES_MAX) {
        return NULL;
    }
    struct chunk *chunk = log->last;
    if (!chunk || chunk->cap - chunk->used < bytes) {
        size_t cap = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
        chunk = malloc(sizeof *chunk + cap);
        if (!chunk) {
            return NULL;
        }
        *chunk = (struct chunk){.cap = cap};
        *(log->last ? &log->last->next : &log->first) = chunk;
        log->last = chunk;
    }
    char *space = chunk->bytes + chunk->used;
    chunk->used += bytes;
    chunk->count++;
    log->bytes += bytes;
    log->count++;
    return space;
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

// Texts one behind another, their lengths in the record: two or three cache lines for a usual entry.
static void copy_entry(char *space, const struct runlog_entry *entry, const struct view texts[TEXTS], size_t bytes)
{
    struct record record = {.time_ms = entry->time_ms,
                            .statements = entry->statements,
                            .duration_ms = entry->duration_ms,
                            .status = entry->status,
                            .bytes = (uint32_t)bytes};
    char *at = space + sizeof record;
    for (int i = 0; i < TEXTS; i++) {
        record.len[i] = (uint32_t)texts[i].len;
        if (texts[i].len) {
            memcpy(at, texts[i].data, texts[i].len);
            at += texts[i].len;
        }
    }
    memcpy(space, &record, sizeof record);
}

void runlog_add(struct runlog *log, const struct runlog_entry *entry)
{
    struct view texts[TEXTS];
    list_texts(entry, texts);
    size_t bytes = sizeof(struct record);
    for (int i = 0; i < TEXTS; i++) {
        bytes += texts[i].len < QUEUE_BYTES_MAX ? texts[i].len : QUEUE_BYTES_MAX;
    }
    bytes = (bytes + 7) & ~(size_t)7;
    pthread_mutex_lock(&log->lock);
    bool was_half_full = half_full(log);
    char *space = take_space(log, bytes);
    if (space) {
        copy_entry(space, entry, texts, bytes);
        if (BASE_UNLIKELY(!log->started)) {
            start_thread(log);
        }
        if (log->sleeping || (!was_half_full && half_full(log))) {
            log->sleeping = false;
            pthread_cond_signal(&log->wake);
        }
    }
    pthread_mutex_unlock(&log->lock);
    if (!space) {
        atomic_fetch_add_explicit(&log->dropped, 1, memory_order_relaxed);
    }
}

int64_t runlog_dropped(const struct runlog *log)
{
    return atomic_load_explicit(&log->dropped, memory_order_relaxed);
}

// ---- writing: holds io -----------------------------------------------------------------------------------------------------------------

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
    if (!migrate_run(tx, log->path ? log->path : "run log", runlog_migrations, NULL, &version, fail)) {
        engine_sqlite.close(tx);
        return false;
    }
    log->tx = tx;
    return true;
}

// The bytes are read in place; the chunk lives until the batch is committed.
static bool insert_record(struct tx *tx, const char *at, struct fail *fail)
{
    struct record r;
    memcpy(&r, at, sizeof r);
    struct view texts[TEXTS];
    at += sizeof r;
    for (int i = 0; i < TEXTS; i++) {
        texts[i] = (struct view){at, r.len[i]};
        at += r.len[i];
    }
    char key[FUNCTION_KEY_MAX];
    const struct store_param params[] = {
        store_text(texts[T_ID]),       store_int(r.time_ms),
        store_text(texts[T_ORG]),      store_text(texts[T_ENVIRONMENT]),
        store_text(texts[T_FUNCTION]), store_text(function_key(key, texts[T_FUNCTION])),
        store_text(texts[T_VERSION]),  store_text(texts[T_TRIGGER]),
        store_text(texts[T_METHOD]),   store_int(r.status),
        store_text(texts[T_OUTCOME]),  store_real(r.duration_ms),
        store_int(r.statements),       store_text(texts[T_ERROR]),
        store_text(texts[T_LINES]),
    };
    return tx_exec(tx,
                   "INSERT INTO runs (id, time_ms, org, environment, function, function_key, version, started_by, method, status, outcome, "
                   "duration_ms,"
                   " statements, error, lines) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                   params, BASE_COUNT(params), fail);
}

// Rows are numbered without gaps and roughly in the order of time, so both bounds are ranges at the low end; no row in between is looked
// at.
static bool trim_rows(struct runlog *log, struct fail *fail)
{
    const struct store_param many[] = {store_int(log->runs_max), store_int(TRIM_ROWS_MAX)};
    const struct store_param old[] = {store_int(clock_wall_ms() - log->age_ms_max), store_int(TRIM_ROWS_MAX)};
    return tx_exec(log->tx, "DELETE FROM runs WHERE seq <= min((SELECT max(seq) FROM runs) - ?, (SELECT min(seq) FROM runs) + ?)", many, 2,
                   fail) &&
           tx_exec(log->tx,
                   "DELETE FROM runs WHERE seq < min((SELECT seq FROM runs WHERE time_ms >= ? ORDER BY seq LIMIT 1), (SELECT min(seq) FROM "
                   "runs) + ?)",
                   old, 2, fail);
}

// One transaction, all or nothing: what cannot be written is counted as dropped.
static bool write_chunks(struct runlog *log, const struct chunk *chunks, struct fail *fail)
{
    if (!open_log(log, fail) || !tx_begin(log->tx, fail)) {
        return false;
    }
    bool ok = true;
    for (const struct chunk *chunk = chunks; chunk && ok; chunk = chunk->next) {
        for (size_t at = 0; at < chunk->used && ok;) {
            struct record record;
            memcpy(&record, chunk->bytes + at, sizeof record);
            ok = insert_record(log->tx, chunk->bytes + at, fail);
            at += record.bytes;
        }
    }
    ok = ok && trim_rows(log, fail) && tx_commit(log->tx, fail);
    if (!ok) {
        tx_rollback(log->tx);
    }
    return ok;
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

// ---- reading -------------------------------------------------------------------------------------------------------------------------

struct page {
    struct runlog *log;
    const struct runlog_query *query;
    int64_t from; // first sequence number to bring, 0 = find where the newest `limit` begin
    int left; // entries still wanted
    struct arena arena;
    size_t bytes; // of the page's texts
    struct runlog_entry entries[PAGE_ENTRIES];
    int64_t sequences[PAGE_ENTRIES];
    int count;
    bool end;
    struct fail *fail;
    bool ok;
};

// A WHERE clause in the making: constant texts and parameters only.
struct conditions {
    char sql[SQL_MAX];
    struct store_param params[8];
    int count;
    char key[FUNCTION_KEY_MAX];
};

static void add_condition(struct conditions *c, const char *sql, struct store_param param)
{
    size_t len = strlen(c->sql);
    snprintf(c->sql + len, sizeof c->sql - len, "%s", sql);
    c->params[c->count++] = param;
}

static void add_conditions(struct conditions *c, const struct runlog_query *query, int64_t from)
{
    add_condition(c, " WHERE seq >= ?", store_int(from));
    if (query->org.len) {
        add_condition(c, " AND org = ?", store_text(query->org));
    }
    if (query->environment.len) {
        add_condition(c, " AND environment = ?", store_text(query->environment));
    }
    if (query->function.len) {
        add_condition(c, " AND function_key = ?", store_text(function_key(c->key, query->function)));
    }
    if (query->failures) {
        add_condition(c, " AND outcome <> ?", store_text(VIEW("ok")));
    }
}

// The newest `left` entries that match begin here.
static bool find_start(struct page *page, struct tx *tx)
{
    struct conditions c = {.sql = "SELECT min(seq) FROM (SELECT seq FROM runs"};
    add_conditions(&c, page->query, 0);
    add_condition(&c, " ORDER BY seq DESC LIMIT ?)", store_int(page->left));
    bool found = false;
    return tx_query_int(tx, c.sql, c.params, c.count, &page->from, &found, page->fail);
}

// Out of SQLite's memory, because the callback runs on the fiber, after the job.
static bool copy_row(struct page *page, const struct rows *rows)
{
    struct runlog_entry *e = &page->entries[page->count];
    struct view *texts[] = {&e->id,      &e->org,    &e->environment, &e->function, &e->version,
                            &e->trigger, &e->method, &e->outcome,     &e->error,    &e->lines};
    for (size_t i = 0; i < BASE_COUNT(texts); i++) {
        struct view text = rows_text(rows, 5 + (int)i);
        *texts[i] = arena_copy(&page->arena, text);
        if (text.len && !texts[i]->len) {
            return fail_set(page->fail, FAIL_MEMORY, NULL);
        }
        page->bytes += text.len;
    }
    page->sequences[page->count] = rows_int(rows, 0);
    e->time_ms = rows_int(rows, 1);
    e->status = (int)rows_int(rows, 2);
    e->duration_ms = rows_real(rows, 3);
    e->statements = rows_int(rows, 4);
    page->count++;
    return true;
}

static bool fetch_page(struct page *page, struct tx *tx)
{
    struct conditions c = {
        .sql = "SELECT seq, time_ms, status, duration_ms, statements, id, org, environment, function, version, started_by, method,"
               " outcome, error, lines FROM runs"};
    int wanted = page->left < PAGE_ENTRIES ? page->left : PAGE_ENTRIES;
    add_conditions(&c, page->query, page->from);
    add_condition(&c, " ORDER BY seq LIMIT ?", store_int(wanted));
    struct rows *rows;
    if (!tx_query(tx, c.sql, c.params, c.count, &rows, page->fail)) {
        return false;
    }
    bool ok = true, more = false;
    while (ok && page->bytes < PAGE_BYTES && (more = rows_next(rows, page->fail))) {
        ok = copy_row(page, rows);
    }
    ok = ok && page->fail->code == FAIL_NONE;
    page->end = !more && page->count < wanted;
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
        page->ok = (page->from || find_start(page, log->tx)) && fetch_page(page, log->tx);
        tx_rollback(log->tx); // nothing was changed
    }
    pthread_mutex_unlock(&log->io);
}

bool runlog_read(struct runlog *log, const struct runlog_query *query,
                 void (*row)(void *arg, int64_t sequence, const struct runlog_entry *entry), void *arg, struct fail *fail)
{
    struct page *page = calloc(1, sizeof *page);
    if (!page) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    *page = (struct page){.log = log, .query = query, .fail = fail, .from = query->after > 0 ? query->after + 1 : 0};
    page->left = query->limit < READ_LIMIT_MAX ? query->limit : READ_LIMIT_MAX;
    arena_init(&page->arena, PAGE_BYTES_MAX);
    bool ok = true;
    while (ok && page->left > 0 && !page->end) {
        page->count = 0;
        page->bytes = 0;
        ok = loop_job(read_page, page, fail) && page->ok;
        for (int i = 0; ok && i < page->count; i++) {
            row(arg, page->sequences[i], &page->entries[i]);
            page->from = page->sequences[i] + 1;
            page->left--;
        }
        arena_reset(&page->arena);
    }
    arena_free(&page->arena);
    free(page);
    return ok;
}

// ---- open and close ------------------------------------------------------------------------------------------------------------------

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
