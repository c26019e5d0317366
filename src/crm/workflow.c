// SPDX-License-Identifier: Apache-2.0
// Workflow rules as settings (zoho-crm-workflow-rules): checked, stored as an object (object.h) and shown. What a rule means to a write is
// automation.c's and happened.c's.
//
// Supported are rules of one module on create, edit, create_or_edit, delete and field_update, with criteria, and with webhooks and
// functions as instant actions. Everything else of Zoho's rules is refused, so that no rule seems to be there that never runs.
#include "crm/automation.h"
#include "crm/object.h"
#include "crm/shape.h"

enum { NAME_UNITS_MAX = 100, DESCRIPTION_UNITS_MAX = 1000, SCRATCH_BYTES_MAX = 4 << 20 };

#define KIND VIEW("workflow_rule")

struct rule_check {
    struct crm_session *session;
    const struct map *given;
    const struct map *old; // the stored definition of a rule that is changed, or NULL
    const struct crm_module *module;
    crm_function_fn *function;
    void *user;
    struct value definition; // made
    struct fail *fail;
};

static bool refuse(struct rule_check *check, enum fail_code code, const char *api_name, const char *text)
{
    check->session->details = value_null();
    crm_details_set(check->session, "api_name", view_of(api_name));
    struct value path = value_text_printf(check->session->heap, "$.workflow_rules[0].%s", api_name);
    crm_details_set(check->session, "json_path", value_view_or(path, VIEW("")));
    char copy[FAIL_TEXT_MAX]; // the text may stand in the failure itself
    snprintf(copy, sizeof copy, "%s", text ? text : fail_default_text(code));
    return fail_set(check->fail, code, "%s", copy);
}

static void put(struct rule_check *check, struct value map, const char *key, struct value value)
{
    shape_put(check->session->heap, map, key, value);
}

// ---- when ---------------------------------------------------------------------------------------

static bool check_when(struct rule_check *check)
{
    struct heap *heap = check->session->heap;
    struct value given = shape_get(check->given, "execute_when");
    if (value_is_null(given)) {
        put(check, check->definition, "execute_when", shape_get(check->old, "execute_when"));
        return check->old || refuse(check, FAIL_MANDATORY_NOT_FOUND, "execute_when", NULL);
    }
    const struct map *when = value_as_map(given), *details = value_as_map(shape_get(when, "details"));
    struct value trigger = shape_get(details, "trigger_module"), made = value_map(heap, 2), inner = value_map(heap, 4);
    struct view type = crm_map_view(when, "type");
    if (!when || !type.len || !details) {
        return refuse(check, FAIL_INVALID_DATA, "execute_when", NULL);
    }
    if (!value_is_null(trigger) && crm_module_named(check->session, trigger) != check->module) {
        return refuse(check, FAIL_NOT_SUPPORTED, "trigger_module", "a rule runs on records of its own module");
    }
    put(check, inner, "trigger_module", shape_module(check->session, check->module));
    if (view_ends(type, VIEW("edit")) || view_eq(type, VIEW("field_update"))) {
        struct value repeat = shape_get(details, "repeat");
        if (!value_is_null(repeat) && repeat.type != VALUE_BOOL) {
            return refuse(check, FAIL_INVALID_DATA, "repeat", NULL);
        }
        put(check, inner, "repeat", value_bool(repeat.type != VALUE_BOOL || repeat.boolean));
    }
    if (view_eq(type, VIEW("field_update"))) {
        put(check, inner, "criteria", shape_get(details, "criteria"));
        if (shape_get(details, "match_all").type == VALUE_BOOL) {
            put(check, inner, "match_all", shape_get(details, "match_all"));
        }
    }
    shape_text(heap, made, "type", type);
    put(check, made, "details", inner);
    put(check, check->definition, "execute_when", made);
    return true;
}

// ---- conditions ---------------------------------------------------------------------------------

static bool check_webhook(struct rule_check *check, int64_t id, struct value *ret_name)
{
    struct value webhook;
    if (!crm_webhook_get(check->session, id, &webhook, check->fail)) {
        return false;
    }
    *ret_name = shape_get(value_as_map(webhook), "name");
    return true;
}

