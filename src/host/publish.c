// SPDX-License-Identifier: Apache-2.0
// Publishing: the files of a folder or a zip become a version that never changes and that orgs install from. Everything is read and checked
// on a job first; what is wrong is said with file and line, and then nothing is published. A zip comes from anywhere: the archive is
// checked by lib, its paths by ext.
#include "host/inside.h"

#include "lib/lib.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ZIP_HEAP_BYTES_MAX = 4 * EXT_PACKAGE_BYTES_MAX };

struct publish {
    struct host *host;
    const struct identity *who;
    const struct host_source *source; // NULL: `text`
    const struct publish_text *text;
    const struct host_message *message;
    const char *label; // the folder's or the zip's name
    struct ext_files *files;
    struct ext_package *package;
    char digest[EXT_DIGEST_LEN + 1];
    bool is_new, ok;
    struct fail *fail;
};

// ---- zips ---------------------------------------------------------------------------------------

static bool read_zip_file(const char *path, struct heap *heap, struct view *ret_bytes, struct fail *fail)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a pipe is refused, not waited for
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > EXT_PACKAGE_BYTES_MAX) {
        bool opened = fd >= 0;
        if (opened) {
            close(fd);
        }
        return opened ? fail_set(fail, FAIL_INVALID_DATA, "%s: is no plain file of at most %d bytes", path, EXT_PACKAGE_BYTES_MAX)
                      : fail_set(fail, FAIL_INVALID_DATA, "%s: %s", path, strerror(errno));
    }
    size_t size = (size_t)info.st_size, done = 0;
    char *data = heap_alloc(heap, size + 1);
    for (ssize_t got = 1; data && done < size && got > 0; done += got > 0 ? (size_t)got : 0) {
        got = read(fd, data + done, size - done);
    }
    close(fd);
    *ret_bytes = (struct view){data, done};
    return data || fail_set(fail, FAIL_MEMORY, NULL);
}

// What may belong to the extension: scripts may lie anywhere, the manifest says which do (drop_strays). The rest of a zip, read-me files
// and what editors leave behind, is not kept.
static bool is_part(struct view path)
{
    static const char *const ends[] = {".dg", ".deluge", ".ds", ".dre"};
    if (ext_file_is_part(path)) {
        return true;
    }
    for (size_t i = 0; i < BASE_COUNT(ends); i++) {
        if (view_ends(path, view_of(ends[i])) && !view_starts(path, VIEW("__MACOSX/"))) {
            return true;
        }
    }
    return false;
}

// "name/" when all paths begin with it, as when somebody zips the folder instead of what is in it; app/ alone is a toolkit's.
static struct view common_folder(const struct map *entries)
{
    struct view common = VIEW_NONE;
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(entries, &cursor));) {
        struct view path = value_view_or(entry->key, VIEW(""));
        ptrdiff_t slash = view_find_char(path, '/');
        struct view first = slash < 0 ? VIEW_NONE : view_slice(path, 0, (size_t)slash + 1);
        if (view_eq(first, VIEW("__MACOSX/"))) {
            continue;
        }
        if (!first.data || (common.data && !view_eq(first, common))) {
            return VIEW("");
        }
        common = first;
    }
    return view_eq(common, VIEW("app/")) || view_eq(common, VIEW("crm/")) ? VIEW("") : common;
}

static bool add_parts(struct ext_files *files, const struct map *entries, struct fail *fail)
{
    struct view top = common_folder(entries);
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(entries, &cursor));) {
        struct view path = value_view_or(entry->key, VIEW(""));
        path = view_from(path, view_starts(path, top) ? top.len : 0);
        if (is_part(path) && !ext_files_add(files, path, entry->value.file->bytes, fail)) {
            return false;
        }
    }
    return ext_files_sort(files, fail);
}

bool publish_unpack(struct view zip, struct heap *heap, struct ext_files **ret_files, struct fail *fail)
{
    struct map *entries;
    if (!lib_archive_extract(heap, zip, EXT_PACKAGE_BYTES_MAX, &entries, fail)) {
        return false;
    }
    struct ext_files *files = ext_files_new();
    if (!files) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!add_parts(files, entries, fail)) {
        ext_files_free(files);
        return false;
    }
    *ret_files = files;
    return true;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool read_source(struct publish *publish)
{
    const struct host_source *source = publish->source;
    struct heap heap;
    if (!source) {
        return true; // the files are there
    }
    struct view zip = source->zip;
    if (source->path && is_folder(source->path)) {
        return ext_files_read(source->path, true, &publish->files, publish->fail);
    }
    heap_init(&heap, ZIP_HEAP_BYTES_MAX, NULL);
    bool ok = (!source->path || read_zip_file(source->path, &heap, &zip, publish->fail)) &&
              publish_unpack(zip, &heap, &publish->files, publish->fail);
    heap_free(&heap);
    return ok;
}

