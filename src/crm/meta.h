// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: modules, fields and users as the rest of the room sees them. A `struct crm_meta` is a picture of the metadata at one version
// of the environment; it is shared by all threads and pinned by sessions with a count. The list of modules is read at once, a module's
// fields when it is first used: a cold start that touches Leads reads 64 fields, not 750. Apart from that one-time publication (an atomic
// pointer) nothing in it changes.
#pragma once

#include "crm/crm.h"

#include <stdatomic.h>

enum {
    CRM_FIELDS_MAX = 500, // a module; SQLite takes 2,000 columns, a look-up needs two result columns
    CRM_MODULES_MAX = 1000, // an environment
    CRM_USERS_MAX = 1000, // an environment
    CRM_NAME_MAX = 100, // bytes of an API name, namespace included; store_quote takes 120
    CRM_META_BYTES_MAX = 16 << 20, // of one picture, and of one module's fields
    CRM_SCRATCH_BYTES_MAX = 64 << 20 // plans of one write, one read's SQL
};

// How a field is stored, checked and shown. Zoho's 40 data types fall into these (the table in field.c).
enum crm_kind {
    CRM_KIND_TEXT,
    CRM_KIND_INTEGER,
    CRM_KIND_BIGINT, // INTEGER column, shown as text
    CRM_KIND_REAL,
    CRM_KIND_BOOLEAN,
    CRM_KIND_DATE, // TEXT yyyy-MM-dd
    CRM_KIND_DATETIME, // INTEGER milliseconds UTC, whole seconds
    CRM_KIND_LOOKUP, // INTEGER id
    CRM_KIND_USER, // INTEGER id of a user
    CRM_KIND_LIST, // TEXT: JSON list of texts
    CRM_KIND_JSON // TEXT: JSON
};

struct crm_type {
    const char *name; // Zoho's data_type
    enum crm_kind kind;
    int length; // the default of `length`
    const char *json_type; // as the fields metadata shows it
    const char *expected; // what an error calls it (expected_data_type)
    bool custom; // extensions may make such fields (spec/crm-api.md §2.8)
};
const struct crm_type *crm_type_find(struct view name); // NULL if unknown
const struct crm_type *crm_type_at(size_t index); // NULL behind the last
const char *crm_kind_column(enum crm_kind kind); // SQL column type

struct crm_field {
    struct view api_name;
    struct view quoted; // as SQL: "Last_Name"
    struct view module; // API name of its module
    struct view lookup; // API name of the look-up's module; "se_module": the record says which
    struct view subform; // API name of the module of a sub-form's rows
    const struct crm_type *type;
    enum crm_kind kind;
    int length;
    int index; // in its module
    bool array; // CRM_KIND_JSON: a list, else a map
    bool mandatory; // system_mandatory: an insert must give it
    bool writable; // a value that a request sends is stored
    bool unique;
    bool se_module; // look-up into the module that the record names in $se_module
    bool single; // shown in single records only (spec/crm-api.md §2.2)
    bool rich; // a rich text: cut in lists
    enum { CRM_FILES_NONE, CRM_FILES_ONE, CRM_FILES_LIST } files; // handles of files (file.h)
    bool tags; // Tag: ids of tags (tag.h)
    struct view prefix, suffix; // of numbers that this program counts
    bool counted; // autonumber: an insert takes the next one
    bool available; // Record_Status__s: unset shows as "Available"
};

// The columns of a SELECT and where each stands in a row; a look-up's name stands behind its id.
struct crm_column {
    const struct crm_field *field;
    int index;
};
// What reading whole records needs, built once a picture: the statement's beginning, and the statement for one record by its id.
struct crm_selection {
    char *text, *text_by_id;
    struct crm_column *columns;
    int count;
    int se_column; // of $se_module, -1 without
};

// A related list of a module; `field` is the child's look-up, empty when links of this kind cannot be stored.
struct crm_relation {
    struct view api_name, module, field;
    bool junction; // links of both sides are rows of crm_relation
};

