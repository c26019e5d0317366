// SPDX-License-Identifier: Apache-2.0
// The host's life: the data folder with its store, keys and run log, and the org environments opened so far. An environment's data base is
// found by the identity alone; the mutexes here guard short look-ups and are never held while a fiber waits.
#include "host/kept.h"

#include "lib/lib.h"

#include <stdlib.h>

// ---- migrations: the rooms' lists one after the other, then the organisation itself -------------

enum { MIGRATIONS_MAX = 128 };

static void join_migrations(struct store_migration *rows, const struct store_migration *const *rooms, size_t room_count)
{
    size_t count = 0;
    for (size_t i = 0; i < room_count; i++) {
        for (const struct store_migration *row = rooms[i]; row->room; row++) {
            assert(count < MIGRATIONS_MAX - 2);
            rows[count++] = *row;
        }
    }
}

static bool seed_organisation(struct tx *tx, void *arg, struct fail *fail)
{
    return crm_seed_tx(tx, arg, fail);
}

static struct store_migration env_migrations[MIGRATIONS_MAX], control_migrations[MIGRATIONS_MAX];

static void make_migrations(void)
{
    static const struct store_migration host_migrations[] = {{.room = "host", .version = 1, .fn = seed_organisation}, {.room = NULL}};
    const struct store_migration *const env_rooms[] = {crm_migrations, auth_migrations, ext_migrations, host_migrations};
    const struct store_migration *const control_rooms[] = {auth_control_migrations, ext_control_migrations};
    join_migrations(env_migrations, env_rooms, BASE_COUNT(env_rooms));
    join_migrations(control_migrations, control_rooms, BASE_COUNT(control_rooms));
}

static pthread_once_t migrations_once = PTHREAD_ONCE_INIT;

// ---- control and the directory of orgs ----------------------------------------------------------

bool host_control(struct host *host, struct store_env **ret_control, struct fail *fail)
{
    pthread_once(&migrations_once, make_migrations);
    return store_env_open(host->store, "control", true, control_migrations, NULL, ret_control, fail);
}

bool host_control_known(struct host *host, struct store_env **ret_control, bool *ret_there, struct fail *fail)
{
    pthread_once(&migrations_once, make_migrations);
    *ret_there = store_env_open(host->store, "control", false, control_migrations, NULL, ret_control, fail);
    return *ret_there || fail->code == FAIL_NOT_FOUND;
}

struct find_org {
    int64_t number;
    struct auth_org org;
    bool found;
};

static bool find_org_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct find_org *find = arg;
    return auth_org_number_tx(tx, find->number, &find->org, &find->found, fail);
}

// The default org's production environment is there without asking: a process that has only that one never opens control.
static bool find_org(struct host *host, int64_t number, bool sandbox, struct auth_org *ret_org, struct fail *fail)
{
    struct find_org find = {.number = number, .org = {.number = AUTH_ORG_DEFAULT, .name = HOST_DEFAULT_ORG}};
    struct store_env *control;
    if (number == AUTH_ORG_DEFAULT && !sandbox) {
        *ret_org = find.org;
        return true;
    }
    if (!host_control(host, &control, fail) || !store_read(control, find_org_tx, &find, fail)) {
        return false;
    }
    if (!find.found) {
        return fail_set(fail, FAIL_NOT_FOUND, "there is no org %lld", (long long)number);
    }
    if (sandbox && !find.org.sandbox) {
        return fail_set(fail, FAIL_NOT_FOUND, "the org \"%s\" has no sandbox; make it with: sluice org sandbox %s", find.org.name,
                        find.org.name);
    }
    *ret_org = find.org;
    return true;
}

// ---- environments -------------------------------------------------------------------------------

static struct host_env *env_known(struct host *host, int64_t org_number, bool sandbox)
{
    for (int i = 0; i < host->env_count; i++) {
        if (host->envs[i]->org_number == org_number && host->envs[i]->sandbox == sandbox) {
            return host->envs[i];
        }
    }
    return NULL;
}

static void env_free(struct host_env *env)
{
    functions_drop(env);
    crm_close(env->crm);
    pthread_mutex_destroy(&env->mutex);
    free(env);
}

