// SPDX-License-Identifier: Apache-2.0
//
// Foreign libraries that most runs never need (libxml2, libzip): opened with dlopen when a script first calls for them, and called where
// there is stack enough. Linked in, they would cost every start of the program several milliseconds.
//
// A library is a struct of function pointers whose types come from its own header: NAMES(X) lists the functions, FOREIGN_MEMBER makes the
// members, FOREIGN_NAME the rows that foreign_open fills in.
#pragma once

#include "lib/inside.h"

struct foreign_name {
    const char *name;
    void *place; // of the function pointer
};
#define FOREIGN_MEMBER(name) __typeof__(name) *name;

enum { FOREIGN_TROUBLE_MAX = 256 };
// Opens the file and looks all names up. False: `trouble` tells why. The library stays open for the life of the process.
bool foreign_open(const char *file, const struct foreign_name *names, size_t count, char trouble[FOREIGN_TROUBLE_MAX]);

// Runs fn(arg), which needs much stack (foreign libraries do) and never gives way: on a helper thread when it is `slow` and a fiber waits,
// else on the loop's own stack (foreign stacks grow with the input), or right here where no fiber runs. False when the run was cancelled
// before fn began; fail is set then.
bool foreign_run(struct native_call *call, void (*fn)(void *arg), void *arg, bool slow);
