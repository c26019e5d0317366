// SPDX-License-Identifier: Apache-2.0
// Profiles: what their users may do (shapes: Zoho's description of /settings/profiles). Each permission has a name and an id: four for each
// module (view, create, edit, delete) and some for the set-up. Profiles say which of them are on; this is shown and can be changed, but
// only one thing follows from it here: who has the profile Administrator may change settings (given.h).
//
// A profile is an object of kind "profile": {"description":…,"base":"administrator"|"standard","system":true,"permissions":{name:on}},
// where permissions that are not named are as in the base.
#include "crm/given.h"
#include "crm/object.h"

enum {
    PROFILES_MAX = 200,
    NAME_UNITS_MAX = 50,
    DESCRIPTION_UNITS_MAX = 250,
    PERMISSIONS_MAX = 1000,
    PERMISSION_NAME_MAX = CRM_NAME_MAX + 32
};

static const struct view PROFILE = VIEW("profile");

// The first is the parent of the others: without seeing records nobody changes them.
static const char *const ACTIONS[] = {"View", "Create", "Edit", "Delete"};
static const struct {
    const char *name, *label;
} SETUP[] = {
    {"Crm_Implied_Manage_Users", "Manage Users"},
    {"Crm_Implied_Customize_Zoho_CRM", "Customize Zoho CRM"},
};

struct profile {
    int64_t id;
    struct value name, definition;
    int64_t created_ms, created_by, modified_ms, modified_by;
};

struct profile_job {
    struct crm_given given;
    int64_t id, other, new_id;
    struct profile items[PROFILES_MAX];
    int count;
    struct value restricted; // of modules that were made for some profiles: api_name → list of ids
    struct value list;
};

// ---- reading ------------------------------------------------------------------------------------

static bool keep_profile(void *arg, const struct crm_object *object, struct fail *fail)
{
    struct profile_job *job = arg;
    if (job->count == PROFILES_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "there are more than %d profiles", PROFILES_MAX);
    }
    job->items[job->count++] = (struct profile){.id = object->id,
                                                .name = value_text(job->given.session->heap, object->name),
                                                .definition = object->definition,
                                                .created_ms = object->created_ms,
                                                .created_by = object->created_by,
                                                .modified_ms = object->modified_ms,
                                                .modified_by = object->modified_by};
    return true;
}

