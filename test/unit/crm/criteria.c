// SPDX-License-Identifier: Apache-2.0
//
// The criteria parser alone: what it takes, in which shape, and what it refuses with which reason.
#include "crm_test.h"

#include "crm/criteria.h"

static void print_tree(struct buffer *out, const struct criteria *node)
{
    if (node->kind == CRITERIA_CONDITION) {
        buffer_printf(out, "%.*s %s", VIEW_ARGS(node->field), criteria_operator_name(node->operator));
        for (int i = 0; i < node->value_count; i++) {
            buffer_printf(out, " [%.*s]", VIEW_ARGS(node->values[i]));
        }
        return;
    }
    buffer_add(out, node->kind == CRITERIA_AND ? VIEW("AND(") : VIEW("OR("));
    for (const struct criteria *member = node->first; member; member = member->next) {
        buffer_add(out, member == node->first ? VIEW("") : VIEW(", "));
        print_tree(out, member); // as deep as the parser allows
    }
    buffer_add_char(out, ')');
}

static void expect_tree(const char *text, const char *expected)
{
    struct heap heap;
    struct fail fail = {0};
    struct buffer out;
    const struct criteria *criteria;
    heap_init(&heap, 1 << 20, NULL);
    buffer_init(&out, 1 << 16);
    if (criteria_parse(&heap, view_of(text), &criteria, &fail)) {
        print_tree(&out, criteria);
    } else {
        assert_true(fail.code == FAIL_INVALID_QUERY || fail.code == FAIL_CRITERIA_LIMIT);
        buffer_printf(&out, "refused: %s", fail.text);
    }
    assert_string_equal(buffer_text(&out), expected);
    buffer_free(&out);
    heap_free(&heap);
}

static void test_one_condition_in_all_spellings(void **state)
{
    (void)state;
    expect_tree("(Last_Name:equals:Doe)", "Last_Name equals [Doe]");
    expect_tree("Last_Name:equals:Doe", "Last_Name equals [Doe]");
    expect_tree("  ( Last_Name : EQUALS :  Doe  )  ", "Last_Name equals [Doe]");
    expect_tree("((Last_Name:equals:Doe))", "Last_Name equals [Doe]");
    expect_tree("(twilioext.Direction:equals:Inbound)", "twilioext.Direction equals [Inbound]");
}

static void test_values_may_hold_colons_pluses_and_connectives(void **state)
{
    (void)state;
    expect_tree("(Created_Time:greater_equal:2024-01-01T10:00:00+05:30)", "Created_Time greater_equal [2024-01-01T10:00:00+05:30]");
    expect_tree("(Mobile:equals:+1 555)", "Mobile equals [+1 555]");
    expect_tree("Company:equals:Rock and Roll or Blues", "Company equals [Rock and Roll or Blues]");
    expect_tree("(Company:equals:Rock and Roll)", "Company equals [Rock and Roll]");
    expect_tree("(Company:equals:a,b)", "Company equals [a,b]");
}

static void test_conditions_are_joined(void **state)
{
    (void)state;
    expect_tree("(A:equals:1)and(B:equals:2)and(C:equals:3)", "AND(A equals [1], B equals [2], C equals [3])");
    expect_tree("((A:equals:1) AND (B:equals:2))", "AND(A equals [1], B equals [2])");
    expect_tree("(A:equals:x and B:starts_with:y)", "AND(A equals [x], B starts_with [y])");
    expect_tree("A:equals:x or B:equals:y", "OR(A equals [x], B equals [y])");
    expect_tree("((A:equals:1)or(B:equals:2))and(C:equals:3)", "AND(OR(A equals [1], B equals [2]), C equals [3])");
}

static void test_and_binds_tighter_than_or(void **state)
{
    (void)state;
    expect_tree("(A:equals:1)or(B:equals:2)and(C:equals:3)", "OR(A equals [1], AND(B equals [2], C equals [3]))");
}

static void test_lists_are_cut_at_bare_commas(void **state)
{
    (void)state;
    expect_tree("(A:in:1, 2,x\\,y)", "A in [1] [2] [x,y]");
    expect_tree("A:between:1,5", "A between [1] [5]");
    expect_tree("A:between:1,5,6", "refused: the operator between takes two values");
    expect_tree("A:between:1", "refused: the operator between takes two values");
}

