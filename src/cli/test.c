// SPDX-License-Identifier: Apache-2.0
// `sluice test`: finds test files, runs each test on a CRM of its own, tells what failed. The last line is "N passed, N failed" (PRODUCT,
// Commands). A file that cannot be read counts as one failure; the others run all the same.
#include "cli/test.h"

#include "cli/walk.h"
#include "loop/loop.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { PATH_BYTES_MAX = 4096, JSON_BYTES_MAX = 1 << 30 };

struct testing {
    const struct cli_args *args;
    struct cli_settings settings;
    char **paths;
    int path_count, path_room;
    bool broken; // a path that could not be looked at
    const char *filter;
    bool accept, json;
    int passed, failed, accepted;
    struct store_images *images;
    struct heap heap; // of --json
    struct value results;
    int code;
};

// ---- finding files ------------------------------------------------------------------------------

static bool is_extension(const char *folder, size_t len)
{
    char path[PATH_BYTES_MAX];
    struct stat info;
    return snprintf(path, sizeof path, "%.*s%sextension.json", (int)len, folder, len ? "/" : "") < (int)sizeof path &&
           stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

// Length of `path` without its last segment; 0 when there is none before it.
static size_t parent_len(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] != '/') {
        len--;
    }
    return len > 0 ? len - 1 : 0;
}

// EXTENSION/tests/NAME.json; what lies in folders below tests/ are files that tests name.
static bool is_test(const char *path)
{
    size_t folder = parent_len(path, strlen(path)), extension = parent_len(path, folder);
    struct view name = view_slice(view_of(path), extension ? extension + 1 : 0, folder - (extension ? extension + 1 : 0));
    return view_ends(view_of(path), VIEW(".json")) && view_eq(name, VIEW("tests")) && is_extension(path, extension);
}

static void take_file(void *arg, const char *path)
{
    struct testing *testing = arg;
    while (path[0] == '.' && path[1] == '/') {
        path += 2;
    }
    for (int i = 0; i < testing->path_count; i++) {
        if (strcmp(testing->paths[i], path) == 0) {
            return;
        }
    }
    if (testing->path_count == testing->path_room) {
        int room = testing->path_room ? 2 * testing->path_room : 64;
        char **more = room > TEST_FILES_MAX * 2 ? NULL : realloc(testing->paths, (size_t)room * sizeof *more);
        if (!more) {
            testing->broken = true;
            return;
        }
        testing->paths = more;
        testing->path_room = room;
    }
    testing->paths[testing->path_count] = strdup(path);
    testing->path_count += testing->paths[testing->path_count] != NULL;
}

static void take_broken(void *arg, const char *path, const char *why)
{
    struct testing *testing = arg;
    fprintf(stderr, "sluice: %s: %s\n", path, why);
    testing->broken = true;
}

static void find_files(struct testing *testing)
{
    struct walk walk = {.file = take_file, .broken = take_broken, .takes = is_test, .arg = testing};
    for (int i = 0; i < testing->args->word_count; i++) {
        walk_path(&walk, testing->args->words[i]);
    }
    if (!testing->args->word_count) {
        walk_path(&walk, ".");
    }
}

// The nearest folder above a file that is an extension; "" is the current one.
static bool find_extension(const char *path, char ret_folder[PATH_BYTES_MAX])
{
    char real[PATH_BYTES_MAX];
    if (!realpath(path, real)) {
        return false;
    }
    for (size_t len = strlen(real); (len = parent_len(real, len)) > 0;) {
        if (is_extension(real, len)) {
            snprintf(ret_folder, PATH_BYTES_MAX, "%.*s", (int)len, real);
            return true;
        }
    }
    return false;
}

// ---- running ------------------------------------------------------------------------------------

