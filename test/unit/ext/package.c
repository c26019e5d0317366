// SPDX-License-Identifier: Apache-2.0
//
// Folders from strangers: each way in which extension.json can be wrong, links and devices in the place of files, limits, names that fall
// together.
#include "../store/store_test.h"

#include "ext/ext.h"

#include <fcntl.h>

static char folder[600];

static int make_extension(void **state)
{
    if (make_folder(state) != 0) {
        return -1;
    }
    snprintf(folder, sizeof folder, "%s/ext", test_folder);
    return mkdir(folder, 0700);
}

static void put(const char *path, const char *text, size_t len)
{
    char full[1024];
    snprintf(full, sizeof full, "%s/%s", folder, path);
    for (char *slash = full + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *file = fopen(full, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
}

static void put_text(const char *path, const char *text)
{
    put(path, text, strlen(text));
}

static void put_manifest(const char *more)
{
    char text[4096];
    snprintf(text, sizeof text, "{\"name\":\"Twilio\",\"namespace\":\"twilioext\",\"version\":\"1.0.0\"%s}", more);
    put_text("extension.json", text);
}

static bool reads(struct fail *fail)
{
    struct ext_package *package;
    fail_clear(fail);
    if (!ext_package_read(folder, &package, fail)) {
        return false;
    }
    ext_package_free(package);
    return true;
}

static void assert_refused(const char *file, const char *why)
{
    struct fail fail;
    assert_false(reads(&fail));
    assert_int_equal(fail.code, FAIL_INVALID_DATA);
    assert_string_equal(fail.file, file);
    if (!strstr(fail.text, why)) {
        assert_string_equal(fail.text, why);
    }
}

static void assert_reads(void)
{
    struct fail fail;
    if (!reads(&fail)) {
        assert_string_equal(fail.text, "");
    }
}

// ---- extension.json -----------------------------------------------------------------------------

static void the_smallest_extension_reads(void **state)
{
    (void)state;
    put_manifest("");
    assert_reads();
}

static void a_manifest_that_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"", ""}, {"[]", "JSON object"}, {"{\"name\":", ""}, {"{}", "\"name\" is missing"}, {"{\"name\":\"  \"}", "\"name\" is missing"}};
    for (size_t i = 0; i < BASE_COUNT(texts); i++) {
        put_text("extension.json", texts[i][0]);
        assert_refused("extension.json", texts[i][1]);
    }
    put("extension.json", "{\"name\":\"\xff\"}", 12);
    assert_refused("extension.json", "not UTF-8");
}

static void a_json_error_says_where(void **state)
{
    (void)state;
    struct fail fail;
    put_text("extension.json", "{\n  \"name\": oops\n}");
    assert_false(reads(&fail));
    assert_int_equal(fail.line, 2);
    assert_true(fail.column > 1);
}

static void a_namespace_cannot_reach_into_another(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "a__b", "a_", "_a", "1a", "a.b", "a-b", "a b", "../x", "\xc3\xa4", "standalone", "Zoho"};
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"name\":\"N\",\"namespace\":\"%s\",\"version\":\"1.0.0\"}", bad[i]);
        put_text("extension.json", text);
        assert_refused("extension.json", "namespace");
    }
    char text[300];
    snprintf(text, sizeof text, "{\"name\":\"N\",\"namespace\":\"%064d\",\"version\":\"1.0.0\"}", 0);
    text[strlen("{\"name\":\"N\",\"namespace\":\"")] = 'a';
    put_text("extension.json", text);
    assert_refused("extension.json", "namespace");
    put_text("extension.json", "{\"name\":\"N\",\"namespace\":\"a_b\",\"version\":\"1.0.0\"}");
    assert_reads();
}

static void a_version_looks_like_one(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "x", "1.0.0/..", "1 0", "12345678901234567890123456789012345"};
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"name\":\"N\",\"namespace\":\"a\",\"version\":\"%s\"}", bad[i]);
        put_text("extension.json", text);
        assert_refused("extension.json", "\"version\" must look like 1.0.0");
    }
}

