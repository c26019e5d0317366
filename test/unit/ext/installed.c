// SPDX-License-Identifier: Apache-2.0
//
// What an installation leaves in an org: ids and values that outlive upgrades, rows that come back when an action failed, secrets that are
// sealed to their place and told to their own extension only.
#include "../store/store_test.h"

#include "ext/ext.h"

struct place {
    struct store *store;
    struct store_env *env;
    struct seal *seal;
    struct fail fail;
    // what closures are asked and answer
    const struct ext_package *package;
    const char *name, *value;
    struct ext_vault vault;
    struct heap heap;
    char text[4096];
    bool found, first, dev;
    int count;
    int64_t id, before_id;
};

#define EXPECT_P(what) expect_at((what), __LINE__, #what, &p->fail)

static void open_place(struct place *p)
{
    fail_clear(&p->fail);
    p->seal = seal_open_ephemeral();
    p->vault = (struct ext_vault){.seal = p->seal, .org = "acme", .environment = "production"};
    heap_init(&p->heap, 1 << 20, NULL);
    EXPECT_P(store_open(NULL, STORE_SYNC_FULL, &p->store, &p->fail) &&
             store_env_open(p->store, "orgs/acme/production", true, ext_migrations, NULL, &p->env, &p->fail));
}

static void close_place(struct place *p)
{
    heap_free(&p->heap);
    store_close(p->store);
    seal_close(p->seal);
}

#define ON_PLACE(name, body)                                                                                                               \
    static void name##_on_fiber(void *arg)                                                                                                 \
    {                                                                                                                                      \
        struct place place = {0}, *p = &place;                                                                                             \
        (void)arg;                                                                                                                         \
        open_place(p);                                                                                                                     \
        body;                                                                                                                              \
        close_place(p);                                                                                                                    \
    }                                                                                                                                      \
    static void name(void **state)                                                                                                         \
    {                                                                                                                                      \
        (void)state;                                                                                                                       \
        fine_on_loops(1, name##_on_fiber, NULL);                                                                                           \
    }

// ---- packages without a folder ------------------------------------------------------------------

static struct ext_function functions_one[] = {
    {.api_name = VIEW("hello"), .file = VIEW("functions/hello.dg"), .source = VIEW("return 1;"), .version = 2, .apikey = true},
    {.api_name = VIEW("other"), .file = VIEW("functions/other.dg"), .source = VIEW("return 2;"), .version = 2, .apikey = true}};
static struct ext_function functions_two[] = {
    {.api_name = VIEW("Hello"), .file = VIEW("functions/hello.dg"), .source = VIEW("return 3;"), .version = 2}};
static struct ext_variable variables_one[] = {
    {.api_name = VIEW("url"), .field_name = VIEW("URL"), .type = VIEW("text"), .value = VIEW("first")},
    {.api_name = VIEW("token"), .field_name = VIEW("Token"), .type = VIEW("text"), .value = VIEW(""), .secret = true}};
static struct ext_variable variables_two[] = {
    {.api_name = VIEW("url"), .field_name = VIEW("URL 2"), .type = VIEW("text"), .value = VIEW("second")},
    {.api_name = VIEW("token"), .field_name = VIEW("Token"), .type = VIEW("text"), .value = VIEW(""), .secret = true}};

static const struct ext_package one = {.name = VIEW("Twilio"),
                                       .namespace = VIEW("twilioext"),
                                       .version = VIEW("1.0.0"),
                                       .functions = functions_one,
                                       .function_count = 2,
                                       .variables = variables_one,
                                       .variable_count = 2};
static const struct ext_package two = {.name = VIEW("Twilio"),
                                       .namespace = VIEW("twilioext"),
                                       .version = VIEW("2.0.0"),
                                       .functions = functions_two,
                                       .function_count = 1,
                                       .variables = variables_two,
                                       .variable_count = 2};
static const struct ext_package shouted = {
    .name = VIEW("Twilio"), .namespace = VIEW("TWILIOEXT"), .version = VIEW("1.0.0"), .functions = functions_one, .function_count = 2};

static bool install_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct place *p = arg;
    return ext_install_tx(tx, p->package, false, VIEW("digest"), fail);
}

static bool install(struct place *p, const struct ext_package *package)
{
    p->package = package;
    return store_write(p->env, install_tx, p, &p->fail);
}

// ---- looking ------------------------------------------------------------------------------------

static bool keep_function(void *arg, const struct ext_installed_function *function, struct fail *fail)
{
    (void)fail;
    struct place *p = arg;
    p->id = function->id;
    snprintf(p->text, sizeof p->text, "%.*s", VIEW_ARGS(function->source));
    return true;
}

static bool find_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct place *p = arg;
    return ext_function_find_tx(tx, view_of(p->name), keep_function, p, &p->found, fail);
}

