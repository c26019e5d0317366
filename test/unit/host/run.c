// SPDX-License-Identifier: Apache-2.0
//
// Runs without a port: who may call what, replies that cannot be split, requests at their edges, functions that are replaced while they
// run, runs inside runs, and limits that hold inside one native.
#include "../store/store_test.h"

#include "host/host.h"

struct bench {
    struct host *host;
    struct fail fail;
    struct arena arena;
    struct exchange exchange;
    char folder[600];
    int64_t limits[HOST_LIMITS];
    int nested; // exchanges that came from scripts
    int deepest;
    const char *data_folder; // NULL: in memory
    bool reinstall; // at the first nested exchange
};

#define EXPECT_B(what) expect_at((what), __LINE__, #what, &b->fail)
#define EXPECT_BODY(text) expect_at(strstr(body_of(b), (text)) != NULL, __LINE__, body_of(b), &b->fail)
#define EXPECT_NO_BODY(text) expect_at(strstr(body_of(b), (text)) == NULL, __LINE__, body_of(b), &b->fail)

static const char *body_of(struct bench *b)
{
    static char text[600];
    struct view body = b->exchange.reply_body;
    snprintf(text, sizeof text, "%d %.*s", b->exchange.status, (int)(body.len < 500 ? body.len : 500), body.data ? body.data : "");
    return text;
}

// ---- an extension to call -----------------------------------------------------------------------

static void put(struct bench *b, const char *path, const char *text)
{
    char full[1024];
    snprintf(full, sizeof full, "%s/%s", b->folder, path);
    FILE *file = fopen(full, "wb");
    if (EXPECT(file)) {
        fputs(text, file);
        fclose(file);
    }
}

static void begin_extension(struct bench *b, const char *namespace)
{
    char text[800];
    snprintf(b->folder, sizeof b->folder, "%s/%s", test_folder, namespace);
    mkdir(b->folder, 0700);
    snprintf(text, sizeof text, "%s/functions", b->folder);
    mkdir(text, 0700);
    snprintf(text, sizeof text, "{\"name\":\"N\",\"namespace\":\"%s\",\"version\":\"1.0.0\"}", namespace);
    put(b, "extension.json", text);
}

static bool install(struct bench *b)
{
    char namespace[EXT_NAME_MAX];
    return host_folder_install(b->host, b->folder, false, NULL, namespace, &b->fail);
}

static void install_function(struct bench *b, const char *source)
{
    begin_extension(b, "ns");
    put(b, "functions/f.dg", source);
    EXPECT_B(install(b));
}

// ---- calling it ---------------------------------------------------------------------------------

static struct identity key_of(const char *namespace)
{
    struct identity who = {.kind = IDENTITY_ZAPIKEY, .org = "default", .environment = "production", .org_number = 1};
    snprintf(who.namespace, sizeof who.namespace, "%s", namespace);
    return who;
}

static void begin_call(struct bench *b, const char *namespace)
{
    arena_free(&b->arena);
    arena_init(&b->arena, 64 << 20);
    b->exchange = (struct exchange){
        .arena = &b->arena, .id = "0123", .method = VIEW("POST"), .path = VIEW("/"), .body_read = true, .identity = key_of(namespace)};
}

static void call(struct bench *b, const char *name)
{
    host_function_call(b->host, &b->exchange, view_of(name));
}

static void call_f(struct bench *b)
{
    begin_call(b, "ns");
    call(b, "ns__f");
}

static struct view reply_header(struct bench *b, const char *name)
{
    for (int i = 0; i < b->exchange.reply_header_count; i++) {
        if (view_eq_nocase(b->exchange.reply_headers[i].name, view_of(name))) {
            return b->exchange.reply_headers[i].value;
        }
    }
    return VIEW_NONE;
}

// What web's dispatcher does, without keys: the last part of the path is the function.
static void dispatch(void *user, struct exchange *exchange)
{
    struct bench *b = user;
    b->nested++;
    if (b->reinstall) {
        b->reinstall = false;
        put(b, "functions/f.dg", "string ns.f(String depth)\n{\nreturn \"new\";\n}\n");
        EXPECT_B(install(b));
    }
    exchange->identity = key_of("ns");
    host_function_call(b->host, exchange, VIEW("ns__f"));
}

