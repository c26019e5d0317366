// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: tags. A tag is an object of the kind "tag" (object.h); a record's column Tag keeps the ids of its tags as a JSON list of
// texts, so that a tag's name and colour are changed in one row, and a tag that is deleted is gone from its records without touching them.
// Lists that were read always leave out ids of tags that are not there any more.
#pragma once

#include "crm/record.h"

#define CRM_TAG_KIND VIEW("tag")

enum { CRM_TAG_IDS_BYTES_MAX = 256 }; // a record's list as it is stored

// Ids of a record's tags, each once.
struct crm_tag_ids {
    int64_t items[CRM_RECORD_TAGS_MAX];
    int count;
};

// A tag as a request names it: by its id, or by its name, which is made when the module has none of that name.
struct crm_tag_wish {
    int64_t id;
    struct view name, color;
};
struct crm_tag_wishes {
    struct crm_tag_wish items[CRM_RECORD_TAGS_MAX];
    int count;
    bool append; // to what the record has
    char text[CRM_TAG_IDS_BYTES_MAX]; // by the closure: what is to be stored
};

// ---- tag_record.c -------------------------------------------------------------------------------

// Reads a list of {"name":…,"id":…,"color_code":…}, of names, or of both. False with *error set: it is none.
bool crm_tags_wish(struct value list, struct view api_name, struct crm_tag_wishes *ret_wishes, struct crm_row_error *error);
// In a closure: the ids of the wishes. `make`: those that the module does not have are added, else they are left out. *late says when one
// is not there, or when the module has room for no more.
bool crm_tags_find(struct tx *tx, struct crm_session *session, const struct crm_module *module, const struct crm_tag_wishes *wishes,
                   bool make, struct crm_tag_ids *ret_ids, struct crm_row_error *late, struct fail *fail);
// In a closure: what the record (0: a new one) is to keep for the wishes, as a parameter that points into them.
bool crm_tags_settle(struct tx *tx, struct crm_session *session, const struct crm_module *module, int64_t record_id,
                     struct crm_tag_wishes *wishes, struct store_param *ret_param, struct crm_row_error *late, struct fail *fail);
// What is stored, as {"name","id","color_code"} each. `memo`: a map that keeps tags for the next call.
bool crm_tags_show(struct tx *tx, struct heap *heap, struct value memo, struct view stored, struct value *ret_list, struct fail *fail);
bool crm_tag_color_valid(struct view color);
// {"color_code":…} of a definition; null when there is none.
struct value crm_tag_color(struct value definition);
// In a closure: adds one, noted in an open install journal.
bool crm_tag_add_tx(struct tx *tx, struct crm_session *session, const struct crm_module *module, struct view name, struct view color,
                    int64_t *ret_id, struct fail *fail);
// In a closure: the id of the module's tag of that name, 0 when there is none.
bool crm_tag_named(struct tx *tx, const struct crm_module *module, struct view name, int64_t *ret_id, struct fail *fail);
bool crm_tag_known(struct tx *tx, struct view module, int64_t id, bool *ret_known, struct fail *fail);
// A LIKE pattern for the lists that hold this tag.
enum { CRM_TAG_PATTERN_BYTES = 32 };
struct view crm_tag_pattern(char out[CRM_TAG_PATTERN_BYTES], int64_t id);
