// SPDX-License-Identifier: Apache-2.0
//
// Packages from strangers: a zip, or (anything that does not begin as one) plain files, each as "\x1E path \n text", which lets texts
// change without a checksum in the way. What is accepted as a package is checked as a whole, scripts and all, and must hold to its
// promises: paths that stay inside, every path once, a valid name and version, a reason for every refusal.
#include "host/inside.h"

#include <stdlib.h>

enum { HEAP_BYTES = 16 << 20, SEPARATOR = 0x1E };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool read_texts(struct view rest, struct ext_files **ret_files, struct fail *fail)
{
    struct ext_files *files = ext_files_new();
    must(files != NULL);
    view_cut(&rest, SEPARATOR);
    while (rest.len) {
        struct view text = view_cut(&rest, SEPARATOR), path = view_cut(&text, '\n');
        if (!ext_files_add(files, path, text, fail)) {
            ext_files_free(files);
            return false;
        }
    }
    if (!ext_files_sort(files, fail)) {
        ext_files_free(files);
        return false;
    }
    *ret_files = files;
    return true;
}

static void check_files(const struct ext_files *files)
{
    for (int i = 0; i < files->count; i++) {
        struct view path = files->items[i].path;
        must(path.len > 0 && path.data[0] != '/' && !view_starts(path, VIEW("../")) && view_find(path, VIEW("/../")) < 0);
        must(!view_ends(path, VIEW("/..")) && !view_eq(path, VIEW("..")) && utf8_valid(path));
        must(i == 0 || view_compare(files->items[i - 1].path, path) < 0);
        must(ext_files_find(files, path) == &files->items[i]);
    }
}

static void hear(void *arg, const struct fail *fail)
{
    struct fail placed = *fail;
    must(fail->code == FAIL_INVALID_DATA && fail->text[0]);
    ext_files_locate(arg, &placed);
}

// Once stopping at the first mistake, once going on.
static bool check_package(const struct ext_files *files, const struct ext_defaults *defaults)
{
    struct ext_package *package;
    struct fail fail = {0};
    if (!ext_package_parse(files, VIEW("fuzz"), defaults, &package, &fail)) {
        must(fail.code != FAIL_NONE && fail.text[0]);
        ext_files_locate(files, &fail);
        return false;
    }
    must(ext_version_valid(package->version) && package->namespace.len > 0 && view_find(package->namespace, VIEW("__")) < 0);
    must(ext_version_compare(package->version, package->version) == 0);
    struct verify verify = {.package = package, .label = "fuzz", .publishing = true, .fail = &fail};
    must(verify_package(&verify) || fail.code != FAIL_NONE);
    bool good = package->mistakes == 0;
    must(good || defaults->mistake);
    ext_package_free(package);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ext_defaults bare = {.namespace = {"fuzz", 4}}, none;
    struct view bytes = {(const char *)data, size};
    struct ext_files *files;
    struct fail fail = {0};
    struct heap heap;
    log_open(LOG_ERROR, false);
    heap_init(&heap, HEAP_BYTES, NULL);
    bool ok = view_starts(bytes, VIEW("PK")) ? publish_unpack(bytes, &heap, &files, &fail) : read_texts(bytes, &files, &fail);
    must(ok || (fail.code != FAIL_NONE && fail.text[0]));
    heap_free(&heap);
    if (ok) {
        check_files(files);
        struct ext_defaults defaults = ext_files_find(files, VIEW("extension.json")) ? none : bare;
        ok = check_package(files, &defaults);
        defaults.mistake = hear;
        defaults.arg = files;
        must(check_package(files, &defaults) == ok);
        ext_files_free(files);
    }
    return 0;
}
