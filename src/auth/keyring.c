// SPDX-License-Identifier: Apache-2.0
// The life of a namespace's keys: rotating with or without a time of grace, revoking, rules of their own, listing. The current key stands
// in auth_key, sealed; keys that were rotated away and still work stand in auth_key_old by their HMAC alone, because nobody asks for them
// again. Every change bumps the metadata version, so that all caches look again.
#include "auth/inside.h"

#define RULE_DEFAULT "default"

// ---- rules --------------------------------------------------------------------------------------

bool auth_rate_read(struct view text, int *ret_rate, struct fail *fail)
{
    struct view unit = view_trim(text), count = view_cut(&unit, '/');
    int64_t number;
    if (unit.len == 0 && (count.len == 0 || view_eq_nocase(count, VIEW("none")))) {
        *ret_rate = 0;
        return true;
    }
    if (!view_eq_nocase(unit, VIEW("minute")) || !view_to_int64(count, &number) || number < 1 || number > AUTH_RATE_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "a rate is a number of calls a minute from 1 to %d, like 120/minute, or none",
                        AUTH_RATE_MAX);
    }
    *ret_rate = (int)number;
    return true;
}

bool auth_allow_read(struct view text, struct auth_key_rules *ret_rules, struct fail *fail)
{
    if (view_eq_nocase(view_trim(text), VIEW("any"))) {
        ret_rules->allow_count = 0;
        return true;
    }
    struct auth_key_rules rules;
    if (!address_list_read(text, rules.allow, AUTH_ALLOW_MAX, &rules.allow_count, fail)) {
        return false;
    }
    memcpy(ret_rules->allow, rules.allow, (size_t)rules.allow_count * sizeof *rules.allow);
    ret_rules->allow_count = rules.allow_count;
    return true;
}

static bool is_default(struct view rule)
{
    return view_eq(rule, VIEW(RULE_DEFAULT));
}

bool keyring_rules(struct tx *tx, struct view namespace, struct auth_key_rules *rules, struct fail *fail)
{
    struct store_param name = store_text(namespace);
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT rate, allow FROM auth_key_rule WHERE namespace = ?", &name, 1, &rows, fail)) {
        return false;
    }
    bool ok = true;
    if (rows_next(rows, fail)) {
        ok = is_default(rows_text(rows, 0)) || auth_rate_read(rows_text(rows, 0), &rules->rate, fail);
        ok = ok && (is_default(rows_text(rows, 1)) || auth_allow_read(rows_text(rows, 1), rules, fail));
    }
    rows_close(rows);
    return ok && fail->code == FAIL_NONE;
}

// ---- names --------------------------------------------------------------------------------------