static bool check_action(struct rule_check *check, struct value given, struct value *ret_action)
{
    const struct map *action = value_as_map(given);
    struct view type = crm_map_view(action, "type");
    struct value name = value_null();
    int64_t id;
    bool webhook = view_eq(type, VIEW("webhooks"));
    if (!action || !type.len) {
        return refuse(check, FAIL_INVALID_DATA, "type", NULL);
    }
    if (!webhook && !view_eq(type, VIEW("functions"))) {
        return refuse(check, FAIL_NOT_SUPPORTED, "type", "only actions of type webhooks and functions are supported here");
    }
    if (!value_is_null(shape_get(action, "related_details"))) {
        return refuse(check, FAIL_NOT_SUPPORTED, "related_details", "actions on related records are not supported here");
    }
    if (!crm_id_read(shape_get(action, "id"), &id)) {
        return refuse(check, value_is_null(shape_get(action, "id")) ? FAIL_MANDATORY_NOT_FOUND : FAIL_INVALID_DATA, "id", NULL);
    }
    if (!(webhook ? check_webhook(check, id, &name) : check->function(check->user, check->session, id, &name, check->fail))) {
        return false;
    }
    if (name.type != VALUE_TEXT) {
        return refuse(check, FAIL_INVALID_DATA, "id", "the id given seems to be invalid");
    }
    *ret_action = value_map(check->session->heap, 3);
    shape_text(check->session->heap, *ret_action, "type", type);
    put(check, *ret_action, "id", crm_id_text(check->session->heap, id));
    put(check, *ret_action, "name", name);
    return true;
}

static bool check_actions(struct rule_check *check, const struct map *condition, struct value *ret_actions)
{
    const struct map *instant = value_as_map(shape_get(condition, "instant_actions"));
    const struct list *given = value_as_list(shape_get(instant, "actions"));
    struct value scheduled = shape_get(condition, "scheduled_actions");
    const struct list *later = value_as_list(scheduled);
    if (!value_is_null(scheduled) && (!later || later->count)) {
        return refuse(check, FAIL_NOT_SUPPORTED, "scheduled_actions", "actions at a later time are not supported here");
    }
    if (!given || given->count == 0) {
        return refuse(check, instant && !given ? FAIL_INVALID_DATA : FAIL_MANDATORY_NOT_FOUND, "instant_actions", NULL);
    }
    if (given->count > CRM_ACTIONS_MAX) {
        return refuse(check, FAIL_LIMIT_EXCEEDED, "actions", NULL);
    }
    struct value actions = value_list(check->session->heap, given->count);
    for (uint32_t i = 0; i < given->count; i++) {
        struct value action;
        if (!check_action(check, given->items[i], &action)) {
            return false;
        }
        shape_add(check->session->heap, actions, action);
    }
    *ret_actions = value_map(check->session->heap, 1);
    put(check, *ret_actions, "actions", actions);
    return true;
}

static const struct crm_field *resolve(void *arg, struct view name, const char **ret_alias)
{
    const struct rule_check *check = arg;
    *ret_alias = "t";
    return crm_field_find(check->session, check->module, name);
}

// Can the data base be asked this? It is not: a field that is missing or of the wrong kind is told now.
static bool check_tree(struct rule_check *check, const struct criteria *tree)
{
    struct arena arena;
    struct crm_module *module = (struct crm_module *)check->module;
    if (!tree) {
        return true;
    }
    if (!crm_fields_load(check->session, module, check->fail)) {
        return false;
    }
    arena_init(&arena, SCRATCH_BYTES_MAX);
    struct crm_sql sql = {.arena = &arena, .alias = "t"};
    buffer_init(&sql.text, SCRATCH_BYTES_MAX);
    bool good = crm_criteria_compile(check->session, tree, resolve, check, &sql, check->fail);
    buffer_free(&sql.text);
    arena_free(&arena);
    if (!good && check->fail->code == FAIL_INVALID_QUERY) {
        check->fail->code = FAIL_INVALID_DATA; // details say which field and why
    }
    return good;
}

static bool check_criteria(struct rule_check *check, const struct map *condition, struct value *ret_details)
{
    struct value given = shape_get(condition, "criteria_details");
    const struct map *details = value_as_map(given), *relational = value_as_map(shape_get(details, "relational_criteria"));
    struct criteria *tree;
    if (!details && !value_is_null(given)) {
        return refuse(check, FAIL_INVALID_DATA, "criteria_details", NULL);
    }
    if (!value_is_null(shape_get(relational, "criteria"))) {
        return refuse(check, FAIL_NOT_SUPPORTED, "relational_criteria", "criteria of related records are not supported here");
    }
    if (!crm_criteria_read(check->session->heap, shape_get(details, "criteria"), false, &tree, check->fail)) {
        return refuse(check, check->fail->code, "criteria", check->fail->text[0] ? check->fail->text : NULL);
    }
    *ret_details = value_map(check->session->heap, 1);
    put(check, *ret_details, "criteria", shape_get(details, "criteria"));
    return check_tree(check, tree);
}

