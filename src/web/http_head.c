// SPDX-License-Identifier: Apache-2.0
//
// Request heads. One pass from the first byte to the last; the first wrong byte decides, so a head that arrives in pieces gets the same
// verdict as one that arrives whole: as long as the bytes so far could become a good head the answer is HTTP_MORE, and what needs the whole
// head (Host is there, one way of framing) is asked at its end.
//
// The hard thing is doing this at a cost nobody notices beside a script: long runs (targets, values) are skipped eight bytes at a time,
// names go through one table that both checks and lowers them, and nothing is copied until the head has been accepted.
#include "web/http.h"

// What is left of the head. `at` only moves forward, so no byte is looked at twice but by the skipping loops.
struct cursor {
    const char *start, *at, *end;
    bool full; // the input reaches the limit of a head: there will be no more bytes to look at
};

// ---- bytes --------------------------------------------------------------------------------------

// One table does two things: a zero says that the byte may not stand in a token, anything else is its lower-case form.
// RFC 9110 §5.6.2 lists the marks; "_" is one of them, whatever CGI made of it.
#define DIGITS_AND_LOWER                                                                                                                   \
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',      \
    ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j',      \
    ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't',      \
    ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z'
#define UPPER_AS_LOWER                                                                                                                     \
    ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j',      \
    ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't',      \
    ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z'

const unsigned char http_token_lower[256] = {
    DIGITS_AND_LOWER, UPPER_AS_LOWER, ['!'] = '!', ['#'] = '#', ['$'] = '$', ['%'] = '%', ['&'] = '&', ['\''] = '\'', ['*'] = '*',
    ['+'] = '+',      ['-'] = '-',    ['.'] = '.', ['^'] = '^', ['_'] = '_', ['`'] = '`', ['|'] = '|', ['~'] = '~',
};

// Also used on what scripts put into replies.
bool http_is_token(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!http_token_lower[(unsigned char)text.data[i]]) {
            return false;
        }
    }
    return text.len > 0;
}

// The first byte at or behind `at` that is below `lowest` (at most 0x80) or DEL, or `end`; eight bytes a step.
static inline const char *skip_plain(const char *at, const char *end, unsigned char lowest)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    for (; end - at >= 8; at += 8) {
        uint64_t word, del, hits;
        memcpy(&word, at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        // x - n borrows into a byte's high bit if x < n, or if a byte before it did: so the first hit is a true one.
        del = word ^ (ones * 0x7f);
        hits = (((word - ones * lowest) & ~word) | ((del - ones) & ~del)) & highs;
        if (hits) {
            return at + (__builtin_ctzll(hits) >> 3);
        }
    }
    while (at < end && (unsigned char)*at >= lowest && *at != 0x7f) {
        at++;
    }
    return at;
}

// HTAB is the one control byte that a value may hold (RFC 9110 §5.5); bytes from 0x80 on are opaque and pass.
bool http_is_value(struct view text)
{
    if (text.len == 0) {
        return true; // its data may be NULL
    }
    const char *at = text.data, *end = text.data + text.len;
    while ((at = skip_plain(at, end, 0x20)) < end) {
        if (*at++ != '\t') {
            return false;
        }
    }
    return true;
}

// Every refusal goes through here: the code decides the status, the text is for the person who reads the reply.
static enum http_result bad(struct fail *fail, enum fail_code code, const char *text)
{
    fail_set(fail, code, text ? "%s" : NULL, text);
    return HTTP_BAD;
}

// The bytes ran out: more may come, unless the limit is reached.
static enum http_result want_more(const struct cursor *in, struct fail *fail, enum fail_code over)
{
    return in->full ? bad(fail, over, NULL) : HTTP_MORE;
}

// CR LF, nothing else. `what` is the text of the failure.
static enum http_result read_line_end(struct cursor *in, struct fail *fail, enum fail_code over, const char *what)
{
    if (in->at == in->end) {
        return want_more(in, fail, over);
    }
    if (*in->at != '\r') {
        return bad(fail, FAIL_BAD_REQUEST, *in->at == '\n' ? "a line ends with LF alone" : what);
    }
    if (in->at + 1 == in->end) {
        return want_more(in, fail, over);
    }
    if (in->at[1] != '\n') {
        return bad(fail, FAIL_BAD_REQUEST, "CR without LF");
    }
    in->at += 2;
    return HTTP_DONE;
}

