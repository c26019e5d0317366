// SPDX-License-Identifier: Apache-2.0
// The request that `run` and `call` make from their flags: --param, --body, --header, --method.
#include "cli/request.h"

#include <stdlib.h>

static bool read_body(const struct cli_args *args, struct cli_request *request, struct fail *fail)
{
    const char *body = cli_flag(args, "--body");
    if (!body) {
        return true;
    }
    request->has_body = true;
    if (body[0] != '@') {
        request->body = view_of(body);
        return true;
    }
    size_t len;
    if (!cli_read_file(body + 1, 1 << 30, &request->body_data, &len, fail)) {
        return false;
    }
    request->body = (struct view){request->body_data, len};
    return true;
}

static bool read_headers(const struct cli_args *args, struct cli_request *request, struct fail *fail)
{
    int cursor = 0;
    for (const char *text; (text = cli_flag_next(args, "--header", &cursor));) {
        struct view value = view_of(text), name = view_trim(view_cut(&value, ':'));
        struct view lower = arena_copy(&request->arena, name);
        if (!name.len || !strchr(text, ':') || request->header_count == HOST_HEADERS_MAX || !lower.data) {
            return fail_set(fail, FAIL_USAGE, "--header takes \"Name: value\", at most %d times", HOST_HEADERS_MAX);
        }
        for (size_t i = 0; i < lower.len; i++) {
            char *c = (char *)lower.data + i;
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
        }
        request->headers[request->header_count++] = (struct exchange_header){lower, view_trim(value)};
    }
    return true;
}

static bool read_query(const struct cli_args *args, struct cli_request *request, struct fail *fail)
{
    int cursor = 0;
    for (const char *text; (text = cli_flag_next(args, "--param", &cursor));) {
        struct view value = view_of(text), name = view_cut(&value, '=');
        if (!name.len || !strchr(text, '=')) {
            return fail_set(fail, FAIL_USAGE, "--param takes NAME=VALUE");
        }
        if (request->query.len) {
            buffer_add_char(&request->query, '&');
        }
        form_encode(&request->query, name, true);
        buffer_add_char(&request->query, '=');
        form_encode(&request->query, value, true);
    }
    return !request->query.failed || fail_set(fail, FAIL_MEMORY, NULL);
}

bool cli_request_read(const struct cli_args *args, struct cli_request *request, struct fail *fail)
{
    *request = (struct cli_request){0};
    arena_init(&request->arena, 1 << 20);
    buffer_init(&request->query, 1 << 20);
    if (!read_body(args, request, fail) || !read_headers(args, request, fail) || !read_query(args, request, fail)) {
        cli_request_free(request);
        return false;
    }
    const char *method = cli_flag(args, "--method");
    request->method = method && *method ? method : request->has_body ? "POST" : "GET";
    return true;
}

void cli_request_free(struct cli_request *request)
{
    free(request->body_data);
    buffer_free(&request->query);
    arena_free(&request->arena);
}