static bool check_conditions(struct rule_check *check)
{
    struct heap *heap = check->session->heap;
    struct value given = shape_get(check->given, "conditions"), made = value_list(heap, 1);
    const struct list *list = value_as_list(given);
    if (value_is_null(given)) {
        put(check, check->definition, "conditions", shape_get(check->old, "conditions"));
        return check->old || refuse(check, FAIL_MANDATORY_NOT_FOUND, "conditions", NULL);
    }
    if (!list || list->count == 0 || list->count > CRM_CONDITIONS_MAX) {
        return refuse(check, list && list->count ? FAIL_LIMIT_EXCEEDED : FAIL_INVALID_DATA, "conditions", NULL);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const struct map *condition = value_as_map(list->items[i]);
        struct value own = value_map(heap, 3), criteria, actions;
        if (!condition) {
            return refuse(check, FAIL_INVALID_DATA, "conditions", NULL);
        }
        if (!check_criteria(check, condition, &criteria) || !check_actions(check, condition, &actions)) {
            return false;
        }
        put(check, own, "sequence_number", value_number(i + 1));
        put(check, own, "instant_actions", actions);
        put(check, own, "criteria_details", criteria);
        shape_add(heap, made, own);
    }
    put(check, check->definition, "conditions", made);
    return true;
}

// ---- the whole rule -----------------------------------------------------------------------------

static bool check_texts(struct rule_check *check, struct view *ret_name)
{
    struct value name = shape_get(check->given, "name"), description = shape_get(check->given, "description");
    bool told = map_get_text(check->given, VIEW("description")).type != VALUE_NULL;
    if (value_is_null(name) && !check->old) {
        return refuse(check, FAIL_MANDATORY_NOT_FOUND, "name", NULL);
    }
    if (!value_is_null(name) &&
        (name.type != VALUE_TEXT || !view_trim(value_view(name)).len || utf8_units(value_view(name)) > NAME_UNITS_MAX)) {
        return refuse(check, FAIL_INVALID_DATA, "name", NULL);
    }
    if (told && (description.type != VALUE_TEXT || utf8_units(value_view(description)) > DESCRIPTION_UNITS_MAX)) {
        return refuse(check, FAIL_INVALID_DATA, "description", NULL);
    }
    put(check, check->definition, "description", told ? description : shape_get(check->old, "description"));
    *ret_name = name.type == VALUE_TEXT ? view_trim(value_view(name)) : *ret_name;
    return true;
}

static bool check_state(struct rule_check *check)
{
    struct value status = shape_get(check->given, "status"), active = shape_get(value_as_map(status), "active");
    const struct map *lock = value_as_map(shape_get(check->given, "lock"));
    if (!value_is_null(status) && active.type != VALUE_BOOL) {
        return refuse(check, FAIL_INVALID_DATA, "status", NULL);
    }
    if (crm_map_bool(lock, "status", false)) {
        return refuse(check, FAIL_NOT_SUPPORTED, "lock", "locked rules are not supported here");
    }
    put(check, check->definition, "active", active.type == VALUE_BOOL ? active : value_bool(crm_map_bool(check->old, "active", true)));
    return true;
}

static bool check_rule(struct rule_check *check, struct view *ret_name)
{
    struct crm_rule rule = {0};
    check->definition = value_map(check->session->heap, 6);
    if (!check_texts(check, ret_name) || !check_state(check) || !check_when(check) || !check_conditions(check)) {
        return false;
    }
    if (check->definition.type != VALUE_MAP || check->session->heap->failed) {
        return fail_set(check->fail, FAIL_MEMORY, NULL);
    }
    if (!crm_rule_read(check->session->heap, check->definition.map, &rule, check->fail)) {
        return refuse(check, check->fail->code, "execute_when", check->fail->text[0] ? check->fail->text : NULL);
    }
    for (int i = 0; i < rule.changed_count; i++) {
        if (!crm_fields_load(check->session, (struct crm_module *)check->module, check->fail)) {
            return false;
        }
        if (!crm_field_find(check->session, check->module, rule.changed[i]->field)) {
            return refuse(check, FAIL_INVALID_DATA, "criteria", "a field of the criteria does not exist");
        }
        if (rule.changed[i]->operator!= CRITERIA_OPERATORS && !check_tree(check, rule.changed[i])) {
            return false;
        }
    }
    return true;
}

