// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target: one request as bytes. The first byte chooses how the rest is cut into pieces. Whatever the bytes and the cut: the verdict
// and the body are those of the whole, no view leaves the input, an accepted head keeps its promises (one way of framing, no control bytes,
// Host in 1.1), and the router and the masking of queries take every path and query that the parser let through.
#include <stdlib.h>

#include "web/http.h"
#include "web/room.h"

enum { BODY_BYTES_MAX = 4096 };

#define CHECK(condition) ((condition) ? (void)0 : abort())

static const struct web_route rows[] = {
    {.methods = WEB_ANY, .pattern = "/crm/v{N}/functions/{api_name}/actions/execute"},
    {.methods = WEB_GET, .pattern = "/healthz"},
    {.methods = WEB_POST, .pattern = "/a/{b}/{c}"},
};

struct outcome {
    enum http_result head_result, body_result;
    enum fail_code head_code, body_code;
    size_t head_bytes, body_len, body_hash, rest;
};

static void check_inside(struct view whole, struct view part)
{
    CHECK(part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len));
}

static void check_head(struct view input, struct http_head *head)
{
    bool host = false;
    CHECK(head->bytes > 0 && head->bytes <= input.len && head->bytes <= HTTP_HEAD_BYTES_MAX && head->header_count <= HTTP_HEADERS_MAX);
    CHECK(!(head->chunked && head->has_length) && head->length >= 0 && (head->path.data[0] == '/' || head->path.len == 1));
    CHECK(http_is_token(head->method) && http_is_value(head->path) && http_is_value(head->query));
    char *copy = malloc(head->bytes);
    http_head_settle(head, copy);
    struct view own = {copy, head->bytes};
    check_inside(own, head->method);
    check_inside(own, head->path);
    check_inside(own, head->query);
    for (int i = 0; i < head->header_count; i++) {
        check_inside(own, head->headers[i].name);
        check_inside(own, head->headers[i].value);
        CHECK(http_is_token(head->headers[i].name) && http_is_value(head->headers[i].value));
        host = host || view_eq(head->headers[i].name, VIEW("host"));
    }
    CHECK(head->minor == 0 || host);

    struct arena arena;
    struct router_path path;
    struct router_match match;
    struct fail fail;
    arena_init(&arena, 1 << 20);
    if (router_path_read(&arena, head->path, &path, &fail)) {
        router_path_cut_sandbox(&path);
        router_find(rows, BASE_COUNT(rows), &path, head->method, &match, &fail);
    }
    arena_free(&arena);
    struct buffer shown;
    buffer_init(&shown, 1 << 20);
    web_query_masked(&shown, head->query);
    buffer_free(&shown);
    free(copy);
}

static void read_body(struct view input, size_t piece, struct outcome *outcome)
{
    struct http_chunks chunks;
    struct fail fail = {0};
    size_t at = 0;
    http_chunks_init(&chunks, BODY_BYTES_MAX);
    outcome->body_result = HTTP_MORE;
    while (at < input.len && outcome->body_result == HTTP_MORE) {
        struct view part = view_slice(input, at, piece), rest = part, data;
        while ((outcome->body_result = http_chunks_read(&chunks, &rest, &data, &fail)) == HTTP_DATA) {
            check_inside(part, data);
            for (size_t i = 0; i < data.len; i++) {
                outcome->body_hash = outcome->body_hash * 31 + (unsigned char)data.data[i];
            }
            outcome->body_len += data.len;
            CHECK(outcome->body_len <= BODY_BYTES_MAX);
        }
        at += part.len - rest.len;
    }
    outcome->body_code = outcome->body_result == HTTP_BAD ? fail.code : FAIL_NONE;
    outcome->rest = outcome->body_result == HTTP_DONE ? input.len - at : 0;
}

static struct outcome read_request(struct view input, size_t piece)
{
    static struct http_head head;
    struct outcome outcome = {0};
    struct fail fail = {0};
    size_t len = 0, seen = 0;
    do {
        len = len + piece < input.len ? len + piece : input.len;
        bool ready = http_head_ready(view_slice(input, 0, len), seen);
        outcome.head_result = http_head_read(view_slice(input, 0, len), &head, &fail);
        CHECK(outcome.head_result != HTTP_DONE || ready);
        CHECK(outcome.head_result != HTTP_MORE || !ready);
        seen = len;
    } while (outcome.head_result == HTTP_MORE && len < input.len);
    if (outcome.head_result != HTTP_DONE) {
        outcome.head_code = outcome.head_result == HTTP_BAD ? fail.code : FAIL_NONE;
        return outcome;
    }
    outcome.head_bytes = head.bytes;
    check_head(view_slice(input, 0, len), &head);
    read_body(view_from(input, head.bytes), piece, &outcome);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct view input = {(const char *)data + 1, size - 1};
    struct outcome whole = read_request(input, input.len), cut = read_request(input, (size_t)data[0] + 1);
    CHECK(memcmp(&whole, &cut, sizeof whole) == 0);
    return 0;
}
