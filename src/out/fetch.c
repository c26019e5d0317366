// SPDX-License-Identifier: Apache-2.0
//
// One outgoing request from end to end: checked, sent, followed over redirects, read back into the heap. The fiber sleeps while pool.c's
// multi works.
//
// Redirects are followed here and not by curl: each hop is a transfer of its own, with the guard knowing the name of that hop's host, and
// without the Authorization, Cookie and secret headers once another origin is reached. Time and reply size are limited over all hops
// together and for each.
//
// libcurl needs more stack than a fiber has: everything that calls it runs on the loop's own stack and gives way to nobody.
#include "out/inside.h"

enum {
    WAIT_GRACE_MS = 2000, // curl ends a transfer by its own clock; this is for the case that it does not
    ERROR_SHOWN_MAX = 200,
};

struct fetch {
    const struct out_request *request;
    const struct library *curl;
    struct pool *pool;
    char *url; // of this hop; curl's memory
    struct view method; // of this hop
    bool has_body; // on this hop
    bool other_origin; // a redirect left the first origin
    int64_t deadline_ms;
    struct curl_slist *headers;
    struct transfer transfer;
    int status;
    char *redirect_url; // where the reply points; curl's memory, NULL if nowhere
    struct fail *fail;
    bool ok; // of the step that ran on the loop's stack
};

// ---- checking the request -----------------------------------------------------------------------

// RFC 9110 §5.6.2.
static bool is_token(struct view text, size_t bytes_max)
{
    if (text.len == 0 || text.len > bytes_max) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c))) {
            return false;
        }
    }
    return true;
}

static bool is_clean(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '\r' || c == '\n' || c == '\0') {
            return false;
        }
    }
    return true;
}

// A line end inside a value would be a second header, or a second request, of the script's making: libcurl sends it on as it is (tried).
static bool check_request(const struct out_request *request, struct fail *fail)
{
    if (!is_token(request->method, OUT_METHOD_BYTES_MAX)) {
        return fail_set(fail, FAIL_OUTBOUND, "the request method is not a valid one");
    }
    if (request->url.len > OUT_URL_BYTES_MAX || !is_clean(request->url)) {
        return fail_set(fail, FAIL_OUTBOUND, "the URL is too long or holds a line end");
    }
    if (request->header_count > OUT_HEADERS_MAX) {
        return fail_set(fail, FAIL_OUTBOUND, "more than %d request headers", OUT_HEADERS_MAX);
    }
    for (int i = 0; i < request->header_count; i++) {
        struct view name = request->headers[i].name;
        if (!is_token(name, OUT_HEAD_BYTES_MAX)) {
            struct view shown = view_slice(name, 0, utf8_clamp(name, 64));
            return fail_set(fail, FAIL_OUTBOUND, "\"%.*s\" is not a header name", VIEW_ARGS(shown));
        }
        if (!is_clean(request->headers[i].value) || request->headers[i].value.len > OUT_HEAD_BYTES_MAX) {
            struct view shown = view_slice(name, 0, utf8_clamp(name, 64));
            return fail_set(fail, FAIL_OUTBOUND, "the value of header \"%.*s\" holds a line end or is too long", VIEW_ARGS(shown));
        }
    }
    return true;
}

// ---- what curl is told --------------------------------------------------------------------------

// Already decoded, so the limit is on what the script would hold, and a small gzip cannot become a large text.
static size_t take_body(char *bytes, size_t one, size_t count, void *arg)
{
    (void)one;
    struct transfer *transfer = arg;
    buffer_add(&transfer->body, (struct view){bytes, count});
    return transfer->body.failed ? 0 : count;
}

// Called with one line at a time, for every response on the way: those before the last (100, 103) are forgotten.
static size_t take_header(char *bytes, size_t one, size_t count, void *arg)
{
    (void)one;
    struct transfer *transfer = arg;
    struct view line = {bytes, count};
    if (view_starts(line, VIEW("HTTP/"))) {
        buffer_reset(&transfer->head);
        transfer->head_done = false;
    } else if (!transfer->head_done) {
        buffer_add(&transfer->head, line);
        transfer->head_done = view_trim(line).len == 0;
    }
    return transfer->head.failed ? 0 : count;
}

