// SPDX-License-Identifier: Apache-2.0
// Time, randomness and the process log: what is asked of the system.
#include "base/base.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static int64_t read_clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static atomic_int_least64_t fixed_ms; // 0: the clock runs

int64_t clock_wall_ms(void)
{
    int64_t fixed = atomic_load_explicit(&fixed_ms, memory_order_relaxed);
    return BASE_LIKELY(!fixed) ? read_clock_ns(CLOCK_REALTIME) / 1000000 : fixed;
}

void clock_wall_fix(int64_t ms)
{
    atomic_store(&fixed_ms, ms);
}

int64_t clock_monotonic_ns(void)
{
    return read_clock_ns(CLOCK_MONOTONIC);
}

int64_t clock_thread_cpu_ns(void)
{
    return read_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void random_bytes(void *out, size_t count)
{
    for (size_t done = 0; done < count;) {
        ssize_t got = getrandom((char *)out + done, count - done, 0);
        if (got < 0 && errno != EINTR) {
            abort(); // keys without randomness would be worse than no service
        }
        done += got > 0 ? (size_t)got : 0;
    }
}

void random_hex(char *out, size_t digits)
{
    unsigned char bytes[32];
    char pair[2 * sizeof bytes];
    while (digits) {
        size_t count = digits < sizeof pair ? digits : sizeof pair;
        random_bytes(bytes, sizeof bytes);
        hex_print(pair, bytes, sizeof bytes);
        memcpy(out, pair, count);
        out += count;
        digits -= count;
    }
}

uint64_t random_fast(void)
{
    static __thread uint64_t state[2]; // xorshift128+
    if (!(state[0] | state[1])) {
        random_bytes(state, sizeof state);
        state[0] |= 1;
    }
    uint64_t a = state[0], b = state[1];
    state[0] = b;
    a ^= a << 23;
    state[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
    return state[1] + b;
}

// ---- log ----------------------------------------------------------------------------------------

enum { LOG_LINE_BYTES = 2048 };
static _Atomic int log_level_max = LOG_INFO;
static _Atomic bool log_as_json;

void log_open(enum log_level level, bool json)
{
    atomic_store(&log_level_max, (int)level);
    atomic_store(&log_as_json, json);
}

bool log_wants(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&log_level_max, memory_order_relaxed);
}

bool log_is_json(void)
{
    return atomic_load_explicit(&log_as_json, memory_order_relaxed);
}

// Control bytes, and in JSON quotes and backslashes, cannot break the line or forge another one.
static size_t escape_text(char *out, size_t room, struct view text, bool json)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len && len + 7 < room; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c == 0x7F) {
            len += (size_t)snprintf(out + len, room - len, "\\u%04x", c);
        } else {
            if (json && (c == '"' || c == '\\')) {
                out[len++] = '\\';
            }
            out[len++] = (char)c;
        }
    }
    return utf8_clamp((struct view){out, len}, len);
}

void log_line(enum log_level level, const char *event, const char *format, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    if (!log_wants(level)) {
        return;
    }
    bool json = log_is_json();
    char text[LOG_LINE_BYTES], line[LOG_LINE_BYTES * 2], stamp[32];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    size_t len = (size_t)snprintf(line, sizeof line,
                                  json ? "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"event\":\"%s\",\"text\":\"" : "%s.%03dZ %s %s ", stamp,
                                  (int)(now_ms % 1000), names[level], event);
    len += escape_text(line + len, sizeof line - len - 4, view_of(text), json);
    len += (size_t)snprintf(line + len, sizeof line - len, json ? "\"}\n" : "\n");
    ssize_t written = write(STDERR_FILENO, line, len); // one call a line: lines of threads do not mix
    (void)written; // nobody is left to be told
}
