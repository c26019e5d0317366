// SPDX-License-Identifier: Apache-2.0
// One test: a host of its own with everything in memory, the extension installed in it, the records and variables that the test wants, one
// call through the dispatcher that the port uses, and then the comparison. Everything is dropped afterwards, so tests do not know of each
// other. The clock is the process's: a test that fixes it runs alone, as all tests of a command do.
#include "cli/test.h"

enum { EXCHANGE_BYTES_MAX = 256 << 20 };

void test_run_broken(struct test_run *run, const struct test_path *path, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *kept = heap_alloc(&run->heap, strlen(text) + 1);
    if (kept) {
        memcpy(kept, text, strlen(text) + 1);
    }
    test_check_note(&run->check, &(struct test_difference){.path = path, .fixed = true, .text = kept ? kept : "not enough memory"});
}

struct map *test_map(struct test_run *run)
{
    struct value map = value_map(&run->heap, 8);
    return map.type == VALUE_MAP ? map.map : NULL;
}

void test_put(struct test_run *run, struct map *map, const char *name, struct value v)
{
    if (map) {
        map_put_text(&run->heap, map, view_of(name), v);
    }
}

// ---- ${labels} ----------------------------------------------------------------------------------

// Only names that stand for something are replaced.
static struct value fill_text(struct test_run *run, struct value text)
{
    struct view rest = value_view(text);
    struct buffer out;
    if (view_find(rest, VIEW("${")) < 0) {
        return text;
    }
    buffer_init(&out, TEST_HEAP_BYTES_MAX / 4);
    for (ptrdiff_t at; (at = view_find(rest, VIEW("${"))) >= 0;) {
        ptrdiff_t end = view_find_char(view_from(rest, (size_t)at), '}');
        struct view name = end < 0 ? VIEW("") : view_slice(rest, (size_t)at + 2, (size_t)end - 2);
        struct value label = map_get_text(run->labels, name);
        buffer_add(&out, view_slice(rest, 0, (size_t)at));
        buffer_add(&out, value_view_or(label, VIEW("${")));
        rest = view_from(rest, (size_t)at + (value_is_text(label) ? (size_t)end + 1 : 2));
    }
    buffer_add(&out, rest);
    struct value filled = value_text(&run->heap, buffer_view(&out));
    buffer_free(&out);
    return filled;
}

// A copy; test files are no deeper than TEST_DEPTH_MAX.
struct value test_run_fill(struct test_run *run, struct value v)
{
    const struct map *map = value_as_map(v);
    const struct list *list = value_as_list(v);
    uint32_t cursor = 0;
    if (map) {
        struct value copy = value_map(&run->heap, map->count);
        for (struct map_entry *entry; copy.type == VALUE_MAP && (entry = map_next(map, &cursor));) {
            map_put(&run->heap, copy.map, entry->key, test_run_fill(run, entry->value));
        }
        return copy;
    }
    if (list) {
        struct value copy = value_list(&run->heap, list->count);
        for (uint32_t i = 0; copy.type == VALUE_LIST && i < list->count; i++) {
            list_add(&run->heap, copy.list, test_run_fill(run, list->items[i]));
        }
        return copy;
    }
    return value_is_text(v) ? fill_text(run, v) : v;
}

struct value test_run_member(struct test_run *run, const char *name, const struct test_path **ret_path)
{
    return test_run_fill(run, test_case_member(run->test, view_of(name), &run->heap, ret_path));
}

static bool says(struct test_run *run, const char *name, bool otherwise)
{
    const struct test_path *path;
    struct value v = test_run_member(run, name, &path);
    return v.type == VALUE_BOOL ? v.boolean : otherwise;
}

// ---- the CRM ------------------------------------------------------------------------------------

static bool fix_clock(struct test_run *run)
{
    const struct test_path *path;
    struct value now = test_run_member(run, "now", &path);
    int64_t millis = 0;
    bool has_time;
    if (value_is_text(now) && (!calendar_read(value_view(now), NULL, &millis, &has_time) || millis <= 0)) {
        test_run_broken(run, path, "\"now\" is a date and time like 2024-07-16T09:39:27+05:30, and this is \"%.*s\"",
                        VIEW_ARGS(value_view(now)));
        return false;
    }
    clock_wall_fix(millis);
    run->clock_fixed = millis != 0;
    return true;
}

