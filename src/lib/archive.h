// SPDX-License-Identifier: Apache-2.0
//
// Between the two archive files of the room: libzip as it is opened at first use, and which names an archive may hold.
#pragma once

#include "lib/foreign.h"

#include <zip.h>

#define ZIP_NAMES(X)                                                                                                                       \
    X(zip_open_from_source)                                                                                                                \
    X(zip_close)                                                                                                                           \
    X(zip_discard)                                                                                                                         \
    X(zip_file_get_external_attributes)                                                                                                    \
    X(zip_get_num_entries)                                                                                                                 \
    X(zip_stat_index)                                                                                                                      \
    X(zip_fopen_index_encrypted)                                                                                                           \
    X(zip_fread)                                                                                                                           \
    X(zip_fclose)                                                                                                                          \
    X(zip_file_add)                                                                                                                        \
    X(zip_get_error)                                                                                                                       \
    X(zip_error_init)                                                                                                                      \
    X(zip_error_fini)                                                                                                                      \
    X(zip_error_code_zip)                                                                                                                  \
    X(zip_source_buffer)                                                                                                                   \
    X(zip_source_buffer_create)                                                                                                            \
    X(zip_source_keep)                                                                                                                     \
    X(zip_source_free)                                                                                                                     \
    X(zip_source_open)                                                                                                                     \
    X(zip_source_read)                                                                                                                     \
    X(zip_source_close)                                                                                                                    \
    X(zip_register_cancel_callback_with_state)

struct archive_library {
    ZIP_NAMES(FOREIGN_MEMBER)
};
const struct archive_library *archive_library(struct fail *fail); // NULL with fail set when it cannot be opened

enum {
    ARCHIVE_ENTRIES_MAX = 1000, // ARCHITECTURE, security line 9
    ARCHIVE_RATIO_MAX = 100, // all contents together to the archive
    ARCHIVE_NAME_MAX = 1024,
};
// A path below the place where it is unpacked: relative, without .. and control characters, either slash between its parts.
bool archive_name_safe(struct view name);

bool archive_compress(struct native_call *call);
