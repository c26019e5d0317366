// SPDX-License-Identifier: Apache-2.0
// The files of an extension before anybody looks into them: read from a folder here, added one by one for a zip or a published version.
// They are copied into memory of their own, so that what was checked is what is installed, whatever happens to the folder meanwhile. Links
// are refused: a folder from a stranger must not be able to name files outside of itself; paths are checked wherever they come from.
#include "ext/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_FIRST = 64, FOLDER_DEPTH_MAX = 10, PATH_BYTES_MAX = 250 };

bool package_fail(struct fail *fail, struct view file, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_set_v(fail, FAIL_INVALID_DATA, format, args);
    va_end(args);
    snprintf(fail->file, sizeof fail->file, "%.*s", VIEW_ARGS(file));
    return false;
}

// ---- the set ------------------------------------------------------------------------------------

struct ext_files *ext_files_new(void)
{
    struct ext_files *files = calloc(1, sizeof *files);
    if (files) {
        arena_init(&files->arena, EXT_PACKAGE_BYTES_MAX + EXT_PACKAGE_BYTES_MAX / 8);
    }
    return files;
}

void ext_files_free(struct ext_files *files)
{
    if (files) {
        arena_free(&files->arena);
        free(files);
    }
}

// Doubles the array in the arena; what it outgrew stays there until the set goes.
static bool make_room(struct ext_files *files, struct view path, struct fail *fail)
{
    int count = files->count;
    if (count == EXT_FILES_MAX + EXT_FILES_MAX / 2) {
        return package_fail(fail, path, "the extension has more than %d files", count);
    }
    if (count == 0 || (count >= FILES_FIRST && (count & (count - 1)) == 0)) {
        size_t room = count ? (size_t)count * 2 : FILES_FIRST;
        struct ext_file *more = arena_alloc(&files->arena, room * sizeof *more);
        if (!more) {
            return package_fail(fail, path, "the extension is larger than %d bytes", EXT_PACKAGE_BYTES_MAX);
        }
        if (count) {
            memcpy(more, files->items, (size_t)count * sizeof *more);
        }
        files->items = more;
    }
    return true;
}

// Takes what lies in the arena already.
static bool take_file(struct ext_files *files, struct view path, struct view bytes, struct fail *fail)
{
    if (!make_room(files, path, fail)) {
        return false;
    }
    files->items[files->count++] = (struct ext_file){path, bytes};
    return true;
}

// Parts of letters, digits and what else file systems agree on; never empty, "." or "..".
bool files_path_valid(struct view path)
{
    if (path.len == 0 || path.len > PATH_BYTES_MAX || path.data[0] == '/' || !utf8_valid(path)) {
        return false;
    }
    for (size_t i = 0; i < path.len; i++) {
        if ((unsigned char)path.data[i] < 0x20 || path.data[i] == '\\' || path.data[i] == 0x7F || path.data[i] == ':') {
            return false;
        }
    }
    for (struct view rest = path; rest.len;) {
        struct view part = view_cut(&rest, '/');
        if (part.len == 0 || view_eq(part, VIEW(".")) || view_eq(part, VIEW(".."))) {
            return false;
        }
    }
    return path.data[path.len - 1] != '/';
}

static bool refuse_path(struct fail *fail, struct view path)
{
    return package_fail(fail, utf8_valid(path) ? path : VIEW("?"),
                        "is no name that every file system takes: UTF-8, at most %d bytes, no \\ and no :", PATH_BYTES_MAX);
}

bool ext_files_add(struct ext_files *files, struct view path, struct view bytes, struct fail *fail)
{
    if (!files_path_valid(path)) {
        return refuse_path(fail, path);
    }
    if (bytes.len > EXT_ASSET_BYTES_MAX) {
        return package_fail(fail, path, "is larger than %d bytes", EXT_ASSET_BYTES_MAX);
    }
    struct view name = arena_copy(&files->arena, path), copy = arena_copy(&files->arena, bytes);
    if (!name.data || !copy.data) {
        return package_fail(fail, path, "the extension is larger than %d bytes", EXT_PACKAGE_BYTES_MAX);
    }
    return take_file(files, name, copy, fail);
}

