// SPDX-License-Identifier: Apache-2.0
//
// Brings a data base to the shape that this program knows. store's own tables come first (one row of state, one row a room with the version
// that it has reached, the journals of install actions); then every migration that has not run yet, in the order of the list, each in a
// transaction of its own together with the row that says so: a process that dies between two of them goes on where it stopped.
//
// A data base that is up to date costs one query.
#include "store/inside.h"

#include <inttypes.h>

enum { ROOMS_MAX = 16, ROOM_NAME_MAX = 32 };

struct room_version {
    char room[ROOM_NAME_MAX];
    int64_t version;
};

struct progress {
    const char *where; // the data base, for error texts
    struct room_version rooms[ROOMS_MAX];
    int count;
    int64_t version; // of the metadata
    bool journals; // unfinished ones were left
};

static const char own_tables[] = "CREATE TABLE store_state (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, next_id INTEGER NOT NULL);"
                                 "CREATE TABLE store_rooms (room TEXT PRIMARY KEY, version INTEGER NOT NULL);"
                                 "CREATE TABLE store_journals (id INTEGER PRIMARY KEY, started INTEGER NOT NULL);"
                                 "CREATE TABLE store_notes (id INTEGER PRIMARY KEY, journal INTEGER NOT NULL, table_name TEXT NOT NULL,"
                                 " row_id INTEGER NOT NULL, old_row TEXT, new_row TEXT);"
                                 "CREATE INDEX store_notes_journal ON store_notes (journal, id);";

// ---- what is there ------------------------------------------------------------------------------

// Where a room stands; one that was never migrated stands at 0.
static struct room_version *find_room(struct progress *progress, const char *room, struct fail *fail)
{
    for (int i = 0; i < progress->count; i++) {
        if (strcmp(progress->rooms[i].room, room) == 0) {
            return &progress->rooms[i];
        }
    }
    if (progress->count == ROOMS_MAX || strlen(room) >= ROOM_NAME_MAX) {
        fail_set(fail, FAIL_STORE, "%s: more rooms have migrations than can be", progress->where);
        return NULL;
    }
    struct room_version *added = &progress->rooms[progress->count++];
    snprintf(added->room, sizeof added->room, "%s", room);
    added->version = 0;
    return added;
}

// Room names have no blanks, so the two rows that are no rooms begin with one.
static bool note_row(struct progress *progress, const struct rows *rows, struct fail *fail)
{
    struct view name = rows_text(rows, 0);
    int64_t number = rows_int(rows, 1);
    if (view_eq(name, VIEW(" version"))) {
        progress->version = number;
        return true;
    }
    if (view_eq(name, VIEW(" journals"))) {
        progress->journals = number > 0;
        return true;
    }
    char room[ROOM_NAME_MAX];
    snprintf(room, sizeof room, "%.*s", VIEW_ARGS(name));
    struct room_version *known = find_room(progress, room, fail);
    if (!known) {
        return false;
    }
    known->version = number;
    return true;
}

// All that opening needs to know, in one statement: it is on the path of a cold start.
static bool read_progress(struct tx *tx, void *arg, struct fail *fail)
{
    struct progress *progress = arg;
    struct rows *rows;
    if (!tx_query(tx,
                  "SELECT room, version FROM store_rooms UNION ALL SELECT ' version', version FROM store_state"
                  " UNION ALL SELECT ' journals', count(*) FROM store_journals",
                  NULL, 0, &rows, fail)) {
        return false;
    }
    bool ok = true;
    while (ok && rows_next(rows, fail)) {
        ok = note_row(progress, rows, fail);
    }
    ok = ok && fail->code == FAIL_NONE;
    rows_close(rows);
    return ok;
}

// ---- steps, each a transaction ------------------------------------------------------------------

// fn in a transaction of its own.
static bool run_alone(struct tx *tx, store_fn *fn, void *arg, struct fail *fail)
{
    if (!tx_begin(tx, fail)) {
        return false;
    }
    bool ok = fn(tx, arg, fail);
    if (ok && tx_commit(tx, fail)) {
        return true;
    }
    tx_rollback(tx);
    return false;
}

