// SPDX-License-Identifier: Apache-2.0
// OAuth clients: made by the operator, one row each in the data base of the org environment that their tokens open. The client id leads to
// that environment; the secret is known to the client alone, the row has its HMAC.
#include "auth/inside.h"

static const char COLUMNS[] = "SELECT client_id, name, redirect_uris, scopes, user_id, created_ms FROM auth_client ";

// ---- redirect URIs ------------------------------------------------------------------------------

// Something like http://host…: control bytes and blanks would break the reply's head, a fragment would swallow the code.
static bool is_uri(struct view uri)
{
    size_t scheme = view_starts_nocase(uri, VIEW("https://")) ? 8 : view_starts_nocase(uri, VIEW("http://")) ? 7 : 0;
    if (scheme == 0 || uri.len >= AUTH_URI_MAX || uri.len == scheme || strchr("/?#:", uri.data[scheme])) {
        return false;
    }
    for (size_t i = 0; i < uri.len; i++) {
        unsigned char c = (unsigned char)uri.data[i];
        if (c <= ' ' || c >= 0x7f || c == '#' || c == '"' || c == '<' || c == '>' || c == '\\') {
            return false;
        }
    }
    return true;
}

bool auth_client_redirect(struct auth_client *client, struct view uri, struct fail *fail)
{
    size_t len = strlen(client->redirect_uris);
    if (!is_uri(uri)) {
        return fail_set(fail, FAIL_INVALID_DATA, "a redirect URI is http://… or https://…, without blanks and #, shorter than %d bytes",
                        AUTH_URI_MAX);
    }
    if (len + uri.len + 2 > sizeof client->redirect_uris) {
        return fail_set(fail, FAIL_INVALID_DATA, "the redirect URIs of a client have %d bytes together", AUTH_URIS_MAX);
    }
    snprintf(client->redirect_uris + len, sizeof client->redirect_uris - len, "%s%.*s", len ? "\n" : "", VIEW_ARGS(uri));
    return true;
}

// ---- making -------------------------------------------------------------------------------------

static void write_client_id(const struct auth *auth, const struct identity *where, char ret_id[AUTH_CLIENT_ID_LEN + 1])
{
    uint8_t route[AUTH_ROUTE_BYTES];
    auth_route_write(auth, where, route);
    memcpy(ret_id, "1000.", 5);
    hex_print(ret_id + 5, route, sizeof route);
    for (char *c = ret_id + 5; c < ret_id + AUTH_CLIENT_ID_LEN; c++) {
        *c = *c >= 'a' ? (char)(*c - 'a' + 'A') : *c;
    }
    ret_id[AUTH_CLIENT_ID_LEN] = 0;
}

bool auth_client_add_tx(struct tx *tx, const struct auth *auth, const struct identity *where, struct auth_client *client,
                        char ret_secret[AUTH_SECRET_LEN + 1], struct fail *fail)
{
    int64_t count;
    bool found;
    uint8_t mac[SEAL_HMAC_BYTES];
    char secret[AUTH_SECRET_LEN + 1] = "";
    if (!tx_query_int(tx, "SELECT count(*) FROM auth_client", NULL, 0, &count, &found, fail)) {
        return false;
    }
    if (count >= AUTH_CLIENTS_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "an org environment has at most %d OAuth clients; remove one first", AUTH_CLIENTS_MAX);
    }
    write_client_id(auth, where, client->client_id);
    random_hex(secret, AUTH_SECRET_LEN);
    seal_hmac(auth->seal, view_of(secret), mac);
    client->created_ms = clock_wall_ms();
    struct store_param row[] = {store_text(view_of(client->client_id)), auth_mac(mac),
                                store_text(view_of(client->name)),      store_text(view_of(client->redirect_uris)),
                                store_text(view_of(client->scopes)),    store_int(client->user_id),
                                store_int(client->created_ms)};
    if (!tx_exec(tx,
                 "INSERT INTO auth_client (client_id, secret_mac, name, redirect_uris, scopes, user_id, created_ms) "
                 "VALUES (?, ?, ?, ?, ?, ?, ?)",
                 row, (int)BASE_COUNT(row), fail)) {
        return false;
    }
    memcpy(ret_secret, secret, sizeof secret);
    return true;
}

// ---- finding ------------------------------------------------------------------------------------

static void copy_text(char *out, size_t size, struct view text)
{
    snprintf(out, size, "%.*s", VIEW_ARGS(text));
}

static void read_client(const struct rows *rows, struct auth_client *client)
{
    copy_text(client->client_id, sizeof client->client_id, rows_text(rows, 0));
    copy_text(client->name, sizeof client->name, rows_text(rows, 1));
    copy_text(client->redirect_uris, sizeof client->redirect_uris, rows_text(rows, 2));
    copy_text(client->scopes, sizeof client->scopes, rows_text(rows, 3));
    client->user_id = rows_int(rows, 4);
    client->created_ms = rows_int(rows, 5);
}

bool auth_client_find_tx(struct tx *tx, struct view client_id, struct auth_client *ret_client, bool *ret_found, struct fail *fail)
{
    char sql[256];
    struct store_param id = store_text(client_id);
    struct rows *rows;
    snprintf(sql, sizeof sql, "%sWHERE client_id = ?", COLUMNS);
    fail_clear(fail);
    if (!tx_query(tx, sql, &id, 1, &rows, fail)) {
        return false;
    }
    *ret_found = rows_next(rows, fail);
    if (*ret_found) {
        read_client(rows, ret_client);
    }
    rows_close(rows);
    return *ret_found || fail->code == FAIL_NONE;
}

bool auth_clients_tx(struct tx *tx, bool (*each)(void *arg, const struct auth_client *client, struct fail *fail), void *arg,
                     struct fail *fail)
{
    char sql[256];
    struct rows *rows;
    struct auth_client client;
    snprintf(sql, sizeof sql, "%sORDER BY created_ms, client_id", COLUMNS);
    fail_clear(fail);
    if (!tx_query(tx, sql, NULL, 0, &rows, fail)) {
        return false;
    }
    while (rows_next(rows, fail)) {
        read_client(rows, &client);
        if (!each(arg, &client, fail)) {
            break;
        }
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

// ---- removing -----------------------------------------------------------------------------------

bool auth_client_remove_tx(struct tx *tx, struct view client_id, bool *ret_found, struct fail *fail)
{
    static const char *const statements[] = {"DELETE FROM auth_access WHERE grant_id IN (SELECT id FROM auth_grant WHERE client_id = ?)",
                                             "DELETE FROM auth_grant WHERE client_id = ?", "DELETE FROM auth_request WHERE client_id = ?",
                                             "DELETE FROM auth_client WHERE client_id = ?"};
    struct store_param id = store_text(client_id);
    for (size_t i = 0; i < BASE_COUNT(statements); i++) {
        if (!tx_exec(tx, statements[i], &id, 1, fail)) {
            return false;
        }
    }
    *ret_found = tx_changes(tx) > 0;
    return !*ret_found || store_bump(tx, fail);
}
