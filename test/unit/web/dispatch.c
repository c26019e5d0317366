// SPDX-License-Identifier: Apache-2.0
//
// The dispatcher with the real route table, and small stand-ins for host and auth below it: who gets in, in which order things are asked,
// and what the replies of refusals carry. One key is known: "1003.K", of the namespace "ns".
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "web/room.h"

// ---- stand-ins ----------------------------------------------------------------------------------

static struct {
    int runs, body_reads;
    char name[64], environment[16], method[16], body[64];
    enum identity_kind kind;
    size_t body_bytes_max;
    struct web *nested_web; // calls the same URL again from inside
    int nested_status;
} seen;
static int64_t limits[HOST_LIMITS] = {
    [LIMIT_BODY_BYTES] = 1000, [LIMIT_REPLY_BYTES] = 1000, [LIMIT_KEY_RUNS] = 10, [LIMIT_PROCESS_RUNS] = 10};

struct auth *host_auth(struct host *host)
{
    (void)host;
    return NULL;
}

int64_t host_limit(const struct host *host, enum host_limit limit)
{
    (void)host;
    return limits[limit];
}

void host_set_dispatch(struct host *host, void (*dispatch)(void *user, struct exchange *exchange), void *user)
{
    (void)host;
    (void)dispatch;
    (void)user;
}

void host_set_address(struct host *host, const char *address)
{
    (void)host;
    (void)address;
}

void host_runs_stop_waiting(struct host *host)
{
    (void)host;
}

const struct host_options *host_options(const struct host *host)
{
    static const struct host_options options;
    (void)host;
    return &options;
}

bool auth_meter_take(struct auth_meter *meter, int rate, int64_t now_ms, int *ret_left, int *ret_wait_s)
{
    (void)meter;
    (void)rate;
    (void)now_ms;
    *ret_left = 0;
    *ret_wait_s = 7;
    return false;
}

bool auth_key_check(struct auth *auth, struct view key, const char *environment, const struct auth_caller *caller,
                    struct identity *ret_identity, struct fail *fail)
{
    (void)auth;
    (void)caller;
    if (!view_eq(key, VIEW("1003.K"))) {
        return fail_set(fail, FAIL_AUTHENTICATION, NULL);
    }
    *ret_identity = (struct identity){.kind = IDENTITY_ZAPIKEY, .org = "default", .org_number = 1, .namespace = "ns"};
    snprintf(ret_identity->environment, sizeof ret_identity->environment, "%s", environment);
    return true;
}

bool auth_token_check(struct auth *auth, struct view header, struct identity *ret_identity, struct fail *fail)
{
    (void)auth;
    if (!view_eq(header, VIEW("Zoho-oauthtoken T"))) {
        return fail_set(fail, header.len ? FAIL_INVALID_TOKEN : FAIL_AUTHENTICATION, NULL);
    }
    *ret_identity = (struct identity){.kind = IDENTITY_OAUTH, .org = "default", .environment = "production", .org_number = 1, .user_id = 5};
    return true;
}

static int call_nested(struct exchange *parent);

void host_function_call(struct host *host, struct exchange *exchange, struct view api_name)
{
    (void)host;
    seen.runs++;
    seen.kind = exchange->identity.kind;
    snprintf(seen.name, sizeof seen.name, "%.*s", VIEW_ARGS(api_name));
    snprintf(seen.environment, sizeof seen.environment, "%s", exchange->identity.environment);
    snprintf(seen.method, sizeof seen.method, "%.*s", VIEW_ARGS(exchange->method));
    snprintf(seen.body, sizeof seen.body, "%.*s", VIEW_ARGS(exchange->body));
    if (seen.nested_web) {
        seen.nested_status = call_nested(exchange);
    }
    exchange_reply_json(exchange, 200, VIEW("{}"));
}

