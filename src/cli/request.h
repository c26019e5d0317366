// SPDX-License-Identifier: Apache-2.0
// A request made from flags, shared by `run` and `call`.
#pragma once

#include "cli/cli.h"

struct cli_request {
    struct arena arena;
    const char *method;
    struct buffer query; // encoded
    struct exchange_header headers[HOST_HEADERS_MAX];
    int header_count;
    struct view body;
    char *body_data; // behind `body` when it came from a file
    bool has_body;
};
bool cli_request_read(const struct cli_args *args, struct cli_request *request, struct fail *fail);
void cli_request_free(struct cli_request *request);
