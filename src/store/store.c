// SPDX-License-Identifier: Apache-2.0
//
// The store and its environments: opening a data folder, finding an environment or opening it once however many fibers ask, closing
// everything. Opening and migrating an environment is a job on a helper thread; the writer's connection that did it stays the environment's
// writer. Readers are opened when the first read comes (reader.c), threads when the first write comes (writer.c), so a process that starts
// pays for neither.
#include "store/inside.h"

#include <stdlib.h>
#include <time.h>

// ---- the data folder ----------------------------------------------------------------------------

// Threads wait for work with a time limit, which must not jump with the wall clock.
static void init_store(struct store *store)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&store->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&store->gone, NULL);
    pthread_cond_init(&store->finished, NULL);
    pthread_mutex_init(&store->lock, NULL);
    table_init(&store->envs, STORE_ENVS_MAX, false);
}

static bool open_store(const char *folder, const char *url, enum store_sync sync, struct store **ret_store, struct fail *fail)
{
    struct store *store = calloc(1, sizeof *store);
    char *copy = folder ? strdup(folder) : NULL, *server = url ? strdup(url) : NULL;
    if (!store || (folder && !copy) || (url && !server)) {
        free(store);
        free(copy);
        free(server);
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    // Nothing of the folder is read yet: an environment is opened when the first call needs it.
    *store = (struct store){.folder = copy, .lock_fd = -1, .sync = sync, .url = server};
    store->engine = url ? &engine_postgres : &engine_sqlite;
    if (folder && !folder_open(folder, &store->lock_fd, fail)) {
        free(copy);
        free(server);
        free(store);
        return false;
    }
    init_store(store);
    if (url) {
        shared_init(store);
    }
    *ret_store = store;
    return true;
}

bool store_open(const char *folder, enum store_sync sync, struct store **ret_store, struct fail *fail)
{
    return open_store(folder, NULL, sync, ret_store, fail);
}

bool store_open_shared(const char *folder, const char *url, enum store_sync sync, struct store **ret_store, struct fail *fail)
{
    struct view text = view_of(url);
    if (!view_starts(text, VIEW("postgres://")) && !view_starts(text, VIEW("postgresql://"))) {
        return fail_set(fail, FAIL_INVALID_DATA, "a shared store is named by a URL: postgres://USER@HOST/DATABASE");
    }
    return open_store(folder, url, sync, ret_store, fail);
}

bool store_is_shared(const struct store *store)
{
    return store_shared(store);
}

const char *store_folder(const struct store *store)
{
    return store->folder;
}

// Closing a writer moves the whole log into the file, so a folder of a process that ended in order holds no logs.
static void free_env(struct store_env *env)
{
    connections_free(&env->readers);
    if (env->writer) {
        env->writer->engine->close(env->writer); // after the readers: the last connection checkpoints and removes the log
    }
    pthread_mutex_destroy(&env->refresh.lock);
    free(env->schema);
    free(env->path);
    free(env);
}

// The threads first: they finish what is queued, and nobody else may touch a connection after them.
void store_close(struct store *store)
{
    if (!store) {
        return;
    }
    writer_stop(store);
    size_t cursor = 0;
    struct view name;
    void *env;
    while (table_next(&store->envs, &cursor, &name, &env)) {
        free_env(env);
    }
    table_free(&store->envs);
    if (store_shared(store)) {
        shared_free(store);
    }
    pthread_mutex_destroy(&store->lock);
    pthread_cond_destroy(&store->work);
    pthread_cond_destroy(&store->gone);
    pthread_cond_destroy(&store->finished);
    if (store->folder) {
        folder_close(store->lock_fd);
    }
    free(store->folder);
    free(store);
}

// ---- environments -------------------------------------------------------------------------------

const char *store_env_name(const struct store_env *env)
{
    return env->name;
}

bool store_env_shared(const struct store_env *env)
{
    return store_shared(env->store);
}

int64_t store_env_version(const struct store_env *env)
{
    return atomic_load_explicit(&env->version, memory_order_acquire);
}

// Takes the name and the path; no file is touched before the job that opens it.
static bool new_env(struct store *store, const char *name, struct store_env **ret_env, struct fail *fail)
{
    struct store_env *env = calloc(1, sizeof *env);
    if (!env) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    env->store = store;
    snprintf(env->name, sizeof env->name, "%s", name);
    bool file = store->folder && !store_shared(store);
    if (file && !(env->path = folder_file(store->folder, name, fail))) {
        free(env);
        return false;
    }
    if (store_shared(store) && !(env->schema = strdup(name))) {
        free(env);
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    pthread_mutex_init(&env->refresh.lock, NULL);
    reader_pool_init(env);
    *ret_env = env;
    return true;
}

// The environment's place in the table, ready or not. Holds the lock.
static bool find_env(struct store *store, const char *name, struct store_env **ret_env, struct fail *fail)
{
    struct store_env *env = table_get(&store->envs, view_of(name));
    if (!env) {
        if (!new_env(store, name, &env, fail)) {
            return false;
        }
        if (!table_put(&store->envs, view_of(name), env)) {
            free_env(env);
            return fail_set(fail, FAIL_FULL, "more than %d environments are open", STORE_ENVS_MAX);
        }
    }
    *ret_env = env;
    return true;
}

// One opening, on the stack of the fiber that does it.
struct open_env {
    struct store_env *env;
    bool make;
    const struct store_migration *migrations;
    void *migration_arg;
    struct fail *fail;
    bool ok;
};

// On a helper thread. Anything that fails closes the file again, so that a later attempt starts anew.
static bool connect_env(struct open_env *call, int64_t *ret_version)
{
    struct store_env *env = call->env;
    const struct store *store = env->store;
    const struct engine_place place = {
        .path = env->path, .make = call->make, .image = env->path ? VIEW("") : image_find(env->store, env->name)};
    if (store_shared(store)) {
        return shared_env_connect(env, call->make, call->migrations, call->migration_arg, ret_version, call->fail);
    }
    if (!env->path && !call->make) {
        return fail_set(call->fail, FAIL_NOT_FOUND, "there is no environment %s", env->name);
    }
    if (env->path && call->make && !folder_make_for(store->folder, env->path, call->fail)) {
        return false;
    }
    struct tx *tx;
    if (!store->engine->open(&place, ENGINE_WRITER, &tx, call->fail)) {
        return false;
    }
    if (!migrate_run(tx, env->path ? env->path : env->name, call->migrations, call->migration_arg, ret_version, call->fail) ||
        (store->sync == STORE_SYNC_FULL && !store->engine->durable(tx, call->fail))) {
        store->engine->close(tx);
        return false;
    }
    if (!env->path) {
        image_keep(env->store, env->name, tx);
    }
    env->writer = tx;
    warm_add(env);
    return true;
}

// The version is there before `ready` says so under the lock.
static void open_in_job(void *arg)
{
    struct open_env *call = arg;
    int64_t version = 0;
    call->ok = connect_env(call, &version);
    if (call->ok) {
        atomic_store(&call->env->version, version);
    }
}

// By the one fiber that has set `opening`. Those that wait look again, whatever came of it.
static bool open_alone(struct open_env *call)
{
    struct store_env *env = call->env;
    struct store *store = env->store;
    struct fail fail = {0};
    bool ran = loop_job(open_in_job, call, &fail);
    if (!ran && !call->ok) {
        *call->fail = fail;
    }
    pthread_mutex_lock(&store->lock);
    struct ticket_list telling = env->openers;
    env->openers = (struct ticket_list){NULL, NULL};
    env->ready = call->ok;
    env->opening = false;
    for (struct ticket *ticket = telling.first; ticket; ticket = ticket->next) {
        ticket->taken = true;
    }
    bool forget = !call->ok && !telling.first; // nobody holds a pointer to it
    if (forget) {
        table_remove(&store->envs, view_of(env->name));
    }
    pthread_mutex_unlock(&store->lock);
    for (struct ticket *ticket = telling.first; ticket;) {
        struct ticket *next = ticket->next;
        loop_event_set_from(&ticket->event);
        ticket = next;
    }
    bool ok = call->ok;
    if (forget) {
        free_env(env);
    }
    return ok;
}

bool store_env_open(struct store *store, const char *name, bool make, const struct store_migration *migrations, void *migration_arg,
                    struct store_env **ret_env, struct fail *fail)
{
    if (!folder_name_check(name, fail)) {
        return false;
    }
    for (;;) {
        struct store_env *env = NULL;
        struct ticket ticket;
        pthread_mutex_lock(&store->lock);
        bool ok = find_env(store, name, &env, fail);
        bool ready = ok && env->ready, alone = ok && !ready && !env->opening;
        if (alone) {
            env->opening = true;
        } else if (ok && !ready) {
            ticket_init(&ticket);
            ticket_push(&env->openers, &ticket);
        }
        pthread_mutex_unlock(&store->lock);
        if (!ok) {
            return false;
        }
        if (alone) {
            struct open_env call = {.env = env, .make = make, .migrations = migrations, .migration_arg = migration_arg, .fail = fail};
            ready = open_alone(&call);
            if (!ready) {
                return false;
            }
        }
        if (ready) {
            *ret_env = env;
            return true;
        }
        if (!ticket_wait(&ticket, &env->openers, &store->lock, fail)) {
            return false;
        }
    }
}
