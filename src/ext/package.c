// SPDX-License-Identifier: Apache-2.0
// A package as read from a folder (PRODUCT "An extension on disk"): extension.json, functions/, install/, modules/, seed/. Everything is
// copied into the package's own memory, so that what was checked is what is installed, whatever happens to the folder meanwhile. Links are
// refused: a folder from a stranger must not be able to name files outside of itself.
#include "ext/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool package_fail(struct fail *fail, struct view file, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_set_v(fail, FAIL_INVALID_DATA, format, args);
    va_end(args);
    snprintf(fail->file, sizeof fail->file, "%.*s", VIEW_ARGS(file));
    return false;
}

// ---- files --------------------------------------------------------------------------------------

static bool read_open_file(struct ext_package *package, int fd, struct view path, struct view *ret_text, struct fail *fail)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        return package_fail(fail, path, "is not a plain file");
    }
    if (info.st_size > EXT_FILE_BYTES_MAX) {
        return package_fail(fail, path, "is larger than %d bytes", EXT_FILE_BYTES_MAX);
    }
    size_t size = (size_t)info.st_size, done = 0;
    char *data = arena_alloc(&package->arena, size + 1);
    if (!data) {
        return package_fail(fail, path, "the extension is larger than %d bytes", EXT_PACKAGE_BYTES_MAX);
    }
    while (done < size) {
        ssize_t got = read(fd, data + done, size - done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break; // it became shorter while we read: what is there counts
        }
        done += (size_t)got;
    }
    struct view text = {data, done};
    if (!utf8_valid(text)) {
        return package_fail(fail, path, "is not UTF-8 text");
    }
    *ret_text = text;
    return true;
}

// Opens part by part below the package's folder: O_NOFOLLOW looks at the last part of a path only, and a linked folder leads out as well as a
// linked file. The folder itself may be reached over links: the operator named it. -1 with errno.
static int open_below(const struct ext_package *package, struct view path)
{
    char part[NAME_MAX + 1];
    int fd = open(package->folder.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0 && path.len) {
        struct view name = view_cut(&path, '/');
        if (name.len == 0) {
            continue;
        }
        int len = snprintf(part, sizeof part, "%.*s", VIEW_ARGS(name));
        int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (path.len ? O_DIRECTORY : O_NONBLOCK);
        errno = ENAMETOOLONG;
        int next = len < 0 || (size_t)len >= sizeof part ? -1 : openat(fd, part, flags);
        struct stat info;
        if (next < 0 && errno == ENOTDIR && fstatat(fd, part, &info, AT_SYMLINK_NOFOLLOW) == 0) {
            errno = S_ISLNK(info.st_mode) ? ELOOP : ENOTDIR; // O_DIRECTORY hides which of the two it was
        }
        int reason = errno;
        close(fd);
        errno = reason;
        fd = next;
    }
    return fd;
}

bool package_file(struct ext_package *package, struct view path, struct view *ret_text, struct fail *fail)
{
    int fd = open_below(package, path);
    if (fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            *ret_text = VIEW_NONE;
            return true;
        }
        return package_fail(fail, path, "%s", errno == ELOOP ? "is a link; links are not followed" : strerror(errno));
    }
    bool ok = read_open_file(package, fd, path, ret_text, fail);
    close(fd);
    return ok;
}

static bool has_ending(struct view name, const char *const *endings)
{
    for (; *endings; endings++) {
        if (name.len > strlen(*endings) && view_ends(name, view_of(*endings))) {
            return true;
        }
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    return view_compare(*(const struct view *)a, *(const struct view *)b);
}

// Names of the folder's files, sorted, so that results do not hang on the file system's order.
static bool list_names(struct ext_package *package, DIR *dir, const char *folder, const char *const *endings, struct view *names,
                       int *ret_count, struct fail *fail)
{
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct view name = view_of(entry->d_name);
        if (entry->d_name[0] == '.' || !has_ending(name, endings)) {
            continue;
        }
        if (count == EXT_FILES_MAX) {
            return package_fail(fail, view_of(folder), "has more than %d files", EXT_FILES_MAX);
        }
        names[count] = arena_copy(&package->arena, name);
        if (!names[count++].data) {
            return fail_set(fail, FAIL_MEMORY, NULL);
        }
    }
    qsort(names, (size_t)count, sizeof *names, by_name);
    *ret_count = count;
    return true;
}

