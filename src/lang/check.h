// SPDX-License-Identifier: Apache-2.0
//
// Between the checker's own files: check.c (functions, statements, returns), check_expression.c (what an expression holds), check_name.c
// (what names mean), check_type.c (types that are known before the run). Others include lang/parser.h.
#pragma once

#include "lang/bytecode.h"
#include "lang/natives.h"
#include "lang/parser.h"

// A type known before the run: an enum value_type, or TYPE_UNKNOWN. Nothing is reported about what is unknown.
enum { TYPE_UNKNOWN = VALUE_TYPES, TYPE_VOID };

struct variable {
    struct view name;
    uint8_t type; // while it only ever got values of one type; else TYPE_UNKNOWN
    bool typed; // `type` was set by a first value
    bool assigned; // somewhere in the function
    bool seen; // already assigned, in the order of the text
    bool reported; // once is enough
};

struct checker {
    struct ast *ast;
    const struct lang_options *options;
    struct arena *arena;
    struct reporter *reporter;
    struct function *function; // being checked
    struct table variables; // of it: name → struct variable
    struct view target; // the variable of the assignment that is being checked
    bool infers; // names that are read and never assigned are its parameters
    bool failed; // out of memory, reported
    uint32_t implied_cap;
};

// ---- check.c ------------------------------------------------------------------------------------
void check_memory(struct checker *c); // reports that there is none, once
struct variable *check_variable(const struct checker *c, struct view name);
struct variable *check_variable_add(struct checker *c, struct view name);

// ---- check_expression.c -------------------------------------------------------------------------
int check_value(struct checker *c, struct expr *expr); // resolves, reports, returns the type
void check_condition(struct checker *c, struct expr *expr);

// ---- check_name.c -------------------------------------------------------------------------------
int check_name(struct checker *c, struct expr *expr); // EXPR_NAME
int check_call(struct checker *c, struct expr *expr, bool result_used); // EXPR_CALL
int check_method(struct checker *c, int receiver, struct view name, uint32_t args, struct place place);
void check_target_path(struct checker *c, struct path *path, struct place place); // of an assignment

// ---- check_type.c -------------------------------------------------------------------------------
int type_of_word(struct view word); // "String", "list:int" → enum value_type; TYPE_VOID; TYPE_UNKNOWN for other words
bool type_word_known(struct view word); // may stand before a function's name
struct view type_shown(struct view word); // "int" → "BIGINT", as in messages about returns
int type_of_native(const struct native *native); // what its signature says behind the arrow
int type_of_operation(struct checker *c, enum op op, int left, int right, struct place place); // reports what does not go together
int type_join(int a, int b);
void type_assign(struct variable *variable, int type);
