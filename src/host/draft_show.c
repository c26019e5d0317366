// SPDX-License-Identifier: Apache-2.0
//
// What the console's developer pages show of extensions that are being written: see draft.c for where their text is. Who may call a
// function, and whether its text is live, is what the caller's environment has installed.
#include "host/draft.h"

#include <stdlib.h>

static void put(struct heap *heap, struct value map, const char *name, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, view_of(name), value);
    }
}

static void put_text(struct heap *heap, struct value map, const char *name, struct view text)
{
    put(heap, map, name, value_text(heap, text.data ? text : VIEW("")));
}

// ---- what is installed --------------------------------------------------------------------------

struct installed {
    const struct draft *draft;
    int index; // of the function that is looked up
    struct live {
        bool found, same, apikey, oauth;
    } * functions; // of each of the package
    bool only_found; // look up the wanted one alone
    char version[EXT_NAME_MAX], digest[EXT_DIGEST_LEN + 1];
    bool there;
};

static bool look(void *arg, const struct ext_installed_function *row, struct fail *fail)
{
    struct installed *installed = arg;
    (void)fail;
    installed->functions[installed->index] =
        (struct live){.found = true,
                      .same = view_eq(row->source, installed->draft->package->functions[installed->index].source),
                      .apikey = row->apikey,
                      .oauth = row->oauth};
    return true;
}

static bool look_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct installed *installed = arg;
    const struct draft *draft = installed->draft;
    char full[4 * EXT_NAME_MAX], text[4 * EXT_NAME_MAX];
    struct view canonical;
    bool dev, found;
    if (!ext_installed_tx(tx, draft->namespace, installed->version, &dev, &installed->there, fail) ||
        !ext_digest_tx(tx, draft->namespace, installed->digest, fail)) {
        return false;
    }
    for (int i = 0; installed->there && i < draft->package->function_count; i++) {
        snprintf(full, sizeof full, "%.*s.%s", VIEW_ARGS(draft->namespace), draft->scripts[i].name);
        installed->index = i;
        if ((installed->only_found && i != draft->found) || !ext_name_canonical(view_of(full), text, sizeof text, &canonical)) {
            continue;
        }
        if (!ext_function_find_tx(tx, canonical, look, installed, &found, fail)) {
            return false;
        }
    }
    return true;
}

static bool load_installed(struct draft *draft, bool only_found, struct installed *installed, struct fail *fail)
{
    size_t count = (size_t)draft->package->function_count + 1;
    *installed = (struct installed){
        .draft = draft, .only_found = only_found, .functions = heap_alloc(draft->heap, count * sizeof *installed->functions)};
    if (!installed->functions) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    memset(installed->functions, 0, count * sizeof *installed->functions);
    return store_read(draft->env->env, look_tx, installed, fail);
}

// ---- one function, one action -------------------------------------------------------------------

void draft_put_place(const struct draft *draft, struct value map)
{
    struct heap *heap = draft->heap;
    put(heap, map, "folder", draft->folder ? value_text(heap, view_of(draft->folder)) : value_null());
    put(heap, map, "draft", value_bool(draft->place == DRAFT_KEPT));
}

static void put_function(const struct draft *draft, const struct installed *installed, int index, struct value map)
{
    struct heap *heap = draft->heap;
    const struct ext_function *function = &draft->package->functions[index];
    const struct live *live = &installed->functions[index];
    put_text(heap, map, "api_name", view_of(draft->scripts[index].name));
    put_text(heap, map, "file", function->file);
    put_text(heap, map, "version", draft->scripts[index].api_version == 1 ? VIEW("1.0") : VIEW("2.0"));
    put(heap, map, "apikey", value_bool(live->found ? live->apikey : function->apikey));
    put(heap, map, "oauth", value_bool(live->found ? live->oauth : function->oauth));
    put(heap, map, "live", value_bool(live->found && live->same));
}

