// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: the tree that criteria_parse makes and search.c turns into SQL. Chains of `and` and `or` are flattened and single members
// lifted, so an AND holds conditions and ORs, an OR holds conditions and ANDs, and the tree is never deeper than the parentheses were.
#pragma once

#include "crm/crm.h"

enum criteria_operator {
    CRITERIA_EQUALS,
    CRITERIA_NOT_EQUAL,
    CRITERIA_STARTS_WITH,
    CRITERIA_GREATER_EQUAL,
    CRITERIA_GREATER_THAN,
    CRITERIA_LESS_EQUAL,
    CRITERIA_LESS_THAN,
    CRITERIA_BETWEEN, // two values
    CRITERIA_IN, // 1 … CRITERIA_VALUES_MAX values
    CRITERIA_WRITTEN, // those before it are words of the search grammar, the others COQL's
    CRITERIA_NOT_IN = CRITERIA_WRITTEN,
    CRITERIA_LIKE, // % at the ends of the value
    CRITERIA_NOT_LIKE,
    CRITERIA_NOT_BETWEEN,
    CRITERIA_IS_NULL, // no value
    CRITERIA_NOT_NULL,
    CRITERIA_OPERATORS
};

enum criteria_kind { CRITERIA_CONDITION, CRITERIA_AND, CRITERIA_OR };

enum { CRITERIA_VALUES_MAX = 100 }; // of `in` (spec/crm-api.md §2.3)

struct criteria {
    enum criteria_kind kind;
    struct criteria *first, *last; // members of AND and OR
    struct criteria *next;
    struct view field; // as written
    enum criteria_operator operator;
    struct view *values; // without their escapes
    int value_count;
};

// Appends a member to an AND or OR; a member of the same kind is replaced by its own members.
void criteria_append(struct criteria *parent, struct criteria *member);
struct criteria *criteria_lift(struct criteria *node); // its only member, or itself
const char *criteria_operator_name(enum criteria_operator operator);
