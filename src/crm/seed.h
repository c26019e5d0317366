// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: tables of modules and rows of metadata, made when an environment is seeded and when an extension is installed.
#pragma once

#include "crm/meta.h"

// The table of standard modules, embedded from standard_modules.json.
extern const char crm_standard_modules[];
extern const size_t crm_standard_modules_bytes;

// A module's row in crm_module; `definition` is its map without fields. Gives its id.
struct crm_module_row {
    struct view api_name, namespace, name_field, generated_type;
    const struct map *definition;
};
bool crm_module_insert_tx(struct tx *tx, const struct crm_module_row *row, int64_t *ret_id, struct fail *fail);
bool crm_field_insert_tx(struct tx *tx, int64_t module_id, int position, const struct crm_field *field, struct view namespace,
                         const struct map *definition, struct fail *fail);
bool crm_table_create_tx(struct tx *tx, struct view module, const struct crm_field *fields, int count, struct fail *fail);
bool crm_column_add_tx(struct tx *tx, struct view module, const struct crm_field *field, struct fail *fail);
// An index over a field (index.c). `whole`: over all rows, so that it serves an order too; else rows where the field is unset cost nothing.
bool crm_index_create_tx(struct tx *tx, struct view module, const struct crm_field *field, bool whole, struct fail *fail);
bool crm_index_standard(struct view module, const struct crm_field *field); // a field of a standard module that has one from the beginning
bool crm_index_by_nature(const struct crm_field *field); // added fields that have one: unique ones and look-ups
bool crm_index_drop_tx(struct tx *tx, struct view module, struct view field, struct fail *fail); // all of a field's, before its column goes
// A module of the org's own, with its table, from a map as in an extension's module file: its system fields and its name field. `name_field`
// may have "auto_number".
bool crm_module_create_tx(struct tx *tx, const struct map *module, struct heap *heap, int64_t *ret_id, struct fail *fail);
// Puts pick_list_values (texts, or {"display_value","actual_value"}) into a field's definition.
void crm_pick_list_define(struct heap *heap, struct value definition, struct value values);
// A field with its column and its indexes.
struct crm_field_row {
    int64_t id;
    struct view module, field;
};
bool crm_field_drop_tx(struct tx *tx, const struct crm_field_row *row, struct fail *fail);
// The counter of an autonumber field, from its first number on.
bool crm_autonumber_begin_tx(struct tx *tx, struct view module, struct view field, int64_t first, struct fail *fail);
bool crm_autonumber_end_tx(struct tx *tx, struct view module, struct view field, struct fail *fail);