bool package_folder(struct ext_package *package, const char *folder, const char *const *endings,
                    bool (*each)(struct ext_package *package, const struct folder_file *file, void *arg, struct fail *fail), void *arg,
                    struct fail *fail)
{
    char full[4096];
    snprintf(full, sizeof full, "%.*s/%s", VIEW_ARGS(package->folder), folder);
    int fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return errno == ENOENT ||
               package_fail(fail, view_of(folder), "%s", errno == ELOOP ? "is a link; links are not followed" : strerror(errno));
    }
    DIR *dir = fdopendir(fd);
    struct view *names = dir ? malloc(EXT_FILES_MAX * sizeof *names) : NULL;
    if (!names) {
        dir ? (void)closedir(dir) : (void)close(fd);
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    int count = 0;
    bool ok = list_names(package, dir, folder, endings, names, &count, fail);
    closedir(dir);
    for (int i = 0; ok && i < count; i++) {
        struct folder_file file = {.path = arena_printf(&package->arena, "%s/%.*s", folder, VIEW_ARGS(names[i]))};
        ok = file.path.data ? package_file(package, file.path, &file.text, fail) : fail_set(fail, FAIL_MEMORY, NULL);
        if (ok && file.text.data) { // it may be gone again
            ok = each(package, &file, arg, fail);
        }
    }
    free(names);
    return ok;
}

// ---- what the folders hold ----------------------------------------------------------------------

// Doubles the array in the arena; what it outgrew stays there until the package goes.
bool package_add_function(struct ext_package *package, const struct ext_function *function, struct fail *fail)
{
    enum { FUNCTIONS_FIRST = 16 };
    int count = package->function_count;
    if (count == EXT_FILES_MAX) {
        return package_fail(fail, function->file, "the extension has more than %d functions", EXT_FILES_MAX);
    }
    if (count == 0 || (count >= FUNCTIONS_FIRST && (count & (count - 1)) == 0)) {
        size_t room = count ? (size_t)count * 2 : FUNCTIONS_FIRST;
        struct ext_function *more = arena_alloc(&package->arena, room * sizeof *more);
        if (!more) {
            return fail_set(fail, FAIL_MEMORY, NULL);
        }
        if (count) {
            memcpy(more, package->functions, (size_t)count * sizeof *more);
        }
        package->functions = more;
    }
    package->functions[package->function_count++] = *function;
    return true;
}

// `arg`: how many functions the manifest describes; they stand first.
static bool add_function(struct ext_package *package, const struct folder_file *file, void *arg, struct fail *fail)
{
    const int *described = arg;
    for (int i = 0; i < *described; i++) {
        if (view_eq(package->functions[i].file, file->path)) {
            package->functions[i].source = file->text;
            return true;
        }
    }
    struct ext_function function = {.file = file->path, .source = file->text, .apikey = true, .oauth = true};
    return package_add_function(package, &function, fail);
}

