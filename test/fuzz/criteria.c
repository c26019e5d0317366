// SPDX-License-Identifier: Apache-2.0
// Criteria from anywhere: the parser never crashes, keeps its limits, and what it accepts is a well-formed tree.
#include "crm/criteria.h"

#include <stdlib.h>

// Counts conditions and checks each; recursion is bounded by the depth that is checked.
static int check_tree(const struct criteria *node, int depth)
{
    int conditions = 0;
    if (depth > CRM_CRITERIA_DEPTH_MAX + 1) {
        abort();
    }
    if (node->kind == CRITERIA_CONDITION) {
        bool many = node->operator== CRITERIA_IN;
        int wanted = node->operator== CRITERIA_BETWEEN ? 2 : 1;
        if (node->field.len == 0 || node->value_count < wanted || (!many && node->value_count != wanted)) {
            abort();
        }
        for (int i = 0; i < node->value_count; i++) {
            if (node->values[i].len == 0 || !utf8_valid(node->values[i])) {
                abort();
            }
        }
        return 1;
    }
    if (!node->first || node->first == node->last || node->last->next) {
        abort(); // single members are lifted
    }
    for (const struct criteria *member = node->first; member; member = member->next) {
        if (member->kind == node->kind) {
            abort(); // chains are flattened
        }
        conditions += check_tree(member, depth + 1);
    }
    return conditions;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heap heap;
    struct fail fail = {0};
    const struct criteria *criteria;
    heap_init(&heap, 1 << 20, NULL);
    if (criteria_parse(&heap, (struct view){(const char *)data, size}, &criteria, &fail)) {
        if (check_tree(criteria, 0) > CRM_CRITERIA_MAX) {
            abort();
        }
    } else if (fail.code == FAIL_NONE || fail.text[0] == 0) {
        abort();
    }
    heap_free(&heap);
    return 0;
}
