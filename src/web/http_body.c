// SPDX-License-Identifier: Apache-2.0
//
// The chunked body (RFC 9112 §7.1) as a machine that takes one byte at a time outside the data, so that it does not matter how the bytes
// were cut into reads. Sizes are hexadecimal digits and nothing else: no sign, no "0x", no blanks around them, because other programs read
// those differently. Extensions and trailers are tolerated, checked for control bytes, bounded and dropped; nothing of a trailer ever
// becomes a header.
#include "web/http.h"

enum chunk_phase {
    CHUNK_SIZE, // hexadecimal digits
    CHUNK_EXTENSION, // behind ";"
    CHUNK_SIZE_LF,
    CHUNK_BYTES,
    CHUNK_CR, // behind the data
    CHUNK_LF,
    TRAILER_START, // of a line: an empty one ends the body
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    TRAILER_END_LF,
};

void http_chunks_init(struct http_chunks *chunks, uint64_t bytes_max)
{
    *chunks = (struct http_chunks){.phase = CHUNK_SIZE, .bytes_left = bytes_max};
}

static bool refuse(struct fail *fail, const char *text)
{
    return fail_set(fail, FAIL_BAD_REQUEST, "%s", text);
}

static int hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

// The limit is asked where the size is known: a chunk of 4 GB is refused before its first byte has arrived. Sixteen digits fit
// 64 bits, so the shift cannot overflow.
static bool read_size(struct http_chunks *chunks, unsigned char c, struct fail *fail)
{
    int digit = hex_digit(c);
    if (digit >= 0) {
        if (++chunks->count > HTTP_CHUNK_DIGITS_MAX) {
            return refuse(fail, "a chunk size has too many digits");
        }
        chunks->left = chunks->left << 4 | (uint64_t)digit;
        return true;
    }
    if (chunks->count == 0 || (c != '\r' && c != ';')) {
        return refuse(fail, "a chunk size is malformed");
    }
    chunks->count = 0;
    chunks->phase = c == ';' ? CHUNK_EXTENSION : CHUNK_SIZE_LF;
    if (chunks->left > chunks->bytes_left) {
        return fail_set(fail, FAIL_TOO_LARGE, NULL);
    }
    chunks->bytes_left -= chunks->left;
    return true;
}

// RFC 9112 §7.1.1: nothing here understands any extension. A bare CR or LF inside would hide a line end from one of two parsers.
static bool read_extension(struct http_chunks *chunks, unsigned char c, struct fail *fail)
{
    if (c == '\r') {
        chunks->phase = CHUNK_SIZE_LF;
        return true;
    }
    if (is_control(c) || ++chunks->count > HTTP_EXTENSION_BYTES_MAX) {
        return refuse(fail, "a chunk extension is malformed or too long");
    }
    return true;
}

// Trailer lines have the shape of headers and get the same checks; a folded one begins with a blank, which is no name. The bytes
// of all lines are counted together, line ends left out.
static bool read_trailer(struct http_chunks *chunks, unsigned char c, struct fail *fail)
{
    if (++chunks->count > HTTP_TRAILER_BYTES_MAX) {
        return refuse(fail, "the trailers are too long");
    }
    switch (chunks->phase) {
    case TRAILER_START:
        if (c == '\r') {
            chunks->phase = TRAILER_END_LF;
            return true;
        }
        chunks->phase = TRAILER_NAME;
        return http_token_lower[c] || refuse(fail, "a trailer line does not start with a name");
    case TRAILER_NAME:
        if (c == ':') {
            chunks->phase = TRAILER_VALUE;
            return true;
        }
        return http_token_lower[c] || refuse(fail, "a trailer line has no colon behind its name");
    default:
        if (c == '\r') {
            chunks->phase = TRAILER_LF;
            return true;
        }
        return (!is_control(c) || c == '\t') || refuse(fail, "a trailer value holds a control byte");
    }
}

// The bytes that can only be one: CR or LF at its place.
static bool read_line_byte(struct http_chunks *chunks, unsigned char c, struct fail *fail)
{
    if (c != (chunks->phase == CHUNK_CR ? '\r' : '\n')) {
        return refuse(fail, "CR LF is missing in the chunks");
    }
    switch (chunks->phase) {
    case CHUNK_SIZE_LF:
        chunks->phase = chunks->left > 0 ? CHUNK_BYTES : TRAILER_START;
        break;
    case CHUNK_CR:
        chunks->phase = CHUNK_LF;
        break;
    case CHUNK_LF:
        chunks->phase = CHUNK_SIZE;
        break;
    default: // TRAILER_LF; the last line end is seen by http_chunks_read
        chunks->phase = TRAILER_START;
        return true;
    }
    chunks->count = 0;
    return true;
}

static bool read_byte(struct http_chunks *chunks, unsigned char c, struct fail *fail)
{
    switch (chunks->phase) {
    case CHUNK_SIZE:
        return read_size(chunks, c, fail);
    case CHUNK_EXTENSION:
        return read_extension(chunks, c, fail);
    case TRAILER_START:
    case TRAILER_NAME:
    case TRAILER_VALUE:
        return read_trailer(chunks, c, fail);
    default:
        return read_line_byte(chunks, c, fail);
    }
}

// Data is handed out as it lies in the input; everything else goes byte by byte, which is a few per chunk.
enum http_result http_chunks_read(struct http_chunks *chunks, struct view *input, struct view *ret_data, struct fail *fail)
{
    while (input->len > 0) {
        if (chunks->phase == CHUNK_BYTES) {
            size_t take = chunks->left < input->len ? (size_t)chunks->left : input->len;
            *ret_data = view_slice(*input, 0, take);
            *input = view_from(*input, take);
            chunks->left -= take;
            chunks->phase = chunks->left > 0 ? CHUNK_BYTES : CHUNK_CR;
            return HTTP_DATA;
        }
        bool last = chunks->phase == TRAILER_END_LF;
        if (!read_byte(chunks, (unsigned char)input->data[0], fail)) {
            return HTTP_BAD;
        }
        *input = view_from(*input, 1);
        if (last) {
            return HTTP_DONE;
        }
    }
    return HTTP_MORE;
}
