// SPDX-License-Identifier: Apache-2.0
//
// Any bytes through the formatter. What it writes must format to itself, must be readable, and every refusal must carry its reason; that no
// token and no comment is lost it proves itself, and answers FAIL_INTERNAL when the proof fails: that is a finding too.
#include "lang/lang.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void format_again(struct view once)
{
    struct buffer twice;
    struct fail fail = {.code = FAIL_NONE};
    buffer_init(&twice, SOURCE_BYTES_MAX);
    if (!lang_format(once, &twice, NULL, &fail) || !view_eq(once, buffer_view(&twice))) {
        abort();
    }
    buffer_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer once;
    struct fail fail = {.code = FAIL_NONE};
    buffer_init(&once, SOURCE_BYTES_MAX);
    if (lang_format((struct view){(const char *)data, size}, &once, NULL, &fail)) {
        format_again(buffer_view(&once));
    } else if ((fail.code != FAIL_COMPILE && fail.code != FAIL_LIMIT) || once.len != 0) {
        abort();
    }
    buffer_free(&once);
    return 0;
}
