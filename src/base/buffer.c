// SPDX-License-Identifier: Apache-2.0
// Growing bytes with a maximum. Failure sticks, so a writer checks once at its end.
#include "base/base.h"

#include <stdlib.h>

enum { BUFFER_FIRST_BYTES = 256 };

void buffer_init(struct buffer *buffer, size_t bytes_max)
{
    *buffer = (struct buffer){.max = bytes_max};
}

// Room for `bytes` more and a NUL behind them.
static bool grow(struct buffer *buffer, size_t bytes)
{
    if (buffer->failed || bytes > buffer->max || buffer->len > buffer->max - bytes) {
        buffer->failed = true;
        return false;
    }
    size_t need = buffer->len + bytes + 1;
    if (need <= buffer->cap) {
        return true;
    }
    size_t cap = buffer->cap ? buffer->cap * 2 : BUFFER_FIRST_BYTES;
    cap = cap < need ? need : cap;
    cap = cap > buffer->max + 1 ? buffer->max + 1 : cap;
    char *data = realloc(buffer->data, cap);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->cap = cap;
    return true;
}

void buffer_add(struct buffer *buffer, struct view text)
{
    if (text.len && grow(buffer, text.len)) {
        memcpy(buffer->data + buffer->len, text.data, text.len);
        buffer->len += text.len;
    }
}

void buffer_add_char(struct buffer *buffer, char c)
{
    if (BASE_LIKELY(buffer->len + 1 < buffer->cap && !buffer->failed) || grow(buffer, 1)) {
        buffer->data[buffer->len++] = c;
    }
}

void buffer_add_int(struct buffer *buffer, int64_t number)
{
    char digits[21];
    buffer_add(buffer, (struct view){digits, int64_print(digits, number)});
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 || !grow(buffer, (size_t)len)) {
        buffer->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(buffer->data + buffer->len, (size_t)len + 1, format, args);
    va_end(args);
    buffer->len += (size_t)len;
}

char *buffer_space(struct buffer *buffer, size_t bytes)
{
    return grow(buffer, bytes) ? buffer->data + buffer->len : NULL;
}

struct view buffer_view(const struct buffer *buffer)
{
    return (struct view){buffer->data, buffer->len};
}

const char *buffer_text(struct buffer *buffer)
{
    if (buffer->failed || !grow(buffer, 0)) {
        return "";
    }
    buffer->data[buffer->len] = 0;
    return buffer->data;
}

void buffer_reset(struct buffer *buffer)
{
    buffer->len = 0;
    buffer->failed = false;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    buffer_init(buffer, buffer->max);
}
