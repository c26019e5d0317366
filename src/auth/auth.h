// SPDX-License-Identifier: Apache-2.0
//
// auth: who is calling. Organisations by number and name, zapikeys, OAuth clients and tokens. An identity names org, environment and
// namespace; everything below it is reached through the store handle made from it, never through an id in the request's text.
#pragma once

#include "base/base.h"
#include "store/store.h"

enum { AUTH_NAME_MAX = 64, AUTH_KEY_LEN = 70 }; // "1003." + 32 hex + "." + 32 hex

extern const struct store_migration auth_migrations[]; // of an org environment
extern const struct store_migration auth_control_migrations[]; // of control

// ---- organisations (in closures of control) -----------------------------------------------------

// Number 1 is the default org, which is there from the start. Names are 1–40 of [a-z0-9_-], beginning with a letter.
enum { AUTH_ORG_DEFAULT = 1, AUTH_ORG_TEXT_MAX = 128 };
struct auth_org {
    int64_t number;
    char name[AUTH_NAME_MAX];
    char company[AUTH_ORG_TEXT_MAX], admin_email[AUTH_ORG_TEXT_MAX], time_zone[AUTH_ORG_TEXT_MAX]; // empty = the settings'
    bool sandbox; // it has one
    int64_t created_ms;
};
// Gives the org its number. FAIL_EXISTS, FAIL_INVALID_DATA for a name that cannot be one.
bool auth_org_add_tx(struct tx *tx, struct auth_org *org, struct fail *fail);
bool auth_org_sandbox_tx(struct tx *tx, int64_t number, struct fail *fail); // from now on it has one
bool auth_org_find_tx(struct tx *tx, struct view name, struct auth_org *ret_org, bool *ret_found, struct fail *fail);
bool auth_org_number_tx(struct tx *tx, int64_t number, struct auth_org *ret_org, bool *ret_found, struct fail *fail);
bool auth_orgs_tx(struct tx *tx, bool (*each)(void *arg, const struct auth_org *org, struct fail *fail), void *arg, struct fail *fail);

// ---- identities ---------------------------------------------------------------------------------

enum identity_kind {
    IDENTITY_NONE,
    IDENTITY_ZAPIKEY, // functions of one namespace
    IDENTITY_OAUTH, // a user with scopes
    IDENTITY_OWNER, // whoever may open control.sock: everything
};
enum auth_role { // of a session of the console; each may do what the one before may
    AUTH_ROLE_NONE, // no session
    AUTH_ROLE_VIEWER, // reads
    AUTH_ROLE_DEVELOPER, // everything but people and orgs
    AUTH_ROLE_ADMIN,
};
struct auth_meter; // counts the calls with one namespace's keys
struct identity {
    enum identity_kind kind;
    char org[AUTH_NAME_MAX]; // "default"
    char environment[16]; // "production" or "sandbox"
    char namespace[AUTH_NAME_MAX]; // zapikeys only
    int rate; // of a zapikey: calls a minute
    struct auth_meter *meter; // of a zapikey with a rate, else NULL
    int64_t org_number;
    int64_t user_id; // 0 = the org's super admin
    enum auth_role role; // IDENTITY_OWNER by a session of the console, else AUTH_ROLE_NONE
    int64_t account_id; // whose session; 0 = the operator's
    const char *scopes; // IDENTITY_OAUTH: what the token may do, blanks between; kept for the process's life. NULL: not limited by scopes
};

