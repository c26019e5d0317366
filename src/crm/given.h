// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: reading the members of a map by which a request changes settings: roles, users, modules, fields … What is wrong is the
// failure, with {"api_name":…} in session->details; whoever made a row of it adds where the row stood.
#pragma once

#include "crm/shape.h"

struct crm_given {
    struct crm_session *session;
    const struct map *map;
    struct fail *fail;
};
// Sets the failure with its member; message NULL: the code's own. Returns false.
bool crm_given_refuse(const struct crm_given *given, enum fail_code code, const char *key, const char *message);
bool crm_given_has(const struct crm_given *given, const char *key); // null counts
// A text of at most `units_max` UTF-16 units, without blanks at its ends; VIEW_NONE when it is absent, null or blank.
bool crm_given_text(const struct crm_given *given, const char *key, size_t units_max, struct view *ret_text);
bool crm_given_name(const struct crm_given *given, const char *key, size_t units_max, struct view *ret_text); // the same, and must be there
bool crm_given_bool(const struct crm_given *given, const char *key, bool otherwise, bool *ret_flag);
// An id, or a map with one in "id"; 0 when it is absent or null.
bool crm_given_id(const struct crm_given *given, const char *key, int64_t *ret_id);

// ---- roles and profiles -------------------------------------------------------------------------

// Inside closures: the name of the role or profile ("role", "profile") with this id, in the session's heap.
bool crm_object_name_tx(struct tx *tx, struct crm_session *session, struct view kind, int64_t id, struct view *ret_name, bool *ret_found,
                        struct fail *fail);
// Moves the users of a role or profile to another one, or follows its new name (from = to). Bumps the version.
bool crm_users_move_tx(struct tx *tx, struct view kind, int64_t from, int64_t to, struct view name, struct fail *fail);
// The roles and profiles of an organisation whose super admin is there: those of his, Manager and Standard.
bool crm_roles_seed_tx(struct tx *tx, struct fail *fail);