bool keyring_name(struct tx *tx, struct view namespace, char ret_name[AUTH_NAME_MAX], bool *ret_revoked, bool *ret_found, struct fail *fail)
{
    struct store_param name = store_text(namespace), params[] = {name, name};
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx,
                  "SELECT namespace, 0 FROM auth_key WHERE lower(namespace) = lower(?) UNION ALL"
                  " SELECT namespace, 1 FROM auth_key_rule WHERE lower(namespace) = lower(?) AND revoked_ms > 0",
                  params, 2, &rows, fail)) {
        return false;
    }
    *ret_found = rows_next(rows, fail);
    *ret_revoked = *ret_found && rows_int(rows, 1) != 0;
    if (*ret_found) {
        struct view found = rows_text(rows, 0);
        snprintf(ret_name, AUTH_NAME_MAX, "%.*s", VIEW_ARGS(found));
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool keyring_missing(struct view namespace, bool revoked, struct fail *fail)
{
    if (revoked) {
        return fail_set(fail, FAIL_NOT_FOUND, "the key of \"%.*s\" was revoked; make a new one with: sluice key rotate %.*s",
                        VIEW_ARGS(namespace), VIEW_ARGS(namespace));
    }
    if (view_eq_nocase(namespace, VIEW("standalone"))) {
        return fail_set(fail, FAIL_NOT_FOUND, "there is no standalone function here, so there is no key for them");
    }
    return fail_set(fail, FAIL_NOT_FOUND, "no extension with the namespace \"%.*s\" is installed here", VIEW_ARGS(namespace));
}

static bool find_name(struct tx *tx, struct view namespace, char ret_name[AUTH_NAME_MAX], struct fail *fail)
{
    bool found, revoked;
    return keyring_name(tx, namespace, ret_name, &revoked, &found, fail) && (found || keyring_missing(namespace, false, fail));
}

// ---- rotating and revoking ----------------------------------------------------------------------

static bool drop_keys(struct tx *tx, struct view namespace, struct fail *fail)
{
    struct store_param name = store_text(namespace);
    return tx_exec(tx, "DELETE FROM auth_key WHERE namespace = ?", &name, 1, fail) &&
           tx_exec(tx, "DELETE FROM auth_key_old WHERE namespace = ?", &name, 1, fail);
}

bool auth_key_drop_tx(struct tx *tx, const struct auth *auth, struct view namespace, struct fail *fail)
{
    struct store_param name = store_text(namespace);
    (void)auth;
    return drop_keys(tx, namespace, fail) && tx_exec(tx, "DELETE FROM auth_key_rule WHERE namespace = ?", &name, 1, fail) &&
           store_bump(tx, fail);
}

// The key goes from auth_key to auth_key_old; those whose grace is over go altogether.
static bool retire(struct tx *tx, struct view namespace, int64_t grace_ms, struct fail *fail)
{
    int64_t now_ms = clock_wall_ms(), count;
    bool found;
    struct store_param name = store_text(namespace), ended[] = {name, store_int(now_ms)}, moved[] = {store_int(now_ms + grace_ms), name};
    if (!tx_exec(tx, "DELETE FROM auth_key_old WHERE namespace = ? AND expires_ms <= ?", ended, 2, fail) ||
        !tx_query_int(tx, "SELECT count(*) FROM auth_key_old WHERE namespace = ?", &name, 1, &count, &found, fail)) {
        return false;
    }
    if (count >= AUTH_KEYS_OLD_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "%d older keys of \"%.*s\" still work; rotate without a time of grace to end them",
                        AUTH_KEYS_OLD_MAX, VIEW_ARGS(namespace));
    }
    return tx_exec(tx,
                   "INSERT INTO auth_key_old (mac, namespace, created_ms, used_ms, expires_ms)"
                   " SELECT mac, namespace, created_ms, used_ms, ? FROM auth_key WHERE namespace = ?",
                   moved, 2, fail) &&
           tx_exec(tx, "DELETE FROM auth_key WHERE namespace = ?", &name, 1, fail);
}

bool auth_key_rotate_tx(struct tx *tx, const struct auth *auth, const struct identity *where, int64_t grace_ms, struct fail *fail)
{
    struct identity own = *where;
    if (grace_ms < 0 || grace_ms > AUTH_GRACE_MS_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "the time of grace is at most %lld days", AUTH_GRACE_MS_MAX / 86400000);
    }
    if (!find_name(tx, view_of(where->namespace), own.namespace, fail)) {
        return false;
    }
    struct store_param name = store_text(view_of(own.namespace));
    return (grace_ms ? retire(tx, name.text, grace_ms, fail) : drop_keys(tx, name.text, fail)) &&
           tx_exec(tx, "UPDATE auth_key_rule SET revoked_ms = 0 WHERE namespace = ?", &name, 1, fail) &&
           zapikey_insert(tx, auth, &own, fail) && store_bump(tx, fail);
}

// The row of the namespace's rules, made when there is none.
static bool make_rule(struct tx *tx, struct view namespace, struct fail *fail)
{
    struct store_param row[] = {store_text(namespace), store_int(0), store_text(VIEW(RULE_DEFAULT)), store_text(VIEW(RULE_DEFAULT))};
    return tx_exec(tx, "INSERT INTO auth_key_rule (namespace, revoked_ms, rate, allow) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row, 4,
                   fail);
}