static bool find(struct place *p, const char *name)
{
    p->name = name;
    p->text[0] = 0;
    return EXPECT_P(store_read(p->env, find_tx, p, &p->fail)) && p->found;
}

static bool get_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct place *p = arg;
    struct value value = value_null();
    if (!ext_variable_get_tx(tx, &p->vault, view_of(p->name), &p->heap, &value, &p->found, fail)) {
        return false;
    }
    struct view text = p->found ? value_view_or(value, VIEW("?")) : VIEW("(absent)");
    snprintf(p->text, sizeof p->text, "%.*s", VIEW_ARGS(text));
    return true;
}

static bool set_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct place *p = arg;
    return ext_variable_set_tx(tx, &p->vault, view_of(p->name), view_of(p->value), 0, &p->found, fail);
}

static const char *get(struct place *p, const char *name)
{
    p->name = name;
    fail_clear(&p->fail);
    snprintf(p->text, sizeof p->text, "(failed)");
    store_read(p->env, get_tx, p, &p->fail);
    return p->text;
}

static bool set(struct place *p, const char *name, const char *value)
{
    p->name = name;
    p->value = value;
    return EXPECT_P(store_write(p->env, set_tx, p, &p->fail)) && p->found;
}

#define EXPECT_TEXT(got, want) expect_at(strcmp((got), (want)) == 0, __LINE__, p->text, &p->fail)

// ---- upgrades -----------------------------------------------------------------------------------

static void upgrade(struct place *p)
{
    EXPECT_P(install(p, &one));
    EXPECT(find(p, "twilioext__hello"));
    int64_t id = p->id;
    EXPECT(find(p, "twilioext__other"));
    int64_t other = p->id;
    EXPECT(set(p, "twilioext.URL", "mine"));
    EXPECT_P(install(p, &two));
    EXPECT(find(p, "twilioext__hello") && p->id == id);
    EXPECT_TEXT(p->text, "return 3;");
    EXPECT(!find(p, "twilioext__other"));
    EXPECT_TEXT(get(p, "twilioext__url"), "mine");
    EXPECT_P(install(p, &one));
    EXPECT(find(p, "twilioext__other") && p->id == other);
}
ON_PLACE(an_upgrade_keeps_ids_and_values, upgrade(p))

static void shout(struct place *p)
{
    EXPECT_P(install(p, &one));
    EXPECT(!install(p, &shouted) && p->fail.code == FAIL_INVALID_DATA);
    EXPECT(find(p, "twilioext__hello"));
    EXPECT_TEXT(p->text, "return 1;");
}
ON_PLACE(another_case_does_not_take_an_extension_over, shout(p))

// ---- pending ------------------------------------------------------------------------------------

static bool begin_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct place *p = arg;
    return ext_pending_begin_tx(tx, p->package->namespace, 1, 41, fail) && ext_install_tx(tx, p->package, false, VIEW("digest"), fail);
}

static bool rollback_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct place *p = arg;
    return ext_pending_rollback_tx(tx, p->package->namespace, &p->first, &p->before_id, fail);
}

static bool commit_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct place *p = arg;
    return ext_pending_commit_tx(tx, p->package->namespace, fail);
}

static bool pending_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct place *p = arg;
    return ext_pending_tx(tx, false, p->text, &p->found, fail);
}

static bool run(struct place *p, store_fn *fn, const struct ext_package *package)
{
    p->package = package;
    return EXPECT_P(store_write(p->env, fn, p, &p->fail));
}

static bool is_pending(struct place *p)
{
    return EXPECT_P(store_read(p->env, pending_tx, p, &p->fail)) && p->found;
}

static void fail_upgrade(struct place *p)
{
    EXPECT_P(install(p, &one));
    EXPECT(set(p, "twilioext__url", "mine") && find(p, "twilioext__hello"));
    int64_t id = p->id;
    EXPECT(run(p, begin_tx, &two) && is_pending(p) && strcmp(p->text, "twilioext") == 0);
    EXPECT(set(p, "twilioext__url", "set by hand meanwhile"));
    EXPECT(run(p, rollback_tx, &two) && !p->first && p->before_id == 41 && !is_pending(p));
    EXPECT(find(p, "twilioext__hello") && p->id == id);
    EXPECT_TEXT(p->text, "return 1;");
    EXPECT(find(p, "twilioext__other"));
    EXPECT_TEXT(get(p, "twilioext__url"), "set by hand meanwhile");
}
ON_PLACE(a_failed_upgrade_brings_the_old_rows_back, fail_upgrade(p))

static void fail_first(struct place *p)
{
    EXPECT(run(p, begin_tx, &one) && is_pending(p));
    EXPECT(run(p, rollback_tx, &one) && p->first && !is_pending(p));
    EXPECT(!find(p, "twilioext__hello"));
    EXPECT_TEXT(get(p, "twilioext__url"), "(absent)");
}
ON_PLACE(a_failed_first_installation_leaves_nothing, fail_first(p))

