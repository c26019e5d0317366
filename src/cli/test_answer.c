// SPDX-License-Identifier: Apache-2.0
// The world of a test: outgoing requests, tasks of other Zoho services and mails come here instead of leaving the machine. Each is noted,
// then the first of the test's answers that fits replies; several replies are given in turn. What nobody answers fails the test and the
// script's call, and is told with the answer that it lacks.
#include "cli/test.h"

enum { ASKED_BYTES_MAX = 300 };

// ---- noting -------------------------------------------------------------------------------------

static bool is_form(struct view type)
{
    return view_starts_nocase(type, VIEW("application/x-www-form-urlencoded"));
}

// Fields by name; files as {name, type, content}.
static void read_parts(struct test_run *run, struct view type, struct view body, struct map *form)
{
    struct form_reader reader;
    struct form_part part;
    struct fail fail;
    if (!form_open(&reader, type, body, &fail)) {
        return;
    }
    while (form_next(&reader, &part, &fail)) {
        struct value content = value_text(&run->heap, part.bytes), name = form_name(&run->heap, part.name);
        struct map *file = part.file_name.data ? test_map(run) : NULL;
        if (file) {
            test_put(run, file, "name", form_name(&run->heap, part.file_name));
            test_put(run, file, "type", value_text(&run->heap, part.content_type));
            test_put(run, file, "content", content);
            content = (struct value){.type = VALUE_MAP, .map = file};
        }
        map_put(&run->heap, form, name, content);
    }
}

static struct map *note_request(struct test_run *run, const struct out_request *request)
{
    struct heap *heap = &run->heap;
    struct map *noted = test_map(run), *headers = test_map(run), *params = test_map(run), *form = test_map(run);
    struct view query = request->url, type = VIEW("");
    struct fail fail;
    view_cut(&query, '?');
    form_read_urlencoded(heap, query, params, &fail);
    map_set_nocase(headers);
    for (int i = 0; i < request->header_count; i++) {
        char name[128];
        size_t len = request->headers[i].name.len < sizeof name ? request->headers[i].name.len : sizeof name;
        for (size_t k = 0; k < len; k++) {
            char c = request->headers[i].name.data[k];
            name[k] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        }
        type = view_eq((struct view){name, len}, VIEW("content-type")) ? request->headers[i].value : type;
        map_put_text(heap, headers, (struct view){name, len}, value_text(heap, request->headers[i].value));
    }
    test_put(run, noted, "method", value_text(heap, request->method));
    test_put(run, noted, "url", value_text(heap, request->url));
    test_put(run, noted, "params", (struct value){.type = VALUE_MAP, .map = params});
    test_put(run, noted, "headers", (struct value){.type = VALUE_MAP, .map = headers});
    test_put(run, noted, "body", value_text(heap, request->body));
    if (is_form(type)) {
        form_read_urlencoded(heap, request->body, form, &fail);
    } else if (view_starts_nocase(type, VIEW("multipart/form-data"))) {
        read_parts(run, type, request->body, form);
    }
    test_put(run, noted, "form", (struct value){.type = VALUE_MAP, .map = form});
    if (run->requests->count < TEST_REQUESTS_MAX) {
        list_add(heap, run->requests, (struct value){.type = VALUE_MAP, .map = noted});
    }
    return noted;
}

// ---- finding the answer -------------------------------------------------------------------------

static bool says(struct test_run *run, const struct map *answer, const struct map *noted, const char *name)
{
    struct test_check trial = {.heap = &run->heap, .silent = true};
    struct value wanted = map_get_text(answer, view_of(name));
    return value_is_null(wanted) || test_match(&trial, NULL, wanted, map_get_text(noted, view_of(name)), false, false);
}

static bool fits(struct test_run *run, const struct map *answer, const struct map *noted)
{
    struct view url = cli_text(answer, "url"), method = cli_text(answer, "method");
    return url.len && test_match_url(url, cli_text(noted, "url")) && (!method.len || view_eq_nocase(method, cli_text(noted, "method"))) &&
           says(run, answer, noted, "params") && says(run, answer, noted, "headers") && says(run, answer, noted, "body") &&
           says(run, answer, noted, "form");
}

// The reply that is due; NULL when all of them have been given.
static const struct map *next_reply(struct test_run *run, uint32_t index, const struct test_path **ret_path)
{
    const struct map *answer = value_as_map(run->answers->items[index]);
    const struct list *replies = value_as_list(map_get_text(answer, VIEW("replies")));
    const struct test_path *path = TEST_ITEM(run->answers_path, index);
    int given = run->served[index]++;
    if (!replies) {
        *ret_path = test_path_keep(&run->heap, TEST_MEMBER(path, VIEW("reply")));
        return value_as_map(map_get_text(answer, VIEW("reply")));
    }
    *ret_path = test_path_keep(&run->heap, TEST_ITEM(TEST_MEMBER(path, VIEW("replies")), given));
    return given < (int)replies->count ? value_as_map(replies->items[given]) : NULL;
}

