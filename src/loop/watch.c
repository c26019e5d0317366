// SPDX-License-Identifier: Apache-2.0
//
// Watching a folder with all that is below it. inotify watches one folder at a time, so a watch holds one libuv handle a folder (hidden
// ones and symbolic links are not entered). Any event starts the settle timer; when things have been quiet for that long, a fiber walks the
// tree as a job, adjusts the handles and calls the function. The walk comes before the call, so what appeared in a new folder before it was
// watched is seen by the call; a walk that found new folders is repeated, because more may have appeared inside them meanwhile.
#include "loop/internal.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    SETTLE_STRETCH = 4, // events that never cease put the call off for at most as many settle times
    WALKS_MAX = 3,
    PATH_BYTES_MAX = 4096,
};

struct folder {
    uv_fs_event_t uv;
    struct loop_watch *watch;
    struct folder *next;
    char path[];
};

struct loop_watch {
    struct loop *loop;
    struct loop_watch *next, *before;
    void (*fn)(void *arg);
    void *arg;
    int64_t settle_ms;
    int64_t first_ms; // when the oldest event not yet told came, 0 = none
    struct loop_timer timer;
    struct folder *folders;
    bool running; // a fiber is walking or in `fn`
    bool again; // something changed meanwhile
    bool freed;
    char root[];
};

// ---- the walk, on a helper thread ---------------------------------------------------------------

struct walk {
    const char *root;
    struct buffer paths; // each ends in NUL; those behind `done` are still to be entered
    int count, depth_left;
    size_t done;
    bool over; // a limit was reached
};

// Some file systems do not tell the type in the listing.
static bool is_folder(const char *path, const struct dirent *entry)
{
    if (entry->d_type != DT_UNKNOWN) {
        return entry->d_type == DT_DIR;
    }
    struct stat info;
    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static void add_path(struct walk *walk, const char *path)
{
    if (walk->count >= LOOP_WATCH_FOLDERS_MAX) {
        walk->over = true;
        return;
    }
    buffer_add(&walk->paths, (struct view){path, strlen(path) + 1});
    walk->count++;
}

// Hidden entries (.git, editors' swap folders) change all the time and hold no source.
static void enter_folder(struct walk *walk, const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) {
        return; // gone again, or not ours to read
    }
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        char child[PATH_BYTES_MAX];
        if (entry->d_name[0] == '.' || snprintf(child, sizeof child, "%s/%s", path, entry->d_name) >= (int)sizeof child) {
            continue;
        }
        if (is_folder(child, entry)) {
            add_path(walk, child);
        }
    }
    closedir(dir);
}