// ---- storing ------------------------------------------------------------------------------------

struct storing {
    struct crm_object object;
    bool found;
    int64_t id;
};

static bool add_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct storing *storing = arg;
    int64_t count;
    if (!crm_object_count_tx(tx, KIND, VIEW_NONE, &count, fail)) {
        return false;
    }
    if (count >= CRM_RULES_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "an environment has at most %d workflow rules", CRM_RULES_MAX);
    }
    return crm_object_add_tx(tx, &storing->object, &storing->id, fail) && store_bump(tx, fail);
}

static bool change_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct storing *storing = arg;
    return crm_object_change_tx(tx, &storing->object, &storing->found, fail) && store_bump(tx, fail);
}

static bool remove_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct storing *storing = arg;
    struct store_param id = store_int(storing->object.id);
    return crm_object_remove_tx(tx, KIND, storing->object.id, &storing->found, fail) &&
           tx_exec(tx, "DELETE FROM crm_rule_done WHERE rule_id = ?", &id, 1, fail) && store_bump(tx, fail);
}

static bool name_taken(struct rule_check *check)
{
    return check->fail->code == FAIL_EXISTS ? refuse(check, FAIL_DUPLICATE_DATA, "name", NULL) : false;
}

bool crm_rule_add(struct crm_session *session, struct value rule, crm_function_fn *function, void *user, int64_t *ret_id, struct fail *fail)
{
    struct rule_check check = {.session = session, .given = value_as_map(rule), .function = function, .user = user, .fail = fail};
    struct storing storing = {.object = {.kind = KIND, .created_by = session->user_id}};
    session->details = value_null();
    if (!check.given) {
        return refuse(&check, FAIL_INVALID_DATA, "workflow_rules", NULL);
    }
    struct value module = shape_get(check.given, "module");
    if (value_is_null(module)) {
        return refuse(&check, FAIL_MANDATORY_NOT_FOUND, "module", NULL);
    }
    check.module = crm_module_named(session, module);
    if (!check.module || check.module->subform) {
        return refuse(&check, FAIL_INVALID_MODULE, "module", NULL);
    }
    if (!check_rule(&check, &storing.object.name)) {
        return false;
    }
    storing.object.module = check.module->api_name;
    storing.object.definition = check.definition;
    if (!store_write(crm_env(session->crm), add_tx, &storing, fail)) {
        return name_taken(&check);
    }
    *ret_id = storing.id;
    return true;
}

// ---- reading ------------------------------------------------------------------------------------

static bool contains(struct view text, struct view part)
{
    for (size_t i = 0; i + part.len <= text.len; i++) {
        if (view_eq_nocase(view_slice(text, i, part.len), part)) {
            return true;
        }
    }
    return false;
}

static bool wanted(const struct crm_list_query *query, const struct crm_object *object)
{
    const struct map *definition = value_as_map(object->definition);
    const struct map *when = value_as_map(shape_get(definition, "execute_when"));
    return (!query->module.len || view_eq_nocase(query->module, object->module)) &&
           (!query->type.len || view_eq_nocase(query->type, crm_map_view(when, "type"))) &&
           (query->active < 0 || crm_map_bool(definition, "active", true) == (query->active != 0)) && contains(object->name, query->name);
}

static struct value show_lock(struct heap *heap)
{
    struct value lock = value_map(heap, 3);
    shape_put(heap, lock, "status", value_bool(false));
    shape_put(heap, lock, "locked_by", value_null());
    shape_put(heap, lock, "message", value_null());
    return lock;
}

static void number_conditions(const struct crm_session *session, int64_t id, struct value conditions)
{
    const struct list *list = value_as_list(conditions);
    for (uint32_t i = 0; list && i < list->count; i++) {
        shape_put(session->heap, list->items[i], "id", crm_id_text(session->heap, shape_id(id, i + 1)));
    }
}

