// SPDX-License-Identifier: Apache-2.0
//
// The address guard: which addresses may a script's request reach? It is asked with the address that is about to be connected, after names
// are resolved, so neither a DNS answer nor an odd spelling of a number gets around it. IPv6 forms that carry an IPv4 address are judged by
// that.
//
// IPv4 is open except for the ranges below (IANA's special-purpose registry); IPv6 is closed except for global unicast without its special
// parts.
#include "out/out.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

enum { ITEM_BYTES_MAX = 253 }; // a host name has no more

struct range {
    const char *address;
    int bits;
};

static const struct range closed4[] = {
    {"0.0.0.0", 8}, // this host
    {"10.0.0.0", 8}, // private
    {"100.64.0.0", 10}, // carrier-grade NAT
    {"127.0.0.0", 8}, // loopback
    {"169.254.0.0", 16}, // link-local, cloud metadata
    {"172.16.0.0", 12}, // private
    {"192.0.0.0", 24}, // protocol assignments
    {"192.0.2.0", 24}, // documentation
    {"192.88.99.0", 24}, // 6to4 relays
    {"192.168.0.0", 16}, // private
    {"198.18.0.0", 15}, // benchmarks
    {"198.51.100.0", 24}, // documentation
    {"203.0.113.0", 24}, // documentation
    {"224.0.0.0", 4}, // multicast
    {"240.0.0.0", 4}, // reserved, broadcast
};

static const struct range open6 = {"2000::", 3}; // global unicast
static const struct range closed6[] = {
    {"2001::", 23}, // protocol assignments, Teredo
    {"2001:db8::", 32}, // documentation
    {"3fff::", 20}, // documentation
};

// Where IPv6 carries an IPv4 address, and at which byte it begins.
static const struct {
    struct range range;
    int at;
} carriers[] = {
    {{"::ffff:0:0", 96}, 12}, // mapped
    {{"64:ff9b::", 96}, 12}, // NAT64
    {{"2002::", 16}, 2}, // 6to4
};

struct address {
    uint8_t bytes[16];
    int len; // 4 or 16
};

static bool in_bits(const uint8_t *bytes, const uint8_t *base, int bits)
{
    int whole = bits / 8, rest = bits % 8;
    return memcmp(bytes, base, (size_t)whole) == 0 && (rest == 0 || (uint8_t)((bytes[whole] ^ base[whole]) >> (8 - rest)) == 0);
}

static bool in_range(const struct address *address, struct range range)
{
    uint8_t base[16];
    int family = address->len == 4 ? AF_INET : AF_INET6;
    return inet_pton(family, range.address, base) == 1 && in_bits(address->bytes, base, range.bits);
}

// False for families that are not IP.
static bool read_address(const struct sockaddr *from, struct address *ret_address)
{
    struct address address = {.len = 4};
    if (from->sa_family == AF_INET) {
        memcpy(address.bytes, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
    } else if (from->sa_family == AF_INET6) {
        address.len = 16;
        memcpy(address.bytes, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
        for (size_t i = 0; i < BASE_COUNT(carriers); i++) {
            if (in_range(&address, carriers[i].range)) {
                memmove(address.bytes, address.bytes + carriers[i].at, 4);
                address.len = 4;
                break;
            }
        }
    } else {
        return false;
    }
    *ret_address = address;
    return true;
}

static bool is_loopback(const struct address *address)
{
    return address->len == 4 ? in_range(address, (struct range){"127.0.0.0", 8}) : in_range(address, (struct range){"::1", 128});
}

static bool is_open(const struct address *address)
{
    const struct range *closed = address->len == 4 ? closed4 : closed6;
    size_t count = address->len == 4 ? BASE_COUNT(closed4) : BASE_COUNT(closed6);
    if (address->len == 16 && !in_range(address, open6)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (in_range(address, closed[i])) {
            return false;
        }
    }
    return true;
}

// ---- the setting outbound.allow -----------------------------------------------------------------

struct item {
    bool is_name;
    struct view name;
    struct address base;
    int bits;
};

static bool is_name(struct view text)
{
    bool letter = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        letter = letter || alpha;
        if (!alpha && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.') {
            return false;
        }
    }
    return letter && text.data[0] != '.' && text.data[0] != '-';
}

// An address, address/bits or a host name.
static bool read_item(struct view text, struct item *ret_item)
{
    if (text.len == 0 || text.len > ITEM_BYTES_MAX) {
        return false;
    }
    struct item item = {0};
    struct view bits = text, base = view_cut(&bits, '/');
    char name[ITEM_BYTES_MAX + 1];
    memcpy(name, base.data, base.len);
    name[base.len] = '\0';
    if (inet_pton(AF_INET, name, item.base.bytes) == 1) {
        item.base.len = 4;
    } else if (inet_pton(AF_INET6, name, item.base.bytes) == 1) {
        item.base.len = 16;
    } else if (base.len == text.len && is_name(text)) {
        item.is_name = true;
        item.name = text;
        *ret_item = item;
        return true;
    } else {
        return false;
    }
    int64_t number = item.base.len * 8;
    if (base.len < text.len && (!view_to_int64(bits, &number) || number < 0 || number > item.base.len * 8)) {
        return false;
    }
    item.bits = (int)number;
    *ret_item = item;
    return true;
}

static bool item_allows(const struct item *item, struct view host, const struct address *address)
{
    if (item->is_name) {
        return view_eq_nocase(item->name, host);
    }
    return item->base.len == address->len && in_bits(address->bytes, item->base.bytes, item->bits);
}

static struct view bare_host(struct view host)
{
    if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']') {
        return view_slice(host, 1, host.len - 2);
    }
    return view_ends(host, VIEW(".")) ? view_slice(host, 0, host.len - 1) : host;
}

bool out_address_allowed(const struct out_policy *policy, struct view host, const struct sockaddr *from)
{
    struct address address;
    if (!read_address(from, &address)) {
        return false;
    }
    if (is_open(&address) || (policy->allow_loopback && is_loopback(&address))) {
        return true;
    }
    struct view rest = policy->allow;
    while (rest.len > 0) {
        struct item item;
        if (read_item(view_trim(view_cut(&rest, ',')), &item) && item_allows(&item, bare_host(host), &address)) {
            return true;
        }
    }
    return false;
}

bool out_allow_check(struct view allow, struct fail *fail)
{
    struct view rest = allow;
    while (rest.len > 0) {
        struct view text = view_trim(view_cut(&rest, ','));
        struct item item;
        if (text.len > 0 && !read_item(text, &item)) {
            struct view shown = view_slice(text, 0, utf8_clamp(text, 100));
            return fail_set(fail, FAIL_USAGE, "outbound.allow: \"%.*s\" is not an address, a range like 10.0.0.0/8 or a host name",
                            VIEW_ARGS(shown));
        }
    }
    return true;
}
