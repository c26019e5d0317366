// SPDX-License-Identifier: Apache-2.0
// Access tokens of connections by OAuth 2.0 (RFC 6749 §4 to §6): by refresh token, by the code of an authorisation, or by the client's own
// credentials. A token is asked for when the last one has expired, or once when the service refuses it; one refresh of a connection at a
// time, over all processes, and whoever waited for another's takes its token. A refresh token that the service replaces is durable, in the
// same statement as the token it came with, before either is used. Whatever the token address answers is never shown: it may hold secrets.
#include "host/connection.h"

enum {
    WAIT_MS = 30000,
    POLL_MS = 10,
    LEASE_MARGIN_MS = 5000,
    MARGIN_MS = 60000, // a token counts as expired so long before it is, or for a quarter of a short life
    LIFE_S = 3600, // of a token that does not say
    REPLY_BYTES_MAX = 65536,
    BODY_BYTES_MAX = 262144,
};

static bool is_fresh(const struct ext_connection *connection)
{
    const struct map *token = value_as_map(connection->token);
    struct value expires = token ? map_get_text(token, VIEW("expires_ms")) : value_null();
    return connection_text(connection->token, "access_token").len > 0 && expires.type == VALUE_NUMBER && expires.number > clock_wall_ms();
}

// ---- asking -------------------------------------------------------------------------------------

struct asking {
    struct run *run;
    const struct ext_connection *connection;
    struct buffer body, authorization;
    struct out_header headers[3];
    struct out_request request;
};

static void add_pair(struct buffer *body, const char *name, struct view value)
{
    if (value.len) {
        buffer_printf(body, "%s%s=", body->len ? "&" : "", name);
        form_encode(body, value, true);
    }
}

// Scopes stand with blanks between, or as a connector's list; the service's own separator goes between them.
static void add_scopes(struct buffer *body, struct value definition)
{
    const struct map *map = value_as_map(definition);
    struct value scopes = map ? map_get_text(map, VIEW("scopes")) : value_null();
    struct view separator = connection_text(definition, "separator"), rest = value_view_or(scopes, VIEW(""));
    const struct list *list = value_as_list(scopes);
    struct buffer joined;
    buffer_init(&joined, REPLY_BYTES_MAX);
    separator = separator.len ? separator : VIEW(" ");
    for (uint32_t i = 0; list && i < list->count; i++) {
        buffer_add(&joined, i ? separator : VIEW(""));
        buffer_add(&joined, value_view_or(list->items[i], VIEW("")));
    }
    while (rest.len) {
        buffer_add(&joined, joined.len ? separator : VIEW(""));
        buffer_add(&joined, view_cut(&rest, ' '));
    }
    if (joined.len) {
        add_pair(body, "scope", buffer_view(&joined));
    }
    buffer_free(&joined);
}

// The client tells who it is in the body, or as user and password in the head (RFC 6749 §2.3.1).
static bool add_client(struct asking *asking, struct fail *fail)
{
    const struct ext_connection *connection = asking->connection;
    struct view id = connection_text(connection->definition, "client_id"), secret = connection_text(connection->secrets, "client_secret");
    if (!view_eq_nocase(connection_text(connection->definition, "token_auth"), VIEW("header"))) {
        add_pair(&asking->body, "client_id", id);
        add_pair(&asking->body, "client_secret", secret);
        return true;
    }
    struct buffer plain;
    buffer_init(&plain, BODY_BYTES_MAX);
    form_encode(&plain, id, true);
    buffer_add_char(&plain, ':');
    form_encode(&plain, secret, true);
    buffer_add(&asking->authorization, VIEW("Basic "));
    char *space = plain.failed ? NULL : buffer_space(&asking->authorization, base64_size(plain.len));
    if (space) {
        asking->authorization.len += base64_print(space, buffer_view(&plain));
        asking->headers[asking->request.header_count++] =
            (struct out_header){.name = VIEW("Authorization"), .value = buffer_view(&asking->authorization), .secret = true};
    }
    buffer_free(&plain);
    return space || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool add_grant(struct asking *asking, struct fail *fail)
{
    const struct ext_connection *connection = asking->connection;
    struct view refresh = connection_text(connection->secrets, "refresh_token"), code = connection_text(connection->secrets, "code");
    struct view url = connection_text(connection->definition, "refresh_url");
    asking->request.url = refresh.len && url.len ? url : connection_text(connection->definition, "token_url");
    if (refresh.len) {
        add_pair(&asking->body, "grant_type", VIEW("refresh_token"));
        add_pair(&asking->body, "refresh_token", refresh);
    } else if (code.len) {
        add_pair(&asking->body, "grant_type", VIEW("authorization_code"));
        add_pair(&asking->body, "code", code);
        add_pair(&asking->body, "redirect_uri", connection_text(connection->definition, "redirect_uri"));
    } else if (view_eq_nocase(connection_text(connection->definition, "grant"), VIEW("authorization_code"))) {
        return fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" has no refresh token and no code that gets one",
                        VIEW_ARGS(connection->name));
    } else {
        add_pair(&asking->body, "grant_type", VIEW("client_credentials"));
        add_scopes(&asking->body, connection->definition);
    }
    return true;
}