static bool has_nocase(struct view text, struct view part)
{
    for (size_t i = 0; i + part.len <= text.len; i++) {
        if (view_eq_nocase(view_slice(text, i, part.len), part)) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct testing *testing, const struct test_case *test)
{
    struct view filter = view_of(testing->filter), function = cli_text(test->own, "function");
    function = function.len ? function : cli_text(test->file->root, "function");
    return !filter.len || has_nocase(test->name, filter) || has_nocase(function, filter);
}

// False: the others need not be run.
static bool run_test(struct testing *testing, const struct test_bench *bench, const struct test_case *test, struct test_edits *edits)
{
    struct test_run run;
    struct fail fail;
    test_run(&run, bench, test);
    if (loop_cancelled()) { // what it says is that it was stopped
        fprintf(stderr, "sluice: stopped in \"%.*s\"\n", VIEW_ARGS(test->name));
        test_run_close(&run);
        return false;
    }
    bool passed = run.check.count == 0;
    bool accepted = !passed && testing->accept && test_accept_add(edits, &run);
    testing->accepted += accepted;
    testing->passed += passed || accepted;
    testing->failed += !passed && !accepted;
    if (testing->json) {
        struct value shown = test_print_value(&run, &run.heap);
        list_add(&testing->heap, testing->results.list, value_copy(&testing->heap, shown, &fail));
    } else if (accepted) {
        printf("accepted %s: %.*s\n", test->file->path, VIEW_ARGS(test->name));
    } else if (!passed) {
        test_print_failure(&run);
        if (testing->accept) {
            puts("  not accepted: it failed for something that no expectation can hold");
        }
    }
    bool usable = !run.unusable;
    fflush(stdout);
    test_run_close(&run);
    return usable;
}

static void run_tests(struct testing *testing, const struct test_bench *bench, const struct test_file *file)
{
    struct test_edits edits = {0};
    struct fail fail;
    int before = testing->passed, failed = testing->failed, skipped = 0;
    bool usable = true;
    for (uint32_t i = 0; i < file->tests->count && !loop_cancelled(); i++) {
        struct test_case test = test_case_at(file, (int)i);
        if (is_wanted(testing, &test)) {
            skipped += !usable;
            usable = usable && run_test(testing, bench, &test, &edits);
        }
    }
    testing->failed += skipped;
    if (skipped && !testing->json) {
        printf("  %d test%s more of this file did not run\n", skipped, skipped == 1 ? "" : "s");
    }
    if (!test_accept_write(&edits, file, &fail)) {
        cli_failed(&fail);
        testing->failed++;
    }
    if (!testing->json && testing->passed > before && testing->failed == failed) {
        printf("ok   %s: %d test%s\n", file->path, testing->passed - before, testing->passed - before == 1 ? "" : "s");
    }
}

// "functions" stand for an extension.
static bool brings_functions(const struct test_file *file)
{
    bool brings = value_as_list(map_get_text(file->root, VIEW("functions"))) != NULL;
    for (uint32_t i = 0; i < file->tests->count; i++) {
        brings |= value_as_list(map_get_text(value_as_map(file->tests->items[i]), VIEW("functions"))) != NULL;
    }
    return brings;
}

static void run_file(struct testing *testing, const char *path)
{
    struct test_file file;
    char folder[PATH_BYTES_MAX];
    bool readable = test_file_read(&file, path, testing->json ? stderr : stdout), extension = find_extension(path, folder);
    struct test_bench bench = {.settings = &testing->settings, .extension = extension ? folder : NULL, .images = testing->images};
    if (!readable) {
        testing->failed++;
    } else if (!extension && !brings_functions(&file)) {
        test_file_error(&file, NULL, "no folder above it holds an extension.json");
        testing->failed++;
    } else {
        run_tests(testing, &bench, &file);
    }
    test_file_free(&file);
}

static void print_end(struct testing *testing)
{
    if (!testing->json) {
        if (testing->accepted) {
            printf("%d accepted\n", testing->accepted);
        }
        printf("%d passed, %d failed\n", testing->passed, testing->failed);
        return;
    }
    struct value map = value_map(&testing->heap, 3);
    if (map.type == VALUE_MAP) {
        map_put_text(&testing->heap, map.map, VIEW("passed"), value_number(testing->passed));
        map_put_text(&testing->heap, map.map, VIEW("failed"), value_number(testing->failed));
        map_put_text(&testing->heap, map.map, VIEW("tests"), testing->results);
        cli_print_json(map);
    }
}

static void test_on_loop(void *arg)
{
    struct testing *testing = arg;
    heap_init(&testing->heap, JSON_BYTES_MAX, NULL);
    testing->images = store_images_new();
    testing->results = value_list(&testing->heap, 64);
    for (int i = 0; i < testing->path_count && !loop_cancelled(); i++) {
        run_file(testing, testing->paths[i]);
    }
    print_end(testing);
    testing->code = testing->failed || testing->broken || loop_cancelled() ? CLI_FAILED : CLI_OK;
    heap_free(&testing->heap);
    store_images_free(testing->images);
    loop_stop();
}

static int run_all(struct testing *testing)
{
    struct fail fail;
    find_files(testing);
    if (!testing->path_count) {
        return cli_usage_error(testing->args, "there are no tests here: a test file is EXTENSION/tests/NAME.json (see docs/testing.md)");
    }
    if (!loop_start(1, &fail) || !loop_run(test_on_loop, testing, &fail)) {
        return cli_failed(&fail);
    }
    if (testing->filter && testing->passed + testing->failed == 0 &&
        testing->code == CLI_OK) { // a misspelt word must not look like success
        return cli_usage_error(testing->args, "no test has \"%s\" in its name or function", testing->filter);
    }
    return testing->code;
}

int verb_test(const struct cli_args *args)
{
    struct fail fail;
    struct testing *testing = calloc(1, sizeof *testing);
    if (!testing) {
        return CLI_FAILED;
    }
    if (!settings_load(args, false, &testing->settings, &fail)) {
        free(testing);
        return cli_failed(&fail);
    }
    testing->args = args;
    testing->filter = cli_flag(args, "--filter");
    testing->accept = cli_flag(args, "--accept") != NULL;
    testing->json = cli_flag(args, "--json") != NULL;
    int code = run_all(testing);
    for (int i = 0; i < testing->path_count; i++) {
        free(testing->paths[i]);
    }
    free(testing->paths);
    settings_free(&testing->settings);
    free(testing);
    return code;
}
