// SPDX-License-Identifier: Apache-2.0
//
// Sets of files and the packages in them, wherever they came from: paths that lead out, paths that are there twice, where an error stands,
// what whoever publishes may say instead of a manifest.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ext/ext.h"

static struct ext_files *set;

static int open_set(void **state)
{
    (void)state;
    set = ext_files_new();
    return set ? 0 : -1;
}

static int close_set(void **state)
{
    (void)state;
    ext_files_free(set);
    return 0;
}

static void add(const char *path, const char *text)
{
    struct fail fail = {0};
    if (!ext_files_add(set, view_of(path), view_of(text), &fail)) {
        fail_msg("%s: %s", path, fail.text);
    }
}

static void sort(void)
{
    struct fail fail = {0};
    assert_true(ext_files_sort(set, &fail));
}

// ---- the set ------------------------------------------------------------------------------------

static void paths_that_lead_out_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {"",   "/a",   "..",  "../a", "a/../b", "a/..", ".",     "a/./b", "a//b",
                                        "a/", "a\\b", "C:a", "a\nb", "a\x7f",  "\xff", "a\xc3", "./a",   "//a"};
    for (size_t i = 0; i < BASE_COUNT(paths); i++) {
        struct fail fail = {0};
        if (ext_files_add(set, view_of(paths[i]), VIEW("x"), &fail)) {
            fail_msg("%s was taken", paths[i]);
        }
        assert_int_equal(fail.code, FAIL_INVALID_DATA);
    }
    struct fail fail = {0};
    assert_false(ext_files_add(set, (struct view){"a\0b", 3}, VIEW("x"), &fail));
    assert_int_equal(set->count, 0);
}

static void usual_paths_are_taken(void **state)
{
    (void)state;
    add("a", "1");
    add("a.b/c d/\xc3\xa4..txt", "2");
    add("a.b/...", "3");
    sort();
    assert_int_equal(set->count, 3);
    const struct ext_file *file = ext_files_find(set, VIEW("a.b/..."));
    assert_non_null(file);
    assert_string_equal(file->bytes.data, "3");
    assert_null(ext_files_find(set, VIEW("a.b")));
    assert_null(ext_files_find(set, VIEW("")));
}

static void a_path_is_there_once(void **state)
{
    (void)state;
    struct fail fail = {0};
    add("app/a.txt", "1");
    add("App/A.txt", "2");
    assert_false(ext_files_sort(set, &fail));
    assert_non_null(strstr(fail.text, "also as App/A.txt"));
    assert_string_equal(fail.file, "app/a.txt");
}

static void bytes_have_a_limit(void **state)
{
    (void)state;
    static char big[EXT_ASSET_BYTES_MAX + 1];
    struct fail fail = {0};
    assert_false(ext_files_add(set, VIEW("a"), (struct view){big, sizeof big}, &fail));
    assert_non_null(strstr(fail.text, "larger than"));
    char path[16];
    bool all = true;
    for (int i = 0; i < 8 && all; i++) {
        snprintf(path, sizeof path, "a%d", i);
        all = ext_files_add(set, view_of(path), (struct view){big, EXT_ASSET_BYTES_MAX}, &fail);
    }
    assert_false(all);
    assert_non_null(strstr(fail.text, "the extension is larger than 33554432 bytes"));
}

// ---- where an error stands ----------------------------------------------------------------------

static void expect_place(const char *text, const char *message, int line, int column)
{
    struct fail fail = {.file = "extension.json"};
    snprintf(fail.text, sizeof fail.text, "%s", message);
    set->count = 0;
    add("extension.json", text);
    sort();
    ext_files_locate(set, &fail);
    assert_int_equal(fail.line, line);
    assert_int_equal(fail.column, column);
}

static void errors_have_a_line(void **state)
{
    (void)state;
    expect_place("{\"x\":1}", "\"x\" is wrong", 1, 2);
    expect_place("{\n  \"name\": \"x\",\n \"x\": 1}", "\"x\" is wrong", 2, 11); // a value rather than a name
    expect_place("{\n \"x\" : 1,\n \"x\": 2}", "\"x\" is wrong", 2, 2);
    expect_place("{\"\xc3\xa4\xc3\xb6\":\"x\"}", "\"x\" is wrong", 1, 7); // characters, not bytes
    expect_place("{\"b\":1}", "\"a\" of \"b\" is wrong", 1, 2); // the first that stands there
    expect_place("{\"b\":1}", "nothing is quoted", 0, 0);
    expect_place("{\"b\":1}", "an open \"b", 0, 0);
    expect_place("{\"b\":1}", "\"a\" is missing", 0, 0);
    expect_place("", "\"a\" is missing", 0, 0);
}

// ---- packages -----------------------------------------------------------------------------------

static struct ext_package *parse(const struct ext_defaults *defaults)
{
    struct ext_package *package;
    struct fail fail = {0};
    sort();
    if (!ext_package_parse(set, VIEW("test"), defaults, &package, &fail)) {
        fail_msg("%s: %s", fail.file, fail.text);
    }
    return package;
}

static void expect_view(struct view got, const char *wanted)
{
    if (!view_eq(got, view_of(wanted))) {
        fail_msg("%.*s is not %s", VIEW_ARGS(got), wanted);
    }
}