static void members_of_the_wrong_kind_are_refused(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {",\"portal\":1", "\"portal\" must be text"},
        {",\"functions\":{}", "\"functions\" must be a list"},
        {",\"functions\":[1]", "must be an object"},
        {",\"functions\":[{\"file\":\"functions/f.dg\"}]", "\"api_name\""},
        {",\"functions\":[{\"api_name\":\"f\"}]", "\"file\""},
        {",\"functions\":[{\"api_name\":\"f g\",\"file\":\"functions/f.dg\"}]", "\"api_name\""},
        {",\"functions\":[{\"api_name\":\"f\",\"file\":\"functions/f.dg\",\"version\":\"3.0\"}]", "must be \"1.0\" or \"2.0\""},
        {",\"functions\":[{\"api_name\":\"f\",\"file\":\"functions/f.dg\",\"version\":2}]", "\"version\" must be text"},
        {",\"functions\":[{\"api_name\":\"f\",\"file\":\"functions/f.dg\",\"rest_api\":{\"apikey\":\"no\"}}]", "true or false"},
        {",\"functions\":[{\"api_name\":\"f\",\"file\":\"functions/f.dg\",\"arguments\":{}}]", "\"arguments\" must be a list"},
        {",\"functions\":[{\"api_name\":\"f\",\"file\":\"functions/f.dg\",\"arguments\":[{\"type\":\"int\"}]}]", "argument 1"},
        {",\"variables\":{}", "\"variables\" must be a list"},
        {",\"variables\":[7]", "must be an object"},
        {",\"variables\":[{\"api_name\":\"a b\"}]", "\"api_name\""},
        {",\"variables\":[{\"api_name\":\"a\",\"secret\":1}]", "true or false"},
        {",\"variables\":[{\"api_name\":\"a\"},{\"api_name\":\"twilioext__A\"}]", "is there twice"},
        {",\"signals\":7", "\"signals\" must be a list"},
        {",\"signals\":[{}]", "\"signals\" needs"},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        put_manifest(rows[i][0]);
        assert_refused("extension.json", rows[i][1]);
    }
}

static void deep_json_is_an_error(void **state)
{
    (void)state;
    static char deep[200002];
    memset(deep, '[', sizeof deep - 2);
    put_text("extension.json", deep);
    assert_refused("extension.json", "");
    put_manifest("");
    put_text("modules/deep.json", deep);
    struct fail fail;
    assert_false(reads(&fail));
    assert_string_equal(fail.file, "modules/deep.json");
}

// ---- files --------------------------------------------------------------------------------------

static void functions_lie_inside_the_folder(void **state)
{
    (void)state;
    static const char *const bad[] = {"/etc/passwd", "../secret.dg", "functions/../../secret.dg", ".."};
    char secret[700];
    snprintf(secret, sizeof secret, "%s/secret.dg", test_folder);
    FILE *file = fopen(secret, "w");
    assert_non_null(file);
    fclose(file);
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        char more[300];
        snprintf(more, sizeof more, ",\"functions\":[{\"api_name\":\"f\",\"file\":\"%s\"}]", bad[i]);
        put_manifest(more);
        assert_refused("extension.json", "must lie inside the extension");
    }
}

static void a_function_needs_its_file(void **state)
{
    (void)state;
    put_manifest(",\"functions\":[{\"api_name\":\"f\",\"file\":\"functions/f.dg\"}]");
    assert_refused("extension.json", "which is not there");
}

static void make_link(const char *to, const char *path)
{
    char full[1024];
    snprintf(full, sizeof full, "%s/%s", folder, path);
    assert_int_equal(symlink(to, full), 0);
}

static void links_are_not_followed(void **state)
{
    (void)state;
    put_manifest("");
    put_text("functions/good.dg", "info 1;");
    make_link("/etc/passwd", "functions/passwd.dg");
    assert_refused("functions/passwd.dg", "link");
}

static void a_linked_folder_is_not_followed(void **state)
{
    (void)state;
    put_manifest("");
    make_link("/etc", "functions");
    struct fail fail;
    assert_false(reads(&fail));
    assert_string_equal(fail.file, "functions");
}

static void a_function_below_a_linked_folder_is_not_read(void **state)
{
    (void)state;
    char outside[700], full[800];
    snprintf(outside, sizeof outside, "%s/outside", test_folder);
    assert_int_equal(mkdir(outside, 0700), 0);
    snprintf(full, sizeof full, "%s/f.dg", outside);
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fclose(file);
    make_link(outside, "lib");
    put_manifest(",\"functions\":[{\"api_name\":\"f\",\"file\":\"lib/f.dg\"}]");
    assert_refused("lib/f.dg", "link");
}

static void a_linked_manifest_is_not_followed(void **state)
{
    (void)state;
    make_link("/etc/passwd", "extension.json");
    assert_refused("extension.json", "link");
}

static void pipes_and_folders_are_no_files(void **state)
{
    (void)state;
    char full[1024];
    put_manifest("");
    put_text("functions/good.dg", "info 1;");
    snprintf(full, sizeof full, "%s/functions/pipe.dg", folder);
    assert_int_equal(mkfifo(full, 0600), 0);
    assert_refused("functions/pipe.dg", "not a plain file");
    unlink(full);
    assert_int_equal(mkdir(full, 0700), 0);
    assert_refused("functions/pipe.dg", "not a plain file");
}

