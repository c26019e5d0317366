// SPDX-License-Identifier: Apache-2.0
//
// Publishing, as `ext publish` does it alone and `ext install DIR`, `ext upgrade DIR` before they install.
#pragma once

#include "cli/cli.h"

enum { PACKAGE_HEAP_BYTES_MAX = 512 << 20 };

// *ret_answer: {namespace, version, new, messages}. What it failed with has been printed but for the last line.
bool package_publish(struct client *client, const struct cli_args *args, const char *path, struct heap *heap, struct value *ret_answer,
                     struct fail *fail);
void package_print_messages(const struct map *answer); // its lines, on standard output