bool auth_key_revoke_tx(struct tx *tx, const struct auth *auth, struct view namespace, struct fail *fail)
{
    char name[AUTH_NAME_MAX];
    (void)auth;
    if (!find_name(tx, namespace, name, fail)) {
        return false;
    }
    struct store_param params[] = {store_int(clock_wall_ms()), store_text(view_of(name))};
    return make_rule(tx, view_of(name), fail) && drop_keys(tx, view_of(name), fail) &&
           tx_exec(tx, "UPDATE auth_key_rule SET revoked_ms = ? WHERE namespace = ?", params, 2, fail) && store_bump(tx, fail);
}

// ---- setting rules ------------------------------------------------------------------------------

static bool set_rule(struct tx *tx, const char *sql, struct view rule, struct view namespace, struct fail *fail)
{
    struct store_param params[] = {store_text(rule), store_text(namespace)};
    return !rule.data || tx_exec(tx, sql, params, 2, fail);
}

bool auth_key_rules_tx(struct tx *tx, struct view namespace, struct view rate, struct view allow, struct fail *fail)
{
    char name[AUTH_NAME_MAX];
    struct auth_key_rules rules;
    rate = view_eq_nocase(rate, VIEW(RULE_DEFAULT)) ? VIEW(RULE_DEFAULT) : rate;
    allow = view_eq_nocase(allow, VIEW(RULE_DEFAULT)) ? VIEW(RULE_DEFAULT) : allow;
    if ((rate.data && !is_default(rate) && !auth_rate_read(rate, &rules.rate, fail)) ||
        (allow.data && !is_default(allow) && !auth_allow_read(allow, &rules, fail)) || !find_name(tx, namespace, name, fail)) {
        return false;
    }
    return make_rule(tx, view_of(name), fail) &&
           set_rule(tx, "UPDATE auth_key_rule SET rate = ? WHERE namespace = ?", rate, view_of(name), fail) &&
           set_rule(tx, "UPDATE auth_key_rule SET allow = ? WHERE namespace = ?", allow, view_of(name), fail) && store_bump(tx, fail);
}

// ---- listing ------------------------------------------------------------------------------------

// One row a key, and one a namespace whose key was revoked.
#define KEY_ROWS                                                                                                                           \
    "SELECT namespace, 0 AS old, created_ms, used_ms, 0 AS expires_ms, 0 AS revoked FROM auth_key UNION ALL"                               \
    " SELECT namespace, 1, created_ms, used_ms, expires_ms, 0 FROM auth_key_old WHERE expires_ms > ? UNION ALL"                            \
    " SELECT namespace, 0, revoked_ms, 0, 0, 1 FROM auth_key_rule WHERE revoked_ms > 0"

bool auth_keys_tx(struct tx *tx, struct view namespace, void (*each)(void *arg, const struct auth_key_info *key), void *arg,
                  struct fail *fail)
{
    struct store_param params[] = {store_int(clock_wall_ms()), store_text(namespace), store_text(namespace)};
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx,
                  "SELECT k.namespace, k.old, k.created_ms, k.used_ms, k.expires_ms, k.revoked, coalesce(r.rate, '" RULE_DEFAULT
                  "'), coalesce(r.allow, '" RULE_DEFAULT "') FROM (" KEY_ROWS ") k LEFT JOIN auth_key_rule r ON r.namespace = k.namespace"
                  " WHERE ? = '' OR lower(k.namespace) = lower(?) ORDER BY k.namespace, k.old, k.created_ms DESC",
                  params, 3, &rows, fail)) {
        return false;
    }
    while (rows_next(rows, fail)) {
        struct auth_key_info key = {.namespace = rows_text(rows, 0),
                                    .current = rows_int(rows, 1) == 0 && rows_int(rows, 5) == 0,
                                    .revoked = rows_int(rows, 5) != 0,
                                    .created_ms = rows_int(rows, 2),
                                    .used_ms = rows_int(rows, 3),
                                    .expires_ms = rows_int(rows, 4),
                                    .rate = rows_text(rows, 6),
                                    .allow = rows_text(rows, 7)};
        each(arg, &key);
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}
