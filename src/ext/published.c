// SPDX-License-Identifier: Apache-2.0
// Published versions, in the data base `control`: all orgs install from here. A version's files are kept as they were published and never
// change; what an org has installed is a copy of its own (installed.c). Versions are ordered here, not in SQL, which knows nothing of them.
#include "ext/inside.h"

#include <stdlib.h>

enum { VERSIONS_MAX = 10000 };

const struct store_migration ext_control_migrations[] = {
    {.room = "ext",
     .version = 1,
     .sql = "CREATE TABLE ext_published (namespace TEXT NOT NULL, version TEXT NOT NULL, name TEXT NOT NULL, portal TEXT NOT NULL, digest"
            " TEXT NOT NULL, published_ms INTEGER NOT NULL, PRIMARY KEY (namespace, version));"
            "CREATE TABLE ext_published_file (namespace TEXT NOT NULL, version TEXT NOT NULL, path TEXT NOT NULL, bytes BLOB NOT NULL,"
            " PRIMARY KEY (namespace, version, path))"},
    {.room = "ext",
     .version = 2,
     .sql = "CREATE TABLE ext_scheduled (org_number INTEGER NOT NULL, sandbox INTEGER NOT NULL, PRIMARY KEY (org_number, sandbox))"},
    {.room = "ext",
     .version = 3,
     .sql =
         "CREATE TABLE ext_draft (namespace TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, revision INTEGER NOT NULL,"
         " changed_ms INTEGER NOT NULL);"
         "CREATE UNIQUE INDEX ext_draft_namespace ON ext_draft (lower(namespace));"
         "CREATE TABLE ext_draft_file (namespace TEXT NOT NULL, path TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (namespace, path))"},
    {.room = "ext",
     .version = 4,
     .sql =
         "CREATE TABLE ext_script_save (namespace TEXT NOT NULL, path TEXT NOT NULL, position INTEGER NOT NULL, saved_ms INTEGER NOT NULL,"
         " source TEXT NOT NULL, PRIMARY KEY (namespace, path, position))"},
    {.room = NULL},
};

// ---- reading ------------------------------------------------------------------------------------

struct versions {
    struct arena arena;
    struct ext_published *items;
    int count;
};

static struct ext_published copy_row(struct arena *arena, struct rows *rows)
{
    return (struct ext_published){.namespace = arena_copy(arena, rows_text(rows, 0)),
                                  .name = arena_copy(arena, rows_text(rows, 1)),
                                  .version = arena_copy(arena, rows_text(rows, 2)),
                                  .portal = arena_copy(arena, rows_text(rows, 3)),
                                  .digest = arena_copy(arena, rows_text(rows, 4)),
                                  .published_ms = rows_int(rows, 5)};
}

// Namespaces by name, each one's newest version first.
static int by_age(const void *a, const void *b)
{
    const struct ext_published *left = a, *right = b;
    int order = view_compare(left->namespace, right->namespace);
    return order ? order : ext_version_compare(right->version, left->version);
}

// Init and free are the caller's.
static bool load_versions(struct tx *tx, struct view namespace, struct versions *versions, struct fail *fail)
{
    struct store_param params[] = {store_text(namespace), store_text(namespace), store_int(VERSIONS_MAX + 1)};
    struct rows *rows;
    fail_clear(fail);
    versions->items = arena_alloc(&versions->arena, (VERSIONS_MAX + 1) * sizeof *versions->items);
    if (!versions->items) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!tx_query(tx,
                  "SELECT namespace, name, version, portal, digest, published_ms FROM ext_published WHERE ? = '' OR lower(namespace) = "
                  "lower(?) LIMIT ?",
                  params, 3, &rows, fail)) {
        return false;
    }
    while (versions->count < VERSIONS_MAX && rows_next(rows, fail)) {
        versions->items[versions->count++] = copy_row(&versions->arena, rows);
    }
    rows_close(rows);
    if (versions->count) {
        qsort(versions->items, (size_t)versions->count, sizeof *versions->items, by_age);
    }
    return fail->code == FAIL_NONE;
}

bool ext_published_tx(struct tx *tx, struct view namespace, bool (*each)(void *arg, const struct ext_published *version, struct fail *fail),
                      void *arg, struct fail *fail)
{
    struct versions versions = {.count = 0};
    arena_init(&versions.arena, EXT_PACKAGE_BYTES_MAX);
    bool ok = load_versions(tx, namespace, &versions, fail);
    for (int i = 0; ok && i < versions.count; i++) {
        ok = each(arg, &versions.items[i], fail);
    }
    arena_free(&versions.arena);
    return ok;
}

// The version that was asked for, or the newest release, or the newest of all.
static const struct ext_published *choose(const struct versions *versions, struct view version)
{
    const struct ext_published *newest = NULL;
    for (int i = 0; i < versions->count; i++) {
        const struct ext_published *item = &versions->items[i];
        if (version.len ? view_eq(item->version, version) : ext_version_is_release(item->version)) {
            return item;
        }
        newest = newest ? newest : item;
    }
    return version.len ? NULL : newest;
}

static bool load_files(struct tx *tx, const struct ext_published *version, struct ext_files *files, struct fail *fail)
{
    struct store_param key[] = {store_text(version->namespace), store_text(version->version)};
    struct rows *rows;
    if (!tx_query(tx, "SELECT path, bytes FROM ext_published_file WHERE namespace = ? AND version = ?", key, 2, &rows, fail)) {
        return false;
    }
    bool ok = true;
    while (ok && rows_next(rows, fail)) {
        ok = ext_files_add(files, rows_text(rows, 0), rows_text(rows, 1), fail);
    }
    rows_close(rows);
    return ok && fail->code == FAIL_NONE && ext_files_sort(files, fail);
}