// ---- request line -------------------------------------------------------------------------------

static inline bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

// "_" is not a host name's byte by the RFCs, but container networks hand out such names.
static inline bool is_host_char(unsigned char c)
{
    return is_alnum(c) || c == '.' || c == '-' || c == '_';
}

// host [":" port]: a name of letters, digits, ".", "-", "_", or an IPv6 address in brackets.
static bool is_host(struct view text)
{
    size_t i = 0;
    if (text.len > 0 && text.data[0] == '[') {
        for (i = 1; i < text.len && (is_alnum((unsigned char)text.data[i]) || text.data[i] == ':' || text.data[i] == '.'); i++) {
        }
        if (i < 3 || i == text.len || text.data[i++] != ']') {
            return false;
        }
    } else {
        for (; i < text.len && is_host_char((unsigned char)text.data[i]); i++) {
        }
        if (i == 0) {
            return false;
        }
    }
    if (i == text.len) {
        return true;
    }
    size_t digits = text.len - i - 1;
    if (text.data[i] != ':' || digits < 1 || digits > 5) {
        return false;
    }
    while (++i < text.len) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return true;
}

// http://AUTHORITY/… is what proxies send: the authority is checked and dropped, Host is what counts for the little that it counts (RFC
// 9112 §3.2.2 would prefer the authority; nothing here depends on the host name but the word "sandbox.").
static bool cut_authority(struct view *target)
{
    size_t scheme = view_starts_nocase(*target, VIEW("http://")) ? 7 : view_starts_nocase(*target, VIEW("https://")) ? 8 : 0;
    if (!scheme) {
        return false;
    }
    size_t end = scheme;
    while (end < target->len && target->data[end] != '/' && target->data[end] != '?') {
        end++;
    }
    bool good = is_host(view_slice(*target, scheme, end - scheme));
    *target = view_from(*target, end);
    return good;
}

// Origin form, absolute form, or "*" (RFC 9112 §3.2). Authority form belongs to CONNECT, which is not offered: it fails here.
// The query stays raw: scripts may want its exact bytes, and whoever decodes it decides how.
static bool split_target(struct view target, struct http_head *head)
{
    if (target.len == 1 && target.data[0] == '*') {
        head->path = target;
        head->query = VIEW_NONE;
        return view_eq(head->method, VIEW("OPTIONS"));
    }
    ptrdiff_t slash = view_find_char(target, '/'); // of an absolute target the one in "://": it stands for a missing path
    if (slash < 0 || memchr(target.data, '#', target.len)) {
        return false;
    }
    struct view rest = target;
    if (slash > 0 && !cut_authority(&rest)) {
        return false;
    }
    ptrdiff_t mark = view_find_char(rest, '?');
    head->path = mark < 0 ? rest : view_slice(rest, 0, (size_t)mark);
    head->query = mark < 0 ? VIEW_NONE : view_from(rest, (size_t)mark + 1);
    if (head->path.len == 0) {
        head->path = view_slice(target, (size_t)slash, 1);
    }
    return true;
}

// Byte by byte against a shape, so that "HTTP/1.1" cut anywhere waits and "HTTP/1x" does not. Another major version is a
// client we cannot serve (505); 0.9 has no headers to say so with, and what looks like it is mostly garbage (400).
static enum http_result read_version(struct cursor *in, struct http_head *head, struct fail *fail)
{
    static const char shape[] = "HTTP/d.d";
    char digits[2];
    int count = 0;
    for (const char *want = shape; *want; want++, in->at++) {
        if (in->at == in->end) {
            return want_more(in, fail, FAIL_URI_TOO_LONG);
        }
        if (*want == 'd' ? *in->at < '0' || *in->at > '9' : *in->at != *want) {
            return bad(fail, FAIL_BAD_REQUEST, "the request line does not end in an HTTP version");
        }
        if (*want == 'd') {
            digits[count++] = *in->at;
        }
    }
    enum http_result result = read_line_end(in, fail, FAIL_URI_TOO_LONG, "there is something behind the HTTP version");
    if (result != HTTP_DONE) {
        return result;
    }
    if (digits[0] == '0') {
        return bad(fail, FAIL_BAD_REQUEST, "HTTP/0.9 is not spoken here");
    }
    if (digits[0] != '1' || digits[1] > '1') {
        return bad(fail, FAIL_HTTP_VERSION, NULL);
    }
    head->minor = digits[1] - '0';
    head->keep_alive = head->minor == 1;
    return HTTP_DONE;
}