static bool show_function(struct draft *draft, bool with_source, struct value *ret_map, struct fail *fail)
{
    struct heap *heap = draft->heap;
    struct installed installed;
    if (draft->found < 0) {
        return fail_set(fail, FAIL_NOT_FOUND, "\"%.*s\" has no function \"%.*s\"", VIEW_ARGS(draft->namespace), VIEW_ARGS(draft->wanted));
    }
    if (!load_installed(draft, true, &installed, fail)) {
        return false;
    }
    struct value map = value_map(heap, 12);
    put_text(heap, map, "namespace", draft->namespace);
    put_function(draft, &installed, draft->found, map);
    if (with_source) {
        put_text(heap, map, "source", draft->package->functions[draft->found].source);
    }
    put(heap, map, "diagnostics", draft->findings);
    draft_put_place(draft, map);
    *ret_map = map;
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

bool draft_show_function(struct host *host, const struct identity *who, struct view namespace, struct view function, bool with_source,
                         struct heap *heap, struct value *ret_map, struct fail *fail)
{
    struct draft draft = {.host = host, .who = who, .namespace = namespace, .wanted = function, .heap = heap};
    bool ok = draft_open(&draft, fail) && show_function(&draft, with_source, ret_map, fail);
    draft_close(&draft);
    return ok;
}

bool host_draft_function(struct host *host, const struct identity *who, struct view namespace, struct view function, struct heap *heap,
                         struct value *ret_map, struct fail *fail)
{
    return draft_show_function(host, who, namespace, function, true, heap, ret_map, fail);
}

// ---- one extension ------------------------------------------------------------------------------

static struct value list_functions(const struct draft *draft, const struct installed *installed)
{
    struct heap *heap = draft->heap;
    struct value list = value_list(heap, (size_t)draft->package->function_count + 1);
    for (int i = 0; list.type == VALUE_LIST && i < draft->package->function_count; i++) {
        struct value map = value_map(heap, 7);
        put_function(draft, installed, i, map);
        put(heap, map, "errors", value_number(draft->scripts[i].errors));
        list_add(heap, list.list, map);
    }
    return list;
}

static struct value list_variables(const struct draft *draft)
{
    struct heap *heap = draft->heap;
    struct value list = value_list(heap, (size_t)draft->package->variable_count + 1);
    for (int i = 0; list.type == VALUE_LIST && i < draft->package->variable_count; i++) {
        const struct ext_variable *variable = &draft->package->variables[i];
        struct value map = value_map(heap, 5);
        put_text(heap, map, "api_name", variable->api_name);
        put_text(heap, map, "field_name", variable->field_name);
        put_text(heap, map, "type", variable->type);
        put_text(heap, map, "value", variable->secret ? VIEW("") : variable->value);
        put(heap, map, "secret", value_bool(variable->secret));
        list_add(heap, list.list, map);
    }
    return list;
}

static struct value list_actions(const struct draft *draft)
{
    struct heap *heap = draft->heap;
    struct value list = value_list(heap, 3);
    static const char *const names[] = {"on_installation", "on_update", "on_uninstallation"};
    for (size_t i = 0; list.type == VALUE_LIST && i < BASE_COUNT(names); i++) {
        struct value map = value_map(heap, 2);
        put_text(heap, map, "name", view_of(names[i]));
        put(heap, map, "exists", value_bool(ext_files_find(draft->files, draft_action_file(view_of(names[i]))) != NULL));
        list_add(heap, list.list, map);
    }
    return list;
}

static struct value list_versions(const struct draft *draft)
{
    struct heap *heap = draft->heap;
    struct value list = value_list(heap, (size_t)draft->version_count + 1);
    for (int i = 0; list.type == VALUE_LIST && i < draft->version_count; i++) {
        struct value map = value_map(heap, 2);
        struct buffer time;
        buffer_init(&time, 64);
        calendar_print_iso(&time, draft->versions[i].published_ms, zone_local());
        put_text(heap, map, "version", draft->versions[i].version);
        put_text(heap, map, "published_time", buffer_view(&time));
        buffer_free(&time);
        list_add(heap, list.list, map);
    }
    return list;
}

static struct view shown_version(const struct draft *draft)
{
    return draft->place == DRAFT_FOLDER ? draft->package->version : draft->version_count > 0 ? draft->versions[0].version : VIEW("");
}

bool host_draft_show(struct host *host, const struct identity *who, struct view namespace, struct heap *heap, struct value *ret_map,
                     struct fail *fail)
{
    struct draft draft = {.host = host, .who = who, .namespace = namespace, .heap = heap, .check = true};
    struct installed installed;
    bool ok = draft_open(&draft, fail) && load_installed(&draft, false, &installed, fail);
    if (ok) {
        struct value map = value_map(heap, 16);
        put_text(heap, map, "namespace", draft.namespace);
        put_text(heap, map, "name", draft.package->name);
        put_text(heap, map, "version", shown_version(&draft));
        put_text(heap, map, "next_version", draft_next_version(&draft));
        draft_put_place(&draft, map);
        put(heap, map, "functions", list_functions(&draft, &installed));
        put(heap, map, "variables", list_variables(&draft));
        put(heap, map, "actions", list_actions(&draft));
        put(heap, map, "versions", list_versions(&draft));
        draft_put_contents(&draft, map);
        *ret_map = map;
        ok = !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
    }
    draft_close(&draft);
    return ok;
}

// ---- all ----------------------------------------------------------------------------------------

struct listing {
    struct host *host;
    struct heap *heap;
    struct arena arena;
    struct list *rows;
    bool ok;
    struct fail *fail;
};

static struct map *find_row(const struct listing *listing, struct view namespace)
{
    for (uint32_t i = 0; i < listing->rows->count; i++) {
        struct map *map = value_as_map(listing->rows->items[i]);
        if (map && view_eq_nocase(value_view_or(map_get_text(map, VIEW("namespace")), VIEW("")), namespace)) {
            return map;
        }
    }
    return NULL;
}

static bool add_row(struct listing *listing, struct view namespace, struct view name, struct view version, const char *folder,
                    bool is_draft)
{
    struct heap *heap = listing->heap;
    struct value map = value_map(heap, 5);
    put_text(heap, map, "namespace", namespace);
    put_text(heap, map, "name", name);
    put_text(heap, map, "version", version);
    put(heap, map, "folder", folder ? value_text(heap, view_of(folder)) : value_null());
    put(heap, map, "draft", value_bool(is_draft));
    return list_add(heap, listing->rows, map) || fail_set(listing->fail, FAIL_MEMORY, NULL);
}

static void pass_over(void *arg, const struct fail *fail)
{
    (void)arg, (void)fail; // mistakes are said where the whole is checked
}

static bool add_package(struct listing *listing, const char *folder, const struct ext_package *package)
{
    return find_row(listing, package->namespace) || add_row(listing, package->namespace, package->name, package->version, folder, false);
}

// Of one whose manifest cannot be read only its name is known, and that only if it was installed before.
static bool add_folder(struct listing *listing, const char *folder, const char *namespace)
{
    const struct ext_defaults defaults = {.mistake = pass_over};
    struct ext_files *files = NULL;
    struct ext_package *package = NULL;
    struct fail ignored;
    bool ok = true;
    if (ext_files_read(folder, false, &files, &ignored) && ext_package_parse(files, view_of(folder), &defaults, &package, &ignored)) {
        ok = add_package(listing, folder, package);
    } else if (namespace[0] && !find_row(listing, view_of(namespace))) {
        ok = add_row(listing, view_of(namespace), view_of(namespace), VIEW(""), folder, false);
    }
    ext_package_free(package);
    ext_files_free(files);
    return ok;
}

static void folders_job(void *arg)
{
    struct listing *listing = arg;
    char namespace[EXT_NAME_MAX];
    const char *folder;
    listing->ok = true;
    for (int i = 0; listing->ok && (folder = watch_at(listing->host, i, &listing->arena, namespace)) != NULL; i++) {
        listing->ok = add_folder(listing, folder, namespace);
    }
}

static bool add_draft(void *arg, const struct ext_draft *draft, struct fail *fail)
{
    struct listing *listing = arg;
    (void)fail;
    return find_row(listing, draft->namespace) || add_row(listing, draft->namespace, draft->name, VIEW(""), NULL, true);
}

// Newest first, so the first of a namespace is the one.
static bool add_version(void *arg, const struct ext_published *version, struct fail *fail)
{
    struct listing *listing = arg;
    struct map *row = find_row(listing, version->namespace);
    (void)fail;
    if (!row) {
        return add_row(listing, version->namespace, version->name, version->version, NULL, false);
    }
    if (value_view_or(map_get_text(row, VIEW("version")), VIEW("")).len == 0) {
        map_put_text(listing->heap, row, VIEW("version"), value_text(listing->heap, version->version));
    }
    return true;
}

static bool list_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct listing *listing = arg;
    return ext_drafts_tx(tx, VIEW(""), &listing->arena, add_draft, listing, fail) &&
           ext_published_tx(tx, VIEW(""), add_version, listing, fail);
}

static int by_name(const void *a, const void *b)
{
    const struct map *left = value_as_map(*(const struct value *)a), *right = value_as_map(*(const struct value *)b);
    return view_compare(value_view_or(map_get_text(left, VIEW("namespace")), VIEW("")),
                        value_view_or(map_get_text(right, VIEW("namespace")), VIEW("")));
}

bool host_drafts_list(struct host *host, const struct identity *who, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    struct value list = value_list(heap, 16);
    struct listing listing = {.host = host, .heap = heap, .rows = value_as_list(list), .fail = fail};
    struct store_env *control;
    (void)who;
    fail_clear(fail);
    if (!listing.rows) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    arena_init(&listing.arena, 8 << 20);
    bool ran = loop_fiber() ? loop_job(folders_job, &listing, fail) : (folders_job(&listing), true);
    bool ok = ran && listing.ok && host_control(host, &control, fail) && store_read(control, list_tx, &listing, fail);
    if (ok && !heap->failed && listing.rows->count) {
        qsort(listing.rows->items, listing.rows->count, sizeof *listing.rows->items, by_name);
    }
    arena_free(&listing.arena);
    *ret_list = list;
    return ok && (!heap->failed || fail_set(fail, FAIL_MEMORY, NULL));
}