static const struct map *find_reply(struct test_run *run, const struct map *noted, struct view task, const struct test_path **ret_path)
{
    for (uint32_t i = 0; run->answers && i < run->answers->count; i++) {
        const struct map *answer = value_as_map(run->answers->items[i]);
        bool good = noted ? fits(run, answer, noted) : test_match_url(cli_text(answer, "task"), task);
        const struct map *reply = good ? next_reply(run, i, ret_path) : NULL;
        if (reply) {
            return reply;
        }
    }
    return NULL;
}

// {"fail": "timeout"} and {"fail": "any text"}: what the script is told.
static bool reply_fails(const struct map *reply, struct fail *fail)
{
    struct view text = cli_text(reply, "fail");
    if (!text.len) {
        return false;
    }
    bool timeout = view_eq_nocase(text, VIEW("timeout"));
    fail_set(fail, FAIL_OUTBOUND, "%.*s", VIEW_ARGS(timeout ? VIEW("socket timeout error") : text)); // spec/deluge-language.md §6
    return true;
}

// ---- outgoing requests --------------------------------------------------------------------------

static bool give_reply(struct test_run *run, const struct map *reply, const struct test_path *path, struct heap *heap,
                       struct out_response *ret_response, struct fail *fail)
{
    struct value body = map_get_text(reply, VIEW("body")), headers = value_map(heap, 4), status = map_get_text(reply, VIEW("status"));
    struct view bytes = VIEW("");
    if (!value_is_null(body) && !test_run_bytes(run, TEST_MEMBER(path, VIEW("body")), body, &bytes)) {
        return fail_set(fail, FAIL_OUTBOUND, "the test's answer cannot be read");
    }
    char *space = heap_alloc(heap, bytes.len + 1);
    if (headers.type != VALUE_MAP || !space) {
        return fail_set(fail, FAIL_LIMIT, "The response does not fit the function's memory");
    }
    memcpy(space, bytes.data, bytes.len);
    map_set_nocase(headers.map);
    map_put_text(heap, headers.map, VIEW("content-type"),
                 value_text(heap, json_looks_like(bytes) ? VIEW("application/json") : VIEW("text/plain;charset=utf-8")));
    const struct map *given = value_as_map(map_get_text(reply, VIEW("headers")));
    uint32_t cursor = 0;
    for (struct map_entry *entry; given && (entry = map_next(given, &cursor));) {
        struct view raw = value_view_or(entry->key, VIEW(""));
        char *name;
        struct value key = value_text_space(heap, raw.len, &name);
        for (size_t i = 0; value_is_text(key) && i < raw.len; i++) {
            name[i] = raw.data[i] >= 'A' && raw.data[i] <= 'Z' ? (char)(raw.data[i] | 0x20) : raw.data[i];
        }
        map_put(heap, headers.map, value_text_done(key, raw.len), value_to_text(heap, entry->value, fail));
    }
    *ret_response = (struct out_response){.status = status.type == VALUE_NUMBER ? (int)status.number : 200,
                                          .headers = headers,
                                          .content_type = value_view_or(map_get_text(headers.map, VIEW("content-type")), VIEW("")),
                                          .body = {space, bytes.len}};
    return !heap->failed || fail_set(fail, FAIL_LIMIT, "The response does not fit the function's memory");
}

static bool answer_request(void *user, const struct out_request *request, bool last, struct heap *heap, bool *ret_answered,
                           struct out_response *ret_response, struct fail *fail)
{
    struct test_run *run = user;
    const struct test_path *path = NULL;
    if (last) {
        struct view url = request->url;
        url = view_cut(&url, '?'); // queries hold keys
        url = view_slice(url, 0, utf8_clamp(url, ASKED_BYTES_MAX));
        if (run->network) {
            return true;
        }
        test_run_broken(
            run, run->answers_path,
            "%.*s %.*s has no answer; give it one: \"answers\": [{\"method\": \"%.*s\", \"url\": \"%.*s\", \"reply\": {\"status\": 200, "
            "\"body\": {}}}], or let it leave the machine: \"network\": true",
            VIEW_ARGS(request->method), VIEW_ARGS(url), VIEW_ARGS(request->method), VIEW_ARGS(url));
        return fail_set(fail, FAIL_OUTBOUND, "the test has no answer for %.*s %.*s", VIEW_ARGS(request->method), VIEW_ARGS(url));
    }
    const struct map *noted = note_request(run, request), *reply = find_reply(run, noted, VIEW(""), &path);
    *ret_answered = reply != NULL;
    return !reply || (!reply_fails(reply, fail) && give_reply(run, reply, path, heap, ret_response, fail));
}

// ---- tasks of other services, mails -------------------------------------------------------------