static bool read_restricted(struct tx *tx, struct profile_job *job, struct fail *fail)
{
    struct heap *heap = job->given.session->heap;
    struct rows *rows;
    job->restricted = value_map(heap, 4);
    if (!tx_query(tx, "SELECT api_name, definition FROM crm_module WHERE generated_type = 'custom' AND namespace = ''", NULL, 0, &rows,
                  fail)) {
        return false;
    }
    while (fail->code == FAIL_NONE && rows_next(rows, fail)) {
        struct value definition = value_null(), name = value_text(heap, rows_text(rows, 0));
        if (json_read(heap, rows_text(rows, 1), &definition, fail) && job->restricted.type == VALUE_MAP) {
            map_put(heap, job->restricted.map, name, shape_get(value_as_map(definition), "profiles"));
        }
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static bool read_profiles(struct tx *tx, void *arg, struct fail *fail)
{
    struct profile_job *job = arg;
    struct crm_object_query query = {.kind = PROFILE};
    job->count = 0;
    job->given.session->details = value_null();
    return crm_objects_tx(tx, &query, job->given.session->heap, keep_profile, job, fail) && read_restricted(tx, job, fail) &&
           (!job->given.session->heap->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

static const struct profile *find_profile(const struct profile_job *job, int64_t id)
{
    for (int i = 0; i < job->count; i++) {
        if (job->items[i].id == id) {
            return &job->items[i];
        }
    }
    return NULL;
}

static bool is_system(const struct profile *profile)
{
    return crm_map_bool(value_as_map(profile->definition), "system", false);
}

static bool is_admin(const struct profile *profile)
{
    return view_eq(crm_map_view(value_as_map(profile->definition), "base"), VIEW("administrator"));
}

// ---- permissions --------------------------------------------------------------------------------

struct permission {
    char text[PERMISSION_NAME_MAX];
    struct view name;
    const char *label;
    const struct crm_module *module; // NULL: of the set-up
    int64_t id;
    int number; // among its module's
};

static int permission_count(const struct crm_session *session)
{
    return session->meta->module_count * (int)BASE_COUNT(ACTIONS) + (int)BASE_COUNT(SETUP);
}

static void name_permission(struct permission *permission, const char *action)
{
    int len = snprintf(permission->text, sizeof permission->text, "Crm_Implied_%s_%.*s", action, VIEW_ARGS(permission->module->api_name));
    permission->name = (struct view){permission->text, (size_t)len};
}

// Modules come first, in their order; false for sub-forms, which have none.
static bool permission_at(const struct crm_session *session, int index, struct permission *ret_permission)
{
    int modules = session->meta->module_count, action = index % (int)BASE_COUNT(ACTIONS);
    struct permission *permission = ret_permission;
    *permission = (struct permission){.number = action};
    if (index >= modules * (int)BASE_COUNT(ACTIONS)) {
        permission->number = index - modules * (int)BASE_COUNT(ACTIONS);
        permission->name = view_of(SETUP[permission->number].name);
        permission->label = SETUP[permission->number].label;
        permission->id = shape_id(session->meta->org_id, SHAPE_PERMISSION + permission->number);
        return true;
    }
    permission->module = &session->meta->modules[index / (int)BASE_COUNT(ACTIONS)];
    permission->label = ACTIONS[action];
    permission->id = shape_id(permission->module->id, SHAPE_PERMISSION + action);
    name_permission(permission, ACTIONS[action]);
    return !permission->module->subform;
}

// Ids of permissions are their module's or the organisation's, with a number (shape.h).
static bool number_of(int64_t id, int64_t owner, int count, int *ret_number)
{
    int64_t number = (id - owner) / SHAPE_ID_STEP - SHAPE_PERMISSION;
    *ret_number = (int)number;
    return number >= 0 && number < count && id == shape_id(owner, SHAPE_PERMISSION + number);
}

static bool find_permission(const struct crm_session *session, int64_t id, struct permission *ret_permission)
{
    const struct crm_meta *meta = session->meta;
    int number, actions = (int)BASE_COUNT(ACTIONS);
    for (int i = 0; i < meta->module_count; i++) {
        if (number_of(id, meta->modules[i].id, actions, &number)) {
            return permission_at(session, i * actions + number, ret_permission);
        }
    }
    return number_of(id, meta->org_id, (int)BASE_COUNT(SETUP), &number) &&
           permission_at(session, meta->module_count * actions + number, ret_permission);
}

static bool is_listed(struct value ids, int64_t id)
{
    const struct list *list = value_as_list(ids);
    for (uint32_t i = 0; list && i < list->count; i++) {
        int64_t one;
        if (crm_id_read(list->items[i], &one) && one == id) {
            return true;
        }
    }
    return !list;
}

static bool is_enabled(const struct profile_job *job, const struct profile *profile, const struct permission *permission)
{
    const struct map *definition = value_as_map(profile->definition), *own = value_as_map(shape_get(definition, "permissions"));
    struct value said = own ? map_get_text(own, permission->name) : value_null();
    if (said.type == VALUE_BOOL) {
        return said.boolean;
    }
    if (!permission->module) {
        return is_admin(profile);
    }
    return is_system(profile) && is_admin(profile)
               ? true
               : is_listed(map_get_text(job->restricted.map, permission->module->api_name), profile->id);
}

// ---- showing ------------------------------------------------------------------------------------

// Below version 8 a module is its name.
static struct value show_module(const struct crm_session *session, const struct crm_module *module)
{
    return !module ? value_null() : session->api_version >= 8 ? shape_module(session, module) : value_text(session->heap, module->api_name);
}

static struct value show_permission(const struct profile_job *job, const struct profile *profile, const struct permission *permission)
{
    const struct crm_session *session = job->given.session;
    struct heap *heap = session->heap;
    bool child = permission->module && permission->number > 0;
    struct value shown = value_map(heap, 8), parents = child ? value_list(heap, 1) : value_null();
    if (child) {
        shape_add(heap, parents, crm_id_text(heap, shape_id(permission->module->id, SHAPE_PERMISSION)));
    }
    shape_text(heap, shown, "display_label", view_of(permission->label));
    shape_put(heap, shown, "customizable", value_bool(!(is_system(profile) && is_admin(profile))));
    shape_put(heap, shown, "parent_permissions", parents);
    shape_put(heap, shown, "module", show_module(session, permission->module));
    shape_text(heap, shown, "name", permission->name);
    shape_put(heap, shown, "id", crm_id_text(heap, permission->id));
    shape_put(heap, shown, "enabled", value_bool(is_enabled(job, profile, permission)));
    return shown;
}

// One of a section: the names of the permissions of a module.
static struct value make_category(const struct crm_session *session, const struct crm_module *module, struct view label, struct value names)
{
    struct heap *heap = session->heap;
    struct value category = value_map(heap, 4);
    shape_text(heap, category, "display_label", label);
    shape_put(heap, category, "permissions_details", names);
    shape_text(heap, category, "name", label);
    if (module) {
        shape_put(heap, category, "module", show_module(session, module));
    }
    return category;
}

static struct value make_section(struct heap *heap, const char *name, struct value categories)
{
    struct value section = value_map(heap, 2);
    shape_text(heap, section, "name", view_of(name));
    shape_put(heap, section, "categories", categories);
    return section;
}

static void put_permissions(const struct profile_job *job, const struct profile *profile, struct value shown)
{
    const struct crm_session *session = job->given.session;
    struct heap *heap = session->heap;
    struct value permissions = value_list(heap, (size_t)permission_count(session)), sections = value_list(heap, 2);
    struct value modules = value_list(heap, (size_t)session->meta->module_count), names = value_null(), setup = value_list(heap, 1);
    struct permission permission;
    for (int i = 0; i < permission_count(session); i++) {
        if (!permission_at(session, i, &permission)) {
            continue;
        }
        if (permission.number == 0) {
            const struct crm_module *module = permission.module;
            names = value_list(heap, BASE_COUNT(ACTIONS));
            shape_add(heap, module ? modules : setup, make_category(session, module, module ? module->api_name : VIEW("Setup"), names));
        }
        shape_add(heap, names, value_text(heap, permission.name));
        shape_add(heap, permissions, show_permission(job, profile, &permission));
    }
    shape_add(heap, sections, make_section(heap, "Module Permissions", modules));
    shape_add(heap, sections, make_section(heap, "Setup Permissions", setup));
    shape_put(heap, shown, "permissions_details", permissions);
    shape_put(heap, shown, "sections", sections);
}

static struct value show_profile(const struct profile_job *job, const struct profile *profile, bool whole)
{
    const struct crm_session *session = job->given.session;
    struct heap *heap = session->heap;
    struct value shown = value_map(heap, 16);
    bool system = is_system(profile), touched = !system || profile->modified_by;
    shape_put(heap, shown, "display_label", profile->name);
    shape_put(heap, shown, "created_time", shape_time(session, system ? 0 : profile->created_ms));
    shape_put(heap, shown, "modified_time", shape_time(session, touched ? profile->modified_ms : 0));
    shape_put(heap, shown, "custom", value_bool(!system));
    if (whole) {
        put_permissions(job, profile, shown);
    }
    shape_put(heap, shown, "name", profile->name);
    shape_put(heap, shown, "api_name", profile->name);
    shape_put(heap, shown, "modified_by", shape_user(session, profile->modified_by));
    shape_put(heap, shown, "description", shape_get(value_as_map(profile->definition), "description"));
    shape_put(heap, shown, "id", crm_id_text(heap, profile->id));
    shape_put(heap, shown, "created_by", shape_user(session, profile->created_by));
    shape_text(heap, shown, "type", VIEW("normal_profile"));
    return shown;
}

// In the session's heap: too large for a fiber's stack.
static struct profile_job *new_job(struct crm_session *session, const struct map *map, struct fail *fail)
{
    struct profile_job *job = heap_alloc(session->heap, sizeof *job);
    session->details = value_null();
    if (!job) {
        fail_set(fail, FAIL_MEMORY, NULL);
        return NULL;
    }
    memset(job, 0, sizeof *job);
    job->given = (struct crm_given){.session = session, .map = map, .fail = fail};
    return job;
}

bool crm_profiles_list(struct crm_session *session, int64_t id, struct value *ret_list, struct fail *fail)
{
    struct profile_job *job = new_job(session, NULL, fail);
    if (!job || !store_read(crm_env(session->crm), read_profiles, job, fail)) {
        return false;
    }
    struct value list = value_list(session->heap, (size_t)job->count);
    for (int i = 0; i < job->count; i++) {
        if (!id || job->items[i].id == id) {
            shape_add(session->heap, list, show_profile(job, &job->items[i], id != 0));
        }
    }
    *ret_list = list;
    return true;
}

// ---- changing -----------------------------------------------------------------------------------

static bool refuse_name(const struct profile_job *job)
{
    return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "name",
                            "Profile name should not contain the following special character(s) : #, %, &, (, ), *, ^");
}

static bool check_name(const struct profile_job *job, struct view name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (view_find_char(VIEW("#%&()*^"), name.data[i]) >= 0) {
            return refuse_name(job);
        }
    }
    return true;
}

static bool name_failed(const struct profile_job *job)
{
    return job->given.fail->code == FAIL_EXISTS ? crm_given_refuse(&job->given, FAIL_DUPLICATE_DATA, "name", NULL) : false;
}

// The description that is given, null too, or the one before.
static bool put_description(const struct profile_job *job, struct value definition, const struct map *before)
{
    struct view description;
    if (!crm_given_text(&job->given, "description", DESCRIPTION_UNITS_MAX, &description)) {
        return false;
    }
    struct heap *heap = job->given.session->heap;
    struct value text = description.len ? value_text(heap, description) : value_null();
    shape_put(heap, definition, "description", crm_given_has(&job->given, "description") ? text : shape_get(before, "description"));
    return true;
}

static bool clone_profile(struct tx *tx, void *arg, struct fail *fail)
{
    struct profile_job *job = arg;
    struct crm_session *session = job->given.session;
    struct heap *heap = session->heap;
    if (!read_profiles(tx, job, fail)) {
        return false;
    }
    const struct profile *source = find_profile(job, job->id);
    if (!source) {
        return fail_set(fail, FAIL_NOT_FOUND, NULL);
    }
    if (job->count == PROFILES_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "there are at most %d profiles", PROFILES_MAX);
    }
    const struct map *before = value_as_map(source->definition);
    struct value definition = value_map(heap, 4), permissions = value_map(heap, 8);
    struct permission permission;
    for (int i = 0; i < permission_count(session) && permissions.type == VALUE_MAP; i++) {
        if (permission_at(session, i, &permission)) {
            map_put_text(heap, permissions.map, permission.name, value_bool(is_enabled(job, source, &permission)));
        }
    }
    shape_put(heap, definition, "base", value_text(heap, is_admin(source) ? VIEW("administrator") : VIEW("standard")));
    shape_put(heap, definition, "permissions", permissions);
    struct crm_object object = {.kind = PROFILE, .module = VIEW(""), .created_by = session->user_id};
    if (!put_description(job, definition, before) || !crm_given_name(&job->given, "name", NAME_UNITS_MAX, &object.name)) {
        return false;
    }
    object.definition = definition;
    return crm_object_add_tx(tx, &object, &job->new_id, fail) || name_failed(job);
}

bool crm_profile_clone(struct crm_session *session, int64_t id, const struct map *profile, int64_t *ret_id, struct fail *fail)
{
    struct profile_job *job = new_job(session, profile, fail);
    struct view name;
    if (!job || !crm_given_name(&job->given, "name", NAME_UNITS_MAX, &name) || !check_name(job, name)) {
        return false;
    }
    job->id = id;
    if (!store_write(crm_env(session->crm), clone_profile, job, fail)) {
        return false;
    }
    *ret_id = job->new_id;
    return true;
}

static bool refuse_permission(const struct profile_job *job, uint32_t index, const char *message)
{
    struct heap *heap = job->given.session->heap;
    crm_details_set(job->given.session, "api_name", VIEW("id"));
    shape_put(heap, job->given.session->details, "json_path", value_text_printf(heap, ".permissions_details[%u].id", index));
    return fail_set(job->given.fail, FAIL_INVALID_DATA, "%s", message);
}

// Without its View the others of a module are off.
static void close_module(const struct profile_job *job, const struct crm_module *module, struct value permissions)
{
    struct permission permission = {.module = module};
    for (size_t i = 1; i < BASE_COUNT(ACTIONS) && permissions.type == VALUE_MAP; i++) {
        name_permission(&permission, ACTIONS[i]);
        map_put_text(job->given.session->heap, permissions.map, permission.name, value_bool(false));
    }
}

// One {"id":…,"enabled":…}; `draft` is the profile as the entries before have left it.
static bool apply_permission(const struct profile_job *job, const struct profile *draft, struct value permissions, struct value entry,
                             uint32_t index)
{
    const struct map *map = value_as_map(entry);
    struct value enabled = shape_get(map, "enabled");
    struct permission permission, parent;
    int64_t id;
    if (!map || !crm_id_read(shape_get(map, "id"), &id) || !find_permission(job->given.session, id, &permission)) {
        return refuse_permission(job, index, "Invalid permission ID");
    }
    if (enabled.type != VALUE_BOOL) {
        crm_details_set(job->given.session, "expected_data_type", VIEW("boolean"));
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "enabled", NULL);
    }
    if (permission.module && permission.number > 0 && enabled.boolean) {
        parent = permission;
        name_permission(&parent, ACTIONS[0]);
        if (!is_enabled(job, draft, &parent)) {
            return refuse_permission(job, index, "Child permission can not be enabled, since its parent permission is disabled");
        }
    }
    if (permissions.type == VALUE_MAP) {
        map_put_text(job->given.session->heap, permissions.map, permission.name, enabled);
    }
    if (permission.module && permission.number == 0 && !enabled.boolean) {
        close_module(job, permission.module, permissions);
    }
    return true;
}

