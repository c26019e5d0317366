// SPDX-License-Identifier: Apache-2.0
// Holding what came against what a test expects. An expectation is JSON: the deepest place where the two part is noted with its path in
// the file, so that a person sees one wrong field and not two long texts. Items of a list in any order are paired by looking for a full
// pairing, because an item that asks for little may fit several.
#include "cli/test.h"

#include "lib/lib.h"

const char *const test_matcher_words[] = {"$is", "$matches", "$contains", "$count", "$at_least", "$at_most", "$any", "$absent", NULL};

void test_check_note(struct test_check *check, const struct test_difference *difference)
{
    if (!check->silent && check->count < TEST_DIFFERENCES_MAX) {
        check->items[check->count] = *difference;
        check->items[check->count].path = test_path_keep(check->heap, difference->path);
    }
    check->count++;
}

static bool differs(struct test_check *check, const struct test_path *path, struct value expected, struct value got, bool absent,
                    const char *text)
{
    test_check_note(check, &(struct test_difference){.path = path, .expected = expected, .got = got, .absent = absent, .text = text});
    return false;
}

bool test_is_matcher(const struct map *map)
{
    uint32_t cursor = 0;
    struct map_entry *entry = map ? map_next(map, &cursor) : NULL;
    return entry && view_starts(value_view_or(entry->key, VIEW("")), VIEW("$"));
}

// Text that holds JSON becomes what it holds, where a map or a list is wanted.
static struct value opened(struct test_check *check, struct value wanted, struct value got)
{
    struct value parsed;
    struct fail fail;
    bool open = value_is_text(got) && (value_as_map(wanted) || value_as_list(wanted)) && json_looks_like(value_view(got)) &&
                json_read(check->heap, value_view(got), &parsed, &fail);
    return open ? parsed : got;
}

// Would it match? Notes nothing.
static bool fits(struct test_check *check, struct value expected, struct value got)
{
    struct test_check trial = {.heap = check->heap, .silent = true};
    return test_match(&trial, NULL, expected, got, false, false);
}

// ---- lists in any order -------------------------------------------------------------------------

struct pairing {
    struct test_check *check;
    const struct list *expected, *got;
    int *owner; // of each item that came: the expected one it is paired with, -1 = none
    bool *seen;
};

// Augmenting paths: gives `wanted` a partner, moving the pairs that stand in the way.
static bool find_partner(struct pairing *pairing, int wanted)
{
    for (uint32_t i = 0; i < pairing->got->count; i++) {
        if (pairing->seen[i] || !fits(pairing->check, pairing->expected->items[wanted], pairing->got->items[i])) {
            continue;
        }
        pairing->seen[i] = true;
        if (pairing->owner[i] < 0 || find_partner(pairing, pairing->owner[i])) {
            pairing->owner[i] = wanted;
            return true;
        }
    }
    return false;
}

// The only item that came without a partner; -1 when there are none or several.
static int lone_item(const struct pairing *pairing)
{
    int lone = -1;
    for (uint32_t i = 0; i < pairing->got->count; i++) {
        if (pairing->owner[i] < 0) {
            if (lone >= 0) {
                return -1;
            }
            lone = (int)i;
        }
    }
    return lone;
}

// `all`: every item that came must be paired too.
static bool match_unordered(struct test_check *check, const struct test_path *path, const struct list *expected, struct value came,
                            bool all)
{
    const struct list *got = value_as_list(came);
    struct value whole = {.type = VALUE_LIST, .list = (struct list *)expected};
    if (expected->count > TEST_UNORDERED_MAX) {
        return differs(check, path, whole, came, false, "more than 200 items are not looked for in any order");
    }
    if (all && expected->count != got->count) {
        return differs(check, path, whole, came, false, NULL);
    }
    struct pairing pairing = {.check = check,
                              .expected = expected,
                              .got = got,
                              .owner = heap_alloc(check->heap, (got->count + 1) * sizeof *pairing.owner),
                              .seen = heap_alloc(check->heap, got->count + 1)};
    if (!pairing.owner || !pairing.seen) {
        return differs(check, path, whole, came, false, "not enough memory");
    }
    memset(pairing.owner, -1, (got->count + 1) * sizeof *pairing.owner);
    int missing = -1, missing_count = 0;
    for (uint32_t i = 0; i < expected->count; i++) {
        memset(pairing.seen, 0, got->count + 1);
        if (!find_partner(&pairing, (int)i)) {
            missing = (int)i;
            missing_count++;
        }
    }
    if (!missing_count) {
        return true;
    }
    int lone = missing_count == 1 ? lone_item(&pairing) : -1;
    if (lone >= 0) { // plainly these two
        return test_match(check, TEST_ITEM(path, missing), expected->items[missing], got->items[lone], false, false);
    }
    return differs(check, path, whole, came, false, NULL);
}

// ---- $words -------------------------------------------------------------------------------------

static bool match_text(struct test_check *check, struct value pattern, struct value got, const char **ret_why)
{
    struct fail fail;
    bool found = false;
    struct value text = value_is_text(got) ? got : value_to_text(check->heap, got, &fail);
    if (!value_is_text(pattern) || !value_is_text(text)) {
        return false;
    }
    if (!lib_text_finds(check->heap, value_view(text), value_view(pattern), &found, &fail)) {
        *ret_why = "the regular expression is broken or takes too long";
    }
    return found;
}

