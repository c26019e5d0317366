// SPDX-License-Identifier: Apache-2.0
//
// From the dialect that crm, auth and ext write (SQLite's) to PostgreSQL's. Pure functions over text; the only user is the PostgreSQL engine.
#pragma once

#include "base/base.h"

enum {
    DIALECT_NAME_MAX = 63, // bytes of a name in PostgreSQL; it cuts longer ones without a word
    DIALECT_TOKENS_MAX = 200000,
    DIALECT_PARAMS_MAX = 4000,
    DIALECT_CTES_MAX = 8,
};

struct dialect {
    int params; // how many parameters the statement takes
    bool star; // its columns depend on the table's (SELECT *): a prepared one breaks when a column is added
};

// Cuts the first statement off *script (at ";" outside of texts and names); empty when only blanks are left.
struct view dialect_statement(struct view *script);
// One statement. `schema` is quoted where tables are named. FAIL_STORE for what has no translation.
bool dialect_translate(struct view schema, struct view sql, struct buffer *out, struct dialect *ret_dialect, struct fail *fail);
// A name as it can stand in PostgreSQL: long ones keep their beginning and get a mark of what was cut. Returns bytes.
size_t dialect_name(char out[DIALECT_NAME_MAX + 1], struct view name);