static struct ext_published copy_version(struct arena *arena, const struct ext_published *version)
{
    return (struct ext_published){.namespace = arena_copy(arena, version->namespace),
                                  .name = arena_copy(arena, version->name),
                                  .version = arena_copy(arena, version->version),
                                  .portal = arena_copy(arena, version->portal),
                                  .digest = arena_copy(arena, version->digest),
                                  .published_ms = version->published_ms};
}

bool ext_published_files_tx(struct tx *tx, struct view namespace, struct view version, struct ext_published *ret_version,
                            struct ext_files **ret_files, struct fail *fail)
{
    struct versions versions = {.count = 0};
    arena_init(&versions.arena, EXT_PACKAGE_BYTES_MAX);
    bool ok = load_versions(tx, namespace, &versions, fail);
    const struct ext_published *chosen = ok ? choose(&versions, version) : NULL;
    struct ext_files *files = chosen ? ext_files_new() : NULL;
    if (ok && versions.count == 0) {
        ok = fail_set(fail, FAIL_NOT_FOUND, "no extension with the namespace \"%.*s\" is published; sluice ext publish DIR does it",
                      VIEW_ARGS(namespace));
    } else if (ok && !chosen) {
        ok = fail_set(fail, FAIL_NOT_FOUND, "version %.*s of \"%.*s\" is not published", VIEW_ARGS(version), VIEW_ARGS(namespace));
    } else if (ok && !files) {
        ok = fail_set(fail, FAIL_MEMORY, NULL);
    }
    ok = ok && load_files(tx, chosen, files, fail);
    if (ok) {
        *ret_version = copy_version(&files->arena, chosen);
        *ret_files = files;
    } else {
        ext_files_free(files);
    }
    arena_free(&versions.arena);
    return ok;
}

bool ext_published_file_tx(struct tx *tx, struct view namespace, struct view version, struct view path, struct arena *arena,
                           struct view *ret_bytes, struct fail *fail)
{
    struct store_param key[] = {store_text(namespace), store_text(version), store_text(path)};
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx,
                  "SELECT f.bytes FROM ext_published p JOIN ext_published_file f ON f.namespace = p.namespace AND f.version = p.version"
                  " WHERE lower(p.namespace) = lower(?) AND p.version = ? AND f.path = ?",
                  key, 3, &rows, fail)) {
        return false;
    }
    *ret_bytes = rows_next(rows, fail) ? arena_copy(arena, rows_text(rows, 0)) : VIEW_NONE;
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

// ---- publishing ---------------------------------------------------------------------------------

// A namespace belongs to the portal that published it first; without a portal nobody else's is taken.
static bool check_owner(const struct versions *versions, const struct ext_package *package, struct fail *fail)
{
    for (int i = 0; i < versions->count; i++) {
        const struct ext_published *other = &versions->items[i];
        if (!view_eq(other->namespace, package->namespace)) {
            return fail_set(fail, FAIL_EXISTS, "the namespace \"%.*s\" is published as \"%.*s\"; case makes no difference",
                            VIEW_ARGS(package->namespace), VIEW_ARGS(other->namespace));
        }
        if (other->portal.len && !view_eq_nocase(other->portal, package->portal)) {
            return fail_set(fail, FAIL_EXISTS, "the namespace \"%.*s\" belongs to the portal \"%.*s\"", VIEW_ARGS(package->namespace),
                            VIEW_ARGS(other->portal));
        }
    }
    return true;
}

static bool write_files(struct tx *tx, const struct ext_package *package, const struct ext_files *files, struct fail *fail)
{
    for (int i = 0; i < files->count; i++) {
        struct store_param row[] = {store_text(package->namespace), store_text(package->version), store_text(files->items[i].path),
                                    store_blob(files->items[i].bytes)};
        if (!tx_exec(tx, "INSERT INTO ext_published_file (namespace, version, path, bytes) VALUES (?, ?, ?, ?)", row, 4, fail)) {
            return false;
        }
    }
    return true;
}

bool ext_publish_tx(struct tx *tx, const struct ext_package *package, const struct ext_files *files, struct view digest, bool *ret_new,
                    struct fail *fail)
{
    struct versions versions = {.count = 0};
    arena_init(&versions.arena, EXT_PACKAGE_BYTES_MAX);
    bool ok = load_versions(tx, package->namespace, &versions, fail) && check_owner(&versions, package, fail);
    const struct ext_published *same = ok ? choose(&versions, package->version) : NULL;
    if (ok && same && !view_eq(same->digest, digest)) {
        ok = fail_set(fail, FAIL_EXISTS, "version %.*s of \"%.*s\" is published with other files; raise \"version\" in extension.json",
                      VIEW_ARGS(package->version), VIEW_ARGS(package->namespace));
    }
    if (ok && !same) {
        struct store_param row[] = {store_text(package->namespace),
                                    store_text(package->version),
                                    store_text(package->name),
                                    store_text(package->portal.data ? package->portal : VIEW("")),
                                    store_text(digest),
                                    store_int(clock_wall_ms())};
        ok = tx_exec(tx, "INSERT INTO ext_published (namespace, version, name, portal, digest, published_ms) VALUES (?, ?, ?, ?, ?, ?)",
                     row, 6, fail) &&
             write_files(tx, package, files, fail);
    }
    *ret_new = !same;
    arena_free(&versions.arena);
    return ok;
}
