// SPDX-License-Identifier: Apache-2.0
//
// lib: what every Deluge script finds built in, as rows of the native table, one file a type: text, numbers, lists, maps, collections,
// dates, URLs, encryption, files, and what works on anything. Nothing here knows of an org, a record or a request; what does is host's. The
// rows carry their own documentation and an example that runs as a test (lang/lang.h, struct native).
#pragma once

#include "base/base.h"
#include "lang/lang.h"

// Adds the tables of all built-ins to `set`. The rows are constants of the program and outlive every set. Fails only when the set refuses a
// row (two rows of one name for one receiver type) or is out of memory.
bool lib_register(struct native_set *set, struct fail *fail);

// Media type by the extension of a file's name; text/plain for others.
struct view lib_file_type(struct view name);

// ---- archives, for packages ---------------------------------------------------------------------

// The files of a zip: path → VALUE_FILE, in the heap; within the limits of the built-in `extract`, and names are UTF-8 and there once, links
// are refused. bytes_max: of all contents together. FAIL_INVALID_DATA says what is wrong with the archive.
bool lib_archive_extract(struct heap *heap, struct view zip, size_t bytes_max, struct map **ret_files, struct fail *fail);
// A zip of a map path → VALUE_FILE.
bool lib_archive_compress(struct heap *heap, struct value files, struct view *ret_zip, struct fail *fail);

// ---- for the checks of `sluice test` ------------------------------------------------------------

// Is the Java pattern found anywhere in the text? FAIL_SCRIPT when the pattern is broken or takes too long.
bool lib_text_finds(struct heap *heap, struct view text, struct view pattern, bool *ret_found, struct fail *fail);
