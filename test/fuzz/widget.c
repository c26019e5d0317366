// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target: a widget's page from anybody, through the scanner that leads Zoho's SDK addresses home. Whatever the bytes: what
// was not replaced comes out in its order, and a page that was rewritten has nothing left to rewrite.
#include <stdlib.h>

#include "web/widget_html.h"

enum { PAGE_BYTES_MAX = 1 << 20 };

static void require(bool so)
{
    if (!so) {
        abort();
    }
}

// Is every byte of `part` found in `whole` in the same order, apart from our own addresses?
static void check_order(struct view page, struct view rewritten)
{
    struct view own = VIEW(WIDGET_SDK_FOLDER);
    size_t at = 0;
    for (size_t i = 0; i < rewritten.len; i++) {
        if (view_starts(view_from(rewritten, i), own)) { // up to the file's name
            ptrdiff_t end = view_find(view_from(rewritten, i), VIEW(WIDGET_SDK_FILE));
            i += end < 0 ? 0 : (size_t)end + sizeof WIDGET_SDK_FILE - 2;
            continue;
        }
        while (at < page.len && page.data[at] != rewritten.data[i]) {
            at++;
        }
        require(at < page.len);
        at++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer out, again;
    struct view page = {(const char *)data, size}, version;
    buffer_init(&out, PAGE_BYTES_MAX);
    buffer_init(&again, PAGE_BYTES_MAX);
    if (widget_html_rewrite(page, &out)) {
        require(!out.failed && out.len <= 2 * page.len);
        if (view_find(buffer_view(&out), VIEW("\"\"")) < 0) { // no digest was emptied
            check_order(page, buffer_view(&out));
        }
        require(!widget_html_rewrite(buffer_view(&out), &again) && again.len == 0);
    } else {
        require(out.len == 0);
    }
    if (widget_sdk_address(page, &version)) {
        require(widget_sdk_version(version));
    }
    buffer_free(&out);
    buffer_free(&again);
    return 0;
}