static void succeed(struct place *p)
{
    EXPECT_P(install(p, &one));
    EXPECT(run(p, begin_tx, &two) && run(p, commit_tx, &two) && !is_pending(p));
    EXPECT(find(p, "twilioext__hello"));
    EXPECT_TEXT(p->text, "return 3;");
}
ON_PLACE(a_good_action_keeps_the_new_rows, succeed(p))

// ---- secrets ------------------------------------------------------------------------------------

static bool dump_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct place *p = arg;
    struct rows *rows;
    if (!tx_query(tx, "SELECT value FROM ext_variable WHERE canonical = 'twilioext__token'", NULL, 0, &rows, fail)) {
        return false;
    }
    struct view value = rows_next(rows, fail) ? rows_text(rows, 0) : VIEW("");
    snprintf(p->text, sizeof p->text, "%.*s", VIEW_ARGS(value));
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static bool show_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct place *p = arg;
    struct value list;
    struct buffer out;
    buffer_init(&out, sizeof p->text - 1);
    bool ok = ext_show_tx(tx, VIEW("twilioext"), &p->heap, &list, fail) && json_write(&out, list, NULL, fail);
    snprintf(p->text, sizeof p->text, "%s", buffer_text(&out));
    buffer_free(&out);
    return ok;
}

static void keep_secret(struct place *p)
{
    EXPECT_P(install(p, &one));
    EXPECT_TEXT(get(p, "twilioext__token"), "");
    EXPECT(set(p, "twilioext.token", "hunter2"));
    EXPECT_TEXT(get(p, "twilioext.TOKEN"), "hunter2");
    EXPECT_P(store_read(p->env, dump_tx, p, &p->fail));
    EXPECT(strlen(p->text) > 30 && !strstr(p->text, "hunter2") && !strstr(p->text, "aHVudGVyMg")); // nor in base64
    EXPECT_P(store_read(p->env, show_tx, p, &p->fail));
    EXPECT(strstr(p->text, "twilioext__token") && !strstr(p->text, "hunter2"));
}
ON_PLACE(a_secret_is_sealed_and_never_shown, keep_secret(p))

static void move_secret(struct place *p)
{
    EXPECT_P(install(p, &one));
    EXPECT(set(p, "twilioext__token", "hunter2"));
    p->vault.org = "other";
    EXPECT_TEXT(get(p, "twilioext__token"), "(failed)");
    p->vault.org = "acme";
    p->vault.environment = "sandbox";
    EXPECT_TEXT(get(p, "twilioext__token"), "(failed)");
    p->vault.environment = "production";
    EXPECT_TEXT(get(p, "twilioext__token"), "hunter2");
}
ON_PLACE(a_secret_opens_in_its_org_and_environment_only, move_secret(p))

static void ask_as_others(struct place *p)
{
    EXPECT_P(install(p, &one));
    EXPECT(set(p, "twilioext__token", "hunter2"));
    static const struct {
        const char *reader, *token, *url;
    } rows[] = {{"twilioext", "hunter2", "first"}, {"TwilioExt", "hunter2", "first"}, {"standalone", "hunter2", "first"},
                {"leadsext", "(absent)", "first"}, {"twilio", "(absent)", "first"},   {"twilioext__", "(absent)", "first"}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        p->vault.reader = view_of(rows[i].reader);
        EXPECT_TEXT(get(p, "twilioext__token"), rows[i].token);
        EXPECT_TEXT(get(p, "twilioext__url"), rows[i].url);
    }
}
ON_PLACE(a_secret_is_told_to_its_extension_and_the_org, ask_as_others(p))

static void set_long(struct place *p)
{
    static char text[65538];
    memset(text, 'x', sizeof text - 1);
    EXPECT_P(install(p, &one));
    p->name = "twilioext__url";
    p->value = text;
    EXPECT(!store_write(p->env, set_tx, p, &p->fail) && p->fail.code == FAIL_INVALID_DATA);
    EXPECT_TEXT(get(p, "twilioext__url"), "first");
    EXPECT_TEXT(get(p, text), "(absent)");
}
ON_PLACE(a_value_over_the_limit_is_refused, set_long(p))

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upgrade_keeps_ids_and_values),
        cmocka_unit_test(another_case_does_not_take_an_extension_over),
        cmocka_unit_test(a_failed_upgrade_brings_the_old_rows_back),
        cmocka_unit_test(a_failed_first_installation_leaves_nothing),
        cmocka_unit_test(a_good_action_keeps_the_new_rows),
        cmocka_unit_test(a_secret_is_sealed_and_never_shown),
        cmocka_unit_test(a_secret_opens_in_its_org_and_environment_only),
        cmocka_unit_test(a_secret_is_told_to_its_extension_and_the_org),
        cmocka_unit_test(a_value_over_the_limit_is_refused),
    };
    return cmocka_run_group_tests_name("ext installed", tests, NULL, NULL);
}
