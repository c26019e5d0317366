// SPDX-License-Identifier: Apache-2.0
//
// Writing one file of an extension's folder: beside it first, then under its name, so that whoever reads it, and whoever starts again after
// a power cut, finds the old file or the new one and nothing in between. As in reading, links are not followed: a folder from a stranger
// must not be able to have files written outside of itself.
#include "ext/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMPORARY_DIGITS = 12 };

struct place {
    int folder; // descriptor of the folder that the file lies in
    char name[NAME_MAX + 1];
    mode_t mode; // of the file that is there
    bool missing; // the folder is not there
};

static bool fail_place(struct fail *fail, struct view path)
{
    return package_fail(fail, path, "%.*s cannot be written: %s", VIEW_ARGS(path),
                        errno == ELOOP || errno == ENOTDIR ? "links are not followed" : strerror(errno));
}

// "functions/a.dg" → "functions", "a.dg".
static struct view split(struct view path, struct view *ret_name)
{
    size_t at = path.len;
    while (at > 0 && path.data[at - 1] != '/') {
        at--;
    }
    *ret_name = view_from(path, at);
    return view_slice(path, 0, at ? at - 1 : 0);
}

// `make`: folders on the way that are not there. Only one level is ever missing: functions/, install/.
static bool open_place(const char *folder, struct view path, bool make, struct place *place, struct fail *fail)
{
    struct view name, below = split(path, &name);
    struct stat info;
    place->folder = files_open_below(folder, below, O_DIRECTORY);
    if (place->folder < 0 && errno == ENOENT && make && below.len && view_find_char(below, '/') < 0) {
        char part[NAME_MAX + 1];
        int root = files_open_below(folder, VIEW(""), O_DIRECTORY);
        snprintf(part, sizeof part, "%.*s", VIEW_ARGS(below));
        bool made = root >= 0 && mkdirat(root, part, 0777) == 0 && fsync(root) == 0;
        int reason = errno;
        if (root >= 0) {
            close(root);
        }
        errno = reason;
        place->folder = made ? files_open_below(folder, below, O_DIRECTORY) : -1;
    }
    if (place->folder < 0) {
        place->missing = errno == ENOENT;
        return fail_place(fail, path);
    }
    snprintf(place->name, sizeof place->name, "%.*s", VIEW_ARGS(name));
    place->mode = 0;
    if (fstatat(place->folder, place->name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
        if (!S_ISREG(info.st_mode)) {
            close(place->folder);
            return package_fail(fail, path, "%.*s is a link or no plain file; it is not written", VIEW_ARGS(path));
        }
        place->mode = info.st_mode & 0777;
    }
    return true;
}

static bool write_all(int fd, struct view bytes)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t put = write(fd, bytes.data + done, bytes.len - done);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        done += (size_t)put;
    }
    return true;
}

// Hidden, so that neither watching nor reading takes it for a part of the extension.
static bool replace(const struct place *place, struct view bytes)
{
    char digits[TEMPORARY_DIGITS + 1] = "", beside[TEMPORARY_DIGITS + 16];
    random_hex(digits, TEMPORARY_DIGITS);
    snprintf(beside, sizeof beside, ".sluice-%s", digits);
    int fd = openat(place->folder, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) {
        return false;
    }
    bool ok = write_all(fd, bytes) && (!place->mode || fchmod(fd, place->mode) == 0) && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    ok = ok && renameat(place->folder, beside, place->folder, place->name) == 0;
    int reason = errno;
    if (!ok) {
        unlinkat(place->folder, beside, 0);
    }
    errno = reason;
    return ok && fsync(place->folder) == 0;
}

static bool remove_file(const struct place *place)
{
    return (unlinkat(place->folder, place->name, 0) == 0 || errno == ENOENT) && fsync(place->folder) == 0;
}

bool ext_file_write(const char *folder, struct view path, struct view bytes, struct fail *fail)
{
    struct place place = {.missing = false};
    fail_clear(fail);
    if (!files_path_valid(path)) {
        return package_fail(fail, path, "is no name of a file in an extension");
    }
    if (!open_place(folder, path, bytes.data != NULL, &place, fail)) {
        return !bytes.data && place.missing; // what is to go is not there
    }
    bool ok = bytes.data ? replace(&place, bytes) : remove_file(&place);
    ok = ok || fail_place(fail, path);
    close(place.folder);
    return ok;
}

int64_t ext_file_saved_ms(const char *folder, struct view path)
{
    struct stat info;
    int fd = files_path_valid(path) ? files_open_below(folder, path, O_NONBLOCK) : -1;
    bool there = fd >= 0 && fstat(fd, &info) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return there ? (int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000 : 0;
}
