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
    char folder[4096];
};

static void folder_changed(void *arg)
{
    struct watched_folder *watched = arg;
    char namespace[EXT_NAME_MAX], text[256];
    struct fail fail;
    if (loop_stopping() || watched->ended) {
        return;
    }
    watched->busy = true;
    if (host_folder_install(watched->host, watched->folder, true, false, &watched->message, namespace, &fail)) {
        snprintf(text, sizeof text, "%s: saved files are live", namespace);
        watched->message.line(watched->message.user, LOG_DEBUG, text);
    }
    watched->busy = false;
}

bool host_folder_watch(struct host *host, const char *folder, const struct host_message *message, struct fail *fail)
{
    struct watched_folder *watched = calloc(1, sizeof *watched);
    if (!watched) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    watched->host = host;
    watched->message = *message;
    snprintf(watched->folder, sizeof watched->folder, "%s", folder);
    if (!loop_watch(folder, SETTLE_MS, folder_changed, watched, &watched->watch, fail)) {
        free(watched);
        return false;
    }
    watched->next = host->watched;
    host->watched = watched;
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
        host->watched = watched->next;
        loop_watch_free(watched->watch);
        free(watched);
    }
}
