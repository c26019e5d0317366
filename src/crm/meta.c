// SPDX-License-Identifier: Apache-2.0
// The metadata cache: one picture (struct crm_meta) an environment, counted, replaced when the environment's version has grown, and the
// resolving of names against it. The hard thing is that a picture is shared by all loops while it is still being completed: the fields of a
// module are built aside and published with one compare-and-swap; whoever comes second throws his own copy away. Nothing here gives way
// while the lock is held.
#include "crm/automation.h"

#include <pthread.h>
#include <stdlib.h>

struct crm {
    struct store_env *env;
    pthread_mutex_t lock; // guards `current` for the few instructions of a pin
    struct crm_meta *current;
    struct crm_slow *slow; // made by the first slow read
    void (*queued)(void *user); // see crm_on_pending
    void *queued_user;
};

bool crm_open(struct store_env *env, struct crm **ret_crm, struct fail *fail)
{
    struct crm *crm = calloc(1, sizeof *crm);
    if (!crm) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    crm->env = env;
    pthread_mutex_init(&crm->lock, NULL);
    *ret_crm = crm;
    return true;
}

void crm_close(struct crm *crm)
{
    if (!crm) {
        return;
    }
    if (crm->current) {
        crm_meta_release(crm->current);
    }
    pthread_mutex_destroy(&crm->lock);
    free(crm->slow);
    free(crm);
}

int crm_slow_count(struct crm *crm, struct view module, struct view field)
{
    int count = 0;
    pthread_mutex_lock(&crm->lock);
    crm->slow = crm->slow ? crm->slow : calloc(1, sizeof *crm->slow);
    for (int i = 0; crm->slow && i < CRM_SLOW_FIELDS && !count; i++) {
        struct crm_slow_field *slot = &crm->slow->fields[i];
        if (slot->count == 0) {
            snprintf(slot->name, sizeof slot->name, "%.*s.%.*s", VIEW_ARGS(module), VIEW_ARGS(field));
        }
        ptrdiff_t dot = view_find_char(view_of(slot->name), '.');
        if (view_eq(view_slice(view_of(slot->name), 0, (size_t)dot), module) &&
            view_eq(view_from(view_of(slot->name), (size_t)dot + 1), field)) {
            count = ++slot->count;
        }
    }
    pthread_mutex_unlock(&crm->lock);
    return count;
}

struct store_env *crm_env(struct crm *crm)
{
    return crm->env;
}

void crm_on_pending(struct crm *crm, void (*queued)(void *user), void *user)
{
    crm->queued = queued;
    crm->queued_user = user;
}

void crm_tell_pending(const struct crm *crm)
{
    if (crm->queued) {
        crm->queued(crm->queued_user);
    }
}

// ---- reading a picture --------------------------------------------------------------------------

// A picture starts with one reference, its maker's.
static struct crm_meta *new_meta(int64_t version)
{
    struct crm_meta *meta = calloc(1, sizeof *meta);
    if (meta) {
        atomic_init(&meta->refs, 1);
        meta->version = version;
        arena_init(&meta->arena, CRM_META_BYTES_MAX);
        table_init(&meta->by_name, CRM_MODULES_MAX, true);
    }
    return meta;
}

static void free_fields(struct crm_fields *fields)
{
    if (fields) {
        crm_selection_free(atomic_load_explicit(&fields->single, memory_order_acquire));
        crm_selection_free(atomic_load_explicit(&fields->listed, memory_order_acquire));
        table_free(&fields->by_name);
        arena_free(&fields->arena);
        free(fields);
    }
}

