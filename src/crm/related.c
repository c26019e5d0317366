// SPDX-License-Identifier: Apache-2.0
// Related lists: the records of another module whose look-up points at one record. The relation's name is one of the module's related lists
// (standard_modules.json), or simply the API name of a module that has a look-up to it, which is how extension modules relate.
//
// Lists that join two modules without a look-up (products of a lead, members of a campaign, contact roles of a deal) are rows of
// crm_relation, written by relation.c and found from either side; what the link itself says (Member_Status, Contact_Role) stands in the
// records that are listed. Lists that nothing can be linked to here (e-mails, check lists) are empty.
#include "crm/record.h"

// Activities come in two lists: what is to be done under the module's name, what is done under NAME_History (spec/crm-api.md §2.2; when a
// call or a meeting counts as done is a GUESS: once its time has passed).
static const struct {
    const char *module;
    struct crm_condition open, closed;
} ACTIVITIES[] = {
    {"Tasks", {"COALESCE(t.\"Status\",'') <> 'Completed'", 0, 0, {0}}, {"t.\"Status\" = 'Completed'", 0, 0, {0}}},
    {"Events", {"COALESCE(t.\"End_DateTime\" >= ?,1)", 1, 0, {0}}, {"t.\"End_DateTime\" < ?", 1, 0, {0}}},
    {"Calls", {"COALESCE(t.\"Call_Start_Time\" >= ?,1)", 1, 0, {0}}, {"t.\"Call_Start_Time\" < ?", 1, 0, {0}}},
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

static bool take_listed(struct crm_session *session, const struct crm_relation *relation, struct crm_link *link, struct fail *fail)
{
    struct crm_module *child = relation->junction || relation->field.len ? crm_module_resolve(session, relation->module) : NULL;
    link->name = relation->api_name;
    if (!child) {
        return true;
    }
    if (!crm_fields_load(session, child, fail)) {
        return false;
    }
    const struct crm_field *field = relation->junction ? NULL : crm_field_find(session, child, relation->field);
    if (relation->junction || (field && field->kind == CRM_KIND_LOOKUP)) {
        link->child = child;
        link->field = field;
        link->junction = relation->junction;
        link->condition = relation->junction ? NULL : find_condition(relation->api_name, child->api_name);
    }
    return true;
}

// By the list's own name; a junction also by the name of its module ("Contacts" for a deal's Contact_Roles).
static bool find_listed(struct crm_session *session, struct view name, struct crm_link *link, bool *ret_found, struct fail *fail)
{
    const struct crm_fields *parent = crm_fields_of(link->parent);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < parent->relation_count; i++) {
            const struct crm_relation *relation = &parent->relations[i];
            if (pass == 0 ? view_eq_nocase(relation->api_name, name) : relation->junction && view_eq_nocase(relation->module, name)) {
                *ret_found = true;
                return take_listed(session, relation, link, fail);
            }
        }
    }
    return true;
}

// A module of that name with a look-up to the parent.
static bool find_child(struct crm_session *session, struct view name, struct crm_link *link, bool *ret_found, struct fail *fail)
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
        if (field->kind == CRM_KIND_LOOKUP && (field->se_module || view_eq_nocase(field->lookup, link->parent->api_name))) {
            link->child = child;
            link->name = child->api_name;
            link->field = field;
            *ret_found = true;
        }
    }
    return true;
}

bool crm_link_find(struct crm_session *session, struct view name, struct view parent_module, struct crm_link *ret_link, struct fail *fail)
{
    struct crm_link link = {0};
    bool found = false;
    if (!crm_module_find(session, parent_module, &link.parent, fail) || !find_listed(session, name, &link, &found, fail)) {
        return false;
    }
    if (!found && !find_child(session, name, &link, &found, fail)) {
        return false;
    }
    if (!found) {
        return fail_set(fail, FAIL_INVALID_DATA, "the relation name given seems to be invalid");
    }
    *ret_link = link;
    return true;
}

// ---- junctions ----------------------------------------------------------------------------------

struct link_reader {
    struct crm_session *session;
    int64_t parent_id;
    struct list *records;
};

// What the links say goes into the listed records, over fields of the same name.
static bool read_link(struct tx *tx, struct link_reader *reader, struct map *record, struct fail *fail)
{
    int64_t id = 0;
    struct rows *rows;
    crm_id_read(map_get_text(record, VIEW("id")), &id);
    struct store_param params[] = {store_int(reader->parent_id), store_int(id), store_int(id), store_int(reader->parent_id)};
    if (!tx_query(tx, "SELECT fields FROM crm_relation WHERE (parent_id=? AND child_id=?) OR (parent_id=? AND child_id=?)", params,
                  BASE_COUNT(params), &rows, fail)) {
        return false;
    }
    struct value fields = value_null();
    struct fail ignored = {0};
    if (rows_next(rows, fail)) {
        json_read(reader->session->heap, rows_text(rows, 0), &fields, &ignored); // somebody may have edited the file by hand
    }
    rows_close(rows);
    const struct map *map = value_as_map(fields);
    uint32_t cursor = 0;
    for (struct map_entry *entry; map && (entry = map_next(map, &cursor));) {
        map_put(reader->session->heap, record, entry->key, entry->value);
    }
    return fail->code == FAIL_NONE;
}