// The org's own wish, else the setting, else `otherwise`.
static struct view wish(const char *own, struct view setting, struct view otherwise)
{
    return own[0] ? view_of(own) : setting.len ? setting : otherwise;
}

static bool env_open(struct host *host, const struct auth_org *org, bool sandbox, struct host_env **ret_env, struct fail *fail)
{
    struct host_env *env = calloc(1, sizeof *env);
    if (!env) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    env->host = host;
    env->org_number = org->number;
    env->sandbox = sandbox;
    snprintf(env->org, sizeof env->org, "%s", org->name);
    snprintf(env->environment, sizeof env->environment, "%s", sandbox ? "sandbox" : "production");
    pthread_mutex_init(&env->mutex, NULL);
    pthread_once(&migrations_once, make_migrations);
    char name[160];
    snprintf(name, sizeof name, "orgs/%s/%s", env->org, env->environment);
    struct crm_new_org seed = {
        .company_name = wish(org->company, VIEW(""), view_of(org->name)),
        .admin_email = wish(org->admin_email, host->options.admin_email, VIEW("admin@example.com")),
        .admin_first_name = VIEW("Super"),
        .admin_last_name = VIEW("Admin"),
        .time_zone = wish(org->time_zone, host->options.time_zone, zone_name(zone_local())),
        .zgid = 60000000000 + org->number,
    };
    // Made when it is not there: the directory says that it exists, and a process may have been killed before its file was made.
    if (!store_env_open(host->store, name, true, env_migrations, &seed, &env->env, fail) || !crm_open(env->env, &env->crm, fail)) {
        env_free(env);
        return false;
    }
    crm_on_pending(env->crm, automation_poke, env);
    uint8_t mac[SEAL_HMAC_BYTES];
    seal_hmac(host->seal, VIEW("sluice/pledge"), mac);
    if (!store_env_pledge(env->env, mac, fail) || !install_recover(env, fail)) {
        env_free(env);
        return false;
    }
    *ret_env = env;
    return true;
}

bool host_env_find(struct host *host, int64_t org_number, bool sandbox, struct host_env **ret_env, struct fail *fail)
{
    pthread_mutex_lock(&host->mutex);
    struct host_env *env = env_known(host, org_number, sandbox);
    pthread_mutex_unlock(&host->mutex);
    if (env) {
        *ret_env = env;
        return true;
    }
    struct auth_org org;
    if (!find_org(host, org_number, sandbox, &org, fail) || !env_open(host, &org, sandbox, &env, fail)) {
        return false;
    }
    pthread_mutex_lock(&host->mutex);
    struct host_env *other = env_known(host, org_number, sandbox); // opened by somebody else while we waited
    bool full = !other && host->env_count == HOST_ENVS_MAX;
    if (!other && !full) {
        host->envs[host->env_count++] = env;
    }
    pthread_mutex_unlock(&host->mutex);
    if (other || full) {
        env_free(env);
    }
    if (full) {
        return fail_set(fail, FAIL_FULL, "more than %d org environments are open", HOST_ENVS_MAX);
    }
    *ret_env = other ? other : env;
    return true;
}

bool host_env_default(struct host *host, struct host_env **ret_env, struct fail *fail)
{
    return host_env_find(host, AUTH_ORG_DEFAULT, false, ret_env, fail);
}

bool host_env_of(struct host *host, const struct identity *who, struct host_env **ret_env, struct fail *fail)
{
    struct host_env *env;
    if (who->org_number ? !host_env_find(host, who->org_number, strcmp(who->environment, "sandbox") == 0, &env, fail)
                        : !host_env_default(host, &env, fail)) {
        return false;
    }
    if (who->kind != IDENTITY_ZAPIKEY && !store_env_refresh(env->env, fail)) { // checking a zapikey has done it
        return false;
    }
    *ret_env = env;
    return true;
}

struct identity host_env_identity(const struct host_env *env, enum identity_kind kind, struct view namespace)
{
    struct identity who = {.kind = kind, .org_number = env->org_number};
    snprintf(who.org, sizeof who.org, "%s", env->org);
    snprintf(who.environment, sizeof who.environment, "%s", env->environment);
    snprintf(who.namespace, sizeof who.namespace, "%.*s", VIEW_ARGS(namespace));
    return who;
}

