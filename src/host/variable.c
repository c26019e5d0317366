// SPDX-License-Identifier: Apache-2.0
// Variables and their groups as the REST API shows and changes them (spec/crm-api.md §2.10; shapes: Zoho's descriptions of
// /settings/variables and /settings/variable_groups). The rows are ext's: the same that getOrgVariable reads. An org's own ones can be
// changed here, those of extensions are shown; a secret's value is not.
#include "host/inside.h"

enum {
    API_NAME_UNITS_MAX = 100,
    NAME_UNITS_MAX = 50,
    DESCRIPTION_UNITS_MAX = 250,
    GROUP_DESCRIPTION_UNITS_MAX = 3000,
    VALUE_BYTES_MAX = 65536
};

static void put(struct heap *heap, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, view_of(key), value);
    }
}

static void put_view(struct heap *heap, struct value map, const char *key, struct view text)
{
    put(heap, map, key, text.data ? value_text(heap, text) : value_null());
}

static void put_id(struct heap *heap, struct value map, const char *key, int64_t id)
{
    char digits[21];
    put_view(heap, map, key, (struct view){digits, int64_print(digits, id)});
}

// ---- showing ------------------------------------------------------------------------------------

struct variable_list {
    struct heap *heap;
    int64_t id;
    struct view name, group;
    struct value list;
};

static bool in_group(const struct variable_list *list, const struct ext_org_variable *variable)
{
    int64_t id;
    return !list->group.len || view_eq_nocase(list->group, variable->group) ||
           (view_to_int64(list->group, &id) && id == variable->group_id);
}

