// SPDX-License-Identifier: Apache-2.0
//
// Changes of an extension.json: what somebody has written stays as it stands.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ext/ext.h"

static struct buffer out;
static struct fail fail;

static void expect(bool good, const char *wanted, int line)
{
    if (!good) {
        fail_msg("line %d: %s", line, fail.text);
    }
    if (strcmp(buffer_text(&out), wanted) != 0) {
        fail_msg("line %d:\n got  %s\n want %s", line, buffer_text(&out), wanted);
    }
    buffer_reset(&out);
}
#define EXPECT(good, wanted) expect((good), (wanted), __LINE__)

static bool set_version(const char *text)
{
    return ext_manifest_set_version(view_of(text), VIEW("2.0.0"), &out, &fail);
}

static bool put_function(const char *text, const char *name, enum ext_access apikey, enum ext_access oauth)
{
    const struct ext_manifest_function function = {view_of(name), VIEW("functions/f.dg"), apikey, oauth};
    return ext_manifest_put_function(view_of(text), &function, &out, &fail);
}

static bool put_variable(const char *text, bool secret)
{
    const struct ext_variable variable = {VIEW("v"), VIEW("The V"), VIEW("text"), VIEW("x\"y"), .secret = secret};
    return ext_manifest_put_variable(view_of(text), &variable, &out, &fail);
}

static void version(void **state)
{
    (void)state;
    EXPECT(set_version("{\n  \"name\": \"N\",\n  \"version\" :  \"1.0.0\" ,\n  \"x\": [ 1 ]\n}\n"),
           "{\n  \"name\": \"N\",\n  \"version\" :  \"2.0.0\" ,\n  \"x\": [ 1 ]\n}\n");
    EXPECT(set_version("{\n\t\"name\": \"version\"\n}"), "{\n\t\"name\": \"version\",\n\t\"version\": \"2.0.0\"\n}");
    EXPECT(set_version("{\"a\":1,\"version\":\"1\",\"version\":\"1.5.0\"}"), "{\"a\":1,\"version\":\"1\",\"version\":\"2.0.0\"}");
    EXPECT(set_version("{}"), "{ \"version\": \"2.0.0\" }");
}

static void functions(void **state)
{
    (void)state;
    EXPECT(put_function("{ \"namespace\": \"n\" }", "f", EXT_ACCESS_OFF, EXT_ACCESS_KEEP),
           "{ \"namespace\": \"n\", \"functions\": [ { \"api_name\": \"f\", \"file\": \"functions/f.dg\", \"rest_api\": { \"apikey\": "
           "false } } ] }");
    EXPECT(put_function(
               "{\"functions\":[\n  {\"api_name\":\"f\",\"file\":\"functions/f.dg\",\"rest_api\":{\"apikey\":true,\"oauth\":false}}\n]}",
               "f", EXT_ACCESS_KEEP, EXT_ACCESS_ON),
           "{\"functions\":[\n  {\"api_name\":\"f\",\"file\":\"functions/f.dg\",\"rest_api\":{\"apikey\":true,\"oauth\":true}}\n]}");
    EXPECT(put_function("{\"functions\":[\n  {\"api_name\":\"g\",\"file\":\"g.dg\"}\n]}", "f", EXT_ACCESS_KEEP, EXT_ACCESS_KEEP),
           "{\"functions\":[\n  {\"api_name\":\"g\",\"file\":\"g.dg\"},\n  { \"api_name\": \"f\", \"file\": \"functions/f.dg\" }\n]}");
    const char *named = "{\"namespace\":\"n\",\"functions\":[{\"api_name\":\"N__F\",\"file\":\"x.dg\"}]}";
    EXPECT(put_function(named, "f", EXT_ACCESS_KEEP, EXT_ACCESS_KEEP), named);
}

