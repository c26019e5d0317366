// SPDX-License-Identifier: Apache-2.0
// COQL from anybody with a token: the parser never crashes, keeps its limits, and what it accepts is a well-formed tree.
#include "crm/coql.h"

#include <stdlib.h>

static void require(bool so)
{
    if (!so) {
        abort();
    }
}

// Counts the conditions and checks each; as deep as is checked.
static int check_tree(const struct criteria *node, int depth)
{
    int conditions = 0;
    require(depth <= COQL_DEPTH_MAX + 1);
    if (node->kind == CRITERIA_CONDITION) {
        require(node->field.len > 0 && node->value_count <= COQL_VALUES_MAX);
        return 1;
    }
    require(node->first && node->first != node->last && !node->last->next);
    for (const struct criteria *member = node->first; member; member = member->next) {
        require(member->kind != node->kind);
        conditions += check_tree(member, depth + 1);
    }
    return conditions;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heap heap;
    struct fail fail = {0};
    struct coql_error error;
    const struct coql *query;
    heap_init(&heap, 1 << 20, NULL);
    if (coql_parse(&heap, (struct view){(const char *)data, size}, &query, &error, &fail)) {
        require(query->column_count > 0 && query->column_count <= COQL_COLUMNS_MAX && query->module.len > 0);
        require(check_tree(query->where, 0) <= COQL_CRITERIA_MAX);
    } else {
        require(fail.code != FAIL_NONE);
    }
    heap_free(&heap);
    return 0;
}