static bool answer_task(void *user, struct view name, const struct value *args, int count, struct heap *heap, bool *ret_answered,
                        struct value *ret_value, struct fail *fail)
{
    struct test_run *run = user;
    const struct test_path *path = NULL;
    struct map *noted = test_map(run);
    struct value list = value_list(&run->heap, (size_t)count + 1);
    struct fail ignored;
    for (int i = 0; i < count && list.type == VALUE_LIST; i++) {
        list_add(&run->heap, list.list, value_copy(&run->heap, args[i], &ignored));
    }
    test_put(run, noted, "task", value_text(&run->heap, name));
    test_put(run, noted, "arguments", list);
    if (run->requests->count < TEST_REQUESTS_MAX) {
        list_add(&run->heap, run->requests, (struct value){.type = VALUE_MAP, .map = noted});
    }
    const struct map *reply = find_reply(run, NULL, name, &path);
    if (!reply) {
        test_run_broken(run, run->answers_path,
                        "%.*s has no answer; give it one: \"answers\": [{\"task\": \"%.*s\", \"reply\": {\"value\": {}}}]", VIEW_ARGS(name),
                        VIEW_ARGS(name));
        return true; // and the script is told that there is no such service
    }
    *ret_answered = true;
    if (reply_fails(reply, fail)) {
        fail->code = FAIL_SCRIPT;
        return false;
    }
    *ret_value = value_copy(heap, map_get_text(reply, VIEW("value")), fail);
    return true;
}

static struct value people(struct test_run *run, const struct out_address *people, int count)
{
    struct value list = value_list(&run->heap, (size_t)count + 1);
    for (int i = 0; i < count && list.type == VALUE_LIST; i++) {
        list_add(&run->heap, list.list, value_text(&run->heap, people[i].address));
    }
    return list;
}

static bool take_mail(void *user, const struct out_letter *letter, const struct out_address *bcc, int bcc_count, struct fail *fail)
{
    struct test_run *run = user;
    struct map *noted = test_map(run);
    struct value files = value_list(&run->heap, 4);
    for (int i = 0; i < letter->file_count && files.type == VALUE_LIST; i++) {
        struct map *file = test_map(run);
        test_put(run, file, "name", value_text(&run->heap, letter->files[i].name));
        test_put(run, file, "type", value_text(&run->heap, letter->files[i].type));
        test_put(run, file, "content", value_text(&run->heap, letter->files[i].bytes));
        list_add(&run->heap, files.list, (struct value){.type = VALUE_MAP, .map = file});
    }
    test_put(run, noted, "from", value_text(&run->heap, letter->from.address));
    test_put(run, noted, "to", people(run, letter->to, letter->to_count));
    test_put(run, noted, "cc", people(run, letter->cc, letter->cc_count));
    test_put(run, noted, "bcc", people(run, bcc, bcc_count));
    test_put(run, noted, "reply_to", people(run, letter->reply_to, letter->reply_to_count));
    test_put(run, noted, "subject", value_text(&run->heap, letter->subject));
    test_put(run, noted, "message", value_text(&run->heap, letter->text));
    test_put(run, noted, "attachments", files);
    return (run->mails->count < TEST_REQUESTS_MAX && list_add(&run->heap, run->mails, (struct value){.type = VALUE_MAP, .map = noted})) ||
           fail_set(fail, FAIL_LIMIT, "a test takes at most %d mails", TEST_REQUESTS_MAX);
}

// ---- hearing ------------------------------------------------------------------------------------

static void take_line(void *user, struct view function, bool nested, int line, struct view text)
{
    struct test_run *run = user;
    if (run->line_count == run->line_room) {
        int room = run->line_room ? 2 * run->line_room : 64;
        struct test_line *more = heap_alloc(&run->heap, (size_t)room * sizeof *more);
        if (!more) {
            return;
        }
        if (run->line_count) {
            memcpy(more, run->lines, (size_t)run->line_count * sizeof *more);
        }
        run->lines = more;
        run->line_room = room;
    }
    run->lines[run->line_count++] = (struct test_line){.function = value_view_or(value_text(&run->heap, function), VIEW("")),
                                                       .line = line,
                                                       .text = value_view_or(value_text(&run->heap, text), VIEW("")),
                                                       .outer = !nested};
}

static void take_end(void *user, const struct host_ended *ended)
{
    struct test_run *run = user;
    if (ended->nested) {
        return;
    }
    run->outcome = value_text(&run->heap, view_of(ended->outcome));
    run->statements = value_number(ended->statements);
    run->outgoing = value_number(ended->outgoing);
    run->error = value_null();
    struct map *error = ended->fail ? test_map(run) : NULL;
    if (error) {
        test_put(run, error, "message", value_text(&run->heap, view_of(ended->fail->text)));
        test_put(run, error, "line", value_number(ended->fail->line));
        test_put(run, error, "function", value_text(&run->heap, ended->function));
        test_put(run, error, "file", value_text(&run->heap, view_of(ended->fail->file)));
        run->error = (struct value){.type = VALUE_MAP, .map = error};
    }
}

const struct host_answers test_answers = {
    .log = take_line, .ended = take_end, .request = answer_request, .task = answer_task, .mail = take_mail};