static struct value show_rule(const struct crm_session *session, const struct crm_object *object)
{
    struct heap *heap = session->heap;
    const struct map *definition = value_as_map(object->definition);
    const struct crm_module *module = crm_module_resolve(session, object->module);
    struct value shown = value_map(heap, 18), status = value_map(heap, 1), conditions = shape_get(definition, "conditions");
    number_conditions(session, object->id, conditions);
    shape_put(heap, status, "active", value_bool(crm_map_bool(definition, "active", true)));
    shape_put(heap, shown, "id", crm_id_text(heap, object->id));
    shape_text(heap, shown, "name", object->name);
    shape_put(heap, shown, "description", shape_get(definition, "description"));
    shape_put(heap, shown, "module", module ? shape_module(session, module) : value_null());
    shape_put(heap, shown, "execute_when", shape_get(definition, "execute_when"));
    shape_put(heap, shown, "conditions", conditions);
    shape_put(heap, shown, "status", status);
    shape_put(heap, shown, "created_time", shape_time(session, object->created_ms));
    shape_put(heap, shown, "created_by", shape_user(session, object->created_by));
    shape_put(heap, shown, "modified_time", shape_time(session, object->modified_ms));
    shape_put(heap, shown, "modified_by", shape_user(session, object->modified_by));
    shape_put(heap, shown, "last_executed_time", value_null()); // not kept
    shape_text(heap, shown, "source", VIEW("crm"));
    shape_put(heap, shown, "editable", value_bool(true));
    shape_put(heap, shown, "deletable", value_bool(true));
    shape_put(heap, shown, "lock", show_lock(heap));
    return shown;
}

static struct crm_object_page page_of(struct crm_session *session, const struct crm_list_query *query, int64_t id)
{
    return (struct crm_object_page){.session = session, .kind = KIND, .id = id, .query = query, .wanted = wanted, .show = show_rule};
}

bool crm_rules_list(struct crm_session *session, const struct crm_list_query *query, struct value *ret_list, bool *ret_more,
                    struct fail *fail)
{
    struct crm_object_page page = page_of(session, query, 0);
    if (!crm_object_page_read(&page, fail)) {
        return false;
    }
    *ret_list = page.list;
    *ret_more = page.more;
    return true;
}

bool crm_rule_get(struct crm_session *session, int64_t id, struct value *ret_rule, struct fail *fail)
{
    struct crm_object_page page = page_of(session, NULL, id);
    if (!crm_object_page_read(&page, fail)) {
        return false;
    }
    *ret_rule = page.list.list->count ? page.list.list->items[0] : value_null();
    return true;
}

bool crm_rule_change(struct crm_session *session, int64_t id, struct value rule, crm_function_fn *function, void *user, struct fail *fail)
{
    struct rule_check check = {.session = session, .given = value_as_map(rule), .function = function, .user = user, .fail = fail};
    struct crm_object_page page = page_of(session, NULL, id);
    session->details = value_null();
    if (!check.given) {
        return refuse(&check, FAIL_INVALID_DATA, "workflow_rules", NULL);
    }
    if (!crm_object_page_read(&page, fail)) {
        return false;
    }
    if (!page.list.list->count) {
        return fail_set(fail, FAIL_NOT_FOUND, "the id given seems to be invalid");
    }
    check.old = value_as_map(page.definition);
    check.module = crm_module_resolve(session, value_view_or(page.module, VIEW("")));
    struct value module = shape_get(check.given, "module");
    if (!check.module || (!value_is_null(module) && crm_module_named(session, module) != check.module)) {
        return refuse(&check, FAIL_INVALID_DATA, "module", "the module of a rule cannot be changed");
    }
    struct storing storing = {.object = {.id = id,
                                         .kind = KIND,
                                         .module = check.module->api_name,
                                         .name = value_view_or(page.name, VIEW("")),
                                         .modified_by = session->user_id}};
    if (!check_rule(&check, &storing.object.name)) {
        return false;
    }
    storing.object.definition = check.definition;
    if (!store_write(crm_env(session->crm), change_tx, &storing, fail)) {
        return name_taken(&check);
    }
    return storing.found || fail_set(fail, FAIL_NOT_FOUND, "the id given seems to be invalid");
}

bool crm_rule_remove(struct crm_session *session, int64_t id, bool *ret_found, struct fail *fail)
{
    struct storing storing = {.object = {.id = id}};
    if (!store_write(crm_env(session->crm), remove_tx, &storing, fail)) {
        return false;
    }
    *ret_found = storing.found;
    return true;
}
