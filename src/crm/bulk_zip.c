// SPDX-License-Identifier: Apache-2.0
// A zip of one file that is stored as it is: the archive around bytes that are never all in memory. Layout and numbers: PKWARE's
// APPNOTE, 4.3.
#include "crm/bulk.h"

enum { DOS_DATE = 0x21, VERSION = 20, UTF8_NAME = 0x800, HEAD_BYTES = 30 }; // 1980-01-01: the time is the job's, not the file's

static void put(struct buffer *out, uint32_t number, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        buffer_add_char(out, (char)(number >> (8 * i)));
    }
}

// What both headers say of the file.
static void put_file(struct buffer *out, struct view name, uint32_t crc, uint32_t bytes)
{
    put(out, VERSION, 2);
    put(out, UTF8_NAME, 2);
    put(out, 0, 2); // stored
    put(out, 0, 2);
    put(out, DOS_DATE, 2);
    put(out, crc, 4);
    put(out, bytes, 4);
    put(out, bytes, 4);
    put(out, (uint32_t)name.len, 2);
    put(out, 0, 2);
}

void bulk_zip_head(struct buffer *out, struct view name, uint32_t crc, uint32_t bytes)
{
    buffer_add(out, VIEW("PK\3\4"));
    put_file(out, name, crc, bytes);
    buffer_add(out, name);
}

void bulk_zip_tail(struct buffer *out, struct view name, uint32_t crc, uint32_t bytes)
{
    uint32_t start = HEAD_BYTES + (uint32_t)name.len + bytes, begun = (uint32_t)out->len;
    buffer_add(out, VIEW("PK\1\2"));
    put(out, VERSION, 2);
    put_file(out, name, crc, bytes);
    put(out, 0, 2); // comment, disk, attributes
    put(out, 0, 2);
    put(out, 0, 2);
    put(out, 0, 4);
    put(out, 0, 4); // where the file begins
    buffer_add(out, name);
    uint32_t directory = (uint32_t)out->len - begun;
    buffer_add(out, VIEW("PK\5\6"));
    put(out, 0, 4);
    put(out, 1, 2);
    put(out, 1, 2);
    put(out, directory, 4);
    put(out, start, 4);
    put(out, 0, 2);
}

uint32_t bulk_zip_crc(uint32_t crc, struct view bytes)
{
    static const uint32_t half[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                      0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    crc = ~crc;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.data[i];
        crc = crc >> 4 ^ half[crc & 15];
        crc = crc >> 4 ^ half[crc & 15];
    }
    return ~crc;
}

void bulk_csv_add(struct buffer *out, struct view text, bool first)
{
    bool quoted = false;
    if (!first) {
        buffer_add_char(out, ',');
    }
    for (size_t i = 0; i < text.len && !quoted; i++) {
        quoted = memchr(",\"\r\n", text.data[i], 4) != NULL;
    }
    if (!quoted) {
        buffer_add(out, text);
        return;
    }
    buffer_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"') {
            buffer_add_char(out, '"');
        }
        buffer_add_char(out, text.data[i]);
    }
    buffer_add_char(out, '"');
}
