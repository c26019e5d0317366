// SPDX-License-Identifier: Apache-2.0
//
// Drafts, in the data base `control`: the files of an extension between two versions, as people change them in the console. One draft an
// extension; it begins empty, or with the files of a published version, and ends when it is published. `revision` grows with every change,
// so that whoever has read a draft can tell whether it is still the one that he has read.
#include "ext/inside.h"

enum { DRAFTS_MAX = 1000 };

static bool read_draft(struct rows *rows, struct arena *arena, struct ext_draft *draft)
{
    *draft = (struct ext_draft){.namespace = arena_copy(arena, rows_text(rows, 0)),
                                .name = arena_copy(arena, rows_text(rows, 1)),
                                .version = arena_copy(arena, rows_text(rows, 2)),
                                .revision = rows_int(rows, 3)};
    return draft->namespace.data && draft->name.data && draft->version.data;
}

bool ext_drafts_tx(struct tx *tx, struct view namespace, struct arena *arena, ext_each_draft *each, void *arg, struct fail *fail)
{
    struct store_param key = store_text(namespace);
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx,
                  "SELECT namespace, name, version, revision FROM ext_draft WHERE ?1 = '' OR lower(namespace) = lower(?1)"
                  " ORDER BY namespace",
                  &key, 1, &rows, fail)) {
        return false;
    }
    bool ok = true;
    while (ok && rows_next(rows, fail)) {
        struct ext_draft draft;
        ok = read_draft(rows, arena, &draft) ? each(arg, &draft, fail) : fail_set(fail, FAIL_MEMORY, NULL);
    }
    rows_close(rows);
    return ok && fail->code == FAIL_NONE;
}

static bool check_room(struct tx *tx, struct fail *fail)
{
    int64_t count;
    bool found;
    return tx_query_int(tx, "SELECT count(*) FROM ext_draft", NULL, 0, &count, &found, fail) &&
           (count < DRAFTS_MAX || fail_set(fail, FAIL_FULL, "there are %d drafts; publish or remove some of them", DRAFTS_MAX));
}

bool ext_draft_begin_tx(struct tx *tx, const struct ext_draft *draft, struct fail *fail)
{
    struct store_param row[] = {store_text(draft->namespace), store_text(draft->name), store_text(draft->version),
                                store_int(clock_wall_ms())};
    return check_room(tx, fail) &&
           tx_exec(tx, "INSERT INTO ext_draft (namespace, name, version, revision, changed_ms) VALUES (?, ?, ?, 1, ?)", row, 4, fail);
}

bool ext_draft_copy_tx(struct tx *tx, struct view namespace, struct view version, struct fail *fail)
{
    struct store_param key[] = {store_text(namespace), store_text(version)};
    return tx_exec(
        tx,
        "INSERT INTO ext_draft_file (namespace, path, bytes) SELECT namespace, path, bytes FROM ext_published_file WHERE namespace"
        " = ? AND version = ?",
        key, 2, fail);
}

bool ext_draft_put_tx(struct tx *tx, struct view namespace, struct view path, struct view bytes, struct fail *fail)
{
    struct store_param row[] = {store_text(namespace), store_text(path), store_blob(bytes)};
    return bytes.data
               ? tx_exec(tx,
                         "INSERT INTO ext_draft_file (namespace, path, bytes) VALUES (?, ?, ?) ON CONFLICT (namespace, path) DO UPDATE"
                         " SET bytes = excluded.bytes",
                         row, 3, fail)
               : tx_exec(tx, "DELETE FROM ext_draft_file WHERE namespace = ? AND path = ?", row, 2, fail);
}

bool ext_draft_check_tx(struct tx *tx, struct view namespace, struct fail *fail)
{
    struct store_param key = store_text(namespace);
    int64_t bytes, count;
    bool found;
    return tx_query_int(tx, "SELECT COALESCE(sum(length(bytes)), 0) FROM ext_draft_file WHERE namespace = ?", &key, 1, &bytes, &found,
                        fail) &&
           tx_query_int(tx, "SELECT count(*) FROM ext_draft_file WHERE namespace = ?", &key, 1, &count, &found, fail) &&
           ((bytes <= EXT_PACKAGE_BYTES_MAX && count <= EXT_FILES_MAX) ||
            fail_set(fail, FAIL_TOO_LARGE, "the extension would have more than %d bytes or %d files", EXT_PACKAGE_BYTES_MAX,
                     EXT_FILES_MAX));
}

bool ext_draft_turn_tx(struct tx *tx, struct view namespace, int64_t revision, bool *ret_turned, struct fail *fail)
{
    struct store_param row[] = {store_int(clock_wall_ms()), store_text(namespace), store_int(revision)};
    if (!tx_exec(tx, "UPDATE ext_draft SET revision = revision + 1, changed_ms = ? WHERE namespace = ? AND revision = ?", row, 3, fail)) {
        return false;
    }
    *ret_turned = tx_changes(tx) > 0;
    return true;
}