static bool add_json(struct ext_package *package, const struct folder_file *file, void *arg, struct fail *fail)
{
    struct value item;
    if (!json_read(&package->heap, file->text, &item, fail)) {
        snprintf(fail->file, sizeof fail->file, "%.*s", VIEW_ARGS(file->path));
        return false;
    }
    if (item.type != VALUE_MAP) {
        return package_fail(fail, file->path, "must hold a JSON object");
    }
    struct value *list = arg;
    return list_add(&package->heap, list->list, item) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_actions(struct ext_package *package, struct fail *fail)
{
    package->on_installation_file = VIEW("install/on_installation.dg");
    package->on_update_file = VIEW("install/on_update.dg");
    package->on_uninstallation_file = VIEW("install/on_uninstallation.dg");
    return package_file(package, package->on_installation_file, &package->on_installation, fail) &&
           package_file(package, package->on_update_file, &package->on_update, fail) &&
           package_file(package, package->on_uninstallation_file, &package->on_uninstallation, fail);
}

static bool functions_have_sources(struct ext_package *package, struct fail *fail)
{
    for (int i = 0; i < package->function_count; i++) {
        struct ext_function *function = &package->functions[i];
        if (!function->source.data && !package_file(package, function->file, &function->source, fail)) {
            return false;
        }
        if (!function->source.data) {
            return package_fail(fail, VIEW("extension.json"), "the function \"%.*s\" names the file %.*s, which is not there",
                                VIEW_ARGS(function->api_name), VIEW_ARGS(function->file));
        }
    }
    return true;
}

static bool read_all(struct ext_package *package, struct fail *fail)
{
    static const char *const scripts[] = {".dg", ".deluge", ".ds", NULL}, *const objects[] = {".json", NULL};
    package->modules = value_list(&package->heap, 8);
    package->seeds = value_list(&package->heap, 8);
    if (package->heap.failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!manifest_read(package, fail)) {
        return false;
    }
    int described = package->function_count;
    return package_folder(package, "functions", scripts, add_function, &described, fail) && functions_have_sources(package, fail) &&
           read_actions(package, fail) && package_folder(package, "modules", objects, add_json, &package->modules, fail) &&
           package_folder(package, "seed", objects, add_json, &package->seeds, fail);
}

bool ext_package_read(const char *folder, struct ext_package **ret_package, struct fail *fail)
{
    struct stat info;
    if (stat(folder, &info) != 0) {
        return fail_set(fail, FAIL_INVALID_DATA, "%s: %s", folder, strerror(errno));
    }
    if (!S_ISDIR(info.st_mode)) {
        return fail_set(fail, FAIL_INVALID_DATA, "%s: is not a folder; an extension is a folder with an extension.json in it", folder);
    }
    struct ext_package *package = calloc(1, sizeof *package);
    if (!package) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    arena_init(&package->arena, EXT_PACKAGE_BYTES_MAX);
    heap_init(&package->heap, EXT_PACKAGE_BYTES_MAX, NULL);
    package->folder = arena_copy(&package->arena, view_of(folder));
    if (!read_all(package, fail)) {
        ext_package_free(package);
        return false;
    }
    *ret_package = package;
    return true;
}

void ext_package_free(struct ext_package *package)
{
    if (package) {
        heap_free(&package->heap);
        arena_free(&package->arena);
        free(package);
    }
}

// ---- names --------------------------------------------------------------------------------------

bool ext_name_canonical(struct view name, char *out, size_t out_size, struct view *ret_name)
{
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        size_t need = c == '.' ? 2 : 1;
        if (len + need > out_size) {
            return false;
        }
        out[len++] = c == '.' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        if (c == '.') {
            out[len++] = '_';
        }
    }
    *ret_name = (struct view){out, len};
    return true;
}

bool ext_package_check_names(const struct ext_package *package, struct fail *fail)
{
    struct table seen;
    table_init(&seen, EXT_FILES_MAX, true);
    bool ok = true;
    for (int i = 0; ok && i < package->function_count; i++) {
        const struct ext_function *function = &package->functions[i];
        char name[2 * EXT_NAME_MAX];
        struct view canonical;
        if (!ext_name_canonical(function->api_name, name, sizeof name, &canonical) || canonical.len == 0 || canonical.len > EXT_NAME_MAX) {
            ok = package_fail(fail, function->file, "the function's name must have 1 to %d characters", EXT_NAME_MAX);
        } else if (table_get(&seen, canonical)) {
            const struct ext_function *other = table_get(&seen, canonical);
            ok = package_fail(fail, function->file,
                              "the function \"%.*s\" is already in %.*s (case does not matter, and \".\" equals \"__\")",
                              VIEW_ARGS(function->api_name), VIEW_ARGS(other->file));
        } else if (!table_put(&seen, canonical, (void *)function)) {
            ok = fail_set(fail, FAIL_MEMORY, NULL);
        }
    }
    table_free(&seen);
    return ok;
}
