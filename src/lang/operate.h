// SPDX-License-Identifier: Apache-2.0
//
// Inside header: what the operators of the language do with values (arithmetic.c, compare.c) and how a value takes a declared type
// (convert.c). Pure functions over values and a heap; the VM has quick paths for numbers in front of them. Failures are FAIL_SCRIPT with
// Zoho's texts.
#pragma once

#include "lang/lang.h"

// ---- arithmetic.c: spec/deluge-language.md §4.2, §4.3 -------------------------------------------

bool arithmetic_add(struct heap *heap, struct value left, struct value right, struct value *ret_value, struct fail *fail);
bool arithmetic_subtract(struct heap *heap, struct value left, struct value right, struct value *ret_value, struct fail *fail);
bool arithmetic_multiply(struct heap *heap, struct value left, struct value right, struct value *ret_value, struct fail *fail);
bool arithmetic_divide(struct heap *heap, struct value left, struct value right, struct value *ret_value, struct fail *fail);
bool arithmetic_remainder(struct heap *heap, struct value left, struct value right, struct value *ret_value, struct fail *fail);
bool arithmetic_negate(struct value operand, struct value *ret_value, struct fail *fail);
bool arithmetic_plus(struct value operand, struct value *ret_value, struct fail *fail);

// NUMBER and DECIMAL as they are, numeric text as the number it shows; false for anything else. Sets no failure.
bool operate_number(struct value v, struct value *ret_number);

// ---- compare.c: §4.4, §4.5 ----------------------------------------------------------------------

enum compare_order { COMPARE_LESS, COMPARE_LESS_EQUAL, COMPARE_GREATER, COMPARE_GREATER_EQUAL };
bool compare_equal(struct value left, struct value right, const struct zone *zone); // ==
bool compare_order(enum compare_order order, struct value left, struct value right, const struct zone *zone, bool *ret_holds,
                   struct fail *fail);
bool compare_in(struct heap *heap, struct value item, struct value list, bool *ret_found, struct fail *fail);
// A condition: null is false, the texts "true" and "false" count, anything else but a boolean fails.
bool compare_truth(struct value v, bool *ret_true, struct fail *fail);
int compare_texts(struct view left, struct view right); // by UTF-16 code unit, as Java's compareTo: <0, 0, >0

// ---- convert.c: §1.4, §1.5, §3 ------------------------------------------------------------------

enum convert {
    CONVERT_ANY, // no type, or a word that is none of ours ("CRM Record")
    CONVERT_VOID,
    CONVERT_TEXT,
    CONVERT_NUMBER,
    CONVERT_DECIMAL,
    CONVERT_BOOL,
    CONVERT_LIST,
    CONVERT_MAP,
    CONVERT_DATE,
    CONVERT_TIME,
    CONVERT_FILE,
    CONVERT_COLLECTION,
};
// Convert's result is the value itself: one look, for calls of functions.
extern const uint16_t convert_kept[];
static inline bool convert_keeps(enum convert type, struct value v)
{
    return (convert_kept[type] >> v.type & 1) != 0;
}
enum convert convert_of(struct view type); // "String", "list:int", "bigint" …
bool convert_value(struct heap *heap, struct value v, enum convert type, struct value *ret_value, struct fail *fail);
enum value_type convert_item_type(struct view word); // the word of List:Int(): VALUE_NULL = any

// The JSON object in a text, read as leniently as toMap() does; fails with "'…' can not be cast to 'MAP'".
bool operate_text_map(struct heap *heap, struct value text, struct map **ret_map, struct fail *fail);
// The elements of a text as for each and list parameters see them: a JSON array, JSON objects joined by commas, else what stands between
// commas.
struct value operate_text_list(struct heap *heap, struct value text);
const char *
operate_type_name(struct value v); // the word of Zoho's mismatch texts: BIGINT and STRING where value_type_name says NUMBER and TEXT
