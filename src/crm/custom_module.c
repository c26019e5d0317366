// SPDX-License-Identifier: Apache-2.0
// Modules of the org's own, made over REST (shapes and limits: Zoho's description of /settings/modules). They are stored and served like
// those of extensions, without a namespace; so their API names have no "__", and are none that a table of ours, a path or an operation has.
#include "crm/given.h"
#include "crm/seed.h"

enum { LABEL_UNITS_MAX = 25, NAME_UNITS_MAX = 50, FIELD_LABEL_UNITS_MAX = 50, OWN_MODULES_MAX = 300, PROFILES_MAX = 200 };

static const char *const RESERVED[] = {
    "settings", "signals", "users",     "org",        "coql",       "functions", "files",        "bulk",   "actions", "Home",    "Reports",
    "Social",   "Visits",  "Documents", "Dashboards", "Feeds",      "Approvals", "Data",         "Role",   "Roles",   "Profile", "Profiles",
    "Tag",      "Owner",   "Name",      "se_module",  "Activities", "Templates", "Organization", "chunks", "runs"};
// Tables of ours and of the data bases.
static const char *const PREFIXES[] = {"crm_", "ext_", "auth_", "store_", "sqlite", "pg_"};

struct module_job {
    struct crm_given given;
    struct view plural, singular, api_name;
    struct value profiles, definition, number; // profiles: ids as texts; number: of an autonumber name field
    int64_t id, first;
    bool found;
};

// ---- what a request says ------------------------------------------------------------------------

static bool read_label(struct module_job *job, const char *key, struct view *ret_label)
{
    struct view label;
    if (!crm_given_name(&job->given, key, LABEL_UNITS_MAX, &label)) {
        return false;
    }
    *ret_label = label;
    return crm_given_label_valid(label) || crm_given_refuse(&job->given, FAIL_INVALID_DATA, key, "Special characters are found");
}

