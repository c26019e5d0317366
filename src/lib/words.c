// SPDX-License-Identifier: Apache-2.0
//
// Names that Deluge does not have, and the function that does what they promise elsewhere: for "did you mean" alone. The first ones are
// found in published scripts and pages that no Zoho page backs (spec/deluge-builtins.md §1), the others are at home in Java and JavaScript.
// They stay unknown; an empty name says that no function comes near, whatever its letters.
#include "lib/inside.h"

const struct native_word lib_words[] = {
    {"toBoolean", ""},
    {"ifBlank", "ifNull"},
    {"isDecimal", "isNumber"},
    {"isDateTime", "isDate"},
    {"isBoolean", ""},
    {"join", "toString"},
    {"split", "toList"},
    {"reduce", ""},
    {"filter", ""},
    {"entries", "keys"},
    {"set", "put"},
    {"isSameDay", "daysBetween"},
    {"isBefore", "daysBetween"},
    {"isAfter", "daysBetween"},
    {"isBetween", "daysBetween"},
    {"toJSONString", "toString"},
    {"json", "toMap"},
    {"fromJSON", "toMap"},
    {"substr", "subString"},
    {"replace", "replaceAll"},
    {"addDays", "addDay"},
    {"format", "toString"},
    {"pow", "power"},
    {"random", "randomNumber"},
    {"mod", ""},
    {"isNotNull", "isNull"},
    {"append", "add"},
    {"push", "add"},
    {"includes", "contains"},
    {"hasKey", "containsKey"},
    {"slice", "subList"},
    {"toInt", "toLong"},
    {"toInteger", "toLong"},
    {"parseInt", "toLong"},
    {"parseJSON", "toMap"},
    {"stringify", "toString"},
    {"addHours", "addHour"},
    {"addMonths", "addMonth"},
};
const size_t lib_word_count = BASE_COUNT(lib_words);