// ---- checking -----------------------------------------------------------------------------------

// "lead-form 2.zip" → "lead_form_2": what a namespace may be made of.
static struct view namespace_of(struct view name, char out[EXT_NAME_MAX])
{
    size_t len = 0;
    for (ptrdiff_t slash; (slash = view_find_char(name, '/')) >= 0;) {
        name = view_from(name, (size_t)slash + 1);
    }
    if (view_ends(name, VIEW(".zip"))) {
        name.len -= 4;
    }
    for (size_t i = 0; i < name.len && len < EXT_NAME_MAX - 1; i++) {
        char c = name.data[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', digit = c >= '0' && c <= '9';
        if (letter || (digit && len > 0)) {
            out[len++] = c;
        } else if (len > 0 && out[len - 1] != '_') {
            out[len++] = '_';
        }
    }
    while (len > 0 && out[len - 1] == '_') {
        len--;
    }
    return (struct view){out, len};
}

// A manifest that is there says its own namespace; without one the file's name does.
static struct ext_defaults defaults_of(const struct publish *publish, char namespace[EXT_NAME_MAX])
{
    const struct host_source *source = publish->source;
    if (!source) {
        return publish->text->defaults;
    }
    struct ext_defaults defaults = {.name = source->name, .namespace = source->namespace, .version = source->version};
    struct view name = source->path ? view_of(source->path) : source->file_name;
    while (view_ends(name, VIEW("/"))) {
        name.len--;
    }
    if (!defaults.namespace.len && !ext_files_find(publish->files, VIEW("extension.json"))) {
        defaults.namespace = namespace_of(name, namespace);
    }
    return defaults;
}

static bool is_function(const struct ext_package *package, struct view path)
{
    for (int i = 0; i < package->function_count; i++) {
        if (view_eq(package->functions[i].file, path)) {
            return true;
        }
    }
    return false;
}

// So that a zip and the folder it was made of are the same files.
static void drop_strays(struct publish *publish)
{
    struct ext_files *files = publish->files;
    int kept = 0;
    for (int i = 0; i < files->count; i++) {
        if (ext_file_is_part(files->items[i].path) || is_function(publish->package, files->items[i].path)) {
            files->items[kept++] = files->items[i];
        }
    }
    files->count = kept;
}

// Over the files as they are: the same version must mean the same files.
static void make_digest(struct publish *publish)
{
    uint8_t mac[SEAL_HMAC_BYTES] = {0};
    struct buffer part;
    buffer_init(&part, 2 * EXT_PACKAGE_BYTES_MAX);
    for (int i = 0; i < publish->files->count; i++) {
        const struct ext_file *file = &publish->files->items[i];
        buffer_reset(&part);
        buffer_add(&part, (struct view){(char *)mac, sizeof mac});
        buffer_add(&part, file->path);
        buffer_add_char(&part, '\0');
        buffer_add(&part, file->bytes);
        seal_hmac(publish->host->seal, buffer_view(&part), mac);
    }
    hex_print(publish->digest, mac, sizeof mac);
    publish->digest[EXT_DIGEST_LEN] = 0;
    buffer_free(&part);
}

static void say_mistake(void *arg, const struct fail *fail)
{
    verify_say(arg, fail);
}

static void check_job(void *arg)
{
    struct publish *publish = arg;
    char namespace[EXT_NAME_MAX];
    struct verify verify = {.label = publish->label,
                            .message = publish->message,
                            .strict = publish->host->options.strict,
                            .publishing = true,
                            .fail = publish->fail};
    publish->ok = read_source(publish);
    if (publish->ok) {
        struct ext_defaults defaults = defaults_of(publish, namespace);
        defaults.mistake = say_mistake;
        defaults.arg = &verify;
        verify.files = publish->files;
        publish->ok = ext_package_parse(publish->files, view_of(publish->label), &defaults, &publish->package, publish->fail);
    }
    if (!publish->ok) {
        verify_say(&verify, publish->fail);
        return;
    }
    verify.package = publish->package;
    publish->ok =
        verify_package(&verify) && publish->package->mistakes == 0 && ext_package_scrub(publish->package, publish->files, publish->fail);
    drop_strays(publish);
    make_digest(publish);
}

// ---- the whole ----------------------------------------------------------------------------------

static bool refuse_version(void *arg, const struct ext_published *version, struct fail *fail)
{
    const struct publish *publish = arg;
    return !view_eq(version->version, publish->package->version) ||
           fail_set(fail, FAIL_EXISTS, "version %.*s of \"%.*s\" is published already, and versions never change; choose a newer one",
                    VIEW_ARGS(version->version), VIEW_ARGS(version->namespace));
}

// What people publish in the console is a new version, and the end of its draft, unless that has been changed since it was read.
static bool end_draft(struct tx *tx, const struct publish_text *text, struct fail *fail)
{
    bool turned = true;
    if (text->revision && !ext_draft_turn_tx(tx, text->defaults.namespace, text->revision, &turned, fail)) {
        return false;
    }
    return turned ? !text->revision || ext_draft_remove_tx(tx, text->defaults.namespace, fail)
                  : fail_set(fail, FAIL_EXISTS, "somebody has saved meanwhile; look at it and publish again");
}

static bool publish_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct publish *publish = arg;
    if (publish->text &&
        (!ext_published_tx(tx, publish->package->namespace, refuse_version, publish, fail) || !end_draft(tx, publish->text, fail))) {
        return false;
    }
    return ext_publish_tx(tx, publish->package, publish->files, view_of(publish->digest), &publish->is_new, fail);
}