bool host_ext_publish(struct host *host, const struct identity *who, const struct host_source *source, const struct host_message *message,
                      struct host_published *ret_published, struct fail *fail)
{
    (void)host;
    (void)who;
    message->line(message->user, LOG_WARN, source->path);
    *ret_published = (struct host_published){.namespace = "ns", .version = "1.0.0", .is_new = true};
    return strcmp(source->path, "/bad") != 0 || fail_set(fail, FAIL_COMPILE, NULL);
}

bool host_ext_list(struct host *host, const struct identity *who, bool all, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    (void)host;
    (void)who;
    (void)all;
    (void)fail;
    *ret_list = value_list(heap, 1);
    return true;
}

bool host_widgets(struct host *host, struct view namespace, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    (void)host;
    (void)namespace;
    *ret_list = value_list(heap, 1);
    return ret_list->type == VALUE_LIST || fail_set(fail, FAIL_MEMORY, NULL);
}

bool host_ext_show(struct host *host, const struct identity *who, struct view namespace, struct heap *heap, struct value *ret_map,
                   struct fail *fail)
{
    (void)who;
    (void)host;
    *ret_map = value_map(heap, 1);
    map_put_text(heap, ret_map->map, VIEW("namespace"), value_text(heap, namespace));
    return view_eq(namespace, VIEW("ns")) || fail_set(fail, FAIL_NOT_FOUND, NULL);
}

bool host_signals_list(struct host *host, const struct identity *who, int limit, struct heap *heap, struct value *ret_list,
                       struct fail *fail)
{
    (void)host;
    (void)fail;
    *ret_list = value_list(heap, 2);
    list_add(heap, ret_list->list, value_number(who->kind));
    list_add(heap, ret_list->list, value_number(limit));
    return true;
}

bool host_org_owner(struct host *host, struct view org, bool sandbox, struct identity *ret_identity, struct fail *fail)
{
    (void)host;
    if (org.len && !view_eq(org, VIEW("acme"))) {
        return fail_set(fail, FAIL_NOT_FOUND, NULL);
    }
    *ret_identity = (struct identity){.kind = IDENTITY_OWNER, .org = "default", .org_number = org.len ? 2 : 1};
    snprintf(ret_identity->environment, sizeof ret_identity->environment, "%s", sandbox ? "sandbox" : "production");
    return true;
}

bool host_key_show(struct host *host, const struct identity *who, struct view namespace, char ret_key[AUTH_KEY_LEN + 1], struct fail *fail)
{
    (void)host;
    (void)who;
    (void)namespace;
    (void)fail;
    snprintf(ret_key, AUTH_KEY_LEN + 1, "1003.K");
    return true;
}

bool host_logs(struct host *host, const struct runlog_query *query, struct heap *heap, struct value *ret_list, int64_t *ret_last,
               struct fail *fail)
{
    (void)host;
    (void)fail;
    *ret_list = value_list(heap, 1);
    list_add(heap, ret_list->list, value_text(heap, query->function));
    list_add(heap, ret_list->list, value_number(query->limit));
    list_add(heap, ret_list->list, value_bool(query->failures));
    *ret_last = query->after + 7;
    return true;
}

bool host_function_urls(struct host *host, const struct identity *who, struct view namespace, bool with_key, struct buffer *out,
                        struct fail *fail)
{
    (void)host;
    (void)who;
    (void)namespace;
    (void)fail;
    buffer_printf(out, "function 2.0 ns__fn http://h/x?zapikey=%s\n", with_key ? "1003.K" : "1003.…");
    return true;
}

// ---- asking -------------------------------------------------------------------------------------

static struct web *web;
static struct arena arena;
static struct exchange exchange;
static struct exchange_header request_headers[4];

#define FUNCTION "/crm/v7/functions/ns__fn/actions/execute"

static int begin(void **state)
{
    (void)state;
    struct fail fail;
    memset(&seen, 0, sizeof seen);
    arena_init(&arena, 1 << 20);
    return web_open_inside(NULL, &web, &fail) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    web_close(web);
    arena_free(&arena);
    limits[LIMIT_KEY_RUNS] = limits[LIMIT_PROCESS_RUNS] = 10;
    return 0;
}