#define ON_BENCH(name, body)                                                                                                               \
    static void name##_on_fiber(void *arg)                                                                                                 \
    {                                                                                                                                      \
        struct bench bench = {0}, *b = &bench;                                                                                             \
        (void)arg;                                                                                                                         \
        body;                                                                                                                              \
        arena_free(&b->arena);                                                                                                             \
        if (b->host) {                                                                                                                     \
            host_close(b->host);                                                                                                           \
        }                                                                                                                                  \
    }                                                                                                                                      \
    static void name(void **state)                                                                                                         \
    {                                                                                                                                      \
        (void)state;                                                                                                                       \
        fine_on_loops(1, name##_on_fiber, NULL);                                                                                           \
    }

static void open_limited(struct bench *b, enum host_limit limit, int64_t value)
{
    for (int i = 0; i < HOST_LIMITS; i++) {
        b->limits[i] = host_limits[i].standard;
    }
    b->limits[limit] = value;
    struct host_options options = {.listen_address = "127.0.0.1:8080", .limits = b->limits, .data_folder = b->data_folder};
    EXPECT_B(host_open(&options, &b->host, &b->fail));
    host_set_dispatch(b->host, dispatch, b);
}

static void open_host(struct bench *b)
{
    open_limited(b, LIMIT_TIME_MS, host_limits[LIMIT_TIME_MS].standard);
}

// ---- who may call what --------------------------------------------------------------------------

static void call_across(struct bench *b)
{
    open_host(b);
    install_function(b, "return \"mine\";");
    begin_extension(b, "nsx");
    put(b, "functions/f.dg", "return \"theirs\";");
    EXPECT_B(install(b));
    static const struct {
        const char *key, *name;
        int status;
    } rows[] = {{"ns", "ns__f", 200},    {"ns", "NS.F", 200}, {"NS", "ns__f", 200},        {"ns", "nsx__f", 401},
                {"nsx", "ns__f", 401},   {"n", "ns__f", 401}, {"ns", "nsx__none", 401},    {"ns", "none", 401},
                {"ns", "ns__none", 400}, {"ns", "", 401},     {"ns", "standalone__f", 401}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        begin_call(b, rows[i].key);
        call(b, rows[i].name);
        expect_at(b->exchange.status == rows[i].status, __LINE__, rows[i].name, &b->fail);
    }
}
ON_BENCH(a_key_opens_its_own_namespace_only, call_across(b))

static void call_long(struct bench *b)
{
    static char name[5000];
    open_host(b);
    install_function(b, "return 1;");
    memset(name, 'a', sizeof name - 1);
    memcpy(name, "ns__", 4);
    begin_call(b, "ns");
    call(b, name);
    EXPECT_BODY("400 ");
    begin_call(b, "ns");
    call(b, "ns__\xff\x01\r\nX: y");
    EXPECT_BODY("400 ");
}
ON_BENCH(a_name_of_any_bytes_is_refused_plainly, call_long(b))

// ---- replies ------------------------------------------------------------------------------------

static void split_reply(struct bench *b)
{
    open_host(b);
    install_function(b, "h = Map();\n"
                        "h.put(\"X-Good\", \"yes\");\n"
                        "h.put(\"X-Split\", \"a\" + hexToText(\"0d0a\") + \"X-Evil: 1\");\n"
                        "h.put(\"X-Nul\", \"a\" + hexToText(\"00\"));\n"
                        "h.put(\"X Evil\", \"1\");\n"
                        "h.put(\"X-Evil:\", \"1\");\n"
                        "h.put(\"\", \"1\");\n"
                        "h.put(\"Content-Length\", \"0\");\n"
                        "h.put(\"transfer-encoding\", \"chunked\");\n"
                        "h.put(\"Connection\", \"close\");\n"
                        "h.put(\"Host\", \"evil\");\n"
                        "h.put(\"Date\", \"never\");\n"
                        "h.put(\"X-Request-Id\", \"forged\");\n"
                        "h.put(\"Content-Type\", \"text/plain\" + hexToText(\"0d0a\") + \"X-Evil: 1\");\n"
                        "return {\"crmAPIResponse\":{\"status_code\":201,\"headers\":h,\"body\":\"ok\"}};");
    call_f(b);
    EXPECT(b->exchange.status == 201 && view_eq(b->exchange.reply_body, VIEW("ok")));
    EXPECT(view_eq(reply_header(b, "X-Good"), VIEW("yes")));
    EXPECT(b->exchange.reply_header_count == 2); // and Content-Disposition
    EXPECT(view_find(b->exchange.reply_type, VIEW("X-Evil")) < 0);
}
ON_BENCH(a_scripts_headers_cannot_split_a_reply, split_reply(b))

static void refuse_status(struct bench *b)
{
    static const char *const bad[] = {"100", "199", "600", "-1", "\"200 OK\"", "200.5", "99999999999", "true"};
    open_host(b);
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        char source[200];
        snprintf(source, sizeof source, "return {\"crmAPIResponse\":{\"status_code\":%s,\"body\":\"x\"}};", bad[i]);
        install_function(b, source);
        call_f(b);
        EXPECT_BODY("status_code of crmAPIResponse must be a number from 200 to 599");
    }
}
ON_BENCH(a_status_outside_200_to_599_is_an_error, refuse_status(b))