static bool is_number(struct value v)
{
    return v.type == VALUE_NUMBER || v.type == VALUE_DECIMAL;
}

static double number_of(struct value v)
{
    return v.type == VALUE_NUMBER ? (double)v.number : v.decimal;
}

static int64_t count_of(struct value v)
{
    const struct map *map = value_as_map(v);
    const struct list *list = value_as_list(v);
    return list ? (int64_t)list->count : map ? (int64_t)map->count : -1;
}

static bool contains(struct test_check *check, struct value wanted, struct value got)
{
    const struct list *items = value_as_list(wanted);
    struct test_check trial = {.heap = check->heap, .silent = true};
    got = opened(check, items ? wanted : value_null(), got);
    if (value_as_list(got)) {
        struct list one = {.items = &wanted, .count = 1, .cap = 1};
        return match_unordered(&trial, NULL, items ? items : &one, got, false);
    }
    return value_is_text(got) && value_is_text(wanted) && view_find(value_view(got), value_view(wanted)) >= 0;
}

static bool word_holds(struct test_check *check, struct view word, struct value wanted, struct value got, bool absent, const char **ret_why)
{
    if (view_eq(word, VIEW("$absent"))) {
        return absent == (wanted.type == VALUE_BOOL && wanted.boolean);
    }
    if (absent) {
        return false;
    }
    if (view_eq(word, VIEW("$any"))) {
        return !value_is_null(got) == (wanted.type == VALUE_BOOL && wanted.boolean);
    }
    if (view_eq(word, VIEW("$is"))) {
        return value_equal(wanted, opened(check, wanted, got));
    }
    if (view_eq(word, VIEW("$matches"))) {
        return match_text(check, wanted, got, ret_why);
    }
    if (view_eq(word, VIEW("$contains"))) {
        return contains(check, wanted, got);
    }
    if (view_eq(word, VIEW("$count"))) {
        struct value list = opened(check, (struct value){.type = VALUE_LIST, .list = &(struct list){0}}, got);
        return fits(check, wanted, value_number(count_of(list)));
    }
    return is_number(wanted) && is_number(got) &&
           (view_eq(word, VIEW("$at_most")) ? number_of(got) <= number_of(wanted) : number_of(got) >= number_of(wanted));
}

static bool match_words(struct test_check *check, const struct test_path *path, struct value expected, struct value got, bool absent)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(value_as_map(expected), &cursor));) {
        const char *why = NULL;
        if (!word_holds(check, value_view_or(entry->key, VIEW("")), entry->value, got, absent, &why)) {
            return differs(check, path, expected, got, absent, why);
        }
    }
    return true;
}

// ---- the rest -----------------------------------------------------------------------------------

// Names of fields and modules may be dotted, as in scripts.
static struct value find_member(struct test_check *check, const struct map *map, struct view name, bool *ret_found)
{
    ptrdiff_t dot = view_find_char(name, '.');
    struct value found = map_get(map, value_text(check->heap, name), ret_found);
    if (*ret_found || dot <= 0) {
        return found;
    }
    struct value spelt = value_text_printf(check->heap, "%.*s__%.*s", (int)dot, name.data, VIEW_ARGS(view_from(name, (size_t)dot + 1)));
    return map_get(map, spelt, ret_found);
}

static bool match_map(struct test_check *check, const struct test_path *path, struct value expected, const struct map *got, bool unordered)
{
    bool ok = true, found;
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(value_as_map(expected), &cursor));) {
        struct view name = value_view_or(entry->key, VIEW(""));
        struct value member = find_member(check, got, name, &found);
        ok = test_match(check, TEST_MEMBER(path, name), entry->value, member, !found, unordered) && ok;
    }
    return ok;
}

static bool match_list(struct test_check *check, const struct test_path *path, struct value expected, struct value came)
{
    const struct list *wanted = value_as_list(expected), *got = value_as_list(came);
    if (wanted->count != got->count) {
        return differs(check, path, expected, came, false, NULL);
    }
    bool ok = true;
    for (uint32_t i = 0; i < wanted->count; i++) {
        ok = test_match(check, TEST_ITEM(path, i), wanted->items[i], got->items[i], false, false) && ok;
    }
    return ok;
}

bool test_match(struct test_check *check, const struct test_path *path, struct value expected, struct value got, bool absent,
                bool unordered)
{
    const struct map *map = value_as_map(expected);
    if (test_is_matcher(map)) {
        return match_words(check, path, expected, got, absent);
    }
    got = opened(check, expected, got);
    if (absent) {
        return differs(check, path, expected, got, true, NULL);
    }
    if (map && value_as_map(got)) {
        return match_map(check, path, expected, value_as_map(got), unordered);
    }
    if (value_as_list(expected) && value_as_list(got)) {
        return unordered ? match_unordered(check, path, value_as_list(expected), got, true) : match_list(check, path, expected, got);
    }
    return value_equal(expected, got) || differs(check, path, expected, got, false, NULL);
}

// ---- URLs ---------------------------------------------------------------------------------------

// Linear: after a * that fails, the last * takes one byte more.
static bool match_stars(struct view pattern, struct view text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.len && pattern.data[p] == text.data[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*') {
        p++;
    }
    return p == pattern.len;
}

bool test_match_url(struct view pattern, struct view url)
{
    struct view without = url;
    without = view_cut(&without, '?');
    return match_stars(pattern, url) || (view_find_char(pattern, '?') < 0 && match_stars(pattern, without));
}
