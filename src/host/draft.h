// SPDX-License-Identifier: Apache-2.0
//
// Inside host: the newest text of one extension, wherever it is kept (draft.c reads it, draft_show.c shows it, draft_change.c and
// draft_publish.c change it).
#pragma once

#include "host/inside.h"

enum draft_place {
    DRAFT_FOLDER, // this server serves it from a folder
    DRAFT_KEPT, // a draft in control
    DRAFT_PUBLISHED // the newest version; its first change makes a draft of it
};
struct draft_script { // of package->functions[i]
    char name[2 * EXT_NAME_MAX]; // without namespace; of a script with errors what its header, or else its file says
    int api_version, errors;
};
struct draft {
    struct host *host;
    const struct identity *who;
    struct host_env *env; // of who
    struct store_env *control;
    struct arena arena; // of the texts here
    struct view namespace; // as asked for; then as it is spelled
    enum draft_place place;
    const char *folder; // NULL: none
    struct ext_draft kept; // the draft's row; of a published one what its row would be
    struct ext_published *versions; // all published ones, newest first
    int version_count;
    struct ext_files *files;
    struct ext_package *package;
    struct draft_script *scripts;
    struct view wanted; // a function's or an action's name; empty: none
    int found; // index of the wanted function, -1 = none
    struct heap *heap; // of `findings`; NULL when none are wanted
    struct value findings; // of the wanted script
    bool all, check, ok; // all: with the files of app/; check: compile all scripts
    bool moved; // draft_apply: somebody else has changed the draft meanwhile
    struct fail *fail;
};
// Set host, who, namespace, wanted, heap, all and check before. FAIL_NOT_FOUND; FAIL_INVALID_DATA for a manifest that cannot be read. Close
// on every path. Gives way.
bool draft_open(struct draft *draft, struct fail *fail);
void draft_close(struct draft *draft);
// The folder of a namespace that this server serves; NULL: none. Reads files: on a job.
const char *draft_find_folder(struct host *host, struct view namespace, struct arena *arena);
// What a script in `file` would be called; api_name: by the manifest, may be empty. Compiles: on a job.
void draft_name_script(const struct draft *draft, const struct ext_function *function, struct draft_script *ret_script,
                       struct diagnostics *found, struct fail *ret_why);
struct view draft_short_name(struct view namespace, struct view name); // "ns__f", "ns.f" and "f" are f
// "on_installation" …: the path of its file; empty: there is no such action.
struct view draft_action_file(struct view name);
struct view draft_next_version(const struct draft *draft); // in its arena: the manifest's, or the one behind the newest
struct view draft_manifest(struct draft *draft); // its text; made where a zip had none. VIEW_NONE without memory

struct draft_file {
    struct view path, bytes; // bytes without data: it goes
};
// Writes files and, of a folder, installs it: what that said goes to `message`, and is no failure. Gives way.
bool draft_apply(struct draft *draft, const struct draft_file *files, int count, const struct host_message *message);
// One save at a time in this process, so that what one reads and writes back is not another's.
bool draft_turn(struct host *host, struct fail *fail);
void draft_turn_end(struct host *host);

// ---- one change, from reading to writing (draft_change.c) ---------------------------------------

enum { DRAFT_CHANGES_MAX = 4 };
struct draft_change {
    const void *request; // of `make`
    const struct host_message *message;
    struct draft draft; // as for draft_open; open afterwards, on every path
    bool (*make)(struct draft_change *change); // fills files; may run again
    struct draft_file files[DRAFT_CHANGES_MAX];
    int count;
};
// Waits for its turn, reads, makes, writes. Close change->draft on every path.
bool draft_change_run(struct draft_change *change, struct fail *fail);
void draft_change_add(struct draft_change *change, struct view path, struct view bytes);
struct view draft_change_manifest(struct draft_change *change); // as the files so far leave it
bool draft_change_keep(struct draft_change *change, struct buffer *out,
                       bool good); // `out` is the manifest from now on; frees it; gives `good` back
void draft_change_audit(const struct draft_change *change, const char *action, struct view name);
void draft_put_contents(const struct draft *draft, struct value map); // "modules" …
void draft_put_place(const struct draft *draft, struct value map); // "folder", "draft"
// host_draft_function, with or without the source.
bool draft_show_function(struct host *host, const struct identity *who, struct view namespace, struct view function, bool with_source,
                         struct heap *heap, struct value *ret_map, struct fail *fail);

// Where a new file of that (checked) name goes, "functions/order.dg": another one may be called like it. In the draft's arena.
struct view draft_free_path(struct draft *draft, const char *folder, struct view name, const char *ending);
