// SPDX-License-Identifier: Apache-2.0
// Indexes over fields: those that everybody has from the beginning, those that unique fields and look-ups bring, and those that are made
// because a field is searched or sorted by often.
//
// The last kind makes itself: a read that took long and that an index on one field would have served counts for that field, and after a
// few of them the reader who came last makes the index before he gets his answer. Writes wait meanwhile (a second or so for a million
// records), once. `sluice index new` does the same at a time of one's own. They are kept as objects of the kind "index", so that they can
// be listed; the name of an index in the data base is "Module.Field", of one over all rows "Module.Field.all".
#include "crm/criteria.h"
#include "crm/object.h"
#include "crm/seed.h"
#include "crm/shape.h"

enum {
    INDEX_SQL_BYTES_MAX = 4096,
    INDEX_NAME_MAX = 120, // what store quotes
    SLOW_READS = 5, // then the index is made
    INDEXES_BY_THEMSELVES = 20 // an environment
};

// Searched and joined most: an index each (DESIGN "Data"). The e-mail and phone fields of leads and contacts have one too, all of them,
// because the searches by email and phone ask for any.
static const struct {
    const char *module, *field;
} INDEXES[] = {
    {"Leads", "Last_Name"},    {"Contacts", "Last_Name"}, {"Contacts", "Account_Name"}, {"Accounts", "Account_Name"},
    {"Deals", "Account_Name"}, {"Deals", "Contact_Name"}, {"Notes", "Parent_Id"},       {"Attachments", "Parent_Id"},
    {"Tasks", "What_Id"},      {"Events", "What_Id"},     {"Calls", "What_Id"},
};

bool crm_index_standard(struct view module, const struct crm_field *field)
{
    struct view type = view_of(field->type->name);
    bool person = view_eq(module, VIEW("Leads")) || view_eq(module, VIEW("Contacts"));
    if (person && (view_eq(type, VIEW("email")) || view_eq(type, VIEW("phone")))) {
        return true;
    }
    for (size_t i = 0; i < BASE_COUNT(INDEXES); i++) {
        if (view_eq(module, view_of(INDEXES[i].module)) && view_eq(field->api_name, view_of(INDEXES[i].field))) {
            return true;
        }
    }
    return false;
}

bool crm_index_by_nature(const struct crm_field *field)
{
    return field->unique || field->kind == CRM_KIND_LOOKUP;
}

// Two long names are longer than store quotes; they go without.
static bool name_index(struct view module, struct view field, bool whole, char out[INDEX_NAME_MAX + 1])
{
    int len = snprintf(out, INDEX_NAME_MAX + 1, "%.*s.%.*s%s", VIEW_ARGS(module), VIEW_ARGS(field), whole ? ".all" : "");
    return len > 0 && len <= INDEX_NAME_MAX;
}

static bool run_sql(struct tx *tx, struct buffer *sql, bool good, struct fail *fail)
{
    const char *text = buffer_text(sql);
    good = good && (sql->failed ? fail_set(fail, FAIL_MEMORY, NULL) : tx_exec(tx, text, NULL, 0, fail));
    buffer_free(sql);
    return good;
}

bool crm_index_create_tx(struct tx *tx, struct view module, const struct crm_field *field, bool whole, struct fail *fail)
{
    char name[INDEX_NAME_MAX + 1];
    struct buffer sql;
    if (!name_index(module, field->api_name, whole, name)) {
        return true;
    }
    buffer_init(&sql, INDEX_SQL_BYTES_MAX);
    buffer_add(&sql, VIEW("CREATE INDEX IF NOT EXISTS "));
    bool good = store_quote(&sql, view_of(name), fail);
    buffer_add(&sql, VIEW(" ON "));
    good = good && store_quote(&sql, module, fail);
    buffer_printf(&sql, " (%.*s%s)", VIEW_ARGS(field->quoted), field->kind == CRM_KIND_TEXT ? " COLLATE NOCASE" : "");
    if (!whole) {
        buffer_printf(&sql, " WHERE %.*s IS NOT NULL", VIEW_ARGS(field->quoted));
    }
    return run_sql(tx, &sql, good, fail);
}

bool crm_index_drop_tx(struct tx *tx, struct view module, struct view field, struct fail *fail)
{
    char name[INDEX_NAME_MAX + 1];
    struct store_param made[] = {store_text(module), store_text(field)};
    for (int whole = 0; whole < 2; whole++) {
        struct buffer sql;
        if (!name_index(module, field, whole, name)) {
            continue;
        }
        buffer_init(&sql, INDEX_SQL_BYTES_MAX);
        buffer_add(&sql, VIEW("DROP INDEX IF EXISTS "));
        bool good = store_quote(&sql, view_of(name), fail);
        if (!run_sql(tx, &sql, good, fail)) {
            return false;
        }
    }
    return tx_exec(tx, "DELETE FROM crm_object WHERE kind = 'index' AND module = ? AND name = ?", made, 2, fail);
}

// ---- made -----------------------------------------------------------------------------------------

struct index_job {
    struct crm_session *session;
    const struct crm_module *module;
    const struct crm_field *field;
    bool by_itself;
    bool made;
    int64_t count;
    struct value list;
};

static bool keep_name(void *arg, const struct crm_object *object, struct fail *fail)
{
    (void)object, (void)fail;
    *(bool *)arg = true;
    return true;
}

