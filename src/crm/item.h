// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: columns whose stored text depends on what the record holds already, made inside the closure. A sub-form's rows (line items of
// quotes, orders and invoices) are a JSON list in a column of their record; each has an id of its own, so that later calls can name it.
// Multi-selects may be added to ($append_values).
#pragma once

#include "crm/plan.h"

enum { CRM_ITEMS_MAX = 200 }; // rows of one sub-form

// Version 2 calls every list of line items Product_Details, and their fields otherwise (spec/crm-api.md §2.7, §2.11).
bool crm_items_old_names(const struct crm_session *session);
static inline struct view crm_field_key(const struct crm_session *session, const struct crm_field *field) // of a record that is shown
{
    return field->subform.len && crm_items_old_names(session) ? VIEW("Product_Details") : field->api_name;
}

// Planning: each item a map whose fields are right by the sub-form's metadata; stored as it comes, with the field names of today.
bool crm_items_store(const struct crm_convert *convert, const struct crm_field *field, struct value value, struct store_param *ret_param,
                     struct crm_row_error *error);
// Inside the closure, row->merges: makes the parameters of such columns. What is wrong goes into row->late.
bool crm_row_merge(struct tx *tx, struct crm_write *write, struct crm_row_plan *row, struct fail *fail);
// The stored list as it is shown; by its old names in version 2.
struct value crm_items_show(const struct crm_session *session, struct value stored);
