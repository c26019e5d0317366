// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: a write as planned on the caller's fiber. Everything that needs no data base is done there: names, conversion, mandatory
// fields, the statement's text. What is left for the writer's thread is to ask for look-ups and duplicates and to execute; it touches
// nothing but the plan.
#pragma once

#include "crm/file.h"
#include "crm/tag.h"

struct crm_row_plan {
    struct crm_row_error error; // found while planning
    struct crm_row_error late; // found by the closure; reset whenever it starts
    struct crm_row_error *others; // what else is wrong: CRM_ROW_ERRORS_MAX at most are kept
    int other_count;
    const struct crm_field **given; // columns that the row sets, with their parameters
    struct store_param *values;
    int count;
    struct crm_tag_wishes *tags; // what Tag says; its parameter is made in the closure
    struct store_param *tag_param;
    bool *append; // of the given columns: the list's values come to what is there ($append_values); NULL = none
    bool layout; // names its layout, whose mandatory fields it must have
    bool merges; // some columns' parameters are made in the closure (item.h)
    struct crm_file_wishes *files; // what fields of files say, likewise
    struct crm_module *se_module; // what the record's $se_module names
    int64_t id; // of an update; an insert gets it in the closure
    bool aimed; // an update that names its record by id
    const char *sql;
    struct store_param *params; // of `sql`; the insert's first is the id
    int param_count;
    struct store_param *number; // of the module's autonumber field, among `params`; NULL: none is written
    int64_t created_time, created_by;
};

struct crm_write {
    struct crm_session *session;
    struct crm_module *module;
    bool insert;
    bool keyless; // an update whose records are found by the closure: rows may come without an id
    struct arena arena;
    struct crm_row_plan *rows;
    uint32_t count;
    int64_t now_ms;
    uint16_t slots[CRM_FIELDS_MAX]; // field index → 1 + place in `given`, while a row is planned
};

// Notes what is wrong with a row in `first`, or behind it when that is taken.
void crm_row_note(struct crm_write *write, struct crm_row_plan *row, struct crm_row_error *first, const struct crm_row_error *error);
// Plans all rows; false only without memory.
bool crm_plan_rows(struct crm_write *write, const struct list *rows, struct fail *fail);
// Inside the closure: one planned row without an error of planning. What only the data base knows to be wrong is left in row->late. The id
// of a keyless update is set with crm_row_aim before.
bool crm_row_insert(struct tx *tx, struct crm_write *write, struct crm_row_plan *row, struct fail *fail);
bool crm_row_update(struct tx *tx, struct crm_write *write, struct crm_row_plan *row, struct fail *fail);
static inline void crm_row_aim(struct crm_row_plan *row, int64_t id)
{
    row->id = id;
    row->params[row->param_count - 1] = store_int(id); // the statement ends WHERE "id"=?
}
// The answer to a row that was written or refused (spec/crm-api.md §2.1); `written` is the time of the write as text.
struct value crm_row_result(const struct crm_write *write, uint32_t index, struct value written);
// The next number of the module's autonumber field, as it is stored. In the closure (counter.c).
bool crm_autonumber_next_tx(struct tx *tx, struct crm_write *write, struct store_param *ret_param, struct fail *fail);