// Ids of an environment are one counter behind a prefix of six digits of its own, 18 digits in all as at Zoho (spec/crm-api.md).
static int64_t first_id(void)
{
    uint32_t random;
    random_bytes(&random, sizeof random);
    return (int64_t)(100000 + random % 800000) * INT64_C(1000000000000) + 1;
}

static bool make_own_tables(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    const struct store_param first[] = {store_int(first_id())};
    return tx->engine->script(tx, own_tables, fail) && (!tx->engine->make_ids || tx->engine->make_ids(tx, first[0].integer, fail)) &&
           tx_exec(tx, "INSERT INTO store_state (id, version, next_id) VALUES (1, 1, ?)", first, 1, fail);
}

struct step {
    const struct store_migration *migration;
    void *arg;
};

static bool run_step(struct tx *tx, void *arg, struct fail *fail)
{
    const struct step *step = arg;
    const struct store_migration *m = step->migration;
    if (m->sql && !tx->engine->script(tx, m->sql, fail)) {
        return false;
    }
    if (m->fn && !m->fn(tx, step->arg, fail)) {
        return false;
    }
    const struct store_param reached[] = {store_text(view_of(m->room)), store_int(m->version)};
    return tx_exec(tx, "INSERT INTO store_rooms (room, version) VALUES (?, ?) ON CONFLICT (room) DO UPDATE SET version = excluded.version",
                   reached, 2, fail);
}

// A step may have bumped the version of the metadata.
static void note_version(struct progress *progress, const struct tx *tx)
{
    progress->version = tx->state.version ? tx->state.version : progress->version;
}

// The list is in the order in which rooms depend on each other, so it is followed as it is.
static bool run_missing(struct tx *tx, struct progress *progress, const struct store_migration *migrations, void *arg, struct fail *fail)
{
    for (const struct store_migration *m = migrations; m && m->room; m++) {
        struct room_version *room = find_room(progress, m->room, fail);
        if (!room) {
            return false;
        }
        if (m->version <= room->version) {
            continue;
        }
        struct step step = {.migration = m, .arg = arg};
        if (!run_alone(tx, run_step, &step, fail)) {
            char reason[FAIL_TEXT_MAX];
            snprintf(reason, sizeof reason, "%s", fail->text);
            return fail_set(fail, fail->code, "%s: migration %s %d: %s", progress->where, m->room, m->version, reason);
        }
        room->version = m->version;
        note_version(progress, tx);
    }
    return true;
}

// A room that went further than this program knows was written by a newer one; changing it could break it.
static bool check_not_newer(const struct progress *progress, const struct store_migration *migrations, struct fail *fail)
{
    for (int i = 0; i < progress->count; i++) {
        const struct room_version *room = &progress->rooms[i];
        int newest = 0;
        for (const struct store_migration *m = migrations; m && m->room; m++) {
            if (strcmp(m->room, room->room) == 0 && m->version > newest) {
                newest = m->version;
            }
        }
        if (room->version > newest) {
            return fail_set(fail, FAIL_STORE, "%s: made by a newer program (%s is at version %" PRId64 ", this program knows %d)",
                            progress->where, room->room, room->version, newest);
        }
    }
    return true;
}

static bool undo_journals(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    return journal_undo_all(tx, fail);
}

// A file that was just made, or whose making was cut short, has none of our tables: then the first question fails.
bool migrate_run(struct tx *tx, const char *where, const struct store_migration *migrations, void *arg, int64_t *ret_version,
                 struct fail *fail)
{
    struct progress progress = {.where = where, .version = 1};
    if (!run_alone(tx, read_progress, &progress, fail)) {
        if (!tx->engine->empty(tx)) {
            return false;
        }
        fail_clear(fail);
        if (!run_alone(tx, make_own_tables, NULL, fail)) {
            return false;
        }
    }
    if (!check_not_newer(&progress, migrations, fail) || !run_missing(tx, &progress, migrations, arg, fail)) {
        return false;
    }
    if (progress.journals) {
        if (!run_alone(tx, undo_journals, NULL, fail)) {
            return false;
        }
        note_version(&progress, tx);
    }
    *ret_version = progress.version;
    return true;
}
