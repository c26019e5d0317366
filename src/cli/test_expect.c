// SPDX-License-Identifier: Apache-2.0
// What a test may look at, gathered into one map under the names that an expectation uses, and the comparison of the two. A call is
// expected to succeed unless the test says otherwise: a script error answers 200, and a test that looks at the log alone must not pass by
// it.
#include "cli/test.h"

#include "loop/loop.h"

// ---- gathering ----------------------------------------------------------------------------------

static struct value log_list(struct test_run *run)
{
    struct value list = value_list(&run->heap, (size_t)run->line_count + 1);
    for (int i = 0; i < run->line_count && list.type == VALUE_LIST; i++) {
        if (run->lines[i].outer) {
            list_add(&run->heap, list.list, value_text(&run->heap, run->lines[i].text));
        }
    }
    return list;
}

// Oldest first.
static bool read_module(struct test_run *run, struct crm_session *session, struct view module, struct value *ret_list, struct fail *fail)
{
    struct value all = value_list(&run->heap, 16), page;
    struct crm_query query = {.sort_by = VIEW("id"), .sort_order = VIEW("asc"), .per_page = CRM_PAGE_MAX, .converted = VIEW("both")};
    bool more = true;
    if (!view_eq_nocase(module, VIEW("Leads"))) {
        query.converted = VIEW("");
    }
    for (query.page = 1; more && all.list->count < TEST_RECORDS_MAX; query.page++) {
        if (!crm_records_list(session, module, &query, &page, &more, fail)) {
            return false;
        }
        for (uint32_t i = 0; i < value_as_list(page)->count; i++) {
            list_add(&run->heap, all.list, value_as_list(page)->items[i]);
        }
    }
    *ret_list = all;
    return !more || fail_set(fail, FAIL_LIMIT, "a test looks at no more than %d records of a module", TEST_RECORDS_MAX);
}

// `wanted` is the test's own copy.
static void gather_records(struct test_run *run, const struct test_path *path, struct map *wanted)
{
    struct crm_session session;
    struct fail fail = {0};
    struct map *modules = test_map(run);
    uint32_t cursor = 0;
    if (!host_session_open(run->host, &run->owner, &run->heap, &session, &fail)) {
        test_run_broken(run, path, "%s", fail.text);
        return;
    }
    session.namespace = view_of(run->namespace);
    for (struct map_entry *entry; (entry = map_next(wanted, &cursor));) {
        struct view module = value_view_or(entry->key, VIEW(""));
        struct value list;
        if (read_module(run, &session, test_module(run, &session, module), &list, &fail)) {
            map_put_text(&run->heap, modules, module, list);
        } else {
            test_run_broken(run, TEST_MEMBER(path, module), "%s", fail.text);
            map_remove(wanted, entry->key); // there is nothing to compare
        }
    }
    crm_session_close(&session);
    test_put(run, run->came, "records", (struct value){.type = VALUE_MAP, .map = modules});
}

static void gather_variables(struct test_run *run, const struct test_path *path, struct map *wanted)
{
    struct map *variables = test_map(run);
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(wanted, &cursor));) {
        struct fail fail = {0};
        struct view name = value_view_or(entry->key, VIEW(""));
        struct value v;
        if (host_variable_get(run->host, &run->owner, view_of(run->namespace), name, &run->heap, &v, &fail)) {
            map_put_text(&run->heap, variables, name, v);
        } else {
            test_run_broken(run, TEST_MEMBER(path, name), "%s", fail.text);
            map_remove(wanted, entry->key);
        }
    }
    test_put(run, run->came, "variables", (struct value){.type = VALUE_MAP, .map = variables});
}

static void gather_signals(struct test_run *run, const struct test_path *path)
{
    struct value newest = value_null(), list = value_list(&run->heap, 8);
    struct fail fail = {0};
    if (!host_signals_list(run->host, &run->owner, TEST_UNORDERED_MAX, &run->heap, &newest, &fail)) {
        test_run_broken(run, path, "%s", fail.text);
    }
    const struct list *signals = value_as_list(newest);
    for (uint32_t i = signals ? signals->count : 0; i > 0; i--) {
        list_add(&run->heap, list.list, signals->items[i - 1]);
    }
    test_put(run, run->came, "signals", list);
}

static bool asked(const struct map *expect, const char *name)
{
    uint32_t cursor = 0;
    struct map_entry *entry;
    while ((entry = map_next(expect, &cursor)) && !view_eq(value_view_or(entry->key, VIEW("")), view_of(name))) {
    }
    return entry != NULL;
}

