// SPDX-License-Identifier: Apache-2.0
// Roles (spec/crm-api.md §2.10; shapes: Zoho's description of /settings/roles). They form a tree whose root is the role that reports to
// nobody, CEO. Roles are shown, and users have one each; which records a user sees does not depend on them in this edition.
//
// A role is an object of kind "role" (object.h): {"reporting_to":id,"description":…,"share_with_peers":…}.
#include "crm/given.h"
#include "crm/object.h"

enum { ROLES_MAX = 500, NAME_UNITS_MAX = 200, DESCRIPTION_UNITS_MAX = 250 };

static const struct view ROLE = VIEW("role");

struct role {
    int64_t id, parent; // parent 0: the root
    struct value name, definition;
    int64_t created_ms, created_by, modified_ms, modified_by;
};

struct roles { // all of them, in the order in which they were made
    struct heap *heap;
    struct role items[ROLES_MAX];
    int count;
};

static bool keep_role(void *arg, const struct crm_object *object, struct fail *fail)
{
    struct roles *roles = arg;
    if (roles->count == ROLES_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "there are more than %d roles", ROLES_MAX);
    }
    struct role *role = &roles->items[roles->count++];
    *role = (struct role){.id = object->id,
                          .name = value_text(roles->heap, object->name),
                          .definition = object->definition,
                          .created_ms = object->created_ms,
                          .created_by = object->created_by,
                          .modified_ms = object->modified_ms,
                          .modified_by = object->modified_by};
    struct value parent = shape_get(value_as_map(object->definition), "reporting_to");
    return value_is_null(parent) || crm_id_read(parent, &role->parent) || fail_set(fail, FAIL_INTERNAL, "a role reports to no id");
}

static bool read_roles(struct tx *tx, struct roles *roles, struct fail *fail)
{
    struct crm_object_query query = {.kind = ROLE};
    roles->count = 0;
    return crm_objects_tx(tx, &query, roles->heap, keep_role, roles, fail) && (!roles->heap->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

// In the session's heap: too large for a fiber's stack.
static struct roles *new_roles(struct crm_session *session, struct fail *fail)
{
    struct roles *roles = heap_alloc(session->heap, sizeof *roles);
    if (!roles) {
        fail_set(fail, FAIL_MEMORY, NULL);
        return NULL;
    }
    roles->heap = session->heap;
    roles->count = 0;
    return roles;
}

static const struct role *find_role(const struct roles *roles, int64_t id)
{
    for (int i = 0; i < roles->count; i++) {
        if (roles->items[i].id == id) {
            return &roles->items[i];
        }
    }
    return NULL;
}

// Is `id` the role `top`, or below it? A tree of damaged rows ends too.
static bool is_below(const struct roles *roles, int64_t id, int64_t top)
{
    const struct role *role = find_role(roles, id);
    for (int steps = 0; role && steps <= roles->count; steps++) {
        if (role->id == top) {
            return true;
        }
        role = role->parent ? find_role(roles, role->parent) : NULL;
    }
    return false;
}

// ---- showing ------------------------------------------------------------------------------------

static struct value show_named(struct heap *heap, struct value name, int64_t id)
{
    struct value shown = value_map(heap, 2);
    shape_put(heap, shown, "name", name);
    shape_put(heap, shown, "id", crm_id_text(heap, id));
    return shown;
}

static struct value show_role(const struct crm_session *session, const struct roles *roles, const struct role *role)
{
    struct heap *heap = session->heap;
    struct value shown = value_map(heap, 16);
    const struct map *definition = value_as_map(role->definition);
    const struct role *parent = role->parent ? find_role(roles, role->parent) : NULL;
    shape_put(heap, shown, "display_label", role->name);
    shape_put(heap, shown, "created_by__s", shape_user(session, role->created_by));
    shape_put(heap, shown, "modified_by__s", shape_user(session, role->modified_by));
    shape_put(heap, shown, "forecast_manager", value_null());
    shape_put(heap, shown, "share_with_peers", value_bool(crm_map_bool(definition, "share_with_peers", true)));
    shape_put(heap, shown, "modified_time__s", shape_time(session, role->modified_ms));
    shape_put(heap, shown, "description", shape_get(definition, "description"));
    shape_put(heap, shown, "reporting_to", parent ? show_named(heap, parent->name, parent->id) : value_null());
    shape_put(heap, shown, "name", role->name);
    shape_put(heap, shown, "created_time__s", shape_time(session, role->created_ms));
    shape_put(heap, shown, "id", crm_id_text(heap, role->id));
    return shown;
}

static bool read_all(struct tx *tx, void *arg, struct fail *fail)
{
    return read_roles(tx, arg, fail);
}

bool crm_roles_list(struct crm_session *session, int64_t id, struct value *ret_list, struct fail *fail)
{
    struct roles *roles = new_roles(session, fail);
    if (!roles || !store_read(crm_env(session->crm), read_all, roles, fail)) {
        return false;
    }
    struct value list = value_list(session->heap, (size_t)roles->count);
    for (int i = 0; i < roles->count; i++) {
        if (!id || roles->items[i].id == id) {
            shape_add(session->heap, list, show_role(session, roles, &roles->items[i]));
        }
    }
    *ret_list = list;
    return true;
}

// ---- changing -----------------------------------------------------------------------------------

struct role_job {
    struct crm_given given;
    struct roles *roles;
    struct crm_object object;
    int64_t id, other; // other: who it reports to, or who takes its users
    bool moved; // reporting_to was given
};

static bool open_job(struct role_job *job, struct crm_session *session, struct fail *fail)
{
    session->details = value_null();
    job->given.session = session;
    job->given.fail = fail;
    job->roles = new_roles(session, fail);
    job->object = (struct crm_object){
        .kind = ROLE, .module = VIEW(""), .id = job->id, .created_by = session->user_id, .modified_by = session->user_id};
    return job->roles != NULL;
}

// What the map says, over what the role was.
static bool read_given(struct role_job *job, const struct map *before)
{
    const struct crm_given *given = &job->given;
    struct heap *heap = given->session->heap;
    struct view name, description;
    bool share;
    if (!crm_given_text(given, "name", NAME_UNITS_MAX, &name) ||
        !crm_given_text(given, "description", DESCRIPTION_UNITS_MAX, &description) ||
        !crm_given_bool(given, "share_with_peers", crm_map_bool(before, "share_with_peers", false), &share)) {
        return false;
    }
    struct value definition = value_map(heap, 3);
    shape_put(heap, definition, "reporting_to", job->other ? crm_id_text(heap, job->other) : value_null());
    shape_put(heap, definition, "description",
              description.len                       ? value_text(heap, description)
              : crm_given_has(given, "description") ? value_null()
                                                    : shape_get(before, "description"));
    shape_put(heap, definition, "share_with_peers", value_bool(share));
    job->object.definition = definition;
    if (name.len) {
        job->object.name = name;
    }
    if (view_find_char(job->object.name, '#') >= 0) {
        return crm_given_refuse(given, FAIL_INVALID_DATA, "name", "Role name should not contain the following special character(s):#");
    }
    return true;
}

static bool name_failed(struct role_job *job)
{
    return job->given.fail->code == FAIL_EXISTS ? crm_given_refuse(&job->given, FAIL_DUPLICATE_DATA, "name", NULL) : false;
}

static bool check_parent(struct role_job *job)
{
    if (!find_role(job->roles, job->other)) {
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "reporting_to", "the id given seems to be invalid or already deleted");
    }
    if (job->id && is_below(job->roles, job->other, job->id)) {
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "reporting_to", "a role cannot report to itself or to a role below it");
    }
    return true;
}