struct crm_fields {
    struct arena arena;
    struct crm_field *items;
    int count;
    struct table by_name; // any case, values are crm_field; custom modules answer to "Name" too
    const struct crm_field *id, *name, *first_name, *last_name, *full_name, *owner, *created_by, *modified_by, *created_time,
        *modified_time;
    const struct crm_field *autonumber; // whose values this program counts
    const struct crm_field *tag, *converted; // converted: Converted__s of Leads
    bool se_module; // the table has the column $se_module
    struct crm_relation *relations;
    int relation_count;
    _Atomic(struct crm_selection *) single, listed; // made by the first read: of one record, of lists
};

struct crm_module {
    int64_t id;
    struct view api_name, quoted, name_field;
    struct view namespace; // the extension that brought it, empty for standard ones
    bool subform; // rows of another module's records: not addressed by itself
    bool custom; // an extension's or the org's own
    _Atomic(struct crm_fields *) fields;
};

// Fields whose reads were slow for want of an index, and how often, since the environment was opened. When the table is full, further
// fields are not counted.
enum { CRM_SLOW_FIELDS = 32 };
struct crm_slow_field {
    char name[2 * CRM_NAME_MAX + 2]; // "Module.Field"
    int count;
};
struct crm_slow {
    struct crm_slow_field fields[CRM_SLOW_FIELDS];
};
int crm_slow_count(struct crm *crm, struct view module, struct view field); // counts one; 0 when the table is full

struct crm_user {
    int64_t id;
    struct view email, full_name;
    const struct zone *zone; // NULL: the organisation's
    bool deleted; // still owns what he owned
};

struct crm_meta {
    atomic_int refs;
    int64_t version; // of the environment, when it was read
    struct arena arena;
    struct crm_module *modules;
    int module_count;
    struct table by_name; // any case, values are crm_module
    struct crm_user *users;
    int user_count;
    int64_t org_id, admin_id;
    struct view currency_symbol;
    const struct zone *zone;
    struct crm_automation *automation; // workflow rules and channels (automation.h); NULL where there are none
};

// Gives the current picture, reading a new one when the environment has moved on. Gives way.
bool crm_meta_pin(struct crm *crm, const struct crm_meta **ret_meta, struct fail *fail);
void crm_meta_release(const struct crm_meta *meta);
// After a failure: was it FAIL_STALE, and is the newest picture pinned now, so that the call may be made once more?
//     return read_once(session, …) || (crm_session_retry(session, fail) && read_once(session, …));
bool crm_session_retry(struct crm_session *session, struct fail *fail);
// Is `meta` still what the data base holds? FAIL_STALE if not. Each closure asks first.
bool crm_meta_check(const struct crm_session *session, struct fail *fail);

// The module of that name with its fields loaded; resolves ns.Name, any case, and prefixes that nobody owns (PRODUCT "What a function
// gets"). FAIL_INVALID_MODULE.
bool crm_module_find(const struct crm_session *session, struct view name, struct crm_module **ret_module, struct fail *fail);
// The same without loading fields; NULL if there is none.
struct crm_module *crm_module_resolve(const struct crm_session *session, struct view name);
bool crm_fields_load(const struct crm_session *session, struct crm_module *module, struct fail *fail);
static inline const struct crm_fields *crm_fields_of(const struct crm_module *module)
{
    return atomic_load_explicit(&((struct crm_module *)module)->fields, memory_order_acquire);
}
void crm_selection_free(struct crm_selection *selection); // read.c
// NULL if there is none; resolves names as crm_module_find does.
const struct crm_field *crm_field_find(const struct crm_session *session, const struct crm_module *module, struct view name);
const struct crm_user *crm_user_find(const struct crm_meta *meta, int64_t id);

// ---- field definitions (field.c) ----------------------------------------------------------------

// Reads a field's definition (a map as in standard_modules.json) into `field`; texts are copied into the arena.
bool crm_field_read(struct arena *arena, struct view api_name, const struct map *definition, struct crm_field *ret_field,
                    struct fail *fail);
bool crm_name_valid(struct view name); // [A-Za-z][A-Za-z0-9_]*, at most CRM_NAME_MAX
struct view crm_name_quote(struct arena *arena, struct view name, struct fail *fail); // VIEW_NONE with fail set
struct view crm_map_view(const struct map *map, const char *key); // text of a key, empty if absent or no text; a map of NULL has none
int64_t crm_map_int(const struct map *map, const char *key, int64_t otherwise);
bool crm_map_bool(const struct map *map, const char *key, bool otherwise);