static bool show_variable(void *arg, const struct ext_org_variable *variable, struct fail *fail)
{
    struct variable_list *list = arg;
    struct heap *heap = list->heap;
    struct value shown = value_map(heap, 12), group = value_map(heap, 2);
    if (!in_group(list, variable)) {
        return true;
    }
    put_view(heap, group, "api_name", variable->group);
    put_id(heap, group, "id", variable->group_id);
    put_view(heap, shown, "api_name", variable->api_name);
    put_view(heap, shown, "name", variable->name);
    put_view(heap, shown, "description", variable->description);
    put_id(heap, shown, "id", variable->id);
    put_view(heap, shown, "source", variable->own ? VIEW("crm") : VIEW("extension"));
    put_view(heap, shown, "type", variable->type);
    put(heap, shown, "variable_group", group);
    put(heap, shown, "read_only", value_bool(!variable->own));
    put_view(heap, shown, "value", variable->value);
    return (list->list.type == VALUE_LIST && list_add(heap, list->list.list, shown)) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_variables(struct tx *tx, void *arg, struct fail *fail)
{
    struct variable_list *list = arg;
    list->list = value_list(list->heap, 8);
    return ext_org_variables_tx(tx, list->id, list->name, show_variable, list, fail);
}

// Ids are numbers, and no name begins with a digit.
bool host_org_variables(struct crm_session *session, struct view id_or_name, struct view group, struct value *ret_list, struct fail *fail)
{
    struct variable_list list = {.heap = session->heap, .name = VIEW_NONE, .group = group};
    session->details = value_null();
    if (id_or_name.len && (!view_to_int64(id_or_name, &list.id) || list.id <= 0)) {
        list.id = 0;
        list.name = id_or_name;
    }
    if (!store_read(crm_env(session->crm), read_variables, &list, fail)) {
        return false;
    }
    *ret_list = list.list;
    return true;
}

struct group_list {
    struct heap *heap;
    int64_t id;
    struct value list;
};

static bool show_group(void *arg, const struct ext_variable_group *group, struct fail *fail)
{
    struct group_list *list = arg;
    struct heap *heap = list->heap;
    struct value shown = value_map(heap, 8);
    if (list->id && list->id != group->id) {
        return true;
    }
    put_view(heap, shown, "display_label", group->name);
    put_view(heap, shown, "api_name", group->api_name);
    put_view(heap, shown, "name", group->name);
    put_view(heap, shown, "description", group->description);
    put_id(heap, shown, "id", group->id);
    put_view(heap, shown, "source", VIEW("crm"));
    return (list->list.type == VALUE_LIST && list_add(heap, list->list.list, shown)) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_groups(struct tx *tx, void *arg, struct fail *fail)
{
    struct group_list *list = arg;
    list->list = value_list(list->heap, 4);
    return ext_variable_groups_tx(tx, show_group, list, fail);
}

bool host_variable_groups(struct crm_session *session, int64_t id, struct value *ret_list, struct fail *fail)
{
    struct group_list list = {.heap = session->heap, .id = id};
    session->details = value_null();
    if (!store_read(crm_env(session->crm), read_groups, &list, fail)) {
        return false;
    }
    *ret_list = list.list;
    return true;
}

// ---- changing variables -------------------------------------------------------------------------

struct variable_job {
    struct crm_given given;
    struct ext_org_variable variable; // what it becomes
    struct value value; // as text
    struct view api_name, name, description, type, group_name;
    int64_t id, group_id;
    bool found, own, group_found;
    struct value before; // texts of the row, {"api_name":…}
};

static bool open_job(struct variable_job *job)
{
    job->given.session->details = value_null();
    return !job->given.session->journal || fail_set(job->given.fail, FAIL_NOT_SUPPORTED, "settings cannot be changed by an install script");
}

// Numbers and booleans become the text that they print.
static bool read_value(struct variable_job *job)
{
    const struct crm_given *given = &job->given;
    struct heap *heap = given->session->heap;
    struct value value = map_get_text(given->map, VIEW("value"));
    bool scalar = value.type == VALUE_TEXT || value.type == VALUE_NUMBER || value.type == VALUE_DECIMAL || value.type == VALUE_BOOL;
    if (!value_is_null(value) && !scalar) {
        crm_details_set(given->session, "expected_data_type", VIEW("text"));
        return crm_given_refuse(given, FAIL_INVALID_DATA, "value", NULL);
    }
    job->value = value_is_null(value) ? value_text(heap, VIEW("")) : value_to_text(heap, value, given->fail);
    if (job->value.type != VALUE_TEXT) {
        return fail_set(given->fail, FAIL_MEMORY, NULL);
    }
    if (job->value.len > VALUE_BYTES_MAX) {
        crm_given_refuse(given, FAIL_INVALID_DATA, "value", NULL);
        put(heap, given->session->details, "maximum_length", value_number(VALUE_BYTES_MAX));
        return false;
    }
    return true;
}

static bool read_names(struct variable_job *job)
{
    const struct crm_given *given = &job->given;
    if (!crm_given_text(given, "api_name", API_NAME_UNITS_MAX, &job->api_name) ||
        !crm_given_text(given, "name", NAME_UNITS_MAX, &job->name) ||
        !crm_given_text(given, "description", DESCRIPTION_UNITS_MAX, &job->description) ||
        !crm_given_text(given, "type", NAME_UNITS_MAX, &job->type)) {
        return false;
    }
    if (job->api_name.len && !ext_org_variable_name_valid(job->api_name)) {
        return crm_given_refuse(given, FAIL_PATTERN, "api_name", NULL);
    }
    return true;
}

// {"id":…}, or {"name":…} of one that may not be there yet.
static bool read_group(struct variable_job *job)
{
    const struct crm_given *given = &job->given;
    struct value group = map_get_text(given->map, VIEW("variable_group"));
    const struct map *map = value_as_map(group);
    if (!value_is_null(group) && !map) {
        crm_details_set(given->session, "expected_data_type", VIEW("jsonobject"));
        return crm_given_refuse(given, FAIL_INVALID_DATA, "variable_group", NULL);
    }
    job->group_name = map ? view_trim(value_view_or(map_get_text(map, VIEW("name")), VIEW(""))) : VIEW("");
    if (utf8_units(job->group_name) > NAME_UNITS_MAX) {
        return crm_given_refuse(given, FAIL_INVALID_DATA, "variable_group", NULL);
    }
    return crm_given_id(given, "variable_group", &job->group_id);
}

static bool match_group(void *arg, const struct ext_variable_group *group, struct fail *fail)
{
    (void)fail;
    struct variable_job *job = arg;
    bool same = job->group_id ? group->id == job->group_id : view_eq_nocase(group->name, job->group_name);
    if (same) {
        job->variable.group_id = group->id;
        job->group_found = true;
    }
    return true;
}

// "My Group" → My_Group
static struct value api_name_of(struct heap *heap, struct view name)
{
    char text[4 * NAME_UNITS_MAX + 1];
    size_t len = 0;
    for (size_t i = 0; i < name.len && len < sizeof text; i++) {
        text[len++] = name.data[i] == ' ' ? '_' : name.data[i];
    }
    return value_text(heap, (struct view){text, len});
}

static bool find_group(struct tx *tx, struct variable_job *job)
{
    struct fail *fail = job->given.fail;
    job->group_found = false;
    if (!job->group_id && !job->group_name.len) {
        return true; // stays
    }
    if (!ext_variable_groups_tx(tx, match_group, job, fail)) {
        return false;
    }
    if (job->group_found) {
        return true;
    }
    if (job->group_id) {
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "variable_group", "the id given seems to be invalid");
    }
    struct value api_name = api_name_of(job->given.session->heap, job->group_name);
    struct ext_variable_group group = {.api_name = value_view_or(api_name, VIEW("")), .name = job->group_name};
    return ext_variable_group_put_tx(tx, &group, &job->variable.group_id, fail);
}

static bool put_variable(struct tx *tx, struct variable_job *job)
{
    const char *taken = "api_name";
    struct fail *fail = job->given.fail;
    if (!ext_type_fits(job->variable.type, job->variable.value)) {
        crm_details_set(job->given.session, "expected_data_type", job->variable.type);
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "value", NULL);
    }
    if (ext_org_variable_put_tx(tx, &job->variable, &job->id, &taken, fail)) {
        return true;
    }
    return fail->code == FAIL_EXISTS ? crm_given_refuse(&job->given, FAIL_DUPLICATE_DATA, taken, NULL) : false;
}

