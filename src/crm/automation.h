// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: workflow rules and notification channels as writes see them. They are part of the picture of the metadata (meta.h), so a
// write where there are none asks one pointer and goes on. Where there are some, the closure that writes notes what happens to its records
// (struct crm_happened) and adds a row to crm_pending for each action and each notification, in the same transaction; host takes it from
// there (crm_pending_take).
#pragma once

#include "crm/criteria.h"
#include "crm/meta.h"

#include "crm/plan.h"

enum crm_event { CRM_EVENT_CREATE = 1, CRM_EVENT_EDIT = 2, CRM_EVENT_DELETE = 4 };

enum {
    CRM_RULES_MAX = 500, // an environment
    CRM_WATCHES_MAX = 200, // notification channels, an environment
    CRM_WEBHOOKS_MAX = 500,
    CRM_CONDITIONS_MAX = 10, // of a rule
    CRM_ACTIONS_MAX = 10, // of a condition
    CRM_WATCH_EVENTS_MAX = 100, // of a channel
    CRM_PENDING_MAX = 100000, // what waits in one environment; above, a write that would add more is refused
    CRM_AUTOMATION_BYTES_MAX = 32 << 20,
};

struct crm_action {
    enum crm_pending_kind kind;
    int64_t id; // of the webhook or function
};

struct crm_condition_part {
    const struct criteria *criteria; // NULL: every record
    struct crm_action *actions;
    int action_count;
};

struct crm_rule {
    int64_t id;
    struct view module; // API name
    unsigned events; // enum crm_event
    bool repeat; // each time, not only the first for a record
    bool by_field; // only when fields changed, as `changed` says
    bool match_all; // all of them, else one
    struct criteria **changed; // conditions of `by_field`; operator CRITERIA_OPERATORS: any value
    int changed_count;
    struct crm_condition_part *conditions; // the first that holds is done
    int condition_count;
};

struct crm_watch_event {
    struct view module;
    unsigned events;
};

struct crm_watch {
    int64_t id, expiry_ms;
    struct crm_watch_event *events;
    int event_count;
    bool events_read; // what is wrong, if something is, is not the events
    struct crm_watch_fields { // of edits of one module: only when these changed
        struct view module;
        struct view *names;
        int count;
        bool all;
    } * fields;
    int field_count;
};

struct crm_automation {
    struct heap heap; // of everything below
    struct crm_rule rules[CRM_RULES_MAX];
    int rule_count;
    struct crm_watch watches[CRM_WATCHES_MAX];
    int watch_count;
};

// Reads what is active; *ret_automation NULL when there is nothing. Part of reading a picture.
bool crm_automation_load(struct tx *tx, struct crm_automation **ret_automation, struct fail *fail);
void crm_automation_free(struct crm_automation *automation);

// A rule of its definition (workflow.c) and back out of it; FAIL_INVALID_DATA names nothing: definitions were checked when they were
// stored.
bool crm_rule_read(struct heap *heap, const struct map *definition, struct crm_rule *rule, struct fail *fail);
// {"comparator","field":{"api_name"},"value"} or {"group_operator","group":[…]} as a tree; null gives NULL. FAIL_INVALID_DATA,
// FAIL_NOT_SUPPORTED with a text for people. `any_value`: ${ANYVALUE} may stand there (operator CRITERIA_OPERATORS).
bool crm_criteria_read(struct heap *heap, struct value criteria, bool any_value, struct criteria **ret_tree, struct fail *fail);
bool crm_watch_read(struct heap *heap, const struct map *definition, struct crm_watch *watch, struct fail *fail);
// The module's API name in a map {"api_name","id"}; empty when it names none that there is.
const struct crm_module *crm_module_named(const struct crm_session *session, struct value module);

void crm_tell_pending(const struct crm *crm); // calls what crm_on_pending has set

// ---- inside closures (happened.c) ---------------------------------------------------------------

struct crm_happened;
// store_write for closures that write records with crm_row_insert, crm_row_update or crm_happened_delete: rules and channels hear of them.
bool crm_write_commit(struct crm_session *session, store_fn *fn, void *arg, struct fail *fail);
// Does a rule or channel want to know of this? False where nothing waits for it.
bool crm_happened_wants(const struct crm_session *session, const struct crm_module *module, enum crm_event event);
// After the row was written (before a delete). `changed`: flags beside row->given, NULL = all of them.
bool crm_happened_row(struct tx *tx, struct crm_session *session, const struct crm_module *module, enum crm_event event, int64_t id,
                      const struct crm_row_plan *row, const bool *changed, struct fail *fail);
// Which of the row's given fields the statement will change: flags in `arena`, asked before it runs.
bool crm_happened_changes(struct tx *tx, const struct crm_write *write, const struct crm_row_plan *row, const bool **ret_changed,
                          struct fail *fail);