static void defaults_count_more_than_the_manifest(void **state)
{
    (void)state;
    add("extension.json", "{\"name\":\"Name\",\"namespace\":\"ext\",\"version\":\"1.0.0\"}");
    const struct ext_defaults said = {.name = VIEW("Other"), .namespace = VIEW("other"), .version = VIEW("2.0.0")};
    struct ext_package *package = parse(&said);
    expect_view(package->name, "Name");
    expect_view(package->namespace, "other");
    expect_view(package->version, "2.0.0");
    ext_package_free(package);
    package = parse(NULL);
    expect_view(package->namespace, "ext");
    expect_view(package->version, "1.0.0");
    ext_package_free(package);
}

static void a_toolkit_package_needs_a_namespace(void **state)
{
    (void)state;
    struct ext_package *package;
    struct fail fail = {0};
    add("app/a.html", "x");
    add("app/sub/b.html", "x");
    add("app/server/c.html", "x");
    add("app/server/source/2/two.dre", "return 2;");
    add("app/server/source/10/ten.dre", "return 10;");
    add("app/server/source/10/deep/no.dre", "return 10;");
    add("crm/functions/o/o.pulled.ds", "return 3;");
    sort();
    assert_false(ext_package_parse(set, VIEW("test"), NULL, &package, &fail));
    assert_string_equal(fail.file, "extension.json");
    const struct ext_defaults said = {.namespace = VIEW("bare")};
    package = parse(&said);
    expect_view(package->name, "bare");
    expect_view(package->version, "1.0.0");
    assert_int_equal(package->widgets.list->count, 2);
    assert_int_equal(package->function_count, 2);
    expect_view(package->functions[0].api_name, "ten");
    expect_view(package->functions[1].api_name, "pulled");
    ext_package_free(package);
}

static void modules_know_their_files(void **state)
{
    (void)state;
    add("extension.json", "{\"name\":\"Name\",\"namespace\":\"ext\",\"version\":\"1.0.0\"}");
    add("modules/b.json", "{\"api_name\":\"B\"}");
    add("modules/a.json", "{\"api_name\":\"A\"}");
    add("modules/deep/x.json", "{}");
    add("modules/readme.md", "x");
    struct ext_package *package = parse(NULL);
    assert_int_equal(package->modules.list->count, 2);
    assert_int_equal(package->module_files.list->count, 2);
    expect_view(value_view(package->module_files.list->items[0]), "modules/a.json");
    expect_view(value_view(package->module_files.list->items[1]), "modules/b.json");
    ext_package_free(package);
}

static void note_mistake(void *arg, const struct fail *fail)
{
    buffer_printf(arg, "%s: %s\n", fail->file, fail->text);
}

static void reading_goes_on_after_mistakes(void **state)
{
    (void)state;
    struct buffer told;
    buffer_init(&told, 65536);
    const struct ext_defaults defaults = {.mistake = note_mistake, .arg = &told};
    add("extension.json",
        "{\"name\":\"Name\",\"namespace\":\"ext\",\"version\":\"1.0.0\",\"signals\":{},"
        "\"functions\":[1,{\"api_name\":\"gone\",\"file\":\"gone.dg\"},{\"api_name\":\"there\",\"file\":\"functions/a.dg\"}],"
        "\"variables\":[{\"api_name\":\"a\"},{\"api_name\":\"A\"},{\"api_name\":\"b\",\"type\":\"no\"},{\"api_name\":\"c\"}],"
        "\"widgets\":[{\"name\":\"x\"},{\"name\":\"y\",\"url\":\"app/y.html\"}]}");
    add("functions/a.dg", "return 1;");
    add("functions/b.dg", "\xff");
    add("modules/a.json", "{");
    add("modules/b.json", "{\"api_name\":\"B\"}");
    add("install/on_update.dg", "\xff");
    struct ext_package *package = parse(&defaults);
    static const char *const wanted[] = {"each of \"functions\" must be an object",
                                         "\"A\" is there twice",
                                         "unknown type \"no\"",
                                         "\"signals\" must be a list",
                                         "each of \"widgets\" needs a \"url\"",
                                         "functions/b.dg: is not UTF-8",
                                         "\"gone\" names the file gone.dg",
                                         "install/on_update.dg: is not UTF-8",
                                         "modules/a.json: "};
    for (size_t i = 0; i < BASE_COUNT(wanted); i++) {
        if (!strstr(buffer_text(&told), wanted[i])) {
            fail_msg("%s is not among\n%s", wanted[i], buffer_text(&told));
        }
    }
    assert_int_equal(package->mistakes, BASE_COUNT(wanted));
    assert_int_equal(package->function_count, 1);
    assert_int_equal(package->variable_count, 2);
    assert_int_equal(package->widgets.list->count, 1);
    assert_int_equal(package->modules.list->count, 1);
    expect_view(value_view(package->module_files.list->items[0]), "modules/b.json");
    ext_package_free(package);
    buffer_free(&told);
}

#define IN_SET(test) cmocka_unit_test_setup_teardown(test, open_set, close_set)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SET(paths_that_lead_out_are_refused),
        IN_SET(usual_paths_are_taken),
        IN_SET(a_path_is_there_once),
        IN_SET(bytes_have_a_limit),
        IN_SET(errors_have_a_line),
        IN_SET(defaults_count_more_than_the_manifest),
        IN_SET(a_toolkit_package_needs_a_namespace),
        IN_SET(modules_know_their_files),
        IN_SET(reading_goes_on_after_mistakes),
    };
    return cmocka_run_group_tests_name("ext files", tests, NULL, NULL);
}
