// SPDX-License-Identifier: Apache-2.0
//
// Inside header: the script files that `check PATH…` and `fmt PATH…` mean. A file that the user names is taken whatever its ending, `-` is
// standard input; folders are searched for .dg, .deluge and .ds.
#pragma once

#include "base/base.h"

struct walk {
    void (*file)(void *arg, const char *path);
    void (*broken)(void *arg, const char *path, const char *why); // what cannot be looked into
    bool (*takes)(const char *path); // which files of folders; NULL: scripts
    void *arg;
    int files; // so far
};
void walk_path(struct walk *walk, const char *path);
// A .ds file is usually the export of a whole Creator application, which is another format.
bool walk_is_application(const char *path, struct view source);
#define WALK_APPLICATION_TEXT "this is the export of a Creator application, not the source of a function"
