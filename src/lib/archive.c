// SPDX-License-Identifier: Apache-2.0
//
// extract: the files of a zip archive (compress stands in archive_write.c). Archives come from anywhere, so what they say of themselves is
// checked before anything is unpacked: how many entries, how large together, which names, which method. What is then read may be no more
// than was said. libzip works from memory to memory, on a helper thread unless the archive is tiny.
//
// As documented, a file that is no zip, or an empty one, gives an empty collection (spec/deluge-builtins.md §8).
#include "lib/archive.h"

enum {
    SLOW_BYTES = 8 * 1024, // a larger archive may hold a megabyte: a helper thread's work
    SMALL_BYTES = 1 << 20, // contents that are never too much, however small the archive: a table of blanks packs a thousand to one
    READ_BYTES = 64 * 1024, // between two looks at the interrupt
    END_BYTES = 22, // of the record at the end of an archive; a comment of 64 kB may follow
    COMMENT_BYTES_MAX = 65535,
    LOCATOR_BYTES = 20, // of the zip64 locator before it
    ENTRY_BYTES = 512, // of libzip's memory for an entry
};

struct extraction {
    struct native_call *call;
    const struct archive_library *library;
    const struct file *file;
    const char *password; // NULL = none
    struct map *files; // of the run's heap, which nobody else touches meanwhile
    bool strict; // a package: names are UTF-8 and there once, links are refused
    size_t bytes_max; // of a package
    bool ok;
};

// ---- the record at the end ----------------------------------------------------------------------

// libzip reads the whole directory when it opens an archive. How long that is, the end of the archive says; where it seems to say so more
// than once, each must be acceptable.
static bool check_end(struct native_call *call, struct view bytes, bool *ret_zip)
{
    size_t last = bytes.len < END_BYTES ? 0 : bytes.len - END_BYTES + 1;
    size_t first =
        bytes.len > END_BYTES + COMMENT_BYTES_MAX + LOCATOR_BYTES ? bytes.len - END_BYTES - COMMENT_BYTES_MAX - LOCATOR_BYTES : 0;
    *ret_zip = false;
    for (size_t i = first; i < last; i++) {
        const unsigned char *at = (const unsigned char *)bytes.data + i;
        if (memcmp(at, "PK\6\7", 4) == 0) {
            return native_fail(call, "zip64 archives cannot be extracted");
        }
        if (memcmp(at, "PK\5\6", 4) != 0) {
            continue;
        }
        unsigned here = at[8] | (unsigned)at[9] << 8, total = at[10] | (unsigned)at[11] << 8;
        if (here > ARCHIVE_ENTRIES_MAX || total > ARCHIVE_ENTRIES_MAX) {
            return native_fail(call, "the archive has more than %d entries", ARCHIVE_ENTRIES_MAX);
        }
        *ret_zip = true;
    }
    return true;
}

// ---- entries ------------------------------------------------------------------------------------

static bool encryption_known(int method)
{
    bool aes = method == ZIP_EM_AES_128 || method == ZIP_EM_AES_192 || method == ZIP_EM_AES_256;
    return method == ZIP_EM_NONE || method == ZIP_EM_TRAD_PKWARE || aes;
}

// A link leads where its content says, or nowhere: it is no file of a package.
static bool check_strict(struct extraction *extraction, zip_t *archive, const zip_stat_t *stat)
{
    enum { UNIX_MODE_SHIFT = 16, UNIX_TYPE = 0170000, UNIX_FILE = 0100000, UNIX_FOLDER = 0040000 };
    struct native_call *call = extraction->call;
    zip_uint8_t system;
    zip_uint32_t attributes;
    if (!utf8_valid(view_of(stat->name))) {
        return native_fail(call, "the archive holds a name that is not UTF-8");
    }
    // The mode stands there whichever Unix it was made on; other systems leave it empty.
    if (extraction->library->zip_file_get_external_attributes(archive, stat->index, 0, &system, &attributes) == 0) {
        unsigned type = (unsigned)(attributes >> UNIX_MODE_SHIFT) & UNIX_TYPE;
        if (type != 0 && type != UNIX_FILE && type != UNIX_FOLDER) {
            return native_fail(call, "'%.100s' in the archive is a link or a device; only files are taken", stat->name);
        }
    }
    return true;
}

