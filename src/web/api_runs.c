// SPDX-License-Identifier: Apache-2.0
//
// Callable functions with their URLs, and runs with their logs, and the audit log, for the commands and the console. Owners only.
#include "web/room.h"

enum { RUNS_MAX = 1000, RUNS_WAIT_S_MAX = 25, LOGS_MAX = 10000, LOGS_STANDARD = 100, LINES_BYTES_MAX = 16 << 20 };

// "function VERSION NAME URL" → {"version","name","url"}
static void add_function(struct answer *answer, struct list *list, struct view line)
{
    struct value item = value_map(&answer->heap, 3);
    if (answer->heap.failed) {
        return;
    }
    view_cut(&line, ' ');
    answer_put(answer, item, "version", view_cut(&line, ' '));
    answer_put(answer, item, "name", view_cut(&line, ' '));
    answer_put(answer, item, "url", line);
    list_add(&answer->heap, list, item);
}

void api_function_urls(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct buffer lines;
    answer_open(&answer, exchange);
    buffer_init(&lines, LINES_BYTES_MAX);
    struct value list = value_list(&answer.heap, 16);
    bool reader = exchange->identity.role == AUTH_ROLE_VIEWER; // a key is more than reading
    bool keys = !reader && view_eq(exchange_param(exchange, VIEW("keys")), VIEW("true"));
    bool good = (!answer.heap.failed || fail_set(&answer.fail, FAIL_MEMORY, NULL)) &&
                host_function_urls(web->host, &exchange->identity, exchange_param(exchange, VIEW("namespace")), keys, &lines, &answer.fail);
    for (struct view rest = good ? buffer_view(&lines) : VIEW_NONE; rest.len > 0;) {
        struct view line = view_cut(&rest, '\n');
        if (line.len > 0) {
            add_function(&answer, value_as_list(list), line);
        }
    }
    buffer_free(&lines);
    answer_send(&answer, good, list);
}

static bool read_number(struct exchange *exchange, const char *name, int64_t standard, int64_t *ret_number, struct fail *fail)
{
    struct view text = exchange_param(exchange, view_of(name));
    *ret_number = standard;
    return text.len == 0 || view_to_int64(text, ret_number) || fail_set(fail, FAIL_INVALID_DATA, "%s must be a number", name);
}

// Empty means any. The limit is cut, not refused: `logs` asks again from where it was.
static bool read_query(struct exchange *exchange, struct runlog_query *query, struct fail *fail)
{
    int64_t limit;
    if (!read_number(exchange, "after", 0, &query->after, fail) || !read_number(exchange, "limit", LOGS_STANDARD, &limit, fail)) {
        return false;
    }
    query->limit = (int)(limit < 1 ? 1 : limit > LOGS_MAX ? LOGS_MAX : limit);
    query->org = exchange_param(exchange, VIEW("org"));
    query->environment = exchange_param(exchange, VIEW("environment"));
    query->function = exchange_param(exchange, VIEW("function"));
    query->failures = view_eq(exchange_param(exchange, VIEW("failures")), VIEW("true"));
    return true;
}

void api_audit(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct runlog_query query = {0};
    answer_open(&answer, exchange);
    struct value reply = value_map(&answer.heap, 2), entries = value_null();
    bool good = (!answer.heap.failed || fail_set(&answer.fail, FAIL_MEMORY, NULL)) && read_query(exchange, &query, &answer.fail);
    int64_t last = query.after;
    good = good && host_audit_list(web->host, query.after, query.limit, &answer.heap, &entries, &last, &answer.fail);
    if (good) {
        map_put_text(&answer.heap, value_as_map(reply), VIEW("audit"), entries);
        map_put_text(&answer.heap, value_as_map(reply), VIEW("last"), value_number(last));
    }
    answer_send(&answer, good, reply);
}