// Of the call, or of the install action when there is no call.
static bool set_limits(struct test_run *run)
{
    const struct test_path *path;
    const struct map *map = value_as_map(test_run_member(run, "limits", &path));
    int64_t limits[HOST_LIMITS];
    uint32_t cursor = 0;
    memcpy(limits, run->bench->settings->limits, sizeof limits);
    for (struct map_entry *entry; map && (entry = map_next(map, &cursor));) {
        struct view name = value_view_or(entry->key, VIEW(""));
        int i = 0;
        while (i < HOST_LIMITS && !view_eq(name, view_of(host_limits[i].name))) {
            i++;
        }
        if (i == HOST_LIMITS || entry->value.type != VALUE_NUMBER || entry->value.number < host_limits[i].lowest ||
            entry->value.number > host_limits[i].highest) {
            test_run_broken(run, TEST_MEMBER(path, name), "there is no limit \"%.*s\" that can have this value; see: sluice docs limits",
                            VIEW_ARGS(name));
            return false;
        }
        limits[i] = entry->value.number;
    }
    host_set_limits(run->host, limits);
    return true;
}

static void take_message(void *user, enum log_level level, const char *text)
{
    struct test_run *run = user;
    if (level == LOG_ERROR) {
        test_run_broken(run, NULL, "%s", text);
    }
}

// The install action's failure is what a test without a function may be about.
static bool install(struct test_run *run, bool calls)
{
    struct fail fail = {0};
    struct host_message message = {.user = run, .line = take_message};
    int told = run->check.count;
    if (!run->bench->extension) {
        return true;
    }
    bool ok = host_folder_install(run->host, run->bench->extension, false, &message, run->namespace, &fail);
    if (!ok && !calls && value_as_map(run->error)) {
        run->check.count = told;
        return true;
    }
    run->unusable = !ok && !value_as_map(run->error);
    if (!ok && run->check.count == told) {
        test_run_broken(run, NULL, "the extension could not be installed: %s", fail.text);
    }
    return ok;
}

static bool open_world(struct test_run *run, struct host_answers *answers)
{
    struct fail fail = {0};
    struct host_options options = settings_host_options(run->bench->settings);
    if (!fix_clock(run)) {
        return false;
    }
    options.data_folder = NULL;
    options.public_url = NULL;
    options.outbound_loopback = true;
    options.images = run->clock_fixed ? NULL : run->bench->images; // a fixed time is that of everything in the CRM
    options.no_actions = !says(run, "install", true);
    options.no_seeds = !says(run, "seed", false);
    if (!options.time_zone.len) {
        options.time_zone = VIEW("UTC"); // the same on every machine
    }
    if (!host_open(&options, &run->host, &fail) || !web_open_inside(run->host, &run->web, &fail) ||
        !host_org_owner(run->host, VIEW(""), false, &run->owner, &fail)) {
        test_run_broken(run, NULL, "%s", fail.text);
        return false;
    }
    host_set_answers(run->host, answers);
    return true;
}

// ---- functions of the org -----------------------------------------------------------------------

enum { ORG_FUNCTIONS_MAX = 100 };

// "functions": files of functions that belong to no extension, as `sluice fn put` takes them.
static bool put_functions(struct test_run *run)
{
    const struct test_path *path;
    const struct list *names = value_as_list(test_run_member(run, "functions", &path));
    struct host_message message = {.user = run, .line = take_message};
    struct host_fn_source sources[ORG_FUNCTIONS_MAX];
    struct host_fn_put put = {.sources = sources, .apikey = -1, .oauth = -1};
    struct fail fail = {0};
    struct value list;
    for (uint32_t i = 0; names && i < names->count; i++) {
        struct view name = value_view_or(names->items[i], VIEW(""));
        if (!name.len || put.count == ORG_FUNCTIONS_MAX) {
            test_run_broken(run, TEST_ITEM(path, i), "\"functions\" is a list of at most %d file names", ORG_FUNCTIONS_MAX);
            return false;
        }
        struct host_fn_source *source = &sources[put.count++];
        source->file = name;
        if (!test_run_file(run, TEST_ITEM(path, i), name, &source->source)) {
            return false;
        }
    }
    int told = run->check.count;
    bool ok = !put.count || host_fn_put(run->host, &run->owner, &put, &message, &run->heap, &list, &fail);
    if (!ok && run->check.count == told) {
        test_run_broken(run, path, "%s", fail.text);
    }
    return ok;
}

