// SPDX-License-Identifier: Apache-2.0
//
// Inside host: one installation of a package in one org environment, from the turn that is taken to the action that has succeeded. Served
// folders (install.c) and published versions (lifecycle.c) fill it.
#pragma once

#include "host/inside.h"

struct install {
    struct host *host;
    struct host_env *env;
    const char *folder; // the folder or "namespace@version", for messages
    const struct host_message *message;
    struct ext_package *package; // given over
    struct view action_source, action_file; // the action to run now; data NULL = none
    struct function *action; // the same, compiled
    const struct map *variables; // values to set before the action runs; may be NULL
    bool dev, reinstall, upgrade, rollback, ok;
    bool turn; // the environment's turn is taken
    char digest[EXT_DIGEST_LEN + 1], known_digest[EXT_DIGEST_LEN + 1];
    char previous[EXT_NAME_MAX]; // installed version, empty = none
    bool installed, previous_dev;
    bool action_done, seeded;
    int64_t journal;
    struct fail *fail;
};
#define say(in, level, ...) host_say((in)->message, level, __VA_ARGS__)

// Waits for the environment's turn. Close on every path.
bool install_open(struct install *in, struct host_env *env);
void install_close(struct install *in);
// What is installed of the package's namespace: previous, previous_dev, installed, known_digest, action_done, seeded.
bool install_look(struct install *in);
void install_choose_action(struct install *in, bool upgrade); // on_update of an upgrade, else on_installation
// Checks, writes everything in one closure, runs the action; when it fails nothing of the installation remains.
bool install_package(struct install *in);
bool install_set_variables(struct tx *tx, const struct install *in, const struct ext_vault *vault, struct fail *fail); // lifecycle.c
bool install_run_action(struct install *in); // the compiled in->action, under in->journal; its log is said
// Takes back everything under in->journal, the rows of an installation too; in->fail stays as it is. What cannot be undone now is tried again
// before the next installation in this environment, and at the next start.
void install_undo(struct install *in);
bool install_seed(struct install *in); // seed.c