static int by_path(const void *a, const void *b)
{
    return view_compare(((const struct ext_file *)a)->path, ((const struct ext_file *)b)->path);
}

// Two paths that differ by case alone are one file on other machines.
bool ext_files_sort(struct ext_files *files, struct fail *fail)
{
    struct table seen;
    bool ok = true;
    if (files->count) {
        qsort(files->items, (size_t)files->count, sizeof *files->items, by_path);
    }
    table_init(&seen, (size_t)files->count + 1, true);
    for (int i = 0; ok && i < files->count; i++) {
        struct ext_file *file = &files->items[i];
        const struct ext_file *other = table_get(&seen, file->path);
        ok = !other || package_fail(fail, file->path, "is there twice, also as %.*s (case makes no difference)", VIEW_ARGS(other->path));
        ok = ok && (table_put(&seen, file->path, file) || fail_set(fail, FAIL_MEMORY, NULL));
    }
    table_free(&seen);
    return ok;
}

const struct ext_file *ext_files_find(const struct ext_files *files, struct view path)
{
    const struct ext_file key = {.path = path};
    return files->count ? bsearch(&key, files->items, (size_t)files->count, sizeof *files->items, by_path) : NULL;
}

// ---- what belongs to an extension ---------------------------------------------------------------

static const char *const scripts[] = {".dg", ".deluge", ".ds", NULL}, *const objects[] = {".json", NULL};
static const struct part {
    struct view folder;
    const char *const *endings; // of the files directly in it; NULL: everything below it
} parts[] = {
    {VIEW("functions"), scripts}, {VIEW("install"), scripts}, {VIEW("modules"), objects},    {VIEW("connectors"), objects},
    {VIEW("seed"), objects},      {VIEW("app"), NULL},        {VIEW("crm/functions"), NULL},
};

static bool has_ending(struct view name, const char *const *endings)
{
    for (; endings && *endings; endings++) {
        if (name.len > strlen(*endings) && view_ends(name, view_of(*endings))) {
            return true;
        }
    }
    return !endings;
}

bool ext_file_is_part(struct view path)
{
    if (view_starts(path, VIEW(".")) || view_find(path, VIEW("/.")) >= 0) {
        return false;
    }
    for (size_t i = 0; i < BASE_COUNT(parts); i++) {
        struct view rest = view_from(path, parts[i].folder.len);
        if (view_starts(path, parts[i].folder) && view_starts(rest, VIEW("/"))) {
            rest = view_from(rest, 1);
            return !parts[i].endings || (view_find_char(rest, '/') < 0 && has_ending(rest, parts[i].endings));
        }
    }
    return view_eq(path, VIEW("extension.json"));
}

// ---- lines of errors ----------------------------------------------------------------------------

// Where "word" stands in JSON text, quotes included: first as a value, else as a member's name. SIZE_MAX: nowhere.
static size_t find_word(struct view text, struct view quoted)
{
    size_t name = SIZE_MAX;
    for (size_t at = 0; at < text.len;) {
        ptrdiff_t found = view_find(view_from(text, at), quoted);
        if (found < 0) {
            break;
        }
        at += (size_t)found;
        if (!view_starts(view_trim(view_from(text, at + quoted.len)), VIEW(":"))) {
            return at;
        }
        name = name == SIZE_MAX ? at : name;
        at += quoted.len;
    }
    return name;
}

static void set_place(struct fail *fail, struct view text, size_t at)
{
    fail->line = 1;
    fail->column = 1;
    for (size_t i = 0; i < at; i++) {
        fail->line += text.data[i] == '\n';
        fail->column = text.data[i] == '\n' ? 1 : fail->column + ((text.data[i] & 0xC0) != 0x80);
    }
}

