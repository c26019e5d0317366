// SPDX-License-Identifier: Apache-2.0
// UTF-8: validity, UTF-16 lengths and offsets (a script counts as Java does), single code points. ASCII runs are taken eight bytes at a
// time.
#include "base/base.h"

static const uint64_t HIGH_BITS = 0x8080808080808080u;

// Length of the ASCII run at the front.
static size_t ascii_run(const char *data, size_t len)
{
    size_t i = 0;
    for (uint64_t word; i + 8 <= len; i += 8) {
        memcpy(&word, data + i, 8);
        if (word & HIGH_BITS) {
            break;
        }
    }
    while (i < len && (unsigned char)data[i] < 0x80) {
        i++;
    }
    return i;
}

bool utf8_ascii(struct view text)
{
    return ascii_run(text.data, text.len) == text.len;
}

// Bytes of the well-formed character at the front (no overlong form, no surrogate, nothing over U+10FFFF); 0 if there is none.
static size_t character_len(const unsigned char *s, size_t len)
{
    unsigned char lead = s[0];
    if (lead < 0x80) {
        return 1;
    }
    size_t need = lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0) == 0xE0 ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
    if (!need || len < need) {
        return 0;
    }
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (s[1] < low || s[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < need; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return need;
}

bool utf8_valid(struct view text)
{
    for (size_t i = 0; i < text.len;) {
        i += ascii_run(text.data + i, text.len - i);
        if (i < text.len) {
            size_t len = character_len((const unsigned char *)text.data + i, text.len - i);
            if (!len) {
                return false;
            }
            i += len;
        }
    }
    return true;
}

// A character of four bytes is a surrogate pair in UTF-16.
static inline size_t units_of(unsigned char lead)
{
    return (lead & 0xC0) == 0x80 ? 0 : lead >= 0xF0 ? 2 : 1;
}

size_t utf8_units(struct view text)
{
    size_t units = 0;
    for (size_t i = 0; i < text.len; i++) {
        units += units_of((unsigned char)text.data[i]);
    }
    return units;
}

size_t utf8_offset(struct view text, size_t units)
{
    size_t i = 0;
    for (size_t seen = 0; i < text.len && seen < units;) {
        seen += units_of((unsigned char)text.data[i]);
        for (i++; i < text.len && ((unsigned char)text.data[i] & 0xC0) == 0x80;) {
            i++;
        }
    }
    return i;
}

uint32_t utf8_next(struct view text, size_t *offset)
{
    const unsigned char *s = (const unsigned char *)text.data + *offset;
    size_t len = character_len(s, text.len - *offset);
    *offset += len ? len : 1;
    switch (len) {
    case 1:
        return s[0];
    case 2:
        return (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu);
    case 3:
        return (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
    case 4:
        return (s[0] & 0x07u) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu);
    default:
        return 0xFFFD;
    }
}

size_t utf8_encode(char out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (c >> 18 & 7));
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

size_t utf8_clamp(struct view text, size_t bytes_max)
{
    if (text.len <= bytes_max) {
        bytes_max = text.len;
    }
    size_t lead = bytes_max; // where the last character starts; drop it when it is cut
    while (lead > 0 && bytes_max - lead < 4 && ((unsigned char)text.data[lead - 1] & 0xC0) == 0x80) {
        lead--;
    }
    if (lead > 0 && (unsigned char)text.data[lead - 1] >= 0xC0) {
        lead--;
        return character_len((const unsigned char *)text.data + lead, bytes_max - lead) ? bytes_max : lead;
    }
    return bytes_max;
}
