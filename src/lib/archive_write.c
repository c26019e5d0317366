// SPDX-License-Identifier: Apache-2.0
//
// compress: a zip archive of files. What goes in is listed first, so that names are checked and the memory is known; then libzip packs
// from the files' own bytes into a buffer of its own, on a helper thread unless it is little.
#include "lib/archive.h"

enum {
    FOLDER_DEPTH_MAX = 32,
    SLOW_BYTES = 64 * 1024, // together: packing takes some 20 ns a byte
    READ_BYTES = 64 * 1024,
    LIBRARY_BYTES = 512 * 1024, // of libzip and its deflate while they work
};

struct packed {
    const char *path; // in the run's heap
    struct view bytes; // the file's own
};

struct packing {
    struct native_call *call;
    const struct archive_library *library;
    struct packed *entries;
    size_t count;
    uint64_t bytes; // of all entries
    struct buffer out;
    bool ok;
};

// ---- what goes in -------------------------------------------------------------------------------

static bool add_file(struct packing *packing, struct view folder, struct view name, const struct file *file)
{
    struct native_call *call = packing->call;
    if (packing->count == ARCHIVE_ENTRIES_MAX) {
        return native_fail(call, "an archive can have no more than %d files", ARCHIVE_ENTRIES_MAX);
    }
    char *path = heap_alloc(call->heap, folder.len + name.len + 1);
    if (path == NULL) {
        return lib_memory_fail(call);
    }
    memcpy(path, folder.data, folder.len);
    memcpy(path + folder.len, name.data, name.len);
    path[folder.len + name.len] = '\0';
    struct view whole = {path, folder.len + name.len};
    if (!archive_name_safe(whole) || view_ends(whole, VIEW("/"))) {
        return native_fail(call, "'%.100s' cannot be the name of a file in an archive", path);
    }
    packing->entries[packing->count++] = (struct packed){path, file->bytes};
    packing->bytes += file->bytes.len;
    return true;
}

static bool fail_content(struct native_call *call, struct value v)
{
    return native_fail(call, "an archive is made of files, not of %s", value_type_name(v));
}

// A map is a folder. Recursive, to FOLDER_DEPTH_MAX; folders without files leave no trace.
static bool add_folder(struct packing *packing, struct view folder, const struct map *map, int depth)
{
    struct native_call *call = packing->call;
    if (depth > FOLDER_DEPTH_MAX) {
        return native_fail(call, "the folders of an archive are nested deeper than %d levels", FOLDER_DEPTH_MAX);
    }
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(map, &cursor)) != NULL;) {
        struct value key = value_to_text(call->heap, entry->key, call->fail), v = value_resolve(entry->value);
        const struct map *inner = value_as_map(v);
        if (key.type != VALUE_TEXT) {
            return call->heap->failed ? lib_memory_fail(call) : false;
        }
        if (lib_interrupted(call)) {
            return false;
        }
        if (v.type == VALUE_FILE) {
            if (!add_file(packing, folder, value_view(key), v.file)) {
                return false;
            }
            continue;
        }
        if (inner == NULL) {
            return fail_content(call, v);
        }
        struct value path = value_text_printf(call->heap, "%.*s%.*s/", VIEW_ARGS(folder), VIEW_ARGS(value_view(key)));
        if (path.type != VALUE_TEXT) {
            return lib_memory_fail(call);
        }
        if (!add_folder(packing, value_view(path), inner, depth + 1)) {
            return false;
        }
    }
    return true;
}

static bool add_all(struct packing *packing)
{
    struct value v = value_resolve(packing->call->args[0]);
    const struct list *list = value_as_list(v);
    const struct map *map = value_as_map(v);
    if (v.type == VALUE_FILE) {
        return add_file(packing, VIEW(""), value_view_or(v.file->name, VIEW("file")), v.file);
    }
    if (map != NULL) {
        return add_folder(packing, VIEW(""), map, 0);
    }
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        struct value item = list->items[i];
        if (item.type != VALUE_FILE) {
            return fail_content(packing->call, item);
        }
        if (!add_file(packing, VIEW(""), value_view_or(item.file->name, VIEW("file")), item.file)) {
            return false;
        }
    }
    return true;
}

// ---- packing ------------------------------------------------------------------------------------

static int is_cancelled(zip_t *archive, void *arg)
{
    const struct packing *packing = arg;
    (void)archive;
    return packing->call->interrupt != NULL && *packing->call->interrupt != 0;
}

static bool fill_archive(struct packing *packing, zip_t *archive)
{
    const struct archive_library *library = packing->library;
    for (size_t i = 0; i < packing->count; i++) {
        const struct packed *entry = &packing->entries[i];
        zip_source_t *source = library->zip_source_buffer(archive, entry->bytes.data, entry->bytes.len, 0);
        if (source == NULL) {
            return lib_memory_fail(packing->call);
        }
        if (library->zip_file_add(archive, entry->path, source, ZIP_FL_ENC_UTF_8) < 0) {
            bool twice = library->zip_error_code_zip(library->zip_get_error(archive)) == ZIP_ER_EXISTS;
            library->zip_source_free(source);
            return twice ? native_fail(packing->call, "two files of the archive have the name '%.100s'", entry->path)
                         : lib_memory_fail(packing->call);
        }
    }
    library->zip_register_cancel_callback_with_state(archive, is_cancelled, NULL, packing);
    return true;
}

