// SPDX-License-Identifier: Apache-2.0
//
// The address guard: which addresses may a script's request reach? It is asked with the address that is about to be connected, after names
// are resolved, so neither a DNS answer nor an odd spelling of a number gets around it. IPv6 forms that carry an IPv4 address are judged by
// that.
//
// IPv4 is open except for the ranges below (IANA's special-purpose registry); IPv6 is closed except for global unicast without its special
// parts.
#include "out/out.h"

enum { ITEM_BYTES_MAX = 253 }; // a host name has no more

struct range {
    const char *base;
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

// Where IPv6 carries an IPv4 address, and at which byte it begins. Mapped ones are IPv4 addresses already.
static const struct {
    struct range range;
    int at;
} carriers[] = {
    {{"64:ff9b::", 96}, 12}, // NAT64
    {{"2002::", 16}, 2}, // 6to4
};

static bool in_range(const struct address *address, struct range range)
{
    struct address_range whole = {.bits = range.bits};
    return address_read(view_of(range.base), &whole.base) && address_in(address, &whole);
}

// As it counts here: what IPv6 carries is judged instead of the carrier. False for families that are not IP.
static bool read_address(const struct sockaddr *from, struct address *ret_address)
{
    struct address address;
    if (!address_of(from, &address)) {
        return false;
    }
    for (size_t i = 0; i < BASE_COUNT(carriers); i++) {
        if (in_range(&address, carriers[i].range)) {
            memmove(address.bytes, address.bytes + carriers[i].at, 4);
            address.len = 4;
            break;
        }
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
    struct address_range range;
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
    if (!address_range_read(text, &item.range)) {
        item.is_name = is_name(text);
        item.name = text;
        if (!item.is_name) {
            return false;
        }
    }
    *ret_item = item;
    return true;
}

static bool item_allows(const struct item *item, struct view host, const struct address *address)
{
    return item->is_name ? view_eq_nocase(item->name, host) : address_in(address, &item->range);
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