static void many_headers(struct bench *b)
{
    open_host(b);
    install_function(b, "h = Map();\nfor each index i in \"x\".repeat(500).toList(\"\")\n{\n h.put(\"X-H\" + i, \"v\");\n}\n"
                        "return {\"crmAPIResponse\":{\"headers\":h,\"body\":\"ok\"}};");
    call_f(b);
    EXPECT(b->exchange.status == 200 && b->exchange.reply_header_count <= HOST_HEADERS_MAX);
}
ON_BENCH(headers_over_the_limit_are_left_out, many_headers(b))

static void hold_itself(struct bench *b)
{
    static const char *const sources[] = {"l = List();\nl.add(l);\nreturn l;",
                                          "m = Map();\nm.put(\"m\", m);\nreturn {\"crmAPIResponse\":{\"body\":m}};",
                                          "m = Map();\nm.put(\"crmAPIResponse\", m);\nreturn m;"};
    open_host(b);
    for (size_t i = 0; i < BASE_COUNT(sources); i++) {
        install_function(b, sources[i]);
        call_f(b);
        expect_at(b->exchange.status == 200, __LINE__, sources[i], &b->fail);
    }
    install_function(b, sources[0]);
    call_f(b);
    EXPECT_BODY("nested deeper than 1000 levels, or holds itself");
}
ON_BENCH(a_value_that_holds_itself_is_an_error, hold_itself(b))

// ---- requests -----------------------------------------------------------------------------------

static void build_request(struct bench *b)
{
    static const struct exchange_header headers[] = {{VIEW("x-sluice-key"), VIEW("1003.SECRET")},
                                                     {VIEW("x-two"), VIEW("a")},
                                                     {VIEW("x-two"), VIEW("b")},
                                                     {VIEW("x-bytes"), VIEW("\xff\xfe")}};
    open_host(b);
    install_function(b, "return crmAPIRequest;");
    begin_call(b, "ns");
    b->exchange.headers = headers;
    b->exchange.header_count = BASE_COUNT(headers);
    b->exchange.query = VIEW("zapikey=1003.SECRET&%7aapikey=1003.SECRET&auth_type=apikey&a=%zz&b=%00&c=%ff&=x&&a=2");
    call(b, "ns__f");
    EXPECT(b->exchange.status == 200);
    EXPECT_NO_BODY("SECRET");
    EXPECT_BODY("a, b");
}
ON_BENCH(our_own_key_is_not_in_the_request_object, build_request(b))

static void many_fields(struct bench *b)
{
    static char query[60000];
    open_host(b);
    install_function(b, "return crmAPIRequest.get(\"params\").size();");
    size_t len = 0;
    for (int i = 0; i <= FORM_FIELDS_MAX; i++) {
        len += (size_t)snprintf(query + len, sizeof query - len, "f%d=1&", i);
    }
    begin_call(b, "ns");
    b->exchange.query = (struct view){query, len};
    call(b, "ns__f");
    EXPECT_BODY("the form in the request is malformed");
}
ON_BENCH(a_form_over_its_limit_is_refused, many_fields(b))