// METHOD SP TARGET SP VERSION CRLF, one SP each. Any token is a method: functions may be called with all of them.
static enum http_result read_request_line(struct cursor *in, struct http_head *head, struct fail *fail)
{
    // One empty line is forgiven: old clients send a CRLF behind a POST body (RFC 9112 §2.2). Only one: a
    // stream of empty lines would be free work for whoever sends it.
    if (in->at < in->end && *in->at == '\r') {
        enum http_result result = read_line_end(in, fail, FAIL_URI_TOO_LONG, NULL);
        if (result != HTTP_DONE) {
            return result;
        }
    }
    const char *start = in->at;
    while (in->at < in->end && http_token_lower[(unsigned char)*in->at]) {
        if (++in->at - start > HTTP_METHOD_BYTES_MAX) {
            return bad(fail, FAIL_BAD_REQUEST, "the method is too long");
        }
    }
    if (in->at == in->end) {
        return want_more(in, fail, FAIL_URI_TOO_LONG);
    }
    if (in->at == start || *in->at != ' ') {
        return bad(fail, FAIL_BAD_REQUEST, "the request does not start with a method and one blank");
    }
    head->method = (struct view){start, (size_t)(in->at - start)};
    start = ++in->at;
    in->at = skip_plain(in->at, in->end, 0x21);
    if (in->at == in->end) {
        return want_more(in, fail, FAIL_URI_TOO_LONG);
    }
    if (*in->at != ' ' || !split_target((struct view){start, (size_t)(in->at - start)}, head)) {
        return bad(fail, FAIL_BAD_REQUEST, "the request target is malformed");
    }
    in->at++;
    return read_version(in, head, fail);
}

// ---- headers ------------------------------------------------------------------------------------

struct seen { // headers that may stand once
    bool host, encoding;
    bool close, keep_alive, expect_other;
};

// `name` is a token: for those, setting 0x20 makes letters lower-case and turns no other byte into one of `lower`.
static inline bool name_is(struct view name, const char *lower)
{
    for (size_t i = 0; i < name.len; i++) {
        if ((name.data[i] | 0x20) != lower[i]) {
            return false;
        }
    }
    return true;
}

// Digits alone: "+5", "0x5", "5, 5" and "5 " inside mean different things to different programs. Two equal lengths are refused
// as well, because a proxy that joins or drops one of them changes nothing we could see.
static const char *note_length(struct http_head *head, struct view value)
{
    if (head->has_length) {
        return "two Content-Length headers";
    }
    if (value.len < 1 || value.len > HTTP_LENGTH_DIGITS_MAX) {
        return "Content-Length is not a number of 1 to 19 digits";
    }
    uint64_t length = 0; // 19 digits fit
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return "Content-Length is not a number of 1 to 19 digits";
        }
        length = length * 10 + (uint64_t)(value.data[i] - '0');
    }
    if (length > INT64_MAX) {
        return "Content-Length is out of range";
    }
    head->has_length = true;
    head->length = (int64_t)length;
    return NULL;
}

// RFC 9112 §6.1 allows a list that ends in chunked; nobody sends one, and lists are where parsers differ.
static const char *note_encoding(struct http_head *head, struct seen *seen, struct view value)
{
    if (seen->encoding) {
        return "two Transfer-Encoding headers";
    }
    seen->encoding = true;
    if (!view_eq_nocase(value, VIEW("chunked"))) {
        return "the only Transfer-Encoding is chunked";
    }
    head->chunked = true;
    return NULL;
}

// An empty Host is legal for some targets and useless for all of ours.
static const char *note_host(struct http_head *head, struct seen *seen, struct view value)
{
    if (seen->host) {
        return "two Host headers";
    }
    seen->host = true;
    head->host = value;
    return is_host(value) ? NULL : "Host is malformed";
}

