// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: a write as planned on the caller's fiber. Everything that needs no data base is done there: names, conversion, mandatory
// fields, the statement's text. What is left for the writer's thread is to ask for look-ups and duplicates and to execute; it touches
// nothing but the plan.
#pragma once

#include "crm/record.h"

struct crm_row_plan {
    struct crm_row_error error; // found while planning
    struct crm_row_error late; // found by the closure; reset whenever it starts
    const struct crm_field **given; // columns that the row sets, with their parameters
    struct store_param *values;
    int count;
    struct crm_module *se_module; // what the record's $se_module names
    int64_t id; // of an update; an insert gets it in the closure
    const char *sql;
    struct store_param *params; // of `sql`; the insert's first is the id
    int param_count;
    int64_t created_time, created_by;
};

struct crm_write {
    struct crm_session *session;
    struct crm_module *module;
    bool insert;
    struct arena arena;
    struct crm_row_plan *rows;
    uint32_t count;
    int64_t now_ms;
    uint16_t slots[CRM_FIELDS_MAX]; // field index → 1 + place in `given`, while a row is planned
};

// Plans all rows; false only without memory.
bool crm_plan_rows(struct crm_write *write, const struct list *rows, struct fail *fail);
