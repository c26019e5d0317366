// SPDX-License-Identifier: Apache-2.0
//
// Finds the scripts below a path, in the order of their names. Hidden entries and node_modules are left out; links in folders are not
// followed, so that a folder that holds itself ends. Depth, number and path length are bounded.
#include "cli/walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { WALK_DEPTH_MAX = 32, WALK_FILES_MAX = 100000, WALK_PATH_MAX = 4096 };

struct names {
    char **items;
    int count, room;
};

static bool add_name(struct names *names, const char *name)
{
    if (names->count == names->room) {
        int room = names->room ? names->room * 2 : 64;
        char **more = realloc(names->items, (size_t)room * sizeof *more);
        if (!more) {
            return false;
        }
        names->items = more;
        names->room = room;
    }
    names->items[names->count] = strdup(name);
    return names->items[names->count] && ++names->count;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// False (told) when the folder cannot be read to its end.
static bool read_names(struct walk *walk, const char *path, struct names *names)
{
    DIR *dir = opendir(path);
    bool done = dir != NULL;
    for (struct dirent *entry; done && (errno = 0, entry = readdir(dir));) {
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "node_modules") != 0) {
            done = add_name(names, entry->d_name);
        }
    }
    done = done && errno == 0;
    if (!done) {
        walk->broken(walk->arg, path, strerror(errno));
    }
    if (dir) {
        closedir(dir);
    }
    return done;
}

static void visit(struct walk *walk, const char *path, int depth);

static void visit_folder(struct walk *walk, const char *path, int depth)
{
    struct names names = {0};
    char child[WALK_PATH_MAX];
    if (depth == WALK_DEPTH_MAX) {
        walk->broken(walk->arg, path, "the folders are nested too deep");
        return;
    }
    if (read_names(walk, path, &names) && names.count) {
        qsort(names.items, (size_t)names.count, sizeof *names.items, by_name);
    }
    for (int i = 0; i < names.count; i++) {
        if (snprintf(child, sizeof child, "%s/%s", path, names.items[i]) < (int)sizeof child) {
            visit(walk, child, depth + 1);
        } else {
            walk->broken(walk->arg, path, "the path of a file in it is too long");
        }
        free(names.items[i]);
    }
    free(names.items);
}

static void visit_file(struct walk *walk, const char *path)
{
    if (++walk->files <= WALK_FILES_MAX) {
        walk->file(walk->arg, path);
    } else if (walk->files == WALK_FILES_MAX + 1) {
        walk->broken(walk->arg, path, "there are too many files");
    }
}

static bool is_script(const char *path)
{
    struct view name = view_of(path);
    return view_ends(name, VIEW(".dg")) || view_ends(name, VIEW(".deluge")) || view_ends(name, VIEW(".ds"));
}

// Depth 0 is what the user named.
static void visit(struct walk *walk, const char *path, int depth)
{
    struct stat info;
    if (depth == 0 && strcmp(path, "-") == 0) {
        visit_file(walk, path);
    } else if ((depth == 0 ? stat(path, &info) : lstat(path, &info)) != 0) {
        walk->broken(walk->arg, path, strerror(errno));
    } else if (S_ISDIR(info.st_mode)) {
        visit_folder(walk, path, depth);
    } else if (depth == 0 || (S_ISREG(info.st_mode) && (walk->takes ? walk->takes : is_script)(path))) {
        visit_file(walk, path);
    }
}

void walk_path(struct walk *walk, const char *path)
{
    visit(walk, path, 0);
}

bool walk_is_application(const char *path, struct view source)
{
    struct view text = view_trim(source);
    return view_ends(view_of(path), VIEW(".ds")) &&
           (view_starts_nocase(text, VIEW("application ")) || view_find(source, VIEW("\n application ")) >= 0 ||
            view_starts_nocase(text, VIEW("/*\n * Author")));
}
