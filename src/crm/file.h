// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: files. All bytes lie in crm_file, each row under the record that owns it: an attachment under its own id, a photo or a file
// of a field under the record's, an upload that nobody has claimed yet under 0. A deleted record takes its files with it. What REST calls a
// file's id is its handle, 64 random hex digits: whoever knows one has seen it in a record or in the answer to his upload.
//
// A column of the type fileupload or imageupload keeps the handles of its files as a JSON list of texts, one of the type profileimage one
// handle.
#pragma once

#include "crm/record.h"

enum { CRM_FILE_HANDLE_BYTES = 64, CRM_FILES_TEXT_BYTES_MAX = 800 };

struct crm_new_file {
    int64_t id; // 0: the next one
    int64_t owner_id;
    char handle[CRM_FILE_HANDLE_BYTES];
    struct view name, type, bytes;
    struct view link; // of a link instead of bytes, else empty
};
void crm_file_handle(struct crm_new_file *file); // draws one; outside closures
// In a closure: stores it, noted in an open install journal.
bool crm_file_add_tx(struct tx *tx, const struct crm_session *session, const struct crm_new_file *file, int64_t now_ms, struct fail *fail);
// In a closure: the files of a record that is deleted go, except under an install journal, which could not bring them back.
bool crm_files_remove_tx(struct tx *tx, const struct crm_session *session, int64_t owner_id, struct fail *fail);
struct view crm_file_base_name(struct view name); // without folders
const char *crm_image_type(struct view bytes); // by its first bytes: PNG, JPEG, GIF, BMP; NULL for anything else

// ---- file_field.c -------------------------------------------------------------------------------

// What a request says of a field of files.
struct crm_file_wish {
    char handle[CRM_FILE_HANDLE_BYTES]; // to be there
    int64_t remove_id; // or: of a file that is to go
};
struct crm_file_handles {
    char items[CRM_FIELD_FILES_MAX][CRM_FILE_HANDLE_BYTES];
    int count;
};
struct crm_file_wishes {
    const struct crm_field *field;
    struct crm_file_wishes *next; // of the same row
    struct crm_file_wish items[CRM_FIELD_FILES_MAX];
    int count;
    struct store_param *param; // where the column's value goes
    // by the closure
    struct crm_file_handles keep, drop; // what the field will have; what goes
    char text[CRM_FILES_TEXT_BYTES_MAX];
};
// Null and the empty list clear the field. False with *error set.
bool crm_files_wish(struct value value, struct crm_file_wishes *wishes, struct crm_row_error *error);
// In a closure, for all wishes of a row: *late says what is wrong with them; nothing is changed yet. record_id 0: the record is being
// added.
bool crm_files_check(struct tx *tx, const struct crm_module *module, int64_t record_id, struct crm_file_wishes *wishes,
                     struct crm_row_error *late, struct fail *fail);
// After it: makes the files the record's own, takes those that go away, and sets each *wishes->param.
bool crm_files_settle(struct tx *tx, const struct crm_session *session, int64_t record_id, struct crm_file_wishes *wishes,
                      struct fail *fail);
// A column's files as REST shows them (version 6 and later: File_Id__s …; before: file_Id …).
bool crm_files_show(struct tx *tx, struct crm_session *session, struct view stored, struct value *ret_list, struct fail *fail);
// {"$type","$file_id","$link_url"} of an attachment, put into its record.
bool crm_attachment_show(struct tx *tx, struct crm_session *session, int64_t id, struct value record, struct fail *fail);
