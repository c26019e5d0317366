// SPDX-License-Identifier: Apache-2.0
//
// Inside host: one run of a scheduled function, which the clock (scheduler.c) or a command (schedule.c) starts.
#pragma once

#include "host/inside.h"

struct scheduled {
    struct host *host;
    struct host_env *env;
    char canonical[4 * EXT_NAME_MAX];
    char id[HOST_ID_LEN + 1]; // of the last run
    char outcome[32];
    struct run *run; // while it runs; guarded by host->mutex, and so are the links
    struct scheduled *next, *before;
};

// Org environments, beside the default one, that may have work of their own: schedules, rules, channels, bulk jobs.
struct scheduled_places {
    struct {
        int64_t org_number;
        bool sandbox;
    } items[HOST_ENVS_MAX];
    int count;
};
bool scheduled_places_find(struct host *host, struct scheduled_places *places, struct fail *fail);

// The last run began after this: it may still be running. One that began earlier died with its process.
int64_t scheduled_dead_ms(const struct host *host, int64_t now_ms);
// Marks the row, runs, marks it again. *ret_begun false: one is running, or nothing is owed. `lines` gets the log, NULL: nobody asks.
bool scheduled_run(struct scheduled *scheduled, bool owed, struct heap *heap, struct value *lines, bool *ret_begun, struct fail *why,
                   struct fail *fail);
// Writes that a due run was left out, as a refused run.
void scheduled_skip(struct host_env *env, struct view canonical, const char *format, ...) BASE_PRINTF(3, 4);
// The zone that the schedule counts in.
bool scheduled_zone(struct host_env *env, const struct ext_schedule *schedule, const struct zone **ret_zone, struct fail *fail);