// The error codes of RFC 6749 §5.2 and Zoho's own may be told; anything else may be a secret.
static const char *known_error(struct view code)
{
    static const char *const known[] = {"invalid_request",        "invalid_client", "invalid_grant",        "unauthorized_client",
                                        "unsupported_grant_type", "invalid_scope",  "invalid_code",         "invalid_client_secret",
                                        "invalid_redirect_uri",   "access_denied",  "invalid_refresh_token"};
    for (size_t i = 0; i < BASE_COUNT(known); i++) {
        if (view_eq(code, view_of(known[i]))) {
            return known[i];
        }
    }
    return NULL;
}

// What RFC 6749 §A.12 lets a token be; a line end in it would be another header.
static bool is_token(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] <= 0x20 || (unsigned char)text.data[i] >= 0x7F) {
            return false;
        }
    }
    return text.len > 0;
}

static bool read_answer(const struct asking *asking, const struct out_response *response, struct value *ret_answer, struct fail *fail)
{
    struct fail ignored;
    struct value answer;
    bool read = json_read(&asking->run->heap, response->body, &answer, &ignored);
    if (read && response->status / 100 == 2 && is_token(connection_text(answer, "access_token"))) {
        *ret_answer = answer;
        return true;
    }
    const char *error = read ? known_error(connection_text(answer, "error")) : NULL;
    return fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" got no token: its token address answered %d%s%s",
                    VIEW_ARGS(asking->connection->name), response->status, error ? ", " : "", error ? error : "");
}

static bool send(struct asking *asking, struct value *ret_answer, struct fail *fail)
{
    struct out_response response;
    struct out_request *request = &asking->request;
    if (asking->body.failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    request->body = buffer_view(&asking->body);
    if (!outgoing_send(asking->run, request, &asking->run->heap, &response, fail)) {
        if (fail->code != FAIL_SCRIPT) {
            return false;
        }
        struct fail cause = *fail;
        return fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" got no token: %s", VIEW_ARGS(asking->connection->name), cause.text);
    }
    return read_answer(asking, &response, ret_answer, fail);
}

static bool ask(struct run *run, const struct ext_connection *connection, struct value *ret_answer, struct fail *fail)
{
    struct asking asking = {.run = run, .connection = connection};
    asking.headers[0] = (struct out_header){.name = VIEW("Content-Type"), .value = VIEW("application/x-www-form-urlencoded")};
    asking.headers[1] = (struct out_header){.name = VIEW("Accept"), .value = VIEW("application/json")};
    asking.request = (struct out_request){.method = VIEW("POST"),
                                          .headers = asking.headers,
                                          .header_count = 2,
                                          .has_body = true,
                                          .stays = true,
                                          .reply_bytes_max = REPLY_BYTES_MAX};
    buffer_init(&asking.body, BODY_BYTES_MAX);
    buffer_init(&asking.authorization, BODY_BYTES_MAX);
    bool ok = add_grant(&asking, fail) && add_client(&asking, fail) && send(&asking, ret_answer, fail);
    buffer_free(&asking.body);
    buffer_free(&asking.authorization);
    return ok;
}

bool connection_authorize_url(struct value definition, struct heap *heap, struct value *ret_url)
{
    struct view base = connection_text(definition, "authorize_url");
    struct buffer query;
    if (!base.len) {
        return false;
    }
    buffer_init(&query, BODY_BYTES_MAX);
    add_pair(&query, "response_type", VIEW("code"));
    add_pair(&query, "client_id", connection_text(definition, "client_id"));
    add_pair(&query, "redirect_uri", connection_text(definition, "redirect_uri"));
    add_scopes(&query, definition);
    add_pair(&query, "access_type", VIEW("offline"));
    *ret_url =
        value_text_printf(heap, "%.*s%c%.*s", VIEW_ARGS(base), view_find_char(base, '?') < 0 ? '?' : '&', VIEW_ARGS(buffer_view(&query)));
    buffer_free(&query);
    return value_is_text(*ret_url);
}

// ---- keeping ------------------------------------------------------------------------------------

struct lease {
    struct ext_vault vault;
    struct ext_connection *connection;
    struct view name;
    int64_t now_ms, until_ms;
    bool done;
};

static bool lease_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct lease *lease = arg;
    return ext_connection_lease_tx(tx, lease->name, lease->now_ms, lease->until_ms, &lease->done, fail);
}

static bool release_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct lease *lease = arg;
    return ext_connection_release_tx(tx, lease->name, lease->until_ms, fail);
}

static bool keep_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct lease *lease = arg;
    return ext_connection_token_tx(tx, &lease->vault, lease->connection, lease->until_ms, &lease->done, fail);
}

