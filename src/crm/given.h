// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: what changes of settings share (crm.h has the reading of their members).
#pragma once

#include "crm/shape.h"

// ---- roles and profiles -------------------------------------------------------------------------

// Inside closures: the name of the role or profile ("role", "profile") with this id, in the session's heap.
bool crm_object_name_tx(struct tx *tx, struct crm_session *session, struct view kind, int64_t id, struct view *ret_name, bool *ret_found,
                        struct fail *fail);
// Moves the users of a role or profile to another one, or follows its new name (from = to). Bumps the version.
bool crm_users_move_tx(struct tx *tx, struct view kind, int64_t from, int64_t to, struct view name, struct fail *fail);
// The roles and profiles of an organisation whose super admin is there: those of his, Manager and Standard.
bool crm_roles_seed_tx(struct tx *tx, struct fail *fail);
