// SPDX-License-Identifier: Apache-2.0
//
// Inside header: do the modules exist that scripts name? `check` collects the names as it goes and asks once, at its end.
#pragma once

#include "cli/cli.h"
#include "cli/fields.h"

struct modules;
typedef void modules_missing_fn(void *arg, const char *path, int line, int column, struct view name);

struct modules *modules_new(void); // NULL without memory
void modules_free(struct modules *modules);
// The extension in `folder` has modules of its own, which from now on are known; NULL: none. False when `folder` is no extension.
bool modules_enter(struct modules *modules, const char *folder);
void modules_collect(struct modules *modules, const char *path, struct view source);
// Asks the CRM of a data folder, or an empty one (data NULL), and tells of each place whose module is not there, in the order collected,
// then of fields that are not in theirs.
struct modules_visitor {
    modules_missing_fn *module;
    fields_missing_fn *field;
    void *arg;
};
bool modules_ask(struct modules *modules, const struct cli_args *args, const char *data, const struct modules_visitor *missing,
                 struct fail *fail);

// ---- for fields.c

struct view modules_parameter(const char *signature, int index); // "TEXT module" of "zoho.crm.f(TEXT module, …)"; empty behind the last
struct view modules_bare_name(struct view name); // without a namespace: ns.Name, ns__Name
// Fiber. Runs a script that returns a map.
bool modules_question(struct host *host, struct view source, struct heap *heap, struct value arguments, struct value *ret_answer,
                      struct fail *fail);