static bool read_body(struct exchange *asking, size_t bytes_max, struct fail *fail)
{
    struct view *body = asking->transport;
    seen.body_reads++;
    seen.body_bytes_max = bytes_max;
    if (body->len > bytes_max) {
        return fail_set(fail, FAIL_TOO_LARGE, NULL);
    }
    asking->body = *body;
    asking->body_read = true;
    return true;
}

// A request from elsewhere; the last header row may be absent.
static void prepare(const char *method, const char *target, const char *header, const char *value)
{
    struct view path = view_of(target), query = path;
    static struct view body;
    body = VIEW("payload");
    path = view_cut(&query, '?');
    request_headers[0] = (struct exchange_header){view_of(header), view_of(value)};
    exchange = (struct exchange){.arena = &arena,
                                 .id = "id",
                                 .method = view_of(method),
                                 .path = path,
                                 .query = query,
                                 .headers = request_headers,
                                 .header_count = header ? 1 : 0,
                                 .peer = VIEW("192.0.2.1"),
                                 .read_body = read_body,
                                 .transport = &body};
}

static int ask_with(const char *method, const char *target, const char *header, const char *value)
{
    prepare(method, target, header, value);
    web_dispatch(web, &exchange);
    return exchange.status;
}

static int ask(const char *method, const char *target)
{
    return ask_with(method, target, NULL, NULL);
}

// The owner, through control.sock.
static int ask_owner(const char *method, const char *target, const char *body)
{
    prepare(method, target, NULL, NULL);
    exchange.local = true;
    exchange.peer = VIEW_NONE;
    exchange.body = view_of(body);
    exchange.body_read = true;
    web_dispatch(web, &exchange);
    return exchange.status;
}

static int call_nested(struct exchange *parent)
{
    struct exchange child = {.arena = parent->arena,
                             .id = "child",
                             .method = VIEW("GET"),
                             .path = VIEW(FUNCTION),
                             .local = true,
                             .body_read = true,
                             .nested = (const struct host_nested *)&seen};
    struct web *inner = seen.nested_web;
    seen.nested_web = NULL;
    web_dispatch(inner, &child);
    return child.status;
}

static bool body_has(const char *text)
{
    return view_find(exchange.reply_body, view_of(text)) >= 0;
}

static struct view reply_header(const char *name)
{
    for (int i = 0; i < exchange.reply_header_count; i++) {
        if (view_eq_nocase(exchange.reply_headers[i].name, view_of(name))) {
            return exchange.reply_headers[i].value;
        }
    }
    return VIEW_NONE;
}

// ---- functions ----------------------------------------------------------------------------------

static void keys_come_in_the_query_or_a_header(void **state)
{
    (void)state;
    assert_int_equal(ask("POST", FUNCTION "?auth_type=apikey&zapikey=1003.K"), 200);
    assert_int_equal(ask("GET", FUNCTION "?zapikey=1003%2EK"), 200);
    assert_int_equal(ask_with("GET", FUNCTION, "x-sluice-key", "1003.K"), 200);
    assert_int_equal(ask("GET", "/crm/v2/settings/custom_functions/ns.fn/execute?zapikey=1003.K"), 200);
    assert_string_equal(seen.name, "ns.fn");
    assert_int_equal(seen.runs, 4);
}

static void callers_without_a_good_key_do_not_get_in(void **state)
{
    (void)state;
    static const char *const targets[] = {FUNCTION,
                                          FUNCTION "?zapikey=",
                                          FUNCTION "?zapikey=1003.X",
                                          FUNCTION "?auth_type=apikey",
                                          FUNCTION "?auth_type=oauth&zapikey=1003.K",
                                          FUNCTION "?auth_type=other"};
    for (size_t i = 0; i < BASE_COUNT(targets); i++) {
        assert_int_equal(ask("POST", targets[i]), 401);
        assert_true(body_has("\"code\":\"AUTHENTICATION_FAILURE\""));
    }
    assert_int_equal(seen.runs, 0);
    assert_int_equal(seen.body_reads, 0); // nothing is read for them
}