static bool apply_permissions(const struct profile_job *job, const struct profile *profile, struct value definition)
{
    struct heap *heap = job->given.session->heap;
    struct value given = shape_get(job->given.map, "permissions_details"), permissions = value_map(heap, 8);
    const struct map *before = value_as_map(shape_get(value_as_map(profile->definition), "permissions"));
    const struct list *list = value_as_list(given);
    struct profile draft = *profile;
    uint32_t cursor = 0;
    for (struct map_entry *entry; before && permissions.type == VALUE_MAP && (entry = map_next(before, &cursor));) {
        map_put(heap, permissions.map, entry->key, entry->value);
    }
    shape_put(heap, definition, "permissions", permissions);
    draft.definition = definition;
    if (!value_is_null(given) && (!list || list->count > PERMISSIONS_MAX)) {
        crm_details_set(job->given.session, "expected_data_type", VIEW("jsonarray"));
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "permissions_details", NULL);
    }
    for (uint32_t i = 0; list && i < list->count; i++) {
        if (!apply_permission(job, &draft, permissions, list->items[i], i)) {
            return false;
        }
    }
    return true;
}

static bool change_profile(struct tx *tx, void *arg, struct fail *fail)
{
    struct profile_job *job = arg;
    struct heap *heap = job->given.session->heap;
    bool found;
    if (!read_profiles(tx, job, fail)) {
        return false;
    }
    const struct profile *profile = find_profile(job, job->id);
    if (!profile) {
        return fail_set(fail, FAIL_NOT_FOUND, NULL);
    }
    struct view name;
    struct value definition = value_map(heap, 4);
    const struct map *before = value_as_map(profile->definition);
    if (!crm_given_text(&job->given, "name", NAME_UNITS_MAX, &name)) {
        return false;
    }
    name = name.len ? name : value_view_or(profile->name, VIEW(""));
    if (is_system(profile) && (is_admin(profile) || !view_eq(name, value_view_or(profile->name, VIEW(""))))) {
        return fail_set(fail, FAIL_NOT_ALLOWED, "System profile cannot be updated");
    }
    shape_put(heap, definition, "base", shape_get(before, "base"));
    shape_put(heap, definition, "system", shape_get(before, "system"));
    if (!check_name(job, name) || !put_description(job, definition, before) || !apply_permissions(job, profile, definition)) {
        return false;
    }
    struct crm_object object = {.kind = PROFILE,
                                .module = VIEW(""),
                                .id = job->id,
                                .name = name,
                                .definition = definition,
                                .modified_by = job->given.session->user_id};
    return (crm_object_change_tx(tx, &object, &found, fail) || name_failed(job)) &&
           crm_users_move_tx(tx, PROFILE, job->id, job->id, name, fail);
}