// ---- what is there before -----------------------------------------------------------------------

struct view test_module(struct test_run *run, const struct crm_session *session, struct view name)
{
    struct value own = value_text_printf(&run->heap, "%s__%.*s", run->namespace, VIEW_ARGS(name));
    return !crm_module_exists(session, name) && crm_module_exists(session, value_view_or(own, VIEW(""))) ? value_view(own) : name;
}

static bool insert_record(struct test_run *run, struct crm_session *session, struct view module, const struct test_path *path,
                          struct value record)
{
    struct fail fail = {0};
    struct value rows = value_list(&run->heap, 1), results;
    record = test_run_fill(run, record);
    struct value label = map_get_text(record.map, VIEW("$as"));
    map_remove(record.map, VALUE_TEXT_LITERAL(&run->heap, "$as"));
    list_add(&run->heap, rows.list, record);
    if (!crm_records_insert(session, test_module(run, session, module), rows, &results, &fail)) {
        test_run_broken(run, path, "%s", fail.text);
        return false;
    }
    const struct map *result = value_as_map(value_as_list(results)->items[0]);
    if (!view_eq(cli_text(result, "status"), VIEW("success"))) {
        struct value why = value_to_text(&run->heap, value_as_list(results)->items[0], &fail);
        test_run_broken(run, path, "the record was refused: %.*s", VIEW_ARGS(value_view_or(why, VIEW(""))));
        return false;
    }
    if (value_is_text(label)) {
        map_put(&run->heap, run->labels, label, map_get_text(value_as_map(map_get_text(result, VIEW("details"))), VIEW("id")));
    }
    return true;
}

static bool insert_records(struct test_run *run)
{
    const struct test_path *path;
    struct crm_session session;
    struct fail fail = {0};
    const struct map *modules = value_as_map(test_case_member(run->test, VIEW("records"), &run->heap, &path));
    if (!modules) {
        return true;
    }
    if (!host_session_open(run->host, &run->owner, &run->heap, &session, &fail)) {
        test_run_broken(run, path, "%s", fail.text);
        return false;
    }
    session.namespace = view_of(run->namespace);
    bool ok = true;
    uint32_t cursor = 0;
    for (struct map_entry *entry; ok && (entry = map_next(modules, &cursor));) {
        struct view module = value_view_or(entry->key, VIEW(""));
        const struct list *rows = value_as_list(entry->value);
        for (uint32_t i = 0; ok && rows && i < rows->count; i++) {
            ok = insert_record(run, &session, module, TEST_ITEM(TEST_MEMBER(path, module), i), rows->items[i]);
        }
    }
    crm_session_close(&session);
    return ok;
}

static bool set_variables(struct test_run *run)
{
    const struct test_path *path;
    const struct map *variables = value_as_map(test_run_member(run, "variables", &path));
    uint32_t cursor = 0;
    for (struct map_entry *entry; variables && (entry = map_next(variables, &cursor));) {
        struct fail fail = {0};
        struct view name = value_view_or(entry->key, VIEW(""));
        struct value text = value_to_text(&run->heap, entry->value, &fail);
        if (!host_variable_set(run->host, &run->owner, view_of(run->namespace), name, value_view_or(text, VIEW("")), &fail)) {
            test_run_broken(run, TEST_MEMBER(path, name), "%s", fail.text);
            return false;
        }
    }
    return true;
}

static void read_answers(struct test_run *run)
{
    struct value answers = test_run_member(run, "answers", &run->answers_path);
    run->answers = value_as_list(answers);
    uint32_t count = run->answers ? run->answers->count : 0;
    run->served = heap_alloc(&run->heap, (count + 1) * sizeof *run->served);
    run->network = says(run, "network", false);
    if (run->served) {
        memset(run->served, 0, (count + 1) * sizeof *run->served);
    } else {
        run->answers = NULL;
    }
}

// ---- the call -----------------------------------------------------------------------------------

// What the installation did is not the call's.
static void forget(struct test_run *run)
{
    run->line_count = 0;
    run->requests = value_list(&run->heap, 8).list;
    run->mails = value_list(&run->heap, 8).list;
    run->outcome = run->error = run->statements = run->outgoing = value_null();
}

