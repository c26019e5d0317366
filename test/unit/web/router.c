// SPDX-License-Identifier: Apache-2.0
//
// Which row a path finds, over a small table of the same shapes as the real one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "web/room.h"

static const struct web_route rows[] = {
    {.methods = WEB_ANY, .pattern = "/crm/v{N}/functions/{api_name}/actions/execute"},
    {.methods = WEB_GET, .pattern = "/things"},
    {.methods = WEB_POST, .pattern = "/things"},
    {.methods = WEB_GET, .pattern = "/things/{name}"},
};

struct found {
    int row; // -1: none
    enum fail_code code;
    char param[64], text[64];
    unsigned allowed;
    bool sandbox;
};

static struct found find(const char *method, const char *raw)
{
    struct arena arena;
    struct router_path path;
    struct router_match match = {0};
    struct fail fail = {0};
    struct found found = {.row = -1};
    arena_init(&arena, 1 << 16);
    if (router_path_read(&arena, view_of(raw), &path, &fail)) {
        found.sandbox = router_path_cut_sandbox(&path);
        if (router_find(rows, BASE_COUNT(rows), &path, view_of(method), &match, &fail)) {
            found.row = (int)(match.route - rows);
            snprintf(found.param, sizeof found.param, "%.*s", VIEW_ARGS(match.params[0]));
        }
        found.allowed = match.allowed;
        snprintf(found.text, sizeof found.text, "%.*s", VIEW_ARGS(path.text));
    }
    found.code = fail.code;
    arena_free(&arena);
    return found;
}

static void every_version_from_2_is_a_function_url(void **state)
{
    (void)state;
    static const char *const good[] = {"v2", "v7", "v8", "v2.1", "v10", "v99.12"}, *const bad[] = {"v1",   "v0", "v",  "v02",    "v2.",
                                                                                                   "v2.x", "2",  "V2", "v2.1.1", "v1000"};
    char path[96];
    for (size_t i = 0; i < BASE_COUNT(good); i++) {
        snprintf(path, sizeof path, "/crm/%s/functions/ns__fn/actions/execute", good[i]);
        struct found found = find("DELETE", path);
        assert_int_equal(found.row, 0);
        assert_string_equal(found.param, "ns__fn");
    }
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        snprintf(path, sizeof path, "/crm/%s/functions/ns__fn/actions/execute", bad[i]);
        assert_int_equal(find("GET", path).code, FAIL_URL_PATTERN);
    }
}

static void other_paths_are_unknown(void **state)
{
    (void)state;
    static const char *const paths[] = {"/",
                                        "/thing",
                                        "/things/",
                                        "/things/a/",
                                        "//things",
                                        "/./things",
                                        "/things/../things",
                                        "/Things",
                                        "/crm/v2/functions//actions/execute",
                                        "/crm/v2/functions/a/actions/execute/",
                                        "/crm/v2/functions/a/b/actions/execute",
                                        "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"};
    for (size_t i = 0; i < BASE_COUNT(paths); i++) {
        struct found found = find("GET", paths[i]);
        assert_int_equal(found.row, -1);
        assert_int_equal(found.code, FAIL_URL_PATTERN);
    }
}

static void escapes_stay_inside_their_segment(void **state)
{
    (void)state;
    struct found found = find("GET", "/thi%6Egs/a%2Fb%2e%20%C3%A4");
    assert_int_equal(found.row, 3);
    assert_string_equal(found.param, "a/b. \xc3\xa4");
    assert_string_equal(found.text, "/things/a/b. \xc3\xa4");
    assert_int_equal(find("GET", "/crm%2Fv2/functions/a/actions/execute").row, -1);
}

static void bad_escapes_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {"/things/%", "/things/%4", "/things/%zz", "/things/%4g", "/things/%00", "/things/a%0/b"};
    for (size_t i = 0; i < BASE_COUNT(paths); i++) {
        assert_int_equal(find("GET", paths[i]).code, FAIL_BAD_REQUEST);
    }
}

static void methods_choose_the_row_or_are_told(void **state)
{
    (void)state;
    assert_int_equal(find("GET", "/things").row, 1);
    assert_int_equal(find("HEAD", "/things").row, 1);
    assert_int_equal(find("POST", "/things").row, 2);
    assert_int_equal(find("OPTIONS", "/things").row, 1);
    struct found found = find("DELETE", "/things");
    assert_int_equal(found.code, FAIL_METHOD);
    assert_int_equal(found.allowed, WEB_GET | WEB_POST);
    assert_int_equal(find("TRACE", "/crm/v2/functions/a/actions/execute").code, FAIL_METHOD);
    assert_int_equal(find("BREW", "/crm/v2/functions/a/actions/execute").row, 0);
}

static void sandbox_is_cut_from_the_front_once(void **state)
{
    (void)state;
    struct found found = find("GET", "/sandbox/things");
    assert_true(found.sandbox && found.row == 1);
    assert_int_equal(find("GET", "/sandbox/sandbox/things").row, -1);
    assert_false(find("GET", "/things").sandbox);
    assert_false(find("GET", "/sandbox").sandbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_from_2_is_a_function_url), cmocka_unit_test(other_paths_are_unknown),
        cmocka_unit_test(escapes_stay_inside_their_segment),      cmocka_unit_test(bad_escapes_are_refused),
        cmocka_unit_test(methods_choose_the_row_or_are_told),     cmocka_unit_test(sandbox_is_cut_from_the_front_once),
    };
    return cmocka_run_group_tests_name("web/router", tests, NULL, NULL);
}
