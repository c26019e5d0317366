// SPDX-License-Identifier: Apache-2.0
//
// auth: who is calling. zapikeys now; OAuth clients and tokens, console users and sign-in later. An identity names org, environment and
// namespace; everything below it is reached through the store handle made from it, never through an id in the request's text.
#pragma once

#include "base/base.h"
#include "store/store.h"

enum { AUTH_NAME_MAX = 64, AUTH_KEY_LEN = 70 }; // "1003." + 32 hex + "." + 32 hex

extern const struct store_migration auth_migrations[]; // of an org environment

enum identity_kind {
    IDENTITY_NONE,
    IDENTITY_ZAPIKEY, // functions of one namespace
    IDENTITY_OAUTH, // a user with scopes
    IDENTITY_OWNER, // whoever may open control.sock: everything
};
struct identity {
    enum identity_kind kind;
    char org[AUTH_NAME_MAX]; // "default"
    char environment[16]; // "production" or "sandbox"
    char namespace[AUTH_NAME_MAX]; // zapikeys only
    int64_t org_number;
    int64_t user_id; // 0 = the org's super admin
};

// How auth reaches an org environment's data base: given by host, which opens environments lazily. NULL result with fail set if there is
// none.
struct auth_router {
    void *user;
    struct store_env *(*env)(void *user, int64_t org_number, const char *environment, char ret_org[AUTH_NAME_MAX], struct fail *fail);
};
struct auth;
bool auth_open(const struct seal *seal, const struct auth_router *router, struct auth **ret_auth, struct fail *fail);
void auth_close(struct auth *auth);

// Makes the namespace's key in this environment if there is none. The key's first half carries org number and environment (obscured,
// checked), its second half is random. Sealed in the data base, found by HMAC.
bool auth_key_make_tx(struct tx *tx, const struct auth *auth, const struct identity *where,
                      struct fail *fail); // where: org, number, environment, namespace
bool auth_key_show(struct auth *auth, struct store_env *env, const struct identity *where, char ret_key[AUTH_KEY_LEN + 1],
                   struct fail *fail); // FAIL_NOT_FOUND
bool auth_key_drop_tx(struct tx *tx, const struct auth *auth, struct view namespace, struct fail *fail);
// The identity behind a key, for the environment the URL asks for. Every way of being wrong (malformed, unknown, revoked, other
// environment) is FAIL_AUTHENTICATION with the same text and about the same time. Cached per process; the cache holds no key, only its
// HMAC.
bool auth_key_check(struct auth *auth, struct view key, const char *environment, struct identity *ret_identity, struct fail *fail);
// `Authorization: Zoho-oauthtoken T` or `Bearer T`. Until OAuth clients exist every token is FAIL_INVALID_TOKEN, a missing one
// FAIL_AUTHENTICATION.
bool auth_token_check(struct auth *auth, struct view header, struct identity *ret_identity, struct fail *fail);
