// SPDX-License-Identifier: Apache-2.0
//
// libzip, opened when a script first packs or unpacks, and the rule for names in archives: nothing here writes to a disk, but what a script
// unpacks is sent on to places that do.
#include "lib/archive.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct archive_library library;
static char trouble[FOREIGN_TROUBLE_MAX]; // empty when all went well

#define ROW(name) {#name, &library.name},
static void open_once(void)
{
    static const struct foreign_name names[] = {ZIP_NAMES(ROW)};
    foreign_open("libzip.so.4", names, BASE_COUNT(names), trouble);
}

const struct archive_library *archive_library(struct fail *fail)
{
    pthread_once(&once, open_once);
    if (trouble[0] != '\0') {
        fail_set(fail, FAIL_INTERNAL, "%s", trouble);
        return NULL;
    }
    return &library;
}

bool archive_name_safe(struct view name)
{
    size_t start = 0;
    if (name.len == 0 || name.len > ARCHIVE_NAME_MAX || (name.len > 1 && name.data[1] == ':')) {
        return false;
    }
    for (size_t i = 0; i <= name.len; i++) {
        char c = i < name.len ? name.data[i] : '/';
        if ((unsigned char)c < 0x20 || c == 0x7F) {
            return false;
        }
        if (c != '/' && c != '\\') {
            continue;
        }
        struct view part = view_slice(name, start, i - start);
        bool last = i == name.len;
        if ((part.len == 0 && !last) || view_eq(part, VIEW("..")) || view_eq(part, VIEW("."))) {
            return false; // a leading slash makes an empty part, one at the end marks a folder
        }
        start = i + 1;
    }
    return true;
}
