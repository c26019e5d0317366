// SPDX-License-Identifier: Apache-2.0
//
// Builds reply heads in one pass into one piece of the exchange's arena; a long body is sent from where it lies. Scripts choose header
// names and values (crmAPIResponse), so each is checked here once more although host did: a CR in a value would let a script's caller write
// a second reply.
#include "web/reply.h"

#include <time.h>

#include "web/http.h"

// Clients do not read these, people with curl do.
const char *reply_reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {207, "Multi-Status"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < BASE_COUNT(reasons); i++) {
        if (reasons[i].status == status) {
            return reasons[i].text;
        }
    }
    return "";
}

bool reply_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

// ---- date ---------------------------------------------------------------------------------------

enum { DATE_LEN = 29 }; // "Sun, 06 Nov 1994 08:49:37 GMT"

// The text of this second, made once a second and thread. Copy it before giving way.
static const char *date_now(void)
{
    static _Thread_local struct {
        time_t second;
        char text[DATE_LEN + 1];
    } cache;
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t second = time(NULL); // the coarse clock, which is cheaper
    if (second != cache.second) {
        struct tm tm;
        gmtime_r(&second, &tm);
        char text[64]; // what the compiler thinks the numbers may need
        snprintf(text, sizeof text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
                 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
        memcpy(cache.text, text, DATE_LEN);
        cache.second = second;
    }
    return cache.text;
}

// ---- the head -----------------------------------------------------------------------------------

struct pen {
    char *at;
};

// Room was measured before: putting checks nothing.
static inline void put(struct pen *pen, struct view text)
{
    memcpy(pen->at, text.data, text.len);
    pen->at += text.len;
}

static void put_header(struct pen *pen, struct view name, struct view value)
{
    put(pen, name);
    put(pen, VIEW(": "));
    if (value.len > 0) {
        put(pen, value);
    }
    put(pen, VIEW("\r\n"));
}

// Names that a handler may not set: they frame the message or speak of this connection.
static bool is_ours(const struct exchange *exchange, struct view name)
{
    static const struct view names[] = {VIEW("content-length"), VIEW("transfer-encoding"), VIEW("connection"),  VIEW("date"),
                                        VIEW("host"),           VIEW("keep-alive"),        VIEW("upgrade"),     VIEW("te"),
                                        VIEW("trailer"),        VIEW("proxy-connection"),  VIEW("x-request-id")};
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        if (view_eq_nocase(name, names[i])) {
            return true;
        }
    }
    return exchange->reply_type.len > 0 && view_eq_nocase(name, VIEW("content-type"));
}

// What may not be sent is left out: a reply without an odd header is better than none.
static bool may_send(const struct exchange *exchange, const struct exchange_header *header)
{
    return http_is_token(header->name) && http_is_value(header->value) && !is_ours(exchange, header->name);
}

// Three digits by hand: a printf would cost more than all the rest of the head.
static void put_status(struct pen *pen, int status)
{
    char digits[3] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10)};
    put(pen, VIEW("HTTP/1.1 "));
    put(pen, (struct view){digits, 3});
    put(pen, VIEW(" "));
    put(pen, view_of(reply_reason(status)));
    put(pen, VIEW("\r\nDate: "));
    put(pen, (struct view){date_now(), DATE_LEN});
    put(pen, VIEW("\r\n"));
}

bool reply_head(const struct exchange *exchange, enum reply_connection connection, struct view behind, struct view *ret_head)
{
    // All that is not a header of the handler fits 300 bytes: status line 48, Date 37, Content-Length 38, X-Request-Id 40, Connection 24,
    // names.
    size_t room = 300 + exchange->reply_type.len + behind.len;
    for (int i = 0; i < exchange->reply_header_count; i++) {
        room += exchange->reply_headers[i].name.len + exchange->reply_headers[i].value.len + 4;
    }
    char *bytes = arena_alloc(exchange->arena, room);
    if (!bytes) {
        return false;
    }
    struct pen pen = {bytes};
    int status = exchange->status >= 200 && exchange->status <= 599 ? exchange->status : 500;
    put_status(&pen, status);
    if (reply_has_body(status)) {
        char digits[21];
        if (exchange->reply_type.len > 0 && http_is_value(exchange->reply_type)) {
            put_header(&pen, VIEW("Content-Type"), exchange->reply_type);
        }
        put_header(
            &pen, VIEW("Content-Length"),
            (struct view){digits, int64_print(digits, exchange->reply_next ? exchange->reply_length : (int64_t)exchange->reply_body.len)});
    }
    put_header(&pen, VIEW("X-Request-Id"), view_of(exchange->id));
    for (int i = 0; i < exchange->reply_header_count; i++) {
        if (may_send(exchange, &exchange->reply_headers[i])) {
            put_header(&pen, exchange->reply_headers[i].name, exchange->reply_headers[i].value);
        }
    }
    if (connection != REPLY_STAYS) {
        put_header(&pen, VIEW("Connection"), connection == REPLY_CLOSES ? VIEW("close") : VIEW("keep-alive"));
    }
    put(&pen, VIEW("\r\n"));
    if (behind.len > 0) {
        put(&pen, behind);
    }
    assert((size_t)(pen.at - bytes) <= room);
    *ret_head = (struct view){bytes, (size_t)(pen.at - bytes)};
    return true;
}
