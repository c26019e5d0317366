// SPDX-License-Identifier: Apache-2.0
// Consent (spec/crm-api.md §6, the authorize step): a browser brings a client's request, the operator answers it by command, the browser,
// which asks again every few seconds with its ticket, is sent on with a code. Requests that nobody answered are as good as denied.
#include "auth/inside.h"

// A browser that comes back late is told so for this long.
enum { REMEMBER_MS = 3600 * 1000, CODE_LIFE_S = 120 };

static const char COLUMNS[] = "SELECT r.request, r.client_id, r.redirect_uri, r.scopes, r.state, r.offline, r.answer, r.expires_ms, c.name "
                              "FROM auth_request r JOIN auth_client c ON c.client_id = r.client_id ";

// Letters that make no words and are not mistaken for each other.
static void write_request(char ret_request[AUTH_REQUEST_LEN + 1])
{
    static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";
    for (size_t i = 0; i < AUTH_REQUEST_LEN; i++) {
        uint8_t byte;
        do {
            random_bytes(&byte, 1);
        } while (byte >= 240); // 12 times 20: every letter is as likely
        ret_request[i] = i == 4 ? '-' : letters[byte % 20];
    }
    ret_request[AUTH_REQUEST_LEN] = 0;
}

// ---- asking -------------------------------------------------------------------------------------

static bool has_uri(const struct auth_client *client, struct view uri)
{
    for (struct view rest = view_of(client->redirect_uris); rest.len > 0;) {
        if (view_eq(view_cut(&rest, '\n'), uri)) {
            return uri.len > 0;
        }
    }
    return false;
}

// Those that are over for long are forgotten; how many wait is limited.
static bool make_room(struct tx *tx, int64_t now_ms, struct fail *fail)
{
    struct store_param over = store_int(now_ms - REMEMBER_MS), waiting[] = {store_int(AUTH_ASKED), store_int(now_ms)};
    int64_t count;
    bool found;
    if (!tx_exec(tx, "DELETE FROM auth_request WHERE expires_ms <= ?", &over, 1, fail) ||
        !tx_query_int(tx, "SELECT count(*) FROM auth_request WHERE answer = ? AND expires_ms > ?", waiting, 2, &count, &found, fail)) {
        return false;
    }
    return count < AUTH_REQUESTS_MAX ||
           fail_set(fail, FAIL_TOO_MANY, "%d requests wait for an answer already; try again in some minutes", AUTH_REQUESTS_MAX);
}