void ext_files_locate(const struct ext_files *files, struct fail *fail)
{
    const struct ext_file *file = ext_files_find(files, view_of(fail->file));
    struct view rest = view_of(fail->text);
    while (file && rest.len) {
        ptrdiff_t open = view_find_char(rest, '"');
        ptrdiff_t close = open < 0 ? -1 : view_find_char(view_from(rest, (size_t)open + 1), '"');
        if (close < 0) {
            return;
        }
        size_t at = find_word(file->bytes, view_slice(rest, (size_t)open, (size_t)close + 2));
        if (at != SIZE_MAX) {
            set_place(fail, file->bytes, at);
            return;
        }
        rest = view_from(rest, (size_t)(open + close) + 2);
    }
}

// ---- a folder -----------------------------------------------------------------------------------

struct folder {
    const char *path;
    struct ext_files *files;
};

static bool read_open_file(struct folder *folder, int fd, struct view path, int bytes_max, struct fail *fail)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        return package_fail(fail, path, "is not a plain file");
    }
    if (info.st_size > bytes_max) {
        return package_fail(fail, path, "is larger than %d bytes", bytes_max);
    }
    size_t size = (size_t)info.st_size, done = 0;
    char *data = arena_alloc(&folder->files->arena, size + 1);
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
    return take_file(folder->files, path, (struct view){data, done}, fail);
}

// Opens part by part below the folder: O_NOFOLLOW looks at the last part of a path only, and a linked folder leads out as well as a linked
// file. The folder itself may be reached over links: the operator named it. -1 with errno.
int files_open_below(const char *folder, struct view path, int kind)
{
    char part[NAME_MAX + 1];
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0 && path.len) {
        struct view name = view_cut(&path, '/');
        if (name.len == 0) {
            continue;
        }
        int len = snprintf(part, sizeof part, "%.*s", VIEW_ARGS(name));
        int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (path.len ? O_DIRECTORY : kind);
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

static bool refuse_open(struct fail *fail, struct view path)
{
    return package_fail(fail, path, "%s", errno == ELOOP ? "is a link; links are not followed" : strerror(errno));
}

// A missing file is none.
static bool read_file(struct folder *folder, struct view path, int bytes_max, struct fail *fail)
{
    int fd = files_open_below(folder->path, path, O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT || errno == ENOTDIR || refuse_open(fail, path);
    }
    bool ok = read_open_file(folder, fd, path, bytes_max, fail);
    close(fd);
    return ok;
}

bool ext_file_read(const char *folder, struct view path, struct arena *arena, struct view *ret_bytes, struct fail *fail)
{
    struct folder source = {.path = folder, .files = ext_files_new()};
    bool ok = source.files && files_path_valid(path) ? read_file(&source, path, EXT_ASSET_BYTES_MAX, fail) : true;
    *ret_bytes = ok && source.files && source.files->count ? arena_copy(arena, source.files->items[0].bytes) : VIEW_NONE;
    ext_files_free(source.files);
    return ok;
}

static bool read_folder(struct folder *folder, struct view path, const char *const *endings, int depth, struct fail *fail);

static bool read_entry(struct folder *folder, struct view path, bool is_folder, const char *const *endings, int depth, struct fail *fail)
{
    if (!files_path_valid(path)) {
        return refuse_path(fail, path);
    }
    if (is_folder && !endings) {
        return depth < FOLDER_DEPTH_MAX ? read_folder(folder, path, endings, depth + 1, fail)
                                        : package_fail(fail, path, "lies deeper than %d folders", FOLDER_DEPTH_MAX);
    }
    return read_file(folder, path, endings ? EXT_FILE_BYTES_MAX : EXT_ASSET_BYTES_MAX, fail);
}

// The folder's files whose names end so; with endings NULL everything below. Recursion is bounded by FOLDER_DEPTH_MAX. Missing: none.
static bool read_folder(struct folder *folder, struct view path, const char *const *endings, int depth, struct fail *fail)
{
    int fd = files_open_below(folder->path, path, O_DIRECTORY), count = 0;
    if (fd < 0) {
        return errno == ENOENT || refuse_open(fail, path);
    }
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(dir));) {
        struct view name = view_of(entry->d_name);
        if (entry->d_name[0] == '.' || !has_ending(name, endings)) {
            continue;
        }
        struct stat info;
        bool is_folder = fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
        struct view below = arena_printf(&folder->files->arena, "%.*s/%.*s", VIEW_ARGS(path), VIEW_ARGS(name));
        ok = count++ < EXT_FILES_MAX || package_fail(fail, path, "has more than %d files", EXT_FILES_MAX);
        ok = ok && (below.data ? read_entry(folder, below, is_folder, endings, depth, fail) : fail_set(fail, FAIL_MEMORY, NULL));
    }
    closedir(dir);
    return ok;
}

