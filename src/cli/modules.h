// SPDX-License-Identifier: Apache-2.0
//
// Inside header: do the modules exist that scripts name? `check` collects the names as it goes and asks once, at its end.
#pragma once

#include "cli/cli.h"

struct modules;
typedef void modules_missing_fn(void *arg, const char *path, int line, int column, struct view name);

struct modules *modules_new(void); // NULL without memory
void modules_free(struct modules *modules);
// The extension in `folder` has modules of its own, which from now on are known; NULL: none. False when `folder` is no extension.
bool modules_enter(struct modules *modules, const char *folder);
void modules_collect(struct modules *modules, const char *path, struct view source);
// Asks the CRM of a data folder, or an empty one (data NULL), and tells of each place whose module is not there, in the order collected.
bool modules_ask(struct modules *modules, const struct cli_args *args, const char *data, modules_missing_fn *missing, void *arg,
                 struct fail *fail);