static void gather(struct test_run *run, const struct test_path *path, const struct map *expect)
{
    struct map *records = value_as_map(map_get_text(expect, VIEW("records"))),
               *variables = value_as_map(map_get_text(expect, VIEW("variables")));
    test_put(run, run->came, "log", log_list(run));
    test_put(run, run->came, "requests", (struct value){.type = VALUE_LIST, .list = run->requests});
    test_put(run, run->came, "mails", (struct value){.type = VALUE_LIST, .list = run->mails});
    test_put(run, run->came, "outcome", run->outcome);
    test_put(run, run->came, "error", run->error);
    test_put(run, run->came, "statements", run->statements);
    test_put(run, run->came, "outgoing", run->outgoing);
    if (records) {
        gather_records(run, TEST_MEMBER(path, VIEW("records")), records);
    }
    if (variables) {
        gather_variables(run, TEST_MEMBER(path, VIEW("variables")), variables);
    }
    if (asked(expect, "signals")) {
        gather_signals(run, TEST_MEMBER(path, VIEW("signals")));
    }
}

// ---- comparing ----------------------------------------------------------------------------------

// Output is text: a number or a word of JSON is compared with what the text holds.
static struct value read_output(struct test_run *run, struct value expected, struct value output)
{
    struct fail fail;
    struct value parsed;
    bool plain = expected.type == VALUE_NUMBER || expected.type == VALUE_DECIMAL || expected.type == VALUE_BOOL;
    return plain && value_is_text(output) && json_read(&run->heap, value_view(output), &parsed, &fail) ? parsed : output;
}

static void compare_member(struct test_run *run, const struct test_path *path, struct view name, struct value expected)
{
    uint32_t cursor = 0;
    struct map_entry *entry;
    while ((entry = map_next(run->came, &cursor)) && !view_eq(value_view_or(entry->key, VIEW("")), name)) {
    }
    struct value got = entry ? entry->value : value_null();
    if (view_eq(name, VIEW("output"))) {
        got = read_output(run, expected, got);
    }
    if (view_eq(name, VIEW("error")) && value_is_text(expected) && value_as_map(got)) { // its message alone
        got = map_get_text(value_as_map(got), VIEW("message"));
    }
    test_match(&run->check, path, expected, got, !entry, view_eq(name, VIEW("records")));
}

struct comparing {
    struct test_run *run;
    const struct test_path *path;
    const struct map *expect;
};

// Regular expressions and deep values need more stack than a fiber has.
static void compare(void *arg)
{
    const struct comparing *comparing = arg;
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(comparing->expect, &cursor));) {
        struct view name = value_view_or(entry->key, VIEW(""));
        compare_member(comparing->run, TEST_MEMBER(comparing->path, name), name, entry->value);
    }
}

// A script error answers 200: whoever does not expect it must hear of it.
static void check_success(struct test_run *run, const struct test_path *path, const struct map *expect)
{
    struct view outcome = value_view_or(run->outcome, VIEW(""));
    const struct map *error = value_as_map(run->error);
    bool refused = view_eq(outcome, VIEW("refused"));
    if (view_eq(outcome, VIEW("ok")) || asked(expect, "error") || asked(expect, "outcome") || (refused && asked(expect, "status"))) {
        return;
    }
    if (!outcome.len) {
        return; // nothing was to run
    }
    if (error && !refused) {
        test_run_broken(run, path, "the run failed: %.*s at line %lld; if it should: \"error\": \"…\"",
                        VIEW_ARGS(cli_text(error, "message")), (long long)map_get_text(error, VIEW("line")).number);
    } else {
        test_run_broken(run, path, "the call was refused with status %lld: %.*s; if it should: \"status\": %lld",
                        (long long)map_get_text(run->came, VIEW("status")).number, VIEW_ARGS(cli_text(run->came, "body")),
                        (long long)map_get_text(run->came, VIEW("status")).number);
    }
}

// {"expect": {}} is filled with what the call answered and said.
static struct value first_expectation(const struct test_run *run)
{
    static const char *const names[] = {"status", "output", "log", "variables"};
    struct value map = value_map(run->check.heap, 4);
    for (size_t i = 0; i < BASE_COUNT(names) && map.type == VALUE_MAP; i++) {
        struct value v = map_get_text(run->came, view_of(names[i]));
        if (!value_is_null(v)) {
            map_put_text(run->check.heap, map.map, view_of(names[i]), v);
        }
    }
    struct value body = map_get_text(run->came, VIEW("body"));
    if (map.type == VALUE_MAP && !value_is_null(body) && value_is_null(map_get_text(run->came, VIEW("output")))) {
        map_put_text(run->check.heap, map.map, VIEW("body"), body);
    }
    return map;
}

void test_expect(struct test_run *run)
{
    const struct test_path *path;
    const struct map *expect = value_as_map(test_run_member(run, "expect", &path));
    struct comparing comparing = {.run = run, .path = path, .expect = expect};
    if (!expect) {
        return;
    }
    gather(run, path, expect);
    check_success(run, path, expect);
    if (expect->count == 0 && run->check.count == 0) {
        test_check_note(&run->check, &(struct test_difference){.path = path,
                                                               .expected = (struct value){.type = VALUE_MAP, .map = (struct map *)expect},
                                                               .got = first_expectation(run),
                                                               .text = "nothing is expected yet; --accept writes what came"});
    }
    loop_on_thread_stack(compare, &comparing);
}
