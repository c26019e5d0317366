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

bool zapikey_insert(struct tx *tx, const struct auth *auth, const struct identity *where, struct fail *fail)
{
    char key[AUTH_KEY_LEN], purpose[256];
    write_key(auth, where, key);
    struct view text = {key, sizeof key};
    uint8_t mac[SEAL_HMAC_BYTES];
    seal_hmac(auth->seal, text, mac);
    struct buffer sealed;
    buffer_init(&sealed, 1024);
    bool ok = seal_lock(auth->seal, purpose_of(where, purpose, sizeof purpose), text, &sealed, fail);
    if (ok) {
        struct store_param row[] = {store_text(view_of(where->namespace)), store_blob((struct view){(char *)mac, sizeof mac}),
                                    store_blob(buffer_view(&sealed)), store_int(clock_wall_ms())};
        ok = tx_exec(tx, "INSERT INTO auth_key (namespace, mac, sealed, created_ms) VALUES (?, ?, ?, ?)", row, 4, fail);
    }
    buffer_free(&sealed);
    return ok;
}

// A revoked one is not made anew: only a rotation does that.
bool auth_key_make_tx(struct tx *tx, const struct auth *auth, const struct identity *where, struct fail *fail)
{
    char name[AUTH_NAME_MAX];
    bool found, revoked;
    return keyring_name(tx, view_of(where->namespace), name, &revoked, &found, fail) &&
           (found || revoked || zapikey_insert(tx, auth, where, fail));
}

struct show_request {
    const struct auth *auth;
    struct identity where;
    char key[AUTH_KEY_LEN + 1];
};

static bool unseal_key(struct show_request *request, struct view sealed, struct fail *fail)
{
    char purpose[256];
    struct buffer plain;
    buffer_init(&plain, 1024);
    bool ok = seal_unlock(request->auth->seal, purpose_of(&request->where, purpose, sizeof purpose), sealed, &plain, fail) &&
              (plain.len == AUTH_KEY_LEN || fail_set(fail, FAIL_INTERNAL, "a stored key is damaged"));
    if (ok) {
        memcpy(request->key, plain.data, AUTH_KEY_LEN);
        request->key[AUTH_KEY_LEN] = 0;
    }
    buffer_free(&plain);
    return ok;
}

static bool show_key(struct tx *tx, void *arg, struct fail *fail)
{
    struct show_request *request = arg;
    char name[AUTH_NAME_MAX];
    bool found, revoked;
    if (!keyring_name(tx, view_of(request->where.namespace), name, &revoked, &found, fail)) {
        return false;
    }
    if (!found || revoked) {
        return keyring_missing(view_of(found ? name : request->where.namespace), revoked, fail);
    }
    memcpy(request->where.namespace, name, sizeof name);
    struct store_param params[] = {store_text(view_of(name))};
    struct rows *rows;
    if (!tx_query(tx, "SELECT sealed FROM auth_key WHERE namespace = ?", params, 1, &rows, fail)) {
        return false;
    }
    bool ok = rows_next(rows, fail)     ? unseal_key(request, rows_text(rows, 0), fail)
              : fail->code != FAIL_NONE ? false
                                        : keyring_missing(view_of(name), false, fail);
    rows_close(rows);
    return ok;
}

bool auth_key_show(struct auth *auth, struct store_env *env, const struct identity *where, char ret_key[AUTH_KEY_LEN + 1],
                   struct fail *fail)
{
    struct show_request request = {.auth = auth, .where = *where};
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
    struct key_entry *entry;
    bool found;
};

static bool find_key(struct tx *tx, void *arg, struct fail *fail)
{
    struct find_request *request = arg;
    struct key_entry *entry = request->entry;
    struct store_param mac = store_blob((struct view){(char *)entry->mac, sizeof entry->mac}), params[] = {mac, mac};
    struct rows *rows;
    request->found = false;
    fail_clear(fail);
    if (!tx_query(tx,
                  "SELECT namespace, 0 FROM auth_key WHERE mac = ? UNION ALL SELECT namespace, expires_ms FROM auth_key_old WHERE mac = ?",
                  params, 2, &rows, fail)) {
        return false;
    }
    if (rows_next(rows, fail)) {
        struct view namespace = rows_text(rows, 0);
        snprintf(entry->identity.namespace, sizeof entry->identity.namespace, "%.*s", VIEW_ARGS(namespace));
        entry->expires_ms = rows_int(rows, 1);
        request->found = true;
    }
    rows_close(rows);
    return fail->code == FAIL_NONE && (!request->found || keyring_rules(tx, view_of(entry->identity.namespace), &entry->rules, fail));
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
    entry->rules = auth->rules;
    struct find_request request = {.entry = entry};
    if (!store_read(entry->env, find_key, &request, fail)) {
        return false;
    }
    if (!request.found || (entry->expires_ms && clock_wall_ms() >= entry->expires_ms)) {
        return fail_set(fail, FAIL_AUTHENTICATION, NULL);
    }
    identity->kind = IDENTITY_ZAPIKEY;
    identity->rate = entry->rules.rate;
    entry->use = usage_find(&auth->usage, entry->mac, entry->env);
    return !identity->rate || usage_meter(&auth->usage, identity, &identity->meter, fail);
}

// A refused caller is told what a wrong key is told; the owner reads it in the log.
static BASE_COLD bool may_come(const struct key_entry *entry, const struct auth_caller *caller)
{
    struct address address;
    char text[ADDRESS_TEXT_MAX] = "unknown";
    const struct auth_key_rules *rules = &entry->rules;
    const struct identity *who = &entry->identity;
    if (!caller) {
        return true;
    }
    if (caller->address(caller->user, &address)) {
        if (address_in_any(&address, rules->allow, rules->allow_count)) {
            return true;
        }
        address_print(text, &address);
    }
    log_line(LOG_WARN, "key", "refused=address address=%s org=%s environment=%s namespace=%s", text, who->org, who->environment,
             who->namespace);
    return false;
}

bool auth_key_check(struct auth *auth, struct view key, const char *environment, const struct auth_caller *caller,
                    struct identity *ret_identity, struct fail *fail)
{
    if (key.len != AUTH_KEY_LEN) {
        return fail_set(fail, FAIL_AUTHENTICATION, NULL);
    }
    struct key_entry fresh; // in use only after a miss
    uint8_t mac[SEAL_HMAC_BYTES];
    seal_hmac(auth->seal, key, mac);
    const struct key_entry *entry = auth_cache_find(auth, mac);
    if (!entry) {
        memset(&fresh, 0, sizeof fresh);
        memcpy(fresh.mac, mac, sizeof mac);
        if (!look_up(auth, key, &fresh, fail)) {
            return false;
        }
        auth_cache_keep(auth, &fresh);
        entry = &fresh;
    }
    if (strcmp(entry->identity.environment, environment) != 0 || (entry->rules.allow_count && !may_come(entry, caller))) {
        return fail_set(fail, FAIL_AUTHENTICATION, NULL);
    }
    usage_note(auth, entry->use);
    *ret_identity = entry->identity;
    return true;
}
