// SPDX-License-Identifier: Apache-2.0
// Seed records: what a served folder brings for a new default org, loaded once (PRODUCT "An extension on disk"). All or none: a journal
// takes back what was loaded before a record that is refused.
#include "host/install.h"

struct seeding {
    struct install *in;
    int64_t journal;
};

static bool seed_begin_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct seeding *seeding = arg;
    return store_journal_begin(tx, &seeding->journal, fail);
}

static bool seed_done_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct seeding *seeding = arg;
    bool seeded;
    return store_journal_done(tx, seeding->journal, fail) && ext_seeded_tx(tx, seeding->in->package->namespace, &seeded, true, fail);
}

static bool seed_undo_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct seeding *seeding = arg;
    return store_journal_undo(tx, seeding->journal, fail);
}

// Says which seed record was refused and why.
static bool check_results(struct install *in, struct view module, struct value results)
{
    const struct list *list = value_as_list(results);
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct map *row = value_as_map(list->items[i]);
        if (row && !view_eq(value_view_or(map_get_text(row, VIEW("status")), VIEW("")), VIEW("success"))) {
            struct value why = value_to_text(&in->package->heap, list->items[i], in->fail);
            return fail_set(in->fail, FAIL_INVALID_DATA, "seed record %u of %.*s was refused: %.*s", i + 1, VIEW_ARGS(module),
                            VIEW_ARGS(value_view_or(why, VIEW(""))));
        }
    }
    return true;
}

static bool seed_module(struct install *in, struct crm_session *session, struct view module, struct value rows)
{
    const struct list *all = value_as_list(rows);
    if (!all) {
        return fail_set(in->fail, FAIL_INVALID_DATA, "the seed records of %.*s must be a list", VIEW_ARGS(module));
    }
    for (uint32_t at = 0; at < all->count; at += CRM_ROWS_MAX) {
        struct value part = value_list(session->heap, CRM_ROWS_MAX), results;
        for (uint32_t i = at; part.type == VALUE_LIST && i < all->count && i < at + CRM_ROWS_MAX; i++) {
            list_add(session->heap, part.list, all->items[i]);
        }
        if (!crm_records_insert(session, module, part, &results, in->fail) || !check_results(in, module, results)) {
            return false;
        }
    }
    return true;
}

static bool seed_all(struct install *in, int64_t journal)
{
    struct crm_session session;
    if (!crm_session_open(in->env->crm, &in->package->heap, &session, in->fail)) {
        return false;
    }
    session.namespace = in->package->namespace;
    session.journal = journal;
    bool ok = true;
    for (uint32_t i = 0; ok && i < in->package->seeds.list->count; i++) {
        struct value records = map_get_text(in->package->seeds.list->items[i].map, VIEW("records"));
        const struct map *modules = value_as_map(records);
        uint32_t cursor = 0;
        ok = modules || fail_set(in->fail, FAIL_INVALID_DATA, "a seed file needs \"records\": {module: [records]}");
        for (struct map_entry *entry; ok && (entry = map_next(modules, &cursor));) {
            ok = seed_module(in, &session, value_view_or(entry->key, VIEW("")), entry->value);
        }
    }
    crm_session_close(&session);
    return ok;
}

bool install_seed(struct install *in)
{
    struct seeding seeding = {.in = in};
    if (in->host->options.no_seeds || in->seeded || in->package->seeds.list->count == 0) {
        return true;
    }
    if (!store_write(in->env->env, seed_begin_tx, &seeding, in->fail)) {
        return false;
    }
    if (seed_all(in, seeding.journal)) {
        return store_write(in->env->env, seed_done_tx, &seeding, in->fail);
    }
    struct fail undo;
    say(in, LOG_ERROR, "%s/seed:1:1: error: %s", in->folder, in->fail->text);
    store_write(in->env->env, seed_undo_tx, &seeding, &undo);
    return false;
}
