// SPDX-License-Identifier: Apache-2.0
//
// Lists: order and sets: sort, subList, distinct, intersect. Sorting is in place and returned, stable, by code point; a long sort runs on a
// helper thread while the fiber waits, since a native cannot give way in between. Mixed types give null, as Zoho says. Sets are maps of the
// heap.
#include "lib/inside.h"
#include "loop/loop.h"

#include <stdlib.h>

enum { SORT_JOB_COUNT = 20000 }; // from here on a sort takes milliseconds

enum lib_kind lib_kind(struct value v)
{
    switch (v.type) {
    case VALUE_NUMBER:
    case VALUE_DECIMAL:
        return LIB_NUMBERS;
    case VALUE_TEXT:
        return LIB_TEXTS;
    case VALUE_DATE:
    case VALUE_DATETIME:
    case VALUE_TIME:
        return LIB_DATES;
    case VALUE_BOOL:
        return LIB_BOOLS;
    default:
        return LIB_UNORDERED;
    }
}

enum lib_kind lib_items_kind(const struct value *items, size_t count)
{
    enum lib_kind kind = count == 0 ? LIB_TEXTS : lib_kind(items[0]);
    for (size_t i = 1; i < count; i++) {
        if (lib_kind(items[i]) != kind) {
            return LIB_UNORDERED;
        }
    }
    return kind;
}

// Two NUMBERs are compared as integers: ids of 19 digits are not for doubles.
static int compare_numbers(struct value a, struct value b)
{
    if (a.type == VALUE_NUMBER && b.type == VALUE_NUMBER) {
        return (a.number > b.number) - (a.number < b.number);
    }
    double left = a.type == VALUE_NUMBER ? (double)a.number : a.decimal;
    double right = b.type == VALUE_NUMBER ? (double)b.number : b.decimal;
    return (left > right) - (left < right);
}

int lib_compare(struct value a, struct value b)
{
    switch (lib_kind(a)) {
    case LIB_NUMBERS:
        return compare_numbers(a, b);
    case LIB_TEXTS:
        return view_compare(value_view(a), value_view(b));
    case LIB_DATES:
        return (a.millis > b.millis) - (a.millis < b.millis);
    default:
        return a.boolean - b.boolean;
    }
}

// ---- sorting ------------------------------------------------------------------------------------

static int compare_up(const void *a, const void *b)
{
    return lib_compare(*(const struct value *)a, *(const struct value *)b);
}

static int compare_down(const void *a, const void *b)
{
    return lib_compare(*(const struct value *)b, *(const struct value *)a);
}

// Bottom-up merge sort: stable, n·log n whatever the input is, and with a place to look at the interrupt, which qsort has not.
struct sort {
    char *items, *spare; // `count` elements each
    size_t count, size;
    int (*compare)(const void *a, const void *b);
    const volatile int *interrupt;
    bool interrupted;
};

// Takes from the left while it is not larger, which makes the sort stable.
static void merge_runs(const struct sort *sort, const char *from, char *to, size_t start, size_t middle, size_t end)
{
    size_t size = sort->size, left = start, right = middle;
    for (size_t i = start; i < end; i++) {
        bool take_left = left < middle && (right >= end || sort->compare(from + left * size, from + right * size) <= 0);
        memcpy(to + i * size, from + (take_left ? left++ : right++) * size, size);
    }
}

static void run_sort(void *arg)
{
    struct sort *sort = arg;
    char *from = sort->items, *to = sort->spare;
    for (size_t width = 1; width < sort->count; width *= 2) {
        for (size_t start = 0; start < sort->count; start += 2 * width) {
            size_t middle = start + width < sort->count ? start + width : sort->count;
            size_t end = middle + width < sort->count ? middle + width : sort->count;
            if (lang_interrupted(sort->interrupt)) {
                sort->interrupted = true; // what is half sorted is thrown away with the run
                return;
            }
            merge_runs(sort, from, to, start, middle, end);
        }
        char *swap = from;
        from = to;
        to = swap;
    }
    if (from != sort->items) {
        memcpy(sort->items, from, sort->count * sort->size);
    }
}

bool lib_sort_by(struct native_call *call, void *items, size_t count, size_t size, int (*compare)(const void *a, const void *b))
{
    struct sort sort = {.items = items, .count = count, .size = size, .compare = compare, .interrupt = call->interrupt};
    if (count < 2) {
        return true;
    }
    sort.spare = heap_alloc(call->heap, count * size);
    if (sort.spare == NULL) {
        return lib_memory_fail(call);
    }
    lib_cost_elements(call, count * 8);
    if (count >= SORT_JOB_COUNT && loop_fiber() != NULL) {
        if (!loop_job(run_sort, &sort, call->fail)) {
            return false;
        }
    } else {
        run_sort(&sort);
    }
    return !sort.interrupted || fail_set(call->fail, FAIL_CANCELLED, NULL);
}

bool lib_sort(struct native_call *call, struct value *items, size_t count, bool ascending)
{
    return lib_sort_by(call, items, count, sizeof(*items), ascending ? compare_up : compare_down);
}

