// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: a custom field that a request makes, changes or deletes. What the request says of it becomes a definition in
// custom_definition.c; custom_field.c brings that together with what is there.
#pragma once

#include "crm/given.h"

enum { CRM_FIELD_LABEL_UNITS_MAX = 100, CRM_FIELD_NAME_BYTES_MAX = 50 };

struct crm_field_job {
    struct crm_given given;
    struct view module_name;
    const struct crm_module *module;
    const struct crm_type *type;
    struct view label, api_name; // api_name empty: made of the label
    struct value definition, number; // number: of an autonumber field
    int64_t first, id;
    bool unique;
    // of the field that is changed or deleted
    struct value before, before_name, before_namespace;
    bool found;
};

static inline struct heap *crm_field_heap(const struct crm_field_job *job)
{
    return job->given.session->heap;
}

static inline bool crm_field_own(const struct crm_field_job *job) // is the field that is changed a custom one of the org?
{
    return crm_map_bool(value_as_map(job->before), "custom", false);
}

// The definition of a new field: label, api_name (when it is given), type and definition are set.
bool crm_field_define(struct crm_field_job *job);
// The definition of a changed one, over `before`.
bool crm_field_redefine(struct crm_field_job *job);