static bool make_index(struct tx *tx, void *arg, struct fail *fail)
{
    struct index_job *job = arg;
    struct heap *heap = job->session->heap;
    bool there = false;
    struct crm_object_query query = {.kind = VIEW("index"), .module = job->module->api_name, .name = job->field->api_name};
    struct crm_object object = {.kind = VIEW("index"),
                                .module = job->module->api_name,
                                .name = job->field->api_name,
                                .definition = value_map(heap, 1),
                                .created_by = job->session->user_id};
    int64_t id;
    job->made = false;
    if (!crm_objects_tx(tx, &query, heap, keep_name, &there, fail) || there) {
        return !there ? false : true;
    }
    if (job->by_itself) {
        bool found;
        if (!tx_query_int(tx, "SELECT COUNT(*) FROM crm_object WHERE kind = 'index'", NULL, 0, &job->count, &found, fail)) {
            return false;
        }
        if (job->count >= INDEXES_BY_THEMSELVES) {
            return true;
        }
    }
    shape_put(heap, object.definition, "by_itself", value_bool(job->by_itself));
    job->made = true;
    return crm_index_create_tx(tx, job->module->api_name, job->field, true, fail) && crm_object_add_tx(tx, &object, &id, fail);
}

static bool can_index(const struct crm_field *field)
{
    return field->kind != CRM_KIND_JSON && field->kind != CRM_KIND_LIST;
}

bool crm_index_new(struct crm_session *session, struct view module_name, struct view field_name, bool *ret_made, struct fail *fail)
{
    struct crm_module *module;
    if (!crm_module_find(session, module_name, &module, fail) || !crm_fields_load(session, module, fail)) {
        return false;
    }
    const struct crm_field *field = crm_field_find(session, module, field_name);
    if (!field) {
        return fail_set(fail, FAIL_NOT_FOUND, "the module %.*s has no field \"%.*s\"", VIEW_ARGS(module->api_name),
                        (int)utf8_clamp(field_name, CRM_NAME_MAX), field_name.data);
    }
    if (!can_index(field)) {
        return fail_set(fail, FAIL_INVALID_DATA, "a field of type %s takes no index", field->type->name);
    }
    struct index_job job = {.session = session, .module = module, .field = field};
    if (!store_write(crm_env(session->crm), make_index, &job, fail)) {
        return false;
    }
    *ret_made = job.made;
    return true;
}

// ---- by themselves --------------------------------------------------------------------------------

// The first condition that an index of its field would serve; every record that is found must meet it.
static struct view deciding_field(const struct criteria *node)
{
    if (node->kind == CRITERIA_OR) {
        return VIEW("");
    }
    for (const struct criteria *member = node->kind == CRITERIA_AND ? node->first : NULL; member; member = member->next) {
        struct view field = member->kind == CRITERIA_CONDITION ? deciding_field(member) : VIEW("");
        if (field.len) {
            return field;
        }
    }
    bool served = node->operator!= CRITERIA_NOT_EQUAL && node->operator<= CRITERIA_IN;
    return node->kind == CRITERIA_CONDITION && served ? node->field : VIEW("");
}

static struct view wanted_field(struct crm_session *session, const struct crm_query *query)
{
    const struct criteria *tree;
    struct fail ignored;
    if (query->criteria.len) {
        return criteria_parse(session->heap, query->criteria, &tree, &ignored) ? deciding_field(tree) : VIEW("");
    }
    return query->email.len || query->phone.len || query->word.len ? VIEW("") : query->sort_by;
}

void crm_index_consider(struct crm_session *session, const struct crm_module *module, const struct crm_query *query, int64_t took_ns)
{
    if (took_ns < (int64_t)session->slow_ms * 1000000) {
        return;
    }
    struct view name = wanted_field(session, query);
    const struct crm_field *field = name.len ? crm_field_find(session, module, name) : NULL;
    bool sorted = !query->criteria.len;
    if (!field || !can_index(field) || field->kind == CRM_KIND_BOOLEAN || field == crm_fields_of(module)->id ||
        (!sorted && (crm_index_by_nature(field) || crm_index_standard(module->api_name, field)))) {
        return;
    }
    if (crm_slow_count(session->crm, module->api_name, field->api_name) != SLOW_READS) {
        return;
    }
    struct index_job job = {.session = session, .module = module, .field = field, .by_itself = true};
    struct fail fail;
    int64_t begun = clock_monotonic_ns();
    if (!store_write(crm_env(session->crm), make_index, &job, &fail)) {
        log_line(LOG_WARN, "index", "%.*s.%.*s: %s", VIEW_ARGS(module->api_name), VIEW_ARGS(field->api_name), fail.text);
    } else if (job.made) {
        log_line(LOG_INFO, "index", "%.*s.%.*s is indexed from now on; it took %lld ms", VIEW_ARGS(module->api_name),
                 VIEW_ARGS(field->api_name), (long long)((clock_monotonic_ns() - begun) / 1000000));
    }
}

// ---- list -----------------------------------------------------------------------------------------

static bool list_index(void *arg, const struct crm_object *object, struct fail *fail)
{
    (void)fail;
    struct index_job *job = arg;
    struct heap *heap = job->session->heap;
    struct value shown = value_map(heap, 4), by_itself = shape_get(value_as_map(object->definition), "by_itself");
    shape_text(heap, shown, "module", object->module);
    shape_text(heap, shown, "field", object->name);
    shape_put(heap, shown, "by_itself", by_itself);
    shape_put(heap, shown, "created_time", crm_time_text(job->session, object->created_ms));
    shape_add(heap, job->list, shown);
    return true;
}

static bool list_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct index_job *job = arg;
    struct crm_object_query query = {.kind = VIEW("index")};
    job->list = value_list(job->session->heap, 8);
    return crm_objects_tx(tx, &query, job->session->heap, list_index, job, fail);
}

bool crm_indexes_list(struct crm_session *session, struct value *ret_list, struct fail *fail)
{
    struct index_job job = {.session = session};
    if (!store_read(crm_env(session->crm), list_tx, &job, fail)) {
        return false;
    }
    *ret_list = job.list;
    return true;
}
