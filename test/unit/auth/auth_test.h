// SPDX-License-Identifier: Apache-2.0
//
// What the programs of test/unit/auth share: an org environment in memory with the key of one namespace.
#pragma once

#include "../store/store_test.h"

#include "auth/auth.h"

struct place {
    struct store *store;
    struct store_env *env;
    struct seal *seal;
    struct auth *auth;
    struct fail fail;
    bool env_missing;
    char key[AUTH_KEY_LEN + 1];
};

static struct store_env *find_env(void *user, int64_t org_number, const char *environment, char ret_org[AUTH_NAME_MAX], struct fail *fail)
{
    struct place *p = user;
    if (p->env_missing || org_number != 7 || strcmp(environment, "production") != 0) {
        fail_set(fail, FAIL_NOT_FOUND, NULL);
        return NULL;
    }
    snprintf(ret_org, AUTH_NAME_MAX, "acme");
    return p->env;
}

static struct identity place_of(const char *namespace)
{
    struct identity where = {.kind = IDENTITY_ZAPIKEY, .org = "acme", .environment = "production", .org_number = 7};
    snprintf(where.namespace, sizeof where.namespace, "%s", namespace);
    return where;
}

struct make {
    struct auth *auth;
    struct identity where;
};

static bool make_key(struct tx *tx, void *arg, struct fail *fail)
{
    struct make *make = arg;
    return auth_key_make_tx(tx, make->auth, &make->where, fail);
}

static bool drop_key(struct tx *tx, void *arg, struct fail *fail)
{
    struct make *make = arg;
    return auth_key_drop_tx(tx, make->auth, view_of(make->where.namespace), fail);
}

static bool write_key(struct place *p, store_fn *fn, const char *namespace)
{
    struct make make = {.auth = p->auth, .where = place_of(namespace)};
    return store_write(p->env, fn, &make, &p->fail);
}

static bool show_key(struct place *p, struct auth *auth, const char *namespace, char ret_key[AUTH_KEY_LEN + 1])
{
    struct identity where = place_of(namespace);
    return auth_key_show(auth, p->env, &where, ret_key, &p->fail);
}

static bool check(struct place *p, const char *key, struct identity *ret_identity)
{
    return auth_key_check(p->auth, view_of(key), "production", NULL, ret_identity, &p->fail);
}

#define EXPECT_P(what) expect_at((what), __LINE__, #what, &p->fail)
// Whatever is wrong about a key is told alike.
#define EXPECT_REFUSED(what)                                                                                                               \
    expect_at(!(what) && p->fail.code == FAIL_AUTHENTICATION && strcmp(p->fail.text, fail_default_text(FAIL_AUTHENTICATION)) == 0,         \
              __LINE__, #what, &p->fail)

static void open_place(struct place *p)
{
    struct auth_router router = {.user = p, .env = find_env};
    fail_clear(&p->fail);
    p->seal = seal_open_ephemeral();
    bool ok = store_open(NULL, STORE_SYNC_FULL, &p->store, &p->fail) &&
              store_env_open(p->store, "orgs/acme/production", true, auth_migrations, NULL, &p->env, &p->fail) &&
              auth_open(p->seal, &router, &p->auth, &p->fail) && write_key(p, make_key, "twilioext") &&
              show_key(p, p->auth, "twilioext", p->key);
    expect_at(ok, __LINE__, "the place opens", &p->fail);
}

static void close_place(struct place *p)
{
    auth_close(p->auth);
    store_close(p->store);
    seal_close(p->seal);
}

#define ON_PLACE(name, body)                                                                                                               \
    static void name##_on_fiber(void *arg)                                                                                                 \
    {                                                                                                                                      \
        struct place place = {0}, *p = &place;                                                                                             \
        (void)arg;                                                                                                                         \
        open_place(p);                                                                                                                     \
        body;                                                                                                                              \
        close_place(p);                                                                                                                    \
    }                                                                                                                                      \
    static void name(void **state)                                                                                                         \
    {                                                                                                                                      \
        (void)state;                                                                                                                       \
        fine_on_loops(1, name##_on_fiber, NULL);                                                                                           \
    }