static bool add_role(struct tx *tx, void *arg, struct fail *fail)
{
    struct role_job *job = arg;
    if (!read_roles(tx, job->roles, fail) || !check_parent(job)) {
        return false;
    }
    if (job->roles->count == ROLES_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "there are at most %d roles", ROLES_MAX);
    }
    return crm_object_add_tx(tx, &job->object, &job->id, fail) || name_failed(job);
}

bool crm_role_add(struct crm_session *session, const struct map *role, int64_t *ret_id, struct fail *fail)
{
    struct role_job job = {.given = {.map = role}};
    struct view name;
    if (!open_job(&job, session, fail) || !crm_given_name(&job.given, "name", NAME_UNITS_MAX, &name) ||
        !crm_given_id(&job.given, "reporting_to", &job.other)) {
        return false;
    }
    if (!job.other) {
        return crm_given_refuse(&job.given, FAIL_MANDATORY_NOT_FOUND, "reporting_to", NULL);
    }
    if (!read_given(&job, NULL) || !store_write(crm_env(session->crm), add_role, &job, fail)) {
        return false;
    }
    *ret_id = job.id;
    return true;
}

static bool change_role(struct tx *tx, void *arg, struct fail *fail)
{
    struct role_job *job = arg;
    bool found;
    if (!read_roles(tx, job->roles, fail)) {
        return false;
    }
    const struct role *role = find_role(job->roles, job->id);
    if (!role) {
        return fail_set(fail, FAIL_NOT_FOUND, NULL);
    }
    int64_t asked = job->other;
    if (job->moved && asked != role->parent && !role->parent) {
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "reporting_to", "the first role reports to nobody");
    }
    if (job->moved && asked != role->parent && !check_parent(job)) {
        return false;
    }
    job->other = job->moved ? asked : role->parent;
    job->object.name = value_view(role->name);
    bool good = read_given(job, value_as_map(role->definition));
    job->other = asked; // a second run begins with what was asked
    if (!good) {
        return false;
    }
    return (crm_object_change_tx(tx, &job->object, &found, fail) || name_failed(job)) &&
           crm_users_move_tx(tx, ROLE, job->id, job->id, job->object.name, fail);
}