// Headers that belong to the connection and not to the script.
static bool is_ours(struct view name)
{
    static const char *const ours[] = {
        "host",    "content-length", "transfer-encoding", "connection",         "keep-alive", "te", "trailer",
        "upgrade", "expect",         "proxy-connection",  "proxy-authorization"};
    for (size_t i = 0; i < BASE_COUNT(ours); i++) {
        if (view_eq_nocase(name, view_of(ours[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_secret(const struct out_header *header)
{
    return header->secret || view_eq_nocase(header->name, VIEW("authorization")) || view_eq_nocase(header->name, VIEW("cookie"));
}

static bool describes_body(struct view name)
{
    return view_starts_nocase(name, VIEW("content-"));
}

// curl copies the line.
static bool add_line(struct fetch *fetch, const char *line)
{
    struct curl_slist *longer = fetch->curl->slist_append(fetch->headers, line);
    fetch->headers = longer ? longer : fetch->headers;
    return longer != NULL;
}

static bool add_header(struct fetch *fetch, struct view name, struct view value)
{
    struct buffer line;
    buffer_init(&line, (size_t)2 * OUT_HEAD_BYTES_MAX + 8);
    buffer_add(&line, name);
    // curl's spelling of a header without a value is "Name;" ("Name:" would take the header away)
    buffer_add(&line, value.len > 0 ? VIEW(": ") : VIEW(";"));
    buffer_add(&line, value);
    bool added = !line.failed && add_line(fetch, buffer_text(&line));
    buffer_free(&line);
    return added;
}

// A redirect that turned the request into a GET also lost its body, and with it the headers that describe a body.
static bool build_headers(struct fetch *fetch)
{
    const struct out_request *request = fetch->request;
    bool typed = false, named = false;
    bool ok = add_line(fetch, "Expect:"); // no waiting for 100 Continue
    for (int i = 0; i < request->header_count && ok; i++) {
        struct view name = request->headers[i].name;
        if (is_ours(name) || (fetch->other_origin && is_secret(&request->headers[i])) ||
            (request->has_body && !fetch->has_body && describes_body(name))) {
            continue;
        }
        typed = typed || view_eq_nocase(name, VIEW("content-type"));
        named = named || view_eq_nocase(name, VIEW("user-agent"));
        ok = add_header(fetch, name, view_trim(request->headers[i].value));
    }
    ok = ok && (typed || add_line(fetch, "Content-Type:")); // curl would say urlencoded
    return ok && (named || add_line(fetch, "User-Agent: Sluice/" SLUICE_VERSION));
}

// CUSTOMREQUEST only changes the word; what goes along is said by NOBODY and POSTFIELDS. POST, PUT and PATCH without a body send a length
// of 0, which many servers insist on.
static void set_method(struct fetch *fetch, const char *method)
{
    const struct library *curl = fetch->curl;
    CURL *easy = fetch->transfer.easy;
    bool head = view_eq(fetch->method, VIEW("HEAD"));
    bool expected = view_eq(fetch->method, VIEW("POST")) || view_eq(fetch->method, VIEW("PUT")) || view_eq(fetch->method, VIEW("PATCH"));
    if (head) {
        curl->easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (fetch->has_body || expected) {
        struct view body = fetch->has_body ? fetch->request->body : VIEW("");
        curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        curl->easy_setopt(easy, CURLOPT_POSTFIELDS, body.len > 0 ? body.data : "");
    }
    curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_options(struct fetch *fetch, int64_t left_ms)
{
    const struct library *curl = fetch->curl;
    struct transfer *transfer = &fetch->transfer;
    CURL *easy = transfer->easy;
    curl->easy_setopt(easy, CURLOPT_URL, fetch->url);
    transfer_set_common(transfer, left_ms);
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl->easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl->easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->headers);
    char method[OUT_METHOD_BYTES_MAX + 1];
    memcpy(method, fetch->method.data, fetch->method.len);
    method[fetch->method.len] = '\0';
    set_method(fetch, method);
}

// ---- URLs ---------------------------------------------------------------------------------------

// Reads `text`, encodes blanks and bytes that are not ASCII, and gives the whole and the host (both curl's memory).
static bool read_url(struct fetch *fetch, const char *text, char **ret_url, char **ret_host)
{
    const struct library *curl = fetch->curl;
    CURLU *url = curl->url();
    char *whole = NULL, *host = NULL, *scheme = NULL;
    bool ok = url && curl->url_set(url, CURLUPART_URL, text, CURLU_URLENCODE) == CURLUE_OK &&
              curl->url_get(url, CURLUPART_URL, &whole, 0) == CURLUE_OK && curl->url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
              curl->url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK;
    ok = ok && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) && host[0] != '\0' && strlen(host) < OUT_HOST_BYTES_MAX;
    curl->free(scheme);
    curl->url_cleanup(url);
    if (!ok) {
        curl->free(whole);
        curl->free(host);
        struct view shown = view_of(text);
        shown = view_cut(&shown, '?'); // the query may hold keys
        shown = view_slice(shown, 0, utf8_clamp(shown, ERROR_SHOWN_MAX));
        return fail_set(fetch->fail, FAIL_OUTBOUND, "\"%.*s\" is not a URL that can be called: http:// and https:// are", VIEW_ARGS(shown));
    }
    *ret_url = whole;
    *ret_host = host;
    return true;
}

// Default ports count as written out.
static bool same_part(const struct library *curl, CURLU *a, CURLU *b, CURLUPart part)
{
    char *x = NULL, *y = NULL;
    bool same = curl->url_get(a, part, &x, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                curl->url_get(b, part, &y, CURLU_DEFAULT_PORT) == CURLUE_OK && view_eq_nocase(view_of(x), view_of(y));
    curl->free(x);
    curl->free(y);
    return same;
}

// Scheme, host and port are equal.
static bool same_origin(const struct library *curl, const char *from, const char *to)
{
    CURLU *a = curl->url(), *b = curl->url();
    bool same = a && b && curl->url_set(a, CURLUPART_URL, from, 0) == CURLUE_OK && curl->url_set(b, CURLUPART_URL, to, 0) == CURLUE_OK &&
                same_part(curl, a, b, CURLUPART_SCHEME) && same_part(curl, a, b, CURLUPART_HOST) && same_part(curl, a, b, CURLUPART_PORT);
    curl->url_cleanup(a);
    curl->url_cleanup(b);
    return same;
}

// ---- one hop, in three steps: begin and end on the loop's stack, the wait between them on the fiber ----

// Opens the library and takes the request's own URL for the first hop.
static void open_fetch(void *arg)
{
    struct fetch *fetch = arg;
    fetch->ok = false;
    fetch->curl = library_open(fetch->fail);
    if (!fetch->curl) {
        return;
    }
    struct buffer url;
    buffer_init(&url, OUT_URL_BYTES_MAX + 1);
    buffer_add(&url, fetch->request->url);
    char *host = NULL;
    if (read_url(fetch, buffer_text(&url), &fetch->url, &host)) {
        memcpy(fetch->transfer.host, host, strlen(host) + 1);
        fetch->curl->free(host);
        fetch->ok = true;
    }
    buffer_free(&url);
}

// Whatever was begun when this fails is undone by end_hop.
static void begin_hop(void *arg)
{
    struct fetch *fetch = arg;
    struct transfer *transfer = &fetch->transfer;
    int64_t left_ms = fetch->deadline_ms - loop_now_ms();
    fetch->ok = false;
    if (left_ms <= 0) {
        fail_set(fetch->fail, FAIL_OUTBOUND, "socket timeout error");
        return;
    }
    if (!pool_find(fetch->curl, &fetch->request->policy, &fetch->pool, fetch->fail)) {
        return;
    }
    transfer->easy = pool_take(fetch->pool);
    if (!transfer->easy || !build_headers(fetch)) {
        fail_set(fetch->fail, FAIL_MEMORY, NULL);
        return;
    }
    set_options(fetch, left_ms);
    fetch->ok = pool_begin(fetch->pool, transfer);
    if (!fetch->ok) {
        fail_set(fetch->fail, FAIL_OUTBOUND, "the request could not be begun");
    }
}

// Also after a failure or a cancelled wait: the handle must leave the multi before the fiber's stack goes.
static void end_hop(void *arg)
{
    struct fetch *fetch = arg;
    struct transfer *transfer = &fetch->transfer;
    if (transfer->easy) {
        if (transfer->done && transfer->result == CURLE_OK) {
            long status = 0;
            const char *location = NULL;
            fetch->curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
            fetch->curl->easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &location);
            fetch->status = (int)status;
            char *host = NULL;
            bool followed = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
            if (followed && location && read_url(fetch, location, &fetch->redirect_url, &host)) {
                memcpy(transfer->host, host, strlen(host) + 1);
                fetch->curl->free(host);
            }
            fetch->ok = !(followed && location && !fetch->redirect_url);
        }
        pool_end(fetch->pool, transfer);
    }
    fetch->curl->slist_free_all(fetch->headers);
    fetch->headers = NULL;
}

// What a script's author reads. No URL: its query may hold a key.
static bool explain(struct fetch *fetch)
{
    const struct transfer *transfer = &fetch->transfer;
    struct fail *fail = fetch->fail;
    if (transfer->refused && (transfer->result == CURLE_COULDNT_CONNECT || transfer->result == CURLE_OPERATION_TIMEDOUT)) {
        return fail_set(fail, FAIL_OUTBOUND, "calling \"%s\" is not allowed: its address is private or reserved (setting outbound.allow)",
                        transfer->host);
    }
    switch (transfer->result) {
    case CURLE_OPERATION_TIMEDOUT:
        return fail_set(fail, FAIL_OUTBOUND, "socket timeout error"); // spec/deluge-language.md §6
    case CURLE_COULDNT_RESOLVE_HOST:
        return fail_set(fail, FAIL_OUTBOUND, "the host \"%s\" could not be found", transfer->host);
    case CURLE_WRITE_ERROR:
        if (transfer->body.failed) {
            return fail_set(fail, FAIL_OUTBOUND, "the response is larger than the %zu bytes allowed", fetch->request->reply_bytes_max);
        }
        if (transfer->head.failed) {
            return fail_set(fail, FAIL_OUTBOUND, "the headers of the response are larger than the %d bytes allowed", OUT_HEAD_BYTES_MAX);
        }
        break;
    default:
        break;
    }
    const char *text = transfer->error[0] ? transfer->error : fetch->curl->easy_strerror(transfer->result);
    return fail_set(fail, FAIL_OUTBOUND, "calling \"%s\" failed: %.*s", transfer->host, ERROR_SHOWN_MAX, text);
}

static bool run_hop(struct fetch *fetch)
{
    struct transfer *transfer = &fetch->transfer;
    buffer_reset(&transfer->head);
    buffer_reset(&transfer->body);
    transfer->head_done = transfer->refused = transfer->done = false;
    transfer->error[0] = '\0';
    loop_event_init(&transfer->event);
    loop_on_thread_stack(begin_hop, fetch);
    bool begun = fetch->ok, waited = false;
    if (begun) {
        int64_t left_ms = fetch->deadline_ms - loop_now_ms();
        waited = loop_event_wait(&transfer->event, (left_ms > 0 ? left_ms : 0) + WAIT_GRACE_MS, fetch->fail);
    }
    loop_on_thread_stack(end_hop, fetch);
    if (!begun) {
        return false;
    }
    if (!waited) {
        return fetch->fail->code == FAIL_TIMEOUT ? fail_set(fetch->fail, FAIL_OUTBOUND, "socket timeout error") : false;
    }
    return transfer->result == CURLE_OK ? fetch->ok : explain(fetch);
}

// RFC 9110 §15.4: 303 asks for the result with GET; 301 and 302 after POST are treated so by everybody; 307 and 308 repeat the request.
static void turn_to_redirect(struct fetch *fetch)
{
    bool post = view_eq(fetch->method, VIEW("POST"));
    if ((fetch->status == 303 && !view_eq(fetch->method, VIEW("HEAD"))) || ((fetch->status == 301 || fetch->status == 302) && post)) {
        fetch->method = VIEW("GET");
        fetch->has_body = false;
    }
    fetch->other_origin = fetch->other_origin || !same_origin(fetch->curl, fetch->url, fetch->redirect_url);
    fetch->curl->free(fetch->url);
    fetch->url = fetch->redirect_url;
    fetch->redirect_url = NULL;
}

static void turn_on_thread_stack(void *arg)
{
    turn_to_redirect(arg);
}

// The first request and at most OUT_REDIRECTS_MAX more.
static bool run_hops(struct fetch *fetch)
{
    for (int hop = 0; hop <= OUT_REDIRECTS_MAX; hop++) {
        if (!run_hop(fetch)) {
            return false;
        }
        if (!fetch->redirect_url) {
            return true;
        }
        loop_on_thread_stack(turn_on_thread_stack, fetch);
        if (fetch->other_origin && fetch->request->stays) {
            return fail_set(fetch->fail, FAIL_OUTBOUND, "the answer leads to another host");
        }
    }
    return fail_set(fetch->fail, FAIL_OUTBOUND, "more than %d redirects", OUT_REDIRECTS_MAX);
}

// ---- the answer ---------------------------------------------------------------------------------

static struct value lower_text(struct heap *heap, struct view text)
{
    char *bytes;
    struct value lower = value_text_space(heap, text.len, &bytes);
    if (heap->failed) {
        return value_null();
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bytes[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return value_text_done(lower, text.len);
}

static void put_header(struct heap *heap, struct map *map, struct view line)
{
    struct view value = line, name = view_cut(&value, ':');
    if (!is_token(name, OUT_HEAD_BYTES_MAX)) {
        return; // blank, or a continued line, which no server may send any more
    }
    struct value key = lower_text(heap, name), text = value_text(heap, view_trim(value));
    bool found = false;
    struct value before = heap->failed ? value_null() : map_get(map, key, &found);
    if (found) {
        text = value_text_concat(heap, value_text_concat(heap, before, VALUE_TEXT_LITERAL(heap, ", ")), text);
    }
    if (!heap->failed) {
        map_put(heap, map, key, text);
    }
}

// The bytes move from the transfer's buffers into the run's heap; only there does the script's memory limit count them.
static bool build_response(struct fetch *fetch, struct heap *heap, struct out_response *ret_response)
{
    struct out_response response = {.status = fetch->status, .headers = value_map(heap, 16)};
    struct view body = buffer_view(&fetch->transfer.body), rest = buffer_view(&fetch->transfer.head);
    char *copy = heap->failed ? NULL : heap_alloc(heap, body.len + 1);
    if (!copy) {
        return fail_set(fetch->fail, FAIL_LIMIT, "not enough memory for the response");
    }
    if (body.len > 0) {
        memcpy(copy, body.data, body.len);
    }
    copy[body.len] = '\0';
    response.body = (struct view){copy, body.len};
    while (rest.len > 0 && !heap->failed) {
        put_header(heap, response.headers.map, view_cut(&rest, '\n'));
    }
    if (heap->failed) {
        return fail_set(fetch->fail, FAIL_LIMIT, "not enough memory for the response");
    }
    response.content_type = value_view_or(map_get_text(response.headers.map, VIEW("content-type")), VIEW(""));
    *ret_response = response;
    return true;
}

bool out_fetch(const struct out_request *request, struct heap *heap, struct out_response *ret_response, struct fail *fail)
{
    if (!check_request(request, fail)) {
        return false;
    }
    struct fetch fetch = {.request = request, .method = request->method, .has_body = request->has_body, .fail = fail};
    int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : OUT_TIMEOUT_MS;
    fetch.deadline_ms = loop_now_ms() + timeout_ms;
    fetch.transfer.policy = &request->policy;
    buffer_init(&fetch.transfer.head, OUT_HEAD_BYTES_MAX);
    buffer_init(&fetch.transfer.body, request->reply_bytes_max);
    loop_on_thread_stack(open_fetch, &fetch);
    bool ok = fetch.ok;
    if (ok) {
        fetch.transfer.curl = fetch.curl;
        ok = run_hops(&fetch) && build_response(&fetch, heap, ret_response);
        fetch.curl->free(fetch.url);
        fetch.curl->free(fetch.redirect_url);
    }
    buffer_free(&fetch.transfer.head);
    buffer_free(&fetch.transfer.body);
    return ok;
}
