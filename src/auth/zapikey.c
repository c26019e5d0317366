// SPDX-License-Identifier: Apache-2.0
// zapikeys: "1003." + 32 hex + "." + 32 hex (spec/platform.md §2), one an org environment and namespace.
//
// The first half is the route (route.c): a key that nobody here made is refused by arithmetic alone, and a good one leads to its
// environment without asking all of them. The second half is 16 random bytes. The data base holds the key sealed (crm.zapikey and `key
// show` must be able to tell it) and its HMAC (to find it); the cache in front holds HMACs only.
#include "auth/inside.h"

enum { SECRET_BYTES = 16, KEY_HALF = 32, KEY_PREFIX = 5 };
static const char KEY_START[] = "1003.";

// ---- making and showing -------------------------------------------------------------------------

static struct view purpose_of(const struct identity *where, char *out, size_t size)
{
    int len = snprintf(out, size, "zapikey/%s/%s/%s", where->org, where->environment, where->namespace);
    return (struct view){out, (size_t)len};
}

static void write_key(const struct auth *auth, const struct identity *where, char ret_key[AUTH_KEY_LEN])
{
    uint8_t bytes[AUTH_ROUTE_BYTES];
    memcpy(ret_key, KEY_START, KEY_PREFIX);
    auth_route_write(auth, where, bytes);
    hex_print(ret_key + KEY_PREFIX, bytes, sizeof bytes);
    ret_key[KEY_PREFIX + KEY_HALF] = '.';
    random_bytes(bytes, SECRET_BYTES);
    hex_print(ret_key + KEY_PREFIX + KEY_HALF + 1, bytes, SECRET_BYTES);
}

bool auth_key_make_tx(struct tx *tx, const struct auth *auth, const struct identity *where, struct fail *fail)
{
    int64_t count;
    bool found;
    struct store_param namespace = store_text(view_of(where->namespace));
    if (!tx_query_int(tx, "SELECT count(*) FROM auth_key WHERE namespace = ?", &namespace, 1, &count, &found, fail)) {
        return false;
    }
    if (count) {
        return true;
    }
    char key[AUTH_KEY_LEN], purpose[256];
    write_key(auth, where, key);
    struct view text = {key, sizeof key};
    uint8_t mac[SEAL_HMAC_BYTES];
    seal_hmac(auth->seal, text, mac);
    struct buffer sealed;
    buffer_init(&sealed, 1024);
    bool ok = seal_lock(auth->seal, purpose_of(where, purpose, sizeof purpose), text, &sealed, fail);
    if (ok) {
        struct store_param row[] = {namespace, store_blob((struct view){(char *)mac, sizeof mac}), store_blob(buffer_view(&sealed)),
                                    store_int(clock_wall_ms())};
        ok = tx_exec(tx, "INSERT INTO auth_key (namespace, mac, sealed, created_ms) VALUES (?, ?, ?, ?)", row, 4, fail);
    }
    buffer_free(&sealed);
    return ok;
}

bool auth_key_drop_tx(struct tx *tx, const struct auth *auth, struct view namespace, struct fail *fail)
{
    (void)auth;
    struct store_param params[] = {store_text(namespace)};
    return tx_exec(tx, "DELETE FROM auth_key WHERE namespace = ?", params, 1, fail) && store_bump(tx, fail);
}

struct show_request {
    const struct auth *auth;
    const struct identity *where;
    char key[AUTH_KEY_LEN + 1];
};

static bool show_key(struct tx *tx, void *arg, struct fail *fail)
{
    struct show_request *request = arg;
    struct store_param params[] = {store_text(view_of(request->where->namespace))};
    struct rows *rows;
    if (!tx_query(tx, "SELECT sealed FROM auth_key WHERE namespace = ?", params, 1, &rows, fail)) {
        return false;
    }
    char purpose[256];
    struct buffer plain;
    buffer_init(&plain, 1024);
    bool ok = rows_next(rows, fail);
    if (ok) {
        ok = seal_unlock(request->auth->seal, purpose_of(request->where, purpose, sizeof purpose), rows_text(rows, 0), &plain, fail) &&
             (plain.len == AUTH_KEY_LEN || fail_set(fail, FAIL_INTERNAL, "a stored key is damaged"));
    } else if (fail->code == FAIL_NONE) {
        fail_set(fail, FAIL_NOT_FOUND, "no extension with the namespace \"%s\" is installed here", request->where->namespace);
    }
    if (ok) {
        memcpy(request->key, plain.data, AUTH_KEY_LEN);
        request->key[AUTH_KEY_LEN] = 0;
    }
    rows_close(rows);
    buffer_free(&plain);
    return ok;
}

