// SPDX-License-Identifier: Apache-2.0
// Related lists: the records of another module whose look-up points at one record. The relation's name is one of the module's related lists
// (standard_modules.json), or simply the API name of a module that has a look-up to it, which is how extension modules relate.
//
// Lists whose links have no place to be stored here (products of a lead, e-mails, check lists) are empty: nothing can be linked that way.
#include "crm/record.h"

// Activities come in two lists: what is to be done under the module's name, what is done under NAME_History (spec/crm-api.md §2.2; when a
// call or a meeting counts as done is a GUESS: once its time has passed).
static const struct {
    const char *module;
    struct crm_condition open, closed;
} ACTIVITIES[] = {
    {"Tasks", {"COALESCE(t.\"Status\",'') <> 'Completed'", false}, {"t.\"Status\" = 'Completed'", false}},
    {"Events", {"COALESCE(t.\"End_DateTime\" >= ?,1)", true}, {"t.\"End_DateTime\" < ?", true}},
    {"Calls", {"COALESCE(t.\"Call_Start_Time\" >= ?,1)", true}, {"t.\"Call_Start_Time\" < ?", true}},
};

static const struct crm_condition *find_condition(struct view relation, struct view module)
{
    for (size_t i = 0; i < BASE_COUNT(ACTIVITIES); i++) {
        if (view_eq(module, view_of(ACTIVITIES[i].module))) {
            return view_ends(relation, VIEW("_History")) ? &ACTIVITIES[i].closed : &ACTIVITIES[i].open;
        }
    }
    return NULL;
}

struct relation {
    struct crm_module *child; // NULL: nothing can be linked
    const struct crm_field *field;
    const struct crm_condition *condition;
};

static bool find_listed(struct crm_session *session, struct view name, const struct crm_fields *parent, struct relation *ret_relation,
                        bool *ret_found, struct fail *fail)
{
    for (int i = 0; i < parent->relation_count; i++) {
        const struct crm_relation *relation = &parent->relations[i];
        if (!view_eq_nocase(relation->api_name, name)) {
            continue;
        }
        struct crm_module *child = relation->field.len ? crm_module_resolve(session, relation->module) : NULL;
        *ret_found = true;
        if (!child) {
            return true;
        }
        if (!crm_fields_load(session, child, fail)) {
            return false;
        }
        const struct crm_field *field = crm_field_find(session, child, relation->field);
        if (field && field->kind == CRM_KIND_LOOKUP) {
            *ret_relation = (struct relation){child, field, find_condition(relation->api_name, child->api_name)};
        }
        return true;
    }
    return true;
}

// A module of that name with a look-up to the parent.
static bool find_child(struct crm_session *session, struct view name, const struct crm_module *parent, struct relation *ret_relation,
                       bool *ret_found, struct fail *fail)
{
    struct crm_module *child = crm_module_resolve(session, name);
    if (!child || child->subform) {
        return true;
    }
    if (!crm_fields_load(session, child, fail)) {
        return false;
    }
    const struct crm_fields *fields = crm_fields_of(child);
    for (int i = 0; i < fields->count && !*ret_found; i++) {
        const struct crm_field *field = &fields->items[i];
        if (field->kind == CRM_KIND_LOOKUP && (field->se_module || view_eq_nocase(field->lookup, parent->api_name))) {
            *ret_relation = (struct relation){.child = child, .field = field};
            *ret_found = true;
        }
    }
    return true;
}

static bool list_children(struct crm_session *session, const struct relation *relation, const struct crm_module *parent, int64_t parent_id,
                          const struct crm_query *query, struct value *ret_list, bool *ret_more, struct fail *fail)
{
    struct crm_query own = query ? *query : (struct crm_query){.equals = value_null()};
    struct value equals = value_map(session->heap, 2);
    if (equals.type != VALUE_MAP) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    map_put_text(session->heap, equals.map, relation->field->api_name, value_number(parent_id));
    if (relation->field->se_module) {
        map_put_text(session->heap, equals.map, VIEW("$se_module"), value_text(session->heap, parent->api_name));
    }
    own.equals = equals;
    return crm_records_list_where(session, relation->child->api_name, &own, relation->condition, ret_list, ret_more, fail);
}

static bool related_once(struct crm_session *session, struct view name, struct view parent_module, int64_t parent_id,
                         const struct crm_query *query, struct value *ret_list, bool *ret_more, struct fail *fail)
{
    struct crm_module *parent;
    struct relation relation = {0};
    bool found = false;
    if (!crm_module_find(session, parent_module, &parent, fail) ||
        !find_listed(session, name, crm_fields_of(parent), &relation, &found, fail)) {
        return false;
    }
    if (!found && !find_child(session, name, parent, &relation, &found, fail)) {
        return false;
    }
    if (!found) {
        return fail_set(fail, FAIL_INVALID_DATA, "the relation name given seems to be invalid");
    }
    if (!relation.child) {
        *ret_list = value_list(session->heap, 0);
        *ret_more = false;
        return true;
    }
    return list_children(session, &relation, parent, parent_id, query, ret_list, ret_more, fail);
}

bool crm_related_list(struct crm_session *session, struct view relation, struct view parent_module, int64_t parent_id,
                      const struct crm_query *query, struct value *ret_list, bool *ret_more, struct fail *fail)
{
    session->details = value_null();
    return related_once(session, relation, parent_module, parent_id, query, ret_list, ret_more, fail) ||
           (crm_session_retry(session, fail) && related_once(session, relation, parent_module, parent_id, query, ret_list, ret_more, fail));
}
