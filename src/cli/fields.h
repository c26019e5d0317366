// SPDX-License-Identifier: Apache-2.0
//
// Inside header: do the fields exist that scripts name? Part of struct modules, which knows the CRM to ask.
#pragma once

#include "cli/cli.h"

struct ext_package;
struct fields;
// `near`: the field that was probably meant, may be empty.
typedef void fields_missing_fn(void *arg, const char *path, int line, int column, struct view module, struct view name, struct view near);

struct fields *fields_new(void); // NULL without memory
void fields_free(struct fields *fields);
int fields_count(const struct fields *fields); // of the names that the CRM must be asked for
// `package`: the extension whose script this is, its modules count as installed; may be NULL.
void fields_collect(struct fields *fields, const struct ext_package *package, const char *path, struct view source);
// Fiber. Asks an open host for the fields of each module.
bool fields_ask(struct fields *fields, struct host *host, struct fail *fail);
void fields_report(const struct fields *fields, fields_missing_fn *missing, void *arg); // in the order collected
