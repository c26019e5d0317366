// SPDX-License-Identifier: Apache-2.0
//
// Numbers of a list: average, median, extremes, percentile, rank. Texts that are numbers count as numbers; anything else is Zoho's error
// about invalid entries (spec/deluge-builtins.md §3, §12). Every native works on a copy of the numbers, sorted where order matters.
#include "lib/inside.h"

#include <math.h>

static bool invalid_fail(struct native_call *call, struct value v)
{
    return native_fail(call, "List contains invalid(%s) entries and can not be cast to 'valid list and perform desired operations'",
                       value_type_name(v));
}

// The numbers of the receiver; fails when it is empty, since nothing of an empty list has a mean or an end.
static bool read_numbers(struct native_call *call, bool sorted, struct list **ret_numbers)
{
    struct list *list;
    struct value numbers;
    if (!lib_list(call, 0, &list) || !lib_list_new(call, list->count, &numbers)) {
        return false;
    }
    if (list->count == 0) {
        return native_fail(call, "'%s' needs a list of numbers, but the list is empty", call->native->name);
    }
    lib_cost_elements(call, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        struct value v = list->items[i];
        if (v.type == VALUE_TEXT && !lib_number_text(value_view(v), &v)) {
            return invalid_fail(call, v);
        }
        if (lib_kind(v) != LIB_NUMBERS) {
            return invalid_fail(call, v);
        }
        if (lib_interrupted(call) || !lib_push(call, numbers.list, v)) {
            return false;
        }
    }
    *ret_numbers = numbers.list;
    return !sorted || lib_sort(call, numbers.list->items, numbers.list->count, true);
}

// Sums and means are decimals anyway.
static double number_of(struct value v)
{
    return v.type == VALUE_NUMBER ? (double)v.number : v.decimal;
}

// Plain summation: scripts add amounts, not series.
static bool statistics_average(struct native_call *call)
{
    struct list *numbers;
    if (!read_numbers(call, false, &numbers)) {
        return false;
    }
    double sum = 0;
    for (uint32_t i = 0; i < numbers->count; i++) {
        sum += number_of(numbers->items[i]);
    }
    return lib_return_decimal(call, sum / numbers->count);
}

static bool statistics_median(struct native_call *call)
{
    struct list *numbers;
    if (!read_numbers(call, true, &numbers)) {
        return false;
    }
    uint32_t middle = numbers->count / 2;
    if (numbers->count % 2 != 0) {
        return lib_return(call, numbers->items[middle]);
    }
    return lib_return_decimal(call, number_of(numbers->items[middle - 1]) / 2 + number_of(numbers->items[middle]) / 2);
}

// The n-th from the small or the large end; without argument the first.
static bool nth(struct native_call *call, bool largest)
{
    struct list *numbers;
    int64_t n = 1;
    if (!read_numbers(call, true, &numbers) || (call->count > 1 && !arg_number(call, 1, &n))) {
        return false;
    }
    if (n < 1 || n > numbers->count) {
        return native_fail(call, "Given index %lld is greater than the list size", (long long)n);
    }
    return lib_return(call, numbers->items[largest ? numbers->count - n : n - 1]);
}

static bool statistics_nth_largest(struct native_call *call)
{
    return nth(call, true);
}

static bool statistics_nth_smallest(struct native_call *call)
{
    return nth(call, false);
}

// Linear between the neighbours of (count - 1)·p: how Zoho interpolates is not known, 50 is the median either way.
static bool statistics_percentile(struct native_call *call)
{
    struct list *numbers;
    double percent;
    if (!read_numbers(call, true, &numbers) || !arg_decimal(call, 1, &percent)) {
        return false;
    }
    if (!(percent >= 0 && percent <= 100)) {
        return native_fail(call, "percentile needs a number from 0 to 100");
    }
    double position = percent / 100 * (numbers->count - 1);
    uint32_t below = (uint32_t)floor(position);
    if (position == below) {
        return lib_return(call, numbers->items[below]);
    }
    double low = number_of(numbers->items[below]), high = number_of(numbers->items[below + 1]);
    return lib_return_decimal(call, low + (high - low) * (position - below));
}

// Place of a number counted from 1, from the largest unless "asc".
static bool statistics_rank(struct native_call *call)
{
    struct list *numbers;
    double wanted;
    struct view order = VIEW("desc");
    if (!read_numbers(call, false, &numbers) || !arg_decimal(call, 1, &wanted) || (call->count > 2 && !arg_text(call, 2, &order))) {
        return false;
    }
    bool ascending = view_eq_nocase(order, VIEW("asc")), found = false;
    int64_t before = 0;
    for (uint32_t i = 0; i < numbers->count; i++) {
        double number = number_of(numbers->items[i]);
        found |= number == wanted;
        before += ascending ? number < wanted : number > wanted;
    }
    return found ? lib_return_number(call, before + 1) : invalid_fail(call, call->args[1]);
}

static const struct native rows[] = {
    {"average", LIB_LIST, 1, 1, 0, 3, statistics_average, "list.average() → DECIMAL", "The mean of the numbers.",
     "info {1,2,6}.average(); => 3", "SURE builtins §3"},
    {"median", LIB_LIST, 1, 1, 0, 3, statistics_median, "list.median() → number",
     "The middle number, or the mean of the two in the middle.", "info {5,1,2,4}.median(); => 3", "SURE builtins §3; even counts LIKELY"},
    {"largest", LIB_LIST, 1, 1, 0, 3, statistics_nth_largest, "list.largest() → number", "The largest number.",
     "info {1,5,2,3}.largest(); => 5", "SURE builtins §3"},
    {"smallest", LIB_LIST, 1, 1, 0, 3, statistics_nth_smallest, "list.smallest() → number", "The smallest number.",
     "info {1,5,2,3}.smallest(); => 1", "SURE builtins §3"},
    {"nthLargest", LIB_LIST, 2, 2, 0, 3, statistics_nth_largest, "list.nthLargest(NUMBER n) → number", "The n-th largest number, from 1.",
     "info {300,455,124,926,780}.nthLargest(5); => 124", "SURE builtins §3"},
    {"nthSmallest", LIB_LIST, 2, 2, 0, 3, statistics_nth_smallest, "list.nthSmallest(NUMBER n) → number",
     "The n-th smallest number, from 1.", "info {300,455,124,926,780}.nthSmallest(2); => 300", "SURE builtins §3"},
    {"percentile", LIB_LIST, 2, 2, 0, 3, statistics_percentile, "list.percentile(number p) → number",
     "The number below which p percent of the others lie.", "info {300,455,124,926,780}.percentile(50); => 455",
     "SURE builtins §3; interpolation GUESS"},
    {"rank", LIB_LIST, 2, 3, 0, 3, statistics_rank, "list.rank(number x, TEXT order?) → NUMBER",
     "The place of x, from 1, counted from the largest, or with \"asc\" from the smallest.",
     "info {300,455,124,926,780}.rank(300);\ninfo {120.12,65,300.46,600.25,80.5}.rank(80.5,\"asc\"); => 4\n2", "SURE builtins §3"},
};

const struct lib_table lib_statistics_table = LIB_TABLE(rows);