bool auth_key_show(struct auth *auth, struct store_env *env, const struct identity *where, char ret_key[AUTH_KEY_LEN + 1],
                   struct fail *fail)
{
    struct show_request request = {.auth = auth, .where = where};
    if (!store_read(env, show_key, &request, fail)) {
        return false;
    }
    memcpy(ret_key, request.key, sizeof request.key);
    return true;
}

// ---- checking -----------------------------------------------------------------------------------

static bool key_shape(struct view key)
{
    uint8_t bytes[SECRET_BYTES];
    return key.len == AUTH_KEY_LEN && view_starts(key, VIEW(KEY_START)) && key.data[KEY_PREFIX + KEY_HALF] == '.' &&
           hex_read(view_from(key, KEY_PREFIX + KEY_HALF + 1), bytes, sizeof bytes);
}

struct find_request {
    uint8_t mac[SEAL_HMAC_BYTES];
    char namespace[AUTH_NAME_MAX];
    bool found;
};

static bool find_key(struct tx *tx, void *arg, struct fail *fail)
{
    struct find_request *request = arg;
    request->found = false;
    struct store_param params[] = {store_blob((struct view){(char *)request->mac, sizeof request->mac})};
    struct rows *rows;
    if (!tx_query(tx, "SELECT namespace FROM auth_key WHERE mac = ?", params, 1, &rows, fail)) {
        return false;
    }
    bool ok = true;
    if (rows_next(rows, fail)) {
        struct view namespace = rows_text(rows, 0);
        snprintf(request->namespace, sizeof request->namespace, "%.*s", VIEW_ARGS(namespace));
        request->found = true;
    } else {
        ok = fail->code == FAIL_NONE;
    }
    rows_close(rows);
    return ok;
}

// The long way: route, environment, data base.
static bool look_up(struct auth *auth, struct view key, struct key_entry *entry, struct fail *fail)
{
    struct identity *identity = &entry->identity;
    bool sandbox;
    if (!key_shape(key) || !auth_route_read(auth, view_slice(key, KEY_PREFIX, KEY_HALF), &identity->org_number, &sandbox)) {
        return fail_set(fail, FAIL_AUTHENTICATION, NULL);
    }
    snprintf(identity->environment, sizeof identity->environment, "%s", sandbox ? "sandbox" : "production");
    entry->env = auth->router.env(auth->router.user, identity->org_number, identity->environment, identity->org, fail);
    if (!entry->env) {
        return fail->code == FAIL_NOT_FOUND ? fail_set(fail, FAIL_AUTHENTICATION, NULL) : false;
    }
    entry->env_version = store_env_version(entry->env); // before the read: a change in between makes the entry stale, not wrong
    struct find_request request = {.found = false};
    memcpy(request.mac, entry->mac, sizeof request.mac);
    if (!store_read(entry->env, find_key, &request, fail)) {
        return false;
    }
    if (!request.found) {
        return fail_set(fail, FAIL_AUTHENTICATION, NULL);
    }
    identity->kind = IDENTITY_ZAPIKEY;
    memcpy(identity->namespace, request.namespace, sizeof identity->namespace);
    return true;
}

bool auth_key_check(struct auth *auth, struct view key, const char *environment, struct identity *ret_identity, struct fail *fail)
{
    if (key.len != AUTH_KEY_LEN) {
        return fail_set(fail, FAIL_AUTHENTICATION, NULL);
    }
    struct key_entry fresh = {.identity = {.kind = IDENTITY_NONE}};
    seal_hmac(auth->seal, key, fresh.mac);
    const struct key_entry *entry = auth_cache_find(auth, fresh.mac);
    if (!entry) {
        if (!look_up(auth, key, &fresh, fail)) {
            return false;
        }
        auth_cache_keep(auth, &fresh);
        entry = &fresh;
    }
    if (strcmp(entry->identity.environment, environment) != 0) {
        return fail_set(fail, FAIL_AUTHENTICATION, NULL);
    }
    *ret_identity = entry->identity;
    return true;
}