static bool read_archive(struct packing *packing, zip_source_t *source)
{
    const struct archive_library *library = packing->library;
    if (library->zip_source_open(source) != 0) {
        return native_fail(packing->call, "the archive could not be made");
    }
    int64_t got = 1;
    while (got > 0) {
        char *space = buffer_space(&packing->out, READ_BYTES);
        got = space == NULL ? -1 : library->zip_source_read(source, space, READ_BYTES);
        packing->out.len += got > 0 ? (size_t)got : 0;
    }
    library->zip_source_close(source);
    return got == 0 || lib_memory_fail(packing->call);
}

// libzip packs when it closes. `source` is what it writes to.
static bool pack(struct packing *packing, zip_source_t *source, zip_t *archive)
{
    const struct archive_library *library = packing->library;
    if (!fill_archive(packing, archive)) {
        library->zip_discard(archive);
        return false;
    }
    if (library->zip_close(archive) != 0) {
        bool cancelled = lib_interrupted(packing->call);
        library->zip_discard(archive);
        return !cancelled && native_fail(packing->call, "the archive could not be made");
    }
    return read_archive(packing, source);
}

static void run_packing(void *arg)
{
    struct packing *packing = arg;
    const struct archive_library *library = packing->library = archive_library(packing->call->fail);
    zip_error_t error;
    if (library == NULL) {
        return;
    }
    library->zip_error_init(&error);
    zip_source_t *source = library->zip_source_buffer_create(NULL, 0, 0, &error);
    zip_t *archive = source == NULL ? NULL : library->zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &error);
    if (archive != NULL) {
        library->zip_source_keep(source); // closing the archive lets go of it
        packing->ok = pack(packing, source, archive);
    } else {
        lib_memory_fail(packing->call);
    }
    library->zip_source_free(source);
    library->zip_error_fini(&error);
}

// ---- the native ---------------------------------------------------------------------------------

// The name asked for, else that of the one file or of the first one, with .zip behind it.
static bool archive_name(const struct packing *packing, struct value *ret_name)
{
    struct native_call *call = packing->call;
    struct view name = view_of(packing->entries[0].path);
    if (call->count > 1 && !arg_text(call, 1, &name)) {
        return false;
    }
    bool named = name.len > 4 && view_eq_nocase(view_from(name, name.len - 4), VIEW(".zip"));
    *ret_name = value_text_printf(call->heap, "%.*s%s", VIEW_ARGS(name), named ? "" : ".zip");
    return ret_name->type == VALUE_TEXT || lib_memory_fail(call);
}

static bool return_archive(struct packing *packing)
{
    struct native_call *call = packing->call;
    struct value name;
    if (!archive_name(packing, &name)) {
        return false;
    }
    struct value file = value_file(call->heap, buffer_view(&packing->out), value_view(name), VIEW("application/zip"));
    return file.type == VALUE_FILE ? lib_return(call, file) : lib_memory_fail(call);
}

// libzip holds what it packed until it is read, which is no more than went in and a little for each entry.
bool archive_compress(struct native_call *call)
{
    struct packing packing = {.call = call};
    packing.entries = heap_alloc(call->heap, ARCHIVE_ENTRIES_MAX * sizeof(*packing.entries));
    if (packing.entries == NULL) {
        return lib_memory_fail(call);
    }
    if (!add_all(&packing)) {
        return false;
    }
    if (packing.count == 0) {
        return native_fail(call, "there is no file to compress");
    }
    uint64_t bytes = packing.bytes + LIBRARY_BYTES;
    if (bytes > call->heap->bytes_max || !heap_charge(call->heap, (size_t)bytes)) {
        return lib_memory_fail(call);
    }
    lib_buffer(call, &packing.out);
    lib_cost_bytes(call, (size_t)packing.bytes * 16);
    bool ran = foreign_run(call, run_packing, &packing, packing.bytes > SLOW_BYTES);
    call->heap->bytes -= (size_t)bytes;
    bool ok = ran && packing.ok && return_archive(&packing);
    buffer_free(&packing.out);
    return ok;
}

bool lib_archive_compress(struct heap *heap, struct value files, struct view *ret_zip, struct fail *fail)
{
    struct value result = value_null();
    struct native_call call = {.heap = heap, .args = &files, .count = 1, .ret = &result, .fail = fail};
    if (!archive_compress(&call) || result.type != VALUE_FILE) {
        return fail->code != FAIL_NONE ? false : fail_set(fail, FAIL_MEMORY, NULL);
    }
    *ret_zip = result.file->bytes;
    return true;
}