bool crm_profile_change(struct crm_session *session, int64_t id, const struct map *profile, struct fail *fail)
{
    struct profile_job *job = new_job(session, profile, fail);
    if (!job) {
        return false;
    }
    job->id = id;
    return store_write(crm_env(session->crm), change_profile, job, fail);
}

// ---- deleting -----------------------------------------------------------------------------------

static bool remove_profile(struct tx *tx, void *arg, struct fail *fail)
{
    struct profile_job *job = arg;
    bool found;
    if (!read_profiles(tx, job, fail)) {
        return false;
    }
    const struct profile *profile = find_profile(job, job->id), *other = find_profile(job, job->other);
    if (!profile) {
        return fail_set(fail, FAIL_NOT_FOUND, NULL);
    }
    if (is_system(profile)) {
        return fail_set(fail, FAIL_CANNOT_DELETE, "System profile cannot be deleted");
    }
    if (!other || other == profile) {
        crm_details_set(job->given.session, "param_name", VIEW("transfer_to_id"));
        return fail_set(fail, FAIL_INVALID_DATA, "the id given seems to be invalid");
    }
    return crm_users_move_tx(tx, PROFILE, job->id, job->other, value_view_or(other->name, VIEW("")), fail) &&
           crm_object_remove_tx(tx, PROFILE, job->id, &found, fail);
}

