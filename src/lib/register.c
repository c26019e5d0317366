// SPDX-License-Identifier: Apache-2.0
//
// All tables of the room in one list. The order is the order of `sluice docs builtins`: what works on anything first, then type by type.
#include "lib/inside.h"

static const struct lib_table *const tables[] = {
    &lib_common_table,       &lib_convert_table,  &lib_json_table,          &lib_xml_table,          &lib_text_table,
    &lib_text_search_table,  &lib_regex_table,    &lib_number_table,        &lib_trigonometry_table, &lib_number_format_table,
    &lib_number_words_table, &lib_list_table,     &lib_list_order_table,    &lib_statistics_table,   &lib_map_table,
    &lib_collection_table,   &lib_datetime_table, &lib_datetime_math_table, &lib_business_table,     &lib_url_table,
    &lib_encryption_table,   &lib_file_table,     &lib_archive_table,
};

bool lib_register(struct native_set *set, struct fail *fail)
{
    for (size_t i = 0; i < BASE_COUNT(tables); i++) {
        if (!native_set_add(set, tables[i]->rows, tables[i]->count, fail)) {
            return false;
        }
    }
    native_set_words(set, lib_words, lib_word_count);
    return true;
}