// What an entry says of itself. libzip leaves out what it does not know.
static bool check_entry(struct extraction *extraction, const zip_stat_t *stat, uint64_t *total_bytes)
{
    struct native_call *call = extraction->call;
    enum { NEEDED = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD };
    if ((stat->valid & NEEDED) != NEEDED) {
        return native_fail(call, "the archive is damaged");
    }
    struct view name = view_of(stat->name);
    if (!archive_name_safe(name)) {
        return native_fail(call, "the archive holds a file with the name '%.100s', which is not allowed", stat->name);
    }
    if (stat->comp_method != ZIP_CM_STORE && stat->comp_method != ZIP_CM_DEFLATE) {
        return native_fail(call, "'%.100s' is compressed in a way that cannot be read", stat->name);
    }
    if (!encryption_known(stat->encryption_method)) { // libzip would lose memory over it
        return native_fail(call, "'%.100s' is encrypted in a way that cannot be read", stat->name);
    }
    if (stat->encryption_method != ZIP_EM_NONE && extraction->password == NULL) {
        return native_fail(call, "the archive is protected with a password: setFilePassword comes first");
    }
    // Entries may share their compressed bytes, so that only the sum says how much comes out of how little.
    uint64_t most = (uint64_t)extraction->file->bytes.len * ARCHIVE_RATIO_MAX;
    most = most < SMALL_BYTES ? SMALL_BYTES : most;
    if (stat->size > most || *total_bytes > most - stat->size) {
        return native_fail(call, "the contents of the archive are more than %d times as large as the archive", ARCHIVE_RATIO_MAX);
    }
    *total_bytes += stat->size;
    return true;
}

static bool fail_read(struct extraction *extraction, zip_t *archive, const char *name)
{
    int code = extraction->library->zip_error_code_zip(extraction->library->zip_get_error(archive));
    bool password = code == ZIP_ER_WRONGPASSWD || code == ZIP_ER_NOPASSWD;
    return native_fail(extraction->call, password ? "the password of '%.100s' is another one" : "'%.100s' cannot be read from the archive",
                       name);
}

// Reads as much as was said and the end behind it, which is where libzip compares the checksum.
static bool read_content(struct extraction *extraction, zip_file_t *entry, const zip_stat_t *stat, struct buffer *out)
{
    struct native_call *call = extraction->call;
    for (;;) {
        char *space = buffer_space(out, READ_BYTES);
        if (space == NULL) {
            return lib_memory_fail(call);
        }
        int64_t got = extraction->library->zip_fread(entry, space, READ_BYTES);
        if (lib_interrupted(call)) {
            return false;
        }
        if (got < 0 || (uint64_t)got > stat->size - out->len || (got == 0 && out->len != stat->size)) {
            return native_fail(call, "'%.100s' in the archive is damaged", stat->name);
        }
        if (got == 0) {
            return true;
        }
        out->len += (size_t)got;
    }
}

static bool put_file(struct extraction *extraction, struct view name, struct view bytes)
{
    struct heap *heap = extraction->call->heap;
    struct view base = name;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '/' || name.data[i] == '\\') {
            base = view_from(name, i + 1);
        }
    }
    struct value file = value_file(heap, bytes, base, lib_file_type(base));
    if (extraction->strict && !value_is_null(map_get_text(extraction->files, name))) {
        return native_fail(extraction->call, "'%.*s' is in the archive twice", VIEW_ARGS(name));
    }
    bool put = file.type == VALUE_FILE && map_put_text(heap, extraction->files, name, file);
    return put || lib_memory_fail(extraction->call);
}

// Of two entries of one name the later one stays, as when they are unpacked in turn.
static bool extract_entry(struct extraction *extraction, zip_t *archive, const zip_stat_t *stat)
{
    struct native_call *call = extraction->call;
    struct buffer content;
    if (view_ends(view_of(stat->name), VIEW("/"))) {
        return true; // a folder
    }
    zip_file_t *entry = extraction->library->zip_fopen_index_encrypted(archive, stat->index, 0, extraction->password);
    if (entry == NULL) {
        return fail_read(extraction, archive, stat->name);
    }
    buffer_init(&content, call->heap->bytes_max + READ_BYTES);
    bool ok = read_content(extraction, entry, stat, &content) && put_file(extraction, view_of(stat->name), buffer_view(&content));
    extraction->library->zip_fclose(entry);
    lib_cost_bytes(call, content.len * 4);
    buffer_free(&content);
    return ok;
}

// All are looked at before the first is unpacked.
static bool extract_all(struct extraction *extraction, zip_t *archive)
{
    const struct archive_library *library = extraction->library;
    int64_t count = library->zip_get_num_entries(archive, 0);
    zip_flags_t names = extraction->strict ? ZIP_FL_ENC_RAW : 0;
    uint64_t total_bytes = 0;
    zip_stat_t stat;
    for (int64_t i = 0; i < count; i++) {
        if (library->zip_stat_index(archive, (uint64_t)i, names, &stat) != 0) {
            return native_fail(extraction->call, "the archive is damaged");
        }
        if ((extraction->strict && !check_strict(extraction, archive, &stat)) || !check_entry(extraction, &stat, &total_bytes)) {
            return false;
        }
    }
    if (extraction->strict && total_bytes > extraction->bytes_max) {
        return native_fail(extraction->call, "the contents of the archive are larger than %zu bytes", extraction->bytes_max);
    }
    if (total_bytes > extraction->call->heap->bytes_max) {
        return lib_memory_fail(extraction->call);
    }
    for (int64_t i = 0; i < count; i++) {
        if (library->zip_stat_index(archive, (uint64_t)i, names, &stat) != 0 || !extract_entry(extraction, archive, &stat)) {
            return false;
        }
    }
    return true;
}

