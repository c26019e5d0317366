// SPDX-License-Identifier: Apache-2.0
// `sluice check`: compiles files and folders and prints what is wrong, a line each; nothing runs.
#include "cli/cli.h"

#include "lang/lang.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { CHECK_DEPTH_MAX = 32, CHECK_FILES_MAX = 100000, CHECK_PATH_MAX = 4096 };

struct checking {
    bool strict, json;
    int errors, files;
    struct heap heap; // of the JSON list
    struct value found;
};

static void report(struct checking *checking, const char *path, int line, int column, bool error, struct view text, struct view hint)
{
    checking->errors += error;
    if (!checking->json) {
        printf("%s:%d:%d: %s: %.*s\n", path, line, column, error ? "error" : "warning", VIEW_ARGS(text));
        if (hint.len) {
            printf("%s:%d:%d: note: %.*s\n", path, line, column, VIEW_ARGS(hint));
        }
        return;
    }
    struct heap *heap = &checking->heap;
    struct value map = value_map(heap, 6);
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, VIEW("file"), value_text(heap, view_of(path)));
        map_put_text(heap, map.map, VIEW("line"), value_number(line));
        map_put_text(heap, map.map, VIEW("column"), value_number(column));
        map_put_text(heap, map.map, VIEW("level"), value_text(heap, error ? VIEW("error") : VIEW("warning")));
        map_put_text(heap, map.map, VIEW("message"), value_text(heap, text));
        map_put_text(heap, map.map, VIEW("hint"), hint.len ? value_text(heap, hint) : value_null());
        list_add(heap, checking->found.list, map);
    }
}

// A .ds file is usually the export of a whole Creator application, which is another format.
static bool is_application_export(const char *path, struct view source)
{
    return view_ends(view_of(path), VIEW(".ds")) &&
           (view_starts_nocase(view_trim(source), VIEW("application ")) || view_find(source, VIEW("\n application ")) >= 0 ||
            view_starts_nocase(view_trim(source), VIEW("/*\n * Author")));
}

static void check_source(struct checking *checking, const char *path, struct view source)
{
    struct arena arena;
    struct diagnostics *found = calloc(1, sizeof *found);
    struct unit *unit;
    struct fail fail;
    fail_clear(&fail);
    if (!found) {
        return;
    }
    arena_init(&arena, 16 << 20);
    found->arena = &arena;
    struct lang_options options = {.natives = host_natives(), .strict = checking->strict, .file = path, .name = VIEW("standalone.script")};
    bool ok = lang_compile(source, &options, &unit, found, &fail);
    if (ok) {
        unit_free(unit);
    }
    for (int i = 0; i < found->count; i++) {
        const struct diagnostic *item = &found->items[i];
        report(checking, path, item->line, item->column, item->level == DIAGNOSTIC_ERROR, item->text, item->hint);
    }
    if (!ok && !found->errors) {
        report(checking, path, fail.line ? fail.line : 1, fail.column ? fail.column : 1, true, view_of(fail.text), VIEW(""));
    }
    free(found);
    arena_free(&arena);
}

static void check_file(struct checking *checking, const char *path)
{
    char *data;
    size_t len;
    struct fail fail;
    if (++checking->files > CHECK_FILES_MAX) {
        report(checking, path, 1, 1, true, VIEW("there are too many files"), VIEW(""));
        return;
    }
    if (!cli_read_file(path, SOURCE_BYTES_MAX, &data, &len, &fail)) {
        report(checking, path, 1, 1, true, view_of(fail.text), VIEW(""));
        return;
    }
    struct view source = {data, len};
    if (is_application_export(path, source)) {
        report(checking, path, 1, 1, true, VIEW("this is the export of a Creator application, not the source of a function"), VIEW(""));
    } else {
        check_source(checking, path, source);
    }
    free(data);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_path(struct checking *checking, const char *path, bool named, int depth);

static void check_folder(struct checking *checking, const char *path, int depth)
{
    DIR *dir = opendir(path);
    char **names = NULL, child[CHECK_PATH_MAX];
    int count = 0, room = 0;
    if (!dir) {
        report(checking, path, 1, 1, true, view_of(strerror(errno)), VIEW(""));
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "node_modules") == 0) {
            continue;
        }
        if (count == room) {
            room = room ? room * 2 : 64;
            char **more = realloc(names, (size_t)room * sizeof *names);
            if (!more) {
                break;
            }
            names = more;
        }
        names[count++] = strdup(entry->d_name);
    }
    closedir(dir);
    if (count) {
        qsort(names, (size_t)count, sizeof *names, by_name);
    }
    for (int i = 0; i < count; i++) {
        if (names[i] && snprintf(child, sizeof child, "%s/%s", path, names[i]) < (int)sizeof child) {
            check_path(checking, child, false, depth + 1);
        }
        free(names[i]);
    }
    free(names);
}

// A file named by the user is checked whatever its ending; in folders the endings decide. Links in folders are not followed.
static void check_path(struct checking *checking, const char *path, bool named, int depth)
{
    struct stat info;
    struct view name = view_of(path);
    if (strcmp(path, "-") != 0 && (named ? stat(path, &info) : lstat(path, &info)) != 0) {
        report(checking, path, 1, 1, true, view_of(strerror(errno)), VIEW(""));
    } else if (strcmp(path, "-") != 0 && S_ISDIR(info.st_mode)) {
        if (depth < CHECK_DEPTH_MAX) {
            check_folder(checking, path, depth);
        } else {
            report(checking, path, 1, 1, true, VIEW("the folders are nested too deep"), VIEW(""));
        }
    } else if (named || (S_ISREG(info.st_mode) &&
                         (view_ends(name, VIEW(".dg")) || view_ends(name, VIEW(".deluge")) || view_ends(name, VIEW(".ds"))))) {
        check_file(checking, path);
    }
}

int verb_check(const struct cli_args *args)
{
    struct checking checking = {.strict = cli_flag(args, "--strict") != NULL, .json = cli_flag(args, "--json") != NULL};
    heap_init(&checking.heap, 1U << 30, NULL);
    checking.found = value_list(&checking.heap, 16);
    for (int i = 0; i < args->word_count && checking.found.type == VALUE_LIST; i++) {
        check_path(&checking, args->words[i], true, 0);
    }
    if (checking.json) {
        cli_print_json(checking.found);
    }
    heap_free(&checking.heap);
    return checking.errors ? CLI_FAILED : CLI_OK;
}