void crm_meta_release(const struct crm_meta *shared)
{
    struct crm_meta *meta = (struct crm_meta *)shared;
    if (!meta || atomic_fetch_sub_explicit(&meta->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (int i = 0; i < meta->module_count; i++) {
        free_fields(atomic_load_explicit(&meta->modules[i].fields, memory_order_acquire));
    }
    crm_automation_free(meta->automation);
    table_free(&meta->by_name);
    arena_free(&meta->arena);
    free(meta);
}

// One row; an environment without it was never seeded.
static bool read_org(struct tx *tx, struct crm_meta *meta, struct fail *fail)
{
    struct rows *rows;
    if (!tx_query(tx, "SELECT id, admin_id, time_zone, currency_symbol FROM crm_org", NULL, 0, &rows, fail)) {
        return false;
    }
    bool found = rows_next(rows, fail);
    if (found) {
        meta->org_id = rows_int(rows, 0);
        meta->admin_id = rows_int(rows, 1);
        meta->zone = zone_find(rows_text(rows, 2));
        meta->currency_symbol = arena_copy(&meta->arena, rows_text(rows, 3));
    }
    rows_close(rows);
    return found || (fail->code == FAIL_NONE ? fail_set(fail, FAIL_NOT_FOUND, "this environment holds no organisation yet") : false);
}

// Users are few and asked for with every record: they are part of the picture, ordered by id.
static bool read_users(struct tx *tx, struct crm_meta *meta, struct fail *fail)
{
    struct rows *rows;
    struct store_param limit = store_int(CRM_USERS_MAX);
    meta->users = arena_alloc(&meta->arena, CRM_USERS_MAX * sizeof *meta->users);
    if (!meta->users) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!tx_query(tx, "SELECT id, email, full_name, status, time_zone FROM crm_user ORDER BY id LIMIT ?", &limit, 1, &rows, fail)) {
        return false;
    }
    while (meta->user_count < CRM_USERS_MAX && rows_next(rows, fail)) {
        struct crm_user *user = &meta->users[meta->user_count++];
        user->id = rows_int(rows, 0);
        user->email = arena_copy(&meta->arena, rows_text(rows, 1));
        user->full_name = arena_copy(&meta->arena, rows_text(rows, 2));
        user->deleted = view_eq(rows_text(rows, 3), VIEW("deleted"));
        user->zone = zone_exists(rows_text(rows, 4)) ? zone_find(rows_text(rows, 4)) : NULL;
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static bool read_module(struct crm_meta *meta, struct rows *rows, struct fail *fail)
{
    struct crm_module *module = &meta->modules[meta->module_count];
    module->id = rows_int(rows, 0);
    module->api_name = arena_copy(&meta->arena, rows_text(rows, 1));
    module->namespace = arena_copy(&meta->arena, rows_text(rows, 2));
    module->name_field = arena_copy(&meta->arena, rows_text(rows, 3));
    module->subform = view_eq(rows_text(rows, 4), VIEW("subform"));
    module->custom = view_eq(rows_text(rows, 4), VIEW("custom"));
    module->quoted = crm_name_quote(&meta->arena, module->api_name, fail);
    atomic_init(&module->fields, NULL);
    if (!module->quoted.data || !table_put(&meta->by_name, module->api_name, module)) {
        return fail->code != FAIL_NONE ? false : fail_set(fail, FAIL_MEMORY, NULL);
    }
    meta->module_count++;
    return true;
}

// Names only: enough to resolve any name and to join any look-up.
static bool read_modules(struct tx *tx, struct crm_meta *meta, struct fail *fail)
{
    int64_t count = 0;
    bool found = false;
    struct rows *rows;
    if (!tx_query_int(tx, "SELECT COUNT(*) FROM crm_module", NULL, 0, &count, &found, fail)) {
        return false;
    }
    if (count > CRM_MODULES_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "more than %d modules", CRM_MODULES_MAX);
    }
    meta->modules = arena_alloc(&meta->arena, ((size_t)count + 1) * sizeof *meta->modules);
    if (!meta->modules) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!tx_query(tx, "SELECT id, api_name, namespace, name_field, generated_type FROM crm_module ORDER BY id", NULL, 0, &rows, fail)) {
        return false;
    }
    while (meta->module_count < count && rows_next(rows, fail) && read_module(meta, rows, fail)) {
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static bool read_meta(struct tx *tx, void *arg, struct fail *fail)
{
    struct crm_meta *meta = arg;
    fail_clear(fail);
    return read_org(tx, meta, fail) && read_users(tx, meta, fail) && read_modules(tx, meta, fail) &&
           crm_automation_load(tx, &meta->automation, fail);
}

// The version is taken before reading: a picture may be newer than it says, then it is read once more, never older.
bool crm_meta_pin(struct crm *crm, const struct crm_meta **ret_meta, struct fail *fail)
{
    int64_t version = store_env_version(crm->env);
    pthread_mutex_lock(&crm->lock);
    struct crm_meta *meta = crm->current;
    if (meta && meta->version == version) {
        atomic_fetch_add_explicit(&meta->refs, 1, memory_order_relaxed);
        pthread_mutex_unlock(&crm->lock);
        *ret_meta = meta;
        return true;
    }
    pthread_mutex_unlock(&crm->lock);
    meta = new_meta(version);
    if (!meta) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!store_read(crm->env, read_meta, meta, fail)) {
        crm_meta_release(meta);
        return false;
    }
    struct crm_meta *old = NULL;
    pthread_mutex_lock(&crm->lock);
    if (!crm->current || crm->current->version < meta->version) {
        old = crm->current;
        crm->current = meta;
        atomic_fetch_add_explicit(&meta->refs, 1, memory_order_relaxed); // one for the cache, one for the caller
    }
    pthread_mutex_unlock(&crm->lock);
    if (old) {
        crm_meta_release(old);
    }
    *ret_meta = meta;
    return true;
}

bool crm_meta_check(const struct crm_session *session, struct fail *fail)
{
    return store_env_version(session->crm->env) == session->meta->version || fail_set(fail, FAIL_STALE, NULL);
}

// ---- reading a module's fields ------------------------------------------------------------------

struct fields_job {
    const struct crm_module *module;
    struct crm_fields *fields;
    struct heap heap; // definitions while they are read
};

// Related lists stand in the module's definition. `via` is the look-up of lists that Zoho calls system lists (notes).
static bool read_relations(struct fields_job *job, struct view definition, struct fail *fail)
{
    struct crm_fields *fields = job->fields;
    struct value v = value_null();
    if (!json_read(&job->heap, definition, &v, fail)) {
        return false;
    }
    struct map *map = value_as_map(v);
    struct list *list = map ? value_as_list(map_get_text(map, VIEW("related_lists"))) : NULL;
    if (!list || list->count == 0) {
        return true;
    }
    fields->relations = arena_alloc(&fields->arena, list->count * sizeof *fields->relations);
    for (uint32_t i = 0; fields->relations && i < list->count; i++) {
        struct map *row = value_as_map(list->items[i]);
        if (!row) {
            continue;
        }
        struct crm_relation *relation = &fields->relations[fields->relation_count++];
        struct view field = crm_map_view(row, "field");
        relation->api_name = arena_copy(&fields->arena, crm_map_view(row, "api_name"));
        relation->module = arena_copy(&fields->arena, crm_map_view(row, "module"));
        relation->field = arena_copy(&fields->arena, field.len ? field : crm_map_view(row, "via"));
        relation->junction = view_eq(crm_map_view(row, "kind"), VIEW("junction"));
    }
    return fields->relations != NULL || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_field(struct fields_job *job, struct rows *rows, struct fail *fail)
{
    struct crm_fields *fields = job->fields;
    struct crm_field *field = &fields->items[fields->count];
    struct value v = value_null();
    struct view name = arena_copy(&fields->arena, rows_text(rows, 0));
    if (!json_read(&job->heap, rows_text(rows, 1), &v, fail)) {
        return false;
    }
    struct map *definition = value_as_map(v);
    if (!definition || !crm_field_read(&fields->arena, name, definition, field, fail)) {
        return fail->code != FAIL_NONE ? false : fail_set(fail, FAIL_INTERNAL, "a field's definition is no map");
    }
    field->index = fields->count++;
    field->module = job->module->api_name;
    fields->se_module = fields->se_module || field->se_module;
    return table_put(&fields->by_name, field->api_name, field) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_fields(struct tx *tx, void *arg, struct fail *fail)
{
    struct fields_job *job = arg;
    struct store_param id = store_int(job->module->id);
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT api_name, definition FROM crm_field WHERE module_id = ? ORDER BY position", &id, 1, &rows, fail)) {
        return false;
    }
    while (job->fields->count < CRM_FIELDS_MAX && rows_next(rows, fail) && read_field(job, rows, fail)) {
    }
    rows_close(rows);
    if (fail->code != FAIL_NONE || !tx_query(tx, "SELECT definition FROM crm_module WHERE id = ?", &id, 1, &rows, fail)) {
        return false;
    }
    bool read = rows_next(rows, fail) && read_relations(job, rows_text(rows, 0), fail);
    rows_close(rows);
    return read || (fail->code == FAIL_NONE ? fail_set(fail, FAIL_STALE, NULL) : false);
}

static const struct crm_field *named(const struct crm_fields *fields, struct view name)
{
    return table_get(&fields->by_name, name);
}

// Fields that writing and reading know by name, looked up once.
static void note_system_fields(const struct crm_module *module, struct crm_fields *fields)
{
    fields->id = named(fields, VIEW("id"));
    fields->first_name = named(fields, VIEW("First_Name"));
    fields->last_name = named(fields, VIEW("Last_Name"));
    fields->full_name = fields->first_name && fields->last_name ? named(fields, VIEW("Full_Name")) : NULL;
    fields->owner = named(fields, VIEW("Owner"));
    fields->created_by = named(fields, VIEW("Created_By"));
    fields->modified_by = named(fields, VIEW("Modified_By"));
    fields->created_time = named(fields, VIEW("Created_Time"));
    fields->modified_time = named(fields, VIEW("Modified_Time"));
    for (int i = 0; i < fields->count && !fields->autonumber; i++) {
        fields->autonumber = fields->items[i].counted ? &fields->items[i] : NULL;
    }
    fields->tag = named(fields, VIEW("Tag"));
    fields->tag = fields->tag && fields->tag->tags ? fields->tag : NULL;
    fields->converted = named(fields, VIEW("Converted__s"));
    fields->name = named(fields, module->name_field);
    if (module->namespace.len && fields->name && !named(fields, VIEW("Name"))) {
        table_put(&fields->by_name, VIEW("Name"), (void *)fields->name);
    }
    for (int i = 0; i < fields->count; i++) { // v2's name of the line items (spec/crm-api.md §2.7)
        if (view_eq(view_of(fields->items[i].type->name), VIEW("subform")) && !named(fields, VIEW("Product_Details"))) {
            table_put(&fields->by_name, VIEW("Product_Details"), &fields->items[i]);
        }
        if (view_eq(fields->items[i].api_name, VIEW("Purchase_Items"))) { // Zoho's pages have both spellings
            table_put(&fields->by_name, VIEW("Purchased_Items"), &fields->items[i]);
        }
    }
}

bool crm_fields_load(const struct crm_session *session, struct crm_module *module, struct fail *fail)
{
    if (BASE_LIKELY(crm_fields_of(module) != NULL)) {
        return true;
    }
    struct crm_fields *fields = calloc(1, sizeof *fields);
    if (!fields) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    atomic_init(&fields->single, NULL);
    atomic_init(&fields->listed, NULL);
    arena_init(&fields->arena, CRM_META_BYTES_MAX);
    table_init(&fields->by_name, CRM_FIELDS_MAX + 2, true);
    fields->items = arena_alloc(&fields->arena, CRM_FIELDS_MAX * sizeof *fields->items);
    struct fields_job job = {.module = module, .fields = fields};
    heap_init(&job.heap, CRM_META_BYTES_MAX, NULL);
    bool done = fields->items ? store_read(session->crm->env, read_fields, &job, fail) : fail_set(fail, FAIL_MEMORY, NULL);
    heap_free(&job.heap);
    if (!done || !crm_meta_check(session, fail)) { // a newer version's fields do not belong into this picture
        free_fields(fields);
        return false;
    }
    note_system_fields(module, fields);
    struct crm_fields *none = NULL;
    if (!atomic_compare_exchange_strong_explicit(&module->fields, &none, fields, memory_order_acq_rel, memory_order_acquire)) {
        free_fields(fields); // another loop was first
    }
    return true;
}

// ---- names --------------------------------------------------------------------------------------

enum { SPELLING_MAX = 2 * CRM_NAME_MAX + 3 };

// "ns.Name" → "ns__Name"; false when it has no dot or is too long to be a name.
static bool undot(struct view name, char out[SPELLING_MAX], struct view *ret_name)
{
    ptrdiff_t dot = view_find_char(name, '.');
    if (dot <= 0 || name.len > CRM_NAME_MAX) {
        return false;
    }
    int len = snprintf(out, SPELLING_MAX, "%.*s__%.*s", (int)dot, name.data, VIEW_ARGS(view_from(name, (size_t)dot + 1)));
    *ret_name = (struct view){out, (size_t)len};
    return true;
}

// A prefix that no installed extension owns means the running extension's own module or field of that name (PRODUCT): gives that spelling.
static bool own_spelling(const struct crm_session *session, struct view name, char out[SPELLING_MAX], struct view *ret_name)
{
    ptrdiff_t separator = view_find(name, VIEW("__"));
    if (separator <= 0 || session->namespace.len == 0 || name.len > CRM_NAME_MAX || session->namespace.len > CRM_NAME_MAX) {
        return false;
    }
    struct view prefix = view_slice(name, 0, (size_t)separator);
    if (session->namespace_installed && session->namespace_installed(session->user, prefix)) {
        return false;
    }
    struct view rest = view_from(name, (size_t)separator + 2);
    int len = snprintf(out, SPELLING_MAX, "%.*s__%.*s", VIEW_ARGS(session->namespace), VIEW_ARGS(rest));
    *ret_name = (struct view){out, (size_t)len};
    return true;
}

// The spelling as written first: nearly all names are found there and pay for nothing else.
static void *resolve(const struct crm_session *session, const struct table *table, struct view name)
{
    char undotted[SPELLING_MAX], own[SPELLING_MAX];
    struct view spelled = name, meant;
    void *found = table_get(table, name);
    if (BASE_LIKELY(found != NULL)) {
        return found;
    }
    if (undot(name, undotted, &spelled) && (found = table_get(table, spelled))) {
        return found;
    }
    if (!own_spelling(session, spelled, own, &meant) || !(found = table_get(table, meant))) {
        return NULL;
    }
    if (session->warn) {
        char text[3 * SPELLING_MAX];
        int len =
            snprintf(text, sizeof text, "%.*s: no installed extension has this prefix, %.*s was meant", VIEW_ARGS(name), VIEW_ARGS(meant));
        session->warn(session->user, (struct view){text, (size_t)len});
    }
    return found;
}

struct crm_module *crm_module_resolve(const struct crm_session *session, struct view name)
{
    return resolve(session, &session->meta->by_name, name);
}

bool crm_module_find(const struct crm_session *session, struct view name, struct crm_module **ret_module, struct fail *fail)
{
    struct crm_module *module = crm_module_resolve(session, name);
    if (!module || module->subform) {
        return fail_set(fail, FAIL_INVALID_MODULE, NULL);
    }
    if (!crm_fields_load(session, module, fail)) {
        return false;
    }
    *ret_module = module;
    return true;
}

bool crm_module_exists(const struct crm_session *session, struct view module)
{
    struct crm_module *found = crm_module_resolve(session, module);
    return found && !found->subform;
}

const struct crm_field *crm_field_find(const struct crm_session *session, const struct crm_module *module, struct view name)
{
    return resolve(session, &crm_fields_of(module)->by_name, name);
}

const struct crm_user *crm_user_find(const struct crm_meta *meta, int64_t id)
{
    int low = 0, high = meta->user_count; // ordered by id
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (meta->users[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < meta->user_count && meta->users[low].id == id ? &meta->users[low] : NULL;
}
