// SPDX-License-Identifier: Apache-2.0
//
// What the files of store know of each other: the store, its environments, the writer's queue and the pool of readers.
//
// Locks, in the order in which they may be taken: store->lock (the table of environments and every write queue), then a pool's or a
// refresh's. They are held for a few instructions and never over a give-way, a closure or a call of an engine.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "loop/loop.h"
#include "store/engine.h"

enum {
    STORE_NAME_MAX = 120, // bytes of an environment's name
    STORE_PATH_MAX = 4096, // bytes of a file's path, with its NUL
    STORE_ENVS_MAX = 100000, // environments that one process has opened
    STORE_WRITERS_MAX = 4, // threads that run closures; an environment is served by one at a time
    STORE_WRITER_IDLE_S = 10, // a writer thread without work ends after this time
    STORE_WRITER_STACK = 1 << 20,
    STORE_BATCH_MAX = 512, // closures in one COMMIT
    STORE_BATCH_NS = 20000000, // … and the time after which a batch takes no more of them
    STORE_WARM_MAX = 128,       // environments whose connections are open; more only while they are all in use
    STORE_READERS_MAX = 32, // reader connections of an environment
    STORE_POOL_MAX = 64, // connections of one pool, those lent to long reads included
    STORE_SHARED_MAX = 16, // connections of a process to a server
    STORE_ID_BLOCK = 1000, // ids taken at a time; what is left of a block is lost with the process
};

// A fiber that waits in a list for another thread (wait.c); on the fiber's stack.
struct ticket {
    struct loop_event event;
    bool taken; // out of the list: the wake-up will be sent; under the lock of the list
    struct ticket *previous, *next;
};

struct ticket_list {
    struct ticket *first, *last;
};

struct write_job {
    struct ticket ticket; // first
    store_fn *fn;
    void *arg;
    struct fail *fail;
    bool read; // a store_read on a memory environment
    bool blocked; // not on a fiber: waits on store->finished
    bool finished;
    bool ok;
};

// Connections that fibers take in turn (connections.c).
struct connections {
    pthread_mutex_t lock;
    pthread_cond_t freed; // for those that wait without a fiber
    struct tx *free[STORE_POOL_MAX]; // last used on top
    int free_count, open_count, max, blocked;
    int lent; // by how many max has grown for long reads
    struct ticket_list waiters; // of struct borrower
    bool (*connect)(void *owner, struct tx **ret_tx, struct fail *fail); // on a helper thread
    void *owner;
};

// The one look at an environment's version that is under way, and those who asked since it began (shared.c).
struct refresh {
    pthread_mutex_t lock;
    bool running;
    struct ticket_list waiters; // of struct refresh_waiter
};

struct store_env {
    struct store *store;
    char name[STORE_NAME_MAX + 1];
    char *path; // NULL: in memory
    atomic_int_least64_t version;

    // under store->lock
    bool ready; // open and migrated
    bool opening; // by one fiber; the others wait
    struct ticket_list openers;
    struct ticket_list queue; // of struct write_job
    bool scheduled; // in the list of environments with work, or being served
    struct store_env *next_ready;

    struct tx *writer; // of the thread that serves the environment; NULL: closed while nobody used it
    atomic_bool used;  // since the clock's hand passed (warm.c)
    struct store_env *warm_next;

    struct connections readers;
    char *schema; // of a shared engine, NULL in the others
    struct refresh refresh;
};

struct store {
    char *folder; // NULL: in memory
    int lock_fd;
    enum store_sync sync;
    const struct store_engine *engine;
    struct store_images *images; // NULL: every data base is made anew

    pthread_mutex_t lock;
    struct table envs; // name → struct store_env; an environment stays until store_close
    pthread_cond_t work, gone, finished;
    struct store_env *ready_first, *ready_last; // environments with work for a writer thread
    int writer_threads, writers_idle;
    struct store_env *warm_first, *warm_last; // environments whose connections are open
    int warm_count;
    bool closing;

    // of a shared engine
    char *url;
    struct connections pool; // serves every environment
    pthread_mutex_t owner_lock; // of the two below; held over a call of the engine, on helper threads only
    struct tx *owner_tx; // holds `owner` as long as the process lives
    atomic_int_least64_t owner;
    atomic_bool unreachable; // and that has been logged
};

