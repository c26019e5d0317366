// SPDX-License-Identifier: Apache-2.0
// Files and JSON lines for the verbs.
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>

bool cli_read_file(const char *path, size_t bytes_max, char **ret_data, size_t *ret_len, struct fail *fail)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!file) {
        return fail_set(fail, FAIL_IO, "%s: %s", path, strerror(errno));
    }
    struct buffer bytes;
    buffer_init(&bytes, bytes_max);
    char part[16384];
    size_t got;
    while (!bytes.failed && (got = fread(part, 1, sizeof part, file)) > 0) { // a device may never end
        buffer_add(&bytes, (struct view){part, got});
    }
    bool broken = ferror(file) != 0;
    int error = errno;
    if (file != stdin) {
        fclose(file);
    }
    if (broken || bytes.failed) {
        buffer_free(&bytes);
        return broken ? fail_set(fail, FAIL_IO, "%s: %s", path, strerror(error))
                      : fail_set(fail, FAIL_IO, "%s: is larger than %zu bytes", path, bytes_max);
    }
    buffer_text(&bytes); // there is a buffer, even for an empty file
    *ret_data = bytes.data;
    *ret_len = bytes.len;
    return true;
}

void cli_print_json(struct value value)
{
    struct buffer out;
    struct fail fail;
    buffer_init(&out, 1U << 30);
    if (json_write(&out, value, NULL, &fail)) {
        buffer_add_char(&out, '\n');
        fwrite(out.data, 1, out.len, stdout);
    }
    buffer_free(&out);
}
