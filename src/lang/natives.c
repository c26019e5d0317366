// SPDX-License-Identifier: Apache-2.0
//
// The set of natives: rows by name, names without case (spec/deluge-language.md §1 decision 7), and what a native calls to read its
// arguments. The set is built at start, then read by all threads; nothing in it changes afterwards.
//
// The hard thing is speed at run time: a method is chosen by the receiver's type on each call. Each name therefore has a group with one
// slot a type, filled when rows are added, so that a call costs one load and no comparison of names.

#include "lang/natives.h"
#include "lang/operate.h"

#include <stdlib.h>

struct native_set {
    struct table groups; // name → struct native_group
    const struct native **rows;
    size_t count, cap;
    const struct native_word *words;
    size_t word_count;
};

struct native_set *native_set_new(void)
{
    struct native_set *set = calloc(1, sizeof(*set));
    if (set != NULL) {
        table_init(&set->groups, NATIVE_GROUPS_MAX, true);
    }
    return set;
}

void native_set_free(struct native_set *set)
{
    if (set == NULL) {
        return;
    }
    size_t cursor = 0;
    struct view key;
    void *group;
    while (table_next(&set->groups, &cursor, &key, &group)) {
        free(group);
    }
    table_free(&set->groups);
    free(set->rows);
    free(set);
}

// ---- adding -------------------------------------------------------------------------------------

// The group of a row's name, made at its first row.
static struct native_group *group_of(struct native_set *set, const struct native *row)
{
    struct native_group *group = table_get(&set->groups, view_of(row->name));
    if (group != NULL) {
        return group;
    }
    group = calloc(1, sizeof(*group));
    if (group == NULL || !table_put(&set->groups, view_of(row->name), group)) {
        free(group);
        return NULL;
    }
    group->first = row;
    group->args_min = row->args_min;
    group->args_max = row->args_max;
    group->reads_field = view_eq_nocase(view_of(row->name), VIEW("get")) || view_eq_nocase(view_of(row->name), VIEW("getJSON"));
    return group;
}

// True when a slot that `row` needs is taken. {} is an empty list and an empty map at once, so the first row that wants it keeps it.
static bool row_clashes(const struct native_group *group, const struct native *row)
{
    if (row->receivers == 0) {
        return group->function != NULL;
    }
    for (int type = 0; type < VALUE_TYPES; type++) {
        if ((row->receivers & NATIVE_TYPE(type)) != 0 && group->by_type[type] != NULL && type != VALUE_FRESH) {
            return true;
        }
    }
    return false;
}

static void group_add(struct native_group *group, const struct native *row)
{
    if (row->receivers == 0) {
        group->function = row;
    }
    for (int type = 0; type < VALUE_TYPES; type++) {
        if ((row->receivers & NATIVE_TYPE(type)) != 0 && group->by_type[type] == NULL) {
            group->by_type[type] = row;
            group->plain |= row->flags & NATIVE_PLAIN ? NATIVE_TYPE(type) : 0;
        }
    }
    group->args_min = row->args_min < group->args_min ? row->args_min : group->args_min;
    group->args_max = row->args_max > group->args_max ? row->args_max : group->args_max;
}

// Rows are kept in their order too, for the reference pages.
static bool rows_reserve(struct native_set *set, size_t more)
{
    if (set->count + more <= set->cap) {
        return true;
    }
    size_t cap = (set->count + more) * 2;
    const struct native **rows = realloc(set->rows, cap * sizeof(*rows));
    if (rows == NULL) {
        return false;
    }
    set->rows = rows;
    set->cap = cap;
    return true;
}

// A row that cannot be right is a mistake in a table, found at start and not in the run that meets it.
bool native_set_add(struct native_set *set, const struct native *rows, size_t count, struct fail *fail)
{
    if (!rows_reserve(set, count)) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        const struct native *row = &rows[i];
        if (row->args_min > row->args_max || (row->receivers != 0 && row->args_min == 0)) {
            return fail_set(fail, FAIL_INTERNAL, "the native '%s' has impossible argument counts", row->name);
        }
        struct native_group *group = group_of(set, row);
        if (group == NULL) {
            return fail_set(fail, FAIL_MEMORY, NULL);
        }
        if (row_clashes(group, row)) {
            return fail_set(fail, FAIL_INTERNAL, "the native '%s' has two rows for one receiver type", row->name);
        }
        group_add(group, row);
        set->rows[set->count++] = row;
    }
    return true;
}

// ---- finding ------------------------------------------------------------------------------------

size_t native_set_count(const struct native_set *set)
{
    return set->count;
}

const struct native *native_set_at(const struct native_set *set, size_t index)
{
    assert(index < set->count);
    return set->rows[index];
}

const struct native_group *native_set_group(const struct native_set *set, struct view name)
{
    return set == NULL ? NULL : table_get(&set->groups, name);
}

const struct native *native_set_find(const struct native_set *set, struct view name)
{
    const struct native_group *group = native_set_group(set, name);
    return group == NULL ? NULL : group->first;
}

// ASCII only: names of natives are.
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// Levenshtein's distance without case; both at most NATIVE_NEAREST_BYTES_MAX long.
static int edit_distance(struct view a, struct view b)
{
    int row[NATIVE_NEAREST_BYTES_MAX + 1];
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = (int)j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= b.len; j++) {
            int best = diagonal + (lower(a.data[i - 1]) != lower(b.data[j - 1]));
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[b.len];
}