static bool read_links(struct tx *tx, void *arg, struct fail *fail)
{
    struct link_reader *reader = arg;
    fail_clear(fail);
    for (uint32_t i = 0; i < reader->records->count; i++) {
        struct map *record = value_as_map(reader->records->items[i]);
        if (record && !read_link(tx, reader, record, fail)) {
            return false;
        }
    }
    return true;
}

// Ids are unique over all modules, so a link of another list cannot be meant.
static struct crm_condition linked_to(int64_t parent_id)
{
    return (struct crm_condition){
        "t.\"id\" IN (SELECT child_id FROM crm_relation WHERE parent_id=? UNION ALL SELECT parent_id FROM crm_relation WHERE child_id=?)",
        0,
        2,
        {parent_id, parent_id}};
}

static bool list_junction(struct crm_session *session, const struct crm_link *link, int64_t parent_id, const struct crm_query *query,
                          struct value *ret_list, bool *ret_more, struct fail *fail)
{
    const struct crm_condition linked = linked_to(parent_id);
    struct value list;
    bool more;
    if (!crm_records_list_where(session, link->child->api_name, query, &linked, &list, &more, fail)) {
        return false;
    }
    struct link_reader reader = {session, parent_id, value_as_list(list)};
    if (reader.records && reader.records->count && !store_read(crm_env(session->crm), read_links, &reader, fail)) {
        return false;
    }
    *ret_list = list;
    *ret_more = more;
    return true;
}

// ---- look-ups -----------------------------------------------------------------------------------

// Null without memory.
static struct value equals_of(struct crm_session *session, const struct crm_link *link, int64_t parent_id)
{
    struct value equals = value_map(session->heap, 2);
    if (equals.type == VALUE_MAP) {
        map_put_text(session->heap, equals.map, link->field->api_name, value_number(parent_id));
        if (link->field->se_module) {
            map_put_text(session->heap, equals.map, VIEW("$se_module"), value_text(session->heap, link->parent->api_name));
        }
    }
    return equals;
}

static bool list_children(struct crm_session *session, const struct crm_link *link, int64_t parent_id, struct crm_query query,
                          struct value *ret_list, bool *ret_more, struct fail *fail)
{
    query.equals = equals_of(session, link, parent_id);
    return query.equals.type == VALUE_MAP
               ? crm_records_list_where(session, link->child->api_name, &query, link->condition, ret_list, ret_more, fail)
               : fail_set(fail, FAIL_MEMORY, NULL);
}

static bool related_once(struct crm_session *session, struct view name, struct view parent_module, int64_t parent_id,
                         const struct crm_query *query, struct value *ret_list, bool *ret_more, struct fail *fail)
{
    const struct crm_query none = {.equals = value_null()};
    struct crm_link link;
    if (!crm_link_find(session, name, parent_module, &link, fail)) {
        return false;
    }
    if (!link.child) {
        *ret_list = value_list(session->heap, 0);
        *ret_more = false;
        return true;
    }
    query = query ? query : &none;
    return link.junction ? list_junction(session, &link, parent_id, query, ret_list, ret_more, fail)
                         : list_children(session, &link, parent_id, *query, ret_list, ret_more, fail);
}

bool crm_related_list(struct crm_session *session, struct view relation, struct view parent_module, int64_t parent_id,
                      const struct crm_query *query, struct value *ret_list, bool *ret_more, struct fail *fail)
{
    session->details = value_null();
    return related_once(session, relation, parent_module, parent_id, query, ret_list, ret_more, fail) ||
           (crm_session_retry(session, fail) && related_once(session, relation, parent_module, parent_id, query, ret_list, ret_more, fail));
}

static bool count_related(struct crm_session *session, struct view name, struct view parent_module, int64_t parent_id,
                          struct crm_query query, int64_t *ret_count, struct fail *fail)
{
    struct crm_link link;
    if (!crm_link_find(session, name, parent_module, &link, fail)) {
        return false;
    }
    if (!link.child) {
        *ret_count = 0;
        return true;
    }
    const struct crm_condition linked = linked_to(parent_id);
    query.equals = link.junction ? value_null() : equals_of(session, &link, parent_id);
    if (!link.junction && query.equals.type != VALUE_MAP) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    return crm_records_count_where(session, link.child->api_name, &query, link.junction ? &linked : link.condition, ret_count, fail);
}

bool crm_related_count(struct crm_session *session, struct view relation, struct view parent_module, int64_t parent_id,
                       const struct crm_query *query, int64_t *ret_count, struct fail *fail)
{
    session->details = value_null();
    return count_related(session, relation, parent_module, parent_id, *query, ret_count, fail) ||
           (crm_session_retry(session, fail) && count_related(session, relation, parent_module, parent_id, *query, ret_count, fail));
}
