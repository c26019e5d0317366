// SPDX-License-Identifier: Apache-2.0
// zapikeys as their owner handles them, each change with its row in the audit log; and the fiber that writes, some seconds behind the
// calls, when keys were last used. It lives on loop 0 while keys are used, so that an idle server has no timer, and host_close waits for
// it.
#include "host/inside.h"

enum { FLUSH_MS = 3000 };

// ---- showing and changing -----------------------------------------------------------------------

struct key_request {
    const struct auth *auth;
    struct identity where;
    int64_t grace_ms;
    struct view rate, allow;
};

// The environment, and the namespace's place in it. Longer names than any are not cut to somebody else's.
static bool find_place(struct host *host, const struct identity *who, struct view namespace, struct host_env **ret_env,
                       struct key_request *ret_request, struct fail *fail)
{
    if (!namespace.len || namespace.len >= AUTH_NAME_MAX) {
        return fail_set(fail, FAIL_NOT_FOUND, "no extension with the namespace \"%.*s\" is installed here", VIEW_ARGS(namespace));
    }
    if (!host_env_of(host, who, ret_env, fail)) {
        return false;
    }
    *ret_request = (struct key_request){.auth = host->auth, .where = host_env_identity(*ret_env, IDENTITY_ZAPIKEY, namespace)};
    return true;
}

bool host_key_show(struct host *host, const struct identity *who, struct view namespace, char ret_key[AUTH_KEY_LEN + 1], struct fail *fail)
{
    struct host_env *env;
    struct key_request request;
    return find_place(host, who, namespace, &env, &request, fail) && auth_key_show(host->auth, env->env, &request.where, ret_key, fail);
}

static bool rotate_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct key_request *request = arg;
    return auth_key_rotate_tx(tx, request->auth, &request->where, request->grace_ms, fail);
}

bool host_key_rotate(struct host *host, const struct identity *who, struct view namespace, int64_t grace_ms, char ret_key[AUTH_KEY_LEN + 1],
                     struct fail *fail)
{
    struct host_env *env;
    struct key_request request;
    if (!find_place(host, who, namespace, &env, &request, fail)) {
        return false;
    }
    request.grace_ms = grace_ms;
    return host_audit_outcome(host, who, "key rotate", namespace, store_write(env->env, rotate_tx, &request, fail)) &&
           auth_key_show(host->auth, env->env, &request.where, ret_key, fail);
}

static bool revoke_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct key_request *request = arg;
    return auth_key_revoke_tx(tx, request->auth, view_of(request->where.namespace), fail);
}

bool host_key_revoke(struct host *host, const struct identity *who, struct view namespace, struct fail *fail)
{
    struct host_env *env;
    struct key_request request;
    return find_place(host, who, namespace, &env, &request, fail) &&
           host_audit_outcome(host, who, "key revoke", namespace, store_write(env->env, revoke_tx, &request, fail));
}

static bool rules_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct key_request *request = arg;
    return auth_key_rules_tx(tx, view_of(request->where.namespace), request->rate, request->allow, fail);
}

bool host_key_rules(struct host *host, const struct identity *who, struct view namespace, struct view rate, struct view allow,
                    struct fail *fail)
{
    struct host_env *env;
    struct key_request request;
    if (!find_place(host, who, namespace, &env, &request, fail)) {
        return false;
    }
    request.rate = rate;
    request.allow = allow;
    return host_audit_outcome(host, who, "key set", namespace, store_write(env->env, rules_tx, &request, fail));
}

// ---- listing ------------------------------------------------------------------------------------

struct list_request {
    struct host *host;
    struct heap *heap;
    struct list *list;
    struct view namespace;
};

static struct value time_or_null(struct heap *heap, int64_t time_ms)
{
    struct buffer text;
    if (!time_ms) {
        return value_null();
    }
    buffer_init(&text, 64);
    calendar_print_iso(&text, time_ms, zone_local());
    struct value time = value_text(heap, buffer_view(&text));
    buffer_free(&text);
    return time;
}

// The rule that counts; whether it is the namespace's own stands beside it.
static void put_rule(struct heap *heap, struct map *map, const char *name, struct view rule, struct view setting)
{
    char flag[32];
    bool standard = view_eq(rule, VIEW("default"));
    snprintf(flag, sizeof flag, "%s_default", name);
    map_put_text(heap, map, view_of(name), value_text(heap, standard ? setting : rule));
    map_put_text(heap, map, view_of(flag), value_bool(standard));
}

static void add_key(void *arg, const struct auth_key_info *key)
{
    struct list_request *request = arg;
    struct heap *heap = request->heap;
    const struct host_options *options = &request->host->options;
    struct value map = value_map(heap, 10);
    if (map.type != VALUE_MAP) {
        return;
    }
    const char *state = key->revoked ? "revoked" : key->current ? "current" : "old";
    map_put_text(heap, map.map, VIEW("namespace"), value_text(heap, key->namespace));
    map_put_text(heap, map.map, VIEW("zapikey"), key->revoked ? value_null() : value_text(heap, VIEW("1003.…")));
    map_put_text(heap, map.map, VIEW("state"), value_text(heap, view_of(state)));
    map_put_text(heap, map.map, VIEW("created_time"), time_or_null(heap, key->revoked ? 0 : key->created_ms));
    map_put_text(heap, map.map, VIEW("last_used_time"), time_or_null(heap, key->used_ms));
    map_put_text(heap, map.map, VIEW("expires_time"), time_or_null(heap, key->revoked ? key->created_ms : key->expires_ms));
    put_rule(heap, map.map, "rate", key->rate, options->key_rate.len ? options->key_rate : VIEW("none"));
    put_rule(heap, map.map, "allow", key->allow, options->key_allow.len ? options->key_allow : VIEW("any"));
    list_add(heap, request->list, map);
}

