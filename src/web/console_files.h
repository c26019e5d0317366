// SPDX-License-Identifier: Apache-2.0
//
// The console's built files, as console/build.mjs writes them: a table of all of them. A binary without a console has none.
#pragma once

#include <stddef.h>

struct web_console_file {
    const char *path; // "index.html", "assets/main.HASH.js"
    const char *type; // media type
    const char *bytes;
    size_t len;
    const char *gzip; // NULL: packing makes it no smaller
    size_t gzip_len;
    const char *hash; // of the bytes
};
extern const struct web_console_file web_console_files[];
extern const int web_console_files_count;