static void odd_bodies(struct bench *b)
{
    static const struct {
        struct view type, body;
        int status;
    } rows[] = {{VIEW("multipart/form-data"), VIEW("x"), 400},
                {VIEW("multipart/form-data; boundary="), VIEW("--\r\n"), 400},
                {VIEW("multipart/form-data; boundary=b"), VIEW("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1"), 400},
                {VIEW("application/x-www-form-urlencoded"), VIEW("a=%"), 200},
                {VIEW("application/json"), VIEW("{\"a\":"), 200},
                {VIEW(""), VIEW("\0\xff\0"), 200}};
    open_host(b);
    install_function(b, "return crmAPIRequest.get(\"params\").size();");
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        begin_call(b, "ns");
        b->exchange.content_type = rows[i].type;
        b->exchange.body = rows[i].body;
        call(b, "ns__f");
        expect_at(b->exchange.status == rows[i].status, __LINE__, rows[i].type.data, &b->fail);
    }
}
ON_BENCH(odd_bodies_get_clear_answers, odd_bodies(b))

// ---- replaced while running ---------------------------------------------------------------------

static void swap_functions(struct bench *b)
{
    open_host(b);
    install_function(b, "string ns.f(String depth)\n{\na = invokeurl [ url: \"http://127.0.0.1:8080/x\" type: GET ];\n"
                        "return \"old,\" + a.get(\"details\").get(\"output\");\n}\n");
    b->reinstall = true;
    call_f(b);
    EXPECT(b->nested == 1);
    EXPECT_BODY("\"old,new\"");
    call_f(b);
    EXPECT_BODY("\"new\"");
}
ON_BENCH(a_run_keeps_its_function_while_it_is_replaced, swap_functions(b))

static void break_function(struct bench *b)
{
    open_host(b);
    install_function(b, "return \"good\";");
    put(b, "functions/f.dg", "return (;");
    EXPECT(!install(b));
    call_f(b);
    EXPECT_BODY("\"good\"");
}
ON_BENCH(a_broken_edit_leaves_the_last_good_one, break_function(b))

static void fail_action(struct bench *b)
{
    open_host(b);
    begin_extension(b, "ns");
    put(b, "functions/f.dg", "return \"there\";");
    char folder[700];
    snprintf(folder, sizeof folder, "%s/install", b->folder);
    mkdir(folder, 0700);
    put(b, "install/on_installation.dg", "a = 1 / 0;");
    EXPECT(!install(b));
    begin_call(b, "ns");
    call(b, "ns__f");
    EXPECT_BODY("400 ");
    put(b, "install/on_installation.dg", "info \"fine\";");
    EXPECT_B(install(b));
    call_f(b);
    EXPECT_BODY("\"there\"");
}
ON_BENCH(a_failed_install_action_leaves_nothing, fail_action(b))

// ---- runs inside runs ---------------------------------------------------------------------------

static const char itself[] = "string ns.f(String depth)\n{\na = invokeurl [ url: \"http://127.0.0.1:8080/x\" type: GET ];\n"
                             "return a.get(\"message\");\n}\n";

static void nest(struct bench *b)
{
    open_host(b);
    install_function(b, itself);
    call_f(b);
    EXPECT(b->nested == HOST_NESTED_MAX);
    EXPECT(b->exchange.status == 200);
}
ON_BENCH(runs_nest_five_deep, nest(b))

static void share_calls(struct bench *b)
{
    open_limited(b, LIMIT_OUTGOING_CALLS, 3);
    install_function(b, itself);
    call_f(b);
    EXPECT(b->nested == 3); // of the family, though each alone makes one
}
ON_BENCH(outgoing_calls_are_counted_over_the_family, share_calls(b))

static void share_tree(struct bench *b)
{
    open_host(b);
    install_function(b, "string ns.f(String depth)\n{\na = 0;\nfor each index i in \"x\".repeat(30).toList(\"\")\n{\n"
                        "b = invokeurl [ url: \"http://127.0.0.1:8080/x\" type: GET ];\n}\nreturn \"end\";\n}\n");
    call_f(b); // five levels of thirty calls would be 24 millions
    EXPECT(b->nested <= host_limits[LIMIT_OUTGOING_CALLS].standard);
}
ON_BENCH(a_family_of_runs_ends, share_tree(b))