// Is it read anyway? With app/ left out, what the manifest names there is not.
static bool is_script_part(struct view path)
{
    return ext_file_is_part(path) && (view_starts(path, VIEW("functions/")) || view_starts(path, VIEW("install/")));
}

static bool is_known(const struct ext_files *files, struct view path)
{
    for (int i = 0; i < files->count; i++) {
        if (view_eq(files->items[i].path, path)) {
            return true;
        }
    }
    return false;
}

// Files of functions that the manifest names elsewhere. What is wrong with the manifest is said when it is parsed.
static bool read_named(struct folder *folder, struct fail *fail)
{
    struct heap heap;
    struct value manifest = value_null();
    struct fail ignored;
    if (folder->files->count == 0) { // the manifest was read first
        return true;
    }
    heap_init(&heap, EXT_PACKAGE_BYTES_MAX, NULL);
    const struct map *map = json_read(&heap, folder->files->items[0].bytes, &manifest, &ignored) ? value_as_map(manifest) : NULL;
    const struct list *functions = map ? value_as_list(map_get_text(map, VIEW("functions"))) : NULL;
    bool ok = true;
    for (uint32_t i = 0; ok && functions && i < functions->count; i++) {
        const struct map *function = value_as_map(functions->items[i]);
        struct view file = function ? value_view_or(map_get_text(function, VIEW("file")), VIEW("")) : VIEW("");
        if (files_path_valid(file) && !is_script_part(file) && !is_known(folder->files, file)) {
            struct view path = arena_copy(&folder->files->arena, file);
            ok = path.data ? read_file(folder, path, EXT_FILE_BYTES_MAX, fail) : fail_set(fail, FAIL_MEMORY, NULL);
        }
    }
    heap_free(&heap);
    return ok;
}

static bool read_all(struct folder *folder, bool all, struct fail *fail)
{
    bool ok = read_file(folder, VIEW("extension.json"), EXT_FILE_BYTES_MAX, fail) && read_named(folder, fail);
    for (size_t i = 0; ok && i < BASE_COUNT(parts); i++) {
        ok = (!parts[i].endings && !all) || read_folder(folder, parts[i].folder, parts[i].endings, 0, fail);
    }
    return ok;
}

bool ext_files_read(const char *path, bool all, struct ext_files **ret_files, struct fail *fail)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return fail_set(fail, FAIL_INVALID_DATA, "%s: %s", path, strerror(errno));
    }
    if (!S_ISDIR(info.st_mode)) {
        return fail_set(fail, FAIL_INVALID_DATA, "%s: is not a folder; an extension is a folder with an extension.json in it", path);
    }
    struct folder folder = {.path = path, .files = ext_files_new()};
    fail_clear(fail);
    if (!folder.files) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!read_all(&folder, all, fail) || !ext_files_sort(folder.files, fail)) {
        ext_files_free(folder.files);
        return false;
    }
    *ret_files = folder.files;
    return true;
}
