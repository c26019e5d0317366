// SPDX-License-Identifier: Apache-2.0
//
// The table of a binary that was built without the console.
#include "web/console_files.h"

const struct web_console_file web_console_files[] = {{"", "", "", 0, NULL, 0, ""}};
const int web_console_files_count = 0;