void api_logs(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct runlog_query query = {0};
    answer_open(&answer, exchange);
    struct value reply = value_map(&answer.heap, 2), runs = value_null();
    bool good = (!answer.heap.failed || fail_set(&answer.fail, FAIL_MEMORY, NULL)) && read_query(exchange, &query, &answer.fail);
    int64_t last = query.after;
    good = good && host_logs(web->host, &query, &answer.heap, &runs, &last, &answer.fail);
    if (good) {
        map_put_text(&answer.heap, value_as_map(reply), VIEW("runs"), runs);
        map_put_text(&answer.heap, value_as_map(reply), VIEW("last"), value_number(last));
    }
    answer_send(&answer, good, reply);
}

// ---- for whoever looks at runs ------------------------------------------------------------------

static bool read_positive(struct answer *answer, const char *name, int64_t standard, int64_t most, int64_t *ret_number)
{
    if (!read_number(answer->exchange, name, standard, ret_number, &answer->fail)) {
        return false;
    }
    *ret_number = *ret_number < most ? *ret_number : most;
    return *ret_number >= 0 || fail_set(&answer->fail, FAIL_INVALID_DATA, "%s must not be negative", name);
}

void api_runs_list(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct runlog_query query = {0};
    int64_t wait_s, limit, last = 0;
    answer_open(&answer, exchange);
    struct value reply = value_map(&answer.heap, 2), runs = value_null();
    bool good =
        read_positive(&answer, "after", 0, INT64_MAX, &query.after) && read_positive(&answer, "before", 0, INT64_MAX, &query.before) &&
        read_positive(&answer, "limit", LOGS_STANDARD, RUNS_MAX, &limit) && read_positive(&answer, "wait_s", 0, RUNS_WAIT_S_MAX, &wait_s);
    if (good) {
        query.limit = limit > 0 ? (int)limit : 1;
        query.function = exchange_param(exchange, VIEW("function"));
        query.failures = view_eq(exchange_param(exchange, VIEW("failures")), VIEW("true"));
        good = host_runs_list(web->host, &exchange->identity, &query, wait_s * 1000, &answer.heap, &runs, &last, &answer.fail);
    }
    if (good && reply.type == VALUE_MAP) {
        map_put_text(&answer.heap, reply.map, VIEW("runs"), runs);
        map_put_text(&answer.heap, reply.map, VIEW("last"), value_number(last));
        map_put_text(&answer.heap, reply.map, VIEW("statements_max"), value_number(host_limit(web->host, LIMIT_STATEMENTS)));
    }
    answer_send(&answer, good, reply);
}

void api_runs_figures(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct answer answer;
    struct value figures = value_null();
    answer_open(&answer, exchange);
    bool good =
        host_runs_figures(web->host, &exchange->identity, exchange_param(exchange, VIEW("function")), &answer.heap, &figures, &answer.fail);
    answer_send(&answer, good, figures);
}

void api_run_show(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    struct value run = value_null();
    answer_open(&answer, exchange);
    bool good = host_run_show(web->host, &exchange->identity, params[0], &answer.heap, &run, &answer.fail);
    answer_send(&answer, good, run);
}

void api_run_replay(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    const struct map *edit = NULL;
    char id[HOST_ID_LEN + 1];
    answer_open(&answer, exchange);
    struct value reply = value_map(&answer.heap, 1);
    bool good = (exchange->body.len == 0 || answer_body(&answer, &edit)) &&
                host_run_replay(web->host, &exchange->identity, params[0], edit, id, &answer.fail);
    if (good) {
        answer_put(&answer, reply, "id", view_of(id));
    }
    answer_send(&answer, good, reply);
}

// Of a run as a test, which the page makes.
void api_draft_test(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct answer answer;
    const struct map *map;
    struct value reply = value_null();
    answer_open(&answer, exchange);
    bool good = answer_body(&answer, &map);
    if (good) {
        struct view source = value_view_or(map_get_text(map, VIEW("source")), VIEW(""));
        good = host_draft_test(web->host, &exchange->identity, params[0], params[1], source, &answer.heap, &reply, &answer.fail);
    }
    answer_send(&answer, good, reply);
}