static void run_extraction(void *arg)
{
    struct extraction *extraction = arg;
    const struct archive_library *library = extraction->library = archive_library(extraction->call->fail);
    struct view bytes = extraction->file->bytes;
    zip_error_t error;
    if (library == NULL) {
        return;
    }
    library->zip_error_init(&error);
    zip_source_t *source = library->zip_source_buffer_create(bytes.data, bytes.len, 0, &error);
    zip_t *archive = source == NULL ? NULL : library->zip_open_from_source(source, ZIP_RDONLY, &error);
    if (archive != NULL) {
        extraction->ok = extract_all(extraction, archive);
        library->zip_discard(archive);
    } else {
        library->zip_source_free(source);
        bool memory = library->zip_error_code_zip(&error) == ZIP_ER_MEMORY;
        extraction->ok = memory               ? lib_memory_fail(extraction->call)
                         : extraction->strict ? native_fail(extraction->call, "the archive is damaged")
                                              : true;
    }
    library->zip_error_fini(&error);
}

static bool extract_file(struct native_call *call, bool strict, size_t bytes_max)
{
    enum { PASSWORD_MAX = 256 };
    char password[PASSWORD_MAX];
    struct extraction extraction = {.call = call, .file = call->args[0].file, .strict = strict, .bytes_max = bytes_max};
    struct value map = value_map(call->heap, 0), collection = value_collection(call->heap, map);
    struct view given = value_view_or(extraction.file->password, VIEW_NONE);
    bool zip;
    if (map.type != VALUE_MAP || collection.type != VALUE_COLLECTION) {
        return lib_memory_fail(call);
    }
    if (!check_end(call, extraction.file->bytes, &zip)) {
        return false;
    }
    if (!zip) {
        return strict ? native_fail(call, "is no zip archive") : lib_return(call, collection);
    }
    if (given.len > 0 && given.len < PASSWORD_MAX) {
        memcpy(password, given.data, given.len);
        password[given.len] = '\0';
        extraction.password = password;
    }
    extraction.files = map.map;
    size_t bytes = (size_t)ARCHIVE_ENTRIES_MAX * ENTRY_BYTES;
    if (!heap_charge(call->heap, bytes)) {
        return lib_memory_fail(call);
    }
    bool ran = foreign_run(call, run_extraction, &extraction, extraction.file->bytes.len > SLOW_BYTES);
    call->heap->bytes -= bytes;
    return ran && extraction.ok && lib_return(call, collection);
}

static bool archive_extract(struct native_call *call)
{
    return extract_file(call, false, 0);
}

bool lib_archive_extract(struct heap *heap, struct view zip, size_t bytes_max, struct map **ret_files, struct fail *fail)
{
    struct value file = value_file(heap, zip, VIEW("package.zip"), VIEW("application/zip")), result = value_null();
    struct native_call call = {.heap = heap, .args = &file, .count = 1, .ret = &result, .fail = fail};
    if (file.type != VALUE_FILE) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!extract_file(&call, true, bytes_max)) {
        fail->code = fail->code == FAIL_SCRIPT ? FAIL_INVALID_DATA : fail->code;
        return false;
    }
    struct map *files = result.type == VALUE_COLLECTION ? value_as_map(result.collection->inner) : NULL;
    *ret_files = files;
    return files || fail_set(fail, FAIL_MEMORY, NULL);
}

// ---- the table ----------------------------------------------------------------------------------

static const struct native rows[] = {
    {"compress", NATIVE_FILE | NATIVE_LIST | NATIVE_MAP | NATIVE_COLLECTION, 1, 2, 0, 20, archive_compress,
     "files.compress(TEXT name?) → FILE",
     "A zip archive of the file, of the files of a list, or of the folders and files that a map describes (name: FILE or map).",
     "m = Map();\nm.put(\"a.txt\",\"abc\".toFile(\"a.txt\"));\nm.put(\"sub\",{\"b.txt\":\"x\".toFile(\"b.txt\")});\n"
     "f = m.compress(\"all\");\ninfo f.getFileName();\ninfo f.extract().keys(); => all.zip\na.txt,sub/b.txt",
     "SURE builtins §8; name of an archive that gets none GUESS"},
    {"extract", NATIVE_FILE, 1, 1, 0, 20, archive_extract, "file.extract() → COLLECTION",
     "The files of a zip archive by their names; empty if it is no zip archive.",
     "f = \"abc\".toFile(\"a.txt\").compress(\"a.zip\");\ninfo f.extract().get(\"a.txt\").getFileContent();\n"
     "info \"abc\".toFile(\"a.txt\").extract().size(); => abc\n0",
     "SURE builtins §8; the key of a file in a folder is its path: GUESS"},
};

const struct lib_table lib_archive_table = LIB_TABLE(rows);
