// SPDX-License-Identifier: Apache-2.0
//
// Inside header: how rows of natives are found. Rows that share a name form a group; the compiler resolves a name to its group once, the VM
// picks the row by the type of the first argument with one look into `by_type`.
#pragma once

#include "lang/lang.h"

struct native_group {
    const struct native *first; // any row: name and flags for messages
    const struct native *function; // the row without receiver, or NULL
    const struct native *by_type[VALUE_TYPES]; // the row for a first argument of this type, or NULL
    int args_min, args_max; // over all rows
    uint32_t plain; // types of receivers whose row is NATIVE_PLAIN
    bool reads_field; // get, getJSON: they read the fields of a caught error too
};

enum {
    NATIVE_GROUPS_MAX = 20000, // names in a set; far above what Deluge documents
    NATIVE_NEAREST_BYTES_MAX = 64, // longer names have no "did you mean"
};

const struct native_group *native_set_group(const struct native_set *set, struct view name); // NULL if no such name

// Tasks and unknown tasks of other Zoho services call the native of this name, if there is one, with their own name as the first argument:
// an embedder (a test) can answer them. Without it they fail when they run.
#define NATIVE_FALLBACK_NAME "zoho.*"