static void tokens_belong_to_one_environment(void **state)
{
    (void)state;
    assert_int_equal(ask_with("GET", FUNCTION "?auth_type=oauth", "authorization", "Zoho-oauthtoken T"), 200);
    assert_int_equal(seen.kind, IDENTITY_OAUTH);
    assert_int_equal(ask_with("GET", FUNCTION, "authorization", "Zoho-oauthtoken T"), 200);
    assert_int_equal(ask_with("GET", FUNCTION "?auth_type=OAuth", "authorization", "Zoho-oauthtoken X"), 401);
    assert_true(body_has("INVALID_TOKEN"));
    assert_int_equal(ask_with("GET", "/sandbox" FUNCTION "?auth_type=oauth", "authorization", "Zoho-oauthtoken T"), 401);
}

static void sandbox_is_asked_by_path_or_host(void **state)
{
    (void)state;
    assert_int_equal(ask("GET", FUNCTION "?zapikey=1003.K"), 200);
    assert_string_equal(seen.environment, "production");
    assert_int_equal(ask("GET", "/sandbox" FUNCTION "?zapikey=1003.K"), 200);
    assert_string_equal(seen.environment, "sandbox");
    assert_int_equal(ask_with("GET", FUNCTION "?zapikey=1003.K", "host", "Sandbox.zohoapis.com"), 200);
    assert_string_equal(seen.environment, "sandbox");
    assert_int_equal(ask_with("GET", FUNCTION "?zapikey=1003.K", "host", "crm.zoho.com"), 200);
    assert_string_equal(seen.environment, "production");
}

static void options_never_runs_a_function(void **state)
{
    (void)state;
    assert_int_equal(ask("OPTIONS", FUNCTION "?zapikey=1003.K"), 204);
    assert_true(view_find(reply_header("Allow"), VIEW("POST")) >= 0);
    assert_int_equal(ask("OPTIONS", "*"), 204);
    assert_int_equal(seen.runs, 0);
}

static void head_runs_as_get(void **state)
{
    (void)state;
    assert_int_equal(ask("HEAD", FUNCTION "?zapikey=1003.K"), 200);
    assert_string_equal(seen.method, "GET");
    assert_true(view_eq(exchange.method, VIEW("HEAD"))); // for the transport and the log
}

static void bodies_are_read_up_to_the_limit(void **state)
{
    (void)state;
    assert_int_equal(ask("POST", FUNCTION "?zapikey=1003.K"), 200);
    assert_string_equal(seen.body, "payload");
    assert_int_equal(seen.body_bytes_max, 1000);
    limits[LIMIT_BODY_BYTES] = 3;
    int status = ask("POST", FUNCTION "?zapikey=1003.K");
    limits[LIMIT_BODY_BYTES] = 1000;
    assert_int_equal(status, 413);
    assert_true(body_has("REQUEST_ENTITY_TOO_LARGE"));
    assert_int_equal(seen.runs, 1);
    assert_int_equal(atomic_load(&web->admission.process), 0); // refused calls are not in flight any more
}

static void calls_over_the_limits_are_told_when_to_return(void **state)
{
    (void)state;
    web->admission.key_max = 0;
    assert_int_equal(ask("POST", FUNCTION "?zapikey=1003.K"), 429);
    assert_true(body_has("TOO_MANY_REQUESTS"));
    assert_true(view_eq(reply_header("Retry-After"), VIEW("1")));
    assert_true(view_eq(reply_header("X-API-CREDITS-REMAINING"), VIEW("0")));
    web->admission.key_max = 10;
    web->admission.process_max = 0;
    assert_int_equal(ask("POST", FUNCTION "?zapikey=1003.K"), 503);
    assert_true(view_eq(reply_header("Retry-After"), VIEW("1")));
    web->admission.process_max = 1;
    for (int i = 0; i < 3; i++) { // one at a time is allowed, and each gives its place back
        assert_int_equal(ask("POST", FUNCTION "?zapikey=1003.K"), 200);
    }
    assert_int_equal(seen.runs, 3);
}

