// SPDX-License-Identifier: Apache-2.0
// ext's insides: reading files of a package, shared by package.c and manifest.c.
#pragma once

#include "ext/ext.h"

struct folder_file {
    struct view path; // inside the package
    struct view text; // valid UTF-8, NUL follows
};
// Reads one file. A missing one gives VIEW_NONE and true; links, too large, not UTF-8: false.
bool package_file(struct ext_package *package, struct view path, struct view *ret_text, struct fail *fail);
// Calls `each` for the files of a sub-folder whose names end in one of `endings` (NULL-terminated list), by name. A missing folder has
// none.
bool package_folder(struct ext_package *package, const char *folder, const char *const *endings,
                    bool (*each)(struct ext_package *package, const struct folder_file *file, void *arg, struct fail *fail), void *arg,
                    struct fail *fail);
// Room for one more; FAIL_INVALID_DATA over EXT_FILES_MAX.
bool package_add_function(struct ext_package *package, const struct ext_function *function, struct fail *fail);
bool manifest_read(struct ext_package *package, struct fail *fail);
// Sets fail->file, so that messages name the file.
bool package_fail(struct fail *fail, struct view file, const char *format, ...) BASE_PRINTF(3, 4);