// How auth reaches an org environment's data base: given by host, which opens environments lazily. NULL result with fail set if there is
// none.
struct auth_router {
    void *user;
    struct store_env *(*env)(void *user, int64_t org_number, const char *environment, char ret_org[AUTH_NAME_MAX], struct fail *fail);
    // Is the CRM user `who->user_id` (never 0) still active? Asked when a token is looked up. NULL: every one is.
    bool (*user_active)(void *user, const struct identity *who, bool *ret_active, struct fail *fail);
    // Keys were used since the last auth_keys_flush: another one is due in some seconds. Comes from any loop, gives not way; false: it will
    // not be, ask again at the next use. May be NULL.
    bool (*used)(void *user);
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
// A key whose rules name addresses is asked for by one of those only: `caller` tells the address then (false: not known); NULL = a call
// from inside, which has none.
struct auth_caller {
    bool (*address)(void *user, struct address *ret_address);
    void *user;
};
bool auth_key_check(struct auth *auth, struct view key, const char *environment, const struct auth_caller *caller,
                    struct identity *ret_identity, struct fail *fail);
// `Authorization: Zoho-oauthtoken T` or `Bearer T`, the word in any case. A missing or blank one is FAIL_AUTHENTICATION; one that is unknown,
// expired or revoked, or whose user is not active any more, FAIL_INVALID_TOKEN. Cached like keys.
bool auth_token_check(struct auth *auth, struct view header, struct identity *ret_identity, struct fail *fail);

// ---- OAuth 2.0 (spec/crm-api.md §6) -------------------------------------------------------------

// Scopes are texts with blanks between: "ZohoCRM.modules.ALL ZohoCRM.coql.READ".
#define AUTH_SCOPE_CONTROL_PATH "Sluice.control"
#define AUTH_SCOPE_CONTROL AUTH_SCOPE_CONTROL_PATH ".ALL" // /control/…: commands with --server
enum { AUTH_SCOPES_MAX = 2048 };
// Do the granted scopes (NULL = everything) cover the needed one, "ZohoCRM.modules.Leads.READ"? All of those in a list?
bool auth_scope_covers(const char *scopes, struct view needed);
bool auth_scope_covers_all(const char *scopes, const char *needed);
// Reads a list with commas or blanks between into the table's spelling, each once. control: may AUTH_SCOPE_CONTROL be among them?
// FAIL_INVALID_DATA names the one that there is not.
bool auth_scope_read(struct view text, bool control, char ret_scopes[AUTH_SCOPES_MAX], struct fail *fail);
// A list as a text for the process's life, for an identity of that org. NULL with FAIL_FULL when the org has used too many different ones.
const char *auth_scope_keep(struct auth *auth, int64_t org_number, struct view scopes, struct fail *fail);
void auth_scope_all(bool control, char ret_scopes[AUTH_SCOPES_MAX]); // what a client gets that asks for nothing in particular

// Everything below lies in the data base of one org environment (closures of it; `where` names it). Secrets, codes and tokens are given out
// once, when they are made, and kept as HMAC only.
enum {
    AUTH_CLIENT_ID_LEN = 37, // "1000." + 32 upper-case hex, as Zoho's look
    AUTH_SECRET_LEN = 42,
    AUTH_TOKEN_LEN = 70, // "1000." + 32 hex + "." + 32 hex: access and refresh tokens, grant codes, tickets
    AUTH_REQUEST_LEN = 9, // "BCDF-GHJK"
    AUTH_CLIENT_NAME_MAX = 128,
    AUTH_URI_MAX = 1024,
    AUTH_URIS_MAX = 4096, // all redirect URIs of a client
    AUTH_STATE_MAX = 1024,
    AUTH_CLIENTS_MAX = 1000, // an environment
    AUTH_REQUESTS_MAX = 100, // that wait for an answer, an environment
};
struct auth_terms { // limits, in seconds and pieces
    int64_t token_s, code_s, request_s, access_tokens, refresh_tokens;
};
// The org number and environment that a client id, token or ticket leads to; by arithmetic, so it need not exist. False: not ours.
bool auth_token_place(const struct auth *auth, struct view text, struct identity *ret_where);

struct auth_client {
    char client_id[AUTH_CLIENT_ID_LEN + 1];
    char name[AUTH_CLIENT_NAME_MAX];
    char redirect_uris[AUTH_URIS_MAX]; // newlines between
    char scopes[AUTH_SCOPES_MAX]; // of its own tokens, and at most of its client_credentials
    int64_t user_id; // whom its tokens are; 0 = the super admin
    int64_t created_ms;
};
// Adds an URI to a client that is about to be made: http or https, absolute, no fragment. FAIL_INVALID_DATA.
bool auth_client_redirect(struct auth_client *client, struct view uri, struct fail *fail);
// Gives the client its id. FAIL_LIMIT_EXCEEDED at AUTH_CLIENTS_MAX.
bool auth_client_add_tx(struct tx *tx, const struct auth *auth, const struct identity *where, struct auth_client *client,
                        char ret_secret[AUTH_SECRET_LEN + 1], struct fail *fail);
bool auth_client_find_tx(struct tx *tx, struct view client_id, struct auth_client *ret_client, bool *ret_found, struct fail *fail);
bool auth_clients_tx(struct tx *tx, bool (*each)(void *arg, const struct auth_client *client, struct fail *fail), void *arg,
                     struct fail *fail);
bool auth_client_remove_tx(struct tx *tx, struct view client_id, bool *ret_found, struct fail *fail); // with all its tokens, at once

// What a client may use. error: why it got nothing, a word of spec/crm-api.md §6, else NULL.
struct auth_tokens {
    const char *error;
    char access[AUTH_TOKEN_LEN + 1], refresh[AUTH_TOKEN_LEN + 1]; // refresh empty: there is none
    char scopes[AUTH_SCOPES_MAX];
    bool displaced; // an older access token had to go: auth_tokens_displaced after the closure
};
// Tokens of a client for its own user, without a code.
bool auth_tokens_make_tx(struct tx *tx, const struct auth *auth, const struct identity *where, const struct auth_client *client,
                         const struct auth_terms *terms, struct auth_tokens *ret_tokens, struct fail *fail);
// A code that `client` can turn into tokens once within `life_s`. redirect_uri empty: of a self client.
struct auth_code {
    const struct auth_client *client;
    struct view scopes, redirect_uri;
    bool offline; // with a refresh token
    int64_t life_s;
};
bool auth_code_make_tx(struct tx *tx, const struct auth *auth, const struct identity *where, const struct auth_code *code,
                       char ret_code[AUTH_TOKEN_LEN + 1], struct fail *fail);
// A request at the token endpoint. Views are empty where nothing was said.
struct auth_token_request {
    struct view grant_type, client_id, client_secret, code, redirect_uri, refresh_token, scope;
};
bool auth_tokens_request_tx(struct tx *tx, const struct auth *auth, const struct identity *where, const struct auth_token_request *request,
                            const struct auth_terms *terms, struct auth_tokens *ret_tokens, struct fail *fail);
void auth_tokens_displaced(struct auth *auth); // caches forget
// A refresh token with all that came of it, or one access token.
bool auth_token_revoke_tx(struct tx *tx, const struct auth *auth, struct view token, bool *ret_found, struct fail *fail);

// Somebody's browser asks for a code; the operator answers; the browser, which asks again with the ticket, is sent on.
enum auth_answer { AUTH_ASKED, AUTH_APPROVED, AUTH_DENIED };
struct auth_request {
    char request[AUTH_REQUEST_LEN + 1]; // what the operator types
    char client_id[AUTH_CLIENT_ID_LEN + 1], client_name[AUTH_CLIENT_NAME_MAX];
    char redirect_uri[AUTH_URI_MAX], scopes[AUTH_SCOPES_MAX], state[AUTH_STATE_MAX];
    bool offline;
    enum auth_answer answer; // AUTH_DENIED also when nobody answered in time
};
// In: client_id, redirect_uri, scopes, state, offline. *ret_error: "invalid_client", "invalid_redirect_uri", or NULL. FAIL_TOO_MANY.
bool auth_request_add_tx(struct tx *tx, const struct auth *auth, const struct identity *where, const struct auth_terms *terms,
                         struct auth_request *request, char ret_ticket[AUTH_TOKEN_LEN + 1], const char **ret_error, struct fail *fail);
// When it is answered it is gone with this, and ret_code holds the code if it was approved.
bool auth_request_poll_tx(struct tx *tx, const struct auth *auth, const struct identity *where, struct view ticket,
                          const struct auth_terms *terms, struct auth_request *ret_request, char ret_code[AUTH_TOKEN_LEN + 1],
                          bool *ret_found, struct fail *fail);
// `request` in any case, with or without its hyphen. Only those that wait are found.
bool auth_request_answer_tx(struct tx *tx, struct view request, enum auth_answer answer, struct auth_request *ret_request, bool *ret_found,
                            struct fail *fail);
bool auth_requests_tx(struct tx *tx, bool (*each)(void *arg, const struct auth_request *request, struct fail *fail), void *arg,
                      struct fail *fail);

// ---- the life of keys ---------------------------------------------------------------------------

enum { AUTH_ALLOW_MAX = 32, AUTH_RATE_MAX = 1000000, AUTH_KEYS_OLD_MAX = 16 };
#define AUTH_GRACE_MS_MAX (30LL * 86400000)

// What a namespace's keys may: its own rules, or the settings key.rate and key.allow.
struct auth_key_rules {
    int rate; // calls a minute, 0 = any number
    int allow_count; // 0 = from anywhere
    struct address_range allow[AUTH_ALLOW_MAX];
};
bool auth_rate_read(struct view text, int *ret_rate, struct fail *fail); // "120/minute", "none"; empty is none
bool auth_allow_read(struct view text, struct auth_key_rules *ret_rules, struct fail *fail); // "10.0.0.0/8,192.0.2.1", "any"; empty is any
void auth_set_key_rules(struct auth *auth, const struct auth_key_rules *rules); // the settings', before the first check

// In closures of the environment; `where` as for auth_key_make_tx, its namespace in any case. FAIL_NOT_FOUND for a namespace without keys.
// A new key; the one before dies at once, or works for grace_ms more (at most AUTH_GRACE_MS_MAX; at most AUTH_KEYS_OLD_MAX such keys). A
// rotation without grace ends the grace of all.
bool auth_key_rotate_tx(struct tx *tx, const struct auth *auth, const struct identity *where, int64_t grace_ms, struct fail *fail);
bool auth_key_revoke_tx(struct tx *tx, const struct auth *auth, struct view namespace, struct fail *fail); // none works until rotated
// Rules as auth_rate_read and auth_allow_read take them, or "default": the settings'. A view without data leaves that rule alone.
bool auth_key_rules_tx(struct tx *tx, struct view namespace, struct view rate, struct view allow, struct fail *fail);

struct auth_key_info { // views are valid during the call
    struct view namespace;
    bool current, revoked; // revoked: there is no key, times are that of the revocation
    int64_t created_ms, used_ms, expires_ms; // 0 = never
    struct view rate, allow; // "120/minute", "none", "default" …
};
// By namespace, the current key first; namespace empty = all.
bool auth_keys_tx(struct tx *tx, struct view namespace, void (*each)(void *arg, const struct auth_key_info *key), void *arg,
                  struct fail *fail);
bool auth_keys_flush(struct auth *auth, struct fail *fail); // writes when keys were last used; gives way; one at a time

// Counts one call. False: the minute's are used up, and ret_wait_s seconds remain of it. ret_left: calls that are left. Never waits.
bool auth_meter_take(struct auth_meter *meter, int rate, int64_t now_ms, int *ret_left, int *ret_wait_s);

// ---- the audit log (in closures of control) -----------------------------------------------------

enum { AUTH_AUDIT_ROWS_MAX = 100000 }; // the oldest go
struct auth_audit {
    int64_t id, time_ms;
    struct view actor, org, environment; // "owner", "user 5…", "system"
    struct view action, subject, outcome; // "key rotate", "twilioext", "done" or "failed"; never a secret
};
bool auth_audit_add_tx(struct tx *tx, const struct auth_audit *entry, struct fail *fail); // gives the row its id
// Oldest first: after 0 the newest `limit`, else the first `limit` behind that id. Views are valid during the call.
bool auth_audit_tx(struct tx *tx, int64_t after, int limit, void (*each)(void *arg, const struct auth_audit *entry), void *arg,
                   struct fail *fail);

// ---- the console's people (account.c, in closures of control) -----------------------------------

enum { AUTH_EMAIL_MAX = 255, AUTH_PERSON_MAX = 129, AUTH_ACCOUNTS_MAX = 1000, AUTH_PASSWORD_LEAST = 8, AUTH_PASSWORD_MOST = 256 };
enum { AUTH_SALT_BYTES = 16, AUTH_HASH_BYTES = 32 };
struct auth_password { // scrypt
    uint8_t salt[AUTH_SALT_BYTES], hash[AUTH_HASH_BYTES];
};
struct auth_account {
    int64_t id; // 0 = the operator, who has a link and no row
    char email[AUTH_EMAIL_MAX], name[AUTH_PERSON_MAX]; // e-mail in lower case
    enum auth_role role;
    int64_t created_ms, signed_in_ms; // 0 = never
};
const char *auth_role_name(enum auth_role role); // "viewer", "developer", "admin"; "" for none
bool auth_role_find(struct view name, enum auth_role *ret_role, struct fail *fail);
// Hashing takes tens of milliseconds and 32 MB: a job, gives way; at most AUTH_HASHES_MAX at once, then FAIL_TOO_MANY.
enum { AUTH_HASHES_MAX = 4 };
bool auth_password_make(struct view password, struct auth_password *ret_password, struct fail *fail); // FAIL_INVALID_DATA: too short or long
// NULL instead of a password takes as long and is never right.
bool auth_password_check(const struct auth_password *password, struct view text, bool *ret_right, struct fail *fail);
// FAIL_INVALID_DATA for what is no e-mail address. In lower case.
bool auth_email_read(struct view text, char ret_email[AUTH_EMAIL_MAX], struct fail *fail);
bool auth_account_add_tx(struct tx *tx, struct auth_account *account, const struct auth_password *password, struct fail *fail); // FAIL_EXISTS
bool auth_account_find_tx(struct tx *tx, const char *email, struct auth_account *ret_account, struct auth_password *ret_password,
                          bool *ret_found, struct fail *fail);
bool auth_account_name_tx(struct tx *tx, int64_t id, struct auth_account *ret_account, bool *ret_found, struct fail *fail); // by its id
bool auth_accounts_tx(struct tx *tx, bool (*each)(void *arg, const struct auth_account *account, struct fail *fail), void *arg,
                      struct fail *fail);
// Both end the account's sessions and links.
bool auth_account_change_tx(struct tx *tx, const struct auth_account *account, const struct auth_password *password, struct fail *fail);
bool auth_account_remove_tx(struct tx *tx, int64_t id, struct fail *fail);

// ---- sessions (session.c, in closures of control) -----------------------------------------------

enum {
    AUTH_SESSION_LEN = 64, // 256 bit in hex: sessions, links, CSRF tokens
    AUTH_SESSIONS_MAX = 1000, // the oldest end
    AUTH_ACCOUNT_SESSIONS_MAX = 20,
    AUTH_LINKS_MAX = 100,
};
#define AUTH_SESSION_MS (12LL * 3600000)
#define AUTH_LINK_MS (10LL * 60000)
bool auth_link_make_tx(struct tx *tx, const struct auth *auth, int64_t account_id, char ret_link[AUTH_SESSION_LEN + 1], struct fail *fail);
// Uses the link up. *ret_found false for one that is unknown, used or too old.
bool auth_link_use_tx(struct tx *tx, const struct auth *auth, struct view link, int64_t *ret_account_id, bool *ret_found, struct fail *fail);
bool auth_session_make_tx(struct tx *tx, const struct auth *auth, int64_t account_id, char ret_session[AUTH_SESSION_LEN + 1],
                          struct fail *fail);
// Whose it is; of the operator the id alone is set, and the role.
bool auth_session_find_tx(struct tx *tx, const struct auth *auth, struct view session, struct auth_account *ret_account, bool *ret_found,
                          struct fail *fail);
bool auth_session_end_tx(struct tx *tx, const struct auth *auth, struct view session, struct fail *fail);
// What a page of the session says with each change.
void auth_session_csrf(const struct auth *auth, struct view session, char ret_token[AUTH_SESSION_LEN + 1]);

// ---- attempts to sign in ------------------------------------------------------------------------

// After AUTH_ATTEMPTS_FREE wrong passwords for an e-mail address, known or not, it waits: 30 s, doubled with each further one up to an hour.
// Kept in this process, in a table of fixed size; addresses that fall together wait together. Any thread.
enum { AUTH_ATTEMPTS_FREE = 5 };
bool auth_attempt_may(const struct auth *auth, const char *email, int64_t now_ms, int *ret_wait_s);
void auth_attempt_note(struct auth *auth, const char *email, int64_t now_ms, bool right);
