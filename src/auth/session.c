// SPDX-License-Identifier: Apache-2.0
// Sessions of the console, and the links that make one once (DESIGN security 7). Both are 256 random bits that the browser holds; control
// has their HMAC. A session ends by itself after AUTH_SESSION_MS, by signing out, when its account changes, and when there are too many.
//
// The CSRF token is an HMAC of the session: whoever can read a page of the session has it, whoever can only send its cookie has not.
#include "auth/inside.h"

static bool is_shape(struct view text)
{
    uint8_t bytes[AUTH_SESSION_LEN / 2];
    return text.len == AUTH_SESSION_LEN && hex_read(text, bytes, sizeof bytes);
}

// A link never passes for a session: the purpose stands in front of what is hashed.
static void make_mac(const struct auth *auth, const char *purpose, struct view token, uint8_t ret_mac[SEAL_HMAC_BYTES])
{
    char text[16 + AUTH_SESSION_LEN + 1];
    int len = snprintf(text, sizeof text, "%s %.*s", purpose, VIEW_ARGS(token));
    assert(len > 0 && (size_t)len < sizeof text);
    seal_hmac(auth->seal, (struct view){text, (size_t)len}, ret_mac);
}

static void make_token(const struct auth *auth, const char *purpose, char ret_token[AUTH_SESSION_LEN + 1], uint8_t ret_mac[SEAL_HMAC_BYTES])
{
    random_hex(ret_token, AUTH_SESSION_LEN);
    ret_token[AUTH_SESSION_LEN] = 0;
    make_mac(auth, purpose, view_of(ret_token), ret_mac);
}

void auth_session_csrf(const struct auth *auth, struct view session, char ret_token[AUTH_SESSION_LEN + 1])
{
    uint8_t mac[SEAL_HMAC_BYTES];
    make_mac(auth, "csrf", is_shape(session) ? session : VIEW("none"), mac);
    hex_print(ret_token, mac, sizeof mac);
    ret_token[AUTH_SESSION_LEN] = 0;
}

// ---- links --------------------------------------------------------------------------------------

bool auth_link_make_tx(struct tx *tx, const struct auth *auth, int64_t account_id, char ret_link[AUTH_SESSION_LEN + 1], struct fail *fail)
{
    uint8_t mac[SEAL_HMAC_BYTES];
    int64_t now_ms = clock_wall_ms();
    make_token(auth, "link", ret_link, mac);
    struct store_param old = store_int(now_ms), most = store_int(AUTH_LINKS_MAX - 1);
    struct store_param row[] = {auth_mac(mac), store_int(account_id), store_int(now_ms + AUTH_LINK_MS)};
    return tx_exec(tx, "DELETE FROM auth_link WHERE expires_ms <= ?", &old, 1, fail) &&
           tx_exec(tx, "DELETE FROM auth_link WHERE mac NOT IN (SELECT mac FROM auth_link ORDER BY expires_ms DESC LIMIT ?)", &most, 1,
                   fail) &&
           tx_exec(tx, "INSERT INTO auth_link (mac, account_id, expires_ms) VALUES (?, ?, ?)", row, (int)BASE_COUNT(row), fail);
}

bool auth_link_use_tx(struct tx *tx, const struct auth *auth, struct view link, int64_t *ret_account_id, bool *ret_found, struct fail *fail)
{
    uint8_t mac[SEAL_HMAC_BYTES];
    *ret_found = false;
    if (!is_shape(link)) {
        return true;
    }
    make_mac(auth, "link", link, mac);
    struct store_param params[] = {auth_mac(mac), store_int(clock_wall_ms())};
    return tx_query_int(tx, "SELECT account_id FROM auth_link WHERE mac = ? AND expires_ms > ?", params, 2, ret_account_id, ret_found,
                        fail) &&
           (!*ret_found || tx_exec(tx, "DELETE FROM auth_link WHERE mac = ?", params, 1, fail));
}

// ---- sessions -----------------------------------------------------------------------------------