static void test_escapes(void **state)
{
    (void)state;
    expect_tree("(A:equals:\\(555\\) 1\\\\)", "A equals [(555) 1\\]");
    expect_tree("(A:equals:C:\\dir)", "A equals [C:\\dir]");
    expect_tree("(A:equals:x\\)", "refused: a closing parenthesis is missing");
}

static void test_broken_texts_are_refused(void **state)
{
    (void)state;
    expect_tree("", "refused: a condition is missing");
    expect_tree("()", "refused: a condition is written field:operator:value");
    expect_tree("(A:equals:x", "refused: a closing parenthesis is missing");
    expect_tree("(A:equals:x))", "refused: a closing parenthesis has no opening one");
    expect_tree("A:equals:x)", "refused: a closing parenthesis has no opening one");
    expect_tree("(A:equals:(555) 1)", "refused: a parenthesis inside a value needs a backslash before it");
    expect_tree("(A:equals:)", "refused: a value is missing");
    expect_tree("(A:likes:x)", "refused: the operator is not known");
    expect_tree("(:equals:x)", "refused: a field name is missing");
    expect_tree("(A\"B:equals:x)", "refused: a field name holds letters, digits and _ only");
    expect_tree("(A:equals:x)(B:equals:y)", "refused: conditions are joined by and or or");
    expect_tree("(A:equals:x)and", "refused: conditions are joined by and or or");
    expect_tree("(A:equals:\xff)", "refused: the criteria are not valid UTF-8");
    expect_tree("Last_Name = 'x'", "refused: a condition is written field:operator:value");
}

static void test_the_number_of_conditions_is_limited(void **state)
{
    (void)state;
    char text[1024] = "", expected[1024] = "AND(";
    for (int i = 0; i < 15; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s(A:equals:x)", i ? "and" : "");
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%sA equals [x]", i ? ", " : "");
    }
    snprintf(expected + strlen(expected), sizeof expected - strlen(expected), ")");
    expect_tree(text, expected);
    snprintf(text + strlen(text), sizeof text - strlen(text), "and(A:equals:x)");
    expect_tree(text, "refused: the number of criteria exceeds the limit 15");
}

static void nest(char *text, size_t size, int depth)
{
    size_t len = 0;
    for (int i = 0; i < depth; i++) {
        text[len++] = '(';
    }
    len += (size_t)snprintf(text + len, size - len, "A:equals:x");
    for (int i = 0; i < depth; i++) {
        text[len++] = ')';
    }
    text[len] = 0;
}

static void test_the_depth_is_limited(void **state)
{
    (void)state;
    char text[256];
    nest(text, sizeof text, 20);
    expect_tree(text, "A equals [x]");
    nest(text, sizeof text, 21);
    expect_tree(text, "refused: the parentheses are nested deeper than 20");
}

static void test_the_length_is_limited(void **state)
{
    (void)state;
    char *text = malloc((1 << 20) + 1);
    assert_non_null(text);
    memset(text, '(', 1 << 20);
    text[1 << 20] = 0;
    expect_tree(text, "refused: the criteria are longer than 16384 bytes");
    text[CRM_CRITERIA_BYTES_MAX] = 0;
    memset(text, ' ', CRM_CRITERIA_BYTES_MAX);
    memcpy(text, "A:equals:x and ", 15);
    expect_tree(text, "A equals [x and]");
    free(text);
}

static void test_in_takes_a_hundred_values(void **state)
{
    (void)state;
    char text[1024] = "(A:in:1";
    for (int i = 1; i < 101; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), ",1");
    }
    snprintf(text + strlen(text), sizeof text - strlen(text), ")");
    expect_tree(text, "refused: the operator in takes at most 100 values");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_condition_in_all_spellings), cmocka_unit_test(test_values_may_hold_colons_pluses_and_connectives),
        cmocka_unit_test(test_conditions_are_joined),          cmocka_unit_test(test_and_binds_tighter_than_or),
        cmocka_unit_test(test_lists_are_cut_at_bare_commas),   cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_broken_texts_are_refused),       cmocka_unit_test(test_the_number_of_conditions_is_limited),
        cmocka_unit_test(test_the_depth_is_limited),           cmocka_unit_test(test_the_length_is_limited),
        cmocka_unit_test(test_in_takes_a_hundred_values),
    };
    return cmocka_run_group_tests_name("criteria", tests, NULL, NULL);
}
