// SPDX-License-Identifier: Apache-2.0
// Borrowed bytes: comparing, cutting, reading numbers, hashing. Nothing here allocates. The hash is keyed once a process, so that nobody
// outside can prepare keys that collide.
#include "base/base.h"

#include <ctype.h>
#include <stdlib.h>

struct view view_of(const char *text)
{
    return text ? (struct view){text, strlen(text)} : VIEW_NONE;
}

bool view_eq(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline unsigned char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : (unsigned char)c;
}

bool view_eq_nocase(struct view a, struct view b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool view_starts(struct view text, struct view prefix)
{
    return text.len >= prefix.len && view_eq(view_slice(text, 0, prefix.len), prefix);
}

bool view_starts_nocase(struct view text, struct view prefix)
{
    return text.len >= prefix.len && view_eq_nocase(view_slice(text, 0, prefix.len), prefix);
}

bool view_ends(struct view text, struct view suffix)
{
    return text.len >= suffix.len && view_eq(view_from(text, text.len - suffix.len), suffix);
}

int view_compare(struct view a, struct view b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

struct view view_from(struct view text, size_t start)
{
    return start >= text.len ? (struct view){text.data ? text.data + text.len : NULL, 0}
                             : (struct view){text.data + start, text.len - start};
}

struct view view_slice(struct view text, size_t start, size_t len)
{
    struct view rest = view_from(text, start);
    return (struct view){rest.data, rest.len < len ? rest.len : len};
}

struct view view_trim(struct view text)
{
    while (text.len && (unsigned char)text.data[0] <= ' ') {
        text.data++;
        text.len--;
    }
    while (text.len && (unsigned char)text.data[text.len - 1] <= ' ') {
        text.len--;
    }
    return text;
}

ptrdiff_t view_find(struct view text, struct view needle)
{
    if (needle.len == 0) {
        return 0;
    }
    const char *at = text.len >= needle.len ? memmem(text.data, text.len, needle.data, needle.len) : NULL;
    return at ? at - text.data : -1;
}

ptrdiff_t view_find_char(struct view text, char c)
{
    const char *at = text.len ? memchr(text.data, c, text.len) : NULL;
    return at ? at - text.data : -1;
}

struct view view_cut(struct view *rest, char separator)
{
    ptrdiff_t at = view_find_char(*rest, separator);
    struct view head = at < 0 ? *rest : view_slice(*rest, 0, (size_t)at);
    *rest = at < 0 ? view_from(*rest, rest->len) : view_from(*rest, (size_t)at + 1);
    return head;
}

bool view_to_int64(struct view text, int64_t *ret_number)
{
    size_t i = text.len && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    bool negative = i && text.data[0] == '-';
    if (i == text.len) {
        return false;
    }
    int64_t number = 0; // grows downwards: the most negative number has no positive twin
    for (; i < text.len; i++) {
        int digit = text.data[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(number, 10, &number) || __builtin_sub_overflow(number, digit, &number)) {
            return false;
        }
    }
    if (!negative && number == INT64_MIN) {
        return false;
    }
    *ret_number = negative ? number : -number;
    return true;
}

// digits [ "." digits ] [ e [sign] digits ], at least one digit before the exponent
static bool looks_decimal(struct view text)
{
    size_t i = 0, digits = 0;
    i += i < text.len && (text.data[i] == '-' || text.data[i] == '+');
    for (; i < text.len && isdigit((unsigned char)text.data[i]); i++) {
        digits++;
    }
    if (i < text.len && text.data[i] == '.') {
        for (i++; i < text.len && isdigit((unsigned char)text.data[i]); i++) {
            digits++;
        }
    }
    if (digits && i < text.len && (text.data[i] | 0x20) == 'e') {
        i++;
        i += i < text.len && (text.data[i] == '-' || text.data[i] == '+');
        size_t start = i;
        while (i < text.len && isdigit((unsigned char)text.data[i])) {
            i++;
        }
        digits = i > start ? digits : 0;
    }
    return digits && i == text.len;
}

bool view_to_decimal(struct view text, double *ret_number)
{
    char copy[400]; // longer literals lose nothing a double could hold, but are refused rather than cut
    if (text.len >= sizeof copy || !looks_decimal(text)) {
        return false;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    *ret_number = strtod(copy, NULL);
    return true;
}

// ---- hashing: 64×64→128 multiply-fold over 8-byte words -----------------------------------------

static uint64_t hash_key;

__attribute__((constructor)) static void make_hash_key(void)
{
    random_bytes(&hash_key, sizeof hash_key);
    hash_key |= 1;
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load_word(const char *data, size_t count)
{
    uint64_t word = 0;
    memcpy(&word, data, count);
    return word;
}

uint64_t view_hash(struct view text)
{
    uint64_t hash = hash_key ^ text.len;
    size_t i = 0;
    for (; i + 8 <= text.len; i += 8) {
        hash = fold(hash ^ load_word(text.data + i, 8), 0x9E3779B97F4A7C15u);
    }
    if (i < text.len) {
        hash = fold(hash ^ load_word(text.data + i, text.len - i), 0xD6E8FEB86659FD93u);
    }
    return fold(hash, hash_key ^ 0xA0761D6478BD642Fu);
}

uint64_t view_hash_nocase(struct view text)
{
    uint64_t hash = hash_key ^ text.len;
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ lower(text.data[i])) * 0x100000001B3u;
    }
    return fold(hash, 0x9E3779B97F4A7C15u);
}