static void dropped(void **state)
{
    (void)state;
    const char *three = "{\"functions\": [\n  {\"file\":\"a\"},\n  {\"file\":\"b\"},\n  {\"file\":\"c\"}\n]}";
    EXPECT(ext_manifest_drop_function(view_of(three), VIEW("a"), &out, &fail),
           "{\"functions\": [\n  {\"file\":\"b\"},\n  {\"file\":\"c\"}\n]}");
    EXPECT(ext_manifest_drop_function(view_of(three), VIEW("b"), &out, &fail),
           "{\"functions\": [\n  {\"file\":\"a\"},\n  {\"file\":\"c\"}\n]}");
    EXPECT(ext_manifest_drop_function(view_of(three), VIEW("c"), &out, &fail),
           "{\"functions\": [\n  {\"file\":\"a\"},\n  {\"file\":\"b\"}\n]}");
    EXPECT(ext_manifest_drop_function(view_of(three), VIEW("d"), &out, &fail), three);
    EXPECT(ext_manifest_drop_function(VIEW("{}"), VIEW("d"), &out, &fail), "{}");
    EXPECT(ext_manifest_drop_variable(VIEW("{\"variables\":[ {\"api_name\":\"v\"} ]}"), VIEW("V"), &out, &fail), "{\"variables\":[]}");
}

static void variables(void **state)
{
    (void)state;
    EXPECT(put_variable("{\"variables\":[{\"api_name\":\"n\"}]}", false),
           "{\"variables\":[{\"api_name\":\"n\"},{ \"api_name\": \"v\", \"field_name\": \"The V\", \"type\": \"text\", \"value\": "
           "\"x\\\"y\", \"secret\": false }]}");
    EXPECT(
        put_variable("{\"variables\":[{\"value\":\"old\",\"api_name\":\"V\",\"extra\":1}]}", true),
        "{\"variables\":[{\"value\":\"\",\"api_name\":\"V\",\"extra\":1,\"field_name\": \"The V\",\"type\": \"text\",\"secret\": true}]}");
}

static void refusals(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "[]", "5", "{", "{\"version\":}", "{\"functions\":5,\"variables\":{}} x", "null"};
    for (size_t i = 0; i < BASE_COUNT(texts); i++) {
        assert_false(set_version(texts[i]));
        assert_int_equal(fail.code, FAIL_INVALID_DATA);
        assert_string_equal(fail.file, "extension.json");
    }
    assert_false(put_function("{\"functions\":5}", "f", EXT_ACCESS_ON, EXT_ACCESS_ON));
    assert_string_equal(fail.text, "\"functions\" must be a list");
    assert_false(put_variable("{\"variables\":{}}", false));
    assert_int_equal(out.len, 0);
}

static void layout(void **state)
{
    (void)state;
    static const struct {
        const char *json, *wanted;
    } rows[] = {
        {"{}", "{}\n"},
        {"{\"a\":1}", "{\n  \"a\": 1\n}\n"},
        {"{\"a\":[],\"b\":{\"c\":[1,{}],\"d\":null}}", "{\n  \"a\": [],\n  \"b\": { \"c\": [1, {}], \"d\": null }\n}\n"},
        {"{\"f\":[{\"a\":\"x\",\"b\":[1,2]},[3,4]]}", "{\n  \"f\": [\n    { \"a\": \"x\", \"b\": [1, 2] },\n    [3, 4]\n  ]\n}\n"},
        {"{\"{[,:\":\"\\\"}],\\\\\"}", "{\n  \"{[,:\": \"\\\"}],\\\\\"\n}\n"},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        ext_object_lay_out(view_of(rows[i].json), &out);
        EXPECT(true, rows[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version),   cmocka_unit_test(functions), cmocka_unit_test(dropped),
        cmocka_unit_test(variables), cmocka_unit_test(refusals),  cmocka_unit_test(layout),
    };
    buffer_init(&out, 1 << 20);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    int code = cmocka_run_group_tests(tests, NULL, NULL);
    buffer_free(&out);
    return code;
}
