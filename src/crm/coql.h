// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: the tree of a COQL query (spec/crm-api.md §2.4), as the parser makes it and the reader runs it. Names are as written.
#pragma once

#include "crm/criteria.h"

enum {
    COQL_BYTES_MAX = 32768,
    COQL_COLUMNS_MAX = 50,
    COQL_CRITERIA_MAX = 25,
    COQL_DEPTH_MAX = 25, // 25 criteria bracketed pairwise
    COQL_VALUES_MAX = 100,
    COQL_GROUPS_MAX = 4,
    COQL_ORDERS_MAX = 10,
    COQL_AGGREGATES_MAX = 5,
    COQL_ROWS_DEFAULT = 200
};

enum coql_aggregate { COQL_PLAIN, COQL_SUM, COQL_MAX, COQL_MIN, COQL_AVG, COQL_COUNT, COQL_AGGREGATES };

struct coql_column {
    enum coql_aggregate aggregate;
    struct view path; // "Last_Name", "Account_Name.Owner", "*" of COUNT(*)
    struct view alias; // empty = none
};
struct coql_order {
    struct view path;
    bool descending;
};
struct coql {
    struct view module;
    struct coql_column *columns;
    int column_count;
    struct criteria *where; // fields are paths
    struct view groups[COQL_GROUPS_MAX];
    int group_count;
    struct coql_order orders[COQL_ORDERS_MAX];
    int order_count;
    int64_t limit, offset; // -1 = not given
};

// What a query is refused with: session details are made of it. Texts point into the query or are constants.
struct coql_error {
    const char *key; // "clause", "near", "column_name", "operator", "alias"; NULL = none
    struct view text;
    int line, column; // with "near"; 0 = none
};
// Pure. FAIL_SYNTAX, FAIL_LIMIT_EXCEEDED, FAIL_DUPLICATE_DATA, FAIL_DUPLICATE_ALIAS; the tree lives in the heap and points into the text.
bool coql_parse(struct heap *heap, struct view text, const struct coql **ret_query, struct coql_error *ret_error, struct fail *fail);
const char *coql_aggregate_name(enum coql_aggregate aggregate); // "SUM"