// Those that are over go, and the oldest where there are too many.
static bool make_room(struct tx *tx, int64_t account_id, int64_t now_ms, struct fail *fail)
{
    struct store_param old = store_int(now_ms), most = store_int(AUTH_SESSIONS_MAX - 1);
    struct store_param own[] = {store_int(account_id), store_int(account_id), store_int(AUTH_ACCOUNT_SESSIONS_MAX - 1)};
    return tx_exec(tx, "DELETE FROM auth_session WHERE expires_ms <= ?", &old, 1, fail) &&
           tx_exec(
               tx,
               "DELETE FROM auth_session WHERE account_id = ? AND mac NOT IN (SELECT mac FROM auth_session WHERE account_id = ? ORDER BY "
               "created_ms DESC LIMIT ?)",
               own, 3, fail) &&
           tx_exec(tx, "DELETE FROM auth_session WHERE mac NOT IN (SELECT mac FROM auth_session ORDER BY created_ms DESC LIMIT ?)", &most,
                   1, fail);
}

bool auth_session_make_tx(struct tx *tx, const struct auth *auth, int64_t account_id, char ret_session[AUTH_SESSION_LEN + 1],
                          struct fail *fail)
{
    uint8_t mac[SEAL_HMAC_BYTES];
    int64_t now_ms = clock_wall_ms();
    make_token(auth, "session", ret_session, mac);
    struct store_param row[] = {auth_mac(mac), store_int(account_id), store_int(now_ms), store_int(now_ms + AUTH_SESSION_MS)};
    struct store_param signed_in[] = {store_int(now_ms), store_int(account_id)};
    return make_room(tx, account_id, now_ms, fail) &&
           tx_exec(tx, "INSERT INTO auth_session (mac, account_id, created_ms, expires_ms) VALUES (?, ?, ?, ?)", row, (int)BASE_COUNT(row),
                   fail) &&
           tx_exec(tx, "UPDATE auth_account SET signed_in_ms = ? WHERE id = ?", signed_in, 2, fail);
}

static void read_account(const struct rows *rows, struct auth_account *account)
{
    struct view email = rows_text(rows, 1);
    *account = (struct auth_account){.id = rows_int(rows, 0), .role = AUTH_ROLE_ADMIN};
    if (account->id) {
        snprintf(account->email, sizeof account->email, "%.*s", VIEW_ARGS(email));
        struct view name = rows_text(rows, 2);
        snprintf(account->name, sizeof account->name, "%.*s", VIEW_ARGS(name));
        account->role = (enum auth_role)rows_int(rows, 3);
    }
}

bool auth_session_find_tx(struct tx *tx, const struct auth *auth, struct view session, struct auth_account *ret_account, bool *ret_found,
                          struct fail *fail)
{
    uint8_t mac[SEAL_HMAC_BYTES];
    struct rows *rows;
    *ret_found = false;
    if (!is_shape(session)) {
        return true;
    }
    make_mac(auth, "session", session, mac);
    struct store_param params[] = {auth_mac(mac), store_int(clock_wall_ms())};
    fail_clear(fail);
    if (!tx_query(tx,
                  "SELECT s.account_id, a.email, a.name, a.role FROM auth_session s LEFT JOIN auth_account a ON a.id = s.account_id "
                  "WHERE s.mac = ? AND s.expires_ms > ? AND (s.account_id = 0 OR a.id IS NOT NULL)",
                  params, 2, &rows, fail)) {
        return false;
    }
    *ret_found = rows_next(rows, fail);
    if (*ret_found) {
        read_account(rows, ret_account);
    }
    rows_close(rows);
    return *ret_found || fail->code == FAIL_NONE;
}

bool auth_session_end_tx(struct tx *tx, const struct auth *auth, struct view session, struct fail *fail)
{
    uint8_t mac[SEAL_HMAC_BYTES];
    if (!is_shape(session)) {
        return true;
    }
    make_mac(auth, "session", session, mac);
    struct store_param param = auth_mac(mac);
    return tx_exec(tx, "DELETE FROM auth_session WHERE mac = ?", &param, 1, fail);
}