bool crm_profile_delete(struct crm_session *session, int64_t id, int64_t transfer_id, struct fail *fail)
{
    struct profile_job *job = new_job(session, NULL, fail);
    if (!job) {
        return false;
    }
    job->id = id;
    job->other = transfer_id;
    return store_write(crm_env(session->crm), remove_profile, job, fail);
}

// ---- what an organisation begins with -----------------------------------------------------------

static bool seed_object(struct tx *tx, struct heap *heap, const struct crm_object *seeded, const char *definition, struct fail *fail)
{
    struct crm_object object = *seeded;
    int64_t id;
    object.module = VIEW("");
    return json_read(heap, view_of(definition), &object.definition, fail) && crm_object_add_tx(tx, &object, &id, fail);
}

static bool seed_all(struct tx *tx, struct heap *heap, int64_t role_id, int64_t profile_id, struct fail *fail)
{
    char manager[96];
    struct crm_object ceo = {.kind = VIEW("role"), .id = role_id, .name = VIEW("CEO")}, below = {.kind = ceo.kind, .name = VIEW("Manager")};
    struct crm_object admin = {.kind = PROFILE, .id = profile_id, .name = VIEW("Administrator")};
    struct crm_object standard = {.kind = PROFILE, .name = VIEW("Standard")};
    snprintf(manager, sizeof manager, "{\"reporting_to\":\"%lld\",\"share_with_peers\":false}", (long long)role_id);
    return seed_object(tx, heap, &ceo, "{\"reporting_to\":null,\"share_with_peers\":true}", fail) &&
           seed_object(tx, heap, &below, manager, fail) &&
           seed_object(tx, heap, &admin,
                       "{\"description\":\"This profile has all the permissions\",\"base\":\"administrator\",\"system\":true}", fail) &&
           seed_object(tx, heap, &standard,
                       "{\"description\":\"This profile has all the permissions except those of an administrator\",\"base\":\"standard\","
                       "\"system\":true}",
                       fail);
}

bool crm_roles_seed_tx(struct tx *tx, struct fail *fail)
{
    struct rows *rows;
    struct heap heap;
    int64_t role_id = 0, profile_id = 0;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT u.role_id, u.profile_id FROM crm_user u JOIN crm_org o ON o.admin_id = u.id", NULL, 0, &rows, fail)) {
        return false;
    }
    bool found = rows_next(rows, fail);
    if (found) {
        role_id = rows_int(rows, 0);
        profile_id = rows_int(rows, 1);
    }
    rows_close(rows);
    if (!found) {
        return fail->code == FAIL_NONE; // not seeded yet
    }
    heap_init(&heap, 1 << 20, NULL);
    bool good = seed_all(tx, &heap, role_id, profile_id, fail);
    heap_free(&heap);
    return good;
}
