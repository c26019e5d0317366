// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: what changes of settings share (crm.h has the reading of their members).
#pragma once

#include "crm/shape.h"

// ---- names and numbers of custom modules and fields ---------------------------------------------

// {"start_number":…,"prefix":…,"suffix":…} under `key` as a definition's "auto_number"; null when it is absent. *ret_first: the first
// number.
bool crm_given_number(const struct crm_given *given, const char *key, struct value *ret_definition, int64_t *ret_first);
// "Our Team" → Our_Team: letters and digits, single "_" for everything between; begins with a letter ("f" is put before a digit).
struct view crm_name_of_label(struct heap *heap, struct view label, size_t bytes_max);
bool crm_given_label_valid(struct view label); // letters of any script, digits, blanks

// ---- roles and profiles -------------------------------------------------------------------------

// Inside closures: the name of the role or profile ("role", "profile") with this id, in the session's heap.
bool crm_object_name_tx(struct tx *tx, struct crm_session *session, struct view kind, int64_t id, struct view *ret_name, bool *ret_found,
                        struct fail *fail);
// Moves the users of a role or profile to another one, or follows its new name (from = to). Bumps the version.
bool crm_users_move_tx(struct tx *tx, struct view kind, int64_t from, int64_t to, struct view name, struct fail *fail);
// The roles and profiles of an organisation whose super admin is there: those of his, Manager and Standard.
bool crm_roles_seed_tx(struct tx *tx, struct fail *fail);