static void scripts_are_not_the_owner_of_what_they_call(void **state)
{
    (void)state;
    seen.nested_web = web;
    assert_int_equal(ask("POST", FUNCTION "?zapikey=1003.K"), 200);
    assert_int_equal(seen.nested_status, 401);
    assert_int_equal(seen.runs, 1);
}

static void a_stopped_server_takes_no_new_calls(void **state)
{
    (void)state;
    web_stop(web);
    assert_int_equal(ask("POST", FUNCTION "?zapikey=1003.K"), 503);
    assert_int_equal(ask_owner("GET", "/control/ext", NULL), 503);
    assert_int_equal(ask("GET", "/healthz"), 200);
    assert_int_equal(seen.runs, 0);
}

static void nested_calls_keep_their_environment(void **state)
{
    (void)state;
    prepare("GET", FUNCTION "?zapikey=1003.K", NULL, NULL);
    exchange.nested = (const struct host_nested *)&seen;
    exchange.sandbox = true; // host saw "sandbox.zohoapis.com" in the script's URL
    web_dispatch(web, &exchange);
    assert_string_equal(seen.environment, "sandbox");
    prepare("GET", FUNCTION "?zapikey=1003.K", NULL, NULL);
    exchange.sandbox = true; // nobody else can say so
    web_dispatch(web, &exchange);
    assert_string_equal(seen.environment, "production");
}

static void unknown_paths_and_bad_ones(void **state)
{
    (void)state;
    assert_int_equal(ask("GET", "/crm/v1/functions/ns__fn/actions/execute?zapikey=1003.K"), 404);
    assert_true(body_has("INVALID_URL_PATTERN"));
    assert_int_equal(ask("GET", FUNCTION "/?zapikey=1003.K"), 404);
    assert_int_equal(ask("GET", "/crm/v2/functions/%zz/actions/execute?zapikey=1003.K"), 400);
    assert_int_equal(ask("DELETE", "/metrics"), 400);
    assert_true(body_has("INVALID_REQUEST_METHOD"));
    assert_true(view_eq(reply_header("Allow"), VIEW("GET, HEAD, OPTIONS")));
}

// ---- the others ---------------------------------------------------------------------------------

static void control_is_the_owners_alone(void **state)
{
    (void)state;
    static const char *const targets[] = {"/control/ext", "/control/ext/ns", "/control/keys/ns", "/control/functions", "/control/logs"};
    for (size_t i = 0; i < BASE_COUNT(targets); i++) {
        assert_int_equal(ask("GET", targets[i]), 404);
        assert_int_equal(ask_owner("GET", targets[i], NULL), 200);
    }
    assert_int_equal(ask("POST", "/control/ext/install"), 404);
    prepare("GET", "/control/keys/ns", NULL, NULL);
    exchange.local = true;
    exchange.nested = (const struct host_nested *)&seen;
    web_dispatch(web, &exchange);
    assert_int_equal(exchange.status, 404);
}

static void control_answers_in_json(void **state)
{
    (void)state;
    ask_owner("GET", "/control/keys/ns", NULL);
    assert_true(view_eq(exchange.reply_body, VIEW("{\"zapikey\":\"1003.K\"}")));
    ask_owner("GET", "/control/functions?keys=true", NULL);
    assert_true(view_eq(exchange.reply_body, VIEW("[{\"version\":\"2.0\",\"name\":\"ns__fn\",\"url\":\"http://h/x?zapikey=1003.K\"}]")));
    ask_owner("GET", "/control/logs?function=a.b&failures=true&limit=5&after=3", NULL);
    assert_true(view_eq(exchange.reply_body, VIEW("{\"runs\":[\"a.b\",5,true],\"last\":10}")));
    assert_int_equal(ask_owner("GET", "/control/logs?limit=x", NULL), 400);
    assert_int_equal(ask_owner("GET", "/control/ext/other", NULL), 404);
}