// ---- limits -------------------------------------------------------------------------------------

static void over_time(struct bench *b)
{
    open_limited(b, LIMIT_TIME_MS, 300);
    // one native at work on itself: each record against each, which no number of instructions shows
    install_function(b, "l = List();\nfor each index i in \"x\".repeat(8000).toList(\"\")\n{\n m = Map();\n n = List();\n n.add(i);\n "
                        "m.put(\"k\", n);\n l.add(m);\n}\n"
                        "while(true)\n{\n d = l.intersect(l);\n}\nreturn d.size();");
    call_f(b);
    EXPECT_BODY("ran longer than its limit of 300 ms");
    EXPECT(view_eq(reply_header(b, "X-Sluice-Error"), VIEW("limit")));
}
ON_BENCH(the_time_limit_holds_inside_a_native, over_time(b))

static void log_much(struct bench *b)
{
    b->data_folder = data_folder(); // where run logs are kept
    open_limited(b, LIMIT_LOG_BYTES, 2048);
    install_function(b, "for each index i in \"x\".repeat(5000).toList(\"\")\n{\n info \"\";\n}\ninfo \"\".leftpad(3000);\nreturn 1;");
    call_f(b);
    struct heap heap;
    struct value runs;
    int64_t last;
    heap_init(&heap, 16 << 20, NULL);
    struct runlog_query query = {.limit = 1};
    EXPECT_B(host_logs(b->host, &query, &heap, &runs, &last, &b->fail));
    const struct list *list = value_as_list(runs);
    const struct map *run = list && list->count ? value_as_map(list->items[0]) : NULL;
    const struct list *lines = run ? value_as_list(map_get_text(run, VIEW("log"))) : NULL;
    if (EXPECT(lines && lines->count > 100)) {
        struct value note = map_get_text(value_as_map(lines->items[lines->count - 1]), VIEW("text"));
        EXPECT(view_find(value_view_or(note, VIEW("")), VIEW("has been truncated")) >= 0);
    }
    heap_free(&heap);
}
ON_BENCH(a_log_of_empty_lines_is_cut_and_kept, log_much(b))

static void fill_process(struct bench *b)
{
    open_limited(b, LIMIT_PROCESS_MEMORY, 1 << 24);
    install_function(b, "l = List();\nwhile(true)\n{\n l.add(\"x\".repeat(10000) + l.size());\n}\nreturn 1;");
    call_f(b);
    EXPECT_BODY("All functions together use more than 16777216 bytes of memory");
    install_function(b, "return \"again\";");
    call_f(b);
    EXPECT_BODY("\"again\""); // given back
}
ON_BENCH(all_runs_together_have_a_limit_of_memory, fill_process(b))

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_key_opens_its_own_namespace_only),
        IN_FOLDER(a_name_of_any_bytes_is_refused_plainly),
        IN_FOLDER(a_scripts_headers_cannot_split_a_reply),
        IN_FOLDER(a_status_outside_200_to_599_is_an_error),
        IN_FOLDER(headers_over_the_limit_are_left_out),
        IN_FOLDER(a_value_that_holds_itself_is_an_error),
        IN_FOLDER(our_own_key_is_not_in_the_request_object),
        IN_FOLDER(a_form_over_its_limit_is_refused),
        IN_FOLDER(odd_bodies_get_clear_answers),
        IN_FOLDER(a_run_keeps_its_function_while_it_is_replaced),
        IN_FOLDER(a_broken_edit_leaves_the_last_good_one),
        IN_FOLDER(a_failed_install_action_leaves_nothing),
        IN_FOLDER(runs_nest_five_deep),
        IN_FOLDER(outgoing_calls_are_counted_over_the_family),
        IN_FOLDER(a_family_of_runs_ends),
        IN_FOLDER(the_time_limit_holds_inside_a_native),
        IN_FOLDER(a_log_of_empty_lines_is_cut_and_kept),
        IN_FOLDER(all_runs_together_have_a_limit_of_memory),
    };
    return cmocka_run_group_tests_name("host run", tests, NULL, NULL);
}
