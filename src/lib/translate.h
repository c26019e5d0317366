// SPDX-License-Identifier: Apache-2.0
//
// Java's regular expressions written as PCRE2's. Pure text to text; regex.c compiles the result.
#pragma once

#include "base/base.h"

enum { TRANSLATE_CLASS_DEPTH_MAX = 20, TRANSLATE_PATTERN_BYTES_MAX = 16 * 1024 };

// Appends to `out`. Fails (FAIL_SCRIPT, with the place in the pattern) on what Java refuses and on the few things that PCRE2 cannot say.
bool translate_pattern(struct view java, struct buffer *out, struct fail *fail);
