// SPDX-License-Identifier: Apache-2.0
//
// The bytes of HTTP/1.x (RFC 9112): request heads and body framing as pure functions over bytes. No sockets, no memory of their own, no
// clock: connection.c feeds them, the unit tests and the fuzzer feed them the same bytes cut at every place and expect the same verdict.
//
// The rule: what two programs could read differently is refused. A proxy in front and this parser must never disagree about where a request
// ends (request smuggling), so there is no repair of bare LF, folded lines, blanks before a colon, two lengths, or a length beside chunks.
// test/http/strict/cases.txt lists the odd inputs with the verdict, and nginx's beside it.
#pragma once

#include "base/base.h"
#include "host/host.h"

enum {
    HTTP_HEAD_BYTES_MAX = 16 * 1024, // request line and headers with their line ends
    HTTP_METHOD_BYTES_MAX = 32,
    HTTP_HEADERS_MAX = HOST_HEADERS_MAX,
    HTTP_LENGTH_DIGITS_MAX = 19, // of Content-Length: what fits int64
    HTTP_CHUNK_DIGITS_MAX = 16,
    HTTP_EXTENSION_BYTES_MAX = 256, // behind one chunk's size
    HTTP_TRAILER_BYTES_MAX = 4 * 1024, // all trailer lines; they are checked and dropped
};

enum http_result {
    HTTP_MORE, // not decided yet: more bytes are needed
    HTTP_DATA, // chunks only: a piece of the body
    HTTP_DONE,
    HTTP_BAD, // the failure record tells; where the request ends is not known any more
};

// ---- the head -----------------------------------------------------------------------------------

struct http_head {
    const char *start; // the bytes it was read from
    size_t bytes; // of the head, with an empty line before it and the one that ends it
    struct view method;
    struct view path, query; // raw; path "*" only with OPTIONS; query without "?"
    int minor; // HTTP/1.minor
    struct exchange_header headers[HTTP_HEADERS_MAX]; // in order; names lower-case after http_head_settle
    int header_count;
    struct view host, content_type; // empty if absent
    bool has_length, chunked, expect_continue;
    int64_t length; // Content-Length, 0 without
    bool keep_alive; // what the client wants, by version and Connection
};

// Reads a head from the front of `input`. Views point into `input`; on HTTP_DONE all of *head is set. Never reads behind
// HTTP_HEAD_BYTES_MAX. Failures: FAIL_BAD_REQUEST, FAIL_URI_TOO_LONG, FAIL_HEAD_TOO_LARGE, FAIL_HTTP_VERSION, FAIL_EXPECTATION.
enum http_result http_head_read(struct view input, struct http_head *head, struct fail *fail);
// Copies the head's bytes to `copy` (head->bytes long), makes its views point there and its header names lower-case, so that the input may
// go.
void http_head_settle(struct http_head *head, char *copy);
// Is it time to call http_head_read? `seen` bytes were looked at before. True for every input that it accepts, and for most that it
// refuses; false otherwise, at a cost that grows with the new bytes alone.
bool http_head_ready(struct view input, size_t seen);

// ---- the body -----------------------------------------------------------------------------------

struct http_chunks {
    int phase; // enum chunk_phase in http_body.c
    unsigned count; // digits, extension bytes or trailer bytes of the phase
    uint64_t left; // bytes of the chunk to come
    uint64_t bytes_left; // of the whole body: what the limit still allows
};
void http_chunks_init(struct http_chunks *chunks, uint64_t bytes_max);
// Takes what it can from the front of *input. HTTP_DATA: *ret_data is the next piece of the body (inside the input); call again. HTTP_DONE:
// the body is complete and *input starts behind it. FAIL_TOO_LARGE as soon as a size line goes over the limit, FAIL_BAD_REQUEST for bad
// framing.
enum http_result http_chunks_read(struct http_chunks *chunks, struct view *input, struct view *ret_data, struct fail *fail);

// ---- small things both sides use ----------------------------------------------------------------

extern const unsigned char http_token_lower[256]; // the lower-case byte for bytes that may stand in a token (RFC 9110 §5.6.2), else 0
bool http_is_token(struct view text); // one byte or more
bool http_is_value(struct view text); // no control bytes but HTAB
