// SPDX-License-Identifier: Apache-2.0
// ext's insides: reading files of a package, shared by package.c and manifest.c.
#pragma once

#include "ext/ext.h"

// The text of one file. A missing one gives VIEW_NONE and true; too large, not UTF-8: false.
bool package_file(struct ext_package *package, struct view path, struct view *ret_text, struct fail *fail);
// Calls `each` for the files directly in a folder ("modules/") whose names end in one of `endings` (NULL-terminated list), by name.
typedef bool package_each(struct ext_package *package, const struct ext_file *file, void *arg, struct fail *fail);
bool package_folder(struct ext_package *package, struct view folder, const char *const *endings, package_each *each, void *arg,
                    struct fail *fail);
// Room for one more; FAIL_INVALID_DATA over EXT_FILES_MAX.
bool package_add_function(struct ext_package *package, const struct ext_function *function, struct fail *fail);
// Something was wrong with one part: true when somebody hears of it and reading goes on without that part.
bool package_go_on(struct ext_package *package, struct fail *fail);
bool manifest_read(struct ext_package *package, const struct ext_defaults *defaults, struct fail *fail);
// What other tools pack (toolkit.c): the manifest that their zips lack, as JSON-like values, and the functions they hold.
bool package_is_toolkit(const struct ext_package *package);
bool package_toolkit_manifest(struct ext_package *package, const struct ext_defaults *defaults, struct fail *fail);
bool package_toolkit_functions(struct ext_package *package, struct fail *fail);
// Sets fail->file, so that messages name the file.
bool package_fail(struct fail *fail, struct view file, const char *format, ...) BASE_PRINTF(3, 4);
// Makes the group that variables are in when nothing else is said (orgvariable.c).
bool variable_general_tx(struct tx *tx, void *arg, struct fail *fail);
// Parts of letters, digits and what else file systems agree on; never empty, "." or ".." (files.c).
bool files_path_valid(struct view path);
// Opens part by part below the folder, over no links; `kind`: O_DIRECTORY, O_NONBLOCK. -1 with errno.
int files_open_below(const char *folder, struct view path, int kind);

// Saved versions that a query finds: position, saved_ms, source.
bool ext_save_rows_tx(struct tx *tx, const char *sql, const struct store_param *key, int count, ext_each_save *each, void *arg,
                      struct fail *fail);
