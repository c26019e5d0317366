// SPDX-License-Identifier: Apache-2.0
// The structured line per call, on standard error. Lines are gathered in one buffer and written behind the replies by a fiber of loop 0, so
// that a call costs no system call of its own; what is over the buffer while the disk is slow is dropped and counted, never waited for.
#include "host/inside.h"

#include <time.h>
#include <unistd.h>

enum { LOG_BYTES_MAX = 1 << 20, FLUSH_MS = 100, PATH_MAX_SHOWN = 200 };

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

static void add_time(struct buffer *out)
{
    static __thread int64_t last_second = -1;
    static __thread char text[32];
    int64_t now_ms = clock_wall_ms();
    if (now_ms / 1000 != last_second) {
        last_second = now_ms / 1000;
        time_t seconds = (time_t)last_second;
        struct tm utc;
        gmtime_r(&seconds, &utc);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &utc);
    }
    int rest = (int)(now_ms % 1000);
    char millis[5] = {(char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10), 'Z', ' '};
    buffer_add(out, view_of(text));
    buffer_add(out, (struct view){millis, sizeof millis});
}

// Bytes that could break or forge a line become '?'.
static void add_safe(struct buffer *out, struct view text)
{
    for (size_t i = 0; i < text.len && i < PATH_MAX_SHOWN; i++) {
        unsigned char c = (unsigned char)text.data[i];
        buffer_add_char(out, c <= 0x20 || c >= 0x7F ? '?' : (char)c);
    }
}

static void add_line(struct buffer *out, const struct exchange *exchange, double duration_ms)
{
    add_time(out);
    buffer_add(out, VIEW("info call id="));
    buffer_add(out, view_of(exchange->id));
    buffer_add(out, VIEW(" method="));
    add_safe(out, exchange->method);
    buffer_add(out, VIEW(" path="));
    add_safe(out, exchange->path); // never the query: keys stand in it
    if (exchange->function.len) {
        buffer_add(out, VIEW(" function="));
        add_safe(out, exchange->function);
    }
    buffer_add(out, VIEW(" status="));
    buffer_add_int(out, exchange->status);
    if (exchange->outcome) {
        buffer_add(out, VIEW(" outcome="));
        buffer_add(out, view_of(exchange->outcome));
        buffer_add(out, VIEW(" statements="));
        buffer_add_int(out, exchange->statements);
    }
    int64_t micros = (int64_t)(duration_ms * 1000);
    buffer_add(out, VIEW(" duration_ms="));
    buffer_add_int(out, micros / 1000);
    char rest[4] = {'.', (char)('0' + micros / 100 % 10), (char)('0' + micros / 10 % 10), (char)('0' + micros % 10)};
    buffer_add(out, (struct view){rest, sizeof rest});
    buffer_add_char(out, '\n');
}

void host_log_exchange(const struct exchange *exchange, double duration_ms)
{
    pthread_mutex_lock(&log_mutex);
    size_t before = pending.len;
    add_line(&pending, exchange, duration_ms);
    if (pending.failed) { // full: the line is lost, the ones before it are not
        pending.len = before;
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
