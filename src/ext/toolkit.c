// SPDX-License-Identifier: Apache-2.0
// Packages that other tools made (spec/platform.md §6): a zip of the zoho-extension-toolkit holds `app/**` alone, its manifest being Zoho's
// console; functions may lie in app/server/source/<number or latest>/*.dre, or in a tree of crm/functions/<namespace>/*.ds. They become an
// extension of their widgets and functions, whose name, namespace and version are told by whoever publishes.
#include "ext/inside.h"

static const char SOURCE[] = "app/server/source/", PULLED[] = "crm/functions/";

bool package_is_toolkit(const struct ext_package *package)
{
    for (int i = 0; i < package->files->count; i++) {
        struct view path = package->files->items[i].path;
        if (view_starts(path, VIEW("app/")) || view_starts(path, view_of(PULLED))) {
            return true;
        }
    }
    return false;
}

static struct view stem_of(struct view path)
{
    for (ptrdiff_t slash; (slash = view_find_char(path, '/')) >= 0;) {
        path = view_from(path, (size_t)slash + 1);
    }
    for (size_t i = path.len; i > 0; i--) {
        if (path.data[i - 1] == '.') {
            return view_slice(path, 0, i - 1);
        }
    }
    return path;
}

// Every page of app/ is a widget of a web tab (GUESS: where it is shown is said in Zoho's console, not in the zip).
static void add_widgets(struct ext_package *package, struct list *widgets)
{
    struct heap *heap = &package->heap;
    for (int i = 0; i < package->files->count; i++) {
        struct view path = package->files->items[i].path;
        struct value widget;
        if (!view_starts(path, VIEW("app/")) || !view_ends(path, VIEW(".html")) || view_starts(path, VIEW("app/server/"))) {
            continue;
        }
        widget = value_map(heap, 3);
        if (widget.type == VALUE_MAP) {
            map_put_text(heap, widget.map, VIEW("name"), value_text(heap, stem_of(path)));
            map_put_text(heap, widget.map, VIEW("location"), value_text(heap, VIEW("webtab")));
            map_put_text(heap, widget.map, VIEW("url"), value_text(heap, path));
            list_add(heap, widgets, widget);
        }
    }
}

bool package_toolkit_manifest(struct ext_package *package, const struct ext_defaults *defaults, struct fail *fail)
{
    struct heap *heap = &package->heap;
    struct value manifest = value_map(heap, 4), widgets = value_list(heap, 4);
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    add_widgets(package, widgets.list);
    map_put_text(heap, manifest.map, VIEW("name"), value_text(heap, defaults->name.len ? defaults->name : defaults->namespace));
    map_put_text(heap, manifest.map, VIEW("namespace"), value_text(heap, defaults->namespace));
    map_put_text(heap, manifest.map, VIEW("version"), value_text(heap, defaults->version.len ? defaults->version : VIEW("1.0.0")));
    map_put_text(heap, manifest.map, VIEW("widgets"), widgets);
    package->manifest = manifest;
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

// ---- functions ----------------------------------------------------------------------------------

// "latest", or the highest number among app/server/source/<number>/.
static struct view newest_source(const struct ext_package *package)
{
    struct view newest = VIEW_NONE;
    int64_t highest = -1;
    for (int i = 0; i < package->files->count; i++) {
        struct view path = package->files->items[i].path;
        if (!view_starts(path, view_of(SOURCE))) {
            continue;
        }
        struct view rest = view_from(path, sizeof SOURCE - 1), version = view_cut(&rest, '/');
        int64_t number;
        if (view_eq(version, VIEW("latest"))) {
            return version;
        }
        if (view_to_int64(version, &number) && number > highest) {
            highest = number;
            newest = version;
        }
    }
    return newest;
}

// By a manifest that somebody has added.
static bool is_described(const struct ext_package *package, struct view path)
{
    for (int i = 0; i < package->function_count; i++) {
        if (view_eq(package->functions[i].file, path)) {
            return true;
        }
    }
    return false;
}

static bool add_function(struct ext_package *package, const struct ext_file *file, struct fail *fail)
{
    struct view source;
    if (is_described(package, file->path)) {
        return true;
    }
    if (!package_file(package, file->path, &source, fail)) {
        return false;
    }
    struct view stem = stem_of(file->path);
    for (ptrdiff_t dot; (dot = view_find_char(stem, '.')) >= 0;) { // "namespace.name"
        stem = view_from(stem, (size_t)dot + 1);
    }
    struct ext_function function = {.api_name = stem, .file = file->path, .source = source, .apikey = true, .oauth = true};
    return package_add_function(package, &function, fail);
}

bool package_toolkit_functions(struct ext_package *package, struct fail *fail)
{
    struct view newest = newest_source(package);
    for (int i = 0; i < package->files->count; i++) {
        const struct ext_file *file = &package->files->items[i];
        struct view rest = view_from(file->path, sizeof SOURCE - 1);
        bool source = newest.len && view_starts(file->path, view_of(SOURCE)) && view_eq(view_cut(&rest, '/'), newest) &&
                      view_find_char(rest, '/') < 0 && view_ends(file->path, VIEW(".dre"));
        bool pulled = view_starts(file->path, view_of(PULLED)) && view_ends(file->path, VIEW(".ds"));
        if ((source || pulled) && !add_function(package, file, fail)) {
            return false;
        }
    }
    return true;
}