bool crm_role_change(struct crm_session *session, int64_t id, const struct map *role, struct fail *fail)
{
    struct role_job job = {.given = {.map = role}, .id = id};
    struct view name;
    if (!open_job(&job, session, fail) || !crm_given_id(&job.given, "reporting_to", &job.other)) {
        return false;
    }
    if (crm_given_has(&job.given, "name") && !crm_given_name(&job.given, "name", NAME_UNITS_MAX, &name)) {
        return false;
    }
    job.moved = job.other != 0;
    return store_write(crm_env(session->crm), change_role, &job, fail);
}

// ---- deleting -----------------------------------------------------------------------------------

static bool refuse_transfer(struct role_job *job, const char *why)
{
    crm_details_set(job->given.session, "role_status", view_of(why));
    crm_details_set(job->given.session, "param_name", VIEW("transfer_to_id"));
    return fail_set(job->given.fail, FAIL_INVALID_DATA, "the role cannot take over users and roles");
}

// Roles that report to it report to the one that takes its users.
static bool move_children(struct tx *tx, struct role_job *job)
{
    struct heap *heap = job->given.session->heap;
    for (int i = 0; i < job->roles->count; i++) {
        const struct role *role = &job->roles->items[i];
        bool found;
        if (role->parent != job->id) {
            continue;
        }
        struct crm_object object = {.kind = ROLE,
                                    .module = VIEW(""),
                                    .id = role->id,
                                    .name = value_view(role->name),
                                    .definition = role->definition,
                                    .modified_by = job->given.session->user_id};
        shape_put(heap, object.definition, "reporting_to", crm_id_text(heap, job->other));
        if (!crm_object_change_tx(tx, &object, &found, job->given.fail)) {
            return false;
        }
    }
    return true;
}

static bool remove_role(struct tx *tx, void *arg, struct fail *fail)
{
    struct role_job *job = arg;
    bool found;
    if (!read_roles(tx, job->roles, fail)) {
        return false;
    }
    const struct role *role = find_role(job->roles, job->id), *other = find_role(job->roles, job->other);
    if (!role) {
        return fail_set(fail, FAIL_NOT_FOUND, NULL);
    }
    if (!role->parent) {
        return crm_given_refuse(&job->given, FAIL_NOT_ALLOWED, "id", "the first role cannot be deleted");
    }
    if (!other || is_below(job->roles, job->other, job->id)) {
        return refuse_transfer(job, !other ? "invalid" : job->other == job->id ? "same_role" : "subordinate");
    }
    return move_children(tx, job) && crm_users_move_tx(tx, ROLE, job->id, job->other, value_view(other->name), fail) &&
           crm_object_remove_tx(tx, ROLE, job->id, &found, fail);
}

bool crm_role_delete(struct crm_session *session, int64_t id, int64_t transfer_id, struct fail *fail)
{
    struct role_job job = {.id = id, .other = transfer_id};
    return open_job(&job, session, fail) && store_write(crm_env(session->crm), remove_role, &job, fail);
}

// ---- for users ----------------------------------------------------------------------------------

struct name_search {
    struct heap *heap;
    struct value name;
};

static bool keep_name(void *arg, const struct crm_object *object, struct fail *fail)
{
    (void)fail;
    struct name_search *search = arg;
    search->name = value_text(search->heap, object->name);
    return true;
}

bool crm_object_name_tx(struct tx *tx, struct crm_session *session, struct view kind, int64_t id, struct view *ret_name, bool *ret_found,
                        struct fail *fail)
{
    struct crm_object_query query = {.kind = kind, .id = id};
    struct name_search search = {.heap = session->heap, .name = value_null()};
    if (!crm_objects_tx(tx, &query, session->heap, keep_name, &search, fail)) {
        return false;
    }
    *ret_found = search.name.type == VALUE_TEXT;
    *ret_name = value_view_or(search.name, VIEW_NONE);
    return true;
}

bool crm_users_move_tx(struct tx *tx, struct view kind, int64_t from, int64_t to, struct view name, struct fail *fail)
{
    bool role = view_eq(kind, ROLE);
    struct store_param params[] = {store_int(to), store_text(name), store_int(from)};
    return tx_exec(tx,
                   role ? "UPDATE crm_user SET role_id = ?, role_name = ? WHERE role_id = ?"
                        : "UPDATE crm_user SET profile_id = ?, profile_name = ? WHERE profile_id = ?",
                   params, BASE_COUNT(params), fail) &&
           store_bump(tx, fail);
}