static bool list_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct list_request *request = arg;
    return auth_keys_tx(tx, request->namespace, add_key, request, fail);
}

bool host_keys_list(struct host *host, const struct identity *who, struct view namespace, struct heap *heap, struct value *ret_list,
                    struct fail *fail)
{
    struct host_env *env;
    struct value list = value_list(heap, 16);
    struct list_request request = {.host = host, .heap = heap, .list = value_as_list(list), .namespace = namespace};
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!host_env_of(host, who, &env, fail) || !store_read(env->env, list_tx, &request, fail)) {
        return false;
    }
    *ret_list = list;
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

// ---- what scripts ask for -----------------------------------------------------------------------

struct portal_request {
    struct view portal, own;
    char found[AUTH_NAME_MAX];
    int count;
    bool has_own;
};

static void note_portal(void *arg, struct view namespace)
{
    struct portal_request *request = arg;
    snprintf(request->found, sizeof request->found, "%.*s", VIEW_ARGS(namespace));
    request->count++;
    request->has_own |= view_eq_nocase(namespace, request->own);
}

static bool portal_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct portal_request *request = arg;
    request->count = 0;
    request->has_own = false;
    return ext_portal_tx(tx, request->portal, note_portal, request, fail);
}

// Of a portal with several extensions no one is meant.
static bool find_portal(struct run *run, struct view portal, bool any, char ret_namespace[AUTH_NAME_MAX], struct fail *fail)
{
    struct portal_request request = {.portal = portal, .own = view_of(run->function->namespace)};
    if (!run->env || !portal.len) {
        return true;
    }
    if (!store_read(run->env->env, portal_tx, &request, fail)) {
        return false;
    }
    if (request.has_own) {
        snprintf(ret_namespace, AUTH_NAME_MAX, "%s", run->function->namespace);
    } else if (any && request.count == 1) {
        snprintf(ret_namespace, AUTH_NAME_MAX, "%s", request.found);
    }
    return true;
}

bool keys_asked(struct run *run, struct view asked, char ret_namespace[AUTH_NAME_MAX], struct fail *fail)
{
    static const struct view vertical = {"vcrm_", 5};
    struct view own = view_of(run->function->namespace);
    bool any = view_eq_nocase(own, VIEW("standalone"));
    for (ptrdiff_t dot; (dot = view_find_char(asked, '.')) >= 0;) {
        asked = view_from(asked, (size_t)dot + 1);
    }
    ret_namespace[0] = 0;
    if (asked.len >= AUTH_NAME_MAX) {
        return true;
    }
    if (asked.len && (view_eq_nocase(asked, own) || (any && run_namespace_installed(run, asked)))) {
        snprintf(ret_namespace, AUTH_NAME_MAX, "%.*s", VIEW_ARGS(asked));
        return true;
    }
    return !view_starts_nocase(asked, vertical) || find_portal(run, view_from(asked, vertical.len), any, ret_namespace, fail);
}

// ---- the settings -------------------------------------------------------------------------------

bool keys_open(struct host *host, struct fail *fail)
{
    struct auth_key_rules rules = {0};
    if (!auth_rate_read(host->options.key_rate, &rules.rate, fail) || !auth_allow_read(host->options.key_allow, &rules, fail)) {
        return false;
    }
    auth_set_key_rules(host->auth, &rules);
    return true;
}

// ---- last uses ----------------------------------------------------------------------------------

static void flush(struct host *host)
{
    struct fail fail;
    host->keys.flushing = true;
    fail_clear(&fail);
    if (!auth_keys_flush(host->auth, &fail)) {
        log_line(LOG_WARN, "key", "last uses are not written: %s", fail.text);
    }
    host->keys.flushing = false;
}

static void flush_fiber(void *arg)
{
    struct host *host = arg;
    struct loop_event wake;
    struct fail fail;
    bool woken = false;
    loop_event_init(&wake);
    do {
        if (!host->keys.closing) {
            host->keys.wake = &wake;
            woken = loop_event_wait(&wake, FLUSH_MS, &fail) || fail.code == FAIL_CANCELLED;
            host->keys.wake = NULL;
        }
    } while (host->keys.flushing && !woken && !host->keys.closing);
    if (!host->keys.closing && !host->keys.flushing) {
        flush(host);
    }
    if (atomic_fetch_sub(&host->keys.fibers, 1) == 1 && host->keys.done) {
        loop_event_set(host->keys.done);
    }
}

bool keys_used(void *user)
{
    struct host *host = user;
    if (loop_count() == 0) {
        return false;
    }
    atomic_fetch_add(&host->keys.fibers, 1);
    if (!loop_post(loop_at(0), flush_fiber, host)) {
        atomic_fetch_sub(&host->keys.fibers, 1);
        return false;
    }
    return true;
}

// The fibers that wait are told to end; what they would have written is written here.
void keys_close(struct host *host)
{
    struct loop_event done;
    host->keys.closing = true;
    if (atomic_load(&host->keys.fibers) > 0) {
        loop_event_init(&done);
        host->keys.done = &done;
        if (host->keys.wake) {
            loop_event_set(host->keys.wake);
        }
        loop_event_wait_surely(&done);
        host->keys.done = NULL;
    }
    if (host->auth) {
        flush(host);
    }
}