// auth's way from a key's route to a data base.
static struct store_env *route_env(void *user, int64_t org_number, const char *environment, char ret_org[AUTH_NAME_MAX], struct fail *fail)
{
    struct host_env *env;
    if (!host_env_find(user, org_number, strcmp(environment, "sandbox") == 0, &env, fail)) {
        return NULL;
    }
    snprintf(ret_org, AUTH_NAME_MAX, "%s", env->org);
    return env->env;
}

// ---- open and close -----------------------------------------------------------------------------

static bool open_parts(struct host *host, struct fail *fail)
{
    const char *folder = host->options.data_folder;
    enum store_sync sync = host->options.sync_normal ? STORE_SYNC_NORMAL : STORE_SYNC_FULL;
    const char *url = folder ? host->options.store_url : NULL;
    if (url ? !store_open_shared(folder, url, sync, &host->store, fail) : !store_open(folder, sync, &host->store, fail)) {
        return false;
    }
    store_use_images(host->store, host->options.images);
    if (folder ? !seal_open(folder, &host->seal, fail) : !(host->seal = seal_open_ephemeral())) {
        return folder ? false : fail_set(fail, FAIL_MEMORY, NULL);
    }
    struct auth_router router = {.user = host, .env = route_env, .user_active = oauth_user_active, .used = keys_used};
    enum { RUNLOG_RUNS = 100000, RUNLOG_DAYS = 30 };
    return auth_open(host->seal, &router, &host->auth, fail) && keys_open(host, fail) &&
           runlog_open(host->store, RUNLOG_RUNS, RUNLOG_DAYS * 86400000LL, &host->runlog, fail);
}

bool host_open(const struct host_options *options, struct host **ret_host, struct fail *fail)
{
    struct host *host = calloc(1, sizeof *host);
    if (!host) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    host->options = *options;
    pthread_mutex_init(&host->mutex, NULL);
    for (int i = 0; i < HOST_LIMITS; i++) {
        host->limits[i] = options->limits ? options->limits[i] : host_limits[i].standard;
    }
    host_set_address(host, options->listen_address ? options->listen_address : "127.0.0.1:8080");
    struct host_env *env;
    if (!open_parts(host, fail) || !host_env_default(host, &env, fail)) {
        host_close(host);
        return false;
    }
    *ret_host = host;
    return true;
}

void host_close(struct host *host)
{
    watch_stop(host);
    host_schedules_stop(host);
    keys_close(host);
    kept_free(host);
    figures_free(host);
    watchdog_stop();
    runs_drop();
    calllog_close();
    for (int i = 0; i < host->env_count; i++) {
        env_free(host->envs[i]);
    }
    if (host->runlog) {
        runlog_close(host->runlog);
    }
    auth_close(host->auth);
    if (host->store) {
        store_close(host->store);
    }
    seal_close(host->seal);
    pthread_mutex_destroy(&host->mutex);
    free(host);
}

const struct host_options *host_options(const struct host *host)
{
    return &host->options;
}

struct auth *host_auth(struct host *host)
{
    return host->auth;
}

void host_set_dispatch(struct host *host, void (*dispatch)(void *user, struct exchange *exchange), void *user)
{
    host->dispatch = dispatch;
    host->dispatch_user = user;
}

void host_set_address(struct host *host, const char *address)
{
    snprintf(host->address, sizeof host->address, "%s", address);
    if (host->options.public_url) {
        snprintf(host->public_url, sizeof host->public_url, "%s", host->options.public_url);
    } else {
        snprintf(host->public_url, sizeof host->public_url, "http://%s", address);
    }
}

// ---- every native and service, one set a process ------------------------------------------------

static struct native_set *all_natives;

static void make_natives(void)
{
    struct fail fail = {.text = "not enough memory"};
    const struct native *services = trace_services();
    all_natives = native_set_new();
    if (!services || !all_natives || !lib_register(all_natives, &fail) || !native_set_add(all_natives, services, services_count, &fail)) {
        fprintf(stderr, "sluice: the table of built-ins is broken: %s\n", fail.text);
        abort();
    }
}

const struct native_set *host_natives(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_natives);
    return all_natives;
}