// Breadth first: one round a level, so the depth limit is the number of rounds.
static void walk_tree(void *arg)
{
    struct walk *walk = arg;
    struct stat info;
    if (stat(walk->root, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return;
    }
    add_path(walk, walk->root);
    for (int depth = 0; depth < LOOP_WATCH_DEPTH_MAX && walk->done < walk->paths.len; depth++) {
        size_t level_end = walk->paths.len;
        while (walk->done < level_end) {
            char path[PATH_BYTES_MAX]; // adding moves the buffer
            size_t len = strlen(walk->paths.data + walk->done);
            memcpy(path, walk->paths.data + walk->done, len + 1);
            walk->done += len + 1;
            enter_folder(walk, path);
        }
    }
    walk->over = walk->over || walk->done < walk->paths.len || walk->paths.failed;
}

// ---- handles ------------------------------------------------------------------------------------

// Every event puts the call off, but not for ever.
static void start_settling(struct loop_watch *watch)
{
    int64_t now_ms = loop_now_ms();
    if (watch->running) {
        watch->again = true;
        return;
    }
    if (watch->first_ms == 0) {
        watch->first_ms = now_ms;
    }
    int64_t left_ms = watch->first_ms + watch->settle_ms * SETTLE_STRETCH - now_ms;
    loop_timer_start(&watch->timer, watch->settle_ms < left_ms ? watch->settle_ms : left_ms);
}

static void on_change(uv_fs_event_t *uv, const char *name, int events, int status)
{
    (void)name, (void)events, (void)status; // the walk finds out
    struct folder *folder = uv->data;
    start_settling(folder->watch);
}

static void free_folder(uv_handle_t *handle)
{
    free(handle->data);
}

static void drop_folders(struct folder *folders)
{
    while (folders) {
        struct folder *folder = folders;
        folders = folder->next;
        uv_close((uv_handle_t *)&folder->uv, free_folder);
    }
}

static bool add_folder(struct loop_watch *watch, const char *path)
{
    size_t len = strlen(path) + 1;
    struct folder *folder = malloc(sizeof *folder + len);
    if (!folder) {
        return false;
    }
    memcpy(folder->path, path, len);
    folder->watch = watch;
    uv_fs_event_init(&watch->loop->uv, &folder->uv);
    folder->uv.data = folder;
    if (uv_fs_event_start(&folder->uv, on_change, path, 0) != 0) {
        uv_close((uv_handle_t *)&folder->uv, free_folder);
        return false; // gone, or the kernel's limit of watches
    }
    folder->next = watch->folders;
    watch->folders = folder;
    return true;
}

// Makes the handles agree with the walk; true when folders came. Every handle is made anew, because a folder that was removed and made
// again under its old name is another one to inotify; the old handles go after, so nothing is missed between.
static bool adjust_folders(struct loop_watch *watch, const struct walk *walk)
{
    struct folder *before = watch->folders;
    struct table known;
    table_init(&known, LOOP_WATCH_FOLDERS_MAX, false);
    for (struct folder *folder = before; folder; folder = folder->next) {
        table_put(&known, view_of(folder->path), folder);
    }
    watch->folders = NULL;
    bool came = false;
    for (size_t at = 0; at < walk->paths.len; at += strlen(walk->paths.data + at) + 1) {
        const char *path = walk->paths.data + at;
        came = (add_folder(watch, path) && !table_get(&known, view_of(path))) || came;
    }
    table_free(&known);
    drop_folders(before);
    return came;
}

// False when cancelled.
static bool walk_watch(struct loop_watch *watch)
{
    bool came = true;
    for (int i = 0; i < WALKS_MAX && came && !watch->freed; i++) {
        struct walk walk = {.root = watch->root};
        buffer_init(&walk.paths, (size_t)LOOP_WATCH_FOLDERS_MAX * 256);
        struct fail fail;
        bool walked = loop_job(walk_tree, &walk, &fail);
        if (walked && !watch->freed) {
            came = adjust_folders(watch, &walk);
            if (walk.over) {
                log_line(LOG_WARN, "watch", "folder=%s not all of its sub-folders are watched", watch->root);
            }
        }
        buffer_free(&walk.paths);
        if (!walked) {
            return false;
        }
    }
    return true;
}

static void end_watch(struct loop_watch *watch)
{
    loop_timer_stop(&watch->timer);
    *(watch->before ? &watch->before->next : &watch->loop->watches) = watch->next;
    if (watch->next) {
        watch->next->before = watch->before;
    }
    drop_folders(watch->folders);
    free(watch);
}

// `fn` never runs twice at once: what changes while it runs is told after.
static void tell_watch(void *arg)
{
    struct loop_watch *watch = arg;
    bool was_gone = !watch->folders, walked = walk_watch(watch);
    bool gone = !watch->folders;
    if (walked && !watch->freed && !(was_gone && gone)) {
        watch->fn(watch->arg);
    }
    watch->running = false;
    if (watch->freed) {
        end_watch(watch);
    } else if (watch->again || (walked && gone)) { // a root that is gone tells nothing: look whether it is back
        watch->again = false;
        start_settling(watch);
    }
}

// On the loop's stack; the work needs a fiber, because walking is a job.
static void on_settled(void *arg)
{
    struct loop_watch *watch = arg;
    watch->first_ms = 0;
    watch->running = true;
    struct fail fail;
    if (!loop_spawn(tell_watch, watch, &fail)) {
        watch->running = false;
        start_settling(watch); // the process is full: later
    }
}

// ---- the public side ----------------------------------------------------------------------------

bool loop_watch(const char *folder, int64_t settle_ms, void (*fn)(void *arg), void *arg, struct loop_watch **ret_watch, struct fail *fail)
{
    struct stat info;
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode) || strlen(folder) >= PATH_BYTES_MAX) {
        return fail_set(fail, FAIL_IO, "\"%.400s\" is not a folder that can be watched", folder);
    }
    size_t len = strlen(folder) + 1;
    struct loop_watch *watch = calloc(1, sizeof *watch + len);
    if (!watch) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    memcpy(watch->root, folder, len);
    watch->loop = loop_of_thread;
    watch->fn = fn;
    watch->arg = arg;
    watch->settle_ms = settle_ms > 0 ? settle_ms : 1;
    timer_init(&watch->timer, watch->loop, on_settled, watch);
    watch->next = watch->loop->watches;
    if (watch->next) {
        watch->next->before = watch;
    }
    watch->loop->watches = watch;
    watch->running = true; // no call before the first walk is over
    bool walked = walk_watch(watch);
    watch->running = false;
    if (!walked || !watch->folders) {
        end_watch(watch);
        return fail_set(fail, FAIL_IO, "\"%.400s\" cannot be watched", folder);
    }
    if (watch->again) {
        watch->again = false;
        start_settling(watch);
    }
    *ret_watch = watch;
    return true;
}

// A walk or call under way still uses the watch; its fiber frees it at the end.
void loop_watch_free(struct loop_watch *watch)
{
    if (!watch) {
        return;
    }
    watch->freed = true;
    if (!watch->running) {
        end_watch(watch);
    }
}

void watch_close_all(struct loop *loop)
{
    while (loop->watches) {
        end_watch(loop->watches);
    }
}