bool ext_draft_remove_tx(struct tx *tx, struct view namespace, struct fail *fail)
{
    struct store_param key = store_text(namespace);
    return tx_exec(tx, "DELETE FROM ext_draft_file WHERE namespace = ?", &key, 1, fail) &&
           tx_exec(tx, "DELETE FROM ext_draft WHERE namespace = ?", &key, 1, fail);
}

bool ext_source_files_tx(struct tx *tx, struct view namespace, struct view version, bool all, struct ext_files **ret_files,
                         struct fail *fail)
{
#define SCRIPTS_OF_APP " AND (path NOT LIKE 'app/%' OR path LIKE '%.dg' OR path LIKE '%.deluge' OR path LIKE '%.ds' OR path LIKE '%.dre')"
    static const char *const queries[2][2] = {
        {"SELECT path, bytes FROM ext_draft_file WHERE namespace = ?" SCRIPTS_OF_APP,
         "SELECT path, bytes FROM ext_draft_file WHERE namespace = ?"},
        {"SELECT path, bytes FROM ext_published_file WHERE namespace = ? AND version = ?" SCRIPTS_OF_APP,
         "SELECT path, bytes FROM ext_published_file WHERE namespace = ? AND version = ?"}};
    struct store_param key[] = {store_text(namespace), store_text(version)};
    int published = version.len > 0;
    struct ext_files *files = ext_files_new();
    struct rows *rows;
    fail_clear(fail);
    if (!files || !tx_query(tx, queries[published][all], key, 1 + published, &rows, fail)) {
        ext_files_free(files);
        return files ? false : fail_set(fail, FAIL_MEMORY, NULL);
    }
    bool ok = true;
    while (ok && rows_next(rows, fail)) {
        ok = ext_files_add(files, rows_text(rows, 0), rows_text(rows, 1), fail);
    }
    rows_close(rows);
    ok = ok && fail->code == FAIL_NONE && ext_files_sort(files, fail);
    if (ok) {
        *ret_files = files;
    } else {
        ext_files_free(files);
    }
    return ok;
}

static struct store_param access_param(enum ext_access access)
{
    return access == EXT_ACCESS_KEEP ? store_null() : store_int(access == EXT_ACCESS_ON);
}

bool ext_function_access_tx(struct tx *tx, struct view canonical, enum ext_access apikey, enum ext_access oauth, bool *ret_found,
                            struct fail *fail)
{
    struct store_param row[] = {access_param(apikey), access_param(oauth), store_text(canonical)};
    if (!tx_exec(tx, "UPDATE ext_function SET apikey = COALESCE(?, apikey), oauth = COALESCE(?, oauth) WHERE canonical = ? AND live = 1",
                 row, 3, fail)) {
        return false;
    }
    *ret_found = tx_changes(tx) > 0;
    return !*ret_found || store_bump(tx, fail);
}

// ---- saves --------------------------------------------------------------------------------------

static bool newest_save(struct tx *tx, const struct store_param *key, struct view source, bool *ret_same, struct fail *fail)
{
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT source FROM ext_script_save WHERE namespace = ? AND path = ? ORDER BY position DESC LIMIT 1", key, 2, &rows,
                  fail)) {
        return false;
    }
    *ret_same = rows_next(rows, fail) && view_eq(rows_text(rows, 0), source);
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool ext_script_save_tx(struct tx *tx, struct view namespace, struct view path, struct view source, int64_t saved_ms, struct fail *fail)
{
    struct store_param key[] = {store_text(namespace), store_text(path)};
    struct store_param row[] = {key[0], key[1], key[0], key[1], store_int(saved_ms), store_text(source)};
    struct store_param old[] = {key[0], key[1], key[0], key[1], store_int(EXT_SCRIPT_SAVES_MAX)};
    bool same;
    if (!newest_save(tx, key, source, &same, fail)) {
        return false;
    }
    return same || (tx_exec(tx,
                            "INSERT INTO ext_script_save (namespace, path, position, saved_ms, source) SELECT ?, ?, (SELECT"
                            " COALESCE(max(position), 0) + 1 FROM ext_script_save WHERE namespace = ? AND path = ?), ?, ?",
                            row, 6, fail) &&
                    tx_exec(tx,
                            "DELETE FROM ext_script_save WHERE namespace = ? AND path = ? AND position <= (SELECT max(position) FROM"
                            " ext_script_save WHERE namespace = ? AND path = ?) - ?",
                            old, 5, fail));
}

bool ext_script_saves_tx(struct tx *tx, struct view namespace, struct view path, ext_each_save *each, void *arg, struct fail *fail)
{
    struct store_param key[] = {store_text(namespace), store_text(path)};
    return ext_save_rows_tx(
        tx, "SELECT position, saved_ms, source FROM ext_script_save WHERE namespace = ? AND path = ? ORDER BY position DESC", key, 2, each,
        arg, fail);
}
