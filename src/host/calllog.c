// SPDX-License-Identifier: Apache-2.0
// The structured line per call, on standard error. Lines are gathered in one buffer and written behind the replies by a fiber of loop 0, so
// that a call costs no system call of its own; what is over the buffer while the disk is slow is dropped and counted, never waited for.
#include "host/inside.h"

#include <time.h>
#include <unistd.h>

enum {
    LOG_BYTES_MAX = 1 << 20,
    FLUSH_MS = 100,
    PATH_MAX_SHOWN = 200, // of a text that a caller chose
    LINE_BYTES_MAX = 5 * PATH_MAX_SHOWN + 384,
    SECOND_LEN = 20, // "2026-01-31T23:59:59."
};

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct buffer pending = {.max = LOG_BYTES_MAX}, writing = {.max = LOG_BYTES_MAX};
static int64_t dropped;
static bool flusher_running;

static void write_pending(void)
{
    pthread_mutex_lock(&log_mutex);
    struct buffer swap = writing;
    writing = pending;
    pending = swap;
    buffer_reset(&pending);
    int64_t lost = dropped;
    dropped = 0;
    pthread_mutex_unlock(&log_mutex);
    for (size_t done = 0; done < writing.len;) {
        ssize_t wrote = write(STDERR_FILENO, writing.data + done, writing.len - done);
        if (wrote <= 0) {
            break;
        }
        done += (size_t)wrote;
    }
    buffer_reset(&writing);
    if (lost) {
        log_line(LOG_WARN, "log", "dropped=%lld lines of calls: standard error is too slow", (long long)lost);
    }
}

// Lives while lines come; the next line after its end starts another, so that an idle server has no timer.
static void flush_fiber(void *arg)
{
    (void)arg;
    struct fail fail;
    bool more = true;
    while (more) {
        bool ok = loop_sleep(FLUSH_MS, &fail);
        write_pending();
        pthread_mutex_lock(&log_mutex);
        more = ok && pending.len > 0;
        flusher_running = more;
        pthread_mutex_unlock(&log_mutex);
    }
}

// A line in the making. It has room for the longest: five texts of PATH_MAX_SHOWN and what stands between them.
struct line {
    bool json;
    char *at;
    char bytes[LINE_BYTES_MAX];
};

static inline void put(struct line *line, struct view text)
{
    memcpy(line->at, text.data, text.len);
    line->at += text.len;
}

static void put_int(struct line *line, int64_t number)
{
    line->at += int64_print(line->at, number);
}

static void put_time(struct line *line)
{
    static __thread int64_t last_second = -1;
    static __thread char text[SECOND_LEN + 12]; // the compiler thinks of long years
    int64_t now_ms = clock_wall_ms();
    if (now_ms / 1000 != last_second) {
        last_second = now_ms / 1000;
        time_t seconds = (time_t)last_second;
        struct tm utc;
        gmtime_r(&seconds, &utc);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &utc);
    }
    int rest = (int)(now_ms % 1000);
    char millis[4] = {(char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10), 'Z'};
    put(line, (struct view){text, SECOND_LEN});
    put(line, (struct view){millis, sizeof millis});
}

// Bytes that could break or forge a line become '?'.
static void put_safe(struct line *line, struct view text)
{
    size_t len = text.len < PATH_MAX_SHOWN ? text.len : PATH_MAX_SHOWN;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        line->at[i] = c <= 0x20 || c >= 0x7F ? '?' : (char)c;
    }
    for (size_t i = 0; line->json && i < len; i++) {
        line->at[i] = line->at[i] == '"' || line->at[i] == '\\' ? '?' : line->at[i];
    }
    line->at += len;
}

// " name=" or ",\"name\":": both are known while this is compiled.
#define PUT_NAME(line, name)                                                                                                               \
    do {                                                                                                                                   \
        if ((line)->json) {                                                                                                                \
            put((line), VIEW(",\"" name "\":"));                                                                                           \
        } else {                                                                                                                           \
            put((line), VIEW(" " name "="));                                                                                               \
        }                                                                                                                                  \
    } while (0)

static inline void put_text(struct line *line, struct view text)
{
    if (line->json) {
        *line->at++ = '"';
    }
    put_safe(line, text);
    if (line->json) {
        *line->at++ = '"';
    }
}

static void put_duration(struct line *line, double duration_ms)
{
    int64_t micros = (int64_t)(duration_ms * 1000);
    put_int(line, micros / 1000);
    char rest[4] = {'.', (char)('0' + micros / 100 % 10), (char)('0' + micros / 10 % 10), (char)('0' + micros % 10)};
    put(line, (struct view){rest, sizeof rest});
}

static struct view write_line(struct line *line, const struct exchange *exchange, enum log_level level, double duration_ms)
{
    bool debug = level == LOG_DEBUG;
    line->at = line->bytes;
    line->json = log_is_json();
    put(line, line->json ? VIEW("{\"time\":\"") : VIEW(""));
    put_time(line);
    put(line, line->json ? VIEW("\",\"level\":\"") : VIEW(" "));
    put(line, debug ? VIEW("debug") : VIEW("info"));
    put(line, line->json ? VIEW("\",\"event\":\"call\"") : VIEW(" call"));
    PUT_NAME(line, "id");
    put_text(line, view_of(exchange->id));
    PUT_NAME(line, "method");
    put_text(line, exchange->method);
    PUT_NAME(line, "path");
    put_text(line, exchange->path); // never the query: keys stand in it
    if (exchange->function.len) {
        PUT_NAME(line, "function");
        put_text(line, exchange->function);
    }
    PUT_NAME(line, "status");
    put_int(line, exchange->status);
    if (exchange->outcome) {
        PUT_NAME(line, "outcome");
        put_text(line, view_of(exchange->outcome));
        PUT_NAME(line, "statements");
        put_int(line, exchange->statements);
    }
    PUT_NAME(line, "duration_ms");
    put_duration(line, duration_ms);
    put(line, line->json ? VIEW("}\n") : VIEW("\n"));
    assert((size_t)(line->at - line->bytes) <= sizeof line->bytes);
    return (struct view){line->bytes, (size_t)(line->at - line->bytes)};
}

// An open page of the console asks all the time; what it asks is no news while it is answered.
static enum log_level level_of(const struct exchange *exchange)
{
    bool page = exchange->identity.role != AUTH_ROLE_NONE && view_eq(exchange->method, VIEW("GET"));
    page = page || view_starts(exchange->path, VIEW("/console"));
    return page && !exchange->outcome && exchange->status < 400 ? LOG_DEBUG : LOG_INFO;
}

// The line is made before the lock is taken, which all loops want.
void host_log_exchange(const struct exchange *exchange, double duration_ms)
{
    struct line line;
    enum log_level level = level_of(exchange);
    if (!log_wants(level)) {
        return;
    }
    struct view text = write_line(&line, exchange, level, duration_ms);
    pthread_mutex_lock(&log_mutex);
    buffer_add(&pending, text);
    if (pending.failed) { // full: the line is lost, the ones before it are not
        pending.failed = false;
        dropped++;
    }
    bool start = !flusher_running && loop_count() > 0;
    flusher_running |= start;
    pthread_mutex_unlock(&log_mutex);
    if (start && !loop_post(loop_at(0), flush_fiber, NULL)) {
        pthread_mutex_lock(&log_mutex);
        flusher_running = false;
        pthread_mutex_unlock(&log_mutex);
    }
}

void calllog_close(void)
{
    write_pending();
    buffer_free(&pending);
    buffer_free(&writing);
}