static void control_publishes_absolute_folders(void **state)
{
    (void)state;
    assert_int_equal(ask_owner("POST", "/control/ext/publish", "{\"folder\":\"/x\"}"), 200);
    assert_true(
        view_eq(exchange.reply_body,
                VIEW("{\"namespace\":\"ns\",\"version\":\"1.0.0\",\"new\":true,\"messages\":[{\"level\":\"warning\",\"text\":\"/x\"}]}")));
    static const char *const bad[] = {"", "{", "[]", "{}", "{\"folder\":\"x\"}", "{\"folder\":1}", "{\"folder\":\"/bad\"}"};
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        assert_int_equal(ask_owner("POST", "/control/ext/publish", bad[i]), 400);
    }
}

static void the_owner_may_call_functions_without_a_key(void **state)
{
    (void)state;
    assert_int_equal(ask_owner("POST", FUNCTION, NULL), 200);
    assert_int_equal(seen.kind, IDENTITY_OWNER);
    assert_int_equal(ask_owner("POST", FUNCTION "?zapikey=1003.X", NULL), 401);
}

static void health_is_for_everybody(void **state)
{
    (void)state;
    assert_int_equal(ask("GET", "/healthz"), 200);
    assert_int_equal(ask("GET", "/readyz"), 200);
}

static void metrics_are_for_this_machine(void **state)
{
    (void)state;
    assert_int_equal(ask("GET", "/metrics"), 404);
    static const char *const near[] = {"127.0.0.1", "::1", "::ffff:127.0.0.1"};
    for (size_t i = 0; i < BASE_COUNT(near); i++) {
        prepare("GET", "/metrics", NULL, NULL);
        exchange.peer = view_of(near[i]);
        web_dispatch(web, &exchange);
        assert_int_equal(exchange.status, 200);
        assert_true(body_has("\nsluice_runs_in_flight 0\n"));
    }
    prepare("GET", "/metrics", "x-forwarded-for", "192.0.2.1"); // a proxy on this machine speaks for somebody else
    exchange.peer = VIEW("127.0.0.1");
    web_dispatch(web, &exchange);
    assert_int_equal(exchange.status, 404);
    assert_int_equal(ask_owner("GET", "/metrics", NULL), 200);
}

static void every_route_says_what_it_is(void **state)
{
    (void)state;
    assert_true(web_route_count() > 5);
    for (int i = 0; i < web_route_count(); i++) {
        struct web_route_row row = web_route_at(i);
        assert_true(row.pattern[0] == '/' && row.text[0] && row.method[0] && row.auth[0]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_come_in_the_query_or_a_header),
        TEST(callers_without_a_good_key_do_not_get_in),
        TEST(tokens_belong_to_one_environment),
        TEST(sandbox_is_asked_by_path_or_host),
        TEST(options_never_runs_a_function),
        TEST(head_runs_as_get),
        TEST(bodies_are_read_up_to_the_limit),
        TEST(calls_over_the_limits_are_told_when_to_return),
        TEST(scripts_are_not_the_owner_of_what_they_call),
        TEST(a_stopped_server_takes_no_new_calls),
        TEST(nested_calls_keep_their_environment),
        TEST(unknown_paths_and_bad_ones),
        TEST(control_is_the_owners_alone),
        TEST(control_answers_in_json),
        TEST(control_publishes_absolute_folders),
        TEST(the_owner_may_call_functions_without_a_key),
        TEST(health_is_for_everybody),
        TEST(metrics_are_for_this_machine),
        TEST(every_route_says_what_it_is),
    };
    return cmocka_run_group_tests_name("web/dispatch", tests, NULL, NULL);
}