static bool is_reserved(struct view name)
{
    for (size_t i = 0; i < BASE_COUNT(RESERVED); i++) {
        if (view_eq_nocase(name, view_of(RESERVED[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < BASE_COUNT(PREFIXES); i++) {
        if (view_starts_nocase(name, view_of(PREFIXES[i]))) {
            return true;
        }
    }
    return false;
}

static bool read_api_name(struct module_job *job)
{
    const struct crm_given *given = &job->given;
    struct view name;
    if (!crm_given_text(given, "api_name", NAME_UNITS_MAX, &name)) {
        return false;
    }
    name = name.len ? name : crm_name_of_label(given->session->heap, job->plural, NAME_UNITS_MAX);
    if (!crm_name_valid(name) || view_find(name, VIEW("__")) >= 0 || view_ends(name, VIEW("_"))) {
        return crm_given_refuse(given, FAIL_INVALID_DATA, "api_name", NULL);
    }
    job->api_name = name;
    return !is_reserved(name) || crm_given_refuse(given, FAIL_RESERVED, "api_name", NULL);
}

// [{"id":…}]; at least one. What has "_delete" is left out. Whether they exist is asked in the closure.
static bool read_profiles(struct module_job *job)
{
    const struct crm_given *given = &job->given;
    struct heap *heap = given->session->heap;
    struct value value = shape_get(given->map, "profiles");
    const struct list *list = value_as_list(value);
    job->profiles = value_list(heap, list ? list->count : 0);
    if (value_is_null(value)) {
        return crm_given_refuse(given, FAIL_MANDATORY_NOT_FOUND, "profiles", NULL);
    }
    if (!list || list->count > PROFILES_MAX) {
        crm_details_set(given->session, "expected_data_type", VIEW("jsonarray"));
        return crm_given_refuse(given, FAIL_INVALID_DATA, "profiles", NULL);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        struct crm_given profile = {given->session, value_as_map(list->items[i]), given->fail};
        int64_t id = 0;
        if (!profile.map || !crm_given_id(&profile, "id", &id) || !id) {
            return crm_given_refuse(given, FAIL_INVALID_DATA, "profiles", "Invalid profile ID");
        }
        if (!crm_given_has(&profile, "_delete")) {
            shape_add(heap, job->profiles, crm_id_text(heap, id));
        }
    }
    bool any = value_as_list(job->profiles) && value_as_list(job->profiles)->count > 0;
    return any || crm_given_refuse(given, FAIL_MINIMUM, "profiles", "Minimum one profile is needed");
}

static bool check_profiles(struct tx *tx, struct module_job *job, struct fail *fail)
{
    const struct list *list = value_as_list(job->profiles);
    for (uint32_t i = 0; list && i < list->count; i++) {
        int64_t id;
        bool found = false;
        struct view name;
        if (!crm_id_read(list->items[i], &id) || !crm_object_name_tx(tx, job->given.session, VIEW("profile"), id, &name, &found, fail)) {
            return false;
        }
        if (!found) {
            return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "profiles", "Invalid profile ID");
        }
    }
    return true;
}

// The name field: {"field_label":…,"data_type":"text"|"autonumber","auto_number":{…}}; without it, "Singular Name".
static bool read_display_field(struct module_job *job, struct value *ret_field)
{
    const struct crm_given *given = &job->given;
    struct heap *heap = given->session->heap;
    struct value value = shape_get(given->map, "display_field"), field = value_map(heap, 3);
    struct crm_given display = {given->session, value_as_map(value), given->fail};
    struct view label = VIEW_NONE, type = VIEW_NONE;
    if (!value_is_null(value) && !display.map) {
        crm_details_set(given->session, "expected_data_type", VIEW("jsonobject"));
        return crm_given_refuse(given, FAIL_INVALID_DATA, "display_field", NULL);
    }
    if (display.map && (!crm_given_text(&display, "field_label", FIELD_LABEL_UNITS_MAX, &label) ||
                        !crm_given_text(&display, "data_type", NAME_UNITS_MAX, &type) ||
                        !crm_given_number(&display, "auto_number", &job->number, &job->first))) {
        return false;
    }
    if (display.map && !label.len && !type.len) {
        return crm_given_refuse(given, FAIL_EXPECTED_MISSING, "display_field", NULL);
    }
    bool counted = view_eq(type, VIEW("autonumber"));
    if (type.len && !counted && !view_eq(type, VIEW("text"))) {
        return crm_given_refuse(given, FAIL_INVALID_DATA, "data_type", NULL);
    }
    if (counted != (value_as_map(job->number) != NULL)) {
        return crm_given_refuse(given, counted ? FAIL_DEPENDENT_MISSING : FAIL_INVALID_DATA, "auto_number", NULL);
    }
    shape_text(heap, field, "api_name", VIEW("Name"));
    shape_put(heap, field, "field_label",
              label.len ? value_text(heap, label) : value_text_printf(heap, "%.*s Name", VIEW_ARGS(job->singular)));
    shape_put(heap, field, "auto_number", job->number);
    *ret_field = field;
    return true;
}

// ---- against what is there ----------------------------------------------------------------------

static bool is_label(struct view label, const struct map *definition)
{
    return view_eq_nocase(label, crm_map_view(definition, "singular_label")) ||
           view_eq_nocase(label, crm_map_view(definition, "plural_label"));
}

// One of the modules that are there, against the labels.
static bool check_labels(struct module_job *job, struct view json)
{
    struct value other = value_null();
    struct fail *fail = job->given.fail;
    if (!json_read(job->given.session->heap, json, &other, fail)) {
        return false;
    }
    const char *taken = is_label(job->plural, value_as_map(other))     ? "plural_label"
                        : is_label(job->singular, value_as_map(other)) ? "singular_label"
                                                                       : NULL;
    return !taken || crm_given_refuse(&job->given, FAIL_DUPLICATE_DATA, taken, NULL);
}

static bool check_others(struct tx *tx, struct module_job *job, struct fail *fail)
{
    struct rows *rows;
    struct store_param id = store_int(job->id);
    int own = 0, all = 0;
    if (!tx_query(tx, "SELECT api_name, definition, generated_type, namespace FROM crm_module WHERE id <> ?", &id, 1, &rows, fail)) {
        return false;
    }
    bool good = true;
    while (good && rows_next(rows, fail)) {
        all++;
        own += view_eq(rows_text(rows, 2), VIEW("custom")) && rows_text(rows, 3).len == 0;
        good = !view_eq_nocase(rows_text(rows, 0), job->api_name) || crm_given_refuse(&job->given, FAIL_DUPLICATE_DATA, "api_name", NULL);
        good = good && check_labels(job, rows_text(rows, 1));
    }
    rows_close(rows);
    if (good && fail->code == FAIL_NONE && !job->id && (own >= OWN_MODULES_MAX || all >= CRM_MODULES_MAX)) {
        shape_put(job->given.session->heap, job->given.session->details = value_map(job->given.session->heap, 1), "limit",
                  value_number(OWN_MODULES_MAX));
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "an org has at most %d modules of its own", OWN_MODULES_MAX);
    }
    return good && fail->code == FAIL_NONE;
}

// ---- adding -------------------------------------------------------------------------------------

static bool add_module(struct tx *tx, void *arg, struct fail *fail)
{
    struct module_job *job = arg;
    struct crm_session *session = job->given.session;
    fail_clear(fail);
    session->details = value_null();
    job->id = 0;
    return check_others(tx, job, fail) && check_profiles(tx, job, fail) &&
           crm_module_create_tx(tx, value_as_map(job->definition), session->heap, &job->id, fail) &&
           (value_is_null(job->number) || crm_autonumber_begin_tx(tx, job->api_name, VIEW("Name"), job->first, fail)) &&
           store_bump(tx, fail);
}

bool crm_custom_module_add(struct crm_session *session, const struct map *module, int64_t *ret_id, struct fail *fail)
{
    struct module_job job = {.given = {session, module, fail}, .number = value_null()};
    struct heap *heap = session->heap;
    struct value field, definition = value_map(heap, 5);
    session->details = value_null();
    if (!read_label(&job, "plural_label", &job.plural) || !read_label(&job, "singular_label", &job.singular) || !read_api_name(&job) ||
        !read_profiles(&job) || !read_display_field(&job, &field)) {
        return false;
    }
    shape_text(heap, definition, "api_name", job.api_name);
    shape_text(heap, definition, "singular_label", job.singular);
    shape_text(heap, definition, "plural_label", job.plural);
    shape_put(heap, definition, "profiles", job.profiles);
    shape_put(heap, definition, "name_field", field);
    job.definition = definition;
    if (definition.type != VALUE_MAP) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!store_write(crm_env(session->crm), add_module, &job, fail)) {
        return false;
    }
    *ret_id = job.id;
    return true;
}

// ---- changing -----------------------------------------------------------------------------------

struct module_before {
    struct value api_name, namespace, definition;
    bool custom;
};

static bool read_before(struct tx *tx, struct module_job *job, struct module_before *before, struct fail *fail)
{
    struct heap *heap = job->given.session->heap;
    struct store_param id = store_int(job->id);
    struct rows *rows;
    *before = (struct module_before){.definition = value_null()};
    if (!tx_query(tx, "SELECT api_name, namespace, definition, generated_type FROM crm_module WHERE id = ? AND generated_type <> 'subform'",
                  &id, 1, &rows, fail)) {
        return false;
    }
    job->found = rows_next(rows, fail);
    if (job->found) {
        before->api_name = value_text(heap, rows_text(rows, 0));
        before->namespace = value_text(heap, rows_text(rows, 1));
        before->custom = view_eq(rows_text(rows, 3), VIEW("custom"));
        json_read(heap, rows_text(rows, 2), &before->definition, fail);
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static bool write_definition(struct tx *tx, int64_t id, struct value definition, struct fail *fail)
{
    struct buffer json;
    buffer_init(&json, 1 << 20);
    bool good = json_write(&json, definition, NULL, fail) && (!json.failed || fail_set(fail, FAIL_MEMORY, NULL));
    struct store_param params[] = {store_text(buffer_view(&json)), store_int(clock_wall_ms() / 1000 * 1000), store_int(id)};
    good = good && tx_exec(tx, "UPDATE crm_module SET definition = ?, modified_time = ? WHERE id = ?", params, 3, fail) &&
           store_bump(tx, fail);
    buffer_free(&json);
    return good;
}

static bool take_labels(struct module_job *job, const struct map *before)
{
    const struct crm_given *given = &job->given;
    job->plural = crm_map_view(before, "plural_label");
    job->singular = crm_map_view(before, "singular_label");
    return (!crm_given_has(given, "plural_label") || read_label(job, "plural_label", &job->plural)) &&
           (!crm_given_has(given, "singular_label") || read_label(job, "singular_label", &job->singular));
}

// What has been refused here is refused whatever the module.
static bool check_change(struct module_job *job, const struct module_before *before)
{
    const struct crm_given *given = &job->given;
    struct view name = value_view_or(shape_get(given->map, "api_name"), VIEW(""));
    if (value_view_or(before->namespace, VIEW("")).len) {
        return crm_given_refuse(given, FAIL_NOT_ALLOWED, "id", "a module of an extension cannot be changed here");
    }
    if (name.len && !view_eq(name, value_view_or(before->api_name, VIEW("")))) {
        return crm_given_refuse(given, FAIL_NOT_ALLOWED, "api_name", "API name cannot be updated for module");
    }
    if (!before->custom && crm_given_has(given, "profiles")) {
        return crm_given_refuse(given, FAIL_NOT_SUPPORTED, "profiles", "profiles of standard modules cannot be changed");
    }
    return true;
}

static bool change_module(struct tx *tx, void *arg, struct fail *fail)
{
    struct module_job *job = arg;
    struct crm_session *session = job->given.session;
    struct module_before before;
    fail_clear(fail);
    session->details = value_null();
    if (!read_before(tx, job, &before, fail)) {
        return false;
    }
    if (!job->found || before.definition.type != VALUE_MAP) {
        return fail_set(fail, FAIL_NOT_FOUND, NULL);
    }
    bool profiles = crm_given_has(&job->given, "profiles");
    job->api_name = value_view_or(before.api_name, VIEW(""));
    if (!check_change(job, &before) || !take_labels(job, before.definition.map) || (profiles && !read_profiles(job)) ||
        !check_others(tx, job, fail) || (profiles && !check_profiles(tx, job, fail))) {
        return false;
    }
    shape_text(session->heap, before.definition, "plural_label", job->plural);
    shape_text(session->heap, before.definition, "singular_label", job->singular);
    if (profiles) {
        shape_put(session->heap, before.definition, "profiles", job->profiles);
    }
    return write_definition(tx, job->id, before.definition, fail);
}

bool crm_custom_module_change(struct crm_session *session, int64_t id, const struct map *module, struct fail *fail)
{
    struct module_job job = {.given = {session, module, fail}, .id = id, .number = value_null()};
    return store_write(crm_env(session->crm), change_module, &job, fail);
}
