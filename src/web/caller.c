// SPDX-License-Identifier: Apache-2.0
//
// The address a call comes from. Behind proxies of one's own (setting proxy.trusted) that is the last hop of X-Forwarded-For that none of
// them is; a header that somebody else sends says nothing, because anybody can write it.
#include "web/room.h"

enum { PROXIES_MAX = 64, HOPS_MAX = 64 };

// "192.0.2.1", "192.0.2.1:1234", "[2001:db8::1]:1234".
static bool read_hop(struct view text, struct address *ret_address)
{
    text = view_trim(text);
    if (view_starts(text, VIEW("["))) {
        struct view rest = view_from(text, 1);
        return address_read(view_cut(&rest, ']'), ret_address);
    }
    ptrdiff_t colon = view_find_char(text, ':');
    if (colon >= 0 && view_find_char(view_from(text, (size_t)colon + 1), ':') < 0) {
        text = view_slice(text, 0, (size_t)colon);
    }
    return address_read(text, ret_address);
}

// Cuts the last hop of a list.
static struct view last_hop(struct view *list)
{
    size_t at = list->len;
    while (at > 0 && list->data[at - 1] != ',') {
        at--;
    }
    struct view hop = view_from(*list, at);
    *list = view_slice(*list, 0, at ? at - 1 : 0);
    return hop;
}

bool caller_address(const struct view *trusted, const struct exchange *exchange, struct address *ret_address)
{
    struct address_range proxies[PROXIES_MAX];
    struct fail ignored;
    int count = 0, hops = 0;
    if (!address_read(exchange->peer, ret_address)) {
        return false;
    }
    if (!trusted->len || !address_list_read(*trusted, proxies, PROXIES_MAX, &count, &ignored)) {
        return true;
    }
    // Headers from the last to the first, hops from the right: each is believed as long as the one that wrote it is.
    for (int i = exchange->header_count - 1; i >= 0; i--) {
        if (!view_eq(exchange->headers[i].name, VIEW("x-forwarded-for"))) {
            continue;
        }
        for (struct view list = exchange->headers[i].value; list.len > 0;) {
            if (!address_in_any(ret_address, proxies, count)) {
                return true;
            }
            if (++hops > HOPS_MAX || !read_hop(last_hop(&list), ret_address)) {
                return false;
            }
        }
    }
    return true;
}
