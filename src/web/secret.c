// SPDX-License-Identifier: Apache-2.0
//
// Query strings as they may be shown: in the line per call and in error texts. Names are decoded before they are compared, because the
// router's side decodes them too: "%7Aapikey=K" is a key, and must not reach a log under another spelling.
#include "web/web.h"
#include "value/value.h"

enum { SECRET_NAME_MAX = 64 };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Percent-decoded; the empty view when longer than any secret's name.
static struct view decode_name(struct view raw, char out[SECRET_NAME_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        int high = raw.data[i] == '%' && i + 2 < raw.len ? hex_digit(raw.data[i + 1]) : -1,
            low = high < 0 ? -1 : hex_digit(raw.data[i + 2]);
        if (len == SECRET_NAME_MAX) {
            return VIEW_NONE;
        }
        out[len++] = low < 0 ? raw.data[i] : (char)(high << 4 | low);
        i += low < 0 ? 0 : 2;
    }
    return (struct view){out, len};
}

static bool is_secret(struct view raw_name)
{
    static const struct view names[] = {VIEW("zapikey"),       VIEW("access_token"), VIEW("code"),  VIEW("client_secret"),
                                        VIEW("refresh_token"), VIEW("token"),        VIEW("ticket"),       VIEW("link")};
    char decoded[SECRET_NAME_MAX];
    struct view name = decode_name(raw_name, decoded);
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        if (view_eq_nocase(name, names[i])) {
            return true;
        }
    }
    return false;
}

void web_query_masked(struct buffer *out, struct view query)
{
    bool first = true;
    while (query.len > 0) {
        struct view pair = view_cut(&query, '&');
        struct view name = pair;
        ptrdiff_t equals = view_find_char(pair, '=');
        if (!first) {
            buffer_add_char(out, '&');
        }
        first = false;
        if (equals >= 0) {
            name = view_slice(pair, 0, (size_t)equals);
        }
        bool secret = equals >= 0 && is_secret(name);
        buffer_add(out, secret ? view_slice(pair, 0, (size_t)equals + 1) : pair);
        if (secret) {
            buffer_add(out, VIEW("***"));
        }
    }
}
