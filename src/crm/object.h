// SPDX-License-Identifier: Apache-2.0
//
// Settings that are stored as they come: roles, profiles, tags, how views are sorted, … One table for all kinds; what a kind's map says is
// that kind's own file's.
#pragma once

#include "crm/crm.h"

struct crm_object {
    int64_t id; // 0 when it is added: a new one
    struct view kind; // "role", "tag", …
    struct view module; // API name; empty where the kind has none
    struct view name; // one of its kind in the module, in any case
    struct value definition; // a map
    int64_t created_ms, created_by, modified_ms, modified_by; // when it is added: created_by and the wall clock
};
// In closures. FAIL_EXISTS: the kind has one of that name there already.
bool crm_object_add_tx(struct tx *tx, const struct crm_object *object, int64_t *ret_id, struct fail *fail);
// Name, definition and modified_by of the object with this id. *ret_found false: there is none. FAIL_EXISTS as above.
bool crm_object_change_tx(struct tx *tx, const struct crm_object *object, bool *ret_found, struct fail *fail);
bool crm_object_remove_tx(struct tx *tx, struct view kind, int64_t id, bool *ret_found, struct fail *fail);
// Those of a kind, in the order in which they were added; module VIEW_NONE: of all modules; id 0: all. Definitions are made in `heap`, views
// are valid during the call.
struct crm_object_query {
    struct view kind, module, name;
    int64_t id;
};
typedef bool crm_each_object(void *arg, const struct crm_object *object, struct fail *fail);
bool crm_objects_tx(struct tx *tx, const struct crm_object_query *query, struct heap *heap, crm_each_object *each, void *arg,
                    struct fail *fail);
bool crm_object_count_tx(struct tx *tx, struct view kind, struct view module, int64_t *ret_count, struct fail *fail);

// Those of a kind as people see them: a page of what a query wants, or one.
struct crm_object_page {
    struct crm_session *session;
    struct view kind;
    int64_t id; // 0: all
    const struct crm_list_query *query; // NULL: all
    bool (*wanted)(const struct crm_list_query *query, const struct crm_object *object);
    struct value (*show)(const struct crm_session *session, const struct crm_object *object);
    // results
    struct value list;
    bool more;
    struct value definition, name, module; // of the last one
    int skipped;
};
bool crm_object_page_read(struct crm_object_page *page, struct fail *fail);