int native_name_distance(struct view name, struct view other)
{
    // A third of the letters may differ, at most three: beyond that a suggestion misleads.
    int most = name.len < 9 ? (int)(name.len + 2) / 3 : 3;
    size_t gap = other.len > name.len ? other.len - name.len : name.len - other.len;
    if (name.len > NATIVE_NEAREST_BYTES_MAX || other.len > NATIVE_NEAREST_BYTES_MAX || gap > (size_t)most) {
        return -1;
    }
    int distance = edit_distance(name, other);
    return distance <= most ? distance : -1;
}

void native_set_words(struct native_set *set, const struct native_word *words, size_t count)
{
    set->words = words;
    set->word_count = count;
}

const struct native *native_set_nearest(const struct native_set *set, struct view name)
{
    if (set == NULL || name.len == 0 || name.len > NATIVE_NEAREST_BYTES_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < set->word_count; i++) {
        if (view_eq_nocase(name, view_of(set->words[i].word))) {
            return native_set_find(set, view_of(set->words[i].name));
        }
    }
    const struct native *nearest = NULL;
    int best = NATIVE_NEAREST_BYTES_MAX;
    for (size_t i = 0; i < set->count; i++) {
        int distance = native_name_distance(name, view_of(set->rows[i]->name));
        if (distance >= 0 && distance < best) {
            nearest = set->rows[i];
            best = distance;
        }
    }
    return nearest;
}

// ---- arguments ----------------------------------------------------------------------------------

bool native_fail(struct native_call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_set_v(call->fail, FAIL_SCRIPT, format, args);
    va_end(args);
    return false;
}

// Absent arguments read as null.
static struct value arg_at(const struct native_call *call, int index)
{
    return index < call->count ? value_resolve(call->args[index]) : value_null();
}

// Zoho's texts for a value of the wrong type (spec/deluge-language.md §8.2): one for the receiver, one for arguments.
static bool arg_mismatch(struct native_call *call, int index, const char *required)
{
    struct value v = arg_at(call, index);
    if (index == 0) {
        return native_fail(call, "'%s' can not be cast to '[%s]'", value_type_name(v), required);
    }
    return native_fail(call, "Incompatible types for function at argument index %d Required: [%s] Found: %s", index, required,
                       value_type_name(v));
}

// null has no text here: who wants "null" or "" for it asks for its type first.
bool arg_text(struct native_call *call, int index, struct view *ret_text)
{
    struct value v = arg_at(call, index);
    if (v.type == VALUE_NULL || v.type == VALUE_FILE) {
        return arg_mismatch(call, index, "TEXT");
    }
    if (v.type != VALUE_TEXT) {
        v = value_to_text(call->heap, v, call->fail);
        if (v.type != VALUE_TEXT) {
            return false;
        }
    }
    *ret_text = value_view(v);
    return true;
}

bool arg_number(struct native_call *call, int index, int64_t *ret_number)
{
    struct value number;
    struct value v = arg_at(call, index);
    if (!operate_number(v, &number)) {
        return arg_mismatch(call, index, "NUMBER");
    }
    if (number.type == VALUE_NUMBER) {
        *ret_number = number.number;
        return true;
    }
    // A decimal is cut towards zero, as Java's longValue does (spec/deluge-builtins.md §1 toNumber).
    if (!(number.decimal > -0x1p63 && number.decimal < 0x1p63)) {
        return arg_mismatch(call, index, "NUMBER");
    }
    *ret_number = (int64_t)number.decimal;
    return true;
}

bool arg_decimal(struct native_call *call, int index, double *ret_number)
{
    struct value number;
    struct value v = arg_at(call, index);
    if (!operate_number(v, &number)) {
        return arg_mismatch(call, index, "DECIMAL");
    }
    *ret_number = number.type == VALUE_NUMBER ? (double)number.number : number.decimal;
    return true;
}

bool arg_bool(struct native_call *call, int index, bool *ret_bool)
{
    struct value v = arg_at(call, index);
    if (v.type == VALUE_BOOL) {
        *ret_bool = v.boolean;
        return true;
    }
    if (v.type == VALUE_TEXT && view_eq_nocase(value_view(v), VIEW("true"))) {
        *ret_bool = true;
        return true;
    }
    if (v.type == VALUE_TEXT && view_eq_nocase(value_view(v), VIEW("false"))) {
        *ret_bool = false;
        return true;
    }
    return arg_mismatch(call, index, "BOOLEAN");
}

// {} that is still nothing is an empty list for the native that reads it; it does not become one.
bool arg_list(struct native_call *call, int index, struct list **ret_list)
{
    struct value v = arg_at(call, index);
    if (v.type == VALUE_FRESH) {
        v = value_list(call->heap, 0);
    }
    if (v.type == VALUE_TEXT) { // text that holds a JSON array is a list (decision 3)
        struct fail ignored;
        struct value parsed;
        if (json_looks_like(value_view(v)) && json_read_lenient(call->heap, value_view(v), &parsed, &ignored)) {
            v = parsed;
        }
    }
    struct list *list = value_as_list(v);
    if (list == NULL) {
        return arg_mismatch(call, index, "LIST");
    }
    *ret_list = list;
    return true;
}

bool arg_map(struct native_call *call, int index, struct map **ret_map)
{
    struct value v = arg_at(call, index);
    if (v.type == VALUE_FRESH) {
        v = value_map(call->heap, 0);
    }
    if (v.type == VALUE_TEXT) {
        return operate_text_map(call->heap, v, ret_map, call->fail);
    }
    struct map *map = value_as_map(v);
    if (map == NULL) {
        return arg_mismatch(call, index, "MAP");
    }
    *ret_map = map;
    return true;
}