// image.c
struct view image_find(struct store *store, const char *name); // empty if there is none
void image_keep(struct store *store, const char *name, struct tx *tx); // unless there is one

// folder.c
bool folder_open(const char *folder, int *ret_lock_fd, struct fail *fail);
void folder_close(int lock_fd);
bool folder_name_check(const char *name, struct fail *fail);
char *folder_file(const char *folder, const char *name, struct fail *fail); // "FOLDER/NAME.db", malloc'ed
bool folder_make_for(const char *folder, const char *path, struct fail *fail); // the folders between, 0700

// writer.c
bool writer_run(struct store_env *env, store_fn *fn, void *arg, bool read, struct fail *fail);
void writer_release(struct store_env *env); // gives up the right to serve it, taken by setting `scheduled`
void writer_stop(struct store *store); // all queues are empty; waits until the threads have ended

// warm.c
void warm_add(struct store_env *env); // its writer is open; may close other environments: not on a loop
bool warm_open(struct store_env *env, struct fail *fail);
static inline void warm_touch(struct store_env *env)
{
    if (!atomic_load_explicit(&env->used, memory_order_relaxed)) { // reading does not take the cache line from the other threads
        atomic_store_explicit(&env->used, true, memory_order_relaxed);
    }
}

// reader.c
void reader_pool_init(struct store_env *env);

// connections.c
void connections_init(struct connections *pool, int max, bool (*connect)(void *owner, struct tx **ret_tx, struct fail *fail), void *owner);
void connections_free(struct connections *pool); // nobody has a connection out
// First come, first served. Gives way; off the loops it blocks.
bool connections_take(struct connections *pool, struct tx **ret_tx, struct fail *fail);
void connections_give(struct connections *pool, struct tx *tx);
void connections_drop(struct connections *pool, struct tx *tx); // closes it instead
// The caller's connection is lent for a long time: others may open one more in its place, as far as STORE_POOL_MAX goes.
void connections_lend(struct connections *pool);
void connections_return(struct connections *pool, struct tx *tx); // gives such a one back; the pool shrinks again
int connections_empty(struct connections *pool, struct tx *ret_txs[STORE_POOL_MAX], bool *ret_idle); // takes all out when none is in use

// shared.c
static inline bool store_shared(const struct store *store) { return store->url != NULL; }
void shared_init(struct store *store);
void shared_free(struct store *store);
bool shared_env_connect(struct store_env *env, bool make, const struct store_migration *migrations, void *arg, int64_t *ret_version,
                        struct fail *fail); // on a helper thread
bool shared_write(struct store_env *env, store_fn *fn, void *arg, struct fail *fail);
bool shared_read(struct store_env *env, store_fn *fn, void *arg, struct fail *fail);

// wait.c
void ticket_init(struct ticket *ticket);
void ticket_push(struct ticket_list *list, struct ticket *ticket);
void ticket_remove(struct ticket_list *list, struct ticket *ticket);
struct ticket *ticket_pop(struct ticket_list *list); // NULL when empty; the ticket counts as taken
// Until the wake-up. False when the fiber was cancelled before anybody took the ticket: then it is out of the list, which `lock` guards.
bool ticket_wait(struct ticket *ticket, struct ticket_list *list, pthread_mutex_t *lock, struct fail *fail);

// tx.c
bool tx_begin(struct tx *tx, struct fail *fail);
bool tx_commit(struct tx *tx, struct fail *fail);
void tx_rollback(struct tx *tx);
// Runs a closure in a savepoint of its own: false rolls back what it did, and only that.
bool tx_run(struct tx *tx, store_fn *fn, void *arg, struct fail *fail);
// The same inside a closure, whose open queries stay.
bool tx_run_nested(struct tx *tx, store_fn *fn, void *arg, struct fail *fail);

// migrate.c
bool migrate_run(struct tx *tx, const char *where, const struct store_migration *migrations, void *arg, int64_t *ret_version,
                 struct fail *fail);

// journal.c
bool journal_undo_all(struct tx *tx, struct fail *fail); // what a dead process has left