static const char *label_of(const struct host_source *source, char out[FAIL_FILE_MAX])
{
    snprintf(out, FAIL_FILE_MAX, "%.*s", VIEW_ARGS(source->file_name.len ? source->file_name : VIEW("package.zip")));
    return source->path ? source->path : out;
}

static bool check_and_publish(struct publish *publish)
{
    struct store_env *control;
    bool ran = loop_fiber() ? loop_job(check_job, publish, publish->fail) : (check_job(publish), true);
    if (!ran) {
        return false;
    }
    if (!publish->ok) { // why has been said
        enum fail_code code = publish->fail->code;
        return fail_set(publish->fail, code == FAIL_NONE ? FAIL_COMPILE : code, "%s: nothing is published", publish->label);
    }
    return host_control(publish->host, &control, publish->fail) && store_write(control, publish_tx, publish, publish->fail);
}

// Everything from checking to noting it, for a package from wherever.
static bool run_publish(struct publish *publish, struct host_published *ret_published)
{
    fail_clear(publish->fail);
    bool ok = check_and_publish(publish);
    if (ok) {
        snprintf(ret_published->namespace, sizeof ret_published->namespace, "%.*s", VIEW_ARGS(publish->package->namespace));
        snprintf(ret_published->version, sizeof ret_published->version, "%.*s", VIEW_ARGS(publish->package->version));
        ret_published->is_new = publish->is_new;
    }
    char subject[2 * EXT_NAME_MAX + 2] = "";
    if (publish->package) {
        snprintf(subject, sizeof subject, "%.*s@%.*s", VIEW_ARGS(publish->package->namespace), VIEW_ARGS(publish->package->version));
    }
    if (publish->package && (publish->is_new || !ok)) {
        host_audit_outcome(publish->host, publish->who, "ext publish", view_of(subject), ok);
    }
    ext_package_free(publish->package);
    ext_files_free(publish->files);
    return ok;
}

bool host_ext_publish(struct host *host, const struct identity *who, const struct host_source *source, const struct host_message *message,
                      struct host_published *ret_published, struct fail *fail)
{
    char name[FAIL_FILE_MAX];
    struct publish publish = {
        .host = host, .who = who, .source = source, .message = message, .label = label_of(source, name), .fail = fail};
    return run_publish(&publish, ret_published);
}

bool publish_files(struct host *host, const struct identity *who, const struct publish_text *text, const struct host_message *message,
                   struct host_published *ret_published, struct fail *fail)
{
    struct publish publish = {
        .host = host, .who = who, .text = text, .files = text->files, .message = message, .label = text->label, .fail = fail};
    return run_publish(&publish, ret_published);
}
