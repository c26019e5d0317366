// SPDX-License-Identifier: Apache-2.0
// A package out of the files of an extension (PRODUCT "An extension on disk"): extension.json, functions/, install/, modules/, connectors/,
// seed/, app/. One way of reading, wherever the files come from (files.c): a folder here, a zip, a published version.
#include "ext/inside.h"

#include <stdlib.h>

bool package_go_on(struct ext_package *package, struct fail *fail)
{
    const struct ext_defaults *told = package->told;
    if (!told || !told->mistake || fail->code != FAIL_INVALID_DATA) {
        return false;
    }
    told->mistake(told->arg, fail);
    package->mistakes++;
    fail_clear(fail);
    return true;
}

// ---- texts --------------------------------------------------------------------------------------

static bool check_text(const struct ext_file *file, struct fail *fail)
{
    if (file->bytes.len > EXT_FILE_BYTES_MAX) {
        return package_fail(fail, file->path, "is larger than %d bytes", EXT_FILE_BYTES_MAX);
    }
    return utf8_valid(file->bytes) || package_fail(fail, file->path, "is not UTF-8 text");
}

bool package_file(struct ext_package *package, struct view path, struct view *ret_text, struct fail *fail)
{
    const struct ext_file *file = ext_files_find(package->files, path);
    if (!file) {
        *ret_text = VIEW_NONE;
        return true;
    }
    if (!check_text(file, fail)) {
        return false;
    }
    *ret_text = file->bytes;
    return true;
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

bool package_folder(struct ext_package *package, struct view folder, const char *const *endings, package_each *each, void *arg,
                    struct fail *fail)
{
    for (int i = 0; i < package->files->count; i++) {
        const struct ext_file *file = &package->files->items[i];
        if (view_starts(file->path, folder) && view_find_char(view_from(file->path, folder.len), '/') < 0 &&
            has_ending(file->path, endings) && (!check_text(file, fail) || !each(package, file, arg, fail)) &&
            !package_go_on(package, fail)) {
            return false;
        }
    }
    return true;
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
static bool add_function(struct ext_package *package, const struct ext_file *file, void *arg, struct fail *fail)
{
    const int *described = arg;
    for (int i = 0; i < *described; i++) {
        if (view_eq(package->functions[i].file, file->path)) {
            package->functions[i].source = file->bytes;
            return true;
        }
    }
    struct ext_function function = {.file = file->path, .source = file->bytes, .apikey = true, .oauth = true};
    return package_add_function(package, &function, fail);
}

static bool add_json(struct ext_package *package, const struct ext_file *file, void *arg, struct fail *fail)
{
    struct value item;
    if (!json_read(&package->heap, file->bytes, &item, fail)) {
        snprintf(fail->file, sizeof fail->file, "%.*s", VIEW_ARGS(file->path));
        fail->code = FAIL_INVALID_DATA;
        return false;
    }
    if (item.type != VALUE_MAP) {
        return package_fail(fail, file->path, "must hold a JSON object");
    }
    struct value *list = arg;
    return list_add(&package->heap, list->list, item) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool add_module(struct ext_package *package, const struct ext_file *file, void *arg, struct fail *fail)
{
    return add_json(package, file, arg, fail) &&
           (list_add(&package->heap, package->module_files.list, value_text(&package->heap, file->path)) ||
            fail_set(fail, FAIL_MEMORY, NULL));
}

static bool add_connector(struct ext_package *package, const struct ext_file *file, void *arg, struct fail *fail)
{
    return add_json(package, file, arg, fail) &&
           (list_add(&package->heap, package->connector_files.list, value_text(&package->heap, file->path)) ||
            fail_set(fail, FAIL_MEMORY, NULL));
}

static bool read_action(struct ext_package *package, struct view path, struct view *ret_source, struct view *ret_file, struct fail *fail)
{
    *ret_file = path;
    return package_file(package, path, ret_source, fail) || package_go_on(package, fail);
}

static bool read_actions(struct ext_package *package, struct fail *fail)
{
    return read_action(package, VIEW("install/on_installation.dg"), &package->on_installation, &package->on_installation_file, fail) &&
           read_action(package, VIEW("install/on_update.dg"), &package->on_update, &package->on_update_file, fail) &&
           read_action(package, VIEW("install/on_uninstallation.dg"), &package->on_uninstallation, &package->on_uninstallation_file, fail);
}

static bool find_source(struct ext_package *package, struct ext_function *function, struct fail *fail)
{
    if (!function->source.data && !package_file(package, function->file, &function->source, fail)) {
        return false;
    }
    return function->source.data ||
           package_fail(fail, VIEW("extension.json"), "the function \"%.*s\" names the file %.*s, which is not there",
                        VIEW_ARGS(function->api_name), VIEW_ARGS(function->file));
}

static bool functions_have_sources(struct ext_package *package, struct fail *fail)
{
    int kept = 0;
    for (int i = 0; i < package->function_count; i++) {
        if (find_source(package, &package->functions[i], fail)) {
            package->functions[kept++] = package->functions[i];
        } else if (!package_go_on(package, fail)) {
            return false;
        }
    }
    package->function_count = kept;
    return true;
}

static bool read_all(struct ext_package *package, const struct ext_defaults *defaults, struct fail *fail)
{
    static const char *const scripts[] = {".dg", ".deluge", ".ds", NULL}, *const objects[] = {".json", NULL};
    package->modules = value_list(&package->heap, 8);
    package->module_files = value_list(&package->heap, 8);
    package->connectors = value_list(&package->heap, 4);
    package->connector_files = value_list(&package->heap, 4);
    package->seeds = value_list(&package->heap, 8);
    if (package->heap.failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!manifest_read(package, defaults, fail)) {
        return false;
    }
    int described = package->function_count;
    return package_folder(package, VIEW("functions/"), scripts, add_function, &described, fail) && functions_have_sources(package, fail) &&
           package_toolkit_functions(package, fail) && read_actions(package, fail) &&
           package_folder(package, VIEW("modules/"), objects, add_module, &package->modules, fail) &&
           package_folder(package, VIEW("connectors/"), objects, add_connector, &package->connectors, fail) &&
           package_folder(package, VIEW("seed/"), objects, add_json, &package->seeds, fail);
}

bool ext_package_parse(const struct ext_files *files, struct view label, const struct ext_defaults *defaults,
                       struct ext_package **ret_package, struct fail *fail)
{
    static const struct ext_defaults none;
    struct ext_package *package = calloc(1, sizeof *package);
    if (!package) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    arena_init(&package->arena, EXT_PACKAGE_BYTES_MAX);
    heap_init(&package->heap, EXT_PACKAGE_BYTES_MAX, NULL);
    package->files = files;
    package->folder = arena_copy(&package->arena, label);
    package->told = defaults ? defaults : &none;
    fail_clear(fail);
    if (!read_all(package, package->told, fail)) {
        ext_package_free(package);
        return false;
    }
    package->told = NULL;
    *ret_package = package;
    return true;
}

bool ext_package_read(const char *folder, struct ext_package **ret_package, struct fail *fail)
{
    struct ext_files *files;
    if (!ext_files_read(folder, false, &files, fail)) {
        return false;
    }
    if (!ext_package_parse(files, view_of(folder), NULL, ret_package, fail)) {
        ext_files_free(files);
        return false;
    }
    (*ret_package)->own_files = files;
    return true;
}

void ext_package_free(struct ext_package *package)
{
    if (package) {
        ext_files_free(package->own_files);
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

// A value of a secret that stood in the manifest was dropped when it was read; here it goes from the file.
bool ext_package_scrub(const struct ext_package *package, struct ext_files *files, struct fail *fail)
{
    bool dropped = false;
    for (int i = 0; i < package->variable_count; i++) {
        dropped |= package->variables[i].has_default;
    }
    struct ext_file *manifest = (struct ext_file *)ext_files_find(files, VIEW("extension.json"));
    if (!dropped || !manifest) {
        return true;
    }
    struct buffer json;
    buffer_init(&json, 2 * EXT_FILE_BYTES_MAX);
    bool ok = json_write(&json, package->manifest, NULL, fail);
    manifest->bytes = ok ? arena_copy(&files->arena, buffer_view(&json)) : manifest->bytes;
    ok = ok && (manifest->bytes.data || fail_set(fail, FAIL_MEMORY, NULL));
    buffer_free(&json);
    return ok;
}

bool ext_package_check_widget(const struct ext_package *package, struct value widget, struct fail *fail)
{
    struct view url = value_view_or(map_get_text(value_as_map(widget), VIEW("url")), VIEW(""));
    struct view path = view_starts(url, VIEW("/")) ? view_from(url, 1) : url;
    if (view_starts(path, VIEW("http://")) || view_starts(path, VIEW("https://"))) {
        return true;
    }
    ptrdiff_t end = view_find_char(path, '#');
    path = end < 0 ? path : view_slice(path, 0, (size_t)end);
    path = view_cut(&path, '?');
    if (!view_starts(path, VIEW("app/"))) {
        return package_fail(fail, VIEW("extension.json"), "the page \"%.*s\" of a widget must lie in app/", VIEW_ARGS(url));
    }
    return ext_files_find(package->files, path) ||
           package_fail(fail, VIEW("extension.json"), "the page \"%.*s\" of a widget is not there", VIEW_ARGS(url));
}
