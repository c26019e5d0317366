// SPDX-License-Identifier: Apache-2.0
// Numbers, hexadecimal and base64 as text. Decimals print shortest, in plain notation, without ".0" (PRODUCT "Language decisions").
#include "base/base.h"

#include <math.h>
#include <stdlib.h>

// Two digits a division: lengths, ids and counters are printed several times a request.
size_t int64_print(char out[21], int64_t number)
{
    static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
                                "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    char digits[20];
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    size_t start = sizeof digits;
    for (; rest >= 100; rest /= 100) {
        start -= 2;
        memcpy(digits + start, pairs + 2 * (rest % 100), 2);
    }
    if (rest >= 10) {
        start -= 2;
        memcpy(digits + start, pairs + 2 * rest, 2);
    } else {
        digits[--start] = (char)('0' + rest);
    }
    size_t sign = number < 0;
    out[0] = '-';
    memcpy(out + sign, digits + start, sizeof digits - start);
    return sign + sizeof digits - start;
}

// Most decimals in scripts are amounts with few places: number × 10^places is a whole number below 10^15, which proves that this text reads
// back exactly and that no shorter one does.
static size_t print_few_places(char *out, double number)
{
    static const double scale[] = {10, 100, 1000, 10000, 100000, 1000000};
    for (size_t places = 1; places <= BASE_COUNT(scale); places++) {
        double scaled = number * scale[places - 1];
        if (fabs(scaled) >= 1e15) {
            return 0;
        }
        if (scaled == rint(scaled) && scaled / scale[places - 1] == number) {
            int64_t whole = (int64_t)scaled, unit = (int64_t)scale[places - 1];
            size_t len = 0;
            if (whole < 0) {
                out[len++] = '-';
                whole = -whole;
            }
            len += int64_print(out + len, whole / unit);
            out[len++] = '.';
            for (int64_t rest = whole % unit; unit > 1; rest %= unit) {
                unit /= 10;
                out[len++] = (char)('0' + rest / unit);
            }
            while (out[len - 1] == '0') { // 0.07 × 100 is not whole, × 1000 is
                len--;
            }
            return len;
        }
    }
    return 0;
}

// Digits and exponent of the shortest "%.*e" text that reads back.
static int shortest_digits(double number, char digits[18], int *ret_exponent)
{
    char text[40];
    for (int precision = 14; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, number);
        if (precision == 16 || strtod(text, NULL) == number) {
            break;
        }
    }
    int count = 0;
    char *at = text;
    for (; *at != 'e'; at++) {
        if (*at != '.') {
            digits[count++] = *at;
        }
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    *ret_exponent = atoi(at + 1);
    return count;
}

size_t decimal_print(char out[DECIMAL_TEXT_MAX], double number)
{
    if (isnan(number)) {
        memcpy(out, "NaN", 3);
        return 3;
    }
    if (isinf(number)) {
        memcpy(out, number < 0 ? "-Infinity" : "Infinity", 9);
        return number < 0 ? 9 : 8;
    }
    if (number == rint(number) && fabs(number) < 9007199254740992.0) {
        return int64_print(out, (int64_t)number);
    }
    size_t len = print_few_places(out, number);
    if (len) {
        return len;
    }
    if (number < 0) {
        out[len++] = '-';
        number = -number;
    }
    char digits[18];
    int exponent, count = shortest_digits(number, digits, &exponent);
    if (exponent < 0) {
        out[len++] = '0';
        out[len++] = '.';
        for (int i = -1; i > exponent; i--) {
            out[len++] = '0';
        }
    }
    for (int i = 0; i < count || i <= exponent; i++) {
        if (exponent >= 0 && i == exponent + 1) {
            out[len++] = '.';
        }
        out[len++] = i < count ? digits[i] : '0';
    }
    return len;
}

void hex_print(char *out, const void *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = ((const unsigned char *)bytes)[i];
        out[2 * i] = digits[byte >> 4];
        out[2 * i + 1] = digits[byte & 15];
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

bool hex_read(struct view hex, void *ret_bytes, size_t count)
{
    if (hex.len != 2 * count) {
        return false;
    }
    for (size_t i = 0; i < hex.len; i++) {
        if (hex_digit(hex.data[i]) < 0) {
            return false;
        }
    }
    for (size_t i = 0; i < count; i++) {
        ((unsigned char *)ret_bytes)[i] = (unsigned char)(hex_digit(hex.data[2 * i]) << 4 | hex_digit(hex.data[2 * i + 1]));
    }
    return true;
}

size_t base64_size(size_t bytes)
{
    return (bytes + 2) / 3 * 4;
}

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_print(char *out, struct view bytes)
{
    size_t len = 0;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t count = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t word = 0;
        for (size_t k = 0; k < 3; k++) {
            word = word << 8 | (k < count ? (unsigned char)bytes.data[i + k] : 0u);
        }
        for (size_t k = 0; k < 4; k++) {
            out[len++] = k <= count ? base64_letters[word >> (18 - 6 * k) & 63] : '=';
        }
    }
    return len;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    return c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

bool base64_read(struct view text, struct buffer *out)
{
    uint32_t word = 0;
    size_t digits = 0, pads = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            continue;
        }
        int digit = base64_digit(c);
        if (c == '=' ? ++pads > 2 : pads || digit < 0) {
            return false;
        }
        if (c == '=') {
            continue;
        }
        word = word << 6 | (uint32_t)digit;
        if (++digits % 4 == 0) {
            buffer_add(out, (struct view){(char[]){(char)(word >> 16), (char)(word >> 8), (char)word}, 3});
        }
    }
    size_t rest = digits % 4;
    if (rest == 1 || (pads && rest + pads != 4)) {
        return false;
    }
    if (rest >= 2) {
        word <<= 6 * (4 - rest);
        buffer_add(out, (struct view){(char[]){(char)(word >> 16), (char)(word >> 8)}, rest - 1});
    }
    return !out->failed;
}
