// SPDX-License-Identifier: Apache-2.0
//
// Inside host: what a run does besides computing (trace.c).
#pragma once

#include "host/kept.h"

struct trace {
    struct list *calls; // in the run's heap
    int64_t tasks, mails;
};
void trace_request(struct run *run, const struct out_request *request, int64_t begun_ns, int status); // status 0: no answer came