// Returns the list itself, so that both `l.sort();` and `l = l.sort();` work (Zoho's pages show both).
static bool order_sort(struct native_call *call)
{
    struct list *list;
    bool ascending = true;
    if (!lib_list(call, 0, &list) || (call->count > 1 && !arg_bool(call, 1, &ascending))) {
        return false;
    }
    lib_cost_elements(call, list->count);
    if (lib_items_kind(list->items, list->count) == LIB_UNORDERED) {
        return lib_return(call, value_null());
    }
    return lib_sort(call, list->items, list->count, ascending) && lib_return(call, call->args[0]);
}

// ---- parts and sets -----------------------------------------------------------------------------

// A list of its own, not a window: changing it leaves the original alone.
static bool order_sub_list(struct native_call *call)
{
    struct list *list;
    struct value part;
    int64_t start, end;
    if (!lib_list(call, 0, &list) || !arg_number(call, 1, &start)) {
        return false;
    }
    end = list->count;
    if (call->count > 2 && !arg_number(call, 2, &end)) {
        return false;
    }
    if (start < 0 || start > list->count || end > list->count || end < start) {
        int64_t wrong = start < 0 || start > list->count ? start : end;
        return native_fail(call, "Given index %lld is greater than the list size", (long long)wrong);
    }
    if (!lib_list_new(call, (size_t)(end - start), &part)) {
        return false;
    }
    lib_cost_elements(call, (size_t)(end - start));
    for (int64_t i = start; i < end; i++) {
        if (!lib_push(call, part.list, list->items[i])) {
            return false;
        }
    }
    return lib_return(call, part);
}

// Elements of `list` that are new to `seen`, in order; with `among` only those that it holds too.
static bool select_items(struct native_call *call, const struct list *list, const struct map *among)
{
    struct value kept, seen = value_map(call->heap, 0);
    if (seen.type != VALUE_MAP) {
        return lib_memory_fail(call);
    }
    if (!lib_list_new(call, 0, &kept)) {
        return false;
    }
    lib_cost_elements(call, (size_t)list->count * 4);
    for (uint32_t i = 0; i < list->count; i++) {
        bool is_new, found = true;
        if (among != NULL) {
            map_get(among, list->items[i], &found);
        }
        if (lib_interrupted(call) || (found && !lib_set_add(call, seen.map, list->items[i], &is_new))) {
            return false;
        }
        if (found && is_new && !lib_push(call, kept.list, list->items[i])) {
            return false;
        }
    }
    return lib_return(call, kept);
}

static bool order_distinct(struct native_call *call)
{
    struct list *list;
    return lib_list(call, 0, &list) && select_items(call, list, NULL);
}

static bool order_intersect(struct native_call *call)
{
    struct list *list, *other;
    if (!lib_list(call, 0, &list) || !lib_list(call, 1, &other)) {
        return false;
    }
    struct value among = value_map(call->heap, other->count);
    if (among.type != VALUE_MAP) {
        return lib_memory_fail(call);
    }
    for (uint32_t i = 0; i < other->count; i++) {
        bool is_new;
        if (lib_interrupted(call) || !lib_set_add(call, among.map, other->items[i], &is_new)) {
            return false;
        }
    }
    return select_items(call, list, among.map);
}

// ---- the table ----------------------------------------------------------------------------------

static const struct native rows[] = {
    {"sort", NATIVE_LIST, 1, 2, NATIVE_SLOW, 4, order_sort, "list.sort(BOOLEAN ascending?) → LIST",
     "Sorts the list itself and returns it; upper case before lower case. Elements of different types give null.",
     "info {\"Creator\",\"crm\",\"Zoho Creator\"}.sort(true); => Creator,Zoho Creator,crm", "SURE builtins §5"},
    {"subList", LIB_LIST, 2, 3, 0, 3, order_sub_list, "list.subList(NUMBER start, NUMBER end?) → LIST",
     "The elements from `start` up to but without `end`; out of range is an error.", "info {1,2,3,4}.subList(0,3); => 1,2,3",
     "SURE builtins §5; range LIKELY"},
    {"distinct", NATIVE_LIST, 1, 1, 0, 4, order_distinct, "list.distinct() → LIST",
     "Each element once, in the order of first sight; types matter.", "info {\"1\",1,1,2,2,3}.distinct(); => 1,1,2,3", "SURE builtins §5"},
    {"eliminateDuplicates", LIB_LIST, 1, 1, 0, 4, order_distinct, "list.eliminateDuplicates() → LIST", "Old name of distinct.",
     "info {1,1,2}.eliminateDuplicates(); => 1,2", "SURE builtins §5"},
    {"intersect", NATIVE_LIST, 2, 2, 0, 4, order_intersect, "list.intersect(LIST other) → LIST",
     "The elements that both lists have, each once.", "info {1,2,3}.intersect({2,3,4}); => 2,3", "SURE builtins §5"},
};

const struct lib_table lib_list_order_table = LIB_TABLE(rows);
