// SPDX-License-Identifier: Apache-2.0
// Watch mode: a served folder is read again when a file in it was saved. A good one is live at once; a broken one says what is wrong and
// leaves the last good version serving.
#include "host/inside.h"

#include <stdlib.h>

enum { SETTLE_MS = 60, STOP_POLL_MS = 10 };

struct watched_folder {
    struct watched_folder *next;
    struct host *host;
    struct host_message message;
    struct loop_watch *watch;
    bool ended; // host closes
    bool busy; // folder_changed is at work
    int64_t changes; // how often something in it was saved; under host.mutex
    char folder[HOST_FOLDER_MAX], namespace[EXT_NAME_MAX]; // the namespace changes under host.mutex
};

// A folder whose namespace was edited is another extension: the one it was stays installed until somebody says otherwise.
static void note_namespace(struct watched_folder *watched, const char *namespace)
{
    char text[HOST_FOLDER_MAX + 4 * EXT_NAME_MAX + 256];
    if (watched->namespace[0] && strcmp(watched->namespace, namespace) != 0) {
        snprintf(text, sizeof text, "%s: the namespace was \"%s\" and is now \"%s\"; the old one stays installed: sluice ext uninstall %s",
                 watched->folder, watched->namespace, namespace, watched->namespace);
        watched->message.line(watched->message.user, LOG_WARN, text);
    }
    pthread_mutex_lock(&watched->host->mutex);
    snprintf(watched->namespace, sizeof watched->namespace, "%s", namespace);
    pthread_mutex_unlock(&watched->host->mutex);
}

static void folder_changed(void *arg)
{
    struct watched_folder *watched = arg;
    char namespace[EXT_NAME_MAX], text[256];
    struct fail fail;
    if (loop_stopping() || watched->ended) {
        return;
    }
    watched->busy = true;
    pthread_mutex_lock(&watched->host->mutex);
    watched->changes++;
    pthread_mutex_unlock(&watched->host->mutex);
    if (host_folder_install(watched->host, watched->folder, false, &watched->message, namespace, &fail)) {
        snprintf(text, sizeof text, "%s: saved files are live", namespace);
        watched->message.line(watched->message.user, LOG_DEBUG, text);
        note_namespace(watched, namespace);
    }
    watched->busy = false;
}

bool watch_folder(struct host *host, const struct host_env *env, struct view namespace, char ret_folder[HOST_FOLDER_MAX])
{
    bool found = false;
    pthread_mutex_lock(&host->mutex);
    for (const struct watched_folder *watched = host->watched; watched && !found; watched = watched->next) {
        found = env->org_number == AUTH_ORG_DEFAULT && !env->sandbox && view_eq_nocase(view_of(watched->namespace), namespace);
        if (found) {
            snprintf(ret_folder, HOST_FOLDER_MAX, "%s", watched->folder);
        }
    }
    pthread_mutex_unlock(&host->mutex);
    return found;
}

const char *watch_at(struct host *host, int index, struct arena *arena, char ret_namespace[EXT_NAME_MAX])
{
    struct view folder = VIEW_NONE;
    pthread_mutex_lock(&host->mutex);
    const struct watched_folder *watched = host->watched;
    while (watched && index-- > 0) {
        watched = watched->next;
    }
    if (watched) {
        folder = arena_copy(arena, view_of(watched->folder));
        snprintf(ret_namespace, EXT_NAME_MAX, "%s", watched->namespace);
    }
    pthread_mutex_unlock(&host->mutex);
    return folder.data;
}

int64_t host_folder_changes(struct host *host, struct view namespace)
{
    int64_t changes = 0;
    pthread_mutex_lock(&host->mutex);
    for (const struct watched_folder *watched = host->watched; watched && !changes; watched = watched->next) {
        changes = view_eq_nocase(view_of(watched->namespace), namespace) ? 1 + watched->changes : 0;
    }
    pthread_mutex_unlock(&host->mutex);
    return changes;
}

bool watch_serves(struct host *host, const struct host_env *env, struct view namespace)
{
    char folder[HOST_FOLDER_MAX];
    return watch_folder(host, env, namespace, folder);
}

bool host_folder_watch(struct host *host, const char *folder, const char *namespace, const struct host_message *message, struct fail *fail)
{
    struct watched_folder *watched = calloc(1, sizeof *watched);
    if (!watched) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    watched->host = host;
    watched->message = *message;
    snprintf(watched->folder, sizeof watched->folder, "%s", folder);
    snprintf(watched->namespace, sizeof watched->namespace, "%s", namespace);
    if (!loop_watch(folder, SETTLE_MS, folder_changed, watched, &watched->watch, fail)) {
        free(watched);
        return false;
    }
    pthread_mutex_lock(&host->mutex);
    watched->next = host->watched;
    host->watched = watched;
    pthread_mutex_unlock(&host->mutex);
    return true;
}

// An installation that a saved file began still uses the folder and the host; it has its time limit, so the wait for it ends.
void watch_stop(struct host *host)
{
    for (struct watched_folder *watched = host->watched; watched; watched = watched->next) {
        watched->ended = true;
    }
    while (host->watched) {
        struct watched_folder *watched = host->watched;
        struct fail fail;
        while (watched->busy && loop_sleep(STOP_POLL_MS, &fail)) {
        }
        pthread_mutex_lock(&host->mutex);
        host->watched = watched->next;
        pthread_mutex_unlock(&host->mutex);
        loop_watch_free(watched->watch);
        free(watched);
    }
}