static void take_reply(struct test_run *run, const struct exchange *exchange)
{
    struct map *headers = test_map(run);
    struct value body = value_text(&run->heap, exchange->reply_body), parsed;
    struct fail fail;
    map_set_nocase(headers);
    if (exchange->reply_type.len) {
        test_put(run, headers, "content-type", value_text(&run->heap, exchange->reply_type));
    }
    for (int i = 0; i < exchange->reply_header_count; i++) {
        struct view name = exchange->reply_headers[i].name;
        char *space;
        struct value lower = value_text_space(&run->heap, name.len, &space);
        for (size_t k = 0; value_is_text(lower) && k < name.len; k++) {
            space[k] = name.data[k] >= 'A' && name.data[k] <= 'Z' ? (char)(name.data[k] | 0x20) : name.data[k];
        }
        map_put(&run->heap, headers, value_text_done(lower, name.len), value_text(&run->heap, exchange->reply_headers[i].value));
    }
    test_put(run, run->came, "status", value_number(exchange->status));
    test_put(run, run->came, "headers", (struct value){.type = VALUE_MAP, .map = headers});
    test_put(run, run->came, "body", body);
    if (json_looks_like(exchange->reply_body) && json_read(&run->heap, exchange->reply_body, &parsed, &fail)) {
        const struct map *details = value_as_map(parsed) ? value_as_map(map_get_text(value_as_map(parsed), VIEW("details"))) : NULL;
        uint32_t cursor = 0;
        for (struct map_entry *entry; details && (entry = map_next(details, &cursor));) {
            if (view_eq(value_view_or(entry->key, VIEW("")), VIEW("output"))) {
                test_put(run, run->came, "output", entry->value);
            }
        }
    }
}

static void call(struct test_run *run)
{
    struct arena arena;
    arena_init(&arena, EXCHANGE_BYTES_MAX);
    struct exchange exchange = {.arena = &arena, .peer = VIEW("127.0.0.1")};
    if (test_request_fill(run, &exchange)) {
        forget(run);
        web_dispatch(run->web, &exchange);
        if (value_is_null(run->outcome)) { // before any function was looked for
            run->outcome = VALUE_TEXT_LITERAL(&run->heap, "refused");
        }
        take_reply(run, &exchange);
    }
    arena_free(&arena);
}

static void label_key(struct test_run *run)
{
    char key[AUTH_KEY_LEN + 1];
    struct fail fail;
    if (host_key_show(run->host, &run->owner, view_of(run->namespace), key, &fail)) {
        test_put(run, run->labels, "zapikey", value_text(&run->heap, view_of(key)));
    }
}

static void run_in_world(struct test_run *run)
{
    const struct test_path *path;
    bool calls = !value_is_null(test_run_member(run, "function", &path));
    read_answers(run);
    if ((!calls && !set_limits(run)) || !install(run, calls) || !put_functions(run)) {
        return;
    }
    label_key(run);
    if (!insert_records(run) || !set_variables(run) || !set_limits(run)) {
        return;
    }
    read_answers(run); // labels are known by now
    if (calls) {
        call(run);
    }
    test_expect(run);
}

void test_run(struct test_run *run, const struct test_bench *bench, const struct test_case *test)
{
    struct host_answers answers = test_answers;
    int64_t begun_ns = clock_monotonic_ns();
    *run = (struct test_run){.bench = bench, .test = test};
    heap_init(&run->heap, TEST_HEAP_BYTES_MAX, NULL);
    answers.user = run;
    run->check = (struct test_check){.heap = &run->heap, .items = heap_alloc(&run->heap, TEST_DIFFERENCES_MAX * sizeof *run->check.items)};
    run->came = test_map(run);
    run->labels = test_map(run);
    forget(run);
    if (open_world(run, &answers)) {
        run_in_world(run);
    }
    if (run->web) {
        web_close(run->web);
    }
    if (run->host) {
        host_close(run->host);
    }
    clock_wall_fix(0);
    run->duration_ms = (double)(clock_monotonic_ns() - begun_ns) / 1e6;
}

void test_run_close(struct test_run *run)
{
    heap_free(&run->heap);
}
