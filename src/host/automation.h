// SPDX-License-Identifier: Apache-2.0
//
// Inside host: one thing that a workflow rule or a channel has left to do (crm_pending), which automation.c takes and deliver.c does.
#pragma once

#include "host/inside.h"

enum delivered {
    DELIVERED, // or never to be: the row goes
    DELIVER_LATER, // once more, at `due_ms`
    DELIVER_AGAIN, // the process ends: whoever starts next does it
};

struct delivery {
    struct host *host;
    struct host_env *env;
    struct heap heap; // of the item, and of the work
    struct crm_pending item;
    int64_t due_ms;
    struct fiber *fiber; // that waits for another server's answer; else NULL
    struct delivery *next, *before; // of host->automation.first
};

void automation_finish(struct host *host); // the end of a fiber that was counted in automation.fibers
void bulk_look(struct host_env *env); // does the environment's bulk jobs, if there are some, on a fiber of its own

// Runs the function, or sends the webhook or notification, and writes what came of it to the run log.
enum delivered delivery_run(struct delivery *delivery);