// Options other than these two (upgrade, names of hop-by-hop headers) change nothing here. Several headers add up.
static const char *note_connection(struct seen *seen, struct view value)
{
    while (value.len > 0) {
        struct view option = view_trim(view_cut(&value, ','));
        seen->close = seen->close || view_eq_nocase(option, VIEW("close"));
        seen->keep_alive = seen->keep_alive || view_eq_nocase(option, VIEW("keep-alive"));
    }
    return NULL;
}

// Looks at the headers that framing depends on. NULL, or why the request is refused.
static const char *note_header(struct http_head *head, struct seen *seen, struct view name, struct view value)
{
    switch (name.len) {
    case 4:
        return name_is(name, "host") ? note_host(head, seen, value) : NULL;
    case 6:
        if (name_is(name, "expect")) {
            bool known = view_eq_nocase(value, VIEW("100-continue"));
            head->expect_continue = head->expect_continue || known;
            seen->expect_other = seen->expect_other || !known;
        }
        return NULL;
    case 10:
        return name_is(name, "connection") ? note_connection(seen, value) : NULL;
    case 12:
        if (name_is(name, "content-type")) {
            head->content_type = value;
        }
        return NULL;
    case 14:
        return name_is(name, "content-length") ? note_length(head, value) : NULL;
    case 17:
        return name_is(name, "transfer-encoding") ? note_encoding(head, seen, value) : NULL;
    default:
        return NULL;
    }
}

// name ":" OWS value OWS CRLF
static enum http_result read_header(struct cursor *in, struct exchange_header *header, struct fail *fail)
{
    const char *start = in->at;
    while (in->at < in->end && http_token_lower[(unsigned char)*in->at]) {
        in->at++;
    }
    if (in->at == in->end) {
        return want_more(in, fail, FAIL_HEAD_TOO_LARGE);
    }
    if (in->at == start && (*in->at == ' ' || *in->at == '\t')) {
        return bad(fail, FAIL_BAD_REQUEST, "folded header lines are not accepted");
    }
    if (in->at == start || *in->at != ':') {
        return bad(fail, FAIL_BAD_REQUEST, "a header line does not start with a name and a colon");
    }
    header->name = (struct view){start, (size_t)(in->at - start)};
    in->at++;
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t')) {
        in->at++;
    }
    start = in->at;
    while ((in->at = skip_plain(in->at, in->end, 0x20)) < in->end && *in->at == '\t') {
        in->at++;
    }
    const char *end = in->at;
    enum http_result result = read_line_end(in, fail, FAIL_HEAD_TOO_LARGE, "a header value holds a control byte");
    if (result != HTTP_DONE) {
        return result;
    }
    while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    header->value = (struct view){start, (size_t)(end - start)};
    return HTTP_DONE;
}

// Until the empty line. The count is bounded because every header is looked at by every handler that asks for one.
static enum http_result read_headers(struct cursor *in, struct http_head *head, struct seen *seen, struct fail *fail)
{
    for (;;) {
        if (in->at < in->end && *in->at == '\r') {
            return read_line_end(in, fail, FAIL_HEAD_TOO_LARGE, NULL);
        }
        struct exchange_header header;
        enum http_result result = read_header(in, &header, fail);
        if (result != HTTP_DONE) {
            return result;
        }
        if (head->header_count == HTTP_HEADERS_MAX) {
            return bad(fail, FAIL_HEAD_TOO_LARGE, "there are too many headers");
        }
        head->headers[head->header_count++] = header;
        const char *why = note_header(head, seen, header.name, header.value);
        if (why) {
            return bad(fail, FAIL_BAD_REQUEST, why);
        }
    }
}

// What only the whole head can tell.
static enum http_result check_head(struct http_head *head, const struct seen *seen, struct fail *fail)
{
    if (head->minor == 1 && !seen->host) {
        return bad(fail, FAIL_BAD_REQUEST, "the Host header is missing");
    }
    if (head->chunked && head->has_length) {
        return bad(fail, FAIL_BAD_REQUEST, "Content-Length beside Transfer-Encoding");
    }
    if (head->chunked && head->minor == 0) {
        return bad(fail, FAIL_BAD_REQUEST, "Transfer-Encoding in an HTTP/1.0 request");
    }
    if (head->minor == 0) {
        head->expect_continue = false; // such a client cannot read a 100 (RFC 9110 §10.1.1)
    } else if (seen->expect_other) {
        return bad(fail, FAIL_EXPECTATION, NULL);
    }
    head->keep_alive = !seen->close && (head->minor == 1 || seen->keep_alive);
    return HTTP_DONE;
}