bool auth_request_add_tx(struct tx *tx, const struct auth *auth, const struct identity *where, const struct auth_terms *terms,
                         struct auth_request *request, char ret_ticket[AUTH_TOKEN_LEN + 1], const char **ret_error, struct fail *fail)
{
    struct auth_client client;
    uint8_t mac[SEAL_HMAC_BYTES];
    bool found;
    int64_t now = clock_wall_ms();
    if (!auth_client_find_tx(tx, view_of(request->client_id), &client, &found, fail)) {
        return false;
    }
    *ret_error = !found ? "invalid_client" : !has_uri(&client, view_of(request->redirect_uri)) ? "invalid_redirect_uri" : NULL;
    if (*ret_error) {
        return true;
    }
    snprintf(request->client_name, sizeof request->client_name, "%s", client.name);
    write_request(request->request);
    auth_token_write(auth, where, ret_ticket, mac);
    struct store_param row[] = {store_text(view_of(request->request)),
                                auth_mac(mac),
                                store_text(view_of(request->client_id)),
                                store_text(view_of(request->redirect_uri)),
                                store_text(view_of(request->scopes)),
                                store_text(view_of(request->state)),
                                store_int(request->offline),
                                store_int(AUTH_ASKED),
                                store_int(now + terms->request_s * 1000)};
    return make_room(tx, now, fail) &&
           tx_exec(tx,
                   "INSERT INTO auth_request (request, ticket_mac, client_id, redirect_uri, scopes, state, offline, answer, expires_ms) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   row, (int)BASE_COUNT(row), fail);
}

// ---- reading ------------------------------------------------------------------------------------

static void copy_text(char *out, size_t size, struct view text)
{
    snprintf(out, size, "%.*s", VIEW_ARGS(text));
}

static void read_request(const struct rows *rows, struct auth_request *request)
{
    copy_text(request->request, sizeof request->request, rows_text(rows, 0));
    copy_text(request->client_id, sizeof request->client_id, rows_text(rows, 1));
    copy_text(request->redirect_uri, sizeof request->redirect_uri, rows_text(rows, 2));
    copy_text(request->scopes, sizeof request->scopes, rows_text(rows, 3));
    copy_text(request->state, sizeof request->state, rows_text(rows, 4));
    request->offline = rows_int(rows, 5) != 0;
    request->answer = (enum auth_answer)rows_int(rows, 6);
    if (request->answer == AUTH_ASKED && rows_int(rows, 7) <= clock_wall_ms()) {
        request->answer = AUTH_DENIED;
    }
    copy_text(request->client_name, sizeof request->client_name, rows_text(rows, 8));
}

// `where` is the condition with its one parameter.
static bool find_request(struct tx *tx, const char *where, struct store_param param, struct auth_request *ret_request, bool *ret_found,
                         struct fail *fail)
{
    char sql[512];
    struct rows *rows;
    snprintf(sql, sizeof sql, "%sWHERE %s", COLUMNS, where);
    fail_clear(fail);
    if (!tx_query(tx, sql, &param, 1, &rows, fail)) {
        return false;
    }
    *ret_found = rows_next(rows, fail);
    if (*ret_found) {
        read_request(rows, ret_request);
    }
    rows_close(rows);
    return *ret_found || fail->code == FAIL_NONE;
}

// ---- coming back --------------------------------------------------------------------------------

static bool make_code(struct tx *tx, const struct auth *auth, const struct identity *where, const struct auth_request *request,
                      const struct auth_terms *terms, char ret_code[AUTH_TOKEN_LEN + 1], struct fail *fail)
{
    struct auth_client client;
    bool found;
    struct auth_code code = {.client = &client,
                             .scopes = view_of(request->scopes),
                             .redirect_uri = view_of(request->redirect_uri),
                             .offline = request->offline,
                             .life_s = terms->code_s < CODE_LIFE_S ? terms->code_s : CODE_LIFE_S};
    return auth_client_find_tx(tx, view_of(request->client_id), &client, &found, fail) &&
           (found || fail_set(fail, FAIL_NOT_FOUND, "the client is gone")) && auth_code_make_tx(tx, auth, where, &code, ret_code, fail);
}

bool auth_request_poll_tx(struct tx *tx, const struct auth *auth, const struct identity *where, struct view ticket,
                          const struct auth_terms *terms, struct auth_request *ret_request, char ret_code[AUTH_TOKEN_LEN + 1],
                          bool *ret_found, struct fail *fail)
{
    uint8_t mac[SEAL_HMAC_BYTES];
    seal_hmac(auth->seal, ticket, mac);
    struct store_param param = auth_mac(mac);
    if (!find_request(tx, "r.ticket_mac = ?", param, ret_request, ret_found, fail)) {
        return false;
    }
    if (!*ret_found || ret_request->answer == AUTH_ASKED) {
        return true;
    }
    return tx_exec(tx, "DELETE FROM auth_request WHERE ticket_mac = ?", &param, 1, fail) &&
           (ret_request->answer == AUTH_DENIED || make_code(tx, auth, where, ret_request, terms, ret_code, fail));
}

// ---- answering ----------------------------------------------------------------------------------

// As people type it: any case, with or without the hyphen. Empty when it is too long.
static struct view canonical(struct view typed, char out[AUTH_REQUEST_LEN])
{
    size_t len = 0;
    for (size_t i = 0; i < typed.len; i++) {
        char c = typed.data[i];
        if (c == '-') {
            continue;
        }
        if (len == AUTH_REQUEST_LEN) {
            return VIEW("");
        }
        if (len == 4) {
            out[len++] = '-';
        }
        out[len++] = c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
    }
    return (struct view){out, len};
}

bool auth_request_answer_tx(struct tx *tx, struct view request, enum auth_answer answer, struct auth_request *ret_request, bool *ret_found,
                            struct fail *fail)
{
    char text[AUTH_REQUEST_LEN + 1];
    struct store_param params[] = {store_int(answer), store_text(canonical(request, text))};
    if (!find_request(tx, "r.request = ?", params[1], ret_request, ret_found, fail)) {
        return false;
    }
    *ret_found = *ret_found && ret_request->answer == AUTH_ASKED;
    return !*ret_found || tx_exec(tx, "UPDATE auth_request SET answer = ? WHERE request = ?", params, 2, fail);
}

bool auth_requests_tx(struct tx *tx, bool (*each)(void *arg, const struct auth_request *request, struct fail *fail), void *arg,
                      struct fail *fail)
{
    char sql[512];
    struct rows *rows;
    struct auth_request request;
    struct store_param params[] = {store_int(AUTH_ASKED), store_int(clock_wall_ms())};
    snprintf(sql, sizeof sql, "%sWHERE r.answer = ? AND r.expires_ms > ? ORDER BY r.expires_ms, r.request", COLUMNS);
    fail_clear(fail);
    if (!tx_query(tx, sql, params, 2, &rows, fail)) {
        return false;
    }
    while (rows_next(rows, fail)) {
        read_request(rows, &request);
        if (!each(arg, &request, fail)) {
            break;
        }
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}
