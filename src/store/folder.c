// SPDX-License-Identifier: Apache-2.0
//
// The data folder: made for its owner alone, held by one process through flock on FOLDER/lock, and the one place where the name of an
// environment becomes a path. A name is made of [a-z0-9_-] and single slashes, so it cannot leave the folder.
#include "store/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0700, LOCK_MODE = 0600 };

// What is there already may be a link to a folder elsewhere: the operator put it there, and the way to it is theirs alone.
static bool make_folder(const char *path, struct fail *fail)
{
    if (mkdir(path, FOLDER_MODE) == 0 || errno == EEXIST) {
        return true;
    }
    return fail_set(fail, FAIL_IO, "%s: %s", path, strerror(errno));
}

// A folder that others may enter (made by hand, or unpacked from an archive) is closed to them.
static bool close_to_others(const char *folder, struct fail *fail)
{
    struct stat info;
    if (stat(folder, &info) != 0) {
        return fail_set(fail, FAIL_IO, "%s: %s", folder, strerror(errno));
    }
    if (!S_ISDIR(info.st_mode)) {
        return fail_set(fail, FAIL_IO, "%s: not a folder", folder);
    }
    if ((info.st_mode & 077) && chmod(folder, FOLDER_MODE) != 0) {
        return fail_set(fail, FAIL_IO, "%s: others may enter it, and that cannot be changed: %s", folder, strerror(errno));
    }
    return true;
}

// The lock comes before anything else in the folder is looked at. flock, not a process id in a file: it goes with the process however it
// ends.
bool folder_open(const char *folder, int *ret_lock_fd, struct fail *fail)
{
    if (!make_folder(folder, fail) || !close_to_others(folder, fail)) {
        return false;
    }
    char path[STORE_PATH_MAX];
    if (snprintf(path, sizeof path, "%s/lock", folder) >= (int)sizeof path) {
        return fail_set(fail, FAIL_IO, "%.80s…: the path is too long", folder);
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, LOCK_MODE);
    if (fd < 0) {
        return fail_set(fail, FAIL_IO, "%s: %s", path, strerror(errno));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int reason = errno;
        close(fd);
        if (reason == EWOULDBLOCK) {
            return fail_set(fail, FAIL_LOCKED, "%s: another process holds this data folder", folder);
        }
        return fail_set(fail, FAIL_IO, "%s: %s", path, strerror(reason));
    }
    *ret_lock_fd = fd;
    return true;
}

void folder_close(int lock_fd)
{
    close(lock_fd); // the lock goes with it; the file stays, so that two processes never lock different files
}

bool folder_name_check(const char *name, struct fail *fail)
{
    size_t len = strnlen(name, STORE_NAME_MAX + 1);
    bool good = len > 0 && len <= STORE_NAME_MAX && name[0] != '/' && name[len - 1] != '/' && !strstr(name, "//");
    good = good && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-/") == len;
    return good || fail_set(fail, FAIL_INVALID_DATA, "an environment's name is made of a-z, 0-9, _ and -, in parts divided by /");
}

// The name has passed folder_name_check.
char *folder_file(const char *folder, const char *name, struct fail *fail)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s.db", folder, name) < 0) {
        fail_set(fail, FAIL_MEMORY, NULL);
        return NULL;
    }
    if (strlen(path) >= STORE_PATH_MAX) {
        free(path);
        fail_set(fail, FAIL_IO, "%.80s…: the path is too long", folder);
        return NULL;
    }
    return path;
}

// "FOLDER/orgs/acme/production.db" makes FOLDER/orgs and FOLDER/orgs/acme.
bool folder_make_for(const char *folder, const char *path, struct fail *fail)
{
    char part[STORE_PATH_MAX];
    for (const char *slash = strchr(path + strlen(folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        int len = (int)(slash - path);
        if (snprintf(part, sizeof part, "%.*s", len, path) >= (int)sizeof part) {
            return fail_set(fail, FAIL_IO, "%.80s…: the path is too long", path);
        }
        if (!make_folder(part, fail)) {
            return false;
        }
    }
    return true;
}