enum http_result http_head_read(struct view input, struct http_head *head, struct fail *fail)
{
    size_t len = input.len < HTTP_HEAD_BYTES_MAX ? input.len : HTTP_HEAD_BYTES_MAX;
    struct cursor in = {.start = input.data, .at = input.data, .end = input.data + len, .full = input.len >= HTTP_HEAD_BYTES_MAX};
    struct seen seen = {0};
    head->start = input.data;
    head->header_count = 0; // the array is not cleared: it is longer than all the rest
    head->host = head->content_type = VIEW_NONE;
    head->has_length = head->chunked = head->expect_continue = false;
    head->length = 0;
    enum http_result result = read_request_line(&in, head, fail);
    if (result == HTTP_DONE) {
        result = read_headers(&in, head, &seen, fail);
    }
    if (result == HTTP_DONE) {
        head->bytes = (size_t)(in.at - in.start);
        result = check_head(head, &seen, fail);
    }
    return result;
}

// ---- after the verdict --------------------------------------------------------------------------

static inline void move_view(struct view *view, const char *start, char *copy)
{
    if (view->data) {
        view->data = copy + (view->data - start);
    }
}

// A token in place, eight bytes a step: adding what is missing to 0x80 sets the high bit of letters from "A" on, and of those behind "Z".
static inline void lower_name(char *name, size_t len)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    for (; len >= 8; name += 8, len -= 8) {
        uint64_t word, upper;
        memcpy(&word, name, 8);
        upper = ((word + ones * (0x80 - 'A')) ^ (word + ones * (0x7f - 'Z'))) & highs;
        word |= upper >> 2;
        memcpy(name, &word, 8);
    }
    for (; len > 0; name++, len--) {
        *name = (char)http_token_lower[(unsigned char)*name];
    }
}

void http_head_settle(struct http_head *head, char *copy)
{
    const char *start = head->start;
    memcpy(copy, start, head->bytes);
    head->start = copy;
    move_view(&head->method, start, copy);
    move_view(&head->path, start, copy);
    move_view(&head->query, start, copy);
    move_view(&head->host, start, copy);
    move_view(&head->content_type, start, copy);
    for (int i = 0; i < head->header_count; i++) {
        struct exchange_header *header = &head->headers[i];
        char *name = copy + (header->name.data - start);
        lower_name(name, header->name.len);
        header->name.data = name;
        move_view(&header->value, start, copy);
    }
}

// Is the first line one that http_head_read refuses? Without this an HTTP/0.9 or TLS client would wait for the head's time limit.
// The head below is on the stack of the loop itself, which is big; this runs once a request that comes in pieces.
static bool refuses_first_line(struct view input)
{
    struct cursor in = {.start = input.data, .at = input.data, .end = input.data + input.len, .full = false};
    struct http_head head;
    struct fail fail;
    return read_request_line(&in, &head, &fail) == HTTP_BAD;
}

bool http_head_ready(struct view input, size_t seen)
{
    if (input.len == 0 || input.len >= HTTP_HEAD_BYTES_MAX) {
        return input.len > 0;
    }
    // A line that begins with CR LF ends the head; the empty line before a request line does not count.
    size_t first = input.len >= 2 && input.data[0] == '\r' && input.data[1] == '\n' ? 2 : 0;
    if (input.len > first && seen <= first && !http_token_lower[(unsigned char)input.data[first]] && (first > 0 || input.data[0] != '\r')) {
        return true;
    }
    size_t at = seen > first + 3 ? seen - 3 : first; // the end may lie across the seam
    bool first_line = memchr(input.data + first, '\n', at > first ? at - first : 0) == NULL;
    for (const char *lf; at < input.len && (lf = memchr(input.data + at, '\n', input.len - at)); at = (size_t)(lf - input.data) + 1) {
        size_t behind = (size_t)(lf - input.data) + 1;
        if (lf == input.data || lf[-1] != '\r' || (input.len - behind >= 2 && lf[1] == '\r')) {
            return true;
        }
        if (first_line && input.len - behind < 2 && refuses_first_line(view_slice(input, 0, behind))) {
            return true;
        }
        first_line = false;
    }
    return false;
}