static void a_huge_file_is_refused(void **state)
{
    (void)state;
    char full[1024];
    put_manifest("");
    put_text("functions/huge.dg", "info 1;");
    snprintf(full, sizeof full, "%s/functions/huge.dg", folder);
    assert_int_equal(truncate(full, (off_t)1 << 40), 0); // sparse
    assert_refused("functions/huge.dg", "is larger than");
}

static void many_files_are_refused(void **state)
{
    (void)state;
    put_manifest("");
    put_text("functions/a.dg", "info 1;");
    char from[1024], to[1024];
    snprintf(from, sizeof from, "%s/functions/a.dg", folder);
    for (int i = 0; i <= EXT_FILES_MAX; i++) {
        snprintf(to, sizeof to, "%s/functions/f%d.dg", folder, i);
        assert_int_equal(link(from, to), 0);
    }
    assert_refused("functions", "has more than");
}

static void a_source_is_utf8(void **state)
{
    (void)state;
    put_manifest("");
    put_text("functions/latin.dg", "info \"\xe4\";");
    assert_refused("functions/latin.dg", "not UTF-8");
}

static void a_folder_without_manifest_is_none(void **state)
{
    (void)state;
    struct fail fail;
    assert_refused("extension.json", "is not there");
    struct ext_package *package;
    fail_clear(&fail);
    assert_false(ext_package_read("/dev/null", &package, &fail));
    assert_non_null(strstr(fail.text, "is not a folder"));
    assert_false(ext_package_read("/no/such/folder", &package, &fail));
}

// ---- names and secrets --------------------------------------------------------------------------

static bool names_are_good(const char *first, const char *second, struct fail *fail)
{
    struct ext_package *package;
    char more[400];
    put_text("functions/a.dg", "info 1;");
    put_text("functions/b.dg", "info 1;");
    snprintf(more, sizeof more,
             ",\"functions\":[{\"api_name\":\"%s\",\"file\":\"functions/a.dg\"},{\"api_name\":\"%s\",\"file\":\"functions/b.dg\"}]", first,
             second);
    put_manifest(more);
    fail_clear(fail);
    bool ok = ext_package_read(folder, &package, fail);
    assert_true(ok);
    ok = ext_package_check_names(package, fail);
    ext_package_free(package);
    return ok;
}

static void names_that_fall_together_are_refused(void **state)
{
    (void)state;
    struct fail fail;
    assert_true(names_are_good("one", "two", &fail));
    assert_false(names_are_good("one", "ONE", &fail));
    assert_non_null(strstr(fail.text, "already in functions/a.dg"));
    assert_false(names_are_good("one", "twilioext.one", &fail));
    assert_false(names_are_good("one", "twilioext__one", &fail));
}

static void a_secrets_value_in_the_manifest_is_not_kept(void **state)
{
    (void)state;
    struct ext_package *package;
    struct fail fail;
    struct buffer text;
    put_manifest(
        ",\"variables\":[{\"api_name\":\"token\",\"secret\":true,\"value\":\"hunter2\"},{\"api_name\":\"open\",\"value\":\"seen\"}]");
    fail_clear(&fail);
    assert_true(ext_package_read(folder, &package, &fail));
    buffer_init(&text, 65536);
    assert_true(json_write(&text, package->manifest, NULL, &fail));
    assert_null(strstr(buffer_text(&text), "hunter2"));
    assert_non_null(strstr(buffer_text(&text), "seen"));
    buffer_free(&text);
    ext_package_free(package);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_extension, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_smallest_extension_reads),
        IN_FOLDER(a_manifest_that_is_no_object_is_refused),
        IN_FOLDER(a_json_error_says_where),
        IN_FOLDER(a_namespace_cannot_reach_into_another),
        IN_FOLDER(a_version_looks_like_one),
        IN_FOLDER(members_of_the_wrong_kind_are_refused),
        IN_FOLDER(deep_json_is_an_error),
        IN_FOLDER(functions_lie_inside_the_folder),
        IN_FOLDER(a_function_needs_its_file),
        IN_FOLDER(links_are_not_followed),
        IN_FOLDER(a_linked_folder_is_not_followed),
        IN_FOLDER(a_function_below_a_linked_folder_is_not_read),
        IN_FOLDER(a_linked_manifest_is_not_followed),
        IN_FOLDER(pipes_and_folders_are_no_files),
        IN_FOLDER(a_huge_file_is_refused),
        IN_FOLDER(many_files_are_refused),
        IN_FOLDER(a_source_is_utf8),
        IN_FOLDER(a_folder_without_manifest_is_none),
        IN_FOLDER(names_that_fall_together_are_refused),
        IN_FOLDER(a_secrets_value_in_the_manifest_is_not_kept),
    };
    return cmocka_run_group_tests_name("ext package", tests, NULL, NULL);
}