static bool add_variable(struct tx *tx, void *arg, struct fail *fail)
{
    (void)fail;
    struct variable_job *job = arg;
    job->given.session->details = value_null();
    return find_group(tx, job) && put_variable(tx, job);
}

static bool check_type(struct variable_job *job)
{
    if (job->type.len && !ext_type_known(job->type)) {
        struct buffer names;
        buffer_init(&names, 1024);
        ext_type_names(&names);
        crm_details_set(job->given.session, "supported_values", buffer_view(&names));
        buffer_free(&names);
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "type", NULL);
    }
    return true;
}

bool host_org_variable_add(struct crm_session *session, const struct map *row, int64_t *ret_id, struct fail *fail)
{
    struct variable_job job = {.given = {.session = session, .map = row, .fail = fail}};
    if (!open_job(&job) || !read_names(&job) || !check_type(&job) || !read_group(&job) || !read_value(&job)) {
        return false;
    }
    const char *missing = !job.api_name.len                          ? "api_name"
                          : !job.name.len                            ? "name"
                          : !job.group_id && job.group_name.len == 0 ? "variable_group"
                                                                     : NULL;
    if (missing) {
        return crm_given_refuse(&job.given, FAIL_MANDATORY_NOT_FOUND, missing, NULL);
    }
    job.variable = (struct ext_org_variable){.api_name = job.api_name,
                                             .name = job.name,
                                             .type = job.type.len ? job.type : VIEW("text"),
                                             .value = value_view(job.value),
                                             .description = job.description};
    if (!store_write(crm_env(session->crm), add_variable, &job, fail)) {
        return false;
    }
    *ret_id = job.id;
    return true;
}

static bool keep_before(void *arg, const struct ext_org_variable *variable, struct fail *fail)
{
    (void)fail;
    struct variable_job *job = arg;
    struct heap *heap = job->given.session->heap;
    put_view(heap, job->before, "api_name", variable->api_name);
    put_view(heap, job->before, "name", variable->name);
    put_view(heap, job->before, "type", variable->type);
    put_view(heap, job->before, "value", variable->value);
    put_view(heap, job->before, "description", variable->description);
    job->variable = (struct ext_org_variable){.id = variable->id, .group_id = variable->group_id};
    job->own = variable->own;
    job->found = true;
    return true;
}

static struct view before(const struct variable_job *job, const char *key)
{
    return value_view_or(map_get_text(value_as_map(job->before), view_of(key)), VIEW_NONE);
}

// FAIL_NOT_FOUND, or FAIL_NOT_ALLOWED for an extension's.
static bool read_before(struct tx *tx, struct variable_job *job)
{
    struct fail *fail = job->given.fail;
    job->given.session->details = value_null();
    job->found = false;
    job->before = value_map(job->given.session->heap, 8);
    if (job->before.type != VALUE_MAP) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!ext_org_variables_tx(tx, job->id, VIEW_NONE, keep_before, job, fail)) {
        return false;
    }
    if (!job->found || job->given.session->heap->failed) {
        return fail_set(fail, job->found ? FAIL_MEMORY : FAIL_NOT_FOUND, NULL);
    }
    return job->own || crm_given_refuse(&job->given, FAIL_NOT_ALLOWED, "id", "a variable of an extension cannot be changed here");
}