// "expires_in" is a number, or a text with some services.
static int64_t life_ms(struct value answer)
{
    struct value expires = map_get_text(value_as_map(answer), VIEW("expires_in"));
    int64_t life_s = expires.type == VALUE_NUMBER ? expires.number : 0;
    if (value_is_text(expires) && !view_to_int64(value_view(expires), &life_s)) {
        life_s = 0;
    }
    int64_t life = (life_s > 0 && life_s < INT32_MAX ? life_s : LIFE_S) * 1000;
    return life - (life / 4 < MARGIN_MS ? life / 4 : MARGIN_MS);
}

static bool keep_token(struct run *run, struct ext_connection *connection, struct value answer, struct lease *lease, struct fail *fail)
{
    struct heap *heap = &run->heap;
    struct value token = value_map(heap, 2);
    if (token.type != VALUE_MAP || connection->secrets.type != VALUE_MAP) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    map_put_text(heap, token.map, VIEW("access_token"), map_get_text(value_as_map(answer), VIEW("access_token")));
    map_put_text(heap, token.map, VIEW("expires_ms"), value_number(clock_wall_ms() + life_ms(answer)));
    if (connection_text(answer, "refresh_token").len) {
        map_put_text(heap, connection->secrets.map, VIEW("refresh_token"), map_get_text(value_as_map(answer), VIEW("refresh_token")));
    }
    map_put_text(heap, connection->secrets.map, VIEW("code"), value_null()); // it works once
    connection->token = token;
    lease->vault = (struct ext_vault){.seal = run->host->seal, .org = run->env->org, .environment = run->env->environment};
    lease->connection = connection;
    if (heap->failed) {
        return fail_set(fail, FAIL_LIMIT, "not enough memory for a token");
    }
    return store_write(run->env->env, keep_tx, lease, fail) &&
           (lease->done ||
            fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" was changed while it was refreshed", VIEW_ARGS(connection->name)));
}

// ---- one at a time ------------------------------------------------------------------------------

struct turn {
    struct run *run;
    struct ext_connection *connection;
    struct view refused; // the token that the service did not take
    int64_t waited_ms;
};

// The connection as it is now; *ret_done when it has another token that is fresh.
static bool look(struct turn *turn, bool *ret_done, struct fail *fail)
{
    if (!connection_find(turn->run, turn->connection->name, turn->connection, fail)) {
        return false;
    }
    *ret_done = is_fresh(turn->connection) && !view_eq(connection_text(turn->connection->token, "access_token"), turn->refused);
    return true;
}

static bool wait_turn(struct turn *turn, struct fail *fail)
{
    if (turn->waited_ms >= WAIT_MS || run_left_ms(turn->run) <= 0) {
        return fail_set(fail, FAIL_SCRIPT, "the connection \"%.*s\" is being refreshed for too long", VIEW_ARGS(turn->connection->name));
    }
    turn->waited_ms += POLL_MS;
    return loop_sleep(POLL_MS, fail);
}

// Takes the connection from other processes too; whoever waited finds the token that another has got meanwhile.
static bool refresh_alone(struct turn *turn, struct fail *fail)
{
    struct run *run = turn->run;
    struct lease lease = {.name = turn->connection->name};
    struct value answer;
    bool done = false;
    while (!lease.done) {
        lease.now_ms = clock_wall_ms();
        int64_t left_ms = run_left_ms(run), most_ms = run->host->limits[LIMIT_OUTGOING_MS];
        lease.until_ms = lease.now_ms + (left_ms < most_ms ? left_ms : most_ms) + LEASE_MARGIN_MS;
        if (!store_write(run->env->env, lease_tx, &lease, fail) || (!lease.done && (!wait_turn(turn, fail) || !look(turn, &done, fail)))) {
            return false;
        }
        if (done) {
            return true;
        }
    }
    bool ok = look(turn, &done, fail) &&
              (done || (ask(run, turn->connection, &answer, fail) && keep_token(run, turn->connection, answer, &lease, fail)));
    struct fail ignored;
    if ((!ok || done) && !store_write(run->env->env, release_tx, &lease, &ignored)) {
        log_line(LOG_WARN, "connection", "a lease could not be given back: %s", ignored.text); // it ends by itself
    }
    return ok;
}

bool connection_token(struct run *run, struct ext_connection *connection, struct view refused, struct fail *fail)
{
    struct turn turn = {run, connection, refused, 0};
    if (!refused.len && is_fresh(connection)) {
        return true;
    }
    atomic_bool *busy = &run->env->refreshing[view_hash_nocase(connection->name) % HOST_REFRESHES]; // of this process
    while (atomic_exchange(busy, true)) {
        if (!wait_turn(&turn, fail)) {
            return false;
        }
    }
    bool ok = refresh_alone(&turn, fail);
    atomic_store(busy, false);
    return ok;
}
