// SPDX-License-Identifier: Apache-2.0
// IP addresses and ranges of them, as lists of allowed ones name them. An IPv4 address in IPv6 clothes (::ffff:1.2.3.4) is that IPv4
// address everywhere, so that no list is got around by the way a socket was opened.
#include "base/base.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { RANGE_TEXT_MAX = 64, MAPPED_AT = 12 };
static const uint8_t mapped[MAPPED_AT] = {[10] = 0xff, [11] = 0xff};

static struct address unmapped(struct address address)
{
    if (address.len == 16 && memcmp(address.bytes, mapped, MAPPED_AT) == 0) {
        memmove(address.bytes, address.bytes + MAPPED_AT, 4);
        address.len = 4;
    }
    return address;
}

bool address_read(struct view text, struct address *ret_address)
{
    char name[RANGE_TEXT_MAX];
    struct address address = {.len = 4};
    if (text.len == 0 || text.len >= sizeof name || memchr(text.data, 0, text.len)) {
        return false;
    }
    memcpy(name, text.data, text.len);
    name[text.len] = '\0';
    if (inet_pton(AF_INET, name, address.bytes) != 1) {
        address.len = 16;
        if (inet_pton(AF_INET6, name, address.bytes) != 1) {
            return false;
        }
    }
    *ret_address = unmapped(address);
    return true;
}

bool address_of(const struct sockaddr *from, struct address *ret_address)
{
    struct address address = {.len = 4};
    if (from->sa_family == AF_INET) {
        memcpy(address.bytes, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
    } else if (from->sa_family == AF_INET6) {
        address.len = 16;
        memcpy(address.bytes, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
    } else {
        return false;
    }
    *ret_address = unmapped(address);
    return true;
}

bool address_range_read(struct view text, struct address_range *ret_range)
{
    struct view bits = text, base = view_cut(&bits, '/');
    struct address_range range;
    int64_t number;
    if (!address_read(base, &range.base)) {
        return false;
    }
    bool six = view_find_char(base, ':') >= 0; // as written: a mapped range counts its bits from the front of the sixteen bytes
    int most = six ? 128 : 32, hidden = most - 8 * range.base.len;
    number = most;
    if (base.len < text.len && (!view_to_int64(bits, &number) || number < hidden || number > most)) {
        return false;
    }
    range.bits = (int)number - hidden;
    *ret_range = range;
    return true;
}

bool address_in(const struct address *address, const struct address_range *range)
{
    if (address->len != range->base.len) {
        return false;
    }
    const uint8_t *bytes = address->bytes, *base = range->base.bytes;
    int whole = range->bits / 8, rest = range->bits % 8;
    return memcmp(bytes, base, (size_t)whole) == 0 && (rest == 0 || (uint8_t)((bytes[whole] ^ base[whole]) >> (8 - rest)) == 0);
}

bool address_in_any(const struct address *address, const struct address_range *ranges, int count)
{
    for (int i = 0; i < count; i++) {
        if (address_in(address, &ranges[i])) {
            return true;
        }
    }
    return false;
}

bool address_list_read(struct view text, struct address_range *ret_ranges, int most, int *ret_count, struct fail *fail)
{
    int count = 0;
    for (struct view rest = text; rest.len > 0;) {
        struct view item = view_trim(view_cut(&rest, ','));
        if (item.len == 0) {
            continue;
        }
        if (count == most) {
            return fail_set(fail, FAIL_INVALID_DATA, "there are more than %d addresses", most);
        }
        if (!address_range_read(item, &ret_ranges[count])) {
            struct view shown = view_slice(item, 0, utf8_clamp(item, 100));
            return fail_set(fail, FAIL_INVALID_DATA, "\"%.*s\" is neither an address nor a range like 10.0.0.0/8", VIEW_ARGS(shown));
        }
        count++;
    }
    *ret_count = count;
    return true;
}

size_t address_print(char out[ADDRESS_TEXT_MAX], const struct address *address)
{
    return inet_ntop(address->len == 4 ? AF_INET : AF_INET6, address->bytes, out, ADDRESS_TEXT_MAX) ? strlen(out) : 0;
}