static bool change_variable(struct tx *tx, void *arg, struct fail *fail)
{
    (void)fail;
    struct variable_job *job = arg;
    if (!read_before(tx, job)) {
        return false;
    }
    if (job->type.len && !view_eq_nocase(job->type, before(job, "type"))) {
        return crm_given_refuse(&job->given, FAIL_NOT_ALLOWED, "type", "the type of a variable cannot be changed");
    }
    bool valued = crm_given_has(&job->given, "value"), described = crm_given_has(&job->given, "description");
    job->variable.api_name = job->api_name.len ? job->api_name : before(job, "api_name");
    job->variable.name = job->name.len ? job->name : before(job, "name");
    job->variable.type = before(job, "type");
    job->variable.value = valued ? value_view(job->value) : before(job, "value");
    job->variable.description = described ? job->description : before(job, "description");
    return find_group(tx, job) && put_variable(tx, job);
}

bool host_org_variable_change(struct crm_session *session, int64_t id, const struct map *row, struct fail *fail)
{
    struct variable_job job = {.given = {.session = session, .map = row, .fail = fail}, .id = id};
    return open_job(&job) && read_names(&job) && read_group(&job) && read_value(&job) &&
           store_write(crm_env(session->crm), change_variable, &job, fail);
}

static bool remove_variable(struct tx *tx, void *arg, struct fail *fail)
{
    struct variable_job *job = arg;
    return read_before(tx, job) && ext_org_variable_remove_tx(tx, job->id, &job->found, fail);
}

bool host_org_variable_remove(struct crm_session *session, int64_t id, struct fail *fail)
{
    struct variable_job job = {.given = {.session = session, .fail = fail}, .id = id};
    return open_job(&job) && store_write(crm_env(session->crm), remove_variable, &job, fail);
}

// ---- changing groups ----------------------------------------------------------------------------

struct group_job {
    struct crm_given given;
    struct ext_variable_group group;
    struct view api_name, name, description;
    struct value texts[3];
    bool found;
};

static bool keep_group(void *arg, const struct ext_variable_group *group, struct fail *fail)
{
    (void)fail;
    struct group_job *job = arg;
    struct heap *heap = job->given.session->heap;
    if (group->id == job->group.id) {
        job->texts[0] = value_text(heap, group->api_name);
        job->texts[1] = value_text(heap, group->name);
        job->texts[2] = group->description.data ? value_text(heap, group->description) : value_null();
        job->group.system = group->system;
        job->found = true;
    }
    return true;
}

static bool change_group(struct tx *tx, void *arg, struct fail *fail)
{
    struct group_job *job = arg;
    int64_t id;
    job->given.session->details = value_null();
    job->found = false;
    if (!ext_variable_groups_tx(tx, keep_group, job, fail)) {
        return false;
    }
    if (!job->found) {
        return fail_set(fail, FAIL_NOT_FOUND, NULL);
    }
    if (job->group.system) {
        return crm_given_refuse(&job->given, FAIL_CANNOT_PERFORM, "id",
                                "the given operation is not supported for system defined variable group");
    }
    bool described = crm_given_has(&job->given, "description");
    job->group.api_name = job->api_name.len ? job->api_name : value_view_or(job->texts[0], VIEW(""));
    job->group.name = job->name.len ? job->name : value_view_or(job->texts[1], VIEW(""));
    job->group.description = described ? job->description : value_view_or(job->texts[2], VIEW_NONE);
    if (ext_variable_group_put_tx(tx, &job->group, &id, fail)) {
        return true;
    }
    return fail->code == FAIL_EXISTS ? crm_given_refuse(&job->given, FAIL_DUPLICATE_DATA, "name", NULL) : false;
}

bool host_variable_group_change(struct crm_session *session, int64_t id, const struct map *row, struct fail *fail)
{
    struct group_job job = {.given = {.session = session, .map = row, .fail = fail}, .group = {.id = id}};
    session->details = value_null();
    if (session->journal) {
        return fail_set(fail, FAIL_NOT_SUPPORTED, "settings cannot be changed by an install script");
    }
    if (!crm_given_text(&job.given, "api_name", API_NAME_UNITS_MAX, &job.api_name) ||
        !crm_given_text(&job.given, "name", NAME_UNITS_MAX, &job.name) ||
        !crm_given_text(&job.given, "description", GROUP_DESCRIPTION_UNITS_MAX, &job.description)) {
        return false;
    }
    if (job.api_name.len && !ext_org_variable_name_valid(job.api_name)) {
        return crm_given_refuse(&job.given, FAIL_PATTERN, "api_name", NULL);
    }
    return store_write(crm_env(session->crm), change_group, &job, fail);
}
