// SPDX-License-Identifier: Apache-2.0
// Files of widgets, for anybody who asks: what lies in app/ of the version that the default org's production has installed. A served folder
// is read as it is at this moment, by the rules of every folder from a stranger (ext/files.c). The rest of a package, and scripts that lie
// in app/ (the toolkit's app/server/), are nobody's to read.
#include "host/inside.h"

#include "lib/lib.h"

struct widget {
    struct view namespace, path;
    const char *folder; // served; NULL: `bytes` came from a published version
    struct arena *arena;
    char version[EXT_NAME_MAX];
    bool dev, installed, ok;
    struct seal *seal;
    struct host_widget file;
    struct fail *fail;
};

// Below app/; no hidden file and no script.
static bool is_public(struct view path)
{
    static const char *const scripts[] = {".dg", ".deluge", ".ds", ".dre"};
    if (!view_starts(path, VIEW("app/")) || view_starts_nocase(path, VIEW("app/server/")) || view_find(path, VIEW("/.")) >= 0) {
        return false;
    }
    for (size_t i = 0; i < BASE_COUNT(scripts); i++) {
        struct view ending = view_of(scripts[i]);
        if (path.len > ending.len && view_eq_nocase(view_from(path, path.len - ending.len), ending)) {
            return false;
        }
    }
    return true;
}

static bool installed_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct widget *widget = arg;
    return ext_installed_tx(tx, widget->namespace, widget->version, &widget->dev, &widget->installed, fail);
}

static bool published_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct widget *widget = arg;
    return ext_published_file_tx(tx, widget->namespace, view_of(widget->version), widget->path, widget->arena, &widget->file.bytes, fail);
}

// Text says that it is UTF-8 where it is; else the page itself tells.
static void name_type(struct widget *widget)
{
    struct view type = lib_file_type(widget->path);
    bool text = view_starts(type, VIEW("text/")) || view_eq(type, VIEW("application/json")) || view_eq(type, VIEW("image/svg+xml"));
    snprintf(widget->file.type, sizeof widget->file.type, "%.*s%s", VIEW_ARGS(type),
             text && utf8_valid(widget->file.bytes) ? ";charset=utf-8" : "");
}

// Reading a folder waits for a disk, and the digest of a large file takes its time.
static void read_job(void *arg)
{
    struct widget *widget = arg;
    uint8_t mac[SEAL_HMAC_BYTES];
    widget->ok = !widget->folder || ext_file_read(widget->folder, widget->path, widget->arena, &widget->file.bytes, widget->fail);
    if (widget->ok && widget->file.bytes.data) {
        seal_hmac(widget->seal, widget->file.bytes, mac);
        hex_print(widget->file.tag, mac, HOST_TAG_LEN / 2);
        name_type(widget);
    }
}

// A folder that is no longer served has left its functions here, but no files.
static bool find_file(struct host *host, struct widget *widget, char folder[HOST_FOLDER_MAX])
{
    struct host_env *env;
    struct store_env *control;
    if (!host_env_default(host, &env, widget->fail) || !store_read(env->env, installed_tx, widget, widget->fail)) {
        return false;
    }
    if (widget->installed && widget->dev) {
        widget->folder = watch_folder(host, env, widget->namespace, folder) ? folder : NULL;
    }
    bool there = widget->installed && (widget->folder || !widget->dev);
    if (there && !widget->dev &&
        (!host_control(host, &control, widget->fail) || !store_read(control, published_tx, widget, widget->fail))) {
        return false;
    }
    if (there && !(loop_job(read_job, widget, widget->fail) && widget->ok)) {
        widget->fail->code = widget->fail->code == FAIL_INVALID_DATA ? FAIL_URL_PATTERN : widget->fail->code; // a link, a folder
        return false;
    }
    return widget->file.bytes.data || fail_set(widget->fail, FAIL_URL_PATTERN, "no installed extension has this file");
}

bool host_widget_file(struct host *host, struct view namespace, struct view path, struct arena *arena, struct host_widget *ret_file,
                      struct fail *fail)
{
    char folder[HOST_FOLDER_MAX];
    struct widget widget = {.namespace = namespace, .path = path, .arena = arena, .seal = host->seal, .fail = fail};
    fail_clear(fail);
    if (!is_public(path)) {
        return fail_set(fail, FAIL_URL_PATTERN, "only the files of app/ answer here, and no scripts");
    }
    if (!find_file(host, &widget, folder)) {
        return false;
    }
    *ret_file = widget.file;
    return true;
}

// A served folder's is read as it is now: a widget that was added is there.
static bool read_manifest(struct heap *heap, struct view bytes, struct value *ret_list, struct fail *fail)
{
    struct value manifest;
    if (!json_read(heap, bytes, &manifest, fail)) {
        return false;
    }
    const struct map *map = value_as_map(manifest);
    struct value list = map ? map_get_text(map, VIEW("widgets")) : value_null();
    *ret_list = value_as_list(list) ? list : value_list(heap, 0);
    return true;
}

bool host_widgets(struct host *host, struct view namespace, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    char folder[HOST_FOLDER_MAX];
    struct arena arena;
    arena_init(&arena, 2 * EXT_ASSET_BYTES_MAX);
    struct widget widget = {.namespace = namespace, .path = VIEW("extension.json"), .arena = &arena, .seal = host->seal, .fail = fail};
    fail_clear(fail);
    bool ok = find_file(host, &widget, folder);
    if (ok) {
        ok = read_manifest(heap, widget.file.bytes, ret_list, fail);
    } else if (widget.installed && fail->code == FAIL_URL_PATTERN) { // a zip of Zoho's toolkit has none
        *ret_list = value_list(heap, 0);
        ok = true;
    }
    arena_free(&arena);
    return ok;
}

bool host_sdk_file(struct host *host, struct view version, struct view name, struct arena *arena, struct host_widget *ret_file,
                   struct fail *fail)
{
    struct widget widget = {.folder = host->options.data_folder, .arena = arena, .seal = host->seal, .fail = fail};
    fail_clear(fail);
    *ret_file = widget.file;
    if (!widget.folder) {
        return true;
    }
    widget.path = arena_printf(arena, "js-sdk/%.*s/%.*s", VIEW_ARGS(version), VIEW_ARGS(name));
    if (!widget.path.data) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!loop_job(read_job, &widget, fail) || !widget.ok) {
        return false;
    }
    *ret_file = widget.file;
    return true;
}
